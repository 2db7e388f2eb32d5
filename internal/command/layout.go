package command

import (
	"errors"

	"github.com/spf13/cobra"
)

const layoutHelp = `Write, check, sign and read layouts: who must have signed what.

docs/layout.md has the format, layouts/ the ones to start from.`

// newLayout is the verb whose verbs are about layouts.
func newLayout(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "layout",
		Short: "Write, check, sign and read layouts",
		Long:  layoutHelp,
		Args:  knownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(env.Stderr)
			return errors.Join(&exitError{code: ExitUsage}, cmd.Help())
		},
	}
	cmd.AddCommand(newLayoutNew(env), newLayoutLint(env), newLayoutSign(env), newLayoutShow(env))
	return cmd
}
