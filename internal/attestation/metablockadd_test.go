package attestation

import (
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// TestAddSignature puts a signature behind others, and changes nothing else.
func TestAddSignature(t *testing.T) {
	t.Parallel()
	const metablock, dsse = `"keyid":"00","sig":"0102"`, `"keyid":"00","sig":"AQI="`
	for before, want := range map[string]string{
		`{"signed":{"signatures":["a"]},"signatures":[]}`:                        `{"signed":{"signatures":["a"]},"signatures":[{` + metablock + `}]}`,
		`{"signatures": [ ], "signed": {}}` + "\n":                               `{"signatures": [{` + metablock + `} ], "signed": {}}` + "\n",
		`{"signed":{},"signatures":[{"keyid":"1","sig":"]"}]}`:                   `{"signed":{},"signatures":[{"keyid":"1","sig":"]"},{` + metablock + `}]}`,
		"{\"signed\":{},\"signatures\":[\n  {\"keyid\":\"1\"}\n ]}":              "{\"signed\":{},\"signatures\":[\n  {\"keyid\":\"1\"},\n  {" + metablock + "}\n ]}",
		`{"x":"signatures","signed":{},"signatures":[1],"y":[]}`:                 "",
		`{"payload":"e30=","payloadType":"` + payloadType + `","signatures":[]}`: `{"payload":"e30=","payloadType":"` + payloadType + `","signatures":[{` + dsse + `}]}`,
	} {
		e, refused := ReadEnvelope("f", []byte(before))
		if want == "" {
			if refused == nil {
				t.Errorf("%s is read", before)
			}
			continue
		}
		if refused != nil {
			t.Fatal(refused)
		}
		got, err := e.Add([]byte(before), Added{KeyID: "00", Value: []byte{1, 2}})
		if err != nil || string(got) != want {
			t.Errorf("%s, %v\n expected %s", got, err, want)
		}
	}
}

// What was read and what is written are one document, and its bounds hold.
func TestAddSignatureRefuses(t *testing.T) {
	t.Parallel()
	data := signedText(t, linkText, attestationtest.ClassicRequest{Keys: []*attestationtest.ClassicKey{classicTestKey(t, "alice", attestationtest.ClassicEd25519)}})
	e, refused := ReadEnvelope("f", data)
	if refused != nil {
		t.Fatal(refused)
	}
	if _, err := e.Add(append([]byte(" "), data...), Added{}); err == nil {
		t.Error("a signature is added to another document")
	}
	var none *Envelope
	if _, err := none.Add(nil, Added{}); err == nil || none.Signatures() != 0 || none.NamesKey("") || none.Signable() != nil {
		t.Error("nothing has signatures")
	}
	full := []byte(`{"signed":{},"signatures":[` + strings.TrimSuffix(strings.Repeat(`{},`, MaxEnvelopeSignatures), ",") + `]}`)
	if e, refused = ReadEnvelope("f", full); refused != nil {
		t.Fatal(refused)
	}
	more, err := e.Add(full, Added{})
	if err != nil {
		t.Fatal(err)
	}
	if _, refused := ReadEnvelope("f", more); refused == nil {
		t.Errorf("%d signatures are read", MaxEnvelopeSignatures+1)
	}
}
