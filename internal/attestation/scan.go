package attestation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object is one JSON object, cut into its members.
type object struct {
	raw     jsontext.Value // from "{" to "}"
	members []member
	rest    []byte // what follows the object
}

type member struct {
	name  string
	value jsontext.Value
}

// get returns a member's raw value, nil when there is none of that name.
func (o object) get(name string) jsontext.Value {
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// has reports whether all the names are members.
func (o object) has(names ...string) bool {
	for _, name := range names {
		if o.get(name) == nil {
			return false
		}
	}
	return true
}

// text returns a member that is a string, empty for anything else.
func (o object) text(name string) string {
	value := o.get(name)
	if value.Kind() != '"' {
		return ""
	}
	raw, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return ""
	}
	return string(raw)
}

var errNotObject = errors.New("not a JSON object")

// scanObject reads the object at the start of data in one pass: the whole of it
// is checked, and its own members are cut out.
//
// "Duplicate keys refused, invalid UTF-8 refused, nesting at most 64 deep": a
// reader that keeps the first of two equal keys and one that keeps the last
// would see two different statements under one signature. TestScanObject.
func scanObject(data []byte) (object, error) { return cutObject(data, false) }

// rescanObject cuts an object out of a document that was scanned: no key in it is there
// twice, and to look again costs the memory of all its keys.
func rescanObject(value jsontext.Value) (object, error) { return cutObject(value, true) }

func cutObject(data []byte, scanned bool) (object, error) {
	start := len(data) - len(bytes.TrimLeft(data, " \t\r\n"))
	if start == len(data) || data[start] != '{' {
		return object{}, errNotObject
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(scanned))
	var o object
	var name string
	var nameEnd int64
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return object{}, syntaxError(data, err)
		}
		depth := dec.StackDepth()
		switch {
		case depth == 0:
			end := dec.InputOffset()
			o.raw, o.rest = data[start:end], data[end:]
			return o, nil
		case depth > MaxDepth:
			return object{}, fmt.Errorf("%s: nested more than %d deep", place(data, dec.InputOffset()), MaxDepth)
		case depth > 1:
			continue
		}
		switch _, n := dec.StackIndex(1); {
		case n == 0: // the opening brace
		case n%2 == 1:
			name, nameEnd = token.String(), dec.InputOffset()
		default:
			value := bytes.TrimLeft(data[nameEnd:dec.InputOffset()], ": \t\r\n")
			o.members = append(o.members, member{name, value})
		}
	}
}

// elements cuts an array into its elements. The array was checked as a part of
// what scanObject read.
func elements(array jsontext.Value) ([]jsontext.Value, error) {
	if array.Kind() != '[' {
		return nil, fmt.Errorf("%s, expected a list", kindName(array.Kind()))
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(array), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var all []jsontext.Value
	for dec.PeekKind() != ']' {
		begin := dec.InputOffset()
		if err := dec.SkipValue(); err != nil {
			return nil, err
		}
		all = append(all, bytes.TrimLeft(array[begin:dec.InputOffset()], ", \t\r\n"))
	}
	return all, nil
}

// syntaxError says in words what jsontext found, and on which line.
func syntaxError(data []byte, err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return errors.New("the JSON ends in the middle")
	case !ok:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &duplicateKey{place(data, syntax.ByteOffset), syntax.JSONPointer.LastToken()}
	}
	return fmt.Errorf("%s: %s", place(data, syntax.ByteOffset), strings.TrimPrefix(syntax.Err.Error(), "jsontext: "))
}

// duplicateKey is a key that stands twice in one object.
type duplicateKey struct{ where, name string }

func (e *duplicateKey) Error() string { return fmt.Sprintf("%s: duplicate key %q", e.where, e.name) }

// place gives a byte offset as line and column, or as a byte where all is on
// one line.
func place(data []byte, offset int64) string {
	before := data[:min(offset, int64(len(data)))]
	if !bytes.Contains(data, []byte("\n")) {
		return fmt.Sprintf("byte %d", offset)
	}
	line := bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d column %d", line+1, column)
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case jsontext.KindInvalid, jsontext.KindEndObject, jsontext.KindEndArray:
	}
	return "nothing"
}
