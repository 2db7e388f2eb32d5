package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/layouts"
)

// aClassic has everything that a classic layout can demand.
const aClassic = `{"signatures": [], "signed": {
  "_type": "layout", "readme": "", "expires": "2027-11-01T00:00:00Z",
  "rootcas": {}, "intermediatecas": {},
  "keys": {"8f70ff643a3b438fd7cc3174f8bcb17849618d08b5ddd593b9f6d54bf950828d": {"keytype": "ed25519", "scheme": "ed25519",
    "keyval": {"public": "631765fc1b30b621bbd055da6ea68725b5d068e85f03ccb9fd8ce3828b744414"}}},
  "steps": [
    {"_type": "step", "name": "write", "threshold": 1, "expected_command": ["vi", "{file}"],
     "pubkeys": ["8f70ff643a3b438fd7cc3174f8bcb17849618d08b5ddd593b9f6d54bf950828d"],
     "cert_constraints": [{"common_name": "*", "dns_names": [], "emails": ["a@example.com"], "organizations": ["*"], "roots": ["*"], "uris": ["spiffe://example.com/a"]}],
     "expected_materials": [], "expected_products": [["CREATE", "src/{file}"], ["DISALLOW", "*"]]},
    {"_type": "step", "name": "build", "threshold": 1, "expected_command": [],
     "pubkeys": ["8f70ff643a3b438fd7cc3174f8bcb17849618d08b5ddd593b9f6d54bf950828d"],
     "expected_materials": [["MATCH", "*", "IN", "src", "WITH", "PRODUCTS", "IN", "lib", "FROM", "write"], ["MODIFY", "x"]],
     "expected_products": [["REQUIRE", "app"], ["ALLOW", "app"]]}],
  "inspect": [
    {"_type": "inspection", "name": "untar", "run": ["tar", "xf", "{file}.tar"],
     "expected_materials": [["DELETE", "old"]], "expected_products": [["MATCH", "app", "WITH", "PRODUCTS", "FROM", "build"], ["DISALLOW", "*"]]}]
}}`

// TestDescribeClassic holds what is told of layouts of in-toto 1.0.
func TestDescribeClassic(t *testing.T) {
	t.Parallel()
	ready, err := layouts.Files.ReadFile("classic-1.0.layout")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"classic-1.0.layout": string(ready), "classic-every-key.layout": aClassic} {
		d, problems := describeText(t, name, text)
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		golden(t, name+".txt", strings.Join(d.Sentences(), "\n")+"\n")
		golden(t, name+".mmd", d.Mermaid())
	}
}

func describeText(t *testing.T, name, text string) (Description, []Problem) {
	t.Helper()
	e, refused := attestation.ReadEnvelope(name, []byte(text))
	if refused != nil {
		t.Fatal(refused)
	}
	return DescribeClassic(name, e, day())
}

// TestLintClassic breaks one thing at a time, and finds it where it is. The places
// are those in the signed part.
func TestLintClassic(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ old, new, want string }{
		{"2027-11", "2026-11", "0:0 layout-expired"},
		{`"2027-11-01T00:00:00Z"`, `"soon"`, "0:0 layout-malformed"},
		{`"threshold": 1, "expected_command": []`, `"threshold": 0, "expected_command": []`, "11:5 threshold-out-of-range"},
		{`["CREATE", "src/{file}"]`, `["MAKE", "src"]`, "7:5 rule-malformed"},
		{`"FROM", "write"`, `"FROM", "nowhere"`, "11:5 match-unknown-step"},
		{`"name": "untar"`, `"name": "build"`, "16:5 name-clash"},
		{`"run": ["tar", "xf", "{file}.tar"]`, `"run": []`, "16:5 layout-malformed"},
		{`"intermediatecas"`, `"intermediateCAs"`, "0:0 json-key-ambiguous"},
	} {
		text := strings.Replace(aClassic, row.old, row.new, 1)
		if text == aClassic {
			t.Fatalf("the layout does not hold %s", row.old)
		}
		_, problems := describeText(t, "root.layout", text)
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.ID))
		}
		if diff := cmp.Diff([]string{row.want}, got); diff != "" {
			t.Errorf("%s (-expected +found):\n%s", row.new, diff)
		}
	}
}
