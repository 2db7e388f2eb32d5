package attestationtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Every combination that makes sense verifies with plain sigstore-go.
func TestSignVerifies(t *testing.T) {
	t.Parallel()
	full := newInstance(t, PublicGood())
	github := newInstance(t, GitHub())
	key, err := full.NewKey("alice")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := full.Certify(CertifyRequest{Identity: Workflow(WorkflowClaims{})})
	if err != nil {
		t.Fatal(err)
	}

	contents := []struct {
		name    string
		set     func(*SignRequest)
		entries []LogEntry
	}{
		{"envelope", func(r *SignRequest) { r.Payload = artifactStatement() },
			[]LogEntry{EntryDefault, EntryV1DSSE, EntryV1Intoto, EntryV2, NoEntry}},
		{"message", func(r *SignRequest) { r.MessageDigest = artifactDigest() },
			[]LogEntry{EntryDefault, EntryV1HashedRekord, EntryV2, NoEntry}},
	}
	signers := []struct {
		name string
		set  func(*SignRequest)
		key  *Key
	}{
		{"workflow", func(r *SignRequest) { r.As = Workflow(WorkflowClaims{}) }, nil},
		{"certificate", func(r *SignRequest) { r.Certificate = certificate }, nil},
		{"key", func(r *SignRequest) { r.Key = key }, key},
	}
	forms := map[string][]CertificateForm{
		"0.1": {ChainOfOne, FullChain, SingleCertificate},
		"0.2": {ChainOfOne, FullChain, SingleCertificate},
		"0.3": {SingleCertificate},
	}
	for _, content := range contents {
		for _, entry := range content.entries {
			for _, signer := range signers {
				for version, forms := range forms {
					if version == "0.1" && entry == EntryV2 {
						continue // needs an inclusion promise, which Rekor v2 does not give
					}
					if signer.key != nil {
						forms = []CertificateForm{FormDefault}
					}
					for _, form := range forms {
						instance := full
						if entry == NoEntry {
							instance = github
						}
						if entry == NoEntry && signer.name == "certificate" {
							continue // certified by the other instance
						}
						name := strings.Join([]string{content.name, "entry " + string(entry), signer.name, version, string(form)}, "/")
						t.Run(name, func(t *testing.T) {
							t.Parallel()
							request := SignRequest{Entry: entry, BundleVersion: version, Form: form}
							content.set(&request)
							signer.set(&request)
							b := newBundle(t, instance, request)
							if _, err := plainVerify(instance.TrustedRoot(), b.JSON, signer.key); err != nil {
								t.Errorf("sigstore-go refuses a good bundle: %v\n%s", err, b.JSON)
							}
						})
					}
				}
			}
		}
	}
}

// An instance may have any selection of services.
func TestSignWithSelectedServices(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{
		"ct and tsa":      {CT: true, TSA: true},
		"rekor v1 alone":  {RekorV1: true},
		"ct and rekor v1": {CT: true, RekorV1: true},
		"rekor v2, tsa":   {RekorV2: true, TSA: true},
		"tsa alone":       {TSA: true},
		"all":             PublicGood(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newInstance(t, config)
			b := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement()})
			if _, err := plainVerify(s.TrustedRoot(), b.JSON, nil); err != nil {
				t.Error(err)
			}
			other := newInstance(t, config)
			if _, err := plainVerify(other.TrustedRoot(), b.JSON, nil); err == nil {
				t.Error("another instance's trusted root accepts the bundle")
			}
		})
	}
}

// What is asked for in a request arrives in the bundle.
func TestSignFollowsRequest(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	at := s.Now().Add(40 * 24 * time.Hour)

	t.Run("time", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement(), At: at})
		result, err := plainVerify(s.TrustedRoot(), b.JSON, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []verify.TimestampVerificationResult{
			{Type: "Tlog", URI: s.RekorV1.URL(), Timestamp: at},
			{Type: "TimestampAuthority", URI: s.TSA.URL(), Timestamp: at},
		}
		if diff := cmp.Diff(want, result.VerifiedTimestamps); diff != "" {
			t.Errorf("timestamps (-want +got):\n%s", diff)
		}
	})
	t.Run("no timestamp", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement(), OmitTimestamp: true})
		if b.Proto.GetVerificationMaterial().GetTimestampVerificationData() != nil {
			t.Error("bundle has a timestamp")
		}
		if _, err := plainVerify(s.TrustedRoot(), b.JSON, nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("one certificate, two bundles", func(t *testing.T) {
		t.Parallel()
		certificate, err := s.Certify(CertifyRequest{Identity: alice(), At: at})
		if err != nil {
			t.Fatal(err)
		}
		for _, request := range []SignRequest{
			{Certificate: certificate, Payload: artifactStatement()},
			{Certificate: certificate, MessageDigest: artifactDigest(), At: at.Add(9 * time.Minute)},
		} {
			b := newBundle(t, s, request)
			if _, err := plainVerify(s.TrustedRoot(), b.JSON, nil); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(certificate.Leaf.Raw, b.Proto.GetVerificationMaterial().GetCertificate().GetRawBytes()); diff != "" {
				t.Errorf("certificate (-want +got):\n%s", diff)
			}
		}
	})
	t.Run("payload type", func(t *testing.T) {
		t.Parallel()
		const layoutType = "application/vnd.example.layout+json"
		b := newBundle(t, s, SignRequest{As: alice(), Payload: []byte("{}"), PayloadType: layoutType})
		if got := b.Proto.GetDsseEnvelope().GetPayloadType(); got != layoutType {
			t.Errorf("payload type is %q, want %q", got, layoutType)
		}
	})
	t.Run("json is one line", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement()})
		if strings.ContainsAny(string(b.JSON), "\n\r") || strings.Contains(string(b.JSON), `": `) {
			t.Errorf("bundle is not compact: %s", b.JSON)
		}
	})
}

// A caller may bring a key of another kind.
func TestSignWithOwnKeys(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		signer crypto.Signer
		entry  LogEntry
		err    string
	}{
		// Rekor v1 reads an envelope's signature with SHA-256 alone.
		"p-384, v1-dsse":            {p384, EntryV1DSSE, "accepted signatures do not match threshold"},
		"p-384, v2":                 {p384, EntryV2, ""},
		"ed25519, v1-dsse":          {ed, EntryV1DSSE, ""},
		"ed25519, v2":               {ed, EntryV2, "needs a key that signs a digest"},
		"ed25519, v1-hashedrekord":  {ed, EntryV1HashedRekord, "needs a key that signs a digest"},
		"ed25519, unknown log kind": {ed, "v3", `no log has entries "v3"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := &Key{Signer: test.signer, Hint: "mine"}
			b, err := s.Sign(SignRequest{Key: key, Payload: artifactStatement(), Entry: test.entry})
			if test.err != "" {
				wantError(t, err, test.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plainVerify(s.TrustedRoot(), b.JSON, key); err != nil {
				t.Error(err)
			}
		})
	}
}

// A request that cannot be met is an error, never something else signed.
func TestSignRefusesRequest(t *testing.T) {
	t.Parallel()
	github := newInstance(t, GitHub())
	certificate, err := github.Certify(CertifyRequest{Identity: alice()})
	if err != nil {
		t.Fatal(err)
	}
	payload := artifactStatement()
	for name, test := range map[string]struct {
		request SignRequest
		err     string
	}{
		"nothing":                {SignRequest{As: alice()}, "exactly one of Payload and MessageDigest"},
		"both contents":          {SignRequest{As: alice(), Payload: payload, MessageDigest: artifactDigest()}, "exactly one of Payload and MessageDigest"},
		"nobody":                 {SignRequest{Payload: payload}, "exactly one of As, Certificate and Key"},
		"two signers":            {SignRequest{As: alice(), Certificate: certificate, Payload: payload}, "exactly one of As, Certificate and Key"},
		"nameless":               {SignRequest{As: Identity{Issuer: "https://issuer.example"}, Payload: payload}, "exactly one of URI, Email and OtherName"},
		"two names":              {SignRequest{As: Identity{Email: "a@example.com", URI: "https://a.example"}, Payload: payload}, "exactly one of URI, Email and OtherName"},
		"unknown extension":      {SignRequest{As: alice().With("nickname", "al"), Payload: payload}, `no extension is named ["nickname"]`},
		"short digest":           {SignRequest{As: alice(), MessageDigest: []byte("short")}, "32 bytes"},
		"bundle 0.4":             {SignRequest{As: alice(), Payload: payload, BundleVersion: "0.4"}, `no bundle has version "0.4"`},
		"chain in 0.3":           {SignRequest{As: alice(), Payload: payload, Form: FullChain}, "see BreakCertificateChain"},
		"no rekor v1":            {SignRequest{As: alice(), Payload: payload, Entry: EntryV1DSSE}, "no rekor v1"},
		"no rekor v2":            {SignRequest{As: alice(), Payload: payload, Entry: EntryV2}, "no rekor v2"},
		"break without log":      {SignRequest{As: alice(), Payload: payload, Break: []Break{BreakNoEntry}}, "no log entry to break"},
		"break without ct":       {SignRequest{As: alice(), Payload: payload, Break: []Break{BreakNoSCT}}, "no promise of a certificate transparency log to break"},
		"break old certificate":  {SignRequest{Certificate: certificate, Payload: payload, Break: []Break{BreakUnknownCA}}, "only a certificate made for this bundle"},
		"break of nothing known": {SignRequest{As: alice(), Payload: payload, Break: []Break{"luck"}}, `"luck" is not known here`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := github.Sign(test.request)
			wantError(t, err, test.err)
		})
	}
}

func TestNewRefusesNoService(t *testing.T) {
	t.Parallel()
	_, err := New(Config{})
	wantError(t, err, "no service is named")
}

// wantError fails the test unless err holds the text.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error is %v, want one with %q", err, text)
	}
}
