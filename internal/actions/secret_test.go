package actions

import (
	"bytes"
	"strings"
	"testing"
)

// TestWithSecrets: the verb finds a secret where it looks for one, and takes it from the
// step's input.
func TestWithSecrets(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		env  map[string]string
		want map[string]string
	}{
		{"inputs", map[string]string{"INPUT_GITHUB-TOKEN": " a\n", "INPUT_REGISTRY-PASSWORD": "b"}, map[string]string{"GITHUB_TOKEN": "a", "GH_TOKEN": "", "SIGNATUS_REGISTRY_PASSWORD": "b"}},
		{
			"inputs and variables", map[string]string{"INPUT_GITHUB-TOKEN": "a", "GITHUB_TOKEN": "x", "GH_TOKEN": "y", "INPUT_REGISTRY-PASSWORD": "b", "SIGNATUS_REGISTRY_PASSWORD": "z", "OTHER": "o"},
			map[string]string{"GITHUB_TOKEN": "a", "GH_TOKEN": "", "SIGNATUS_REGISTRY_PASSWORD": "b", "OTHER": "o"},
		},
		{
			"variables", map[string]string{"INPUT_GITHUB-TOKEN": "", "GITHUB_TOKEN": "x", "GH_TOKEN": "y", "SIGNATUS_REGISTRY_PASSWORD": "z"},
			map[string]string{"GITHUB_TOKEN": "x", "GH_TOKEN": "y", "SIGNATUS_REGISTRY_PASSWORD": ""},
		},
		{"nothing", nil, map[string]string{"GITHUB_TOKEN": "", "GH_TOKEN": "", "SIGNATUS_REGISTRY_PASSWORD": ""}},
	} {
		seen := WithSecrets(getenv(r.env))
		for name, want := range r.want {
			if got := seen(name); got != want {
				t.Errorf("%s: %s is %q, expected %q", r.name, name, got, want)
			}
		}
	}
}

// TestMaskSecrets: each is hidden as a whole, and nothing else is said.
func TestMaskSecrets(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	env := map[string]string{"GITHUB_ACTIONS": "true", "INPUT_GITHUB-TOKEN": "ghp_%a", "INPUT_REGISTRY-PASSWORD": "b\nc"}
	if err := MaskSecrets(getenv(env), NewLog(&out)); err != nil {
		t.Fatal(err)
	}
	if want := "::add-mask::b%0Ac\n::add-mask::ghp_%25a\n"; out.String() != want {
		t.Errorf("got %q, expected %q", out.String(), want)
	}
	out.Reset()
	for _, env := range []map[string]string{{"GITHUB_ACTIONS": "true"}, {"INPUT_GITHUB-TOKEN": "s3cret"}} {
		if err := MaskSecrets(getenv(env), &out); err != nil || out.Len() > 0 {
			t.Errorf("%v: %v, %q", env, err, out.String())
		}
	}
	err := MaskSecrets(getenv(map[string]string{"GITHUB_ACTIONS": "true", "INPUT_GITHUB-TOKEN": "s3cret"}), failing{})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}
