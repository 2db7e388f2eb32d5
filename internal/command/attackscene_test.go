package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/layout"
)

// play writes a scene into a folder and returns the command line that judges it.
type play func(t *testing.T, dir string) []string

// releaseScene is a release under an attestation layout: two of three authors
// vouch for a commit, and a workflow has built the app from it.
type releaseScene struct {
	t        *testing.T
	sigstore *attestationtest.Sigstore
	layout   string
	evidence []*signedPiece
	app      string
	files    map[string]string // further files, by name
	args     []string          // further arguments; DIR/ in front of a name is the scene's folder
	signed   *signedPiece      // signs the layout, if not nil
}

// signedPiece is a bundle to be signed. edit, if not nil, changes what was signed.
type signedPiece struct {
	attestationtest.SignRequest
	edit func(string) string
}

// releaseLayout is what the untouched release satisfies.
const releaseLayout = `_type: layout
version: 7
expires: "2027-03-01T00:00:00Z"
functionaries:
  alice: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: alice@example.com}}
  bob: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: bob@example.com}}
  carol: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: carol@example.com}}
  release:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal:
      root: sigstore
      issuer: "https://token.actions.githubusercontent.com"
      identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
      extensions: {sourceRepositoryURI: "https://github.com/acme/app", runnerEnvironment: github-hosted}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["REQUIRE git+https://github.com/acme/app", "ALLOW git+https://github.com/acme/app", "DISALLOW *"]
    expectedPredicates: [{predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [alice, bob, carol], threshold: 2}]
  - name: build
    expectedMaterials: ["REQUIRE git+https://github.com/acme/app", "MATCH git+https://github.com/acme/app WITH PRODUCTS FROM author", "DISALLOW *"]
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates: [{predicateType: "https://slsa.dev/provenance/v1", functionaries: [release], threshold: 1}]
subjects: [{subject: ["*"], from: build}]
`

// Where the untouched release has its evidence.
const ofAlice, ofBob, ofBuilder = 0, 1, 2

// Predicate types that the scenes use.
const (
	linkType       = "https://in-toto.io/attestation/link/v0.3"
	provenanceType = "https://slsa.dev/provenance/v1"
)

// attacked is one Sigstore for all scenes.
var attacked = sync.OnceValues(func() (*attestationtest.Sigstore, error) {
	config := attestationtest.PublicGood()
	config.Seed = "the table of attacks"
	return attestationtest.New(config)
})

func theAttacked(t *testing.T) *attestationtest.Sigstore {
	t.Helper()
	sigstore, err := attacked()
	if err != nil {
		t.Fatal(err)
	}
	return sigstore
}

// onRelease plays on a release with one thing changed.
func onRelease(change func(*releaseScene)) play {
	return func(t *testing.T, dir string) []string {
		t.Helper()
		s := &releaseScene{
			t: t, sigstore: theAttacked(t), layout: releaseLayout, app: appText, files: map[string]string{},
			evidence: []*signedPiece{says("alice", vouch(commit)), says("bob", vouch(commit)), builds(appText, commit)},
		}
		if change != nil {
			change(s)
		}
		return s.write(dir)
	}
}

func (s *releaseScene) write(dir string) []string {
	s.t.Helper()
	evidence := filepath.Join(dir, "evidence")
	if err := os.Mkdir(evidence, 0o700); err != nil {
		s.t.Fatal(err)
	}
	for i, piece := range s.evidence {
		write(s.t, evidence, string(rune('a'+i))+".sigstore.json", s.sign(piece))
	}
	writeAll(s.t, dir, s.files)
	args := []string{
		"verify", write(s.t, dir, "app", []byte(s.app)), "--offline", "--format", "json",
		"--trusted-root", write(s.t, dir, "trusted_root.json", s.sigstore.TrustedRoot()), "--bundle", evidence,
	}
	if s.signed != nil {
		payload, problems := layout.Payload("layout.yml", []byte(s.layout), theTime())
		if len(problems) > 0 {
			s.t.Fatal(problems[0])
		}
		s.signed.Payload = payload
		s.layout = string(s.sign(s.signed))
	}
	if s.layout != "" {
		args = append(args, "--layout", write(s.t, dir, "layout.yml", []byte(s.layout)))
	}
	return append(args, inFolder(dir, s.args)...)
}

func (s *releaseScene) sign(piece *signedPiece) []byte {
	s.t.Helper()
	bundle, err := s.sigstore.Sign(piece.SignRequest)
	if err != nil {
		s.t.Fatal(err)
	}
	if piece.edit == nil {
		return bundle.JSON
	}
	return []byte(piece.edit(string(bundle.JSON)))
}

// writeAll writes further files, in folders of their own.
func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	all := map[string][]byte{}
	for name, text := range files {
		all[name] = []byte(text)
	}
	if err := writeFiles(dir, all); err != nil {
		t.Fatal(err)
	}
}

// inFolder puts the scene's folder in front of the names in arguments.
func inFolder(dir string, args []string) []string {
	var out []string
	for _, a := range args {
		out = append(out, strings.ReplaceAll(a, "DIR/", dir+string(filepath.Separator)))
	}
	return out
}

// asks changes the layout's text in one place.
func (s *releaseScene) asks(instead, text string) { s.layout = inPlace(s.t, s.layout, instead, text) }

// inPlace replaces text that stands once.
func inPlace(t *testing.T, whole, instead, text string) string {
	t.Helper()
	if strings.Count(whole, instead) != 1 {
		t.Fatalf("%q does not stand once in\n%s", instead, whole)
	}
	return strings.Replace(whole, instead, text, 1)
}

// breaks names what is wrong with a piece of the evidence.
func (s *releaseScene) breaks(which int, b ...attestationtest.Break) { s.evidence[which].Break = b }

// says is a statement by a person.
func says(who string, statement []byte) *signedPiece {
	return &signedPiece{SignRequest: attestationtest.SignRequest{As: attestationtest.Person(who+"@example.com", login), Payload: statement}}
}

// vouch is an author's word on a commit.
func vouch(id string) []byte {
	return attestationtest.CommitLink("author", attestationtest.Commit{Repository: repository, Ref: "refs/heads/main", ID: id})
}

// hasKey puts a key of its own in the place of a functionary's identity.
func (s *releaseScene) hasKey(functionary, key, root string) {
	s.t.Helper()
	public, err := s.key(key).PEM()
	if err != nil {
		s.t.Fatal(err)
	}
	before, rest, _ := strings.Cut(s.layout, "\n  "+functionary+":")
	_, after, _ := strings.Cut(rest, "\n")
	for strings.HasPrefix(after, "    ") {
		_, after, _ = strings.Cut(after, "\n")
	}
	lines := strings.ReplaceAll(strings.TrimSpace(string(public)), "\n", "\n        ")
	s.layout = before + "\n  " + functionary + ":\n    keyType: ecdsa\n    keyVal:\n" + root + "      public: |\n        " + lines + "\n" + after
}

func (s *releaseScene) key(name string) *attestationtest.Key {
	s.t.Helper()
	key, err := s.sigstore.NewKey(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// builderIsKey has a key in the place of the release workflow.
func (s *releaseScene) builderIsKey() {
	s.hasKey("release", "builder", "")
	s.evidence[ofBuilder].As, s.evidence[ofBuilder].Key = attestationtest.Identity{}, s.key("builder")
}

// builds is the release workflow's provenance of a file called app.
func builds(text, id string) *signedPiece {
	run := attestationtest.WorkflowClaims{Repository: "acme/app", SHA: id}
	return workflowSays(run, attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(text))}, provenanceType, attestationtest.Provenance(run)))
}

// workflowSays is a statement by a run.
func workflowSays(run attestationtest.WorkflowClaims, statement []byte) *signedPiece {
	return &signedPiece{SignRequest: attestationtest.SignRequest{As: attestationtest.Workflow(run), Payload: statement}}
}

// theRun is the run that built the app.
func theRun() attestationtest.WorkflowClaims {
	return attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit}
}

// attackTime is when the scenes are signed.
func attackTime(t *testing.T) time.Time { return theAttacked(t).Now() }

// theTime is when they are judged; the layouts expire later.
func theTime() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }
