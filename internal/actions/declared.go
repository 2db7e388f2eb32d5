package actions

import (
	"fmt"
	"slices"
	"strings"
)

// inputPrefix is what the runner puts before the name of an input.
const inputPrefix = "INPUT_"

// ofTheRunner are the inputs that a container action has without declaring them: the
// runner takes them for itself, and passes them on.
//
//	"container action always accept 'entryPoint' and 'args' as inputs"
//	(ActionRunner.cs)
//
// Source: https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionRunner.cs
func ofTheRunner() []string { return []string{"entrypoint", "args"} }

// Declared are the names of all inputs, as action.yml declares them, in order.
func Declared(verbs []Verb) []string {
	names := []string{inputCommand, inputPaths, inputFolder, inputRequire}
	for _, s := range Secrets() {
		names = append(names, s.Input)
	}
	for _, a := range Aliases() {
		names = append(names, a.Name)
	}
	for _, v := range verbs {
		for flag := range v.Flags {
			names = append(names, flag)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkDeclared refuses an input that action.yml does not declare. The runner passes it
// on and only warns of it, so that a misspelt check would not be made and nobody would
// know. Whether it is empty does not matter: its author meant something by it.
func checkDeclared(environ []string, verbs []Verb) error {
	declared := Declared(verbs)
	var unknown []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		input, ok := strings.CutPrefix(name, inputPrefix)
		known := slices.ContainsFunc(append(ofTheRunner(), declared...), func(d string) bool { return input == variableOf(d) })
		if ok && !known {
			unknown = append(unknown, strings.ToLower(input))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	next := "leave it out; docs/action.md lists the inputs"
	if near := Nearest(unknown[0], declared); near != "" {
		next = "did you mean " + near + "? Or leave it out"
	}
	more := ""
	if len(unknown) > 1 {
		more = fmt.Sprintf(", and neither %d others", len(unknown)-1)
	}
	return fmt.Errorf("reading input %.60q: there is no such input%s; next: %s", unknown[0], more, next)
}

// variableOf is an input's name as the runner writes it.
func variableOf(input string) string {
	return strings.ToUpper(strings.ReplaceAll(input, " ", "_"))
}

// maxNearName bounds what a name is compared with, in bytes.
const maxNearName = 64

// Nearest is the name that is the fewest slips of the finger away, at most a third of
// its letters or one; empty where there is none.
func Nearest(name string, names []string) string {
	if len(name) > maxNearName {
		return ""
	}
	best, least := "", max(1, len(name)/3)+1
	for _, candidate := range names {
		if n := slips(name, candidate); n < least {
			best, least = candidate, n
		}
	}
	return best
}

// slips counts the bytes to put in, take out, replace or swap with their neighbour that
// make one name the other.
func slips(a, b string) int {
	older, old := make([]int, len(b)+1), make([]int, len(b)+1)
	for i := range old {
		old[i] = i
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			changed := old[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, row[j]+1, old[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
		older, old = old, row
	}
	return old[len(b)]
}
