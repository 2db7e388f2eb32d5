package layout

import (
	"fmt"
	"strings"
	"unicode"
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
	if strings.ContainsFunc(value, unicode.IsSpace) {
		return fmt.Errorf("value %q holds white space or a control character", value)
	}
	return checkClassicValue(value) // in-toto 1.0 has names with spaces
}
