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
	// Trace asks for what every rule did, in the verdict's Trace.
	Trace bool
	// Trees names the tree of each commit that was read and hashes to its name, by
	// the commit's id.
	Trees map[string]string
	// Changed lists the paths that such a commit changes against its first parent. A
	// commit that is not in it was not compared: nothing is known of its paths.
	Changed map[string][]string
	// Fetch is the command that may bring an author's word that is missing here; empty
	// where there is none to tell.
	Fetch string
	// FetchChanges is the like for gittuf's word on a change of a ref.
	FetchChanges string
	// TagName, if set, is the name under which a signed tag was served.
	TagName string
}

// Check decides one artifact. It never fails: what cannot be checked is not
// allowed, and the verdict says why.
func Check(in Input) verdict.Verdict { return newCheck(in, newNested(), 0).judge() }

func newCheck(in Input, n nested, work int) *check {
	c := &check{Input: in, accepted: artifact.Accepted(), nested: n, work: work}
	if in.Artifact.Digest[artifact.GitTag] != "" { // a tag object is joined as itself, and with nothing else
		c.accepted = artifact.InHand()
	}
	c.verdict.Artifact = in.Artifact
	return c
}

func (c *check) judge() verdict.Verdict {
	if findings := c.prepare(); len(findings) > 0 {
		c.verdict = c.verdict.Deny(findings...)
		c.verdict.Evidence = c.report(false)
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
	byStep     byStep
	looks      []look // in order
	work       int    // spent on attempts so far
	verdict    verdict.Verdict
	nested     nested
	winner     *attempt // that allowed the artifact
}

// statement is one verified statement and what became of it.
type statement struct {
	verified *attestation.Verified
	index    int  // among all statements
	known    bool // some functionary of the layout signed it
	claims   *claims
	// refused says why no step may use it, whoever signed.
	refused *verdict.Finding
	// named are the claims under the name that a step requires, where the statement
	// itself names no repository.
	named map[string]*claims
	// nearest is the reason of the step that it came closest to counting for.
	nearest      *verdict.Finding
	nearestStage stage
	nearestLook  int
	attributes   attributesOf
	sublayouts   map[*entry]*subResult
	// by is who signed it, if the layout knows them.
	by *principal
	// eligible is a step that it could count for.
	eligible string
	// steps are those that it counts for.
	steps []string
}

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
	if finding := c.denied(c.Artifact.Digest); finding != nil {
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
	if c.Step != "" && !l.hasStep(c.Step) {
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
		s.claims, s.refused = readClaims(v, !c.Layout.anyPredicate, c.gitHash256())
		if s.refused == nil {
			s.refused = c.deniedSource(v, s.claims)
		}
		s.known = c.layout.merge(v)
		c.statements = append(c.statements, s)
	}
	c.byStep = c.index()
}

// gitHash256 reports whether the layout, or one that it lies in, demands ids of SHA-256.
func (c *check) gitHash256() bool {
	return c.Layout.gitHash256 || slices.ContainsFunc(c.nested.outer, func(l *Layout) bool { return l.gitHash256 })
}

// denied asks the deny lists of the layout and of those that it lies in.
func (c *check) denied(digest artifact.DigestSet) *verdict.Finding {
	for _, l := range append(slices.Clone(c.nested.outer), c.Layout) {
		if finding := l.denied(digest); finding != nil {
			return finding
		}
	}
	return nil
}

// deniedSource refuses a statement that builds on something denied, that knows the
// artifact in hand by a further digest that is, or that is about a source that is.
func (c *check) deniedSource(v *attestation.Verified, claims *claims) *verdict.Finding {
	for _, s := range v.Statement().Subjects {
		if s.Digest.Join(c.Artifact.Digest, c.accepted) == artifact.Joined {
			if finding := c.denied(s.Digest); finding != nil {
				return finding
			}
		}
	}
	for _, digest := range claims.uses() {
		if finding := c.denied(digest); finding != nil {
			return finding
		}
		if tree, read := c.Trees[digest[artifact.GitCommit]]; read {
			if finding := c.denied(artifact.DigestSet{artifact.GitTree: tree}); finding != nil {
				return finding
			}
		}
	}
	return nil
}

// uses are the digests of the materials, and of the git sources that are products.
func (c *claims) uses() (all []artifact.DigestSet) {
	for _, name := range c.materials.Names() {
		all = append(all, c.materials[name].Digest)
	}
	for _, name := range c.products.Names() {
		if c.products[name].Name.Git {
			all = append(all, c.products[name].Digest)
		}
	}
	if c.nameless != nil {
		all = append(all, c.nameless.Digest)
	}
	return all
}

// decide tries each way in which the layout says the artifact can come about.
func (c *check) decide() verdict.Verdict {
	var nearest *attempt
	for _, s := range c.anchors() {
		a := c.try(s)
		if a.found {
			c.winner = a
			c.verdict = c.allow(a)
			return c.verdict
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
	fit     fit   // to the artifact in hand, where nothing was found
	// eligible counts, per step index, the principals that could count.
	eligible []int
}

// try gathers the groups for each step and searches for an assignment.
func (c *check) try(subject subjectRule) *attempt {
	anchor, _ := c.layout.boundStep(subject.from)
	a := &attempt{
		steps:    c.layout.from(anchor, c.Step != ""),
		eligible: make([]int, len(c.layout.steps)),
	}
	a.search = &search{work: c.work, anchor: anchor, artifact: c.Artifact.Digest, accepted: c.accepted, layout: c.Layout.name, traced: c.Trace, trees: c.Trees}
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
	a.search.work = c.work // and what sublayouts cost
	a.search.partial = len(a.lacking) > 0
	a.search.schedule()
	found := len(a.search.slots) > 0 && a.search.run(0)
	c.work = a.search.work
	a.found = found && len(a.lacking) == 0
	if !found {
		a.stuck = a.search.stopped
	}
	if !a.found {
		a.fit = c.fit(anchor, subject)
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
