package login

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
)

// terminal is what the person sees.
type terminal struct {
	mu     sync.Mutex
	text   bytes.Buffer
	before func(written string) error // nil for success
}

func (o *terminal) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.before != nil {
		if err := o.before(o.text.String()); err != nil {
			return 0, err
		}
	}
	return o.text.Write(p)
}

func (o *terminal) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// visit does what a browser does, and returns before it is done as one does.
func visit(ctx context.Context) func(string) error {
	return func(address string) error {
		go func() { _ = fetch(ctx, address) }()
		return nil
	}
}

func fetch(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// ways are both flows, as tests of what they have in common go through them.
func ways() map[string]func(context.Context, Options) (identity.Token, error) {
	return map[string]func(context.Context, Options) (identity.Token, error){"browser": Browser, "device": Device}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, out := newIssuer(t, nil), &terminal{}
			token, err := way(t.Context(), Options{Issuer: f.url, Output: out, OpenBrowser: func(address string) error {
				if !strings.Contains(out.String(), "published there for good") {
					t.Errorf("the browser opens after %q", out)
				}
				return visit(t.Context())(address)
			}})
			if err != nil {
				t.Fatal(err)
			}
			if token.Reveal() != f.newest() {
				t.Error("the token is not the issuer's")
			}
			person, err := ReadPerson(token)
			if err != nil || person.Email != "alice@example.com" || !person.EmailVerified || person.Issuer != f.url || fmt.Sprint(person.Audience) != "[sigstore]" {
				t.Errorf("got %+v, %v", person, err)
			}
			f.checkSecrets(out.String())
			if !strings.Contains(out.String(), "Logging in at "+f.url) {
				t.Errorf("the output is %q", out)
			}
			if name == "device" && !strings.Contains(out.String(), "WDJB-MJHT in your browser at: "+f.url+"/device") {
				t.Errorf("the output is %q", out)
			}
			if n := f.times("/token"); n != 1 {
				t.Errorf("the code was sent %d times", n)
			}
		})
	}
}

// The options reach the issuer.
func TestBrowserOptions(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	redirect := "http://" + listener.Addr().String() + "/back"
	listener.Close()
	f := newIssuer(t, func(f *fakeIssuer) {
		f.claims = set("federated_claims", map[string]string{"connector_id": "https://github.com/login/oauth"})
	})
	token, err := Browser(t.Context(), Options{
		Issuer: f.url, ClientID: "me", Connector: "https://github.com/login/oauth", RedirectURL: redirect, Output: &terminal{}, OpenBrowser: visit(t.Context()),
	})
	if err != nil {
		t.Fatal(err)
	}
	query := f.queries[0]
	for name, want := range map[string]string{
		"client_id": "me", "connector_id": "https://github.com/login/oauth", "redirect_uri": redirect, "scope": "openid email",
	} {
		if got := query.Get(name); got != want {
			t.Errorf("%s is %q, expected %q", name, got, want)
		}
	}
	if person, err := ReadPerson(token); err != nil || person.Connector != "https://github.com/login/oauth" || fmt.Sprint(person.Audience) != "[me]" {
		t.Errorf("got %+v, %v", person, err)
	}
}

// A browser that stays in the foreground does not keep the login from ending.
func TestBrowserInTheForeground(t *testing.T) {
	t.Parallel()
	f := newIssuer(t, nil)
	if _, err := Browser(t.Context(), Options{Issuer: f.url, Output: &terminal{}, OpenBrowser: func(address string) error {
		err := fetch(t.Context(), address) // which waits for the page that comes last
		<-t.Context().Done()
		return err
	}}); err != nil {
		t.Error(err)
	}
}

// Each row breaks one thing. No error holds a secret, even where the issuer
// answers with all that it was sent.
func TestFailures(t *testing.T) {
	t.Parallel()
	const endpoint = "cannot be used: it is neither https nor on loopback"
	echo := func(w http.ResponseWriter, r *http.Request) bool {
		reply(w, http.StatusBadRequest, map[string]string{"error": r.PostForm.Encode(), "error_description": r.PostForm.Encode()})
		return true
	}
	for name, row := range map[string]struct {
		change          func(*fakeIssuer)
		options         func(*Options)
		browser, device string // what the error says; empty for success
	}{
		"nothing": {},
		"issuer down": {options: func(o *Options) { o.Issuer = "http://127.0.0.1:1" },
			browser: "asking the issuer: dial tcp 127.0.0.1:1", device: "asking the issuer: dial tcp 127.0.0.1:1"},
		"no issuer there": {change: func(f *fakeIssuer) { f.discovery = write(404, "no\x1b[2J; next: run this") },
			browser: "404 Not Found: no[2J; run this; next: ", device: "404 Not Found: no[2J; run this; next: "},
		"elsewhere": {change: func(f *fakeIssuer) {
			f.discovery = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "/keys", http.StatusFound)
				return true
			}
		}, browser: "302 Found", device: "302 Found"},
		"a hotel's page": {change: func(f *fakeIssuer) { f.discovery = write(200, "<html>\x00\xff") },
			browser: "invalid character '<'", device: "invalid character '<'"},
		"endless document": {change: func(f *fakeIssuer) { f.discovery = write(200, strings.Repeat(" ", maxAnswer+1)) },
			browser: "request body too large", device: "request body too large"},
		"a long document": {change: func(f *fakeIssuer) { f.document = set("padding", strings.Repeat("a", maxAnswer-4096)) }},
		"another issuer": {change: func(f *fakeIssuer) { f.document = set("issuer", "https://mallory.example") },
			browser: `its document is about the issuer "https://mallory.example"`, device: `its document is about the issuer "https://mallory.example"`},
		"other types": {change: func(f *fakeIssuer) { f.document = set("code_challenge_methods_supported", "S256") },
			browser: "other types", device: "other types"},
		"no PKCE": {change: func(f *fakeIssuer) { f.document = set("code_challenge_methods_supported", nil) },
			browser: "does not offer PKCE", device: "does not offer PKCE"},
		"plain PKCE": {change: func(f *fakeIssuer) { f.document = set("code_challenge_methods_supported", []string{"plain"}) },
			browser: "does not offer PKCE", device: "does not offer PKCE"},
		"a method that would be printed": {change: func(f *fakeIssuer) {
			f.document = set("code_challenge_methods_supported", []string{"\x1b[31mhello", "S256"})
		}, browser: "that RFC 7636 has not", device: "that RFC 7636 has not"},
		"a method that nobody reads": {change: func(f *fakeIssuer) {
			f.document = set("code_challenge_methods_supported", []string{"S256", "S512"})
		}},
		"token without TLS": {change: func(f *fakeIssuer) { f.document = set("token_endpoint", "http://mallory.example/token") },
			browser: "the token_endpoint in its document " + endpoint, device: "the token_endpoint in its document " + endpoint},
		"keys without TLS": {change: func(f *fakeIssuer) { f.document = set("jwks_uri", "http://mallory.example/keys") },
			browser: "the jwks_uri in its document " + endpoint, device: "the jwks_uri in its document " + endpoint},
		"page of a file": {change: func(f *fakeIssuer) { f.document = set("authorization_endpoint", "file://localhost/etc/passwd") },
			browser: "the authorization_endpoint in its document " + endpoint},
		"page that is a flag": {change: func(f *fakeIssuer) { f.document = set("authorization_endpoint", "--help") },
			browser: "the authorization_endpoint in its document cannot be used: it is no URL"},
		"device without TLS": {change: func(f *fakeIssuer) {
			f.document = set("device_authorization_endpoint", "http://mallory.example/device")
		}, device: "the device_authorization_endpoint in its document " + endpoint},
		"no device login": {change: func(f *fakeIssuer) { f.document = set("device_authorization_endpoint", nil) },
			device: "the issuer has no device login"},

		"page denies": {change: func(f *fakeIssuer) {
			f.authorize = func(w http.ResponseWriter, r *http.Request) bool {
				query := r.URL.Query()
				http.Redirect(w, r, query.Get("redirect_uri")+"?error=access_denied&state="+url.QueryEscape(query.Get("state")), http.StatusFound)
				return true
			}
		}, browser: "the issuer gives no token and says invalid_request"},
		"another's answer": {change: func(f *fakeIssuer) {
			f.authorize = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?code=c&state=mallory", http.StatusFound)
				return true
			}
		}, browser: "nobody to ask for the code"},
		"access denied": {change: func(f *fakeIssuer) { f.token = write(400, `{"error":"access_denied"}`) },
			browser: "the issuer says access_denied", device: "the issuer says access_denied"},
		"too late": {change: func(f *fakeIssuer) { f.token = write(400, `{"error":"expired_token"}`) },
			browser: "the issuer says expired_token", device: "the issuer says expired_token"},
		"unknown client": {change: func(f *fakeIssuer) { f.token = write(401, `{"error":"invalid_client"}`) },
			browser: "says invalid_client", device: "says invalid_client"},
		"echo": {change: func(f *fakeIssuer) { f.token = echo },
			browser: "answers 400 Bad Request", device: "neither a token nor an error"},
		"text that echoes": {change: func(f *fakeIssuer) {
			f.token = func(w http.ResponseWriter, r *http.Request) bool { return write(500, r.PostForm.Encode())(w, r) }
		}, browser: "answers 500 Internal Server Error", device: "invalid character"},
		"device code echoes": {change: func(f *fakeIssuer) { f.deviceCode = write(403, "no\u202e "+strings.Repeat("a", 1000)) },
			device: "403 Forbidden: no a"},
		"device code of a hotel": {change: func(f *fakeIssuer) { f.deviceCode = write(200, "<html>") },
			device: "invalid character '<'"},
		"nothing at all": {change: func(f *fakeIssuer) { f.token = write(200, `{}`) },
			browser: "missing access_token", device: "neither a token nor an error"},
		"no identity token": {change: func(f *fakeIssuer) {
			f.token = write(200, `{"access_token":"a","token_type":"bearer"}`)
		}, browser: "id_token not present", device: "neither a token nor an error"},

		"no JWT": {change: func(f *fakeIssuer) { f.resign = func(string) string { return strings.Repeat("secret-", 9) + "0" } },
			browser: "malformed jwt", device: "malformed jwt"},
		"another's signature": {change: func(f *fakeIssuer) {
			f.resign = func(token string) string { return token[:strings.LastIndex(token, ".")+1] + encode(make([]byte, 64)) }
		}, browser: "failed to verify", device: "failed to verify"},
		"another's token": {change: func(f *fakeIssuer) { f.claims = set("iss", "https://mallory.example") },
			browser: "issued by a different provider", device: "issued by a different provider"},
		"another audience": {change: func(f *fakeIssuer) { f.claims = set("aud", "mallory") },
			browser: `expected audience "sigstore" got ["mallory"]`, device: `expected audience "sigstore" got ["mallory"]`},
		"expired": {change: func(f *fakeIssuer) { f.claims = set("exp", 1700000000) },
			browser: "token is expired", device: "token is expired"},
		"another nonce": {change: func(f *fakeIssuer) { f.claims = set("nonce", "mallory") },
			browser: "nonce does not match"},
		"e-mail not verified": {change: func(f *fakeIssuer) { f.claims = set("email_verified", false) },
			browser: "the issuer has not verified the e-mail address", device: "the issuer has not verified the e-mail address"},
		"nothing about verified": {change: func(f *fakeIssuer) { f.claims = set("email_verified", nil) },
			browser: "the issuer has not verified the e-mail address", device: "the issuer has not verified the e-mail address"},
		"no e-mail": {change: func(f *fakeIssuer) { f.claims = set("email", nil) },
			browser: "names no e-mail address", device: "names no e-mail address"},
		"claims of other types": {change: func(f *fakeIssuer) { f.claims = set("federated_claims", "x") },
			browser: "not one JSON object", device: "not one JSON object"},
		"another connector": {
			change:  func(f *fakeIssuer) { f.claims = set("federated_claims", map[string]string{"connector_id": "mallory"}) },
			options: func(o *Options) { o.Connector = "https://accounts.google.com" },
			browser: `at the connector "mallory", expected "https://accounts.google.com"`, device: `at the connector "mallory", expected "https://accounts.google.com"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newIssuer(t, row.change)
			for way, logIn := range ways() {
				out := &terminal{}
				o := Options{Issuer: f.url, Output: out, OpenBrowser: visit(t.Context())}
				if row.options != nil {
					row.options(&o)
				}
				want := map[string]string{"browser": row.browser, "device": row.device}[way]
				token, err := logIn(t.Context(), o)
				if want == "" {
					if err != nil || token.IsZero() {
						t.Errorf("%s: got %v, %v", way, token, err)
					}
					continue
				}
				if err == nil || !token.IsZero() {
					t.Fatalf("%s: got %v, %v", way, token, err)
				}
				text := err.Error()
				if !strings.Contains(text, want) {
					t.Errorf("%s: got %q, expected %q", way, text, want)
				}
				if !strings.HasPrefix(text, "logging in at "+o.Issuer+": ") || strings.Count(text, "; next: ") != 1 || text != printable(text, "") || len(text) > 800 {
					t.Errorf("%s: the error is %q", way, text)
				}
				f.checkSecrets(text + out.String())
			}
		})
	}
}

// A login that nobody waits for any more is over at once: nothing is printed, and
// nobody listens for the browser.
func TestEnded(t *testing.T) {
	t.Parallel()
	for name, way := range ways() {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by time %t", name, late), func(t *testing.T) {
				t.Parallel()
				waiting, pages := make(chan struct{}, 9), make(chan string, 1)
				f := newIssuer(t, func(f *fakeIssuer) {
					f.token = func(w http.ResponseWriter, r *http.Request) bool {
						waiting <- struct{}{}
						return write(400, `{"error":"authorization_pending"}`)(w, r)
					}
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				out := &terminal{}
				o := Options{Issuer: f.url, Output: out, OpenBrowser: func(address string) error {
					pages <- address
					waiting <- struct{}{}
					return nil
				}}
				want := context.Canceled
				if late {
					o.Timeout, want = 2*time.Second, context.DeadlineExceeded
				}
				go func() {
					if <-waiting; !late {
						cancel()
					}
				}()
				begun := time.Now()
				token, err := way(ctx, o)
				if !errors.Is(err, want) || !token.IsZero() {
					t.Fatalf("got %v, %v, expected %v", token, err, want)
				}
				if took := time.Since(begun); took > 20*time.Second {
					t.Errorf("it took %s", took)
				}
				if late && !strings.Contains(err.Error(), "nobody has within 2s: context deadline exceeded; next: ") {
					t.Errorf("got %v", err)
				}
				printed := out.String()
				if name == "browser" {
					if len(pages) == 0 {
						t.Fatal("no browser was opened")
					}
					page, err := url.Parse(<-pages)
					if err != nil {
						t.Fatal(err)
					}
					back, err := url.Parse(page.Query().Get("redirect_uri"))
					if err != nil {
						t.Fatal(err)
					}
					for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
						connection, err := net.Dial("tcp", back.Host) // a request would end it
						if err != nil {
							break
						}
						connection.Close()
						if time.Since(begun) > 3*time.Second {
							t.Fatal("it still listens")
						}
					}
				}
				time.Sleep(100 * time.Millisecond)
				if out.String() != printed || strings.Contains(printed, "error") {
					t.Errorf("it goes on printing: %q", out)
				}
			})
		}
	}
}

// An interval that is none does not have the issuer asked without a pause.
func TestInterval(t *testing.T) {
	t.Parallel()
	for _, interval := range []int64{-1, 0, 1, 1 << 60, 9223372037} {
		t.Run(fmt.Sprint(interval), func(t *testing.T) {
			t.Parallel()
			f := newIssuer(t, func(f *fakeIssuer) {
				f.deviceCode = func(w http.ResponseWriter, r *http.Request) bool {
					reply(w, http.StatusOK, map[string]any{"device_code": f.newCode(r.PostForm), "user_code": "u", "verification_uri": "v", "interval": interval})
					return true
				}
				f.token = write(400, `{"error":"authorization_pending"}`)
			})
			_, err := Device(t.Context(), Options{Issuer: f.url, Output: &terminal{}, Timeout: 2500 * time.Millisecond})
			if n := f.times("/token"); !errors.Is(err, context.DeadlineExceeded) || n < 1 || n > 3 {
				t.Errorf("asked %d times: %v", n, err)
			}
		})
	}
}

// Where no browser opens, the code can be copied by hand.
func TestOutOfBand(t *testing.T) {
	t.Parallel()
	const outOfBand = "urn:ietf:wg:oauth:2.0:oob"
	for name, row := range map[string]struct {
		open   func(string) error // after which it fails
		before string             // the code
		after  string
		want   string // the error; empty for a login
	}{
		"typed":            {after: "\n"},
		"typed with space": {before: " ", after: " \r\n"},
		"empty":            {before: "\n", want: "no code was typed"},
		"ended":            {before: "end", want: "no code was typed"},
		"panic":            {open: func(string) error { panic("no display") }, after: "\n"},
		"nobody":           {before: "nil", want: "there is nobody to ask for the code; next: log in with a device code"},
		"wrong":            {before: "x", after: "\n", want: "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, out := newIssuer(t, nil), &terminal{}
			input, typed := io.Pipe()
			o := Options{Issuer: f.url, Output: out, Input: input, OpenBrowser: func(address string) error {
				page, err := url.Parse(address)
				if err != nil {
					return err
				}
				query := page.Query()
				query.Set("redirect_uri", outOfBand)
				go func() {
					if row.before != "end" {
						fmt.Fprint(typed, row.before+f.newCode(query)+row.after)
					}
					typed.Close()
				}()
				if row.open != nil {
					return row.open(address)
				}
				return errors.New("no display\x1b[2J")
			}}
			if row.before == "nil" {
				o.Input = nil
			}
			token, err := Browser(t.Context(), o)
			switch {
			case row.want == "" && (err != nil || token.Reveal() != f.newest()):
				t.Errorf("got %v, %v", token, err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, expected %s", err, row.want)
			}
			if row.before == "nil" {
				if strings.Contains(out.String(), "code") {
					t.Errorf("it asks nobody: %q", out)
				}
			} else if !strings.Contains(out.String(), "no display") || !strings.Contains(out.String(), url.QueryEscape(outOfBand)) || strings.Contains(out.String(), "\x1b") {
				t.Errorf("the output is %q", out)
			}
			f.checkSecrets(fmt.Sprint(out, err))
		})
	}
}

// What the issuer has to say is one line that does what lines do.
func TestOutputIsClean(t *testing.T) {
	t.Parallel()
	f := newIssuer(t, func(f *fakeIssuer) {
		f.deviceCode = func(w http.ResponseWriter, r *http.Request) bool {
			reply(w, http.StatusOK, map[string]any{
				"device_code": f.newCode(r.PostForm), "user_code": "A\x1b[2JB\nC\rD\u202eE\u0085F", "interval": 1,
				"verification_uri": "https://x/" + strings.Repeat("y", 1<<16),
			})
			return true
		}
	})
	out := &terminal{}
	if _, err := Device(t.Context(), Options{Issuer: f.url, Output: out}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\nEnter the verification code A[2JBCDEF in your browser at: https://x/yyy") || out.String() != printable(out.String(), "\n") || len(out.String()) > 8<<10 {
		t.Errorf("the output is %q", out)
	}
}

// Who cannot be told what will be published does not log in; and a panic of the
// goroutine that logs in is an error.
func TestOutputFails(t *testing.T) {
	t.Parallel()
	f := newIssuer(t, nil)
	o := Options{Issuer: f.url, OpenBrowser: func(string) error { t.Error("a browser opens"); return nil }}
	o.Output = &terminal{before: func(string) error { return io.ErrClosedPipe }}
	for name, way := range ways() {
		if _, err := way(t.Context(), o); err == nil || !strings.Contains(err.Error(), "telling what will be published: "+io.ErrClosedPipe.Error()) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := f.times("/device/code"); n != 0 {
		t.Errorf("a device code was asked for %d times", n)
	}
	o.OpenBrowser = func(string) error { return nil }
	for name, way := range ways() {
		o.Output = &terminal{before: func(written string) error {
			if written != "" {
				panic("a mistake")
			}
			return nil
		}}
		if _, err := way(t.Context(), o); err == nil || !strings.Contains(err.Error(), "internal error: a mistake; next: report this, please") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The library has refused most of these before; Fulcio would, too.
func TestAccept(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ token, connector, want string }{
		"good":              {jwtOf(goodClaims), "", ""},
		"its connector":     {jwtOf(goodClaims), "https://github.com/login/oauth", ""},
		"another connector": {jwtOf(goodClaims), "https://accounts.google.com", "the login was at the connector"},
		"unverified":        {jwtOf(strings.Replace(goodClaims, "true", "false", 1)), "", "has not verified the e-mail address"},
		"no address":        {jwtOf(strings.Replace(goodClaims, `"email"`, `"x"`, 1)), "", "names no e-mail address"},
		"no token":          {"", "", "reading the identity token"},
	} {
		token, err := accept(identity.NewToken(row.token), row.connector)
		if (row.want == "") != (err == nil) || token.IsZero() != (err != nil) || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, %v, expected %q", name, token, err, row.want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*Options)
		want   string // the error; empty for none
	}{
		"good":                {func(*Options) {}, ""},
		"loopback":            {func(o *Options) { o.Issuer = "http://127.0.0.1:8080/auth" }, ""},
		"IPv6 loopback":       {func(o *Options) { o.Issuer = "http://[::1]/auth" }, ""},
		"redirect":            {func(o *Options) { o.RedirectURL = "http://localhost:8080/auth/callback" }, ""},
		"no issuer":           {func(o *Options) { o.Issuer = "" }, "no issuer was given; next: "},
		"no URL":              {func(o *Options) { o.Issuer = "oauth2.sigstore.dev/auth" }, "it is no URL"},
		"no TLS":              {func(o *Options) { o.Issuer = "http://oauth2.sigstore.dev/auth" }, "neither https nor on loopback"},
		"looks like loopback": {func(o *Options) { o.Issuer = "http://localhost.example.com" }, "neither https nor on loopback"},
		"user":                {func(o *Options) { o.Issuer = "https://me@example.com" }, "a user or a fragment"},
		"query":               {func(o *Options) { o.Issuer = "https://example.com/?" }, "it has a query"},
		"fragment":            {func(o *Options) { o.Issuer = "https://example.com/#x" }, "a user or a fragment"},
		"line break":          {func(o *Options) { o.Issuer = "https://example.com/\n" }, "it is no URL"},
		"redirect elsewhere":  {func(o *Options) { o.RedirectURL = "http://example.com:80/cb" }, "the redirect URL: it is neither"},
		"redirect everywhere": {func(o *Options) { o.RedirectURL = "http://0.0.0.0:8080/cb" }, "the redirect URL: it is neither"},
		"redirect with TLS":   {func(o *Options) { o.RedirectURL = "https://localhost:8080/cb" }, "it is not http on loopback"},
		"redirect, no port":   {func(o *Options) { o.RedirectURL = "http://localhost/cb" }, "it has no port"},
		"redirect, port 0":    {func(o *Options) { o.RedirectURL = "http://localhost:0/cb" }, "it has no port"},
		"redirect, no path":   {func(o *Options) { o.RedirectURL = "http://localhost:80" }, "its path is empty"},
		"redirect pattern":    {func(o *Options) { o.RedirectURL = "http://localhost:80/%7Bx%7D" }, "other characters"},
		"redirect query":      {func(o *Options) { o.RedirectURL = "http://localhost:80/cb?x=y" }, "it has a query"},
		"no output":           {func(o *Options) { o.Output = nil }, "nothing was given to tell"},
		"time":                {func(o *Options) { o.Timeout = -1 }, "the timeout is negative"},
	} {
		o := Options{Issuer: "https://oauth2.sigstore.dev/auth", Output: io.Discard}
		row.change(&o)
		got, err := o.check()
		switch {
		case row.want == "" && (err != nil || got.ClientID != "sigstore" || got.Timeout != 5*time.Minute):
			t.Errorf("%s: got %+v, %v", name, got, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: got %v, expected %s", name, err, row.want)
		}
	}
	if _, err := Browser(t.Context(), Options{}); err == nil || !strings.HasPrefix(err.Error(), "logging in: no issuer") {
		t.Errorf("got %v", err)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	for text, want := range map[string]string{
		"a\nb\tc\x1bd":                           "a b cd",
		"code=" + verifier + "&x":                "code=[…]&x",
		verifier:                                 "[…]",
		"x." + verifier + "." + verifier:         "x.[…].[…]",
		verifier[:10] + "\x00" + verifier[10:]:   "[…]",
		"device_authorization_endpoint not here": "device_authorization_endpoint not here",
		"short1-2_3":                             "short1-2_3",
		"abcdefghijklmn0":                        "abcdefghijklmn0",
		"abcdefghijklmno0":                       "[…]",
		"x; next: rm":                            "x; rm",
		"é\xffé":                                 "éé",
		strings.Repeat("a ", 200):                strings.Repeat("a ", 150) + "…",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: got %q, expected %q", text, got, want)
		}
	}
}

// The system's browser gets the address as its last argument, and nothing of this
// process's streams. Not parallel: it changes PATH.
func TestSystemBrowser(t *testing.T) {
	for system, want := range map[string]string{
		"linux": "[xdg-open]", "freebsd": "[xdg-open]", "darwin": "[open]", "windows": "[rundll32 url.dll,FileProtocolHandler]",
	} {
		if got := fmt.Sprint(browserOf(system)); got != want {
			t.Errorf("%s: got %s, expected %s", system, got, want)
		}
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	open := systemBrowser(t.Context())
	if err := open("https://x"); err == nil || !strings.Contains(err.Error(), "this machine has no ") {
		t.Errorf("got %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	program := filepath.Join(dir, browserOf(runtime.GOOS)[0])
	script := "#!/bin/sh\necho \"$@\" > " + dir + "/seen\n[ \"$1\" != https://fails ]\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	for address, fails := range map[string]bool{"https://x/?a=b&c=$HOME": false, "https://fails": true} {
		if err := open(address); (err != nil) != fails {
			t.Errorf("%s: got %v", address, err)
		}
		if seen, err := os.ReadFile(filepath.Join(dir, "seen")); err != nil || string(seen) != address+"\n" {
			t.Errorf("%s: got %q, %v", address, seen, err)
		}
	}
}
