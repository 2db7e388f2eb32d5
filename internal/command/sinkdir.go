package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/report"
)

// dirSink keeps each bundle in a file of its own in a folder, as in-toto keeps links: by
// the name of the file one tells what was said, and about what.
type dirSink struct {
	env    Env
	folder string
}

func (*dirSink) takes(planned) bool { return true }

func (d *dirSink) check(context.Context) error {
	doing := "keeping bundles in " + d.folder
	info, err := fs.Stat(d.env.FS, d.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return undecided("make the folder first", fmt.Errorf("%s: %w", doing, artifact.Cause(err)))
	case err != nil:
		return undecided("check --store dir="+d.folder, fmt.Errorf("%s: %w", doing, artifact.Cause(err)))
	case !info.IsDir():
		return undecided("name a folder: --store dir=FOLDER", fmt.Errorf("%s: it is no folder", doing))
	}
	if err := evidence.Writable(filepath.Join(d.folder, sharedFile)); err != nil {
		return undecided("", fmt.Errorf("%s: %w", doing, err))
	}
	return nil
}

func (d *dirSink) put(_ context.Context, bundles []made) (all []kept) {
	for _, m := range bundles {
		path, already, err := d.keep(m)
		if err == nil {
			err = holds(d.env.FS, path, []made{m})
		}
		all = append(all, kept{
			Stored: report.Stored{Bundle: m.number, Sink: storeDir, Where: path, Already: already},
			err:    err, find: []string{"--bundle", path},
		})
	}
	return all
}

// keep writes one bundle. Where another one has its name it gets a longer one, with
// digits of its own digest.
func (d *dirSink) keep(m made) (path string, already bool, err error) {
	name := nameInFolder(m)
	for _, name := range []string{name, name + "." + digits(m.bundle)} {
		path = filepath.Join(d.folder, name+".sigstore.json")
		already, err = evidence.Keep(path, m.bundle)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return path, already, err
}

// nameInFolder is what was said, a step or a kind of predicate, and twelve digits of the
// first subject's digest: build.ac47d72e0a79.
//
// "The name for link metadata files must contain two elements: the name of the step, and
// the first six bytes of the functionary's keyid separated by a dot." (in-toto 1.0, 4.4)
// An identity has no keyid, and one step is done for many files, so that the subject
// stands in its place. (TestNamesInFolder)
func nameInFolder(m made) string {
	what := m.shown.Step
	if what == "" {
		what = kindOf(m.shown.PredicateType)
	}
	_, digest, _ := strings.Cut(digestInHand(m.subjects[0].Digest), ":")
	return fileWord(what) + "." + digest[:min(len(digest), 12)]
}

// kindOf is the last part of a predicate type that is no version: provenance of
// https://slsa.dev/provenance/v1.
func kindOf(predicateType string) string {
	parts := strings.Split(strings.Trim(predicateType, "/"), "/")
	for i := len(parts) - 1; i > 2; i-- {
		if digits := strings.TrimPrefix(parts[i], "v"); strings.Trim(digits, "0123456789.") != "" {
			return parts[i]
		}
	}
	return "attestation"
}

// maxFileWord bounds how much of a step's name is in the name of a file.
const maxFileWord = 64

// fileWord is a text as the part of a file's name that stands before the first dot.
func fileWord(text string) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, text)
	return cmp.Or(strings.TrimLeft(text[:min(len(text), maxFileWord)], "-"), "attestation")
}
