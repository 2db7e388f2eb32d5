package identity_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"maps"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// read issues a certificate and reads it back.
func read(t *testing.T, as attestationtest.Identity) (identity.Signer, error) {
	t.Helper()
	s, err := attestationtest.New(attestationtest.PublicGood())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := s.Certify(attestationtest.CertifyRequest{Identity: as})
	if err != nil {
		t.Fatal(err)
	}
	return identity.FromCertificate(cert.Leaf)
}

func TestFromCertificate(t *testing.T) {
	t.Parallel()
	claims := attestationtest.WorkflowClaims{Repository: "acme/app", Environment: "production"}.WithDefaults()
	workflow := attestationtest.Workflow(claims)
	got, err := read(t, workflow)
	if err != nil {
		t.Fatal(err)
	}
	if got.SAN != "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main" || got.SANKind != identity.URI || got.Issuer != identity.GitHubActionsIssuer {
		t.Errorf("signer %+v", got)
	}
	for _, name := range identity.Names() {
		if got.Extensions[name] == "" {
			t.Errorf("extension %s is empty, expected the claim", name)
		}
	}
	want := identity.Source{Repository: "https://github.com/acme/app", Commit: claims.SHA, Ref: "refs/heads/main"}
	if source, ok := got.Source(); !ok || source != want {
		t.Errorf("source %+v, expected %+v", source, want)
	}
	if !got.IsWorkload() || got.BuilderURI() != got.SAN || got.Trigger() != "push" {
		t.Errorf("workload %v, builder %s, trigger %s", got.IsWorkload(), got.BuilderURI(), got.Trigger())
	}
	if diff := cmp.Diff("release.yml@refs/heads/main of acme/app (GitHub Actions)", got.String()); diff != "" {
		t.Error(diff)
	}
}

// Certificates of before 2023 carry .1 to .6 only.
func TestFromOldCertificate(t *testing.T) {
	t.Parallel()
	claims := attestationtest.WorkflowClaims{Repository: "acme/app"}.WithDefaults()
	old := attestationtest.Workflow(claims).Without("issuerV2", "tokenSubject", "buildSignerURI", "buildSignerDigest", "runnerEnvironment",
		"sourceRepositoryURI", "sourceRepositoryDigest", "sourceRepositoryRef", "sourceRepositoryIdentifier", "sourceRepositoryOwnerURI",
		"sourceRepositoryOwnerIdentifier", "buildConfigURI", "buildConfigDigest", "buildTrigger", "runInvocationURI", "sourceRepositoryVisibilityAtSigning")
	got, err := read(t, old)
	if err != nil {
		t.Fatal(err)
	}
	source, ok := got.Source()
	if !ok || source.Repository != "https://github.com/acme/app" || source.Commit != claims.SHA || source.Ref != claims.Ref {
		t.Errorf("source %+v from .5, .3 and .6", source)
	}
	if got.Issuer != identity.GitHubActionsIssuer || got.Trigger() != "push" || got.BuilderURI() != got.SAN {
		t.Errorf("issuer %s, trigger %s, builder %s", got.Issuer, got.Trigger(), got.BuilderURI())
	}
}

func TestFromPersonsCertificate(t *testing.T) {
	t.Parallel()
	got, err := read(t, attestationtest.Person("alice@example.com", "https://accounts.google.com"))
	if err != nil {
		t.Fatal(err)
	}
	if got.SAN != "alice@example.com" || got.SANKind != identity.Email || got.IsWorkload() || got.BuilderURI() != "" {
		t.Errorf("signer %+v", got)
	}
	if _, ok := got.Source(); ok {
		t.Error("a person's certificate proves a source")
	}
	if got.String() != "alice@example.com (https://accounts.google.com)" {
		t.Errorf("String() = %s", got)
	}
}

func TestFromCertificateRefuses(t *testing.T) {
	t.Parallel()
	person := attestationtest.Person("alice@example.com", "https://accounts.google.com")
	extra := func(arc int, value []byte) attestationtest.Identity {
		id := person
		id.Extra = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, arc}, Value: value}}
		return id
	}
	for _, row := range []struct {
		name string
		as   attestationtest.Identity
		says string
	}{
		{"the two spellings of the issuer disagree", person.With("issuerV1", "https://evil.example"), "extension .1 says"},
		{"an extension that is no DER string", extra(20, []byte("push")), "reading certificate extension"},
		{"trailing bytes", extra(20, []byte{0x0c, 1, 'x', 0}), "trailing bytes"},
		{"a control character", extra(20, []byte{0x0c, 2, 'x', '\n'}), "control character"},
		{"a value too long", person.With("buildTrigger", strings.Repeat("x", identity.MaxValueLength+1)), "at most"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t, row.as)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%+v, error %v, expected one that says %q", got, err, row.says)
			}
		})
	}
}

func TestOneNameOnly(t *testing.T) {
	t.Parallel()
	uri := &url.URL{Scheme: "https", Host: "example.com", Path: "/x"}
	for name, cert := range map[string]*x509.Certificate{
		"none":             {},
		"two URIs":         {URIs: []*url.URL{uri, uri}},
		"a URI and a mail": {URIs: []*url.URL{uri}, EmailAddresses: []string{"alice@example.com"}},
		"a DNS name":       {DNSNames: []string{"example.com"}},
		"a URI and an IP":  {URIs: []*url.URL{uri}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}},
		"an empty mail":    {EmailAddresses: []string{""}},
	} {
		if got, err := identity.FromCertificate(cert); err == nil {
			t.Errorf("%s: %+v, expected an error", name, got)
		}
	}
}

func TestOtherName(t *testing.T) {
	t.Parallel()
	got, err := read(t, attestationtest.Identity{OtherName: "foo!oidc.example", Issuer: "https://oidc.example"})
	if err != nil || got.SAN != "foo!oidc.example" || got.SANKind != identity.OtherName {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	base := identity.Signer{Issuer: "i", SAN: "s", SANKind: identity.URI, Extensions: identity.Extensions{identity.BuildTrigger: "push"}}
	if !base.Equal(base) || (identity.Signer{}).Equal(base) || !(identity.Signer{}).IsZero() {
		t.Error("equality of signers is off")
	}
	for name, change := range map[string]func(*identity.Signer){
		"issuer":    func(s *identity.Signer) { s.Issuer = "j" },
		"SAN":       func(s *identity.Signer) { s.SAN = "t" },
		"kind":      func(s *identity.Signer) { s.SANKind = identity.Email },
		"key":       func(s *identity.Signer) { s.Key = "sha256:00" },
		"extension": func(s *identity.Signer) { s.Extensions[identity.BuildTrigger] = "pull_request" },
	} {
		other := base
		other.Extensions = maps.Clone(base.Extensions)
		change(&other)
		if base.Equal(other) {
			t.Errorf("signers that differ in %s are equal", name)
		}
	}
}
