package command

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/trust"
)

// newVersion prints what this build is and which roots it carries.
func newVersion(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and the dates of the embedded trusted roots",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return printVersion(cmd.Context(), env) },
	}
}

func printVersion(ctx context.Context, env Env) error {
	roots, _, err := trust.Load(ctx, trust.Options{Offline: true})
	if err != nil {
		return undecided("reinstall signatus: this build is damaged", err)
	}
	_, err = fmt.Fprintf(env.Stdout, "signatus %s (%s, %s/%s)\n", env.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, r := range roots {
		if err == nil {
			_, err = fmt.Fprintf(env.Stdout, "trusted root %-9s %s\n", r.Name, r.Source)
		}
	}
	return err
}
