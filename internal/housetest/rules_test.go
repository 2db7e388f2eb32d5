package housetest

import (
	"strings"
	"testing"
)

// rule is one manner of the house.
type rule struct {
	name  string
	check func([]file) []string
}

func rules() []rule {
	return []rule{
		{"every room has a floor", everyRoomHasAFloor},
		{"imports go down", importsGoDown},
		{"pure rooms compute only", pureRoomsComputeOnly},
		{"one reader of JSON", oneReaderOfJSON},
		{"no regular expressions", noRegularExpressions},
		{"imports have owners", importsHaveOwners},
		{"nothing imports the side", nothingImportsTheSide},
		{"platform adapters decide nothing", platformAdaptersDecideNothing},
		{"only main exits", onlyMainExits},
		{"nothing runs by itself", nothingRunsByItself},
		{"nothing is shared", nothingIsShared},
		{"packages introduce themselves", packagesIntroduceThemselves},
	}
}

func TestHouse(t *testing.T) {
	t.Parallel()
	files := goFiles(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, problem := range r.check(files) {
				t.Error(problem)
			}
		})
	}
}

// mutation is a file that breaks one rule, and one only. Its package comment is
// written for it unless the source has one.
type mutation struct {
	path   string
	source string
	breaks string // a rule's name; empty where the house allows the file
	also   string // a second rule that must then break too
}

func mutations() []mutation {
	const own = module + "/internal/"
	return []mutation{
		{path: "internal/util/util.go", source: "package util", breaks: "every room has a floor"},
		{path: "cmd/other/main.go", source: "package main", breaks: "every room has a floor"},
		{path: "main.go", source: "package signatus", breaks: "every room has a floor"},
		{path: "internal/layout/sub/sub.go", source: "package sub"},

		{path: "internal/report/x.go", source: "package report\nimport _ \"" + own + "layout\"", breaks: "imports go down"},
		{path: "internal/layout/x.go", source: "package layout\nimport _ \"" + own + "policy\"", breaks: "imports go down"},
		{path: "internal/trust/x.go", source: "package trust\nimport _ \"" + own + "attestation\"", breaks: "imports go down"},
		{path: "internal/attestation/x.go", source: "package attestation\nimport _ \"" + own + "layout/sub\"", breaks: "imports go down"},
		{path: "internal/evidence/x.go", source: "package evidence\nimport _ \"" + own + "attestation\""},
		{path: "internal/layout/x.go", source: "package layout\nimport _ \"" + own + "layout/sub\""},
		{path: "internal/layout/x_test.go", source: "package layout\nimport _ \"" + own + "report\""},

		{path: "internal/layout/x.go", source: "package layout\nimport _ \"os\"", breaks: "pure rooms compute only"},
		{path: "internal/policy/x.go", source: "package policy\nimport _ \"net\"", breaks: "pure rooms compute only"},
		{path: "internal/identity/x.go", source: "package identity\nimport _ \"net/http\"", breaks: "pure rooms compute only"},
		{path: "internal/provenance/x.go", source: "package provenance\nimport _ \"net/http/httptest\"", breaks: "pure rooms compute only"},
		{path: "internal/lockfile/x.go", source: "package lockfile\nimport run \"os/exec\"\nvar _ = run.Command", breaks: "pure rooms compute only"},
		{path: "internal/gitobject/x.go", source: "package gitobject\nimport _ \"syscall\"", breaks: "pure rooms compute only"},
		{path: "internal/attestation/x.go", source: "package attestation\nimport \"time\"\nfunc f() { _ = time.Now() }", breaks: "pure rooms compute only"},
		{path: "internal/attestation/x.go", source: "package attestation\nimport \"time\"\nfunc f() func() time.Time { return time.Now }", breaks: "pure rooms compute only"},
		{path: "internal/verdict/x.go", source: "package verdict\nimport clock \"time\"\nfunc f() { _ = clock.Since(clock.Time{}) }", breaks: "pure rooms compute only"},
		{path: "internal/verdict/x.go", source: "package verdict\nimport . \"time\"\nfunc f() { _ = Until(Time{}) }", breaks: "pure rooms compute only"},
		{path: "internal/layout/x.go", source: "package layout\nimport _ \"" + own + "trust\"", breaks: "pure rooms compute only"},
		{path: "internal/layout/x.go", source: "package layout\nimport _ \"github.com/google/go-github/v60/github\"", breaks: "pure rooms compute only", also: "imports have owners"},
		{path: "internal/layout/x.go", source: "package layout\nimport _ \"github.com/sethvargo/go-githubactions\"", breaks: "pure rooms compute only", also: "imports have owners"},
		{path: "internal/layout/x.go", source: "package layout\nimport (\n\"net/url\"\n\"time\"\n)\nfunc f(u url.URL, now time.Time) { _, _ = u, now }"},
		{path: "internal/layout/x_test.go", source: "package layout\nimport _ \"os\""},
		{path: "internal/trust/x.go", source: "package trust\nimport _ \"net/http\""},

		{path: "internal/attestation/x.go", source: "package attestation\nimport _ \"encoding/json\"", breaks: "one reader of JSON"},
		{path: "internal/report/x.go", source: "package report\nimport _ \"encoding/json\""},

		{path: "internal/identity/x.go", source: "package identity\nimport _ \"regexp\"", breaks: "no regular expressions"},

		{path: "internal/command/x.go", source: "package command\nimport _ \"github.com/sethvargo/go-githubactions\"", breaks: "imports have owners"},
		{path: "internal/actions/x.go", source: "package actions\nimport _ \"github.com/sethvargo/go-githubactions\""},
		{path: "internal/evidence/x.go", source: "package evidence\nimport _ \"github.com/google/go-github/v60/github\"", breaks: "imports have owners"},
		{path: "internal/github/x.go", source: "package github\nimport _ \"github.com/google/go-github/v60/github\""},
		{path: "internal/bench/x.go", source: "package main\nimport _ \"" + own + "command\"", breaks: "imports have owners"},
		{path: "cmd/signatus/main.go", source: "package main\nimport _ \"" + own + "command\""},
		{path: "internal/bench/x.go", source: "package main\nimport _ \"" + own + "sandbox\"", breaks: "imports have owners"},
		{path: "internal/command/x_test.go", source: "package command\nimport _ \"" + own + "sandbox/fulcio\"", breaks: "imports have owners"},
		{path: "internal/command/x_test.go", source: "package command\nimport _ \"" + own + "intotopeer\"", breaks: "imports have owners"},
		{path: "internal/layout/x_test.go", source: "package layout\nimport _ \"github.com/in-toto/in-toto-golang/in_toto\"", breaks: "imports have owners"},
		{path: "internal/intotopeer/x.go", source: "package intotopeer\nimport _ \"github.com/in-toto/in-toto-golang/in_toto\""},
		{path: "internal/command/x.go", source: "package command\nimport _ \"" + own + "attestationtest\"", breaks: "imports have owners"},
		{path: "layouts/x.go", source: "package layouts\nimport _ \"" + own + "attestationtest\"", breaks: "imports have owners"},
		{path: "internal/demo/x.go", source: "package main\nimport _ \"" + own + "attestationtest\""},
		{path: "internal/layout/x_test.go", source: "package layout\nimport _ \"" + own + "attestationtest\""},
		{path: "internal/command/x.go", source: "package command\nimport _ \"testing\"", breaks: "imports have owners"},

		{path: "internal/command/x.go", source: "package command\nimport _ \"" + own + "demo\"", breaks: "nothing imports the side"},

		{path: "internal/github/x.go", source: "package github\nimport _ \"" + own + "layout\"", breaks: "platform adapters decide nothing", also: "imports go down"},
		{path: "internal/actions/x.go", source: "package actions\nimport _ \"" + own + "policy\"", breaks: "platform adapters decide nothing", also: "imports go down"},

		{path: "internal/command/x.go", source: "package command\nimport \"os\"\nfunc f() { os.Exit(1) }", breaks: "only main exits"},
		{path: "internal/command/x.go", source: "package command\nimport \"os\"\nfunc f() func(int) { return os.Exit }", breaks: "only main exits"},
		{path: "internal/command/x.go", source: "package command\nimport system \"os\"\nfunc main() { system.Exit(1) }", breaks: "only main exits"},
		{path: "internal/command/x.go", source: "package command\nimport . \"os\"\nfunc f() { Exit(1) }", breaks: "only main exits"},
		{path: "internal/command/x.go", source: "package command\nimport \"log\"\nfunc f() { log.Fatalln() }", breaks: "only main exits"},
		{path: "cmd/signatus/main.go", source: "package main\nimport \"os\"\nfunc main() {}\nfunc f() { os.Exit(1) }", breaks: "only main exits"},
		{path: "cmd/signatus/main.go", source: "package main\nimport \"os\"\nfunc main() { os.Exit(1) }"},
		{path: "internal/demo/main.go", source: "package main\nimport \"os\"\nfunc main() { os.Exit(1) }"},
		{path: "internal/command/x_test.go", source: "package command\nimport \"os\"\nfunc TestMain() { os.Exit(1) }"},

		{path: "internal/trust/x.go", source: "package trust\nfunc init() {}", breaks: "nothing runs by itself"},
		{path: "internal/trust/x_test.go", source: "package trust\nfunc init() {}", breaks: "nothing runs by itself"},

		{path: "internal/trust/x.go", source: "package trust\nvar cache map[string]string", breaks: "nothing is shared"},
		{path: "internal/trust/x.go", source: "package trust\nvar limit = 3", breaks: "nothing is shared"},
		{path: "internal/trust/x.go", source: "package trust\nvar err error", breaks: "nothing is shared"},
		{path: "internal/trust/x.go", source: "package trust\nimport \"errors\"\nvar last = errors.New(\"\")", breaks: "nothing is shared"},
		{path: "internal/demo/x.go", source: "package main\nvar count int", breaks: "nothing is shared"},
		{path: "internal/trust/x.go", source: "package trust\nimport \"errors\"\nvar (\nerrLate = errors.New(\"\")\nErrEarly = errors.New(\"\")\n)"},
		{path: "internal/trust/x.go", source: "package trust\nimport \"io\"\nvar _ io.Reader = nil"},
		{path: "internal/trust/x.go", source: "package trust\nimport _ \"embed\"\n//go:embed root.json\nvar root []byte"},
		{path: "internal/trust/x.go", source: "package trust\nimport _ \"embed\"\nvar (\n//go:embed root.json\nroot []byte\n)"},
		{path: "internal/trust/x_test.go", source: "package trust\nvar update = true"},
		{path: "cmd/signatus/main.go", source: "package main\nvar version = \"devel\""},

		{path: "internal/trust/x.go", source: "// Trust is here.\npackage trust", breaks: "packages introduce themselves"},
		{path: "internal/trust/x.go", source: "// Package trusts is here.\npackage trust", breaks: "packages introduce themselves"},
		{path: "internal/trust/x.go", source: "// Copyright somebody.\n\npackage trust", breaks: "packages introduce themselves"},
		{path: "internal/demo/x.go", source: "// Package main shows it.\npackage main", breaks: "packages introduce themselves"},
		{path: "internal/demo/x.go", source: "// Command demo shows it.\npackage main"},
		{path: "internal/trust/x_test.go", source: "// Tests are here.\n\npackage trust"},
	}
}

// TestRulesRefuse shows that each rule catches what it is there for, and that
// nothing else minds the same file.
func TestRulesRefuse(t *testing.T) {
	t.Parallel()
	broken := map[string]bool{}
	for _, m := range mutations() {
		broken[m.breaks] = true
		files := []file{parse(t, m.path, []byte(introduced(m)))}
		for _, r := range rules() {
			problems := r.check(files)
			want := r.name == m.breaks || r.name == m.also
			switch {
			case want && len(problems) == 0:
				t.Errorf("%s allows %s:\n%s", r.name, m.path, m.source)
			case want && !strings.Contains(problems[0], strings.TrimSuffix(m.path, "/x.go")):
				t.Errorf("%s does not name %s: %s", r.name, m.path, problems[0])
			case !want && len(problems) > 0:
				t.Errorf("%s refuses %s: %s\n%s", r.name, m.path, problems[0], m.source)
			}
		}
	}
	for _, r := range rules() {
		if !broken[r.name] {
			t.Errorf("no mutation breaks %q: a rule that never refuses is none", r.name)
		}
	}
}

// TestTwoPackageComments shows the one thing that a single file cannot break.
func TestTwoPackageComments(t *testing.T) {
	t.Parallel()
	files := []file{
		parse(t, "internal/trust/a.go", []byte("// Package trust is here.\npackage trust")),
		parse(t, "internal/trust/b.go", []byte("// Package trust is here too.\npackage trust")),
	}
	if problems := packagesIntroduceThemselves(files); len(problems) != 1 {
		t.Errorf("two package comments gave %q, expected one problem", problems)
	}
}

// introduced gives the mutation's source a package comment where it says
// nothing in that place itself.
func introduced(m mutation) string {
	if strings.HasPrefix(m.source, "//") || strings.HasSuffix(m.path, "_test.go") {
		return m.source
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(m.source, "package "), "\n")
	if name == "main" {
		parts := strings.Split(m.path, "/")
		return "// Command " + parts[len(parts)-2] + " is made up.\n" + m.source
	}
	return "// Package " + name + " is made up.\n" + m.source
}
