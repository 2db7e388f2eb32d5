package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// Domain names the services in the trusted root.
const Domain = "sandbox.test"

// Sandbox is a running Sigstore. It is safe for concurrent use.
type Sandbox struct {
	config        Config
	sigstore      *attestationtest.Sigstore
	endpoints     Endpoints
	signingConfig []byte

	github *github
	email  *email
	faults *faults

	complain *log.Logger
	end      context.CancelFunc
	serving  sync.WaitGroup
	mu       sync.Mutex
	servers  []*http.Server
	atEnd    []func()
}

// Endpoints are the addresses of a sandbox, all of them on 127.0.0.1. They
// stand in sandbox.json.
type Endpoints struct {
	Fulcio  string `json:"fulcio"`  // base URL
	CTLog   string `json:"ctlog"`   // base URL, without /ct/v1
	RekorV1 string `json:"rekorV1"` // base URL
	RekorV2 string `json:"rekorV2"` // base URL
	TSA     string `json:"tsa"`     // where a query is posted
	GitHub  string `json:"github"`  // base URL of GitHub Actions' OIDC provider
	Issuer  string `json:"issuer"`  // of the e-mail tokens
	Control string `json:"control"` // see [Connect]

	// IDTokenURL and IDTokenRequest are ACTIONS_ID_TOKEN_REQUEST_URL and
	// ACTIONS_ID_TOKEN_REQUEST_TOKEN.
	IDTokenURL     string `json:"idTokenURL"`
	IDTokenRequest string `json:"idTokenRequest"`
}

// Start returns a sandbox that answers. Close ends it.
func Start(config Config) (*Sandbox, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkGitHubClaims(claimChanges{claims: config.Claims, without: config.Without}); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	s := &Sandbox{
		config:   config,
		complain: config.logger(),
		end:      end,
		faults:   &faults{active: make(map[string]*Fault), ended: ctx.Done()},
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting sandbox: %w", err), s.Close())
	}
	return s, nil
}

func (s *Sandbox) start(ctx context.Context) error {
	services := attestationtest.PublicGood()
	services.Domain, services.Now = Domain, time.Now()
	var err error
	if s.sigstore, err = attestationtest.New(services); err != nil {
		return err
	}
	if err := s.startIssuers(); err != nil {
		return err
	}
	if err := s.startLogs(); err != nil {
		return err
	}
	if s.config.Stock == "" {
		err = s.startFulcio(ctx)
	} else {
		err = s.startStock(ctx)
	}
	if err != nil {
		return err
	}
	if s.signingConfig, err = s.encodeSigningConfig(); err != nil {
		return err
	}
	return s.startControl()
}

// makeKey makes an issuer's key meanwhile.
func (s *Sandbox) makeKey() lazyKey {
	key := sync.OnceValues(newTokenKey)
	s.serving.Go(func() { _, _ = key() }) // who needs the key has the error too
	return key
}

// listen opens a port of loopback that is free.
func listen(ctx context.Context) (net.Listener, string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listening on loopback: %w", err)
	}
	return listener, "http://" + listener.Addr().String(), nil
}

// serve has the handler answer at an address of its own. A service without a
// name has no faults.
func (s *Sandbox) serve(service string, handler func(url string) (http.Handler, error)) (string, error) {
	listener, url, err := listen(context.Background())
	if err != nil {
		return "", err
	}
	answering, err := handler(url)
	if err != nil {
		return "", errors.Join(err, listener.Close())
	}
	if service != "" {
		answering = s.faults.before(service, answering)
	}
	server := &http.Server{Handler: answering, ReadHeaderTimeout: 10 * time.Second, ErrorLog: s.complain}
	s.mu.Lock()
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	s.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.complain.Printf("serving %s: %v", service, err)
		}
	})
	return url, nil
}

// fixed is a handler that does not need its address.
func fixed(handler http.Handler) func(string) (http.Handler, error) {
	return func(string) (http.Handler, error) { return handler, nil }
}

func (s *Sandbox) startIssuers() error {
	var err error
	s.github = &github{config: s.config, key: s.makeKey(), request: rand.Text() + rand.Text()}
	s.endpoints.GitHub, err = s.serve("github", func(url string) (http.Handler, error) {
		s.github.url = url
		return s.github.handler(), nil
	})
	if err != nil {
		return err
	}
	s.endpoints.IDTokenURL, s.endpoints.IDTokenRequest = s.github.tokenURL(claimChanges{}), s.github.request

	s.email = newEmail(person{Email: s.config.Email, Issuer: s.config.Issuer}, s.makeKey(), s.faults)
	_, err = s.serve("email", func(url string) (http.Handler, error) {
		s.email.url = url
		return s.email.handler(), nil
	})
	s.endpoints.Issuer = s.email.issuer()
	return err
}

func (s *Sandbox) startLogs() (err error) {
	if s.endpoints.CTLog, err = s.serve("ctlog", fixed(s.sigstore.CTLog.Handler(time.Now))); err != nil {
		return err
	}
	if s.endpoints.RekorV1, err = s.serve("rekor1", fixed(s.sigstore.RekorV1.Handler(time.Now))); err != nil {
		return err
	}
	if s.config.Stock != "" {
		return nil
	}
	if s.endpoints.RekorV2, err = s.serve("rekor2", fixed(s.sigstore.RekorV2.Handler())); err != nil {
		return err
	}
	s.endpoints.TSA, err = s.serve("tsa", fixed(s.sigstore.TSA.Handler(time.Now)))
	s.endpoints.TSA += timestampPath
	return err
}

const timestampPath = "/api/v1/timestamp"

func (s *Sandbox) startFulcio(ctx context.Context) error {
	server, err := newFulcio(s.sigstore.CA, s.endpoints.CTLog, s.endpoints.Issuer)
	if err != nil {
		return err
	}
	server.keys = map[string]oidc.KeySet{"github": s.github.key, "email": s.email.key}
	server.faults, server.complain = s.faults, s.complain
	server.remint = newRemint(s.github.key, s.email.key)
	handler, err := server.handler(ctx)
	if err != nil {
		return err
	}
	s.endpoints.Fulcio, err = s.serve("fulcio", fixed(handler))
	return err
}

// Close ends the sandbox at once, with whatever it is answering. It may be
// called more than once.
func (s *Sandbox) Close() error {
	s.end()
	s.mu.Lock()
	servers, atEnd := s.servers, s.atEnd
	s.servers, s.atEnd = nil, nil
	s.mu.Unlock()
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.Close())
	}
	for _, f := range slices.Backward(atEnd) {
		f()
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

// Endpoints returns the addresses.
func (s *Sandbox) Endpoints() Endpoints { return s.endpoints }

// TrustedRoot returns trusted_root.json.
func (s *Sandbox) TrustedRoot() []byte { return s.sigstore.TrustedRoot() }

// SetFault makes something wrong with a service, instead of what was before.
func (s *Sandbox) SetFault(fault Fault) error {
	if s.config.Stock != "" && (fault.Mode == modeOtherKey || fault.Mode == modeOtherIdentity) {
		return fmt.Errorf("setting fault: the stock fulcio cannot be %q", fault.Mode)
	}
	return s.faults.set(fault)
}

// ClearFaults makes everything right again.
func (s *Sandbox) ClearFaults() { s.faults.clear() }

// LogIn changes who logs in at the e-mail issuer from now on, and at which
// connector; an empty string changes nothing.
func (s *Sandbox) LogIn(email, issuer string) { s.email.logIn(person{Email: email, Issuer: issuer}) }
