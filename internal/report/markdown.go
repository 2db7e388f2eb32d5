package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxMarkdown bounds the Markdown report, in bytes. A step summary of GitHub
// Actions takes 1 MiB, and leaves out one that is longer.
const MaxMarkdown = 1<<20 - 1<<10

// maxRows bounds the rows of a table.
const maxRows = 200

// Markdown writes the report for a step's summary or a comment: the verdict,
// then for each artifact its steps and why it is refused, with what helps to look
// closer folded away. It stays below MaxMarkdown, and says what it leaves out:
// first what is folded away, then artifacts, the allowed ones first.
func Markdown(w io.Writer, d Document, o Options) error {
	if _, err := io.WriteString(w, fit(documentParts(d, o, nil), MaxMarkdown)); err != nil {
		return fmt.Errorf("writing Markdown report: %w", err)
	}
	return nil
}

// documentParts are the parts of a page about verdicts, the artifacts that are not
// allowed first. draw draws the layout; nil for no pictures.
func documentParts(d Document, o Options, draw Drawing) []part {
	sorted := slices.Clone(d.Verdicts)
	slices.SortStableFunc(sorted, func(a, b verdict.Verdict) int { return cmp.Compare(urgency(a), urgency(b)) })
	parts := append([]part{{text: markdownOpening(d), rank: rankVerdict}}, cautions(d.Loosenings, d.Warnings)...)
	for _, v := range sorted {
		block := part{text: markdownVerdict(v, d.Tool, len(sorted) > 1), rank: rankRefused, what: "artifacts"}
		if v.Allowed() {
			block.rank = rankAllowed
		}
		at := len(parts)
		parts = append(parts, block)
		if len(sorted) == 1 {
			parts = append(parts, pictures(sorted, draw)...)
		}
		parts = append(parts, part{text: markdownDetails(v, o), instead: markdownFailures(v), rank: rankEvidence, what: "lists of evidence", under: at})
	}
	if len(sorted) > 1 {
		parts = append(parts, pictures(sorted, draw)...)
	}
	return append(parts, part{text: markdownClosing(d), rank: rankBasis, what: "tables of what it was judged by"})
}

func urgency(v verdict.Verdict) int {
	return slices.Index([]verdict.Outcome{verdict.Denied, verdict.Undecided, verdict.Allowed}, v.Outcome())
}

// sign is the mark of an outcome.
func sign(o verdict.Outcome) string {
	switch o {
	case verdict.Allowed:
		return "✅"
	case verdict.Undecided:
		return "❓"
	default:
		return "❌"
	}
}

// markdownOpening is the verdict on everything.
func markdownOpening(d Document) string {
	var b strings.Builder
	against := ""
	if d.Layout.Name != "" {
		against = " against " + code(d.Layout.Name)
	}
	outcome := fmt.Sprintf("%s %s", sign(d.Outcome()), d.Outcome())
	switch len(d.Verdicts) {
	case 0:
		fmt.Fprintf(&b, "## %s: nothing was verified%s\n", outcome, against)
	case 1:
		fmt.Fprintf(&b, "## %s: %s%s\n", outcome, inHandCode(d.Verdicts[0]), against)
	default:
		fmt.Fprintf(&b, "## %s: %d of %d artifacts are allowed%s\n", outcome, d.count(verdict.Allowed), len(d.Verdicts), against)
	}
	return b.String()
}

// cautions are what weakens or disturbs a verdict.
func cautions(loosenings, warnings []string) []part {
	var loosened, warned strings.Builder
	caution(&loosened, "Loosened", loosenings, code)
	caution(&warned, "Warning", warnings, prose)
	return []part{{text: loosened.String(), rank: rankVerdict, what: "loosenings"}, {text: warned.String(), rank: rankVerdict, what: "warnings"}}
}

// caution writes what a reader must not overlook.
func caution(b *strings.Builder, label string, lines []string, show func(string) string) {
	for i, line := range lines {
		if i == maxPlaces {
			fmt.Fprintf(b, "\n> ⚠️ **%s**: and %d more\n", label, len(lines)-maxPlaces)
			return
		}
		fmt.Fprintf(b, "\n> ⚠️ **%s**: %s\n", label, show(line))
	}
}

// inHandCode names the artifact.
func inHandCode(v verdict.Verdict) string {
	if v.Artifact.Given == "" && len(v.Artifact.Digest) == 0 {
		return "no artifact in hand"
	}
	return code(v.Artifact.String())
}

// markdownVerdict is what a reviewer must see of one artifact.
func markdownVerdict(v verdict.Verdict, tool string, several bool) string {
	var b strings.Builder
	if several {
		fmt.Fprintf(&b, "\n### %s %s: %s\n", sign(v.Outcome()), v.Outcome(), inHandCode(v))
	}
	if steps := knownSteps(v); len(steps) > 0 {
		b.WriteString("\n| step | | principals | signed by |\n|---|---|---|---|\n")
		for i, s := range steps {
			if i == maxRows {
				fmt.Fprintf(&b, "| and %d more | | | |\n", len(steps)-maxRows)
				break
			}
			fmt.Fprintf(&b, "| %s | %s | %d of %d | %s |\n", code(s.Name), stepSign(v, s), s.Counted, s.Required, witnessCell(v, s))
		}
	}
	findings := v.Findings
	if !v.Allowed() && len(findings) == 0 {
		findings = []verdict.Finding{{Found: "nothing was verified that would allow it"}}
	}
	for i, f := range findings {
		if i == maxRows {
			fmt.Fprintf(&b, "\n*and %d findings more*\n", len(findings)-maxRows)
			break
		}
		b.WriteString(markdownFinding(f, tool))
	}
	for i, note := range v.Notes {
		if i == maxRows {
			break
		}
		fmt.Fprintf(&b, "\nNote: %s\n", prose(note))
	}
	return b.String()
}

func stepSign(v verdict.Verdict, s verdict.Step) string { return sign(fate(v, s)) }

// fate is what became of a step: in an undecided verdict nothing is refused yet.
func fate(v verdict.Verdict, s verdict.Step) verdict.Outcome {
	against := slices.ContainsFunc(v.Findings, func(f verdict.Finding) bool { return f.Step == s.Name })
	switch {
	case s.Satisfied && !against:
		return verdict.Allowed
	case v.Allowed():
		return verdict.Denied
	default:
		return v.Outcome()
	}
}

// witnessCell names who spoke for a step: the statements that counted, or those
// that could have.
func witnessCell(v verdict.Verdict, s verdict.Step) string {
	var cells []string
	for _, e := range v.Evidence {
		if counted(e) && e.Step == s.Name && len(cells) < maxPlaces {
			cells = append(cells, codeOf(statement(e))+", "+proseOf(proven(e)))
		}
	}
	if cells == nil {
		cells = each(s.By[:min(len(s.By), maxPlaces)], code)
	}
	return strings.Join(cells, "<br>")
}

// markdownFinding is one reason with its next step.
func markdownFinding(f verdict.Finding, tool string) string {
	headline := "**" + proseOf(found(f)) + "**"
	if f.Step != "" {
		headline = "Step " + code(f.Step) + ": " + headline
	}
	if f.ID != "" {
		headline += " (" + findingLink(tool, f.ID) + ")"
	}
	lines := []string{"", headline, ""}
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, "- "+label+text)
		}
	}
	add("rule ", codeOutsideTables(f.Rule))
	add("at ", code(f.Where))
	add("expected ", prose(f.Expected))
	add("**next:** ", nextStep(f.Next))
	return strings.Join(lines, "\n") + "\n"
}

// markdownDetails are the folded parts of one artifact.
func markdownDetails(v verdict.Verdict, o Options) string {
	var b strings.Builder
	b.WriteString(markdownFailures(v))
	if n := len(v.Evidence); n > 0 {
		total := 0
		for _, e := range v.Evidence {
			if counted(e) {
				total++
			}
		}
		var rows strings.Builder
		rows.WriteString("| where | signed by, and what | |\n|---|---|---|\n")
		most := maxRows
		if o.Verbose {
			most = n
		}
		for i, e := range v.Evidence {
			if i == most {
				fmt.Fprintf(&rows, "| and %d more | | |\n", n-most)
				break
			}
			rows.WriteString(evidenceRow(e))
		}
		b.WriteString(fold(fmt.Sprintf("Evidence: %d looked at, %d counted", n, total), rows.String()))
	}
	if v.Trace != nil {
		p := &page{}
		p.trace(v)
		b.WriteString(fold("How it was decided", preformatted(p.text.String())))
	}
	return b.String()
}

// markdownFailures are the rules that failed, where it is known what rules did.
func markdownFailures(v verdict.Verdict) string {
	if v.Trace == nil || v.Trace.Satisfied {
		return ""
	}
	p := &page{}
	if p.failures(*v.Trace); p.text.Len() == 0 {
		return ""
	}
	return fold("What failed, rule by rule", preformatted(p.text.String()))
}

func evidenceRow(e verdict.Evidence) string {
	if counted(e) {
		return fmt.Sprintf("| %s | %s | ✅ counted for step %s |\n", code(e.Source), codeOf(statement(e)), code(e.Step))
	}
	return fmt.Sprintf("| %s | %s | %s |\n", code(e.Source), candidateCell(e), proseOf(because(e)))
}

func candidateCell(e verdict.Evidence) string {
	if !e.Verified {
		return "not verified"
	}
	return codeOf(statement(e))
}

func fold(summary, body string) string {
	return "\n<details><summary>" + summary + "</summary>\n\n" + body + "\n</details>\n"
}

// markdownClosing is what all artifacts share: what was demanded, and of whom.
func markdownClosing(d Document) string {
	p := &page{verbose: true}
	facts := slices.Concat(
		p.layoutFacts(d.Layout), p.rootFacts(first(d.Roots)), parameterFacts(d.Parameters), p.placeFacts(first(d.Searched)), judgedFacts(d), summaryFacts(first(d.Summaries)),
	)
	if len(facts) == 0 {
		return ""
	}
	if n := len(d.Roots) + len(d.Searched) - len(first(d.Roots)) - len(first(d.Searched)); n > 0 {
		facts = append(facts, fact{text: fmt.Sprintf("and %d more", n)})
	}
	var rows strings.Builder
	rows.WriteString("| | |\n|---|---|\n")
	for _, f := range facts {
		if rows.Len() > MaxMarkdown/4 {
			rows.WriteString("| | and more |\n")
			break
		}
		fmt.Fprintf(&rows, "| %s | %s |\n", f.label, codeOf(f.text))
	}
	rest := fold("What it was judged by", rows.String())
	if d.Outcome() != verdict.Allowed {
		rest += "\nEach finding is explained in [`docs/findings.md`](" + findingsPage(d.Tool) + "), with what to do.\n"
	}
	return rest
}

// first are at most as many as a table has rows.
func first[T any](all []T) []T { return all[:min(len(all), maxRows)] }
