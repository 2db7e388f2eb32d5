// Package login gets a person's identity token from an OIDC issuer, through a
// browser or a device code. It decides nothing by what the token says: Fulcio
// verifies it, and [Person.CheckCertificate] holds the two together. It keeps no
// token, shows none, and prints to the writer that it is given and nowhere else.
//
//	token, err := login.Browser(ctx, login.Options{Issuer: "https://oauth2.sigstore.dev/auth", Output: stderr})
//	person, err := login.ReadPerson(token)
//	...
//	err = person.CheckCertificate(signer) // what Fulcio certified
//
// The flows themselves are those of sigstore/sigstore's oauthflow, which cosign
// uses too. It takes no context, so a login runs in a goroutine of its own, which
// ends at the next word that it says, or pause that it makes, after the context
// has. See [session].
package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/sigstore/sigstore/pkg/oauthflow"
	"golang.org/x/oauth2"

	"github.com/signatus-dev/signatus/internal/identity"
)

const (
	defaultClient  = "sigstore"
	defaultTimeout = 5 * time.Minute
)

// Options say where to log in, and how the person is spoken to.
type Options struct {
	// Issuer must be set: an https URL, as https://oauth2.sigstore.dev/auth, or
	// http on loopback.
	Issuer string
	// ClientID is the OAuth client, and the audience of the token: "sigstore" if
	// empty.
	ClientID string
	// Connector is dex's connector_id: at oauth2.sigstore.dev the login page, as
	// https://github.com/login/oauth. Empty lets the person choose. A device
	// login asks on its page in any case; a token that names another connector
	// is refused.
	Connector string
	// RedirectURL is where [Browser] listens for the browser's return: http on
	// loopback, with a port and a path. Empty for a free port, which RFC 8252,
	// 7.3, has issuers allow.
	RedirectURL string
	// Output must be set: it tells the person what to do, and what will be
	// published. It is the caller's standard error.
	Output io.Writer
	// OpenBrowser shows an address to the person; nil for the system's browser.
	OpenBrowser func(url string) error
	// Input is read for the code that the issuer's page shows where no browser
	// can be opened, or none comes back within two minutes. Nil ends the login
	// there. A read that has begun when the login ends is not taken back.
	Input io.Reader
	// Timeout bounds the whole login: five minutes if 0.
	Timeout time.Duration
}

// check refuses options that nobody can log in with, and fills in the rest.
func (o Options) check() (Options, error) {
	if o.Issuer == "" {
		return o, step("give the issuer's URL", "no issuer was given")
	}
	if err := checkIssuer(o.Issuer); err != nil {
		return o, step("give an https URL, or http on loopback", "the issuer's URL: %w", err)
	}
	if o.RedirectURL != "" {
		if err := checkRedirect(o.RedirectURL); err != nil {
			return o, step("give one like http://localhost:8080/auth/callback, or none", "the redirect URL: %w", err)
		}
	}
	if o.Output == nil {
		return o, errors.New("nothing was given to tell the person what will be published")
	}
	if o.Timeout < 0 {
		return o, errors.New("the timeout is negative")
	}
	if o.ClientID == "" {
		o.ClientID = defaultClient
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return o, nil
}

// checkURL demands https, or http on loopback where that is allowed.
func checkURL(address string, loopbackAllowed bool) error {
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Host == "" || parsed.String() != address:
		return errors.New("it is no URL with a host")
	case parsed.User != nil || parsed.Fragment != "":
		return errors.New("it has a user or a fragment")
	case parsed.Scheme == "https", parsed.Scheme == "http" && loopbackAllowed && loopback(parsed.Hostname()):
		return nil
	}
	return errors.New("it is neither https nor on loopback")
}

// checkIssuer demands what OpenID Connect Discovery 1.0, 3, does of an issuer: it
// "has no query or fragment components".
func checkIssuer(address string) error {
	if strings.Contains(address, "?") {
		return errors.New("it has a query")
	}
	return checkURL(address, true)
}

// checkRedirect keeps the listener for the browser on this machine: it listens at
// whatever host the address has, and its path becomes a pattern of net/http.
func checkRedirect(address string) error {
	if err := checkURL(address, true); err != nil {
		return err
	}
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Scheme != "http":
		return errors.New("it is not http on loopback")
	case parsed.Port() == "" || parsed.Port() == "0":
		return errors.New("it has no port")
	case parsed.RawQuery != "" || parsed.ForceQuery:
		return errors.New("it has a query")
	case parsed.Path == "" || strings.ContainsFunc(parsed.Path, notOfPath):
		return errors.New("its path is empty, or has other characters than letters, digits, and any of /-_.~")
	}
	return nil
}

func notOfPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-_.~", r)
}

// loopback tells whether a host is this machine, where a test's Sigstore runs.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Browser has a person log in with a browser on this machine: authorization code
// with PKCE (RFC 6749, 4.1; RFC 7636). The token's signature, audience and nonce
// have been verified with the issuer's keys, and its e-mail address is one that
// the issuer has verified.
//
// A context that ends ends the login: errors.Is finds its error. No error and no
// output holds the token, the code or the verifier.
//
// Where a person declines, the issuer sends the browser back without a code. The
// library does not read why, so that the error is then the issuer's answer to a
// code that is empty, as invalid_request.
func Browser(ctx context.Context, o Options) (identity.Token, error) {
	return logIn(ctx, o, flow{begins: "authorization_endpoint", getter: browserGetter})
}

// Device has a person log in on another device: this one shows a code to be typed
// there, and waits (RFC 8628). What [Browser] says of the token, the context and
// of secrets holds here too.
func Device(ctx context.Context, o Options) (identity.Token, error) {
	o.RedirectURL = "" // nothing comes back to this machine
	return logIn(ctx, o, flow{begins: "device_authorization_endpoint", getter: deviceGetter})
}

// flow is one of the two ways.
type flow struct {
	begins string // the endpoint, as the issuer's document names it
	getter func(context.Context, *session) oauthflow.TokenGetter
}

func browserGetter(ctx context.Context, s *session) oauthflow.TokenGetter {
	getter := &oauthflow.InteractiveIDTokenGetter{
		// It cannot say that the login succeeded: it is shown in any case.
		HTMLPage:      "<!doctype html><meta charset=utf-8><title>signatus</title><p>Go back to the terminal: the login goes on there. You can close this page.\n",
		Input:         input{session: s, typed: new(bool)},
		Output:        output{s},
		BrowserOpener: s.opener(ctx),
	}
	if s.options.Connector != "" {
		getter.ExtraAuthURLParams = []oauth2.AuthCodeOption{oauthflow.ConnectorIDOpt(s.options.Connector)}
	}
	return getter
}

func deviceGetter(_ context.Context, s *session) oauthflow.TokenGetter {
	// The newer constructor has the getter look up the address again, and take
	// one that nobody has checked.
	getter := oauthflow.NewDeviceFlowTokenGetter(s.options.Issuer, s.endpoint.DeviceAuthURL, "") //nolint:staticcheck // see above
	getter.MessagePrinter = s.say
	getter.Sleeper = s.sleep
	return getter
}

// logIn is what both ways have in common.
func logIn(ctx context.Context, o Options, by flow) (identity.Token, error) {
	o, err := o.check()
	if err != nil {
		return identity.Token{}, fmt.Errorf("logging in: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	token, err := o.logIn(limited, by)
	switch {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		err = fmt.Errorf("interrupted: %w", ctx.Err())
	case limited.Err() != nil:
		err = step("log in again", "nobody has within %s: %w", o.Timeout, limited.Err())
	default:
		err = explain(err)
	}
	return identity.Token{}, fmt.Errorf("logging in at %s: %w", o.Issuer, err)
}

// logIn finds the issuer, warns, and has the library get a token.
func (o Options) logIn(ctx context.Context, by flow) (identity.Token, error) {
	provider, err := discover(ctx, o.Issuer)
	if err != nil {
		return identity.Token{}, err
	}
	if err := checkProvider(provider, o.Issuer, by.begins); err != nil {
		return identity.Token{}, err
	}
	s := &session{options: o, endpoint: provider.Endpoint(), ended: ctx.Done()}
	if err := s.warn(); err != nil {
		return identity.Token{}, err
	}
	getter := by.getter(ctx, s)
	got, err := s.run(ctx, func() (*oauthflow.OIDCIDToken, error) { return getter.GetIDToken(provider, s.config()) })
	if err != nil {
		return identity.Token{}, err
	}
	return accept(identity.NewToken(got.RawString), o.Connector)
}

// config is the OAuth client: a public one, without a secret.
//
// "A client MAY use the "client_id" request parameter to identify itself when
// sending requests to the token endpoint." (RFC 6749, 3.2.1) Left to find out
// another way, x/oauth2 sends a code that was refused a second time.
func (s *session) config() oauth2.Config {
	endpoint := s.endpoint
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return oauth2.Config{
		ClientID: s.options.ClientID, Endpoint: endpoint, RedirectURL: s.options.RedirectURL,
		Scopes: []string{oidc.ScopeOpenID, "email"},
	}
}

// accept refuses a token that Fulcio would not make a person's certificate of.
func accept(token identity.Token, connector string) (identity.Token, error) {
	person, err := ReadPerson(token)
	switch {
	case err != nil:
		return identity.Token{}, step("ask whoever runs the issuer", "%w", err)
	case person.Email == "":
		return identity.Token{}, step("log in at an issuer that gives e-mail addresses to this client", "the token names no e-mail address")
	case !person.EmailVerified:
		return identity.Token{}, errUnverified()
	case connector != "" && person.Connector != "" && person.Connector != connector:
		return identity.Token{}, step("choose it on the login page, or ask for another connector", "the login was at the connector %q, expected %q", person.Connector, connector)
	}
	return token, nil
}
