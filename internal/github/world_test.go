package github_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/githubtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// described is read once for all tests.
var described = sync.OnceValues(githubtest.Load)

const (
	secret = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
	digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

func acme() github.Repository { return github.Repository{Owner: "acme", Name: "app"} }

func released() github.Tagged { return github.Tagged{Repository: acme(), Tag: "v1.2.0"} }

// bundleOf is the form of a bundle about the digest; n tells them apart. What is signed
// is no business of this room.
func bundleOf(n int) []byte {
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":%q}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"n":%d}}`, strings.TrimPrefix(digest, "sha256:"), n)
	return fmt.Appendf(nil, `{"verificationMaterial":{"certificate":{"rawBytes":"AAAA"}},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payload":%q,"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`, base64.StdEncoding.EncodeToString([]byte(statement)))
}

// world is a GitHub and a client of it.
type world struct {
	*githubtest.GitHub
	*github.Client
	repository *githubtest.Repository
	mu         sync.Mutex
	waits      []time.Duration
	again      []string
}

// open makes a world, in which the token has the permissions; none for no token.
func open(t *testing.T, permissions githubtest.Permissions) *world {
	t.Helper()
	w := &world{GitHub: githubtest.New(t, described)}
	w.repository = w.Add("acme/app")
	var token identity.Token
	if permissions != nil {
		w.Allow(secret, permissions)
		token = identity.NewToken(secret)
	}
	w.Client = w.client(t, token)
	return w
}

func (w *world) client(t *testing.T, token identity.Token) *github.Client {
	t.Helper()
	client, err := github.Open(github.Options{
		API: w.URL, Token: token, HTTP: &http.Client{}, Agent: "signatus/v0.0.0-test", Now: time.Unix(1_700_000_000, 0),
		Pause: func(_ context.Context, wait time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waits = append(w.waits, wait)
			return nil
		},
		Again: func(e *github.Error, _ time.Duration) { w.again = append(w.again, e.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// count is how many requests there were.
func (w *world) count(method, path string) (n int) {
	for _, a := range w.GitHub.Asked() {
		if a.Method == method && strings.Contains(a.Path, path) {
			n++
		}
	}
	return n
}

func writes() githubtest.Permissions {
	return githubtest.Permissions{"attestations": "write", "contents": "write"}
}

// says demands an error with these words, and without the token.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got\n  %v\nexpected\n  %s", err, word)
		}
	}
	for _, hidden := range []string{secret, githubtest.Signature} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("it shows a secret: %v", err)
		}
	}
}

func status(err error) int {
	if failed, ok := errors.AsType[*github.Error](err); ok {
		return failed.Status
	}
	return 0
}

// tokenStaysAtHome demands that no storage has seen the token.
func (w *world) tokenStaysAtHome(t *testing.T) {
	t.Helper()
	if slices.ContainsFunc(w.GitHub.Asked(), func(a githubtest.Asked) bool { return a.Storage && a.Authorization != "" }) {
		t.Error("the storage has got the token")
	}
}
