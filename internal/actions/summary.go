package actions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// inputSummary is the input that leaves the job's summary out.
const inputSummary = "show-summary"

// ShowsSummary tells whether a step leaves a summary: it does, unless it is told not to.
// That holds for a step whose other inputs are wrong too, which says so there.
func ShowsSummary(getenv func(string) string) bool {
	show, err := inputs{action: newInputs(getenv)}.truth(inputSummary)
	return err != nil || show != "false"
}

// WriteSummary appends to the summary of the job what write writes, all of it or nothing.
// The room is what GitHub takes, in bytes, less what is there already; write gets it.
//
//	"Job summaries are isolated between steps and each step is restricted to a maximum
//	size of 1 MiB. [...] If more than 1 MiB of content is added for a step, then the
//	upload for the step will fail"
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
func WriteSummary(getenv func(string) string, most int, write func(w io.Writer, room int) error) error {
	name := getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return errors.New("writing the job's summary: GITHUB_STEP_SUMMARY is not set; next: let this see the runner's file, or write  show-summary: false")
	}
	info, err := os.Stat(name)
	if err != nil {
		return unwritten(err)
	}
	var text strings.Builder
	room := most
	if info.Mode().IsRegular() && info.Size() > 0 {
		room = max(0, most-int(min(info.Size(), int64(most)))-1)
		text.WriteByte('\n') // what is there may end within a line
	}
	if err := write(&text, room); err != nil {
		return err
	}
	if err := appendWhole(name, text.String()); err != nil {
		return unwritten(err)
	}
	return nil
}

func unwritten(err error) error {
	return fmt.Errorf("writing the job's summary to GITHUB_STEP_SUMMARY: %w; next: let this see the runner's file, and see that there is space left", err)
}
