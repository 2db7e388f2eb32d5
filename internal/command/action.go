package command

import (
	"context"
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

// newAction is the verb that action.yml calls. That it is called is what makes a run a
// step; no variable does, and inputs change no other verb.
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
	s.show(code)
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
	paths     actions.Paths
	files     map[fileKind]string
	within    map[string]string // where in the workspace files lie; empty for not there

	signed   *report.Signed   // by attest; nil where it came to nothing
	judged   *report.Document // by verify; nil where it came to no verdict
	draw     report.Drawing
	problems []report.Problem
	remarks  map[report.Level]int // that stand in the log already
}

// newStep gives the verb an outside where what it prints is text to the runner, and its
// secrets come from inputs. No terminal is there, and nobody to log in.
func newStep(env Env) *step {
	s := &step{env: env, paths: actions.FindPaths(env.Getenv), files: map[fileKind]string{}, remarks: map[report.Level]int{}, within: map[string]string{}}
	log := actions.NewLog(env.Stdout)
	s.env.Stdout, s.env.Stderr = log, actions.NewLog(env.Stderr)
	s.env.StdoutIsTerminal, s.env.StderrIsTerminal = false, false
	s.env.step = s.hooks(log)
	s.env.Getenv = actions.WithSecrets(env.Getenv)
	return s
}

// read makes the verb's arguments of the inputs.
func (s *step) read(env Env) (err error) {
	if err := actions.MaskSecrets(env.Getenv, s.env.Stderr); err != nil {
		return undecided("", err)
	}
	reading := actions.Reading{Getenv: env.Getenv, Environ: env.Environ, Verbs: verbsOfSteps(env), Paths: s.paths}
	if s.asked, err = reading.Read(); err != nil {
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
	if err := s.paths.Check(s.asked); err != nil {
		return usage("", "%w", err)
	}
	s.env.required = s.asked.Required
	s.env.Args = append([]string{s.asked.Verb}, s.asked.Arguments...)
	return nil
}

// verbsOfSteps are the verbs that a step can ask for, each with all of its flags.
func verbsOfSteps(env Env) (verbs []actions.Verb) {
	for _, cmd := range []*cobra.Command{newAttest(env), newVerify(env)} {
		verb := actions.Verb{Name: cmd.Name(), Flags: map[string]actions.Flag{}}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { verb.Flags[f.Name] = actions.Flag{Takes: takes(f), Form: form(f)} })
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

// form tells whether a flag takes paths, as its help does. A new flag that takes one says
// so by one of these words, which a test holds it to.
func form(f *pflag.Flag) actions.Form {
	placeholder, _ := pflag.UnquoteUsage(f)
	switch placeholder {
	case "FILE", "DIR", "PATH", "FOLDER":
		return actions.Path
	case "JSON", "TOKEN", "REMOTE":
		return actions.MaybePath
	}
	for _, word := range []string{"=]FILE", "=FILE", "=FOLDER", "=DIR", "=PATH"} {
		if strings.Contains(placeholder, word) {
			return actions.AfterName
		}
	}
	return actions.NoPath
}
