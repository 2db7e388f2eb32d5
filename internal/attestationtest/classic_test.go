package attestationtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

func newClassicTestKey(t *testing.T, keyType string) *ClassicKey {
	t.Helper()
	key, err := NewClassicKey("seed", "alice", keyType)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func classicTypes() []string { return []string{ClassicEd25519, ClassicECDSA, ClassicRSA} }

func TestCanonicalJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                          `{}`,
		` [ ] `:                       `[]`,
		`{"b": 1, "a": [true, null]}`: `{"a":[true,null],"b":1}`,
		`{"a": 1, "a": 2}`:            `{"a":2}`,
		`"\u00e9\n\t\/"`:              "\"é\n\t/\"",
		`"\"\\"`:                      `"\"\\"`,
		`{"\u00e9": 1, "z": 2}`:       `{"z":2,"é":1}`,
		`12345678901234567890`:        `12345678901234567890`,
	} {
		got, err := CanonicalJSON([]byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	if _, err := CanonicalJSON([]byte(`{`)); err == nil {
		t.Error("half a JSON text has a canonical form")
	}
}

// The ids are those that both generations of securesystemslib gave to the keys
// of the corpus.
func TestClassicKeyIDs(t *testing.T) {
	t.Parallel()
	for _, file := range corpusFiles(t, "upstream-replay/py-demo-mb-02-double/keys/*.json", "differential/a01-basic/keys/*.json") {
		var want struct {
			ID             string            `json:"keyid"`
			KeyType        string            `json:"keytype"`
			Scheme         string            `json:"scheme"`
			Value          map[string]string `json:"keyval"`
			HashAlgorithms []string          `json:"keyid_hash_algorithms"`
		}
		readJSON(t, file, &want)
		key := ClassicKey{KeyType: want.KeyType, Scheme: want.Scheme, Public: want.Value["public"], HashAlgorithms: want.HashAlgorithms}
		if err := key.computeID(); err != nil || key.ID != want.ID {
			t.Errorf("%s: id is %s, %v, want %s", file, key.ID, err, want.ID)
		}
	}
}

func TestClassicKeyRepeats(t *testing.T) {
	t.Parallel()
	for _, keyType := range classicTypes() {
		one, other := newClassicTestKey(t, keyType), newClassicTestKey(t, keyType)
		if repeats := one.ID == other.ID; repeats != (keyType != ClassicRSA) {
			t.Errorf("%s: one name gives one key: %v", keyType, repeats)
		}
		python, err := one.Python()
		if err != nil {
			t.Fatal(err)
		}
		if python.ID == one.ID || one.WithID("other").ID != "other" {
			t.Errorf("%s: one id for both generations, or it cannot be changed", keyType)
		}
	}
	if _, err := NewClassicKey("seed", "alice", "dsa"); err == nil {
		t.Error("an unknown key type has a key")
	}
}

// Real files of in-toto-python verify over our canonical form.
func TestCanonicalJSONOfTheCorpus(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"upstream-replay/py-demo-mb-01-single", "differential/a01-basic"} {
		var (
			key struct {
				Value map[string]string `json:"keyval"`
			}
			document metablock
		)
		readJSON(t, corpusFiles(t, dir+"/keys/*.json")[0], &key)
		readJSON(t, corpusFiles(t, dir+"/root.layout")[0], &document)
		message, err := CanonicalJSON(document.Signed)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := hex.DecodeString(document.Signatures[0].Signature)
		if err != nil {
			t.Fatal(err)
		}
		if !verifies(t, publicKey(t, key.Value["public"]), message, signature) {
			t.Errorf("%s: the signature does not verify over the canonical form", dir)
		}
	}
}

func TestSignClassic(t *testing.T) {
	t.Parallel()
	// A duplicate key and a line break: the text comes back as it is.
	content := []byte("{\"_type\": \"link\",\n \"name\": \"a\", \"name\": \"b\"}")
	for _, keyType := range classicTypes() {
		for _, format := range []ClassicFormat{ClassicMetablock, ClassicDSSE} {
			key := newClassicTestKey(t, keyType)
			for _, c := range []struct {
				broken   ClassicBreak
				verifies []bool
			}{
				{"", []bool{true}},
				{ClassicBreakSignature, []bool{false}},
				{ClassicBreakContent, []bool{false}},
				{ClassicBreakText, []bool{false}},
				{ClassicBreakUnsigned, nil},
				{ClassicBreakGarbageFirst, []bool{false, true}},
				{ClassicBreakKeyID, []bool{true}},
				{ClassicBreakTwice, []bool{true, true}},
			} {
				signed := sign(t, ClassicRequest{Signed: content, Format: format, Keys: []*ClassicKey{key}, Break: []ClassicBreak{c.broken}})
				message, signatures := openClassic(t, signed, format, content)
				var got []bool
				for _, s := range signatures {
					got = append(got, verifies(t, publicKey(t, key.Public), message, s.bytes(t, format)))
					if named := s.KeyID == key.ID; named != (c.broken != ClassicBreakKeyID) {
						t.Errorf("%s %s %s: the signature names its key: %v", keyType, format, c.broken, named)
					}
				}
				if !slices.Equal(got, c.verifies) {
					t.Errorf("%s %s %q: signatures verify: %v, want %v", keyType, format, c.broken, got, c.verifies)
				}
			}
		}
	}
}

func TestSignClassicRefuses(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]ClassicRequest{
		"no JSON":        {Signed: []byte("{"), Keys: []*ClassicKey{newClassicTestKey(t, ClassicEd25519)}},
		"no private key": {Signed: []byte("{}"), Keys: []*ClassicKey{{}}},
	} {
		if _, err := SignClassic(request); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func TestClassicPayloadTypeBreak(t *testing.T) {
	t.Parallel()
	key := newClassicTestKey(t, ClassicEd25519)
	signed := sign(t, ClassicRequest{Signed: []byte("{}"), Format: ClassicDSSE, Keys: []*ClassicKey{key}, Break: []ClassicBreak{ClassicBreakPayloadType}})
	message, signatures := openClassic(t, signed, ClassicDSSE, []byte("{}"))
	if verifies(t, publicKey(t, key.Public), message, signatures[0].bytes(t, ClassicDSSE)) {
		t.Error("verifies under the payload type that it names")
	}
}

func TestClassicLayoutAndLink(t *testing.T) {
	t.Parallel()
	key := newClassicTestKey(t, ClassicEd25519)
	layout := ClassicLayout{
		Keys:    []*ClassicKey{key},
		Steps:   []ClassicStep{{Name: "build", ExpectedProducts: []string{"CREATE *", "DISALLOW *"}, Functionaries: []*ClassicKey{key}}},
		Inspect: []ClassicInspection{{Name: "untar", Run: []string{"tar", "xf", "a"}}},
	}
	got := string(EncodeClassic(layout.JSON()["steps"])) + string(EncodeClassic(layout.JSON()["inspect"]))
	want := `[{"_type":"step","expected_command":[],"expected_materials":[],"expected_products":[["CREATE","*"],["DISALLOW","*"]],` +
		`"name":"build","pubkeys":["` + key.ID + `"],"threshold":1}]` +
		`[{"_type":"inspection","expected_materials":[],"expected_products":[],"name":"untar","run":["tar","xf","a"]}]`
	if diff := cmp.Diff(want, withoutSpace(t, got)); diff != "" {
		t.Errorf("layout (-want +got):\n%s", diff)
	}
	link := ClassicLink{Name: "build", Products: map[string]string{"app": "hello"}}
	digest := sha256.Sum256([]byte("hello"))
	if got, want := withoutSpace(t, string(EncodeClassic(link.JSON()["products"]))), `{"app":{"sha256":"`+hex.EncodeToString(digest[:])+`"}}`; got != want {
		t.Errorf("products are %s, want %s", got, want)
	}
	if got, want := ClassicLinkName("build", key), "build."+key.ID[:8]+".link"; got != want {
		t.Errorf("link is called %s, want %s", got, want)
	}
}

func TestClassicAuthority(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	authority, err := NewClassicAuthority("seed", "example.com", now)
	if err != nil {
		t.Fatal(err)
	}
	for _, fromRoot := range []bool{false, true} {
		key, err := authority.Issue("build", ClassicSubject{CommonName: "build", URIs: []string{"spiffe://example.com/build"}, FromRoot: fromRoot})
		if err != nil {
			t.Fatal(err)
		}
		leaf := parseCertificate(t, key.Certificate)
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(parseCertificate(t, authority.Root.Certificate))
		intermediates.AddCert(parseCertificate(t, authority.Intermediate.Certificate))
		chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now})
		if err != nil {
			t.Fatal(err)
		}
		if direct := len(chains[0]) == 2; direct != fromRoot || leaf.URIs[0].String() != "spiffe://example.com/build" {
			t.Errorf("chain of %d, %v", len(chains[0]), leaf.URIs)
		}
		signed := sign(t, ClassicRequest{Signed: []byte("{}"), Keys: []*ClassicKey{key}})
		_, signatures := openClassic(t, signed, ClassicMetablock, []byte("{}"))
		if signatures[0].Certificate != key.Certificate {
			t.Error("the certificate does not stand beside the signature")
		}
	}
	if _, err := authority.Issue("x", ClassicSubject{URIs: []string{":"}}); err == nil {
		t.Error("certified for what is no URI")
	}
}

// metablock is the format, as a stranger reads it.
type metablock struct {
	Signed     json.RawMessage    `json:"signed"`
	Signatures []classicSignature `json:"signatures"`
}

type classicSignature struct {
	KeyID       string `json:"keyid"`
	Signature   string `json:"sig"`
	Certificate string `json:"cert"`
}

func (s classicSignature) bytes(t *testing.T, format ClassicFormat) []byte {
	t.Helper()
	decode := hex.DecodeString
	if format == ClassicDSSE {
		decode = base64.StdEncoding.DecodeString
	}
	decoded, err := decode(s.Signature)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// openClassic returns what a verifier checks the signatures over.
func openClassic(t *testing.T, signed []byte, format ClassicFormat, content []byte) ([]byte, []classicSignature) {
	t.Helper()
	var document struct {
		metablock
		Payload     []byte `json:"payload"`
		PayloadType string `json:"payloadType"`
	}
	if err := json.Unmarshal(signed, &document); err != nil {
		t.Fatal(err)
	}
	if format == ClassicDSSE {
		if diff := cmp.Diff(content, document.Payload); diff != "" {
			t.Errorf("payload (-signed +found):\n%s", diff)
		}
		return dsse.PAE(document.PayloadType, document.Payload), document.Signatures
	}
	if diff := cmp.Diff(string(content), string(document.Signed)); diff != "" {
		t.Errorf("content (-signed +found):\n%s", diff)
	}
	message, err := CanonicalJSON(document.Signed)
	if err != nil {
		t.Fatal(err)
	}
	return message, document.Signatures
}

func verifies(t *testing.T, key any, message, signature []byte) bool {
	t.Helper()
	digest := sha256.Sum256(message)
	switch key := key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest[:], signature)
	case *rsa.PublicKey:
		return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil) == nil
	}
	t.Fatalf("a key of type %T", key)
	return false
}

func publicKey(t *testing.T, text string) any {
	t.Helper()
	if raw, err := hex.DecodeString(text); err == nil {
		return ed25519.PublicKey(raw)
	}
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func parseCertificate(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func sign(t *testing.T, request ClassicRequest) []byte {
	t.Helper()
	signed, err := SignClassic(request)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func withoutSpace(t *testing.T, text string) string {
	t.Helper()
	var all []byte
	decoder := json.NewDecoder(bytes.NewBufferString(text))
	for decoder.More() {
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, encoded...)
	}
	return string(all)
}

// corpusFiles finds files of the corpus beside the repository.
func corpusFiles(t *testing.T, patterns ...string) (found []string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "in-toto", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, files...)
	}
	if len(found) == 0 {
		t.Skip("the corpus is not here: expected it in ../shared/corpus beside the repository")
	}
	return found
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}
