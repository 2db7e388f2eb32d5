package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Mermaid draws the layout as a flowchart: steps as boxes with how many of whom,
// MATCH rules as arrows that are labelled with what flows, and the artifact where
// they lead. Nothing of the layout can become markup: nodes have names of our own,
// and of a label only letters, digits and a few harmless signs stand as they are.
func (d Description) Mermaid() string { return d.draw(nil).text.String() }

// Drawn is the same of a verdict: each step that it speaks of is marked and green, red or
// amber, as is the artifact where the layout has one kind of them.
func (d Description) Drawn(steps map[string]verdict.Outcome, artifact verdict.Outcome) string {
	g := d.draw(steps)
	for _, o := range []verdict.Outcome{verdict.Allowed, verdict.Denied, verdict.Undecided} {
		var nodes []string
		for _, s := range d.Steps {
			if fate, known := steps[s.Name]; known && fate == o {
				nodes = append(nodes, g.ids[s.Name])
			}
		}
		if len(d.Subjects) == 1 && artifact == o {
			nodes = append(nodes, "artifact1")
		}
		if len(nodes) > 0 {
			g.line("  classDef %s %s", o, colours(o))
			g.line("  class %s %s", strings.Join(nodes, ","), o)
		}
	}
	return g.text.String()
}

// colours are those of an outcome, which can be read on a light and on a dark page.
func colours(o verdict.Outcome) string {
	switch o {
	case verdict.Allowed:
		return "fill:#dafbe1,stroke:#1a7f37,color:#0a3d1a"
	case verdict.Undecided:
		return "fill:#fff8c5,stroke:#9a6700,color:#4d2d00"
	default:
		return "fill:#ffebe9,stroke:#cf222e,color:#660018"
	}
}

// sign marks an outcome for who sees no colours.
func sign(o verdict.Outcome) string {
	switch o {
	case verdict.Allowed:
		return "✓ "
	case verdict.Undecided:
		return "? "
	default:
		return "✗ "
	}
}

// draw draws the layout, with the steps of a verdict marked.
func (d Description) draw(fates map[string]verdict.Outcome) *graph {
	g := &graph{ids: map[string]string{}, fates: fates}
	g.line("flowchart LR")
	for i, s := range d.Steps {
		g.ids[s.Name] = fmt.Sprintf("step%d", i+1)
		g.step(s)
	}
	for i, s := range d.Subjects {
		id := fmt.Sprintf("artifact%d", i+1)
		g.line("  %s([\"%s\"])", id, escaped("the artifact, "+s.names()))
		g.line("  %s ==> %s", g.ids[s.From], id)
	}
	for _, s := range d.Steps {
		g.joins(s)
	}
	return g
}

type graph struct {
	ids   map[string]string // of the steps, by name
	fates map[string]verdict.Outcome
	text  strings.Builder
}

func (g *graph) line(format string, args ...any) { fmt.Fprintf(&g.text, format+"\n", args...) }

func (g *graph) step(s DescribedStep) {
	name := s.Name
	if fate, known := g.fates[name]; known {
		name = sign(fate) + name
	}
	lines := []string{"<b>" + escaped(name) + "</b>"}
	for _, e := range s.Predicates {
		lines = append(lines, escaped(e.whoever()))
	}
	// Our own marks are the only ones: what is escaped holds neither < nor ".
	g.line(`  %s["%s"]`, g.ids[s.Name], strings.Join(lines, "<br/>"))
}

// joins draws where a step's artifacts come from, and whose people it excludes.
func (g *graph) joins(s DescribedStep) {
	for _, r := range slices.Concat(s.Materials, s.Products) {
		if r.Kind != string(matchRule) {
			continue
		}
		label := r.Pattern
		if !r.FromProducts {
			label += " (a material)"
		}
		g.line(`  %s -- "%s" --> %s`, g.ids[r.From], escaped(label), g.ids[s.Name])
	}
	for _, other := range s.DistinctFrom {
		g.line(`  %s -. "other people than" .- %s`, g.ids[s.Name], g.ids[other])
	}
}

// escaped writes a text with Mermaid's entity codes: "#35;" is the character 35.
// (mermaid.js.org, flowchart, "Entity codes to escape characters"; TestMermaid)
func escaped(text string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-+/"
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(harmless, r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
