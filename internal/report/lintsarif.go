package report

import (
	"fmt"
	"io"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// LintSARIF writes the same as a SARIF 2.1.0 log: each problem is an error at its
// line, and a file that could not be read is a notification. tool is the program's
// version, at when it was linted.
func LintSARIF(w io.Writer, files []Lint, tool string, at time.Time) error {
	d := Document{Tool: tool, Judged: at}
	return writeSARIF(w, func(most int) sarifRun { return lintRun(files, d, most) })
}

// lintRun makes a run of at most so many results.
func lintRun(files []Lint, d Document, most int) sarifRun {
	run := newSARIFRun(d.Tool, Options{})
	i := sarifInvocation{Successful: true, End: instant(d.Judged)}
	problems, left := 0, 0
	for _, f := range files {
		a := artifact.Artifact{Given: f.Name, Name: f.Name}
		if f.Unread != "" {
			i.Successful = false
			i.Notifications = append(i.Notifications, sarifNotification{"error", sarifMessage{sarifText(f.Name + ": not read: " + f.Unread)}})
		}
		for _, p := range f.Problems {
			if problems++; len(run.Results) == most {
				left++
				continue
			}
			p.Where = f.Name
			if p.Line > 0 {
				p.Where = fmt.Sprintf("%s:%d:%d", f.Name, p.Line, p.Column)
			}
			run.Results = append(run.Results, run.result(d, verdict.Verdict{Artifact: a}.Deny(p.Finding), p.Finding))
		}
		run.Artifacts = append(run.Artifacts, sarifArtifact{
			Location: run.fileURI(f.Name), Description: sarifMessage{fmt.Sprintf("%d problems", len(f.Problems))},
			Properties: sarifArtifactFacts{Outcome: lintOutcome(f)},
		})
	}
	if left > 0 {
		i.Notifications = append(i.Notifications, sarifNotification{"warning", sarifMessage{fmt.Sprintf("%d problems more are left out here; --format json has them all", left)}})
	}
	switch {
	case !i.Successful:
		i.ExitCode = 3
	case problems > 0:
		i.ExitCode = 1
	}
	run.Invocations = []sarifInvocation{i}
	run.Properties.Outcome = map[int]string{0: "clean", 1: "problems", 3: "unread"}[i.ExitCode]
	return run
}

func lintOutcome(f Lint) string {
	switch {
	case f.Unread != "":
		return "unread"
	case len(f.Problems) > 0:
		return "problems"
	}
	return "clean"
}
