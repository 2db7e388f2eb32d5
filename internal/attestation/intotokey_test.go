package attestation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

func pemOf(t *testing.T, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// TestSchemes verifies with every scheme that is taken, and with no other.
func TestSchemes(t *testing.T) {
	t.Parallel()
	message := []byte("what is signed")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pss := func(hash crypto.Hash, salt int) []byte {
		signature, err := rsa.SignPSS(rand.Reader, rsaKey, hash, hashed(hash, message), &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	pkcs := func(hash crypto.Hash) []byte {
		signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, hash, hashed(hash, message))
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	curve := func(c elliptic.Curve, hash crypto.Hash) (crypto.PublicKey, []byte) {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := ecdsa.SignASN1(rand.Reader, key, hashed(hash, message))
		if err != nil {
			t.Fatal(err)
		}
		return &key.PublicKey, signature
	}
	p256, by256 := curve(elliptic.P256(), crypto.SHA256)
	p384, by384 := curve(elliptic.P384(), crypto.SHA384)
	p521, by521 := curve(elliptic.P521(), crypto.SHA512)
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		kind, scheme string
		public       crypto.PublicKey
		signature    []byte
		ok           bool
	}{
		{"rsa", "rsassa-pss-sha256", &rsaKey.PublicKey, pss(crypto.SHA256, rsa.PSSSaltLengthEqualsHash), true},
		{"rsa", "rsassa-pss-sha256", &rsaKey.PublicKey, pss(crypto.SHA256, rsa.PSSSaltLengthAuto), true},
		{"rsa", "rsassa-pss-sha384", &rsaKey.PublicKey, pss(crypto.SHA384, rsa.PSSSaltLengthEqualsHash), true},
		{"rsa", "rsassa-pss-sha512", &rsaKey.PublicKey, pss(crypto.SHA512, rsa.PSSSaltLengthEqualsHash), true},
		{"rsa", "rsassa-pss-sha256", &rsaKey.PublicKey, pss(crypto.SHA512, rsa.PSSSaltLengthEqualsHash), false},
		{"rsa", "rsassa-pss-sha256", &rsaKey.PublicKey, pkcs(crypto.SHA256), false},
		{"rsa", "rsa-pkcs1v15-sha256", &rsaKey.PublicKey, pkcs(crypto.SHA256), true},
		{"rsa", "rsa-pkcs1v15-sha384", &rsaKey.PublicKey, pkcs(crypto.SHA384), true},
		{"rsa", "rsa-pkcs1v15-sha512", &rsaKey.PublicKey, pkcs(crypto.SHA512), true},
		{"rsa", "rsassa-pss-sha1", &rsaKey.PublicKey, pss(crypto.SHA256, rsa.PSSSaltLengthAuto), false},
		{"rsa", "rsassa-pss-md5", &rsaKey.PublicKey, nil, false},
		{"rsa", "ed25519", &rsaKey.PublicKey, nil, false},
		{"rsa", "rsassa-pss-sha256", &small.PublicKey, nil, false},
		{"ecdsa", "ecdsa-sha2-nistp256", p256, by256, true},
		{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", p256, by256, true},
		{"ecdsa", "ecdsa-sha2-nistp384", p384, by384, true},
		{"ecdsa", "ecdsa-sha2-nistp256", p384, by384, true},
		{"ecdsa", "ecdsa-sha2-nistp521", p521, by521, true},
		{"ecdsa", "ecdsa-sha2-nistp384", p256, by256, false},
		{"ecdsa", "ecdsa-sha2-nistp256", p256, by384, false},
		{"ed25519", "ed25519", edPublic, ed25519.Sign(edPrivate, message), true},
		{"ed25519", "ed25519", edPublic, make([]byte, 64), false},
		{"ed25519", "ed25519", edPublic, []byte{1}, false},
		{"rsa", "ed25519", edPublic, ed25519.Sign(edPrivate, message), false},
		{"dsa", "", p256, by256, false},
	} {
		text, err := json.Marshal(map[string]any{"keytype": row.kind, "scheme": row.scheme, "keyval": map[string]any{"public": pemOf(t, row.public)}})
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParseInTotoKey(text)
		ok := err == nil && key.parts[0].verify(envelopeSignature{value: row.signature}, message, classicNow()) == nil
		if ok != row.ok {
			t.Errorf("%s %s: verified %t, expected %t (%v)", row.kind, row.scheme, ok, row.ok, err)
		}
		if err == nil && key.parts[0].verify(envelopeSignature{value: row.signature}, []byte("other"), classicNow()) == nil {
			t.Errorf("%s %s: verified something else", row.kind, row.scheme)
		}
	}
}

// TestParseInTotoKey reads files of every kind, and refuses others.
func TestParseInTotoKey(t *testing.T) {
	t.Parallel()
	key := classicTestKey(t, "alice", attestationtest.ClassicEd25519)
	good := string(attestationtest.EncodeClassic(key.JSON()))
	public, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.PrivateKeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	want := parsedKey(t, key).Signer().Key
	for name, text := range map[string]string{
		"key JSON": good, "PEM": string(public), "white space": "\n " + good + "\n",
		"older names": strings.NewReplacer(`"keytype"`, `"type"`, `"scheme"`, `"method"`).Replace(good),
		"PEM in JSON": strings.Replace(good, key.Public, strings.ReplaceAll(string(public), "\n", `\n`), 1),
	} {
		got, err := ParseInTotoKey([]byte(text))
		if err != nil || got.Signer().Key != want || len(got.Fingerprints()) != 1 {
			t.Errorf("%s: %v, %v", name, got.Signer(), err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "text": "key", "a private key": string(private), "two keys": string(public) + string(public),
		"too large": good + strings.Repeat(" ", maxKeySize), "more behind it": good + "{}", "a key twice": strings.Replace(good, `"keytype"`, `"keytype": "rsa", "keytype"`, 1),
		"no key": `{"keytype": "ed25519", "scheme": "ed25519", "keyval": {}}`, "no keyval": `{"keytype": "ed25519"}`, "another type": strings.Replace(good, `"ed25519"`, `"rsa"`, 1),
		"short": strings.Replace(good, key.Public, key.Public[2:], 1), "OpenPGP that is none": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
		"a certificate":    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"DSA":              `{"type": "dsa", "method": "pgp+dsa-fips-180-2", "keyval": {"public": {"y": "01"}}}`,
		"an even exponent": `{"type": "rsa", "method": "pgp+rsa-pkcsv1.5", "keyval": {"public": {"n": "` + strings.Repeat("ff", 256) + `", "e": "02"}}}`,
		"a small modulus":  `{"type": "rsa", "method": "pgp+rsa-pkcsv1.5", "keyval": {"public": {"n": "ff", "e": "010001"}}}`,
		"no modulus":       `{"type": "rsa", "method": "pgp+rsa-pkcsv1.5", "keyval": {"public": {}}}`,
		"too many subkeys": `{"type": "rsa", "method": "pgp+rsa-pkcsv1.5", "keyval": {}, "subkeys": {` + manySubkeys(maxSubkeys+1) + `}}`,
	} {
		if key, err := ParseInTotoKey([]byte(text)); err == nil || !key.Signer().IsZero() {
			t.Errorf("%s: read as %v", name, key.Signer())
		}
	}
}

func manySubkeys(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf(`"%d": {}`, i))
	}
	return strings.Join(keys, ",")
}

// TestClassicSamples verifies links that in-toto's own test data hold, with the
// keys of their layouts: RSA, DSSE and GnuPG.
func TestClassicSamples(t *testing.T) {
	t.Parallel()
	const corpus = "../../../shared/corpus/in-toto/classic"
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	for _, set := range []string{"in-toto-python-demo_files", "in-toto-python-demo_dsse_files", "in-toto-python-demo_files_gpg"} {
		template, err := os.ReadFile(filepath.Join(corpus, set, "demo.layout.template"))
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			Signed  struct{ Keys map[string]json.RawMessage }
			Payload []byte
		}
		if err := json.Unmarshal(template, &document); err != nil {
			t.Fatal(err)
		}
		if document.Payload != nil {
			if err := json.Unmarshal(document.Payload, &document.Signed); err != nil {
				t.Fatal(err)
			}
		}
		var keys []InTotoKey
		for id, raw := range document.Signed.Keys {
			key, _, err := ReadInTotoKey(id, []byte(raw))
			if err != nil {
				t.Fatalf("%s: %v", set, err)
			}
			keys = append(keys, key)
		}
		links, err := filepath.Glob(filepath.Join(corpus, set, "*.link"))
		if err != nil || len(links) != 2 || len(keys) != 2 {
			t.Fatalf("%s: %d links, %d keys, %v", set, len(links), len(keys), err)
		}
		for _, name := range links {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			envelope, refused := ReadEnvelope(name, data)
			if refused != nil {
				t.Fatal(refused)
			}
			if _, refused := envelope.Verify(Trusted{Keys: keys, Now: classicNow()}); refused != nil {
				t.Errorf("%s: %v", set, refused)
			}
			changed, refused := ReadEnvelope(name, bytes.Replace(data, []byte(`"sha256"`), []byte(`"sha512"`), 1))
			if bytes.Contains(data, []byte(`"sha256"`)) && refused == nil {
				if _, refused := changed.Verify(Trusted{Keys: keys, Now: classicNow()}); refused == nil {
					t.Errorf("%s: verified after a change", set)
				}
			}
		}
	}
}
