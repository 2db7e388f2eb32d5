package attestationtest

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
)

// newInstance returns a running instance.
func newInstance(t *testing.T, config Config) *Sigstore {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newBundle returns a signed bundle.
func newBundle(t *testing.T, s *Sigstore, request SignRequest) *Bundle {
	t.Helper()
	b, err := s.Sign(request)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// artifact is what all tests' statements and message signatures are about.
const artifact = "the artifact"

func artifactDigest() []byte {
	digest := sha256.Sum256([]byte(artifact))
	return digest[:]
}

func artifactStatement() []byte {
	return Statement([]Subject{File("app", []byte(artifact))},
		"https://slsa.dev/provenance/v1", Provenance(WorkflowClaims{}))
}

// alice is somebody.
func alice() Identity { return Person("alice@example.com", "https://accounts.google.com") }

// plainVerify has plain sigstore-go verify the bundle, with the demands that
// the trusted root makes: a promise of a certificate transparency log, an
// entry of a transparency log, each if the root knows such logs; and always a
// time. A key that is not nil is trusted under every hint.
func plainVerify(trustedRoot, bundleJSON []byte, key *Key) (*verify.VerificationResult, error) {
	material, err := root.NewTrustedRootFromJSON(trustedRoot)
	if err != nil {
		return nil, fmt.Errorf("reading trusted root: %w", err)
	}
	demands := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if len(material.CTLogs()) > 0 && key == nil {
		demands = append(demands, verify.WithSignedCertificateTimestamps(1))
	}
	if len(material.RekorLogs()) > 0 {
		demands = append(demands, verify.WithTransparencyLog(1))
	}
	signedBy := verify.WithoutIdentitiesUnsafe()
	trusted := root.TrustedMaterial(material)
	if key != nil {
		signedBy = verify.WithKey()
		if trusted, err = withKey(material, key.Signer.Public()); err != nil {
			return nil, err
		}
	}
	verifier, err := verify.NewVerifier(trusted, demands...)
	if err != nil {
		return nil, fmt.Errorf("making verifier: %w", err)
	}
	var entity bundle.Bundle
	if err := entity.UnmarshalJSON(bundleJSON); err != nil {
		return nil, fmt.Errorf("reading bundle: %w", err)
	}
	return verifier.Verify(&entity, verify.NewPolicy(verify.WithArtifactDigest("sha256", artifactDigest()), signedBy))
}

// keyMaterial is a trusted root and one key.
type keyMaterial struct {
	*root.TrustedRoot
	key root.TimeConstrainedVerifier
}

func withKey(material *root.TrustedRoot, key crypto.PublicKey) (root.TrustedMaterial, error) {
	verifier, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	return keyMaterial{material, root.NewExpiringKey(verifier, time.Time{}, time.Time{})}, nil
}

func (m keyMaterial) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	return m.key, nil
}
