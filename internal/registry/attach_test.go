package registry_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
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
