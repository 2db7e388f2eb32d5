package layout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// CheckClassic judges links against a layout of in-toto 1.0, in the order of the
// specification's section 5.2: the layout's signatures, its expiry, the links of
// each step and their sublayouts, the rules, the inspections and their rules. It
// never fails: what cannot be checked is not allowed, and the verdict says why.
func CheckClassic(in ClassicInput) *ClassicResult {
	c := &classicCheck{in: in, compat: &compat{on: in.Compat}, digests: digestPool{}}
	result := &ClassicResult{}
	signed, finding := c.signatures(result)
	if finding != nil {
		return result.deny(*finding)
	}
	reader := &classicReader{name: in.Name, parameters: in.Parameters, compat: c.compat, used: map[string]bool{}}
	reader.checkParameters()
	layout := reader.parse(signed)
	if layout == nil {
		result.Relaxed = c.compat.used
		return result.deny(reader.problems...)
	}
	result.Expires, result.Judged = layout.expires, !in.Now.After(layout.expires)
	scope := c.layout(layout, scopeInput{folder: in.Links})
	result.verdict = verdict.Verdict{Steps: scope.steps, Evidence: scope.evidence, Notes: append(scope.notes, readerNotes(reader)...)}
	result.Relaxed, result.Relaxations = c.compat.used, slices.Sorted(slices.Values(c.compat.words))
	if in.Trace {
		result.verdict.Trace = scope.trace()
		result.verdict.Trace.Bound()
	}
	if len(scope.findings) > 0 {
		return result.deny(scope.findings...)
	}
	last := layout.steps[len(layout.steps)-1]
	result.satisfied, result.last, result.lastStep = true, scope.claims[last.name], last.name
	return result
}

func (r *ClassicResult) deny(findings ...verdict.Finding) *ClassicResult {
	decided := func(f verdict.Finding) bool { return f.ID != verdict.SourceUnreadable }
	if len(findings) == 0 || slices.ContainsFunc(findings, decided) {
		r.verdict = r.verdict.Deny(findings...)
	} else {
		r.verdict = r.verdict.Undecide(findings...)
	}
	return r
}

// readerNotes are what is odd about the layout and harmless.
func readerNotes(r *classicReader) []string {
	notes := r.notes
	for _, name := range sortedKeys(r.parameters) {
		if !r.used[name] {
			notes = append(notes, fmt.Sprintf("parameter %s is not used in the layout", name))
		}
	}
	return notes
}

type classicCheck struct {
	in      ClassicInput
	compat  *compat
	digests digestPool
}

// signatures holds the layout to the caller's keys.
//
// "The signature(s) on the file are checked using previously-acquired project
// owner public key(s)." (in-toto 1.0, 5.2.1) Every key must have signed, and two
// keys of one person are one. (TestClassicLayoutKeys)
func (c *classicCheck) signatures(result *ClassicResult) (*attestation.Signed, *verdict.Finding) {
	where := c.in.Name
	switch {
	case c.in.Now.IsZero():
		return nil, &verdict.Finding{ID: verdict.LayoutExpired, Found: "no time to judge the layout by", Expected: "the present time", Next: "set the clock"}
	case len(c.in.Keys) == 0:
		return nil, &verdict.Finding{ID: verdict.LayoutKeyMissing, Where: where, Found: "nobody said who must have signed the layout", Expected: "the public key of the layout's owner", Next: "give --layout-key FILE, once for each owner"}
	}
	signed, refusal := c.in.Layout.Verify(attestation.Trusted{Keys: c.in.Keys, Now: c.in.Now})
	if refusal != nil {
		finding := refusal.Finding()
		if finding.ID = verdict.LayoutSignature; !c.in.Layout.HasSignatures() {
			finding.ID = verdict.LayoutUnsigned
		}
		finding.Where, finding.Expected, finding.Next = where, "a signature by every --layout-key", "take the layout that its owner signed, or the owner's present key"
		return nil, &finding
	}
	var owners, signers people
	for _, key := range c.in.Keys {
		owners.add(attestation.SignedBy{Key: key})
	}
	for _, by := range signed.SignedBy() {
		signers.add(by)
		result.SignedBy = append(result.SignedBy, describeSigner(by))
	}
	required := owners.count()
	if c.in.Threshold > 0 {
		required = c.in.Threshold
	}
	if required > owners.count() || signers.count() < required {
		return nil, &verdict.Finding{
			ID: verdict.LayoutSignature, Where: where, Found: fmt.Sprintf("%d of %d required keys signed the layout; these did: %s", signers.count(), required, strings.Join(result.SignedBy, ", ")),
			Expected: "a signature by every --layout-key", Next: "have the others sign it, or say with --layout-threshold how many are enough",
		}
	}
	return signed, nil
}

// scopeInput is what one layout, the outermost or a sublayout, is judged with.
type scopeInput struct {
	folder *attestation.LinkFolder
	path   []string // the steps around it
	// owner signed the sublayout; its links may stand for inspections.
	owner []attestation.InTotoKey
}

// scope is what became of one layout and its sublayouts.
type scope struct {
	steps    []verdict.Step
	evidence []verdict.Evidence
	findings []verdict.Finding
	notes    []string
	// claims are the counted links' and the inspections', by name.
	claims map[string]*claims
	// lists are what the rules did, where that was asked for, and sublayouts what those
	// did of the layouts in place of links.
	lists      []verdict.RuleList
	sublayouts []verdict.Sublayout
}

func (s *scope) trace() *verdict.Trace {
	return &verdict.Trace{Satisfied: len(s.findings) == 0, Lists: s.lists, Sublayouts: s.sublayouts}
}

func (s *scope) add(f verdict.Finding) { s.findings = append(s.findings, f) }

// layout judges one layout whose signatures verified.
func (c *classicCheck) layout(l *classicLayout, in scopeInput) *scope {
	s := &scope{claims: map[string]*claims{}}
	// "EXPIRES indicates the time _after_ which the metadata is considered to be
	// expired." (in-toto 1.0, 4.3)
	if c.in.Now.After(l.expires) {
		s.add(verdict.Finding{
			ID: verdict.LayoutExpired, Where: l.name, Step: strings.Join(in.path, "/"), Found: "the layout expired on " + l.expires.Format(time.RFC3339),
			Expected: "an expiry after " + c.in.Now.UTC().Format(time.RFC3339), Next: "have the layout's owner review and sign it again",
		})
		return s
	}
	files := linksByStep(in.folder)
	for _, step := range l.steps {
		c.step(s, stepInput{layout: l, step: step, files: files[step.name], scope: in})
	}
	if len(s.findings) > 0 {
		return s
	}
	for _, step := range l.steps {
		c.rules(s, ruleInput{path: in.path, name: step.name, over: s.claims[step.name], materials: step.materials, products: step.products})
	}
	if len(s.findings) == 0 {
		c.inspections(s, l, in)
	}
	return s
}

func stepPath(path []string, name string) string {
	return strings.Join(append(slices.Clone(path), name), "/")
}

// linksByStep sorts a folder's files by the step that their names say.
//
// "The name for link metadata files must contain two elements: the name of the
// step, and the first six bytes of the functionary's keyid separated by a dot."
// (in-toto 1.0, 4.4) The second is a hint, and not read: who signed is told by
// the signature.
func linksByStep(folder *attestation.LinkFolder) map[string][]attestation.LinkFile {
	files := map[string][]attestation.LinkFile{}
	if folder == nil {
		return files
	}
	for _, f := range folder.Files {
		if dot := strings.LastIndexByte(f.Name, '.'); dot > 0 {
			files[f.Name[:dot]] = append(files[f.Name[:dot]], f)
		}
	}
	return files
}

// ruleInput is one pair of rule lists and what they run over.
type ruleInput struct {
	path                []string // the steps around it
	name                string
	inspected           bool // by an inspection, and not recorded in a link
	over                *claims
	materials, products []boundRule
}

// rules runs the rules of one step or inspection; the first of each list that
// fails is a finding.
func (c *classicCheck) rules(s *scope, in ruleInput) {
	counted := func(step string) []*group {
		if claims := s.claims[step]; claims != nil {
			return []*group{{claims: claims}}
		}
		return nil
	}
	name := stepPath(in.path, in.name)
	run := func(list string, rules []boundRule, over artifact.Set, names []string) {
		q := &queue{step: name, claims: in.over, over: over, names: names, classic: true, inspected: in.inspected, counted: counted}
		if c.in.Trace {
			q.trace = &recorder{way: stepPath(in.path, "")}
		}
		if finding := q.run(rules); finding != nil {
			s.add(*finding)
			s.unsatisfied(name)
		}
		if c.in.Trace {
			s.lists = append(s.lists, verdict.RuleList{Step: name, List: list, Rules: q.trace.rules})
		}
	}
	run("expected_materials", in.materials, in.over.materials, in.over.materialNames)
	run("expected_products", in.products, in.over.products, in.over.productNames)
}

func (s *scope) unsatisfied(step string) {
	for i := range s.steps {
		if s.steps[i].Name == step {
			s.steps[i].Satisfied = false
		}
	}
}
