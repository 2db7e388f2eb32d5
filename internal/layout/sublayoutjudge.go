package layout

import (
	"fmt"
	"maps"
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of what sublayouts may cost one verdict: how often one is asked, and of how
// many subjects of one statement. How deep they lie is bounded as in classic layouts.
const (
	maxSublayoutChecks   = 256
	maxSublayoutSubjects = 64
)

// nested is what a check shares with those of its sublayouts.
type nested struct {
	depth  int
	way    string // to the layout's steps in a report: vendor/
	checks *int
	outer  []*Layout // whose deny lists and gitHash hold within them
	parsed map[*attestation.Verified]parsedSublayout
}

type parsedSublayout struct {
	layout   *Layout
	findings []verdict.Finding
}

func newNested() nested {
	return nested{checks: new(int), parsed: map[*attestation.Verified]parsedSublayout{}}
}

// sublayoutOf reads the layout that a statement is about, strictly and with every
// lint, as one that a caller names.
func (n nested) sublayoutOf(v *attestation.Verified, in Input) parsedSublayout {
	p, known := n.parsed[v]
	if !known {
		p.layout, p.findings = Parse(v.Source()+"#layout", v.Statement().Predicate, in.Now)
		n.parsed[v] = p
	}
	return p
}

// subResult is what became of a sublayout.
type subResult struct {
	claims  *claims
	finding *verdict.Finding
	made    bool // the materials have been told for a subject
	// counted are the statements that its steps counted, with the way to each step.
	counted map[*attestation.Verified][]string
	notes   []string
	told    *verdict.Sublayout // of the question that decided
}

// refuse settles that the statement does not count.
func (r *subResult) refuse(told verdict.Sublayout, finding *verdict.Finding) *subResult {
	if told.Finding == nil {
		told.Finding = finding
	}
	r.told, r.finding = &told, finding
	return r
}

// sublayout judges the layout that a statement signs, for the statement's
// subjects, and gives what the statement then says: as products the subjects that
// the sublayout allows, as materials those of the sublayout's first step.
//
// "[A sublayout is replaced by a link with] the materials of the first step and the
// products of the last" (in-toto 1.0, 4.5.2). Its functionaries are its own; of the
// outer layout it knows the parameters it is given. TestSublayout shows it.
func (c *check) sublayout(s *statement, step *boundStep, e *entry) (*claims, *verdict.Finding) {
	result, known := s.sublayouts[e]
	if !known {
		result = c.judgeSublayout(s, step, e)
		if s.sublayouts == nil {
			s.sublayouts = map[*entry]*subResult{}
		}
		s.sublayouts[e] = result
	}
	return result.claims, result.finding
}

func (c *check) judgeSublayout(s *statement, step *boundStep, e *entry) *subResult {
	result := &subResult{counted: map[*attestation.Verified][]string{}}
	told := verdict.Sublayout{Step: c.nested.way + step.name, Source: s.verified.Source()}
	if c.nested.depth == MaxSublayoutDepth {
		return result.refuse(told, &verdict.Finding{
			ID: verdict.SublayoutTooDeep, Expected: fmt.Sprintf("at most %d layouts within each other", MaxSublayoutDepth),
			Found: "its layout lies deeper", Next: "join some of the layouts",
		})
	}
	parsed := c.nested.sublayoutOf(s.verified, c.Input)
	if parsed.layout == nil {
		told.Finding = &parsed.findings[0]
		return result.refuse(told, unreadable(parsed.findings[0]))
	}
	joined := &claims{materials: artifact.Set{}, products: artifact.Set{}, hasProducts: true}
	subjects := c.relevantSubjects(s.verified)
	about := slices.ContainsFunc(subjects, c.inHand)
	for _, subject := range subjects {
		inHand := c.inHand(subject)
		told.Subject = subject.Name.Text
		told, finding := c.askSublayout(result, joined, told, question{parsed.layout, e.sublayout.bound, step.name, subject, inHand || !about})
		switch {
		case finding == nil && (inHand || result.told == nil || result.told.Finding != nil):
			result.told = &told
		case finding == nil:
		case finding.ID == verdict.DescriptorConflict, inHand: // it says two things, or not what is asked
			return result.refuse(told, finding)
		case result.finding == nil && len(joined.products) == 0:
			result.refuse(told, finding)
		}
	}
	if len(joined.products) == 0 {
		if result.finding == nil {
			result.refuse(told, &verdict.Finding{
				ID: verdict.SublayoutRefused, Expected: fmt.Sprintf("at most %d subjects, or one that is the artifact in hand", maxSublayoutSubjects),
				Found: fmt.Sprintf("its layout is signed for %d subjects, and the artifact in hand is none of them", len(s.verified.Statement().Subjects)), Next: "have it signed for fewer at a time",
			})
		}
		return result
	}
	result.finding = nil
	joined.materialNames, joined.productNames = joined.materials.Names(), joined.products.Names()
	joined.key = joined.fingerprint()
	result.claims = joined
	return result
}

// unreadable is the finding of a sublayout that has a problem by itself.
func unreadable(f verdict.Finding) *verdict.Finding {
	return &verdict.Finding{
		ID: verdict.SublayoutRefused, Expected: "a layout without problems: " + f.Expected,
		Found: fmt.Sprintf("the layout that it signs has one at %s: %s", f.Where, f.Found), Next: "have its signer correct the layout and sign it again",
	}
}

// inHand reports whether the subject is the artifact in hand.
func (c *check) inHand(subject artifact.Resource) bool {
	return subject.Digest.Join(c.Artifact.Digest, c.accepted) == artifact.Joined
}

// relevantSubjects are all of the statement's, or where they are many those that
// are the artifact in hand: of the others the statement then says nothing.
func (c *check) relevantSubjects(v *attestation.Verified) []artifact.Resource {
	subjects := v.Statement().Subjects
	if len(subjects) <= maxSublayoutSubjects {
		return subjects
	}
	var out []artifact.Resource
	for _, s := range subjects {
		if len(out) < maxSublayoutSubjects && c.inHand(s) {
			out = append(out, s)
		}
	}
	return out
}

// question is what a sublayout is asked: whether it allows one subject.
type question struct {
	layout     *Layout
	parameters map[string]string
	step       string // the outer layout's
	subject    artifact.Resource
	// made is set where the subject's materials are to be told too: where the artifact
	// in hand is a subject, what other files were made of is not said of it.
	made bool
}

// askSublayout asks one question, and adds what the sublayout allows; told is what a
// trace has of it. TestSublayoutOfAnotherFile
func (c *check) askSublayout(result *subResult, joined *claims, told verdict.Sublayout, q question) (verdict.Sublayout, *verdict.Finding) {
	if *c.nested.checks++; *c.nested.checks > maxSublayoutChecks {
		return told, &verdict.Finding{
			ID: verdict.TooManyAssignments, Expected: fmt.Sprintf("sublayouts that are asked at most %d times", maxSublayoutChecks),
			Found: "more layouts within each other, and subjects of them", Next: "hand only the evidence of this release, with --bundle",
		}
	}
	inner := c.inside(q)
	v := inner.judge()
	c.work = inner.work
	if told.Trace = v.Trace; !v.Allowed() {
		f := firstFinding(v)
		refusal := innerRefusal(q, f)
		if f.Step != "" {
			f.Step = inner.nested.way + f.Step
		}
		told.Finding = &f
		return told, refusal
	}
	if err := joined.products.Add(q.subject); err != nil {
		return told, refuse(verdict.DescriptorConflict, err)
	}
	result.note(q.step, inner)
	if !q.made {
		return told, nil
	}
	materials := inner.firstMaterials()
	if result.made && !equalMaterials(joined.materials, materials) {
		return told, &verdict.Finding{
			ID: verdict.DescriptorConflict, Expected: "subjects that were all made of the same materials",
			Found: fmt.Sprintf("%s was made of others than the subjects before it", q.subject.Name.Text), Next: "have the layout signed for each of them by itself",
		}
	}
	joined.materials, result.made = maps.Clone(materials), true
	return told, nil
}

// inside is the check of a layout within this one. It sees the same statements.
func (c *check) inside(q question) *check {
	name := q.subject.Name.Text
	return newCheck(Input{
		Layout: q.layout, Parameters: q.parameters, Artifact: artifact.Artifact{Given: name, Name: name, Digest: q.subject.Digest},
		Verified: c.Verified, Refused: c.Refused, Now: c.Now, Trees: c.Trees, Changed: c.Changed, Trace: c.Trace,
	}, nested{
		depth: c.nested.depth + 1, way: c.nested.way + q.step + "/", checks: c.nested.checks,
		outer: append(slices.Clone(c.nested.outer), c.Layout), parsed: c.nested.parsed,
	}, c.work)
}

// equalMaterials compares names, digests and whether they are asserted.
func equalMaterials(a, b artifact.Set) bool {
	return (&claims{materials: a}).fingerprint() == (&claims{materials: b}).fingerprint()
}

// firstFinding is why a verdict does not allow.
func firstFinding(v verdict.Verdict) verdict.Finding {
	if len(v.Findings) == 0 {
		return verdict.Finding{Found: "it is not allowed"}
	}
	return v.Findings[0]
}

// innerRefusal is the finding of a sublayout that does not allow a subject, with
// the way to the step that lacks something.
func innerRefusal(q question, f verdict.Finding) *verdict.Finding {
	way := q.step
	if f.Step != "" {
		way += "/" + f.Step
	}
	return &verdict.Finding{
		ID: verdict.SublayoutRefused, Rule: f.Rule, Expected: f.Expected, Next: f.Next,
		Found: fmt.Sprintf("the layout that it signs does not allow %s: %s: %s (%s)", q.subject.Name.Text, way, f.Found, f.ID),
	}
}

// firstMaterials are the materials of the sublayout's first step, as its counted
// statements have them.
func (c *check) firstMaterials() artifact.Set {
	for _, step := range c.layout.steps {
		for _, slot := range c.winner.search.slots {
			if slot.step == step {
				return slot.chosen.claims.materials
			}
		}
	}
	return nil
}
