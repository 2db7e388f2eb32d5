package attestation

import (
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// FuzzCandidates holds that any bytes give candidates or refusals, both with a
// place, and that what is found opens or is refused: never a panic.
func FuzzCandidates(f *testing.F) {
	s, material := newInstance(f, attestationtest.PublicGood())
	r := newRoot(f, "test", material)
	good := string(signed(f))
	for _, seed := range []string{
		"", good, good + "\n" + good, "garbage\n" + good, good[:200],
		`{"attestations":[{"bundle":` + good + `},{"bundle":null}]}`,
		`{"version":1,"verification_material":{"certificate":"AA==","transparency_entries":[{}]},"envelope":{"statement":"e30=","signature":"AA=="}}`,
		`{"version":1,"attestation_bundles":[{"attestations":[{"version":1}]}]}`,
		`{"payloadType":"","payload":"","signatures":[]}`, "\xef\xbb\xbf{}", "<html>", "[]", strings.Repeat("[", 100),
	} {
		f.Add([]byte(seed))
	}
	message := provenance(1)
	message.Payload, message.MessageDigest = nil, make([]byte, 32)
	if b, err := s.Sign(message); err == nil {
		f.Add(b.JSON)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, refused := Candidates("f", data)
		if len(found)+len(refused) == 0 {
			t.Error("neither found nor refused")
		}
		for _, why := range refused {
			if (why.ID != verdict.BundleMalformed && why.ID != verdict.BundleTooNew) || !strings.HasPrefix(why.Source, "f") || why.Err == nil {
				t.Errorf("refusal %+v", why)
			}
			_ = why.Error() + why.Finding().String()
		}
		for _, c := range found {
			if len(c.Digest()) != 71 || !strings.HasPrefix(c.Source(), "f") {
				t.Errorf("candidate %q %q", c.Source(), c.Digest())
			}
			if v, err := Open(c, r); (v == nil) == (err == nil) {
				t.Errorf("opened as %v, %v", v, err)
			}
		}
	})
}

// FuzzStatement holds that what the strict parser accepts keeps its promises.
func FuzzStatement(f *testing.F) {
	f.Add([]byte(goodStatement))
	f.Add([]byte(strings.Replace(goodStatement, "name", "n\\u0061me", 1)))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"t","predicate":null,"subject":[{"uri":"git+https://h/o/r@main","digest":{"sha1":"` + commit + `"}}]}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + strings.Repeat("0", 64) + `"}}],"predicateType":""}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, fault := parseStatement(payloadType, payload)
		if fault != nil {
			if (fault.id != verdict.StatementMalformed && fault.id != verdict.DescriptorConflict) || fault.why.Error() == "" {
				t.Errorf("fault %+v", fault)
			}
			return
		}
		if (s.Type != statementV1 && s.Type != statementV0) || len(s.Subjects) == 0 || len(s.Subjects) > MaxSubjects {
			t.Errorf("statement %+v", s)
		}
		if s.Predicate != nil && s.Predicate.Kind() != '{' {
			t.Errorf("predicate %s", s.Predicate)
		}
		for _, subject := range s.Subjects {
			if subject.Name.Text == "" || len(subject.Digest) == 0 {
				t.Errorf("subject %+v", subject)
			}
		}
	})
}
