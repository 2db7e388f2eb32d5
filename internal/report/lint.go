package report

import (
	"fmt"
	"io"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// LintSchema identifies the JSON report of layouts that were linted.
const LintSchema = "https://signatus.dev/schemas/lint/v1"

// Lint is what was found in one layout file.
type Lint struct {
	Name     string
	Problems []LintProblem // in the order of the file
	// Unread says why the file could not be read, and what to do next; empty where
	// it was.
	Unread, Next string
}

// LintProblem is one problem and its place; both numbers are 0 for the whole file.
type LintProblem struct {
	verdict.Finding
	Line, Column int
}

// LintText writes each problem as FILE:LINE:COLUMN: ID: what was found, with what
// was expected and the remedy below it, and one line for each file.
func LintText(w io.Writer, files []Lint, o Options) error {
	p := &page{color: o.Color}
	for _, f := range files {
		p.lint(f)
	}
	if _, err := io.WriteString(w, p.text.String()); err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	return nil
}

func (p *page) lint(f Lint) {
	for _, problem := range f.Problems {
		p.line(0, red, problem.place(f.Name), ": "+string(problem.ID)+": "+clean(problem.Found, maxProse))
		if problem.Expected != "" {
			p.line(2, plain, "", "expected "+clean(problem.Expected, maxProse))
		}
		if problem.Next != "" {
			p.line(2, plain, "", "next: "+clean(problem.Next, maxProse))
		}
	}
	switch n := len(f.Problems); {
	case f.Unread != "":
		p.line(0, yellow, Clean(f.Name), ": not read: "+clean(f.Unread, maxProse))
		if f.Next != "" {
			p.line(2, plain, "", "next: "+clean(f.Next, maxProse))
		}
	case n == 0:
		p.line(0, green, Clean(f.Name), ": no problems")
	case n == 1:
		p.line(0, red, Clean(f.Name), ": 1 problem")
	default:
		p.line(0, red, Clean(f.Name), fmt.Sprintf(": %d problems", n))
	}
}

func (p LintProblem) place(name string) string {
	if p.Line == 0 {
		return Clean(name)
	}
	return fmt.Sprintf("%s:%d:%d", Clean(name), p.Line, p.Column)
}

type lintView struct {
	Schema   string         `json:"$schema"`
	Problems int            `json:"problems"`
	Files    []lintFileView `json:"files"`
}

type lintFileView struct {
	Name     string            `json:"name"`
	Unread   string            `json:"unread,omitempty"`
	Next     string            `json:"next,omitempty"`
	Problems []lintProblemView `json:"problems"`
}

type lintProblemView struct {
	ID       verdict.ID `json:"id"`
	Line     int        `json:"line"`
	Column   int        `json:"column"`
	Found    string     `json:"found"`
	Expected string     `json:"expected"`
	Next     string     `json:"next"`
}

// LintJSON writes the same as one JSON object and a line feed.
func LintJSON(w io.Writer, files []Lint) error {
	view := lintView{Schema: LintSchema, Files: []lintFileView{}}
	for _, f := range files {
		file := lintFileView{Name: f.Name, Unread: f.Unread, Next: f.Next, Problems: []lintProblemView{}}
		for _, p := range f.Problems {
			file.Problems = append(file.Problems, lintProblemView{ID: p.ID, Line: p.Line, Column: p.Column, Found: p.Found, Expected: p.Expected, Next: p.Next})
		}
		view.Problems += len(f.Problems)
		view.Files = append(view.Files, file)
	}
	return Object(w, view)
}
