package layout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// traced asks for the trace.
func traced(tr trial) trial {
	before := tr.input
	tr.input = func(in *Input) {
		if in.Trace = true; before != nil {
			before(in)
		}
	}
	return tr
}

// tell writes a trace in short, one line for each choice and rule.
func tell(t *verdict.Trace) []string {
	if t == nil {
		return nil
	}
	out := []string{fmt.Sprintf("%s satisfied=%t", t.Anchor, t.Satisfied)}
	for _, c := range t.Choices {
		if c.Lacking != "" {
			out = append(out, fmt.Sprintf("%s: %s", c.Step, c.Lacking))
			continue
		}
		out = append(out, fmt.Sprintf("%s: %d of %d groups, %s for %d", c.Step, c.Sources.Len(), c.Options, strings.Join(c.Principals.First, " "), c.Required))
	}
	for _, l := range t.Lists {
		line := l.Step + " " + strings.TrimPrefix(l.List, "expected")
		if l.Skipped != "" {
			out = append(out, line+" skipped: "+l.Skipped)
		}
		for _, r := range l.Rules {
			keyword, _, _ := strings.Cut(r.Rule, " ")
			rule := fmt.Sprintf("%s %s of %v takes %v", line, keyword, r.Queue.First, r.Consumed.First)
			for _, m := range r.Matches {
				rule += fmt.Sprintf(" %s joined=%t", m.Step, m.Joined)
			}
			if r.Finding != nil {
				rule += " fails " + string(r.Finding.ID)
			}
			out = append(out, rule)
		}
	}
	return out
}

func TestTrace(t *testing.T) {
	t.Parallel()
	const source = "git+https://" + repo
	good := inline(t, fromBuild, authorStep(1, "alice, bob"), buildStep())
	authorRules := []string{
		"author Materials DISALLOW of [] takes []",
		"author Products REQUIRE of [" + source + "] takes []",
		"author Products ALLOW of [" + source + "] takes [" + source + "]",
		"author Products DISALLOW of [] takes []",
	}
	productRules := []string{"build Products CREATE of [app] takes [app]", "build Products DISALLOW of [] takes []"}
	for _, row := range []struct {
		name string
		trial
		want []string
	}{
		{"an assignment that satisfies", trial{layout: good, words: []word{authored(alice(), commitA), built(run{})}}, slices.Concat(
			[]string{"build satisfied=true", "author: 1 of 1 groups, alice for 1", "build: 1 of 1 groups, release for 1"}, authorRules, []string{
				"build Materials REQUIRE of [" + source + "] takes []",
				"build Materials MATCH of [" + source + "] takes [" + source + "] author joined=true",
				"build Materials DISALLOW of [] takes []",
			}, productRules)},
		{"the assignment that is chosen among two", trial{layout: good, words: []word{authored(alice(), commitB), authored(bob(), commitA), built(run{})}}, slices.Concat(
			[]string{"build satisfied=true", "author: 1 of 2 groups, bob for 1", "build: 1 of 1 groups, release for 1"}, authorRules, []string{
				"build Materials REQUIRE of [" + source + "] takes []",
				"build Materials MATCH of [" + source + "] takes [" + source + "] author joined=true",
				"build Materials DISALLOW of [] takes []",
			}, productRules)},
		{"a commit that does not join", trial{layout: good, words: []word{authored(alice(), commitB), built(run{})}}, slices.Concat(
			[]string{"build satisfied=false", "author: 1 of 1 groups, alice for 1", "build: 1 of 1 groups, release for 1"}, authorRules, []string{
				"build Materials REQUIRE of [" + source + "] takes []",
				"build Materials MATCH of [" + source + "] takes [] author joined=false",
				"build Materials DISALLOW of [" + source + "] takes [] fails commit-not-joined",
			}, productRules)},
		{"a step without statements", trial{layout: good, words: []word{built(run{})}}, slices.Concat(
			[]string{
				"build satisfied=false", "author: no attestation with predicate type https://in-toto.io/attestation/link/v0.3 found", "build: 1 of 1 groups, release for 1",
				"author Materials skipped: the step lacks statements", "author Products skipped: the step lacks statements",
				"build Materials skipped: it matches from step author, which lacks statements",
			}, productRules)},
		{"no statement at all", trial{layout: good}, []string{
			"build satisfied=false", "author: no attestation with predicate type https://in-toto.io/attestation/link/v0.3 found",
			"build: no attestation with predicate type https://slsa.dev/provenance/v1 found",
			"author Materials skipped: the step lacks statements", "author Products skipped: the step lacks statements",
			"build Materials skipped: the step lacks statements", "build Products skipped: the step lacks statements",
		}},
		{"statements without products", trial{layout: inline(t, fromBuild, buildStepAlone(), writeStep("scan", rules("MATCH * WITH PRODUCTS FROM build"), rules(), expects(scanType, 1, "scan-wf"))), words: []word{
			built(run{}), workflow(run{Workflow: ".github/workflows/scan.yml"}).says(scan(file("app", app))),
		}}, []string{
			"build satisfied=true", "build: 1 of 1 groups, release for 1", "scan: 1 of 1 groups, scan-wf for 1",
			"build Materials ALLOW of [" + source + "] takes [" + source + "]", "build Materials DISALLOW of [] takes []",
			productRules[0], productRules[1],
			"scan Materials MATCH of [app] takes [app] build joined=true", "scan Materials DISALLOW of [] takes []",
			"scan Products skipped: statements of this type have no products",
		}},
		{"the layout cannot be applied", trial{layout: ready(t, "author-and-builder.yml")}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v, plain := traced(row.trial).judge(t), row.judge(t)
			if diff := cmp.Diff(row.want, tell(v.Trace)); diff != "" {
				t.Errorf("the trace differs (-want +got)\n%s", diff)
			}
			if plain.Trace != nil {
				t.Error("there is a trace that nobody asked for")
			}
			if v.Trace = nil; v.Outcome() != plain.Outcome() || !cmp.Equal(v.Findings, plain.Findings) || !cmp.Equal(v.Steps, plain.Steps) {
				t.Error("a trace changes the verdict")
			}
		})
	}
}

// buildStepAlone is a build that nobody's word is matched with.
func buildStepAlone() string {
	return writeStep("build", rules(allowRepo), rules("CREATE *"), expects(provenance.V1, 1, "release"))
}

// A trace names a few of many artifacts, and the place of every rule.
func TestTraceIsBounded(t *testing.T) {
	t.Parallel()
	const many = 3000
	subjects := []subject{file("app", app)}
	for i := range many {
		subjects = append(subjects, file(fmt.Sprintf("dist/%d", i), fmt.Sprint(i)))
	}
	copies := writeStep("copy", rules("MATCH * WITH PRODUCTS FROM build"), rules("ALLOW *"), expects(LinkV03, 1, "carol"))
	layout := inline(t, `subjects: [{subject: ["*"], from: build}]`, buildStepAlone(), copies)
	v := traced(trial{layout: layout, words: []word{
		workflow(run{}).says(provenanceOf(run{}, subjects)), carol().says(link("copy", subjects, []subject{file("x", "x")})),
	}}).judge(t)
	expect(t, v, allow)
	matched := false
	for _, l := range v.Trace.Lists {
		for _, r := range l.Rules {
			if !strings.HasPrefix(r.Where, "layout.yml:") || strings.Count(r.Where, ":") != 2 {
				t.Errorf("%s stands at %q", r.Rule, r.Where)
			}
			if len(r.Queue.First) > verdict.MaxExcerpt || len(r.Consumed.First) > verdict.MaxExcerpt || len(r.Matches) > verdict.MaxExcerpt {
				t.Errorf("%s: %d, %d and %d names", r.Rule, len(r.Queue.First), len(r.Consumed.First), len(r.Matches))
			}
			if strings.HasPrefix(r.Rule, "MATCH") {
				matched = r.Queue.Len() == many+1 && r.Consumed.Len() == many+1 && len(r.Matches)+r.MoreMatches == many+1
			}
		}
	}
	if !matched {
		t.Errorf("no MATCH of all artifacts:\n%s", strings.Join(tell(v.Trace), "\n"))
	}
}
