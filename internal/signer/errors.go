package signer

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/signatus-dev/signatus/internal/answer"
)

// Service is a kind of service.
type Service string

// The services, as errors name them.
const (
	Fulcio    Service = "Fulcio"
	TSA       Service = "the timestamp authority"
	RekorOfV1 Service = "Rekor v1"
	RekorOfV2 Service = "Rekor v2"
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

	fault answer.Fault // where there is no answer
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
		b.WriteString(answer.NextMarker + e.Next)
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
	if e.Next != "" && !strings.Contains(text, answer.NextMarker) { // CheckCertificate may know better
		text += answer.NextMarker + e.Next
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
func (e *ConfigError) Error() string { return e.Err.Error() + answer.NextMarker + e.Next }

// Unwrap gives what is wrong with the config.
func (e *ConfigError) Unwrap() error { return e.Err }
