package main

import (
	"debug/buildinfo"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestOneWayToBuild holds the Makefile, the Dockerfile and a release to the same flags.
func TestOneWayToBuild(t *testing.T) {
	t.Parallel()
	args := goBuild("VERSION", "OUTPUT")
	flags := strings.Join(args[:3], " ") + " -ldflags QUOTE" + args[4] + "QUOTE -o OUTPUT " + args[len(args)-1]
	for file, r := range map[string]*strings.Replacer{
		"Makefile":   strings.NewReplacer("QUOTE", "'", "VERSION", "$(VERSION)", "OUTPUT", "bin/signatus"),
		"Dockerfile": strings.NewReplacer("QUOTE", `"`, "VERSION", "${VERSION}", "OUTPUT", "/signatus"),
	} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if want := "CGO_ENABLED=0 go " + r.Replace(flags); strings.Count(string(text), want) != 1 {
			t.Errorf("%s has no one %q", file, want)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{
		"v1.0.0": true, "v1.2.3-rc.1": true, "v0.0.0": true,
		"": false, "1.0.0": false, "v1": false, "v1.2": false, "v1.0.0+build": false, "v01.0.0": false, "v1.0.0 -X main.evil=1": false, "v1.0.0/../..": false,
	} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("version %q: got %v, expected ok: %t", version, err, ok)
		}
	}
}

// TestNewFolder: a release never stands beside what was there before.
func TestNewFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := newFolder(filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
	if err := newFolder(filepath.Join(dir, "new")); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "new", "signatus-v1.0.0-linux-amd64"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newFolder(filepath.Join(dir, "new")); err == nil || !strings.Contains(err.Error(), "signatus-v1.0.0-linux-amd64 already") {
		t.Errorf("a folder with a file: %v", err)
	}
}

// TestHolds: a program that was built otherwise, such as this test, is no binary of a
// release.
func TestHolds(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := (target{"plan9", "arm"}).holds(self); err == nil || !strings.Contains(err.Error(), "it was built with") {
		t.Errorf("got %v, expected a refusal", err)
	}
	if err := (target{"linux", "amd64"}).holds("build.go"); err == nil {
		t.Error("a text was taken for a binary")
	}
}

// TestRun: what is asked for wrongly is an error, and does nothing.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		nil, {"publish"}, {"build"}, {"build", "-version", "1.0"}, {"check", "extra"}, {"compare"}, {"pin"}, {"pin", "-image", "x"}, {"build", "-nothing"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q was done", args)
		}
	}
}

// TestBillHolds: a bill lists every module of a binary, each in its version.
func TestBillHolds(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil || len(info.Deps) == 0 {
		t.Fatalf("this test has %d modules: %v", len(info.Deps), err)
	}
	type component struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	whole := []component{{"std", info.GoVersion}}
	for _, module := range info.Deps {
		whole = append(whole, component{module.Path, module.Version})
	}
	other := slices.Clone(whole)
	other[1].Version = "v0.0.1"
	for _, row := range []struct {
		name  string
		list  []component
		words string
	}{
		{"whole", whole, ""},
		{"without Go", whole[1:], "std " + info.GoVersion},
		{"without one", append(slices.Clone(whole[:1]), whole[2:]...), whole[1].Name},
		{"another version", other, whole[1].Name + " " + whole[1].Version},
		{"empty", nil, "std"},
	} {
		file := filepath.Join(t.TempDir(), "bom.json")
		text, err := json.Marshal(map[string]any{"components": row.list})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		err = billHolds(file, self)
		if row.words == "" && err != nil || row.words != "" && (err == nil || !strings.Contains(err.Error(), row.words)) {
			t.Errorf("%s: got %v, expected %q", row.name, err, row.words)
		}
	}
}

// TestGoOfReleases: another Go than that of .go-version would give other bytes.
func TestGoOfReleases(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), goFile)
	for text, ok := range map[string]bool{strings.TrimPrefix(runtime.Version(), "go") + "\n": true, "1.25.0\n": false, "": false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkGo(file); (err == nil) != ok {
			t.Errorf("%q: got %v, expected ok: %t", text, err, ok)
		}
	}
}
