package endtoend

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

// TestNotes is the main job with the author's word kept in the repository: two authors
// note it in clones of their own and push, the job signs what it built, and who has
// the file and a fresh clone verifies both.
func TestNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	there := filepath.Join(t.TempDir(), "app.git")
	git(t, w.dir, "clone", "-q", "--bare", w.dir, there)
	for _, author := range []string{"alice@example.com", "bob@example.com"} {
		clone := filepath.Join(t.TempDir(), "clone")
		git(t, w.dir, "clone", "-q", there, clone)
		r := w.run(who{person: true, dir: clone}, "attest", "--commit", "HEAD", "--repo", "github.com/acme/app", "--store", "notes", "--push", "--identity-token", w.token(sandbox.TokenRequest{Kind: sandbox.Email, Email: author, Issuer: sandbox.OAuthIssuer}))
		if !r.has(0, "note    refs/notes/attestations", "is pushed to origin", author) {
			t.Fatalf("%+v", r)
		}
	}
	notes := git(t, there, "notes", "--ref=attestations", "show", w.sha)
	if strings.Count(notes, "\n") != 1 {
		t.Errorf("the note has other than two lines:\n%s", notes)
	}
	w.scan("the note", notes)
	if r := w.attest("dist/app"); r.code != 0 {
		t.Fatalf("%+v", r)
	}

	fresh := filepath.Join(t.TempDir(), "fresh")
	git(t, w.dir, "clone", "-q", "--depth=1", "file://"+there, fresh)
	verify := func(author string) result {
		return w.run(who{person: true, dir: fresh}, "verify", filepath.Join(w.dir, "dist/app"), "--bundle", filepath.Join(w.dir, "dist/app.sigstore.jsonl"), "--git", ".",
			"--layout", w.layout(), "--param", "repo=github.com/acme/app", "--param", "repoId=728493015", "--param", "author="+author, "--param", "workflow=release.yml")
	}
	if r := verify("alice@example.com"); !r.has(1, "run  git fetch origin refs/notes/attestations:refs/notes/attestations") {
		t.Errorf("without the notes: %+v", r)
	}
	git(t, fresh, "fetch", "-q", "origin", "refs/notes/attestations:refs/notes/attestations")
	for author, code := range map[string]int{"alice@example.com": 0, "bob@example.com": 0, "mallory@example.com": 1} {
		if r := verify(author); r.code != code {
			t.Errorf("%s: %+v", author, r)
		}
	}
}
