package artifact

import (
	"errors"
	"fmt"
	"strings"
)

// GitRemote gives the rule name of a remote's URL as git's config has it. User
// names and passwords in it are left out; and no error shows a part of it, as any
// part may be one. What has no name that others could find it by is refused: a
// path on this machine, and transports that prove nothing of the host.
//
//	https://user:password@github.com/acme/app.git   git+https://github.com/acme/app
//	git@github.com:acme/app.git                     git+https://github.com/acme/app
//	ssh://alice@github.com/acme/app                 git+https://github.com/acme/app
func GitRemote(url string) (Name, error) {
	location, err := remoteLocation(url)
	if err != nil {
		return Name{}, err
	}
	authority, repository, _ := strings.Cut(location, "/")
	authority = authority[strings.LastIndex(authority, "@")+1:]
	if !strings.Contains(authority, ".") {
		return Name{}, errors.New("the remote's host has no domain: it is a short name of this machine's own")
	}
	name, err := GitSource("https://" + authority + "/" + repository)
	if err != nil {
		return Name{}, errors.New("the remote's URL, which is not shown as it may hold a password, is not that of a host and a repository: it has a port, a query, an unusual host or an odd path")
	}
	return name, nil
}

// remoteLocation takes the scheme off. "scp-like" URLs have none: "[user@]host:path".
func remoteLocation(url string) (string, error) {
	if strings.Contains(url, "://") {
		scheme, location, _ := strings.Cut(url, "://")
		switch strings.ToLower(scheme) {
		case "https", "ssh", "git+ssh", "git+https":
			return location, nil
		case "http", "git", "file", "ftp", "ftps":
			return "", fmt.Errorf("the remote's transport is %s, which proves nothing of the host", strings.ToLower(scheme))
		}
		return "", errors.New("the remote's transport is unknown")
	}
	// "This syntax is only recognized if there are no slashes before the first
	// colon." (git-clone)
	host, repository, colon := strings.Cut(url, ":")
	if !colon || host == "" || strings.ContainsAny(host, `/\`) || len(host) == 1 {
		return "", errors.New("the remote is a path on this machine")
	}
	if strings.HasPrefix(repository, "/") || strings.HasPrefix(repository, "~") {
		return "", errors.New("the remote is a path in another machine's file system")
	}
	return host + "/" + repository, nil
}
