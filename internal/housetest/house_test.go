// Package housetest holds the rules of the house as tests: which room may
// import which, what no file may say, and what the documentation owes the code.
// It reads the tree's files and builds nothing, so a rule holds for every
// operating system and build tag at once.
//
// Each rule is a function from files to problems, and TestRulesRefuse shows for
// each that it refuses: one file that breaks one thing.
package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/signatus-dev/signatus"

// root is the top of the tree, from where `go test` runs this package.
const root = "../.."

// file is one Go file of the tree.
type file struct {
	path string // from the top of the tree, with slashes
	test bool
	ast  *ast.File
}

func (f file) dir() string { return path.Dir(f.path) }

// room names the folder that the rules know: "layout" for internal/layout and
// all below it, "cmd/signatus" for a command, "" for the top of the tree.
func (f file) room() string { return roomOf(f.dir()) }

// main tells whether the file belongs to a program.
func (f file) main() bool { return f.ast.Name.Name == "main" }

// imports lists the paths that the file imports.
func (f file) imports() []string {
	var out []string
	for _, spec := range f.ast.Imports {
		out = append(out, importPath(spec))
	}
	return out
}

// uses tells the names that the file selects from an imported package: for
// "time" perhaps Now and Duration. A dot import is given as ".".
func (f file) uses(pkg string) []string {
	var out []string
	for _, spec := range f.ast.Imports {
		if importPath(spec) != pkg {
			continue
		}
		local := path.Base(pkg)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			return []string{"."}
		}
		out = append(out, selected(f.ast, local)...)
	}
	return out
}

// selected lists the names selected from the package known as local below n.
func selected(n ast.Node, local string) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				out = append(out, sel.Sel.Name)
			}
		}
		return true
	})
	return out
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

func roomOf(dir string) string {
	parts := strings.Split(dir, "/")
	switch {
	case dir == ".":
		return ""
	case parts[0] == "internal" && len(parts) > 1:
		return parts[1]
	case parts[0] == "cmd" && len(parts) > 1:
		return parts[0] + "/" + parts[1]
	}
	return dir
}

// parse reads one Go file.
func parse(t *testing.T, name string, source []byte) file {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parsing %s: %v", name, err)
	}
	return file{path: name, test: strings.HasSuffix(name, "_test.go"), ast: parsed}
}

// tree calls visit for every file of the working tree that the project keeps:
// not for .git, which is a file in a second working tree, nor for what the Makefile
// puts into bin/ and .cache/.
func tree(t *testing.T, visit func(name string, content []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".cache", "bin"}, name):
			return fs.SkipDir
		case !d.Type().IsRegular() || name == ".git":
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err == nil {
			visit(name, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// goFiles parses every Go file of the tree, except what lies in testdata.
func goFiles(t *testing.T) []file {
	t.Helper()
	var files []file
	tree(t, func(name string, content []byte) {
		if strings.HasSuffix(name, ".go") && !strings.Contains("/"+name, "/testdata/") {
			files = append(files, parse(t, name, content))
		}
	})
	if len(files) == 0 {
		t.Fatalf("no Go file below %s", root)
	}
	return files
}
