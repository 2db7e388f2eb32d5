package command

import (
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestationtest"
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
		"the public-good one, by a root that hides its log": {signer.Services{Fulcio: "https://fulcio.sigstore.dev"}, trust.Set{silent}, true},
		"whose root it is, nobody can tell":                 {signer.Services{Fulcio: "http://127.0.0.1:1"}, trust.Set{silent}, true},
		"a key alone":                                       {signer.Services{}, trust.Set{logged}, false},
	} {
		at := instance{services: row.services, roots: &loadedRoots{set: row.roots}}
		if at.public() != row.public {
			t.Errorf("%s: public is %t", name, at.public())
		}
	}
}
