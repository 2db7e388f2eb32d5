package attestation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

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
	// Now must be set: an OpenPGP key that has ended signs nothing any more.
	Now time.Time
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
	var counted []Signatory
	var refusals []error
	for _, s := range who.All {
		by, refused := e.signedBy(s, who)
		refusals = append(refusals, refused...)
		if by != nil && !slices.ContainsFunc(counted, s.same) {
			counted = append(counted, s)
			signed.signers = append(signed.signers, *by)
		}
	}
	if len(signed.signers) < who.Threshold {
		return nil, e.undersigned(who, signed.signers, refusals)
	}
	return signed, nil
}

// same reports whether two signatories are one: a key in two forms or with a common
// subkey, or an identity that two issuers vouch for.
func (s Signatory) same(o Signatory) bool {
	if s.Key != nil && o.Key != nil {
		return s.Key.Shares(*o.Key)
	}
	return s.Key == nil && o.Key == nil && s.Identity == o.Identity
}

// nobody reports whether no signature could be this signatory's.
func (s Signatory) nobody() bool {
	return s.Key == nil && (s.Identity == "" || s.Issuer == "") || s.Key != nil && s.Key.Signer().IsZero()
}

// People counts the signatories: one key, or one identity of two issuers, is one.
func (w Signatories) People() int {
	var people []Signatory
	for _, s := range w.All {
		if !s.nobody() && !slices.ContainsFunc(people, s.same) {
			people = append(people, s)
		}
	}
	return len(people)
}

// signedBy looks for a signature of one signatory. Every signature is tried: one
// that is broken hides no other.
func (e *LayoutEnvelope) signedBy(s Signatory, who Signatories) (*LayoutSigner, []error) {
	var refusals []error
	for _, signature := range e.signatures {
		var by *LayoutSigner
		var err error
		switch {
		case s.Key != nil && signature.bundle.entity == nil:
			by, err = e.openBare(signature, *s.Key, who.Now)
		case s.Key != nil:
			by, err = openLayoutWithKey(signature.bundle, *s.Key, who.Roots)
		case signature.bundle.entity != nil:
			by, err = openLayout(signature.bundle, who.Roots)
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

func (e *LayoutEnvelope) openBare(s layoutSignature, k Key, now time.Time) (*LayoutSigner, error) {
	v := &Verified{signer: k.signer}
	if err := v.signedBy(k, dsse.PAE(payloadType, e.payload), s.bare); err != nil {
		return nil, fmt.Errorf("%s: it does not verify with the key %s", s.source, k.signer.Key)
	}
	// No time is proven, so the present is asked: what exists was signed before now.
	if _, end := v.KeyValidity(); !end.IsZero() && !now.Before(end) {
		return nil, fmt.Errorf("%s: the key %s ended on %s", s.source, k.signer.Key, end.UTC().Format(time.RFC3339))
	}
	return v.layoutSigner(), nil
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
		f.Found += "; " + withoutNext(err)
	}
	f.Found = brief(f.Found)
	return f
}

// withoutNext is why a signature did not count, without the next step of a bundle that is looked
// at for its own sake.
func withoutNext(err error) string {
	if refused, ok := errors.AsType[*Refusal](err); ok {
		return refused.Source + ": " + refused.Finding().Found
	}
	return err.Error()
}

// maxUndersigned is how many signatures a finding speaks of that did not count.
const maxUndersigned = 4

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody of them has signed"
	}
	return "signed by " + strings.Join(names, ", ")
}
