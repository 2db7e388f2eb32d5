package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// chain is a classic layout whose steps hand everything on to the next one.
type chain struct {
	steps, functionaries int // of each step, all of whom must agree
	artifacts, rules     int // of each step
	keyType              string
}

// write signs the layout and its links, and returns the layout, its owner's key and
// the folder of links.
func (c chain) write(dir string) (layout, key, linkDir string, err error) {
	owner, err := attestationtest.NewClassicKey("bench", "owner", attestationtest.ClassicEd25519)
	if err != nil {
		return "", "", "", err
	}
	var people []*attestationtest.ClassicKey
	for i := range c.functionaries {
		person, err := attestationtest.NewClassicKey("bench", fmt.Sprint("functionary ", i), c.keyType)
		if err != nil {
			return "", "", "", err
		}
		people = append(people, person)
	}
	layout, key, linkDir = filepath.Join(dir, "root.layout"), filepath.Join(dir, "owner.pem"), filepath.Join(dir, "links")
	encoded, err := owner.PEM()
	if err := errors.Join(err, os.Mkdir(linkDir, 0o700), os.WriteFile(key, encoded, 0o600)); err != nil {
		return "", "", "", err
	}
	described := attestationtest.ClassicLayout{Keys: people}
	for i := range c.steps {
		step := c.step(i)
		step.Functionaries = people
		described.Steps = append(described.Steps, step)
		if err := c.links(linkDir, step.Name, people); err != nil {
			return "", "", "", err
		}
	}
	signed, err := attestationtest.SignClassic(attestationtest.ClassicRequest{
		Signed: attestationtest.EncodeClassic(described.JSON()), Keys: []*attestationtest.ClassicKey{owner},
	})
	return layout, key, linkDir, errors.Join(err, os.WriteFile(layout, signed, 0o600))
}

// step has rules that take nothing out, and one that takes all.
func (c chain) step(i int) attestationtest.ClassicStep {
	var rules []string
	for r := range c.rules - 2 {
		rules = append(rules, fmt.Sprintf("ALLOW none-%d/*.[ch]", r))
	}
	from := rules
	if i > 0 {
		from = append(from[:len(from):len(from)], fmt.Sprintf("MATCH * WITH PRODUCTS FROM step-%d", i-1))
	} else {
		from = append(from[:len(from):len(from)], "ALLOW *")
	}
	return attestationtest.ClassicStep{
		Name: fmt.Sprintf("step-%d", i), Threshold: c.functionaries,
		ExpectedMaterials: append(from, "DISALLOW *"), ExpectedProducts: append(rules[:len(rules):len(rules)], "ALLOW *", "DISALLOW *"),
	}
}

func (c chain) links(dir, step string, people []*attestationtest.ClassicKey) error {
	artifacts := map[string]string{}
	for i := range c.artifacts {
		artifacts[fmt.Sprintf("src/%d/file.go", i)] = fmt.Sprint(i)
	}
	content := attestationtest.EncodeClassic(attestationtest.ClassicLink{Name: step, Materials: artifacts, Products: artifacts}.JSON())
	for _, person := range people {
		signed, err := attestationtest.SignClassic(attestationtest.ClassicRequest{Signed: content, Keys: []*attestationtest.ClassicKey{person}})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, attestationtest.ClassicLinkName(step, person)), signed, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// classic compares one verification of a classic layout as a whole process with
// in-toto-golang's. Both check all signatures.
func classic(ctx context.Context, w *world, o options) (rows []row, err error) {
	if o.inToto == "" {
		return nil, nil
	}
	for i, c := range []struct {
		what string
		chain
	}{
		{"3 steps, 1 link each, ECDSA", chain{steps: 3, functionaries: 1, artifacts: 10, rules: 3, keyType: attestationtest.ClassicECDSA}},
		{"100 steps, 5 links each, Ed25519", chain{steps: 100, functionaries: 5, artifacts: 20, rules: 5, keyType: attestationtest.ClassicEd25519}},
		{"2 links of 20,000 artifacts, 10 rules", chain{steps: 2, functionaries: 1, artifacts: 20_000, rules: 10, keyType: attestationtest.ClassicEd25519}},
	} {
		dir := w.path(fmt.Sprintf("classic-%d", i)) // the peer cuts a flag at commas
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder: %w", err)
		}
		layout, key, linkDir, err := c.write(dir)
		if err != nil {
			return nil, fmt.Errorf("signing a classic layout: %w", err)
		}
		var a, b usage
		x, y, ratio, err := pairs(2*o.rounds,
			func() (d time.Duration, err error) {
				a, err = spendAs(ctx, as{dir: dir}, o.signatus, "verify", "--layout", layout, "--layout-key", key, "--link-dir", linkDir)
				return a.Wall, err
			},
			func() (d time.Duration, err error) {
				b, err = spendAs(ctx, as{dir: dir}, o.inToto, "verify", "--layout", layout, "--layout-keys", key, "--link-dir", linkDir)
				return b.Wall, err
			})
		if err != nil {
			return nil, fmt.Errorf("verifying a classic layout: %w", err)
		}
		const against = "in-toto-golang"
		rows = append(rows,
			row{what: "classic layout, " + c.what + ", time", against: against, ours: millis(x), theirs: millis(y), ratio: ratio},
			row{what: "classic layout, " + c.what + ", memory", against: against, ours: mib(a.Peak), theirs: mib(b.Peak), ratio: float64(a.Peak) / float64(b.Peak)},
		)
	}
	return rows, nil
}

func classicGrowths() []growth {
	grown := func(what string, sizes []int, of func(size int) chain) growth {
		return growth{dialect: "in-toto 1.0", what: what, sizes: sizes, write: func(dir string, size int) ([]string, error) {
			layout, key, linkDir, err := of(size).write(dir)
			return []string{"verify", "--layout", layout, "--layout-key", key, "--link-dir", linkDir}, err
		}}
	}
	const ed25519 = attestationtest.ClassicEd25519
	return []growth{
		grown("links, ten for each step", []int{1250, 2500, 5000, 10_000}, func(n int) chain {
			return chain{steps: n / 10, functionaries: 10, artifacts: 2, rules: 2, keyType: ed25519}
		}),
		grown("steps in one MATCH chain", []int{125, 250, 500, 1000}, func(n int) chain {
			return chain{steps: n, functionaries: 1, artifacts: 10, rules: 2, keyType: ed25519}
		}),
		grown("artifacts in each of two links, matched", []int{12_500, 25_000, 50_000, 100_000}, func(n int) chain {
			return chain{steps: 2, functionaries: 1, artifacts: n, rules: 2, keyType: ed25519}
		}),
		grown("rules over 10,000 artifacts", []int{25, 50, 100, 200}, func(n int) chain {
			return chain{steps: 1, functionaries: 1, artifacts: 10_000, rules: n, keyType: ed25519}
		}),
	}
}
