package githubtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

var described = sync.OnceValues(Load)

// witness is a test that keeps what would have failed it.
type witness struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

// ask sends one request, and gives the answer.
func ask(t *testing.T, method, url, body string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	if request.Header.Get("Content-Type") == "" && body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultTransport.RoundTrip(request) // no redirect is followed
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestWhatIsNotAsDescribed: a client that asks for what GitHub does not describe fails its
// test, and so does a fault that GitHub would not answer with.
func TestWhatIsNotAsDescribed(t *testing.T) {
	t.Parallel()
	const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	token := http.Header{"Authorization": {"Bearer right"}}
	for name, row := range map[string]struct {
		method, path, body string
		header             http.Header
		fault              *Fault
		status             int
		words              string // empty where all is well
	}{
		"a list":                {method: "GET", path: "/repos/acme/app/attestations/" + digest, status: 404},
		"with a cursor":         {method: "GET", path: "/repos/acme/app/attestations/" + digest + "?per_page=100&after=x", status: 404},
		"of odd length":         {method: "GET", path: "/repos/acme/app/attestations/" + digest + "?per_page=many", status: 404, words: "the request is not as GitHub describes it"},
		"an unknown path":       {method: "GET", path: "/repos/acme/app/attestation/" + digest, status: 404, words: "no request that a client should make"},
		"an unknown method":     {method: "DELETE", path: "/repos/acme/app/attestations/" + digest, status: 404, words: "no request that a client should make"},
		"no bundle":             {method: "POST", path: "/repos/acme/app/attestations", body: `{"bundel":{}}`, header: token, status: 422, words: "the request is not as GitHub describes it"},
		"a bundle of text":      {method: "POST", path: "/repos/acme/app/attestations", body: `{"bundle":"{}"}`, header: token, status: 422, words: "the request is not as GitHub describes it"},
		"an odd bundle":         {method: "POST", path: "/repos/acme/app/attestations", body: `{"bundle":{"mediaType":1}}`, header: token, status: 422, words: "the request is not as GitHub describes it"},
		"no statement":          {method: "POST", path: "/repos/acme/app/attestations", body: `{"bundle":{}}`, header: token, status: 422},
		"no token":              {method: "POST", path: "/repos/acme/app/attestations", body: `{"bundle":{}}`, status: 401},
		"a wrong token":         {method: "GET", path: "/repos/acme/app", header: http.Header{"Authorization": {"Bearer wrong"}}, status: 401},
		"an odd refusal":        {method: "GET", path: "/repos/acme/app", fault: &Fault{Status: 403, Body: `{"message":7}`}, status: 403, words: "not as GitHub describes"},
		"a refusal in HTML":     {method: "GET", path: "/repos/acme/app", fault: &Fault{Status: 404, Body: `<html>`}, status: 404, words: "not as GitHub describes"},
		"a proxy's":             {method: "GET", path: "/repos/acme/app", fault: &Fault{Status: 502, Body: `<html>`}, status: 502},
		"an odd success":        {method: "GET", path: "/repos/acme/app", fault: &Fault{Status: 200, Body: `{}`}, status: 200, words: "the answer is not as GitHub describes it"},
		"an undescribed one":    {method: "GET", path: "/repos/acme/app", fault: &Fault{Status: 206, Body: `{}`}, status: 206, words: "GitHub describes no answer with 206"},
		"a repository":          {method: "GET", path: "/repos/acme/app", status: 200},
		"a list of odd ones":    {method: "GET", path: "/repos/acme/app/attestations/" + digest, fault: &Fault{Status: 200, Body: `{"attestations":[{"bundle":"x"}]}`}, status: 200, words: "the answer is not as GitHub describes it"},
		"releases":              {method: "GET", path: "/repos/acme/app/releases?page=1", status: 200},
		"a release":             {method: "GET", path: "/repos/acme/app/releases/tags/v1", status: 200},
		"a release of odd form": {method: "GET", path: "/repos/acme/app/releases/tags/v1", fault: &Fault{Status: 200, Body: `{"id":1}`}, status: 200, words: "the answer is not as GitHub describes it"},
		"an asset of odd form":  {method: "GET", path: "/repos/acme/app/releases/assets/1", fault: &Fault{Status: 200, Body: `{"id":1}`}, status: 200, words: "the answer is not as GitHub describes it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &witness{TB: t}
			g := New(w, described)
			r := g.Add("acme/app")
			g.Publish(r, Release{Tag: "v1", Assets: []Asset{{Name: "app", Data: []byte("x")}}})
			g.Allow("right", Permissions{"attestations": "write", "contents": "write"})
			if row.fault != nil {
				g.Fail(*row.fault)
			}
			status, text := ask(t, row.method, g.URL+row.path, row.body, row.header)
			if status != row.status {
				t.Errorf("%d, expected %d: %s", status, row.status, text)
			}
			if said := strings.Join(w.said, "\n"); (row.words == "") != (said == "") || !strings.Contains(said, row.words) {
				t.Errorf("it says %q, expected %q", said, row.words)
			}
		})
	}
}

// TestStorageRefusesTheToken: a client that sends it there fails its test.
func TestStorageRefusesTheToken(t *testing.T) {
	t.Parallel()
	w := &witness{TB: t}
	g := New(w, described)
	address := g.keep("/x", file{contentType: "text/plain", data: []byte("hello")})
	if status, text := ask(t, "GET", address, "", nil); status != 200 || text != "hello" || len(w.said) != 0 {
		t.Errorf("got %d %q, and it says %q", status, text, w.said)
	}
	if status, _ := ask(t, "GET", strings.TrimSuffix(address, "e"), "", nil); status != http.StatusForbidden {
		t.Errorf("without the signature: %d", status)
	}
	ask(t, "GET", address, "", http.Header{"Authorization": {"Bearer x"}})
	if len(w.said) != 1 || !strings.Contains(w.said[0], "the storage got the token") {
		t.Errorf("it says %q", w.said)
	}
}
