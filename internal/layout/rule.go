package layout

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// ruleKind is one of in-toto's seven artifact rules.
type ruleKind string

const (
	matchRule    ruleKind = "MATCH"
	createRule   ruleKind = "CREATE"
	deleteRule   ruleKind = "DELETE"
	modifyRule   ruleKind = "MODIFY"
	allowRule    ruleKind = "ALLOW"
	disallowRule ruleKind = "DISALLOW"
	requireRule  ruleKind = "REQUIRE"
)

// rule is one artifact rule, tokenised before any parameter is filled in.
//
//	MATCH <pattern> [IN <prefix>] WITH (MATERIALS|PRODUCTS) [IN <prefix>] FROM <step>
//	(CREATE|DELETE|MODIFY|ALLOW|DISALLOW) <pattern>
//	REQUIRE <name>
//
// Source: in-toto specification 1.0, section 4.3.3.
type rule struct {
	kind         ruleKind
	text         string // as written
	at           position
	pattern      template
	sourcePrefix template
	destPrefix   template
	withProducts bool
	from         string
}

// boundRule is a rule with its parameters filled.
type boundRule struct {
	rule
	git  bool   // a git source, named without wildcards
	glob glob   // for all but REQUIRE
	name string // for REQUIRE, a literal name
	src  string // prefix without a trailing slash; empty for none
	dst  string
}

// keyword reads a word of ASCII letters in any case. What Unicode folds to one of them,
// such as ſ to S, is another word to other readers.
func keyword(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return r > unicode.MaxASCII }) {
		return ""
	}
	return strings.ToUpper(word)
}

// parseRule reads one rule. Keywords may be in any case, as in in-toto.
func parseRule(text string, at position) (rule, error) {
	r := rule{text: text, at: at}
	tokens := strings.Fields(text)
	if len(tokens) < 2 {
		return r, fmt.Errorf("rule %q: expected a keyword and a pattern", text)
	}
	r.kind = ruleKind(keyword(tokens[0]))
	var err error
	if r.pattern, err = parseTemplate(tokens[1]); err != nil {
		return r, fmt.Errorf("rule %q: %w", text, err)
	}
	switch r.kind {
	case matchRule:
		return r.parseMatch(tokens[2:])
	case createRule, deleteRule, modifyRule, allowRule, disallowRule, requireRule:
		if len(tokens) != 2 {
			return r, fmt.Errorf("rule %q: %s takes one pattern, found %d words", text, r.kind, len(tokens)-1)
		}
		return r, nil
	}
	return r, fmt.Errorf("rule %q: %q is not one of MATCH, CREATE, DELETE, MODIFY, ALLOW, DISALLOW, REQUIRE", text, tokens[0])
}

// parseMatch reads what follows "MATCH pattern".
func (r rule) parseMatch(tokens []string) (rule, error) {
	malformed := func() (rule, error) {
		return r, fmt.Errorf("rule %q: expected MATCH <pattern> [IN <prefix>] WITH MATERIALS|PRODUCTS [IN <prefix>] FROM <step>", r.text)
	}
	var err error
	if len(tokens) >= 2 && keyword(tokens[0]) == "IN" {
		if r.sourcePrefix, err = parseTemplate(tokens[1]); err != nil {
			return r, fmt.Errorf("rule %q: %w", r.text, err)
		}
		tokens = tokens[2:]
	}
	if len(tokens) < 4 || keyword(tokens[0]) != "WITH" {
		return malformed()
	}
	switch keyword(tokens[1]) {
	case "PRODUCTS":
		r.withProducts = true
	case "MATERIALS":
	default:
		return malformed()
	}
	tokens = tokens[2:]
	if keyword(tokens[0]) == "IN" && len(tokens) == 4 {
		if r.destPrefix, err = parseTemplate(tokens[1]); err != nil {
			return r, fmt.Errorf("rule %q: %w", r.text, err)
		}
		tokens = tokens[2:]
	}
	if len(tokens) != 2 || keyword(tokens[0]) != "FROM" {
		return malformed()
	}
	r.from = tokens[1]
	return r, nil
}

// bind fills the parameters and reads the pattern. A pattern without wildcards
// that names a git source is brought to its one spelling, as statements' names
// are.
func (r rule) bind(values map[string]string) (boundRule, error) {
	b := boundRule{rule: r}
	text, err := r.pattern.fill(values)
	if err != nil {
		return b, err
	}
	if !hasWildcard(text) {
		name, err := artifact.ParseName(text)
		if err != nil {
			return b, err
		}
		if name.Ref != "" {
			return b, fmt.Errorf("rule %q: a rule names a source, not a ref: remove @%s", r.text, name.Ref)
		}
		text, b.git = name.Text, name.Git
	}
	if r.kind == requireRule {
		if hasWildcard(text) {
			return b, fmt.Errorf("rule %q: REQUIRE takes a literal name, found a wildcard", r.text)
		}
		b.name = text
	} else if b.glob, err = parseNameGlob(text); err != nil {
		return b, err
	}
	if b.src, err = r.sourcePrefix.prefix(values); err != nil {
		return b, err
	}
	if b.dst, err = r.destPrefix.prefix(values); err != nil {
		return b, err
	}
	b.git = b.git || isGitPattern(b.src)
	return b, nil
}

// prefix fills the parameters of a MATCH's prefix.
func (t template) prefix(values map[string]string) (string, error) {
	text, err := t.fill(values)
	if err != nil {
		return "", err
	}
	return text, checkPrefix(text)
}

// isRequiredBy reports whether o is a REQUIRE of the name that b matches.
func (b boundRule) isRequiredBy(o boundRule) bool {
	return o.kind == requireRule && o.name == withSlash(b.src)+b.glob.text
}

// consumes reports whether the rule can take artifacts out of the queue.
func (k ruleKind) consumes() bool { return k != disallowRule && k != requireRule }
