package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// proseWidth is where sentences are wrapped, in columns.
const proseWidth = 100

// Prose writes sentences for people, one a line and wrapped. The spaces in front of
// a sentence are its indent; what is wrapped stands two columns further in behind
// a "- ". An empty sentence is an empty line.
func Prose(w io.Writer, sentences []string) error {
	p := &page{}
	for _, s := range sentences {
		p.sentence(s)
	}
	if _, err := io.WriteString(w, p.text.String()); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

func (p *page) sentence(s string) {
	text := strings.TrimLeft(s, " ")
	indent := len(s) - len(text)
	hanging := indent
	if strings.HasPrefix(text, "- ") {
		hanging += 2
	}
	line := ""
	for word := range strings.SplitSeq(clean(text, math.MaxInt), " ") {
		switch {
		case line == "":
			line = word
		case indent+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= proseWidth:
			line += " " + word
		default:
			p.line(indent, plain, "", line)
			line, indent = word, hanging
		}
	}
	p.line(indent, plain, "", line)
}

// Object writes any value as one JSON object and a line feed, with what [Clean]
// would escape as JSON escapes.
func Object(w io.Writer, value any) error {
	return writeObject(w, value, "JSON")
}
