package layout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

const (
	resource  = "https://example.com/releases/app"
	policyOf  = "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c5b6a7988"
	verifier  = "https://example.com/verifier"
	vsaDemand = `vsa: {resourceUri: "` + resource + `", policy: {sha256: "` + policyOf + `"}, verifierId: "` + verifier + `", verifiedLevels: [SLSA_BUILD_LEVEL_2, ACME_REVIEWED], parameters: {repo: ` + repo + `}}`
)

// summaryOf is a verification summary v1 of the app that says everything that
// vsaDemand asks for.
func summaryOf(edits ...edit) map[string]any {
	predicate := map[string]any{
		"verifier": map[string]any{"id": verifier}, "timeVerified": "2026-01-15T12:00:00Z", "resourceUri": resource,
		"policy": map[string]any{
			"uri": "release.yml", "digest": map[string]any{"sha256": policyOf}, "annotations": map[string]any{"parameters": map[string]any{"repo": repo}},
		},
		"inputAttestations":  []any{map[string]any{"digest": map[string]any{"sha256": policyOf}}},
		"verificationResult": "PASSED", "verifiedLevels": []string{"SLSA_BUILD_LEVEL_3", "ACME_REVIEWED"}, "slsaVersion": "1.1",
	}
	for _, e := range edits {
		e.apply(predicate)
	}
	return predicate
}

func summarised(by signer, edits ...edit) word {
	return by.says(attestationtest.Statement([]subject{file("app", app)}, vsa.V1, summaryOf(edits...)))
}

// summaryLayout takes carol's summary for the artifact in hand.
func summaryLayout(t *testing.T, more ...string) string {
	t.Helper()
	return inline(t, `subjects: [{subject: ["*"], from: verified}]`,
		writeStep("verified", rules("ALLOW *"), nil, expects(vsa.V1, 1, "carol", more...)))
}

// "A VSA counts as evidence only from a functionary of the layout, with result
// PASSED, equal resourceUri, subject and policy digest, inside maxAge." Each row
// breaks one thing.
func TestSummaryMutations(t *testing.T) {
	t.Parallel()
	layout := summaryLayout(t, vsaDemand, "maxAge: 24h", "ageFrom: timeVerified")
	relaxed := strings.Replace(layout, "verifierId:", "relaxations: [in-toto-1.0/glob], verifierId:", 1)
	try := func(words ...word) trial { return trial{layout: layout, words: words} }
	judgeAll(t, []row{
		{"nothing is broken", try(summarised(carol())), allow},
		{"a higher level", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_BUILD_LEVEL_2", "ACME_REVIEWED"}))), allow},
		{"more levels", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_1", "ACME_REVIEWED"}))), allow},
		{"more digests of the policy", try(summarised(carol(), set("policy/digest", map[string]any{"sha256": policyOf, "sha1": strings.Repeat("a", 40)}))), allow},
		{"more parameters", try(summarised(carol(), set("policy/annotations/parameters", map[string]any{"repo": repo, "x": "y"}))), allow},
		{"fields that nobody knows", try(summarised(carol(), set("x", map[string]any{"y": 1}), set("verifier/version", map[string]any{"signatus": "v1"}))), allow},
		{"beside a failed one", try(summarised(carol(), set("verificationResult", "FAILED")), summarised(carol())), allow},
		{"version 0.2", trial{
			layout: strings.Replace(layout, vsa.V1, vsa.V02, 1),
			words:  []word{carol().says(attestationtest.Statement([]subject{file("app", app)}, vsa.V02, summaryOf()))},
		}, allow},

		{"failed", try(summarised(carol(), set("verificationResult", "FAILED"), set("verifiedLevels", []string{"FAILED"}))), verdict.VSANotPassed},
		{"failed, with levels", try(summarised(carol(), set("verificationResult", "FAILED"))), verdict.VSANotPassed},
		{"passed, beside the level of what failed", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_BUILD_LEVEL_3", "ACME_REVIEWED", "FAILED"}))), verdict.VSANotPassed},
		{"passed, in small letters", try(summarised(carol(), set("verificationResult", "passed"))), verdict.VSANotPassed},
		{"no result", try(summarised(carol(), set("verificationResult", nil))), verdict.VSANotPassed},
		{"a result in other letters beside it", try(summarised(carol(), set("VerificationResult", "PASSED"), set("verificationResult", nil))), verdict.VSANotPassed},
		{"another resource", try(summarised(carol(), set("resourceUri", resource+"2"))), verdict.VSAResource},
		{"a resource below", try(summarised(carol(), set("resourceUri", resource+"/x"))), verdict.VSAResource},
		{"no resource", try(summarised(carol(), set("resourceUri", nil))), verdict.VSAResource},
		{"another policy", try(summarised(carol(), set("policy/digest/sha256", strings.Repeat("0", 64)))), verdict.VSAPolicy},
		{"a policy known by SHA-1", try(summarised(carol(), set("policy/digest", map[string]any{"sha1": strings.Repeat("a", 40)}))), verdict.VSAPolicy},
		{"a policy without a digest", try(summarised(carol(), set("policy/digest", nil))), verdict.VSAPolicy},
		{"no policy", try(summarised(carol(), set("policy", nil))), verdict.VSAPolicy},
		{"another verifier", try(summarised(carol(), set("verifier/id", verifier+"/"))), verdict.VSAVerifier},
		{"no verifier", try(summarised(carol(), set("verifier", nil))), verdict.VSAVerifier},
		{"another parameter", try(summarised(carol(), set("policy/annotations/parameters/repo", "github.com/acme/lib"))), verdict.VSAParameters},
		{"no parameters", try(summarised(carol(), set("policy/annotations", nil))), verdict.VSAParameters},
		{"annotations of another form", try(summarised(carol(), set("policy/annotations", []any{1}))), verdict.VSAParameters},
		{"a command that was run", try(summarised(carol(), set("policy/annotations/inspections", []string{"unpack"}))), allow},
		{"no relaxation", try(summarised(carol(), set("policy/annotations/relaxations", []string{}))), allow},
		{"a relaxation", try(summarised(carol(), set("policy/annotations/relaxations", []string{"in-toto-1.0/glob"}))), verdict.VSARelaxed},
		{"a relaxation without a name", try(summarised(carol(), set("policy/annotations/relaxations", []string{""}))), verdict.VSARelaxed},
		{"relaxations that are no list", try(summarised(carol(), set("policy/annotations/relaxations", "in-toto-1.0/glob"))), verdict.VSARelaxed},
		{"relaxations that are no texts", try(summarised(carol(), set("policy/annotations/relaxations", []any{1}))), verdict.VSARelaxed},
		{"a relaxation that is accepted", trial{layout: relaxed, words: []word{summarised(carol(), set("policy/annotations/relaxations", []string{"in-toto-1.0/glob"}))}}, allow},
		{"and one that is not", trial{layout: relaxed, words: []word{summarised(carol(), set("policy/annotations/relaxations", []string{"in-toto-1.0/glob", "in-toto-1.0/alias"}))}}, verdict.VSARelaxed},
		{"a lower level", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_BUILD_LEVEL_1", "ACME_REVIEWED"}))), verdict.VSALevels},
		{"a level of another track", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_SOURCE_LEVEL_3", "ACME_REVIEWED"}))), verdict.VSALevels},
		{"a level that there is not", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_BUILD_LEVEL_9", "ACME_REVIEWED"}))), verdict.VSALevels},
		{"without a level of one's own", try(summarised(carol(), set("verifiedLevels", []string{"SLSA_BUILD_LEVEL_3"}))), verdict.VSALevels},
		{"no levels", try(summarised(carol(), set("verifiedLevels", nil))), verdict.VSALevels},
		{"another artifact", try(carol().says(attestationtest.Statement([]subject{file("app", evil)}, vsa.V1, summaryOf()))), verdict.NotSubject},
		{"a stranger's", try(summarised(mallory())), verdict.NotFunctionary},
		{"under another root", try(elsewhere(summarised(carol()))), verdict.WrongRoot},
		{"too old", trial{layout: layout, words: []word{summarised(carol())}, input: func(in *Input) { in.Now = now().Add(24 * time.Hour) }}, verdict.EvidenceTooOld},
		{"levels that are no list", try(summarised(carol(), set("verifiedLevels", "SLSA_BUILD_LEVEL_3"))), verdict.PredicateMalformed},
		{"a time that is none", try(summarised(carol(), set("timeVerified", "yesterday"))), verdict.PredicateMalformed},
		{"an odd digest", try(summarised(carol(), set("policy/digest/sha256", "xyz"))), verdict.PredicateMalformed},
		{"provenance in its place", try(built(run{})), verdict.ThresholdNotMet},
	})
}

// A summary's age counts from its signed time where the signer is long-lived. A
// summary by a key that nobody dates has no age.
func TestSummaryAge(t *testing.T) {
	t.Parallel()
	aged := func(who string) string {
		return inline(t, `subjects: [{subject: ["*"], from: verified}]`, writeStep("verified", rules("ALLOW *"), nil,
			expects(vsa.V1, 1, who, vsaDemand, "maxAge: 24h", "ageFrom: timeVerified")))
	}
	at := func(text string) edit { return set("timeVerified", text) }
	judy, ivan := signer{key: "judy"}, signer{key: "ivan", bare: true}
	judgeAll(t, []row{
		{"an hour old", trial{layout: aged("judy"), words: []word{summarised(judy)}}, allow},
		{"two days old, signed anew", trial{layout: aged("judy"), words: []word{summarised(judy, at("2026-01-13T12:00:00Z"))}}, verdict.EvidenceTooOld},
		{"verified after it was signed", trial{layout: aged("judy"), words: []word{summarised(judy, at("2026-01-15T12:30:00Z"))}}, verdict.PredicateMalformed},
		{"without a time", trial{layout: aged("judy"), words: []word{summarised(judy, at(""))}}, verdict.PredicateMalformed},
		{"that nobody dates", trial{layout: aged("ivan"), words: []word{summarised(ivan)}}, verdict.NoProvenTime},
	})
}

// Beside other evidence, a summary counts as a statement about its subjects: the
// file in hand, or a file or a commit that is matched with it.
func TestSummaryJoins(t *testing.T) {
	t.Parallel()
	demand := `vsa: {resourceUri: "` + resource + `", policy: {sha256: "` + policyOf + `"}}`
	ofBuild := inline(t, fromBuild, authorStep(1, "alice"), buildStep(),
		writeStep("verified", rules("MATCH * WITH PRODUCTS FROM build"), nil, expects(vsa.V1, 1, "carol", demand)))
	ofSource := inline(t, fromBuild, authorStep(1, "alice"), buildStep(),
		writeStep("source", rules(requireRepo, matchAuthor), nil, expects(vsa.V1, 1, "carol", demand)))
	base := []word{authored(alice(), commitA), built(run{})}
	source := func(commit string) word {
		return carol().says(attestationtest.Statement([]subject{git(repo, commit)}, vsa.V1, summaryOf()))
	}
	judgeAll(t, []row{
		{"the file in hand", trial{layout: ofBuild, words: append(base[:2:2], summarised(carol()))}, allow},
		{"another file", trial{layout: ofBuild, words: append(base[:2:2], carol().says(attestationtest.Statement([]subject{file("app", evil)}, vsa.V1, summaryOf())))}, verdict.MatchFailed},
		{"no summary", trial{layout: ofBuild, words: base}, verdict.ThresholdNotMet},
		{"the commit that was built", trial{layout: ofSource, words: append(base[:2:2], source(commitA))}, allow},
		{"another commit", trial{layout: ofSource, words: append(base[:2:2], source(commitB))}, verdict.CommitNotJoined},
	})
}

func TestSummaryLints(t *testing.T) {
	t.Parallel()
	with := func(old, fresh string) string { return strings.Replace(vsaDemand, old, fresh, 1) }
	for _, row := range []struct {
		name   string
		demand string
		want   verdict.ID
	}{
		{"the whole", vsaDemand, allow},
		{"resource and policy alone", `vsa: {resourceUri: "` + resource + `", policy: {sha256: "` + policyOf + `"}}`, allow},
		{"a policy by its git commit", with("sha256: \""+policyOf+"\"", "gitCommit: "+commitA), allow},
		{"no demand", "", verdict.VSAUnbound},
		{"an empty demand", "vsa: {}", verdict.VSAUnbound},
		{"no resource", with(`resourceUri: "`+resource+`", `, ""), verdict.VSAUnbound},
		{"an empty resource", with(resource, ""), verdict.VSAUnbound},
		{"no policy", with(`policy: {sha256: "`+policyOf+`"}, `, ""), verdict.VSAUnbound},
		{"an empty policy", with(`{sha256: "`+policyOf+`"}`, "{}"), verdict.VSAUnbound},
		{"a policy by SHA-1", with(`sha256: "`+policyOf+`"`, "sha1: "+strings.Repeat("a", 40)), verdict.VSAUnbound},
		{"a short digest", with(policyOf, "1f2e"), verdict.VSAUnbound},
		{"a digest that is no hex", with(policyOf, strings.Repeat("x", 64)), verdict.VSAUnbound},
		{"a relaxation", with("verifierId:", "relaxations: [in-toto-1.0/glob], verifierId:"), allow},
		{"a relaxation of nothing", with("verifierId:", "relaxations: [glob], verifierId:"), verdict.VSAUnbound},
		{"an empty relaxation", with("verifierId:", `relaxations: [""], verifierId:`), verdict.LayoutMalformed},
		{"an unknown key", with("verifierId", "verifier"), verdict.LayoutMalformed},
		{"no levels in the list", with("[SLSA_BUILD_LEVEL_2, ACME_REVIEWED]", "[]"), verdict.VSALevelMalformed},
		{"a level that there is not", with("SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_4"), verdict.VSALevelMalformed},
		{"a level in the name of SLSA", with("ACME_REVIEWED", "SLSA_REVIEWED"), verdict.VSALevelMalformed},
		{"two levels of one track", with("ACME_REVIEWED", "SLSA_BUILD_LEVEL_3"), verdict.VSALevelMalformed},
		{"a result as a level", with("ACME_REVIEWED", "PASSED"), verdict.VSALevelMalformed},
		{"an undeclared parameter", with(resource, "https://example.com/{name}"), verdict.ParameterUnknown},
		{"a brace", with(resource, "https://example.com/{"), verdict.LayoutMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var more []string
			if row.demand != "" {
				more = []string{row.demand}
			}
			lints(t, summaryLayout(t, more...), row.want)
		})
	}
	t.Run("on provenance", func(t *testing.T) {
		t.Parallel()
		lints(t, inline(t, fromBuild, writeStep("build", rules("ALLOW *"), rules("CREATE *"), expects("https://slsa.dev/provenance/v1", 1, "release", vsaDemand))), verdict.VSAUnbound)
	})
	for levels, want := range map[string]verdict.ID{
		"[SLSA_BUILD_LEVEL_3]": allow, "[SLSA_BUILD_LEVEL_3, SLSA_SOURCE_LEVEL_2, ACME]": allow,
		"[]": verdict.VSALevelMalformed, "[FAILED]": verdict.VSALevelMalformed, "[SLSA_BUILD_LEVEL_03]": verdict.VSALevelMalformed,
		"[slsa_build_level_3]": verdict.VSALevelMalformed, `["SLSA BUILD"]`: verdict.VSALevelMalformed, "SLSA_BUILD_LEVEL_3": verdict.LayoutMalformed,
	} {
		t.Run("verifiedLevels "+levels, func(t *testing.T) {
			t.Parallel()
			lints(t, strings.Replace(summaryLayout(t, vsaDemand), "version: 3\n", "version: 3\nverifiedLevels: "+levels+"\n", 1), want)
		})
	}
}

// lints holds a layout to a finding, or to none.
func lints(t *testing.T, text string, want verdict.ID) {
	t.Helper()
	_, findings := Parse("layout.yml", []byte(text), now())
	if want == allow && len(findings) > 0 || want != allow && !hasFinding(findings, want) {
		t.Errorf("%v, expected %q", findings, want)
	}
	for _, f := range findings {
		if !strings.HasPrefix(f.Where, "layout.yml:") {
			t.Errorf("%s stands nowhere", f)
		}
	}
}

// Parameters fill one token of the demand each.
func TestSummaryParameters(t *testing.T) {
	t.Parallel()
	layout := strings.Replace(summaryLayout(t, `vsa: {resourceUri: "https://example.com/releases/{name}", policy: {sha256: "{policy}"}, verifierId: "https://example.com/{by}", parameters: {repo: "github.com/{repo}"}}`),
		"functionaries:\n", "parameters: {name: {pattern: '*', required: true}, policy: {pattern: '*', required: true}, by: {pattern: '*', required: true}, repo: {pattern: '*/*', required: true}}\nfunctionaries:\n", 1)
	given := func(more ...string) map[string]string {
		p := map[string]string{"name": "app", "policy": policyOf, "by": "verifier", "repo": "acme/app"}
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	try := func(p map[string]string) trial {
		return trial{layout: layout, params: p, words: []word{summarised(carol())}}
	}
	judgeAll(t, []row{
		{"all fit", try(given()), allow},
		{"another name", try(given("name", "lib")), verdict.VSAResource},
		{"another policy", try(given("policy", strings.Repeat("0", 64))), verdict.VSAPolicy},
		{"another verifier", try(given("by", "x")), verdict.VSAVerifier},
		{"another repository", try(given("repo", "acme/lib")), verdict.VSAParameters},
		{"a policy that is no digest", try(given("policy", "x")), verdict.ParameterMalformed},
	})
	without := given()
	delete(without, "policy")
	expect(t, try(without).judge(t), verdict.ParameterMissing)
}

// What a layout demands of a summary is told, each part of it.
func TestSummaryIsDescribed(t *testing.T) {
	t.Parallel()
	told := func(text string) string {
		l := mustParse(t, text)
		d := l.Describe()
		return strings.Join(d.Sentences(), "\n") + fmt.Sprintf("%+v %+v", *d.Steps[0].Predicates[0].Summary, d.Levels)
	}
	base := strings.Replace(summaryLayout(t, vsaDemand), "version: 3\n", "version: 3\nverifiedLevels: [ACME_ALLOWED]\n", 1)
	base = strings.Replace(base, "verifierId:", "relaxations: [in-toto-1.0/glob], verifierId:", 1)
	text := told(base)
	for old, fresh := range map[string]string{
		resource: resource + "2", policyOf: strings.Repeat("0", 64), verifier: verifier + "2", "SLSA_BUILD_LEVEL_2": "SLSA_BUILD_LEVEL_1",
		"{repo: " + repo: "{repo: github.com/acme/lib", "ACME_ALLOWED": "ACME_RELEASED", "in-toto-1.0/glob": "in-toto-1.0/alias",
	} {
		if got := told(strings.ReplaceAll(base, old, fresh)); got == text {
			t.Errorf("with %s in place of %s the same is told", fresh, old)
		}
	}
}
