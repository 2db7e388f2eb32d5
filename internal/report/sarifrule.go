package report

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/signatus-dev/signatus/docs"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// sarifRule describes a finding as docs/findings.md does.
type sarifRule struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Short sarifMessage   `json:"shortDescription"`
	Full  sarifMessage   `json:"fullDescription"`
	Page  string         `json:"helpUri"`
	Help  sarifHelp      `json:"help"`
	Usual sarifUsual     `json:"defaultConfiguration"`
	Tags  sarifRuleFacts `json:"properties"`
}

type sarifHelp struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown"`
}

type sarifUsual struct {
	Level string `json:"level"`
}

type sarifRuleFacts struct {
	Tags []string `json:"tags"`
}

// ruleID is the finding's id, and something where it has none.
func ruleID(id verdict.ID) string { return cmp.Or(Clean(string(id)), "finding") }

func viewRuleOf(tool string, id verdict.ID) sarifRule {
	section := findingSection(id)
	paragraphs := strings.Split(section, "\n\n")
	opening := plainText(paragraphs[0])
	short, _, _ := strings.Cut(opening, ". ")
	source := "See docs/findings.md#" + ruleID(id) + "."
	return sarifRule{
		ID: ruleID(id), Name: ruleName(id),
		Short: sarifMessage{sarifText(strings.TrimSuffix(short, ".") + ".")}, Full: sarifMessage{sarifText(opening)},
		Page:  cmp.Or(findingURL(tool, id), findingsPage(tool)),
		Help:  sarifHelp{Text: plainText(section) + "\n\n" + source, Markdown: unlinked(section) + "\n\n" + source},
		Usual: sarifUsual{"error"}, Tags: sarifRuleFacts{[]string{"security", "supply-chain"}},
	}
}

// ruleName is the id in the form that SARIF asks for: RuleDisallow.
func ruleName(id verdict.ID) string {
	var b strings.Builder
	for word := range strings.SplitSeq(ruleID(id), "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// findingSection is what docs/findings.md says of a finding.
func findingSection(id verdict.ID) string {
	_, after, found := strings.Cut(docs.Findings, "\n### "+string(id)+"\n")
	if !found || id == "" {
		return "A reason not to allow the artifact."
	}
	section, _, _ := strings.Cut(after, "\n#")
	return strings.TrimSpace(strings.TrimSuffix(section, "#"))
}

// unlinked leaves of a link its text: the page is not beside the report.
func unlinked(markdown string) string {
	link := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	return link.ReplaceAllString(markdown, "$1")
}

// plainText is Markdown without its marks, a paragraph a line.
func plainText(markdown string) string {
	var paragraphs []string
	marks := strings.NewReplacer("\n- ", "\n\n- ", "\n| ", "\n\n| ", "**", "", "*", "")
	var unmarked strings.Builder
	for i, part := range strings.Split(unlinked(markdown), "`") {
		if inCode := i%2 == 1; !inCode { // DISALLOW * is no emphasis
			part = marks.Replace(part)
		}
		unmarked.WriteString(part)
	}
	for p := range strings.SplitSeq(unmarked.String(), "\n\n") {
		paragraphs = append(paragraphs, strings.Join(strings.Fields(p), " "))
	}
	return strings.Join(paragraphs, "\n\n")
}
