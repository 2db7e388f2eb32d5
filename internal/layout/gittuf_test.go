package layout

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// approved is the predicate of gittuf's app: who has approved that main becomes a tree.
func approved(tree string, approvers ...string) map[string]any {
	return map[string]any{
		"targetRef": "refs/heads/main", "fromRevisionID": strings.Repeat("0", 40), "targetTreeID": tree,
		"approvers": append([]string{}, approvers...), "dismissedApprovers": []string{},
	}
}

// TestGittufByTree joins gittuf's evidence with a build by its tree: the authorizations of
// two versions, and an app's approval, which is the word of the app and of nobody else.
func TestGittufByTree(t *testing.T) {
	t.Parallel()
	erin, frank := hand(t, "erin"), hand(t, "frank")
	signed := func(predicateType, tree string, predicate map[string]any) []byte {
		const kind = attestationtest.GittufPayloadType
		statement := attestationtest.Statement([]subject{{Digest: map[string]string{"gitTree": tree}}}, predicateType, predicate)
		statement = []byte(strings.Replace(string(statement), `"_type"`, `"type"`, 1))
		armour := signSSH(t, frank, dsse.PAE(kind, statement), attestationtest.SSHRequest{})
		return fmt.Appendf(nil, `{"payloadType":%q,"payload":%q,"signatures":[{"keyid":"","sig":%q}]}`, kind, base64Of(statement), base64Of(armour))
	}
	v1 := map[string]any{"targetRef": "refs/heads/main", "fromRevisionID": strings.Repeat("0", 40), "targetTreeID": treeA}
	branch := signedBySSH(t, attestationtest.GitCommit{Tree: treeA, Message: "on the branch\n"}, erin)
	keys := sshFunctionary(t, "erin") + sshFunctionary(t, "frank")
	layout := func(types, who string, threshold int, more ...string) string {
		text := strings.Replace(byHand(t, keys, who, types, threshold), "  - name: build\n", "  - name: build\n    joinBy: tree\n", 1)
		if threshold > 1 {
			text = strings.Replace(text, "  - name: author\n", "  - name: author\n    joinBy: tree\n", 1)
		}
		for _, m := range more {
			text = strings.Replace(text, fmt.Sprintf("threshold: %d}", threshold), fmt.Sprintf("threshold: %d, %s}", threshold, m), 1)
		}
		return text
	}
	approval, both := typesOf(ApprovalV01), everyWord()+", "+typesOf(ApprovalV01)
	const twoLooked = `expectedAttributes: [{rule: "size(predicate.approvers) >= 2"}]`
	byTwo, byOne := signed(ApprovalV01, treeA, approved(treeA, "bob::1002", "carol::1003")), signed(ApprovalV01, treeA, approved(treeA, "bob::1002"))
	for _, c := range []struct {
		name, layout string
		pieces       [][]byte
		want         verdict.ID
	}{
		{"an authorization of v0.1", layout(typesOf(AuthorizationV01), "frank", 1), [][]byte{signed(AuthorizationV01, treeA, v1)}, allow},
		{"an app's approval", layout(approval, "frank", 1), [][]byte{byOne}, allow},
		{"an approval beside a signed commit", layout(both, "erin, frank", 2), [][]byte{branch, byOne}, allow},
		{"an approval by two, as a rule demands", layout(approval, "frank", 1, twoLooked), [][]byte{byTwo}, allow},

		{"an approval by one, where a rule demands two", layout(approval, "frank", 1, twoLooked), [][]byte{byOne}, verdict.AttributeFalse},
		{"an approval by two is one app's word", layout(approval, "erin, frank", 2), [][]byte{byTwo}, verdict.ThresholdNotMet},
		{"two approvals by one app are one app's", layout(approval, "erin, frank", 2), [][]byte{byTwo, byOne}, verdict.ThresholdNotMet},
		{"an approval by nobody", layout(approval, "frank", 1), [][]byte{signed(ApprovalV01, treeA, approved(treeA))}, verdict.NotAuthorsSignature},
		{"an approval of another tree", layout(approval, "frank", 1), [][]byte{signed(ApprovalV01, treeB, approved(treeB, "bob::1002"))}, verdict.TreeNotJoined},
		{"another tree than its subject", layout(approval, "frank", 1), [][]byte{signed(ApprovalV01, treeA, approved(treeB, "bob::1002"))}, verdict.PredicateMalformed},
		{"the app is not asked for", layout(approval, "erin", 1), [][]byte{byTwo}, verdict.NotFunctionary},
		{"no approval is asked for", layout(everyWord(), "frank", 1), [][]byte{byTwo}, verdict.ThresholdNotMet},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := mustParse(t, c.layout)
			in := Input{Layout: l, Artifact: thing("app", app), Now: now(), Trees: map[string]string{commitA: treeA}}
			in.Verified, in.Refused = opened(t, l, append(c.pieces, newBuild(t, commitA))...)
			expect(t, Check(in), c.want)
		})
	}
	for _, word := range []string{"countBy: approvers", "countBy: predicate.approvers"} {
		text := strings.Replace(layout(approval, "frank", 1), "threshold: 1}", "threshold: 1, "+word+"}", 1)
		if _, findings := Parse("x.yml", []byte(text), now()); !hasFinding(findings, verdict.NotSupportedYet) {
			t.Errorf("%s: %v", word, findings)
		}
	}
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
