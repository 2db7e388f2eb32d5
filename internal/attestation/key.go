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
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/openpgp"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

// maxKeySize bounds a key file; minRSA is the smallest modulus, in bits.
const (
	maxKeySize = openpgp.MaxKeyBytes
	minRSA     = 2048
	maxRSA     = 16384
)

// Key is a long-lived public key, in whatever form it was given: one key in PEM and
// in SSH's form is one signer. The zero value verifies nothing.
type Key struct {
	form      keyForm
	signer    identity.Signer
	public    crypto.PublicKey // nil for an OpenPGP key
	ssh       sshsig.PublicKey // the zero value for an OpenPGP key
	pgp       *openpgp.Key     // nil for all others
	authority bool             // of SSH certificates: it signs no message itself
	material  []string         // fingerprints of every key that signs as this one
}

// keyForm is the form that a key was given in.
type keyForm string

const (
	pemForm keyForm = "PEM"
	sshForm keyForm = "ssh"
	pgpForm keyForm = "gpg"
)

// Signer is the key's identity: the fingerprint of its SubjectPublicKeyInfo, and for
// an OpenPGP key that of the primary key.
func (k Key) Signer() identity.Signer { return k.signer }

// Authority reports whether the key certifies others.
func (k Key) Authority() bool { return k.authority }

// Material gives the fingerprints of every key that signs as this one: an OpenPGP
// key's subkeys too.
func (k Key) Material() []string { return slices.Clone(k.material) }

// Shares reports whether two keys have a key in common: the key itself, the primary
// key or a subkey.
func (k Key) Shares(o Key) bool {
	return slices.ContainsFunc(k.material, func(f string) bool { return slices.Contains(o.material, f) })
}

// Type is the key's kind as a layout's keyType spells it: "ecdsa", "ed25519" or
// "rsa", "ssh" or "gpg"; empty for the zero value.
func (k Key) Type() string {
	if k.form == sshForm || k.form == pgpForm {
		return string(k.form)
	}
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

// ParseKey reads one public key: PEM ("PUBLIC KEY", PKIX) of ECDSA P-256, P-384 or
// P-521, Ed25519, or RSA of at least 2048 bits; a line as a .pub file of SSH has it;
// or an armoured OpenPGP key.
func ParseKey(data []byte) (Key, error) {
	switch {
	case len(data) > maxKeySize:
		return Key{}, fmt.Errorf("reading the public key: %d bytes, at most %d are read", len(data), maxKeySize)
	case sshsig.LooksLikeKey(string(data)):
		return parseSSHKey(data)
	case bytes.Contains(data, []byte(openpgp.KeyMarker)):
		return parseOpenPGPKey(data)
	}
	return parsePEMKey(data)
}

func parsePEMKey(data []byte) (Key, error) {
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return Key{}, errors.New("reading the public key: no PEM block, expected -----BEGIN PUBLIC KEY-----, an SSH public key or an OpenPGP one")
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
	return newKey(public)
}

// newKey makes the key of public material of the kinds that sign bundles.
func newKey(public crypto.PublicKey) (Key, error) {
	if err := checkKeyKind(public); err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	// The fingerprint is of the canonical encoding, so that one key has one.
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	asSSH, err := sshsig.FromCrypto(public)
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	k := Key{form: pemForm, public: public, ssh: asSSH}
	return k.named(spki), nil
}

// named gives the key its fingerprint.
func (k Key) named(spki ...[]byte) Key {
	k.signer = identity.FromPublicKey(spki[0])
	for _, raw := range spki {
		k.material = append(k.material, identity.FromPublicKey(raw).Key)
	}
	return k
}

// parseSSHKey reads an SSH key. A security key signs in its own way and no bundles.
func parseSSHKey(data []byte) (Key, error) {
	key, err := sshsig.ParseKey(data)
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	spki, err := key.SPKI()
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	k := Key{form: sshForm, ssh: key}
	if !key.Security() {
		k.public = key.Crypto()
	}
	return k.named(spki), nil
}

// ParseAuthority reads an SSH key that certifies those of others.
func ParseAuthority(data []byte) (Key, error) {
	k, err := parseSSHKey(data)
	k.authority = err == nil
	return k, err
}

func parseOpenPGPKey(data []byte) (Key, error) {
	key, err := openpgp.ParseKey(data)
	if err != nil {
		return Key{}, fmt.Errorf("reading the public key: %w", err)
	}
	k := Key{form: pgpForm, pgp: key}
	return k.named(key.SPKI()...), nil
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
	if k.authority {
		return nil, errors.New("an SSH authority certifies keys and signs no bundle")
	}
	switch key := k.public.(type) {
	case nil:
		return nil, errors.New("no public key that signs bundles")
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
