package attestation_test

import (
	"bytes"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// gitsignDesk is an instance and the root that trusts it.
func gitsignDesk(t *testing.T, config attestationtest.Config, seed string) (*attestationtest.Sigstore, *attestation.Root) {
	t.Helper()
	config.Seed = seed
	s, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	material, err := root.NewTrustedRootFromJSON(s.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := attestation.NewRoot(seed, material)
	if err != nil {
		t.Fatal(err)
	}
	return s, trusted
}

// TestGitsignProofs asks which proofs of time, certificates and attributes a gitsign
// signature counts with, under a root with logs and under one with nothing but a
// timestamp authority.
func TestGitsignProofs(t *testing.T) {
	t.Parallel()
	type edit = func(*attestationtest.CMS)
	logged, loggedRoot := gitsignDesk(t, attestationtest.PublicGood(), "gitsign, logged")
	stamped, stampedRoot := gitsignDesk(t, attestationtest.GitHub(), "gitsign, stamped")
	stranger, _ := gitsignDesk(t, attestationtest.GitHub(), "gitsign, a stranger")
	sign := func(s *attestationtest.Sigstore, r attestationtest.GitsignRequest) []byte {
		if r.Payload == nil {
			r.Payload = theCommit().Raw()
		}
		r.As = attestationtest.Person("alice@example.com", "https://github.com/login/oauth")
		signature, err := s.Gitsign(r)
		if err != nil {
			t.Fatal(err)
		}
		return theCommit().Signed(signature)
	}
	take := func(s *attestationtest.Sigstore, r attestationtest.GitsignRequest) (m attestationtest.CMS) {
		r.Edit = func(found *attestationtest.CMS) { m = *found }
		sign(s, r)
		return m
	}
	stamp := attestationtest.GitsignRequest{Timestamp: true}
	another, strangers := take(stamped, stamp), take(stranger, stamp)
	signing := func(at time.Time) func([]attestationtest.CMSAttribute) []attestationtest.CMSAttribute {
		return func(all []attestationtest.CMSAttribute) []attestationtest.CMSAttribute {
			return append(all, attestationtest.CMSAttribute{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}, Values: []asn1.RawValue{attestationtest.CMSValue(at)}})
		}
	}
	edited := func(e edit) []byte { return sign(stamped, attestationtest.GitsignRequest{Timestamp: true, Edit: e}) }
	for name, c := range map[string]struct {
		raw  []byte
		root *attestation.Root
		want bool
	}{
		"an entry":                 {sign(logged, attestationtest.GitsignRequest{Entry: true}), loggedRoot, true},
		"an entry and a timestamp": {sign(logged, attestationtest.GitsignRequest{Entry: true, Timestamp: true}), loggedRoot, true},
		"a timestamp alone":        {sign(stamped, stamp), stampedRoot, true},
		"a timestamp alone, where a log is demanded": {sign(logged, stamp), loggedRoot, false},
		"an entry under a root without logs":         {sign(logged, attestationtest.GitsignRequest{Entry: true}), stampedRoot, false},
		"a stranger's certificate and timestamp":     {sign(stranger, stamp), stampedRoot, false},
		"a stranger's timestamp":                     {edited(func(m *attestationtest.CMS) { m.Signers[0].Unsigned = strangers.Signers[0].Unsigned }), stampedRoot, false},
		"another signature's timestamp":              {edited(func(m *attestationtest.CMS) { m.Signers[0].Unsigned = another.Signers[0].Unsigned }), stampedRoot, false},
		"another signature's timestamp beside its own": {edited(func(m *attestationtest.CMS) {
			own := &m.Signers[0].Unsigned[0]
			own.Values = append(own.Values, another.Signers[0].Unsigned[0].Values...)
		}), stampedRoot, true},
		"another certificate of the same person": {edited(func(m *attestationtest.CMS) {
			m.Certificates, m.Signers[0].ID = another.Certificates, another.Signers[0].ID
		}), stampedRoot, false},
		"another certificate beside its own": {edited(func(m *attestationtest.CMS) {
			m.Certificates.Bytes = bytes.Join([][]byte{another.Certificates.Bytes, m.Certificates.Bytes}, nil)
		}), stampedRoot, true},
		"an unsigned attribute more": {edited(func(m *attestationtest.CMS) {
			m.Signers[0].Unsigned = append(m.Signers[0].Unsigned, attestationtest.CMSAttribute{Type: asn1.ObjectIdentifier{1, 2, 3}, Values: []asn1.RawValue{attestationtest.CMSValue(1)}})
		}), stampedRoot, true},
		"a signing time":                {sign(stamped, attestationtest.GitsignRequest{Timestamp: true, Attributes: signing(time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC))}), stampedRoot, true},
		"a signing time that is a lie":  {sign(stamped, attestationtest.GitsignRequest{Timestamp: true, Attributes: signing(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC))}), stampedRoot, true},
		"a signed attribute taken away": {edited(func(m *attestationtest.CMS) { m.Signers[0].Attributes.FullBytes[1] ^= 1 }), stampedRoot, false},
		"another digest for all": {edited(func(m *attestationtest.CMS) {
			m.DigestAlgorithms[0].Algorithm = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
		}), stampedRoot, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, refused := attestation.Candidates("x.commit", c.raw)
			var v *attestation.Verified
			var err error
			if len(refused) > 0 {
				err = refused[0]
			} else {
				v, err = attestation.Open(found[0], c.root)
			}
			if (err == nil) != c.want {
				t.Fatalf("got %v, expected %t", err, c.want)
			}
			if err != nil {
				return
			}
			if at, ok := v.Time(); !ok || at.Year() != 2026 || v.Signer().SAN != "alice@example.com" || v.GitObject() == nil {
				t.Errorf("%s signed at %s", v.Signer(), at)
			}
		})
	}
}
