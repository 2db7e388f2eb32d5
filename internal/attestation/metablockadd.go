package attestation

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Signatures is how many there are, whoever made them.
func (e *Envelope) Signatures() int {
	if e == nil {
		return 0
	}
	return len(e.signatures)
}

// NamesKey reports whether a signature claims to be by the key of an id. Nobody has
// checked it.
func (e *Envelope) NamesKey(id string) bool {
	return e != nil && slices.ContainsFunc(e.signatures, func(s envelopeSignature) bool { return s.keyID == id })
}

// Signable is what a signature is over: the canonical form of a Metablock's signed part
// as it was received, or the pre-authentication encoding of a DSSE payload.
func (e *Envelope) Signable() []byte {
	if e == nil {
		return nil
	}
	return bytes.Clone(e.signed)
}

// Added is a signature to be put to a document.
type Added struct {
	KeyID string
	Value []byte
}

// Add puts a signature behind those that there are, and gives the document with it; data
// is what the envelope was read from. Nothing else of the document changes, not a byte:
// neither what was signed nor anybody's signature. What comes of it is to be read again.
func (e *Envelope) Add(data []byte, added Added) ([]byte, error) {
	sum := sha256.Sum256(data)
	if e == nil || e.digest != "sha256:"+hex.EncodeToString(sum[:]) {
		return nil, errors.New("adding a signature: it is another document than was read")
	}
	text := hex.EncodeToString(added.Value)
	if e.form == DSSE {
		text = base64.StdEncoding.EncodeToString(added.Value)
	}
	signature, err := json.Marshal(struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	}{added.KeyID, text})
	if err != nil {
		return nil, fmt.Errorf("adding a signature: %w", err)
	}
	begin, end, err := signatureList(data)
	if err != nil {
		return nil, fmt.Errorf("adding a signature: %w", err)
	}
	// Written as the first one is: on a line of its own, or not.
	const space = " \t\r\n"
	list := bytes.TrimRight(data[begin:end], space)
	if first := bytes.TrimLeft(list, space); len(first) > 0 {
		signature = slices.Concat([]byte(","), list[:len(list)-len(first)], signature)
	}
	at := begin + len(list)
	return slices.Concat(data[:at], signature, data[at:]), nil
}

// signatureList finds what stands between the brackets of a document's signatures.
func signatureList(data []byte) (begin, end int, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return 0, 0, err
		}
		if _, n := dec.StackIndex(1); dec.StackDepth() != 1 || n%2 != 1 || token.String() != "signatures" {
			continue
		}
		if token, err = dec.ReadToken(); err != nil || token.Kind() != '[' {
			return 0, 0, errors.New("its signatures are no list")
		}
		begin := int(dec.InputOffset())
		for dec.PeekKind() != ']' {
			if err := dec.SkipValue(); err != nil {
				return 0, 0, err
			}
		}
		if _, err := dec.ReadToken(); err != nil {
			return 0, 0, err
		}
		return begin, int(dec.InputOffset()) - 1, nil
	}
}
