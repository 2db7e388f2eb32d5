package attestationtest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// ClassicLayout is a layout of in-toto 1.0. A test that wants what these fields
// cannot say changes the result of its method JSON.
type ClassicLayout struct {
	Expires string // 2040-01-01T00:00:00Z if empty
	Keys    []*ClassicKey
	Steps   []ClassicStep
	Inspect []ClassicInspection
	// Certificates that a chain may end in and go through (ITE-7).
	RootCAs, IntermediateCAs []*ClassicKey
}

// ClassicStep is a step of a layout. A rule is one string, "MATCH * WITH
// PRODUCTS FROM build".
type ClassicStep struct {
	Name                                string
	ExpectedMaterials, ExpectedProducts []string
	Functionaries                       []*ClassicKey
	Threshold                           int // 0 means 1
	// Constraints are "cert_constraints" (ITE-7); nil leaves the field out.
	Constraints []map[string]any
}

// ClassicInspection is an inspection of a layout.
type ClassicInspection struct {
	Name                                string
	ExpectedMaterials, ExpectedProducts []string
	Run                                 []string
}

// JSON returns the layout as it is signed.
func (l ClassicLayout) JSON() map[string]any {
	steps, inspections := []any{}, []any{}
	for _, step := range l.Steps {
		steps = append(steps, step.json())
	}
	for _, inspection := range l.Inspect {
		inspections = append(inspections, inspection.json())
	}
	layout := map[string]any{
		"_type": "layout", "expires": "2040-01-01T00:00:00Z", "readme": "",
		"keys": keysByID(l.Keys), "steps": steps, "inspect": inspections,
	}
	if l.Expires != "" {
		layout["expires"] = l.Expires
	}
	if l.RootCAs != nil {
		layout["rootcas"], layout["intermediatecas"] = keysByID(l.RootCAs), keysByID(l.IntermediateCAs)
	}
	return layout
}

func (s ClassicStep) json() map[string]any {
	functionaries := []any{}
	for _, key := range s.Functionaries {
		functionaries = append(functionaries, key.ID)
	}
	step := map[string]any{
		"_type": "step", "name": s.Name, "expected_command": []any{},
		"expected_materials": classicRules(s.ExpectedMaterials), "expected_products": classicRules(s.ExpectedProducts),
		"pubkeys": functionaries, "threshold": max(s.Threshold, 1),
	}
	if s.Constraints != nil {
		step["cert_constraints"] = s.Constraints
	}
	return step
}

func (i ClassicInspection) json() map[string]any {
	run := []any{}
	for _, argument := range i.Run {
		run = append(run, argument)
	}
	return map[string]any{
		"_type": "inspection", "name": i.Name, "run": run,
		"expected_materials": classicRules(i.ExpectedMaterials), "expected_products": classicRules(i.ExpectedProducts),
	}
}

// classicRules cuts each rule at its spaces, as layouts have them.
func classicRules(rules []string) []any {
	cut := []any{}
	for _, rule := range rules {
		words := []any{}
		for word := range strings.FieldsSeq(rule) {
			words = append(words, word)
		}
		cut = append(cut, words)
	}
	return cut
}

func keysByID(keys []*ClassicKey) map[string]any {
	byID := map[string]any{}
	for _, key := range keys {
		byID[key.ID] = key.JSON()
	}
	return byID
}

// ClassicLink is a link of in-toto 1.0. Materials and products are names with
// contents, of which the link has the SHA-256.
type ClassicLink struct {
	Name                string
	Materials, Products map[string]string
	Command             []string
}

// JSON returns the link as it is signed.
func (l ClassicLink) JSON() map[string]any {
	command := []any{}
	for _, argument := range l.Command {
		command = append(command, argument)
	}
	return map[string]any{
		"_type": "link", "name": l.Name, "command": command,
		"materials": classicArtifacts(l.Materials), "products": classicArtifacts(l.Products),
		"byproducts": map[string]any{"return-value": 0, "stdout": "", "stderr": ""}, "environment": map[string]any{},
	}
}

func classicArtifacts(contents map[string]string) map[string]any {
	artifacts := map[string]any{}
	for name, content := range contents {
		digest := sha256.Sum256([]byte(content))
		artifacts[name] = map[string]any{"sha256": hex.EncodeToString(digest[:])}
	}
	return artifacts
}

// ClassicLinkName is the file name under which verifiers look for a link.
//
// "The name of the step, and the first six bytes of the functionary's keyid
// separated by a dot" (in-toto 1.0, 4.4); all implementations take eight
// hexadecimal digits.
func ClassicLinkName(step string, key *ClassicKey) string {
	return step + "." + key.ID[:8] + ".link"
}
