package attestationtest

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	"github.com/google/certificate-transparency-go/x509util"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// leafLifetime is how long a certificate of Fulcio is valid.
const leafLifetime = 10 * time.Minute

// CA is a certificate authority in the manner of Fulcio: a P-384 root, a P-384
// intermediate, and short-lived leaves for code signing. It is safe for
// concurrent use.
type CA struct {
	url          string
	seed         secret
	root         *x509.Certificate
	intermediate *x509.Certificate
	key          ecdsaSigner // the intermediate's
	issued       atomic.Uint64
}

func newCA(url, organization string, seed secret, valid window) (*CA, error) {
	root, rootKey, err := newRoot(seed, "certificate authority", pkix.Name{
		Organization: []string{organization},
		CommonName:   "sigstore",
	}, valid)
	if err != nil {
		return nil, err
	}
	key, err := seed.ecdsaKey(elliptic.P384(), "certificate authority, intermediate")
	if err != nil {
		return nil, err
	}
	serial, err := seed.serial("certificate authority, intermediate")
	if err != nil {
		return nil, err
	}
	intermediate, err := createCertificate(&x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{organization}, CommonName: "sigstore-intermediate"},
		NotBefore:             valid.start,
		NotAfter:              valid.end,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}, root, key.Public(), rootKey)
	if err != nil {
		return nil, fmt.Errorf("creating intermediate certificate: %w", err)
	}
	return &CA{url: url, seed: seed, root: root, intermediate: intermediate, key: key}, nil
}

// URL returns the authority's base URL.
func (ca *CA) URL() string { return ca.url }

// Chain returns the authority's certificates, as a trusted root lists them:
// the intermediate, then the root.
func (ca *CA) Chain() []*x509.Certificate {
	return []*x509.Certificate{ca.intermediate, ca.root}
}

// Signer returns the intermediate's key, for a server that issues on its own.
func (ca *CA) Signer() crypto.Signer { return ca.key }

// CertificateRequest says what a certificate shall hold.
type CertificateRequest struct {
	Identity  Identity         // required
	PublicKey crypto.PublicKey // required
	NotBefore time.Time        // required, whole seconds
	Lifetime  time.Duration    // 0 means 10 minutes
	// ExtKeyUsage defaults to code signing. Empty but not nil means none.
	ExtKeyUsage []x509.ExtKeyUsage
	// CTLog promises to log the precertificate; nil means no promise.
	CTLog *CTLog
}

// Issue returns a certificate with an empty subject, the identity's
// alternative name (critical, as RFC 5280, 4.2.1.6 wants it then), its Fulcio
// extensions and, last, the log's promise over the precertificate (RFC 6962,
// 3.1).
func (ca *CA) Issue(request CertificateRequest) (*x509.Certificate, error) {
	template, err := ca.template(request)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate: %w", err)
	}
	if request.CTLog != nil {
		promise, err := ca.promise(template, request)
		if err != nil {
			return nil, fmt.Errorf("issuing certificate: %w", err)
		}
		template.ExtraExtensions = append(template.ExtraExtensions, promise)
	}
	certificate, err := createCertificate(template, ca.intermediate, request.PublicKey, ca.key)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate: %w", err)
	}
	return certificate, nil
}

// template returns the certificate without a promise of a log.
func (ca *CA) template(request CertificateRequest) (*x509.Certificate, error) {
	serial, err := ca.seed.serial(fmt.Sprintf("leaf %d", ca.issued.Add(1)))
	if err != nil {
		return nil, err
	}
	subjectKeyID, err := cryptoutils.SKID(request.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("naming subject's key: %w", err)
	}
	extensions, err := request.Identity.fulcioExtensions()
	if err != nil {
		return nil, err
	}
	lifetime := request.Lifetime
	if lifetime == 0 {
		lifetime = leafLifetime
	}
	usage := request.ExtKeyUsage
	if usage == nil {
		usage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	template := &x509.Certificate{
		SerialNumber:    serial,
		NotBefore:       request.NotBefore,
		NotAfter:        request.NotBefore.Add(lifetime),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     usage,
		SubjectKeyId:    subjectKeyID,
		ExtraExtensions: extensions,
	}
	return template, setAlternativeName(template, request.Identity)
}

// setAlternativeName writes the identity's one subject alternative name.
func setAlternativeName(template *x509.Certificate, identity Identity) error {
	switch id := identity; {
	case id.URI != "" && id.Email == "" && id.OtherName == "":
		uri, err := url.Parse(id.URI)
		if err != nil {
			return fmt.Errorf("parsing alternative name: %w", err)
		}
		template.URIs = []*url.URL{uri}
	case id.Email != "" && id.URI == "" && id.OtherName == "":
		template.EmailAddresses = []string{id.Email}
	case id.OtherName != "" && id.URI == "" && id.Email == "":
		name, err := cryptoutils.MarshalOtherNameSAN(id.OtherName, true)
		if err != nil {
			return fmt.Errorf("encoding alternative name: %w", err)
		}
		template.ExtraExtensions = append([]pkix.Extension{*name}, template.ExtraExtensions...)
	default:
		return errors.New("writing alternative name: identity must set exactly one of URI, Email and OtherName")
	}
	return nil
}

// promise logs the template's precertificate and returns the extension with
// the log's signed certificate timestamp. It leaves the template as it is.
func (ca *CA) promise(template *x509.Certificate, request CertificateRequest) (pkix.Extension, error) {
	poisoned := *template
	poisoned.ExtraExtensions = append(append([]pkix.Extension(nil), template.ExtraExtensions...), poison())
	precertificate, err := createCertificate(&poisoned, ca.intermediate, request.PublicKey, ca.key)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("creating precertificate: %w", err)
	}
	sct, err := request.CTLog.AddPreChain(
		[][]byte{precertificate.Raw, ca.intermediate.Raw, ca.root.Raw}, request.NotBefore)
	if err != nil {
		return pkix.Extension{}, err
	}
	return sctExtension(sct)
}

// poison keeps a precertificate from being used.
//
// "The Precertificate is constructed from the certificate to be issued by
// adding a special critical poison extension (OID 1.3.6.1.4.1.11129.2.4.3,
// whose extnValue OCTET STRING contains ASN.1 NULL data (0x05 0x00))" (RFC
// 6962, 3.1).
func poison() pkix.Extension {
	return pkix.Extension{
		Id:       asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3},
		Critical: true,
		Value:    asn1.NullBytes,
	}
}

// sctListOID names the extension that holds the promises of logs (RFC 6962, 3.3).
func sctListOID() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
}

// sctExtension encodes "a SignedCertificateTimestampList structure [...] in an
// OCTET STRING" (RFC 6962, 3.3).
func sctExtension(scts ...*ct.SignedCertificateTimestamp) (pkix.Extension, error) {
	list, err := x509util.MarshalSCTsIntoSCTList(scts)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encoding list of certificate timestamps: %w", err)
	}
	encoded, err := tls.Marshal(*list)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encoding list of certificate timestamps: %w", err)
	}
	value, err := asn1.Marshal(encoded)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encoding list of certificate timestamps: %w", err)
	}
	return pkix.Extension{Id: sctListOID(), Value: value}, nil
}

// newRoot returns a self-signed P-384 certificate and its key.
func newRoot(seed secret, label string, name pkix.Name, valid window) (*x509.Certificate, ecdsaSigner, error) {
	key, err := seed.ecdsaKey(elliptic.P384(), label+", root")
	if err != nil {
		return nil, ecdsaSigner{}, err
	}
	serial, err := seed.serial(label + ", root")
	if err != nil {
		return nil, ecdsaSigner{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               name,
		NotBefore:             valid.start,
		NotAfter:              valid.end,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            1,
	}
	root, err := createCertificate(template, template, key.Public(), key)
	if err != nil {
		return nil, ecdsaSigner{}, fmt.Errorf("creating root of %s: %w", label, err)
	}
	return root, key, nil
}

// createCertificate signs the template and reads the result.
func createCertificate(template, parent *x509.Certificate, public crypto.PublicKey, signer ecdsaSigner) (*x509.Certificate, error) {
	// Neither the signer nor a template with a serial number draws randomness.
	der, err := x509.CreateCertificate(nil, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
