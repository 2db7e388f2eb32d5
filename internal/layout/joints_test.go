package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestTreeOfOthers has bob say which tree alice's commit has, where she herself says
// none: his word alone must not join another commit in the name of both.
func TestTreeOfOthers(t *testing.T) {
	t.Parallel()
	layout := strings.Replace(inline(t, fromBuild, authorStep(2, "alice, bob, carol"), buildStep()), "  - name: build\n", "  - name: build\n    joinBy: tree\n", 1)
	link := func(by signer, tree string) word {
		return by.says(attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/main", ID: commitB, Tree: tree}))
	}
	try := func(trees map[string]string, words ...word) trial {
		return trial{layout: layout, words: append(words, built(run{})), input: func(in *Input) { in.Trees = trees }}
	}
	builders := map[string]string{commitA: treeA}
	both := map[string]string{commitA: treeA, commitB: treeA}
	judgeAll(t, []row{
		{"both say the tree", try(builders, link(alice(), treeA), link(bob(), treeA)), allow},
		{"both say it, and a third says none", try(builders, link(alice(), treeA), link(carol(), ""), link(bob(), treeA)), allow},
		{"one says it, and the commit has it", try(both, link(alice(), ""), link(bob(), treeA)), allow},

		{"one says it for both", try(builders, link(alice(), ""), link(bob(), treeA)), verdict.TreeUnknown},
		{"one says it for three", try(builders, link(alice(), ""), link(bob(), treeA), link(carol(), "")), verdict.TreeUnknown},
		{"one says it, and another another", try(builders, link(alice(), treeB), link(bob(), treeA)), verdict.StatementsDisagree},
	})
}

// TestDenyWithinSublayouts holds what a sublayout counts to the outer layout's deny
// list: also what its first step does not have for a material.
func TestDenyWithinSublayouts(t *testing.T) {
	t.Parallel()
	inner := inline(t, fromBuild, authorStep(1, "carol"), buildStep())
	outer := inline(t, `subjects: [{subject: ["*"], from: vendor}]`, writeStep("vendor", rules("ALLOW *"), rules("CREATE *"), expects(LayoutPredicate, 1, "bob")))
	words := []word{signsLayout(t, bob(), inner, file("app", app)), authored(carol(), commitA), built(run{})}
	denies := func(id string) string {
		return strings.Replace(outer, "subjects:", "deny: [{digest: \""+id+"\", reason: withdrawn}]\nsubjects:", 1)
	}
	judgeAll(t, []row{
		{"nothing is denied", trial{layout: outer, words: words}, allow},
		{"another commit is denied", trial{layout: denies("gitCommit:" + commitB), words: words}, allow},
		{"the commit that its builder built is denied", trial{layout: denies("gitCommit:" + commitA), words: words}, verdict.SublayoutRefused},
	})
}

// TestGitHashWithinSublayouts demands ids of SHA-256 also of what a sublayout counts.
func TestGitHashWithinSublayouts(t *testing.T) {
	t.Parallel()
	outer := inline(t, `subjects: [{subject: ["*"], from: vendor}]`, writeStep("vendor", rules("ALLOW *"), rules("CREATE *"), expects(LayoutPredicate, 1, "bob")))
	words := []word{signsLayout(t, bob(), vendorLayout(t), file("app", app)), built(run{}), carol().says(scan(file("app", app)))}
	given := strings.Replace(outer, "threshold: 1}", `threshold: 1, parameters: {source: "github.com/acme/app"}}`, 1)
	judgeAll(t, []row{
		{"any hash", trial{layout: given, words: words}, allow},
		{"SHA-256 alone", trial{layout: strings.Replace(given, "_type: layout\n", "_type: layout\ngitHash: sha256\n", 1), words: words}, verdict.SublayoutRefused},
	})
}

// TestTwoWordsOfOneSublayout signs a layout for two libraries that are made of two
// commits of one source: what both are made of cannot be said at once.
func TestTwoWordsOfOneSublayout(t *testing.T) {
	t.Parallel()
	inner := inline(t, `subjects: [{subject: ["*"], from: make}]`, writeStep("make", rules("ALLOW *"), rules("CREATE *"), expects(LinkV03, 1, "carol")))
	outer := inline(t, fromBuild,
		writeStep("vendor", rules(requireRepo, "ALLOW *"), rules("CREATE *"), expects(LayoutPredicate, 1, "bob")),
		writeStep("build", rules("MATCH lib* WITH PRODUCTS FROM vendor"), rules("CREATE *"), expects(LinkV03, 1, "alice")))
	makes := func(name, commit string) word {
		return carol().says(link("make", []subject{git(repo, commit)}, []subject{file(name, name)}))
	}
	sub := signsLayout(t, bob(), inner, file("lib1", "lib1"), file("lib2", "lib2"))
	uses := alice().says(link("build", []subject{file("lib2", "lib2")}, []subject{file("app", app)}))
	judgeAll(t, []row{
		{"of one commit", trial{layout: outer, words: []word{sub, uses, makes("lib1", commitA), makes("lib2", commitA)}}, allow},
		{"of two", trial{layout: outer, words: []word{sub, uses, makes("lib1", commitA), makes("lib2", commitB)}}, verdict.DescriptorConflict},
	})
}

// TestSublayoutOfManySubjects signs a layout for more subjects than are asked for,
// none of which is the artifact in hand.
func TestSublayoutOfManySubjects(t *testing.T) {
	t.Parallel()
	var many []subject
	for i := range maxSublayoutSubjects + 1 {
		many = append(many, file(fmt.Sprintf("lib-%d", i), fmt.Sprint(i)))
	}
	outer := inline(t, `subjects: [{subject: ["*"], from: build}]`,
		writeStep("vendor", rules("ALLOW *"), rules("CREATE *"), expects(LayoutPredicate, 1, "bob")),
		writeStep("build", rules("MATCH lib-* WITH PRODUCTS FROM vendor"), rules("CREATE *"), expects(LinkV03, 1, "alice")))
	words := []word{signsLayout(t, bob(), vendorLayout(t), many...), alice().says(link("build", many[:1], []subject{file("app", app)}))}
	expect(t, trial{layout: outer, words: words}.judge(t), verdict.SublayoutRefused)
}

// TestSublayoutOfAnotherFile builds the artifact from a fork, beside another file of
// the same statement that is built from the source that the outer layout requires.
func TestSublayoutOfAnotherFile(t *testing.T) {
	t.Parallel()
	inner := inline(t, `subjects: [{subject: ["*"], from: make}]`, writeStep("make", rules("ALLOW *"), rules("CREATE *"), expects(LinkV03, 1, "carol")))
	outer := inline(t, `subjects: [{subject: ["*"], from: vendor}]`, writeStep("vendor", rules(requireRepo, "ALLOW *"), rules("CREATE *"), expects(LayoutPredicate, 1, "bob")))
	makes := func(content, name, repository string) word {
		return carol().says(link("make", []subject{git(repository, commitA)}, []subject{file(name, content)}))
	}
	sub := signsLayout(t, bob(), inner, file("app", app), file("decoy", "d"))
	judgeAll(t, []row{
		{"built from the source", trial{layout: outer, words: []word{sub, makes(app, "app", repo)}}, allow},
		{"both built from the source", trial{layout: outer, words: []word{sub, makes(app, "app", repo), makes("d", "decoy", repo)}}, allow},
		{"built from a fork", trial{layout: outer, words: []word{sub, makes(app, "app", "github.com/mallory/app")}}, verdict.RuleRequire},
		{"built from a fork, and another file from the source", trial{layout: outer, words: []word{sub, makes(app, "app", "github.com/mallory/app"), makes("d", "decoy", repo)}}, verdict.RuleRequire},
	})
}

// TestSublayoutOfSeveralFiles has two files delivered by one statement, neither in
// hand: the source of one must not stand for that of the other.
func TestSublayoutOfSeveralFiles(t *testing.T) {
	t.Parallel()
	inner := inline(t, `subjects: [{subject: ["*"], from: make}]`, writeStep("make", rules("ALLOW *"), rules("CREATE *"), expects(LinkV03, 1, "carol")))
	outer := inline(t, fromBuild,
		writeStep("vendor", rules(requireRepo, "ALLOW *"), rules("CREATE *"), expects(LayoutPredicate, 1, "bob")),
		writeStep("build", rules("REQUIRE lib", "MATCH lib WITH PRODUCTS FROM vendor"), rules("CREATE *"), expects(LinkV03, 1, "alice")))
	makes := func(name, repository string) word {
		return carol().says(link("make", []subject{git(repository, commitA)}, []subject{file(name, name)}))
	}
	sub := signsLayout(t, bob(), inner, file("lib", "lib"), file("decoy", "decoy"))
	built := alice().says(link("build", []subject{file("lib", "lib")}, []subject{file("app", app)}))
	judgeAll(t, []row{
		{"both from the source", trial{layout: outer, words: []word{sub, built, makes("lib", repo), makes("decoy", repo)}}, allow},
		{"one of them was not made", trial{layout: outer, words: []word{sub, built, makes("lib", repo)}}, allow},
		{"the file from a fork", trial{layout: outer, words: []word{sub, built, makes("lib", "github.com/mallory/app")}}, verdict.RuleRequire},
		{"the file from a fork, the other from the source", trial{layout: outer, words: []word{sub, built, makes("lib", "github.com/mallory/app"), makes("decoy", repo)}}, verdict.DescriptorConflict},
	})
}

// TestDistinctWithinSublayouts counts somebody in a sublayout whom the outer layout
// wants to be another one.
func TestDistinctWithinSublayouts(t *testing.T) {
	t.Parallel()
	outer := func(reviewer string) string {
		return outerLayout(t, writeStep("review", rules("MATCH * WITH PRODUCTS FROM vendor"), nil, expects(scanType, 1, reviewer))+"    distinctFrom: [vendor]\n")
	}
	words := []word{
		authored(alice(), commitA), signsLayout(t, bob(), vendorLayout(t), file("app", app)), built(run{}),
		carol().says(scan(file("app", app))), alice().says(scan(file("app", app))), bob().says(scan(file("app", app))),
	}
	judgeAll(t, []row{
		{"somebody else reviews", trial{layout: outer("alice"), words: words}, allow},
		{"who signed the sublayout reviews", trial{layout: outer("bob"), words: words}, verdict.NotDistinct},
		{"who is counted within reviews", trial{layout: outer("carol"), words: words}, verdict.NotDistinct},
		{"who is counted within and somebody else review", trial{layout: outer("carol, alice"), words: words}, allow},
	})
}
