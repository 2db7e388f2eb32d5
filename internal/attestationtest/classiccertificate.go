package attestationtest

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/url"
	"time"
)

// ClassicAuthority certifies functionaries (ITE-7): a P-256 root, and an
// intermediate below it.
type ClassicAuthority struct {
	// Root and Intermediate as a layout's "rootcas" and "intermediatecas" have
	// them.
	Root, Intermediate *ClassicKey

	seed                        secret
	valid                       window
	root, intermediate          *x509.Certificate
	rootSigner, intermediateKey ecdsaSigner
}

// NewClassicAuthority returns an authority that is valid from five years before
// the instant to twenty-five years after it.
func NewClassicAuthority(seed, name string, now time.Time) (*ClassicAuthority, error) {
	a := &ClassicAuthority{seed: secret(seed + ", classic authority " + name), valid: window{now.AddDate(-5, 0, 0), now.AddDate(25, 0, 0)}}
	var err error
	if a.root, a.rootSigner, err = newRoot(a.seed, "root", pkix.Name{CommonName: name}, a.valid); err != nil {
		return nil, err
	}
	if a.intermediateKey, err = a.seed.ecdsaKey(elliptic.P256(), "intermediate"); err != nil {
		return nil, err
	}
	serial, err := a.seed.serial("intermediate")
	if err != nil {
		return nil, err
	}
	a.intermediate, err = createCertificate(&x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name + " intermediate"},
		NotBefore: a.valid.start, NotAfter: a.valid.end,
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}, a.root, a.intermediateKey.Public(), a.rootSigner)
	if err != nil {
		return nil, fmt.Errorf("creating intermediate certificate: %w", err)
	}
	if a.Root, err = certifiedClassicKey(a.rootSigner, a.root); err != nil {
		return nil, err
	}
	a.Intermediate, err = certifiedClassicKey(a.intermediateKey, a.intermediate)
	return a, err
}

// ClassicSubject is what a certificate says of its bearer.
type ClassicSubject struct {
	CommonName    string
	Organizations []string
	DNSNames      []string
	Emails        []string
	URIs          []string  // SPIFFE ids
	NotBefore     time.Time // with NotAfter: the authority's own validity if zero
	NotAfter      time.Time
	// FromRoot has the root itself issue it, without the intermediate.
	FromRoot bool
}

// Issue certifies a new P-256 key. The same name always gives the same key.
func (a *ClassicAuthority) Issue(name string, subject ClassicSubject) (*ClassicKey, error) {
	signer, err := a.seed.ecdsaKey(elliptic.P256(), "leaf "+name)
	if err != nil {
		return nil, err
	}
	template, err := a.template(name, subject)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate for %s: %w", name, err)
	}
	issuer, issuerKey := a.intermediate, a.intermediateKey
	if subject.FromRoot {
		issuer, issuerKey = a.root, a.rootSigner
	}
	certificate, err := createCertificate(template, issuer, signer.Public(), issuerKey)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate for %s: %w", name, err)
	}
	return certifiedClassicKey(signer, certificate)
}

func (a *ClassicAuthority) template(name string, subject ClassicSubject) (*x509.Certificate, error) {
	serial, err := a.seed.serial("leaf " + name)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: subject.CommonName, Organization: subject.Organizations},
		DNSNames:     subject.DNSNames, EmailAddresses: subject.Emails,
		NotBefore: subject.NotBefore, NotAfter: subject.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if subject.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = a.valid.start, a.valid.end
	}
	for _, text := range subject.URIs {
		uri, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("parsing alternative name: %w", err)
		}
		template.URIs = append(template.URIs, uri)
	}
	return template, nil
}

func certifiedClassicKey(signer ecdsaSigner, certificate *x509.Certificate) (*ClassicKey, error) {
	key, err := newClassicKey(signer)
	if err != nil {
		return nil, err
	}
	key.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	return key, nil
}
