package layout

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
)

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
