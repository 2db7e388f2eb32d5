package housetest

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFindingsAreDocumented holds docs/findings.md to the code: every finding
// has a section whose heading opens with its id, and no section has outlived
// its finding.
func TestFindingsAreDocumented(t *testing.T) {
	t.Parallel()
	const name = "docs/findings.md"
	doc, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Error(err) // and the list of what it lacks
	}
	sections := headings(doc)
	var missing []string
	for _, id := range findings(t) {
		if !slices.Contains(sections, id) {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%s has no section (## or ###) for these %d findings:\n  %s", name, len(missing), strings.Join(missing, "\n  "))
	}
	for _, section := range sections {
		if strings.Contains(section, "-") && !slices.Contains(findings(t), section) {
			t.Errorf("%s has a section for %q, which is no finding", name, section)
		}
	}
}

// TestFindingsHaveOneName holds that an id names one finding, and is written as
// reports, SARIF rules and headings need it.
func TestFindingsHaveOneName(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	for i, id := range findings(t) {
		if i > 0 && findings(t)[i-1] == id {
			t.Errorf("two constants in %s are %q", findingsFile, id)
		}
		if !form.MatchString(id) {
			t.Errorf("finding %q in %s is not words joined by hyphens", id, findingsFile)
		}
	}
}

// TestThreatModelNamesFindings holds the attack table to the code: an id in
// backquotes in a table's last column is a finding.
func TestThreatModelNamesFindings(t *testing.T) {
	t.Parallel()
	named := tableIDs(read(t, "docs/threat-model.md"))
	if len(named) == 0 {
		t.Fatal("docs/threat-model.md names no finding")
	}
	for _, id := range named {
		if !slices.Contains(findings(t), id) {
			t.Errorf("docs/threat-model.md answers an attack with %q, which is no finding", id)
		}
	}
}

// TestDependenciesAreExplained asks docs/dependencies.md for a word on every
// direct requirement of go.mod.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	doc := string(read(t, "docs/dependencies.md"))
	direct := directRequirements(string(read(t, "go.mod")))
	if len(direct) == 0 {
		t.Fatal("go.mod requires nothing")
	}
	for _, mod := range direct {
		if !strings.Contains(doc, "`"+mod+"`") {
			t.Errorf("docs/dependencies.md does not explain `%s`: what for, why this one, what it pulls in", mod)
		}
	}
}

// TestLinksLead follows every relative link in a Markdown file, to its heading where it
// names one.
func TestLinksLead(t *testing.T) {
	t.Parallel()
	tree(t, func(name string, content []byte) {
		if !strings.HasSuffix(name, ".md") || strings.Contains(name, "testdata/") {
			return
		}
		for _, link := range links(content) {
			target, anchor, named := strings.Cut(link, "#")
			page := content
			if target != "" {
				file := filepath.Join(root, path.Dir(name), target)
				if _, err := os.Stat(file); err != nil {
					t.Errorf("%s links to %s, which is not there", name, target)
				}
				page, _ = os.ReadFile(file) // of a folder, nothing is a heading
			}
			if named && !slices.Contains(anchors(page), anchor) {
				t.Errorf("%s links to %s, and no heading is called so", name, link)
			}
		}
	})
}

// TestReaders shows that the small readers above see what they are there for.
func TestReaders(t *testing.T) {
	t.Parallel()
	t.Run("headings", func(t *testing.T) {
		t.Parallel()
		equal(t, headings([]byte("# top\n## `rule-require`\ntext ## not-this\n### wrong-root: another\n#### deep-er\n")), []string{"rule-require", "wrong-root"})
	})
	t.Run("constants", func(t *testing.T) {
		t.Parallel()
		f := parse(t, "x.go", []byte("package x\ntype ID string\nconst (\nA ID = \"a-b\"\nB string = \"no\"\n)\nconst C ID = \"c-d\""))
		equal(t, findingConstants(f), []string{"a-b", "c-d"})
	})
	t.Run("table ids", func(t *testing.T) {
		t.Parallel()
		equal(t, tableIDs([]byte("`not-here`\n| `nor-here` | `wrong-root`, `rule-require` |\n|---|---|\n| x | `verify --from` |\n")), []string{"wrong-root", "rule-require"})
	})
	t.Run("requirements", func(t *testing.T) {
		t.Parallel()
		equal(t, directRequirements("module m\n\ngo 1.26.0\n\nrequire (\n\ta.b/c v1.0.0\n\td.e/f v1.0.0 // indirect\n)\nrequire g.h/i v2.0.0\nreplace x => y\n"), []string{"a.b/c", "g.h/i"})
	})
	t.Run("links", func(t *testing.T) {
		t.Parallel()
		equal(t, links([]byte("[a](b.md) [c](https://x/y) [d](#e) ![f](g/h.svg#i) `[no](code)`\n```\n[nor](this)\n```\n")), []string{"b.md", "#e", "g/h.svg#i"})
	})
	t.Run("anchors", func(t *testing.T) {
		t.Parallel()
		equal(t, anchors([]byte("# Who, *then*?\n```\n# no\n```\n## `a-b`: [c d](e.md)\n## 8. Two words\n## 8. Two words\n")),
			[]string{"who-then", "a-b-c-d", "8-two-words", "8-two-words-1"})
	})
}

// headings lists what the level 2 and 3 headings open with, without backquotes.
func headings(markdown []byte) (out []string) {
	for line := range strings.Lines(string(markdown)) {
		for _, level := range []string{"## ", "### "} {
			if text, ok := strings.CutPrefix(line, level); ok && len(strings.Fields(text)) > 0 {
				out = append(out, strings.Trim(strings.Fields(text)[0], "`:"))
			}
		}
	}
	return out
}

const findingsFile = "internal/verdict/findings.go"

// findings lists the ids of all findings in order.
func findings(t *testing.T) []string {
	t.Helper()
	ids := findingConstants(parse(t, findingsFile, read(t, findingsFile)))
	if len(ids) == 0 {
		t.Fatalf("no constant of type ID in %s", findingsFile)
	}
	return ids
}

// findingConstants lists the values of the constants of type ID in order.
func findingConstants(f file) (ids []string) {
	for _, d := range f.ast.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "ID" {
				continue
			}
			for _, value := range spec.Values {
				if lit, ok := value.(*ast.BasicLit); ok {
					ids = append(ids, strings.Trim(lit.Value, "\"`"))
				}
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// tableIDs lists the words in backquotes, with a hyphen and nothing else but
// small letters, in the last column of each table row.
func tableIDs(markdown []byte) (out []string) {
	id := regexp.MustCompile("`([a-z]+(?:-[a-z]+)+)`")
	for line := range strings.Lines(string(markdown)) {
		row := strings.Split(strings.TrimSpace(line), "|")
		if len(row) < 3 || row[0] != "" {
			continue
		}
		for _, match := range id.FindAllStringSubmatch(row[len(row)-2], -1) {
			out = append(out, match[1])
		}
	}
	return out
}

// directRequirements lists the modules that go.mod requires for itself.
func directRequirements(gomod string) (out []string) {
	block := false
	for line := range strings.Lines(gomod) {
		line, single := strings.CutPrefix(strings.TrimSpace(line), "require ")
		switch {
		case single && line == "(":
			block = true
		case line == ")":
			block = false
		case (single || block) && line != "" && !strings.Contains(line, "// indirect"):
			out = append(out, strings.Fields(line)[0])
		}
	}
	return out
}

// anchors lists what GitHub calls the headings of a page.
func anchors(markdown []byte) (out []string) {
	code := regexp.MustCompile("(?s)```.*?```")
	link := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	heading := regexp.MustCompile(`(?m)^#{1,6} (.*)$`)
	unnamed := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	times := map[string]int{}
	for _, match := range heading.FindAllSubmatch(code.ReplaceAll(markdown, nil), -1) {
		text := unnamed.ReplaceAllString(link.ReplaceAllString(string(match[1]), "$1"), "")
		anchor := strings.ReplaceAll(strings.ToLower(text), " ", "-")
		if times[anchor]++; times[anchor] > 1 {
			anchor += "-" + strconv.Itoa(times[anchor]-1)
		}
		out = append(out, anchor)
	}
	return out
}

// links lists the targets of relative links outside of code, with their anchors.
func links(markdown []byte) (out []string) {
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, match := range link.FindAllSubmatch(code.ReplaceAll(markdown, nil), -1) {
		if target := string(match[1]); !strings.Contains(target, ":") {
			out = append(out, target)
		}
	}
	return out
}

// read returns a file of the tree with its line ends as LF.
func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, expected %q", got, want)
	}
}
