package actions

import (
	"fmt"
	"strings"
	"unicode"
)

// text is a value of any number of lines.
func (in inputs) text(name string) (string, error) {
	value := in.raw(name)
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return "", fmt.Errorf("reading input %s: it holds a control character; next: write it without tabs, escapes and bare carriage returns", name)
	}
	return value, nil
}

// json is text that may be indented with tabs.
func (in inputs) json(name string) (string, error) {
	value := in.raw(name)
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "", fmt.Errorf("reading input %s: it holds a control character; next: write it without escapes and bare carriage returns", name)
	}
	return value, nil
}

// raw is what the runner passes, with line breaks of one kind.
func (in inputs) raw(name string) string {
	return strings.ReplaceAll(in.action.GetInput(name), "\r\n", "\n")
}

// value is a value of one line.
func (in inputs) value(name string) (string, error) {
	value, err := in.text(name)
	if err == nil && strings.Contains(value, "\n") {
		err = fmt.Errorf("reading input %s: it has several lines, and one value is taken; next: write one, on one line", name)
	}
	if err != nil {
		return "", err
	}
	return value, nil
}

// values are those of the lines that hold something.
func (in inputs) values(name string) ([]string, error) {
	text, err := in.text(name)
	if err != nil {
		return nil, err
	}
	var values []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			values = append(values, line)
		}
	}
	return values, nil
}

// truth is true, false or not given, as YAML 1.2 writes them and other actions read them.
// Anything else is refused, yes and no among it: a misspelt word must not count as false.
//
//	"true | True | TRUE | false | False | FALSE" (YAML 1.2.2, 10.3.2, the core schema)
func (in inputs) truth(name string) (string, error) {
	value, err := in.value(name)
	if err != nil {
		return "", err
	}
	switch value {
	case "", "true", "false":
		return value, nil
	case "True", "TRUE", "False", "FALSE":
		return strings.ToLower(value), nil
	}
	return "", fmt.Errorf("reading input %s: it is %.40q; next: write  true  or  false", name, value)
}
