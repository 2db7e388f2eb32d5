package intotopeer

import (
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// write signs the draft and writes its files.
func (g *Generator) write(name string, d *draft) (Generated, error) {
	folder := filepath.Join(g.folder, name)
	c := Generated{Oddity: d.odd, Case: Case{
		Name: name, Layout: filepath.Join(folder, "root.layout"), Keys: []string{filepath.Join(folder, "owner.json")},
		Links: filepath.Join(folder, "links"), Params: d.params,
	}}
	for _, step := range d.steps {
		c.Items = append(c.Items, fill(step.Item, d.params))
	}
	if err := os.MkdirAll(c.Links, 0o755); err != nil {
		return c, err
	}
	layout, err := g.layout(d)
	if err != nil {
		return c, err
	}
	return c, errors.Join(
		os.WriteFile(c.Layout, layout, 0o600),
		os.WriteFile(c.Keys[0], attestationtest.EncodeClassic(g.owner.JSON()), 0o600),
		g.links(d, c.Links),
	)
}

func fill(item Item, params map[string]string) Item {
	filled := func(rules [][]string) (all [][]string) {
		for _, rule := range rules {
			words := slices.Clone(rule)
			for i := range words {
				for name, value := range params {
					words[i] = strings.ReplaceAll(words[i], "{"+name+"}", value)
				}
			}
			all = append(all, words)
		}
		return all
	}
	item.ExpectedMaterials, item.ExpectedProducts = filled(item.ExpectedMaterials), filled(item.ExpectedProducts)
	return item
}

func (g *Generator) layout(d *draft) ([]byte, error) {
	layout := attestationtest.ClassicLayout{Keys: g.people}
	if d.odd == OddExpired {
		layout.Expires = "2020-01-01T00:00:00Z"
	}
	if d.odd == OddTwoIDs {
		layout.Keys = append(slices.Clone(g.people), d.twins()...)
	}
	for _, s := range d.steps {
		layout.Steps = append(layout.Steps, attestationtest.ClassicStep{Name: s.Name, Functionaries: d.signers(s), Threshold: s.threshold})
	}
	content := layout.JSON()
	for i, s := range d.steps {
		step := content["steps"].([]any)[i].(map[string]any) //nolint:errcheck // it is what was put in
		step["expected_materials"], step["expected_products"] = s.ExpectedMaterials, s.ExpectedProducts
	}
	var broken []attestationtest.ClassicBreak
	if d.odd == OddLayout {
		broken = append(broken, attestationtest.ClassicBreakSignature)
	}
	return attestationtest.SignClassic(attestationtest.ClassicRequest{
		Signed: attestationtest.EncodeClassic(content), Format: d.format, Keys: []*attestationtest.ClassicKey{g.owner}, Break: broken,
	})
}

// twins are the same keys under other ids.
func (d *draft) twins() (twins []*attestationtest.ClassicKey) {
	for _, s := range d.steps {
		twin := s.people[0]
		twins = append(twins, twin.WithID(hex.EncodeToString([]byte(s.Name + twin.ID))[:64]))
	}
	return twins
}

// signers are who may sign a step's links.
func (d *draft) signers(s draftStep) []*attestationtest.ClassicKey {
	if d.odd != OddTwoIDs || s.threshold < 2 {
		return s.people
	}
	twin := s.people[0]
	return []*attestationtest.ClassicKey{twin, twin.WithID(hex.EncodeToString([]byte(s.Name + twin.ID))[:64])}
}

// links writes the links of all steps. What is odd about them is so in the last
// step that can have it.
func (g *Generator) links(d *draft, folder string) error {
	last := d.steps[len(d.steps)-1].Name
	for _, s := range d.steps {
		signers := d.signers(s)
		for i, signer := range signers {
			odd := Oddity("")
			if i == len(signers)-1 && (s.Name == last || d.odd == OddDisagreement && s.threshold > 1) {
				odd = d.odd
			}
			if odd == OddMissing {
				continue
			}
			signed, err := g.link(d, s, signer, odd)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, attestationtest.ClassicLinkName(s.Name, signer)), signed, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Generator) link(d *draft, s draftStep, signer *attestationtest.ClassicKey, odd Oddity) ([]byte, error) {
	content := attestationtest.ClassicLink{Name: s.Name}.JSON()
	content["materials"], content["products"] = s.Materials, s.Products
	request := attestationtest.ClassicRequest{Format: d.format, Keys: []*attestationtest.ClassicKey{signer}}
	switch odd {
	case OddLinkName:
		content["name"] = "another"
	case OddDisagreement:
		products := maps.Clone(s.Products)
		products["extra"] = map[string]string{"sha256": strings.Repeat("e5", 32)}
		content["products"] = products
	case OddSignature:
		request.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakSignature}
	case OddGarbageFirst:
		request.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakGarbageFirst}
	case OddWrongSigner:
		request.Keys = []*attestationtest.ClassicKey{g.owner.WithID(signer.ID)}
	default: // it lies in the content, or in the layout
	}
	request.Signed = attestationtest.EncodeClassic(content)
	return attestationtest.SignClassic(request)
}
