package attestationtest

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

const fulcioArc = "1.3.6.1.4.1.57264.1."

// fulcioValues returns the certificate's Fulcio extensions: the last number of
// the name to the value, whose encoding is checked.
func fulcioValues(t *testing.T, leaf *x509.Certificate) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for _, extension := range leaf.Extensions {
		oid := extension.Id.String()
		if len(oid) <= len(fulcioArc) || oid[:len(fulcioArc)] != fulcioArc {
			continue
		}
		if extension.Critical {
			t.Errorf("%s is critical", oid)
		}
		value, arc := string(extension.Value), oid[len(fulcioArc):]
		if !slices.Contains([]string{"1", "2", "3", "4", "5", "6"}, arc) {
			var raw asn1.RawValue
			rest, err := asn1.Unmarshal(extension.Value, &raw)
			if err != nil || len(rest) > 0 || raw.Tag != asn1.TagUTF8String {
				t.Errorf("%s is no UTF8String: %x", oid, extension.Value)
			}
			value = string(raw.Bytes)
		}
		values[arc] = value
	}
	return values
}

func newCertificate(t *testing.T, s *Sigstore, identity Identity) *x509.Certificate {
	t.Helper()
	c, err := s.Certify(CertifyRequest{Identity: identity})
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

func TestWorkflowCertificate(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	claims := WorkflowClaims{
		Repository:     "acme/app",
		RepositoryID:   "11",
		OwnerID:        "22",
		Workflow:       ".github/workflows/ci.yml",
		WorkflowName:   "CI",
		WorkflowSHA:    "0000000000000000000000000000000000000003",
		JobWorkflowRef: "acme/builder/.github/workflows/build.yml@refs/tags/v1",
		JobWorkflowSHA: "0000000000000000000000000000000000000002",
		Ref:            "refs/tags/v2",
		SHA:            "0000000000000000000000000000000000000001",
		Trigger:        "release",
		RunID:          "33",
		RunAttempt:     "4",
		Visibility:     "private",
		Environment:    "production",
	}
	leaf := newCertificate(t, s, Workflow(claims))
	want := map[string]string{
		"1":  "https://token.actions.githubusercontent.com",
		"2":  "release",
		"3":  "0000000000000000000000000000000000000001",
		"4":  "CI",
		"5":  "acme/app",
		"6":  "refs/tags/v2",
		"8":  "https://token.actions.githubusercontent.com",
		"9":  "https://github.com/acme/builder/.github/workflows/build.yml@refs/tags/v1",
		"10": "0000000000000000000000000000000000000002",
		"11": "github-hosted",
		"12": "https://github.com/acme/app",
		"13": "0000000000000000000000000000000000000001",
		"14": "refs/tags/v2",
		"15": "11",
		"16": "https://github.com/acme",
		"17": "22",
		"18": "https://github.com/acme/app/.github/workflows/ci.yml@refs/tags/v2",
		"19": "0000000000000000000000000000000000000003",
		"20": "release",
		"21": "https://github.com/acme/app/actions/runs/33/attempts/4",
		"22": "private",
		"23": "production",
		"24": "repo:acme/app:environment:production",
	}
	if diff := cmp.Diff(want, fulcioValues(t, leaf)); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != want["9"] {
		t.Errorf("names are %v, want %s", leaf.URIs, want["9"])
	}

	plain := fulcioValues(t, newCertificate(t, s, Workflow(WorkflowClaims{})))
	if _, ok := plain["23"]; ok || len(plain) != 22 {
		t.Errorf("a job without environment has %d extensions: %v", len(plain), plain)
	}
	if got, want := plain["24"], "repo:acme/app:ref:refs/heads/main"; got != want {
		t.Errorf("subject is %q, want %q", got, want)
	}
}

// The certificate has the form of Fulcio's.
func TestCertificateForm(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	leaf := newCertificate(t, s, alice())
	if got, want := leaf.NotAfter.Sub(leaf.NotBefore), leafLifetime; got != want {
		t.Errorf("lifetime is %v, want %v", got, want)
	}
	if got := leaf.Subject.String(); got != "" {
		t.Errorf("subject is %q, want none", got)
	}
	if diff := cmp.Diff([]x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, leaf.ExtKeyUsage); diff != "" {
		t.Errorf("extended key usage (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"alice@example.com"}, leaf.EmailAddresses); diff != "" {
		t.Errorf("e-mail addresses (-want +got):\n%s", diff)
	}
	var order []string
	for _, extension := range leaf.Extensions {
		order = append(order, extension.Id.String())
		if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) && !extension.Critical {
			t.Error("alternative name is not critical beside an empty subject")
		}
	}
	want := []string{
		"2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35", "2.5.29.17",
		fulcioArc + "1", fulcioArc + "8", fulcioArc + "24", sctListOID().String(),
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
	for i, c := range s.CA.Chain() {
		if c.PublicKeyAlgorithm != x509.ECDSA || c.SignatureAlgorithm != x509.ECDSAWithSHA384 {
			t.Errorf("certificate %d of the chain is signed with %v", i, c.SignatureAlgorithm)
		}
	}
}

// Any subject alternative name verifies, and means to sigstore-go what it says.
func TestIdentityVerifies(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	for name, test := range map[string]struct {
		identity Identity
		want     certificate.Summary
	}{
		"e-mail": {
			Person("bob@example.com", "https://github.com/login/oauth"),
			certificate.Summary{SubjectAlternativeName: "bob@example.com",
				Extensions: certificate.Extensions{Issuer: "https://github.com/login/oauth"}},
		},
		"uri": {
			Identity{URI: "https://dotcom.releases.github.com"},
			certificate.Summary{SubjectAlternativeName: "https://dotcom.releases.github.com"},
		},
		"other name": {
			Identity{OtherName: "bob!example.com", Issuer: "https://issuer.example"},
			certificate.Summary{SubjectAlternativeName: "bob!example.com",
				Extensions: certificate.Extensions{Issuer: "https://issuer.example"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t, s, SignRequest{As: test.identity, Payload: artifactStatement()})
			result, err := plainVerify(s.TrustedRoot(), b.JSON, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, *result.Signature.Certificate,
				cmpopts.IgnoreFields(certificate.Summary{}, "CertificateIssuer")); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

// Each extension can be changed and left out, and the rest stays.
func TestIdentityWithAndWithout(t *testing.T) {
	t.Parallel()
	s := newInstance(t, GitHub())
	workflow := Workflow(WorkflowClaims{Environment: "production"})
	all := fulcioValues(t, newCertificate(t, s, workflow))
	for i, name := range ExtensionNames() {
		arc := fmt.Sprint(i + 1)
		if i >= 6 {
			arc = fmt.Sprint(i + 2) // .7 is no extension
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := make(map[string]string)
			for k, v := range all {
				want[k] = v
			}
			want[arc] = "changed"
			if diff := cmp.Diff(want, fulcioValues(t, newCertificate(t, s, workflow.With(name, "changed")))); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			delete(want, arc)
			if diff := cmp.Diff(want, fulcioValues(t, newCertificate(t, s, workflow.Without(name)))); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("issuer", func(t *testing.T) {
		t.Parallel()
		changed := fulcioValues(t, newCertificate(t, s, workflow.With("issuer", "https://issuer.example")))
		if changed["1"] != "https://issuer.example" || changed["8"] != "https://issuer.example" {
			t.Errorf("issuers are %q and %q", changed["1"], changed["8"])
		}
		if got := fulcioValues(t, newCertificate(t, s, alice().Without("issuer", "tokenSubject"))); len(got) > 0 {
			t.Errorf("extensions are left: %v", got)
		}
	})
	t.Run("map's word", func(t *testing.T) {
		t.Parallel()
		id := Identity{Email: "a@example.com", Issuer: "old", Extensions: map[string]string{"issuer": "new", "issuerV1": "first"}}
		want := map[string]string{"1": "first", "8": "new"}
		if diff := cmp.Diff(want, fulcioValues(t, newCertificate(t, s, id))); diff != "" {
			t.Errorf("extensions (-want +got):\n%s", diff)
		}
	})
	t.Run("extra", func(t *testing.T) {
		t.Parallel()
		extra := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: []byte{5, 0}}
		id := alice()
		id.Extra = []pkix.Extension{extra}
		if got := newCertificate(t, s, id).Extensions; !slices.ContainsFunc(got, func(e pkix.Extension) bool { return e.Id.Equal(extra.Id) }) {
			t.Errorf("extensions are %v", got)
		}
	})
	if diff := cmp.Diff(all, fulcioValues(t, newCertificate(t, s, workflow))); diff != "" {
		t.Errorf("With or Without changed its receiver (-want +got):\n%s", diff)
	}
}
