package layout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

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
			f.Where = cmp.Or(s.nearest.Where, f.Where)
			if s.nearestStage > otherSigner && s.nearest.Next != "" {
				f.Next = s.nearest.Next
			}
		}
	case s.count > 0:
		f.Found = plural(s.count, "attestation") + " found, by " + plural(s.people, "principal")
	default:
		f.Found = c.nothing(e)
		c.blameRefused(f)
	}
	return f
}

// nothing says that there is nothing of what counts. Without a layout, what counts
// for a commit or a tag is first of all its own signature.
func (c *check) nothing(e *entry) string {
	attested := "no attestation with " + e.expected()
	switch own := c.Layout.simple && slices.ContainsFunc(e.predicateTypes, isAuthor); {
	case own && c.Artifact.Digest[artifact.GitCommit] != "":
		return "nothing found that counts for a commit: no signature of its own, none of a tag of it, and " + attested
	case own && c.Artifact.Digest[artifact.GitTag] != "":
		return "nothing found that counts for a tag: no signature of its own, and " + attested
	}
	return attested + " found"
}

// signObject tells how a commit or a tag is signed, and where its signature is looked
// for; empty where its own signature does not count.
func (c *check) signObject(e *entry, kind, id string) string {
	if id == "" || !slices.ContainsFunc(e.predicateTypes, isAuthor) {
		return ""
	}
	how := "have " + e.people() + " sign the " + kind + map[string]string{"commit": " (git commit -S)", "tag": " (git tag -s)"}[kind]
	if c.Fetch == "" && len(c.statements)+len(c.Refused) == 0 {
		return fmt.Sprintf("name a clone with --git DIR, or give the raw object as --bundle (git cat-file %s %s > FILE); or %s", kind, id, how)
	}
	return how
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
		if c.Fetch == "" && !strings.Contains(f.Next, "--bundle") {
			f.Next = "name the file with the bundle (--bundle FILE), or " + f.Next
		}
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
	commitInHand, tag := c.Artifact.Digest[artifact.GitCommit], c.Artifact.Digest[artifact.GitTag]
	switch signed := cmp.Or(c.signObject(e, "commit", commitInHand), c.signObject(e, "tag", tag)); {
	case c.Layout.simple && signed != "":
		return c.fetchFirst(e, signed+" or attest it"+orAnotherKind)
	case c.Layout.simple && commitInHand != "":
		return c.fetchFirst(e, "have "+e.people()+" attest the commit"+orAnotherKind)
	case c.Layout.simple:
		return "have " + e.people() + " attest the artifact" + orAnotherKind
	case e.sublayout != nil:
		return "have " + e.people() + " sign the layout for it: signatus attest FILE --predicate LAYOUT --predicate-type layout"
	case !slices.Contains(e.predicateTypes, LinkV03) && slices.ContainsFunc(e.predicateTypes, isAuthor):
		return c.fetchFirst(e, "have one of them sign "+e.toSign())
	case !slices.Contains(e.predicateTypes, LinkV03) && len(e.allowed) > mostPeople:
		return "have one of them attest the artifact"
	case !slices.Contains(e.predicateTypes, LinkV03):
		return "have " + e.people() + " attest the artifact"
	}
	commit := cmp.Or(commitInHand, "COMMIT")
	for _, s := range c.statements {
		if s.claims == nil || s.eligible == "" || s.eligible == step.name {
			continue // a stray statement must not tell anybody what to sign
		}
		for _, m := range s.materials() {
			if id := m.Digest[artifact.GitCommit]; id != "" && !m.Asserted {
				commit = id
			}
		}
	}
	who := "have one of them run  "
	if len(e.allowed) == 1 {
		who = "have that signer run  "
	}
	return c.fetchFirst(e, fmt.Sprintf("%ssignatus attest --commit %s --step %s", who, commit, step.name))
}

// materials are what a statement says it was made of; of a layout that it signs, what the
// layout's first step says.
func (s *statement) materials() (all []artifact.Resource) {
	sets := []artifact.Set{s.claims.materials}
	for _, result := range s.sublayouts {
		if result.claims != nil && len(s.sublayouts) == 1 {
			sets = append(sets, result.claims.materials)
		}
	}
	for _, set := range sets {
		for _, name := range set.Names() {
			all = append(all, set[name])
		}
	}
	return all
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
func (c *check) fetchFirst(e *entry, next string) string {
	var commands []string
	if c.Fetch != "" && !e.takesOnly(isAuthor) {
		commands = append(commands, "  "+c.Fetch+"  ")
	}
	if c.FetchChanges != "" && slices.ContainsFunc(e.predicateTypes, isAuthorization) {
		commands = append(commands, "  "+c.FetchChanges+"  ")
	}
	if len(commands) == 0 {
		return next
	}
	return "run" + strings.Join(commands, "and") + "in case it is there already, or else " + next
}

// takesOnly reports whether all that an item takes is of a sort.
func (e *entry) takesOnly(sort func(predicateType string) bool) bool {
	return !e.message && !slices.ContainsFunc(e.predicateTypes, func(t string) bool { return !sort(t) })
}
