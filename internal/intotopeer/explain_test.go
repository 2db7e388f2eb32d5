package intotopeer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	intoto "github.com/in-toto/in-toto-golang/in_toto"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// Who is right where the two disagree.
const (
	signatusIsRight    = "signatus"
	signatusIsStricter = "nobody: the specification leaves it open, and signatus refuses what is read in two ways"
)

// why is the judgement of a disagreement.
type why struct {
	right    string
	sentence string // of in-toto 1.0 with its section, or of docs/classic.md
}

// disagreements is every way in which the two may disagree. A disagreement that has
// no row fails the tests, and so does a row that nothing needs.
//
// The key is what tells: a finding of ours, a deviation of the peer's with which
// the reference gives the peer's answer, or a cause that is looked for in the files.
func disagreements() map[string]why {
	return map[string]why{
		// Findings: signatus denies, the peer allows.
		"name-clash": {signatusIsRight, "NAME values are unique and so they MUST NOT repeat in either steps or inspect. (4.3.2)"},
		"shared-key": {signatusIsRight, "... multiple functionaries must perform the operation and report the same results. (4.3.1, THRESHOLD)"},
		"threshold-out-of-range": {signatusIsRight, "THRESHOLD must contain an integer value indicating how many pieces of link metadata must be " +
			"provided to verify this step. (4.3.1)"},
		"digest-empty":         {signatusIsRight, "A hash object is a dictionary that specifies one or more hashes. (4.2.3)"},
		"digest-malformed":     {signatusIsRight, "... where HASH is the sha256 hash encoded in hexadecimal notation. (4.2.3)"},
		"link-of-another-step": {signatusIsRight, "To identify to which step a piece of link metadata belongs, the NAME field must be set to the same identifier as the step. (4.4)"},
		"artifact-name-ambiguous": {signatusIsRight, "The materials and products fields are dictionaries keyed by a file's PATH. (4.4) Two spellings of one path are two keys " +
			"of one file."},
		"match-unknown-step":    {signatusIsStricter, "MATCH from a step that there is not (docs/classic.md)"},
		"glob-malformed":        {signatusIsStricter, "a pattern that implementations of fnmatch read differently (docs/classic.md)"},
		"parameter-missing":     {signatusIsStricter, "a placeholder without a value (docs/classic.md)"},
		"json-key-ambiguous":    {signatusIsStricter, "a JSON key twice, or in another case (docs/classic.md); the names within an object SHOULD be unique (RFC 8259, 4)"},
		"layout-empty":          {signatusIsStricter, "a layout without steps, also as a sublayout (docs/classic.md)"},
		"layout-malformed":      {signatusIsStricter, "a step or inspection without _type (docs/classic.md)"},
		"rule-malformed: brace": {signatusIsStricter, "another brace, where parameters are given (docs/classic.md)"},

		// Deviations of the peer, whoever denies.
		string(PrefixIsOptional): {signatusIsRight, "... artifacts filtered in using source-path-prefix/pattern must be matched ... (4.3.3)"},
		string(NamesAreCleaned): {signatusIsRight, "The pattern value is a path-pattern that will be matched against paths reported in the link " +
			"metadata. (4.3.3) As they are reported: nothing is said of another form."},
		string(AnyDestinationType): {signatusIsRight, "MATCH <pattern> [IN <source-path-prefix>] WITH (MATERIALS|PRODUCTS) [IN <destination-path-prefix>] FROM <step> (4.3.3)"},

		// Causes in the files: signatus allows, the peer denies.
		"written anew": {signatusIsRight, "The signature(s) on the file are checked. (5.2, step 1) On the file, and not on what a structure keeps of it: " +
			"the peer drops fields that it does not know or that are empty, and adds others."},
		"no readme": {signatusIsRight, "An optional README text can be added in the readme field. (4.3)"},
		"two signatures by one key": {signatusIsRight, "THRESHOLD must contain an integer value indicating how many pieces of link metadata must be provided. (4.3.1) " +
			"One is, with a valid signature; the peer looks at the first of its key only."},
		"digest in capitals": {signatusIsRight, "... encoded in hexadecimal notation. (4.2.3) Both cases are that notation."},
	}
}

// explain names the row of a disagreement; empty if there is none.
func explain(t *testing.T, c Case, ours answer, theirs Answers) string {
	t.Helper()
	if !ours.allowed() {
		for _, id := range slices.Concat(ours.findings, ours.reasons) {
			if _, ok := disagreements()[id]; ok {
				return id
			}
		}
		if slices.Contains(ours.findings, "rule-malformed") && strings.Contains(ours.text, "brace") {
			return "rule-malformed: brace"
		}
	}
	if cause := causeInFiles(t, c, theirs); ours.allowed() && cause != "" {
		return cause
	}
	return deviation(readItems(t, c), ours.allowed(), theirs.Passes())
}

// deviation finds the one deviation that turns our answer into the peer's.
func deviation(items []Item, ours, theirs bool) string {
	if len(items) == 0 || (Rules(items) == nil) != ours {
		return ""
	}
	for _, d := range Deviations() {
		if (Rules(items, d) == nil) == theirs {
			return string(d)
		}
	}
	return ""
}

// causeInFiles looks for what makes the peer refuse a case that is in order.
func causeInFiles(t *testing.T, c Case, theirs Answers) string {
	t.Helper()
	layout := readDocument(t, c.Layout)
	for _, refusal := range theirs.Answers {
		switch {
		case strings.Contains(refusal, "required field readme missing") && layout.content["readme"] == nil:
			return "no readme"
		case strings.Contains(refusal, "failed to verify signature") && layout.writtenAnew(t):
			return "written anew"
		case strings.Contains(refusal, "have a valid signature") && slices.ContainsFunc(links(t, c), document.signedTwiceByOne):
			return "two signatures by one key"
		case strings.Contains(refusal, "artifact verification failed") && slices.ContainsFunc(links(t, c), document.digestInCapitals):
			return "digest in capitals"
		}
	}
	return ""
}

// document is a layout or link as it was received.
type document struct {
	name       string
	signed     []byte
	content    map[string]any
	signatures []struct {
		KeyID string `json:"keyid"`
	}
	dsse bool
}

func readDocument(t *testing.T, name string) document {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Signed     json.RawMessage `json:"signed"`
		Payload    string          `json:"payload"`
		Signatures []struct {
			KeyID string `json:"keyid"`
		} `json:"signatures"`
	}
	if json.Unmarshal(content, &read) != nil {
		return document{name: name}
	}
	d := document{name: name, signed: read.Signed, signatures: read.Signatures}
	if read.Payload != "" {
		d.dsse = true
		if d.signed, err = base64.StdEncoding.DecodeString(read.Payload); err != nil {
			return d
		}
	}
	_ = json.Unmarshal(d.signed, &d.content) // nothing is found in what is no JSON
	return d
}

func links(t *testing.T, c Case) (all []document) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.Links, "*.link"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		all = append(all, readDocument(t, file))
	}
	return all
}

// writtenAnew tells whether the peer's structures, written as canonical JSON, differ
// from the canonical form of what was signed.
func (d document) writtenAnew(t *testing.T) bool {
	t.Helper()
	var layout intoto.Layout
	if d.dsse || json.Unmarshal(d.signed, &layout) != nil {
		return false
	}
	anew, err := json.Marshal(layout)
	if err != nil {
		t.Fatal(err)
	}
	return !bytes.Equal(canonical(t, anew), canonical(t, d.signed))
}

func canonical(t *testing.T, text []byte) []byte {
	t.Helper()
	written, err := attestationtest.CanonicalJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func (d document) signedTwiceByOne() bool {
	seen := map[string]bool{}
	for _, s := range d.signatures {
		if seen[s.KeyID] {
			return true
		}
		seen[s.KeyID] = true
	}
	return false
}

func (d document) digestInCapitals() bool {
	for _, kind := range []string{"materials", "products"} {
		for _, digests := range artifactsOf(d.content, kind) {
			for _, digest := range digests {
				if digest != strings.ToLower(digest) {
					return true
				}
			}
		}
	}
	return false
}

// readItems reads the steps of a layout with the first link of each. It gives up,
// with nothing, where a rule has a placeholder or a step no link.
func readItems(t *testing.T, c Case) (items []Item) {
	t.Helper()
	var layout struct {
		Steps []struct {
			Name              string     `json:"name"`
			ExpectedMaterials [][]string `json:"expected_materials"`
			ExpectedProducts  [][]string `json:"expected_products"`
		} `json:"steps"`
	}
	signed := readDocument(t, c.Layout).signed
	if json.Unmarshal(signed, &layout) != nil {
		return nil
	}
	for _, step := range layout.Steps {
		files, err := filepath.Glob(filepath.Join(c.Links, step.Name+".*.link"))
		if err != nil || len(files) == 0 {
			return nil
		}
		link := readDocument(t, files[0]).content
		items = append(items, fill(Item{
			Name: step.Name, ExpectedMaterials: step.ExpectedMaterials, ExpectedProducts: step.ExpectedProducts,
			Materials: artifactsOf(link, "materials"), Products: artifactsOf(link, "products"),
		}, c.Params))
	}
	return items
}

func artifactsOf(link map[string]any, kind string) Artifacts {
	all := Artifacts{}
	artifacts, _ := link[kind].(map[string]any)
	for name, value := range artifacts {
		all[name] = map[string]string{}
		digests, _ := value.(map[string]any)
		for algorithm, digest := range digests {
			all[name][algorithm], _ = digest.(string)
		}
	}
	return all
}
