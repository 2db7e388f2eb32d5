package gitobject

import (
	"errors"
	"strings"
	"testing"
)

func tag(object string, kind Kind) []byte {
	return []byte("object " + object + "\ntype " + string(kind) + "\ntag v1\ntagger A <a@example.com> 1700000000 +0000\n\nmessage\n")
}

func TestParseTag(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("ab", 20)
	good := string(tag(id, CommitKind))
	got, err := ParseTag([]byte(good))
	if want := (Tag{Object: id, Kind: CommitKind, Name: "v1"}); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	// The first tags of git's own history have no tagger.
	if _, err := ParseTag([]byte("object " + id + "\ntype commit\ntag v0.99\n\n")); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"empty": "", "only an object": "object " + id + "\n\n", "no empty line": "object " + id + "\ntype commit\ntag v1\n",
		"type first":    "type commit\nobject " + id + "\ntag v1\n\n",
		"another first": "x y\n" + good,
		"object twice":  strings.Replace(good, "tagger", "object "+id+"\ntagger", 1),
		"type twice":    strings.Replace(good, "tagger", "type tree\ntagger", 1),
		"tag twice":     strings.Replace(good, "tagger", "tag v2\ntagger", 1),
		"no id":         strings.Replace(good, id, "HEAD", 1), "a short id": strings.Replace(good, id, id[:39], 1), "the id of nothing": strings.Replace(good, id, strings.Repeat("0", 40), 1),
		"another kind": strings.Replace(good, "type commit", "type branch", 1), "a commit": string(commit(id)),
	} {
		if got, err := ParseTag([]byte(text)); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestReadCommit(t *testing.T) {
	t.Parallel()
	for _, digits := range []int{40, 64} {
		s := store{}
		root := s.putAs(t, TreeKind, nil, digits)
		id := s.putAs(t, CommitKind, commit(root), digits)
		named := s.putAs(t, TagKind, tag(id, CommitKind), digits)
		twice := s.putAs(t, TagKind, tag(named, TagKind), digits)
		for _, start := range []string{id, named, twice} {
			if got, c, err := ReadCommit(s.source, start); got != id || c.Tree != root || err != nil {
				t.Errorf("%s: got %s, %+v, %v", start, got, c, err)
			}
		}
		for _, changed := range []string{id, named} { // damaged, or tampered with
			broken := store{}
			for name, raw := range s {
				broken[name] = raw
			}
			broken[changed] = Raw{Kind: s[changed].Kind, Data: append([]byte{}, append(s[changed].Data, '!')...)}
			_, _, err := ReadCommit(broken.source, twice)
			refused(t, err, "hash to", changed)
			delete(broken, changed)
			_, _, err = ReadCommit(broken.source, twice)
			if missing, ok := errors.AsType[*MissingError](err); !ok || missing.Object != changed {
				t.Errorf("got %v, expected %s to be missing", err, changed)
			}
		}
		_, _, err := ReadCommit(s.source, root)
		refused(t, err, "is a tree")
		_, _, err = ReadCommit(s.source, s.putAs(t, TagKind, tag(root, TreeKind), digits))
		refused(t, err, "is a tree")
		_, _, err = ReadCommit(s.source, s.putAs(t, TagKind, tag(id, TagKind), digits))
		refused(t, err, "is a commit, and the tag of it says a tag")
		_, _, err = ReadCommit(s.source, s.putAs(t, CommitKind, commit(strings.Repeat("ab", 52-digits/2)), digits))
		refused(t, err, "digits")
		_, _, err = ReadCommit(s.source, s.putAs(t, TagKind, tag(strings.Repeat("ab", 52-digits/2), CommitKind), digits))
		refused(t, err, "digits")
		chain := id
		kind := CommitKind
		for range maxTags {
			chain, kind = s.putAs(t, TagKind, tag(chain, kind), digits), TagKind
		}
		_, _, err = ReadCommit(s.source, chain)
		refused(t, err, "more than 16")
	}
	_, _, err := ReadCommit(store{}.source, "HEAD")
	if err == nil {
		t.Error("a name that is no id is read")
	}
	large := store{}
	id := large.put(t, CommitKind, append(commit(strings.Repeat("ab", 20)), make([]byte, MaxCommitBytes)...))
	_, _, err = ReadCommit(large.source, id)
	refused(t, err, "which is the most that is read")
}

func FuzzParseTag(f *testing.F) {
	f.Add(tag(strings.Repeat("ab", 20), CommitKind))
	f.Add([]byte("object " + strings.Repeat("ab", 32) + "\ntype tag\ntag v1\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseTag(data)
		if err == nil && (!ValidID(got.Object) || !strings.HasPrefix(string(data), "object "+got.Object+"\ntype "+string(got.Kind)+"\ntag ")) {
			t.Fatalf("%q is read as %+v", data, got)
		}
	})
}
