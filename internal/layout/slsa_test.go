package layout

import (
	"regexp"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const slsaGenerator = "slsa-framework/slsa-github-generator/.github/workflows/"

// generated is a provenance v0.2 of slsa-github-generator's workflow file@ref, for
// a run of acme/app.
func generated(workflowRef string, claims run, edits ...edit) word {
	claims.JobWorkflowRef = slsaGenerator + workflowRef
	predicate := attestationtest.ProvenanceV02(claims)
	for _, e := range edits {
		e.apply(predicate)
	}
	return workflow(claims).says(attestationtest.StatementV01([]subject{file("app", app)}, provenance.V02, predicate))
}

// TestSLSA is the table of docs/slsa.md. Real bundles are judged by the same
// layout in TestCorpus of internal/command.
func TestSLSA(t *testing.T) {
	t.Parallel()
	layout := ready(t, "slsa.yml")
	const released = "generator_generic_slsa3.yml@refs/tags/v2.1.0"
	try := func(p []string, words ...word) trial {
		return trial{layout: layout, params: with(map[string]string{"source": repo}, p...), words: words}
	}
	main, tagged := generated(released, run{}), generated(released, run{Ref: "refs/tags/v1.2.3"})
	pushed := generated(released, run{Ref: "refs/tags/v1.2.3"}, set("invocation/environment/github_event_payload", map[string]any{"base_ref": "refs/heads/main"}))
	dispatched := generated(released, run{Trigger: "workflow_dispatch"}, set("invocation/environment/github_event_payload", map[string]any{"inputs": map[string]any{"level": "3", "note": "two words"}}))
	delegated := func(builder string, edits ...edit) word {
		return generated("delegator_generic_slsa3.yml@refs/tags/v2.1.0", run{}, append(edits, set("builder/id", builder))...)
	}
	const maven = "https://github.com/" + slsaGenerator + "builder_maven_slsa3.yml"
	const generic = "https://github.com/" + slsaGenerator + "generator_generic_slsa3.yml"
	bazel := run{JobWorkflowRef: "bazel-contrib/.github/.github/workflows/release_ruleset.yaml@refs/tags/v7.1.0"}
	judgeAll(t, []row{
		{"the source alone", try(nil, main), allow},
		{"the branch", try([]string{"branch", "main"}, main), allow},
		{"the branch that a tag was pushed from", try([]string{"branch", "main"}, pushed), allow},
		{"the tag", try([]string{"tag", "v1.2.3"}, tagged), allow},
		{"the version", try([]string{"versionedTag", "v1.2"}, tagged), allow},
		{"the builder at any version", try([]string{"builderId", generic}, main), allow},
		{"the builder at its version", try([]string{"builderId", generic + "@v2.1.0"}, main), allow},
		{"the builder at its ref", try([]string{"builderId", generic + "@refs/tags/v2.1.0"}, main), allow},
		{"the inputs", try([]string{"workflowInput.level", "3", "workflowInput.note", "two words"}, dispatched), allow},
		{"a delegator's builder", try(nil, delegated(maven+"@refs/tags/v2.1.0")), allow},
		{"a delegator's builder by its id", try([]string{"builderId", maven + "@v2.1.0"}, delegated(maven+"@refs/tags/v2.1.0")), allow},
		{"another repository's builder, asked for", try([]string{"builderId", "https://github.com/acme/trw/.github/workflows/b.yml"}, delegated("https://github.com/acme/trw/.github/workflows/b.yml@refs/tags/v1.0.0")), allow},
		{"the Bazel release workflow, asked for", try([]string{"builderId", "https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml"}, built(bazel)), allow},

		{"a tag that repeats where tags are", try([]string{"versionedTag", "v1.2.3"}, generated(released, run{Ref: "refs/tags/v1.2.3refs/tags/evil"})), verdict.AttributeFalse},
		{"a builder's id with two versions", try([]string{"builderId", generic + "@v2.1.0@v9.9.9"}, main), verdict.AttributeFalse},
		{"a delegator's builder, from a branch that is called like a version", try([]string{"builderId", maven}, delegated(maven+"@refs/heads/evil@refs/tags/v2.1.0")), verdict.AttributeFalse},
		{"another source", try([]string{"source", "github.com/acme/lib"}, main), verdict.RuleRequire},
		{"a fork's call of the generator", try(nil, generated(released, run{Repository: "mallory/app"})), verdict.RuleRequire},
		{"a source that is no repository", try([]string{"source", "acme/app"}, main), verdict.ParameterMalformed},
		{"another branch", try([]string{"branch", "dev"}, main), verdict.AttributeFalse},
		{"the branch of a tag of which nobody says it", try([]string{"branch", "main"}, tagged), verdict.AttributeError},
		{"another branch that a tag was pushed from", try([]string{"branch", "dev"}, pushed), verdict.AttributeFalse},
		{"the tag of a branch's build", try([]string{"tag", "v1.2.3"}, main), verdict.AttributeFalse},
		{"another tag", try([]string{"tag", "v1.2"}, tagged), verdict.AttributeFalse},
		{"another version", try([]string{"versionedTag", "v1.3"}, tagged), verdict.AttributeFalse},
		{"a version of a branch's build", try([]string{"versionedTag", "v1"}, main), verdict.AttributeFalse},
		{"a version that is none", try([]string{"versionedTag", "latest"}, tagged), verdict.AttributeError},
		{"another builder", try([]string{"builderId", maven}, main), verdict.AttributeFalse},
		{"the builder at another version", try([]string{"builderId", generic + "@v2.0.0"}, main), verdict.AttributeFalse},
		{"a builder whose id begins alike", try([]string{"builderId", strings.TrimSuffix(generic, ".yml")}, main), verdict.AttributeFalse},
		{"another input", try([]string{"workflowInput.level", "4"}, dispatched), verdict.AttributeFalse},
		{"an input that was not given", try([]string{"workflowInput.other", "3"}, dispatched), verdict.AttributeError},
		{"inputs of a push", try([]string{"workflowInput.level", "3"}, main), verdict.AttributeFalse},
		{"a generator at a branch", try(nil, generated("generator_generic_slsa3.yml@refs/heads/main", run{})), verdict.NotFunctionary},
		{"a generator before its release", try(nil, generated("generator_generic_slsa3.yml@refs/tags/v2.1.0-rc.1", run{})), verdict.AttributeFalse},
		{"a generator at a moving tag", try(nil, generated("generator_generic_slsa3.yml@refs/tags/v2", run{})), verdict.AttributeFalse},
		{"another workflow of the generator's repository", try(nil, generated("release.yml@refs/tags/v2.1.0", run{})), verdict.NotFunctionary},
		{"a workflow of the source's own", try(nil, built(run{})), verdict.NotFunctionary},
		{"a self-hosted runner", try(nil, generated(released, run{RunnerEnvironment: "self-hosted"})), verdict.AttributeFalse},
		{"another repository's builder, not asked for", try(nil, delegated("https://github.com/acme/trw/.github/workflows/b.yml@refs/tags/v1.0.0")), verdict.AttributeFalse},
		{"a delegator's builder at a branch", try(nil, delegated(maven+"@refs/heads/main")), verdict.AttributeError},
		{"the Bazel release workflow, not asked for", try(nil, built(bazel)), verdict.AttributeFalse},
		{"another file", try(nil, elsewhere(main)), verdict.WrongRoot},
		{"a package's name without the registry's word", try([]string{"packageName", "app"}, main), verdict.AttributeFalse},
	})
}

func with(p map[string]string, more ...string) map[string]string {
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

// TestSLSAPackage asks for npm's packages, with a key of our own in place of the
// registry's.
func TestSLSAPackage(t *testing.T) {
	t.Parallel()
	const publish = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
	const hosted = "https://github.com/actions/runner/github-hosted"
	keys := regexp.MustCompile(`(?s)-----BEGIN.*?-----END PUBLIC KEY-----`)
	registry := strings.ReplaceAll(strings.TrimSpace(keyPEM(t, "judy")), "\n", "\n        ")
	layout := keys.ReplaceAllLiteralString(strings.Replace(ready(t, "slsa.yml"), "npm-registry-2022, npm-registry-2025", "npm-registry-2022", 1), registry)
	layout = regexp.MustCompile(`(?s)  npm-registry-2025:.*?(\nprincipals:)`).ReplaceAllString(layout, "$1")

	pkg := func(version string) subject { return file("pkg:npm/%40acme/app@"+version, app) }
	npm := func(claims run, edits ...edit) word {
		return workflow(claims).says(provenanceOf(claims, []subject{pkg("1.0.3")}, append([]edit{set("runDetails/builder/id", hosted)}, edits...)...))
	}
	published := func(by signer, version string, s subject) word {
		return by.says(attestationtest.Statement([]subject{s}, publish, map[string]any{"name": "@acme/app", "version": version}))
	}
	judy := signer{key: "judy"}
	good := published(judy, "1.0.3", pkg("1.0.3"))
	try := func(p []string, words ...word) trial {
		return trial{layout: layout, params: with(map[string]string{"source": repo, "builderId": hosted}, p...), words: words}
	}
	reusable := run{JobWorkflowRef: "acme/workflows/.github/workflows/npm.yml@refs/heads/release/v1"}
	judgeAll(t, []row{
		{"a package", try(nil, npm(run{}), good), allow},
		{"its name and version", try([]string{"packageName", "@acme/app", "packageVersion", "1.0.3"}, npm(run{}), good), allow},
		{"a reusable workflow", try(nil, npm(reusable), good), allow},

		{"no builder asked for", trial{layout: layout, params: map[string]string{"source": repo}, words: []word{npm(run{}), good}}, verdict.AttributeFalse},
		{"the older name of the builder, of new provenance", try([]string{"builderId", "https://github.com/actions/runner"}, npm(run{}), good), verdict.AttributeFalse},
		{"another name", try([]string{"packageName", "app"}, npm(run{}), good), verdict.AttributeFalse},
		{"another version", try([]string{"packageVersion", "1.0.4"}, npm(run{}), good), verdict.AttributeFalse},
		{"another source", try([]string{"source", "github.com/acme/lib"}, npm(run{}), good), verdict.RuleRequire},
		{"a self-hosted runner", try(nil, npm(run{RunnerEnvironment: "self-hosted"}), good), verdict.ContradictsCert},
		{"without the registry's word", try(nil, npm(run{})), verdict.ThresholdNotMet},
		{"the registry's word by somebody else", try(nil, npm(run{}), published(signer{key: "ivan"}, "1.0.3", pkg("1.0.3"))), verdict.NotFunctionary},
		{"the registry's word on another file", try(nil, npm(run{}), published(judy, "1.0.3", file("pkg:npm/%40acme/app@1.0.3", evil))), verdict.MatchFailed},
		{"the registry's word on another version", try([]string{"packageVersion", "1.0.3"}, npm(run{}), published(judy, "1.0.4", pkg("1.0.3"))), verdict.AttributeFalse},
	})
}
