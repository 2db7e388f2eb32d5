package sandbox_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/signatus-dev/signatus/internal/sandbox/roundtrip"
	"golang.org/x/sync/errgroup"
)

const workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"

// stock has the tests of what Fulcio certifies and refuses run against the stock
// servers: stock/run --check gives it, one test at a time, as a network
// namespace has room for one timestamp-server.
var stock = flag.String("stock", "", "the `FOLDER` of the stock servers")

// startWitness is start, against the stock servers if there are some.
func startWitness(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	return start(t, sandbox.Config{Stock: *stock})
}

// start returns a sandbox that ends with the test.
func start(t *testing.T, config sandbox.Config) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func token(t *testing.T, s *sandbox.Sandbox, request sandbox.TokenRequest) string {
	t.Helper()
	token, err := s.Token(request)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// sigstore-go signs and verifies, with every identity and every log.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	for name, signer := range map[string]struct {
		request     sandbox.TokenRequest
		san, issuer string
	}{
		"workflow": {sandbox.TokenRequest{Kind: sandbox.GitHub}, workflow, sandbox.GitHubIssuer},
		"enterprise": {
			sandbox.TokenRequest{Kind: sandbox.GitHub, Claims: map[string]string{"iss": sandbox.GitHubIssuer + "/acme-inc"}},
			workflow, sandbox.GitHubIssuer + "/acme-inc",
		},
		"google": {sandbox.TokenRequest{Kind: sandbox.Email}, "alice@example.com", sandbox.GoogleIssuer},
		"github person": {
			sandbox.TokenRequest{Kind: sandbox.Email, Email: "bob@example.com", Issuer: sandbox.OAuthIssuer},
			"bob@example.com", sandbox.OAuthIssuer,
		},
	} {
		for _, version := range []uint32{0, 1, 2} {
			t.Run(fmt.Sprintf("%s, rekor %d", name, version), func(t *testing.T) {
				t.Parallel()
				bundle, err := roundtrip.Sign(t.Context(), roundtrip.Request{
					SigningConfig: s.SigningConfig(), Token: token(t, s, signer.request), RekorVersion: version,
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := roundtrip.Verify(s.TrustedRoot(), bundle, signer.san, signer.issuer); err != nil {
					t.Error(err)
				}
				if _, err := roundtrip.Verify(s.TrustedRoot(), bundle, "mallory@example.com", signer.issuer); err == nil {
					t.Error("verifies as somebody else's")
				}
				stranger := start(t, sandbox.Config{})
				if _, err := roundtrip.Verify(stranger.TrustedRoot(), bundle, signer.san, signer.issuer); err == nil {
					t.Error("verifies with another sandbox's root")
				}
			})
		}
	}
}

// The signing config names the Rekor that was asked for.
func TestRekorVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[int]string{0: "[2 1]", 1: "[1]", 2: "[2]"} {
		var config struct {
			MediaType     string
			RekorTlogURLs []struct{ MajorAPIVersion int }
		}
		if err := json.Unmarshal(start(t, sandbox.Config{RekorVersion: version}).SigningConfig(), &config); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, rekor := range config.RekorTlogURLs {
			got = append(got, rekor.MajorAPIVersion)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("rekor %d: the signing config has %v, want %s", version, got, want)
		}
		if want := "application/vnd.dev.sigstore.signingconfig.v0.2+json"; config.MediaType != want {
			t.Errorf("media type is %q, want %q", config.MediaType, want)
		}
	}
	if _, err := sandbox.Start(sandbox.Config{RekorVersion: 3}); err == nil {
		t.Error("there is a Rekor v3")
	}
}

// Fulcio's certificates are those that attestationtest makes: two witnesses for
// what the public good instance writes.
func TestCertificateExtensions(t *testing.T) {
	t.Parallel()
	s := startWitness(t)
	made, err := attestationtest.New(attestationtest.PublicGood())
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		claims map[string]string
		as     attestationtest.WorkflowClaims
	}{
		"push": {nil, attestationtest.WorkflowClaims{}},
		"pull request": {
			map[string]string{"event_name": "pull_request", "ref": "refs/pull/7/merge"},
			attestationtest.WorkflowClaims{Trigger: "pull_request", Ref: "refs/pull/7/merge"},
		},
		"environment": {
			map[string]string{"environment": "production", "runner_environment": "self-hosted"},
			attestationtest.WorkflowClaims{Environment: "production", RunnerEnvironment: "self-hosted"},
		},
		"reusable workflow": {
			map[string]string{
				"job_workflow_ref": "acme/builder/.github/workflows/build.yml@refs/tags/v1",
				"job_workflow_sha": strings.Repeat("b", 40), "repository_visibility": "private",
			},
			attestationtest.WorkflowClaims{
				JobWorkflowRef: "acme/builder/.github/workflows/build.yml@refs/tags/v1",
				JobWorkflowSHA: strings.Repeat("b", 40), Visibility: "private",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certificate := certify(t, s, token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub, Claims: row.claims}))
			want, err := made.Certify(attestationtest.CertifyRequest{Identity: attestationtest.Workflow(row.as)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(extensions(want.Leaf), extensions(certificate)); diff != "" {
				t.Errorf("extensions (-attestationtest +fulcio):\n%s", diff)
			}
			if diff := cmp.Diff(fmt.Sprint(want.Leaf.URIs), fmt.Sprint(certificate.URIs)); diff != "" {
				t.Errorf("alternative name (-attestationtest +fulcio):\n%s", diff)
			}
		})
	}
}

// extensions are Fulcio's, by the last number of 1.3.6.1.4.1.57264.1.x.
func extensions(certificate *x509.Certificate) map[int]string {
	values := make(map[int]string)
	fulcio := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}
	for _, extension := range certificate.Extensions {
		if last := len(extension.Id) - 1; last == len(fulcio) && extension.Id[:last].Equal(fulcio) {
			values[extension.Id[last]] = string(extension.Value)
		}
	}
	return values
}

// certificateRequest is one to Fulcio's API, as a client makes it.
type certificateRequest struct {
	token   string
	subject string // whose name is signed as the proof of possession
	forge   bool   // the proof is of another key
}

// post sends the request, and returns the status and the answer.
func (r certificateRequest) post(ctx context.Context, url string) (int, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, nil, err
	}
	signer := key
	if r.forge {
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return 0, nil, err
		}
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return 0, nil, err
	}
	digest := sha256.Sum256([]byte(r.subject))
	proof, err := ecdsa.SignASN1(rand.Reader, signer, digest[:])
	if err != nil {
		return 0, nil, err
	}
	body, err := json.Marshal(map[string]any{"publicKeyRequest": map[string]any{
		"publicKey": map[string]string{
			"algorithm": "ECDSA",
			"content":   string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		},
		"proofOfPossession": base64.StdEncoding.EncodeToString(proof),
	}})
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v2/signingCert", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, content, err
}

// claimsOf are a token's, unverified.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// certify has Fulcio certify a key for the token.
func certify(t *testing.T, s *sandbox.Sandbox, token string) *x509.Certificate {
	t.Helper()
	claims := claimsOf(t, token)
	subject, ok := claims["email"].(string)
	if !ok {
		subject, _ = claims["sub"].(string)
	}
	status, content, err := certificateRequest{token: token, subject: subject}.post(t.Context(), s.Endpoints().Fulcio)
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusOK {
		t.Fatalf("fulcio answers %d: %s", status, content)
	}
	var answer struct {
		SignedCertificateEmbeddedSct struct {
			Chain struct{ Certificates []string }
		}
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		t.Fatal(err)
	}
	chain := answer.SignedCertificateEmbeddedSct.Chain.Certificates
	if len(chain) != 3 {
		t.Fatalf("the chain has %d certificates, want leaf, intermediate and root", len(chain))
	}
	block, _ := pem.Decode([]byte(chain[0]))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// Fulcio refuses a token that has one thing wrong.
func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	s := startWitness(t)
	const sub = "repo:acme/app:ref:refs/heads/main"
	const alice = "alice@example.com"
	past := fmt.Sprint(time.Now().Add(-time.Minute).Unix())
	future := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	claim := func(name, value string) sandbox.TokenRequest {
		return sandbox.TokenRequest{Kind: sandbox.GitHub, Claims: map[string]string{name: value}}
	}
	email := func(name, value string) sandbox.TokenRequest {
		return sandbox.TokenRequest{Kind: sandbox.Email, Claims: map[string]string{name: value}}
	}
	for name, row := range map[string]struct {
		request sandbox.TokenRequest
		subject string
		refused string // a part of the answer; empty if the token is taken
	}{
		"taken":                        {sandbox.TokenRequest{Kind: sandbox.GitHub}, sub, ""},
		"other audience":               {sandbox.TokenRequest{Kind: sandbox.GitHub, Audience: "nobody"}, sub, "identity token"},
		"expired":                      {claim("exp", past), sub, "identity token"},
		"lifetime":                     {sandbox.TokenRequest{Kind: sandbox.GitHub, Lifetime: sandbox.Duration(-time.Minute)}, sub, "identity token"},
		"not valid yet":                {claim("nbf", future), sub, "identity token"},
		"unknown issuer":               {claim("iss", "https://token.actions.example.com"), sub, "identity token"},
		"e-mail issuer":                {claim("iss", s.Endpoints().Issuer), sub, "identity token"},
		"issuer in deeper path":        {claim("iss", sandbox.GitHubIssuer+"/a/b"), sub, "identity token"},
		"other key":                    {sandbox.TokenRequest{Kind: sandbox.GitHub, ForeignKey: true}, sub, "identity token"},
		"without job_workflow_sha":     {sandbox.TokenRequest{Kind: sandbox.GitHub, Without: []string{"job_workflow_sha"}}, sub, "job_workflow_sha"},
		"without repository_id":        {sandbox.TokenRequest{Kind: sandbox.GitHub, Without: []string{"repository_id"}}, sub, "repository_id"},
		"possession for another":       {sandbox.TokenRequest{Kind: sandbox.GitHub}, "repo:acme/other:ref:refs/heads/main", "signature supplied"},
		"person, taken":                {sandbox.TokenRequest{Kind: sandbox.Email}, alice, ""},
		"person, other audience":       {sandbox.TokenRequest{Kind: sandbox.Email, Audience: "nobody"}, alice, "identity token"},
		"person, expired":              {email("exp", past), alice, "identity token"},
		"person, unverified":           {email("email_verified", "false"), alice, "identity token"},
		"person, no address":           {email("email", "alice"), "alice", "identity token"},
		"person, without address":      {sandbox.TokenRequest{Kind: sandbox.Email, Without: []string{"email"}}, alice, "identity token"},
		"person, without connector":    {sandbox.TokenRequest{Kind: sandbox.Email, Without: []string{"federated_claims"}}, alice, "identity token"},
		"person, GitHub's issuer":      {email("iss", sandbox.GitHubIssuer), alice, "identity token"},
		"person, Google's own issuer":  {email("iss", sandbox.GoogleIssuer), alice, "identity token"},
		"person, other key":            {sandbox.TokenRequest{Kind: sandbox.Email, ForeignKey: true}, alice, "identity token"},
		"person, possession of bob's":  {sandbox.TokenRequest{Kind: sandbox.Email}, "bob@example.com", "signature supplied"},
		"person, verified but no bool": {email("verified", "true"), alice, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := certificateRequest{token: token(t, s, row.request), subject: row.subject}
			status, content, err := request.post(t.Context(), s.Endpoints().Fulcio)
			if err != nil {
				t.Fatal(err)
			}
			switch taken := status == http.StatusOK; {
			case row.refused == "" && !taken:
				t.Errorf("fulcio answers %d: %s", status, content)
			case row.refused != "" && (status != http.StatusBadRequest || !strings.Contains(string(content), row.refused)):
				t.Errorf("fulcio answers %d: %s, want 400 and %q", status, content, row.refused)
			}
		})
	}
	for name, request := range map[string]certificateRequest{
		"no token":        {},
		"no JWT":          {token: "garbage"},
		"no JSON":         {token: "a.b.c"},
		"other key proof": {token: token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub}), subject: sub, forge: true},
	} {
		status, content, err := request.post(t.Context(), s.Endpoints().Fulcio)
		if err != nil || status != http.StatusBadRequest {
			t.Errorf("%s: fulcio answers %d: %s (%v)", name, status, content, err)
		}
	}
}

// Fulcio tells whom it trusts, and who it is.
func TestFulcioDocuments(t *testing.T) {
	t.Parallel()
	s := startWitness(t)
	for path, want := range map[string]string{
		"/api/v2/configuration": `"issuerUrl":"https://token.actions.githubusercontent.com"`,
		"/api/v2/trustBundle":   `BEGIN CERTIFICATE`,
	} {
		status, content := get(t, s.Endpoints().Fulcio+path)
		if status != http.StatusOK || !strings.Contains(strings.ReplaceAll(content, " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%s: %d %s, want %s", path, status, content, want)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// Fifty sign at once, each with another identity.
func TestParallel(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	var signers errgroup.Group
	for i := range 50 {
		signers.Go(func() error {
			request, san, issuer := sandbox.TokenRequest{Kind: sandbox.GitHub}, workflow, sandbox.GitHubIssuer
			if i%2 == 1 {
				san, issuer = fmt.Sprintf("person%d@example.com", i), sandbox.OAuthIssuer
				request = sandbox.TokenRequest{Kind: sandbox.Email, Email: san, Issuer: issuer}
			}
			token, err := s.Token(request)
			if err != nil {
				return err
			}
			bundle, err := roundtrip.Sign(t.Context(), roundtrip.Request{
				SigningConfig: s.SigningConfig(), Token: token, RekorVersion: uint32(i%4/2 + 1),
			})
			if err != nil {
				return err
			}
			_, err = roundtrip.Verify(s.TrustedRoot(), bundle, san, issuer)
			return err
		})
	}
	if err := signers.Wait(); err != nil {
		t.Error(err)
	}
}

// A start takes less than half a second, and several sandboxes do not meet.
func TestReady(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	fastest := time.Hour
	for range 5 {
		started := time.Now()
		s := start(t, sandbox.Config{})
		if status, _ := get(t, s.Endpoints().Fulcio+"/api/v2/trustBundle"); status != http.StatusOK {
			t.Errorf("fulcio answers %d", status)
		}
		fastest = min(fastest, time.Since(started))
		seen[string(s.TrustedRoot())] = true
	}
	if fastest > 500*time.Millisecond {
		t.Errorf("ready after %v, want less than half a second", fastest)
	}
	if len(seen) != 5 {
		t.Errorf("%d trusted roots, want 5", len(seen))
	}
}

// After Close nobody answers, and Close can be called again.
func TestClose(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	if err := s.SetFault(sandbox.Fault{Service: "tsa", Mode: "slow"}); err != nil {
		t.Fatal(err)
	}
	// A port that is free again may be another sandbox's at once, so that what tells
	// is a connection that was open.
	open := map[string]net.Conn{}
	for name, address := range map[string]string{
		"fulcio": s.Endpoints().Fulcio, "ctlog": s.Endpoints().CTLog, "rekor v1": s.Endpoints().RekorV1,
		"rekor v2": s.Endpoints().RekorV2, "tsa": s.Endpoints().TSA, "github": s.Endpoints().GitHub,
		"issuer": s.Endpoints().Issuer, "control": s.Endpoints().Control,
	} {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if open[name], err = net.Dial("tcp", parsed.Host); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = open[name].Close() })
	}
	waiting := make(chan error, 1)
	go func() {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, s.Endpoints().TSA+"/certchain", nil)
		if err == nil {
			var response *http.Response
			if response, err = http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
		}
		waiting <- err
	}()
	time.Sleep(20 * time.Millisecond)
	started := time.Now()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
	<-waiting
	for name, connection := range open {
		_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := connection.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s keeps its connection: %v", name, err)
		}
	}
}

// The claims of a GitHub token follow from each other, in either form of sub.
func TestGitHubClaims(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		config sandbox.Config
		want   map[string]any
	}{
		"default": {sandbox.Config{}, map[string]any{
			"aud": "sigstore", "iss": sandbox.GitHubIssuer, "repository": "acme/app", "repository_owner": "acme",
			"ref_type": "branch", "event_name": "push", "base_ref": "", "ref_protected": "true",
			"sub":              "repo:acme/app:ref:refs/heads/main",
			"workflow_ref":     "acme/app/.github/workflows/release.yml@refs/heads/main",
			"job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
		}},
		"immutable": {sandbox.Config{ImmutableSubject: true}, map[string]any{
			"sub": "repo:acme@98120477/app@728493015:ref:refs/heads/main",
		}},
		"tag": {sandbox.Config{Claims: map[string]string{"repository": "o/r", "ref": "refs/tags/v1", "sha": "0"}}, map[string]any{
			"ref_type": "tag", "repository_owner": "o", "workflow_sha": "0", "job_workflow_sha": "0",
			"sub": "repo:o/r:ref:refs/tags/v1", "workflow_ref": "o/r/.github/workflows/release.yml@refs/tags/v1",
		}},
		"pull request": {sandbox.Config{Claims: map[string]string{"event_name": "pull_request"}}, map[string]any{
			"sub": "repo:acme/app:pull_request",
		}},
		"environment": {sandbox.Config{Claims: map[string]string{"environment": "prod", "event_name": "pull_request"}}, map[string]any{
			"sub": "repo:acme/app:environment:prod", "environment": "prod",
		}},
		"as they are": {sandbox.Config{Claims: map[string]string{
			"sub": "s", "workflow_ref": "w", "repository_owner": "o", "repo_property_tier": "one", "exp": "4102444800",
		}}, map[string]any{
			"sub": "s", "workflow_ref": "w", "job_workflow_ref": "w", "repository_owner": "o", "repo_property_tier": "one",
			"exp": float64(4102444800),
		}},
		"without": {sandbox.Config{Without: []string{"run_id", "sub"}}, map[string]any{"run_id": nil, "sub": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims := claimsOf(t, token(t, start(t, row.config), sandbox.TokenRequest{Kind: sandbox.GitHub}))
			got := make(map[string]any)
			for name := range row.want {
				got[name] = claims[name]
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
	names := maps.Collect(func(yield func(string, bool) bool) {
		for _, name := range sandbox.ClaimNames() {
			if !yield(name, true) {
				return
			}
		}
	})
	for name := range claimsOf(t, token(t, start(t, sandbox.Config{}), sandbox.TokenRequest{Kind: sandbox.GitHub})) {
		if !names[name] {
			t.Errorf("claim %s cannot be set", name)
		}
	}
	for _, config := range []sandbox.Config{
		{Claims: map[string]string{"repostory": "o/r"}}, {Without: []string{"repostory"}},
	} {
		if _, err := sandbox.Start(config); err == nil {
			t.Errorf("%v: a claim that nobody has is taken", config)
		}
	}
}
