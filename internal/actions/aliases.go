package actions

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// attestVerb is the verb that takes the inputs of actions/attest.
const attestVerb = "attest"

// inputSubjectName is a flag of both verbs, and goes with the input subject-digest.
const inputSubjectName = "subject-name"

// maxChecksums bounds the input subject-checksums where it is the list itself, as
// actions/attest does.
const maxChecksums = 512 << 10

// Alias is an input as actions/attest and actions/attest-build-provenance call it, so
// that a workflow moves over by the line of its uses: alone.
type Alias struct {
	Name string
	// Stands is the input that says the same; empty for one that has no other name. Both
	// at once are an error.
	Stands string
	// Begins tells that a step which gives it asks for attest, where it gives no command.
	Begins bool
	// Any tells that every verb takes it.
	Any bool
	// read makes it arguments of the verb; nil where something else reads it.
	read func(in inputs, a *asked) error
}

// asked is what a step asks for, as far as it is read.
type asked struct {
	arguments []string
	operands  []string
	paths     []NamedPath
}

// Aliases are all of them.
//
// Source: https://github.com/actions/attest/blob/main/action.yml
func Aliases() []Alias {
	return []Alias{
		{Name: "subject-path", Stands: inputPaths, Begins: true, read: readSubjectPath},
		{Name: "subject-digest", Stands: "subject", Begins: true, read: readSubjectDigest},
		{Name: inputSubjectName}, // a flag, but with subject-digest, which reads it
		{Name: "subject-checksums", Stands: "checksums", Begins: true, read: readSubjectChecksums},
		{Name: "predicate-path", Stands: "predicate", Begins: true, read: readFileOf("predicate-path", "predicate")},
		{Name: "sbom-path", Stands: "sbom", Begins: true, read: readFileOf("sbom-path", "sbom")},
		{Name: "push-to-registry", Stands: inputStore, Begins: true, read: readPushToRegistry},
		{Name: inputSummary, Begins: true, Any: true, read: readShowSummary},
	}
}

// begins tells whether a step asks for attest without saying so.
func (in inputs) begins() bool {
	return slices.ContainsFunc(Aliases(), func(a Alias) bool { return a.Begins && in.given(a.Name) })
}

// readAliases reads the aliases of a verb. A flag of the same name is the flag.
func (in inputs) readAliases(verb Verb, a *asked) error {
	for _, alias := range Aliases() {
		if _, flag := verb.Flags[alias.Name]; flag || !in.given(alias.Name) {
			continue
		}
		if verb.Name != attestVerb && !alias.Any {
			return fmt.Errorf("reading input %s: it goes with attest, and this step asks for %s; next: leave it out, or write  command: %s", alias.Name, verb.Name, attestVerb)
		}
		if alias.Stands != "" && in.given(alias.Stands) {
			return fmt.Errorf("reading input %s: the input %s is given too, and says the same; next: leave one of them out", alias.Name, alias.Stands)
		}
		if alias.read == nil {
			continue
		}
		if err := alias.read(in, a); err != nil {
			return err
		}
	}
	return nil
}

// readSubjectPath reads a list of paths and globs, divided by commas and line breaks.
//
// "May contain a glob pattern or list of paths" (actions/attest, action.yml). The list is
// read as CSV, so that a path in double quotes may hold a comma; a line that begins with
// a number sign is a comment to the globs of that action.
func readSubjectPath(in inputs, a *asked) error {
	text, err := in.text("subject-path")
	if err != nil {
		return err
	}
	list := csv.NewReader(strings.NewReader(text))
	list.LazyQuotes, list.FieldsPerRecord, list.TrimLeadingSpace = true, -1, true
	list.Comment = '#'
	for {
		record, err := list.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.New("reading input subject-path: it is no list of paths; next: write one a line")
		}
		for _, item := range record {
			item = in.paths.Here(strings.TrimSpace(item))
			switch {
			case item == "":
				continue
			case item[0] == '!':
				return errors.New("reading input subject-path: a pattern that opens with an exclamation mark takes files away, which nothing here does; next: name the files that are signed, or use globs that find no others")
			case strings.Contains(item, "\n"):
				return errors.New("reading input subject-path: a double quote is not closed in its line; next: write one path a line")
			}
			a.operands = append(a.operands, item)
			a.paths = append(a.paths, NamedPath{Input: "subject-path", Path: item})
		}
	}
	if len(a.operands) == 0 {
		return errors.New("reading input subject-path: it names no path; next: write one a line")
	}
	return nil
}

// readSubjectDigest makes a subject of a name and a digest.
func readSubjectDigest(in inputs, a *asked) error {
	digest, err := in.value("subject-digest")
	if err != nil {
		return err
	}
	name, err := in.value(inputSubjectName)
	if err != nil {
		return err
	}
	if name == "" {
		return errors.New("reading input subject-digest: what it is of has no name; next: give subject-name too, such as ghcr.io/acme/app")
	}
	push, err := in.pushes()
	if err != nil {
		return err
	}
	if push { // as that action has it: a repository at GitHub may have capitals, an image may not
		name = strings.ToLower(name)
	}
	if strings.Contains(digest, "@") {
		return errors.New(`reading input subject-digest: it holds "@"; next: write the digest alone, such as sha256:HEX`)
	}
	a.arguments = append(a.arguments, "--subject="+name+"@"+digest)
	return nil
}

// readSubjectChecksums reads the path of a list, or the list itself.
//
// "Path to checksums file containing digest and name of subjects for attestation"
// (actions/attest, action.yml); where there is no such file, that action reads the input
// as the list. Here its form decides, and not what files there are: a list has a space
// behind the digest that it opens with.
func readSubjectChecksums(in inputs, a *asked) error {
	text, err := in.text("subject-checksums")
	if err != nil {
		return err
	}
	if !isChecksums(text) {
		return readFileOf("subject-checksums", "checksums")(in, a)
	}
	if len(text) > maxChecksums {
		return fmt.Errorf("reading input subject-checksums: the list has %d bytes, at most %d KiB are read; next: give the path of a file with it", len(text), maxChecksums>>10)
	}
	sums, err := artifact.ParseChecksums([]byte(text))
	if err != nil {
		return fmt.Errorf("reading input subject-checksums: %w; next: write it as sha256sum does", err)
	}
	seen := map[string]bool{}
	for _, sum := range sums {
		subject, err := artifact.ChecksumSubject("the list", sum)
		if err != nil {
			return fmt.Errorf("reading input subject-checksums: %w; next: name the files relative to one folder", err)
		}
		for alg, digest := range subject.Digest { // one
			argument := "--subject=" + subject.Name + "@" + string(alg) + ":" + digest
			if !seen[argument] { // as that action has it
				seen[argument] = true
				a.arguments = append(a.arguments, argument)
			}
		}
	}
	return nil
}

// isChecksums tells a list from a path: by its lines, or by how its one line begins, with
// a digest or, as --tag has it, with the name of its algorithm.
func isChecksums(text string) bool {
	digest, rest, spaced := strings.Cut(strings.TrimPrefix(text, `\`), " ")
	hex := strings.Trim(digest, "0123456789abcdefABCDEF") == ""
	tagged := strings.HasPrefix(digest, "SHA") && strings.HasPrefix(rest, "(") && strings.Contains(rest, ") = ")
	return strings.Contains(text, "\n") || spaced && hex && len(digest) >= 64 || tagged
}

// readFileOf reads an input that holds one path, for a flag that takes a file.
func readFileOf(input, flag string) func(in inputs, a *asked) error {
	return func(in inputs, a *asked) error {
		file, err := in.value(input)
		if err != nil {
			return err
		}
		file = in.paths.Here(file)
		a.paths = append(a.paths, NamedPath{Input: input, Path: file})
		if strings.HasPrefix(file, "{") {
			file = "./" + file // and no JSON
		}
		a.arguments = append(a.arguments, "--"+flag+"="+file)
		return nil
	}
}

// readPushToRegistry refuses what is no answer, and to push where there is no image;
// [inputs.readPlaces] reads it.
//
// "Requires that the subject-name parameter specify the fully-qualified image name and that
// the subject-digest parameter be specified" (actions/attest, action.yml)
func readPushToRegistry(in inputs, _ *asked) error {
	push, err := in.pushes()
	if err == nil && push && !slices.ContainsFunc([]string{"subject-digest", "subject", "image"}, in.given) {
		err = errors.New("reading input push-to-registry: no image is named; next: give subject-name and subject-digest, or image, or leave it out")
	}
	return err
}

// readPlaces has bundles kept where actions/attest keeps them, by a step that does not say
// where: at GitHub, if the step is asked as that action is, and with the image, if it is
// to be pushed. The file stays in either case, as there.
func (in inputs) readPlaces(verb Verb, a *asked) error {
	if verb.Name != attestVerb || in.given(inputStore) {
		return nil
	}
	push, err := in.pushes()
	moved := !in.given(inputCommand)
	if err != nil || !push && !moved {
		return err
	}
	a.arguments = append(a.arguments, "--"+inputStore+"=file")
	if push {
		a.arguments = append(a.arguments, "--"+inputStore+"=oci")
	}
	if moved {
		a.arguments = append(a.arguments, "--"+inputStore+"=github")
	}
	return nil
}

// pushes tells whether the bundle goes to the image's registry.
func (in inputs) pushes() (bool, error) {
	push, err := in.truth("push-to-registry")
	return push == "true", err
}

// readShowSummary refuses what is no answer; [ShowsSummary] reads it.
func readShowSummary(in inputs, _ *asked) error {
	_, err := in.truth(inputSummary)
	return err
}
