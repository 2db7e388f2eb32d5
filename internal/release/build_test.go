package main

import (
	"io"
	"os"
	"path/filepath"
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
