package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/command"
	"github.com/signatus-dev/signatus/internal/gitobject"
)

// The git objects of the corpus: those that git itself made and judged, and those of
// gitsign.
const (
	gitAuthorDir = "../../../shared/corpus/in-toto/git-author"
	gitsignDir   = "../../../shared/corpus/in-toto/gitsign"
)

// gitCase is one object of the corpus, how its author is named, and what must become
// of it.
type gitCase struct {
	name    string
	args    []string
	allowed bool
	says    string // in the report; empty for anything
}

// gitAuthorCases are the objects that git itself made, with ssh-keygen and gpg. Where
// git-core passes an object that reads in two ways, the corpus says reject.
func gitAuthorCases(t *testing.T) (cases []gitCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(gitAuthorDir, "cases.tsv"))
	if err != nil {
		t.Skipf("the corpus of git objects is not here: %v", err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		name, id, expected := fields[0], fields[1], fields[2]
		c := gitCase{name: name, args: append(gitAuthorArgs(name, id), gitAuthorSigner(name)...), allowed: expected == "pass"}
		if served, ok := strings.CutPrefix(expected, "reject-as-"); ok {
			as := func(tag string) []string { return append(slices.Clone(c.args), "--tag-name", tag) }
			cases = append(cases, gitCase{name: name + " as v1.0.0", args: as("v1.0.0"), allowed: true})
			c.name, c.args, c.says = name+" as "+served, as(served), "tag-name-differs"
		}
		cases = append(cases, c)
	}
	good := gitAuthorArgs("ssh-ed25519.commit", "95a93ab55241e7b75daaf4220077477db3256610")
	unknown := gitAuthorArgs("ssh-unknown-key.commit", "a557a50c547b81a156cd688054b8dc54f56af5e5")
	by := func(args []string, file string) []string {
		return append(slices.Clone(args), "--allowed-signers", filepath.Join(gitAuthorDir, file))
	}
	return append(cases,
		gitCase{"allowed_signers.expired", by(good, "allowed_signers.expired"), false, "key-not-valid-then"},
		gitCase{"allowed_signers.wrong-namespace", by(good, "allowed_signers.wrong-namespace"), false, "namespace"},
		gitCase{"allowed_signers.wildcard", by(unknown, "allowed_signers.wildcard"), true, "sign as everybody"},
	)
}

// gitsignCases are the objects of gitsign's own tests: those that carry their log
// entry pass under the public-good root, those that do not cannot be proven offline,
// and those that another tool signed are no gitsign signatures.
func gitsignCases(t *testing.T) (cases []gitCase) {
	t.Helper()
	for _, c := range []struct {
		file, issuer, says string
		allowed            bool
	}{
		{"offline.commit", "https://accounts.google.com", "proven 2023-06-05T16:11:20Z", true},
		{"compat-testdata/commit.txt", "https://accounts.google.com", "proven 2023-04-14T18:27:24Z", true},
		{"offline.commit", "https://github.com/login/oauth", "signer-not-functionary", false},
		{"online.commit", "https://accounts.google.com", "no-proven-time", false},
		{"commit.txt", "https://accounts.google.com", "no-proven-time", false},
		{"tag.txt", "https://accounts.google.com", "no-proven-time", false},
		{"attest/fulcio-cert.in.txt", "https://accounts.google.com", "no-proven-time", false},
		{"attest/fulcio-tag.in.txt", "https://accounts.google.com", "no-proven-time", false},
		{"attest/gpg.in.txt", "https://accounts.google.com", "forge-key", false},
	} {
		path := filepath.Join(gitsignDir, c.file)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Skipf("the corpus of gitsign's objects is not here: %v", err)
		}
		object, err := gitobject.Split(raw)
		if err != nil {
			t.Fatal(err)
		}
		kind := map[gitobject.Kind]string{gitobject.CommitKind: "gitCommit:", gitobject.TagKind: "gitTag:"}[object.Kind]
		cases = append(cases, gitCase{
			name: fmt.Sprintf("%s, issuer %s", c.file, c.issuer), allowed: c.allowed, says: c.says,
			args: []string{"verify", kind + object.ID, "--bundle", path, "--offline", "--verbose",
				"--certificate-identity", "billy@chainguard.dev", "--certificate-oidc-issuer", c.issuer},
		})
	}
	return cases
}

// run holds a case to what it expects.
func (c gitCase) run(t *testing.T) bool {
	t.Helper()
	o := run(t, nil, c.args...)
	want := command.ExitDenied
	if c.allowed {
		want = command.ExitAllowed
	}
	if o.code == want && strings.Contains(o.out+o.report, c.says) {
		return true
	}
	t.Errorf("%s: exit code %d, expected %d and %q\n%s%s", c.name, o.code, want, c.says, o.out, o.report)
	return false
}

// gitTallies are the counts of docs/conformance.md.
type gitTallies struct {
	authorPass, authorFail, gitsignPass, gitsignFail tally
}

// git asks about every git object of the corpus.
func (d *document) git(t *testing.T) {
	t.Helper()
	count := func(cases []gitCase, pass, fail *tally) {
		for _, c := range cases {
			of := fail
			if c.allowed {
				of = pass
			}
			of.add(c.run(t))
		}
	}
	n := &d.gitTallies
	count(gitAuthorCases(t), &n.authorPass, &n.authorFail)
	count(gitsignCases(t), &n.gitsignPass, &n.gitsignFail)
}

func (n gitTallies) write(line func(string, ...any)) {
	line("## Authors' signatures in git")
	line("")
	line("Raw objects through `signatus verify gitCommit:ID --bundle FILE.commit` (and `gitTag:`), each with its author's key, allowed signers file or identity. Those of `git-author` were made by git 2.39 with ssh-keygen and gpg; three that git itself passes read in two ways, and are refused. Those of `gitsign` are of that project's own tests, under the embedded public-good root.")
	line("")
	line("| `../shared/corpus/in-toto/` | must pass, passed | must fail, failed |")
	line("|---|---|---|")
	line("| git-author | %s | %s |", n.authorPass, n.authorFail)
	line("| gitsign | %s | %s |", n.gitsignPass, n.gitsignFail)
	line("")
}

// TestRealAuthor has a published gitsign commit be the author's step of a layout, under
// the embedded public-good root.
func TestRealAuthor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(gitsignDir, "offline.commit")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the corpus of gitsign's objects is not here: %v", err)
	}
	layout := filepath.Join(t.TempDir(), "layout.yml")
	text := strings.ReplaceAll(realAuthor, "EXPIRES", time.Now().AddDate(1, 0, 0).UTC().Format("2006-01-02T15:04:05Z"))
	if err := os.WriteFile(layout, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"verify", "gitCommit:529ee14c05ac4640c599d6b34298b940d8a977f3", "--bundle", path, "--offline", "--layout", layout, "--step", "author", "--param", "repo=github.com/sigstore/gitsign"}
	for name, c := range map[string]gitCase{
		"the author":     {args: append(args, "--param", "author=billy@chainguard.dev"), allowed: true, says: "it counts for git+https://github.com/sigstore/gitsign"},
		"somebody else":  {args: append(slices.Clone(args), "--param", "author=mallory@chainguard.dev"), says: "signer-not-functionary"},
		"another commit": {args: append([]string{"verify", "gitCommit:bf21f2984600e046004ba656f0065aae326f9cbb"}, append(slices.Clone(args[2:]), "--param", "author=billy@chainguard.dev")...), says: "artifact-not-subject"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.name = name
			c.run(t)
		})
	}
}

const realAuthor = `_type: layout
version: 1
expires: "EXPIRES"
parameters:
  repo: {pattern: "github.com/*/*", required: true}
  author: {pattern: "*@chainguard.dev", required: true}
functionaries:
  author:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal: {root: sigstore, issuer: "https://accounts.google.com", identity: "{author}"}
    validity: {start: "2023-01-01T00:00:00Z", end: "2024-01-01T00:00:00Z"}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["REQUIRE git+https://{repo}", "ALLOW git+https://{repo}", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: "https://gitsign.sigstore.dev/predicate/git/v0.1", functionaries: [author], threshold: 1}
subjects: [{subject: ["*"], from: author}]
`

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
