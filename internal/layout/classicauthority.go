package layout

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// authorities reads the certificates of ITE-7.
//
// "The `intermediatecas` and `rootcas` fields will have the same shape as the
// existing `keys` field … The keyval's public key will be expected to be a valid
// X509 certificate." (ITE-7) in-toto-golang writes it under keyval.certificate;
// both are read.
func (r *classicReader) authorities(d classicDocument) *attestation.Authorities {
	authorities := &attestation.Authorities{}
	for _, id := range slices.Sorted(maps.Keys(d.Roots)) {
		text, err := authorityPEM(d.Roots[id])
		if err == nil {
			err = authorities.AddRoot(id, text)
		}
		r.authorityProblem("rootcas", id, err)
	}
	for _, id := range slices.Sorted(maps.Keys(d.Intermediates)) {
		text, err := authorityPEM(d.Intermediates[id])
		if err == nil {
			err = authorities.AddIntermediate(text)
		}
		r.authorityProblem("intermediatecas", id, err)
	}
	return authorities
}

func (r *classicReader) authorityProblem(field, id string, err error) {
	if err != nil {
		r.problem(verdict.KeyMalformed, "", says{fmt.Sprintf("%s %.16s: %v", field, id, err), "a certificate in PEM, in keyval.certificate or keyval.public", "have the layout's owner correct it"})
	}
}

func authorityPEM(object jsontext.Value) (string, error) {
	var authority struct {
		KeyVal struct {
			Public      string `json:"public"`
			Certificate string `json:"certificate"`
		} `json:"keyval"`
	}
	if err := json.Unmarshal(object, &authority); err != nil {
		return "", fmt.Errorf("reading it: %s", jsonText(err))
	}
	if authority.KeyVal.Certificate != "" {
		return authority.KeyVal.Certificate, nil
	}
	return authority.KeyVal.Public, nil
}
