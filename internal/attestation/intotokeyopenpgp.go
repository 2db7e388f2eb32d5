package attestation

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// maxSubkeys bounds the subkeys of one OpenPGP key.
const maxSubkeys = 32

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
	case kind == "ecdsa":
		err = errOpenPGPECDSA()
	case kind == "dsa":
		// FIPS 186-5 no longer approves it for making signatures, GnuPG's keys of it are
		// mostly of 1024 bits, and one nonce that was used twice gives a key away.
		err = errors.New("the OpenPGP key is one of DSA, which is not taken; expected RSA or Ed25519")
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
