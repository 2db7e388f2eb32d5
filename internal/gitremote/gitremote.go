// Package gitremote reads and moves one ref of a git repository elsewhere, over https,
// ssh or a path, without a git binary. It runs no command, hook or credential helper,
// and asks nobody: who may push is told by a token, by a URL, or by an SSH agent that
// holds a key. It never forces: a ref moves from what it was said to be, or not at all.
//
// It speaks version 0 of git's pack protocol, which every server speaks.
// Source: gitprotocol-pack(5), gitprotocol-http(5)
package gitremote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/identity"
)

// timeout bounds one exchange with a remote.
const timeout = 2 * time.Minute

// Remote is a repository elsewhere.
type Remote interface {
	// Tip gives what a ref names there; empty for no such ref.
	Tip(ctx context.Context, ref string) (string, error)
	// Fetch brings a commit that a ref names there here, with all that it needs beyond
	// known, a commit that is here; empty for none.
	Fetch(ctx context.Context, ref, id, known string) error
	// Push has a ref there name a commit that is here, if it names old there now;
	// empty for no such ref. Otherwise the error is [gitrepo.ErrRefMoved]. old must be
	// here, and an ancestor.
	Push(ctx context.Context, ref, old, id string) error
}

// Options are what a remote is reached with.
type Options struct {
	HTTP  *http.Client
	Agent string // of this program, for example signatus/v1.0.0
	// Token lets in over https; none, unless the URL holds a password.
	Token identity.Token
	// SSHAgent is the socket of the SSH agent; KnownHosts are the files of host keys
	// that are trusted, and there must be one.
	SSHAgent   string
	KnownHosts []string
}

// Error says why a remote could not be used. Its text shows no password.
type Error struct {
	Remote string // its URL without a password
	Doing  string
	Err    error
	Next   string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Doing, e.Remote, e.Err)
	if e.Next != "" {
		text += "; next: " + e.Next
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Open prepares to reach the repository at a URL or path, as git writes them, from one
// that is here. Nothing is sent yet.
func Open(here *gitrepo.Repository, address string, o Options) (Remote, error) {
	at, err := parse(address)
	if err != nil {
		return nil, err
	}
	if at.path != "" {
		return openPath(here, at.path)
	}
	w := &wire{here: here, name: at.url.Redacted()}
	if here.Digits() != 40 {
		return nil, &Error{Remote: w.name, Doing: "reaching", Err: errors.New("this clone names its objects by SHA-256, and such are not sent"), Next: "push with  git push REMOTE refs/notes/attestations"}
	}
	if at.url.Scheme == "ssh" {
		w.name = at.String()
		w.open, err = sshTo(at, o)
	} else {
		w.open, err = httpTo(at.url, o)
	}
	if err != nil {
		return nil, &Error{Remote: w.name, Doing: "reaching", Err: err}
	}
	return w, nil
}

// address is where a remote is: a URL, or a path on this machine.
type address struct {
	url  *url.URL // http, https or ssh; its path as the server takes it
	path string
}

func (a address) String() string {
	if a.path != "" {
		return a.path
	}
	return a.url.Redacted()
}

// parse reads what git takes for a remote, as far as it can be reached without
// running a program.
//
// "ssh://[<user>@]<host>[:<port>]/<path-to-git-repo> … [<user>@]<host>:/<path-to-git-repo>"
// (git-push(1), GIT URLS)
func parse(text string) (address, error) {
	if text == "" || strings.ContainsAny(text, "\n\r\x00") {
		return address{}, errors.New("reading the remote's address: it is empty or has several lines")
	}
	if !strings.Contains(text, "://") {
		return parseShort(text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return address{}, errors.New("reading the remote's address: it is no URL") // the parser's error quotes it, with the password
	}
	switch {
	case u.Scheme == "file" && (u.Host == "" || u.Host == "localhost"):
		return address{path: filepath.FromSlash(u.Path)}, nil
	case u.Host == "" || u.Path == "" || u.Path == "/":
		return address{}, fmt.Errorf("reading the remote's address %s: expected a host and a path", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return address{}, fmt.Errorf("reading the remote's address %s: a query or fragment names no repository", u.Redacted())
	case u.Scheme == "ssh", u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return address{url: u}, nil
	case u.Scheme == "http":
		return address{}, fmt.Errorf("reading the remote's address %s: plain http lets everybody on the way change it; next: use https", u.Redacted())
	}
	return address{}, fmt.Errorf("reading the remote's address: the scheme %.20q is not one of https, ssh and file; next: push with  git push REMOTE refs/notes/attestations", u.Scheme)
}

// parseShort reads host:path, and else a path. As git has it, a slash before the
// first colon makes it a path.
func parseShort(text string) (address, error) {
	host, path, found := strings.Cut(text, ":")
	if !found || strings.Contains(host, "/") || len(host) == 1 { // C:\…
		return address{path: text}, nil
	}
	if strings.HasPrefix(path, ":") {
		return address{}, fmt.Errorf("reading the remote's address: %.20q names a program to run, and none is; next: use https or ssh", host+"::")
	}
	if host == "" || path == "" {
		return address{}, errors.New("reading the remote's address: expected HOST:PATH")
	}
	u := &url.URL{Scheme: "ssh", Host: host, Path: path}
	if user, name, ok := strings.Cut(host, "@"); ok {
		u.User, u.Host = url.User(user), name
	}
	return address{url: u}, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
