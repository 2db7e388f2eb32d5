package actions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Workspace is the folder that the steps of a job share, as this process sees it:
// in a container it is mounted at another place than the runner has it.
type Workspace struct {
	folder string // absolute, without symbolic links
}

// FindWorkspace reads GITHUB_WORKSPACE.
func FindWorkspace(getenv func(string) string) (Workspace, error) {
	folder := getenv("GITHUB_WORKSPACE")
	if !filepath.IsAbs(folder) {
		return Workspace{}, fmt.Errorf("looking for the workspace: GITHUB_WORKSPACE is %.200q, expected an absolute path; next: let this see the runner's workspace", folder)
	}
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return Workspace{}, fmt.Errorf("looking for the workspace: %w; next: let this see the runner's workspace", err)
	}
	return Workspace{folder: folder}, nil
}

// Enter makes a folder of the workspace the one that this process works in. It is
// relative to the workspace, or absolute where the runner put its own path there.
// A folder that leads out of the workspace, be it by a symbolic link, is an error.
func (w Workspace) Enter(folder string) error {
	err := w.enter(folder)
	if err != nil {
		return fmt.Errorf("entering input %s %s: %w; next: name a folder of the workspace, relative to it", inputFolder, folder, err)
	}
	return nil
}

func (w Workspace) enter(folder string) error {
	if filepath.IsAbs(folder) {
		folder, _ = w.within(folder)
	}
	if !filepath.IsLocal(folder) {
		return errors.New("it is not in the workspace")
	}
	root, err := os.OpenRoot(w.folder)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // it was only read
	dir, err := root.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // it was only read
	return dir.Chdir()
}

// takesFiles tells whether files can be made in the workspace, by making one.
func (w Workspace) takesFiles() error {
	file, err := os.CreateTemp(w.folder, ".signatus-*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// Relative tells where in the workspace a path lies, with slashes, and whether it does.
// The zero value is nowhere, and nothing lies in it.
func (w Workspace) Relative(path string) (string, bool) {
	if w.folder == "" {
		return "", false
	}
	relative, ok := w.within(path)
	return filepath.ToSlash(relative), ok
}

// within tells where in the workspace a path lies, if it does.
func (w Workspace) within(path string) (relative string, ok bool) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	// The folder that a new file is in exists, be the file a link or gone.
	folder, err := filepath.EvalSymlinks(filepath.Dir(absolute))
	if err != nil {
		return "", false
	}
	relative, err = filepath.Rel(w.folder, filepath.Join(folder, filepath.Base(absolute)))
	if err != nil || !filepath.IsLocal(relative) {
		return "", false
	}
	return relative, true
}

// GiveBack gives a file in the workspace to whom the workspace belongs to, where
// this process is root and that is somebody else: the runner, which cleans up after
// the job, is not root. Links are not followed, and files elsewhere are let be.
func (w Workspace) GiveBack(path string) error {
	relative, ok := w.within(path)
	if os.Geteuid() != 0 || !ok {
		return nil
	}
	return giveTo(w.folder, relative)
}

// giveTo gives a file of a folder to the owner of the folder.
func giveTo(folder, relative string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // it was only read
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	if uid, gid, ok := owner(info); ok {
		err = root.Lchown(relative, uid, gid)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
