package attestation

import (
	"crypto"
	"crypto/x509"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
)

// InTotoKey is a public key as classic in-toto metadata knows it: a key, or an
// OpenPGP key with its subkeys. The zero value verifies nothing.
//
// It is known by its key material. The id that a document gives it is a hint
// that orders attempts and decides nothing: one key has several ids in use, and
// one document may give one key two.
type InTotoKey struct {
	id    string
	parts []keyPart // the first is the key itself, the others are its subkeys
}

// keyPart is one key pair's public half, and how it signs.
type keyPart struct {
	id     string
	public crypto.PublicKey
	signer identity.Signer
	scheme signingScheme
	// expires is when an OpenPGP key ends; zero for never.
	expires time.Time
}

// ID is what the document calls the key; it may be empty.
func (k InTotoKey) ID() string { return k.id }

// Signer is the key's identity: the fingerprint of its SubjectPublicKeyInfo.
func (k InTotoKey) Signer() identity.Signer {
	if len(k.parts) == 0 {
		return identity.Signer{}
	}
	return k.parts[0].signer
}

// Fingerprints are those of the key and its subkeys. Two keys that share one
// are one principal.
func (k InTotoKey) Fingerprints() []string {
	var out []string
	for _, p := range k.parts {
		out = append(out, p.signer.Key)
	}
	return out
}

// Subkey is the part of an OpenPGP key that has the id: a layout may allow one
// subkey alone. It stays known by all fingerprints of the key.
func (k InTotoKey) Subkey(id string) (InTotoKey, bool) {
	if !slices.ContainsFunc(k.parts, func(p keyPart) bool { return p.id == id }) {
		return InTotoKey{}, false
	}
	one := InTotoKey{id: id}
	for _, p := range k.parts {
		if p.id != id {
			p.public = nil
		}
		one.parts = append(one.parts, p)
	}
	return one, true
}

// newInTotoKey makes a key of its material. An empty scheme is the key kind's
// own.
func newInTotoKey(public crypto.PublicKey, scheme string) (InTotoKey, error) {
	part, err := newKeyPart(public)
	if err != nil {
		return InTotoKey{}, err
	}
	if part.scheme, err = parseScheme(scheme, public); err != nil {
		return InTotoKey{}, err
	}
	return InTotoKey{parts: []keyPart{part}}, nil
}

func newKeyPart(public crypto.PublicKey) (keyPart, error) {
	if err := checkKeyKind(public); err != nil {
		return keyPart{}, err
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return keyPart{}, err
	}
	return keyPart{public: public, signer: identity.FromPublicKey(spki)}, nil
}

func (p keyPart) kind() string { return Key{public: p.public}.Type() }
