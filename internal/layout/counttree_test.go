package layout

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// authorises is gittuf's word on what a ref moves to, signed with an Ed25519 key.
func authorises(t testing.TB, key ed25519.PrivateKey, ref, digest, target string) []byte {
	t.Helper()
	const kind = attestationtest.GittufPayloadType
	statement := authorization(ref, digest, target)
	return fmt.Appendf(nil, `{"payloadType":%q,"payload":%q,"signatures":[{"keyid":"","sig":%q}]}`, kind, base64Of(statement), base64Of(ed25519.Sign(key, dsse.PAE(kind, statement))))
}

func authorization(ref, digest, target string) []byte {
	statement := attestationtest.Statement([]subject{{Name: "_", Digest: map[string]string{digest: target}}}, AuthorizationV02,
		map[string]any{"targetRef": ref, "fromID": strings.Repeat("0", 40), "targetID": target})
	return []byte(strings.Replace(string(statement), `"_type"`, `"type"`, 1))
}

// countsByTreeLayout has authors who are counted by tree, and a builder who is joined
// with them by it.
func countsByTreeLayout(t testing.TB, who string, threshold int) string {
	t.Helper()
	text := byHand(t, sshFunctionary(t, "erin")+sshFunctionary(t, "frank"), who, everyWord(), threshold)
	for _, step := range []string{"author", "build"} {
		text = strings.Replace(text, "  - name: "+step+"\n", "  - name: "+step+"\n    joinBy: tree\n", 1)
	}
	return text
}

// signedBySSH is a commit with somebody's signature.
func signedBySSH(t testing.TB, c attestationtest.GitCommit, key crypto.Signer) []byte {
	t.Helper()
	return c.Signed(signSSH(t, key, c.Raw(), attestationtest.SSHRequest{}))
}

// TestCountByTree counts, in one threshold, people who speak of one tree in different
// ways. erin signs a commit on a branch, frank authorises the tree as gittuf has it, and
// alice attests a commit; what is built is a squash of the branch.
func TestCountByTree(t *testing.T) {
	t.Parallel()
	erin, frank := hand(t, "erin"), hand(t, "frank")
	branch := signedBySSH(t, attestationtest.GitCommit{Tree: treeA, Message: "on the branch\n"}, erin)
	another := signedBySSH(t, attestationtest.GitCommit{Tree: treeB, Message: "on the branch\n"}, erin)
	built := newBuild(t, commitA)
	link := func(commit, tree string) []byte {
		bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: alice().id, Payload: attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/main", ID: commit, Tree: tree})})
		if err != nil {
			t.Fatal(err)
		}
		return bundle.JSON
	}
	main := "refs/heads/main"
	by := func(key ed25519.PrivateKey, ref, tree string) []byte { return authorises(t, key, ref, "gitTree", tree) }
	both, three := countsByTreeLayout(t, "erin, frank", 2), countsByTreeLayout(t, "erin, frank, alice", 3)
	aliceAndFrank := countsByTreeLayout(t, "alice, frank", 2)
	without := func(step string) string {
		return strings.Replace(both, "  - name: "+step+"\n    joinBy: tree\n", "  - name: "+step+"\n", 1)
	}
	denied := func(id string) string {
		return strings.Replace(both, "subjects:", "deny: [{digest: \""+id+"\", reason: withdrawn}]\nsubjects:", 1)
	}
	trees := map[string]string{commitA: treeA}
	with := func(commit, tree string) map[string]string {
		return map[string]string{commitA: treeA, commit: tree}
	}
	for _, c := range []struct {
		name, layout string
		trees        map[string]string
		pieces       [][]byte
		want         verdict.ID
	}{
		{"a commit's signature and an authorization", both, trees, [][]byte{branch, by(frank, main, treeA)}, allow},
		{"and a link over a third commit", three, trees, [][]byte{branch, by(frank, main, treeA), link(commitB, treeA)}, allow},
		{"a link that says its tree", aliceAndFrank, trees, [][]byte{link(commitB, treeA), by(frank, main, treeA)}, allow},
		{"a link whose commit was read", aliceAndFrank, with(commitB, treeA), [][]byte{link(commitB, ""), by(frank, main, treeA)}, allow},
		{"two authorizations of one tree", both, trees, [][]byte{by(erin, main, treeA), by(frank, main, treeA)}, allow},
		{"a stray one harms nobody", both, trees, [][]byte{branch, by(frank, main, treeA), by(frank, main, treeB), by(frank, "refs/heads/x", treeA)}, allow},

		{"without the word where they are counted", without("author"), trees, [][]byte{branch, by(frank, main, treeA)}, verdict.StatementsDisagree},
		{"an authorization of another tree", both, trees, [][]byte{branch, by(frank, main, treeB)}, verdict.StatementsDisagree},
		{"a commit of another tree", both, trees, [][]byte{another, by(frank, main, treeA)}, verdict.StatementsDisagree},
		{"a tree that nobody built", both, trees, [][]byte{another, by(frank, main, treeB)}, verdict.TreeNotJoined},
		{"the built commit's tree is not known", both, nil, [][]byte{branch, by(frank, main, treeA)}, verdict.TreeUnknown},
		{"for another ref", both, trees, [][]byte{branch, by(frank, "refs/heads/x", treeA)}, verdict.TagNameDiffers},
		{"for two refs", both, trees, [][]byte{by(erin, "refs/heads/x", treeA), by(frank, main, treeA)}, verdict.StatementsDisagree},
		{"one person in two ways", both, trees, [][]byte{branch, by(erin, main, treeA)}, verdict.ThresholdNotMet},
		{"one person, and a stranger", both, trees, [][]byte{branch, by(hand(t, "grace"), main, treeA)}, verdict.ThresholdNotMet},
		{"a link without a tree, whose commit nobody read", aliceAndFrank, trees, [][]byte{link(commitB, ""), by(frank, main, treeA)}, verdict.StatementsDisagree},
		{"a link that says another tree than its commit has", aliceAndFrank, with(commitB, treeB), [][]byte{link(commitB, treeA), by(frank, main, treeA)}, verdict.StatementsDisagree},
		{"the author's commit is denied", denied("gitCommit:" + idOf(t, branch)), trees, [][]byte{branch, by(frank, main, treeA)}, verdict.ThresholdNotMet},
		{"the tree is denied", denied("gitTree:" + treeA), trees, [][]byte{branch, by(frank, main, treeA)}, verdict.ArtifactDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := mustParse(t, c.layout)
			in := Input{Layout: l, Artifact: thing("app", app), Now: now(), Trees: c.trees}
			in.Verified, in.Refused = opened(t, l, append(c.pieces, built)...)
			v := Check(in)
			expect(t, v, c.want)
			told := strings.Contains(strings.Join(v.Notes, "\n"), "joinBy: tree: step author counts together what speaks of the tree "+treeA)
			if alike := c.name == "two authorizations of one tree"; told != (c.want == allow && !alike) {
				t.Errorf("the notes are %q", v.Notes)
			}
		})
	}
}

// A job speaks of the commit that its certificate proves, which is its material; so it
// is never counted by tree with authors, whatever tree it says or its commit has.
func TestCountByTreeOfJobs(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	branch := signedBySSH(t, attestationtest.GitCommit{Tree: treeA, Message: "on the branch\n"}, erin)
	layout := countsByTreeLayout(t, "erin, release", 2)
	job := workflow(run{SHA: commitB}).id
	word := func(payload []byte) []byte {
		bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: job, Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		return bundle.JSON
	}
	said := word(attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/main", ID: commitB, Tree: treeA}))
	elsewhere := word(attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/main", ID: commitA, Tree: treeA}))
	l := mustParse(t, layout)
	for _, c := range []struct {
		name  string
		piece []byte
		trees map[string]string
		want  verdict.ID
	}{
		{"its commit was read", said, map[string]string{commitB: treeA, commitA: treeA}, verdict.StatementsDisagree},
		{"its commit was not", said, map[string]string{commitA: treeA}, verdict.StatementsDisagree},
		{"its commit has another", said, map[string]string{commitB: treeB, commitA: treeA}, verdict.StatementsDisagree},
		{"another commit than its own", elsewhere, map[string]string{commitB: treeA, commitA: treeA}, verdict.StatementsDisagree},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := Input{Layout: l, Artifact: thing("app", app), Now: now(), Trees: c.trees}
			in.Verified, in.Refused = opened(t, l, branch, c.piece, newBuild(t, commitA))
			expect(t, Check(in), c.want)
		})
	}
}

// newBuild is the builder's provenance of the app from a commit.
func newBuild(t testing.TB, commit string) []byte {
	t.Helper()
	claims := run{SHA: commit}
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: attestationtest.Workflow(claims), Payload: provenanceOf(claims, []subject{file("app", app)})})
	if err != nil {
		t.Fatal(err)
	}
	return bundle.JSON
}

func TestCountByTreeLints(t *testing.T) {
	t.Parallel()
	good := countsByTreeLayout(t, "erin, frank", 2)
	mustParse(t, good)
	for name, text := range map[string]string{
		"one author has nobody to be counted with":   strings.Replace(good, "threshold: 2", "threshold: 1", 1),
		"the step that matches lacks the word":       strings.Replace(good, "  - name: build\n    joinBy: tree\n", "  - name: build\n", 1),
		"nothing is counted where nobody is authors": strings.Replace(good, typesOf(attestation.GitCommitPredicate, attestation.GitTagPredicate, LinkV03, AuthorizationV02), typesOf("https://slsa.dev/provenance/v1"), 1),
	} {
		if _, findings := Parse("x.yml", []byte(text), now()); text == good || !hasFinding(findings, verdict.LayoutMalformed) {
			t.Errorf("%s: %v", name, findings)
		}
	}
}
