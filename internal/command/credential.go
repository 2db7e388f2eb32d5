package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/login"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/signer"
)

// defaultAudience is whom an identity token is for: public instances ask for this one.
const defaultAudience = "sigstore"

// The ways to an identity token.
const (
	flowAuto    = "auto"    // a job's own token, or else a browser
	flowAmbient = "ambient" // a job's own token
	flowBrowser = "browser"
	flowDevice  = "device"
)

// credentialFlags say who signs.
type credentialFlags struct {
	token     string
	flow      string
	issuer    string
	client    string
	connector string
	redirect  string
	key       string
	flag      string // that names the key; empty for key
}

func (f *credentialFlags) register(flags *pflag.FlagSet) {
	f.registerIdentity(flags)
	flags.StringVar(&f.key, "key", "", "sign with a private key, a PEM `FILE` with ECDSA or Ed25519, in place of an identity")
}

// registerIdentity is for a verb whose key flag means another key.
func (f *credentialFlags) registerIdentity(flags *pflag.FlagSet) {
	flags.StringVar(&f.token, "identity-token", "", "sign as whom the identity `TOKEN` names: a JWT for the audience sigstore, or a file with one")
	flags.StringVar(&f.flow, "oidc-flow", flowAuto, "how to get an identity token: `auto|ambient|browser|device`; auto is the job's own, or else a browser")
	flags.StringVar(&f.issuer, "oidc-issuer", "", "`URL` of the issuer to log in at (default: the signing config's)")
	flags.StringVar(&f.client, "oidc-client-id", defaultAudience, "client `ID` at the issuer, and whom a token must be for")
	flags.StringVar(&f.connector, "oidc-connector", "", "`URL` of the login page to go to at once, for example https://github.com/login/oauth")
	flags.StringVar(&f.redirect, "oidc-redirect-url", "", "`URL` on this machine to come back to from the browser (default: a free port)")
}

// keyFlag is the flag that names the key.
func (f *credentialFlags) keyFlag() string { return "--" + cmp.Or(f.flag, "key") }

// given reports whether any of them differs from its default.
func (f *credentialFlags) given() bool {
	return f.token != "" || f.flow != flowAuto || f.issuer != "" || f.client != defaultAudience || f.connector != "" || f.redirect != "" || f.key != ""
}

func (f *credentialFlags) check() error {
	switch f.flow {
	case flowAuto, flowAmbient, flowBrowser, flowDevice:
	default:
		return usage("use --oidc-flow auto, ambient, browser or device", "unknown --oidc-flow %q", f.flow)
	}
	if strings.ContainsAny(f.key, "\r\n") || strings.Contains(f.key, "-----BEGIN") {
		return usage("write it to a file that nobody else can read, and name that", "%s takes the file that holds the key, not the key itself", f.keyFlag())
	}
	if f.flow == flowAmbient && f.issuer != "" {
		return usage("leave one of them out", "--oidc-flow ambient takes the job's own token, and --oidc-issuer is where a person logs in")
	}
	if f.key != "" && (f.token != "" || f.flow != flowAuto || f.issuer != "") {
		return usage("choose one of them", "%s and an identity token name two signers", f.keyFlag())
	}
	for flag, address := range map[string]string{"oidc-issuer": f.issuer, "oidc-connector": f.connector, "oidc-redirect-url": f.redirect} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			return usage("give one such as https://oauth2.sigstore.dev/auth", "--%s %s is no URL", flag, address)
		}
	}
	if f.token != "" && (f.flow != flowAuto || f.issuer != "") {
		return usage("choose one of them", "--identity-token needs no --oidc-flow and no --oidc-issuer")
	}
	return nil
}

// credential is who signs. The zero value is nobody.
type credential struct {
	key *signer.PrivateKey
	job *provenance.Claims // of a job of GitHub Actions; nil for a person and for most keys
	// mint gets a new identity token; nil with a key.
	mint func(context.Context) (identity.Token, error)

	audience string // whom a token must be for

	mu     sync.Mutex
	token  identity.Token // the newest; none yet where nobody has logged in
	once   bool           // it was given, and there is no other
	person login.Person   // of the newest token, where it is a person's
	now    func() time.Time
}

// opening is what matters for who signs.
type opening struct {
	offer offer
	// claims of a job are needed, as what is signed is its provenance.
	claims bool
}

// open finds out who signs, as far as nobody has to be asked: the key, the token
// that was given, or the job's own. A person logs in when all else is ready, as
// such a token lives for a minute.
func (f *credentialFlags) open(ctx context.Context, env Env, o opening) (*credential, error) {
	who, err := f.find(ctx, env, o)
	if err == nil && o.claims && who.job == nil {
		err = errNoJob()
	}
	return who, err
}

// errNoJob says why somebody who is no job cannot sign provenance.
func errNoJob() error {
	return usage("attest in a workflow; or say --step NAME (an in-toto link), or --predicate FILE --predicate-type URI",
		"SLSA provenance tells how a job of GitHub Actions built something, and it is a job's token that says so")
}

func (f *credentialFlags) find(ctx context.Context, env Env, o opening) (*credential, error) {
	runner := actions.Runner{Getenv: env.Getenv, HTTP: env.HTTP, Commands: env.Stderr}
	who := &credential{audience: f.client, now: time.Now} //nolint:forbidigo // how old a token has become while files were hashed
	if f.key != "" {
		if err := f.openKey(env, who); err != nil || !o.claims {
			return who, err
		}
		err := who.openClaims(ctx, runner)
		return who, err
	}
	switch f.flow {
	case flowAuto, flowAmbient:
		if f.token != "" {
			return who, f.openGiven(env, who)
		}
		who.mint = func(ctx context.Context) (identity.Token, error) { return runner.IDToken(ctx, f.client) }
		err := who.openJob(ctx)
		if !errors.Is(err, actions.ErrNotActions) {
			return who, err
		}
		if o.claims {
			return nil, errNoJob()
		}
		if f.flow == flowAmbient || !env.StderrIsTerminal {
			return nil, undecided("sign in a job of GitHub Actions, or log in with --oidc-flow browser or device, or give --identity-token or "+f.keyFlag(), errors.New("nobody is there to sign: this is not a job of GitHub Actions, and no terminal to log in at"))
		}
	}
	return who, f.openLogin(env, o.offer, who)
}

// openKey reads the key.
func (f *credentialFlags) openKey(env Env, who *credential) error {
	data, err := evidence.Read(env.FS, f.key, maxKeyFile)
	if err != nil {
		return undecided("check "+f.keyFlag(), fmt.Errorf("reading key %s: %w", f.key, err))
	}
	key, err := signer.ParsePrivateKey(data)
	if err != nil {
		return &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", f.key, err), next: "give the private key, in PEM: -----BEGIN PRIVATE KEY-----"}
	}
	who.key = &key
	return nil
}

// openClaims reads the job's claims for provenance that a key signs, where there is no
// certificate authority: nothing certifies them then.
func (c *credential) openClaims(ctx context.Context, runner actions.Runner) error {
	token, err := runner.IDToken(ctx, c.audience)
	switch {
	case errors.Is(err, actions.ErrNotActions):
		return errNoJob()
	case ctx.Err() != nil:
		return interrupted(ctx, "asking for an identity token")
	case err != nil:
		return undecided("run the job again", err) // an error that knows better says so
	}
	claims, err := provenance.ReadClaims(token)
	if err != nil {
		return undecided("run it in a job of GitHub Actions", err)
	}
	c.job = &claims
	return nil
}

// openGiven reads the token that the caller has.
func (f *credentialFlags) openGiven(env Env, who *credential) error {
	token, err := readToken(env.FS, f.token)
	if err == nil {
		err = env.mask(token)
	}
	if err != nil {
		return err
	}
	who.mint = func(context.Context) (identity.Token, error) { return token, nil }
	who.once = true
	return who.take(token)
}

// readToken takes a JWT as it is, and anything else for the name of a file. No
// error quotes it.
func readToken(fsys fs.FS, given string) (identity.Token, error) {
	if strings.HasPrefix(given, "ey") && strings.Count(given, ".") == 2 {
		return identity.NewToken(given), nil
	}
	data, err := evidence.Read(fsys, given, identity.MaxTokenBytes)
	if err != nil {
		return identity.Token{}, undecided("give the token itself or a file that holds it", fmt.Errorf("reading the file of --identity-token: %w", err))
	}
	token := identity.NewToken(strings.TrimSpace(string(data)))
	if token.IsZero() {
		return identity.Token{}, undecided("give the token itself or a file that holds it", errors.New("the file of --identity-token is empty"))
	}
	return token, nil
}

// openJob gets the job's own token.
func (c *credential) openJob(ctx context.Context) error {
	token, err := c.mint(ctx)
	switch {
	case errors.Is(err, actions.ErrNotActions):
		return err
	case ctx.Err() != nil:
		return interrupted(ctx, "asking for an identity token")
	case err != nil:
		return undecided("run the job again", err) // an error that knows better says so
	}
	return c.take(token)
}

// openLogin prepares to ask a person.
func (f *credentialFlags) openLogin(env Env, o offer, who *credential) error {
	options := login.Options{
		Issuer: f.issuer, ClientID: f.client, Connector: f.connector, RedirectURL: f.redirect,
		Output: env.Stderr, Input: env.Stdin,
	}
	issuer, err := o.issuer()
	if err != nil {
		return err
	}
	options.Issuer = cmp.Or(options.Issuer, issuer)
	if options.Issuer == "" {
		return undecided("name it with --oidc-issuer URL", errors.New("logging in: the signing config names no issuer"))
	}
	who.mint = func(ctx context.Context) (identity.Token, error) {
		if f.flow == flowDevice {
			return login.Device(ctx, options)
		}
		return login.Browser(ctx, options)
	}
	return nil
}

// public is the key's public half in PEM; nothing for an identity.
func (c *credential) public() ([]byte, error) {
	if c.key == nil {
		return nil, nil
	}
	return c.key.PublicKey()
}

// publicKey is the key for attestation.OpenWithKey.
func (c *credential) publicKey() (attestation.Key, error) {
	pem, err := c.public()
	if err != nil {
		return attestation.Key{}, err
	}
	return attestation.ParseKey(pem)
}

// notes are what the caller should know of the signer.
func (c *credential) notes() []string {
	if c.key != nil {
		return []string{"signed with a key: no certificate says who holds it"}
	}
	return nil
}
