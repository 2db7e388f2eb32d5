package sandbox_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// The folder has what a signer and a verifier read, and a shell that reads its
// env is the same job as a command that is run.
func TestFolder(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{Claims: map[string]string{"actor": "it's me", "ref": "refs/tags/v1"}})
	folder, err := s.Folder(filepath.Join(t.TempDir(), "a", "b c'd"), "/src/app")
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(folder.Dir(), name) }
	if _, err := root.NewTrustedRootFromPath(in("trusted_root.json")); err != nil {
		t.Error(err)
	}
	if _, err := root.NewSigningConfigFromPath(in("signing_config.json")); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(in("env"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("env, which holds a bearer token, has the mode %v", info.Mode())
	}

	base := []string{"PATH=" + os.Getenv("PATH"), "GITHUB_TOKEN=the runner's own", "RUNNER_DEBUG=1", "CI=yes", "ACTIONS_RUNTIME_TOKEN=x"}
	want := folder.Environ(base, true)
	for _, variable := range want {
		if strings.HasPrefix(variable, "GITHUB_TOKEN=") || strings.HasPrefix(variable, "RUNNER_DEBUG=") || variable == "CI=yes" {
			t.Errorf("%s of another runner is left", variable)
		}
	}
	for _, variable := range []string{
		"GITHUB_ACTOR=it's me", "GITHUB_REF_NAME=v1", "GITHUB_REF_TYPE=tag", "GITHUB_WORKSPACE=/src/app",
		"GITHUB_SHA=3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261", "GITHUB_REPOSITORY_ID=728493015", "PATH=" + os.Getenv("PATH"),
		"GITHUB_WORKFLOW_REF=acme/app/.github/workflows/release.yml@refs/tags/v1",
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + s.Endpoints().IDTokenURL,
	} {
		if !slices.Contains(want, variable) {
			t.Errorf("%s is not set", variable)
		}
	}
	// /proc/self/environ is what the process began with: env prints what is now.
	shell := func(script string) []string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "sh", "-c", script+"; env -0", "sh", in("env"), in("env.person"))
		command.Env = base[:1]
		output, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		var variables []string
		for _, variable := range strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00") {
			if name, _, _ := strings.Cut(variable, "="); !slices.Contains([]string{"PWD", "SHLVL", "_", "OLDPWD"}, name) {
				variables = append(variables, variable)
			}
		}
		slices.Sort(variables)
		return variables
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, shell(`. "$1"`)); diff != "" {
		t.Errorf("job (-run +env):\n%s", diff)
	}
	for _, variable := range shell(`. "$1"; . "$2"`) {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "SIGNATUS_SANDBOX_") && name != "PATH" {
			t.Errorf("somebody at a desk has %s", variable)
		}
	}
	for _, variable := range folder.Environ(base, false) {
		if strings.HasPrefix(variable, "ACTIONS_") {
			t.Errorf("a job without the permission has %s", variable)
		}
	}

	if err := folder.Retire(); err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string]bool{
		"env": false, "env.person": false, "sandbox.json": false, "trusted_root.json": true, "signing_config.json": true,
	} {
		if _, err := os.Stat(in(name)); (err == nil) != left {
			t.Errorf("at the end %s: %v", name, err)
		}
	}
}

// The event is what the claims say.
func TestEvent(t *testing.T) {
	t.Parallel()
	const base = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	for name, row := range map[string]struct {
		claims map[string]string
		want   []string
	}{
		"push":    {nil, []string{`"after"`, `"private": false`, `"id": 728493015`}},
		"private": {map[string]string{"repository_visibility": "internal"}, []string{`"private": true`, `"visibility": "internal"`}},
		"pull request": {
			map[string]string{"event_name": "pull_request", "head_ref": "fix", "base_ref": "main"},
			[]string{`"pull_request"`, `"ref": "fix"`, `"ref": "main"`, `"sha": "` + base + `"`},
		},
		"merge group": {
			map[string]string{"event_name": "merge_group", "ref": "refs/heads/gh-readonly-queue/main/pr-7-" + base, "base_ref": "main"},
			[]string{`"merge_group"`, `"base_ref": "refs/heads/main"`, `"base_sha": "` + base + `"`},
		},
		"release":  {map[string]string{"event_name": "release", "ref": "refs/tags/v1"}, []string{`"tag_name": "v1"`}},
		"dispatch": {map[string]string{"event_name": "workflow_dispatch"}, []string{`"inputs"`}},
		"no id":    {map[string]string{"repository_id": "none"}, []string{`"id": "none"`}},
	} {
		s := start(t, sandbox.Config{Claims: row.claims, Base: base})
		folder, err := s.Folder(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		event, err := os.ReadFile(filepath.Join(folder.Dir(), "runner", "event.json"))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(event) {
			t.Errorf("%s: no JSON: %s", name, event)
		}
		for _, part := range row.want {
			if !strings.Contains(string(event), part) {
				t.Errorf("%s: the event lacks %s: %s", name, part, event)
			}
		}
	}
}
