package gitremote_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitremote"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

const commit = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"

// here is a new repository on this side.
func here(t testing.TB) *gitrepo.Repository {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	return must[*gitrepo.Repository](t)(gitrepo.Open(dir))
}

func (s served) open(t testing.TB, from *gitrepo.Repository) gitremote.Remote {
	t.Helper()
	return must[gitremote.Remote](t)(gitremote.Open(from, s.address, s.options))
}

func notes(r *gitrepo.Repository) evidence.Notes {
	return evidence.Notes{Repository: r, Now: time.Unix(1700000000, 0)}
}

// note notes a line here.
func note(t testing.TB, r *gitrepo.Repository, n int) {
	t.Helper()
	if err := notes(r).Add(t.Context(), commit, line(n)); err != nil {
		t.Fatal(err)
	}
}

// lines are those that git reads in a repository.
func lines(t testing.TB, dir string) string {
	t.Helper()
	tree := git(t, dir, "ls-tree", "-r", gitnotes.Ref)
	fields := strings.Fields(tree)
	if len(fields) != 4 || strings.ReplaceAll(fields[3], "/", "") != commit {
		t.Fatalf("the notes are\n%s", tree)
	}
	git(t, dir, "fsck", "--strict", "--no-dangling")
	return git(t, dir, "cat-file", "blob", fields[2])
}

// TestPush sends, fetches and unites notes in each way.
func TestPush(t *testing.T) {
	t.Parallel()
	for name, serve := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			alice, bob := here(t), here(t)
			push := func(r *gitrepo.Repository, wantMerged bool) {
				t.Helper()
				merged, err := notes(r).Push(t.Context(), s.open(t, r))
				if err != nil || merged != wantMerged {
					t.Fatalf("merged: %t, expected %t; %v", merged, wantMerged, err)
				}
			}
			note(t, alice, 1)
			push(alice, false)
			push(alice, false) // nothing new
			note(t, alice, 2)
			push(alice, false)
			note(t, bob, 3) // knows nothing of alice's
			push(bob, true)
			if got := lines(t, s.dir); got != `{"line":1}`+"\n"+`{"line":2}`+"\n"+`{"line":3}` {
				t.Errorf("there are\n%s", got)
			}
			push(alice, false) // only behind
			if there, mine := lines(t, s.dir), lines(t, alice.Folder()); there != mine {
				t.Errorf("here are\n%s\nand there\n%s", mine, there)
			}
			if got := git(t, s.dir, "rev-list", "--count", gitnotes.Ref); got != "4" {
				t.Errorf("%s commits, expected the notes of three and a merge", got)
			}
		})
	}
}

// TestPushTogether has many push at once: every line arrives.
func TestPushTogether(t *testing.T) {
	t.Parallel()
	for name, serve := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			const all = 5
			var group sync.WaitGroup
			for n := range all {
				r := here(t)
				remote := s.open(t, r)
				note(t, r, n)
				group.Go(func() {
					if _, err := notes(r).Push(t.Context(), remote); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			got := lines(t, s.dir)
			for n := range all {
				if strings.Count(got, string(line(n))) != 1 {
					t.Errorf("%s is lost in\n%s", line(n), got)
				}
			}
		})
	}
}

// TestRefMoved refuses to move a ref that is not what it was said to be.
func TestRefMoved(t *testing.T) {
	t.Parallel()
	for name, serve := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			r := here(t)
			remote := s.open(t, r)
			if tip, err := remote.Tip(t.Context(), gitnotes.Ref); err != nil || tip != "" {
				t.Fatalf("%q, %v", tip, err)
			}
			note(t, r, 1)
			one := must[string](t)(r.Ref(gitnotes.Ref))
			note(t, r, 2)
			two := must[string](t)(r.Ref(gitnotes.Ref))
			for _, move := range []struct {
				old, id string
				moved   bool
			}{{one, two, true}, {"", one, false}, {"", two, true}, {two, one, true}, {one, two, false}} {
				err := remote.Push(t.Context(), gitnotes.Ref, move.old, move.id)
				if errors.Is(err, gitrepo.ErrRefMoved) != move.moved || (err == nil) == move.moved {
					t.Errorf("from %.7s to %.7s: %v", move.old, move.id, err)
				}
			}
			if tip, err := remote.Tip(t.Context(), gitnotes.Ref); err != nil || tip != two {
				t.Errorf("%q, %v", tip, err)
			}
			if err := remote.Fetch(t.Context(), gitnotes.Ref, strings.Repeat("1", 40), ""); err == nil {
				t.Error("a commit that no ref names was fetched")
			}
		})
	}
}

// TestHookRefuses tells a remote that refuses for good from one where others are
// faster. On a path there are no hooks.
func TestHookRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"http", "ssh"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ways()[name](t)
			hook := filepath.Join(s.dir, "hooks", "pre-receive")
			if err := os.WriteFile(hook, []byte("#!/bin/sh\necho no notes here >&2\nexit 1\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			r := here(t)
			note(t, r, 1)
			_, err := notes(r).Push(t.Context(), s.open(t, r))
			if err == nil || errors.Is(err, gitrepo.ErrRefMoved) || !strings.Contains(err.Error(), "it refused to move refs/notes/attestations: pre-receive hook declined") {
				t.Errorf("%v", err)
			}
			if got := must[string](t)(r.Ref(gitnotes.Ref)); got == "" {
				t.Error("the note is gone")
			}
		})
	}
}

// TestFetchBeyond brings what is new, where much is known, from a repository that
// packs with deltas.
func TestFetchBeyond(t *testing.T) {
	t.Parallel()
	for name, serve := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			alice, bob := here(t), here(t)
			for n := range 20 {
				note(t, alice, n)
			}
			push := func(r *gitrepo.Repository) {
				t.Helper()
				if _, err := notes(r).Push(t.Context(), s.open(t, r)); err != nil {
					t.Fatal(err)
				}
			}
			push(alice)
			git(t, s.dir, "gc", "--quiet")
			if err := s.open(t, bob).Fetch(t.Context(), gitnotes.Ref, must[string](t)(alice.Ref(gitnotes.Ref)), ""); err != nil {
				t.Fatal(err)
			}
			note(t, alice, 20)
			push(alice)
			known, tip := git(t, alice.Folder(), "rev-parse", gitnotes.Ref+"~1"), must[string](t)(alice.Ref(gitnotes.Ref))
			if err := s.open(t, bob).Fetch(t.Context(), gitnotes.Ref, tip, known); err != nil {
				t.Fatal(err)
			}
			fetched, err := gitnotes.Open(bob.Object, tip)
			if err != nil {
				t.Fatal(err)
			}
			if found, err := fetched.Of(commit); err != nil || len(found) != 1 || strings.Count(string(found[0].Data), "\n") != 21 {
				t.Errorf("%d notes, %v", len(found), err)
			}
			if _, err := bob.Object(known, gitobject.MaxCommitBytes); err != nil {
				t.Error(err)
			}
		})
	}
}
