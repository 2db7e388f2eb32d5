package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/identity"
)

// MetadataKey signs classic in-toto metadata, which names its keys and their schemes
// itself. No way of printing it shows it. The zero value signs nothing.
type MetadataKey struct{ key PrivateKey }

// The ways in which in-toto's implementations compute a key's id. One key has both.
const (
	// KeyIDGolang is that of in-toto-golang, and of securesystemslib before 1.0.
	KeyIDGolang = "golang"
	// KeyIDPython is that of securesystemslib since 1.0.
	KeyIDPython = "python"
)

// The sizes of RSA keys that are taken, in bits: what attestation.ParseInTotoKey reads.
const (
	minRSA = 2048
	maxRSA = 16384
)

// ParseMetadataKey reads one private key as ParsePrivateKey does, or an RSA key, as
// PKCS #8 or "RSA PRIVATE KEY" (PKCS #1).
func ParseMetadataKey(data []byte) (MetadataKey, error) {
	key, err := readPrivateKey(data)
	if err != nil {
		return MetadataKey{}, fmt.Errorf("reading the private key: %w", err)
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		other, err := ParsePrivateKey(data)
		return MetadataKey{other}, err
	}
	if bits := rsaKey.N.BitLen(); bits < minRSA || bits > maxRSA {
		return MetadataKey{}, fmt.Errorf("reading the private key: RSA of %d bits, expected %d to %d", bits, minRSA, maxRSA)
	}
	return MetadataKey{newPrivateKey(rsaKey)}, nil
}

// String is "[private key]".
func (k MetadataKey) String() string { return k.key.String() }

// GoString is "[private key]".
func (k MetadataKey) GoString() string { return k.key.GoString() }

// Signer is the key's identity: the fingerprint of its public half.
func (k MetadataKey) Signer() (identity.Signer, error) { return k.key.Signer() }

// PublicKey is the key's public half in PEM.
func (k MetadataKey) PublicKey() ([]byte, error) { return k.key.PublicKey() }

// Sign signs what classic metadata's signatures are over.
//
// "RSASSA-PSS … The underlying hash function is SHA256" (in-toto 1.0, 4.2.1), with a salt
// of the digest's length, which in-toto-golang demands; ECDSA with the curve's own hash.
// TestMetadataKeySigns, and TestPeerTakesOurSignatures in internal/intotopeer.
func (k MetadataKey) Sign(message []byte) ([]byte, error) {
	switch k.key.public.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256(message)
		return k.key.sign(sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case *ecdsa.PublicKey:
		h := k.key.hash().New()
		_, _ = h.Write(message) // a hash never errs
		return k.key.sign(h.Sum(nil), k.key.hash())
	case ed25519.PublicKey:
		return k.key.sign(message, crypto.Hash(0))
	}
	return nil, errors.New("there is no private key")
}

// ID is the key's id as in-toto's implementations compute it, KeyIDGolang or KeyIDPython.
//
// "The KEYID of a key is the hexadecimal encoding of the SHA-256 hash of the canonical
// JSON form of the public key" (in-toto 1.0, 4.2.1). in-toto-golang calls every curve by
// the name of the first. TestMetadataKeyIDs
func (k MetadataKey) ID(form string) (string, error) {
	encoded, err := k.PublicKey()
	if err != nil {
		return "", err
	}
	public, kind, scheme := string(encoded), "rsa", "rsassa-pss-sha256"
	switch key := k.key.public.(type) {
	case ed25519.PublicKey:
		public, kind, scheme = hex.EncodeToString(key), "ed25519", "ed25519"
	case *ecdsa.PublicKey:
		kind, scheme = "ecdsa", fmt.Sprintf("ecdsa-sha2-nistp%d", key.Params().BitSize)
	}
	algorithms := ""
	switch form {
	case KeyIDPython:
	case KeyIDGolang:
		public, algorithms = strings.TrimSpace(public), `"keyid_hash_algorithms":["sha256","sha512"],`
		if kind == "ecdsa" {
			scheme = "ecdsa-sha2-nistp256"
		}
	default:
		return "", fmt.Errorf("key ids of %q are not known", form)
	}
	// Canonical JSON escapes only the quote and the backslash, and there is none here.
	canonical := fmt.Sprintf(`{%s"keytype":"%s","keyval":{"public":"%s"},"scheme":"%s"}`, algorithms, kind, public, scheme) //nolint:gocritic // no quotes of Go's
	sum := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(sum[:]), nil
}
