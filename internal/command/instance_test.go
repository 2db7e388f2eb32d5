package command

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/signer"
	"github.com/signatus-dev/signatus/internal/trust"
)

// trusted is a trusted root of an instance.
func trusted(t *testing.T, config attestationtest.Config) trust.Root {
	t.Helper()
	sigstore, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	material, err := root.NewTrustedRootFromJSON(sigstore.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	return trust.Root{Name: "sigstore", Material: material}
}

// TestPublic is what counts as publishing: a log of signatures or of certificates.
func TestPublic(t *testing.T) {
	t.Parallel()
	logged := trusted(t, attestationtest.Config{CT: true, TSA: true, Domain: "public.test"})
	silent := trusted(t, attestationtest.Config{TSA: true, Domain: "silent.test"})
	hiding := trusted(t, attestationtest.Config{TSA: true, Domain: "sigstore.dev"})
	address := func(r trust.Root) string {
		ca, ok := r.Material.FulcioCertificateAuthorities()[0].(*root.FulcioCertificateAuthority)
		if !ok || ca.URI == "" {
			t.Fatal("the root names no address")
		}
		return ca.URI
	}
	for name, row := range map[string]struct {
		services signer.Services
		roots    trust.Set
		public   bool
	}{
		"a transparency log":           {signer.Services{Fulcio: address(silent), Rekor: []string{"https://rekor.test"}}, trust.Set{silent}, true},
		"a log of certificates":        {signer.Services{Fulcio: address(logged)}, trust.Set{logged}, true},
		"neither":                      {signer.Services{Fulcio: address(silent)}, trust.Set{silent}, false},
		"another root has a log":       {signer.Services{Fulcio: address(silent) + "/"}, trust.Set{logged, silent}, false},
		"the root of the instance has": {signer.Services{Fulcio: address(logged)}, trust.Set{silent, logged}, true},
		"the public-good one, by a root that hides its log": {signer.Services{Fulcio: "https://fulcio.sigstore.dev"}, trust.Set{hiding}, true},
		"whose root it is, nobody can tell":                 {signer.Services{Fulcio: "http://127.0.0.1:1"}, trust.Set{silent}, true},
		"a key alone":                                       {signer.Services{}, trust.Set{logged}, false},
	} {
		at := instance{services: row.services, roots: &loadedRoots{set: row.roots}}
		if at.public() != row.public {
			t.Errorf("%s: public is %t", name, at.public())
		}
	}
}

// TestSameAddress is which spellings are one address of a service.
func TestSameAddress(t *testing.T) {
	t.Parallel()
	const address = "https://fulcio.sigstore.dev"
	for other, same := range map[string]bool{
		address: true, address + "/": true, "HTTPS://Fulcio.Sigstore.DEV": true, "fulcio.sigstore.dev": true, address + ":443": true, address + ".": true, address + ".:443/": true,
		"": false, "https://": false, "http://fulcio.sigstore.dev": false, address + ":8443": false, address + "/x": false, address + ".evil.example": false,
		"https://evil.example/https://fulcio.sigstore.dev": false, "://": false, "https://evil.example/?https://fulcio.sigstore.dev": false,
	} {
		if sameAddress(address, other) != same || sameAddress(other, address) != same {
			t.Errorf("%q is the same: %t", other, !same)
		}
	}
	if sameAddress("", "") {
		t.Error("nowhere is an address")
	}
}

// TestPick is which of the known instances signs, by the GitHub that a job runs at.
func TestPick(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		flag, issuer, visibility string // no issuer for a person
		want, words              string
	}{
		"a person":                  {"auto", "", "", instancePublicGood, "a person signs"},
		"a public repository":       {"auto", "https://token.actions.githubusercontent.com", "public", instancePublicGood, "acme/app is public"},
		"of an enterprise":          {"auto", "https://token.actions.githubusercontent.com/acme", "public", instancePublicGood, "acme/app is public"},
		"a private one":             {"auto", "https://token.actions.githubusercontent.com", "private", instanceGitHub, "acme/app is private"},
		"with data residency":       {"auto", "https://token.actions.acme.ghe.com", "private", instanceGitHub, "https://acme.ghe.com"},
		"that says it is public":    {"auto", "https://token.actions.acme.ghe.com", "public", instanceGitHub, "https://acme.ghe.com"},
		"an enterprise server":      {"auto", "https://github.acme.example/_services/token", "private", "", "no instance is known that certifies the jobs of https://github.acme.example"},
		"the same, and it is named": {"public-good", "https://github.acme.example/_services/token", "private", instancePublicGood, "named by --instance"},
		"no flag":                   {"", "https://token.actions.githubusercontent.com", "internal", instanceGitHub, "internal"},
	} {
		var job *provenance.Claims
		if row.issuer != "" {
			job = &provenance.Claims{Issuer: row.issuer, Repository: "acme/app", Visibility: row.visibility}
		}
		got, reason, err := (&instanceFlags{name: row.flag}).pick(job)
		if got != row.want || !strings.Contains(fmt.Sprint(reason, err), row.words) || (err != nil) != (row.want == "") {
			t.Errorf("%s: %q, %q, %v", name, got, reason, err)
		}
	}
}

// TestTenant asks a GitHub with data residency: its services, and its own trusted root.
func TestTenant(t *testing.T) {
	t.Parallel()
	job := &provenance.Claims{Issuer: "https://token.actions.acme.ghe.com", Repository: "acme/app", Visibility: "private"}
	o := offer{roots: &loadedRoots{}}
	_, err := o.choose(&credential{job: job})
	if refused, ok := errors.AsType[*exitError](err); !ok || refused.code != ExitUsage || !strings.Contains(refused.next, "GH_HOST=acme.ghe.com gh attestation trusted-root") {
		t.Errorf("without its root: %v", err)
	}
	o.roots.set = trust.Set{trusted(t, attestationtest.Config{TSA: true, Domain: "acme.ghe.com"})}
	at, err := o.choose(&credential{job: job})
	want := signer.Services{Fulcio: "https://fulcio.acme.ghe.com", TSA: []string{"https://timestamp.acme.ghe.com/api/v1/timestamp"}}
	if diff := cmp.Diff(want, at.services); diff != "" || err != nil || at.public() || at.name != instanceGitHub {
		t.Errorf("%v, public %t, %s (-want +got):\n%s", err, at.public(), at.name, diff)
	}
}

// TestPeople: no person signs with GitHub's own instance, and nobody is sent to log in.
func TestPeople(t *testing.T) {
	t.Parallel()
	o := offer{flags: instanceFlags{name: instanceGitHub}, roots: &loadedRoots{}, now: time.Now()}
	if _, err := o.issuer(); ExitCode(err) != ExitUsage {
		t.Errorf("where to log in: %v", err)
	}
	if _, err := o.choose(&credential{}); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "jobs of GitHub Actions, and nobody else") {
		t.Errorf("with a token: %v", err)
	}
	o.flags.name = instanceAuto
	if issuer, err := o.issuer(); issuer != "https://oauth2.sigstore.dev/auth" || err != nil {
		t.Errorf("where to log in: %q, %v", issuer, err)
	}
}
