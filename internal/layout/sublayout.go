package layout

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// LayoutPredicate is the predicate type of a sublayout: its predicate is an
// attestation layout, which by the word of its signer holds for its subjects.
// Source: https://github.com/in-toto/ITE/tree/master/ITE/10
const LayoutPredicate = "layout"

// Bounds of what sublayouts may cost one verdict: how often one is asked, and of how
// many subjects of one statement. How deep they lie is bounded as in classic layouts.
const (
	maxSublayoutChecks   = 256
	maxSublayoutSubjects = 64
)

// sublayoutDemand is what an item with predicateType layout gives its sublayout:
// the parameters that it names, and nothing else of the outer layout.
type sublayoutDemand struct {
	parameters map[string]template
	bound      map[string]string
}

// sublayoutParameters reads them.
func (r *reader) sublayoutParameters(e *entry, node *yaml.Node, what string) {
	if !slices.Contains(e.predicateTypes, LayoutPredicate) {
		if node != nil {
			r.malformed(node, what+" has parameters and is no sublayout", "predicateType: layout beside them")
		}
		return
	}
	if len(e.predicateTypes) > 1 {
		r.problem(verdict.LayoutMalformed, e.at, says{what + " is a sublayout or something else", "predicateType: layout alone", "write an item for each"})
	}
	e.sublayout = &sublayoutDemand{parameters: map[string]template{}}
	for _, item := range r.entries(node, what+"'s parameters") {
		e.sublayout.parameters[item.name] = r.template(item.node, r.scalar(item.node, "parameter "+item.name))
	}
}

func (d *sublayoutDemand) templates() (all []template) {
	if d != nil {
		for _, name := range sortedKeys(d.parameters) {
			all = append(all, d.parameters[name])
		}
	}
	return all
}

// bindSublayouts fills in what sublayouts are given.
func (b *bound) bindSublayouts(r *reader, values map[string]string) {
	for _, s := range b.Layout.steps {
		for _, e := range s.entries {
			if e.sublayout == nil {
				continue
			}
			filled := &sublayoutDemand{parameters: e.sublayout.parameters, bound: map[string]string{}}
			for name, t := range e.sublayout.parameters {
				text, err := t.fill(values)
				if err != nil {
					r.problem(verdict.ParameterMalformed, e.at, says{err.Error(), "a value for every parameter", "check --param"})
				}
				filled.bound[name] = text
			}
			e.sublayout = filled
		}
	}
}

// nested is what a check shares with those of its sublayouts.
type nested struct {
	depth  int
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
	if c.nested.depth == MaxSublayoutDepth {
		result.finding = &verdict.Finding{
			ID: verdict.SublayoutTooDeep, Expected: fmt.Sprintf("at most %d layouts within each other", MaxSublayoutDepth),
			Found: "its layout lies deeper", Next: "join some of the layouts",
		}
		return result
	}
	parsed := c.nested.sublayoutOf(s.verified, c.Input)
	if parsed.layout == nil {
		f := parsed.findings[0]
		result.finding = &verdict.Finding{
			ID: verdict.SublayoutRefused, Expected: "a layout without problems: " + f.Expected,
			Found: fmt.Sprintf("the layout that it signs has one at %s: %s", f.Where, f.Found), Next: "have its signer correct the layout and sign it again",
		}
		return result
	}
	joined := &claims{materials: artifact.Set{}, products: artifact.Set{}, hasProducts: true}
	subjects := c.relevantSubjects(s.verified)
	about := slices.ContainsFunc(subjects, c.inHand)
	for _, subject := range subjects {
		inHand := c.inHand(subject)
		finding := c.askSublayout(result, joined, question{parsed.layout, e.sublayout.bound, step.name, subject, inHand || !about})
		if finding != nil && finding.ID == verdict.DescriptorConflict {
			result.finding = finding // it says two things
			return result
		}
		if finding != nil && (inHand || result.finding == nil && len(joined.products) == 0) {
			result.finding = finding
			if inHand {
				return result
			}
		}
	}
	if len(joined.products) == 0 {
		if result.finding == nil {
			result.finding = &verdict.Finding{
				ID: verdict.SublayoutRefused, Expected: fmt.Sprintf("at most %d subjects, or one that is the artifact in hand", maxSublayoutSubjects),
				Found: fmt.Sprintf("its layout is signed for %d subjects, and the artifact in hand is none of them", len(s.verified.Statement().Subjects)), Next: "have it signed for fewer at a time",
			}
		}
		return result
	}
	result.finding = nil
	joined.materialNames, joined.productNames = joined.materials.Names(), joined.products.Names()
	joined.key = joined.fingerprint()
	result.claims = joined
	return result
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

// askSublayout asks one question, and adds what the sublayout allows.
// TestSublayoutOfAnotherFile
func (c *check) askSublayout(result *subResult, joined *claims, q question) *verdict.Finding {
	if *c.nested.checks++; *c.nested.checks > maxSublayoutChecks {
		return &verdict.Finding{
			ID: verdict.TooManyAssignments, Expected: fmt.Sprintf("sublayouts that are asked at most %d times", maxSublayoutChecks),
			Found: "more layouts within each other, and subjects of them", Next: "hand only the evidence of this release, with --bundle",
		}
	}
	name := q.subject.Name.Text
	inner := newCheck(Input{
		Layout: q.layout, Parameters: q.parameters, Artifact: artifact.Artifact{Given: name, Name: name, Digest: q.subject.Digest},
		Verified: c.Verified, Refused: c.Refused, Now: c.Now, Trees: c.Trees, Changed: c.Changed,
	}, nested{depth: c.nested.depth + 1, checks: c.nested.checks, outer: append(slices.Clone(c.nested.outer), c.Layout), parsed: c.nested.parsed}, c.work)
	v := inner.judge()
	c.work = inner.work
	if !v.Allowed() {
		return innerRefusal(q.step, q.subject, v)
	}
	if err := joined.products.Add(q.subject); err != nil {
		return refuse(verdict.DescriptorConflict, err)
	}
	result.note(q.step, inner)
	if !q.made {
		return nil
	}
	materials := inner.firstMaterials()
	if result.made && !equalMaterials(joined.materials, materials) {
		return &verdict.Finding{
			ID: verdict.DescriptorConflict, Expected: "subjects that were all made of the same materials",
			Found: fmt.Sprintf("%s was made of others than the subjects before it", name), Next: "have the layout signed for each of them by itself",
		}
	}
	joined.materials, result.made = maps.Clone(materials), true
	return nil
}

// equalMaterials compares names, digests and whether they are asserted.
func equalMaterials(a, b artifact.Set) bool {
	return (&claims{materials: a}).fingerprint() == (&claims{materials: b}).fingerprint()
}

// innerRefusal is the finding of a sublayout that does not allow a subject, with
// the way to the step that lacks something.
func innerRefusal(step string, subject artifact.Resource, v verdict.Verdict) *verdict.Finding {
	f := verdict.Finding{Found: "it is not allowed"}
	if len(v.Findings) > 0 {
		f = v.Findings[0]
	}
	way := step
	if f.Step != "" {
		way += "/" + f.Step
	}
	return &verdict.Finding{
		ID: verdict.SublayoutRefused, Rule: f.Rule, Expected: f.Expected, Next: f.Next,
		Found: fmt.Sprintf("the layout that it signs does not allow %s: %s: %s (%s)", subject.Name.Text, way, f.Found, f.ID),
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

// Sublayouts lists the layouts that verified statements sign and that the layout,
// or one of them, takes: whose functionaries signed what else is to be opened. It
// believes nothing more than Check does.
func Sublayouts(in Input) []*Layout {
	if in.Layout == nil {
		return nil
	}
	w := &sublayoutWalk{Input: in, nested: newNested()}
	w.walk(in.Layout, in.Parameters, 0)
	return w.found
}

type sublayoutWalk struct {
	Input
	nested nested
	found  []*Layout
}

func (w *sublayoutWalk) walk(l *Layout, parameters map[string]string, depth int) {
	b, findings := l.bind(parameters)
	if len(findings) > 0 || depth == MaxSublayoutDepth {
		return
	}
	for _, step := range b.steps {
		for _, e := range step.entries {
			if e.sublayout == nil {
				continue
			}
			for _, v := range w.Verified {
				if !e.takes(v.Statement()) {
					continue
				}
				if _, _, finding := e.signer(v, w.Now); finding != nil {
					continue
				}
				if *w.nested.checks++; *w.nested.checks > maxSublayoutChecks {
					return
				}
				if p := w.nested.sublayoutOf(v, w.Input); p.layout != nil {
					if !slices.Contains(w.found, p.layout) {
						w.found = append(w.found, p.layout)
					}
					w.walk(p.layout, e.sublayout.bound, depth+1)
				}
			}
		}
	}
}
