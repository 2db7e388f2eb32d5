package actions

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// The inputs of action.yml that are no flag of a verb, beside the [Secrets] and the
// [Aliases].
const (
	inputCommand = "command"           // the verb
	inputPaths   = "paths"             // its positional arguments, one a line
	inputFolder  = "working-directory" // where it runs
	inputRequire = "require"           // whether it must sign, in every run
)

// inputStore is the flag that says where bundles go.
const inputStore = "store"

// comingVerb is a verb that there is not yet.
const comingVerb = "gate"

// Takes says what a flag takes, and so how the input of its name is read.
type Takes int

// The four kinds of inputs.
const (
	Value  Takes = iota // one value, on one line
	Text                // one value, on one line or several, such as JSON
	Values              // any number of values, one a line
	Switch              // true or false
)

// Form says whether what a flag takes names a file or a folder.
type Form int

// The forms of a value.
const (
	NoPath    Form = iota
	Path           // it does
	AfterName      // it does behind NAME=, or as a whole
	MaybePath      // it does where it is an absolute path, and may be something else
)

// Flag is what a flag takes.
type Flag struct {
	Takes Takes
	Form  Form
}

// Verb is a verb that a step may ask for, and its flags. An input of action.yml is
// called as the flag is, without the hyphens in front.
type Verb struct {
	Name  string
	Flags map[string]Flag
}

// Step is what the inputs of a step ask for. The zero value asks for nothing.
type Step struct {
	Verb      string
	Arguments []string // of the verb, without its name
	Folder    string   // where it runs, as it was written; empty for the workspace
	// Required tells that a run which is none to sign in is a failure.
	Required bool
	Paths    []NamedPath
}

// NamedPath is a path in an input, as this process calls it; a glob is one too.
type NamedPath struct {
	Input, Path string
}

// Reading is what inputs are read with.
type Reading struct {
	Getenv func(string) string
	// Environ lists all variables, NAME=VALUE: an input that nobody declares is seen
	// there alone.
	Environ []string
	Verbs   []Verb
	Paths   Paths
}

// Read reads the inputs of a step and makes them the arguments of the verb that they
// name. Each value is one argument, --flag=value, so that none can be taken for a flag
// or for two; the paths come after "--". Paths are translated to what this process calls
// them, in each line.
//
// An input that is empty is not given: the runner does not tell one from the other.
// An input that the verb has no flag for is an error, and so are one that action.yml does
// not declare, a value with a control character other than a line break, a second line
// where one value is taken, and a switch that is neither true nor false.
//
// Inputs arrive as INPUT_NAME, in upper case, where hyphens stay.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputs
func (r Reading) Read() (Step, error) {
	in := inputs{action: newInputs(r.Getenv), paths: r.Paths}
	if err := checkDeclared(r.Environ, r.Verbs); err != nil {
		return Step{}, err
	}
	verb, err := in.verb(r.Verbs)
	if err != nil {
		return Step{}, err
	}
	if err := in.checkOthers(verb, r.Verbs); err != nil {
		return Step{}, err
	}
	if err := checkSecrets(r.Getenv); err != nil {
		return Step{}, err
	}
	folder, err := in.value(inputFolder)
	if err != nil {
		return Step{}, err
	}
	required, err := in.required(verb)
	if err != nil {
		return Step{}, err
	}
	var a asked
	for _, flag := range slices.Sorted(maps.Keys(verb.Flags)) {
		if err := in.flag(flag, verb.Flags[flag], &a); err != nil {
			return Step{}, err
		}
	}
	if err := in.operands(&a); err != nil {
		return Step{}, err
	}
	if err := in.readAliases(verb, &a); err != nil {
		return Step{}, err
	}
	if err := in.readPlaces(verb, &a); err != nil {
		return Step{}, err
	}
	step := Step{Verb: verb.Name, Arguments: a.arguments, Folder: r.Paths.Here(folder), Required: required, Paths: a.paths}
	if len(a.operands) > 0 {
		step.Arguments = append(append(step.Arguments, "--"), a.operands...)
	}
	return step, nil
}

// verb is the one that the step asks for.
func (in inputs) verb(verbs []Verb) (Verb, error) {
	name, err := in.value(inputCommand)
	if err != nil {
		return Verb{}, err
	}
	if name == "" && in.begins() {
		name = attestVerb
	}
	if at := slices.IndexFunc(verbs, func(v Verb) bool { return v.Name == name }); at >= 0 {
		return verbs[at], nil
	}
	return Verb{}, noVerb(name, verbs)
}

// noVerb says which verbs there are.
func noVerb(name string, verbs []Verb) error {
	var next []string
	for _, v := range verbs {
		next = append(next, inputCommand+": "+v.Name)
	}
	found := "it is not given"
	switch name {
	case "":
	case comingVerb:
		found = "it is gate, which is planned and not built yet"
	default:
		found = fmt.Sprintf("it is %.40q", name)
	}
	return fmt.Errorf("reading input %s: %s; next: write  %s", inputCommand, found, strings.Join(next, "  or  "))
}

// inputs reads inputs by their names. No error of it quotes more than a switch or
// a verb: an input may be a token.
type inputs struct {
	action *githubactions.Action
	paths  Paths
}

// newInputs reads inputs, and prints nothing.
func newInputs(getenv func(string) string) *githubactions.Action {
	return githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(io.Discard))
}

// given tells whether an input holds something.
func (in inputs) given(name string) bool { return in.action.GetInput(name) != "" }

// checkOthers refuses an input that only another verb has a flag for.
func (in inputs) checkOthers(verb Verb, verbs []Verb) error {
	for _, other := range verbs {
		for _, flag := range slices.Sorted(maps.Keys(other.Flags)) {
			if _, ok := verb.Flags[flag]; ok || !in.given(flag) || verb.Name == attestVerb && isAlias(flag) {
				continue
			}
			return fmt.Errorf("reading input %s: %s has no flag --%s; next: leave it out, or write  command: %s", flag, verb.Name, flag, other.Name)
		}
	}
	return nil
}

func isAlias(name string) bool {
	return slices.ContainsFunc(Aliases(), func(a Alias) bool { return a.Name == name })
}

// required reads the input require, which is attest's.
func (in inputs) required(verb Verb) (bool, error) {
	required, err := in.truth(inputRequire)
	if err == nil && required != "" && verb.Name != attestVerb {
		err = fmt.Errorf("reading input %s: it goes with attest, and this step asks for %s; next: leave it out: %s is done in every run", inputRequire, verb.Name, verb.Name)
	}
	return required == "true", err
}

// flag makes the arguments of a flag; none where the input is not given.
func (in inputs) flag(name string, flag Flag, a *asked) error {
	if name == inputSubjectName && in.given("subject-digest") {
		return nil // that input reads it
	}
	values, err := in.read(name, flag.Takes)
	if err != nil {
		return err
	}
	for _, v := range values {
		v, named := in.translate(v, flag.Form)
		if named != "" {
			a.paths = append(a.paths, NamedPath{Input: name, Path: named})
		}
		a.arguments = append(a.arguments, "--"+name+"="+v)
	}
	return nil
}

// translate calls a path in a value as this process does, and tells which it is.
func (in inputs) translate(value string, form Form) (translated, named string) {
	switch form {
	case NoPath:
	case Path:
		value = in.paths.Here(value)
		return value, value
	case AfterName:
		name, file, ok := strings.Cut(value, "=")
		if !ok || strings.Contains(name, "/") { // it is none
			value = in.paths.Here(value)
			return value, value
		}
		file = in.paths.Here(file)
		return name + "=" + file, file
	case MaybePath:
		if !strings.Contains(value, "\n") && (strings.HasPrefix(value, "/") || strings.HasPrefix(value, "../")) {
			value = in.paths.Here(value)
			return value, value
		}
	}
	return value, ""
}

// operands reads the input paths.
func (in inputs) operands(a *asked) error {
	values, err := in.values(inputPaths)
	if err != nil {
		return err
	}
	for _, v := range values {
		v = in.paths.Here(v)
		a.operands = append(a.operands, v)
		a.paths = append(a.paths, NamedPath{Input: inputPaths, Path: v})
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
		value, err = in.json(flag)
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
