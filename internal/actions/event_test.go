package actions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const base = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"

// getenv is an environment of its own.
func getenv(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func eventFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pullRequest(sha string) string {
	return `{"action": "opened", "number": 1, "pull_request": {"head": {"sha": "0badc0de"}, "base": {"ref": "main", "sha": "` + sha + `"}}}`
}

func mergeGroup(sha string) string {
	return `{"merge_group": {"head_sha": "0badc0de", "base_ref": "refs/heads/main", "base_sha": "` + sha + `"}}`
}

func TestEventsWithABase(t *testing.T) {
	t.Parallel()
	workspace := t.TempDir()
	for name, text := range map[string]string{
		"pull_request": pullRequest(base), "pull_request_target": pullRequest(base),
		"pull_request_review": pullRequest(base), "pull_request_review_comment": pullRequest(base),
		"merge_group": mergeGroup(base),
	} {
		got, ok, err := ReadEvent(getenv(map[string]string{
			"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": eventFile(t, text), "GITHUB_WORKSPACE": workspace,
		}))
		if want := (Event{Name: name, Base: base, Workspace: workspace}); got != want || !ok || err != nil {
			t.Errorf("%s: got %v, %t, %v; expected %v", name, got, ok, err, want)
		}
	}
}

// TestNoEvent has runs that are for no change to be merged; whatever else the
// environment says is not looked at.
// TestVisibility: what an event says of the job's repository, which is public only where
// nothing says otherwise.
func TestVisibility(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"repository": {"visibility": "public", "private": false}}`:     "public",
		`{"repository": {"visibility": "private", "private": true}}`:     "private",
		`{"repository": {"visibility": "internal", "private": true}}`:    "internal",
		`{"repository": {"visibility": "public", "private": true}}`:      "private",
		`{"repository": {"visibility": "private", "private": false}}`:    "private",
		`{"repository": {"private": false}}`:                             "public",
		`{"repository": {"private": true}}`:                              "private",
		`{"repository": {"visibility": "public"}}`:                       "public",
		`{"repository": {"full_name": "acme/app"}}`:                      "",
		`{"pull_request": {"base": {"repo": {"visibility": "public"}}}}`: "",
		`{"schedule": "0 0 * * *"}`:                                      "",
		`{"repository": {"visibility": 1}}`:                              "",
		`garbage`:                                                        "",
	} {
		if got := Visibility(getenv(map[string]string{"GITHUB_EVENT_PATH": eventFile(t, text)})); got != want {
			t.Errorf("%s: %q, expected %q", text, got, want)
		}
	}
	for _, path := range []string{"", filepath.Join(t.TempDir(), "gone")} {
		if got := Visibility(getenv(map[string]string{"GITHUB_EVENT_PATH": path})); got != "" {
			t.Errorf("%q: %q", path, got)
		}
	}
}

func TestNoEvent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "push", "release", "schedule", "workflow_dispatch", "workflow_run", "issue_comment"} {
		for _, path := range []string{"", "gone", eventFile(t, pullRequest(base)), eventFile(t, "garbage")} {
			got, ok, err := ReadEvent(getenv(map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": path, "GITHUB_ACTIONS": "true"}))
			if ok || err != nil || got != (Event{}) {
				t.Errorf("%q: got %v, %t, %v", name, got, ok, err)
			}
		}
	}
}

// TestBaseThatCannotBeTold breaks one thing in each row. None of them may pass
// for a run without such an event.
func TestBaseThatCannotBeTold(t *testing.T) {
	t.Parallel()
	huge := eventFile(t, "")
	if err := os.Truncate(huge, maxEventBytes+1); err != nil {
		t.Fatal(err)
	}
	file := func(text string) string { return eventFile(t, text) }
	for _, tc := range []struct{ name, event, path, words string }{
		{"no path", "pull_request", "", "GITHUB_EVENT_PATH is not set"},
		{"no file", "pull_request", filepath.Join(t.TempDir(), "gone"), "no such file"},
		{"a folder", "pull_request", t.TempDir(), "is a directory"},
		{"huge", "pull_request", huge, "more than 32 MiB"},
		{"empty", "pull_request", file(""), "EOF"},
		{"garbage", "pull_request", file("garbage"), "invalid"},
		{"cut off", "pull_request", file(pullRequest(base)[:40]), "EOF"},
		{"more behind it", "pull_request", file(pullRequest(base) + "{}"), "invalid"},
		{"null", "pull_request", file("null"), "its base is"},
		{"list", "pull_request", file("[]"), "JSON array"},
		{"no pull request", "pull_request", file("{}"), "its base is"},
		{"no base", "pull_request", file(`{"pull_request": {}}`), "its base is"},
		{"base of another kind", "pull_request", file(`{"pull_request": {"base": {"sha": 7}}}`), "JSON number"},
		{"other case", "pull_request", file(strings.ReplaceAll(pullRequest(base), "sha", "SHA")), "its base is"},
		{"two bases", "pull_request", file(`{"pull_request": {"base": {"sha": "` + base + `", "sha": "` + base + `"}}}`), "duplicate"},
		{"two pull requests", "pull_request", file(`{"pull_request": {}, ` + pullRequest(base)[1:]), "duplicate"},
		{"short", "pull_request", file(pullRequest(base[:7])), "its base is"},
		{"branch", "pull_request", file(pullRequest("main")), "its base is"},
		{"option", "pull_request", file(pullRequest("--upload-pack=x")), "its base is"},
		{"upper case", "pull_request", file(pullRequest(strings.ToUpper(base))), "its base is"},
		{"none", "pull_request", file(pullRequest(strings.Repeat("0", 40))), "its base is"},
		{"of a merge group", "pull_request", file(mergeGroup(base)), "its base is"},
		{"of a pull request", "merge_group", file(pullRequest(base)), "its base is"},
		{"no group", "merge_group", file("{}"), "its base is"},
	} {
		_, ok, err := ReadEvent(getenv(map[string]string{
			"GITHUB_EVENT_NAME": tc.event, "GITHUB_EVENT_PATH": tc.path, "GITHUB_WORKSPACE": t.TempDir(),
		}))
		if ok || err == nil || !strings.Contains(err.Error(), tc.words) || !strings.Contains(err.Error(), tc.event) {
			t.Errorf("%s: got %t, %v; expected %q", tc.name, ok, err, tc.words)
		}
	}
	for _, workspace := range []string{"", ".", "some/where"} {
		_, ok, err := ReadEvent(getenv(map[string]string{
			"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": file(pullRequest(base)), "GITHUB_WORKSPACE": workspace,
		}))
		if ok || err == nil || !strings.Contains(err.Error(), "GITHUB_WORKSPACE") {
			t.Errorf("workspace %q: got %t, %v", workspace, ok, err)
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte(pullRequest(base)))
	f.Add([]byte(mergeGroup(base)))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		event, ok, err := ReadEvent(getenv(map[string]string{
			"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": path, "GITHUB_WORKSPACE": t.TempDir(),
		}))
		for _, name := range []string{"pull_request_target", "workflow_run"} {
			why, err := Unsigned(getenv(map[string]string{
				"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": path, "ACTIONS_ID_TOKEN_REQUEST_URL": "x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
			}))
			if why != "" && err != nil || why != "" && why != Fork {
				t.Errorf("%s: got %q, %v", name, why, err)
			}
		}
		if ok == (err != nil) || ok && len(event.Base) != 40 && len(event.Base) != 64 {
			t.Errorf("got %v, %t, %v", event, ok, err)
		}
	})
}
