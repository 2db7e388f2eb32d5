package layout

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// linkDocument is the JSON of a link.
//
//	{ "_type": "link", "name": "<NAME>", "command": "<COMMAND>",
//	  "materials": { "<PATH>": "<HASH>" }, "products": { "<PATH>": "<HASH>" },
//	  "byproducts": {…}, "environment": {…} }
//
// (in-toto 1.0, 4.4) What is beyond these says nothing about artifacts and is
// not read.
type linkDocument struct {
	Type        string                       `json:"_type"`
	Name        string                       `json:"name"`
	Command     commandDocument              `json:"command"`
	Materials   map[string]map[string]string `json:"materials"`
	Products    map[string]map[string]string `json:"products"`
	Byproducts  jsontext.Value               `json:"byproducts"`
	Environment jsontext.Value               `json:"environment"`
	Unknown     jsontext.Value               `json:",embed"`
}

// classicLink is a link that has been read.
type classicLink struct {
	name    string
	command []string
	claims  *claims
}

// documentType reads the _type of verified metadata.
func documentType(signed *attestation.Signed) string {
	var document struct {
		Type string `json:"_type"`
	}
	if err := json.Unmarshal(signed.Payload(), &document); err != nil {
		return ""
	}
	return document.Type
}

// typeURI names what was signed in a report, as in-toto-golang names a link in a
// statement.
func typeURI(signed *attestation.Signed) string {
	switch documentType(signed) {
	case "link":
		return "https://in-toto.io/Link/v1"
	case "layout":
		return "https://in-toto.io/Layout/v1"
	}
	return ""
}

// sha256Of is a digest without its algorithm, as evidence is named in a report.
func sha256Of(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

// readLink reads a verified link.
func (c *compat) readLink(signed *attestation.Signed) (*classicLink, *verdict.Finding) {
	var d linkDocument
	if err := json.Unmarshal(signed.Payload(), &d); err != nil {
		return nil, linkProblem(verdict.LinkMalformed, "reading the link: "+jsonText(err))
	}
	r := &classicReader{name: signed.Source(), compat: &compat{on: true}} // other keys are not read
	r.fields("the link", "", d.Unknown, "_type", "name", "command", "materials", "products", "byproducts", "environment")
	if len(r.problems) > 0 {
		return nil, &r.problems[0]
	}
	if d.Name == "" || d.Materials == nil || d.Products == nil {
		return nil, linkProblem(verdict.LinkMalformed, "the link lacks its name, materials or products")
	}
	claims, finding := c.readClaims(d.Materials, d.Products)
	if finding != nil {
		return nil, finding
	}
	return &classicLink{name: d.Name, command: d.Command, claims: claims}, nil
}

func linkProblem(id verdict.ID, found string) *verdict.Finding {
	return &verdict.Finding{ID: id, Found: found, Expected: "a link as in-toto 1.0 has it", Next: "have the functionary record and sign the step again"}
}

// readClaims reads materials and products under the names that were recorded.
func (c *compat) readClaims(materials, products map[string]map[string]string) (*claims, *verdict.Finding) {
	out := &claims{hasProducts: true}
	var finding *verdict.Finding
	if out.materials, finding = c.artifacts("material", materials); finding != nil {
		return nil, finding
	}
	if out.products, finding = c.artifacts("product", products); finding != nil {
		return nil, finding
	}
	out.materialNames, out.productNames = out.materials.Names(), out.products.Names()
	out.key = out.fingerprint()
	return out, nil
}

// artifacts reads one dictionary. Names are compared as they were recorded, and
// two names of one file refuse the link: with foo good and ./foo evil, each
// reader would see another. (CVE-2021-41087; TestClassicMutations)
func (c *compat) artifacts(kind string, raw map[string]map[string]string) (artifact.Set, *verdict.Finding) {
	if len(raw) > MaxArtifacts {
		return nil, linkProblem(verdict.LinkMalformed, fmt.Sprintf("%d %ss, at most %d are read", len(raw), kind, MaxArtifacts))
	}
	set := make(artifact.Set, len(raw))
	cleaned := make(map[string]string, len(raw))
	for _, name := range sortedKeys(raw) {
		digest, finding := readDigests(kind, name, raw[name])
		if finding != nil {
			return nil, finding
		}
		if len(name) > artifact.MaxNameLength {
			return nil, linkProblem(verdict.LinkMalformed, fmt.Sprintf("the name of a %s has %d bytes, at most %d are read", kind, len(name), artifact.MaxNameLength))
		}
		clean := path.Clean(name)
		if other, taken := cleaned[clean]; taken && !c.relax("alias", fmt.Sprintf("%q and %q are one %s, each kept under its name", other, name, kind)) {
			return nil, linkProblem(verdict.ArtifactAlias, fmt.Sprintf("the %ss %q and %q are two names of one file", kind, other, name))
		}
		cleaned[clean] = name
		set[name] = artifact.Resource{Name: artifact.Name{Text: name}, Digest: digest}
	}
	return set, nil
}

// readDigests reads a hash object. "HASH is the sha256 hash encoded in
// hexadecimal notation" (in-toto 1.0, 4.2.3); without any there is nothing to
// compare, and MD5 alone, which many files can have, is no better. (TestClassicDigests)
func readDigests(kind, name string, raw map[string]string) (artifact.DigestSet, *verdict.Finding) {
	if len(raw) == 0 {
		return nil, linkProblem(verdict.DigestEmpty, fmt.Sprintf("the %s %q has no digest", kind, name))
	}
	for alg, value := range raw {
		if _, err := hex.DecodeString(value); err != nil {
			return nil, linkProblem(verdict.DigestMalformed, fmt.Sprintf("the digest %q of the %s %q is %.80q, which is not hexadecimal", alg, kind, name, value))
		}
	}
	digest, err := artifact.ParseDigestSet(raw)
	if err != nil {
		return nil, linkProblem(verdict.DigestMalformed, fmt.Sprintf("the %s %q: %v", kind, name, err))
	}
	if !slices.ContainsFunc(artifact.Accepted(), func(alg artifact.Algorithm) bool { return digest[alg] != "" }) {
		return nil, linkProblem(verdict.DigestEmpty, fmt.Sprintf("the %s %q has no digest that counts, only %s", kind, name, digest))
	}
	return digest, nil
}
