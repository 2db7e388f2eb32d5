package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// containers compares the start of the program in a container, from the command to the
// first line that it prints, with that of a program that prints one line and nothing
// else. Either is alone in its image, as the Action is. Without podman or docker there
// is no row.
func containers(ctx context.Context, w *world, o options) (rows []row, err error) {
	engine := engineHere(ctx)
	if engine == "" {
		return nil, nil
	}
	floor := w.path("line")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", floor, "./internal/bench/line")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the floor: %w\n%s", err, out)
	}
	ours := container{engine: engine, image: fmt.Sprintf("localhost/signatus-bench-ours:%d", os.Getpid())}
	theirs := container{engine: engine, image: fmt.Sprintf("localhost/signatus-bench-line:%d", os.Getpid())}
	defer func() { err = errors.Join(err, ours.forget(), theirs.forget()) }()
	if err := errors.Join(ours.load(ctx, o.signatus), theirs.load(ctx, floor)); err != nil {
		return nil, err
	}
	x, y, ratio, err := pairs(4*o.rounds,
		func() (time.Duration, error) { return ours.start(ctx, "version") },
		func() (time.Duration, error) { return theirs.start(ctx) })
	if err != nil {
		return nil, err
	}
	return []row{{what: "start in a container, to the first line", against: "a binary that prints one line", ours: millis(x), theirs: millis(y), ratio: ratio, target: "≤ 1.2"}}, nil
}

// engineHere is the program that runs containers here, if any.
func engineHere(ctx context.Context) string {
	for _, name := range []string{"podman", "docker"} {
		within, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := exec.CommandContext(within, name, "info").Run()
		cancel()
		if err == nil {
			return name
		}
	}
	return ""
}

// container is an image with one program in it.
type container struct{ engine, image string }

// load makes the image.
func (c container) load(ctx context.Context, program string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("making an image: %w", err)
	}
	var files bytes.Buffer
	archive := tar.NewWriter(&files)
	err = archive.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(data))})
	if err == nil {
		_, err = archive.Write(data)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		return fmt.Errorf("making an image: %w", err)
	}
	load := exec.CommandContext(ctx, c.engine, "import", "-", c.image)
	load.Stdin = &files
	if out, err := load.CombinedOutput(); err != nil {
		return fmt.Errorf("making an image: %s import: %w: %s", c.engine, err, out)
	}
	return nil
}

// start runs the program and gives the time until its first line is here.
func (c container) start(ctx context.Context, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, c.engine, append([]string{"run", "--rm", "--network", "host", c.image, "/program"}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	reader := bufio.NewReader(out)
	_, first := reader.ReadString('\n')
	took := time.Since(begun)
	_, rest := io.Copy(io.Discard, reader)
	if err := errors.Join(first, rest, cmd.Wait()); err != nil {
		return 0, fmt.Errorf("running a container: %w: %s", err, said.String())
	}
	return took, nil
}

// forget removes the image.
func (c container) forget() error {
	within, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(within, c.engine, "image", "rm", c.image).CombinedOutput(); err != nil {
		return fmt.Errorf("removing an image: %s: %w: %s", c.engine, err, out)
	}
	return nil
}
