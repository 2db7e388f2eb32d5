package endtoend

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	served "github.com/google/go-containerregistry/pkg/registry"

	"github.com/signatus-dev/signatus/internal/registry"
	"github.com/signatus-dev/signatus/internal/sandbox"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

// TestImages is the main job for an image of two platforms: the builder's word on the
// index and its images, the author's on the commit, both kept in the registry, and found
// there for each of the three.
func TestImages(t *testing.T) {
	t.Parallel()
	for name, lists := range map[string]bool{"the registry lists referrers": true, "a tag does": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Config{Email: "alice@example.com", Issuer: sandbox.OAuthIssuer})
			server := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(lists)))
			t.Cleanup(server.Close)
			at := strings.TrimPrefix(server.URL, "http://") + "/acme/app@"
			var entries []string
			for _, architecture := range []string{"amd64", "arm64"} {
				text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%x","size":2},"layers":[]}`, manifestType, sha256.Sum256([]byte(architecture)))
				entries = append(entries, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"platform":{"os":"linux","architecture":%q}}`, manifestType, upload(t, server, manifestType, text), len(text), architecture))
			}
			index := upload(t, server, indexType, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(entries, ",")))
			builder := w.run(who{}, "attest", "--image", at+index)
			if !builder.has(0, "acme/app#linux/amd64", "acme/app#linux/arm64", "SLSA provenance v1", "release.yml@refs/heads/main of acme/app") {
				t.Fatalf("the builder: %+v", builder)
			}
			if author := w.run(who{person: true}, "attest", "--commit", "HEAD", "--identity-token", w.token(sandbox.TokenRequest{Kind: sandbox.Email})); author.code != 0 {
				t.Fatalf("the author: %+v", author)
			}
			images := []string{at + index}
			for _, e := range entries {
				digest, _, _ := strings.Cut(strings.SplitAfter(e, `"digest":"`)[1], `"`)
				images = append(images, at+digest)
			}
			for _, image := range images {
				w.keep(image, "attestation.sigstore.jsonl")
			}
			layout := []string{"--from", "oci", "--layout", w.layout(), "--param", "repo=github.com/acme/app", "--param", "repoId=728493015", "--param", "author=alice@example.com", "--param", "workflow=release.yml"}
			remove(t, w, "attestation.sigstore.jsonl")
			if got := w.run(who{person: true}, append([]string{"verify", "oci://" + images[1]}, layout...)...); !got.has(0, "✓ author", "✓ build") {
				t.Errorf("with the author's word in the working directory: %+v", got)
			}
			commit := "commit-" + w.sha + ".sigstore.json"
			for _, image := range images {
				w.keep(image, commit)
			}
			remove(t, w, commit)
			for _, image := range images {
				if got := w.run(who{person: true}, append([]string{"verify", "oci://" + image}, layout...)...); !got.has(0, "allowed: oci://"+image, "✓ author", "✓ build") {
					t.Errorf("%s: %+v", image, got)
				}
				if got := w.run(who{person: true}, append([]string{"verify", "oci://" + image}, layout[2:]...)...); !got.has(1, "--from oci asks it") {
					t.Errorf("%s, without the registry: %+v", image, got)
				}
			}
		})
	}
}

// upload puts a manifest into the registry.
func upload(t *testing.T, server *httptest.Server, kind, text string) (digest string) {
	t.Helper()
	digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v2/acme/app/manifests/"+digest, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	return digest
}

// keep keeps a file's bundles with an image.
func (w *world) keep(image, file string) {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, file))
	if err != nil {
		w.Fatal(err)
	}
	client, err := registry.New(registry.Options{HTTP: &http.Client{}, Agent: "signatus/test", Now: time.Now()})
	if err != nil {
		w.Fatal(err)
	}
	reference, err := registry.Parse(image)
	if err != nil {
		w.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		if _, err := client.Attach(w.Context(), reference, line, "https://slsa.dev/provenance/v1"); err != nil {
			w.Fatal(err)
		}
	}
}

func remove(t *testing.T, w *world, file string) {
	t.Helper()
	if err := os.Remove(filepath.Join(w.dir, file)); err != nil {
		t.Fatal(err)
	}
}
