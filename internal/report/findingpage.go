package report

import (
	"regexp"
	"strings"

	"github.com/signatus-dev/signatus/docs"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// findingsPage is where docs/findings.md can be read, of a version of this program.
func findingsPage(tool string) string {
	version := "main"
	if release := regexp.MustCompile(`^v\d+\.\d+\.\d+$`); release.MatchString(tool) {
		version = tool
	}
	return "https://github.com/signatus-dev/signatus/blob/" + version + "/docs/findings.md"
}

// findingURL is the section about a finding; empty for what has none, whoever names it.
func findingURL(tool string, id verdict.ID) string {
	named := strings.Trim(string(id), "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	if id == "" || !named || !strings.Contains(docs.Findings, "\n### "+string(id)+"\n") {
		return ""
	}
	return findingsPage(tool) + "#" + string(id)
}

// findingLink is a finding's name, and the way to its section.
func findingLink(tool string, id verdict.ID) string {
	if url := findingURL(tool, id); url != "" {
		return "[" + code(string(id)) + "](" + url + ")"
	}
	return code(string(id))
}
