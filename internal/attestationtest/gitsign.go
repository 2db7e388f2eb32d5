package attestationtest

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// GitsignRequest says how a git object is signed as gitsign does.
type GitsignRequest struct {
	Payload []byte // the object without its signature
	As      Identity
	At      time.Time
	// Entry embeds the log entry, as rekorMode offline does; Timestamp a token of the
	// instance's authority. With neither it is gitsign's default.
	Entry, Timestamp bool
	// Edit, if not nil, changes the message before it is written.
	Edit func(*CMS)
	// Attributes, if not nil, changes what is signed.
	Attributes func([]CMSAttribute) []CMSAttribute
}

// CMSAttribute is an attribute of a CMS signer.
type CMSAttribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

// CMS is the part of a CMS message that gitsign fills: RFC 5652, 5.1.
type CMS struct {
	Version          int
	DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	Content          CMSContent
	Certificates     asn1.RawValue `asn1:"optional"`
	Signers          []CMSSigner   `asn1:"set"`
}

// CMSContent is what the message holds: gitsign's hold nothing.
type CMSContent struct {
	Type asn1.ObjectIdentifier
	Data asn1.RawValue `asn1:"optional,explicit,tag:0"`
}

// CMSSigner is the signer: RFC 5652, 5.3.
type CMSSigner struct {
	Version            int
	ID                 CMSSignerID
	DigestAlgorithm    pkix.AlgorithmIdentifier
	Attributes         asn1.RawValue
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
	Unsigned           []CMSAttribute `asn1:"optional,tag:1,set"`
}

// CMSSignerID names the signer's certificate.
type CMSSignerID struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

// Gitsign signs a git object's payload and returns the armoured message.
func (s *Sigstore) Gitsign(request GitsignRequest) ([]byte, error) {
	der, err := s.gitsign(request)
	if err != nil {
		return nil, fmt.Errorf("signing as gitsign does: %w", err)
	}
	return armour("SIGNED MESSAGE", der, 64), nil
}

func (s *Sigstore) gitsign(request GitsignRequest) ([]byte, error) {
	attributes, err := cmsAttributes(request)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(attributes)
	sign := SignRequest{MessageDigest: digest[:], As: request.As, At: request.At, OmitTimestamp: !request.Timestamp}
	if request.Entry {
		sign.Entry = EntryV1HashedRekord
	} else {
		sign.Entry = NoEntry
	}
	bundle, err := s.sign(sign)
	if err != nil {
		return nil, err
	}
	return cmsMessage(attributes, bundle, request.Edit)
}

// GitsignAttributes is what gitsign signs for a git object: the attributes that name
// its digest, a SET OF in DER.
func GitsignAttributes(payload []byte) ([]byte, error) {
	attributes, err := cmsAttributes(GitsignRequest{Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("encoding what gitsign signs: %w", err)
	}
	return attributes, nil
}

// GitsignMessage puts a bundle, in JSON, that signs the attributes into the armoured
// message that gitsign writes. It is for signers outside of this package.
func GitsignMessage(attributes, bundleJSON []byte) ([]byte, error) {
	var bundle protobundle.Bundle
	if err := protojson.Unmarshal(bundleJSON, &bundle); err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	der, err := cmsMessage(attributes, &bundle, nil)
	if err != nil {
		return nil, fmt.Errorf("writing gitsign's message: %w", err)
	}
	return armour("SIGNED MESSAGE", der, 64), nil
}

// cmsMessage is the CMS message around a signature over the attributes.
func cmsMessage(attributes []byte, bundle *protobundle.Bundle, edit func(*CMS)) ([]byte, error) {
	material := bundle.GetVerificationMaterial()
	leaf := material.GetCertificate().GetRawBytes()
	signer := CMSSigner{
		Version: 1, DigestAlgorithm: algorithm(2, 16, 840, 1, 101, 3, 4, 2, 1), SignatureAlgorithm: algorithm(1, 2, 840, 10045, 4, 3, 2),
		Attributes: asn1.RawValue{FullBytes: append([]byte{0xa0}, attributes[1:]...)},
		Signature:  bundle.GetMessageSignature().GetSignature(),
	}
	var err error
	if signer.ID, err = signerID(leaf); err != nil {
		return nil, err
	}
	for _, entry := range material.GetTlogEntries() {
		a, err := entryAttribute(entry)
		if err != nil {
			return nil, err
		}
		signer.Unsigned = append(signer.Unsigned, a)
	}
	for _, stamp := range material.GetTimestampVerificationData().GetRfc3161Timestamps() {
		a, err := stampAttribute(stamp.GetSignedTimestamp())
		if err != nil {
			return nil, err
		}
		signer.Unsigned = append(signer.Unsigned, a)
	}
	message := CMS{
		Version: 1, DigestAlgorithms: []pkix.AlgorithmIdentifier{algorithm(2, 16, 840, 1, 101, 3, 4, 2, 1)},
		Content:      CMSContent{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: leaf},
		Signers:      []CMSSigner{signer},
	}
	if edit != nil {
		edit(&message)
	}
	content, err := asn1.Marshal(message)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}})
}

func algorithm(arc ...int) pkix.AlgorithmIdentifier {
	return pkix.AlgorithmIdentifier{Algorithm: arc}
}

// cmsAttributes are the signed attributes as a SET OF.
func cmsAttributes(request GitsignRequest) ([]byte, error) {
	sum := sha256.Sum256(request.Payload)
	all := []CMSAttribute{
		{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, Values: []asn1.RawValue{mustRaw(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})}},
		{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, Values: []asn1.RawValue{mustRaw(sum[:])}},
	}
	if request.Attributes != nil {
		all = request.Attributes(all)
	}
	return asn1.MarshalWithParams(all, "set")
}

// mustRaw encodes a value of a fixed type.
func mustRaw(value any) asn1.RawValue {
	der, err := asn1.Marshal(value)
	if err != nil {
		panic(err)
	}
	return asn1.RawValue{FullBytes: der}
}

// CMSValue is a value of an attribute in DER.
func CMSValue(value any) asn1.RawValue { return mustRaw(value) }

// signerID names a certificate.
func signerID(leaf []byte) (CMSSignerID, error) {
	certificate, err := x509.ParseCertificate(leaf)
	if err != nil {
		return CMSSignerID{}, err
	}
	return CMSSignerID{asn1.RawValue{FullBytes: certificate.RawIssuer}, certificate.SerialNumber}, nil
}

// entryAttribute embeds a log entry without its body.
func entryAttribute(entry *protorekor.TransparencyLogEntry) (CMSAttribute, error) {
	bare := proto.CloneOf(entry)
	bare.CanonicalizedBody = nil
	raw, err := proto.Marshal(bare)
	if err != nil {
		return CMSAttribute{}, err
	}
	return CMSAttribute{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 3, 1}, Values: []asn1.RawValue{mustRaw(raw)}}, nil
}

// stampAttribute takes the token out of a timestamp authority's response.
func stampAttribute(response []byte) (CMSAttribute, error) {
	var parsed struct {
		Status asn1.RawValue
		Token  asn1.RawValue
	}
	if _, err := asn1.Unmarshal(response, &parsed); err != nil {
		return CMSAttribute{}, errors.New("the response of the timestamp authority has no token")
	}
	return CMSAttribute{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, Values: []asn1.RawValue{{FullBytes: parsed.Token.FullBytes}}}, nil
}
