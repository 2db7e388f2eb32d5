package layout

import (
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
)

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
