package attestation

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxAuthorities bounds the certificates that one layout trusts, of each kind.
const MaxAuthorities = 64

// Signed is classic in-toto metadata with at least one signature that verified.
// Envelope.Verify alone makes one; nil and the zero value hold nothing.
type Signed struct {
	source, digest string
	payload        object
	signers        []SignedBy
}

// Source says where the envelope was found.
func (s *Signed) Source() string {
	if s == nil {
		return ""
	}
	return s.source
}

// Digest is that of the envelope's own bytes.
func (s *Signed) Digest() string {
	if s == nil {
		return ""
	}
	return s.digest
}

// Payload is the JSON object that was signed. It must not be modified.
func (s *Signed) Payload() jsontext.Value {
	if s == nil {
		return nil
	}
	return s.payload.raw
}

// Type is the _type that the signed object says it is of; empty where it says none.
func (s *Signed) Type() string {
	if s == nil {
		return ""
	}
	return s.payload.text("_type")
}

// SignedBy are the keys and certificates whose signatures verified, each once.
func (s *Signed) SignedBy() []SignedBy {
	if s == nil {
		return nil
	}
	return slices.Clone(s.signers)
}

// SignedBy is who made one signature: a key that the caller named, or a
// certificate under one of the authorities that the caller named.
type SignedBy struct {
	// Key is the key as the caller gave it; zero where a certificate signed.
	Key InTotoKey
	// Certificate is nil where a key signed.
	Certificate *SignerCertificate
}

// Signer is the identity for a report.
func (s SignedBy) Signer() identity.Signer {
	if s.Certificate != nil {
		return s.Certificate.signer
	}
	return s.Key.Signer()
}

// SignerCertificate is a leaf certificate with a chain to an authority.
type SignerCertificate struct {
	CommonName    string
	Organizations []string
	DNSNames      []string
	Emails        []string
	URIs          []string
	// Roots are the ids of the root authorities that a chain ends in: of those
	// that were used, not of all that the layout lists.
	Roots []string

	signer identity.Signer // the certificate's key
}

// Authorities are the certificates that a layout trusts for its functionaries.
// The zero value trusts none.
type Authorities struct {
	roots         map[string]*x509.Certificate
	intermediates []*x509.Certificate
}

// AddRoot trusts a root authority under the layout's id for it.
func (a *Authorities) AddRoot(id string, pemText string) error {
	certificate, err := parseCertificate(pemText)
	if err != nil {
		return err
	}
	if len(a.roots) == MaxAuthorities {
		return fmt.Errorf("more than %d root authorities", MaxAuthorities)
	}
	if a.roots == nil {
		a.roots = map[string]*x509.Certificate{}
	}
	a.roots[id] = certificate
	return nil
}

// AddIntermediate knows an authority between a root and the functionaries.
func (a *Authorities) AddIntermediate(pemText string) error {
	certificate, err := parseCertificate(pemText)
	if err != nil {
		return err
	}
	if len(a.intermediates) == MaxAuthorities {
		return fmt.Errorf("more than %d intermediate authorities", MaxAuthorities)
	}
	a.intermediates = append(a.intermediates, certificate)
	return nil
}

func parseCertificate(pemText string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(pemText))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no PEM block, expected -----BEGIN CERTIFICATE-----")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	return certificate, nil
}

// Trusted is whose signatures Verify accepts.
type Trusted struct {
	Keys []InTotoKey
	// Authorities is set where certificates may sign.
	Authorities *Authorities
	// Now is when keys and certificates must be valid: classic metadata has no
	// proven time. It must be set.
	Now time.Time
}

// Verify checks the envelope's signatures. Each signature is tried with every
// key, those with its key id first, so that neither a wrong id nor a broken
// signature beside it hides a good one.
func (e *Envelope) Verify(trusted Trusted) (*Signed, *Refusal) {
	if e == nil || e.payload.raw == nil {
		return nil, refuse("", verdict.EnvelopeMalformed, errors.New("no envelope"))
	}
	s := &Signed{source: e.source, digest: e.digest, payload: e.payload}
	var nearest error
	for _, signature := range e.signatures {
		by, err := e.signer(signature, trusted)
		switch {
		case err != nil:
			nearest = closer(nearest, err)
		case !slices.ContainsFunc(s.signers, by.same):
			s.signers = append(s.signers, by)
		}
	}
	if len(s.signers) == 0 {
		return nil, refuse(e.source, verdict.SignatureInvalid, e.unsigned(nearest))
	}
	return s, nil
}

// closer keeps the reason that says more than that no key made the signature.
func closer(have, err error) error {
	if have == nil || errors.Is(have, errSignature) {
		return err
	}
	return have
}

func (e *Envelope) unsigned(nearest error) error {
	why := &reason{found: "no signature by a trusted key", cause: nearest, expected: "a signature by one of the keys that may sign this", next: "have it signed by one of them, or check the keys"}
	if len(e.signatures) == 0 {
		why.found = "there is no signature"
	}
	return why
}

func (s SignedBy) same(o SignedBy) bool {
	return (s.Certificate == nil) == (o.Certificate == nil) && s.Key.id == o.Key.id && s.Signer().Equal(o.Signer())
}

// signer finds who made one signature.
func (e *Envelope) signer(s envelopeSignature, trusted Trusted) (SignedBy, error) {
	if len(s.value) == 0 {
		return SignedBy{}, errSignature
	}
	nearest := errSignature
	for _, hinted := range []bool{true, false} {
		for _, key := range trusted.Keys {
			for _, part := range key.parts {
				if (part.id == s.keyID) != hinted {
					continue
				}
				err := part.verify(s, e.signed, trusted.Now)
				if err == nil {
					return SignedBy{Key: key}, nil
				}
				if hinted {
					nearest = closer(nearest, err)
				}
			}
		}
	}
	if s.certificate == "" || trusted.Authorities == nil {
		return SignedBy{}, nearest
	}
	certificate, err := trusted.Authorities.verify(s, e.signed, trusted.Now)
	if err != nil {
		return SignedBy{}, fmt.Errorf("verifying the signer's certificate: %w", err)
	}
	return SignedBy{Certificate: certificate}, nil
}

// verify checks a signature by a certificate, and the certificate's chain.
//
// "a functionary will be tested against the existing set of known key's as
// defined in the layout or whether a chain of trust can be built to the defined
// roots using the defined intermediates." (ITE-7; TestCertificateConstraints)
func (a *Authorities) verify(s envelopeSignature, signed []byte, now time.Time) (*SignerCertificate, error) {
	leaf, err := parseCertificate(s.certificate)
	if err != nil {
		return nil, err
	}
	part, err := newKeyPart(leaf.PublicKey)
	if err != nil {
		return nil, err
	}
	if part.scheme, err = parseScheme("", leaf.PublicKey); err != nil {
		return nil, err
	}
	if err := part.verify(s, signed, now); err != nil {
		return nil, err
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, errors.New("its key usage does not allow signatures")
	}
	roots, err := a.chainsOf(leaf, now)
	if err != nil {
		return nil, err
	}
	c := &SignerCertificate{
		CommonName: leaf.Subject.CommonName, Organizations: leaf.Subject.Organization,
		DNSNames: leaf.DNSNames, Emails: leaf.EmailAddresses, Roots: roots, signer: part.signer,
	}
	for _, uri := range leaf.URIs {
		c.URIs = append(c.URIs, uri.String())
	}
	return c, nil
}

// chainsOf lists the ids of the roots that a chain from the leaf ends in.
func (a *Authorities) chainsOf(leaf *x509.Certificate, now time.Time) ([]string, error) {
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, root := range a.roots {
		options.Roots.AddCert(root)
	}
	for _, intermediate := range a.intermediates {
		options.Intermediates.AddCert(intermediate)
	}
	chains, err := leaf.Verify(options)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, id := range sortedIDs(a.roots) {
		if slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return chain[len(chain)-1].Equal(a.roots[id]) }) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// LinkFolder is a folder of link metadata as it was found: the files NAME.link,
// and the folders NAME of the sublayouts among them.
type LinkFolder struct {
	Path    string
	Files   []LinkFile
	Folders map[string]*LinkFolder // by the name of the sublayout's file, without .link
}

// LinkFile is one file of a folder of links, without the suffix ".link".
type LinkFile struct {
	Name     string
	Envelope *Envelope // nil where it could not be read
	Refused  *Refusal  // why
}
