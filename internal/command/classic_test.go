package command_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/command"
)

const inTotoCorpus = "../../../shared/corpus/in-toto"

// classicCase is a layout of in-toto 1.0 with its keys, links and parameters,
// and what a strict reader must answer.
type classicCase struct {
	set, dir, layout, links string
	keys                    []string
	params                  map[string]string
	expected                string // pass, fail, or undef where the specification is silent
	work                    string // the folder with the final product
}

// classicCases reads the case.json of every folder of a set, and the samples,
// which have none.
func classicCases(t *testing.T) []classicCase {
	t.Helper()
	var cases []classicCase
	for _, set := range []string{"differential", "upstream-replay"} {
		folders, err := filepath.Glob(filepath.Join(inTotoCorpus, set, "*", "case.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range folders {
			cases = append(cases, readClassicCase(t, set, file))
		}
	}
	if cases == nil {
		t.Skipf("the corpus is not here: %s", inTotoCorpus)
	}
	return append(cases, sampleCases(t)...)
}

func readClassicCase(t *testing.T, set, file string) classicCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Layout, Links, Spec string
		Keys                []string
		Params              map[string]string
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return classicCase{set: set, dir: filepath.Dir(file), layout: c.Layout, links: c.Links, keys: c.Keys, params: c.Params, expected: c.Spec, work: "work"}
}

// name is the set and the case.
func (c classicCase) name() string {
	if c.set == "in-toto-golang-test-data" {
		return c.set + "/" + c.layout
	}
	return c.set + "/" + filepath.Base(c.dir)
}

func (c classicCase) args() []string {
	args := []string{"verify", "--layout", filepath.Join(c.dir, c.layout), "--link-dir", filepath.Join(c.dir, c.links), "--format", "json",
		"--allow-inspections", "--inspection-dir", filepath.Join(c.dir, c.work)}
	for _, key := range c.keys {
		args = append(args, "--layout-key", filepath.Join(c.dir, key))
	}
	for name, value := range c.params {
		args = append(args, "--param", name+"="+value)
	}
	return args
}

// TestClassicCorpus runs every case of the corpus through the real command line:
// it exits with 0 or 1, as the case expects, and with 1 or 0 where the
// specification is silent, but never with anything else.
func TestClassicCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range classicCases(t) {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			before := contents(t, filepath.Join(c.dir, c.work))
			o := run(t, atTheTime, c.args()...)
			if diff := cmp.Diff(before, contents(t, filepath.Join(c.dir, c.work))); diff != "" {
				t.Errorf("the final product was changed (-before +after):\n%s", diff)
			}
			ids := findingsOf(t, o)
			if o.code != 0 && o.code != 1 {
				t.Fatalf("exit code %d\n%s", o.code, o.report)
			}
			want := map[string]int{"pass": 0, "fail": 1}
			if code, defined := want[c.expected]; defined && o.code != code {
				t.Errorf("exit code %d, expected to %s\n%s", o.code, c.expected, o.out)
			}
			if o.code == 1 && len(ids) == 0 {
				t.Errorf("denied without a finding:\n%s", o.out)
			}
		})
	}
}

// atTheTime is when the corpus was made: its samples expire, and its tests do not.
func atTheTime(env *command.Env) {
	env.Now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	env.Getenv = os.Getenv // inspections need a PATH, and some a python
}

// readVerdict is as much of a verdict as the tests look at.
type readVerdict struct {
	Findings []readFinding
	Evidence []struct{ Reason *readFinding }
}

type readFinding struct{ ID string }

// verdictsOf reads a JSON report.
func verdictsOf(t *testing.T, o outcome) []readVerdict {
	t.Helper()
	var report struct{ Verdicts []readVerdict }
	if err := json.Unmarshal([]byte(o.out), &report); err != nil {
		t.Fatalf("no report: %v\n%s", err, o.report)
	}
	return report.Verdicts
}

// findingsOf lists the ids in a JSON report.
func findingsOf(t *testing.T, o outcome) []string {
	t.Helper()
	var ids []string
	for _, v := range verdictsOf(t, o) {
		for _, f := range v.Findings {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// classicTallies are the counts of docs/conformance.md, by set.
type classicTallies map[string]*classicTally

type classicTally struct {
	pass, fail      tally
	allowed, denied int // of the cases that the specification leaves open
}

// countClassic runs the cases once more, and counts; TestClassicCorpus says what
// is wrong.
func countClassic(t *testing.T) classicTallies {
	t.Helper()
	tallies := classicTallies{}
	for _, c := range classicCases(t) {
		n := tallies[c.set]
		if n == nil {
			n = &classicTally{}
			tallies[c.set] = n
		}
		switch o := run(t, atTheTime, c.args()...); {
		case c.expected == "pass":
			n.pass.add(o.code == 0)
		case c.expected == "fail":
			n.fail.add(o.code == 1)
		case o.code == 0:
			n.allowed++
		default:
			n.denied++
		}
	}
	return tallies
}

func (n classicTallies) write(line func(string, ...any)) {
	line("## Layouts of in-toto 1.0")
	line("")
	line("The cases of `../shared/corpus/in-toto`, each as `signatus verify --layout FILE --layout-key FILE… --link-dir DIR --param … --allow-inspections`: `differential` was made to find where implementations differ, `upstream-replay` is in-toto's own test scenarios, the layouts of in-toto-golang's test data have certificates (ITE-7), inspections and DSSE, the demo of in-toto's own tests has links by RSA and GnuPG keys and in DSSE under a layout that is signed here, and the examples of the specification, whose owners have keys that nobody kept, expired in 2016 and 2017. What must come of a case is the strict reading; where the specification is silent, either is right.")
	line("")
	line("| set | pass, allowed | fail, denied | silent |")
	line("|---|---|---|---|")
	for _, set := range slices.Sorted(maps.Keys(n)) {
		c := n[set]
		silent := "–"
		if c.allowed+c.denied > 0 {
			silent = fmt.Sprintf("%d allowed, %d denied", c.allowed, c.denied)
		}
		line("| %s | %s | %s | %s |", set, c.pass, c.fail, silent)
	}
	line("")
}
