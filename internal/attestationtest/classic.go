package attestationtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// The key types of classic in-toto, as securesystemslib names them.
const (
	ClassicEd25519 = "ed25519"
	ClassicECDSA   = "ecdsa" // P-256, with SHA-256
	ClassicRSA     = "rsa"   // 2048 bits, PSS with SHA-256
)

// ClassicKey signs classic in-toto layouts and links. Its fields are what the
// key says of itself; a test may change any of them in a copy, and the copy
// signs with the same private key.
type ClassicKey struct {
	ID      string
	KeyType string
	Scheme  string
	// Public is the public half as "keyval" has it: hexadecimal digits for
	// Ed25519, else a PEM block without a line break at its end.
	Public string
	// HashAlgorithms is "keyid_hash_algorithms"; nil leaves the field out.
	HashAlgorithms []string
	// Certificate is the certificate over the key in PEM (ITE-7); empty for a
	// bare key.
	Certificate string

	signer crypto.Signer
}

// NewClassicKey returns a key of one of the key types. The same seed and name
// always give the same key, but for RSA: crypto/rsa draws its own.
//
// Its id is the one that in-toto-golang and securesystemslib before 1.0 compute,
// see [ClassicKey.Python] for the later one.
func NewClassicKey(seed, name, keyType string) (*ClassicKey, error) {
	signer, err := classicSigner(secret(seed), "classic key "+name, keyType)
	if err != nil {
		return nil, err
	}
	return newClassicKey(signer)
}

func classicSigner(seed secret, label, keyType string) (crypto.Signer, error) {
	switch keyType {
	case ClassicEd25519:
		return seed.ed25519Key(label)
	case ClassicECDSA:
		return seed.ecdsaKey(elliptic.P256(), label)
	case ClassicRSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("making %s: key type %q is unknown", label, keyType)
}

func newClassicKey(signer crypto.Signer) (*ClassicKey, error) {
	key := &ClassicKey{HashAlgorithms: []string{"sha256", "sha512"}, signer: signer}
	encoded, err := key.PEM()
	if err != nil {
		return nil, err
	}
	key.Public = strings.TrimSpace(string(encoded))
	switch public := signer.Public().(type) {
	case ed25519.PublicKey:
		key.KeyType, key.Scheme, key.Public = ClassicEd25519, "ed25519", hex.EncodeToString(public)
	case *ecdsa.PublicKey:
		key.KeyType, key.Scheme = ClassicECDSA, fmt.Sprintf("ecdsa-sha2-nistp%d", public.Params().BitSize)
	case *rsa.PublicKey:
		key.KeyType, key.Scheme = ClassicRSA, "rsassa-pss-sha256"
	}
	if err := key.computeID(); err != nil {
		return nil, err
	}
	return key, nil
}

// computeID sets the id that follows from the other fields.
//
// "The KEYID of a key is the hexadecimal encoding of the SHA-256 hash of the
// canonical JSON form of the public key" (in-toto 1.0, 4.2.1), of which
// securesystemslib takes the fields below (TestClassicKeyIDs).
func (k *ClassicKey) computeID() error {
	public := k.JSON()
	delete(public, "keyid")
	public["keyval"] = map[string]any{"public": k.Public}
	canonical, err := CanonicalJSON(EncodeClassic(public))
	if err != nil {
		return fmt.Errorf("computing key id: %w", err)
	}
	digest := sha256.Sum256(canonical)
	k.ID = hex.EncodeToString(digest[:])
	return nil
}

// Python returns the same key as securesystemslib 1.0 and later write it: PEM
// ends in a line break, hash algorithms are not named, and so the id differs.
func (k *ClassicKey) Python() (*ClassicKey, error) {
	other := *k
	other.HashAlgorithms = nil
	if k.KeyType != ClassicEd25519 {
		other.Public += "\n"
	}
	if err := other.computeID(); err != nil {
		return nil, err
	}
	return &other, nil
}

// WithID returns the same key under another id.
func (k *ClassicKey) WithID(id string) *ClassicKey {
	other := *k
	other.ID = id
	return &other
}

// JSON returns the key as "keys" of a layout has it.
func (k *ClassicKey) JSON() map[string]any {
	value := map[string]any{"public": k.Public}
	if k.Certificate != "" {
		value["certificate"] = k.Certificate
	}
	key := map[string]any{"keyid": k.ID, "keytype": k.KeyType, "scheme": k.Scheme, "keyval": value}
	if k.HashAlgorithms != nil {
		key["keyid_hash_algorithms"] = k.HashAlgorithms
	}
	return key
}

// PEM returns the public half as a PEM file.
func (k *ClassicKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.signer.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// PrivateKeyPEM returns the private half in PKCS #8, for a signer of another
// process.
func (k *ClassicKey) PrivateKeyPEM() ([]byte, error) { return privateKeyPEM(k.signer) }

// sign signs as the key's scheme says.
func (k *ClassicKey) sign(message []byte) ([]byte, error) {
	if k == nil || k.signer == nil {
		return nil, errors.New("signing: the key has no private half")
	}
	digest := sha256.Sum256(message)
	signed, options := digest[:], crypto.SignerOpts(crypto.SHA256)
	switch k.signer.Public().(type) {
	case *rsa.PublicKey:
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	case ed25519.PublicKey:
		signed, options = message, crypto.Hash(0)
	}
	signature, err := k.signer.Sign(rand.Reader, signed, options)
	if err != nil {
		return nil, fmt.Errorf("signing with key %s: %w", k.ID, err)
	}
	return signature, nil
}

// EncodeClassic writes a value as JSON with sorted keys. It panics on a value
// that JSON cannot express, which only a mistake in a test can bring.
func EncodeClassic(value any) []byte {
	encoded, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		panic(fmt.Sprintf("attestationtest: encoding: %v", err))
	}
	return encoded
}
