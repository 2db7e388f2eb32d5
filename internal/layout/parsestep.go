package layout

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// step reads one step of an attestation layout.
func (r *reader) step(node *yaml.Node) *step {
	f := r.mapping(node, "a step", "name", "expectedMaterials", "expectedProducts", "expectedPredicates", "distinctFrom", "joinBy")
	s := &step{at: at(node), name: r.required(node, f, "name", "a step")}
	if s.name != "" && !isID(s.name) {
		r.malformed(f["name"], fmt.Sprintf("a step has the name %q", s.name), "letters, digits, - _ . and @")
	}
	what := "step " + s.name
	s.materials = r.rules(f["expectedMaterials"], what+"'s expectedMaterials")
	s.products = r.rules(f["expectedProducts"], what+"'s expectedProducts")
	s.distinctFrom = r.texts(f["distinctFrom"], what+"'s distinctFrom")
	if s.joinBy = r.scalar(f["joinBy"], "joinBy"); s.joinBy != "" && s.joinBy != joinByTree {
		r.malformed(f["joinBy"], fmt.Sprintf("%s has joinBy %q", what, s.joinBy), "tree, or no joinBy to compare every digest")
	}
	for _, item := range r.sequence(f["expectedPredicates"], what+"'s expectedPredicates") {
		s.entries = append(s.entries, r.entry(item, what))
	}
	return s
}

// rules reads a list of artifact rules.
func (r *reader) rules(node *yaml.Node, what string) ruleList {
	out := ruleList{given: node != nil}
	if node == nil {
		return out
	}
	out.at = at(node)
	for _, item := range r.sequence(node, what) {
		text := r.scalar(item, "a rule of "+what)
		if text == "" {
			r.problem(verdict.RuleMalformed, at(item), says{"an empty rule in " + what, "a rule such as DISALLOW *", "write the rule or remove the item"})
			continue
		}
		rule, err := parseRule(text, at(item))
		if err != nil {
			r.problem(verdict.RuleMalformed, at(item), says{err.Error(), "one of in-toto's artifact rules", "correct the rule; docs/layout.md lists them"})
			continue
		}
		out.rules = append(out.rules, rule)
	}
	return out
}

// entry reads one item of expectedPredicates.
func (r *reader) entry(node *yaml.Node, what string) *entry {
	what += "'s predicate"
	f := r.mapping(node, what, "predicateType", "anyOf", "functionaries", "threshold", "maxAge", "ageFrom", "expectedAttributes", "vsa", "parameters")
	e := &entry{at: at(node), predicateTypes: r.predicateTypes(node, f, what)}
	e.functionaries = r.texts(f["functionaries"], what+"'s functionaries")
	if threshold, ok := f["threshold"]; !ok {
		r.malformed(node, what+" has no threshold", "threshold: 1 or more")
	} else if n, ok := r.integer(threshold, "threshold"); ok {
		e.threshold = n
	}
	if text := r.scalar(f["maxAge"], "maxAge"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			r.malformed(f["maxAge"], fmt.Sprintf("maxAge is %q", text), "a duration such as 24h")
		}
		e.maxAge = d
	}
	if e.ageFrom = r.scalar(f["ageFrom"], "ageFrom"); e.ageFrom != "" && f["maxAge"] == nil {
		r.malformed(f["ageFrom"], "ageFrom without maxAge", "maxAge beside it")
	}
	e.attributes = r.attributes(f["expectedAttributes"], what)
	e.summary = r.summary(f["vsa"], what)
	r.sublayoutParameters(e, f["parameters"], what)
	return e
}

// predicateTypes reads predicateType, or anyOf with several of them.
func (r *reader) predicateTypes(node *yaml.Node, f fields, what string) []string {
	anyOf, several := f["anyOf"]
	items := []*yaml.Node{node}
	if several {
		if _, both := f["predicateType"]; both {
			r.malformed(anyOf, what+" has predicateType and anyOf", "one of the two")
		}
		items = r.sequence(anyOf, what+"'s anyOf")
	}
	var types []string
	for _, item := range items {
		g := f
		if several {
			g = r.mapping(item, "an item of anyOf", "predicateType")
		}
		t := r.required(item, g, "predicateType", what)
		types = append(types, t)
	}
	if len(types) == 0 {
		r.malformed(node, what+" names no predicate type", "predicateType, or anyOf with at least one")
	}
	return types
}
