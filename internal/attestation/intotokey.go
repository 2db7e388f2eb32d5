package attestation

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/identity"
)

// maxSubkeys bounds the subkeys of one OpenPGP key.
const maxSubkeys = 32

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

// ParseInTotoKey reads one public key from a file: PEM ("PUBLIC KEY" or "RSA
// PUBLIC KEY"), in-toto's key JSON, or an armoured OpenPGP public key.
func ParseInTotoKey(data []byte) (InTotoKey, error) {
	if len(data) > maxKeySize {
		return InTotoKey{}, fmt.Errorf("reading the public key: %d bytes, at most %d are read", len(data), maxKeySize)
	}
	text := bytes.TrimSpace(data)
	var key InTotoKey
	var err error
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		key, err = readKeyFile(text)
	case bytes.Contains(text, []byte("-----BEGIN PGP")):
		key, err = readOpenPGP(text)
	default:
		key, err = readPEMKey(string(text), "")
	}
	if err != nil {
		return InTotoKey{}, fmt.Errorf("reading the public key: %w", err)
	}
	return key, nil
}

func readKeyFile(text []byte) (InTotoKey, error) {
	document, err := scanObject(text)
	if err != nil {
		return InTotoKey{}, err
	}
	if len(bytes.TrimSpace(document.rest)) > 0 {
		return InTotoKey{}, errors.New("more data after the key")
	}
	return readKeyObject("", document.raw)
}

// keyObject is a public key in in-toto's metadata. Older tools wrote type and
// method for keytype and scheme.
//
//	{ "keytype": "<KEYTYPE>", "scheme": "<SCHEME>", "keyval": "<KEYVAL>" }
//
// (in-toto 1.0, 4.2.1)
type keyObject struct {
	KeyID    string         `json:"keyid"`
	KeyType  string         `json:"keytype"`
	Type     string         `json:"type"`
	Scheme   string         `json:"scheme"`
	Method   string         `json:"method"`
	KeyVal   jsontext.Value `json:"keyval"`
	Created  int64          `json:"creation_time"`
	Validity int64          `json:"validity_period"`
	// Subkeys are those of an OpenPGP key, by their ids.
	Subkeys map[string]jsontext.Value `json:"subkeys"`
}

// ReadInTotoKey reads one entry of a layout's keys. The id is its key in that
// dictionary; claimed is the id inside the entry, empty for none.
func ReadInTotoKey(id string, object jsontext.Value) (key InTotoKey, claimed string, err error) {
	var o keyObject
	if err := json.Unmarshal(object, &o); err != nil {
		return InTotoKey{}, "", fmt.Errorf("reading key %.16s: %w", id, plain(err))
	}
	key, err = o.key(id)
	if err != nil {
		return InTotoKey{}, "", fmt.Errorf("reading key %.16s: %w", id, err)
	}
	return key, o.KeyID, nil
}

func readKeyObject(id string, object jsontext.Value) (InTotoKey, error) {
	var o keyObject
	if err := json.Unmarshal(object, &o); err != nil {
		return InTotoKey{}, plain(err)
	}
	if id == "" {
		id = o.KeyID
	}
	return o.key(id)
}

func (o keyObject) key(id string) (InTotoKey, error) {
	kind, scheme := o.KeyType, o.Scheme
	if kind == "" {
		kind = o.Type
	}
	if scheme == "" {
		scheme = o.Method
	}
	if strings.HasPrefix(scheme, "pgp+") {
		return o.openPGP(id, kind, scheme)
	}
	var value struct {
		Public string `json:"public"`
	}
	if err := json.Unmarshal(o.KeyVal, &value); err != nil {
		return InTotoKey{}, fmt.Errorf("reading keyval: %w", plain(err))
	}
	var key InTotoKey
	var err error
	if kind == "ed25519" && !strings.Contains(value.Public, "-----BEGIN") {
		key, err = readHexKey(value.Public, scheme)
	} else {
		key, err = readPEMKey(value.Public, scheme)
	}
	if err != nil {
		return InTotoKey{}, err
	}
	// "ecdsa-sha2-nistp256" has been a key type too.
	if have := key.parts[0].kind(); kind != have && (have != "ecdsa" || !strings.HasPrefix(kind, "ecdsa-sha2-")) {
		return InTotoKey{}, fmt.Errorf("the keytype is %.40q and the key is %s", kind, have)
	}
	key.id, key.parts[0].id = id, id
	return key, nil
}

func readHexKey(text, scheme string) (InTotoKey, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return InTotoKey{}, fmt.Errorf("an Ed25519 key is %d hexadecimal digits, found %d characters", 2*ed25519.PublicKeySize, len(text))
	}
	return newInTotoKey(ed25519.PublicKey(raw), scheme)
}

func readPEMKey(text, scheme string) (InTotoKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return InTotoKey{}, errors.New("no PEM block, expected -----BEGIN PUBLIC KEY-----, in-toto's key JSON or an OpenPGP public key")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return InTotoKey{}, errors.New("more than one PEM block, expected one key")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	switch block.Type {
	case "PUBLIC KEY":
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return InTotoKey{}, fmt.Errorf("the PEM block is a %.40q, expected a PUBLIC KEY", block.Type)
	}
	if err != nil {
		return InTotoKey{}, err
	}
	return newInTotoKey(public, scheme)
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

// openPGP reads an OpenPGP key as securesystemslib exports it from GnuPG.
func (o keyObject) openPGP(id, kind, scheme string) (InTotoKey, error) {
	if len(o.Subkeys) > maxSubkeys {
		return InTotoKey{}, fmt.Errorf("%d subkeys, at most %d are read", len(o.Subkeys), maxSubkeys)
	}
	part, err := o.openPGPPart(id, kind, scheme)
	if err != nil {
		return InTotoKey{}, err
	}
	key := InTotoKey{id: id, parts: []keyPart{part}}
	for _, subID := range sortedIDs(o.Subkeys) {
		var sub keyObject
		if err := json.Unmarshal(o.Subkeys[subID], &sub); err != nil {
			return InTotoKey{}, fmt.Errorf("reading subkey %.16s: %w", subID, plain(err))
		}
		if sub.Type == "" {
			sub.Type = sub.KeyType
		}
		if sub.Method == "" {
			sub.Method = sub.Scheme
		}
		part, err := sub.openPGPPart(subID, sub.Type, sub.Method)
		if err != nil {
			return InTotoKey{}, fmt.Errorf("reading subkey %.16s: %w", subID, err)
		}
		key.parts = append(key.parts, part)
	}
	return key, nil
}

func (o keyObject) openPGPPart(id, kind, scheme string) (keyPart, error) {
	var value struct {
		Public struct {
			N string `json:"n"`
			E string `json:"e"`
			Q string `json:"q"`
		} `json:"public"`
	}
	if err := json.Unmarshal(o.KeyVal, &value); err != nil {
		return keyPart{}, fmt.Errorf("reading keyval: %w", plain(err))
	}
	var public crypto.PublicKey
	var err error
	switch {
	case kind == "rsa" && scheme == "pgp+rsa-pkcsv1.5":
		public, err = rsaOf(value.Public.N, value.Public.E)
	case kind == "eddsa" && scheme == "pgp+eddsa-ed25519":
		public, err = ed25519Of(value.Public.Q)
	default:
		return keyPart{}, fmt.Errorf("an OpenPGP key of type %.40q and method %.40q, expected RSA or Ed25519", kind, scheme)
	}
	if err != nil {
		return keyPart{}, err
	}
	part, err := newKeyPart(public)
	if err != nil {
		return keyPart{}, err
	}
	part.id, part.scheme = id, signingScheme{openPGP: true}
	if o.Validity > 0 {
		part.expires = time.Unix(o.Created+o.Validity, 0).UTC()
	}
	return part, nil
}

func rsaOf(n, e string) (crypto.PublicKey, error) {
	modulus, ok := new(big.Int).SetString(n, 16)
	exponent, err := strconv.ParseInt(e, 16, 32)
	if !ok || err != nil || len(n) > maxRSA/4+2 || modulus.Sign() <= 0 || exponent < 3 || exponent%2 == 0 {
		return nil, errors.New("the RSA modulus and exponent are not hexadecimal numbers of a sensible size")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}, nil
}

func ed25519Of(q string) (crypto.PublicKey, error) {
	raw, err := hex.DecodeString(q)
	// OpenPGP writes 0x40 in front of a native point.
	if err == nil && len(raw) == ed25519.PublicKeySize+1 && raw[0] == 0x40 {
		raw = raw[1:]
	}
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("an Ed25519 key is %d hexadecimal digits", 2*ed25519.PublicKeySize)
	}
	return ed25519.PublicKey(raw), nil
}

func sortedIDs[V any](m map[string]V) []string {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// plain takes the package's name off an error of the JSON reader.
func plain(err error) error {
	return errors.New(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "jsontext: "))
}
