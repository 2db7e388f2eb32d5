package layout

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxParameterBytes bounds a value that may be any text.
const MaxParameterBytes = 4096

func (r *reader) readParameters(l *Layout, node *yaml.Node) {
	for _, item := range r.entries(node, "parameters") {
		l.parameters[item.name] = r.parameter(item)
	}
}

func (r *reader) parameter(item namedNode) parameter {
	what := "parameter " + item.name
	f := r.mapping(item.node, what, "pattern", "anyText", "map", "required")
	p := parameter{at: item.at, required: r.flag(f["required"], "required"), family: r.flag(f["map"], "map"), anyText: r.flag(f["anyText"], "anyText")}
	if !isParameterName(item.name) {
		r.problem(verdict.LayoutMalformed, item.at, says{fmt.Sprintf("parameter %q", item.name), "letters, digits and _, not starting with a digit", "rename the parameter"})
	}
	if p.anyText {
		if node, both := f["pattern"]; both {
			r.malformed(node, what+" has pattern and anyText", "one of the two")
		}
		return p
	}
	text := r.required(item.node, f, "pattern", what)
	pattern, err := identity.ParsePattern(text)
	if err != nil && text != "" {
		r.problem(verdict.GlobMalformed, at(f["pattern"]), says{err.Error(), "a pattern whose only wildcard is *", "write the pattern segment by segment"})
	}
	p.pattern = pattern
	return p
}

// flag reads true or false; absent is false.
func (r *reader) flag(node *yaml.Node, what string) (value bool) {
	if node != nil && (node.ShortTag() != "!!bool" || node.Decode(&value) != nil) {
		r.malformed(node, fmt.Sprintf("%s is %q", what, node.Value), "true or false")
	}
	return value
}

// accepts says why a value is not one for the parameter.
//
// "Values with glob characters, white space, control characters or braces are
// refused. In CEL a parameter is a variable; nothing is spliced into source."
// (docs/layout.md 10.) So what only attributes use may be any text.
func (p parameter) accepts(value string) error {
	if p.anyText {
		return checkText(value)
	}
	if err := checkValue(value); err != nil {
		return err
	}
	if !p.pattern.Match(value) {
		return fmt.Errorf("value %q does not match", value)
	}
	return nil
}

// expected says what the parameter takes.
func (p parameter) expected() string {
	if p.anyText {
		return "a text without control characters"
	}
	return "a literal value matching " + p.pattern.String()
}

func checkText(value string) error {
	switch {
	case value == "":
		return errors.New("empty value")
	case len(value) > MaxParameterBytes:
		return fmt.Errorf("%d bytes, at most %d", len(value), MaxParameterBytes)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("value %q holds a control character or is not UTF-8", value)
	}
	return nil
}

// parameterOf finds the declaration for a name as the caller gives it: NAME, or
// NAME.KEY for one of a family.
func (l *Layout) parameterOf(given string) (name, key string, p parameter, ok bool) {
	name, key, dotted := strings.Cut(given, ".")
	p, ok = l.parameters[name]
	return name, key, p, ok && p.family == dotted && (!dotted || key != "")
}

// checkParameters compares the caller's values with the layout's declarations.
func (l *Layout) checkParameters(values map[string]string) []verdict.Finding {
	var findings []verdict.Finding
	given := map[string]bool{}
	for _, written := range sortedKeys(values) {
		name, _, declared, ok := l.parameterOf(written)
		if !ok {
			findings = append(findings, verdict.Finding{
				ID:       verdict.ParameterUnknown,
				Found:    fmt.Sprintf("parameter %s is not declared in the layout", written),
				Expected: l.declares(),
				Next:     "check the spelling of --param " + written,
			})
			continue
		}
		given[name] = true
		if err := declared.accepts(values[written]); err != nil {
			findings = append(findings, verdict.Finding{
				ID:       verdict.ParameterMalformed,
				Found:    fmt.Sprintf("parameter %s: %v", written, err),
				Expected: declared.expected(),
				Next:     declared.next(written, values[written]),
			})
		}
	}
	used := l.usedParameters()
	for _, name := range sortedKeys(l.parameters) {
		p := l.parameters[name]
		if given[name] || !p.required && !used[name] {
			continue
		}
		findings = append(findings, verdict.Finding{
			ID: verdict.ParameterMissing, Found: fmt.Sprintf("parameter %s has no value", name),
			Expected: strings.Replace(p.expected(), "literal ", "", 1), Next: fmt.Sprintf("give --param %s=VALUE", p.spelling(name)),
		})
	}
	return findings
}

// next tells how the value is written that was probably meant.
func (p parameter) next(written, value string) string {
	if p.anyText {
		return fmt.Sprintf("give --param %s=VALUE as plain text", written)
	}
	for _, prefix := range []string{"https://", ".github/workflows/"} {
		bare, cut := strings.CutPrefix(strings.TrimSuffix(value, ".git"), prefix)
		if cut && p.accepts(bare) == nil {
			return fmt.Sprintf("leave %s out: --param %s=%s", prefix, written, bare)
		}
	}
	return fmt.Sprintf("give --param %s=VALUE of that form, without wildcards, spaces or braces", written)
}

// spelling is how the caller writes the parameter.
func (p parameter) spelling(name string) string {
	if p.family {
		return name + ".KEY"
	}
	return name
}

// declares lists the parameters that the layout takes.
func (l *Layout) declares() string {
	if len(l.parameters) == 0 {
		return "no parameter: the layout declares none"
	}
	var names []string
	for _, name := range sortedKeys(l.parameters) {
		names = append(names, l.parameters[name].spelling(name))
	}
	return "one of " + list(names)
}

// attributeParameters gives the values as attributes see them: a parameter that
// was not given has no key, and a family is a map, empty where none was given.
func (l *Layout) attributeParameters(values map[string]string) map[string]any {
	params := map[string]any{}
	families := map[string]map[string]string{}
	for name, p := range l.parameters {
		if p.family {
			families[name] = map[string]string{}
			params[name] = families[name]
		}
	}
	for written, value := range values {
		if name, key, p, ok := l.parameterOf(written); ok && p.family {
			families[name][key] = value
		} else if ok {
			params[name] = value
		}
	}
	return params
}

// usedParameters tells which parameters the layout's rules and functionaries use.
func (l *Layout) usedParameters() map[string]bool {
	used := map[string]bool{}
	for _, t := range l.templates() {
		for _, p := range t.parts {
			if p.parameter != "" {
				used[p.parameter] = true
			}
		}
	}
	return used
}

// templates lists every token that may hold a parameter.
func (l *Layout) templates() []template {
	var all []template
	for _, s := range l.steps {
		for _, r := range append(append([]rule{}, s.materials.rules...), s.products.rules...) {
			all = append(all, r.pattern, r.sourcePrefix, r.destPrefix)
		}
		for _, e := range s.entries {
			all = append(all, e.summary.templates()...)
			all = append(all, e.sublayout.templates()...)
		}
	}
	for _, f := range l.functionaries {
		all = append(all, f.identity)
		for _, e := range f.extensions {
			all = append(all, e.values...)
		}
	}
	return all
}

// parameterUse checks that every parameter that is used is declared; that every
// one that may be absent is used, since whoever gave it would think that it
// demands something; and that rules and functionaries use only what fills one
// token. A required one says by itself what it demands: a value.
func (l *linter) parameterUse() {
	used := l.usedParameters()
	for _, name := range sortedKeys(used) {
		switch p, ok := l.parameters[name]; {
		case !ok:
			l.problem(verdict.ParameterUnknown, position{1, 1}, says{fmt.Sprintf("{%s} is used but not declared", name), "an item of parameters", "declare it with a pattern"})
		case p.family || p.anyText:
			l.problem(verdict.ParameterMalformed, p.at, says{fmt.Sprintf("parameter %s has map or anyText and is used as {%s}", name, name), "a parameter with a pattern: in rules and identities a value fills one token", "give it a pattern, or use it in expectedAttributes only"})
		}
	}
	for _, a := range l.allAttributes() {
		for _, p := range a.Parameters() {
			if used[p.Name] = true; l.parameters[p.Name].at == (position{}) {
				l.problem(verdict.ParameterUnknown, a.at.position(p.Line, p.Column), says{fmt.Sprintf("params.%s is used but not declared", p.Name), "an item of parameters", "declare it"})
			}
		}
	}
	for _, name := range sortedKeys(l.parameters) {
		if p := l.parameters[name]; !used[name] && !p.required {
			l.problem(verdict.ParameterUnused, p.at, says{fmt.Sprintf("parameter %s is declared and nothing uses it", name), "a use in a rule, a functionary or an attribute", "use it or remove it: whoever gives a value would think that it demands something"})
		}
	}
}
