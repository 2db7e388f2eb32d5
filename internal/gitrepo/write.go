package gitrepo

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// ErrRefMoved says that a ref does not name what it did when it was read.
var ErrRefMoved = errors.New("somebody else moved it")

// errRefLocked says that somebody else is moving a ref.
var errRefLocked = errors.New("it is locked")

// lockTimeout is how long a ref may be locked before it is an error. Git holds such
// a lock for milliseconds.
const lockTimeout = 10 * time.Second

// Write keeps an object, loose and on the disk, unless the repository has it.
func (r *Repository) Write(raw gitobject.Raw) (id string, err error) {
	id, err = raw.ID(r.digits)
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.common, "objects", id[:2], id[2:])
	if exists(path) {
		return id, nil
	}
	if _, err := r.Object(id, int64(len(raw.Data))); err == nil {
		return id, nil // packed, or borrowed
	}
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	fmt.Fprintf(w, "%s %d\x00", raw.Kind, len(raw.Data)) //nolint:errcheck // Close tells
	_, err = w.Write(raw.Data)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", fmt.Errorf("writing object %s: %w", id, err)
	}
	if err := r.folder(filepath.Dir(path)); err != nil {
		return "", fmt.Errorf("writing object: %w", err)
	}
	if err := r.writeWhole(path, deflated.Bytes(), 0o444); err != nil {
		return "", fmt.Errorf("writing object: %w", err)
	}
	return id, nil
}

// folder makes a folder of the repository and those that it is in.
func (r *Repository) folder(path string) error {
	if exists(path) {
		return nil
	}
	if err := r.folder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // as git makes its folders: the umask decides
		return err
	}
	giveTo(path, r.common)
	return nil
}

// Writable tells whether objects can be written. It leaves nothing behind.
func (r *Repository) Writable() error {
	file, err := os.CreateTemp(filepath.Join(r.common, "objects"), "tmp_obj_*")
	if err != nil {
		return fmt.Errorf("writing into the repository %s: %w", r.Folder(), err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// writeWhole writes a file whole or not at all.
func (r *Repository) writeWhole(path string, data []byte, mode fs.FileMode) error {
	temporary := filepath.Join(filepath.Dir(path), "tmp_obj_"+rand.Text())
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		giveTo(temporary, r.common)
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// MoveRef has a ref name another object, if it names old now, empty for no such ref.
// Otherwise it is [ErrRefMoved], and the ref is as it was. Git's own lock is held
// meanwhile, so that neither git nor another signatus moves it at the same time. A
// symbolic ref is not followed, and is an error.
func (r *Repository) MoveRef(ctx context.Context, name, old, to string) error {
	if err := r.moveRef(ctx, name, old, to); err != nil {
		return fmt.Errorf("moving %s: %w", name, err)
	}
	return nil
}

func (r *Repository) moveRef(ctx context.Context, name, old, to string) (err error) {
	switch {
	case !strings.HasPrefix(name, "refs/") || !validRef(name):
		return errors.New("it is no name of a ref")
	case !gitobject.ValidID(to):
		return fmt.Errorf("%.80q is no object's name", to)
	case exists(filepath.Join(r.common, "reftable")):
		return errReftable
	}
	path := filepath.Join(r.folderOf(name), filepath.FromSlash(name))
	if err := r.folder(filepath.Dir(path)); err != nil {
		return err
	}
	lock, err := lockRef(ctx, path)
	if err != nil {
		return err
	}
	moved := false
	defer func() {
		if !moved {
			err = errors.Join(err, lock.Close(), os.Remove(lock.Name()))
		}
	}()
	if err := r.holds(name, path, old); err != nil {
		return err
	}
	_, err = lock.WriteString(to + "\n")
	if err := errors.Join(err, lock.Sync()); err != nil {
		return err
	}
	giveTo(lock.Name(), r.common)
	if err := os.Rename(lock.Name(), path); err != nil {
		return err
	}
	moved = true
	return lock.Close()
}

// holds demands that a ref names what it did.
func (r *Repository) holds(name, path, old string) error {
	target, now, err := readRef(path)
	if errors.Is(err, fs.ErrNotExist) && r.folderOf(name) == r.common {
		now, err = r.packed(name)
	}
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case target != "":
		return fmt.Errorf("it is a symbolic ref to %s, expected one that names an object", target)
	case now != old:
		return ErrRefMoved
	}
	return nil
}

// lockRef takes git's lock of a ref: a file beside it that only one can make, which is
// then renamed over the ref.
// Source: lockfile.h of git, "Mutual exclusion"
func lockRef(ctx context.Context, path string) (*os.File, error) {
	waiting, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for {
		lock, err := os.OpenFile(path+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return lock, err
		}
		pause := time.NewTimer(5*time.Millisecond + mathrand.N(20*time.Millisecond)) //nolint:gosec // jitter is no secret
		select {
		case <-pause.C:
		case <-waiting.Done():
			pause.Stop()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("%w by %s.lock; next: if no git runs there, remove that file", errRefLocked, path)
		}
	}
}
