package openpgp

import "fmt"

// SigningKey is a key or subkey that may sign, for signatures that are kept in
// another form than OpenPGP packets.
type SigningKey struct {
	Fingerprint string // in lower-case hex
	SPKI        []byte
	Window      Window
}

// Signing lists the key, if it may sign, and its subkeys that may.
func (k *Key) Signing() []SigningKey {
	var out []SigningKey
	for _, s := range k.signing {
		// What may sign was brought into this form when it was read.
		if spki, err := spkiOf(s.key); err == nil {
			out = append(out, SigningKey{Fingerprint: fmt.Sprintf("%x", s.key.Fingerprint), SPKI: spki, Window: s.Window})
		}
	}
	return out
}
