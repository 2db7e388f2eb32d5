package layout

import (
	"fmt"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

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
	badSummary
	badPaths
	badAttribute
	badSublayout
)

// sorted is what one item of expectedPredicates finds among the statements.
type sorted struct {
	groups []*group // those with enough principals
	people int      // distinct principals whose statement is eligible
	count  int      // eligible statements
	// oneTree is set where there would be a group if the step said joinBy: tree.
	oneTree bool
	// misses are the statements of the right type that are not eligible.
	misses       int
	nearest      *verdict.Finding
	nearestStage stage
	nearestIndex int // of the statement, the first of those that came equally near
}

// sort finds the statements that may count for one item, grouped by what they
// claim.
func (c *check) sort(step *boundStep, e *entry, subject *subjectRule) sorted {
	var out sorted
	var found []counted
	people := map[*principal]bool{}
	at := len(c.looks)
	c.looks = append(c.looks, look{step, e, subject})
	for _, s := range c.byStep.of(step.name) {
		p, claims, stage, finding := c.eligible(s, step, e, subject)
		if finding != nil {
			s.miss(stage, finding, step.name, at)
			out.miss(stage, finding, s.index)
			continue
		}
		s.eligible = step.name
		out.count++
		people[p] = true
		found = append(found, counted{member{s, p, c.within(s, e)}, claims})
	}
	out.people = len(people)
	enough := func(g *group) bool { return len(g.principals()) >= e.threshold }
	for _, g := range c.gather(step, found) {
		if enough(g) {
			out.groups = append(out.groups, g)
		}
	}
	out.oneTree = out.groups == nil && slices.ContainsFunc(c.gatherByTree(found), enough)
	if len(out.groups) == 0 {
		c.missOthers(&out, step, e, subject)
	}
	return out
}

// missOthers holds the links of other steps against an item that lacks statements,
// for what is said of it: none of them can count.
func (c *check) missOthers(out *sorted, step *boundStep, e *entry, subject *subjectRule) {
	for _, s := range c.statements {
		if name := c.linkName(s); name != "" && name != step.name {
			_, _, stage, finding := c.eligible(s, step, e, subject)
			out.miss(stage, finding, s.index)
		}
	}
}

// miss counts a statement of the right type that is not eligible, and remembers the
// nearest reason.
func (out *sorted) miss(at stage, finding *verdict.Finding, index int) {
	if at == otherPredicate {
		return
	}
	out.misses++
	if out.nearest == nil || at > out.nearestStage || at == out.nearestStage && index < out.nearestIndex {
		out.nearest, out.nearestStage, out.nearestIndex = finding, at, index
	}
}

// eligible reports for whom a statement speaks in an item of expectedPredicates.
//
// "A statement belongs to a step by predicate type, signer and subject, never by
// file name; a link's name must be the step's." (docs/layout.md 3.)
func (c *check) eligible(s *statement, step *boundStep, e *entry, subject *subjectRule) (*principal, *claims, stage, *verdict.Finding) {
	if !e.takes(s.verified.Statement()) {
		if !c.Layout.simple && vsa.Is(s.verified.Statement().PredicateType) && slices.ContainsFunc(e.predicateTypes, isAuthor) {
			return nil, nil, otherSigner, notAuthors("it is a summary of a verification, which says nothing of who wrote the source")
		}
		return nil, nil, otherPredicate, &verdict.Finding{
			ID: verdict.UnexpectedPredicate, Expected: e.expected(), Found: predicateOf(s.verified), Next: "hand a statement of the expected type",
		}
	}
	f, at, finding := e.signer(s.verified, c.Now)
	if f != nil {
		s.by = f.principal
	}
	misnamed := c.ofOtherStep(s, step)
	switch {
	case finding != nil && misnamed != nil:
		return nil, nil, otherPredicate, misnamed // neither its step nor its signer: it is about something else
	case finding != nil:
		return nil, nil, at, finding
	case s.refused != nil:
		return nil, nil, refusedClaims, s.refused
	case misnamed != nil:
		return nil, nil, otherStep, misnamed
	}
	if finding := e.checkAge(s.verified, c.Now); finding != nil {
		return nil, nil, badAge, finding
	}
	if finding := c.isTag(s.verified); finding != nil {
		return nil, nil, otherName, finding
	}
	claims, finding := c.claimsFor(s, step)
	if finding != nil {
		return nil, nil, otherStep, finding
	}
	if subject != nil {
		if finding := c.isSubject(s, claims, *subject); finding != nil {
			if finding.ID == verdict.NotSubject {
				return nil, nil, otherArtifact, finding
			}
			return nil, nil, otherName, finding
		}
	}
	if finding := e.checkSummary(s.claims.summary); finding != nil {
		return nil, nil, badSummary, finding
	}
	if finding := c.withinPaths(s); finding != nil {
		return nil, nil, badPaths, finding
	}
	if finding := c.attributes(s, e); finding != nil {
		return nil, nil, badAttribute, finding
	}
	if e.sublayout != nil {
		if claims, finding = c.sublayout(s, step, e); finding != nil {
			return nil, nil, badSublayout, finding
		}
	}
	return f.principal.root(), claims, 0, nil
}

// ofOtherStep finds a link that names another step.
func (c *check) ofOtherStep(s *statement, step *boundStep) *verdict.Finding {
	name := c.linkName(s)
	if name == "" || name == step.name {
		return nil
	}
	return &verdict.Finding{
		ID: verdict.LinkOfOtherStep, Expected: "a link named " + step.name, Found: "it is a link named " + name,
		Next: "attest again with --step " + step.name,
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
	types := e.predicateTypes
	if e.message { // simple mode, where a git object is its own statement
		types = slices.DeleteFunc(slices.Clone(types), isAuthor)
	}
	text := "predicate type " + orWords(types)
	if e.message {
		text += ", or a message signature"
	}
	return text
}

// signer returns the functionary that made the statement.
func (e *entry) signer(v *attestation.Verified, now time.Time) (*functionary, stage, *verdict.Finding) {
	at, nearest := otherSigner, (*verdict.Finding)(nil)
	for _, f := range e.allowed {
		finding := f.signs(v)
		if finding == nil {
			finding = f.inTime(v, now)
		}
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
	case verdict.NoProvenTime, verdict.KeyNotValid, verdict.SignerDistrusted:
		return badAge
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
	if len(names) > mostPeople {
		names = append(names[:mostPeople-1], fmt.Sprintf("one of %d more", len(names)-mostPeople+1))
	}
	return orWords(names)
}

// mostPeople is how many ways to sign a finding lists.
const mostPeople = 5

// isSubject binds the artifact in hand: its digest must be one of the
// statement's subjects, and the name there one that the layout's subjects cover.
func (c *check) isSubject(s *statement, claims *claims, subject subjectRule) *verdict.Finding {
	names := subjectNames(s.verified, c.Artifact, c.accepted)
	if claims.givenName != "" && len(names) > 0 {
		names = []string{claims.givenName}
	}
	if len(names) == 0 {
		return c.notSubject(s.verified.Statement())
	}
	if c.SubjectName != "" && !slices.Contains(names, c.SubjectName) {
		return &verdict.Finding{
			ID: verdict.SubjectName, Expected: "the name " + c.SubjectName, Found: "it is called " + orWords(names) + " there",
			Next: "correct --subject-name, or find out why the file was renamed",
		}
	}
	if slices.ContainsFunc(names, subject.covers) {
		return nil
	}
	return &verdict.Finding{
		ID: verdict.ArtifactNotProduct, Expected: "a name that the layout's subjects cover: " + globsOf(subject.patterns), Found: "it is called " + orWords(names) + " there",
		Next: "add the name to the layout's subjects",
	}
}

// miss remembers the nearest reason why a statement did not count, and of those that
// are equally near the one of the first look.
func (s *statement) miss(at stage, finding *verdict.Finding, step string, look int) {
	if s.nearest == nil || at > s.nearestStage || at == s.nearestStage && look < s.nearestLook {
		f := *finding
		f.Step = step
		s.nearest, s.nearestStage, s.nearestLook = &f, at, look
	}
}
