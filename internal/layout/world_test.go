package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/layouts"
)

// The people, places and things that the tests speak of.
const (
	repo    = "github.com/acme/app"
	repoID  = "728493015"
	commitA = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261" // what release.yml builds
	commitB = "b0b5c0ffee5e8b7a604132c9f0d8e7b6a5948372"
	treeA   = "7ee57ee57ee57ee57ee57ee57ee57ee57ee57ee5"

	app  = "the app"
	evil = "the app, and a miner"

	github  = "https://github.com/login/oauth"
	google  = "https://accounts.google.com"
	actions = "https://token.actions.githubusercontent.com"

	scanType = "https://in-toto.io/attestation/vulns/v0.2"
)

// place is a Sigstore instance with its root. There are two, shared by all tests.
type place struct {
	*attestationtest.Sigstore
	root *attestation.Root
}

var places = sync.OnceValues(func() (map[string]place, error) {
	all := map[string]place{}
	for name, config := range map[string]attestationtest.Config{"sigstore": attestationtest.PublicGood(), "other": attestationtest.GitHub()} {
		config.Seed = "layout tests, " + name
		s, err := attestationtest.New(config)
		if err != nil {
			return nil, err
		}
		material, err := root.NewTrustedRootFromJSON(s.TrustedRoot())
		if err != nil {
			return nil, err
		}
		r, err := attestation.NewRoot(name, material)
		if err != nil {
			return nil, err
		}
		all[name] = place{s, r}
	}
	return all, nil
})

func placeOf(t testing.TB, name string) place {
	t.Helper()
	all, err := places()
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

// now is when the tests judge: an hour after everything was signed.
func now() time.Time { return time.Date(2026, time.January, 15, 13, 0, 0, 0, time.UTC) }

// signer is somebody who can sign: with an identity or a key.
type signer struct {
	id        attestationtest.Identity
	key       string // the name of a key, in place of id
	bare      bool   // a key whose bundle has no log entry and no timestamp
	elsewhere bool   // under the root "other"
	at        time.Time
	lifetime  time.Duration
}

func person(name string) signer {
	return signer{id: attestationtest.Person(name+"@example.com", github)}
}

func alice() signer   { return person("alice") }
func bob() signer     { return person("bob") }
func carol() signer   { return person("carol") }
func mallory() signer { return person("mallory") }

// run is one run of a workflow; its zero value is release.yml of acme/app on
// main, at commitA.
type run = attestationtest.WorkflowClaims

func workflow(claims run) signer { return signer{id: attestationtest.Workflow(claims)} }

// word is one statement and who signs it. It is signed when it is judged.
type word struct {
	by      signer
	payload []byte
	message string // content whose digest is signed, in place of a payload
	source  string // the candidate's file
}

func (s signer) says(payload []byte) word { return word{by: s, payload: payload} }

// from names the file that the word stands in.
func (w word) from(source string) word { w.source = source; return w }

// authored is a person's link over a commit of acme/app for the step author.
func authored(by signer, commit string) word { return by.says(commitLink("author", repo, commit)) }

func commitLink(step, repository, commit string) []byte {
	return attestationtest.CommitLink(step, attestationtest.Commit{Repository: repository, Ref: "refs/heads/main", ID: commit})
}

// built is the provenance v1 of actions/attest for the app.
func built(claims run, edits ...edit) word { return builtOf(claims, app, edits...) }

func builtOf(claims run, content string, edits ...edit) word {
	return workflow(claims).says(provenanceOf(claims, []subject{file("app", content)}, edits...))
}

func provenanceOf(claims run, subjects []subject, edits ...edit) []byte {
	predicate := attestationtest.Provenance(claims)
	for _, e := range edits {
		e.apply(predicate)
	}
	return attestationtest.Statement(subjects, provenance.V1, predicate)
}

type subject = attestationtest.Subject

func file(name, content string) subject { return attestationtest.File(name, []byte(content)) }

// link is a link v0.3; artifacts are descriptors of the materials.
func link(step string, materials, products []subject) []byte {
	if materials == nil {
		materials = []subject{}
	}
	return attestationtest.Statement(products, LinkV03, map[string]any{"name": step, "materials": materials})
}

func git(repository, commit string) subject {
	return subject{Name: "git+https://" + repository, Digest: map[string]string{"gitCommit": commit}}
}

// scan is a predicate that has no products: its subjects are its materials.
func scan(subjects ...subject) []byte {
	return attestationtest.Statement(subjects, scanType, map[string]any{"metadata": map[string]any{"scanFinishedOn": "2026-01-15T11:00:00Z"}})
}

// edit sets one value of a predicate, by its path; nil removes it.
type edit struct {
	path  string
	value any
}

func set(path string, value any) edit { return edit{path, value} }

func (e edit) apply(predicate map[string]any) {
	keys := strings.Split(e.path, "/")
	object := predicate
	for _, key := range keys[:len(keys)-1] {
		next, ok := object[key].(map[string]any)
		if !ok {
			next = map[string]any{}
		}
		next = maps.Clone(next)
		object[key] = next
		object = next
	}
	if object[keys[len(keys)-1]] = e.value; e.value == nil {
		delete(object, keys[len(keys)-1])
	}
}

// open signs the word and opens it under its root. A word that does not open is
// a refused candidate, as it is for the command.
func (w word) open(t testing.TB) (*attestation.Verified, *verdict.Evidence) {
	t.Helper()
	where := "sigstore"
	if w.by.elsewhere {
		where = "other"
	}
	p := placeOf(t, where)
	request := attestationtest.SignRequest{Payload: w.payload, At: w.by.at}
	if w.message != "" {
		sum := sha256.Sum256([]byte(w.message))
		request.MessageDigest = sum[:]
	}
	switch {
	case w.by.key != "":
		request.Key = newKey(t, w.by.key)
		if w.by.bare {
			request.Entry, request.OmitTimestamp = attestationtest.NoEntry, true
		}
	case w.by.lifetime > 0:
		certificate, err := p.Certify(attestationtest.CertifyRequest{Identity: w.by.id, At: w.by.at, Lifetime: w.by.lifetime})
		if err != nil {
			t.Fatal(err)
		}
		request.Certificate = certificate
	default:
		request.As = w.by.id
	}
	bundle, err := p.Sign(request)
	if err != nil {
		t.Fatal(err)
	}
	source := w.source
	if source == "" {
		source = "evidence.sigstore.json"
	}
	found, refused := attestation.Candidates(source, bundle.JSON)
	if len(found) != 1 || len(refused) != 0 {
		t.Fatalf("a bundle gave %d candidates and %v", len(found), refused)
	}
	v, err := w.verify(t, found[0], p.root)
	if refusal, ok := errors.AsType[*attestation.Refusal](err); ok {
		reason := refusal.Finding()
		return nil, &verdict.Evidence{Source: refusal.Source, Reason: &reason}
	}
	if err != nil {
		t.Fatal(err)
	}
	return v, nil
}

func (w word) verify(t testing.TB, c attestation.Candidate, r *attestation.Root) (*attestation.Verified, error) {
	t.Helper()
	if w.by.key == "" {
		return attestation.Open(c, r)
	}
	key, err := attestation.ParseKey([]byte(keyPEM(t, w.by.key)))
	if err != nil {
		t.Fatal(err)
	}
	if w.by.bare {
		r = nil
	}
	return attestation.OpenWithKey(c, key, r)
}

func newKey(t testing.TB, name string) *attestationtest.Key {
	t.Helper()
	key, err := placeOf(t, "sigstore").NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyPEM(t testing.TB, name string) string {
	t.Helper()
	pem, err := newKey(t, name).PEM()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem)
}

// trial is one question to Check. Its zero fields mean: the app, an hour after
// signing, no parameters.
type trial struct {
	layout string
	params map[string]string
	words  []word
	input  func(*Input)
}

// judge parses, signs, opens and checks.
func (tr trial) judge(t testing.TB) verdict.Verdict {
	t.Helper()
	return Check(tr.prepare(t))
}

func (tr trial) prepare(t testing.TB) Input {
	t.Helper()
	in := Input{Layout: mustParse(t, tr.layout), Parameters: tr.params, Artifact: thing("app", app), Now: now()}
	for _, w := range tr.words {
		if v, refused := w.open(t); refused != nil {
			in.Refused = append(in.Refused, *refused)
		} else {
			in.Verified = append(in.Verified, v)
		}
	}
	if tr.input != nil {
		tr.input(&in)
	}
	return in
}

func mustParse(t testing.TB, text string) *Layout {
	t.Helper()
	l, findings := Parse("layout.yml", []byte(text), now())
	for _, f := range findings {
		t.Errorf("%s", f)
	}
	if len(findings) > 0 {
		t.Fatalf("the layout does not lint clean:\n%s", text)
	}
	return l
}

// thing is a file in hand.
func thing(name, content string) artifact.Artifact {
	sum := sha256.Sum256([]byte(content))
	return artifact.Artifact{Given: name, Name: name, Digest: artifact.DigestSet{artifact.SHA256: hex.EncodeToString(sum[:])}}
}

// commitThing is a commit in hand, as verify gitCommit:HEX takes it.
func commitThing(commit string) artifact.Artifact {
	return artifact.Artifact{Given: "gitCommit:" + commit, Digest: artifact.DigestSet{artifact.GitCommit: commit}}
}

// expect holds the verdict to a finding's id, or to allowed where id is empty.
func expect(t testing.TB, v verdict.Verdict, id verdict.ID) {
	t.Helper()
	switch {
	case id == "" && !v.Allowed():
		t.Errorf("%s, expected allowed:\n%s", v.Outcome(), describeAll(v))
	case id == "" && len(v.Findings) > 0:
		t.Errorf("allowed with findings:\n%s", describeAll(v))
	case id != "" && v.Allowed():
		t.Errorf("allowed, expected %s:\n%s", id, describeAll(v))
	case id != "" && !hasFinding(v.Findings, id):
		t.Errorf("%s without the finding %s:\n%s", v.Outcome(), id, describeAll(v))
	}
}

func hasFinding(findings []verdict.Finding, id verdict.ID) bool {
	return slices.ContainsFunc(findings, func(f verdict.Finding) bool { return f.ID == id })
}

// describeAll is the verdict for a test's log.
func describeAll(v verdict.Verdict) string {
	var b strings.Builder
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "  finding  %s\n           next: %s\n", f, f.Next)
	}
	for _, e := range v.Evidence[:min(len(v.Evidence), 12)] {
		fmt.Fprintf(&b, "  evidence %s by %s: counted %t %s", e.Source, e.Signer, e.Counted, e.Step)
		if e.Reason != nil {
			fmt.Fprintf(&b, " %s", *e.Reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// ready reads a ready-made layout.
func ready(t testing.TB, name string) string {
	t.Helper()
	data, err := layouts.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// params are the parameters of author-and-builder.yml.
func params(more ...string) map[string]string {
	p := map[string]string{"repo": repo, "repoId": repoID, "author": "alice@example.com", "workflow": "release.yml"}
	for i := 0; i < len(more); i += 2 {
		if p[more[i]] = more[i+1]; more[i+1] == "-" {
			delete(p, more[i])
		}
	}
	return p
}

// inline writes a layout whose people are alice, bob, carol and dave, the keys
// ivan and the workflows release, review and scan of acme/app, with the given steps.
func inline(t testing.TB, subjects string, steps ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("_type: layout\nversion: 3\nexpires: \"2027-03-01T00:00:00Z\"\nfunctionaries:\n")
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		fmt.Fprintf(&b, "  %s-oidc: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: %s@example.com}}\n", name, github, name)
	}
	fmt.Fprintf(&b, "  alice-google: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: alice@example.com}}\n", google)
	for _, name := range []string{"release", "review", "scan"} {
		fmt.Fprintf(&b, "  %s-wf: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: \"https://%s/.github/workflows/%s.yml@refs/heads/main\", extensions: {sourceRepositoryIdentifier: %q}}}\n",
			name, actions, repo, name, repoID)
	}
	fmt.Fprintf(&b, "  ivan-key: {keyType: ecdsa, scheme: ecdsa-sha2-nistp256, keyVal: {public: %s}}\n", strconv.Quote(keyPEM(t, "ivan")))
	fmt.Fprintf(&b, "  judy-key: {keyType: ecdsa, keyVal: {root: sigstore, public: %s}}\n", strconv.Quote(keyPEM(t, "judy")))
	b.WriteString("principals:\n  alice: {functionaries: [alice-oidc, alice-google]}\n")
	for _, name := range []string{"bob", "carol", "dave"} {
		fmt.Fprintf(&b, "  %s: {functionaries: [%s-oidc]}\n", name, name)
	}
	b.WriteString("  ivan: {functionaries: [ivan-key]}\n  judy: {functionaries: [judy-key]}\n  release: {functionaries: [release-wf], kind: workload}\n")
	b.WriteString("steps:\n" + strings.Join(steps, "") + subjects + "\n")
	return b.String()
}

// fromBuild is the usual subjects line.
const fromBuild = `subjects: [{subject: ["*"], from: build}]`

// rules are a rule list; DISALLOW * is added at its end.
func rules(list ...string) []string { return append(list, "DISALLOW *") }

// step writes one step. A nil rule list is left out.
func writeStep(name string, materials, products []string, entries ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n", name)
	write := func(key string, list []string) {
		if list == nil {
			return
		}
		fmt.Fprintf(&b, "    %s:\n", key)
		for _, r := range list {
			fmt.Fprintf(&b, "      - %q\n", r)
		}
	}
	write("expectedMaterials", materials)
	write("expectedProducts", products)
	b.WriteString("    expectedPredicates:\n")
	for _, e := range entries {
		if distinct, ok := strings.CutPrefix(e, "distinctFrom"); ok {
			b.WriteString("    distinctFrom" + distinct + "\n")
			continue
		}
		b.WriteString("      - " + e + "\n")
	}
	return b.String()
}

// expects is one item of expectedPredicates; more are further keys.
func expects(predicateType string, threshold int, who string, more ...string) string {
	return fmt.Sprintf("{predicateType: %q, functionaries: [%s], threshold: %d%s}", predicateType, who, threshold, strings.Join(append([]string{""}, more...), ", "))
}

// The steps that most inline layouts have.
const (
	requireRepo = "REQUIRE git+https://" + repo
	allowRepo   = "ALLOW git+https://" + repo
	matchAuthor = "MATCH git+https://" + repo + " WITH PRODUCTS FROM author"
)

func authorStep(threshold int, who string, more ...string) string {
	return writeStep("author", rules(), rules(requireRepo, allowRepo), append([]string{expects(LinkV03, threshold, who)}, more...)...)
}

func buildStep(more ...string) string {
	return writeStep("build", rules(requireRepo, matchAuthor), rules("CREATE *"), append([]string{expects(provenance.V1, 1, "release")}, more...)...)
}

func mustKey(t testing.TB, name string) attestation.Key {
	t.Helper()
	key, err := attestation.ParseKey([]byte(keyPEM(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
