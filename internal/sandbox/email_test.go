package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/sigstore/sigstore/pkg/oauthflow"
)

// browse does what a browser does that is sent to the address.
func browse(ctx context.Context) func(string) error {
	return func(address string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	}
}

// Sigstore's own client logs in with a browser: authorization code and PKCE.
func TestBrowserLogin(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{Email: "carol@example.com"})
	for connector, want := range map[string]string{"": sandbox.GoogleIssuer, sandbox.OAuthIssuer: sandbox.OAuthIssuer} {
		getter := &oauthflow.InteractiveIDTokenGetter{
			HTMLPage: "done", Input: strings.NewReader(""), Output: io.Discard,
			BrowserOpener: func(address string) error {
				go func() { _ = browse(t.Context())(address) }() // as a browser does
				return nil
			},
		}
		if connector != "" {
			getter.ExtraAuthURLParams = append(getter.ExtraAuthURLParams, oauthflow.ConnectorIDOpt(connector))
		}
		got, err := oauthflow.OIDConnect(s.Endpoints().Issuer, "sigstore", "", "", getter)
		if err != nil {
			t.Fatal(err)
		}
		if got.Subject != "carol@example.com" {
			t.Errorf("logged in is %s", got.Subject)
		}
		certificate := certify(t, s, got.RawString)
		if issuer := extensions(certificate)[1]; issuer != want {
			t.Errorf("connector %q: the certificate names %s, want %s", connector, issuer, want)
		}
	}
}

// Sigstore's own client logs in on another device, and waits for it.
func TestDeviceLogin(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	login := func() (token string, waited int, err error) {
		getter := oauthflow.NewDeviceFlowTokenGetterForIssuer(s.Endpoints().Issuer)
		getter.MessagePrinter = func(string) {}
		getter.Sleeper = func(time.Duration) { waited++ }
		got, err := oauthflow.OIDConnect(s.Endpoints().Issuer, "sigstore", "", "", getter)
		if err != nil {
			return "", waited, err
		}
		return got.RawString, waited, nil
	}
	setFault(t, s, sandbox.Fault{Service: "email", Mode: "pending", Times: 2})
	got, waited, err := login()
	if err != nil {
		t.Fatal(err)
	}
	if waited != 2 {
		t.Errorf("waited %d times, want 2", waited)
	}
	certify(t, s, got)
	setFault(t, s, sandbox.Fault{Service: "email", Mode: "denied", Times: 1})
	if _, _, err := login(); err == nil || !strings.Contains(err.Error(), "access_denied") {
		t.Errorf("denied: got %v", err)
	}
}

// The keys of both issuers are where their documents say.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	provider, err := oidc.NewProvider(t.Context(), s.Endpoints().Issuer)
	if err != nil {
		t.Fatal(err)
	}
	config := &oidc.Config{ClientID: "sigstore"}
	if _, err := provider.Verifier(config).Verify(t.Context(), token(t, s, sandbox.TokenRequest{Kind: sandbox.Email})); err != nil {
		t.Error(err)
	}
	for _, enterprise := range []string{"", "/acme-inc"} {
		issuer := sandbox.GitHubIssuer + enterprise
		if status, content := get(t, s.Endpoints().GitHub+enterprise+"/.well-known/openid-configuration"); status != 200 ||
			!strings.Contains(content, `"issuer":"`+issuer+`"`) {
			t.Errorf("%d %s, want %s", status, content, issuer)
		}
		keys := oidc.NewRemoteKeySet(t.Context(), s.Endpoints().GitHub+enterprise+"/.well-known/jwks")
		got := token(t, s, sandbox.TokenRequest{Kind: sandbox.GitHub, Claims: map[string]string{"iss": issuer}})
		if _, err := oidc.NewVerifier(issuer, keys, config).Verify(t.Context(), got); err != nil {
			t.Error(err)
		}
	}
}

// Nobody but a browser on this machine gets a code, and nobody but its owner a
// token for it, once.
func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	good := map[string]string{
		"client_id": "sigstore", "response_type": "code", "redirect_uri": "http://localhost:1/auth/callback", "state": "s",
		"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	authorize := func(change func(map[string]string)) (status int, back url.Values) {
		t.Helper()
		query := make(url.Values)
		changed := make(map[string]string)
		for name, value := range good {
			changed[name] = value
		}
		change(changed)
		for name, value := range changed {
			query.Set(name, value)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoints().Issuer+"/auth?"+query.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		location, err := url.Parse(response.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, location.Query()
	}
	set := func(name, value string) func(map[string]string) {
		return func(query map[string]string) { query[name] = value }
	}
	for name, row := range map[string]struct {
		change func(map[string]string)
		status int
		failed string
	}{
		"good":             {func(map[string]string) {}, 302, ""},
		"IPv6 loopback":    {set("redirect_uri", "http://[::1]:7/cb"), 302, ""},
		"elsewhere":        {set("redirect_uri", "http://example.com/cb"), 400, ""},
		"looks like here":  {set("redirect_uri", "http://localhost.example.com/cb"), 400, ""},
		"userinfo":         {set("redirect_uri", "http://localhost@example.com/cb"), 400, ""},
		"https":            {set("redirect_uri", "https://localhost/cb"), 400, ""},
		"out of band":      {set("redirect_uri", "urn:ietf:wg:oauth:2.0:oob"), 400, ""},
		"no redirect":      {set("redirect_uri", ""), 400, ""},
		"other client":     {set("client_id", "mallory"), 400, ""},
		"implicit":         {set("response_type", "id_token"), 302, "unsupported_response_type"},
		"without PKCE":     {set("code_challenge", ""), 302, "invalid_request"},
		"plain PKCE":       {set("code_challenge_method", "plain"), 302, "invalid_request"},
		"unspecified PKCE": {func(query map[string]string) { delete(query, "code_challenge_method") }, 302, "invalid_request"},
	} {
		status, back := authorize(row.change)
		if status != row.status || back.Get("error") != row.failed || (status == 302 && row.failed == "") != back.Has("code") {
			t.Errorf("%s: %d, %v", name, status, back)
		}
		if status == 302 && back.Get("state") != "s" {
			t.Errorf("%s: state is %q", name, back.Get("state"))
		}
	}

	exchange := func(code string, change func(map[string]string)) (int, string) {
		t.Helper()
		changed := map[string]string{
			"grant_type": "authorization_code", "client_id": "sigstore", "code": code,
			"redirect_uri": good["redirect_uri"], "code_verifier": verifier,
		}
		change(changed)
		form := make(url.Values)
		for name, value := range changed {
			form.Set(name, value)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoints().Issuer+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(content)
	}
	for name, row := range map[string]struct {
		change func(map[string]string)
		failed string
	}{
		"good":           {func(map[string]string) {}, ""},
		"other verifier": {set("code_verifier", "mallory"), "invalid_grant"},
		"other code":     {set("code", "mallory"), "invalid_grant"},
		"other redirect": {set("redirect_uri", "http://localhost:2/auth/callback"), "invalid_grant"},
		"other client":   {set("client_id", "mallory"), "invalid_client"},
		"other grant":    {set("grant_type", "password"), "unsupported_grant_type"},
		"device's grant": {set("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), "invalid_grant"},
	} {
		_, back := authorize(func(map[string]string) {})
		status, content := exchange(back.Get("code"), row.change)
		if taken := status == 200; taken != (row.failed == "") || !strings.Contains(content, row.failed) {
			t.Errorf("%s: %d %s", name, status, content)
		}
		if row.failed == "" {
			if status, content := exchange(back.Get("code"), row.change); status != 400 {
				t.Errorf("%s: a second time: %d %s", name, status, content)
			}
		}
	}
}
