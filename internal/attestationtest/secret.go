package attestationtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// secret is what every key and serial number of an instance follows from. The
// same secret and label always give the same value.
type secret string

// bytes returns n bytes, at most 8160, that only the label's owner knows
// (HKDF-SHA256, RFC 5869).
func (s secret) bytes(label string, n int) ([]byte, error) {
	b, err := hkdf.Key(sha256.New, []byte(s), nil, "signatus attestationtest: "+label, n)
	if err != nil {
		return nil, fmt.Errorf("deriving %s: %w", label, err)
	}
	return b, nil
}

// ecdsaKey returns the label's key on P-256, P-384 or P-521.
//
// ecdsa.GenerateKey may ignore its reader (Go 1.26), so the scalar is drawn
// here; one that is zero or not below the group's order is drawn again, as
// "rejection sampling" in FIPS 186-5, A.2.2.
func (s secret) ecdsaKey(curve elliptic.Curve, label string) (ecdsaSigner, error) {
	size := (curve.Params().BitSize + 7) / 8
	excess := 8*size - curve.Params().BitSize
	for draw := range 64 {
		scalar, err := s.bytes(fmt.Sprintf("%s, %s key, draw %d", label, curve.Params().Name, draw), size)
		if err != nil {
			return ecdsaSigner{}, err
		}
		scalar[0] >>= excess
		if key, err := ecdsa.ParseRawPrivateKey(curve, scalar); err == nil {
			return ecdsaSigner{key}, nil
		}
	}
	return ecdsaSigner{}, errors.New("deriving " + label + ": no valid scalar in 64 draws")
}

// ed25519Key returns the label's Ed25519 key.
func (s secret) ed25519Key(label string) (ed25519.PrivateKey, error) {
	seed, err := s.bytes(label+", Ed25519 key", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// serial returns the label's certificate serial number: positive, and at most
// 20 octets long (RFC 5280, 4.1.2.2).
func (s secret) serial(label string) (*big.Int, error) {
	b, err := s.bytes(label+", serial number", 19)
	if err != nil {
		return nil, err
	}
	b[0] |= 1 // never zero, and always 19 octets long
	return new(big.Int).SetBytes(b), nil
}

// ecdsaSigner signs as RFC 6979 says, whatever source of randomness the caller
// brings: "If random is nil, Sign will produce a deterministic signature"
// (crypto/ecdsa).
type ecdsaSigner struct{ *ecdsa.PrivateKey }

// Sign implements crypto.Signer. opts names the hash that made the digest.
func (s ecdsaSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.PrivateKey.Sign(nil, digest, opts)
}

// signSHA256 returns the ASN.1 signature over SHA-256(message).
func (s ecdsaSigner) signSHA256(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	return s.Sign(nil, digest[:], crypto.SHA256)
}
