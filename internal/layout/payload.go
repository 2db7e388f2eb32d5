package layout

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Payload writes a layout as it is signed: JSON on one line, with the keys in the
// document's order, and without comments. Parameters stay as they are. One document
// gives one payload, and a payload gives itself again, so that several people can
// sign the same bytes.
//
// It is read again before it is returned: the payload is a layout without problems
// that demands the same. (TestPayload)
func Payload(name string, data []byte, now time.Time) ([]byte, []Problem) {
	if problems := Lint(name, data, now); len(problems) > 0 {
		return nil, problems
	}
	r := &reader{name: name}
	root, _ := r.document(data) // which Lint has read
	w := &payloadWriter{}
	w.value(root)
	err := w.err
	if err == nil {
		err = sameLayout(name, data, w.out, now)
	}
	if err != nil {
		return nil, inOrder(name, []verdict.Finding{{
			ID: verdict.LayoutMalformed, Where: name, Found: err.Error(), Expected: "a layout that can be written in JSON",
			Next: "write the values plainly, without characters that cannot be seen",
		}})
	}
	return w.out, nil
}

// sameLayout demands that the payload is read as the layout that it was made from.
func sameLayout(name string, data, payload []byte, now time.Time) error {
	written, findings := Parse(name, data, now)
	if len(findings) > 0 {
		return errors.New(findings[0].String())
	}
	read, findings := Parse(name, payload, now)
	if len(findings) > 0 {
		return fmt.Errorf("written in JSON it is no layout any more: %s", findings[0])
	}
	if !slices.Equal(written.Describe().Sentences(), read.Describe().Sentences()) {
		return errors.New("written in JSON it demands something else")
	}
	return nil
}

// payloadWriter writes the nodes of a document that lints clean.
type payloadWriter struct {
	out []byte
	err error
}

func (w *payloadWriter) value(node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		w.out = append(w.out, '{')
		for i := 0; i+1 < len(node.Content); i += 2 {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.text(node.Content[i].Value)
			w.out = append(w.out, ':')
			w.value(node.Content[i+1])
		}
		w.out = append(w.out, '}')
	case yaml.SequenceNode:
		w.out = append(w.out, '[')
		for i, item := range node.Content {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.value(item)
		}
		w.out = append(w.out, ']')
	default:
		w.scalar(node)
	}
}

// scalar writes what the reader takes for a number or a boolean as such, and all
// else as text, instants too.
func (w *payloadWriter) scalar(node *yaml.Node) {
	switch tag := node.ShortTag(); tag {
	case "!!str", "!!timestamp":
		w.text(node.Value)
	case "!!int":
		n, err := strconv.ParseInt(node.Value, 10, 64)
		if err != nil {
			w.fail("line %d: %s is no decimal number", node.Line, node.Value)
		}
		w.out = strconv.AppendInt(w.out, n, 10)
	case "!!bool":
		var b bool
		if err := node.Decode(&b); err != nil {
			w.fail("line %d: %s is neither true nor false", node.Line, node.Value)
		}
		w.out = strconv.AppendBool(w.out, b)
	default:
		w.fail("line %d: %s is neither text nor a whole number, true or false", node.Line, node.Value)
	}
}

func (w *payloadWriter) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// text writes a JSON string that YAML reads alike: what a reader could fold, hide or
// refuse is escaped, and nothing else is.
func (w *payloadWriter) text(s string) {
	w.out = append(w.out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.out = append(w.out, '\\', byte(r))
		case r == '\n':
			w.out = append(w.out, `\n`...)
		case r == '\t':
			w.out = append(w.out, `\t`...)
		case r > 0xffff && hidden(r):
			high, low := utf16.EncodeRune(r) // which YAML does not read, so that Payload refuses it
			w.out = fmt.Appendf(w.out, `\u%04x\u%04x`, high, low)
		case hidden(r):
			w.out = fmt.Appendf(w.out, `\u%04x`, r)
		default:
			w.out = append(w.out, string(r)...)
		}
	}
	w.out = append(w.out, '"')
}
