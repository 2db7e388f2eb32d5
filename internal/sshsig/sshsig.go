// Package sshsig reads and verifies SSH signatures over messages, as ssh-keygen -Y
// makes them and git stores them, and reads the files that say whose keys they
// are. It knows no time, keeps no list of who may sign, and believes a signature
// only against a key or an authority that its caller names.
//
// Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
package sshsig

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/ssh"
)

// GitNamespace is the namespace in which git signs.
const GitNamespace = "git"

// MaxBytes bounds an armoured signature. One with an RSA key of 16384 bits under a
// certificate has some 10 KiB.
const MaxBytes = 64 << 10

const (
	magic  = "SSHSIG"
	begin  = "-----BEGIN SSH SIGNATURE-----"
	end    = "-----END SSH SIGNATURE-----"
	minRSA = 2048
	maxRSA = 16384
)

// Signature is an SSH signature as it was read: nothing is verified, and whoever
// sent it chose the key that it names.
type Signature struct {
	key       ssh.PublicKey // a *ssh.Certificate where the key is certified
	namespace string
	hash      string
	signature *ssh.Signature
}

// blob is the form behind the magic.
//
// "byte[6] MAGIC_PREAMBLE, uint32 SIG_VERSION, string publickey, string namespace,
// string reserved, string hash_algorithm, string signature" (PROTOCOL.sshsig, 1)
type blob struct {
	Version   uint32
	PublicKey []byte
	Namespace string
	Reserved  []byte
	Hash      string
	Signature []byte
}

// Parse reads one armoured signature, and nothing around it.
func Parse(data []byte) (*Signature, error) {
	raw, err := dearmour(data)
	if err != nil {
		return nil, fmt.Errorf("reading SSH signature: %w", err)
	}
	rest, ok := bytes.CutPrefix(raw, []byte(magic))
	if !ok {
		return nil, errors.New("reading SSH signature: it does not begin with SSHSIG")
	}
	var b blob
	if err := ssh.Unmarshal(rest, &b); err != nil {
		return nil, fmt.Errorf("reading SSH signature: %w", err)
	}
	switch {
	case b.Version != 1: // "Verifiers MUST reject signatures with versions greater than those they support."
		return nil, fmt.Errorf("reading SSH signature: version %d, expected 1", b.Version)
	case len(b.Reserved) > 0: // ssh-keygen verifies with none
		return nil, errors.New("reading SSH signature: its reserved field is not empty")
	case !slices.Contains([]string{"sha256", "sha512"}, b.Hash): // "Supported hash algorithms are "sha256" and "sha512""
		return nil, fmt.Errorf("reading SSH signature: the message is hashed with %.40q, expected sha256 or sha512", b.Hash)
	}
	s := &Signature{namespace: b.Namespace, hash: b.Hash, signature: new(ssh.Signature)}
	if s.key, err = ssh.ParsePublicKey(b.PublicKey); err != nil {
		return nil, fmt.Errorf("reading SSH signature: reading its key: %w", err)
	}
	if err := ssh.Unmarshal(b.Signature, s.signature); err != nil {
		return nil, fmt.Errorf("reading SSH signature: reading what was signed: %w", err)
	}
	return s, nil
}

// dearmour takes the lines between the two markers as base64. Lines end as
// ssh-keygen writes and reads them, without a carriage return.
func dearmour(data []byte) ([]byte, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%d bytes, at most %d are read", len(data), MaxBytes)
	}
	if bytes.Contains(data, []byte("\r")) { // which base64 would pass over
		return nil, errors.New("its lines end with a carriage return, as ssh-keygen refuses")
	}
	text := bytes.TrimRight(data, "\n")
	inner, ok := bytes.CutPrefix(text, []byte(begin+"\n"))
	inner, closed := bytes.CutSuffix(inner, []byte("\n"+end))
	if !ok || !closed {
		return nil, errors.New("it is not one block between " + begin + " and " + end)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(string(bytes.ReplaceAll(inner, []byte("\n"), nil)))
	if err != nil {
		return nil, errors.New("it is not base64 between its markers")
	}
	return raw, nil
}

// Key is the key that the signature says made it. It is a hint.
func (s *Signature) Key() PublicKey {
	if certificate, ok := s.key.(*ssh.Certificate); ok {
		return PublicKey{certificate.Key}
	}
	return PublicKey{s.key}
}

// Certified reports whether the key comes with a certificate.
func (s *Signature) Certified() bool {
	_, ok := s.key.(*ssh.Certificate)
	return ok
}

// Verify holds the signature against one key that the caller names. A certificate
// in it is refused: who trusts the key alone knows nothing of what its authority
// said, and whether that has ended.
func (s *Signature) Verify(message []byte, namespace string, key PublicKey) error {
	switch {
	case key.key == nil:
		return errors.New("verifying SSH signature: no key is named")
	case s.Certified():
		return errors.New("verifying SSH signature: its key comes with a certificate")
	case s.Key().check() != nil: // whoever is named: with such a key, anybody could have signed
		return fmt.Errorf("verifying SSH signature: it was made with the key %s: %w", s.Key(), s.Key().check())
	case !s.Key().Equal(key):
		return fmt.Errorf("verifying SSH signature: it was made with %w: %s, expected %s", ErrOtherKey, s.Key(), key)
	}
	return s.verify(message, namespace)
}

// verify checks the signature with the key that it carries.
//
// "byte[6] MAGIC_PREAMBLE, string namespace, string reserved, string
// hash_algorithm, string H(message)" is what is signed; "the signature namespace …
// MUST be checked by the verifier" (PROTOCOL.sshsig, 2 and 3). TestMutations
func (s *Signature) verify(message []byte, namespace string) error {
	if s.namespace != namespace {
		return fmt.Errorf("verifying SSH signature: it was made for the namespace %.40q, expected %q", s.namespace, namespace)
	}
	key := s.Key()
	if err := key.check(); err != nil {
		return fmt.Errorf("verifying SSH signature: %w", err)
	}
	if err := s.checkAlgorithm(); err != nil {
		return fmt.Errorf("verifying SSH signature: %w", err)
	}
	signed := append([]byte(magic), ssh.Marshal(struct {
		Namespace string
		Reserved  string
		Hash      string
		Sum       []byte
	}{namespace, "", s.hash, sum(s.hash, message)})...)
	if err := key.key.Verify(signed, s.signature); err != nil {
		return errors.New("verifying SSH signature: it does not verify over this message")
	}
	return nil
}

func sum(hash string, message []byte) []byte {
	if hash == "sha256" {
		sum := sha256.Sum256(message)
		return sum[:]
	}
	sum := sha512.Sum512(message)
	return sum[:]
}

// ErrOtherKey says that a signature was made with another key than the one named.
var ErrOtherKey = errors.New("another key")

// ErrWeak says that a signature or a key is of a kind that can be forged.
var ErrWeak = errors.New("it is too weak")

// checkAlgorithm refuses RSA with SHA-1, and a security key that nobody touched.
//
// "RSA signatures MUST use the rsa-sha2-256 or rsa-sha2-512 algorithms and not the
// legacy ssh-rsa (RSA-SHA1)" (PROTOCOL.sshsig, 2)
func (s *Signature) checkAlgorithm() error {
	format, kind := s.signature.Format, s.Key().key.Type()
	switch kind {
	case ssh.KeyAlgoRSA:
		if format != ssh.KeyAlgoRSASHA256 && format != ssh.KeyAlgoRSASHA512 {
			return fmt.Errorf("an RSA signature of the kind %.40q: %w, expected rsa-sha2-256 or rsa-sha2-512", format, ErrWeak)
		}
	case ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		// "byte flags, uint32 counter": bit 0 says that somebody was there. (PROTOCOL.u2f)
		if len(s.signature.Rest) != 5 || s.signature.Rest[0]&1 == 0 {
			return errors.New("a security key made it, and says that nobody touched it")
		}
		return nil // whose key compares the kinds
	default:
		if format != kind {
			return fmt.Errorf("a signature of the kind %.40q with a key of the kind %s", format, kind)
		}
	}
	if len(s.signature.Rest) > 0 {
		return errors.New("bytes follow the signature")
	}
	return nil
}
