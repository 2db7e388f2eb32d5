package attestation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Refusal is why a piece did not become a Candidate, or a Candidate not a
// *Verified. It is an error. It names the place and the finding; it carries
// nothing that the piece claims about its signer or its statement.
type Refusal struct {
	Source string
	ID     verdict.ID
	Err    error

	otherKind bool
}

// OtherKind reports whether that is all: a key was asked for where a certificate
// signed, or the other way round. Another attempt may know better.
func (r *Refusal) OtherKind() bool { return r != nil && r.otherKind }

// Error gives the place and the reason in one line.
func (r *Refusal) Error() string {
	if r == nil {
		return "no refusal"
	}
	return r.Source + ": " + r.Err.Error()
}

// Unwrap gives the reason.
func (r *Refusal) Unwrap() error {
	if r == nil {
		return nil
	}
	return r.Err
}

// Finding gives the refusal as a report shows it: what was found, what was
// expected, and the next step.
func (r *Refusal) Finding() verdict.Finding {
	if r == nil {
		return verdict.Finding{}
	}
	f := verdict.Finding{ID: r.ID, Where: r.Source, Found: fmt.Sprint(r.Err)}
	if why, ok := errors.AsType[*reason](r.Err); ok {
		f.Found, f.Expected, f.Next = why.text(), why.expected, why.next
	}
	return f
}

// reason is an error with what was expected and the next step.
type reason struct {
	found          string
	expected, next string // may be empty
	cause          error  // may be nil
}

// text is what was found, in one line of a bearable length: libraries quote
// what they could not read, which may be megabytes.
func (r *reason) text() string {
	if r.cause == nil {
		return brief(r.found)
	}
	return brief(r.found + ": " + r.cause.Error())
}

const maxText = 500 // bytes

func brief(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return strings.Join(strings.Fields(s), " ")
}

func (r *reason) Error() string {
	s := r.text()
	if r.expected != "" {
		s += "; expected " + r.expected
	}
	if r.next != "" {
		s += "; next: " + r.next
	}
	return s
}

func (r *reason) Unwrap() error { return r.cause }

func refuse(source string, id verdict.ID, why error) *Refusal {
	return &Refusal{Source: source, ID: id, Err: why}
}
