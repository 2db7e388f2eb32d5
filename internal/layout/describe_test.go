package layout

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/layouts"
)

// TestDescribeGolden holds what is told of each ready-made layout.
//
// go test ./internal/layout -run TestDescribeGolden -update rewrites the files.
func TestDescribeGolden(t *testing.T) {
	t.Parallel()
	for name, data := range attestationLayouts(t) {
		describes(t, name, data)
	}
	describes(t, "every-key.yml", []byte(valid))
	describes(t, "attributes.yml", []byte(attributed(t, withAll(`!("tag" in params) ||
  versionMatches(signer.job.ref.split("/")[2], params.tag)`)...)))
}

// attestationLayouts are the ready-made ones of this dialect, by name.
func attestationLayouts(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := fs.Glob(layouts.Files, "*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d layouts: %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, name := range files {
		if all[name], err = layouts.Files.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func describes(t *testing.T, name string, data []byte) {
	t.Helper()
	l, findings := Parse(name, data, day())
	if l == nil {
		t.Fatal(findings)
	}
	d := l.Describe()
	golden(t, name+".txt", strings.Join(d.Sentences(), "\n")+"\n")
	golden(t, name+".mmd", d.Mermaid())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "describe", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +told; -update rewrites it):\n%s", name, diff)
	}
}

// TestDescribeTellsAll changes one value of a layout at a time. Wherever the result
// is still a layout, it is told otherwise: in the sentences and in the data.
func TestDescribeTellsAll(t *testing.T) {
	t.Parallel()
	varied := changeEach(t, valid)
	// What has one value only: of these nothing need be told, or another test shows
	// that it is. A new key belongs into valid and, if need be, here.
	want := []string{
		"_type", "gitHash",
		"functionaries.alice-oidc.keyType", "functionaries.alice-oidc.scheme",
		"functionaries.bob-oidc.keyType", "functionaries.bob-oidc.scheme",
		"functionaries.release-wf.keyType", "functionaries.release-wf.scheme",
		"principals.alice.functionaries.0", "principals.builder.functionaries.0",
		"steps.0.name", "steps.0.expectedMaterials.0", "steps.0.expectedProducts.2",
		"steps.0.expectedPredicates.0.functionaries.0", "steps.0.expectedPredicates.0.functionaries.1",
		"steps.1.name", "steps.1.expectedMaterials.0", "steps.1.expectedMaterials.2",
		"steps.1.expectedProducts.1", "steps.1.expectedPredicates.0.functionaries.0", "steps.1.expectedPredicates.0.threshold",
		"steps.1.distinctFrom.0",
		"subjects.0.from",
	}
	var fixed []string
	for _, leaf := range varied {
		if !leaf.varied {
			fixed = append(fixed, leaf.path)
		}
	}
	if diff := cmp.Diff(want, fixed); diff != "" {
		t.Errorf("values that could not be changed (-expected +found):\n%s", diff)
	}
}

// TestDescribeTellsMore does the same for what valid has no room for: each row adds
// a key, whose values must be told.
func TestDescribeTellsMore(t *testing.T) {
	t.Parallel()
	const alice = "    keyVal: {root: sigstore, issuer: \"https://github.com/login/oauth\", identity: alice@example.com}\n"
	rows := []struct {
		name, old, new string
		told           []string // the paths of the values
	}{
		{
			"validity", alice, alice + "    validity: {start: 2026-01-01T00:00:00Z, end: 2027-01-01T00:00:00Z}\n    distrustAfter: 2026-10-01T00:00:00Z\n",
			[]string{"functionaries.alice-oidc.validity.start", "functionaries.alice-oidc.validity.end", "functionaries.alice-oidc.distrustAfter"},
		},
		{
			"an SSH authority", "    keyType: sigstore-oidc\n    scheme: fulcio\n" + alice,
			"    keyType: ssh\n    scheme: sshsig\n    keyVal: {authority: \"" + anSSHKey + "\", principal: alice}\n",
			[]string{"functionaries.alice-oidc.keyVal.principal"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(valid, row.old) {
				t.Fatalf("the layout does not hold %q", row.old)
			}
			for _, leaf := range changeEach(t, strings.Replace(valid, row.old, row.new, 1)) {
				if slices.Contains(row.told, leaf.path) {
					row.told = slices.DeleteFunc(row.told, func(path string) bool { return path == leaf.path && leaf.varied })
				}
			}
			if len(row.told) > 0 {
				t.Errorf("these could not be changed, or are not there: %s", row.told)
			}
		})
	}
}

const anSSHKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGQ4eVkDGR4ElATq6AWn3Z/LC3Pd7e9Z0pqVcZ4JxS7c"

// changed is a value of a layout, and whether there was another one for it.
type changed struct {
	path   string
	varied bool
}

// changeEach changes each value of a layout by itself, and demands that it is told.
func changeEach(t *testing.T, layout string) (all []changed) {
	t.Helper()
	before := told(t, layout)
	if before == nil {
		_, findings := Parse("layout.yml", []byte(layout), now())
		t.Fatalf("the layout is none: %v", findings)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(layout), &doc); err != nil {
		t.Fatal(err)
	}
	leaves(doc.Content[0], "", func(path string, leaf *yaml.Node) {
		old, varied := leaf.Value, false
		for _, value := range variations(old) {
			leaf.Value = value
			text, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			after := told(t, string(text))
			if after == nil {
				continue
			}
			varied = true
			for i, what := range []string{"sentences", "data"} {
				if after[i] == before[i] {
					t.Errorf("%s is %q in place of %q, and the %s are the same", path, value, old, what)
				}
			}
		}
		leaf.Value = old
		all = append(all, changed{path, varied})
	})
	return all
}

// told is what is told of a layout; nil where it is none.
func told(t *testing.T, text string) []string {
	t.Helper()
	l, _ := Parse("layout.yml", []byte(text), now())
	if l == nil {
		return nil
	}
	d := l.Describe()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return []string{strings.Join(d.Sentences(), "\n"), string(data)}
}

// leaves visits every value that is neither a mapping nor a list.
func leaves(node *yaml.Node, path string, visit func(string, *yaml.Node)) {
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			leaves(node.Content[i+1], below(node.Content[i].Value), visit)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			leaves(item, below(fmt.Sprint(i)), visit)
		}
	default:
		visit(path, node)
	}
}

// variations are other values of the same kind.
func variations(value string) []string {
	all := []string{
		value + "x", "x" + value, value + "/x", "1" + value, "1", "2", "true", "false", "person", "workload",
		strings.Replace(value, "-03-", "-04-", 1), strings.Replace(value, "-01-", "-02-", 1), strings.Replace(value, "24", "25", 1), strings.Replace(value, "0", "1", 1),
		strings.Replace(value, "push", "schedule", 1), strings.Replace(value, "PRODUCTS", "MATERIALS", 1), strings.Replace(value, "CREATE", "ALLOW", 1),
	}
	return slices.DeleteFunc(all, func(v string) bool { return v == value })
}

// TestDescribeRules tells each kind of rule.
func TestDescribeRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ALLOW dist/*":                     "dist/*",
		"ALLOW *":                          "anything",
		"CREATE *":                         "anything that was no material",
		"DELETE old":                       "old that is no product",
		"MODIFY a":                         "a that the step has changed",
		"REQUIRE a":                        "a must be there",
		"DISALLOW a*":                      "no a*",
		"DISALLOW *":                       "nothing else",
		"disallow *":                       "nothing else",
		"MATCH * WITH PRODUCTS FROM build": "anything, where step build has the same among its products",
		"MATCH a IN src WITH MATERIALS IN dst FROM build": "a under src, where step build has the same under dst among its materials",
	} {
		parsed, err := parseRule(text, position{})
		if err != nil {
			t.Fatal(err)
		}
		if got := describeRules(ruleList{rules: []rule{parsed}})[0].words(false); got != want {
			t.Errorf("%s is told as %q, expected %q", text, got, want)
		}
	}
}

// TestWhoever names how many of whom.
func TestWhoever(t *testing.T) {
	t.Parallel()
	rows := []struct {
		threshold int
		of        []string
		want      string
	}{
		{1, []string{"alice"}, "alice"},
		{1, []string{"alice", "bob"}, "1 of alice, bob"},
		{2, []string{"alice", "bob"}, "both alice and bob"},
		{2, []string{"alice", "bob", "carol"}, "2 of alice, bob, carol"},
		{3, []string{"alice", "bob", "carol"}, "all of alice, bob and carol"},
	}
	for _, row := range rows {
		if got := (DescribedPredicate{Threshold: row.threshold, Of: row.of}).whoever(); got != row.want {
			t.Errorf("%d of %v is told as %q, expected %q", row.threshold, row.of, got, row.want)
		}
	}
}

// TestMermaid holds that nothing of a layout becomes markup.
func TestMermaid(t *testing.T) {
	t.Parallel()
	hostile := "a\"]\n  click step1 \"javascript:alert(1)\"\n%%{init: {}}%%```<img src=x>&lt;#34;`;|{}\u202e"
	d := Description{
		Steps: []DescribedStep{
			{Name: hostile, Predicates: []DescribedPredicate{{Threshold: 1, Of: []string{hostile}}}},
			{
				Name: "build", Predicates: []DescribedPredicate{{Threshold: 1, Of: []string{"ci"}}}, DistinctFrom: []string{hostile},
				Materials: []DescribedRule{{Kind: "MATCH", Pattern: hostile, From: hostile, FromProducts: true}, {Kind: "MATCH", Pattern: "a", From: hostile}},
			},
		},
		Subjects: []DescribedSubject{{Patterns: []string{hostile}, From: "build"}},
	}
	got := d.Mermaid()
	drawn := d.Drawn(map[string]verdict.Outcome{hostile: verdict.Denied, "build": verdict.Undecided, "\n  click step1": verdict.Allowed}, verdict.Denied)
	for text, nodes := range map[string]int{got: 8, drawn: 8 + 4} {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != nodes {
			t.Errorf("%d lines, expected %d: one for each node, arrow and colour", len(lines), nodes)
		}
		ours := strings.NewReplacer("<b>", "", "</b>", "", "<br/>", "", "-->", "", "==>", "", "-.", "", ".-", "")
		for _, line := range lines {
			marks := strings.Count(line, `"`)
			if marks%2 != 0 || marks > 2 {
				t.Errorf("%d quotation marks in %s", marks, line)
			}
			if strings.ContainsAny(ours.Replace(line), "<>`%{}|&\\\u202e") {
				t.Errorf("markup in %s", line)
			}
		}
	}
	if !strings.HasSuffix(drawn, "\n  class step1,artifact1 denied\n  classDef undecided fill:#fff8c5,stroke:#9a6700,color:#4d2d00\n  class step2 undecided\n") || !strings.Contains(drawn, `step2["<b>#63; build</b>`) {
		t.Errorf("not coloured as expected:\n%s", drawn)
	}
	if !strings.Contains(got, `step2["<b>build</b><br/>ci"]`) || !strings.Contains(got, `step1 -- "a #40;a material#41;" --> step2`) {
		t.Errorf("not drawn as expected:\n%s", got)
	}
}

// FuzzDescribe: whatever is a layout can be told, one condition a line, and drawn.
func FuzzDescribe(f *testing.F) {
	f.Add([]byte(valid))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, findings := Parse("fuzz.yml", data, now())
		problems := Lint("fuzz.yml", data, now())
		if (len(findings) == 0) != (len(problems) == 0) {
			t.Fatalf("Parse has %d findings and Lint %d problems", len(findings), len(problems))
		}
		if l == nil {
			return
		}
		d := l.Describe()
		if len(d.Sentences()) < 2*len(d.Steps) {
			t.Fatal("a step is not told")
		}
		for line := range strings.Lines(d.Mermaid()) {
			if strings.Count(line, `"`)%2 != 0 {
				t.Fatalf("a text ends its label: %s", line)
			}
		}
	})
}
