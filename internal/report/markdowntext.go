package report

import (
	"html"
	"strings"
)

// code is a text from outside as Markdown shows it literally: names, digests,
// signers, rules, commands. Within a code span nothing is a link, a mention, an
// image or HTML; what could end the span, or the cell of a table around it,
// becomes visible as [Clean] makes other things visible. It is empty for nothing.
//
// "Backslash escapes do not work in code spans" (GitHub Flavored Markdown, 6.3),
// and entities neither, which is why the two characters are written out.
func code(s string) string { return codeOf(Clean(s)) }

// codeOf is code for a text that is clean already.
func codeOf(cleaned string) string {
	return span(cleaned, strings.NewReplacer("`", `\u0060`, "|", `\u007c`))
}

// span is a code span of a text that is clean, without what the replacer makes visible.
func span(cleaned string, visible *strings.Replacer) string {
	if cleaned == "" {
		return ""
	}
	text := visible.Replace(cleaned)
	// A span loses a space at each edge.
	if rest, ok := strings.CutPrefix(text, " "); ok {
		text = `\u0020` + rest
	}
	if rest, ok := strings.CutSuffix(text, " "); ok {
		text = rest + `\u0020`
	}
	return "`" + text + "`"
}

// codeOutsideTables is code where no table is around it: a bar means nothing there,
// and rules are full of them.
func codeOutsideTables(s string) string { return span(Clean(s), strings.NewReplacer("`", `\u0060`)) }

// prose is a sentence that may quote a text from outside. It reads as it is, and
// nothing in it has a meaning: a character that Markdown, HTML or a table cell
// would read is a numeric entity, which "cannot be used in place of symbols
// indicating structure" (GitHub Flavored Markdown, 6.2), and an empty comment
// parts what GitHub would make a mention, a reference or a link of.
func prose(s string) string { return proseOf(clean(s, maxProse)) }

func proseOf(cleaned string) string {
	const part = "<!-- -->"
	return strings.NewReplacer(
		`\`, "&#92;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;", "<", "&lt;", ">", "&gt;",
		"&", "&amp;", "|", "&#124;", "~", "&#126;", "$", "&#36;", "!", "&#33;", "^", "&#94;",
		"@", "@"+part, "#", "#"+part, "www.", "www"+part+".", "WWW.", "WWW"+part+".",
		"mailto://", "mailto"+part+":"+part+"//", "xmpp://", "xmpp"+part+":"+part+"//", // before what they begin with
		"://", ":"+part+"//", "mailto:", "mailto"+part+":", "xmpp:", "xmpp"+part+":",
	).Replace(cleaned)
}

// nextStep is a sentence about what to do. What stands between two spaces and two spaces,
// or the end, is to be typed: a command, or a line of a file.
func nextStep(s string) string {
	var parts []string
	for i, part := range strings.Split(clean(s, maxProse), "  ") {
		show := proseOf
		if i%2 == 1 {
			show = codeOf
		}
		if shown := show(strings.TrimSpace(part)); shown != "" {
			parts = append(parts, shown)
		}
	}
	return strings.Join(parts, " ")
}

// preformatted is text of several lines, each of them clean, as it is.
func preformatted(text string) string { return "<pre>\n" + html.EscapeString(text) + "</pre>\n" }
