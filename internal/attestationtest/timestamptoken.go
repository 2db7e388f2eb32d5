package attestationtest

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"github.com/digitorus/timestamp"
)

// timestampToken is what an authority is about to sign.
//
// digitorus/timestamp can sign one too, but puts the wall clock's time among
// the signed attributes and draws its own serial number, so that no response
// could be repeated or made for another year. Hence these structures, which
// hold the part of RFC 3161 and RFC 5652 that such a response needs.
type timestampToken struct {
	request *timestamp.Request
	serial  *big.Int
	time    time.Time // UTC, whole seconds
	leaf    *x509.Certificate
}

// RFC 3161, 2.4.2.
type (
	timeStampResp struct {
		Status         pkiStatusInfo
		TimeStampToken contentInfo
	}
	pkiStatusInfo struct{ Status int } // 0: granted

	tstInfo struct {
		Version        int // 1
		Policy         asn1.ObjectIdentifier
		MessageImprint messageImprint
		SerialNumber   *big.Int
		GenTime        time.Time     `asn1:"generalized"`
		Nonce          *big.Int      `asn1:"optional"`
		TSA            asn1.RawValue // [0] EXPLICIT GeneralName
	}
	messageImprint struct {
		HashAlgorithm pkix.AlgorithmIdentifier
		HashedMessage []byte
	}
)

// RFC 5652, 3 and 5.
type (
	contentInfo struct {
		ContentType asn1.ObjectIdentifier
		Content     asn1.RawValue // [0] EXPLICIT ANY
	}
	signedData struct {
		Version          int                        // 3: the content is no plain data
		DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
		EncapContentInfo contentInfo
		Certificates     asn1.RawValue `asn1:"optional"` // [0] IMPLICIT
		SignerInfos      []signerInfo  `asn1:"set"`
	}
	signerInfo struct {
		Version            int // 1: the signer is named by issuer and serial number
		SID                issuerAndSerialNumber
		DigestAlgorithm    pkix.AlgorithmIdentifier
		SignedAttrs        asn1.RawValue // [0] IMPLICIT SET OF attribute
		SignatureAlgorithm pkix.AlgorithmIdentifier
		Signature          []byte
	}
	issuerAndSerialNumber struct {
		Issuer       asn1.RawValue
		SerialNumber *big.Int
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
)

// RFC 5035, 3: which certificate signed. Its hash is SHA-256, the default.
type (
	signingCertificateV2 struct{ Certs []essCertIDv2 }
	essCertIDv2          struct{ CertHash []byte }
)

// sign returns the TimeStampResp in DER.
func (t timestampToken) sign(key ecdsaSigner) ([]byte, error) {
	var (
		idSignedData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
		idTSTInfo         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
		idSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
		idECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	)
	info, err := t.info()
	if err != nil {
		return nil, err
	}
	attributes, err := t.attributes(idTSTInfo, info)
	if err != nil {
		return nil, err
	}
	signature, err := key.signSHA256(attributes.FullBytes)
	if err != nil {
		return nil, err
	}
	content, err := asn1.Marshal(info) // eContent is an OCTET STRING
	if err != nil {
		return nil, fmt.Errorf("encoding content: %w", err)
	}
	signed := signedData{
		Version:          3,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{{Algorithm: idSHA256}},
		EncapContentInfo: contentInfo{ContentType: idTSTInfo, Content: tagged(0, content)},
		SignerInfos: []signerInfo{{
			Version: 1,
			SID: issuerAndSerialNumber{
				Issuer:       asn1.RawValue{FullBytes: t.leaf.RawIssuer},
				SerialNumber: t.leaf.SerialNumber,
			},
			DigestAlgorithm:    pkix.AlgorithmIdentifier{Algorithm: idSHA256},
			SignedAttrs:        tagged(0, attributes.Bytes),
			SignatureAlgorithm: pkix.AlgorithmIdentifier{Algorithm: idECDSAWithSHA256},
			Signature:          signature,
		}},
	}
	if t.request.Certificates {
		signed.Certificates = tagged(0, t.leaf.Raw)
	}
	token, err := asn1.Marshal(signed)
	if err != nil {
		return nil, fmt.Errorf("encoding signed data: %w", err)
	}
	return asn1.Marshal(timeStampResp{
		TimeStampToken: contentInfo{ContentType: idSignedData, Content: tagged(0, token)},
	})
}

// info returns the TSTInfo in DER.
func (t timestampToken) info() ([]byte, error) {
	hash, err := hashOID(t.request.HashAlgorithm)
	if err != nil {
		return nil, err
	}
	policy := t.request.TSAPolicyOID
	if policy == nil {
		policy = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2} // Sigstore's
	}
	directoryName, err := asn1.Marshal(tagged(4, t.leaf.RawSubject))
	if err != nil {
		return nil, fmt.Errorf("encoding name of timestamp authority: %w", err)
	}
	info, err := asn1.Marshal(tstInfo{
		Version: 1,
		Policy:  policy,
		MessageImprint: messageImprint{
			HashAlgorithm: pkix.AlgorithmIdentifier{Algorithm: hash, Parameters: asn1.NullRawValue},
			HashedMessage: t.request.HashedMessage,
		},
		SerialNumber: t.serial,
		GenTime:      t.time,
		Nonce:        t.request.Nonce,
		TSA:          tagged(0, directoryName),
	})
	if err != nil {
		return nil, fmt.Errorf("encoding timestamp: %w", err)
	}
	return info, nil
}

// attributes returns the signed attributes as the SET OF that is signed
// (RFC 5652, 5.4).
func (t timestampToken) attributes(contentType asn1.ObjectIdentifier, content []byte) (asn1.RawValue, error) {
	contentDigest := sha256.Sum256(content)
	leafDigest := sha256.Sum256(t.leaf.Raw)
	var attributes []attribute
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, contentType},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, contentDigest[:]},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}, t.time},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}, signingCertificateV2{
			Certs: []essCertIDv2{{CertHash: leafDigest[:]}},
		}},
	} {
		value, err := asn1.Marshal(a.value)
		if err != nil {
			return asn1.RawValue{}, fmt.Errorf("encoding attribute %s: %w", a.oid, err)
		}
		attributes = append(attributes, attribute{Type: a.oid, Values: []asn1.RawValue{{FullBytes: value}}})
	}
	set, err := asn1.MarshalWithParams(attributes, "set")
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("encoding signed attributes: %w", err)
	}
	var raw asn1.RawValue
	if _, err := asn1.Unmarshal(set, &raw); err != nil {
		return asn1.RawValue{}, fmt.Errorf("encoding signed attributes: %w", err)
	}
	return raw, nil
}

// hashOID names a hash that a timestamp may be made over (RFC 5754, 2).
func hashOID(hash crypto.Hash) (asn1.ObjectIdentifier, error) {
	switch hash {
	case crypto.SHA256:
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, nil
	case crypto.SHA384:
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, nil
	case crypto.SHA512:
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, nil
	default:
		return nil, fmt.Errorf("naming hash: %s is not supported", hash)
	}
}

// tagged wraps DER in a constructed, context-specific tag.
func tagged(tag int, der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: der}
}
