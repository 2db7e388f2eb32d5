package command_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/command"
)

// outcome is what one run left behind.
type outcome struct {
	code        int
	out, report string // standard output and standard error
}

// run runs a verb in this process. change, if not nil, makes the outside other
// than it is: by default the disk, no network, no cache and no terminal.
func run(t testing.TB, change func(*command.Env), args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.Env{
		Args: args, Getenv: func(string) string { return "" },
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		FS: disk{}, Now: time.Now(), HTTP: &http.Client{Transport: noNetwork{}}, Version: "v0.0.0-test",
	}
	if change != nil {
		change(&env)
	}
	code := command.ExitCode(command.Run(context.Background(), env))
	return outcome{code, stdout.String(), stderr.String()}
}

// disk opens paths as they are, as main does.
type disk struct{}

func (disk) Open(name string) (fs.File, error)          { return os.Open(name) }
func (disk) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (disk) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// noNetwork fails every request.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// at is a folder with the whole world in it.
func at(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := theWorld(t).write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// simpleArgs asks for the release workflow's word on the world's app.
func simpleArgs(dir string, more ...string) []string {
	return append([]string{
		"verify", filepath.Join(dir, "app"), "--trusted-root", filepath.Join(dir, "trusted_root.json"),
		"--certificate-identity", workflow, "--certificate-oidc-issuer", actions,
	}, more...)
}

// layoutArgs asks for the author's and the builder's.
func layoutArgs(dir, layout string, more ...string) []string {
	return append([]string{
		"verify", filepath.Join(dir, "app"), "--trusted-root", filepath.Join(dir, "trusted_root.json"),
		"--layout", layout, "--bundle", filepath.Join(dir, "bundles", "author.json"), "--bundle", filepath.Join(dir, "bundles", "build.json"),
	}, more...)
}

// write makes a file in the folder.
func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// demand holds an outcome to an exit code and to words in what was written.
func (o outcome) demand(t testing.TB, code int, words ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, expected %d\n%s%s", o.code, code, o.out, o.report)
	}
	for _, w := range words {
		if !strings.Contains(o.out+o.report, w) {
			t.Errorf("%q is missing from\n%s%s", w, o.out, o.report)
		}
	}
	if strings.Contains(o.report, "internal error") {
		t.Errorf("a panic:\n%s", o.report)
	}
}
