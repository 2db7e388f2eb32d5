package command

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/report"
)

// reportFlags choose how and where a verdict is written.
type reportFlags struct {
	formats []string // that there are
	format  string
	output  string
	verbose bool
}

func (f *reportFlags) register(flags *pflag.FlagSet) { f.registerFormats(flags, "text", "json") }

// registerVerdict is for verbs that give a verdict.
func (f *reportFlags) registerVerdict(flags *pflag.FlagSet) {
	f.registerFormats(flags, "text", "json", "sarif", "markdown")
}

func (f *reportFlags) registerFormats(flags *pflag.FlagSet, formats ...string) {
	f.formats = formats
	flags.StringVar(&f.format, "format", "text", "report as `"+strings.Join(formats, "|")+"`")
	flags.StringVar(&f.output, "output", "", "write the report to `FILE` in place of standard output")
	flags.BoolVar(&f.verbose, "verbose", false, "list every candidate, every proven time and every digest")
}

// check refuses an unknown format, and an output that is one of the inputs: the
// report would replace what it is about.
func (f *reportFlags) check(inputs ...string) error {
	for _, input := range inputs {
		if f.output != "" && filepath.Clean(input) == filepath.Clean(f.output) {
			return usage("choose another place for the report", "--output %s would overwrite an input", f.output)
		}
	}
	if slices.Contains(f.formats, f.format) {
		return nil
	}
	last := len(f.formats) - 1
	return usage("use --format "+strings.Join(f.formats[:last], ", ")+" or "+f.formats[last], "unknown report format %q", f.format)
}

// write reports and returns the exit code that belongs to the outcome. A report
// that cannot be written is "could not decide": nobody has read it.
func (f *reportFlags) write(env Env, doc report.Document) error {
	options := f.options(env)
	render := func(w io.Writer) error {
		switch f.format {
		case "json":
			return report.JSON(w, doc)
		case "sarif":
			return report.SARIF(w, doc, options)
		case "markdown":
			return report.Markdown(w, doc, options)
		default:
			return report.Text(w, doc, options)
		}
	}
	if f.output == "" {
		if err := f.print(env, render); err != nil {
			return undecided("free some space, or choose a place with --output FILE", err)
		}
	} else if err := report.WriteFile(f.output, render); err != nil {
		return undecided("", err) // which names the next step
	}
	f.tell(env)
	if code := doc.ExitCode(); code != ExitAllowed {
		return &exitError{code: code}
	}
	return nil
}

// signed reports what was signed.
func (f *reportFlags) signed(env Env, doc report.Signed) error {
	render := func(w io.Writer) error {
		if f.format == "json" {
			return report.SignedJSON(w, doc)
		}
		return report.SignedText(w, doc, f.options(env))
	}
	if f.output == "" {
		if err := f.print(env, render); err != nil {
			return undecided("free some space, or choose a place with --output FILE; the bundles were written", err)
		}
		return nil
	}
	if err := report.WriteFile(f.output, render); err != nil {
		return undecided("", fmt.Errorf("the bundles were written; %w", err))
	}
	f.tell(env)
	return nil
}

// options are how a report looks where it goes.
func (f *reportFlags) options(env Env) report.Options {
	options := report.Options{Verbose: f.verbose, Relative: env.step.relative}
	if f.output == "" {
		options.Color, options.Fold = env.color(), env.step.fold
	}
	return options
}

// print writes the report to standard output. What is for programs is folded away where
// people read that.
func (f *reportFlags) print(env Env, render func(io.Writer) error) error {
	if env.step.fold == nil || f.format == "text" {
		return render(env.Stdout)
	}
	return env.step.fold("the report, as "+f.format, func() error { return render(env.Stdout) })
}

// tell says that the report is in its file.
func (f *reportFlags) tell(env Env) {
	if f.output == "" {
		return
	}
	env.tellFile(reportFile, f.output)
	if f.format == "sarif" {
		env.tellFile(sarifFile, f.output)
	}
}

// color reports whether standard output shows colours, and may.
// Source: https://no-color.org
func (env Env) color() bool {
	return env.StdoutIsTerminal && env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb"
}
