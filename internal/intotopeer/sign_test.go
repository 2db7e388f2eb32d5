package intotopeer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	intoto "github.com/in-toto/in-toto-golang/in_toto"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/command"
)

// TestPeerTakesOurSignatures has in-toto-golang verify layouts that layout sign has
// signed, in both forms, with keys of every kind, and the first signature beside ours.
// It finds a signature by its key's id, so that the ids agree too.
func TestPeerTakesOurSignatures(t *testing.T) {
	t.Parallel()
	owner, err := attestationtest.NewClassicKey("intotopeer", "owner", attestationtest.ClassicEd25519)
	if err != nil {
		t.Fatal(err)
	}
	private := privateKeys(t)
	for _, format := range []attestationtest.ClassicFormat{attestationtest.ClassicMetablock, attestationtest.ClassicDSSE} {
		file := filepath.Join(t.TempDir(), "root.layout")
		signed, err := attestationtest.SignClassic(attestationtest.ClassicRequest{
			Signed: attestationtest.EncodeClassic(peerLayout(owner).JSON()), Format: format, Keys: []*attestationtest.ClassicKey{owner},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, signed, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, key := range private {
			signWith(t, file, key)
			metadata, err := intoto.LoadMetadata(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := metadata.VerifySignature(peerKey(t, key)); err != nil {
				t.Errorf("%s: the peer refuses our signature by %s: %v", format, name, err)
			}
		}
		metadata, err := intoto.LoadMetadata(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(metadata.Sigs()); n != 1+len(private) {
			t.Errorf("%s: the peer sees %d signatures, expected %d", format, n, 1+len(private))
		}
		encoded, err := owner.PEM()
		if err != nil {
			t.Fatal(err)
		}
		if err := metadata.VerifySignature(peerPublicKey(t, encoded)); err != nil {
			t.Errorf("%s: the first signature is lost: %v", format, err)
		}
		if err := metadata.VerifySignature(peerKey(t, newKey(t))); err == nil {
			t.Errorf("%s: the peer takes a key that has not signed", format)
		}
	}
}

func peerLayout(owner *attestationtest.ClassicKey) attestationtest.ClassicLayout {
	return attestationtest.ClassicLayout{
		Keys:  []*attestationtest.ClassicKey{owner},
		Steps: []attestationtest.ClassicStep{{Name: "build", ExpectedProducts: []string{"CREATE *", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{owner}}},
	}
}

// privateKeys are keys of every kind that layout sign takes.
func privateKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	made := map[string]crypto.Signer{"Ed25519": newKey(t)}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	made["RSA"] = rsaKey
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		made[curve.Params().Name] = key
	}
	return made
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signWith is our verb.
func signWith(t *testing.T, file string, key crypto.Signer) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pemFile := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(pemFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	err = command.Run(t.Context(), command.Env{
		Args: []string{"layout", "sign", file, "--key", pemFile}, Getenv: os.Getenv, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		FS: disk{}, Now: time.Now(), HTTP: &http.Client{Transport: noNetwork{}}, Version: "v0.0.0-test",
	})
	if command.ExitCode(err) != command.ExitAllowed {
		t.Fatalf("layout sign: exit code %d\n%s", command.ExitCode(err), &stderr)
	}
}

func peerKey(t *testing.T, key crypto.Signer) intoto.Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return peerPublicKey(t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func peerPublicKey(t *testing.T, encoded []byte) intoto.Key {
	t.Helper()
	var loaded intoto.Key
	if err := loaded.LoadKeyReaderDefaults(bytes.NewReader(encoded)); err != nil {
		t.Fatal(err)
	}
	return loaded
}
