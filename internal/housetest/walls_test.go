package housetest

import (
	"fmt"
	"slices"
	"strings"
)

// side is the floor of rooms that stand beside the house: tests and this
// repository's own programs. Nothing of the product imports them.
const side = 0

// room is one folder of the house.
type room struct {
	floor    int
	pure     bool     // computes on what it is given: no I/O and no clock
	siblings []string // rooms of the same floor that it may import
}

// rooms is the whole house. A new room needs a line here before its first
// import, and docs/architecture.md draws the same picture.
func rooms() map[string]room {
	return map[string]room{
		"cmd/signatus": {floor: 5},

		"command": {floor: 4},

		"layout": {floor: 3, pure: true},
		"policy": {floor: 3, pure: true},

		"attestation": {floor: 2, pure: true},
		"provenance":  {floor: 2, pure: true},
		"attribute":   {floor: 2, pure: true, siblings: []string{"attestation"}},
		"statement":   {floor: 2, pure: true},
		"vsa":         {floor: 2, pure: true},
		"lockfile":    {floor: 2, pure: true},
		"evidence":    {floor: 2, siblings: []string{"attestation"}},
		"report":      {floor: 2},
		"actions":     {floor: 2},

		"inspection": {floor: 2},

		"artifact":  {floor: 1},
		"identity":  {floor: 1, pure: true},
		"verdict":   {floor: 1, pure: true, siblings: []string{"artifact"}},
		"gitobject": {floor: 1, pure: true},
		"gitsign":   {floor: 1, pure: true},
		"sshsig":    {floor: 1, pure: true},
		"openpgp":   {floor: 1, pure: true},
		"gitrepo":   {floor: 1, siblings: []string{"artifact", "gitobject"}},
		"gitnotes":  {floor: 1, pure: true, siblings: []string{"gitobject"}},
		"gittuf":    {floor: 1, pure: true, siblings: []string{"gitobject"}},
		"gitremote": {floor: 1, siblings: []string{"gitobject", "gitrepo", "identity"}},
		"github":    {floor: 1, siblings: []string{"answer", "identity"}},
		"signer":    {floor: 1, siblings: []string{"answer", "artifact", "identity"}},
		"login":     {floor: 1, siblings: []string{"answer", "identity"}},
		"trust":     {floor: 1},
		"answer":    {floor: 1, siblings: []string{"identity"}},

		"registry": {floor: 1, siblings: []string{"answer", "identity"}},

		"docs": {floor: 1, pure: true},

		"attestationtest": {floor: side},
		"githubtest":      {floor: side},
		"sandbox":         {floor: side},
		"demo":            {floor: side},
		"bench":           {floor: side},
		"sandboxrun":      {floor: side},
		"actiontest":      {floor: side},
		"release":         {floor: side},
		"housetest":       {floor: side},
		"intotopeer":      {floor: side},
		"layouts":         {floor: side},
	}
}

// everyRoomHasAFloor refuses a folder that the table does not know.
func everyRoomHasAFloor(files []file) (problems []string) {
	for _, f := range files {
		if _, ok := rooms()[f.room()]; !ok {
			problems = append(problems, fmt.Sprintf("%s: the room %q has no floor: give it a line in the table of rooms", f.path, f.room()))
		}
	}
	return problems
}

// importsGoDown refuses an import of a higher floor, and of the same floor
// unless the table names it.
func importsGoDown(files []file) (problems []string) {
	for _, f := range product(files) {
		from := rooms()[f.room()]
		for _, name := range ownImports(f) {
			to := rooms()[name]
			if name != f.room() && to.floor != side && to.floor >= from.floor && !slices.Contains(from.siblings, name) {
				problems = append(problems, fmt.Sprintf("%s (floor %d) imports %s (floor %d): imports go down", f.path, from.floor, name, to.floor))
			}
		}
	}
	return problems
}

// pureRoomsComputeOnly refuses I/O, the clock, and rooms that have either, in a
// room that the table calls pure.
func pureRoomsComputeOnly(files []file) (problems []string) {
	outside := []string{"os", "net", "net/http", "os/exec", "syscall", "golang.org/x/sys", "io/ioutil", "log",
		"github.com/google/go-github", "github.com/sethvargo/go-githubactions"}
	// These read an address and open nothing.
	harmless := []string{"net/url", "net/mail", "net/netip", "net/textproto"}
	for _, f := range product(files) {
		if !rooms()[f.room()].pure {
			continue
		}
		for _, imported := range f.imports() {
			if !slices.Contains(harmless, imported) && slices.ContainsFunc(outside, func(p string) bool { return within(imported, p) }) {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s is pure, it gets bytes and the time from its caller", f.path, imported, f.room()))
			}
		}
		for _, name := range f.uses("time") {
			if slices.Contains([]string{"Now", "Since", "Until", "."}, name) {
				problems = append(problems, fmt.Sprintf("%s uses time.%s: %s is pure, the time is an argument", f.path, name, f.room()))
			}
		}
		for _, name := range ownImports(f) {
			// artifact hashes what a caller opened; it is the one room that
			// a pure one may use without being called pure itself.
			if to := rooms()[name]; !to.pure && to.floor != side && name != "artifact" {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s is pure and %s is not", f.path, name, f.room(), name))
			}
		}
	}
	return problems
}

// oneReaderOfJSON refuses encoding/json where signed or untrusted JSON is read:
// it takes the last of two equal keys and ignores their case.
func oneReaderOfJSON(files []file) (problems []string) {
	for _, f := range product(files) {
		if rooms()[f.room()].pure && slices.Contains(f.imports(), "encoding/json") {
			problems = append(problems, fmt.Sprintf("%s imports encoding/json: signed JSON is read by github.com/go-json-experiment/json, which refuses duplicate and unknown keys", f.path))
		}
	}
	return problems
}

// noRegularExpressions refuses regexp where identities and policies are matched.
func noRegularExpressions(files []file) (problems []string) {
	for _, f := range product(files) {
		if slices.Contains([]string{"identity", "layout", "policy"}, f.room()) && slices.Contains(f.imports(), "regexp") {
			problems = append(problems, fmt.Sprintf("%s imports regexp: identities and policies hold exact values or anchored, segment-wise globs", f.path))
		}
	}
	return problems
}

// owners holds the imports that belong to a few rooms alone.
func owners() []owner {
	return []owner{
		{pkg: "github.com/sethvargo/go-githubactions", rooms: []string{"actions"}},
		{pkg: "github.com/google/go-github", rooms: []string{"github"}},
		{pkg: "github.com/google/go-containerregistry", rooms: []string{"registry"}},
		{pkg: "github.com/docker/cli", rooms: []string{"registry"}},
		{pkg: module + "/internal/command", rooms: []string{"command", "cmd/signatus"}},
		{pkg: module + "/internal/attestationtest", rooms: []string{"attestationtest", "demo", "bench", "sandbox", "intotopeer"}},
		{pkg: module + "/internal/githubtest", rooms: []string{"githubtest"}},
		{pkg: "testing", rooms: []string{"attestationtest", "githubtest", "sandbox"}},
		// GitHub's description is what the tests' GitHub is held to, and the product is not.
		{pkg: "github.com/getkin/kin-openapi", rooms: []string{"githubtest"}, tests: true},
		// A test that imported the sandbox would bring its modules into go.mod.
		{pkg: module + "/internal/sandbox", rooms: []string{"sandbox"}, tests: true},
		// The peer is compared with, in a module of its own, and never relied on.
		{pkg: module + "/internal/intotopeer", rooms: []string{"intotopeer"}, tests: true},
		{pkg: "github.com/in-toto/in-toto-golang", rooms: []string{"intotopeer"}, tests: true},
	}
}

type owner struct {
	pkg   string
	rooms []string
	tests bool // tests of other rooms may not import it either
}

// importsHaveOwners refuses an import outside the rooms that own it.
func importsHaveOwners(files []file) (problems []string) {
	for _, f := range files {
		for _, o := range owners() {
			if (f.test && !o.tests) || slices.Contains(o.rooms, f.room()) {
				continue
			}
			for _, imported := range f.imports() {
				if within(imported, o.pkg) {
					problems = append(problems, fmt.Sprintf("%s imports %s: only %s may", f.path, imported, strings.Join(o.rooms, ", ")))
				}
			}
		}
	}
	return problems
}

// nothingImportsTheSide refuses a test room or a program in the product.
func nothingImportsTheSide(files []file) (problems []string) {
	for _, f := range product(files) {
		for _, name := range ownImports(f) {
			to, known := rooms()[name]
			// Rooms with owners are importsHaveOwners' business.
			owned := slices.ContainsFunc(owners(), func(o owner) bool { return o.pkg == module+"/internal/"+name })
			if known && to.floor == side && !owned {
				problems = append(problems, fmt.Sprintf("%s imports %s: the product imports nothing that stands beside the house", f.path, name))
			}
		}
	}
	return problems
}

// platformAdaptersDecideNothing refuses the judging rooms in those that talk to
// GitHub, whatever floor they may come to stand on.
func platformAdaptersDecideNothing(files []file) (problems []string) {
	for _, f := range product(files) {
		for _, name := range ownImports(f) {
			if slices.Contains([]string{"github", "actions"}, f.room()) && slices.Contains([]string{"layout", "policy"}, name) {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s fetches and decides nothing", f.path, name, f.room()))
			}
		}
	}
	return problems
}

// product leaves out tests and the rooms beside the house.
func product(files []file) []file {
	return slices.DeleteFunc(slices.Clone(files), func(f file) bool {
		return f.test || rooms()[f.room()].floor == side
	})
}

// ownImports lists the rooms of this module that a file imports.
func ownImports(f file) (names []string) {
	for _, imported := range f.imports() {
		if dir, ok := strings.CutPrefix(imported, module+"/"); ok {
			names = append(names, roomOf(dir))
		}
	}
	return names
}

// within tells whether a package path is p or lies below it.
func within(pkg, p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") }
