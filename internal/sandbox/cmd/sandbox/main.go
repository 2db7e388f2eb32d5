// Command sandbox runs a whole Sigstore on loopback; see package sandbox.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sigstore/fulcio/pkg/log"
	"github.com/spf13/cobra"
)

func main() {
	// Fulcio's packages log to stdout, which is for data; so configured, they
	// use stderr.
	log.ConfigureLogger("prod")
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	command := newCommand(env{
		environ: os.Environ(), getenv: os.Getenv,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		signals: signals, started: time.Now(),
	})
	command.SetArgs(os.Args[1:])
	verb, err := command.ExecuteContextC(context.Background())
	os.Exit(exitCode(os.Stderr, verb.Name(), err))
}

// env is the outside.
type env struct {
	environ        []string
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	signals        <-chan os.Signal
	started        time.Time
}

// exit is a command's own exit code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// The exit codes of run, beside the command's own; they are those of env(1) and
// of shells. The other verbs end with 1 if they fail.
const (
	exitFailed    = 125 // the sandbox failed, or was asked wrongly
	exitCannotRun = 126 // the command cannot be run
	exitNotFound  = 127 // there is no such command
	exitSignal    = 128 // and the signal's number, if a signal ended the command
)

func exitCode(stderr io.Writer, verb string, err error) int {
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	_, _ = fmt.Fprintln(stderr, "sandbox:", err)
	if verb == "run" {
		return exitFailed
	}
	return 1
}

func newCommand(e env) *cobra.Command {
	root := &cobra.Command{
		Use:           "sandbox",
		Short:         "A whole Sigstore on loopback, for demos and end-to-end tests",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(serveCommand(e), runCommand(e), tokenCommand(e), loginCommand(e), faultCommand(e), checkCommand(e))
	return root
}
