package command_test

import (
	"slices"
	"testing"
)

// slsaSpelling is one parameter in an odd spelling, put to a bundle that passes
// without it. What slsa-verifier says of each, it says in verifiers/utils, and
// beside a row where we say otherwise.
type slsaSpelling struct {
	name, value string
	allowed     bool
}

// TestSLSASpellings asks layouts/slsa.yml as people spell what they ask for.
func TestSLSASpellings(t *testing.T) {
	t.Parallel()
	const (
		example    = "github.com/slsa-framework/example-package"
		goBuilder  = generator + "builder_go_slsa3.yml"
		nodejs     = generator + "builder_nodejs_slsa3.yml"
		runner     = "https://github.com/actions/runner"
		dispatched = "gha_go/v2.1.0/binary-linux-amd64-workflow_dispatch.intoto.jsonl"
		patch      = "gha_go/v2.1.0/binary-linux-amd64-push-v13.0.30.intoto.jsonl"
		minor      = "gha_generic/v2.1.0/binary-linux-amd64-push-v14.2.intoto.jsonl"
		major      = "gha_generic/v2.1.0/binary-linux-amd64-push-v14.intoto.jsonl"
		byNPM      = "npm/gha/supreme-googles-cli-v02-tag.tgz.json"
		byNodejs   = "npm/gha/provenance-npm-test-ossf.tgz.json"
	)
	npm := []string{"source=github.com/trishankatdatadog/supreme-goggles", "builderId=" + runner + "/github-hosted"}
	digests := map[string]string{}
	for _, r := range table(t, slsaDir+"/EXPECTATIONS.tsv") {
		digests[r["bundle"]] = r["digest"]
	}
	for _, set := range []struct {
		bundle string
		params []string
		rows   []slsaSpelling
	}{
		{dispatched, nil, []slsaSpelling{
			{"source", example, true},
			{"source", example + ".git", true}, // one name, as everywhere; no repository of GitHub's ends so
			{"source", "https://" + example, false},
			{"source", "git+https://" + example, false}, // slsa-verifier takes this one
			{"source", "https://" + example + ".git", false},
			{"source", "A" + example, false},
			{"source", "GitHub.com/slsa-framework/example-package", false},
			{"source", "github.com/SLSA-Framework/example-package", false},
			{"source", "github.com/slsa-framework/Example-Package", false},
			{"source", example + "/", false},
			{"source", example + "@refs/heads/main", false},
			{"source", "github.com/slsa-framework", false},
			{"source", "github.com/slsa-framework/*", false},
			{"source", "slsa-framework/example-package", false},
			{"source", "", false},
		}},
		{dispatched, []string{"source=" + example}, []slsaSpelling{
			{"builderId", goBuilder, true},
			{"builderId", goBuilder + "@v2.1.0", true},
			{"builderId", goBuilder + "@refs/tags/v2.1.0", true},
			{"builderId", goBuilder + "@", false},
			{"builderId", goBuilder + "@v2", false},
			{"builderId", goBuilder + "@v2.1", false},
			{"builderId", goBuilder + "@2.1.0", false},
			{"builderId", goBuilder + "@v2.0.0", false},
			{"builderId", goBuilder + "@v2.1.0-rc.0", false},
			{"builderId", goBuilder + "@v2.1.0+linux", false},
			{"builderId", goBuilder + "@tags/v2.1.0", false},
			{"builderId", goBuilder + "@refs/heads/main", false},
			{"builderId", goBuilder + "@refs/tags/refs/tags/v2.1.0", false},
			{"builderId", goBuilder + "@v2.1.0@v2.1.0", false},
			{"builderId", goBuilder + "*", false},
			{"builderId", goBuilder + "/", false},
			{"builderId", generator + "builder_go_slsa3", false},
			{"builderId", generator + "Builder_go_slsa3.yml", false},
			{"builderId", "github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml", false},
			{"builderId", "", false},
			{"branch", "main", true},
			{"branch", "Main", false},
			{"branch", "ma*", false},
			{"branch", "refs/heads/main", false},
			{"branch", " main", false},
			{"branch", "", false},
			{"tag", "main", false},
			{"versionedTag", "main", false},
			{"versionedTag", "v13", false},
			{"workflowInput.level", "3", false},
			{"workflowInput", "3", false},
			{"workflowInput.", "3", false},
			{"inputs.level", "3", false},
			{"Branch", "main", false}, // no such parameter: it never goes unasked
		}},
		{patch, []string{"source=" + example}, []slsaSpelling{
			{"tag", "v13.0.30", true},
			{"tag", "v13.0", false},
			{"tag", "v13", false},
			{"tag", "V13.0.30", false},
			{"tag", "13.0.30", false},
			{"tag", "v13.0.30+build", false},
			{"tag", "refs/tags/v13.0.30", false},
			{"versionedTag", "v13", true},
			{"versionedTag", "v13.0", true},
			{"versionedTag", "v13.0.30", true},
			{"versionedTag", "v13.0.30+build", true}, // build metadata never counts
			{"versionedTag", "v13+build", false},     // is no version: the patch is missing
			{"versionedTag", "v13.0.30-rc.1", false},
			{"versionedTag", "v13.0.3", false},
			{"versionedTag", "v13.0.31", false},
			{"versionedTag", "v13.1", false},
			{"versionedTag", "v1", false},
			{"versionedTag", "v0", false},
			{"versionedTag", "v013", false},
			{"versionedTag", "V13", false},
			{"versionedTag", "13", false},
			{"versionedTag", "13.0.30", false},
			{"versionedTag", "v13.", false},
			{"versionedTag", "v13.x", false},
			{"versionedTag", "v13.*", false},
			{"versionedTag", "v13.0.30.1", false},
			{"versionedTag", " v13", false},
			{"versionedTag", "latest", false},
			{"versionedTag", "refs/tags/v13", false},
			{"versionedTag", "", false},
			{"branch", "main", true},
			{"branch", "dev", false},
			{"branch", "v13.0.30", false},
		}},
		{minor, []string{"source=" + example}, []slsaSpelling{
			{"versionedTag", "v14", true},
			{"versionedTag", "v14.2", true},
			{"versionedTag", "v14.2.0", true},
			{"versionedTag", "v14.2.1", false},
			{"versionedTag", "v14.1", false},
			{"versionedTag", "v14.20", false},
			{"tag", "v14.2", true},
			{"tag", "v14.2.0", false},
		}},
		{major, []string{"source=" + example}, []slsaSpelling{
			{"versionedTag", "v14", true},
			{"versionedTag", "v14.0", true},
			{"versionedTag", "v14.0.0", true},
			{"versionedTag", "v14.0.1", false},
			{"versionedTag", "v14.1", false},
			{"tag", "v14", true},
			{"tag", "v14.0", false},
		}},
		{byNPM, npm, []slsaSpelling{
			{"packageName", "@trishankatdatadog/supreme-goggles", true},
			{"packageName", "%40trishankatdatadog/supreme-goggles", false},
			{"packageName", "@trishankatdatadog/supreme-goggles@1.0.5", false},
			{"packageName", "@trishankatdatadog/Supreme-goggles", false},
			{"packageName", "pkg:npm/%40trishankatdatadog/supreme-goggles", false},
			{"packageName", "trishankatdatadog/supreme-goggles", false},
			{"packageName", "supreme-goggles", false},
			{"packageVersion", "1.0.5", true},
			{"packageVersion", "v1.0.5", false},
			{"packageVersion", "1.0", false},
			{"packageVersion", "1.0.5+build", false},
			{"packageVersion", "", false},
			{"versionedTag", "v1.0", true},
			{"tag", "v1.0.5", true},
			{"branch", "main", false}, // of a tag, by npm's command line: its job could write it
			{"branch", "v1.0.5", false},
		}},
		{byNPM, npm[:1], []slsaSpelling{
			{"builderId", runner, true},
			{"builderId", runner + "/github-hosted", true},
			{"builderId", runner + "/self-hosted", false},
			{"builderId", runner + "/", false},
			{"builderId", runner + "@v1", false},
			{"builderId", "https://github.com/Actions/runner", false},
		}},
		{byNodejs, []string{"source=github.com/laurentsimon/provenance-npm-test"}, []slsaSpelling{
			{"builderId", nodejs, true},
			{"builderId", nodejs + "@v1.6.0", true},
			{"builderId", nodejs + "@refs/tags/v1.6.0", true},
			{"builderId", nodejs + "@v0.1.0", false},
			{"builderId", generator + "delegator_lowperms-generic_slsa3.yml", false},
			{"builderId", runner + "/github-hosted", false},
		}},
	} {
		for _, r := range set.rows {
			t.Run(r.name+"="+r.value, func(t *testing.T) {
				t.Parallel()
				c := slsaCase{bundle: set.bundle, digests: []string{digests[set.bundle]}, params: slices.Concat(set.params, []string{r.name + "=" + r.value})}
				if o := c.run(t); o.code != map[bool]int{true: 0, false: 1}[r.allowed] {
					t.Errorf("%s with %v: exit code %d, expected to be allowed: %t\n%s%s", set.bundle, c.params, o.code, r.allowed, o.out, o.report)
				}
			})
		}
	}
}
