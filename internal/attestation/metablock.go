package attestation

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxEnvelopeSignatures bounds the signatures of one envelope of classic metadata.
const MaxEnvelopeSignatures = 64

// Envelope is signed in-toto metadata as it was found, a layout or a link: a
// Metablock, or a DSSE envelope with any number of signatures. Nothing in it is
// believed; Verify alone gives its content away. The zero value is nothing.
type Envelope struct {
	source, digest string
	form           Form
	// payload is the JSON object that was signed, and signed are the bytes that
	// signatures are over.
	payload    object
	signed     []byte
	signatures []envelopeSignature
}

// envelopeSignature is one signature. A key id is a hint.
type envelopeSignature struct {
	keyID       string
	value       []byte
	headers     []byte // of an OpenPGP signature; nil for any other
	certificate string // PEM, of ITE-7; may be empty
}

// Source says where the envelope was found.
func (e *Envelope) Source() string {
	if e == nil {
		return ""
	}
	return e.source
}

// Digest is "sha256:" and the hex digest of the envelope's own bytes.
func (e *Envelope) Digest() string {
	if e == nil {
		return ""
	}
	return e.digest
}

// HasSignatures reports whether anybody claims to have signed.
func (e *Envelope) HasSignatures() bool { return e != nil && len(e.signatures) > 0 }

// Unverified is the layout or link that the signatures claim to be over. Nobody has
// checked them: it is for those who lint a layout or only show it.
func (e *Envelope) Unverified() jsontext.Value {
	if e == nil {
		return nil
	}
	return e.payload.raw
}

// ClaimsKeys reports whether the payload has one of the keys. It is there to
// choose a reader for the document, and says nothing that may be believed.
func (e *Envelope) ClaimsKeys(names ...string) bool {
	for _, name := range names {
		if e != nil && e.payload.has(name) {
			return true
		}
	}
	return false
}

// Form is what signed metadata is wrapped in.
type Form int

// The forms of signed in-toto metadata.
const (
	NoEnvelope Form = iota
	Metablock
	DSSE
)

// EnvelopeForm recognises a document by its outermost keys, whatever else may be
// wrong with it.
func EnvelopeForm(data []byte) Form {
	switch {
	case !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
	case memberStarts(data, "signed") && memberStarts(data, "signatures"):
		return Metablock
	case memberStarts(data, "payload") && memberStarts(data, "payloadType"):
		return DSSE
	}
	return NoEnvelope
}

// memberStarts looks for a key at the top of an object, even of one that breaks
// off or repeats a key.
func memberStarts(data []byte, name string) bool {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
	for {
		token, err := dec.ReadToken()
		if err != nil || dec.StackDepth() > MaxDepth || dec.StackDepth() == 0 {
			return false
		}
		if dec.StackDepth() > 1 || token.Kind() != '"' {
			continue
		}
		if _, n := dec.StackIndex(1); n%2 == 1 && token.String() == name {
			return true
		}
	}
}

// ReadEnvelope reads one document of classic in-toto metadata.
//
//	{"signed": {…}, "signatures": [{"keyid": "…", "sig": "…"}]}
//	{"payload": "…", "payloadType": "application/vnd.in-toto+json", "signatures": [{"keyid": "…", "sig": "…"}]}
//
// (the appendix of ITE-5, and DSSE's envelope.md.) Duplicate keys, more data
// after the object, and numbers that canonical JSON does not have are refused.
func ReadEnvelope(source string, data []byte) (*Envelope, *Refusal) {
	if len(data) > MaxBundleSize {
		return nil, envelopeRefusal(source, tooLarge(len(data)))
	}
	document, err := scanObject(data)
	if err != nil {
		return nil, envelopeRefusal(source, err)
	}
	if len(bytes.TrimSpace(document.rest)) > 0 {
		return nil, envelopeRefusal(source, errors.New("more data after the document"))
	}
	sum := sha256.Sum256(data)
	e := &Envelope{source: source, digest: "sha256:" + hex.EncodeToString(sum[:])}
	if document.has("payload") {
		e.form, err = DSSE, e.readDSSE(document)
	} else {
		e.form, err = Metablock, e.readMetablock(document)
	}
	if err != nil {
		return nil, envelopeRefusal(source, err)
	}
	return e, nil
}

// envelopeRefusal has a finding of its own for keys that can be read two ways.
func envelopeRefusal(source string, err error) *Refusal {
	id := verdict.EnvelopeMalformed
	_, twice := errors.AsType[*duplicateKey](err)
	if _, variant := errors.AsType[*variantKey](err); twice || variant {
		id = verdict.AmbiguousKey
	}
	return refuse(source, id, &reason{
		found: "reading signed in-toto metadata", cause: err,
		expected: "a Metablock ({signed, signatures}) or a DSSE envelope, each key once", next: "have it signed again by a tool that writes the format as specified",
	})
}

func (e *Envelope) readMetablock(document object) error {
	if err := document.form("signed", "signatures"); err != nil {
		return err
	}
	payload, err := rescanObject(document.get("signed"))
	if err != nil {
		return fmt.Errorf("reading signed: %w", err)
	}
	e.payload = payload
	if e.signed, err = canonicalJSON(payload.raw); err != nil {
		return err
	}
	return e.readSignatures(document, hex.DecodeString)
}

func (e *Envelope) readDSSE(document object) error {
	if err := document.form("payload", "payloadType", "signatures"); err != nil {
		return err
	}
	if found := document.text("payloadType"); found != payloadType {
		return fmt.Errorf("the payload type is %.60q, expected %s", found, payloadType)
	}
	raw, err := decodeBase64(document.text("payload"))
	if err != nil || len(raw) == 0 {
		return errors.New("the payload is not base64")
	}
	if e.payload, err = scanObject(raw); err != nil {
		return fmt.Errorf("reading the payload: %w", err)
	}
	if len(bytes.TrimSpace(e.payload.rest)) > 0 {
		return errors.New("reading the payload: more data after the document")
	}
	e.signed = dsse.PAE(payloadType, raw)
	return e.readSignatures(document, decodeBase64)
}

// decodeBase64 reads both alphabets.
//
// "The verifier MUST accept either standard or URL-safe encoding." (DSSE,
// envelope.md)
func decodeBase64(text string) ([]byte, error) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if raw, err := encoding.Strict().DecodeString(text); err == nil {
			return raw, nil
		}
	}
	return nil, errors.New("not base64")
}

// form demands the members of one form. Those of the other, and keys that another
// reader takes for one of them, are refused; what else stands beside the signed
// part is signed by nobody and read by nobody.
func (o object) form(names ...string) error {
	for _, name := range names {
		if !o.has(name) {
			return fmt.Errorf("the document has no %q", name)
		}
	}
	for _, m := range o.members {
		for _, known := range []string{"signed", "signatures", "payload", "payloadType"} {
			switch {
			case !strings.EqualFold(m.name, known) || slices.Contains(names, m.name):
			case m.name != known:
				return &variantKey{m.name, known}
			default:
				return fmt.Errorf("the document has both %q and %q", names[0], m.name)
			}
		}
	}
	return nil
}

// variantKey is a key that some readers take for another.
type variantKey struct{ found, known string }

func (e *variantKey) Error() string { return fmt.Sprintf("key %q beside %q", e.found, e.known) }

func (e *Envelope) readSignatures(document object, decode func(string) ([]byte, error)) error {
	list, err := elements(document.get("signatures"))
	if err != nil {
		return fmt.Errorf("reading signatures: %w", err)
	}
	if len(list) > MaxEnvelopeSignatures {
		return fmt.Errorf("%d signatures, at most %d are read", len(list), MaxEnvelopeSignatures)
	}
	for i, raw := range list {
		signature, err := scanObject(raw)
		if err != nil {
			return fmt.Errorf("reading signature %d: %w", i+1, err)
		}
		e.signatures = append(e.signatures, readSignature(signature, decode))
	}
	return nil
}

// readSignature keeps what can be read: a signature that is garbage hides no
// other. (TestEverySignatureIsTried)
func readSignature(o object, decode func(string) ([]byte, error)) envelopeSignature {
	s := envelopeSignature{keyID: o.text("keyid"), certificate: o.text("cert")}
	if s.certificate == "" {
		s.certificate = o.text("certificate")
	}
	text := o.text("sig")
	// securesystemslib writes OpenPGP signatures under another name, in hex.
	if o.has("other_headers") {
		if text == "" {
			text = o.text("signature")
		}
		decode = hex.DecodeString
		s.headers, _ = hex.DecodeString(o.text("other_headers"))
		if s.headers == nil {
			s.headers = []byte{}
		}
	}
	if value, err := decode(text); err == nil {
		s.value = value
	}
	return s
}
