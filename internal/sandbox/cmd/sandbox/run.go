package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"
)

func runCommand(e env) *cobra.Command {
	var (
		options   startOptions
		dir       string
		noIDToken bool
	)
	command := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a command as the job of a workflow",
		Long: `Starts a sandbox, runs the command with everything exported, and ends.

The exit code is the command's; 125 if the sandbox failed, 126 and 127 if the
command could not be run or found, 128+N if signal N ended it. Signals are
passed on to the command.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, arguments []string) error {
			code, err := run(e, &options, job{dir: dir, idToken: !noIDToken, arguments: arguments})
			if err != nil {
				say(e.stderr, "%v", err)
			}
			if code == 0 {
				return nil
			}
			return exit(code)
		},
	}
	options.add(command.Flags())
	command.Flags().StringVar(&dir, "dir", "", "the folder for the sandbox's files (a temporary one)")
	command.Flags().BoolVar(&noIDToken, "no-id-token", false, "the job lacks the permission id-token: write")
	command.Flags().SetInterspersed(false)
	return command
}

// job is a command to run.
type job struct {
	dir       string // empty for a temporary one
	idToken   bool
	arguments []string
}

// run returns the exit code, and an error that is not the command's.
func run(e env, options *startOptions, j job) (code int, err error) {
	work, err := os.Getwd()
	if err != nil {
		return exitFailed, fmt.Errorf("finding the working folder: %w", err)
	}
	if j.dir == "" {
		if j.dir, err = os.MkdirTemp("", "signatus-sandbox-"); err != nil {
			return exitFailed, fmt.Errorf("making a folder: %w", err)
		}
		defer os.RemoveAll(j.dir) //nolint:errcheck // a leftover folder harms nobody
	}
	s, folder, err := options.start(e, j.dir, work)
	if err != nil {
		return exitFailed, err
	}
	code, err = command(e, j.arguments, folder.Environ(e.environ, j.idToken))
	if end := errors.Join(folder.Retire(), s.Close()); end != nil {
		err = errors.Join(err, end)
		if code == 0 {
			code = exitFailed
		}
	}
	return code, err
}

// command runs the command to its end.
func command(e env, arguments, environ []string) (int, error) {
	process := exec.Command(arguments[0], arguments[1:]...) //nolint:noctx // signals are passed on; the command decides when it ends
	process.Env = environ
	process.Stdin, process.Stdout, process.Stderr = e.stdin, e.stdout, e.stderr
	if err := process.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return exitNotFound, fmt.Errorf("running %s: %w", arguments[0], err)
		}
		return exitCannotRun, fmt.Errorf("running %s: %w", arguments[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	for {
		select {
		case signal := <-e.signals:
			_ = process.Process.Signal(signal) // it may have ended just now
		case err := <-ended:
			var failed *exec.ExitError
			if err != nil && !errors.As(err, &failed) {
				return exitFailed, fmt.Errorf("running %s: %w", arguments[0], err)
			}
			if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				return exitSignal + int(status.Signal()), nil
			}
			return process.ProcessState.ExitCode(), nil
		}
	}
}
