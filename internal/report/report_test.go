package report_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file below testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./internal/report -update writes it anew\n%s", file, diff)
	}
}

func text(t *testing.T, d report.Document, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Text(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func jsonText(t *testing.T, d report.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func markdown(t *testing.T, d report.Document, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Markdown(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sarifText(t *testing.T, d report.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.SARIF(&b, d, report.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, d := range documents() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			golden(t, d.name+".txt", text(t, d.doc, report.Options{Verbose: d.verbose}))
			golden(t, d.name+".color.txt", text(t, d.doc, report.Options{Verbose: d.verbose, Color: true}))
			if !d.verbose {
				golden(t, d.name+".json", jsonText(t, d.doc))
				golden(t, d.name+".sarif", sarifText(t, d.doc))
				golden(t, d.name+".md", markdown(t, d.doc, report.Options{}))
			}
		})
	}
}

// A refusal opens with the step, what was expected and the next step, to the letter.
func TestRefusalOfTheDesign(t *testing.T) {
	t.Parallel()
	const want = `denied: app-linux-amd64 against layouts/author-and-builder.yml
  ✓ build   release.yml@refs/heads/main of acme/app (GitHub Actions), SLSA provenance v1
  ✗ author  0 of 1 required: 1 attestation found, signer mallory@example.com is not a functionary of this step
            expected alice@example.com or bob@example.com (issuer https://accounts.google.com)
            next: have one of them run  signatus attest --commit 3f2a9c1 --step author
`
	got := text(t, context(denied("app-linux-amd64")), report.Options{})
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant it to open with\n%s", got, want)
	}
}

func TestColorIsOnlyColor(t *testing.T) {
	t.Parallel()
	for _, d := range documents() {
		colored := text(t, d.doc, report.Options{Verbose: d.verbose, Color: true})
		if diff := cmp.Diff(text(t, d.doc, report.Options{Verbose: d.verbose}), withoutColor(colored)); diff != "" {
			t.Errorf("%s: without its colours the report differs (-plain +colour)\n%s", d.name, diff)
		}
	}
}

func withoutColor(s string) string {
	return strings.NewReplacer("\x1b[0m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "").Replace(s)
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	yes, no := allowed("a"), denied("b")
	open := undecided().Verdicts[0]
	for _, row := range []struct {
		name     string
		verdicts []verdict.Verdict
		outcome  verdict.Outcome
		code     int
	}{
		{"nothing", nil, verdict.Denied, 1},
		{"zero verdict", make([]verdict.Verdict, 1), verdict.Denied, 1},
		{"allowed and zero verdict", []verdict.Verdict{yes, {}}, verdict.Denied, 1},
		{"allowed", []verdict.Verdict{yes}, verdict.Allowed, 0},
		{"all allowed", []verdict.Verdict{yes, yes}, verdict.Allowed, 0},
		{"one denied", []verdict.Verdict{yes, no, yes}, verdict.Denied, 1},
		{"undecided", []verdict.Verdict{open}, verdict.Undecided, 3},
		{"allowed and undecided", []verdict.Verdict{yes, open}, verdict.Undecided, 3},
		{"undecided and denied", []verdict.Verdict{open, no}, verdict.Denied, 1},
	} {
		d := report.Document{Verdicts: row.verdicts}
		if got := d.Outcome(); got != row.outcome {
			t.Errorf("%s: outcome %s, want %s", row.name, got, row.outcome)
		}
		if got := d.ExitCode(); got != row.code {
			t.Errorf("%s: exit code %d, want %d", row.name, got, row.code)
		}
		if row.outcome == verdict.Allowed {
			continue
		}
		if len(row.verdicts) < 2 && strings.Contains(text(t, d, report.Options{}), "✓ author") {
			t.Errorf("%s: a report that is not allowed ticks a step that nobody satisfied", row.name)
		}
	}
}

// A candidate whose signature did not verify says nothing of itself, whatever
// the caller left in its fields.
func TestUnverifiedSaysNothing(t *testing.T) {
	t.Parallel()
	e := byAuthor("alice")
	e.Verified = false
	d := context(verdict.Verdict{
		Artifact: inHand("app"), Evidence: []verdict.Evidence{e},
		Steps: []verdict.Step{{Name: "author", Required: 1}},
	})
	for format, got := range map[string]string{"text": text(t, d, report.Options{Verbose: true}), "json": jsonText(t, d)} {
		for _, claim := range []string{"alice", "link", "rekor", `"counted": true`} {
			if strings.Contains(got, claim) {
				t.Errorf("%s report repeats %q of a candidate that did not verify:\n%s", format, claim, got)
			}
		}
	}
}

// A predicate type cannot call itself by the short name of another, nor go on
// as the report would.
func TestPredicateTypeIsNotMistaken(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"SLSA provenance v1", "https://a, SLSA provenance v1", "https://a SLSA", `x", SLSA provenance v1`, "https://slsa.dev/provenance/v1 ",
	} {
		v := allowed("app")
		v.Evidence[1].PredicateType = uri
		got := text(t, context(v), report.Options{})
		if strings.Contains(got, ", SLSA provenance v1,") || !strings.Contains(got, `(GitHub Actions), "`) {
			t.Errorf("predicate type %q is shown without quotes:\n%s", uri, got)
		}
	}
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	d := context(allowed("app"))
	full := errors.New("no space left on device")
	if err := report.Text(failing{full}, d, report.Options{}); !errors.Is(err, full) {
		t.Errorf("Text: got %v, want %v", err, full)
	}
	if err := report.JSON(failing{full}, d); !errors.Is(err, full) {
		t.Errorf("JSON: got %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
