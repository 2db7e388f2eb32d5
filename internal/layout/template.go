package layout

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// template is one token that may hold parameters. A parameter's value fills its
// place literally and can never add a token, a wildcard or another placeholder.
type template struct {
	text  string
	parts []templatePart
}

// templatePart is literal text or the name of a parameter.
type templatePart struct{ literal, parameter string }

// parseTemplate finds the placeholders of a token. A brace that is not part of
// {name} is an error.
func parseTemplate(text string) (template, error) {
	t := template{text: text}
	for rest := text; rest != ""; {
		literal, after, open := strings.Cut(rest, "{")
		name, next, closed := strings.Cut(after, "}")
		if strings.Contains(literal, "}") || open && !closed {
			return t, fmt.Errorf("%q holds a brace that is not part of a {parameter}", text)
		}
		if literal != "" {
			t.parts = append(t.parts, templatePart{literal: literal})
		}
		if !open {
			break
		}
		if !isParameterName(name) {
			return t, fmt.Errorf("%q: {%s} is not a parameter's name", text, name)
		}
		t.parts = append(t.parts, templatePart{parameter: name})
		rest = next
	}
	return t, nil
}

// fill puts the values in. Every parameter of t must be in values.
func (t template) fill(values map[string]string) (string, error) {
	var text strings.Builder
	for _, p := range t.parts {
		value, ok := values[p.parameter]
		if p.parameter != "" && !ok {
			return "", fmt.Errorf("parameter %s has no value", p.parameter)
		}
		text.WriteString(p.literal + value)
	}
	return text.String(), nil
}

func isParameterName(s string) bool {
	for i, r := range s {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// checkValue refuses parameter values that could mean something else than
// themselves: "Values with glob characters, white space, control characters or
// braces are refused." (docs/layout.md 10.)
func checkValue(value string) error {
	if value == "" {
		return fmt.Errorf("empty value")
	}
	for _, r := range value {
		switch {
		case strings.ContainsRune(`*?[]\`, r):
			return fmt.Errorf("value %q holds the glob character %q", value, r)
		case r == '{' || r == '}':
			return fmt.Errorf("value %q holds a brace", value)
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar:
			return fmt.Errorf("value %q holds white space or a control character", value)
		}
	}
	return nil
}

// checkParameters compares the caller's values with the layout's declarations.
func (l *Layout) checkParameters(values map[string]string) []verdict.Finding {
	var findings []verdict.Finding
	for _, name := range sortedKeys(values) {
		declared, ok := l.parameters[name]
		if !ok {
			findings = append(findings, verdict.Finding{
				ID:       verdict.ParameterUnknown,
				Found:    fmt.Sprintf("parameter %s is not declared in the layout", name),
				Expected: l.declares(),
				Next:     "check the spelling of --param " + name,
			})
			continue
		}
		err := checkValue(values[name])
		if err == nil && !declared.pattern.Match(values[name]) {
			err = fmt.Errorf("value %q does not match", values[name])
		}
		if err != nil {
			findings = append(findings, verdict.Finding{
				ID:       verdict.ParameterMalformed,
				Found:    fmt.Sprintf("parameter %s: %v", name, err),
				Expected: fmt.Sprintf("a literal value matching %s", declared.pattern),
				Next:     fmt.Sprintf("give --param %s=VALUE without wildcards, spaces or braces", name),
			})
		}
	}
	used := l.usedParameters()
	for _, name := range sortedKeys(l.parameters) {
		if _, given := values[name]; !given && (l.parameters[name].required || used[name]) {
			findings = append(findings, verdict.Finding{
				ID:       verdict.ParameterMissing,
				Found:    fmt.Sprintf("parameter %s has no value", name),
				Expected: fmt.Sprintf("a value matching %s", l.parameters[name].pattern),
				Next:     fmt.Sprintf("give --param %s=VALUE", name),
			})
		}
	}
	return findings
}

// declares lists the parameters that the layout takes.
func (l *Layout) declares() string {
	if len(l.parameters) == 0 {
		return "no parameter: the layout declares none"
	}
	return "one of " + list(sortedKeys(l.parameters))
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
	}
	for _, f := range l.functionaries {
		all = append(all, f.identity)
		for _, e := range f.extensions {
			all = append(all, e.values...)
		}
	}
	return all
}
