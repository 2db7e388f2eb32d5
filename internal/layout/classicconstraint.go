package layout

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/attestation"
)

// certificateConstraint says which certificates may sign for a step.
//
// "Wildcards may be used to specify that any value meets the constraint whereas
// an empty array means there should be no values for that attribute of the
// certificate." (ITE-7, Certificate Constraints)
type certificateConstraint struct {
	CommonName    string         `json:"common_name"`
	DNSNames      []string       `json:"dns_names"`
	Emails        []string       `json:"emails"`
	Organizations []string       `json:"organizations"`
	Roots         []string       `json:"roots"`
	URIs          []string       `json:"uris"`
	Unknown       jsontext.Value `json:",embed"`
}

func constraintFields() []string {
	return []string{"common_name", "dns_names", "emails", "organizations", "roots", "uris"}
}

// unmet names the first attribute that does not meet the constraint; empty where
// all do.
//
// "When testing a constraint a certificate must meet each of the constraint's
// rules." (ITE-7; TestCertificateConstraints)
func (c certificateConstraint) unmet(have *attestation.SignerCertificate) string {
	for _, attribute := range []struct {
		name           string
		allowed, found []string
	}{
		{"common_name", []string{c.CommonName}, []string{have.CommonName}},
		{"dns_names", c.DNSNames, have.DNSNames},
		{"emails", c.Emails, have.Emails},
		{"organizations", c.Organizations, have.Organizations},
		{"uris", c.URIs, have.URIs},
	} {
		if !meets(attribute.allowed, attribute.found) {
			return attribute.name
		}
	}
	if !meetsRoot(c.Roots, have.Roots) {
		return "roots"
	}
	return ""
}

// meets reports whether the certificate has each value and no other.
func meets(allowed, found []string) bool {
	if slices.Equal(allowed, []string{"*"}) {
		return true
	}
	return slices.Equal(distinctValues(allowed), distinctValues(found))
}

func distinctValues(values []string) []string {
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	slices.Sort(values)
	return slices.Compact(values)
}

// meetsRoot reports whether a chain ends in one of the roots: "belonging to the
// root with id <ROOTKEYID>" is about the certificate's own chain, not about the
// roots that the layout happens to list.
func meetsRoot(allowed, chains []string) bool {
	return slices.ContainsFunc(chains, func(id string) bool { return slices.Equal(allowed, []string{"*"}) || slices.Contains(allowed, id) })
}
