package layout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// allow turns an assignment into a verdict.
func (c *check) allow(a *attempt) verdict.Verdict {
	for _, slot := range a.search.slots {
		for _, m := range a.search.countedIn(slot) {
			if s := m.statement; !slices.Contains(s.steps, slot.step.name) {
				s.steps = append(s.steps, slot.step.name)
			}
		}
	}
	within := c.countWithin(a)
	v := c.verdict
	v.Steps = c.steps(a)
	v.Evidence = c.report(true)
	v.Notes = slices.Concat(c.notes(), a.treeNotes(), within)
	v.Trace = c.trace(a)
	return v.Allow()
}

// deny says why no assignment was found. It is undecided where something that
// might have been the missing statement could not be read or understood.
func (c *check) deny(a *attempt) verdict.Verdict {
	v := c.verdict
	v.Steps = c.steps(a)
	v.Evidence = c.report(false)
	v.Trace = c.trace(a)
	findings := a.lacking
	if a.stuck != nil {
		findings = append(findings, c.placed(*a.stuck))
	}
	if a.search.exhausted() && len(a.lacking) == 0 {
		return v.Undecide(verdict.Finding{
			ID: verdict.TooManyAssignments, Step: a.search.anchor.name, Expected: "statements that can be combined in a few ways",
			Found: "too many ways to try", Next: "hand only the evidence of this release, with --bundle",
		})
	}
	unread := c.unread()
	for _, f := range findings {
		if unread != nil && len(a.lacking) > 0 {
			v = v.Undecide(f)
		} else {
			v = v.Deny(f)
		}
	}
	if unread != nil && len(a.lacking) > 0 {
		v = v.Undecide(*unread)
	}
	return v
}

// unread returns the reason of a candidate that could not be judged at all.
func (c *check) unread() *verdict.Finding {
	for _, e := range c.Refused {
		if e.Reason != nil && (e.Reason.ID == verdict.BundleTooNew || e.Reason.ID == verdict.SourceUnreadable) {
			return e.Reason
		}
	}
	return nil
}

// steps reports each step as far as it came.
func (c *check) steps(a *attempt) []verdict.Step {
	var out []verdict.Step
	for _, s := range c.layout.steps {
		if !slices.Contains(a.steps, s) {
			continue
		}
		step := verdict.Step{Name: s.name, Counted: a.eligible[s.index]}
		for _, e := range s.entries {
			step.Required += e.threshold
		}
		step.Satisfied = a.found || slices.Contains(a.search.steps, s) && !c.stuckAt(a, s)
		step.By = c.by(a, s)
		out = append(out, step)
	}
	return out
}

// placed gives a finding about a step the step's place, if it has no better one.
func (c *check) placed(f verdict.Finding) verdict.Finding {
	if s, ok := c.layout.boundStep(f.Step); ok && f.Where == "" {
		f.Where = s.at.in(c.Layout.name)
	}
	return f
}

func (c *check) stuckAt(a *attempt, s *boundStep) bool {
	return a.stuck != nil && (a.stuck.Step == s.name || a.stuck.Step == "")
}

// by names the signers of a step, with what they signed: those that count, or
// where nothing was decided those that could.
func (c *check) by(a *attempt, s *boundStep) []string {
	var out []string
	add := func(st *statement) {
		line := fmt.Sprintf("%s, %s", st.signer(), PredicateName(st.verified.Statement()))
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	for _, slot := range a.search.slots {
		switch {
		case slot.step != s:
		case a.found:
			for _, m := range a.search.countedIn(slot) {
				add(m.statement)
			}
		default:
			for _, g := range slot.options {
				for _, m := range g.members {
					add(m.statement)
				}
			}
		}
	}
	const most = 5
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return out
}

// lacks is the finding for an item of expectedPredicates without enough people.
// Its id is that of the statement that came nearest to counting.
func (c *check) lacks(step *boundStep, e *entry, s sorted) *verdict.Finding {
	f := &verdict.Finding{ID: verdict.ThresholdNotMet, Step: step.name, Where: e.at.in(c.Layout.name), Expected: e.people(), Next: c.nextFor(step, e)}
	switch {
	case s.people >= e.threshold:
		f.ID = verdict.StatementsDisagree
		f.Found = plural(s.count, "attestation") + " found, and no " + plural(e.threshold, "principal") + " say the same of their materials and products"
		f.Expected = "equal materials and products"
		f.Next = "compare the statements: one of them speaks of another commit or file"
		if s.oneTree {
			f.Next = "have them attest one commit; theirs have one tree, so if that is enough, say joinBy: tree on this step and on those that match from it"
		}
	case s.nearest != nil:
		f.Found = plural(s.count+s.misses, "attestation") + " found, "
		if s.nearestStage == otherStep && s.count+s.misses > 1 {
			f.Found += "none for this step: "
		}
		f.Found += s.nearest.Found
		if s.nearestStage >= otherSigner {
			f.Next = strings.TrimSuffix(f.Next, orAnotherKind)
		}
		if s.people == 0 {
			f.ID, f.Expected, f.Rule = s.nearest.ID, s.nearest.Expected, s.nearest.Rule
			if s.nearestStage > otherSigner && s.nearest.Next != "" {
				f.Next = s.nearest.Next
			}
		}
	case s.count > 0:
		f.Found = plural(s.count, "attestation") + " found, by " + plural(s.people, "principal")
	default:
		f.Found = "no attestation with " + e.expected() + " found"
		c.blameRefused(f)
	}
	return f
}

// blameRefused adds what became of the candidates where none verified at all.
func (c *check) blameRefused(f *verdict.Finding) {
	if len(c.statements) > 0 {
		if len(c.Refused) > 0 {
			f.Found += fmt.Sprintf("; %s could not be read or verified, and may be what is missing: %s", plural(len(c.Refused), "candidate"), c.Refused[0].Source)
		}
		return
	}
	if len(c.Refused) == 0 {
		f.ID = verdict.NoCandidate
		return
	}
	reason := c.Refused[0].Reason
	if reason == nil {
		return
	}
	f.ID = reason.ID
	f.Found += fmt.Sprintf("; %s looked at, none verified: %s", plural(len(c.Refused), "candidate"), reason.Found)
	if reason.Next != "" {
		f.Next = reason.Next
	}
}

// orAnotherKind ends the next step where, without a layout, no statement of the
// right kind was found.
const orAnotherKind = ", or ask for another kind of statement with --predicate-type URI"

// nextFor tells how a missing statement is made.
func (c *check) nextFor(step *boundStep, e *entry) string {
	switch {
	case c.Layout.simple && c.Artifact.Digest[artifact.GitCommit] != "":
		return c.fetchFirst("have " + e.people() + " attest the commit" + orAnotherKind)
	case c.Layout.simple:
		return "have " + e.people() + " attest the artifact" + orAnotherKind
	case !slices.Contains(e.predicateTypes, LinkV03) && slices.ContainsFunc(e.predicateTypes, isAuthor):
		return "have one of them sign " + e.toSign()
	case !slices.Contains(e.predicateTypes, LinkV03) && len(e.allowed) > mostPeople:
		return "have one of them attest the artifact"
	case !slices.Contains(e.predicateTypes, LinkV03):
		return "have " + e.people() + " attest the artifact"
	}
	commit := cmp.Or(c.Artifact.Digest[artifact.GitCommit], "COMMIT")
	for _, s := range c.statements {
		if s.claims == nil || s.eligible == "" || s.eligible == step.name {
			continue // a stray statement must not tell anybody what to sign
		}
		for _, name := range s.claims.materials.Names() {
			m := s.claims.materials[name]
			if id := m.Digest[artifact.GitCommit]; id != "" && !m.Asserted {
				commit = id
			}
		}
	}
	who := "have one of them run  "
	if len(e.allowed) == 1 {
		who = "have that signer run  "
	}
	return c.fetchFirst(fmt.Sprintf("%ssignatus attest --commit %s --step %s", who, commit, step.name))
}

// toSign lists the ways in which authors may sign in an item that takes no link.
func (e *entry) toSign() string {
	var ways []string
	for _, way := range []struct {
		predicateTypes []string
		text           string
	}{
		{[]string{attestation.GitCommitPredicate}, "the commit (git commit -S)"},
		{[]string{attestation.GitTagPredicate}, "a tag of it (git tag -s)"},
		{[]string{AuthorizationV01, AuthorizationV02}, "an authorization of the change (gittuf attest authorize)"},
		{[]string{ApprovalV01}, "an approval of the change, as gittuf's app does"},
	} {
		if slices.ContainsFunc(way.predicateTypes, func(t string) bool { return slices.Contains(e.predicateTypes, t) }) {
			ways = append(ways, way.text)
		}
	}
	return orWords(ways)
}

// fetchFirst is a next step after the one of looking whether it is done already.
func (c *check) fetchFirst(next string) string {
	if c.Fetch == "" {
		return next
	}
	return "run  " + c.Fetch + "  in case it is there already, or else " + next
}

// report lists every candidate with what became of it; one that counts for two
// steps is listed for each.
func (c *check) report(allowed bool) []verdict.Evidence {
	var out []verdict.Evidence
	read := map[*attestation.Verified]*statement{}
	for _, s := range c.statements {
		read[s.verified] = s
	}
	for _, v := range c.Verified {
		e := Evidence(v)
		if s := read[v]; s != nil {
			e.Signer = s.signer()
		}
		switch s := read[v]; {
		case s == nil:
			e.Reason = &verdict.Finding{ID: verdict.OutsideAssignment, Found: "it was not judged: the layout could not be applied"}
		case s.steps == nil:
			e.Reason = s.reason(allowed)
		default:
			for _, step := range s.steps {
				e.Counted, e.Step = true, step
				out = append(out, e)
			}
			continue
		}
		out = append(out, e)
	}
	return append(out, c.Refused...)
}

// reason says why a statement did not count. One that could have is not blamed.
func (s *statement) reason(allowed bool) *verdict.Finding {
	switch {
	case s.eligible != "" && !allowed:
		return &verdict.Finding{ID: verdict.OutsideAssignment, Step: s.eligible, Found: "by itself it could count there"}
	case s.eligible != "":
		return &verdict.Finding{
			ID: verdict.OutsideAssignment, Step: s.eligible, Found: "it could count there, and the verdict was reached without it",
		}
	case s.nearest != nil:
		return s.nearest
	case s.refused != nil:
		return s.refused
	}
	return &verdict.Finding{
		ID: verdict.UnexpectedPredicate, Found: "no step of the layout asks for " + predicateOf(s.verified),
		Expected: "a statement that some step asks for",
	}
}

// signer names who signed: a key by the name that the layout has for its holder.
func (s *statement) signer() string {
	signer := s.verified.Signer()
	if signer.Key == "" {
		return signer.String()
	}
	return s.by.called(signer.String())
}

// Evidence describes a verified statement for a report.
func Evidence(v *attestation.Verified) verdict.Evidence {
	signer, statement := v.Signer(), v.Statement()
	e := verdict.Evidence{
		Source: v.Source(), SHA256: strings.TrimPrefix(v.Digest(), "sha256:"), Verified: true, Signer: signer.String(), Issuer: signer.Issuer, Identity: signer.SAN,
		Root: v.Root(), PredicateType: statement.PredicateType, SubjectCount: len(statement.Subjects), Times: v.Times(),
	}
	if signer.Key != "" {
		e.Identity = signer.Key
	}
	return e
}

// notes are worth knowing and change nothing.
func (c *check) notes() []string {
	var notes []string
	note := func(text string) {
		if !slices.Contains(notes, text) {
			notes = append(notes, text)
		}
	}
	for _, s := range c.statements {
		if s.steps == nil {
			continue
		}
		names := subjectNames(s.verified, c.Artifact, c.accepted)
		if c.Artifact.Name != "" && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool {
			return n == c.Artifact.Name || strings.HasSuffix(n, "/"+c.Artifact.Name) || n == "_"
		}) {
			note(fmt.Sprintf("the file is named %s here and %s where it was attested; the digest binds, not the name", c.Artifact.Name, orWords(names)))
		}
		for _, name := range sortedKeys(s.named) {
			if c.Layout.simple {
				note(fmt.Sprintf("%s: its signature names no repository", s.verified.Source()))
			} else {
				note(fmt.Sprintf("%s: its signature names no repository; it counts for %s because a step requires that name", s.verified.Source(), name))
			}
		}
		if c.Layout.simple && s.claims.summary != nil {
			note(fmt.Sprintf("%s: a verification summary of the resource %q, which nothing here demands, nor a policy: a layout's vsa demands both", s.verified.Source(), s.claims.summary.ResourceURI))
		}
		if _, ok := s.verified.Time(); !ok {
			note(fmt.Sprintf("%s: no log or timestamp authority proves when it was signed", s.verified.Source()))
		}
	}
	if c.Step != "" {
		note("only step " + c.Step + " and what it matches was checked")
	}
	return notes
}

// PredicateName is a short name for a predicate type that people know.
func PredicateName(s attestation.Statement) string {
	if s.MessageSignature() {
		return "message signature"
	}
	switch s.PredicateType {
	case "https://slsa.dev/provenance/v1":
		return "SLSA provenance v1"
	case "https://slsa.dev/provenance/v0.2":
		return "SLSA provenance v0.2"
	case LinkV03:
		return "in-toto link v0.3"
	case LayoutPredicate:
		return "sublayout"
	case vsa.V1:
		return "verification summary v1"
	case attestation.GitCommitPredicate:
		return "signed commit"
	case attestation.GitTagPredicate:
		return "signed tag"
	case AuthorizationV01:
		return "gittuf authorization v0.1"
	case AuthorizationV02:
		return "gittuf authorization v0.2"
	case ApprovalV01:
		return "gittuf approval v0.1"
	}
	return s.PredicateType
}

func predicateOf(v *attestation.Verified) string {
	switch s := v.Statement(); {
	case s.MessageSignature():
		return "a message signature"
	case s.PredicateType == "":
		return "a statement without a predicate type"
	default:
		return "predicate type " + s.PredicateType
	}
}

// subjectsOf describes what a statement is about, at most a few subjects.
func subjectsOf(s attestation.Statement) string {
	const most = 2
	var parts []string
	for i, subject := range s.Subjects {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(s.Subjects)-most))
			break
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", subject.Name, subject.Digest))
	}
	return strings.Join(parts, " and ")
}

func globsOf(globs []glob) string {
	words := make([]string, len(globs))
	for i, g := range globs {
		words[i] = g.text
	}
	return orWords(words)
}

func orWords(words []string) string {
	switch len(words) {
	case 0:
		return "nobody"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
