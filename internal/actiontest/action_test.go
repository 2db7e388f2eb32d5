//go:build action

package actiontest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/sandboxrun"
)

// built is what `make action-test` has built, tried.
func built() (act, sandbox, image, runner string) {
	return os.Getenv("ACTIONTEST_ACT"), os.Getenv("ACTIONTEST_SANDBOX"), os.Getenv("ACTIONTEST_IMAGE"), os.Getenv("ACTIONTEST_RUNNER")
}

// scene is one run of one workflow. The workflow holds most expectations itself: a
// step that expects a refusal goes on after it, and a later one tests its outputs.
type scene struct {
	name     string
	workflow string // a file of testdata/workflows, or empty for the README's
	event    string
	noToken  bool // no permission to ask for an identity token
	fails    bool
	log      []string // what must be in the log
	notLog   []string
}

func scenes() []scene {
	return []scene{
		{name: "README", event: "push", log: []string{"signed", "dist/app"}},
		{name: "attest and verify", workflow: "roundtrip.yml", event: "push", log: []string{
			"allowed: dist/app", "denied: dist/app", "ROUNDTRIP HOLDS",
		}},
		{name: "moved over from actions/attest", workflow: "moved.yml", event: "push", log: []string{"MOVED HOLDS"}},
		{name: "no identity token", workflow: "plain.yml", event: "push", noToken: true, fails: true, log: []string{"id-token"}},
		{name: "a file named as a command", workflow: "hostile.yml", event: "push", log: []string{"HOSTILE HOLDS", `##\u005bwarning]owned`}, notLog: []string{"| ::warning::owned", "##[warning]owned"}},
		{name: "wrong inputs", workflow: "wrong.yml", event: "push", log: []string{"WRONG HOLDS"}},
	}
}

func TestAction(t *testing.T) {
	act, sandbox, image, runner := built()
	if act == "" || sandbox == "" || image == "" || runner == "" {
		t.Fatal("the programs and images are not named, expected a run by make action-test")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	socket := engine(ctx, t)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			dir, commit := repository(t, s.workflow)
			sigstore, err := sandboxrun.Start(ctx, sandbox, filepath.Join(dir, ".sandbox"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := sigstore.Close(); err != nil {
					t.Error(err)
				}
			}()
			writeAction(t, dir, image, s.workflow == "")

			args := []string{
				s.event, "-P", "ubuntu-latest=" + runner, "--pull=false", "--action-offline-mode",
				"--container-daemon-socket", "-", "--rm", "--workflows", ".github/workflows/release.yml",
			}
			for _, variable := range sigstore.Job("", commit) {
				name, _, _ := strings.Cut(variable, "=")
				token := strings.HasPrefix(name, "ACTIONS_ID_TOKEN_")
				if token && !s.noToken || isClaim(name) {
					args = append(args, "--env", variable)
				}
			}
			cmd := exec.CommandContext(ctx, act, args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+socket, "XDG_CACHE_HOME="+t.TempDir(), "GITHUB_RUN_ID=8373487125")
			out, err := cmd.CombinedOutput()
			log := string(out)
			if failed := err != nil; failed != s.fails {
				t.Errorf("the workflow failed: %t, expected %t", failed, s.fails)
			}
			for _, want := range s.log {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %q", want)
				}
			}
			for _, unwanted := range s.notLog {
				if strings.Contains(log, unwanted) {
					t.Errorf("the log has %q", unwanted)
				}
			}
			if t.Failed() || testing.Verbose() {
				t.Logf("act: %v\n%s", err, log)
			}
		})
	}
}

// isClaim tells whether a variable of the job says what the token claims too, and
// what act does not take from the repository.
func isClaim(name string) bool {
	switch name {
	case "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_WORKFLOW_REF", "GITHUB_WORKFLOW_SHA", "GITHUB_REPOSITORY_ID", "GITHUB_REPOSITORY_OWNER_ID", "RUNNER_ENVIRONMENT":
		return true
	}
	return false
}

// engine serves containers on a socket of its own until the test's end, and sees
// that none of act's is left.
func engine(ctx context.Context, t *testing.T) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "action-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	service := exec.CommandContext(ctx, "podman", "system", "service", "--time=0", "unix://"+socket)
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	before := kept(ctx, t)
	t.Cleanup(func() {
		// act keeps this one volume for the next run.
		if !slices.Contains(before, "volume act-toolcache") {
			_ = exec.Command("podman", "volume", "rm", "act-toolcache").Run()
		}
		for _, thing := range kept(context.Background(), t) {
			if !slices.Contains(before, thing) {
				t.Errorf("podman: %s is left", thing)
			}
		}
		_ = service.Process.Signal(syscall.SIGTERM)
		_ = service.Wait() // it ends by a signal
		_ = os.RemoveAll(dir)
	})
	for range 500 {
		if _, err := os.Stat(socket); err == nil {
			return socket
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("podman's service is not ready within ten seconds")
	return ""
}

// kept are the containers and volumes of act that are there.
func kept(ctx context.Context, t *testing.T) (things []string) {
	t.Helper()
	for _, list := range [][]string{{"container", "ls", "-a", "--format", "{{.Names}}"}, {"volume", "ls", "--format", "{{.Name}}"}} {
		out, err := exec.CommandContext(ctx, "podman", list...).CombinedOutput()
		if err != nil {
			t.Errorf("listing what is left: %v: %s", err, out)
		}
		for _, name := range strings.Fields(string(out)) {
			if strings.HasPrefix(name, "act-") {
				things = append(things, list[0]+" "+name)
			}
		}
	}
	return things
}

// repository is a clone of acme/app with the one workflow.
func repository(t *testing.T, workflow string) (dir, commit string) {
	t.Helper()
	dir = t.TempDir()
	text := readme(t)
	if workflow != "" {
		data, err := os.ReadFile(filepath.Join("testdata", "workflows", workflow))
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	write(t, dir, ".github/workflows/release.yml", text)
	write(t, dir, "Makefile", "dist:\n\tmkdir -p dist\n\techo app >dist/app\n")
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"remote", "add", "origin", "https://github.com/acme/app"},
		{"add", "."},
		{"-c", "user.name=Alice", "-c", "user.email=alice@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "app"},
	} {
		git(t, dir, args...)
	}
	return dir, git(t, dir, "rev-parse", "HEAD")
}

// readme is the workflow of README.md to the letter, but for what stands for a
// commit: the Action is here. Its event and name are above the ten lines.
func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "```yaml\n")
	text, _, ok := strings.Cut(after, "```")
	const pinned = "signatus-dev/signatus@COMMIT"
	if !ok || strings.Count(text, pinned) != 1 {
		t.Fatalf("README.md has no workflow with one step %s", pinned)
	}
	return "name: release\non: [push]\n" + strings.Replace(text, pinned, "./.action", 1)
}

// writeAction puts action.yml beside the workflow, with the image that is built
// already in place of the Dockerfile. The README's workflow names no Sigstore, and is
// not changed to: there the two inputs that name the sandbox have defaults.
func writeAction(t *testing.T, dir, image string, defaults bool) {
	t.Helper()
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	change := func(text, was, is string) string {
		if strings.Count(text, was) != 1 {
			t.Fatalf("action.yml has %q %d times, expected once", was, strings.Count(text, was))
		}
		return strings.Replace(text, was, is, 1)
	}
	text := change(string(data), "\n  image: Dockerfile\n", fmt.Sprintf("\n  image: docker://%s\n", image))
	if defaults {
		text = change(text, "\n  trusted-root:\n", "\n  trusted-root:\n    default: .sandbox/trusted_root.json\n")
		text = change(text, "\n  signing-config:\n", "\n  signing-config:\n    default: .sandbox/signing_config.json\n")
	}
	write(t, dir, ".action/action.yml", text)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}
