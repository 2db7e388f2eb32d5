package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/layout"
)

// change is a repository in which a pull request rewrote who must have signed.
// Everything that its head trusts is mallory's: the key in the layout, the key
// alone, and the trusted root.
//
//	ws/                        the workspace, checked out at the head
//	    layouts/release.yml    the base's names the release key
//	    layouts/signed.json    the base's is that, signed with the release key
//	    keys/release.pub       the base's is the release key
//	    trusted_root.json      the base's is the genuine one
//	    layouts/new.yml        only in the head
//	outside/                   the head's files, but not in the workspace
//	evidence/                  app, and bundles of both signers
type change struct {
	dir, ws    string
	base, head string // commits
	event      string // the file of a pull request's event
	group      string // … of a merge group's
}

// signedChange has the files of base and head, and the evidence, by name.
type signedChange struct {
	base, head, evidence map[string]string
}

var signChange = sync.OnceValues(func() (c signedChange, err error) {
	var genuine, mallory *attestationtest.Sigstore
	config := attestationtest.PublicGood()
	if genuine, err = attestationtest.New(config); err != nil {
		return c, err
	}
	if mallory, err = attestationtest.New(config); err != nil {
		return c, err
	}
	c.evidence = map[string]string{"app": "the app\n"}
	if c.base, err = c.signs(genuine, "release"); err != nil {
		return c, err
	}
	if c.head, err = c.signs(mallory, "mallory"); err != nil {
		return c, err
	}
	c.head["layouts/new.yml"] = c.head["layouts/release.yml"]
	return c, nil
})

// signs has one of the two sign the app with a key and with an identity, and
// gives the files that trust nobody else.
func (c signedChange) signs(sigstore *attestationtest.Sigstore, who string) (map[string]string, error) {
	key, err := sigstore.NewKey(who)
	if err != nil {
		return nil, err
	}
	pem, err := key.PEM()
	if err != nil {
		return nil, err
	}
	claims := attestationtest.WorkflowClaims{Repository: "acme/app"}
	payload := attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(c.evidence["app"]))},
		"https://slsa.dev/provenance/v1", attestationtest.Provenance(claims))
	for name, request := range map[string]attestationtest.SignRequest{
		who + "-key.json": {Key: key, Payload: payload}, who + "-identity.json": {As: attestationtest.Workflow(claims), Payload: payload},
	} {
		bundle, err := sigstore.Sign(request)
		if err != nil {
			return nil, err
		}
		c.evidence[name] = string(bundle.JSON)
	}
	demands := keyLayout(string(pem))
	text, problems := layout.Payload("release.yml", []byte(demands), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if len(problems) > 0 {
		return nil, errors.New(problems[0].String())
	}
	signed, err := sigstore.Sign(attestationtest.SignRequest{Key: key, Payload: text})
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"layouts/release.yml": demands, "layouts/signed.json": string(signed.JSON), "keys/release.pub": string(pem), "trusted_root.json": string(sigstore.TrustedRoot()),
	}, nil
}

// keyLayout demands one signature of a key.
func keyLayout(pem string) string {
	return fmt.Sprintf(`_type: layout
version: 1
expires: "2026-12-01T00:00:00Z"
functionaries: {release-key: {keyType: ecdsa, keyVal: {public: %s}}}
principals: {builder: {functionaries: [release-key]}}
steps:
  - name: build
    expectedMaterials: ["ALLOW *", "DISALLOW *"]
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates: [{predicateType: "https://slsa.dev/provenance/v1", functionaries: [builder], threshold: 1}]
subjects: [{subject: ["*"], from: build}]
`, strconv.Quote(pem))
}

// newChange checks the head out into ws, or into a folder below it.
func newChange(t *testing.T, below ...string) change {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	signed, err := signChange()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := change{dir: dir, ws: filepath.Join(dir, "ws"), event: filepath.Join(dir, "event.json"), group: filepath.Join(dir, "group.json")}
	repository := filepath.Join(append([]string{c.ws}, below...)...)
	lay(t, filepath.Join(dir, "evidence"), signed.evidence)
	lay(t, filepath.Join(dir, "outside"), signed.head)
	lay(t, repository, signed.base)
	gitIn(t, repository, "init", "--quiet", "--initial-branch=main")
	c.base = commitAll(t, repository)
	lay(t, repository, signed.head)
	c.head = commitAll(t, repository)
	lay(t, dir, map[string]string{
		"event.json": `{"pull_request": {"base": {"sha": "` + c.base + `"}, "head": {"sha": "` + c.head + `"}}}`,
		"group.json": `{"merge_group": {"base_sha": "` + c.base + `", "head_sha": "` + c.head + `"}}`,
	})
	return c
}

func commitAll(t *testing.T, dir string) string {
	t.Helper()
	gitIn(t, dir, "add", "--all")
	gitIn(t, dir, "commit", "--quiet", "--allow-empty", "-m", "a commit")
	return gitIn(t, dir, "rev-parse", "HEAD")
}

func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") }),
		"HOME="+dir, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// lay writes files below a folder.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// environment is what the runner sets.
type environment map[string]string

func (c change) pullRequest() environment {
	return environment{"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": c.event, "GITHUB_WORKSPACE": c.ws}
}

// judged is what became of a run.
type judged struct {
	code           int
	stdout, stderr string
}

// paths opens any path, as main does.
type paths struct{}

func (paths) Open(name string) (fs.File, error)     { return os.Open(name) }
func (paths) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// verifyApp verifies the app with the bundle of a signer.
func (c change) verifyApp(e environment, bundle string, args ...string) judged {
	var stdout, stderr bytes.Buffer
	evidence := filepath.Join(c.dir, "evidence")
	err := Run(context.Background(), Env{
		Args:   append([]string{"verify", filepath.Join(evidence, "app"), "--bundle", filepath.Join(evidence, bundle), "--offline", "--format", "json"}, args...),
		Getenv: func(name string) string { return e[name] },
		Stdin:  strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		FS: paths{}, Now: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), HTTP: &http.Client{}, Version: "v0.0.0-test",
	})
	return judged{ExitCode(err), stdout.String(), stderr.String()}
}

const (
	fromBase = ", read from base commit "
	loosened = "--layout-from-head"
)

// TestTrustedFiles is the truth table of events, places and the flag. Where the
// base decides, mallory's word does not count and the release's does; where the
// head decides, it is the other way round.
func TestTrustedFiles(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	for event, guarded := range map[string]bool{
		"": false, "push": false, "workflow_dispatch": false, "release": false,
		"pull_request": true, "pull_request_target": true, "pull_request_review": true, "pull_request_review_comment": true, "merge_group": true,
	} {
		e := environment{"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": c.event, "GITHUB_WORKSPACE": c.ws}
		if event == "merge_group" {
			e["GITHUB_EVENT_PATH"] = c.group
		}
		for _, inside := range []bool{true, false} {
			for _, fromHead := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s,inside=%t,from-head=%t", event, inside, fromHead), func(t *testing.T) {
					t.Parallel()
					c.decides(t, e, inside, fromHead, guarded && inside && !fromHead)
				})
			}
		}
	}
}

// decides holds layout, key and trusted root to come from the base, or not.
func (c change) decides(t *testing.T, e environment, inside, fromHead, base bool) {
	t.Helper()
	dir := filepath.Join(c.dir, "outside")
	if inside {
		dir = c.ws
	}
	var flag []string
	if fromHead {
		flag = []string{loosened}
	}
	identity := []string{"--certificate-identity", "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
		"--certificate-oidc-issuer", "https://token.actions.githubusercontent.com"}
	for _, tc := range []struct {
		kind string
		args []string
	}{
		{"key.json", []string{"--layout", filepath.Join(dir, "layouts/release.yml")}},
		{"key.json", []string{"--layout", filepath.Join(dir, "layouts/signed.json"), "--layout-key", filepath.Join(dir, "keys/release.pub")}},
		{"key.json", []string{"--key", filepath.Join(dir, "keys/release.pub")}},
		{"identity.json", append(identity, "--trusted-root", filepath.Join(dir, "trusted_root.json"))},
		{"identity.json", append(identity, "--trusted-root", "sigstore="+filepath.Join(dir, "trusted_root.json"))},
	} {
		for who, trusted := range map[string]bool{"release-": base, "mallory-": !base} {
			got := c.verifyApp(e, who+tc.kind, append(tc.args, flag...)...)
			if want := map[bool]int{true: ExitAllowed, false: ExitDenied}[trusted]; got.code != want {
				t.Errorf("%s%s with %s: exit code %d, expected %d\n%s%s", who, tc.kind, tc.args, got.code, want, got.stdout, got.stderr)
			}
			if shown := strings.Contains(got.stdout, fromBase+c.base[:7]+"…"); shown != (base && tc.kind == "key.json") {
				t.Errorf("%s: shown to be from the base: %t\n%s", tc.args, shown, got.stdout)
			}
			if shown := strings.Contains(got.stdout, `"`+loosened+`"`); shown != fromHead {
				t.Errorf("%s: shown as loosened: %t\n%s", tc.args, shown, got.stdout)
			}
		}
	}
}

// TestLinks tries to reach the head's copy by another name. Whatever a link says,
// mallory's layout must not be the one that judges.
func TestLinks(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	outside := filepath.Join(c.dir, "outside")
	link(t, c.ws, filepath.Join(outside, "to-ws"))
	link(t, filepath.Join(c.ws, "layouts"), filepath.Join(outside, "to-layouts"))
	link(t, "../ws/layouts/release.yml", filepath.Join(outside, "to-file"))
	link(t, "to-file", filepath.Join(outside, "to-to-file"))
	// What the change itself brings: links in the place of what was there.
	link(t, "../outside/layouts/release.yml", filepath.Join(c.ws, "out.yml"))
	link(t, "layouts", filepath.Join(c.ws, "other"))
	lay(t, c.ws, map[string]string{"evil/release.yml": readIn(t, outside, "layouts/release.yml")})
	for _, tc := range []struct {
		path string
		code int // for mallory's bundle
		says string
	}{
		{"ws/layouts/release.yml", ExitDenied, fromBase},
		{"ws/../ws/./layouts//release.yml", ExitDenied, fromBase},
		{"outside/to-ws/layouts/release.yml", ExitDenied, fromBase},
		{"outside/to-layouts/release.yml", ExitDenied, fromBase},
		{"outside/to-layouts/../layouts/release.yml", ExitDenied, fromBase},
		{"outside/to-file", ExitDenied, fromBase},
		{"outside/to-to-file", ExitDenied, fromBase},
		{"outside/../ws/layouts/release.yml", ExitDenied, fromBase},
		{"ws/out.yml", ExitUndecided, "no such file"},
		{"ws/other/release.yml", ExitUndecided, "no such file"},
		{"ws/evil/release.yml", ExitUndecided, "no such file"},
		{"ws/layouts", ExitUndecided, "is a folder"},
		{"ws", ExitUndecided, "relative path"},
		{"outside/layouts/release.yml", ExitAllowed, ""},
		{"ws/../outside/layouts/release.yml", ExitAllowed, ""},
	} {
		got := c.verifyApp(c.pullRequest(), "mallory-key.json", "--layout", c.dir+"/"+tc.path)
		if got.code != tc.code || !strings.Contains(got.stdout+got.stderr, tc.says) {
			t.Errorf("%s: exit code %d, expected %d and %q\n%s%s", tc.path, got.code, tc.code, tc.says, got.stdout, got.stderr)
		}
	}
	// The folder itself becomes a link to mallory's: the base's is still judged by.
	if err := os.Rename(filepath.Join(c.ws, "layouts"), filepath.Join(c.ws, "was")); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"evil", "../outside/layouts", "gone"} {
		link(t, target, filepath.Join(c.ws, "layouts"))
		for bundle, code := range map[string]int{"mallory-key.json": ExitDenied, "release-key.json": ExitAllowed} {
			for _, path := range []string{filepath.Join(c.ws, "layouts/release.yml"), filepath.Join(outside, "to-layouts/release.yml")} {
				if got := c.verifyApp(c.pullRequest(), bundle, "--layout", path); got.code != code {
					t.Errorf("%s with layouts -> %s: exit code %d, expected %d\n%s%s", path, target, got.code, code, got.stdout, got.stderr)
				}
			}
		}
	}
}

func readIn(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRelativePaths names the layout as one does in a shell.
func TestRelativePaths(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(here, filepath.Join(c.ws, "layouts/release.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for bundle, code := range map[string]int{"mallory-key.json": ExitDenied, "release-key.json": ExitAllowed} {
		if got := c.verifyApp(c.pullRequest(), bundle, "--layout", rel); got.code != code {
			t.Errorf("%s with %s: exit code %d, expected %d\n%s", bundle, rel, got.code, code, got.stderr)
		}
	}
}

// TestWorkspaces has the repository below the workspace, and the workspace below
// the repository.
func TestWorkspaces(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		below     string // the repository's place in ws
		workspace string
		layout    string
	}{
		"checked out below":   {"src/app", "ws", "ws/src/app/layouts/release.yml"},
		"folder of it":        {"", "ws/layouts", "ws/layouts/release.yml"},
		"linked workspace":    {"", "linked", "ws/layouts/release.yml"},
		"linked, and by link": {"", "linked", "linked/layouts/release.yml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newChange(t, tc.below)
			link(t, "ws", filepath.Join(c.dir, "linked"))
			e := c.pullRequest()
			e["GITHUB_WORKSPACE"] = filepath.Join(c.dir, tc.workspace)
			for bundle, code := range map[string]int{"mallory-key.json": ExitDenied, "release-key.json": ExitAllowed} {
				if got := c.verifyApp(e, bundle, "--layout", filepath.Join(c.dir, tc.layout)); got.code != code {
					t.Errorf("%s: exit code %d, expected %d\n%s%s", bundle, got.code, code, got.stdout, got.stderr)
				}
			}
		})
	}
}

// TestDeletedInHead: a change that removes the layout is judged by it.
func TestDeletedInHead(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	if err := os.RemoveAll(filepath.Join(c.ws, "layouts")); err != nil {
		t.Fatal(err)
	}
	for bundle, code := range map[string]int{"mallory-key.json": ExitDenied, "release-key.json": ExitAllowed} {
		if got := c.verifyApp(c.pullRequest(), bundle, "--layout", filepath.Join(c.ws, "layouts/release.yml")); got.code != code {
			t.Errorf("%s: exit code %d, expected %d\n%s", bundle, got.code, code, got.stderr)
		}
	}
}

// TestUndecidedWithoutBase breaks one thing in each row: nobody can tell what the
// base says, so nothing is decided, and the next step is named.
func TestUndecidedWithoutBase(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	huge := filepath.Join(c.dir, "huge.json")
	lay(t, c.dir, map[string]string{"huge.json": "", "garbage.json": "garbage", "unknown.json": strings.Replace(
		readIn(t, c.dir, "event.json"), c.base, strings.Repeat("ab", 20), 1)})
	if err := os.Truncate(huge, 64<<20); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		env        environment // changes
		layout     string
		says, next string
	}{
		"only in the head":    {nil, "layouts/new.yml", "no such file", "merge "},
		"nowhere":             {nil, "layouts/none.yml", "no such file", "merge "},
		"event file missing":  {environment{"GITHUB_EVENT_PATH": filepath.Join(c.dir, "gone")}, "layouts/release.yml", "no such file", loosened},
		"event file not told": {environment{"GITHUB_EVENT_PATH": ""}, "layouts/release.yml", "GITHUB_EVENT_PATH is not set", loosened},
		"event file garbage":  {environment{"GITHUB_EVENT_PATH": filepath.Join(c.dir, "garbage.json")}, "layouts/release.yml", "invalid", loosened},
		"event file huge":     {environment{"GITHUB_EVENT_PATH": huge}, "layouts/release.yml", "more than 32 MiB", loosened},
		"event of another":    {environment{"GITHUB_EVENT_PATH": c.group}, "layouts/release.yml", "its base is", loosened},
		"no workspace":        {environment{"GITHUB_WORKSPACE": ""}, "layouts/release.yml", "GITHUB_WORKSPACE", loosened},
		"workspace elsewhere": {environment{"GITHUB_WORKSPACE": filepath.Join(c.dir, "gone")}, "layouts/release.yml", "no such file", loosened},
		"base not fetched":    {environment{"GITHUB_EVENT_PATH": filepath.Join(c.dir, "unknown.json")}, "layouts/release.yml", "is not in this clone", "git fetch --depth=1 origin " + strings.Repeat("ab", 20)},
	} {
		e := c.pullRequest()
		for variable, value := range tc.env {
			e[variable] = value
		}
		path := filepath.Join(c.ws, tc.layout)
		for _, args := range [][]string{{"--layout", path}, {"--key", path}, {"--key", filepath.Join(c.dir, "outside/keys/release.pub"), "--trusted-root", path}} {
			got := c.verifyApp(e, "mallory-key.json", args...)
			if got.code != ExitUndecided || got.stdout != "" || !strings.Contains(got.stderr, tc.says) {
				t.Errorf("%s: exit code %d, expected %d and %q\n%s%s", name, got.code, ExitUndecided, tc.says, got.stdout, got.stderr)
			}
			if _, next, _ := strings.Cut(got.stderr, "next: "); !strings.Contains(next, tc.next) {
				t.Errorf("%s: the next step is %q, expected %q", name, next, tc.next)
			}
		}
		// The flag is a way out of each.
		if got := c.verifyApp(e, "mallory-key.json", "--layout", filepath.Join(c.ws, "layouts/new.yml"), loosened); got.code != ExitAllowed {
			t.Errorf("%s, from the head: exit code %d\n%s", name, got.code, got.stderr)
		}
	}
}

// newShallowChange is a change whose workspace is a shallow clone of origin.
func newShallowChange(t *testing.T) (c change, origin string) {
	t.Helper()
	c = newChange(t)
	origin, c.ws = c.ws, filepath.Join(c.dir, "shallow")
	gitIn(t, c.dir, "clone", "--quiet", "--depth=1", "file://"+origin, c.ws)
	return c, origin
}

// TestShallowClone follows the next step that the refusal names.
func TestShallowClone(t *testing.T) {
	t.Parallel()
	c, _ := newShallowChange(t)
	layout := filepath.Join(c.ws, "layouts/release.yml")
	got := c.verifyApp(c.pullRequest(), "release-key.json", "--layout", layout)
	_, next, _ := strings.Cut(got.stderr, "next: git ")
	if got.code != ExitUndecided || next == "" {
		t.Fatalf("exit code %d, expected %d and a next step with git\n%s", got.code, ExitUndecided, got.stderr)
	}
	gitIn(t, c.ws, strings.Fields(next)...)
	for bundle, code := range map[string]int{"mallory-key.json": ExitDenied, "release-key.json": ExitAllowed} {
		if got := c.verifyApp(c.pullRequest(), bundle, "--layout", layout); got.code != code {
			t.Errorf("%s: exit code %d, expected %d\n%s", bundle, got.code, code, got.stderr)
		}
	}
}

// TestPlantedRepository: in a shallow clone, the change brings a folder that looks
// like a bare repository and does hold the base. Its root must not become the
// place that paths are counted from.
func TestPlantedRepository(t *testing.T) {
	t.Parallel()
	c, origin := newShallowChange(t)
	gitIn(t, c.dir, "clone", "--quiet", "--bare", origin, filepath.Join(c.ws, "planted"))
	got := c.verifyApp(c.pullRequest(), "release-key.json", "--layout", filepath.Join(c.ws, "planted/layouts/release.yml"))
	if got.code != ExitUndecided || !strings.Contains(got.stderr, "is not in this clone") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestOtherRepositoryInWorkspace: the repository of the event is checked out below
// another one, which does not know the base.
func TestOtherRepositoryInWorkspace(t *testing.T) {
	t.Parallel()
	c := newChange(t, "app")
	gitIn(t, c.ws, "init", "--quiet", "--initial-branch=main")
	lay(t, c.ws, map[string]string{"tool": "a tool"})
	gitIn(t, c.ws, "add", "tool")
	gitIn(t, c.ws, "commit", "--quiet", "-m", "another repository")
	for bundle, code := range map[string]int{"mallory-key.json": ExitDenied, "release-key.json": ExitAllowed} {
		if got := c.verifyApp(c.pullRequest(), bundle, "--layout", filepath.Join(c.ws, "app/layouts/release.yml")); got.code != code {
			t.Errorf("%s: exit code %d, expected %d\n%s", bundle, got.code, code, got.stderr)
		}
	}
	got := c.verifyApp(c.pullRequest(), "release-key.json", "--layout", filepath.Join(c.ws, "tool"))
	if got.code != ExitUndecided || !strings.Contains(got.stderr, "git fetch --depth=1 origin "+c.base) {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
}

// TestNoRepository has a workspace that nothing was checked out into with git.
func TestNoRepository(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	if err := os.RemoveAll(filepath.Join(c.ws, ".git")); err != nil {
		t.Fatal(err)
	}
	got := c.verifyApp(c.pullRequest(), "release-key.json", "--layout", filepath.Join(c.ws, "layouts/release.yml"))
	if got.code != ExitUndecided || !strings.Contains(got.stderr, "no git repository") || !strings.Contains(got.stderr, "check the repository out with git") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestEvidenceIsNotGuarded: artifacts and bundles are evidence, and evidence is
// what the change brings.
func TestEvidenceIsNotGuarded(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	for _, name := range []string{"app", "release-key.json"} {
		lay(t, c.ws, map[string]string{name: readIn(t, c.dir, "evidence/"+name)})
	}
	got := c.verifyApp(c.pullRequest(), "../ws/release-key.json", filepath.Join(c.ws, "app"), "--layout", filepath.Join(c.ws, "layouts/release.yml"))
	if got.code != ExitAllowed {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestNoTrustedFile: who names identity and issuer reads no file, so there is
// nothing to guard and nothing to fail on.
func TestNoTrustedFile(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	got := c.verifyApp(environment{"GITHUB_EVENT_NAME": "pull_request"}, "release-identity.json",
		"--certificate-identity", "alice@example.com", "--certificate-oidc-issuer", "https://accounts.google.com")
	if got.code != ExitDenied {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestBaseFile holds what is read from a commit to what fs.File promises.
func TestBaseFile(t *testing.T) {
	t.Parallel()
	c := newChange(t)
	e := c.pullRequest()
	files := trustedFS(Env{FS: paths{}, Getenv: func(name string) string { return e[name] }}, false)
	file, err := files.Open(filepath.Join(c.ws, "keys/release.pub"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(file)
	if err != nil || int64(len(data)) != info.Size() || info.Name() != "release.pub" || info.IsDir() || !info.Mode().IsRegular() {
		t.Errorf("got %d bytes, %v, %v", len(data), info, err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
