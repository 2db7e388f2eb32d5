package attestation

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxLayoutSignatures bounds the signatures around one layout.
const MaxLayoutSignatures = 256

// LayoutEnvelope is a layout with signatures around it, as it was found: a DSSE
// envelope with signatures of keys, Sigstore bundles, or lines of both. Nothing in
// it is believed, but one thing is known: all of it signs the same bytes. The zero
// value holds nothing.
type LayoutEnvelope struct {
	source     string
	payload    []byte
	signatures []layoutSignature
}

// layoutSignature is one signature: of a bundle, or bare.
type layoutSignature struct {
	source string
	bundle Candidate // its entity is nil where the signature is bare
	bare   []byte
}

// HoldsLayout reports whether data has the form of an envelope or a bundle, signed
// or not: it is then for ReadLayoutEnvelope, and no layout in the open.
func HoldsLayout(data []byte) bool {
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		document, err := scanObject(data)
		if err != nil { // broken behind its first line, or lines of which one is broken
			document, err = scanObject(line)
		}
		return err == nil && (document.has("payload", "signatures") || document.has("payloadType") || document.has("mediaType", "verificationMaterial"))
	}
	return false
}

// ReadLayoutEnvelope reads a DSSE envelope, a Sigstore bundle, or several of either,
// one a line. All must hold the same payload, byte for byte: a JSON object of the
// payload type application/vnd.in-toto+json.
func ReadLayoutEnvelope(source string, data []byte) (*LayoutEnvelope, *Refusal) {
	malformed := func(err error) *Refusal {
		return refuse(source, verdict.LayoutMalformed, &reason{
			found: "reading the signed layout", cause: err,
			expected: "a DSSE envelope or Sigstore bundles around one layout, one a line",
			next:     "have the layout signed again with  signatus layout sign",
		})
	}
	if len(data) > MaxBundleSize {
		return nil, malformed(tooLarge(len(data)))
	}
	pieces, err := layoutPieces(source, data)
	if err != nil {
		return nil, malformed(err)
	}
	e := &LayoutEnvelope{source: source}
	for _, p := range pieces {
		if err := e.add(p); err != nil {
			return nil, malformed(fmt.Errorf("%s: %w", p.source, err))
		}
	}
	document, err := scanObject(e.payload)
	if err == nil && len(bytes.TrimSpace(document.rest)) > 0 {
		err = errors.New("more data after the layout")
	}
	if found := document.text("_type"); err == nil && found != "layout" {
		err = fmt.Errorf("its _type is %.80q, expected layout", found)
	}
	if err != nil {
		return nil, malformed(fmt.Errorf("reading its payload: %w", err))
	}
	return e, nil
}

// layoutPiece is one envelope or bundle, and where it was found.
type layoutPiece struct {
	source   string
	document object
}

// layoutPieces takes a file apart: one object, or one a line.
func layoutPieces(source string, data []byte) ([]layoutPiece, error) {
	whole, err := scanObject(data)
	if err == nil && len(bytes.TrimSpace(whole.rest)) == 0 {
		return []layoutPiece{{source, whole}}, nil
	}
	if err != nil && !looksLikeLines(data) {
		return nil, err
	}
	var pieces []layoutPiece
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		document, err := scanObject(line)
		if err == nil && len(document.rest) > 0 {
			err = errors.New("more data after the object")
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", number, err)
		case len(pieces) == MaxLayoutSignatures:
			return nil, fmt.Errorf("more than %d envelopes", MaxLayoutSignatures)
		}
		pieces = append(pieces, layoutPiece{fmt.Sprintf("%s line %d", source, number), document})
	}
	return pieces, nil
}

// add takes what one envelope or bundle signs, and holds it to the others.
func (e *LayoutEnvelope) add(p layoutPiece) error {
	payload, signatures, err := p.read()
	switch {
	case err != nil:
		return err
	case e.payload != nil && !bytes.Equal(e.payload, payload):
		return errors.New("it signs another document than those before it")
	case len(e.signatures)+len(signatures) > MaxLayoutSignatures:
		return fmt.Errorf("more than %d signatures", MaxLayoutSignatures)
	}
	e.payload, e.signatures = payload, append(e.signatures, signatures...)
	return nil
}

func (p layoutPiece) read() (payload []byte, signatures []layoutSignature, err error) {
	if p.document.has("payload") && !p.document.has("mediaType") {
		return p.readEnvelope()
	}
	c, refused := candidateOf(p.source, p.document)
	if refused == nil {
		refused = c.parse()
	}
	if refused != nil {
		return nil, nil, errors.New(refused.Finding().Found) // what it expects is said here in other words
	}
	if c.entity.isMessage() {
		return nil, nil, errors.New("it signs a digest, not a layout")
	}
	if err := isLayoutPayload(c.entity.signed.EnvelopeContent().RawEnvelope().PayloadType, c.entity.payload); err != nil {
		return nil, nil, err
	}
	return c.entity.payload, []layoutSignature{{source: p.source, bundle: c}}, nil
}

// readEnvelope reads a DSSE envelope, which proves nothing without a key.
func (p layoutPiece) readEnvelope() (payload []byte, signatures []layoutSignature, err error) {
	bare, err := parseEnvelope(p.document)
	if err != nil {
		return nil, nil, err
	}
	if len(bare.extended) > 0 {
		return nil, nil, fmt.Errorf("signature %d has an extension, which no layout's has", bare.extended[0].number)
	}
	if err := isLayoutPayload(bare.payloadType, bare.payload); err != nil {
		return nil, nil, err
	}
	for i, signature := range bare.signatures {
		signatures = append(signatures, layoutSignature{source: fmt.Sprintf("%s signature %d", p.source, i+1), bare: signature})
	}
	return bare.payload, signatures, nil
}

func isLayoutPayload(found string, payload []byte) error {
	switch {
	case found != payloadType:
		return fmt.Errorf("its payload type is %.80q, expected %s", found, payloadType)
	case len(payload) == 0:
		return errors.New("its payload is empty")
	}
	return nil
}

// anyBase64 reads both alphabets.
//
// "The verifier MUST accept either standard or URL-safe encoding." (DSSE v1.0,
// envelope.md)
func anyBase64(text string) ([]byte, error) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if raw, err := encoding.Strict().DecodeString(text); err == nil && len(raw) > 0 {
			return raw, nil
		}
	}
	return nil, errors.New("it is not base64, or empty")
}

// Source says where the layout was found.
func (e *LayoutEnvelope) Source() string {
	if e == nil {
		return ""
	}
	return e.source
}

// Unverified is the layout that the signatures claim to be over. Nobody has checked
// them: it is for those who would trust the file as it stands, or only show it.
func (e *LayoutEnvelope) Unverified() []byte {
	if e == nil {
		return nil
	}
	return e.payload
}

// Signatures counts the signatures, of which none has been checked.
func (e *LayoutEnvelope) Signatures() int {
	if e == nil {
		return 0
	}
	return len(e.signatures)
}
