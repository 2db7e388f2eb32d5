package attestation

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// sigstoreExtension is how gittuf has a signature through Sigstore in an envelope: sig
// is a message signature over the envelope's pre-authentication encoding, in JSON, and
// the extension is a bundle's verification material.
//
//	{"keyid": …, "sig": base64, "extension": {"kind": …, "ext": {…}}}
//
// Source: https://github.com/gittuf/gittuf/blob/main/internal/signerverifier/dsse/dsse.go
const sigstoreExtension = "application/vnd.dev.sigstore.verificationmaterial;version=0.3"

// extended is a signature with an extension, as it was found.
type extended struct {
	number int // among the envelope's signatures, from 1
	raw    jsontext.Value
	object object
}

// candidatesOfEnvelope reads a bare envelope: one candidate for its signatures by keys,
// and one for each by Sigstore. One that cannot be read hides none of the others.
func candidatesOfEnvelope(source string, document object) (found []Candidate, refused []*Refusal) {
	c, why := candidateOfEnvelope(source, document)
	if why != nil {
		return nil, []*Refusal{why}
	}
	bare := c.entity.bare
	if len(bare.signatures) > 0 {
		found = append(found, c)
	}
	for _, e := range bare.extended {
		place := source
		if len(bare.signatures)+len(bare.extended) > 1 {
			place = fmt.Sprintf("%s signature %d", source, e.number)
		}
		pb, err := e.bundle(bare)
		if err != nil {
			refused = append(refused, refuse(place, verdict.BundleMalformed, &reason{
				found: "reading a signature with an extension", cause: err,
				expected: "a key's signature alone, or gittuf's through Sigstore", next: "sign it again with gittuf, or hand a Sigstore bundle",
			}))
			continue
		}
		one, why := newCandidate(place, e.alone(document), pb)
		if why != nil {
			refused = append(refused, why)
			continue
		}
		one.entity.wrapped = bare
		found = append(found, one)
	}
	return found, refused
}

// alone is the envelope with this signature and no other, of which the candidate has
// its digest.
func (e extended) alone(document object) []byte {
	return fmt.Appendf(nil, `{"payloadType":%s,"payload":%s,"signatures":[%s]}`, document.get("payloadType"), document.get("payload"), e.raw)
}

// bundle is the bundle that the signature is a part of. Its digest is computed here, so
// that it can be no other document's; what the signature says for it must agree.
// TestGittufExtension
func (e extended) bundle(bare *bareEnvelope) (*protobundle.Bundle, error) {
	extension, err := scanObject(e.object.get("extension"))
	if err == nil {
		err = checkKeys(extension, "kind", "ext")
	}
	if err != nil {
		return nil, fmt.Errorf("reading its extension: %w", err)
	}
	if kind := extension.text("kind"); kind != sigstoreExtension {
		return nil, fmt.Errorf("its extension is of the kind %.80q, expected %s", kind, sigstoreExtension)
	}
	material := &protobundle.VerificationMaterial{}
	if err := unmarshalStrictly(extension.get("ext"), material); err != nil {
		return nil, fmt.Errorf("reading its verification material: %w", err)
	}
	if material.GetCertificate() == nil {
		return nil, errors.New("its verification material has no certificate")
	}
	encoded, err := anyBase64(e.object.text("sig"))
	if err != nil {
		return nil, fmt.Errorf("reading its signature: %w", err)
	}
	message := &protocommon.MessageSignature{}
	if err := unmarshalStrictly(encoded, message); err != nil {
		return nil, fmt.Errorf("reading its message signature: %w", err)
	}
	if err := isDigestOf(message.GetMessageDigest(), dsse.PAE(bare.payloadType, bare.payload)); err != nil {
		return nil, err
	}
	return &protobundle.Bundle{
		MediaType:            mediaType + ".v0.3+json",
		VerificationMaterial: material,
		Content:              &protobundle.Bundle_MessageSignature{MessageSignature: message},
	}, nil
}

// unmarshalStrictly reads one JSON object without duplicate keys as a message.
func unmarshalStrictly(data []byte, into proto.Message) error {
	document, err := scanObject(data)
	if err == nil && len(bytes.TrimSpace(document.rest)) > 0 {
		err = errors.New("more data after the object")
	}
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(document.raw, into); err != nil {
		return protoError(err)
	}
	return nil
}

// isDigestOf demands that a signature was made over the digest of the message.
func isDigestOf(stated *protocommon.HashOutput, message []byte) error {
	hashes := map[protocommon.HashAlgorithm]crypto.Hash{
		protocommon.HashAlgorithm_SHA2_256: crypto.SHA256,
		protocommon.HashAlgorithm_SHA2_384: crypto.SHA384,
		protocommon.HashAlgorithm_SHA2_512: crypto.SHA512,
	}
	hash, known := hashes[stated.GetAlgorithm()]
	if !known {
		return fmt.Errorf("its message digest is %s, expected SHA2_256, SHA2_384 or SHA2_512", stated.GetAlgorithm())
	}
	h := hash.New()
	h.Write(message)
	if !bytes.Equal(h.Sum(nil), stated.GetDigest()) {
		return errors.New("its message digest is another document's than the envelope's")
	}
	return nil
}
