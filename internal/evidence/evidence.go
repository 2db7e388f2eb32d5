// Package evidence finds candidate bundles and believes none of them. It reads
// files: those the caller names, and those that lie beside an artifact under the
// usual names. What it finds is judged elsewhere.
package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of what is read. A directory or file beyond them is refused, never
// read in part.
const (
	MaxFileBytes = 64 << 20
	MaxFiles     = 10_000
)

// Found is what a search brought: candidates to be opened, pieces that could not
// be read as one, and the places that were looked at.
type Found struct {
	Candidates []attestation.Candidate
	// Refused are pieces that are no bundle, each with its place and reason.
	Refused []verdict.Evidence
	Looked  []Place
}

// Place is one file or directory that was looked at.
type Place struct {
	Path string
	// Bundles is how many candidates it held; Absent tells that there was nothing
	// at that path.
	Bundles int
	Absent  bool
}

// Named reads the files and directories that the caller named. One that cannot
// be read is an error: the caller counts on it.
func Named(fsys fs.FS, paths []string) (Found, error) {
	var found Found
	for _, path := range paths {
		info, err := fs.Stat(fsys, path)
		if err != nil {
			return Found{}, fmt.Errorf("reading bundle %s: %w", path, cause(err))
		}
		if info.IsDir() {
			err = found.directory(fsys, path)
		} else {
			err = found.file(fsys, path)
		}
		if err != nil {
			return Found{}, err
		}
	}
	return found, nil
}

// Beside looks where attest and its peers leave bundles: beside the artifact,
// under the artifact's name or a shared one. artifact is a path; for an artifact
// known by its digest alone it is empty and the working directory is searched.
// Whatever is not there is noted, not an error.
func Beside(fsys fs.FS, artifact string) (Found, error) {
	var found Found
	dir := filepath.Dir(artifact)
	var paths []string
	if artifact != "" {
		for _, suffix := range suffixes() {
			paths = append(paths, artifact+suffix)
		}
	}
	for _, name := range shared() {
		paths = append(paths, filepath.Join(dir, name))
	}
	for _, path := range paths {
		if err := found.optional(fsys, path); err != nil {
			return Found{}, err
		}
	}
	err := found.commits(fsys, dir)
	return found, err
}

// suffixes are what attest, cosign and slsa-github-generator put behind an
// artifact's name.
func suffixes() []string {
	return []string{".sigstore.jsonl", ".sigstore.json", ".sigstore", ".intoto.jsonl"}
}

// shared are the names of files that hold bundles for several artifacts.
func shared() []string { return []string{"attestation.sigstore.jsonl", "attestation.sigstore.json"} }

// commits reads commit-ID.sigstore.json, an author's word on a commit.
func (f *Found) commits(fsys fs.FS, dir string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return fmt.Errorf("looking for bundles in %s: %w", dir, cause(err))
	}
	pattern := filepath.Join(dir, "commit-*.sigstore.json")
	before := len(f.Looked)
	for _, e := range entries {
		if ok, _ := filepath.Match("commit-*.sigstore.json*", e.Name()); ok && !e.IsDir() {
			if err := f.file(fsys, filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if len(f.Looked) == before {
		f.Looked = append(f.Looked, Place{Path: pattern, Absent: true})
	}
	return nil
}

// optional reads a file that need not be there.
func (f *Found) optional(fsys fs.FS, path string) error {
	info, err := fs.Stat(fsys, path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		f.Looked = append(f.Looked, Place{Path: path, Absent: true})
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading bundle %s: %w", path, cause(err))
	}
	return f.file(fsys, path)
}

// directory reads every file of a directory that may hold bundles, by its name.
// One that cannot be read is listed as such; the others still count.
func (f *Found) directory(fsys fs.FS, dir string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return fmt.Errorf("reading directory %s: %w", dir, cause(err))
	}
	if len(entries) > MaxFiles {
		return fmt.Errorf("reading directory %s: %d files, at most %d are read; name the bundles you mean with --bundle FILE", dir, len(entries), MaxFiles)
	}
	before := len(f.Looked)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() || !mayHoldBundles(e.Name()) {
			continue
		}
		if err := f.file(fsys, path); err != nil {
			f.Looked = append(f.Looked, Place{Path: path})
			f.Refused = append(f.Refused, unreadable(path, err))
		}
	}
	if len(f.Looked) == before {
		f.Looked = append(f.Looked, Place{Path: dir})
	}
	return nil
}

// mayHoldBundles reports whether a file's name is one that bundles have.
func mayHoldBundles(name string) bool {
	return slices.ContainsFunc([]string{".json", ".jsonl", ".sigstore", ".attestation", ".provenance", ".bundle"}, func(suffix string) bool {
		return strings.HasSuffix(name, suffix)
	})
}

// file splits one file into candidates.
func (f *Found) file(fsys fs.FS, path string) error {
	data, err := Read(fsys, path, MaxFileBytes)
	if err != nil {
		return fmt.Errorf("reading bundle %s: %w", path, err)
	}
	candidates, refused := attestation.Candidates(path, data)
	f.Candidates = append(f.Candidates, candidates...)
	for _, r := range refused {
		f.Refused = append(f.Refused, Refused(r))
	}
	f.Looked = append(f.Looked, Place{Path: path, Bundles: len(candidates)})
	return nil
}

// Read reads a whole file of at most limit bytes.
func Read(fsys fs.FS, path string, limit int64) ([]byte, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d MiB, which is the most that is read", limit>>20)
	}
	return data, nil
}

// Merge joins two searches.
func (f Found) Merge(o Found) Found {
	return Found{
		Candidates: append(f.Candidates, o.Candidates...),
		Refused:    append(f.Refused, o.Refused...),
		Looked:     append(f.Looked, o.Looked...),
	}
}

// Refused describes a refusal for a report.
func Refused(r *attestation.Refusal) verdict.Evidence {
	reason := r.Finding()
	return verdict.Evidence{Source: r.Source, Reason: &reason}
}

func unreadable(path string, err error) verdict.Evidence {
	return verdict.Evidence{Source: path, Reason: &verdict.Finding{
		ID: verdict.SourceUnreadable, Found: err.Error(), Expected: "a file that can be read", Next: "make the file readable or remove it",
	}}
}

// cause takes the operation and the path off an error: the caller names both.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
