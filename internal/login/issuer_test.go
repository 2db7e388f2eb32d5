package login

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeIssuer is an OIDC issuer that approves every login, and does wrong what a
// test has it do. What it does right it checks too: PKCE, and that a code is used
// once and by who asked for it.
type fakeIssuer struct {
	t   *testing.T
	url string
	key *ecdsa.PrivateKey

	document func(map[string]any)      // changes the discovery document
	claims   func(map[string]any)      // changes the token
	resign   func(token string) string // changes the signed token
	// These answer instead, unless they return false.
	discovery, authorize, deviceCode, token func(http.ResponseWriter, *http.Request) bool

	mu      sync.Mutex
	logins  map[string]url.Values // by code: the authorization request
	secrets []string              // all that was handed out or sent
	asked   map[string]int        // by path
	queries []url.Values          // of the authorization endpoint
}

func newIssuer(t *testing.T, change func(*fakeIssuer)) *fakeIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeIssuer{t: t, key: key, logins: map[string]url.Values{}, asked: map[string]int{}}
	mux := http.NewServeMux()
	handle := func(path string, instead *func(http.ResponseWriter, *http.Request) bool, handler http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			f.mu.Lock()
			f.asked[path]++
			f.secrets = append(f.secrets, slices.Concat(r.PostForm["code"], r.PostForm["code_verifier"], r.PostForm["device_code"])...)
			f.mu.Unlock()
			if instead == nil || *instead == nil || !(*instead)(w, r) {
				handler(w, r)
			}
		})
	}
	handle("/.well-known/openid-configuration", &f.discovery, f.answerDocument)
	handle("/keys", nil, f.answerKeys)
	handle("/auth", &f.authorize, f.answerAuthorize)
	handle("/device/code", &f.deviceCode, f.answerDeviceCode)
	handle("/token", &f.token, f.answerToken)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url = server.URL
	if change != nil {
		change(f)
	}
	return f
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func (f *fakeIssuer) answerDocument(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer": f.url, "authorization_endpoint": f.url + "/auth", "token_endpoint": f.url + "/token",
		"jwks_uri": f.url + "/keys", "device_authorization_endpoint": f.url + "/device/code",
		"code_challenge_methods_supported": []string{"plain", "S256"}, "id_token_signing_alg_values_supported": []string{"ES256"},
	}
	if f.document != nil {
		f.document(document)
	}
	reply(w, http.StatusOK, document)
}

func (f *fakeIssuer) answerKeys(w http.ResponseWriter, _ *http.Request) {
	point, err := f.key.PublicKey.Bytes()
	if err != nil {
		f.t.Error(err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": encode(point[1:33]), "y": encode(point[33:]),
	}}})
}

func (f *fakeIssuer) answerAuthorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f.mu.Lock()
	f.queries = append(f.queries, query)
	f.mu.Unlock()
	back, err := url.Parse(query.Get("redirect_uri"))
	if err != nil || query.Get("code_challenge_method") != "S256" || query.Get("response_type") != "code" {
		f.t.Errorf("the authorization request is %v", query)
		return
	}
	back.RawQuery = url.Values{"state": {query.Get("state")}, "code": {f.newCode(query)}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// newCode keeps a login for its code.
func (f *fakeIssuer) newCode(request url.Values) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	code := rand.Text()
	f.logins[code] = request
	f.secrets = append(f.secrets, code)
	return code
}

func (f *fakeIssuer) answerDeviceCode(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"device_code": f.newCode(r.PostForm), "user_code": "WDJB-MJHT", "verification_uri": f.url + "/device", "expires_in": 300, "interval": 1,
	})
}

func (f *fakeIssuer) answerToken(w http.ResponseWriter, r *http.Request) {
	code := r.PostForm.Get("code") + r.PostForm.Get("device_code")
	f.mu.Lock()
	request, ok := f.logins[code]
	delete(f.logins, code)
	f.mu.Unlock()
	verifier := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case code == "":
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	case !ok || request.Get("code_challenge") != encode(verifier[:]) || request.Get("redirect_uri") != r.PostForm.Get("redirect_uri") ||
		r.PostForm.Get("client_id") != request.Get("client_id") || r.Header.Get("Authorization") != "":
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"access_token": "access", "token_type": "bearer", "expires_in": 300, "id_token": f.mint(request),
	})
}

func (f *fakeIssuer) mint(request url.Values) string {
	claims := map[string]any{
		"iss": f.url, "sub": "s", "aud": request.Get("client_id"), "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"email": "alice@example.com", "email_verified": true,
	}
	if request.Get("nonce") != "" {
		claims["nonce"] = request.Get("nonce")
	}
	if f.claims != nil {
		f.claims(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		f.t.Error(err)
	}
	signed := encode([]byte(`{"alg":"ES256","kid":"1"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, digest[:])
	if err != nil {
		f.t.Error(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	token := signed + "." + encode(signature)
	if f.resign != nil {
		token = f.resign(token)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets = append(f.secrets, append(strings.Split(token, "."), token)...)
	return token
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// newest is the token that was handed out last.
func (f *fakeIssuer) newest() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.secrets[len(f.secrets)-1]
}

func (f *fakeIssuer) times(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

// checkSecrets looks for anything of a login in a text.
func (f *fakeIssuer) checkSecrets(text string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, secret := range f.secrets {
		if len(secret) >= 16 && strings.Contains(text, secret) {
			f.t.Errorf("%q holds the secret %q", text, secret)
		}
	}
}

func set(name string, value any) func(map[string]any) {
	return func(m map[string]any) {
		if value == nil {
			delete(m, name)
			return
		}
		maps.Copy(m, map[string]any{name: value})
	}
}

func write(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		if strings.HasPrefix(body, "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}
