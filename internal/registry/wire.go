package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/signatus-dev/signatus/internal/answer"
)

// wire carries every request, also those that the library makes to log in. It lets
// nothing go out in the clear, and remembers what an answer says of when to come back.
type wire struct {
	client  http.Client
	secrets *answer.Secrets
}

func newWire(client *http.Client, s *answer.Secrets) *wire {
	w := &wire{client: *client, secrets: s}
	// Whoever asks decides about redirects: the library, or fetching below.
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := w.refuse(request); err != nil {
		return nil, err
	}
	if _, credential, ok := strings.Cut(request.Header.Get("Authorization"), " "); ok {
		w.secrets.Add(credential)
	}
	response, err := w.client.Do(request) //nolint:gosec // whom it may ask, refuse has settled
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // whoever asked wraps it again
		}
		return nil, err
	}
	if seen, ok := request.Context().Value(heardKey{}).(*heard); ok {
		seen.take(response)
	}
	return response, nil
}

// refuse holds back what must not go out.
func (w *wire) refuse(request *http.Request) error {
	if request.URL.Scheme != "https" && !isLoopback(request.URL) {
		return &refusal{fmt.Errorf("%s is not reached by https", request.URL.Host), "use the registry's https address; plain http is for this machine alone"}
	}
	// Where the first question is answered from decides how to log in, and whom the
	// password is sent to.
	if asked := origin(request).URL; asked.Path == "/v2/" && asked.Host != request.URL.Host {
		return &refusal{fmt.Errorf("%s redirects to %s before it has said how to log in", asked.Host, request.URL.Host), "name the image at " + request.URL.Host + " if that is its registry"}
	}
	return nil
}

// origin is the request that was redirected to this one.
func origin(request *http.Request) *http.Request {
	for request.Response != nil && request.Response.Request != nil {
		request = request.Response.Request
	}
	return request
}

// isLoopback tells whether a URL is one of this machine.
func isLoopback(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.Unmap().IsLoopback()
}

// isInternal tells whether a URL names an address that only this machine or its network
// can reach.
func isInternal(u *url.URL) bool {
	if isLoopback(u) {
		return true
	}
	at, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return false
	}
	at = at.Unmap()
	return at.IsPrivate() || at.IsLinkLocalUnicast() || at.IsUnspecified()
}

const maxRedirects = 5

// fetching decides about the redirects of a request: content may lie with a content
// delivery network, and a registry must not have us ask our own network.
func fetching(next *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return &refusal{errors.New("it redirects without end"), "check the name of the registry"}
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return &refusal{fmt.Errorf("it redirects what is written to %s", next.URL.Host), "name the image at that registry"}
	}
	return elsewhere(first.URL, next.URL)
}

// elsewhere refuses to be sent from a host to an internal address of another one.
func elsewhere(from, to *url.URL) error {
	if from.Host != to.Host && isInternal(to) && !isInternal(from) {
		return &refusal{fmt.Errorf("%s sends to the internal address %s", from.Host, to.Host), "check the name of the registry"}
	}
	return nil
}

// heardKey is where a context has what was heard.
type heardKey struct{}

// heard is what the last answer of an attempt says beside its content.
type heard struct {
	mu     sync.Mutex
	header http.Header
}

func (h *heard) take(response *http.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.header = response.Header
}

// comeBack is how long the server asks to wait.
func (h *heard) comeBack(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	wait, _ := answer.RetryAfter(h.header, now)
	return wait
}
