package layout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// summaryDemand is what a verification summary must say to count. Its tokens may
// hold parameters.
type summaryDemand struct {
	at         position
	resource   template
	policy     []tokenOf[artifact.Algorithm]
	verifier   template // empty for any: the functionary says who signs
	levels     []string
	parameters []tokenOf[string]
	relaxed    []string // accepted relaxations of the policy
	bound      *boundSummary
}

// tokenOf is a token under a key.
type tokenOf[K ~string] struct {
	key   K
	value template
}

// boundSummary is a summaryDemand with its parameters filled.
type boundSummary struct {
	resource, verifier string
	policy             artifact.DigestSet
	levels             []string
	parameters         map[string]string // nil for no demand
}

// summary reads the demand on verification summaries of an item.
func (r *reader) summary(node *yaml.Node, what string) *summaryDemand {
	if node == nil {
		return nil
	}
	what += "'s vsa"
	f := r.mapping(node, what, "resourceUri", "policy", "verifierId", "verifiedLevels", "parameters", "relaxations")
	d := &summaryDemand{at: at(node), levels: r.levels(f["verifiedLevels"], what+"'s verifiedLevels")}
	d.resource = r.template(f["resourceUri"], r.scalar(f["resourceUri"], what+"'s resourceUri"))
	d.verifier = r.template(f["verifierId"], r.scalar(f["verifierId"], what+"'s verifierId"))
	for _, item := range r.entries(f["policy"], what+"'s policy") {
		alg := artifact.Algorithm(item.name)
		if !slices.Contains(artifact.Accepted(), alg) {
			r.problem(verdict.VSAUnbound, item.at, says{fmt.Sprintf("%s names the policy by %s", what, item.name), "one of " + list(artifact.Accepted()), "name the policy by its SHA-256: sha256sum LAYOUT"})
			continue
		}
		text := r.scalar(item.node, item.name)
		token := tokenOf[artifact.Algorithm]{alg, r.template(item.node, text)}
		if _, err := artifact.ParseDigestSet(map[string]string{item.name: text}); err != nil && !strings.Contains(text, "{") {
			r.problem(verdict.VSAUnbound, item.at, says{fmt.Sprintf("%s: %v", what, err), "the digest of the policy in hex", "name the policy by its SHA-256: sha256sum LAYOUT"})
		}
		d.policy = append(d.policy, token)
	}
	d.relaxed = r.relaxations(f["relaxations"], what+"'s relaxations")
	for _, item := range r.entries(f["parameters"], what+"'s parameters") {
		d.parameters = append(d.parameters, tokenOf[string]{item.name, r.template(item.node, r.scalar(item.node, item.name))})
	}
	return d
}

// levels reads and checks a list of verified levels.
func (r *reader) levels(node *yaml.Node, what string) []string {
	if node == nil {
		return nil
	}
	levels := r.texts(node, what)
	err := vsa.CheckLevels(levels)
	if len(levels) == 0 {
		err = fmt.Errorf("%s is empty", what)
	}
	if err != nil {
		r.problem(verdict.VSALevelMalformed, at(node), says{err.Error(), "levels such as SLSA_BUILD_LEVEL_3, each track once, and values of your own", "correct the list, or leave it out"})
	}
	return levels
}

// relaxations reads a list of relaxations that are accepted in a summary.
func (r *reader) relaxations(node *yaml.Node, what string) []string {
	if node == nil {
		return nil
	}
	accepted := r.texts(node, what)
	for _, word := range accepted {
		if profile, name, ok := strings.Cut(word, "/"); !ok || profile == "" || name == "" {
			r.problem(verdict.VSAUnbound, at(node), says{fmt.Sprintf("%s has %q", what, word), "relaxations such as in-toto-1.0/glob", "correct the list, or leave it out: then none is accepted"})
		}
	}
	return accepted
}

// summaryUse holds an item that takes verification summaries to a demand on them:
// somebody's word that something passed counts for one resource and one policy, or
// it would count for every artifact that passed anything. (TestSummaryLints)
func (l *linter) summaryUse(s *step, e *entry) {
	takes := slices.ContainsFunc(e.predicateTypes, vsa.Is)
	switch {
	case e.summary == nil && takes:
		l.problem(verdict.VSAUnbound, e.at, says{fmt.Sprintf("step %s takes verification summaries, whatever they are about", s.name), "vsa with resourceUri and policy", `add  vsa: {resourceUri: "…", policy: {sha256: "…"}}`})
	case e.summary == nil:
	case !takes:
		l.problem(verdict.VSAUnbound, e.summary.at, says{fmt.Sprintf("step %s has a vsa, and takes no verification summary", s.name), "the predicate type " + vsa.V1, "correct the predicate type, or remove vsa"})
	case e.summary.resource.text == "":
		l.problem(verdict.VSAUnbound, e.summary.at, says{fmt.Sprintf("the vsa of step %s has no resourceUri", s.name), "the resource that was verified", "add resourceUri: the one that the verifier was given"})
	case len(e.summary.policy) == 0:
		l.problem(verdict.VSAUnbound, e.summary.at, says{fmt.Sprintf("the vsa of step %s has no policy", s.name), "the digest of the policy that was verified against", "add  policy: {sha256: …}"})
	}
}

// templates lists the demand's tokens that may hold a parameter.
func (d *summaryDemand) templates() []template {
	if d == nil {
		return nil
	}
	all := []template{d.resource, d.verifier}
	for _, p := range d.policy {
		all = append(all, p.value)
	}
	for _, p := range d.parameters {
		all = append(all, p.value)
	}
	return all
}

// bind fills the parameters.
func (d *summaryDemand) bind(r *reader, values map[string]string) *summaryDemand {
	if d == nil {
		return nil
	}
	out := *d
	b := &boundSummary{levels: d.levels}
	fill := func(t template) string {
		text, err := t.fill(values)
		if err != nil {
			r.problem(verdict.ParameterMalformed, d.at, says{err.Error(), "a value for every parameter", "check --param"})
		}
		return text
	}
	b.resource, b.verifier = fill(d.resource), fill(d.verifier)
	policy := map[string]string{}
	for _, p := range d.policy {
		policy[string(p.key)] = fill(p.value)
	}
	digest, err := artifact.ParseDigestSet(policy)
	if err != nil {
		r.problem(verdict.ParameterMalformed, d.at, says{err.Error(), "the digest of the policy in hex", "check --param"})
	}
	b.policy = digest
	for _, p := range d.parameters {
		if b.parameters == nil {
			b.parameters = map[string]string{}
		}
		b.parameters[p.key] = fill(p.value)
	}
	out.bound = b
	return &out
}

// bindSummaries fills the demands on verification summaries. The entries are the
// bound layout's own.
func (b *bound) bindSummaries(r *reader, values map[string]string) {
	for _, s := range b.Layout.steps {
		for _, e := range s.entries {
			e.summary = e.summary.bind(r, values)
		}
	}
}

// checkSummary holds a verification summary to the item's demand.
//
// "A VSA counts as evidence only from a functionary of the layout, with result
// PASSED, equal resourceUri, subject and policy digest, inside maxAge."
// (docs/layout.md, Verification summaries. TestSummaryMutations breaks each.)
// Result, subject and age are checked as they are for every statement.
func (e *entry) checkSummary(s *vsa.Summary) *verdict.Finding {
	if e.summary == nil || s == nil {
		return nil
	}
	d := e.summary.bound
	switch {
	case s.ResourceURI != d.resource:
		return &verdict.Finding{
			ID: verdict.VSAResource, Expected: "resourceUri " + d.resource, Found: fmt.Sprintf("it is about the resource %q", s.ResourceURI),
			Next: "take the summary of this resource, or correct the layout's resourceUri",
		}
	case s.Policy.Digest.Join(d.policy, artifact.Accepted()) != artifact.Joined:
		return &verdict.Finding{
			ID: verdict.VSAPolicy, Expected: fmt.Sprintf("a verification against the policy %s", d.policy), Found: fmt.Sprintf("it was verified against a policy with %s", s.Policy.Digest),
			Next: "have it verified against the policy that the layout names, or name the new one after reading it",
		}
	case d.verifier != "" && s.VerifierID != d.verifier:
		return &verdict.Finding{
			ID: verdict.VSAVerifier, Expected: "verifier " + d.verifier, Found: fmt.Sprintf("it names the verifier %q", s.VerifierID),
			Next: "take the summary of that verifier, or correct the layout's verifierId",
		}
	}
	for _, word := range s.Policy.Relaxations {
		if !slices.Contains(e.summary.relaxed, word) {
			return &verdict.Finding{
				ID: verdict.VSARelaxed, Expected: relaxationsExpected(e.summary.relaxed), Found: "the policy was read with " + cmp.Or(word, "relaxations that cannot be read"),
				Next: "have it verified strictly, or accept the relaxation in the layout's vsa after reading what it lets through",
			}
		}
	}
	for _, name := range sortedKeys(d.parameters) {
		if got, ok := s.Policy.Parameters[name]; !ok || got != d.parameters[name] {
			return &verdict.Finding{
				ID: verdict.VSAParameters, Expected: fmt.Sprintf("the policy's parameter %s=%s", name, d.parameters[name]), Found: parameterFound(name, got, ok),
				Next: "have it verified against the policy with these parameters",
			}
		}
	}
	for _, level := range d.levels {
		if !vsa.Covers(s.Levels, level) {
			return &verdict.Finding{
				ID: verdict.VSALevels, Expected: "verified level " + level, Found: "it states " + someOf(s.Levels, "no level"),
				Next: "have it verified against a policy that demands the level; a level is never inferred",
			}
		}
	}
	return nil
}

func relaxationsExpected(accepted []string) string {
	if len(accepted) == 0 {
		return "a verification against the policy as it stands, without relaxations"
	}
	return "a verification with no relaxation but " + strings.Join(accepted, ", ")
}

func parameterFound(name, value string, given bool) string {
	if !given {
		return "it states no parameter " + name
	}
	return fmt.Sprintf("it was verified with %s=%s", name, value)
}

// VerifiedLevels are the levels that the layout grants to an artifact that it
// allows; nothing else does.
func (l *Layout) VerifiedLevels() []string { return slices.Clone(l.levels) }

// describe tells the demand in words.
func (d *summaryDemand) describe() *DescribedSummary {
	if d == nil {
		return nil
	}
	out := &DescribedSummary{ResourceURI: d.resource.text, VerifierID: d.verifier.text, Levels: d.levels, Relaxations: d.relaxed, Policy: map[string]string{}}
	for _, p := range d.policy {
		out.Policy[string(p.key)] = p.value.text
	}
	for _, p := range d.parameters {
		if out.Parameters == nil {
			out.Parameters = map[string]string{}
		}
		out.Parameters[p.key] = p.value.text
	}
	return out
}
