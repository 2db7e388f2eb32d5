package actions

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/signatus-dev/signatus/internal/identity"
)

// SecretInput is an input that holds a password or a token. It becomes no argument of a
// verb, which others could read, but a variable that nobody but the verb sees.
type SecretInput struct {
	Input, Variable string
	// Else are further variables that the verb would look in: they are empty to it where
	// the input is given. Where it is not, all of them are what they are.
	Else []string
	// Alone tells that the variable itself is never looked in, input or not.
	Alone bool
}

// Secrets are all of them.
func Secrets() []SecretInput {
	return []SecretInput{
		{Input: "registry-password", Variable: "SIGNATUS_REGISTRY_PASSWORD", Alone: true},
		{Input: "github-token", Variable: "GITHUB_TOKEN", Else: []string{"GH_TOKEN"}},
	}
}

// WithSecrets gives the variables of a step as its verb sees them.
func WithSecrets(getenv func(string) string) func(string) string {
	return func(name string) string {
		for _, s := range Secrets() {
			value := s.read(getenv)
			switch {
			case name == s.Variable && (s.Alone || value != ""):
				return value
			case value == "":
			default:
				for _, other := range s.Else {
					if name == other {
						return ""
					}
				}
			}
		}
		return getenv(name)
	}
}

func (s SecretInput) read(getenv func(string) string) string {
	return newInputs(getenv).GetInput(s.Input)
}

// MaskSecrets has the runner hide the inputs that are secret in the job's log: where a
// value is no secret of the workflow, the runner does not know by itself. One that no
// request could carry is an error, which does not quote it.
func MaskSecrets(getenv func(string) string, commands io.Writer) error {
	for _, s := range Secrets() {
		value := s.read(getenv)
		if value == "" {
			continue
		}
		if err := (Runner{Getenv: getenv, Commands: commands}).mask(identity.NewToken(value)); err != nil {
			return fmt.Errorf("masking input %s in the job's log: %w", s.Input, err)
		}
	}
	return nil
}

// checkSecrets refuses what is no secret of one line.
func checkSecrets(getenv func(string) string) error {
	for _, s := range Secrets() {
		if strings.ContainsFunc(s.read(getenv), unicode.IsControl) {
			return fmt.Errorf("reading input %s: it has several lines, or holds a control character; next: give the password or token alone", s.Input)
		}
	}
	return nil
}
