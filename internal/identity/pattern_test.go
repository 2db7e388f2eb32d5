package identity

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pattern, text string
		want          bool
	}{
		{"alice@example.com", "alice@example.com", true},
		{"alice@example.com", "Alice@example.com", false},
		{"alice@example.com", "alice@example.com.evil.example", false},
		{"alice@example.com", "xalice@example.com", false},
		{"*@example.com", "alice@example.com", true},
		{"*@example.com", "@example.com", false}, // never empty
		{"*@example.com", "mallory@evil.example@example.com", false},
		{"*@example.com", "a/b@example.com", false},
		{"github.com/*/*", "github.com/acme/app", true},
		{"github.com/*/*", "github.com/acme", false},
		{"github.com/*/*", "github.com/acme/", false},
		{"github.com/*/*", "github.com/acme/app/evil", false},
		{"github.com/*/*", "github.com/acme/app@refs", false},
		{"github.com/*/*", "evil.example/github.com/acme/app", false},
		{"https://github.com/acme/app/.github/workflows/*@refs/heads/main", "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", true},
		{"https://github.com/acme/app/.github/workflows/*@refs/heads/main", "https://github.com/acme/app/.github/workflows/x@refs/heads/evil/release.yml@refs/heads/main", false},
		{"https://github.com/acme/*", "https://github.com/acme/app/.github/workflows/x.yml", false},
		{"https://github.com/acme/*", "https://github.com/acme/..", true}, // a name is only a name
		{"a*c", "abc", true},
		{"a*c", "ac", false},
		{"a*b*c", "axbyc", true},
		{"a*b*c", "abbc", false},
		{"a*b*c", "abxbyc", true},
		{"*", "x", true},
		{"*", "", false},
		{"*", "x/y", false},
		{"*/", "x/", true},
		{"*", "x/", false},
		{"é*", "éa", true},
	} {
		p, err := ParsePattern(row.pattern)
		if err != nil {
			t.Errorf("ParsePattern(%q): %v", row.pattern, err)
			continue
		}
		if got := p.Match(row.text); got != row.want {
			t.Errorf("%q matches %q: %v, expected %v", row.pattern, row.text, got, row.want)
		}
	}
}

func TestPatternRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a?b", "[ab]", "a]b", `a\b`, "a**b", "a b", "a\tb", "a\x00b", "a\nb"} {
		if p, err := ParsePattern(text); err == nil {
			t.Errorf("ParsePattern(%q) = %v, expected an error", text, p)
		}
	}
}

func TestPatternZeroMatchesNothing(t *testing.T) {
	t.Parallel()
	var p Pattern
	if p.Match("") || p.Match("x") || p.Exact() {
		t.Error("the zero pattern matches something")
	}
}

// naive is the definition: a star is one or more characters that are neither "/"
// nor "@", everything else is itself.
func naive(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] != '*' {
		return s != "" && s[0] == pattern[0] && naive(pattern[1:], s[1:])
	}
	for i := 1; i <= len(s) && s[i-1] != '/' && s[i-1] != '@'; i++ {
		if naive(pattern[1:], s[i:]) {
			return true
		}
	}
	return false
}

func TestPatternAgainstDefinition(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's inputs
	word := func(alphabet string, n int) string {
		var b strings.Builder
		for range random.IntN(n) + 1 {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	matched := 0
	for range 200_000 {
		text := word("ab/@", 7)
		pattern := word("ab/@*", 7)
		p, err := ParsePattern(pattern)
		if err != nil {
			continue
		}
		want := naive(pattern, text)
		if got := p.Match(text); got != want {
			t.Fatalf("%q matches %q: %v, by definition %v", pattern, text, got, want)
		}
		if want {
			matched++
		}
	}
	if matched < 1000 {
		t.Errorf("only %d of the random pairs matched: the test says too little", matched)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("https://github.com/*/x@*", "https://github.com/a/x@b")
	f.Add("*a*a*a*a*b", strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		if p.String() != pattern {
			t.Errorf("String() = %q, expected %q", p, pattern)
		}
		if p.Exact() && p.Match(text) != (pattern == text) {
			t.Errorf("exact %q matches %q", pattern, text)
		}
		if p.Match(text) && strings.Count(pattern, "/") != strings.Count(text, "/") {
			t.Errorf("%q matches %q across a slash", pattern, text)
		}
	})
}
