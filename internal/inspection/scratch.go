package inspection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// scratch is the folder that commands run in, and two empty ones for what they
// keep elsewhere.
type scratch struct{ folder string }

func (s *scratch) work() string { return filepath.Join(s.folder, "work") }
func (s *scratch) home() string { return filepath.Join(s.folder, "home") }
func (s *scratch) temp() string { return filepath.Join(s.folder, "tmp") }

// newScratch copies the folder that is to be inspected.
func newScratch(ctx context.Context, config Config) (*scratch, error) {
	folder, err := os.MkdirTemp(config.Scratch, "signatus-inspection-")
	if err != nil {
		return nil, fmt.Errorf("making a scratch folder: %w", err)
	}
	s := &scratch{folder: folder}
	for _, dir := range []string{s.work(), s.home(), s.temp()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("making a scratch folder: %w", err), s.remove())
		}
	}
	if err := copyFolder(ctx, config.Folder, s.work(), config.Limits); err != nil {
		return nil, errors.Join(fmt.Errorf("copying %s for inspection: %w", config.Folder, err), s.remove())
	}
	return s, nil
}

// remove deletes the scratch folder, also what a command left without permission
// to delete it.
func (s *scratch) remove() error {
	if os.RemoveAll(s.folder) == nil {
		return nil
	}
	openFolders(s.folder)
	if err := os.RemoveAll(s.folder); err != nil {
		return fmt.Errorf("removing scratch folder: %w", err)
	}
	return nil
}

// openFolders gives its owner all rights to every folder below a folder. What
// cannot be changed shows when it cannot be deleted.
func openFolders(folder string) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	_ = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, _ error) error {
		// Called before a folder is read, and once more if that fails.
		if entry != nil && entry.IsDir() {
			_ = root.Chmod(name, 0o700)
		}
		return nil
	})
}

// copier copies one folder into another. Both are held as roots, out of which no
// link leads.
type copier struct {
	from, to *os.Root
	left     Limits
}

// copyFolder copies files, folders and links that stay inside, with their
// permissions and times: tools compare times to see what is out of date.
func copyFolder(ctx context.Context, from, to string, limits Limits) error {
	source, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // it was only read
	target, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer target.Close() //nolint:errcheck // files are closed one by one
	c := &copier{from: source, to: target, left: limits}
	return fs.WalkDir(source.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case name == ".":
			return nil
		}
		if c.left.Entries--; c.left.Entries < 0 {
			return fmt.Errorf("it has more than %d entries", limits.Entries)
		}
		if err := c.entry(name, entry); err != nil {
			if errors.Is(err, errTooManyBytes) {
				return fmt.Errorf("it has more than %d bytes", limits.Bytes)
			}
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// errTooManyBytes ends a copy, a record or a listing.
var errTooManyBytes = errors.New("too many bytes")

func (c *copier) entry(name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return c.to.Mkdir(name, info.Mode().Perm()|0o700)
	case info.Mode().IsRegular():
		return c.file(name, info)
	case info.Mode()&fs.ModeSymlink != 0:
		return c.link(name)
	}
	return errors.New("it is neither a file, nor a folder, nor a link")
}

func (c *copier) file(name string, info fs.FileInfo) error {
	in, err := c.from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	out, err := c.to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	copied, err := io.Copy(out, io.LimitReader(in, c.left.Bytes+1))
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if c.left.Bytes -= copied; c.left.Bytes < 0 {
		return errTooManyBytes
	}
	return c.to.Chtimes(name, info.ModTime(), info.ModTime())
}

// link copies a symbolic link. One that leads out would let a command write, and
// a record read, outside of the copy; an absolute one leads back to the original.
func (c *copier) link(name string) error {
	target, err := c.from.Readlink(name)
	if err != nil {
		return err
	}
	if leavesFolder(name, filepath.ToSlash(target)) {
		return fmt.Errorf("it is a link that leads out of the folder, to %s", target)
	}
	// Where it leads may be reached through other links.
	if _, err := c.from.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it is a link that cannot be followed: %w", artifact.Cause(err))
	}
	return c.to.Symlink(target, name)
}

// leavesFolder tells whether a link's target, in slashes, leads out of the folder
// that its name is relative to.
func leavesFolder(name, target string) bool {
	reached := path.Join(path.Dir(name), target)
	return path.IsAbs(target) || filepath.IsAbs(target) || reached == ".." || strings.HasPrefix(reached, "../")
}
