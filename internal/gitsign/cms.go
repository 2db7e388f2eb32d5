package gitsign

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of a message.
const (
	maxCertificates = 16
	maxAttributes   = 32
	maxValues       = 16
)

// message is a CMS SignedData with one signer and no content of its own.
type message struct {
	certificates []*x509.Certificate
	signer       signer
}

// signer is the message's SignerInfo.
type signer struct {
	issuer        []byte // DER of the certificate issuer's name
	serial        *big.Int
	attributes    []byte // DER of the SET OF signed attributes
	messageDigest []byte
	signature     []byte
	unsigned      attributes
}

func oid(arc ...int) asn1.ObjectIdentifier { return arc }

func oidData() asn1.ObjectIdentifier          { return oid(1, 2, 840, 113549, 1, 7, 1) }
func oidSignedData() asn1.ObjectIdentifier    { return oid(1, 2, 840, 113549, 1, 7, 2) }
func oidContentType() asn1.ObjectIdentifier   { return oid(1, 2, 840, 113549, 1, 9, 3) }
func oidMessageDigest() asn1.ObjectIdentifier { return oid(1, 2, 840, 113549, 1, 9, 4) }
func oidSHA256() asn1.ObjectIdentifier        { return oid(2, 16, 840, 1, 101, 3, 4, 2, 1) }
func oidECDSA() asn1.ObjectIdentifier         { return oid(1, 2, 840, 10045, 4, 3, 2) } // with SHA-256

// parseMessage reads a ContentInfo.
//
// "ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }", "SignedData ::=
// SEQUENCE { version, digestAlgorithms, encapContentInfo, certificates [0] IMPLICIT
// OPTIONAL, crls [1] IMPLICIT OPTIONAL, signerInfos }" (RFC 5652, 3 and 5.1)
func parseMessage(der []byte) (*message, error) {
	input := cryptobyte.String(der)
	var info, content, data cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !input.ReadASN1(&info, tags.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidSignedData()) ||
		!info.ReadASN1(&content, tags.Tag(0).ContextSpecific().Constructed()) || !info.Empty() ||
		!content.ReadASN1(&data, tags.SEQUENCE) || !content.Empty() {
		return nil, errors.New("it is no CMS message of signed data, in DER")
	}
	var version int
	var algorithms, encapsulated, certificates, signers cryptobyte.String
	var certified bool
	certificatesTag, listsTag := tags.Tag(0).ContextSpecific().Constructed(), tags.Tag(1).ContextSpecific().Constructed()
	if !data.ReadASN1Integer(&version) || !data.ReadASN1(&algorithms, tags.SET) ||
		!data.ReadASN1(&encapsulated, tags.SEQUENCE) || !data.ReadOptionalASN1(&certificates, &certified, certificatesTag) ||
		!data.SkipOptionalASN1(listsTag) || !data.ReadASN1(&signers, tags.SET) || !data.Empty() {
		return nil, errors.New("its signed data cannot be read")
	}
	if !encapsulated.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidData()) || !encapsulated.Empty() {
		return nil, errors.New("it holds a content of its own, expected a signature over the git object alone")
	}
	m := new(message)
	if err := m.readCertificates(certificates); err != nil {
		return nil, err
	}
	if err := m.signer.read(&signers); err != nil {
		return nil, err
	}
	if !signers.Empty() {
		return nil, errors.New("it has two signers, expected one")
	}
	return m, nil
}

func (m *message) readCertificates(list cryptobyte.String) error {
	for !list.Empty() {
		var raw cryptobyte.String
		if !list.ReadASN1Element(&raw, tags.SEQUENCE) || len(m.certificates) == maxCertificates {
			return fmt.Errorf("its certificates cannot be read, or are more than %d", maxCertificates)
		}
		certificate, err := x509.ParseCertificate(raw)
		if err != nil {
			return fmt.Errorf("reading its certificate: %w", err)
		}
		m.certificates = append(m.certificates, certificate)
	}
	return nil
}

// leaf is the certificate that the signer names.
func (m *message) leaf() (*x509.Certificate, error) {
	var found *x509.Certificate
	for _, c := range m.certificates {
		if c.SerialNumber.Cmp(m.signer.serial) != 0 || !bytes.Equal(c.RawIssuer, m.signer.issuer) {
			continue
		}
		if found != nil {
			return nil, errors.New("two of its certificates are the signer's")
		}
		found = c
	}
	if found == nil {
		return nil, errors.New("none of its certificates is the signer's")
	}
	return found, nil
}

// read reads one SignerInfo.
//
// "SignerInfo ::= SEQUENCE { version, sid, digestAlgorithm, signedAttrs [0] IMPLICIT
// OPTIONAL, signatureAlgorithm, signature, unsignedAttrs [1] IMPLICIT OPTIONAL }",
// "If the SignerIdentifier is the CHOICE issuerAndSerialNumber, then the version
// MUST be 1." (RFC 5652, 5.3)
func (s *signer) read(list *cryptobyte.String) error {
	var info, sid, digest, signed, algorithm, signature, unsigned cryptobyte.String
	var version int
	if !list.ReadASN1(&info, tags.SEQUENCE) || !info.ReadASN1Integer(&version) || version != 1 ||
		!info.ReadASN1(&sid, tags.SEQUENCE) || !info.ReadASN1(&digest, tags.SEQUENCE) ||
		!info.ReadASN1Element(&signed, tags.Tag(0).ContextSpecific().Constructed()) ||
		!info.ReadASN1(&algorithm, tags.SEQUENCE) || !info.ReadASN1(&signature, tags.OCTET_STRING) ||
		!info.ReadOptionalASN1(&unsigned, nil, tags.Tag(1).ContextSpecific().Constructed()) || !info.Empty() {
		return errors.New("its signer cannot be read")
	}
	var issuer cryptobyte.String
	s.serial = new(big.Int)
	if !sid.ReadASN1Element(&issuer, tags.SEQUENCE) || !sid.ReadASN1Integer(s.serial) || !sid.Empty() {
		return errors.New("its signer is not named by issuer and serial number")
	}
	s.issuer = issuer
	if !isAlgorithm(digest, oidSHA256()) || !isAlgorithm(algorithm, oidECDSA()) {
		return errors.New("its algorithms are others than ECDSA with SHA-256")
	}
	// The tag [0] becomes that of a SET OF.
	s.attributes = slices.Concat([]byte{0x31}, signed[1:])
	s.signature = signature
	var err error
	if s.unsigned, err = parseAttributes(unsigned); err != nil {
		return fmt.Errorf("reading its unsigned attributes: %w", err)
	}
	if err := s.readSigned(); err != nil {
		return fmt.Errorf("reading its signed attributes: %w", err)
	}
	return nil
}

// readSigned demands the two attributes that a signature must have.
//
// "A content-type attribute … MUST … match the contentType"; "A message-digest
// attribute … MUST have a single attribute value" (RFC 5652, 11.1 and 11.2)
func (s *signer) readSigned() error {
	set, inner := cryptobyte.String(s.attributes), cryptobyte.String(nil)
	if !set.ReadASN1(&inner, tags.SET) || !set.Empty() {
		return errors.New("they are no set")
	}
	all, err := parseAttributes(inner)
	if err != nil {
		return err
	}
	content, err := all.one(oidContentType())
	if err != nil {
		return fmt.Errorf("reading the content type: %w", err)
	}
	var kind asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(content, &kind); err != nil || len(rest) > 0 || !kind.Equal(oidData()) {
		return errors.New("the content type is not id-data")
	}
	digest, err := all.one(oidMessageDigest())
	if err != nil {
		return fmt.Errorf("reading the message digest: %w", err)
	}
	if rest, err := asn1.Unmarshal(digest, &s.messageDigest); err != nil || len(rest) > 0 || len(s.messageDigest) != 32 {
		return errors.New("the message digest has not the length of SHA-256")
	}
	return nil
}

// isAlgorithm compares an AlgorithmIdentifier, whose parameters are absent or NULL.
func isAlgorithm(s cryptobyte.String, want asn1.ObjectIdentifier) bool {
	var found asn1.ObjectIdentifier
	return s.ReadASN1ObjectIdentifier(&found) && found.Equal(want) && s.SkipOptionalASN1(tags.NULL) && s.Empty()
}

// attributes are those of one set, each with its values in DER.
type attributes []attribute

type attribute struct {
	kind   asn1.ObjectIdentifier
	values [][]byte
}

// parseAttributes reads "Attribute ::= SEQUENCE { attrType, attrValues SET OF }", and
// refuses two of one type: "MUST NOT include multiple instances" (RFC 5652, 11).
func parseAttributes(input cryptobyte.String) (attributes, error) {
	var all attributes
	for !input.Empty() {
		var one, set cryptobyte.String
		var a attribute
		if len(all) == maxAttributes || !input.ReadASN1(&one, tags.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&a.kind) ||
			!one.ReadASN1(&set, tags.SET) || !one.Empty() {
			return nil, fmt.Errorf("they cannot be read, or are more than %d", maxAttributes)
		}
		for !set.Empty() {
			var value cryptobyte.String
			var tag tags.Tag
			if len(a.values) == maxValues || !set.ReadAnyASN1Element(&value, &tag) {
				return nil, fmt.Errorf("a value cannot be read, or there are more than %d", maxValues)
			}
			a.values = append(a.values, value)
		}
		if slices.ContainsFunc(all, func(b attribute) bool { return b.kind.Equal(a.kind) }) {
			return nil, fmt.Errorf("two are of the type %s", a.kind)
		}
		all = append(all, a)
	}
	return all, nil
}

// values are those of one type; none where there is no such attribute.
func (a attributes) values(kind asn1.ObjectIdentifier) ([][]byte, error) {
	for _, one := range a {
		if one.kind.Equal(kind) {
			if len(one.values) == 0 {
				return nil, errors.New("the attribute has no value")
			}
			return one.values, nil
		}
	}
	return nil, nil
}

// one is the single value of one type.
func (a attributes) one(kind asn1.ObjectIdentifier) ([]byte, error) {
	values, err := a.values(kind)
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("%d values, expected one", len(values))
	}
	if err != nil {
		return nil, err
	}
	return values[0], nil
}
