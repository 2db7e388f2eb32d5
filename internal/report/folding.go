package report

import (
	"io"
	"strings"
)

// Folding has what write writes folded away under a title, as a runner's log can.
type Folding func(title string, write func() error) error

// minFolded is how many lines are worth folding away.
const minFolded = 10

// folded is a part of a page that may be folded away.
type folded struct {
	from, to int // bytes
	title    string
}

// folding marks what do writes as one part, where that is long. A part within another one
// is none: a runner has no folds in folds.
func (p *page) folding(title string, do func()) {
	if p.inFold {
		do()
		return
	}
	from := p.text.Len()
	p.inFold = true
	do()
	p.inFold = false
	if text := p.text.String()[from:]; strings.Count(text, "\n") > minFolded {
		p.folds = append(p.folds, folded{from, p.text.Len(), title})
	}
}

// writeTo writes the page, with its long parts folded where that can be.
func (p *page) writeTo(w io.Writer, fold Folding) error {
	text, done := p.text.String(), 0
	if fold == nil {
		_, err := io.WriteString(w, text)
		return err
	}
	for _, f := range p.folds {
		if _, err := io.WriteString(w, text[done:f.from]); err != nil {
			return err
		}
		err := fold(f.title, func() error {
			_, err := io.WriteString(w, text[f.from:f.to])
			return err
		})
		if err != nil {
			return err
		}
		done = f.to
	}
	_, err := io.WriteString(w, text[done:])
	return err
}
