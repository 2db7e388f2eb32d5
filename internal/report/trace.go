package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// trace writes what every rule did, where the verdict has that.
func (p *page) trace(v verdict.Verdict) {
	t := v.Trace
	if t == nil {
		return
	}
	headline := "how it was decided: this assignment satisfies the layout"
	if !t.Satisfied {
		headline = "how it was decided: no assignment satisfies the layout; this one came nearest"
	}
	p.line(2, plain, "", headline)
	p.traceWithin(4, *t)
}

// failures writes of a trace what went wrong.
func (p *page) failures(t verdict.Trace) { p.traceWithin(0, failed(t)) }

// traceWithin writes a layout's steps, and under each the layouts that stand for it.
func (p *page) traceWithin(indent int, t verdict.Trace) {
	for _, step := range tracedSteps(t) {
		label := "step " + Clean(step)
		if step == t.Anchor {
			label += ", which the artifact comes from"
		}
		p.line(indent, plain, "", label)
		for _, c := range t.Choices {
			if c.Step == step {
				p.choice(indent+2, c)
			}
		}
		for _, l := range t.Lists {
			if l.Step == step {
				p.ruleList(indent+2, l)
			}
		}
		for _, s := range t.Sublayouts {
			if s.Step == step {
				p.sublayout(indent+2, s)
			}
		}
	}
	if t.MoreSublayouts > 0 {
		p.line(indent, plain, "", fmt.Sprintf("and %d sublayouts more", t.MoreSublayouts))
	}
}

// sublayout writes what became of a layout that stands for a step, and why: its own
// finding, and under it what its rules did.
func (p *page) sublayout(indent int, s verdict.Sublayout) {
	label := "sublayout in " + Clean(s.Source)
	if s.Subject != "" {
		label += ", asked for " + Clean(s.Subject)
	}
	if s.Finding == nil {
		p.line(indent, green, "✓", " "+label+": satisfied")
	} else {
		p.line(indent, red, "✗", " "+label+": "+refusal(*s.Finding))
		if where := Clean(s.Finding.Where); where != "" {
			p.line(indent+4, plain, "", "at "+where)
		}
	}
	if s.Trace != nil {
		p.traceWithin(indent+2, *s.Trace)
	}
}

// refusal is a finding of a sublayout in one line.
func refusal(f verdict.Finding) string {
	line := cmp.Or(clean(f.Found, maxProse), "refused")
	if f.Step != "" {
		line = "step " + Clean(f.Step) + ": " + line
	}
	if f.Rule != "" && f.ID != verdict.SublayoutRefused { // whose rule lies within
		line += ", by the rule " + Clean(f.Rule)
	}
	if f.ID != "" {
		line += " (" + Clean(string(f.ID)) + ")"
	}
	return clean(line, maxProse)
}

// tracedSteps lists the steps of a trace, each once, in its order.
func tracedSteps(t verdict.Trace) []string {
	var steps []string
	seen := map[string]bool{}
	add := func(step string) {
		if !seen[step] {
			seen[step] = true
			steps = append(steps, step)
		}
	}
	for _, c := range t.Choices {
		add(c.Step)
	}
	for _, l := range t.Lists {
		add(l.Step)
	}
	for _, s := range t.Sublayouts {
		add(s.Step)
	}
	return steps
}

// choice says which statements fill an item of expectedPredicates.
func (p *page) choice(indent int, c verdict.Choice) {
	p.line(indent, plain, "", clean(chosen(c), maxProse))
	if c.Lacking == "" {
		p.line(indent+2, plain, "", "from "+excerpt(c.Sources, "no statement"))
	}
}

func chosen(c verdict.Choice) string {
	if c.Lacking != "" {
		return fmt.Sprintf("%s: %s", Clean(c.Expected), clean(c.Lacking, maxProse))
	}
	line := fmt.Sprintf("%s: %d required, %s", Clean(c.Expected), c.Required, excerpt(c.Principals, "nobody"))
	if c.Options > 1 {
		line += fmt.Sprintf("; one of %d groups of equal statements", c.Options)
	}
	return line
}

// ruleList writes one line for each rule, and one for each artifact that a MATCH
// compared.
func (p *page) ruleList(indent int, l verdict.RuleList) {
	if l.Skipped != "" {
		p.line(indent, plain, "", Clean(l.List)+": not run: "+clean(l.Skipped, maxProse))
		return
	}
	if len(l.Rules) == 0 {
		p.line(indent, plain, "", Clean(l.List)+": no rules")
		return
	}
	p.line(indent, plain, "", Clean(l.List)+", over "+excerpt(l.Rules[0].Queue, "nothing"))
	column := width(each(l.Rules, func(r verdict.RuleTrace) string { return Clean(r.Rule) })...)
	for _, r := range l.Rules {
		s, mark := green, "✓"
		switch {
		case r.Finding != nil:
			s, mark = red, "✗"
		case consumes(r) && r.Consumed.Len() == 0:
			s, mark = plain, "·"
		}
		p.line(indent+2, s, mark, " "+pad(Clean(r.Rule), column)+"  "+did(r))
		for _, m := range r.Matches {
			p.line(indent+6, plain, "", compared(m))
		}
		if r.MoreMatches > 0 {
			p.line(indent+6, plain, "", fmt.Sprintf("and %d more", r.MoreMatches))
		}
	}
}

// keyword is the first word of a rule.
func keyword(r verdict.RuleTrace) string {
	word, _, _ := strings.Cut(r.Rule, " ")
	return strings.ToUpper(word)
}

// consumes reports whether the rule takes artifacts out of the queue.
func consumes(r verdict.RuleTrace) bool { return keyword(r) != "REQUIRE" && keyword(r) != "DISALLOW" }

// did says what a rule did with the queue.
func did(r verdict.RuleTrace) string {
	switch {
	case r.Finding != nil:
		why := cmp.Or(clean(r.Finding.Found, maxProse), Clean(string(r.Finding.ID)))
		return "fails: " + why + "; left was " + excerpt(r.Queue, "nothing")
	case consumes(r):
		return fmt.Sprintf("takes out %s, of %d", excerpt(r.Consumed, "nothing"), r.Queue.Len())
	case keyword(r) == "REQUIRE":
		return fmt.Sprintf("is there, among %d", r.Queue.Len())
	case r.Queue.Len() == 0:
		return "nothing is left"
	default:
		return fmt.Sprintf("covers none of the %d left", r.Queue.Len())
	}
}

// compared says what a MATCH found for one artifact.
func compared(m verdict.Match) string {
	line := Clean(m.Name) + ": "
	switch {
	case m.Joined:
		line += "joined with step " + Clean(m.Step) + ", " + Clean(m.Want)
	case m.Want == "":
		line += "step " + Clean(m.Step) + " has nothing under that name"
	default:
		line += fmt.Sprintf("%s here, %s in step %s", Clean(m.Have), Clean(m.Want), Clean(m.Step))
	}
	return line
}

// excerpt names what it has, or says none.
func excerpt(e verdict.Excerpt, none string) string {
	if e.Len() == 0 {
		return none
	}
	line := clean(strings.Join(each(e.First, Clean), ", "), maxProse)
	if e.More > 0 {
		line += fmt.Sprintf(" and %d more", e.More)
	}
	return line
}
