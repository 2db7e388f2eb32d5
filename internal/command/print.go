package command

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/report"
)

// printFlags choose how and where something is written that is no verdict.
type printFlags struct {
	formats []string // the first is the one that nobody has to ask for
	format  string
	output  string
}

func (f *printFlags) register(cmd *cobra.Command, formats ...string) {
	f.formats = formats
	cmd.Flags().StringVar(&f.format, "format", formats[0], "write `"+strings.Join(formats, "|")+"`")
	cmd.Flags().StringVar(&f.output, "output", "", "write to `FILE` in place of standard output")
	choices(cmd, "format", formats...)
}

// check refuses an unknown format, and an output that is one of the inputs.
func (f *printFlags) check(inputs ...string) error {
	for _, input := range inputs {
		if f.output != "" && filepath.Clean(input) == filepath.Clean(f.output) {
			return usage("choose another place for it", "--output %s would overwrite an input", f.output)
		}
	}
	if !slices.Contains(f.formats, f.format) {
		return usage("use --format "+strings.Join(f.formats, " or "), "unknown format %q", f.format)
	}
	return nil
}

// write has something written to standard output, or to the file as a whole.
func (f *printFlags) write(env Env, render func(io.Writer, string, report.Options) error) error {
	if f.output == "" {
		err := render(env.Stdout, f.format, report.Options{Color: env.color()})
		if err != nil {
			return undecided("free some space, or choose a place with --output FILE", err)
		}
		return nil
	}
	err := report.WriteFile(f.output, func(w io.Writer) error { return render(w, f.format, report.Options{}) })
	if err != nil {
		return undecided("", err) // which names the next step
	}
	return nil
}
