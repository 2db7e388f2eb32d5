package report

import (
	"fmt"
	"maps"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Level is how urgent a remark is.
type Level string

// The levels, as a runner of GitHub Actions calls them.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Notice  Level = "notice"
)

// Annotation is a remark that a runner shows at a line of a file of the repository, or
// beside none. Its texts are clean; that of Text may have several lines.
type Annotation struct {
	Level        Level
	Title, Text  string
	File         string // relative to the repository's root; empty for none
	Line, Column int    // 0 for none
}

// MaxAnnotations is how many of a level are shown of one step: GitHub drops the others.
//
// Source: https://docs.github.com/en/rest/checks/runs#annotations-object
const MaxAnnotations = 10

// Annotation is the problem's, as a remark beside no file. It says all that is to be said.
func (p Problem) Annotation(level Level) Annotation { return remarkOn(level, p.What, p.Next) }

// Annotations are the summary's in short: each finding once, at its line in the layout,
// and the warnings; the problems have theirs when they come up. Of more than are shown,
// with those that the step has given already, the others are counted in one notice.
func (s JobSummary) Annotations(o Options, given map[Level]int) (all []Annotation) {
	if s.Judged != nil {
		all = append(all, annotate(*s.Judged, o)...)
	}
	if s.Signed != nil {
		if s.Signed.Skipped != "" {
			all = append(all, remarkOn(Notice, "skipped, nothing is signed: this is "+s.Signed.Skipped, afterTheMerge))
		}
		for _, w := range s.Signed.Warnings {
			all = append(all, remarkOn(Warning, w, ""))
		}
	}
	return shown(all, given)
}

func annotate(d Document, o Options) (all []Annotation) {
	for _, r := range remarks(d.Verdicts) {
		a := Annotation{Level: Error, Title: "signatus: " + r.outcome.String(), Text: r.text()}
		if r.outcome == verdict.Undecided {
			a.Level = Warning
		}
		if r.ID != "" {
			a.Title += ", " + Clean(string(r.ID))
		}
		if file, line, column := place(r.Where); line > 0 {
			if name, ok := o.relative(file); ok && showable(name) {
				a.File, a.Line, a.Column = name, line, column
			}
		}
		all = append(all, a)
	}
	for _, w := range d.Warnings {
		all = append(all, remarkOn(Warning, w, ""))
	}
	return all
}

// remarkOn is about no line.
func remarkOn(level Level, what, next string) Annotation {
	a := Annotation{Level: level, Title: "signatus", Text: clean(what, maxProse)}
	if next != "" {
		a.Text += "\nnext: " + clean(next, maxProse)
	}
	return a
}

// shown are those that are shown of one step, and a notice of how many are not.
func shown(all []Annotation, given map[Level]int) (some []Annotation) {
	count := maps.Clone(given)
	if count == nil {
		count = map[Level]int{}
	}
	for _, a := range all {
		if count[a.Level]++; count[a.Level] <= MaxAnnotations {
			some = append(some, a)
		}
	}
	var more []string
	for _, level := range []Level{Error, Warning} {
		switch left := count[level] - MaxAnnotations; {
		case left == 1:
			more = append(more, "1 "+string(level))
		case left > 1:
			more = append(more, fmt.Sprintf("%d %ss", left, level))
		}
	}
	if more == nil {
		return some
	}
	are := "are"
	if len(more) == 1 && strings.HasPrefix(more[0], "1 ") {
		are = "is"
	}
	return append(some, Annotation{Level: Notice, Title: "signatus", Text: strings.Join(more, " and ") + " more " + are + " in the step's log"})
}

// remark is a finding, and the artifacts that have it.
type remark struct {
	verdict.Finding
	outcome   verdict.Outcome
	artifacts []verdict.Verdict
}

// remarks are the findings in order of appearance, each once: a wrong line of a layout
// concerns every artifact alike.
func remarks(verdicts []verdict.Verdict) []*remark {
	type same struct {
		verdict.Finding
		outcome verdict.Outcome
	}
	var all []*remark
	known := map[same]*remark{}
	for _, v := range verdicts {
		for _, f := range sarifFindings(v) {
			key := same{f, v.Outcome()}
			if known[key] == nil {
				known[key] = &remark{Finding: f, outcome: v.Outcome()}
				all = append(all, known[key])
			}
			known[key].artifacts = append(known[key].artifacts, v)
		}
	}
	return all
}

// text tells everything of it, as the text report does.
func (r remark) text() string {
	headline := artifactName(r.artifacts[0].Artifact)
	if n := len(r.artifacts) - 1; n > 0 {
		headline += fmt.Sprintf(" and %d more", n)
	}
	if r.Step != "" {
		headline += ", step " + Clean(r.Step)
	}
	p := &page{}
	lines := p.refusal(r.Finding)
	lines[0] = headline + ": " + lines[0]
	return strings.Join(lines, "\n")
}
