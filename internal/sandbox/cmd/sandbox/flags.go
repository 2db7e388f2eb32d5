package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// claims is the value of --claim, which can be given more than once.
type claims map[string]string

// Set implements pflag.Value.
func (c claims) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("expected NAME=VALUE")
	}
	c[name] = value
	return nil
}

// String is empty: there is no default to show.
func (claims) String() string { return "" }

// Type is what help calls the value.
func (claims) Type() string { return "NAME=VALUE" }

// startOptions are those of serve and run.
type startOptions struct {
	config  sandbox.Config
	verbose bool
}

func (o *startOptions) add(flags *pflag.FlagSet) {
	o.config.Claims = make(map[string]string)
	flags.Var(claims(o.config.Claims), "claim", "a claim of the workflow's tokens (repeatable)")
	flags.StringArrayVar(&o.config.Without, "without", nil, "a claim that the workflow's tokens lack (repeatable)")
	flags.StringVar(&o.config.Base, "base", "", "the `COMMIT` that a pull request or merge group is to be merged onto (the job's own)")
	flags.BoolVar(&o.config.ImmutableSubject, "immutable-subject", false, "sub with numeric ids, repo:OWNER@ID/NAME@ID:…")
	flags.StringVar(&o.config.Email, "email", "", "who logs in (alice@example.com)")
	flags.StringVar(&o.config.Issuer, "issuer", "", "where they log in ("+sandbox.GoogleIssuer+")")
	flags.IntVar(&o.config.RekorVersion, "rekor", 0, "the Rekor that the signing config names: 1 or 2; 0 for both")
	flags.StringVar(&o.config.Stock, "stock", "", "use the stock servers in this `FOLDER`; needs a network namespace")
	flags.BoolVar(&o.verbose, "verbose", false, "say how long the start took, and log why Fulcio refuses")
}

// start starts the sandbox with its folder.
func (o *startOptions) start(e env, dir, work string) (*sandbox.Sandbox, *sandbox.Folder, error) {
	if o.verbose {
		o.config.Log = e.stderr
	}
	s, err := sandbox.Start(o.config)
	if err != nil {
		return nil, nil, err
	}
	folder, err := s.Folder(dir, work)
	if err != nil {
		_ = s.Close()
		return nil, nil, err
	}
	if o.verbose {
		say(e.stderr, "ready after %d ms", time.Since(e.started).Milliseconds())
	}
	return s, folder, nil
}

func say(w io.Writer, format string, arguments ...any) {
	_, _ = fmt.Fprintf(w, "sandbox: "+format+"\n", arguments...)
}

// dirFlag is the folder of a running sandbox.
func dirFlag(e env, command *cobra.Command) *string {
	return command.Flags().String("dir", e.getenv("SIGNATUS_SANDBOX_DIR"), "the running sandbox's folder ($SIGNATUS_SANDBOX_DIR)")
}

// connect finds the sandbox that runs.
func connect(dir string) (*sandbox.Control, error) {
	if dir == "" {
		return nil, fmt.Errorf("no sandbox is named: give --dir, or run this below sandbox run")
	}
	return sandbox.Connect(dir)
}
