package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxTokenBytes bounds what is read of a token.
const MaxTokenBytes = 64 << 10

// Payload gives the claims of a token that is a JWT, as JSON that nobody has
// verified or read yet. No error holds a part of the token.
func (t Token) Payload() ([]byte, error) {
	secret := t.Reveal()
	if len(secret) > MaxTokenBytes {
		return nil, fmt.Errorf("it has %d bytes, at most %d are read", len(secret), MaxTokenBytes)
	}
	parts := strings.Split(secret, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("it has %d parts, expected a JWT's header, claims and signature with a dot between them", len(parts))
	}
	// The decoder passes over line breaks, even a strict one.
	payload, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil || strings.ContainsAny(parts[1], "\r\n") {
		return nil, errors.New("its claims are not base64url")
	}
	return payload, nil
}

// Audience is whom a token is for: one string or a list of them.
//
// "In the general case, the "aud" value is an array of case-sensitive strings
// [...] In the special case when the JWT has one audience, the "aud" value MAY
// be a single case-sensitive string" (RFC 7519, 4.1.3)
type Audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *Audience) UnmarshalJSON(data []byte) error {
	if jsontext.Value(data).Kind() == '[' {
		return json.Unmarshal(data, (*[]string)(a))
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*a = []string{one}
	return nil
}

// NumericDate is a time in a token: seconds since 1970, "and non-integer values can
// be represented" (RFC 7519, 2). What is left of a second is left out.
type NumericDate struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (d *NumericDate) UnmarshalJSON(data []byte) error {
	const last = 1 << 38 // in the year 10680
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return fmt.Errorf("expected seconds since 1970: %w", err)
	}
	if seconds < 1 || seconds > last {
		return errors.New("expected seconds since 1970, and it is out of range")
	}
	d.Time = time.Unix(int64(seconds), 0).UTC()
	return nil
}
