package actions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// outputDelimiter stands around each value in the file of outputs. In
// go-githubactions it is fixed, so that a value which holds it could write other
// outputs than its own.
const outputDelimiter = "_GitHubActionsFileCommandDelimeter_"

// Output is what a later step reads as steps.ID.outputs.NAME. Its value is the
// lines, with a line feed between two.
type Output struct {
	Name  string
	Lines []string
}

// WriteOutputs writes the outputs of a step, all of them or, where one is not fit
// for it, none: a name or a line with a line break or the file's delimiter.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter
func WriteOutputs(getenv func(string) string, outputs ...Output) (err error) {
	for _, o := range outputs {
		if err := o.Check(); err != nil {
			return err
		}
	}
	// SetOutput panics where it cannot write.
	file, err := os.OpenFile(getenv("GITHUB_OUTPUT"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("writing outputs to GITHUB_OUTPUT: %w; next: let this see the runner's file of outputs", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing outputs to GITHUB_OUTPUT: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("writing outputs to GITHUB_OUTPUT: %v; next: free some space on the runner", p)
		}
	}()
	action := githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(io.Discard))
	for _, o := range outputs {
		action.SetOutput(o.Name, strings.Join(o.Lines, "\n"))
	}
	return nil
}

// Check refuses what would read as another output, or as more lines than there are.
func (o Output) Check() error {
	if o.Name == "" || strings.ContainsAny(o.Name, "\r\n=<") || strings.Contains(o.Name, outputDelimiter) {
		return errors.New("writing outputs: an output has no name, or one that would not be read as it is")
	}
	for _, line := range o.Lines {
		if strings.ContainsAny(line, "\r\n") || strings.Contains(line, outputDelimiter) {
			return fmt.Errorf("writing output %s: %.200q holds a line break or the runner's own delimiter, and would be read as something else; next: rename it", o.Name, line)
		}
	}
	return nil
}
