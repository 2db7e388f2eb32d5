package layout

import (
	"slices"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// recorder keeps what a queue did with each rule, for a report. Nil records
// nothing and costs nothing.
type recorder struct {
	way   string // to the layout's steps
	rules []verdict.RuleTrace
}

// moment is a queue as a rule finds it.
type moment struct {
	names []string
	joins int
}

func (t *recorder) before(q *queue) moment {
	if t == nil {
		return moment{}
	}
	return moment{slices.Clone(q.names), len(q.joins)}
}

func (t *recorder) after(q *queue, r boundRule, before moment, finding *verdict.Finding) {
	if t == nil {
		return
	}
	consumed := slices.DeleteFunc(slices.Clone(before.names), func(name string) bool {
		_, left := slices.BinarySearch(q.names, name)
		return left
	})
	if finding != nil && !q.classic { // whose steps are named with the way to them
		told := *finding
		told.Step = t.way + told.Step
		finding = &told
	}
	rule := verdict.RuleTrace{
		Rule: r.text, Where: r.at.in(q.layout), Finding: finding,
		Queue: verdict.NewExcerpt(before.names), Consumed: verdict.NewExcerpt(consumed),
	}
	if r.kind == matchRule {
		rule.Matches = append(joined(q.joins[before.joins:], t.way+r.from), q.inVain(r, t.way+r.from)...)
		if over := len(rule.Matches) - verdict.MaxExcerpt; over > 0 {
			rule.Matches, rule.MoreMatches = rule.Matches[:verdict.MaxExcerpt], over
		}
	}
	t.rules = append(t.rules, rule)
}

// joined describes what a MATCH consumed. Several counted statements of the other
// step can have one artifact; it is one match.
func joined(joins []join, from string) []verdict.Match {
	var out []verdict.Match
	for _, j := range joins {
		m := verdict.Match{Name: j.resource.Name.Text, Step: from, Joined: true, Have: j.resource.Digest.String(), Want: j.want.String()}
		if len(out) == 0 || out[len(out)-1].Name != m.Name {
			out = append(out, m)
		}
	}
	return out
}

// inVain describes what a MATCH covered and could not join.
func (q *queue) inVain(r boundRule, from string) []verdict.Match {
	var out []verdict.Match
	for _, name := range q.names {
		if m, missed := q.missed[name]; missed && m.rule.at == r.at && m.rule.text == r.text {
			match := verdict.Match{Name: name, Step: from, Have: q.over[name].Digest.String() + q.remark(name)}
			if m.want != nil {
				match.Want = m.want.String()
			}
			out = append(out, match)
		}
	}
	return out
}

// trace tells what the rules did with the assignment of an attempt, or with the
// one that came nearest. The search itself keeps nothing: the rules are run again.
func (c *check) trace(a *attempt) *verdict.Trace {
	if !c.Trace {
		return nil
	}
	if !a.search.restore(a) {
		a.search.chooseNothing()
	}
	way := c.nested.way
	t := &verdict.Trace{Anchor: way + a.search.anchor.name, Satisfied: a.found}
	for _, step := range c.layout.steps {
		if !slices.Contains(a.steps, step) {
			continue
		}
		t.Choices = append(t.Choices, c.choices(a, step)...)
		for list, rules := range [][]boundRule{step.materials, step.products} {
			t.Lists = append(t.Lists, a.search.traceList(way, step, list, rules)...)
		}
		t.Sublayouts = append(t.Sublayouts, c.traceSublayouts(step)...)
	}
	if c.nested.depth == 0 {
		t.Bound()
	}
	return t
}

// traceSublayouts tells of the layouts that were judged for a step.
func (c *check) traceSublayouts(step *boundStep) (out []verdict.Sublayout) {
	for _, e := range step.entries {
		for _, s := range c.statements {
			if result := s.sublayouts[e]; result != nil && result.told != nil {
				out = append(out, *result.told)
			}
		}
	}
	return out
}

// restore puts the choices back that satisfied everything, or came nearest.
func (s *search) restore(a *attempt) bool {
	if a.stuck == nil {
		return a.found || s.partial && len(s.slots) > 0 && !s.exhausted()
	}
	for i, slot := range s.slots {
		slot.chosen = nil
		if i < len(s.nearest) {
			slot.chosen = s.nearest[i]
		}
	}
	return true
}

func (s *search) chooseNothing() {
	for _, slot := range s.slots {
		slot.chosen = nil
	}
}

// choices describes what was taken for each item of a step.
func (c *check) choices(a *attempt, step *boundStep) []verdict.Choice {
	var out []verdict.Choice
	for _, e := range step.entries {
		choice := verdict.Choice{Step: c.nested.way + step.name, Expected: e.expected(), Required: e.threshold}
		i := slices.IndexFunc(a.search.slots, func(s *slot) bool { return s.step == step && s.entry == e })
		switch {
		case i < 0:
			choice.Lacking = a.lacks(step.name)
		case a.search.slots[i].chosen == nil:
			choice.Options = len(a.search.slots[i].options)
			choice.Lacking = "not reached: a choice before this one already failed"
		default:
			slot := a.search.slots[i]
			choice.Options = len(slot.options)
			choice.Sources, choice.Principals = a.chosen(slot)
		}
		out = append(out, choice)
	}
	return out
}

// lacks says what a step without enough statements lacks.
func (a *attempt) lacks(step string) string {
	for _, f := range a.lacking {
		if f.Step == step {
			return f.Found
		}
	}
	return "the step lacks statements"
}

// chosen names the statements of a slot's group, and who is counted for them.
func (a *attempt) chosen(slot *slot) (sources, principals verdict.Excerpt) {
	members := slot.chosen.members
	if a.found {
		members = a.search.countedIn(slot)
	}
	var from, who []string
	for _, m := range members {
		from = append(from, m.statement.verified.Source())
		if !slices.Contains(who, m.principal.id) {
			who = append(who, m.principal.id)
		}
	}
	return verdict.NewExcerpt(from), verdict.NewExcerpt(who)
}

// traceList runs one rule list of a step again, for each group that was chosen.
func (s *search) traceList(way string, step *boundStep, list int, rules []boundRule) []verdict.RuleList {
	name := []string{"expectedMaterials", "expectedProducts"}[list]
	skipped := func(why string) []verdict.RuleList {
		return []verdict.RuleList{{Step: way + step.name, List: name, Skipped: why}}
	}
	own := s.slotsOf(step)
	if len(own) == 0 {
		return skipped("the step lacks statements")
	}
	if why := s.undecidable(own, rules); why != "" {
		return skipped(why)
	}
	var out []verdict.RuleList
	for _, slot := range own {
		traced := verdict.RuleList{Step: way + step.name, List: name}
		if q, rules := s.queue(ruleRun{slot, list}); q == nil {
			traced.Skipped = "statements of this type have no products"
		} else {
			q.trace = &recorder{way: way}
			q.run(rules)
			traced.Rules = q.trace.rules
		}
		out = append(out, traced)
	}
	return out
}

// undecidable says why rules cannot be run: their own statements are not chosen,
// or those that they match from.
func (s *search) undecidable(own []*slot, rules []boundRule) string {
	if slices.ContainsFunc(own, func(slot *slot) bool { return slot.chosen == nil }) {
		return "not reached: a choice before this one already failed"
	}
	for _, r := range rules {
		if r.kind != matchRule {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(s.slots), func(slot *slot) bool { return slot.step.name != r.from })
		if len(others) == 0 {
			return "it matches from step " + r.from + ", which lacks statements"
		}
		if slices.ContainsFunc(others, func(slot *slot) bool { return slot.chosen == nil }) {
			return "it matches from step " + r.from + ", for which nothing was chosen yet"
		}
	}
	return ""
}
