package signer

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
)

// nameless is a machine without a network: no name is known.
type nameless struct{ asked int }

func (n *nameless) RoundTrip(r *http.Request) (*http.Response, error) {
	n.asked++
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
}

// Where no name server knows the host, hardly anybody is kept waiting.
func TestUnknownHost(t *testing.T) {
	t.Parallel()
	w, network := newWorld(t), &nameless{}
	options := w.options()
	options.HTTP = &http.Client{Transport: network}
	_, err := w.sign(t.Context(), w.request(), options)
	e, ok := errors.AsType[*ServiceError](err)
	if !ok || e.Attempts != maxUnknown || !e.Temporary || !strings.HasPrefix(e.Next, "check the network") {
		t.Errorf("it gave %v", err)
	}
	if network.asked != maxUnknown || len(w.waits) != maxUnknown-1 {
		t.Errorf("it was asked %d times, with %v between", network.asked, w.waits)
	}
}
