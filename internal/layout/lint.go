package layout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// lint finds what would make the layout say less than its author thinks. In an
// attestation layout every lint is an error. (docs/layout.md, "Lints are errors".)
func (l *Layout) lint(r *reader, now time.Time) []verdict.Finding {
	lt := &linter{Layout: l, reader: &reader{name: r.name}}
	lt.whole(now)
	lt.names()
	for _, s := range l.steps {
		lt.step(s)
	}
	lt.subjects()
	lt.people()
	lt.joins()
	lt.parameterUse()
	return lt.problems
}

type linter struct {
	*Layout
	*reader
}

// whole checks the document's frame.
func (l *linter) whole(now time.Time) {
	top := position{1, 1}
	if len(l.Layout.steps) == 0 {
		l.problem(verdict.LayoutEmpty, top, says{"the layout has no steps", "at least one step", "say who must have signed what: add a step"})
	}
	if len(l.Layout.subjects) == 0 {
		l.problem(verdict.LayoutEmpty, top, says{"the layout has no subjects", "which step makes the artifact in hand", `add subjects: [{subject: ["*"], from: STEP}]`})
	}
	if finding, expired := l.expiry(now); expired {
		finding.Where = l.where(l.expiresAt)
		l.problems = append(l.problems, finding)
	}
}

// expiry is the only lint that changes with time; Check asks it again.
func (l *Layout) expiry(now time.Time) (verdict.Finding, bool) {
	switch {
	case l.simple: // it ends with the command
		return verdict.Finding{}, false
	case !now.Before(l.expires):
		return verdict.Finding{
			ID: verdict.LayoutExpired, Found: "the layout expired on " + l.expires.UTC().Format(time.RFC3339),
			Expected: "an expiry after " + now.UTC().Format(time.RFC3339),
			Next:     "review the layout, raise version and set a new expires",
		}, true
	case l.expires.After(now.Add(MaxExpiryPeriod)):
		return verdict.Finding{
			ID: verdict.LayoutExpiryTooFar, Found: "the layout expires on " + l.expires.UTC().Format(time.RFC3339),
			Expected: "an expiry within two years",
			Next:     "set an earlier expires: a layout that is never reviewed protects nobody",
		}, true
	}
	return verdict.Finding{}, false
}

// names checks the one name space of functionaries and principals, and the steps'.
func (l *linter) names() {
	for _, p := range l.principals {
		if p.implied {
			continue
		}
		if slices.ContainsFunc(l.functionaries, func(f *functionary) bool { return f.id == p.id }) {
			l.problem(verdict.NameClash, p.at, says{fmt.Sprintf("%s is both a functionary and a principal", p.id), "one name space for both", "rename one of them"})
		}
	}
	seen := map[string]bool{}
	for _, s := range l.Layout.steps {
		if seen[s.name] {
			l.problem(verdict.NameClash, s.at, says{fmt.Sprintf("two steps are named %s", s.name), "each step's name once", "rename one of them"})
		}
		seen[s.name] = true
	}
}

func (l *linter) step(s *step) {
	if len(s.entries) == 0 {
		l.problem(verdict.LayoutEmpty, s.at, says{fmt.Sprintf("step %s expects no predicates", s.name), "at least one item of expectedPredicates", "say which statement proves the step"})
	}
	for _, e := range s.entries {
		l.entry(s, e)
	}
	l.ruleList(s, s.materials, "expectedMaterials", true)
	l.ruleList(s, s.products, "expectedProducts", slices.ContainsFunc(s.entries, (*entry).hasProducts))
	l.joinBy(s)
	for _, other := range s.distinctFrom {
		if !l.Layout.hasStep(other) || other == s.name {
			l.problem(verdict.UnknownStep, s.at, says{fmt.Sprintf("step %s is to be distinct from %s", s.name, other), "another step of the layout", "correct the name"})
		}
	}
}

// entry resolves who may sign and checks the threshold against people.
func (l *linter) entry(s *step, e *entry) {
	for _, id := range e.functionaries {
		found := false
		for _, f := range l.functionaries {
			if f.id == id || f.principal.id == id {
				found = true
				if !slices.Contains(e.allowed, f) {
					e.allowed = append(e.allowed, f)
				}
			}
		}
		if !found {
			l.problem(verdict.UnknownFunctionary, e.at, says{fmt.Sprintf("step %s lists %s, which is neither a functionary nor a principal", s.name, id), "a name under functionaries or principals", "define it or correct the name"})
		}
	}
	l.summaryUse(s, e)
	if slices.ContainsFunc(e.predicateTypes, isAuthor) && slices.ContainsFunc(e.predicateTypes, vsa.Is) {
		l.problem(verdict.NotAuthorsSignature, e.at, says{fmt.Sprintf("step %s takes a verification summary for an author's word", s.name), "a step of its own for the summary", "move it: who verified a source says nothing of who wrote it"})
	}
	people := map[*principal]bool{}
	for _, f := range e.allowed {
		people[f.principal] = true
	}
	switch {
	case e.threshold < 1:
		l.problem(verdict.ThresholdRange, e.at, says{fmt.Sprintf("step %s has the threshold %d", s.name, e.threshold), "1 or more", "a threshold below 1 would demand nothing"})
	case e.threshold > len(people):
		l.problem(verdict.ThresholdRange, e.at, says{fmt.Sprintf("step %s has the threshold %d and %d principals for it", s.name, e.threshold, len(people)), "at most the number of principals of this item", "add functionaries or lower the threshold"})
	}
}

func (l *linter) ruleList(s *step, rules ruleList, key string, needed bool) {
	if !rules.given {
		if needed {
			l.problem(verdict.RuleListOpen, s.at, says{fmt.Sprintf("step %s has no %s", s.name, key), "a rule list that ends in DISALLOW *", "add " + key + `: ["DISALLOW *"] and what the step may use or make before it`})
		}
		return
	}
	if n := len(rules.rules); n == 0 || rules.rules[n-1].kind != disallowRule || rules.rules[n-1].pattern.text != "*" {
		l.problem(verdict.RuleListOpen, rules.at, says{fmt.Sprintf("%s of step %s does not end in DISALLOW *", key, s.name), "DISALLOW * as the last rule", "add it: without it everything that no rule names is allowed"})
	}
	for i, rule := range rules.rules {
		l.rule(rule, rules.rules[:i])
	}
}

// rule checks one rule against those before it. Parameters stand for themselves
// here: {repo} in two rules is one text, and matches no other.
func (l *linter) rule(rule rule, earlier []rule) {
	pattern := normalised(rule.pattern.text)
	if rule.kind == requireRule {
		if hasWildcard(pattern) {
			l.problem(verdict.RuleMalformed, rule.at, says{fmt.Sprintf("%q has a wildcard", rule.text), "a literal name behind REQUIRE", "name what is required"})
		}
		for _, e := range earlier {
			if e.canConsume(pattern) {
				l.problem(verdict.RequireConsumed, rule.at, says{fmt.Sprintf("%q stands behind %q, which can consume that name", rule.text, e.text), "REQUIRE before the rules that consume", "move the REQUIRE up"})
			}
		}
		return
	}
	parse := parseGlob // what has no wildcard is brought to its one spelling when it is bound
	if hasWildcard(pattern) {
		parse = parseNameGlob
	}
	if _, err := parse(pattern); err != nil {
		l.problem(verdict.GlobMalformed, rule.at, says{err.Error(), "in-toto's fnmatch: * ? [x] [!x]", "correct the pattern"})
	}
	if rule.kind != matchRule {
		return
	}
	if !l.Layout.hasStep(rule.from) {
		l.problem(verdict.MatchUnknownStep, rule.at, says{fmt.Sprintf("%q matches from the unknown step %s", rule.text, rule.from), "one of " + list(l.StepNames()), "correct the step's name"})
	}
	for _, prefix := range []template{rule.sourcePrefix, rule.destPrefix} {
		if err := checkPrefix(prefix.text); err != nil {
			l.problem(verdict.RuleMalformed, rule.at, says{err.Error(), "a prefix as names have it, such as src", "correct the prefix"})
		}
	}
	if name := withSlash(rule.sourcePrefix.text) + pattern; isGitPattern(name) && !requires(earlier, name) {
		l.problem(verdict.MatchWithoutReq, rule.at, says{fmt.Sprintf("%q has no REQUIRE of that name before it", rule.text), "REQUIRE " + name, "add it: a statement that lists no source would pass the MATCH"})
	}
}

// canConsume reports whether the rule can take the name out of the queue.
func (r rule) canConsume(name string) bool {
	g, err := parseGlob(normalised(r.pattern.text))
	base, under := strings.CutPrefix(name, withSlash(r.sourcePrefix.text))
	return err == nil && under && r.kind.consumes() && g.match(base)
}

// requires reports whether one of the rules is a REQUIRE of the name.
func requires(rules []rule, name string) bool {
	for _, r := range rules {
		if r.kind == requireRule && normalised(r.pattern.text) == name {
			return true
		}
	}
	return false
}

// subjects checks that the artifact in hand has a step that makes it.
func (l *linter) subjects() {
	for _, s := range l.Layout.subjects {
		if !l.Layout.hasStep(s.from) {
			l.problem(verdict.UnknownStep, s.at, says{fmt.Sprintf("subjects come from the unknown step %s", s.from), "one of " + list(l.StepNames()), "correct the step's name"})
		}
	}
}

// people checks that nobody is two people and that no host is a wildcard.
func (l *linter) people() {
	for i, f := range l.functionaries {
		l.host(f)
		for _, other := range l.functionaries[:i] {
			switch {
			case f.principal == other.principal:
			case f.keyed && other.keyed:
				if f.sharesKey(other) {
					l.problem(verdict.SharedKey, f.at, says{fmt.Sprintf("functionaries %s and %s have one key", other.id, f.id), "one key for one principal", "a key is one signer: put both under one principal or remove one"})
				}
			case f.keyed || other.keyed:
			case !overlap(f, other):
			case f.issuer != other.issuer:
				l.problem(verdict.TwoIssuers, f.at, says{fmt.Sprintf("functionaries %s and %s have the identity %s under two issuers", other.id, f.id, f.pattern()), "one principal for both", "put both under one principal, or drop the issuer that nobody signs with"})
			default:
				l.problem(verdict.SharedIdentity, f.at, says{fmt.Sprintf("functionaries %s and %s can be one signer, %s", other.id, f.id, f.pattern()), "one principal for both", "put both under one principal or make the identities differ"})
			}
		}
	}
}

// overlap reports whether one identity can be the other: equal texts, or an
// exact one that the other's pattern matches.
func overlap(a, b *functionary) bool {
	pa, errA := identity.ParsePattern(a.pattern())
	pb, errB := identity.ParsePattern(b.pattern())
	return errA == nil && errB == nil && (pa.Match(pb.String()) || pb.Match(pa.String()))
}

// host refuses an identity whose host or mail domain is a wildcard.
func (l *linter) host(f *functionary) {
	if f.keyed {
		return
	}
	text := f.identity.text
	host, _, _ := strings.Cut(text, "/")
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		host, _, _ = strings.Cut(rest, "/")
		host = scheme + "://" + host
	} else if _, domain, ok := strings.Cut(text, "@"); ok {
		host = domain
	}
	if strings.Contains(host, "*") {
		l.problem(verdict.WildcardHost, f.at, says{fmt.Sprintf("functionary %s has the identity %s", f.id, text), "a host or mail domain without a wildcard", "write the host out: anybody can have a name under a wildcard host"})
	}
}

// joins checks that MATCH rules connect every step to the artifact, and do not
// run in a circle.
func (l *linter) joins() {
	edges := map[string][]string{}
	joined := map[string]bool{}
	for _, s := range l.Layout.subjects {
		joined[s.from] = true
	}
	for _, s := range l.Layout.steps {
		edges[s.name] = s.sources()
	}
	for changed := true; changed; {
		changed = false
		for name, sources := range edges {
			for _, source := range sources {
				if joined[name] != joined[source] {
					joined[name], joined[source], changed = true, true, true
				}
			}
		}
	}
	for _, s := range l.Layout.steps {
		if !joined[s.name] && len(l.Layout.subjects) > 0 {
			l.problem(verdict.UnjoinedStep, s.at, says{fmt.Sprintf("nothing connects step %s to the artifact", s.name), "a MATCH from or to a step that subjects come from", "add a MATCH: otherwise any old statement satisfies the step"})
		}
		if reaches(edges, s.name, s.name, map[string]bool{}) {
			l.problem(verdict.MatchCycle, s.at, says{fmt.Sprintf("the MATCH rules of step %s lead back to it", s.name), "MATCH rules without a circle", "remove one of the MATCH rules"})
		}
	}
}

// sources lists the steps that s matches from.
func (s *step) sources() []string {
	var out []string
	for _, rules := range []ruleList{s.materials, s.products} {
		for _, r := range rules.rules {
			if r.kind == matchRule && !slices.Contains(out, r.from) {
				out = append(out, r.from)
			}
		}
	}
	return out
}

func reaches(edges map[string][]string, from, to string, seen map[string]bool) bool {
	for _, next := range edges[from] {
		if next == to {
			return true
		}
		if !seen[next] {
			seen[next] = true
			if reaches(edges, next, to, seen) {
				return true
			}
		}
	}
	return false
}

// normalised brings a pattern that names a git source to its one spelling where
// that can be done without the parameters' values.
func normalised(pattern string) string {
	return strings.TrimSuffix(strings.TrimSuffix(pattern, "/"), ".git")
}

// isGitPattern reports whether a pattern speaks of git sources.
func isGitPattern(pattern string) bool {
	lower := strings.ToLower(pattern)
	for _, prefix := range []string{"git+", "git@", "ssh://"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return false
}
