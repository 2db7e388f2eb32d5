package layout

import (
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// bound is a layout with the caller's parameters filled in.
type bound struct {
	*Layout
	steps []*boundStep
	// keyholders are the principals whose key signed something, by its fingerprint.
	keyholders map[string]*principal
	// params are the caller's values as attributes see them.
	params map[string]any
}

type boundStep struct {
	*step
	index     int
	materials []boundRule
	products  []boundRule
}

// bind fills the parameters. What cannot be filled is a finding.
func (l *Layout) bind(values map[string]string) (*bound, []verdict.Finding) {
	if findings := l.checkParameters(values); len(findings) > 0 {
		return nil, findings
	}
	b := &bound{keyholders: map[string]*principal{}, Layout: l.copyPeople(), params: l.attributeParameters(values)}
	r := &reader{name: l.name}
	for _, f := range b.functionaries {
		b.bindFunctionary(r, f, values)
	}
	// Two parameters may turn out to have one value, and two people to be one.
	(&linter{Layout: b.Layout, reader: r}).people()
	b.bindSummaries(r, values)
	b.bindSublayouts(r, values)
	for i, s := range b.Layout.steps {
		b.steps = append(b.steps, &boundStep{
			step: s, index: i,
			materials: bindRules(r, s.materials.rules, values),
			products:  bindRules(r, s.products.rules, values),
		})
	}
	return b, r.problems
}

// copyPeople copies what binding writes to, so that one layout serves several
// checks at once.
func (l *Layout) copyPeople() *Layout {
	c := *l
	people := map[*principal]*principal{}
	c.principals = nil
	for _, p := range l.principals {
		q := *p
		q.functionaries = nil
		people[p] = &q
		c.principals = append(c.principals, &q)
	}
	functionaries := map[*functionary]*functionary{}
	c.functionaries = nil
	for _, f := range l.functionaries {
		g := *f
		g.principal = people[f.principal]
		g.principal.functionaries = append(g.principal.functionaries, &g)
		g.extensions = slices.Clone(f.extensions)
		functionaries[f] = &g
		c.functionaries = append(c.functionaries, &g)
	}
	c.steps = nil
	for _, s := range l.steps {
		t := *s
		t.entries = nil
		for _, e := range s.entries {
			d := *e
			d.allowed = nil
			for _, f := range e.allowed {
				d.allowed = append(d.allowed, functionaries[f])
			}
			t.entries = append(t.entries, &d)
		}
		c.steps = append(c.steps, &t)
	}
	return &c
}

func (b *bound) bindFunctionary(r *reader, f *functionary, values map[string]string) {
	if f.keyed {
		return
	}
	text, err := f.identity.fill(values)
	if err == nil {
		f.bound, err = identity.ParsePattern(text)
	}
	if err != nil {
		r.problem(verdict.ParameterMalformed, f.at, says{err.Error(), "a value for every parameter", "check --param"})
		return
	}
	for i, e := range f.extensions {
		f.extensions[i].bound = nil
		for _, t := range e.values {
			value, err := t.fill(values)
			if err != nil {
				r.problem(verdict.ParameterMalformed, f.at, says{err.Error(), "a value for every parameter", "check --param"})
				return
			}
			f.extensions[i].bound = append(f.extensions[i].bound, value)
		}
	}
}

func bindRules(r *reader, rules []rule, values map[string]string) []boundRule {
	var out []boundRule
	for _, rule := range rules {
		bound, err := rule.bind(values)
		if err != nil {
			r.problem(verdict.RuleMalformed, rule.at, says{err.Error(), "a rule that can be read with the parameters filled in", "correct the rule or the parameter"})
			continue
		}
		// A name may turn out to be a git source's only with the parameters.
		if bound.kind == matchRule && bound.git && !slices.ContainsFunc(out, bound.isRequiredBy) {
			r.problem(verdict.MatchWithoutReq, rule.at, says{fmt.Sprintf("%q has no REQUIRE of that name before it", rule.text), "REQUIRE " + rule.pattern.text, "add it: a statement that lists no source would pass the MATCH"})
			continue
		}
		out = append(out, bound)
	}
	return out
}

// boundStep returns the named step.
func (b *bound) boundStep(name string) (*boundStep, bool) {
	for _, s := range b.steps {
		if s.name == name {
			return s, true
		}
	}
	return nil, false
}

// from orders the steps along their MATCH rules, beginning at the anchor. With
// only set, just what the anchor matches from takes part.
func (b *bound) from(anchor *boundStep, only bool) []*boundStep {
	named := map[string]*boundStep{}
	for _, s := range b.steps {
		named[s.name] = s
	}
	next := map[string][]*boundStep{} // by a step's name: those that are joined with it
	for _, s := range b.steps {
		for _, source := range s.sources() {
			if from, ok := named[source]; ok {
				next[s.name] = append(next[s.name], from)
				if !only {
					next[source] = append(next[source], s)
				}
			}
		}
	}
	order, seen := []*boundStep{anchor}, map[*boundStep]bool{anchor: true}
	for i := 0; i < len(order); i++ {
		linked := next[order[i].name]
		slices.SortStableFunc(linked, func(a, b *boundStep) int { return a.index - b.index })
		for _, s := range linked {
			if !seen[s] {
				seen[s] = true
				order = append(order, s)
			}
		}
	}
	return order
}
