package attestation

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// FuzzParseKey: what is read as a key is of a kind that is named, has a
// fingerprint, and is the same key when its encoding is read again.
func FuzzParseKey(f *testing.F) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, public := range []any{&private.PublicKey, edwards} {
		spki, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	}
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParseKey(data)
		if err != nil {
			if !key.Signer().IsZero() || key.Type() != "" {
				t.Errorf("an error came with the key %s", key.Signer())
			}
			return
		}
		if key.Type() == "" || key.Signer().IsZero() {
			t.Fatalf("a key of type %q by %s", key.Type(), key.Signer())
		}
		spki, err := x509.MarshalPKIXPublicKey(key.public)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
		if err != nil || !again.Signer().Equal(key.Signer()) {
			t.Errorf("read again it is %s, %v; expected %s", again.Signer(), err, key.Signer())
		}
	})
}
