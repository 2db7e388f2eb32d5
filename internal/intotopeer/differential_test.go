package intotopeer

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The cases that are generated; give others with -seed and -cases.
var (
	seed  = flag.Uint64("seed", 20260115, "the seed of the generated cases")
	count = flag.Int("cases", 500, "how many cases to generate")
)

const corpusDir = "../../../shared/corpus/in-toto"

// TestDifferential asks Signatus and the peer about every classic case of the
// corpus and about generated ones.
func TestDifferential(t *testing.T) {
	t.Parallel()
	d := &differential{generated: generate(t)}
	d.corpus, d.spec = corpusCases(t)
	for _, g := range d.generated {
		d.cases = append(d.cases, g.Case)
	}
	d.cases = append(d.cases, d.corpus...)
	d.theirs, d.ours = askPeer(t, d.cases), map[string]answer{}
	for _, c := range d.cases {
		d.ours[c.Name] = signatus(t, c)
	}
	t.Run("disagreements are explained", d.explained)
	t.Run("the corpus is right", d.right)
	t.Run("the reference agrees", d.reference)
	t.Run("oddities are found", d.oddities)
}

// differential is all cases with both answers.
type differential struct {
	cases, corpus []Case
	spec          map[string]string // of the corpus: pass, fail or undef
	generated     []Generated
	ours          map[string]answer
	theirs        map[string]Answers
}

// explained asks for a row of disagreements that says who is right, wherever the two
// disagree.
func (d *differential) explained(t *testing.T) {
	t.Parallel()
	used := map[string]int{}
	for _, c := range d.cases {
		ours, theirs := d.ours[c.Name], d.theirs[c.Name]
		if theirs.Wavers() {
			t.Errorf("%s: the peer answers now this, now that: %q", c.Name, theirs.Answers)
		}
		if ours.allowed() == theirs.Passes() {
			continue
		}
		row := explain(t, c, ours, theirs)
		if _, ok := disagreements()[row]; !ok {
			t.Errorf("%s: signatus exits with %d, the peer says %.300q, and no row explains it: %s", c.Name, ours.code, theirs.Answers, ours.text)
			continue
		}
		used[row]++
	}
	for row, why := range disagreements() {
		if used[row] == 0 && len(d.corpus) > 0 {
			t.Errorf("nothing needs the row %q", row)
		}
		t.Logf("%3d times %s; right is %s: %s", used[row], row, why.right, why.sentence)
	}
}

// right holds Signatus to what the corpus says of the specification.
func (d *differential) right(t *testing.T) {
	t.Parallel()
	if len(d.corpus) == 0 {
		t.Skipf("the corpus is not here: %s", corpusDir)
	}
	for _, c := range d.corpus {
		want, ours := d.spec[c.Name], d.ours[c.Name]
		if want != "undef" && (want == "pass") != ours.allowed() {
			t.Errorf("%s: the specification says %s, signatus exits with %d: %s", c.Name, want, ours.code, ours.text)
		}
	}
}

// reference holds Signatus to an account of the artifact rules that was written a
// second time, on the generated cases that have nothing odd, and the peer to the
// same account with its deviations.
func (d *differential) reference(t *testing.T) {
	t.Parallel()
	passed, plain := 0, 0
	for _, g := range d.generated {
		if g.Oddity != "" {
			continue
		}
		plain++
		want := Rules(g.Items)
		if want == nil {
			passed++
		}
		if ours := d.ours[g.Name]; ours.allowed() != (want == nil) {
			t.Errorf("%s: signatus exits with %d, the reference says %v: %s", g.Name, ours.code, want, ours.text)
		}
		if with := Rules(g.Items, Deviations()...); d.theirs[g.Name].Passes() != (with == nil) {
			t.Errorf("%s: the peer says %q, the reference with all deviations %v", g.Name, d.theirs[g.Name].Answers, with)
		}
	}
	if passed < plain/10 || passed > plain*9/10 {
		t.Errorf("%d of %d cases pass: too few of one kind to tell much", passed, plain)
	}
}

// oddities shows that every oddity is drawn, and that one that must be refused is,
// with its own finding.
func (d *differential) oddities(t *testing.T) {
	t.Parallel()
	drawn := map[Oddity]int{}
	for _, g := range d.generated {
		drawn[g.Oddity]++
		ours, ids := d.ours[g.Name], findings()[g.Oddity]
		found := slices.Concat(ours.findings, ours.reasons)
		if len(ids) > 0 && !slices.ContainsFunc(found, func(id string) bool { return slices.Contains(ids, id) }) {
			t.Errorf("%s: %s, and signatus exits with %d: %s", g.Name, g.Oddity, ours.code, ours.text)
		}
	}
	for _, odd := range Oddities() {
		if drawn[odd] == 0 {
			t.Errorf("no case has the oddity %q: give more -cases", odd)
		}
	}
}

// findings is what must be found, one of them, where a case has an oddity that is
// never right.
func findings() map[Oddity][]string {
	return map[Oddity][]string{
		OddAlias:         {"artifact-name-ambiguous"},
		OddGlob:          {"glob-malformed"},
		OddStep:          {"match-unknown-step"},
		OddKind:          {"rule-malformed"},
		OddUnknownRule:   {"rule-malformed"},
		OddDigest:        {"digest-malformed"},
		OddNoDigest:      {"digest-empty"},
		OddSignature:     {"signature-invalid"},
		OddWrongSigner:   {"signature-invalid", "signer-not-functionary"},
		OddLayout:        {"layout-signature-threshold"},
		OddExpired:       {"layout-expired"},
		OddLinkName:      {"link-of-another-step"},
		OddPlaceholder:   {"parameter-missing"},
		OddDuplicateStep: {"name-clash"},
		OddTwoIDs:        {"shared-key"},
	}
}

// generate draws the cases.
func generate(t *testing.T) (cases []Generated) {
	t.Helper()
	g, err := NewGenerator(*seed, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := range *count {
		c, err := g.Next(fmt.Sprintf("generated-%d-%03d", *seed, i))
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// corpusCases are the cases of the corpus, and what the specification says of each.
func corpusCases(t *testing.T) (cases []Case, spec map[string]string) {
	t.Helper()
	root, err := filepath.Abs(filepath.FromSlash(corpusDir))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	spec = map[string]string{}
	for _, file := range files {
		c, says := readCase(t, file)
		cases, spec[c.Name] = append(cases, c), says
	}
	return cases, spec
}

func readCase(t *testing.T, file string) (Case, string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Layout, Links, Spec string
		Keys                []string
		Params              map[string]string
	}
	if err := json.Unmarshal(content, &described); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(file)
	in := func(name string) string { return filepath.Join(folder, name) }
	c := Case{Name: filepath.Base(folder), Layout: in(described.Layout), Links: in(described.Links), Params: described.Params, Work: in("work")}
	for _, key := range described.Keys {
		c.Keys = append(c.Keys, in(key))
	}
	return c, described.Spec
}

func askPeer(t *testing.T, cases []Case) map[string]Answers {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := AskPeer(program, t.TempDir(), cases)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(cases) {
		t.Fatalf("the peer answers about %d of %d cases: %v", len(answers), len(cases), slices.Sorted(maps.Keys(answers)))
	}
	return answers
}
