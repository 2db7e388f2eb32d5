package command

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/registry"
	"github.com/signatus-dev/signatus/internal/report"
)

// TestNamesInFolder: a name tells what was said and about what, and is one file of the
// folder, whatever a step is called.
func TestNamesInFolder(t *testing.T) {
	t.Parallel()
	const sha = "ac47d72e0a791e4b6998bf9548e0e2e10cf139cc74ae7429835715cbe6c69dd3"
	for _, row := range []struct{ step, predicateType, want string }{
		{"build", "https://in-toto.io/attestation/link/v0.3", "build"},
		{"../../etc/passwd", "https://in-toto.io/attestation/link/v0.3", "etc-passwd"},
		{".hidden", "x", "hidden"},
		{"a\nb\x1b[2J", "x", "a-b--2J"},
		{"прод", "x", "attestation"},
		{strings.Repeat("x", 300), "x", strings.Repeat("x", 64)},
		{"", "https://slsa.dev/provenance/v1", "provenance"},
		{"", "https://slsa.dev/provenance/v0.2", "provenance"},
		{"", "https://slsa.dev/verification_summary/v1", "verification_summary"},
		{"", "https://cyclonedx.org/bom", "bom"},
		{"", "https://spdx.dev/Document/v2.3", "Document"},
		{"", "https://in-toto.io/attestation/test-result/v0.1", "test-result"},
		{"", "https://example.com/", "attestation"},
		{"", "https://example.com/v1", "attestation"},
		{"", "urn:x", "attestation"},
		{"", "https://example.com/a/../..", "a"},
	} {
		m := made{
			shown:    &report.SignedBundle{Step: row.step, PredicateType: row.predicateType},
			subjects: []artifact.Subject{{Name: "app", Digest: artifact.DigestSet{artifact.SHA256: sha}}},
		}
		got := nameInFolder(m)
		if got != row.want+".ac47d72e0a79" || strings.ContainsAny(got, "/\\\x1b\n") || strings.HasPrefix(got, ".") {
			t.Errorf("step %q, type %q: %q, expected %q", row.step, row.predicateType, got, row.want)
		}
	}
}

// TestAssetNames: the bundle is beside the artifact, or called as those about several.
func TestAssetNames(t *testing.T) {
	t.Parallel()
	file := artifact.Subject{Name: "app", Digest: artifact.DigestSet{artifact.SHA256: "ab"}}
	commit := artifact.Subject{Digest: artifact.DigestSet{artifact.GitCommit: "cd", artifact.GitTree: "ef"}}
	for want, m := range map[string]made{
		"app.exe.sigstore.json":     {planned: planned{file: "dist/app.exe"}, subjects: []artifact.Subject{file}},
		"attestation.sigstore.json": {planned: planned{file: "dist/app"}, subjects: []artifact.Subject{file, file}},
		"commit-cd.sigstore.json":   {subjects: []artifact.Subject{commit}},
	} {
		if got := assetName(m); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	if got := assetName(made{subjects: []artifact.Subject{file}}); got != "attestation.sigstore.json" {
		t.Errorf("of a digest: %q", got)
	}
}

// TestStopsAt: an error about one bundle lets the next one be tried; any other one would
// meet it too.
func TestStopsAt(t *testing.T) {
	t.Parallel()
	for status, about := range map[int]bool{0: false, 401: false, 403: false, 404: false, 409: true, 413: true, 422: true, 429: false, 500: false} {
		if got := aboutOne(fmt.Errorf("storing: %w", &github.Error{Status: status})); got != about {
			t.Errorf("GitHub, %d: %v", status, got)
		}
	}
	for status, about := range map[int]bool{0: false, 400: true, 401: false, 403: false, 404: true, 413: true, 429: false, 503: false} {
		if got := aboutImage(&registry.Error{Status: status}); got != about {
			t.Errorf("a registry, %d: %v", status, got)
		}
	}
	if !aboutOne(errors.New("it is too large")) || !aboutImage(errors.New("it is no bundle")) || !aboutImage(&registry.Error{Content: true}) {
		t.Error("what is wrong with a bundle itself stops the others")
	}
}

// TestTogether: of several errors each is told with its own next step; none is none.
func TestTogether(t *testing.T) {
	t.Parallel()
	if err := together(nil, nil); err != nil {
		t.Errorf("of none: %v", err)
	}
	one := undecided("rest", errors.New("tired"))
	if err := together(nil, one); !errors.Is(err, one) || ExitCode(err) != ExitUndecided {
		t.Errorf("of one: %v", err)
	}
	var out strings.Builder
	all := together(together(one, errors.New("a; next: b")), nil, usage("write c", "c\x1b"))
	Env{Stderr: &out}.explain(all)
	const want = "signatus: tired\n  next: rest\nsignatus: a\n  next: b\nsignatus: c\\u001b\n  next: write c\n"
	if out.String() != want || ExitCode(all) != ExitUndecided {
		t.Errorf("exit code %d, said\n%s", ExitCode(all), out.String())
	}
}

// TestToGitHub: GitHub's client is told where the bundle is, if it can be.
func TestToGitHub(t *testing.T) {
	t.Parallel()
	file := func(path string) *report.SignedBundle { return &report.SignedBundle{Path: path} }
	for name, row := range map[string]struct {
		m     made
		flags string
		known bool
	}{
		"a file":                {made{shown: file("a.json"), find: []string{"--from", "oci"}}, "--bundle a.json", true},
		"a registry":            {made{shown: file(""), find: []string{"--from", "oci"}}, "--bundle-from-oci", true},
		"the repository":        {made{shown: file(""), find: []string{"--from", "github", "--repo", "acme/app"}}, "", true},
		"another repository":    {made{shown: file(""), find: []string{"--from", "github", "--repo", "acme/other"}}, "", false},
		"a release":             {made{shown: file(""), find: []string{"--from", "release=v1", "--repo", "acme/app"}}, "", false},
		"the notes, or nowhere": {made{shown: file("")}, "", false},
	} {
		flags, known := row.m.toGitHub("acme/app")
		if strings.Join(flags, " ") != row.flags || known != row.known {
			t.Errorf("%s: %q, %v", name, flags, known)
		}
	}
}

// FuzzNamesInFolder: whatever a step or a predicate type is called, the name is one file
// of the folder, and one that verify reads there.
func FuzzNamesInFolder(f *testing.F) {
	f.Add("build", "")
	f.Add("../x\x00\u202e", "https://example.com/a/../v1//")
	f.Add("", "https://slsa.dev/provenance/v1")
	f.Fuzz(func(t *testing.T, step, predicateType string) {
		name := nameInFolder(made{
			shown:    &report.SignedBundle{Step: step, PredicateType: predicateType},
			subjects: []artifact.Subject{{Digest: artifact.DigestSet{artifact.SHA256: "ac47d72e0a791e4b"}}},
		})
		word, digits, _ := strings.Cut(name, ".")
		odd := func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}
		if word == "" || len(word) > maxFileWord || word[0] == '-' || strings.ContainsFunc(word, odd) || digits != "ac47d72e0a79" {
			t.Errorf("step %q, type %q: %q", step, predicateType, name)
		}
	})
}
