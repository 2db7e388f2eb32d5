package layout

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sentences tells the layout in plain words, one condition a line. Two spaces in
// front of a line put it under the one before; an empty line parts what is not of
// one matter. They are not wrapped, and not cleaned.
func (d Description) Sentences() []string {
	p := &prose{Description: d}
	p.headline()
	for _, s := range d.Steps {
		p.gap()
		p.step(s)
	}
	p.gap()
	p.classic()
	p.subjects()
	p.gap()
	p.people()
	p.parameters()
	p.denied()
	return p.lines
}

// prose is a description on its way to being told.
type prose struct {
	Description
	lines []string
}

func (p *prose) say(depth int, format string, args ...any) {
	p.lines = append(p.lines, strings.Repeat("  ", depth)+fmt.Sprintf(format, args...))
}

func (p *prose) gap() { p.lines = append(p.lines, "") }

// headline says who is needed at all.
func (p *prose) headline() {
	version := fmt.Sprintf("version %d", p.Version)
	if p.Classic {
		version = "of in-toto 1.0"
	}
	p.say(0, "Layout %s, %s, holds until %s.", p.Name, version, p.Expires.Format(time.RFC3339))
	what := "An artifact"
	if p.Source != "" {
		what = "A release of " + p.Source
	}
	var told [][]string
	for _, subject := range p.Subjects {
		if slices.ContainsFunc(told, func(steps []string) bool { return slices.Equal(steps, subject.Steps) }) {
			continue
		}
		told = append(told, subject.Steps)
		p.say(0, "%s needs:", what+p.which(subject))
		p.needs(subject.Steps)
	}
	if p.GitHash != "" {
		p.say(0, "Commits are named by their %s object ids and no others.", p.GitHash)
	}
	if len(p.Levels) > 0 {
		p.say(0, "A verification summary of what is allowed states the verified levels %s.", strings.Join(p.Levels, ", "))
	}
}

// which tells one kind of artifact from others that need other steps; nothing where
// all need the same.
func (p *prose) which(subject DescribedSubject) string {
	var names []string
	for _, s := range p.Subjects {
		if slices.Equal(s.Steps, subject.Steps) {
			names = append(names, s.names()+" from step "+s.From)
		}
	}
	if len(names) == len(p.Subjects) {
		return ""
	}
	return ", if it is " + listed(names, "or") + ","
}

func (p *prose) needs(steps []string) {
	for _, s := range p.Steps {
		for _, e := range s.Predicates {
			if slices.Contains(steps, s.Name) {
				p.say(1, "- %s on %s (step %s)", e.whoever(), s.About, s.Name)
			}
		}
	}
}

func (p *prose) subjects() {
	for _, s := range p.Subjects {
		if p.Classic {
			p.say(0, "An artifact, if one is named, is a product of step %s.", s.From)
			continue
		}
		p.say(0, "An artifact %s is a subject of every statement that counts for step %s.", s.names(), s.From)
	}
}

func (s DescribedSubject) names() string {
	if slices.Equal(s.Patterns, []string{"*"}) {
		return "of any name"
	}
	return "named " + listed(s.Patterns, "or")
}

func (p *prose) denied() {
	if len(p.Denied) == 0 {
		return
	}
	p.gap()
	p.say(0, "Denied, whoever signs:")
	for _, denied := range p.Denied {
		p.say(1, "- %s: %s", denied.Digest, denied.Reason)
	}
}

// listed joins words as a sentence has them: "a, b or c".
func listed(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
