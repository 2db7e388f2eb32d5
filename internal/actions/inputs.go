package actions

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sethvargo/go-githubactions"
)

// The inputs of action.yml that are no flag of a verb.
const (
	inputCommand = "command"           // the verb
	inputPaths   = "paths"             // its positional arguments, one a line
	inputFolder  = "working-directory" // where it runs
)

// Takes says what a flag takes, and so how the input of its name is read.
type Takes int

// The four kinds of inputs.
const (
	Value  Takes = iota // one value, on one line
	Text                // one value, on one line or several, such as JSON
	Values              // any number of values, one a line
	Switch              // true or false
)

// Verb is a verb that a step may ask for, and what each of its flags takes. An
// input of action.yml is called as the flag is, without the hyphens in front.
type Verb struct {
	Name  string
	Flags map[string]Takes
}

// Step is what the inputs of a step ask for. The zero value asks for nothing.
type Step struct {
	Verb      string
	Arguments []string // of the verb, without its name
	Folder    string   // where it runs, as it was written; empty for the workspace
}

// ReadInputs reads the inputs of a step and makes them the arguments of the verb
// that they name. Each value is one argument, --flag=value, so that none can be
// taken for a flag or for two; the paths come after "--".
//
// An input that is empty is not given: the runner does not tell one from the other.
// An input that the verb has no flag for is an error, and so are a value with a
// control character other than a line break, a second line where one value is
// taken, and a switch that is neither true nor false. What none of the verbs has a
// flag for cannot be seen here; the runner warns of it.
//
// Inputs arrive as INPUT_NAME, in upper case, where hyphens stay.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputs
func ReadInputs(getenv func(string) string, verbs []Verb) (Step, error) {
	in := inputs{githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(io.Discard))}
	name, err := in.value(inputCommand)
	if err != nil {
		return Step{}, err
	}
	at := slices.IndexFunc(verbs, func(v Verb) bool { return v.Name == name })
	if at < 0 {
		return Step{}, noVerb(name, verbs)
	}
	verb := verbs[at]
	if err := in.checkOthers(verb, verbs); err != nil {
		return Step{}, err
	}
	folder, err := in.value(inputFolder)
	if err != nil {
		return Step{}, err
	}
	step := Step{Verb: verb.Name, Folder: folder}
	for _, flag := range slices.Sorted(maps.Keys(verb.Flags)) {
		values, err := in.read(flag, verb.Flags[flag])
		if err != nil {
			return Step{}, err
		}
		for _, v := range values {
			step.Arguments = append(step.Arguments, "--"+flag+"="+v)
		}
	}
	paths, err := in.values(inputPaths)
	if err != nil {
		return Step{}, err
	}
	if len(paths) > 0 {
		step.Arguments = append(append(step.Arguments, "--"), paths...)
	}
	return step, nil
}

// noVerb says which verbs there are.
func noVerb(name string, verbs []Verb) error {
	var next []string
	for _, v := range verbs {
		next = append(next, inputCommand+": "+v.Name)
	}
	found := "it is not given"
	if name != "" {
		found = fmt.Sprintf("it is %.40q", name)
	}
	return fmt.Errorf("reading input %s: %s; next: write  %s", inputCommand, found, strings.Join(next, "  or  "))
}

// inputs reads inputs by their names. No error of it quotes more than a switch or
// a verb: an input may be a token.
type inputs struct{ action *githubactions.Action }

// checkOthers refuses an input that only another verb has a flag for.
func (in inputs) checkOthers(verb Verb, verbs []Verb) error {
	for _, other := range verbs {
		for _, flag := range slices.Sorted(maps.Keys(other.Flags)) {
			if _, ok := verb.Flags[flag]; !ok && in.action.GetInput(flag) != "" {
				return fmt.Errorf("reading input %s: %s has no flag --%s; next: leave it out, or write  command: %s", flag, verb.Name, flag, other.Name)
			}
		}
	}
	return nil
}

// read gives the values of a flag; none where the input is not given.
func (in inputs) read(flag string, takes Takes) ([]string, error) {
	var value string
	var err error
	switch takes {
	case Values:
		return in.values(flag)
	case Switch:
		value, err = in.truth(flag)
	case Text:
		value, err = in.text(flag)
	case Value:
		value, err = in.value(flag)
	default:
		err = fmt.Errorf("reading input %s: nobody says what it takes", flag)
	}
	if err != nil || value == "" {
		return nil, err
	}
	return []string{value}, nil
}

// text is a value of any number of lines.
func (in inputs) text(name string) (string, error) {
	value := strings.ReplaceAll(in.action.GetInput(name), "\r\n", "\n")
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return "", fmt.Errorf("reading input %s: it holds a control character; next: write it without tabs, escapes and bare carriage returns", name)
	}
	return value, nil
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

// truth is true, false or not given. YAML's other words for them are refused, as
// YAML 1.2 has no others and a misspelt one must not count as false.
func (in inputs) truth(name string) (string, error) {
	value, err := in.value(name)
	if err == nil && value != "" && value != "true" && value != "false" {
		err = fmt.Errorf("reading input %s: it is %.40q; next: write  true  or  false", name, value)
	}
	return value, err
}
