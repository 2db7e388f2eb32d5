package actions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestShowsSummary(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"": true, "true": true, "false": false, "\tfalse\n": false, "no": true, "False": false, "FALSE": false, "fALSE": true, "TRUE": true} {
		if got := ShowsSummary(getenv(map[string]string{"INPUT_SHOW-SUMMARY": value})); got != want {
			t.Errorf("%q: %t, expected %t", value, got, want)
		}
	}
}

func TestWriteSummary(t *testing.T) {
	t.Parallel()
	const most = 100
	tell := func(w io.Writer, room int) error {
		_, err := fmt.Fprintf(w, "room %d\n", room)
		return err
	}
	for name, row := range map[string]struct{ there, want string }{
		"a new one":       {"", "room 100\n"},
		"behind another":  {"# x\n", "# x\n\nroom 95\n"},
		"behind half one": {"# x", "# x\nroom 96\n"},
		"a full one":      {strings.Repeat("x", 99), strings.Repeat("x", 99) + "\nroom 0\n"},
		"an overfull one": {strings.Repeat("x", 500), strings.Repeat("x", 500) + "\nroom 0\n"},
	} {
		file := filepath.Join(t.TempDir(), "summary")
		if err := os.WriteFile(file, []byte(row.there), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := WriteSummary(getenv(map[string]string{"GITHUB_STEP_SUMMARY": file}), most, tell); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != row.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// What cannot be written is said, with the variable and what to do, and leaves the file.
func TestWriteSummaryFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "summary")
	if err := os.WriteFile(file, []byte("there"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := func(w io.Writer, _ int) error { return nil }
	broken := errors.New("too much is in it already")
	for name, row := range map[string]struct {
		variable string
		write    func(io.Writer, int) error
		want     string
	}{
		"not set":        {"", good, "GITHUB_STEP_SUMMARY is not set; next: "},
		"not there":      {filepath.Join(folder, "gone"), good, "GITHUB_STEP_SUMMARY: "},
		"a folder":       {folder, good, "GITHUB_STEP_SUMMARY: "},
		"not to be made": {file, func(w io.Writer, _ int) error { return errors.Join(broken, second(io.WriteString(w, "half"))) }, broken.Error()},
	} {
		err := WriteSummary(getenv(map[string]string{"GITHUB_STEP_SUMMARY": row.variable}), 100, row.write)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "there" {
		t.Errorf("the file is %q, %v", got, err)
	}
}

func second(_ int, err error) error { return err }

// A file for later steps is in the runner's temporary folder, and where that is not
// shared, in the workspace; it is whole or not there.
func TestKeep(t *testing.T) {
	t.Parallel()
	workspace, temp := t.TempDir(), t.TempDir()
	output := filepath.Join(temp, "output")
	good := func(w io.Writer) error { return second(io.WriteString(w, "{}")) }
	for name, row := range map[string]struct {
		variables map[string]string
		folder    string
	}{
		"temporary": {map[string]string{"RUNNER_TEMP": temp, "GITHUB_OUTPUT": output}, temp},
		"workspace": {map[string]string{"RUNNER_TEMP": t.TempDir()}, workspace},
	} {
		row.variables["GITHUB_WORKSPACE"] = workspace
		environ := getenv(row.variables)
		path, err := FindPaths(environ).Keep(environ, "signatus.sarif", good)
		if err != nil || filepath.Dir(path) != row.folder || !strings.HasPrefix(filepath.Base(path), "signatus-") || filepath.Ext(path) != ".sarif" {
			t.Errorf("%s: %s, %v", name, path, err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "{}" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		again, err := FindPaths(environ).Keep(environ, "signatus.sarif", good)
		if err != nil || again == path {
			t.Errorf("%s: %s again, %v", name, again, err)
		}
	}
	none := getenv(nil)
	if path, err := FindPaths(none).Keep(none, "x.sarif", good); err == nil {
		t.Errorf("%s, where nothing is shared", path)
	}
	broken := errors.New("broken")
	environ := getenv(map[string]string{"GITHUB_WORKSPACE": t.TempDir()})
	if _, err := FindPaths(environ).Keep(environ, "x.sarif", func(w io.Writer) error { return errors.Join(broken, good(w)) }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if left, err := os.ReadDir(environ("GITHUB_WORKSPACE")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
