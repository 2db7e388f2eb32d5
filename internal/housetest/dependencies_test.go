package housetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDependenciesBring holds the last column of docs/dependencies.md to what Go says:
// how many modules the packages need that we import of each, and whether the program
// needs them or tests alone.
func TestDependenciesBring(t *testing.T) {
	t.Parallel()
	program, all := packages(t, "./cmd/signatus"), packages(t, "-test", "./...")
	doc := string(read(t, "docs/dependencies.md"))
	inProgram, inTests, found := strings.Cut(doc, "## In tests")
	if !found {
		t.Fatal("docs/dependencies.md has no section on tests")
	}
	if total := fmt.Sprintf("links today is %d modules", len(program.modules(slices.Collect(maps.Keys(program))))); !strings.Contains(inProgram, total) {
		t.Errorf("docs/dependencies.md does not say: %s", total)
	}
	linked := program.imported()
	for mod, packages := range all.imported() {
		section, from := inTests, all
		if of, ok := linked[mod]; ok {
			section, from, packages = inProgram, program, of
		}
		want := len(from.modules(packages))
		if got := brings(section, mod); got != want {
			t.Errorf("docs/dependencies.md says in its section that %s brings %d modules, expected %d", mod, got, want)
		}
	}
}

// brings reads the number that opens the last cell of a module's row; 0 without one.
func brings(section, mod string) int {
	row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(mod) + "` \\|.*\\| ([0-9]+)[^|]*\\|$").FindStringSubmatch(section)
	if row == nil {
		return 0
	}
	n, _ := strconv.Atoi(row[1])
	return n
}

// graph is packages by their paths.
type graph map[string]listed

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Module     struct{ Path string }
}

// packages lists packages with all that they need, as a release for Linux has them.
func packages(t *testing.T, args ...string) graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-json=ImportPath,Imports,Module"}, args...)...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := graph{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
	return all
}

// imported is what our packages import of each module that is not ours.
func (g graph) imported() map[string][]string {
	out := map[string][]string{}
	for _, p := range g {
		if p.Module.Path != module {
			continue
		}
		for _, name := range p.Imports {
			if mod := g[name].Module.Path; mod != "" && mod != module {
				out[mod] = append(out[mod], name)
			}
		}
	}
	return out
}

// modules are those of the packages and of all that these need, but for ours.
func (g graph) modules(packages []string) map[string]bool {
	seen, out := map[string]bool{}, map[string]bool{}
	for left := slices.Clone(packages); len(left) > 0; {
		name := left[len(left)-1]
		left = left[:len(left)-1]
		if seen[name] {
			continue
		}
		seen[name] = true
		left = append(left, g[name].Imports...)
		if mod := g[name].Module.Path; mod != "" && mod != module {
			out[mod] = true
		}
	}
	return out
}
