package gitrepo

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSHA256 reads a repository that names its objects by SHA-256: loose, packed,
// packed with deltas of both kinds, through alternates, and as commits.
func TestSHA256(t *testing.T) {
	t.Parallel()
	h := newHistory(t, "--object-format=sha256")
	h.holds(t, Open, h.dir)
	everyObject(t, h.dir)
	git(t, h.dir, "tag", "-a", "-m", "first", "v1", h.commits[0])
	git(t, h.dir, "repack", "-adfq", "--depth=50", "--window=50")
	git(t, h.dir, "prune-packed")
	packs, err := filepath.Glob(filepath.Join(h.dir, ".git/objects/pack/*.idx"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("%d packs, %v", len(packs), err)
	}
	if chains := git(t, h.dir, "verify-pack", "-v", "--object-format=sha256", packs[0]); !strings.Contains(chains, "chain length = 2:") {
		t.Fatalf("no delta of a delta in\n%s", chains)
	}
	h.holds(t, Open, h.dir)
	everyObject(t, h.dir)

	r, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, rev := range []string{"HEAD", "main", h.commits[3], h.commits[3][:9], strings.ToUpper(h.commits[3])} {
		if c, err := r.Commit(rev); err != nil || c.ID != h.commits[3] || len(c.Tree) != 64 {
			t.Errorf("%s: %+v, %v", rev, c, err)
		}
	}
	if c, err := r.Commit("v1"); err != nil || c.ID != h.commits[0] {
		t.Errorf("%+v, %v", c, err)
	}
	if tags, err := r.Tags([]string{h.commits[0]}); err != nil || len(tags) != 1 || tags[0].Ref != "refs/tags/v1" {
		t.Errorf("%+v, %v", tags, err)
	}
	if _, err := r.Object(strings.Repeat("a", 40), 1<<20); err == nil || !strings.Contains(err.Error(), "expected 64") {
		t.Errorf("a name of SHA-1: %v", err)
	}
	if _, err := r.Object(strings.Repeat("a", 64), 1<<20); err == nil || !strings.Contains(err.Error(), "not in the repository") {
		t.Errorf("no such object: %v", err)
	}

	borrower := realTemp(t)
	git(t, borrower, "clone", "--quiet", "--shared", h.dir, ".")
	h.holds(t, Open, borrower)
	mixed := newHistory(t)
	write(t, filepath.Join(mixed.dir, ".git/objects/info/alternates"), filepath.Join(h.dir, ".git/objects")+"\n")
	if _, err := Open(mixed.dir); err == nil || !strings.Contains(err.Error(), "by 40 digits, and by 64 in an alternate") {
		t.Errorf("two namings: %v", err)
	}
}

// everyObject reads each object of a repository as git does.
func everyObject(t *testing.T, dir string) {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(git(t, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	if len(all) < 12 {
		t.Fatalf("%d objects", len(all))
	}
	for _, id := range all {
		raw, err := r.Object(id, 1<<20)
		if err != nil || raw.Check(id) != nil {
			t.Errorf("%s: %v, %v", id, err, raw.Check(id))
			continue
		}
		if kind, err := r.kind(id); err != nil || kind != raw.Kind || string(kind) != git(t, dir, "cat-file", "-t", id) {
			t.Errorf("%s is %s, %v", id, kind, err)
		}
		if size := int64(len(raw.Data)); size > 0 {
			if _, err := r.Object(id, size-1); err == nil || !strings.Contains(err.Error(), "are read") {
				t.Errorf("%s beyond the bound: %v", id, err)
			}
		}
	}
}

// TestWriteSHA256 writes an object that git reads, and a ref that names it.
func TestWriteSHA256(t *testing.T) {
	t.Parallel()
	h := newHistory(t, "--object-format=sha256")
	r, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	id := r.put(t, "text\n")
	if len(id) != 64 || git(t, h.dir, "cat-file", "blob", id) != "text" {
		t.Errorf("git does not read %s", id)
	}
	if err := r.MoveRef(t.Context(), "refs/notes/x", "", id); err != nil || git(t, h.dir, "rev-parse", "refs/notes/x") != id {
		t.Error(err)
	}
	if err := r.WritePack(bytes.NewReader(nil)); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a pack: %v", err)
	}
}

// TestPackedDamage changes one thing in a pack or its index: what is read is what it
// was, or an error, and never something else under its name.
func TestPackedDamage(t *testing.T) {
	t.Parallel()
	h := newHistory(t, "--object-format=sha256")
	git(t, h.dir, "repack", "-adfq", "--depth=50", "--window=50")
	git(t, h.dir, "prune-packed")
	all := strings.Fields(git(t, h.dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	sure, refused := map[string][]byte{}, 0
	whole, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range all {
		raw, err := whole.Object(id, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		sure[id] = raw.Data
	}
	for _, kind := range []string{"idx", "pack"} {
		names, err := filepath.Glob(filepath.Join(h.dir, ".git/objects/pack/*."+kind))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		sound := []byte(readFile(t, names[0]))
		if err := os.Chmod(names[0], 0o600); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 1))
		for n := range 300 {
			broken := bytes.Clone(sound)
			if at := r.IntN(len(broken)); n%10 == 0 {
				broken = broken[:at]
			} else {
				broken[at] ^= byte(1 + r.IntN(255))
			}
			if err := os.WriteFile(names[0], broken, 0o600); err != nil {
				t.Fatal(err)
			}
			repository, err := Open(h.dir)
			if err != nil {
				continue
			}
			for _, id := range []string{all[r.IntN(len(all))], all[r.IntN(len(all))]} {
				raw, err := repository.Object(id, 1<<20)
				if err == nil && raw.Check(id) == nil && !bytes.Equal(raw.Data, sure[id]) {
					t.Errorf("%s is read as something else", id)
				}
				if err != nil {
					refused++
				}
			}
		}
		if err := os.WriteFile(names[0], sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.holds(t, Open, h.dir)
	if refused < 50 {
		t.Errorf("%d of 1,200 readings were refused: nothing was damaged", refused)
	}
}

// TestPatch applies deltas, each of which does one thing.
func TestPatch(t *testing.T) {
	t.Parallel()
	base := []byte("0123456789")
	delta := func(from, to int, instructions ...byte) []byte {
		return append(append(uvarint(from), uvarint(to)...), instructions...)
	}
	for name, row := range map[string]struct {
		delta      []byte
		want, says string
	}{
		"copy":                 {delta(10, 4, 0x80|0x01|0x10, 2, 4), "2345", ""},
		"insert":               {delta(10, 3, 3, 'a', 'b', 'c'), "abc", ""},
		"both":                 {delta(10, 5, 0x80|0x10, 2, 3, 'a', 'b', 'c'), "01abc", ""},
		"nothing":              {delta(10, 0), "", ""},
		"another base":         {delta(11, 0), "", "another size"},
		"beyond the base":      {delta(10, 4, 0x80|0x01|0x10, 7, 4), "", "not in its base"},
		"64 KiB, without size": {delta(10, 4, 0x80), "", "not in its base"},
		"more than it says":    {delta(10, 2, 3, 'a', 'b', 'c'), "", "more than it says"},
		"less than it says":    {delta(10, 4, 3, 'a', 'b', 'c'), "", "less than it says"},
		"instruction zero":     {delta(10, 1, 0), "", "there is not"},
		"cut off in an insert": {delta(10, 3, 3, 'a'), "", "cut off"},
		"cut off in a copy":    {delta(10, 3, 0x80|0x01|0x10, 2), "", "cut off"},
		"too large":            {delta(10, 1<<21), "", "at most"},
		"empty":                {nil, "", "another size"},
		"endless number":       {bytes.Repeat([]byte{0xff}, 20), "", "another size"},
	} {
		got, err := patch(base, row.delta, 1<<20)
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) || err == nil && string(got) != row.want {
			t.Errorf("%s: %q, %v; expected %q, %q", name, got, err, row.want, row.says)
		}
	}
}

func uvarint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func FuzzPatch(f *testing.F) {
	f.Add([]byte("0123456789"), []byte{10, 4, 0x91, 2, 4})
	f.Add([]byte("0123456789"), []byte{10, 3, 3, 'a', 'b', 'c'})
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		if got, err := patch(base, delta, 1<<16); err == nil && len(got) > 1<<16 {
			t.Errorf("%d bytes", len(got))
		}
	})
}

// TestOffsets reads the offsets that git writes.
func TestOffsets(t *testing.T) {
	t.Parallel()
	for want, written := range map[int64][]byte{0: {0}, 127: {127}, 128: {0x80, 0}, 255: {0x80, 127}, 256: {0x81, 0}, 16511: {0xff, 0x7f}, 16512: {0x80, 0x80, 0}} {
		if got, err := offsetBack(bytes.NewReader(written)); err != nil || got != want {
			t.Errorf("%x: %d, %v; expected %d", written, got, err, want)
		}
	}
	if _, err := offsetBack(bytes.NewReader(slices.Repeat([]byte{0xff}, 12))); err == nil {
		t.Error("an offset without end is read")
	}
	if _, err := offsetBack(bytes.NewReader([]byte{0x80})); err == nil {
		t.Error("an offset that is cut off is read")
	}
}
