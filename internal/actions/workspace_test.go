package actions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aWorkspace has the folder sub, and links that lead into and out of it.
func aWorkspace(t *testing.T) (Workspace, string) {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(top, "workspace")
	for _, dir := range []string{"workspace/sub/deep", "outside"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"in": "sub", "out": "../outside", "abs": filepath.Join(top, "outside")} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := FindWorkspace(getenv(map[string]string{"GITHUB_WORKSPACE": folder}))
	if err != nil {
		t.Fatal(err)
	}
	return w, folder
}

// TestEnter is not parallel: a process works in one folder.
func TestEnter(t *testing.T) {
	w, folder := aWorkspace(t)
	for name, want := range map[string]string{
		".": "", "sub": "sub", "sub/deep": "sub/deep", "sub/../sub": "sub", "in": "sub", "in/deep": "sub/deep",
		folder: "", filepath.Join(folder, "sub"): "sub", filepath.Join(folder, "in", "deep"): "sub/deep",
	} {
		t.Chdir(t.TempDir())
		err := w.Enter(name)
		here, wdErr := os.Getwd()
		if err != nil || wdErr != nil || here != filepath.Join(folder, filepath.FromSlash(want)) {
			t.Errorf("%s: in %s, %v, %v", name, here, err, wdErr)
		}
	}
	for _, name := range []string{
		"..", "../outside", "sub/../../outside", "out", "abs", "out/x", "gone", "file", "/", filepath.Dir(folder), filepath.Join(folder, "..", "outside"),
		filepath.Join(folder, "out"), filepath.Join(folder, "abs"), folder + "-other",
	} {
		start := t.TempDir()
		t.Chdir(start)
		err := w.Enter(name)
		if here, wdErr := os.Getwd(); err == nil || wdErr != nil || here != start || !strings.Contains(err.Error(), "; next: ") {
			t.Errorf("%s: in %s, %v, %v", name, here, err, wdErr)
		}
	}
}

func TestFindWorkspace(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"", "relative", filepath.Join(t.TempDir(), "gone")} {
		if _, err := FindWorkspace(getenv(map[string]string{"GITHUB_WORKSPACE": folder})); err == nil || !strings.Contains(err.Error(), "; next: ") {
			t.Errorf("%q: got %v", folder, err)
		}
	}
}

// TestGiveBack needs root, which a container's step has.
func TestGiveBack(t *testing.T) {
	t.Parallel()
	w, folder := aWorkspace(t)
	outside := filepath.Join(filepath.Dir(folder), "outside", "x")
	for _, path := range []string{outside, filepath.Join(folder, "sub", "x")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	root := os.Geteuid() == 0
	if root {
		if err := os.Chown(folder, 1001, 127); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{
		filepath.Join(folder, "sub", "x"): 1001, filepath.Join(folder, "link"): 1001, filepath.Join(folder, "gone"): 0, filepath.Join(folder, "out", "x"): 0, outside: 0, "x": 0,
	} {
		if err := w.GiveBack(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		info, err := os.Lstat(path)
		if err != nil || !root {
			continue
		}
		if uid, gid, ok := owner(info); ok && (uid != want || (gid == 127) != (want == 1001)) {
			t.Errorf("%s belongs to %d:%d, expected %d", path, uid, gid, want)
		}
	}
}
