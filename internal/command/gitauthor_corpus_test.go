package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/command"
)

// gitAuthorDir holds git objects that git itself made and judged.
const gitAuthorDir = "../../../shared/corpus/in-toto/git-author"

// TestGitAuthorCorpus runs every object of the corpus through verify, as its author
// would be named on a command line. Where git-core passes an object that reads in
// two ways, the corpus says reject, and so do we.
func TestGitAuthorCorpus(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(gitAuthorDir, "cases.tsv"))
	if err != nil {
		t.Skipf("the corpus of git objects is not here: %v", err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		name, id, expected := fields[0], fields[1], fields[2]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append(gitAuthorArgs(name, id), gitAuthorSigner(name)...)
			if served, ok := strings.CutPrefix(expected, "reject-as-"); ok {
				expectCode(t, command.ExitAllowed, append(args, "--tag-name", "v1.0.0")...)
				args = append(args, "--tag-name", served)
			}
			if expected == "pass" {
				expectCode(t, command.ExitAllowed, args...)
			} else {
				expectCode(t, command.ExitDenied, args...)
			}
		})
	}
	t.Run("an expired line", func(t *testing.T) {
		t.Parallel()
		refuses(t, "key-not-valid-then", "allowed_signers.expired")
	})
	t.Run("another namespace's line", func(t *testing.T) {
		t.Parallel()
		args := gitAuthorArgs("ssh-ed25519.commit", "95a93ab55241e7b75daaf4220077477db3256610")
		expectCode(t, command.ExitDenied, append(args, "--allowed-signers", filepath.Join(gitAuthorDir, "allowed_signers.wrong-namespace"))...)
	})
	t.Run("everybody's line", func(t *testing.T) {
		t.Parallel()
		args := gitAuthorArgs("ssh-unknown-key.commit", "a557a50c547b81a156cd688054b8dc54f56af5e5")
		report := expectCode(t, command.ExitAllowed, append(args, "--allowed-signers", filepath.Join(gitAuthorDir, "allowed_signers.wildcard"))...)
		if !strings.Contains(report, "everybody") {
			t.Errorf("the report does not warn of a line for everybody:\n%s", report)
		}
	})
}

func gitAuthorArgs(name, id string) []string {
	kind := "gitCommit:"
	if strings.HasSuffix(name, ".tag") {
		kind = "gitTag:"
	}
	return []string{"verify", kind + id, "--bundle", filepath.Join(gitAuthorDir, name), "--offline", "--verbose"}
}

// gitAuthorSigner names who must have signed.
func gitAuthorSigner(name string) []string {
	switch {
	case strings.HasPrefix(name, "gpg-rsa"):
		return []string{"--key", filepath.Join(gitAuthorDir, "keys/bob.gpg.asc")}
	case strings.HasPrefix(name, "gpg"):
		return []string{"--key", filepath.Join(gitAuthorDir, "keys/alice.gpg.asc")}
	}
	return []string{"--allowed-signers", filepath.Join(gitAuthorDir, "allowed_signers")}
}

func refuses(t *testing.T, finding, allowed string) {
	t.Helper()
	args := gitAuthorArgs("ssh-ed25519.commit", "95a93ab55241e7b75daaf4220077477db3256610")
	report := expectCode(t, command.ExitDenied, append(args, "--allowed-signers", filepath.Join(gitAuthorDir, allowed))...)
	if !strings.Contains(report, finding) {
		t.Errorf("expected the finding %s:\n%s", finding, report)
	}
}

func expectCode(t *testing.T, code int, args ...string) string {
	t.Helper()
	o := run(t, nil, args...)
	if o.code != code {
		t.Errorf("%s: exit code %d, expected %d\n%s%s", strings.Join(args, " "), o.code, code, o.out, o.report)
	}
	return o.out + o.report
}
