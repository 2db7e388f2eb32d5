package layout

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// glob is an artifact rule's pattern: in-toto's fnmatch over the whole name,
// where "*" crosses "/". Identities use identity.Pattern, another type with
// another matcher; the two never meet.
//
// "Globs are fnmatch over the whole name (`*` crosses `/`, matches leading
// dots), no braces, `[!x]` negation, no escape character." (in-toto 1.0, 4.3.)
type glob struct {
	text  string
	parts []globPart
}

type globKind int

const (
	literalRune globKind = iota
	anyRune              // ?
	anyRunes             // *
	runeSet              // [...] or [!...]
)

type globPart struct {
	kind   globKind
	r      rune
	set    []runeRange
	negate bool
}

type runeRange struct{ low, high rune }

// parseGlob reads a pattern. What implementations of fnmatch read differently is
// refused: an unclosed or empty set, a reversed range, a set that starts with
// "^" or ends in "-", and the backslash.
func parseGlob(text string) (glob, error) { return readGlob(text, false) }

// parseClassicGlob reads a pattern of a classic layout: as parseGlob, but that
// "^" at the start of a set is a member of it, as in-toto has it.
func parseClassicGlob(text string) (glob, error) { return readGlob(text, true) }

func readGlob(text string, caretIsMember bool) (glob, error) {
	g := glob{text: text}
	if text == "" {
		return g, fmt.Errorf("empty pattern")
	}
	if !utf8.ValidString(text) {
		return g, fmt.Errorf("pattern %q is not UTF-8", text)
	}
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch runes[i] {
		case '*':
			// Two stars match what one does, and would only cost time.
			if n := len(g.parts); n == 0 || g.parts[n-1].kind != anyRunes {
				g.parts = append(g.parts, globPart{kind: anyRunes})
			}
		case '?':
			g.parts = append(g.parts, globPart{kind: anyRune})
		case '[':
			part, next, err := parseSet(runes, i+1, caretIsMember)
			if err != nil {
				return g, fmt.Errorf("pattern %q: %w", text, err)
			}
			g.parts = append(g.parts, part)
			i = next
		case '\\':
			return g, fmt.Errorf("pattern %q: a backslash escapes nothing here, use [x] for a literal x", text)
		default:
			g.parts = append(g.parts, globPart{kind: literalRune, r: runes[i]})
		}
	}
	return g, nil
}

// parseNameGlob reads a pattern for names as artifact.ParseName writes them. It
// refuses a spelling that no name has: it would match nothing, and behind
// DISALLOW let pass what it was written against.
func parseNameGlob(text string) (glob, error) {
	if err := checkSpelling(text); err != nil {
		return glob{}, fmt.Errorf("pattern %w", err)
	}
	return parseGlob(text)
}

// checkPrefix refuses the prefix of a MATCH that no name can begin with: every
// name under it would stay in the queue.
func checkPrefix(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("prefix %q is not UTF-8", text)
	}
	if err := checkSpelling(text); err != nil {
		return fmt.Errorf("prefix %w", err)
	}
	return nil
}

func checkSpelling(text string) error {
	if slices.ContainsFunc(strings.Split(text, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return fmt.Errorf("%q has a dotted segment, which no name has: write it without", text)
	}
	// A URI keeps its slashes, and wildcards may stand for its beginning.
	if before, _, two := strings.Cut(text, "//"); two && !strings.ContainsAny(before, ":{*?[") {
		return fmt.Errorf("%q has two slashes in a row, which no name has: write one", text)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("%q holds a control character, which no name does", text)
	}
	lower := strings.ToLower(text)
	for _, scheme := range []string{"git+ssh://", "ssh://", "git@"} {
		if strings.HasPrefix(lower, scheme) {
			return fmt.Errorf("%q: git sources are named git+https://host/owner/repo, write it so", text)
		}
	}
	if rest, ok := strings.CutPrefix(lower, "git+https://"); ok {
		if host, _, _ := strings.Cut(rest, "/"); !strings.HasPrefix(text, "git+https://"+host) && !strings.Contains(host, "{") {
			return fmt.Errorf("%q: scheme and host of a git source are in lower case", text)
		}
	}
	return nil
}

// parseSet reads from behind "[" and returns the index of its "]".
func parseSet(runes []rune, i int, caretIsMember bool) (globPart, int, error) {
	part := globPart{kind: runeSet}
	if i < len(runes) && runes[i] == '!' {
		part.negate = true
		i++
	}
	if i < len(runes) && runes[i] == '^' && !caretIsMember {
		return part, 0, fmt.Errorf("a set that starts with ^ is read two ways, write [!...] to negate")
	}
	for start := i; i < len(runes); i++ {
		r := runes[i]
		if r == ']' && i > start {
			return part, i, nil
		}
		switch r {
		case ']':
			return part, 0, fmt.Errorf("empty set")
		case '\\':
			return part, 0, fmt.Errorf("a backslash in a set is read two ways")
		}
		if r == '-' && i > start && i+1 < len(runes) && runes[i+1] == ']' {
			return part, 0, fmt.Errorf("a set that ends in - is read two ways, put the - first")
		}
		if i+2 < len(runes) && runes[i+1] == '-' && runes[i+2] != ']' {
			if runes[i+2] < r {
				return part, 0, fmt.Errorf("range %c-%c is reversed", r, runes[i+2])
			}
			part.set = append(part.set, runeRange{r, runes[i+2]})
			i += 2
			continue
		}
		part.set = append(part.set, runeRange{r, r})
	}
	return part, 0, fmt.Errorf("a set is not closed with ]")
}

// literal reports whether the pattern matches its own text and nothing else.
func (g glob) literal() bool { return g.text != "" && !hasWildcard(g.text) }

// match reports whether the whole of name matches. On a mismatch it goes back
// only to the last star, so its cost is at most len(pattern) × len(name).
func (g glob) match(name string) bool {
	pi, ni := 0, 0
	starPart, starName := -1, 0
	for ni < len(name) {
		r, size := utf8.DecodeRuneInString(name[ni:])
		switch {
		case pi < len(g.parts) && g.parts[pi].kind == anyRunes:
			starPart, starName = pi, ni
			pi++
		case pi < len(g.parts) && g.parts[pi].matches(r):
			pi++
			ni += size
		case starPart >= 0:
			_, size = utf8.DecodeRuneInString(name[starName:])
			starName += size
			pi, ni = starPart+1, starName
		default:
			return false
		}
	}
	for pi < len(g.parts) && g.parts[pi].kind == anyRunes {
		pi++
	}
	return pi == len(g.parts) && len(g.parts) > 0
}

func (p globPart) matches(r rune) bool {
	switch p.kind {
	case literalRune:
		return p.r == r
	case anyRune:
		return true
	case runeSet:
		for _, s := range p.set {
			if s.low <= r && r <= s.high {
				return !p.negate
			}
		}
		return p.negate
	case anyRunes:
	}
	return false
}

// hasWildcard reports whether text would be read as a pattern.
func hasWildcard(text string) bool { return strings.ContainsAny(text, `*?[]\`) }
