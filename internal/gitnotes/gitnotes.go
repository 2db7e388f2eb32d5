// Package gitnotes reads and writes git notes that hold one attestation a line, as
// objects of git: it opens no repository, moves no ref and believes no note.
//
// Notes are a commit whose tree has, for each object that something was noted of,
// a blob whose path is that object's name. The path may be divided after every
// second digit, at any depth and differently in each part of the tree:
//
//	3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261
//	3f/2a9c1d5e8b7a604132c9f0d8e7b6a594837261
//	3f/2a/9c1d5e8b7a604132c9f0d8e7b6a594837261
//
// "Permitted pathnames have the form bf/fe/30/…/680d5a…: a sequence of directory
// names of two hexadecimal digits each followed by a filename with the rest of the
// object ID." (git-notes(1))
//
// Lines are a set: [Append] adds one to a note, [Merge] unites the notes of two
// histories, and neither ever takes a line away. That is what git's own merge
// strategy cat_sort_uniq does, which also sorts them.
package gitnotes

import (
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Ref is where attestations are kept.
const Ref = "refs/notes/attestations"

// Bounds: bytes of one note, and trees that one [Notes] remembers.
const (
	MaxNoteBytes    = 16 << 20
	maxRememberTree = 4096
)

// Notes are the notes of one commit. They must not be used from two goroutines at
// once.
type Notes struct {
	source gitobject.Source
	root   string
	trees  map[string]map[string]gitobject.Entry // by name, each by its entries' names
}

// Note is what is noted of an object at one place of the tree.
type Note struct {
	// Blob is the name of the object that holds it.
	Blob string
	Data []byte
	// Err says why there is no Data: the entry is no file, or the blob is missing,
	// damaged or too large.
	Err error
}

// Open reads the notes of a notes commit.
func Open(source gitobject.Source, commit string) (*Notes, error) {
	data, err := gitobject.ReadObject(source, gitobject.CommitKind, commit, gitobject.MaxCommitBytes)
	if err != nil {
		return nil, fmt.Errorf("opening notes: %w", err)
	}
	parsed, err := gitobject.ParseCommit(data)
	if err == nil && len(parsed.Tree) != len(commit) {
		err = fmt.Errorf("the commit is named by %d digits and its tree by %d", len(commit), len(parsed.Tree))
	}
	if err != nil {
		return nil, fmt.Errorf("opening notes: %w", err)
	}
	n := &Notes{source: source, root: parsed.Tree, trees: map[string]map[string]gitobject.Entry{}}
	if _, err := n.tree(n.root); err != nil {
		return nil, fmt.Errorf("opening notes: %w", err)
	}
	return n, nil
}

// Of gives all that is noted of an object: git writes one blob, but the tree may
// have it at every depth, and each counts. A part of the tree that cannot be read
// is an error, beside what was found above it.
func (n *Notes) Of(object string) ([]Note, error) {
	if !gitobject.ValidID(object) {
		return nil, fmt.Errorf("reading the note of %.80q: expected 40 or 64 lower-case hex digits", object)
	}
	var found []Note
	for tree, rest := n.root, object; ; rest = rest[2:] {
		entries, err := n.tree(tree)
		if err != nil {
			return found, fmt.Errorf("reading the note of %s: %w", object, err)
		}
		if e, ok := entries[rest]; ok {
			found = append(found, n.note(e))
		}
		next, ok := entries[rest[:2]]
		if !ok || next.Mode != gitobject.Folder || len(rest) == 2 {
			return found, nil
		}
		tree = next.ID
	}
}

// note reads the blob of an entry.
func (n *Notes) note(e gitobject.Entry) Note {
	if !isFile(e) {
		return Note{Blob: e.ID, Err: fmt.Errorf("its entry has mode %s, expected a file", e.Mode)}
	}
	data, err := gitobject.ReadObject(n.source, gitobject.BlobKind, e.ID, MaxNoteBytes)
	return Note{Blob: e.ID, Data: data, Err: err}
}

// tree reads a tree once.
func (n *Notes) tree(id string) (map[string]gitobject.Entry, error) {
	if known, ok := n.trees[id]; ok {
		return known, nil
	}
	byName, err := readTree(n.source, id)
	if err == nil && len(n.trees) < maxRememberTree {
		n.trees[id] = byName
	}
	return byName, err
}

func readTree(source gitobject.Source, id string) (map[string]gitobject.Entry, error) {
	entries, err := gitobject.ReadTree(source, id)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]gitobject.Entry, len(entries))
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName, nil
}

func isFile(e gitobject.Entry) bool {
	return e.Mode == gitobject.File || e.Mode == gitobject.SharedFile || e.Mode == gitobject.Executable
}

// isFan tells whether an entry divides the notes by two more digits.
func isFan(e gitobject.Entry) bool {
	return e.Mode == gitobject.Folder && len(e.Name) == 2 && isHex(e.Name)
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
