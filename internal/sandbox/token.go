package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// TokenKind says whose token it is.
type TokenKind string

// The kinds of tokens.
const (
	GitHub TokenKind = "github" // a job's, from GitHub Actions
	Email  TokenKind = "email"  // a person's
)

// TokenRequest says what a token shall hold. The zero value of everything but
// Kind gives a token that Fulcio takes.
type TokenRequest struct {
	Kind TokenKind `json:"kind"`
	// Claims and Without change this one token, over [Config.Claims] for GitHub.
	// An e-mail token's claims can have any name.
	Claims  map[string]string `json:"claims,omitempty"`
	Without []string          `json:"without,omitempty"`
	// Audience is "sigstore" if empty.
	Audience string `json:"audience,omitempty"`
	// Lifetime is from now to exp: five minutes if 0. A negative one gives a
	// token that has expired.
	Lifetime Duration `json:"lifetime,omitempty"`
	// Email and Issuer are who logged in and where, of [Email] only; by default
	// as configured.
	Email  string `json:"email,omitempty"`
	Issuer string `json:"issuer,omitempty"`
	// ForeignKey has the token signed by a key that is not the issuer's.
	ForeignKey bool `json:"foreignKey,omitempty"`
}

// Token issues a token without asking anybody.
func (s *Sandbox) Token(request TokenRequest) (string, error) {
	changes := claimChanges{claims: request.Claims, without: request.Without}
	if request.Lifetime != 0 {
		expires := time.Now().Add(time.Duration(request.Lifetime)).Unix()
		changes = claimChanges{claims: map[string]string{"exp": fmt.Sprint(expires)}}.then(changes)
	}
	key := s.github.key
	if request.Kind == Email {
		key = s.email.key
	}
	if request.ForeignKey {
		issuers := key
		key = func() (tokenKey, error) {
			own, err := issuers()
			foreign, err2 := newTokenKey()
			foreign.id = own.id
			return foreign, errors.Join(err, err2)
		}
	}
	switch request.Kind {
	case GitHub:
		if request.Email != "" || request.Issuer != "" {
			return "", fmt.Errorf("issuing token: a job has no e-mail address")
		}
		audience := cmp.Or(request.Audience, clientID)
		return s.github.mint(mintRequest{audience: audience, changes: changes, key: key})
	case Email:
		return s.email.mint(emailRequest{
			person: s.email.current(request.Issuer, request.Email), audience: request.Audience,
			changes: changes, key: key,
		})
	default:
		return "", fmt.Errorf("issuing token: no kind is %q, expected github or email", request.Kind)
	}
}

// IDTokenURL returns an ACTIONS_ID_TOKEN_REQUEST_URL at which a job gets tokens
// with these claims instead, so that many jobs can share one sandbox.
func (s *Sandbox) IDTokenURL(claims map[string]string, without ...string) (string, error) {
	changes := claimChanges{claims: claims, without: without}
	if err := checkGitHubClaims(changes); err != nil {
		return "", err
	}
	return s.github.tokenURL(changes), nil
}
