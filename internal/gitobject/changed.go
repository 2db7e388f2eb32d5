package gitobject

import (
	"errors"
	"fmt"
	"slices"
)

// Bounds of a comparison: how many paths may differ, how many trees may be read,
// and how deep folders may lie in one another.
const (
	MaxChangedPaths = 1 << 16
	maxChangedTrees = 1 << 16
	maxFolderDepth  = 256
)

// ChangedPaths lists the paths that a commit changes against its first parent, in
// order; of a commit without parents, all of its paths. Every object on the way is
// checked against its name.
//
// A path is changed if what stands there is another object, or the same with
// another mode, on one side or only there. So a renamed file is two paths, a file
// that became a folder is itself and all that is in the folder, and a submodule is
// one path. Git's own guesses about renames have no part in it.
//
// Where the source lacks an object, as a shallow clone lacks the parent, the error
// is a [MissingError]: what a commit changes is known whole or not at all.
func ChangedPaths(source Source, commit string) ([]string, error) {
	paths, err := changedPaths(source, commit)
	if err != nil {
		return nil, fmt.Errorf("comparing commit %.12s with its first parent: %w", commit, err)
	}
	return paths, nil
}

func changedPaths(source Source, commit string) ([]string, error) {
	after, err := readCommit(source, commit)
	if err != nil {
		return nil, err
	}
	c := comparison{source: source, commit: commit}
	before := ""
	if len(after.Parents) > 0 {
		parent, err := readCommit(source, after.Parents[0])
		if err != nil {
			return nil, err
		}
		before = parent.Tree
	}
	if err := c.trees("", before, after.Tree, 0); err != nil {
		return nil, err
	}
	slices.Sort(c.paths)
	return c.paths, nil
}

// readCommit reads a commit, and not a tag of one.
func readCommit(source Source, id string) (Commit, error) {
	data, err := ReadObject(source, CommitKind, id, MaxCommitBytes)
	if errors.Is(err, ErrMissing) {
		return Commit{}, &MissingError{Commit: id, Object: id}
	}
	if err != nil {
		return Commit{}, err
	}
	parsed, err := ParseCommit(data)
	if err == nil && len(parsed.Tree) != len(id) {
		err = fmt.Errorf("the commit is named by %d digits and its tree by %d", len(id), len(parsed.Tree))
	}
	if err != nil {
		return Commit{}, fmt.Errorf("reading commit %s: %w", id, err)
	}
	return parsed, nil
}

// comparison walks two trees at once and skips what is the same.
type comparison struct {
	source Source
	commit string
	paths  []string
	read   int // trees so far
}

// trees compares two folders at prefix; an empty name is a folder that is not there.
func (c *comparison) trees(prefix, before, after string, depth int) error {
	if before == after {
		return nil
	}
	if depth > maxFolderDepth {
		return fmt.Errorf("more than %d folders in one another", maxFolderDepth)
	}
	old, err := c.entries(before)
	if err != nil {
		return err
	}
	fresh, err := c.entries(after)
	if err != nil {
		return err
	}
	for name := range old {
		if _, stays := fresh[name]; !stays {
			fresh[name] = Entry{}
		}
	}
	for name, entry := range fresh {
		if err := c.entry(prefix+name, old[name], entry, depth); err != nil {
			return err
		}
	}
	return nil
}

// entry compares what stands at one path; the zero entry is nothing.
func (c *comparison) entry(path string, before, after Entry, depth int) error {
	if before.Mode == after.Mode && before.ID == after.ID {
		return nil
	}
	folders := [2]string{}
	for i, e := range []Entry{before, after} {
		switch e.Mode {
		case "":
		case Folder:
			folders[i] = e.ID
		default:
			if err := c.add(path); err != nil {
				return err
			}
		}
	}
	return c.trees(path+"/", folders[0], folders[1], depth+1)
}

// add notes a path once: a changed file is there on both sides.
func (c *comparison) add(path string) error {
	if n := len(c.paths); n > 0 && c.paths[n-1] == path {
		return nil
	}
	if len(c.paths) == MaxChangedPaths {
		return fmt.Errorf("more than %d paths differ", MaxChangedPaths)
	}
	c.paths = append(c.paths, path)
	return nil
}

func (c *comparison) entries(tree string) (map[string]Entry, error) {
	byName := map[string]Entry{}
	if tree == "" {
		return byName, nil
	}
	if c.read++; c.read > maxChangedTrees {
		return nil, fmt.Errorf("more than %d folders differ", maxChangedTrees)
	}
	entries, err := ReadTree(c.source, tree)
	if errors.Is(err, ErrMissing) {
		return nil, &MissingError{Commit: c.commit, Object: tree}
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName, nil
}
