package openpgp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const (
	signatureMarker = "-----BEGIN PGP SIGNATURE-----"
	signatureEnd    = "-----END PGP SIGNATURE-----"
)

// Signature is a detached signature as it was read: nothing is verified.
type Signature struct {
	packet *packet.Signature
}

// ParseSignature reads one armoured, detached signature, and nothing around it.
func ParseSignature(data []byte) (*Signature, error) {
	text := bytes.TrimSpace(data)
	switch {
	case len(data) > MaxSignatureBytes:
		return nil, fmt.Errorf("reading OpenPGP signature: %d bytes, at most %d are read", len(data), MaxSignatureBytes)
	case !bytes.HasPrefix(text, []byte(signatureMarker)) || !bytes.HasSuffix(text, []byte(signatureEnd)) || bytes.Count(text, []byte("-----BEGIN")) != 1:
		return nil, errors.New("reading OpenPGP signature: it is not one block of that kind")
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil { // io.EOF, whatever is wrong with its headers
		return nil, errors.New("reading OpenPGP signature: its armour cannot be read")
	}
	raw, err := io.ReadAll(block.Body)
	if err == nil {
		err = checkSum(text, raw)
	}
	if err != nil {
		return nil, fmt.Errorf("reading OpenPGP signature: %w", err)
	}
	// A packet.Reader would pass over every packet that it does not know.
	body := bytes.NewReader(raw)
	first, err := packet.Read(body)
	if err != nil {
		return nil, fmt.Errorf("reading OpenPGP signature: %w", err)
	}
	signature, ok := first.(*packet.Signature)
	if !ok {
		return nil, errors.New("reading OpenPGP signature: it is another kind of packet")
	}
	if body.Len() > 0 {
		return nil, errors.New("reading OpenPGP signature: more than one packet, expected one signature")
	}
	return &Signature{signature}, nil
}

// checkSum holds the armour's checksum, where it has one, against what is in it.
// Readers may leave it aside (RFC 9580, 6.1); gpg, and so git, refuses a wrong one.
// TestArmour
func checkSum(armour, data []byte) error {
	lines := bytes.Split(bytes.TrimSpace(armour), []byte("\n"))
	last := bytes.TrimSpace(lines[max(0, len(lines)-2)])
	if !bytes.HasPrefix(last, []byte("=")) {
		return nil
	}
	const start, polynomial = 0xb704ce, 0x1864cfb // of CRC-24
	sum := uint32(start)
	for _, b := range data {
		sum ^= uint32(b) << 16
		for range 8 {
			if sum <<= 1; sum&(1<<24) != 0 {
				sum ^= polynomial
			}
		}
	}
	found, err := base64.StdEncoding.DecodeString(string(last[1:]))
	if err != nil || !bytes.Equal(found, binary.BigEndian.AppendUint32(nil, sum)[1:]) {
		return errors.New("the checksum of its armour is another's")
	}
	return nil
}

// KeyID is what the signature names its key by, a key id or a fingerprint in hex. It
// is a hint.
func (s *Signature) KeyID() string {
	if s.packet.IssuerKeyId == nil {
		return fmt.Sprintf("%X", s.packet.IssuerFingerprint)
	}
	return fmt.Sprintf("%016X", *s.packet.IssuerKeyId)
}

// ByForge reports whether the signature names a forge's own key, by its id or at the
// end of its fingerprint. Where it does not, a forge's key would be refused all the
// same, as no caller can name one.
func (s *Signature) ByForge() bool {
	for _, id := range forgeKeys() {
		last := binary.BigEndian.AppendUint64(nil, id)
		if s.packet.IssuerKeyId != nil && *s.packet.IssuerKeyId == id || bytes.HasSuffix(s.packet.IssuerFingerprint, last) {
			return true
		}
	}
	return false
}

// Verify holds the signature over a message against one key, and gives the window
// of time in which it may have been made: within the life of the key, of the subkey
// and of the signature. When it was made, nobody can tell from it.
func (s *Signature) Verify(message []byte, key *Key) (Window, error) {
	if key == nil {
		return Window{}, errors.New("verifying OpenPGP signature: no key is named")
	}
	if err := s.check(); err != nil {
		return Window{}, fmt.Errorf("verifying OpenPGP signature: %w", err)
	}
	for _, k := range key.signing {
		if !s.packet.CheckKeyIdOrFingerprint(k.key) {
			continue
		}
		hash, err := s.packet.PrepareVerify()
		if err != nil {
			return Window{}, fmt.Errorf("verifying OpenPGP signature: %w", err)
		}
		hash.Write(message)
		if err := k.key.VerifySignature(hash, s.packet); err != nil {
			return Window{}, errors.New("verifying OpenPGP signature: it does not verify over this message")
		}
		// What it says of its own time must fit; that alone proves nothing.
		window := k.Window.within(lifeOf(s.packet))
		if !k.Contains(s.packet.CreationTime) {
			return Window{}, errors.New("verifying OpenPGP signature: it says that it was made outside of its key's life")
		}
		return window, nil
	}
	return Window{}, fmt.Errorf("verifying OpenPGP signature: it was made with %w: %s, which is none of %s that may sign", ErrOtherKey, s.KeyID(), key.fingerprint)
}

// check refuses what no key can make good.
//
// "0x00 Binary signature of a document" is what git asks gpg for. A verifier "MUST"
// take a critical notation that it does not know for an error (RFC 9580, 5.2.3.24).
func (s *Signature) check() error {
	switch {
	case s.packet.Version != 4 && s.packet.Version != 6:
		return fmt.Errorf("it is of version %d, expected 4 or 6", s.packet.Version)
	case s.packet.SigType != packet.SigTypeBinary:
		return fmt.Errorf("it is of the type %#x, expected one over a binary document", int(s.packet.SigType))
	case !accepted(s.packet.Hash):
		return fmt.Errorf("it is over the hash %s: %w, expected SHA-256, SHA-384 or SHA-512", s.packet.Hash, ErrWeak)
	case s.packet.CreationTime.IsZero():
		return errors.New("it does not say when it was made")
	}
	for _, notation := range s.packet.Notations {
		if notation.IsCritical {
			return fmt.Errorf("it has the critical notation %.60q, which is not understood here", notation.Name)
		}
	}
	return nil
}
