package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// MaxValueLength bounds each name and extension value read from a certificate, in bytes.
const MaxValueLength = 4096

// FromCertificate reads the signer out of a leaf certificate. The certificate
// must have been verified by the caller. It is an error if the certificate
// carries no subject alternative name or more than one, if the two spellings of
// the issuer (.1 and .8) disagree, or if a value is not text.
func FromCertificate(cert *x509.Certificate) (Signer, error) {
	s := Signer{Extensions: Extensions{}}
	if err := s.readSAN(cert); err != nil {
		return Signer{}, err
	}
	var issuerV1 string
	names := byArc()
	for _, ext := range cert.Extensions {
		n, ok := arc(ext.Id)
		if !ok || (n != 1 && (n >= len(names) || names[n] == "")) {
			continue
		}
		value, err := extensionText(n, ext.Value)
		if err != nil {
			return Signer{}, fmt.Errorf("reading certificate extension %s: %w", ext.Id, err)
		}
		switch {
		case n == 1:
			issuerV1 = value
		case value != "":
			s.Extensions[names[n]] = value
		}
	}
	s.Issuer = s.Extensions[Issuer]
	switch {
	case s.Issuer == "" && issuerV1 != "":
		s.Issuer, s.Extensions[Issuer] = issuerV1, issuerV1
	case issuerV1 != "" && issuerV1 != s.Issuer:
		return Signer{}, fmt.Errorf("reading certificate issuer: extension .1 says %q and .8 says %q", issuerV1, s.Issuer)
	}
	return s, nil
}

// FromPublicKey makes the signer of a long-lived key from its
// SubjectPublicKeyInfo in DER.
func FromPublicKey(spki []byte) Signer {
	sum := sha256.Sum256(spki)
	return Signer{Key: "sha256:" + hex.EncodeToString(sum[:])}
}

func (s *Signer) readSAN(cert *x509.Certificate) error {
	if n := len(cert.DNSNames) + len(cert.IPAddresses); n > 0 {
		return fmt.Errorf("reading certificate SAN: %d DNS names or IP addresses, expected none", n)
	}
	switch {
	case len(cert.URIs)+len(cert.EmailAddresses) > 1:
		return fmt.Errorf("reading certificate SAN: %d names, expected exactly one", len(cert.URIs)+len(cert.EmailAddresses))
	case len(cert.URIs) == 1:
		s.SAN, s.SANKind = cert.URIs[0].String(), URI
	case len(cert.EmailAddresses) == 1:
		s.SAN, s.SANKind = cert.EmailAddresses[0], Email
	default:
		// Go leaves OtherName general names to the caller.
		name, err := cryptoutils.UnmarshalOtherNameSAN(cert.Extensions)
		if err != nil {
			return fmt.Errorf("reading certificate SAN: %w", err)
		}
		s.SAN, s.SANKind = name, OtherName
	}
	if s.SAN == "" {
		return fmt.Errorf("reading certificate SAN: empty, expected one name")
	}
	return checkText(s.SAN)
}

// extensionText decodes an extension's value: .1 to .6 are raw strings, .8 and
// later DER-encoded UTF8Strings.
func extensionText(arc int, value []byte) (string, error) {
	text := string(value)
	if arc >= 8 {
		text = ""
		rest, err := asn1.Unmarshal(value, &text)
		if err != nil {
			return "", err
		}
		if len(rest) != 0 {
			return "", fmt.Errorf("%d trailing bytes after the string", len(rest))
		}
	}
	return text, checkText(text)
}

func checkText(s string) error {
	if len(s) > MaxValueLength {
		return fmt.Errorf("%d bytes, at most %d are read", len(s), MaxValueLength)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("value is not UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Errorf("value %q holds a control character", s)
		}
	}
	return nil
}
