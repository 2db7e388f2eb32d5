package artifact

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asMaps has cmp compare digest sets as the maps they are: by their own Equal an
// empty set differs from itself.
func asMaps() cmp.Option {
	return cmp.Transformer("digests", func(d DigestSet) map[Algorithm]string { return d })
}

func hexOf(digit string, n int) string { return strings.Repeat(digit, n) }

func TestJoin(t *testing.T) {
	t.Parallel()
	a, b := hexOf("a", 64), hexOf("b", 64)
	for _, r := range []struct {
		name     string
		one, two DigestSet
		want     Join
	}{
		{"one shared, equal", DigestSet{SHA256: a}, DigestSet{SHA256: a}, Joined},
		{"one shared, unequal", DigestSet{SHA256: a}, DigestSet{SHA256: b}, Differs},
		{"two shared, equal", DigestSet{SHA256: a, SHA512: b}, DigestSet{SHA256: a, SHA512: b}, Joined},
		{"two shared, one unequal", DigestSet{SHA256: a, SHA512: a}, DigestSet{SHA256: a, SHA512: b}, Differs},
		{"a collision in sha1 does not win", DigestSet{SHA1: a, SHA256: a}, DigestSet{SHA1: a, SHA256: b}, Differs},
		{"sha1 that differs, though sha256 agrees", DigestSet{SHA1: a, SHA256: a}, DigestSet{SHA1: b, SHA256: a}, Differs},
		{"sha1 alone is not accepted", DigestSet{SHA1: a}, DigestSet{SHA1: a}, NotShared},
		{"an unknown algorithm alone is not accepted", DigestSet{"md5": a}, DigestSet{"md5": a}, NotShared},
		{"an unknown algorithm that differs", DigestSet{"md5": a, SHA256: a}, DigestSet{"md5": b, SHA256: a}, Differs},
		{"nothing shared", DigestSet{SHA256: a}, DigestSet{SHA512: a}, NotShared},
		{"commit and tree", DigestSet{GitCommit: a}, DigestSet{GitTree: a}, NotShared},
		{"commit and tag", DigestSet{GitCommit: a}, DigestSet{GitTag: a}, NotShared},
		{"tags are not accepted", DigestSet{GitTag: a}, DigestSet{GitTag: a}, NotShared},
		{"commits", DigestSet{GitCommit: a}, DigestSet{GitCommit: a, GitTree: b}, Joined},
		{"commits whose trees differ", DigestSet{GitCommit: a, GitTree: a}, DigestSet{GitCommit: a, GitTree: b}, Differs},
		{"a prefix", DigestSet{GitCommit: a}, DigestSet{GitCommit: a[:40]}, Differs},
		{"empty and empty", DigestSet{}, DigestSet{}, NotShared},
		{"nil and nil", nil, nil, NotShared},
		{"something and nothing", DigestSet{SHA256: a}, nil, NotShared},
		{"two empty values", DigestSet{SHA256: ""}, DigestSet{SHA256: a}, Differs},
	} {
		if got := r.one.Join(r.two, Accepted()); got != r.want {
			t.Errorf("%s: %d, expected %d", r.name, got, r.want)
		}
		if got := r.two.Join(r.one, Accepted()); got != r.want {
			t.Errorf("%s, the other way: %d, expected %d", r.name, got, r.want)
		}
		if got := r.one.Join(r.two, nil); got == Joined {
			t.Errorf("%s: joined with nothing accepted", r.name)
		}
	}
}

func TestParseDigestSet(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		raw  map[string]string
		want DigestSet // nil where it is refused
	}{
		{map[string]string{}, DigestSet{}},
		{map[string]string{"sha256": hexOf("A", 64)}, DigestSet{SHA256: hexOf("a", 64)}},
		{map[string]string{"sha384": hexOf("a", 96), "sha512": hexOf("a", 128)}, DigestSet{SHA384: hexOf("a", 96), SHA512: hexOf("a", 128)}},
		{map[string]string{"gitCommit": hexOf("a", 40), "gitTree": hexOf("a", 64)}, DigestSet{GitCommit: hexOf("a", 40), GitTree: hexOf("a", 64)}},
		{map[string]string{"md5": "Free Text"}, DigestSet{"md5": "Free Text"}},
		{map[string]string{"SHA256": "x"}, DigestSet{"SHA256": "x"}},
		{map[string]string{"sha256": hexOf("a", 63)}, nil}, {map[string]string{"sha256": hexOf("a", 65)}, nil}, {map[string]string{"sha256": hexOf("a", 40)}, nil}, {map[string]string{"sha256": ""}, nil},
		{map[string]string{"sha256": hexOf("g", 64)}, nil}, {map[string]string{"sha256": " " + hexOf("a", 63)}, nil}, {map[string]string{"sha256": "0x" + hexOf("a", 62)}, nil},
		{map[string]string{"sha384": hexOf("a", 64)}, nil}, {map[string]string{"sha512": hexOf("a", 64)}, nil}, {map[string]string{"sha1": hexOf("a", 64)}, nil},
		{map[string]string{"gitCommit": hexOf("a", 41)}, nil}, {map[string]string{"gitCommit": hexOf("a", 7)}, nil}, {map[string]string{"gitTag": "v1"}, nil}, {map[string]string{"gitBlob": ""}, nil},
		{map[string]string{"": "x"}, nil}, {map[string]string{"md5": ""}, nil},
	} {
		got, err := ParseDigestSet(r.raw)
		if diff := cmp.Diff(r.want, got, asMaps()); diff != "" || (err == nil) != (r.want != nil) {
			t.Errorf("%v gives %v (-want +got):\n%s", r.raw, err, diff)
		}
	}
	many := map[string]string{}
	for i := range MaxDigests {
		many[fmt.Sprint(i)] = "x"
	}
	if _, err := ParseDigestSet(many); err != nil {
		t.Errorf("%d digests are refused: %v", len(many), err)
	}
	many["one more"] = "x"
	if _, err := ParseDigestSet(many); err == nil {
		t.Errorf("%d digests are read", len(many))
	}
}

func TestParseDigest(t *testing.T) {
	t.Parallel()
	for _, alg := range Accepted() {
		for _, n := range hexLengths(alg) {
			text := string(alg) + ":" + hexOf("Ab", n/2)
			if set, err := ParseDigest(text); err != nil || set[alg] != hexOf("ab", n/2) || len(set) != 1 || set.String() != string(alg)+":"+hexOf("ab", n/2) {
				t.Errorf("%s gives %v (%v)", text, set, err)
			}
		}
	}
	for _, text := range []string{"", ":", "sha256", "sha256:", ":" + hexOf("a", 64), hexOf("a", 64), "SHA256:" + hexOf("a", 64), "sha1:" + hexOf("a", 40), "md5:" + hexOf("a", 32),
		"gitBlob:" + hexOf("a", 40), "sha256:" + hexOf("a", 63), "sha256: " + hexOf("a", 64), "sha256:sha256:" + hexOf("a", 64), "gitCommit:HEAD", "gitCommit:" + hexOf("a", 12)} {
		if set, err := ParseDigest(text); err == nil {
			t.Errorf("%q gives %v", text, set)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	a := DigestSet{SHA256: "1", SHA512: "2"}
	if !a.Equal(maps.Clone(a)) || a.Equal(DigestSet{SHA256: "1"}) || a.Equal(DigestSet{SHA256: "1", SHA512: "3"}) || (DigestSet{}).Equal(DigestSet{}) || DigestSet(nil).Equal(nil) {
		t.Error("equal sets are not those with the same digests, of which there is at least one")
	}
	if (DigestSet{}).String() != "no digest" || a.String() != "sha256:1, sha512:2" {
		t.Errorf("sets are written %q and %q", DigestSet{}, a)
	}
}

func FuzzDigestSet(f *testing.F) {
	f.Add("sha256", hexOf("a", 64), "sha1", hexOf("b", 40))
	f.Add("gitCommit", hexOf("A", 40), "gitTree", hexOf("b", 64))
	f.Add("md5", "x", "", "")
	f.Fuzz(func(t *testing.T, alg1, value1, alg2, value2 string) {
		one, err1 := ParseDigestSet(map[string]string{alg1: value1})
		two, err2 := ParseDigestSet(map[string]string{alg1: value1, alg2: value2})
		if err1 != nil || err2 != nil {
			return
		}
		for _, set := range []DigestSet{one, two} {
			raw := map[string]string{}
			for alg, value := range set {
				raw[string(alg)] = value
				if n := hexLengths(alg); n != nil && value != strings.ToLower(value) {
					t.Fatalf("%s of %v is not in lower case", alg, set)
				}
			}
			again, err := ParseDigestSet(raw)
			if err != nil || !maps.Equal(again, set) {
				t.Fatalf("%v is read again as %v (%v)", set, again, err)
			}
			if set.Join(DigestSet{}, Accepted()) != NotShared || set.Join(set, nil) != NotShared {
				t.Fatalf("%v joins with nothing", set)
			}
		}
		if a, b := one.Join(two, Accepted()), two.Join(one, Accepted()); a != b {
			t.Fatalf("%v and %v join in one way only: %d, %d", one, two, a, b)
		}
		if p, err := ParseDigest(alg1 + ":" + value1); err == nil && p.Join(one, Accepted()) != Joined {
			t.Fatalf("%v does not join with %v", p, one)
		}
	})
}
