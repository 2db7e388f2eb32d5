package attestation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

func classicNow() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }

func classicTestKey(t testing.TB, name, kind string) *attestationtest.ClassicKey {
	t.Helper()
	key, err := attestationtest.NewClassicKey("metablocks", name, kind)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func parsedKey(t testing.TB, key *attestationtest.ClassicKey) InTotoKey {
	t.Helper()
	parsed, err := ParseInTotoKey(attestationtest.EncodeClassic(key.JSON()))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// signedText signs a JSON text, or fails.
func signedText(t testing.TB, text string, request attestationtest.ClassicRequest) []byte {
	t.Helper()
	request.Signed = []byte(text)
	file, err := attestationtest.SignClassic(request)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

const linkText = `{"_type": "link", "name": "src", "materials": {}, "products": {"a\"b\\c\u00e9": {"sha256": "00"}}, "n": 7}`

// TestCanonicalJSON writes values as http://wiki.laptop.org/go/Canonical_JSON has it.
func TestCanonicalJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`: `{}`, ` [ ] `: `[]`, `null`: `null`, `[true,false]`: `[true,false]`,
		`{"b":1,"a":[{"d":2,"c":"x"}],"B":null}`:   `{"B":null,"a":[{"c":"x","d":2}],"b":1}`,
		`"a\"b\\c\u00e9\n\u0001"`:                  "\"a\\\"b\\\\cé\n\x01\"",
		`{"\ud83d\ude00":1,"\uffff":2,"\u00e9":3}`: "{\"é\":3,\"\uffff\":2,\"😀\":1}",
		`-0`:                             `0`,
		`123456789012345678901234567890`: `123456789012345678901234567890`,
		"{\"a\": \"\u2028\\/\"}":         "{\"a\":\"\u2028/\"}",
		strings.Repeat("[", 64) + strings.Repeat("]", 64): strings.Repeat("[", 64) + strings.Repeat("]", 64),
		`1.0`: "", `1e3`: "", `[1.5]`: "", `{"a":1,"a":2}`: "", `{"a"`: "", `"\ud800"`: "", "\"\xff\"": "",
		strings.Repeat("[", 65) + strings.Repeat("]", 65): "",
	} {
		got, err := canonicalJSON([]byte(text))
		if (err == nil) != (want != "") || err == nil && string(got) != want {
			t.Errorf("%.40s: %q, %v; expected %q", text, got, err, want)
		}
	}
}

// TestEnvelopeForms reads both forms, with keys of every kind, and gives the very
// payload.
func TestEnvelopeForms(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{attestationtest.ClassicEd25519, attestationtest.ClassicECDSA, attestationtest.ClassicRSA} {
		key, other := classicTestKey(t, "alice", kind), classicTestKey(t, "bob", kind)
		pem, err := key.PEM()
		if err != nil {
			t.Fatal(err)
		}
		byPEM, err := ParseInTotoKey(pem)
		if err != nil {
			t.Fatal(err)
		}
		python, err := key.Python()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []attestationtest.ClassicFormat{attestationtest.ClassicMetablock, attestationtest.ClassicDSSE} {
			envelope, refused := ReadEnvelope("f", signedText(t, linkText, attestationtest.ClassicRequest{Format: format, Keys: []*attestationtest.ClassicKey{key}}))
			if refused != nil {
				t.Fatal(refused)
			}
			for name, one := range map[string]InTotoKey{"key JSON": parsedKey(t, key), "PEM": byPEM, "another id": parsedKey(t, python)} {
				signed, refused := envelope.Verify(Trusted{Keys: []InTotoKey{parsedKey(t, other), one}, Now: classicNow()})
				if refused != nil {
					t.Errorf("%s %s %s: %v", kind, format, name, refused)
					continue
				}
				if len(signed.SignedBy()) != 1 || signed.SignedBy()[0].Signer().Key != byPEM.Signer().Key || signed.Source() != "f" {
					t.Errorf("%s %s %s: signed by %v", kind, format, name, signed.SignedBy())
				}
				if diff := cmp.Diff(asValue(t, linkText), asValue(t, string(signed.Payload()))); diff != "" {
					t.Errorf("%s %s: payload (-want +got):\n%s", kind, format, diff)
				}
			}
			if signed, refused := envelope.Verify(Trusted{Keys: []InTotoKey{parsedKey(t, other)}, Now: classicNow()}); refused == nil || signed != nil {
				t.Errorf("%s %s: verified with another key", kind, format)
			}
		}
	}
}

func asValue(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestEverySignatureIsTried holds that neither a wrong key id nor a signature that
// is garbage hides a good one, and that who signs twice is there once.
func TestEverySignatureIsTried(t *testing.T) {
	t.Parallel()
	alice, bob := classicTestKey(t, "alice", attestationtest.ClassicEd25519), classicTestKey(t, "bob", attestationtest.ClassicECDSA)
	trusted := Trusted{Keys: []InTotoKey{parsedKey(t, alice), parsedKey(t, bob)}, Now: classicNow()}
	for _, format := range []attestationtest.ClassicFormat{attestationtest.ClassicMetablock, attestationtest.ClassicDSSE} {
		for broken, want := range map[attestationtest.ClassicBreak]int{
			"": 2, attestationtest.ClassicBreakGarbageFirst: 2, attestationtest.ClassicBreakKeyID: 2, attestationtest.ClassicBreakTwice: 2,
			attestationtest.ClassicBreakSignature: 1, attestationtest.ClassicBreakContent: 0, attestationtest.ClassicBreakText: 0, attestationtest.ClassicBreakUnsigned: 0,
		} {
			file := signedText(t, linkText, attestationtest.ClassicRequest{Format: format, Keys: []*attestationtest.ClassicKey{alice, bob}, Break: []attestationtest.ClassicBreak{broken}})
			envelope, refused := ReadEnvelope("f", file)
			if refused != nil {
				t.Fatal(refused)
			}
			signed, refused := envelope.Verify(trusted)
			if got := len(signed.SignedBy()); got != want || (refused == nil) != (want > 0) {
				t.Errorf("%s %q: %d signers, expected %d: %v", format, broken, got, want, refused)
			}
		}
	}
}

// TestEnvelopeMutations breaks one thing in an envelope's form.
func TestEnvelopeMutations(t *testing.T) {
	t.Parallel()
	key := classicTestKey(t, "alice", attestationtest.ClassicEd25519)
	metablock := string(signedText(t, linkText, attestationtest.ClassicRequest{Keys: []*attestationtest.ClassicKey{key}}))
	envelope := string(signedText(t, linkText, attestationtest.ClassicRequest{Format: attestationtest.ClassicDSSE, Keys: []*attestationtest.ClassicKey{key}}))
	in := func(text, old, changed string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in %s", old, text)
		}
		return strings.Replace(text, old, changed, 1)
	}
	dsseOf := func(payload string) string {
		return string(signedText(t, payload, attestationtest.ClassicRequest{Format: attestationtest.ClassicDSSE, Keys: []*attestationtest.ClassicKey{key}}))
	}
	for _, row := range []struct {
		name, text string
		want       verdict.ID // empty where it is read
	}{
		{"a Metablock", metablock, ""},
		{"an envelope", envelope, ""},
		{"white space around it", " \n" + metablock + "\n ", ""},
		{"empty", "", verdict.EnvelopeMalformed},
		{"broken off", metablock[:len(metablock)/2], verdict.EnvelopeMalformed},
		{"a list", "[" + metablock + "]", verdict.EnvelopeMalformed},
		{"more behind it", metablock + "{}", verdict.EnvelopeMalformed},
		{"a key twice", in(metablock, `"signatures"`, `"signatures": [], "signatures"`), verdict.AmbiguousKey},
		{"a key twice, inside", in(metablock, `"name": "src"`, `"name": "src", "name": "src"`), verdict.AmbiguousKey},
		{"a key twice, inside an envelope", dsseOf(`{"_type": "link", "_type": "link"}`), verdict.AmbiguousKey},
		{"a key beside the signed part", in(metablock, `"signatures"`, `"hint": 1, "signatures"`), ""},
		{"a key in another case", in(metablock, `"signatures"`, `"Signed": {}, "signatures"`), verdict.AmbiguousKey},
		{"both forms", in(metablock, `"signatures"`, `"payload": "e30=", "signatures"`), verdict.EnvelopeMalformed},
		{"no signatures", `{"signed": {}}`, verdict.EnvelopeMalformed},
		{"nothing signed", `{"signatures": []}`, verdict.EnvelopeMalformed},
		{"signed is no object", `{"signed": [], "signatures": []}`, verdict.EnvelopeMalformed},
		{"signatures are no list", `{"signed": {}, "signatures": {}}`, verdict.EnvelopeMalformed},
		{"a signature is no object", `{"signed": {}, "signatures": [1]}`, verdict.EnvelopeMalformed},
		{"a fraction", in(metablock, `"n": 7`, `"n": 0.5`), verdict.EnvelopeMalformed},
		{"an exponent", in(metablock, `"n": 7`, `"n": 1e3`), verdict.EnvelopeMalformed},
		{"a fraction in an envelope", dsseOf(`{"_type": "link", "n": 0.5}`), ""},
		{"nested too deep", in(metablock, `"n": 7`, `"n": `+strings.Repeat("[", 70)+strings.Repeat("]", 70)), verdict.EnvelopeMalformed},
		{"another payload type", in(envelope, "application/vnd.in-toto+json", "text/plain"), verdict.EnvelopeMalformed},
		{"no base64", in(envelope, `"payload": "`, `"payload": "!`), verdict.EnvelopeMalformed},
		{"an empty payload", `{"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": []}`, verdict.EnvelopeMalformed},
		{"a payload that is a list", dsseOf(`[1]`), verdict.EnvelopeMalformed},
		{"not UTF-8", in(metablock, "src", "sr\xff"), verdict.EnvelopeMalformed},
		{"too large", in(metablock, "src", strings.Repeat("s", MaxBundleSize)), verdict.EnvelopeMalformed},
	} {
		e, refused := ReadEnvelope("f", []byte(row.text))
		switch {
		case row.want == "" && refused != nil:
			t.Errorf("%s: %v", row.name, refused)
		case row.want != "" && (e != nil || refused == nil || refused.ID != row.want):
			t.Errorf("%s: %v, expected %s", row.name, refused, row.want)
		}
		if refused != nil && (refused.Finding().Found == "" || refused.Finding().Next == "" || refused.Source != "f") {
			t.Errorf("%s: %+v", row.name, refused.Finding())
		}
	}
	for n, want := range map[int]bool{MaxEnvelopeSignatures: true, MaxEnvelopeSignatures + 1: false} {
		text := fmt.Sprintf(`{"signed": {}, "signatures": [%s]}`, strings.TrimSuffix(strings.Repeat(`{},`, n), ","))
		if _, refused := ReadEnvelope("f", []byte(text)); (refused == nil) != want {
			t.Errorf("%d signatures: %v", n, refused)
		}
	}
}

// TestEnvelopeForm recognises a form in what is broken, too.
func TestEnvelopeForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Form{
		`{"signed": {}, "signatures": []}`:                       Metablock,
		`{"signatures": [], "signatures": [], "signed": {"a": 1`: Metablock,
		`{"payload": "", "payloadType": ""`:                      DSSE,
		`{"a": {"signed": 1, "signatures": 2}}`:                  NoEnvelope,
		`{"a": "signed", "b": "signatures"}`:                     NoEnvelope,
		`{"signed": {}}`:                                         NoEnvelope, `signed: {}`: NoEnvelope, ``: NoEnvelope, `[]`: NoEnvelope, `{`: NoEnvelope, `{}`: NoEnvelope,
		strings.Repeat(`{"a":`, 100): NoEnvelope,
	} {
		if got := EnvelopeForm([]byte(text)); got != want {
			t.Errorf("%.40s: %d, expected %d", text, got, want)
		}
	}
}

// TestZeroEnvelope holds that nothing is signed by nobody.
func TestZeroEnvelope(t *testing.T) {
	t.Parallel()
	key := parsedKey(t, classicTestKey(t, "alice", attestationtest.ClassicEd25519))
	for _, e := range []*Envelope{nil, {}} {
		if signed, refused := e.Verify(Trusted{Keys: []InTotoKey{key}, Now: classicNow()}); signed != nil || refused == nil {
			t.Errorf("%v: verified", e)
		}
		if e.Source() != "" || e.Digest() != "" || e.HasSignatures() || e.ClaimsKeys("a") {
			t.Errorf("%v: says something", e)
		}
	}
	for _, s := range []*Signed{nil, {}} {
		if s.Payload() != nil || s.SignedBy() != nil || s.Source() != "" || s.Digest() != "" {
			t.Errorf("%v: says something", s)
		}
	}
	var zero InTotoKey
	if !zero.Signer().IsZero() || slices.Contains(zero.Fingerprints(), "") {
		t.Error("the zero key is somebody")
	}
}
