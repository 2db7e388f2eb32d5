package attestationtest

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// Key is a signer's own, long-lived key. No trusted root names it: the
// verifier must be given its public half.
type Key struct {
	// Signer is an ECDSA, Ed25519 or RSA key of the standard library.
	Signer crypto.Signer
	// Hint is how a bundle names the key.
	Hint string
}

// NewKey returns a P-256 key; the same name always gives the same key of an
// instance. Its hint is cosign's: SHA-256 over the public key in DER, in
// base64.
func (s *Sigstore) NewKey(name string) (*Key, error) {
	signer, err := s.seed.ecdsaKey(elliptic.P256(), "signer's own key "+name)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding key %s: %w", name, err)
	}
	digest := sha256.Sum256(der)
	return &Key{Signer: signer, Hint: base64.StdEncoding.EncodeToString(digest[:])}, nil
}

// PEM returns the public half.
func (k *Key) PEM() ([]byte, error) {
	encoded, err := cryptoutils.MarshalPublicKeyToPEM(k.Signer.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding public key: %w", err)
	}
	return encoded, nil
}
