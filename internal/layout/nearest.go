package layout

import (
	"path"
	"slices"
)

// fit is how far one of the layout's subjects is about the artifact in hand. It
// chooses what a refusal speaks of, and allows nothing.
type fit int

const (
	fitsNot       fit = iota
	fitsByName        // its file is called as the patterns have it
	fitsBySubject     // a statement that may be for the step has it as a subject, under such a name
)

// fit holds the artifact in hand against one of the layout's subjects, whoever signed.
// (TestAlternatives)
func (c *check) fit(anchor *boundStep, subject subjectRule) fit {
	for _, s := range c.byStep.of(anchor.name) {
		takes := func(e *entry) bool { return e.takes(s.verified.Statement()) }
		if slices.ContainsFunc(anchor.entries, takes) && slices.ContainsFunc(subjectNames(s.verified, c.Artifact, c.accepted), subject.covers) {
			return fitsBySubject
		}
	}
	if subject.coversFile(c.Artifact.Name) {
		return fitsByName
	}
	return fitsNot
}

// covers reports whether a name of the artifact is one of the layout's subjects.
func (s subjectRule) covers(name string) bool {
	return slices.ContainsFunc(s.patterns, func(g glob) bool { return g.match(name) })
}

// coversFile reports whether a file may be meant, of which the last part of the name is
// known alone. "dist/*" says nothing of that part.
func (s subjectRule) coversFile(base string) bool {
	return base != "" && slices.ContainsFunc(s.patterns, func(g glob) bool {
		if g.match(base) {
			return true
		}
		last, err := parseGlob(path.Base(g.text))
		return err == nil && last.text != "*" && last.match(base)
	})
}

// better reports whether a tells its reader more than b: it is about the artifact in
// hand, or it lacks nothing, or it has what the artifact itself must come from, or it
// came nearer to both.
func (a *attempt) better(b *attempt) bool {
	if a.fit != b.fit {
		return a.fit > b.fit
	}
	if whole := len(a.lacking) == 0; whole != (len(b.lacking) == 0) {
		return whole
	}
	if a.anchored() != b.anchored() {
		return a.anchored()
	}
	if right := a.near >= badAttribute; right != (b.near >= badAttribute) {
		return right // all but an attribute is as it must be
	}
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

// anchored reports whether the step that the artifact comes from has what it needs.
func (a *attempt) anchored() bool { return slices.Contains(a.search.steps, a.search.anchor) }
