package artifact

import (
	"strings"
	"testing"
)

const (
	sha = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	app = "git+https://github.com/acme/app"
)

// All spellings of one git source are one name.
func TestParseNameGit(t *testing.T) {
	t.Parallel()
	for spelling, ref := range map[string]string{
		app:                                    "",
		"git+https://github.com/acme/app.git":  "",
		"git+https://github.com/acme/app/":     "",
		"git+https://github.com/acme/app.git/": "",
		"git+https://github.com/acme/app@refs/heads/main":         "refs/heads/main",
		"git+https://github.com/acme/app.git@refs/tags/v1":        "refs/tags/v1",
		"git+https://github.com/acme/app@" + sha:                  sha,
		"git+https://github.com/acme/app@" + strings.ToUpper(sha): sha,
		"git+https://github.com/acme/app@":                        "",
		"git+https://github.com/acme/app@v1@v2":                   "v1@v2",
		"git+https://github.com/acme/app@refs/heads/fix#7":        "refs/heads/fix#7",
		"git+https://github.com/acme/app@refs/heads/100%":         "refs/heads/100%",
		"git+https://github.com/acme/app@refs/heads/ä":            "refs/heads/ä",
		"git+https://git@github.com/acme/app":                     "",
		"git+https://GitHub.com/acme/app":                         "",
		"GIT+HTTPS://github.com/acme/app":                         "",
		"git+ssh://git@github.com/acme/app@" + sha:                sha,
		"git+ssh://github.com/acme/app.git":                       "",
		"ssh://git@github.com/acme/app.git":                       "",
		"git@github.com:acme/app.git":                             "",
		"git@github.com:acme/app":                                 "",
		"git@github.com:acme/app@" + sha:                          sha,
		"https://github.com/acme/app/commit/" + sha:               sha,
		"https://github.com/acme/app.git/commit/" + sha:           sha,
		"https://GitHub.com/acme/app/commit/" + sha + sha[:24]:    sha + sha[:24],
	} {
		n, err := ParseName(spelling)
		if err != nil || n.Text != app || n.Ref != ref || !n.Git {
			t.Errorf("%s gives %q with ref %q, git %t (%v), expected ref %q", spelling, n.Text, n.Ref, n.Git, err, ref)
		}
	}
	for spelling, want := range map[string]string{
		"git+https://github.com/Acme/app":    "git+https://github.com/Acme/app",
		"git+https://github.com./acme/app":   "git+https://github.com./acme/app",
		"git+https://gitlab.com/a/b/c/d.git": "git+https://gitlab.com/a/b/c/d",
		"git+https://host/r":                 "git+https://host/r",
		"git+https://host/.hidden/r":         "git+https://host/.hidden/r",
		"git+https://host/a/git":             "git+https://host/a/git",
		"git+https://host/a/r.gitx":          "git+https://host/a/r.gitx",
		"git://github.com/acme/app":          "git://github.com/acme/app",
		"git+http://github.com/acme/app":     "git+http://github.com/acme/app",
		"git+file:///srv/app":                "git+file:///srv/app",
		"git+git://github.com/acme/app":      "git+git://github.com/acme/app",
		"GIT+HTTP://github.com/acme/app":     "GIT+HTTP://github.com/acme/app",
	} {
		n, err := ParseName(spelling)
		if err != nil || n.Text != want || !n.Git {
			t.Errorf("%s gives %q, git %t (%v), expected %q", spelling, n.Text, n.Git, err, want)
		}
	}
}

func TestParseNamePlain(t *testing.T) {
	t.Parallel()
	for spelling, want := range map[string]string{
		"app": "app", "./app": "app", "dist//app": "dist/app", "dist/./app": "dist/app", "dist/": "dist", "/etc/passwd": "/etc/passwd",
		"a b": "a b", ".hidden": ".hidden", "...": "...", "a/..b": "a/..b", "ä": "ä", "_": "_", "*": "*", `a\b`: `a\b`, "a@b": "a@b", "git@host": "git@host",
		"pkg:npm/a@1": "pkg:npm/a@1", "https://github.com/acme/app": "https://github.com/acme/app", "https://github.com/acme/app/commit/main": "https://github.com/acme/app/commit/main",
		"https://h/a/../b": "https://h/a/../b", "oci://h/a@sha256:00": "oci://h/a@sha256:00", "file:///a": "file:///a", "gitx://h/a": "gitx://h/a",
		"http://github.com/acme/app/commit/" + sha: "http://github.com/acme/app/commit/" + sha,
	} {
		n, err := ParseName(spelling)
		if err != nil || n.Text != want || n.Git || n.Ref != "" {
			t.Errorf("%q gives %+v (%v), expected %q", spelling, n, err, want)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{
		"", ".", "..", "./", "../a", "a/..", "a/../b", "a/../..", "/..", strings.Repeat("a", MaxNameLength+1), "a\x00", "a\nb", "a\rb", "a\tb", "\x1b[31m", "a\u0085", "\xff", "a\ufffd",
		"git+https://", "git+https:///", "git+https://host", "git+https://host/", "git+https:///acme/app", "git+https://github.com/.git", "git+https://github.com/acme/.git",
		"git+https://github.com:443/acme/app", "git+ssh://git@github.com:22/acme/app", "ssh://github.com:22/acme/app",
		"git+https://alice@github.com/acme/app", "git+https://alice:secret@github.com/acme/app", "git+https://git:secret@github.com/acme/app", "git+https://@github.com/acme/app",
		"git+https://github.com@evil.example/acme/app", "git+https://git@git@github.com/acme/app", "ssh://root@github.com/acme/app",
		"git+https://github.com/acme/app?ref=main", "git+https://github.com/acme/app#main", "git+https://github.com/acme/app@main?x", `git+https://github.com/acme\app`, `git+https://github.com/acme/app@a\b`,
		"git+https://github.com/acme%2Fapp", "git+https://github.com/acme/%2e%2e/app", "git+https://git%68ub.com/acme/app",
		"git+https://github.com/../app", "git+https://github.com/acme/..", "git+https://github.com/./app", "git+https://github.com/acme/./app", "git+https://github.com//app", "git+https://github.com/acme//app",
		"git+https://github.com/acme/app.git.git", "git+https://github.com/acme/app//",
		"git+https://gíthub.com/acme/app", "git+https://github.com\u3002evil/acme/app", "git+https://[::1]/acme/app", "git+https://github_com/acme/app", "git+https://*/acme/app",
		"git+https://github.com/acme/a pp", "git+https://github.com/acme/app@a b", "git+https://github.com/acme/app\u00a0", "git+https:// github.com/acme/app",
		"git@:acme/app", "git@github.com:", "git@github.com:../app", "git@github.com:/acme/app", "git@github.com:22:acme/app?x",
		"https://github.com:443/acme/app/commit/" + sha, "https://alice@github.com/acme/app/commit/" + sha, "https://github.com/commit/" + sha + "/../x/commit/",
	} {
		if n, err := ParseName(spelling); err == nil && (n.Git || !isURI(spelling)) {
			t.Errorf("%q gives %+v", spelling, n)
		}
	}
}

func TestRuleName(t *testing.T) {
	t.Parallel()
	for _, r := range []struct{ name, uri, want string }{
		{"app", "", "app"},
		{"", app, app},
		{app, app + "@refs/heads/main", app},
		{"git@github.com:acme/app.git", app, app},
		{"source", app, app},
		{"app", "https://example.com/app", "https://example.com/app"},
		{"pkg:npm/a@1", "https://example.com/a.tgz", "https://example.com/a.tgz"},
		{"", "", ""},
		{app, "git+https://github.com/acme/lib", ""},
		{"git+https://github.com/evil/app", app, ""},
		{app, "https://example.com/app", ""},
		{app, "pkg:npm/app", ""},
		{"https://github.com/acme/app", app, ""},
		{"pkg:npm/app", app, ""},
		{"../x", app, ""},
		{"a\nb", app, ""},
		{"app", "git+https://github.com:1/a/b", ""},
		{app, "git+http://github.com/acme/app", ""},
	} {
		n, err := RuleName(r.name, r.uri)
		if n.Text != r.want || (err == nil) != (r.want != "") {
			t.Errorf("name %q and uri %q give %q (%v), expected %q", r.name, r.uri, n.Text, err, r.want)
		}
	}
}

func TestGitSource(t *testing.T) {
	t.Parallel()
	for repository, want := range map[string]string{
		"https://github.com/acme/app": app, "https://github.com/acme/app.git": app, "HTTPS://GitHub.com/acme/app": app, "https://gitlab.com/a/b/c": "git+https://gitlab.com/a/b/c",
		"": "", "github.com/acme/app": "", "http://github.com/acme/app": "", "ssh://git@github.com/acme/app": "", "https://github.com": "", "https://github.com/acme/app@main": "",
		"https://github.com:1/acme/app": "", "https://x@github.com/acme/app": "", "https://github.com/acme/app?x": "", "git@github.com:acme/app": "", "https://github.com/../app": "", "https:github.com/acme/app": "", "::": "",
	} {
		n, err := GitSource(repository)
		if n.Text != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q (%v), expected %q", repository, n.Text, err, want)
		}
	}
}

// Whatever is read is read the same way again, and is what it says it is.
func FuzzName(f *testing.F) {
	for _, s := range []string{app, "git@github.com:acme/app.git@x", "https://github.com/acme/app/commit/" + sha, "./a//b/../c", "ssh://git@h/o/r", "pkg:npm/a", "git+http://h/o/r", "İgit+https://h/o", "git+https://h/r.git.git", ""} {
		f.Add(s, s)
		f.Add(s, app)
		f.Add("x", s)
	}
	f.Fuzz(func(t *testing.T, name, uri string) {
		n, err := ParseName(name)
		if err == nil {
			again, err := ParseName(n.Text)
			if err != nil || again.Text != n.Text || again.Git != n.Git || again.Ref != "" {
				t.Fatalf("%q is read as %+v, and that as %+v (%v)", name, n, again, err)
			}
			if n.Text == "" || len(n.Text) > len(name)+len("git+https://") || strings.ContainsAny(n.Text+n.Ref, "\n\r\x00") {
				t.Fatalf("%q is read as %+v", name, n)
			}
			if rest, ok := strings.CutPrefix(n.Text, "git+https://"); ok {
				host, path, _ := strings.Cut(rest, "/")
				if !n.Git || host == "" || path == "" || host != strings.ToLower(host) || strings.ContainsAny(host, "@:%?# ") || strings.ContainsAny(path, "@?#% ") {
					t.Fatalf("%q is read as %+v", name, n)
				}
			}
			for _, segment := range strings.Split(n.Text, "/") {
				if segment == ".." && !isURI(n.Text) {
					t.Fatalf("%q climbs as %q", name, n.Text)
				}
			}
		}
		both, err := RuleName(name, uri)
		if err != nil {
			return
		}
		if uri != "" {
			if alone, err := ParseName(uri); err != nil || alone != both {
				t.Fatalf("name %q changes uri %q from %+v to %+v", name, uri, alone, both)
			}
		}
		if n.Git && both.Text != n.Text {
			t.Fatalf("name %q is git source %q, and with uri %q it is %q", name, n.Text, uri, both.Text)
		}
	})
}
