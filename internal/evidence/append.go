package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// Append adds bundles to a file of bundles, one a line, and makes the file where
// there is none. It takes nothing away: whoever signed before stays in it, as does
// whoever signs at the same time, in this process or another one. A bundle that is
// in it already is not added again.
//
// The folder is locked, and a new file takes the place of the old one when it is
// whole: on any error, a full disk too, the old one is as it was, and a reader sees
// one or the other. What is at path must be a file; a symbolic link is refused.
func Append(ctx context.Context, path string, bundles ...[]byte) error {
	return explain(path, appendLines(ctx, path, bundles, writeAll))
}

// Create writes a bundle into a new file. Where there is one already the error is
// [fs.ErrExist], and it is as it was: it may be another signer's.
func Create(path string, bundle []byte) error {
	return explain(path, create(path, bundle, writeAll))
}

// Keep is [Create] where the same bundle may be there already, from an earlier run: that
// is success.
func Keep(path string, bundle []byte) (already bool, err error) {
	err = Create(path, bundle)
	if !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	line, lineErr := oneLine(bundle)
	if lineErr != nil {
		return false, err
	}
	if have, _, unread := readOld(path); unread != nil || !bytes.Equal(bytes.TrimSpace(have), line) {
		return false, err
	}
	return true, nil
}

// Replace writes a bundle into a file in place of all that was in it. On any error
// the old file is as it was.
func Replace(path string, bundle []byte) error {
	return explain(path, replace(path, bundle, writeAll))
}

// Writable tells whether bundles could be written at the paths: the folders are there
// and take files, and what is at each path is a file or nothing. It leaves nothing
// behind.
func Writable(paths ...string) error {
	folders := map[string]bool{}
	for _, path := range paths {
		err := fits(path)
		if folder := filepath.Dir(path); err == nil && !folders[folder] {
			folders[folder] = true
			err = takesFiles(path)
		}
		if err != nil {
			return explain(path, err)
		}
	}
	return nil
}

// fits refuses what is in the way of a file of bundles.
func fits(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.IsDir():
		return syscall.EISDIR
	case err == nil && !info.Mode().IsRegular():
		return errNoFile
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// takesFiles makes a file beside path, and removes it.
func takesFiles(path string) error {
	temporary, err := writeTemporary(path, 0, func(*os.File) error { return nil })
	if err != nil {
		return err
	}
	return os.Remove(temporary)
}

// errNoFile says that bundles are kept in files.
var errNoFile = errors.New("it is a symbolic link, a pipe or a device, and bundles are kept in a file")

// writing puts bytes into a file. It is an argument so that a test's disk can be full.
type writing func(*os.File, []byte) error

func writeAll(file *os.File, data []byte) error {
	_, err := file.Write(data)
	return err
}

func appendLines(ctx context.Context, path string, bundles [][]byte, write writing) error {
	var lines [][]byte
	for _, bundle := range bundles {
		line, err := oneLine(bundle)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	unlock, err := lock(ctx, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	content, mode, err := readOld(path)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for have := range bytes.Lines(content) {
		there[string(bytes.TrimSpace(have))] = true
	}
	before := len(content)
	for _, line := range lines {
		if there[string(line)] {
			continue
		}
		there[string(line)] = true
		if len(content) > 0 && !bytes.HasSuffix(content, []byte("\n")) {
			content = append(content, '\n')
		}
		content = append(append(content, line...), '\n')
	}
	if len(content) == before {
		return nil
	}
	if len(content) > MaxFileBytes {
		return fmt.Errorf("it would have %d bytes, at most %s are read", len(content), size(MaxFileBytes))
	}
	temporary, err := writeTemporary(path, mode, func(file *os.File) error { return write(file, content) })
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

func replace(path string, bundle []byte, write writing) error {
	line, err := oneLine(bundle)
	if err != nil {
		return err
	}
	if err := fits(path); err != nil {
		return err
	}
	temporary, err := writeTemporary(path, 0, func(file *os.File) error { return write(file, append(line, '\n')) })
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

func create(path string, bundle []byte, write writing) error {
	line, err := oneLine(bundle)
	if err != nil {
		return err
	}
	temporary, err := writeTemporary(path, 0, func(file *os.File) error { return write(file, append(line, '\n')) })
	if err != nil {
		return err
	}
	// Unlike a rename, a link never takes the place of something.
	err = os.Link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = createPlain(path, line, write) // a file system without links
	}
	return errors.Join(err, os.Remove(temporary))
}

func createPlain(path string, line []byte, write writing) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file, append(line, '\n')), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// oneLine takes the white space out of a bundle.
func oneLine(bundle []byte) ([]byte, error) {
	value := jsontext.Value(bytes.Clone(bundle))
	if value.Kind() != '{' || !value.IsValid() {
		return nil, errors.New("a bundle is one JSON object, and this is none")
	}
	if err := value.Compact(); err != nil {
		return nil, err
	}
	return value, nil
}

// readOld reads what is there, with its mode; nothing for no file.
func readOld(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	switch {
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return nil, 0, syscall.EISDIR
	case !info.Mode().IsRegular():
		return nil, 0, errNoFile
	case info.Size() > MaxFileBytes:
		return nil, 0, fmt.Errorf("it has %d bytes, at most %s are read", info.Size(), size(MaxFileBytes))
	}
	data, err := os.ReadFile(path)
	return data, info.Mode().Perm(), err
}

// writeTemporary writes a file beside path, whole and on the disk, or none. Mode 0
// is the mode that the umask leaves of 0666.
func writeTemporary(path string, mode fs.FileMode, write func(*os.File) error) (name string, err error) {
	file, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".signatus-"+rand.Text()+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	done := false
	defer func() { // also when write panics
		if !done {
			_ = file.Close()
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if mode != 0 {
		if err := file.Chmod(mode); err != nil {
			return "", err
		}
	}
	if err := write(file); err != nil {
		return "", err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return "", err
	}
	done = true
	return file.Name(), nil
}

// explain says what could not be written, and what to do next.
func explain(path string, err error) error {
	if err == nil {
		return nil
	}
	next := "name another file"
	switch {
	case errors.Is(err, context.Canceled):
		next = "run it again"
	case errors.Is(err, errBusy):
		next = "wait until it is done, and run it again"
	case errors.Is(err, syscall.ENOSPC):
		next = "free some space there, or name a file on another disk"
	case errors.Is(err, fs.ErrNotExist):
		next = "make the folder " + filepath.Dir(path) + " first"
	}
	return fmt.Errorf("writing %s: %w; nothing was changed there; next: %s", path, artifact.Cause(err), next)
}
