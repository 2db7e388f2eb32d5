package identity_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"unicode"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// FuzzFromCertificate: a signer that is read has a name, its issuer is the
// extension's, and no value of it is empty or can disturb a line of a report.
func FuzzFromCertificate(f *testing.F) {
	s, err := attestationtest.New(attestationtest.PublicGood())
	if err != nil {
		f.Fatal(err)
	}
	for _, as := range []attestationtest.Identity{
		attestationtest.Workflow(attestationtest.WorkflowClaims{}.WithDefaults()),
		attestationtest.Person("alice@example.com", "https://accounts.google.com"),
		{OtherName: "foo!oidc.example", Issuer: "https://oidc.example"},
	} {
		cert, err := s.Certify(attestationtest.CertifyRequest{Identity: as})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(cert.Leaf.Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		signer, err := identity.FromCertificate(cert)
		if err != nil {
			if !signer.IsZero() {
				t.Errorf("an error came with the signer %s", signer)
			}
			return
		}
		if signer.IsZero() || signer.Key != "" || signer.Issuer != signer.Extensions[identity.Issuer] {
			t.Errorf("%+v", signer)
		}
		for name, value := range signer.Extensions {
			if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
				t.Errorf("extension %s is %q", name, value)
			}
		}
	})
}
