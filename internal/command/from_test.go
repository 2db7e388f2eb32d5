package command_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/command"
	"github.com/signatus-dev/signatus/internal/githubtest"
)

// TestPublishedBundlesFromGitHub verifies a published tarball by its published bundles,
// as GitHub would serve them: in the list, and compressed elsewhere.
func TestPublishedBundlesFromGitHub(t *testing.T) {
	t.Parallel()
	const tarball = "sha512:90f223f992e4c88dd068cd2a5fc57f9d2b30798343dd6e38f29c240e04ba090ef831f84490847c4e82b9232c78e8a258463b1e55c0f7469f730265008fa6633f"
	for name, row := range map[string]struct {
		bundle   string
		detached bool
		code     int
		words    string
	}{
		"inline":         {"sigstore-js-2.1.0-bundle.json", false, 0, "release.yml@refs/heads/main of sigstore/sigstore-js"},
		"detached":       {"sigstore-js-2.1.0-bundle.json", true, 0, "release.yml@refs/heads/main of sigstore/sigstore-js"},
		"of v0.1":        {"sigstore-js-2.1.0-bundle-v0.1.json", true, 0, "release.yml@refs/heads/main of sigstore/sigstore-js"},
		"a changed one":  {"sigstoreBundle-invalid-signature.json", true, 1, "did not count"},
		"of another one": {"reusable-workflow-attestation.sigstore.json", true, 1, "signer-not-functionary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := githubtest.New(t, described)
			hub.Detached = row.detached
			read := func(name string) []byte {
				data, err := os.ReadFile(filepath.FromSlash(githubtest.Corpus + "/../gh-attestations/" + name))
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			hub.StoreAs(hub.Add("sigstore/sigstore-js"), tarball, read(row.bundle))
			o := run(t, func(env *command.Env) {
				env.HTTP = &http.Client{}
				env.Getenv = func(name string) string { return map[string]string{"GITHUB_API_URL": hub.URL}[name] }
			}, "verify", tarball, "--from", "github", "--repo", "sigstore/sigstore-js",
				"--trusted-root", filepath.FromSlash(githubtest.Corpus+"/../gh-attestations/trusted_root.json"),
				"--certificate-identity", "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
				"--certificate-oidc-issuer", "https://token.actions.githubusercontent.com", "--verbose")
			o.demand(t, row.code, "")
			if !strings.Contains(o.out, row.words) {
				t.Errorf("it does not say %q:\n%s", row.words, o.out)
			}
		})
	}
}
