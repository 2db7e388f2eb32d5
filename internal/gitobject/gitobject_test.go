package gitobject

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// store is a repository in memory, under whatever names a test chose.
type store map[string]Raw

// put stores an object under its true name.
func (s store) put(t testing.TB, kind Kind, data []byte) string { return s.putAs(t, kind, data, 40) }

func (s store) putAs(t testing.TB, kind Kind, data []byte, digits int) string {
	t.Helper()
	raw := Raw{Kind: kind, Data: data}
	sum, err := raw.sum(digits)
	if err != nil {
		t.Fatal(err)
	}
	id := hex.EncodeToString(sum)
	s[id] = raw
	return id
}

func (s store) source(id string, _ int64) (Raw, error) {
	raw, ok := s[id]
	if !ok {
		return Raw{}, fmt.Errorf("looking: %w", ErrMissing)
	}
	return raw, nil
}

// tree is the raw tree of some entries, in their order.
func tree(t testing.TB, entries ...Entry) []byte {
	t.Helper()
	var out []byte
	for _, e := range entries {
		id, err := hex.DecodeString(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		out = append(fmt.Appendf(out, "%s %s\x00", e.Mode, e.Name), id...)
	}
	return out
}

const (
	author    = "author A <a@example.com> 1700000000 +0000\n"
	committer = "committer A <a@example.com> 1700000000 +0000\n"
	people    = author + committer
)

func commit(tree string) []byte { return []byte("tree " + tree + "\n" + people + "\nmessage\n") }

// refused wants an error that says all of the words.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("allowed, expected an error with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

const (
	some  = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	other = "0badc0de5e8b7a604132c9f0d8e7b6a594837261"
)

func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		some: true, some + some[:24]: true,
		"": false, some[1:]: false, some + "0": false, strings.ToUpper(some): false,
		some[:39] + "g": false, some[:39] + " ": false, some[:39] + "\n": false,
		strings.Repeat("0", 40): false, strings.Repeat("0", 64): false,
	} {
		if got := ValidID(id); got != want {
			t.Errorf("ValidID(%q) is %t, expected %t", id, got, want)
		}
	}
}

// TestCheck has names that git itself gave.
func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		hello    = "ce013625030ba8dba906f756967f9e9ca394464a" // printf 'hello\n' | git hash-object --stdin
		hello256 = "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4"
		empty    = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" // the empty tree
	)
	text := []byte("hello\n")
	for _, tc := range []struct {
		id    string
		raw   Raw
		words string // of the refusal; empty where it is allowed
	}{
		{hello, Raw{BlobKind, text}, ""},
		{hello256, Raw{BlobKind, text}, ""},
		{empty, Raw{TreeKind, nil}, ""},
		{hello, Raw{BlobKind, []byte("hullo\n")}, "its bytes hash to"},
		{hello, Raw{BlobKind, nil}, "its bytes hash to"},
		{hello, Raw{BlobKind, append(slices.Clone(text), 0)}, "its bytes hash to"},
		{hello, Raw{TagKind, text}, "its bytes hash to"},
		{hello256, Raw{BlobKind, []byte("hullo\n")}, "its bytes hash to"},
		{hello256[:40], Raw{BlobKind, text}, "its bytes hash to"},
		{empty, Raw{BlobKind, nil}, "its bytes hash to"},
		{strings.ToUpper(hello), Raw{BlobKind, text}, "lower-case hex"},
		{hello[:7], Raw{BlobKind, text}, "lower-case hex"},
		{"", Raw{}, "lower-case hex"},
	} {
		err := tc.raw.Check(tc.id)
		if tc.words != "" {
			refused(t, err, tc.words)
		} else if err != nil {
			t.Errorf("%s: %v", tc.id, err)
		}
	}
}

// TestCollisionIsRefused hashes the first 320 bytes of shattered-1.pdf and
// shattered-2.pdf (https://shattered.io), which have one SHA-1.
func TestCollisionIsRefused(t *testing.T) {
	t.Parallel()
	const prefix = `
		255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033
		203020522f547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f72
		53706163652037203020522f4c656e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a7374
		7265616d0affd8fffe00245348412d3120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe01`
	for _, one := range []string{`
		7346dc9166b67e118f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3
		dc38e96ac22fe7bd728f0e45bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f0e332edf93ac3500
		eb4ddc0decc1a864790c782c76215660dd309791d06bd0af3f98cda4bc4629b1`, `
		7f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb7
		6038e972722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514
		e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1`} {
		data, err := hex.DecodeString(strings.Join(strings.Fields(prefix+one), ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sumSHA1(data); err == nil {
			t.Error("allowed, expected a collision")
		}
		if _, err := sumSHA1(data[:192], []byte("and something else")); err != nil {
			t.Errorf("half of an attack: %v", err)
		}
	}
}

func TestParseCommit(t *testing.T) {
	t.Parallel()
	const long = some + "00000000000000000000000a"
	signature := "gpgsig -----BEGIN PGP SIGNATURE-----\n \n tree " + other + "\n -----END PGP SIGNATURE-----\n"
	for _, tc := range []struct{ name, text, words string }{
		{"plain", "tree " + some + "\n" + people + "\n", ""},
		{"message", "tree " + some + "\n" + people + "\ntree " + other + "\n\nauthor x\n", ""},
		{"parents", "tree " + some + "\nparent " + some + "\nparent " + other + "\n" + people + "\nm", ""},
		{"signed", "tree " + some + "\n" + people + signature + "\nm", ""},
		{"encoding", "tree " + some + "\n" + people + "encoding ISO-8859-1\nHG:extra a:b\n\n\xe4\x00", ""},
		{"SHA-256", "tree " + long + "\nparent " + long + "\n" + people + "\nm", ""},

		{"nothing", "", "empty line"},
		{"no headers", "\nmessage", "tree's name"},
		{"no empty line", "tree " + some + "\n" + people, "empty line"},
		{"cut off", "tree " + some, "empty line"},
		{"two trees", "tree " + some + "\ntree " + other + "\n" + people + "\n", "the header tree stands twice"},
		{"two trees apart", "tree " + some + "\n" + people + "tree " + other + "\n\n", "tree stands twice"},
		{"tree second", people + "tree " + some + "\n\n", "tree's name"},
		{"parent first", "parent " + some + "\ntree " + some + "\n" + people + "\n", "tree's name"},
		{"late parent", "tree " + some + "\n" + people + "parent " + some + "\n\n", "parent stands twice or out of place"},
		{"two authors", "tree " + some + "\n" + author + people + "\n", "the header author stands twice"},
		{"late author", "tree " + some + "\n" + people + author + "\n", "author stands twice"},
		{"no author", "tree " + some + "\n" + committer + "\n", "expected one author"},
		{"no committer", "tree " + some + "\n" + author + "\n", "expected one committer"},
		{"continued tree", "tree " + some + "\n " + other + "\n" + people + "\n", "tree's name"},
		{"continues nothing", " tree\ntree " + some + "\n" + people + "\n", "continues no header"},
		{"short tree", "tree " + some[1:] + "\n" + people + "\n", "tree's name"},
		{"upper-case tree", "tree " + strings.ToUpper(some) + "\n" + people + "\n", "tree's name"},
		{"two spaces", "tree  " + some + "\n" + people + "\n", "tree's name"},
		{"carriage return", "tree " + some + "\r\n" + people + "\n", "tree's name"},
		{"no tree", "tree " + strings.Repeat("0", 40) + "\n" + people + "\n", "tree's name"},
		{"bad parent", "tree " + some + "\nparent main\n" + people + "\n", "no object's name"},
		{"mixed names", "tree " + some + "\nparent " + long + "\n" + people + "\n", "no object's name"},
		{"zero byte", "tree " + some + "\n" + people + "x a\x00b\n\n", "zero byte"},
		{"no value", "tree " + some + "\n" + people + "encoding\n\n", "no header"},
	} {
		parsed, err := ParseCommit([]byte(tc.text))
		if tc.words != "" {
			if err == nil || !strings.Contains(err.Error(), tc.words) {
				t.Errorf("%s: got %v, expected %q", tc.name, err, tc.words)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(parsed.Tree, some) {
			t.Errorf("%s: got %q, %v", tc.name, parsed.Tree, err)
		}
	}
}

func TestParseTree(t *testing.T) {
	t.Parallel()
	e := func(mode Mode, name string) Entry { return Entry{Mode: mode, Name: name, ID: some} }
	for _, tc := range []struct {
		name    string
		entries []Entry
		words   string
	}{
		{"empty", nil, ""},
		{"every mode", []Entry{e(File, "a"), e(Executable, "b"), e(Folder, "c"), e(Symlink, "d"), e(Submodule, "e"), e(SharedFile, "f")}, ""},
		{"folder after its dotted sister", []Entry{e(File, "lib.go"), e(Folder, "lib")}, ""},
		{"file before its dotted sister", []Entry{e(File, "lib"), e(File, "lib.go")}, ""},
		{"submodule sorts as a file", []Entry{e(Submodule, "lib"), e(File, "lib.go")}, ""},
		{"any bytes", []Entry{e(File, "\n"), e(File, " a b "), e(File, "\xff")}, ""},
		{"nearly .git", []Entry{e(Folder, "..."), e(File, ".gitattributes"), e(Folder, "git")}, ""},

		{"twice", []Entry{e(File, "a"), e(File, "a")}, "stands twice"},
		{"twice, apart", []Entry{e(File, "lib"), e(File, "lib.go"), e(Folder, "lib")}, "stands twice"},
		{"out of order", []Entry{e(File, "b"), e(File, "a")}, "not git's order"},
		{"folder as a file", []Entry{e(Folder, "lib"), e(File, "lib.go")}, "not git's order"},
		{"file as a folder", []Entry{e(File, "lib.go"), e(File, "lib")}, "not git's order"},
		{"padded mode", []Entry{e("040000", "a")}, "no mode"},
		{"socket", []Entry{e("140000", "a")}, "no mode"},
		{"set-uid", []Entry{e("104755", "a")}, "no mode"},
		{"no mode", []Entry{e("", "a")}, "no mode"},
		{"no name", []Entry{e(File, "")}, "no name"},
		{"dot", []Entry{e(Folder, ".")}, "no name"},
		{"dots", []Entry{e(Folder, "..")}, "no name"},
		{"slash", []Entry{e(File, "a/b")}, "no name"},
		{".git", []Entry{e(Folder, ".git")}, "no name"},
		{".GIT", []Entry{e(Folder, ".GiT")}, "no name"},
	} {
		got, err := ParseTree(tree(t, tc.entries...), 20)
		if tc.words != "" {
			if err == nil || !strings.Contains(err.Error(), tc.words) {
				t.Errorf("%s: got %v, expected %q", tc.name, err, tc.words)
			}
			continue
		}
		if err != nil || !slices.Equal(got, tc.entries) {
			t.Errorf("%s: got %v, %v", tc.name, got, err)
		}
	}
	whole := tree(t, e(File, "a"), e(File, "b"))
	for n := range whole {
		if _, err := ParseTree(whole[:n], 20); err == nil && n != 0 && n != len(whole)/2 {
			t.Errorf("the first %d of %d bytes are a tree", n, len(whole))
		}
	}
	if _, err := ParseTree(whole, 32); err == nil {
		t.Error("a tree of SHA-1 names is one of SHA-256 names")
	}
}

// project is a commit with a file, a folder, a link of each kind and a submodule.
func project(t testing.TB, s store, digits int) string {
	t.Helper()
	blob := s.putAs(t, BlobKind, []byte("who must have signed what\n"), digits)
	link := s.putAs(t, BlobKind, []byte("release.yml"), digits)
	layouts := s.putAs(t, TreeKind, tree(t,
		Entry{Symlink, "current.yml", link}, Entry{File, "release.yml", blob}, Entry{Executable, "run", blob}), digits)
	root := s.putAs(t, TreeKind, tree(t,
		Entry{File, "README", blob}, Entry{Folder, "layouts", layouts}, Entry{Symlink, "linked", link},
		Entry{SharedFile, "old", blob}, Entry{Submodule, "sub", blob}), digits)
	return s.putAs(t, CommitKind, commit(root), digits)
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	for _, digits := range []int{40, 64} {
		s := store{}
		head := project(t, s, digits)
		for _, tc := range []struct{ path, words string }{
			{"layouts/release.yml", ""},
			{"layouts/run", ""},
			{"README", ""},
			{"old", ""},
			{"layouts/current.yml", "is a symbolic link, expected a file"},
			{"linked", "is a symbolic link, expected a file"},
			{"linked/release.yml", "linked is a symbolic link, expected a folder"},
			{"sub", "is a submodule, expected a file"},
			{"sub/layout.yml", "sub is a submodule, expected a folder"},
			{"layouts", "is a folder, expected a file"},
			{"README/x", "README is a file, expected a folder"},
			{"layouts/none.yml", "layouts/none.yml: the commit has no such file"},
			{"Layouts/release.yml", "the commit has no such file"},
			{"none/release.yml", "none: the commit has no such file"},
			{"", "relative path"},
			{".", "relative path"},
			{"..", "relative path"},
			{"/README", "relative path"},
			{"layouts/../README", "relative path"},
			{"./README", "relative path"},
			{"layouts//release.yml", "relative path"},
			{"layouts/", "relative path"},
		} {
			data, err := ReadFile(s.source, head, tc.path, 1<<10)
			if tc.words != "" {
				refused(t, err, tc.words)
				if data != nil {
					t.Errorf("%s: an error and bytes", tc.path)
				}
			} else if err != nil || string(data) != "who must have signed what\n" {
				t.Errorf("%s: got %q, %v", tc.path, data, err)
			}
			if got, want := errors.Is(err, ErrNoFile), strings.Contains(tc.words, "no such file"); got != want {
				t.Errorf("%s: ErrNoFile is %t, expected %t", tc.path, got, want)
			}
		}
	}
}

// TestEveryObjectIsChecked swaps, drops and relabels each object on the way to a
// file, one at a time.
func TestEveryObjectIsChecked(t *testing.T) {
	t.Parallel()
	const path = "layouts/release.yml"
	whole := store{}
	head := project(t, whole, 40)
	var way []string
	_, err := ReadFile(func(id string, limit int64) (Raw, error) {
		way = append(way, id)
		return whole.source(id, limit)
	}, head, path, 1<<10)
	if err != nil || len(way) != 4 {
		t.Fatalf("got %v over %d objects, expected commit, tree, tree, blob", err, len(way))
	}
	evil := store{}
	for kind, data := range map[Kind][]byte{
		BlobKind: []byte("anybody\n"), TagKind: []byte("object\n"),
		CommitKind: commit(evil.put(t, TreeKind, nil)), TreeKind: tree(t, Entry{File, "release.yml", some}),
	} {
		evil.put(t, kind, data)
	}
	for i, id := range way {
		for _, swapped := range evil {
			broken := func(asked string, limit int64) (Raw, error) {
				if asked == id {
					return swapped, nil
				}
				return whole.source(asked, limit)
			}
			_, err := ReadFile(broken, head, path, 1<<10)
			refused(t, err, "hash to")
		}
		without := func(asked string, limit int64) (Raw, error) {
			if asked == id {
				return Raw{}, ErrMissing
			}
			return whole.source(asked, limit)
		}
		_, err := ReadFile(without, head, path, 1<<10)
		missing, ok := errors.AsType[*MissingError](err)
		if !ok || !errors.Is(err, ErrMissing) || missing.Object != id || missing.Next() != "git fetch --depth=1 origin "+head {
			t.Errorf("object %d: got %v, expected it to be missing", i, err)
		}
		unreadable := errors.New("the disk is on fire")
		_, err = ReadFile(func(string, int64) (Raw, error) { return Raw{}, unreadable }, head, path, 1<<10)
		if !errors.Is(err, unreadable) || errors.Is(err, ErrMissing) {
			t.Errorf("got %v, expected the source's own error", err)
		}
	}
}

// TestKindsAreHeld names objects truly, but of another kind than is needed.
func TestKindsAreHeld(t *testing.T) {
	t.Parallel()
	s := store{}
	head := project(t, s, 40)
	annotated := s.put(t, TagKind, []byte("object "+head+"\ntype commit\ntag v1\n\n"))
	blobAsTree := s.put(t, CommitKind, commit(s.put(t, BlobKind, nil)))
	treeAsBlob := s.put(t, CommitKind, commit(s.put(t, TreeKind, tree(t, Entry{File, "README", s.put(t, TreeKind, nil)}))))
	for id, words := range map[string]string{
		annotated: "is a tag, expected a commit", blobAsTree: "is a blob, expected a tree", treeAsBlob: "is a tree, expected a blob",
		"main": "lower-case hex", head[:7]: "lower-case hex", "": "lower-case hex",
	} {
		_, err := ReadFile(s.source, id, "README", 1<<10)
		refused(t, err, words)
	}
	mixed := s.put(t, CommitKind, commit(s.putAs(t, TreeKind, nil, 64)))
	_, err := ReadFile(s.source, mixed, "README", 1<<10)
	refused(t, err, "named by 40 digits and its tree by 64")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	s := store{}
	head := project(t, s, 40)
	size := int64(len("who must have signed what\n"))
	if _, err := ReadFile(s.source, head, "README", size); err != nil {
		t.Errorf("a file of as many bytes as are read: %v", err)
	}
	_, err := ReadFile(s.source, head, "README", size-1)
	refused(t, err, "more than 25 bytes")
	big := s.put(t, CommitKind, append(commit(some), bytes.Repeat([]byte("x"), MaxCommitBytes)...))
	_, err = ReadFile(s.source, big, "README", size)
	refused(t, err, "more than 4194304 bytes")
	wide := s.put(t, CommitKind, commit(s.put(t, TreeKind, make([]byte, MaxTreeBytes+1))))
	_, err = ReadFile(s.source, wide, "README", size)
	refused(t, err, "more than 16777216 bytes")
}

func FuzzParseCommit(f *testing.F) {
	f.Add(commit(some))
	f.Add([]byte("tree " + some + "\nparent " + other + "\n" + people + "gpgsig a\n b\n\nm"))
	f.Add([]byte("tree " + some + "\ntree " + other + "\n" + people + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := ParseCommit(data)
		if err != nil {
			return
		}
		if !ValidID(parsed.Tree) || !bytes.HasPrefix(data, []byte("tree "+parsed.Tree+"\n")) {
			t.Errorf("the tree is %q", parsed.Tree)
		}
		headers, _, _ := bytes.Cut(data, []byte("\n\n"))
		if n := bytes.Count(append([]byte("\n"), headers...), []byte("\ntree ")); n != 1 {
			t.Errorf("allowed with %d trees", n)
		}
	})
}

// FuzzParseTree holds that a tree which is read is the only writing of its
// entries.
func FuzzParseTree(f *testing.F) {
	f.Add(tree(f, Entry{File, "a", some}, Entry{Folder, "b", other}), false)
	f.Add(tree(f, Entry{File, "lib.go", some}, Entry{Folder, "lib", other}), false)
	f.Add([]byte("100644 a\x00"+strings.Repeat("x", 32)), true)
	f.Fuzz(func(t *testing.T, data []byte, long bool) {
		size := 20
		if long {
			size = 32
		}
		entries, err := ParseTree(data, size)
		if err != nil {
			return
		}
		if again := tree(t, entries...); !bytes.Equal(again, data) {
			t.Errorf("%q is written again as %q", data, again)
		}
	})
}
