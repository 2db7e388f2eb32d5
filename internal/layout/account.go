package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// report lists every candidate with what became of it; one that counts for two
// steps is listed for each.
func (c *check) report(allowed bool) []verdict.Evidence {
	var out []verdict.Evidence
	read := map[*attestation.Verified]*statement{}
	for _, s := range c.statements {
		c.explain(s)
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
