package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// github is the OIDC provider of GitHub Actions: for a job the token endpoint
// that a runner tells it, for everybody else discovery and keys.
type github struct {
	config  Config
	key     lazyKey
	url     string // of the service, on loopback
	request string // the bearer token of the one job
}

// handler serves the two hosts that GitHub has for this under one address:
//
//	GET /idtoken/JOB?api-version=2.0&audience=A   bearer token in, {"value": JWT} out
//	GET [/ENTERPRISE]/.well-known/openid-configuration
//	GET [/ENTERPRISE]/.well-known/jwks
//
// Beyond GitHub, the token endpoint takes claim=NAME=VALUE and without=NAME,
// each any number of times.
func (g *github) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /idtoken/{job}", g.token)
	for _, prefix := range []string{"", "/{enterprise}"} {
		mux.HandleFunc("GET "+prefix+"/.well-known/openid-configuration", g.discovery)
		mux.HandleFunc("GET "+prefix+"/.well-known/jwks", answerKeys(g.key))
	}
	return mux
}

// tokenURL is ACTIONS_ID_TOKEN_REQUEST_URL. Like GitHub's it has a query
// already, to which a client appends &audience=.
func (g *github) tokenURL(changes claimChanges) string {
	query := url.Values{"api-version": {"2.0"}}
	for name, value := range changes.claims {
		query.Add("claim", name+"="+value)
	}
	for _, name := range changes.without {
		query.Add("without", name)
	}
	return g.url + "/idtoken/6fb9e2c1-0c6e-5f0e-8f7d-2d6b5f1f5a11?" + query.Encode()
}

func (g *github) token(w http.ResponseWriter, r *http.Request) {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || subtle.ConstantTimeCompare([]byte(bearer), []byte(g.request)) != 1 {
		answerJSON(w, http.StatusUnauthorized, map[string]string{"message": "the bearer token is not this job's"})
		return
	}
	changes := claimChanges{claims: make(map[string]string), without: r.URL.Query()["without"]}
	for _, claim := range r.URL.Query()["claim"] {
		name, value, _ := strings.Cut(claim, "=")
		changes.claims[name] = value
	}
	token, err := g.mint(mintRequest{audience: r.URL.Query().Get("audience"), changes: changes, key: g.key})
	if err != nil {
		answerJSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"count": len(token), "value": token})
}

// mintRequest is what a token shall have differently.
type mintRequest struct {
	audience string // of GitHub's tokens: https://github.com/OWNER if empty
	changes  claimChanges
	key      lazyKey // the issuer's, or a stranger's
}

func (g *github) mint(request mintRequest) (string, error) {
	if err := checkGitHubClaims(request.changes); err != nil {
		return "", err
	}
	claims, err := g.config.workflowClaims(request.changes).token(request.audience, newUUID(), time.Now())
	if err != nil {
		return "", err
	}
	key, err := request.key()
	if err != nil {
		return "", err
	}
	return key.sign(claims)
}

// discovery has the fields of GitHub's own document.
func (g *github) discovery(w http.ResponseWriter, r *http.Request) {
	issuer := GitHubIssuer
	if enterprise := r.PathValue("enterprise"); enterprise != "" {
		issuer += "/" + enterprise
	}
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/.well-known/jwks",
		"subject_types_supported":               []string{"public", "pairwise"},
		"response_types_supported":              []string{"id_token"},
		"claims_supported":                      ClaimNames(),
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid"},
	})
}

// newUUID returns a random UUID (RFC 9562, 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
