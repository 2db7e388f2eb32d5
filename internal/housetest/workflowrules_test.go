package housetest

import (
	"strings"
	"testing"
)

// TestWorkflowRulesRefuse shows that the rules on workflows catch what they are there for:
// each row breaks one thing.
func TestWorkflowRulesRefuse(t *testing.T) {
	t.Parallel()
	const commit = "3d3c42e5aac5ba805825da76410c181273ba90b1"
	shelf := map[string]string{"actions/checkout v7.0.1": commit}
	own := ownInterfaces(t)
	const page, file = "docs/x.md", ".github/workflows/x.yml"
	for _, row := range []struct {
		name  string
		in    string // the file
		text  string
		words string // of the problem; empty where there is none
	}{
		{"pinned", file, "- uses: actions/checkout@" + commit + " # v7.0.1\n", ""},
		{"in one line", page, "- {uses: ./, with: {command: attest}}\n", ""},
		{"here", file, "- uses: ./\n", ""},
		{"an image by its digest", file, "- uses: docker://ghcr.io/a/b@sha256:" + strings.Repeat("0", 64) + "\n", ""},
		{"this project's, before there is a release", page, "- uses: signatus-dev/signatus@COMMIT # the commit that you have read\n", ""},
		{"what can be named by a tag alone, on a page", page, "- uses: slsa-framework/slsa-github-generator/.github/workflows/x.yml@v2.1.0\n", ""},
		{"a comment", file, "# uses: actions/checkout@main\n", ""},

		{"a tag", file, "- uses: actions/checkout@v7\n", "not named by its commit"},
		{"a branch, in one line", file, "- {uses: actions/checkout@main}\n", "not named by its commit"},
		{"in quotes", file, "- uses: 'actions/checkout@v7'\n", "not named by its commit"},
		{"a short commit", file, "- uses: actions/checkout@3d3c42e # v7.0.1\n", "not named by its commit"},
		{"nothing", file, "- uses: actions/checkout\n", "names no commit"},
		{"without its version", file, "- uses: actions/checkout@" + commit + "\n", "expected its version"},
		{"with half a version", file, "- uses: actions/checkout@" + commit + " # v7\n", "expected its version"},
		{"another commit than the version's", file, "- uses: actions/checkout@" + strings.Repeat("0", 40) + " # v7.0.1\n", "on the reference shelf"},
		{"another version than the commit's", file, "- uses: actions/checkout@" + commit + " # v7.0.2\n", "on the reference shelf"},
		{"an image by its tag", file, "- uses: docker://ghcr.io/a/b:v1\n", "names no digest"},
		{"this project's own, where it runs", file, "- uses: signatus-dev/signatus@COMMIT\n", "not named by its commit"},
		{"what can be named by a tag alone, where it runs", file, "- uses: slsa-framework/slsa-github-generator/.github/workflows/x.yml@v2.1.0\n", "not named by its commit"},

		{"a misspelt input", page, "- uses: signatus-dev/signatus@COMMIT\n  with: {command: verify, certificate-identify: x}\n", "certificate-identify, which is no input"},
		{"a misspelt input of the composite action", page, "- uses: signatus-dev/signatus/composite@COMMIT\n  with: {comand: verify}\n", "comand, which is no input"},
		{"an output that is not there", page, "- uses: ./\n  id: a\n- run: echo ${{ steps.a.outputs.outcome }}\n", "steps.a.outputs.outcome is no output"},
		{"a misspelt input of the workflow", page, "jobs:\n  a:\n    uses: signatus-dev/signatus/.github/workflows/build-and-attest.yml@COMMIT\n    with: {command: x, artifacts: x, artefact-name: x}\n", "artefact-name, which is no input"},
		{"a missing input of the workflow", page, "jobs:\n  a:\n    uses: signatus-dev/signatus/.github/workflows/build-and-attest.yml@COMMIT\n    with: {command: x}\n", "is not given artifacts"},
		{"an output of the workflow that is not there", page, "jobs:\n  a:\n    uses: signatus-dev/signatus/.github/workflows/build-and-attest.yml@COMMIT\n    with: {command: x, artifacts: x}\n  b:\n    steps:\n      - run: echo ${{ needs.a.outputs.hashes }}\n", "needs.a.outputs.hashes is no output"},
	} {
		w := workflowText{row.in, strings.HasSuffix(row.in, ".md"), row.text}
		problems, err := asksInVain(w, own)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		problems = append(problems, unpinned(w, shelf)...)
		switch {
		case row.words == "" && len(problems) > 0:
			t.Errorf("%s: %q, expected no problem", row.name, problems)
		case row.words != "" && (len(problems) != 1 || !strings.Contains(problems[0], row.words)):
			t.Errorf("%s: %q, expected one with %q", row.name, problems, row.words)
		}
	}
}
