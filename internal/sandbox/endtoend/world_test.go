package endtoend

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

// stock/run --check gives both: the folder of the stock servers, and a program
// that was built where there is a network.
var (
	stock    = flag.String("stock", "", "the `FOLDER` of the stock servers")
	program  = flag.String("signatus", "", "the `FILE` of signatus (default: it is built)")
	scanning = regexp.MustCompile(`ey[\w-]{10,}\.ey[\w-]{10,}\.`)
)

const (
	workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
	actions  = "https://token.actions.githubusercontent.com"
	google   = "https://accounts.google.com"
)

// built is signatus, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	if *program != "" {
		return filepath.Abs(*program)
	}
	dir, err := os.MkdirTemp("", "signatus-endtoend-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "signatus")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w -X main.version=v0.0.0-test", "-o", file, "./cmd/signatus")
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return file, nil
})

// TestMain is also the browser of TestBrowser, under the name that is looked for.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "xdg-open" {
		answer, err := http.Get(os.Args[1])
		if err != nil {
			os.Exit(1)
		}
		_ = answer.Body.Close()
		os.Exit(0)
	}
	code := m.Run()
	if file, err := built(); err == nil && *program == "" {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// world is a repository with one commit, and a sandbox whose job runs on it.
type world struct {
	*testing.T
	sandbox *sandbox.Sandbox
	folder  *sandbox.Folder
	dir     string // the checkout, in which everything runs
	sha     string // its commit
	program string
}

// newWorld makes a repository and starts a sandbox for it.
func newWorld(t *testing.T, config sandbox.Config) *world {
	t.Helper()
	return newWorldIn(t, newRepository(t), config)
}

// newWorldIn starts one for a repository that is there.
func newWorldIn(t *testing.T, dir string, config sandbox.Config) *world {
	t.Helper()
	w := &world{T: t, dir: dir}
	w.sha = git(t, w.dir, "rev-parse", "HEAD")
	var err error
	if w.program, err = built(); err != nil {
		t.Fatal(err)
	}
	if config.Claims == nil {
		config.Claims = map[string]string{}
	}
	if config.Claims["sha"] == "" {
		config.Claims["sha"] = w.sha
	}
	config.Stock = *stock
	if w.sandbox, err = sandbox.Start(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sandbox.Close() })
	if w.folder, err = w.sandbox.Folder(filepath.Join(t.TempDir(), "sandbox"), w.dir); err != nil {
		t.Fatal(err)
	}
	return w
}

// newRepository makes a repository of acme/app with a program and what was built.
func newRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main", ".")
	git(t, dir, "remote", "add", "origin", "https://github.com/acme/app.git")
	put(t, dir, "main.go", "package main\n\nfunc main() {}\n")
	put(t, dir, ".gitignore", "/dist/\n*.sigstore*\n")
	commitAll(t, dir, "a program")
	put(t, dir, "dist/app", "the app, as it was built\n")
	put(t, dir, "dist/tool", "a tool\n")
	return dir
}

func commitAll(t *testing.T, dir, message string) string {
	t.Helper()
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=Alice", "-c", "user.email=alice@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", message)
	return git(t, dir, "rev-parse", "HEAD")
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// result is how a run ended.
type result struct {
	code           int
	stdout, stderr string
}

// has reports whether the run ended with the code and said all of the words.
func (r result) has(code int, words ...string) bool {
	return r.code == code && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(r.stdout+r.stderr, w) })
}

// who runs signatus.
type who struct {
	person bool     // not in a job
	noID   bool     // in a job without id-token: write
	more   []string // environment
	dir    string   // where; the checkout if empty
	plain  bool     // without the sandbox's signing config and trusted root
	ctx    context.Context
}

// attest runs signatus attest as the job.
func (w *world) attest(args ...string) result {
	w.Helper()
	return w.run(who{}, append([]string{"attest"}, args...)...)
}

// command prepares a run.
func (w *world) command(as who, args ...string) *exec.Cmd {
	w.Helper()
	if !as.plain {
		own := []string{"--trusted-root", filepath.Join(w.folder.Dir(), "trusted_root.json")}
		if args[0] == "attest" || slices.Contains(args, "sign-bundle") || args[0] == "layout" {
			own = append(own, "--signing-config", filepath.Join(w.folder.Dir(), "signing_config.json"))
		}
		verb := 1
		if args[0] == "conformance" || args[0] == "layout" {
			verb = 2
		}
		args = slices.Concat(args[:verb], own, args[verb:]) // before a "--"
	}
	ctx := as.ctx
	if ctx == nil {
		ctx = w.Context()
	}
	cmd := exec.CommandContext(ctx, w.program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if cmd.Dir = as.dir; cmd.Dir == "" {
		cmd.Dir = w.dir
	}
	cmd.Env = append(w.folder.Environ(os.Environ(), !as.noID), "HOME="+filepath.Join(w.folder.Dir(), "home"))
	if as.person {
		cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool {
			return strings.HasPrefix(v, "GITHUB_") || strings.HasPrefix(v, "ACTIONS_") || strings.HasPrefix(v, "RUNNER_")
		})
	}
	cmd.Env = append(cmd.Env, as.more...)
	return cmd
}

// run runs signatus, and finds no token in what it says and leaves behind.
func (w *world) run(as who, args ...string) result {
	w.Helper()
	cmd := w.command(as, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok && !errors.Is(err, context.Canceled) {
			w.Fatal(err)
		}
	}
	r := result{cmd.ProcessState.ExitCode(), stdout.String(), unmasked(stderr.String())}
	w.scan("what it said", r.stdout+r.stderr)
	return r
}

// unmasked leaves out the commands that have a runner hide a token.
func unmasked(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "::add-mask::") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// scan fails for a token, whole or in its first two parts, and for the bearer.
func (w *world) scan(where, text string) {
	w.Helper()
	if found := scanning.FindString(text); found != "" {
		w.Errorf("a token is in %s: %s", where, found)
	}
	if strings.Contains(text, w.sandbox.Endpoints().IDTokenRequest) {
		w.Errorf("the bearer of the job is in %s", where)
	}
}

// files lists what is in the checkout beside the repository, and scans it.
func (w *world) files() (names []string) {
	w.Helper()
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		rel, _ := filepath.Rel(w.dir, path)
		if data, err := os.ReadFile(path); err == nil {
			w.scan(rel, string(data))
		}
		names = append(names, rel)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return names
}

// bundles lists the files that hold bundles, and how many each has.
func (w *world) bundles() map[string]int {
	w.Helper()
	found := map[string]int{}
	for _, name := range w.files() {
		if strings.Contains(name, ".sigstore") || strings.Contains(name, ".tmp") {
			data, err := os.ReadFile(filepath.Join(w.dir, name))
			if err != nil {
				w.Fatal(err)
			}
			found[name] = bytes.Count(data, []byte("\n"))
		}
	}
	return found
}

// token is one that the issuers give.
func (w *world) token(request sandbox.TokenRequest) string {
	w.Helper()
	token, err := w.sandbox.Token(request)
	if err != nil {
		w.Fatal(err)
	}
	return token
}

// email is a person's token.
func (w *world) email(address string) string {
	return w.token(sandbox.TokenRequest{Kind: sandbox.Email, Email: address, Issuer: sandbox.GoogleIssuer})
}

// fault makes something wrong with a service.
func (w *world) fault(f sandbox.Fault) {
	w.Helper()
	if err := w.sandbox.SetFault(f); err != nil {
		w.Fatal(err)
	}
}

// verify is simple mode, for the workflow.
func (w *world) verify(artifact string, more ...string) result {
	w.Helper()
	return w.run(who{person: true}, append([]string{"verify", artifact, "--certificate-identity", workflow, "--certificate-oidc-issuer", actions}, more...)...)
}
