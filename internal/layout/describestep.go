package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// step tells what one step needs, and what its rules let pass.
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
	if len(s.Relaxations) > 0 {
		p.say(2, "- which may have been read with %s", strings.Join(s.Relaxations, ", "))
	}
	if s.VerifierID != "" {
		p.say(2, "- by the verifier %s", s.VerifierID)
	}
	if len(s.Levels) > 0 {
		p.say(2, "- with the verified levels %s, or higher ones", strings.Join(s.Levels, ", "))
	}
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
	var names []string
	for _, t := range types {
		if t == "link" { // of in-toto 1.0
			names = append(names, "a link")
			continue
		}
		names = append(names, fmt.Sprintf("%s (%s)", verdict.PredicatePhrase(t), t))
	}
	return listed(names, "or")
}
