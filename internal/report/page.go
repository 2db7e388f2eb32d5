package report

import (
	"math"
	"strings"
	"unicode/utf8"
)

// style is an SGR sequence; empty for plain text.
type style string

const (
	plain  style = ""
	green  style = "\x1b[32m"
	red    style = "\x1b[31m"
	yellow style = "\x1b[33m"
	reset        = "\x1b[0m"
)

// page is the text under way. All of it passes line, which escapes whatever
// would leave the line, so that a forgotten Clean costs a bound and no more.
type page struct {
	text    strings.Builder
	color   bool
	verbose bool
	folds   []folded
	inFold  bool
}

// line writes one line: indent spaces, head in its style, and rest.
func (p *page) line(indent int, s style, head, rest string) {
	head, rest = clean(head, math.MaxInt), strings.TrimRight(clean(rest, math.MaxInt), " ")
	// A runner takes a line that opens so for a command.
	for _, part := range []*string{&head, &rest} {
		if opens := strings.TrimLeft(*part, " "); strings.HasPrefix(opens, "::") && (part == &head || strings.TrimSpace(head) == "") {
			*part = strings.Replace(*part, ":", `\u003a`, 1)
		}
	}
	p.text.WriteString(strings.Repeat(" ", indent))
	if p.color && s != plain && strings.TrimSpace(head) != "" {
		head = string(s) + head + reset
	}
	p.text.WriteString(head + rest + "\n")
}

// gap writes an empty line between two parts.
func (p *page) gap() {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
}

// maxColumn bounds the width of a left column: a longer text pushes its own
// line out of line, not all others.
const maxColumn = 48

// width is the number of columns that a cleaned text needs, at most maxColumn.
func width(texts ...string) int {
	widest := 0
	for _, t := range texts {
		widest = max(widest, utf8.RuneCountInString(t))
	}
	return min(widest, maxColumn)
}

// pad fills a cleaned text up to a column.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-utf8.RuneCountInString(text)))
}
