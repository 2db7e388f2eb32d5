package signer

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
)

func TestSignWithToken(t *testing.T) {
	t.Parallel()
	digests, err := artifact.Hash(strings.NewReader("app"), artifact.SHA256, artifact.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []struct {
		name    string
		content Content
	}{{"statement", Statement(statement())}, {"message", Message(digests)}} {
		for _, log := range []struct {
			name     string
			services func(*world) Services
			entries  int
			times    int
		}{
			{"v1 and TSA", func(w *world) Services { return w.services }, 1, 2},
			{"v1 alone", func(w *world) Services { s := w.services; s.TSA = nil; return s }, 1, 1},
			{"v2 and TSA", (*world).v2, 1, 1},
		} {
			t.Run(content.name+", "+log.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				r := w.request()
				r.Content, r.Services = content.content, log.services(w)
				result, err := w.sign(t.Context(), r, w.options())
				if err != nil {
					t.Fatal(err)
				}
				verified := w.open(result)
				if len(result.Entries) != log.entries || len(verified.Times()) != log.times {
					t.Errorf("%d entries and %d times, expected %d and %d", len(result.Entries), len(verified.Times()), log.entries, log.times)
				}
				if got := verified.Statement().MessageSignature(); got != (content.name == "message") {
					t.Errorf("it is a message signature: %v", got)
				}
				if len(w.waits) != 0 || len(w.tokens) != 1 || w.seen()[fulcio] != 1 {
					t.Errorf("%v waits, %d tokens, asked %v", w.waits, len(w.tokens), w.seen())
				}
			})
		}
	}
}

// Each key signs with and without services, and its bundle opens with it.
func TestSignWithKey(t *testing.T) {
	t.Parallel()
	digests, err := artifact.Hash(strings.NewReader("app"), artifact.SHA256, artifact.SHA384, artifact.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range keys(t) {
		for _, log := range []struct {
			name     string
			services func(*world) Services
			rooted   bool
		}{
			{"alone", func(*world) Services { return Services{} }, false},
			{"v1", func(w *world) Services { return w.services }, true},
			{"v2", (*world).v2, true},
			{"TSA alone", func(w *world) Services { return Services{TSA: w.services.TSA} }, false},
		} {
			for kind, content := range map[string]Content{"statement": Statement(statement()), "message": Message(digests)} {
				t.Run(strings.Join([]string{name, log.name, kind}, " "), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					private, err := ParsePrivateKey(key.private)
					if err != nil {
						t.Fatal(err)
					}
					result, err := w.sign(t.Context(), Request{Content: content, Services: log.services(w), Key: &private}, w.options())
					if name == "Ed25519" && log.name == "v2" && kind == "statement" {
						if _, ok := errors.AsType[*ConfigError](err); !ok {
							t.Fatalf("it gave %v, expected a *ConfigError", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					public, err := attestation.ParseKey(key.public)
					if err != nil {
						t.Fatal(err)
					}
					under := w.root
					if !log.rooted {
						under = nil
					}
					verified, err := attestation.OpenWithKey(one(t, result.Bundle), public, under)
					if err != nil {
						t.Fatalf("%v\n%s", err, result.Bundle)
					}
					if !verified.Signer().Equal(result.Signer) || w.seen()[fulcio] != 0 {
						t.Errorf("the signer is %v, the result says %v; Fulcio was asked %d times", verified.Signer(), result.Signer, w.seen()[fulcio])
					}
				})
			}
		}
	}
}

type keyPair struct{ private, public []byte }

// keys are new keys of every kind, in PEM.
func keys(t *testing.T) map[string]keyPair {
	t.Helper()
	out := map[string]keyPair{}
	add := func(name string, private, public any) {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		spki, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = keyPair{inPEM("PRIVATE KEY", der), inPEM("PUBLIC KEY", spki)}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		add(curve.Params().Name, key, key.Public())
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	add("Ed25519", private, public)
	return out
}

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// What passes is tried again, and the bundle is made.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		faults []fault
		waits  []time.Duration
	}{
		{"down", []fault{down}, []time.Duration{250 * time.Millisecond}},
		{"500", []fault{refusal(500, "oops")}, []time.Duration{250 * time.Millisecond}},
		{"503 four times", times(4, refusal(503, "oops")), []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}},
		{"429", []fault{refusal(429, "slow down")}, []time.Duration{250 * time.Millisecond}},
		{"429 with seconds", []fault{refusal(429, "slow down", "Retry-After", "7")}, []time.Duration{7 * time.Second}},
		{"429 with a date", []fault{refusal(429, "", "Retry-After", "Thu, 15 Jan 2026 12:00:09 GMT", "Date", "Thu, 15 Jan 2026 12:00:01 GMT")}, []time.Duration{8 * time.Second}},
		{"429 with a date that has passed", []fault{refusal(429, "", "Retry-After", "Thu, 15 Jan 2026 12:00:00 GMT", "Date", "Thu, 15 Jan 2026 12:00:01 GMT")}, []time.Duration{250 * time.Millisecond}},
		{"429 with nonsense", []fault{refusal(429, "", "Retry-After", "-5")}, []time.Duration{250 * time.Millisecond}},
		{"an answer cut short", []fault{truncated}, []time.Duration{250 * time.Millisecond}},
		{"an answer lost", []fault{lost}, []time.Duration{250 * time.Millisecond}},
	} {
		for _, service := range []string{fulcio, tsa, rekor1, rekor2} {
			t.Run(service+" "+row.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				r := w.request()
				if service == rekor2 {
					r.Services = w.v2()
				}
				w.fail(service, row.faults...)
				result, err := w.sign(t.Context(), r, w.options())
				if err != nil {
					t.Fatal(err)
				}
				w.open(result)
				if diff := cmp.Diff(row.waits, w.waits); diff != "" {
					t.Errorf("waits (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// What does not pass is an error that says which service, where, and what to do.
func TestLastingFaults(t *testing.T) {
	t.Parallel()
	shout := "no\x1b[31m\n\u202esuch; next: rm -rf\t " + strings.Repeat("x", 10_000)
	for _, row := range []struct {
		name      string
		fault     fault
		status    int
		attempts  int
		temporary bool
		says      string
	}{
		{"down", down, 0, maxAttempts, true, "; next: try again later"},
		{"500", refusal(500, "database away"), 500, maxAttempts, true, "500 Internal Server Error (6 attempts): database away; next: try again later"},
		{"429 for an hour", refusal(429, "slow down", "Retry-After", "3600"), 429, 1, true, "; next: it asks to come back in 1h0m0s"},
		{"400", refusal(400, "no such thing"), 400, 1, false, "400 Bad Request: no such thing; next: check"},
		{"403", refusal(403, "not you"), 403, 1, false, "not you; next: check"},
		{"404", refusal(404, "nothing here"), 404, 1, false, "nothing here; next: check"},
		{"413", refusal(413, "too big"), 413, 1, false, "too big; next: attest fewer"},
		{"a redirect", refusal(307, "", "Location", "http://127.0.0.1:1/"), 307, 1, false, "307 Temporary Redirect"},
		{"shouting", refusal(400, shout), 400, 1, false, "no[31m such; rm -rf xxx"},
		{"garbage", nil, -1, 1, false, "cannot be used"},
		{"an endless answer", endless, -1, 1, false, "longer than"},
	} {
		for service, name := range map[string]Service{fulcio: Fulcio, tsa: TSA, rekor1: RekorOfV1, rekor2: RekorOfV2} {
			t.Run(service+" "+row.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				r := w.request()
				if service == rekor2 {
					r.Services = w.v2()
				}
				strike := row.fault
				if strike == nil {
					strike = garbage(map[bool]int{true: 200, false: 201}[service == fulcio])
				}
				w.fail(service, times(20, strike)...)
				_, err := w.sign(t.Context(), r, w.options())
				e, ok := errors.AsType[*ServiceError](err)
				if !ok {
					t.Fatalf("it gave %v, expected a *ServiceError", err)
				}
				if e.Service != name || !strings.HasPrefix(e.Host, "127.0.0.1:") || e.Attempts != row.attempts || e.Temporary != row.temporary || row.status >= 0 && e.Status != row.status {
					t.Errorf("%+v", e)
				}
				text := err.Error()
				if !strings.Contains(text, row.says) || strings.Count(text, "; next: ") != 1 || len(text) > 1000 || strings.ContainsAny(text, "\n\r\t\x1b\u202e") {
					t.Errorf("it says %q, expected %q in it, and one next step", text, row.says)
				}
				if w.seen()[service] != row.attempts {
					t.Errorf("it was asked %d times, expected %d", w.seen()[service], row.attempts)
				}
				if service != rekor1 && service != rekor2 && w.seen()[rekor1] != 0 {
					t.Error("Rekor has seen something")
				}
			})
		}
	}
}

// endless answers with more than anyone reads.
func endless(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	piece := bytes.Repeat([]byte(" "), 1<<20)
	if strings.Contains(r.URL.Path, "v2/log") || strings.Contains(r.URL.Path, "v1") {
		w.WriteHeader(http.StatusCreated)
	}
	for range 16 {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// Before the certificate has passed, neither TSA nor Rekor sees anything.
func TestCertificateComesFirst(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	errMine := errors.New("its claims differ")
	for _, row := range []struct {
		name  string
		world func(*world)
		check func(identity.Signer) error
		says  string
	}{
		{"another key", func(w *world) { w.key = func() any { return other.Public() } }, expect, "another key"},
		{"another identity", func(w *world) {
			w.certify.URI = "https://github.com/mallory/app/.github/workflows/x.yml@refs/heads/main"
		}, expect, "mallory"},
		{"two issuers", func(w *world) { w.certify = w.certify.With("issuerV1", "https://issuer.example") }, expect, "issuer"},
		{"the caller's reason", func(*world) {}, func(identity.Signer) error { return errMine }, "its claims differ"},
		{"no certificate", func(w *world) {
			w.fail(fulcio, func(out http.ResponseWriter, _ *http.Request, _ http.Handler) {
				_, _ = fmt.Fprintf(out, `{"signedCertificateEmbeddedSct":{"chain":{"certificates":[%q]}}}`, inPEM("CERTIFICATE", []byte("x")))
			})
		}, expect, "x509"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			row.world(w)
			r := w.request()
			r.CheckCertificate = row.check
			_, err := w.sign(t.Context(), r, w.options())
			e, ok := errors.AsType[*CertificateError](err)
			if !ok || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "; next: ") || !strings.HasPrefix(e.Host, "127.0.0.1:") {
				t.Errorf("it gave %v, expected a *CertificateError with %q", err, row.says)
			}
			if row.name == "the caller's reason" && !errors.Is(err, errMine) {
				t.Error("the caller's error is lost")
			}
			if w.seen()[tsa] != 0 || w.seen()[rekor1] != 0 {
				t.Errorf("asked %v, expected Fulcio alone", w.seen())
			}
		})
	}
}

func TestExpiredToken(t *testing.T) {
	t.Parallel()
	refuse := refusal(400, "There was an error processing the identity token")
	for _, row := range []struct {
		name    string
		expires time.Duration
		faults  []fault
		tokens  int
		ok      bool
	}{
		{"it has expired", -time.Minute, []fault{refuse}, 2, true},
		{"it expired on the way", 30 * time.Second, []fault{refusal(500, ""), refuse}, 2, true},
		{"Fulcio says so", time.Hour, []fault{refusal(401, "oidc: token is expired")}, 2, true},
		{"again", -time.Minute, []fault{refuse, refuse}, 2, false},
		{"it has not", time.Hour, []fault{refuse}, 1, false},
		{"it is another error", -time.Minute, []fault{refusal(404, "expired")}, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.expires = w.sigstore.Now().Add(row.expires)
			w.fail(fulcio, row.faults...)
			result, err := w.sign(t.Context(), w.request(), w.options())
			if (err == nil) != row.ok || len(w.tokens) != row.tokens {
				t.Fatalf("it gave %v after %d tokens, expected %d", err, len(w.tokens), row.tokens)
			}
			if err == nil {
				w.open(result)
			}
		})
	}
	t.Run("the same token again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.expires = w.sigstore.Now()
		w.fail(fulcio, refuse)
		token, err := w.mint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := w.request()
		r.Token = func(context.Context) (identity.Token, error) { return token, nil }
		if _, err := w.sign(t.Context(), r, w.options()); err == nil || w.seen()[fulcio] != 1 {
			t.Errorf("it gave %v after %d requests, expected 1", err, w.seen()[fulcio])
		}
	})
}

// A server that repeats the token does not bring it into any text; holdSecrets
// looks.
func TestServerRepeatsToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, padding := range []int{0, answer.MaxText - 40, answer.MaxRead - 60, answer.MaxRead - 200} {
		w.fail(fulcio, func(out http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Error(out, strings.Repeat(" y", padding/2)+r.Header.Get("Authorization"), http.StatusUnauthorized)
		})
		if _, err := w.sign(t.Context(), w.request(), w.options()); err == nil || padding == 0 && !strings.Contains(err.Error(), "Bearer [token]") {
			t.Errorf("it gave %v", err)
		}
	}
	// Scanning sees what is there to see.
	if w.tokens[0] == "" || len(w.texts) < 4 {
		t.Error("there is nothing to look for")
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	errMint := errors.New("no id-token permission; next: add it")
	for name, source := range map[string]TokenSource{
		"none":     func(context.Context) (identity.Token, error) { return identity.Token{}, nil },
		"an error": func(context.Context) (identity.Token, error) { return identity.Token{}, errMint },
		"no JWT":   func(context.Context) (identity.Token, error) { return identity.NewToken("hunter2hunter2"), nil },
		"a line":   func(context.Context) (identity.Token, error) { return identity.NewToken("a.b\nHost: x.hunter2"), nil },
		"no claims": func(context.Context) (identity.Token, error) {
			return identity.NewToken("hunter2hunter2xx.hunter2hunter2xx.hunter2hunter2xx"), nil
		},
		"too long": func(context.Context) (identity.Token, error) {
			return identity.NewToken("a.b." + strings.Repeat("hunter2", identity.MaxTokenBytes)), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.request()
			r.Token = source
			_, err := w.sign(t.Context(), r, w.options())
			if err == nil || strings.Contains(err.Error(), "hunter2") || w.seen()[fulcio] != 0 {
				t.Errorf("it gave %v, and asked %v", err, w.seen())
			}
			if name == "an error" && !errors.Is(err, errMint) {
				t.Errorf("the source's error is lost: %v", err)
			}
		})
	}
}

// What an earlier attempt logged is fetched, wherever the log says where it is.
func TestConflictV1(t *testing.T) {
	t.Parallel()
	conflict := func(edit func(*httptest.ResponseRecorder)) fault {
		return func(w http.ResponseWriter, r *http.Request, serve http.Handler) {
			served := httptest.NewRecorder()
			serve.ServeHTTP(served, r)
			location := served.Header().Get("Location")
			again := httptest.NewRecorder()
			again.Header().Set("Location", location)
			_, _ = again.WriteString(`{"code":409,"message":"an equivalent entry already exists in the transparency log with UUID ` + location[strings.LastIndexByte(location, '/')+1:] + `"}`)
			edit(again)
			for name, values := range again.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write(again.Body.Bytes())
		}
	}
	for _, row := range []struct {
		name   string
		faults []fault
		ok     bool
	}{
		{"located", []fault{conflict(func(*httptest.ResponseRecorder) {})}, true},
		{"on another host", []fault{conflict(func(a *httptest.ResponseRecorder) {
			a.Header().Set("Location", "http://127.0.0.1:1"+a.Header().Get("Location"))
		})}, true},
		{"in words", []fault{conflict(func(a *httptest.ResponseRecorder) { a.Header().Del("Location") })}, true},
		{"not found at once", []fault{conflict(func(*httptest.ResponseRecorder) {}), refusal(404, "entry not found")}, true},
		{"nowhere", []fault{conflict(func(a *httptest.ResponseRecorder) {
			a.Header().Set("Location", "/api/v1/log/entries/../../../x")
			a.Body.Reset()
		})}, false},
		{"never found", append([]fault{conflict(func(*httptest.ResponseRecorder) {})}, times(10, refusal(404, "entry not found"))...), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fail(rekor1, row.faults...)
			result, err := w.sign(t.Context(), w.request(), w.options())
			if (err == nil) != row.ok {
				t.Fatalf("it gave %v", err)
			}
			if err == nil {
				w.open(result)
				return
			}
			if e, ok := errors.AsType[*ServiceError](err); !ok || e.Service != RekorOfV1 {
				t.Errorf("it gave %v, expected a *ServiceError of %s", err, RekorOfV1)
			}
		})
	}
}

// Rekor v2 does not give back what it holds: the statement is signed anew.
func TestConflictV2(t *testing.T) {
	t.Parallel()
	conflict := refusal(409, "an equivalent entry already exists", "X-Log-Index", "0")
	for n, ok := range map[int]bool{1: true, maxSeals - 1: true, maxSeals: false} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.request()
			r.Services = w.v2()
			w.fail(rekor2, times(n, conflict)...)
			result, err := w.sign(t.Context(), r, w.options())
			if (err == nil) != ok {
				t.Fatalf("it gave %v", err)
			}
			if err == nil {
				w.open(result)
			} else if e, ok := errors.AsType[*ServiceError](err); !ok || !e.Temporary || e.Status != 409 || e.Service != RekorOfV2 {
				t.Errorf("it gave %v, expected a *ServiceError", err)
			}
			if w.seen()[fulcio] != 1 || w.repeated(rekor2) {
				t.Errorf("asked %v, expected one certificate and other signatures", w.seen())
			}
		})
	}
}

// A timestamp for something else is noticed before anything is logged.
func TestTimestampOfOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(tsa, func(out http.ResponseWriter, _ *http.Request, _ http.Handler) {
		stamp, err := w.sigstore.TSA.Stamp([]byte("other"), w.sigstore.Now())
		if err != nil {
			panic(err)
		}
		out.WriteHeader(http.StatusCreated)
		_, _ = out.Write(stamp)
	})
	_, err := w.sign(t.Context(), w.request(), w.options())
	if e, ok := errors.AsType[*ServiceError](err); !ok || e.Service != TSA || w.seen()[rekor1] != 0 {
		t.Errorf("it gave %v, and asked %v", err, w.seen())
	}
}

// An entry that lacks what sigstore-go takes for granted is an error.
func TestIncompleteEntries(t *testing.T) {
	t.Parallel()
	for _, service := range []string{rekor1, rekor2} {
		for _, body := range []string{
			`{}`, `[]`, `null`, `{"a":{}}`, `{"a":{"body":"e30=","logID":"00","logIndex":0,"integratedTime":1}}`,
			`{"a":{"body":"e30=","logID":"00","logIndex":0,"integratedTime":1,"verification":{}}}`,
			`{"a":{"body":"e30=","logID":"00","logIndex":0,"integratedTime":1,"verification":{"inclusionProof":{}}}}`,
			`{"a":{"body":"e30=","logID":"xx","logIndex":0,"integratedTime":1,"verification":{"inclusionProof":{"rootHash":"00","treeSize":1,"logIndex":0,"checkpoint":"x"}}}}`,
			`{"logIndex":"1"}`, `{"a":{},"b":{}}`,
		} {
			w := newWorld(t)
			r := w.request()
			if service == rekor2 {
				r.Services = w.v2()
			}
			w.fail(service, func(out http.ResponseWriter, _ *http.Request, _ http.Handler) {
				out.WriteHeader(http.StatusCreated)
				_, _ = out.Write([]byte(body))
			})
			_, err := w.sign(t.Context(), r, w.options())
			if e, ok := errors.AsType[*ServiceError](err); !ok || e.Temporary || !strings.Contains(err.Error(), "cannot be used") {
				t.Errorf("%s: %s gave %v", service, body, err)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	for service, name := range map[string]Service{fulcio: Fulcio, tsa: TSA, rekor1: RekorOfV1, rekor2: RekorOfV2} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.request()
			if service == rekor2 {
				r.Services = w.v2()
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.fail(service, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
				cancel() // during the upload
				<-r.Context().Done()
			})
			_, err := w.sign(ctx, r, w.options())
			e, ok := errors.AsType[*ServiceError](err)
			if !ok || e.Service != name || !errors.Is(err, context.Canceled) || e.Attempts != 1 {
				t.Errorf("it gave %v, expected an interruption of %s", err, name)
			}
			if len(w.waits) != 0 {
				t.Errorf("it waited %v", w.waits)
			}
		})
	}
	t.Run("while waiting", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.fail(rekor1, times(10, down)...)
		o := w.options()
		o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
		if _, err := w.sign(ctx, w.request(), o); !errors.Is(err, context.Canceled) || w.seen()[rekor1] != 1 {
			t.Errorf("it gave %v after %d requests", err, w.seen()[rekor1])
		}
	})
}

// On a clock that jumps: a silent service costs its attempts and no more than
// the budget, and one that comes back is used.
func TestSlow(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		silent int
		took   time.Duration
		ok     bool
	}{
		{"one attempt", 1, 30*time.Second + 250*time.Millisecond, true},
		{"for ever", 100, 90 * time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			mux := http.NewServeMux()
			mux.Handle("/api/v1/log/", w.sigstore.RekorV1.Handler(w.sigstore.Now))
			mux.Handle("/api/v1/timestamp", w.sigstore.TSA.Handler(w.sigstore.Now))
			mux.HandleFunc("/api/v2/signingCert", w.fulcio)
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				r := w.request()
				r.Services = Services{Fulcio: "http://fulcio.test", TSA: []string{"http://tsa.test/api/v1/timestamp"}, Rekor: []string{"http://rekor.test"}, RekorVersion: RekorV1}
				o := Options{Now: w.sigstore.Now(), Jitter: func() float64 { return 0 }, HTTP: &http.Client{Transport: roundTrip(func(q *http.Request) (*http.Response, error) {
					if q.URL.Host == "rekor.test" {
						if asked++; asked <= row.silent {
							<-q.Context().Done()
							return nil, q.Context().Err()
						}
					}
					served := httptest.NewRecorder()
					mux.ServeHTTP(served, q)
					return served.Result(), nil
				})}}
				start := time.Now()
				_, err := Sign(t.Context(), r, o)
				if took := time.Since(start); took != row.took || (err == nil) != row.ok {
					t.Errorf("it gave %v after %v, expected %v", err, took, row.took)
				}
				if e, ok := errors.AsType[*ServiceError](err); err != nil && (!ok || !e.Temporary || !strings.Contains(err.Error(), "no answer in time")) {
					t.Errorf("it gave %v, expected a temporary *ServiceError", err)
				}
			})
		})
	}
}

// Waits grow to their bound, from half of it without jitter to all of it with.
func TestWaits(t *testing.T) {
	t.Parallel()
	c := newCourier(Options{HTTP: &http.Client{}, Jitter: func() float64 { return 1 }})
	var got []time.Duration
	for n := 1; n <= 7; n++ {
		got = append(got, c.wait(n, 0))
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 15 * time.Second}
	if !slices.Equal(got, want) {
		t.Errorf("waits %v, expected %v", got, want)
	}
	if got := c.wait(1, 10*time.Second); got != 10*time.Second+250*time.Millisecond {
		t.Errorf("a Retry-After of 10s waits %v", got)
	}
	drawn := newCourier(Options{HTTP: &http.Client{}}).wait(1, 0)
	if drawn < 250*time.Millisecond || drawn >= 500*time.Millisecond {
		t.Errorf("a drawn wait is %v", drawn)
	}
}

// Requests that nobody could fulfil are refused before anyone is asked.
func TestRequests(t *testing.T) {
	t.Parallel()
	pair := keys(t)["P-256"]
	key, err := ParsePrivateKey(pair.private)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		edit func(*Request, *Options)
		says string
	}{
		{"nobody", func(r *Request, _ *Options) { r.Token = nil }, "exactly one of a token and a key"},
		{"two", func(r *Request, _ *Options) { r.Key = &key }, "exactly one of a token and a key"},
		{"an empty key", func(r *Request, _ *Options) { r.Token, r.Key = nil, &PrivateKey{} }, "empty"},
		{"nothing", func(r *Request, _ *Options) { r.Content = Content{} }, "exactly one of a statement"},
		{"no check", func(r *Request, _ *Options) { r.CheckCertificate = nil }, "whom the certificate must name"},
		{"no JSON", func(r *Request, _ *Options) { r.Content = Statement([]byte("{")) }, "not JSON"},
		{"too large", func(r *Request, _ *Options) { r.Content = Statement(make([]byte, MaxStatementSize+1)) }, "; next: "},
		{"no services", func(r *Request, _ *Options) { r.Services = Services{} }, "certificate authority"},
		{"no time", func(r *Request, _ *Options) { r.Services.Rekor, r.Services.TSA = nil, nil }, "nothing would prove"},
		{"v2 without TSA", func(r *Request, _ *Options) { r.Services.RekorVersion, r.Services.TSA = RekorV2, nil }, "names no timestamp authority"},
		{"v3", func(r *Request, _ *Options) { r.Services.RekorVersion = 3 }, "version 3"},
		{"no client", func(_ *Request, o *Options) { o.HTTP = nil }, "no HTTP client"},
		{"no instant", func(_ *Request, o *Options) { o.Now = time.Time{} }, "no time"},
		{"no digest", func(r *Request, _ *Options) { r.Content = Message(artifact.DigestSet{artifact.SHA512: "00"}) }, "no sha256 digest"},
		{"a short digest", func(r *Request, _ *Options) { r.Content = Message(artifact.DigestSet{artifact.SHA256: "00"}) }, "no sha256 digest"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r, o := w.request(), w.options()
			row.edit(&r, &o)
			_, err := w.sign(t.Context(), r, o)
			if err == nil || !strings.Contains(err.Error(), row.says) || w.seen()[tsa] != 0 {
				t.Errorf("it gave %v, expected %q", err, row.says)
			}
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	results := make(chan error)
	const n = 20
	for range n {
		go func() {
			_, err := Sign(t.Context(), w.request(), o)
			results <- err
		}()
	}
	for range n {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
