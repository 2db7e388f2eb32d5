package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/registry"
)

// TestAttach keeps bundles with an image, in a registry that lists referrers and in one
// that does not, and reads them back. What is written is what actions/attest writes.
func TestAttach(t *testing.T) {
	t.Parallel()
	for name, referrers := range map[string]bool{"the registry lists them": true, "the tag lists them": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, referrers)
			image := s.put(t, manifestKind, anImage("app"))
			other := s.put(t, manifestKind, anImage("other"))
			tag := ""
			if !referrers {
				tag = strings.Replace(image.Digest(), ":", "-", 1)
			}
			c := client(t)
			if found := bundlesOf(t, c, image); found != nil {
				t.Errorf("there is %q already", found)
			}
			first, err := c.Attach(t.Context(), image, aBundle(1), provenance)
			if err != nil || first.Existed || first.Tag != tag {
				t.Fatalf("%+v: %v", first, err)
			}
			s.meet(nil)
			again, err := client(t).Attach(t.Context(), image, []byte(" "+string(aBundle(1))+"\n"), provenance)
			if err != nil || again != (registry.Attached{Reference: first.Reference, Existed: true, Tag: tag}) {
				t.Errorf("the same again: %+v: %v", again, err)
			}
			if n := s.count("PUT") + s.count("POST"); n > 0 {
				t.Errorf("the same again wrote %d times", n)
			}
			if _, err := c.Attach(t.Context(), image, aBundle(2), provenance); err != nil {
				t.Fatal(err)
			}
			found := bundlesOf(t, client(t), image)
			slices.Sort(found)
			if diff := cmp.Diff([]string{string(aBundle(1)), string(aBundle(2))}, found); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if found := bundlesOf(t, client(t), other); found != nil {
				t.Errorf("another image has %q", found)
			}

			var got, want any
			manifest := s.asks(t, http.MethodGet, "/v2/acme/app/manifests/"+first.Reference.Digest(), request{})
			expected := strings.NewReplacer("IMAGE", image.Digest(), "BUNDLE", digestOf(string(aBundle(1)))).Replace(`{
				"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
				"artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
				"config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size": 2},
				"layers": [{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "digest": "BUNDLE", "size": 93}],
				"subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "IMAGE", "size": 275},
				"annotations": {"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1", "org.opencontainers.image.created": "2026-11-27T12:00:00Z"}}`)
			if err := json.Unmarshal(manifest, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(expected), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the referrer (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyWriters has several attest one image at once, in a registry whose list is a
// tag that the last one writes.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	image := s.put(t, manifestKind, anImage("app"))
	const writers = 5
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			if _, err := client(t).Attach(t.Context(), image, aBundle(n), provenance); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if found := bundlesOf(t, client(t), image); len(found) != writers {
		t.Errorf("%d of %d bundles are listed", len(found), writers)
	}
}

// TestAttachRefuses: what goes wrong on the way is said, and what was there before is
// there afterwards.
func TestAttachRefuses(t *testing.T) {
	t.Parallel()
	on := func(method, part string, front func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == method && strings.Contains(r.URL.Path, part) && front(w, r)
		}
	}
	located := func(where string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", where)
			w.WriteHeader(http.StatusAccepted)
			return true
		}
	}
	const fallback = "manifests/sha256-"
	for name, row := range map[string]struct {
		front  func(http.ResponseWriter, *http.Request) bool
		bundle []byte
		says   []string
	}{
		"it may not write":      {on("POST", "/uploads/", refuses(403, "DENIED", "")), aBundle(2), []string{"keeping the bundle with", "403 Forbidden: DENIED", "packages: write"}},
		"it is not logged in":   {on("POST", "/uploads/", refuses(401, "", "")), aBundle(2), []string{"401", "next: log in"}},
		"blobs are refused":     {on("PUT", "/uploads/", refuses(413, "SIZE_INVALID", "")), aBundle(2), []string{"413", "SIZE_INVALID"}},
		"manifests are refused": {on("PUT", "/manifests/", refuses(400, "MANIFEST_INVALID", "subject")), aBundle(2), []string{"400 Bad Request: MANIFEST_INVALID: subject"}},
		"the tag is refused":    {on("PUT", fallback, refuses(403, "DENIED", "")), aBundle(2), []string{"403"}},
		"it names nowhere":      {on("POST", "/uploads/", located("")), aBundle(2), []string{"does not say where to upload to"}},
		"it names plain http":   {on("POST", "/uploads/", located("http://registry.example/upload")), aBundle(2), []string{"registry.example is not reached by https"}},
		"it names no URL":       {on("POST", "/uploads/", located("http://[")), aBundle(2), []string{"does not say where to upload to"}},
		"it redirects": {on("PUT", "/manifests/", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://registry.example/v2/", http.StatusTemporaryRedirect)
			return true
		}), aBundle(2), []string{"it redirects what is written to registry.example"}},
		"it wrote something else": {on("PUT", "/manifests/", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Docker-Content-Digest", digest)
			w.WriteHeader(http.StatusCreated)
			return true
		}), aBundle(2), []string{"wrote \"" + digest + "\" in place of"}},
		"the tag is an image":    {on("GET", fallback, sends(manifestKind, anImage("app"))), aBundle(2), []string{"expected an index of referrers"}},
		"the tag is nonsense":    {on("GET", fallback, sends(indexKind, "[]")), aBundle(2), []string{"is no manifest"}},
		"the tag is full":        {on("GET", fallback, sends(indexKind, anIndex(indexKind, slices.Repeat([]string{entry(manifestKind, digest, `,"artifactType":"x"`)}, registry.MaxReferrers)...))), aBundle(2), []string{"is full"}},
		"the image is not there": {on("GET", "manifests/sha256:", refuses(404, "MANIFEST_UNKNOWN", "")), aBundle(2), []string{"404"}},
		"no bundle":              {nil, []byte(`{"mediaType":"text/plain"}`), []string{"it is no Sigstore bundle"}},
		"no JSON":                {nil, []byte("bundle"), []string{"it is no Sigstore bundle"}},
		"a huge bundle":          {nil, make([]byte, registry.MaxBundleBytes+1), []string{"at most 33554432 are kept"}},
		"the tag forgets": {on("PUT", fallback, func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusCreated)
			return true
		}), aBundle(2), []string{"does not list it as a referrer", "run it again"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, false)
			image := s.put(t, manifestKind, anImage("app"))
			if _, err := client(t).Attach(t.Context(), image, aBundle(1), provenance); err != nil {
				t.Fatal(err)
			}
			s.meet(row.front)
			_, err := client(t).Attach(t.Context(), image, row.bundle, provenance)
			for _, says := range row.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%v, expected %q", err, says)
				}
			}
			s.meet(nil)
			if found := bundlesOf(t, client(t), image); !slices.Equal(found, []string{string(aBundle(1))}) {
				t.Errorf("afterwards there is %q", found)
			}
			// Nothing of it stands in the way of the next attempt.
			if _, err := client(t).Attach(t.Context(), image, aBundle(3), provenance); err != nil || len(bundlesOf(t, client(t), image)) != 2 {
				t.Error(err)
			}
		})
	}
}

// TestAttachAgain: what passes on the way is tried again.
func TestAttachAgain(t *testing.T) {
	t.Parallel()
	for _, on := range []string{"GET /v2/acme/app/manifests/", "GET /v2/acme/app/referrers/", "HEAD /v2/acme/app/blobs/", "POST /v2/acme/app/blobs/", "PUT /v2/acme/app/blobs/", "PUT /v2/acme/app/manifests/sha256:", "PUT /v2/acme/app/manifests/sha256-"} {
		for _, front := range []func(http.ResponseWriter, *http.Request) bool{refuses(503, "", ""), refuses(429, "", ""), hangsUp} {
			t.Run(on, func(t *testing.T) {
				t.Parallel()
				s := serve(t, false)
				image := s.put(t, manifestKind, anImage("app"))
				var failed atomic.Int64
				s.meet(func(w http.ResponseWriter, r *http.Request) bool {
					return strings.HasPrefix(r.Method+" "+r.URL.Path, on) && failed.Add(1) <= 2 && front(w, r)
				})
				if _, err := client(t).Attach(t.Context(), image, aBundle(1), provenance); err != nil || failed.Load() < 2 {
					t.Errorf("failed %d times: %v", failed.Load(), err)
				}
				if found := bundlesOf(t, client(t), image); len(found) != 1 {
					t.Errorf("there is %q", found)
				}
			})
		}
	}
}

// TestAttachOverwritten: somebody who has read the list before writes it behind us. Our
// entry is gone, and made again beside theirs.
func TestAttachOverwritten(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	image := s.put(t, manifestKind, anImage("app"))
	theirs := entry("application/vnd.acme+json", digestOf("theirs"), `,"artifactType":"x","annotations":{"a":"b"},"extra":[1]`)
	tag := "/v2/acme/app/manifests/" + strings.Replace(image.Digest(), ":", "-", 1)
	looked := 0
	s.meet(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.URL.Path != tag {
			return false
		}
		if looked++; looked == 4 { // the list, a look, the list to add to, and now the look behind our entry
			request, err := http.NewRequestWithContext(r.Context(), http.MethodPut, s.URL+tag, strings.NewReader(`{"schemaVersion":2,"mediaType":"`+indexKind+`","annotations":{"kept":"yes"},"manifests":[`+theirs+`]}`))
			if err == nil {
				request.Header.Set("Content-Type", indexKind)
				if answer, err := http.DefaultClient.Do(request); err == nil {
					_ = answer.Body.Close()
				}
			}
		}
		return false
	})
	done, err := client(t).Attach(t.Context(), image, aBundle(1), provenance)
	if err != nil || done.Tag == "" {
		t.Fatalf("%+v: %v", done, err)
	}
	list := string(s.asks(t, http.MethodGet, tag, request{}))
	for _, part := range []string{theirs, done.Reference.Digest(), `"annotations":{"kept":"yes"}`} {
		if !strings.Contains(list, part) {
			t.Errorf("the list lacks %s: %s", part, list)
		}
	}
}

// TestConditional: where the registry tells one version of the list from another, ours
// is written only in place of what was read.
func TestConditional(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	image := s.put(t, manifestKind, anImage("app"))
	if _, err := client(t).Attach(t.Context(), image, aBundle(1), provenance); err != nil {
		t.Fatal(err)
	}
	tag := strings.Replace(image.Digest(), ":", "-", 1)
	version, refused := 1, 0
	s.meet(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, tag) {
			return false
		}
		if r.Method == http.MethodPut && r.Header.Get("If-Match") != fmt.Sprintf(`"%d"`, version) {
			t.Errorf("If-Match %s, expected %d", r.Header.Get("If-Match"), version)
		}
		if r.Method == http.MethodPut && refused < 2 {
			refused, version = refused+1, version+1
			w.WriteHeader(http.StatusPreconditionFailed)
			return true
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, version))
		return false
	})
	if _, err := client(t).Attach(t.Context(), image, aBundle(2), provenance); err != nil || refused != 2 {
		t.Errorf("refused %d times: %v", refused, err)
	}
	if found := bundlesOf(t, client(t), image); len(found) != 2 {
		t.Errorf("there is %q", found)
	}
}

// TestCheckAttach tells before anything is signed whether it could be kept.
func TestCheckAttach(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	image := s.put(t, manifestKind, anImage("app"))
	if err := client(t).CheckAttach(t.Context(), image); err != nil {
		t.Error(err)
	}
	if found := bundlesOf(t, client(t), image); found != nil {
		t.Errorf("it left %q", found)
	}
	if err := client(t).CheckAttach(t.Context(), s.named(t, digest)); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("no image: %v", err)
	}
	other := serve(t, true)
	image = other.put(t, manifestKind, anImage("app"))
	other.meet(func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodPost && refuses(403, "DENIED", "")(w, r)
	})
	err := client(t).CheckAttach(t.Context(), image)
	if e, ok := errors.AsType[*registry.Error](err); !ok || e.Status != 403 || !strings.Contains(err.Error(), "packages: write") {
		t.Errorf("no right to write: %v", err)
	}
}
