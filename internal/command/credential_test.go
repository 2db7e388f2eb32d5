package command

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/signer"
)

// jobClaims are those of a job of acme/app.
func jobClaims() map[string]any {
	const sha = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	return map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "sub": "repo:acme/app:ref:refs/heads/main", "aud": "sigstore", "exp": later(),
		"ref": "refs/heads/main", "sha": sha, "repository": "acme/app", "event_name": "push", "repository_visibility": "public",
		"job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main", "workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
		"repository_id": "728493015", "repository_owner_id": "98120477", "runner_environment": "github-hosted", "run_id": "1", "run_attempt": "1",
	}
}

func later() int64 { return time.Now().Add(5 * time.Minute).Unix() }

func personClaims() map[string]any {
	return map[string]any{"iss": "https://accounts.google.com", "sub": "1", "aud": "sigstore", "exp": later(), "email": "alice@example.com", "email_verified": true}
}

// jwt is a token that nobody has signed, with a mark.
func jwt(t *testing.T, claims map[string]any, mark string) identity.Token {
	t.Helper()
	claims = maps.Clone(claims)
	claims["jti"] = mark
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return identity.NewToken("eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmF0dXJl")
}

// TestReadToken breaks one claim in each row.
func TestReadToken(t *testing.T) {
	t.Parallel()
	with := func(claims map[string]any, name string, value any) map[string]any {
		claims[name] = value
		return claims
	}
	for name, row := range map[string]struct {
		claims map[string]any
		words  string // empty where it is taken
	}{
		"a job":                    {jobClaims(), ""},
		"a person":                 {personClaims(), ""},
		"a list of audiences":      {with(personClaims(), "aud", []string{"x", "sigstore"}), ""},
		"another audience":         {with(personClaims(), "aud", "sigstor"), `expected "sigstore"`},
		"an audience that has it":  {with(personClaims(), "aud", "a sigstore b"), `expected "sigstore"`},
		"expired":                  {with(personClaims(), "exp", 1), "it expired at 1970-01-01"},
		"not verified":             {with(personClaims(), "email_verified", false), "has not verified"},
		"neither":                  {with(personClaims(), "email", ""), "claim"},
		"a job of a stranger":      {with(jobClaims(), "iss", "https://token.actions.githubusercontent.com.evil.example"), "claim iss"},
		"a job without repository": {with(jobClaims(), "repository", ""), "claim repository is missing"},
	} {
		who, err := (&credential{audience: defaultAudience, now: time.Now}).read(jwt(t, row.claims, "x"))
		if row.words == "" {
			if err != nil || (who.job == nil) == (who.person.Email == "") {
				t.Errorf("%s: %+v, %v", name, who, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), row.words) || ExitCode(err) != ExitDenied {
			t.Errorf("%s: %v, expected %q", name, err, row.words)
		}
	}
}

// minter mints tokens and counts them.
type minter struct {
	t      *testing.T
	claims map[string]any
	count  int
}

func (m *minter) mint(context.Context) (identity.Token, error) {
	m.count++
	return jwt(m.t, m.claims, fmt.Sprint(m.count)), nil
}

func ask(t *testing.T, source signer.TokenSource) identity.Token {
	t.Helper()
	token, err := source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A token serves many signatures, and a newer one comes when the signer asks again
// or the old one is about to expire.
func TestTokenSource(t *testing.T) {
	t.Parallel()
	m := &minter{t: t, claims: jobClaims()}
	now := time.Now()
	c := &credential{audience: defaultAudience, mint: m.mint, now: func() time.Time { return now }}
	if err := c.openJob(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := ask(t, c.source())
	if again := ask(t, c.source()); m.count != 1 || again.Reveal() != first.Reveal() {
		t.Errorf("two signings took %d tokens", m.count)
	}
	source := c.source()
	ask(t, source)
	if second := ask(t, source); m.count != 2 || second.Reveal() == first.Reveal() {
		t.Errorf("asked again, it has minted %d tokens", m.count)
	}
	now = now.Add(5*time.Minute - time.Second)
	m.claims["exp"] = now.Add(time.Minute).Unix()
	m.claims["sha"] = strings.Repeat("a", 40) // of another job
	ask(t, c.source())
	if m.count != 3 || c.job.SHA != jobClaims()["sha"] {
		t.Errorf("after %d tokens, the claims are those of commit %s", m.count, c.job.SHA)
	}
	m.claims["aud"] = "somebody else"
	if _, err := func() (identity.Token, error) { s := c.source(); _, _ = s(t.Context()); return s(t.Context()) }(); err == nil {
		t.Error("a token for somebody else is passed on")
	}
}

// What was given is all there is.
func TestTokenGiven(t *testing.T) {
	t.Parallel()
	given := jwt(t, personClaims(), "given")
	for name, flag := range map[string]string{"the token": given.Reveal(), "a file": "token.jwt"} {
		f := credentialFlags{token: flag, flow: flowAuto, client: defaultAudience}
		who, err := f.open(t.Context(), Env{FS: fstest.MapFS{"token.jwt": {Data: []byte(given.Reveal() + "\n")}}, Getenv: func(string) string { return "" }}, opening{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		source := who.source()
		for range 3 {
			if got := ask(t, source); got.Reveal() != given.Reveal() {
				t.Errorf("%s: another token", name)
			}
		}
		if err := who.checkCertificate()(identity.Signer{SAN: "mallory@example.com", SANKind: identity.Email, Issuer: "https://accounts.google.com"}); err == nil {
			t.Errorf("%s: a certificate of somebody else is taken", name)
		}
		if err := who.checkCertificate()(identity.Signer{SAN: "alice@example.com", SANKind: identity.Email, Issuer: "https://accounts.google.com"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One person logs in once for many statements that are signed at the same time.
func TestTokenForMany(t *testing.T) {
	t.Parallel()
	m := &minter{t: t, claims: personClaims()}
	c := &credential{audience: defaultAudience, mint: m.mint, now: time.Now}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := c.source()(t.Context()); err != nil {
				t.Error(err)
			}
			if err := c.checkCertificate()(identity.Signer{SAN: "alice@example.com", SANKind: identity.Email, Issuer: "https://accounts.google.com"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if m.count != 1 {
		t.Errorf("%d logins", m.count)
	}
}

// Whoever logs in again for the rest of a run is the one who began.
func TestTokenOfAnother(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"the same":        func(map[string]any) {},
		"another address": func(c map[string]any) { c["email"] = "mallory@example.com" },
		"another issuer":  func(c map[string]any) { c["iss"] = "https://accounts.example" },
		"another login":   func(c map[string]any) { c["federated_claims"] = map[string]any{"connector_id": "https://x.example"} },
		"a job": func(c map[string]any) {
			clear(c)
			maps.Copy(c, jobClaims())
		},
	} {
		m := &minter{t: t, claims: personClaims()}
		c := &credential{audience: defaultAudience, mint: m.mint, now: time.Now}
		source := c.source()
		ask(t, source)
		change(m.claims)
		if _, err := source(t.Context()); (err == nil) != (name == "the same") || err != nil && ExitCode(err) != ExitDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTokenTurnsPrivate: where to sign was chosen by the first token, and a later one that
// does not call the repository public is not sent there.
func TestTokenTurnsPrivate(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		first, later string // "" for a token that does not say
		taken        bool
	}{
		{"public", "public", true}, {"public", "private", false}, {"public", "internal", false}, {"public", "", false},
		{"private", "private", true}, {"private", "public", true}, {"", "private", true},
	} {
		m := &minter{t: t, claims: jobClaims()}
		c := &credential{audience: defaultAudience, mint: m.mint, now: time.Now}
		m.claims["repository_visibility"] = r.first
		if err := c.openJob(t.Context()); err != nil {
			t.Fatal(err)
		}
		source := c.source()
		ask(t, source)
		m.claims["repository_visibility"] = r.later
		token, err := source(t.Context())
		if (err == nil) != r.taken || err != nil && (ExitCode(err) != ExitDenied || !token.IsZero() || !strings.Contains(err.Error(), "was public when this run began")) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// Nobody is not a signer.
func TestNobodySigns(t *testing.T) {
	t.Parallel()
	c := &credential{audience: defaultAudience, mint: func(context.Context) (identity.Token, error) { return identity.Token{}, actions.ErrNotActions }, now: time.Now}
	if _, err := c.source()(t.Context()); !errors.Is(err, actions.ErrNotActions) {
		t.Errorf("got %v", err)
	}
	if err := c.checkCertificate()(identity.Signer{}); err == nil {
		t.Error("nobody's certificate is taken")
	}
}
