package actions

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// theVerbs are attest and verify as far as aliases meet their flags.
func theVerbs() []Verb {
	return []Verb{
		{Name: "attest", Flags: map[string]Flag{
			"subject": {Takes: Values}, "image": {Takes: Values}, "store": {Takes: Values, Form: AfterName}, "checksums": {Takes: Values, Form: Path}, "predicate": {Takes: Text, Form: MaybePath}, "predicate-type": {}, "sbom": {Form: Path}, "subject-name": {},
		}},
		{Name: "verify", Flags: map[string]Flag{"subject-name": {}, "predicate-type": {}, "checksums": {Form: Path}}},
	}
}

const (
	sum256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	sum512 = "ee26b0dd4af7e749aa1a8ee3c10ae9923f618980772e473f8819a5d4940e0db27ac185f8a0e1d5f84f88bc887fd67b143732c304cc5fa9ad8e6f57f50028a8ff"
)

// TestAliases: what actions/attest is asked, attest is asked.
func TestAliases(t *testing.T) {
	t.Parallel()
	attest := func(arguments ...string) Step { return Step{Verb: "attest", Arguments: arguments} }
	// With a command, so that where bundles go is no part of it: TestPlaces.
	for name, r := range map[string]struct {
		inputs map[string]string
		want   Step
	}{
		"a path":               {map[string]string{"subject-path": "dist/app"}, attest("--", "dist/app")},
		"paths by commas":      {map[string]string{"subject-path": "dist/a, dist/b,dist/c"}, attest("--", "dist/a", "dist/b", "dist/c")},
		"paths by lines":       {map[string]string{"subject-path": "dist/a\n  dist/b\r\n\n# not this\ndist/**\n"}, attest("--", "dist/a", "dist/b", "dist/**")},
		"both":                 {map[string]string{"subject-path": "dist/a,dist/b\ndist/c,"}, attest("--", "dist/a", "dist/b", "dist/c")},
		"a quoted comma":       {map[string]string{"subject-path": `"dist/a,b", dist/c`}, attest("--", "dist/a,b", "dist/c")},
		"a bare quote":         {map[string]string{"subject-path": `dist/5" disk`}, attest("--", `dist/5" disk`)},
		"as flags are":         {map[string]string{"subject-path": "--help,-h"}, attest("--", "--help", "-h")},
		"a digest":             {map[string]string{"subject-name": "ghcr.io/acme/app", "subject-digest": "sha256:" + sum256}, attest("--subject=ghcr.io/acme/app@sha256:" + sum256)},
		"checksums in a file":  {map[string]string{"subject-checksums": "dist/SHA256SUMS"}, attest("--checksums=dist/SHA256SUMS")},
		"in a file with space": {map[string]string{"subject-checksums": "my sums"}, attest("--checksums=my sums")},
		"checksums":            {map[string]string{"subject-checksums": sum256 + "  a\n" + sum512 + " *b@c\n"}, attest("--subject=a@sha256:"+sum256, "--subject=b@c@sha512:"+sum512)},
		"one checksum":         {map[string]string{"subject-checksums": sum256 + "  a"}, attest("--subject=a@sha256:" + sum256)},
		"one as --tag has it":  {map[string]string{"subject-checksums": "SHA256 (a b) = " + sum256}, attest("--subject=a b@sha256:" + sum256)},
		"a file called SHA256": {map[string]string{"subject-checksums": "SHA256 (old)"}, attest("--checksums=SHA256 (old)")},
		"a path's name":        {map[string]string{"subject-path": "a", "subject-name": "b"}, attest("--subject-name=b", "--", "a")},
		"a path, and a digest": {
			map[string]string{"subject-path": "a", "subject-name": "b", "subject-digest": "sha256:" + sum256},
			attest("--subject=b@sha256:"+sum256, "--", "a"),
		},
		"a list twice": {map[string]string{"subject-checksums": strings.Repeat(sum256+"  a\n", 512<<10/68)}, attest("--subject=a@sha256:" + sum256)},
		"a predicate": {
			map[string]string{"subject-path": "a", "predicate": "{\n  \"x\": 1\n}", "predicate-type": "https://example.com/x"},
			attest("--predicate={\n  \"x\": 1\n}", "--predicate-type=https://example.com/x", "--", "a"),
		},
		"a predicate with tabs": {
			map[string]string{"subject-path": "a", "predicate": "{\r\n\t\"x\":\t1\r\n}", "predicate-type": "https://example.com/x"},
			attest("--predicate={\n\t\"x\":\t1\n}", "--predicate-type=https://example.com/x", "--", "a"),
		},
		"a predicate's file": {
			map[string]string{"subject-path": "a", "predicate-path": "x.json", "predicate-type": "https://example.com/x"},
			attest("--predicate-type=https://example.com/x", "--predicate=x.json", "--", "a"),
		},
		"a file called as JSON": {map[string]string{"subject-path": "a", "predicate-path": "{}"}, attest("--predicate=./{}", "--", "a")},
		"an SBOM":               {map[string]string{"subject-path": "a", "sbom-path": "sbom.json"}, attest("--sbom=sbom.json", "--", "a")},
		"no push, no summary":   {map[string]string{"subject-path": "a", "push-to-registry": "false", "show-summary": "true"}, attest("--", "a")},
		"a push": {
			map[string]string{"subject-name": "ghcr.io/Acme/App", "subject-digest": "sha256:" + sum256, "push-to-registry": "true"},
			attest("--subject=ghcr.io/acme/app@sha256:"+sum256, "--store=file", "--store=oci"),
		},
		"a name with capitals":     {map[string]string{"subject-name": "ghcr.io/Acme/App", "subject-digest": "sha256:" + sum256, "push-to-registry": "false"}, attest("--subject=ghcr.io/Acme/App@sha256:" + sum256)},
		"the command said too":     {map[string]string{"command": "attest", "subject-path": "a"}, attest("--", "a")},
		"the empty are not given":  {map[string]string{"command": "attest", "subject-path": " \n", "subject-digest": "", "subject-name": "", "sbom-path": "", "paths": "a"}, attest("--", "a")},
		"beside flags of others":   {map[string]string{"subject-path": "a", "subject": "b@sha256:" + sum256}, attest("--subject=b@sha256:"+sum256, "--", "a")},
		"verify's own":             {map[string]string{"command": "verify", "subject-name": "a", "paths": "b"}, Step{Verb: "verify", Arguments: []string{"--subject-name=a", "--", "b"}}},
		"a token is no argument":   {map[string]string{"subject-path": "a", "github-token": "s3cret"}, attest("--", "a")},
		"a summary alone, of none": {map[string]string{"show-summary": "false"}, attest()},
	} {
		if r.inputs["command"] == "" {
			r.inputs["command"] = "attest"
		}
		got, err := read(r.inputs, theVerbs())
		if diff := cmp.Diff(r.want, asks(got)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestPlaces: a step that is asked as actions/attest is, keeps bundles where that does, unless
// it says where. One that gives a command is asked as the command line is.
func TestPlaces(t *testing.T) {
	t.Parallel()
	const file, oci, github = "--store=file", "--store=oci", "--store=github"
	for name, r := range map[string]struct {
		inputs map[string]string
		want   []string
	}{
		"as there":                 {map[string]string{}, []string{file, github}},
		"pushed":                   {map[string]string{"push-to-registry": "true", "image": "x"}, []string{file, oci, github}},
		"pushed, in capitals":      {map[string]string{"push-to-registry": "True", "image": "x"}, []string{file, oci, github}},
		"not pushed":               {map[string]string{"push-to-registry": "false"}, []string{file, github}},
		"elsewhere":                {map[string]string{"store": "file"}, []string{file}},
		"in several":               {map[string]string{"store": "github\ndir=kept"}, []string{github, "--store=dir=kept"}},
		"an empty command":         {map[string]string{"command": ""}, []string{file, github}},
		"a command":                {map[string]string{"command": "attest"}, nil},
		"a command, and pushed":    {map[string]string{"command": "attest", "push-to-registry": "true", "image": "x"}, []string{file, oci}},
		"a command, and not":       {map[string]string{"command": "attest", "push-to-registry": "false"}, nil},
		"a command, and elsewhere": {map[string]string{"command": "attest", "store": "github"}, []string{github}},
	} {
		r.inputs["subject-path"] = "a"
		got, err := read(r.inputs, theVerbs())
		if r.inputs["image"] != "" {
			r.want = append([]string{"--image=x"}, r.want...)
		}
		if want := (Step{Verb: "attest", Arguments: append(r.want, "--", "a")}); err != nil || cmp.Diff(want, asks(got)) != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, cmp.Diff(want, asks(got)))
		}
	}
}

// TestAliasesRefuse breaks one thing in each row.
func TestAliasesRefuse(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		inputs map[string]string
		words  []string
	}{
		"a path beside paths":         {map[string]string{"subject-path": "a", "paths": "b"}, []string{"input subject-path", "input paths"}},
		"a digest beside subject":     {map[string]string{"subject-digest": "sha256:" + sum256, "subject-name": "a", "subject": "b@sha256:" + sum256}, []string{"input subject-digest", "input subject "}},
		"checksums beside theirs":     {map[string]string{"subject-checksums": "a", "checksums": "a"}, []string{"input subject-checksums", "input checksums"}},
		"a predicate twice":           {map[string]string{"subject-path": "a", "predicate-path": "a", "predicate": "{}"}, []string{"input predicate-path", "input predicate "}},
		"an SBOM twice":               {map[string]string{"subject-path": "a", "sbom-path": "a", "sbom": "a"}, []string{"input sbom-path", "input sbom "}},
		"a digest of nothing":         {map[string]string{"subject-digest": "sha256:" + sum256}, []string{"input subject-digest", "subject-name"}},
		"a push of no image":          {map[string]string{"subject-path": "a", "push-to-registry": "true"}, []string{"input push-to-registry", "no image is named", "subject-digest"}},
		"a name of two lines":         {map[string]string{"subject-path": "a", "subject-name": "b\nc"}, []string{"input subject-name", "several lines"}},
		"a name alone":                {map[string]string{"subject-name": "a"}, []string{"input command", "not given"}},
		"a digest with a name":        {map[string]string{"subject-name": "a", "subject-digest": "b@sha256:" + sum256}, []string{"input subject-digest", `"@"`}},
		"two digests":                 {map[string]string{"subject-name": "a", "subject-digest": "sha256:" + sum256 + "\nsha256:" + sum256}, []string{"input subject-digest", "several lines"}},
		"a pattern that takes away":   {map[string]string{"subject-path": "dist/*\n!dist/x"}, []string{"input subject-path", "exclamation mark"}},
		"no path in the list":         {map[string]string{"subject-path": ",,\n# a"}, []string{"input subject-path", "names no path"}},
		"a quote that is not closed":  {map[string]string{"subject-path": "\"a\nb"}, []string{"input subject-path"}},
		"an escape in a path":         {map[string]string{"subject-path": "a\x1b[2J"}, []string{"input subject-path", "control character"}},
		"a list with another line":    {map[string]string{"subject-checksums": sum256 + "  a\nand so on"}, []string{"input subject-checksums", "line 2"}},
		"an absolute name":            {map[string]string{"subject-checksums": sum256 + "  /a"}, []string{"input subject-checksums", "absolute"}},
		"a name of a repository":      {map[string]string{"subject-checksums": sum256 + "  git+https://github.com/acme/app"}, []string{"input subject-checksums"}},
		"a list too large":            {map[string]string{"subject-checksums": strings.Repeat(sum256+"  a\n", 512<<10/68+1)}, []string{"input subject-checksums", "512 KiB"}},
		"two predicates' files":       {map[string]string{"subject-path": "a", "predicate-path": "a\nb"}, []string{"input predicate-path", "several lines"}},
		"a push beside the store":     {map[string]string{"subject-path": "a", "push-to-registry": "true", "store": "github"}, []string{"input push-to-registry", "input store "}},
		"a leading backslash":         {map[string]string{"subject-checksums": `\` + sum256 + `  a\nb`}, []string{"input subject-checksums", "backslash"}},
		"a push of YAML 1.1":          {map[string]string{"subject-path": "a", "push-to-registry": "yes"}, []string{"input push-to-registry", `"yes"`}},
		"a summary of neither":        {map[string]string{"subject-path": "a", "show-summary": "1"}, []string{"input show-summary"}},
		"a path for verify":           {map[string]string{"command": "verify", "subject-path": "a"}, []string{"input subject-path", "goes with attest", "command: attest"}},
		"a summary of YAML 1.1":       {map[string]string{"command": "verify", "show-summary": "no"}, []string{"input show-summary", `"no"`}},
		"a token of two lines":        {map[string]string{"subject-path": "a", "github-token": "s3cret\ns3cret"}, []string{"input github-token", "several lines"}},
		"a password with an escape":   {map[string]string{"subject-path": "a", "registry-password": "s3cret\x1b"}, []string{"input registry-password", "control character"}},
		"another action's":            {map[string]string{"subject-path": "a", "create-storage-record": "true"}, []string{`"create-storage-record"`}},
		"an alias that is misspelt":   {map[string]string{"subject_path": "a"}, []string{"did you mean subject-path?"}},
		"none of them, no command":    {map[string]string{"predicate-type": "https://example.com/x"}, []string{"input command", "not given"}},
		"a token alone is no command": {map[string]string{"github-token": "x"}, []string{"input command", "not given"}},
	} {
		got, err := read(r.inputs, theVerbs())
		if diff := cmp.Diff(Step{}, got); err == nil || diff != "" {
			t.Errorf("%s: got %v and a step (-want +got):\n%s", name, err, diff)
			continue
		}
		for _, word := range append(r.words, "; next: ") {
			if !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: %q does not say %q, or says a secret", name, err, word)
			}
		}
	}
}

// TestAliasesAreDocumented holds docs/action.md to the table: a row for each alias with
// what it stands for.
func TestAliasesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/action.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Aliases() {
		row := "| `" + a.Name + "` | "
		if a.Stands != "" {
			row += "`" + a.Stands + "`"
		}
		if strings.Count(string(text), "\n"+row) != 1 {
			t.Errorf("docs/action.md has not one row that begins with %q", row)
		}
	}
	_, table, _ := strings.Cut(string(text), "| alias |")
	table, _, _ = strings.Cut(table, "\n\n")
	if n := strings.Count(table, "\n| `"); n != len(Aliases()) {
		t.Errorf("docs/action.md has %d aliases, expected %d", n, len(Aliases()))
	}
}

// FuzzAliases: whatever the lists hold, each argument is one subject or one file, and
// each operand one path.
func FuzzAliases(f *testing.F) {
	f.Add("dist/a, b\n\"c,d\"", sum256+"  a\n", "{}")
	f.Add("--help\n!x", "sums", "a\nb")
	f.Add("\"", sum512+" *\n", "\x00")
	f.Fuzz(func(t *testing.T, paths, checksums, predicate string) {
		step, err := read(map[string]string{"subject-path": paths, "subject-checksums": checksums, "predicate-path": predicate, "command": "attest"}, theVerbs())
		if err != nil {
			return
		}
		operands := false
		for _, argument := range step.Arguments {
			_, value, _ := strings.Cut(argument, "=")
			switch {
			case strings.ContainsAny(argument, "\r\n\x00\x1b"), argument == "":
				t.Fatalf("%q is one argument", argument)
			case operands:
			case argument == "--":
				operands = true
			case value == "" || !strings.HasPrefix(argument, "--subject=") && !strings.HasPrefix(argument, "--checksums=") && !strings.HasPrefix(argument, "--predicate="):
				t.Fatalf("%q is an argument", argument)
			case strings.HasPrefix(argument, "--predicate={"):
				t.Fatalf("%q is the predicate, and a file was named", argument)
			}
		}
	})
}
