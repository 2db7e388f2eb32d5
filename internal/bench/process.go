package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// usage is what one finished process took.
type usage struct {
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"`  // of the process alone, whatever serves it
	Peak int64         `json:"peak"` // bytes resident
	Exit int           `json:"exit"`
}

// spend runs a program to its end and demands an exit code. It does so through
// a fresh copy of this program: on Linux a child's peak memory begins with its
// parent's, and this process is large by now.
func spend(ctx context.Context, exit int, program string, args ...string) (usage, error) {
	return spendAs(ctx, as{exit: exit}, program, args...)
}

// as is how a program runs.
type as struct {
	exit    int      // the exit code that it must have
	environ []string // nil for this program's own
	dir     string   // empty for this program's own
}

func spendAs(ctx context.Context, how as, program string, args ...string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-spend", program}, args...)...)
	cmd.Stderr, cmd.Env, cmd.Dir = os.Stderr, how.environ, how.dir
	out, err := cmd.Output()
	if err != nil {
		return usage{}, fmt.Errorf("running %s: %w", program, err)
	}
	var u usage
	if err := json.Unmarshal(out, &u); err != nil {
		return usage{}, fmt.Errorf("measuring %s: %w", program, err)
	}
	if u.Exit != how.exit {
		return usage{}, fmt.Errorf("running %s %v: exit code %d, expected %d", program, args, u.Exit, how.exit)
	}
	return u, nil
}

// spendHere is the fresh copy: it runs the program and prints what that took.
func spendHere(ctx context.Context, out io.Writer, args []string) error {
	if len(args) == 0 {
		return errors.New("-spend needs a program")
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	start := time.Now()
	err := cmd.Run()
	u := usage{Wall: time.Since(start)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		u.Exit, err = exit.ExitCode(), nil
	}
	if err != nil {
		return err
	}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Peak = r.Maxrss << 10
		u.CPU = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	return json.NewEncoder(out).Encode(u)
}

// processes compares one verification as a whole process with cosign's.
func processes(ctx context.Context, w *world, o options) ([]row, error) {
	if o.cosign == "" {
		return nil, nil
	}
	who := []string{"--certificate-identity", w.identity.URI, "--certificate-oidc-issuer", w.identity.Issuer}
	files := []string{"--bundle", w.path("app.sigstore.json"), "--trusted-root", w.path("trusted_root.json"), w.path("app")}
	ours := append(append([]string{"verify", "--offline"}, who...), files...)
	theirs := append(append([]string{"verify-blob-attestation", "--type", "slsaprovenance1"}, who...), files...)
	var a, b usage
	x, y, ratio, err := pairs(4*o.rounds,
		func() (d time.Duration, err error) { a, err = spend(ctx, 0, o.signatus, ours...); return a.Wall, err },
		func() (d time.Duration, err error) { b, err = spend(ctx, 0, o.cosign, theirs...); return b.Wall, err })
	if err != nil {
		return nil, err
	}
	return []row{
		{what: "one verify, whole process, time", against: "cosign verify-blob-attestation", ours: millis(x), theirs: millis(y), ratio: ratio, target: "≤ 0.45"},
		{what: "one verify, whole process, memory", against: "cosign verify-blob-attestation", ours: mib(a.Peak), theirs: mib(b.Peak), ratio: float64(a.Peak) / float64(b.Peak), target: "≤ 0.45"},
	}, nil
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
func mib(n int64) string            { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// hashing compares our hashing with crypto/sha256 alone, and the memory of a
// verification of a large file with that of a small one.
func hashing(ctx context.Context, w *world, o options) ([]row, error) {
	const size = 512 << 20
	throughput := func(f func(io.Reader) error) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			start := time.Now()
			err := f(io.LimitReader(&pattern{}, size))
			return time.Since(start), err
		}
	}
	// Theirs over ours: the share of the plain hash's speed that is left.
	alone, ours, ratio, err := pairs(o.rounds,
		throughput(func(r io.Reader) error {
			h := sha256.New()
			_, err := io.CopyBuffer(struct{ io.Writer }{h}, r, make([]byte, 1<<20))
			return err
		}),
		throughput(func(r io.Reader) error { _, err := artifact.Hash(r, artifact.SHA256); return err }))
	if err != nil {
		return nil, err
	}
	small, err := w.memoryFor(ctx, o, 1<<20)
	if err != nil {
		return nil, err
	}
	large, err := w.memoryFor(ctx, o, 1<<30)
	if err != nil {
		return nil, err
	}
	return []row{
		{what: "hash 512 MiB, speed", against: "crypto/sha256 alone", ours: rate(size, ours), theirs: rate(size, alone), ratio: ratio, target: "≥ 0.95"},
		{what: "verify a file of 1 GiB, memory", against: "a file of 1 MiB", ours: mib(large), theirs: mib(small), ratio: float64(large) / float64(small), target: "flat"},
	}, nil
}

func rate(size int, d time.Duration) string {
	return fmt.Sprintf("%.2f GB/s", float64(size)/d.Seconds()/1e9)
}

// memoryFor verifies a sparse file of a size. It is not the attested one, so the
// program ends with a refusal after it has read and hashed all of it.
func (w *world) memoryFor(ctx context.Context, o options, size int64) (int64, error) {
	name := fmt.Sprintf("sparse-%d", size)
	if err := w.sparse(name, size); err != nil {
		return 0, err
	}
	u, err := spend(ctx, 1, o.signatus, "verify", "--offline", "--certificate-identity", w.identity.URI,
		"--certificate-oidc-issuer", w.identity.Issuer, "--bundle", w.path("app.sigstore.json"), "--trusted-root", w.path("trusted_root.json"), w.path(name))
	return u.Peak, err
}

// pattern is an endless reader of cheap bytes.
type pattern struct{}

func (*pattern) Read(b []byte) (int, error) { return len(b), nil }

// starting compares the start of the process with a binary that only links
// sigstore-go's verifier.
func starting(ctx context.Context, w *world, o options) ([]row, error) {
	floor := w.path("start")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", floor, "./internal/bench/start")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the floor: %w\n%s", err, out)
	}
	x, y, ratio, err := pairs(10*o.rounds,
		func() (time.Duration, error) { u, err := spend(ctx, 0, o.signatus, "--help"); return u.Wall, err },
		func() (time.Duration, error) { u, err := spend(ctx, 0, floor); return u.Wall, err })
	if err != nil {
		return nil, err
	}
	return []row{{what: "process start", against: "a binary that links sigstore-go verify", ours: millis(x), theirs: millis(y), ratio: ratio, target: "≤ 1.4"}}, nil
}
