package command

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/identity"
)

// aWorkflow is a signer of a repository.
func aWorkflow(repository string) identity.Signer {
	return identity.Signer{
		Issuer: identity.GitHubActionsIssuer, SAN: repository + "/.github/workflows/release.yml@refs/heads/main", SANKind: identity.URI,
		Extensions: identity.Extensions{identity.SourceRepositoryURI: repository, identity.SourceRepositoryDigest: strings.Repeat("a", 40)},
	}
}

// TestGitHubVerify: the line for GitHub's client asks for the exact identity, and where
// that client cannot ask there is none.
func TestGitHubVerify(t *testing.T) {
	t.Parallel()
	const san = " --cert-identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
	base := githubVerify{signer: aWorkflow("https://github.com/acme/app"), file: "dist/app", predicateType: slsaProvenance}
	for name, row := range map[string]struct {
		change func(*githubVerify)
		want   string
	}{
		"at GitHub":       {func(*githubVerify) {}, "gh attestation verify dist/app --repo acme/app" + san},
		"in a file":       {func(v *githubVerify) { v.find = []string{"--bundle", "a b.json"} }, "gh attestation verify dist/app --repo acme/app --bundle 'a b.json'" + san},
		"with an image":   {func(v *githubVerify) { v.image, v.find = "ghcr.io/a@sha256:00", []string{"--bundle-from-oci"} }, "gh attestation verify oci://ghcr.io/a@sha256:00 --repo acme/app --bundle-from-oci" + san},
		"another type":    {func(v *githubVerify) { v.predicateType = "https://cyclonedx.org/bom" }, "gh attestation verify dist/app --repo acme/app" + san + " --predicate-type https://cyclonedx.org/bom"},
		"another root":    {func(v *githubVerify) { v.roots = []string{"tr.jsonl"} }, "gh attestation verify dist/app --repo acme/app" + san + " --custom-trusted-root tr.jsonl"},
		"another issuer":  {func(v *githubVerify) { v.signer.Issuer += "/acme" }, "gh attestation verify dist/app --repo acme/app" + san + " --cert-oidc-issuer https://token.actions.githubusercontent.com/acme"},
		"a tenant":        {func(v *githubVerify) { v.signer = aWorkflow("https://acme.ghe.com/acme/app") }, "gh attestation verify dist/app --repo acme/app --cert-identity https://acme.ghe.com/acme/app/.github/workflows/release.yml@refs/heads/main --hostname acme.ghe.com"},
		"no flag":         {func(v *githubVerify) { v.file = "-x" }, "gh attestation verify ./-x --repo acme/app" + san},
		"a digest":        {func(v *githubVerify) { v.file = "" }, ""},
		"two roots":       {func(v *githubVerify) { v.roots = []string{"a", "b"} }, ""},
		"a named root":    {func(v *githubVerify) { v.roots = []string{"acme=a"} }, ""},
		"a person":        {func(v *githubVerify) { v.signer = identity.Signer{SAN: "alice@example.com", SANKind: identity.Email} }, ""},
		"another forge":   {func(v *githubVerify) { v.signer = aWorkflow("https://gitlab.example/acme/app") }, ""},
		"no repository":   {func(v *githubVerify) { v.signer = aWorkflow("https://github.com/acme") }, ""},
		"not a host":      {func(v *githubVerify) { v.signer = aWorkflow("https://github.com.evil.example/acme/app") }, ""},
		"without a cover": {func(v *githubVerify) { v.signer = aWorkflow("http://github.com/acme/app") }, ""},
	} {
		v := base
		if row.change(&v); v.command() != row.want {
			t.Errorf("%s: got %q, expected %q", name, v.command(), row.want)
		}
	}
}

// TestShellReadsTheCommand: whatever a file is called, a shell reads the very words.
func TestShellReadsTheCommand(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	for _, name := range []string{"a b", "it's", `"`, "$(id)", "`id`", "a|b&c;d", "*", "~", "#x", "!x", `\`, "a\\'b", "{a,b}", "é", "'", "''", "-x", "=", "[a]", "<i>", "%%"} {
		v := githubVerify{signer: aWorkflow("https://github.com/acme/app"), file: "dist/" + name, find: []string{"--bundle", name}, predicateType: slsaProvenance}
		out, err := exec.CommandContext(t.Context(), sh, "-c", "set -- "+v.command()+`; for word; do printf '%s\n' "$word"; done`).Output()
		words := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		want := []string{"gh", "attestation", "verify", "dist/" + name, "--repo", "acme/app", "--bundle", name, "--cert-identity", v.signer.SAN}
		if err != nil || !slices.Equal(words, want) {
			t.Errorf("%q: a shell reads %q of %s, %v", name, words, v.command(), err)
		}
	}
}
