package gitrepo

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Place is where a file would stand in a repository.
type Place struct {
	Repository *Repository
	Path       string // from the root of its commits, with slashes
}

// Along lists where the file at rel below folder may be kept, the outermost
// repository first: those of folder and of each real folder on the way to the
// file, or else the one that contains folder. Without any, the error is
// [ErrNoRepository]. The file need not exist.
func Along(folder, rel string) ([]Place, error) {
	start, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, fmt.Errorf("looking for the repository of %s: %w", folder, err)
	}
	var places []Place
	for at, ahead := start, strings.Split(rel, "/"); len(ahead) > 0 && isFolder(at); ahead = ahead[1:] {
		repository, err := Open(at)
		switch {
		case err == nil:
			places = append(places, Place{Repository: repository, Path: strings.Join(ahead, "/")})
		case !errors.Is(err, ErrNoRepository):
			return nil, err
		}
		at = filepath.Join(at, ahead[0])
	}
	if len(places) > 0 {
		return places, nil
	}
	return above(start, rel)
}

// above finds the repository that folder is a part of.
func above(folder, rel string) ([]Place, error) {
	repository, err := Find(folder)
	if err != nil {
		return nil, err
	}
	if repository.root == "" {
		return []Place{{Repository: repository, Path: rel}}, nil
	}
	inside, err := filepath.Rel(repository.root, folder)
	if err != nil {
		return nil, fmt.Errorf("looking for the repository of %s: %w", folder, err)
	}
	return []Place{{Repository: repository, Path: path.Join(filepath.ToSlash(inside), rel)}}, nil
}

// isFolder tells whether there is a folder that no symbolic link stands for.
func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
