package actions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// onRunner are the variables of a container action, as GitHub's runner sets them.
func onRunner(more map[string]string) map[string]string {
	env := map[string]string{
		"GITHUB_WORKSPACE": "/github/workspace", "RUNNER_WORKSPACE": "/opt/runner/_work/app", "GITHUB_REPOSITORY": "acme/app",
		"RUNNER_TEMP": "/opt/runner/_work/_temp", "HOME": "/github/home", "GITHUB_EVENT_PATH": "/github/workflow/event.json", "GITHUB_OUTPUT": "/github/file_commands/set_output_1",
	}
	for name, value := range more {
		env[name] = value
	}
	return env
}

// TestPaths: a path is what it is called on the side where it is used.
func TestPaths(t *testing.T) {
	t.Parallel()
	same := t.TempDir()
	newer := map[string]string{"RUNNER_TEMP": "/github/runner_temp"}
	selfHosted := map[string]string{"RUNNER_WORKSPACE": "/opt/w/a=b", "GITHUB_REPOSITORY": "acme/a=b", "RUNNER_TEMP": "/opt/w/_temp"}
	for _, r := range []struct {
		name        string
		more        map[string]string
		there, here string
	}{
		{"the workspace", nil, "/opt/runner/_work/app/app", "/github/workspace"},
		{"a file of it", nil, "/opt/runner/_work/app/app/dist/a b", "/github/workspace/dist/a b"},
		{"a glob in it", nil, "/opt/runner/_work/app/app/dist/**", "/github/workspace/dist/**"},
		{"home", nil, "/opt/runner/_work/_temp/_github_home/x", "/github/home/x"},
		{"the event", nil, "/opt/runner/_work/_temp/_github_workflow/event.json", "/github/workflow/event.json"},
		{"outputs", nil, "/opt/runner/_work/_temp/_runner_file_commands/x", "/github/file_commands/x"},
		{"the temporary folder of newer runners", newer, "/opt/runner/_work/_temp/x", "/github/runner_temp/x"},
		{"a folder in it that is mounted by itself", newer, "/opt/runner/_work/_temp/_github_home/x", "/github/home/x"},
		{"a runner elsewhere", selfHosted, "/opt/w/a=b/a=b/x", "/github/workspace/x"},
		{"under act", map[string]string{"GITHUB_WORKSPACE": same}, same + "/x", same + "/x"},
	} {
		p := FindPaths(getenv(onRunner(r.more)))
		if got := p.Here(r.there); got != r.here {
			t.Errorf("%s: %s is %s here, expected %s", r.name, r.there, got, r.here)
		}
		if got := p.Here(r.here); got != r.here {
			t.Errorf("%s: %s, which is here, became %s", r.name, r.here, got)
		}
		if got, ok := p.There(r.here); !ok || got != r.there {
			t.Errorf("%s: %s is %s there, %t, expected %s", r.name, r.here, got, ok, r.there)
		}
	}
	p := FindPaths(getenv(onRunner(nil)))
	for _, foreign := range []string{
		"", "dist/a", "/opt/runner/_work/app", "/opt/runner/_work/app/app2", "/opt/runner/_work/app/app-other/x", "/opt/runner/_work/_temp/x", "/tmp/x",
		"x/opt/runner/_work/app/app", "sha256:00", "https://example.com/opt/runner/_work/app/app",
	} {
		if got := p.Here(foreign); got != foreign {
			t.Errorf("%s became %s", foreign, got)
		}
	}
	for _, foreign := range []string{"/github/workspaces", "/tmp/x", "/", "/github", "dist"} {
		if got, ok := p.There(foreign); ok {
			t.Errorf("%s is %s there", foreign, got)
		}
	}
	if got := p.Here("/__w/app/app/x"); got != "/github/workspace/x" {
		t.Errorf("the workspace of a job in a container is %s", got)
	}
}

// TestPathsUnknown: where the runner does not say what it calls the workspace, a later
// step is told of it from there.
func TestPathsUnknown(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		more map[string]string
		want string
	}{
		{"no RUNNER_WORKSPACE", map[string]string{"RUNNER_WORKSPACE": ""}, "dist/a"},
		{"a relative one", map[string]string{"RUNNER_WORKSPACE": "work/app"}, "dist/a"},
		{"no repository", map[string]string{"GITHUB_REPOSITORY": ""}, "dist/a"},
		{"all of it", nil, "/opt/runner/_work/app/app/dist/a"},
	} {
		if got := FindPaths(getenv(onRunner(r.more))).Told("/github/workspace/dist/a"); got != r.want {
			t.Errorf("%s: got %s, expected %s", r.name, got, r.want)
		}
	}
	if got := FindPaths(getenv(nil)).Told("/x/y"); got != "/x/y" {
		t.Errorf("outside of all folders: got %s", got)
	}
}

// TestTold is not parallel: a process works in one folder, and that may be reached by a
// link.
func TestTold(t *testing.T) {
	_, folder := aWorkspace(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(folder, "sub"))
	for _, workspace := range []string{folder, link} {
		got := FindPaths(getenv(map[string]string{"GITHUB_WORKSPACE": workspace})).Told("a")
		if got != filepath.Join(folder, "sub", "a") {
			t.Errorf("in %s: got %s", workspace, got)
		}
	}
}

// TestPathsCheck: what a step sees is the workspace, and the little that the runner mounts.
func TestPathsCheck(t *testing.T) {
	t.Parallel()
	p := FindPaths(getenv(onRunner(nil)))
	for _, r := range []struct {
		folder, path string
		ok           bool
	}{
		{"", "dist/a", true},
		{"", "/github/workspace/dist/**", true},
		{"", "/github/home/key.pem", true},
		{"", "/github/workflow/event.json", true},
		{"sub", "../a", true},
		{"/github/workspace/sub", "../a", true},
		{"", "a/../../workspace/b", true},
		{"", "sha256:00", true},
		{"", "oci://ghcr.io/acme/app@sha256:00", true},
		{"", "../a", false},
		{"sub", "../../a", false},
		{"/github/workspace/sub", "../../a", false},
		{"", "/tmp/a", false},
		{"", "/github/workspace/../a", false},
		{"", "/github/workspace2/a", false},
		{"", "/opt/runner/_work/other/other/a", false},
		{"", "/", false},
	} {
		err := p.Check(Step{Folder: r.folder, Paths: []NamedPath{{"bundle", "a"}, {"output", r.path}}})
		if (err == nil) != r.ok {
			t.Errorf("%s in %q: got %v", r.path, r.folder, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "input output") || !strings.Contains(err.Error(), "; next: ")) {
			t.Errorf("%s: %v", r.path, err)
		}
	}
	same := t.TempDir()
	p = FindPaths(getenv(map[string]string{
		"GITHUB_WORKSPACE": same, "GITHUB_OUTPUT": "/var/run/act/workflow/output", "GITHUB_EVENT_PATH": "/var/run/act/workflow/event.json", "RUNNER_TEMP": "/tmp", "HOME": "/",
	}))
	for path, ok := range map[string]bool{"a": true, same + "/a": true, "/var/run/act/workflow/a": true, "/var/run/act/a": false, "/tmp/a": false, "../a": false, "/a": false} {
		if err := p.Check(Step{Paths: []NamedPath{{"output", path}}}); (err == nil) != ok {
			t.Errorf("%s, under act: got %v", path, err)
		}
	}
	if err := (Paths{}).Check(Step{Paths: []NamedPath{{"bundle", "a"}}}); err == nil {
		t.Error("the zero value allows a path")
	}
}

// TestReadPaths: each line of an input is translated, also behind a name, and where it is
// text it stays.
func TestReadPaths(t *testing.T) {
	t.Parallel()
	const host = "/opt/runner/_work/app/app"
	inputs := map[string]string{
		"command": "check", "bundle": "/github/workspace/a\n" + host + "/b\n../c", "trusted-root": host + "/r\ncorp=" + host + "/s\n/x=y/t",
		"paths": host + "/d\nsha256:00", "working-directory": host + "/sub",
	}
	env := onRunner(nil)
	for name, value := range inputs {
		env["INPUT_"+strings.ToUpper(name)] = value
	}
	got, err := Reading{Getenv: getenv(env), Verbs: someVerbs(), Paths: FindPaths(getenv(env))}.Read()
	want := Step{
		Verb: "check", Folder: "/github/workspace/sub",
		Arguments: []string{
			"--bundle=/github/workspace/a", "--bundle=/github/workspace/b", "--bundle=../c",
			"--trusted-root=/github/workspace/r", "--trusted-root=corp=/github/workspace/s", "--trusted-root=/x=y/t", "--", "/github/workspace/d", "sha256:00",
		},
		Paths: []NamedPath{
			{"bundle", "/github/workspace/a"}, {"bundle", "/github/workspace/b"}, {"bundle", "../c"},
			{"trusted-root", "/github/workspace/r"}, {"trusted-root", "/github/workspace/s"}, {"trusted-root", "/x=y/t"}, {"paths", "/github/workspace/d"}, {"paths", "sha256:00"},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for value, names := range map[string]int{host + "/v.json": 1, "../v.json": 1, `{"a": "` + host + `"}`: 0, "v.json": 0} {
		env["INPUT_COMMAND"], env["INPUT_BUNDLE"], env["INPUT_VARS"], env["INPUT_TRUSTED-ROOT"] = "sign", "", value, ""
		got, err := Reading{Getenv: getenv(env), Verbs: someVerbs(), Paths: FindPaths(getenv(env))}.Read()
		if err != nil || len(got.Paths) != 2+names || strings.HasPrefix(value, "{") && got.Arguments[0] != "--vars="+value {
			t.Errorf("vars %s: got %+v, %v", value, got, err)
		}
	}
}

// FuzzPaths: to and fro is where it began, and what leads out is never shared.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{"/github/workspace/a", "/opt/runner/_work/app/app/../x", "/__w/_temp/y", "a/../../..", "/github/home", "\x00", "//github//workspace"} {
		f.Add(seed)
	}
	p := FindPaths(getenv(onRunner(nil)))
	f.Fuzz(func(t *testing.T, given string) {
		here := p.Here(given)
		if again := p.Here(here); again != here {
			t.Fatalf("%q is %q and then %q", given, here, again)
		}
		if there, ok := p.There(here); ok && p.Here(there) != here {
			t.Fatalf("%q is %q there and %q back", here, there, p.Here(there))
		}
		if p.Check(Step{Paths: []NamedPath{{"x", given}}}) == nil {
			full := filepath.Clean(filepath.Join("/github/workspace", given))
			if filepath.IsAbs(given) {
				full = filepath.Clean(given)
			}
			if !strings.HasPrefix(full, "/github/") {
				t.Fatalf("%q leads to %q", given, full)
			}
		}
	})
}
