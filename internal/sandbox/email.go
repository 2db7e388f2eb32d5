package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The issuers whom oauth2.sigstore.dev lets people log in at, and whom a
// certificate then names.
const (
	GoogleIssuer = "https://accounts.google.com"
	OAuthIssuer  = "https://github.com/login/oauth"
)

// clientID is the only client, and the audience of its tokens.
const clientID = "sigstore"

// email is an OIDC provider where people log in with an e-mail address, in the
// manner of oauth2.sigstore.dev. Who logs in is approved without a question.
type email struct {
	key    lazyKey
	url    string // of the service
	faults *faults

	mu      sync.Mutex
	who     person
	codes   map[string]login // by authorization code
	devices map[string]login // by device code
}

// person is who logs in, and where.
type person struct {
	Email  string `json:"email"`
	Issuer string `json:"issuer"`
}

// login is a login that has been approved, and waits to be fetched.
type login struct {
	person    person
	nonce     string
	challenge string // base64url(SHA-256(code verifier)) (RFC 7636, 4.2)
	redirect  string
	userCode  string
	expires   time.Time
}

// issuer is the token's own issuer, whom discovery must be asked at.
func (e *email) issuer() string { return e.url + "/auth" }

func (e *email) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/.well-known/openid-configuration", e.discovery)
	mux.HandleFunc("GET /auth/keys", answerKeys(e.key))
	mux.HandleFunc("GET /auth/auth", e.authorize)
	mux.HandleFunc("POST /auth/token", e.token)
	mux.HandleFunc("POST /auth/device/code", e.deviceCode)
	mux.HandleFunc("GET /auth/device", e.devicePage)
	return mux
}

func (e *email) discovery(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer":                                e.issuer(),
		"authorization_endpoint":                e.issuer() + "/auth",
		"token_endpoint":                        e.issuer() + "/token",
		"jwks_uri":                              e.issuer() + "/keys",
		"device_authorization_endpoint":         e.issuer() + "/device/code",
		"grant_types_supported":                 []string{"authorization_code", deviceGrant},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"claims_supported":                      []string{"iss", "sub", "aud", "iat", "exp", "email", "email_verified"},
	})
}

// current returns who logs in, as a request may have it differently.
func (e *email) current(connector, hint string) person {
	e.mu.Lock()
	defer e.mu.Unlock()
	who := e.who
	if connector != "" {
		who.Issuer = connector
	}
	if hint != "" {
		who.Email = hint
	}
	return who
}

// logIn changes who logs in from now on.
func (e *email) logIn(who person) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if who.Email != "" {
		e.who.Email = who.Email
	}
	if who.Issuer != "" {
		e.who.Issuer = who.Issuer
	}
}

// authorize approves at once, and sends the browser back with a code (RFC
// 6749, 4.1.1). It takes connector_id as oauth2.sigstore.dev does, and
// login_hint as the address.
func (e *email) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	back, err := loopbackRedirect(query.Get("redirect_uri"))
	if err != nil {
		// "the authorization server [...] MUST NOT automatically redirect the
		// user-agent to the invalid redirection URI" (RFC 6749, 4.1.2.1).
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {query.Get("state")}}
	switch {
	case query.Get("client_id") != clientID:
		http.Error(w, "the only client is "+clientID, http.StatusBadRequest)
		return
	case query.Get("response_type") != "code":
		answer.Set("error", "unsupported_response_type")
	case query.Get("code_challenge") == "" || query.Get("code_challenge_method") != "S256":
		answer.Set("error", "invalid_request")
		answer.Set("error_description", "PKCE with S256 is required")
	default:
		code := rand.Text()
		answer.Set("code", code)
		e.keep(e.codes, code, login{
			person:    e.current(query.Get("connector_id"), query.Get("login_hint")),
			nonce:     query.Get("nonce"),
			challenge: query.Get("code_challenge"),
			redirect:  query.Get("redirect_uri"),
		})
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// loopbackRedirect refuses every address that is not on this machine.
func loopbackRedirect(address string) (*url.URL, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("reading redirect_uri: %w", err)
	}
	ip := net.ParseIP(parsed.Hostname())
	loopback := parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if parsed.Scheme != "http" || !loopback || parsed.User != nil || parsed.Fragment != "" {
		return nil, fmt.Errorf("redirect_uri %q is not on loopback", address)
	}
	return parsed, nil
}

func (e *email) keep(logins map[string]login, code string, approved login) {
	e.mu.Lock()
	defer e.mu.Unlock()
	approved.expires = time.Now().Add(5 * time.Minute)
	logins[code] = approved
}

// take returns a login that has not expired, once.
func (e *email) take(logins map[string]login, code string) (login, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	approved, ok := logins[code]
	delete(logins, code)
	return approved, ok && time.Now().Before(approved.expires)
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// oauthError is an error of RFC 6749, 5.2.
func oauthError(w http.ResponseWriter, status int, name, description string) {
	answerJSON(w, status, map[string]string{"error": name, "error_description": description})
}

func (e *email) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	client := r.PostForm.Get("client_id")
	if user, _, ok := r.BasicAuth(); ok {
		client = user
	}
	if client != clientID {
		oauthError(w, http.StatusUnauthorized, "invalid_client", "the only client is "+clientID)
		return
	}
	var approved login
	var ok bool
	switch grant := r.PostForm.Get("grant_type"); grant {
	case "authorization_code":
		approved, ok = e.take(e.codes, r.PostForm.Get("code"))
		if ok && approved.redirect != r.PostForm.Get("redirect_uri") {
			oauthError(w, http.StatusBadRequest, "invalid_grant", "redirect_uri is not the one of the authorization request")
			return
		}
	case deviceGrant:
		switch fault, hit := e.faults.strike("email", modePending, modeDenied); {
		case hit && fault.Mode == modePending:
			oauthError(w, http.StatusBadRequest, "authorization_pending", "nobody has approved yet")
			return
		case hit:
			oauthError(w, http.StatusBadRequest, "access_denied", "the login was denied")
			return
		}
		approved, ok = e.take(e.devices, r.PostForm.Get("device_code"))
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "no grant is "+grant)
		return
	}
	if !ok {
		oauthError(w, http.StatusBadRequest, "invalid_grant", "the code is not known, used up or expired")
		return
	}
	verifier := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if approved.challenge != "" && approved.challenge != base64.RawURLEncoding.EncodeToString(verifier[:]) {
		oauthError(w, http.StatusBadRequest, "invalid_grant", "code_verifier is not the one of the challenge")
		return
	}
	access := rand.Text()
	token, err := e.mint(emailRequest{person: approved.person, nonce: approved.nonce, access: access, key: e.key})
	if err != nil {
		oauthError(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answerJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "bearer", "expires_in": 300, "id_token": token,
	})
}

// deviceCode starts a login without a browser on this machine (RFC 8628, 3.1).
// It is approved already: the first poll has the token.
func (e *email) deviceCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != clientID {
		oauthError(w, http.StatusUnauthorized, "invalid_client", "the only client is "+clientID)
		return
	}
	device, user := rand.Text(), rand.Text()
	user = user[:4] + "-" + user[4:8]
	e.keep(e.devices, device, login{
		person:    e.current(r.PostForm.Get("connector_id"), r.PostForm.Get("login_hint")),
		nonce:     r.PostForm.Get("nonce"),
		challenge: r.PostForm.Get("code_challenge"),
		userCode:  user,
	})
	page := e.issuer() + "/device"
	answerJSON(w, http.StatusOK, map[string]any{
		"device_code": device, "user_code": user,
		"verification_uri": page, "verification_uri_complete": page + "?user_code=" + user,
		"expires_in": 300, "interval": 1,
	})
}

func (e *email) devicePage(w http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("user_code")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<p>The sandbox approves every login, and %s too.</p>\n", html.EscapeString(user))
}

// emailRequest is what a token shall say.
type emailRequest struct {
	person   person
	nonce    string
	access   string // the access token, of which at_hash is made
	audience string // "sigstore" if empty
	changes  claimChanges
	key      lazyKey
}

func (e *email) mint(request emailRequest) (string, error) {
	now := time.Now()
	user := userID(request.person.Email)
	claims := map[string]any{
		"iss":            e.issuer(),
		"sub":            dexSubject(user, request.person.Issuer),
		"aud":            clientID,
		"iat":            now.Unix(),
		"exp":            now.Add(5 * time.Minute).Unix(),
		"email":          request.person.Email,
		"email_verified": true,
		"federated_claims": map[string]string{
			"connector_id": request.person.Issuer,
			"user_id":      user,
		},
	}
	if request.audience != "" {
		claims["aud"] = request.audience
	}
	if request.nonce != "" {
		claims["nonce"] = request.nonce
	}
	if request.access != "" {
		// "the left-most half of the hash of the octets of the ASCII
		// representation of the access_token value" (OIDC Core, 3.1.3.6).
		hash := sha256.Sum256([]byte(request.access))
		claims["at_hash"] = base64.RawURLEncoding.EncodeToString(hash[:16])
	}
	if err := request.changes.apply(claims); err != nil {
		return "", err
	}
	key, err := request.key()
	if err != nil {
		return "", err
	}
	return key.sign(claims)
}

// userID is the account at the connector, a number that follows from the address.
func userID(address string) string {
	hash := sha256.Sum256([]byte(strings.ToLower(address)))
	return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(hash[:]))
}

// dexSubject is sub as dex writes it: base64url over a protobuf of the account
// (field 1) and the connector (field 2).
func dexSubject(user, connector string) string {
	var message []byte
	for field, value := range []string{user, connector} {
		const lengthDelimited = 2
		message = append(message, byte(field+1)<<3|lengthDelimited)
		message = binary.AppendUvarint(message, uint64(len(value)))
		message = append(message, value...)
	}
	return base64.RawURLEncoding.EncodeToString(message)
}

func newEmail(who person, key lazyKey, faults *faults) *email {
	return &email{
		key: key, who: who, faults: faults,
		codes: make(map[string]login), devices: make(map[string]login),
	}
}
