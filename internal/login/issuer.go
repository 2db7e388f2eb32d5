package login

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/sigstore/sigstore/pkg/oauthflow"
)

// Bounds of what is asked of an issuer before and after the flow: its document
// and its keys.
const (
	maxAnswer     = 1 << 20 // bytes
	answerTimeout = 30 * time.Second
)

// newClient asks issuers. Like the library's own requests it heeds the proxy that
// the environment names.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   answerTimeout,
		Transport: bounded{&http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: true}},
		// A redirect would have another site say where to log in.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded ends an answer that is too long with an error.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	}
	return response, err
}

// discover reads the issuer's document (OpenID Connect Discovery 1.0, 4), which
// must be about this very issuer. The keys are asked for with the same client.
func discover(ctx context.Context, issuer string) (*oidc.Provider, error) {
	return oidc.NewProvider(oidc.ClientContext(ctx, newClient()), issuer)
}

// document is what is checked of the issuer's before it is used.
type document struct {
	Token      string   `json:"token_endpoint"`
	Keys       string   `json:"jwks_uri"`
	Browser    string   `json:"authorization_endpoint"`
	Device     string   `json:"device_authorization_endpoint"`
	Challenges []string `json:"code_challenge_methods_supported"`
}

// checkProvider refuses an issuer that has the person's browser, the code or the
// verifier sent to an address without TLS, or whose document the library would
// print to standard output. begins is the endpoint that the flow begins at.
func checkProvider(provider *oidc.Provider, issuer, begins string) error {
	var d document
	if err := provider.Claims(&d); err != nil {
		return errors.New("the issuer's document has other types than OpenID Connect Discovery 1.0, 3")
	}
	first := d.Browser
	if begins == "device_authorization_endpoint" {
		if first = d.Device; first == "" {
			return step("log in with a browser", "the issuer has no device login: its document lacks %s", begins)
		}
	}
	for _, endpoint := range []struct{ name, address string }{{begins, first}, {"token_endpoint", d.Token}, {"jwks_uri", d.Keys}} {
		if err := checkURL(endpoint.address, strings.HasPrefix(issuer, "http:")); err != nil {
			return step("ask whoever runs the issuer", "the %s in its document cannot be used: %w", endpoint.name, err)
		}
	}
	for _, method := range d.Challenges {
		switch method {
		case oauthflow.PKCES256:
			return nil
		case "plain":
		default:
			return step("ask whoever runs the issuer", "its document has a code challenge method that RFC 7636 has not")
		}
	}
	return nil // the library knows an issuer that has S256 and does not say so
}
