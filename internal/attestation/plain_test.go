package attestation

import (
	"errors"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// plainOpen is what sigstore-go alone says of a bundle, with the demands that
// Root makes and nothing of this package in its way.
func plainOpen(data []byte, material root.TrustedMaterial, key root.TimeConstrainedVerifier) error {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(data); err != nil {
		return err
	}
	content, err := b.VerificationContent()
	if err != nil {
		return err
	}
	if (key == nil) != (content.Certificate() != nil) {
		return errors.New("opened with the other kind of key")
	}
	if key != nil {
		material = &plainKey{material, key}
	}
	verifier, err := verify.NewVerifier(material, plainDemands(&b, material, key != nil)...)
	if err != nil {
		return err
	}
	policy := verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe())
	signed, err := b.SignatureContent()
	if err != nil {
		return err
	}
	if message := signed.MessageSignatureContent(); message != nil {
		policy = verify.NewPolicy(verify.WithArtifactDigest("sha256", message.Digest()), verify.WithoutIdentitiesUnsafe())
	}
	_, err = verifier.Verify(&b, policy)
	return err
}

type plainKey struct {
	root.TrustedMaterial
	key root.TimeConstrainedVerifier
}

func (k *plainKey) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) { return k.key, nil }

func plainDemands(b *bundle.Bundle, material root.TrustedMaterial, key bool) []verify.VerifierOption {
	options := []verify.VerifierOption{verify.WithoutStatementPredicate()}
	if len(material.CTLogs()) > 0 && !key {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	if len(material.RekorLogs()) == 0 {
		return append(options, verify.WithSignedTimestamps(1))
	}
	options = append(options, verify.WithTransparencyLog(1))
	if stamps, _ := b.Timestamps(); key && !b.HasInclusionPromise() && len(stamps) == 0 {
		return append(options, verify.WithNoObserverTimestamps())
	}
	return append(options, verify.WithObserverTimestamps(1))
}
