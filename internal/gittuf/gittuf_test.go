package gittuf

import (
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// memory is a repository in memory, whose objects have names of some digits.
type memory struct {
	digits  int
	objects map[string]gitobject.Raw
}

func newMemory(digits int) *memory {
	return &memory{digits: digits, objects: map[string]gitobject.Raw{}}
}

func (m *memory) read(id string, limit int64) (gitobject.Raw, error) {
	raw, ok := m.objects[id]
	if !ok {
		return gitobject.Raw{}, gitobject.ErrMissing
	}
	if int64(len(raw.Data)) > limit {
		return gitobject.Raw{}, fmt.Errorf("%d bytes", len(raw.Data))
	}
	return raw, nil
}

func (m *memory) put(t testing.TB, kind gitobject.Kind, data []byte) string {
	t.Helper()
	raw := gitobject.Raw{Kind: kind, Data: data}
	id, err := raw.ID(m.digits)
	if err != nil {
		t.Fatal(err)
	}
	m.objects[id] = raw
	return id
}

func (m *memory) tree(t testing.TB, entries ...gitobject.Entry) string {
	t.Helper()
	data, err := gitobject.EncodeTree(entries, m.digits)
	if err != nil {
		t.Fatal(err)
	}
	return m.put(t, gitobject.TreeKind, data)
}

func (m *memory) commit(t testing.TB, tree string) string {
	t.Helper()
	who := "A <a@example.com> 1700000000 +0000\n"
	return m.put(t, gitobject.CommitKind, []byte("tree "+tree+"\nauthor "+who+"committer "+who+"\nUpdate attestations\n"))
}

// files makes a commit of files, by their paths.
func (m *memory) files(t testing.TB, texts map[string]string) string {
	t.Helper()
	return m.commit(t, m.folder(t, texts))
}

func (m *memory) folder(t testing.TB, texts map[string]string) string {
	t.Helper()
	var entries []gitobject.Entry
	within := map[string]map[string]string{}
	for path, text := range texts {
		first, rest, deeper := strings.Cut(path, "/")
		if !deeper {
			entries = append(entries, gitobject.Entry{Mode: gitobject.File, Name: first, ID: m.put(t, gitobject.BlobKind, []byte(text))})
			continue
		}
		if within[first] == nil {
			within[first] = map[string]string{}
		}
		within[first][rest] = text
	}
	for name, texts := range within {
		entries = append(entries, gitobject.Entry{Mode: gitobject.Folder, Name: name, ID: m.folder(t, texts)})
	}
	return m.tree(t, entries...)
}

// to gives what is found about targets, each path with its text or its fault.
func to(t testing.TB, m *memory, tip string, targets ...string) (map[string]string, error) {
	t.Helper()
	all, err := Open(m.read, tip)
	if err != nil {
		t.Fatal(err)
	}
	envelopes, err := all.To(targets)
	got := map[string]string{}
	for _, e := range envelopes {
		if got[e.Path] = string(e.Data); e.Err != nil {
			got[e.Path] = "fault: " + e.Err.Error()
		}
	}
	return got, err
}

func id(digits, n int) string {
	if digits == 40 {
		return fmt.Sprintf("%x", sha1.Sum(fmt.Append(nil, n)))
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, n)))
}

// TestTo chooses by paths as gittuf has them, in repositories of both namings.
func TestTo(t *testing.T) {
	t.Parallel()
	for _, digits := range []int{40, 64} {
		from, tree, other, none := id(digits, 1), id(digits, 2), id(digits, 3), strings.Repeat("0", digits)
		m := newMemory(digits)
		tip := m.files(t, map[string]string{
			"README": "no folder of gittuf's",
			"reference-authorizations/refs/heads/main/" + from + "-" + tree:                       "a branch",
			"reference-authorizations/refs/heads/a/deep/one/" + none + "-" + tree:                 "a new branch",
			"reference-authorizations/refs/tags/v1/" + none + "-" + other:                         "a tag",
			"reference-authorizations/refs/heads/main/" + tree + "-" + other:                      "from it, not to it",
			"reference-authorizations/refs/heads/main/" + tree:                                    "no change",
			"reference-authorizations/refs/heads/main/x-" + tree:                                  "from nothing",
			"reference-authorizations/refs/heads/main/" + from + "-" + tree[:digits-1]:            "a shorter name",
			"reference-authorizations/refs/heads/main/" + from + "-" + strings.ToUpper(tree):      "another case",
			"code-review-approvals/refs/heads/main/" + from + "-" + tree + "/github/YXBw":         "an approval",
			"code-review-approvals/refs/heads/main/" + from + "-" + tree + "/github/Ym90":         "another app's",
			"code-review-approvals/refs/heads/main/" + from + "-" + other + "/github/YXBw":        "of another change",
			"code-review-approvals/review-index.json":                                             "{}",
			"github-pull-requests/refs/heads/main/" + tree:                                        "a pull request",
			"elsewhere/reference-authorizations/refs/heads/main/" + from + "-" + tree:             "elsewhere",
			"reference-authorizations/refs/heads/" + from + "-" + other + "/" + from + "-" + tree: "a branch that is called like another change",
		})
		got, err := to(t, m, tip, tree)
		want := map[string]string{
			"reference-authorizations/refs/heads/main/" + from + "-" + tree:               "a branch",
			"reference-authorizations/refs/heads/a/deep/one/" + none + "-" + tree:         "a new branch",
			"code-review-approvals/refs/heads/main/" + from + "-" + tree + "/github/YXBw": "an approval",
			"code-review-approvals/refs/heads/main/" + from + "-" + tree + "/github/Ym90": "another app's",
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%d digits: %v, %s", digits, err, diff)
		}
		got, err = to(t, m, tip, other, "", "x")
		if err != nil || len(got) != 4 {
			t.Errorf("%d digits, another tree: %v, %v", digits, err, got)
		}
		if got, err = to(t, m, tip); err != nil || len(got) != 0 {
			t.Errorf("for nothing: %v, %v", err, got)
		}
	}
}

// TestOpenRefuses what is no commit of such a tree.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	m := newMemory(40)
	blob := m.put(t, gitobject.BlobKind, []byte("x"))
	tip := m.files(t, map[string]string{"reference-authorizations/x": "x"})
	tag := m.put(t, gitobject.TagKind, []byte("object "+tip+"\ntype commit\ntag v1\ntagger A <a@example.com> 1700000000 +0000\n\nm\n"))
	other := newMemory(40)
	other.objects[tip] = gitobject.Raw{Kind: gitobject.CommitKind, Data: []byte("x")}
	for name, open := range map[string]func() error{
		"a blob":         func() error { _, err := Open(m.read, blob); return err },
		"a tag":          func() error { _, err := Open(m.read, tag); return err },
		"nothing there":  func() error { _, err := Open(m.read, id(40, 1)); return err },
		"no name":        func() error { _, err := Open(m.read, "main"); return err },
		"other bytes":    func() error { _, err := Open(other.read, tip); return err },
		"without a tree": func() error { _, err := Open(m.read, m.commit(t, id(40, 1))); return err },
	} {
		if err := open(); err == nil || !strings.Contains(err.Error(), "opening gittuf's attestations") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestToFaults tells what cannot be read, and reads the rest.
func TestToFaults(t *testing.T) {
	t.Parallel()
	from, tree := id(40, 1), id(40, 2)
	change := from + "-" + tree
	m := newMemory(40)
	big := m.put(t, gitobject.BlobKind, make([]byte, MaxEnvelopeBytes+1))
	most := m.put(t, gitobject.BlobKind, make([]byte, MaxEnvelopeBytes))
	good := m.put(t, gitobject.BlobKind, []byte("good"))
	ref := func(e ...gitobject.Entry) string { return m.tree(t, e...) }
	entry := func(mode gitobject.Mode, id string) gitobject.Entry {
		return gitobject.Entry{Mode: mode, Name: change, ID: id}
	}
	folder := func(name, id string) gitobject.Entry {
		return gitobject.Entry{Mode: gitobject.Folder, Name: name, ID: id}
	}
	tip := m.commit(t, m.tree(t, folder("reference-authorizations", m.tree(t,
		folder("big", ref(entry(gitobject.File, big))), folder("good", ref(entry(gitobject.File, good))), folder("link", ref(entry(gitobject.Symlink, good))),
		folder("lost", ref(entry(gitobject.File, id(40, 9)))), folder("module", ref(entry(gitobject.Submodule, good))), folder("most", ref(entry(gitobject.Executable, most))),
		folder("no-tree", good), folder("gone", id(40, 8)),
	))))
	got, err := to(t, m, tip, tree)
	if err == nil || !strings.Contains(err.Error(), `"reference-authorizations/no-tree"`) || !strings.Contains(err.Error(), `"reference-authorizations/gone"`) {
		t.Errorf("the folders that cannot be read: %v", err)
	}
	for place, says := range map[string]string{"big": "fault: ", "good": "good", "link": "fault: its entry has mode 120000", "lost": "fault: ", "module": "fault: its entry has mode 160000", "most": "\x00"} {
		if text, ok := got["reference-authorizations/"+place+"/"+change]; !ok || !strings.HasPrefix(text, says) {
			t.Errorf("%s: %t, %.80q, expected %q", place, ok, text, says)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d envelopes", len(got))
	}
}

// TestToIsBounded holds each bound, with one that is just within it where that is quick.
func TestToIsBounded(t *testing.T) {
	t.Parallel()
	change := id(40, 1) + "-" + id(40, 2)
	many := func(t *testing.T, m *memory, n int, name func(int) string, e gitobject.Entry) string {
		t.Helper()
		entries := make([]gitobject.Entry, n)
		for i := range entries {
			entries[i] = gitobject.Entry{Mode: e.Mode, Name: name(i), ID: e.ID}
		}
		return m.tree(t, entries...)
	}
	numbered := func(i int) string { return fmt.Sprintf("%07d", i) }
	nested := func(t *testing.T, m *memory, inner string, names ...string) string {
		t.Helper()
		for _, name := range names {
			inner = m.tree(t, gitobject.Entry{Mode: gitobject.Folder, Name: name, ID: inner})
		}
		return inner
	}
	for name, c := range map[string]struct {
		folder func(*testing.T, *memory, string) string // of "reference-authorizations", with one envelope at hand
		says   string
		found  int
	}{
		"most envelopes": {func(t *testing.T, m *memory, blob string) string {
			return many(t, m, MaxEnvelopes, func(i int) string { return fmt.Sprintf("%040x-%s", i+1, id(40, 2)) }, gitobject.Entry{Mode: gitobject.File, ID: blob})
		}, "", MaxEnvelopes},
		"too many envelopes": {func(t *testing.T, m *memory, blob string) string {
			return many(t, m, MaxEnvelopes+1, func(i int) string { return fmt.Sprintf("%040x-%s", i+1, id(40, 2)) }, gitobject.Entry{Mode: gitobject.File, ID: blob})
		}, "more than 1024 envelopes", MaxEnvelopes},
		"too many folders": {func(t *testing.T, m *memory, _ string) string {
			return many(t, m, maxFolders, numbered, gitobject.Entry{Mode: gitobject.Folder, ID: m.tree(t)})
		}, "more than 16384 folders", 0},
		"too many entries": {func(t *testing.T, m *memory, blob string) string {
			wide := many(t, m, 1<<16, numbered, gitobject.Entry{Mode: gitobject.File, ID: blob})
			return many(t, m, 17, numbered, gitobject.Entry{Mode: gitobject.Folder, ID: wide})
		}, "more than 1048576 entries", 0},
		"deepest": {func(t *testing.T, m *memory, blob string) string {
			return nested(t, m, m.tree(t, gitobject.Entry{Mode: gitobject.File, Name: change, ID: blob}), strings.Split(strings.Repeat("d/", maxDepth-2)+"d", "/")...)
		}, "", 1},
		"too deep": {func(t *testing.T, m *memory, blob string) string {
			return nested(t, m, m.tree(t, gitobject.Entry{Mode: gitobject.File, Name: change, ID: blob}), strings.Split(strings.Repeat("d/", maxDepth-1)+"d", "/")...)
		}, "deeper than 64 folders", 0},
		"too long a path": {func(t *testing.T, m *memory, blob string) string {
			return nested(t, m, m.tree(t, gitobject.Entry{Mode: gitobject.File, Name: change, ID: blob}), strings.Repeat("d", maxPath))
		}, "more than 4096 bytes", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(40)
			inner := c.folder(t, m, m.put(t, gitobject.BlobKind, []byte("x")))
			got, err := to(t, m, m.commit(t, m.tree(t, gitobject.Entry{Mode: gitobject.Folder, Name: "reference-authorizations", ID: inner})), id(40, 2))
			if len(got) != c.found || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%d found, %v; expected %d and %q", len(got), err, c.found, c.says)
			}
		})
	}
}

// FuzzTo walks a folder of any bytes: nothing panics, and nothing is chosen but by a path
// that ends a change at the target.
func FuzzTo(f *testing.F) {
	m := newMemory(40)
	tip := m.files(f, map[string]string{id(40, 1) + "-" + id(40, 2): "x", "refs/heads/main/" + id(40, 1) + "-" + id(40, 2): "x"})
	for id, raw := range m.objects {
		if raw.Kind == gitobject.TreeKind && id != tip {
			f.Add(raw.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newMemory(40)
		m.files(t, map[string]string{id(40, 1) + "-" + id(40, 2): "x"})
		inner := m.put(t, gitobject.TreeKind, data)
		found, _ := to(t, m, m.commit(t, m.tree(t, gitobject.Entry{Mode: gitobject.Folder, Name: "reference-authorizations", ID: inner})), id(40, 2))
		for path := range found {
			if !strings.Contains(path+"/", "-"+id(40, 2)+"/") {
				t.Errorf("chose %q", path)
			}
		}
	})
}

// TestToTellsSomeFaults: of many parts that cannot be read, the first few are told.
func TestToTellsSomeFaults(t *testing.T) {
	t.Parallel()
	for faults, told := range map[int]int{1: 1, maxFaults: maxFaults, maxFaults + 5: maxFaults} {
		m := newMemory(40)
		var damaged []gitobject.Entry
		for i := range faults {
			damaged = append(damaged, gitobject.Entry{Mode: gitobject.Folder, Name: fmt.Sprintf("d%02d", i), ID: id(40, i+1)})
		}
		kind := gitobject.Entry{Mode: gitobject.Folder, Name: "reference-authorizations", ID: m.tree(t, damaged...)}
		a, err := Open(m.read, m.commit(t, m.tree(t, kind)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.To([]string{id(40, 9)})
		if err == nil || strings.Count(err.Error(), "reading \"reference-authorizations/d") != told {
			t.Errorf("%d faults: expected %d to be told, found\n%v", faults, told, err)
		}
	}
}
