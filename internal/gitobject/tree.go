package gitobject

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode is what an entry of a tree is, as git writes it.
type Mode string

// The modes that git writes, and the one of group-writable files that it wrote in
// its first months and still reads.
const (
	Folder     Mode = "40000"
	File       Mode = "100644"
	SharedFile Mode = "100664"
	Executable Mode = "100755"
	Symlink    Mode = "120000"
	Submodule  Mode = "160000"
)

// describe names a mode in a sentence.
func (m Mode) describe() string {
	switch m {
	case Folder:
		return "a folder"
	case Symlink:
		return "a symbolic link"
	case Submodule:
		return "a submodule"
	default:
		return "a file"
	}
}

// Entry is one entry of a tree.
type Entry struct {
	Mode Mode
	Name string // one path element; any bytes but a slash and a zero byte
	ID   string // in hex; names a commit of another repository where Mode is Submodule
}

// ParseTree reads a raw tree in which objects are named by size bytes, 20 or 32.
// It refuses what two readers could read differently: unknown modes, names that
// are no single path element, names that stand twice, and any order but git's.
func ParseTree(data []byte, size int) ([]Entry, error) {
	var entries []Entry
	seen := map[string]bool{}
	for len(data) > 0 {
		entry, rest, err := cutEntry(data, size)
		if err != nil {
			return nil, fmt.Errorf("reading tree: entry %d: %w", len(entries)+1, err)
		}
		if seen[entry.Name] {
			return nil, fmt.Errorf("reading tree: the name %.80q stands twice", entry.Name)
		}
		if n := len(entries); n > 0 && entry.sortKey() < entries[n-1].sortKey() {
			return nil, fmt.Errorf("reading tree: %.80q stands after %.80q, which is not git's order", entry.Name, entries[n-1].Name)
		}
		seen[entry.Name] = true
		entries, data = append(entries, entry), rest
	}
	return entries, nil
}

// cutEntry takes the first entry off: a mode, a space, a name, a zero byte and
// the bytes of an object's name.
func cutEntry(data []byte, size int) (entry Entry, rest []byte, err error) {
	label, rest, ok := bytes.Cut(data, []byte{0})
	mode, name, spaced := strings.Cut(string(label), " ")
	switch {
	case !ok || !spaced || len(rest) < size:
		return Entry{}, nil, errors.New("expected a mode, a space, a name, a zero byte and an object's name")
	case !slices.Contains([]Mode{Folder, File, SharedFile, Executable, Symlink, Submodule}, Mode(mode)):
		return Entry{}, nil, fmt.Errorf("%.20q is no mode that git writes", mode)
	case name == "" || name == "." || name == ".." || strings.Contains(name, "/") || strings.EqualFold(name, ".git"):
		return Entry{}, nil, fmt.Errorf("%.80q is no name that git allows", name)
	}
	return Entry{Mode: Mode(mode), Name: name, ID: hex.EncodeToString(rest[:size])}, rest[size:], nil
}

// sortKey is what git orders entries by: the name, as if that of a folder ended
// with a slash.
func (e Entry) sortKey() string {
	if e.Mode == Folder {
		return e.Name + "/"
	}
	return e.Name
}
