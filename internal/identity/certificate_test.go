package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// raw is a Fulcio extension as it stands in a certificate.
func raw(arc int, value []byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, arc}, Value: value}
}

func text(arc int, value string) pkix.Extension {
	if arc < 8 {
		return raw(arc, []byte(value))
	}
	encoded, err := asn1.MarshalWithParams(value, "utf8")
	if err != nil {
		panic(err)
	}
	return raw(arc, encoded)
}

func link(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Every extension that Fulcio writes is read under its name.
func TestFromCertificate(t *testing.T) {
	t.Parallel()
	sigstore, err := attestationtest.New(attestationtest.GitHub())
	if err != nil {
		t.Fatal(err)
	}
	certify := func(id attestationtest.Identity) Signer {
		c, err := sigstore.Certify(attestationtest.CertifyRequest{Identity: id})
		if err != nil {
			t.Fatal(err)
		}
		s, err := FromCertificate(c.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	workflow := attestationtest.Workflow(attestationtest.WorkflowClaims{Environment: "production"})
	got := certify(workflow)
	want := Signer{Issuer: GitHubActionsIssuer, SAN: workflow.URI, SANKind: URI, Extensions: Extensions{Issuer: GitHubActionsIssuer}}
	for name, value := range workflow.Extensions {
		want.Extensions[Extension(name)] = value
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("workflow (-want +got):\n%s", diff)
	}
	if len(got.Extensions) != len(Names()) {
		t.Errorf("%d extensions are read, and %d have a name", len(got.Extensions), len(Names()))
	}
	if !got.IsWorkload() {
		t.Error("a workflow is no workload")
	}

	person := certify(attestationtest.Person("alice@example.com", "https://accounts.google.com"))
	if diff := cmp.Diff(Signer{Issuer: "https://accounts.google.com", SAN: "alice@example.com", SANKind: Email,
		Extensions: Extensions{Issuer: "https://accounts.google.com", TokenSubject: "alice@example.com"}}, person); diff != "" {
		t.Errorf("person (-want +got):\n%s", diff)
	}
	if person.IsWorkload() {
		t.Error("a person is a workload")
	}
	user := certify(attestationtest.Identity{OtherName: "bob!example.com", Issuer: "https://issuer.example"})
	if user.SAN != "bob!example.com" || user.SANKind != OtherName || user.IsWorkload() {
		t.Errorf("a user name is read as %+v", user)
	}
	release := certify(attestationtest.Identity{URI: "https://dotcom.releases.github.com"})
	if diff := cmp.Diff(Signer{SAN: "https://dotcom.releases.github.com", SANKind: URI, Extensions: Extensions{}}, release); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
}

func TestFromCertificateForms(t *testing.T) {
	t.Parallel()
	const issuer = "https://issuer.example"
	alice := []string{"alice@example.com"}
	for _, r := range []struct {
		name string
		cert x509.Certificate
		want string // the issuer that is read; "refused" where there must be an error
	}{
		{"no issuer", x509.Certificate{EmailAddresses: alice}, ""},
		{".1 alone", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(1, issuer)}}, issuer},
		{".8 alone", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(8, issuer)}}, issuer},
		{"both", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(1, issuer), text(8, issuer)}}, issuer},
		{"both, in the other order", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(8, issuer), text(1, issuer)}}, issuer},
		{"both, and they disagree", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(1, issuer), text(8, issuer+"/")}}, "refused"},
		{".1 and an empty .8", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(1, issuer), text(8, "")}}, issuer},
		{"an unknown extension", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(8, issuer), text(99, "x"), {Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{0}}}}, issuer},
		{"an extension below another one", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8, 1}, Value: []byte("x")}}}, ""},

		{"no name", x509.Certificate{Extensions: []pkix.Extension{text(8, issuer)}}, "refused"},
		{"two addresses", x509.Certificate{EmailAddresses: []string{"a@example.com", "b@example.com"}}, "refused"},
		{"two URIs", x509.Certificate{URIs: []*url.URL{link(t, "https://a"), link(t, "https://b")}}, "refused"},
		{"an address and a URI", x509.Certificate{EmailAddresses: alice, URIs: []*url.URL{link(t, "https://a")}}, "refused"},
		{"an address and a host", x509.Certificate{EmailAddresses: alice, DNSNames: []string{"example.com"}}, "refused"},
		{"a host", x509.Certificate{DNSNames: []string{"example.com"}}, "refused"},
		{"an IP address", x509.Certificate{EmailAddresses: alice, IPAddresses: []net.IP{{127, 0, 0, 1}}}, "refused"},
		{"an empty address", x509.Certificate{EmailAddresses: []string{""}}, "refused"},
		{"a zero byte in the name", x509.Certificate{EmailAddresses: []string{"alice@example.com\x00.evil"}}, "refused"},
		{"a line break in the name", x509.Certificate{EmailAddresses: []string{"alice@example.com\n"}}, "refused"},
		{"a name that is not UTF-8", x509.Certificate{EmailAddresses: []string{"\xff@example.com"}}, "refused"},
		{"a name that is too long", x509.Certificate{EmailAddresses: []string{strings.Repeat("a", MaxValueLength) + "@example.com"}}, "refused"},
		{"bytes after a value", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{raw(8, append(text(8, issuer).Value, 0))}}, "refused"},
		{"a value that is no string", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{raw(9, []byte{2, 1, 1})}}, "refused"},
		{"a value that is cut", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{raw(9, text(9, issuer).Value[:5])}}, "refused"},
		{"an empty extension", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{raw(9, nil)}}, "refused"},
		{"a control character in a value", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(9, "a\x1bb")}}, "refused"},
		{"a value that is not UTF-8", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{raw(2, []byte{0xff})}}, "refused"},
		{"a value that is too long", x509.Certificate{EmailAddresses: alice, Extensions: []pkix.Extension{text(9, strings.Repeat("a", MaxValueLength+1))}}, "refused"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s, err := FromCertificate(&r.cert)
			got := s.Issuer
			if err != nil {
				got = "refused"
			}
			if got != r.want {
				t.Errorf("issuer is %q (%v), expected %q", got, err, r.want)
			}
			if err != nil && !s.IsZero() {
				t.Errorf("a refused certificate gives %s", s)
			}
		})
	}
}

func TestFromPublicKey(t *testing.T) {
	t.Parallel()
	a, b := FromPublicKey([]byte("a")), FromPublicKey([]byte("b"))
	if a.Equal(b) || !a.Equal(FromPublicKey([]byte("a"))) || a.IsZero() || a.IsWorkload() {
		t.Errorf("keys are %s and %s", a, b)
	}
	if want := "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"; a.Key != want {
		t.Errorf("the fingerprint is %s, expected %s", a.Key, want)
	}
}
