package layout

import (
	"strconv"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

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

// TestTagName holds a signed tag to the name under which it was served.
func TestTagName(t *testing.T) {
	t.Parallel()
	b, tag, l := erinsTag(t)
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

// erinsTag is a commit of erin's, her tag of it, and the layout of whoever takes her key.
func erinsTag(t *testing.T) (b bench, tag []byte, l *Layout) {
	t.Helper()
	erin := hand(t, "erin")
	b = newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	tag = b.tag(t, "v1.0.0", erin)
	key, err := attestation.ParseKey([]byte(sshLine(t, erin)))
	if err != nil {
		t.Fatal(err)
	}
	l, err = Simple(SimpleOptions{Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return b, tag, l
}

// TestMisnamedObject has the very id of a commit or a tag given for the other's.
func TestMisnamedObject(t *testing.T) {
	t.Parallel()
	b, tag, l := erinsTag(t)
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
