package gitobject

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Bounds of what is read on the way to a file, in bytes. A tree of 16 MiB has
// some 300,000 entries.
const (
	MaxCommitBytes = 4 << 20
	MaxTreeBytes   = 16 << 20
)

// ErrNoFile says that a commit has no file or folder of a name.
var ErrNoFile = errors.New("the commit has no such file")

// MissingError says that the repository lacks an object that the file is reached
// through, as shallow and partial clones do.
type MissingError struct {
	Commit string // the commit that was to be read from
	Object string // the object that is missing: the commit itself, a tree or a blob
}

func (e *MissingError) Error() string {
	if e.Object == e.Commit {
		return fmt.Sprintf("commit %s is not in this clone", e.Commit)
	}
	return fmt.Sprintf("commit %s is in this clone without its object %s", e.Commit, e.Object)
}

// Unwrap makes a MissingError an [ErrMissing].
func (e *MissingError) Unwrap() error { return ErrMissing }

// Next is the command that brings the commit with all that it holds.
func (e *MissingError) Next() string { return "git fetch --depth=1 origin " + e.Commit }

// ReadFile reads the file at path as it is in a commit, at most limit bytes. path
// is relative, with slashes, and without "." and "..". Every object on the way is
// checked against its name, so the bytes are those that whoever named the commit
// meant, or there are none.
//
// It refuses folders, submodules and symbolic links, at the end and on the way:
// which file a link means would depend on where the reader stands. A path that
// the commit does not have is [ErrNoFile], an object that the source does not have
// a [MissingError].
func ReadFile(source Source, commit, path string, limit int64) ([]byte, error) {
	if !ValidID(commit) {
		return nil, fmt.Errorf("reading from commit %.80q: expected 40 or 64 lower-case hex digits", commit)
	}
	if !fs.ValidPath(path) || path == "." {
		return nil, fmt.Errorf("reading %q from commit %s: expected a relative path with slashes and without '.' and '..'", path, commit)
	}
	data, err := reader{source: source, commit: commit}.file(path, limit)
	if err != nil {
		return nil, fmt.Errorf("reading %s from commit %.12s: %w", path, commit, err)
	}
	return data, nil
}

// reader walks one commit.
type reader struct {
	source Source
	commit string
}

func (r reader) file(path string, limit int64) ([]byte, error) {
	tree, err := r.tree()
	if err != nil {
		return nil, err
	}
	entry, elements := Entry{Mode: Folder, ID: tree}, strings.Split(path, "/")
	for i := range elements {
		if entry.Mode != Folder {
			return nil, fmt.Errorf("%s is %s, expected a folder", strings.Join(elements[:i], "/"), entry.Mode.describe())
		}
		if entry, err = r.entry(entry.ID, elements[:i+1]); err != nil {
			return nil, err
		}
	}
	if !slices.Contains([]Mode{File, SharedFile, Executable}, entry.Mode) {
		return nil, fmt.Errorf("%s is %s, expected a file", path, entry.Mode.describe())
	}
	return r.object(BlobKind, entry.ID, limit)
}

// tree names the root folder of the commit.
func (r reader) tree() (string, error) {
	raw, err := r.object(CommitKind, r.commit, MaxCommitBytes)
	if err != nil {
		return "", err
	}
	parsed, err := ParseCommit(raw)
	if err != nil {
		return "", err
	}
	if len(parsed.Tree) != len(r.commit) {
		return "", fmt.Errorf("the commit is named by %d digits and its tree by %d", len(r.commit), len(parsed.Tree))
	}
	return parsed.Tree, nil
}

// entry looks the last of elements up in the folder that the others lead to.
func (r reader) entry(folder string, elements []string) (Entry, error) {
	raw, err := r.object(TreeKind, folder, MaxTreeBytes)
	if err != nil {
		return Entry{}, err
	}
	entries, err := ParseTree(raw, len(r.commit)/2)
	if err != nil {
		return Entry{}, err
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.Name == elements[len(elements)-1] })
	if i < 0 {
		return Entry{}, fmt.Errorf("%s: %w", strings.Join(elements, "/"), ErrNoFile)
	}
	return entries[i], nil
}

// object gets an object and believes it once it hashes to its name.
func (r reader) object(kind Kind, id string, limit int64) ([]byte, error) {
	raw, err := r.source(id, limit)
	if errors.Is(err, ErrMissing) {
		return nil, &MissingError{Commit: r.commit, Object: id}
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", kind, id, err)
	}
	if int64(len(raw.Data)) > limit {
		return nil, fmt.Errorf("reading %s %s: more than %d bytes, which is the most that is read", kind, id, limit)
	}
	if err := raw.Check(id); err != nil {
		return nil, err
	}
	if raw.Kind != kind {
		return nil, fmt.Errorf("object %s is a %s, expected a %s", id, raw.Kind, kind)
	}
	return raw.Data, nil
}
