package provenance

import (
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// payload is a token's payload with the claims changed; a nil value takes one away.
func payload(t testing.TB, change map[string]any) []byte {
	t.Helper()
	claims := map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "aud": "sigstore", "sub": "repo:acme/app:ref:refs/heads/main",
		"exp": 1767225900, "iat": 1767225600, "nbf": 1767225000, "jti": "x",
		"ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "true", "base_ref": "", "head_ref": "",
		"sha": commit, "repository": "acme/app", "repository_owner": "acme", "event_name": "push",
		"job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main", "job_workflow_sha": commit,
		"workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main", "workflow_sha": commit, "workflow": "release",
		"repository_id": "728493015", "repository_owner_id": "98120477", "repository_visibility": "public",
		"runner_environment": "github-hosted", "run_id": "8373487125", "run_attempt": "1", "run_number": "42", "actor": "alice", "actor_id": "1847302",
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return []byte(encode(t, claims))
}

func claims(t testing.TB, change map[string]any) Claims {
	t.Helper()
	c, err := ParseClaims(payload(t, change))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseClaims(t *testing.T) {
	t.Parallel()
	got := claims(t, nil)
	want := Claims{
		Issuer: "https://token.actions.githubusercontent.com", Ref: "refs/heads/main", SHA: commit, Repository: "acme/app", EventName: "push",
		JobWorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main", WorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main",
		RepositoryID: "728493015", OwnerID: "98120477", RunnerEnvironment: "github-hosted", RunID: "8373487125", RunAttempt: "1",
		Owner: "acme", Visibility: "public", JobWorkflowSHA: commit, WorkflowSHA: commit, WorkflowName: "release", ActorID: "1847302",
		Audience: identity.Audience{"sigstore"}, Expires: identity.NumericDate{Time: time.Date(2026, 1, 1, 0, 5, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if several := claims(t, map[string]any{"aud": []string{"a", "b"}}); !cmp.Equal(several.Audience, identity.Audience{"a", "b"}) {
		t.Errorf("audiences are %q", several.Audience)
	}
	for visibility, public := range map[any]bool{"public": true, "private": false, "internal": false, "Public": false, "": false, nil: false} {
		if c := claims(t, map[string]any{"repository_visibility": visibility}); c.Public() != public {
			t.Errorf("a repository whose visibility is %v: public is %t", visibility, c.Public())
		}
	}
}

// TestSubIsNotParsed has subjects in every form, none of which changes anything.
func TestSubIsNotParsed(t *testing.T) {
	t.Parallel()
	want := claims(t, nil)
	for _, sub := range []any{nil, "", "repo:evil/app:ref:refs/heads/main", "repo:acme@98120477/app@728493015:ref:refs/heads/main", "repository_id:1", "\n", 7, []string{"x"}} {
		if diff := cmp.Diff(want, claims(t, map[string]any{"sub": sub})); diff != "" {
			t.Errorf("sub %v (-want +got):\n%s", sub, diff)
		}
	}
}

// TestClaimsRefused breaks one thing in each row.
func TestClaimsRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxClaimBytes+1)
	for _, name := range []string{"iss", "ref", "sha", "repository", "event_name", "job_workflow_ref", "workflow_ref", "repository_id", "repository_owner_id", "runner_environment", "run_id", "run_attempt"} {
		for what, value := range map[string]any{"missing": nil, "empty": "", "a number": 1, "a list": []string{"x"}, "an object": map[string]any{}, "long": long, "of two lines": "a\nb"} {
			_, err := ParseClaims(payload(t, map[string]any{name: value}))
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
	}
	for name, values := range map[string][]any{
		"sha":                   {"main", commit[:39], strings.ToUpper(commit), strings.Repeat("0", 40), "sha256:" + commit},
		"job_workflow_sha":      {"x", 1},
		"workflow_sha":          {"x"},
		"repository":            {"app", "acme/", "/app", "acme/app/x", "acme/..", "../app", "acme/app@main", "acme/a pp", "https://github.com/acme/app", "acme/app?x"},
		"ref":                   {"main", "heads/main", "/refs/heads/main"},
		"repository_id":         {"0x1", "-1", "1 ", "acme"},
		"run_id":                {"1/attempts/2"},
		"run_attempt":           {"1?x"},
		"actor_id":              {"alice"},
		"workflow_ref":          {"x", "acme/app", "acme/app/x.yml", "acme/app/x.yml@", "acme@x/app/x.yml"},
		"job_workflow_ref":      {"release.yml@refs/heads/main"},
		"repository_visibility": {"pub\x00lic", true},
		"aud":                   {1, []any{1}, map[string]any{}},
		"exp":                   {"soon", 0, "1"},
	} {
		for _, value := range values {
			if c, err := ParseClaims(payload(t, map[string]any{name: value})); err == nil {
				t.Errorf("%s is %v: read as %+v", name, value, c)
			}
		}
	}
	whole := string(payload(t, nil))
	for what, data := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "an empty object": "{}", "two objects": whole + whole, "cut": whole[:len(whole)-1],
		"a claim twice":           `{"ref":"refs/heads/evil",` + whole[1:],
		"a claim unknown, twice":  `{"x":1,"x":1,` + whole[1:],
		"a member twice, within":  `{"x":{"y":1,"y":2},` + whole[1:],
		"text that is not UTF-8":  `{"x":"` + "\xff" + `",` + whole[1:],
		"more than 64 KiB":        `{"x":"` + strings.Repeat("a", identity.MaxTokenBytes) + `",` + whole[1:],
		"a claim in other letter": strings.Replace(whole, `"ref"`, `"Ref"`, 1),
	} {
		if c, err := ParseClaims([]byte(data)); err == nil {
			t.Errorf("%s: read as %+v", what, c)
		}
	}
}

func TestServerURL(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://token.actions.githubusercontent.com":           "https://github.com",
		"https://token.actions.githubusercontent.com/acme-corp": "https://github.com",
		"https://token.actions.acme.ghe.com":                    "https://acme.ghe.com",
		"https://token.actions.acme.ghe.com/slug":               "https://acme.ghe.com",
		"https://github.example.com/_services/token":            "https://github.example.com",
		"https://github.example.com:8443/_services/token":       "https://github.example.com:8443",

		"": "", "token.actions.githubusercontent.com": "", "http://token.actions.githubusercontent.com": "",
		"https://token.actions.githubusercontent.com/": "", "https://token.actions.githubusercontent.com/a/b": "", "https://token.actions.githubusercontent.com/..": "",
		"https://token.actions.githubusercontent.com.evil.example": "", "https://token.actions.githubusercontent.com@evil.example": "",
		"https://token.actions.githubusercontent.com?x": "", "https://token.actions.githubusercontent.com?": "", "https://token.actions.githubusercontent.com#x": "",
		"https://TOKEN.actions.githubusercontent.com": "", "https://token.actions.ghe.com": "", "https://token.actions..ghe.com": "", "https://token.actions.a.b.ghe.com": "",
		"https://evil.example": "", "https://evil.example/token.actions.githubusercontent.com": "", "https://evil.example/_services/token/x": "", "https://evil.example/_services/token?x": "",
		"https://x@evil.example/_services/token": "", "https:///_services/token": "", "https://token.actions.githubusercontent.com/%61": "", "https://accounts.google.com": "",
	} {
		c := Claims{Issuer: issuer}
		if got, err := c.ServerURL(); got != want || (err == nil) != (want != "") {
			t.Errorf("issuer %q: got %q, %v; expected %q", issuer, got, err, want)
		}
	}
}

func TestReadClaims(t *testing.T) {
	t.Parallel()
	body := base64.RawURLEncoding.EncodeToString(payload(t, nil))
	got, err := ReadClaims(identity.NewToken("header." + body + ".signature"))
	if diff := cmp.Diff(claims(t, nil), got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for what, token := range map[string]string{
		"nothing": "", "no dots": "secret", "two parts": "secret." + body, "four parts": "secret." + body + ".secret.x", "padded": "secret." + body + "=.secret",
		"not base64": "secret.se cret.secret", "no claims": "secret..secret", "huge": "secret." + strings.Repeat("a", identity.MaxTokenBytes) + ".secret",
	} {
		_, err := ReadClaims(identity.NewToken(token))
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), body) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func signer(id attestationtest.Identity) identity.Signer {
	s := identity.Signer{Issuer: id.Issuer, SAN: id.URI, SANKind: identity.URI, Extensions: identity.Extensions{identity.Issuer: id.Issuer}}
	for name, value := range id.Extensions {
		s.Extensions[identity.Extension(name)] = value
	}
	return s
}

func TestCheckCertificate(t *testing.T) {
	t.Parallel()
	c := claims(t, nil)
	if err := c.CheckCertificate(signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))); err != nil {
		t.Error(err)
	}
	// An instance that does not write the older extensions.
	bare := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
	for _, older := range c.older() {
		delete(bare.Extensions, older.extension)
	}
	if err := c.CheckCertificate(bare); err != nil {
		t.Error(err)
	}
	// A token without visibility, and a certificate without it.
	silent := claims(t, map[string]any{"repository_visibility": nil})
	delete(bare.Extensions, identity.SourceRepositoryVisibilityAtSigning)
	if err := silent.CheckCertificate(bare); err != nil {
		t.Error(err)
	}
}

// TestCertificateMismatch changes, or takes away, one value of a certificate in
// each row, and names what must be told.
func TestCertificateMismatch(t *testing.T) {
	t.Parallel()
	c := claims(t, nil)
	refused := func(what string, s identity.Signer, words ...string) {
		t.Helper()
		err := c.CheckCertificate(s)
		mismatch, ok := errors.AsType[*MismatchError](err)
		if !ok || len(mismatch.Mismatches) != 1 {
			t.Errorf("%s: got %v, expected one mismatch", what, err)
			return
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v does not say %q", what, err, word)
			}
		}
	}
	server, err := c.ServerURL()
	if err != nil {
		t.Fatal(err)
	}
	rows := c.certified(server)
	if len(rows) != 22-8+1 {
		t.Fatalf("%d extensions, expected .8 to .22", len(rows))
	}
	for i, row := range append(rows, c.older()...) {
		claim, _, _ := strings.Cut(row.claim, " ")
		changed := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
		changed.Extensions[row.extension] = "another"
		refused("another "+string(row.extension), changed, "claim "+claim, string(row.extension), "another")
		if i < len(rows) {
			absent := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
			delete(absent.Extensions, row.extension)
			refused("no "+string(row.extension), absent, "claim "+claim, string(row.extension), `has ""`)
		}
	}
	san := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
	san.SAN = "https://github.com/acme/app/.github/workflows/other.yml@refs/heads/main"
	refused("another SAN", san, "SAN", "other.yml")
	kind := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
	kind.SANKind = identity.Email
	refused("a SAN of another kind", kind, "SAN")
	issuer := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
	issuer.Issuer = "https://evil.example"
	refused("another issuer", issuer, "iss", "evil")
	if err := c.CheckCertificate(identity.Signer{}); err == nil {
		t.Error("nobody's certificate is taken")
	}
	silent := claims(t, map[string]any{"repository_visibility": nil})
	if err := silent.CheckCertificate(signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))); err == nil {
		t.Error("a certificate that says more than the token is taken")
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add(payload(f, nil))
	f.Add(payload(f, map[string]any{"iss": "https://h/_services/token", "ref": "refs/tags/v@1", "workflow_ref": "acme/app/a@b.yml@refs/tags/v@1"}))
	f.Add([]byte(`{"iss":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseClaims(data)
		if err != nil {
			return
		}
		if _, err := c.ServerURL(); err != nil {
			t.Fatalf("%s has no server: %v", data, err)
		}
		predicate, err := Build(Job{Claims: c, BuildType: GitHubWorkflow})
		if err != nil {
			return // a workflow of another repository
		}
		facts, err := Read(V1, predicate)
		if err != nil || facts.Trigger != c.EventName || facts.Workflow.Ref != c.Ref || len(facts.Materials) != 1 || facts.Materials[0].Digest["gitCommit"] != c.SHA {
			t.Fatalf("%s gives %s, read as %+v (%v)", data, predicate, facts, err)
		}
	})
}

// TestCheckRealCertificate reads the certificate as it is issued, DER and all.
func TestCheckRealCertificate(t *testing.T) {
	t.Parallel()
	sigstore, err := attestationtest.New(attestationtest.PublicGood())
	if err != nil {
		t.Fatal(err)
	}
	for environment, change := range map[string]map[string]any{
		"":     nil,
		"prod": {"environment": "prod", "job_workflow_ref": "acme/builder/.github/workflows/build.yml@refs/tags/v1", "run_attempt": "3"},
	} {
		c := claims(t, change)
		certificate, err := sigstore.Certify(attestationtest.CertifyRequest{Identity: attestationtest.Workflow(attestationtest.WorkflowClaims{
			Environment: environment, JobWorkflowRef: c.JobWorkflowRef, RunAttempt: c.RunAttempt,
		})})
		if err != nil {
			t.Fatal(err)
		}
		s, err := identity.FromCertificate(certificate.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckCertificate(s); err != nil {
			t.Error(err)
		}
		c.Environment = "staging"
		if err := c.CheckCertificate(s); (err != nil) != (environment != "") {
			t.Errorf("another environment than %q: %v", environment, err)
		}
	}
}
