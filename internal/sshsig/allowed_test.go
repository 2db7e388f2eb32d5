package sshsig_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

func keyLine(t testing.TB) string {
	t.Helper()
	line, err := attestationtest.SSHLine(newEd25519(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestParseAllowed reads what ssh-keygen(1) describes.
func TestParseAllowed(t *testing.T) {
	t.Parallel()
	key := keyLine(t)
	all, _, err := sshsig.ParseAllowed([]byte("# the team\n\n" +
		`alice@example.com namespaces="git,file" ` + key + " a comment\n" +
		`*@example.com,!mallory@example.com cert-authority,namespaces="git",valid-after="20260101Z",valid-before="202701021530Z" ` + key + "\r\n" +
		"\tbob@example.com " + key))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[0].Line != 3 || all[2].Line != 5 {
		t.Fatalf("read %+v", all)
	}
	if a := all[0]; a.Authority || !a.Namespaces.Match("git") || a.Namespaces.Match("email") || a.Principals.String() != "alice@example.com" {
		t.Errorf("the first line is %+v", a)
	}
	a := all[1]
	if !a.Authority || !a.Principals.Match("carol@example.com") || a.Principals.Match("mallory@example.com") || a.Principals.Match("carol@example.org") {
		t.Errorf("the second line is %+v", a)
	}
	end := time.Date(2027, 1, 2, 15, 30, 0, 0, time.UTC)
	for at, want := range map[time.Time]bool{
		time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC): false, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC): true,
		end.Add(-time.Second): true, end: false,
	} {
		if a.ValidAt(at) != want {
			t.Errorf("at %s: %t", at, !want)
		}
	}
	if b := all[2]; b.Namespaces != nil || !b.ValidAt(time.Unix(0, 0)) || b.Principals.Everybody() {
		t.Errorf("the third line is %+v", b)
	}
}

// TestParseAllowedRefuses skips no line in silence.
func TestParseAllowedRefuses(t *testing.T) {
	t.Parallel()
	key := keyLine(t)
	for name, c := range map[string]struct{ text, says string }{
		"nobody":               {"# nobody\n", "nobody is listed"},
		"no key":               {"alice@example.com\n", "line 1"},
		"an unknown option":    {"alice zone=\"x\" " + key, "not understood"},
		"no-touch-required":    {"alice no-touch-required " + key, "not understood"},
		"an option twice":      {`alice namespaces="git",namespaces="file" ` + key, "twice"},
		"no quotes":            {"alice namespaces=git " + key, "in quotes"},
		"a value for nothing":  {`alice cert-authority="x" ` + key, "not understood"},
		"another zone":         {`alice valid-before="20240101CET" ` + key, "no date"},
		"a zone alone":         {`alice valid-before="UTC" ` + key, "no date"},
		"no date":              {`alice valid-before="2024Z" ` + key, "no date"},
		"the 31st of February": {`alice valid-before="20240231Z" ` + key, "no date"},
		"it ends too early":    {`alice valid-after="20270101Z",valid-before="20260101Z" ` + key, "before it begins"},
		"an empty principal":   {"alice,,bob " + key, "empty"},
		"an open quote":        {`alice namespaces="git ` + key, "expected principals"},
		"two keys on a line":   {"alice " + key + "\n" + "bob x " + key, "line 2"},
		"too large":            {strings.Repeat("#", sshsig.MaxAllowedBytes+1), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := sshsig.ParseAllowed([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			}
		})
	}
}

// TestParseAllowedUnusable gives lines apart whose keys never count; what else is wrong
// with such a line is wrong still.
func TestParseAllowedUnusable(t *testing.T) {
	t.Parallel()
	const (
		rsa1024 = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDPB0ZNd6Qw5xUZ8IvqD4KG6PmPNyU9KTiK8JX5JpUm0jCsD4ail6OQhIX1T2e61X7InpPSk4OgsTmD4DkinnF3hBu2/b8KM9f0Op/5UV5eTiKqFekg9t7quGsqBOsgXPhhTIwCQEGpUDA1TCaFDcc9AEOrbyApXxENbcWb47C0cQ=="
		dsa     = "ssh-dss AAAAB3NzaC1kc3MAAACBANIEN6Q2CSANtjK58gIYs1UW7PONCdeDW3b6B4ZDUS7amhZEJ0EYG+9IQqihy00ZpfdhZ6Ih4yRCqT4ergCRl+MC95MsrXjRm5Z079XSAv3YehTY5jzZXA1fic6PbJqBtkCAzKpeRnlHoKLIuIOP4e1xbyowTqNdn8yml43DgbsHAAAAFQDH909e85knCdrWullaGz5cICkxmwAAAIBcDEKZ5sqkz6Af39znyl1VKsCgokkNLGcScnozcCPb5ik1W5R/9fL17zVRjsg2yxZf2fqUf+4ZtASLF8dMI6EbWHdCOei9lCrmGEMNg2ZiwI8T2q2RLdouV1FOxeeMDwBU1zK9kd9UYC+261GnLCLXt4cgrdRFfL++/GNwq0/diAAAAIB/H+vJxwW7eqBePLSeq0iaoyk9R5+CAhFfPHRTSv0r8j7AE8EDlBI7V+tmQH4EwVAaxIxIM99F3CJ/P+9hfGri2FjFlLQgIZlRTzhrKgUJf2DABvZQ2oPDr9xg+ltarSuwzS7v361bISBQjzaw4ZDHpu2s6fLBFV0ixa+adnklkQ=="
	)
	all, unusable, err := sshsig.ParseAllowed([]byte("alice " + rsa1024 + "\n#\nbob cert-authority " + dsa + " old\ncarol " + keyLine(t) + "\n"))
	if err != nil || len(all) != 1 || all[0].Line != 4 || len(unusable) != 2 {
		t.Fatalf("%v, %+v, %+v", err, all, unusable)
	}
	for i, line := range []int{1, 3} {
		if u := unusable[i]; u.Line != line || !errors.Is(u.Why, sshsig.ErrWeak) || !strings.HasPrefix(u.Key, "SHA256:") {
			t.Errorf("unusable: %+v", u)
		}
	}
	for text, says := range map[string]string{
		"alice " + rsa1024: "nobody is listed with a key that can count: line 1: RSA of 1024 bits",
		"carol " + keyLine(t) + "\nalice zone=\"x\" " + rsa1024:     "line 2: the option",
		"carol " + keyLine(t) + "\nalice " + rsa1024[:60]:           "line 2: reading SSH key",
		"carol " + keyLine(t) + "\nalice ssh-xmss@openssh.com AAAA": "line 2: reading SSH key",
	} {
		if _, _, err := sshsig.ParseAllowed([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, expected %q", text, err, says)
		}
	}
	if _, err := sshsig.ParseKey([]byte(rsa1024)); !errors.Is(err, sshsig.ErrWeak) {
		t.Errorf("a weak key alone: %v", err)
	}
}

// TestAllowedTimes reads the ways in which ssh-keygen takes a time. Without a zone
// the line holds while it holds everywhere on earth.
func TestAllowedTimes(t *testing.T) {
	t.Parallel()
	key := keyLine(t)
	for text, want := range map[string][2]time.Time{
		`valid-after="20260101Z",valid-before="20270101z"`: {
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		`valid-after="202601020304UTC",VALID-BEFORE="20270102030405utc"`: {
			time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		`valid-after="20260101",valid-before="20270101"`: {
			time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 10, 0, 0, 0, time.UTC),
		},
		`valid-before="202701011530"`: {time.Time{}, time.Date(2027, 1, 1, 1, 30, 0, 0, time.UTC)},
	} {
		all, _, err := sshsig.ParseAllowed([]byte("alice@example.com\t" + text + " " + strings.Replace(key, " ", "\t", 1)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if a := all[0]; !a.After.Equal(want[0]) || !a.Before.Equal(want[1]) {
			t.Errorf("%s is from %s until %s, expected %s until %s", text, a.After, a.Before, want[0], want[1])
		}
	}
}

// TestPatterns is ssh_config(5)'s pattern list.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, name string
		want       bool
	}{
		{"alice", "alice", true}, {"alice", "Alice", false}, {"alice", "alice@x", false}, {"*", "", true}, {"*", "x", true},
		{"a*c", "abbc", true}, {"a*c", "abcd", false}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false},
		{"!a,*", "a", false}, {"*,!a", "a", false}, {"!a", "b", false}, {"a,b", "b", true}, {"**", "", true}, {"a**", "a", true},
	} {
		p, err := sshsig.ParsePatterns(c.list)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(c.name); got != c.want {
			t.Errorf("%q matches %q: %t", c.list, c.name, got)
		}
	}
	if (sshsig.Patterns)(nil).Match("") || (sshsig.Patterns)(nil).Match("x") {
		t.Error("no pattern matches something")
	}
	for list, want := range map[string]bool{"*": true, "alice,*": true, "*@example.com": false, "**": true, "?*": true, "*@*": true, "?": false, "!*": false} {
		p, err := sshsig.ParsePatterns(list)
		if err != nil {
			t.Fatal(err)
		}
		if p.Everybody() != want {
			t.Errorf("%q is for everybody: %t", list, !want)
		}
	}
	for _, list := range []string{"", "a,", "!", strings.Repeat("a,", 300) + "a", strings.Repeat("a", 2000)} {
		if _, err := sshsig.ParsePatterns(list); err == nil {
			t.Errorf("%.40q is a list", list)
		}
	}
}

// TestPatternsAreBounded matches what makes a careless matcher run for ever.
func TestPatternsAreBounded(t *testing.T) {
	t.Parallel()
	p, err := sshsig.ParsePatterns(strings.Repeat("*a", 400) + "b")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if p.Match(strings.Repeat("a", 4096)) || time.Since(start) > 2*time.Second {
		t.Errorf("took %s", time.Since(start))
	}
}

// FuzzParseAllowed reads files; what is read matches only what it says.
func FuzzParseAllowed(f *testing.F) {
	key := keyLine(f)
	f.Add([]byte(fmt.Sprintf("*@example.com cert-authority,namespaces=\"git\",valid-before=\"20300101Z\" %s\n", key)))
	f.Add([]byte("alice " + key + "\n# x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, unusable, err := sshsig.ParseAllowed(data)
		if err != nil {
			return
		}
		for _, u := range unusable {
			if u.Why == nil || u.Line < 1 {
				t.Errorf("an unusable line without a reason: %+v", u)
			}
		}
		for _, a := range all {
			if len(a.Principals) == 0 || a.Key.Line() == "" || a.Line < 1 {
				t.Errorf("a line for nobody: %+v", a)
			}
		}
	})
}
