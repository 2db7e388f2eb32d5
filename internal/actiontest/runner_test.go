//go:build action

package actiontest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runner runs workflows as GitHub's does.
type runner struct {
	programs
	socket string
}

// act runs a scene's workflow to its end.
func (r *runner) act(ctx context.Context, t *testing.T, s scene, st *stage) (log string, err error) {
	t.Helper()
	args := []string{
		s.event, "-P", "ubuntu-latest=" + r.runner, "--pull=false", "--action-offline-mode", "--container-daemon-socket", "-", "--rm",
		"--workflows", ".github/workflows/release.yml", "--local-repository", pinned + "=" + filepath.Join(st.dir, ".action"),
	}
	for _, variable := range st.sigstore.Job("", st.commit) {
		name, _, _ := strings.Cut(variable, "=")
		token := strings.HasPrefix(name, "ACTIONS_ID_TOKEN_")
		if token && !s.noToken || isClaim(name) {
			args = append(args, "--env", variable)
		}
	}
	for _, variable := range st.environ {
		args = append(args, "--env", variable)
	}
	for _, variable := range st.vars {
		args = append(args, "--var", variable)
	}
	for _, secret := range st.secrets {
		args = append(args, "--secret", secret)
	}
	if s.actor != "" {
		args = append(args, "--actor", s.actor)
	}
	if st.event != nil {
		data, err := json.Marshal(st.event)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--eventpath", file)
	}
	cmd := exec.CommandContext(ctx, r.programs.act, args...)
	cmd.Dir = st.dir
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+r.socket, "XDG_CACHE_HOME="+t.TempDir(), "ACT_DISABLE_VERSION_CHECK=1", "CLICOLOR=0")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it removes its containers
	cmd.WaitDelay = 30 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
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
// that none of act's is left. Without a test it ends by itself.
func engine(ctx context.Context, t *testing.T) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "action-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	service := exec.CommandContext(ctx, "podman", "system", "service", "--time=120", "unix://"+socket)
	var said bytes.Buffer
	service.Stdout, service.Stderr = &said, &said
	before := kept(ctx, t)
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tidy(t, before)
		_ = service.Process.Signal(syscall.SIGTERM)
		_ = service.Wait() // it ends by a signal
		if t.Failed() {
			t.Logf("podman's service: %s", &said)
		}
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

// thing is a container or a volume of act.
type thing struct{ kind, name string }

// toolcache is the one volume that act keeps for the next run.
func toolcache() thing { return thing{"volume", "act-toolcache"} }

// tidy removes what act has left, which is an error but for the volume that it keeps.
func tidy(t *testing.T, before []thing) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, left := range kept(ctx, t) {
		if slices.Contains(before, left) {
			continue
		}
		if left != toolcache() {
			t.Errorf("podman: the %s %s is left", left.kind, left.name)
		}
		if out, err := exec.CommandContext(ctx, "podman", left.kind, "rm", "--force", left.name).CombinedOutput(); err != nil {
			t.Errorf("podman: removing the %s %s: %v: %s", left.kind, left.name, err, out)
		}
	}
}

// kept are the containers of act that are there, and then the volumes.
func kept(ctx context.Context, t *testing.T) (things []thing) {
	t.Helper()
	for _, list := range [][]string{{"container", "ls", "-a", "--format", "{{.Names}}"}, {"volume", "ls", "--format", "{{.Name}}"}} {
		out, err := exec.CommandContext(ctx, "podman", list...).Output()
		if err != nil {
			t.Errorf("listing what is left: %v", err)
		}
		for _, name := range strings.Fields(string(out)) {
			if strings.HasPrefix(name, "act-") {
				things = append(things, thing{list[0], name})
			}
		}
	}
	return things
}
