package gitnotes

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// memory is a repository in memory.
type memory map[string]gitobject.Raw

func (m memory) read(id string, limit int64) (gitobject.Raw, error) {
	raw, ok := m[id]
	if !ok {
		return gitobject.Raw{}, gitobject.ErrMissing
	}
	if int64(len(raw.Data)) > limit {
		return gitobject.Raw{}, fmt.Errorf("%d bytes", len(raw.Data))
	}
	return raw, nil
}

func (m memory) write(raw gitobject.Raw) (string, error) {
	id, err := raw.ID(40)
	m[id] = raw
	return id, err
}

func (m memory) store() Store { return Store{Read: m.read, Write: m.write} }

func (m memory) put(t testing.TB, kind gitobject.Kind, data []byte) string {
	t.Helper()
	id, err := m.write(gitobject.Raw{Kind: kind, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (m memory) tree(t testing.TB, entries ...gitobject.Entry) string {
	t.Helper()
	data, err := gitobject.EncodeTree(entries, 40)
	if err != nil {
		t.Fatal(err)
	}
	return m.put(t, gitobject.TreeKind, data)
}

func (m memory) commit(t testing.TB, tree string) string {
	t.Helper()
	who := "A <a@example.com> 1700000000 +0000\n"
	return m.put(t, gitobject.CommitKind, []byte("tree "+tree+"\nauthor "+who+"committer "+who+"\nnotes\n"))
}

func (m memory) blob(t testing.TB, text string) string {
	return m.put(t, gitobject.BlobKind, []byte(text))
}

func file(name, blob string) gitobject.Entry {
	return gitobject.Entry{Mode: gitobject.File, Name: name, ID: blob}
}

func folderEntry(name, tree string) gitobject.Entry {
	return gitobject.Entry{Mode: gitobject.Folder, Name: name, ID: tree}
}

func object(n int) string { return fmt.Sprintf("%x", sha1.Sum(fmt.Append(nil, n))) }

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// texts are the readable notes of an object.
func texts(t testing.TB, m memory, tip, object string) (out []string) {
	t.Helper()
	notes, err := Open(m.read, tip)
	if err != nil {
		t.Fatal(err)
	}
	found, err := notes.Of(object)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range found {
		if n.Err != nil {
			t.Fatal(n.Err)
		}
		out = append(out, string(n.Data))
	}
	return out
}

const x = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"

// TestForms reads a note in every form that the tree may have.
func TestForms(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(m memory, note string) string{
		"flat":       func(m memory, note string) string { return m.tree(t, file(x, note)) },
		"one folder": func(m memory, note string) string { return m.tree(t, folderEntry(x[:2], m.tree(t, file(x[2:], note)))) },
		"every folder": func(m memory, note string) string {
			tree := m.tree(t, file(x[38:], note))
			for at := 36; at >= 0; at -= 2 {
				tree = m.tree(t, folderEntry(x[at:at+2], tree))
			}
			return tree
		},
		"beside others": func(m memory, note string) string {
			return m.tree(t, file("README", note), file(object(1), note), folderEntry("zz", m.tree(t, file("a", note))), folderEntry(x[:2], m.tree(t, file("b", note), file(x[2:], note))))
		},
		"beside a file called like its folder": func(m memory, note string) string { return m.tree(t, file(x[:2], note), file(x, note)) },
		"executable": func(m memory, note string) string {
			return m.tree(t, gitobject.Entry{Mode: gitobject.Executable, Name: x, ID: note})
		},
	} {
		m := memory{}
		tip := m.commit(t, build(m, m.blob(t, "line\n")))
		if got := texts(t, m, tip, x); !cmp.Equal(got, []string{"line\n"}) {
			t.Errorf("%s: %q", name, got)
		}
		if got := texts(t, m, tip, object(2)); got != nil {
			t.Errorf("%s: %q is noted of another object", name, got)
		}
	}
	m := memory{}
	both := m.commit(t, m.tree(t, file(x, m.blob(t, "one\n")), folderEntry(x[:2], m.tree(t, file(x[2:], m.blob(t, "two\n"))))))
	if got := texts(t, m, both, x); !cmp.Equal(got, []string{"one\n", "two\n"}) {
		t.Errorf("a note in two places: %q", got)
	}
}

// TestDamage breaks one thing in each row: the note is not read, and says why.
func TestDamage(t *testing.T) {
	t.Parallel()
	m := memory{}
	note := m.blob(t, "line\n")
	inner := m.tree(t, file(x[2:], note))
	for name, row := range map[string]struct {
		entry gitobject.Entry
		spoil func(m memory)
		says  string
	}{
		"a symbolic link":       {entry: gitobject.Entry{Mode: gitobject.Symlink, Name: x, ID: note}, says: "mode 120000"},
		"a folder":              {entry: folderEntry(x, inner), says: "mode 40000"},
		"a submodule":           {entry: gitobject.Entry{Mode: gitobject.Submodule, Name: x, ID: object(1)}, says: "mode 160000"},
		"a blob that is a tree": {entry: file(x, inner), says: "is a tree, expected a blob"},
		"a blob of other bytes": {entry: file(x, note), spoil: func(m memory) { m[note] = gitobject.Raw{Kind: gitobject.BlobKind, Data: []byte("evil\n")} }, says: "hash to"},
		"no blob":               {entry: file(x, note), spoil: func(m memory) { delete(m, note) }, says: "not in the repository"},
		"no folder":             {entry: folderEntry(x[:2], inner), spoil: func(m memory) { delete(m, inner) }, says: "not in the repository"},
		"a folder of others":    {entry: folderEntry(x[:2], inner), spoil: func(m memory) { m[inner] = gitobject.Raw{Kind: gitobject.TreeKind} }, says: "hash to"},
		"a folder that is none": {entry: folderEntry(x[:2], note), says: "is a blob, expected a tree"},
		"too large":             {entry: file(x, m.blob(t, strings.Repeat("x", MaxNoteBytes+1))), says: "bytes"},
	} {
		repository := memory{}
		for id, raw := range m {
			repository[id] = raw
		}
		tip := repository.commit(t, repository.tree(t, row.entry))
		if row.spoil != nil {
			row.spoil(repository)
		}
		notes, err := Open(repository.read, tip)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found, err := notes.Of(x)
		for _, n := range found {
			if n.Err == nil {
				t.Errorf("%s: read %q", name, n.Data)
			}
			err = n.Err
		}
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, expected %q", name, err, row.says)
		}
	}
	if got := texts(t, m, m.commit(t, m.tree(t, file(x, m.blob(t, strings.Repeat("x", MaxNoteBytes))))), x); len(got) != 1 || len(got[0]) != MaxNoteBytes {
		t.Error("a note at the bound is not read")
	}
	for name, tip := range map[string]string{"a tree": inner, "a blob": note, "nothing": object(9), "no name": "HEAD"} {
		if _, err := Open(m.read, tip); err == nil {
			t.Errorf("%s opens as notes", name)
		}
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	m := memory{}
	add := func(tip, object string, lines ...string) string {
		t.Helper()
		var all [][]byte
		for _, l := range lines {
			all = append(all, []byte(l))
		}
		next, err := m.store().Append(tip, object, all, noon)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	one := add("", x, "alice")
	two := add(one, x, "bob")
	if got := texts(t, m, two, x); !cmp.Equal(got, []string{"alice\nbob\n"}) {
		t.Errorf("%q", got)
	}
	if again := add(two, x, "alice", "bob"); again != two {
		t.Error("a line that is there makes a new commit")
	}
	if got := string(m[two].Data); !strings.Contains(got, "\nparent "+one+"\n") || !strings.Contains(got, " 1768478400 +0000\n") {
		t.Errorf("the commit says\n%s", got)
	}
	// What is no line of ours stays as it is.
	odd := m.commit(t, m.tree(t, file("README", m.blob(t, "readme")), file(x, m.blob(t, "\n garbage \r\n\nno end"))))
	if got := texts(t, m, add(odd, x, "alice"), x); !cmp.Equal(got, []string{"\n garbage \r\n\nno end\nalice\n"}) {
		t.Errorf("%q", got)
	}
	if notes, err := Open(m.read, add(odd, x, "alice")); err != nil || notes.trees[notes.root]["README"].ID == "" {
		t.Error("another file of the tree is gone")
	}
	// A note in two places becomes one, with the lines of both.
	both := m.commit(t, m.tree(t, file(x, m.blob(t, "one\ntwo\n")), folderEntry(x[:2], m.tree(t, file(x[2:], m.blob(t, "two\nthree\n"))))))
	if got := texts(t, m, add(both, x, "four"), x); !cmp.Equal(got, []string{"one\ntwo\nthree\nfour\n"}) {
		t.Errorf("%q", got)
	}
	// Where folders divide the notes, a new one goes into them.
	deep := m.commit(t, m.tree(t, folderEntry(x[:2], m.tree(t, folderEntry(x[2:4], m.tree(t, file(object(1)[4:], m.blob(t, "other\n"))))))))
	notes, err := Open(m.read, add(deep, x, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	if first, err := notes.tree(notes.root); err != nil || len(first) != 1 {
		t.Errorf("the note is beside the folder: %v, %v", first, err)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	m := memory{}
	note := m.blob(t, "line\n")
	for name, row := range map[string]struct {
		tip, object, line, says string
	}{
		"an abbreviated object": {object: x[:12], line: "a", says: "name of an object"},
		"two lines":             {object: x, line: "a\nb", says: "more than one"},
		"an empty line":         {object: x, line: " ", says: "empty"},
		"a name of SHA-256":     {tip: m.commit(t, m.tree(t)), object: strings.Repeat("ab", 32), line: "a", says: "40 digits"},
		"over a symbolic link":  {tip: m.commit(t, m.tree(t, gitobject.Entry{Mode: gitobject.Symlink, Name: x, ID: note})), object: x, line: "a", says: "mode 120000"},
		"over a lost note":      {tip: m.commit(t, m.tree(t, file(x, object(7)))), object: x, line: "a", says: "not in the repository"},
		"too much":              {object: x, line: strings.Repeat("a", MaxNoteBytes), says: "at most 16 MiB"},
		"lost notes":            {tip: object(8), object: x, line: "a", says: "not in the repository"},
	} {
		if _, err := m.store().Append(row.tip, row.object, [][]byte{[]byte(row.line)}, noon); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, expected %q", name, err, row.says)
		}
	}
	if _, err := m.store().Append("", x, [][]byte{bytes.Repeat([]byte("a"), MaxNoteBytes-1)}, noon); err != nil {
		t.Errorf("a note at the bound: %v", err)
	}
}

// TestMany appends to and reads notes of many objects: a crowded folder is divided,
// and none is lost.
func TestMany(t *testing.T) {
	t.Parallel()
	m, tip := memory{}, ""
	const all = crowded + 64
	for n := range all {
		next, err := m.store().Append(tip, object(n), [][]byte{fmt.Append(nil, "note ", n)}, noon)
		if err != nil {
			t.Fatal(err)
		}
		tip = next
	}
	notes, err := Open(m.read, tip)
	if err != nil {
		t.Fatal(err)
	}
	for n := range all {
		if got, err := notes.Of(object(n)); err != nil || len(got) != 1 || string(got[0].Data) != fmt.Sprintf("note %d\n", n) {
			t.Fatalf("note %d: %v, %v", n, got, err)
		}
	}
	root, err := notes.tree(notes.root)
	if err != nil {
		t.Fatal(err)
	}
	divided := 0
	for _, e := range root {
		if isFan(e) {
			divided++
		}
	}
	if len(root) != crowded+divided || divided < 32 {
		t.Errorf("%d entries in one folder, %d of them folders", len(root), divided)
	}
}

// TestHundredThousand measures nothing but is done in no time: a note is found by
// its name, in a flat tree too.
func TestHundredThousand(t *testing.T) {
	t.Parallel()
	m := memory{}
	note := m.blob(t, "line\n")
	entries := make([]gitobject.Entry, 100_000)
	for n := range entries {
		entries[n] = file(object(n), note)
	}
	tip := m.commit(t, m.tree(t, entries...))
	notes, err := Open(m.read, tip)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 10_000 {
		if found, err := notes.Of(object(n)); err != nil || len(found) != 1 {
			t.Fatalf("%d notes, %v", len(found), err)
		}
	}
	if next, err := m.store().Append(tip, x, [][]byte{[]byte("alice")}, noon); err != nil || len(texts(t, m, next, x)) != 1 {
		t.Errorf("appending: %v", err)
	}
}

// lines are all lines of all notes, by object.
type lines map[string][]string

func (l lines) add(object, line string) {
	if !slices.Contains(l[object], line) {
		l[object] = append(l[object], line)
	}
}

// TestMergeLosesNothing merges random histories in random forms: whatever either
// side has, the merge has, once.
func TestMergeLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := memory{}
		base, know := m.random(t, r, "", lines{})
		theirs, theirLines := m.random(t, r, base, know)
		mine, myLines := m.random(t, r, base, know)
		if r.IntN(4) == 0 { // histories that have nothing in common
			mine, myLines = m.random(t, r, "", lines{})
		}
		if mine == "" || theirs == "" {
			continue
		}
		merged, err := m.store().Merge(theirs, mine, noon)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, side := range []lines{theirLines, myLines} {
			for object, want := range side {
				got := strings.Split(strings.Join(texts(t, m, merged, object), ""), "\n")
				for _, line := range want {
					if n := count(got, line); n != 1 {
						t.Errorf("seed %d: %s has the line %q %d times", seed, object, line, n)
					}
				}
			}
		}
		again, err := m.store().Merge(merged, mine, noon)
		if err != nil || tree(m, again) != tree(m, merged) {
			t.Errorf("seed %d: merging again changes the notes: %v", seed, err)
		}
	}
}

func count(all []string, line string) (n int) {
	for _, l := range all {
		if l == line {
			n++
		}
	}
	return n
}

func tree(m memory, commit string) string { return strings.SplitN(string(m[commit].Data), "\n", 2)[0] }

// random appends to notes, and sometimes divides the tree as git would.
func (m memory) random(t *testing.T, r *rand.Rand, tip string, known lines) (string, lines) {
	t.Helper()
	all := lines{}
	for object, text := range known {
		all[object] = slices.Clone(text)
	}
	for range r.IntN(8) {
		o, line := object(r.IntN(6)), fmt.Sprintf("line %d", r.IntN(9))
		next, err := m.store().Append(tip, o, [][]byte{[]byte(line)}, noon)
		if err != nil {
			t.Fatal(err)
		}
		all.add(o, line)
		tip = next
	}
	if tip != "" && r.IntN(2) == 0 {
		tip = m.divided(t, all, r.IntN(3))
	}
	return tip, all
}

// divided writes notes with folders of a depth.
func (m memory) divided(t *testing.T, all lines, depth int) string {
	var build func(objects []string, prefix, depth int) string
	build = func(objects []string, prefix, depth int) string {
		var entries []gitobject.Entry
		fans := map[string][]string{}
		for _, o := range objects {
			if depth > 0 {
				fans[o[prefix:prefix+2]] = append(fans[o[prefix:prefix+2]], o)
				continue
			}
			entries = append(entries, file(o[prefix:], m.blob(t, strings.Join(all[o], "\n")+"\n")))
		}
		for name, in := range fans {
			entries = append(entries, folderEntry(name, build(in, prefix+2, depth-1)))
		}
		return m.tree(t, entries...)
	}
	var objects []string
	for o := range all {
		objects = append(objects, o)
	}
	return m.commit(t, build(objects, 0, depth))
}

func TestMergeKeepsOtherFiles(t *testing.T) {
	t.Parallel()
	m := memory{}
	a, b := m.blob(t, "a\n"), m.blob(t, "b\n")
	theirs := m.commit(t, m.tree(t, file("README", a), file(x, a)))
	mine := m.commit(t, m.tree(t, file("README", b), file("LICENSE", b), file(x, b)))
	merged, err := m.store().Merge(theirs, mine, noon)
	if err != nil {
		t.Fatal(err)
	}
	notes, err := Open(m.read, merged)
	if err != nil {
		t.Fatal(err)
	}
	root := notes.trees[notes.root]
	if root["README"].ID != a || root["LICENSE"].ID != b || !cmp.Equal(texts(t, m, merged, x), []string{"a\nb\n"}) {
		t.Errorf("%+v", root)
	}
	if said := string(m[merged].Data); !strings.Contains(said, "parent "+theirs+"\nparent "+mine+"\n") {
		t.Errorf("the commit says\n%s", said)
	}
}

// TestMergeEndless refuses folders that hold each other without end.
func TestMergeEndless(t *testing.T) {
	t.Parallel()
	m := memory{}
	tree := m.tree(t, file("x", m.blob(t, "x")))
	for range 18 {
		var entries []gitobject.Entry
		for n := range 16 {
			entries = append(entries, folderEntry(fmt.Sprintf("%02x", n), tree))
		}
		tree = m.tree(t, entries...)
	}
	if _, err := m.store().Merge(m.commit(t, m.tree(t)), m.commit(t, tree), noon); err == nil || !strings.Contains(err.Error(), "more than 262144 folders") {
		t.Errorf("%v", err)
	}
}
