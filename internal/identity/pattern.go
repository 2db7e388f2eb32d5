package identity

import (
	"fmt"
	"strings"
	"unicode"
)

// Pattern is an anchored, segment-wise pattern for identities and parameter
// values. Segments end at "/" and "@"; a "*" stands for one or more characters
// inside a segment, everything else for itself. The zero value matches nothing.
//
// It is another type than the artifact rules' fnmatch on purpose: there "*"
// crosses "/", and an identity that did so would let
// https://github.com/acme/* cover https://github.com/acme/../evil.
// TestPattern holds the difference.
type Pattern struct{ text string }

// ParsePattern reads a pattern. The characters ? [ ] \ are refused, since other
// tools give them a meaning that this one does not; so are white space and
// control characters.
func ParsePattern(text string) (Pattern, error) {
	if text == "" {
		return Pattern{}, fmt.Errorf("empty pattern, expected text with * as its only wildcard")
	}
	for _, r := range text {
		if strings.ContainsRune(`?[]\`, r) {
			return Pattern{}, fmt.Errorf("pattern %q holds %q: only * is a wildcard here", text, r)
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return Pattern{}, fmt.Errorf("pattern %q holds white space or a control character", text)
		}
	}
	if strings.Contains(text, "**") {
		return Pattern{}, fmt.Errorf("pattern %q holds **: a wildcard never crosses / or @", text)
	}
	return Pattern{text}, nil
}

// Match reports whether the whole of s matches.
func (p Pattern) Match(s string) bool {
	if p.text == "" || s == "" {
		return false
	}
	want, got := segments(p.text), segments(s)
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !matchSegment(want[i], got[i]) {
			return false
		}
	}
	return true
}

// Exact reports whether the pattern holds no wildcard.
func (p Pattern) Exact() bool { return p.text != "" && !strings.Contains(p.text, "*") }

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// segments cuts s behind every "/" and "@", keeping the separator, so that two
// texts with different separators never match.
func segments(s string) []string {
	var out []string
	for {
		i := strings.IndexAny(s, "/@")
		if i < 0 {
			return append(out, s)
		}
		out = append(out, s[:i+1])
		s = s[i+1:]
	}
}

// matchSegment matches one segment; each "*" takes at least one character. The
// parts between wildcards are placed leftmost first, which decides right for
// patterns whose only operator is "*", in time linear in the two lengths' product.
func matchSegment(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if s == "" {
			return false
		}
		i := strings.Index(s[1:], part)
		if i < 0 {
			return false
		}
		s = s[1+i+len(part):]
	}
	// The last wildcard takes at least one byte of what is left.
	tail := parts[last]
	return len(s) > len(tail) && strings.HasSuffix(s, tail)
}
