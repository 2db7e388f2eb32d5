package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks bounds how many symbolic links are followed in one path, as Linux does.
const maxLinks = 40

// Within tells whether path leads into folder, and where: rel is relative to
// folder, with slashes. A path leads there if it says so as it is written, or if
// its symbolic links do. What stands behind the point of entry is taken as it is
// written and not followed: links inside of folder belong to whoever wrote its
// content.
//
// A path that does not exist can lie within. A folder that does not exist is an
// error: no path could be told to lie outside of it.
func Within(folder, path string) (rel string, ok bool, err error) {
	rel, ok, err = within(folder, path)
	if err != nil {
		return "", false, fmt.Errorf("telling whether %s lies within %s: %w", path, folder, err)
	}
	return filepath.ToSlash(rel), ok, nil
}

func within(folder, path string) (rel string, ok bool, err error) {
	here, err := os.Getwd()
	if err != nil {
		return "", false, err
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(here, folder)
	}
	if !filepath.IsAbs(path) {
		path = here + string(filepath.Separator) + path // not cleaned: "link/.." is not "."
	}
	info, err := os.Stat(folder)
	if err != nil {
		return "", false, err
	}
	if rel, err := filepath.Rel(folder, filepath.Clean(path)); err == nil && filepath.IsLocal(rel) {
		return rel, true, nil
	}
	return newWalk(path).into(info)
}

// walk follows a path element by element, as the system does when it opens it.
type walk struct {
	at    string   // where it has come: absolute, without symbolic links
	ahead []string // the elements to go
	links int      // symbolic links followed so far
}

// newWalk starts at the root of an absolute path.
func newWalk(path string) *walk {
	volume := filepath.VolumeName(path)
	return &walk{at: volume + string(filepath.Separator), ahead: elements(path[len(volume):])}
}

func elements(path string) []string {
	return strings.FieldsFunc(filepath.ToSlash(path), func(c rune) bool { return c == '/' })
}

// into walks until the path enters the folder for good, or ends.
func (w *walk) into(folder fs.FileInfo) (rel string, ok bool, err error) {
	for {
		info, err := os.Stat(w.at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", false, nil // nor can it be opened
		case err != nil:
			return "", false, err
		case !os.SameFile(info, folder):
			if len(w.ahead) == 0 {
				return "", false, nil
			}
			err = w.step()
		case filepath.IsLocal(w.rest()):
			return w.rest(), true, nil
		default:
			err = w.leave()
		}
		if err != nil {
			return "", false, err
		}
	}
}

// rest is what is ahead, as it is written.
func (w *walk) rest() string {
	return filepath.Join(append([]string{"."}, w.ahead...)...)
}

// leave goes up to where the path leaves the folder that it has entered, as
// "ws/layouts/../../beside" does. It follows no link of that folder there.
func (w *walk) leave() error {
	here := w.at
	for i, element := range w.ahead {
		switch {
		case element == "..":
			if here == w.at {
				w.at, w.ahead = filepath.Dir(w.at), w.ahead[i+1:]
				return nil
			}
			here = filepath.Dir(here)
		case element != ".":
			here = filepath.Join(here, element)
		}
		if isLink(here) {
			return fmt.Errorf("it leads out again through the symbolic link %s: name the file by another path", here)
		}
	}
	return errors.New("it never leaves") // unreachable: the rest is not local
}

// step takes one element off what is ahead.
func (w *walk) step() error {
	element := w.ahead[0]
	w.ahead = w.ahead[1:]
	switch element {
	case ".":
		return nil
	case "..":
		w.at = filepath.Dir(w.at)
		return nil
	}
	next := filepath.Join(w.at, element)
	if isLink(next) {
		return w.follow(next)
	}
	w.at = next // if there is nothing, the next look tells
	return nil
}

// follow puts what a link in the current folder says ahead of the rest.
func (w *walk) follow(link string) error {
	if w.links++; w.links > maxLinks {
		return errors.New("too many symbolic links")
	}
	target, err := os.Readlink(link)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(target) {
		w.ahead = slices.Concat(elements(target), w.ahead)
		return nil
	}
	start := newWalk(target)
	w.at, w.ahead = start.at, slices.Concat(start.ahead, w.ahead)
	return nil
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}
