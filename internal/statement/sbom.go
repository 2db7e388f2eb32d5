package statement

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
)

// The predicate types of bills of materials.
//
// Source: https://github.com/in-toto/attestation/tree/main/spec/predicates
const (
	CycloneDX  = "https://cyclonedx.org/bom"
	spdxPrefix = "https://spdx.dev/Document/v" // and the version, such as 2.3
)

// maxVersion bounds the version of a bill of materials, in bytes.
const maxVersion = 16

// sbomMarks are what a bill of materials tells of its own form. Keys are compared as
// they are written.
type sbomMarks struct {
	SPDXVersion *string `json:"spdxVersion"`
	SPDXID      *string `json:"SPDXID"`
	BOMFormat   *string `json:"bomFormat"`
	SpecVersion *string `json:"specVersion"`
	Context     any     `json:"@context"`
}

// SBOMType tells which predicate type a bill of materials in JSON has, as actions/attest
// names it: SPDX 2.x with its version, or CycloneDX. It is at most MaxPredicateBytes, and
// what is neither, or both, is an error. It is recognised and not validated: what it says
// of components is its author's word.
//
//	"spdxVersion ... SPDX-M.N", "SPDXID ... SPDXRef-DOCUMENT" (SPDX 2.3, 6.1 and 6.3)
//	"bomFormat ... This value must be \"CycloneDX\"", "specVersion" (CycloneDX 1.6)
//
// Shown by TestSBOMType.
func SBOMType(sbom []byte) (string, error) {
	if err := CheckPredicate(sbom); err != nil {
		return "", err
	}
	var marks sbomMarks
	if err := json.Unmarshal(sbom, &marks); err != nil {
		return "", errors.New("what tells its form is no text")
	}
	spdx, cycloneDX := marks.SPDXVersion != nil || marks.SPDXID != nil, marks.BOMFormat != nil
	switch {
	case spdx && cycloneDX:
		return "", errors.New("it says of itself that it is SPDX and CycloneDX")
	case spdx:
		return marks.spdx()
	case cycloneDX:
		return marks.cycloneDX()
	case marks.Context != nil:
		return "", errors.New("it is JSON-LD, as SPDX 3 is, and SPDX 2 or CycloneDX is expected")
	default:
		return "", errors.New("it is neither SPDX 2 nor CycloneDX in JSON")
	}
}

func (m sbomMarks) spdx() (string, error) {
	if m.SPDXVersion == nil || m.SPDXID == nil || *m.SPDXID != "SPDXRef-DOCUMENT" {
		return "", errors.New("it has a part of what an SPDX document tells of itself: spdxVersion, and SPDXRef-DOCUMENT as SPDXID")
	}
	version, ok := strings.CutPrefix(*m.SPDXVersion, "SPDX-")
	if minor, second := strings.CutPrefix(version, "2."); !ok || !second || !number(minor) {
		return "", fmt.Errorf("its spdxVersion is %.40q, expected SPDX-2 and a minor version, such as SPDX-2.3", *m.SPDXVersion)
	}
	return spdxPrefix + version, nil
}

func (m sbomMarks) cycloneDX() (string, error) {
	if *m.BOMFormat != "CycloneDX" {
		return "", fmt.Errorf("its bomFormat is %.40q, expected CycloneDX", *m.BOMFormat)
	}
	if m.SpecVersion == nil {
		return "", errors.New("it is CycloneDX without a specVersion")
	}
	if minor, first := strings.CutPrefix(*m.SpecVersion, "1."); !first || !number(minor) {
		return "", fmt.Errorf("its specVersion is %.40q, expected 1 and a minor version, such as 1.6", *m.SpecVersion)
	}
	return CycloneDX, nil
}

// number tells whether a text is a number without a sign and a zero in front.
func number(text string) bool {
	return text != "" && len(text) <= maxVersion && strings.Trim(text, "0123456789") == "" && (text == "0" || text[0] != '0')
}
