package attestationtest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// ClassicFormat is what a layout or link is wrapped in.
type ClassicFormat string

// Both formats of classic in-toto.
const (
	ClassicMetablock ClassicFormat = "metablock"
	ClassicDSSE      ClassicFormat = "dsse"
)

// classicPayloadType is how in-toto marks its DSSE payloads.
const classicPayloadType = "application/vnd.in-toto+json"

// ClassicBreak is one thing to be wrong with a signed layout or link.
type ClassicBreak string

// What can be wrong. The last three are no forgeries: a verifier that tries
// every signature and takes the key id for a hint accepts them.
const (
	// ClassicBreakSignature flips a bit of the first signature.
	ClassicBreakSignature ClassicBreak = "signature"
	// ClassicBreakContent signs other content than the document has.
	ClassicBreakContent ClassicBreak = "content"
	// ClassicBreakText signs the JSON as it stands and not its canonical form
	// (Metablock), or the payload without its type (DSSE).
	ClassicBreakText ClassicBreak = "text"
	// ClassicBreakPayloadType signs one payload type and names another (DSSE).
	ClassicBreakPayloadType ClassicBreak = "payload-type"
	// ClassicBreakUnsigned has no signature at all.
	ClassicBreakUnsigned ClassicBreak = "unsigned"

	// ClassicBreakGarbageFirst puts a worthless signature with the same key id
	// in front of the first one.
	ClassicBreakGarbageFirst ClassicBreak = "garbage-first"
	// ClassicBreakKeyID names other keys than those that signed.
	ClassicBreakKeyID ClassicBreak = "key-id"
	// ClassicBreakTwice has every signature twice.
	ClassicBreakTwice ClassicBreak = "twice"
)

// ClassicRequest says what to sign, and how.
type ClassicRequest struct {
	// Signed is the layout or link, a JSON text: required. It comes back in the
	// document byte for byte, duplicate keys and all.
	Signed []byte
	// Format is a Metablock if empty.
	Format ClassicFormat
	// PayloadType of a DSSE envelope: in-toto's if empty.
	PayloadType string
	Keys        []*ClassicKey
	Break       []ClassicBreak
}

// SignClassic returns a signed layout or link, the bytes of its file.
func SignClassic(request ClassicRequest) ([]byte, error) {
	if request.PayloadType == "" {
		request.PayloadType = classicPayloadType
	}
	toSign, err := request.toSign()
	if err != nil {
		return nil, err
	}
	signatures, err := request.signatures(toSign)
	if err != nil {
		return nil, err
	}
	if request.Format == ClassicDSSE {
		return EncodeClassic(map[string]any{
			"payloadType": request.PayloadType,
			"payload":     base64.StdEncoding.EncodeToString(request.Signed),
			"signatures":  signatures,
		}), nil
	}
	// Not through the encoder, which would put the signed text in order.
	return fmt.Appendf(nil, "{\n\"signed\": %s,\n\"signatures\": %s\n}\n", request.Signed, EncodeClassic(signatures)), nil
}

// toSign returns the bytes under the signatures.
func (r *ClassicRequest) toSign() ([]byte, error) {
	if !json.Valid(r.Signed) {
		return nil, errors.New("signing a classic document: the content is no JSON")
	}
	content := r.Signed
	if r.has(ClassicBreakContent) {
		content = []byte(`{"other": "content"}`)
	}
	switch {
	case r.has(ClassicBreakText):
		return content, nil
	case r.Format == ClassicDSSE && r.has(ClassicBreakPayloadType):
		return dsse.PAE("text/plain", content), nil
	case r.Format == ClassicDSSE:
		return dsse.PAE(r.PayloadType, content), nil
	}
	return CanonicalJSON(content)
}

func (r *ClassicRequest) signatures(message []byte) ([]map[string]any, error) {
	signatures := []map[string]any{}
	if r.has(ClassicBreakUnsigned) {
		return signatures, nil
	}
	for i, key := range r.Keys {
		signature, err := key.sign(message)
		if err != nil {
			return nil, err
		}
		if i == 0 && r.has(ClassicBreakGarbageFirst) {
			signatures = append(signatures, r.signature(key, make([]byte, len(signature))))
		}
		if i == 0 && r.has(ClassicBreakSignature) {
			signature[len(signature)-1] ^= 1
		}
		signatures = append(signatures, r.signature(key, signature))
	}
	if r.has(ClassicBreakTwice) {
		signatures = append(signatures, signatures...)
	}
	return signatures, nil
}

// signature writes one signature: hexadecimal in a Metablock (ITE-5, appendix),
// base64 in an envelope. A certificate stands beside it as "cert", as
// in-toto-golang spells it.
func (r *ClassicRequest) signature(key *ClassicKey, signature []byte) map[string]any {
	encoded := hex.EncodeToString(signature)
	if r.Format == ClassicDSSE {
		encoded = base64.StdEncoding.EncodeToString(signature)
	}
	written := map[string]any{"keyid": key.ID, "sig": encoded}
	if r.has(ClassicBreakKeyID) {
		written["keyid"] = hex.EncodeToString(make([]byte, 32))
	}
	if key.Certificate != "" {
		written["cert"] = key.Certificate
	}
	return written
}

func (r *ClassicRequest) has(b ClassicBreak) bool { return slices.Contains(r.Break, b) }
