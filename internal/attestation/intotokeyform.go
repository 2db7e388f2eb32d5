package attestation

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

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
