package layout

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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
	Type        string          `json:"_type"`
	Name        string          `json:"name"`
	Command     commandDocument `json:"command"`
	Materials   recorded        `json:"materials"`
	Products    recorded        `json:"products"`
	Byproducts  jsontext.Value  `json:"byproducts"`
	Environment jsontext.Value  `json:"environment"`
	Unknown     jsontext.Value  `json:",embed"`
}

// classicLink is a link that has been read.
type classicLink struct {
	name    string
	command []string
	claims  *claims
}

// typeURI names what was signed in a report, as in-toto-golang names a link in a
// statement.
func typeURI(signed *attestation.Signed) string {
	switch signed.Type() {
	case "link":
		return "https://in-toto.io/Link/v1"
	case "layout":
		return "https://in-toto.io/Layout/v1"
	}
	return ""
}

// sha256Of is a digest without its algorithm, as evidence is named in a report.
func sha256Of(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

// readLink reads a verified link. No key is in it twice: its envelope was scanned.
func (c *classicCheck) readLink(signed *attestation.Signed) (*classicLink, *verdict.Finding) {
	d := linkDocument{Materials: c.recorded("material"), Products: c.recorded("product")}
	if err := json.Unmarshal(signed.Payload(), &d, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, linkProblem(verdict.LinkMalformed, "reading the link: "+jsonText(err))
	}
	r := &classicReader{name: signed.Source(), compat: &compat{on: true}} // other keys are not read
	r.fields("the link", "", d.Unknown, "_type", "name", "command", "materials", "products", "byproducts", "environment")
	if len(r.problems) > 0 {
		return nil, &r.problems[0]
	}
	if d.Name == "" || d.Materials.set == nil || d.Products.set == nil {
		return nil, linkProblem(verdict.LinkMalformed, "the link lacks its name, materials or products")
	}
	claims, finding := classicClaims(d.Materials, d.Products)
	if finding != nil {
		return nil, finding
	}
	return &classicLink{name: d.Name, command: d.Command, claims: claims}, nil
}

func linkProblem(id verdict.ID, found string) *verdict.Finding {
	return &verdict.Finding{ID: id, Found: found, Expected: "a link as in-toto 1.0 has it", Next: "have the functionary record and sign the step again"}
}

// classicClaims are materials and products under the names that were recorded.
func classicClaims(materials, products recorded) (*claims, *verdict.Finding) {
	for _, finding := range []*verdict.Finding{materials.finding, products.finding} {
		if finding != nil {
			return nil, finding
		}
	}
	out := &claims{materials: materials.set, products: products.set, hasProducts: true}
	out.materialNames, out.productNames = out.materials.Names(), out.products.Names()
	out.key = out.fingerprint()
	return out, nil
}
