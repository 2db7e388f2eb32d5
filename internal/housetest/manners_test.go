package housetest

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
)

// onlyMainExits refuses os.Exit and log.Fatal anywhere but in the function main
// of a program: what exits elsewhere cannot be tested and skips every defer.
func onlyMainExits(files []file) (problems []string) {
	for _, f := range files {
		if f.test {
			continue
		}
		var allowed int
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.main() && fn.Recv == nil && fn.Name.Name == "main" {
				allowed = len(exits(selected(fn, "os")))
			}
		}
		if found := exits(f.uses("os")); len(found) > allowed {
			problems = append(problems, fmt.Sprintf("%s uses os.%s outside of main: return an error", f.path, found[0]))
		}
		if found := exits(f.uses("log")); len(found) > 0 {
			problems = append(problems, fmt.Sprintf("%s uses log.%s: return an error", f.path, found[0]))
		}
	}
	return problems
}

func exits(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return name != "Exit" && name != "." && !strings.HasPrefix(name, "Fatal")
	})
}

// nothingRunsByItself refuses init functions.
func nothingRunsByItself(files []file) (problems []string) {
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				problems = append(problems, f.path+" has an init function: do the work where it is asked for")
			}
		}
	}
	return problems
}

// nothingIsShared refuses package-level variables in internal, but for error
// sentinels, embedded files and assertions like `var _ io.Reader = …`.
func nothingIsShared(files []file) (problems []string) {
	for _, f := range files {
		if f.test || !strings.HasPrefix(f.path, "internal/") {
			continue
		}
		for _, d := range f.ast.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, s := range decl.Specs {
				spec, ok := s.(*ast.ValueSpec)
				if !ok || embeds(decl.Doc) || embeds(spec.Doc) {
					continue
				}
				for i, name := range spec.Names {
					if name.Name != "_" && !sentinel(spec, i) {
						problems = append(problems, fmt.Sprintf("%s has the package variable %s: make it a constant, a function or an argument", f.path, name.Name))
					}
				}
			}
		}
	}
	return problems
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// sentinel tells whether the i-th variable is an error made on the spot, named
// as one: var errTooLong = errors.New("…").
func sentinel(spec *ast.ValueSpec, i int) bool {
	if i >= len(spec.Values) || !strings.HasPrefix(strings.ToLower(spec.Names[i].Name), "err") {
		return false
	}
	call, ok := spec.Values[i].(*ast.CallExpr)
	if !ok {
		return false
	}
	name := strings.Join(append(selected(call.Fun, "errors"), selected(call.Fun, "fmt")...), "")
	return name == "New" || name == "Errorf"
}

// packagesIntroduceThemselves refuses a package without exactly one package
// comment, and one that does not open with "Package NAME " or "Command NAME ".
func packagesIntroduceThemselves(files []file) (problems []string) {
	comments, want := map[string]int{}, map[string]string{}
	for _, f := range files {
		if f.test {
			continue
		}
		opening := "Package " + f.ast.Name.Name + " "
		if f.main() {
			opening = "Command " + path.Base(f.dir()) + " "
		}
		want[f.dir()] = opening
		if f.ast.Doc == nil {
			continue
		}
		comments[f.dir()]++
		if text := f.ast.Doc.Text(); !strings.HasPrefix(text, opening) {
			problems = append(problems, fmt.Sprintf("%s: the package comment opens with %.30q, expected %q", f.path, text, opening))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(want)) {
		if n := comments[dir]; n != 1 {
			problems = append(problems, fmt.Sprintf("%s has %d package comments, expected one that opens with %q", dir, n, want[dir]))
		}
	}
	return problems
}
