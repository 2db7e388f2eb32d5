package gitrepo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/gitobject"
)

// resolves holds a revision to what git says of it.
func (h history) resolves(t *testing.T, dir string, revs map[string]string) {
	t.Helper()
	repository, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	for rev, ref := range revs {
		want := Commit{ID: git(t, dir, "rev-parse", rev+"^{commit}"), Tree: git(t, dir, "rev-parse", rev+"^{tree}"), Ref: ref}
		if ref == "" {
			want.Ref = want.ID
		}
		if got, err := repository.Commit(rev); got != want || err != nil {
			t.Errorf("%s: got %+v, %v; expected %+v", rev, got, err, want)
		}
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "tag", "light", h.commits[0])
	git(t, h.dir, "tag", "-a", "-m", "x", "v1", h.commits[1])
	git(t, h.dir, "tag", "-a", "-m", "x", "nested", "v1")
	git(t, h.dir, "branch", "feature/x@1", h.commits[2])
	git(t, h.dir, "update-ref", "refs/remotes/origin/main", h.commits[2])
	git(t, h.dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
	revs := map[string]string{
		"HEAD": "refs/heads/main", "main": "refs/heads/main", "refs/heads/main": "refs/heads/main", "heads/main": "refs/heads/main", "alias": "refs/heads/alias",
		"light": "refs/tags/light", "v1": "refs/tags/v1", "nested": "refs/tags/nested", "tags/v1": "refs/tags/v1", "feature/x@1": "refs/heads/feature/x@1",
		"origin/main": "", h.commits[0]: "", strings.ToUpper(h.commits[0]): "", h.commits[0][:12]: "", h.commits[0][:7]: "", strings.ToUpper(h.commits[3][:11]): "",
		git(t, h.dir, "rev-parse", "nested"): "", git(t, h.dir, "rev-parse", "v1")[:13]: "",
	}
	h.resolves(t, h.dir, revs)
	h.resolves(t, filepath.Join(h.dir, "layouts"), revs)
	git(t, h.dir, "pack-refs", "--all")
	git(t, h.dir, "gc", "--quiet")
	h.resolves(t, h.dir, revs)
	git(t, h.dir, "update-ref", "refs/heads/main", h.commits[1]) // loose again, above a packed one
	h.resolves(t, h.dir, revs)

	bare := filepath.Join(realTemp(t), "bare")
	git(t, h.dir, "clone", "--quiet", "--bare", "file://"+h.dir, bare)
	h.resolves(t, bare, map[string]string{"HEAD": "refs/heads/main", "v1": "refs/tags/v1"})

	git(t, h.dir, "checkout", "--quiet", "--detach", h.commits[1])
	h.resolves(t, h.dir, map[string]string{"HEAD": ""})
	tree := filepath.Join(realTemp(t), "tree")
	git(t, h.dir, "worktree", "add", "--quiet", "-b", "side", tree, h.commits[2])
	h.resolves(t, tree, map[string]string{"HEAD": "refs/heads/side", "main": "refs/heads/main"})
	h.resolves(t, h.dir, map[string]string{"HEAD": ""})
}

// TestCommitSubject is LAYOUT.md 8 from end to end.
func TestCommitSubject(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "remote", "add", "origin", "https://alice:s3cret@GitHub.com/acme/app.git")
	repository, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	name, err := repository.Origin()
	if err != nil {
		t.Fatal(err)
	}
	commit, err := repository.Commit("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	got, err := commit.Subject(name)
	if err != nil {
		t.Fatal(err)
	}
	const app = "git+https://github.com/acme/app"
	if got.Name != app || got.URI != app+"@refs/heads/main" || len(got.Digest) != 2 ||
		got.Digest[artifact.GitCommit] != h.commits[3] || got.Digest[artifact.GitTree] != git(t, h.dir, "rev-parse", "HEAD^{tree}") {
		t.Errorf("got %+v", got)
	}
}

// TestCommitRefused breaks one thing in each row.
func TestCommitRefused(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	blob, tree := git(t, h.dir, "rev-parse", "HEAD:README"), git(t, h.dir, "rev-parse", "HEAD^{tree}")
	git(t, h.dir, "tag", "both", h.commits[0])
	git(t, h.dir, "branch", "both", h.commits[1])
	git(t, h.dir, "tag", "same", h.commits[0])
	git(t, h.dir, "branch", "same", h.commits[0])
	git(t, h.dir, "branch", h.commits[0][:8], h.commits[1])
	git(t, h.dir, "tag", "of-tree", tree)
	git(t, h.dir, "tag", "of-blob", blob)
	git(t, h.dir, "symbolic-ref", "refs/heads/loop", "refs/heads/pool")
	git(t, h.dir, "symbolic-ref", "refs/heads/pool", "refs/heads/loop")
	write(t, filepath.Join(h.dir, ".git/refs/heads/garbage"), "garbage\n")
	write(t, filepath.Join(h.dir, ".git/refs/heads/climbs"), "ref: refs/../../../x\n")
	write(t, filepath.Join(h.dir, ".git/refs/heads/folder/x"), h.commits[0]+"\n")
	repository, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for rev, words := range map[string]string{
		"": "empty", "none": "no such branch", "HEAD~1": "expected HEAD", "HEAD^": "expected HEAD", "main@{1}": "expected HEAD", ":/x": "expected HEAD", "main:README": "expected HEAD", "@": "expected HEAD",
		"../HEAD": "expected HEAD", "refs/../HEAD": "expected HEAD", "a b": "expected HEAD", "main\n": "expected HEAD", "FETCH_HEAD": "no such branch", "config": "no such branch", "heads": "no such branch", "folder": "no such branch", "main/x": "no such branch",
		"both": "refs/heads/both", h.commits[0][:8]: "as well as", h.commits[0][:3]: "no such branch", strings.Repeat("ab", 20): "is not in this clone", strings.Repeat("ab", 10): "no such branch",
		"of-tree": "is a tree", "of-blob": "is a blob", blob: "is a blob", blob[:12]: "is a blob", "loop": "symbolic refs", "garbage": "neither", "climbs": "neither",
		strings.Repeat("ab", 32): "expected 40 lower-case hex digits", strings.Repeat("0", 40): "no such branch",
	} {
		got, err := repository.Commit(rev)
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: got %+v, %v; expected %q", rev, got, err, words)
		}
	}
	// A branch and a tag of one name are no matter where they are one commit.
	if got, err := repository.Commit("same"); err != nil || got.ID != h.commits[0] || got.Ref != "refs/tags/same" {
		t.Errorf("same: got %+v, %v", got, err)
	}
}

func TestCommitIsHashed(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	object := func(id string) string { return filepath.Join(h.dir, ".git/objects", id[:2], id[2:]) }
	other := readFile(t, object(h.commits[0]))
	if err := os.Chmod(object(h.commits[3]), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, object(h.commits[3]), other)
	repository, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, rev := range []string{"HEAD", "main", h.commits[3], h.commits[3][:10]} {
		if got, err := repository.Commit(rev); err == nil || !strings.Contains(err.Error(), "hash to") {
			t.Errorf("%s: got %+v, %v", rev, got, err)
		}
	}
}

func TestUnbornAndShallow(t *testing.T) {
	t.Parallel()
	needsGit(t)
	empty := realTemp(t)
	git(t, empty, "init", "--quiet", "--initial-branch=main")
	repository, err := Open(empty)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repository.Commit("HEAD"); !errors.Is(err, ErrUnborn) || !strings.Contains(err.Error(), "refs/heads/main") {
		t.Errorf("unborn: got %v", err)
	}
	h := newHistory(t)
	clone := filepath.Join(realTemp(t), "clone")
	git(t, h.dir, "clone", "--quiet", "--depth=1", "file://"+h.dir, clone)
	h.resolves(t, clone, map[string]string{"HEAD": "refs/heads/main"})
	if repository, err = Open(clone); err != nil {
		t.Fatal(err)
	}
	_, err = repository.Commit(h.commits[0])
	if _, ok := errors.AsType[*gitobject.MissingError](err); !ok || !strings.Contains(err.Error(), "next: git fetch --depth=1 origin "+h.commits[0]) {
		t.Errorf("a commit before the clone's: got %v", err)
	}
	for _, rev := range []string{h.commits[0][:10], "v1"} {
		if _, err = repository.Commit(rev); err == nil || !strings.Contains(err.Error(), "next: git fetch --unshallow") {
			t.Errorf("%s in a shallow clone: got %v", rev, err)
		}
	}
	write(t, filepath.Join(clone, ".git/reftable/tables.list"), "")
	if _, err = repository.Commit("HEAD"); err == nil || !strings.Contains(err.Error(), "reftable") {
		t.Errorf("reftable: got %v", err)
	}
}

// TestPackedRefsRefused has a packed ref that is damaged.
func TestPackedRefsRefused(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	repository, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(h.dir, ".git/packed-refs")
	write(t, packed, "# pack-refs with: peeled\nHEAD refs/tags/odd\n^x\nrefs/tags/short\n"+h.commits[0]+" refs/tags/fine\n^"+h.commits[1]+"\n")
	if _, err := repository.Commit("odd"); err == nil || !strings.Contains(err.Error(), "packed-refs") {
		t.Errorf("got %v", err)
	}
	if got, err := repository.Commit("fine"); err != nil || got.ID != h.commits[0] {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := os.Truncate(packed, maxPackedRefs+1); err != nil {
		t.Fatal(err)
	}
	if _, err := repository.Commit("fine"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a huge file: got %v", err)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	const app, secret = "git+https://github.com/acme/app", "ghs_s3cret"
	section := func(lines ...string) string { return "[remote \"origin\"]\n\t" + strings.Join(lines, "\n\t") + "\n" }
	for _, r := range []struct{ config, want, words string }{
		{section("url = https://github.com/acme/app", "fetch = +refs/heads/*:refs/remotes/origin/*"), app, ""},
		{section("url = git@github.com:acme/app.git"), app, ""},
		{section("url = https://x-access-token:" + secret + "@github.com/acme/app"), app, ""},
		{section("URL = \"https://github.com/acme/app\" # why"), app, ""},
		{section("url = https://github.com/acme/app", "pushurl = https://github.com/evil/app"), app, ""},
		{section("url = https://github.com/acme/app", "url = git@github.com:acme/app"), app, ""},
		{"[core]\n\tbare = false\n[http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic " + secret + "\n" + section("url = https://github.com/acme/app"), app, ""},
		{"[url \"https://evil.example/\"]\n\tinsteadOf = https://github.com/\n" + section("url = https://github.com/acme/app"), app, ""},
		{"[include]\n\tpath = other\n", "", "no remote"},
		{"", "", "no remote"},
		{"[remote \"upstream\"]\n\turl = https://github.com/acme/app\n", "", "no remote"},
		{"[remote \"Origin\"]\n\turl = https://github.com/acme/app\n", "", "no remote"},
		{section("url = https://github.com/acme/app", "url = https://github.com/evil/app"), "", "two URLs"},
		{section("url = https://" + secret + "@github.com:8443/acme/app"), "", "not shown"},
		{section("url = ../app"), "", "path on this machine"},
		{section("url = http://" + secret + "@github.com/acme/app"), "", "proves nothing"},
		{section("url"), "", "path on this machine"},
		{section("url = https://" + secret + "@github.com/acme/app\" \"\n["), "", "malformed"},
		{strings.Repeat("#\n", maxConfig/2+1), "", "more than"},
	} {
		write(t, filepath.Join(h.dir, ".git/config"), r.config)
		write(t, filepath.Join(h.dir, ".git/other"), section("url = https://github.com/evil/app"))
		repository, err := Open(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		name, err := repository.Origin()
		if name.Text != r.want || (err == nil) != (r.want != "") || err != nil && (!strings.Contains(err.Error(), r.words) || !strings.Contains(err.Error(), "--repo")) {
			t.Errorf("%.200q: got %q, %v; expected %q %q", r.config, name, err, r.want, r.words)
		}
		if strings.Contains(fmt.Sprint(name, err), secret) {
			t.Errorf("%.200q: the secret is shown: %v", r.config, err)
		}
	}
	if err := os.Remove(filepath.Join(h.dir, ".git/config")); err != nil {
		t.Fatal(err)
	}
	repository, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := repository.Origin(); err == nil {
		t.Errorf("without a config: %s", name)
	}
}

func TestOriginOfOtherForms(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	bare := filepath.Join(realTemp(t), "bare")
	git(t, h.dir, "clone", "--quiet", "--bare", "file://"+h.dir, bare)
	git(t, bare, "config", "remote.origin.url", "https://github.com/acme/app")
	repository, err := Find(bare)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := repository.Origin(); err == nil || !strings.Contains(err.Error(), "bare") {
		t.Errorf("bare: got %s, %v", name, err)
	}
	super := filepath.Join(realTemp(t), "super")
	git(t, h.dir, "init", "--quiet", super)
	git(t, super, "remote", "add", "origin", "https://github.com/acme/super")
	git(t, super, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "file://"+h.dir, "libs/app")
	sub := filepath.Join(super, "libs/app")
	git(t, sub, "config", "remote.origin.url", "https://github.com/acme/app")
	if repository, err = Find(filepath.Join(sub, "layouts")); err != nil {
		t.Fatal(err)
	}
	if name, err := repository.Origin(); err == nil || !strings.Contains(err.Error(), "submodule") {
		t.Errorf("submodule: got %s, %v", name, err)
	}
	h.resolves(t, sub, map[string]string{"HEAD": "refs/heads/main"})

	tree := filepath.Join(realTemp(t), "modules", "tree")
	git(t, h.dir, "worktree", "add", "--quiet", "--detach", tree)
	git(t, h.dir, "remote", "add", "origin", "https://github.com/acme/app")
	if repository, err = Open(tree); err != nil {
		t.Fatal(err)
	}
	if name, err := repository.Origin(); err != nil || name.Text != "git+https://github.com/acme/app" {
		t.Errorf("worktree: got %s, %v", name, err)
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("[remote \"origin\"]\n\turl = https://a:b@github.com/acme/app.git\n")
	f.Add("[core]\n\tx = \"a\\\nb\" ; c\n[remote \"origin\"] url=git@h:o/r\n[remote \"\\\"\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		name, err := parseOrigin(text)
		if err == nil && (!name.Git || name.Ref != "" || !strings.HasPrefix(name.Text, "git+https://")) {
			t.Fatalf("%q is %+v", text, name)
		}
	})
}
