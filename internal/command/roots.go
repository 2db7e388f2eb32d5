package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/trust"
)

// rootFlags choose the trusted roots.
type rootFlags struct {
	files   []string
	offline bool
}

func (f *rootFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.files, "trusted-root", nil, "trusted root `[NAME=]FILE`, JSON or JSONL, in place of the embedded ones (repeatable)")
	flags.BoolVar(&f.offline, "offline", false, "use no network for trusted roots: take the embedded or remembered ones as they are")
}

// loadedRoots are the trusted roots in use, ready to verify under.
type loadedRoots struct {
	set      trust.Set
	ready    []*attestation.Root // one for each of set
	warnings []string
}

// load reads the trusted roots and checks their fixed chains once.
func (f *rootFlags) load(ctx context.Context, env Env) (*loadedRoots, error) {
	set, warnings, err := trust.Load(ctx, trust.Options{
		Files:    f.files,
		Open:     func(name string) (io.ReadCloser, error) { return env.FS.Open(name) },
		CacheDir: env.CacheDir, Offline: f.offline, HTTP: env.HTTP, Now: env.Now,
	})
	if err != nil {
		return nil, f.explain(ctx, err)
	}
	loaded := &loadedRoots{set: set}
	for _, w := range warnings {
		loaded.warnings = append(loaded.warnings, w.String())
	}
	for _, r := range set {
		ready, err := attestation.NewRoot(r.Name, r.Material)
		if err != nil {
			return nil, undecided("check the trusted root "+r.Source, fmt.Errorf("loading trusted root %s: %w", r.Name, err))
		}
		loaded.ready = append(loaded.ready, ready)
	}
	return loaded, nil
}

// explain tells a file that cannot be read from one that is no trusted root.
func (f *rootFlags) explain(ctx context.Context, err error) error {
	_, unreadable := errors.AsType[*fs.PathError](err)
	_, ofBase := errors.AsType[*baseError](err)
	_, tooNew := errors.AsType[*trust.VersionError](err)
	switch {
	case ctx.Err() != nil:
		return undecided("run it again", err)
	case len(f.files) == 0:
		return undecided("give a trusted root with --trusted-root FILE", err)
	case unreadable, ofBase:
		return undecided(nextAfter(err, "check --trusted-root"), err)
	case tooNew:
		return undecided("use a newer signatus, or an older trusted root", err)
	}
	return &exitError{code: ExitDenied, err: err, next: "check --trusted-root: it takes a trusted_root.json, or the output of gh attestation trusted-root"}
}

// named returns the loaded roots of a name.
func (l *loadedRoots) named(name string) []*attestation.Root {
	var out []*attestation.Root
	for _, r := range l.ready {
		if r.Name() == name {
			out = append(out, r)
		}
	}
	return out
}
