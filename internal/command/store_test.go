package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestNotesTogether has several processes add to the note of one commit at once, and
// git to that of another one: every line is there afterwards.
func TestNotesTogether(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	signatus, dir := build(t), t.TempDir()
	run := func(name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out), err
	}
	git := func(args ...string) string {
		t.Helper()
		out, err := run("git", args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	git("init", "--quiet", "--initial-branch=main")
	git("commit", "--quiet", "--allow-empty", "-m", "one")
	git("commit", "--quiet", "--allow-empty", "-m", "two")
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), theWorld(t)["release.pem"], 0o600); err != nil {
		t.Fatal(err)
	}
	const all = 6
	var group sync.WaitGroup
	for n := range all {
		group.Go(func() {
			if _, err := run(signatus, "attest", "--commit", "HEAD", "--repo", "github.com/acme/app", "--key", "key.pem", "--step", fmt.Sprint("step-", n), "--store", "notes"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Go(func() {
		// Git takes the notes' tip when it begins, and gives up where it has moved.
		for range 20 {
			if _, err := run("git", "notes", "--ref=attestations", "append", "-m", "a line of git's", "HEAD~1"); err == nil {
				return
			}
		}
	})
	group.Wait()
	if got := strings.Count(git("notes", "--ref=attestations", "show", "HEAD"), "sigstore.bundle"); got != all {
		t.Errorf("%d lines, expected %d", got, all)
	}
	git("fsck", "--strict")
}

// TestTooManyForGitHub: GitHub takes so many in an hour, and who has more is told before
// anything is done.
func TestTooManyForGitHub(t *testing.T) {
	t.Parallel()
	dir := at(t)
	var sums strings.Builder
	for n := range 501 {
		fmt.Fprintf(&sums, "%064x  file-%d\n", n, n)
	}
	list := write(t, dir, "sums", []byte(sums.String()))
	for _, store := range []string{"github", "release=v1"} {
		run(t, nil, "attest", "--checksums", list, "--key", filepath.Join(dir, "release.pem"), "--step", "build", "--one-per-subject", "--store", store).
			demand(t, 2, "501 bundles, and GitHub takes at most 500 in an hour", "next: leave --one-per-subject out")
	}
}
