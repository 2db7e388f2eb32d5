package layout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// limit tells a decision that never ends from a machine that is busy; what bounds
// the work is counted, not timed. Speed is measured by make bench.
const limit = time.Minute

// timed decides and holds the time.
func timed(t *testing.T, in Input) verdict.Verdict {
	t.Helper()
	start := time.Now()
	v := Check(in)
	if d := time.Since(start); d > limit {
		t.Errorf("deciding took %s, expected at most %s", d, limit)
	} else {
		t.Logf("%d statements in %s", len(in.Verified), d)
	}
	return v
}

func hexOf(n int) string { return fmt.Sprintf("%040x", n) }

// ivan signs fast: a key without a log.
func ivan() signer { return signer{key: "ivan", bare: true} }

func openAll(t *testing.T, words ...word) []*attestation.Verified {
	t.Helper()
	var out []*attestation.Verified
	for _, w := range words {
		v, refused := w.open(t)
		if refused != nil {
			t.Fatal(refused.Reason)
		}
		out = append(out, v)
	}
	return out
}

// keyed is a layout whose functionaries are the keys ivan and judy (bare), under
// the principals of the same names.
func keyed(t *testing.T, subjects string, steps ...string) *Layout {
	t.Helper()
	return mustParse(t, fmt.Sprintf("_type: layout\nversion: 1\nexpires: \"2027-03-01T00:00:00Z\"\nfunctionaries:\n  ivan: {keyType: ecdsa, keyVal: {public: %q}}\n  heidi: {keyType: ecdsa, keyVal: {public: %q}}\nsteps:\n",
		keyPEM(t, "ivan"), keyPEM(t, "heidi"))+strings.Join(steps, "")+subjects+"\n")
}

func TestManyAuthorsOfOtherCommits(t *testing.T) {
	t.Parallel()
	l := keyed(t, fromBuild, authorStep(1, "ivan"), writeStep("build", rules(requireRepo, matchAuthor, "ALLOW pkg:*"), rules("CREATE *"), expects(provenance.V1, 1, "ivan")))
	var words []word
	for i := range 500 {
		words = append(words, authored(ivan(), hexOf(i)))
	}
	good := []word{authored(ivan(), commitA), ivan().says(provenanceOf(run{}, []subject{file("app", app)}))}
	in := Input{Layout: l, Artifact: thing("app", app), Now: now(), Verified: openAll(t, append(slices.Clone(words), good...)...)}
	expect(t, timed(t, in), allow)
	in.Verified = openAll(t, append(words, good[1])...)
	expect(t, timed(t, in), verdict.CommitNotJoined)

	t.Run("of a build with many dependencies", func(t *testing.T) {
		t.Parallel()
		many := dependencies("git+https://github.com/acme/app", map[string]string{"gitCommit": commitA})
		for i := range 3000 {
			many = append(many, map[string]any{"uri": fmt.Sprintf("pkg:npm/%%40scope/some-package-%d@1.0.%d", i, i)})
		}
		in.Verified = openAll(t, append(slices.Clone(words), good[0], ivan().says(provenanceOf(run{}, []subject{file("app", app)}, set("buildDefinition/resolvedDependencies", many))))...)
		expect(t, timed(t, in), allow)
	})
}

func TestManyUnrelatedStatements(t *testing.T) {
	t.Parallel()
	l := keyed(t, fromBuild, authorStep(1, "ivan"), writeStep("build", rules(requireRepo, matchAuthor), rules("CREATE *"), expects(provenance.V1, 1, "ivan")))
	var verified []*attestation.Verified
	some := openAll(t, authored(signer{key: "grace", bare: true}, commitB), ivan().says(scan(file("x", "x"))), ivan().says(provenanceOf(run{}, []subject{file("x", "x")})),
		authored(ivan(), commitB), ivan().says(commitLink("review", repo, commitA)), elsewhere(authored(alice(), commitA)))
	for i := range 2000 {
		verified = append(verified, some[i%len(some)])
	}
	verified = append(verified, openAll(t, authored(ivan(), commitA), ivan().says(provenanceOf(run{}, []subject{file("app", app)})))...)
	v := timed(t, Input{Layout: l, Artifact: thing("app", app), Now: now(), Verified: verified})
	expect(t, v, allow)
	if len(v.Evidence) != 2002 {
		t.Errorf("%d candidates are listed, expected 2002", len(v.Evidence))
	}
}

// A chain of 100 steps, each matching the one before, in the best and the worst
// order, with decoys at every step.
func TestLongChain(t *testing.T) { //nolint:tparallel // its subtests change one list in turn
	t.Parallel()
	const length = 100
	name := func(i int) string { return fmt.Sprintf("step%d", i) }
	made := func(step int, variant string) []subject {
		return []subject{file("f"+hexOf(step)[36:], fmt.Sprint(step, variant))}
	}
	var steps []string
	var words []word
	for i := range length {
		materials := rules()
		var from []subject
		if i > 0 {
			materials = rules("MATCH * WITH PRODUCTS FROM " + name(i-1))
			from = made(i-1, "")
			words = append(words, ivan().says(link(name(i), made(i-1, "decoy"), made(i, ""))))
		}
		steps = append(steps, writeStep(name(i), materials, rules("CREATE *"), expects(LinkV03, 1, "ivan")))
		words = append(words, ivan().says(link(name(i), from, made(i, ""))), ivan().says(link(name(i), from, made(i, "decoy"))))
	}
	subjects := `subjects: [{subject: ["*"], from: ` + name(length-1) + "}]"
	last := artifact.Artifact{Given: "f", Digest: artifact.DigestSet{artifact.SHA256: made(length-1, "")[0].Digest["sha256"]}}
	verified := openAll(t, words...)
	for order, change := range map[string]func(){"forwards": func() {}, "backwards": func() { slices.Reverse(steps) }} {
		change()
		in := Input{Layout: keyed(t, subjects, steps...), Artifact: last, Now: now(), Verified: verified}
		t.Run(order, func(t *testing.T) { expect(t, timed(t, in), allow) })
		slices.Reverse(in.Verified)
		t.Run(order+", evidence the other way", func(t *testing.T) { expect(t, timed(t, in), allow) })
	}
	t.Run("with a missing link", func(t *testing.T) {
		in := Input{Layout: keyed(t, subjects, steps...), Artifact: last, Now: now()}
		for _, v := range verified {
			if !strings.Contains(string(v.Statement().Predicate), `"name":"step50"`) {
				in.Verified = append(in.Verified, v)
			}
		}
		expect(t, timed(t, in), verdict.LinkOfOtherStep)
	})
}

// Evidence that is made to be ambiguous: many statements fit every step, and
// none of the many ways to combine them fits the whole. Nobody may wait for
// that, and nobody may be let in by it.
func TestAmbiguousEvidenceIsBounded(t *testing.T) { //nolint:tparallel // its subtests measure time
	t.Parallel()
	const width = 12
	// Each of eight steps has twelve statements, and each agrees with every one of
	// the step before on the file a. Only those of the first step, which come to
	// be judged last, are all wrong.
	var steps []string
	var words []word
	for i := range 8 {
		materials, products := rules("ALLOW n*"), rules("ALLOW *")
		from := []subject{}
		if i > 0 {
			materials = rules(fmt.Sprintf("MATCH a WITH PRODUCTS FROM s%d", i-1))
			from = append(from, file("a", "a"))
		} else {
			products = rules("REQUIRE nobody", "ALLOW *")
		}
		steps = append(steps, writeStep(fmt.Sprintf("s%d", i), materials, products, expects(LinkV03, 1, "ivan")))
		for n := range width {
			words = append(words, ivan().says(link(fmt.Sprintf("s%d", i), from, []subject{file("a", "a"), file("z", fmt.Sprint(n)), file("app", app), file("n", fmt.Sprint(i, n))})))
		}
	}
	last := `subjects: [{subject: ["*"], from: s7}]`
	in := Input{Layout: keyed(t, last, steps...), Artifact: thing("app", app), Now: now(), Verified: openAll(t, words...)}
	v := timed(t, in)
	expect(t, v, verdict.TooManyAssignments)
	if v.Outcome() != verdict.Undecided {
		t.Errorf("%s, expected undecided", v.Outcome())
	}
	readable(t, v)

	t.Run("two attempts, of which the second is plainly denied", func(t *testing.T) {
		in := in
		in.Layout = keyed(t, `subjects: [{subject: ["*"], from: s7}, {subject: ["x*"], from: s6}]`, steps...)
		if v := timed(t, in); v.Outcome() == verdict.Allowed {
			t.Error("allowed")
		}
	})

	t.Run("with statements of many subjects", func(t *testing.T) {
		var words []word
		for i := range 3 {
			for n := range 30 {
				made := []subject{file("a", "a"), file("z", fmt.Sprint(n)), file("app", app)}
				for k := range 300 {
					made = append(made, subject{Name: fmt.Sprintf("n%d", k), Digest: map[string]string{"sha256": strings.Repeat("0", 64)}})
				}
				from := []subject{}
				if i > 0 {
					from = slices.Concat(made[:1], made[3:])
				}
				if i == 2 {
					from = append(from, file("z", "never made"))
				}
				words = append(words, ivan().says(link(fmt.Sprintf("s%d", i), from, made)))
			}
		}
		in := in
		in.Layout = keyed(t, `subjects: [{subject: ["*"], from: s2}]`, writeStep("s0", rules(), rules("ALLOW *"), expects(LinkV03, 1, "ivan")),
			writeStep("s1", rules("MATCH * WITH PRODUCTS FROM s0"), rules("ALLOW *"), expects(LinkV03, 1, "ivan")),
			writeStep("s2", rules("MATCH z WITH PRODUCTS FROM s0", "MATCH * WITH PRODUCTS FROM s1"), rules("ALLOW *"), expects(LinkV03, 1, "ivan")))
		in.Verified = openAll(t, words...)
		if v := timed(t, in); v.Allowed() {
			t.Error("allowed")
		}
	})
}

// Choosing who is counted for what is bounded too: 24 people do both of two
// steps that want 13 each.
func TestChoosingPeopleIsBounded(t *testing.T) {
	t.Parallel()
	const people = 24
	var head strings.Builder
	head.WriteString("_type: layout\nversion: 1\nexpires: \"2027-03-01T00:00:00Z\"\nfunctionaries:\n")
	var names []string
	var words []word
	for i := range people {
		by := signer{key: fmt.Sprintf("p%d", i), bare: true}
		names = append(names, by.key)
		fmt.Fprintf(&head, "  %s: {keyType: ecdsa, keyVal: {public: %q}}\n", by.key, keyPEM(t, by.key))
		words = append(words, by.says(link("author", nil, []subject{file("f", "f")})), by.says(link("review", []subject{file("f", "f")}, []subject{file("app", app)})))
	}
	layout := func(threshold int) *Layout {
		return mustParse(t, head.String()+"steps:\n"+writeStep("author", rules(), rules("ALLOW *"), expects(LinkV03, threshold, strings.Join(names, ", ")))+
			writeStep("review", rules("MATCH * WITH PRODUCTS FROM author"), rules("ALLOW *"), expects(LinkV03, threshold, strings.Join(names, ", ")), "distinctFrom: [author]")+
			`subjects: [{subject: ["*"], from: review}]`+"\n")
	}
	in := Input{Artifact: thing("app", app), Now: now(), Verified: openAll(t, words...)}
	in.Layout = layout(people / 2)
	expect(t, timed(t, in), allow)
	in.Layout = layout(people/2 + 1)
	if v := timed(t, in); v.Allowed() {
		t.Error("13 and 13 of 24 people are distinct")
	}
}

// What cannot be read may have been the missing statement: undecided. What can be
// read and is wrong is denied.
func TestUndecided(t *testing.T) {
	t.Parallel()
	layout := ready(t, "author-and-builder.yml")
	refused := func(id verdict.ID) func(*Input) {
		return func(in *Input) {
			in.Refused = append(in.Refused, verdict.Evidence{Source: "x.json", Reason: &verdict.Finding{ID: id, Found: "it is so", Expected: "another", Next: "look"}})
		}
	}
	good := []word{authored(alice(), commitA), built(run{})}
	for _, r := range []struct {
		name  string
		words []word
		input func(*Input)
		want  verdict.Outcome
	}{
		{"a bundle too new, and nothing is missing", good, refused(verdict.BundleTooNew), verdict.Allowed},
		{"a file that cannot be read, and nothing is missing", good, refused(verdict.SourceUnreadable), verdict.Allowed},
		{"a bundle too new, and the author is missing", good[1:], refused(verdict.BundleTooNew), verdict.Undecided},
		{"a file that cannot be read, and the author is missing", good[1:], refused(verdict.SourceUnreadable), verdict.Undecided},
		{"a bundle that is wrong, and the author is missing", good[1:], refused(verdict.SignatureInvalid), verdict.Denied},
		{"a bundle that is wrong, alone", nil, refused(verdict.SignatureInvalid), verdict.Denied},
		{"a bundle too new, alone", nil, refused(verdict.BundleTooNew), verdict.Undecided},
		{"a bundle too new, and another commit", []word{authored(alice(), commitB), good[1]}, refused(verdict.BundleTooNew), verdict.Denied},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			v := trial{layout: layout, params: params(), words: r.words, input: r.input}.judge(t)
			if v.Outcome() != r.want {
				t.Errorf("%s, expected %s\n%s", v.Outcome(), r.want, describeAll(v))
			}
			readable(t, v)
		})
	}
}
