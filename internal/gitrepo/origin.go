package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// maxConfig bounds a repository's config, in bytes.
const maxConfig = 4 << 20

// Origin names the repository by the URL of its remote "origin". That is all that
// is ever read of a config, and of this one file: what it includes is not read,
// and no insteadOf is applied. User names and passwords in the URL are left out,
// and no error shows any of it.
//
// It is an error where the name would be a guess: without such a remote, with
// two URLs, in a bare repository, which any folder can look like, and in a
// submodule, where one may mean the repository around it.
func (r *Repository) Origin() (artifact.Name, error) {
	name, err := r.origin()
	if err != nil {
		return artifact.Name{}, fmt.Errorf("reading the origin of the repository: %w; next: name it with --repo https://HOST/OWNER/NAME", err)
	}
	return name, nil
}

func (r *Repository) origin() (artifact.Name, error) {
	switch {
	case r.root == "":
		return artifact.Name{}, errors.New("the repository is bare")
	case r.submodule():
		return artifact.Name{}, fmt.Errorf("%s is a submodule of another repository", r.root)
	}
	text, err := readBounded(filepath.Join(r.common, "config"), maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return artifact.Name{}, errors.New("it has no config, so no remote \"origin\"")
	}
	if err != nil {
		return artifact.Name{}, err
	}
	return parseOrigin(text)
}

// parseOrigin reads remote.origin.url of a config. The parser's errors are not
// passed on: they quote the line, and a token may stand in it.
func parseOrigin(text string) (artifact.Name, error) {
	parsed := config.New()
	if err := config.NewDecoder(strings.NewReader(text)).Decode(parsed); err != nil {
		return artifact.Name{}, errors.New("its config is malformed")
	}
	var name artifact.Name
	for _, url := range parsed.Section("remote").Subsection("origin").OptionAll("url") {
		n, err := artifact.GitRemote(url)
		switch {
		case err != nil:
			return artifact.Name{}, err
		case name.Text != "" && n != name:
			return artifact.Name{}, fmt.Errorf("the remote \"origin\" has two URLs, %s and %s", name, n)
		}
		name = n
	}
	if name.Text == "" {
		return artifact.Name{}, errors.New("it has no remote \"origin\"")
	}
	return name, nil
}

// Around finds the repository that this one is a submodule of; ErrNoRepository where
// it is none.
func (r *Repository) Around() (*Repository, error) {
	if r.root == "" || !r.submodule() {
		return nil, ErrNoRepository
	}
	return Find(filepath.Dir(r.root))
}

// submodule tells whether another repository keeps this one's git folder: git
// puts them into .git/modules.
func (r *Repository) submodule() bool {
	for at := r.common; at != filepath.Dir(at); at = filepath.Dir(at) {
		around := filepath.Dir(at)
		if filepath.Base(at) == "modules" && exists(filepath.Join(around, "HEAD")) && exists(filepath.Join(around, "objects")) {
			return true
		}
	}
	return false
}
