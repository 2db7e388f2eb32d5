// Package gitrepo finds the git repository of a folder, resolves its refs and hands
// out its raw objects, without a git binary. It vouches for no object, gitobject
// does; and it reads no hooks, attributes, replacement refs or .mailmap, and of the
// config the URL of the remote "origin" alone, for [Repository.Origin], so that
// nothing in a repository can steer what is read from it.
//
// Objects may be loose or packed, in a worktree's main repository or in
// alternates, and named by SHA-1 or by SHA-256.
package gitrepo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// ErrNoRepository says that a folder is not that of a repository.
var ErrNoRepository = errors.New("no git repository")

// Bounds of git's own small files, in bytes, of how alternates may follow one
// another, as git bounds it, and of the objects that are remembered.
const (
	maxPointerBytes  = 64 << 10
	maxAlternates    = 32
	rememberedObject = 16 << 20
)

// Repository is a repository on disk. It must not be used from two goroutines at
// once.
type Repository struct {
	root   string // holds .git; empty for a bare repository
	gitDir string // has HEAD
	common string // has refs and objects: a worktree shares them, otherwise gitDir
	digits int    // of an object's name, 40 or 64
	stores []store
}

// Open opens the repository whose working tree is dir: it holds .git, a folder or
// a worktree's or submodule's pointer to one. Any other folder is
// [ErrNoRepository], also a bare repository: a change can bring a folder that
// looks like one, but never one that is called .git.
func Open(dir string) (*Repository, error) {
	dotGit := filepath.Join(dir, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("opening %s: %w", dir, ErrNoRepository)
	case err != nil:
		return nil, fmt.Errorf("opening repository: %w", err)
	case !info.IsDir():
		if dotGit, err = pointer(dotGit, "gitdir: "); err != nil {
			return nil, fmt.Errorf("opening repository: %w", err)
		}
	}
	return open(dir, dotGit)
}

// OpenBare opens the bare repository, or the .git folder, that dir is.
func OpenBare(dir string) (*Repository, error) { return open("", dir) }

// Find opens the repository that contains dir: the one with the nearest .git in
// dir or above it, or else the bare one that dir is.
func Find(dir string) (*Repository, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the repository of %s: %w", dir, err)
	}
	for at := start; ; at = filepath.Dir(at) {
		found, err := Open(at)
		if !errors.Is(err, ErrNoRepository) {
			return found, err
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	if found, err := OpenBare(start); !errors.Is(err, ErrNoRepository) {
		return found, err
	}
	return nil, fmt.Errorf("finding the repository of %s: %w in it or above it", dir, ErrNoRepository)
}

// Object hands out the object of a name. It is a [gitobject.Source].
func (r *Repository) Object(id string, limit int64) (gitobject.Raw, error) {
	if !gitobject.ValidID(id) || len(id) != r.digits {
		return gitobject.Raw{}, fmt.Errorf("looking for object %.80q: expected %d lower-case hex digits, as this repository names its objects", id, r.digits)
	}
	for _, s := range r.stores {
		raw, err := s.object(id, limit)
		if errors.Is(err, gitobject.ErrMissing) {
			continue
		}
		if err != nil {
			return gitobject.Raw{}, fmt.Errorf("reading object %s: %w", id, err)
		}
		return raw, nil
	}
	return gitobject.Raw{}, fmt.Errorf("looking for object %s: %w", id, gitobject.ErrMissing)
}

// Digits is how many hex digits an object's name has, 40 or 64.
func (r *Repository) Digits() int { return r.digits }

// open opens the repository whose git folder is gitDir. A worktree's git folder
// names the one that it shares in commondir.
func open(root, gitDir string) (*Repository, error) {
	common := gitDir
	if shared := filepath.Join(gitDir, "commondir"); exists(shared) {
		var err error
		if common, err = pointer(shared, ""); err != nil {
			return nil, fmt.Errorf("opening repository %s: %w", gitDir, err)
		}
	}
	if !exists(filepath.Join(gitDir, "HEAD")) || !exists(filepath.Join(common, "objects")) {
		return nil, fmt.Errorf("opening %s: %w: expected HEAD and objects", gitDir, ErrNoRepository)
	}
	folders, err := objectFolders(filepath.Join(common, "objects"))
	if err != nil {
		return nil, fmt.Errorf("opening repository %s: %w", gitDir, err)
	}
	repository := &Repository{root: root, gitDir: gitDir, common: common}
	if repository.digits, err = oneNaming(folders); err != nil {
		return nil, fmt.Errorf("opening repository %s: %w", gitDir, err)
	}
	for _, folder := range folders {
		repository.stores = append(repository.stores, newStore(folder, repository.digits))
	}
	return repository, nil
}

// oneNaming is how many digits the objects of all folders are named by; 40 where there
// are no objects yet.
func oneNaming(folders []string) (int, error) {
	all := 0
	for _, folder := range folders {
		digits, err := digitsOf(folder)
		if err != nil {
			return 0, err
		}
		if digits != 0 && all != 0 && digits != all {
			return 0, fmt.Errorf("its objects are named by %d digits, and by %d in an alternate", all, digits)
		}
		all = max(all, digits)
	}
	return cmp.Or(all, 2*len(plumbing.ZeroHash)), nil
}

// objectFolders lists a folder of objects and those that it borrows from, each
// once. go-git would follow alternates itself, round in a circle too.
func objectFolders(first string) ([]string, error) {
	var folders []string
	for waiting := []string{first}; len(waiting) > 0; waiting = waiting[1:] {
		folder, err := filepath.EvalSymlinks(waiting[0])
		switch {
		case err != nil:
			return nil, fmt.Errorf("following alternates: %w", err)
		case slices.Contains(folders, folder):
			continue
		case len(folders) == maxAlternates:
			return nil, fmt.Errorf("following alternates: more than %d", maxAlternates)
		case filepath.Base(folder) != "objects":
			return nil, fmt.Errorf("following alternates: %s is not called objects", folder)
		}
		borrowed, err := alternates(folder)
		if err != nil {
			return nil, err
		}
		folders, waiting = append(folders, folder), append(waiting, borrowed...)
	}
	return folders, nil
}

// alternates reads the folders that a folder of objects borrows from.
//
//	"objects/info/alternates: … paths to alternate object stores that this object
//	store borrows objects from, one pathname per line. … if you use relative
//	paths, relative to the object database" (gitrepository-layout)
func alternates(folder string) ([]string, error) {
	text, err := readSmall(filepath.Join(folder, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading alternates: %w", err)
	}
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, from(folder, line))
		}
	}
	return out, nil
}

// pointer reads a file of one line that names a folder, relative to its own.
func pointer(path, prefix string) (string, error) {
	text, err := readSmall(path)
	if err != nil {
		return "", err
	}
	target, ok := strings.CutPrefix(strings.TrimRight(text, "\r\n"), prefix)
	if !ok || target == "" || strings.ContainsAny(target, "\n\x00") {
		return "", fmt.Errorf("%s is not one line with %q and a folder", path, prefix)
	}
	return from(filepath.Dir(path), target), nil
}

// from makes a path absolute that is relative to a folder.
func from(folder, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func readSmall(path string) (string, error) { return readBounded(path, maxPointerBytes) }

func readBounded(path string, limit int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("reading %s: more than %d bytes", path, limit)
	}
	return string(data), err
}
