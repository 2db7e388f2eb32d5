package attestation

import (
	"bytes"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// FuzzEnvelope holds that any bytes give an envelope or a refusal, that nothing
// verifies but what the key has signed, and that a canonical form is the form of
// itself.
func FuzzEnvelope(f *testing.F) {
	key := classicTestKey(f, "alice", attestationtest.ClassicEd25519)
	trusted := Trusted{Keys: []InTotoKey{parsedKey(f, key)}, Authorities: &Authorities{}, Now: classicNow()}
	var payloads [][]byte
	for _, format := range []attestationtest.ClassicFormat{attestationtest.ClassicMetablock, attestationtest.ClassicDSSE} {
		file := signedText(f, linkText, attestationtest.ClassicRequest{Format: format, Keys: []*attestationtest.ClassicKey{key}})
		e, refused := ReadEnvelope("f", file)
		if refused != nil {
			f.Fatal(refused)
		}
		payloads = append(payloads, e.signed)
		f.Add(file)
		f.Add(bytes.Replace(file, []byte(`"signatures"`), []byte(`"Signatures"`), 1))
	}
	f.Add([]byte(`{"signed": {}, "signatures": [{"keyid": 1, "sig": "00", "other_headers": "04000108", "cert": "x"}]}`))
	f.Add([]byte(`{"signed": {"a": 1, "a": 2}, "signatures": []}`))
	f.Add([]byte(`{"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = EnvelopeForm(data)
		e, refused := ReadEnvelope("f", data)
		if (e == nil) == (refused == nil) {
			t.Fatalf("%v and %v", e, refused)
		}
		if refused != nil {
			if refused.ID != verdict.EnvelopeMalformed && refused.ID != verdict.AmbiguousKey || refused.Finding().Found == "" {
				t.Fatalf("refusal %+v", refused)
			}
			return
		}
		again, err := canonicalJSON(e.payload.raw)
		if err == nil {
			if twice, err := canonicalJSON(again); err == nil && !bytes.Equal(again, twice) { // a control character must be escaped in JSON
				t.Fatalf("%q and %q", again, twice)
			}
		}
		signed, refused := e.Verify(trusted)
		if (signed == nil) == (refused == nil) {
			t.Fatalf("%v and %v", signed, refused)
		}
		if signed != nil && !bytes.Equal(e.signed, payloads[0]) && !bytes.Equal(e.signed, payloads[1]) {
			t.Fatalf("verified %q", e.signed)
		}
		if e.Signatures() == MaxEnvelopeSignatures {
			return
		}
		added, err := e.Add(data, Added{KeyID: "00", Value: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		more, refused := ReadEnvelope("f", added)
		if refused != nil || more.Signatures() != e.Signatures()+1 || !bytes.Equal(more.signed, e.signed) || !more.NamesKey("00") {
			t.Fatalf("with one more signature it is %q, %v", added, refused)
		}
	})
}

// FuzzInTotoKey holds that a key that was read is somebody, verifies nothing by
// itself, and is known by every part of it.
func FuzzInTotoKey(f *testing.F) {
	for _, kind := range []string{attestationtest.ClassicEd25519, attestationtest.ClassicECDSA, attestationtest.ClassicRSA} {
		key := classicTestKey(f, "alice", kind)
		f.Add(attestationtest.EncodeClassic(key.JSON()))
		public, err := key.PEM()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(public)
	}
	f.Add([]byte(`{"type": "rsa", "method": "pgp+rsa-pkcsv1.5", "keyval": {"public": {"n": "` + strings.Repeat("cd", 256) + `", "e": "010001"}}, "subkeys": {"a": {"type": "eddsa", "method": "pgp+eddsa-ed25519", "keyval": {"public": {"q": "` + strings.Repeat("ab", 32) + `"}}}}}`))
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParseInTotoKey(data)
		if (err == nil) == key.Signer().IsZero() {
			t.Fatalf("%v, %v", key.Signer(), err)
		}
		for i, part := range key.parts {
			if part.signer.Key == "" || part.signer.Key != key.Fingerprints()[i] {
				t.Fatalf("part %+v", part)
			}
			for _, s := range []envelopeSignature{{}, {value: []byte{1}}, {value: []byte{1}, headers: []byte{4, 0, 1, 8, 0, 0}}} {
				if part.verify(s, nil, classicNow()) == nil {
					t.Fatalf("verified %+v", s)
				}
			}
		}
	})
}
