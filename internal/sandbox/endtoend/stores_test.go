package endtoend

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	served "github.com/google/go-containerregistry/pkg/registry"

	"github.com/signatus-dev/signatus/internal/githubtest"
	"github.com/signatus-dev/signatus/internal/sandbox"
)

// described is GitHub's description, read once for all tests.
var described = sync.OnceValues(func() (*githubtest.Description, error) {
	return githubtest.LoadFrom(filepath.Join("..", githubtest.Corpus))
})

// hub is a GitHub on loopback with the repository acme/app, a draft of a release, and the
// environments of who may write and of who may read.
type hub struct {
	*githubtest.GitHub
	release        *githubtest.Release
	writer, reader []string
}

func newHub(t *testing.T) hub {
	t.Helper()
	h := hub{GitHub: githubtest.New(t, described)}
	h.release = h.Publish(h.Add("acme/app"), githubtest.Release{Tag: "v1.2.0", Draft: true})
	h.Allow("ghs_writer", githubtest.Permissions{"attestations": "write", "contents": "write"})
	h.Allow("ghs_reader", githubtest.Permissions{"contents": "read"})
	h.writer = []string{"GITHUB_API_URL=" + h.URL, "GITHUB_TOKEN=ghs_writer"}
	h.reader = []string{"GITHUB_API_URL=" + h.URL, "GITHUB_TOKEN=ghs_reader"}
	return h
}

// from is simple mode for the workflow, with what is fetched alone.
func (w *world) from(h hub, artifact string, more ...string) result {
	w.Helper()
	args := append([]string{"verify", artifact, "--certificate-identity", workflow, "--certificate-oidc-issuer", actions}, more...)
	return w.run(who{person: true, more: h.writer, dir: w.TempDir()}, args...)
}

// TestStores keeps what a job built in each place over the network, and has somebody
// else, who has the artifact alone, fetch it from there.
func TestStores(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w := newWorld(t, sandbox.Config{})
	job := who{more: h.writer}
	r := w.run(job, "attest", "dist/app", "--store", "github", "--store", "release=v1.2.0")
	if !r.has(0, "stored  attestation 4714 of github.com/acme/app, https://github.com/acme/app/attestations/4714", "stored  app.sigstore.json in the release v1.2.0 of github.com/acme/app", "--from release=v1.2.0 --repo acme/app") || len(w.bundles()) > 0 {
		t.Fatalf("%v: %+v", w.bundles(), r)
	}
	app := filepath.Join(w.dir, "dist", "app")
	for _, from := range []string{"github", "release=v1.2.0"} {
		if got := w.from(h, app, "--from", from, "--repo", "acme/app"); !got.has(0, "SLSA provenance v1") {
			t.Errorf("from %s: %+v", from, got)
		}
		if got := w.from(h, filepath.Join(w.dir, "dist", "tool"), "--from", from, "--repo", "acme/app"); got.code != 1 {
			t.Errorf("another file, from %s: %+v", from, got)
		}
	}
	// The author's word, on the commit that the builder names.
	author := who{person: true, more: h.writer}
	if r := w.run(author, "attest", "--commit", "HEAD", "--store", "github", "--identity-token", w.token(sandbox.TokenRequest{Kind: sandbox.Email, Email: "alice@example.com", Issuer: sandbox.OAuthIssuer})); !r.has(0, "of github.com/acme/app") {
		t.Fatalf("%+v", r)
	}
	layout := []string{"--layout", w.layout(), "--param", "repo=github.com/acme/app", "--param", "repoId=728493015", "--param", "author=alice@example.com", "--param", "workflow=release.yml"}
	got := w.run(who{person: true, more: h.writer, dir: t.TempDir()}, append([]string{"verify", app, "--from", "github", "--repo", "acme/app"}, layout...)...)
	if !got.has(0, "✓ author", "✓ build") {
		t.Errorf("author and builder: %+v", got)
	}
	// A second run signs anew, and takes nothing away.
	if r := w.run(job, "attest", "dist/app", "--store", "github", "--store", "release=v1.2.0"); r.code != 0 {
		t.Errorf("again: %+v", r)
	}
	h.Hold(func() {
		if len(h.release.Assets) != 2 {
			t.Errorf("the release has the assets %+v", h.release.Assets)
		}
	})
}

// TestStoresImages keeps what a job built with the image in its registry, and at GitHub.
func TestStoresImages(t *testing.T) {
	t.Parallel()
	for name, lists := range map[string]bool{"the registry lists referrers": true, "a tag does": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			w := newWorld(t, sandbox.Config{})
			server := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(lists)))
			t.Cleanup(server.Close)
			text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%x","size":2},"layers":[]}`, manifestType, sha256.Sum256([]byte("app")))
			image := strings.TrimPrefix(server.URL, "http://") + "/acme/app@" + upload(t, server, manifestType, text)
			r := w.run(who{more: h.writer}, "attest", "--image", image, "--store", "oci", "--store", "github")
			if !r.has(0, "stored  with "+image, "stored  attestation ") || len(w.bundles()) > 0 {
				t.Fatalf("%v: %+v", w.bundles(), r)
			}
			for _, from := range [][]string{{"--from", "oci"}, {"--from", "github", "--repo", "acme/app"}} {
				if got := w.from(h, "oci://"+image, from...); !got.has(0, "allowed: oci://"+image) {
					t.Errorf("%v: %+v", from, got)
				}
			}
		})
	}
}

// TestStoreFails has a place not take the bundle, each in its way: the others have it, and
// it is in a file.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	forbidden := githubtest.Fault{Method: http.MethodPost, Path: "/attestations", Status: 403, Body: githubtest.Refusal(403, "Resource not accessible by integration")}
	for name, row := range map[string]struct {
		fault  githubtest.Fault
		args   []string
		wants  []string
		file   bool
		assets int
	}{
		"alone":             {forbidden, []string{"--store", "github"}, []string{"permissions: {attestations: write, id-token: write, contents: read}", "and the bundle is in dist/app.sigstore.jsonl"}, true, 0},
		"beside a file":     {forbidden, []string{"--store", "github", "--store", "file"}, []string{"and the bundle is in dist/app.sigstore.jsonl"}, true, 0},
		"beside a release":  {forbidden, []string{"--store", "github", "--store", "release=v1.2.0"}, []string{"app.sigstore.json in the release v1.2.0"}, true, 1},
		"an answer is lost": {githubtest.Fault{Method: http.MethodPost, Path: "/attestations", Times: 1, Lost: true, Status: 502, Header: http.Header{"Retry-After": {"0"}}}, []string{"--store", "github"}, []string{"it was there already"}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			w := newWorld(t, sandbox.Config{})
			h.Fail(row.fault)
			code := 3
			if row.fault.Lost {
				code = 0
			}
			r := w.run(who{more: h.writer}, append([]string{"attest", "dist/app"}, row.args...)...)
			if !r.has(code, row.wants...) {
				t.Errorf("%+v", r)
			}
			if got := w.verify("dist/app"); (got.code == 0) != row.file {
				t.Errorf("by the file: %+v", got)
			}
			h.Hold(func() {
				if len(h.release.Assets) != row.assets {
					t.Errorf("the release has the assets %+v", h.release.Assets)
				}
			})
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		h := newHub(t)
		w := newWorld(t, sandbox.Config{})
		h.Fail(githubtest.Fault{Method: http.MethodPost, Path: "/attestations", Status: 503, Header: http.Header{"Retry-After": {"60"}}})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		r := w.run(who{more: h.writer, ctx: ctx}, "attest", "dist/app", "--store", "github")
		if !r.has(3, "interrupted", "and the bundle is in dist/app.sigstore.jsonl") || w.verify("dist/app").code != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestStoreIsNotReady says what is in the way before anything is logged.
func TestStoreIsNotReady(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w := newWorld(t, sandbox.Config{})
	server := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	before := w.logged()
	for name, row := range map[string]struct {
		as   []string
		args []string
		says []string
	}{
		"no token":     {h.writer[:1], []string{"--store", "github"}, []string{"no token is given", "attestations: write"}},
		"a wrong one":  {[]string{h.writer[0], "GITHUB_TOKEN=ghs_guessed"}, []string{"--store", "github"}, []string{"401 Unauthorized"}},
		"no release":   {h.writer, []string{"--store", "release=v9"}, []string{"404 Not Found"}},
		"no draft":     {h.reader, []string{"--store", "release=v1.2.0"}, []string{"404 Not Found", "permissions: {contents: write}"}},
		"two at once":  {h.writer, []string{"--store", "release=v9", "--store", "dir=no"}, []string{"404 Not Found", "make the folder first"}},
		"no image":     {h.writer, []string{"--subject", strings.TrimPrefix(server.URL, "http://") + "/acme/app@sha256:" + strings.Repeat("0", 64), "--store", "oci"}, []string{"404 Not Found", "check the name and the digest"}},
		"a file there": {h.writer, []string{"--store", "github", "--store", "file", "--bundle", "main.go"}, []string{"there is a file main.go already"}},
	} {
		r := w.run(who{more: row.as}, append([]string{"attest", "--format", "json", "dist/app"}, row.args...)...)
		if r.code == 0 || !r.has(r.code, row.says...) || r.stdout != "" || len(w.bundles()) > 0 {
			t.Errorf("%s: %v: %+v", name, w.bundles(), r)
		}
	}
	if after := w.logged(); after != before+1 {
		t.Errorf("the log has %d entries of runs that were stopped", after-before-1)
	}
}

// logged is the place in the log of what is attested now.
func (w *world) logged() int {
	w.Helper()
	r := w.attest("dist/tool", "--store", "dir="+w.TempDir(), "--format", "json")
	var report struct {
		Bundles []struct{ Entries []struct{ Index int } }
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || len(report.Bundles) != 1 || len(report.Bundles[0].Entries) != 1 {
		w.Fatalf("%v: %+v", err, r)
	}
	return report.Bundles[0].Entries[0].Index
}
