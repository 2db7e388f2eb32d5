package github

import (
	"fmt"
	"net/url"
	"strings"
)

// Repository is a repository of one GitHub. The zero value is none.
type Repository struct{ Owner, Name string }

func (r Repository) String() string { return r.Owner + "/" + r.Name }

// path is where the API has something of the repository.
func (r Repository) path(parts ...string) string {
	path := "repos/" + url.PathEscape(r.Owner) + "/" + url.PathEscape(r.Name)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// Bounds of names, as GitHub has them; that of an owner leaves room for the suffix of
// managed users.
const (
	maxOwner = 64
	maxName  = 100
)

// ParseRepository reads OWNER/NAME, or with a host in front of it as a layout or a
// browser has it: github.com/OWNER/NAME, https://github.com/OWNER/NAME. server is the
// URL of the GitHub that is asked, as in [Options]: a repository elsewhere is refused,
// as the token is not for its host.
func ParseRepository(text, server string) (Repository, error) {
	at, err := base("GITHUB_SERVER_URL", server, "https://github.com")
	if err != nil {
		return Repository{}, err
	}
	rest := strings.TrimPrefix(text, "git+")
	rest, hosted := strings.CutPrefix(rest, at.Scheme+"://")
	parts := strings.Split(strings.TrimSuffix(rest, ".git"), "/")
	if len(parts) == 3 {
		hosted = true
	}
	if hosted {
		if !strings.EqualFold(parts[0], at.Host) {
			return Repository{}, fmt.Errorf("%q is not a repository of %s; next: name it OWNER/NAME, or set GITHUB_SERVER_URL to the URL of its GitHub", text, at.Host)
		}
		parts = parts[1:]
	}
	if len(parts) != 2 || !named(parts[0], maxOwner) || !named(parts[1], maxName) {
		return Repository{}, fmt.Errorf("%q names no repository; next: write OWNER/NAME", text)
	}
	return Repository{Owner: parts[0], Name: parts[1]}, nil
}

// named tells whether GitHub could have given the name.
func named(name string, most int) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}
	return name != "" && len(name) <= most && name != "." && name != ".." && !strings.ContainsFunc(name, odd)
}
