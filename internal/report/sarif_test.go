package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// sarifLog is as much of a log as the tests look at.
type sarifLog struct {
	Version string `json:"version"`
	Runs    []struct {
		Tool struct {
			Driver struct {
				Rules []struct {
					ID   string `json:"id"`
					Help struct {
						Text, Markdown string
					} `json:"help"`
				} `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Artifacts   []map[string]any `json:"artifacts"`
		Invocations []struct {
			Successful    bool             `json:"executionSuccessful"`
			ExitCode      int              `json:"exitCode"`
			Notifications []map[string]any `json:"toolExecutionNotifications"`
		} `json:"invocations"`
		Results []sarifResult `json:"results"`
	} `json:"runs"`
}

type sarifResult struct {
	RuleID    string `json:"ruleId"`
	RuleIndex int    `json:"ruleIndex"`
	Level     string `json:"level"`
	Message   struct{ Text string }
	Locations []struct {
		Physical struct {
			Artifact struct{ URI string } `json:"artifactLocation"`
			Region   *struct {
				Line   int `json:"startLine"`
				Column int `json:"startColumn"`
			} `json:"region"`
		} `json:"physicalLocation"`
	} `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	CodeFlows    []struct {
		ThreadFlows []struct {
			Locations []struct {
				Location struct {
					Physical struct {
						Artifact struct{ URI string } `json:"artifactLocation"`
						Region   *struct {
							Line int `json:"startLine"`
						} `json:"region"`
					} `json:"physicalLocation"`
					Logical []struct{ Name string } `json:"logicalLocations"`
					Message struct{ Text string }
				} `json:"location"`
				Nesting    int `json:"nestingLevel"`
				Importance string
			} `json:"locations"`
		} `json:"threadFlows"`
	} `json:"codeFlows"`
}

// sarifSchema is the official schema of SARIF 2.1.0. It is not copied here: go-sarif
// carries it in its source, and checks with it only what it has read and written again.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		return nil, err
	}
	source, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	text := source.Decls[0].(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Trim(text, "`")))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const name = "https://example.com/sarif.json"
	if err := compiler.AddResource(name, schema); err != nil {
		return nil, err
	}
	return compiler.Compile(name)
})

// official holds a text to the official schema.
func official(t *testing.T, text string) error {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(parse(t, text))
}

// readSARIF reads a log, and holds it to the official schema.
func readSARIF(t *testing.T, d report.Document) sarifLog {
	t.Helper()
	return readLog(t, sarifText(t, d))
}

func readLog(t *testing.T, text string) sarifLog {
	t.Helper()
	if err := official(t, text); err != nil {
		t.Errorf("the log is no SARIF: %v", err)
	}
	if _, err := sarif.FromString(text, sarif.WithStrictValidation()); err != nil {
		t.Errorf("go-sarif does not read it: %v", err)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(text), &log, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs, expected one", len(log.Runs))
	}
	return log
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	for _, d := range documents() {
		run := readSARIF(t, d.doc).Runs[0]
		want := 0
		for _, v := range d.doc.Verdicts {
			if want += len(v.Findings); len(v.Findings) == 0 && !v.Allowed() {
				want++
			}
		}
		if len(d.doc.Verdicts) == 0 {
			want = 1
		}
		if len(run.Results) != want || len(run.Artifacts) != len(d.doc.Verdicts) {
			t.Errorf("%s: %d results for %d artifacts, expected %d for %d", d.name, len(run.Results), len(run.Artifacts), want, len(d.doc.Verdicts))
		}
		if clean := len(run.Results) == 0; clean != (d.doc.ExitCode() == 0) || run.Invocations[0].ExitCode != d.doc.ExitCode() {
			t.Errorf("%s: %d results with exit code %d", d.name, len(run.Results), d.doc.ExitCode())
		}
		if run.Invocations[0].Successful != (d.doc.Outcome() != verdict.Undecided) {
			t.Errorf("%s: executionSuccessful is %t", d.name, run.Invocations[0].Successful)
		}
		for _, r := range run.Results {
			if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || len(r.Locations) != 1 || r.Locations[0].Physical.Artifact.URI == "" || r.Fingerprints["signatusFinding/v1"] == "" {
				t.Errorf("%s: an incomplete result %+v", d.name, r)
			}
		}
	}
}

// A lint's problems are errors at their lines, and what could not be read is told.
func TestLintSARIF(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	write := func(files []report.Lint) sarifLog {
		var text strings.Builder
		if err := report.LintSARIF(&text, files, "v1.2.3", at); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(text.String(), "\x1b\u202e") {
			t.Errorf("something hidden stands in it raw:\n%s", text.String())
		}
		return readLog(t, text.String())
	}
	run := write(linted()).Runs[0]
	if len(run.Results) != 2 || len(run.Artifacts) != 3 || run.Invocations[0].ExitCode != 3 || run.Invocations[0].Successful || len(run.Invocations[0].Notifications) != 1 {
		t.Fatalf("%d results, %d artifacts, %+v", len(run.Results), len(run.Artifacts), run.Invocations)
	}
	first := run.Results[0]
	if r := first.Locations[0].Physical.Region; first.RuleID != "rule-malformed" || first.Level != "error" || r == nil || r.Line != 3 || r.Column != 4 {
		t.Errorf("the first result is %+v", first)
	}
	if run.Results[1].Locations[0].Physical.Region != nil {
		t.Errorf("a problem of the whole file has a line: %+v", run.Results[1])
	}
	for files, code := range map[string]int{"clean": 0, "wrong": 1} {
		lints := linted()[:map[string]int{"clean": 1, "wrong": 2}[files]]
		if got := write(lints).Runs[0]; got.Invocations[0].ExitCode != code || !got.Invocations[0].Successful || (len(got.Results) == 0) != (code == 0) {
			t.Errorf("%s: %+v with %d results", files, got.Invocations, len(got.Results))
		}
	}
}

// The official schema is what the logs are held to: without a message, with a
// level that there is not, it refuses.
func TestSARIFSchemaRefuses(t *testing.T) {
	t.Parallel()
	good := sarifText(t, context(denied("app")))
	for old, broken := range map[string]string{
		`"level": "error"`: `"level": "fatal"`, `"message": {`: `"massage": {`, `"version": "2.1.0"`: `"version": "2.0.0"`, `"ruleIndex": 0`: `"ruleIndex": -2`,
	} {
		if !strings.Contains(good, old) {
			t.Errorf("the log holds no %s", old)
		}
		if official(t, strings.Replace(good, old, broken, 1)) == nil {
			t.Errorf("%s passes", broken)
		}
	}
}

func TestSARIFLevels(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		d     report.Document
		level string
	}{"denied": {context(denied("app")), "error"}, "undecided": {undecided(), "warning"}, "nothing": {report.Document{}, "error"}} {
		if got := readSARIF(t, row.d).Runs[0].Results[0].Level; got != row.level {
			t.Errorf("%s: level %s, expected %s", name, got, row.level)
		}
	}
}

func TestSARIFLocations(t *testing.T) {
	t.Parallel()
	digest := artifact.DigestSet{artifact.SHA256: strings.Repeat("0", 64)}
	file := artifact.Artifact{Given: "dist/my app", Name: "my app", Digest: digest}
	for _, row := range []struct {
		name, where string
		artifact    artifact.Artifact
		uri         string
		line        int
	}{
		{"a line of the layout", "layouts/a.yml:14:7", file, "layouts/a.yml", 14},
		{"a layout as a whole", "layouts/a.yml", file, "layouts/a.yml", 0},
		{"a path with colons", "./a:b:c:3:9", file, "./a:b:c", 3},
		{"numbers that are none", "a:0:7", file, "./a:0:7", 0},
		{"no place", "", file, "dist/my%20app", 0},
		{"an absolute path", "/srv/a.yml:1:1", file, "file:///srv/a.yml", 1},
		{"a digest", "", artifact.Artifact{Given: "sha256:00", Digest: digest}, "sha256:00", 0},
		{"an image", "", artifact.Artifact{Given: "oci://ghcr.io/acme/app@sha256:00", Digest: digest}, "oci://ghcr.io/acme/app@sha256:00", 0},
		{"a file that is named like a digest", "", artifact.Artifact{Given: "sha256:00", Name: "sha256:00", Digest: digest}, "./sha256:00", 0},
		{"no artifact", "", artifact.Artifact{}, "layouts/author-and-builder.yml", 0},
		{"a question mark and a hash", "", artifact.Artifact{Given: "a?b#c", Name: "a?b#c", Digest: digest}, "a%3Fb%23c", 0},
	} {
		v := verdict.Verdict{Artifact: row.artifact}.Deny(verdict.Finding{ID: verdict.RuleDisallow, Where: row.where, Found: "x"})
		at := readSARIF(t, context(v)).Runs[0].Results[0].Locations[0].Physical
		line := 0
		if at.Region != nil {
			line = at.Region.Line
		}
		if at.Artifact.URI != row.uri || line != row.line {
			t.Errorf("%s: %s line %d, expected %s line %d", row.name, at.Artifact.URI, line, row.uri, row.line)
		}
	}
}

// The same finding in another run is the same alert; another one is another.
func TestSARIFFingerprints(t *testing.T) {
	t.Parallel()
	of := func(name, digest string, f verdict.Finding) string {
		v := verdict.Verdict{Artifact: artifact.Artifact{Given: "dist/" + name, Name: name, Digest: artifact.DigestSet{artifact.SHA256: digest}}}.Deny(f)
		return readSARIF(t, context(v)).Runs[0].Results[0].Fingerprints["signatusFinding/v1"]
	}
	base := verdict.Finding{ID: verdict.RuleDisallow, Step: "build", Rule: "DISALLOW *", Where: "l.yml:3:1", Found: "x"}
	first := of("app", "00", base)
	moved := base
	moved.Where, moved.Found = "l.yml:9:1", "y"
	if of("app", "11", moved) != first {
		t.Error("it changes with the build, the line or the words")
	}
	for name, change := range map[string]func(*verdict.Finding){
		"id":   func(f *verdict.Finding) { f.ID = verdict.RuleRequire },
		"step": func(f *verdict.Finding) { f.Step = "author" },
		"rule": func(f *verdict.Finding) { f.Rule = "DISALLOW x" },
	} {
		other := base
		if change(&other); of("app", "00", other) == first {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	if of("lib", "00", base) == first {
		t.Error("another artifact has the same fingerprint")
	}
}

// A rule's help is the section of docs/findings.md, without links.
func TestSARIFHelp(t *testing.T) {
	t.Parallel()
	run := readSARIF(t, context(denied("app"))).Runs[0]
	help := run.Tool.Driver.Rules[0].Help
	for _, want := range []string{"The signature is good, and somebody made it who may not speak for this step.", "What to do.", "docs/findings.md#signer-not-functionary"} {
		if !strings.Contains(help.Text, want) {
			t.Errorf("the help lacks %q:\n%s", want, help.Text)
		}
	}
	if strings.Contains(help.Markdown, "](") || strings.Contains(help.Text, "**") {
		t.Errorf("links or marks are left:\n%s", help.Markdown)
	}
}

func TestSARIFHostile(t *testing.T) {
	t.Parallel()
	for _, evil := range slices.Concat(evilMarkdown(), []string{"{0} {1} {9}", "[x](1)", strings.Repeat("x", 1<<16), "a:1:1", "/etc/passwd", "../../x", "\xff\xfe"}) {
		log := sarifText(t, hostile(evil))
		for _, r := range log {
			if r != '\n' && (r < ' ' || strings.ContainsRune("\u202e\u200b", r)) {
				t.Errorf("%q leaves %U", evil, r)
			}
		}
		for _, result := range readSARIF(t, hostile(evil)).Runs[0].Results {
			if text := result.Message.Text; strings.Contains(text, "](") || strings.Contains(text, "{0}") || len(text) > 1<<16 {
				t.Errorf("%q is a link or an argument in %q", evil, text)
			}
			if uri := result.Locations[0].Physical.Artifact.URI; strings.ContainsAny(uri, " <>\"\\^`{|}\n\x1b") {
				t.Errorf("%q makes the location %q", evil, uri)
			}
		}
	}
}

// GitHub shows 5,000 results of a run, and refuses one of more than 25,000.
func TestSARIFIsBounded(t *testing.T) {
	t.Parallel()
	var many []verdict.Verdict
	for i := range 5100 {
		many = append(many, denied(fmt.Sprintf("app-%d", i)))
	}
	d := context(many...)
	d.Warnings = slices.Repeat([]string{"x"}, 1000)
	var log sarifLog
	if err := json.Unmarshal([]byte(sarifText(t, d)), &log, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != 5000 || len(run.Artifacts) != 5000 || len(run.Invocations[0].Notifications) > 250 {
		t.Errorf("%d results, %d artifacts, %d notifications", len(run.Results), len(run.Artifacts), len(run.Invocations[0].Notifications))
	}
	if !strings.Contains(fmt.Sprint(run.Invocations[0].Notifications), "100 findings more are left out") {
		t.Error("nothing says that findings are left out")
	}
}

// GitHub takes logs of 10 MB, compressed: of what nothing makes smaller there are fewer
// results, and the log counts the others.
func TestSARIFCanBeUploaded(t *testing.T) {
	t.Parallel()
	noise := rand.NewChaCha8([32]byte{1})
	random := func() string {
		text := make([]byte, 1500)
		_, _ = noise.Read(text) // it always does
		return base64.StdEncoding.EncodeToString(text)
	}
	v := verdict.Verdict{Artifact: artifact.Artifact{Given: "app", Name: "app"}}
	for range 5000 {
		v.Findings = append(v.Findings, verdict.Finding{ID: verdict.RuleDisallow, Found: random(), Expected: random()})
	}
	text := sarifText(t, report.Document{Verdicts: []verdict.Verdict{v}})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if packed.Len() > 10_000_000 || !strings.Contains(text, "2500 findings more are left out here") {
		t.Errorf("%d bytes, %d compressed", len(text), packed.Len())
	}
}
