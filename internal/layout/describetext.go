package layout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/attestation"
)

// Sentences tells the layout in plain words, one condition a line. Two spaces in
// front of a line put it under the one before; an empty line parts what is not of
// one matter. They are not wrapped, and not cleaned.
func (d Description) Sentences() []string {
	p := &prose{Description: d}
	p.headline()
	for _, s := range d.Steps {
		p.gap()
		p.step(s)
	}
	p.gap()
	p.classic()
	p.subjects()
	p.gap()
	p.people()
	p.parameters()
	p.denied()
	return p.lines
}

// prose is a description on its way to being told.
type prose struct {
	Description
	lines []string
}

func (p *prose) say(depth int, format string, args ...any) {
	p.lines = append(p.lines, strings.Repeat("  ", depth)+fmt.Sprintf(format, args...))
}

func (p *prose) gap() { p.lines = append(p.lines, "") }

// headline says who is needed at all.
func (p *prose) headline() {
	version := fmt.Sprintf("version %d", p.Version)
	if p.Classic {
		version = "of in-toto 1.0"
	}
	p.say(0, "Layout %s, %s, holds until %s.", p.Name, version, p.Expires.Format(time.RFC3339))
	what := "An artifact"
	if p.Source != "" {
		what = "A release of " + p.Source
	}
	var told [][]string
	for _, subject := range p.Subjects {
		if slices.ContainsFunc(told, func(steps []string) bool { return slices.Equal(steps, subject.Steps) }) {
			continue
		}
		told = append(told, subject.Steps)
		p.say(0, "%s needs:", what+p.which(subject))
		p.needs(subject.Steps)
	}
	if p.GitHash != "" {
		p.say(0, "Commits are named by their %s object ids and no others.", p.GitHash)
	}
	if len(p.Levels) > 0 {
		p.say(0, "A verification summary of what is allowed states the verified levels %s.", strings.Join(p.Levels, ", "))
	}
}

// which tells one kind of artifact from others that need other steps; nothing where
// all need the same.
func (p *prose) which(subject DescribedSubject) string {
	var names []string
	for _, s := range p.Subjects {
		if slices.Equal(s.Steps, subject.Steps) {
			names = append(names, s.names()+" from step "+s.From)
		}
	}
	if len(names) == len(p.Subjects) {
		return ""
	}
	return ", if it is " + listed(names, "or") + ","
}

func (p *prose) needs(steps []string) {
	for _, s := range p.Steps {
		for _, e := range s.Predicates {
			if slices.Contains(steps, s.Name) {
				p.say(1, "- %s on %s (step %s)", e.whoever(), s.About, s.Name)
			}
		}
	}
}

func (p *prose) step(s DescribedStep) {
	p.say(0, "Step %s is about %s.", s.Name, s.About)
	for _, e := range s.Predicates {
		p.say(1, "- %s", p.sentence(e))
		for _, name := range sortedKeys(e.Parameters) {
			p.say(2, "- which is given %s: %s", name, e.Parameters[name])
		}
		for _, a := range e.Attributes {
			p.say(2, "- of which is true: %s", strings.Join(strings.Fields(a), " "))
		}
		p.summary(e.Summary)
	}
	materials := "Its materials"
	if s.SubjectsOnly {
		materials = "Its subjects"
	}
	p.rules(materials, s.Materials)
	p.rules("Its products", s.Products)
	if s.JoinBy != "" && slices.ContainsFunc(slices.Concat(s.Materials, s.Products), func(r DescribedRule) bool { return r.From != "" }) {
		p.say(1, "- Its commits are joined with those of other steps by their %s: another commit of the same content will do.", s.JoinBy)
	}
	if s.JoinBy != "" && s.CountsByTree {
		p.say(1, "- Those who count together may name different commits of one tree, or the tree alone.")
	}
	if len(s.Command) > 0 {
		p.say(1, "- It is meant to run %s, which nothing checks.", strings.Join(s.Command, " "))
	}
	if len(s.DistinctFrom) > 0 {
		p.say(1, "- Nobody who counts in step %s counts here.", listed(s.DistinctFrom, "or"))
	}
}

// summary tells what a verification summary must say.
func (p *prose) summary(s *DescribedSummary) {
	if s == nil {
		return
	}
	p.say(2, "- of a verification that passed, of the resource %s", s.ResourceURI)
	for _, alg := range sortedKeys(s.Policy) {
		p.say(2, "- against the policy %s:%s", alg, s.Policy[alg])
	}
	for _, name := range sortedKeys(s.Parameters) {
		p.say(2, "- with the policy's parameter %s=%s", name, s.Parameters[name])
	}
	if s.VerifierID != "" {
		p.say(2, "- by the verifier %s", s.VerifierID)
	}
	if len(s.Levels) > 0 {
		p.say(2, "- with the verified levels %s, or higher ones", strings.Join(s.Levels, ", "))
	}
}

// rules tells a rule list as what it lets pass, in its order.
func (p *prose) rules(whose string, rules []DescribedRule) {
	switch {
	case len(rules) == 0 && p.Classic:
		p.say(1, "- %s: anything.", whose)
	case len(rules) == 0:
	case len(rules) == 1 && rules[0].refusesRest():
		p.say(1, "- %s: none.", whose)
	default:
		var words []string
		for i, r := range rules {
			if r.Kind == string(requireRule) && i+1 < len(rules) && rules[i+1].passes(r.Pattern) {
				continue // told with the rule behind it
			}
			if r.refusesRest() && i > 0 && rules[i-1].Kind == string(allowRule) && rules[i-1].Pattern == "*" {
				continue // nothing is left
			}
			required := i > 0 && rules[i-1].Kind == string(requireRule) && r.passes(rules[i-1].Pattern)
			words = append(words, r.words(required))
		}
		// in-toto 1.0 has "an implicit ALLOW *" at the end of every list.
		if p.Classic && !rules[len(rules)-1].refusesRest() {
			words = append(words, "anything else")
		}
		p.say(1, "- %s: %s.", whose, strings.Join(words, "; "))
	}
}

func (r DescribedRule) refusesRest() bool {
	return r.Kind == string(disallowRule) && r.Pattern == "*"
}

// passes reports whether the rule lets this one name pass.
func (r DescribedRule) passes(name string) bool {
	return r.Pattern == name && r.SourcePrefix == "" && (r.Kind == string(allowRule) || r.Kind == string(matchRule))
}

// words tells what the rule does with what no earlier rule has taken.
func (r DescribedRule) words(required bool) string {
	what := r.Pattern
	if what == "*" {
		what = "anything"
	}
	if r.SourcePrefix != "" {
		what += " under " + r.SourcePrefix
	}
	if required {
		what += ", which must be there"
	}
	switch ruleKind(r.Kind) {
	case matchRule:
		list, under := "materials", ""
		if r.FromProducts {
			list = "products"
		}
		if r.FromPrefix != "" {
			under = " under " + r.FromPrefix
		}
		return fmt.Sprintf("%s, where step %s has the same%s among its %s", what, r.From, under, list)
	case createRule:
		return what + " that was no material"
	case deleteRule:
		return what + " that is no product"
	case modifyRule:
		return what + " that the step has changed"
	case requireRule:
		return what + " must be there"
	case disallowRule:
		if r.refusesRest() {
			return "nothing else"
		}
		return "no " + what
	case allowRule:
	}
	return what
}

// whoever names how many of whom.
func (e DescribedPredicate) whoever() string {
	switch n := len(e.Of); {
	case n == 1:
		return e.Of[0]
	case e.Threshold == n && n == 2:
		return "both " + listed(e.Of, "and")
	case e.Threshold == n:
		return "all of " + listed(e.Of, "and")
	default:
		return fmt.Sprintf("%d of %s", e.Threshold, strings.Join(e.Of, ", "))
	}
}

// sentence tells one item of expectedPredicates.
func (p *prose) sentence(e DescribedPredicate) string {
	verb := "signs"
	if e.Threshold > 1 {
		verb = "sign"
	}
	text := fmt.Sprintf("%s %s %s", e.whoever(), verb, statementNames(e.Types))
	if len(e.By) < p.ways(e.Of) {
		text += ", as " + listed(e.By, "or")
	}
	if e.MaxAge == "" {
		return text + "."
	}
	counted := "a short-lived certificate's beginning"
	if e.AgeFrom != "" {
		counted += ", or else from the signed field " + e.AgeFrom
	}
	return fmt.Sprintf("%s, at most %s old, counted from %s.", text, e.MaxAge, counted)
}

// ways counts the functionaries that the principals have.
func (p *prose) ways(principals []string) (n int) {
	for _, who := range p.Principals {
		if slices.Contains(principals, who.Name) {
			n += len(who.Functionaries)
		}
	}
	return n
}

// statementNames calls well-known predicate types by a name that people know.
func statementNames(types []string) string {
	known := map[string]string{
		LinkV03:                                           "an in-toto link",
		LayoutPredicate:                                   "a layout of its own, which must be satisfied",
		"https://slsa.dev/provenance/v1":                  "SLSA provenance v1",
		"https://slsa.dev/provenance/v0.2":                "SLSA provenance v0.2",
		"https://in-toto.io/attestation/vulns/v0.1":       "a vulnerability scan",
		"https://in-toto.io/attestation/vulns/v0.2":       "a vulnerability scan",
		"https://in-toto.io/attestation/test-result/v0.1": "a test result",
		attestation.GitCommitPredicate:                    "the commit itself",
		attestation.GitTagPredicate:                       "a tag of the commit",
		"https://slsa.dev/verification_summary/v1":        "a verification summary",
		"https://cyclonedx.org/bom":                       "a CycloneDX SBOM",
		"https://spdx.dev/Document":                       "an SPDX SBOM",
	}
	var names []string
	for _, t := range types {
		name, ok := known[t]
		if t == "link" { // of in-toto 1.0
			names = append(names, "a link")
			continue
		}
		if !ok {
			name = "a statement"
		}
		names = append(names, fmt.Sprintf("%s (%s)", name, t))
	}
	return listed(names, "or")
}

func (p *prose) subjects() {
	for _, s := range p.Subjects {
		if p.Classic {
			p.say(0, "An artifact, if one is named, is a product of step %s.", s.From)
			continue
		}
		p.say(0, "An artifact %s is a subject of every statement that counts for step %s.", s.names(), s.From)
	}
}

func (s DescribedSubject) names() string {
	if slices.Equal(s.Patterns, []string{"*"}) {
		return "of any name"
	}
	return "named " + listed(s.Patterns, "or")
}

func (p *prose) people() {
	p.say(0, "Who they are:")
	for _, who := range p.Principals {
		name := who.Name
		if who.Kind != "" {
			name += " (" + strings.Join(append([]string{who.Kind}, who.limits()...), " ") + ")"
		}
		if len(who.Functionaries) == 1 {
			p.functionary(1, name, who.Functionaries[0])
			continue
		}
		p.say(1, "- %s signs in one of these ways, and counts once:", name)
		for _, f := range who.Functionaries {
			p.functionary(2, f.Name, f)
		}
	}
}

// limits tells what a bot may do.
func (d DescribedPrincipal) limits() []string {
	if len(d.Paths) == 0 {
		return nil
	}
	return []string{"that counts only for commits that change nothing but " + listed(d.Paths, "and")}
}

func (p *prose) functionary(depth int, name string, f DescribedFunctionary) {
	switch {
	case f.KeyType == "in-toto":
		p.say(depth, "- %s: %s", name, f.Key)
	case f.Certified != "":
		p.say(depth, "- %s: whoever the SSH authority %s certifies as %s; no time is proven", name, f.Key, f.Certified)
	case f.KeyType != "" && f.Root == "":
		p.say(depth, "- %s: the %s key %s; the signature alone counts, and no time is proven", name, f.KeyType, f.Key)
	case f.KeyType != "":
		p.say(depth, "- %s: the %s key %s, under the trusted root %s", name, f.KeyType, f.Key, f.Root)
	case f.Issuer == "":
		p.say(depth, "- %s: %s, under the trusted root %s", name, f.Identity, f.Root)
	default:
		p.say(depth, "- %s: %s, for whom %s vouches, under the trusted root %s", name, f.Identity, f.Issuer, f.Root)
	}
	if when := f.when(); when != "" {
		p.say(depth+1, "who counts for what was signed %s, by proven time", when)
	}
	if len(f.Extensions) > 0 {
		p.say(depth+1, "and whose certificate says:")
	}
	for _, e := range f.Extensions {
		p.say(depth+1, "- %s: %s", e.Name, listed(e.Values, "or"))
	}
}

// when says when the signer counts; nothing for always.
func (f DescribedFunctionary) when() string {
	var words []string
	for _, bound := range []struct {
		word string
		at   time.Time
	}{{"from", f.From}, {"before", f.Until}, {"not after", f.DistrustAfter}} {
		if !bound.at.IsZero() {
			words = append(words, bound.word+" "+bound.at.UTC().Format(time.RFC3339))
		}
	}
	return listed(words, "and")
}

func (p *prose) parameters() {
	if len(p.Parameters) == 0 {
		return
	}
	p.gap()
	p.say(0, "Whoever verifies gives:")
	for _, parameter := range p.Parameters {
		p.say(1, "- %s", parameter.words())
	}
}

func (d DescribedParameter) words() string {
	text := "{" + d.Name + "}"
	if d.Map {
		text = "{" + d.Name + ".KEY}, for any number of keys"
	}
	if d.Pattern == "" {
		text += ", any text"
	} else {
		text += ", of the form " + d.Pattern
	}
	switch {
	case d.Required:
	case d.Attributes:
		text += ", which may be left out"
	default:
		text += ", which may be left out where nothing uses it"
	}
	return text
}

func (p *prose) denied() {
	if len(p.Denied) == 0 {
		return
	}
	p.gap()
	p.say(0, "Denied, whoever signs:")
	for _, denied := range p.Denied {
		p.say(1, "- %s: %s", denied.Digest, denied.Reason)
	}
}

// listed joins words as a sentence has them: "a, b or c".
func listed(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
