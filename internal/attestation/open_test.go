package attestation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// sign gives one candidate of the instance.
func sign(t testing.TB, s *attestationtest.Sigstore, request attestationtest.SignRequest) Candidate {
	t.Helper()
	b, err := s.Sign(request)
	if err != nil {
		t.Fatal(err)
	}
	return candidate(t, b.JSON)
}

func candidate(t testing.TB, data []byte) Candidate {
	t.Helper()
	found, refused := Candidates("app.sigstore.json", data)
	if len(found) != 1 {
		t.Fatal(refused)
	}
	return found[0]
}

// refuses holds that a bundle was refused, as what, and in which words.
func refuses(t *testing.T, v *Verified, err error, id verdict.ID, says string) {
	t.Helper()
	if v != nil || !refusedAs(err, id) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, %v; expected %s that says %q", v, err, id, says)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	public, github := attestationtest.PublicGood(), attestationtest.GitHub()
	digest := sha256.Sum256([]byte("artifact 1"))
	rows := []struct {
		name   string
		config attestationtest.Config
		change func(*attestationtest.SignRequest)
		kinds  string // of the proven times
	}{
		{"Rekor v1 dsse and a timestamp", public, func(*attestationtest.SignRequest) {}, "transparency log, timestamp authority"},
		{"Rekor v1 intoto", public, func(r *attestationtest.SignRequest) {
			r.Entry, r.OmitTimestamp = attestationtest.EntryV1Intoto, true
		}, "transparency log"},
		{"Rekor v2", public, func(r *attestationtest.SignRequest) { r.Entry = attestationtest.EntryV2 }, "timestamp authority"},
		{"v0.1 with its chain", public, func(r *attestationtest.SignRequest) {
			r.BundleVersion, r.Form = "0.1", attestationtest.FullChain
		}, "transparency log, timestamp authority"},
		{"v0.2", public, func(r *attestationtest.SignRequest) { r.BundleVersion = "0.2" }, "transparency log, timestamp authority"},
		{"GitHub", github, func(*attestationtest.SignRequest) {}, "timestamp authority"},
		{"message, Rekor v1", public, func(r *attestationtest.SignRequest) { r.Payload, r.MessageDigest = nil, digest[:] }, "transparency log, timestamp authority"},
		{"message, Rekor v2", public, func(r *attestationtest.SignRequest) {
			r.Payload, r.MessageDigest, r.Entry = nil, digest[:], attestationtest.EntryV2
		}, "timestamp authority"},
		{"message, GitHub", github, func(r *attestationtest.SignRequest) { r.Payload, r.MessageDigest = nil, digest[:] }, "timestamp authority"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, material := newInstance(t, row.config)
			request := provenance(1)
			row.change(&request)
			c := sign(t, s, request)
			v, err := Open(c, newRoot(t, "test", material))
			if err != nil {
				t.Fatal(err)
			}
			if v.Root() != "test" || v.Source() != "app.sigstore.json" || v.Digest() != c.Digest() || len(v.Digest()) != 71 {
				t.Errorf("root %q, source %q, digest %q", v.Root(), v.Source(), v.Digest())
			}
			var kinds []string
			for _, proven := range v.Times() {
				kinds = append(kinds, proven.Kind)
				if !proven.Instant.Equal(s.Now()) || proven.By == "" {
					t.Errorf("proven time %+v", proven)
				}
			}
			if got := strings.Join(kinds, ", "); got != row.kinds {
				t.Errorf("times of %s, expected %s", got, row.kinds)
			}
			at, ok := v.Time()
			notBefore, notAfter := v.Lifetime()
			if !ok || at.Before(notBefore) || at.After(notAfter) || notAfter.Sub(notBefore) != 10*time.Minute {
				t.Errorf("time %s in %s to %s", at, notBefore, notAfter)
			}
			if v.Signer().Issuer != identity.GitHubActionsIssuer || !strings.Contains(v.Signer().SAN, "acme/app1/") || v.Signer().Key != "" {
				t.Errorf("signer %+v", v.Signer())
			}
			subjectOf(t, v, artifact.DigestSet{artifact.SHA256: fmt.Sprintf("%x", digest)}, request.Payload == nil)
		})
	}
}

// subjectOf holds what Statement says of a statement or a message signature.
func subjectOf(t *testing.T, v *Verified, digest artifact.DigestSet, message bool) {
	t.Helper()
	s := v.Statement()
	if len(s.Subjects) != 1 || !s.Subjects[0].Digest.Equal(digest) || s.MessageSignature() != message {
		t.Fatalf("statement %+v", s)
	}
	empty := s.Type == "" && s.PredicateType == "" && s.Predicate == nil && s.Subjects[0].Name.Text == "_"
	if empty != message {
		t.Errorf("statement %+v", s)
	}
}

// TestOpenBreaks breaks one thing in a bundle at a time. Plain sigstore-go has
// to agree, whatever it says.
func TestOpenBreaks(t *testing.T) {
	t.Parallel()
	type kind struct {
		name    string
		config  attestationtest.Config
		entry   attestationtest.LogEntry
		omit    bool
		message bool
	}
	kinds := []kind{
		{"Rekor v1", attestationtest.PublicGood(), attestationtest.EntryV1DSSE, true, false},
		{"Rekor v1 intoto, with timestamp", attestationtest.PublicGood(), attestationtest.EntryV1Intoto, false, false},
		{"Rekor v2", attestationtest.PublicGood(), attestationtest.EntryV2, false, false},
		{"GitHub", attestationtest.GitHub(), attestationtest.NoEntry, false, false},
		{"message, Rekor v1", attestationtest.PublicGood(), attestationtest.EntryV1HashedRekord, true, true},
		{"message, Rekor v2", attestationtest.PublicGood(), attestationtest.EntryV2, false, true},
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s, material := newInstance(t, k.config)
			r := newRoot(t, "test", material)
			j := &judges{both: map[string]int{}, stricter: map[string]int{}}
			for _, b := range attestationtest.Breaks() {
				request := provenance(1)
				request.Entry, request.OmitTimestamp, request.Break = k.entry, k.omit, []attestationtest.Break{b}
				if digest := sha256.Sum256([]byte("x")); k.message {
					request.Payload, request.MessageDigest = nil, digest[:]
				}
				bundle, err := s.Sign(request)
				if err != nil {
					continue // nothing to break in this kind of bundle
				}
				j.compare(t, string(b), bundle.JSON, material, r, nil)
			}
			// sigstore-go takes a leaf without any key usage; we do not.
			want := map[string]int{"certificate-malformed: the signer's certificate is not for code signing": 1}
			if diff := cmp.Diff(want, j.stricter); diff != "" || j.both["refused by both"] < 10 {
				t.Errorf("%v, stricter (-want +got):\n%s", j.both, diff)
			}
			t.Logf("%v", j.both)
		})
	}
}

// TestOpenWrongDoor names the refusals that need no cryptography.
func TestOpenWrongDoor(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.PublicGood())
	other, otherMaterial := newInstance(t, attestationtest.PublicGood())
	github, githubMaterial := newInstance(t, attestationtest.GitHub())
	r := newRoot(t, "sigstore", material)
	keyless := func() attestationtest.SignRequest { return provenance(1) }
	byKey := func(s *attestationtest.Sigstore) (attestationtest.SignRequest, Key) {
		request := provenance(1)
		key, err := s.NewKey("release")
		if err != nil {
			t.Fatal(err)
		}
		request.As, request.Key = attestationtest.Identity{}, key
		text, err := key.PEM()
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		return request, parsed
	}
	request, key := byKey(s)

	open := func(name string, c Candidate, r *Root, id verdict.ID, says string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := Open(c, r)
			refuses(t, v, err, id, says)
		})
	}
	open("no candidate", Candidate{}, r, verdict.BundleMalformed, "there is no candidate")
	open("no root", sign(t, s, keyless()), nil, verdict.SignatureInvalid, "no trusted root was given")
	open("signed with a key", sign(t, s, request), r, verdict.SignatureInvalid, "signed with a key")
	open("another instance", sign(t, other, keyless()), r, verdict.SignatureInvalid, `no entry of a log that root "sigstore" trusts`)
	open("GitHub's under ours", sign(t, github, keyless()), r, verdict.SignatureInvalid, "it has no transparency log entry")
	open("ours under GitHub's", sign(t, s, keyless()), newRoot(t, "github", githubMaterial), verdict.SignatureInvalid, `no timestamp of an authority that root "github" trusts`)
	omitted := keyless()
	omitted.OmitTimestamp = true
	open("no timestamp under GitHub's", sign(t, s, omitted), newRoot(t, "github", githubMaterial), verdict.SignatureInvalid, "no RFC 3161 timestamp")
	omitted.Entry = attestationtest.EntryV2
	open("Rekor v2 without a timestamp", sign(t, s, omitted), r, verdict.SignatureInvalid, "proves when it was signed")
	mixed := &collected{material, otherMaterial}
	open("another authority", sign(t, s, keyless()), newRoot(t, "mixed", mixed), verdict.SignatureInvalid, `no authority of root "mixed"`)
	open("no authority", sign(t, s, keyless()), newRoot(t, "logs", &noAuthorities{material}), verdict.SignatureInvalid, `root "logs" has no certificate authority`)

	t.Run("certificate where a key is named", func(t *testing.T) {
		t.Parallel()
		v, err := OpenWithKey(sign(t, s, keyless()), key, r)
		refuses(t, v, err, verdict.SignatureInvalid, "signed with a certificate, not with a key")
	})
	t.Run("no key", func(t *testing.T) {
		t.Parallel()
		v, err := OpenWithKey(sign(t, s, request), Key{}, nil)
		refuses(t, v, err, verdict.SignatureInvalid, "no public key")
	})
	t.Run("no candidate, with a key", func(t *testing.T) {
		t.Parallel()
		v, err := OpenWithKey(Candidate{}, key, nil)
		refuses(t, v, err, verdict.BundleMalformed, "there is no candidate")
	})
}

// collected has the logs of one instance and the authorities of another, of
// another name.
type collected struct {
	root.TrustedMaterial
	other root.TrustedMaterial
}

func (c *collected) FulcioCertificateAuthorities() []root.CertificateAuthority {
	ca := *c.other.FulcioCertificateAuthorities()[0].(*root.FulcioCertificateAuthority)
	named := *ca.Intermediates[0]
	named.RawSubject = []byte("another name")
	ca.Intermediates = []*x509.Certificate{&named}
	return []root.CertificateAuthority{&ca}
}

type noAuthorities struct{ root.TrustedMaterial }

func (*noAuthorities) FulcioCertificateAuthorities() []root.CertificateAuthority { return nil }

// TestOpenWithKey opens key bundles with and without a root.
func TestOpenWithKey(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.PublicGood())
	github, githubMaterial := newInstance(t, attestationtest.GitHub())
	r, g := newRoot(t, "sigstore", material), newRoot(t, "github", githubMaterial)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	keys := map[string]crypto.Signer{"P-256": p256, "P-384": p384, "P-521": p521, "RSA": rsaKey, "Ed25519": edKey}
	for name, private := range keys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := parseKey(t, private.Public())
			request := provenance(1)
			request.As, request.Key = attestationtest.Identity{}, &attestationtest.Key{Signer: private, Hint: "any"}
			request.OmitTimestamp = true
			if name == "P-384" || name == "P-521" {
				// Rekor v1 takes SHA-256 envelopes only, which attestationtest
				// does not sign with these keys.
				request.Entry, request.OmitTimestamp = attestationtest.EntryV2, false
			}
			c := sign(t, s, request)
			for _, under := range []*Root{nil, r} {
				v, err := OpenWithKey(c, key, under)
				if err != nil {
					t.Fatal(err)
				}
				if v.Signer().Key != key.Signer().Key || v.Signer().SAN != "" || v.Root() != under.Name() {
					t.Errorf("signer %+v under %q", v.Signer(), v.Root())
				}
				if _, proven := v.Time(); proven != (under != nil) {
					t.Errorf("time proven: %t, with a root: %t", proven, under != nil)
				}
				if from, to := v.Lifetime(); !from.IsZero() || !to.IsZero() {
					t.Error("a key has a lifetime")
				}
			}
			v, err := OpenWithKey(c, parseKey(t, other(t).Public()), nil)
			refuses(t, v, err, verdict.SignatureInvalid, "its signature does not verify with the given key")
			v, err = OpenWithKey(c, key, g)
			refuses(t, v, err, verdict.SignatureInvalid, "timestamp")
		})
	}
	t.Run("Rekor v2 proves no time", func(t *testing.T) {
		t.Parallel()
		request := provenance(1)
		request.As, request.Key = attestationtest.Identity{}, &attestationtest.Key{Signer: p256}
		request.Entry, request.OmitTimestamp = attestationtest.EntryV2, true
		v, err := OpenWithKey(sign(t, s, request), parseKey(t, p256.Public()), r)
		if err != nil || len(v.Times()) != 0 {
			t.Errorf("%v, %v", v.Times(), err)
		}
	})
	t.Run("GitHub", func(t *testing.T) {
		t.Parallel()
		request := provenance(1)
		request.As, request.Key = attestationtest.Identity{}, &attestationtest.Key{Signer: p256}
		v, err := OpenWithKey(sign(t, github, request), parseKey(t, p256.Public()), g)
		if err != nil || len(v.Times()) != 1 {
			t.Errorf("%v, %v", v.Times(), err)
		}
		v, err = OpenWithKey(sign(t, github, request), parseKey(t, p256.Public()), r)
		refuses(t, v, err, verdict.SignatureInvalid, "no transparency log entry")
	})
}

func other(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicPEM(t testing.TB, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func parseKey(t testing.TB, public crypto.PublicKey) Key {
	t.Helper()
	key, err := ParseKey(publicPEM(t, public))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// message is a messageSignature bundle by a key.
func message(t *testing.T, algorithm protocommon.HashAlgorithm, digest, signature []byte) Candidate {
	t.Helper()
	data, err := attestationtest.EncodeBundle(&protobundle.Bundle{
		MediaType: mediaType + ".v0.3+json",
		VerificationMaterial: &protobundle.VerificationMaterial{
			Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: "x"}},
		},
		Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: algorithm, Digest: digest}, Signature: signature,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return candidate(t, data)
}

// TestMessageSignature holds the digest to the algorithm that is named for it.
func TestMessageSignature(t *testing.T) {
	t.Parallel()
	key := other(t)
	public, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("artifact")
	d256, d512, empty := sha256.Sum256(content), sha512.Sum512(content), sha256.Sum256(nil)
	signECDSA := func(digest []byte) []byte {
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signP384 := func(digest []byte) []byte {
		signature, err := ecdsa.SignASN1(rand.Reader, p384, digest)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	ph, err := edKey.Sign(nil, d512[:], &ed25519.Options{Hash: crypto.SHA512})
	if err != nil {
		t.Fatal(err)
	}
	const s256, s512 = protocommon.HashAlgorithm_SHA2_256, protocommon.HashAlgorithm_SHA2_512
	rows := []struct {
		name      string
		algorithm protocommon.HashAlgorithm
		digest    []byte
		signature []byte
		public    crypto.PublicKey
		id        verdict.ID // empty: opens
		says      string
	}{
		{"good", s256, d256[:], signECDSA(d256[:]), key.Public(), "", ""},
		{"SHA-256 with P-384", s256, d256[:], signP384(d256[:]), p384.Public(), "", ""},
		{"SHA-256 with P-384, forged", s256, d256[:], signP384(empty[:]), p384.Public(), verdict.SignatureInvalid, "does not verify"},
		{"Ed25519ph", s512, d512[:], ph, public, "", ""},
		{"pure Ed25519", s256, d256[:], ed25519.Sign(edKey, content), public, verdict.SignatureInvalid, "cannot be verified with the artifact's digest alone"},
		{"pure Ed25519, named SHA-512", s512, d512[:], ed25519.Sign(edKey, content), public, verdict.SignatureInvalid, "does not verify"},
		{"named by another length", s512, d256[:], signECDSA(d256[:]), key.Public(), verdict.BundleMalformed, "64 hex digits"},
		// ECDSA would cut the digest to the curve's 32 bytes.
		{"longer than the curve", s512, append(d256[:len(d256):len(d256)], d512[:32]...), signECDSA(d256[:]), key.Public(), verdict.SignatureInvalid, "unexpected length"},
		// sigstore would hash an empty message.
		{"empty digest", s256, nil, signECDSA(empty[:]), key.Public(), verdict.BundleMalformed, "digest"},
		{"no algorithm", protocommon.HashAlgorithm_HASH_ALGORITHM_UNSPECIFIED, d256[:], signECDSA(d256[:]), key.Public(), verdict.BundleMalformed, "HASH_ALGORITHM_UNSPECIFIED"},
		{"SHA3-256", protocommon.HashAlgorithm(4), d256[:], signECDSA(d256[:]), key.Public(), verdict.BundleMalformed, "SHA3_256"},
		{"another digest", s256, empty[:], signECDSA(d256[:]), key.Public(), verdict.SignatureInvalid, "does not verify"},
		{"empty signature", s256, d256[:], nil, key.Public(), verdict.BundleMalformed, "signature is empty"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v, err := OpenWithKey(message(t, row.algorithm, row.digest, row.signature), parseKey(t, row.public), nil)
			if row.id != "" {
				refuses(t, v, err, row.id, row.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			subjectOf(t, v, v.Statement().Subjects[0].Digest, true)
		})
	}
}

// TestOpenLargeCurves holds P-384 certificates: signed with SHA-384 they open;
// with SHA-256, as clients of before 2023 did, they are refused, because
// sigstore-go would write to stderr while it tried.
func TestOpenLargeCurves(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.GitHub())
	r := newRoot(t, "github", material)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := s.CA.Issue(attestationtest.CertificateRequest{Identity: provenance(1).As, PublicKey: key.Public(), NotBefore: s.Now()})
	if err != nil {
		t.Fatal(err)
	}
	pae := dsse.PAE(payloadType, []byte(goodStatement))
	d256, d384 := sha256.Sum256(pae), sha512.Sum384(pae)
	for name, digest := range map[string][]byte{"SHA-384": d384[:], "SHA-256": d256[:]} {
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.TSA.Stamp(signature, s.Now())
		if err != nil {
			t.Fatal(err)
		}
		data, err := attestationtest.EncodeBundle(&protobundle.Bundle{
			MediaType: mediaType + ".v0.3+json",
			VerificationMaterial: &protobundle.VerificationMaterial{
				Content:                   &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: leaf.Raw}},
				TimestampVerificationData: &protobundle.TimestampVerificationData{Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: token}}},
			},
			Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
				Payload: []byte(goodStatement), PayloadType: payloadType, Signatures: []*protodsse.Signature{{Sig: signature}},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(candidate(t, data), r)
		if name == "SHA-384" && err != nil {
			t.Error(err)
		} else if name == "SHA-256" {
			refuses(t, v, err, verdict.SignatureInvalid, "does not verify with the key in its certificate")
		}
	}
}

// TestOpenStatement holds that the statement is judged after the signature, by
// our parser alone.
func TestOpenStatement(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.PublicGood())
	r := newRoot(t, "sigstore", material)
	rows := []struct {
		name, payload, payloadType string
		id                         verdict.ID
		says                       string
	}{
		{"good", goodStatement, "", "", ""},
		{"another payload type", goodStatement, "application/json", verdict.StatementMalformed, "payload type"},
		{"no JSON", "hello", "", verdict.StatementMalformed, "not a JSON object"},
		{"duplicate key", `{"subject":[],` + goodStatement[1:], "", verdict.StatementMalformed, "duplicate key"},
		{"two digests", strings.Replace(goodStatement, `}}],`, `}},{"name":"app","digest":{"sha256":"`+sha256b+`"}}],`, 1), "", verdict.DescriptorConflict, "unequal digests"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			request := provenance(1)
			request.Payload, request.PayloadType = []byte(row.payload), row.payloadType
			v, err := Open(sign(t, s, request), r)
			if row.id != "" {
				refuses(t, v, err, row.id, row.says)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOpenCertificate holds that an identity which cannot be read is refused
// as such, after the signature.
func TestOpenCertificate(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.PublicGood())
	request := provenance(1)
	request.As = attestationtest.Person("alice@example.com", "https://accounts.google.com").With("issuerV1", "https://github.com/login/oauth")
	v, err := Open(sign(t, s, request), newRoot(t, "sigstore", material))
	refuses(t, v, err, verdict.CertificateMalformed, "extension .1 says")
}

// TestOpenAtOnce opens one candidate under two roots and one root with many
// candidates, from many goroutines, for the race detector.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.PublicGood())
	_, otherMaterial := newInstance(t, attestationtest.PublicGood())
	r, wrong := newRoot(t, "right", material), newRoot(t, "wrong", otherMaterial)
	certificate, err := s.Certify(attestationtest.CertifyRequest{Identity: provenance(0).As})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for n := range 4 {
		request := provenance(n)
		request.As, request.Certificate = attestationtest.Identity{}, certificate
		c := sign(t, s, request)
		for range 3 {
			group.Go(func() {
				if _, err := Open(c, r); err != nil {
					t.Error(err)
				}
			})
			group.Go(func() {
				if _, err := Open(c, wrong); err == nil {
					t.Error("opened under the wrong root")
				}
			})
		}
	}
	group.Wait()
	if n := len(r.material.authorities[0].(*pinnedAuthority).issuers()[0].leaves); n != 1 {
		t.Errorf("%d leaves remembered of one certificate", n)
	}
}

func TestNewRoot(t *testing.T) {
	t.Parallel()
	_, material := newInstance(t, attestationtest.PublicGood())
	if _, err := NewRoot("", material); err == nil {
		t.Error("a root without a name")
	}
	if _, err := NewRoot("x", nil); err == nil {
		t.Error("a root without material")
	}
	if _, err := NewRoot("x", &root.BaseTrustedMaterial{}); err == nil {
		t.Error("a root of nothing")
	}
	if _, err := NewRoot("x", &timeless{material}); err == nil || !strings.Contains(err.Error(), "no time of signing") {
		t.Errorf("a root that proves no time: %v", err)
	}
	if name := newRoot(t, "x", material).Name(); name != "x" {
		t.Errorf("name %q", name)
	}
}

type timeless struct{ root.TrustedMaterial }

func (*timeless) RekorLogs() map[string]*root.TransparencyLog           { return nil }
func (*timeless) TimestampingAuthorities() []root.TimestampingAuthority { return nil }

func TestParseKey(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := publicPEM(t, other(t).Public())
	rows := []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "no PEM block"},
		{"a certificate", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "CERTIFICATE"},
		{"two keys", append(good[:len(good):len(good)], good...), "more than one PEM block"},
		{"no key", []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "reading the public key"},
		{"RSA of 1024 bits", publicPEM(t, small.Public()), "RSA of 1024 bits"},
		{"P-224", publicPEM(t, p224.Public()), "P-224"},
		{"large", make([]byte, maxKeySize+1), "at most"},
	}
	for _, row := range rows {
		if _, err := ParseKey(row.data); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, expected %q", row.name, err, row.says)
		}
	}
	key, err := ParseKey(append([]byte("a comment\n"), good...))
	if err != nil || !strings.HasPrefix(key.Signer().Key, "sha256:") {
		t.Errorf("%v, %v", key, err)
	}
}

// TestNothing holds that what was not verified answers nothing.
func TestNothing(t *testing.T) {
	t.Parallel()
	for _, v := range []*Verified{nil, {}} {
		_, proven := v.Time()
		from, to := v.Lifetime()
		if v.Source()+v.Digest()+v.Root() != "" || !v.Signer().IsZero() || len(v.Times()) > 0 || proven || !from.IsZero() || !to.IsZero() ||
			len(v.Statement().Subjects) > 0 || v.Statement().MessageSignature() {
			t.Errorf("%v answers", v)
		}
	}
	if (Key{}).Signer().Key != "" || (*Root)(nil).Name() != "" || (Candidate{}).Digest() != "" {
		t.Error("a zero value answers")
	}
}
