package report_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

func linted() []report.Lint {
	hostile := "a\x1b[2J\n::error::b\u202e"
	return []report.Lint{
		{Name: "good.yml"},
		{Name: hostile, Problems: []report.LintProblem{
			{Finding: verdict.Finding{ID: verdict.RuleMalformed, Found: hostile, Expected: hostile, Next: hostile}, Line: 3, Column: 4},
			{Finding: verdict.Finding{ID: verdict.LayoutMalformed, Found: "the file is empty"}},
		}},
		{Name: "::warning::gone.yml", Unread: "no such file", Next: "check the path"},
	}
}

// TestLintText holds the words, and that no text leaves its line.
func TestLintText(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	if err := report.LintText(&got, linted(), report.Options{}); err != nil {
		t.Fatal(err)
	}
	want := `good.yml: no problems
a\u001b[2J\n::error::b\u202e:3:4: rule-malformed: a\u001b[2J\n::error::b\u202e
  expected a\u001b[2J\n::error::b\u202e
  next: a\u001b[2J\n::error::b\u202e
a\u001b[2J\n::error::b\u202e: layout-malformed: the file is empty
a\u001b[2J\n::error::b\u202e: 2 problems
\u003a:warning::gone.yml: not read: no such file
  next: check the path
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("text (-expected +got):\n%s", diff)
	}
	got.Reset()
	if err := report.LintText(&got, linted(), report.Options{Color: true}); err != nil || !strings.Contains(got.String(), "\x1b[32mgood.yml\x1b[0m: no problems") {
		t.Errorf("in colour: %v\n%s", err, got.String())
	}
}

// TestLintJSON holds the form, and that nothing hidden stands in it raw.
func TestLintJSON(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	if err := report.LintJSON(&got, linted()); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(got.String(), "\x1b\u202e") {
		t.Errorf("something hidden stands in it raw:\n%s", got.String())
	}
	var read struct {
		Schema   string `json:"$schema"`
		Problems int
		Files    []struct {
			Name, Unread, Next string
			Problems           []struct {
				ID, Found, Expected, Next string
				Line, Column              int
			}
		}
	}
	if err := json.Unmarshal([]byte(got.String()), &read); err != nil {
		t.Fatal(err)
	}
	if read.Schema != report.LintSchema || read.Problems != 2 || len(read.Files) != 3 || read.Files[0].Problems == nil {
		t.Errorf("read as %+v", read)
	}
	if p := read.Files[1].Problems[0]; p.ID != "rule-malformed" || p.Line != 3 || p.Column != 4 || p.Found != linted()[1].Name {
		t.Errorf("the problem is read as %+v", p)
	}
}

// TestProse holds how sentences are wrapped and cleaned.
func TestProse(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	long := strings.Repeat("word ", 25)
	if err := report.Prose(&got, []string{"A heading:", "  - " + long + "end.", "", "    " + long, "::error::\nno command\x1b[2J", strings.Repeat("x", 120) + " y"}); err != nil {
		t.Fatal(err)
	}
	want := "A heading:\n" +
		"  - word word word word word word word word word word word word word word word word word word word\n" +
		"    word word word word word word end.\n\n" +
		"    word word word word word word word word word word word word word word word word word word word\n" +
		"    word word word word word word\n" +
		`\u003a:error::\nno command\u001b[2J` + "\n" +
		strings.Repeat("x", 120) + "\ny\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("prose (-expected +got):\n%s", diff)
	}
}

// TestLintUnwritten holds that what cannot be written is an error.
func TestLintUnwritten(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"text":  report.LintText(failing{errors.New("full")}, linted(), report.Options{}),
		"json":  report.LintJSON(failing{errors.New("full")}, linted()),
		"prose": report.Prose(failing{errors.New("full")}, []string{"a"}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
