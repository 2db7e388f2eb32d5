// Package trust loads the trusted roots that signatures are verified under:
// embedded, from files, or refreshed by TUF. It refuses a root that no file, no
// embedding and no TUF signature vouches for: neither a mirror nor a cache file
// is believed by itself, and a refresh that goes wrong in any way leaves the
// roots in use as they were and says so in a [Warning].
//
// Two instances are known without being told: the public-good one, named
// [Sigstore], and GitHub's own, named [GitHub]. Their roots and the TUF roots
// that vouch for newer ones are embedded; embedded/SOURCES.md says whence, and
// of which day.
//
//   - With files ([Options.Files], --trusted-root), the files are all there is.
//   - Otherwise each instance uses what its TUF mirror last offered and TUF's
//     signatures prove, if that is not older than the embedded root, else the
//     embedded root.
//   - The mirror is asked at most once in [RefreshEvery], within [Budget] for
//     all instances together, and never when [Options.Offline] is set.
//
// The cache folder holds one file per instance with the TUF metadata and the
// target, and one with the time of the last try. The first is verified again at
// every start, unless its target is byte for byte the embedded root. Both are
// replaced by renaming, so a reader sees all of the old or all of the new, in
// whatever order processes run.
package trust

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// The names of the roots that need no telling. They are what a layout's
// keyVal.root refers to.
const (
	Sigstore = "sigstore" // the public-good instance: CT logs, transparency logs, a TSA
	GitHub   = "github"   // GitHub's own instance: timestamp authorities only
)

// How often, and how long, a mirror may be asked.
const (
	RefreshEvery = 24 * time.Hour
	Budget       = 5 * time.Second
)

// Root is one trusted root. Its zero value verifies nothing: without Material
// there is nobody to trust.
type Root struct {
	Name     string            // what functionaries refer to; several roots may share it
	Material *root.TrustedRoot // the authorities and logs, as sigstore-go reads them
	Source   string            // for people: "embedded, 2026-08-21", "file roots.jsonl line 2", "TUF mirror …, fetched …"
	Date     time.Time         // the day of an embedded root, the moment a TUF one was fetched; zero for a file
	SHA256   string            // of the root's file, or of its JSON object where a file holds several; hex
}

// Set is the roots to verify under, in the order they were given. The empty
// Set trusts nobody.
type Set []Root

// Named returns the roots of that name, in order; none when the name is
// unknown.
func (s Set) Named(name string) []Root {
	var named []Root
	for _, r := range s {
		if r.Name == name {
			named = append(named, r)
		}
	}
	return named
}

// Names returns each name once, in order of first appearance.
func (s Set) Names() []string {
	var names []string
	for _, r := range s {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Warning says that a root could not be refreshed, or that the cache was not
// usable, and what is used instead. Its text may quote a mirror or a cache
// file: treat it as untrusted when printing.
type Warning struct {
	Root  string // the name of the root concerned
	Err   error  // what went wrong
	Using string // the Source of the root in use
	Next  string // what the reader can do
}

// String is the warning in one line.
func (w Warning) String() string {
	return fmt.Sprintf("trusted root %s: %v; using the one %s; next: %s", w.Root, w.Err, w.Using, w.Next)
}

// Options says where roots may come from. The zero value loads the embedded
// ones.
type Options struct {
	// Files are the values of --trusted-root, "[NAME=]FILE": each a trusted
	// root in JSON, or one a line as `gh attestation trusted-root` prints them.
	// With any, no embedded root is loaded, no cache read and no mirror asked.
	Files []string
	// Open opens one of Files. It must be set with Files: in a run for a pull
	// request it reads the base commit, not the working tree.
	Open func(name string) (io.ReadCloser, error)

	// CacheDir is signatus' own folder below the user's cache folder; it is
	// made if missing. When empty, nothing is remembered, so that "at most
	// daily" could not be kept: no mirror is asked.
	CacheDir string
	// Offline forbids the network. What is in CacheDir is still used.
	Offline bool
	// HTTP asks the mirrors. It must be set with CacheDir, unless Offline.
	// Retries, proxies and the user agent are its affair; every request ends
	// with the budget.
	HTTP *http.Client
	// Now is the time at which TUF metadata must not have expired. It must be
	// set with CacheDir.
	Now time.Time
	// Mirrors replaces the base URL of a TUF mirror, by the root's name. The
	// keys that must have signed stay the embedded ones.
	Mirrors map[string]string
	// Budget bounds the refresh of all roots together; zero is [Budget].
	Budget time.Duration

	instances []instance // for this package's tests: repositories with keys of their own
}

// Load returns the roots to verify under, and what went wrong on the way
// without making a difference to them. It is an error when a file of
// [Options.Files] is not what it must be (a [*VersionError] when it is too new
// to tell), when an option that must be set is not, and when ctx ends.
func Load(ctx context.Context, o Options) (Set, []Warning, error) {
	if len(o.Files) > 0 {
		set, err := loadFiles(o.Files, o.Open)
		return set, nil, err
	}
	instances, err := o.resolve()
	if err != nil {
		return nil, nil, fmt.Errorf("loading trusted roots: %w", err)
	}
	budget := o.Budget
	if budget <= 0 {
		budget = Budget
	}
	within, cancel := context.WithTimeoutCause(ctx, budget, fmt.Errorf("no complete answer within %s", budget))
	defer cancel()

	set := make(Set, len(instances))
	warnings := make([][]Warning, len(instances))
	errs := make([]error, len(instances))
	var wait sync.WaitGroup
	for n, i := range instances {
		wait.Go(func() { set[n], warnings[n], errs[n] = i.load(within, o) })
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("loading trusted roots: %w", context.Cause(ctx))
	}
	for _, err := range errs {
		if err != nil {
			return nil, nil, fmt.Errorf("loading trusted roots: %w", err)
		}
	}
	return set, slices.Concat(warnings...), nil
}

// resolve returns the instances with their mirrors, and refuses options that
// leave open what must be said.
func (o Options) resolve() ([]instance, error) {
	if o.CacheDir != "" {
		switch {
		case o.Now.IsZero():
			return nil, fmt.Errorf("a cache folder is given, but not the time")
		case o.HTTP == nil && !o.Offline:
			return nil, fmt.Errorf("a cache folder is given, but no HTTP client; expected one, or Offline")
		}
	}
	instances := o.instances
	if instances == nil {
		instances = embeddedInstances()
	}
	instances = slices.Clone(instances)
	for name, mirror := range o.Mirrors {
		n := slices.IndexFunc(instances, func(i instance) bool { return i.name == name })
		if n < 0 {
			return nil, fmt.Errorf("a mirror is given for the root %q, which is not refreshed by TUF", name)
		}
		u, err := url.Parse(mirror)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			return nil, fmt.Errorf("the mirror of the root %s is %q; expected the URL of a TUF repository", name, mirror)
		}
		instances[n].mirror = mirror
	}
	return instances, nil
}
