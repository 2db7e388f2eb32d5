package report_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// evilMarkdown is what a name, a signer or a server might say to become more
// than text in a summary or a comment.
func evilMarkdown() []string {
	return []string{
		"x | ✅ | 9 of 9 |", `x \| y`, `x \`, "`code` ``more`` ```", "` ✅ allowed `", "**bold** __b__ *i* _i_ ~~s~~", "[text](https://evil.example/)",
		"![image](https://evil.example/i.png)", "<https://evil.example/>", "<img src=x onerror=alert(1)>", "</details></summary></table><h1>✅ allowed</h1>",
		"</pre><script>alert(1)</script>", "<!-- hidden --> --> <!--", "@octocat @acme/security", "alice@example.com", "#123 acme/app#1 GH-1", "https://evil.example/x?y=1&z=2",
		"www.evil.example", "WWW.evil.example", "mailto:a@b.example", "ftp://evil.example", "xmpp:a@b.example", "xmpp://b.example", "mailto://b.example", "&lt;b&gt; &#60; &amp;", "$\\evil$ $$x$$", ":smile: ^x^", "# heading", "> quote",
		"- item\n1. item", "| --- |\n| x |", "\n\n## ✅ allowed\n\n", "x\r\n\r\n| y |", "\u202egnp.exe\u202c", "\x1b[2J", "a\u200bb", "~~~", "\t\tcode", "  ", " x ", "::error::x", "##[error]x",
	}
}

// literal takes out what Markdown shows as it is: code spans and preformatted
// text, neither of which can be left from within.
func literal(md string) (rest string, taken []string) {
	for _, span := range []string{`(?s)<pre>\n.*?</pre>\n`, "`[^`\n]+`"} {
		taken = append(taken, regexp.MustCompile(span).FindAllString(md, -1)...)
		md = regexp.MustCompile(span).ReplaceAllString(md, "")
	}
	return md, taken
}

// withoutRules takes the bars out of the lines of a list that are one code span, a
// rule's: around them is no table.
func withoutRules(md string) string {
	lines := strings.Split(md, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "- rule `") && strings.HasSuffix(line, "`") && strings.Count(line, "`") == 2 {
			lines[i] = strings.ReplaceAll(line, "|", "")
		}
	}
	return strings.Join(lines, "\n")
}

// harmless lists what is wrong with a report for all that a text may be.
func harmless(md string) (problems []string) {
	rest, taken := literal(withoutRules(ownLinks(md)))
	for _, span := range taken {
		if inner := strings.TrimSuffix(strings.TrimPrefix(span, "<pre>\n"), "</pre>\n"); inner != span && strings.ContainsAny(inner, "<>") {
			problems = append(problems, "a tag within <pre>")
		}
		if !strings.HasPrefix(span, "<pre>") && strings.ContainsAny(span, "|\n") {
			problems = append(problems, "a code span ends a table cell: "+span)
		}
	}
	own := regexp.MustCompile(`[@#]?<!-- -->|</?details>|</?summary>|<br>|&#\d+;|&amp;|&lt;|&gt;`)
	for line := range strings.Lines(own.ReplaceAllString(rest, "\x00")) {
		line = strings.TrimSuffix(line, "\n")
		for _, mark := range []string{"**", "|", "> ⚠️ ", "### ", "## ", "*Shortened", "them all.*"} {
			line = strings.ReplaceAll(line, mark, "") // the report's own
		}
		for _, r := range line {
			if strings.ContainsRune("`*_[]<>&~$!^#@\\", r) && r != 0 {
				problems = append(problems, fmt.Sprintf("%q stands open in %q", r, line))
			}
		}
		for _, link := range []string{"://", "www.", "WWW.", "mailto:", "xmpp:"} {
			if strings.Contains(line, link) {
				problems = append(problems, fmt.Sprintf("%s stands open in %q", link, line))
			}
		}
	}
	for _, r := range md {
		if r != '\n' && r != '\ufe0f' && !unicode.IsPrint(r) {
			problems = append(problems, fmt.Sprintf("%U is left", r))
		}
	}
	return problems
}

func TestMarkdownHostile(t *testing.T) {
	t.Parallel()
	for _, evil := range evilMarkdown() {
		for _, d := range []report.Document{hostile(evil), {Verdicts: []verdict.Verdict{{Artifact: artifact.Artifact{Given: evil}}, hostile(evil).Verdicts[0]}}} {
			md := markdown(t, d, report.Options{Verbose: true})
			for _, problem := range harmless(md) {
				t.Errorf("%q: %s", evil, problem)
			}
			for line := range strings.Lines(md) {
				if strings.HasPrefix(line, "## ✅") || strings.HasPrefix(line, "### ✅") {
					t.Errorf("%q makes a verdict of its own: %q", evil, line)
				}
			}
			columns(t, md)
		}
	}
}

// columns holds every row of a table to the cells of its first.
func columns(t *testing.T, md string) {
	t.Helper()
	want := 0
	for line := range strings.Lines(md) {
		if !strings.HasPrefix(line, "|") {
			want = 0
			continue
		}
		if n := strings.Count(line, "|"); want == 0 {
			want = n
		} else if n != want {
			t.Errorf("a row of %d bars in a table of %d: %q", n, want, line)
		}
	}
}

// What the tests above call harmless is not: the check sees each kind of harm.
func TestHarmlessSees(t *testing.T) {
	t.Parallel()
	for _, md := range []string{"[a](b)\n", "<b>\n", "@you\n", "a@b.example\n", "#1\n", "https://x\n", "www.x\n", "`a|b`\n", "``\n", "<pre>\n<b></pre>\n", "a_b_\n", "\u202e\n", "\\\n"} {
		if harmless(md) == nil {
			t.Errorf("%q passes", md)
		}
	}
	if problems := harmless("## ✅ allowed: `x`\n\n- **next:** a@<!-- -->b\n"); problems != nil {
		t.Errorf("the report's own form does not: %v", problems)
	}
}

// A summary that is too long is not shown at all, so the report ends before.
func TestMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("|", report.MaxText)
	big := crowd()
	for i := range 3000 {
		e := big.Evidence[len(big.Evidence)-1]
		e.Source = fmt.Sprintf("%d %s", i, long)
		big.Evidence = append(big.Evidence, e)
	}
	var many []verdict.Verdict
	for i := range 4000 {
		many = append(many, traced(allowed(fmt.Sprintf("app-%d", i))))
	}
	many = append(many, denied("the one that is denied"))
	noisy := report.Document{Verdicts: []verdict.Verdict{denied("app")}}
	for range 100_000 {
		noisy.Warnings = append(noisy.Warnings, long)
		noisy.Searched = append(noisy.Searched, report.Place{Name: long})
		noisy.Roots = append(noisy.Roots, report.Root{Name: long, Source: long})
	}
	steps := denied("app")
	for range 5000 {
		steps = steps.Deny(verdict.Finding{ID: verdict.RuleDisallow, Step: long, Found: strings.Repeat("`", 2048)})
		steps.Steps = append(steps.Steps, verdict.Step{Name: long, By: []string{long, long}})
		steps.Notes = append(steps.Notes, long)
	}
	for name, row := range map[string]struct {
		d    report.Document
		want string
	}{
		"much evidence":           {context(big), "*Shortened: 1 lists of evidence are left out here."},
		"many artifacts":          {context(many...), " artifacts, "},
		"many warnings and roots": {noisy, "**Warning**: and 99990 more"},
		"many steps and findings": {context(steps), "## ❌ denied"},
	} {
		md := markdown(t, row.d, report.Options{Verbose: true})
		if len(md) >= 1<<20 {
			t.Errorf("%s: %d bytes, a step summary takes 1 MiB", name, len(md))
		}
		if !strings.Contains(md, row.want) {
			t.Errorf("%s: it does not say %q", name, row.want)
		}
		if name == "many artifacts" && !strings.Contains(md, "the one that is denied") {
			t.Errorf("%s: the denied one is left out", name)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, seed := range evilMarkdown() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, problem := range harmless(markdown(t, hostile(s), report.Options{Verbose: true})) {
			t.Errorf("%q: %s", s, problem)
		}
	})
}

// Rules are read in Markdown as they were written.
func TestMarkdownRule(t *testing.T) {
	t.Parallel()
	const rule = `!("tag" in params) || signer.job.ref == params.tag`
	denied := verdict.Verdict{}.Deny(verdict.Finding{ID: verdict.AttributeFalse, Step: "build", Rule: rule})
	var md strings.Builder
	if err := report.Markdown(&md, report.Document{Verdicts: []verdict.Verdict{denied}}, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(md.String(), "\n- rule `"+rule+"`\n") {
		t.Errorf("the rule is not as it was written:\n%s", md.String())
	}
}
