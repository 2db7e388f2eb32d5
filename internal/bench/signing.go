package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/signatus-dev/signatus/internal/sandboxrun"
)

// signing measures what attest itself costs, beside the servers: its processor time
// against that of its own start and of cosign, and its memory for a file of 4 GiB
// against a small one. The times of the servers are the instance's, and on loopback
// say nothing.
func signing(ctx context.Context, w *world, o options) (rows []row, err error) {
	s, err := sandboxrun.Start(ctx, o.sandbox, w.path("sandbox"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	job := as{environ: s.Job(w.dir, "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"), dir: w.dir}
	attest := func(artifact string, more ...string) (usage, error) {
		args := append([]string{"attest", artifact, "--signing-config", s.SigningConfig, "--trusted-root", s.TrustedRoot, "--rekor-version", "1"}, more...)
		return spendAs(ctx, job, o.signatus, args...)
	}
	var one, start usage
	x, y, ratio, err := pairs(4*o.rounds,
		func() (d time.Duration, err error) { one, err = attest("app"); return one.CPU, err },
		func() (d time.Duration, err error) {
			start, err = spend(ctx, 0, o.signatus, "--help")
			return start.CPU, err
		})
	if err != nil {
		return nil, fmt.Errorf("measuring attest: %w", err)
	}
	rows = append(rows, row{what: "one attest, processor time without the servers", against: "the start of the process", ours: millis(x), theirs: millis(y), ratio: ratio})
	if o.cosign != "" {
		more, err := w.againstCosign(ctx, o, s, job)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	var peaks []int64
	for _, size := range []int64{4 << 30, 1 << 20} {
		if err := w.sparse("built", size); err != nil {
			return nil, err
		}
		u, err := attest("built")
		if err != nil {
			return nil, fmt.Errorf("measuring attest: %w", err)
		}
		peaks = append(peaks, u.Peak)
	}
	return append(rows, row{
		what: "attest a file of 4 GiB, memory", against: "a file of 1 MiB", ours: mib(peaks[0]), theirs: mib(peaks[1]), ratio: float64(peaks[0]) / float64(peaks[1]), target: "flat",
	}), nil
}

// againstCosign signs the same predicate over the same file with the same token.
func (w *world) againstCosign(ctx context.Context, o options, s *sandboxrun.Sandbox, job as) ([]row, error) {
	if err := os.WriteFile(w.path("predicate.json"), []byte(`{"bomFormat": "CycloneDX"}`), 0o600); err != nil {
		return nil, fmt.Errorf("writing a predicate: %w", err)
	}
	common := []string{"--predicate", w.path("predicate.json"), "--signing-config", s.SigningConfig, "--trusted-root", s.TrustedRoot}
	ours := append([]string{"attest", "app", "--predicate-type", "https://cyclonedx.org/bom", "--bundle", "ours.json", "--force"}, common...)
	theirs := append([]string{"attest-blob", "app", "--type", "https://cyclonedx.org/bom", "--bundle", "theirs.json", "--yes", "--oidc-provider", "github-actions"}, common...)
	var a, b usage
	x, y, ratio, err := pairs(2*o.rounds,
		func() (d time.Duration, err error) {
			a, err = spendAs(ctx, job, o.signatus, ours...)
			return a.CPU, err
		},
		func() (d time.Duration, err error) {
			b, err = spendAs(ctx, job, o.cosign, theirs...)
			return b.CPU, err
		})
	if err != nil {
		return nil, fmt.Errorf("measuring against cosign: %w", err)
	}
	const against = "cosign attest-blob"
	return []row{
		{what: "one attest, processor time without the servers", against: against, ours: millis(x), theirs: millis(y), ratio: ratio},
		{what: "one attest, whole process, memory", against: against, ours: mib(a.Peak), theirs: mib(b.Peak), ratio: float64(a.Peak) / float64(b.Peak)},
	}, nil
}

// sparse makes a file of a size that takes no room on the disk.
func (w *world) sparse(name string, size int64) error {
	file, err := os.Create(filepath.Join(w.dir, name))
	if err != nil {
		return fmt.Errorf("making a large file: %w", err)
	}
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		return fmt.Errorf("making a large file: %w", err)
	}
	return nil
}
