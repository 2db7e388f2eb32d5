package login

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/identity"
)

// jwtOf is a token with this payload, that nobody has signed.
func jwtOf(payload string) string {
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(payload)) + ".c2ln"
}

const goodClaims = `{"iss":"https://oauth2.sigstore.dev/auth","sub":"CgEx","aud":"sigstore","exp":1767225600,` +
	`"email":"alice@example.com","email_verified":true,"federated_claims":{"connector_id":"https://github.com/login/oauth","user_id":"1"}}`

func TestReadPerson(t *testing.T) {
	t.Parallel()
	good := Person{
		Email: "alice@example.com", EmailVerified: true, Subject: "CgEx", Issuer: "https://oauth2.sigstore.dev/auth",
		Connector: "https://github.com/login/oauth", Expires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Audience: []string{"sigstore"},
	}
	with := func(change func(*Person)) Person {
		changed := good
		change(&changed)
		return changed
	}
	pad := func(length int) string { // a token of this length
		const room = "header."
		return room + encode([]byte(goodClaims)) + "." + strings.Repeat("a", length-len(room)-1-len(encode([]byte(goodClaims))))
	}
	claims := func(old, changed string) string {
		if !strings.Contains(goodClaims, old) {
			t.Fatalf("no claim is %s", old)
		}
		return jwtOf(strings.Replace(goodClaims, old, changed, 1))
	}
	unverified := with(func(p *Person) { p.EmailVerified = false })
	for name, row := range map[string]struct {
		token string
		want  Person
		err   string // empty for none
	}{
		"good":                  {jwtOf(goodClaims), good, ""},
		"as long as can be":     {pad(identity.MaxTokenBytes), good, ""},
		"too long":              {pad(identity.MaxTokenBytes + 1), Person{}, "at most 65536 are read"},
		"no token":              {"", Person{}, "it has 1 parts"},
		"two parts":             {"a.b", Person{}, "it has 2 parts"},
		"four parts":            {jwtOf(goodClaims) + ".x", Person{}, "it has 4 parts"},
		"padding":               {"h." + encode([]byte(goodClaims)) + "=.s", Person{}, "not base64url"},
		"garbage behind":        {"h.e30B.s", Person{}, "not one JSON object"},
		"trailing bits, strict": {"h.e31.s", Person{}, "not base64url"},
		"line break":            {"h.\n" + encode([]byte(goodClaims)) + ".s", Person{}, "not base64url"},
		"no JSON":               {jwtOf("secret"), Person{}, "not one JSON object"},
		"a list":                {jwtOf("[" + goodClaims + "]"), Person{}, "not one JSON object"},
		"two objects":           {jwtOf(goodClaims + "{}"), Person{}, "not one JSON object"},
		"not UTF-8":             {claims("alice", "\xff"), Person{}, "not one JSON object"},
		"twice":                 {claims(`{"iss"`, `{"email":"mallory@example.com","iss"`), Person{}, "a name stands twice"},
		"twice, unknown":        {claims(`{"iss"`, `{"x":1,"x":2,"iss"`), Person{}, "a name stands twice"},
		"twice, inside":         {claims(`{"connector_id"`, `{"connector_id":"x","connector_id"`), Person{}, "a name stands twice"},
		"another case":          {claims(`"email":`, `"Email":`), with(func(p *Person) { p.Email = "" }), ""},
		"verified as text":      {claims(`d":true`, `d":"true"`), good, ""},
		"unverified":            {claims(`d":true`, `d":false`), unverified, ""},
		"unverified as text":    {claims(`d":true`, `d":"false"`), unverified, ""},
		"nothing of verified":   {claims(`"email_verified":true,`, ``), unverified, ""},
		"verified as number":    {claims(`d":true`, `d":1`), Person{}, "not one JSON object"},
		"verified in capitals":  {claims(`d":true`, `d":"TRUE"`), Person{}, "not one JSON object"},
		"verified null":         {claims(`d":true`, `d":null`), Person{}, "not one JSON object"},
		"no connector":          {claims(`"connector_id"`, `"x"`), with(func(p *Person) { p.Connector = "" }), ""},
		"audiences":             {claims(`"aud":"sigstore"`, `"aud":["a","b"]`), with(func(p *Person) { p.Audience = []string{"a", "b"} }), ""},
		"no audience":           {claims(`"aud":"sigstore"`, `"aud":[]`), Person{}, "claim aud is missing"},
		"empty audience":        {claims(`"aud":"sigstore"`, `"aud":["a",""]`), Person{}, "claim aud is missing"},
		"audience null":         {claims(`"aud":"sigstore"`, `"aud":null`), Person{}, "claim aud is missing"},
		"no audience claim":     {claims(`"aud":"sigstore",`, ``), Person{}, "claim aud is missing"},
		"fraction":              {claims(`1767225600`, `1767225600.9`), good, ""},
		"no expiry":             {claims(`"exp":1767225600,`, ``), Person{}, "claim exp is missing"},
		"expiry 0":              {claims(`1767225600`, `0`), Person{}, "not one JSON object"},
		"expiry as text":        {claims(`1767225600`, `"1767225600"`), Person{}, "not one JSON object"},
		"last expiry":           {claims(`1767225600`, `274877906944`), with(func(p *Person) { p.Expires = time.Unix(1<<38, 0).UTC() }), ""},
		"expiry too far":        {claims(`1767225600`, `274877906945`), Person{}, "not one JSON object"},
		"no issuer":             {claims(`"iss"`, `"x"`), Person{}, "claim iss is missing"},
		"no subject":            {claims(`"sub"`, `"x"`), Person{}, "claim sub is missing"},
		"control character":     {claims(`alice`, `\u001b[2Jalice`), Person{}, "claim email holds a control character"},
		"long e-mail":           {claims(`alice@example.com`, strings.Repeat("a", maxClaimBytes)), with(func(p *Person) { p.Email = strings.Repeat("a", maxClaimBytes) }), ""},
		"too long an e-mail":    {claims(`alice@example.com`, strings.Repeat("a", maxClaimBytes+1)), Person{}, "claim email has 4097 bytes, at most 4096 are read"},
	} {
		got, err := ReadPerson(identity.NewToken(row.token))
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
		if row.err == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: got %v, expected %s", name, err, row.err)
		}
		if err != nil && !readErrors().MatchString(err.Error()) {
			t.Errorf("%s: the error is %q", name, err)
		}
	}
}

// readErrors are all that ReadPerson says: nothing in them is the token's.
func readErrors() *regexp.Regexp {
	return regexp.MustCompile(`^reading the identity token: (it has \d+ (bytes, at most 65536 are read|parts, expected a JWT's header, claims and signature with a dot between them)` +
		`|its claims are not (base64url|one JSON object with the types of OpenID Connect Core 1\.0, 2)|a name stands twice in its claims` +
		`|claim (iss|sub|aud|exp|email|federated_claims\.connector_id) (is missing|has \d+ bytes, at most 4096 are read|holds a control character))$`)
}

// FuzzReadPerson: who is read is somebody, and what is not read is not shown.
func FuzzReadPerson(f *testing.F) {
	f.Add("h."+encode([]byte(goodClaims))+".s", goodClaims)
	f.Add("a.b", `{"iss":"i","sub":"s","aud":["a","b"],"exp":1.5e9,"email_verified":"false"}`)
	f.Add("", `{"iss":"i","iss":"j"}`)
	f.Fuzz(func(t *testing.T, token, payload string) {
		for _, token := range []string{token, jwtOf(payload)} {
			person, err := ReadPerson(identity.NewToken(token))
			if err != nil {
				if !cmp.Equal(person, Person{}) || !readErrors().MatchString(err.Error()) {
					t.Errorf("got %+v, %v", person, err)
				}
				continue
			}
			if len(token) > identity.MaxTokenBytes || person.Issuer == "" || person.Subject == "" || len(person.Audience) == 0 || person.Expires.IsZero() {
				t.Errorf("got %+v", person)
			}
			for _, value := range append(person.Audience, person.Email, person.Subject, person.Issuer, person.Connector) {
				if len(value) > maxClaimBytes || strings.ContainsFunc(value, unicode.IsControl) {
					t.Errorf("got %+v", person)
				}
			}
		}
	})
}

func TestCheckCertificate(t *testing.T) {
	t.Parallel()
	const (
		iss       = "https://oauth2.sigstore.dev/auth"
		connector = "https://github.com/login/oauth"
	)
	person := func(change func(*Person)) Person {
		p := Person{Email: "alice@example.com", EmailVerified: true, Subject: "CgEx", Issuer: iss, Connector: connector}
		change(&p)
		return p
	}
	certificate := func(change func(*identity.Signer)) identity.Signer {
		s := identity.Signer{
			SAN: "alice@example.com", SANKind: identity.Email, Issuer: connector,
			Extensions: identity.Extensions{identity.Issuer: connector},
		}
		change(&s)
		return s
	}
	same, sameSigner := func(*Person) {}, func(*identity.Signer) {}
	for name, row := range map[string]struct {
		person      func(*Person)
		certificate func(*identity.Signer)
		want        []string // what the error says; nil for none
	}{
		"the connector's": {same, sameSigner, nil},
		"the issuer's": {
			func(p *Person) { p.Connector = "" }, func(s *identity.Signer) { s.Issuer = iss }, nil},
		"token subject": {same, func(s *identity.Signer) { s.Extensions[identity.TokenSubject] = "CgEx" }, nil},
		"nobody":        {func(p *Person) { *p = Person{} }, func(s *identity.Signer) { *s = identity.Signer{} }, []string{"nobody has logged in", "; next: "}},
		"no e-mail":     {func(p *Person) { p.Email = "" }, func(s *identity.Signer) { s.SAN = "" }, []string{"nobody has logged in"}},
		"no issuer":     {func(p *Person) { p.Issuer = "" }, sameSigner, []string{"nobody has logged in"}},
		"unverified":    {func(p *Person) { p.EmailVerified = false }, sameSigner, []string{"the issuer has not verified the e-mail address", "; next: confirm"}},
		"no signer":     {same, func(s *identity.Signer) { *s = identity.Signer{} }, []string{"its SAN is of no kind", "its issuer is"}},
		"somebody else": {same, func(s *identity.Signer) { s.SAN = "mallory@example.com" }, []string{`its SAN is the email "mallory@example.com", expected the email "alice@example.com"`}},
		"another case":  {same, func(s *identity.Signer) { s.SAN = "Alice@example.com" }, []string{`"Alice@example.com"`}},
		"a URI":         {same, func(s *identity.Signer) { s.SANKind = identity.URI }, []string{"its SAN is the uri"}},
		"a key":         {same, func(s *identity.Signer) { s.Key = "sha256:00" }, []string{"its SAN is a key"}},
		"the issuer, though there is a connector": {same, func(s *identity.Signer) { s.Issuer = iss }, nil},
		"neither": {
			same, func(s *identity.Signer) { s.Issuer = "https://accounts.example" }, []string{fmt.Sprintf("its issuer is %q, expected %q or %q", "https://accounts.example", iss, connector)}},
		"a connector, not the issuer": {
			func(p *Person) { p.Connector = "" }, sameSigner, []string{fmt.Sprintf("its issuer is %q, expected %q", connector, iss)}},
		"issuer and more": {same, func(s *identity.Signer) { s.Issuer += "/" }, []string{"its issuer is"}},
		"a job's":         {same, func(s *identity.Signer) { s.Extensions[identity.RunnerEnvironment] = "github-hosted" }, []string{"extensions of a CI job"}},
		"another subject": {same, func(s *identity.Signer) { s.Extensions[identity.TokenSubject] = "x" }, []string{`its token subject is "x", expected "CgEx"`}},
		"all of it": {same, func(s *identity.Signer) {
			*s = identity.Signer{SAN: "https://x", SANKind: identity.URI, Issuer: "i", Extensions: identity.Extensions{identity.SourceRepositoryURI: "r"}}
		}, []string{"its SAN", "its issuer", "a CI job"}},
	} {
		err := person(row.person).CheckCertificate(certificate(row.certificate))
		if (row.want == nil) != (err == nil) {
			t.Errorf("%s: got %v, expected %q", name, err, row.want)
			continue
		}
		for _, want := range row.want {
			if !strings.HasPrefix(err.Error(), "checking the certificate against the login: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, expected %q", name, err, want)
			}
		}
	}
}
