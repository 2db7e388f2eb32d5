package gitnotes

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Merge unites two histories of notes and gives a commit that follows both: for each
// object, the lines of theirs and then those that only mine has. No line of either is
// lost, and what somebody removed on one side alone is back: lines are evidence, and
// a merge is no place to take any away. What is no note, a file of another name, is
// kept of theirs, and of mine beside it.
func (s Store) Merge(theirs, mine string, at time.Time) (string, error) {
	merged, err := s.merge(theirs, mine, at)
	if err != nil {
		return "", fmt.Errorf("merging notes %.12s into %.12s: %w", mine, theirs, err)
	}
	return merged, nil
}

func (s Store) merge(theirs, mine string, at time.Time) (string, error) {
	e, err := s.edit(theirs, len(mine))
	if err != nil {
		return "", err
	}
	other, err := Open(s.Read, mine)
	if err != nil {
		return "", err
	}
	m := &merging{editor: e, mine: other}
	if err := m.folder(place{way: []*folder{e.root}}, e.root, "", other.root); err != nil {
		return "", err
	}
	return e.commit([]string{theirs, mine}, "Notes merged by 'signatus attest'", at)
}

// maxMergedTrees bounds the folders of mine that are walked: small folders that hold
// each other many times would be without end.
const maxMergedTrees = 1 << 18

// merging walks the tree of mine.
type merging struct {
	*editor
	mine   *Notes
	walked int
}

// folder brings what a tree of mine has into theirs. prefix is the digits on the way
// to it; beside is their folder at the same place, nil for none.
func (m *merging) folder(at place, beside *folder, prefix, tree string) error {
	if beside != nil && beside.id == tree && !beside.changed {
		return nil // and so are all notes in it
	}
	if m.walked++; m.walked > maxMergedTrees {
		return fmt.Errorf("more than %d folders differ", maxMergedTrees)
	}
	entries, err := m.mine.tree(tree)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := m.entry(at, beside, prefix, entries[name]); err != nil {
			return err
		}
	}
	return nil
}

func (m *merging) entry(at place, beside *folder, prefix string, e gitobject.Entry) error {
	object := prefix + e.Name
	switch {
	case isFan(e) && len(object) < m.digits:
		var below *folder
		if beside != nil {
			var err error
			if below, err = m.open(beside, e.Name); err != nil {
				return err
			}
		}
		next := at
		if below != nil {
			next.way = append(slices.Clone(at.way), below)
		}
		return m.folder(next, below, object, e.ID)
	case len(object) == m.digits && isHex(e.Name) && isFile(e):
		if beside != nil && beside.entries[e.Name].ID == e.ID {
			return nil
		}
		data, err := gitobject.ReadObject(m.store.Read, gitobject.BlobKind, e.ID, MaxNoteBytes)
		if err != nil {
			return err
		}
		return m.add(object, [][]byte{data})
	case beside != nil && len(object) < m.digits:
		if _, theirs := beside.entries[e.Name]; !theirs {
			place{way: at.way, name: e.Name}.put(e)
		}
	}
	return nil
}
