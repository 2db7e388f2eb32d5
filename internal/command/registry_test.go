package command_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	served "github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/registry"
)

// The media types of what lies in the registry of a transcript.
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

// manifestOf is the manifest of an image that differs from others by its name.
func manifestOf(name string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%x","size":2},"layers":[],"annotations":{"name":%q}}`, manifestType, sum256([]byte(name)), name)
}

// indexOfImages lists an image of each of two platforms, and what BuildKit adds.
func indexOfImages() string {
	entry := func(name, platform string) string {
		system, architecture, _ := strings.Cut(platform, "/")
		return fmt.Sprintf(`{"mediaType":%q,"digest":"sha256:%x","size":%d,"platform":{"os":%q,"architecture":%q}}`, manifestType, sum256([]byte(manifestOf(name))), len(manifestOf(name)), system, architecture)
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s,%s,%s]}`, indexType, entry("amd64", "linux/amd64"), entry("arm64", "linux/arm64"), entry("buildkit", "unknown/unknown"))
}

// imageBuilt is the builder's word on the image app.
func imageBuilt() attestationtest.SignRequest {
	run := attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit}
	return attestationtest.SignRequest{As: attestationtest.Workflow(run), Payload: attestationtest.Statement(
		[]attestationtest.Subject{attestationtest.File("registry.example/acme/app", []byte(manifestOf("app")))}, "https://slsa.dev/provenance/v1", attestationtest.Provenance(run))}
}

// registryOf is a registry of one of the kinds of startRegistry.
func registryOf(kind string) http.Handler {
	behind := served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(kind != "tags"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if kind == "private" && (user != "alice" || password != "s3cret-pass") {
			w.Header().Set("WWW-Authenticate", `Basic realm="acme"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		behind.ServeHTTP(w, r)
	})
}

// TestActionPassword: a step's password is an input and no argument, is hidden in the
// log, and a variable of the job's is none.
func TestActionPassword(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registryOf("private"))
	t.Cleanup(server.Close)
	image := fmt.Sprintf("oci://%s/acme/app@sha256:%x", strings.TrimPrefix(server.URL, "http://"), sum256([]byte(manifestOf("app"))))
	for name, r := range map[string]struct {
		password, variable, outcome string
	}{
		"the input":      {"s3cret-pass", "", "denied"}, // it was let in, and there is nothing
		"another one":    {"guessed", "s3cret-pass", "undecided"},
		"the variable":   {"", "s3cret-pass", "failed"},
		"no password":    {"", "", "failed"},
		"with a newline": {"s3cret-pass\n", "", "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := at(t)
			got := step(t, dir, map[string]string{"command": "verify", "paths": image, "from": "oci", "registry-username": "alice", "registry-password": r.password, "key": filepath.Join(dir, "release.pub"), "offline": "true"},
				map[string]string{"SIGNATUS_REGISTRY_PASSWORD": r.variable})
			if got.outputs["outcome"] != r.outcome {
				t.Errorf("%s, expected %s\n%s%s", got.outputs["outcome"], r.outcome, got.out, got.report)
			}
			var masks []string
			if r.password != "" {
				masks = []string{"::add-mask::" + strings.TrimSpace(r.password)}
			}
			if !slices.Equal(got.commands(), masks) {
				t.Errorf("commands %q, expected %q", got.commands(), masks)
			}
		})
	}
}

// startRegistry starts a real registry on loopback, which ends with the transcript:
//
//	registry referrers  lists referrers by itself
//	registry tags       leaves that to its clients
//	registry private    is the first one, and takes alice with the password s3cret-pass alone
//
// It holds the image acme/app, at $APP, and the index acme/multi, at $MULTI, tagged v1.
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: registry referrers|tags|private")
	}
	server := httptest.NewServer(registryOf(args[0]))
	ts.Defer(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	ts.Setenv("REGISTRY", host)
	put := func(repository, kind, text string) string {
		digest := fmt.Sprintf("sha256:%x", sum256([]byte(text)))
		for _, identifier := range []string{digest, "v1"} {
			request, err := http.NewRequest(http.MethodPut, server.URL+"/v2/"+repository+"/manifests/"+identifier, strings.NewReader(text))
			ts.Check(err)
			request.Header.Set("Content-Type", kind)
			request.SetBasicAuth("alice", "s3cret-pass")
			answer, err := server.Client().Do(request)
			ts.Check(err)
			ts.Check(answer.Body.Close())
		}
		return host + "/" + repository + "@" + digest
	}
	ts.Setenv("APP", put("acme/app", manifestType, manifestOf("app")))
	for _, name := range []string{"amd64", "arm64", "buildkit"} {
		ts.Setenv(strings.ToUpper(name), put("acme/multi", manifestType, manifestOf(name)))
	}
	ts.Setenv("MULTI", put("acme/multi", indexType, indexOfImages()))
}

// attach keeps bundles with an image, as the store of images does.
func attach(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: attach IMAGE FILE")
	}
	client, err := registry.New(registry.Options{HTTP: &http.Client{}, Agent: "signatus/test", Now: time.Now()})
	ts.Check(err)
	image, err := registry.Parse(args[0])
	ts.Check(err)
	for line := range bytes.Lines([]byte(ts.ReadFile(args[1]))) {
		_, err := client.Attach(context.Background(), image, line, "https://slsa.dev/provenance/v1")
		ts.Check(err)
	}
}
