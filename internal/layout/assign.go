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

// unjoined walks the joins that really happened, from the artifact's step, and
// returns a slot that they do not reach. A layout that lints clean can still be
// joined by nothing where a MATCH found nothing to consume.
func (s *search) unjoined() *slot {
	reached := map[*group]bool{}
	for _, slot := range s.slots {
		reached[slot.chosen] = slot.step == s.anchor
	}
	for changed := true; changed; {
		changed = false
		for _, slot := range s.slots {
			for _, j := range slices.Concat(slot.joins[0], slot.joins[1]) {
				if reached[slot.chosen] != reached[j.with] && s.joins(slot.chosen, j) {
					reached[slot.chosen], reached[j.with], changed = true, true, true
				}
			}
		}
	}
	for _, slot := range s.slots {
		if !reached[slot.chosen] {
			return slot
		}
	}
	return nil
}

// joins reports whether what was consumed joins two statements for the artifact
// in hand. "For every other predicate type, materials are its subjects [...]: it
// counts only when a subject is the artifact in hand, or is matched to the joined
// commit." (docs/layout.md 3.) Without this, a scan of one file of a release would
// speak for all of them. TestScanOfAnotherFile shows it.
func (s *search) joins(g *group, j join) bool {
	return g.claims.hasProducts && j.with.claims.hasProducts || j.resource.Name.Git ||
		j.resource.Digest.Join(s.artifact, s.accepted) == artifact.Joined
}

// countedIn lists the members of the slot's group whose principals count.
func (s *search) countedIn(slot *slot) []member {
	return slices.DeleteFunc(slices.Clone(slot.chosen.members), func(m member) bool {
		return !slices.Contains(s.people[slot.step], m.principal)
	})
}

// pick chooses the principals that count for each of the steps, so that steps
// that are to be distinct share none.
func (s *search) pick(steps []*boundStep, people map[*boundStep][]*principal) *verdict.Finding {
	if len(steps) == 0 {
		return nil
	}
	step := steps[0]
	own, barred := s.slotsOf(step), s.barred(step, people)
	last := notDistinct(own, barred)
	choices(own, barred, func(choice []*principal) bool {
		s.work += 1 + len(choice)*len(steps)
		people[step] = choice
		last = s.pick(steps[1:], people)
		return last != nil && !s.exhausted()
	})
	if last != nil {
		delete(people, step)
	}
	return last
}

func (s *search) slotsOf(step *boundStep) []*slot {
	var own []*slot
	for _, slot := range s.slots {
		if slot.step == step {
			own = append(own, slot)
		}
	}
	return own
}

// barred gives the principals that the step may not count, because they are
// counted for a step it must be distinct from, or that must be distinct from it.
// It is nil where there is no such step.
func (s *search) barred(step *boundStep, people map[*boundStep][]*principal) map[*principal]string {
	var barred map[*principal]string
	for _, other := range s.steps {
		if !slices.Contains(step.distinctFrom, other.name) && !slices.Contains(other.distinctFrom, step.name) {
			continue
		}
		if barred == nil {
			barred = map[*principal]string{}
		}
		for _, p := range people[other] {
			for _, slot := range s.slotsOf(other) {
				for _, behind := range slot.chosen.standing(p) {
					barred[behind] = other.name
				}
			}
		}
	}
	return barred
}

func notDistinct(own []*slot, barred map[*principal]string) *verdict.Finding {
	f := &verdict.Finding{
		ID: verdict.NotDistinct, Expected: "other principals than for the steps it is to be distinct from",
		Found: "too few are left", Next: "have somebody else sign one of the two steps",
	}
	for _, slot := range own {
		f.Step = slot.step.name
		for _, p := range slot.chosen.principals() {
			for _, behind := range slot.chosen.standing(p) {
				if other, ok := barred[behind]; ok {
					f.Expected, f.Found = "other principals than for step "+other, behind.id+" speaks for both"
					return f
				}
			}
		}
	}
	return f
}

// choices yields the sets of principals that satisfy the thresholds of a step's
// slots without those barred. Where nobody must be distinct that is everybody.
func choices(own []*slot, barred map[*principal]string, yield func([]*principal) bool) {
	if barred == nil {
		var everybody []*principal
		for _, slot := range own {
			everybody = append(everybody, slot.chosen.principals()...)
		}
		yield(everybody)
		return
	}
	subsets(own, barred, nil, yield)
}

// subsets yields, for every slot in turn, each subset of threshold principals.
func subsets(slots []*slot, barred map[*principal]string, chosen []*principal, yield func([]*principal) bool) bool {
	if len(slots) == 0 {
		return yield(slices.Clone(chosen))
	}
	all := slices.DeleteFunc(slots[0].chosen.principals(), func(p *principal) bool {
		return slices.ContainsFunc(slots[0].chosen.standing(p), func(behind *principal) bool { return barred[behind] != "" })
	})
	return combinations(len(all), slots[0].entry.threshold, func(indexes []int) bool {
		next := slices.Clone(chosen)
		for _, i := range indexes {
			next = append(next, all[i])
		}
		return subsets(slots[1:], barred, next, yield)
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
