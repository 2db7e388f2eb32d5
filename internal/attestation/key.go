package attestation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/signatus-dev/signatus/internal/identity"
)

// maxKeySize bounds a key file; minRSA is the smallest modulus, in bits.
const (
	maxKeySize = 64 << 10
	minRSA     = 2048
	maxRSA     = 16384
)

// Key is a long-lived public key. The zero value verifies nothing.
type Key struct {
	signer identity.Signer
	public crypto.PublicKey
}

// Signer is the key's identity: the fingerprint of its SubjectPublicKeyInfo.
func (k Key) Signer() identity.Signer { return k.signer }

// Type is the key's kind as in-toto's keyType spells it: "ecdsa", "ed25519" or
// "rsa"; empty for the zero value.
func (k Key) Type() string {
	switch k.public.(type) {
	case *ecdsa.PublicKey:
		return "ecdsa"
	case ed25519.PublicKey:
		return "ed25519"
	case *rsa.PublicKey:
		return "rsa"
	}
	return ""
}

// ParseKey reads one public key in PEM ("PUBLIC KEY", PKIX): ECDSA P-256, P-384
// or P-521, Ed25519, or RSA of at least 2048 bits.
func ParseKey(data []byte) (Key, error) {
	if len(data) > maxKeySize {
		return Key{}, fmt.Errorf("reading the public key: %d bytes, at most %d are read", len(data), maxKeySize)
	}
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return Key{}, errors.New("reading the public key: no PEM block, expected -----BEGIN PUBLIC KEY-----")
	case block.Type != "PUBLIC KEY":
		return Key{}, fmt.Errorf("reading the public key: the PEM block is a %.40q, expected a PUBLIC KEY", block.Type)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return Key{}, errors.New("reading the public key: more than one PEM block, expected one key a file")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	if err := checkKeyKind(public); err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	// The fingerprint is of the canonical encoding, so that one key has one.
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	return Key{signer: identity.FromPublicKey(spki), public: public}, nil
}

func checkKeyKind(public crypto.PublicKey) error {
	const expected = "expected ECDSA (P-256, P-384, P-521), Ed25519 or RSA"
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
		return fmt.Errorf("ECDSA over %s, %s", key.Curve.Params().Name, expected)
	case ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return fmt.Errorf("RSA of %d bits, expected %d to %d", bits, minRSA, maxRSA)
		}
		return nil
	}
	return fmt.Errorf("%T, %s", public, expected)
}

// verifier gives the key's signature verifier: ECDSA with the curve's own hash
// or with SHA-256, RSA PKCS #1 v1.5 with SHA-256, Ed25519 over a statement and
// Ed25519ph over an artifact's SHA-512.
//
// SHA-256 with P-384 and P-521 is what cosign does with a caller's key, and the
// only hash with which Rekor v1 takes an envelope. sigstore-go tries both for
// certificates, see entity.Version.
func (k Key) verifier(message bool) (signature.Verifier, error) {
	switch key := k.public.(type) {
	case nil:
		return nil, errors.New("no public key")
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P384():
			return newEitherVerifier(key, crypto.SHA384)
		case elliptic.P521():
			return newEitherVerifier(key, crypto.SHA512)
		}
		return signature.LoadVerifier(key, crypto.SHA256)
	case ed25519.PublicKey:
		if message {
			return signature.LoadVerifierWithOpts(key, options.WithED25519ph())
		}
		return signature.LoadVerifier(key, crypto.SHA512)
	default:
		return signature.LoadVerifier(key, crypto.SHA256)
	}
}

// eitherVerifier accepts an ECDSA signature over the curve's own hash, or over
// SHA-256.
type eitherVerifier struct {
	signature.Verifier // with the curve's own hash
	sha256             signature.Verifier
}

func newEitherVerifier(key *ecdsa.PublicKey, own crypto.Hash) (signature.Verifier, error) {
	first, err := signature.LoadVerifier(key, own)
	if err != nil {
		return nil, err
	}
	second, err := signature.LoadVerifier(key, crypto.SHA256)
	return &eitherVerifier{first, second}, err
}

func (v *eitherVerifier) VerifySignature(sig, message io.Reader, opts ...signature.VerifyOption) error {
	signed, err := io.ReadAll(sig)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(message)
	if err != nil {
		return err
	}
	err = v.Verifier.VerifySignature(bytes.NewReader(signed), bytes.NewReader(text), opts...)
	if err != nil && v.sha256.VerifySignature(bytes.NewReader(signed), bytes.NewReader(text), opts...) == nil {
		return nil
	}
	return err
}

// keyMaterial is a root's logs and timestamp authorities with the one key that
// the caller named. The hint in a bundle chooses nothing: "the hint is …
// untrusted" and a caller who names a key has chosen.
type keyMaterial struct {
	root.TrustedMaterial
	verifier signature.Verifier
}

func (m *keyMaterial) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	return root.NewExpiringKey(m.verifier, time.Time{}, time.Time{}), nil
}
