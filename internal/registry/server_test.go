package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	served "github.com/google/go-containerregistry/pkg/registry"

	"github.com/signatus-dev/signatus/internal/registry"
)

// now is when everything in these tests happens.
func now() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }

// server is a real registry on loopback, with something in front that a test puts there.
type server struct {
	*httptest.Server
	host string

	mu    sync.Mutex
	front func(http.ResponseWriter, *http.Request) bool // true where it has answered
	asked []string
}

// serve starts a registry; with referrers it keeps lists of them.
func serve(t *testing.T, referrers bool) *server {
	t.Helper()
	behind := served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(referrers))
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		front := s.front
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		if front == nil || !front(w, r) {
			behind.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	s.host = strings.TrimPrefix(s.URL, "http://")
	return s
}

// meet puts something in front of the registry.
func (s *server) meet(front func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front, s.asked = front, nil
}

// count counts the requests that begin so.
func (s *server) count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// asks sends a request of a test's own, and demands its status.
func (s *server) asks(t *testing.T, method, path string, body request) []byte {
	t.Helper()
	asked, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body.text))
	if err != nil {
		t.Fatal(err)
	}
	asked.Header.Set("Content-Type", body.kind)
	response, err := s.Client().Do(asked)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s (%v)", method, path, response.StatusCode, data, err)
	}
	return data
}

type request struct{ kind, text string }

const (
	indexKind    = "application/vnd.oci.image.index.v1+json"
	manifestKind = "application/vnd.oci.image.manifest.v1+json"
	listKind     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// anImage is a manifest that differs from others by its name.
func anImage(name string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},"layers":[],"annotations":{"name":%q}}`, manifestKind, digestOf(name), name)
}

// put puts a manifest there, and names it.
func (s *server) put(t *testing.T, kind, text string) registry.Reference {
	t.Helper()
	s.asks(t, http.MethodPut, "/v2/acme/app/manifests/"+digestOf(text), request{kind, text})
	return s.named(t, digestOf(text))
}

func (s *server) named(t *testing.T, digest string) registry.Reference {
	t.Helper()
	r, err := registry.Parse(s.host + "/acme/app@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// client is one that waits for nobody.
func client(t *testing.T, change ...func(*registry.Options)) *registry.Client {
	t.Helper()
	o := registry.Options{HTTP: &http.Client{Transport: &http.Transport{}}, Agent: "signatus/test", Now: now(), Sleep: hurried}
	for _, f := range change {
		f(&o)
	}
	c, err := registry.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hurried waits a hundredth of the time.
func hurried(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d / 100):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// aBundle is one, as far as a registry cares.
func aBundle(n int) []byte {
	return fmt.Appendf(nil, `{"mediaType":%q,"verificationMaterial":{},"n":%d}`, registry.BundleType, n)
}

const provenance = "https://slsa.dev/provenance/v1"

func bundlesOf(t *testing.T, c *registry.Client, image registry.Reference) (bundles []string) {
	t.Helper()
	found, err := c.Referrers(t.Context(), image)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Err != nil {
			t.Error(f.Err)
		}
		bundles = append(bundles, string(bytes.TrimSpace(f.Bundle)))
	}
	return bundles
}
