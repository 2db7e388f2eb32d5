package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Signers are the same only if every field is.
func TestEqual(t *testing.T) {
	t.Parallel()
	full := func() Signer {
		return Signer{Issuer: "i", SAN: "s", SANKind: URI, Key: "k", Extensions: Extensions{BuildTrigger: "push", RunnerEnvironment: "x"}}
	}
	if !full().Equal(full()) || !(Signer{}).Equal(Signer{Extensions: Extensions{}}) {
		t.Error("a signer differs from itself")
	}
	for name, change := range map[string]func(*Signer){
		"issuer":              func(s *Signer) { s.Issuer = "j" },
		"SAN":                 func(s *Signer) { s.SAN = "t" },
		"kind of SAN":         func(s *Signer) { s.SANKind = Email },
		"key":                 func(s *Signer) { s.Key = "l" },
		"extension's value":   func(s *Signer) { s.Extensions[BuildTrigger] = "pull_request" },
		"extension too many":  func(s *Signer) { s.Extensions[BuildConfigURI] = "x" },
		"extension too few":   func(s *Signer) { delete(s.Extensions, BuildTrigger) },
		"extension's name":    func(s *Signer) { delete(s.Extensions, BuildTrigger); s.Extensions[BuildConfigURI] = "push" },
		"no extension at all": func(s *Signer) { s.Extensions = nil },
	} {
		changed := full()
		change(&changed)
		if changed.Equal(full()) || full().Equal(changed) {
			t.Errorf("another %s is the same signer", name)
		}
	}
}

func TestIsWorkload(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		want := name != Issuer && name != TokenSubject
		if got := (Signer{Extensions: Extensions{name: "x"}}).IsWorkload(); got != want {
			t.Errorf("a certificate with %s alone is a workload's: %t, expected %t", name, got, want)
		}
	}
	if (Signer{}).IsWorkload() || (Signer{Key: "k"}).IsWorkload() {
		t.Error("nobody or a key is a workload")
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	const uri = "https://github.com/acme/app"
	for _, r := range []struct {
		name       string
		extensions Extensions
		want       Source
		ok         bool
	}{
		{"today's", Extensions{SourceRepositoryURI: uri, SourceRepositoryDigest: "c", SourceRepositoryRef: "r"}, Source{uri, "c", "r"}, true},
		{"before 2023", Extensions{GitHubWorkflowRepository: "acme/app", GitHubWorkflowSHA: "c", GitHubWorkflowRef: "r"}, Source{uri, "c", "r"}, true},
		{"both: today's counts", Extensions{SourceRepositoryURI: uri, SourceRepositoryDigest: "c", SourceRepositoryRef: "r", GitHubWorkflowRepository: "x/y", GitHubWorkflowSHA: "d", GitHubWorkflowRef: "s"}, Source{uri, "c", "r"}, true},
		{"no ref", Extensions{SourceRepositoryURI: uri, SourceRepositoryDigest: "c"}, Source{uri, "c", ""}, true},
		{"no commit", Extensions{SourceRepositoryURI: uri}, Source{uri, "", ""}, false},
		{"no repository", Extensions{SourceRepositoryDigest: "c"}, Source{"", "c", ""}, false},
		{"nothing", nil, Source{}, false},
	} {
		got, ok := Signer{Extensions: r.extensions}.Source()
		if diff := cmp.Diff(r.want, got); diff != "" || ok != r.ok {
			t.Errorf("%s: %t, expected %t (-want +got):\n%s", r.name, ok, r.ok, diff)
		}
	}
}

func TestBuilderAndTrigger(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name             string
		signer           Signer
		builder, trigger string
	}{
		{"today's", Signer{SAN: "https://a", SANKind: URI, Extensions: Extensions{BuildSignerURI: "https://b", BuildTrigger: "push", GitHubWorkflowTrigger: "old"}}, "https://b", "push"},
		{"before 2023", Signer{SAN: "https://a", SANKind: URI, Extensions: Extensions{GitHubWorkflowTrigger: "push"}}, "https://a", "push"},
		{"a person", Signer{SAN: "a@b", SANKind: Email, Extensions: Extensions{Issuer: "i"}}, "", ""},
		{"a URI that is no workload", Signer{SAN: "https://a", SANKind: URI}, "", ""},
		{"nobody", Signer{}, "", ""},
	} {
		if got := r.signer.BuilderURI(); got != r.builder {
			t.Errorf("%s: builder is %q, expected %q", r.name, got, r.builder)
		}
		if got := r.signer.Trigger(); got != r.trigger {
			t.Errorf("%s: trigger is %q, expected %q", r.name, got, r.trigger)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Signer{
		"nobody": {},
		"alice@example.com (https://accounts.google.com)": {SAN: "alice@example.com", Issuer: "https://accounts.google.com"},
		"release.yml@refs/heads/main of acme/app (GitHub Actions)": {
			SAN: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", Issuer: GitHubActionsIssuer},
		"release.yml@refs/heads/main of acme/app (https://evil.example)": {
			SAN: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", Issuer: "https://evil.example"},
		"https://evil.example/acme/app/.github/workflows/x.yml@r (GitHub Actions)": {
			SAN: "https://evil.example/acme/app/.github/workflows/x.yml@r", Issuer: GitHubActionsIssuer},
		"https://dotcom.releases.github.com (no issuer)": {SAN: "https://dotcom.releases.github.com"},
		"key sha256:0123456789abcdef…":                   {Key: "sha256:0123456789abcdef0123456789abcdef"},
		"key odd":                                        {Key: "odd"},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
	if !(Signer{Issuer: "i", Extensions: Extensions{BuildTrigger: "x"}}).IsZero() {
		t.Error("an issuer without a name is somebody")
	}
}

// The names are those of Fulcio's table, in its order, each once.
func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[Extension]bool{}
	for _, n := range Names() {
		if seen[n] || n == "" {
			t.Errorf("%q is there twice or empty", n)
		}
		seen[n] = true
	}
	if len(seen) != 22 || Names()[0] != GitHubWorkflowTrigger || Names()[21] != TokenSubject {
		t.Errorf("names are %v", Names())
	}
}
