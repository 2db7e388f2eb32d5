package layout

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/attribute"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// attributeReader compiles attribute rules; the compiler is made with the first.
type attributeReader struct {
	compiler *attribute.Compiler
	read     int
}

// attributes reads the rules of one item of expectedPredicates.
func (r *reader) attributes(node *yaml.Node, what string) []expectedAttribute {
	var out []expectedAttribute
	items := r.sequence(node, what+"'s expectedAttributes")
	if node != nil && len(items) == 0 {
		r.malformed(node, what+" has an empty expectedAttributes", `a list such as [{rule: "predicate.result == 'PASSED'"}], or no expectedAttributes`)
	}
	for _, item := range items {
		f := r.mapping(item, "an attribute", "rule", "allowIfNoClaim", "warn", "debug")
		r.refuseLoose(f)
		text := r.required(item, f, "rule", "an attribute")
		if text == "" {
			continue
		}
		if rule := r.compile(f["rule"], text); rule != nil {
			out = append(out, *rule)
		}
	}
	return out
}

// refuseLoose refuses attestation-verifier's words for a rule that is no demand.
// What an absent claim means is said in the rule itself, where everybody reads it.
func (r *reader) refuseLoose(f fields) {
	if node := f["allowIfNoClaim"]; r.flag(node, "allowIfNoClaim") {
		r.problem(verdict.AttributeMalformed, at(node), says{"allowIfNoClaim: true", "a rule that says itself what an absent claim means", "write it into the rule:  !has(predicate.field) || predicate.field == …"})
	}
	if node := f["warn"]; r.flag(node, "warn") {
		r.problem(verdict.AttributeMalformed, at(node), says{"warn: true", "a rule that is a demand", "remove the rule, or demand it: one that only warns protects nobody"})
	}
	if node, ok := f["debug"]; ok {
		r.problem(verdict.AttributeMalformed, at(node), says{"debug", "a rule alone", "remove it: the report shows by itself what a rule saw"})
	}
}

// compile checks one rule. Its problems have the place in the layout.
func (r *reader) compile(node *yaml.Node, text string) *expectedAttribute {
	place := r.textAt(node)
	if r.read++; r.read > MaxAttributes {
		if r.read == MaxAttributes+1 {
			r.malformed(node, fmt.Sprintf("more than %d attributes", MaxAttributes), "fewer")
		}
		return nil
	}
	if r.compiler == nil {
		compiler, err := attribute.NewCompiler()
		if err != nil {
			r.problem(verdict.AttributeMalformed, at(node), says{err.Error(), "a rule in CEL", "report this: it is a fault of signatus"})
			return nil
		}
		r.compiler = compiler
	}
	rule, problems := r.compiler.Compile(text)
	for _, p := range problems {
		r.problem(verdict.AttributeMalformed, place.position(p.Line, p.Column), says{fmt.Sprintf("the attribute's rule: %s", p.Message), "a boolean rule in CEL over predicate, predicateType, subject, signer and params", "correct the rule; docs/layout.md has the variables and functions"})
	}
	if rule == nil {
		return nil
	}
	return &expectedAttribute{rule, place}
}

// textPosition is where a text begins in the document, to place what is in it.
type textPosition struct {
	start  position
	indent int  // of a block's lines
	block  bool // its lines stand below its start
	folded bool // nobody knows where its lines stood
}

// textAt finds where the value of a scalar begins. Within quotes that hold
// escapes, columns are those of the value.
func (r *reader) textAt(node *yaml.Node) textPosition {
	p := textPosition{start: at(node)}
	switch {
	case node.Style&yaml.FoldedStyle != 0:
		p.folded = true
	case node.Style&yaml.LiteralStyle != 0:
		p.block = true
		lines := bytes.Split(r.source, []byte("\n"))
		for _, line := range lines[min(node.Line, len(lines)):] {
			if text := bytes.TrimLeft(line, " "); len(bytes.TrimSpace(text)) > 0 {
				p.indent = len(line) - len(text)
				break
			}
		}
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		p.start.column++
	}
	return p
}

// position gives the place of a line and column of the text, both from 1. Of a
// text that YAML folded, only the first line's place is known.
func (p textPosition) position(line, column int) position {
	switch {
	case p.block:
		return position{p.start.line + line, p.indent + column}
	case line == 1 && !p.folded:
		return position{p.start.line, p.start.column + column - 1}
	}
	return p.start
}

// allAttributes lists the attributes of every step.
func (l *Layout) allAttributes() []expectedAttribute {
	var all []expectedAttribute
	for _, s := range l.steps {
		for _, e := range s.entries {
			all = append(all, e.attributes...)
		}
	}
	return all
}

// attributesOf is what is known of one statement's attributes.
type attributesOf struct {
	facts  *attribute.Facts
	judged map[*attribute.Rule]*verdict.Finding
}

// attributes holds a statement to the item's rules.
//
// "If the rule evaluates to false, the verification fails" (ITE-11). So it does
// where the rule cannot be evaluated: an absent claim never means true.
// TestAttributes shows each case.
func (c *check) attributes(s *statement, e *entry) *verdict.Finding {
	for _, a := range e.attributes {
		finding, known := s.attributes.judged[a.Rule]
		if !known {
			finding = c.attribute(s, a)
			if s.attributes.judged == nil {
				s.attributes.judged = map[*attribute.Rule]*verdict.Finding{}
			}
			s.attributes.judged[a.Rule] = finding
		}
		if finding != nil {
			return finding
		}
	}
	return nil
}

func (c *check) attribute(s *statement, a expectedAttribute) *verdict.Finding {
	if s.attributes.facts == nil {
		facts, err := attribute.NewFacts(s.verified)
		if err != nil {
			return refuse(verdict.PredicateMalformed, err)
		}
		s.attributes.facts = facts
	}
	holds, err := a.Holds(s.attributes.facts, c.layout.params)
	if holds && err == nil {
		return nil
	}
	why := a.Why(s.attributes.facts, c.layout.params)
	f := &verdict.Finding{
		ID: verdict.AttributeFalse, Rule: shortened(a.Text()), Where: a.at.position(1, 1).in(c.Layout.name),
		Expected: wanted(why), Found: "the rule is false", Next: "check the parameters, and that this is the attestation that you mean",
	}
	separator := ": "
	if err != nil {
		separator = "; "
		f.ID, f.Found = verdict.AttributeError, "the rule cannot be evaluated: "+err.Error()
		f.Next = "check the parameters, and that this is the attestation that you mean; a rule for what may be absent asks first: has(predicate.field)"
	}
	if len(why.Found) > 0 {
		f.Found += separator + strings.Join(why.Found, ", ")
	}
	return f
}

// wanted says what would have been true of another attestation, and which
// parameters of the caller's ask for it.
func wanted(why attribute.Why) string {
	if len(why.Wanted) == 0 {
		return "an attestation for which the rule is true"
	}
	text := strings.Join(why.Wanted, ", or ")
	if len(why.Asked) > 0 {
		text += ", as --param " + strings.Join(why.Asked, " --param ") + " asks"
	}
	return text
}

// shortened is a rule in one line of a report.
func shortened(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(text), " ")
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}
