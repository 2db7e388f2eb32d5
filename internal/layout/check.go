package layout

import (
	"fmt"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Input is what Check judges.
type Input struct {
	// Layout must be set; a layout that did not parse has no way in here.
	Layout *Layout
	// Parameters are the caller's values, by name.
	Parameters map[string]string
	// Artifact is the one in hand, with at least one accepted digest.
	Artifact artifact.Artifact
	// Verified are the statements whose signatures verified, each once per root
	// it verified under.
	Verified []*attestation.Verified
	// Refused are the candidates that did not verify, for the report and to tell
	// "denied" from "could not decide".
	Refused []verdict.Evidence
	// Now is the instant of judgement; it must be set.
	Now time.Time
	// MinVersion refuses an older layout; 0 asks for nothing.
	MinVersion int
	// Step, if set, checks one step and what it matches, for an artifact such
	// as a commit that no build has touched yet.
	Step string
	// SubjectName, if set, is the name under which the artifact must be a subject.
	SubjectName string
}

// Check decides one artifact. It never fails: what cannot be checked is not
// allowed, and the verdict says why.
func Check(in Input) verdict.Verdict {
	c := &check{Input: in, accepted: artifact.Accepted()}
	c.verdict.Artifact = in.Artifact
	if findings := c.prepare(); len(findings) > 0 {
		for _, f := range findings {
			c.verdict = c.verdict.Deny(f)
		}
		c.verdict.Evidence = c.report()
		return c.verdict
	}
	c.read()
	return c.decide()
}

type check struct {
	Input
	layout     *bound
	accepted   []artifact.Algorithm
	statements []*statement
	work       int // spent on attempts so far
	verdict    verdict.Verdict
}

// statement is one verified statement and what became of it.
type statement struct {
	verified *attestation.Verified
	claims   *claims
	// refused says why no step may use it, whoever signed.
	refused *verdict.Finding
	// nearest is the reason of the step that it came closest to counting for.
	nearest      *verdict.Finding
	nearestStage stage
	// eligible is a step that it could count for.
	eligible string
	// steps are those that it counts for.
	steps []string
}

// stage orders the reasons why a statement does not count by how near it came.
type stage int

const (
	otherPredicate stage = iota
	otherSigner
	otherRoot
	otherExtension
	refusedClaims
	otherStep
	badAge
	otherArtifact
	otherName
)

// prepare checks everything that needs no statement. The deny list comes before
// all else.
func (c *check) prepare() []verdict.Finding {
	l := c.Layout
	switch {
	case l == nil || len(l.steps) == 0:
		return []verdict.Finding{{ID: verdict.LayoutEmpty, Found: "no layout with a step", Expected: "a layout", Next: "name a layout or an identity"}}
	case c.Now.IsZero():
		return []verdict.Finding{{ID: verdict.LayoutExpired, Found: "no time to judge the layout by", Expected: "the present time", Next: "set the clock"}}
	case len(c.Artifact.Digest) == 0:
		return []verdict.Finding{{ID: verdict.ArtifactUnreadable, Found: "the artifact has no digest", Expected: "a file or a digest", Next: "name a file or ALGORITHM:HEX"}}
	}
	if finding := l.denied(c.Artifact.Digest); finding != nil {
		return []verdict.Finding{*finding}
	}
	if finding, expired := l.expiry(c.Now); expired {
		finding.Where = l.name
		return []verdict.Finding{finding}
	}
	if l.version < c.MinVersion {
		return []verdict.Finding{{
			ID: verdict.LayoutVersionLow, Where: l.name, Found: fmt.Sprintf("version %d", l.version),
			Expected: fmt.Sprintf("version %d or later", c.MinVersion), Next: "fetch the current layout: an older one may trust who is no longer trusted",
		}}
	}
	if _, ok := l.step(c.Step); c.Step != "" && !ok {
		return []verdict.Finding{{
			ID: verdict.UnknownStep, Where: l.name, Found: fmt.Sprintf("the layout has no step %s", c.Step), Expected: "one of " + list(l.StepNames()), Next: "correct --step",
		}}
	}
	bound, findings := l.bind(c.Parameters)
	c.layout = bound
	return findings
}

// denied reports a digest on the deny list.
func (l *Layout) denied(digest artifact.DigestSet) *verdict.Finding {
	for _, d := range l.deny {
		for alg, value := range d.digest {
			if digest[alg] == value {
				return &verdict.Finding{
					ID: verdict.ArtifactDenied, Where: l.name, Found: fmt.Sprintf("%s:%s is on the layout's deny list: %s", alg, value, d.reason),
					Expected: "an artifact that is not denied", Next: "do not use it; take another release",
				}
			}
		}
	}
	return nil
}

// read turns the verified statements into claims.
func (c *check) read() {
	for _, v := range c.Verified {
		s := &statement{verified: v}
		s.claims, s.refused = readClaims(v, !c.Layout.anyPredicate, c.Layout.gitHash256)
		if s.refused == nil {
			s.refused = c.deniedSource(v, s.claims)
		}
		c.layout.merge(v)
		c.statements = append(c.statements, s)
	}
}

// deniedSource refuses a statement that builds on something denied, or that
// knows the artifact in hand by a further digest that is.
func (c *check) deniedSource(v *attestation.Verified, claims *claims) *verdict.Finding {
	for _, s := range v.Statement().Subjects {
		if s.Digest.Join(c.Artifact.Digest, c.accepted) == artifact.Joined {
			if finding := c.Layout.denied(s.Digest); finding != nil {
				return finding
			}
		}
	}
	for _, name := range claims.materials.Names() {
		if finding := c.Layout.denied(claims.materials[name].Digest); finding != nil {
			return finding
		}
	}
	return nil
}

// decide tries each way in which the layout says the artifact can come about.
func (c *check) decide() verdict.Verdict {
	var nearest *attempt
	for _, s := range c.anchors() {
		a := c.try(s)
		if a.found {
			return c.allow(a)
		}
		if nearest == nil || a.better(nearest) {
			nearest = a
		}
	}
	return c.deny(nearest)
}

// anchors lists where the artifact in hand may come from: the layout's subjects,
// or the one step that the caller asked for.
func (c *check) anchors() []subjectRule {
	if c.Step == "" {
		return c.Layout.subjects
	}
	everything, _ := parseGlob("*")
	return []subjectRule{{patterns: []glob{everything}, from: c.Step}}
}

// attempt is one try at the layout, with the artifact as a subject of one step.
type attempt struct {
	search *search
	found  bool
	// lacking are the findings of steps that have not enough statements.
	lacking []verdict.Finding
	stuck   *verdict.Finding
	steps   []*boundStep
	near    stage // how near the statements came that do not count where some lack
	// eligible counts, per step index, the principals that could count.
	eligible []int
}

func (a *attempt) better(b *attempt) bool {
	if len(a.lacking) != len(b.lacking) {
		return len(a.lacking) < len(b.lacking)
	}
	if a.near != b.near {
		return a.near > b.near
	}
	if a.search.exhausted() != b.search.exhausted() {
		return a.search.exhausted()
	}
	return a.search.best > b.search.best
}

// try gathers the groups for each step and searches for an assignment.
func (c *check) try(subject subjectRule) *attempt {
	anchor, _ := c.layout.boundStep(subject.from)
	a := &attempt{
		steps:    c.layout.from(anchor, c.Step != ""),
		eligible: make([]int, len(c.layout.steps)),
	}
	a.search = &search{work: c.work, anchor: anchor, artifact: c.Artifact.Digest, accepted: c.accepted}
	for _, step := range a.steps {
		var bind *subjectRule
		if step == anchor {
			bind = &subject
		}
		slots, finding := c.slots(a, step, bind)
		if finding != nil {
			a.lacking = append(a.lacking, *finding)
			continue
		}
		a.search.slots = append(a.search.slots, slots...)
		a.search.steps = append(a.search.steps, step)
	}
	a.search.partial = len(a.lacking) > 0
	a.search.schedule()
	found := len(a.search.slots) > 0 && a.search.run(0)
	c.work = a.search.work
	a.found = found && len(a.lacking) == 0
	if !found {
		a.stuck = a.search.stopped
	}
	return a
}

// slots lists the items of a step with the groups that could satisfy each by
// itself, or says why there is none.
func (c *check) slots(a *attempt, step *boundStep, subject *subjectRule) ([]*slot, *verdict.Finding) {
	var out []*slot
	for _, e := range step.entries {
		sorted := c.sort(step, e, subject)
		a.eligible[step.index] += min(sorted.people, e.threshold)
		if len(sorted.groups) == 0 {
			a.near = max(a.near, sorted.nearestStage)
			return nil, c.lacks(step, e, sorted)
		}
		out = append(out, &slot{step: step, entry: e, options: sorted.groups})
	}
	return out, nil
}

// sorted is what one item of expectedPredicates finds among the statements.
type sorted struct {
	groups []*group // those with enough principals
	people int      // distinct principals whose statement is eligible
	count  int      // eligible statements
	// misses are the statements of the right type that are not eligible.
	misses       int
	nearest      *verdict.Finding
	nearestStage stage
}

// sort finds the statements that may count for one item, grouped by what they
// claim.
func (c *check) sort(step *boundStep, e *entry, subject *subjectRule) sorted {
	var out sorted
	byKey := map[string]*group{}
	var order []*group
	people := map[*principal]bool{}
	for _, s := range c.statements {
		p, at, finding := c.eligible(s, step, e, subject)
		if finding != nil {
			s.miss(at, finding, step.name)
			if at > otherPredicate {
				out.misses++
				if out.nearest == nil || at > out.nearestStage {
					out.nearest, out.nearestStage = finding, at
				}
			}
			continue
		}
		s.eligible = step.name
		out.count++
		people[p] = true
		g, ok := byKey[s.claims.key]
		if !ok {
			g = &group{claims: s.claims}
			byKey[s.claims.key] = g
			order = append(order, g)
		}
		g.members = append(g.members, member{s, p})
	}
	out.people = len(people)
	for _, g := range order {
		if len(g.principals()) >= e.threshold {
			out.groups = append(out.groups, g)
		}
	}
	return out
}

// eligible reports for whom a statement speaks in an item of expectedPredicates.
//
// "A statement belongs to a step by predicate type, signer and subject, never by
// file name; a link's name must be the step's." (docs/layout.md 3.)
func (c *check) eligible(s *statement, step *boundStep, e *entry, subject *subjectRule) (*principal, stage, *verdict.Finding) {
	if !e.takes(s.verified.Statement()) {
		return nil, otherPredicate, &verdict.Finding{
			ID: verdict.UnexpectedPredicate, Expected: e.expected(), Found: predicateOf(s.verified), Next: "hand a statement of the expected type",
		}
	}
	f, at, finding := e.signer(s.verified)
	misnamed := s.ofOtherStep(step.name)
	switch {
	case finding != nil && misnamed != nil:
		return nil, otherPredicate, misnamed // neither its step nor its signer: it is about something else
	case finding != nil:
		return nil, at, finding
	case s.refused != nil:
		return nil, refusedClaims, s.refused
	case misnamed != nil:
		return nil, otherStep, misnamed
	}
	if finding := e.checkAge(s.verified, c.Now); finding != nil {
		return nil, badAge, finding
	}
	if subject != nil {
		if finding := c.isSubject(s, *subject); finding != nil {
			if finding.ID == verdict.NotSubject {
				return nil, otherArtifact, finding
			}
			return nil, otherName, finding
		}
	}
	return f.principal.root(), 0, nil
}

// ofOtherStep finds a link that names another step.
func (s *statement) ofOtherStep(step string) *verdict.Finding {
	if s.claims == nil || s.claims.linkName == "" || s.claims.linkName == step {
		return nil
	}
	return &verdict.Finding{
		ID: verdict.LinkOfOtherStep, Expected: "a link named " + step, Found: "it is a link named " + s.claims.linkName,
		Next: "attest again with --step " + step,
	}
}

// takes reports whether the item asks for this kind of statement.
func (e *entry) takes(s attestation.Statement) bool {
	if s.MessageSignature() {
		return e.message
	}
	return e.predicateTypes == nil || slices.Contains(e.predicateTypes, s.PredicateType)
}

func (e *entry) expected() string {
	if len(e.predicateTypes) == 0 {
		return "any predicate type"
	}
	text := "predicate type " + orWords(e.predicateTypes)
	if e.message {
		text += ", or a message signature"
	}
	return text
}

// signer returns the functionary that made the statement.
func (e *entry) signer(v *attestation.Verified) (*functionary, stage, *verdict.Finding) {
	at, nearest := otherSigner, (*verdict.Finding)(nil)
	for _, f := range e.allowed {
		finding := f.signs(v)
		if finding == nil {
			return f, 0, nil
		}
		if s := stageOf(finding.ID); nearest == nil || s > at {
			at, nearest = s, finding
		}
	}
	if at == otherSigner {
		nearest = &verdict.Finding{
			ID: verdict.NotFunctionary, Expected: e.people(), Found: fmt.Sprintf("signer %s is not a functionary of this step", describe(v.Signer())),
			Next: "have one of them sign, or add the signer to the layout",
		}
	}
	return nil, at, nearest
}

func stageOf(id verdict.ID) stage {
	switch id {
	case verdict.WrongRoot:
		return otherRoot
	case verdict.ExtensionMismatch:
		return otherExtension
	default:
		return otherSigner
	}
}

// people lists who may sign, as the layout names them.
func (e *entry) people() string {
	var names []string
	for _, f := range e.allowed {
		if name := f.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return orWords(names)
}

// isSubject binds the artifact in hand: its digest must be one of the
// statement's subjects, and the name there one that the layout's subjects cover.
func (c *check) isSubject(s *statement, subject subjectRule) *verdict.Finding {
	names := subjectNames(s.verified, c.Artifact, c.accepted)
	if len(names) == 0 {
		return c.notSubject(s.verified.Statement())
	}
	if c.SubjectName != "" && !slices.Contains(names, c.SubjectName) {
		return &verdict.Finding{
			ID: verdict.SubjectName, Expected: "the name " + c.SubjectName, Found: "it is called " + orWords(names) + " there",
			Next: "correct --subject-name, or find out why the file was renamed",
		}
	}
	for _, name := range names {
		for _, g := range subject.patterns {
			if g.match(name) {
				return nil
			}
		}
	}
	return &verdict.Finding{
		ID: verdict.ArtifactNotProduct, Expected: "a name that the layout's subjects cover: " + globsOf(subject.patterns), Found: "it is called " + orWords(names) + " there",
		Next: "add the name to the layout's subjects",
	}
}

// notSubject tells a file that differs from a digest that cannot be compared.
func (c *check) notSubject(statement attestation.Statement) *verdict.Finding {
	f := &verdict.Finding{
		ID: verdict.NotSubject, Expected: fmt.Sprintf("a subject with %s", c.Artifact.Digest),
		Found: "it speaks of " + subjectsOf(statement),
		Next:  "check that this is the file that was attested: it may have been changed or rebuilt",
	}
	compares := func(s artifact.Resource) bool {
		return s.Digest.Join(c.Artifact.Digest, c.accepted) != artifact.NotShared
	}
	if !slices.ContainsFunc(statement.Subjects, compares) {
		f.Next = "name the artifact by a digest of the kind that the statement has, or give the file itself"
	}
	return f
}

// miss remembers the nearest reason why a statement did not count.
func (s *statement) miss(at stage, finding *verdict.Finding, step string) {
	if s.nearest == nil || at > s.nearestStage {
		f := *finding
		f.Step = step
		s.nearest, s.nearestStage = &f, at
	}
}

// boundStep returns the named step.
func (b *bound) boundStep(name string) (*boundStep, bool) {
	for _, s := range b.steps {
		if s.name == name {
			return s, true
		}
	}
	return nil, false
}

// from orders the steps along their MATCH rules, beginning at the anchor. With
// only set, just what the anchor matches from takes part.
func (b *bound) from(anchor *boundStep, only bool) []*boundStep {
	order := []*boundStep{anchor}
	for i := 0; i < len(order); i++ {
		for _, s := range b.steps {
			linked := slices.Contains(order[i].sources(), s.name) || !only && slices.Contains(s.sources(), order[i].name)
			if linked && !slices.Contains(order, s) {
				order = append(order, s)
			}
		}
	}
	return order
}
