package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// world is what the measurements run on: an instance with CT, Rekor v2 and a
// timestamp authority, and one artifact with many bundles, each with a
// certificate of its own.
type world struct {
	dir      string
	root     []byte
	artifact []byte
	// v2 are bundles with an SCT, a Rekor v2 entry and a timestamp; v1 with an SCT
	// and a Rekor v1 entry, as most public ones are.
	v2, v1   [][]byte
	identity attestationtest.Identity
}

func newWorld(dir string, n int) (*world, error) {
	s, err := attestationtest.New(attestationtest.Config{CT: true, RekorV1: true, RekorV2: true, TSA: true, Seed: "bench"})
	if err != nil {
		return nil, fmt.Errorf("starting the embedded Sigstore: %w", err)
	}
	claims := attestationtest.WorkflowClaims{Repository: "acme/app"}.WithDefaults()
	w := &world{dir: dir, root: s.TrustedRoot(), artifact: []byte("a small artifact\n"), identity: attestationtest.Workflow(claims)}
	statement := attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", w.artifact)},
		"https://slsa.dev/provenance/v1", attestationtest.Provenance(claims))
	for range n {
		for _, log := range []struct {
			request attestationtest.SignRequest
			bundles *[][]byte
		}{
			{attestationtest.SignRequest{Entry: attestationtest.EntryV2}, &w.v2},
			{attestationtest.SignRequest{Entry: attestationtest.EntryV1DSSE, OmitTimestamp: true}, &w.v1},
		} {
			log.request.Payload, log.request.As = statement, w.identity
			b, err := s.Sign(log.request)
			if err != nil {
				return nil, fmt.Errorf("signing: %w", err)
			}
			*log.bundles = append(*log.bundles, b.JSON)
		}
	}
	for name, content := range map[string][]byte{"app": w.artifact, "app.sigstore.json": w.v1[0], "trusted_root.json": w.root} {
		if err := os.WriteFile(w.path(name), content, 0o600); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return w, nil
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// pairs measures two things in turn, A B A B …, and returns the median of each
// and the median of the ratios, so that a machine whose speed drifts is no
// matter.
func pairs(rounds int, a, b func() (time.Duration, error)) (ours, theirs time.Duration, ratio float64, err error) {
	var as, bs []time.Duration
	var ratios []float64
	for i := range rounds + 1 {
		x, err := a()
		if err != nil {
			return 0, 0, 0, err
		}
		y, err := b()
		if err != nil {
			return 0, 0, 0, err
		}
		if i == 0 {
			continue // warm-up
		}
		as, bs, ratios = append(as, x), append(bs, y), append(ratios, float64(x)/float64(y))
	}
	return median(as), median(bs), median(ratios), nil
}

func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
