package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// errRemote hides what a config says: a token may stand in it.
var errRemote = errors.New("its config is malformed")

// Remote gives the URLs of a remote, the one to fetch from and the one to push to.
// Nothing else of the config is read: no insteadOf, no proxy, no credentials, no
// command. A URL may hold a password, and must not be shown as it is.
func (r *Repository) Remote(name string) (fetch, push string, err error) {
	if fetch, push, err = r.remote(name); err != nil {
		return "", "", fmt.Errorf("looking for the remote %q: %w", name, err)
	}
	return fetch, push, nil
}

func (r *Repository) remote(name string) (fetch, push string, err error) {
	text, err := readBounded(filepath.Join(r.common, "config"), maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", errors.New("the repository has no config")
	}
	if err != nil {
		return "", "", err
	}
	parsed := config.New()
	if err := config.NewDecoder(strings.NewReader(text)).Decode(parsed); err != nil {
		return "", "", errRemote
	}
	remote := parsed.Section("remote").Subsection(name)
	urls, pushURLs := remote.OptionAll("url"), remote.OptionAll("pushurl")
	switch {
	case len(urls) == 0:
		return "", "", errors.New("there is no such remote; next: git remote add " + name + " URL")
	case len(urls) > 1, len(pushURLs) > 1:
		return "", "", errors.New("it has several URLs, expected one")
	case len(pushURLs) == 1:
		return r.resolved(urls[0]), r.resolved(pushURLs[0]), nil
	}
	return r.resolved(urls[0]), r.resolved(urls[0]), nil
}

// resolved makes a path absolute: in a config it is relative to the working tree.
func (r *Repository) resolved(url string) string {
	if strings.HasPrefix(url, "./") || strings.HasPrefix(url, "../") {
		return filepath.Join(r.Folder(), url)
	}
	return url
}
