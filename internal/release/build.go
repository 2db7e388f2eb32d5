package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/semver"
)

// maxBinary bounds a binary of a release: one that outgrows it is a mistake, or a
// decision to be made.
const maxBinary = 60 << 20

// target is what a binary is made for.
type target struct{ os, arch string }

func targets() []target {
	return []target{
		{"linux", "amd64"}, {"linux", "arm64"},
		{"darwin", "amd64"}, {"darwin", "arm64"},
		{"windows", "amd64"}, {"windows", "arm64"},
	}
}

// file is the name of the target's binary.
func (t target) file(version string) string {
	name := fmt.Sprintf("signatus-%s-%s-%s", version, t.os, t.arch)
	if t.os == "windows" {
		name += ".exe"
	}
	return name
}

// goBuild are the arguments that make a binary, those of `make build`: the same source,
// version and Go give the same bytes wherever they lie. (TestOneWayToBuild, make reproduce)
func goBuild(version, output string) []string {
	return []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=" + version, "-o", output, "./cmd/signatus"}
}

// settings are the variables that change what Go builds, set to what a release is
// built with, whatever the machine has.
func (t target) settings() []string {
	return []string{
		"CGO_ENABLED=0", "GOOS=" + t.os, "GOARCH=" + t.arch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=-mod=readonly", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off", "GOTOOLCHAIN=local",
	}
}

// release is what is made, and where.
type release struct {
	version string
	folder  string
}

// buildRelease makes the binaries, their bill of materials and the list of their
// checksums, and prints each with its size.
func buildRelease(ctx context.Context, out io.Writer, r release) error {
	if err := checkVersion(r.version); err != nil {
		return err
	}
	if err := checkGo(goFile); err != nil {
		return err
	}
	if err := newFolder(r.folder); err != nil {
		return err
	}
	for _, t := range targets() {
		if err := r.binary(ctx, t); err != nil {
			return fmt.Errorf("building for %s/%s: %w", t.os, t.arch, err)
		}
		if err := r.tell(out, t.file(r.version)); err != nil {
			return err
		}
	}
	if err := r.bill(ctx); err != nil {
		return fmt.Errorf("making the bill of materials: %w", err)
	}
	if err := r.tell(out, r.billFile()); err != nil {
		return err
	}
	return r.checksums()
}

// checkVersion refuses what is no full semantic version with a v.
func checkVersion(version string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("the version is %q, expected one such as v1.2.3 or v1.2.3-rc.1", version)
	}
	return nil
}

// goFile names the version of Go that a release is built with.
const goFile = ".go-version"

// checkGo refuses another Go: it would give other bytes.
func checkGo(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if want := "go" + strings.TrimSpace(string(text)); runtime.Version() != want {
		return fmt.Errorf("this is %s, and a release is built with %s, as %s says", runtime.Version(), want, file)
	}
	return nil
}

// newFolder makes a folder, which may be there if nothing is in it.
func newFolder(folder string) error {
	there, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("the folder %s holds %s already: what is released is made anew", folder, there[0].Name())
	}
	return os.MkdirAll(folder, 0o755)
}

// binary builds one, and asks it what it is.
func (r release) binary(ctx context.Context, t target) error {
	file := filepath.Join(r.folder, t.file(r.version))
	if _, err := call(ctx, t.settings(), "go", goBuild(r.version, file)...); err != nil {
		return err
	}
	if err := t.holds(file); err != nil {
		return err
	}
	if t.os != runtime.GOOS || t.arch != runtime.GOARCH {
		return nil
	}
	said, err := call(ctx, nil, file, "version")
	if want := "signatus " + r.version + " "; err == nil && !strings.HasPrefix(said, want) {
		return fmt.Errorf("it says %.60q, expected %q", said, want)
	}
	return err
}

// holds reads in a binary how it was built.
func (t target) holds(file string) error {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return err
	}
	found := map[string]string{}
	for _, s := range info.Settings {
		found[s.Key] = s.Value
	}
	for key, want := range map[string]string{"GOOS": t.os, "GOARCH": t.arch, "CGO_ENABLED": "0", "-trimpath": "true", "vcs.revision": ""} {
		if found[key] != want {
			return fmt.Errorf("it was built with %s=%s, expected %q", key, found[key], want)
		}
	}
	return nil
}

// tell prints a file's size, and refuses one that is empty or too large.
func (r release) tell(out io.Writer, name string) error {
	info, err := os.Stat(filepath.Join(r.folder, name))
	if err != nil {
		return err
	}
	if info.Size() == 0 || info.Size() > maxBinary {
		return fmt.Errorf("%s has %d bytes, expected at most %d MiB and not none", name, info.Size(), maxBinary>>20)
	}
	_, err = fmt.Fprintf(out, "%-40s %11d bytes\n", name, info.Size())
	return err
}

// checksums writes the list of the folder's files, as sha256sum does.
func (r release) checksums() error {
	entries, err := os.ReadDir(r.folder) // sorted
	if err != nil {
		return err
	}
	var list bytes.Buffer
	for _, e := range entries {
		digest, err := digestOf(filepath.Join(r.folder, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%s  %s\n", digest, e.Name())
	}
	return os.WriteFile(filepath.Join(r.folder, "SHA256SUMS"), list.Bytes(), 0o644)
}

func digestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("hashing %s: %w", file, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// call runs a program of this machine in the working directory, with variables set
// beside those that are, and gives what it printed.
func call(ctx context.Context, variables []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), variables...)
	return output(cmd)
}

// output runs a command; what it complains of is the error.
func output(cmd *exec.Cmd) (string, error) {
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(complained.String()))
	}
	return said.String(), nil
}
