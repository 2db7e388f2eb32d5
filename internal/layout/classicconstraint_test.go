package layout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestCertificateConstraints holds certificates to the constraints of ITE-7, and
// counts names, not certificates.
func TestCertificateConstraints(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t, "one")
	other := newAuthority(t, "two")
	issue := func(from *attestationtest.ClassicAuthority, name string, s attestationtest.ClassicSubject) *attestationtest.ClassicKey {
		t.Helper()
		key, err := from.Issue(name, s)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	subject := func() attestationtest.ClassicSubject {
		return attestationtest.ClassicSubject{CommonName: "writer", Organizations: []string{"example"}, URIs: []string{"spiffe://example.com/write"}}
	}
	constraint := func() map[string]any {
		return map[string]any{
			"common_name": "writer", "dns_names": []any{}, "emails": []any{}, "organizations": []any{"example"},
			"roots": []any{authority.Root.ID}, "uris": []any{"spiffe://example.com/write"},
		}
	}
	writer := issue(authority, "writer", subject())
	with := func(changes map[string]any, signer *attestationtest.ClassicKey) func(*classicWorld) {
		return func(w *classicWorld) {
			w.layout.RootCAs, w.layout.IntermediateCAs = []*attestationtest.ClassicKey{authority.Root}, []*attestationtest.ClassicKey{authority.Intermediate}
			c := constraint()
			for key, value := range changes {
				if c[key] = value; value == nil {
					delete(c, key)
				}
			}
			w.layout.Steps[0].Functionaries, w.layout.Steps[0].Constraints = nil, []map[string]any{c}
			w.src().sign = by(signer)
		}
	}
	also := func(changes ...func(*classicWorld)) func(*classicWorld) {
		return func(w *classicWorld) {
			for _, change := range changes {
				change(w)
			}
		}
	}
	second := func(signers ...*attestationtest.ClassicKey) func(*classicWorld) {
		return func(w *classicWorld) {
			w.layout.Steps[0].Threshold = 2
			for i, signer := range signers {
				w.links[fmt.Sprintf("src.%08d", i)] = &signedLink{link: w.src().link, sign: by(signer)}
			}
		}
	}
	edited := func(change func(*attestationtest.ClassicSubject)) attestationtest.ClassicSubject {
		s := subject()
		change(&s)
		return s
	}
	star := []any{"*"}
	const refused = verdict.CertificateRefused
	holdAll(t, []classicRow{
		{"met", with(nil, writer), ""},
		{"met, in DSSE", also(with(nil, writer), func(w *classicWorld) { w.src().sign.Format = attestationtest.ClassicDSSE }), ""},
		{"met, by a leaf of the root", with(nil, issue(authority, "from root", edited(func(s *attestationtest.ClassicSubject) { s.FromRoot = true }))), ""},
		{"met, the certificate as ITE-7 writes it", also(with(nil, writer), func(w *classicWorld) {
			w.editLayout = func(d map[string]any) {
				for _, field := range []string{"rootcas", "intermediatecas"} {
					for _, key := range d[field].(map[string]any) {
						value := key.(map[string]any)["keyval"].(map[string]any)
						value["public"] = value["certificate"]
						delete(value, "certificate")
					}
				}
			}
		}), ""},
		{"anything goes", with(map[string]any{"common_name": "*", "organizations": star, "uris": star, "roots": star, "emails": star, "dns_names": star}, writer), ""},
		{"an empty name is none", with(map[string]any{"dns_names": []any{""}, "emails": []any{""}}, writer), ""},
		{"common name", with(map[string]any{"common_name": "another"}, writer), refused},
		{"no common name", with(map[string]any{"common_name": ""}, writer), refused},
		{"organization", with(map[string]any{"organizations": []any{"another"}}, writer), refused},
		{"an organization more than it has", with(map[string]any{"organizations": []any{"example", "another"}}, writer), refused},
		{"URI", with(map[string]any{"uris": []any{"spiffe://example.com/other"}}, writer), refused},
		{"URI, a part of it", with(map[string]any{"uris": []any{"spiffe://example.com/*"}}, writer), refused},
		{"no URI", with(map[string]any{"uris": []any{}}, writer), refused},
		{"URIs not said", with(map[string]any{"uris": nil}, writer), refused},
		{"a name more than is said", with(nil, issue(authority, "more", edited(func(s *attestationtest.ClassicSubject) { s.DNSNames = []string{"example.com"} }))), refused},
		{"root", also(with(map[string]any{"roots": []any{other.Root.ID}}, writer), func(w *classicWorld) {
			w.layout.RootCAs = append(w.layout.RootCAs, other.Root)
		}), refused},
		{"no root", with(map[string]any{"roots": []any{}}, writer), refused},
		{"another key of a constraint", with(map[string]any{"serial": "1"}, writer), verdict.UnknownField},
		{"one of two constraints", also(with(map[string]any{"common_name": "another"}, writer), func(w *classicWorld) {
			w.layout.Steps[0].Constraints = append(w.layout.Steps[0].Constraints, constraint())
		}), ""},
		{"another authority", with(nil, issue(other, "writer", subject())), verdict.SignatureInvalid},
		{"no intermediate", also(with(nil, writer), func(w *classicWorld) { w.layout.IntermediateCAs = []*attestationtest.ClassicKey{} }), verdict.SignatureInvalid},
		{"expired", with(nil, issue(authority, "old", edited(func(s *attestationtest.ClassicSubject) {
			s.NotBefore, s.NotAfter = classicNow().AddDate(-2, 0, 0), classicNow().AddDate(-1, 0, 0)
		}))), verdict.SignatureInvalid},
		{"not valid yet", with(nil, issue(authority, "young", edited(func(s *attestationtest.ClassicSubject) {
			s.NotBefore, s.NotAfter = classicNow().AddDate(1, 0, 0), classicNow().AddDate(2, 0, 0)
		}))), verdict.SignatureInvalid},
		{"broken signature", also(with(nil, writer), func(w *classicWorld) {
			w.src().sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakSignature}
		}), verdict.SignatureInvalid},
		{"a certificate where no constraint is", also(with(nil, writer), func(w *classicWorld) {
			w.layout.Steps[0].Constraints, w.layout.Steps[0].Functionaries = nil, []*attestationtest.ClassicKey{w.alice}
		}), verdict.SignatureInvalid},
		{"an authority that is no certificate", also(with(nil, writer), func(w *classicWorld) {
			broken := *authority.Root
			broken.Certificate = "no PEM"
			w.layout.RootCAs = []*attestationtest.ClassicKey{&broken}
		}), verdict.KeyMalformed},

		{"two names", also(with(map[string]any{"uris": star}, writer), second(issue(authority, "second", edited(func(s *attestationtest.ClassicSubject) {
			s.URIs = []string{"spiffe://example.com/second"}
		})))), ""},
		{"one name, two certificates", also(with(nil, writer), second(issue(authority, "again", subject()))), verdict.ThresholdNotMet},
		{"one name among others", also(with(map[string]any{"uris": star, "emails": star}, writer), second(issue(authority, "mail", edited(func(s *attestationtest.ClassicSubject) {
			s.Emails = []string{"writer@example.com"}
		})))), verdict.ThresholdNotMet},
		{"a key and a certificate", also(with(nil, writer), func(w *classicWorld) {
			w.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{w.carl}
			second(w.carl)(w)
		}), ""},
		{"a key, and a certificate over it", also(with(nil, writer), func(w *classicWorld) {
			bare := *writer
			bare.Certificate = ""
			w.layout.Keys = append(w.layout.Keys, &bare)
			w.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{&bare}
			second(&bare)(w)
		}), verdict.ThresholdNotMet},
	})
}

func newAuthority(t *testing.T, name string) *attestationtest.ClassicAuthority {
	t.Helper()
	authority, err := attestationtest.NewClassicAuthority("classic layouts", name, classicNow())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// TestClassicBounds stays under each bound, and goes one beyond it.
func TestClassicBounds(t *testing.T) {
	t.Parallel()
	repeat := func(n int, item func(int) any) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = item(i)
		}
		return out
	}
	inspection := func(i int) any {
		return map[string]any{"_type": "inspection", "name": fmt.Sprint("i", i), "run": []any{"true"}, "expected_materials": []any{}, "expected_products": []any{}}
	}
	for _, row := range []struct {
		name  string
		limit int
		set   func(w *classicWorld, d map[string]any, n int)
		found string
	}{
		{"steps", MaxSteps, func(_ *classicWorld, d map[string]any, n int) {
			step := firstStep(d)
			d["steps"] = repeat(n, func(i int) any {
				one := map[string]any{}
				for key, value := range step {
					one[key] = value
				}
				one["name"] = fmt.Sprint("s", i)
				return one
			})
		}, "steps"},
		{"inspections", MaxInspections, func(_ *classicWorld, d map[string]any, n int) { d["inspect"] = repeat(n, inspection) }, "inspections"},
		{"rules", MaxRules, func(_ *classicWorld, d map[string]any, n int) {
			firstStep(d)["expected_products"] = repeat(n, func(int) any { return []any{"ALLOW", "foo"} })
		}, "rules in expected_products"},
		{"keys", MaxClassicKeys, func(w *classicWorld, d map[string]any, n int) {
			keys := d["keys"].(map[string]any)
			for i := len(keys); i < n; i++ {
				keys[fmt.Sprintf("%064d", i)] = map[string]any{"keytype": "ed25519", "scheme": "ed25519", "keyval": map[string]any{"public": fmt.Sprintf("%064x", i)}}
			}
		}, "keys"},
	} {
		for _, n := range []int{row.limit, row.limit + 1} {
			w := newClassicWorld(t)
			w.editLayout = func(d map[string]any) { row.set(w, d, n) }
			v := w.check().Verdict(nil)
			over := slices.ContainsFunc(v.Findings, func(f verdict.Finding) bool {
				return f.ID == verdict.LayoutMalformed && strings.Contains(f.Found, fmt.Sprintf("%d %s", n, row.found))
			})
			if over != (n > row.limit) {
				t.Errorf("%d %s: %v", n, row.name, idsOf(v)[:min(3, len(idsOf(v)))])
			}
		}
	}
	t.Run("artifacts", func(t *testing.T) {
		t.Parallel()
		raw := map[string]map[string]string{}
		digest := map[string]string{"sha256": strings.Repeat("a", 64)}
		for i := range MaxArtifacts {
			raw[fmt.Sprint(i)] = digest
		}
		at, beyond := recorded{kind: "material"}, recorded{kind: "material"}
		if at.addAll(raw); at.finding != nil {
			t.Errorf("at the bound: %v", at.finding)
		}
		raw["one more"] = digest
		if beyond.addAll(raw); beyond.finding == nil {
			t.Error("beyond the bound: read")
		}
	})
	t.Run("length of a name", func(t *testing.T) {
		t.Parallel()
		for n, want := range map[int]bool{4096: true, 4097: false} {
			w := newClassicWorld(t)
			w.build().link.Products = map[string]string{strings.Repeat("x", n): "binary"}
			w.layout.Steps[1].ExpectedProducts = nil
			if v := w.check().Verdict(nil); v.Allowed() != want {
				t.Errorf("%d bytes: %s", n, describeAll(v))
			}
		}
	})
	t.Run("signatures", func(t *testing.T) {
		t.Parallel()
		w := newClassicWorld(t)
		for n, want := range map[int]bool{attestation.MaxEnvelopeSignatures: true, attestation.MaxEnvelopeSignatures + 1: false} {
			w.src().sign = by(slices.Repeat([]*attestationtest.ClassicKey{w.alice}, n)...)
			if v := w.check().Verdict(nil); v.Allowed() != want {
				t.Errorf("%d signatures: %s", n, describeAll(v))
			}
		}
	})
}
