package layout

import (
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// maxTries bounds how many rule evaluations one artifact may cost. Real layouts
// need a handful; only evidence made to be ambiguous comes near.
const maxTries = 200_000

// group is the statements for one item of expectedPredicates that make the same
// claims, and the principals behind them. "threshold distinct principals make
// statements with equal normalised materials and products." (LAYOUT.md 1.)
type group struct {
	claims  *claims
	members []member
}

type member struct {
	statement *statement
	principal *principal
}

// principals lists who stands behind the group, each once.
func (g *group) principals() []*principal {
	var out []*principal
	for _, m := range g.members {
		if !slices.Contains(out, m.principal) {
			out = append(out, m.principal)
		}
	}
	return out
}

// assignment is a choice of one group for every item of every step.
type assignment struct {
	groups [][]*group // by step index; nil for a step not chosen yet
	// people are the principals counted for each step, once all groups stand.
	people [][]*principal
}

// search looks for one assignment that satisfies everything at once.
type search struct {
	layout   *bound
	order    []*boundStep
	options  [][]*combination // by step index: one combination of groups per choice
	accepted []artifact.Algorithm
	anchor   *boundStep // the step that the artifact in hand comes from
	partial  bool       // some steps lack statements; the search only explains

	current assignment
	joined  [][]string // by step index: the steps its MATCH rules joined with
	tries   int

	// best is how far the search came, and what stopped it there.
	best    int
	stopped *verdict.Finding
	failed  string // the step that stopped it
}

// combination is one group for each item of a step's expectedPredicates.
type combination struct{ groups []*group }

// run searches depth first along the MATCH rules, beginning at the artifact, so
// that every choice is checked against those it joins with as soon as it can be.
func (s *search) run(depth int) bool {
	if depth == len(s.order) {
		return s.complete()
	}
	step := s.order[depth]
	for _, option := range s.options[step.index] {
		s.current.groups[step.index] = option.groups
		if finding := s.evaluate(depth); finding != nil {
			s.note(depth, finding)
		} else if s.run(depth + 1) {
			return true
		}
		if s.tries > maxTries {
			return false
		}
	}
	s.current.groups[step.index] = nil
	return false
}

// evaluate runs the rules of every step that became decidable with the choice at
// depth: the step itself, and those chosen before that match from it.
func (s *search) evaluate(depth int) *verdict.Finding {
	chosen := s.order[depth]
	for _, step := range s.order[:depth+1] {
		sources := step.sources()
		ready := step == chosen || slices.Contains(sources, chosen.name)
		for _, source := range sources {
			if from, ok := s.index(source); !ok || s.current.groups[from] == nil {
				ready = false
			}
		}
		if !ready {
			continue
		}
		s.tries++
		if finding := s.rules(step); finding != nil {
			return finding
		}
	}
	return nil
}

// rules runs a step's rules for each of its counted groups. "The rules run for
// each counted statement": statements of one group have equal claims.
func (s *search) rules(step *boundStep) *verdict.Finding {
	s.joined[step.index] = nil
	for _, g := range s.current.groups[step.index] {
		q := queue{
			step: step.name, materials: g.claims.materials, products: g.claims.products,
			accepted: s.accepted, counted: s.counted,
		}
		q.over = g.claims.materials
		if finding := q.run(step.materials); finding != nil {
			return finding
		}
		if g.claims.hasProducts {
			q.over = g.claims.products
			if finding := q.run(step.products); finding != nil {
				return finding
			}
		}
		s.joined[step.index] = append(s.joined[step.index], q.joined...)
	}
	return nil
}

// counted gives the claims of a step's counted statements; MATCH sees no others.
func (s *search) counted(name string) []*claims {
	var out []*claims
	if i, ok := s.index(name); ok {
		for _, g := range s.current.groups[i] {
			out = append(out, g.claims)
		}
	}
	return out
}

// index returns the step's index if it takes part in this search.
func (s *search) index(name string) (int, bool) {
	for _, step := range s.order {
		if step.name == name {
			return step.index, true
		}
	}
	return 0, false
}

// complete checks what concerns all steps together: that each is joined with the
// artifact by something that was really consumed, and that people are distinct.
// While steps are missing neither can be said.
func (s *search) complete() bool {
	if s.partial {
		return true
	}
	if name, ok := s.unjoined(); ok {
		s.note(len(s.order), &verdict.Finding{
			ID: verdict.StepNotJoined, Step: name, Expected: "an artifact that joins this step with the one in hand",
			Found: "no MATCH rule consumed anything", Next: "check that the statements name the same source or files",
		})
		return false
	}
	people := make([][]*principal, len(s.layout.steps))
	if finding := s.pick(0, people); finding != nil {
		s.note(len(s.order), finding)
		return false
	}
	s.current.people = people
	return true
}

// unjoined walks the joins that really happened, from the artifact's step. A
// layout that lints clean can still be joined by nothing where a MATCH found
// nothing to consume.
func (s *search) unjoined() (string, bool) {
	reached := map[string]bool{s.anchor.name: true}
	for changed := true; changed; {
		changed = false
		for _, step := range s.order {
			for _, other := range s.joined[step.index] {
				if reached[step.name] != reached[other] {
					reached[step.name], reached[other], changed = true, true, true
				}
			}
		}
	}
	for _, step := range s.order {
		if !reached[step.name] {
			return step.name, true
		}
	}
	return "", false
}

// pick chooses the principals that count for each step, so that steps that are
// to be distinct share none.
func (s *search) pick(depth int, people [][]*principal) *verdict.Finding {
	if depth == len(s.order) {
		return nil
	}
	step := s.order[depth]
	var last *verdict.Finding
	for choice := range s.choices(step) {
		s.tries++
		if clash, other := s.clash(step, choice, people); clash != nil {
			last = &verdict.Finding{
				ID: verdict.NotDistinct, Step: step.name, Expected: fmt.Sprintf("other principals than for step %s", other),
				Found: fmt.Sprintf("%s speaks for both", clash.id), Next: "have somebody else sign one of the two steps",
			}
			continue
		}
		people[step.index] = choice
		if last = s.pick(depth+1, people); last == nil {
			return nil
		}
		if s.tries > maxTries {
			return last
		}
	}
	people[step.index] = nil
	return last
}

// clash returns a principal of the choice that is also counted for a step this
// one must be distinct from, or that must be distinct from this one.
func (s *search) clash(step *boundStep, choice []*principal, people [][]*principal) (*principal, string) {
	for _, other := range s.order {
		if !slices.Contains(step.distinctFrom, other.name) && !slices.Contains(other.distinctFrom, step.name) {
			continue
		}
		for _, p := range people[other.index] {
			if slices.Contains(choice, p) {
				return p, other.name
			}
		}
	}
	return nil, ""
}

// choices yields the sets of principals that satisfy the step's thresholds.
// Where nothing must be distinct that is simply everybody.
func (s *search) choices(step *boundStep) func(yield func([]*principal) bool) {
	free := len(step.distinctFrom) == 0
	for _, other := range s.order {
		free = free && !slices.Contains(other.distinctFrom, step.name)
	}
	groups := s.current.groups[step.index]
	return func(yield func([]*principal) bool) {
		if free {
			var everybody []*principal
			for _, g := range groups {
				everybody = append(everybody, g.principals()...)
			}
			yield(everybody)
			return
		}
		s.subsets(step, groups, 0, nil, yield)
	}
}

// subsets yields, for every item in turn, each subset of threshold principals.
func (s *search) subsets(step *boundStep, groups []*group, i int, chosen []*principal, yield func([]*principal) bool) bool {
	if i == len(groups) {
		return yield(slices.Clone(chosen))
	}
	all := groups[i].principals()
	return combinations(len(all), step.entries[i].threshold, func(indexes []int) bool {
		next := slices.Clone(chosen)
		for _, j := range indexes {
			next = append(next, all[j])
		}
		return s.subsets(step, groups, i+1, next, yield)
	})
}

// combinations yields each way to choose k of n, in order.
func combinations(n, k int, yield func([]int) bool) bool {
	chosen := make([]int, 0, k)
	var from func(start int) bool
	from = func(start int) bool {
		if len(chosen) == k {
			return yield(chosen)
		}
		for i := start; i <= n-(k-len(chosen)); i++ {
			chosen = append(chosen, i)
			if !from(i + 1) {
				return false
			}
			chosen = chosen[:len(chosen)-1]
		}
		return true
	}
	return from(0)
}

// note remembers the finding that stopped the search furthest along.
func (s *search) note(depth int, finding *verdict.Finding) {
	if s.stopped == nil || depth > s.best {
		s.best, s.stopped, s.failed = depth, finding, finding.Step
	}
}
