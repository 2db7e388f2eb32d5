package verdict

// MaxExcerpt is how many names an excerpt shows; of the others it has the number.
const MaxExcerpt = 12

// MaxSublayouts is how many sublayouts the trace of one verdict tells of, whatever
// they are nested in; of the others it has the number.
const MaxSublayouts = 64

// Trace tells rule by rule how a verdict was reached. It is there where the
// caller of the engine asked for it, and changes nothing.
type Trace struct {
	// Anchor is the step that the artifact in hand was taken for a subject of;
	// empty where no artifact is bound.
	Anchor string
	// Satisfied tells whether the assignment below satisfies everything. Where it
	// does not, it is the one that came nearest.
	Satisfied bool
	// Choices are the statements taken together for each item of each step.
	Choices []Choice
	// Lists are the rule lists in the layout's order, materials before products.
	Lists []RuleList
	// Sublayouts are the layouts that were judged in place of a step's statements,
	// and MoreSublayouts counts those left out.
	Sublayouts     []Sublayout
	MoreSublayouts int
}

// Sublayout is one layout that was judged within another. Its steps are named with
// the way to them: vendor/build is the step build of a layout that stands for vendor.
type Sublayout struct {
	Step   string // that it stands for
	Source string // where it was found
	// Subject is the artifact that it was asked for: where it was asked for several,
	// the one that decided. Empty in a classic layout, which is asked for none.
	Subject string
	// Finding says why it is not satisfied; nil where it is.
	Finding *Finding
	// Trace is what its own rules did; nil where it never came to that.
	Trace *Trace
}

// Bound leaves out the sublayouts beyond the first MaxSublayouts, those within each
// other counted, and says how many.
func (t *Trace) Bound() {
	left := MaxSublayouts
	t.bound(&left)
}

func (t *Trace) bound(left *int) {
	for i := range t.Sublayouts {
		if *left == 0 {
			t.MoreSublayouts += len(t.Sublayouts) - i
			t.Sublayouts = t.Sublayouts[:i]
			return
		}
		if *left--; t.Sublayouts[i].Trace != nil {
			t.Sublayouts[i].Trace.bound(left)
		}
	}
}

// Choice is what one item of a step's expectedPredicates was filled with.
type Choice struct {
	Step     string
	Expected string // the kind of statement that the item asks for
	Required int    // principals
	// Options counts the groups of equal statements that could fill the item by
	// themselves; one of them was chosen.
	Options int
	// Sources are where the statements of the chosen group were found, and
	// Principals who is counted for them.
	Sources    Excerpt
	Principals Excerpt
	// Lacking says why nothing could be chosen; empty where something was.
	Lacking string
}

// RuleList is one list of artifact rules, run over the materials or the products
// of the statements that were chosen.
type RuleList struct {
	Step string
	List string // as the layout spells it: expectedMaterials, expected_products
	// Skipped says why the list was not run; empty where it was.
	Skipped string
	Rules   []RuleTrace
}

// RuleTrace is what one rule found and did.
type RuleTrace struct {
	Rule  string
	Where string // file, line and column, where there is one
	// Queue is what was left when its turn came, and Consumed what it took out.
	Queue    Excerpt
	Consumed Excerpt
	// Matches are the artifacts that a MATCH compared with another step's, and
	// MoreMatches counts those left out.
	Matches     []Match
	MoreMatches int
	// Finding says why the rule failed; nil where it did not.
	Finding *Finding
}

// Match is one artifact that a MATCH compared.
type Match struct {
	Name   string
	Step   string // the one that is matched from
	Joined bool
	Have   string // the artifact's digests
	// Want are the digests that the other step has for it; empty for none.
	Want string
}

// Excerpt is a list of names that may be long.
type Excerpt struct {
	First []string // at most MaxExcerpt
	More  int      // how many are left out
}

// NewExcerpt keeps the first names and counts the others.
func NewExcerpt(names []string) Excerpt {
	if len(names) <= MaxExcerpt {
		return Excerpt{First: append([]string(nil), names...)}
	}
	return Excerpt{First: append([]string(nil), names[:MaxExcerpt]...), More: len(names) - MaxExcerpt}
}

// Len counts all names.
func (e Excerpt) Len() int { return len(e.First) + e.More }
