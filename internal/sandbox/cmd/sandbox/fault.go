package main

import (
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/spf13/cobra"
)

func faultCommand(e env) *cobra.Command {
	fault := sandbox.Fault{Claims: make(map[string]string)}
	var delay time.Duration
	var modes strings.Builder
	for _, mode := range sandbox.Modes() {
		modes.WriteString("\n  " + mode[0] + strings.Repeat(" ", 16-len(mode[0])) + mode[1])
	}
	command := &cobra.Command{
		Use:   "fault SERVICE MODE | fault clear",
		Short: "Make something wrong with a running sandbox, or all right again",
		Long:  "Services: " + strings.Join(sandbox.Services(), ", ") + "\n\nModes:" + modes.String(),
		Args:  cobra.RangeArgs(1, 2),
	}
	dir := dirFlag(e, command)
	flags := command.Flags()
	flags.IntVar(&fault.Status, "status", 0, "the HTTP status of the mode status (500)")
	flags.IntVar(&fault.RetryAfter, "retry-after", 0, "its Retry-After, in seconds")
	flags.DurationVar(&delay, "delay", 0, "how long the mode slow waits (30s)")
	flags.IntVar(&fault.Times, "times", 0, "how many requests are struck (all, until fault clear)")
	flags.Var(claims(fault.Claims), "claim", "a claim of the other identity (repeatable)")
	command.RunE = func(command *cobra.Command, arguments []string) error {
		control, err := connect(*dir)
		if err != nil {
			return err
		}
		if len(arguments) == 1 {
			if arguments[0] != "clear" {
				return command.Usage()
			}
			return control.ClearFaults(command.Context())
		}
		fault.Service, fault.Mode, fault.Delay = arguments[0], arguments[1], sandbox.Duration(delay)
		return control.SetFault(command.Context(), fault)
	}
	return command
}
