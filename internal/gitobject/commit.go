package gitobject

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Commit is what a commit says, as far as it is needed.
type Commit struct {
	Tree    string   // the name of its root tree
	Parents []string // the names of the commits that it follows, the first one first
}

// header is one line of an object before its message, with the lines that
// continue it.
type header struct {
	name, value string // value is that of the first line
	raw         []byte // all its lines, each with its end
	continued   bool
}

// ParseCommit reads a raw commit. It refuses one that two readers could read
// differently: "tree" stands first and once, then come any number of "parent",
// one "author", one "committer", and none of these after them.
func ParseCommit(data []byte) (Commit, error) {
	headers, _, err := splitHeaders(data)
	if err != nil {
		return Commit{}, fmt.Errorf("reading commit: %w", err)
	}
	if err := inOrder(headers); err != nil {
		return Commit{}, fmt.Errorf("reading commit: %w", err)
	}
	commit := Commit{Tree: headers[0].value}
	for _, h := range headers {
		if h.name == "parent" {
			commit.Parents = append(commit.Parents, h.value)
		}
	}
	return commit, nil
}

// splitHeaders takes the lines up to the first empty one apart, and gives what
// follows it. A line that opens with a space continues the one before it.
func splitHeaders(data []byte) (headers []header, message []byte, err error) {
	for {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		switch {
		case !ok:
			return nil, nil, errors.New("its headers do not end with an empty line")
		case len(line) == 0:
			return headers, rest, nil
		case bytes.IndexByte(line, 0) >= 0:
			return nil, nil, errors.New("a header holds a zero byte")
		}
		raw := data[:len(line)+1]
		name, value, ok := bytes.Cut(line, []byte(" "))
		switch {
		case !ok:
			return nil, nil, fmt.Errorf("the line %.40q is no header: expected a name, a space and a value", line)
		case len(name) > 0:
			headers = append(headers, header{name: string(name), value: string(value), raw: raw})
		case len(headers) == 0:
			return nil, nil, errors.New("its first line continues no header")
		default:
			last := &headers[len(headers)-1]
			last.raw, last.continued = last.raw[:len(last.raw)+len(raw)], true // they stand side by side
		}
		data = rest
	}
}

// inOrder holds the headers to the order that git writes.
func inOrder(headers []header) error {
	next := func(name string) (value string, ok bool) {
		if len(headers) == 0 || headers[0].name != name || headers[0].continued {
			return "", false
		}
		value, headers = headers[0].value, headers[1:]
		return value, true
	}
	tree, ok := next("tree")
	if !ok || !ValidID(tree) {
		return errors.New("expected the tree's name as the first header")
	}
	for parent, ok := next("parent"); ok; parent, ok = next("parent") {
		if !ValidID(parent) || len(parent) != len(tree) {
			return fmt.Errorf("parent %.80q is no object's name", parent)
		}
	}
	for _, name := range []string{"author", "committer"} {
		if _, ok := next(name); !ok {
			if len(headers) > 0 && slices.Contains([]string{"tree", "parent", "author"}, headers[0].name) && headers[0].name != name {
				return fmt.Errorf("the header %s stands twice or out of place", headers[0].name)
			}
			return fmt.Errorf("expected one %s after the parents", name)
		}
	}
	for _, h := range headers {
		if slices.Contains([]string{"tree", "parent", "author", "committer"}, h.name) {
			return fmt.Errorf("the header %s stands twice or out of place", h.name)
		}
	}
	return nil
}
