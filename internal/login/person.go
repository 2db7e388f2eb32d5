package login

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/identity"
)

// maxClaimBytes bounds a claim.
const maxClaimBytes = 4 << 10

// Person is who a token says has logged in, and where. It is read and not
// verified: Fulcio verifies the token and certifies the person, and
// [Person.CheckCertificate] holds the two together. The zero value is nobody.
type Person struct {
	Email         string // may be empty: not every token is a person's
	EmailVerified bool
	Subject       string // sub
	Issuer        string // iss
	// Connector is where the issuer had the person log in, dex's
	// federated_claims.connector_id; empty where there is none.
	Connector string
	Expires   time.Time
	Audience  []string
}

// ReadPerson reads the claims of a token, a JWT of at most 64 KiB. It looks at
// neither its header nor its signature. iss, sub, aud and exp must be there, as
// OpenID Connect Core 1.0, 2, has it; claims that it does not know are passed
// over. No error holds a part of the token.
func ReadPerson(token identity.Token) (Person, error) {
	person, err := readPerson(token)
	if err != nil {
		return Person{}, fmt.Errorf("reading the identity token: %w", err)
	}
	return person, nil
}

func readPerson(token identity.Token) (Person, error) {
	payload, err := token.Payload()
	if err != nil {
		return Person{}, err
	}
	var c claims
	// The reader's own error quotes what it read.
	if err := json.Unmarshal(payload, &c); errors.Is(err, jsontext.ErrDuplicateName) {
		return Person{}, errors.New("a name stands twice in its claims")
	} else if err != nil {
		return Person{}, errors.New("its claims are not one JSON object with the types of OpenID Connect Core 1.0, 2")
	}
	if err := c.check(); err != nil {
		return Person{}, err
	}
	return Person{
		Email: c.Email, EmailVerified: bool(c.EmailVerified), Subject: c.Subject, Issuer: c.Issuer,
		Connector: c.Federated.Connector, Expires: c.Expires.Time, Audience: c.Audience,
	}, nil
}

// claims are those of an ID token that matter here.
type claims struct {
	Issuer        string               `json:"iss"`
	Subject       string               `json:"sub"`
	Audience      identity.Audience    `json:"aud"`
	Expires       identity.NumericDate `json:"exp"`
	Email         string               `json:"email"`
	EmailVerified boolean              `json:"email_verified"`
	Federated     struct {
		Connector string `json:"connector_id"`
	} `json:"federated_claims"`
}

// check refuses claims that are missing, or that could disturb a line of a report.
func (c *claims) check() error {
	all := []struct {
		name, value string
		required    bool
	}{
		{"iss", c.Issuer, true}, {"sub", c.Subject, true},
		{"email", c.Email, false}, {"federated_claims.connector_id", c.Federated.Connector, false},
	}
	for _, value := range c.Audience {
		all = append(all, struct {
			name, value string
			required    bool
		}{"aud", value, true})
	}
	for _, claim := range all {
		switch {
		case claim.required && claim.value == "":
			return fmt.Errorf("claim %s is missing", claim.name)
		case len(claim.value) > maxClaimBytes:
			return fmt.Errorf("claim %s has %d bytes, at most %d are read", claim.name, len(claim.value), maxClaimBytes)
		case strings.ContainsFunc(claim.value, unicode.IsControl):
			return fmt.Errorf("claim %s holds a control character", claim.name)
		}
	}
	if len(c.Audience) == 0 {
		return errors.New("claim aud is missing")
	}
	if c.Expires.IsZero() {
		return errors.New("claim exp is missing")
	}
	return nil
}

// boolean is a boolean, which some issuers write as a string: AWS Cognito has
// "email_verified": "true".
type boolean bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *boolean) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true", `"true"`:
		*b = true
	case "false", `"false"`:
		*b = false
	default:
		return errors.New("neither true nor false")
	}
	return nil
}

// CheckCertificate demands that a certificate names this person and nobody else:
// its only name is the e-mail address, its issuer is the one that vouches for the
// address, and it carries no extension of a CI job. A token subject (.24), where
// there is one, is sub. Nobody, and an address that the issuer has not verified,
// is refused.
//
// The issuer is the token's, or the connector where the token has one: Fulcio
// takes it from there for oauth2.sigstore.dev ("IssuerClaim":
// "$.federated_claims.connector_id" in its configuration), and an instance of one's
// own may do either.
func (p Person) CheckCertificate(s identity.Signer) error {
	refuse := func(err error) error { return fmt.Errorf("checking the certificate against the login: %w", err) }
	switch {
	case p.Email == "" || p.Issuer == "":
		return refuse(step("log in, and sign again", "nobody has logged in with an e-mail address"))
	case !p.EmailVerified:
		return refuse(errUnverified())
	}
	var found []string
	if s.Key != "" || s.SANKind != identity.Email || s.SAN != p.Email {
		found = append(found, fmt.Sprintf("its SAN is %s %q, expected the email %q", kindOf(s), s.SAN, p.Email))
	}
	if s.Issuer != p.Issuer && (s.Issuer != p.Connector || p.Connector == "") {
		expected := fmt.Sprintf("%q", p.Issuer)
		if p.Connector != "" {
			expected += fmt.Sprintf(" or %q", p.Connector)
		}
		found = append(found, fmt.Sprintf("its issuer is %q, expected %s", s.Issuer, expected))
	}
	if s.IsWorkload() {
		found = append(found, "it has extensions of a CI job, which a person's has not")
	}
	if subject, ok := s.Extensions[identity.TokenSubject]; ok && subject != p.Subject {
		found = append(found, fmt.Sprintf("its token subject is %q, expected %q", subject, p.Subject))
	}
	if found != nil {
		return refuse(errors.New(strings.Join(found, "; ")))
	}
	return nil
}

func kindOf(s identity.Signer) string {
	switch {
	case s.Key != "":
		return "a key and"
	case s.SANKind == "":
		return "of no kind and"
	}
	return "the " + string(s.SANKind)
}
