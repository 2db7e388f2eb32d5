package layout

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestSLSAReasons keeps what somebody reads whom layouts/slsa.yml refuses: what was
// found of which field, what was expected of it, and which --param asked for that.
func TestSLSAReasons(t *testing.T) {
	t.Parallel()
	layout := ready(t, "slsa.yml")
	const released = "generator_generic_slsa3.yml@refs/tags/v2.1.0"
	const generic = "https://github.com/" + slsaGenerator + "generator_generic_slsa3.yml"
	const maven = "https://github.com/" + slsaGenerator + "builder_maven_slsa3.yml"
	event := func(claims run, payload map[string]any) word {
		return generated(released, claims, set("invocation/environment/github_event_payload", payload))
	}
	main, tagged := generated(released, run{}), generated(released, run{Ref: "refs/tags/v1.2.3"})
	pushed := event(run{Ref: "refs/tags/v1.2.3"}, map[string]any{"base_ref": "refs/heads/main"})
	release := event(run{Ref: "refs/tags/v1.2.3"}, map[string]any{"base_ref": nil, "release": map[string]any{"target_commitish": "main"}})
	dispatched := event(run{Trigger: "workflow_dispatch"}, map[string]any{"inputs": map[string]any{"level": "3", "note": "two words"}})
	var out strings.Builder
	for _, r := range []struct {
		name   string
		params []string
		word   word
	}{
		{"another source", []string{"source", "github.com/acme/lib"}, main},
		{"another branch", []string{"branch", "dev"}, main},
		{"another branch that a tag was pushed from", []string{"branch", "dev"}, pushed},
		{"another branch that was released", []string{"branch", "dev"}, release},
		{"the branch of a tag of which nobody says it", []string{"branch", "main"}, tagged},
		{"another tag", []string{"tag", "v1.2"}, tagged},
		{"another version", []string{"versionedTag", "v1.3"}, tagged},
		{"a version that is none", []string{"versionedTag", "latest"}, tagged},
		{"another builder", []string{"builderId", maven}, main},
		{"the builder at another version", []string{"builderId", generic + "@v2.0.0"}, main},
		{"one of several inputs", []string{"workflowInput.level", "3", "workflowInput.note", "two"}, dispatched},
		{"an input that was not given", []string{"workflowInput.level", "3", "workflowInput.other", "3"}, dispatched},
		{"inputs of a push", []string{"workflowInput.level", "3"}, main},
		{"a generator at a moving tag", nil, generated("generator_generic_slsa3.yml@refs/tags/v2", run{})},
		{"a self-hosted runner", nil, generated(released, run{RunnerEnvironment: "self-hosted"})},
		{"a package's name of a file", []string{"packageName", "app"}, main},
	} {
		v := trial{layout: layout, params: with(map[string]string{"source": repo}, r.params...), words: []word{r.word}}.judge(t)
		fmt.Fprintf(&out, "%s: %s\n", r.name, v.Outcome())
		f := verdict.Finding{}
		if len(v.Findings) > 0 {
			f = v.Findings[0]
		}
		fmt.Fprintf(&out, "  %s at %s\n  found     %s\n  expected  %s\n  next      %s\n", f.ID, f.Where, f.Found, f.Expected, f.Next)
	}
	const golden = "testdata/slsa-reasons.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("the reasons differ (-want +got):\n%s", diff)
	}
}
