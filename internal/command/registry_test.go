package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	served "github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/command"
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
		if kind == "closed" && user == "" && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"it is full"}]}`)
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
			got := step(t, dir, map[string]string{"command": "verify", "paths": image, "from": "oci", "registry-username": "alice", "registry-password": r.password, "key": filepath.Join(dir, "release.pub"), "trusted-root": filepath.Join(dir, "trusted_root.json")},
				map[string]string{"SIGNATUS_REGISTRY_PASSWORD": r.variable})
			if got.outputs["verdict"] != r.outcome {
				t.Errorf("%s, expected %s\n%s%s", got.outputs["verdict"], r.outcome, got.out, got.report)
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

// TestActionImages signs images as a step does: one a line, with the password as an
// input, and of what is tagged or not there none.
func TestActionImages(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registryOf("private"))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	for _, name := range []string{"app", "other"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v2/acme/"+name+"/manifests/v1", strings.NewReader(manifestOf(name)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", manifestType)
		request.SetBasicAuth("alice", "s3cret-pass")
		answer, err := server.Client().Do(request)
		if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusCreated {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	image := func(name string) string {
		return fmt.Sprintf("%s/acme/%s@sha256:%x", host, name, sum256([]byte(manifestOf(name))))
	}
	for name, r := range map[string]struct {
		images, children, outcome, says string
	}{
		"two":            {image("app") + "\n\n  " + image("other") + "\n", "", "signed", host + "/acme/app, " + host + "/acme/other"},
		"alone":          {image("app"), "false", "signed", host + "/acme/app"},
		"not there":      {image("app") + "\n" + host + "/acme/app@sha256:" + strings.Repeat("0", 64), "", "undecided", "404 Not Found"},
		"by a tag":       {host + "/acme/app:v1", "", "failed", "write  --image " + image("app")},
		"maybe children": {image("app"), "yes", "failed", "write  true  or  false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := signable(t)
			inputs := map[string]string{
				"command": "attest", "image": r.images, "image-children": r.children, "registry-username": "alice", "registry-password": "s3cret-pass",
				"key": filepath.Join(dir, "key.pem"), "step": "build", "bundle": filepath.Join(dir, "out.json"),
			}
			got := step(t, dir, inputs, nil)
			if text := got.out + got.report; got.outputs["verdict"] != r.outcome || !strings.Contains(text, r.says) || strings.Count(text, "s3cret-pass") > 1 {
				t.Errorf("%s, expected %s and %q\n%s", got.outputs["verdict"], r.outcome, r.says, text)
			}
		})
	}
}

// startRegistry starts a real registry on loopback, which ends with the transcript:
//
//	registry referrers  lists referrers by itself
//	registry tags       leaves that to its clients
//	registry private    is the first one, and takes alice with the password s3cret-pass alone
//	registry closed     is the first one, and takes blobs, but no manifests
//
// It holds the image acme/app, at $APP, with the digest $APPDIGEST, and the index acme/multi, at $MULTI, tagged v1.
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: registry referrers|tags|private|closed")
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
	ts.Setenv("APPDIGEST", fmt.Sprintf("sha256:%x", sum256([]byte(manifestOf("app")))))
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
	client, err := registry.New(registry.Options{HTTP: &http.Client{}, Agent: "signatus/test", Now: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)})
	ts.Check(err)
	image, err := registry.Parse(args[0])
	ts.Check(err)
	for line := range bytes.Lines([]byte(ts.ReadFile(args[1]))) {
		_, err := client.Attach(context.Background(), image, line, "https://slsa.dev/provenance/v1")
		ts.Check(err)
	}
}

// registryOfLayouts serves OCI layouts of the corpus, as cosign saves them: each folder is
// the tag of the repository acme/NAME. It gives the registry's host, and each image.
func registryOfLayouts(t *testing.T, folders map[string]string) map[string]string {
	t.Helper()
	server := httptest.NewServer(registryOf("tags"))
	t.Cleanup(server.Close)
	images := map[string]string{}
	for name, folder := range folders {
		l := layoutOfImage{folder: folder, base: server.URL + "/v2/acme/" + name}
		images[name] = strings.TrimPrefix(server.URL, "http://") + "/acme/" + name + "@" + l.load(t)
	}
	return images
}

// layoutOfImage is a folder with an image and its attestations.
type layoutOfImage struct{ folder, base string }

type pointer struct{ MediaType, Digest string }

func (l layoutOfImage) load(t *testing.T) (image string) {
	t.Helper()
	var index struct {
		Manifests []struct {
			pointer
			Annotations map[string]string
		}
	}
	l.read(t, "index.json", &index)
	for _, m := range index.Manifests {
		l.manifest(t, m.pointer, m.Digest)
		if m.Annotations["kind"] == "dev.cosignproject.cosign/atts" {
			l.manifest(t, m.pointer, strings.Replace(image, ":", "-", 1)+".att")
		} else {
			image = m.Digest
		}
	}
	return image
}

// manifest puts a manifest there, and first what it lists, as far as the corpus has it.
func (l layoutOfImage) manifest(t *testing.T, m pointer, identifier string) {
	t.Helper()
	var content struct{ Manifests, Layers []pointer }
	data := l.read(t, "blobs/"+strings.Replace(m.Digest, ":", "/", 1), &content)
	for _, child := range content.Manifests {
		l.manifest(t, child, child.Digest)
	}
	for _, layer := range content.Layers {
		if blob, err := os.ReadFile(filepath.Join(l.folder, "blobs", strings.Replace(layer.Digest, ":", "/", 1))); err == nil {
			l.send(t, http.MethodPost, "/blobs/uploads/?digest="+layer.Digest, blob)
		}
	}
	l.send(t, http.MethodPut, "/manifests/"+identifier+"?"+m.MediaType, data)
}

func (l layoutOfImage) read(t *testing.T, name string, into any) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.folder, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
	return data
}

func (l layoutOfImage) send(t *testing.T, method, path string, data []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, l.base+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, kind, ok := strings.Cut(path, "?"); ok && method == http.MethodPut {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s: %s (%v)", method, path, answer.Status, err)
	}
}

// TestCosignImages verifies images that slsa-github-generator attested, by what their
// registry has in cosign's older form, under the embedded root. The rows of
// slsa-verifier's own test about them are in docs/conformance.md.
func TestCosignImages(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(slsaDir); err != nil {
		t.Skipf("the corpus is not here: %s", slsaDir)
	}
	images := registryOfLayouts(t, map[string]string{
		"old": slsaDir + "/gha_generic_container/v1.4.0/container_workflow_dispatch",
		"new": slsaDir + "/gha_generic_container/v2.1.0/container_workflow_dispatch",
	})
	who := []string{"--trusted-root", publicGoodRoot, "--certificate-oidc-issuer", actions, "--certificate-identity", generator + "generator_container_slsa3.yml@refs/tags/v2.1.0"}
	run(t, reachable, append([]string{"verify", "oci://" + images["new"], "--from", "oci"}, who...)...).demand(t, 0, "SLSA provenance v0.2, proven 2025-02-25T21:58:07Z by rekor.sigstore.dev")
	// Its log entry is of a form that holds no signature, so that nothing joins the two.
	run(t, reachable, append([]string{"verify", "oci://" + images["old"], "--from", "oci"}, who...)...).demand(t, 1, "bundle-malformed", "intoto implementation for version '0.0.1' not found")
}

// The embedded roots, as files: beside --from, nobody is offline.
const (
	publicGoodRoot = "sigstore=../trust/embedded/sigstore.trusted_root.json"
	githubRoot     = "github=../trust/embedded/github.trusted_root.json"
)

// reachable lets requests out, to this machine.
func reachable(env *command.Env) { env.HTTP = &http.Client{} }
