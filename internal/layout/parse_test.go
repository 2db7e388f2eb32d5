package layout

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// valid has every key that the schema knows.
const valid = `_type: layout
version: 1
expires: "2027-03-01T00:00:00Z"
gitHash: sha256
parameters:
  repo: {pattern: "github.com/*/*", required: true}
functionaries:
  alice-oidc:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: alice@example.com}
  bob-oidc:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: bob@example.com}
  release-wf:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal:
      root: sigstore
      issuer: "https://token.actions.githubusercontent.com"
      identity: "https://{repo}/.github/workflows/release.yml@refs/heads/main"
      extensions: {sourceRepositoryURI: "https://{repo}", buildTrigger: [push, workflow_dispatch]}
principals:
  alice: {functionaries: [alice-oidc], kind: person}
  builder: {functionaries: [release-wf], kind: workload}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["REQUIRE git+https://{repo}", "ALLOW git+https://{repo}", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [alice, bob-oidc], threshold: 2}
  - name: build
    expectedMaterials:
      - REQUIRE git+https://{repo}
      - MATCH git+https://{repo} WITH PRODUCTS FROM author
      - DISALLOW *
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates:
      - anyOf:
          - {predicateType: "https://slsa.dev/provenance/v1"}
          - {predicateType: "https://slsa.dev/provenance/v0.2"}
        functionaries: [builder]
        threshold: 1
        maxAge: 24h
        ageFrom: metadata.finishedOn
    distinctFrom: [author]
subjects:
  - {subject: ["*"], from: build}
deny:
  - {digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000", reason: a miner}
`

// broken is the valid layout with one thing changed.
type broken struct {
	name     string
	old, new string
	want     verdict.ID
	at       string // line:column; empty where there is none
}

func (b broken) text(t *testing.T) string {
	t.Helper()
	if b.old == "" {
		return b.new
	}
	if !strings.Contains(valid, b.old) {
		t.Fatalf("the valid layout has no %q", b.old)
	}
	return strings.Replace(valid, b.old, b.new, 1)
}

// run parses the text and holds what was found to the row. Nothing but the one
// problem may be found, lest a message hide behind another one.
func (b broken) run(t *testing.T) {
	t.Helper()
	text := b.text(t)
	l, findings := Parse("x.yml", []byte(text), now())
	if l != nil || len(findings) == 0 {
		t.Fatalf("it was accepted, expected %s", b.want)
	}
	where := "x.yml"
	if b.at != "" {
		where += ":" + b.at
	}
	for _, f := range findings {
		if f.ID != b.want || f.Where != where {
			t.Errorf("found %s\nexpected %s at %s", f, b.want, where)
		}
		if f.Found == "" || f.Expected == "" || f.Next == "" {
			t.Errorf("the finding leaves its reader alone: %+v", f)
		}
		if strings.ContainsAny(f.Found+f.Expected+f.Next, "\n\r\x00") {
			t.Errorf("the finding is not one line: %q", f)
		}
	}
	if len(findings) > 2 {
		t.Errorf("one mistake gave %d findings", len(findings))
	}
}

func TestParseValid(t *testing.T) {
	t.Parallel()
	l := mustParse(t, valid)
	if l.Name() != "layout.yml" || l.Version() != 1 || !l.Expires().Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("layout is %q, version %d, expires %s", l.Name(), l.Version(), l.Expires())
	}
	if diff := cmp.Diff([]string{"author", "build"}, l.StepNames()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sigstore"}, l.Roots()); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(l.DigestAlgorithms(), len(l.Keys())); got != "[sha256] 0" {
		t.Errorf("algorithms and keys are %s", got)
	}
	for name, text := range map[string]string{
		"CRLF":               strings.ReplaceAll(valid, "\n", "\r\n"),
		"a document start":   "---\n" + valid,
		"a document end":     valid + "...\n",
		"comments":           "# a layout\n" + strings.ReplaceAll(valid, "\n", " # x\n"),
		"no final line end":  strings.TrimSuffix(valid, "\n"),
		"JSON":               asJSON(t, valid),
		"JSON, indented":     string(indented(t, valid)),
		"an unquoted date":   strings.Replace(valid, `"2027-03-01T00:00:00Z"`, "2027-03-01T00:00:00Z", 1),
		"an offset":          strings.Replace(valid, "00:00:00Z", "00:00:00+02:00", 1),
		"keywords in lower":  strings.Replace(valid, "MATCH git+https://{repo} WITH PRODUCTS FROM", "match git+https://{repo} with products from", 1),
		"a plain identity":   strings.Replace(valid, "gitHash: sha256\n", "", 1),
		"no parameters used": strings.ReplaceAll(strings.Replace(valid, "parameters:\n  repo: {pattern: \"github.com/*/*\", required: true}\n", "", 1), "{repo}", repo),
	} {
		if _, findings := Parse("x.yml", []byte(text), now()); len(findings) > 0 {
			t.Errorf("%s is refused: %s", name, findings[0])
		}
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	l := mustParse(t, inline(t, fromBuild, authorStep(1, "ivan, judy"), buildStep()))
	var got []string
	for _, k := range l.Keys() {
		got = append(got, k.Key.Signer().Key+" under "+k.Root)
	}
	want := []string{mustKey(t, "ivan").Signer().Key + " under ", mustKey(t, "judy").Signer().Key + " under sigstore"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func asJSON(t testing.TB, text string) string {
	t.Helper()
	var value map[string]any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func indented(t testing.TB, text string) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(asJSON(t, text)), &value); err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What is wrong with the bytes, before there is any structure.
func TestParseRefusesText(t *testing.T) {
	t.Parallel()
	utf16 := "\xff\xfe"
	for _, r := range valid {
		utf16 += string([]byte{byte(r), 0})
	}
	deepFlow := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	deepBlock := strings.Builder{}
	for i := range 70 {
		deepBlock.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	deepBlock.WriteString(strings.Repeat(" ", 70) + "a: b\n")
	for _, b := range []broken{
		{"nothing", "", "", verdict.LayoutMalformed, ""},
		{"white space", "", " \n\t\n", verdict.LayoutMalformed, ""},
		{"comments only", "", "# nothing here\n", verdict.LayoutMalformed, "1:1"},
		{"a byte order mark", "", "\ufeff" + valid, verdict.LayoutMalformed, ""},
		{"UTF-16", "", utf16, verdict.LayoutMalformed, ""},
		{"UTF-16, big end first", "", "\xfe\xff\x00_", verdict.LayoutMalformed, ""},
		{"not UTF-8", "alice@", "\xe9lice@", verdict.LayoutMalformed, ""},
		{"more than 4 MiB", "", valid + "#" + strings.Repeat("x", MaxBytes), verdict.LayoutMalformed, ""},
		{"a zero byte", "alice@", "al\x00ice@", verdict.LayoutMalformed, ""},
		{"truncated in a string", "", upTo(valid, "T00:00:00Z"), verdict.LayoutMalformed, "3:1"},
		{"truncated in a flow", "", upTo(valid, ", issuer"), verdict.LayoutMalformed, "10:1"},
		{"a tab for indentation", "  repo:", "\trepo:", verdict.LayoutMalformed, "6:1"},
		{"two documents", "", valid + "---\n" + valid, verdict.LayoutMalformed, ""},
		{"a list", "", "- a\n- b\n", verdict.LayoutMalformed, "1:1"},
		{"a word", "", "layout", verdict.LayoutMalformed, "1:1"},
		{"null", "", "null", verdict.LayoutMalformed, "1:1"},
		{"flow that is too deep", "version: 1", "version: " + deepFlow, verdict.LayoutMalformed, "2:73"},
		{"flow that is far too deep", "", strings.Repeat("[", 1<<20), verdict.LayoutMalformed, ""},
		{"mappings that are far too deep", "", strings.Repeat("{a: ", 1<<19), verdict.LayoutMalformed, ""},
		{"blocks that are too deep", "", deepBlock.String(), verdict.LayoutMalformed, "65:65"},
		{"too many values", "deny:\n", "deny:\n" + strings.Repeat("  - x\n", MaxNodes), verdict.LayoutMalformed, ""},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if b.name == "too many values" {
				_, findings := Parse("x.yml", []byte(b.text(t)), now())
				if len(findings) != 1 || !strings.Contains(findings[0].Found, "more than 200000 values") {
					t.Errorf("found %v", findings)
				}
				return
			}
			b.run(t)
		})
	}
}

// Text that is made to keep a parser busy is refused, or read, quickly.
func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	for name, text := range map[string]string{
		"dashes":             strings.Repeat("- ", size/2),
		"lines of dashes":    strings.Repeat("-\n", size/2),
		"question marks":     strings.Repeat("? ", size/2),
		"colons":             strings.Repeat(":\n", size/2),
		"comments":           strings.Repeat("#\n", size/2),
		"a comment":          "a: b #" + strings.Repeat(" x", size/2-3),
		"anchors":            strings.Repeat("- &a b\n", size/7),
		"aliases":            "a: &a [x]\nb: [" + strings.Repeat("*a,", size/3-20) + "]\n",
		"quotes":             strings.Repeat("'", size),
		"double quotes":      "a: \"" + strings.Repeat("\\x41", size/4-4) + "\"",
		"pairs":              strings.Repeat("a: b\n", size/5),
		"ever further right": stairs(size),
		"block scalar":       "a: |\n" + strings.Repeat(" \n", size/2-4),
		"flow pairs":         "[" + strings.Repeat("a: b,", size/5-1) + "]",
		"tags":               strings.Repeat("- !a b\n", size/7),
		"comments between":   strings.Repeat("- a\n# x\n", size/8),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			l, findings := Parse("x.yml", []byte(text), now())
			if l != nil || len(findings) == 0 {
				t.Error("it was accepted")
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("%d bytes took %s", len(text), d)
			}
			if len(findings) > maxProblems {
				t.Errorf("%d findings, expected at most %d", len(findings), maxProblems)
			}
		})
	}
}

func stairs(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// What YAML has and a layout has not, and what is not in the schema.
func TestParseRefusesKeys(t *testing.T) {
	t.Parallel()
	for _, b := range []broken{
		{"an unknown key", "gitHash:", "gitHsah:", verdict.LayoutMalformed, "4:1"},
		{"an unknown key of a step", "distinctFrom:", "command:", verdict.LayoutMalformed, "47:5"},
		{"an unknown key of a functionary", "    scheme: fulcio\n", "    keyID: abc\n    scheme: fulcio\n", verdict.LayoutMalformed, "10:5"},
		{"an unknown key of a keyVal", "root: sigstore, issuer", "subject: x, root: sigstore, issuer", verdict.LayoutMalformed, "11:14"},
		{"an unknown key of a parameter", "required: true", "required: true, default: x", verdict.LayoutMalformed, "6:53"},
		{"an unknown key of a predicate", "threshold: 2", "threshold: 2, signers: 3", verdict.LayoutMalformed, "32:117"},
		{"an unknown key of an item of anyOf", "/v1\"}", "/v1\", threshold: 1}", verdict.LayoutMalformed, "41:63"},
		{"an unknown key of a subject", "from: build}", "from: build, digest: x}", verdict.LayoutMalformed, "49:35"},
		{"an unknown key of a denial", ", reason: a miner}", ", reason: a miner, by: me}", verdict.LayoutMalformed, "51:106"},
		{"an unknown key of a principal", "kind: person}", "kind: person, email: x}", verdict.LayoutMalformed, "25:54"},
		{"a key twice", "version: 1\n", "version: 1\nversion: 1\n", verdict.LayoutMalformed, "3:1"},
		{"a key twice, the second time in flow", "threshold: 2", "threshold: 2, threshold: 1", verdict.LayoutMalformed, "32:117"},
		{"a functionary twice", "  bob-oidc:", "  alice-oidc:", verdict.LayoutMalformed, "12:3"},
		{"a parameter twice", "required: true}\n", "required: true}\n  repo: {pattern: \"*\"}\n", verdict.LayoutMalformed, "7:3"},
		{"an extension twice", "buildTrigger: [push", "sourceRepositoryURI: x, buildTrigger: [push", verdict.LayoutMalformed, "23:59"},
		{"a key in other letters", "expires:", "Expires:", verdict.LayoutMalformed, ""},
		{"expected_products", "expectedProducts: [\"CREATE", "expected_products: [\"CREATE", verdict.LayoutMalformed, ""},
		{"a classic key", "deny:\n", "readme: hello\ndeny:\n", verdict.LayoutMalformed, "50:1"},
		{"classic keys beside ours", "deny:\n", "inspect: []\ndeny:\n", verdict.LayoutMalformed, "50:1"},
		{"an anchor", "alice@example.com}", "&a alice@example.com}", verdict.LayoutMalformed, "11:82"},
		{"an anchor on a mapping", "steps:\n", "steps: &s\n", verdict.LayoutMalformed, ""},
		{"an anchor on a key", "steps:\n", "&s steps:\n", verdict.LayoutMalformed, "27:1"},
		{"an alias", "bob@example.com}", "*a}", verdict.LayoutMalformed, ""},
		{"a tag", "alice@example.com}", "!!str alice@example.com}", verdict.LayoutMalformed, "11:82"},
		{"a tag of one's own", "version: 1", "version: !layout 1", verdict.LayoutMalformed, "2:10"},
		{"a merge key", "  alice: {", "  alice: {<<: {kind: workload}, ", verdict.LayoutMalformed, "25:11"},
		{"a key that is a list", "gitHash: sha256", "[gitHash]: sha256", verdict.LayoutMalformed, "4:1"},
		{"a name that is no name", "  alice-oidc:", "  \"alice oidc\":", verdict.LayoutMalformed, ""},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if b.at != "" {
				b.run(t)
				return
			}
			// The mistake has consequences elsewhere; it must be among what is found.
			_, findings := Parse("x.yml", []byte(b.text(t)), now())
			if !hasFinding(findings, b.want) {
				t.Errorf("found %v, expected %s", findings, b.want)
			}
		})
	}
	t.Run("the right spelling is named", func(t *testing.T) {
		t.Parallel()
		for wrong, right := range map[string]string{"Expires:": "expires", "expected_products:": "expectedProducts", "expected_materials:": "expectedMaterials", "VERSION:": "version", "distinct_from:": "distinctFrom"} {
			old := right + ":"
			_, findings := Parse("x.yml", []byte(strings.Replace(valid, old, wrong, 1)), now())
			if !slices.ContainsFunc(findings, func(f verdict.Finding) bool {
				return f.Expected == right && strings.Contains(f.Found, strings.TrimSuffix(wrong, ":"))
			}) {
				t.Errorf("%s: found %v, none names %s", wrong, findings, right)
			}
		}
	})
}

// Every value of the wrong type or out of its bounds.
func TestParseRefusesValues(t *testing.T) {
	t.Parallel()
	const ofExpires, ofVersion, ofThreshold = "3:10", "2:10", "32:114"
	expires := func(name, value string) broken {
		return broken{name, `"2027-03-01T00:00:00Z"`, value, verdict.LayoutMalformed, ofExpires}
	}
	version := func(name, value string) broken {
		return broken{name, "version: 1", "version: " + value, verdict.LayoutMalformed, ofVersion}
	}
	threshold := func(name, value string) broken {
		return broken{name, "threshold: 2", "threshold: " + value, verdict.LayoutMalformed, ofThreshold}
	}
	for _, b := range []broken{
		{"no _type", "_type: layout\n", "", verdict.LayoutMalformed, "1:1"},
		{"another _type", "_type: layout", "_type: link", verdict.LayoutMalformed, "1:8"},
		{"a _type that is a list", "_type: layout", "_type: [layout]", verdict.LayoutMalformed, "1:8"},
		{"a _type in capitals", "_type: layout", "_type: Layout", verdict.LayoutMalformed, "1:8"},

		{"no version", "version: 1\n", "", verdict.LayoutMalformed, "1:1"},
		version("version as text", `"1"`), version("version as a fraction", "1.5"), version("version 1.0", "1.0"), version("version 0", "0"),
		version("version -1", "-1"), version("version in hex", "0x1"), version("version in octal", "01"), version("version 0o1", "0o1"), version("version in binary", "0b1"),
		version("version with a sign", "+1"), version("version with an underscore", "1_0"), version("a version that overflows", "99999999999999999999"),
		version("a version just too large", "9223372036854775808"), version("version null", "null"), version("version true", "true"), version("version a list", "[1]"), version("version 1e3", "1e3"),

		{"no expires", "expires: \"2027-03-01T00:00:00Z\"\n", "", verdict.LayoutMalformed, "1:1"},
		expires("expires a day", `"2027-03-01"`), expires("expires in words", "soon"), expires("expires empty", `""`), expires("expires null", "null"),
		expires("expires a number", "2027"), expires("expires a list", "[]"), expires("expires with fractions", `"2027-03-01T00:00:00.5Z"`),
		expires("expires with zero fractions", `"2027-03-01T00:00:00.000Z"`), expires("expires with a comma", `"2027-03-01T00:00:00,5Z"`),
		expires("expires without a zone", `"2027-03-01T00:00:00"`), expires("expires with a space", `"2027-03-01 00:00:00Z"`),
		expires("the 30th of February", `"2027-02-30T00:00:00Z"`), expires("an hour of one digit", `"2027-03-01T0:00:00Z"`), expires("expires in lower case", `"2027-03-01t00:00:00z"`),

		{"gitHash sha1", "gitHash: sha256", "gitHash: sha1", verdict.LayoutMalformed, "4:10"},
		{"gitHash a list", "gitHash: sha256", "gitHash: [sha256]", verdict.LayoutMalformed, "4:10"},

		{"parameters a list", "parameters:\n  repo: {pattern: \"github.com/*/*\", required: true}", "parameters: [repo]", verdict.LayoutMalformed, "5:13"},
		{"a parameter's name with a dash", "  repo: {pattern", "  my-repo: {pattern", verdict.LayoutMalformed, "6:3"},
		{"a parameter without a pattern", "pattern: \"github.com/*/*\", ", "", verdict.LayoutMalformed, "6:9"},
		{"a parameter whose pattern is a regular expression", "github.com/*/*", "^github[.]com/.*$", verdict.GlobMalformed, "6:19"},
		{"a parameter whose pattern crosses", "github.com/*/*", "github.com/**", verdict.GlobMalformed, "6:19"},
		{"required as text", "required: true", `required: "true"`, verdict.LayoutMalformed, "6:47"},
		{"required yes", "required: true", "required: yes", verdict.LayoutMalformed, "6:47"},
		{"a parameter that is a word", `{pattern: "github.com/*/*", required: true}`, "any", verdict.LayoutMalformed, "6:9"},

		{"functionaries a list", "functionaries:\n  alice-oidc:", "functionaries: [x]\nx:\n  alice-oidc:", verdict.LayoutMalformed, ""},
		{"no keyType", "    keyType: sigstore-oidc\n", "", verdict.LayoutMalformed, "9:5"},
		{"an unknown keyType", "keyType: sigstore-oidc", "keyType: x25519", verdict.FunctionaryInvalid, "9:14"},
		{"a validity without a time", "    scheme: fulcio\n", "    scheme: fulcio\n    validity: {start: 2026-01-01}\n", verdict.LayoutMalformed, "11:23"},
		{"an empty validity", "    scheme: fulcio\n", "    scheme: fulcio\n    validity: {}\n", verdict.LayoutMalformed, "11:15"},
		{"distrust from no instant", "    scheme: fulcio\n", "    scheme: fulcio\n    distrustAfter: 2026-01-01\n", verdict.LayoutMalformed, "11:20"},
		{"no scheme", "    scheme: fulcio\n", "", verdict.LayoutMalformed, "9:5"},
		{"another scheme", "scheme: fulcio", "scheme: x509", verdict.LayoutMalformed, "10:13"},
		{"no keyVal", "    keyVal: {root: sigstore, issuer: \"https://github.com/login/oauth\", identity: alice@example.com}\n", "", verdict.LayoutMalformed, "9:5"},
		{"no root", "root: sigstore, ", "", verdict.LayoutMalformed, "11:13"},
		{"no issuer", "issuer: \"https://github.com/login/oauth\", ", "", verdict.LayoutMalformed, "11:13"},
		{"no identity", ", identity: alice@example.com", "", verdict.LayoutMalformed, "11:13"},
		{"an empty identity", "identity: alice@example.com", `identity: ""`, verdict.LayoutMalformed, "11:82"},
		{"an identity that is a number", "identity: alice@example.com", "identity: 7", verdict.LayoutMalformed, "11:82"},
		{"a star for the issuer", "issuer: \"https://github.com/login/oauth\"", "issuer: \"*\"", verdict.GlobMalformed, "11:38"},
		{"a parameter for the issuer", "issuer: \"https://github.com/login/oauth\"", "issuer: \"https://{repo}\"", verdict.GlobMalformed, "11:38"},
		{"no issuer for a person", "issuer: \"https://github.com/login/oauth\"", "issuer: none", verdict.FunctionaryInvalid, "11:38"},
		{"an identity with a set", "identity: alice@example.com", `identity: "[ab]lice@example.com"`, verdict.GlobMalformed, "11:82"},
		{"an identity with two stars", "identity: alice@example.com", `identity: "https://github.com/**"`, verdict.GlobMalformed, "11:82"},
		{"an identity with half a placeholder", "https://{repo}/.github", "https://{repo/.github", verdict.LayoutMalformed, "22:17"},
		{"an identity with a strange placeholder", "https://{repo}/.github", "https://{re po}/.github", verdict.GlobMalformed, ""},
		{"an unknown extension", "buildTrigger:", "trigger:", verdict.FunctionaryInvalid, "23:59"},
		{"an extension with a star", "[push, workflow_dispatch]", "\"*\"", verdict.GlobMalformed, "23:73"},
		{"an extension with an empty list", "[push, workflow_dispatch]", "[]", verdict.LayoutMalformed, "23:73"},
		{"an extension that is empty", "[push, workflow_dispatch]", `""`, verdict.LayoutMalformed, "23:73"},
		{"an extension that is a number", "[push, workflow_dispatch]", "7", verdict.LayoutMalformed, "23:73"},
		{"an extension that is a mapping", "[push, workflow_dispatch]", "{a: b}", verdict.LayoutMalformed, "23:73"},
		{"extensions a list", "{sourceRepositoryURI: \"https://{repo}\", buildTrigger: [push, workflow_dispatch]}", "[push]", verdict.LayoutMalformed, "23:19"},

		{"a principal without functionaries", "{functionaries: [alice-oidc], kind: person}", "{kind: person}", verdict.LayoutMalformed, "25:10"},
		{"a principal with no functionary", "[alice-oidc], kind: person", "[], kind: person", verdict.LayoutMalformed, "25:10"},
		{"a principal with an unknown functionary", "[alice-oidc], kind: person", "[alice-oidc, alice-gpg], kind: person", verdict.UnknownFunctionary, "25:3"},
		{"a functionary of two principals", "{functionaries: [release-wf]", "{functionaries: [release-wf, alice-oidc]", verdict.SharedIdentity, "26:3"},
		{"a principal of another kind", "kind: person", "kind: robot", verdict.LayoutMalformed, "25:46"},
		{"a principal's functionaries as a word", "[alice-oidc], kind", "alice-oidc, kind", verdict.LayoutMalformed, ""},

		{"steps a mapping", "steps:\n  - name: author\n    expected", "steps:\n    name: author\n    expected", verdict.LayoutMalformed, ""},
		{"a step without a name", "  - name: author\n    expectedMaterials", "  - expectedMaterials", verdict.LayoutMalformed, ""},
		{"a step's name with a space", "- name: author", `- name: "the author"`, verdict.LayoutMalformed, ""},
		{"a step that is a word", "deny:\n", "deny:\n", "", ""},
		{"rules as text", `expectedMaterials: ["DISALLOW *"]`, `expectedMaterials: "DISALLOW *"`, verdict.LayoutMalformed, ""},
		{"a rule that is a list", `expectedMaterials: ["DISALLOW *"]`, `expectedMaterials: [[DISALLOW, "*"]]`, verdict.LayoutMalformed, ""},
		{"an empty rule", `expectedMaterials: ["DISALLOW *"]`, `expectedMaterials: ["", "DISALLOW *"]`, verdict.RuleMalformed, "29:25"},
		{"an unknown rule", `expectedMaterials: ["DISALLOW *"]`, `expectedMaterials: ["FORBID x", "DISALLOW *"]`, verdict.RuleMalformed, "29:25"},
		{"distinctFrom as text", "distinctFrom: [author]", "distinctFrom: author", verdict.LayoutMalformed, "47:19"},

		{"a predicate that is text", "- {predicateType: \"https://in-toto.io/attestation/link/v0.3\", functionaries: [alice, bob-oidc], threshold: 2}", "- link", verdict.LayoutMalformed, ""},
		{"no predicateType", "predicateType: \"https://in-toto.io/attestation/link/v0.3\", ", "", verdict.LayoutMalformed, "32:9"},
		{"predicateType and anyOf", "- anyOf:", "- predicateType: x\n        anyOf:", verdict.LayoutMalformed, ""},
		{"anyOf of nothing", "- anyOf:\n          - {predicateType: \"https://slsa.dev/provenance/v1\"}\n          - {predicateType: \"https://slsa.dev/provenance/v0.2\"}", "- anyOf: []", verdict.LayoutMalformed, "40:9"},
		{"functionaries as text", "functionaries: [alice, bob-oidc]", "functionaries: alice", verdict.LayoutMalformed, "32:84"},
		{"no threshold", ", threshold: 2", "", verdict.LayoutMalformed, "32:9"},
		threshold("threshold as text", `"2"`), threshold("threshold as a fraction", "2.5"), threshold("threshold 2.0", "2.0"), threshold("threshold in hex", "0x2"),
		threshold("a threshold that overflows", "18446744073709551617"), threshold("threshold null", "~"), threshold("threshold a list", "[2]"), threshold("threshold in octal", "02"),
		{"maxAge of days", "maxAge: 24h", "maxAge: 1d", verdict.LayoutMalformed, "45:17"},
		{"maxAge 0", "maxAge: 24h", "maxAge: 0s", verdict.LayoutMalformed, "45:17"},
		{"maxAge below 0", "maxAge: 24h", "maxAge: -1h", verdict.LayoutMalformed, "45:17"},
		{"maxAge a number", "maxAge: 24h", "maxAge: 24", verdict.LayoutMalformed, ""},
		{"ageFrom alone", "        maxAge: 24h\n", "", verdict.LayoutMalformed, "45:18"},

		{"a subject as text", `{subject: ["*"], from: build}`, `{subject: "*", from: build}`, verdict.LayoutMalformed, ""},
		{"a subject without patterns", `{subject: ["*"], from: build}`, `{subject: [], from: build}`, verdict.LayoutMalformed, "49:5"},
		{"a subject without a step", `{subject: ["*"], from: build}`, `{subject: ["*"]}`, verdict.LayoutMalformed, "49:5"},
		{"a subject that is text", `{subject: ["*"], from: build}`, `"*"`, verdict.LayoutMalformed, ""},
		{"subjects a mapping", `  - {subject: ["*"], from: build}`, `  {subject: ["*"], from: build}`, verdict.LayoutMalformed, ""},

		{"a denial without a reason", ", reason: a miner", "", verdict.LayoutMalformed, "51:5"},
		{"a denial without a digest", `digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000", `, "", verdict.LayoutMalformed, "51:5"},
		{"a denial of another algorithm", "sha256:0000", "md5:0000", verdict.LayoutMalformed, "51:14"},
		{"a denial that is cut", "sha256:0000", "sha256:00", verdict.LayoutMalformed, "51:14"},
		{"a denial that is a list", "deny:\n  - {", "deny:\n  - [", verdict.LayoutMalformed, ""},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if b.want == "" {
				return
			}
			if b.at != "" {
				b.run(t)
				return
			}
			_, findings := Parse("x.yml", []byte(b.text(t)), now())
			if !hasFinding(findings, b.want) {
				t.Errorf("found %v, expected %s", findings, b.want)
			}
		})
	}
}

// Keys that later versions will judge are named as such: never skipped, never
// called a mistake.
func TestParseLater(t *testing.T) {
	t.Parallel()
	for _, b := range []broken{
		{"inspections", "deny:\n", "inspections: []\ndeny:\n", verdict.NotSupportedYet, "50:1"},
		{"forEach", "    distinctFrom", "    forEach: {}\n    distinctFrom", verdict.NotSupportedYet, "47:5"},
		{"countBy", "maxAge: 24h", "countBy: x\n        maxAge: 24h", verdict.NotSupportedYet, "45:9"},
		{"accounts", "kind: person", "accounts: {github: \"1\"}, kind: person", verdict.NotSupportedYet, "25:40"},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.run(t)
		})
	}
}

// Other documents that people hand as a layout.
func TestParseOtherDialects(t *testing.T) {
	t.Parallel()
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: alice().id, Payload: commitLink("author", repo, commitA)})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a bundle":           string(bundle.JSON),
		"a DSSE envelope":    `{"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": []}`,
		"a classic layout":   `{"signed": {"_type": "layout"}, "signatures": []}`,
		"a metablock, YAML":  "signed: {_type: layout}\nsignatures: []\n",
		"an indented bundle": strings.ReplaceAll(string(bundle.JSON), ",\"", ",\n  \""),
	} {
		l, findings := Parse("x", []byte(text), now())
		if l != nil || len(findings) != 1 || findings[0].ID != verdict.LayoutTooNew {
			t.Errorf("%s: found %v, expected %s", name, findings, verdict.LayoutTooNew)
		}
	}
}

// Keys that are not what the layout says of them.
func TestParseRefusesKeyMaterial(t *testing.T) {
	t.Parallel()
	good := inline(t, fromBuild, authorStep(1, "ivan"), buildStep())
	pem := keyPEM(t, "ivan")
	quoted := fmt.Sprintf("%q", pem)
	for name, text := range map[string]string{
		"a type that is not the key's": strings.Replace(good, "keyType: ecdsa, scheme: ecdsa-sha2-nistp256", "keyType: ed25519", 1),
		"a scheme of another type":     strings.Replace(good, "scheme: ecdsa-sha2-nistp256", "scheme: ed25519", 1),
		"no PEM":                       strings.Replace(good, quoted, `"MFkwEwYH"`, 1),
		"an empty PEM":                 strings.Replace(good, quoted, `"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"`, 1),
		"a private key":                strings.Replace(good, quoted, strings.ReplaceAll(quoted, "PUBLIC", "PRIVATE"), 1),
		"two keys":                     strings.Replace(good, quoted, fmt.Sprintf("%q", pem+keyPEM(t, "judy")), 1),
		"a certificate":                strings.Replace(good, quoted, strings.ReplaceAll(quoted, "PUBLIC KEY", "CERTIFICATE"), 1),
	} {
		if text == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, findings := Parse("x.yml", []byte(text), now()); !hasFinding(findings, verdict.FunctionaryInvalid) {
			t.Errorf("%s: found %v, expected %s", name, findings, verdict.FunctionaryInvalid)
		}
	}
}

// "The file's problems are all shown in one run."
func TestParseReportsEverything(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("_type: layout", "_type: link", "version: 1", "version: one", "gitHash: sha256", "githash: x",
		"scheme: fulcio", "scheme: x", "kind: person", "kind: robot", "threshold: 2", "threshold: two", "CREATE *", "MAKE *", "reason: a miner", "why: a miner").Replace(valid)
	_, findings := Parse("x.yml", []byte(text), now())
	var got []string
	for _, f := range findings {
		got = append(got, strings.TrimPrefix(f.Where, "x.yml:")+" "+string(f.ID))
	}
	for _, want := range []string{"1:8 layout-malformed", "2:10 layout-malformed", "4:1 layout-malformed", "10:13 layout-malformed", "14:13 layout-malformed",
		"18:13 layout-malformed", "25:46 layout-malformed", "32:114 layout-malformed", "38:24 rule-malformed", "51:89 layout-malformed", "51:5 layout-malformed"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among\n  %s", want, strings.Join(got, "\n  "))
		}
	}
	if len(got) != 11 {
		t.Errorf("found %d problems, expected 11:\n  %s", len(got), strings.Join(got, "\n  "))
	}

	// Lints too come together.
	text = strings.NewReplacer("threshold: 2", "threshold: 3", "distinctFrom: [author]", "distinctFrom: [review]", "from: build}", "from: biuld}", "FROM author", "FROM auhtor").Replace(valid)
	_, findings = Parse("x.yml", []byte(text), now())
	for _, want := range []verdict.ID{verdict.ThresholdRange, verdict.UnknownStep, verdict.MatchUnknownStep, verdict.UnjoinedStep} {
		if !hasFinding(findings, want) {
			t.Errorf("%s is not among %v", want, findings)
		}
	}
}

// Every lint of docs/layout.md, "Lints are errors".
func TestLints(t *testing.T) {
	t.Parallel()
	const link = LinkV03
	head := func(functionaries ...string) string {
		return "_type: layout\nversion: 1\nexpires: \"2027-03-01T00:00:00Z\"\nparameters: {repo: {pattern: \"*/*/*\", required: true}, name: {pattern: \"*\", required: true}}\nfunctionaries:\n" + strings.Join(functionaries, "")
	}
	oidc := func(id, issuer, identity string) string {
		return fmt.Sprintf("  %s: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: %q}}\n", id, issuer, identity)
	}
	key := func(id, name string) string {
		return fmt.Sprintf("  %s: {keyType: ecdsa, keyVal: {public: %q}}\n", id, keyPEM(t, name))
	}
	layout := func(functionaries, principals string, steps ...string) string {
		return functionaries + principals + "steps:\n" + strings.Join(steps, "") + fromBuild + "\n"
	}
	two := head(oidc("a", github, "a@example.com"), oidc("b", github, "b@example.com"))
	one := func(materials, products []string, entries ...string) string {
		return writeStep("build", materials, products, entries...)
	}
	a := expects(link, 1, "a")
	good := one(rules(), rules("CREATE *"), a)
	author := writeStep("author", rules(), rules("ALLOW *"), a)
	build := func(materials ...string) string { return one(rules(materials...), rules("CREATE *"), a) }
	people := func(text string) string { return "principals: " + text + "\n" }
	for _, r := range []struct {
		name, text string
		want       verdict.ID // empty where it lints clean
	}{
		{"clean", layout(two, "", good), ""},

		{"no steps", two + "steps: []\n" + fromBuild + "\n", verdict.LayoutEmpty},
		{"steps left out", two + fromBuild + "\n", verdict.LayoutEmpty},
		{"no predicates", two + "steps:\n  - {name: build, expectedMaterials: [\"DISALLOW *\"], expectedPredicates: []}\n" + fromBuild + "\n", verdict.LayoutEmpty},
		{"predicates left out", two + "steps:\n  - {name: build, expectedMaterials: [\"DISALLOW *\"]}\n" + fromBuild + "\n", verdict.LayoutEmpty},
		{"no subjects", two + "steps:\n" + good + "subjects: []\n", verdict.LayoutEmpty},
		{"subjects left out", two + "steps:\n" + good, verdict.LayoutEmpty},

		{"no material rules", layout(two, "", one(nil, rules("CREATE *"), a)), verdict.RuleListOpen},
		{"no product rules", layout(two, "", one(rules(), nil, a)), verdict.RuleListOpen},
		{"empty material rules", two + "steps:\n  - {name: build, expectedMaterials: [], expectedProducts: [\"DISALLOW *\"], expectedPredicates: [" + a + "]}\n" + fromBuild + "\n", verdict.RuleListOpen},
		{"an open end", layout(two, "", one([]string{"ALLOW src/*"}, rules("CREATE *"), a)), verdict.RuleListOpen},
		{"an end that allows", layout(two, "", one(append(rules(), "ALLOW *"), rules("CREATE *"), a)), verdict.RuleListOpen},
		{"an end that disallows less", layout(two, "", one([]string{"DISALLOW src/*"}, rules("CREATE *"), a)), verdict.RuleListOpen},
		{"no product rules for a type without products", layout(two, "", good, writeStep("scan", rules("MATCH * WITH PRODUCTS FROM build"), nil, expects(scanType, 1, "a"))), ""},

		{"MATCH from an unknown step", layout(two, "", build("MATCH src/* WITH PRODUCTS FROM authr")), verdict.MatchUnknownStep},
		{"a git MATCH without REQUIRE", layout(two, "", author, build("MATCH git+https://{repo} WITH PRODUCTS FROM author")), verdict.MatchWithoutReq},
		{"a git MATCH before its REQUIRE", layout(two, "", author, build("MATCH git+https://{repo} WITH PRODUCTS FROM author", "REQUIRE git+https://{repo}")), verdict.MatchWithoutReq},
		{"a git MATCH with the REQUIRE of another name", layout(two, "", author, build("REQUIRE git+https://github.com/acme/lib", "MATCH git+https://{repo} WITH PRODUCTS FROM author")), verdict.MatchWithoutReq},
		{"a git MATCH of any name", layout(two, "", author, build("REQUIRE git+https://{repo}", "MATCH git+https://* WITH PRODUCTS FROM author")), verdict.MatchWithoutReq},
		{"a git MATCH over ssh without REQUIRE", layout(two, "", author, build("MATCH git+ssh://git@{repo} WITH PRODUCTS FROM author")), verdict.MatchWithoutReq},
		{"a git MATCH as scp writes it, without REQUIRE", layout(two, "", author, build("MATCH git@github.com:acme/app WITH PRODUCTS FROM author")), verdict.MatchWithoutReq},
		{"a git MATCH in capitals without REQUIRE", layout(two, "", author, build("MATCH GIT+HTTPS://{repo} WITH PRODUCTS FROM author")), verdict.MatchWithoutReq},
		{"a git MATCH with its REQUIRE", layout(two, "", author, build("REQUIRE git+https://{repo}", "MATCH git+https://{repo} WITH PRODUCTS FROM author")), ""},
		{"a git MATCH with its REQUIRE, spelled with .git", layout(two, "", author, build("REQUIRE git+https://{repo}.git", "MATCH git+https://{repo} WITH PRODUCTS FROM author")), ""},

		{"REQUIRE behind MATCH", layout(two, "", author, build("MATCH src WITH PRODUCTS FROM author", "REQUIRE src")), verdict.RequireConsumed},
		{"REQUIRE behind ALLOW *", layout(two, "", build("ALLOW *", "REQUIRE src")), verdict.RequireConsumed},
		{"REQUIRE behind a pattern", layout(two, "", build("ALLOW s?c", "REQUIRE src")), verdict.RequireConsumed},
		{"REQUIRE behind a prefix that holds it", layout(two, "", author, build("MATCH main.go IN src WITH PRODUCTS FROM author", "REQUIRE src/main.go")), verdict.RequireConsumed},
		{"REQUIRE behind a prefix that does not", layout(two, "", author, build("MATCH * IN lib WITH PRODUCTS FROM author", "REQUIRE src/main.go")), ""},
		{"REQUIRE behind DISALLOW", layout(two, "", build("DISALLOW evil", "REQUIRE src", "ALLOW *")), ""},
		{"REQUIRE with a wildcard", layout(two, "", build("REQUIRE src/*")), verdict.RuleMalformed},

		{"a step that nothing joins", layout(two, "", author, good), verdict.UnjoinedStep},
		{"two steps that join each other only", layout(two, "", author, writeStep("test", rules("MATCH * WITH PRODUCTS FROM author"), rules(), a), good), verdict.UnjoinedStep},
		{"a step that joins the artifact's", layout(two, "", good, writeStep("test", rules("MATCH * WITH PRODUCTS FROM build"), rules(), a)), ""},
		{"subjects of a step without products", two + "steps:\n" + writeStep("build", rules(), nil, expects(scanType, 1, "a")) + fromBuild + "\n", ""},
		{"subjects of an unknown step", two + "steps:\n" + good + "subjects: [{subject: [\"*\"], from: make}]\n", verdict.UnknownStep},

		{"a circle of two", layout(two, "", writeStep("author", rules("MATCH * WITH PRODUCTS FROM build"), rules("ALLOW *"), a), build("MATCH * WITH PRODUCTS FROM author")), verdict.MatchCycle},
		{"a circle of one", layout(two, "", build("MATCH * WITH PRODUCTS FROM build")), verdict.MatchCycle},
		{"a circle through products", layout(two, "", writeStep("author", rules(), rules("MATCH * WITH MATERIALS FROM build"), a), build("MATCH * WITH PRODUCTS FROM author")), verdict.MatchCycle},

		{"threshold 0", layout(two, "", one(rules(), rules("CREATE *"), expects(link, 0, "a"))), verdict.ThresholdRange},
		{"threshold -1", layout(two, "", one(rules(), rules("CREATE *"), expects(link, -1, "a"))), verdict.ThresholdRange},
		{"a threshold above the people", layout(two, "", one(rules(), rules("CREATE *"), expects(link, 3, "a, b"))), verdict.ThresholdRange},
		{"a threshold above this item's people", layout(two, "", one(rules(), rules("CREATE *"), expects(link, 2, "a"), expects(provenance.V1, 1, "b"))), verdict.ThresholdRange},
		{"one person's two functionaries do not make two", layout(head(oidc("a", github, "a@example.com"), oidc("a2", google, "a@example.com")), people("{p: {functionaries: [a, a2]}}"), one(rules(), rules("CREATE *"), expects(link, 2, "a, a2"))), verdict.ThresholdRange},
		{"a functionary named twice", layout(two, "", one(rules(), rules("CREATE *"), expects(link, 2, "a, a"))), verdict.ThresholdRange},
		{"nobody", layout(two, "", one(rules(), rules("CREATE *"), expects(link, 1, ""))), verdict.ThresholdRange},
		{"an unknown functionary", layout(two, "", one(rules(), rules("CREATE *"), expects(link, 1, "a, c"))), verdict.UnknownFunctionary},

		{"an open set", layout(two, "", build("ALLOW src/[a")), verdict.GlobMalformed},
		{"an open set in DISALLOW", layout(two, "", build("DISALLOW foo[", "ALLOW *")), verdict.GlobMalformed},
		{"a backslash", layout(two, "", build(`ALLOW src\*`)), verdict.GlobMalformed},
		{"a dotted segment in a pattern", layout(two, "", build("DISALLOW ./evil*", "ALLOW *")), verdict.GlobMalformed},
		{"a control character in a pattern", layout(two, "", build("DISALLOW evil\x00*", "ALLOW *")), verdict.GlobMalformed},
		{"a control character in a prefix", layout(two, "", author, build("MATCH a IN x\x00 WITH PRODUCTS FROM author")), verdict.RuleMalformed},
		{"a dotted segment in a prefix", layout(two, "", author, build("MATCH a WITH PRODUCTS IN ./x FROM author")), verdict.RuleMalformed},
		{"an empty segment in a prefix", layout(two, "", author, build("MATCH a IN x// WITH PRODUCTS FROM author")), verdict.RuleMalformed},
		{"an empty segment in a pattern", layout(two, "", author, build("MATCH x/* WITH PRODUCTS FROM author", "DISALLOW x//*")), verdict.GlobMalformed},
		{"two slashes in a URI", layout(two, "", author, build("MATCH a WITH PRODUCTS FROM author", "ALLOW https://x.example//*")), ""},
		{"a git source in a prefix, not required", layout(two, "", author, build("MATCH app IN git+https://github.com/acme WITH PRODUCTS IN git+https://github.com/acme FROM author")), verdict.MatchWithoutReq},
		{"a git source in a prefix, required", layout(two, "", author, build("REQUIRE git+https://github.com/acme/app", "MATCH app IN git+https://github.com/acme WITH PRODUCTS IN git+https://github.com/acme FROM author")), ""},
		{"a git pattern over ssh", layout(two, "", build("DISALLOW git+ssh://*", "ALLOW *")), verdict.GlobMalformed},
		{"a git pattern with a host in capitals", layout(two, "", build("DISALLOW git+https://GitHub.com/*", "ALLOW *")), verdict.GlobMalformed},
		{"a dotted name without a wildcard", layout(two, "", build("ALLOW ./main.go")), ""},
		{"a dotted segment in subjects", two + "steps:\n" + good + "subjects: [{subject: [\"./app\"], from: build}]\n", verdict.GlobMalformed},
		{"an open set in subjects", two + "steps:\n" + good + "subjects: [{subject: [\"a[\"], from: build}]\n", verdict.GlobMalformed},

		{"a wildcard host", layout(head(oidc("a", actions, "https://*/acme/app/.github/workflows/r.yml@refs/heads/main")), "", good), verdict.WildcardHost},
		{"half a wildcard host", layout(head(oidc("a", actions, "https://*.github.com/acme/app")), "", good), verdict.WildcardHost},
		{"a wildcard scheme", layout(head(oidc("a", actions, "*://github.com/acme/app")), "", good), verdict.WildcardHost},
		{"a wildcard mail domain", layout(head(oidc("a", github, "alice@*")), "", good), verdict.WildcardHost},
		{"half a wildcard mail domain", layout(head(oidc("a", github, "alice@*.com")), "", good), verdict.WildcardHost},
		{"a star alone", layout(head(oidc("a", github, "*")), "", good), verdict.WildcardHost},
		{"a star for both halves", layout(head(oidc("a", github, "*@*")), "", good), verdict.WildcardHost},
		{"any name of one domain", layout(head(oidc("a", github, "*@example.com")), "", good), ""},
		{"any workflow of one repository", layout(head(oidc("a", actions, "https://github.com/acme/app/.github/workflows/*@refs/tags/*")), "", good), ""},
		{"a user name before the host", layout(head(oidc("a", actions, "https://github.com@*/acme")), "", good), verdict.WildcardHost},

		{"one key for two people", layout(head(key("a", "ivan"), key("b", "ivan")), "", good), verdict.SharedKey},
		{"one key under one principal", layout(head(key("a", "ivan"), key("b", "ivan")), people("{p: {functionaries: [a, b]}}"), good), ""},
		{"one identity for two people", layout(head(oidc("a", github, "a@example.com"), oidc("b", github, "a@example.com")), "", good), verdict.SharedIdentity},
		{"one identity through a pattern", layout(head(oidc("a", github, "a@example.com"), oidc("b", github, "*@example.com")), "", good), verdict.SharedIdentity},
		{"one placeholder for two people", layout(head(oidc("a", github, "{name}@example.com"), oidc("b", github, "{name}@example.com")), "", good), verdict.SharedIdentity},
		{"one identity under one principal", layout(head(oidc("a", github, "a@example.com"), oidc("b", github, "a@example.com")), people("{p: {functionaries: [a, b]}}"), good), ""},
		{"one name under two issuers", layout(head(oidc("a", github, "a@example.com"), oidc("b", google, "a@example.com")), "", good), verdict.TwoIssuers},
		{"one name under two issuers, through a pattern", layout(head(oidc("a", github, "a@example.com"), oidc("b", google, "*@example.com")), "", good), verdict.TwoIssuers},
		{"one name under two issuers, one principal", layout(head(oidc("a", github, "a@example.com"), oidc("b", google, "a@example.com")), people("{p: {functionaries: [a, b]}}"), good), ""},

		{"a functionary and a principal of one name", layout(two, people("{a: {functionaries: [b]}}"), good), verdict.NameClash},
		{"a principal named as its own functionary", layout(two, people("{a: {functionaries: [a]}}"), good), verdict.NameClash},
		{"two steps of one name", layout(two, "", good, good), verdict.NameClash},
		{"distinct from an unknown step", layout(two, "", one(rules(), rules("CREATE *"), a, "distinctFrom: [author]")), verdict.UnknownStep},
		{"distinct from itself", layout(two, "", one(rules(), rules("CREATE *"), a, "distinctFrom: [build]")), verdict.UnknownStep},
		{"an undeclared parameter in a rule", layout(two, "", build("ALLOW {branch}")), verdict.ParameterUnknown},
		{"an undeclared parameter in a prefix", layout(two, "", author, build("MATCH * IN {dir} WITH PRODUCTS FROM author")), verdict.ParameterUnknown},
		{"an undeclared parameter in an identity", layout(head(oidc("a", github, "{who}@example.com")), "", good), verdict.ParameterUnknown},

		{"expired", strings.Replace(layout(two, "", good), "2027", "2025", 1), verdict.LayoutExpired},
		{"expired in the year 1", strings.Replace(layout(two, "", good), "2027-03-01", "0001-01-01", 1), verdict.LayoutExpired},
		{"more than two years ahead", strings.Replace(layout(two, "", good), "2027", "2029", 1), verdict.LayoutExpiryTooFar},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			l, findings := Parse("x.yml", []byte(r.text), now())
			if r.want == "" {
				if l == nil {
					t.Errorf("it is refused: %v\n%s", findings, r.text)
				}
				return
			}
			if l != nil || !hasFinding(findings, r.want) {
				t.Errorf("found %v, expected %s\n%s", findings, r.want, r.text)
			}
			for _, f := range findings {
				if f.Where == "" || f.Found == "" || f.Expected == "" || f.Next == "" {
					t.Errorf("the finding leaves its reader alone: %+v", f)
				}
			}
		})
	}
}

// Some things can only be seen with the parameters filled in.
func TestLintsAfterBinding(t *testing.T) {
	t.Parallel()
	text := `_type: layout
version: 1
expires: "2027-03-01T00:00:00Z"
parameters: {source: {pattern: "*//*/*/*"}, dir: {pattern: "*"}}
functionaries:
  a: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: "a@example.com"}}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["ALLOW *", "DISALLOW *"]
    expectedPredicates: [{predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [a], threshold: 1}]
  - name: build
    expectedMaterials: ["MATCH {source} WITH PRODUCTS FROM author", "MATCH {dir} WITH PRODUCTS FROM author", "DISALLOW *"]
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates: [{predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [a], threshold: 1}]
subjects: [{subject: ["*"], from: build}]
`
	l := mustParse(t, text)
	for _, r := range []struct {
		source, dir string
		want        verdict.ID
	}{
		{"https://example.com/a/b", "src", ""},
		{"git+https://github.com/acme/app", "src", verdict.MatchWithoutReq},
		{"git+ssh://github.com/acme/app", "src", verdict.MatchWithoutReq},
		{"git+http://github.com/acme/app", "src", verdict.MatchWithoutReq},
		{"https://example.com/a/b", "..", verdict.RuleMalformed},
		{"https://example.com/a/b", ".", verdict.RuleMalformed},
	} {
		_, findings := l.bind(map[string]string{"source": r.source, "dir": r.dir})
		if (r.want == "") != (len(findings) == 0) || r.want != "" && !hasFinding(findings, r.want) {
			t.Errorf("source %s, dir %s: found %v, expected %q", r.source, r.dir, findings, r.want)
		}
	}
}

// One layout serves many checks at once, each with its own parameters.
func TestBindLeavesTheLayoutAlone(t *testing.T) {
	t.Parallel()
	l := mustParse(t, ready(t, "two-authors-and-builder.yml"))
	p := params("author", "-", "firstAuthor", "alice@example.com", "secondAuthor", "bob@example.com")
	first, findings := l.bind(p)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	second, _ := l.bind(params("author", "-", "firstAuthor", "carol@example.com", "secondAuthor", "bob@example.com"))
	if got := first.functionaries[0].bound.String(); got != "alice@example.com" {
		t.Errorf("the first binding now says %q", got)
	}
	if got := second.functionaries[0].bound.String(); got != "carol@example.com" {
		t.Errorf("the second binding says %q", got)
	}
	for _, f := range l.functionaries {
		if f.bound.String() != "" || f.principal.same != nil {
			t.Errorf("binding wrote to the layout's functionary %s", f.id)
		}
	}
	for _, s := range first.steps {
		for _, e := range s.entries {
			for _, f := range e.allowed {
				if !slices.Contains(first.functionaries, f) {
					t.Errorf("step %s allows a functionary of another binding", s.name)
				}
			}
		}
	}
	var zero attestation.Verified
	if f, _, finding := first.steps[0].entries[0].signer(&zero, time.Now()); f != nil || finding == nil {
		t.Error("nobody is a functionary")
	}
}

// upTo is what stands before a word.
func upTo(text, word string) string {
	before, _, _ := strings.Cut(text, word)
	return before
}
