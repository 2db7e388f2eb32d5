package attestationtest

import (
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"time"
)

// Certificate is a certified P-256 key. It may sign any number of bundles.
type Certificate struct {
	Leaf  *x509.Certificate
	Chain []*x509.Certificate // the issuer, then the root

	key ecdsaSigner
}

// withChain returns the leaf, the intermediate and the root.
func (c *Certificate) withChain() []*x509.Certificate {
	return append([]*x509.Certificate{c.Leaf}, c.Chain...)
}

// CertifyRequest says whom to certify.
type CertifyRequest struct {
	Identity Identity      // required
	At       time.Time     // start of validity; zero means the instance's instant
	Lifetime time.Duration // 0 means 10 minutes
	Break    []Break       // of the certificate only
}

// Certify makes a key and has the certificate authority certify it, with a
// promise of the certificate transparency log if the instance has one.
func (s *Sigstore) Certify(request CertifyRequest) (*Certificate, error) {
	key, err := s.seed.ecdsaKey(elliptic.P256(), fmt.Sprintf("certified key %d", s.keys.Add(1)))
	if err != nil {
		return nil, err
	}
	order := certificateOrder{
		ca: s.CA,
		request: CertificateRequest{
			Identity:  request.Identity,
			PublicKey: key.Public(),
			NotBefore: s.at(request.At),
			Lifetime:  request.Lifetime,
			CTLog:     s.CTLog,
		},
	}
	for _, b := range request.Break {
		if err := s.breakCertificate(&order, b); err != nil {
			return nil, fmt.Errorf("breaking %s: %w", b, err)
		}
	}
	leaf, err := order.ca.Issue(order.request)
	if err != nil {
		return nil, err
	}
	return &Certificate{Leaf: leaf, Chain: order.ca.Chain(), key: key}, nil
}

// certificateOrder is a certificate that is about to be issued.
type certificateOrder struct {
	ca      *CA
	request CertificateRequest
}
