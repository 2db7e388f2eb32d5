package sshsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// PublicKey is an SSH public key. The zero value verifies nothing.
type PublicKey struct {
	key ssh.PublicKey
}

// LooksLikeKey reports whether a line begins like a public key.
func LooksLikeKey(line string) bool {
	kind, _, ok := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), " ")
	return ok && (strings.HasPrefix(kind, "ssh-") || strings.HasPrefix(kind, "ecdsa-sha2-") || strings.HasPrefix(kind, "sk-"))
}

// ParseKey reads one line as a .pub file has it: a kind, base64 and a comment.
func ParseKey(data []byte) (PublicKey, error) {
	k, err := readKey(data)
	if err != nil {
		return PublicKey{}, err
	}
	if err := k.check(); err != nil {
		return PublicKey{}, fmt.Errorf("reading SSH key: %w", err)
	}
	return k, nil
}

// readKey reads a key of any kind and size.
func readKey(data []byte) (PublicKey, error) {
	line := bytes.TrimSpace(data)
	if bytes.ContainsAny(line, "\n\r") {
		return PublicKey{}, errors.New("reading SSH key: more than one line, expected one key")
	}
	key, _, options, rest, err := ssh.ParseAuthorizedKey(line)
	switch {
	case err != nil:
		return PublicKey{}, fmt.Errorf("reading SSH key: %w", err)
	case len(options) > 0 || len(bytes.TrimSpace(rest)) > 0:
		return PublicKey{}, errors.New("reading SSH key: expected a kind and base64, as in a .pub file")
	}
	if _, ok := key.(*ssh.Certificate); ok {
		return PublicKey{}, errors.New("reading SSH key: it is a certificate, expected a public key")
	}
	return PublicKey{key}, nil
}

// FromCrypto brings a key of another form into SSH's.
func FromCrypto(public crypto.PublicKey) (PublicKey, error) {
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return PublicKey{}, fmt.Errorf("writing SSH key: %w", err)
	}
	return PublicKey{key}, nil
}

// Security reports whether a security key (FIDO) holds it.
func (k PublicKey) Security() bool {
	return k.key != nil && strings.HasPrefix(k.key.Type(), "sk-")
}

// check refuses kinds and sizes that can be forged.
func (k PublicKey) check() error {
	switch k.key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return nil
	case ssh.KeyAlgoRSA:
		key, ok := k.Crypto().(*rsa.PublicKey)
		if !ok {
			return errors.New("the RSA key cannot be read")
		}
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return fmt.Errorf("RSA of %d bits: %w, expected %d to %d", bits, ErrWeak, minRSA, maxRSA)
		}
		return nil
	case "ssh-dss":
		return fmt.Errorf("DSA with SHA-1: %w, expected ed25519, ecdsa or rsa", ErrWeak)
	}
	return fmt.Errorf("a key of the kind %.60s: expected ed25519, ecdsa, rsa, or a security key of the first two", k.key.Type())
}

// Equal reports whether two keys are the same in every byte, a security key's
// application included.
func (k PublicKey) Equal(o PublicKey) bool {
	return k.key != nil && o.key != nil && bytes.Equal(k.key.Marshal(), o.key.Marshal())
}

// String is the fingerprint as ssh-keygen -l prints it.
func (k PublicKey) String() string {
	if k.key == nil {
		return "none"
	}
	return ssh.FingerprintSHA256(k.key)
}

// Line is the key as a .pub file has it, without a comment.
func (k PublicKey) Line() string {
	if k.key == nil {
		return ""
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.key)))
}

// Crypto is the key itself; for a security key, the one that it holds. It is nil
// for the zero value.
func (k PublicKey) Crypto() crypto.PublicKey {
	key, ok := k.key.(ssh.CryptoPublicKey)
	if !ok {
		return nil
	}
	return key.CryptoPublicKey()
}

// SPKI is the key's SubjectPublicKeyInfo: one for the same key in PEM and in SSH's
// own form.
func (k PublicKey) SPKI() ([]byte, error) {
	switch key := k.Crypto().(type) {
	case nil:
		return nil, errors.New("encoding SSH key: there is none")
	case *ecdsa.PublicKey:
		// A security key's curve is a value of its own, which x509 does not know.
		if key.Curve != elliptic.P256() && key.Curve.Params().Name == elliptic.P256().Params().Name {
			key = &ecdsa.PublicKey{Curve: elliptic.P256(), X: key.X, Y: key.Y} //nolint:staticcheck // the point was checked when it was read
		}
		return x509.MarshalPKIXPublicKey(key)
	default:
		return x509.MarshalPKIXPublicKey(key)
	}
}
