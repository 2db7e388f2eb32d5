package gitobject

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder stores a tree of entries.
func (s store) folder(t testing.TB, entries ...Entry) string {
	t.Helper()
	data, err := EncodeTree(entries, 40)
	if err != nil {
		t.Fatal(err)
	}
	return s.put(t, TreeKind, data)
}

func (s store) commit(t testing.TB, tree string, parents ...string) string {
	t.Helper()
	headers := "tree " + tree + "\n"
	for _, p := range parents {
		headers += "parent " + p + "\n"
	}
	return s.put(t, CommitKind, []byte(headers+people+"\nmessage\n"))
}

func TestChangedPaths(t *testing.T) {
	t.Parallel()
	s := store{}
	one, two := s.put(t, BlobKind, []byte("one")), s.put(t, BlobKind, []byte("two"))
	file := func(name, id string) Entry { return Entry{Mode: File, Name: name, ID: id} }
	dir := func(name string, entries ...Entry) Entry {
		return Entry{Mode: Folder, Name: name, ID: s.folder(t, entries...)}
	}
	tree := func(entries ...Entry) []Entry { return entries }
	for name, row := range map[string]struct {
		before, after []Entry
		want          []string
	}{
		"nothing":             {tree(file("a", one)), tree(file("a", one)), nil},
		"a file":              {tree(file("a", one), file("b", one)), tree(file("a", two), file("b", one)), []string{"a"}},
		"added":               {tree(file("a", one)), tree(file("a", one), dir("d", file("x", one))), []string{"d/x"}},
		"removed":             {tree(file("a", one), dir("d", dir("e", file("x", one)))), tree(file("a", one)), []string{"d/e/x"}},
		"renamed":             {tree(file("a", one)), tree(file("b", one)), []string{"a", "b"}},
		"moved a folder":      {tree(dir("d", file("x", one), file("y", one))), tree(dir("e", file("x", one), file("y", one))), []string{"d/x", "d/y", "e/x", "e/y"}},
		"the mode":            {tree(file("a", one)), tree(Entry{Mode: Executable, Name: "a", ID: one}), []string{"a"}},
		"a link in its place": {tree(file("a", one)), tree(Entry{Mode: Symlink, Name: "a", ID: one}), []string{"a"}},
		"a submodule":         {tree(Entry{Mode: Submodule, Name: "lib", ID: some}), tree(Entry{Mode: Submodule, Name: "lib", ID: other}), []string{"lib"}},
		"a file to a folder":  {tree(file("a", one)), tree(dir("a", file("x", one))), []string{"a", "a/x"}},
		"a folder to a file":  {tree(dir("a", file("x", one))), tree(file("a", one)), []string{"a", "a/x"}},
		"deep":                {tree(dir("a", dir("b", file("c", one), file("d", one)))), tree(dir("a", dir("b", file("c", one), file("d", two)))), []string{"a/b/d"}},
		"everything gone":     {tree(file("a", one)), nil, []string{"a"}},
	} {
		parent := s.commit(t, s.folder(t, row.before...))
		got, err := ChangedPaths(s.source, s.commit(t, s.folder(t, row.after...), parent))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	root := s.commit(t, s.folder(t, file("a", one), dir("d", file("x", two))))
	if got, err := ChangedPaths(s.source, root); err != nil || !cmp.Equal(got, []string{"a", "d/x"}) {
		t.Errorf("of the first commit: %q, %v", got, err)
	}
	// A merge is compared with its first parent alone.
	side := s.commit(t, s.folder(t, file("a", two)), root)
	merge := s.commit(t, s.folder(t, file("a", two), dir("d", file("x", two))), root, side)
	if got, err := ChangedPaths(s.source, merge); err != nil || !cmp.Equal(got, []string{"a"}) {
		t.Errorf("of a merge: %q, %v", got, err)
	}
}

// TestChangedPathsRefuses breaks one thing in each row.
func TestChangedPathsRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		spoil func(s store, parent, before, after, inner string)
		words []string
		lacks bool // the error is a MissingError
	}{
		"the parent is not in the clone": {func(s store, parent, _, _, _ string) { delete(s, parent) }, []string{"not in this clone"}, true},
		"a folder is not in the clone":   {func(s store, _, _, _, inner string) { delete(s, inner) }, []string{"without its object"}, true},
		"the parent's tree is another":   {func(s store, _, before, after, _ string) { s[before] = s[after] }, []string{"hash to"}, false},
		"the parent is another": {func(s store, parent, _, _, _ string) {
			s[parent] = Raw{Kind: CommitKind, Data: []byte("tree " + some + "\n" + people + "\n")}
		}, []string{"hash to"}, false},
		"a folder is another": {func(s store, _, _, after, inner string) { s[inner] = s[after] }, []string{"hash to"}, false},
	} {
		s := store{}
		one := s.put(t, BlobKind, []byte("one"))
		inner := s.folder(t, Entry{Mode: File, Name: "x", ID: one})
		before := s.folder(t, Entry{Mode: File, Name: "a", ID: one})
		after := s.folder(t, Entry{Mode: File, Name: "a", ID: one}, Entry{Mode: Folder, Name: "d", ID: inner})
		parent := s.commit(t, before)
		commit := s.commit(t, after, parent)
		if _, err := ChangedPaths(s.source, commit); err != nil {
			t.Fatal(err)
		}
		row.spoil(s, parent, before, after, inner)
		_, err := ChangedPaths(s.source, commit)
		refused(t, err, row.words...)
		if _, missing := errors.AsType[*MissingError](err); missing != row.lacks {
			t.Errorf("%s: a missing object: %t, expected %t: %v", name, missing, row.lacks, err)
		}
	}
	s := store{}
	blob := s.put(t, BlobKind, []byte("one"))
	_, err := ChangedPaths(s.source, blob)
	refused(t, err, "is a blob")
	tag := s.put(t, TagKind, []byte("object "+some+"\ntype commit\ntag v1\ntagger A <a@example.com> 1700000000 +0000\n\nm\n"))
	_, err = ChangedPaths(s.source, tag)
	refused(t, err, "is a tag")
}

func TestChangedPathsBounds(t *testing.T) {
	t.Parallel()
	s := store{}
	one := s.put(t, BlobKind, []byte("one"))
	many := func(n int) string {
		entries := make([]Entry, n)
		for i := range entries {
			entries[i] = Entry{Mode: File, Name: fmt.Sprintf("%08d", i), ID: one}
		}
		return s.commit(t, s.folder(t, entries...))
	}
	if got, err := ChangedPaths(s.source, many(MaxChangedPaths)); err != nil || len(got) != MaxChangedPaths {
		t.Errorf("%d paths, %v", len(got), err)
	}
	_, err := ChangedPaths(s.source, many(MaxChangedPaths+1))
	refused(t, err, "more than 65536 paths")

	deep := func(n int) string {
		tree := s.folder(t, Entry{Mode: File, Name: "x", ID: one})
		for range n {
			tree = s.folder(t, Entry{Mode: Folder, Name: "d", ID: tree})
		}
		return s.commit(t, tree)
	}
	if got, err := ChangedPaths(s.source, deep(maxFolderDepth)); err != nil || len(got) != 1 || strings.Count(got[0], "/") != maxFolderDepth {
		t.Errorf("%d paths, %v", len(got), err)
	}
	_, err = ChangedPaths(s.source, deep(maxFolderDepth+1))
	refused(t, err, "more than 256 folders")

	// Small folders that hold each other many times are as many paths as they say.
	tree := s.folder(t, Entry{Mode: File, Name: "x", ID: one})
	for range 12 {
		tree = s.folder(t, Entry{Mode: Folder, Name: "a", ID: tree}, Entry{Mode: Folder, Name: "b", ID: tree}, Entry{Mode: Folder, Name: "c", ID: tree})
	}
	_, err = ChangedPaths(s.source, s.commit(t, tree))
	refused(t, err, "more than 65536")
}

func TestEncodeTreeRefuses(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string][]Entry{
		"a name twice":   {{Mode: File, Name: "a", ID: some}, {Mode: Folder, Name: "a", ID: other}},
		"a path":         {{Mode: File, Name: "a/b", ID: some}},
		"no mode":        {{Name: "a", ID: some}},
		"another length": {{Mode: File, Name: "a", ID: strings.Repeat("a", 64)}},
		"no id":          {{Mode: File, Name: "a"}},
	} {
		if _, err := EncodeTree(entries, 40); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}
