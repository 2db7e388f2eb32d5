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
	for _, step := range tracedSteps(*t) {
		label := "step " + Clean(step)
		if step == t.Anchor {
			label += ", which the artifact comes from"
		}
		p.line(4, plain, "", label)
		for _, c := range t.Choices {
			if c.Step == step {
				p.choice(c)
			}
		}
		for _, l := range t.Lists {
			if l.Step == step {
				p.ruleList(l)
			}
		}
	}
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
	return steps
}

// choice says which statements fill an item of expectedPredicates.
func (p *page) choice(c verdict.Choice) {
	p.line(6, plain, "", clean(chosen(c), maxProse))
	if c.Lacking == "" {
		p.line(8, plain, "", "from "+excerpt(c.Sources, "no statement"))
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
func (p *page) ruleList(l verdict.RuleList) {
	if l.Skipped != "" {
		p.line(6, plain, "", Clean(l.List)+": not run: "+clean(l.Skipped, maxProse))
		return
	}
	if len(l.Rules) == 0 {
		p.line(6, plain, "", Clean(l.List)+": no rules")
		return
	}
	p.line(6, plain, "", Clean(l.List)+", over "+excerpt(l.Rules[0].Queue, "nothing"))
	column := width(each(l.Rules, func(r verdict.RuleTrace) string { return Clean(r.Rule) })...)
	for _, r := range l.Rules {
		s, mark := green, "✓"
		switch {
		case r.Finding != nil:
			s, mark = red, "✗"
		case consumes(r) && r.Consumed.Len() == 0:
			s, mark = plain, "·"
		}
		p.line(8, s, mark, " "+pad(Clean(r.Rule), column)+"  "+did(r))
		for _, m := range r.Matches {
			p.line(12, plain, "", compared(m))
		}
		if r.MoreMatches > 0 {
			p.line(12, plain, "", fmt.Sprintf("and %d more", r.MoreMatches))
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

type traceView struct {
	Anchor    string         `json:"anchor"`
	Satisfied bool           `json:"satisfied"`
	Choices   []choiceView   `json:"choices"`
	Lists     []ruleListView `json:"lists"`
}

type choiceView struct {
	Step       string      `json:"step"`
	Expected   string      `json:"expected"`
	Required   int         `json:"required"`
	Options    int         `json:"options"`
	Sources    excerptView `json:"sources"`
	Principals excerptView `json:"principals"`
	Lacking    string      `json:"lacking"`
}

type ruleListView struct {
	Step    string     `json:"step"`
	List    string     `json:"list"`
	Skipped string     `json:"skipped"`
	Rules   []ruleView `json:"rules"`
}

type ruleView struct {
	Rule        string       `json:"rule"`
	Where       string       `json:"where"`
	Queue       excerptView  `json:"queue"`
	Consumed    excerptView  `json:"consumed"`
	Matches     []matchView  `json:"matches"`
	MoreMatches int          `json:"moreMatches"`
	Finding     *findingView `json:"finding,omitzero"`
}

type matchView struct {
	Name   string `json:"name"`
	Step   string `json:"step"`
	Joined bool   `json:"joined"`
	Have   string `json:"have"`
	Want   string `json:"want"`
}

type excerptView struct {
	First []string `json:"first"`
	More  int      `json:"more"`
}

func viewTrace(t *verdict.Trace) *traceView {
	if t == nil {
		return nil
	}
	return &traceView{
		Anchor: t.Anchor, Satisfied: t.Satisfied,
		Choices: each(t.Choices, func(c verdict.Choice) choiceView {
			return choiceView{c.Step, c.Expected, c.Required, c.Options, excerptView(c.Sources), excerptView(c.Principals), c.Lacking}
		}),
		Lists: each(t.Lists, func(l verdict.RuleList) ruleListView {
			return ruleListView{l.Step, l.List, l.Skipped, each(l.Rules, viewRule)}
		}),
	}
}

func viewRule(r verdict.RuleTrace) ruleView {
	view := ruleView{
		Rule: r.Rule, Where: r.Where, Queue: excerptView(r.Queue), Consumed: excerptView(r.Consumed),
		Matches: each(r.Matches, func(m verdict.Match) matchView { return matchView(m) }), MoreMatches: r.MoreMatches,
	}
	if r.Finding != nil {
		finding := viewFinding(*r.Finding)
		view.Finding = &finding
	}
	return view
}
