//go:build action

package actiontest

import (
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

	served "github.com/google/go-containerregistry/pkg/registry"

	"github.com/signatus-dev/signatus/internal/githubtest"
)

// The secrets of the jobs, which no log may show.
const (
	password  = "s3cret-pass"
	jobsToken = "ghs-the-jobs-own"
)

// images starts a registry that takes alice alone, and puts an index there with an
// image for each of two platforms.
func images(t *testing.T, st *stage) {
	behind := served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(true))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, given, _ := r.BasicAuth(); user != "alice" || given != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="acme"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	const manifestType, indexType = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
	put := func(kind, manifest string) (digest string) {
		digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v2/acme/app/manifests/"+digest, strings.NewReader(manifest))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", kind)
		request.SetBasicAuth("alice", password)
		answer, err := server.Client().Do(request)
		if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusCreated {
			t.Fatalf("putting a manifest: %v, %v", answer, err)
		}
		return digest
	}
	var entries []string
	for _, architecture := range []string{"amd64", "arm64"} {
		manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%x","size":2},"layers":[],"annotations":{"for":%q}}`,
			manifestType, sha256.Sum256([]byte("{}")), architecture)
		digest := put(manifestType, manifest)
		entries = append(entries, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"platform":{"os":"linux","architecture":%q}}`, manifestType, digest, len(manifest), architecture))
		st.vars = append(st.vars, strings.ToUpper(architecture)+"="+strings.TrimPrefix(server.URL, "http://")+"/acme/app@"+digest)
	}
	index := put(indexType, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(entries, ",")))
	st.vars = append(st.vars, "INDEX="+strings.TrimPrefix(server.URL, "http://")+"/acme/app@"+index)
	st.secrets = append(st.secrets, "REGISTRY_PASSWORD="+password)
}

// hub starts a GitHub whose job has a token that may write attestations and releases.
func hub(t *testing.T, st *stage) *githubtest.Repository {
	t.Helper()
	st.github = githubtest.New(t, githubtest.Load)
	st.github.Allow(jobsToken, githubtest.Permissions{"attestations": "write", "contents": "write"})
	st.environ = append(st.environ, "GITHUB_API_URL="+st.github.URL)
	st.secrets = append(st.secrets, "GITHUB_TOKEN="+jobsToken)
	return st.github.Add("acme/app")
}

// attested has GitHub keep what an earlier run attested of what this one builds.
func attested(t *testing.T, st *stage) {
	repository := hub(t, st)
	st.write(t, ".sandbox/app", "app\n")
	st.attest(t, st.sigstore.Job(st.dir, st.commit), ".sandbox/app", "--bundle", ".sandbox/app.json")
	bundle, err := os.ReadFile(filepath.Join(st.dir, ".sandbox", "app.json"))
	if err != nil {
		t.Fatal(err)
	}
	st.github.Store(repository, bundle)
}
