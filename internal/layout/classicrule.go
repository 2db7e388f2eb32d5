package layout

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// rules reads one rule list. Each rule is a list of words already, so that a
// parameter's value fills a word and can add none.
func (r *classicReader) rules(step, field string, lists *[][]string) []boundRule {
	switch {
	case lists == nil && r.compat.relax("rule-list", fmt.Sprintf("%s has no %s: everything is allowed", step, field)):
		return nil
	case lists == nil:
		r.malformed(step, "there is no "+field, "a list of rules; an empty one allows everything")
		return nil
	case len(*lists) > MaxRules:
		r.malformed(step, fmt.Sprintf("%d rules in %s", len(*lists), field), fmt.Sprintf("at most %d", MaxRules))
		return nil
	}
	var rules []boundRule
	for _, words := range *lists {
		if rule, ok := r.rule(step, words); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

// rule reads one rule: its keywords first, then what they enclose.
func (r *classicReader) rule(step string, words []string) (boundRule, bool) {
	text := strings.Join(words, " ")
	form, err := parseRuleForm(words)
	if err != nil {
		r.ruleProblem(verdict.RuleMalformed, step, text, err)
		return boundRule{}, false
	}
	b := boundRule{rule: rule{kind: form.kind, text: text, withProducts: form.withProducts}}
	fill := func(word string) string {
		filled, problem := r.fill(word, fillStrictly)
		if problem != nil {
			r.ruleProblem(problem.id, step, text, problem.err)
		}
		return filled
	}
	before := len(r.problems)
	pattern := fill(form.pattern)
	b.src, b.dst = fill(form.source), fill(form.destination)
	b.from = fill(form.from)
	if len(r.problems) > before {
		return boundRule{}, false
	}
	// "REQUIRE takes a literal name": in-toto's implementations never read it as
	// a pattern, though the specification's grammar says pattern.
	if b.kind == requireRule {
		b.name = pattern
		return b, true
	}
	if b.glob, err = r.glob(pattern); err != nil {
		r.ruleProblem(verdict.GlobMalformed, step, text, err)
		return boundRule{}, false
	}
	return b, true
}

func (r *classicReader) ruleProblem(id verdict.ID, step, text string, err error) {
	f := verdict.Finding{
		ID: id, Where: r.name, Step: step, Rule: text, Found: err.Error(),
		Expected: "a rule that can be read in one way", Next: "have the layout's owner correct it, or check --param",
	}
	switch {
	case r.within && id == verdict.ParameterMissing:
		f.Expected, f.Next = "a sublayout without placeholders: the caller's parameters are the outermost layout's", "have the sublayout's owner write the value in its place and sign it again"
	case r.within:
		f.Next = "have the sublayout's owner correct it and sign it again"
	}
	r.problems = append(r.problems, f)
}

// glob reads a pattern. With --compat, what implementations of fnmatch read
// differently is read as Python's does.
func (r *classicReader) glob(pattern string) (glob, error) {
	g, err := parseClassicGlob(pattern)
	if err == nil || pattern == "" || !r.compat.relax("glob", fmt.Sprintf("pattern %s: %v", pattern, err)) {
		return g, err
	}
	return parsePythonGlob(pattern), nil
}

// ruleForm is a rule cut at its keywords.
type ruleForm struct {
	kind                               ruleKind
	withProducts                       bool
	pattern, source, destination, from string
}

// parseRuleForm reads the words of one rule. Keywords may be in any case, as
// in-toto's implementations take them.
func parseRuleForm(words []string) (ruleForm, error) {
	if len(words) < 2 {
		return ruleForm{}, fmt.Errorf("a rule of %d words, expected a keyword and a pattern", len(words))
	}
	f := ruleForm{kind: ruleKind(keyword(words[0])), pattern: words[1]}
	switch f.kind {
	case matchRule:
		return f.match(words[2:])
	case createRule, deleteRule, modifyRule, allowRule, disallowRule, requireRule:
		if len(words) != 2 {
			return f, fmt.Errorf("%s takes one pattern, found %d words", f.kind, len(words)-1)
		}
		return f, nil
	}
	return f, fmt.Errorf("%q is not one of MATCH, CREATE, DELETE, MODIFY, ALLOW, DISALLOW, REQUIRE", words[0])
}

func (f ruleForm) match(words []string) (ruleForm, error) {
	is := func(i int, expected string) bool { return i < len(words) && keyword(words[i]) == expected }
	if is(0, "IN") && len(words) > 1 {
		f.source, words = words[1], words[2:]
	}
	if is(0, "WITH") && (is(1, "PRODUCTS") || is(1, "MATERIALS")) {
		f.withProducts = is(1, "PRODUCTS")
		words = words[2:]
		if is(0, "IN") && len(words) == 4 {
			f.destination, words = words[1], words[2:]
		}
		if is(0, "FROM") && len(words) == 2 {
			f.from = words[1]
			return f, nil
		}
	}
	return f, fmt.Errorf("expected MATCH <pattern> [IN <prefix>] WITH MATERIALS|PRODUCTS [IN <prefix>] FROM <step>")
}

// filling says what becomes of a brace that is no filled parameter.
type filling int

const (
	fillStrictly filling = iota // it is a problem
	fillNamed                   // a parameter without a value is one, another brace stays
	fillKnown                   // it stays
)

type fillProblem struct {
	id  verdict.ID
	err error
}

// fill puts the parameters' values into one word. A value is matched literally,
// and is never searched for placeholders again.
func (r *classicReader) fill(word string, how filling) (string, *fillProblem) {
	var out strings.Builder
	for rest := word; rest != ""; {
		literal, after, open := strings.Cut(rest, "{")
		out.WriteString(literal)
		if !open {
			break
		}
		name, next, closed := strings.Cut(after, "}")
		value, known := r.parameters[name]
		switch {
		case closed && known:
			r.used[name] = true
			out.WriteString(value)
			rest = next
			continue
		case closed && r.unfilled && isClassicParameter(name):
			r.used[name] = true
			out.WriteString("{" + name + "}")
			rest = next
			continue
		case how == fillKnown:
		case closed && isClassicParameter(name):
			if len(r.parameters) > 0 || !r.compat.relax("placeholder", word+" is read as it stands: no parameter was given") {
				return "", &fillProblem{verdict.ParameterMissing, r.unfilledParameter(name)}
			}
		case how == fillStrictly && len(r.parameters) > 0 && !r.compat.relax("brace", word+" holds a brace that is no parameter"):
			return "", &fillProblem{verdict.RuleMalformed, fmt.Errorf("%q holds a brace that is not part of a {parameter}", word)}
		}
		out.WriteString("{")
		rest = after
	}
	return out.String(), nil
}

func (r *classicReader) unfilledParameter(name string) error {
	if r.within {
		return fmt.Errorf("parameter %s has no value, and nobody can give it one in a sublayout", name)
	}
	return fmt.Errorf("parameter %s has no value: give --param %s=VALUE", name, name)
}

// command fills the words of an inspection's command.
func (r *classicReader) command(name string, words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		filled, problem := r.fill(word, fillNamed)
		if problem != nil {
			r.ruleProblem(problem.id, name, strings.Join(words, " "), problem.err)
		}
		out[i] = filled
	}
	return out
}

// suggestion fills what it can: the command of a step is a suggestion.
func (r *classicReader) suggestion(words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i], _ = r.fill(word, fillKnown)
	}
	return out
}

// checkParameters refuses names that no placeholder can have, and values that
// could mean something else than themselves.
func (r *classicReader) checkParameters() {
	for _, name := range sortedKeys(r.parameters) {
		err := checkClassicValue(r.parameters[name])
		if !isClassicParameter(name) {
			err = fmt.Errorf("it is no name of a parameter")
		} else if err != nil && r.compat.relax("parameter-glob", fmt.Sprintf("parameter %s: %v", name, err)) {
			err = nil
		}
		if err != nil {
			r.problem(verdict.ParameterMalformed, "", says{fmt.Sprintf("parameter %q: %v", name, err), "letters, digits, - and _ in the name; in the value no wildcards, braces or control characters", "correct --param"})
		}
	}
}

func isClassicParameter(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0
}

func checkClassicValue(value string) error {
	if value == "" {
		return fmt.Errorf("empty value")
	}
	for _, r := range value {
		switch {
		case strings.ContainsRune(`*?[]\`, r):
			return fmt.Errorf("value %q holds the glob character %q", value, r)
		case r == '{' || r == '}':
			return fmt.Errorf("value %q holds a brace", value)
		case unicode.IsControl(r) || r == unicode.ReplacementChar:
			return fmt.Errorf("value %q holds a control character", value)
		}
	}
	return nil
}
