package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// reproducedVersion is that of the two binaries that are compared, and of no other.
const reproducedVersion = "v0.0.0-reproduced"

// reproduce builds linux/amd64 twice, and expects the same bytes: here, as this machine
// builds, and from a copy of the tree in another folder, with a home, a module cache, a
// build cache and a folder for temporary files of its own, all empty, under another umask.
func reproduce(ctx context.Context, out io.Writer) (err error) {
	stage, err := os.MkdirTemp("", "reproduce-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage) //nolint:errcheck // what is left is temporary
	linux := target{"linux", "amd64"}
	here, there := filepath.Join(stage, "here"), filepath.Join(stage, "there")
	started := time.Now()
	if _, err := call(ctx, linux.settings(), "go", goBuild(reproducedVersion, here)...); err != nil {
		return fmt.Errorf("building here: %w", err)
	}
	between := time.Now()
	if err := buildElsewhere(ctx, stage, there); err != nil {
		return fmt.Errorf("building elsewhere: %w", err)
	}
	first, err := digestOf(here)
	if err != nil {
		return err
	}
	second, err := digestOf(there)
	if err != nil {
		return err
	}
	if first != second {
		return fmt.Errorf("two builds of one source differ: %s here, %s elsewhere", first, second)
	}
	_, err = fmt.Fprintf(out, "linux/amd64 twice, in two folders: %s (%.0f s and %.0f s, %s)\n",
		first, between.Sub(started).Seconds(), time.Since(between).Seconds(), runtime.Version())
	return err
}

// buildElsewhere builds from a copy of the tree, where nothing is as it is here.
func buildElsewhere(ctx context.Context, stage, binary string) error {
	source := filepath.Join(stage, "another folder", "deeper", "signatus")
	if err := copyTree(ctx, source); err != nil {
		return err
	}
	modules, err := call(ctx, nil, "go", "env", "GOMODCACHE")
	if err != nil {
		return err
	}
	proxy, err := call(ctx, nil, "go", "env", "GOPROXY")
	if err != nil {
		return err
	}
	home := filepath.Join(stage, "home")
	if err := os.MkdirAll(filepath.Join(home, "tmp"), 0o700); err != nil {
		return err
	}
	// The modules that this machine has are unpacked anew, and go.sum holds them to what
	// they were.
	downloaded := "file://" + filepath.ToSlash(filepath.Join(strings.TrimSpace(modules), "cache", "download"))
	linux := target{"linux", "amd64"}
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `umask 0027 && exec "$@"`, "sh", "go"}, goBuild(reproducedVersion, binary)...)...)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), linux.settings()...)
	cmd.Env = append(cmd.Env, "GOFLAGS=-mod=readonly -modcacherw", "GOPROXY="+downloaded+","+strings.TrimSpace(proxy), "GOSUMDB=off",
		"HOME="+home, "GOPATH="+filepath.Join(home, "go"), "GOMODCACHE="+filepath.Join(home, "modules"),
		"GOCACHE="+filepath.Join(home, "cache"), "TMPDIR="+filepath.Join(home, "tmp"), "PWD="+source)
	_, err = output(cmd)
	return err
}

// copyTree copies the files that git knows or would add.
func copyTree(ctx context.Context, to string) error {
	list, err := call(ctx, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // deleted, and not committed
		}
		if err != nil {
			return err
		}
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
