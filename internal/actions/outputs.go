package actions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// outputDelimiter stands around each value in the file of outputs. It is that of
// go-githubactions, and fixed, so that a value which holds it could write other outputs
// than its own.
const outputDelimiter = "_GitHubActionsFileCommandDelimeter_"

// OutputsUnwritten is what an error begins with that says so.
const OutputsUnwritten = "writing outputs to GITHUB_OUTPUT: "

// Output is what a later step reads as steps.ID.outputs.NAME.
type Output struct {
	Name, Value string
}

// WriteOutputs writes the outputs of a step, all of them or none: none where one is not
// fit for it, and none where the file does not take them whole. go-githubactions writes
// them one by one, and panics where it cannot.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter
func WriteOutputs(getenv func(string) string, outputs ...Output) error {
	var text strings.Builder
	for _, o := range outputs {
		if err := o.Check(); err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s<<%s\n%s\n%s\n", o.Name, outputDelimiter, o.Value, outputDelimiter)
	}
	if err := appendWhole(getenv("GITHUB_OUTPUT"), text.String()); err != nil {
		return fmt.Errorf(OutputsUnwritten+"%w; next: let this see the runner's file of outputs, and see that there is space left", err)
	}
	return nil
}

// Check refuses what would read as another output, or as more lines than there are.
func (o Output) Check() error {
	if o.Name == "" || strings.ContainsAny(o.Name, "\r\n=<") || strings.Contains(o.Name, outputDelimiter) {
		return errors.New("writing outputs: an output has no name, or one that would not be read as it is")
	}
	if strings.ContainsAny(o.Value, "\r\n") || strings.Contains(o.Value, outputDelimiter) {
		return fmt.Errorf("writing output %s: %.200q holds a line break or the runner's own delimiter, and would be read as something else; next: rename it", o.Name, o.Value)
	}
	return nil
}

// appendWhole appends to a file that is there, all of the text or nothing.
func appendWhole(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if _, err = io.WriteString(file, text); err != nil && info.Mode().IsRegular() {
		err = errors.Join(err, file.Truncate(info.Size()))
	}
	return errors.Join(err, file.Close())
}
