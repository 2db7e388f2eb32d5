package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

var (
	a64 = strings.Repeat("a", 64)
	b64 = strings.Repeat("b", 64)
	a40 = strings.Repeat("a", 40)
	b40 = strings.Repeat("b", 40)
)

func TestJoin(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		a, b DigestSet
		want Join
	}{
		{"equal", DigestSet{SHA256: a64}, DigestSet{SHA256: a64}, Joined},
		{"different", DigestSet{SHA256: a64}, DigestSet{SHA256: b64}, Differs},
		{"nothing and nothing", nil, nil, NotShared},
		{"empty and empty", DigestSet{}, DigestSet{}, NotShared},
		{"nothing and something", nil, DigestSet{SHA256: a64}, NotShared},
		{"no shared algorithm", DigestSet{SHA256: a64}, DigestSet{GitCommit: a40}, NotShared},
		{"one agrees, one differs", DigestSet{SHA256: a64, SHA1: a40}, DigestSet{SHA256: a64, SHA1: b40}, Differs},
		{"a colliding sha1 beside a differing sha256", DigestSet{SHA1: a40, SHA256: a64}, DigestSet{SHA1: a40, SHA256: b64}, Differs},
		{"only an algorithm that is not accepted", DigestSet{SHA1: a40}, DigestSet{SHA1: a40}, NotShared},
		{"an unknown algorithm", DigestSet{"md5": "x"}, DigestSet{"md5": "x"}, NotShared},
		{"an unknown one differs", DigestSet{"md5": "x", SHA256: a64}, DigestSet{"md5": "y", SHA256: a64}, Differs},
		{"one side knows more", DigestSet{SHA256: a64, SHA512: a64 + a64}, DigestSet{SHA256: a64}, Joined},
		{"commits", DigestSet{GitCommit: a40}, DigestSet{GitCommit: a40, GitTree: b40}, Joined},
		{"a commit and a tag never compare", DigestSet{GitCommit: a40}, DigestSet{GitTag: a40}, NotShared},
		{"trees differ", DigestSet{GitCommit: a40, GitTree: a40}, DigestSet{GitCommit: a40, GitTree: b40}, Differs},
		{"40 and 64 digits", DigestSet{GitCommit: a40}, DigestSet{GitCommit: a64}, Differs},
	} {
		if got := row.a.Join(row.b, Accepted()); got != row.want {
			t.Errorf("%s: %v, expected %v", row.name, got, row.want)
		}
		if got := row.b.Join(row.a, Accepted()); got != row.want {
			t.Errorf("%s, the other way round: %v, expected %v", row.name, got, row.want)
		}
	}
	if (DigestSet{}).Equal(DigestSet{}) || (DigestSet)(nil).Equal(nil) {
		t.Error("empty digest sets are equal")
	}
}

func TestParseDigestSet(t *testing.T) {
	t.Parallel()
	got, err := ParseDigestSet(map[string]string{"sha256": strings.ToUpper(a64), "gitCommit": a64, "dirHash": "h1:x"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DigestSet{SHA256: a64, GitCommit: a64, "dirHash": "h1:x"}, got); diff != "" {
		t.Error(diff)
	}
	many := map[string]string{}
	for i := range MaxDigests + 1 {
		many[strings.Repeat("x", i+1)] = "y"
	}
	for name, bad := range map[string]map[string]string{
		"not hex": {"sha256": strings.Repeat("g", 64)}, "short": {"sha256": a40}, "empty": {"sha256": ""},
		"commit of 41": {"gitCommit": a40 + "a"}, "no algorithm": {"": "x"}, "no value": {"md5": ""}, "too many": many,
		"odd": {"sha1": a40[:39]},
	} {
		if set, err := ParseDigestSet(bad); err == nil {
			t.Errorf("%s: %v, expected an error", name, set)
		}
	}
}

func TestParseDigest(t *testing.T) {
	t.Parallel()
	if set, err := ParseDigest("sha256:" + a64); err != nil || set[SHA256] != a64 {
		t.Errorf("%v, %v", set, err)
	}
	for _, bad := range []string{"", "sha256", "sha256:", "sha256:" + a40, "md5:" + a40, "sha1:" + a40, a64, "SHA256:" + a64, "sha256:" + a64 + " "} {
		if set, err := ParseDigest(bad); err == nil {
			t.Errorf("ParseDigest(%q) = %v, expected an error", bad, set)
		}
	}
}

func TestNewResource(t *testing.T) {
	t.Parallel()
	r, err := NewResource("", "git+https://h/o/r@refs/heads/main", map[string]string{"sha1": a40})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Resource{Name: Name{Text: "git+https://h/o/r", Ref: "refs/heads/main", Git: true}, Digest: DigestSet{GitCommit: a40}}, r); diff != "" {
		t.Errorf("sha1 on a git source is its commit: %s", diff)
	}
	for name, bad := range map[string]struct {
		uri    string
		digest map[string]string
	}{
		"sha1 and gitCommit disagree":   {"git+https://h/o/r", map[string]string{"sha1": a40, "gitCommit": b40}},
		"the id behind the @ disagrees": {"git+ssh://git@h/o/r@" + b40, map[string]string{"gitCommit": a40}},
		"the commit's URL disagrees":    {"https://h/o/r/commit/" + b40, map[string]string{"sha1": a40}},
		"a malformed digest":            {"git+https://h/o/r", map[string]string{"gitCommit": "main"}},
	} {
		if r, err := NewResource("", bad.uri, bad.digest); err == nil {
			t.Errorf("%s: %+v, expected an error", name, r)
		}
	}
	if r, err := NewResource("f", "", map[string]string{"sha1": a40}); err != nil || r.Digest[GitCommit] != "" {
		t.Errorf("sha1 of a file became a commit: %+v, %v", r, err)
	}
}

func TestSetAdd(t *testing.T) {
	t.Parallel()
	add := func(first, second DigestSet) (Set, error) {
		s := Set{}
		if err := s.Add(Resource{Name: Name{Text: "f"}, Digest: first}); err != nil {
			t.Fatal(err)
		}
		return s, s.Add(Resource{Name: Name{Text: "f"}, Digest: second, Asserted: true})
	}
	s, err := add(DigestSet{SHA256: a64}, DigestSet{SHA256: a64, SHA512: a64 + a64})
	if err != nil || len(s) != 1 || len(s["f"].Digest) != 2 || !s["f"].Asserted {
		t.Errorf("two descriptors that agree: %v, %v", s, err)
	}
	for name, pair := range map[string][2]DigestSet{
		"unequal": {{SHA256: a64}, {SHA256: b64}}, "nothing shared": {{SHA256: a64}, {SHA512: a64 + a64}},
		"both empty": {{}, {}}, "one empty": {{SHA256: a64}, {}},
	} {
		if s, err := add(pair[0], pair[1]); err == nil {
			t.Errorf("%s: %v, expected an error", name, s)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("signatus"), 400_000)
	sum := sha256.Sum256(content)
	got, err := Hash(iotest.OneByteReader(bytes.NewReader(content[:4096])), SHA256, SHA384, SHA512)
	if err != nil || len(got) != 3 || len(got[SHA384]) != 96 || len(got[SHA512]) != 128 {
		t.Errorf("%v, %v", got, err)
	}
	got, err = Hash(bytes.NewReader(content), SHA256)
	if err != nil || got[SHA256] != hex.EncodeToString(sum[:]) {
		t.Errorf("%v, %v", got, err)
	}
	broken := errors.New("broken disk")
	if got, err := Hash(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), SHA256); !errors.Is(err, broken) || got != nil {
		t.Errorf("%v, %v: a broken read must give no digest", got, err)
	}
	for _, algs := range [][]Algorithm{nil, {GitCommit}, {SHA1}, {""}} {
		if got, err := Hash(strings.NewReader("x"), algs...); err == nil {
			t.Errorf("Hash(%v) = %v, expected an error", algs, got)
		}
	}
}

func FuzzDigestSet(f *testing.F) {
	f.Add("sha256", a64, "sha1", b40)
	f.Fuzz(func(t *testing.T, alg1, value1, alg2, value2 string) {
		set, err := ParseDigestSet(map[string]string{alg1: value1, alg2: value2})
		if err != nil {
			return
		}
		if join := set.Join(set, Accepted()); join == Differs {
			t.Errorf("%v differs from itself", set)
		}
		for alg, value := range set {
			if hexLengths(alg) != nil && strings.ToLower(value) != value {
				t.Errorf("%s:%s is not normalised", alg, value)
			}
		}
	})
}
