package attestation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// signingScheme is how a key of classic metadata signs.
type signingScheme struct {
	openPGP bool // the hash is named by the signature's own headers
	pkcs1   bool // RSA PKCS #1 v1.5 in place of PSS
	hash    crypto.Hash
}

// parseScheme reads securesystemslib's name of a signing scheme, and holds it to
// the key. An empty name is the scheme that in-toto's tools use for the kind.
//
// "RSASSA-PSS … The underlying hash function is SHA256", "ed25519", "ecdsa"
// (in-toto 1.0, 4.2.1). Schemes over MD5 and SHA-1 are not taken.
func parseScheme(name string, public crypto.PublicKey) (signingScheme, error) {
	unknown := fmt.Errorf("scheme %.60q does not go with a key of this kind, or is not taken", name)
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch name {
		case "", "rsassa-pss-sha256":
			return signingScheme{hash: crypto.SHA256}, nil
		case "rsassa-pss-sha384":
			return signingScheme{hash: crypto.SHA384}, nil
		case "rsassa-pss-sha512":
			return signingScheme{hash: crypto.SHA512}, nil
		case "rsa-pkcs1v15-sha256":
			return signingScheme{hash: crypto.SHA256, pkcs1: true}, nil
		case "rsa-pkcs1v15-sha384":
			return signingScheme{hash: crypto.SHA384, pkcs1: true}, nil
		case "rsa-pkcs1v15-sha512":
			return signingScheme{hash: crypto.SHA512, pkcs1: true}, nil
		}
	case *ecdsa.PublicKey:
		own := curveScheme(key)
		if name == "" || name == own.name {
			return signingScheme{hash: own.hash}, nil
		}
		// in-toto-golang calls every curve by the name of the first, and hashes
		// with the curve's own.
		if name == "ecdsa-sha2-nistp256" {
			return signingScheme{hash: own.hash}, nil
		}
	case ed25519.PublicKey:
		if name == "" || name == "ed25519" {
			return signingScheme{}, nil
		}
	}
	return signingScheme{}, unknown
}

type namedHash struct {
	name string
	hash crypto.Hash
}

func curveScheme(key *ecdsa.PublicKey) namedHash {
	switch key.Curve {
	case elliptic.P384():
		return namedHash{"ecdsa-sha2-nistp384", crypto.SHA384}
	case elliptic.P521():
		return namedHash{"ecdsa-sha2-nistp521", crypto.SHA512}
	default:
		return namedHash{"ecdsa-sha2-nistp256", crypto.SHA256}
	}
}

var errSignature = errors.New("the signature does not verify")

// verify checks one signature over what was signed.
func (p keyPart) verify(s envelopeSignature, signed []byte, now time.Time) error {
	switch {
	case p.scheme.openPGP != (s.headers != nil):
		return errors.New("an OpenPGP signature goes with an OpenPGP key, and no other does")
	case !p.expires.IsZero() && now.After(p.expires):
		return fmt.Errorf("the key expired at %s", p.expires.Format(time.RFC3339))
	case p.scheme.openPGP:
		return p.verifyOpenPGP(s, signed, now)
	}
	return verifyScheme(p.public, p.scheme, s.value, signed)
}

func verifyScheme(public crypto.PublicKey, scheme signingScheme, signature, signed []byte) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		digest := hashed(scheme.hash, signed)
		if scheme.pkcs1 {
			return cleared(rsa.VerifyPKCS1v15(key, scheme.hash, digest, signature) == nil)
		}
		// securesystemslib has signed with the longest salt and with the
		// digest's length.
		return cleared(rsa.VerifyPSS(key, scheme.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil)
	case *ecdsa.PublicKey:
		return cleared(ecdsa.VerifyASN1(key, hashed(scheme.hash, signed), signature) ||
			ecdsa.VerifyASN1(key, hashed(crypto.SHA256, signed), signature))
	case ed25519.PublicKey:
		return cleared(ed25519.Verify(key, signed, signature))
	}
	return errors.New("no public key")
}

func cleared(ok bool) error {
	if !ok {
		return errSignature
	}
	return nil
}

func hashed(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// verifyOpenPGP checks a version 4 signature over a document, whose hashed part
// securesystemslib keeps as other_headers.
//
// "The data being signed is hashed, and then the signature data from the version
// number through the hashed subpacket data (inclusive) is hashed. … followed by
// … 0x04, 0xFF, and a four-octet, big-endian number that is the length of the
// hashed data from the Signature packet" (RFC 4880, 5.2.4; TestOpenPGPSignature)
func (p keyPart) verifyOpenPGP(s envelopeSignature, signed []byte, now time.Time) error {
	const binaryDocument = 0x00
	h := s.headers
	if len(h) < 6 || len(h) > 6+math.MaxUint16 || h[0] != 4 || h[1] != binaryDocument || int(binary.BigEndian.Uint16(h[4:6])) != len(h)-6 {
		return errors.New("the OpenPGP signature's headers are not those of a version 4 signature over a document")
	}
	hash, ok := openPGPHash(h[3])
	if !ok {
		return fmt.Errorf("the OpenPGP signature's hash algorithm is number %d, expected SHA-256, SHA-384 or SHA-512", h[3])
	}
	end, err := openPGPEnd(h[6:])
	switch {
	case err != nil:
		return err
	case !end.IsZero() && !now.Before(end):
		return fmt.Errorf("the OpenPGP signature ended at %s", end.Format(time.RFC3339))
	}
	trailer := binary.BigEndian.AppendUint32([]byte{4, 0xff}, uint32(len(h))) //nolint:gosec // bounded above
	digest := hashed(hash, bytes.Join([][]byte{signed, h, trailer}, nil))
	switch key := p.public.(type) {
	case *rsa.PublicKey:
		// An OpenPGP integer has no leading zero octets; a signature may.
		padded := append(make([]byte, max(0, key.Size()-len(s.value))), s.value...)
		return cleared(rsa.VerifyPKCS1v15(key, hash, digest, padded) == nil)
	case ed25519.PublicKey:
		return cleared(ed25519.Verify(key, digest, s.value))
	}
	return errors.New("no OpenPGP key")
}

// openPGPHash gives the hash of OpenPGP's number (RFC 4880, 9.4).
func openPGPHash(number byte) (crypto.Hash, bool) {
	switch number {
	case 8:
		return crypto.SHA256, true
	case 9:
		return crypto.SHA384, true
	case 10:
		return crypto.SHA512, true
	}
	return 0, false
}
