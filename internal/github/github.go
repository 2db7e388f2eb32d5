// Package github stores bundles at GitHub and fetches them from there, over its REST
// API: as attestations of a repository and as assets of a release. It judges nothing:
// what comes from here is believed no more than a file. It never sends the token to
// another host, and never replaces what is stored.
package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/identity"
)

// Bounds of an exchange.
const (
	MaxBundle   = 32 << 20 // bytes of one bundle
	maxAnswer   = 64 << 20 // bytes of one page of attestations, or of one list
	maxReceipt  = 1 << 20  // bytes of the answer to something stored
	maxRefusal  = 64 << 10 // bytes of an answer that refuses
	maxAttempts = 6
	// A host that no name server knows is hardly known a moment later.
	unknownAttempts = 3
	firstWait       = 500 * time.Millisecond // doubles with each attempt
	maxWait         = 15 * time.Second       // between two attempts, unless GitHub asks for more
	budget          = 90 * time.Second       // of one request's waits
	attemptTime     = 30 * time.Second       // of one attempt, but of those that carry bundles
	carryTime       = 2 * time.Minute
	maxHops         = 5
	atOnce          = 8 // bundles that are fetched at the same time
)

// Options say which GitHub, and who asks.
type Options struct {
	// Server is the URL of the pages, as GITHUB_SERVER_URL has it; empty for
	// https://github.com.
	Server string
	// API is the URL of the REST API, as GITHUB_API_URL has it; empty for that of the
	// server.
	API string
	// Token is sent to the API and to nobody else; the zero value asks as a stranger.
	Token identity.Token
	HTTP  *http.Client // must be set
	Agent string       // names the program, as "signatus/v1.0.0"
	// Now is compared with what GitHub says about waiting where an answer has no date.
	Now time.Time
	// Pause waits between two attempts; nil for the clock's own.
	Pause func(context.Context, time.Duration) error
	// Again learns of each wait before it, one at a time; nil for nobody.
	Again func(*Error, time.Duration)
}

// Client speaks with one GitHub.
type Client struct {
	api *gogithub.Client // makes requests
	// library carries one. It is a new one each time: it would remember a rate limit, and
	// refuse by a clock of its own where send has waited already.
	library func() *gogithub.Client
	plain   http.Client // for what is not the API's: it has no token
	server  *url.URL
	token   identity.Token
	secrets answer.Secrets // that no text may hold: the token
	now     time.Time
	pause   func(context.Context, time.Duration) error
	jitter  func() float64
	again   func(*Error, time.Duration)
	mu      sync.Mutex // held while again is told
}

// Open prepares a client. Nobody is asked yet.
func Open(o Options) (*Client, error) {
	server, err := base("GITHUB_SERVER_URL", o.Server, "https://github.com")
	if err != nil {
		return nil, err
	}
	api, err := base("GITHUB_API_URL", o.API, apiOf(server))
	if err != nil {
		return nil, err
	}
	c := &Client{server: server, token: o.Token, now: o.Now, pause: o.Pause, again: o.Again, jitter: rand.Float64}
	c.secrets.Add(o.Token.Reveal())
	if c.pause == nil {
		c.pause = answer.Pause
	}
	c.plain = *o.HTTP
	c.plain.Jar, c.plain.Timeout = nil, 0 // each attempt has its own
	c.plain.CheckRedirect = redirect
	asks := c.plain
	asks.Transport = refusals{over: asks.Transport}
	c.library = func() *gogithub.Client { return gogithub.NewClient(&asks) }
	c.api = c.library()
	c.api.BaseURL = api.JoinPath("/")
	c.api.UploadURL = c.api.BaseURL
	c.api.UserAgent = o.Agent
	return c, nil
}

// base reads the address of a GitHub. Over http it would show the token to anybody on
// the way, so that this is for this machine alone.
func base(variable, given, otherwise string) (*url.URL, error) {
	if given == "" {
		given = otherwise
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !secure(u) {
		return nil, fmt.Errorf("reading %s: it is no https URL of a GitHub; next: leave it unset for github.com, or set it to the server's own", variable)
	}
	return u, nil
}

// cloud tells whether the server is GitHub's own.
func (c *Client) cloud() bool { return cloud(c.server.Host) }

func cloud(host string) bool { return host == "github.com" || strings.HasSuffix(host, ".ghe.com") }

// apiOf is where a server's API is: beside github.com and the tenants of ghe.com under
// a name of its own, on a GitHub Enterprise Server below a path.
//
// Source: https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
func apiOf(server *url.URL) string {
	if cloud(server.Host) {
		return server.Scheme + "://api." + server.Host
	}
	return server.JoinPath("api/v3").String()
}

// secure tells whether what is sent to a URL is seen by its host alone.
func secure(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// redirect follows a renamed repository and a download to where it is kept, without the
// token as soon as another host is asked: net/http alone would still hand it to
// subdomains, and again to the first host after a detour.
func redirect(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxHops:
		return errors.New("it redirects without end")
	case !secure(next.URL):
		return fmt.Errorf("it redirects to %s, which is not https", next.URL.Host)
	}
	for _, before := range via {
		if before.URL.Host != next.URL.Host || before.URL.Scheme != next.URL.Scheme {
			next.Header.Del("Authorization")
		}
	}
	if via[len(via)-1].Header.Get("Authorization") == "" {
		next.Header.Del("Authorization")
	}
	return nil
}

// betweenWrites is how long one waits between two of many requests that write.
//
// "If you are making a large number of POST, PATCH, PUT, or DELETE requests, wait at
// least one second between each request."
//
// Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
const betweenWrites = time.Second

// Rest waits so long, or until ctx ends, which the next request finds out.
func (c *Client) Rest(ctx context.Context) { _ = c.pause(ctx, betweenWrites) }

// Host names the GitHub in reports.
func (c *Client) Host() string { return c.server.Host }

// mine tells whether the API's token may be sent to a URL: the API's own host, and that
// which takes uploads for it.
func (c *Client) mine(u *url.URL) bool {
	api := c.api.BaseURL
	if u.Scheme != api.Scheme || u.User != nil {
		return false
	}
	return u.Host == api.Host || u.Host == c.server.Host && u.Scheme == c.server.Scheme || u.Host == "uploads."+c.server.Host
}

// refusals bounds the answers that refuse and closes them: the library reads them to
// their end, whatever that is.
type refusals struct{ over http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r refusals) RoundTrip(request *http.Request) (*http.Response, error) {
	over := r.over
	if over == nil {
		over = http.DefaultTransport //nolint:forbidigo // it is that of a client without one
	}
	response, err := over.RoundTrip(request)
	if err != nil || response.StatusCode < http.StatusBadRequest {
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}
