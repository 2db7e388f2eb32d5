package command_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// peerLayout is a layout of attestation-verifier: of its main branch, whose steps
// have expectedPredicates, or of its later ones, whose steps are one predicate.
type peerLayout struct {
	Functionaries map[string]struct {
		KeyType string `yaml:"keyType"`
		Scheme  string
		KeyVal  struct{ Public, Identity, Issuer string } `yaml:"keyVal"`
	}
	Steps []peerStep
}

type peerStep struct {
	Name               string
	ExpectedMaterials  []string `yaml:"expectedMaterials"`
	ExpectedProducts   []string `yaml:"expectedProducts"`
	ExpectedPredicates []struct {
		PredicateType      string     `yaml:"predicateType"`
		ExpectedAttributes []peerRule `yaml:"expectedAttributes"`
		Functionaries      []string
	} `yaml:"expectedPredicates"`

	ExpectedPredicateType string     `yaml:"expectedPredicateType"`
	ExpectedAttributes    []peerRule `yaml:"expectedAttributes"`
	Functionaries         []string
	ExpectedAttestors     []struct {
		AttestorType       string     `yaml:"attestorType"`
		ExpectedAttributes []peerRule `yaml:"expectedAttributes"`
	} `yaml:"expectedAttestors"`
}

type peerRule struct {
	Rule           string
	AllowIfNoClaim bool `yaml:"allowIfNoClaim"`
}

// mapping is one of our own layout's mappings.
type mapping = map[string]any

// conversion is what a layout of attestation-verifier does not say and ours must.
type conversion struct {
	steps   []string // those that are joined with the artifact in hand
	from    string   // the step that it comes from
	expires string
	edit    []string // old and new, to break one thing
}

// convert rewrites a layout as docs/layout.md says under "Coming from
// attestation-verifier".
func (c conversion) convert(t *testing.T, file []byte) []byte {
	t.Helper()
	var peer peerLayout
	if err := yaml.Unmarshal([]byte(strings.NewReplacer(c.edit...).Replace(string(file))), &peer); err != nil {
		t.Fatal(err)
	}
	functionaries := mapping{}
	for id, f := range peer.Functionaries {
		value := mapping{"public": pemOfHex(t, f.KeyVal.Public)}
		if f.KeyVal.Identity != "" {
			value = mapping{"root": "sigstore", "issuer": f.KeyVal.Issuer, "identity": f.KeyVal.Identity}
		}
		functionaries[id] = mapping{"keyType": f.KeyType, "scheme": f.Scheme, "keyVal": value}
	}
	var steps []mapping
	for _, s := range peer.Steps {
		if slices.Contains(c.steps, s.Name) {
			steps = append(steps, s.convert(c.from))
		}
	}
	if len(steps) != len(c.steps) {
		t.Fatalf("%d steps of %v", len(steps), c.steps)
	}
	if c.expires == "" {
		c.expires = expiry().Format("2006-01-02T15:04:05Z")
	}
	converted, err := json.Marshal(mapping{
		"_type": "layout", "version": 1, "expires": c.expires, "functionaries": functionaries, "steps": steps,
		"subjects": []mapping{{"subject": []string{"*"}, "from": c.from}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return converted
}

// convert gives a step its threshold, and one that is a witness collection rules on
// what is in the collection.
func (s peerStep) convert(from string) mapping {
	for i, rule := range s.ExpectedMaterials {
		if name, _, ref := strings.Cut(rule, "@refs/"); ref && strings.Contains(rule, "git+") {
			s.ExpectedMaterials[i] = name // a ref is no part of a source's name here
		}
	}
	converted := mapping{"name": s.Name, "expectedMaterials": s.ExpectedMaterials}
	if s.ExpectedProducts != nil {
		converted["expectedProducts"] = s.ExpectedProducts
	}
	var predicates []mapping
	entry := func(predicateType string, functionaries []string, attributes []peerRule) {
		predicates = append(predicates, mapping{
			"predicateType": predicateType, "functionaries": functionaries, "threshold": 1, "expectedAttributes": rulesOf(attributes),
		})
	}
	for _, p := range s.ExpectedPredicates {
		entry(p.PredicateType, p.Functionaries, p.ExpectedAttributes)
	}
	switch {
	case s.ExpectedAttestors != nil:
		entry(s.ExpectedPredicateType, s.Functionaries, s.collection())
		converted["expectedMaterials"] = []string{"ALLOW *", "DISALLOW *"}
		if s.Name != from { // of one run, which every collection names
			converted["expectedMaterials"] = []string{"MATCH https://witness.dev/attestations/github/v0.1/pipelineurl:* WITH MATERIALS FROM " + from, "ALLOW *", "DISALLOW *"}
		}
		delete(converted, "expectedProducts")
	case s.ExpectedPredicateType != "":
		entry(s.ExpectedPredicateType, s.Functionaries, s.ExpectedAttributes)
	}
	converted["expectedPredicates"] = predicates
	return converted
}

// rulesOf makes allowIfNoClaim a part of the rule.
func rulesOf(attributes []peerRule) []mapping {
	rules := []mapping{}
	for _, a := range attributes {
		if claim, _, _ := strings.Cut(a.Rule, " "); a.AllowIfNoClaim {
			a.Rule = fmt.Sprintf("!has(%s) || %s", claim, a.Rule)
		}
		rules = append(rules, mapping{"rule": a.Rule})
	}
	return rules
}

// collection says in CEL what a witness collection must hold: its name, which no
// file name says here; each attestor with its rules; and the files of its material
// attestor, in place of rules on materials, which are the subjects here.
func (s peerStep) collection() []peerRule {
	rules := []peerRule{{Rule: fmt.Sprintf("predicate.name == '%s'", s.Name)}}
	for _, attestor := range s.ExpectedAttestors {
		terms := []string{fmt.Sprintf("a.type == '%s'", attestor.AttestorType)}
		for _, r := range attestor.ExpectedAttributes {
			terms = append(terms, "a."+r.Rule)
		}
		rules = append(rules, peerRule{Rule: fmt.Sprintf("predicate.attestations.exists(a, %s)", strings.Join(terms, " && "))})
	}
	var allowed []string
	for _, rule := range s.ExpectedMaterials {
		pattern, allow := strings.CutPrefix(rule, "ALLOW ")
		before, after, glob := strings.Cut(pattern, "*")
		switch {
		case allow && glob && before == "":
			allowed = append(allowed, fmt.Sprintf("file.endsWith('%s')", after))
		case allow && glob:
			allowed = append(allowed, fmt.Sprintf("file.startsWith('%s')", before))
		case allow:
			allowed = append(allowed, fmt.Sprintf("file == '%s'", pattern))
		}
	}
	if allowed != nil {
		rules = append(rules, peerRule{Rule: "predicate.attestations.exists(a, a.type == 'https://witness.dev/attestations/material/v0.1' && a.attestation.all(file, " + strings.Join(allowed, " || ") + "))"})
	}
	return rules
}

// pemOfHex writes a key that is 32 bytes in hex; none is none.
func pemOfHex(t *testing.T, public string) string {
	t.Helper()
	key, err := hex.DecodeString(public)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(key))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
