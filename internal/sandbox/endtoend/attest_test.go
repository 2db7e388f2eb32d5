package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

// TestLoop is the main job: the author's word and the builder's, over one commit,
// through either log, and each half of it missing.
func TestLoop(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1", "2"} {
		t.Run("rekor "+version, func(t *testing.T) {
			t.Parallel() // stock/run has one after the other: -test.parallel 1
			w := newWorld(t, sandbox.Config{Email: "alice@example.com", Issuer: sandbox.OAuthIssuer})
			author := w.run(who{person: true}, "attest", "--commit", "HEAD", "--rekor-version", version, "--identity-token", w.token(sandbox.TokenRequest{Kind: sandbox.Email}))
			if !author.has(0, "in-toto link v0.3, step author", "alice@example.com (https://github.com/login/oauth)", "the repository is https://github.com/acme/app") {
				t.Fatalf("the author: %+v", author)
			}
			builder := w.attest("dist/app", "--rekor-version", version)
			if !builder.has(0, "SLSA provenance v1", "release.yml@refs/heads/main of acme/app (GitHub Actions)", "the certificate proves:", "only asserted:", w.sha) {
				t.Fatalf("the builder: %+v", builder)
			}
			commit := "commit-" + w.sha + ".sigstore.json"
			layout := []string{"verify", "dist/app", "--layout", w.layout(), "--param", "repo=github.com/acme/app", "--param", "repoId=728493015", "--param", "author=alice@example.com", "--param", "workflow=release.yml"}
			both := w.run(who{person: true}, append(layout, "--bundle", commit, "--bundle", "dist/app.sigstore.jsonl")...)
			if !both.has(0, "allowed: dist/app", "✓ author", "✓ build") {
				t.Errorf("both: %+v", both)
			}
			for _, half := range []string{commit, "dist/app.sigstore.jsonl"} {
				if got := w.run(who{person: true}, append(layout, "--bundle", half)...); !got.has(1, "denied: dist/app") {
					t.Errorf("%s alone: %+v", half, got)
				}
			}
			put(t, w.dir, "dist/app", "The app, as it was built\n")
			if got := w.run(who{person: true}, append(layout, "--bundle", commit, "--bundle", "dist/app.sigstore.jsonl")...); !got.has(1, "denied: dist/app") {
				t.Errorf("another file: %+v", got)
			}
		})
	}
}

// layout is the ready-made one, outside of the checkout.
func (w *world) layout() string {
	w.Helper()
	path, err := filepath.Abs("../../../layouts/author-and-builder.yml")
	if err != nil {
		w.Fatal(err)
	}
	return path
}

// TestProvenance reads what was stated.
func TestProvenance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{Claims: map[string]string{"event_name": "workflow_dispatch"}, ImmutableSubject: true})
	put(t, w.dir, "build.log", "it went well\n")
	put(t, w.dir, "event.json", `{"inputs": {"level": "debug", "none": ""}}`)
	r := w.run(who{more: []string{"GITHUB_EVENT_PATH=" + filepath.Join(w.dir, "event.json")}}, "attest", "dist/app", "--sha512", "--build-type", "community",
		"--vars", `{"CHANNEL": "stable"}`, "--byproduct", "build.log", "--started-on", "2026-01-02T03:04:05Z", "--format", "json")
	var report struct {
		Bundles []struct {
			Subjects []struct{ Digest map[string]string }
			Fields   []struct{ Pointer, Value, Proof, Origin string }
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || r.code != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	if digest := report.Bundles[0].Subjects[0].Digest; len(digest) != 2 || digest["sha256"] == "" || digest["sha512"] == "" {
		t.Errorf("the digests are %v", digest)
	}
	for _, want := range []struct {
		pointer, value string
		proven         bool
	}{
		{"/buildDefinition/externalParameters/workflow/path", ".github/workflows/release.yml", true},
		{"/buildDefinition/externalParameters/inputs", `{"level":"debug"}`, false},
		{"/buildDefinition/externalParameters/vars", `{"CHANNEL":"stable"}`, false},
		{"/buildDefinition/resolvedDependencies/0/digest/gitCommit", w.sha, true},
		{"/runDetails/metadata/startedOn", "2026-01-02T03:04:05Z", false},
	} {
		found := false
		for _, f := range report.Bundles[0].Fields {
			if f.Pointer == want.pointer {
				found = true
				if f.Value != want.value || (f.Proof != "") != want.proven || (f.Origin == "") != want.proven {
					t.Errorf("%+v, expected %+v", f, want)
				}
			}
		}
		if !found {
			t.Errorf("%s is not stated", want.pointer)
		}
	}
	if got := w.verify("dist/app"); !got.has(0, "allowed") {
		t.Errorf("%+v", got)
	}
}

// TestOutputs is where bundles go, and what is never written over.
func TestOutputs(t *testing.T) {
	t.Parallel()
	many := strings.Builder{}
	for n := range 1025 {
		fmt.Fprintf(&many, "%064x  file-%d\n", n, n)
	}
	for name, row := range map[string]struct {
		args  []string
		files map[string]string
		want  map[string]int
		code  int
		says  string
	}{
		"one file":             {args: []string{"dist/app"}, want: map[string]int{"dist/app.sigstore.jsonl": 1}},
		"several":              {args: []string{"dist/*"}, want: map[string]int{"dist/attestation.sigstore.jsonl": 1}},
		"several folders":      {args: []string{"dist/app", "main.go"}, want: map[string]int{"attestation.sigstore.jsonl": 1}},
		"one each":             {args: []string{"dist/*", "--one-per-subject"}, want: map[string]int{"dist/app.sigstore.jsonl": 1, "dist/tool.sigstore.jsonl": 1}},
		"an image":             {args: []string{"--subject", "ghcr.io/acme/app@sha256:" + strings.Repeat("a", 64)}, want: map[string]int{"attestation.sigstore.jsonl": 1}},
		"checksums":            {args: []string{"--checksums", "dist/SUMS"}, files: map[string]string{"dist/SUMS": strings.Repeat("a", 64) + "  app\n" + strings.Repeat("b", 128) + " *tool\n"}, want: map[string]int{"dist/attestation.sigstore.jsonl": 1}},
		"more than 1,024":      {args: []string{"--checksums", "SUMS"}, files: map[string]string{"SUMS": many.String()}, want: map[string]int{"attestation.sigstore.jsonl": 2}},
		"1,025 into one":       {args: []string{"--checksums", "SUMS", "--bundle", "x.sigstore.json"}, files: map[string]string{"SUMS": many.String()}, code: 2, says: "1025 subjects need 2"},
		"a file of one's own":  {args: []string{"dist/app", "--bundle", "x.sigstore.json"}, want: map[string]int{"x.sigstore.json": 1}},
		"in the way":           {args: []string{"dist/app", "--bundle", "x.sigstore.json"}, files: map[string]string{"x.sigstore.json": "{}\n"}, want: map[string]int{"x.sigstore.json": 1}, code: 1, says: "--force"},
		"replaced":             {args: []string{"dist/app", "--bundle", "x.sigstore.json", "--force"}, files: map[string]string{"x.sigstore.json": "{}\n{}\n"}, want: map[string]int{"x.sigstore.json": 1}},
		"another signer's":     {args: []string{"dist/app"}, files: map[string]string{"dist/app.sigstore.jsonl": "{}"}, want: map[string]int{"dist/app.sigstore.jsonl": 2}},
		"two of one base name": {args: []string{"dist/app", "other/app"}, files: map[string]string{"other/app": "x"}, code: 2, says: `two subjects are named "app"`},
		"a folder":             {args: []string{"dist"}, code: 2, says: "it is a directory"},
		"nothing":              {args: []string{"nothing"}, code: 3, says: "no such file"},
		"an empty glob":        {args: []string{"dist/*.exe"}, code: 2, says: "the glob finds no file"},
		"no folder":            {args: []string{"dist/app", "--bundle", "no/x.json"}, code: 3, says: "make the folder no first"},
		"a predicate":          {args: []string{"dist/app", "--predicate", "p.json", "--predicate-type", "https://example.com/p/v1"}, files: map[string]string{"p.json": `{"n": 12345678901234567890}`}, want: map[string]int{"dist/app.sigstore.jsonl": 1}},
		"a predicate, no JSON": {args: []string{"dist/app", "--predicate", "p.json", "--predicate-type", "https://example.com/p/v1"}, files: map[string]string{"p.json": `[1]`}, code: 1, says: "expected a JSON object"},
		"a byproduct is lost":  {args: []string{"dist/app", "--byproduct", "dist/t*", "--output", "./dist/tool"}, code: 2, says: "--byproduct dist/tool"},
		"a step":               {args: []string{"dist/app", "--step", "package"}, want: map[string]int{"dist/app.sigstore.jsonl": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Config{})
			for file, text := range row.files {
				put(t, w.dir, file, text)
			}
			r := w.attest(row.args...)
			if !r.has(row.code, row.says) {
				t.Errorf("%+v", r)
			}
			if row.want == nil {
				row.want = map[string]int{}
			}
			if diff := cmp.Diff(row.want, w.bundles()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if row.code != 0 && r.stdout != "" {
				t.Errorf("it refuses and says %q", r.stdout)
			}
		})
	}
}

// A second author's word on a commit is beside the first.
func TestTwoAuthors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	for _, address := range []string{"alice@example.com", "bob@example.com", "carol@example.com"} {
		if r := w.run(who{person: true}, "attest", "--commit", "main", "--identity-token", w.email(address)); r.code != 0 {
			t.Fatalf("%+v", r)
		}
	}
	if diff := cmp.Diff(map[string]int{"commit-" + w.sha + ".sigstore.json": 1, "commit-" + w.sha + ".sigstore.jsonl": 2}, w.bundles()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, address := range []string{"alice@example.com", "bob@example.com", "carol@example.com"} {
		if r := w.run(who{person: true}, "verify", "gitCommit:"+w.sha, "--certificate-identity", address, "--certificate-oidc-issuer", google, "--predicate-type", "https://in-toto.io/attestation/link/v0.3"); r.code != 0 {
			t.Errorf("%s: %+v", address, r)
		}
	}
}

// An address that verify takes for a pattern is signed for all the same: what is
// logged is not thrown away.
func TestOddAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	r := w.run(who{person: true}, "attest", "--commit", "HEAD", "--identity-token", w.email("a*b@example.com"))
	if !r.has(0, "a*b@example.com", "signatus verify cannot ask for this signer without a layout") || strings.Contains(r.stdout, "\nverify ") || len(w.bundles()) != 1 {
		t.Errorf("%+v, written: %v", r, w.bundles())
	}
}

// TestGuards is what attest refuses unless it is told otherwise.
func TestGuards(t *testing.T) {
	t.Parallel()
	const other = "0badc0de5e8b7a604132c9f0d8e7b6a594837261"
	for name, row := range map[string]struct {
		config sandbox.Config
		args   []string
		remove bool // nothing is checked out
		code   int
		says   []string
	}{
		"public":           {},
		"private":          {config: sandbox.Config{Claims: map[string]string{"repository_visibility": "private"}}, code: 1, says: []string{"acme/app is private", "for good", "--allow-public-log"}},
		"internal":         {config: sandbox.Config{Claims: map[string]string{"repository_visibility": "internal"}}, code: 1, says: []string{"acme/app is internal"}},
		"unknown":          {config: sandbox.Config{Without: []string{"repository_visibility"}}, code: 1, says: []string{"unknown visibility"}},
		"private, allowed": {config: sandbox.Config{Claims: map[string]string{"repository_visibility": "private"}}, args: []string{"--allow-public-log"}, says: []string{"loosened  --allow-public-log"}},
		"another head":     {config: sandbox.Config{Claims: map[string]string{"sha": other}}, code: 1, says: []string{"0badc0de5e8b", "--allow-other-head"}},
		"another head, allowed": {
			config: sandbox.Config{Claims: map[string]string{"sha": other}}, args: []string{"--allow-other-head"},
			says: []string{"recorded as asserted", "loosened", "no layout that joins on the commit allows such a bundle"},
		},
		"no checkout": {remove: true, says: []string{"nothing is checked out here or in the workspace"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.config)
			if row.remove {
				if err := os.RemoveAll(filepath.Join(w.dir, ".git")); err != nil {
					t.Fatal(err)
				}
			}
			if row.code != 0 { // nothing may be asked of Fulcio: whoever is asked fails
				w.fault(sandbox.Fault{Service: "fulcio", Mode: "status", Status: 418})
			}
			r := w.attest(append([]string{"dist/app"}, row.args...)...)
			asked := regexp.MustCompile(`\b418\b`).MatchString(r.stderr) // a port may hold the digits too
			if !r.has(row.code, row.says...) || asked {
				t.Errorf("%+v", r)
			}
			if len(w.bundles()) > 0 != (row.code == 0) {
				t.Errorf("written: %v", w.bundles())
			}
		})
	}
}

// TestOtherCheckouts has something else than the job's commit checked out, somewhere.
func TestOtherCheckouts(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		dir, workspace string // below the checkout; a workspace that is empty is the checkout
		args           []string
		code           int
		says           string
	}{
		"in a folder of the workspace":       {dir: "src", code: 1, says: "is checked out in ."},
		"beside the workspace":               {dir: "src", workspace: "dist", code: 1, says: "is checked out in ."},
		"in the workspace, not in the build": {dir: "../empty", workspace: "src", code: 1, says: "is checked out in /"},
		"of another repository, allowed":     {dir: "src", args: []string{"--allow-other-head"}, says: "it is of git+https://github.com/acme/other, and a layout that allows the job's own source alone refuses"},
		"a link says nothing of a commit":    {dir: "src", args: []string{"--allow-other-head", "--step", "x"}, code: 2, says: "--allow-other-head goes with SLSA provenance"},
		"a submodule of the job's commit":    {dir: "lib", code: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lib := newRepository(t)
			outer := newRepository(t)
			git(t, outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", lib, "lib")
			w := newWorldIn(t, outer, sandbox.Config{Claims: map[string]string{"sha": commitAll(t, outer, "with a submodule")}})
			git(t, w.dir, "init", "-q", "src")
			put(t, w.dir, "src/x.go", "package x\n")
			commitAll(t, filepath.Join(w.dir, "src"), "another program")
			git(t, filepath.Join(w.dir, "src"), "remote", "add", "origin", "git@github.com:acme/other.git")
			dir := filepath.Join(w.dir, row.dir)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			as := who{dir: dir, more: []string{"GITHUB_WORKSPACE=" + filepath.Join(w.dir, row.workspace)}}
			r := w.run(as, append([]string{"attest", filepath.Join(w.dir, "dist/app")}, row.args...)...)
			if !r.has(row.code, row.says) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A bundle with another head cannot pass a layout that joins on the commit.
func TestOtherHeadIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{Claims: map[string]string{"sha": "0badc0de5e8b7a604132c9f0d8e7b6a594837261"}})
	if r := w.attest("dist/app", "--allow-other-head"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	builderOnly, err := filepath.Abs("../../../layouts/builder-only.yml")
	if err != nil {
		t.Fatal(err)
	}
	r := w.run(who{person: true}, "verify", "dist/app", "--layout", builderOnly, "--param", "repo=github.com/acme/app", "--param", "repoId=728493015", "--format", "json")
	if !r.has(1, "predicate-contradicts-certificate") {
		t.Errorf("%+v", r)
	}
}

// TestRepositories attests commits of repositories that lack something.
func TestRepositories(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		make func(*world) (dir string, args []string)
		code int
		says []string
	}{
		"detached": {func(w *world) (string, []string) {
			git(w.T, w.dir, "checkout", "-q", "--detach")
			return w.dir, []string{"--commit", "HEAD"}
		}, 0, []string{"git+https://github.com/acme/app@"}},
		"a tag": {func(w *world) (string, []string) {
			git(w.T, w.dir, "-c", "user.name=A", "-c", "user.email=a@example.com", "tag", "-a", "v1", "-m", "one")
			return w.dir, []string{"--commit", "v1"}
		}, 0, []string{"git+https://github.com/acme/app@refs/tags/v1"}},
		"no origin": {func(w *world) (string, []string) {
			git(w.T, w.dir, "remote", "remove", "origin")
			return w.dir, []string{"--commit", "HEAD"}
		}, 3, []string{`no remote "origin"`, "--repo https://HOST/OWNER/NAME"}},
		"no origin, named": {func(w *world) (string, []string) {
			git(w.T, w.dir, "remote", "remove", "origin")
			return w.dir, []string{"--commit", "HEAD", "--repo", "git@github.com:acme/app.git"}
		}, 0, []string{"git+https://github.com/acme/app@refs/heads/main"}},
		"no origin, named in short": {func(w *world) (string, []string) {
			git(w.T, w.dir, "remote", "remove", "origin")
			return w.dir, []string{"--commit", "HEAD", "--repo", "github.com/acme/app"}
		}, 0, []string{"git+https://github.com/acme/app@refs/heads/main"}},
		"a path for a name": {func(w *world) (string, []string) { return w.dir, []string{"--commit", "HEAD", "--repo", "./app"} }, 2, []string{"--repo names no repository"}},
		"a host of one's own SSH": {func(w *world) (string, []string) {
			git(w.T, w.dir, "remote", "set-url", "origin", "git@work:acme/app.git")
			return w.dir, []string{"--commit", "HEAD"}
		}, 3, []string{"no domain", "--repo"}},
		"a password in the origin": {func(w *world) (string, []string) {
			git(w.T, w.dir, "remote", "set-url", "origin", "https://alice:hunter2@github.com:8443/acme/app.git")
			return w.dir, []string{"--commit", "HEAD"}
		}, 3, []string{"--repo"}},
		"bare": {func(w *world) (string, []string) {
			dir := filepath.Join(w.TempDir(), "bare.git")
			git(w.T, w.dir, "clone", "-q", "--bare", w.dir, dir)
			return dir, []string{"--commit", "main"}
		}, 3, []string{"the repository is bare", "--repo"}},
		"bare, named": {func(w *world) (string, []string) {
			dir := filepath.Join(w.TempDir(), "bare.git")
			git(w.T, w.dir, "clone", "-q", "--bare", w.dir, dir)
			return dir, []string{"--commit", "main", "--repo", "https://github.com/acme/app"}
		}, 0, []string{"git+https://github.com/acme/app@refs/heads/main"}},
		"shallow": {func(w *world) (string, []string) {
			first := w.sha
			put(w.T, w.dir, "main.go", "package main\n\nfunc main() { println() }\n")
			commitAll(w.T, w.dir, "more")
			dir := filepath.Join(w.TempDir(), "shallow")
			git(w.T, w.dir, "clone", "-q", "--depth=1", "file://"+w.dir, dir)
			return dir, []string{"--commit", first}
		}, 3, []string{"next: git fetch"}},
		"shallow, its tip": {func(w *world) (string, []string) {
			dir := filepath.Join(w.TempDir(), "shallow")
			git(w.T, w.dir, "clone", "-q", "--depth=1", "file://"+w.dir, dir)
			return dir, []string{"--commit", "HEAD", "--repo", "https://github.com/acme/app"}
		}, 0, []string{"git+https://github.com/acme/app@refs/heads/main"}},
		"a submodule": {func(w *world) (string, []string) {
			lib := newRepository(w.T)
			git(w.T, w.dir, "-c", "protocol.file.allow=always", "submodule", "add", "-q", lib, "lib")
			return filepath.Join(w.dir, "lib"), []string{"--commit", "HEAD"}
		}, 3, []string{"is a submodule of another repository", "--repo"}},
		"no repository": {func(w *world) (string, []string) { return w.TempDir(), []string{"--commit", "HEAD"} }, 3, []string{"run it in a clone"}},
		"no commit":     {func(w *world) (string, []string) { return w.dir, []string{"--commit", "nothing"} }, 3, []string{"no such branch, tag or commit"}},
		"two meanings": {func(w *world) (string, []string) {
			git(w.T, w.dir, "branch", "twin")
			put(w.T, w.dir, "main.go", "package main\n")
			commitAll(w.T, w.dir, "more")
			git(w.T, w.dir, "tag", "twin")
			return w.dir, []string{"--commit", "twin"}
		}, 3, []string{"as well as"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Config{})
			dir, args := row.make(w)
			r := w.run(who{person: true, dir: dir}, append([]string{"attest", "--identity-token", w.email("alice@example.com")}, args...)...)
			if !r.has(row.code, row.says...) || strings.Contains(r.stdout+r.stderr, "hunter2") || strings.Count(r.stderr, "next:") > 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestHostileNames signs files whose names a terminal or a shell would obey.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	for _, name := range []string{"a b", "$(touch x)", "'; rm -rf x; '", "-rf", "--key", "x\u202egnp.exe", "ü", "::error::x", "[x]", "a*b"} {
		put(t, w.dir, "odd/"+name, "x")
		r := w.attest("--", "odd/"+name)
		if r.code != 0 || strings.Contains(r.stdout, "\u202e") {
			t.Errorf("%q: %+v", name, r)
			continue
		}
		if got := w.verify("odd/" + name); got.code != 0 {
			t.Errorf("%q: %+v", name, got)
		}
		// The command that the report gives is one that a shell takes.
		_, line, _ := strings.Cut(r.stdout, "\nverify    signatus ")
		line, _, _ = strings.Cut(line, "\n")
		if strings.Contains(line, `\u`) {
			continue // not one to type
		}
		cmd := exec.Command("sh", "-c", `signatus() { "$PROGRAM" "$@"; }; signatus `+line)
		cmd.Dir, cmd.Env = w.dir, append(os.Environ(), "PROGRAM="+w.program)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %s: %v\n%s", name, line, err, out)
		}
	}
	for _, name := range []string{"line\nbreak", "bad\xffbytes", "git+https:"} {
		put(t, w.dir, "odd/"+name, "x")
		if r := w.attest("--", "odd/"+name); r.code == 0 || strings.Contains(r.stderr, "line\nbreak") {
			t.Errorf("%q: %+v", name, r)
		}
	}
	if names := w.files(); slices.Contains(names, "x") {
		t.Error("a name was run")
	}
}

// TestAtOnce has many attests of one output file, and no bundle is lost.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	const n = 12
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if r := w.attest("dist/app", "dist/tool"); r.code != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff(map[string]int{"dist/attestation.sigstore.jsonl": n}, w.bundles()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := w.verify("dist/tool"); got.code != 0 {
		t.Errorf("%+v", got)
	}
}

// TestMany signs 200 times in a row, and 50 times at once.
func TestMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	start := time.Now()
	for n := range 200 {
		if r := w.attest("dist/app", "--rekor-version", fmt.Sprint(1+n%2)); r.code != 0 {
			t.Fatalf("signature %d: %+v", n, r)
		}
	}
	t.Logf("200 in a row: %v each", time.Since(start)/200)
	start = time.Now()
	var group sync.WaitGroup
	for n := range 50 {
		group.Go(func() {
			if r := w.attest("dist/tool", "--rekor-version", fmt.Sprint(1+n%2)); r.code != 0 {
				t.Errorf("signature %d: %+v", n, r)
			}
		})
	}
	group.Wait()
	t.Logf("50 at once: %v", time.Since(start))
	if diff := cmp.Diff(map[string]int{"dist/app.sigstore.jsonl": 200, "dist/tool.sigstore.jsonl": 50}, w.bundles()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestConformance speaks the suite's protocol: what sign-bundle makes, verify-bundle
// takes, and nobody else's.
func TestConformance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{Claims: map[string]string{"repository_visibility": "private"}}) // no guard applies
	put(t, w.dir, "a.txt", "a\n")
	put(t, w.dir, "statement.json", `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a.txt","digest":{"sha256":"87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"}}],"predicateType":"https://example.com/p","predicate":{}}`)
	token := w.token(sandbox.TokenRequest{Kind: sandbox.GitHub})
	for _, row := range []struct {
		file string
		more []string
	}{{"a.txt", nil}, {"statement.json", []string{"--in-toto"}}, {"a.txt", []string{"--rekor-version", "1"}}} {
		r := w.run(who{person: true}, append([]string{"conformance", "sign-bundle", "--identity-token", token, "--bundle", "out.sigstore.json", row.file}, row.more...)...)
		if r != (result{}) {
			t.Errorf("%+v", r)
		}
		for _, check := range []struct {
			identity, file string
			code           int
		}{{workflow, "a.txt", 0}, {workflow, "main.go", 1}, {workflow + "x", "a.txt", 1}} {
			if r := w.run(who{person: true}, "conformance", "verify-bundle", "--bundle", "out.sigstore.json", "--certificate-identity", check.identity, "--certificate-oidc-issuer", actions, check.file); r.code != check.code {
				t.Errorf("%v: %+v", check, r)
			}
		}
	}
	if r := w.run(who{person: true}, "conformance", "sign-bundle", "--identity-token", w.token(sandbox.TokenRequest{Kind: sandbox.GitHub, Audience: "other"}), "--bundle", "new.sigstore.json", "a.txt"); r.code == 0 {
		t.Errorf("a token for somebody else: %+v", r)
	}
	if slices.Contains(w.files(), "new.sigstore.json") {
		t.Error("a bundle was written")
	}
}

// TestSuggestedLayout verifies with what attest suggests, and nobody else's.
func TestSuggestedLayout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	if r := w.attest("dist/app", "dist/tool", "--suggest-layout", "release.yml"); !r.has(0, "layout", "release.yml") {
		t.Fatalf("%+v", r)
	}
	for _, name := range []string{"dist/app", "dist/tool"} {
		if r := w.run(who{person: true}, "verify", name, "--layout", "release.yml"); !r.has(0, "allowed") {
			t.Errorf("%+v", r)
		}
	}
	put(t, w.dir, "dist/new", "x")
	fork := newWorld(t, sandbox.Config{Claims: map[string]string{"repository_id": "1"}})
	if r := fork.attest("dist/app"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	layout, err := os.ReadFile(filepath.Join(w.dir, "release.yml"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, fork.dir, "release.yml", string(layout))
	if r := fork.run(who{person: true}, "verify", "dist/app", "--layout", "release.yml"); !r.has(1, "denied") {
		t.Errorf("a repository of another id: %+v", r)
	}
	if r := w.run(who{person: true}, "attest", "--commit", "HEAD", "--suggest-layout", "author.yml", "--identity-token", w.email("alice@example.com")); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if r := w.run(who{person: true}, "verify", "gitCommit:"+w.sha, "--layout", "author.yml"); !r.has(0, "allowed") {
		t.Errorf("%+v", r)
	}
}
