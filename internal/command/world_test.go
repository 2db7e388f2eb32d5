package command_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/layout"
)

// What the world is about: a project, two of its commits, and one file built
// from the first.
const (
	repository  = "github.com/acme/app"
	commit      = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	otherCommit = "0badc0de5e8b7a604132c9f0d8e7b6a594837261"
	appText     = "the app, as it was built\n"
	login       = "https://github.com/login/oauth"
	workflow    = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
	actions     = "https://token.actions.githubusercontent.com"
)

// worldSeed makes one Sigstore instance of all that sign for the world.
const worldSeed = "the world of internal/command"

// world is the files of a project that signs its releases, by name. The same in
// every run, but for the layouts' expiry.
type world map[string][]byte

// theWorld signs everything once for all tests.
func theWorld(t testing.TB) world {
	t.Helper()
	w, err := signWorld()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var signWorld = sync.OnceValues(func() (world, error) {
	config := attestationtest.PublicGood()
	config.Seed = worldSeed
	sigstore, err := attestationtest.New(config)
	if err != nil {
		return nil, err
	}
	key, err := sigstore.NewKey("release")
	if err != nil {
		return nil, err
	}
	w := world{
		"app":               []byte(appText),
		"trusted_root.json": sigstore.TrustedRoot(),
	}
	if w["release.pub"], err = key.PEM(); err != nil {
		return nil, err
	}
	if w["release.pem"], err = key.PrivateKeyPEM(); err != nil {
		return nil, err
	}
	stranger, err := sigstore.NewKey("stranger")
	if err != nil {
		return nil, err
	}
	if w["stranger.pub"], err = stranger.PEM(); err != nil {
		return nil, err
	}
	if w["stranger.pem"], err = stranger.PrivateKeyPEM(); err != nil {
		return nil, err
	}
	for _, b := range bundles(key) {
		bundle, err := sigstore.Sign(b.request)
		if err != nil {
			return nil, err
		}
		w["bundles/"+b.name+".json"] = bundle.JSON
	}
	for _, b := range readyBundles() {
		bundle, err := sigstore.Sign(b.request)
		if err != nil {
			return nil, err
		}
		w["ready/"+b.name+".json"] = bundle.JSON
	}
	if err := errors.Join(w.addClassic(), w.writeLayouts()); err != nil {
		return nil, err
	}
	payload, problems := layout.Payload("acme.yml", w["acme.yml"], time.Now())
	if len(problems) > 0 {
		return nil, errors.New(problems[0].String())
	}
	signed, err := sigstore.Sign(attestationtest.SignRequest{As: attestationtest.Person("carol@example.com", login), Payload: payload})
	if err != nil {
		return nil, err
	}
	w["carol.sigstore.json"] = signed.JSON
	built, err := sigstore.Sign(imageBuilt())
	if err != nil {
		return nil, err
	}
	w["image/build.json"] = built.JSON
	return w, nil
})

type namedRequest struct {
	name    string
	request attestationtest.SignRequest
}

// bundles is what is signed, in order: the bytes of each follow from those
// before it.
func bundles(key *attestationtest.Key) []namedRequest {
	run := attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit}
	otherRun := attestationtest.WorkflowClaims{Repository: "acme/app", SHA: otherCommit}
	word := func(id string) []byte {
		return attestationtest.CommitLink("author", attestationtest.Commit{Repository: repository, Ref: "refs/heads/main", ID: id})
	}
	built := func(name, text string, run attestationtest.WorkflowClaims) []byte {
		return attestationtest.Statement([]attestationtest.Subject{attestationtest.File(name, []byte(text))},
			"https://slsa.dev/provenance/v1", attestationtest.Provenance(run))
	}
	about := func(predicateType string, predicate any) []byte {
		return attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(appText))}, predicateType, predicate)
	}
	digest := sha256.Sum256([]byte(appText))
	generated := attestationtest.SLSAGenerator(run)
	type request = attestationtest.SignRequest
	person := func(email string) attestationtest.Identity { return attestationtest.Person(email, login) }
	return []namedRequest{
		{"author", request{As: person("alice@example.com"), Payload: word(commit)}},
		{"bob", request{As: person("bob@example.com"), Payload: word(commit)}},
		{"stranger", request{As: person("mallory@example.com"), Payload: word(commit)}},
		{"builder-as-author", request{As: attestationtest.Workflow(run), Payload: word(commit)}},
		{"build", request{As: attestationtest.Workflow(run), Payload: built("app", appText, run)}},
		{"build-of-other-commit", request{As: attestationtest.Workflow(otherRun), Payload: built("app", appText, otherRun)}},
		{"build-of-other-file", request{As: attestationtest.Workflow(run), Payload: built("other", "another file\n", run)}},
		{"forged-commit", request{As: attestationtest.Workflow(otherRun), Payload: built("app", appText, run)}},
		{"generated", request{As: attestationtest.Workflow(generated), Payload: attestationtest.StatementV01(
			[]attestationtest.Subject{attestationtest.File("app", []byte(appText))}, "https://slsa.dev/provenance/v0.2", attestationtest.ProvenanceV02(run))}},
		{"signature", request{As: attestationtest.Workflow(run), MessageDigest: digest[:]}},
		{"sbom", request{As: attestationtest.Workflow(run), Payload: about("https://cyclonedx.org/bom", map[string]any{"bomFormat": "CycloneDX"})}},
		{"by-key", request{Key: key, Payload: built("app", appText, run)}},
		{"broken-signature", request{As: attestationtest.Workflow(run), Payload: built("app", appText, run), Break: []attestationtest.Break{attestationtest.BreakSignature}}},
		{"hostile", request{As: attestationtest.Workflow(run), Payload: built(hostileName, "another file\n", run)}},
	}
}

// hostileName holds all that a terminal obeys: a line break, an escape sequence,
// a carriage return, a bidi override, a zero-width space and a broken byte.
const hostileName = "a\nallowed: b\x1b[2J\r\u202e\u200bc"

// expiry is when the world's layouts end: half a year after today, so that no
// test begins to fail on a fixed day; the same in a run that crosses midnight.
var expiry = sync.OnceValue(func() time.Time { return time.Now().UTC().AddDate(0, 6, 0).Truncate(24 * time.Hour) })

// writeLayouts writes the ready-made layouts with an expiry of their own, and
// acme.yml, which is author-and-builder.yml with the values of one project.
func (w world) writeLayouts() error {
	expires := regexp.MustCompile(`(?m)^expires: .*$`)
	parameters := regexp.MustCompile(`(?s)\nparameters:\n.*?\n\n`)
	names, err := filepath.Glob("../../layouts/*.yml")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		w["layouts/"+filepath.Base(name)] = expires.ReplaceAll(text, []byte(`expires: "`+expiry().Format(time.RFC3339)+`"`))
	}
	values := strings.NewReplacer("{repo}", repository, "{repoId}", "728493015", "{author}", "alice@example.com", "{workflow}", "release.yml")
	acme := parameters.ReplaceAllString(string(w["layouts/author-and-builder.yml"]), "\n")
	w["acme.yml"] = []byte(values.Replace(acme))
	w["two.yml"] = w.twoAuthors()
	w["expired.yml"] = expires.ReplaceAll(w["acme.yml"], []byte(`expires: "2026-02-01T00:00:00Z"`))
	return nil
}

// twoAuthors is a layout of two keys, both of which must have signed a commit.
func (w world) twoAuthors() []byte {
	const text = `_type: layout
version: 1
expires: "EXPIRES"
functionaries:
  release:
    keyType: ecdsa
    keyVal:
      public: |
RELEASE
  stranger:
    keyType: ecdsa
    keyVal:
      public: |
STRANGER
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["REQUIRE git+https://github.com/acme/app", "ALLOW git+https://github.com/acme/app", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [release, stranger], threshold: 2}
subjects: [{subject: ["*"], from: author}]
`
	indented := func(name string) string {
		return "        " + strings.ReplaceAll(strings.TrimSpace(string(w[name])), "\n", "\n        ")
	}
	return []byte(strings.NewReplacer("EXPIRES", expiry().Format(time.RFC3339), "RELEASE", indented("release.pub"), "STRANGER", indented("stranger.pub")).Replace(text))
}

// write puts the whole world into a folder.
func (w world) write(dir string) error {
	for name, data := range w {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
