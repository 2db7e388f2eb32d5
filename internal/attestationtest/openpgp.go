package attestationtest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// OpenPGPKey makes an Ed25519 key of a person, with a signing subkey where that is
// asked for. It is another key each time.
func OpenPGPKey(name string, at time.Time, subkey bool) (*pgp.Entity, error) {
	config := OpenPGPConfig(at)
	key, err := pgp.NewEntity(name, "", strings.ToLower(name)+"@example.com", config)
	if err == nil && subkey {
		err = key.AddSigningSubkey(config)
	}
	if err != nil {
		return nil, fmt.Errorf("making OpenPGP key: %w", err)
	}
	return key, nil
}

// OpenPGPConfig is what keys and signatures of an instant are made with.
func OpenPGPConfig(at time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return at }, Algorithm: packet.PubKeyAlgoEdDSA}
}

// ArmourOpenPGPKey is the public key as gpg --armor --export prints it.
func ArmourOpenPGPKey(key *pgp.Entity) ([]byte, error) {
	return armourOpenPGP("PGP PUBLIC KEY BLOCK", func(b *bytes.Buffer) error { return key.Serialize(b) })
}

// SignOpenPGP signs a message as gpg --armor --detach-sign does. A key must not sign
// twice at once: it remembers which of its own signatures are good.
func SignOpenPGP(key *pgp.Entity, message []byte, config *packet.Config) ([]byte, error) {
	return armourOpenPGP("PGP SIGNATURE", func(b *bytes.Buffer) error {
		return pgp.DetachSign(b, []*pgp.Entity{key}, bytes.NewReader(message), config)
	})
}

func armourOpenPGP(kind string, write func(*bytes.Buffer) error) ([]byte, error) {
	var raw, out bytes.Buffer
	if err := write(&raw); err != nil {
		return nil, fmt.Errorf("writing %s: %w", kind, err)
	}
	w, err := armor.Encode(&out, kind, nil)
	if err == nil {
		_, err = w.Write(raw.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", kind, err)
	}
	out.WriteString("\n")
	return out.Bytes(), nil
}
