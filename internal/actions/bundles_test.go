package actions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aRunner has the folders of a job, and two files of bundles.
func aRunner(t *testing.T) (env map[string]string, files []string) {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"workspace", "temp", "temp/commands"} {
		if err := os.Mkdir(filepath.Join(top, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env = map[string]string{
		"GITHUB_WORKSPACE": filepath.Join(top, "workspace"), "RUNNER_TEMP": filepath.Join(top, "temp"), "HOME": top,
		"GITHUB_OUTPUT": filepath.Join(top, "temp", "commands", "output"),
	}
	for name, text := range map[string]string{"a": "{\"a\":1}\n", "b": "{\"b\":1}\n{\"b\":2}"} {
		if err := os.WriteFile(filepath.Join(top, "workspace", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return env, []string{filepath.Join(top, "workspace", "a"), filepath.Join(top, "workspace", "b")}
}

// TestJoin: all bundles are in one file, a line each, where the runner has a place for it.
func TestJoin(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		change func(env map[string]string)
		folder string
	}{
		"RUNNER_TEMP":              {func(map[string]string) {}, "temp"},
		"it is not mounted":        {func(env map[string]string) { env["RUNNER_TEMP"] += "-gone" }, "."},
		"it is the container's":    {func(env map[string]string) { env["RUNNER_TEMP"] = t.TempDir() }, "."},
		"it is not given":          {func(env map[string]string) { env["RUNNER_TEMP"] = "" }, "."},
		"it is relative":           {func(env map[string]string) { env["RUNNER_TEMP"] = "." }, "."},
		"home is all of the image": {func(env map[string]string) { env["RUNNER_TEMP"], env["HOME"] = "", "/" }, "temp/commands"},
		"nothing":                  {func(env map[string]string) { env["RUNNER_TEMP"], env["HOME"], env["GITHUB_OUTPUT"] = "", "", "" }, ""},
	} {
		env, files := aRunner(t)
		top := env["HOME"]
		r.change(env)
		joined, err := FindPaths(getenv(env)).Join(getenv(env), files)
		if r.folder == "" {
			if err == nil || !strings.Contains(err.Error(), "; next: ") {
				t.Errorf("%s: got %s, %v", name, joined, err)
			}
			continue
		}
		data, readErr := os.ReadFile(joined)
		if err != nil || readErr != nil || filepath.Dir(joined) != filepath.Join(top, r.folder) || string(data) != "{\"a\":1}\n{\"b\":1}\n{\"b\":2}\n" {
			t.Errorf("%s: got %s with %q, %v, %v", name, joined, data, err, readErr)
		}
		again, err := FindPaths(getenv(env)).Join(getenv(env), files)
		if err != nil || again == joined {
			t.Errorf("%s: a second time is %s, %v", name, again, err)
		}
	}
}

// TestJoinFails: a file that cannot be read leaves nothing behind.
func TestJoinFails(t *testing.T) {
	t.Parallel()
	env, files := aRunner(t)
	if joined, err := FindPaths(getenv(env)).Join(getenv(env), append(files, files[0]+"-gone")); err == nil {
		t.Errorf("got %s", joined)
	}
	if left, err := filepath.Glob(filepath.Join(env["RUNNER_TEMP"], "attestation*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestNoteBundle: each run adds its line, and belongs to whom the folder belongs to.
func TestNoteBundle(t *testing.T) {
	t.Parallel()
	env, _ := aRunner(t)
	root := os.Geteuid() == 0
	if root {
		if err := os.Chown(env["RUNNER_TEMP"], 1001, 127); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/a b", "/c"} {
		if err := FindPaths(getenv(env)).NoteBundle(getenv(env), path); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(env["RUNNER_TEMP"], "created_attestation_paths.txt")
	if data, err := os.ReadFile(list); err != nil || string(data) != "/a b\n/c\n" {
		t.Errorf("got %q, %v", data, err)
	}
	if info, err := os.Stat(list); err != nil || root {
		if uid, _, _ := owner(info); uid != 1001 {
			t.Errorf("it belongs to %d", uid)
		}
	}
	for _, folder := range []string{"", ".", env["RUNNER_TEMP"] + "-gone", t.TempDir()} {
		env["RUNNER_TEMP"] = folder
		if err := FindPaths(getenv(env)).NoteBundle(getenv(env), "/d"); err != nil {
			t.Errorf("%q: %v", folder, err)
		}
	}
	if _, err := os.Stat("created_attestation_paths.txt"); err == nil {
		t.Error("a relative folder was written to")
	}
}

// TestNoteBundleFollowsNoLink: a step before this one chose what is there.
func TestNoteBundleFollowsNoLink(t *testing.T) {
	t.Parallel()
	env, files := aRunner(t)
	if err := os.Symlink(files[0], filepath.Join(env["RUNNER_TEMP"], "created_attestation_paths.txt")); err != nil {
		t.Fatal(err)
	}
	if err := FindPaths(getenv(env)).NoteBundle(getenv(env), "/a"); err == nil {
		t.Error("a link out of the folder was followed")
	}
	if data, err := os.ReadFile(files[0]); err != nil || string(data) != "{\"a\":1}\n" {
		t.Errorf("its target has %q, %v", data, err)
	}
}
