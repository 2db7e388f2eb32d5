package layout

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Problem is one thing that is wrong with a layout, and where. Line and Column
// count from 1; they are 0 where the whole file is meant.
type Problem struct {
	verdict.Finding
	Line, Column int
}

// Lint reads a layout as Parse does and tells everything that is wrong with it,
// in the order of the file. Where Parse ends at what cannot be read, Lint goes on
// to what the rest says. A layout without a problem is one that Parse takes.
func Lint(name string, data []byte, now time.Time) []Problem {
	r := &reader{name: name}
	root, ok := r.document(data)
	if !ok {
		return inOrder(name, r.problems)
	}
	if finding, ok := otherDialect(r, root); ok {
		return inOrder(name, []verdict.Finding{finding})
	}
	l := r.layout(root)
	lints := slices.DeleteFunc(l.lint(r, now), func(lint verdict.Finding) bool { return follows(lint, r.problems, l) })
	return inOrder(name, append(r.problems, lints...))
}

// follows reports whether a lint only says again that something could not be read:
// an expiry that is no instant, a threshold that is no number.
func follows(lint verdict.Finding, unread []verdict.Finding, l *Layout) bool {
	if lint.ID == verdict.LayoutExpired {
		return l.expires.IsZero()
	}
	return lint.ID == verdict.ThresholdRange && slices.ContainsFunc(unread, func(f verdict.Finding) bool { return f.Where == lint.Where })
}

// inOrder sorts findings by their place, those of the whole file first.
func inOrder(name string, findings []verdict.Finding) []Problem {
	problems := make([]Problem, 0, len(findings))
	for _, f := range findings {
		line, column := lineAndColumn(name, f.Where)
		problems = append(problems, Problem{Finding: f, Line: line, Column: column})
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return problems
}

// lineAndColumn reads what reader.where wrote: NAME:LINE:COLUMN, or the name alone.
func lineAndColumn(name, where string) (line, column int) {
	first, second, ok := strings.Cut(strings.TrimPrefix(where, name+":"), ":")
	if !ok {
		return 0, 0
	}
	line, lineErr := strconv.Atoi(first)
	column, columnErr := strconv.Atoi(second)
	if lineErr != nil || columnErr != nil {
		return 0, 0
	}
	return line, column
}
