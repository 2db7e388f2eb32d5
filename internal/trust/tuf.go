package trust

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// This file is the detailed client workflow of the TUF specification (v1.0.34,
// section 5) over bytes: go-tuf's trustedmetadata checks each file, and what is
// kept is a [record]. go-tuf's own updater is not used because it begins every
// time at the built-in root and forgets the newer ones it has seen, so that a
// mirror that withholds them brings revoked keys back; because it knows no
// deadline; and because it writes file by file.

// targetName is what both repositories call the trusted root.
const targetName = "trusted_root.json"

// Bounds on what a mirror may send, in bytes; those of go-tuf's configuration.
const (
	maxRootSize      = 512_000
	maxTimestampSize = 16_384
	maxSnapshotSize  = 2_000_000
	maxTargetsSize   = 5_000_000
	maxNewRoots      = 64 // in one refresh
)

// record is what has been seen of a repository and is kept between runs. It
// proves itself: see [instance.verify].
type record struct {
	Fetched   time.Time `json:"fetched"`   // when the mirror offered the rest
	Roots     [][]byte  `json:"roots"`     // every TUF root after the embedded one, in order
	Under     int       `json:"under"`     // the rest was signed under Roots[:Under]
	Timestamp []byte    `json:"timestamp"` // timestamp.json; empty, with the rest, if there are only roots
	Snapshot  []byte    `json:"snapshot"`  // snapshot.json
	Targets   []byte    `json:"targets"`   // targets.json
	Target    []byte    `json:"target"`    // trusted_root.json
}

// onlyRoots reports whether there is nothing in the record but TUF roots.
func (r record) onlyRoots() bool { return len(r.Timestamp) == 0 }

// chain begins at the embedded TUF root and follows the newer ones.
//
// 5.3.4: each "MUST have been signed by: (1) a threshold of keys specified in
// the trusted root metadata file (version N), and (2) a threshold of keys
// specified in the new root metadata file being validated (version N+1)".
// 5.3.5: its version "MUST be exactly the version in the trusted root metadata
// (version N) incremented by one". Shown by TestMirrorThatLies and
// TestPoisonedCache.
func (i instance) chain(roots [][]byte, now time.Time) (*trustedmetadata.TrustedMetadata, error) {
	tm, err := trustedmetadata.New(i.tufRoot)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded TUF root: %w", err)
	}
	// 5.3.10: "The expiration timestamp in the trusted root metadata file MUST
	// be higher than the fixed update start time." go-tuf lets the equal pass.
	tm.RefTime = now.Add(time.Nanosecond)
	for _, data := range roots {
		if err := update(tm.UpdateRoot, data); err != nil {
			return nil, fmt.Errorf("after root.json version %d: %w", tm.Root.Signed.Version, err)
		}
	}
	return tm, nil
}

// verify proves a record that comes from the cache, whoever wrote it: by
// signatures from the embedded TUF root down to the target. It returns the part
// that is proven: all of it, also with [errOlder]; or the TUF roots; or nothing.
//
// Expiry is not asked again. It was when the record was made, and a record that
// has since expired is still newer than the embedded root, which is what it
// would give way to.
func (i instance) verify(rec record) (proven record, err error) {
	defer recovered(&err)
	// At the zero time nothing has expired.
	newest, err := i.chain(rec.Roots, time.Time{})
	if err != nil {
		return record{}, err
	}
	proven = record{Roots: rec.Roots}
	if rec.onlyRoots() {
		return proven, nil
	}
	if rec.Under < 0 || rec.Under > len(rec.Roots) {
		return proven, fmt.Errorf("signed under TUF root %d of %d", rec.Under, len(rec.Roots))
	}
	tm := newest
	if rec.Under < len(rec.Roots) {
		if tm, err = i.chain(rec.Roots[:rec.Under], time.Time{}); err != nil {
			return proven, err
		}
	}
	if err := update(tm.UpdateTimestamp, rec.Timestamp); err != nil {
		return proven, fmt.Errorf("timestamp.json: %w", err)
	}
	if err := update(snapshotFrom(tm, false), rec.Snapshot); err != nil {
		return proven, fmt.Errorf("snapshot.json: %w", err)
	}
	if err := update(tm.UpdateTargets, rec.Targets); err != nil {
		return proven, fmt.Errorf("targets.json: %w", err)
	}
	// A newer root may have come without the rest. Its timestamp and snapshot
	// keys may be others; the targets keys say what is to be trusted, and a
	// revoked one no longer does.
	if tm != newest {
		if err := newest.Root.VerifyDelegate(metadata.TARGETS, tm.Targets[metadata.TARGETS]); err != nil {
			return proven, fmt.Errorf("targets.json under the newest TUF root: %w", err)
		}
	}
	file, err := targetFile(tm)
	if err != nil {
		return proven, err
	}
	if err := file.VerifyLengthHashes(rec.Target); err != nil {
		return proven, fmt.Errorf("%s: %w", targetName, err)
	}
	return rec, i.older(tm)
}

// errOlder says that what TUF vouches for was superseded when this program was
// built.
var errOlder = errors.New("older than the embedded trusted root")

// older refuses metadata that the embedded root has overtaken: its targets.json
// precedes the one that named the embedded root, or its timestamp, which is
// signed anew every few days, had expired by the embedded root's day.
func (i instance) older(tm *trustedmetadata.TrustedMetadata) error {
	if v := tm.Targets[metadata.TARGETS].Signed.Version; v < i.targets {
		return fmt.Errorf("targets.json has version %d, the embedded root had %d: %w", v, i.targets, errOlder)
	}
	if until := tm.Timestamp.Signed.Expires; until.Before(i.date) {
		return fmt.Errorf("timestamp.json was valid until %s: %w", until.UTC().Format(time.DateOnly), errOlder)
	}
	return nil
}

// refresh asks the mirror, starting from a verified record or an empty one. The
// record it returns is verified, and its target is a trusted root. With an error
// it is the old record with the TUF roots that were proven before things went
// wrong: to forget them would let a mirror bring revoked keys back.
func (i instance) refresh(ctx context.Context, mirror fetcher, old record, now time.Time) (rec record, err error) {
	rec = old
	defer recovered(&err)
	tm, err := i.chain(old.Roots, now)
	if err != nil {
		return rec, err
	}
	rec.Roots = slices.Clone(old.Roots)
	for n := 0; ; n++ {
		name := fmt.Sprintf("%d.root.json", tm.Root.Signed.Version+1)
		data, err := mirror.get(ctx, name, maxRootSize)
		if errors.Is(err, errNotThere) {
			break
		}
		if err != nil {
			return rec, err
		}
		if n == maxNewRoots {
			return rec, fmt.Errorf("more than %d new TUF roots at once", maxNewRoots)
		}
		if err := update(tm.UpdateRoot, data); err != nil {
			return rec, fmt.Errorf("reading %s: %w", name, err)
		}
		rec.Roots = append(rec.Roots, data)
	}
	set, err := i.refreshSet(ctx, mirror, tm, old)
	if err != nil {
		return rec, err
	}
	if _, err := parseOne(set.Target); err != nil {
		return rec, fmt.Errorf("reading %s: %w", targetName, err)
	}
	set.Fetched, set.Roots, set.Under = now.UTC(), rec.Roots, len(rec.Roots)
	return set, nil
}

// refreshSet follows timestamp, snapshot, targets and target under the newest
// root. What the old record holds is loaded first: it is what the new may not
// fall behind ("Check for a rollback attack", 5.4.3 and 5.5.5), and it spares the
// download where nothing has changed. Old metadata that a new root no longer
// vouches for does not load, which is the recovery of 5.3.11.
func (i instance) refreshSet(ctx context.Context, mirror fetcher, tm *trustedmetadata.TrustedMetadata, old record) (rec record, err error) {
	if !old.onlyRoots() {
		_ = update(tm.UpdateTimestamp, old.Timestamp)
	}
	if rec.Timestamp, err = mirror.get(ctx, "timestamp.json", maxTimestampSize); err != nil {
		return record{}, err
	}
	switch err := update(tm.UpdateTimestamp, rec.Timestamp); {
	case errors.Is(err, &metadata.ErrEqualVersionNumber{}):
		rec.Timestamp = old.Timestamp // 5.4.3.1: discard the new one; "this is normal"
	case err != nil:
		return record{}, fmt.Errorf("reading timestamp.json: %w", err)
	}

	rec.Snapshot = old.Snapshot
	if len(old.Snapshot) == 0 || update(snapshotFrom(tm, true), old.Snapshot) != nil {
		of := named{"snapshot.json", tm.Timestamp.Signed.Meta["snapshot.json"], maxSnapshotSize}
		if rec.Snapshot, err = of.fetch(ctx, mirror, tm); err != nil {
			return record{}, err
		}
		if err := update(snapshotFrom(tm, false), rec.Snapshot); err != nil {
			return record{}, fmt.Errorf("reading snapshot.json: %w", err)
		}
	}

	rec.Targets = old.Targets
	if len(old.Targets) == 0 || update(tm.UpdateTargets, old.Targets) != nil {
		of := named{"targets.json", tm.Snapshot.Signed.Meta["targets.json"], maxTargetsSize}
		if rec.Targets, err = of.fetch(ctx, mirror, tm); err != nil {
			return record{}, err
		}
		if err := update(tm.UpdateTargets, rec.Targets); err != nil {
			return record{}, fmt.Errorf("reading targets.json: %w", err)
		}
	}
	if err := i.older(tm); err != nil {
		return record{}, err
	}

	file, err := targetFile(tm)
	if err != nil {
		return record{}, err
	}
	rec.Target = old.Target
	if file.VerifyLengthHashes(old.Target) != nil {
		if rec.Target, err = fetchTarget(ctx, mirror, tm, file); err != nil {
			return record{}, err
		}
	}
	return rec, nil
}

// named is a metadata file and what its parent says of it.
type named struct {
	file string
	meta *metadata.MetaFiles
	most int64 // bytes, where the parent says no length
}

// fetch gets the version that the parent names.
func (n named) fetch(ctx context.Context, mirror fetcher, tm *trustedmetadata.TrustedMetadata) ([]byte, error) {
	if n.meta == nil {
		return nil, fmt.Errorf("no version of %s is named", n.file)
	}
	name, most := n.file, n.most
	if tm.Root.Signed.ConsistentSnapshot {
		name = fmt.Sprintf("%d.%s", n.meta.Version, n.file)
	}
	if n.meta.Length > 0 {
		most = min(most, n.meta.Length)
	}
	return mirror.get(ctx, name, most)
}

// targetFile is what targets.json says of the trusted root. Delegations are not
// followed: neither repository delegates it.
func targetFile(tm *trustedmetadata.TrustedMetadata) (*metadata.TargetFiles, error) {
	file := tm.Targets[metadata.TARGETS].Signed.Targets[targetName]
	switch {
	case file == nil:
		return nil, fmt.Errorf("targets.json names no %s", targetName)
	case file.Hashes["sha256"] == nil && file.Hashes["sha512"] == nil:
		return nil, fmt.Errorf("targets.json gives neither sha256 nor sha512 of %s", targetName)
	case file.Length > MaxFileSize:
		return nil, fmt.Errorf("%s is larger than %d MiB", targetName, MaxFileSize>>20)
	}
	return file, nil
}

func fetchTarget(ctx context.Context, mirror fetcher, tm *trustedmetadata.TrustedMetadata, file *metadata.TargetFiles) ([]byte, error) {
	name := targetName
	if tm.Root.Signed.ConsistentSnapshot {
		hash := file.Hashes["sha256"]
		if hash == nil {
			hash = file.Hashes["sha512"]
		}
		name = hex.EncodeToString(hash) + "." + targetName
	}
	data, err := mirror.get(ctx, "targets/"+name, file.Length)
	if err != nil {
		return nil, err
	}
	if err := file.VerifyLengthHashes(data); err != nil {
		return nil, fmt.Errorf("reading %s: %w", targetName, err)
	}
	return data, nil
}

// update hands one metadata file to go-tuf, if it is a JSON object without
// duplicate keys and without great depth.
func update[T any](load func([]byte) (T, error), data []byte) error {
	if _, err := single(data); err != nil {
		return err
	}
	_, err := load(data)
	return err
}

// snapshotFrom binds UpdateSnapshot's second argument: whether data has been
// checked against the hashes of an earlier timestamp already.
func snapshotFrom(tm *trustedmetadata.TrustedMetadata, known bool) func([]byte) (*metadata.Metadata[metadata.SnapshotType], error) {
	return func(data []byte) (*metadata.Metadata[metadata.SnapshotType], error) {
		return tm.UpdateSnapshot(data, known)
	}
}

// recovered turns a panic into an error. go-tuf v2.4.2 panics on a timestamp
// that names no snapshot and on roles and keys that are null.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("metadata that go-tuf cannot read: %v", p)
	}
}
