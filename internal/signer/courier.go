package signer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/signatus-dev/signatus/internal/answer"
)

const (
	maxAttempts = 6
	maxUnknown  = 3                      // for a host that no name server knows: without a network nobody waits long
	firstWait   = 500 * time.Millisecond // doubles with each attempt
	maxWait     = 15 * time.Second       // between two attempts, without a Retry-After
	maxAnswer   = 8 << 20                // bytes of an answer
)

// courier carries requests to services, again where that may help.
//
// sigstore-go's own clients would retry neither a broken connection nor heed
// Retry-After, read a closed body after their last attempt, and leave the
// caller's context out of their requests (v1.3.0).
type courier struct {
	http      http.Client
	sleep     func(context.Context, time.Duration) error
	again     func(*ServiceError, time.Duration)
	jitter    func() float64
	now       time.Time
	attempt   time.Duration // bounds one attempt
	budget    time.Duration // bounds one request with all its attempts and waits
	userAgent string
	secrets   answer.Secrets
}

// endpoint is one service.
type endpoint struct {
	service Service
	url     string
}

func (e endpoint) host() string {
	u, err := url.Parse(e.url)
	if err != nil {
		return "an address that is no URL"
	}
	return u.Host
}

// call is one request, which may be sent several times.
type call struct {
	method, url string
	header      http.Header
	body        []byte
	conflict    bool // 409 is an answer
	lagging     bool // 404 passes
}

// reply is an answer with a status of success, or 409 where the call takes one.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// trial is how one attempt ended without a reply.
type trial struct {
	attempts   int   // with this one
	err        error // no answer
	status     int
	text       string
	temporary  bool
	fault      answer.Fault // where there is no answer
	retryAfter time.Duration
}

// deliver sends the call until it is answered for good. Its error is a
// *ServiceError.
func (c *courier) deliver(parent context.Context, to endpoint, what call) (reply, error) {
	ctx, cancel := context.WithTimeout(parent, c.budget)
	defer cancel()
	var waited time.Duration
	for n := 1; ; n++ {
		answer, failed := c.try(ctx, what)
		if failed == nil {
			return answer, nil
		}
		failed.attempts = n
		wait := c.wait(n, failed.retryAfter)
		waited += wait
		if !failed.temporary || n == maxAttempts || failed.fault.Unknown && n == maxUnknown || waited > c.budget || ctx.Err() != nil {
			return reply{}, c.report(parent, to, failed)
		}
		if c.again != nil {
			c.again(c.report(parent, to, failed), wait)
		}
		if c.sleep(ctx, wait) != nil {
			return reply{}, c.report(parent, to, failed)
		}
	}
}

// wait grows with the attempts and is drawn from its upper half, so that many
// clients do not come back as one. What the server asked for is never undercut.
func (c *courier) wait(attempt int, retryAfter time.Duration) time.Duration {
	full := min(firstWait<<(attempt-1), maxWait)
	spread := time.Duration(c.jitter() * float64(full) / 2)
	return max(full/2, retryAfter) + spread
}

// try sends the call once.
func (c *courier) try(ctx context.Context, what call) (reply, *trial) {
	ctx, cancel := context.WithTimeout(ctx, c.attempt)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, what.method, what.url, bytes.NewReader(what.body))
	if err != nil {
		return reply{}, &trial{err: errors.New("its address is no URL")}
	}
	if what.header != nil {
		request.Header = what.header.Clone()
	}
	request.Header.Set("User-Agent", c.userAgent)
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, c.broken(err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return reply{}, c.broken(err)
	}
	status := response.StatusCode
	if status/100 == 2 && len(body) > maxAnswer {
		return reply{}, &trial{err: fmt.Errorf("its answer is longer than %d bytes", maxAnswer), status: status}
	}
	if status/100 == 2 || status == http.StatusConflict && what.conflict {
		return reply{status: status, header: response.Header, body: body}, nil
	}
	wait, _ := answer.RetryAfter(response.Header, c.now)
	return reply{}, &trial{
		status: status,
		text:   c.words(body),
		temporary: status == http.StatusTooManyRequests || status >= 500 ||
			status == http.StatusNotFound && what.lagging,
		retryAfter: wait,
	}
}

// broken is an attempt without an answer.
func (c *courier) broken(err error) *trial {
	fault := answer.Broken(&c.secrets, err)
	return &trial{err: fault.Err, temporary: !fault.Untrusted, fault: fault}
}

// words finds what a server says in the shapes of Fulcio, Rekor and gRPC's
// gateway, or as plain text.
func (c *courier) words(body []byte) string {
	var message struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &message) == nil && message.Message != "" {
		return c.secrets.Clean(message.Message)
	}
	return c.secrets.Clean(string(body))
}

// report makes the error of a call that failed.
func (c *courier) report(parent context.Context, to endpoint, failed *trial) *ServiceError {
	e := &ServiceError{
		Service: to.service, Host: to.host(), Attempts: failed.attempts,
		Status: failed.status, Temporary: failed.temporary, Text: failed.text, Err: failed.err, fault: failed.fault,
	}
	switch {
	case parent.Err() != nil:
		e.Err, e.Text, e.Temporary = fmt.Errorf("interrupted: %w", parent.Err()), "", true
		e.Next = "run the command again; no bundle was made"
	case failed.retryAfter > c.budget:
		e.Next = fmt.Sprintf("it asks to come back in %v; no bundle was made", failed.retryAfter)
	default:
		e.Next = next(to, e)
	}
	return e
}

// next is what to do about an answer.
func next(to endpoint, e *ServiceError) string {
	switch {
	case e.fault.Untrusted:
		return answer.TrustNext + "; no bundle was made"
	case e.fault.Unreached:
		return "check the network, the name server and HTTPS_PROXY, or sign with a key; no bundle was made"
	case e.Temporary:
		return "try again later; no bundle was made"
	case e.Status == http.StatusBadRequest && to.service == Fulcio, e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return "check that the identity token is for the audience sigstore, has not expired and is of an issuer that this service knows"
	case e.Status == http.StatusRequestEntityTooLarge:
		return "attest fewer subjects at a time, or use --rekor-version 2, which takes a digest only"
	default:
		return "check the addresses in the signing config (--signing-config)"
	}
}

// garbage is an answer with the status of success that is not what was asked for.
func (c *courier) garbage(to endpoint, status int, err error) *ServiceError {
	return &ServiceError{
		Service: to.service, Host: to.host(), Status: status, Attempts: 1,
		Err:  fmt.Errorf("its answer cannot be used: %w", c.secrets.Wrap(err)),
		Next: "check that the address in the signing config is the service's own and that no proxy answers in its place",
	}
}

// transport is the courier as a client of sigstore-go wants it. It answers with
// a reply of success or with a *ServiceError, so that no client retries itself.
func (c *courier) transport(ctx context.Context, to endpoint) http.RoundTripper {
	return roundTrip(func(request *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		if err := request.Body.Close(); err != nil {
			return nil, err
		}
		answer, err := c.deliver(ctx, to, call{
			method: request.Method, url: request.URL.String(), header: request.Header, body: body,
		})
		if err != nil {
			return nil, err
		}
		return &http.Response{
			StatusCode: answer.status, Header: answer.header, Request: request,
			Body: io.NopCloser(bytes.NewReader(answer.body)), ContentLength: int64(len(answer.body)),
		}, nil
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
