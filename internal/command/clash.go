package command

import (
	"os"
	"path/filepath"
)

// clashes are the files of one run. One that is written must not be another one that
// is read or written, however its path is spelled: by that it would be lost.
type clashes struct {
	files []usedFile
}

type usedFile struct {
	what, path string
	written    bool
	real       string      // absolute, without symbolic links
	info       os.FileInfo // nil for nothing there
}

func (c *clashes) reads(what string, paths ...string)  { c.add(what, false, paths) }
func (c *clashes) writes(what string, paths ...string) { c.add(what, true, paths) }

// add leaves out what is no file: nothing, a device, or a value in place of a name.
func (c *clashes) add(what string, written bool, paths []string) {
	for _, path := range paths {
		f := usedFile{what: what, path: path, written: written, real: realPath(path)}
		if info, err := os.Stat(path); err == nil {
			f.info = info
		}
		switch {
		case path == "", f.info != nil && !f.info.Mode().IsRegular(), f.info == nil && !written:
		default:
			c.files = append(c.files, f)
		}
	}
}

// realPath resolves the links of a path, or of its folder where there is no file.
func realPath(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if whole, err := filepath.EvalSymlinks(absolute); err == nil {
		return whole
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(absolute)); err == nil {
		return filepath.Join(folder, filepath.Base(absolute))
	}
	return absolute
}

// check refuses two uses of one file, of which one writes. Bundles share files.
func (c *clashes) check() error {
	byPath := map[string]usedFile{}
	for _, f := range c.files {
		other, used := byPath[f.real]
		if used && f.what != other.what && (f.written || other.written) {
			return clash(f, other)
		}
		if !used {
			byPath[f.real] = f
		}
	}
	// A file of two names: a bundle takes the place of one of them and leaves the other.
	for _, f := range c.files {
		for _, other := range c.files {
			if !f.written || f.what == bundleFile || f.info == nil {
				break
			}
			if f.what != other.what && other.info != nil && os.SameFile(f.info, other.info) {
				return clash(f, other)
			}
		}
	}
	return nil
}

// bundleFile is what a bundle's place is called.
const bundleFile = "the bundle"

func clash(f, other usedFile) error {
	return usage("choose another file", "%s %s is the same file as %s %s, and one of them would be lost", f.what, f.path, other.what, other.path)
}
