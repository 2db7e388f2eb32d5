package artifact

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/bmatcuk/doublestar/v4"
)

// File is a file to be hashed.
type File struct {
	Path string // as the file system takes it
	Name string // its base name
	Size int64  // in bytes, when it was found
}

// As is the file under another name, which a reader of the statement must take for one of
// a file.
func (f File) As(name string) (File, error) {
	subject, err := newSubject(name, nil, f.Path)
	if err == nil && (subject.URI != "" || isGit(subject.Name)) {
		err = fmt.Errorf("the name %q reads as a git source", name)
	}
	if err != nil {
		return File{}, err
	}
	f.Name = subject.Name
	return f, nil
}

// FindFiles finds the files of paths and globs, in their order and those of a
// glob in the order of their names. In a glob "*" and "?" stay within a folder,
// "**" crosses folders, [a-z] and {a,b} are choices; it finds files alone, hidden
// ones too, and "**" does not follow symbolic links to folders. A path that exists
// as it is written is no glob. A glob passes over bundles, by their names: what
// signs the outputs is none of them, and would be signed again by the next run.
// Their paths are returned apart.
//
// A path that is a folder, a pipe or a device is an error, and so is whatever
// finds nothing. What is named twice is found once.
//
// fsys takes paths as they are typed, absolute or with "..", as command.Env's does.
func FindFiles(fsys fs.FS, patterns []string) (files []File, bundles []string, err error) {
	seen := map[string]bool{}
	for _, pattern := range patterns {
		found, passed, err := findFiles(fsys, pattern)
		if err != nil {
			return nil, nil, fmt.Errorf("finding %s: %w", pattern, err)
		}
		bundles = append(bundles, passed...)
		for _, f := range found {
			if id := filepath.Clean(f.Path); !seen[id] {
				seen[id] = true
				files = append(files, f)
			}
			if len(files) > MaxSubjects {
				return nil, nil, fmt.Errorf("finding %s: more than %d files, which is the most that are attested at once", pattern, MaxSubjects)
			}
		}
	}
	return files, bundles, nil
}

func findFiles(fsys fs.FS, pattern string) (files []File, bundles []string, err error) {
	if pattern == "" {
		return nil, nil, errors.New("the path is empty; is a variable unset?")
	}
	info, err := fs.Stat(fsys, pattern)
	switch {
	case err == nil:
		f, err := newFile(pattern, info)
		return []File{f}, nil, err
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, Cause(err)
	case !strings.ContainsAny(pattern, "*?[{"):
		return nil, nil, syscall.ENOENT
	}
	return glob(fsys, pattern)
}

// glob lists the files that a pattern finds below the folder that it starts with.
func glob(fsys fs.FS, pattern string) (files []File, bundles []string, err error) {
	base, rest := doublestar.SplitPattern(filepath.ToSlash(pattern))
	if !doublestar.ValidatePattern(rest) {
		return nil, nil, errors.New("the glob is malformed: a bracket or brace is not closed, or it ends with a backslash")
	}
	if slices.Contains(strings.Split(rest, "/"), "..") {
		return nil, nil, errors.New(`a glob has no ".." behind its first "*", "?", "[" or "{"`)
	}
	names, err := doublestar.Glob(below{fsys, base}, rest, doublestar.WithFailOnIOErrors(), doublestar.WithNoFollow())
	if err != nil {
		return nil, nil, Cause(err)
	}
	slices.Sort(names)
	for _, name := range names {
		full := path.Join(base, name)
		info, err := fs.Stat(fsys, full)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", full, Cause(err))
		}
		switch {
		case info.IsDir():
			continue
		case IsBundle(path.Base(full)):
			bundles = append(bundles, full)
			continue
		}
		f, err := newFile(full, info)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", full, err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, nil, errors.New("the glob finds no file")
	}
	return files, bundles, nil
}

// IsBundle tells whether a file's name is one under which bundles are kept.
func IsBundle(name string) bool {
	return slices.ContainsFunc([]string{".sigstore", ".sigstore.json", ".sigstore.jsonl", ".intoto.jsonl"}, func(suffix string) bool {
		return strings.HasSuffix(name, suffix)
	})
}

// newFile refuses what is no file, and a name that would be read as something else
// than a file's.
func newFile(at string, info fs.FileInfo) (File, error) {
	switch {
	case info.IsDir():
		return File{}, fmt.Errorf("it is a directory, and an artifact is a file: name the files in it, or a glob such as %s", path.Join(filepath.ToSlash(at), "**"))
	case !info.Mode().IsRegular():
		return File{}, fmt.Errorf("it is no file but a pipe, a socket or a device")
	}
	name := filepath.Base(at)
	parsed, err := ParseName(name)
	switch {
	case err != nil:
		return File{}, err
	case parsed.Git || parsed.Text != name:
		return File{}, fmt.Errorf("its name %q would be read as %q: rename it", name, parsed.Text)
	}
	return File{Path: at, Name: name, Size: info.Size()}, nil
}

// Hash reads the file once and makes a subject of it, with SHA-256 and each of
// the other algorithms. wrap is put around what is read, for a progress bar; nil
// for nothing.
func (f File) Hash(fsys fs.FS, wrap func(io.Reader) io.Reader, more ...Algorithm) (Subject, error) {
	file, err := fsys.Open(f.Path)
	if err != nil {
		return Subject{}, fmt.Errorf("hashing %s: %w", f.Path, Cause(err))
	}
	defer file.Close() //nolint:errcheck // it was only read
	var source io.Reader = file
	if wrap != nil {
		source = wrap(file)
	}
	algorithms := slices.Compact(slices.SortedFunc(slices.Values(append([]Algorithm{SHA256}, more...)), cmp.Compare[Algorithm]))
	digest, err := Hash(source, algorithms...)
	if err != nil {
		return Subject{}, fmt.Errorf("hashing %s: %w", f.Path, Cause(err))
	}
	return Subject{Name: f.Name, Digest: digest, Source: f.Path}, nil
}

// below is a file system whose root is a folder of another one.
type below struct {
	fs.FS
	folder string
}

// Open implements fs.FS.
func (b below) Open(name string) (fs.File, error) { return b.FS.Open(path.Join(b.folder, name)) }

// Stat implements fs.StatFS.
func (b below) Stat(name string) (fs.FileInfo, error) {
	return fs.Stat(b.FS, path.Join(b.folder, name))
}

// ReadDir implements fs.ReadDirFS.
func (b below) ReadDir(name string) ([]fs.DirEntry, error) {
	return fs.ReadDir(b.FS, path.Join(b.folder, name))
}

// Cause takes the operation and the path off an error: the caller names both.
func Cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
