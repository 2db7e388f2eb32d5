package provenance

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

const commit = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"

func encode(t testing.TB, predicate any) string {
	t.Helper()
	data, err := json.Marshal(predicate)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What the builders of today write.
func TestRead(t *testing.T) {
	t.Parallel()
	const repo, run = "https://github.com/acme/app", "https://github.com/acme/app/actions/runs/8373487125/attempts/1"
	source := Descriptor{URI: "git+" + repo + "@refs/heads/main"}
	ofCommit := func(alg string) Descriptor {
		d := source
		d.Digest = map[string]string{alg: commit}
		return d
	}
	for _, r := range []struct {
		name, predicateType, predicate string
		want                           Facts
	}{
		{"actions/attest", V1, encode(t, attestationtest.Provenance(attestationtest.WorkflowClaims{})), Facts{
			BuilderID: repo + "/.github/workflows/release.yml@refs/heads/main", Materials: []Descriptor{ofCommit("gitCommit")},
			Workflow: Workflow{repo, ".github/workflows/release.yml", "refs/heads/main"}, Trigger: "push", Invocation: run,
		}},
		{"a builder of slsa-github-generator's framework, with flat variables", V1, `{"buildDefinition": {"buildType": "https://slsa.dev/x",
			"externalParameters": {"inputs": {"rekor-log-public": false}, "vars": {}},
			"internalParameters": {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_RUN_ID": "1", "GITHUB_EVENT_PAYLOAD": {"ref": "x"}},
			"resolvedDependencies": [{"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": {"gitCommit": "` + commit + `"}}]},
			"runDetails": {"builder": {"id": "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_maven_slsa3.yml@refs/tags/v2.1.0"}, "metadata": {"invocationId": "` + run + `"}}}`, Facts{
			BuilderID: "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_maven_slsa3.yml@refs/tags/v2.1.0",
			Materials: []Descriptor{ofCommit("gitCommit")}, Trigger: "workflow_dispatch", Invocation: run,
		}},
		{"the container-based builder, which names its source", V1, `{"buildDefinition": {
			"externalParameters": {"source": {"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": {"sha1": "` + commit + `"}}, "builderImage": {"uri": "x", "digest": {"sha256": "y"}}, "configPath": ".github/x.toml"},
			"resolvedDependencies": [{"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": {"sha1": "` + commit + `"}}, {"uri": "builder:1", "digest": {"sha256": "y"}}]},
			"runDetails": {"builder": {"id": "b"}}}`, Facts{
			BuilderID: "b", Materials: []Descriptor{ofCommit("sha1"), {URI: "builder:1", Digest: map[string]string{"sha256": "y"}}}, Sources: []Descriptor{ofCommit("sha1")},
		}},
		{"GitLab, whose parameters are words", V1, `{"buildDefinition": {"externalParameters": {"source": "https://gitlab.com/acme/app", "entryPoint": "build", "variables": {"workflow": "x"}}, "internalParameters": {"name": "runner", "github": "none"}},
			"runDetails": {"builder": {"id": "https://gitlab.com/acme/app/-/runners/1"}, "metadata": {"invocationID": "1"}}}`, Facts{BuilderID: "https://gitlab.com/acme/app/-/runners/1"}},
		{"other fields of other kinds", V1, `{"buildDefinition": {"externalParameters": {"workflow": "release", "source": ["x"]}, "internalParameters": {"github": 7, "GITHUB_EVENT_NAME": {"x": 1}}, "more": [1, null]}, "runDetails": {"byproducts": [{}]}, "extra": true}`, Facts{}},
		{"nothing stated", V1, `{}`, Facts{}},
		{"nulls", V1, `{"buildDefinition": {"externalParameters": null, "resolvedDependencies": null, "internalParameters": {"github": null}}, "runDetails": {"builder": null, "metadata": null}}`, Facts{}},
		{"an empty list", V1, `{"buildDefinition": {"resolvedDependencies": []}}`, Facts{}},
		{"a dependency without anything", V1, `{"buildDefinition": {"resolvedDependencies": [{}, null]}}`, Facts{Materials: []Descriptor{{}, {}}}},
		{"a dependency with what is not compared", V1, `{"buildDefinition": {"resolvedDependencies": [{"name": "a", "uri": "b", "content": "eA==", "annotations": {"x": 1}}]}}`, Facts{Materials: []Descriptor{{Name: "a", URI: "b"}}}},
		{"keys in other letters are other keys", V1, `{"BuildDefinition": {"resolvedDependencies": [{}]}, "rundetails": {"builder": {"id": "x"}}, "runDetails": {"Builder": {"id": "x"}, "builder": {"ID": "x"}}}`, Facts{}},
		{"v0.2's fields in v1", V1, `{"builder": {"id": "x"}, "materials": [{"uri": "x"}]}`, Facts{}},

		{"slsa-github-generator", V02, encode(t, attestationtest.ProvenanceV02(attestationtest.WorkflowClaims{})), Facts{
			BuilderID: "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0",
			Materials: []Descriptor{ofCommit("sha1")}, Sources: []Descriptor{ofCommit("sha1")},
			Workflow: Workflow{Path: ".github/workflows/release.yml"}, Trigger: "push", Invocation: "8373487125-1",
		}},
		{"npm", V02, `{"buildType": "https://github.com/npm/cli/gha/v2", "builder": {"id": "https://github.com/actions/runner/github-hosted"},
			"invocation": {"configSource": {"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": {"sha1": "` + commit + `"}, "entryPoint": ".github/workflows/release.yml"},
			"parameters": {}, "environment": {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}},
			"metadata": {"buildInvocationId": "8373487125-1"}, "materials": [{"uri": "git+https://github.com/acme/app@refs/heads/main", "digest": {"sha1": "` + commit + `"}}]}`, Facts{
			BuilderID: "https://github.com/actions/runner/github-hosted", Materials: []Descriptor{ofCommit("sha1")}, Sources: []Descriptor{ofCommit("sha1")},
			Workflow: Workflow{Path: ".github/workflows/release.yml"}, Trigger: "push", Invocation: "8373487125-1",
		}},
		{"both spellings of the run", V02, `{"metadata": {"buildInvocationId": "a", "buildInvocationID": "b"}}`, Facts{Invocation: "a"}},
		{"both spellings of the event", V02, `{"invocation": {"environment": {"github_event_name": "a", "GITHUB_EVENT_NAME": "b"}}}`, Facts{Trigger: "a"}},
		{"an environment of other kinds", V02, `{"invocation": {"environment": {"github_event_name": 7, "GITHUB_EVENT_NAME": ["x"]}}}`, Facts{}},
		{"nothing stated, in v0.2", V02, `{}`, Facts{}},
		{"nulls, in v0.2", V02, `{"builder": null, "invocation": null, "metadata": null, "materials": null}`, Facts{}},
	} {
		got, err := Read(r.predicateType, []byte(r.predicate))
		if diff := cmp.Diff(r.want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", r.name, err, diff)
		}
	}
}

// Every change is one thing that is wrong in a predicate that is read.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	v1 := `{"buildDefinition": {"externalParameters": {"workflow": {"ref": "r"}}, "internalParameters": {}, "resolvedDependencies": [{"uri": "u", "digest": {"sha1": "d"}}]}, "runDetails": {"builder": {"id": "b"}, "metadata": {"invocationId": "i"}}}`
	v02 := `{"builder": {"id": "b"}, "invocation": {"configSource": {"uri": "u", "digest": {"sha1": "d"}, "entryPoint": "e"}, "environment": {}}, "metadata": {"buildInvocationId": "i"}, "materials": [{"uri": "u", "digest": {"sha1": "d"}}]}`
	for of, change := range map[string][][2]string{
		V1: {
			{`"builder": {"id": "b"}`, `"builder": {"id": "b", "id": "c"}`}, {`"builder": {"id": "b"}`, `"builder": {"id": "b"}, "builder": {"id": "c"}`},
			{`"ref": "r"`, `"ref": "r", "ref": "s"`}, {`"sha1": "d"`, `"sha1": "d", "sha1": "e"`}, {`"resolvedDependencies": [`, `"resolvedDependencies": [], "resolvedDependencies": [`},
			{`"externalParameters": {`, `"externalParameters": {"x": {"y": 1, "y": 2}, `},
			{`"id": "b"`, `"id": 7`}, {`"id": "b"`, `"id": ["b"]`}, {`"id": "b"`, `"id": {}`}, {`"builder": {"id": "b"}`, `"builder": "b"`}, {`"metadata": {"invocationId": "i"}`, `"metadata": []`}, {`"invocationId": "i"`, `"invocationId": 1`},
			{`[{"uri": "u", "digest": {"sha1": "d"}}]`, `{"uri": "u"}`}, {`[{"uri": "u", "digest": {"sha1": "d"}}]`, `"u"`}, {`[{"uri": "u", "digest": {"sha1": "d"}}]`, `["u"]`}, {`"uri": "u"`, `"uri": 7`}, {`{"sha1": "d"}`, `"sha1:d"`}, {`{"sha1": "d"}`, `["d"]`}, {`"sha1": "d"`, `"sha1": 7`},
			{`"externalParameters": {"workflow": {"ref": "r"}}`, `"externalParameters": "x"`}, {`"internalParameters": {}`, `"internalParameters": []`},
			{`"id": "b"`, "\"id\": \"\xff\""}, {`"id": "b"`, `"id": "\ud800"`}, {`"id": "b"`, `"id": "b",`}, {`}}}`, `}}} x`}, {`}}}`, `}}`}, {v1, ``}, {v1, `null x`}, {v1, `[]`}, {v1, `"x"`}, {v1, `7`}, {v1, strings.Repeat("[", 20000)},
			{`"builder": {"id": "b"}`, `"builder": {"id": "b"} /* x */`}, {`"id": "b"`, `'id': "b"`},
		},
		V02: {
			{`"builder": {"id": "b"}`, `"builder": {"id": "b", "id": "c"}`}, {`"entryPoint": "e"`, `"entryPoint": "e", "entryPoint": "f"`}, {`"materials": [`, `"materials": [], "materials": [`},
			{`"entryPoint": "e"`, `"entryPoint": 7`}, {`"configSource": {`, `"configSource": [], "x": {`}, {`"environment": {}`, `"environment": "x"`}, {`"buildInvocationId": "i"`, `"buildInvocationId": 7`}, {`"metadata": {"buildInvocationId": "i"}`, `"metadata": "i"`},
			{`[{"uri": "u", "digest": {"sha1": "d"}}]`, `{}`}, {v02, ``}, {v02, `[]`},
		},
	} {
		for _, c := range change {
			good := map[string]string{V1: v1, V02: v02}[of]
			if !strings.Contains(good, c[0]) {
				t.Fatalf("%s has no %s", of, c[0])
			}
			bad := strings.Replace(good, c[0], c[1], 1)
			if facts, err := Read(of, []byte(bad)); err == nil {
				t.Errorf("%.300s\nis read as %+v", bad, facts)
			} else if strings.Contains(err.Error(), "failed to") || !strings.HasPrefix(err.Error(), "reading SLSA provenance v") {
				t.Errorf("error is %q", err)
			}
		}
	}
	for _, predicateType := range []string{"", "https://slsa.dev/provenance/v0.1", "https://slsa.dev/provenance/v1.0", "https://slsa.dev/provenance/v1?draft", "https://SLSA.dev/provenance/v1", "https://in-toto.io/attestation/link/v0.3"} {
		if _, err := Read(predicateType, []byte(v1)); err == nil || Is(predicateType) {
			t.Errorf("the predicate type %q is read", predicateType)
		}
	}
	if !Is(V1) || !Is(V02) {
		t.Error("v1 or v0.2 is not known")
	}
	if _, err := Read(V1, nil); err == nil {
		t.Error("no predicate is read")
	}
}

// Whatever is read is read the same way without white space, and a predicate
// with one member more than it has is not read differently.
func FuzzProvenance(f *testing.F) {
	for _, claims := range []attestationtest.WorkflowClaims{{}, {Ref: "refs/tags/v1"}} {
		f.Add(true, []byte(encode(f, attestationtest.Provenance(claims))))
		f.Add(false, []byte(encode(f, attestationtest.ProvenanceV02(claims))))
	}
	for _, s := range []string{"{}", "null", "[]", `{"buildDefinition": null}`, `{"materials": [{"digest": {"a": "b"}}]}`, `{"a": 1, "a": 2}`} {
		f.Add(true, []byte(s))
		f.Add(false, []byte(s))
	}
	f.Fuzz(func(t *testing.T, one bool, predicate []byte) {
		of := map[bool]string{true: V1, false: V02}[one]
		facts, err := Read(of, predicate)
		if err != nil {
			if facts.BuilderID != "" || facts.Materials != nil || facts.Sources != nil {
				t.Fatalf("a refused predicate gives %+v", facts)
			}
			return
		}
		var value any
		if err := json.Unmarshal(predicate, &value); err != nil {
			t.Fatalf("%s is read, and is no JSON: %v", predicate, err)
		}
		object, ok := value.(map[string]any)
		if !ok {
			if value != nil {
				t.Fatalf("%s is read, and is no object", predicate)
			}
			return
		}
		if _, taken := object["x-unknown"]; taken {
			return
		}
		object["x-unknown"] = []any{1}
		again, err := Read(of, []byte(encode(t, object)))
		if diff := cmp.Diff(facts, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%s\nis read differently (%v):\n%s", predicate, err, diff)
		}
	})
}
