package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// flowsOf reads the code flows of each result: "step nesting line importance: message".
func flowsOf(t *testing.T, d report.Document) [][]string {
	t.Helper()
	var all [][]string
	for _, r := range readSARIF(t, d).Runs[0].Results {
		var told []string
		for _, f := range r.CodeFlows {
			for _, l := range f.ThreadFlows[0].Locations {
				line := 0
				if l.Location.Physical.Region != nil {
					line = l.Location.Physical.Region.Line
				}
				told = append(told, fmt.Sprintf("%s %d %s:%d %s: %s", l.Location.Logical[0].Name, l.Nesting, l.Location.Physical.Artifact.URI, line, l.Importance, l.Location.Message.Text))
			}
		}
		all = append(all, told)
	}
	return all
}

// A rule that failed is told with those before it, at their lines; one of a sublayout
// at the line that asks for the sublayout.
func TestSARIFFlows(t *testing.T) {
	t.Parallel()
	v := traced(denied("app"))
	v.Findings = append(v.Findings, *v.Trace.Lists[2].Rules[1].Finding)
	flows := flowsOf(t, context(v))
	const layout = "layouts/author-and-builder.yml"
	want := []string{
		"build 0 " + layout + ":30 important: MATCH git+https://github.com/acme/app WITH PRODUCTS FROM author: takes out nothing, of 2",
		"build 0 " + layout + ":31 essential: DISALLOW *: fails: the statement names x; left was git+https://github.com/acme/app, x",
	}
	if len(flows) != 2 || len(flows[0]) != 0 || !slices.Equal(flows[1], want) {
		t.Errorf("the flows are %q", flows)
	}
	flows = flowsOf(t, context(nested()))
	if len(flows) != 1 || len(flows[0]) != 2 || !strings.HasPrefix(flows[0][1], "vendor/parts/compile 2 layouts/vendor.yml:21 essential: DISALLOW *: fails: the statement names evil") {
		t.Errorf("the flows of a sublayout are %q", flows)
	}
	v.Trace = nil
	if flows := flowsOf(t, context(v)); slices.ContainsFunc(flows, func(f []string) bool { return f != nil }) {
		t.Errorf("without a trace there are flows: %q", flows)
	}
}

// Of many rules, lists and artifacts the first are told, and the log stays small.
func TestSARIFFlowsAreBounded(t *testing.T) {
	t.Parallel()
	finding := verdict.Finding{ID: verdict.RuleDisallow, Step: "s", Rule: "DISALLOW *", Found: "x"}
	var rules []verdict.RuleTrace
	for i := range 100 {
		rules = append(rules, verdict.RuleTrace{Rule: fmt.Sprintf("ALLOW %d", i)})
	}
	list := verdict.RuleList{Step: "s", List: "expectedProducts", Rules: append(rules, verdict.RuleTrace{Rule: "DISALLOW *", Finding: &finding})}
	var verdicts []verdict.Verdict
	for i := range 200 {
		v := verdict.Verdict{Artifact: artifact.Artifact{Given: fmt.Sprint("a", i)}, Trace: &verdict.Trace{}}.Deny(finding)
		for range 6 {
			v.Trace.Lists = append(v.Trace.Lists, list)
		}
		verdicts = append(verdicts, v)
	}
	total := 0
	for i, flow := range flowsOf(t, report.Document{Verdicts: verdicts}) {
		if total += len(flow); i == 0 && (len(flow) != 4*32 || !strings.Contains(flow[31], "essential: DISALLOW *")) {
			t.Errorf("the first result tells of %d rules: %q", len(flow), flow)
		}
	}
	if total > 10_000 || total < 9_000 {
		t.Errorf("%d rules are told of, expected no more than 10,000, and nearly as many", total)
	}
}
