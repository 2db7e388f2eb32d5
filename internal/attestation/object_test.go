package attestation_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"
	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// desk is everything that a test signs git objects with.
type desk struct {
	*attestationtest.Sigstore
	root      *attestation.Root
	key       ed25519.PrivateKey
	authority ed25519.PrivateKey
}

func newDesk(t testing.TB) desk {
	t.Helper()
	config := attestationtest.PublicGood()
	config.Seed = "git objects"
	s, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	material, err := root.NewTrustedRootFromJSON(s.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	d := desk{Sigstore: s}
	if d.root, err = attestation.NewRoot("sigstore", material); err != nil {
		t.Fatal(err)
	}
	if d.key, err = s.Ed25519("alice"); err != nil {
		t.Fatal(err)
	}
	if d.authority, err = s.Ed25519("authority"); err != nil {
		t.Fatal(err)
	}
	return d
}

func theCommit() attestationtest.GitCommit {
	return attestationtest.GitCommit{Tree: "10731d0b170b98481a00bdca161e874e0ab93377", Message: "fix\n"}
}

func theTag() attestationtest.GitTag {
	return attestationtest.GitTag{Object: "95a93ab55241e7b75daaf4220077477db3256610", Name: "v1.0.0", Message: "release\n"}
}

func (d desk) ssh(t testing.TB, payload []byte, request attestationtest.SSHRequest) []byte {
	t.Helper()
	armour, err := attestationtest.SignSSH(d.key, payload, request)
	if err != nil {
		t.Fatal(err)
	}
	return armour
}

// sshKey is a key as a .pub file has it, pemKey the same in PEM.
func sshKey(t testing.TB, key crypto.Signer) attestation.Key {
	t.Helper()
	line, err := attestationtest.SSHLine(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return mustParseKey(t, []byte(line))
}

func pemKey(t testing.TB, key crypto.Signer) attestation.Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return mustParseKey(t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func mustParseKey(t testing.TB, data []byte) attestation.Key {
	t.Helper()
	k, err := attestation.ParseKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func candidate(t testing.TB, raw []byte) attestation.Candidate {
	t.Helper()
	found, refused := attestation.Candidates("x.commit", raw)
	if len(found) != 1 || len(refused) != 0 {
		t.Fatalf("%d candidates, refused: %v", len(found), refused)
	}
	return found[0]
}

// TestObjectStatement says what a commit and a tag say, and nothing of a repository.
func TestObjectStatement(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	raw := theCommit().Signed(d.ssh(t, theCommit().Raw(), attestationtest.SSHRequest{}))
	v, err := attestation.OpenWithKey(candidate(t, raw), sshKey(t, d.key), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := v.Statement()
	if s.PredicateType != attestation.GitCommitPredicate || len(s.Subjects) != 1 || s.MessageSignature() {
		t.Fatalf("the statement is %+v", s)
	}
	subject := s.Subjects[0]
	if subject.Name.Git || subject.Digest[artifact.GitTree] != theCommit().Tree || subject.Digest[artifact.GitCommit] != v.GitObject().ID || len(subject.Digest) != 2 {
		t.Errorf("the subject is %+v", subject)
	}
	for _, want := range []string{`"tree":"10731d0b170b98481a00bdca161e874e0ab93377"`, `"message":"fix\n"`, `"email":"alice@example.com"`, `"signature":"-----BEGIN SSH`} {
		if !strings.Contains(string(s.Predicate), want) {
			t.Errorf("the predicate lacks %s: %s", want, s.Predicate)
		}
	}
	if _, ok := v.Time(); ok || v.Root() != "" {
		t.Error("an SSH signature proves a time or a root")
	}

	raw = theTag().Signed(d.ssh(t, theTag().Raw(), attestationtest.SSHRequest{}))
	if v, err = attestation.OpenWithKey(candidate(t, raw), sshKey(t, d.key), nil); err != nil {
		t.Fatal(err)
	}
	s = v.Statement()
	if digest := s.Subjects[0].Digest; s.PredicateType != attestation.GitTagPredicate || digest[artifact.GitCommit] != theTag().Object || digest[artifact.GitTag] != v.GitObject().ID {
		t.Errorf("the tag's statement is %+v", s)
	}
}

// TestOneKeyIsOneSigner opens with the same key in each form that it has.
func TestOneKeyIsOneSigner(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	raw := theCommit().Signed(d.ssh(t, theCommit().Raw(), attestationtest.SSHRequest{}))
	asSSH, asPEM := sshKey(t, d.key), pemKey(t, d.key)
	if asSSH.Type() != "ssh" || asPEM.Type() != "ed25519" || !asSSH.Signer().Equal(asPEM.Signer()) || !asSSH.Shares(asPEM) {
		t.Errorf("%s %v and %s %v", asSSH.Type(), asSSH.Signer(), asPEM.Type(), asPEM.Signer())
	}
	for _, k := range []attestation.Key{asSSH, asPEM} {
		v, err := attestation.OpenWithKey(candidate(t, raw), k, nil)
		if err != nil {
			t.Error(err)
		} else if !v.Signer().Equal(asSSH.Signer()) {
			t.Errorf("the signer is %v", v.Signer())
		}
	}
	gpg, err := attestationtest.OpenPGPKey("Alice", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), true)
	if err != nil {
		t.Fatal(err)
	}
	armoured, err := attestationtest.ArmourOpenPGPKey(gpg)
	if err != nil {
		t.Fatal(err)
	}
	k := mustParseKey(t, armoured)
	if k.Type() != "gpg" || k.Shares(asSSH) || !k.Shares(k) {
		t.Errorf("an OpenPGP key is of the type %s", k.Type())
	}
}

// TestObjectsOpen opens what each signer makes, with whom it was made by and with
// nobody else.
func TestObjectsOpen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	gpg, err := attestationtest.OpenPGPKey("Alice", at, true)
	if err != nil {
		t.Fatal(err)
	}
	armoured, err := attestationtest.ArmourOpenPGPKey(gpg)
	if err != nil {
		t.Fatal(err)
	}
	pgpSignature, err := attestationtest.SignOpenPGP(gpg, theCommit().Raw(), attestationtest.OpenPGPConfig(at.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := attestationtest.SSHCertificate(d.authority, d.key.Public(), []string{"carol@example.com"}, func(c *ssh.Certificate) {
		c.ValidBefore = 2_000_000_000
	})
	if err != nil {
		t.Fatal(err)
	}
	authorityLine, err := attestationtest.SSHLine(d.authority.Public())
	if err != nil {
		t.Fatal(err)
	}
	authority, err := attestation.ParseAuthority([]byte(authorityLine))
	if err != nil {
		t.Fatal(err)
	}
	alice := attestationtest.Person("alice@example.com", "https://github.com/login/oauth")
	gitsigned, err := d.Gitsign(attestationtest.GitsignRequest{Payload: theCommit().Raw(), As: alice, Entry: true})
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := d.Gitsign(attestationtest.GitsignRequest{Payload: theTag().Raw(), As: alice, Timestamp: true, Entry: true})
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string][]byte{
		"ssh":         theCommit().Signed(d.ssh(t, theCommit().Raw(), attestationtest.SSHRequest{})),
		"certified":   theCommit().Signed(d.ssh(t, theCommit().Raw(), attestationtest.SSHRequest{Certificate: certificate})),
		"openpgp":     theCommit().Signed(pgpSignature),
		"gitsign":     theCommit().Signed(gitsigned),
		"gitsign tag": theTag().Signed(stamped),
	}
	openers := map[string]func(attestation.Candidate) (*attestation.Verified, error){
		"ssh": func(c attestation.Candidate) (*attestation.Verified, error) {
			return attestation.OpenWithKey(c, sshKey(t, d.key), nil)
		},
		"certified": func(c attestation.Candidate) (*attestation.Verified, error) {
			return attestation.OpenWithKey(c, authority, nil)
		},
		"openpgp": func(c attestation.Candidate) (*attestation.Verified, error) {
			return attestation.OpenWithKey(c, mustParseKey(t, armoured), nil)
		},
		"gitsign": func(c attestation.Candidate) (*attestation.Verified, error) { return attestation.Open(c, d.root) },
		"stranger": func(c attestation.Candidate) (*attestation.Verified, error) {
			return attestation.OpenWithKey(c, sshKey(t, d.authority), nil)
		},
		"rooted": func(c attestation.Candidate) (*attestation.Verified, error) {
			return attestation.OpenWithKey(c, sshKey(t, d.key), d.root)
		},
		"nobody": func(c attestation.Candidate) (*attestation.Verified, error) {
			return attestation.OpenWithKey(c, attestation.Key{}, nil)
		},
		"no root": func(c attestation.Candidate) (*attestation.Verified, error) { return attestation.Open(c, nil) },
	}
	for what, raw := range objects {
		for who, open := range openers {
			v, err := open(candidate(t, raw))
			want := who == strings.TrimSuffix(what, " tag")
			switch {
			case want && err != nil:
				t.Errorf("%s opened by %s: %v", what, who, err)
			case want && v.GitObject() == nil:
				t.Errorf("%s opened by %s is no git object", what, who)
			case !want && err == nil:
				t.Errorf("%s opened by %s", what, who)
			}
			if refusal, ok := errors.AsType[*attestation.Refusal](err); err != nil && (!ok || refusal.Finding().Found == "") {
				t.Errorf("%s opened by %s: %v is no refusal", what, who, err)
			}
		}
	}
	v, err := attestation.Open(candidate(t, objects["gitsign"]), d.root)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.Time(); !ok || v.Signer().SAN != "alice@example.com" || v.Root() != "sigstore" {
		t.Errorf("gitsign's signer is %v", v.Signer())
	}
	if v, err = openers["certified"](candidate(t, objects["certified"])); err != nil {
		t.Fatal(err)
	}
	s := v.Signer()
	if s.Authority != authority.Signer().Key || s.Key != sshKey(t, d.key).Signer().Key || len(s.Principals) != 1 || s.Equal(sshKey(t, d.key).Signer()) {
		t.Errorf("the certified signer is %+v", s)
	}
	if _, end := v.KeyValidity(); !end.Equal(time.Unix(2_000_000_000, 0)) {
		t.Errorf("the certificate ends %s", end)
	}
}

// TestGitsignMutations breaks what the log or the authority proves: a body that the
// log did not see, a signature over another commit.
func TestGitsignMutations(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	alice := attestationtest.Person("alice@example.com", "https://github.com/login/oauth")
	sign := func(t *testing.T, edit func(*attestationtest.CMS)) []byte {
		t.Helper()
		signature, err := d.Gitsign(attestationtest.GitsignRequest{Payload: theCommit().Raw(), As: alice, Entry: true, Edit: edit})
		if err != nil {
			t.Fatal(err)
		}
		return theCommit().Signed(signature)
	}
	other, err := d.Gitsign(attestationtest.GitsignRequest{Payload: []byte("another"), As: alice, Entry: true})
	if err != nil {
		t.Fatal(err)
	}
	var foreign []attestationtest.CMSAttribute
	sign(t, func(m *attestationtest.CMS) { foreign = m.Signers[0].Unsigned })
	for name, c := range map[string]struct {
		raw  []byte
		id   verdict.ID
		says string
	}{
		"another signature's entry": {sign(t, func(m *attestationtest.CMS) { m.Signers[0].Unsigned = foreign }), verdict.SignatureInvalid, "log entry does not prove"},
		"a changed signature":       {sign(t, func(m *attestationtest.CMS) { s := m.Signers[0].Signature; s[len(s)-1] ^= 1 }), verdict.BundleMalformed, "verifying signature"},
		"over another commit":       {theCommit().Signed(other), verdict.SignatureInvalid, "over another object"},
		"without proof of time":     {sign(t, func(m *attestationtest.CMS) { m.Signers[0].Unsigned = nil }), verdict.NoProvenTime, "log entry in the signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, refused := attestation.Candidates("x.commit", c.raw)
			var err error
			if len(refused) > 0 {
				err = refused[0]
			} else {
				_, err = attestation.Open(found[0], d.root)
			}
			refusal, ok := errors.AsType[*attestation.Refusal](err)
			if !ok || refusal.ID != c.id || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected %s that says %q", err, c.id, c.says)
			}
		})
	}
}

// TestObjectNames holds an object to the names that led to it.
func TestObjectNames(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	commit := theCommit().Signed(d.ssh(t, theCommit().Raw(), attestationtest.SSHRequest{}))
	tag := theTag().Signed(d.ssh(t, theTag().Raw(), attestationtest.SSHRequest{}))
	id := mustOpen(t, d, commit).GitObject().ID
	for name, c := range map[string]struct {
		object attestation.Object
		id     verdict.ID
	}{
		"its id":          {attestation.Object{Data: commit, ID: id}, ""},
		"another id":      {attestation.Object{Data: commit, ID: strings.Repeat("a", 40)}, verdict.GitObjectMalformed},
		"its tag":         {attestation.Object{Data: tag, Ref: "refs/tags/v1.0.0"}, ""},
		"another tag":     {attestation.Object{Data: tag, Ref: "refs/tags/v2.0.0"}, verdict.TagNameDiffers},
		"a branch":        {attestation.Object{Data: commit, Ref: "refs/heads/main"}, ""},
		"unsigned":        {attestation.Object{Data: theCommit().Raw()}, verdict.GitObjectUnsigned},
		"a tag of a tree": {attestation.Object{Data: []byte(strings.Replace(string(tag), "type commit", "type tree", 1))}, verdict.GitObjectMalformed},
		"no object":       {attestation.Object{Data: []byte("blob")}, verdict.GitObjectMalformed},
		"two trees":       {attestation.Object{Data: append([]byte("tree 10731d0b170b98481a00bdca161e874e0ab93377\n"), commit...)}, verdict.GitObjectMalformed},
	} {
		_, refused := attestation.CandidateOfObject(c.object)
		var got verdict.ID
		if refused != nil {
			got = refused.ID
		}
		if got != c.id {
			t.Errorf("%s: %v, expected %q", name, refused, c.id)
		}
	}
}

func mustOpen(t testing.TB, d desk, raw []byte) *attestation.Verified {
	t.Helper()
	v, err := attestation.OpenWithKey(candidate(t, raw), sshKey(t, d.key), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// envelope is a bare DSSE envelope with raw signatures.
func envelope(payloadType string, payload []byte, signatures ...[]byte) []byte {
	var list []string
	for _, s := range signatures {
		list = append(list, fmt.Sprintf(`{"keyid":"x","sig":%q}`, base64.StdEncoding.EncodeToString(s)))
	}
	return fmt.Appendf(nil, `{"payloadType":%q,"payload":%q,"signatures":[%s]}`, payloadType, base64.StdEncoding.EncodeToString(payload), strings.Join(list, ","))
}

// TestEnvelope opens a bare envelope with a key, by any of its signatures, and
// nothing else.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	statement := attestationtest.CommitLink("author", attestationtest.Commit{Repository: "github.com/acme/app", ID: theTag().Object})
	const kind = "application/vnd.in-toto+json"
	pae := dsse.PAE(kind, statement)
	raw := ed25519.Sign(d.key, pae)
	other := ed25519.Sign(d.authority, pae)
	inArmour := d.ssh(t, pae, attestationtest.SSHRequest{})
	file := d.ssh(t, pae, attestationtest.SSHRequest{Namespace: "file"})
	for name, c := range map[string]struct {
		data []byte
		id   verdict.ID
	}{
		"raw":                    {envelope(kind, statement, raw), ""},
		"the second of two":      {envelope(kind, statement, other, raw), ""},
		"in SSH's armour":        {envelope(kind, statement, inArmour), ""},
		"in another namespace":   {envelope(kind, statement, file), verdict.SignatureInvalid},
		"by another key":         {envelope(kind, statement, other), verdict.SignatureInvalid},
		"another payload":        {envelope(kind, append([]byte(" "), statement...), raw), verdict.SignatureInvalid},
		"another payload type":   {envelope("text/plain", statement, ed25519.Sign(d.key, dsse.PAE("text/plain", statement))), verdict.StatementMalformed},
		"no statement":           {envelope(kind, []byte("{}"), ed25519.Sign(d.key, dsse.PAE(kind, []byte("{}")))), verdict.StatementMalformed},
		"gittuf's type and keys": {envelope("application/vnd.gittuf+json", gittuf(statement), ed25519.Sign(d.key, dsse.PAE("application/vnd.gittuf+json", gittuf(statement)))), ""},
		"gittuf's keys alone":    {envelope(kind, gittuf(statement), ed25519.Sign(d.key, dsse.PAE(kind, gittuf(statement)))), verdict.StatementMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, k := range []attestation.Key{sshKey(t, d.key), pemKey(t, d.key)} {
				v, err := attestation.OpenWithKey(candidate(t, c.data), k, nil)
				refusal, _ := errors.AsType[*attestation.Refusal](err)
				if (err == nil) != (c.id == "") || refusal != nil && refusal.ID != c.id {
					t.Errorf("got %v, expected %q", err, c.id)
				}
				if err == nil && (v.Statement().PredicateType == "" || !v.Signer().Equal(k.Signer()) || v.Root() != "") {
					t.Errorf("opened %+v by %v", v.Statement(), v.Signer())
				}
			}
			if _, err := attestation.Open(candidate(t, c.data), d.root); err == nil {
				t.Error("it opens under a root")
			}
			if _, err := attestation.OpenWithKey(candidate(t, c.data), sshKey(t, d.key), d.root); err == nil {
				t.Error("it opens with a key under a root that demands a log entry")
			}
		})
	}
}

// gittuf spells a statement's type as Go's encoding/json does the protobuf's.
func gittuf(statement []byte) []byte {
	return []byte(strings.Replace(string(statement), `"_type"`, `"type"`, 1))
}
