package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

func serveCommand(e env) *cobra.Command {
	var (
		options  startOptions
		dir      string
		duration time.Duration
	)
	command := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "Run until a signal, or for a while",
		Long: `Runs a sandbox until SIGINT, SIGTERM or SIGHUP, or until --for is over.

DIR gets trusted_root.json, signing_config.json, sandbox.json (the addresses),
env (makes a shell the job of the workflow) and env.person (makes a shell
somebody's at a desk). env is written last, and both are removed at the end.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return serve(e, &options, dir, duration)
		},
	}
	options.add(command.Flags())
	command.Flags().StringVar(&dir, "dir", "", "the folder for the sandbox's files")
	command.Flags().DurationVar(&duration, "for", time.Hour, "end after this time")
	_ = command.MarkFlagRequired("dir") // fails only for a flag that is not there
	return command
}

func serve(e env, options *startOptions, dir string, duration time.Duration) error {
	work, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("finding the working folder: %w", err)
	}
	s, folder, err := options.start(e, dir, work)
	if err != nil {
		return err
	}
	path := filepath.Join(folder.Dir(), "env")
	_, err = fmt.Fprintf(e.stdout, "# A job of the workflow:  . %s\n# Somebody at a desk:     . %s.person\n%s",
		path, path, folder.JobScript())
	if err == nil {
		timer := time.NewTimer(duration)
		defer timer.Stop()
		select {
		case signal := <-e.signals:
			say(e.stderr, "%s: ends", signal)
		case <-timer.C:
			say(e.stderr, "%s are over: ends", duration)
		}
	}
	return errors.Join(err, folder.Retire(), s.Close())
}
