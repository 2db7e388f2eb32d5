package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/signatus-dev/signatus/internal/sandbox/roundtrip"
)

// sign signs as the workflow, within the time.
func sign(t *testing.T, s *sandbox.Sandbox, version uint32, within time.Duration) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return roundtrip.Sign(ctx, roundtrip.Request{
		SigningConfig: s.SigningConfig(), Token: token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub}), RekorVersion: version,
	})
}

func setFault(t *testing.T, s *sandbox.Sandbox, fault sandbox.Fault) {
	t.Helper()
	if err := s.SetFault(fault); err != nil {
		t.Fatal(err)
	}
}

// Each service that a signer talks to can be down, answer with an error, or
// with garbage; and is right again when the fault has struck as often as said.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"fulcio", "rekor1", "rekor2", "tsa"} {
		for _, fault := range []sandbox.Fault{
			{Mode: "down"},
			{Mode: "garbage"},
			{Mode: "status", Status: http.StatusForbidden},
		} {
			t.Run(service+" "+fault.Mode, func(t *testing.T) {
				t.Parallel()
				s := start(t, sandbox.Config{})
				fault.Service = service
				setFault(t, s, fault)
				version := map[string]uint32{"rekor2": 2}[service]
				if version == 0 {
					version = 1
				}
				if _, err := sign(t, s, version, 2*time.Second); err == nil {
					t.Error("signed all the same")
				}
				s.ClearFaults()
				if _, err := sign(t, s, version, 30*time.Second); err != nil {
					t.Errorf("right again: %v", err)
				}
			})
		}
	}
}

// An error has its status and Retry-After, and strikes as often as it says.
func TestFaultStatus(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	chain := s.Endpoints().TSA + "/certchain"
	setFault(t, s, sandbox.Fault{Service: "tsa", Mode: "status", Status: 429, RetryAfter: 7, Times: 2})
	for i, want := range []int{429, 429, 200} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, chain, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("request %d: %s, want %d", i, response.Status, want)
		}
		if after := response.Header.Get("Retry-After"); (after == "7") != (want == 429) {
			t.Errorf("request %d: Retry-After is %q", i, after)
		}
	}
	setFault(t, s, sandbox.Fault{Service: "tsa", Mode: "status"})
	if status, _ := get(t, chain); status != 500 {
		t.Errorf("status is %d, want 500", status)
	}
	setFault(t, s, sandbox.Fault{Service: "tsa", Mode: "slow", Delay: sandbox.Duration(50 * time.Millisecond)})
	started := time.Now()
	if status, _ := get(t, chain); status != 200 || time.Since(started) < 50*time.Millisecond {
		t.Errorf("status is %d after %v", status, time.Since(started))
	}
}

// A fault of the certificate transparency log is one of Fulcio.
func TestFaultBehindFulcio(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	setFault(t, s, sandbox.Fault{Service: "ctlog", Mode: "status", Status: 403})
	request := certificateRequest{
		token:   token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub}),
		subject: "repo:acme/app:ref:refs/heads/main",
	}
	status, content, err := request.post(t.Context(), s.Endpoints().Fulcio)
	if err != nil || status != 500 || !strings.Contains(string(content), "Error entering certificate in CTL") {
		t.Errorf("fulcio answers %d: %s (%v)", status, content, err)
	}
}

// What Rekor v1 has logged, though its answer was lost or is a conflict, is
// found again; Rekor v2 has no such way.
func TestFaultConflict(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	setFault(t, s, sandbox.Fault{Service: "rekor1", Mode: "conflict", Times: 1})
	bundle, err := sign(t, s, 1, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roundtrip.Verify(s.TrustedRoot(), bundle, workflow, sandbox.GitHubIssuer); err != nil {
		t.Error(err)
	}
	setFault(t, s, sandbox.Fault{Service: "rekor1", Mode: "lost", Times: 1})
	if _, err := sign(t, s, 1, 30*time.Second); err == nil {
		t.Error("an answer that was lost is there")
	}
	// The log's own first leaf, and what both have uploaded.
	if _, content := get(t, s.Endpoints().RekorV1+"/api/v1/log"); !strings.Contains(content, `"treeSize":3`) {
		t.Errorf("the log is %s, want three leaves", content)
	}
	setFault(t, s, sandbox.Fault{Service: "rekor2", Mode: "conflict", Times: 1})
	if _, err := sign(t, s, 2, 5*time.Second); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("rekor v2: got %v", err)
	}
}

// Fulcio can certify what nobody asked for.
func TestFaultOtherCertificate(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	setFault(t, s, sandbox.Fault{Service: "fulcio", Mode: "other-key", Times: 1})
	if bundle, err := sign(t, s, 1, 5*time.Second); err == nil {
		if _, err := roundtrip.Verify(s.TrustedRoot(), bundle, workflow, sandbox.GitHubIssuer); err == nil {
			t.Error("a bundle verifies with a certificate for another key")
		}
	}

	setFault(t, s, sandbox.Fault{Service: "fulcio", Mode: "other-identity", Times: 2})
	certificate := certify(t, s, token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub}))
	if got, want := certificate.URIs[0].String(), strings.ReplaceAll(workflow, "acme", "mallory"); got != want {
		t.Errorf("certified is %s, want %s", got, want)
	}
	certificate = certify(t, s, token(t, s, sandbox.TokenRequest{Kind: sandbox.Email}))
	if got := certificate.EmailAddresses; len(got) != 1 || got[0] != "mallory@example.com" {
		t.Errorf("certified is %v, want mallory@example.com", got)
	}

	sha := strings.Repeat("e", 40)
	setFault(t, s, sandbox.Fault{Service: "fulcio", Mode: "other-identity", Times: 1, Claims: map[string]string{"sha": sha}})
	certificate = certify(t, s, token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub}))
	if got := extensions(certificate)[3]; got != sha || certificate.URIs[0].String() != workflow {
		t.Errorf("certified is %s at %s, want %s", certificate.URIs[0], got, sha)
	}
	certificate = certify(t, s, token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub}))
	if got := extensions(certificate)[3]; got == sha {
		t.Error("the fault strikes more often than it says")
	}
}

// Only what can be wrong can be set.
func TestFaultCheck(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	for _, fault := range []sandbox.Fault{
		{}, {Service: "fulcio"}, {Service: "nobody", Mode: "down"}, {Service: "fulcio", Mode: "sad"},
		{Service: "rekor1", Mode: "other-key"}, {Service: "fulcio", Mode: "pending"},
		{Service: "tsa", Mode: "status", Status: 200}, {Service: "tsa", Mode: "down", Times: -1},
	} {
		if err := s.SetFault(fault); err == nil {
			t.Errorf("%+v can be set", fault)
		}
	}
}

// A sandbox is told from outside what it is told from inside.
func TestControl(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	folder, err := s.Folder(t.TempDir(), "/src")
	if err != nil {
		t.Fatal(err)
	}
	control, err := sandbox.Connect(folder.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if control.Endpoints != s.Endpoints() {
		t.Errorf("endpoints are %+v, want %+v", control.Endpoints, s.Endpoints())
	}
	got, err := control.Token(t.Context(), sandbox.TokenRequest{Kind: sandbox.Email, Email: "bob@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if claims := claimsOf(t, got); claims["email"] != "bob@example.com" {
		t.Errorf("claims are %v", claims)
	}
	if _, err := control.Token(t.Context(), sandbox.TokenRequest{Kind: "passport"}); err == nil {
		t.Error("a token of no kind")
	}
	fault := sandbox.Fault{Service: "tsa", Mode: "slow", Delay: sandbox.Duration(time.Second)}
	if err := control.SetFault(t.Context(), fault); err != nil {
		t.Fatal(err)
	}
	if _, list := get(t, s.Endpoints().Control+"/faults"); list != `[{"service":"tsa","mode":"slow","delay":"1s"}]` {
		t.Errorf("faults are %s", list)
	}
	if err := control.SetFault(t.Context(), sandbox.Fault{}); err == nil {
		t.Error("a fault of nothing")
	}
	if err := control.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, list := get(t, s.Endpoints().Control+"/faults"); list != "[]" {
		t.Errorf("faults are %s", list)
	}
	if err := control.LogIn(t.Context(), "carol@example.com", sandbox.OAuthIssuer); err != nil {
		t.Fatal(err)
	}
	if claims := claimsOf(t, token(t, s, sandbox.TokenRequest{Kind: sandbox.Email})); claims["email"] != "carol@example.com" {
		t.Errorf("claims are %v", claims)
	}
	if err := folder.Retire(); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.Connect(folder.Dir()); err == nil {
		t.Error("a retired folder leads to a sandbox")
	}
}

// jobToken asks as a job does.
func jobToken(t *testing.T, url, bearer string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "bearer "+bearer)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Value string }
	if err := json.Unmarshal(content, &answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.Value
}

// A job gets tokens with its bearer token, for the audience that it names, and
// with other claims at an address of its own.
func TestIDTokenEndpoint(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	e := s.Endpoints()
	status, got := jobToken(t, e.IDTokenURL+"&audience=https%3A%2F%2Fexample.com", e.IDTokenRequest)
	if claims := claimsOf(t, got); status != 200 || claims["aud"] != "https://example.com" {
		t.Errorf("%d, claims are %v", status, claims)
	}
	if _, got = jobToken(t, e.IDTokenURL, e.IDTokenRequest); claimsOf(t, got)["aud"] != "https://github.com/acme" {
		t.Errorf("the audience is %v by default", claimsOf(t, got)["aud"])
	}
	url, err := s.IDTokenURL(map[string]string{"sha": "x=y&z"}, "run_id")
	if err != nil {
		t.Fatal(err)
	}
	_, got = jobToken(t, url+"&audience=sigstore", e.IDTokenRequest)
	if claims := claimsOf(t, got); claims["sha"] != "x=y&z" || claims["run_id"] != nil {
		t.Errorf("claims are %v", claims)
	}
	if _, err := s.IDTokenURL(map[string]string{"nothing": ""}); err == nil {
		t.Error("a claim that nobody has is taken")
	}
	for _, bearer := range []string{"", "nobody's"} {
		if status, got := jobToken(t, e.IDTokenURL, bearer); status != 401 || got != "" {
			t.Errorf("bearer %q: %d, token %q", bearer, status, got)
		}
	}
	setFault(t, s, sandbox.Fault{Service: "github", Mode: "status", Status: 503, Times: 1})
	for _, want := range []int{503, 200} {
		if status, _ := jobToken(t, e.IDTokenURL, e.IDTokenRequest); status != want {
			t.Errorf("status is %d, want %d", status, want)
		}
	}
}
