package gitobject

import (
	"errors"
	"fmt"
	"slices"
)

// MaxTagBytes bounds an annotated tag; maxTags how many may name one another.
const (
	MaxTagBytes = 4 << 20
	maxTags     = 16
)

// Tag is what an annotated tag says, as far as it is needed.
type Tag struct {
	Object string // the name of what it tags
	Kind   Kind   // what that is
	Name   string // v1.0.0
}

// ParseTag reads a raw tag. It refuses one that two readers could read
// differently: "object", "type" and "tag" stand first, in this order and once.
func ParseTag(data []byte) (Tag, error) {
	headers, _, err := splitHeaders(data)
	if err != nil {
		return Tag{}, fmt.Errorf("reading tag: %w", err)
	}
	order := []string{"object", "type", "tag"}
	for i, h := range headers {
		if at := slices.Index(order, h.name); at != i && (at >= 0 || i < len(order)) || at >= 0 && h.continued {
			return Tag{}, fmt.Errorf("reading tag: the header %.40s is out of place, expected object, type and tag", h.name)
		}
	}
	if len(headers) < len(order) {
		return Tag{}, errors.New("reading tag: expected object, type and tag as the first headers")
	}
	t := Tag{Object: headers[0].value, Kind: Kind(headers[1].value), Name: headers[2].value}
	switch {
	case !ValidID(t.Object):
		return Tag{}, fmt.Errorf("reading tag: %.80q is no object's name", t.Object)
	case !slices.Contains([]Kind{CommitKind, TreeKind, BlobKind, TagKind}, t.Kind):
		return Tag{}, fmt.Errorf("reading tag: %.20q is no kind of object", t.Kind)
	}
	return t, nil
}

// ReadCommit reads the commit that id names, or that the tag does which id names,
// and gives the commit's own name. Every object is checked against its name, so
// the commit and its tree are what whoever knows id meant. An object that the
// source does not have is a [MissingError].
func ReadCommit(source Source, id string) (string, Commit, error) {
	var tagged Kind // what the tag before says that this is
	for range maxTags {
		raw, err := readAny(source, id)
		if err != nil {
			return "", Commit{}, err
		}
		if tagged != "" && raw.Kind != tagged {
			return "", Commit{}, fmt.Errorf("object %s is a %s, and the tag of it says a %s", id, raw.Kind, tagged)
		}
		switch raw.Kind {
		case CommitKind:
			c, err := ParseCommit(raw.Data)
			if err == nil && len(c.Tree) != len(id) {
				err = fmt.Errorf("the commit is named by %d digits and its tree by %d", len(id), len(c.Tree))
			}
			if err != nil {
				return "", Commit{}, fmt.Errorf("reading commit %s: %w", id, err)
			}
			return id, c, nil
		case TagKind:
			tag, err := ParseTag(raw.Data)
			if err == nil && len(tag.Object) != len(id) {
				err = fmt.Errorf("the tag is named by %d digits and what it tags by %d", len(id), len(tag.Object))
			}
			if err != nil {
				return "", Commit{}, fmt.Errorf("reading tag %s: %w", id, err)
			}
			id, tagged = tag.Object, tag.Kind
		default:
			return "", Commit{}, fmt.Errorf("object %s is a %s, expected a commit or a tag of one", id, raw.Kind)
		}
	}
	return "", Commit{}, fmt.Errorf("following tags to %s: more than %d", id, maxTags)
}

// readAny gets a commit or a tag and believes it once it hashes to its name.
func readAny(source Source, id string) (Raw, error) {
	const limit = max(MaxCommitBytes, MaxTagBytes)
	raw, err := source(id, limit)
	if errors.Is(err, ErrMissing) {
		return Raw{}, &MissingError{Commit: id, Object: id}
	}
	if err != nil {
		return Raw{}, fmt.Errorf("reading object %s: %w", id, err)
	}
	if len(raw.Data) > limit {
		return Raw{}, fmt.Errorf("reading object %s: more than %d bytes, which is the most that is read", id, limit)
	}
	return raw, raw.Check(id)
}
