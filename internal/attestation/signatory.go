package attestation

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Signatory is somebody who must have signed a layout: a key, or an exact identity
// and its issuer. The zero value is nobody and signs nothing.
type Signatory struct {
	Key      *Key
	Identity string
	Issuer   string
}

// String names the signatory as the caller did.
func (s Signatory) String() string {
	if s.Key != nil {
		return "key " + s.Key.Signer().Key
	}
	return fmt.Sprintf("%s (issuer %s)", s.Identity, s.Issuer)
}

// signed reports whether the identity is the signatory's, field by field.
func (s Signatory) signed(by identity.Signer) bool {
	return s.Key == nil && s.Identity != "" && s.Issuer != "" && s.Identity == by.SAN && s.Issuer == by.Issuer
}

// Signatories say who must have signed a layout, and how many of them. They come
// from the caller and never from the layout.
type Signatories struct {
	All []Signatory // at least one
	// Threshold is how many of them are enough, from 1 to all.
	Threshold int
	// Roots are those under which an identity may be proven.
	Roots []*Root
}

// SignedLayout is a layout that as many have signed as the caller asked for. Only
// LayoutEnvelope.Open makes one; its zero value and nil hold nothing.
type SignedLayout struct {
	payload []byte
	signers []LayoutSigner
}

// LayoutSigner is somebody who has signed a layout.
type LayoutSigner struct {
	Signer identity.Signer
	Root   string         // empty for a key alone
	Times  []verdict.Time // proven, the earliest first; none for a key alone
}

// Payload is the layout: the very bytes that were signed. It must not be modified.
func (l *SignedLayout) Payload() []byte {
	if l == nil {
		return nil
	}
	return l.payload
}

// Signers are those of the signatories who have signed, each once.
func (l *SignedLayout) Signers() []LayoutSigner {
	if l == nil {
		return nil
	}
	return l.signers
}

// Open checks the signatures. Signatories are counted, never signatures: somebody
// who has signed twice is one, and so is one identity that two issuers vouch for.
// (TestLayoutSignatories)
func (e *LayoutEnvelope) Open(who Signatories) (*SignedLayout, *verdict.Finding) {
	switch n := who.People(); {
	case e == nil || len(e.payload) == 0:
		return nil, e.undersigned(who, nil, nil)
	case n == 0 || who.Threshold < 1 || who.Threshold > n:
		f := e.undersigned(who, nil, nil)
		f.Found = fmt.Sprintf("%d of %d signatories are asked for, which is nothing that can be met", who.Threshold, n)
		return nil, f
	}
	signed := &SignedLayout{payload: e.payload}
	counted := map[string]bool{}
	var refusals []error
	for _, s := range who.All {
		by, refused := e.signedBy(s, who.Roots)
		refusals = append(refusals, refused...)
		if by != nil && !counted[s.person()] {
			counted[s.person()] = true
			signed.signers = append(signed.signers, *by)
		}
	}
	if len(signed.signers) < who.Threshold {
		return nil, e.undersigned(who, signed.signers, refusals)
	}
	return signed, nil
}

// person is what makes two signatories one.
func (s Signatory) person() string {
	if s.Key != nil {
		return s.Key.Signer().Key
	}
	return s.Identity
}

// People counts the signatories: one key, or one identity of two issuers, is one.
func (w Signatories) People() int {
	people := map[string]bool{}
	for _, s := range w.All {
		people[s.person()] = true
	}
	delete(people, "")
	return len(people)
}

// signedBy looks for a signature of one signatory. Every signature is tried: one
// that is broken hides no other.
func (e *LayoutEnvelope) signedBy(s Signatory, roots []*Root) (*LayoutSigner, []error) {
	var refusals []error
	for _, signature := range e.signatures {
		var by *LayoutSigner
		var err error
		switch {
		case s.Key != nil && signature.bundle.entity == nil:
			by, err = e.openBare(signature, *s.Key)
		case s.Key != nil:
			by, err = openLayoutWithKey(signature.bundle, *s.Key, roots)
		case signature.bundle.entity != nil:
			by, err = openLayout(signature.bundle, roots)
		}
		if by != nil && (s.Key != nil || s.signed(by.Signer)) {
			return by, refusals
		}
		if by != nil {
			err = fmt.Errorf("%s: signed by %s (issuer %s)", signature.source, by.Signer.SAN, by.Signer.Issuer)
		}
		if err != nil {
			refusals = append(refusals, err)
		}
	}
	return nil, refusals
}

func (e *LayoutEnvelope) openBare(s layoutSignature, k Key) (*LayoutSigner, error) {
	verifier, err := k.verifier(false)
	if err == nil {
		err = verifier.VerifySignature(bytes.NewReader(s.bare), bytes.NewReader(e.pae()))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: it does not verify with the key %s", s.source, k.signer.Key)
	}
	return &LayoutSigner{Signer: k.signer}, nil
}

// openLayoutWithKey opens a bundle with a key: under the first root that fits, so
// that a time is proven, or else by the signature alone.
func openLayoutWithKey(c Candidate, k Key, roots []*Root) (*LayoutSigner, error) {
	var last error
	for _, r := range append(roots[:len(roots):len(roots)], nil) {
		v, err := c.withKey(k, r)
		if err == nil {
			return v.layoutSigner(), nil
		}
		last = err
	}
	return nil, last
}

// openLayout opens a bundle with a certificate.
func openLayout(c Candidate, roots []*Root) (*LayoutSigner, error) {
	var last error = c.invalid(errors.New("no trusted root is loaded"))
	for _, r := range roots {
		v, err := c.withCertificate(r)
		if err == nil {
			return v.layoutSigner(), nil
		}
		if refused, ok := errors.AsType[*Refusal](err); !ok || !refused.OtherKind() {
			last = err
		}
	}
	return nil, last
}

func (v *Verified) layoutSigner() *LayoutSigner {
	return &LayoutSigner{Signer: v.signer, Root: v.root, Times: v.times}
}

// undersigned says who has signed and who has not.
func (e *LayoutEnvelope) undersigned(who Signatories, signed []LayoutSigner, refusals []error) *verdict.Finding {
	var wanted, found []string
	for _, s := range who.All {
		wanted = append(wanted, s.String())
	}
	for _, s := range signed {
		found = append(found, s.Signer.String())
	}
	f := &verdict.Finding{
		ID: verdict.LayoutSignature, Where: e.Source(),
		Expected: fmt.Sprintf("%d of %s", who.Threshold, strings.Join(wanted, ", ")),
		Found:    fmt.Sprintf("%d of %d required: %s", len(signed), who.Threshold, orNobody(found)),
		Next:     "have those who are missing sign it with  signatus layout sign, or take the layout from where it is signed",
	}
	for i, err := range refusals {
		if i == maxUndersigned {
			f.Found += fmt.Sprintf("; and %d more", len(refusals)-i)
			break
		}
		f.Found += "; " + err.Error()
	}
	f.Found = brief(f.Found)
	return f
}

// maxUndersigned is how many signatures a finding speaks of that did not count.
const maxUndersigned = 4

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody of them has signed"
	}
	return "signed by " + strings.Join(names, ", ")
}
