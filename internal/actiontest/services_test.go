//go:build action

package actiontest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	served "github.com/google/go-containerregistry/pkg/registry"

	"github.com/signatus-dev/signatus/internal/githubtest"
)

// The secrets of the jobs, which no log may show.
const (
	password     = "s3cret-pass"
	jobsToken    = "ghs-the-jobs-own"
	readersToken = "ghs-who-only-reads"
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

// hub starts a GitHub with a release, whose job has a token that may write attestations
// and releases; another one may only read.
func hub(t *testing.T, st *stage) {
	github := githubtest.New(t, githubtest.Load)
	github.Allow(jobsToken, githubtest.Permissions{"attestations": "write", "contents": "write"})
	github.Allow(readersToken, githubtest.Permissions{"attestations": "read", "contents": "read"})
	github.Add("acme/app").Releases = []*githubtest.Release{{ID: 1, Tag: "v1"}}
	st.environ = append(st.environ, "GITHUB_API_URL="+github.URL)
	st.secrets = append(st.secrets, "GITHUB_TOKEN="+jobsToken, "READER="+readersToken)
}
