package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// needs are the jobs that a job waits for.
func (j job) needs() (names []string) {
	switch needs := j.Needs.(type) {
	case string:
		return []string{needs}
	case []any:
		for _, name := range needs {
			names = append(names, fmt.Sprint(name))
		}
	}
	return names
}

// TestReleaseIsVerifiedBeforeItIsPublished holds release.yml to the order of
// docs/release.md: each job comes after what it relies on, and none may do more than it
// has to.
func TestReleaseIsVerifiedBeforeItIsPublished(t *testing.T) {
	t.Parallel()
	jobs := workflow(t, "release.yml")
	want := map[string]struct {
		after       []string
		permissions string
	}{
		"commit":  {nil, "attestations:read contents:read packages:read"},
		"build":   {[]string{"commit"}, "attestations:write contents:read id-token:write"},
		"draft":   {[]string{"build"}, "contents:write"},
		"verify":  {[]string{"commit", "draft"}, "attestations:read contents:write"},
		"publish": {[]string{"verify"}, "contents:write"},
	}
	if found := slices.Sorted(maps.Keys(jobs)); !slices.Equal(found, slices.Sorted(maps.Keys(want))) {
		t.Fatalf("release.yml has the jobs %q", found)
	}
	for name, j := range jobs {
		var may []string
		for _, scope := range slices.Sorted(maps.Keys(j.Permissions)) {
			may = append(may, scope+":"+j.Permissions[scope])
		}
		if found := strings.Join(may, " "); found != want[name].permissions {
			t.Errorf("the job %s may %q, expected %q", name, found, want[name].permissions)
		}
		if found := j.needs(); !slices.Equal(found, want[name].after) {
			t.Errorf("the job %s comes after %q, expected %q", name, found, want[name].after)
		}
	}
	verified := func(s step) bool {
		return s.Uses == "./" && s.With["command"] == "verify" && s.With["layout"] == "layouts/signatus-release.yml"
	}
	if !slices.ContainsFunc(jobs["verify"].Steps, verified) {
		t.Error("nothing asks layouts/signatus-release.yml before the release is published")
	}
}

// TestLayoutsNameTheWorkflows: the workflows that the layouts of a release allow are files
// of this tree.
func TestLayoutsNameTheWorkflows(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`signatus-dev/signatus/(\.github/workflows/[\w-]+\.yml)@`)
	for _, file := range []string{"signatus-release.yml", "signatus-image.yml", "build-and-attest.yml"} {
		text, err := os.ReadFile("../../layouts/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllSubmatch(text, -1)
		if len(found) == 0 {
			t.Errorf("layouts/%s names no workflow of this repository", file)
		}
		for _, m := range found {
			if _, err := os.Stat("../../" + string(m[1])); err != nil {
				t.Errorf("layouts/%s names %s: %v", file, m[1], err)
			}
		}
	}
}
