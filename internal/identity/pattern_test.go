package identity

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "A", false}, {"a", "ab", false}, {"a", "ba", false}, {"a", "", false}, {"ä", "ä", true},
		{"*", "a", true}, {"*", "abc", true}, {"*", "", false}, {"*", "a/b", false}, {"*", "a@b", false}, {"*", "a/", false}, {"*", "ä", true},
		{"a*", "a", false}, {"a*", "ab", true}, {"*a", "a", false}, {"*a", "ba", true}, {"*a", "aa", true}, {"a*a", "aa", false}, {"a*a", "aba", true}, {"a*a", "aaa", true},
		{"*a*", "a", false}, {"*a*", "bab", true}, {"*a*", "aa", false}, {"*a*", "aaa", true}, {"*a*", "bbaab", true}, {"*a*b*c", "xaxbxc", true}, {"*a*b*c", "xabxc", false},
		{"*/*", "a/b", true}, {"*/*", "a/", false}, {"*/*", "/b", false}, {"*/*", "a/b/c", false}, {"*/*", "a@b", false}, {"*/*", "a", false},
		{"*@*", "alice@example.com", true}, {"*@*", "alice", false}, {"*@*", "a@b@c", false}, {"*@*", "a/b", false}, {"*@example.com", "alice@example.com", true}, {"*@example.com", "@example.com", false},
		{"*@example.com", "alice@example.com.evil", false}, {"*@example.com", "alice@sub.example.com", false}, {"*@example.com", "a@b@example.com", false}, {"*@example.com", "evil/a@example.com", false},
		{"https://github.com/acme/*", "https://github.com/acme/app", true},
		{"https://github.com/acme/*", "https://github.com/acme/../evil", false},
		{"https://github.com/acme/*", "https://github.com/acme/", false},
		{"https://github.com/acme/*", "https://github.com/acme/app/.github/workflows/x.yml@refs/heads/main", false},
		{"https://github.com/acme/*", "https://github.com/acmes/app", false},
		{"https://github.com/acme/*", "xhttps://github.com/acme/app", false},
		{"https://github.com/acme/app/.github/workflows/*@refs/heads/main", "https://github.com/acme/app/.github/workflows/r.yml@refs/heads/main", true},
		{"https://github.com/acme/app/.github/workflows/*@refs/heads/main", "https://github.com/acme/app/.github/workflows/r.yml@refs/heads/main/x", false},
		{"https://github.com/acme/app/.github/workflows/*@refs/heads/main", "https://github.com/acme/app/.github/workflows/@refs/heads/main", false},
		{"https://github.com/acme/app/.github/workflows/*@refs/tags/*", "https://github.com/acme/app/.github/workflows/r.yml@refs/tags/v1", true},
		{"https://github.com/acme/app/.github/workflows/*@refs/tags/*", "https://github.com/acme/app/.github/workflows/r.yml@refs/tags/v1/x", false},
		{"https://github.com/acme/app/.github/workflows/*@refs/tags/v*", "https://github.com/acme/app/.github/workflows/r.yml@refs/tags/v", false},
		{"github.com/*/*", "github.com/acme/app", true}, {"github.com/*/*", "GitHub.com/acme/app", false}, {"github.com/*/*", "github.com//app", false},
		{".", "a", false}, {"a.c", "abc", false}, {"(a)", "(a)", true}, {"a|b", "a", false}, {"^a$", "a", false}, {"a+", "aa", false}, {"{a}", "{a}", true},
	} {
		p, err := ParsePattern(r.pattern)
		if err != nil {
			t.Errorf("%q is refused: %v", r.pattern, err)
			continue
		}
		if got := p.Match(r.name); got != r.want {
			t.Errorf("%q matches %q: %t, expected %t", r.pattern, r.name, got, r.want)
		}
		if p.Exact() == strings.Contains(r.pattern, "*") || p.String() != r.pattern {
			t.Errorf("%q is exact %t and written %q", r.pattern, p.Exact(), p)
		}
	}
	for _, pattern := range []string{"", "?", "a?", "[a]", "[", "]", `\`, `a\*`, "**", "a**b", "a/**", " ", "a b", "a\tb", "a\nb", "a\x00", "a\u2003b", "a\u0085"} {
		if p, err := ParsePattern(pattern); err == nil {
			t.Errorf("%q is read, as %q", pattern, p)
		}
	}
	var zero Pattern
	if zero.Match("") || zero.Match("a") || zero.Exact() || zero.String() != "" {
		t.Error("the zero pattern says something")
	}
}

// naive reads a pattern as its documentation does, a character at a time.
func naive(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case s == "":
		return false
	case pattern[0] == '*':
		return s[0] != '/' && s[0] != '@' && (naive(pattern[1:], s[1:]) || naive(pattern, s[1:]))
	}
	return pattern[0] == s[0] && naive(pattern[1:], s[1:])
}

func TestPatternAgainstNaive(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	text := func(alphabet string, most int) string {
		b := make([]byte, r.IntN(most))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	count := map[bool]int{}
	for range 100_000 {
		pattern, name := text("**aab/@", 8), text("aab/@", 9)
		p, err := ParsePattern(pattern)
		if err != nil {
			continue
		}
		want := naive(pattern, name)
		if got := p.Match(name); got != want {
			t.Fatalf("%q matches %q: %t, naively %t", pattern, name, got, want)
		}
		count[want]++
	}
	if count[true] < 1000 || count[false] < 1000 {
		t.Errorf("matches and mismatches are %v", count)
	}
}

func TestPatternIsBounded(t *testing.T) {
	t.Parallel()
	p, err := ParsePattern(strings.Repeat("*a", 1000) + "b")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if p.Match(strings.Repeat("a", MaxValueLength)) {
		t.Error("it matches")
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("it took %s", d)
	}
}

func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{"*", "a", "*@example.com", "https://github.com/*/*", "*a*", "**", "?", "ä*"} {
		f.Add(pattern, "https://github.com/acme/app")
		f.Add(pattern, "alice@example.com")
		f.Add(pattern, "")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		if (Pattern{}).Match(name) {
			t.Fatal("the zero pattern matches")
		}
		got := p.Match(name)
		if p.Exact() && got != (name == pattern) {
			t.Fatalf("exact %q matches %q: %t", pattern, name, got)
		}
		if got && strings.Count(pattern, "/") != strings.Count(name, "/") || got && strings.Count(pattern, "@") != strings.Count(name, "@") {
			t.Fatalf("a wildcard of %q crosses a separator of %q", pattern, name)
		}
		if got && len(name) < len(pattern) {
			t.Fatalf("%q matches %q, which is shorter: a wildcard stands for nothing", pattern, name)
		}
		if len(pattern) < 16 && len(name) < 16 && got != naive(pattern, name) {
			t.Fatalf("%q matches %q: %t, naively %t", pattern, name, got, !got)
		}
	})
}
