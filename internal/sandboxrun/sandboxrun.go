// Package sandboxrun runs the sandbox, a whole Sigstore on loopback, as another
// process beside a program of this repository. It signs and verifies nothing, and
// knows the sandbox by its command line and its files alone: the sandbox is a module
// of its own.
package sandboxrun

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Sandbox is a running sandbox.
type Sandbox struct {
	Dir           string   // its folder, for `sandbox token --dir`
	TrustedRoot   string   // the file trusted_root.json
	SigningConfig string   // the file signing_config.json
	Desk          []string // the environment of somebody at a desk
	job           []string
	process       *exec.Cmd
}

// Start runs the program `sandbox` with the folder dir, and with more arguments of
// `sandbox serve`, until Close, the end of ctx, or for ten minutes. environ is the
// environment to add to.
func Start(ctx context.Context, program, dir string, more ...string) (*Sandbox, error) {
	s := &Sandbox{Dir: dir, TrustedRoot: filepath.Join(dir, "trusted_root.json"), SigningConfig: filepath.Join(dir, "signing_config.json")}
	s.process = exec.CommandContext(ctx, program, append([]string{"serve", "--dir", dir, "--for", "10m"}, more...)...)
	s.process.Cancel = func() error { return s.process.Process.Signal(syscall.SIGTERM) }
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	for range 500 {
		// env is written last.
		if variables, err := os.ReadFile(filepath.Join(dir, "env")); err == nil {
			s.environments(os.Environ(), string(variables))
			return s, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.Join(errors.New("starting the sandbox: it is not ready within five seconds"), s.Close())
}

// environments reads the lines export NAME='VALUE' that make a shell the job.
func (s *Sandbox) environments(environ []string, variables string) {
	s.Desk = slices.DeleteFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "GITHUB_") || strings.HasPrefix(v, "ACTIONS_") || strings.HasPrefix(v, "RUNNER_")
	})
	s.job = slices.Clone(s.Desk)
	for line := range strings.Lines(variables) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "='"); ok {
			s.job = append(s.job, name+"="+strings.TrimSuffix(value, "'"))
		}
	}
}

// Job is the environment of a job that a push of a commit started, with what is
// checked out in the workspace.
func (s *Sandbox) Job(workspace, commit string) []string {
	job := append(slices.Clone(s.job), "GITHUB_WORKSPACE="+workspace, "GITHUB_SHA="+commit)
	for i, v := range job {
		if strings.HasPrefix(v, "ACTIONS_ID_TOKEN_REQUEST_URL=") {
			job[i] = v + "&claim=" + url.QueryEscape("sha="+commit)
		}
	}
	return job
}

// Close ends the sandbox.
func (s *Sandbox) Close() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the sandbox: %w", err)
	}
	_ = s.process.Wait() // it ends by a signal
	return nil
}
