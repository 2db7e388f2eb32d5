package report

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// WriteFile puts what write writes into the file at path, all of it or nothing:
// it goes to a new file in the same folder, which is synced and then renamed.
// On any error the new file is removed and an old one at path is untouched. A
// symbolic link is followed; a device or a pipe, such as /dev/stdout, is written
// to as it is. A new file has the mode that the umask leaves of 0666, a replaced
// one keeps its own.
func WriteFile(path string, write func(io.Writer) error) error {
	target, mode, err := destination(path)
	if err != nil {
		return explain(path, err)
	}
	if mode&fs.ModeType != 0 {
		return explain(path, writeThrough(target, write))
	}
	if err := replace(target, mode, write); err != nil {
		return explain(path, fmt.Errorf("%w; nothing was changed there", err))
	}
	return nil
}

// destination follows links and returns the mode of what is there, 0 for nothing.
func destination(path string) (target string, mode fs.FileMode, err error) {
	target, err = filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		return "", 0, err
	case info.IsDir():
		return "", 0, &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	}
	return target, info.Mode(), nil
}

func writeThrough(device string, write func(io.Writer) error) error {
	f, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func replace(target string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(temporary(target), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return artifact.Cause(err) // whose path is that of a name which nobody gave
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			_ = f.Close()
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if mode != 0 {
		if err := f.Chmod(mode.Perm()); err != nil {
			return err
		}
	}
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	err = os.Rename(f.Name(), target)
	renamed = err == nil
	return err
}

// temporary names a file beside target that nobody else has.
func temporary(target string) string {
	return filepath.Join(filepath.Dir(target), ".signatus-"+rand.Text()+".tmp")
}

// explain says what could not be written, where, and what to do next.
func explain(path string, err error) error {
	if err == nil {
		return nil
	}
	next := "name another file"
	switch {
	case errors.Is(err, syscall.ENOSPC):
		next = "free some space there or name a file on another disk"
	case errors.Is(err, fs.ErrNotExist):
		next = "make the folder " + filepath.Dir(path) + " first or name another file"
	case errors.Is(err, syscall.EISDIR):
		next = "name a file in it"
	case errors.Is(err, fs.ErrPermission):
		next = "name a file in a folder that you may write to"
	}
	return fmt.Errorf("writing %s: %w; next: %s", path, err, next)
}
