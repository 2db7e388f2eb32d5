package attribute

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhy has a rule for each way in which the part that decided is found.
func TestWhy(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	const ref = `signer.job.ref is "refs/heads/main"`
	params := map[string]any{"tag": "v1", "branch": "dev", "input": map[string]string{"level": "3", "mode": "fast"}}
	for _, r := range []struct {
		text string
		want Why
	}{
		{`!("tag" in params) || signer.job.ref == "refs/tags/" + params.tag`, Why{[]string{`signer.job.ref == "refs/tags/v1"`}, []string{ref}, []string{"tag=v1"}}},
		{`predicate.passed && signer.job.ref == "x" && predicate.result == "y"`, Why{[]string{`signer.job.ref == "x"`}, []string{ref}, nil}},
		{`predicate.missing == 1 && signer.job.ref == "x"`, Why{[]string{`signer.job.ref == "x"`}, []string{ref}, nil}},
		{`signer.job.ref == "x" || predicate.result == "y"`, Why{[]string{`signer.job.ref == "x"`, `predicate.result == "y"`}, []string{ref, `predicate.result is "PASSED"`}, nil}},
		{`signer.job.ref == "x" || predicate.missing == 1`, Why{[]string{`signer.job.ref == "x"`}, []string{ref}, nil}},
		{`predicate.missing.at == 1 || predicate.gone == 2`, Why{[]string{`predicate.missing.at == 1`, `predicate.gone == 2`}, []string{"predicate.missing.at is not there", "predicate.gone is not there"}, nil}},
		{`has(predicate.missing)`, Why{[]string{`has(predicate.missing)`}, []string{"predicate.missing is not there"}, nil}},
		{`[predicate].all(p, has(p.missing))`, Why{[]string{`has(predicate.missing)`}, []string{"predicate.missing is not there"}, nil}},
		{`signer.job.ref.startsWith("refs/tags/") ? predicate.passed : signer.job.ref == "refs/heads/" + params.branch`, Why{[]string{`signer.job.ref == "refs/heads/dev"`}, []string{ref}, []string{"branch=dev"}}},
		{`[predicate.passed ? signer.job.ref : predicate.result].all(r, [params.tag].exists(t, r == "refs/tags/" + t))`, Why{[]string{`signer.job.ref == "refs/tags/v1"`}, []string{ref}, []string{"tag=v1"}}},
		{`params.input.all(k, predicate[k] == params.input[k])`, Why{[]string{`predicate["level"] == "3"`}, []string{"predicate.level is not there"}, []string{"input.level=3"}}},
		{`predicate.missing == "refs/" + params.tag`, Why{[]string{`predicate.missing == "refs/v1"`}, []string{"predicate.missing is not there"}, []string{"tag=v1"}}},
		{`params.input.all(k, k == "level" || predicate.result == params.input[k])`, Why{[]string{`predicate.result == "fast"`}, []string{`predicate.result is "PASSED"`}, []string{"input.mode=fast"}}},
		{`"builderId" in params`, Why{Wanted: []string{"--param builderId=…"}}},
		{`!("tag" in params)`, Why{Wanted: []string{"no --param tag"}}},
		{`params.tag == "v2" && predicate.passed`, Why{[]string{`params.tag == "v2"`}, []string{`params.tag is "v1"`}, nil}},
		{`subject[0].name.split("/")[0] == params.tag`, Why{[]string{`subject[0].name.split("/")[0] == "v1"`}, []string{`subject[0].name is "app"`}, []string{"tag=v1"}}},
		{`subject.size() == 2`, Why{[]string{`subject.size() == 2`}, []string{`subject.size() is 1`}, nil}},
		{`predicate.list.all(x, x > 1)`, Why{[]string{`predicate.list.all(x, x > 1)`}, []string{"predicate.list is a list of 2"}, nil}},
		{`subject.all(s, s.name == "x")`, Why{[]string{`subject.all(s, s.name == "x")`}, nil, nil}},
		{`predicate.result`, Why{[]string{`predicate.result`}, []string{`predicate.result is "PASSED"`}, nil}},
		{`true && (predicate.list.all(a, predicate.list.all(b, a + b > 100)) || false)`, Why{[]string{`predicate.list.all(a, predicate.list.all(b, a + b > 100))`}, []string{"predicate.list is a list of 2"}, nil}},
	} {
		rule, problems := c.Compile(r.text)
		if len(problems) > 0 {
			t.Errorf("%s: %v", r.text, problems)
			continue
		}
		if holds, err := rule.Holds(facts(), params); holds && err == nil {
			t.Errorf("%s: holds", r.text)
		}
		if diff := cmp.Diff(r.want, rule.Why(facts(), params)); diff != "" {
			t.Errorf("%s: the reason differs (-want +got):\n%s", r.text, diff)
		}
	}
}

// A reason is for people, so none is longer than they read, and none takes longer to
// make than the rule.
func TestWhyIsBounded(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	nested := `predicate.result == "x"`
	for i := range 25 {
		name := "n" + strings.Repeat("a", i)
		nested = `[predicate.result + "` + name + `"].all(` + name + `, ` + name + ` + ` + name + ` == "" || ` + nested + `)`
	}
	named := `last == ""`
	for i := range 25 {
		from, to := "n"+strings.Repeat("a", 25-i), "n"+strings.Repeat("a", 26-i)
		if i == 0 {
			to = "last"
		}
		if i == 24 {
			from = "predicate.result"
		}
		named = "[" + from + " + " + from + "].all(" + to + ", " + named + ")"
	}
	for _, text := range []string{
		strings.Repeat(`predicate.result == "x" || `, 200) + "false",
		`predicate.long == "` + strings.Repeat("x", 5000) + `"`,
		nested, named,
	} {
		rule, problems := c.Compile(text)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", cut(text, 100), problems)
		}
		why := rule.Why(facts(), nil)
		if len(why.Wanted) > mostWanted || len(why.Found) > mostFound {
			t.Errorf("%s: %d conditions and %d values", cut(text, 100), len(why.Wanted), len(why.Found))
		}
		for _, line := range append(why.Wanted, why.Found...) {
			if len([]rune(line)) > mostText+2*mostLetter {
				t.Errorf("a line of %d letters", len([]rune(line)))
			}
		}
	}
}
