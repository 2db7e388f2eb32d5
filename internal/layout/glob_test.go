package layout

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a", true}, {"*", "", true}, {"*", "a/b/c", true}, {"*", ".hidden", true}, {"*", "a\nb", true}, {"*", "ä/ö", true},
		{"a", "a", true}, {"a", "b", false}, {"a", "aa", false}, {"a", "", false}, {"a", "A", false},
		{"dist/*", "dist/a", true}, {"dist/*", "dist/a/b", true}, {"dist/*", "dist/", true}, {"dist/*", "dist", false}, {"dist/*", "x/dist/a", false},
		{"*.go", "a.go", true}, {"*.go", "a/b.go", true}, {"*.go", ".go", true}, {"*.go", "a.go.exe", false}, {"*.go", "a.go\n", false},
		{"a*c", "ac", true}, {"a*c", "abc", true}, {"a*c", "a/b/c", true}, {"a*c", "abcb", false}, {"*a*a*", "a", false}, {"*a*a*", "aa", true},
		{"?", "a", true}, {"?", "/", true}, {"?", "ä", true}, {"?", "", false}, {"?", "ab", false}, {"a?c", "a.c", true}, {"?*", "a", true}, {"?*", "", false},
		{"[ab]", "a", true}, {"[ab]", "c", false}, {"[ab]", "", false}, {"[a-c]", "b", true}, {"[a-c]", "d", false}, {"[a-cx]", "x", true},
		{"[!ab]", "c", true}, {"[!ab]", "a", false}, {"[!ab]", "/", true}, {"[!ab]", "", false}, {"[!a-c]x", "bx", false},
		{"[-a]", "-", true}, {"[a!]", "!", true}, {"[a^]", "^", true}, {"[[]", "[", true}, {"[*]", "*", true}, {"[*]", "a", false}, {"[?]", "?", true}, {"[ä-ö]", "ö", true},
		{"]", "]", true}, {"a]", "a]", true}, {"{a,b}", "a", false}, {"{a,b}", "{a,b}", true}, {"**", "a/b", true}, {"a**b", "ab", true},
		{"git+https://github.com/*", "git+https://github.com/acme/app", true},
		{"?", "\xff", true}, {"\ufffd", "\xff", true},
	} {
		g, err := parseGlob(r.pattern)
		if err != nil {
			t.Errorf("%q is refused: %v", r.pattern, err)
			continue
		}
		if got := g.match(r.name); got != r.want {
			t.Errorf("%q matches %q: %t, expected %t", r.pattern, r.name, got, r.want)
		}
		if err := wellUsed(g, r.pattern); err != "" {
			t.Error(err)
		}
	}
	for _, pattern := range []string{"", "[", "a[", "[]", "[!]", "[a", "[a-", "[a-]", "[!a-]", "[c-a]", "[^a]", "[!^a]", `\`, `a\`, `\*`, `[\]`, "[]a]", "[!]a]", "\xff", "a\xffb"} {
		if g, err := parseGlob(pattern); err == nil {
			t.Errorf("%q is read, as %v", pattern, g.parts)
		}
	}
	if (glob{}).match("") || (glob{}).match("a") {
		t.Error("the zero pattern matches something")
	}
}

// wellUsed holds a pattern to what its other methods say of it.
func wellUsed(g glob, pattern string) string {
	switch {
	case g.text != pattern:
		return "the text of " + pattern + " is " + g.text
	case !hasWildcard(pattern) && !g.match(pattern):
		return pattern + " has no wildcard and does not match itself"
	}
	return ""
}

// naiveGlob is fnmatch as one would write it in a minute.
func naiveGlob(pattern, name []rune) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == '*' {
		return naiveGlob(pattern[1:], name) || len(name) > 0 && naiveGlob(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	switch pattern[0] {
	case '?':
		return naiveGlob(pattern[1:], name[1:])
	case '[':
		end := strings.IndexRune(string(pattern), ']')
		set, negate := strings.CutPrefix(string(pattern[1:end]), "!")
		in := false
		for i := 0; i < len(set); i++ {
			if i+2 < len(set) && set[i+1] == '-' {
				in = in || rune(set[i]) <= name[0] && name[0] <= rune(set[i+2])
				i += 2
			} else {
				in = in || rune(set[i]) == name[0]
			}
		}
		return in != negate && naiveGlob(pattern[end+1:], name[1:])
	}
	return pattern[0] == name[0] && naiveGlob(pattern[1:], name[1:])
}

func TestGlobAgainstNaive(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(1, 2))}
	pieces := []string{"*", "*", "?", "a", "b", "/", "-", "!", "[ab]", "[!a]", "[a-b/]", "[!-a]", "**"}
	both := map[bool]int{}
	for range 50_000 {
		var pattern, name string
		for range 1 + d.IntN(6) {
			pattern += pickOf(d, pieces)
		}
		for range d.IntN(7) {
			name += pickOf(d, []string{"a", "b", "/", "-", "!"})
		}
		g, err := parseGlob(pattern)
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		want := naiveGlob([]rune(pattern), []rune(name))
		if got := g.match(name); got != want {
			t.Fatalf("%q matches %q: %t, naively %t", pattern, name, got, want)
		}
		both[want]++
	}
	if both[true] < 5000 || both[false] < 5000 {
		t.Errorf("matches and mismatches are %v", both)
	}
}

// No pattern and no name may keep the matcher busy.
func TestGlobIsBounded(t *testing.T) {
	t.Parallel()
	for pattern, name := range map[string]string{
		strings.Repeat("*a", 100) + "b":       strings.Repeat("a", 4096),
		strings.Repeat("a*", 1000):            strings.Repeat("a", 4096) + "b",
		strings.Repeat("?*", 1000):            strings.Repeat("x", 4096),
		strings.Repeat("*[!b]", 200) + "b":    strings.Repeat("a", 4096),
		strings.Repeat("*", 4096) + "b":       strings.Repeat("a", 4096),
		strings.Repeat("*"+"aaaaaaaab", 50):   strings.Repeat("a", 4096),
		strings.Repeat("ab*", 100) + "\u00e4": strings.Repeat("ab", 2000),
	} {
		g, err := parseGlob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		g.match(name)
		if d := time.Since(start); d > time.Minute {
			t.Errorf("%.20q… took %s", pattern, d)
		}
	}
}

// The two pattern types differ where it matters: only artifact rules cross "/".
func TestTwoGlobTypes(t *testing.T) {
	t.Parallel()
	const pattern, name = "https://github.com/acme/*", "https://github.com/acme/../evil/x"
	g, err := parseGlob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	p, err := identity.ParsePattern(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if !g.match(name) || p.Match(name) {
		t.Errorf("the rule's glob matches %t, expected true; the identity's pattern %t, expected false", g.match(name), p.Match(name))
	}
}
