package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/report"
)

const actionHelp = `Run attest or verify as a step of GitHub Actions.

The verb is in the input command, its arguments are in the input paths, and each of
its flags is an input of the same name: see action.yml and docs/action.md. Nobody
but a runner has inputs to give, so that elsewhere the verb is called directly.

Exit codes: those of the verb.`

// newAction is the verb that action.yml calls.
func newAction(env Env) *cobra.Command {
	return &cobra.Command{
		Use:    "action",
		Short:  "Run attest or verify as a step of GitHub Actions",
		Long:   actionHelp,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return action(cmd.Context(), env)
		},
	}
}

// action reads the inputs, runs the verb that they ask for as the command line
// would, and leaves outputs to later steps. The exit code is the verb's.
func action(ctx context.Context, env Env) error {
	if env.Getenv("GITHUB_ACTIONS") != "true" {
		return usage("call signatus attest or signatus verify", "this is not a step of GitHub Actions, and action takes its arguments from the inputs of one")
	}
	s := newStep(env)
	err := s.read(env)
	if err != nil {
		s.env.explain(err)
	} else {
		err = Run(ctx, s.env)
	}
	code := ExitCode(err)
	if err := s.leave(&code); err != nil {
		s.env.explain(undecided("", err))
	}
	if code != ExitAllowed {
		return &exitError{code: code} // everything has been said, in the step's log
	}
	return nil
}

// step is one run of a verb for a step.
type step struct {
	env       Env // the verb's own
	asked     actions.Step
	workspace actions.Workspace
	signed    report.Signed
}

// newStep gives the verb an outside where what it prints is text to the runner. No
// terminal is there, and nobody to log in.
func newStep(env Env) *step {
	s := &step{env: env}
	s.env.Stdout, s.env.Stderr = actions.NewLog(env.Stdout), actions.NewLog(env.Stderr)
	s.env.StdoutIsTerminal, s.env.StderrIsTerminal = false, false
	s.env.signed = func(doc report.Signed) { s.signed = doc }
	s.env.Getenv = func(name string) string {
		if name == registryPassword { // in a step, an input and no variable
			return actions.Secret(env.Getenv, inputRegistryPassword)
		}
		return env.Getenv(name)
	}
	return s
}

// inputRegistryPassword is the one input that becomes no flag: other users of the
// machine see a command line.
const inputRegistryPassword = "registry-password"

// read makes the verb's arguments of the inputs.
func (s *step) read(env Env) (err error) {
	if s.asked, err = actions.ReadInputs(env.Getenv, verbsOfSteps(env)); err != nil {
		return usage("", "%w", err)
	}
	if s.workspace, err = actions.FindWorkspace(env.Getenv); err != nil {
		return undecided("", err)
	}
	if s.asked.Folder != "" {
		if err := s.workspace.Enter(s.asked.Folder); err != nil {
			return usage("", "%w", err)
		}
	}
	if err := actions.Mask(env.Getenv, s.env.Stderr, actions.Secret(env.Getenv, inputRegistryPassword)); err != nil {
		return undecided("", err)
	}
	s.env.Args = append([]string{s.asked.Verb}, s.asked.Arguments...)
	return nil
}

// verbsOfSteps are the verbs that a step can ask for, each with all of its flags.
func verbsOfSteps(env Env) (verbs []actions.Verb) {
	for _, cmd := range []*cobra.Command{newAttest(env), newVerify(env)} {
		verb := actions.Verb{Name: cmd.Name(), Flags: map[string]actions.Takes{}}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { verb.Flags[f.Name] = takes(f) })
		verbs = append(verbs, verb)
	}
	return verbs
}

// takes tells what a flag takes, as its help does.
func takes(f *pflag.Flag) actions.Takes {
	placeholder, _ := pflag.UnquoteUsage(f)
	if _, list := f.Value.(pflag.SliceValue); list {
		return actions.Values
	}
	switch {
	case f.Value.Type() == "bool":
		return actions.Switch
	case placeholder == "JSON":
		return actions.Text
	default:
		return actions.Value
	}
}

// tell hands what was signed and written so far to the step that the verb runs for.
func (env Env) tell(doc *report.Signed) {
	if env.signed != nil {
		env.signed(*doc)
	}
}

// leave gives the files that were written to the runner, and writes the outputs.
func (s *step) leave(code *int) error {
	for _, file := range s.written() {
		if err := s.workspace.GiveBack(file); err != nil {
			s.env.say("signatus: giving %s to the owner of the workspace: %s", report.Clean(file), report.Clean(err.Error()))
		}
	}
	bundles := actions.Output{Name: "bundle-paths"}
	for _, file := range s.bundles() {
		bundles.Lines = append(bundles.Lines, s.workspace.Relative(file))
	}
	was, unfit := *code, bundles.Check()
	outputs := []actions.Output{bundles}
	if unfit != nil || len(bundles.Lines) == 0 {
		outputs = nil // the other two are there all the same
	}
	if unfit != nil && *code == ExitAllowed {
		*code = ExitUndecided // later steps would not learn of it
	}
	outputs = append(outputs, actions.Output{Name: "exit-code", Lines: []string{strconv.Itoa(*code)}}, actions.Output{Name: "outcome", Lines: []string{s.outcome(*code)}})
	err := errors.Join(unfit, actions.WriteOutputs(s.env.Getenv, outputs...))
	if err == nil {
		return nil
	}
	if *code == ExitAllowed {
		*code = ExitUndecided
	}
	return fmt.Errorf("the step has done its work, with exit code %d; %w", was, err)
}

// outcome is the exit code in a word.
func (s *step) outcome(code int) string {
	switch {
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

// bundles are the files with bundles, each once.
func (s *step) bundles() (files []string) {
	for _, b := range s.signed.Bundles {
		if b.Path != "" && !slices.Contains(files, b.Path) {
			files = append(files, b.Path)
		}
	}
	return files
}

// written are the files that the verb may have made.
func (s *step) written() []string {
	files := s.bundles()
	if s.signed.Layout != "" {
		files = append(files, s.signed.Layout)
	}
	for _, argument := range s.asked.Arguments {
		if argument == "--" {
			break // a path may be called like a flag
		}
		if file, ok := strings.CutPrefix(argument, "--output="); ok {
			files = append(files, file)
		}
		if file, ok := strings.CutPrefix(argument, "--vsa="); ok {
			files = append(files, file)
		}
	}
	return files
}
