package layout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// row is a line of a truth table: allowed, or denied for a reason.
type row struct {
	name string
	trial
	want verdict.ID // empty for allowed
}

func judgeAll(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			expect(t, r.judge(t), r.want)
		})
	}
}

const allow = verdict.ID("")

func TestAuthorAndBuilder(t *testing.T) {
	t.Parallel()
	layout := ready(t, "author-and-builder.yml")
	try := func(p map[string]string, words ...word) trial { return trial{layout: layout, params: p, words: words} }
	good := []word{authored(alice(), commitA), built(run{})}
	dispatched := run{Trigger: "workflow_dispatch"}
	judgeAll(t, []row{
		{"both words over one commit", try(params(), good...), allow},
		{"in the other order", try(params(), good[1], good[0]), allow},
		{"the author has attested another commit too", try(params(), authored(alice(), commitB), good[0], good[1]), allow},
		{"started by hand", try(params(), good[0], built(dispatched)), allow},
		{"several files in one provenance", try(params(), good[0], workflow(run{}).says(provenanceOf(run{}, []subject{file("other", "x"), file("dist/app", app)}))), allow},
		{"a link with the commit's tree", try(params(), alice().says(attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/main", ID: commitA, Tree: treeA})), good[1]), allow},
		{"a link that spells the repository as git does", try(params(), alice().says(link("author", nil, []subject{{URI: "git@github.com:acme/app.git", Digest: map[string]string{"sha1": commitA}}})), good[1]), allow},

		{"no evidence", try(params()), verdict.NoCandidate},
		{"no author", try(params(), good[1]), verdict.ThresholdNotMet},
		{"no builder", try(params(), good[0]), verdict.ThresholdNotMet},
		{"a stranger as author", try(params(), authored(mallory(), commitA), good[1]), verdict.NotFunctionary},
		{"the author from another issuer", try(params(), signer{id: attestationtest.Person("alice@example.com", google)}.says(good[0].payload), good[1]), verdict.NotFunctionary},
		{"another commit", try(params(), authored(alice(), commitB), good[1]), verdict.CommitNotJoined},
		{"another branch", try(params(), good[0], built(run{Ref: "refs/heads/dev"})), verdict.NotFunctionary},
		{"another workflow of the repository", try(params(), good[0], built(run{Workflow: ".github/workflows/ci.yml"})), verdict.NotFunctionary},
		{"a pull request's run", try(params(), good[0], built(run{Trigger: "pull_request"})), verdict.ExtensionMismatch},
		{"a self-hosted runner", try(params(), good[0], built(run{RunnerEnvironment: "self-hosted"})), verdict.ExtensionMismatch},
		{"the repository's name, taken over by somebody else", try(params(), good[0], built(run{RepositoryID: "999"})), verdict.ExtensionMismatch},
		{"provenance v0.2, which the layout does not ask for", try(params(), good[0], workflow(run{}).says(attestationtest.StatementV01([]subject{file("app", app)}, provenance.V02, attestationtest.ProvenanceV02(run{JobWorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main"})))), verdict.ThresholdNotMet},
		{"the other root has both", try(params(), elsewhere(good[0]), elsewhere(good[1])), verdict.WrongRoot},
		{"parameters for another repository", try(params("repo", "github.com/acme/lib"), good...), verdict.NotFunctionary},

		{"a parameter is missing", try(params("workflow", "-"), good...), verdict.ParameterMissing},
		{"an unknown parameter", try(params("branch", "main"), good...), verdict.ParameterUnknown},
		{"a repository without its owner", try(params("repo", "github.com/app"), good...), verdict.ParameterMalformed},
	})
}

func elsewhere(w word) word { w.by.elsewhere = true; return w }

func TestTwoAuthorsAndBuilder(t *testing.T) {
	t.Parallel()
	layout := ready(t, "two-authors-and-builder.yml")
	p := params("author", "-", "firstAuthor", "alice@example.com", "secondAuthor", "bob@example.com")
	try := func(words ...word) trial { return trial{layout: layout, params: p, words: words} }
	build := built(run{})
	judgeAll(t, []row{
		{"both authors", try(authored(alice(), commitA), authored(bob(), commitA), build), allow},
		{"one of them twice too", try(authored(alice(), commitA), authored(alice(), commitA), authored(bob(), commitA), build), allow},
		{"one author", try(authored(alice(), commitA), build), verdict.ThresholdNotMet},
		{"one author with two certificates", try(authored(alice(), commitA), authored(alice(), commitA), build), verdict.ThresholdNotMet},
		{"one author and a stranger", try(authored(alice(), commitA), authored(mallory(), commitA), build), verdict.ThresholdNotMet},
		{"two authors of two commits", try(authored(alice(), commitA), authored(bob(), commitB), build), verdict.StatementsDisagree},
		{"two authors of the other commit", try(authored(alice(), commitB), authored(bob(), commitB), build), verdict.CommitNotJoined},
		{"one name for both", trial{layout: layout, words: []word{authored(alice(), commitA), authored(alice(), commitA), build},
			params: params("author", "-", "firstAuthor", "alice@example.com", "secondAuthor", "alice@example.com")}, verdict.SharedIdentity},
	})
}

func TestBuilderOnly(t *testing.T) {
	t.Parallel()
	layout := ready(t, "builder-only.yml")
	p := map[string]string{"repo": repo, "repoId": repoID}
	try := func(words ...word) trial { return trial{layout: layout, params: p, words: words} }
	tagged := run{Ref: "refs/tags/v1.2.3"}
	generator := attestationtest.SLSAGenerator(tagged)
	v02 := func(by run, of run, edits ...edit) word {
		predicate := attestationtest.ProvenanceV02(of)
		for _, e := range edits {
			e.apply(predicate)
		}
		return workflow(by).says(attestationtest.StatementV01([]subject{file("app", app)}, provenance.V02, predicate))
	}
	fork := run{Repository: "mallory/app", RepositoryID: "13"}
	judgeAll(t, []row{
		{"actions/attest on main", try(built(run{})), allow},
		{"actions/attest on a tag", try(built(tagged)), allow},
		{"slsa-github-generator, called from a tag", try(v02(generator, tagged)), allow},
		{"more dependencies than the source", try(built(run{}, set("buildDefinition/resolvedDependencies", []any{
			map[string]any{"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": map[string]string{"gitCommit": commitA}},
			map[string]any{"uri": "pkg:npm/left-pad@1.3.0", "digest": map[string]string{"sha512": strings.Repeat("ab", 64)}},
			map[string]any{"uri": "pkg:docker/golang@1.26"},
		}))), allow},
		{"a workflow of another branch", try(built(run{Ref: "refs/heads/dev"})), verdict.NotFunctionary},
		{"a fork's own workflow", try(built(fork)), verdict.NotFunctionary},
		{"the generator, called from a fork", try(v02(attestationtest.SLSAGenerator(fork), fork)), verdict.ExtensionMismatch},
		{"the generator at a branch", try(v02(run{JobWorkflowRef: "slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/heads/main"}, run{})), verdict.NotFunctionary},
		{"the generator's provenance of another commit", try(v02(generator, run{Ref: "refs/tags/v1.2.3", SHA: commitB})), verdict.ContradictsCert},
		{"a fork that claims the repository", try(workflow(fork).says(built(run{}).payload)), verdict.NotFunctionary},
		{"another file", try(builtOf(run{}, evil)), verdict.NotSubject},
	})
}

func TestThresholdsAndPrincipals(t *testing.T) {
	t.Parallel()
	of := func(threshold int, who string, words ...word) trial {
		return trial{layout: inline(t, fromBuild, authorStep(threshold, who), buildStep()), words: append(words, built(run{}))}
	}
	fromGoogle := signer{id: attestationtest.Person("alice@example.com", google)}
	ivan, judy := signer{key: "ivan", bare: true}, signer{key: "judy"}
	judgeAll(t, []row{
		{"two of three", of(2, "alice, bob, carol", authored(alice(), commitA), authored(carol(), commitA)), allow},
		{"three of three", of(3, "alice, bob, carol", authored(alice(), commitA), authored(bob(), commitA), authored(carol(), commitA)), allow},
		{"two of three, one missing", of(3, "alice, bob, carol", authored(alice(), commitA), authored(bob(), commitA)), verdict.ThresholdNotMet},
		{"one person under two issuers is one", of(2, "alice, bob", authored(alice(), commitA), authored(fromGoogle, commitA)), verdict.ThresholdNotMet},
		{"either of one person's functionaries", of(1, "alice", authored(fromGoogle, commitA)), allow},
		{"a functionary named by itself", of(1, "alice-oidc", authored(alice(), commitA)), allow},
		{"the person's other functionary is not named", of(1, "alice-google", authored(alice(), commitA)), verdict.NotFunctionary},
		{"a third who disagrees does not harm", of(2, "alice, bob, carol", authored(alice(), commitA), authored(bob(), commitA), authored(carol(), commitB)), allow},

		{"a key without a root", of(1, "ivan", authored(ivan, commitA)), allow},
		{"a key without a root, logged all the same", of(1, "ivan", authored(signer{key: "ivan"}, commitA)), allow},
		{"a key under a root", of(1, "judy", authored(judy, commitA)), allow},
		{"a key under a root, without its proofs", of(1, "judy", authored(signer{key: "judy", bare: true}, commitA)), verdict.WrongRoot},
		{"another key", of(1, "ivan", authored(signer{key: "grace", bare: true}, commitA)), verdict.NotFunctionary},
		{"a person and a key", of(2, "alice, ivan", authored(alice(), commitA), authored(ivan, commitA)), allow},
		{"a key twice", of(2, "alice, ivan", authored(ivan, commitA), authored(ivan, commitA)), verdict.ThresholdNotMet},
	})
}

// Two people may each be counted for one of two steps, but not one for both.
// "Choose Bob, so that Alice may be elsewhere."
func TestDistinctFrom(t *testing.T) {
	t.Parallel()
	reviewed := func(by signer) word { return by.says(link("review", []subject{git(repo, commitA)}, nothing())) }
	of := func(authors, reviewers int, words ...word) trial {
		// review has no product of its own; the repository's commit joins it.
		r := writeStep("review", rules(requireRepo, matchAuthor), rules("ALLOW review"), expects(LinkV03, reviewers, "alice, bob, carol"), "distinctFrom: [author]")
		return trial{layout: inline(t, fromBuild, authorStep(authors, "alice, bob, carol"), r, buildStep()), words: append(words, built(run{}))}
	}
	a, b, c := authored(alice(), commitA), authored(bob(), commitA), authored(carol(), commitA)
	ra, rb, rc := reviewed(alice()), reviewed(bob()), reviewed(carol())
	judgeAll(t, []row{
		{"alice writes, bob reviews", of(1, 1, a, rb), allow},
		{"alice does both", of(1, 1, a, ra), verdict.NotDistinct},
		{"both write, alice reviews: bob is the author", of(1, 1, a, b, ra), allow},
		{"both do both", of(1, 1, a, b, ra, rb), allow},
		{"two authors and one of them reviews", of(2, 1, a, b, ra), verdict.NotDistinct},
		{"three write, two review, thresholds two and one", of(2, 1, a, b, c, ra, rb), allow},
		{"three do both, thresholds two and two", of(2, 2, a, b, c, ra, rb, rc), verdict.NotDistinct},
		{"two authors, the third reviews", of(2, 1, a, b, rc), allow},
	})

	t.Run("only those chosen count", func(t *testing.T) {
		t.Parallel()
		v := of(1, 1, a, b, ra).judge(t)
		got := map[string]string{}
		for _, e := range v.Evidence {
			if e.Counted {
				got[e.Identity] += e.Step + " "
			}
		}
		want := map[string]string{"bob@example.com": "author ", "alice@example.com": "review ", "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main": "build "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	})
}

// nothing is the product of a step that makes nothing of interest: a statement
// needs one subject.
func nothing() []subject { return []subject{file("review", "looks good")} }

func TestDeny(t *testing.T) {
	t.Parallel()
	layout := func(deny string) string {
		return inline(t, fromBuild+"\ndeny:\n"+deny, authorStep(1, "alice"), buildStep())
	}
	good := []word{authored(alice(), commitA), built(run{})}
	sum := thing("app", app).Digest.String()
	try := func(deny string, input func(*Input)) trial {
		return trial{layout: layout(deny), words: good, input: input}
	}
	judgeAll(t, []row{
		{"something else", try("  - {digest: \"sha256:"+strings.Repeat("0", 64)+"\", reason: bad}", nil), allow},
		{"the artifact", try("  - {digest: \""+sum+"\", reason: bad}", nil), verdict.ArtifactDenied},
		{"the artifact, in capitals", try("  - {digest: \"sha256:"+strings.ToUpper(strings.TrimPrefix(sum, "sha256:"))+"\", reason: bad}", nil), verdict.ArtifactDenied},
		{"the commit", try("  - {digest: \"gitCommit:"+commitA+"\", reason: bad}", nil), verdict.ArtifactDenied},
		{"before all else: the layout is expired as well", try("  - {digest: \""+sum+"\", reason: bad}", func(in *Input) { in.Now = in.Now.AddDate(5, 0, 0) }), verdict.ArtifactDenied},
		{"the commit, asked for alone", try("  - {digest: \"gitCommit:"+commitA+"\", reason: bad}", func(in *Input) { in.Step, in.Artifact = "author", commitThing(commitA) }), verdict.ArtifactDenied},
	})
}

func TestLayoutVersionAndExpiry(t *testing.T) {
	t.Parallel()
	expires := time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC)
	try := func(input func(*Input)) trial {
		return trial{layout: inline(t, fromBuild, authorStep(1, "alice"), buildStep()), words: []word{authored(alice(), commitA), built(run{})}, input: input}
	}
	judgeAll(t, []row{
		{"no floor", try(func(in *Input) { in.MinVersion = 0 }), allow},
		{"the floor itself", try(func(in *Input) { in.MinVersion = 3 }), allow},
		{"below the floor", try(func(in *Input) { in.MinVersion = 4 }), verdict.LayoutVersionLow},
		{"a second before it expires", try(func(in *Input) { in.Now = expires.Add(-time.Second) }), allow},
		{"as it expires", try(func(in *Input) { in.Now = expires }), verdict.LayoutExpired},
		{"after it expired", try(func(in *Input) { in.Now = expires.Add(time.Second) }), verdict.LayoutExpired},
		{"two years before it expires", try(func(in *Input) { in.Now = expires.Add(-MaxExpiryPeriod) }), allow},
		{"more than two years before", try(func(in *Input) { in.Now = expires.Add(-MaxExpiryPeriod - time.Second) }), verdict.LayoutExpiryTooFar},
		{"no clock", try(func(in *Input) { in.Now = time.Time{} }), verdict.LayoutExpired},
		{"no layout", try(func(in *Input) { in.Layout = nil }), verdict.LayoutEmpty},
		{"the zero layout", try(func(in *Input) { in.Layout = &Layout{} }), verdict.LayoutEmpty},
		{"an artifact without a digest", try(func(in *Input) { in.Artifact.Digest = nil }), verdict.ArtifactUnreadable},
	})
}

// Subjects say which names may come from which step.
func TestSubjects(t *testing.T) {
	t.Parallel()
	packageStep := writeStep("package", rules("MATCH * WITH PRODUCTS FROM build"), rules("CREATE *"), expects(LinkV03, 1, "carol"))
	packaged := carol().says(link("package", []subject{file("dist/app", app)}, []subject{file("app.deb", "deb")}))
	words := func(name string) []word {
		return []word{authored(alice(), commitA), workflow(run{}).says(provenanceOf(run{}, []subject{file(name, app)})), packaged}
	}
	try := func(subjects, name string, input func(*Input)) trial {
		return trial{layout: inline(t, subjects, authorStep(1, "alice"), buildStep(), packageStep), words: words(name), input: input}
	}
	deb := func(in *Input) { in.Artifact = thing("app.deb", "deb") }
	both := `subjects: [{subject: ["*.deb"], from: package}, {subject: ["dist/*"], from: build}]`
	judgeAll(t, []row{
		{"a pattern that crosses folders", try(`subjects: [{subject: ["dist*"], from: build}]`, "dist/app", nil), allow},
		{"one of two patterns", try(`subjects: [{subject: ["bin/*", "dist/*"], from: build}]`, "dist/app", nil), allow},
		{"no pattern", try(`subjects: [{subject: ["bin/*", "*.exe"], from: build}]`, "dist/app", nil), verdict.ArtifactNotProduct},
		{"the first of two entries", try(both, "dist/app", deb), allow},
		{"the second of two entries", try(both, "dist/app", nil), allow},
		{"neither of two entries", try(both, "dist/app", func(in *Input) { in.Artifact = thing("x", "x") }), verdict.NotSubject},
		{"a name that only the other entry covers", try(`subjects: [{subject: ["*.deb"], from: package}, {subject: ["*.deb"], from: build}]`, "dist/app", nil), verdict.ArtifactNotProduct},
		{"the demanded name", try(fromBuild, "dist/app", func(in *Input) { in.SubjectName = "dist/app" }), allow},
		{"another name than demanded", try(fromBuild, "dist/app", func(in *Input) { in.SubjectName = "app" }), verdict.SubjectName},
		{"a file that was renamed", try(fromBuild, "dist/app", func(in *Input) { in.Artifact.Name = "renamed" }), allow},
		{"known by another algorithm only", try(fromBuild, "dist/app", func(in *Input) { in.Artifact.Digest = artifact.DigestSet{artifact.SHA512: strings.Repeat("ab", 64)} }), verdict.NotSubject},
		{"one digest agrees and another one differs", trial{layout: inline(t, fromBuild, authorStep(1, "alice"), buildStep()),
			words: []word{authored(alice(), commitA), workflow(run{}).says(provenanceOf(run{}, []subject{{Name: "app", Digest: map[string]string{
				"sha256": thing("", app).Digest[artifact.SHA256], "sha512": strings.Repeat("ab", 64)}}}))},
			input: func(in *Input) { in.Artifact.Digest[artifact.SHA512] = strings.Repeat("cd", 64) }}, verdict.NotSubject},
	})

	t.Run("a renamed file is noted", func(t *testing.T) {
		t.Parallel()
		v := try(fromBuild, "dist/app", func(in *Input) { in.Artifact.Name = "renamed" }).judge(t)
		if !strings.Contains(strings.Join(v.Notes, "\n"), "renamed") {
			t.Errorf("notes are %q, expected one about the name", v.Notes)
		}
	})
}

// verify --step NAME checks a commit before there is an artifact.
func TestStep(t *testing.T) {
	t.Parallel()
	layout := inline(t, fromBuild, authorStep(1, "alice"),
		writeStep("review", rules(requireRepo, matchAuthor), rules("ALLOW review"), expects(LinkV03, 1, "bob")), buildStep())
	try := func(step string, a artifact.Artifact, words ...word) trial {
		return trial{layout: layout, words: words, input: func(in *Input) { in.Step, in.Artifact = step, a }}
	}
	reviewed := bob().says(link("review", []subject{git(repo, commitA)}, nothing()))
	judgeAll(t, []row{
		{"the author's word alone", try("author", commitThing(commitA), authored(alice(), commitA)), allow},
		{"of another commit", try("author", commitThing(commitA), authored(alice(), commitB)), verdict.NotSubject},
		{"of a stranger", try("author", commitThing(commitA), authored(mallory(), commitA)), verdict.NotFunctionary},
		{"of another repository", try("author", commitThing(commitA), alice().says(commitLink("author", "github.com/acme/lib", commitA))), verdict.RuleRequire},
		{"a step needs what it matches", try("review", thing("review", "looks good"), reviewed), verdict.ThresholdNotMet},
		{"a step with what it matches", try("review", thing("review", "looks good"), reviewed, authored(alice(), commitA)), allow},
		{"the build without the review", try("build", thing("app", app), built(run{}), authored(alice(), commitA)), allow},
		{"an unknown step", try("sign-off", commitThing(commitA), authored(alice(), commitA)), verdict.UnknownStep},
	})
}

func TestAge(t *testing.T) {
	t.Parallel()
	// The scan speaks of the app; its certificate lives ten minutes.
	layout := func(more ...string) string {
		return inline(t, fromBuild, authorStep(1, "alice"), buildStep(),
			writeStep("scan", rules("MATCH * WITH PRODUCTS FROM build"), nil, expects(scanType, 1, "alice, ivan, judy", more...)))
	}
	at := func(by signer, ago time.Duration) signer { by.at = now().Add(-ago); return by }
	longLived := func(by signer) signer { by.lifetime = 1000 * time.Hour; return by }
	try := func(l string, by signer, input func(*Input)) trial {
		return trial{layout: l, words: []word{authored(alice(), commitA), built(run{}), by.says(scan(file("app", app)))}, input: input}
	}
	day, fromField := "maxAge: 24h", "ageFrom: metadata.scanFinishedOn"
	later := func(d time.Duration) func(*Input) { return func(in *Input) { in.Now = in.Now.Add(d) } }
	judgeAll(t, []row{
		{"no limit", try(layout(), at(alice(), 1000*time.Hour), nil), allow},
		{"young enough", try(layout(day), at(alice(), 23*time.Hour), nil), allow},
		{"just young enough", try(layout(day), at(alice(), 24*time.Hour), nil), allow},
		{"too old by a second", try(layout(day), at(alice(), 24*time.Hour), later(time.Second)), verdict.EvidenceTooOld},
		{"a long-lived certificate, by its field", try(layout(day, fromField), longLived(at(alice(), time.Hour)), nil), allow},
		{"a long-lived certificate whose field is old", try(layout(day, fromField), longLived(at(alice(), time.Hour)), later(23*time.Hour)), verdict.EvidenceTooOld},
		{"a fresh timestamp makes nothing younger", try(layout(day, fromField), longLived(at(alice(), -30*time.Hour)), later(31*time.Hour)), verdict.EvidenceTooOld},
		{"a long-lived certificate and no field", try(layout(day), longLived(at(alice(), time.Hour)), nil), verdict.PredicateMalformed},
		{"a field that is not there", try(layout(day, "ageFrom: metadata.when"), longLived(at(alice(), time.Hour)), nil), verdict.PredicateMalformed},
		{"a field that is no time", try(layout(day, "ageFrom: metadata"), longLived(at(alice(), time.Hour)), nil), verdict.PredicateMalformed},
		{"a field after the signature", try(layout(day, fromField), longLived(at(alice(), 3*time.Hour)), nil), verdict.PredicateMalformed},
		{"a key under a root", try(layout(day, fromField), signer{key: "judy"}, nil), allow},
		{"a key without a proven time", try(layout(day, fromField), signer{key: "ivan", bare: true}, nil), verdict.NoProvenTime},
		{"a key without a proven time, no limit", try(layout(), signer{key: "ivan", bare: true}, nil), allow},
	})
}

func TestGitHash(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("3f2a9c1d", 8)
	ivan := signer{key: "ivan", bare: true}
	try := func(demand, commit string) trial {
		layout := inline(t, fromBuild+demand, authorStep(1, "ivan"), buildStep())
		return trial{layout: layout, words: []word{authored(ivan, commit), built(run{SHA: commit})}}
	}
	judgeAll(t, []row{
		{"40 digits, no demand", try("", commitA), allow},
		{"64 digits, no demand", try("", long), allow},
		{"40 digits", try("\ngitHash: sha256", commitA), verdict.WeakGitHash},
		{"64 digits", try("\ngitHash: sha256", long), allow},
		{"40 digits are no prefix of 64", trial{layout: inline(t, fromBuild, authorStep(1, "ivan"), buildStep()), words: []word{authored(ivan, long[:40]), built(run{SHA: long})}}, verdict.CommitNotJoined},
	})
}

// Author, review and build over one commit; each step matches the one before.
func TestThreeStepChain(t *testing.T) {
	t.Parallel()
	const matchReview = "MATCH git+https://" + repo + " WITH MATERIALS FROM review"
	layout := inline(t, fromBuild, authorStep(1, "alice"),
		writeStep("review", rules(requireRepo, matchAuthor), rules("ALLOW review"), expects(LinkV03, 1, "bob")),
		writeStep("build", rules(requireRepo, matchReview), rules("CREATE *"), expects(provenance.V1, 1, "release")))
	reviewed := func(commit string) word { return bob().says(link("review", []subject{git(repo, commit)}, nothing())) }
	try := func(words ...word) trial { return trial{layout: layout, words: words} }
	a, r, b := authored(alice(), commitA), reviewed(commitA), built(run{})
	judgeAll(t, []row{
		{"all three", try(a, r, b), allow},
		{"backwards", try(b, r, a), allow},
		{"the review is missing", try(a, b), verdict.ThresholdNotMet},
		{"the review of another commit", try(a, reviewed(commitB), b), verdict.CommitNotJoined},
		{"the author of another commit", try(authored(alice(), commitB), r, b), verdict.CommitNotJoined},
		{"author and review agree on another commit", try(authored(alice(), commitB), reviewed(commitB), b), verdict.CommitNotJoined},
		{"more of everything", try(authored(alice(), commitB), reviewed(commitB), a, r, b), allow},
		{"the right pair in the wrong places", try(authored(alice(), commitA), reviewed(commitB), b), verdict.CommitNotJoined},
	})
}

// The queue: what the first MATCH consumed, the second one cannot.
func TestTwoMatchesOverOneName(t *testing.T) {
	t.Parallel()
	const matchTest = "MATCH git+https://" + repo + " WITH MATERIALS FROM test"
	test := writeStep("test", rules("ALLOW *"), rules("ALLOW log"), expects(LinkV03, 1, "bob"))
	build := func(materials ...string) string {
		return writeStep("build", rules(materials...), rules("CREATE *"), expects(provenance.V1, 1, "release"))
	}
	tested := bob().says(link("test", []subject{git(repo, commitA), git("github.com/acme/lib", commitB)}, []subject{file("log", "ok")}))
	try := func(words []word, steps ...string) trial {
		return trial{layout: inline(t, fromBuild, steps...), words: words}
	}
	words := []word{authored(alice(), commitA), tested, built(run{})}
	joined := writeStep("test", rules(requireRepo, matchAuthor, "ALLOW *"), rules("ALLOW log"), expects(LinkV03, 1, "bob"))
	judgeAll(t, []row{
		{"both steps match the author", try(words, authorStep(1, "alice"), joined, build(requireRepo, matchAuthor)), allow},
		{"the second of two consumes nothing", try(words, authorStep(1, "alice"), test, build(requireRepo, matchAuthor, matchTest)), verdict.StepNotJoined},
		{"in the other order the author is left", try(words, authorStep(1, "alice"), test, build(requireRepo, matchTest, matchAuthor)), verdict.StepNotJoined},
	})
}

func TestAnyOf(t *testing.T) {
	t.Parallel()
	anyOf := "{anyOf: [{predicateType: \"" + provenance.V1 + "\"}, {predicateType: \"" + provenance.V02 + "\"}], functionaries: [release, release-wf], threshold: 1}"
	layout := inline(t, fromBuild, authorStep(1, "alice"), writeStep("build", rules(requireRepo, matchAuthor), rules("CREATE *"), anyOf))
	own := run{JobWorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main"}
	old := workflow(run{}).says(attestationtest.StatementV01([]subject{file("app", app)}, provenance.V02, attestationtest.ProvenanceV02(own)))
	try := func(words ...word) trial { return trial{layout: layout, words: words} }
	judgeAll(t, []row{
		{"the first type", try(authored(alice(), commitA), built(run{})), allow},
		{"the second type", try(authored(alice(), commitA), old), allow},
		{"both", try(authored(alice(), commitA), old, built(run{})), allow},
		{"neither", try(authored(alice(), commitA), workflow(run{}).says(scan(file("app", app)))), verdict.ThresholdNotMet},
	})
}

// Each item of expectedPredicates has its own threshold; all must be met.
func TestSeveralPredicates(t *testing.T) {
	t.Parallel()
	scanner := workflow(run{Workflow: ".github/workflows/scan.yml"})
	// A scan has no source among its materials, so the demand on the source
	// stands in a step of its own.
	both := inline(t, fromBuild, authorStep(1, "alice"), buildStep(),
		writeStep("scan", rules("MATCH * WITH PRODUCTS FROM build"), nil, expects(scanType, 1, "scan-wf"), expects("https://example.com/sbom", 1, "scan-wf")))
	sbom := func(subjects ...subject) word {
		return scanner.says(attestationtest.Statement(subjects, "https://example.com/sbom", map[string]any{}))
	}
	try := func(words ...word) trial {
		return trial{layout: both, words: append(words, authored(alice(), commitA), workflow(run{}).says(provenanceOf(run{}, []subject{file("app", app), file("tool", "tool")})))}
	}
	judgeAll(t, []row{
		{"both of this file", try(scanner.says(scan(file("app", app))), sbom(file("app", app))), allow},
		{"both of both files", try(scanner.says(scan(file("app", app), file("tool", "tool"))), sbom(file("app", app), file("tool", "tool"))), allow},
		{"one is missing", try(scanner.says(scan(file("app", app)))), verdict.ThresholdNotMet},
		{"one speaks of the release's other file", try(scanner.says(scan(file("app", app))), sbom(file("tool", "tool"))), verdict.StepNotJoined},
		{"one speaks of another file under this name", try(scanner.says(scan(file("app", app))), sbom(file("app", evil))), verdict.MatchFailed},
		{"one adds a file that was never built", try(scanner.says(scan(file("app", app))), sbom(file("app", app), file("x", "x"))), verdict.MatchFailed},
	})
}

// "For every other predicate type [...] it counts only when a subject is the
// artifact in hand, or is matched to the joined commit." (docs/layout.md 3.)
func TestScanOfAnotherFile(t *testing.T) {
	t.Parallel()
	scanner := workflow(run{Workflow: ".github/workflows/scan.yml"})
	two := workflow(run{}).says(provenanceOf(run{}, []subject{file("app", app), file("tool", "tool")}))
	ofFile := inline(t, fromBuild, authorStep(1, "alice"), buildStep(),
		writeStep("scan", rules("MATCH * WITH PRODUCTS FROM build"), nil, expects(scanType, 1, "scan-wf, alice")))
	ofCommit := inline(t, fromBuild, authorStep(1, "alice"), buildStep(),
		writeStep("scan", rules(requireRepo, matchAuthor), nil, expects(scanType, 1, "scan-wf, alice")))
	try := func(layout string, words ...word) trial {
		return trial{layout: layout, words: append(words, authored(alice(), commitA), two)}
	}
	judgeAll(t, []row{
		{"of this file", try(ofFile, scanner.says(scan(file("app", app)))), allow},
		{"of the release's other file", try(ofFile, scanner.says(scan(file("tool", "tool")))), verdict.StepNotJoined},
		{"of the other file beside this one's", try(ofFile, scanner.says(scan(file("tool", "tool"))), scanner.says(scan(file("app", app)))), allow},
		{"of the commit, by the workflow that ran on it", try(ofCommit, scanner.says(scan(git(repo, commitA)))), allow},
		{"of the commit, by a person", try(ofCommit, alice().says(scan(git(repo, commitA)))), allow},
		{"of another commit", try(ofCommit, alice().says(scan(git(repo, commitB)))), verdict.CommitNotJoined},
		{"of the commit, by a workflow that ran on another", try(ofCommit, workflow(run{Workflow: ".github/workflows/scan.yml", SHA: commitB}).says(scan(git(repo, commitA)))), verdict.RuleRequire},
	})
}

func TestSimpleMode(t *testing.T) {
	t.Parallel()
	exact := SimpleOptions{Identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", Issuer: actions, Roots: []string{"sigstore", "other"}}
	with := func(change func(*SimpleOptions)) SimpleOptions { o := exact; change(&o); return o }
	summary := func(result string) word {
		return workflow(run{}).says(attestationtest.Statement([]subject{file("app", app)}, vsa.V1, map[string]any{"verificationResult": result}))
	}
	typed := func(predicateType string) SimpleOptions {
		return with(func(o *SimpleOptions) { o.PredicateType = predicateType })
	}
	message := workflow(run{})
	for _, r := range []struct {
		name    string
		options SimpleOptions
		words   []word
		want    verdict.ID
	}{
		{"provenance", exact, []word{built(run{})}, allow},
		{"provenance under the second root", exact, []word{elsewhere(built(run{}))}, allow},
		{"provenance under a root that is not named", with(func(o *SimpleOptions) { o.Roots = []string{"sigstore"} }), []word{elsewhere(built(run{}))}, verdict.WrongRoot},
		{"a message signature", exact, []word{{by: message, message: app}}, allow},
		{"a message signature of another file", exact, []word{{by: message, message: evil}}, verdict.NotSubject},
		{"another file", exact, []word{builtOf(run{}, evil)}, verdict.NotSubject},
		{"another workflow", exact, []word{built(run{Workflow: ".github/workflows/ci.yml"})}, verdict.NotFunctionary},
		{"provenance that contradicts its certificate", exact, []word{built(run{}, set("runDetails/builder/id", "https://github.com/acme/other"))}, verdict.ContradictsCert},
		{"a summary that is not asked for", exact, []word{summary("PASSED")}, verdict.ThresholdNotMet},
		{"a failed summary that is not asked for", exact, []word{summary("FAILED")}, verdict.ThresholdNotMet},
		{"a summary that is asked for", typed(vsa.V1), []word{summary("PASSED")}, allow},
		{"a failed summary that is asked for", typed(vsa.V1), []word{summary("FAILED")}, verdict.VSANotPassed},
		{"provenance when a summary is asked for", typed(vsa.V1), []word{built(run{})}, verdict.ThresholdNotMet},
		{"any type: a failed summary's signature", with(func(o *SimpleOptions) { o.AnyPredicate = true }), []word{summary("FAILED")}, allow},
		{"any type: another file", with(func(o *SimpleOptions) { o.AnyPredicate = true }), []word{builtOf(run{}, evil)}, verdict.NotSubject},
		{"a link, whatever step it names", typed(LinkV03), []word{workflow(run{}).says(link("anything", nil, []subject{file("app", app)}))}, allow},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			l, err := Simple(r.options)
			if err != nil {
				t.Fatal(err)
			}
			tr := trial{layout: ready(t, "author-and-builder.yml"), words: r.words}
			in := tr.prepare(t)
			in.Layout = l
			v := Check(in)
			expect(t, v, r.want)
			if r.want == verdict.ThresholdNotMet && !hasReason(v, verdict.UnexpectedPredicate) {
				t.Errorf("no candidate is listed with %s:\n%s", verdict.UnexpectedPredicate, describeAll(v))
			}
		})
	}
}

// hasReason reports whether a candidate did not count for this reason.
func hasReason(v verdict.Verdict, id verdict.ID) bool {
	for _, e := range v.Evidence {
		if !e.Counted && e.Reason != nil && e.Reason.ID == id {
			return true
		}
	}
	return false
}

// GitHub's release attestations have no issuer.
func TestReleaseAttestation(t *testing.T) {
	t.Parallel()
	none := SimpleOptions{Identity: ReleaseIdentity, Issuer: NoIssuer, Roots: []string{"sigstore", "github"}}
	l, err := Simple(none)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"github"}, l.Roots()); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	f := l.functionaries[0]
	if f.issuer != "" || f.identity.text != ReleaseIdentity {
		t.Errorf("functionary is %s", f)
	}
}

func TestSimpleRefuses(t *testing.T) {
	t.Parallel()
	roots := []string{"sigstore"}
	key := mustKey(t, "ivan")
	for name, o := range map[string]SimpleOptions{
		"nothing":                           {},
		"an identity without an issuer":     {Identity: "alice@example.com", Roots: roots},
		"an issuer without an identity":     {Issuer: github, Roots: roots},
		"an identity and a key":             {Identity: "alice@example.com", Issuer: github, Key: &key, Roots: roots},
		"an issuer and a key":               {Issuer: github, Key: &key, Roots: roots},
		"no root":                           {Identity: "alice@example.com", Issuer: github},
		"a star for the identity":           {Identity: "*", Issuer: github, Roots: roots},
		"a star in the identity":            {Identity: "https://github.com/acme/*", Issuer: actions, Roots: roots},
		"a star for the issuer":             {Identity: "alice@example.com", Issuer: "*", Roots: roots},
		"a question mark":                   {Identity: "alice@example.co?", Issuer: github, Roots: roots},
		"a set":                             {Identity: "alice@example.co[m]", Issuer: github, Roots: roots},
		"white space":                       {Identity: "alice @example.com", Issuer: github, Roots: roots},
		"no issuer, for a person":           {Identity: "alice@example.com", Issuer: NoIssuer, Roots: []string{"github"}},
		"no issuer, under another root":     {Identity: ReleaseIdentity, Issuer: NoIssuer, Roots: roots},
		"no issuer, for nearly that server": {Identity: ReleaseIdentity + "/", Issuer: NoIssuer, Roots: []string{"github"}},
	} {
		if l, err := Simple(o); err == nil {
			t.Errorf("%s: a layout was built: %v", name, l.functionaries)
		}
	}
}

func TestSimpleKey(t *testing.T) {
	t.Parallel()
	try := func(root string, w word) verdict.Verdict {
		key := mustKey(t, "ivan")
		l, err := Simple(SimpleOptions{Key: &key, KeyRoot: root})
		if err != nil {
			t.Fatal(err)
		}
		in := trial{layout: ready(t, "author-and-builder.yml"), words: []word{w}}.prepare(t)
		in.Layout = l
		return Check(in)
	}
	bare, logged, other := signer{key: "ivan", bare: true}, signer{key: "ivan"}, signer{key: "grace", bare: true}
	provenance := provenanceOf(run{}, []subject{file("app", app)})
	expect(t, try("", bare.says(provenance)), allow)
	expect(t, try("", word{by: bare, message: app}), allow)
	expect(t, try("sigstore", logged.says(provenance)), allow)
	expect(t, try("sigstore", bare.says(provenance)), verdict.WrongRoot)
	expect(t, try("", other.says(provenance)), verdict.NotFunctionary)
	expect(t, try("", bare.says(provenanceOf(run{}, []subject{file("app", evil)}))), verdict.NotSubject)
}
