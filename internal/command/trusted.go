package command

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// layoutFromHead is the flag that trusts what the change itself brings.
const layoutFromHead = "layout-from-head"

// maxTrustedFile bounds what is read from a commit, in bytes. Who reads the file
// has a bound of its own, and a smaller one.
const maxTrustedFile = 16 << 20

// trustedFiles opens the files that say whom to trust: layouts, keys, trusted
// roots. A change must not rewrite the layout that judges it:
//
//	"In a run for pull_request, pull_request_target or merge_group, layouts, keys
//	and trusted roots named inside the workspace are read from the event's base
//	commit" (docs/layout.md; TestTrustedFiles)
//
// The zero value opens nothing.
type trustedFiles struct {
	disk    fs.FS
	strict  bool // no flag trusts the working tree's copy
	event   actions.Event
	guarded bool  // the run is for a change that is not merged
	err     error // why that could not be told
}

// trustedFS gives the trusted files of a run: those of the disk where the run is
// for no change, or where fromHead says that the change may speak for itself.
func trustedFS(env Env, fromHead bool) trustedFiles {
	files := trustedFiles{disk: env.FS}
	if !fromHead {
		files.event, files.guarded, files.err = actions.ReadEvent(env.Getenv)
	}
	return files
}

// reading is the outside with other files.
func (env Env) reading(files fs.FS) Env {
	env.FS = files
	return env
}

// Open opens a path as it was typed.
func (f trustedFiles) Open(name string) (fs.File, error) {
	rel, inside, err := f.within(name)
	switch {
	case err != nil:
		return nil, &baseError{err: err, next: f.or("let this see the runner's event file and workspace", "trust the files as they are")}
	case !inside:
		return f.disk.Open(name)
	}
	places, err := gitrepo.Along(f.event.Workspace, rel)
	if err != nil {
		return nil, &baseError{err: err, next: f.or("check the repository out with git", "trust the working tree's copy")}
	}
	data, err := f.read(places)
	if err != nil {
		return nil, &baseError{err: fmt.Errorf("in a run for %s it is read from the base: %w", f.event.Name, err), next: f.nextToRead(name, err)}
	}
	return &baseFile{Reader: *bytes.NewReader(data), name: path.Base(rel), size: int64(len(data))}, nil
}

// within tells whether a path is one that the change could have written.
func (f trustedFiles) within(name string) (rel string, inside bool, err error) {
	if !f.guarded {
		return "", false, f.err
	}
	return gitrepo.Within(f.event.Workspace, name)
}

// read reads from the outermost repository that has the base commit. An inner one
// may be a submodule, which a change can add.
func (f trustedFiles) read(places []gitrepo.Place) ([]byte, error) {
	var first error
	for _, place := range places {
		data, err := gitobject.ReadFile(place.Repository.Object, f.event.Base, place.Path, maxTrustedFile)
		missing, ok := errors.AsType[*gitobject.MissingError](err)
		if !ok || missing.Object != missing.Commit {
			return data, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// origin says for the report that a file was read from the base commit; nothing
// for any other.
func (f trustedFiles) origin(name string) string {
	if _, inside, err := f.within(name); name == "" || err != nil || !inside {
		return ""
	}
	return fmt.Sprintf(", read from base commit %.7s…", f.event.Base)
}

// or adds the loosening to a next step, where there is one.
func (f trustedFiles) or(next, loosening string) string {
	if f.strict {
		return next
	}
	return next + ", or " + loosening + " with --" + layoutFromHead
}

// nextToRead is what brings a file of the base commit, or goes without.
func (f trustedFiles) nextToRead(name string, err error) string {
	missing, ok := errors.AsType[*gitobject.MissingError](err)
	switch {
	case ok:
		return missing.Next()
	case errors.Is(err, gitobject.ErrNoFile):
		return f.or(fmt.Sprintf("merge %s into the base first", name), "trust the working tree's copy")
	default:
		return f.or("name a regular file of the base commit in a sound repository", "trust the working tree's copy")
	}
}

// baseError says why a file could not be read from the base commit. It hides its
// cause: to the caller, a file that the disk may well have is not missing.
type baseError struct {
	err  error
	next string
}

func (e *baseError) Error() string { return e.err.Error() }

// nextAfter is the next step that err knows, or else the caller's.
func nextAfter(err error, otherwise string) string {
	if e, ok := errors.AsType[*baseError](err); ok {
		return e.next
	}
	return otherwise
}

// baseFile is a file of a commit.
type baseFile struct {
	bytes.Reader
	name string
	size int64
}

func (f *baseFile) Stat() (fs.FileInfo, error) { return fileOfCommit{f}, nil }
func (f *baseFile) Close() error               { return nil }

// fileOfCommit describes a baseFile.
type fileOfCommit struct{ file *baseFile }

func (i fileOfCommit) Name() string       { return i.file.name }
func (i fileOfCommit) Size() int64        { return i.file.size }
func (i fileOfCommit) Mode() fs.FileMode  { return 0o444 }
func (i fileOfCommit) ModTime() time.Time { return time.Time{} }
func (i fileOfCommit) IsDir() bool        { return false }
func (i fileOfCommit) Sys() any           { return nil }
