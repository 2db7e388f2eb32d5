// Package command is the command line: one file per verb, each reading as its
// flow. It decides nothing itself and reaches the outside only through Env.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/report"
)

// Env is the outside, as a verb may use it.
type Env struct {
	Args   []string // without the program's name
	Getenv func(string) string
	// Environ lists all variables, NAME=VALUE: a step has inputs there that nobody asks
	// for by name.
	Environ []string
	Stdin   io.Reader
	Stdout  io.Writer // data
	Stderr  io.Writer // everything else
	// FS opens the caller's paths as they were typed, absolute or relative to the
	// working directory; it is not rooted as other fs.FS are.
	FS fs.FS
	// Now is read once at the start; every judgement uses that instant.
	Now time.Time
	// HTTP carries every request.
	HTTP *http.Client
	// CacheDir is where trusted roots are remembered; empty for nowhere.
	CacheDir string
	// StdoutIsTerminal and StderrIsTerminal allow colour and progress bars.
	StdoutIsTerminal, StderrIsTerminal bool
	// Version is this build's version, for example v1.0.0.
	Version string

	// required tells that a step must sign in every run. (preflight)
	required bool
	step     stepHooks // of the step that the verb runs for
}

// The exit codes, as every verb uses them.
const (
	ExitAllowed   = 0 // allowed, or done
	ExitDenied    = 1 // denied; also: no candidate found, content that is readable but wrong
	ExitUsage     = 2 // the command line is wrong
	ExitUndecided = 3 // could not decide: something could not be read, fetched or understood
)

// exitError carries an exit code. Its error is what stderr says; nil where the
// report has said everything.
type exitError struct {
	code int
	err  error
	next string
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is an error about the command line.
func usage(next, format string, args ...any) error {
	return &exitError{code: ExitUsage, err: fmt.Errorf(format, args...), next: next}
}

// undecided is an error about something that could not be read, fetched or
// understood.
func undecided(next string, err error) error {
	return &exitError{code: ExitUndecided, err: err, next: next}
}

// ExitCode gives the exit code for what Run returned. An error that nobody
// classified is "could not decide", never success.
func ExitCode(err error) int {
	if err == nil {
		return ExitAllowed
	}
	if e, ok := errors.AsType[*exitError](err); ok && e.code != ExitAllowed {
		return e.code
	}
	return ExitUndecided
}

// Run runs the verb that env.Args name. What went wrong has been said on stderr
// when it returns. A panic is an error, so it is never success.
func Run(ctx context.Context, env Env) error {
	err := guard(func() error {
		root := newRoot(env)
		root.SetArgs(env.Args)
		return root.ExecuteContext(ctx)
	})
	env.explain(err)
	return err
}

// guard makes a panic an error. Each goroutine needs its own: a panic in one that
// has none ends the process with exit code 2, which would read as wrong usage.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return do()
}

// panicError is a mistake of this program.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("internal error: %v", e.value) }

// explain says on stderr what went wrong and what to do next. An error that ends
// in a next step of its own knows better than whoever passed it on.
func (env Env) explain(err error) { env.explainAs(report.Error, err) }

// explainAs says it as loudly as it is bad. A step says it in an annotation, which the
// runner shows in the log too; otherwise it stands there twice.
func (env Env) explainAs(level report.Level, err error) {
	if all, ok := err.(*several); ok { //nolint:errorlint // one that is wrapped is explained by who wrapped it
		for _, one := range all.errs {
			env.explainAs(level, one)
		}
		return
	}
	e, ok := errors.AsType[*exitError](err)
	if err == nil || ok && e.err == nil {
		return
	}
	what, next, found := strings.Cut(err.Error(), "; next: ")
	if !found && ok {
		next = e.next
	}
	if env.step.problem == nil || !env.step.problem(level, report.Problem{What: what, Next: next}) {
		env.say("signatus: %s", report.Clean(what))
		if next != "" {
			env.say("  next: %s", report.Clean(next))
		}
	}
	if bug, ok := errors.AsType[*panicError](err); ok {
		env.say("  next: report this, with the lines below")
		for line := range strings.Lines(string(bug.stack)) {
			env.say("    %s", report.Clean(strings.TrimSuffix(line, "\n")))
		}
	}
}

// say writes one message to stderr. There is nobody to tell if that fails.
func (env Env) say(format string, args ...any) {
	_, _ = fmt.Fprintf(env.Stderr, format+"\n", args...)
}

// waiting says on stderr what is asked for again after a while.
func (env Env) waiting(why error, wait time.Duration) {
	what, _, _ := strings.Cut(why.Error(), "; next: ")
	env.say("signatus: %s; asking again in %s", report.Clean(what), wait.Round(100*time.Millisecond))
}

// newRoot builds the command tree.
func newRoot(env Env) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "signatus",
		Short: "Say who must have signed what, and hold releases to it",
		Long: `signatus signs build outputs and commits, and verifies them against an in-toto
layout that names who must have signed what: the author's word on a commit, and the
builder's provenance of the binary made from that very commit.

Exit codes: 0 allowed or signed, 1 denied or refused, 2 wrong usage, 3 could not
decide or could not be done now.`,
		Args:          knownVerb,
		SilenceErrors: true,
		SilenceUsage:  true,
		// Nothing was verified, and that is never success: $VERB may be unset.
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return printVersion(cmd.Context(), env)
			}
			cmd.SetOut(env.Stderr)
			return errors.Join(&exitError{code: ExitUsage}, cmd.Help())
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseValues(cmd.Flags()) },
	}
	root.Flags().BoolVar(&version, "version", false, "print what the verb version prints")
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(wrongFlag)
	root.AddCommand(newAttest(env), newVerify(env), newLayout(env), newAction(env), newConformance(env), newVersion(env))
	// cobra would add these too late for usageErrors.
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	helpOf(root)
	usageErrors(root)
	onceEach(root)
	return root
}

// knownVerb refuses a verb that there is not, and names what is close to it.
func knownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	next := "see " + cmd.CommandPath() + " --help"
	cmd.SuggestionsMinimumDistance = 2 // as far apart as a slip of the finger
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		next = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage(next, "there is no verb %q", args[0])
}

// usageErrors makes cobra's own complaints about arguments usage errors.
func usageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if _, said := errors.AsType[*exitError](err); said {
				return err
			}
			if err != nil {
				return usage("write  "+cmd.UseLine(), "%s", miscounted(args))
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		usageErrors(child)
	}
}

// miscounted says what is wrong with how many arguments there are.
func miscounted(args []string) string {
	if len(args) == 0 {
		return "an argument is missing"
	}
	return fmt.Sprintf("there is an argument too many: %q", args[len(args)-1])
}

// helpOf has help refuse a verb that there is not.
func helpOf(root *cobra.Command) {
	for _, help := range root.Commands() {
		if help.Name() == "help" {
			help.Args = func(_ *cobra.Command, args []string) error {
				verb, rest, err := root.Find(args)
				if err != nil || !verb.HasSubCommands() {
					return err
				}
				return knownVerb(verb, rest)
			}
		}
	}
}
