package actions

import (
	"fmt"
	"io"

	"github.com/sethvargo/go-githubactions"

	"github.com/signatus-dev/signatus/internal/identity"
)

// Secret reads an input that holds a password or a token; empty where it is not given.
// It becomes no argument of a verb, which others could read.
func Secret(getenv func(string) string, input string) string {
	return githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(io.Discard)).GetInput(input)
}

// Mask has the runner hide a secret in the job's log; none is hidden for none. Where the
// value is no secret of the workflow, the runner does not know by itself.
func Mask(getenv func(string) string, commands io.Writer, secret string) error {
	if secret == "" {
		return nil
	}
	if err := (Runner{Getenv: getenv, Commands: commands}).mask(identity.NewToken(secret)); err != nil {
		return fmt.Errorf("masking a secret in the job's log: %w", err)
	}
	return nil
}
