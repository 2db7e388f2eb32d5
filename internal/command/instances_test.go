package command

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
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
	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// internet is both known instances under their own names, and a job of GitHub Actions.
// It keeps whom anybody asked, and knows nobody else.
type internet struct {
	t        *testing.T
	dir      string // with their trusted roots, and a file to sign
	services map[string]http.Handler
	claims   map[string]any // of the job's tokens

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
	for name, claim := range map[string]string{
		"repository_visibility": visibility, "job_workflow_sha": n.claims["sha"].(string), "workflow_sha": n.claims["sha"].(string), "workflow": "release",
	} {
		n.claims[name] = claim
	}
	if visibility == "" {
		delete(n.claims, "repository_visibility")
	}
	n.services[idTokenHost] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"value": %q}`, jwt(t, n.claims, "x").Reveal())
	})
	run := attestationtest.Workflow(attestationtest.WorkflowClaims{RunID: "1", Visibility: visibility})
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

// attest signs the app as the job does, which is built from another commit than is checked
// out around this test. DIR in an argument is the folder.
func (n *internet) attest(args ...string) signedRun {
	n.t.Helper()
	return n.attestAs(append(args, "--allow-other-head")...)
}

func (n *internet) attestAs(args ...string) signedRun {
	n.t.Helper()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", n.dir)
	}
	var stdout, stderr bytes.Buffer
	values := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "http://" + idTokenHost + "/token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer"}
	env := Env{
		Args: append([]string{"attest", filepath.Join(n.dir, "app")}, args...), Getenv: func(name string) string { return values[name] },
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

// TestInstances is every visibility at every instance: where a certificate is asked for
// and what is logged, to the host. A repository that is not known to be public is named
// to a public log in the rows with both flags alone, and with either one nobody is asked.
func TestInstances(t *testing.T) {
	t.Parallel()
	const (
		public = "the repository acme/app is public"
		forced = "named by --instance"
	)
	type row struct {
		instance string
		allow    bool
		hosts    []string // none where it is refused
		says     string
	}
	rowsOf := func(visibility string) []row {
		if visibility == "public" {
			return []row{
				{"", false, publicHosts(), "instance  public-good: " + public}, {"", true, publicHosts(), "instance  public-good: " + public},
				{"auto", false, publicHosts(), "instance  public-good: " + public}, {"auto", true, publicHosts(), "instance  public-good: " + public},
				{"public-good", false, publicHosts(), "instance  public-good: " + forced}, {"public-good", true, publicHosts(), "loosened  --allow-public-log"},
				{"github", false, githubHosts(), "instance  github: " + forced}, {"github", true, githubHosts(), "loosened  --allow-public-log"},
			}
		}
		chosen := "instance  github: the repository acme/app is " + cmpOr(visibility, "of unknown visibility") + ", and nothing is logged there"
		return []row{
			{"", false, githubHosts(), chosen}, {"", true, githubHosts(), chosen},
			{"auto", false, githubHosts(), chosen}, {"auto", true, githubHosts(), chosen},
			{"github", false, githubHosts(), "instance  github: " + forced}, {"github", true, githubHosts(), "instance  github: " + forced},
			{"public-good", false, nil, "acme/app is " + cmpOr(visibility, "of unknown visibility") + ", and its name would be in rekor.sigstore.dev"},
			{"public-good", true, publicHosts(), "loosened  --allow-public-log"},
		}
	}
	for _, visibility := range []string{"public", "private", "internal", "", "Public", "publicly", " public"} {
		for _, r := range rowsOf(visibility) {
			t.Run(fmt.Sprintf("%q %q %t", visibility, r.instance, r.allow), func(t *testing.T) {
				t.Parallel()
				n := newInternet(t, visibility)
				args := append(bothRoots(), "--bundle", "DIR/app.sigstore.json")
				if r.instance != "" {
					args = append(args, "--instance", r.instance)
				}
				if r.allow {
					args = append(args, "--allow-public-log")
				}
				got := n.attest(args...)
				if diff := cmp.Diff(r.hosts, got.asked); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				want := ExitAllowed
				if r.hosts == nil {
					want = ExitDenied
				}
				if got.code != want || !strings.Contains(strings.Join(strings.Fields(got.out+got.says), " "), strings.Join(strings.Fields(r.says), " ")) {
					t.Errorf("exit code %d, expected %d and %q\n%s%s", got.code, want, r.says, got.out, got.says)
				}
				if _, err := os.Stat(filepath.Join(n.dir, "app.sigstore.json")); (err == nil) != (want == ExitAllowed) {
					t.Errorf("the bundle: %v", err)
				}
			})
		}
	}
}

// TestInstancesOfKeys: a key signs alone, and with what is named for it. No certificate
// names anybody, and a log gets digests.
func TestInstancesOfKeys(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		args  []string
		hosts []string
		says  string
	}{
		"alone":           {nil, nil, "no proven time"},
		"auto":            {[]string{"--instance", "auto"}, nil, "no proven time"},
		"GitHub's":        {append(bothRoots(), "--instance", "github"), githubHosts()[1:], "instance  github: named by --instance"},
		"the public-good": {append(bothRoots(), "--instance", "public-good"), publicHosts()[1:], "instance  public-good: named by --instance"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, "private")
			n.put("key.pem", testKey)
			for _, more := range [][]string{{"--step", "build"}, {"--allow-other-head"}} {
				args := slices.Concat([]string{"--key", "DIR/key.pem"}, more, r.args)
				got := n.attestAs(args...)
				if diff := cmp.Diff(r.hosts, got.asked); diff != "" || got.code != ExitAllowed || !strings.Contains(got.out, r.says) {
					t.Errorf("exit code %d, expected %q, asked (-want +got):\n%s\n%s%s", got.code, r.says, diff, got.out, got.says)
				}
			}
		})
	}
}

// testKey is an ECDSA key that nobody trusts.
const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkHIGU89Y4D1dLd9a
34sb5KAZRCg8nryY3Lcy0bvfzdGhRANCAATklwZJti39oVWy2aEUxT9OfofGQlRI
lnA201LPf5p41sb6YBWzmdVemJQz/VDd3nKVJLPPe0l69TTsbtpQ7Dtx
-----END PRIVATE KEY-----
`

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestInstanceByAccident has private repositories, and in each row one more thing that
// could lead to a public log. Nobody is asked in any of them, but GitHub's own instance
// where that signs.
func TestInstanceByAccident(t *testing.T) {
	t.Parallel()
	config := func(ca string, rekor bool) string {
		log := ""
		if rekor {
			log = `"rekorTlogUrls": [{"url": "https://rekor.sigstore.dev", "majorApiVersion": 1, "validFor": {"start": "2021-01-12T11:53:27Z"}, "operator": "x"}], "rekorTlogConfig": {"selector": "ANY"},`
		}
		return `{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
			"caUrls": [{"url": "` + ca + `", "majorApiVersion": 1, "validFor": {"start": "2022-04-13T20:06:15Z"}, "operator": "x"}], ` + log + `
			"tsaUrls": [{"url": "https://timestamp.githubapp.com/api/v1/timestamp", "majorApiVersion": 1, "validFor": {"start": "2022-04-13T20:06:15Z"}, "operator": "x"}], "tsaConfig": {"selector": "ANY"}}`
	}
	for name, r := range map[string]struct {
		config string
		edit   func(root string) string // of GitHub's trusted root
		args   []string
		code   int
		hosts  []string
		says   string
	}{
		"nothing":                         {args: bothRoots(), hosts: githubHosts()},
		"a version of Rekor":              {args: append(bothRoots(), "--rekor-version", "1"), code: ExitUsage, says: "--rekor-version is the version of a log"},
		"a version of Rekor and the word": {args: append(bothRoots(), "--rekor-version", "2", "--allow-public-log"), code: ExitUsage, says: "--instance public-good and --allow-public-log"},
		"the public root alone":           {args: []string{"--trusted-root", "DIR/sigstore.dev.json"}, code: ExitUsage, says: "no trusted root is loaded that names the certificate authority https://fulcio.githubapp.com"},
		"a signing config with the log":   {config: config("https://fulcio.githubapp.com", true), args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "in rekor.sigstore.dev"},
		"the public authority, no log":    {config: config("https://fulcio.sigstore.dev", false), args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "the certificate transparency log"},
		"the same by its port": {
			config: config("https://Fulcio.Sigstore.dev:443/", false), edit: func(root string) string {
				return strings.ReplaceAll(root, `"https://fulcio.githubapp.com"`, `"https://fulcio.sigstore.dev:443"`)
			},
			args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "the certificate transparency log",
		},
		"the same by a dot": {
			config: config("https://fulcio.sigstore.dev.", false), edit: func(root string) string {
				return strings.ReplaceAll(root, `"https://fulcio.githubapp.com"`, `"fulcio.sigstore.dev."`)
			},
			args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "the certificate transparency log",
		},
		"an authority that nobody knows":    {config: config("https://fulcio.acme.example", false), args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "the certificate transparency log"},
		"a signing config without its root": {config: config("https://fulcio.acme.example", false), args: []string{"--offline", "--signing-config", "DIR/config.json"}, code: ExitUsage, says: "give the trusted root of that instance"},
		"two instances":                     {config: config("https://fulcio.githubapp.com", false), args: append(bothRoots(), "--signing-config", "DIR/config.json", "--instance", "github"), code: ExitUsage, says: "name two instances"},
		"an instance that there is not":     {args: append(bothRoots(), "--instance", "private"), code: ExitUsage, says: "unknown --instance"},
		"GitHub's, and a version of Rekor":  {args: append(bothRoots(), "--instance", "github", "--rekor-version", "1"), code: ExitUsage, says: "has no log"},
		"a signing config of GitHub's own":  {config: config("https://fulcio.githubapp.com", false), args: append(bothRoots(), "--signing-config", "DIR/config.json"), hosts: githubHosts(), says: "instance  custom: named by --signing-config"},
		"GitHub's root as GitHub writes it": {edit: func(root string) string {
			return strings.ReplaceAll(root, `"https://fulcio.githubapp.com"`, `"fulcio.githubapp.com"`)
		}, args: bothRoots(), hosts: githubHosts()},
		"a root that has a log for GitHub's": {edit: withLog(t), args: bothRoots(), code: ExitDenied, says: "the certificate transparency log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, "private")
			n.put("config.json", r.config)
			if r.edit != nil {
				data, err := os.ReadFile(filepath.Join(n.dir, "githubapp.com.json"))
				if err != nil {
					t.Fatal(err)
				}
				n.put("githubapp.com.json", r.edit(string(data)))
			}
			got := n.attest(r.args...)
			if diff := cmp.Diff(r.hosts, got.asked); diff != "" || got.code != r.code || !strings.Contains(got.out+got.says, r.says) {
				t.Errorf("exit code %d, expected %d and %q; asked (-want +got):\n%s\n%s%s", got.code, r.code, r.says, diff, got.out, got.says)
			}
		})
	}
}

// withLog puts a log of certificates into a trusted root.
func withLog(t *testing.T) func(string) string {
	t.Helper()
	logged, err := attestationtest.New(attestationtest.Config{CT: true, TSA: true, Domain: "githubapp.com"})
	if err != nil {
		t.Fatal(err)
	}
	return func(root string) string {
		_, logs, _ := strings.Cut(string(logged.TrustedRoot()), `"ctlogs":`)
		logs, _, _ = strings.Cut(logs, `]`)
		return strings.Replace(root, `{"mediaType"`, `{"ctlogs":`+logs+`],"mediaType"`, 1)
	}
}
