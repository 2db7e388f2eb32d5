package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// load returns the instance's root: the cached one, refreshed if that is due
// and allowed, or the embedded one. What goes wrong with cache or mirror is a
// warning; an error means that the embedded root itself cannot be read.
func (i instance) load(ctx context.Context, o Options) (Root, []Warning, error) {
	if o.CacheDir == "" {
		r, err := i.embedded()
		return r, nil, err
	}
	var warnings []Warning
	warn := func(err error, next string) {
		warnings = append(warnings, Warning{Root: i.name, Err: err, Next: next})
	}
	store := i.cacheOf(o.CacheDir)

	due := !o.Offline && store.due(o.Now)
	rec, err := store.read()
	if err == nil && !due && bytes.Equal(rec.Target, i.material) {
		r, err := i.embedded() // TUF offers nothing else: no need to prove it (some milliseconds)
		return r, nil, err
	}
	inUse, held, err := i.cached(store, rec, err)
	if err != nil {
		warn(fmt.Errorf("ignoring the cached root: %w", err), "nothing, the next refresh replaces it; delete "+store.file+" if this comes again")
	}
	if due {
		if err := store.claim(o.Now); err != nil {
			warn(fmt.Errorf("not refreshing, since the time of it could not be remembered: %w", err),
				"make "+filepath.Dir(store.last)+" writable, or pass --offline")
		} else {
			fresh, err := i.renew(ctx, o, store, held)
			if err != nil {
				warn(err, nextStep(err, o.Now))
			}
			if fresh.Material != nil {
				inUse = fresh
			}
		}
	}
	if inUse.Material == nil {
		if inUse, err = i.embedded(); err != nil {
			return Root{}, nil, err
		}
	}
	for n := range warnings {
		warnings[n].Using = inUse.Source
	}
	return inUse, warnings, nil
}

// cached returns the root of the record that was read, and what is proven of the
// record. There is no root, and no error, if nothing is cached or if the
// embedded root has overtaken it.
func (i instance) cached(store cache, rec record, err error) (Root, record, error) {
	if err != nil {
		return Root{}, record{}, fmt.Errorf("reading %s: %w", store.file, err)
	}
	proven, err := i.verify(rec)
	switch {
	case errors.Is(err, errOlder), err == nil && proven.onlyRoots():
		return Root{}, proven, nil
	case err != nil:
		return Root{}, proven, fmt.Errorf("verifying %s: %w", store.file, err)
	}
	r, err := i.fromRecord(proven)
	return r, proven, err
}

// renew asks the mirror and keeps what it proves. With an error there is a root
// only if the mirror was fine and the cache folder was not.
func (i instance) renew(ctx context.Context, o Options, store cache, held record) (Root, error) {
	rec, err := i.refresh(ctx, fetcher{o.HTTP, i.mirror}, held, o.Now)
	if err != nil {
		if len(rec.Roots) > len(held.Roots) {
			_ = store.write(rec) // the worse of the two failures is being reported
		}
		return Root{}, fmt.Errorf("refreshing from %s: %w", i.mirror, err)
	}
	fresh, err := i.fromRecord(rec)
	if err != nil {
		return Root{}, fmt.Errorf("refreshing from %s: %w", i.mirror, err)
	}
	if err := store.write(rec); err != nil {
		return fresh, &cacheError{fmt.Errorf("keeping what was fetched from %s: %w", i.mirror, err), filepath.Dir(store.file)}
	}
	return fresh, nil
}

// fromRecord reads the trusted root of a verified record.
func (i instance) fromRecord(rec record) (Root, error) {
	material, err := parseOne(rec.Target)
	if err != nil {
		return Root{}, fmt.Errorf("reading %s: %w", targetName, err)
	}
	return Root{
		Name:     i.name,
		Material: material,
		Source:   fmt.Sprintf("TUF mirror %s, fetched %s", i.mirror, rec.Fetched.UTC().Format(time.RFC3339)),
		Date:     rec.Fetched,
		SHA256:   digest(rec.Target),
	}, nil
}

// cacheError is a cache folder that cannot be written.
type cacheError struct {
	err error
	dir string
}

func (e *cacheError) Error() string { return e.err.Error() }
func (e *cacheError) Unwrap() error { return e.err }

// nextStep is what a reader can do about a failed refresh.
func nextStep(err error, now time.Time) string {
	again := now.Add(RefreshEvery).UTC().Format(time.RFC3339)
	if e, ok := errors.AsType[*cacheError](err); ok {
		return "make " + e.dir + " writable, or pass --offline"
	}
	if _, ok := errors.AsType[*VersionError](err); ok {
		return "upgrade signatus"
	}
	if _, ok := errors.AsType[*networkError](err); ok {
		return "nothing if this passes, it is tried again after " + again + "; else check the network, or pass --offline"
	}
	return "the mirror is out of date, broken or not who it says; try from another network, or give a root you trust with --trusted-root"
}
