package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// maxCandidates and maxPlaces are how many lines a report that is not verbose
// spends on what did not count, and on where it looked.
const (
	maxCandidates = 10
	maxPlaces     = 10
)

// Text writes the report for people: a block for each artifact, then what was
// demanded and trusted, then, for several artifacts, one line that sums up.
// Lines are not wrapped. An allowed artifact has one line for each statement
// that counted; a refusal says what was found, the rule, what was expected and
// the next step.
func Text(w io.Writer, d Document, o Options) error {
	p := &page{color: o.Color, verbose: o.Verbose}
	for rest := d.Verdicts; len(rest) > 0; {
		alike := allowedFirst(rest)
		p.folding(fmt.Sprintf("%d artifacts are allowed", alike), func() {
			for _, v := range rest[:alike] {
				p.gap()
				p.verdict(v, d.Layout.Name)
			}
		})
		if rest = rest[alike:]; len(rest) > 0 {
			p.gap()
			p.verdict(rest[0], d.Layout.Name)
			rest = rest[1:]
		}
	}
	if len(d.Verdicts) == 0 {
		p.line(0, red, "denied", ": nothing was verified")
		p.line(2, red, "✗", " no artifact was given")
	}
	p.footer(d)
	p.summary(d)
	if err := p.writeTo(w, o.Fold); err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	return nil
}

// allowedFirst counts the artifacts that are allowed before the first that is not; a
// single one is not worth a title of its own.
func allowedFirst(verdicts []verdict.Verdict) int {
	n := slices.IndexFunc(verdicts, func(v verdict.Verdict) bool { return !v.Allowed() })
	switch {
	case n < 0 && len(verdicts) > 1:
		return len(verdicts)
	case n > 1:
		return n
	}
	return 0
}

// verdict writes the block of one artifact.
func (p *page) verdict(v verdict.Verdict, layout string) {
	headline := ": no artifact in hand"
	if v.Artifact.Given != "" || len(v.Artifact.Digest) > 0 {
		headline = ": " + Clean(v.Artifact.String())
	}
	if layout != "" {
		headline += " against " + Clean(layout)
	}
	p.line(0, colorOf(v.Outcome()), v.Outcome().String(), headline)
	if p.verbose && len(v.Artifact.Digest) > 0 {
		p.line(2, plain, "", "digest "+clean(v.Artifact.Digest.String(), maxProse))
	}
	p.reasons(v)
	p.steps(v)
	p.folding("what did not count", func() { p.uncounted(v.Evidence) })
	for _, note := range v.Notes {
		p.line(2, plain, "", "note: "+clean(note, maxProse))
	}
	p.folding("how it was decided", func() { p.trace(v) })
}

// colorOf is the colour of an outcome, and mark the sign of a step or a finding
// that stands in the way: in an undecided verdict nothing is refused yet.
func colorOf(o verdict.Outcome) style {
	switch o {
	case verdict.Allowed:
		return green
	case verdict.Undecided:
		return yellow
	default:
		return red
	}
}

func mark(o verdict.Outcome) string {
	if o == verdict.Undecided {
		return "?"
	}
	return "✗"
}

// reasons writes the findings that belong to no step, and a reason where a
// verdict that does not allow has none.
func (p *page) reasons(v verdict.Verdict) {
	for _, f := range v.Findings {
		if f.Step == "" {
			p.entry(colorOf(v.Outcome()), mark(v.Outcome()), "", p.refusal(f))
		}
	}
	unmet := slices.ContainsFunc(v.Steps, func(s verdict.Step) bool { return !s.Satisfied })
	if !v.Allowed() && len(v.Findings) == 0 && !unmet {
		p.entry(colorOf(v.Outcome()), mark(v.Outcome()), "", []string{"nothing was verified that would allow it"})
	}
}

// steps writes an entry for each step, in the layout's order.
func (p *page) steps(v verdict.Verdict) {
	steps := knownSteps(v)
	column := width(each(steps, func(s verdict.Step) string { return Clean(s.Name) })...)
	for _, s := range steps {
		label := pad(Clean(s.Name), column) + "  "
		against := slices.DeleteFunc(slices.Clone(v.Findings), func(f verdict.Finding) bool { return f.Step != s.Name })
		if s.Satisfied && len(against) == 0 {
			p.entry(green, "✓", label, p.witnesses(v, s))
		} else {
			p.entry(colorOf(v.Outcome()), mark(v.Outcome()), label, p.unmet(s, against))
		}
	}
}

// entry writes a mark, a label and at least one line, the others below the
// first.
func (p *page) entry(s style, mark, label string, lines []string) {
	p.line(2, s, mark, " "+label+lines[0])
	indent := 4 + min(utf8.RuneCountInString(label), maxColumn+2)
	for _, line := range lines[1:] {
		p.line(indent, plain, "", line)
	}
}

// knownSteps are the verdict's steps, and those that only a finding names.
func knownSteps(v verdict.Verdict) []verdict.Step {
	steps := slices.Clone(v.Steps)
	for _, f := range v.Findings {
		named := func(s verdict.Step) bool { return s.Name == f.Step }
		if f.Step != "" && !slices.ContainsFunc(steps, named) {
			steps = append(steps, verdict.Step{Name: f.Step})
		}
	}
	return steps
}

// witnesses says who spoke for a step: what and, where nothing distracts from
// it, when; one line each.
func (p *page) witnesses(v verdict.Verdict, s verdict.Step) []string {
	var lines []string
	timed := p.verbose || v.Allowed()
	for _, e := range v.Evidence {
		if !counted(e) || e.Step != s.Name {
			continue
		}
		line := statement(e)
		if timed {
			line += ", " + proven(e)
		}
		lines = append(lines, line)
		if p.verbose {
			lines = append(lines, details(e)...)
		}
	}
	if lines == nil {
		by := strings.Join(each(s.By, Clean), ", ")
		lines = []string{cmp.Or(by, fmt.Sprintf("%d of %d counted", s.Counted, s.Required))}
	}
	return lines
}

// statement names a verified candidate: its signer and what it signed.
func statement(e verdict.Evidence) string {
	line := cmp.Or(Clean(e.Signer), "nobody")
	if e.PredicateType != "" {
		line += ", " + Clean(verdict.PredicateName(e.PredicateType))
	}
	return line
}

// details are what only a verbose report tells of a statement that counted.
func details(e verdict.Evidence) []string {
	lines := []string{"from " + Clean(e.Source) + ", root " + cmp.Or(Clean(e.Root), "none")}
	for i, t := range provenTimes(e) {
		if i > 0 {
			lines = append(lines, "also "+proof(t))
		}
	}
	return lines
}

// proven names the earliest proven time and who proved it.
func proven(e verdict.Evidence) string {
	if times := provenTimes(e); len(times) > 0 {
		return proof(times[0])
	}
	return "no proven time"
}

// proof names a time and the host that proved it.
func proof(t verdict.Time) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(t.By, "https://"), "/")
	return "proven " + instant(t.Instant) + " by " + cmp.Or(Clean(host), Clean(t.Kind), "an unnamed witness")
}

// unmet says what stands against a step; one line or more.
func (p *page) unmet(s verdict.Step, against []verdict.Finding) []string {
	var lines []string
	for _, f := range against {
		lines = append(lines, p.refusal(f)...)
	}
	tally := fmt.Sprintf("%d of %d required", s.Counted, s.Required)
	switch {
	case lines == nil && s.Counted < s.Required:
		return []string{tally}
	case lines == nil:
		return []string{"not satisfied"}
	case s.Counted < s.Required:
		lines[0] = tally + ": " + lines[0]
	}
	return lines
}

// refusal says what was found, the rule, what was expected and the next step;
// one line or more.
func (p *page) refusal(f verdict.Finding) []string {
	headline := found(f)
	if p.verbose && f.ID != "" {
		headline += " [" + Clean(string(f.ID)) + "]"
	}
	lines := []string{headline}
	add := func(prefix, text string) {
		if text != "" {
			lines = append(lines, prefix+clean(text, maxProse))
		}
	}
	add("rule ", f.Rule)
	add("at ", f.Where)
	add("expected ", f.Expected)
	add("next: ", f.Next)
	return lines
}

// found is what a finding found, or its id where it does not say.
func found(f verdict.Finding) string {
	return cmp.Or(clean(f.Found, maxProse), Clean(string(f.ID)), "no reason was given")
}

// uncounted lists the candidates that did not count, each with its reason.
func (p *page) uncounted(evidence []verdict.Evidence) {
	rest := slices.DeleteFunc(slices.Clone(evidence), counted)
	if len(rest) == 0 {
		return
	}
	p.line(2, plain, "", "did not count:")
	var hiding []verdict.Evidence
	if len(rest) > maxCandidates && !p.verbose {
		rest, hiding = rest[:maxCandidates], rest[maxCandidates:]
	}
	column := width(each(rest, func(e verdict.Evidence) string { return Clean(e.Source) })...)
	for _, e := range rest {
		p.line(4, plain, pad(Clean(e.Source), column), "  "+uncountedBecause(e))
	}
	if len(hiding) > 0 {
		p.line(4, plain, "", fmt.Sprintf("and %d more: %s; --verbose lists them", len(hiding), byReason(hiding)))
	}
}

func uncountedBecause(e verdict.Evidence) string {
	who := "not verified"
	if e.Verified {
		who = statement(e)
	}
	return who + ": " + because(e)
}

// because says why a candidate did not count.
func because(e verdict.Evidence) string {
	if e.Reason == nil {
		return "no reason was given"
	}
	why := Clean(found(*e.Reason))
	if e.Reason.Expected != "" {
		why += "; expected " + Clean(e.Reason.Expected)
	}
	if e.Reason.Step != "" {
		why = "for step " + Clean(e.Reason.Step) + ", " + why
	}
	return why
}

// byReason counts candidates by reason, the most frequent first.
func byReason(evidence []verdict.Evidence) string {
	counts := map[string]int{}
	for _, e := range evidence {
		id := "no reason"
		if e.Reason != nil {
			id = cmp.Or(Clean(string(e.Reason.ID)), id)
		}
		counts[id]++
	}
	ids := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return strings.Join(each(ids, func(id string) string { return fmt.Sprintf("%d %s", counts[id], id) }), ", ")
}

// summary writes the last line where there are several artifacts.
func (p *page) summary(d Document) {
	if len(d.Verdicts) < 2 {
		return
	}
	line := fmt.Sprintf("%d of %d allowed", d.count(verdict.Allowed), len(d.Verdicts))
	for _, o := range []verdict.Outcome{verdict.Denied, verdict.Undecided} {
		if n := d.count(o); n > 0 {
			line += fmt.Sprintf(", %d %s", n, o)
		}
	}
	p.gap()
	p.line(0, colorOf(d.Outcome()), line, "")
}
