// Package answer is what a service says beside what it was asked for: its words, made
// safe to show, and when it wants to be asked again.
package answer

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// NextMarker is what a caller cuts an error at: behind it stands what to do.
const NextMarker = "; next: "

// MaxText is how many bytes of a service's words are kept.
const MaxText = 300

// Line makes one bounded line of a text from outside: without characters that move or
// hide what stands beside them, and without what would read as this program's own next
// step. In between, without takes secrets out, so that nothing left out before puts one
// together again; nil takes nothing.
func Line(text string, without func(string) string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	if without != nil {
		text = without(text)
	}
	text = strings.Join(strings.Fields(text), " ")
	for marker := strings.TrimSpace(NextMarker); strings.Contains(text, marker); { // what is left may be one again
		text = strings.ReplaceAll(text, marker, ";")
	}
	if len(text) > MaxText {
		text = strings.ToValidUTF8(text[:MaxText], "") + "…"
	}
	return text
}

// RetryAfter is how long the service asks to wait, if it does.
//
// "The Retry-After field value can be either an HTTP-date or a number of seconds to
// delay after receiving the response." (RFC 9110, 10.2.3; TestRetryAfter)
func RetryAfter(header http.Header, now time.Time) (wait time.Duration, asked bool) {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(0, until.Sub(Clock(header, now))), true
}

// Clock is the service's own clock where it tells it, and now elsewhere.
func Clock(header http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date
	}
	return now
}

// Pause waits, or until ctx ends, and then says why it ended.
func Pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
