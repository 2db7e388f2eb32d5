package attestationtest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// PrivateKeyPEM returns the intermediate's key in PKCS #8, for a Fulcio of
// another process.
func (ca *CA) PrivateKeyPEM() ([]byte, error) { return privateKeyPEM(ca.key.PrivateKey) }

// PrivateKeyPEM returns the log's key in PKCS #8, for a Rekor of another process.
func (r *RekorV2) PrivateKeyPEM() ([]byte, error) { return privateKeyPEM(r.key) }

// PrivateKeyPEM returns the leaf's key in PKCS #8, for a timestamp authority of
// another process.
func (t *TSA) PrivateKeyPEM() ([]byte, error) { return privateKeyPEM(t.key.PrivateKey) }

// PrivateKeyPEM returns the private half in PKCS #8, for a signer of another process.
func (k *Key) PrivateKeyPEM() ([]byte, error) { return privateKeyPEM(k.Signer) }

func privateKeyPEM(key crypto.Signer) ([]byte, error) {
	if seeded, ok := key.(ecdsaSigner); ok {
		key = seeded.PrivateKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
