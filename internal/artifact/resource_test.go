package artifact

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestNewResource(t *testing.T) {
	t.Parallel()
	other := strings.Repeat("b", 40)
	for _, r := range []struct {
		what, name, uri string
		digest          map[string]string
		want            DigestSet // nil where it is refused
	}{
		{"a file", "app", "", map[string]string{"sha256": hexOf("a", 64)}, DigestSet{SHA256: hexOf("a", 64)}},
		{"a file without digests", "app", "", nil, DigestSet{}},
		{"sha1 of a file stays sha1", "app", "", map[string]string{"sha1": sha}, DigestSet{SHA1: sha}},
		{"sha1 of a git source is the commit", "", app, map[string]string{"sha1": sha}, DigestSet{GitCommit: sha}},
		{"sha1 of a git source over http is the commit", "", "git+http://h/o/r", map[string]string{"sha1": sha}, DigestSet{GitCommit: sha}},
		{"sha1 and commit that agree", "", app, map[string]string{"sha1": sha, "gitCommit": strings.ToUpper(sha)}, DigestSet{GitCommit: sha}},
		{"sha1 and commit that disagree", "", app, map[string]string{"sha1": sha, "gitCommit": other}, nil},
		{"sha1 and a long commit", "", app, map[string]string{"sha1": sha, "gitCommit": hexOf("a", 64)}, nil},
		{"an id behind the @ that agrees", "", app + "@" + sha, map[string]string{"gitCommit": sha}, DigestSet{GitCommit: sha}},
		{"an id behind the @ that disagrees", "", app + "@" + other, map[string]string{"gitCommit": sha}, nil},
		{"an id behind the @ that disagrees with sha1", "", app + "@" + other, map[string]string{"sha1": sha}, nil},
		{"an id behind the @ alone is no digest", "", app + "@" + sha, nil, DigestSet{}},
		{"an id behind the @ beside a tree", "", app + "@" + sha, map[string]string{"gitTree": other}, DigestSet{GitTree: other}},
		{"no name", "", "", map[string]string{"sha256": hexOf("a", 64)}, nil},
		{"a digest that is none", "app", "", map[string]string{"sha256": "x"}, nil},
	} {
		got, err := NewResource(r.name, r.uri, r.digest)
		if diff := cmp.Diff(r.want, got.Digest, asMaps()); diff != "" || (err == nil) != (r.want != nil) {
			t.Errorf("%s: %v (-want +got):\n%s", r.what, err, diff)
		}
		if got.Asserted {
			t.Errorf("%s is asserted before anybody has judged it", r.what)
		}
	}
}

func TestSetAdd(t *testing.T) {
	t.Parallel()
	resource := func(name string, d DigestSet) Resource { return Resource{Name: Name{Text: name}, Digest: d} }
	for _, r := range []struct {
		name string
		add  []Resource
		want Set // nil where it is refused
	}{
		{"two names", []Resource{resource("a", DigestSet{SHA256: "1"}), resource("b", DigestSet{SHA256: "2"})},
			Set{"a": resource("a", DigestSet{SHA256: "1"}), "b": resource("b", DigestSet{SHA256: "2"})}},
		{"one name, equal digests", []Resource{resource("a", DigestSet{SHA256: "1"}), resource("a", DigestSet{SHA256: "1"})}, Set{"a": resource("a", DigestSet{SHA256: "1"})}},
		{"one name, more digests", []Resource{resource("a", DigestSet{SHA256: "1"}), resource("a", DigestSet{SHA256: "1", SHA512: "2"})}, Set{"a": resource("a", DigestSet{SHA256: "1", SHA512: "2"})}},
		{"one name, unequal digests", []Resource{resource("a", DigestSet{SHA256: "1"}), resource("a", DigestSet{SHA256: "2"})}, nil},
		{"one name, one of two unequal", []Resource{resource("a", DigestSet{SHA256: "1", SHA512: "1"}), resource("a", DigestSet{SHA256: "1", SHA512: "2"})}, nil},
		{"one name, nothing shared", []Resource{resource("a", DigestSet{SHA256: "1"}), resource("a", DigestSet{SHA512: "1"})}, nil},
		{"one name, one without digests", []Resource{resource("a", DigestSet{SHA256: "1"}), resource("a", DigestSet{})}, nil},
		{"one name, both without digests", []Resource{resource("a", DigestSet{}), resource("a", DigestSet{})}, nil},
		{"asserted once is asserted", []Resource{resource("a", DigestSet{SHA256: "1"}), {Name: Name{Text: "a"}, Digest: DigestSet{SHA256: "1"}, Asserted: true}},
			Set{"a": {Name: Name{Text: "a"}, Digest: DigestSet{SHA256: "1"}, Asserted: true}}},
	} {
		set, err := Set{}, error(nil)
		for _, a := range r.add {
			if e := set.Add(a); e != nil {
				err = e
			}
		}
		if (err == nil) != (r.want != nil) {
			t.Errorf("%s: %v", r.name, err)
		}
		if diff := cmp.Diff(r.want, set, asMaps()); err == nil && diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.name, diff)
		}
	}
	// What was merged does not reach back into what was handed.
	first := DigestSet{SHA256: "1"}
	set := Set{}
	if err := errors.Join(set.Add(resource("a", first)), set.Add(resource("a", DigestSet{SHA256: "1", SHA512: "2"}))); err != nil || len(first) != 1 {
		t.Errorf("a merge changed the first digest set: %v (%v)", first, err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, (Set{"b": {}, "a": {}}).Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	set, err := Hash(strings.NewReader("abc"), SHA256, SHA384, SHA512)
	if err != nil {
		t.Fatal(err)
	}
	want := DigestSet{
		SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		SHA384: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
		SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	}
	if diff := cmp.Diff(want, set, asMaps()); diff != "" {
		t.Errorf("digests (-want +got):\n%s", diff)
	}
	// However it is handed over, it is read to its end, once.
	content := bytes.Repeat([]byte("0123456789abcdef"), 3*blockSize/16+7)
	whole, err := Hash(bytes.NewReader(content), SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{"in halves": iotest.HalfReader(bytes.NewReader(content)), "with its last data beside EOF": iotest.DataErrReader(bytes.NewReader(content))} {
		if got, err := Hash(r, SHA256, SHA256); err != nil || !got.Equal(whole) {
			t.Errorf("%s: %v (%v), expected %v", name, got, err, whole)
		}
	}
	broken := errors.New("the disk is gone")
	if set, err := Hash(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), SHA256); !errors.Is(err, broken) || set != nil {
		t.Errorf("a broken file gives %v (%v)", set, err)
	}
	for _, algs := range [][]Algorithm{nil, {}, {SHA1}, {GitCommit}, {"md5"}, {SHA256, SHA1}, {""}} {
		if set, err := Hash(strings.NewReader("abc"), algs...); err == nil {
			t.Errorf("%q gives %v", algs, set)
		}
	}
}

func TestArtifactString(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]Artifact{
		"./app":     {Given: "./app", Name: "app", Digest: DigestSet{SHA256: "1"}},
		"sha256:1":  {Digest: DigestSet{SHA256: "1"}},
		"no digest": {},
	} {
		if got := a.String(); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}
