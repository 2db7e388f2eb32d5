package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// foldedText is a text whose folds stand between braces.
func foldedText(t *testing.T, d report.Document, o report.Options) string {
	t.Helper()
	var b strings.Builder
	o.Fold = func(title string, write func() error) error {
		b.WriteString("{" + title + "\n")
		err := write()
		b.WriteString("}\n")
		return err
	}
	if err := report.Text(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unfoldedText is a text without its folds, and their titles; it fails where one is in
// another.
func unfoldedText(t *testing.T, text string) (plain string, titles []string) {
	t.Helper()
	open := false
	var b strings.Builder
	for line := range strings.Lines(text) {
		switch title, opens := strings.CutPrefix(line, "{"); {
		case opens && open || line == "}\n" && !open:
			t.Errorf("a fold in a fold, or a fold that ends twice:\n%s", text)
		case opens:
			titles, open = append(titles, strings.TrimSuffix(title, "\n")), true
		case line == "}\n":
			open = false
		default:
			b.WriteString(line)
		}
	}
	return b.String(), titles
}

// A report with folds is the report without them, and nothing that is refused is folded.
func TestFolding(t *testing.T) {
	t.Parallel()
	for _, d := range documents() {
		o := report.Options{Verbose: d.verbose}
		got := foldedText(t, d.doc, o)
		if plain, _ := unfoldedText(t, got); plain != text(t, d.doc, o) {
			t.Errorf("%s: with folds it is another report:\n%s", d.name, got)
		}
		within := false
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "{") || line == "}\n" {
				within = line != "}\n"
			}
			if within && (strings.HasPrefix(line, "denied") || strings.HasPrefix(line, "undecided") || strings.Contains(line, "next: ")) {
				t.Errorf("%s: %q is folded away", d.name, line)
			}
		}
	}
	full := errors.New("full")
	broken := report.Options{Fold: func(string, func() error) error { return full }}
	if err := report.Text(&strings.Builder{}, context(traced(allowed("app"))), broken); !errors.Is(err, full) {
		t.Errorf("a fold that fails: %v", err)
	}
}

// More than ten lines are worth it, and artifacts that are allowed where there are several
// in a row.
func TestFoldingBounds(t *testing.T) {
	t.Parallel()
	candidates := func(n int) report.Document {
		v := allowed("app")
		for range n {
			v.Evidence = append(v.Evidence, uncounted(byBuilder(), verdict.Finding{ID: verdict.NotSubject}))
		}
		return context(v)
	}
	several := func(outcomes string) report.Document {
		var verdicts []verdict.Verdict
		for i, o := range outcomes {
			if o == 'd' {
				verdicts = append(verdicts, denied(fmt.Sprint(i)))
			} else {
				verdicts = append(verdicts, allowed(fmt.Sprint(i)))
			}
		}
		return context(verdicts...)
	}
	for name, row := range map[string]struct {
		d    report.Document
		want string
	}{
		"nine candidates, ten lines": {candidates(9), "[]"},
		"ten candidates":             {candidates(10), "[what did not count]"},
		"one allowed":                {several("a"), "[]"},
		"two allowed":                {several("aa"), "[]"}, // nine lines
		"three allowed":              {several("aaa"), "[3 artifacts are allowed]"},
		"around a refusal":           {several("aaadaaaa"), "[3 artifacts are allowed 4 artifacts are allowed]"},
		"refusals alone":             {several("dddd"), "[]"},
		"a trace":                    {context(traced(allowed("app"))), "[how it was decided]"},
		"traces within a row":        {context(traced(allowed("a")), traced(allowed("b"))), "[2 artifacts are allowed]"},
	} {
		if _, titles := unfoldedText(t, foldedText(t, row.d, report.Options{})); fmt.Sprint(titles) != row.want {
			t.Errorf("%s: folds %v, expected %s", name, titles, row.want)
		}
	}
}
