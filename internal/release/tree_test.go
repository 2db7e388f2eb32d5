package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	digest   = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447"
	released = imageName + "@sha256:" + digest
	metadata = "name: Signatus\nruns:\n  using: docker\n  image: Dockerfile\n  args: [action]\n"
)

// repository is one made anew, with a commit P of a few files.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	r.write(metadataFile, metadata)
	r.write("cmd/signatus/main.go", "package main\n")
	r.commit("P")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Alice", "-c", "user.email=alice@example.com", "-c", "commit.gpgsign=false", "-c", "core.fileMode=true"}, args...)...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) write(name, text string) {
	r.t.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) commit(message string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// pin pins the image as a maintainer does.
func (r repository) pin() {
	r.t.Helper()
	if err := pin(filepath.Join(r.dir, metadataFile), released); err != nil {
		r.t.Fatal(err)
	}
}

// replace writes action.yml with one thing changed.
func (r repository) replace(before, after string) {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, metadataFile))
	if err != nil {
		r.t.Fatal(err)
	}
	if strings.Count(string(data), before) != 1 {
		r.t.Fatalf("%s has no one %q", metadataFile, before)
	}
	r.write(metadataFile, strings.Replace(string(data), before, after, 1))
}

// TestCheckCommit holds R to P: the first row is how it is done, and each of the others
// breaks one thing of it.
func TestCheckCommit(t *testing.T) {
	t.Parallel()
	other := strings.Repeat("0", 64)
	for _, row := range []struct {
		name   string
		change func(repository) // of the tree of P, and the commit R where it is no ordinary one
		words  string           // empty where R is as it must be
	}{
		{"the image is pinned", repository.pin, ""},

		{"nothing is changed", func(repository) {}, "changes nothing"},
		{"the program is changed", func(r repository) { r.pin(); r.write("cmd/signatus/main.go", "package main // and a miner\n") }, `"cmd/signatus/main.go"`},
		{"a file is added", func(r repository) { r.pin(); r.write("cmd/signatus/extra.go", "package main\n") }, `"cmd/signatus/extra.go"`},
		{"a file is added whose name is meant to hide", func(r repository) { r.pin(); r.write("action.yml ", "x") }, `"action.yml "`},
		{"a file is taken away", func(r repository) { r.pin(); r.git("rm", "-q", "cmd/signatus/main.go") }, `"cmd/signatus/main.go"`},
		{"a workflow is added", func(r repository) { r.pin(); r.write(".github/workflows/release.yml", "on: push\n") }, ".github/workflows/release.yml"},
		{"a submodule is added", func(r repository) {
			r.pin()
			r.git("clone", "-q", ".", "vendor")
		}, `"vendor"`},
		{"action.yml can be run", func(r repository) {
			r.pin()
			if err := os.Chmod(filepath.Join(r.dir, metadataFile), 0o755); err != nil {
				r.t.Fatal(err)
			}
		}, "more of action.yml than its content"},
		{"action.yml is a link", func(r repository) {
			r.write("other.yml", "x")
			r.commit("P, with another file")
			if err := os.Remove(filepath.Join(r.dir, metadataFile)); err != nil {
				r.t.Fatal(err)
			}
			if err := os.Symlink("other.yml", filepath.Join(r.dir, metadataFile)); err != nil {
				r.t.Fatal(err)
			}
		}, "more of action.yml than its content"},
		{"another line is changed too", func(r repository) { r.pin(); r.replace("args: [action]", "args: [version]") }, "line 5 of action.yml differs too"},
		{"another line is changed alone", func(r repository) { r.replace("args: [action]", "args: [version]") }, `line 5 of action.yml is "  args: [action]" in the parent`},
		{"a line is added", func(r repository) { r.pin(); r.replace("  args: [action]", "  args: [action]\n  entrypoint: /bin/sh") }, "7 lines and 6 in the parent"},
		{"another registry", func(r repository) { r.pin(); r.replace("ghcr.io/signatus-dev", "ghcr.io/mallory") }, "expected the image docker://"},
		{"a tag in place of a digest", func(r repository) { r.pin(); r.replace("@sha256:"+digest, ":v1.0.0") }, "expected the image docker://"},
		{"a tag beside the digest", func(r repository) { r.pin(); r.replace("@sha256:", ":v1.0.0@sha256:") }, "expected the image docker://"},
		{"a digest that is too short", func(r repository) { r.pin(); r.replace(digest, digest[1:]) }, "expected the image docker://"},
		{"something behind the digest", func(r repository) { r.pin(); r.replace(digest, digest+" # latest") }, "expected the image docker://"},
		{"the parent pins an image already", func(r repository) { r.pin(); r.commit("R before"); r.replace(digest, other) }, `expected "  image: Dockerfile"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			row.change(r)
			before := r.git("rev-parse", "HEAD")
			commit := r.commit("R")
			found, err := checkCommit(t.Context(), r.dir, commit)
			switch {
			case row.words == "" && err != nil:
				t.Errorf("%v, expected no error", err)
			case row.words == "" && found != (taggedCommit{id: commit, parent: before, image: released}):
				t.Errorf("found %+v", found)
			case row.words != "" && (err == nil || !strings.Contains(err.Error(), row.words)):
				t.Errorf("got %v, expected %q", err, row.words)
			}
		})
	}
}

// TestCheckCommitParents: R has one parent, and a name that is an option is none.
func TestCheckCommitParents(t *testing.T) {
	r := newRepository(t)
	first := r.git("rev-parse", "HEAD")
	r.git("checkout", "-q", "-b", "aside")
	r.write("aside", "")
	r.commit("aside")
	r.git("checkout", "-q", "main")
	r.pin()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "R")
	r.git("tag", "-a", "-m", "the release", "v1.0.0")
	tagged := r.git("rev-parse", "HEAD")
	r.git("merge", "-q", "--no-ff", "-m", "merged", "aside")
	for commit, words := range map[string]string{
		"HEAD": "2 parents", first: "0 parents", "v9": "v9", "--all": "running git", "": "running git",
	} {
		if _, err := checkCommit(t.Context(), r.dir, commit); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("commit %q: got %v, expected %q", commit, err, words)
		}
	}
	// A tag leads to its commit, and what replaces an object is not looked at.
	r.git("replace", first, r.git("rev-parse", "aside"))
	if found, err := checkCommit(t.Context(), r.dir, "v1.0.0"); err != nil || found.id != tagged || found.parent != first {
		t.Errorf("found %+v and %v, expected %s of %s", found, err, tagged, first)
	}
	var out bytes.Buffer
	t.Chdir(r.dir)
	if err := run(t.Context(), []string{"check", "-commit", "v1.0.0"}, &out); err != nil {
		t.Error(err)
	}
	if want := fmt.Sprintf("commit=%s\nparent=%s\nimage=%s\n", tagged, first, released); out.String() != want {
		t.Errorf("printed %q, expected %q", out.String(), want)
	}
}

// TestPin refuses what check would refuse, before anything is committed, and the file
// of this very tree can be pinned.
func TestPin(t *testing.T) {
	t.Parallel()
	own, err := os.ReadFile("../../" + metadataFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, text, image, words string }{
		{"this tree's", string(own), released, ""},
		{"a tag", metadata, imageName + ":v1", "expected " + imageName + "@sha256:HEX"},
		{"somebody else's", metadata, "ghcr.io/mallory/signatus@sha256:" + digest, "expected " + imageName},
		{"with the scheme", metadata, "docker://" + released, "expected " + imageName},
		{"nothing", metadata, "", "expected " + imageName},
		{"pinned already", strings.Replace(metadata, "Dockerfile", "docker://"+released, 1), released, "has no one line"},
		{"two lines", metadata + sourceLine + "\n", released, "has no one line"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), metadataFile)
			if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := pin(file, row.image)
			is, readErr := os.ReadFile(file)
			if readErr != nil {
				t.Fatal(readErr)
			}
			switch {
			case row.words != "" && (err == nil || !strings.Contains(err.Error(), row.words) || string(is) != row.text):
				t.Errorf("got %v, expected %q and an untouched file", err, row.words)
			case row.words == "" && (err != nil || strings.Count(string(is), "\n  image: docker://"+released+"\n") != 1 || len(is) != len(row.text)+len("docker://"+released)-len("Dockerfile")):
				t.Errorf("got %v and\n%s", err, is)
			}
		})
	}
}
