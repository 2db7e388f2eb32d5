package command_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/command"
)

// eventOf writes an event's file, and gives the variables of a run for it.
func eventOf(t *testing.T, name, payload string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(path, []byte(payload), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": path}
}

const (
	forksChange = `{"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}, "base": {"sha": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261", "repo": {"full_name": "acme/app"}}}}`
	ownChange   = `{"pull_request": {"head": {"repo": {"full_name": "acme/app"}}, "base": {"sha": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261", "repo": {"full_name": "acme/app"}}}}`
)

// TestSkipped is which steps sign nothing, and what each is then: a notice and no
// failure, unless signing is required. Nobody is asked for anything.
func TestSkipped(t *testing.T) {
	t.Parallel()
	skipped := map[string]string{"exit-code": "0", "verdict": "skipped"}
	undecided := map[string]string{"exit-code": "3", "verdict": "undecided"}
	failed := map[string]string{"exit-code": "2", "verdict": "failed"}
	signed := map[string]string{"exit-code": "0", "verdict": "signed", "bundle-path": "DIR/dist/a.sigstore.jsonl"}
	for name, r := range map[string]struct {
		event, payload string
		inputs         map[string]string
		actor          string
		want           map[string]string
		says           string
	}{
		"a fork":                      {event: "pull_request", payload: forksChange, want: skipped, says: "skipped, nothing is signed: this is a run for a pull request from a fork"},
		"a fork with rights":          {event: "pull_request_target", payload: forksChange, want: skipped, says: "from a fork"},
		"a fork and a key":            {event: "pull_request", payload: forksChange, inputs: map[string]string{"key": "DIR/key.pem", "step": "build"}, want: skipped, says: "from a fork"},
		"a fork, required":            {event: "pull_request", payload: forksChange, inputs: map[string]string{"require": "true"}, want: undecided, says: "nothing is signed, and this step requires it"},
		"a fork, not required":        {event: "pull_request", payload: forksChange, inputs: map[string]string{"require": "false"}, want: skipped, says: "from a fork"},
		"a fork, and wrong inputs":    {event: "pull_request", payload: forksChange, inputs: map[string]string{"force": "true"}, want: failed, says: "--force goes with"},
		"a fork, and no such input":   {event: "pull_request", payload: forksChange, inputs: map[string]string{"sbomb": "x"}, want: failed, says: "did you mean sbom?"},
		"Dependabot":                  {event: "push", actor: "dependabot[bot]", want: skipped, says: "a run that Dependabot started"},
		"Dependabot, required":        {event: "push", actor: "dependabot[bot]", inputs: map[string]string{"require": "true"}, want: undecided, says: "Dependabot"},
		"a merge queue":               {event: "merge_group", payload: "{}", want: skipped, says: "the change is not merged yet"},
		"a merge queue, required":     {event: "merge_group", payload: "{}", inputs: map[string]string{"require": "true"}, want: undecided, says: "requires it"},
		"an event that nobody reads":  {event: "pull_request", payload: "garbage", want: undecided, says: "whether it is of a fork"},
		"a pull request of one's own": {event: "pull_request", payload: ownChange, want: undecided, says: "permissions: {id-token: write, contents: read}"},
		"a push":                      {event: "push", payload: "{}", want: undecided, says: "permissions: {id-token: write, contents: read}"},
		"a push, required":            {event: "push", payload: "{}", inputs: map[string]string{"require": "true"}, want: undecided, says: "the job lacks the permission"},
		"a push and a key":            {event: "push", payload: "{}", inputs: map[string]string{"key": "DIR/key.pem", "step": "build", "require": "true"}, want: signed, says: "signed with a key"},
		"verify in a fork":            {event: "pull_request", payload: forksChange, inputs: map[string]string{"command": "verify", "key": "DIR/key.pem", "require": "true"}, want: failed, says: "it goes with attest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := signable(t, "a")
			inputs := map[string]string{"command": "attest", "paths": filepath.Join(dir, "dist", "a")}
			for name, value := range r.inputs {
				inputs[name] = strings.ReplaceAll(value, "DIR", dir)
			}
			variables := eventOf(t, r.event, r.payload)
			variables["GITHUB_ACTOR"] = r.actor
			got := step(t, dir, inputs, variables)
			if diff := cmp.Diff(r.want, got.steady(dir)); diff != "" || got.commands() != nil || !strings.Contains(got.out+got.report, r.says) {
				t.Errorf("commands %q, outputs (-want +got):\n%s\n%s%s", got.commands(), diff, got.out, got.report)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "dist", "*.sigstore*")); (len(left) > 0) != (r.want["verdict"] == "signed") {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

// TestPreflight: all that is missing is told at once, each with what to write; on the
// command line of a job as well, where nothing is skipped.
func TestPreflight(t *testing.T) {
	t.Parallel()
	dir := signable(t, "a")
	job := func(variables map[string]string, args ...string) outcome {
		variables["GITHUB_ACTIONS"], variables["GITHUB_JOB"] = "true", "build"
		return run(t, func(env *command.Env) {
			env.Getenv = func(name string) string { return variables[name] }
			env.HTTP = &http.Client{Transport: noNetwork{}}
		}, append([]string{"attest", filepath.Join(dir, "dist", "a")}, args...)...)
	}
	for name, r := range map[string]struct {
		event, payload string
		args           []string
		token          bool
		code           int
		says           []string // each on a line of its own, in order
	}{
		"a fork":                    {event: "pull_request", payload: forksChange, code: 3, says: []string{"GitHub gives none to a pull request from a fork", "next: verify here"}},
		"no permission":             {event: "push", payload: "{}", code: 3, says: []string{"the job lacks the permission", "next: add this line to the job build in the workflow, and to the one that calls it:  permissions: {id-token: write, contents: read}"}},
		"no permission and a wrong": {event: "schedule", payload: "{}", args: []string{"--build-type", "community"}, code: 3, says: []string{"the job lacks the permission", "next: ", "this run is for the event schedule", "next: leave --build-type out"}},
		"a wrong event":             {event: "schedule", payload: "{}", args: []string{"--build-type", "community"}, token: true, code: 1, says: []string{"this run is for the event schedule", "next: leave --build-type out"}},
		"nowhere to store": {event: "push", payload: "{}", args: []string{"--store", "github", "--store", "release=v1"}, code: 3, says: []string{
			"the job lacks the permission", "permissions: {id-token: write, contents: write, attestations: write}",
			"storing at GitHub (github, release): no token is given", `env: {GITHUB_TOKEN: "${{ github.token }}"}`,
		}},
		"nothing that is not there": {event: "push", payload: "{}", args: []string{"--build-type", "pear"}, code: 2, says: []string{"unknown --build-type", "next: "}},
		"not for a link and a key":  {event: "pull_request", payload: forksChange, args: []string{"--step", "build", "--key", filepath.Join(dir, "key.pem"), "--bundle", filepath.Join(dir, "x.json")}},
	} {
		variables := eventOf(t, r.event, r.payload)
		if r.token {
			variables["ACTIONS_ID_TOKEN_REQUEST_URL"], variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "https://token.example/", "bearer"
		}
		got := job(variables, r.args...)
		pattern := ""
		for _, s := range r.says {
			pattern += "(?s:.*)" + regexp.QuoteMeta(s) + `[^\n]*\n`
		}
		if got.code != r.code || !regexp.MustCompile(pattern).MatchString(got.report) || strings.Count(got.report, "\n") != len(r.says) {
			t.Errorf("%s: exit code %d, expected %d and %q\n%s", name, got.code, r.code, r.says, got.report)
		}
	}
}
