package github_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/githubtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// stranger is a client of a server that is no GitHub.
func (w *world) stranger(t *testing.T, answer http.HandlerFunc) *github.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w.client(t, identity.NewToken(secret))
}

// TestEachStatus has GitHub refuse in each way, and holds what is said then.
func TestEachStatus(t *testing.T) {
	t.Parallel()
	const (
		store     = "next: add this line to the job in the workflow, and to the one that calls it:  permissions: {attestations: write, id-token: write, contents: read}"
		elsewhere = "next: store elsewhere: --store file, release or oci"
		later     = "next: run it again later, and see https://www.githubstatus.com"
	)
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for name, row := range map[string]struct {
		status   int
		header   http.Header
		body     string
		attempts int
		waits    []time.Duration // at least
		words    []string
	}{
		"401": {401, nil, githubtest.Refusal(401, "Bad credentials"), 1, nil, []string{`401 Unauthorized: "Bad credentials"`, "next: give another token"}},
		"403 without permission": {403, header("X-Accepted-GitHub-Permissions", "attestations=write"), githubtest.Refusal(403, "Resource not accessible by integration"), 1, nil,
			[]string{`403 Forbidden: "Resource not accessible by integration" (it takes the permissions attestations=write)`, store}},
		"403 of a person's token": {403, nil, githubtest.Refusal(403, "Resource not accessible by personal access token"), 1, nil,
			[]string{"next: give the token the repository permission attestations: write, or use that of a job with  permissions: {attestations: write, id-token: write, contents: read}"}},
		"403 of single sign-on": {403, nil, githubtest.Refusal(403, "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization."), 1, nil,
			[]string{"next: authorise the token for the organisation's single sign-on"}},
		"403 of the plan": {403, nil, githubtest.Refusal(403, "Feature not available for the acme organization. To enable this feature, please upgrade the billing plan, or make this repository public."), 1, nil,
			[]string{"please upgrade the billing plan", "next: attestations of private repositories need GitHub Enterprise Cloud; store elsewhere: --store file, release or oci"}},
		"403 of the primary rate limit": {403, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1700000020", "Date", "Tue, 14 Nov 2023 22:13:30 GMT"), githubtest.Refusal(403, "API rate limit exceeded for installation ID 1."), 6,
			slices.Repeat([]time.Duration{10 * time.Second}, 5), []string{"API rate limit exceeded", "(6 attempts)", later}},
		"403 with no end in sight": {403, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1700003600", "Date", "Tue, 14 Nov 2023 22:13:20 GMT"), githubtest.Refusal(403, "API rate limit exceeded for installation ID 1."), 1, nil,
			[]string{"API rate limit exceeded", "next: run it again in 1h0m0s, which is what GitHub asks for"}},
		"403 of the secondary rate limit": {403, header("Retry-After", "30"), githubtest.Refusal(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."), 3,
			slices.Repeat([]time.Duration{30 * time.Second}, 2), []string{"secondary rate limit", "(3 attempts)", later}},
		"403 of the secondary rate limit, untimed": {403, nil, githubtest.Refusal(403, "You have exceeded a secondary rate limit."), 2, []time.Duration{time.Minute}, []string{"secondary rate limit"}},
		"404":              {404, nil, githubtest.Refusal(404, "Not Found"), 1, nil, []string{"404 Not Found", "next: check the name, and that the token may see it", "permissions: {attestations: write, id-token: write, contents: read}"}},
		"409":              {409, nil, githubtest.Refusal(409, "Conflict"), 1, nil, []string{"409 Conflict; next: ", elsewhere}},
		"413":              {413, nil, githubtest.Refusal(413, "Payload too big"), 1, nil, []string{"413 Request Entity Too Large", "next: attest fewer subjects at a time"}},
		"422":              {422, nil, githubtest.Refusal(422, "Invalid Argument - values do not match: https://github.com/acme/app != https://acme.ghe.com/acme/app"), 1, nil, []string{"422 Unprocessable Entity", "values do not match", elsewhere}},
		"422 with fields":  {422, nil, githubtest.Refusal(422, "Validation Failed", map[string]string{"code": "invalid", "field": "bundle", "message": "is odd"}), 1, nil, []string{`"Validation Failed; bundle invalid is odd"`}},
		"429":              {429, header("Retry-After", "3"), githubtest.Refusal(429, "Too many requests"), 6, slices.Repeat([]time.Duration{3 * time.Second}, 5), []string{"429 Too Many Requests", "(6 attempts)", later}},
		"429 for long":     {429, header("Retry-After", "600"), githubtest.Refusal(429, "Too many requests"), 1, nil, []string{"next: run it again in 10m0s"}},
		"429 until a date": {429, header("Retry-After", "Tue, 14 Nov 2023 22:13:24 GMT", "Date", "Tue, 14 Nov 2023 22:13:20 GMT"), githubtest.Refusal(429, "Too many requests"), 6, slices.Repeat([]time.Duration{4 * time.Second}, 5), []string{"429"}},
		"500":              {500, nil, githubtest.Refusal(500, "Server Error"), 6, nil, []string{`500 Internal Server Error (6 attempts): "Server Error"`, later}},
		"502":              {502, nil, "<html>Unicorn!</html>", 6, nil, []string{"502 Bad Gateway (6 attempts)", later}},
		"503":              {503, header("Retry-After", "1"), "", 6, slices.Repeat([]time.Duration{time.Second}, 5), []string{"503 Service Unavailable (6 attempts)"}},
		"501":              {501, nil, "", 1, nil, []string{"501 Not Implemented"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, writes())
			w.Fail(githubtest.Fault{Method: http.MethodPost, Status: row.status, Header: row.header, Body: row.body})
			_, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(1))
			says(t, err, append(row.words, "storing an attestation of acme/app: 127.0.0.1:")...)
			if status(err) != row.status {
				t.Errorf("its status is %d", status(err))
			}
			if n := w.count(http.MethodPost, "/attestations"); n != row.attempts {
				t.Errorf("%d attempts, expected %d", n, row.attempts)
			}
			for i, wait := range row.waits {
				if i < len(w.waits) && (w.waits[i] < wait || w.waits[i] > wait+15*time.Second) {
					t.Errorf("it waits %v, expected %v and a little", w.waits[i], wait)
				}
			}
			if len(w.again) != row.attempts-1 {
				t.Errorf("it told of %d waits", len(w.again))
			}
		})
	}
}

// TestEnterpriseServer: what it does not have is not found there.
func TestEnterpriseServer(t *testing.T) {
	t.Parallel()
	client, err := github.Open(github.Options{Server: "https://ghes.example", Token: identity.NewToken(secret), HTTP: &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
		answer := httptest.NewRecorder()
		answer.WriteHeader(http.StatusNotFound)
		return answer.Result(), nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PutAttestation(t.Context(), acme(), digest, bundleOf(1))
	says(t, err, "ghes.example answers 404 Not Found", "next: check the name; and ghes.example may keep no attestations", "store elsewhere: --store file, release or oci")
}

// TestThenItWorks: what passes is waited for.
func TestThenItWorks(t *testing.T) {
	t.Parallel()
	for _, code := range []int{429, 500, 502, 503, 504} {
		w := open(t, writes())
		w.Fail(githubtest.Fault{Method: http.MethodPost, Times: 3, Status: code, Body: githubtest.Refusal(code, "not now")})
		if _, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(1)); code == 429 {
			says(t, err, "429") // a minute each, and no more than a minute and a half
		} else if err != nil || len(w.repository.Attestations[digest]) != 1 || len(w.waits) != 3 {
			t.Errorf("%d: %v after %v", code, err, w.waits)
		}
	}
	w := open(t, writes())
	w.Fail(githubtest.Fault{Method: http.MethodPost, Times: 1, Status: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10)}}, Body: githubtest.Refusal(403, "API rate limit exceeded")})
	if _, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(1)); err != nil {
		t.Error(err) // the library refuses by a clock of its own, if it is let
	}
}

// TestWithoutToken says what a token would need.
func TestWithoutToken(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	_, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(1))
	says(t, err, `401 Unauthorized: "Requires authentication"`, "next: give a token in GITHUB_TOKEN, in a workflow with  permissions: {attestations: write, id-token: write, contents: read}")
	w.Fail(githubtest.Fault{Status: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1700000000"}}, Body: githubtest.Refusal(403, "API rate limit exceeded for 192.0.2.1.")})
	_, err = w.Client.Attestations(t.Context(), acme(), digest, "")
	says(t, err, "rate limit exceeded", "next: give a token in GITHUB_TOKEN, whose rate limit is higher")
}

// TestNobodyAnswers: no GitHub is there, or it goes away.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	client := w.stranger(t, func(rw http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	_, err := client.Attestations(t.Context(), acme(), digest, "")
	says(t, err, "asking 127.0.0.1:", "(6 attempts)", "next: run it again later")
	for name, row := range map[string]struct {
		err      error
		attempts int
	}{
		"no such host": {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "api.github.com", IsNotFound: true}}, 3},
		"refused":      {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, 6},
	} {
		n := 0
		client, err := github.Open(github.Options{HTTP: &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) { n++; return nil, row.err })}, Pause: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Attestations(t.Context(), acme(), digest, "")
		says(t, err, "asking api.github.com: dial", "next: check the network, the name server and HTTPS_PROXY; or name the bundles you have with --bundle")
		if n != row.attempts {
			t.Errorf("%s: %d attempts, expected %d", name, n, row.attempts)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Client.Attestations(ctx, acme(), digest, "")
	says(t, err, "interrupted", "next: run it again")
}

// TestRedirects follow a renamed repository with the token, and nobody else with it.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	var api, other *httptest.Server
	serve := func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		next := map[string]string{"/repos/acme/app/attestations/" + digest: "/renamed", "/renamed": other.URL + "/elsewhere", "/elsewhere": api.URL + "/back", "/back": "/home"}[r.URL.Path]
		if next == "" {
			_, _ = rw.Write([]byte(`{"attestations":[]}`))
			return
		}
		http.Redirect(rw, r, next, http.StatusFound)
	}
	api, other = httptest.NewServer(http.HandlerFunc(serve)), httptest.NewServer(http.HandlerFunc(serve))
	t.Cleanup(api.Close)
	t.Cleanup(other.Close)
	w := open(t, nil)
	w.URL = api.URL
	if _, err := w.client(t, identity.NewToken(secret)).Attestations(t.Context(), acme(), digest, ""); err != nil {
		t.Fatal(err)
	}
	want := []string{"/repos/acme/app/attestations/" + digest + " Bearer " + secret, "/renamed Bearer " + secret, "/elsewhere ", "/back ", "/home "}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}

// TestRecordedErrors replays what GitHub answered once: its words are read.
func TestRecordedErrors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.FromSlash(githubtest.Corpus + "/octokit-fixtures/errors.raw-fixture.json"))
	if err != nil {
		t.Skipf("the recordings are not beside the clone: %v", err)
	}
	var exchanges []struct {
		Status   int             `json:"status"`
		Response json.RawMessage `json:"response"`
		Headers  json.RawMessage `json:"headers"`
	}
	if err := json.Unmarshal(data, &exchanges); err != nil {
		t.Fatal(err)
	}
	replayed := 0
	for _, x := range exchanges {
		if x.Status < 400 {
			continue
		}
		replayed++
		var said struct {
			Message string
			Errors  []struct{ Code, Field string }
		}
		if err := json.Unmarshal(x.Response, &said); err != nil {
			t.Fatal(err)
		}
		w := open(t, writes())
		client := w.stranger(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(x.Status)
			_, _ = rw.Write(x.Response)
		})
		_, err := client.Attestations(t.Context(), acme(), digest, "")
		says(t, err, strconv.Itoa(x.Status), said.Message)
		for _, e := range said.Errors {
			says(t, err, e.Field+" "+e.Code)
		}
	}
	if replayed == 0 {
		t.Error("the recording has no errors")
	}
}

// TestWhichGitHub derives addresses as GitHub's variables have them, and takes none that
// would show the token.
func TestWhichGitHub(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ server, api, want string }{
		{"", "", "api.github.com"}, {"https://github.com", "", "api.github.com"}, {"https://acme.ghe.com", "", "api.acme.ghe.com"},
		{"https://ghes.example", "", "ghes.example"}, {"https://ghes.example", "https://ghes.example/api/v3", "ghes.example"}, {"", "https://api.acme.ghe.com/", "api.acme.ghe.com"},
	} {
		var asked string
		client, err := github.Open(github.Options{Server: row.server, API: row.api, HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			asked = r.URL.String()
			return nil, context.Canceled
		})}, Pause: func(context.Context, time.Duration) error { return context.Canceled }})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = client.Attestations(t.Context(), acme(), digest, "")
		path := "/repos/acme/app/attestations/" + digest
		if row.want == "ghes.example" {
			path = "/api/v3" + path
		}
		if want := "https://" + row.want + path; !strings.HasPrefix(asked, want) {
			t.Errorf("%+v: asked %s, expected %s", row, asked, want)
		}
	}
	for _, bad := range []string{"http://github.com", "http://10.0.0.1/api", "ftp://x", "https://", "https://a:b@ghes.example", "https://x?y=z", "nowhere", "::"} {
		_, err := github.Open(github.Options{API: bad, HTTP: &http.Client{}})
		says(t, err, "reading GITHUB_API_URL: it is no https URL")
		_, err = github.Open(github.Options{Server: bad, HTTP: &http.Client{}})
		says(t, err, "reading GITHUB_SERVER_URL: it is no https URL")
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestParseRepository(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, server, want string }{
		{"acme/app", "", "acme/app"}, {"github.com/acme/app", "", "acme/app"}, {"https://github.com/acme/app.git", "", "acme/app"},
		{"git+https://github.com/acme/app", "", "acme/app"}, {"Acme-1/a.p_p", "", "Acme-1/a.p_p"}, {"ghes.example/acme/app", "https://ghes.example", "acme/app"},
		{"GitHub.com/acme/app", "", "acme/app"}, {"some_user/app", "", "some_user/app"},
		{"", "", ""}, {"acme", "", ""}, {"acme/", "", ""}, {"/app", "", ""}, {"a/b/c", "", ""}, {"gitlab.com/acme/app", "", ""}, {"https://gitlab.com/acme/app", "", ""},
		{"acme/..", "", ""}, {"./app", "", ""}, {"acme/app/pulls", "", ""}, {"ac me/app", "", ""}, {"acme/app?x", "", ""}, {"acme/app%2f", "", ""}, {"acme/" + strings.Repeat("x", 101), "", ""},
		{"http://github.com/acme/app", "", ""}, {"github.com/acme/app", "https://ghes.example", ""}, {"acme/app", "http://ghes.example", ""},
	} {
		r, err := github.ParseRepository(row.text, row.server)
		if (row.want == "") != (err != nil) || err == nil && r.String() != row.want {
			t.Errorf("%q at %q: got %v, %v", row.text, row.server, r, err)
		}
		if err != nil && !strings.Contains(err.Error(), "; next: ") {
			t.Errorf("%q: no next step: %v", row.text, err)
		}
	}
}
