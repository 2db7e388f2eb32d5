package provenance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	t.Parallel()
	source := Descriptor{URI: "git+https://github.com/acme/app@refs/heads/main", Digest: map[string]string{"gitCommit": "aa"}}
	for _, row := range []struct {
		name, predicateType, predicate string
		want                           Facts
	}{
		{"v1 as actions/attest writes it", V1, `{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1",
			"externalParameters":{"workflow":{"ref":"refs/heads/main","repository":"https://github.com/acme/app","path":".github/workflows/release.yml"}},
			"internalParameters":{"github":{"event_name":"push","repository_id":"1"}},
			"resolvedDependencies":[{"uri":"git+https://github.com/acme/app@refs/heads/main","digest":{"gitCommit":"aa"}}]},
			"runDetails":{"builder":{"id":"https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"},"metadata":{"invocationId":"https://github.com/acme/app/actions/runs/1/attempts/1"}}}`,
			Facts{
				BuilderID: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", Materials: []Descriptor{source},
				Workflow: Workflow{Repository: "https://github.com/acme/app", Path: ".github/workflows/release.yml", Ref: "refs/heads/main"},
				Trigger:  "push", Invocation: "https://github.com/acme/app/actions/runs/1/attempts/1",
			}},
		{"v1 with a flattened environment", V1, `{"buildDefinition":{"internalParameters":{"GITHUB_EVENT_NAME":"workflow_dispatch","GITHUB_RUN_ID":"1"}},"runDetails":{"builder":{"id":"b"}}}`,
			Facts{BuilderID: "b", Trigger: "workflow_dispatch"}},
		{"v1 with a source parameter", V1, `{"buildDefinition":{"externalParameters":{"source":{"uri":"git+https://github.com/acme/app@refs/heads/main","digest":{"gitCommit":"aa"}}}}}`,
			Facts{Sources: []Descriptor{source}}},
		{"v1 whose parameters mean something else", V1, `{"buildDefinition":{"externalParameters":{"workflow":"release","source":["a"]},"internalParameters":{"github":7}}}`, Facts{}},
		{"v1 with nulls", V1, `{"buildDefinition":null,"runDetails":{"builder":null,"metadata":null}}`, Facts{}},
		{"v1 with keys of a later version", V1, `{"buildDefinition":{"new":1},"more":{}}`, Facts{}},
		{"v0.2 as slsa-github-generator writes it", V02, `{"builder":{"id":"https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"},
			"invocation":{"configSource":{"uri":"git+https://github.com/acme/app@refs/tags/v1","digest":{"sha1":"aa"},"entryPoint":".github/workflows/release.yml"},
			"environment":{"github_event_name":"push","github_run_id":"7"}},"metadata":{"buildInvocationID":"7-1"},
			"materials":[{"uri":"git+https://github.com/acme/app@refs/tags/v1","digest":{"sha1":"aa"}},{"uri":"https://example.com/image"}]}`,
			Facts{
				BuilderID: "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0",
				Materials: []Descriptor{{URI: "git+https://github.com/acme/app@refs/tags/v1", Digest: map[string]string{"sha1": "aa"}}, {URI: "https://example.com/image"}},
				Sources:   []Descriptor{{URI: "git+https://github.com/acme/app@refs/tags/v1", Digest: map[string]string{"sha1": "aa"}}},
				Workflow:  Workflow{Path: ".github/workflows/release.yml"}, Trigger: "push", Invocation: "7-1",
			}},
		{"v0.2 as npm writes it", V02, `{"builder":{"id":"https://github.com/npm/cli@9.5.0"},"invocation":{"environment":{"GITHUB_EVENT_NAME":"push"}},"metadata":{"buildInvocationId":"7-1"}}`,
			Facts{BuilderID: "https://github.com/npm/cli@9.5.0", Trigger: "push", Invocation: "7-1"}},
	} {
		got, err := Read(row.predicateType, []byte(row.predicate))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, predicateType, predicate string }{
		{"nothing", V1, ""},
		{"no object", V1, `[]`},
		{"a builder id that is no text", V1, `{"runDetails":{"builder":{"id":7}}}`},
		{"a duplicate key", V1, `{"runDetails":{"builder":{"id":"a","id":"b"}}}`},
		{"a duplicate key in a parameter", V1, `{"buildDefinition":{"externalParameters":{"workflow":{"ref":"a","ref":"b"}}}}`},
		{"materials that are no list", V1, `{"buildDefinition":{"resolvedDependencies":{}}}`},
		{"a digest that is no text", V02, `{"materials":[{"uri":"x","digest":{"sha1":1}}]}`},
		{"trailing data", V02, `{} {}`},
		{"invalid UTF-8", V02, "{\"builder\":{\"id\":\"\xff\"}}"},
		{"another predicate type", "https://slsa.dev/provenance/v0.1", `{}`},
		{"no predicate type", "", `{}`},
	} {
		if facts, err := Read(row.predicateType, []byte(row.predicate)); err == nil {
			t.Errorf("%s: %+v, expected an error", row.name, facts)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(true, []byte(`{"buildDefinition":{"externalParameters":{"workflow":{"ref":"r"}}}}`))
	f.Add(false, []byte(`{"materials":[{"uri":"u","digest":{"sha1":"a"}}]}`))
	f.Fuzz(func(t *testing.T, v1 bool, predicate []byte) {
		predicateType := V02
		if v1 {
			predicateType = V1
		}
		facts, err := Read(predicateType, predicate)
		if err != nil && cmp.Diff(Facts{}, facts) != "" {
			t.Errorf("an error came with facts: %+v", facts)
		}
	})
}
