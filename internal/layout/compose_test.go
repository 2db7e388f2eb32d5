package layout

import (
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

func composition(t *testing.T) Composition {
	t.Helper()
	config := attestationtest.PublicGood()
	config.Seed = "composed layouts"
	s, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.NewKey("dora")
	if err != nil {
		t.Fatal(err)
	}
	pem, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	return Composition{
		Repository: repo, RepositoryID: repoID, Threshold: 2, Workflow: "release.yml", Ref: "refs/heads/main", Root: "sigstore",
		Authors: []ComposedAuthor{
			{Identity: "alice@example.com", Issuer: github}, {Identity: "alice@example.org", Issuer: google},
			{Name: "Carol's laptop", Key: []byte(anSSHKey + " carol@laptop\n")}, {Key: pem}, {Identity: "builder@example.com", Issuer: google},
		},
		Expires: day().AddDate(1, 0, 0), Now: day(), Verify: "signatus verify ARTIFACT --layout layout.yml",
	}
}

// TestCompose holds what is written, which lints clean and says what was asked for.
func TestCompose(t *testing.T) {
	t.Parallel()
	several := composition(t)
	alone := several
	alone.Authors, alone.Threshold, alone.Ref, alone.RepositoryID, alone.Subjects = nil, 0, "refs/tags/*", "", []string{"app-*", "*.deb"}
	for name, c := range map[string]Composition{"composed-authors.yml": several, "composed-builder.yml": alone} {
		text, err := Compose(c)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, string(text))
		describes(t, name, text)
	}
}

// TestComposeRefuses changes one thing in a composition: what would be read otherwise
// than it is meant is not written.
func TestComposeRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Composition){
		"github.com/OWNER/NAME": func(c *Composition) { c.Repository = "gitlab.com/acme/app" },
		"is none of":            func(c *Composition) { c.Repository = "github.com/acme/app.git" },
		"a wildcard":            func(c *Composition) { c.Repository = "github.com/acme/*" },
		"no repository":         func(c *Composition) { c.Repository = "" },
		"threshold is 0":        func(c *Composition) { c.Threshold = 0 },
		"threshold is 6":        func(c *Composition) { c.Threshold = 6 },
		`workflow ""`:           func(c *Composition) { c.Workflow = "" },
		`workflow "a/b.yml"`:    func(c *Composition) { c.Workflow = "a/b.yml" },
		`workflow "*"`:          func(c *Composition) { c.Workflow = "*" },
		`ref "main"`:            func(c *Composition) { c.Ref = "main" },
		"refs/heads/**":         func(c *Composition) { c.Ref = "refs/heads/**" },
		"layout-expired":        func(c *Composition) { c.Expires = c.Now },
		"layout-expiry-too-far": func(c *Composition) { c.Expires = c.Now.AddDate(3, 0, 0) },
		"no expiry":             func(c *Composition) { c.Expires = time.Time{} },
		"no time to lint":       func(c *Composition) { c.Now = time.Time{} },
		`author "*@`:            func(c *Composition) { c.Authors[0].Identity = "*@example.com" },
		"shared-identity":       func(c *Composition) { c.Authors[1] = c.Authors[0] },
		"two-issuers":           func(c *Composition) { c.Authors[1].Identity = c.Authors[0].Identity },
		"reading the public":    func(c *Composition) { c.Authors[2].Key = []byte("no key") },
		"has no subject":        func(c *Composition) { c.Subjects = []string{"app-["} },
		"cannot be seen":        func(c *Composition) { c.Subjects = []string{"a\nb"} },
		`"refs/heads/mai`:       func(c *Composition) { c.Ref = "refs/heads/mai\xff" },
		`"Alice`:                func(c *Composition) { c.Authors[0].Name = "Alice\u202e" },
		"or a brace":            func(c *Composition) { c.RepositoryID = "{repo}" },
		"holds a character":     func(c *Composition) { c.Verify = "a\n_type: x" },
	} {
		c := composition(t)
		change(&c)
		text, err := Compose(c)
		if err == nil || text != nil {
			t.Errorf("%s: composed", name)
		} else if plain := strings.Contains(name, " ") && !strings.ContainsAny(name, "\"0123456789"); !plain && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCompose: whatever is asked for, what is written is a layout of that repository
// and workflow, or nothing is written.
func FuzzCompose(f *testing.F) {
	f.Add("github.com/acme/app", "123", "alice@example.com", "release.yml", "refs/heads/main", "*")
	f.Add("github.com/acme/app", "123", "alice@example.com", "release.yml", "refs/heads/main", "\x80")
	f.Add("github.com/acme/app", "123", "alice@example.com", "release.yml", "refs/heads/mai\xff", "*")
	f.Add("github.com/acme/a: b", "1\n", "a # b@c", "x: y.yml", "refs/tags/*", "\"")
	f.Fuzz(func(t *testing.T, repository, id, author, workflow, ref, subject string) {
		text, err := Compose(Composition{
			Repository: repository, RepositoryID: id, Authors: []ComposedAuthor{{Identity: author, Issuer: github}}, Threshold: 1,
			Workflow: workflow, Ref: ref, Root: "sigstore", Subjects: []string{subject}, Expires: day().AddDate(1, 0, 0), Now: day(),
		})
		if err != nil {
			return
		}
		l, findings := Parse("composed.yml", text, day())
		if l == nil {
			t.Fatal(findings)
		}
		d := l.Describe()
		builder := d.Principals[len(d.Principals)-1].Functionaries[0]
		if d.Source != repository || len(d.Steps) != 2 || d.Subjects[0].Patterns[0] != subject || builder.Identity != "https://"+repository+"/.github/workflows/"+workflow+"@"+ref ||
			d.Principals[0].Functionaries[0].Identity != author {
			t.Errorf("asked for %q %q %q %q %q %q, and written is\n%s", repository, id, author, workflow, ref, subject, text)
		}
	})
}
