package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/report"
)

// stepHooks are what a step learns of its verb, and gives it. On the command line all of
// them are nil.
type stepHooks struct {
	// signed learns what attest has written, at its end.
	signed func(report.Signed)
	// wrote learns of each other file that a later step may want, once it is written.
	wrote func(kind fileKind, path string)
	// judged learns what verify found, and how to draw the layout; nil for none.
	judged func(report.Document, report.Drawing)
	// problem learns of each error that is explained, and tells whether it has said it.
	problem func(report.Level, report.Problem) (said bool)
	// fold folds long parts of the log away.
	fold report.Folding
	// relative tells where in the workspace a file lies.
	relative func(name string) (string, bool)
	// hide has a secret hidden in the log.
	hide func(identity.Token) error
}

// tell hands what was signed and written so far to the step that the verb runs for.
func (env Env) tell(doc *report.Signed) {
	if env.step.signed != nil {
		env.step.signed(*doc)
	}
}

// tellFile names a file that was written to the step that the verb runs for.
func (env Env) tellFile(kind fileKind, path string) {
	if env.step.wrote != nil {
		env.step.wrote(kind, path)
	}
}

// tellVerdicts hands the verdicts to the step that the verb runs for.
func (env Env) tellVerdicts(doc report.Document, draw report.Drawing) {
	if env.step.judged != nil {
		env.step.judged(doc, draw)
	}
}

// mask has a secret that was read from a file or an input hidden in a job's log, before
// anything can print it.
func (env Env) mask(secret identity.Token) error {
	if env.step.hide == nil {
		return nil
	}
	if err := env.step.hide(secret); err != nil {
		return undecided("", err)
	}
	return nil
}

// hooks have the step learn what its summary and its outputs tell.
func (s *step) hooks(log *actions.Log) stepHooks {
	return stepHooks{
		signed:   func(doc report.Signed) { s.signed = &doc },
		wrote:    func(kind fileKind, path string) { s.files[kind] = path },
		judged:   func(doc report.Document, draw report.Drawing) { s.judged, s.draw = &doc, draw },
		problem:  s.problem,
		fold:     log.Fold,
		relative: s.relative,
		hide:     func(secret identity.Token) error { return actions.Hide(s.env.Getenv, s.env.Stderr, secret) },
	}
}

// relative is where in the workspace a file lies. It is asked for each finding.
func (s *step) relative(name string) (string, bool) {
	if known, ok := s.within[name]; ok {
		return known, known != ""
	}
	within, ok := s.workspace.Relative(name)
	if !ok {
		within = ""
	}
	s.within[name] = within
	return within, ok
}

// keepSARIF writes the verdicts as SARIF for a later step that uploads them, where the
// verb has not. Where there is no verdict there is none: an upload without results would
// tell that all is well.
func (s *step) keepSARIF() {
	if s.judged == nil || s.files[sarifFile] != "" {
		return
	}
	path, err := s.paths.Keep(s.env.Getenv, "signatus.sarif", func(w io.Writer) error {
		return guard(func() error { return report.SARIF(w, *s.judged, report.Options{Relative: s.relative}) })
	})
	if err != nil {
		s.env.explainAs(report.Warning, fmt.Errorf("the verdict stands, and no SARIF was written: %w", err))
		return
	}
	s.files[sarifFile] = path
}

// show leaves the summary of the run, and annotations. Whatever becomes of them, the
// verdict is the one that it was.
func (s *step) show(code int) {
	summary := report.JobSummary{
		Verdict: s.verdict(code), Tool: s.env.Version, Signed: s.signed, Judged: s.judged, Draw: s.draw, Problems: s.problems,
	}
	if actions.ShowsSummary(s.env.Getenv) {
		if err := guard(func() error { return actions.WriteSummary(s.env.Getenv, report.MaxMarkdown, summary.Write) }); err != nil {
			s.env.explainAs(report.Warning, fmt.Errorf("the verdict stands; %w", err))
		}
	}
	err := guard(func() error {
		return s.annotate(summary.Annotations(report.Options{Relative: s.relative}, s.remarks)...)
	})
	if err != nil {
		s.env.explainAs(report.Warning, fmt.Errorf("the verdict stands, and not all annotations were written: %w", err))
	}
}

// problem keeps what went wrong for the summary, and says it in an annotation: the runner
// shows that in the log as a line of its own, "Error: …", with the next step below it.
// One more than GitHub shows of a step is left to be said as text.
func (s *step) problem(level report.Level, p report.Problem) (said bool) {
	s.problems = append(s.problems, p)
	s.remarks[level]++
	return s.remarks[level] <= report.MaxAnnotations && s.annotate(p.Annotation(level)) == nil
}

// annotate writes annotations.
func (s *step) annotate(all ...report.Annotation) error {
	log, ok := s.env.Stderr.(*actions.Log)
	if !ok {
		return errors.New("standard error is no log of a step")
	}
	for _, a := range all {
		if err := log.Annotate(actions.Annotation{Level: string(a.Level), Title: a.Title, Text: a.Text, File: a.File, Line: a.Line, Column: a.Column}); err != nil {
			return err
		}
	}
	return nil
}
