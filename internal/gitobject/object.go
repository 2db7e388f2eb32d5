package gitobject

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ReadObject gets the object of a name and believes it once it hashes to it, is of
// the kind, and has at most limit bytes. One that the source does not have is
// [ErrMissing].
func ReadObject(source Source, kind Kind, id string, limit int64) ([]byte, error) {
	if !ValidID(id) {
		return nil, fmt.Errorf("reading %s %.80q: expected 40 or 64 lower-case hex digits", kind, id)
	}
	data, err := reader{source: source, commit: id}.object(kind, id, limit)
	if errors.Is(err, ErrMissing) {
		return nil, fmt.Errorf("reading %s %s: %w", kind, id, ErrMissing)
	}
	return data, err
}

// ReadTree gets a tree as [ReadObject] does.
func ReadTree(source Source, id string) ([]Entry, error) {
	data, err := ReadObject(source, TreeKind, id, MaxTreeBytes)
	if err != nil {
		return nil, err
	}
	return ParseTree(data, len(id)/2)
}

// ID is the name of an object: the hash of its kind, its length and its bytes, in
// digits hex digits, 40 or 64.
func (r Raw) ID(digits int) (string, error) {
	sum, err := r.sum(digits)
	if err != nil {
		return "", fmt.Errorf("naming a %s: %w", r.Kind, err)
	}
	return hex.EncodeToString(sum), nil
}

// EncodeTree writes the raw tree of entries, in git's order. What [ParseTree] would
// refuse is an error.
func EncodeTree(entries []Entry, digits int) ([]byte, error) {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	var out bytes.Buffer
	for _, e := range entries {
		sum, err := hex.DecodeString(e.ID)
		if err != nil || len(e.ID) != digits {
			return nil, fmt.Errorf("writing tree: %.80q is no object's name of %d digits", e.ID, digits)
		}
		fmt.Fprintf(&out, "%s %s\x00", e.Mode, e.Name)
		out.Write(sum)
	}
	if _, err := ParseTree(out.Bytes(), digits/2); err != nil {
		return nil, fmt.Errorf("writing tree: %w", err)
	}
	return out.Bytes(), nil
}
