package layout

import (
	"fmt"
	"slices"
	"strings"
)

// Mermaid draws the layout as a flowchart: steps as boxes with how many of whom,
// MATCH rules as arrows that are labelled with what flows, and the artifact where
// they lead. Nothing of the layout can become markup: nodes have names of our own,
// and of a label only letters, digits and a few harmless signs stand as they are.
func (d Description) Mermaid() string {
	g := &graph{ids: map[string]string{}}
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
	return g.text.String()
}

type graph struct {
	ids  map[string]string // of the steps, by name
	text strings.Builder
}

func (g *graph) line(format string, args ...any) { fmt.Fprintf(&g.text, format+"\n", args...) }

func (g *graph) step(s DescribedStep) {
	lines := []string{"<b>" + escaped(s.Name) + "</b>"}
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
