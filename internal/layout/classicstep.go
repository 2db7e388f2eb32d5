package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// stepInput is one step and the files that may hold its links.
type stepInput struct {
	layout *classicLayout
	step   *classicStep
	files  []attestation.LinkFile
	scope  scopeInput
}

func (in stepInput) name() string { return stepPath(in.scope.path, in.step.name) }

// kept is a link, or a sublayout in its place, by somebody who may sign for the
// step.
type kept struct {
	evidence verdict.Evidence
	by       []attestation.SignedBy
	claims   *claims
	command  []string
	inner    *scope             // of a sublayout
	told     *verdict.Sublayout // what a trace has of it
}

// step finds who made links for a step, and whether they are enough and agree.
// What is broken or by somebody else neither helps nor harms.
func (c *classicCheck) step(s *scope, in stepInput) {
	var links []kept
	var failed []verdict.Finding // of sublayouts
	var spoilt *verdict.Finding  // why a link by who may sign does not count
	for _, file := range in.files {
		k, inner := c.link(in, file)
		if k.told != nil {
			s.sublayouts = append(s.sublayouts, *k.told)
		}
		if k.claims == nil {
			s.evidence = append(s.evidence, k.evidence)
			s.refused(k.inner)
			failed = append(failed, inner...)
			if k.evidence.Verified && spoilt == nil {
				spoilt = k.evidence.Reason
			}
			continue
		}
		links = append(links, k)
	}
	var persons people
	for _, k := range links {
		for _, by := range k.by {
			persons.add(by)
		}
	}
	// "how many pieces of link metadata must be provided" (4.3.1), and by as many
	// people: neither two signatures of one, nor one link of two, are two.
	counted := min(persons.count(), len(links))
	report := verdict.Step{Name: in.name(), Required: in.step.threshold, Counted: counted}
	finding := c.agreement(in, links, counted, spoilt)
	if report.Satisfied = finding == nil; finding != nil {
		s.add(*finding)
		s.findings = append(s.findings, failed...)
		s.unread(in)
	}
	for _, k := range links {
		if k.evidence.Counted = finding == nil; finding != nil {
			k.evidence.Reason = &verdict.Finding{ID: verdict.OutsideAssignment, Step: in.name(), Found: "it could count there, and the step is not satisfied"}
		}
		s.evidence = append(s.evidence, k.evidence)
		report.By = append(report.By, k.evidence.Signer)
		s.inner(k, finding == nil)
	}
	s.steps = append(s.steps, report)
	if finding == nil {
		s.claims[in.step.name] = links[0].claims
		s.notes = append(s.notes, misaligned(in, links[0])...)
	}
}

// refused lists what did not count inside a sublayout that failed.
func (s *scope) refused(inner *scope) {
	if inner == nil {
		return
	}
	for _, e := range inner.evidence {
		if e.Reason != nil {
			s.evidence = append(s.evidence, e)
		}
	}
}

// inner adds what a counted sublayout was judged by.
func (s *scope) inner(k kept, counted bool) {
	if k.inner == nil || !counted {
		return
	}
	s.steps = append(s.steps, k.inner.steps...)
	s.evidence = append(s.evidence, k.inner.evidence...)
	s.notes = append(s.notes, k.inner.notes...)
}

// unread makes a step that lacks links undecided where a file that may be one
// could not be read at all.
func (s *scope) unread(in stepInput) {
	for _, file := range in.files {
		if file.Refused != nil && file.Refused.ID == verdict.SourceUnreadable {
			f := file.Refused.Finding()
			f.Step, f.Expected, f.Next = in.name(), "a file that can be read", "make it readable"
			s.add(f)
		}
	}
}

// agreement says why the links are not enough for the step. What is spoilt may be nil.
func (c *classicCheck) agreement(in stepInput, links []kept, counted int, spoilt *verdict.Finding) *verdict.Finding {
	if counted < in.step.threshold {
		f := &verdict.Finding{
			ID: verdict.ThresholdNotMet, Step: in.name(), Found: tooFew(in, counted),
			Expected: "links by " + allowedOf(in.step), Next: "have them record the step with in-toto-run, and put their links into --link-dir",
		}
		if spoilt != nil {
			f.Found = filesOf(in) + ", of which one by who may sign does not count: " + spoilt.Found
			f.Next = spoilt.Next
		}
		return f
	}
	for _, k := range links[1:] {
		if k.claims.key != links[0].claims.key {
			return &verdict.Finding{
				ID: verdict.StatementsDisagree, Step: in.name(), Found: fmt.Sprintf("%s and %s name other materials or products", links[0].evidence.Source, k.evidence.Source),
				Expected: "links that report the same results", Next: "find out who is right, and remove the link that is not of this release",
			}
		}
	}
	return nil
}

// tooFew says what was found where links are missing.
func tooFew(in stepInput, counted int) string {
	switch {
	case len(in.files) == 0:
		return fmt.Sprintf("there is no file %s.*.link", in.step.name)
	case counted == 0:
		return filesOf(in) + ", none by anybody who may sign for this step"
	default:
		return fmt.Sprintf("%s, and what counts is by %d of those who may sign for this step", filesOf(in), counted)
	}
}

func filesOf(in stepInput) string {
	return plural(len(in.files), "file") + " " + in.step.name + ".*.link"
}

// allowedOf names who may sign for a step.
func allowedOf(s *classicStep) string {
	var who []string
	for _, key := range s.keys {
		who = append(who, key.Signer().String())
	}
	for _, c := range s.constraints {
		names := slices.Concat(c.URIs, c.Emails, c.DNSNames, []string{c.CommonName})
		who = append(who, "a certificate of "+strings.Join(distinctValues(names), ", "))
	}
	const most = 5
	if len(who) > most {
		who = append(who[:most], fmt.Sprintf("%d more", len(who)-most))
	}
	return strings.Join(who, ", or ")
}

// link reads one file as a link of the step, or as a sublayout in its place.
// Where it does not count, the reason is in the evidence; the findings are those
// of a sublayout that failed.
func (c *classicCheck) link(in stepInput, file attestation.LinkFile) (kept, []verdict.Finding) {
	refuse := func(source string, f verdict.Finding) (kept, []verdict.Finding) {
		f.Step = in.name()
		return kept{evidence: verdict.Evidence{Source: source, SHA256: sha256Of(file.Envelope.Digest()), Reason: &f}}, nil
	}
	if file.Envelope == nil {
		return refuse(file.Refused.Source, file.Refused.Finding())
	}
	trusted := attestation.Trusted{Keys: in.step.keys, Now: c.in.Now}
	if len(in.step.constraints) > 0 {
		trusted.Authorities = in.layout.authorities
	}
	signed, refusal := file.Envelope.Verify(trusted)
	if refusal != nil {
		return refuse(refusal.Source, refusal.Finding())
	}
	by, refused := in.step.functionaries(signed.SignedBy())
	if len(by) == 0 {
		return refuse(signed.Source(), *refused)
	}
	k := kept{by: by, evidence: verdict.Evidence{
		Source: signed.Source(), SHA256: sha256Of(signed.Digest()), Verified: true, Signer: describeSigner(by[0]), Root: "key", Step: in.name(), PredicateType: typeURI(signed),
	}}
	if by[0].Certificate != nil {
		k.evidence.Root = strings.Join(by[0].Certificate.Roots, ", ")
	}
	finding, inner := c.read(in, signed, &k, file)
	if finding != nil {
		finding.Step = in.name()
		k.claims, k.evidence.Reason = nil, finding
	}
	return k, inner
}

// functionaries keeps those who may sign for the step. The finding says why one
// who does not may not.
func (s *classicStep) functionaries(all []attestation.SignedBy) (by []attestation.SignedBy, refused *verdict.Finding) {
	for _, signer := range all {
		if signer.Certificate == nil {
			by = append(by, signer)
			continue
		}
		unmet := ""
		for _, c := range s.constraints {
			if unmet = c.unmet(signer.Certificate); unmet == "" {
				break
			}
		}
		if unmet == "" {
			by = append(by, signer)
			continue
		}
		refused = &verdict.Finding{
			ID: verdict.CertificateRefused, Found: fmt.Sprintf("the certificate of %s does not meet the step's constraint on %s", describeSigner(signer), unmet),
			Expected: "a certificate that meets one of cert_constraints", Next: "have one sign whose certificate does",
		}
	}
	return by, refused
}

// read reads the content of verified metadata.
func (c *classicCheck) read(in stepInput, signed *attestation.Signed, k *kept, file attestation.LinkFile) (*verdict.Finding, []verdict.Finding) {
	switch signed.Type() {
	case "link":
		link, finding := c.readLink(signed)
		if finding != nil {
			return finding, nil
		}
		// "To identify to which step a piece of link metadata belongs, the NAME
		// field must be set to the same identifier as the step described in the
		// layout" (in-toto 1.0, 4.4)
		if link.name != in.step.name {
			return &verdict.Finding{
				ID: verdict.LinkOfOtherStep, Found: fmt.Sprintf("the link is of step %q", link.name), Expected: "a link of step " + in.step.name,
				Next: "do not rename links; have the functionary record this step",
			}, nil
		}
		k.claims, k.command = link.claims, link.command
		return nil, nil
	case "layout":
		return c.sublayout(in, signed, k, file)
	}
	return linkProblem(verdict.LinkMalformed, fmt.Sprintf("the _type is %q, expected link or layout", signed.Type())), nil
}

// misaligned notes a command that is not the suggested one.
//
// "during verification, clients should only show a warning if the expected
// command field does not match its counterpart in the link metadata" (in-toto
// 1.0, 4.3.1)
func misaligned(in stepInput, k kept) []string {
	if len(in.step.command) == 0 || k.inner != nil || slices.Equal(in.step.command, k.command) {
		return nil
	}
	return []string{fmt.Sprintf("step %s: the functionary ran %q where the layout suggests %q", in.name(), strings.Join(k.command, " "), strings.Join(in.step.command, " "))}
}
