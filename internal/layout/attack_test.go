package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// attack changes one thing of a world that is allowed: alice's word on commitA
// and release.yml's provenance of the app, under author-and-builder.yml.
type attack struct {
	name   string
	change func(*trial)
	want   verdict.ID // the finding; empty where the attack must not harm
	reason verdict.ID // why the candidate that was added or changed does not count
}

const authorWord, buildWord = 0, 1

// builds replaces the builder's statement.
func builds(w word) func(*trial) { return func(tr *trial) { tr.words[buildWord] = w } }

// writes replaces the author's statement.
func writes(w word) func(*trial) { return func(tr *trial) { tr.words[authorWord] = w } }

// lies replaces one value of the builder's predicate; the certificate is as before.
func lies(path string, value any) func(*trial) { return builds(built(run{}, set(path, value))) }

// adds hands one more statement.
func adds(words ...word) func(*trial) {
	return func(tr *trial) { tr.words = append(tr.words, words...) }
}

// gives changes a parameter.
func gives(name, value string) func(*trial) { return func(tr *trial) { tr.params[name] = value } }

// dependencies is a resolvedDependencies of one entry.
func dependencies(uri string, digest map[string]string) []any {
	return []any{map[string]any{"uri": uri, "digest": digest}}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	const source = "git+https://github.com/acme/app@refs/heads/main"
	ofCommit := func(commit string) map[string]string { return map[string]string{"gitCommit": commit} }
	const definition, details = "buildDefinition/", "runDetails/"
	const flow = definition + "externalParameters/workflow/"
	descriptor := func(name, uri, commit string) []byte {
		return link("author", nil, []subject{{Name: name, URI: uri, Digest: ofCommit(commit)}})
	}
	rows := []attack{
		{name: "nothing is changed", change: func(*trial) {}},

		// A good old statement and an evil new one do not add up.
		{"an evil binary of an unapproved commit beside the good release", func(tr *trial) {
			tr.words = append(tr.words, builtOf(run{SHA: commitB}, evil))
			tr.input = func(in *Input) { in.Artifact = thing("app", evil) }
		}, verdict.CommitNotJoined, ""},
		{"an evil binary, and the approved commit's provenance of another file", func(tr *trial) {
			tr.input = func(in *Input) { in.Artifact = thing("app", evil) }
		}, verdict.NotSubject, verdict.NotSubject},
		{"the approved commit's statement by another workflow", builds(built(run{Workflow: ".github/workflows/ci.yml"})), verdict.NotFunctionary, verdict.NotFunctionary},

		// Stray statements do not harm.
		{"a stranger's word beside a good release", adds(authored(mallory(), commitA).from("stray.json")), "", verdict.NotFunctionary},
		{"a build of another commit beside it", adds(built(run{SHA: commitB}).from("stray.json")), "", verdict.OutsideAssignment},
		{"a build of another file beside it", adds(builtOf(run{}, evil).from("stray.json")), "", verdict.NotSubject},
		{"a contradicting provenance beside it", adds(built(run{}, set(details+"builder/id", "https://evil")).from("stray.json")), "", verdict.ContradictsCert},
		{"a predicate that nobody asks for beside it", adds(alice().says(scan(file("app", app))).from("stray.json")), "", verdict.UnexpectedPredicate},
		{"a word of the other root beside it", adds(elsewhere(authored(alice(), commitA)).from("stray.json")), "", verdict.WrongRoot},
		{"a malformed predicate beside it", adds(workflow(run{}).says(attestationtest.Statement([]subject{file("app", app)}, provenance.V1, map[string]any{"buildDefinition": 7})).from("stray.json")), "", verdict.PredicateMalformed},

		// The certificate is the witness.
		{"another builder id", lies(details+"builder/id", "https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/tags/v1"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another commit of the repository", lies(definition+"resolvedDependencies", dependencies(source, ofCommit(commitB))), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another commit, as sha1", lies(definition+"resolvedDependencies", dependencies(source, map[string]string{"sha1": commitB})), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another commit, in another spelling of the repository", lies(definition+"resolvedDependencies", dependencies("git@github.com:acme/app.git", ofCommit(commitB))), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another ref of the repository", lies(definition+"resolvedDependencies", dependencies("git+https://github.com/acme/app@refs/heads/dev", ofCommit(commitA))), verdict.ContradictsCert, verdict.ContradictsCert},
		{"the right ref and another one beside it", lies(definition+"resolvedDependencies", append(dependencies(source, ofCommit(commitA)), dependencies("git+https://github.com/acme/app@refs/heads/dev", ofCommit(commitA))...)), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another workflow ref", lies(flow+"ref", "refs/heads/dev"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another workflow", lies(flow+"path", ".github/workflows/ci.yml"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another workflow, without its folder", lies(flow+"path", "ci.yml"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another repository", lies(flow+"repository", "https://github.com/acme/lib"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another trigger", lies(definition+"internalParameters/github/event_name", "workflow_dispatch"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another trigger, as flat variable", lies(definition+"internalParameters", map[string]any{"GITHUB_EVENT_NAME": "workflow_dispatch"}), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another run", lies(details+"metadata/invocationId", "https://github.com/acme/app/actions/runs/1/attempts/1"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another attempt", lies(details+"metadata/invocationId", "https://github.com/acme/app/actions/runs/8373487125/attempts/2"), verdict.ContradictsCert, verdict.ContradictsCert},
		{"another commit as the source parameter", lies(definition+"externalParameters/source", map[string]any{"uri": source, "digest": ofCommit(commitB)}), verdict.ContradictsCert, verdict.ContradictsCert},

		// What the certificate does not know is asserted, and joins nothing.
		{"no dependencies: the certificate's commit is used", lies(definition+"resolvedDependencies", []any{}), "", ""},
		{"no dependencies, and a commit that nobody approved", builds(built(run{SHA: commitB}, set(definition+"resolvedDependencies", []any{}))), verdict.CommitNotJoined, ""},
		{"only another repository", lies(definition+"resolvedDependencies", dependencies("git+https://github.com/acme/lib", ofCommit(commitA))), verdict.RuleDisallow, ""},
		{"the owner in other letters", lies(definition+"resolvedDependencies", dependencies("git+https://github.com/Acme/app", ofCommit(commitA))), verdict.RuleDisallow, ""},
		{"the repository without a digest", lies(definition+"resolvedDependencies", dependencies(source, map[string]string{})), "", ""},
		{"another repository without a digest", lies(definition+"resolvedDependencies", dependencies("git+https://github.com/acme/lib", nil)), verdict.RuleDisallow, ""},
		{"an http spelling is not the repository", lies(definition+"resolvedDependencies", dependencies("git+http://github.com/acme/app", ofCommit(commitA))), verdict.RuleDisallow, ""},
		{"a file that nobody allowed", lies(definition+"resolvedDependencies", append(dependencies(source, ofCommit(commitA)), map[string]any{"name": "dir/sub/evil.sh", "digest": map[string]string{"sha256": strings.Repeat("0", 64)}})), verdict.RuleDisallow, ""},

		// Names.
		{"name and uri disagree", writes(alice().says(descriptor("git+https://github.com/acme/app", "git+https://github.com/evil/app@refs/heads/main", commitA))), verdict.ThresholdNotMet, verdict.StatementMalformed},
		{"uri and name disagree", writes(alice().says(descriptor("git+https://github.com/evil/app", "git+https://github.com/acme/app@refs/heads/main", commitA))), verdict.ThresholdNotMet, verdict.StatementMalformed},
		{"two descriptors under one name", writes(alice().says(link("author", nil, []subject{git(repo, commitA), git(repo, commitB)}))), verdict.ThresholdNotMet, verdict.DescriptorConflict},
		{"two descriptors under one name, in two spellings", writes(alice().says(link("author", nil, []subject{git(repo, commitA), {URI: "git@github.com:acme/app.git", Digest: ofCommit(commitB)}}))), verdict.ThresholdNotMet, verdict.DescriptorConflict},
		{"two materials under one name", builds(workflow(run{}).says(provenanceOf(run{}, []subject{file("app", app)}, set(definition+"resolvedDependencies", []any{
			map[string]any{"name": "lib", "digest": map[string]string{"sha256": strings.Repeat("0", 64)}}, map[string]any{"name": "./lib", "digest": map[string]string{"sha256": strings.Repeat("1", 64)}}})))), verdict.DescriptorConflict, verdict.DescriptorConflict},
		{"a repository behind another user's name", writes(alice().says(descriptor("", "git+https://github.com@evil.example/acme/app", commitA))), verdict.ThresholdNotMet, verdict.StatementMalformed},

		// The author's statement.
		{"a link of another step", writes(alice().says(commitLink("review", repo, commitA))), verdict.LinkOfOtherStep, verdict.LinkOfOtherStep},
		{"the author's link signed by CI", writes(workflow(run{}).says(commitLink("author", repo, commitA))), verdict.NotFunctionary, verdict.NotFunctionary},
		{"the author speaks of another repository", writes(alice().says(commitLink("author", "github.com/acme/lib", commitA))), verdict.RuleRequire, ""},
		{"the author speaks of another repository as well", writes(alice().says(link("author", nil, []subject{git(repo, commitA), git("github.com/acme/lib", commitB)}))), verdict.RuleDisallow, ""},
		{"the author speaks of the tree alone", writes(alice().says(link("author", nil, []subject{{URI: "git+https://" + repo, Digest: map[string]string{"gitTree": treeA}}}))), verdict.CommitNotJoined, ""},
		{"the author speaks of a tag object", writes(alice().says(link("author", nil, []subject{{URI: "git+https://" + repo, Digest: map[string]string{"gitTag": commitA}}}))), verdict.CommitNotJoined, ""},
		{"the author's link without a step", writes(alice().says(attestationtest.Statement([]subject{git(repo, commitA)}, LinkV03, map[string]any{"name": ""}))), verdict.PredicateMalformed, verdict.PredicateMalformed},
		{"the author's link with materials", writes(alice().says(link("author", []subject{git(repo, commitB)}, []subject{git(repo, commitA)}))), verdict.RuleDisallow, ""},
		{"the author's statement of another type", writes(alice().says(scan(git(repo, commitA)))), verdict.ThresholdNotMet, verdict.UnexpectedPredicate},
		{"the author of a prefix of the commit", writes(signer{id: alice().id}.says(link("author", nil, []subject{git(repo, commitA+"000000000000000000000000")}))), verdict.CommitNotJoined, ""},

		// Other roots, other signers.
		{"right issuer and name under another root, the author", func(tr *trial) { tr.words[authorWord].by.elsewhere = true }, verdict.WrongRoot, verdict.WrongRoot},
		{"right issuer and name under another root, the builder", func(tr *trial) { tr.words[buildWord].by.elsewhere = true }, verdict.WrongRoot, verdict.WrongRoot},
		{"a reusable workflow that signs for the caller", builds(built(run{JobWorkflowRef: "mallory/x/.github/workflows/release.yml@refs/heads/main"})), verdict.NotFunctionary, verdict.NotFunctionary},
		{"the same workflow called from a fork", builds(built(run{Repository: "mallory/app", RepositoryID: "13", JobWorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main"})), verdict.ExtensionMismatch, verdict.ExtensionMismatch},
		{"a name that only begins like the author's", writes(signer{id: attestationtest.Person("alice@example.com.evil.test", github)}.says(commitLink("author", repo, commitA))), verdict.NotFunctionary, verdict.NotFunctionary},
		{"a name that only ends like the author's", writes(signer{id: attestationtest.Person("malice@example.com", github)}.says(commitLink("author", repo, commitA))), verdict.NotFunctionary, verdict.NotFunctionary},
		{"an issuer that only begins like the right one", writes(signer{id: attestationtest.Person("alice@example.com", github+"/evil")}.says(commitLink("author", repo, commitA))), verdict.NotFunctionary, verdict.NotFunctionary},

		// Parameters.
		{"a glob as parameter", gives("workflow", "*"), verdict.ParameterMalformed, ""},
		{"a question mark as parameter", gives("workflow", "release.ym?"), verdict.ParameterMalformed, ""},
		{"a set as parameter", gives("workflow", "release.ym[l]"), verdict.ParameterMalformed, ""},
		{"a backslash as parameter", gives("workflow", `release.ym\l`), verdict.ParameterMalformed, ""},
		{"a space in a parameter", gives("repo", "github.com/acme/app WITH"), verdict.ParameterMalformed, ""},
		{"a wide space in a parameter", gives("repo", "github.com/acme/app\u2003x"), verdict.ParameterMalformed, ""},
		{"a brace in a parameter", gives("repo", "github.com/acme/{author}"), verdict.ParameterMalformed, ""},
		{"a control character in a parameter", gives("author", "alice@example.com\x00"), verdict.ParameterMalformed, ""},
		{"a line break in a parameter", gives("author", "alice@example.com\nx"), verdict.ParameterMalformed, ""},
		{"an empty parameter", gives("workflow", ""), verdict.ParameterMalformed, ""},
		{"a folder too many in a parameter", gives("workflow", "x/release.yml"), verdict.ParameterMalformed, ""},
		{"a ref behind a parameter", gives("repo", "github.com/acme/app@evil"), verdict.ParameterMalformed, ""},
		{"a port in a parameter", gives("repo", "github.com:443/acme/app"), verdict.ParameterMalformed, ""},
		{"a parameter that climbs", gives("repo", "github.com/acme/.."), verdict.RuleMalformed, ""},

		// The artifact.
		{"evidence for another artifact", func(tr *trial) { tr.input = func(in *Input) { in.Artifact = thing("app", "x") } }, verdict.NotSubject, verdict.NotSubject},
		{"the file's name alone agrees", builds(workflow(run{}).says(provenanceOf(run{}, []subject{file("app", evil)}))), verdict.NotSubject, verdict.NotSubject},
		{"the commit given as the artifact", func(tr *trial) { tr.input = func(in *Input) { in.Artifact = commitThing(commitA) } }, verdict.NotSubject, verdict.NotSubject},
		{"a subject without an accepted digest", builds(workflow(run{}).says(provenanceOf(run{}, []subject{{Name: "app", Digest: map[string]string{"md5": "0cc175b9c0f1b6a831c399e269772661"}}}))), verdict.NotSubject, verdict.NotSubject},
	}
	for _, a := range rows {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			tr := trial{layout: ready(t, "author-and-builder.yml"), params: params(), words: []word{authored(alice(), commitA), built(run{})}}
			a.change(&tr)
			v := tr.judge(t)
			expect(t, v, a.want)
			if a.reason != "" && !hasReason(v, a.reason) {
				t.Errorf("no candidate is listed with %s:\n%s", a.reason, describeAll(v))
			}
			readable(t, v)
		})
	}
}

// readable holds what a user must find in every refusal: what was found, what
// was expected and the next step; and that every candidate is listed.
func readable(t *testing.T, v verdict.Verdict) {
	t.Helper()
	for _, f := range v.Findings {
		if f.Found == "" || f.Expected == "" || f.Next == "" {
			t.Errorf("a finding leaves its reader alone: %+v", f)
		}
	}
	for _, e := range v.Evidence {
		if e.Counted != (e.Reason == nil) {
			t.Errorf("candidate %s: counted %t with the reason %v", e.Source, e.Counted, e.Reason)
		}
		if e.Reason != nil && e.Reason.Found == "" {
			t.Errorf("candidate %s does not count and nothing says why", e.Source)
		}
	}
}

// Key signers have no certificate to be witness: what they state is judged by
// the rules alone.
func TestKeyBuilder(t *testing.T) {
	t.Parallel()
	ivan := signer{key: "ivan", bare: true}
	layout := inline(t, fromBuild, authorStep(1, "alice, judy"), writeStep("build", rules(requireRepo, matchAuthor), rules("CREATE *"), expects(provenance.V1, 1, "ivan")))
	built := func(dependencies any) word {
		return ivan.says(provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/resolvedDependencies", dependencies)))
	}
	of := func(digest map[string]string) []any { return dependencies("git+https://github.com/acme/app", digest) }
	author := func(digest map[string]string) word {
		return alice().says(link("author", nil, []subject{{URI: "git+https://" + repo, Digest: digest}}))
	}
	both := map[string]string{"gitCommit": commitA, "gitTree": treeA}
	otherTree := map[string]string{"gitCommit": commitA, "gitTree": commitB}
	commit, tree := map[string]string{"gitCommit": commitA}, map[string]string{"gitTree": treeA}
	try := func(words ...word) trial { return trial{layout: layout, words: words} }
	judgeAll(t, []row{
		{"the same commit", try(author(commit), built(of(commit))), allow},
		{"sha1 is the commit", try(author(commit), built(of(map[string]string{"sha1": commitA}))), allow},
		{"the commit joins, the tree is not shared", try(author(both), built(of(commit))), allow},
		{"both join", try(author(both), built(of(both))), allow},
		{"the commit agrees and the tree does not", try(author(both), built(of(otherTree))), verdict.CommitNotJoined},
		{"the tree alone", try(author(both), built(of(tree))), allow},
		{"nothing shared", try(author(tree), built(of(commit))), verdict.CommitNotJoined},
		{"nothing at all on one side", try(author(commit), built(of(nil))), verdict.MatchFailed},
		{"no dependencies", try(author(commit), built([]any{})), verdict.RuleRequire},
		{"dependencies left out", try(author(commit), built(nil)), verdict.RuleRequire},
		{"sha1 and gitCommit that disagree", try(author(commit), built(of(map[string]string{"sha1": commitB, "gitCommit": commitA}))), verdict.PredicateMalformed},
		{"an id behind the @ that disagrees", try(author(commit), built(dependencies("git+https://github.com/acme/app@"+commitB, commit))), verdict.PredicateMalformed},
		{"an id behind the @ in capitals", try(author(commit), built(dependencies("git+https://github.com/acme/app@"+strings.ToUpper(commitA), commit))), allow},
		{"a commit that is cut", try(author(commit), built(of(map[string]string{"gitCommit": commitA[:39]}))), verdict.PredicateMalformed},
		{"a commit that is no hex", try(author(commit), built(of(map[string]string{"gitCommit": strings.Repeat("z", 40)}))), verdict.PredicateMalformed},
		{"a branch named fix#7", try(author(commit), built(dependencies("git+https://github.com/acme/app@refs/heads/fix#7", commit))), allow},
	})
}

// "Git entries that the certificate does not know are asserted: they never
// satisfy REQUIRE or MATCH." (docs/layout.md 2.)
func TestAssertedSourcesJoinNothing(t *testing.T) {
	t.Parallel()
	// The layout asks for the library, which the workflow's certificate does not
	// know, and the author vouches for the very commit that the builder names.
	try := func(name string, materials ...string) trial {
		layout := inline(t, fromBuild, writeStep("author", rules(), rules("ALLOW *"), expects(LinkV03, 1, "alice")),
			writeStep("build", rules(materials...), rules("CREATE *"), expects(provenance.V1, 1, "release")))
		return trial{layout: layout, words: []word{
			alice().says(link("author", nil, []subject{{URI: name, Digest: map[string]string{"gitCommit": commitA}}})),
			built(run{}, set("buildDefinition/resolvedDependencies", dependencies(name, map[string]string{"gitCommit": commitA}))),
		}}
	}
	for what, name := range map[string]string{
		"another repository":      "git+https://github.com/acme/lib",
		"the owner in capitals":   "git+https://github.com/Acme/app",
		"the http spelling":       "git+http://github.com/acme/app",
		"the git spelling":        "git://github.com/acme/app",
		"a host with a final dot": "git+https://github.com./acme/app",
	} {
		match := "MATCH " + name + " WITH PRODUCTS FROM author"
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			expect(t, try(name, "REQUIRE "+name, match, "ALLOW *").judge(t), verdict.RuleRequire)
			expect(t, try(name, "MATCH * WITH PRODUCTS FROM author", "ALLOW *").judge(t), verdict.StepNotJoined)
			expect(t, try(name, "MATCH * WITH PRODUCTS FROM author", allowRepo).judge(t), verdict.CommitNotJoined)
		})
	}
	t.Run("its own repository", func(t *testing.T) {
		t.Parallel()
		name := "git+https://" + repo
		expect(t, try(name, "REQUIRE "+name, "MATCH "+name+" WITH PRODUCTS FROM author", "ALLOW *").judge(t), allow)
	})
}

// One human with two hats.
func TestOnePersonIsCountedOnce(t *testing.T) {
	t.Parallel()
	// Two principals whose patterns one signer matches; no lint can see it.
	patterns := `_type: layout
version: 1
expires: "2027-03-01T00:00:00Z"
functionaries:
  a: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: "al*@example.com"}}
  e: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: "*ice@example.com"}}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["ALLOW *", "DISALLOW *"]
    expectedPredicates: [{predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [a, e], threshold: 2}]
subjects: [{subject: ["*"], from: author}]
`
	by := func(name string) word { return person(name).says(link("author", nil, []subject{file("app", app)})) }
	try := func(words ...word) trial { return trial{layout: patterns, words: words} }
	// Steps that are to be distinct, one for each pattern.
	steps := writeStep("author", rules(), rules("ALLOW *"), expects(LinkV03, 1, "a")) +
		writeStep("build", rules("MATCH * WITH PRODUCTS FROM author"), rules("ALLOW *"), expects(LinkV03, 1, "e"), "distinctFrom: [author]")
	head, _, _ := strings.Cut(patterns, "  - name:")
	apart := head + steps + fromBuild + "\n"
	both := func(author, builder string) trial {
		return trial{layout: apart, words: []word{
			person(author).says(link("author", nil, []subject{file("f", "f")})), person(builder).says(link("build", []subject{file("f", "f")}, []subject{file("app", app)}))}}
	}
	builderToo := func(author string, distinct ...string) string {
		return inline(t, fromBuild, authorStep(1, author), buildStep(distinct...))
	}
	byCI := workflow(run{}).says(commitLink("author", repo, commitA))
	judgeAll(t, []row{
		{"two people", try(by("alan"), by("beatrice")), allow},
		{"one who is both", try(by("alice")), verdict.ThresholdNotMet},
		{"one who is both, twice", try(by("alice"), by("alice")), verdict.ThresholdNotMet},

		{"two people do two steps", both("alan", "beatrice"), allow},
		{"one who is both does two steps", both("alice", "alice"), verdict.NotDistinct},
		{"the first is both", both("alice", "beatrice"), verdict.NotDistinct},

		{"the builder as author", trial{layout: builderToo("alice"), words: []word{byCI, built(run{})}}, verdict.NotFunctionary},
		{"the builder as author, listed, and to be distinct", trial{layout: builderToo("release", "distinctFrom: [author]"), words: []word{byCI, built(run{})}}, verdict.RuleDisallow},
	})

	t.Run("the builder as author, with its own source allowed", func(t *testing.T) {
		t.Parallel()
		author := writeStep("author", rules(allowRepo), rules(requireRepo, allowRepo), expects(LinkV03, 1, "release, alice"))
		words := []word{byCI, built(run{})}
		expect(t, trial{layout: inline(t, fromBuild, author, buildStep("distinctFrom: [author]")), words: words}.judge(t), verdict.NotDistinct)
		expect(t, trial{layout: inline(t, fromBuild, author, buildStep()), words: words}.judge(t), allow)
		expect(t, trial{layout: inline(t, fromBuild, author, buildStep("distinctFrom: [author]")), words: append(words, authored(alice(), commitA))}.judge(t), allow)
	})
}

// A layout whose MATCH is there, and consumes nothing when it is run.
func TestJoinThatConsumesNothing(t *testing.T) {
	t.Parallel()
	layout := inline(t, fromBuild, authorStep(1, "alice"),
		writeStep("build", rules("MATCH notes/* WITH PRODUCTS FROM author", "ALLOW *"), rules("CREATE *"), expects(provenance.V1, 1, "release")))
	v := trial{layout: layout, words: []word{authored(alice(), commitA), built(run{})}}.judge(t)
	expect(t, v, verdict.StepNotJoined)
}

// Statements of two branches of the chain must agree with each other, not each
// with somebody.
func TestEveryJoinIsOverOneAssignment(t *testing.T) {
	t.Parallel()
	layout := inline(t, fromBuild, authorStep(1, "alice"),
		writeStep("review", rules(requireRepo, matchAuthor), rules("ALLOW review"), expects(LinkV03, 1, "bob")), buildStep())
	v := trial{layout: layout, words: []word{
		authored(alice(), commitA), authored(alice(), commitB), built(run{}),
		bob().says(link("review", []subject{git(repo, commitB)}, nothing())),
	}}.judge(t)
	expect(t, v, verdict.CommitNotJoined)
}

// Older certificates carry the source in .5, .3 and .6 alone.
func TestOldCertificates(t *testing.T) {
	t.Parallel()
	layout := strings.Replace(inline(t, fromBuild, authorStep(1, "alice"), buildStep()), ", extensions: {sourceRepositoryIdentifier: \""+repoID+"\"}", "", 1)
	old := func(claims run) signer {
		return signer{id: attestationtest.Workflow(claims).Without("buildSignerURI", "buildSignerDigest", "runnerEnvironment", "sourceRepositoryURI",
			"sourceRepositoryDigest", "sourceRepositoryRef", "sourceRepositoryIdentifier", "sourceRepositoryOwnerURI", "sourceRepositoryOwnerIdentifier",
			"buildConfigURI", "buildConfigDigest", "buildTrigger", "runInvocationURI", "sourceRepositoryVisibilityAtSigning", "tokenSubject")}
	}
	says := func(claims run, edits ...edit) word {
		return old(claims).says(provenanceOf(run{}, []subject{file("app", app)}, edits...))
	}
	try := func(w word) trial { return trial{layout: layout, words: []word{authored(alice(), commitA), w}} }
	judgeAll(t, []row{
		{"the commit of .3", try(says(run{})), allow},
		{"no dependencies", try(says(run{}, set("buildDefinition/resolvedDependencies", nil))), allow},
		{"another commit in .3", try(says(run{SHA: commitB})), verdict.ContradictsCert},
		{"another trigger in .2", try(says(run{Trigger: "schedule"})), verdict.ContradictsCert},
		{"another builder than the name", try(says(run{}, set("runDetails/builder/id", "https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main"))), verdict.ContradictsCert},
	})
}

// A certificate that names no git repository on https knows no source: whatever
// the predicate says of git is asserted, and everything else counts.
func TestCertificateWithoutSource(t *testing.T) {
	t.Parallel()
	layout := strings.Replace(inline(t, fromBuild, authorStep(1, "alice"), buildStep()), ", extensions: {sourceRepositoryIdentifier: \""+repoID+"\"}", "", 1)
	loose := strings.Replace(inline(t, fromBuild, writeStep("build", rules("ALLOW *"), rules("CREATE *"), expects(provenance.V1, 1, "release"))), ", extensions: {sourceRepositoryIdentifier: \""+repoID+"\"}", "", 1)
	for name, id := range map[string]attestationtest.Identity{
		"no repository":         attestationtest.Workflow(run{}).Without("sourceRepositoryURI", "githubWorkflowRepository"),
		"no commit":             attestationtest.Workflow(run{}).Without("sourceRepositoryDigest", "githubWorkflowSHA"),
		"a commit named HEAD":   attestationtest.Workflow(run{}).With("sourceRepositoryDigest", "HEAD"),
		"not on https":          attestationtest.Workflow(run{}).With("sourceRepositoryURI", "github.com/acme/app"),
		"a repository with a @": attestationtest.Workflow(run{}).With("sourceRepositoryURI", "https://github.com/acme/app@main"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signer{id: id}.says(provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/externalParameters", map[string]any{})))
			expect(t, trial{layout: layout, words: []word{authored(alice(), commitA), w}}.judge(t), verdict.RuleRequire)
			expect(t, trial{layout: loose, words: []word{w}}.judge(t), allow)
		})
	}
}

// Builders that do not write their workflow into builder.id.
func TestKnownBuilders(t *testing.T) {
	t.Parallel()
	delegator := run{JobWorkflowRef: "slsa-framework/slsa-github-generator/.github/workflows/delegator_generic_slsa3.yml@refs/tags/v2.1.0"}
	gitlab := attestationtest.Identity{URI: "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main", Issuer: "https://gitlab.com", Extensions: map[string]string{
		"buildSignerURI": "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main", "sourceRepositoryURI": "https://gitlab.com/acme/app", "sourceRepositoryDigest": commitA, "runnerEnvironment": "gitlab-hosted"}}
	for _, r := range []struct {
		name, builder string
		by            attestationtest.Identity
		known         bool
	}{
		{"npm's runner", "https://github.com/actions/runner/github-hosted", attestationtest.Workflow(run{}), true},
		{"npm's runner on a self-hosted machine", "https://github.com/actions/runner/github-hosted", attestationtest.Workflow(run{RunnerEnvironment: "self-hosted"}), false},
		{"npm's first runner", "https://github.com/actions/runner", attestationtest.Workflow(run{}), true},
		{"npm itself", "https://github.com/npm/cli@9.5.0", attestationtest.Workflow(run{}), true},
		{"nearly npm itself", "https://github.com/npm/client@9.5.0", attestationtest.Workflow(run{}), false},
		{"a delegated builder", "https://github.com/acme/trw/.github/workflows/builder.yml@refs/tags/v1", attestationtest.Workflow(delegator), true},
		{"the same, not signed by the delegator", "https://github.com/acme/trw/.github/workflows/builder.yml@refs/tags/v1", attestationtest.Workflow(run{}), false},
		{"GitLab's runner", "https://gitlab.com/acme/app/-/runners/12270859", gitlab, true},
		{"GitLab's runner of another project", "https://gitlab.com/mallory/app/-/runners/1", gitlab, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			predicate := map[string]any{"runDetails": map[string]any{"builder": map[string]any{"id": r.builder}}, "buildDefinition": map[string]any{}}
			v, refused := signer{id: r.by}.says(attestationtest.Statement([]subject{file("app", app)}, provenance.V1, predicate)).open(t)
			if refused != nil {
				t.Fatal(refused.Reason)
			}
			_, finding := readClaims(v, true, false)
			if known := finding == nil; known != r.known || finding != nil && finding.ID != verdict.ContradictsCert {
				t.Errorf("finding %v, expected known %t", finding, r.known)
			}
		})
	}
}

// The witness: which materials and products of a CI signer are proven, and which
// are only asserted.
func TestWitness(t *testing.T) {
	t.Parallel()
	own := attestationtest.Workflow(run{})
	for _, r := range []struct {
		name    string
		by      attestationtest.Identity
		payload []byte
		want    map[string]bool // name to asserted, of materials and products
	}{
		{"own commit", own, provenanceOf(run{}, []subject{file("app", app)}), map[string]bool{"git+https://github.com/acme/app": false, "app": false}},
		{"own commit is added", own, provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/resolvedDependencies", nil)), map[string]bool{"git+https://github.com/acme/app": false, "app": false}},
		{"another repository", own, provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/resolvedDependencies", dependencies("git+https://github.com/acme/lib", map[string]string{"gitCommit": commitB}))),
			map[string]bool{"git+https://github.com/acme/app": false, "git+https://github.com/acme/lib": true, "app": false}},
		{"another transport", own, provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/resolvedDependencies", dependencies("git://github.com/acme/app", map[string]string{"gitCommit": commitA}))),
			map[string]bool{"git+https://github.com/acme/app": false, "git://github.com/acme/app": true, "app": false}},
		{"a product that is its commit", own, commitLink("author", repo, commitA), map[string]bool{"git+https://github.com/acme/app": false}},
		{"a product that is another commit", own, link("author", nil, []subject{git("github.com/acme/lib", commitB)}), map[string]bool{"git+https://github.com/acme/app": false, "git+https://github.com/acme/lib": true}},
		{"a scan of its commit", own, scan(git(repo, commitA)), map[string]bool{"git+https://github.com/acme/app": false}},
		{"a scan of another commit", own, scan(git(repo, commitB)), map[string]bool{"git+https://github.com/acme/app": true}},
		{"a person's word", alice().id, commitLink("author", repo, commitB), map[string]bool{"git+https://github.com/acme/app": false}},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			v, refused := signer{id: r.by}.says(r.payload).open(t)
			if refused != nil {
				t.Fatal(refused.Reason)
			}
			c, finding := readClaims(v, true, false)
			if finding != nil {
				t.Fatal(finding)
			}
			got := map[string]bool{}
			for _, set := range []artifact.Set{c.materials, c.products} {
				for name, resource := range set {
					got[name] = got[name] || resource.Asserted
				}
			}
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("asserted (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("the certificate's commit takes the place of the statement's digests", func(t *testing.T) {
		t.Parallel()
		// The tree beside the right commit is only a claim, and must join nothing.
		w := workflow(run{}).says(provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/resolvedDependencies",
			dependencies("git+https://github.com/acme/app", map[string]string{"gitCommit": commitA, "gitTree": treeA}))))
		v, _ := w.open(t)
		c, finding := readClaims(v, true, false)
		if finding != nil {
			t.Fatal(finding)
		}
		want := artifact.DigestSet{artifact.GitCommit: commitA}
		if diff := cmp.Diff(want, c.materials["git+https://github.com/acme/app"].Digest); diff != "" {
			t.Errorf("digests (-want +got):\n%s", diff)
		}
	})
}

// Claims are equal only if every name and digest is.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	of := func(digests ...artifact.DigestSet) string {
		c := &claims{products: artifact.Set{}}
		for i, d := range digests {
			name := string(rune('a' + i))
			c.products[name] = artifact.Resource{Name: artifact.Name{Text: name}, Digest: d}
		}
		return c.fingerprint()
	}
	seen := map[string]artifact.DigestSet{}
	for _, d := range []artifact.DigestSet{
		{}, {"x": "1"}, {"x": "1, y:2"}, {"x": "1", "y": "2"}, {"x": `1" "y" "2`}, {"y": "2"}, {"x": "1\n"},
	} {
		if other, twice := seen[of(d)]; twice {
			t.Errorf("%q and %q have one fingerprint", d, other)
		}
		seen[of(d)] = d
	}
	if of(artifact.DigestSet{"x": "1", "y": "2"}) != of(artifact.DigestSet{"y": "2", "x": "1"}) {
		t.Error("the order of algorithms matters")
	}
	materials := &claims{materials: artifact.Set{"a": {Digest: artifact.DigestSet{"x": "1"}}}}
	products := &claims{products: artifact.Set{"a": {Digest: artifact.DigestSet{"x": "1"}}}}
	if materials.fingerprint() == products.fingerprint() {
		t.Error("a material and a product have one fingerprint")
	}
}
