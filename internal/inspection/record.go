package inspection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// recordFolder lists the files below a folder with their SHA-256, as in-toto
// records ".". A link to a file counts as that file; one to a folder, or to
// nothing, is passed over, as in-toto does; one that leads out is a failure.
//
// "All the artifacts and the rest of the information is recorded using the
// in-toto-run tool, in the same fashion as used to collect steps" (in-toto 1.0,
// 4.3.2.1; TestRunRecords).
func recordFolder(ctx context.Context, folder string, limits Limits) (Artifacts, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("recording files: %w", err)
	}
	defer root.Close() //nolint:errcheck // it was only read
	r := &recorder{root: root, left: limits, found: Artifacts{}}
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case name == ".":
			return nil
		}
		if r.left.Entries--; r.left.Entries < 0 {
			return fail("have it inspect fewer files", "there are more than %d files and folders", limits.Entries)
		}
		if excluded(path.Base(name)) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return r.entry(name, entry)
	})
	switch {
	case errors.Is(err, errTooManyBytes):
		return nil, fail("have it inspect fewer files", "the files have more than %d bytes", limits.Bytes)
	case err != nil:
		return nil, fmt.Errorf("recording files: %w", err)
	}
	return r.found, nil
}

// excluded tells what is never recorded: links of the inspection itself and of
// the steps, the repository, what python compiles, and backups of editors. The
// specification leaves it open; these are the patterns of in-toto-python
// (settings.ARTIFACT_EXCLUDE_PATTERNS "*.link*", ".git", "*.pyc", "*~"), for which
// the rules of published layouts are written. in-toto-golang excludes nothing.
func excluded(base string) bool {
	return strings.Contains(base, ".link") || base == ".git" || strings.HasSuffix(base, ".pyc") || strings.HasSuffix(base, "~")
}

// recorder hashes files below a root, out of which no link leads.
type recorder struct {
	root  *os.Root
	left  Limits
	found Artifacts
}

func (r *recorder) entry(name string, entry fs.DirEntry) error {
	kind := entry.Type()
	if kind&fs.ModeSymlink != 0 {
		info, err := r.root.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fail("remove the link, or have it stay inside", "%s is a link that leads out of the folder or cannot be followed", name)
		}
		kind = info.Mode().Type()
	}
	switch {
	case kind.IsDir():
		return nil
	case !kind.IsRegular():
		return fail("remove it", "%s is neither a file, nor a folder, nor a link", name)
	}
	return r.file(name)
}

func (r *recorder) file(name string) error {
	file, err := r.root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	digest, size, err := hashAtMost(file, r.left.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.left.Bytes -= size
	r.found[name] = digest
	return nil
}

// hashAtMost hashes a reader that has at most so many bytes.
func hashAtMost(from io.Reader, most int64) (artifact.DigestSet, int64, error) {
	counted := &countingReader{Reader: io.LimitReader(from, most+1)}
	digest, err := artifact.Hash(counted, artifact.SHA256)
	if err == nil && counted.count > most {
		err = errTooManyBytes
	}
	return digest, counted.count, err
}

type countingReader struct {
	io.Reader
	count int64
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.count += int64(n)
	return n, err
}
