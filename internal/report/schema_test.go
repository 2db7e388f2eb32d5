package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const schemaFile = "../../docs/report.schema.json"

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(report.Schema, parse(t, string(text))); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(report.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func parse(t *testing.T, text string) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSchemaHolds(t *testing.T) {
	t.Parallel()
	schema := compile(t)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden JSON report: %v", err)
	}
	for _, file := range files {
		if filepath.Base(file) == "hostile.json" {
			continue // its digests and finding ids are texts; see below
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(parse(t, string(text))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := schema.Validate(parse(t, jsonText(t, wellTyped(hostile("\x1b\u202e"))))); err != nil {
		t.Errorf("hostile text: %v", err)
	}
}

// wellTyped gives a hostile document the values that this program makes itself.
func wellTyped(d report.Document) report.Document {
	d.Layout.SHA256, d.Roots[0].SHA256 = strings.Repeat("0", 64), ""
	d.Summaries[0].Result = "PASSED"
	v := &d.Verdicts[0]
	for i := range v.Findings {
		v.Findings[i].ID = verdict.RuleDisallow
	}
	for i := range v.Evidence {
		if v.Evidence[i].Reason != nil {
			v.Evidence[i].Reason.ID = verdict.RuleDisallow
		}
		for j := range v.Evidence[i].Times {
			v.Evidence[i].Times[j].Kind = "transparency log"
		}
	}
	v.Artifact.Digest = artifact.DigestSet{artifact.SHA256: "00"}
	return d
}

// The schema is exact: every report with a field too many, or without one that
// must be there, is refused.
func TestSchemaIsExact(t *testing.T) {
	t.Parallel()
	schema := compile(t)
	optional := []string{"judgedAt", "expires", "date", "reason", "trace", "finding"}
	original := jsonText(t, stated(context(traced(allowed("a")), traced(denied("b")), nested())))
	mutations := 0
	for path := range objects(parse(t, original), nil) {
		if slices.Contains(path, "parameters") || slices.Contains(path, "digest") {
			continue // maps
		}
		whole := parse(t, original)
		at(whole, path)["extra"] = "1"
		refuses(t, schema, whole, strings.Join(path, ".")+" with a field too many")
		for name := range at(parse(t, original), path) {
			if slices.Contains(optional, name) {
				continue
			}
			mutations++
			whole := parse(t, original)
			delete(at(whole, path), name)
			refuses(t, schema, whole, strings.Join(path, ".")+" without "+name)
		}
	}
	if mutations < 100 {
		t.Errorf("%d mutations, expected more than 100", mutations)
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema := compile(t)
	yes, no := jsonText(t, context(allowed("a"))), jsonText(t, context(denied("b")))
	for _, row := range []struct{ name, text, old, new string }{
		{"an unknown outcome", no, `"outcome": "denied"`, `"outcome": "passed"`},
		{"allowed with exit code 1", no, `"outcome": "denied"`, `"outcome": "allowed"`},
		{"denied with exit code 0", no, `"exitCode": 1`, `"exitCode": 0`},
		{"undecided with exit code 0", yes, `"outcome": "allowed"`, `"outcome": "undecided"`},
		{"a usage error", no, `"exitCode": 1`, `"exitCode": 2`},
		{"another version", no, `"schemaVersion": "1"`, `"schemaVersion": "2"`},
		{"another schema", no, `report/v1`, `report/v2`},
		{"a number as version", no, `"schemaVersion": "1"`, `"schemaVersion": 1`},
		{"null for a list", no, `"warnings": []`, `"warnings": null`},
		{"a time that is not in UTC", no, `T12:00:00Z`, `T14:00:00+02:00`},
		{"a time that is none", no, `T12:00:00Z`, `TZ`},
		{"an unknown witness", yes, `"transparency log"`, `"calendar"`},
		{"an id that is none", no, `"signer-not-functionary"`, `"Threshold not met"`},
		{"allowed without evidence that counts", yes, `"counted": true`, `"counted": false`},
		{"allowed with a step that is not satisfied", yes, `"satisfied": true`, `"satisfied": false`},
		{"an unverified candidate with a signer", no, `"verified": true`, `"verified": false`},
		{"a short layout digest", no, `"1f2e`, `"`},
	} {
		if !strings.Contains(row.text, row.old) {
			t.Errorf("%s: the report holds no %s", row.name, row.old)
		}
		refuses(t, schema, parse(t, strings.ReplaceAll(row.text, row.old, row.new)), row.name)
	}
	for _, all := range []string{
		`{"$schema":"` + report.Schema + `","schemaVersion":"1","tool":{"name":"signatus","version":""},"outcome":"allowed","exitCode":0,` +
			`"summary":{"artifacts":0,"allowed":0,"denied":0,"undecided":0},"layout":{"name":"","sha256":"","version":0,"trust":""},` +
			`"parameters":{},"roots":[],"searched":[],"warnings":[],"loosenings":[],"summaries":[],"verdicts":[]}`, `{}`, `[]`, `null`,
	} {
		refuses(t, schema, parse(t, all), all)
	}
}

func refuses(t *testing.T, schema *jsonschema.Schema, value any, what string) {
	t.Helper()
	if schema.Validate(value) == nil {
		t.Errorf("the schema lets pass: %s", what)
	}
}

// objects yields the path of every object in a value.
func objects(value any, path []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		var below map[string]any
		switch value := value.(type) {
		case map[string]any:
			if !yield(path) {
				return
			}
			below = value
		case []any:
			below = map[string]any{}
			for i, item := range value {
				below[string(rune('0'+i))] = item
			}
		}
		for name, item := range below {
			for p := range objects(item, append(slices.Clone(path), name)) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// at follows a path that objects gave.
func at(value any, path []string) map[string]any {
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			value = v[name[0]-'0']
		}
	}
	return value.(map[string]any)
}

// docs/report.md names every field of the schema, and its example is a report.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	const file = "../../docs/report.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	schemaText, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema node
	if err := json.Unmarshal(schemaText, &schema); err != nil {
		t.Fatal(err)
	}
	for _, field := range schema.fields("", schema.Defs) {
		if !bytes.Contains(page, []byte("`"+field+"`")) {
			t.Errorf("%s does not name the field %s", file, field)
		}
	}
	for block, example := range map[string]string{
		"```text\n": text(t, context(denied("app-linux-amd64")), report.Options{}),
		"```json\n": jsonText(t, context(denied("app-linux-amd64"))),
	} {
		before, rest, opened := bytes.Cut(page, []byte(block))
		_, after, closed := bytes.Cut(rest, []byte("```\n"))
		if !opened || !closed {
			t.Fatalf("%s has no %q block", file, block)
		}
		if want := slices.Concat(before, []byte(block+example+"```\n"), after); !bytes.Equal(page, want) && *update {
			page = want
			if err := os.WriteFile(file, page, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(page, want) {
			t.Errorf("%s: the %q block is not what this program writes; go test ./internal/report -update writes it anew", file, block)
		}
	}
}

// node is as much of a schema as names its fields.
type node struct {
	Ref        string          `json:"$ref"`
	Defs       map[string]node `json:"$defs"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
}

// fields lists the paths of all fields, for example verdicts[].artifact.given.
func (n node) fields(path string, defs map[string]node) []string {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		if path != "" && (strings.HasSuffix(path, ".reason") || strings.HasSuffix(path, ".finding") || strings.HasSuffix(path, "sublayouts[].trace")) {
			return []string{path}
		}
		n = defs[name]
	}
	var all []string
	for name, property := range n.Properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		all = append(all, at)
		all = append(all, property.fields(at, defs)...)
	}
	if n.Items != nil {
		all = append(all, n.Items.fields(path+"[]", defs)...)
	}
	return all
}
