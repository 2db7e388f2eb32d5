// Package openpgp reads OpenPGP public keys and verifies detached signatures with
// them. It fetches no key, asks no web of trust and no clock: which key counts is
// its caller's word, and at what time, too.
//
// Source: RFC 9580. The packets are read by ProtonMail's go-crypto; which of them
// count is decided here.
package openpgp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgpecdsa "github.com/ProtonMail/go-crypto/openpgp/ecdsa"
	pgped25519 "github.com/ProtonMail/go-crypto/openpgp/ed25519"
	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Bounds of what is read, and the sizes of RSA keys that are taken.
const (
	MaxKeyBytes       = 1 << 20
	MaxSignatureBytes = 64 << 10
	minRSA            = 2048
	maxRSA            = 16384
)

// KeyMarker opens an armoured public key.
const KeyMarker = "-----BEGIN PGP PUBLIC KEY BLOCK-----"

// Key is one OpenPGP public key: a primary key with its subkeys. The zero value
// verifies nothing. It is read-only, and serves many goroutines.
type Key struct {
	fingerprint string
	spki        [][]byte  // of the primary, then of every subkey that can sign
	signing     []signing // those that may sign messages
}

// signing is a key that may sign messages, and the time in which it may.
type signing struct {
	key *packet.PublicKey
	Window
}

// Window is a span of time; its end is zero where there is none.
type Window struct {
	Start, End time.Time
}

// Contains reports whether an instant lies in the window.
func (w Window) Contains(t time.Time) bool {
	return !t.Before(w.Start) && (w.End.IsZero() || t.Before(w.End))
}

// within is what both windows have.
func (w Window) within(o Window) Window {
	if o.Start.After(w.Start) {
		w.Start = o.Start
	}
	if w.End.IsZero() || !o.End.IsZero() && o.End.Before(w.End) {
		w.End = o.End
	}
	return w
}

// What a key or a signature can be refused for.
var (
	ErrOtherKey = errors.New("another key")
	ErrRevoked  = errors.New("it is revoked")
	ErrWeak     = errors.New("it is too weak")
	ErrForge    = errors.New("it is a forge's own key, with which it signs what anybody does on its web pages")
)

// forgeKeys are the keys with which GitHub signs commits made on its web pages,
// whoever made them. A signature by one says that GitHub made the commit; it never
// says that its author did. Source: https://github.com/web-flow.gpg
func forgeKeys() []uint64 { return []uint64{0xB5690EEEBB952194, 0x4AEE18F83AFDEB23} }

// ParseKey reads one armoured public key.
func ParseKey(data []byte) (*Key, error) {
	entity, err := readEntity(data)
	if err != nil {
		return nil, fmt.Errorf("reading OpenPGP key: %w", err)
	}
	k := &Key{fingerprint: strings.ToUpper(fmt.Sprintf("%x", entity.PrimaryKey.Fingerprint))}
	if err := k.read(entity); err != nil {
		return nil, fmt.Errorf("reading OpenPGP key %s: %w", k.fingerprint, err)
	}
	return k, nil
}

func readEntity(data []byte) (*pgp.Entity, error) {
	text := bytes.TrimSpace(data)
	switch {
	case len(data) > MaxKeyBytes:
		return nil, fmt.Errorf("%d bytes, at most %d are read", len(data), MaxKeyBytes)
	case !bytes.HasPrefix(text, []byte(KeyMarker)):
		return nil, errors.New("it does not begin with " + KeyMarker)
	case bytes.Count(text, []byte("-----BEGIN")) > 1:
		return nil, errors.New("more than one block, expected one key a file")
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	entities, err := pgp.ReadKeyRing(block.Body)
	switch {
	case err != nil:
		return nil, err
	case len(entities) != 1:
		return nil, fmt.Errorf("%d keys, expected one a file", len(entities))
	case entities[0].PrivateKey != nil:
		return nil, errors.New("it holds a private key, expected a public one")
	}
	return entities[0], nil
}

// read judges everything about the key that needs no time.
func (k *Key) read(entity *pgp.Entity) error {
	if slices.Contains(forgeKeys(), entity.PrimaryKey.KeyId) {
		return ErrForge
	}
	// Nothing proves when a signature was made, so that a key which was revoked
	// for whatever reason has been revoked all along. (TestRevoked)
	for _, revocation := range entity.Revocations {
		if entity.PrimaryKey.VerifyRevocationSignature(revocation.Packet) == nil {
			return ErrRevoked
		}
	}
	spki, err := spkiOf(entity.PrimaryKey)
	if err != nil {
		return err
	}
	k.spki = [][]byte{spki}
	self, err := entity.VerifyPrimaryKey(time.Time{}, config())
	if err != nil {
		return errors.New("nothing that is signed with it, by a hash that counts, says that it is a key in use")
	}
	primary := windowOf(entity.PrimaryKey, self)
	if direct, err := entity.LatestValidDirectSignature(time.Time{}, config()); err == nil {
		primary = primary.within(windowOf(entity.PrimaryKey, direct))
	}
	if self.FlagsValid && self.FlagSign {
		k.signing = append(k.signing, signing{entity.PrimaryKey, primary})
	}
	for i := range entity.Subkeys {
		k.readSubkey(&entity.Subkeys[i], primary)
	}
	if len(k.signing) == 0 {
		return errors.New("neither it nor a subkey that is not revoked may sign")
	}
	return nil
}

// readSubkey adds a subkey that may sign.
//
// "For subkeys that can issue signatures, the Subkey Binding signature MUST contain
// an Embedded Signature … with a Primary Key Binding signature … issued by the
// subkey on the top-level key" (RFC 9580, 5.2.1.8), or anybody could adopt another's
// subkey. TestSubkeys
func (k *Key) readSubkey(subkey *pgp.Subkey, primary Window) {
	binding, err := subkey.LatestValidBindingSignature(time.Time{}, config())
	if err != nil || !binding.FlagsValid || !binding.FlagSign {
		return
	}
	back := binding.EmbeddedSignature
	if back == nil || back.SigType != packet.SigTypePrimaryKeyBinding || !accepted(back.Hash) {
		return
	}
	for _, revocation := range subkey.Revocations {
		if subkey.Primary.PrimaryKey.VerifySubkeyRevocationSignature(revocation.Packet, subkey.PublicKey) == nil {
			return
		}
	}
	spki, err := spkiOf(subkey.PublicKey)
	if err != nil {
		return
	}
	k.spki = append(k.spki, spki)
	k.signing = append(k.signing, signing{subkey.PublicKey, windowOf(subkey.PublicKey, binding).within(primary)})
}

// windowOf reads how long a self-signature says that a key is valid: the key's own
// life, and until the self-signature ends. It begins with the key and not with the
// self-signature, which is made anew whenever somebody sets another expiry, and is
// often the only one that is exported. (TestRenewed)
func windowOf(key *packet.PublicKey, self *packet.Signature) Window {
	w := Window{Start: key.CreationTime}
	if seconds := self.KeyLifetimeSecs; seconds != nil && *seconds > 0 {
		w.End = key.CreationTime.Add(time.Duration(*seconds) * time.Second)
	}
	return w.within(Window{End: lifeOf(self).End})
}

// lifeOf is a signature's own life.
func lifeOf(signature *packet.Signature) Window {
	w := Window{Start: signature.CreationTime}
	if seconds := signature.SigLifetimeSecs; seconds != nil && *seconds > 0 {
		w.End = signature.CreationTime.Add(time.Duration(*seconds) * time.Second)
	}
	return w
}

// config refuses SHA-1 wherever a key vouches for itself, as messages do anyway.
func config() *packet.Config {
	return &packet.Config{
		MinRSABits: minRSA,
		RejectHashAlgorithms: map[crypto.Hash]bool{
			crypto.SHA1: true, crypto.MD5: true, crypto.RIPEMD160: true,
		},
	}
}

// accepted are the hashes that a signature may be over.
func accepted(hash crypto.Hash) bool {
	return slices.Contains([]crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}, hash)
}

// Fingerprint is the primary key's, in upper-case hex, as gpg prints it.
func (k *Key) Fingerprint() string { return k.fingerprint }

// SPKI are the SubjectPublicKeyInfos of the primary key, which comes first, and of
// the subkeys that can sign.
func (k *Key) SPKI() [][]byte { return k.spki }

// spkiOf brings a key of a kind that counts into the form in which other formats
// have it, so that one key is known as one.
func spkiOf(key *packet.PublicKey) ([]byte, error) {
	switch public := key.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil, fmt.Errorf("RSA of %d bits: %w, expected %d to %d", bits, ErrWeak, minRSA, maxRSA)
		}
		return x509.MarshalPKIXPublicKey(public)
	case *pgpecdsa.PublicKey:
		for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			if key, err := ecdsa.ParseUncompressedPublicKey(curve, public.MarshalPoint()); err == nil {
				return x509.MarshalPKIXPublicKey(key)
			}
		}
	case *eddsa.PublicKey:
		// "prefixed with the octet 0x40" (RFC 9580, 11.2)
		if point := public.MarshalPoint(); len(point) == 1+ed25519.PublicKeySize && point[0] == 0x40 {
			return x509.MarshalPKIXPublicKey(ed25519.PublicKey(point[1:]))
		}
	case *pgped25519.PublicKey:
		if len(public.Point) == ed25519.PublicKeySize {
			return x509.MarshalPKIXPublicKey(ed25519.PublicKey(public.Point))
		}
	}
	return nil, fmt.Errorf("its algorithm is %d, expected RSA, ECDSA over a NIST curve or Ed25519", key.PubKeyAlgo)
}
