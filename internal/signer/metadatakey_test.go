package signer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// metadataKeys are keys of all kinds, by their names.
func metadataKeys(t *testing.T) map[string][]byte {
	t.Helper()
	made := map[string][]byte{}
	for name, key := range keys(t) {
		made[name] = key.private
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	made["RSA"], made["RSA, PKCS 1"] = inPEM("PRIVATE KEY", der), inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	return made
}

// What a key signs verifies with its public half, in both forms of metadata, and counts
// under either of its ids.
func TestMetadataKeySigns(t *testing.T) {
	t.Parallel()
	made := metadataKeys(t)
	if len(made) < 5 {
		t.Fatalf("%d keys", len(made))
	}
	for name, private := range made {
		for _, document := range []string{
			`{"signed": {"_type": "layout", "b": 1, "a": "\u00e9"}, "signatures": []}`,
			`{"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": []}`,
		} {
			key, err := ParseMetadataKey(private)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			envelope, refused := attestation.ReadEnvelope("f", []byte(document))
			if refused != nil {
				t.Fatal(refused)
			}
			value, err := key.Sign(envelope.Signable())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			signed, err := envelope.Add([]byte(document), attestation.Added{KeyID: "00", Value: value})
			if err != nil {
				t.Fatal(err)
			}
			if envelope, refused = attestation.ReadEnvelope("f", signed); refused != nil {
				t.Fatal(refused)
			}
			encoded, err := key.PublicKey()
			if err != nil {
				t.Fatal(err)
			}
			public, err := attestation.ParseInTotoKey(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if _, refused := envelope.Verify(attestation.Trusted{Keys: []attestation.InTotoKey{public}, Now: time.Unix(1, 0)}); refused != nil {
				t.Errorf("%s over %.12s: %v", name, document, refused)
			}
			if by, err := key.Signer(); err != nil || by.Key != public.Signer().Key {
				t.Errorf("%s: it is known as %v, %v", name, by, err)
			}
		}
	}
}

// The ids are those of attestationtest, which the corpus holds to in-toto's own.
func TestMetadataKeyIDs(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{attestationtest.ClassicEd25519, attestationtest.ClassicECDSA, attestationtest.ClassicRSA} {
		golang, err := attestationtest.NewClassicKey("signer", "alice", kind)
		if err != nil {
			t.Fatal(err)
		}
		python, err := golang.Python()
		if err != nil {
			t.Fatal(err)
		}
		private, err := golang.PrivateKeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParseMetadataKey(private)
		if err != nil {
			t.Fatal(err)
		}
		for form, want := range map[string]string{KeyIDGolang: golang.ID, KeyIDPython: python.ID} {
			if got, err := key.ID(form); err != nil || got != want {
				t.Errorf("%s %s: %s, %v; expected %s", kind, form, got, err, want)
			}
		}
		if _, err := key.ID("java"); err == nil {
			t.Error("an unknown form has an id")
		}
	}
}

func TestParseMetadataKey(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		data []byte
		says string
	}{
		"nothing":       {nil, "no PEM block"},
		"a small key":   {inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small)), "RSA of 1024 bits"},
		"garbage":       {inPEM("RSA PRIVATE KEY", []byte("x")), "reading the private key"},
		"encrypted":     {inPEM("ENCRYPTED PRIVATE KEY", []byte("x")), "; next: decrypt"},
		"a certificate": {inPEM("CERTIFICATE", []byte("x")), "CERTIFICATE"},
	} {
		key, err := ParseMetadataKey(row.data)
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := key.Sign([]byte("x")); err == nil {
			t.Errorf("%s signs", name)
		}
		if _, err := key.ID(KeyIDGolang); err == nil {
			t.Errorf("%s has an id", name)
		}
		if shown := fmt.Sprintf("%v %+v %#v", key, key, key); strings.Contains(shown, "0x") {
			t.Errorf("it is shown as %s", shown)
		}
	}
	// RSA is for classic metadata alone: a bundle's envelope is signed in other ways.
	if _, err := ParsePrivateKey(metadataKeys(t)["RSA, PKCS 1"]); err == nil || !strings.Contains(err.Error(), "rsa key, expected ECDSA") {
		t.Error(err)
	}
}
