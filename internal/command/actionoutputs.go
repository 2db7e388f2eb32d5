package command

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/report"
)

// fileKind is what a file is to a later step.
type fileKind string

// The files that are no bundles of attest, as the outputs call them.
const (
	reportFile fileKind = "report-path"
	sarifFile  fileKind = "sarif-path"
	vsaFile    fileKind = "vsa-path"
)

// leave gives the files that were written to the runner, and writes the outputs. They are
// there whatever the verb's exit code is; an output whose file has a name that does not
// fit is left out, and the step is then no success: later steps would not learn of it.
func (s *step) leave(code *int) error {
	s.keepSARIF()
	s.giveBack()
	was := *code
	bundle, problem := s.bundle()
	var outputs []actions.Output
	for _, o := range slices.Concat([]actions.Output{bundle}, s.atGitHub(), s.fileOutputs()) {
		if o.Value == "" {
			continue
		}
		if err := o.Check(); err != nil {
			problem = errors.Join(problem, err)
			continue
		}
		outputs = append(outputs, o)
	}
	if bundle.Value != "" && bundle.Check() == nil {
		problem = errors.Join(problem, s.paths.NoteBundle(s.env.Getenv, bundle.Value))
	}
	if problem != nil && *code == ExitAllowed {
		*code = ExitUndecided
	}
	outputs = append(outputs, actions.Output{Name: "exit-code", Value: strconv.Itoa(*code)}, actions.Output{Name: "verdict", Value: s.verdict(*code)})
	unwritten := actions.WriteOutputs(s.env.Getenv, outputs...)
	if unwritten != nil && slices.ContainsFunc(s.problems, func(p report.Problem) bool { return strings.HasPrefix(p.What, actions.OutputsUnwritten) }) {
		unwritten = nil // the preflight has said so, and nothing was done
	}
	err := errors.Join(problem, unwritten)
	if err == nil {
		return nil
	}
	if *code == ExitAllowed {
		*code = ExitUndecided
	}
	return fmt.Errorf("the step has done its work, with exit code %d; %w", was, err)
}

// verdict is the exit code in a word.
func (s *step) verdict(code int) string {
	switch {
	case code == ExitAllowed && s.signed != nil && s.signed.Skipped != "":
		return "skipped"
	case code == ExitAllowed && s.asked.Verb == "attest":
		return "signed"
	case code == ExitAllowed:
		return "allowed"
	case code == ExitDenied:
		return "denied"
	case code == ExitUndecided:
		return "undecided"
	default:
		return "failed"
	}
}

// bundle is one file with what was signed: where it is in several, in a further one.
func (s *step) bundle() (actions.Output, error) {
	output := actions.Output{Name: "bundle-path"}
	files := s.bundles()
	switch len(files) {
	case 0:
		return output, nil
	case 1:
		output.Value = s.paths.Told(files[0])
		return output, nil
	}
	joined, err := s.paths.Join(s.env.Getenv, files)
	if err != nil {
		return output, err
	}
	output.Value = s.paths.Told(joined)
	return output, nil
}

// bundles are the files with bundles, each once.
func (s *step) bundles() (files []string) {
	if s.signed == nil {
		return nil
	}
	for _, b := range s.signed.Bundles {
		if b.Path != "" && !slices.Contains(files, b.Path) {
			files = append(files, b.Path)
		}
	}
	return files
}

// fileOutputs are the outputs of the other files.
func (s *step) fileOutputs() (outputs []actions.Output) {
	for _, kind := range []fileKind{reportFile, sarifFile, vsaFile} {
		if file := s.files[kind]; file != "" {
			outputs = append(outputs, actions.Output{Name: string(kind), Value: s.paths.Told(file)})
		}
	}
	return outputs
}

// giveBack gives what was written to the owner of the workspace. It is the step's own
// file, and there all the same where that fails.
func (s *step) giveBack() {
	files := slices.Concat(s.bundles(), s.inFolders())
	if s.signed != nil && s.signed.Layout != "" {
		files = append(files, s.signed.Layout)
	}
	for _, kind := range []fileKind{reportFile, vsaFile} {
		if file := s.files[kind]; file != "" {
			files = append(files, file)
		}
	}
	for _, file := range files {
		if err := s.workspace.GiveBack(file); err != nil {
			s.env.say("signatus: giving %s to the owner of the workspace: %s", report.Clean(file), report.Clean(err.Error()))
		}
	}
}
