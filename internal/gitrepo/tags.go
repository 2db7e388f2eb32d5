package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// maxTags bounds the tags that are looked at.
const maxTags = 1 << 16

// Tag is a ref that names an annotated tag.
type Tag struct {
	Ref string // refs/tags/v1.0.0
	ID  string // the tag object's name
	// Raw is the tag object. It hashes to ID.
	Raw gitobject.Raw
}

// Tags finds the annotated tags of commits, in the order of their names. What
// packed-refs says of a tag's commit is believed as far as that a tag of another
// commit is not looked at.
func (r *Repository) Tags(commits []string) ([]Tag, error) {
	found, err := r.tags(commits)
	if err != nil {
		return nil, fmt.Errorf("looking for tags: %w", err)
	}
	return found, nil
}

func (r *Repository) tags(commits []string) (found []Tag, err error) {
	if exists(filepath.Join(r.common, "reftable")) {
		return nil, errReftable
	}
	refs, err := r.packedTags()
	if err != nil {
		return nil, err
	}
	if err := r.looseTags(refs); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(refs))
	for name, at := range refs {
		if at.peeled == "" || slices.Contains(commits, at.peeled) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		raw, err := r.Object(refs[name].id, gitobject.MaxTagBytes)
		if err != nil || raw.Kind != gitobject.TagKind || raw.Check(refs[name].id) != nil {
			continue // a tag of a commit that is no object of its own, or not here, or damaged
		}
		if tag, err := gitobject.ParseTag(raw.Data); err == nil && slices.Contains(commits, tag.Object) {
			found = append(found, Tag{Ref: name, ID: refs[name].id, Raw: raw})
		}
	}
	return found, nil
}

// named is what a ref names, and what a tag there is of, where that is known.
type named struct{ id, peeled string }

// packedTags reads those of packed-refs, where "^" and an id after a tag tell which
// commit it is of.
func (r *Repository) packedTags() (map[string]named, error) {
	refs := map[string]named{}
	text, err := readBounded(filepath.Join(r.common, "packed-refs"), maxPackedRefs)
	if errors.Is(err, fs.ErrNotExist) {
		return refs, nil
	}
	if err != nil {
		return nil, err
	}
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if peeled, ok := strings.CutPrefix(line, "^"); ok && last != "" {
			refs[last] = named{refs[last].id, peeled}
			continue
		}
		id, ref, ok := strings.Cut(line, " ")
		if last = ""; ok && strings.HasPrefix(ref, "refs/tags/") && gitobject.ValidID(id) {
			last = ref
			refs[ref] = named{id: id}
		}
		if len(refs) > maxTags {
			return nil, fmt.Errorf("more than %d", maxTags)
		}
	}
	return refs, nil
}

// looseTags adds those that have files of their own, which take precedence.
func (r *Repository) looseTags(refs map[string]named) error {
	root := filepath.Join(r.common, "refs", "tags")
	if !exists(root) {
		return nil
	}
	return fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name := "refs/tags/" + path
		if !validRef(name) {
			return nil
		}
		if _, id, err := readRef(filepath.Join(root, filepath.FromSlash(path))); err == nil && id != "" {
			refs[name] = named{id: id}
		}
		if len(refs) > maxTags {
			return fmt.Errorf("more than %d", maxTags)
		}
		return nil
	})
}
