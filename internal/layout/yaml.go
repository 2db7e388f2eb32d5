package layout

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// position is a place in the layout's file; both numbers count from 1.
type position struct{ line, column int }

// reader walks a YAML document strictly and collects every problem with its
// place, so that one run shows them all.
type reader struct {
	name     string
	problems []verdict.Finding
	source   []byte // the document, for places within a text
	attributeReader
}

// says is what a problem tells: what was found, what was expected, what to do.
type says struct{ found, expected, next string }

// maxProblems is more than anybody reads in one go.
const maxProblems = 100

// problem records a finding at a place.
func (r *reader) problem(id verdict.ID, at position, text says) {
	if len(r.problems) == maxProblems {
		return
	}
	r.problems = append(r.problems, verdict.Finding{
		ID: id, Where: r.where(at), Found: text.found, Expected: text.expected, Next: text.next,
	})
}

// malformed records that a node is not what the schema asks for.
func (r *reader) malformed(node *yaml.Node, found, expected string) {
	r.problem(verdict.LayoutMalformed, at(node), says{found, expected, "correct this line; the schema is in docs/layout.md"})
}

func (r *reader) where(p position) string { return cmp.Or(p.in(r.name), r.name) }

// in is the place for a report; empty where it is not known, as in a layout that
// was built from flags.
func (p position) in(name string) string {
	if p.line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", name, p.line, p.column)
}

func at(node *yaml.Node) position { return position{node.Line, node.Column} }

// document parses the bytes into one mapping and refuses what this dialect does
// not have: anchors, aliases, tags, merge keys, several documents, and nesting
// deeper than MaxDepth. (goccy/go-yaml takes gigabytes for brackets; yaml.v3's
// nodes with these bounds do not.)
func (r *reader) document(data []byte) (*yaml.Node, bool) {
	if !r.text(data) {
		return nil, false
	}
	r.source = data
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		r.problem(verdict.LayoutMalformed, position{1, 1}, says{"the file holds nothing but comments", "a layout: keys such as _type, version, expires, steps", "start from one of the layouts in layouts/"})
		return nil, false
	} else if err != nil {
		line, message := yamlError(err)
		r.problem(verdict.LayoutMalformed, position{line, 1}, says{message, "one YAML or JSON document", "correct the syntax near this line"})
		return nil, false
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.problem(verdict.LayoutMalformed, position{}, says{"more than one document in the file", "exactly one", "remove everything behind the first document"})
		return nil, false
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.problem(verdict.LayoutMalformed, position{1, 1}, says{"the document is not a mapping", "a layout: keys such as _type, version, expires, steps", "start from one of the layouts in layouts/"})
		return nil, false
	}
	count := 0
	return doc.Content[0], r.plain(doc.Content[0], 1, &count)
}

// text checks the bytes before any parser sees them.
func (r *reader) text(data []byte) bool {
	refuse := func(found, next string) bool {
		r.problem(verdict.LayoutMalformed, position{}, says{found, "UTF-8 text of at most 4 MiB", next})
		return false
	}
	switch {
	case len(data) > MaxBytes:
		return refuse(fmt.Sprintf("the file has %d bytes", len(data)), "split the layout")
	case len(bytes.TrimSpace(data)) == 0:
		return refuse("the file is empty", "start from one of the layouts in layouts/")
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return refuse("the file starts with a byte order mark", "save it as UTF-8 without a byte order mark")
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return refuse("the file is UTF-16", "save it as UTF-8")
	case !utf8.Valid(data):
		return refuse("the file is not UTF-8", "save it as UTF-8")
	case nesting(data) > 4*MaxDepth:
		return refuse("the file is nested too deeply", fmt.Sprintf("keep to %d levels", MaxDepth))
	}
	return true
}

// nesting is an upper bound of how deep flow collections nest. It keeps a file
// of brackets from ever reaching the YAML parser; brackets in strings count too.
func nesting(data []byte) int {
	depth, deepest := 0, 0
	for _, b := range data {
		switch b {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return deepest
}

// plain refuses every YAML feature beyond plain mappings, sequences and scalars.
func (r *reader) plain(node *yaml.Node, depth int, count *int) bool {
	*count++
	switch {
	case depth > MaxDepth && node.Kind != yaml.ScalarNode:
		r.malformed(node, fmt.Sprintf("nested deeper than %d levels", MaxDepth), "a flat document")
		return false
	case *count > MaxNodes:
		r.malformed(node, fmt.Sprintf("more than %d values", MaxNodes), "a smaller document")
		return false
	case node.Kind == yaml.AliasNode:
		r.malformed(node, "the alias *"+node.Value, "the value itself: aliases are refused, they hide what is signed")
		return false
	case node.Anchor != "":
		r.malformed(node, "the anchor &"+node.Anchor, "no anchor")
		return false
	case node.Style&yaml.TaggedStyle != 0:
		r.malformed(node, "the tag "+node.Tag, "no tag")
		return false
	}
	ok := true
	for _, child := range node.Content {
		ok = r.plain(child, depth+1, count) && ok
		if *count > MaxNodes {
			return false
		}
	}
	return ok
}

// yamlError takes the line out of yaml.v3's "yaml: line 3: did not find …".
func yamlError(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	if n, scanErr := fmt.Sscanf(message, "line %d:", &line); scanErr == nil && n == 1 {
		_, message, _ = strings.Cut(message, ": ")
	}
	return line, message
}
