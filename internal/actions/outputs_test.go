package actions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func outputFile(t *testing.T) (string, func(string) string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(path, []byte("before=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, getenv(map[string]string{"GITHUB_OUTPUT": path})
}

func TestWriteOutputs(t *testing.T) {
	t.Parallel()
	path, env := outputFile(t)
	if err := WriteOutputs(env, Output{"exit-code", "0"}, Output{"path", "a b=d<<e"}, Output{"none", ""}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	d := outputDelimiter
	want := "before=1\nexit-code<<" + d + "\n0\n" + d + "\npath<<" + d + "\na b=d<<e\n" + d + "\nnone<<" + d + "\n\n" + d + "\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v, expected %q", got, err, want)
	}
}

// TestWriteOutputsRefuses: where one output is not fit for the file, it stays as
// it was.
func TestWriteOutputsRefuses(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]Output{
		"the delimiter":          {"path", outputDelimiter},
		"the delimiter in it":    {"path", "x" + outputDelimiter + "y"},
		"a line feed":            {"path", "a\nverdict=allowed"},
		"a carriage return":      {"path", "a\rb"},
		"a name of two lines":    {"a\nb", ""},
		"a name that sets":       {"a=b", ""},
		"a name that opens":      {"a<<b", ""},
		"a name that delimits":   {outputDelimiter, ""},
		"a name that is not one": {"", ""},
	} {
		path, env := outputFile(t)
		err := WriteOutputs(env, Output{"exit-code", "0"}, bad)
		if err == nil || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: got %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "before=1\n" {
			t.Errorf("%s: the file has %q, %v", name, got, err)
		}
	}
}

// TestWriteOutputsNowhere: what go-githubactions panics at is an error.
func TestWriteOutputsNowhere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "gone/output", t.TempDir()} {
		err := WriteOutputs(getenv(map[string]string{"GITHUB_OUTPUT": path}), Output{"a", "b"})
		if err == nil || !strings.Contains(err.Error(), "; next: ") {
			t.Errorf("%q: got %v", path, err)
		}
	}
	if _, err := os.Stat("gone"); err == nil {
		t.Error("a folder was made")
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		return
	}
	if err := WriteOutputs(getenv(map[string]string{"GITHUB_OUTPUT": "/dev/full"}), Output{"a", "b"}); err == nil {
		t.Error("a full disk is no error")
	}
}
