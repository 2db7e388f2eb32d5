package command

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/report"
)

// fileSink keeps bundles in the files where verify looks for them, as they are planned.
type fileSink struct {
	env   Env
	asked bool // by the caller, and not for want of another place
}

func (*fileSink) takes(planned) bool { return true }

// check has nothing to say: what is in the way of the files was said when they were
// planned.
func (*fileSink) check(context.Context) error { return nil }

// put writes the bundles, those that share a file at once, and reads them there.
func (f *fileSink) put(ctx context.Context, bundles []made) (all []kept) {
	for len(bundles) > 0 {
		n := 1
		for !bundles[0].place.exactly && n < len(bundles) && bundles[n].place == bundles[0].place {
			n++
		}
		all = append(all, f.write(ctx, bundles[0].place, bundles[:n])...)
		bundles = bundles[n:]
	}
	return all
}

// write puts bundles into one file.
func (f *fileSink) write(ctx context.Context, at place, bundles []made) (all []kept) {
	path, already, err := at.write(ctx, contents(bundles))
	if err == nil {
		err = holds(f.env.FS, path, bundles)
	}
	for _, m := range bundles {
		k := kept{Stored: report.Stored{Bundle: m.number, Sink: storeFile, Where: path, Already: already}, err: err}
		// For what is known by its digest, verify looks in the working directory alone.
		if at.exactly || m.file == "" && filepath.Dir(path) != "." {
			k.find = []string{"--bundle", path}
		}
		if !f.asked {
			k.note = "what another place has not taken is in " + path
		}
		all = append(all, k)
	}
	return all
}

// putAside writes the bundles where temporary files are.
func (f *fileSink) putAside(ctx context.Context, bundles []made) []kept {
	if len(bundles) == 0 {
		return nil
	}
	folder := cmp.Or(f.env.Getenv("RUNNER_TEMP"), f.env.Getenv("TMPDIR"), os.TempDir())
	name := fmt.Sprintf("attestation-%s.sigstore.jsonl", digits(bundles[0].bundle))
	all := f.write(ctx, place{path: filepath.Join(folder, name)}, bundles)
	for i := range all {
		all[i].find = []string{"--bundle", all[i].Where}
		all[i].note = "what another place has not taken is in " + all[i].Where
	}
	return all
}

// digits are twelve of a bundle's digest.
func digits(bundle []byte) string { return fmt.Sprintf("%x", sha256.Sum256(bundle))[:12] }

func contents(bundles []made) (all [][]byte) {
	for _, m := range bundles {
		all = append(all, m.bundle)
	}
	return all
}

// write returns where the bundles are now: where each has a file of its own, there is
// one. already tells that it was there before.
func (p place) write(ctx context.Context, bundles [][]byte) (path string, already bool, err error) {
	switch {
	case !p.exactly:
		return p.path, false, evidence.Append(ctx, p.path, bundles...)
	case p.force:
		return p.path, false, evidence.Replace(p.path, bundles[0])
	}
	already, err = evidence.Keep(p.path, bundles[0])
	if errors.Is(err, fs.ErrExist) && p.next != "" {
		return p.next, false, evidence.Append(ctx, p.next, bundles...)
	}
	return p.path, already, err
}

// holds demands that a file holds the bundles that were verified.
func holds(fsys fs.FS, path string, bundles []made) error {
	found, err := evidence.Named(fsys, []string{path})
	if err != nil {
		return fmt.Errorf("reading back what was written: %w", err)
	}
	return among(found, path, bundles)
}

// among demands that the bundles are in what was found.
func among(found evidence.Found, where string, bundles []made) error {
	there := map[string]bool{}
	for _, c := range found.Candidates {
		there[c.Digest()] = true
	}
	for _, m := range bundles {
		if !there[m.verified.Digest()] {
			return fmt.Errorf("reading back %s: it does not hold the bundle that was written; next: look at what else writes there, and run it again", where)
		}
	}
	return nil
}
