package attestation

import (
	"bytes"
	"crypto"
	stded25519 "crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/ed25519"
	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// readOpenPGP reads one armoured OpenPGP public key. Subkeys count only with a
// binding that the primary key signed, and only where they may sign; a revoked
// key or subkey verifies nothing.
func readOpenPGP(text []byte) (InTotoKey, error) {
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil {
		return InTotoKey{}, fmt.Errorf("reading OpenPGP: %w", err)
	}
	if len(ring) != 1 {
		return InTotoKey{}, fmt.Errorf("%d OpenPGP keys, expected one key a file", len(ring))
	}
	entity := ring[0]
	switch {
	case len(entity.Revocations) > 0:
		return InTotoKey{}, errors.New("the OpenPGP key is revoked")
	case len(entity.Subkeys) > maxSubkeys:
		return InTotoKey{}, fmt.Errorf("%d subkeys, at most %d are read", len(entity.Subkeys), maxSubkeys)
	}
	var lifetime *uint32
	if signature, err := entity.PrimarySelfSignature(); err == nil {
		lifetime = signature.KeyLifetimeSecs
	}
	primary, err := openPGPPart(entity.PrimaryKey, lifetime)
	if err != nil {
		return InTotoKey{}, err
	}
	key := InTotoKey{id: primary.id, parts: []keyPart{primary}}
	for _, sub := range entity.Subkeys {
		if sub.Sig == nil || !sub.Sig.FlagSign || len(sub.Revocations) > 0 {
			continue
		}
		part, err := openPGPPart(sub.PublicKey, sub.Sig.KeyLifetimeSecs)
		if err != nil {
			return InTotoKey{}, err
		}
		key.parts = append(key.parts, part)
	}
	return key, nil
}

func openPGPPart(k *packet.PublicKey, lifetime *uint32) (keyPart, error) {
	var public crypto.PublicKey
	switch material := k.PublicKey.(type) {
	case *rsa.PublicKey:
		public = material
	case *eddsa.PublicKey:
		public = stded25519.PublicKey(bytes.TrimPrefix(material.MarshalPoint(), []byte{0x40}))
	case *ed25519.PublicKey:
		public = stded25519.PublicKey(material.Point)
	default:
		return keyPart{}, errors.New("the OpenPGP key is neither RSA nor Ed25519")
	}
	if point, ok := public.(stded25519.PublicKey); ok && len(point) != stded25519.PublicKeySize {
		return keyPart{}, errors.New("the OpenPGP key is EdDSA over another curve than Ed25519")
	}
	part, err := newKeyPart(public)
	if err != nil {
		return keyPart{}, err
	}
	part.id, part.scheme = hex.EncodeToString(k.Fingerprint), signingScheme{openPGP: true}
	if lifetime != nil && *lifetime > 0 {
		part.expires = k.CreationTime.Add(time.Duration(*lifetime) * time.Second).UTC()
	}
	return part, nil
}
