package report_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// under is a repository whose names begin in a folder of it.
func under(folder string) report.Options {
	return report.Options{Relative: func(name string) (string, bool) {
		return folder + "/" + name, !strings.HasPrefix(name, "/")
	}}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	rule := context(deniedByRule())
	rule.Verdicts[0].Findings = rule.Verdicts[0].Findings[1:2]
	outside := context(verdict.Verdict{Artifact: inHand("app")}.Deny(verdict.Finding{ID: verdict.RuleDisallow, Where: "/srv/a.yml:3:1", Found: "x"}))
	several := context(denied("a"), allowed("b"), denied("c"), denied("d"))
	open := undecided()
	for name, row := range map[string]struct {
		summary report.JobSummary
		options report.Options
		want    []report.Annotation
	}{
		"allowed": {report.JobSummary{Verdict: "allowed", Judged: new(context(allowed("app")))}, report.Options{}, nil},
		"a rule": {report.JobSummary{Verdict: "denied", Judged: &rule}, report.Options{}, []report.Annotation{{
			Level: report.Error, Title: "signatus: denied, rule-disallow", File: "layouts/author-and-builder.yml", Line: 14, Column: 7,
			Text: "app-linux-amd64, step build: material git+https://github.com/evil/app is left over\nrule DISALLOW *\nat layouts/author-and-builder.yml:14:7\nexpected only materials that an earlier rule consumes\nnext: build without it, or add a rule that allows it above this one",
		}}},
		"a rule, in a folder": {report.JobSummary{Verdict: "denied", Judged: &rule}, under("sub"), []report.Annotation{{
			Level: report.Error, Title: "signatus: denied, rule-disallow", File: "sub/layouts/author-and-builder.yml", Line: 14, Column: 7,
			Text: "app-linux-amd64, step build: material git+https://github.com/evil/app is left over\nrule DISALLOW *\nat layouts/author-and-builder.yml:14:7\nexpected only materials that an earlier rule consumes\nnext: build without it, or add a rule that allows it above this one",
		}}},
		"a layout elsewhere": {report.JobSummary{Verdict: "denied", Judged: &outside}, under("sub"), []report.Annotation{{
			Level: report.Error, Title: "signatus: denied, rule-disallow", Text: "app: x\nat /srv/a.yml:3:1",
		}}},
		"the same of several": {report.JobSummary{Verdict: "denied", Judged: &several}, report.Options{}, []report.Annotation{{
			Level: report.Error, Title: "signatus: denied, signer-not-functionary",
			Text: "a and 2 more, step author: 1 attestation found, signer mallory@example.com is not a functionary of this step\nexpected alice@example.com or bob@example.com (issuer https://accounts.google.com)\nnext: have one of them run  signatus attest --commit 3f2a9c1 --step author",
		}}},
		"undecided": {report.JobSummary{Verdict: "undecided", Judged: &open}, report.Options{}, []report.Annotation{
			{Level: report.Warning, Title: "signatus: undecided, source-unreadable", Text: "app-linux-amd64: asking GitHub for attestations: 503 Service Unavailable after 4 tries\nexpected an answer, even an empty one\nnext: try again, or name the bundle with --bundle"},
			{Level: report.Warning, Title: "signatus", Text: "refreshing root sigstore: no answer within 5s; in use: embedded, 2026-08-12; next: check the network"},
		}},
		"nothing verified": {report.JobSummary{Verdict: "denied", Judged: &report.Document{Verdicts: make([]verdict.Verdict, 1)}}, report.Options{}, []report.Annotation{{
			Level: report.Error, Title: "signatus: denied, no-candidate", Text: "no artifact in hand: nothing was verified that would allow it\nexpected evidence\nnext: name an artifact, and its evidence with --bundle",
		}}},
		"said already": {report.JobSummary{Verdict: "failed", Problems: []report.Problem{{What: "there is no such input", Next: "leave it out"}}}, report.Options{}, nil},
		"skipped": {report.JobSummary{Verdict: "skipped", Signed: &report.Signed{Skipped: "a run that Dependabot started"}}, report.Options{}, []report.Annotation{
			{Level: report.Notice, Title: "signatus", Text: "skipped, nothing is signed: this is a run that Dependabot started\nnext: sign in a workflow that runs on push, after the merge; verify works here. Where a run that signs nothing must fail, as in a release, give  require: \"true\""},
		}},
		"signed": {report.JobSummary{Verdict: "signed", Signed: &report.Signed{Bundles: []*report.SignedBundle{{}}, Warnings: []string{"no root was refreshed"}}}, report.Options{}, []report.Annotation{
			{Level: report.Warning, Title: "signatus", Text: "no root was refreshed"},
		}},
	} {
		if diff := cmp.Diff(row.want, row.summary.Annotations(row.options, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// GitHub shows ten errors and ten warnings of a step: the others are counted.
func TestAnnotationsAreBounded(t *testing.T) {
	t.Parallel()
	findings := func(n int) *report.Document {
		v := verdict.Verdict{Artifact: inHand("app")}
		for i := range n {
			v = v.Deny(verdict.Finding{ID: verdict.RuleDisallow, Found: fmt.Sprint(i)})
		}
		return &report.Document{Verdicts: []verdict.Verdict{v}}
	}
	for _, row := range []struct {
		given            map[report.Level]int
		errors, warnings int
		last             string
	}{
		{nil, 10, 10, "w9"},
		{nil, 11, 10, "1 error more is in the step's log"},
		{nil, 10, 11, "1 warning more is in the step's log"},
		{nil, 500, 100, "490 errors and 90 warnings more are in the step's log"},
		{map[report.Level]int{report.Error: 3}, 7, 1, "w0"},
		{map[report.Level]int{report.Error: 3}, 9, 1, "2 errors more are in the step's log"},
		{map[report.Level]int{report.Error: 12, report.Warning: 1}, 1, 10, "3 errors and 1 warning more are in the step's log"},
	} {
		d := findings(row.errors)
		for i := range row.warnings {
			d.Warnings = append(d.Warnings, fmt.Sprint("w", i))
		}
		got := report.JobSummary{Verdict: "denied", Judged: d}.Annotations(report.Options{}, row.given)
		count := maps.Clone(row.given)
		if count == nil {
			count = map[report.Level]int{}
		}
		for _, a := range got {
			count[a.Level]++
		}
		if count[report.Error] > max(report.MaxAnnotations, row.given[report.Error]) || count[report.Warning] > report.MaxAnnotations || count[report.Notice] > 1 || got[len(got)-1].Text != row.last {
			t.Errorf("%d errors, %d warnings: %v, the last is %q", row.errors, row.warnings, count, got[len(got)-1].Text)
		}
	}
}

// A problem is one, with what to do below it, and nothing hidden in it.
func TestProblemAnnotation(t *testing.T) {
	t.Parallel()
	got := report.Problem{What: "there is no \u202esuch input", Next: "leave it\nout"}.Annotation(report.Warning)
	want := report.Annotation{Level: report.Warning, Title: "signatus", Text: "there is no \\u202esuch input\nnext: leave it\\nout"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (report.Problem{What: "x"}).Annotation(report.Error); got.Level != report.Error || got.Text != "x" {
		t.Errorf("without a next step: %+v", got)
	}
}

// Nothing that is hidden gets into an annotation, and nothing hidden names its file.
func TestAnnotationsHostile(t *testing.T) {
	t.Parallel()
	for _, evil := range slices.Concat(evilSummaries(), []string{"a\u202e.yml:1:1", "a\n.yml:1:1", "a.yml:1:1"}) {
		for _, s := range hostileSummaries(evil) {
			for _, a := range s.Annotations(report.Options{}, nil) {
				for _, text := range append(strings.Split(a.Text, "\n"), a.Title, a.File) {
					if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
						t.Errorf("%q leaves %q", evil, text)
					}
				}
				if len(a.Text) > 64<<10 || len(a.Title) > 1024 {
					t.Errorf("%q makes %d bytes under %d", evil, len(a.Text), len(a.Title))
				}
			}
		}
	}
}
