package layout

import (
	"fmt"
	"strings"
)

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
