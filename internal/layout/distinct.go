package layout

import (
	"slices"

	"github.com/signatus-dev/signatus/internal/verdict"
)

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
