package attribute

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func compiler(t testing.TB) *Compiler {
	t.Helper()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompile(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	for _, text := range []string{
		`true`,
		`predicate.result == "PASSED"`,
		`size(predicate.failedTests) == 0`,
		`predicate.passed`, // its type shows when it runs
		`subject.all(s, s.name.startsWith("dist/"))`,
		`predicateType == "https://slsa.dev/provenance/v1"`,
		`signer.identity.endsWith("@example.com") && signer.kind == "email"`,
		`signer.extensions.sourceRepositoryIdentifier == params.repoId`,
		`!("tag" in params) || signer.job.ref == "refs/tags/" + params.tag`,
		`!has(params.tag) || versionMatches("v1.2.3", params.tag)`,
		`params["a-b"] == "x"`,
		`has(predicate.a) ? predicate.a.exists(x, x.ok == true) : false`,
		`timestamp(predicate.metadata.finishedOn) > timestamp("2026-01-01T00:00:00Z")`,
		`predicate.list.exists_one(params, params == 1)`, // another params
	} {
		if _, problems := c.Compile(text); len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	for _, r := range []struct {
		text, message string
		line, column  int
	}{
		{"", "mismatched input '<EOF>'", 1, 1},
		{`predicate.result ==`, "mismatched input '<EOF>'", 1, 20},
		{`predicat.result == "PASSED"`, "undeclared reference to 'predicat'", 1, 1},
		{"true &&\n  attestation.ok", "undeclared reference to 'attestation'", 2, 3},
		{`size(subject)`, "the rule is int, not a boolean", 1, 1},
		{`"PASSED"`, "the rule is string, not a boolean", 1, 1},
		{`predicateType == 1`, "no matching overload for '_==_'", 1, 15},
		{`signer.identy == "x"`, "undefined field 'identy'", 1, 7},
		{`signer.extensions.sourceRepositoryUri == "x"`, "signer.extensions has no sourceRepositoryUri", 1, 18},
		{`has(signer.job.branch)`, "signer.job has no branch", 1, 4},
		{`"branch" in signer.job`, "", 0, 0}, // allowed: nothing is compared with it
		{`params.size() > 0`, "params is used as a whole", 1, 1},
		{`params.all(k, k == "x")`, "params is used as a whole", 1, 1},
		{`params[predicateType] == "x"`, "params is used as a whole", 1, 1},
		{`predicateType.matches("^https")`, "undeclared reference to 'matches'", 1, 22},
		{`now() > timestamp("2026-01-01T00:00:00Z")`, "undeclared reference to 'now'", 1, 4},
		{strings.Repeat("(", MaxNesting+1) + "true" + strings.Repeat(")", MaxNesting+1), "", 1, 0},
		{`"` + strings.Repeat("a", MaxRuleBytes) + `" == ""`, "expression code point size exceeds limit", 1, 0},
	} {
		_, problems := c.Compile(r.text)
		switch {
		case r.line == 0:
			if len(problems) > 0 {
				t.Errorf("%s: %v", r.text, problems)
			}
		case len(problems) == 0:
			t.Errorf("%.80s: no problem, expected %s", r.text, r.message)
		case !strings.Contains(problems[0].Message, r.message), problems[0].Line != r.line, r.column > 0 && problems[0].Column != r.column:
			t.Errorf("%.80s: %+v, expected %s at %d:%d", r.text, problems[0], r.message, r.line, r.column)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	r, problems := compiler(t).Compile("\"tag\" in params ||\n has(params.branch) && params[\"source\"] == 'x' && [1].all(params, params == 1)")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []Parameter{{"tag", 1, 7}, {"branch", 2, 5}, {"source", 2, 30}}
	if diff := cmp.Diff(want, r.Parameters()); diff != "" {
		t.Errorf("parameters differ (-want +got):\n%s", diff)
	}
}

// facts are those of a build that a job signed.
func facts() *Facts {
	return &Facts{
		predicateType: "https://slsa.dev/provenance/v1",
		predicate: map[string]any{
			"result": "PASSED", "passed": true, "text": "true", "count": int64(3), "run": int64(9007199254740993), "half": 0.5,
			"list": []any{int64(1), int64(2)}, "nothing": nil, "long": strings.Repeat("x", 1000),
		},
		subject: []map[string]any{{"name": "app", "digest": map[string]string{"sha256": "ab"}}},
		signer: &Signer{
			Identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", Kind: "uri",
			Extensions: map[string]string{"runnerEnvironment": "github-hosted"},
			Job:        map[string]string{"ref": "refs/heads/main"},
		},
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	params := map[string]any{"tag": "v1", "workflowInput": map[string]string{"level": "3"}}
	for _, r := range []struct {
		text string
		want bool
		err  string
	}{
		{`predicate.result == "PASSED"`, true, ""},
		{`predicate.result == "FAILED"`, false, ""},
		{`predicate.passed`, true, ""},
		{`predicate.count == 3 && predicate.count > 2.5 && predicate.half < 1`, true, ""},
		{`predicate.run == 9007199254740992`, false, ""}, // as floating point they would be equal
		{`subject[0].digest.sha256 == "ab" && size(subject) == 1`, true, ""},
		{`signer.job.ref == "refs/heads/main"`, true, ""},
		{`params.workflowInput.all(k, params.workflowInput[k] == "3")`, true, ""},
		{`params.workflowInput.level == "3"`, true, ""},
		{`has(params.branch)`, false, ""},
		{`predicate.nothing == null`, true, ""},
		{`predicateType.split("/")[2] == "slsa.dev" && size(predicateType.split("@")) == 1`, true, ""},
		{`predicate.result.lowerAscii() == "passed" && "É".lowerAscii() == "É"`, true, ""},
		{`signer.issuer == ""`, true, ""},

		{`predicate.text`, false, "came to string"},
		{`predicate.count`, false, "came to int"},
		{`predicate.nothing`, false, "came to null_type"},
		{`predicate.missing == "x"`, false, "no such key"},
		{`signer.extensions.sourceRepositoryIdentifier == "1"`, false, "no such key"},
		{`signer.extensions.deploymentEnvironment != "test"`, false, "no such key"}, // absent never means unequal
		{`signer.job.commit != "0"`, false, "no such key"},
		{`params.branch == "main"`, false, "no such key"},
		{`predicate.result > 3`, false, "no such overload"},
		{`subject[1].name == "x"`, false, "index out of bounds"},
		{`1 / (predicate.count - 3) > 0`, false, "division by zero"},
		{`versionMatches("v1", predicate.result)`, false, "not a semantic version"},
		{`predicate.missing == 1 && false`, false, ""}, // CEL's && needs one side only
	} {
		rule, problems := c.Compile(r.text)
		if len(problems) > 0 {
			t.Errorf("%s: %v", r.text, problems)
			continue
		}
		holds, err := rule.Holds(facts(), params)
		if holds != r.want || (err == nil) != (r.err == "") || err != nil && !strings.Contains(err.Error(), r.err) {
			t.Errorf("%s: %v, %v; expected %v, %q", r.text, holds, err, r.want, r.err)
		}
	}
}

// TestHoldsIsBounded runs rules that would take for ever or take all memory.
func TestHoldsIsBounded(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	big := facts()
	list := make([]any, 3000)
	for i := range list {
		list[i] = int64(i)
	}
	big.predicate = map[string]any{"list": list, "text": strings.Repeat("x", 10_000)}
	for _, text := range []string{
		`predicate.list.all(a, predicate.list.all(b, predicate.list.all(c, a + b + c >= 0)))`,
		`predicate.list.map(a, predicate.list.map(b, predicate.text)).size() > 0`,
		`predicate.list.map(a, predicate.text + predicate.text + "x").size() > 0`,
		`predicate.list.all(a, predicate.text.split("").size() > 0)`,
		`predicate.list.all(a, predicate.text.lowerAscii() != "")`,
		`predicate.list.all(a, a in predicate.list)`,
		`predicate.list.all(a, predicate.text < predicate.text + predicate.text)`,
		`predicate.list.all(a, predicate.text + predicate.text != "")`,
		doubled(20),
	} {
		rule, problems := c.Compile(text)
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		begin := time.Now()
		holds, err := rule.Holds(big, nil)
		if took := time.Since(begin); holds || err == nil || took > 10*time.Second {
			t.Errorf("%s: %v, %v after %s; expected to be stopped", text, holds, err, took)
		} else if testing.Verbose() {
			t.Logf("%s: %v after %s", text, err, took)
		}
	}
	nested := any("x")
	for range 60 {
		nested = map[string]any{"a": nested}
	}
	big.predicate.(map[string]any)["nested"] = nested
	within := `predicate.nested.a.a != null && predicate.list.all(a, a >= 0 && predicate.text.contains("x")) && predicate.text.split("").size() == 10000`
	rule, problems := c.Compile(within)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if holds, err := rule.Holds(big, nil); !holds || err != nil {
		t.Errorf("%s: %v, %v", within, holds, err)
	}
}

// doubled is a rule that doubles a text n times.
func doubled(n int) string {
	text := "predicate.text"
	for range n {
		text = "[" + text + "].map(s, s + s)[0]"
	}
	return text + ` == ""`
}

func TestSaw(t *testing.T) {
	t.Parallel()
	r, problems := compiler(t).Compile(`signer.job.ref == "refs/tags/" + params.tag && predicate.list == [1] && predicate.long == "" && has(predicate["a b"].c) && signer.job.ref != ""`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	saw := r.saw(facts(), map[string]any{"tag": "v1"})
	want := []string{
		`signer.job.ref is "refs/heads/main"`, `params.tag is "v1"`, `predicate.list is a list of 2`,
		`predicate.long is "` + strings.Repeat("x", mostLetter-1) + `…`, `predicate["a b"].c is not there`,
	}
	if diff := cmp.Diff(want, saw); diff != "" {
		t.Errorf("what the rule saw differs (-want +got):\n%s", diff)
	}
}

func TestVersionMatches(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		tag, wanted string
		want        bool
	}{
		{"v13.0.30", "v13.0.30", true},
		{"v13.0.30", "v13.0", true},
		{"v13.0.30", "v13", true},
		{"v14", "v14", true},
		{"v14", "v14.0", true},
		{"v14", "v14.0.0", true},
		{"v14.2", "v14.2.0", true},
		{"v1.2.3+build.5", "v1.2.3", true},
		{"v1.2.3", "v1.2.3+build.5", true},
		{"v1.2.3-rc.1", "v1.2.3-rc.1", true},
		{"v1.2.3-rc.1", "v1.2", true},

		{"v13.0.30", "v2", false},
		{"v13.0.30", "v0", false},
		{"v13.0.30", "v13.0.3", false},
		{"v13.0.30", "v1", false},
		{"v14", "v14.1", false},
		{"v14.2", "v14.2.1", false},
		{"v14.2", "v14.3", false},
		{"v1.2.3-rc.1", "v1.2.3", false},
		{"v1.2.3-rc.1", "v1.2.3-rc.2", false},
		{"release", "v1", false},
		{"1.2.3", "v1", false},
		{"", "v1", false},
	} {
		if got, err := versionMatches(r.tag, r.wanted); got != r.want || err != nil {
			t.Errorf("versionMatches(%q, %q) is %v, %v", r.tag, r.wanted, got, err)
		}
	}
	for _, wanted := range []string{"", "1.2", "v", "vx", "v1.2.3.4", "latest"} {
		if got, err := versionMatches("v1.2.3", wanted); got || err == nil {
			t.Errorf("versionMatches of %q is %v, %v; expected an error", wanted, got, err)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, text := range []string{
		`predicate.result == "PASSED"`, `subject.all(s, s.name != "")`, `"tag" in params`, `signer.job.ref == params.tag`,
		`predicate.list.map(x, x * 2).exists(y, y == 4)`, `"a@b".split("@")[1] == "b"`, `{"a": 1}.a == 1`, `params["x"]`, "`a`", `layout.Signer{}`,
	} {
		f.Add(text)
	}
	c := compiler(f)
	f.Fuzz(func(t *testing.T, text string) {
		rule, problems := c.Compile(text)
		if (rule == nil) == (len(problems) == 0) {
			t.Fatalf("%q: a rule %v and the problems %v", text, rule, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Errorf("%q: %+v", text, p)
			}
		}
		if rule == nil {
			return
		}
		rule.Why(facts(), map[string]any{"tag": "v1"})
		if holds, err := rule.Holds(facts(), map[string]any{"tag": "v1"}); holds && err != nil {
			t.Errorf("%q: true and %v", text, err)
		}
	})
}
