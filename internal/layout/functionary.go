package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// signs reports whether f made the statement, field by field. Where not, the
// finding says which field differed; fields are compared in the order identity,
// root, extensions, so a later finding means a nearer miss.
func (f *functionary) signs(v *attestation.Verified) *verdict.Finding {
	signer := v.Signer()
	if f.keyed != (signer.Key != "") || f.keyed && !f.signsWith(signer) {
		return f.differs(signer)
	}
	if !f.keyed && (f.issuer != signer.Issuer || !f.bound.Match(signer.SAN)) {
		return f.differs(signer)
	}
	// "A statement counts only if it verified under that root." (docs/layout.md 5.)
	if f.root != "" && f.root != v.Root() {
		found := "it verified under root " + v.Root()
		if v.Root() == "" {
			found = "it verified under no root: the signature is right, and no log or timestamp proves it"
		}
		return &verdict.Finding{
			ID: verdict.WrongRoot, Expected: "root " + f.root, Found: found,
			Next: "have the signer use that instance, or name the root in the layout",
		}
	}
	for _, e := range f.extensions {
		if found := signer.Extensions[e.name]; !slices.Contains(e.bound, found) {
			return &verdict.Finding{
				ID: verdict.ExtensionMismatch, Expected: fmt.Sprintf("a certificate with %s %s", e.name, strings.Join(e.bound, " or ")),
				Found: fmt.Sprintf("its certificate has %s %s", e.name, orNone(found)), Next: "check which workflow, ref and runner may sign, and sign from there",
			}
		}
	}
	return nil
}

// signsWith compares the key, or the authority that certified it and one of the
// principals that it is certified for.
func (f *functionary) signsWith(signer identity.Signer) bool {
	if !f.key.Authority() {
		return f.key.Signer().Equal(signer)
	}
	return signer.Authority == f.key.Signer().Key && slices.ContainsFunc(signer.Principals, f.certified.Match)
}

func (f *functionary) differs(signer identity.Signer) *verdict.Finding {
	return &verdict.Finding{
		ID: verdict.NotFunctionary, Expected: f.String(),
		Found: fmt.Sprintf("signer %s is not a functionary of this step", describe(signer)),
	}
}

// String names the functionary for a report, as it must sign.
func (f *functionary) String() string {
	switch {
	case f.keyed && f.key.Authority():
		return fmt.Sprintf("%s, certified by the SSH authority %s", f.certified, f.key.Signer())
	case f.keyed:
		return f.principal.called(f.key.Signer().String())
	case f.issuer == "":
		return fmt.Sprintf("%s (no issuer)", f.pattern())
	}
	return fmt.Sprintf("%s (issuer %s)", f.pattern(), f.issuer)
}

func (f *functionary) pattern() string {
	if text := f.bound.String(); text != "" {
		return text
	}
	return f.identity.text
}

// describe names a signer with its issuer, exactly as the layout would have to
// write it.
func describe(s identity.Signer) string {
	if s.Key != "" {
		return s.String()
	}
	return fmt.Sprintf("%s (issuer %s)", s.SAN, orNone(s.Issuer))
}

// called puts the name that the layout has for somebody before a key, which tells a
// reader nothing.
func (p *principal) called(key string) string {
	if p == nil || p.unnamed {
		return key
	}
	return p.root().id + ", " + key
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// root returns the principal that p stands for after merging.
func (p *principal) root() *principal {
	for p.same != nil {
		p = p.same
	}
	return p
}

// merge makes one principal of all those that one signer can be: a single
// signer that matches the functionaries of two principals is one person, and
// must never be counted twice. Nor must one key that an SSH authority certified
// for two people, that signs with a certificate and without one, or that is a
// subkey of somebody's OpenPGP key too. It reports whether any functionary signed.
// TestOneKeyholder shows it.
func (b *bound) merge(v *attestation.Verified) (known bool) {
	var first *principal
	join := func(p *principal) {
		switch {
		case p == nil:
		case first == nil:
			first = p.root()
		case p.root() != first.root():
			p.root().same = first.root()
		}
	}
	var keys []string
	if key := v.Signer().Key; key != "" {
		keys = []string{key}
	}
	for _, f := range b.functionaries {
		if f.signs(v) != nil {
			continue
		}
		if f.keyed && !f.key.Authority() {
			keys = append(keys, f.key.Material()...)
		}
		join(f.principal)
	}
	if first == nil {
		return false
	}
	for _, key := range keys {
		join(b.keyholders[key])
	}
	for _, key := range keys {
		b.keyholders[key] = first
	}
	return true
}
