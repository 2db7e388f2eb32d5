package attestationtest

import (
	"slices"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
)

// Bundle is a Sigstore bundle.
type Bundle struct {
	// JSON is the bundle in one line, without a line break.
	JSON []byte
	// Proto is the same bundle. To break it in a way that has no [Break],
	// change it and use [EncodeBundle].
	Proto *protobundle.Bundle
}

// EncodeBundle returns the bundle in JSON, in one line without a line break.
func EncodeBundle(bundle *protobundle.Bundle) ([]byte, error) { return encodeJSON(bundle) }

// put writes the content into the bundle.
func (c signedContent) put(bundle *protobundle.Bundle) {
	if c.payload == nil {
		bundle.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{
				Algorithm: protocommon.HashAlgorithm_SHA2_256,
				Digest:    slices.Clone(c.messageDigest),
			},
			Signature: slices.Clone(c.signature),
		}}
		return
	}
	bundle.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
		Payload:     slices.Clone(c.payload),
		PayloadType: c.payloadType,
		Signatures:  []*protodsse.Signature{{Sig: slices.Clone(c.signature)}},
	}}
}

// verificationMaterial names the signer.
func (d *draft) verificationMaterial() *protobundle.VerificationMaterial {
	certificate := d.signer.certificate
	if certificate == nil {
		return &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_PublicKey{
			PublicKey: &protocommon.PublicKeyIdentifier{Hint: d.signer.hint},
		}}
	}
	switch encoded := encodeCertificates(certificate.withChain()...); d.request.Form {
	case FullChain:
		return chainMaterial(encoded)
	case ChainOfOne:
		return chainMaterial(encoded[:1])
	default:
		return &protobundle.VerificationMaterial{
			Content: &protobundle.VerificationMaterial_Certificate{Certificate: encoded[0]},
		}
	}
}

func chainMaterial(chain []*protocommon.X509Certificate) *protobundle.VerificationMaterial {
	return &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: chain},
	}}
}

// mediaType names a bundle's version; with 0.3 the version moved into the
// subtype (protobuf-specs, sigstore_bundle.proto).
func mediaType(version string) string {
	if version == "0.3" {
		return "application/vnd.dev.sigstore.bundle.v0.3+json"
	}
	return "application/vnd.dev.sigstore.bundle+json;version=" + version
}
