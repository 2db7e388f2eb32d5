package gitsign_test

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/gitsign"
)

var sigstore = sync.OnceValues(func() (*attestationtest.Sigstore, error) {
	config := attestationtest.PublicGood()
	config.Seed = "gitsign tests"
	return attestationtest.New(config)
})

func instance(t testing.TB) *attestationtest.Sigstore {
	t.Helper()
	s, err := sigstore()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func payload() []byte {
	return attestationtest.GitCommit{Tree: "10731d0b170b98481a00bdca161e874e0ab93377", Message: "fix\n"}.Raw()
}

func alice() attestationtest.Identity {
	return attestationtest.Person("alice@example.com", "https://github.com/login/oauth")
}

func sign(t testing.TB, request attestationtest.GitsignRequest) []byte {
	t.Helper()
	if request.Payload == nil {
		request.Payload = payload()
	}
	request.As = alice()
	armour, err := instance(t).Gitsign(request)
	if err != nil {
		t.Fatal(err)
	}
	return armour
}

// TestParse reads what gitsign writes with a log entry, with a timestamp and with
// both, and puts the body together that was logged.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]attestationtest.GitsignRequest{
		"entry": {Entry: true}, "timestamp": {Timestamp: true}, "both": {Entry: true, Timestamp: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := gitsign.Parse(sign(t, request), payload())
			if err != nil {
				t.Fatal(err)
			}
			material := s.Bundle().GetVerificationMaterial()
			if got := len(material.GetTlogEntries()) == 1; got != request.Entry {
				t.Errorf("the bundle has an entry: %t", got)
			}
			if got := len(material.GetTimestampVerificationData().GetRfc3161Timestamps()) == 1; got != request.Timestamp {
				t.Errorf("the bundle has a timestamp: %t", got)
			}
			if request.Entry && !bytes.HasPrefix(material.GetTlogEntries()[0].GetCanonicalizedBody(), []byte(`{"apiVersion":"0.0.1","kind":"hashedrekord"`)) {
				t.Errorf("the body is %s", material.GetTlogEntries()[0].GetCanonicalizedBody())
			}
		})
	}
}

// TestParseRefuses breaks one thing of a message in each row.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	signer := func(edit func(*attestationtest.CMSSigner)) attestationtest.GitsignRequest {
		return attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { edit(&m.Signers[0]) }}
	}
	attributes := func(edit func([]attestationtest.CMSAttribute) []attestationtest.CMSAttribute) attestationtest.GitsignRequest {
		return attestationtest.GitsignRequest{Entry: true, Attributes: edit}
	}
	type list = []attestationtest.CMSAttribute
	for name, c := range map[string]struct {
		request attestationtest.GitsignRequest
		says    string
	}{
		"over another object":   {attestationtest.GitsignRequest{Entry: true, Payload: []byte("tree x")}, "over another object"},
		"two signers":           {attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { m.Signers = append(m.Signers, m.Signers[0]) }}, "two signers"},
		"a content of its own":  {attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { m.Content.Data = attestationtest.CMSValue([]byte("evil")) }}, "content of its own"},
		"another content type":  {attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { m.Content.Type = asn1.ObjectIdentifier{1, 2, 3} }}, "content of its own"},
		"no certificate":        {attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { m.Certificates.Bytes = nil }}, "none of its certificates"},
		"its certificate twice": {attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { m.Certificates.Bytes = bytes.Repeat(m.Certificates.Bytes, 2) }}, "two of its certificates"},
		"too many certificates": {attestationtest.GitsignRequest{Entry: true, Edit: func(m *attestationtest.CMS) { m.Certificates.Bytes = bytes.Repeat(m.Certificates.Bytes, 17) }}, "more than 16"},
		"another serial number": {signer(func(s *attestationtest.CMSSigner) { s.ID.Serial = big.NewInt(1) }), "none of its certificates"},
		"another version":       {signer(func(s *attestationtest.CMSSigner) { s.Version = 3 }), "signer cannot be read"},
		"another digest": {signer(func(s *attestationtest.CMSSigner) {
			s.DigestAlgorithm.Algorithm = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
		}), "others than ECDSA"},
		"another signature": {signer(func(s *attestationtest.CMSSigner) {
			s.SignatureAlgorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
		}), "others than ECDSA"},
		"two entries": {signer(func(s *attestationtest.CMSSigner) {
			s.Unsigned[0].Values = append(s.Unsigned[0].Values, s.Unsigned[0].Values...)
		}), "expected one"},
		"an entry without form": {signer(func(s *attestationtest.CMSSigner) {
			s.Unsigned[0].Values = []asn1.RawValue{attestationtest.CMSValue([]byte{0xff})}
		}), "no TransparencyLogEntry"},
		"an entry of no string": {signer(func(s *attestationtest.CMSSigner) {
			s.Unsigned[0].Values = []asn1.RawValue{attestationtest.CMSValue(5)}
		}), "octet string"},
		"an entry of nothing": {signer(func(s *attestationtest.CMSSigner) {
			s.Unsigned[0].Values = []asn1.RawValue{attestationtest.CMSValue([]byte{})}
		}), "expected hashedrekord"},
		"an attribute twice":  {signer(func(s *attestationtest.CMSSigner) { s.Unsigned = append(s.Unsigned, s.Unsigned[0]) }), "two are of the type"},
		"no proof of time":    {attestationtest.GitsignRequest{}, "proves when it was made"},
		"no message digest":   {attributes(func(a list) list { return a[:1] }), "message digest"},
		"no content type":     {attributes(func(a list) list { return a[1:] }), "content type"},
		"two message digests": {attributes(func(a list) list { return append(a, a[1]) }), "two are of the type"},
		"a digest of two": {attributes(func(a list) list {
			a[1].Values = append(a[1].Values, attestationtest.CMSValue(make([]byte, 32)))
			return a
		}), "expected one"},
		"a short digest": {attributes(func(a list) list { a[1].Values = []asn1.RawValue{attestationtest.CMSValue(make([]byte, 20))}; return a }), "the length of SHA-256"},
		"another type signed": {attributes(func(a list) list {
			a[0].Values = []asn1.RawValue{attestationtest.CMSValue(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4})}
			return a
		}), "not id-data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := gitsign.Parse(sign(t, c.request), payload())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			}
			if strings.Contains(c.says, "proves") && !errors.Is(err, gitsign.ErrUnproven) {
				t.Errorf("%v is not ErrUnproven", err)
			}
		})
	}
}

// TestArmour takes one block and nothing around it.
func TestArmour(t *testing.T) {
	t.Parallel()
	good := string(sign(t, attestationtest.GitsignRequest{Entry: true}))
	for name, c := range map[string]struct{ text, says string }{
		"nothing":     {"", "not one block"},
		"text before": {"x\n" + good, "not one block"},
		"text behind": {good + "x", "not one block"},
		"two blocks":  {good + good, "not base64"},
		"no base64":   {strings.Replace(good, "MII", "M!I", 1), "not base64"},
		"bytes cut":   {strings.Replace(good, "\n-----END", "", 1), "not one block"},
		"too large":   {strings.Repeat("x", gitsign.MaxBytes+1), "at most"},
		"no CMS":      {"-----BEGIN SIGNED MESSAGE-----\nMAA=\n-----END SIGNED MESSAGE-----\n", "no CMS message"},
	} {
		if _, err := gitsign.Parse([]byte(c.text), payload()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, expected an error that says %q", name, err, c.says)
		}
	}
}

// FuzzParse reads messages; what is read speaks of the payload and of nothing else.
func FuzzParse(f *testing.F) {
	f.Add(sign(f, attestationtest.GitsignRequest{Entry: true}))
	f.Add(sign(f, attestationtest.GitsignRequest{Timestamp: true}))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := gitsign.Parse(data, payload())
		if err != nil {
			return
		}
		if s.Bundle().GetVerificationMaterial().GetCertificate() == nil {
			t.Error("a bundle without a certificate")
		}
		if _, err := gitsign.Parse(data, []byte("another object")); err == nil {
			t.Error("it speaks of every object")
		}
	})
}
