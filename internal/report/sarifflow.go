package report

import (
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of what a log tells of rules: the flows of one result, the rules of one
// flow, which are the last ones before it failed, and the rules of all results.
const (
	maxFlows     = 4
	maxFlowRules = 32
	maxRulesTold = 10_000
)

// sarifCodeFlow is a rule list that failed, rule by rule. "A codeFlow object describes
// the progress of one or more programs through one or more thread flows, which together
// lead to the detection of a problem" (SARIF 2.1.0, 3.36.1): the program is the list.
type sarifCodeFlow struct {
	Message     sarifMessage      `json:"message"`
	ThreadFlows []sarifThreadFlow `json:"threadFlows"`
}

type sarifThreadFlow struct {
	Locations []sarifFlowPlace `json:"locations"`
}

type sarifFlowPlace struct {
	Location   sarifRulePlace `json:"location"`
	Nesting    int            `json:"nestingLevel"`
	Importance string         `json:"importance"`
}

type sarifRulePlace struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
	Message  sarifMessage   `json:"message"`
}

// failedList is a list with a rule that failed, and the sublayout that it lies in.
type failedList struct {
	verdict.RuleList
	depth  int // of the layout
	source string
	over   verdict.Excerpt // what its first rule found
}

// failedLists are those of a layout and of the layouts within it, of which failed has
// left nothing else. Of a long one the last rules are told.
func failedLists(t verdict.Trace, depth int, source string) []failedList {
	var out []failedList
	for _, l := range t.Lists {
		over := l.Rules[0].Queue
		l.Rules = l.Rules[max(0, len(l.Rules)-maxFlowRules):]
		out = append(out, failedList{l, depth, source, over})
	}
	for _, s := range t.Sublayouts {
		if s.Trace != nil {
			out = append(out, failedLists(*s.Trace, depth+1, s.Source)...)
		}
	}
	return out
}

// explains reports whether a list that failed is why there is the finding: it is the
// list's own, or it says that a sublayout with this list is not satisfied.
func (l failedList) explains(f verdict.Finding) bool {
	if l.Step == f.Step {
		own := failure(l.RuleList)
		return own.ID == f.ID && own.Rule == f.Rule
	}
	refused := f.ID == verdict.SublayoutRefused || f.ID == verdict.ThresholdNotMet
	return refused && f.Step != "" && strings.HasPrefix(l.Step, f.Step+"/")
}

// flows tells of a finding which rules came to it, where the verdict has a trace.
func (r *sarifRun) flows(d Document, v verdict.Verdict, f verdict.Finding) []sarifCodeFlow {
	if v.Trace == nil {
		return nil
	}
	var out []sarifCodeFlow
	for _, l := range failedLists(failed(*v.Trace), 0, "") {
		if !l.explains(f) {
			continue
		}
		if len(out) == maxFlows || r.rulesTold+len(l.Rules) > maxRulesTold {
			break
		}
		r.rulesTold += len(l.Rules)
		out = append(out, r.flow(d, v.Artifact, f, l))
	}
	return out
}

func (r *sarifRun) flow(d Document, a artifact.Artifact, f verdict.Finding, l failedList) sarifCodeFlow {
	title := fmt.Sprintf("%s of step %s", Clean(l.List), Clean(l.Step))
	if l.source != "" {
		title += ", by the sublayout in " + Clean(l.source)
	}
	var places []sarifFlowPlace
	for _, rule := range l.Rules {
		// A sublayout lies in a bundle: what has a line is the item that asks for it.
		place, text := f, Clean(rule.Rule)+": "+did(rule)
		if l.depth == 0 {
			place = verdict.Finding{Where: rule.Where}
		} else if rule.Where != "" {
			text += ", at " + Clean(rule.Where)
		}
		importance := "important"
		if rule.Finding != nil {
			importance = "essential"
		}
		places = append(places, sarifFlowPlace{
			Nesting: l.depth, Importance: importance,
			Location: sarifRulePlace{
				Physical: r.physical(d, a, place), Logical: []sarifLogical{{Name: Clean(l.Step), Kind: "step"}}, Message: sarifMessage{sarifText(text)},
			},
		})
	}
	title += ", over " + excerpt(l.over, "nothing")
	return sarifCodeFlow{Message: sarifMessage{sarifText(title)}, ThreadFlows: []sarifThreadFlow{{places}}}
}
