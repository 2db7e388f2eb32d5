package actions

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pullRequestOf is the event of a pull request of one repository for another, as JSON
// objects.
func pullRequestOf(head, base string) string {
	return `{"pull_request": {"head": {"repo": ` + head + `}, "base": {"sha": "` + strings.Repeat("a", 40) + `", "repo": ` + base + `}}}`
}

// TestUnsigned is which runs are none to sign in.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	const own, other = `{"full_name": "acme/app", "fork": true}`, `{"full_name": "mallory/app"}`
	after := func(head, repository string) string {
		return `{"workflow_run": {"event": "pull_request", "head_repository": ` + head + `}, "repository": ` + repository + `}`
	}
	merged := func(head, base string) string {
		return `{"action": "closed", ` + strings.Replace(pullRequestOf(head, base), `{"head"`, `{"merged": true, "head"`, 1)[1:]
	}
	for _, r := range []struct {
		name, event, ref, payload, actor string
		token                            bool
		want                             Why
		words                            string // of an error
	}{
		{name: "nothing"},
		{name: "a push", event: "push", actor: "alice"},
		{name: "a push with a token", event: "push", actor: "alice", token: true},
		{name: "a tag", event: "create", actor: "alice", token: true},
		{name: "a release", event: "release", token: true},
		{name: "by hand", event: "workflow_dispatch", token: true},
		{name: "by the clock", event: "schedule", token: true},
		{name: "an event that there is not yet", event: "moon_rise", token: true},
		{name: "what others write beside a pull request", event: "issue_comment", payload: pullRequestOf(other, own), token: true},

		{name: "a pull request", event: "pull_request", payload: pullRequestOf(own, own), token: true},
		{name: "the same without a token", event: "pull_request", payload: pullRequestOf(own, own)},
		{name: "a fork's", event: "pull_request", payload: pullRequestOf(other, own), want: Fork},
		{name: "a fork's, with a token", event: "pull_request", payload: pullRequestOf(other, own), token: true, want: Fork},
		{name: "a fork's, with the base's rights", event: "pull_request_target", payload: pullRequestOf(other, own), token: true, want: Fork},
		{name: "a review of a fork's", event: "pull_request_review", payload: pullRequestOf(other, own), want: Fork},
		{name: "a comment of one", event: "pull_request_review_comment", payload: pullRequestOf(other, own), want: Fork},
		{name: "of a fork that is gone", event: "pull_request", payload: pullRequestOf("null", own), want: Fork},
		{name: "of one without a name", event: "pull_request", payload: pullRequestOf("{}", own), want: Fork},
		{name: "of the same name elsewhere", event: "pull_request", payload: pullRequestOf(`{"full_name": "acme/app.mallory"}`, own), want: Fork},
		{name: "for nothing", event: "pull_request", payload: pullRequestOf(own, "null"), words: "it names no repository"},
		{name: "of nothing for nothing", event: "pull_request", payload: pullRequestOf("null", "null"), words: "it names no repository"},
		{name: "no event", event: "pull_request", words: "GITHUB_EVENT_PATH is not set"},
		{name: "garbage", event: "pull_request_target", payload: "garbage", token: true, words: "invalid"},
		{name: "two of them", event: "pull_request", payload: `{"pull_request": {}, ` + pullRequestOf(own, own)[1:], words: "duplicate"},
		{name: "an empty event", event: "pull_request", payload: "{}", words: "it names no repository"},

		{name: "merged", event: "pull_request", payload: merged(own, own), token: true},
		{name: "a fork's, merged", event: "pull_request_target", payload: merged(other, own), token: true},
		{name: "a fork's, merged, without a token", event: "pull_request", payload: merged(other, own), want: Fork},
		{name: "a fork's, merged is a word", event: "pull_request_target", payload: strings.Replace(merged(other, own), "true", `"true"`, 1), token: true, words: "JSON string"},
		{name: "a fork's, merged before", event: "pull_request_target", payload: strings.Replace(merged(other, own), "closed", "labeled", 1), token: true, want: Fork},
		{name: "a fork's, not merged", event: "pull_request_target", payload: strings.Replace(merged(other, own), "true", "false", 1), token: true, want: Fork},
		{name: "a fork's, nothing of merged", event: "pull_request_target", payload: strings.Replace(merged(other, own), "true", "null", 1), token: true, want: Fork},
		{name: "behind a fork's run, and merged", event: "workflow_run", payload: `{"action": "closed", "pull_request": {"merged": true}, ` + after(other, own)[1:], token: true, want: Fork},

		{name: "behind a run", event: "workflow_run", payload: after(own, own), token: true},
		{name: "behind a fork's run", event: "workflow_run", payload: after(other, own), token: true, want: Fork},
		{name: "behind nobody's", event: "workflow_run", payload: after("null", own), token: true, want: Fork},
		{name: "behind a run of nothing", event: "workflow_run", payload: "{}", token: true, words: "it names no repository"},

		{name: "a merge queue", event: "merge_group", token: true, want: MergeQueue},
		{name: "a push to its branch", event: "push", ref: "refs/heads/gh-readonly-queue/main/pr-7-3f2a9c1d", token: true, want: MergeQueue},
		{name: "a branch called alike", event: "push", ref: "refs/heads/gh-readonly-queue-2/main", token: true},
		{name: "a tag called alike", event: "push", ref: "refs/tags/gh-readonly-queue/main/pr-7", token: true},
		{name: "Dependabot's in it", event: "merge_group", actor: dependabotActor, want: MergeQueue},

		{name: "Dependabot", event: "pull_request", payload: pullRequestOf(own, own), actor: dependabotActor, want: Dependabot},
		{name: "Dependabot, with a token", event: "pull_request", payload: pullRequestOf(own, own), actor: dependabotActor, token: true, want: Dependabot},
		{name: "Dependabot, and no event", event: "pull_request", actor: dependabotActor, want: Dependabot},
		{name: "Dependabot with a token, and no event", event: "pull_request", actor: dependabotActor, token: true, words: "GITHUB_EVENT_PATH is not set"},
		{name: "Dependabot's, merged", event: "pull_request_target", payload: merged(own, own), actor: dependabotActor, token: true},
		{name: "Dependabot's, merged, without a token", event: "pull_request", payload: merged(own, own), actor: dependabotActor, want: Dependabot},
		{name: "Dependabot's branch", event: "push", actor: dependabotActor, want: Dependabot},
		{name: "Dependabot's branch, with a token", event: "push", ref: "refs/heads/dependabot/npm_and_yarn/left-pad-2", actor: dependabotActor, token: true, want: Dependabot},
		{name: "a person's push to it", event: "push", ref: "refs/heads/dependabot/npm_and_yarn/left-pad-2", actor: "alice", token: true},
		{name: "what Dependabot merged", event: "push", ref: "refs/heads/main", actor: dependabotActor, token: true},
		{name: "who is called alike", event: "push", actor: "dependabot"},
		{name: "another bot", event: "pull_request", payload: pullRequestOf(own, own), actor: "renovate[bot]", token: true},
	} {
		env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": r.event, "GITHUB_ACTOR": r.actor, "GITHUB_REF": r.ref}
		if r.payload != "" {
			env["GITHUB_EVENT_PATH"] = eventFile(t, r.payload)
		}
		if r.token {
			env["ACTIONS_ID_TOKEN_REQUEST_URL"], env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "https://example.com/", "bearer"
		}
		got, err := Unsigned(getenv(env))
		if got != r.want || (err != nil) != (r.words != "") || err != nil && (!strings.Contains(err.Error(), r.words) || !strings.Contains(err.Error(), "; next: ")) {
			t.Errorf("%s: got %q, %v; expected %q %q", r.name, got, err, r.want, r.words)
		}
	}
}

// TestPreflight has jobs that lack nothing, and in each further row one thing more.
func TestPreflight(t *testing.T) {
	t.Parallel()
	workspace := t.TempDir()
	whole := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_JOB": "build", "GITHUB_WORKSPACE": workspace, "GITHUB_OUTPUT": eventFile(t, ""),
		"ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer",
	}
	const noToken = "permissions: {id-token: write, contents: read"
	for _, r := range []struct {
		name  string
		env   map[string]string // in place of
		needs Needs
		want  []string // words of each gap
	}{
		{name: "all there is", needs: Needs{IDToken: true, Sinks: []string{"file", "notes", "dir", "github", "oci", "release", "push"}, Token: true, Step: true}},
		{name: "nothing is needed", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "GITHUB_WORKSPACE": "gone", "GITHUB_OUTPUT": ""}},
		{name: "no identity token", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, needs: Needs{IDToken: true}, want: []string{"job build in the workflow, and to the one that calls it:  " + noToken + "}"}},
		{name: "half of one", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, needs: Needs{IDToken: true}, want: []string{noToken + "}"}},
		{name: "nor at GitHub", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, needs: Needs{IDToken: true, Sinks: []string{"github"}, Token: true}, want: []string{noToken + ", attestations: write}"}},
		{name: "nor anywhere", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, needs: Needs{IDToken: true, Sinks: []string{"release", "oci", "github"}, Token: true}, want: []string{"permissions: {id-token: write, contents: write, packages: write, attestations: write}"}},
		{name: "a job without a name", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "GITHUB_JOB": ""}, needs: Needs{IDToken: true}, want: []string{"the job in the workflow"}},
		{name: "a job with one that is none", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "GITHUB_JOB": "a\n::error::b"}, needs: Needs{IDToken: true}, want: []string{"to the job in the workflow"}},
		{name: "Dependabot's", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "GITHUB_ACTOR": dependabotActor}, needs: Needs{IDToken: true}, want: []string{"gives none to a run that Dependabot started"}},
		{name: "no token for GitHub, in a step", needs: Needs{IDToken: true, Sinks: []string{"github"}, Step: true}, want: []string{"leave the input github-token out, which is then the job's own, with  " + noToken + ", attestations: write}"}},
		{name: "no token for GitHub", needs: Needs{IDToken: true, Sinks: []string{"release"}}, want: []string{`permissions: {id-token: write, contents: write}:  env: {GITHUB_TOKEN: "${{ github.token }}"}`}},
		{name: "a key, and no token for GitHub", needs: Needs{Sinks: []string{"github"}}, want: []string{"permissions: {contents: read, attestations: write}"}},
		{name: "a registry has a login of its own", needs: Needs{Sinks: []string{"oci", "notes", "push", "dir", "file"}}},
		{name: "no workspace", env: map[string]string{"GITHUB_WORKSPACE": ""}, needs: Needs{Step: true}, want: []string{"GITHUB_WORKSPACE"}},
		{name: "a workspace that is gone", env: map[string]string{"GITHUB_WORKSPACE": filepath.Join(workspace, "gone")}, needs: Needs{Step: true}, want: []string{"looking for the workspace"}},
		{name: "no outputs", env: map[string]string{"GITHUB_OUTPUT": ""}, needs: Needs{Step: true}, want: []string{"writing outputs to GITHUB_OUTPUT"}},
		{name: "outputs that are a folder", env: map[string]string{"GITHUB_OUTPUT": workspace}, needs: Needs{Step: true}, want: []string{"is a directory"}},
		{name: "outputs that are gone", env: map[string]string{"GITHUB_OUTPUT": filepath.Join(workspace, "gone")}, needs: Needs{Step: true}, want: []string{"no such file"}},
		{
			name: "nothing at all", env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "GITHUB_WORKSPACE": "", "GITHUB_OUTPUT": ""},
			needs: Needs{IDToken: true, Sinks: []string{"github", "release"}, Step: true},
			want:  []string{"identity token", "storing at GitHub (github, release)", "GITHUB_WORKSPACE", "GITHUB_OUTPUT"},
		},
	} {
		env := maps.Clone(whole)
		maps.Copy(env, r.env)
		gaps := Preflight(getenv(env), r.needs)
		if len(gaps) != len(r.want) {
			t.Errorf("%s: got %q, expected %q", r.name, gaps, r.want)
			continue
		}
		for i, gap := range gaps {
			if text := gap.Error(); !strings.Contains(text, r.want[i]) || !strings.Contains(text, "; next: ") || strings.Contains(text, "\n") {
				t.Errorf("%s: got %q, expected %q", r.name, text, r.want[i])
			}
		}
	}
	if left, err := os.ReadDir(workspace); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// TestWorkspaceThatIsNone is a file where the workspace should be: root can write to any
// folder.
func TestWorkspaceThatIsNone(t *testing.T) {
	t.Parallel()
	err := checkWorkspace(getenv(map[string]string{"GITHUB_WORKSPACE": eventFile(t, "")}))
	if gap, ok := errors.AsType[Gap](err); !ok || gap.Next == "" {
		t.Errorf("got %v", err)
	}
}

// TestGrantsAreDocumented holds the table of docs/action.md to what is printed.
func TestGrantsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/action.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `store: ([a-z]+)(?:=[A-Z]+)?`(?:, (pushed))? \\| `(permissions: [^`]+)`").FindAllStringSubmatch(string(text), -1) {
		name := m[1]
		if m[2] != "" {
			name = "push"
		}
		got[name] = m[3]
	}
	want := map[string]string{}
	for _, sink := range []string{"file", "dir", "notes", "push", "github", "oci", "release"} {
		want[sink] = PermissionsLine(true, sink)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRequire is the input that makes a skipped run a failure.
func TestRequire(t *testing.T) {
	t.Parallel()
	verbs := []Verb{{Name: attestVerb}, {Name: "verify"}}
	for _, r := range []struct {
		command, require string
		want             bool
		words            string // of an error
	}{
		{"attest", "", false, ""}, {"attest", "true", true, ""}, {"attest", "false", false, ""},
		{"attest", "yes", false, "true  or  false"}, {"attest", "True", true, ""}, {"attest", "TRUE", true, ""}, {"attest", "FALSE", false, ""},
		{"attest", "tRUE", false, "true  or  false"}, {"attest", "1", false, "true  or  false"},
		{"verify", "", false, ""}, {"verify", "true", false, "goes with attest"}, {"verify", "false", false, "goes with attest"},
	} {
		got, err := read(map[string]string{"command": r.command, "require": r.require}, verbs)
		if got.Required != r.want || (err != nil) != (r.words != "") || err != nil && !strings.Contains(err.Error(), r.words) {
			t.Errorf("%+v: got %+v, %v", r, got, err)
		}
	}
}
