package provenance

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

func job(t testing.TB) Job { return Job{Claims: claims(t, nil), BuildType: GitHubWorkflow} }

// full is a job that states all that the community's build type has.
func full(t testing.TB) Job {
	return Job{
		Claims:    claims(t, map[string]any{"event_name": "workflow_dispatch"}),
		BuildType: CommunityWorkflow,
		Started:   time.Date(2026, 1, 1, 1, 0, 0, 999, time.FixedZone("CET", 3600)), Finished: time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC),
		Parameters:   Parameters{Inputs: []byte(`{"level": "debug", "dry": false, "n": 3, "none": ""}`), Vars: []byte(`{"A": "1", "B": ""}`)},
		Dependencies: []Descriptor{{URI: "git+https://github.com/acme/lib@refs/heads/main", Digest: map[string]string{"gitCommit": strings.ToUpper(commit)}}},
		Byproducts:   []Descriptor{{Name: "build.log", Digest: map[string]string{"sha256": strings.Repeat("a", 64)}}},
	}
}

// What actions/attest writes for the same job, to the letter.
func TestBuild(t *testing.T) {
	t.Parallel()
	got, err := Build(job(t))
	if err != nil {
		t.Fatal(err)
	}
	want := encode(t, attestationtest.Provenance(attestationtest.WorkflowClaims{})) // whose keys encoding/json sorts
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("predicate (-want +got):\n%s", diff)
	}
}

func TestBuildCommunity(t *testing.T) {
	t.Parallel()
	got, err := Build(full(t))
	if err != nil {
		t.Fatal(err)
	}
	const repo = "https://github.com/acme/app"
	want := encode(t, map[string]any{
		"buildDefinition": map[string]any{
			"buildType": CommunityWorkflow,
			"externalParameters": map[string]any{
				"inputs":   map[string]any{"level": "debug", "dry": false, "n": 3},
				"vars":     map[string]any{"A": "1", "B": ""},
				"workflow": map[string]any{"path": ".github/workflows/release.yml", "ref": "refs/heads/main", "repository": repo},
			},
			"internalParameters": map[string]any{
				"github": map[string]any{"actor_id": "1847302", "event_name": "workflow_dispatch", "repository_id": "728493015", "repository_owner_id": "98120477", "runner_environment": "github-hosted"},
				"signatus_asserted": map[string]any{
					"/buildDefinition/externalParameters/inputs":          "the event's payload",
					"/buildDefinition/externalParameters/vars":            "the workflow's own word",
					"/buildDefinition/internalParameters/github/actor_id": "the job's token, which no certificate repeats",
					"/buildDefinition/resolvedDependencies/1":             "the job's own word",
					"/runDetails/byproducts/0":                            "the job's own word",
					"/runDetails/metadata/finishedOn":                     "the runner's clock",
					"/runDetails/metadata/startedOn":                      "the runner's clock",
				},
			},
			"resolvedDependencies": []any{
				map[string]any{"uri": "git+" + repo + "@refs/heads/main", "digest": map[string]any{"gitCommit": commit}},
				map[string]any{"uri": "git+https://github.com/acme/lib@refs/heads/main", "digest": map[string]any{"gitCommit": commit}},
			},
		},
		"runDetails": map[string]any{
			"builder":    map[string]any{"id": repo + "/.github/workflows/release.yml@refs/heads/main"},
			"byproducts": []any{map[string]any{"name": "build.log", "digest": map[string]any{"sha256": strings.Repeat("a", 64)}}},
			"metadata":   map[string]any{"invocationId": repo + "/actions/runs/8373487125/attempts/1", "startedOn": "2026-01-01T00:00:00Z", "finishedOn": "2026-01-01T00:01:00Z"},
		},
	})
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("predicate (-want +got):\n%s", diff)
	}
	for range 20 { // protojson changes its white space from build to build only, maps from run to run
		again, err := Build(full(t))
		if err != nil || string(again) != string(got) {
			t.Fatalf("another time %s (%v)", again, err)
		}
	}
}

// TestFieldsCoverThePredicate finds one field for every value of a predicate, and
// holds the marks in it to the fields: nothing is stated without saying what
// stands behind it.
func TestFieldsCoverThePredicate(t *testing.T) {
	t.Parallel()
	dispatch := full(t)
	release := dispatch
	release.Claims.EventName, release.Parameters = "release", Parameters{Release: []byte(`{"prerelease": true, "body": ""}`)}
	for _, j := range []Job{job(t), dispatch, release} {
		data, err := Build(j)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := Fields(j)
		if err != nil {
			t.Fatal(err)
		}
		var predicate map[string]any
		if err := json.Unmarshal(data, &predicate); err != nil {
			t.Fatal(err)
		}
		marks := map[string]bool{}
		leaves := map[string]string{}
		walk("", predicate, func(pointer, value string) {
			if at, ok := strings.CutPrefix(pointer, "/buildDefinition/internalParameters/signatus_asserted/"); ok {
				marks[strings.NewReplacer("~1", "/", "~0", "~").Replace(at)] = true
			} else if pointer != "/buildDefinition/buildType" {
				leaves[pointer] = value
			}
		})
		for leaf, value := range leaves {
			var found []Field
			for _, f := range fields {
				if leaf == f.Pointer || strings.HasPrefix(leaf, f.Pointer+"/") {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Asserted() != marks[found[0].Pointer] {
				t.Errorf("%s is in %v; marked %t", leaf, found, len(found) > 0 && marks[found[0].Pointer])
			} else if !found[0].Asserted() && found[0].Value != value {
				t.Errorf("%s is %s and is listed as %s", leaf, value, found[0].Value)
			}
		}
		for _, f := range fields {
			if f.Pointer == "" || f.Value == "" || (f.Proof == "") == (f.Origin == "") {
				t.Errorf("field %+v lacks something", f)
			}
			delete(marks, f.Pointer)
		}
		if len(marks) > 0 {
			t.Errorf("marks of nothing: %v", marks)
		}
	}
}

// walk visits every string, number and boolean.
func walk(at string, value any, visit func(pointer, value string)) {
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), child, visit)
		}
	case []any:
		for i, child := range v {
			walk(at+"/"+string(rune('0'+i)), child, visit)
		}
	case string:
		visit(at, v)
	default:
		visit(at, "")
	}
}

// TestProvenFieldsFollowTheCertificate changes each extension's claims in turn:
// what is called proven has to be what the check of the certificate holds.
func TestProvenFieldsFollowTheCertificate(t *testing.T) {
	t.Parallel()
	fields, err := Fields(job(t))
	if err != nil {
		t.Fatal(err)
	}
	s := signer(attestationtest.Workflow(attestationtest.WorkflowClaims{}))
	for _, f := range fields {
		for proof := range strings.SplitSeq(f.Proof, " and ") {
			name, _, _ := strings.Cut(proof, " ")
			value := ""
			for extension, v := range s.Extensions {
				if string(extension) == name {
					value = v
				}
			}
			if value == "" || !strings.Contains(f.Value, value) && !strings.Contains(value, f.Value) {
				t.Errorf("%s is %s, and %s is %q", f.Pointer, f.Value, proof, value)
			}
		}
	}
}

func TestWorkflowPath(t *testing.T) {
	t.Parallel()
	for _, r := range []struct{ workflowRef, ref, want string }{
		{"acme/app/.github/workflows/x.yml@refs/heads/main", "refs/heads/main", ".github/workflows/x.yml"},
		{"acme/app/.github/workflows/x@y.yml@refs/tags/v@1", "refs/tags/v@1", ".github/workflows/x@y.yml"},
		{"acme/app/.github/workflows/x.yml@refs/heads/a@b", "refs/heads/main", ".github/workflows/x.yml"},
		{"acme/required/.github/workflows/x.yml@refs/heads/main", "refs/heads/main", ""},
		{"acme/app2/.github/workflows/x.yml@refs/heads/main", "refs/heads/main", ""},
	} {
		c := Claims{Repository: "acme/app", WorkflowRef: r.workflowRef, Ref: r.ref}
		if got, err := c.workflowPath(); got != r.want || (err == nil) != (r.want != "") {
			t.Errorf("%s at %s: got %q, %v", r.workflowRef, r.ref, got, err)
		}
	}
}

// TestCommunityEvents holds the build type to the events that it describes.
func TestCommunityEvents(t *testing.T) {
	t.Parallel()
	for event, allowed := range map[string]bool{
		"create": true, "push": true, "release": true, "workflow_dispatch": true,
		"pull_request": false, "pull_request_target": false, "merge_group": false, "schedule": false, "workflow_run": false, "deployment": false, "repository_dispatch": false, "Push": false,
	} {
		j := Job{Claims: claims(t, map[string]any{"event_name": event}), BuildType: CommunityWorkflow}
		_, err := Build(j)
		if (err == nil) != allowed || err != nil && (!strings.Contains(err.Error(), event) || !strings.Contains(err.Error(), string(GitHubWorkflow))) {
			t.Errorf("%s: %v", event, err)
		}
		j.BuildType = GitHubWorkflow
		if _, err := Build(j); err != nil {
			t.Errorf("%s, with GitHub's build type: %v", event, err)
		}
	}
}

// TestBuildRefuses breaks one thing in each row.
func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	many := make([]Descriptor, MaxDescriptors+1)
	for i := range many {
		many[i] = Descriptor{Name: "x", Digest: map[string]string{"sha256": strings.Repeat("a", 64)}}
	}
	for name, r := range map[string]struct {
		change func(*Job)
		words  string
	}{
		"no build type":               {func(j *Job) { j.BuildType = "" }, "unknown build type"},
		"another build type":          {func(j *Job) { j.BuildType = "https://example.com" }, "unknown build type"},
		"inputs, GitHub's build type": {func(j *Job) { j.BuildType = GitHubWorkflow; j.Parameters.Vars = nil }, "has no inputs"},
		"inputs of a push":            {func(j *Job) { j.Claims.EventName = "push" }, "inputs belong to the event workflow_dispatch"},
		"a release of a dispatch":     {func(j *Job) { j.Parameters.Release = []byte("{}") }, "belong to the event release"},
		"an unknown release key": {func(j *Job) {
			j.Claims.EventName, j.Parameters = "release", Parameters{Release: []byte(`{"assets": "x"}`)}
		}, `unknown parameter "assets"`},
		"time that runs back":           {func(j *Job) { j.Finished = j.Started.Add(-time.Second) }, "before it started"},
		"too many dependencies":         {func(j *Job) { j.Dependencies = many }, "at most 1024"},
		"too many byproducts":           {func(j *Job) { j.Byproducts = many }, "at most 1024"},
		"a dependency without digest":   {func(j *Job) { j.Dependencies[0].Digest = nil }, "has no digest"},
		"a dependency without name":     {func(j *Job) { j.Dependencies[0].URI = "" }, "neither name nor uri"},
		"a byproduct's digest":          {func(j *Job) { j.Byproducts[0].Digest["sha256"] = "x" }, "byproduct 1"},
		"no claims":                     {func(j *Job) { j.Claims = Claims{} }, "claim iss is missing"},
		"a workflow of another place":   {func(j *Job) { j.Claims.WorkflowRef = "acme/x/.github/workflows/x.yml@refs/heads/main" }, "is not of the repository"},
		"inputs that are a list":        {func(j *Job) { j.Parameters.Inputs = []byte(`[]`) }, "reading inputs"},
		"inputs that are null":          {func(j *Job) { j.Parameters.Inputs = []byte(`null`) }, "reading inputs"},
		"inputs of nothing":             {func(j *Job) { j.Parameters.Inputs = []byte{} }, "reading inputs"},
		"an input twice":                {func(j *Job) { j.Parameters.Inputs = []byte(`{"a":"1","a":"2"}`) }, "reading inputs"},
		"an input of another kind":      {func(j *Job) { j.Parameters.Inputs = []byte(`{"a":{}}`) }, `"a": expected a string`},
		"a number that cannot be kept":  {func(j *Job) { j.Parameters.Inputs = []byte(`{"a":12345678901234567890}`) }, "cannot be kept"},
		"vars that are no JSON":         {func(j *Job) { j.Parameters.Vars = []byte(`{"a"`) }, "reading vars"},
		"vars that are too long":        {func(j *Job) { j.Parameters.Vars = []byte(`{"a":"` + strings.Repeat("a", maxParametersBytes) + `"}`) }, "at most 1024 KiB"},
		"vars with more data behind it": {func(j *Job) { j.Parameters.Vars = []byte(`{} {}`) }, "reading vars"},
	} {
		j := full(t)
		r.change(&j)
		_, err := Build(j)
		if err == nil || !strings.Contains(err.Error(), r.words) {
			t.Errorf("%s: got %v, expected %q", name, err, r.words)
		}
		if _, err := Fields(j); err == nil {
			t.Errorf("%s: fields are listed", name)
		}
	}
}

// What was built is read again as what it says.
func TestBuildIsRead(t *testing.T) {
	t.Parallel()
	data, err := Build(full(t))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := Read(V1, data)
	if err != nil {
		t.Fatal(err)
	}
	const repo = "https://github.com/acme/app"
	want := Facts{
		BuilderID: repo + "/.github/workflows/release.yml@refs/heads/main",
		Materials: []Descriptor{
			{URI: "git+" + repo + "@refs/heads/main", Digest: map[string]string{"gitCommit": commit}},
			{URI: "git+https://github.com/acme/lib@refs/heads/main", Digest: map[string]string{"gitCommit": commit}},
		},
		Workflow: Workflow{repo, ".github/workflows/release.yml", "refs/heads/main"}, Trigger: "workflow_dispatch", Invocation: repo + "/actions/runs/8373487125/attempts/1",
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func FuzzParameters(f *testing.F) {
	for _, s := range []string{`{"a":"1"}`, `{"a":true,"b":3,"c":-0.5}`, `{"a":1e400}`, `{}`, `null`, `{"a":"\u0000"}`} {
		f.Add([]byte(s))
	}
	base := full(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		j := base
		j.Parameters = Parameters{Inputs: data}
		predicate, err := Build(j)
		if err != nil {
			return
		}
		var got struct {
			BuildDefinition struct {
				ExternalParameters struct {
					Inputs map[string]any `json:"inputs"`
				} `json:"externalParameters"`
			} `json:"buildDefinition"`
		}
		var want map[string]any
		if data == nil {
			return
		}
		if err := json.Unmarshal(predicate, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			if value == "" {
				delete(want, name)
			}
		}
		if inputs := got.BuildDefinition.ExternalParameters.Inputs; len(inputs)+len(want) > 0 && !cmp.Equal(inputs, want) {
			t.Fatalf("%s is recorded as %v", data, inputs)
		}
	})
}
