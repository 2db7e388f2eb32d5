package signer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signatus-dev/signatus/internal/identity"
)

// Service is a kind of service.
type Service string

// The services, as errors name them.
const (
	Fulcio      Service = "Fulcio"
	TSA         Service = "the timestamp authority"
	RekorOfV1   Service = "Rekor v1"
	RekorOfV2   Service = "Rekor v2"
	nextMarker          = "; next: " // what a caller cuts an error at
	maxText             = 300        // runes of a server's words that are kept
	maxTextRead         = 4 << 10    // bytes of an answer in which they are looked for
)

// ServiceError says that a service did not do what it was asked to. Where the
// caller ended the context, errors.Is finds its error.
type ServiceError struct {
	Service   Service
	Host      string // of its URL, with the port
	Status    int    // of the last answer; 0 without one
	Attempts  int
	Temporary bool   // the same request may well succeed later
	Text      string // the server's words: one bounded line without secrets
	Err       error  // what went wrong where no answer says so; may be nil
	Next      string // what to do

	unreached bool // nobody was there to answer
}

// Error is the error in one line, with the next step at its end.
func (e *ServiceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "asking %s on %s: ", e.Service, e.Host)
	switch {
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	default:
		b.WriteString(strings.TrimSpace(fmt.Sprintf("it answered %d %s", e.Status, http.StatusText(e.Status))))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if e.Text != "" {
		b.WriteString(": " + e.Text)
	}
	if e.Next != "" {
		b.WriteString(nextMarker + e.Next)
	}
	return b.String()
}

// Unwrap gives what went wrong.
func (e *ServiceError) Unwrap() error { return e.Err }

// CertificateError says that Fulcio certified something else than was asked of
// it. Neither a timestamp authority nor a transparency log has seen anything.
type CertificateError struct {
	Host string // Fulcio's
	Err  error
	Next string
}

// Error is the error in one line, with the next step at its end.
func (e *CertificateError) Error() string {
	text := fmt.Sprintf("checking the certificate of %s on %s: %v", Fulcio, e.Host, e.Err)
	if e.Next != "" && !strings.Contains(text, nextMarker) { // CheckCertificate may know better
		text += nextMarker + e.Next
	}
	return text
}

// Unwrap gives what is wrong with the certificate.
func (e *CertificateError) Unwrap() error { return e.Err }

// ConfigError says that the signing config cannot serve the request.
type ConfigError struct {
	Err  error
	Next string
}

// Error is the error in one line, with the next step at its end.
func (e *ConfigError) Error() string { return e.Err.Error() + nextMarker + e.Next }

// Unwrap gives what is wrong with the config.
func (e *ConfigError) Unwrap() error { return e.Err }

// secrets are the tokens that no text may hold.
type secrets []string

// clean makes one bounded line of a text from outside: without secrets, without
// characters that move or hide what stands beside them, and without what would
// read as this program's own next step.
func (s secrets) clean(text string) string {
	long := len(text) > maxTextRead
	if long {
		text = text[:maxTextRead]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	// Only now, so that nothing left out above puts a secret together again.
	for _, secret := range s {
		if long {
			text = cutBegun(text, secret)
		}
		text = strings.ReplaceAll(text, secret, identity.Token{}.String())
	}
	text = strings.Join(strings.Fields(text), " ")
	for marker := strings.TrimSpace(nextMarker); strings.Contains(text, marker); { // what is left may be one again
		text = strings.ReplaceAll(text, marker, ";")
	}
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return text
}

// cutBegun cuts off the beginning of a secret that a text ends with.
func cutBegun(text, secret string) string {
	for n := min(len(secret), len(text)); n > 0; n-- {
		if strings.HasSuffix(text, secret[:n]) {
			return text[:len(text)-n]
		}
	}
	return text
}

// wrap gives an error of a library as this package's own: cleaned, and without
// the types of others.
func (s secrets) wrap(err error) error { return errors.New(s.clean(err.Error())) }
