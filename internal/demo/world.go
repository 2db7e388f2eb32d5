package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/sandboxrun"
	"github.com/signatus-dev/signatus/layouts"
)

// The files of the stage, relative to its folder.
const (
	checkout   = "app" // the repository of github.com/acme/app
	binary     = "app-linux-amd64"
	layoutFile = "author-and-builder.yml"
	buildFile  = binary + ".sigstore.jsonl"
)

// repositoryID is the number that the sandbox's GitHub has for acme/app.
const repositoryID = "728493015"

// programs are the files of the two programs.
type programs struct{ signatus, sandbox string }

// world is a folder with a repository, and a Sigstore that serves meanwhile.
type world struct {
	programs
	out     io.Writer
	dir     string
	sandbox *sandboxrun.Sandbox
	commit  string // that alice vouches for
}

// newWorld starts the Sigstore.
func newWorld(ctx context.Context, out io.Writer, p programs) (w *world, err error) {
	for _, file := range []*string{&p.signatus, &p.sandbox} {
		if *file, err = filepath.Abs(*file); err != nil {
			return nil, fmt.Errorf("finding the programs: %w", err)
		}
	}
	w = &world{programs: p, out: out}
	if w.dir, err = os.MkdirTemp("", "signatus-demo-"); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	w.sandbox, err = sandboxrun.Start(ctx, p.sandbox, filepath.Join(w.dir, "sandbox"), "--email", "alice@example.com", "--issuer", "https://github.com/login/oauth")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(w.dir))
	}
	return w, nil
}

// close ends the sandbox and leaves nothing behind.
func (w *world) close() error { return errors.Join(w.sandbox.Close(), os.RemoveAll(w.dir)) }

// job is the environment of a job that a push of a commit started.
func (w *world) job(commit string) []string {
	return w.sandbox.Job(filepath.Join(w.dir, checkout), commit)
}

// ran is how a program ended.
type ran struct {
	exit           int
	stdout, stderr string
}

// signatus runs the program. The lines that have a runner hide a token are left
// out, as a runner would.
func (w *world) signatus(ctx context.Context, dir string, environ []string, args ...string) (ran, error) {
	cmd := exec.CommandContext(ctx, w.programs.signatus, args...)
	cmd.Dir, cmd.Env = dir, environ
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	if err != nil {
		return ran{}, err
	}
	said := ""
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, "::add-mask::") {
			said += line
		}
	}
	return ran{exit: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: said}, nil
}

// attest signs in the checkout, and shows it unless it is quiet.
func (w *world) attest(ctx context.Context, as attester, args ...string) error {
	if as.title != "" {
		w.say("\n── %s\n$ signatus attest %s\n", as.title, strings.Join(args, " "))
	}
	all := append([]string{"attest"}, args...)
	all = append(all, "--signing-config", w.sandbox.SigningConfig, "--trusted-root", w.sandbox.TrustedRoot)
	r, err := w.signatus(ctx, filepath.Join(w.dir, checkout), as.environ, append(all, as.hidden...)...)
	if err != nil {
		return fmt.Errorf("attesting: %w", err)
	}
	if as.title != "" {
		w.say("%s%s", r.stderr, r.stdout)
	}
	if r.exit != 0 {
		return fmt.Errorf("attesting: exit code %d: %s", r.exit, r.stderr)
	}
	return nil
}

// attester is who attests.
type attester struct {
	title   string // of what is shown; empty for nothing
	environ []string
	hidden  []string // arguments that are not shown
}

// git runs git in the checkout, without anybody's configuration.
func (w *world) git(ctx context.Context, args ...string) (string, error) {
	return w.run(ctx, "git", append([]string{
		"-c", "user.name=Alice", "-c", "user.email=alice@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main",
	}, args...)...)
}

func (w *world) run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = filepath.Join(w.dir, checkout)
	cmd.Env = append(slices.Clone(w.sandbox.Desk), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running %s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// say shows something. There is nobody to tell if that fails.
func (w *world) say(format string, args ...any) { _, _ = fmt.Fprintf(w.out, format, args...) }

// arguments are those that every verification shares.
func (w *world) arguments() []string {
	return []string{
		"--param", "repo=github.com/acme/app", "--param", "repoId=" + repositoryID,
		"--param", "author=alice@example.com", "--param", "workflow=release.yml",
		"--trusted-root", w.sandbox.TrustedRoot, "--offline",
	}
}

// withExpiry sets the layout's expiry, so that the demo outlives the ready-made one.
func withExpiry(layout []byte, expires time.Time) []byte {
	before, rest, _ := bytes.Cut(layout, []byte("expires: "))
	_, after, _ := bytes.Cut(rest, []byte("\n"))
	return slices.Concat(before, fmt.Appendf(nil, "expires: %q\n", expires.UTC().Format(time.RFC3339)), after)
}

// goodDay is what happens when nothing goes wrong: a commit, its author's word, a
// binary and its provenance.
func (w *world) goodDay(ctx context.Context, now time.Time) error {
	layout, err := layouts.Files.ReadFile(layoutFile)
	if err != nil {
		return fmt.Errorf("reading the layout: %w", err)
	}
	files := map[string][]byte{
		layoutFile:               withExpiry(layout, now.AddDate(1, 0, 0)),
		"expired.yml":            withExpiry(layout, now.AddDate(0, 0, -1)),
		checkout + "/go.mod":     []byte("module example.com/acme/app\n\ngo 1.26\n"),
		checkout + "/.gitignore": []byte("/dist/\n*.sigstore*\n"),
	}
	for name, content := range files {
		if err := w.write(name, content); err != nil {
			return err
		}
	}
	w.say(`A Sigstore of this machine's own is up: Fulcio, a CT log, Rekor, a timestamp authority
and two issuers of identity tokens, all on loopback. Each attest below also has
    --signing-config signing_config.json --trusted-root trusted_root.json
and each verify
    %s
`, strings.ReplaceAll(strings.Replace(strings.Join(w.arguments(), " "), w.sandbox.TrustedRoot, "trusted_root.json", 1), " --", " \\\n    --"))
	if _, err := w.git(ctx, "init", "-q"); err != nil {
		return err
	}
	if _, err := w.git(ctx, "remote", "add", "origin", "https://github.com/acme/app.git"); err != nil {
		return err
	}
	if w.commit, err = w.commitProgram(ctx, "hello from acme/app"); err != nil {
		return err
	}
	err = w.attest(ctx, attester{title: fmt.Sprintf("alice says that commit %.7s is good", w.commit), environ: w.sandbox.Desk}, "--commit", "HEAD", "--oidc-flow", "device")
	if err != nil {
		return err
	}
	return w.build(ctx, "the workflow release.yml builds that commit, and attests the binary", w.commit)
}

// commitProgram commits a program that prints a text.
func (w *world) commitProgram(ctx context.Context, text string) (string, error) {
	program := fmt.Sprintf("// Command app greets.\npackage main\n\nfunc main() { println(%q) }\n", text)
	if err := w.write(checkout+"/main.go", []byte(program)); err != nil {
		return "", err
	}
	if _, err := w.git(ctx, "add", "-A"); err != nil {
		return "", err
	}
	if _, err := w.git(ctx, "commit", "-q", "-m", "print "+text); err != nil {
		return "", err
	}
	return w.git(ctx, "rev-parse", "HEAD")
}

// build has the workflow build what is checked out, and attest it.
func (w *world) build(ctx context.Context, title, commit string) error {
	if _, err := w.run(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-o", "dist/"+binary, "."); err != nil {
		return err
	}
	return w.attest(ctx, attester{title: title, environ: w.job(commit)}, "dist/"+binary)
}

func (w *world) write(name string, content []byte) error {
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, content, 0o600)); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
