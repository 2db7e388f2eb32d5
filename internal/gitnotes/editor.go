package gitnotes

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// crowded is how many notes one folder has before new ones are put into folders of
// two digits below it. Git divides its own trees anew whenever it writes them.
const crowded = 256

// editor is a notes tree that is being changed. Only the folders on the way to a
// change are read, and only those are written again.
type editor struct {
	store  Store
	digits int // of an object's name, 40 or 64
	root   *folder
}

// folder is one tree of it.
type folder struct {
	id      string // its name as it was read; empty for a new one
	entries map[string]gitobject.Entry
	below   map[string]*folder // those that were opened, by name
	changed bool
}

func (s Store) edit(tip string, digits int) (*editor, error) {
	e := &editor{store: s, digits: digits, root: newFolder()}
	if tip == "" {
		return e, nil
	}
	if len(tip) != digits {
		return nil, fmt.Errorf("the notes are named by %d digits and the object by %d", len(tip), digits)
	}
	notes, err := Open(s.Read, tip)
	if err != nil {
		return nil, err
	}
	e.root.id, e.root.entries = notes.root, notes.trees[notes.root]
	return e, nil
}

func newFolder() *folder {
	return &folder{entries: map[string]gitobject.Entry{}, below: map[string]*folder{}}
}

// open gives the folder of two digits in another one, or nil.
func (e *editor) open(in *folder, name string) (*folder, error) {
	if known, ok := in.below[name]; ok {
		return known, nil
	}
	entry, ok := in.entries[name]
	if !ok || !isFan(entry) {
		return nil, nil
	}
	entries, err := readTree(e.store.Read, entry.ID)
	if err != nil {
		return nil, err
	}
	f := newFolder()
	f.id, f.entries = entry.ID, entries
	in.below[name] = f
	return f, nil
}

// place is where an object's note is, or would be.
type place struct {
	way  []*folder // from the root
	name string    // in the last folder
}

// places lists where the tree has the note of an object: git makes one, but may find
// several, and takes them all.
func (e *editor) places(object string) ([]place, error) {
	var found []place
	at := place{way: []*folder{e.root}, name: object}
	for {
		here := at.way[len(at.way)-1]
		if _, ok := here.entries[at.name]; ok {
			found = append(found, place{way: slices.Clone(at.way), name: at.name})
		}
		if len(at.name) == 2 {
			return found, nil
		}
		next, err := e.open(here, at.name[:2])
		if err != nil || next == nil {
			return found, err
		}
		at = place{way: append(at.way, next), name: at.name[2:]}
	}
}

// add unites the note of an object with lines. A note in several places becomes one.
func (e *editor) add(object string, lines [][]byte) error {
	places, err := e.places(object)
	if err != nil {
		return err
	}
	var texts [][]byte
	for _, p := range places {
		entry := p.way[len(p.way)-1].entries[p.name]
		if !isFile(entry) {
			return fmt.Errorf("its entry has mode %s, expected a file; next: git notes --ref=attestations remove %s", entry.Mode, object)
		}
		data, err := gitobject.ReadObject(e.store.Read, gitobject.BlobKind, entry.ID, MaxNoteBytes)
		if err != nil {
			return err
		}
		texts = append(texts, data)
	}
	var old []byte
	if len(texts) > 0 {
		old, texts = texts[0], texts[1:]
	}
	united := unite(old, slices.Concat(texts, lines)...)
	switch {
	case len(united) > MaxNoteBytes:
		return fmt.Errorf("it would have %d bytes, at most %d MiB are read", len(united), MaxNoteBytes>>20)
	case len(places) == 1 && bytes.Equal(united, old), len(united) == 0:
		return nil
	}
	blob, err := e.store.Write(gitobject.Raw{Kind: gitobject.BlobKind, Data: united})
	if err != nil {
		return err
	}
	for _, p := range places {
		p.remove()
	}
	if len(places) == 0 {
		p, err := e.vacant(object)
		if err != nil {
			return err
		}
		places = []place{p}
	}
	places[0].put(gitobject.Entry{Mode: gitobject.File, ID: blob})
	return nil
}

// vacant is where a new note goes: as deep as there are folders for it, and one
// deeper where it is crowded.
func (e *editor) vacant(object string) (place, error) {
	at := place{way: []*folder{e.root}, name: object}
	for len(at.name) > 2 {
		here, fan := at.way[len(at.way)-1], at.name[:2]
		next, err := e.open(here, fan)
		if err != nil {
			return place{}, err
		}
		if next == nil {
			_, taken := here.entries[fan]
			if taken || len(here.entries) < crowded {
				break
			}
			next = newFolder()
			here.below[fan] = next
		}
		at = place{way: append(at.way, next), name: at.name[2:]}
	}
	return at, nil
}

func (p place) put(entry gitobject.Entry) {
	entry.Name = p.name
	p.way[len(p.way)-1].entries[p.name] = entry
	p.touch()
}

func (p place) remove() {
	delete(p.way[len(p.way)-1].entries, p.name)
	p.touch()
}

// touch has every folder on the way written again.
func (p place) touch() {
	for _, f := range p.way {
		f.changed = true
	}
}

// write stores a folder that was changed, after those below it; one that has become
// empty is left out.
func (e *editor) write(f *folder) (string, error) {
	if !f.changed && f.id != "" {
		return f.id, nil
	}
	for _, name := range slices.Sorted(maps.Keys(f.below)) {
		below := f.below[name]
		id, err := e.write(below)
		if err != nil {
			return "", err
		}
		f.entries[name] = gitobject.Entry{Mode: gitobject.Folder, Name: name, ID: id}
		if len(below.entries) == 0 {
			delete(f.entries, name)
		}
	}
	data, err := gitobject.EncodeTree(slices.Collect(maps.Values(f.entries)), e.digits)
	if err != nil {
		return "", err
	}
	if len(data) > gitobject.MaxTreeBytes {
		return "", fmt.Errorf("a folder of the notes would have %d bytes, at most %d MiB are read; next: git notes --ref=attestations prune", len(data), gitobject.MaxTreeBytes>>20)
	}
	return e.store.Write(gitobject.Raw{Kind: gitobject.TreeKind, Data: data})
}
