package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of tables of subjects: how many rows stand open, and how many are one part of
// the page.
const (
	maxOpenRows = 10
	rowsOfPart  = 250
)

// signed are the parts about what was signed: what and by whom, the subjects, how to
// verify them, and the layout for the next ones.
func (s JobSummary) signed() []part {
	d := *s.Signed
	headline := subjectsInShort(d)
	if s.Verdict != "signed" {
		headline += " signed, and not all was done"
	}
	parts := append(s.opening(headline), notices(d)...)
	parts = append(parts, part{text: signedFacts(d), rank: rankVerdict, what: "tables of facts"})
	parts = append(parts, subjectTables(d)...)
	parts = append(parts, part{text: howToVerify(d), rank: rankNext, what: "commands that verify"})
	parts = append(parts, part{text: suggestedLayout(d), rank: rankNext, what: "suggested layouts"})
	return append(parts, part{text: statedFields(d), rank: rankEvidence, what: "lists of what the certificate proves"})
}

// subjectsInShort names the one subject, or says how many there are.
func subjectsInShort(d Signed) string {
	all := 0
	for _, b := range d.Bundles {
		all += len(b.Subjects)
	}
	if all == 1 {
		for _, b := range d.Bundles {
			for _, subject := range b.Subjects {
				return code(subject.Name)
			}
		}
	}
	return fmt.Sprintf("%d subjects", all)
}

// signedFacts is what all bundles of a run share, and where the one is, if it is one.
func signedFacts(d Signed) string {
	var b strings.Builder
	b.WriteString("\n| | |\n|---|---|\n")
	row := func(label, cell string) { fmt.Fprintf(&b, "| %s | %s |\n", label, cell) }
	first := d.Bundles[0]
	what := code(verdict.PredicateName(first.PredicateType))
	if first.Step != "" {
		what += ", step " + code(first.Step)
	}
	row("what", what)
	row("signed by", code(first.Signer.String()))
	if d.Instance.Name != "" {
		row("instance", code(d.Instance.Name)+", "+prose(d.Instance.Reason))
	}
	if len(first.Times) > 0 {
		row("when", codeOf(proof(first.Times[0])))
	} else {
		row("when", "no proven time")
	}
	if len(d.Bundles) > 1 {
		row("bundles", fmt.Sprint(len(d.Bundles)))
		return b.String()
	}
	for _, entry := range first.Entries {
		row("logged", logLink(entry)+" of "+code(entry.Log))
	}
	row("kept in", placesCell(d, 0))
	return b.String()
}

// logLink leads to the entry where a page shows it: the public-good instance's.
func logLink(e LogEntry) string {
	text := fmt.Sprintf("index %d", e.Index)
	if e.Log != "https://rekor.sigstore.dev" {
		return text
	}
	return fmt.Sprintf("[%s](https://search.sigstore.dev/?logIndex=%d)", text, e.Index)
}

// placesCell names the places where a bundle is, and those where it was to be.
func placesCell(d Signed, bundle int) string {
	var places []string
	b := d.Bundles[bundle]
	if b.Path != "" {
		places = append(places, code(b.Path))
	}
	if b.Ref != "" {
		places = append(places, "a note in "+code(b.Ref))
	}
	for _, s := range d.Stored {
		switch {
		case s.Bundle != bundle, s.Error == "" && (s.Where == b.Path || s.Where == b.Ref):
			continue
		case len(places) == maxStored:
			return strings.Join(append(places, "and more"), "<br>")
		case s.Error != "":
			places = append(places, "❌ not in "+code(s.Where))
		case s.Sink == "oci":
			places = append(places, "with "+code(s.Where))
		default:
			places = append(places, webLink(s.Where, s.URL))
		}
	}
	return strings.Join(places, "<br>")
}

// webLink leads to an address that a service gave, where that is one of GitHub's and
// nothing else.
func webLink(text, address string) string {
	plain := regexp.MustCompile(`^https://(github\.com|[a-z0-9-]+\.ghe\.com)/[a-zA-Z0-9/._~%?=&+:@-]*$`)
	if !plain.MatchString(address) {
		return code(text)
	}
	return "[" + code(text) + "](" + address + ")"
}

// subjectTables list the subjects with their digests, and with their bundles where there
// are several.
func subjectTables(d Signed) (parts []part) {
	head := "| subject | digest |\n|---|---|\n"
	if len(d.Bundles) > 1 {
		head = "| subject | digest | kept in | logged |\n|---|---|---|---|\n"
	}
	var rows []string
	for i, b := range d.Bundles {
		for j, subject := range b.Subjects {
			rest := ""
			switch {
			case len(d.Bundles) == 1:
			case j == 0 || len(rows)%rowsOfPart == 0:
				rest = fmt.Sprintf(" %s | %s |", placesCell(d, i), strings.Join(each(b.Entries, logLink), "<br>"))
			default:
				rest = " as above | as above |"
			}
			rows = append(rows, subjectRow(subject)+rest+"\n")
		}
	}
	if len(rows) <= maxOpenRows {
		return []part{{text: "\n" + head + strings.Join(rows, ""), rank: rankRefused, what: "subjects", count: len(rows)}}
	}
	from := 1
	for some := range slices.Chunk(rows, rowsOfPart) {
		title := fmt.Sprintf("Subjects %d to %d", from, from+len(some)-1)
		parts = append(parts, part{text: fold(title, head+strings.Join(some, "")), rank: rankAllowed, what: "subjects", count: len(some)})
		from += len(some)
	}
	return parts
}

func subjectRow(subject Subject) string {
	name := subject.Name
	if subject.URI != "" {
		name = subject.URI
	}
	return fmt.Sprintf("| %s | %s |", code(name), codeOf(clean(subject.Digest.String(), maxProse)))
}

// howToVerify has the commands for whoever gets the first subject. One that would not be
// pasted as it is shown is left out, and said to be.
func howToVerify(d Signed) string {
	first := d.Bundles[0]
	if first.Verify == "" {
		return ""
	}
	commands, shown := fenced("sh", first.Verify)
	if !shown {
		return "\n### Verify it\n\nThe command names a file that cannot be shown as it is; `signatus verify --help` has examples.\n"
	}
	text := "\n### Verify it\n\n" + commands
	if len(first.Subjects) > 1 || len(d.Bundles) > 1 {
		text += "\nThis is for the first subject; the others are verified alike.\n"
	}
	if others, shown := fenced("sh", first.VerifyWithGitHub); shown && first.VerifyWithGitHub != "" {
		text += "\nOr with GitHub's own client:\n\n" + others
	}
	return text
}

// suggestedLayout is the layout, ready to be committed.
func suggestedLayout(d Signed) string {
	if d.Layout == "" || d.LayoutText == "" {
		return ""
	}
	text := "\n### Who may sign the next one\n\nThis layout allows artifacts of these names, signed as these were, and nobody else's. Commit it as " + code(d.Layout) + ":\n\n"
	block, shown := fenced("yaml", d.LayoutText)
	if !shown {
		return text + "It holds names that cannot be shown as they are; see the file.\n"
	}
	return text + block
}

// statedFields tells what the certificate proves from what is only asserted.
func statedFields(d Signed) string {
	first := d.Bundles[0]
	if len(first.Fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | | |\n|---|---|---|\n")
	for i, f := range first.Fields {
		if i == maxRows {
			fmt.Fprintf(&b, "| and %d more | | |\n", len(first.Fields)-maxRows)
			break
		}
		origin := "only asserted: " + prose(f.Origin)
		if f.Proof != "" {
			origin = "proven by " + prose(f.Proof)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", codeOf(fieldName(f)), code(f.Value), origin)
	}
	return fold("What the certificate proves, and what is only asserted", b.String())
}
