package layout

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	bom      = "https://cyclonedx.org/bom"
	tool     = "the tool"
	builder  = "acme/builder/.github/workflows/build.yml@refs/tags/v2"
	nextYear = "2027-01-15T00:00:00Z"
)

func sbom(subjects ...subject) []byte {
	return attestationtest.Statement(subjects, bom, map[string]any{"bomFormat": "CycloneDX"})
}

// suggestion is what the caller says of a word, read from the bundle that it has
// signed and verified.
func suggestion(t testing.TB, w word, step string) Suggestion {
	t.Helper()
	v, refused := w.open(t)
	if refused != nil {
		t.Fatalf("what was signed does not verify: %s", refused.Reason)
	}
	expires, err := time.Parse(time.RFC3339, nextYear)
	if err != nil {
		t.Fatal(err)
	}
	s := Suggestion{Signer: v.Signer(), Root: v.Root(), PredicateType: v.Statement().PredicateType, Step: step, Expires: expires, Now: now()}
	if w.by.key != "" {
		s.Key = []byte(keyPEM(t, w.by.key))
	}
	for _, r := range v.Statement().Subjects {
		one := artifact.Subject{Name: r.Name.Text, Digest: r.Digest}
		if r.Name.Ref != "" {
			one.URI = r.Name.Text + "@" + r.Name.Ref
		}
		s.Subjects = append(s.Subjects, one)
	}
	return s
}

func suggest(t testing.TB, s Suggestion) string {
	t.Helper()
	text, err := Suggest(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// signing is something that was signed, and the layout suggested for it.
type signing struct {
	name  string
	word  word
	step  string
	edit  func(*Suggestion)
	have  []artifact.Artifact // each is allowed
	wrong []change
}

// change is ONE thing that is otherwise, and why it is then refused.
type change struct {
	name string
	word word                // in place of what was signed
	have artifact.Artifact   // in place of the first in hand
	edit func(s *Suggestion) // of the suggestion
	want verdict.ID
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, s := range slices.Concat(signedByWorkflows(), signedByOthers(), signedPredicates()) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			asked := suggestion(t, s.word, s.step)
			if s.edit != nil {
				s.edit(&asked)
			}
			text := suggest(t, asked)
			for _, a := range s.have {
				v := trial{layout: text, words: []word{s.word}, input: func(in *Input) { in.Artifact = a }}.judge(t)
				if expect(t, v, allow); t.Failed() {
					t.Fatalf("%s is refused by\n%s", a, text)
				}
			}
			for _, c := range s.wrong {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					w, layout := s.word, text
					if c.word.payload != nil {
						w = c.word
					}
					if c.edit != nil {
						edited := asked
						c.edit(&edited)
						layout = suggest(t, edited)
					}
					expect(t, trial{layout: layout, words: []word{w}, input: func(in *Input) {
						if in.Artifact = s.have[0]; c.have.Digest != nil {
							in.Artifact = c.have
						}
					}}.judge(t), c.want)
				})
			}
		})
	}
}

// certified is the default run's word, with one extension of its certificate set.
func certified(payload []byte, extension, value string) word {
	by := workflow(run{})
	by.id = by.id.With(extension, value)
	return by.says(payload)
}

func underOther(s *Suggestion) { s.Root = "other" }

func signedByWorkflows() []signing {
	theApp := []subject{file("app", app)}
	plain := provenanceOf(run{}, theApp)
	called := run{JobWorkflowRef: builder}
	by := func(claims run) word { return built(claims) }
	calledWith := func(change func(*run)) word { c := called; change(&c); return built(c) }
	linkOfApp := link("build", nil, theApp)
	sources := func(claims run) word { return workflow(claims).says(commitLink("author", repo, commitA)) }
	return []signing{
		{
			name: "workflow, provenance of a file", word: by(run{}), have: []artifact.Artifact{thing("app", app)},
			wrong: []change{
				{name: "a person", word: alice().says(plain), want: verdict.NotFunctionary},
				{name: "another workflow file", word: by(run{Workflow: ".github/workflows/ci.yml"}), want: verdict.NotFunctionary},
				{name: "another ref", word: by(run{Ref: "refs/heads/dev"}), want: verdict.NotFunctionary},
				{name: "a reusable workflow", word: by(called), want: verdict.NotFunctionary},
				{name: "another issuer", word: certified(plain, "issuer", "https://token.actions.example.com"), want: verdict.NotFunctionary},
				{name: "another repository", word: certified(plain, "sourceRepositoryURI", "https://github.com/acme/lib"), want: verdict.ExtensionMismatch},
				{name: "another repository id", word: by(run{RepositoryID: "13"}), want: verdict.ExtensionMismatch},
				{name: "another owner id", word: by(run{OwnerID: "13"}), want: verdict.ExtensionMismatch},
				{name: "another trigger", word: by(run{Trigger: "pull_request"}), want: verdict.ExtensionMismatch},
				{name: "a self-hosted runner", word: by(run{RunnerEnvironment: "self-hosted"}), want: verdict.ExtensionMismatch},
				{name: "another ref in the certificate", word: certified(plain, "sourceRepositoryRef", "refs/heads/dev"), want: verdict.ExtensionMismatch},
				{name: "another workflow in the certificate", word: certified(plain, "buildConfigURI", "https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main"), want: verdict.ExtensionMismatch},
				{name: "another predicate type", word: workflow(run{}).says(sbom(theApp...)), want: verdict.ThresholdNotMet},
				{name: "a link", word: workflow(run{}).says(linkOfApp), want: verdict.ThresholdNotMet},
				{name: "another name", word: workflow(run{}).says(provenanceOf(run{}, []subject{file("app2", app)})), want: verdict.ArtifactNotProduct},
				{name: "another digest in the statement", word: builtOf(run{}, evil), want: verdict.NotSubject},
				{name: "another digest in hand", have: thing("app", evil), want: verdict.NotSubject},
				{name: "the other root signed", word: elsewhere(by(run{})), want: verdict.WrongRoot},
				{name: "the layout's root is the other", edit: underOther, want: verdict.WrongRoot},
				{name: "another commit and run", word: by(run{SHA: commitB, RunID: "9", RunAttempt: "2"}), want: allow},
				{name: "in an environment", word: by(run{Environment: "production"}), want: allow},
			},
		},
		{
			name: "workflow, provenance of several files", step: "release",
			word: workflow(run{}).says(provenanceOf(run{}, []subject{file("dist/app", app), file("dist/the [odd] *tool?.exe", tool)})),
			have: []artifact.Artifact{thing("app", app), thing("x", tool)},
			wrong: []change{
				{name: "another folder", word: workflow(run{}).says(provenanceOf(run{}, []subject{file("app", app)})), want: verdict.ArtifactNotProduct},
				{name: "the odd name as a pattern", have: thing("x", tool), word: workflow(run{}).says(provenanceOf(run{}, []subject{file("dist/the o a tool1.exe", tool)})), want: verdict.ArtifactNotProduct},
				{name: "a third file", have: thing("x", evil), want: verdict.NotSubject},
			},
		},
		{
			name: "workflow, provenance of its own commit", word: workflow(run{}).says(provenanceOf(run{}, []subject{git(repo, commitA)})),
			have: []artifact.Artifact{commitThing(commitA)},
			wrong: []change{
				{name: "another commit in hand", have: commitThing(commitB), want: verdict.NotSubject},
				{name: "a file beside it", word: workflow(run{}).says(provenanceOf(run{}, []subject{git(repo, commitA), file("app", app)})), want: verdict.RuleDisallow},
			},
		},
		{
			name: "workflow on a tag, in an environment", word: by(run{Ref: "refs/tags/v1.2.0", Environment: "production"}), have: []artifact.Artifact{thing("app", app)},
			wrong: []change{
				{name: "another tag", word: by(run{Ref: "refs/tags/v1.2.1", Environment: "production"}), want: verdict.NotFunctionary},
				{name: "another environment", word: by(run{Ref: "refs/tags/v1.2.0", Environment: "staging"}), want: verdict.ExtensionMismatch},
				{name: "no environment", word: by(run{Ref: "refs/tags/v1.2.0"}), want: verdict.ExtensionMismatch},
			},
		},
		{
			name: "reusable workflow", word: by(called), have: []artifact.Artifact{thing("app", app)},
			wrong: []change{
				{name: "a fork calls it", word: calledWith(func(c *run) { c.Repository = "mallory/app" }), want: verdict.ExtensionMismatch},
				{name: "another caller's file", word: calledWith(func(c *run) { c.Workflow = ".github/workflows/ci.yml" }), want: verdict.ExtensionMismatch},
				{name: "called on another ref", word: calledWith(func(c *run) { c.Ref = "refs/heads/dev" }), want: verdict.ExtensionMismatch},
				{name: "another repository id", word: calledWith(func(c *run) { c.RepositoryID = "13" }), want: verdict.ExtensionMismatch},
				{name: "another owner id", word: calledWith(func(c *run) { c.OwnerID = "13" }), want: verdict.ExtensionMismatch},
				{name: "another version of it", word: calledWith(func(c *run) { c.JobWorkflowRef = strings.Replace(builder, "v2", "v3", 1) }), want: verdict.NotFunctionary},
				{name: "the caller itself", word: by(run{}), want: verdict.NotFunctionary},
			},
		},
		{
			name: "reusable workflow, provenance v0.2", have: []artifact.Artifact{thing("app", app)},
			word: workflow(attestationtest.SLSAGenerator(run{})).says(attestationtest.StatementV01(theApp, provenance.V02, attestationtest.ProvenanceV02(run{}))),
			wrong: []change{
				{name: "provenance v1", word: by(attestationtest.SLSAGenerator(run{})), want: verdict.ThresholdNotMet},
				{name: "the layout's root is the other", edit: underOther, want: verdict.WrongRoot},
			},
		},
		{
			name: "workflow with an older certificate", have: []artifact.Artifact{thing("app", app)},
			word: older(run{}).says(plain),
			wrong: []change{
				{name: "another repository", word: older(run{Repository: "mallory/app", JobWorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main"}).says(plain), want: verdict.ExtensionMismatch},
				{name: "another ref", word: older(run{Ref: "refs/heads/dev", JobWorkflowRef: "acme/app/.github/workflows/release.yml@refs/heads/main"}).says(plain), want: verdict.ExtensionMismatch},
				{name: "another trigger", word: older(run{Trigger: "schedule"}).says(plain), want: verdict.ExtensionMismatch},
			},
		},
		{
			name: "workflow, link over files", step: "build", word: workflow(run{}).says(link("build", nil, []subject{file("app", app), file("a*b", tool)})),
			have: []artifact.Artifact{thing("app", app), thing("a*b", tool)},
			wrong: []change{
				{name: "another step's link", word: workflow(run{}).says(link("test", nil, theApp)), want: verdict.LinkOfOtherStep},
				{name: "one of the files alone", word: workflow(run{}).says(linkOfApp), want: allow},
				{name: "a file more", word: workflow(run{}).says(link("build", nil, []subject{file("app", app), file("miner", evil)})), want: verdict.RuleDisallow},
				{name: "a file that the odd name matches as a pattern", word: workflow(run{}).says(link("build", nil, []subject{file("app", app), file("axb", tool)})), want: verdict.RuleDisallow},
				{name: "a material", word: workflow(run{}).says(link("build", []subject{file("src", "x")}, theApp)), want: verdict.RuleDisallow},
				{name: "another name", word: workflow(run{}).says(link("build", nil, []subject{file("app2", app)})), want: verdict.ArtifactNotProduct},
				{name: "another digest", word: workflow(run{}).says(link("build", nil, []subject{file("app", evil)})), want: verdict.NotSubject},
				{name: "provenance", word: by(run{}), want: verdict.ThresholdNotMet},
				{name: "another trigger", word: workflow(run{Trigger: "schedule"}).says(linkOfApp), want: verdict.ExtensionMismatch},
			},
		},
		{
			name: "workflow, link over its commit", step: "author", word: sources(run{}), have: []artifact.Artifact{commitThing(commitA)},
			wrong: []change{
				{name: "a job on another commit", word: sources(run{SHA: commitB}), want: verdict.RuleRequire},
				{name: "another commit in hand", have: commitThing(commitB), want: verdict.NotSubject},
			},
		},
	}
}

// older is a run as Fulcio certified it before the extensions .9 to .22.
func older(claims run) signer {
	by := workflow(claims)
	by.id = by.id.Without("buildSignerURI", "buildSignerDigest", "runnerEnvironment", "sourceRepositoryURI", "sourceRepositoryDigest",
		"sourceRepositoryRef", "sourceRepositoryIdentifier", "sourceRepositoryOwnerURI", "sourceRepositoryOwnerIdentifier",
		"buildConfigURI", "buildConfigDigest", "buildTrigger", "runInvocationURI", "sourceRepositoryVisibilityAtSigning", "tokenSubject")
	return by
}

func signedByOthers() []signing {
	theApp := []subject{file("app", app)}
	materials := []subject{file("src/main.go", "package main"), git("github.com/acme/lib", commitB)}
	used := func(s *Suggestion) {
		for _, m := range materials {
			digest, err := artifact.ParseDigestSet(m.Digest)
			if err != nil {
				panic(err)
			}
			s.Materials = append(s.Materials, artifact.Subject{Name: m.Name, Digest: digest})
		}
	}
	fromGoogle := signer{id: attestationtest.Person("alice@example.com", google)}
	bare, logged := signer{key: "ivan", bare: true}, signer{key: "ivan"}
	keyed := func(name, root string) []change {
		return []change{
			{name: "another key", word: signer{key: "grace", bare: true}.says(link("build", nil, theApp)), want: verdict.NotFunctionary},
			{name: "a person", word: alice().says(link("build", nil, theApp)), want: verdict.NotFunctionary},
			{name: "another step's link", word: signer{key: name, bare: root == ""}.says(link("test", nil, theApp)), want: verdict.LinkOfOtherStep},
			{name: "another name", word: signer{key: name, bare: root == ""}.says(link("build", nil, []subject{file("app2", app)})), want: verdict.ArtifactNotProduct},
			{name: "another digest", word: signer{key: name, bare: root == ""}.says(link("build", nil, []subject{file("app", evil)})), want: verdict.NotSubject},
			{name: "another predicate type", word: signer{key: name, bare: root == ""}.says(sbom(theApp...)), want: verdict.ThresholdNotMet},
			{name: "the layout's root is the other", edit: underOther, want: verdict.WrongRoot},
		}
	}
	return []signing{
		{
			name: "person, link over a commit", step: "author", word: authored(alice(), commitA), have: []artifact.Artifact{commitThing(commitA)},
			wrong: []change{
				{name: "another person", word: authored(bob(), commitA), want: verdict.NotFunctionary},
				{name: "another issuer", word: authored(fromGoogle, commitA), want: verdict.NotFunctionary},
				{name: "a workflow", word: authored(workflow(run{}), commitA), want: verdict.NotFunctionary},
				{name: "another step's link", word: alice().says(commitLink("review", repo, commitA)), want: verdict.LinkOfOtherStep},
				{name: "another repository", word: alice().says(commitLink("author", "github.com/acme/lib", commitA)), want: verdict.ArtifactNotProduct},
				{name: "another commit", word: authored(alice(), commitB), want: verdict.NotSubject},
				{name: "another commit in hand", have: commitThing(commitB), want: verdict.NotSubject},
				{name: "a file beside the commit", word: alice().says(link("author", nil, []subject{git(repo, commitA), file("app", app)})), want: verdict.RuleDisallow},
				{name: "a material", word: alice().says(link("author", []subject{file("src", "x")}, []subject{git(repo, commitA)})), want: verdict.RuleDisallow},
				{name: "another predicate type", word: alice().says(sbom(git(repo, commitA))), want: verdict.ThresholdNotMet},
				{name: "the other root signed", word: elsewhere(authored(alice(), commitA)), want: verdict.WrongRoot},
				{name: "the layout's root is the other", edit: underOther, want: verdict.WrongRoot},
				{name: "another ref", word: alice().says(attestationtest.CommitLink("author", attestationtest.Commit{Repository: repo, Ref: "refs/heads/dev", ID: commitA})), want: allow},
			},
		},
		{
			name: "person, link with materials", step: "build", word: alice().says(link("build", materials, theApp)), edit: used,
			have: []artifact.Artifact{thing("app", app)},
			wrong: []change{
				{name: "a material more", word: alice().says(link("build", append([]subject{file("x", "x")}, materials...), theApp)), want: verdict.RuleDisallow},
				{name: "without its source", word: alice().says(link("build", materials[:1], theApp)), want: verdict.RuleRequire},
			},
		},
		{name: "key without a root, link", step: "build", word: bare.says(link("build", nil, theApp)), have: []artifact.Artifact{thing("app", app)}, wrong: keyed("ivan", "")},
		{
			name: "key under a root, link", step: "build", word: logged.says(link("build", nil, theApp)), have: []artifact.Artifact{thing("app", app)},
			wrong: append(keyed("ivan", "sigstore"), change{name: "without a log", word: bare.says(link("build", nil, theApp)), want: verdict.WrongRoot}),
		},
		{
			name: "key, provenance", word: bare.says(provenanceOf(run{}, theApp)), have: []artifact.Artifact{thing("app", app)},
			wrong: []change{{name: "another file", have: thing("app", evil), want: verdict.NotSubject}},
		},
	}
}

func signedPredicates() []signing {
	two := []subject{file("app", app), file("tool", tool)}
	of := func(by signer, subjects ...subject) word { return by.says(sbom(subjects...)) }
	wrong := func(by signer) []change {
		return []change{
			{name: "another predicate type", word: by.says(scan(two...)), want: verdict.ThresholdNotMet},
			{name: "provenance", word: by.says(provenanceOf(run{}, two)), want: verdict.ThresholdNotMet},
			{name: "a link", word: by.says(link("build", nil, two)), want: verdict.ThresholdNotMet},
			{name: "another name", word: of(by, file("app2", app)), want: verdict.ArtifactNotProduct},
			{name: "another digest", word: of(by, file("app", evil)), want: verdict.NotSubject},
			{name: "a file more", word: of(by, append([]subject{file("miner", evil)}, two...)...), want: verdict.RuleDisallow},
			{name: "a person", word: of(mallory(), two...), want: verdict.NotFunctionary},
			{name: "another key", word: of(signer{key: "grace", bare: true}, two...), want: verdict.NotFunctionary},
			{name: "the layout's root is the other", edit: underOther, want: verdict.WrongRoot},
		}
	}
	both := []artifact.Artifact{thing("app", app), thing("tool", tool)}
	key := signer{key: "ivan", bare: true}
	return []signing{
		{name: "key, an SBOM", word: of(key, two...), have: both, wrong: wrong(key)},
		{
			name: "workflow, an SBOM", word: of(workflow(run{}), two...), have: both,
			wrong: append(wrong(workflow(run{})),
				change{name: "another repository id", word: of(workflow(run{RepositoryID: "13"}), two...), want: verdict.ExtensionMismatch},
				change{name: "a self-hosted runner", word: of(workflow(run{RunnerEnvironment: "self-hosted"}), two...), want: verdict.ExtensionMismatch},
				change{name: "another workflow file", word: of(workflow(run{Workflow: ".github/workflows/ci.yml"}), two...), want: verdict.NotFunctionary},
			),
		},
		{
			name: "person, a scan of a commit", step: "scan", word: alice().says(scan(git(repo, commitA))), have: []artifact.Artifact{commitThing(commitA)},
			wrong: []change{
				{name: "another person", word: bob().says(scan(git(repo, commitA))), want: verdict.NotFunctionary},
				{name: "of another commit", word: alice().says(scan(git(repo, commitB))), want: verdict.NotSubject},
			},
		},
	}
}

// As many subjects as one statement has; half of them have names that fnmatch
// would read as patterns.
func TestSuggestManySubjects(t *testing.T) {
	t.Parallel()
	var subjects []subject
	for i := range artifact.MaxStatementSubjects {
		name := fmt.Sprintf("dist/app-%d", i)
		if i%2 == 1 {
			name = fmt.Sprintf("pages/[slug]/%d?.js", i)
		}
		subjects = append(subjects, file(name, name))
	}
	for _, w := range []word{built(run{}), signer{key: "ivan", bare: true}.says(link("build", nil, subjects)), workflow(run{}).says(sbom(subjects...))} {
		if w.by.key == "" && !strings.Contains(string(w.payload), bom) {
			w.payload = provenanceOf(run{}, subjects)
		}
		text := suggest(t, suggestion(t, w, "build"))
		for _, i := range []int{0, 1, len(subjects) - 1} {
			v := trial{layout: text, words: []word{w}, input: func(in *Input) { in.Artifact = thing("x", subjects[i].Name) }}.judge(t)
			expect(t, v, allow)
		}
	}
}

// Each row breaks one thing of what can be suggested.
func TestSuggestRefuses(t *testing.T) {
	t.Parallel()
	ofWorkflow, ofKey := suggestion(t, built(run{}), ""), suggestion(t, signer{key: "ivan"}.says(link("build", nil, []subject{file("app", app)})), "build")
	ofPerson := suggestion(t, authored(alice(), commitA), "author")
	named := func(names ...string) func(*Suggestion) {
		return func(s *Suggestion) {
			digest := s.Subjects[0].Digest
			s.Subjects = nil
			for _, name := range names {
				s.Subjects = append(s.Subjects, artifact.Subject{Name: name, Digest: digest})
			}
		}
	}
	extension := func(e identity.Extension, value string) func(*Suggestion) {
		return func(s *Suggestion) {
			held := maps.Clone(s.Signer.Extensions)
			if held[e] = value; value == "" {
				delete(held, e)
			}
			s.Signer.Extensions = held
		}
	}
	for _, r := range []struct {
		name  string
		of    Suggestion
		edit  func(*Suggestion)
		words string
	}{
		{"nobody", ofPerson, func(s *Suggestion) { s.Signer = identity.Signer{} }, "signed by nobody"},
		{"no clock", ofPerson, func(s *Suggestion) { s.Now = time.Time{} }, "no time"},
		{"no predicate type", ofPerson, func(s *Suggestion) { s.PredicateType = "" }, "without a predicate type"},
		{"a predicate type that is not UTF-8", ofPerson, func(s *Suggestion) { s.PredicateType = "\xff" }, "UTF-8"},
		{"a root that is not UTF-8", ofKey, func(s *Suggestion) { s.Root = "\xff" }, "UTF-8"},
		{"a link without its step", ofPerson, func(s *Suggestion) { s.Step = "" }, "names no step"},
		{"a step with a space", ofPerson, func(s *Suggestion) { s.Step = "a b" }, "cannot stand in a layout"},
		{"no root for a certificate", ofPerson, func(s *Suggestion) { s.Root = "" }, "root is empty"},
		{"a line break in a comment", ofPerson, func(s *Suggestion) { s.Comment = []string{"x", "a\n_type: x"} }, "line break"},
		{"an invisible mark in a comment", ofPerson, func(s *Suggestion) { s.Comment = []string{"a\u202eb"} }, "cannot be seen"},

		{"expired", ofPerson, func(s *Suggestion) { s.Expires = s.Now }, "expired"},
		{"half a second", ofPerson, func(s *Suggestion) { s.Expires = s.Now.Add(time.Second / 2) }, "expired"},
		{"a second too far", ofPerson, func(s *Suggestion) { s.Expires = s.Now.Add(MaxExpiryPeriod + time.Second) }, "layout-expiry-too-far"},
		{"no expiry", ofPerson, func(s *Suggestion) { s.Expires = time.Time{} }, "expired"},

		{"a wildcard in the identity", ofPerson, func(s *Suggestion) { s.Signer.SAN = "*@example.com" }, "identity"},
		{"a parameter in the identity", ofPerson, func(s *Suggestion) { s.Signer.SAN = "{a}@example.com" }, "identity"},
		{"white space in the identity", ofPerson, func(s *Suggestion) { s.Signer.SAN = "a b@example.com" }, "glob-malformed"},
		{"an identity that is not UTF-8", ofPerson, func(s *Suggestion) { s.Signer.SAN = "\xff@example.com" }, "UTF-8"},
		{"a wildcard in the issuer", ofPerson, func(s *Suggestion) { s.Signer.Issuer = "https://*" }, "issuer"},
		{"no issuer", ofPerson, func(s *Suggestion) { s.Signer.Issuer = "" }, "no issuer"},
		{"an issuer named none", ofPerson, func(s *Suggestion) { s.Signer.Issuer = NoIssuer }, "no issuer"},
		{"a brace in an extension", ofWorkflow, extension(identity.SourceRepositoryRef, "refs/heads/{a}"), "sourceRepositoryRef"},
		{"a wildcard in an extension", ofWorkflow, extension(identity.BuildTrigger, "*"), "buildTrigger"},
		{"a job of no source", ofWorkflow, extension(identity.SourceRepositoryURI, "http://example.com/acme/app"), "proves no source"},

		{"no key", ofKey, func(s *Suggestion) { s.Key = nil }, "public key"},
		{"another key", ofKey, func(s *Suggestion) { s.Key = []byte(keyPEM(t, "grace")) }, "signed"},

		{"no subject", ofWorkflow, named(), "no subject"},
		{"a subject twice", ofWorkflow, named("app", "app"), "two subjects"},
		{"a subject without a digest", ofWorkflow, func(s *Suggestion) { s.Subjects = []artifact.Subject{{Name: "app"}} }, "no digest"},
		{"a digest that nobody accepts", ofWorkflow, func(s *Suggestion) {
			s.Subjects = []artifact.Subject{{Name: "app", Digest: artifact.DigestSet{artifact.SHA1: commitA}}}
		}, "no digest"},
		{"a backslash", ofWorkflow, named(`a\b`), "exactly"},
		{"a control character", ofWorkflow, named("a\nb"), "control character"},
		{"a name outside of its folder", ofWorkflow, named("../a"), "leaves its directory"},
		{"a dotted URI", ofWorkflow, named("pkg:a/../b"), "exactly"},
		{"white space that a rule has to name", ofKey, named("the app"), "white space"},
		{"another white space", ofKey, named("the\u00a0app"), "white space"},
		{"a brace that a rule has to name", ofKey, named("{app}"), "brace"},
		{"a name that a lint takes the end off", ofKey, named(".git"), "glob-malformed"},
		{"a name that turns into a source", ofKey, named("./git@github.com:acme/app"), "exactly"},
		{"a wildcard in a source", ofPerson, named("git+https://github.com/acme/a*b"), "REQUIRE"},
		{"two names of one rule name that disagree", ofWorkflow, func(s *Suggestion) {
			s.Subjects = []artifact.Subject{
				{Name: "a", Digest: artifact.DigestSet{artifact.SHA256: strings.Repeat("a", 64)}}, {Name: "./a", Digest: artifact.DigestSet{artifact.SHA256: strings.Repeat("b", 64)}},
			}
		}, "unequal digests"},
		{"a material outside of its folder", ofKey, func(s *Suggestion) { s.Materials = []artifact.Subject{{Name: "../a"}} }, "materials"},
		{"a material with a backslash", ofKey, func(s *Suggestion) { s.Materials = []artifact.Subject{{Name: `a\b`}} }, "exactly"},
		{"another commit than the job's", ofWorkflow, func(s *Suggestion) {
			s.PredicateType, s.Step = LinkV03, "author"
			s.Subjects = []artifact.Subject{{Name: "git+https://" + repo, Digest: artifact.DigestSet{artifact.GitCommit: commitB}}}
		}, "does not know"},
		{"another commit among the materials", ofWorkflow, func(s *Suggestion) {
			s.Materials = []artifact.Subject{{Name: "git+https://" + repo, Digest: artifact.DigestSet{artifact.GitCommit: commitB}}}
		}, "states"},
		{"more than a layout may have", ofWorkflow, func(s *Suggestion) {
			names := make([]string, 1100)
			for i := range names {
				names[i] = strings.Repeat("x", 4000) + fmt.Sprint(i)
			}
			named(names...)(s)
		}, "bytes"},
	} {
		s := r.of
		r.edit(&s)
		text, err := Suggest(s)
		if err == nil || text != nil || !strings.Contains(err.Error(), r.words) || !strings.HasPrefix(err.Error(), "suggesting a layout: ") {
			t.Errorf("%s: error %v, expected one with %q\n%s", r.name, err, r.words, text)
		}
	}
}

// Bounds, from the inside.
func TestSuggestBounds(t *testing.T) {
	t.Parallel()
	s := suggestion(t, authored(alice(), commitA), "author")
	s.Expires = s.Now.Add(MaxExpiryPeriod)
	s.Comment = []string{"", "# ü: {a}, \"b\" -- c"}
	suggest(t, s)
	s.Expires = s.Now.Add(time.Second + time.Millisecond)
	suggest(t, s)
	release := Suggestion{
		Signer: identity.Signer{SAN: ReleaseIdentity, SANKind: identity.URI}, Root: "github", PredicateType: LinkV03, Step: "release",
		Subjects: s.Subjects, Expires: s.Expires, Now: s.Now,
	}
	if l := mustParse(t, suggest(t, release)); l.functionaries[0].issuer != "" {
		t.Errorf("a release without an issuer has %q", l.functionaries[0].issuer)
	}
}

// What people read.
func TestSuggestGolden(t *testing.T) {
	t.Parallel()
	binaries := []subject{file("dist/app-darwin-arm64", "a"), file("dist/app-linux-amd64", app), file("dist/app [beta].dmg", "b")}
	keyed := suggestion(t, signer{key: "ivan", bare: true}.says(link("build", nil, binaries[:2])), "build")
	author := suggestion(t, authored(alice(), commitA), "author")
	author.Comment = []string{"The bundle is commit-" + commitA + ".sigstore.json."}
	for name, s := range map[string]Suggestion{
		"workflow-provenance.yml": suggestion(t, built(run{}), ""),
		"workflow-several.yml":    suggestion(t, workflow(run{}).says(provenanceOf(run{}, binaries)), "build"),
		"reusable-on-a-tag.yml":   suggestion(t, built(run{Ref: "refs/tags/v1.2.0", JobWorkflowRef: builder, Environment: "production"}), ""),
		"person-commit.yml":       author,
		"key-link.yml":            keyed,
		"workflow-link.yml":       suggestion(t, workflow(run{}).says(link("build", nil, binaries[:2])), "build"),
		"workflow-sbom.yml":       suggestion(t, workflow(run{}).says(sbom(binaries[:2]...)), ""),
	} {
		got := suggest(t, s)
		golden := filepath.Join("testdata", "suggest", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-want +got); go test ./internal/layout -update writes it anew\n%s", golden, diff)
		}
	}
}

// Whatever is signed, by whomever: either there is no layout, or one that lints
// clean, says what was asked for field by field, and names each subject alone.
func FuzzSuggest(f *testing.F) {
	for _, name := range []string{
		"app", "a b", "a: b #c", "'\"%&!|>@`", "- a", "[slug].js", "*", "a\\b", "{a}", "\u202eexe.app", "\u2028", "\u3164", "ü\u00a0", "\ufeffa", "~", "null", "0x1f", "1e3",
		"2026-01-01", "=", "<<", "a/./b", "./git@a:b/c", "git+https://github.com/acme/app", "https://github.com/acme/app/commit/" + commitA, "pkg:npm/a@1", "a\xff", "]", "[!a]", ".git", "a.git/",
	} {
		for kind := range byte(6) {
			f.Add(kind, name, "x", "a line", "refs/heads/main")
		}
		f.Add(byte(0), "x", name, name, name)
	}
	signers := map[byte]Suggestion{
		0: suggestion(f, built(run{}), ""),
		1: suggestion(f, authored(alice(), commitA), "author"),
		2: suggestion(f, signer{key: "ivan", bare: true}.says(sbom(file("a", app))), ""),
	}
	f.Fuzz(func(t *testing.T, kind byte, name, other, free, ref string) {
		s := signers[kind%3]
		if kind%6 > 2 {
			s.PredicateType, s.Step = LinkV03, "build"
		}
		s.Comment = []string{free}
		digest := artifact.DigestSet{artifact.SHA256: strings.Repeat("ab", 32), artifact.GitCommit: commitA}
		s.Subjects = []artifact.Subject{{Name: name, Digest: digest}, {Name: other, Digest: digest}}
		switch kind / 6 % 6 {
		case 1:
			s.Signer.SAN, s.Signer.Issuer = free, ref
		case 2:
			s.Root, s.Step = ref, free
		case 3:
			s.PredicateType = free
		case 4:
			s.Materials = []artifact.Subject{{Name: free, Digest: digest}}
		}
		if kind%3 == 0 {
			s.Signer.Extensions = maps.Clone(s.Signer.Extensions)
			s.Signer.Extensions[identity.SourceRepositoryRef] = ref
			s.Signer.Extensions[identity.DeploymentEnvironment] = free
		}
		text, err := Suggest(s)
		if err != nil {
			if text != nil || !strings.HasPrefix(err.Error(), "suggesting a layout: ") {
				t.Fatalf("%v, with the text %q", err, text)
			}
			return
		}
		l, findings := Parse("layout.yml", text, now())
		if len(findings) > 0 {
			t.Fatalf("%s\n%s", findings[0], text)
		}
		saysSo(t, l, s)
		if i := strings.IndexFunc(strings.ReplaceAll(string(text), "\n", ""), hidden); i >= 0 {
			t.Fatalf("something cannot be seen at %d in\n%s", i, text)
		}
	})
}

// saysSo holds a layout to a suggestion, field by field.
func saysSo(t *testing.T, l *Layout, s Suggestion) {
	t.Helper()
	fn, step := l.functionaries[0], l.steps[0]
	switch {
	case len(l.functionaries) != 1 || len(l.steps) != 1 || len(step.entries) != 1 || len(l.subjects) != 1 || len(l.parameters) > 0 || len(l.deny) > 0:
		t.Fatal("there is more in it than what was signed")
	case !l.expires.Equal(s.Expires) || fn.root != s.Root || fn.keyed != (s.Signer.Key != ""):
		t.Fatalf("it ends %s, root %q, key %t", l.expires, fn.root, fn.keyed)
	case fn.keyed && !fn.key.Signer().Equal(s.Signer), !fn.keyed && (fn.issuer != s.Signer.Issuer || fn.identity.text != s.Signer.SAN):
		t.Fatalf("%s is to sign in place of %s", fn, s.Signer)
	case step.entries[0].predicateTypes[0] != s.PredicateType || step.entries[0].threshold != 1 || l.subjects[0].from != step.name || s.Step != "" && step.name != s.Step:
		t.Fatalf("step %s with %v", step.name, step.entries[0].predicateTypes)
	}
	for _, e := range fn.extensions {
		if len(e.values) != 1 || e.values[0].text != s.Signer.Extensions[e.name] {
			t.Fatalf("%s is %v", e.name, e.values)
		}
	}
	for i, pattern := range l.subjects[0].patterns {
		name, err := artifact.RuleName(s.Subjects[i].Name, s.Subjects[i].URI)
		if err != nil || !pattern.match(name.Text) {
			t.Fatalf("%q does not match %q (%v)", pattern.text, name.Text, err)
		}
		runes := []rune(name.Text)
		for at := range runes {
			changed := slices.Clone(runes)
			changed[at]++
			for _, near := range []string{string(changed), string(slices.Delete(slices.Clone(runes), at, at+1)), string(slices.Insert(slices.Clone(runes), at, 'x')), name.Text + "x"} {
				if near != name.Text && pattern.match(near) {
					t.Fatalf("%q matches %q too", pattern.text, near)
				}
			}
		}
	}
	if n := len(l.subjects[0].patterns); n != 1 && n != len(s.Subjects) {
		t.Fatalf("%d names for %d subjects", n, len(s.Subjects))
	}
}
