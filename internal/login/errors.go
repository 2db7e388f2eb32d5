package login

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/signatus-dev/signatus/internal/answer"
)

// stepError is an error in this package's words, with what to do.
type stepError struct {
	err  error
	next string
}

// Error is the error in one line, with the next step at its end.
func (e *stepError) Error() string { return e.err.Error() + answer.NextMarker + e.next }

// Unwrap gives what went wrong.
func (e *stepError) Unwrap() error { return e.err }

func step(next, format string, args ...any) error {
	return &stepError{err: fmt.Errorf(format, args...), next: next}
}

func errUnverified() error {
	return step("confirm the address with the issuer, and log in again", "the issuer has not verified the e-mail address, and nobody may sign with one that is not")
}

func errNoBrowser() error {
	return step("log in with a device code", "no browser could be opened or none came back, and there is nobody to ask for the code")
}

// explain gives an error of the library in this package's words. An issuer may
// answer with what it was sent, so its own words are quoted only where the
// standards list them, and the library's without what could be a secret.
func explain(err error) error {
	if _, ok := errors.AsType[*stepError](err); ok {
		return err
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return refusal(refused.ErrorCode, status)
	}
	text := err.Error()
	for _, prefix := range []string{"error obtaining token: ", "unexpected error in device flow: "} {
		if code, ok := strings.CutPrefix(text, prefix); ok {
			return refusal(code, 0)
		}
	}
	if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return step("give the issuer's URL exactly as its document has it", "its document is about the issuer %s", clean(fmt.Sprintf("%q", mismatch.Discovered)))
	}
	if expired, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return step("set this machine's clock, and log in again", "%s", clean(expired.Error()))
	}
	if broken, ok := errors.AsType[*url.Error](err); ok {
		return step("check the issuer's URL and the network, and try again", "asking the issuer: %s", clean(broken.Err.Error()))
	}
	switch {
	case text == "not verified by identity provider":
		return errUnverified()
	case strings.HasPrefix(text, "PKCE is not supported"):
		return step("log in at another issuer", "the issuer does not offer PKCE with S256 (RFC 7636)")
	case strings.HasPrefix(text, "internal error: "):
		return step("report this, please", "%s", clean(text))
	case strings.HasPrefix(text, "starting redirect listener: "):
		return step("free the port, or log in with a device code", "%s", clean(text))
	}
	return step("try again, and ask whoever runs the issuer if it stays", "%s", clean(text))
}

// refusal is an error response of RFC 6749, 5.2, or RFC 8628, 3.5.
func refusal(code string, status int) error {
	switch {
	case code == "access_denied":
		return step("log in again, and approve it", "the issuer says %s", code)
	case code == "expired_token":
		return step("log in again, and sooner", "the issuer says %s", code)
	case slices.Contains([]string{
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"unsupported_response_type", "server_error", "temporarily_unavailable",
	}, code):
		return step("log in again, and see that the issuer's page lets you in; check the client ID", "the issuer gives no token and says %s", code)
	case status != 0:
		return step("log in again, and see that the issuer's page lets you in; check the client ID", "the issuer gives no token and answers %d %s", status, http.StatusText(status))
	}
	return step("try again, or log in another way", "the issuer answers with neither a token nor an error of RFC 6749 or RFC 8628")
}

// clean makes one bounded line of an error's text, without what could be a secret
// and without what would read as this program's own next step.
func clean(text string) string { return answer.Line(text, redact) }

// redact takes out every run of base64url that is long enough for a secret and is
// no word. A code of an issuer has 128 bits or more (RFC 6749, 10.10), which is 22
// characters; a shorter part of a JWT says nothing.
func redact(text string) string {
	const shortest = 16
	var b strings.Builder
	for len(text) > 0 {
		end := strings.IndexFunc(text, notOfBase64)
		if end < 0 {
			end = len(text)
		}
		run := text[:end]
		if len(run) >= shortest && strings.ContainsFunc(run, func(r rune) bool { return unicode.IsDigit(r) || unicode.IsUpper(r) }) {
			run = "[…]"
		}
		b.WriteString(run)
		if text = text[end:]; text != "" {
			_, size := utf8.DecodeRuneInString(text)
			b.WriteString(text[:size])
			text = text[size:]
		}
	}
	return b.String()
}

func notOfBase64(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// printable leaves out what moves, hides or colours the text beside it: control
// characters, marks of direction, and what is not UTF-8.
func printable(text, besides string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(besides, r) || r != utf8.RuneError && unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}
