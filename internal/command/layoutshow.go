package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/report"
)

const layoutShowHelp = `Tell in plain sentences what a layout demands, all of it.

Read it before you trust a layout: what is not told, verify does not demand. As
mermaid it is a flowchart, steps as boxes and MATCH rules as arrows, which
GitHub and others draw in a Markdown file.

A signed layout is shown as it stands. Whether those have signed it who must is for
verify to say, with --layout-key or --layout-identity.

Exit codes: 0 shown, 1 the layout has problems, 2 wrong usage, 3 it could not be read.`

const layoutShowExamples = `  # What does this layout ask for?
  signatus layout show release.yml

  # A picture for the documentation
  signatus layout show release.yml --format mermaid --output release.mmd`

// layoutShowInput is what the caller asks of layout show.
type layoutShowInput struct {
	file string
	out  printFlags
}

// newLayoutShow is the verb.
func newLayoutShow(env Env) *cobra.Command {
	var in layoutShowInput
	cmd := &cobra.Command{
		Use:     "show FILE",
		Short:   "Tell what a layout demands, in plain sentences",
		Long:    layoutShowHelp,
		Example: layoutShowExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			in.file = args[0]
			return layoutShow(env, in)
		},
	}
	in.out.register(cmd, "text", "json", "mermaid")
	return cmd
}

// layoutShow reads the layout and describes it. One that has problems is not shown:
// it demands nothing that verify would ever ask for.
func layoutShow(env Env, in layoutShowInput) error {
	if err := in.out.check(in.file); err != nil {
		return err
	}
	data, err := readLayout(env, in.file)
	if err != nil {
		return undecided("check the path and its permissions", fmt.Errorf("reading layout %s: %w", in.file, err))
	}
	d := describeLayout(env, in.file, data)
	if len(d.problems) > 0 {
		return hasProblems(in.file, d.problems[0].Finding)
	}
	shown := d.shown
	return in.out.write(env, func(w io.Writer, format string, _ report.Options) error {
		switch format {
		case "json":
			return report.Object(w, shown)
		case "mermaid":
			_, err := io.WriteString(w, shown.Mermaid())
			return err
		}
		return report.Prose(w, shown.Sentences())
	})
}
