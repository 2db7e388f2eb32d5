package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText bounds what Clean returns, in runes; a "…" behind it says that more
// was there.
const MaxText = 512

// maxProse bounds what a finding says, which may list several signers.
const maxProse = 4 * MaxText

// Clean is the one door through which text from outside reaches a terminal:
// file names, signers, statements, answers of servers, errors that quote them.
// The result is one line of at most MaxText runes, all of them visible:
//
//   - line breaks and tabs become \n, \r and \t;
//   - other controls, escape, bidi, zero-width and other characters without a
//     shape of their own, and white space other than the space, become \u202e;
//   - bytes that are not UTF-8 become \xff;
//   - "##[" becomes "##\u005b": a runner of GitHub Actions takes it for a command
//     wherever it stands in a line.
//
// Clean(Clean(s)) is Clean(s), so that a text may pass the door twice.
// See CVE-2021-42574 ("Trojan Source") and CWE-150.
func Clean(s string) string { return clean(s, MaxText) }

func clean(s string, limit int) string {
	var b strings.Builder
	for room := limit; s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		visible := shape(r, s[:size])
		if r == '[' && strings.HasSuffix(b.String(), "##") {
			visible = `\u005b`
		}
		room -= utf8.RuneCountInString(visible)
		if room < 0 {
			return b.String() + "…"
		}
		b.WriteString(visible)
		s = s[size:]
	}
	return b.String()
}

// shape returns the visible form of the rune r, which was read from raw.
func shape(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case !hidden(r):
		return raw
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	default:
		return fmt.Sprintf(`\u%04x`, r)
	}
}

// hidden reports whether r moves, reorders or hides what stands beside it, or
// cannot be told from a space. Go's IsPrint leaves out Cc, Cf, Co, Cn, Zl, Zp
// and every Zs but the space; Unicode's default-ignorable code points that are
// letters or marks by category (Hangul fillers, variation selectors, the
// grapheme joiner) and the blank Braille pattern come on top.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == '\u2800' ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// showable reports whether a line stands as it is where it may be as long as it likes.
func showable(line string) bool {
	for rest := line; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError && size == 1 || hidden(r) {
			return false
		}
		rest = rest[size:]
	}
	return true
}
