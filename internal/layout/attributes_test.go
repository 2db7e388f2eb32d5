package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// attributed is a layout whose build has the rules, with parameters that only
// they use.
func attributed(t testing.TB, rules ...string) string {
	t.Helper()
	var items []string
	for _, r := range rules {
		items = append(items, fmt.Sprintf("{rule: %q}", r))
	}
	entry := expects(provenance.V1, 1, "release", "expectedAttributes: ["+strings.Join(items, ", ")+"]")
	text := inline(t, fromBuild, writeStep("build", []string{"ALLOW *", "DISALLOW *"}, []string{"CREATE *", "DISALLOW *"}, entry))
	return strings.Replace(text, "functionaries:\n", "parameters:\n  branch: {anyText: true}\n  tag: {pattern: \"*\"}\n  input: {map: true, anyText: true}\nfunctionaries:\n", 1)
}

// every rule uses all parameters, so that the layout lints clean.
func withAll(rule string) []string {
	return []string{rule, `has(params.branch) || "tag" in params || params.input.size() >= 0`}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	try := func(rule string, p map[string]string, edits ...edit) trial {
		return trial{layout: attributed(t, withAll(rule)...), params: p, words: []word{built(run{}, edits...)}}
	}
	none := map[string]string{}
	inputs := `params.input.all(k, k in predicate.buildDefinition.externalParameters.inputs && predicate.buildDefinition.externalParameters.inputs[k] == params.input[k])`
	withInputs := set("buildDefinition/externalParameters/inputs", map[string]any{"level": "3", "note": "two words"})
	onBranch := `!("branch" in params) || signer.job.ref == "refs/heads/" + params.branch`
	judgeAll(t, []row{
		{"a constant", try(`true`, none), allow},
		{"the predicate's own field", try(`predicate.buildDefinition.buildType.startsWith("https://")`, none), allow},
		{"the signer's job", try(`signer.job.ref == "refs/heads/main" && signer.job.repository == "https://github.com/acme/app"`, none), allow},
		{"an extension", try(`signer.extensions.sourceRepositoryIdentifier == "`+repoID+`"`, none), allow},
		{"the subject", try(`subject.exists(s, s.name == "app")`, none), allow},
		{"the root", try(`signer.root == "sigstore" && signer.key == ""`, none), allow},
		{"an absent parameter, asked for first", try(onBranch, none), allow},
		{"the parameter's value", try(onBranch, map[string]string{"branch": "main"}), allow},
		{"a family, absent", try(inputs, none), allow},
		{"a family", try(inputs, map[string]string{"input.level": "3", "input.note": "two words"}, withInputs), allow},
		{"a value that would end a text", try(onBranch, map[string]string{"branch": `main" || true || "`}), verdict.AttributeFalse},

		{"false", try(`false`, none), verdict.AttributeFalse},
		{"another branch", try(onBranch, map[string]string{"branch": "dev"}), verdict.AttributeFalse},
		{"another input", try(inputs, map[string]string{"input.level": "4"}, withInputs), verdict.AttributeFalse},
		{"an input that was not given", try(inputs, map[string]string{"input.other": "4"}, withInputs), verdict.AttributeFalse},
		{"inputs of a predicate without any", try(inputs, map[string]string{"input.level": "3"}), verdict.AttributeError},
		{"an absent parameter, not asked for", try(`signer.job.ref == "refs/heads/" + params.branch`, none), verdict.AttributeError},
		{"an absent field", try(`predicate.result == "PASSED"`, none), verdict.AttributeError},
		{"an absent field that must differ", try(`predicate.result != "FAILED"`, none), verdict.AttributeError},
		{"what is no boolean", try(`predicate.buildDefinition.buildType`, none), verdict.AttributeError},
		{"what costs too much", try(`predicate.list.all(a, predicate.list.all(b, predicate.list.all(c, a + b + c >= 0)))`, none, set("list", numbers(3000))), verdict.AttributeError},

		{"a family without a key", try(`true`, map[string]string{"input": "3"}), verdict.ParameterUnknown},
		{"a family with an empty key", try(`true`, map[string]string{"input.": "3"}), verdict.ParameterUnknown},
		{"a key of what is no family", try(`true`, map[string]string{"branch.x": "3"}), verdict.ParameterUnknown},
		{"an empty value", try(`true`, map[string]string{"branch": ""}), verdict.ParameterMalformed},
		{"a control character", try(`true`, map[string]string{"branch": "a\nb"}), verdict.ParameterMalformed},
		{"a value of the greatest length", try(`true`, map[string]string{"branch": strings.Repeat("x", MaxParameterBytes)}), allow},
		{"a longer value", try(`true`, map[string]string{"branch": strings.Repeat("x", MaxParameterBytes+1)}), verdict.ParameterMalformed},
		{"a value that the pattern does not match", try(`true`, map[string]string{"tag": "a/b"}), verdict.ParameterMalformed},
	})
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// The rule is the last thing that is asked: of what is no evidence for the
// artifact in hand it says nothing.
func TestAttributesComeLast(t *testing.T) {
	t.Parallel()
	layout := attributed(t, withAll(`signer.job.trigger == "push"`)...)
	dispatched := run{Trigger: "workflow_dispatch"}
	judgeAll(t, []row{
		{"the good one among others", trial{layout: layout, words: []word{built(dispatched), built(run{}), builtOf(run{}, evil)}}, allow},
		{"one of another artifact and one that is not so", trial{layout: layout, words: []word{builtOf(run{}, evil), built(dispatched)}}, verdict.AttributeFalse},
		{"one of another artifact", trial{layout: layout, words: []word{builtOf(dispatched, evil)}}, verdict.NotSubject},
	})
}

// What a reader of the report needs: what was found, where, and who asked for what else.
func TestAttributeFinding(t *testing.T) {
	t.Parallel()
	v := trial{layout: attributed(t, withAll(`signer.job.ref == "refs/tags/" + params.tag`)...), params: map[string]string{"tag": "v1"}, words: []word{built(run{})}}.judge(t)
	if len(v.Findings) != 1 {
		t.Fatalf("%s:\n%s", v.Outcome(), describeAll(v))
	}
	f := v.Findings[0]
	if f.Step != "build" || f.Rule != `signer.job.ref == "refs/tags/" + params.tag` || !strings.HasSuffix(f.Found, `the rule is false: signer.job.ref is "refs/heads/main"`) ||
		f.Expected != `signer.job.ref == "refs/tags/v1", as --param tag=v1 asks` || !strings.HasPrefix(f.Where, "layout.yml:36:") {
		t.Errorf("the finding is %+v", f)
	}
}

func TestAttributeLints(t *testing.T) {
	t.Parallel()
	const rule = "maxAge: 24h"
	with := func(text string) string { return text + "\n        maxAge: 24h" }
	for _, b := range []broken{
		{"not CEL", rule, with(`expectedAttributes: [{rule: "predicate.result =="}]`), verdict.AttributeMalformed, "45:57"},
		{"an unknown variable", rule, with(`expectedAttributes: [{rule: "true && attestation.ok"}]`), verdict.AttributeMalformed, "45:46"},
		{"in single quotes", rule, with(`expectedAttributes: [{rule: 'true && attestation.ok'}]`), verdict.AttributeMalformed, "45:46"},
		{"in a block", rule, with("expectedAttributes:\n          - rule: |\n              true &&\n              attestation.ok"), verdict.AttributeMalformed, "48:15"},
		{"folded", rule, with("expectedAttributes:\n          - rule: >\n              true &&\n              attestation.ok"), verdict.AttributeMalformed, "46:19"},
		{"no boolean", rule, with(`expectedAttributes: [{rule: "size(subject)"}]`), verdict.AttributeMalformed, "45:38"},
		{"an unknown extension", rule, with(`expectedAttributes: [{rule: "signer.extensions.builder == 'x'"}]`), verdict.AttributeMalformed, "45:55"},
		{"a regular expression", rule, with(`expectedAttributes: [{rule: "predicateType.matches('x')"}]`), verdict.AttributeMalformed, "45:59"},
		{"an undeclared parameter", rule, with(`expectedAttributes: [{rule: "params.tag == 'x'"}]`), verdict.ParameterUnknown, "45:44"},
		{"parameters as a whole", rule, with(`expectedAttributes: [{rule: "params.size() == 0"}]`), verdict.AttributeMalformed, "45:38"},
		{"allowIfNoClaim", rule, with(`expectedAttributes: [{rule: "true", allowIfNoClaim: true}]`), verdict.AttributeMalformed, "45:61"},
		{"warn", rule, with(`expectedAttributes: [{rule: "true", warn: true}]`), verdict.AttributeMalformed, "45:51"},
		{"debug", rule, with(`expectedAttributes: [{rule: "true", debug: x}]`), verdict.AttributeMalformed, "45:52"},
		{"no rule", rule, with(`expectedAttributes: [{}]`), verdict.LayoutMalformed, "45:30"},
		{"an empty list", rule, with(`expectedAttributes: []`), verdict.LayoutMalformed, "45:29"},
		{"an unknown key", rule, with(`expectedAttributes: [{rule: "true", cel: x}]`), verdict.LayoutMalformed, "45:45"},
		{"a parameter that nothing uses", `required: true}`, "required: true}\n  tag: {pattern: \"*\"}", verdict.ParameterUnused, "7:3"},
		{"a family in a rule", `{pattern: "github.com/*/*", required: true}`, `{pattern: "github.com/*/*", map: true}`, verdict.ParameterMalformed, "6:3"},
		{"any text in a rule", `{pattern: "github.com/*/*", required: true}`, `{anyText: true}`, verdict.ParameterMalformed, "6:3"},
		{"pattern and anyText", `{pattern: "github.com/*/*", required: true}`, `{pattern: "github.com/*/*", anyText: true}`, verdict.LayoutMalformed, ""},
		{"map no boolean", `{pattern: "github.com/*/*", required: true}`, `{pattern: "github.com/*/*", map: 1}`, verdict.LayoutMalformed, "6:42"},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if b.at == "" {
				if _, findings := Parse("x.yml", []byte(b.text(t)), now()); !hasFinding(findings, b.want) {
					t.Errorf("found %v, expected %s", findings, b.want)
				}
				return
			}
			b.run(t)
		})
	}
	clean := strings.Replace(valid, rule, with(`expectedAttributes: [{rule: "true", allowIfNoClaim: false, warn: false}]`), 1)
	mustParse(t, clean)
}

func TestAttributeBound(t *testing.T) {
	t.Parallel()
	of := func(n int) string {
		return strings.Replace(valid, "maxAge: 24h", "expectedAttributes: ["+strings.Repeat(`{rule: "true"}, `, n)+"]\n        maxAge: 24h", 1)
	}
	mustParse(t, of(MaxAttributes))
	if _, findings := Parse("x.yml", []byte(of(MaxAttributes+1)), now()); !hasFinding(findings, verdict.LayoutMalformed) {
		t.Errorf("one attribute too many gave %v", findings)
	}
}
