package report

import (
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Drawing draws the layout that was demanded as a Mermaid flowchart: what became of each
// step, by its name, and of the artifact. It answers for its text, in which nothing of a
// layout is markup.
type Drawing func(steps map[string]verdict.Outcome, artifact verdict.Outcome) string

// Bounds of pictures: GitHub draws none with more text than this, in characters, and
// artifacts that fared alike share one.
//
// Source: https://mermaid.js.org/config/schema-docs/config.html (maxTextSize)
const (
	maxDrawing  = 50_000
	maxPictures = 4
)

// pictures are those of the layout: one for all artifacts whose steps fared alike.
func pictures(verdicts []verdict.Verdict, draw Drawing) (parts []part) {
	if draw == nil {
		return nil
	}
	var groups [][]verdict.Verdict
	at := map[string]int{}
	for _, v := range verdicts {
		if len(v.Steps) == 0 {
			continue // the layout was not applied
		}
		key := fmt.Sprint(fates(v), v.Outcome())
		i, known := at[key]
		if !known {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], v)
	}
	for i, group := range groups {
		if i == maxPictures {
			return append(parts, part{text: fmt.Sprintf("\nThe layout was satisfied or not in %d other ways.\n", len(groups)-maxPictures), rank: rankPicture, what: "pictures"})
		}
		parts = append(parts, picture(group, draw, len(verdicts) > 1))
	}
	return parts
}

// picture is that of artifacts whose steps fared alike.
func picture(group []verdict.Verdict, draw Drawing, several bool) part {
	drawn := draw(fates(group[0]), group[0].Outcome())
	block, shown := fenced("mermaid", drawn)
	if len(drawn) > maxDrawing || !shown {
		block = "The layout is too large to be drawn here; `signatus layout show` tells it.\n"
	}
	if several {
		caption := inHandCode(group[0])
		if n := len(group) - 1; n > 0 {
			caption += fmt.Sprintf(" and %d more", n)
		}
		block = "The layout, as it is met for " + caption + ":\n\n" + block
	}
	return part{text: "\n" + block, rank: rankPicture, what: "pictures"}
}

// fates are what became of the steps, as the table of steps has it.
func fates(v verdict.Verdict) map[string]verdict.Outcome {
	fates := map[string]verdict.Outcome{}
	for _, s := range knownSteps(v) {
		fates[s.Name] = fate(v, s)
	}
	return fates
}

// fenced is text of several lines as Markdown shows it literally: its fence is longer
// than any within it.
//
// "The closing code fence must use the same character as the opening fence and must be
// at least as long" (GitHub Flavored Markdown, 4.5). It is false where a character is not
// what it looks like, or is none: what is pasted would be something else.
func fenced(language, text string) (string, bool) {
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	for line := range strings.Lines(text) {
		if !showable(strings.TrimSuffix(line, "\n")) {
			return "", false
		}
	}
	fence := strings.Repeat("`", longest+1)
	return fence + language + "\n" + strings.TrimSuffix(text, "\n") + "\n" + fence + "\n", true
}
