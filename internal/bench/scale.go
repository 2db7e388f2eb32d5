package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// growth is one thing about a verification that grows, all else staying as it is.
type growth struct {
	dialect, what string
	sizes         []int // each twice the one before
	// write writes the files of one size into a folder and returns the arguments of
	// a verification that allows.
	write func(dir string, size int) ([]string, error)
}

// point is one size's measurement.
type point struct {
	growth
	size int
	usage
	// perUnit is the time for each unit, without the start of the process, as a
	// multiple of the smallest size's. Where the cost is linear it stays near 1.
	perUnit float64
}

// curve measures every growth.
func curve(ctx context.Context, w *world, o options) ([]point, error) {
	start, err := fastest(ctx, o, "--help")
	if err != nil {
		return nil, err
	}
	var points []point
	for i, g := range append(attestationGrowths(), classicGrowths()...) {
		var first float64
		for _, size := range g.sizes {
			dir := w.path(fmt.Sprintf("growth-%d-%d", i, size))
			if err := os.Mkdir(dir, 0o700); err != nil {
				return nil, fmt.Errorf("making a folder: %w", err)
			}
			args, err := g.write(dir, size)
			if err != nil {
				return nil, fmt.Errorf("writing %d %s: %w", size, g.what, err)
			}
			u, err := fastest(ctx, o, args...)
			if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
				return nil, fmt.Errorf("measuring %d %s: %w", size, g.what, err)
			}
			unit := float64(u.CPU-start.CPU) / float64(size)
			if first == 0 {
				first = unit
			}
			points = append(points, point{growth: g, size: size, usage: u, perUnit: unit / first})
		}
	}
	return points, nil
}

// fastest is the run of three that took least processor time: what else the machine
// does only adds to it.
func fastest(ctx context.Context, o options, args ...string) (best usage, err error) {
	for i := range 3 {
		u, err := spend(ctx, 0, o.signatus, args...)
		if err != nil {
			return usage{}, err
		}
		if i == 0 || u.CPU < best.CPU {
			best = u
		}
	}
	return best, nil
}

// curveTable renders the points in Markdown.
func curveTable(points []point) string {
	var b strings.Builder
	b.WriteString("| layout | what grows | size | time | memory | time per unit |\n|---|---|---|---|---|---|\n")
	for _, p := range points {
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | × %.2f |\n", p.dialect, p.what, p.size, millis(p.Wall), mib(p.Peak), p.perUnit)
	}
	return b.String()
}

func attestationGrowths() []growth {
	const dialect = "attestation layout"
	return []growth{
		{dialect: dialect, what: "bundles for one step", sizes: []int{1250, 2500, 5000, 10_000}, write: manyBundles},
		{dialect: dialect, what: "steps in one MATCH chain", sizes: []int{125, 250, 500, 1000}, write: longChain},
		{dialect: dialect, what: "materials in each of two links, matched", sizes: []int{12_500, 25_000, 50_000, 100_000}, write: manyMaterials},
	}
}

// links signs link statements with one key.
type links struct {
	sigstore *attestationtest.Sigstore
	key      *attestationtest.Key
	bundles  []byte
	steps    strings.Builder
}

func newLinks() (*links, error) {
	s, err := attestationtest.New(attestationtest.GitHub())
	if err != nil {
		return nil, err
	}
	key, err := s.NewKey("functionary")
	return &links{sigstore: s, key: key}, err
}

// link adds a link's bundle.
func (l *links) link(step, product string, materials []any) error {
	statement := attestationtest.Statement([]attestationtest.Subject{attestationtest.File(product, []byte(product))},
		"https://in-toto.io/attestation/link/v0.3",
		map[string]any{"name": step, "command": []string{}, "materials": materials, "byproducts": map[string]any{}, "environment": map[string]any{}})
	bundle, err := l.sigstore.Sign(attestationtest.SignRequest{Payload: statement, Key: l.key, Entry: attestationtest.NoEntry, OmitTimestamp: true})
	if err != nil {
		return err
	}
	l.bundles = append(append(l.bundles, bundle.JSON...), '\n')
	return nil
}

// step adds a step of the layout.
func (l *links) step(name string, materials ...string) {
	fmt.Fprintf(&l.steps, "  - name: %s\n    expectedMaterials: [%s]\n    expectedProducts: [\"ALLOW *\", \"DISALLOW *\"]\n", name, `"`+strings.Join(append(materials, "DISALLOW *"), `", "`)+`"`)
	l.steps.WriteString("    expectedPredicates: [{predicateType: \"https://in-toto.io/attestation/link/v0.3\", functionaries: [functionary], threshold: 1}]\n")
}

// write writes layout, bundles and the artifact, the product of the last step.
func (l *links) write(dir, last, product string) ([]string, error) {
	encoded, err := l.key.PEM()
	if err != nil {
		return nil, err
	}
	layout := fmt.Sprintf("_type: layout\nversion: 1\nexpires: %q\nfunctionaries:\n  functionary: {keyType: ecdsa, keyVal: {public: %q}}\nsteps:\n%ssubjects:\n  - {subject: [\"*\"], from: %s}\n",
		time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339), encoded, l.steps.String(), last)
	in := func(name string) string { return filepath.Join(dir, name) }
	err = errors.Join(
		os.WriteFile(in("layout.yml"), []byte(layout), 0o600),
		os.WriteFile(in("bundles.jsonl"), l.bundles, 0o600),
		os.WriteFile(in(product), []byte(product), 0o600),
	)
	return []string{"verify", in(product), "--offline", "--layout", in("layout.yml"), "--bundle", in("bundles.jsonl")}, err
}

func manyBundles(dir string, size int) ([]string, error) {
	l, err := newLinks()
	if err != nil {
		return nil, err
	}
	l.step("build", "ALLOW src/*")
	for i := range size {
		// Each claims something else, so that no two are one.
		name := fmt.Sprintf("src/%d", i)
		if err := l.link("build", "app", []any{attestationtest.File(name, []byte(name))}); err != nil {
			return nil, err
		}
	}
	return l.write(dir, "build", "app")
}

func longChain(dir string, size int) ([]string, error) {
	l, err := newLinks()
	if err != nil {
		return nil, err
	}
	name, product := "", ""
	for i := range size {
		before, materials := name, []any{}
		rules := []string{}
		if i > 0 {
			materials = append(materials, attestationtest.File(product, []byte(product)))
			rules = append(rules, "MATCH * WITH PRODUCTS FROM "+before)
		}
		name, product = fmt.Sprintf("step-%d", i), fmt.Sprintf("product-%d", i)
		l.step(name, rules...)
		if err := l.link(name, product, materials); err != nil {
			return nil, err
		}
	}
	return l.write(dir, name, product)
}

func manyMaterials(dir string, size int) ([]string, error) {
	l, err := newLinks()
	if err != nil {
		return nil, err
	}
	materials := make([]any, size)
	for i := range materials {
		name := fmt.Sprintf("src/%d", i)
		materials[i] = attestationtest.File(name, []byte(name))
	}
	l.step("fetch", "ALLOW src/*")
	l.step("build", "MATCH fetched WITH PRODUCTS FROM fetch", "MATCH src/* WITH MATERIALS FROM fetch")
	if err := l.link("fetch", "fetched", materials); err != nil {
		return nil, err
	}
	if err := l.link("build", "app", materials); err != nil {
		return nil, err
	}
	return l.write(dir, "build", "app")
}
