package gitnotes

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Store is where notes are read from and new objects are written to.
type Store struct {
	Read gitobject.Source
	// Write keeps an object and gives its name. It is asked for an object before the
	// ones that name it.
	Write func(gitobject.Raw) (id string, err error)
}

// Append adds lines to the note of an object and gives the commit of the notes that
// have them; tip, where they had them already. tip is the commit of the notes so
// far, empty for none. A line is there once, and what was there stays, byte for byte
// and first.
func (s Store) Append(tip, object string, lines [][]byte, at time.Time) (string, error) {
	next, err := s.append(tip, object, lines, at)
	if err != nil {
		return "", fmt.Errorf("adding to the note of %s: %w", object, err)
	}
	return next, nil
}

func (s Store) append(tip, object string, lines [][]byte, at time.Time) (string, error) {
	if !gitobject.ValidID(object) {
		return "", errors.New("expected the name of an object, 40 or 64 lower-case hex digits")
	}
	for _, line := range lines {
		if bytes.ContainsAny(line, "\n\r") || len(bytes.TrimSpace(line)) == 0 {
			return "", errors.New("a line to add is empty, or more than one")
		}
	}
	e, err := s.edit(tip, len(object))
	if err != nil {
		return "", err
	}
	if err := e.add(object, lines); err != nil {
		return "", err
	}
	var parents []string
	if tip != "" {
		parents = []string{tip}
	}
	return e.commit(parents, "Notes added by 'signatus attest'", at)
}

// commit writes what has changed, and a commit of it.
func (e *editor) commit(parents []string, message string, at time.Time) (string, error) {
	if !e.root.changed && len(parents) == 1 {
		return parents[0], nil
	}
	tree, err := e.write(e.root)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&out, "parent %s\n", p)
	}
	// Neither git's config nor the environment is asked who this is: who signed
	// stands in the bundle.
	for _, role := range []string{"author", "committer"} {
		fmt.Fprintf(&out, "%s signatus <signatus@localhost> %d +0000\n", role, at.Unix())
	}
	fmt.Fprintf(&out, "\n%s\n", message)
	return e.store.Write(gitobject.Raw{Kind: gitobject.CommitKind, Data: out.Bytes()})
}

// unite gives first with each further line that it does not have. Blank lines are
// not missed.
func unite(first []byte, more ...[]byte) []byte {
	out := bytes.Clone(first)
	have := map[string]bool{}
	for line := range bytes.Lines(first) {
		have[string(trimmed(line))] = true
	}
	for _, text := range more {
		for line := range bytes.Lines(text) {
			line = trimmed(line)
			if len(line) == 0 || have[string(line)] {
				continue
			}
			have[string(line)] = true
			if len(out) > 0 && out[len(out)-1] != '\n' {
				out = append(out, '\n')
			}
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// trimmed is a line without its end, and nothing for a blank one.
func trimmed(line []byte) []byte {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	return bytes.TrimSuffix(line, []byte("\n"))
}
