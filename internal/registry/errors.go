package registry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/signatus-dev/signatus/internal/answer"
)

// Error says that a registry did not do what it was asked to.
type Error struct {
	Registry  string // its host, with the port
	Doing     string
	Status    int // of the answer; 0 without one
	Attempts  int
	Temporary bool   // the same request may well succeed later
	Content   bool   // it answered, and what it sent is not what was asked for
	Text      string // the registry's words: one bounded line without secrets
	Err       error  // what went wrong where no answer says so; may be nil
	Next      string // what to do
}

// Error is the error in one line, with the next step at its end.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing + ": ")
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	} else {
		b.WriteString(strings.TrimSpace(fmt.Sprintf("%s answered %d %s", e.Registry, e.Status, http.StatusText(e.Status))))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if e.Text != "" {
		b.WriteString(": " + e.Text)
	}
	if e.Next != "" {
		b.WriteString(answer.NextMarker + e.Next)
	}
	return b.String()
}

// Unwrap gives what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// contentError is an answer that is not what was asked for. It is final.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.err.Error() }
func (e *contentError) Unwrap() error { return e.err }

func wrongContent(format string, args ...any) error {
	return &contentError{fmt.Errorf(format, args...)}
}

// asking is a request, for an error that says what it was for.
type asking struct {
	image Reference // of whose repository
	doing string    // "reading NAME@DIGEST"
	write bool
}

// explain makes the error of an attempt that failed.
func (c *Client) explain(what asking, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Registry: what.image.Host(), Doing: what.doing}
	if answered, ok := errors.AsType[*transport.Error](err); ok {
		e.Status, e.Text = answered.StatusCode, c.words(answered)
		e.Temporary = e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests || e.Status >= 500 && e.Status != http.StatusNotImplemented
		e.Next = c.nextAfter(what, e.Status)
		return e
	}
	if content, ok := errors.AsType[*contentError](err); ok {
		e.Err, e.Content = content.err, true
		e.Next = "check that the name is that of a registry, that no proxy answers in its place, and who can write there"
		return e
	}
	if own, ok := errors.AsType[*credentialError](err); ok {
		e.Err, e.Next = own.err, own.next
		return e
	}
	if final, ok := errors.AsType[*refusal](err); ok {
		e.Err, e.Next = final.err, final.next
		return e
	}
	fault := answer.Broken(&c.secrets, err)
	e.Err, e.Temporary = fault.Err, !fault.Untrusted && !fault.Unknown
	e.Next = "check the network, the name and HTTPS_PROXY, or try again later"
	if fault.Untrusted {
		e.Next = answer.TrustNext
	}
	return e
}

// words are what a registry says in the form of the specification; other bodies are
// pages for browsers.
func (c *Client) words(e *transport.Error) string {
	var said []string
	for _, d := range e.Errors {
		said = append(said, strings.TrimSuffix(strings.TrimPrefix(strings.Join([]string{string(d.Code), d.Message}, ": "), ": "), ": "))
	}
	return c.secrets.Clean(strings.Join(said, ", "))
}

// nextAfter is what to do about an answer.
func (c *Client) nextAfter(what asking, status int) string {
	switch {
	case status == http.StatusUnauthorized && c.loggedIn(what.image):
		return "check the user name and the password or token for " + what.image.Host() + ": it does not take them"
	case status == http.StatusUnauthorized:
		return "log in: give --registry-username and --registry-password-file, or use docker login"
	case status == http.StatusForbidden && what.write:
		return "give who logs in the right to write " + what.image.Name() + "; in a job, GITHUB_TOKEN needs  permissions: {packages: write}"
	case status == http.StatusForbidden:
		return "give who logs in the right to read " + what.image.Name() + "; in a job, GITHUB_TOKEN needs  permissions: {packages: read}"
	case status == http.StatusNotFound:
		return "check the name and the digest; an image that is private may look like one that is not there"
	case status == http.StatusTooManyRequests && !c.loggedIn(what.image):
		return "try again later, or log in: who does not is let in less often"
	case status == http.StatusTooManyRequests, status >= 500:
		return "try again later"
	default:
		return "check that " + what.image.Host() + " is a registry that takes this"
	}
}

// refusal is what this client does not do, whatever it is asked to.
type refusal struct {
	err  error
	next string
}

func (e *refusal) Error() string { return e.err.Error() }
