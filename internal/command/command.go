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
	"time"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/report"
)

// Env is the outside, as a verb may use it.
type Env struct {
	Args   []string // without the program's name
	Getenv func(string) string
	Stdin  io.Reader
	Stdout io.Writer // data
	Stderr io.Writer // everything else
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
func Run(ctx context.Context, env Env) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = undecided("please report this; the text below tells where it happened",
				fmt.Errorf("internal error: %v\n%s", p, debug.Stack()))
		}
		env.explain(err)
	}()
	root := newRoot(env)
	root.SetArgs(env.Args)
	return root.ExecuteContext(ctx)
}

// explain says on stderr what went wrong and what to do next.
func (env Env) explain(err error) {
	e, ok := errors.AsType[*exitError](err)
	switch {
	case err == nil || ok && e.err == nil:
	case ok && e.next != "":
		env.say("signatus: %s\n  next: %s", report.Clean(err.Error()), report.Clean(e.next))
	default:
		env.say("signatus: %s", report.Clean(err.Error()))
	}
}

// say writes one message to stderr. There is nobody to tell if that fails.
func (env Env) say(format string, args ...any) {
	_, _ = fmt.Fprintf(env.Stderr, format+"\n", args...)
}

// newRoot builds the command tree.
func newRoot(env Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "signatus",
		Short: "Say who must have signed what, and hold releases to it",
		Long: `signatus verifies build outputs against an in-toto layout that names who must
have signed what: the author's word on a commit, and the builder's provenance of
the binary made from that very commit.

Exit codes: 0 allowed, 1 denied, 2 wrong usage, 3 could not decide.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("see "+cmd.CommandPath()+" --help", "%w", err)
	})
	root.AddCommand(newVerify(env), newConformance(env), newVersion(env))
	for _, cmd := range root.Commands() {
		usageErrors(cmd)
	}
	usageErrors(root)
	return root
}

// usageErrors makes cobra's own complaints about arguments usage errors.
func usageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage("see "+cmd.CommandPath()+" --help", "%w", err)
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		usageErrors(child)
	}
}
