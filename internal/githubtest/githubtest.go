// Package githubtest is a GitHub on loopback, for tests: attestations, releases and
// their assets, tokens with permissions, and every way to refuse. Each request that it
// gets and each answer that it gives is held to GitHub's own OpenAPI description; it
// proves no signature and keeps nothing.
package githubtest

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Corpus is where GitHub's description lies beside the clone, seen from a room of it.
const Corpus = "../../../shared/corpus/deps/github-api"

// GitHub is one GitHub. Its fields are set before the first request, or within [GitHub.Hold].
type GitHub struct {
	// URL is what GITHUB_API_URL has to be.
	URL string
	// PageSize bounds a page, as per_page does; 0 for what is asked.
	PageSize int
	// Detached keeps bundles elsewhere: a list has their bundle_url alone.
	Detached bool

	t       testing.TB
	spec    *Description
	storage *httptest.Server

	mu           sync.Mutex
	repositories map[string]*Repository
	tokens       map[string]Permissions
	faults       []*Fault
	kept         map[string]file // in the storage, by path
	asked        []Asked
	ids          int64
}

// Permissions are those of a token, as a workflow writes them: {"contents": "write"}.
type Permissions map[string]string

func (p Permissions) allow(what, how string) bool {
	return p[what] == "write" || p[what] == how
}

// Repository is one repository.
type Repository struct {
	Private bool
	// Attestations are its bundles in the order in which they came, by the digest of a
	// subject.
	Attestations map[string][]Attestation
	Releases     []*Release
}

// Attestation is one that is stored.
type Attestation struct {
	ID            int64
	Bundle        []byte
	PredicateType string
}

// Release is one release.
type Release struct {
	ID               int64
	Tag              string
	Draft, Immutable bool
	Assets           []Asset
}

// Asset is a file of a release.
type Asset struct {
	ID   int64
	Name string
	Data []byte
	// Open tells that its upload broke off.
	Open bool
	// Undigested assets are from before GitHub told digests.
	Undigested bool
}

// Asked is a request that GitHub, or its storage, has had.
type Asked struct {
	Method, Path  string
	Authorization string
	Storage       bool
}

// file is one in the storage.
type file struct {
	contentType string
	data        []byte
}

// New starts a GitHub for one test. described gives the description, as [Load] does.
// Where it is not there, the test is skipped, and says so.
func New(t testing.TB, described func() (*Description, error)) *GitHub {
	t.Helper()
	spec, err := described()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.Skipf("GitHub's OpenAPI description is not beside the clone: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	g := &GitHub{t: t, spec: spec, repositories: map[string]*Repository{}, tokens: map[string]Permissions{}, kept: map[string]file{}, ids: 4711}
	api := httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(api.Close)
	g.storage = httptest.NewServer(http.HandlerFunc(g.serveStorage))
	t.Cleanup(g.storage.Close)
	g.URL = api.URL
	return g
}

// Add makes a repository OWNER/NAME.
func (g *GitHub) Add(name string) *Repository {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &Repository{Attestations: map[string][]Attestation{}}
	g.repositories[name] = r
	return r
}

// Allow makes a token.
func (g *GitHub) Allow(token string, p Permissions) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens[token] = p
}

// Asked gives the requests so far.
func (g *GitHub) Asked() []Asked {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

// Hold reads or changes what is there while no request is served.
func (g *GitHub) Hold(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	do()
}

// Fault is an answer in the place of the right one.
type Fault struct {
	Method string // of the requests that get it; empty for each
	Path   string // a part of their path
	Times  int    // how often; 0 for each time
	Status int
	Header http.Header
	Body   string
	// Lost tells that the request is carried out all the same, and its answer gets lost.
	Lost bool
}

// Fail adds a fault. Those added first are tried first.
func (g *GitHub) Fail(f Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, &f)
}

// fault finds the one for a request.
func (g *GitHub) fault(r *http.Request) *Fault {
	for i, f := range g.faults {
		if (f.Method != "" && f.Method != r.Method) || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.Times == 1 {
			g.faults = slices.Delete(g.faults, i, i+1)
		}
		f.Times--
		return f
	}
	return nil
}

// note remembers a request.
func (g *GitHub) note(r *http.Request, storage bool) {
	g.asked = append(g.asked, Asked{Method: r.Method, Path: r.URL.Path, Authorization: r.Header.Get("Authorization"), Storage: storage})
}

// nextID gives out numbers as GitHub does, each once.
func (g *GitHub) nextID() int64 {
	g.ids++
	return g.ids
}

// keep puts a file into the storage, under a URL that lets whoever has it read.
func (g *GitHub) keep(path string, f file) string {
	g.kept[path] = f
	return g.storage.URL + path + "?" + url.Values{"sig": {Signature}}.Encode()
}

// Signature is in the URLs of the storage, and nobody should show it.
const Signature = "s1gnature-0f-the-st0rage"

// serveStorage hands out a file to whoever has its URL.
func (g *GitHub) serveStorage(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note(r, true)
	if r.Header.Get("Authorization") != "" {
		g.t.Errorf("the storage got the token for %s", r.URL.Path)
	}
	if f := g.fault(r); f != nil {
		for name, values := range f.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
		return
	}
	f, ok := g.kept[r.URL.Path]
	if !ok || r.URL.Query().Get("sig") != Signature {
		http.Error(w, "<Error><Code>AuthenticationFailed</Code></Error>", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	_, _ = w.Write(f.data)
}
