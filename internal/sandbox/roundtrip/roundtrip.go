// Package roundtrip signs with sigstore-go through a signing config, and
// verifies through a trusted root: what a client of any Sigstore does.
package roundtrip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"
)

// artifact is what is signed for.
const artifact = "a build output\n"

// Request says how to sign.
type Request struct {
	SigningConfig []byte // required
	Token         string // required
	RekorVersion  uint32 // 1 or 2; 0 means the highest that the config has
}

// Sign returns a bundle of an in-toto statement.
func Sign(ctx context.Context, request Request) ([]byte, error) {
	config, err := root.NewSigningConfigFromJSON(request.SigningConfig)
	if err != nil {
		return nil, fmt.Errorf("reading signing config: %w", err)
	}
	now := time.Now()
	fulcio, err := root.SelectService(config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions, now)
	if err != nil {
		return nil, fmt.Errorf("choosing Fulcio: %w", err)
	}
	versions := sign.RekorAPIVersions
	if request.RekorVersion != 0 {
		versions = []uint32{request.RekorVersion}
	}
	rekors, err := root.SelectServices(config.RekorLogURLs(), config.RekorLogURLsConfig(), versions, now)
	if err != nil {
		return nil, fmt.Errorf("choosing Rekor: %w", err)
	}
	tsas, err := root.SelectServices(config.TimestampAuthorityURLs(), config.TimestampAuthorityURLsConfig(),
		sign.TimestampAuthorityAPIVersions, now)
	if err != nil {
		return nil, fmt.Errorf("choosing timestamp authority: %w", err)
	}
	options := sign.BundleOptions{
		Context:                    ctx,
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: fulcio.URL}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: request.Token},
	}
	for _, rekor := range rekors {
		options.TransparencyLogs = append(options.TransparencyLogs,
			sign.NewRekor(&sign.RekorOptions{BaseURL: rekor.URL, Version: rekor.MajorAPIVersion}))
	}
	for _, tsa := range tsas {
		options.TimestampAuthorities = append(options.TimestampAuthorities,
			sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{URL: tsa.URL}))
	}
	statement, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []any{map[string]any{"name": "app", "digest": map[string]string{"sha256": digest()}}},
		"predicateType": "https://example.com/checked/v1",
		"predicate":     map[string]any{},
	})
	if err != nil {
		return nil, fmt.Errorf("writing statement: %w", err)
	}
	key, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		return nil, fmt.Errorf("making key: %w", err)
	}
	signed, err := sign.Bundle(&sign.DSSEData{Data: statement, PayloadType: "application/vnd.in-toto+json"}, key, options)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	encoded, err := protojson.Marshal(signed)
	if err != nil {
		return nil, fmt.Errorf("encoding bundle: %w", err)
	}
	return encoded, nil
}

func digest() string {
	sum := sha256.Sum256([]byte(artifact))
	return hex.EncodeToString(sum[:])
}

// Verify demands a certificate with a promise of the certificate transparency
// log, an entry of a transparency log, a signed timestamp, and the identity.
func Verify(trustedRoot, encoded []byte, san, issuer string) (*verify.VerificationResult, error) {
	trusted, err := root.NewTrustedRootFromJSON(trustedRoot)
	if err != nil {
		return nil, fmt.Errorf("reading trusted root: %w", err)
	}
	verifier, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1),
		verify.WithTransparencyLog(1), verify.WithSignedTimestamps(1))
	if err != nil {
		return nil, fmt.Errorf("making verifier: %w", err)
	}
	var signed bundle.Bundle
	if err := signed.UnmarshalJSON(encoded); err != nil {
		return nil, fmt.Errorf("reading bundle: %w", err)
	}
	identity, err := verify.NewShortCertificateIdentity(issuer, "", san, "")
	if err != nil {
		return nil, fmt.Errorf("naming identity: %w", err)
	}
	sum := sha256.Sum256([]byte(artifact))
	result, err := verifier.Verify(&signed, verify.NewPolicy(
		verify.WithArtifactDigest("sha256", sum[:]), verify.WithCertificateIdentity(identity)))
	if err != nil {
		return nil, fmt.Errorf("verifying: %w", err)
	}
	return result, nil
}
