package attestation_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// authorization is what gittuf signs: that main moves to a tree.
func authorization() []byte {
	return gittuf(attestationtest.Statement([]attestationtest.Subject{{Digest: map[string]string{"gitTree": theCommit().Tree}}},
		"https://gittuf.dev/reference-authorization/v0.2", map[string]any{"targetRef": "refs/heads/main", "targetID": theCommit().Tree}))
}

func alicesAccount() attestationtest.Identity {
	return attestationtest.Person("alice@example.com", "https://github.com/login/oauth")
}

// authorised is gittuf's envelope, with a signature for each request.
func (d desk) authorised(t testing.TB, requests ...attestationtest.SignRequest) *attestationtest.GittufEnvelope {
	t.Helper()
	for i := range requests {
		if requests[i].Key == nil {
			requests[i].As = alicesAccount()
		}
	}
	e, err := d.Gittuf(authorization(), requests...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestGittufExtension breaks one thing of a signature through Sigstore in each row.
func TestGittufExtension(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	type envelope = attestationtest.GittufEnvelope
	broken := func(breaks ...attestationtest.Break) attestationtest.SignRequest {
		return attestationtest.SignRequest{Break: breaks}
	}
	other := bytes.Replace(authorization(), []byte("refs/heads/main"), []byte("refs/heads/evil"), 1)
	otherSignature, err := d.Gittuf(other, attestationtest.SignRequest{As: alicesAccount()})
	if err != nil {
		t.Fatal(err)
	}
	key, err := d.NewKey("release")
	if err != nil {
		t.Fatal(err)
	}
	none := func(*envelope) {}
	extension := func(change func(*attestationtest.GittufSignature)) func(*envelope) {
		return func(e *envelope) { change(&e.Signatures[0]) }
	}
	sig := func(change func(string) string) func(*envelope) {
		return extension(func(s *attestationtest.GittufSignature) {
			raw, err := base64.StdEncoding.DecodeString(s.Sig)
			if err != nil {
				t.Fatal(err)
			}
			changed := change(string(raw))
			if changed == string(raw) {
				t.Fatal("nothing was changed")
			}
			s.Sig = base64.StdEncoding.EncodeToString([]byte(changed))
		})
	}
	material := func(old, fresh string) func(*envelope) {
		return extension(func(s *attestationtest.GittufSignature) {
			changed := bytes.Replace(s.Extension.Ext, []byte(old), []byte(fresh), 1)
			if bytes.Equal(changed, s.Extension.Ext) {
				t.Fatalf("the material has no %s", old)
			}
			s.Extension.Ext = changed
		})
	}
	const invalid, malformed = verdict.SignatureInvalid, verdict.BundleMalformed
	for name, c := range map[string]struct {
		request attestationtest.SignRequest
		change  func(*envelope)
		want    verdict.ID
	}{
		"as gittuf writes it":                    {attestationtest.SignRequest{}, none, ""},
		"with a log entry alone":                 {attestationtest.SignRequest{OmitTimestamp: true}, none, ""},
		"with an entry of Rekor v2":              {attestationtest.SignRequest{Entry: attestationtest.EntryV2}, none, ""},
		"the payload in the other alphabet":      {attestationtest.SignRequest{}, func(e *envelope) { e.Payload = base64.URLEncoding.EncodeToString(authorization()) }, ""},
		"without any proof":                      {attestationtest.SignRequest{Entry: attestationtest.NoEntry, OmitTimestamp: true}, none, invalid},
		"with a timestamp alone, and logs there": {attestationtest.SignRequest{Entry: attestationtest.NoEntry}, none, invalid},
		"an entry without a time":                {attestationtest.SignRequest{Entry: attestationtest.EntryV2, OmitTimestamp: true}, none, invalid},
		"the signature is changed":               {broken(attestationtest.BreakSignature), none, invalid},
		"the log entry is another's":             {broken(attestationtest.BreakOtherEntry), none, invalid},
		"the promise is forged":                  {broken(attestationtest.BreakPromise), none, invalid},
		"the proof is forged":                    {broken(attestationtest.BreakInclusionProof), none, invalid},
		"without the proof":                      {broken(attestationtest.BreakNoInclusionProof), none, malformed},
		"the certificate had expired":            {broken(attestationtest.BreakExpiredLeaf), none, invalid},
		"a stranger's authority":                 {broken(attestationtest.BreakUnknownCA), none, invalid},
		"no certificate transparency":            {broken(attestationtest.BreakNoSCT), none, invalid},
		"not for code signing":                   {broken(attestationtest.BreakNoCodeSigning), none, invalid},
		"the payload is changed":                 {attestationtest.SignRequest{}, func(e *envelope) { e.Payload = base64.StdEncoding.EncodeToString(other) }, malformed},
		"the payload's type is changed":          {attestationtest.SignRequest{}, func(e *envelope) { e.PayloadType = "application/vnd.in-toto+json" }, malformed},
		"the payload and the digest are changed": {attestationtest.SignRequest{}, func(e *envelope) {
			e.Payload = base64.StdEncoding.EncodeToString(other)
			own, theirs := digestIn(t, e.Signatures[0]), digestIn(t, otherSignature.Signatures[0])
			sig(func(s string) string { return strings.Replace(s, own, theirs, 1) })(e)
		}, invalid},
		"another statement's signature": {attestationtest.SignRequest{}, func(e *envelope) { e.Signatures = otherSignature.Signatures }, malformed},
		"no digest is stated": {attestationtest.SignRequest{}, sig(func(s string) string {
			return strings.Replace(s, `"messageDigest"`, `"messageDigest":null,"message_digest"`, 1)
		}), malformed},
		"a digest of another kind":        {attestationtest.SignRequest{}, sig(func(s string) string { return strings.Replace(s, "SHA2_256", "SHA3_256", 1) }), malformed},
		"no signature in the signature":   {attestationtest.SignRequest{}, sig(func(string) string { return "{}" }), malformed},
		"no JSON in the signature":        {attestationtest.SignRequest{}, sig(func(string) string { return "raw" }), malformed},
		"more behind it":                  {attestationtest.SignRequest{}, sig(func(s string) string { return s + "{}" }), malformed},
		"one key twice":                   {attestationtest.SignRequest{}, sig(func(s string) string { return strings.Replace(s, "{", `{"signature":"AA==",`, 1) }), malformed},
		"another kind of extension":       {attestationtest.SignRequest{}, extension(func(s *attestationtest.GittufSignature) { s.Extension.Kind = "application/x" }), malformed},
		"no kind":                         {attestationtest.SignRequest{}, extension(func(s *attestationtest.GittufSignature) { s.Extension.Kind = "" }), malformed},
		"nothing in the extension":        {attestationtest.SignRequest{}, extension(func(s *attestationtest.GittufSignature) { s.Extension.Ext = []byte("{}") }), malformed},
		"no object in the extension":      {attestationtest.SignRequest{}, extension(func(s *attestationtest.GittufSignature) { s.Extension.Ext = []byte("[]") }), malformed},
		"a field that nobody knows":       {attestationtest.SignRequest{}, material("{", `{"more":1,`), malformed},
		"the material twice":              {attestationtest.SignRequest{}, material("{", `{"tlogEntries":[],`), malformed},
		"a key in place of a certificate": {attestationtest.SignRequest{Key: key}, none, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := d.authorised(t, c.request)
			c.change(e)
			found, refused := attestation.Candidates("x.json", e.JSON())
			var err error
			switch {
			case len(found)+len(refused) != 1:
				t.Fatalf("%d candidates, refused %v", len(found), refused)
			case len(refused) > 0:
				err = refused[0]
			default:
				var v *attestation.Verified
				if v, err = attestation.Open(found[0], d.root); err == nil {
					opensAsAlices(t, v)
				}
			}
			refusal, _ := errors.AsType[*attestation.Refusal](err)
			if c.want == "" && err != nil || c.want != "" && (refusal == nil || refusal.ID != c.want) {
				t.Errorf("got %v, expected %q", err, c.want)
			}
		})
	}
}

func opensAsAlices(t *testing.T, v *attestation.Verified) {
	t.Helper()
	if _, proven := v.Time(); v.Signer().SAN != "alice@example.com" || v.Root() != "sigstore" || !proven || v.Statement().PredicateType != "https://gittuf.dev/reference-authorization/v0.2" || len(v.Statement().Subjects) != 1 {
		t.Errorf("opened as %+v by %v", v.Statement(), v.Signer())
	}
}

func digestIn(t *testing.T, s attestationtest.GittufSignature) string {
	t.Helper()
	var message struct {
		Digest struct {
			Digest string `json:"digest"`
		} `json:"messageDigest"`
	}
	raw, err := base64.StdEncoding.DecodeString(s.Sig)
	if err == nil {
		err = json.Unmarshal(raw, &message)
	}
	if err != nil || message.Digest.Digest == "" {
		t.Fatalf("%v in %s", err, raw)
	}
	return message.Digest.Digest
}

// Signatures of one envelope are candidates of their own: by keys, and by each identity.
// A broken one hides no other, and none is another's.
func TestGittufSignatures(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	e := d.authorised(t, attestationtest.SignRequest{Break: []attestationtest.Break{attestationtest.BreakSignature}}, attestationtest.SignRequest{}, attestationtest.SignRequest{})
	e.Signatures[0].Extension.Kind = "application/x"
	raw := ed25519.Sign(d.key, dsse.PAE(attestationtest.GittufPayloadType, authorization()))
	e.Signatures = append(e.Signatures, attestationtest.GittufSignature{Sig: base64.StdEncoding.EncodeToString(raw)})
	found, refused := attestation.Candidates("x.json", e.JSON())
	if len(found) != 3 || len(refused) != 1 || refused[0].Source != "x.json signature 1" {
		t.Fatalf("%d candidates, refused %v", len(found), refused)
	}
	if _, err := attestation.OpenWithKey(found[0], sshKey(t, d.key), nil); err != nil {
		t.Errorf("the key's: %v", err)
	}
	if _, err := attestation.Open(found[0], d.root); err == nil {
		t.Error("the key's opens under a root")
	}
	digests := map[string]bool{found[0].Digest(): true}
	for i, c := range found[1:] {
		v, err := attestation.Open(c, d.root)
		if err != nil {
			t.Fatalf("signature %d: %v", i+2, err)
		}
		opensAsAlices(t, v)
		if _, err := attestation.OpenWithKey(c, sshKey(t, d.key), nil); err == nil {
			t.Error("it opens with a key")
		}
		digests[c.Digest()] = true
	}
	if len(digests) != 3 {
		t.Errorf("the digests are %v", digests)
	}
	// Another instance's root.
	config := attestationtest.PublicGood()
	config.Seed = "another instance"
	s, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := root.NewTrustedRootFromJSON(s.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	r, err := attestation.NewRoot("other", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attestation.Open(found[1], r); err == nil {
		t.Error("it opens under another root")
	}
}

// FuzzGittuf hands in envelopes: whatever opens says what was signed.
func FuzzGittuf(f *testing.F) {
	d := newDesk(f)
	good := d.authorised(f, attestationtest.SignRequest{}).JSON()
	f.Add(good)
	f.Add(d.authorised(f, attestationtest.SignRequest{}, attestationtest.SignRequest{Entry: attestationtest.NoEntry}).JSON())
	f.Add(bytes.Replace(good, []byte(`"extension"`), []byte(`"Extension"`), 1))
	f.Add([]byte(`{"payloadType":"x","payload":"eA==","signatures":[{"sig":"e30=","extension":{"kind":"` + attestationtest.GittufExtensionKind + `","ext":{}}}]}`))
	key := sshKey(f, d.key)
	f.Fuzz(func(t *testing.T, data []byte) {
		found, refused := attestation.Candidates("x.json", data)
		for _, r := range refused {
			if r.ID == "" || r.Finding().Found == "" {
				t.Fatalf("a refusal says nothing: %+v", r)
			}
		}
		for _, c := range found {
			v, err := attestation.Open(c, d.root)
			if (v == nil) == (err == nil) {
				t.Fatalf("opened as %v, %v", v, err)
			}
			if v != nil {
				opensAsAlices(t, v)
			}
			if v, err := attestation.OpenWithKey(c, key, nil); err == nil {
				t.Fatalf("opened with a key that signed nothing: %+v", v.Statement())
			}
		}
	})
}
