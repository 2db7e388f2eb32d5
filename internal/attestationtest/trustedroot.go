package attestationtest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// encodeTrustedRoot lists the instance's services. Certificates are valid
// within the window; logs from its start and without an end, as those in use
// of the public good instance are.
func (s *Sigstore) encodeTrustedRoot(valid window) ([]byte, error) {
	root := &prototrustroot.TrustedRoot{
		MediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		CertificateAuthorities: []*prototrustroot.CertificateAuthority{
			trustedAuthority(s.CA.URL(), s.CA.Chain(), valid),
		},
	}
	if s.TSA != nil {
		root.TimestampAuthorities = []*prototrustroot.CertificateAuthority{
			trustedAuthority(s.TSA.URL(), s.TSA.Chain(), valid),
		}
	}
	const (
		p256    = protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
		ed25519 = protocommon.PublicKeyDetails_PKIX_ED25519
	)
	var err error
	if l := s.CTLog; l != nil {
		log := logKey{url: l.URL(), id: l.id[:], key: l.key.Public(), details: p256}
		if root.Ctlogs, err = log.appendTo(root.Ctlogs, valid); err != nil {
			return nil, err
		}
	}
	if l := s.RekorV1; l != nil {
		log := logKey{url: l.URL(), id: l.id[:], key: l.key.Public(), details: p256}
		if root.Tlogs, err = log.appendTo(root.Tlogs, valid); err != nil {
			return nil, err
		}
	}
	if l := s.RekorV2; l != nil {
		log := logKey{url: l.URL(), id: l.id, key: l.key.Public(), details: ed25519}
		if root.Tlogs, err = log.appendTo(root.Tlogs, valid); err != nil {
			return nil, err
		}
	}
	return encodeJSON(root)
}

// trustedAuthority describes a certificate authority; the chain ends with its root.
func trustedAuthority(uri string, chain []*x509.Certificate, valid window) *prototrustroot.CertificateAuthority {
	name := chain[len(chain)-1].Subject
	return &prototrustroot.CertificateAuthority{
		Subject: &protocommon.DistinguishedName{
			Organization: name.Organization[0],
			CommonName:   name.CommonName,
		},
		Uri:       uri,
		CertChain: &protocommon.X509CertificateChain{Certificates: encodeCertificates(chain...)},
		ValidFor: &protocommon.TimeRange{
			Start: timestamppb.New(valid.start),
			End:   timestamppb.New(valid.end),
		},
	}
}

// logKey names a log, transparency or certificate transparency, and its key.
type logKey struct {
	url     string
	id      []byte
	key     crypto.PublicKey
	details protocommon.PublicKeyDetails
}

// appendTo adds the log to those that are trusted.
func (l logKey) appendTo(
	logs []*prototrustroot.TransparencyLogInstance, valid window,
) ([]*prototrustroot.TransparencyLogInstance, error) {
	der, err := x509.MarshalPKIXPublicKey(l.key)
	if err != nil {
		return nil, fmt.Errorf("encoding key of %s: %w", l.url, err)
	}
	return append(logs, &prototrustroot.TransparencyLogInstance{
		BaseUrl:       l.url,
		HashAlgorithm: protocommon.HashAlgorithm_SHA2_256,
		PublicKey: &protocommon.PublicKey{
			RawBytes:   der,
			KeyDetails: l.details,
			ValidFor:   &protocommon.TimeRange{Start: timestamppb.New(valid.start)},
		},
		LogId: &protocommon.LogId{KeyId: l.id},
	}), nil
}

func encodeCertificates(certificates ...*x509.Certificate) []*protocommon.X509Certificate {
	encoded := make([]*protocommon.X509Certificate, len(certificates))
	for i, certificate := range certificates {
		encoded[i] = &protocommon.X509Certificate{RawBytes: certificate.Raw}
	}
	return encoded
}

// encodeJSON returns the message in one line. protojson strews spaces so that
// nobody relies on its bytes; golden files do, so they are taken out.
func encodeJSON(message proto.Message) ([]byte, error) {
	strewn, err := protojson.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", message.ProtoReflect().Descriptor().Name(), err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, strewn); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", message.ProtoReflect().Descriptor().Name(), err)
	}
	return compact.Bytes(), nil
}
