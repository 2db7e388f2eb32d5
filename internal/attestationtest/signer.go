package attestationtest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// bundleSigner signs a bundle, with a certified key or with its owner's.
type bundleSigner struct {
	key         crypto.Signer
	certificate *Certificate // nil if the key is the owner's
	hint        string
	algorithm   signature.AlgorithmDetails
}

func newBundleSigner(key crypto.Signer) (bundleSigner, error) {
	algorithm, err := signature.GetDefaultAlgorithmDetails(key.Public())
	if err != nil {
		return bundleSigner{}, fmt.Errorf("choosing signature algorithm: %w", err)
	}
	return bundleSigner{key: key, algorithm: algorithm}, nil
}

// sign returns the signature over the message, hashed as the key's algorithm
// wants it.
func (s bundleSigner) sign(message []byte) ([]byte, error) {
	hash := s.algorithm.GetHashType()
	if hash == crypto.Hash(0) { // Ed25519 signs the message itself
		return s.key.Sign(nil, message, hash)
	}
	return s.signDigest(s.digest(message))
}

func (s bundleSigner) digest(message []byte) []byte {
	h := s.algorithm.GetHashType().New()
	h.Write(message)
	return h.Sum(nil)
}

func (s bundleSigner) signDigest(digest []byte) ([]byte, error) {
	hash := s.algorithm.GetHashType()
	if hash == crypto.Hash(0) || hash.Size() != len(digest) {
		return nil, fmt.Errorf("signing digest: %d bytes are not what %s signs",
			len(digest), s.algorithm.GetSignatureAlgorithm())
	}
	return s.key.Sign(nil, digest, hash)
}

// pem returns the certificate, or else the public key, as Rekor v1 wants it.
func (s bundleSigner) pem() ([]byte, error) {
	if s.certificate != nil {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Leaf.Raw}), nil
	}
	return cryptoutils.MarshalPublicKeyToPEM(s.key.Public())
}

// rekorV2Verifier returns the certificate, or else the public key, as Rekor v2
// wants it.
func (s bundleSigner) rekorV2Verifier() (*rekortiles.Verifier, error) {
	details := s.algorithm.GetSignatureAlgorithm()
	if s.certificate != nil {
		return &rekortiles.Verifier{
			KeyDetails: details,
			Verifier: &rekortiles.Verifier_X509Certificate{
				X509Certificate: &protocommon.X509Certificate{RawBytes: s.certificate.Leaf.Raw},
			},
		}, nil
	}
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding public key: %w", err)
	}
	return &rekortiles.Verifier{
		KeyDetails: details,
		Verifier:   &rekortiles.Verifier_PublicKey{PublicKey: &rekortiles.PublicKey{RawBytes: der}},
	}, nil
}
