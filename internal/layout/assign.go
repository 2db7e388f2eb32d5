package layout

import (
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// maxWork bounds what one artifact may cost, counted in comparisons of one name
// with one rule and in principals that are chosen. Real layouts need some
// thousands; only evidence made to be ambiguous comes near.
const maxWork = 3_000_000

// group is the statements for one item of expectedPredicates that make the same
// claims, and the principals behind them. "threshold distinct principals make
// statements with equal normalised materials and products." (docs/layout.md 1.)
type group struct {
	claims  *claims
	members []member
	byTree  bool // they speak of several commits, or of none, and of one tree
}

type member struct {
	statement *statement
	principal *principal
	within    []*principal // whom a sublayout counted for it
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

// standing lists who stands behind the word of a principal: those whom its sublayouts
// counted too.
func (g *group) standing(p *principal) []*principal {
	all := []*principal{p}
	for _, m := range g.members {
		if m.principal == p {
			all = append(all, m.within...)
		}
	}
	return all
}

// slot is one item of a step's expectedPredicates, for which the search chooses
// one of the groups that could satisfy it alone.
type slot struct {
	step    *boundStep
	entry   *entry
	options []*group
	chosen  *group
	// joins are what the MATCH rules of the chosen group consumed.
	joins [2][]join
}

// search looks for one assignment, a group for every slot, that satisfies
// everything at once.
type search struct {
	slots    []*slot      // along the MATCH rules, beginning at the artifact's step
	steps    []*boundStep // those of the slots, in the same order
	due      [][]ruleRun
	accepted []artifact.Algorithm
	artifact artifact.DigestSet
	anchor   *boundStep        // the step that the artifact in hand comes from
	trees    map[string]string // by commit, for steps with joinBy: tree
	partial  bool              // some steps lack statements; the search only explains
	layout   string            // what findings call it
	traced   bool              // the choice that came nearest is to be kept

	// people are the principals counted for each step, once all groups stand.
	people map[*boundStep][]*principal

	work int
	// best is how far the search came, and what stopped it there.
	best    int
	stopped *verdict.Finding
	nearest []*group // chosen for the first slots at that time, if traced
}

// ruleRun is a rule list to be run for a slot's group.
type ruleRun struct {
	slot *slot
	list int // 0: materials, 1: products
}

func (s *search) exhausted() bool { return s.work > maxWork }

// schedule settles at which choice each rule list can be run: when its own group
// and those of all steps that it matches from stand. What matches from a step
// that lacks statements is never run.
func (s *search) schedule() {
	s.due = make([][]ruleRun, len(s.slots))
	// Backwards, so that what is newly chosen is first held to its own rules.
	for i, own := range slices.Backward(s.slots) {
		for list, rules := range [][]boundRule{own.step.materials, own.step.products} {
			if at, ok := s.lastOf(rules); ok {
				at = max(at, i)
				s.due[at] = append(s.due[at], ruleRun{own, list})
			}
		}
	}
}

// lastOf returns the last slot that the rules match from.
func (s *search) lastOf(rules []boundRule) (last int, ok bool) {
	for _, r := range rules {
		if r.kind != matchRule {
			continue
		}
		found := false
		for i, other := range s.slots {
			if other.step.name == r.from {
				last, found = max(last, i), true
			}
		}
		if !found {
			return 0, false
		}
	}
	return last, true
}

// run searches depth first, so that every choice is checked against those it
// joins with as soon as it can be.
func (s *search) run(depth int) bool {
	if depth == len(s.slots) {
		return s.complete()
	}
	slot := s.slots[depth]
	for _, option := range slot.options {
		slot.chosen = option
		if finding := s.evaluate(depth); finding != nil {
			s.note(depth, finding)
		} else if s.run(depth + 1) {
			return true
		}
		if s.exhausted() {
			return false
		}
	}
	return false
}

// evaluate runs the rules that the choice at depth made decidable. "The rules run
// for each counted statement" (docs/layout.md 1): those of a group have equal claims.
func (s *search) evaluate(depth int) *verdict.Finding {
	for _, r := range s.due[depth] {
		q, rules := s.queue(r)
		if q == nil {
			continue
		}
		finding := q.run(rules)
		if s.work += 1 + q.work; finding != nil {
			return finding
		}
		r.slot.joins[r.list] = q.joins
	}
	return nil
}

// queue is what the rules of a list work on; nil where they do not apply.
func (s *search) queue(r ruleRun) (*queue, []boundRule) {
	claims := r.slot.chosen.claims
	q := &queue{layout: s.layout, step: r.slot.step.name, claims: claims, over: claims.materials, names: claims.materialNames, accepted: s.accepted, counted: s.counted}
	if r.slot.step.joinBy == joinByTree {
		q.byTree = &treeJoin{s.trees}
	}
	if r.list == 0 {
		return q, r.slot.step.materials
	}
	if !claims.hasProducts {
		return nil, nil
	}
	q.over, q.names = claims.products, claims.productNames
	return q, r.slot.step.products
}

// counted gives a step's counted groups; MATCH sees no others.
func (s *search) counted(step string) []*group {
	var out []*group
	for _, slot := range s.slots {
		if slot.step.name == step {
			out = append(out, slot.chosen)
		}
	}
	return out
}

// complete checks what concerns all steps together: that each is joined with the
// artifact by something that was really consumed, and that people are distinct.
// While steps are missing neither can be said.
func (s *search) complete() bool {
	if s.partial {
		return true
	}
	if loose := s.unjoined(); loose != nil {
		found := "no MATCH rule joins its statement with another one: it is about something else"
		if len(loose.joins[0])+len(loose.joins[1]) > 0 {
			found = "its statement is joined by something that is neither the artifact in hand nor a commit"
		}
		s.note(len(s.slots), &verdict.Finding{
			ID: verdict.StepNotJoined, Step: loose.step.name, Expected: "a statement that is joined with the artifact in hand",
			Found: found, Next: "check that the statements name the same source or files",
		})
		return false
	}
	people := map[*boundStep][]*principal{}
	if finding := s.pick(s.steps, people); finding != nil {
		s.note(len(s.slots), finding)
		return false
	}
	s.people = people
	return true
}

// note remembers the finding that stopped the search furthest along.
func (s *search) note(depth int, finding *verdict.Finding) {
	if s.stopped != nil && depth <= s.best {
		return
	}
	s.best, s.stopped = depth, finding
	if s.traced {
		s.nearest = nil
		for _, slot := range s.slots[:min(depth+1, len(s.slots))] {
			s.nearest = append(s.nearest, slot.chosen)
		}
	}
}
