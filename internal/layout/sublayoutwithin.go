package layout

import (
	"slices"
)

// note remembers what the sublayout counted, for the report.
func (r *subResult) note(step string, inner *check) {
	for _, s := range inner.statements {
		for _, way := range s.steps {
			if way = step + "/" + way; !slices.Contains(r.counted[s.verified], way) {
				r.counted[s.verified] = append(r.counted[s.verified], way)
			}
		}
	}
	for _, n := range inner.winner.treeNotes() {
		if n = "within step " + step + ": " + n; !slices.Contains(r.notes, n) {
			r.notes = append(r.notes, n)
		}
	}
}

// countWithin marks the statements that the counted sublayouts counted.
func (c *check) countWithin(a *attempt) (notes []string) {
	for _, slot := range a.search.slots {
		for _, m := range a.search.countedIn(slot) {
			result := m.statement.sublayouts[slot.entry]
			if result == nil {
				continue
			}
			notes = append(notes, result.notes...)
			for _, s := range c.statements {
				for _, way := range result.counted[s.verified] {
					if !slices.Contains(s.steps, way) {
						s.steps = append(s.steps, way)
					}
				}
			}
		}
	}
	return notes
}

// within lists the principals of this layout whose words a sublayout counted: whoever
// is to be distinct from the one is to be so from the others. TestDistinctWithinSublayouts
func (c *check) within(s *statement, e *entry) (all []*principal) {
	result := s.sublayouts[e]
	if result == nil {
		return nil
	}
	for _, f := range c.layout.functionaries {
		for v := range result.counted {
			if p := f.principal.root(); f.signs(v) == nil && !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}
