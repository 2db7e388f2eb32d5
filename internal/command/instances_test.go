package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// TestInstances is every visibility at every instance: where a certificate is asked for
// and what is logged, to the host. A repository that is not known to be public is named
// to a public log in the rows with both flags alone, and with either one nobody is asked.
func TestInstances(t *testing.T) {
	t.Parallel()
	const (
		public = "the repository acme/app is public"
		forced = "named by --instance"
	)
	type row struct {
		instance string
		allow    bool
		hosts    []string // none where it is refused
		says     string
	}
	rowsOf := func(visibility string) []row {
		if visibility == "public" {
			return []row{
				{"", false, publicHosts(), "instance  public-good: " + public}, {"", true, publicHosts(), "instance  public-good: " + public},
				{"auto", false, publicHosts(), "instance  public-good: " + public}, {"auto", true, publicHosts(), "instance  public-good: " + public},
				{"public-good", false, publicHosts(), "instance  public-good: " + forced}, {"public-good", true, publicHosts(), "loosened  --allow-public-log"},
				{"github", false, githubHosts(), "instance  github: " + forced}, {"github", true, githubHosts(), "loosened  --allow-public-log"},
			}
		}
		chosen := "instance  github: the repository acme/app is " + cmpOr(visibility, "of unknown visibility") + ", and nothing is logged there"
		return []row{
			{"", false, githubHosts(), chosen}, {"", true, githubHosts(), chosen},
			{"auto", false, githubHosts(), chosen}, {"auto", true, githubHosts(), chosen},
			{"github", false, githubHosts(), "instance  github: " + forced}, {"github", true, githubHosts(), "instance  github: " + forced},
			{"public-good", false, nil, "acme/app is " + cmpOr(visibility, "of unknown visibility") + ", and its name would be in rekor.sigstore.dev"},
			{"public-good", true, publicHosts(), "loosened  --allow-public-log"},
		}
	}
	for _, visibility := range []string{"public", "private", "internal", "", "Public", "publicly", " public"} {
		for _, r := range rowsOf(visibility) {
			t.Run(fmt.Sprintf("%q %q %t", visibility, r.instance, r.allow), func(t *testing.T) {
				t.Parallel()
				n := newInternet(t, visibility)
				args := append(bothRoots(), "--bundle", "DIR/app.sigstore.json")
				if r.instance != "" {
					args = append(args, "--instance", r.instance)
				}
				if r.allow {
					args = append(args, "--allow-public-log")
				}
				got := n.attest(args...)
				if diff := cmp.Diff(r.hosts, got.asked); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				want := ExitAllowed
				if r.hosts == nil {
					want = ExitDenied
				}
				if got.code != want || !strings.Contains(strings.Join(strings.Fields(got.out+got.says), " "), strings.Join(strings.Fields(r.says), " ")) {
					t.Errorf("exit code %d, expected %d and %q\n%s%s", got.code, want, r.says, got.out, got.says)
				}
				if _, err := os.Stat(filepath.Join(n.dir, "app.sigstore.json")); (err == nil) != (want == ExitAllowed) {
					t.Errorf("the bundle: %v", err)
				}
			})
		}
	}
}

// TestInstancesOfKeys: a key signs alone, and with what is named for it. No certificate
// names anybody, but the log of a job's statement is sent all of it: whatever the job's
// repository is not known to be public for is held, by the token's claims or the event.
func TestInstancesOfKeys(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		seen  string // of the repository, by the token
		event string // of a job, which the statement has no claims of; empty outside of one
		args  []string
		hosts []string
		held  bool
		says  string
	}{
		"alone":                      {"private", `{}`, nil, nil, false, "no proven time"},
		"auto":                       {"private", `{}`, []string{"--instance", "auto"}, nil, false, "no proven time"},
		"GitHub's":                   {"private", `{}`, append(bothRoots(), "--instance", "github"), githubHosts()[1:], false, "instance  github: named by --instance"},
		"a public one":               {"public", `{"repository": {"visibility": "public", "private": false}}`, append(bothRoots(), "--instance", "public-good"), publicHosts()[1:], false, "instance  public-good: named by --instance"},
		"a private one":              {"private", `{"repository": {"visibility": "private", "private": true}}`, append(bothRoots(), "--instance", "public-good"), nil, true, "acme/app is private, and what is signed in it would be sent to rekor.sigstore.dev"},
		"an internal one":            {"internal", `{"repository": {"visibility": "internal", "private": true}}`, append(bothRoots(), "--instance", "public-good"), nil, true, "acme/app is internal"},
		"one that nobody knows":      {"", `{"schedule": "* * * * *"}`, append(bothRoots(), "--instance", "public-good"), nil, true, "acme/app is of unknown visibility"},
		"a private one that may":     {"private", `{"repository": {"visibility": "private", "private": true}}`, append(bothRoots(), "--instance", "public-good", "--allow-public-log"), publicHosts()[1:], false, "loosened  --allow-public-log"},
		"a public one, it is called": {"public", `{"repository": {"visibility": "public", "private": true}}`, append(bothRoots(), "--instance", "public-good", "--step", "build"), nil, true, "acme/app is private"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, more := range [][]string{{"--step", "build"}, nil} {
				if slices.Contains(r.args, "--step") {
					more = nil
				}
				n := newInternet(t, r.seen)
				n.put("key.pem", testKey)
				n.variables = map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/app", "GITHUB_EVENT_PATH": n.put("event.json", r.event)}
				got := n.attest(slices.Concat([]string{"--key", "DIR/key.pem"}, more, r.args)...)
				code, words := ExitAllowed, got.out
				if r.held {
					code, words = ExitDenied, got.says
				}
				if diff := cmp.Diff(r.hosts, got.asked); diff != "" || got.code != code || !strings.Contains(words, r.says) {
					t.Errorf("%q: exit code %d, expected %d and %q, asked (-want +got):\n%s\n%s%s", more, got.code, code, r.says, diff, got.out, got.says)
				}
			}
		})
	}
}

// TestKeyAtADesk: outside of a job nobody knows what the repository is, and whoever names
// a log means it.
func TestKeyAtADesk(t *testing.T) {
	t.Parallel()
	n := newInternet(t, "private")
	n.put("key.pem", testKey)
	got := n.attest(append(bothRoots(), "--key", "DIR/key.pem", "--step", "build", "--instance", "public-good")...)
	if got.code != ExitAllowed || !slices.Equal(got.asked, publicHosts()[1:]) {
		t.Errorf("exit code %d, asked %q\n%s%s", got.code, got.asked, got.out, got.says)
	}
}

// testKey is an ECDSA key that nobody trusts.
const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkHIGU89Y4D1dLd9a
34sb5KAZRCg8nryY3Lcy0bvfzdGhRANCAATklwZJti39oVWy2aEUxT9OfofGQlRI
lnA201LPf5p41sb6YBWzmdVemJQz/VDd3nKVJLPPe0l69TTsbtpQ7Dtx
-----END PRIVATE KEY-----
`

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestInstanceByAccident has private repositories, and in each row one more thing that
// could lead to a public log. Nobody is asked in any of them, but GitHub's own instance
// where that signs.
func TestInstanceByAccident(t *testing.T) {
	t.Parallel()
	config := func(ca string, rekor bool) string {
		log := ""
		if rekor {
			log = `"rekorTlogUrls": [{"url": "https://rekor.sigstore.dev", "majorApiVersion": 1, "validFor": {"start": "2021-01-12T11:53:27Z"}, "operator": "x"}], "rekorTlogConfig": {"selector": "ANY"},`
		}
		return `{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
			"caUrls": [{"url": "` + ca + `", "majorApiVersion": 1, "validFor": {"start": "2022-04-13T20:06:15Z"}, "operator": "x"}], ` + log + `
			"tsaUrls": [{"url": "https://timestamp.githubapp.com/api/v1/timestamp", "majorApiVersion": 1, "validFor": {"start": "2022-04-13T20:06:15Z"}, "operator": "x"}], "tsaConfig": {"selector": "ANY"}}`
	}
	// A trusted root that calls the public authority its own, and has no log.
	hiding := func() []string {
		return []string{"--trusted-root", "github=DIR/githubapp.com.json", "--signing-config", "DIR/config.json"}
	}
	for name, r := range map[string]struct {
		config string
		edit   func(root string) string // of GitHub's trusted root
		args   []string
		code   int
		hosts  []string
		says   string
	}{
		"nothing":                         {args: bothRoots(), hosts: githubHosts()},
		"a version of Rekor":              {args: append(bothRoots(), "--rekor-version", "1"), code: ExitUsage, says: "--rekor-version is the version of a log"},
		"a version of Rekor and the word": {args: append(bothRoots(), "--rekor-version", "2", "--allow-public-log"), code: ExitUsage, says: "--instance public-good and --allow-public-log"},
		"the public root alone":           {args: []string{"--trusted-root", "DIR/sigstore.dev.json"}, code: ExitUsage, says: "no trusted root is loaded that names the certificate authority https://fulcio.githubapp.com"},
		"a signing config with the log":   {config: config("https://fulcio.githubapp.com", true), args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "in rekor.sigstore.dev"},
		"the public authority, no log":    {config: config("https://fulcio.sigstore.dev", false), args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "the certificate transparency log"},
		"the same by its port": {
			config: config("https://Fulcio.Sigstore.dev:443/", false), edit: func(root string) string {
				return strings.ReplaceAll(root, `"https://fulcio.githubapp.com"`, `"https://fulcio.sigstore.dev:443"`)
			},
			args: hiding(), code: ExitDenied, says: "the certificate transparency log",
		},
		"the same by a dot": {
			config: config("https://fulcio.sigstore.dev.", false), edit: func(root string) string {
				return strings.ReplaceAll(root, `"https://fulcio.githubapp.com"`, `"fulcio.sigstore.dev."`)
			},
			args: hiding(), code: ExitDenied, says: "the certificate transparency log",
		},
		"an authority that nobody knows":    {config: config("https://fulcio.acme.example", false), args: append(bothRoots(), "--signing-config", "DIR/config.json"), code: ExitDenied, says: "the certificate transparency log"},
		"a signing config without its root": {config: config("https://fulcio.acme.example", false), args: []string{"--offline", "--signing-config", "DIR/config.json"}, code: ExitUsage, says: "give the trusted root of that instance"},
		"two instances":                     {config: config("https://fulcio.githubapp.com", false), args: append(bothRoots(), "--signing-config", "DIR/config.json", "--instance", "github"), code: ExitUsage, says: "name two instances"},
		"a custom one without a config":     {args: append(bothRoots(), "--instance", "custom"), code: ExitUsage, says: "and none is given"},
		"a custom one that is public":       {config: config("https://fulcio.sigstore.dev", true), args: append(bothRoots(), "--signing-config", "DIR/config.json", "--instance", "custom"), code: ExitDenied, says: "its name would be in rekor.sigstore.dev"},
		"an instance that there is not":     {args: append(bothRoots(), "--instance", "private"), code: ExitUsage, says: "unknown --instance"},
		"GitHub's, and a version of Rekor":  {args: append(bothRoots(), "--instance", "github", "--rekor-version", "1"), code: ExitUsage, says: "has no log"},
		"a signing config of GitHub's own":  {config: config("https://fulcio.githubapp.com", false), args: append(bothRoots(), "--signing-config", "DIR/config.json"), hosts: githubHosts(), says: "instance  custom: named by --signing-config"},
		"GitHub's root as GitHub writes it": {edit: func(root string) string {
			return strings.ReplaceAll(root, `"https://fulcio.githubapp.com"`, `"fulcio.githubapp.com"`)
		}, args: bothRoots(), hosts: githubHosts()},
		"a root that has a log for GitHub's": {edit: withLog(t), args: bothRoots(), code: ExitDenied, says: "the certificate transparency log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, "private")
			n.put("config.json", r.config)
			if r.edit != nil {
				data, err := os.ReadFile(filepath.Join(n.dir, "githubapp.com.json"))
				if err != nil {
					t.Fatal(err)
				}
				n.put("githubapp.com.json", r.edit(string(data)))
			}
			got := n.attest(r.args...)
			if diff := cmp.Diff(r.hosts, got.asked); diff != "" || got.code != r.code || !strings.Contains(got.out+got.says, r.says) {
				t.Errorf("exit code %d, expected %d and %q; asked (-want +got):\n%s\n%s%s", got.code, r.code, r.says, diff, got.out, got.says)
			}
		})
	}
}

// withLog puts a log of certificates into a trusted root.
func withLog(t *testing.T) func(string) string {
	t.Helper()
	logged, err := attestationtest.New(attestationtest.Config{CT: true, TSA: true, Domain: "githubapp.com"})
	if err != nil {
		t.Fatal(err)
	}
	return func(root string) string {
		_, logs, _ := strings.Cut(string(logged.TrustedRoot()), `"ctlogs":`)
		logs, _, _ = strings.Cut(logs, `]`)
		return strings.Replace(root, `{"mediaType"`, `{"ctlogs":`+logs+`],"mediaType"`, 1)
	}
}

// TestPrivateRoundTrip: what GitHub's own instance signed is allowed by the layout that was
// suggested, under that instance's root and no other.
func TestPrivateRoundTrip(t *testing.T) {
	t.Parallel()
	n := newInternet(t, "private")
	if got := n.attest(append(bothRoots(), "--suggest-layout", "DIR/layout.yml")...); got.code != ExitAllowed {
		t.Fatalf("exit code %d\n%s%s", got.code, got.out, got.says)
	}
	data, err := os.ReadFile(filepath.Join(n.dir, "layout.yml"))
	if err != nil || !strings.Contains(string(data), "root: github") {
		t.Errorf("%v\n%s", err, data)
	}
	verify := []string{"verify", "DIR/app", "--layout", "DIR/layout.yml"}
	if got := n.run(append(verify, bothRoots()...)...); got.code != ExitAllowed || !strings.Contains(got.out, "proven") {
		t.Errorf("exit code %d\n%s%s", got.code, got.out, got.says)
	}
	for _, root := range []string{"github=DIR/sigstore.dev.json", "sigstore=DIR/githubapp.com.json"} {
		if got := n.run("verify", "DIR/app", "--layout", "DIR/layout.yml", "--trusted-root", root); got.code == ExitAllowed {
			t.Errorf("under %s\n%s%s", root, got.out, got.says)
		}
	}
	if diff := cmp.Diff(githubHosts(), n.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// TestInstancesOfVerbs: whatever else a job signs goes the same way.
func TestInstancesOfVerbs(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		args []string
		says string
	}{
		"a layout":  {[]string{"layout", "sign", "DIR/layout.yml"}, "signed with the instance github: the repository acme/app is private"},
		"a summary": {[]string{"verify", "DIR/app", "--layout", "DIR/layout.yml", "--vsa", "DIR/app.vsa.json"}, "with the instance github (the repository acme/app is private"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, "private")
			if got := n.attest(append(bothRoots(), "--suggest-layout", "DIR/layout.yml")...); got.code != ExitAllowed {
				t.Fatalf("exit code %d\n%s%s", got.code, got.out, got.says)
			}
			n.asked = nil
			if got := n.run(slices.Concat(r.args, bothRoots(), []string{"--instance", "public-good"})...); got.code != ExitDenied || got.asked != nil {
				t.Errorf("exit code %d, asked %v\n%s%s", got.code, got.asked, got.out, got.says)
			}
			got := n.run(slices.Concat(r.args, bothRoots())...)
			said := strings.Join(strings.Fields(got.out), " ")
			if diff := cmp.Diff(githubHosts(), got.asked); diff != "" || got.code != ExitAllowed || !strings.Contains(said, r.says) {
				t.Errorf("exit code %d, expected %q, asked (-want +got):\n%s\n%s%s", got.code, r.says, diff, got.out, got.says)
			}
		})
	}
}

// TestPersonInAJob: a person's token in a job of a repository that is not known to be
// public is held before anybody is asked.
func TestPersonInAJob(t *testing.T) {
	t.Parallel()
	const private, public = `{"repository": {"visibility": "private", "private": true}}`, `{"repository": {"visibility": "public", "private": false}}`
	for name, r := range map[string]struct {
		event string
		args  []string
		held  string // empty where Fulcio is asked, who certifies the job here, and nobody else
	}{
		"private":            {private, nil, "acme/app is private, and what is signed in it would be sent to rekor.sigstore.dev"},
		"unknown":            {`{}`, nil, "acme/app is of unknown visibility"},
		"public":             {public, nil, ""},
		"private, with word": {private, []string{"--allow-public-log"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, "private")
			n.variables = map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/app", "GITHUB_EVENT_PATH": n.put("event.json", r.event)}
			n.put("token", jwt(t, personClaims(), "x").Reveal())
			got := n.attest(slices.Concat(bothRoots(), []string{"--identity-token", "DIR/token", "--step", "build"}, r.args)...)
			if got.code != ExitDenied || !strings.Contains(got.says, r.held) || (r.held == "") != slices.Equal(got.asked, publicHosts()[:1]) || r.held != "" && got.asked != nil {
				t.Errorf("exit code %d, asked %q, expected %q\n%s%s", got.code, got.asked, r.held, got.out, got.says)
			}
		})
	}
}
