package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

func blob(text string) gitobject.Raw {
	return gitobject.Raw{Kind: gitobject.BlobKind, Data: []byte(text)}
}

// opened is an empty repository of git's own making.
func opened(t *testing.T) *Repository {
	t.Helper()
	needsGit(t)
	dir := realTemp(t)
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Repository) put(t *testing.T, text string) string {
	t.Helper()
	id, err := r.Write(blob(text))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWrite(t *testing.T) {
	t.Parallel()
	r := opened(t)
	for _, text := range []string{"", "one\n", strings.Repeat("large ", 1<<20)} {
		id := r.put(t, text)
		if again := r.put(t, text); again != id {
			t.Errorf("%s and %s are one object", id, again)
		}
		if got, err := r.Object(id, 1<<24); err != nil || string(got.Data) != text || got.Check(id) != nil {
			t.Errorf("read back %d bytes, %v", len(got.Data), err)
		}
		if got := git(t, r.root, "cat-file", "-s", id); got != fmt.Sprint(len(text)) {
			t.Errorf("git reads %s bytes", got)
		}
	}
	git(t, r.root, "fsck", "--strict")
	left, err := filepath.Glob(filepath.Join(r.common, "objects/*/tmp_*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestMoveRef(t *testing.T) {
	t.Parallel()
	const ref = "refs/notes/attestations"
	r := opened(t)
	one, two := r.put(t, "one"), r.put(t, "two")
	move := func(old, to string) error { return r.MoveRef(t.Context(), ref, old, to) }
	if err := move(one, two); !errors.Is(err, ErrRefMoved) {
		t.Errorf("a ref that is not there moved: %v", err)
	}
	if err := move("", one); err != nil {
		t.Fatal(err)
	}
	if err := move("", two); !errors.Is(err, ErrRefMoved) {
		t.Errorf("a new ref took the place of one: %v", err)
	}
	if err := move(two, one); !errors.Is(err, ErrRefMoved) {
		t.Errorf("moved from what it was not: %v", err)
	}
	git(t, r.root, "pack-refs", "--all")
	if err := move(one, two); err != nil {
		t.Errorf("a packed ref: %v", err)
	}
	if got := git(t, r.root, "rev-parse", ref); got != two {
		t.Errorf("git reads %s, expected %s", got, two)
	}
	if err := r.MoveRef(t.Context(), "HEAD", "", one); err == nil {
		t.Error("HEAD was moved")
	}
	if err := r.MoveRef(t.Context(), "refs/notes/../heads/main", "", one); err == nil {
		t.Error("a ref outside was moved")
	}
	write(t, filepath.Join(r.common, ref), "ref: refs/heads/main\n")
	if err := move("", one); err == nil || !strings.Contains(err.Error(), "symbolic ref to refs/heads/main") {
		t.Errorf("a symbolic ref: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(r.common, "refs/notes/*.lock"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestMoveRefWaits waits for git's own lock, and says whose it is where it stays.
func TestMoveRefWaits(t *testing.T) {
	t.Parallel()
	const ref = "refs/notes/attestations"
	r := opened(t)
	one := r.put(t, "one")
	lock := filepath.Join(r.common, ref+".lock")
	write(t, lock, "")
	done := make(chan error, 1)
	go func() { done <- r.MoveRef(context.WithoutCancel(t.Context()), ref, "", one) }()
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	write(t, lock, "")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if err := r.MoveRef(ctx, ref, one, r.put(t, "two")); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("%v", err)
	}
	if got, err := r.Ref(ref); err != nil || got != one {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWritePack(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "repack", "-adfq", "--depth=50", "--window=50")
	packs, err := filepath.Glob(filepath.Join(h.dir, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	pack := []byte(readFile(t, packs[0]))
	r := opened(t)
	if _, err := r.Object(h.commits[0], 1<<20); !errors.Is(err, gitobject.ErrMissing) {
		t.Fatal(err)
	}
	middle := bytes.Clone(pack)
	middle[len(middle)/2] ^= 1
	for name, broken := range map[string][]byte{"cut off": pack[:len(pack)-40], "changed": middle, "empty": nil, "no pack": []byte("<html>")} {
		if err := r.WritePack(bytes.NewReader(broken)); err == nil {
			t.Errorf("%s: it is kept", name)
		}
		if left, err := filepath.Glob(filepath.Join(r.common, "objects/pack/*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %q, %v", name, left, err)
		}
	}
	for range 2 {
		if err := r.WritePack(bytes.NewReader(pack)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range h.commits {
		if raw, err := r.Object(id, 1<<20); err != nil || raw.Check(id) != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	git(t, r.root, "fsck", "--strict")
}

func TestRemote(t *testing.T) {
	t.Parallel()
	r := opened(t)
	config := filepath.Join(r.common, "config")
	for text, want := range map[string][2]string{
		"[remote \"origin\"]\nurl = https://example.com/a.git\n":                                                        {"https://example.com/a.git", "https://example.com/a.git"},
		"[remote \"origin\"]\nurl = https://example.com/a.git\npushurl = git@example.com:a.git\n":                       {"https://example.com/a.git", "git@example.com:a.git"},
		"[remote \"origin\"]\nurl = ../a.git\n":                                                                         {filepath.Join(r.root, "../a.git"), filepath.Join(r.root, "../a.git")},
		"[url \"https://evil.example/\"]\ninsteadOf = https://\n[remote \"origin\"]\nurl = https://example.com/a.git\n": {"https://example.com/a.git", "https://example.com/a.git"},
	} {
		write(t, config, text)
		if fetch, push, err := r.Remote("origin"); err != nil || fetch != want[0] || push != want[1] {
			t.Errorf("%s: %s and %s, %v", text, fetch, push, err)
		}
	}
	for text, says := range map[string]string{
		"": "no such remote",
		"[remote \"other\"]\nurl = https://example.com/a.git\n":                                "no such remote",
		"[remote \"origin\"]\nurl = https://a.example/x\nurl = https://b.example/x\n":          "several URLs",
		"[remote \"origin\"\nurl = https://token@example.com/a\n":                              "malformed",
		"[remote \"origin\"]\nurl = https://a/x\npushurl = https://b/x\npushurl = https://c/x": "several URLs",
	} {
		write(t, config, text)
		_, _, err := r.Remote("origin")
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "token") {
			t.Errorf("%q: %v, expected %q", text, err, says)
		}
	}
}
