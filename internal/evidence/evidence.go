// Package evidence finds candidate bundles and believes none of them. It reads
// files: those the caller names, and those that lie beside an artifact under the
// usual names; git repositories; and, where it is told to, stores over the network.
// What it finds is judged by others. It also puts bundles where it would find them,
// and never in the place of another signer's.
package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of what is read. A directory or file beyond them is refused, never
// read in part.
const (
	MaxFileBytes   = 64 << 20
	MaxFolderBytes = 512 << 20
	MaxFiles       = 10_000
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
	// Bundles is how many candidates it held, also such as could not be read;
	// Absent tells that there was nothing at that path.
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
			return Found{}, fmt.Errorf("reading bundle %s: %w", path, artifact.Cause(err))
		}
		if info.IsDir() {
			err = found.directory(fsys, path)
		} else {
			err = found.file(fsys, path)
		}
		if err != nil {
			return Found{}, fmt.Errorf("reading bundle %s: %w", path, err)
		}
	}
	return found, nil
}

// Beside looks where attest and its peers leave bundles: beside the artifact,
// under the artifact's name or a shared one, and under the shared ones in the working
// directory, where attest leaves an author's word on a commit. artifact is a path; for
// an artifact known by its digest alone it is empty and the working directory alone is
// searched. What is not there is noted, and what cannot be read is listed as refused:
// nobody said that it must be there, and the others still count.
func Beside(fsys fs.FS, artifact string) Found {
	var found Found
	if artifact != "" {
		for _, suffix := range suffixes() {
			found.optional(fsys, artifact+suffix)
		}
	}
	found.shared(fsys, filepath.Dir(artifact))
	if filepath.Dir(artifact) != "." {
		found.shared(fsys, ".")
	}
	return found
}

// shared reads the files of a folder that hold bundles for several artifacts.
func (f *Found) shared(fsys fs.FS, dir string) {
	for _, name := range []string{"attestation.sigstore.jsonl", "attestation.sigstore.json"} {
		f.optional(fsys, filepath.Join(dir, name))
	}
	f.commits(fsys, dir)
}

// suffixes are what attest, cosign and slsa-github-generator put behind an
// artifact's name.
func suffixes() []string {
	return []string{".sigstore.jsonl", ".sigstore.json", ".sigstore", ".intoto.jsonl"}
}

// commits reads commit-ID.sigstore.json and .jsonl, an author's word on a commit.
func (f *Found) commits(fsys fs.FS, dir string) {
	pattern := filepath.Join(dir, "commit-*.sigstore.json[l]")
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.unreadable(pattern, artifact.Cause(err))
		return
	}
	before := len(f.Looked)
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "commit-")
		if ok && (strings.HasSuffix(name, ".sigstore.json") || strings.HasSuffix(name, ".sigstore.jsonl")) {
			f.optional(fsys, filepath.Join(dir, e.Name()))
		}
	}
	if len(f.Looked) == before {
		f.Looked = append(f.Looked, Place{Path: pattern, Absent: true})
	}
}

// optional reads a file that need not be there. What is no file is not read: a
// pipe would wait for ever.
func (f *Found) optional(fsys fs.FS, path string) {
	info, err := fs.Stat(fsys, path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.Mode().IsRegular():
		f.Looked = append(f.Looked, Place{Path: path, Absent: true})
	case err != nil:
		f.unreadable(path, artifact.Cause(err))
	default:
		if err := f.file(fsys, path); err != nil {
			f.unreadable(path, err)
		}
	}
}

// directory reads every file of a directory that may hold bundles, by its name.
// One that cannot be read is listed as such; the others still count.
func (f *Found) directory(fsys fs.FS, dir string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return artifact.Cause(err)
	}
	if len(entries) > MaxFiles {
		return fmt.Errorf("%d files in the folder, at most %d are read", len(entries), MaxFiles)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() || !mayHoldBundles(e.Name()) })
	var total int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			total += info.Size()
		}
	}
	if total > MaxFolderBytes {
		return fmt.Errorf("%d MiB of bundles in the folder, at most %d MiB are read", total>>20, int64(MaxFolderBytes)>>20)
	}
	before := len(f.Looked)
	for _, e := range entries {
		f.optional(fsys, filepath.Join(dir, e.Name()))
	}
	if len(f.Looked) == before {
		f.Looked = append(f.Looked, Place{Path: dir})
	}
	return nil
}

// mayHoldBundles reports whether a file's name is one that bundles have.
func mayHoldBundles(name string) bool {
	return slices.ContainsFunc([]string{".json", ".jsonl", ".sigstore", ".attestation", ".provenance", ".bundle", ".commit", ".tag"}, func(suffix string) bool {
		return strings.HasSuffix(name, suffix)
	})
}

// file splits one file into candidates.
func (f *Found) file(fsys fs.FS, path string) error {
	data, err := Read(fsys, path, MaxFileBytes)
	if err != nil {
		return err
	}
	f.Looked = append(f.Looked, Place{Path: path, Bundles: f.read(path, data)})
	return nil
}

// read adds the bundles and envelopes that data holds, and those that are refused, and
// gives how many they are.
func (f *Found) read(source string, data []byte) int {
	candidates, refused := attestation.Candidates(source, data)
	f.Candidates = append(f.Candidates, candidates...)
	for _, r := range refused {
		f.Refused = append(f.Refused, Refused(r))
	}
	return len(candidates) + len(refused)
}

// Read reads a whole file of at most limit bytes.
func Read(fsys fs.FS, path string, limit int64) ([]byte, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, artifact.Cause(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	var data bytes.Buffer
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() { // its size is a hint
		data.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(file, limit+1)); err != nil {
		return nil, artifact.Cause(err)
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("more than %s, which is the most that is read", size(limit))
	}
	return data.Bytes(), nil
}

// size is a bound of this program, in the unit in which it is whole.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

// Refused describes a refusal for a report.
func Refused(r *attestation.Refusal) verdict.Evidence {
	reason := r.Finding()
	return verdict.Evidence{Source: r.Source, Reason: &reason}
}

// unreadable lists a place that could not be read: a verdict that lacks a
// statement is undecided then, not denied.
func (f *Found) unreadable(path string, err error) {
	f.Looked = append(f.Looked, Place{Path: path})
	f.Refused = append(f.Refused, verdict.Evidence{Source: path, Reason: &verdict.Finding{
		ID: verdict.SourceUnreadable, Where: path, Found: err.Error(), Expected: "a file that can be read", Next: "make it readable, or name the bundles you mean with --bundle",
	}})
}
