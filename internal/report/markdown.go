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
	sorted := slices.Clone(d.Verdicts)
	slices.SortStableFunc(sorted, func(a, b verdict.Verdict) int { return cmp.Compare(urgency(a), urgency(b)) })
	opening, closing := markdownOpening(d), markdownClosing(d)
	room := MaxMarkdown - len(opening) - len(closing) - 2*len(leftOut(len(sorted), "artifacts"))
	var blocks []string
	for _, v := range sorted {
		block := markdownVerdict(v, len(sorted) > 1)
		if len(block) > room {
			break
		}
		room -= len(block)
		blocks = append(blocks, block)
	}
	folded := 0
	for i := range blocks {
		details := markdownDetails(sorted[i], o)
		if len(details) > room {
			folded++
			details = markdownFailures(sorted[i])
		}
		if len(details) > room {
			continue
		}
		room -= len(details)
		blocks[i] += details
	}
	page := opening + strings.Join(blocks, "")
	if n := len(sorted) - len(blocks); n > 0 {
		page += leftOut(n, "artifacts")
	}
	if folded > 0 {
		page += leftOut(folded, "lists of evidence")
	}
	if _, err := io.WriteString(w, page+closing); err != nil {
		return fmt.Errorf("writing Markdown report: %w", err)
	}
	return nil
}

func urgency(v verdict.Verdict) int {
	return slices.Index([]verdict.Outcome{verdict.Denied, verdict.Undecided, verdict.Allowed}, v.Outcome())
}

func leftOut(n int, what string) string {
	return fmt.Sprintf("\n*Shortened: %d %s more are left out here. `--format json` has them all.*\n", n, what)
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

// markdownOpening is the verdict on everything, and what weakens or disturbs it.
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
	caution(&b, "Loosened", d.Loosenings, code)
	caution(&b, "Warning", d.Warnings, prose)
	return b.String()
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
func markdownVerdict(v verdict.Verdict, several bool) string {
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
		b.WriteString(markdownFinding(f))
	}
	for i, note := range v.Notes {
		if i == maxRows {
			break
		}
		fmt.Fprintf(&b, "\nNote: %s\n", prose(note))
	}
	return b.String()
}

func stepSign(v verdict.Verdict, s verdict.Step) string {
	against := slices.ContainsFunc(v.Findings, func(f verdict.Finding) bool { return f.Step == s.Name })
	switch {
	case s.Satisfied && !against:
		return sign(verdict.Allowed)
	case v.Allowed():
		return sign(verdict.Denied)
	default:
		return sign(v.Outcome())
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
func markdownFinding(f verdict.Finding) string {
	headline := "**" + proseOf(found(f)) + "**"
	if f.Step != "" {
		headline = "Step " + code(f.Step) + ": " + headline
	}
	if f.ID != "" {
		headline += " (" + code(string(f.ID)) + ")"
	}
	lines := []string{"", headline, ""}
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, "- "+label+text)
		}
	}
	add("rule ", code(f.Rule))
	add("at ", code(f.Where))
	add("expected ", prose(f.Expected))
	add("**next:** ", prose(f.Next))
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
		rest += "\nEach finding is explained in `docs/findings.md`, with what to do.\n"
	}
	return rest
}

// first are at most as many as a table has rows.
func first[T any](all []T) []T { return all[:min(len(all), maxRows)] }
