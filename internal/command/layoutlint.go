package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/report"
)

const layoutLintHelp = `Say everything that is wrong with each layout FILE, with its line, column and remedy.

What lint finds, verify refuses: a layout that says less than its author thinks is
never used. docs/findings.md explains each problem by its name.

Exit codes: 0 no problems, 1 problems, 2 wrong usage, 3 a file could not be read.`

const layoutLintExamples = `  # Before a layout is committed, signed or used
  signatus layout lint release.yml

  # All of them, for a program
  signatus layout lint layouts/*.yml --format json

  # As alerts at the layout's lines, for GitHub's code scanning
  signatus layout lint layouts/*.yml --format sarif --output lint.sarif`

// layoutLintInput is what the caller asks of layout lint.
type layoutLintInput struct {
	files []string
	out   printFlags
}

// newLayoutLint is the verb.
func newLayoutLint(env Env) *cobra.Command {
	var in layoutLintInput
	cmd := &cobra.Command{
		Use:     "lint FILE...",
		Short:   "Say everything that is wrong with a layout",
		Long:    layoutLintHelp,
		Example: layoutLintExamples,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			in.files = args
			return layoutLint(env, in)
		},
	}
	in.out.register(cmd, "text", "json", "sarif")
	return cmd
}

// layoutLint reads each file and tells its problems. A file that cannot be read
// keeps no other from being linted.
func layoutLint(env Env, in layoutLintInput) error {
	if err := in.out.check(in.files...); err != nil {
		return err
	}
	var files []report.Lint
	code := ExitAllowed
	for _, name := range in.files {
		f := lintFile(env, name)
		switch {
		case f.Unread != "":
			code = ExitUndecided
		case len(f.Problems) > 0 && code == ExitAllowed:
			code = ExitDenied
		}
		files = append(files, f)
	}
	err := in.out.write(env, func(w io.Writer, format string, o report.Options) error {
		switch format {
		case "json":
			return report.LintJSON(w, files)
		case "sarif":
			return report.LintSARIF(w, files, env.Version, env.Now)
		}
		return report.LintText(w, files, o)
	})
	if err == nil && code != ExitAllowed {
		return &exitError{code: code}
	}
	return err
}

func lintFile(env Env, name string) report.Lint {
	data, err := readLayout(env, name)
	if err != nil {
		return report.Lint{Name: name, Unread: fmt.Sprintf("reading the file: %v", err), Next: "check the path and its permissions"}
	}
	d := describeLayout(env, name, data)
	f := report.Lint{Name: d.where}
	for _, p := range d.problems {
		f.Problems = append(f.Problems, report.LintProblem{Finding: p.Finding, Line: p.Line, Column: p.Column})
	}
	return f
}
