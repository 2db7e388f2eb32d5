package command

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// internet is both known instances under their own names, and a job of GitHub Actions.
// It keeps whom anybody asked, and knows nobody else.
type internet struct {
	t        *testing.T
	dir      string // with their trusted roots, and a file to sign
	services map[string]http.Handler
	claims   map[string]any // of the job's tokens
	// variables of the job, beside those that ask for tokens.
	variables map[string]string

	mu    sync.Mutex
	asked []string // hosts but the job's own
}

const idTokenHost = "127.0.0.1:1"

// publicHosts and githubHosts sign.
func publicHosts() []string {
	return []string{"fulcio.sigstore.dev", "rekor.sigstore.dev", "timestamp.sigstore.dev"}
}

func githubHosts() []string { return []string{"fulcio.githubapp.com", "timestamp.githubapp.com"} }

// newInternet has a job of a repository of a visibility; "" for a token that does not
// say.
func newInternet(t *testing.T, visibility string) *internet {
	t.Helper()
	n := &internet{t: t, dir: t.TempDir(), services: map[string]http.Handler{}, claims: jobClaims()}
	// The job's commit is the one that is checked out around this test, if any.
	if repository, err := gitrepo.Find("."); err == nil {
		if head, err := repository.Commit("HEAD"); err == nil {
			n.claims["sha"] = head.ID
		}
	}
	sha, ok := n.claims["sha"].(string)
	if !ok {
		t.Fatal("the job has no commit")
	}
	for name, claim := range map[string]string{
		"repository_visibility": visibility, "job_workflow_sha": sha, "workflow_sha": sha, "workflow": "release",
	} {
		n.claims[name] = claim
	}
	if visibility == "" {
		delete(n.claims, "repository_visibility")
	}
	n.services[idTokenHost] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"value": %q}`, jwt(t, n.claims, "x").Reveal())
	})
	run := attestationtest.Workflow(attestationtest.WorkflowClaims{SHA: sha, RunID: "1", Visibility: visibility})
	if visibility == "" {
		delete(run.Extensions, "sourceRepositoryVisibilityAtSigning")
	}
	for name, config := range map[string]attestationtest.Config{
		"sigstore.dev":  {CT: true, RekorV1: true, TSA: true, Domain: "sigstore.dev", Now: time.Now().UTC().Truncate(time.Second)},
		"githubapp.com": {TSA: true, Domain: "githubapp.com", Now: time.Now().UTC().Truncate(time.Second)},
	} {
		sigstore, err := attestationtest.New(config)
		if err != nil {
			t.Fatal(err)
		}
		n.services["fulcio."+name] = certifies(sigstore, run)
		n.services["timestamp."+name] = sigstore.TSA.Handler(sigstore.Now)
		if sigstore.RekorV1 != nil {
			n.services["rekor."+name] = sigstore.RekorV1.Handler(sigstore.Now)
		}
		n.put(name+".json", string(sigstore.TrustedRoot()))
	}
	n.put("app", "the app\n")
	return n
}

func (n *internet) put(name, text string) string {
	n.t.Helper()
	path := filepath.Join(n.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return path
}

// certifies is a Fulcio that certifies one run, whoever asks.
func certifies(s *attestationtest.Sigstore, run attestationtest.Identity) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			PublicKeyRequest struct {
				PublicKey struct {
					Content string `json:"content"`
				} `json:"publicKey"`
			} `json:"publicKeyRequest"`
		}
		err := json.UnmarshalRead(r.Body, &request)
		public, keyErr := cryptoutils.UnmarshalPEMToPublicKey([]byte(request.PublicKeyRequest.PublicKey.Content))
		leaf, issueErr := s.CA.Issue(attestationtest.CertificateRequest{Identity: run, PublicKey: public, NotBefore: s.Now(), CTLog: s.CTLog})
		if err := errors.Join(err, keyErr, issueErr); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var chain []string
		for _, certificate := range append([]*x509.Certificate{leaf}, s.CA.Chain()...) {
			chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
		}
		_ = json.MarshalWrite(w, map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}}})
	}
}

// RoundTrip asks one of the services.
func (n *internet) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	if host := r.URL.Host; host != idTokenHost && !slices.Contains(n.asked, host) {
		n.asked = append(n.asked, host)
	}
	n.mu.Unlock()
	service := n.services[r.URL.Host]
	if service == nil {
		return nil, fmt.Errorf("nobody is at %s", r.URL.Host)
	}
	answer := httptest.NewRecorder()
	service.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// theDisk opens paths as they are, as main does.
type theDisk struct{}

func (theDisk) Open(name string) (fs.File, error)          { return os.Open(name) }
func (theDisk) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (theDisk) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// signedRun is what a run left behind: its exit code, its report and its errors, and the
// hosts that were asked, in order of their names.
type signedRun struct {
	code      int
	out, says string
	asked     []string
}

// attest signs the app as the job does. DIR in an argument is the folder.
func (n *internet) attest(args ...string) signedRun {
	n.t.Helper()
	return n.run(append([]string{"attest", "DIR/app"}, args...)...)
}

func (n *internet) run(args ...string) signedRun {
	n.t.Helper()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", n.dir)
	}
	var stdout, stderr bytes.Buffer
	values := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "http://" + idTokenHost + "/token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer"}
	maps.Copy(values, n.variables)
	env := Env{
		Args: args, Getenv: func(name string) string { return values[name] },
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		FS: theDisk{}, Now: time.Now(), HTTP: &http.Client{Transport: n}, Version: "v0.0.0-test",
	}
	code := ExitCode(Run(context.Background(), env))
	n.mu.Lock()
	defer n.mu.Unlock()
	slices.Sort(n.asked)
	return signedRun{code: code, out: stdout.String(), says: stderr.String(), asked: n.asked}
}

// bothRoots are the trusted roots of both.
func bothRoots() []string {
	return []string{"--trusted-root", "sigstore=DIR/sigstore.dev.json", "--trusted-root", "github=DIR/githubapp.com.json"}
}
