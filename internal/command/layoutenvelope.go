package command

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/signer"
)

// dsseEnvelope is a DSSE envelope as it is written. Signatures stay as they are.
type dsseEnvelope struct {
	PayloadType string           `json:"payloadType"`
	Payload     string           `json:"payload"` // base64
	Signatures  []jsontext.Value `json:"signatures"`
}

// add puts a new bundle to the signatures that there are. A key that nobody but
// itself speaks for needs no bundle: its signature goes into the envelope, if the
// file is one, or else into one of its own on the next line.
func (d *layoutDraft) add(bundle []byte) ([]byte, error) {
	line := bundle
	if d.who.key != nil && len(d.at.services.Rekor)+len(d.at.services.TSA) == 0 {
		envelope, err := d.bare(bundle)
		if err != nil {
			return nil, err
		}
		if joined, ok := joinEnvelope(d.old, envelope); ok {
			return joined, nil
		}
		if line, err = encodeLine(envelope); err != nil {
			return nil, err
		}
	}
	old, err := oneLineEach(d.old)
	if err != nil {
		return nil, err
	}
	return append(append(old, line...), '\n'), nil
}

// bare takes the envelope out of a key's bundle, and names the key in it.
func (d *layoutDraft) bare(bundle []byte) (dsseEnvelope, error) {
	var b struct {
		Envelope struct {
			Payload    string
			Signatures []struct{ Sig string }
		} `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(bundle, &b, json.MatchCaseInsensitiveNames(true)); err != nil || len(b.Envelope.Signatures) != 1 {
		return dsseEnvelope{}, fmt.Errorf("reading the new signature: %w", err)
	}
	by, err := d.who.key.Signer()
	if err != nil {
		return dsseEnvelope{}, err
	}
	signature, err := json.Marshal(struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	}{by.Key, b.Envelope.Signatures[0].Sig})
	return dsseEnvelope{PayloadType: signer.PayloadType, Payload: b.Envelope.Payload, Signatures: []jsontext.Value{signature}}, err
}

// joinEnvelope adds a signature to a file that is one envelope and nothing else.
func joinEnvelope(old []byte, envelope dsseEnvelope) ([]byte, bool) {
	var there dsseEnvelope
	if len(old) == 0 || json.Unmarshal(old, &there, json.RejectUnknownMembers(true)) != nil {
		return nil, false
	}
	there.Signatures = append(there.Signatures, envelope.Signatures...)
	line, err := encodeLine(there)
	return append(line, '\n'), err == nil
}

func encodeLine(envelope dsseEnvelope) ([]byte, error) {
	line, err := json.Marshal(envelope)
	if err != nil {
		return nil, fmt.Errorf("writing the signed layout: %w", err)
	}
	return line, nil
}

// oneLineEach puts what is signed already on one line each, and changes nothing else.
func oneLineEach(old []byte) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(old))
	var out []byte
	for dec.PeekKind() != jsontext.KindInvalid {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("reading the signatures there are: %w", err)
		}
		line := value.Clone()
		if err := line.Compact(); err != nil {
			return nil, fmt.Errorf("reading the signatures there are: %w", err)
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}
