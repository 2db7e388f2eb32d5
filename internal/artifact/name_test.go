package artifact

import (
	"strings"
	"testing"
)

func TestOneSourceOneName(t *testing.T) {
	t.Parallel()
	const want = "git+https://github.com/acme/app"
	sha := strings.Repeat("3f", 20)
	for spelling, ref := range map[string]string{
		"git+https://github.com/acme/app":                      "",
		"git+https://github.com/acme/app.git":                  "",
		"git+https://github.com/acme/app/":                     "",
		"git+https://GitHub.com/acme/app":                      "",
		"GIT+HTTPS://github.com/acme/app":                      "",
		"git+https://github.com/acme/app@refs/heads/main":      "refs/heads/main",
		"git+https://github.com/acme/app.git@refs/tags/v1":     "refs/tags/v1",
		"git+https://github.com/acme/app@a@b":                  "a@b",
		"git+https://git@github.com/acme/app":                  "",
		"git+ssh://git@github.com/acme/app@" + sha:             sha,
		"ssh://git@github.com/acme/app.git":                    "",
		"git@github.com:acme/app.git":                          "",
		"https://github.com/acme/app/commit/" + sha:            sha,
		"https://github.com/acme/app/commit/" + sha + sha[:24]: sha + sha[:24],
	} {
		name, err := ParseName(spelling)
		if err != nil || name.Text != want || name.Ref != ref || !name.Git {
			t.Errorf("ParseName(%q) = %+v, %v; expected %s with ref %q", spelling, name, err, want, ref)
		}
	}
}

func TestOtherNames(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"app":                         "app",
		"./app":                       "app",
		"dist//app":                   "dist/app",
		"dist/./app":                  "dist/app",
		"/abs/app":                    "/abs/app",
		"..app":                       "..app",
		"pkg:npm/%40scope/name@1.0.0": "pkg:npm/%40scope/name@1.0.0",
		"https://example.com/x?y=z":   "https://example.com/x?y=z",
		"https://github.com/acme/app": "https://github.com/acme/app",
		"https://h/o/r/commit/main":   "https://h/o/r/commit/main",
		"oci://ghcr.io/acme/app":      "oci://ghcr.io/acme/app",
		"name with spaces":            "name with spaces",
		"C:\\dir\\app":                "C:\\dir\\app",
	} {
		name, err := ParseName(given)
		if err != nil || name.Text != want || name.Git {
			t.Errorf("ParseName(%q) = %+v, %v; expected %q, no git source", given, name, err, want)
		}
	}
}

// A transport that proves nothing of its host keeps its spelling: it is a git
// source, but never the https one.
func TestOtherTransports(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"git+http://github.com/acme/app", "git://github.com/acme/app"} {
		if name, err := ParseName(given); err != nil || name.Text != given || !name.Git {
			t.Errorf("ParseName(%q) = %+v, %v; expected it as it is, a git source", given, name, err)
		}
	}
}

func TestNamesRefused(t *testing.T) {
	t.Parallel()
	for _, given := range []string{
		"", "..", "../app", "a/../b", "a/..", "./..", "a\nb", "a\x00b", "a\x1b[2Jb", "a\xffb", strings.Repeat("x", MaxNameLength+1),
		"git+https://github.com", "git+https:///acme/app", "git+https://github.com/", "git+https://github.com//app",
		"git+https://github.com:443/acme/app", "git+https://user@github.com/acme/app", "git+https://git:pw@github.com/acme/app",
		"git+https://github.com/acme/app?x=1", "git+https://github.com/acme/app#frag", "git+https://github.com/acme%2fapp",
		"git+https://github.com/acme/../evil/app", "git+https://github.com/./acme/app", "git+https://github.com/acme/app/..",
		"git+https://gıthub.com/acme/app", "git+https://github.com/acme\\app", "git+https://github.com/acme/a pp",
		"git@github.com:acme/../x", "git+ssh://root@github.com/acme/app", "ssh://github.com:22/acme/app",
	} {
		if name, err := ParseName(given); err == nil {
			t.Errorf("ParseName(%q) = %+v, expected an error", given, name)
		}
	}
}

func TestRuleName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, uri, want string }{
		{"app", "", "app"},
		{"", "git+https://h/o/r@refs/heads/main", "git+https://h/o/r"},
		{"git+https://h/o/r", "git+https://h/o/r.git@refs/heads/main", "git+https://h/o/r"},
		{"app.tgz", "https://example.com/app.tgz", "https://example.com/app.tgz"},
		{"the source", "git+https://h/o/r", "git+https://h/o/r"},
		{"git+https://h/o/good", "git+https://h/o/evil", ""},
		{"git+https://h/o/good", "https://example.com/x", ""},
		{"https://example.com/x", "git+https://h/o/evil", ""},
		{"git+https://h/o/good", "evil", ""},
		{"", "", ""},
		{"ok", "git+https://h:1/o/r", ""},
		{"a\nb", "git+https://h/o/r", ""},
	} {
		name, err := RuleName(row.name, row.uri)
		if (err == nil) != (row.want != "") || name.Text != row.want {
			t.Errorf("RuleName(%q, %q) = %q, %v; expected %q", row.name, row.uri, name.Text, err, row.want)
		}
	}
}

func TestGitSource(t *testing.T) {
	t.Parallel()
	if name, err := GitSource("https://github.com/acme/app"); err != nil || name.Text != "git+https://github.com/acme/app" {
		t.Errorf("%+v, %v", name, err)
	}
	for _, bad := range []string{"", "http://github.com/acme/app", "github.com/acme/app", "https://github.com:1/a/b", "https://github.com"} {
		if name, err := GitSource(bad); err == nil {
			t.Errorf("GitSource(%q) = %+v, expected an error", bad, name)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"git+https://h/o/r@x", "git@h:o/r.git", "./a/b", "pkg:npm/x@1", "https://h/o/r/commit/" + strings.Repeat("a", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := ParseName(s)
		if err != nil {
			return
		}
		again, err := ParseName(name.Text)
		if err != nil || again.Text != name.Text || again.Git != name.Git {
			t.Errorf("%q is %q, and that is %+v, %v: normalising twice must change nothing", s, name.Text, again, err)
		}
		if strings.ContainsAny(name.Text, "\n\r\x00") {
			t.Errorf("%q keeps a control character", name.Text)
		}
	})
}
