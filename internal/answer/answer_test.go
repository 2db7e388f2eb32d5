package answer

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestClean: no text holds a secret, whole or begun, a line break or a next step of
// somebody else's.
func TestClean(t *testing.T) {
	t.Parallel()
	s := &Secrets{}
	s.Add("s3cret-password", "", "abc", "s3cret-password", "hunter2")
	for text, want := range map[string]string{
		"wrong: s3cret-password!":           "wrong: [token]!",
		"wrong: s3cret-passw":               "wrong: [token]",
		"wrong: s3cret-pXword":              "wrong: [token]Xword",
		"s3cret-passwords3cret-password":    "[token][token]",
		"s3\x00cret-\u202epass\x1bword":     "[token]",
		"s3cret- and hunter":                "s3cret- and hunter",
		"hunter2":                           "[token]",
		"abc":                               "abc",
		"a\n b\t c\u2028d":                  "a b c d",
		"a\x1b[31mb\u202ec\xff":             "a[31mbc",
		"no; next: run this; next: or that": "no; run this; or that",
		"; n; next:ext: x":                  "; n;ext: x",
		"":                                  "",
		strings.Repeat("é", 200):            strings.Repeat("é", MaxText/2) + "…",
		strings.Repeat("x", MaxText):        strings.Repeat("x", MaxText),
		strings.Repeat("x ", MaxText):       strings.Repeat("x ", MaxText/2) + "…",
		strings.Repeat(" ", MaxRead-3) + "s3cret-password": "",
	} {
		if got := s.Clean(text); got != want {
			t.Errorf("%q is %q, expected %q", text, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	s := &Secrets{}
	s.Add("s3cret-password")
	inner := errors.New("login as s3cret-password\nfailed")
	got := s.Wrap(inner)
	if got.Error() != "login as [token] failed" || errors.Is(got, inner) {
		t.Errorf("%v, with the library's error in it: %t", got, errors.Is(got, inner))
	}
}

// TestRetryAfter: seconds, or a date by the service's own clock; what cannot be read
// asks for nothing.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		after, date string
		wait        time.Duration
		asked       bool
	}{
		{after: ""},
		{after: "0", asked: true},
		{after: "7", wait: 7 * time.Second, asked: true},
		{after: "-7"},
		{after: "7.5"},
		{after: "soon"},
		{after: "99999999999999999999"},
		{after: "Fri, 20 Nov 2026 10:00:30 GMT", wait: 30 * time.Second, asked: true},
		{after: "Fri, 20 Nov 2026 10:00:30 GMT", date: "Fri, 20 Nov 2026 10:00:20 GMT", wait: 10 * time.Second, asked: true},
		{after: "Fri, 20 Nov 2026 10:00:30 GMT", date: "yesterday", wait: 30 * time.Second, asked: true},
		{after: "Fri, 20 Nov 2026 09:00:00 GMT", asked: true},
	} {
		header := http.Header{}
		header.Set("Retry-After", row.after)
		header.Set("Date", row.date)
		if wait, asked := RetryAfter(header, now); wait != row.wait || asked != row.asked {
			t.Errorf("%q at %q: %v, %t; expected %v, %t", row.after, row.date, wait, asked, row.wait, row.asked)
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	if err := Pause(t.Context(), time.Millisecond); err != nil {
		t.Errorf("a wait to its end: %v", err)
	}
	why := errors.New("the caller left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := Pause(ctx, time.Hour); !errors.Is(err, why) {
		t.Errorf("%v, expected %v", err, why)
	}
}

func FuzzClean(f *testing.F) {
	const secret = "secretsecretsecret"
	f.Add("a; next: b\x00\u202e secretsecret\x00secret")
	f.Fuzz(func(t *testing.T, text string) {
		s := &Secrets{}
		s.Add(secret)
		cleaned := s.Clean(text)
		if strings.Contains(cleaned, NextMarker) || strings.ContainsAny(cleaned, "\n\r\x1b") || strings.Contains(cleaned, secret[:minRun]) || len(cleaned) > MaxText+len("…") {
			t.Errorf("%q is cleaned to %q", text, cleaned)
		}
	})
}
