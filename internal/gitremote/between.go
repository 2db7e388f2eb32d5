package gitremote

import (
	"errors"
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Bounds of what is sent at once.
const (
	maxCommits = 1 << 17
	maxObjects = 1 << 20
)

// object is one object to send.
type object struct {
	kind gitobject.Kind
	id   string
}

// between lists the objects that a commit needs beyond another one, empty for none:
// files before the folders that they are in, and those before their commit. Both must
// be in the source, with all that they need.
func between(source gitobject.Source, id, known string) ([]object, error) {
	w := walk{source: source, seen: map[string]bool{}}
	if known != "" {
		if _, err := w.commits(known, "", cutOff); err != nil {
			return nil, err
		}
	}
	commits, err := w.commits(id, "", complete)
	if err != nil {
		return nil, err
	}
	// The oldest first, so that what a later one shares with it is listed once.
	for _, c := range slices.Backward(commits) {
		if err := w.contents(c); err != nil {
			return nil, err
		}
	}
	return w.objects, nil
}

// walk collects objects.
type walk struct {
	source  gitobject.Source
	seen    map[string]bool
	objects []object
}

// extent says whether a history may end where a shallow clone was cut off.
type extent bool

const (
	complete extent = false
	cutOff   extent = true
)

// commits lists a commit and its ancestors that were not seen yet, the nearest first,
// up to one that is looked for; empty for none.
func (w *walk) commits(id, upTo string, e extent) (found []string, err error) {
	for waiting := []string{id}; len(waiting) > 0; {
		at := waiting[0]
		waiting = waiting[1:]
		if w.seen[at] {
			continue
		}
		w.seen[at] = true
		if len(w.seen) > maxCommits {
			return nil, fmt.Errorf("more than %d commits", maxCommits)
		}
		c, err := w.commit(at)
		if e == cutOff && errors.Is(err, gitobject.ErrMissing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, at)
		if at == upTo {
			return found, nil
		}
		waiting = append(waiting, c.Parents...)
	}
	return found, nil
}

func (w *walk) commit(id string) (gitobject.Commit, error) {
	data, err := gitobject.ReadObject(w.source, gitobject.CommitKind, id, gitobject.MaxCommitBytes)
	if err != nil {
		return gitobject.Commit{}, err
	}
	return gitobject.ParseCommit(data)
}

// contents lists what a commit has and its first parent has not, and the commit.
func (w *walk) contents(id string) error {
	c, err := w.commit(id)
	if err != nil {
		return err
	}
	before := ""
	if len(c.Parents) > 0 {
		parent, err := w.commit(c.Parents[0])
		if err != nil {
			return err
		}
		before = parent.Tree
	}
	if err := w.tree(before, c.Tree); err != nil {
		return err
	}
	w.objects = append(w.objects, object{gitobject.CommitKind, id})
	return nil
}

// tree lists what one tree has and another one at its place has not.
func (w *walk) tree(before, after string) error {
	if before == after || w.seen[after] {
		return nil
	}
	w.seen[after] = true
	entries, err := gitobject.ReadTree(w.source, after)
	if err != nil {
		return err
	}
	old := map[string]gitobject.Entry{}
	if before != "" {
		had, err := gitobject.ReadTree(w.source, before)
		if err != nil {
			return err
		}
		for _, e := range had {
			old[e.Name] = e
		}
	}
	for _, e := range entries {
		was := old[e.Name]
		switch {
		case was.ID == e.ID, e.Mode == gitobject.Submodule:
		case e.Mode == gitobject.Folder:
			below := ""
			if was.Mode == gitobject.Folder {
				below = was.ID
			}
			if err := w.tree(below, e.ID); err != nil {
				return err
			}
		case !w.seen[e.ID]:
			w.seen[e.ID] = true
			w.objects = append(w.objects, object{gitobject.BlobKind, e.ID})
		}
	}
	w.objects = append(w.objects, object{gitobject.TreeKind, after})
	if len(w.objects) > maxObjects {
		return fmt.Errorf("more than %d objects", maxObjects)
	}
	return nil
}

// limit bounds an object on its way, in bytes.
func (o object) limit() int64 {
	switch o.kind {
	case gitobject.TreeKind:
		return gitobject.MaxTreeBytes
	case gitobject.CommitKind:
		return gitobject.MaxCommitBytes
	default:
		return maxBlobBytes
	}
}

// maxBlobBytes bounds a note on its way. What is no attestation may be larger.
const maxBlobBytes = 64 << 20

// Descends tells whether a commit is another one, or follows it. Where a history was
// cut off, what is not seen to follow does not. Everything follows nothing.
func Descends(source gitobject.Source, id, from string) (bool, error) {
	if id == "" || from == "" {
		return from == "", nil
	}
	w := walk{source: source, seen: map[string]bool{}}
	ancestors, err := w.commits(id, from, cutOff)
	return slices.Contains(ancestors, from), err
}
