package layout

import (
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// allow turns an assignment into a verdict.
func (c *check) allow(a *attempt) verdict.Verdict {
	for _, slot := range a.search.slots {
		for _, m := range a.search.countedIn(slot) {
			if s := m.statement; !slices.Contains(s.steps, slot.step.name) {
				s.steps = append(s.steps, slot.step.name)
			}
		}
	}
	within := c.countWithin(a)
	v := c.verdict
	v.Steps = c.steps(a)
	v.Evidence = c.report(true)
	v.Notes = slices.Concat(c.notes(), a.treeNotes(), within)
	v.Trace = c.trace(a)
	return v.Allow()
}

// deny says why no assignment was found. It is undecided where something that
// might have been the missing statement could not be read or understood.
func (c *check) deny(a *attempt) verdict.Verdict {
	v := c.verdict
	v.Steps = c.steps(a)
	v.Evidence = c.report(false)
	v.Trace = c.trace(a)
	findings := slices.Clip(a.lacking)
	if a.stuck != nil {
		findings = append(findings, c.placed(*a.stuck))
	}
	if a.search.exhausted() && len(a.lacking) == 0 {
		return v.Undecide(verdict.Finding{
			ID: verdict.TooManyAssignments, Step: a.search.anchor.name, Expected: "statements that can be combined in a few ways",
			Found: "too many ways to try", Next: "hand only the evidence of this release, with --bundle",
		})
	}
	if unread := c.unread(); unread != nil && len(a.lacking) > 0 {
		return v.Undecide(append(findings, *unread)...)
	}
	return v.Deny(findings...)
}

// unread returns the reason of a candidate that could not be judged at all.
func (c *check) unread() *verdict.Finding {
	for _, e := range c.Refused {
		if e.Reason != nil && (e.Reason.ID == verdict.BundleTooNew || e.Reason.ID == verdict.SourceUnreadable) {
			return e.Reason
		}
	}
	return nil
}

// steps reports each step as far as it came.
func (c *check) steps(a *attempt) []verdict.Step {
	var out []verdict.Step
	for _, s := range c.layout.steps {
		if !slices.Contains(a.steps, s) {
			continue
		}
		step := verdict.Step{Name: s.name, Counted: a.eligible[s.index]}
		for _, e := range s.entries {
			step.Required += e.threshold
		}
		step.Satisfied = a.found || slices.Contains(a.search.steps, s) && !c.stuckAt(a, s)
		step.By = c.by(a, s)
		out = append(out, step)
	}
	return out
}

// placed gives a finding about a step the step's place, if it has no better one.
func (c *check) placed(f verdict.Finding) verdict.Finding {
	if s, ok := c.layout.boundStep(f.Step); ok && f.Where == "" {
		f.Where = s.at.in(c.Layout.name)
	}
	return f
}

func (c *check) stuckAt(a *attempt, s *boundStep) bool {
	return a.stuck != nil && (a.stuck.Step == s.name || a.stuck.Step == "")
}

// by names the signers of a step, with what they signed: those that count, or
// where nothing was decided those that could.
func (c *check) by(a *attempt, s *boundStep) []string {
	var out []string
	add := func(st *statement) {
		line := fmt.Sprintf("%s, %s", st.signer(), statementName(st.verified.Statement()))
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	for _, slot := range a.search.slots {
		switch {
		case slot.step != s:
		case a.found:
			for _, m := range a.search.countedIn(slot) {
				add(m.statement)
			}
		default:
			for _, g := range slot.options {
				for _, m := range g.members {
					add(m.statement)
				}
			}
		}
	}
	const most = 5
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return out
}
