package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
)

// maxKeySize bounds a key file, in bytes.
const maxKeySize = 64 << 10

// PrivateKey is a signer's long-lived key. No way of printing it shows it. The
// zero value signs nothing.
type PrivateKey struct {
	public crypto.PublicKey
	// A function, so that fmt cannot look into the key through any other type.
	sign func(digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// ParsePrivateKey reads one private key in PEM, not encrypted: "PRIVATE KEY"
// (PKCS #8) or "EC PRIVATE KEY" (SEC 1) with ECDSA over P-256, P-384 or P-521,
// or Ed25519. The error never quotes it.
func ParsePrivateKey(data []byte) (PrivateKey, error) {
	key, err := readPrivateKey(data)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("reading the private key: %w", err)
	}
	const expected = "expected ECDSA (P-256, P-384, P-521) or Ed25519"
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if !nistCurve(key.Curve) {
			return PrivateKey{}, fmt.Errorf("reading the private key: ECDSA over %s, %s", key.Curve.Params().Name, expected)
		}
		return newPrivateKey(key), nil
	case ed25519.PrivateKey:
		return newPrivateKey(key), nil
	}
	return PrivateKey{}, fmt.Errorf("reading the private key: %s, %s", keyKind(key), expected)
}

func nistCurve(curve elliptic.Curve) bool {
	return curve == elliptic.P256() || curve == elliptic.P384() || curve == elliptic.P521()
}

// keyKind names the kind of a key that is not taken.
func keyKind(key any) string {
	return strings.TrimPrefix(strings.TrimSuffix(fmt.Sprintf("%T", key), ".PrivateKey"), "*") + " key"
}

// readPrivateKey reads the one key of a PEM file, of whatever kind.
func readPrivateKey(data []byte) (any, error) {
	refuse := func(format string, args ...any) (any, error) { return nil, fmt.Errorf(format, args...) }
	if len(data) > maxKeySize {
		return refuse("%d bytes, at most %d are read", len(data), maxKeySize)
	}
	block, rest := pem.Decode(data)
	if block == nil {
		return refuse("no PEM block, expected -----BEGIN PRIVATE KEY-----")
	}
	// "EC PARAMETERS" is what openssl ecparam writes before the key.
	if block.Type == "EC PARAMETERS" {
		if block, rest = pem.Decode(rest); block == nil {
			return refuse("the parameters of a curve without a key")
		}
	}
	if next, _ := pem.Decode(rest); next != nil {
		return refuse("more than one PEM block, expected one key a file")
	}
	if strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["Proc-Type"] != "" {
		return refuse("it is encrypted%sdecrypt it first, for example with openssl pkcs8 -in FILE -out NEW", answer.NextMarker)
	}
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	return refuse("the PEM block is a %.40q, expected a PRIVATE KEY or an EC PRIVATE KEY", block.Type)
}

// newEphemeral makes the key of one bundle.
func newEphemeral() (PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("making a key: %w", err)
	}
	return newPrivateKey(key), nil
}

func newPrivateKey(key crypto.Signer) PrivateKey {
	return PrivateKey{public: key.Public(), sign: func(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		return key.Sign(rand.Reader, digest, opts)
	}}
}

// String is "[private key]".
func (PrivateKey) String() string { return "[private key]" }

// GoString is "[private key]".
func (PrivateKey) GoString() string { return "[private key]" }

// Digest is the algorithm in which the key signs a message, for artifact.Hash.
func (k PrivateKey) Digest() artifact.Algorithm {
	switch k.hash() {
	case crypto.SHA384:
		return artifact.SHA384
	case crypto.SHA512:
		return artifact.SHA512
	default:
		return artifact.SHA256
	}
}

// Signer is the key's identity: the fingerprint of its public half.
func (k PrivateKey) Signer() (identity.Signer, error) {
	spki, err := k.spki()
	if err != nil {
		return identity.Signer{}, err
	}
	return identity.FromPublicKey(spki), nil
}

// PublicKey is the key's public half in PEM, as attestation.ParseKey reads it.
func (k PrivateKey) PublicKey() ([]byte, error) {
	der, err := k.spki()
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// hash is the curve's own hash, as sigstore's algorithm registry pairs them, and
// Ed25519ph's.
func (k PrivateKey) hash() crypto.Hash {
	if key, ok := k.public.(*ecdsa.PublicKey); ok {
		switch key.Curve {
		case elliptic.P384():
			return crypto.SHA384
		case elliptic.P521():
			return crypto.SHA512
		}
		return crypto.SHA256
	}
	return crypto.SHA512
}

func (k PrivateKey) ed25519() bool {
	_, ok := k.public.(ed25519.PublicKey)
	return ok
}

// signStatement signs the pre-authentication encoding. Rekor v1 takes an
// envelope with SHA-256 whatever the curve; Rekor v2 with the curve's own hash.
func (k PrivateKey) signStatement(pae []byte, rekorVersion int) ([]byte, error) {
	if k.ed25519() {
		return k.sign(pae, crypto.Hash(0))
	}
	hash := k.hash()
	if rekorVersion == RekorV1 {
		hash = crypto.SHA256
	}
	h := hash.New()
	_, _ = h.Write(pae) // a hash never errs
	return k.sign(h.Sum(nil), hash)
}

// spki is the public half, in DER.
func (k PrivateKey) spki() ([]byte, error) {
	if k.public == nil {
		return nil, errors.New("there is no private key")
	}
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	return der, nil
}

// hint names the key in a bundle as cosign does: SHA-256 over the public half in
// DER, in base64.
func hint(spki []byte) string {
	digest := sha256.Sum256(spki)
	return base64.StdEncoding.EncodeToString(digest[:])
}

// ephemeral is an ephemeral P-256 key as sigstore-go's Fulcio client takes it.
type ephemeral struct{ key PrivateKey }

var _ sign.Keypair = ephemeral{}

func (ephemeral) GetHashAlgorithm() protocommon.HashAlgorithm {
	return protocommon.HashAlgorithm_SHA2_256
}

func (ephemeral) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
}
func (ephemeral) GetHint() []byte                  { return nil }
func (ephemeral) GetKeyAlgorithm() string          { return "ECDSA" }
func (e ephemeral) GetPublicKey() crypto.PublicKey { return e.key.public }

func (e ephemeral) GetPublicKeyPem() (string, error) {
	encoded, err := cryptoutils.MarshalPublicKeyToPEM(e.key.public)
	return string(encoded), err
}

func (e ephemeral) SignData(_ context.Context, data []byte) (signature, digest []byte, err error) {
	sum := sha256.Sum256(data)
	signature, err = e.key.sign(sum[:], crypto.SHA256)
	return signature, sum[:], err
}
