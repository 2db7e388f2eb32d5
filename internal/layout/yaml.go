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

// fields is a mapping's values by key.
type fields map[string]*yaml.Node

// mapping reads a mapping with known keys only. Unknown, duplicate and
// case-variant keys are findings, and so is a key of classic in-toto.
func (r *reader) mapping(node *yaml.Node, what string, known ...string) fields {
	out := fields{}
	if !r.isKind(node, yaml.MappingNode, what+" is not a mapping", "a mapping with "+list(known)) {
		return out
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if r.key(key, what, known) {
			if _, twice := out[key.Value]; twice {
				r.malformed(key, fmt.Sprintf("%s has the key %s twice", what, key.Value), "each key once")
				continue
			}
			out[key.Value] = value
		}
	}
	return out
}

// key checks one key of a mapping against the known ones.
func (r *reader) key(key *yaml.Node, what string, known []string) bool {
	if key.Kind != yaml.ScalarNode {
		r.malformed(key, what+" has a key that is not text", "one of "+list(known))
		return false
	}
	for _, k := range known {
		if key.Value == k {
			return true
		}
	}
	switch {
	case key.Value == "<<":
		r.malformed(key, "the merge key <<", "the keys themselves")
	case isLater(key.Value):
		r.problem(verdict.NotSupportedYet, at(key), says{fmt.Sprintf("%s uses %s, which this version does not check yet", what, key.Value), "one of " + list(known), "use a newer signatus: a key that is not understood is never skipped"})
	default:
		expected := "one of " + list(known)
		for _, k := range known {
			if strings.EqualFold(k, strings.ReplaceAll(key.Value, "_", "")) {
				expected = k
			}
		}
		found := fmt.Sprintf("%s has the unknown key %q", what, key.Value)
		if isClassic(key.Value) {
			found += ", a key of classic in-toto 1.0: one document never mixes the two dialects"
		}
		r.malformed(key, found, expected)
	}
	return false
}

// isLater lists keys that the schema has and this version does not judge.
func isLater(key string) bool {
	switch key {
	case "inspections", "forEach", "countBy", "accounts":
		return true
	}
	return false
}

// isClassic lists keys that only classic in-toto 1.0 layouts have.
func isClassic(key string) bool {
	switch key {
	case "expected_products", "expected_materials", "expected_command", "pubkeys", "keys", "inspect", "readme", "run", "cert_constraints", "signed", "signatures":
		return true
	}
	return false
}

// entries reads a mapping with free keys, in the document's order.
func (r *reader) entries(node *yaml.Node, what string) []namedNode {
	if node == nil || !r.isKind(node, yaml.MappingNode, what+" is not a mapping", "a mapping from names to values") {
		return nil
	}
	var out []namedNode
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || !isID(key.Value):
			r.malformed(key, fmt.Sprintf("%s has the name %q", what, key.Value), "letters, digits, - _ . and @")
		case seen[key.Value]:
			r.malformed(key, fmt.Sprintf("%s has the name %s twice", what, key.Value), "each name once")
		default:
			seen[key.Value] = true
			out = append(out, namedNode{key.Value, value, at(key)})
		}
	}
	return out
}

type namedNode struct {
	name string
	node *yaml.Node
	at   position
}

// sequence returns the items of a sequence.
func (r *reader) sequence(node *yaml.Node, what string) []*yaml.Node {
	if node == nil || !r.isKind(node, yaml.SequenceNode, what+" is not a list", "a list") {
		return nil
	}
	return node.Content
}

// text reads a scalar as it was written. Numbers and booleans are not text.
func (r *reader) scalar(node *yaml.Node, what string) string {
	if node == nil || !r.isKind(node, yaml.ScalarNode, what+" is not text", "text") {
		return ""
	}
	if tag := node.ShortTag(); tag != "!!str" && tag != "!!timestamp" {
		r.malformed(node, fmt.Sprintf("%s is %s, not text", what, node.Value), "text, in quotes where YAML reads it as something else")
		return ""
	}
	return node.Value
}

// required is scalar for a key that must be there with a value.
func (r *reader) required(parent *yaml.Node, f fields, key, what string) string {
	node, ok := f[key]
	if !ok {
		r.malformed(parent, what+" has no "+key, key)
		return ""
	}
	text := r.scalar(node, what+"'s "+key)
	if text == "" && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
		r.malformed(node, what+"'s "+key+" is empty", "a value")
	}
	return text
}

// integer reads a whole number, written plainly in decimal.
func (r *reader) integer(node *yaml.Node, what string) (int, bool) {
	if !r.isKind(node, yaml.ScalarNode, what+" is not a number", "a whole number") {
		return 0, false
	}
	var n int
	if node.ShortTag() != "!!int" || node.Decode(&n) != nil || fmt.Sprint(n) != node.Value {
		r.malformed(node, fmt.Sprintf("%s is %q", what, node.Value), "a whole number in decimal")
		return 0, false
	}
	return n, true
}

// texts reads a list of scalars.
func (r *reader) texts(node *yaml.Node, what string) []string {
	var out []string
	for _, item := range r.sequence(node, what) {
		text := r.scalar(item, "an item of "+what)
		switch {
		case text != "":
			out = append(out, text)
		case item.Kind == yaml.ScalarNode && item.ShortTag() == "!!str":
			r.malformed(item, "an empty item in "+what, "a name")
		}
	}
	return out
}

func (r *reader) isKind(node *yaml.Node, kind yaml.Kind, found, expected string) bool {
	if node != nil && node.Kind == kind {
		return true
	}
	if node != nil {
		r.malformed(node, found, expected)
	}
	return false
}

func isID(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.@", c) {
			return false
		}
	}
	return s != "" && len(s) <= 256
}
