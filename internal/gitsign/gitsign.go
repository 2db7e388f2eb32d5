// Package gitsign turns the signature of a gitsign commit or tag, a CMS message,
// into a Sigstore bundle. It reads the message strictly and verifies nothing but
// that it speaks of the object's payload: certificate, signature, log entry and
// timestamps are for whoever opens the bundle under a trusted root.
//
// Source: RFC 5652 (CMS), and https://github.com/sigstore/gitsign.
package gitsign

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/proto"
)

// MaxBytes bounds an armoured message: some 3 KiB with a log entry.
const MaxBytes = 256 << 10

const (
	begin = "-----BEGIN SIGNED MESSAGE-----\n"
	end   = "\n-----END SIGNED MESSAGE-----"
)

// Signature is a gitsign signature over one payload. Only that it speaks of the
// payload is known.
type Signature struct {
	signer signer
	leaf   *x509.Certificate
	entry  *protorekor.TransparencyLogEntry // nil where none is embedded
	stamps [][]byte                         // RFC 3161 tokens
}

// ErrUnproven says that a signature carries nothing that proves when it was made:
// gitsign leaves the log entry in the log, unless it is told otherwise.
var ErrUnproven = errors.New("it has neither an embedded log entry nor a timestamp, so that nothing offline proves when it was made")

// Parse reads an armoured signature and holds it against the payload.
func Parse(armoured, payload []byte) (*Signature, error) {
	der, err := dearmour(armoured)
	if err != nil {
		return nil, fmt.Errorf("reading gitsign signature: %w", err)
	}
	message, err := parseMessage(der)
	if err != nil {
		return nil, fmt.Errorf("reading gitsign signature: %w", err)
	}
	s := &Signature{signer: message.signer}
	// "the result of the message digest process MUST … be included in the
	// message-digest attribute" (RFC 5652, 5.4): this binds the payload.
	if sum := sha256.Sum256(payload); !bytes.Equal(sum[:], s.signer.messageDigest) {
		return nil, errors.New("reading gitsign signature: it is over another object: its message digest is not this one's")
	}
	if s.leaf, err = message.leaf(); err != nil {
		return nil, fmt.Errorf("reading gitsign signature: %w", err)
	}
	if s.entry, err = s.logEntry(); err != nil {
		return nil, fmt.Errorf("reading gitsign signature: reading its log entry: %w", err)
	}
	s.stamps, err = s.timestamps()
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading gitsign signature: reading its timestamps: %w", err)
	case s.entry == nil && len(s.stamps) == 0:
		return nil, ErrUnproven
	}
	return s, nil
}

func dearmour(armoured []byte) ([]byte, error) {
	if len(armoured) > MaxBytes {
		return nil, fmt.Errorf("%d bytes, at most %d are read", len(armoured), MaxBytes)
	}
	text := bytes.TrimRight(bytes.ReplaceAll(armoured, []byte("\r\n"), []byte("\n")), "\n")
	inner, opens := bytes.CutPrefix(text, []byte(begin))
	inner, closes := bytes.CutSuffix(inner, []byte(end))
	if !opens || !closes {
		return nil, errors.New("it is not one block of a SIGNED MESSAGE")
	}
	der, err := base64.StdEncoding.Strict().DecodeString(string(bytes.ReplaceAll(inner, []byte("\n"), nil)))
	if err != nil {
		return nil, errors.New("it is not base64 between its markers")
	}
	return der, nil
}

// The unsigned attributes that prove a time.
func oidLogEntry() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 3, 1} }
func oidTimestamp() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
}

// logEntry reads the embedded entry, a TransparencyLogEntry of Sigstore's
// protobuf-specs in an OCTET STRING. gitsign leaves the body out, as it follows from
// the signature, and so it is made again: a body that the log did not see fails the
// entry's proofs.
func (s *Signature) logEntry() (*protorekor.TransparencyLogEntry, error) {
	values, err := s.signer.unsigned.values(oidLogEntry())
	if err != nil || len(values) == 0 {
		return nil, err
	}
	if len(values) != 1 {
		return nil, fmt.Errorf("%d entries, expected one", len(values))
	}
	var raw []byte
	if rest, err := asn1.Unmarshal(values[0], &raw); err != nil || len(rest) > 0 {
		return nil, errors.New("it is no octet string")
	}
	entry := new(protorekor.TransparencyLogEntry)
	if err := proto.Unmarshal(raw, entry); err != nil {
		return nil, errors.New("it is no TransparencyLogEntry")
	}
	if len(entry.CanonicalizedBody) > 0 {
		return entry, nil
	}
	kind := entry.GetKindVersion()
	if kind.GetKind() != "hashedrekord" || kind.GetVersion() != "0.0.1" {
		return nil, fmt.Errorf("it is %.40q of version %.20q without its body, expected hashedrekord 0.0.1", kind.GetKind(), kind.GetVersion())
	}
	entry.CanonicalizedBody = s.body()
	return entry, nil
}

// timestamps reads the RFC 3161 tokens over the signature, each in the response
// that bundles have around it.
//
// "TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken }" (RFC 3161,
// 2.4.2), and status 0 is granted.
func (s *Signature) timestamps() ([][]byte, error) {
	values, err := s.signer.unsigned.values(oidTimestamp())
	if err != nil {
		return nil, err
	}
	var stamps [][]byte
	for _, token := range values {
		response, err := asn1.Marshal(struct {
			Status struct{ Status int }
			Token  asn1.RawValue
		}{Token: asn1.RawValue{FullBytes: token}})
		if err != nil {
			return nil, err
		}
		stamps = append(stamps, response)
	}
	return stamps, nil
}

// Bundle gives the signature as the bundle of a message signature, whose message
// are the signed attributes.
//
// "A separate encoding of the signedAttrs field is performed for message digest
// calculation. … an EXPLICIT SET OF tag is used … rather than … IMPLICIT [0]" (RFC
// 5652, 5.4)
func (s *Signature) Bundle() *protobundle.Bundle {
	digest := sha256.Sum256(s.signer.attributes)
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: s.leaf.Raw}},
	}
	version := ".v0.3+json"
	if s.entry != nil {
		material.TlogEntries = []*protorekor.TransparencyLogEntry{s.entry}
		if s.entry.GetInclusionProof() == nil { // as bundles were when entries had a promise alone
			version = "+json;version=0.1"
		}
	}
	for _, stamp := range s.stamps {
		if material.TimestampVerificationData == nil {
			material.TimestampVerificationData = new(protobundle.TimestampVerificationData)
		}
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: stamp})
	}
	return &protobundle.Bundle{
		MediaType:            "application/vnd.dev.sigstore.bundle" + version,
		VerificationMaterial: material,
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: digest[:]},
			Signature:     s.signer.signature,
		}},
	}
}
