package attestationtest

import (
	"fmt"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// Sign signs, logs and timestamps, and then breaks what shall be broken. It is
// an error to ask for what the instance cannot give, or for a [Break] of
// something that the bundle does not have.
func (s *Sigstore) Sign(request SignRequest) (*Bundle, error) {
	bundle, err := s.sign(request)
	if err != nil {
		return nil, fmt.Errorf("signing bundle: %w", err)
	}
	encoded, err := EncodeBundle(bundle)
	if err != nil {
		return nil, err
	}
	return &Bundle{JSON: encoded, Proto: bundle}, nil
}

func (s *Sigstore) sign(request SignRequest) (*protobundle.Bundle, error) {
	request, err := s.withDefaults(request)
	if err != nil {
		return nil, err
	}
	ofCertificate, ofBundle := splitBreaks(request.Break)
	signer, err := s.signer(request, ofCertificate)
	if err != nil {
		return nil, err
	}
	d := &draft{instance: s, request: request, signer: signer}
	if err := d.build(); err != nil {
		return nil, err
	}
	for _, b := range ofBundle {
		if err := d.breakBundle(b); err != nil {
			return nil, fmt.Errorf("breaking %s: %w", b, err)
		}
	}
	return d.bundle, nil
}

// signer returns whoever signs, with the breaks that a certificate takes.
func (s *Sigstore) signer(request SignRequest, breaks []Break) (bundleSigner, error) {
	certificate := request.Certificate
	switch {
	case !request.As.isZero():
		var err error
		certificate, err = s.Certify(CertifyRequest{Identity: request.As, At: request.At, Break: breaks})
		if err != nil {
			return bundleSigner{}, err
		}
	case len(breaks) > 0:
		return bundleSigner{}, fmt.Errorf("breaking %s: only a certificate made for this bundle can be broken", breaks[0])
	}
	if certificate == nil {
		signer, err := newBundleSigner(request.Key.Signer)
		signer.hint = request.Key.Hint
		return signer, err
	}
	signer, err := newBundleSigner(certificate.key)
	signer.certificate = certificate
	return signer, err
}

// draft is a bundle in the making.
type draft struct {
	instance *Sigstore
	request  SignRequest // complete
	signer   bundleSigner
	bundle   *protobundle.Bundle
}

// build makes a bundle with nothing wrong in it.
func (d *draft) build() error {
	content, err := d.signContent()
	if err != nil {
		return err
	}
	d.bundle = &protobundle.Bundle{
		MediaType:            mediaType(d.request.BundleVersion),
		VerificationMaterial: d.verificationMaterial(),
	}
	content.put(d.bundle)

	if d.request.Entry != NoEntry {
		entry, err := d.logContent(content)
		if err != nil {
			return err
		}
		d.bundle.VerificationMaterial.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	}
	if d.instance.TSA != nil && !d.request.OmitTimestamp {
		return d.setTimestamps(d.instance.TSA, content.signature, d.request.At)
	}
	return nil
}

// signedContent is an envelope with one signature, or a message signature.
type signedContent struct {
	payloadType   string
	payload       []byte // nil for a message signature
	messageDigest []byte // nil for an envelope
	signature     []byte
}

// signContent signs what is requested.
func (d *draft) signContent() (signedContent, error) {
	if d.request.Payload == nil {
		return d.signer.signMessageDigest(d.request.MessageDigest)
	}
	return d.signer.signPayload(d.request.PayloadType, d.request.Payload)
}

func (s bundleSigner) signMessageDigest(digest []byte) (signedContent, error) {
	if len(digest) != 32 {
		return signedContent{}, fmt.Errorf("signing message: digest must have 32 bytes, has %d", len(digest))
	}
	signature, err := s.signDigest(digest)
	if err != nil {
		return signedContent{}, fmt.Errorf("signing message: %w", err)
	}
	return signedContent{messageDigest: digest, signature: signature}, nil
}

// signPayload signs the pre-authentication encoding (DSSE protocol, "PAE").
func (s bundleSigner) signPayload(payloadType string, payload []byte) (signedContent, error) {
	signature, err := s.sign(dsse.PAE(payloadType, payload))
	if err != nil {
		return signedContent{}, fmt.Errorf("signing envelope: %w", err)
	}
	return signedContent{payloadType: payloadType, payload: payload, signature: signature}, nil
}

// setTimestamps replaces the bundle's timestamps by the authority's over the
// signature, one for each instant.
func (d *draft) setTimestamps(tsa *TSA, signature []byte, instants ...time.Time) error {
	data := &protobundle.TimestampVerificationData{}
	for _, at := range instants {
		response, err := tsa.Stamp(signature, at)
		if err != nil {
			return err
		}
		data.Rfc3161Timestamps = append(data.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: response})
	}
	d.bundle.VerificationMaterial.TimestampVerificationData = data
	return nil
}
