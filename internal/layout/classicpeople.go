package layout

import (
	"github.com/signatus-dev/signatus/internal/attestation"
)

// people counts who signed. Two signatures are of one person when their keys
// share key material, as a key and its subkey do, or when their certificates
// share a name.
type people struct{ group map[string]string }

// add joins all that one signer is known by.
func (p *people) add(by attestation.SignedBy) {
	if p.group == nil {
		p.group = map[string]string{}
	}
	names := namesOf(by)
	for _, name := range names {
		if p.group[name] == "" {
			p.group[name] = name
		}
		p.group[p.find(name)] = p.find(names[0])
	}
}

func (p *people) find(name string) string {
	for p.group[name] != name {
		p.group[name] = p.group[p.group[name]]
		name = p.group[name]
	}
	return name
}

// count counts the persons among those added.
func (p *people) count() int {
	n := 0
	for name := range p.group {
		if p.find(name) == name {
			n++
		}
	}
	return n
}

// namesOf lists what a signer is known by. A certificate is known by its names,
// of whatever key: "one ITE-7 certificate identity counts once", however many
// certificates it gets; and by its key, which may be in the layout by itself.
func namesOf(by attestation.SignedBy) []string {
	names := []string{"key " + by.Signer().Key}
	if by.Certificate == nil {
		for _, fingerprint := range by.Key.Fingerprints() {
			names = append(names, "key "+fingerprint)
		}
		return names
	}
	c := by.Certificate
	before := len(names)
	for _, list := range []struct {
		kind   string
		values []string
	}{{"uri", c.URIs}, {"email", c.Emails}, {"dns", c.DNSNames}} {
		for _, value := range list.values {
			names = append(names, list.kind+" "+value)
		}
	}
	if len(names) == before && c.CommonName != "" {
		names = append(names, "name "+c.CommonName)
	}
	return names
}

// describe names a signer for a report.
func describeSigner(by attestation.SignedBy) string {
	if c := by.Certificate; c != nil {
		for _, values := range [][]string{c.URIs, c.Emails, c.DNSNames, {c.CommonName}} {
			if len(values) > 0 && values[0] != "" {
				return values[0] + " (certificate)"
			}
		}
	}
	return by.Signer().String()
}
