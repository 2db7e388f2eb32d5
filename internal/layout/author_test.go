package layout

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// theCommit is the commit that the authors sign in their own ways. What each of them
// signs is another object, as its signature is a part of it; so they sign one commit
// with one signature, and tags and statements of it.
func theCommit() attestationtest.GitCommit {
	return attestationtest.GitCommit{Tree: treeA, Message: "fix\n"}
}

// hand is somebody's Ed25519 key.
func hand(t testing.TB, name string) ed25519.PrivateKey {
	t.Helper()
	key, err := placeOf(t, "sigstore").Ed25519(name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sshLine(t testing.TB, key crypto.Signer) string {
	t.Helper()
	line, err := attestationtest.SSHLine(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func spki(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func signSSH(t testing.TB, key crypto.Signer, payload []byte, request attestationtest.SSHRequest) []byte {
	t.Helper()
	armour, err := attestationtest.SignSSH(key, payload, request)
	if err != nil {
		t.Fatal(err)
	}
	return armour
}

// opened opens evidence as the command does: under the root, and with every key that
// the layout names.
func opened(t testing.TB, l *Layout, pieces ...[]byte) (all []*attestation.Verified, refused []verdict.Evidence) {
	t.Helper()
	for i, data := range pieces {
		found, failed := attestation.Candidates(fmt.Sprintf("evidence-%d", i), data)
		for _, r := range failed {
			reason := r.Finding()
			refused = append(refused, verdict.Evidence{Source: r.Source, Reason: &reason})
		}
		for _, c := range found {
			if v, err := attestation.Open(c, placeOf(t, "sigstore").root); err == nil {
				all = append(all, v)
			}
			for _, demand := range l.Keys() {
				if v, err := attestation.OpenWithKey(c, demand.Key, nil); err == nil {
					all = append(all, v)
				}
			}
		}
	}
	return all, refused
}

// byHand is the layout of people who sign with keys, and of a builder.
func byHand(t testing.TB, functionaries, principals, types string, threshold int, more ...string) string {
	t.Helper()
	text := inline(t, fromBuild, writeStep("author", rules(), rules(requireRepo, allowRepo), append([]string{
		fmt.Sprintf("{anyOf: [%s], functionaries: [%s], threshold: %d}", types, principals, threshold)}, more...)...), buildStep())
	return strings.Replace(text, "principals:\n", functionaries+"principals:\n", 1)
}

func typesOf(uris ...string) string {
	items := make([]string, len(uris))
	for i, uri := range uris {
		items[i] = fmt.Sprintf("{predicateType: %q}", uri)
	}
	return strings.Join(items, ", ")
}

// everyWord are the types by which an author speaks.
func everyWord() string {
	return typesOf(attestation.GitCommitPredicate, attestation.GitTagPredicate, LinkV03, AuthorizationV02)
}

func sshFunctionary(t testing.TB, name string, more ...string) string {
	t.Helper()
	return fmt.Sprintf("  %s: {keyType: ssh, scheme: sshsig, keyVal: {public: %q}%s}\n", name, sshLine(t, hand(t, name)), strings.Join(append([]string{""}, more...), ", "))
}

// bench is a commit that is signed, and what is built from it.
type bench struct {
	raw   []byte
	id    string
	build []byte // the builder's provenance of the app, as a bundle
}

func newBench(t testing.TB, raw []byte, claims run) bench {
	t.Helper()
	b := bench{raw: raw, id: idOf(t, raw)}
	claims.SHA = b.id
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: attestationtest.Workflow(claims), Payload: provenanceOf(claims, []subject{file("app", app)})})
	if err != nil {
		t.Fatal(err)
	}
	b.build = bundle.JSON
	return b
}

func (b bench) tag(t testing.TB, name string, key crypto.Signer) []byte {
	t.Helper()
	tag := attestationtest.GitTag{Object: b.id, Name: name, Message: "release\n"}
	return tag.Signed(signSSH(t, key, tag.Raw(), attestationtest.SSHRequest{}))
}

func (b bench) link(t testing.TB, who string) []byte {
	t.Helper()
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: person(who).id, Payload: commitLink("author", repo, b.id)})
	if err != nil {
		t.Fatal(err)
	}
	return bundle.JSON
}

// idOf opens nothing: it hashes.
func idOf(t testing.TB, raw []byte) string {
	t.Helper()
	s, err := gitobject.Split(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// judge checks the app against a layout with this evidence.
func judgeApp(t testing.TB, layout string, pieces ...[]byte) verdict.Verdict {
	t.Helper()
	l := mustParse(t, layout)
	in := Input{Layout: l, Artifact: thing("app", app), Now: now()}
	in.Verified, in.Refused = opened(t, l, pieces...)
	return Check(in)
}

// TestAuthorsTogether counts people over one commit, in whatever way each of them
// signed: a commit's signature, a tag of it, a link over it.
func TestAuthorsTogether(t *testing.T) {
	t.Parallel()
	erin, frank := hand(t, "erin"), hand(t, "frank")
	b := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	other := attestationtest.GitCommit{Tree: treeA, Message: "another\n"}
	functionaries := sshFunctionary(t, "erin") + sshFunctionary(t, "frank")
	tagged := newBench(t, b.raw, run{Ref: "refs/tags/v1.0.0"})
	mistagged := newBench(t, b.raw, run{Ref: "refs/tags/v2.0.0"})
	erinTwice := "  erin-pem: {keyType: ed25519, keyVal: {public: " + strconv.Quote(spki(t, erin)) + "}}\n"
	for _, c := range []struct {
		name      string
		threshold int
		who       string
		pieces    [][]byte
		want      verdict.ID
	}{
		{"the commit's own signature", 1, "erin", [][]byte{b.raw, b.build}, ""},
		{"a tag of it", 1, "frank", [][]byte{b.tag(t, "v1.0.0", frank), b.build}, ""},
		{"a commit and a tag", 2, "erin, frank", [][]byte{b.raw, b.tag(t, "v1.0.0", frank), b.build}, ""},
		{"a commit and a link", 2, "erin, alice", [][]byte{b.raw, b.link(t, "alice"), b.build}, ""},
		{"a commit, a tag and a link", 3, "erin, frank, alice", [][]byte{b.raw, b.tag(t, "v1.0.0", frank), b.link(t, "alice"), b.build}, ""},
		{"two tags of two names", 2, "erin, frank", [][]byte{b.tag(t, "v1.0.0", frank), b.tag(t, "v1.0.1", erin), b.build}, verdict.StatementsDisagree},
		{"a third tag harms nobody", 2, "erin, frank, alice", [][]byte{b.tag(t, "v9", frank), b.raw, b.link(t, "alice"), b.build}, ""},
		{"one person in two ways", 2, "erin, frank", [][]byte{b.raw, b.tag(t, "v1.0.0", erin), b.build}, verdict.ThresholdNotMet},
		{"a stranger's commit", 1, "frank", [][]byte{b.raw, b.build}, verdict.NotFunctionary},
		{"another commit", 1, "erin", [][]byte{other.Signed(signSSH(t, erin, other.Raw(), attestationtest.SSHRequest{})), b.build}, verdict.CommitNotJoined},
		{"built from refs/tags/v1.0.0", 1, "frank", [][]byte{b.tag(t, "v1.0.0", frank), tagged.build}, ""},
		{"built from refs/tags/v2.0.0", 1, "frank", [][]byte{b.tag(t, "v1.0.0", frank), mistagged.build}, verdict.TagNameDiffers},
		{"built from refs/tags/v2.0.0, with the commit", 2, "erin, frank", [][]byte{b.raw, b.tag(t, "v1.0.0", frank), mistagged.build}, verdict.TagNameDiffers},
		{"nobody", 1, "erin", [][]byte{b.build}, verdict.ThresholdNotMet},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			layout := byHand(t, functionaries, c.who, everyWord(), c.threshold)
			if ref, ok := strings.CutPrefix(c.name, "built from refs/tags/"); ok {
				ref, _, _ = strings.Cut(ref, ",")
				layout = strings.Replace(layout, "release.yml@refs/heads/main", "release.yml@refs/tags/"+ref, 1)
			}
			v := judgeApp(t, layout, c.pieces...)
			expect(t, v, c.want)
			if c.want == "" && !strings.Contains(strings.Join(v.Notes, "\n"), "names no repository; it counts for git+https://"+repo) {
				t.Errorf("the notes do not say that a signature names no repository: %q", v.Notes)
			}
		})
	}
	if _, findings := Parse("x.yml", []byte(byHand(t, functionaries+erinTwice, "erin, erin-pem", everyWord(), 2)), now()); !hasFinding(findings, verdict.SharedKey) {
		t.Errorf("one key in two forms under two names: %v", findings)
	}
}

// TestNameless takes the name from what the step requires, and from nothing else.
func TestNameless(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	b := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	layout := byHand(t, sshFunctionary(t, "erin"), "erin", everyWord(), 1)
	expect(t, judgeApp(t, layout, b.raw, b.build), "")
	two := strings.Replace(layout, strconv.Quote(requireRepo), strconv.Quote(requireRepo)+"\n      - \"REQUIRE git+https://github.com/acme/other\"", 1)
	expect(t, judgeApp(t, two, b.raw, b.build), verdict.RepositoryNotNamed)
	// The commit alone, as verify gitCommit:ID --step author has it.
	l := mustParse(t, layout)
	in := Input{Layout: l, Artifact: commitThing(b.id), Now: now(), Step: "author"}
	in.Verified, _ = opened(t, l, b.raw)
	expect(t, Check(in), "")
	in.Artifact = commitThing(commitB)
	expect(t, Check(in), verdict.NotSubject)
}

// TestAuthorsSignatureOnly refuses what speaks of a signature without being one.
func TestAuthorsSignatureOnly(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	b := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	about := attestationtest.Statement([]subject{{Name: "x", Digest: map[string]string{"gitCommit": b.id}}}, attestation.GitCommitPredicate, map[string]any{"source": map[string]any{}})
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: alice().id, Payload: about})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, judgeApp(t, byHand(t, "", "alice", everyWord(), 1), bundle.JSON, b.build), verdict.NotAuthorsSignature)

	// A source VSA is none either: not beside an author's types, and not where they are asked for.
	mixed := byHand(t, "", "alice", typesOf(attestation.GitCommitPredicate, vsa.V1), 1)
	if _, findings := Parse("x.yml", []byte(mixed), now()); !hasFinding(findings, verdict.NotAuthorsSignature) {
		t.Errorf("a layout takes a summary for an author's word: %v", findings)
	}
	summary := attestationtest.Statement([]subject{{Name: "x", Digest: map[string]string{"gitCommit": b.id}}}, vsa.V1, map[string]any{"verificationResult": "PASSED"})
	if bundle, err = placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: alice().id, Payload: summary}); err != nil {
		t.Fatal(err)
	}
	expect(t, judgeApp(t, byHand(t, "", "alice", everyWord(), 1), bundle.JSON, b.build), verdict.NotAuthorsSignature)
}

// TestGittuf takes an approval of a tree and a ref, by whom it is signed, for a step
// whose builder names the tree.
func TestGittuf(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	raw := theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{}))
	id := idOf(t, raw)
	claims := run{SHA: id}
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: attestationtest.Workflow(claims), Payload: provenanceOf(claims, []subject{file("app", app)})})
	if err != nil {
		t.Fatal(err)
	}
	envelope := func(predicateType, digest, target string, predicate map[string]any) []byte {
		const kind = "application/vnd.gittuf+json"
		statement := attestationtest.Statement([]subject{{Name: "_", Digest: map[string]string{digest: target}}}, predicateType, predicate)
		statement = []byte(strings.Replace(string(statement), `"_type"`, `"type"`, 1))
		return fmt.Appendf(nil, `{"payloadType":%q,"payload":%q,"signatures":[{"keyid":"","sig":%q}]}`, kind, base64Of(statement), base64Of(ed25519.Sign(erin, dsse.PAE(kind, statement))))
	}
	zero := strings.Repeat("0", 40)
	v2 := func(ref, target string) map[string]any {
		return map[string]any{"targetRef": ref, "fromID": zero, "targetID": target}
	}
	for _, c := range []struct {
		name, types string
		piece       []byte
		want        verdict.ID
	}{
		{"a tag of the commit", AuthorizationV02, envelope(AuthorizationV02, "gitCommit", id, v2("refs/tags/v1", id)), ""},
		{"another target than its subject", AuthorizationV02, envelope(AuthorizationV02, "gitCommit", id, v2("refs/tags/v1", commitB)), verdict.PredicateMalformed},
		{"no ref", AuthorizationV02, envelope(AuthorizationV02, "gitCommit", id, v2("", id)), verdict.PredicateMalformed},
		{"a tree, which no commit is", AuthorizationV02, envelope(AuthorizationV02, "gitTree", treeA, v2("refs/heads/main", treeA)), verdict.CommitNotJoined},
		{"v0.1 of a commit", AuthorizationV01, envelope(AuthorizationV01, "gitCommit", id, map[string]any{"targetRef": "refs/heads/main", "fromRevisionID": zero, "targetTreeID": id}), verdict.PredicateMalformed},
		{"an approval by nobody", ApprovalV01, envelope(ApprovalV01, "gitTree", treeA, map[string]any{"targetRef": "refs/heads/main", "targetTreeID": treeA, "approvers": []any{}, "dismissedApprovers": []any{"x"}}), verdict.NotAuthorsSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			expect(t, judgeApp(t, byHand(t, sshFunctionary(t, "erin"), "erin", typesOf(c.types), 1), c.piece, bundle.JSON), c.want)
		})
	}
}

// TestInTime holds signers to the time in which they count, by proven time only.
func TestInTime(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	byErin := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	gitsign, err := placeOf(t, "sigstore").Gitsign(attestationtest.GitsignRequest{Payload: theCommit().Raw(), As: attestationtest.Person("frank@example.com", github), Entry: true})
	if err != nil {
		t.Fatal(err)
	}
	byFrank := newBench(t, theCommit().Signed(gitsign), run{})
	frank := func(more string) string {
		return fmt.Sprintf("  frank-oidc: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: frank@example.com}%s}\n", github, more)
	}
	for _, c := range []struct {
		name, functionary, who string
		bench                  bench
		want                   verdict.ID
	}{
		{"gitsign, for ever", frank(""), "frank-oidc", byFrank, ""},
		{"gitsign, in its window", frank(", validity: {start: 2026-01-01T00:00:00Z, end: 2026-02-01T00:00:00Z}"), "frank-oidc", byFrank, ""},
		{"gitsign, before its start", frank(", validity: {start: 2026-01-16T00:00:00Z}"), "frank-oidc", byFrank, verdict.KeyNotValid},
		{"gitsign, after its end", frank(", validity: {end: 2026-01-10T00:00:00Z}"), "frank-oidc", byFrank, verdict.KeyNotValid},
		{"gitsign, distrusted later", frank(", distrustAfter: 2026-01-16T00:00:00Z"), "frank-oidc", byFrank, ""},
		{"gitsign, distrusted before", frank(", distrustAfter: 2026-01-10T00:00:00Z"), "frank-oidc", byFrank, verdict.SignerDistrusted},
		{"SSH, for ever", sshFunctionary(t, "erin"), "erin", byErin, ""},
		{"SSH, in a window", sshFunctionary(t, "erin", "validity: {start: 2026-01-01T00:00:00Z}"), "erin", byErin, verdict.NoProvenTime},
		{"SSH, distrusted later", sshFunctionary(t, "erin", "distrustAfter: 2026-12-01T00:00:00Z"), "erin", byErin, verdict.NoProvenTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := judgeApp(t, byHand(t, c.functionary, c.who, everyWord(), 1), c.bench.raw, c.bench.build)
			expect(t, v, c.want)
			if remedy := "signatus attest --commit " + c.bench.id; c.want == verdict.NoProvenTime && !strings.Contains(v.Findings[0].Next, remedy) {
				t.Errorf("the next step is %q", v.Findings[0].Next)
			}
		})
	}
	// A statement that is logged and names the commit lends the commit's own signature no
	// time; it counts by itself, where its signer may.
	window := sshFunctionary(t, "erin", "validity: {start: 2026-01-01T00:00:00Z}")
	expect(t, judgeApp(t, byHand(t, window, "erin", everyWord(), 1), byErin.raw, byErin.link(t, "alice"), byErin.build), verdict.NoProvenTime)
	expect(t, judgeApp(t, byHand(t, window, "erin, alice", everyWord(), 1), byErin.raw, byErin.link(t, "alice"), byErin.build), allow)
}

// TestKeyLife holds an OpenPGP key and an SSH certificate to their own life, against
// the present where nothing proves a time.
func TestKeyLife(t *testing.T) {
	t.Parallel()
	key, authority := hand(t, "carol"), hand(t, "authority")
	signed := func(edit func(*ssh.Certificate), principals ...string) bench {
		certificate, err := attestationtest.SSHCertificate(authority, key.Public(), principals, edit)
		if err != nil {
			t.Fatal(err)
		}
		return newBench(t, theCommit().Signed(signSSH(t, key, theCommit().Raw(), attestationtest.SSHRequest{Certificate: certificate})), run{})
	}
	certifier := func(name, principal string) string {
		return fmt.Sprintf("  %s: {keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: %s}}\n", name, sshLine(t, authority), principal)
	}
	hour := uint64(3600)
	at := uint64(now().Unix())
	for _, c := range []struct {
		name  string
		bench bench
		want  verdict.ID
	}{
		{"for ever", signed(nil, "carol"), ""},
		{"one of two principals", signed(nil, "dave", "carol"), ""},
		{"now", signed(func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = at-hour, at+hour }, "carol"), ""},
		{"no more", signed(func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = at-2*hour, at-hour }, "carol"), verdict.KeyNotValid},
		{"not yet", signed(func(c *ssh.Certificate) { c.ValidAfter = at + hour }, "carol"), verdict.KeyNotValid},
		{"somebody else", signed(nil, "dave"), verdict.NotFunctionary},
	} {
		t.Run("certificate, "+c.name, func(t *testing.T) {
			t.Parallel()
			expect(t, judgeApp(t, byHand(t, certifier("carol-ca", "carol"), "carol-ca", everyWord(), 1), c.bench.raw, c.bench.build), c.want)
		})
	}
	// One key that is certified for two people is one person.
	both := certifier("carol-ca", "carol") + certifier("erin-ca", "erin")
	b := signed(nil, "carol")
	other, err := attestationtest.SSHCertificate(authority, key.Public(), []string{"erin"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tag := attestationtest.GitTag{Object: b.id, Name: "v1", Message: "x\n"}
	twice := tag.Signed(signSSH(t, key, tag.Raw(), attestationtest.SSHRequest{Certificate: other}))
	expect(t, judgeApp(t, byHand(t, both, "carol-ca, erin-ca", everyWord(), 2), b.raw, twice, b.build), verdict.ThresholdNotMet)

	made := now().Add(-48 * time.Hour)
	gpg, err := attestationtest.OpenPGPKey("Grace", made, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		seconds uint32
		want    verdict.ID
	}{"for ever": {0, ""}, "a signature of a day": {86400, verdict.KeyNotValid}, "a signature of a week": {7 * 86400, ""}} {
		config := attestationtest.OpenPGPConfig(made.Add(time.Hour))
		config.SigLifetimeSecs = c.seconds
		signature, err := attestationtest.SignOpenPGP(gpg, theCommit().Raw(), config) // one at a time: the key remembers
		if err != nil {
			t.Fatal(err)
		}
		functionary := gpgFunctionary(t, "grace", gpg)
		t.Run("OpenPGP, "+name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, theCommit().Signed(signature), run{})
			expect(t, judgeApp(t, byHand(t, functionary, "grace", everyWord(), 1), b.raw, b.build), c.want)
		})
	}
}

func gpgFunctionary(t testing.TB, name string, key *pgp.Entity) string {
	t.Helper()
	text, err := attestationtest.ArmourOpenPGPKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("  %s: {keyType: gpg, scheme: openpgp, keyVal: {public: %q}}\n", name, text)
}

// TestSharedKeys finds one key under two names, in whatever form each has it.
func TestSharedKeys(t *testing.T) {
	t.Parallel()
	erin, frank := hand(t, "erin"), hand(t, "frank")
	gpg, err := attestationtest.OpenPGPKey("Grace", now(), true)
	if err != nil {
		t.Fatal(err)
	}
	pem := func(name string, key crypto.Signer) string {
		return "  " + name + ": {keyType: ed25519, keyVal: {public: " + strconv.Quote(spki(t, key)) + "}}\n"
	}
	authority := func(name, principal string) string {
		return fmt.Sprintf("  %s: {keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: %s}}\n", name, sshLine(t, frank), principal)
	}
	for name, c := range map[string]struct {
		functionaries, who string
		shared             bool
	}{
		"SSH and PEM":                     {sshFunctionary(t, "erin") + pem("other", erin), "erin, other", true},
		"SSH and PEM of two keys":         {sshFunctionary(t, "erin") + pem("other", frank), "erin, other", false},
		"SSH twice":                       {sshFunctionary(t, "erin") + strings.Replace(sshFunctionary(t, "erin"), "erin:", "other:", 1), "erin, other", true},
		"OpenPGP twice":                   {gpgFunctionary(t, "grace", gpg) + gpgFunctionary(t, "other", gpg), "grace, other", true},
		"OpenPGP's subkey in PEM":         {gpgFunctionary(t, "grace", gpg) + pem("other", subkeyOf(t, gpg)), "grace, other", true},
		"an authority and two people":     {authority("carol-ca", "carol") + authority("dave-ca", "dave"), "carol-ca, dave-ca", false},
		"an authority and a person twice": {authority("carol-ca", "carol") + authority("again", "carol"), "carol-ca, again", true},
		"an authority that signs itself":  {authority("carol-ca", "carol") + sshFunctionary(t, "frank"), "carol-ca, frank", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, findings := Parse("x.yml", []byte(byHand(t, c.functionaries, c.who, everyWord(), 1)), now())
			if hasFinding(findings, verdict.SharedKey) != c.shared || !c.shared && len(findings) > 0 {
				t.Errorf("shared %t, expected %t: %v", !c.shared, c.shared, findings)
			}
		})
	}
}

// TestParseSigners breaks one thing of a functionary in each row.
func TestParseSigners(t *testing.T) {
	t.Parallel()
	line := sshLine(t, hand(t, "erin"))
	for name, c := range map[string]struct {
		functionary string
		want        verdict.ID
	}{
		"good":                     {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}}", ""},
		"a certified one":          {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: carol@example.com}}", ""},
		"another scheme":           {"{keyType: ssh, scheme: ssh-ed25519, keyVal: {public: %q}}", verdict.LayoutMalformed},
		"no scheme":                {"{keyType: ssh, keyVal: {public: %q}}", verdict.LayoutMalformed},
		"an SSH key as gpg":        {"{keyType: gpg, scheme: openpgp, keyVal: {public: %q}}", verdict.FunctionaryInvalid},
		"an SSH key as ed25519":    {"{keyType: ed25519, keyVal: {public: %q}}", verdict.FunctionaryInvalid},
		"a root for gpg":           {"{keyType: gpg, scheme: openpgp, keyVal: {root: sigstore, public: %q}}", verdict.LayoutMalformed},
		"an authority for nobody":  {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %q}}", verdict.LayoutMalformed},
		"a principal of nobody":    {"{keyType: ssh, scheme: sshsig, keyVal: {principal: carol}} # %q", verdict.LayoutMalformed},
		"an authority and a key":   {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %[1]q, principal: carol, public: %[1]q}}", verdict.LayoutMalformed},
		"a pattern as principal":   {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: \"*@example.com\"}}", verdict.GlobMalformed},
		"a window that is empty":   {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}, validity: {start: 2027-01-01T00:00:00Z, end: 2026-01-01T00:00:00Z}}", verdict.LayoutMalformed},
		"a window of nothing":      {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}, validity: {}}", verdict.LayoutMalformed},
		"a distrust without a day": {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}, distrustAfter: \"\"}", verdict.LayoutMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := byHand(t, "  somebody: "+fmt.Sprintf(c.functionary, line)+"\n", "alice", everyWord(), 1)
			_, findings := Parse("x.yml", []byte(text), now())
			if c.want == "" && len(findings) > 0 || c.want != "" && !hasFinding(findings, c.want) {
				t.Errorf("got %v, expected %q", findings, c.want)
			}
		})
	}
}

// TestTagName holds a signed tag to the name under which it was served.
func TestTagName(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	b := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	tag := b.tag(t, "v1.0.0", erin)
	key, err := attestation.ParseKey([]byte(sshLine(t, erin)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Simple(SimpleOptions{Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		piece  []byte
		inHand artifact.DigestSet
		served string
		want   verdict.ID
	}{
		"the tag":               {tag, artifact.DigestSet{artifact.GitTag: idOf(t, tag)}, "v1.0.0", ""},
		"no name asked":         {tag, artifact.DigestSet{artifact.GitTag: idOf(t, tag)}, "", ""},
		"another name":          {tag, artifact.DigestSet{artifact.GitTag: idOf(t, tag)}, "v2.0.0", verdict.TagNameDiffers},
		"a commit as a tag":     {b.raw, artifact.DigestSet{artifact.GitCommit: b.id}, "v1.0.0", verdict.TagNameDiffers},
		"the tag of the commit": {tag, artifact.DigestSet{artifact.GitCommit: b.id}, "v1.0.0", ""},
		"another tag object":    {tag, artifact.DigestSet{artifact.GitTag: commitB}, "v1.0.0", verdict.NotSubject},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := Input{Layout: l, Artifact: artifact.Artifact{Given: name, Digest: c.inHand}, Now: now(), TagName: c.served}
			in.Verified, _ = opened(t, l, c.piece)
			expect(t, Check(in), c.want)
		})
	}
}

// TestMisnamedObject has the very id of a commit or a tag given for the other's.
func TestMisnamedObject(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	b := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	tag := b.tag(t, "v1.0.0", erin)
	key, err := attestation.ParseKey([]byte(sshLine(t, erin)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Simple(SimpleOptions{Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		piece       []byte
		alg         artifact.Algorithm
		id          string
		found, next string
	}{
		"a commit's for a tag's":  {b.raw, artifact.GitTag, b.id, "is the id of a commit, and not of a tag", "gitCommit:" + b.id},
		"a commit's for a tree's": {b.raw, artifact.GitTree, b.id, "is the id of a commit, and not of a tree", "gitCommit:" + b.id},
		"a tag's for a commit's":  {tag, artifact.GitCommit, idOf(t, tag), "is the id of a tag, and not of a commit", "gitTag:" + idOf(t, tag)},
		"another's":               {tag, artifact.GitCommit, commitB, "it speaks of", "check the id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := Input{Layout: l, Artifact: artifact.Artifact{Given: name, Digest: artifact.DigestSet{c.alg: c.id}}, Now: now()}
			in.Verified, _ = opened(t, l, c.piece)
			v := Check(in)
			expect(t, v, verdict.NotSubject)
			if f := v.Findings[0]; !strings.Contains(f.Found, c.found) || !strings.Contains(f.Next, c.next) {
				t.Errorf("it says %q, next %q", f.Found, f.Next)
			}
		})
	}
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// subkeyOf is the subkey that signs for an OpenPGP key.
func subkeyOf(t testing.TB, key *pgp.Entity) crypto.Signer {
	t.Helper()
	private, ok := key.Subkeys[len(key.Subkeys)-1].PrivateKey.PrivateKey.(*eddsa.PrivateKey)
	if !ok {
		t.Fatal("the subkey is no Ed25519 key")
	}
	return ed25519.NewKeyFromSeed(private.D)
}

// TestOneKeyholder has one key in two hands, so to speak: as a subkey of grace's
// OpenPGP key, and certified for erin by an SSH authority. Whoever holds it is one
// person, whichever of the two is looked at first.
func TestOneKeyholder(t *testing.T) {
	t.Parallel()
	made := now().Add(-48 * time.Hour)
	grace, err := attestationtest.OpenPGPKey("Grace", made, true)
	if err != nil {
		t.Fatal(err)
	}
	config := attestationtest.OpenPGPConfig(made.Add(time.Hour))
	signature, err := attestationtest.SignOpenPGP(grace, theCommit().Raw(), config)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, theCommit().Signed(signature), run{})
	authority := hand(t, "authority")
	tag := attestationtest.GitTag{Object: b.id, Name: "v1", Message: "x\n"}
	tagged := func(key crypto.Signer) []byte {
		certificate, err := attestationtest.SSHCertificate(authority, key.Public(), []string{"erin"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return tag.Signed(signSSH(t, key, tag.Raw(), attestationtest.SSHRequest{Certificate: certificate}))
	}
	both := gpgFunctionary(t, "grace", grace) + fmt.Sprintf("  erin-ca: {keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: erin}}\n", sshLine(t, authority))
	layout := byHand(t, both, "grace, erin-ca", everyWord(), 2)
	same, other := tagged(subkeyOf(t, grace)), tagged(hand(t, "erin"))
	expect(t, judgeApp(t, layout, b.raw, other, b.build), allow)
	expect(t, judgeApp(t, layout, b.raw, same, b.build), verdict.ThresholdNotMet)
	expect(t, judgeApp(t, layout, same, b.raw, b.build), verdict.ThresholdNotMet)
}
