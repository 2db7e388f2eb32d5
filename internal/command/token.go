package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/login"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/signer"
)

// take begins with a token: who it speaks for is who signs.
func (c *credential) take(token identity.Token) error {
	who, err := c.read(token)
	if err != nil {
		return err
	}
	c.token, c.person, c.job = token, who.person, who.job
	return nil
}

// renew takes a newer token for the same signer. What is signed was made of the
// first one's claims, so a job's stay.
func (c *credential) renew(token identity.Token) error {
	who, err := c.read(token)
	if err != nil {
		return err
	}
	if !c.token.IsZero() && !c.same(who) {
		return &exitError{
			code: ExitDenied, err: errors.New("reading the identity token: it speaks for another signer than the first one of this run"),
			next: "log in as the one who began, or attest in two runs",
		}
	}
	if c.job != nil && c.job.Public() && !who.job.Public() {
		return &exitError{
			code: ExitDenied, err: fmt.Errorf("reading the identity token: the repository %s is %s now, and was public when this run began", who.job.Repository, visibility(who.job.Visibility)),
			next: "run the job again: the instance is chosen again",
		}
	}
	c.token, c.person = token, who.person
	return nil
}

// same tells whether a token is the same signer's: a job's, which its certificate is
// held against, or the same person's.
func (c *credential) same(who tokenSigner) bool {
	return (c.job == nil) == (who.job == nil) && c.person.Email == who.person.Email && c.person.Issuer == who.person.Issuer && c.person.Connector == who.person.Connector
}

// tokenSigner is who a token speaks for: one of the two.
type tokenSigner struct {
	person login.Person
	job    *provenance.Claims
}

// read reads a token, and refuses one that Fulcio would.
func (c *credential) read(token identity.Token) (tokenSigner, error) {
	refuse := func(next, format string, args ...any) (tokenSigner, error) {
		return tokenSigner{}, &exitError{code: ExitDenied, err: fmt.Errorf("reading the identity token: "+format, args...), next: next}
	}
	person, err := login.ReadPerson(token)
	if err != nil {
		return tokenSigner{}, &exitError{code: ExitDenied, err: err, next: "give a JWT of an OIDC issuer for the audience " + c.audience}
	}
	switch {
	case !slices.Contains(person.Audience, c.audience):
		return refuse("ask the issuer for a token with the audience "+c.audience, "it is for the audience %q, expected %q", strings.Join(person.Audience, " "), c.audience)
	case person.Expires.Before(c.now()):
		return refuse("get a new one", "it expired at %s", person.Expires.UTC().Format(time.RFC3339))
	case person.Email != "" && !person.EmailVerified:
		return refuse("confirm the address with the issuer", "its issuer has not verified the address %s", person.Email)
	case person.Email != "":
		return tokenSigner{person: person}, nil
	}
	claims, err := provenance.ReadClaims(token)
	if err != nil {
		return tokenSigner{}, &exitError{code: ExitDenied, err: err, next: "give the token of a job of GitHub Actions, or of a person with an e-mail address"}
	}
	return tokenSigner{job: &claims}, nil
}

// maxTokenAge is how long before its end a token is still sent.
const maxTokenAge = 10 * time.Second

// source is for one signing: it gives the newest token, and gets a newer one where
// that has expired or the signer asks again.
func (c *credential) source() signer.TokenSource {
	if c.key != nil {
		return nil
	}
	asked := false
	return func(ctx context.Context) (identity.Token, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.token.IsZero() && !asked && !c.stale() || c.once {
			asked = true
			return c.token, nil
		}
		asked = true
		token, err := c.mint(ctx)
		if err == nil {
			err = c.renew(token)
		}
		if err != nil {
			return identity.Token{}, err // and no token beside it
		}
		return token, nil
	}
}

func (c *credential) stale() bool {
	person, err := login.ReadPerson(c.token)
	return err != nil || person.Expires.Add(-maxTokenAge).Before(c.now())
}

// checkCertificate holds a certificate against the token: it must name the job or
// the person whom the token names, before anything is logged.
func (c *credential) checkCertificate() func(identity.Signer) error {
	if c.key != nil {
		return nil
	}
	return func(s identity.Signer) error {
		if c.job != nil {
			return c.job.CheckCertificate(s)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.person.CheckCertificate(s)
	}
}
