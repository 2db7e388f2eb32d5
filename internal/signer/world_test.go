package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/identity"
)

// world is a Sigstore on 127.0.0.1 whose services can be made to fail. It
// collects every text that a signing gave out, and holds at the end that none of
// them shows a token.
type world struct {
	t        *testing.T
	sigstore *attestationtest.Sigstore
	root     *attestation.Root
	services Services // all of them, with Rekor v1

	mu     sync.Mutex
	faults map[string][]fault // by service, one for each request from now on
	asked  map[string]int     // requests by service
	bodies map[string][][]byte
	tokens []string // every token that was minted
	waits  []time.Duration
	texts  []string

	certify attestationtest.Identity // whom Fulcio certifies
	key     func() any               // the public key that Fulcio certifies instead; nil for the one asked
	expires time.Time                // what the next tokens say
}

// fault answers a request in the service's place. It may serve it first.
type fault func(w http.ResponseWriter, r *http.Request, serve http.Handler)

const (
	fulcio = "fulcio"
	tsa    = "tsa"
	rekor1 = "rekor1"
	rekor2 = "rekor2"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	sigstore, err := attestationtest.New(attestationtest.PublicGood())
	if err != nil {
		t.Fatal(err)
	}
	material, err := root.NewTrustedRootFromJSON(sigstore.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := attestation.NewRoot("test", material)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, sigstore: sigstore, root: opened,
		faults: map[string][]fault{}, asked: map[string]int{}, bodies: map[string][][]byte{},
		certify: workflow(), expires: sigstore.Now().Add(time.Hour),
	}
	w.services = Services{
		Fulcio:       w.serve(fulcio, http.HandlerFunc(w.fulcio)),
		TSA:          []string{w.serve(tsa, sigstore.TSA.Handler(sigstore.Now)) + "/api/v1/timestamp"},
		Rekor:        []string{w.serve(rekor1, sigstore.RekorV1.Handler(sigstore.Now))},
		RekorVersion: RekorV1,
	}
	t.Cleanup(w.holdSecrets)
	return w
}

func workflow() attestationtest.Identity {
	return attestationtest.Workflow(attestationtest.WorkflowClaims{Repository: "acme/app"})
}

// v2 are the services with Rekor v2 in the place of v1.
func (w *world) v2() Services {
	s := w.services
	s.Rekor, s.RekorVersion = []string{w.serve(rekor2, w.sigstore.RekorV2.Handler())}, RekorV2
	return s
}

// serve returns the address of a service, behind its faults.
func (w *world) serve(name string, handler http.Handler) string {
	server := httptest.NewServer(w.behind(name, handler))
	w.t.Cleanup(server.Close)
	return server.URL
}

func (w *world) behind(name string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.asked[name]++
		w.bodies[name] = append(w.bodies[name], body)
		var strike fault
		if queue := w.faults[name]; len(queue) > 0 {
			strike, w.faults[name] = queue[0], queue[1:]
		}
		w.mu.Unlock()
		if strike == nil {
			handler.ServeHTTP(out, r)
			return
		}
		strike(out, r, handler)
	})
}

// fail queues faults of a service, the first for its next request.
func (w *world) fail(service string, faults ...fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[service] = faults
}

// seen counts the requests by service.
func (w *world) seen() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.asked)
}

// repeated tells whether a service got one request twice.
func (w *world) repeated(service string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, body := range w.bodies[service] {
		for _, other := range w.bodies[service][:i] {
			if bytes.Equal(body, other) {
				return true
			}
		}
	}
	return false
}

// fulcio certifies whoever bears a token.
func (w *world) fulcio(out http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.mu.Lock()
	known := slices.Contains(w.tokens, token)
	w.mu.Unlock()
	var request struct {
		PublicKeyRequest struct {
			PublicKey         struct{ Algorithm, Content string }
			ProofOfPossession []byte
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || !known || r.URL.Path != "/api/v2/signingCert" {
		refusal(http.StatusBadRequest, "There was an error processing the identity token")(out, r, nil)
		return
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(request.PublicKeyRequest.PublicKey.Content))
	if err != nil || request.PublicKeyRequest.PublicKey.Algorithm != "ECDSA" {
		refusal(http.StatusBadRequest, "no public key")(out, r, nil)
		return
	}
	if w.key != nil {
		public = w.key()
	}
	leaf, err := w.sigstore.CA.Issue(attestationtest.CertificateRequest{
		Identity: w.certify, PublicKey: public, NotBefore: w.sigstore.Now(), CTLog: w.sigstore.CTLog,
	})
	if err != nil {
		refusal(http.StatusInternalServerError, err.Error())(out, r, nil)
		return
	}
	var chain []string
	for _, certificate := range append([]*x509.Certificate{leaf}, w.sigstore.CA.Chain()...) {
		chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
	}
	_ = json.NewEncoder(out).Encode(map[string]any{
		"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}},
	})
}

// mint is the world's source of tokens.
func (w *world) mint(context.Context) (identity.Token, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	claims, err := json.Marshal(map[string]any{
		"sub": "repo:acme/app:ref:refs/heads/main", "aud": "sigstore",
		"exp": w.expires.Unix(), "jti": fmt.Sprint(len(w.tokens)),
	})
	if err != nil {
		return identity.Token{}, err
	}
	secret := sha256.Sum256(claims)
	encode := base64.RawURLEncoding.EncodeToString
	raw := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims) + "." + encode(secret[:])
	w.tokens = append(w.tokens, raw)
	return identity.NewToken(raw), nil
}

// expect is CheckCertificate for the workflow.
func expect(s identity.Signer) error {
	if want := workflow().URI; s.SAN != want {
		return fmt.Errorf("it is for %s, expected %s", s.SAN, want)
	}
	return nil
}

// request is a good one.
func (w *world) request() Request {
	return Request{Content: Statement(statement()), Services: w.services, Token: w.mint, CheckCertificate: expect}
}

func statement() []byte {
	return attestationtest.Statement(
		[]attestationtest.Subject{attestationtest.File("app", []byte("app"))},
		"https://slsa.dev/provenance/v1",
		attestationtest.Provenance(attestationtest.WorkflowClaims{Repository: "acme/app"}),
	)
}

// options never wait and never draw.
func (w *world) options() Options {
	return Options{
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Now: w.sigstore.Now(),
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.waits = append(w.waits, d)
			return ctx.Err()
		},
		Jitter: func() float64 { return 0 },
	}
}

// sign signs and keeps every text that comes of it.
func (w *world) sign(ctx context.Context, r Request, o Options) (*Result, error) {
	w.t.Helper()
	result, err := Sign(ctx, r, o)
	w.texts = append(w.texts, fmt.Sprintf("%+v %v %+v", result, r.Key, r.Services))
	for e := err; e != nil; {
		w.texts = append(w.texts, e.Error(), fmt.Sprintf("%v|%+v|%#v", e, e, e))
		inner, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = inner.Unwrap()
	}
	if result != nil {
		w.texts = append(w.texts, string(result.Bundle))
	}
	if (result == nil) == (err == nil) {
		w.t.Errorf("Sign gave %v and %v, expected one of them", result, err)
	}
	return result, err
}

// holdSecrets scans all output for the tokens.
func (w *world) holdSecrets() {
	for _, token := range w.tokens {
		parts := strings.Split(token, ".")
		for _, text := range w.texts {
			if strings.Contains(text, parts[1]) || strings.Contains(text, parts[2]) {
				w.t.Errorf("a text shows a token: %s", text)
			}
		}
	}
}

// open verifies the bundle as a caller would.
func (w *world) open(result *Result) *attestation.Verified {
	w.t.Helper()
	verified, err := attestation.Open(one(w.t, result.Bundle), w.root)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, result.Bundle)
	}
	if !verified.Signer().Equal(result.Signer) {
		w.t.Errorf("the signer is %v, the result says %v", verified.Signer(), result.Signer)
	}
	return verified
}

func one(t *testing.T, bundle []byte) attestation.Candidate {
	t.Helper()
	if bytes.ContainsAny(bundle, "\n\r") {
		t.Errorf("the bundle is no single line: %s", bundle)
	}
	found, refused := attestation.Candidates("bundle", bundle)
	if len(found) != 1 || len(refused) != 0 {
		t.Fatalf("%d candidates, refused %v, expected one: %s", len(found), refused, bundle)
	}
	return found[0]
}

// refusal answers with a status and the words of a server.
func refusal(status int, message string, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": status, "message": message})
	}
}

// down ends the connection without an answer.
func down(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// lost serves the request and loses the answer.
func lost(_ http.ResponseWriter, r *http.Request, serve http.Handler) {
	serve.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// garbage is what a hotel's network answers.
func garbage(status int) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html>Welcome\x00\xff"))
	}
}

// truncated serves the request and cuts its answer short.
func truncated(w http.ResponseWriter, r *http.Request, serve http.Handler) {
	served := httptest.NewRecorder()
	serve.ServeHTTP(served, r)
	w.Header().Set("Content-Length", fmt.Sprint(served.Body.Len()))
	w.WriteHeader(served.Code)
	_, _ = w.Write(served.Body.Bytes()[:served.Body.Len()/2])
	panic(http.ErrAbortHandler)
}

func times(n int, f fault) []fault { return slices.Repeat([]fault{f}, n) }
