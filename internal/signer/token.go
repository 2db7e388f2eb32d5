package signer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
)

// TokenSource mints an identity token, a JWT for the audience of Fulcio. It is
// asked again when Fulcio refuses a token that has expired: what
// CheckCertificate compares with is then the newest token.
type TokenSource func(ctx context.Context) (identity.Token, error)

// checkToken refuses what is no JWT, before it is sent anywhere. That it is
// genuine is for Fulcio to say. The error never quotes it.
func checkToken(token identity.Token) error {
	switch raw := token.Reveal(); {
	case raw == "":
		return errors.New("it is empty")
	case len(raw) > identity.MaxTokenBytes:
		return errors.New("it is too long")
	case strings.Count(raw, ".") != 2 || strings.ContainsFunc(raw, notOfToken):
		return errors.New("it is not a JWT, three parts in base64url joined by dots")
	}
	return nil
}

func notOfToken(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_=.", r)
}

// expires returns when the token says that it expires. Nothing is verified: a
// wrong answer costs one more token.
func expires(token identity.Token) (time.Time, bool) {
	payload, err := token.Payload()
	if err != nil {
		return time.Time{}, false
	}
	var claims struct {
		Expires identity.NumericDate `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Expires.IsZero() {
		return time.Time{}, false
	}
	return claims.Expires.Time, true
}

// piecesOf are the pieces of the token that no text may hold, the longest first.
func piecesOf(token identity.Token) (out []string) {
	raw := token.Reveal()
	out = append(out, raw)
	for _, part := range strings.Split(raw, ".") {
		if len(part) >= 16 { // shorter ones say nothing
			out = append(out, part)
		}
	}
	return out
}
