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
	"testing"

	"github.com/signatus-dev/signatus/internal/sandboxrun"
)

// stage is what a scene plays on: a clone of acme/app, a Sigstore and GitHub's issuer
// of tokens, and what the job is given.
type stage struct {
	programs
	dir      string
	commit   string // that is checked out
	sigstore *sandboxrun.Sandbox
	event    map[string]any // the payload of the event; nil for what act makes of the repository
	environ  []string       // of the job, NAME=VALUE, and so are the next two
	vars     []string
	secrets  []string
}

// stage sets a scene's stage, until the test's end.
func (r *runner) stage(ctx context.Context, t *testing.T, s scene) *stage {
	t.Helper()
	st := &stage{programs: r.programs, dir: t.TempDir()}
	var err error
	st.sigstore, err = sandboxrun.Start(ctx, r.sandbox, filepath.Join(st.dir, ".sandbox"), "--email", "alice@example.com", "--issuer", "https://github.com/login/oauth")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.sigstore.Close(); err != nil {
			t.Error(err)
		}
	})
	st.write(t, ".github/workflows/release.yml", fmt.Sprintf("name: %s\n", s.name)+workflow(t, s.workflow))
	st.write(t, ".action/action.yml", action(t, r.image, shown(s.workflow)))
	st.write(t, "Makefile", "dist:\n\tmkdir -p dist\n\techo app >dist/app\n"+
		"bom.json:\n\techo '{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\"}' >bom.json\n")
	st.git(t, "init", "-q", "-b", "main")
	st.git(t, "remote", "add", "origin", "https://github.com/acme/app")
	st.commitAll(t)
	if s.set != nil {
		s.set(t, st)
	}
	return st
}

// shown tells the workflows that stand on a page to the letter: README.md's, and those of
// docs/migrating.md. They name no Sigstore.
func shown(workflow string) bool {
	return workflow == "" || strings.HasPrefix(workflow, "migrating-")
}

// pinned is what README.md says for a commit of the Action.
const pinned = "signatus-dev/signatus@COMMIT"

// workflow is a file of testdata, or README.md's workflow to the letter, below the event
// that it needs. Above either is the scene's name, which act calls containers by.
func workflow(t *testing.T, name string) string {
	t.Helper()
	if name != "" {
		data, err := os.ReadFile(filepath.Join("testdata", "workflows", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(string(data), "name: release\n")
	}
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "```yaml\n")
	text, _, ok := strings.Cut(after, "```")
	if !ok || strings.Count(text, pinned) != 1 {
		t.Fatalf("README.md has no workflow with one step %s", pinned)
	}
	return "on: [push]\n" + text
}

// action is action.yml with the image that is built already in place of the
// Dockerfile. A workflow that stands on a page names no Sigstore, and is not changed to:
// there the two inputs that name the sandbox have defaults.
func action(t *testing.T, image string, defaults bool) string {
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
	return text
}

func (st *stage) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(st.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commitAll commits what is there, of the sandbox's folder the two files for everybody.
func (st *stage) commitAll(t *testing.T) {
	t.Helper()
	st.git(t, "add", ":/", ":(exclude).sandbox")
	st.git(t, "add", ".sandbox/trusted_root.json", ".sandbox/signing_config.json")
	st.git(t, "commit", "-q", "-m", "app")
	st.commit = st.git(t, "rev-parse", "HEAD")
}

// git runs git in the clone as Alice, without anybody's configuration.
func (st *stage) git(t *testing.T, args ...string) string {
	t.Helper()
	return st.run(t, append(st.sigstore.Desk, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull),
		"git", append([]string{"-c", "user.name=Alice", "-c", "user.email=alice@example.com"}, args...)...)
}

// attest signs outside of the workflow, with an environment.
func (st *stage) attest(t *testing.T, environ []string, args ...string) {
	t.Helper()
	args = append([]string{"attest", "--signing-config", st.sigstore.SigningConfig, "--trusted-root", st.sigstore.TrustedRoot}, args...)
	st.run(t, environ, st.signatus, args...)
}

func (st *stage) run(t *testing.T, environ []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = st.dir, slices.Clone(environ)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", filepath.Base(program), args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}
