package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestComposite holds composite/action.yml to action.yml.
func TestComposite(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../" + metadataFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := composite(string(text))
	if err != nil {
		t.Fatal(err)
	}
	is, err := os.ReadFile("../../" + compositeFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(is) != want {
		t.Errorf("%s is not what %s makes it; next: go run ./internal/release composite", compositeFile, metadataFile)
	}
	for _, broken := range []string{
		"name: x\n", strings.Replace(string(text), "\noutputs:\n", "\n", 1), strings.Replace(string(text), "\n  paths:\n", "\n  the_paths:\n", 1),
	} {
		if _, err := composite(broken); err == nil {
			t.Errorf("made a composite action of\n%.200s", broken)
		}
	}
}

// runner is a job's machine: a copy of composite/, a network that has one file, and the
// folder for temporary files.
type runner struct {
	t                    *testing.T
	action, network, tmp string
}

// theBinary stands for a release's: it prints what it is given.
const theBinary = `#!/bin/bash
echo "ran with $*"
env | grep -a '^INPUT_' | sort
exit 1
`

func newRunner(t *testing.T) runner {
	t.Helper()
	r := runner{t, filepath.Join(t.TempDir(), "an action"), t.TempDir(), t.TempDir()}
	if err := os.CopyFS(r.action, os.DirFS("../../composite")); err != nil {
		t.Fatal(err)
	}
	r.put(filepath.Join(r.network, "curl"), `#!/bin/sh
for last; do :; done
while [ "$1" != --output ]; do shift; done
echo "asked for $last" >&2
cp "$(dirname "$0")/served" "$2"
`)
	r.serve(theBinary)
	r.put(filepath.Join(r.network, "list"), theBinary)
	sum, err := digestOf(filepath.Join(r.network, "list"))
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for _, target := range targets() {
		fmt.Fprintf(&list, "%s  %s\n", sum, target.file("v1.2.3-rc.1"))
	}
	r.put(filepath.Join(r.action, "SHA256SUMS"), list.String())
	return r
}

func (r runner) put(file, text string) {
	r.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

func (r runner) serve(text string) { r.put(filepath.Join(r.network, "served"), text) }

// step runs the composite action's one step.
func (r runner) step(variables ...string) (out string, code int) {
	r.t.Helper()
	cmd := exec.Command("bash", filepath.Join(r.action, "run"))
	cmd.Env = append([]string{"PATH=" + r.network + ":/usr/bin:/bin", "RUNNER_TEMP=" + r.tmp, "RUNNER_OS=Linux", "RUNNER_ARCH=X64"}, variables...)
	said, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(said), exit.ExitCode()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return string(said), 0
}

// TestCompositeStep: the binary is run with the inputs as they were given, and with its
// own exit code; it is downloaded once.
func TestCompositeStep(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	given := []string{"GIVEN_COMMAND=attest", "GIVEN_SUBJECT_PATH=dist/a b\ndist/$(touch owned)", "GIVEN_PATHS=", "GIVEN_VERBOSE=true"}
	out, code := r.step(given...)
	want := "asked for https://github.com/signatus-dev/signatus/releases/download/v1.2.3-rc.1/signatus-v1.2.3-rc.1-linux-amd64\n" +
		"ran with action\nINPUT_COMMAND=attest\nINPUT_SUBJECT-PATH=dist/a b\nINPUT_VERBOSE=true\n"
	if out != want || code != 1 {
		t.Errorf("exit code %d and\n%s\nexpected 1 and\n%s", code, out, want)
	}
	if out, code := r.step(given...); code != 1 || strings.Contains(out, "asked for") {
		t.Errorf("the second step: exit code %d and\n%s", code, out)
	}
	if out, code := r.step(); code != 1 || !strings.HasSuffix(out, "ran with action\n") {
		t.Errorf("no inputs: exit code %d and\n%s", code, out)
	}
	// Each system and processor has a binary of its own.
	for _, row := range [][3]string{{"macOS", "ARM64", "darwin-arm64"}, {"macOS", "X64", "darwin-amd64"}, {"Windows", "X64", "windows-amd64.exe"}, {"Windows", "ARM64", "windows-arm64.exe"}, {"Linux", "ARM64", "linux-arm64"}} {
		if out, _ := r.step("RUNNER_OS="+row[0], "RUNNER_ARCH="+row[1]); !strings.Contains(out, "/signatus-v1.2.3-rc.1-"+row[2]+"\n") {
			t.Errorf("%s on %s: %s", row[0], row[1], out)
		}
	}
}

// TestCompositeRefuses: what is not the release's binary is never run.
func TestCompositeRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(runner)
		words  string
		env    []string
	}{
		{"another binary is served", func(r runner) { r.serve("#!/bin/sh\necho ran evil\n") }, "it was not run", nil},
		{"a page is served", func(r runner) { r.serve("<!doctype html>") }, "it was not run", nil},
		{"nothing is served", func(r runner) { r.put(filepath.Join(r.network, "curl"), "#!/bin/sh\nexit 22\n") }, "cannot be downloaded", nil},
		{"there is no release", func(r runner) { r.put(filepath.Join(r.action, "SHA256SUMS"), "") }, "of no release", nil},
		{"a digest that is none", func(r runner) {
			r.put(filepath.Join(r.action, "SHA256SUMS"), "0  signatus-v1.2.3-linux-amd64\n")
		}, "of no release", nil},
		{"another system", func(runner) {}, "the runner's system Plan9", []string{"RUNNER_OS=Plan9"}},
		{"another processor", func(runner) {}, "the runner's processor ARM", []string{"RUNNER_ARCH=ARM"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			row.change(r)
			out, code := r.step(row.env...)
			if code != 3 || !strings.Contains(out, "::error::") || !strings.Contains(out, row.words) || strings.Contains(out, "ran ") {
				t.Errorf("exit code %d and\n%s\nexpected 3 and %q", code, out, row.words)
			}
			left, err := os.ReadDir(r.tmp)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
	t.Run("another binary is there already", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t)
		r.put(filepath.Join(r.tmp, "signatus-v1.2.3-rc.1-linux-amd64"), "#!/bin/sh\necho ran evil\n")
		if out, code := r.step(); code != 1 || strings.Contains(out, "evil") || !strings.Contains(out, "asked for") {
			t.Errorf("exit code %d and\n%s", code, out)
		}
	})
	t.Run("this tree is of no release", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t)
		list, err := os.ReadFile("../../" + pinnedSums)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 {
			if _, err := binaries(list); err != nil {
				t.Errorf("%s: %v", pinnedSums, err)
			}
			return
		}
		r.put(filepath.Join(r.action, "SHA256SUMS"), string(list))
		if out, code := r.step(); code != 3 || !strings.Contains(out, "of no release") {
			t.Errorf("exit code %d and\n%s", code, out)
		}
	})
}
