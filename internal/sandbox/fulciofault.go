package sandbox

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/sigstore/fulcio/pkg/identity"
)

// subject is what a certificate is for.
type subject struct {
	principal identity.Principal
	key       crypto.PublicKey
}

// confuse replaces what the certificate is for, if Fulcio has such a fault.
func (f *fulcio) confuse(ctx context.Context, token string, asked subject) (identity.Principal, crypto.PublicKey, error) {
	fault, ok := f.faults.strike("fulcio", modeOtherKey, modeOtherIdentity)
	if !ok {
		return asked.principal, asked.key, nil
	}
	if fault.Mode == modeOtherKey {
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("making another key: %w", err)
		}
		return asked.principal, other.Public(), nil
	}
	other, err := f.remint(token, fault.Claims)
	if err != nil {
		return nil, nil, err
	}
	principal, err := f.authenticate(ctx, other)
	return principal, asked.key, err
}

// newRemint returns a function that issues a token once more, for somebody else.
func newRemint(github, email lazyKey) func(string, map[string]string) (string, error) {
	return func(token string, other map[string]string) (string, error) {
		claims, err := claimsOf(token)
		if err != nil {
			return "", err
		}
		key := github
		if _, person := claims["email"]; person {
			key = email
			if len(other) == 0 {
				other = map[string]string{"email": "mallory@example.com"}
			}
		} else if len(other) == 0 {
			workflow, _ := claims["workflow_ref"].(string)
			_, path, ok := strings.Cut(workflow, "/.github/")
			if !ok {
				return "", errors.New("making another identity: the token names no workflow")
			}
			other = map[string]string{
				"repository":       "mallory/app",
				"repository_owner": "mallory",
				"workflow_ref":     "mallory/app/.github/" + path,
				"job_workflow_ref": "mallory/app/.github/" + path,
				"sub":              "repo:mallory/app:ref:refs/heads/main",
			}
		}
		if err := (claimChanges{claims: other}).apply(claims); err != nil {
			return "", err
		}
		made, err := key()
		if err != nil {
			return "", err
		}
		return made.sign(claims)
	}
}
