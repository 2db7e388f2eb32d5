package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/login"
	"github.com/signatus-dev/signatus/internal/sandbox"
)

// opened is a browser that is sent to the address, and does not wait for it.
func opened(ctx context.Context) func(string) error {
	return func(address string) error {
		go func() { _ = browse(ctx)(address) }()
		return nil
	}
}

// A person logs in, both ways, and Fulcio certifies who the token names.
func TestLogin(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		connector string // of the person; "" for the issuer's default
		device    bool
		want      string
	}{
		"browser":              {want: sandbox.GoogleIssuer},
		"browser, GitHub":      {connector: sandbox.OAuthIssuer, want: sandbox.OAuthIssuer},
		"device":               {device: true, want: sandbox.GoogleIssuer},
		"device, with a pause": {device: true, want: sandbox.GoogleIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sandbox.Config{Email: "carol@example.com"})
			out := &bytes.Buffer{}
			o := login.Options{
				Issuer: s.Endpoints().Issuer, Connector: row.connector, Output: out,
				OpenBrowser: func(address string) error {
					if !strings.Contains(out.String(), "published there for good") {
						t.Errorf("the browser opens after %q", out)
					}
					return opened(t.Context())(address)
				},
			}
			logIn := login.Browser
			if row.device {
				logIn = login.Device
			}
			if strings.HasSuffix(name, "pause") {
				setFault(t, s, sandbox.Fault{Service: "email", Mode: "pending", Times: 1})
			}
			got, err := logIn(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			person, err := login.ReadPerson(got)
			if err != nil {
				t.Fatal(err)
			}
			if person.Email != "carol@example.com" || !person.EmailVerified || person.Connector != row.want || person.Issuer != o.Issuer ||
				fmt.Sprint(person.Audience) != "[sigstore]" || time.Until(person.Expires) <= 0 {
				t.Errorf("got %+v", person)
			}
			signer, err := identity.FromCertificate(certify(t, s, got.Reveal()))
			if err != nil {
				t.Fatal(err)
			}
			if err := person.CheckCertificate(signer); err != nil {
				t.Error(err)
			}
			for _, part := range strings.Split(got.Reveal(), ".") {
				if strings.Contains(out.String(), part) {
					t.Errorf("the output holds the token: %q", out)
				}
			}
		})
	}
}

// A certificate for anybody or anywhere else is not the person's.
func TestLoginCertificate(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	certified := func(request sandbox.TokenRequest) identity.Signer {
		t.Helper()
		signer, err := identity.FromCertificate(certify(t, s, token(t, s, request)))
		if err != nil {
			t.Fatal(err)
		}
		return signer
	}
	alice := sandbox.TokenRequest{Kind: sandbox.Email, Email: "alice@example.com", Issuer: sandbox.GoogleIssuer}
	for name, row := range map[string]struct {
		person, certificate sandbox.TokenRequest
		want                string // empty for nothing
	}{
		"hers":    {alice, alice, ""},
		"another": {alice, sandbox.TokenRequest{Kind: sandbox.Email, Email: "mallory@example.com", Issuer: sandbox.GoogleIssuer}, `"mallory@example.com"`},
		"elsewhere": {alice, sandbox.TokenRequest{Kind: sandbox.Email, Email: "alice@example.com", Issuer: sandbox.OAuthIssuer},
			"its issuer is \"" + sandbox.OAuthIssuer},
		"a job's": {alice, sandbox.TokenRequest{Kind: sandbox.GitHub}, "extensions of a CI job"},
		"not verified": {
			sandbox.TokenRequest{Kind: sandbox.Email, Email: "alice@example.com", Claims: map[string]string{"email_verified": "false"}}, alice,
			"the issuer has not verified the e-mail address"},
		"without an address": {sandbox.TokenRequest{Kind: sandbox.GitHub}, alice, "nobody has logged in"},
	} {
		person, err := login.ReadPerson(identity.NewToken(token(t, s, row.person)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		err = person.CheckCertificate(certified(row.certificate))
		if (row.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, expected %q", name, err, row.want)
		}
	}
}

// Each row breaks the issuer in one way.
func TestLoginFaults(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault           sandbox.Fault
		browser, device string // what the error says; empty for a login
	}{
		"down":    {sandbox.Fault{Mode: "down"}, "asking the issuer: EOF", "asking the issuer: EOF"},
		"error":   {sandbox.Fault{Mode: "status", Status: 503}, "503 Service Unavailable", "503 Service Unavailable"},
		"garbage": {sandbox.Fault{Mode: "garbage"}, "logging in at", "logging in at"},
		"lost":    {sandbox.Fault{Mode: "lost"}, "asking the issuer: EOF", "asking the issuer: EOF"},
		"denied":  {sandbox.Fault{Mode: "denied"}, "", "the issuer says access_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sandbox.Config{})
			row.fault.Service = "email"
			setFault(t, s, row.fault)
			for way, want := range map[string]string{"browser": row.browser, "device": row.device} {
				logIn := map[string]func(context.Context, login.Options) (identity.Token, error){"browser": login.Browser, "device": login.Device}[way]
				got, err := logIn(t.Context(), login.Options{Issuer: s.Endpoints().Issuer, Output: &bytes.Buffer{}, OpenBrowser: opened(t.Context())})
				switch {
				case want == "" && (err != nil || got.IsZero()):
					t.Errorf("%s: got %v, %v", way, got, err)
				case want != "" && (err == nil || !got.IsZero() || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "; next: ")):
					t.Errorf("%s: got %v, %v, expected %q", way, got, err, want)
				}
			}
		})
	}
}

// Nobody waits for a person who does not come.
func TestLoginEnded(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Config{})
	setFault(t, s, sandbox.Fault{Service: "email", Mode: "pending"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	begun := time.Now()
	for way, logIn := range map[string]func(context.Context, login.Options) (identity.Token, error){"browser": login.Browser, "device": login.Device} {
		_, err := logIn(ctx, login.Options{Issuer: s.Endpoints().Issuer, Output: &bytes.Buffer{}, OpenBrowser: func(string) error { return nil }})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", way, err)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
