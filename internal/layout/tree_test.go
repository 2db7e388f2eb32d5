package layout

import (
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const treeB = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"

// TestJoinByTree has the author attest commitB, which was squashed into commitA.
func TestJoinByTree(t *testing.T) {
	t.Parallel()
	plain := inline(t, fromBuild, authorStep(1, "alice"), buildStep())
	byTree := strings.Replace(plain, "  - name: build\n", "  - name: build\n    joinBy: tree\n", 1)
	link := func(commit, tree string) word {
		return alice().says(attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/main", ID: commit, Tree: tree}))
	}
	onlyTree := alice().says(linkOfTree(treeA))
	try := func(layout string, trees map[string]string, words ...word) trial {
		return trial{layout: layout, words: append(words, built(run{})), input: func(in *Input) { in.Trees = trees }}
	}
	both := map[string]string{commitA: treeA, commitB: treeA}
	judgeAll(t, []row{
		{"another commit of the same tree, as the author says", try(byTree, map[string]string{commitA: treeA}, link(commitB, treeA)), allow},
		{"another commit of the same tree, as the repository has it", try(byTree, both, link(commitB, "")), allow},
		{"a tree alone", try(byTree, map[string]string{commitA: treeA}, onlyTree), allow},
		{"the same commit, of which no repository knows", try(byTree, nil, link(commitA, "")), allow},

		{"without the word", try(plain, both, link(commitB, treeA)), verdict.CommitNotJoined},
		{"without the word, by a tree alone", try(plain, both, onlyTree), verdict.CommitNotJoined},
		{"another tree", try(byTree, map[string]string{commitA: treeA}, link(commitB, treeB)), verdict.TreeNotJoined},
		{"another tree, as the repository has it", try(byTree, map[string]string{commitA: treeA, commitB: treeB}, link(commitB, "")), verdict.TreeNotJoined},
		{"the builder's commit is not known", try(byTree, nil, link(commitB, treeA)), verdict.TreeUnknown},
		{"the author's commit is not known", try(byTree, map[string]string{commitA: treeA}, link(commitB, "")), verdict.TreeUnknown},
		{"the author says another tree than the commit has", try(byTree, map[string]string{commitA: treeA, commitB: treeB}, link(commitB, treeA)), verdict.TreeUnknown},
		{"a tree that the builder says of itself", trial{
			layout: byTree, input: func(in *Input) { in.Trees = nil },
			words: []word{link(commitB, treeA), built(run{}, set("buildDefinition/resolvedDependencies", []any{map[string]any{
				"uri": "git+https://" + repo, "digest": map[string]string{"gitCommit": commitA, "gitTree": treeA},
			}}))},
		}, verdict.TreeUnknown},
		{"a tree of another repository", trial{
			layout: byTree, input: func(in *Input) { in.Trees = both },
			words: []word{alice().says(commitLink("author", "github.com/acme/lib", commitB)), built(run{})},
		}, verdict.RuleRequire},
	})
}

func linkOfTree(tree string) []byte {
	return link("author", nil, []subject{{Name: "git+https://" + repo, Digest: map[string]string{"gitTree": tree}}})
}

// What is joined by tree is told: the commits differ.
func TestJoinByTreeIsTold(t *testing.T) {
	t.Parallel()
	layout := strings.Replace(inline(t, fromBuild, authorStep(1, "alice"), buildStep()), "  - name: build\n", "  - name: build\n    joinBy: tree\n", 1)
	told := func(commit string) string {
		v := trial{layout: layout, words: []word{authored(alice(), commit), built(run{})}, input: func(in *Input) {
			in.Trees = map[string]string{commitA: treeA, commitB: treeA}
		}}.judge(t)
		expect(t, v, allow)
		return strings.Join(v.Notes, "\n")
	}
	if notes := told(commitB); !strings.Contains(notes, "joinBy: tree: step build and step author are joined by the tree "+treeA) || !strings.Contains(notes, commitA) || !strings.Contains(notes, commitB) {
		t.Errorf("the notes are %q", notes)
	}
	if notes := told(commitA); strings.Contains(notes, "joinBy") {
		t.Errorf("one commit, and the notes are %q", notes)
	}
}

func TestJoinByLints(t *testing.T) {
	t.Parallel()
	for _, b := range []broken{
		{"another value", "    distinctFrom", "    joinBy: commit\n    distinctFrom", verdict.LayoutMalformed, "47:13"},
		{"a list", "    distinctFrom", "    joinBy: [tree]\n    distinctFrom", verdict.LayoutMalformed, "47:13"},
		{"on the authors alone, who then name no commit to join", "    expectedMaterials: [\"DISALLOW *\"]\n", "    joinBy: tree\n    expectedMaterials: [\"DISALLOW *\"]\n", verdict.LayoutMalformed, "34:5"},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.run(t)
		})
	}
	mustParse(t, strings.Replace(valid, "    distinctFrom", "    joinBy: tree\n    distinctFrom", 1))
}
