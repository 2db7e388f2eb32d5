package gitnotes

import (
	"bytes"
	"testing"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// FuzzTree reads and adds to a notes tree of any bytes: nothing panics, and what is
// added is there, beside what was.
func FuzzTree(f *testing.F) {
	m := memory{}
	note := m.blob(f, "line\n")
	inner := m.tree(f, file(x[2:], note))
	for _, id := range []string{
		m.tree(f), m.tree(f, file(x, note)), inner, m.tree(f, folderEntry(x[:2], inner)), m.tree(f, file("README", note), folderEntry(x[:2], inner), file(x, note)),
	} {
		f.Add(m[id].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := memory{}
		note := m.blob(t, "line\n")
		m.tree(t, file(x[2:], note))
		tip := m.commit(t, m.put(t, gitobject.TreeKind, data))
		before, err := Open(m.read, tip)
		if err != nil {
			return
		}
		was, err := before.Of(x)
		next, failed := m.store().Append(tip, x, [][]byte{[]byte("added")}, noon)
		if failed != nil {
			return // a part of it is not there, or no note
		}
		if err != nil {
			t.Fatalf("what cannot be read was added to: %v", err)
		}
		got := texts(t, m, next, x)
		if len(got) != 1 || !bytes.Contains([]byte("\n"+got[0]), []byte("\nadded\n")) {
			t.Errorf("%q after adding", got)
		}
		for _, n := range was {
			for line := range bytes.Lines(n.Data) {
				if !bytes.Contains([]byte(got[0]), bytes.TrimSpace(line)) {
					t.Errorf("%q is lost in %q", line, got)
				}
			}
		}
	})
}

// FuzzUnite unites any two texts: every line of both is there, the first as it was.
func FuzzUnite(f *testing.F) {
	f.Add([]byte("a\nb\n"), []byte("b\nc"))
	f.Add([]byte("a"), []byte("\n\n a\r\n"))
	f.Add([]byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		got := unite(first, second)
		if !bytes.HasPrefix(got, first) {
			t.Errorf("%q does not begin with %q", got, first)
		}
		have := map[string]bool{}
		for line := range bytes.Lines(got) {
			have[string(trimmed(line))] = true
		}
		for line := range bytes.Lines(second) {
			if line = trimmed(line); len(line) > 0 && !have[string(line)] {
				t.Errorf("%q is lost in %q", line, got)
			}
		}
		if again := unite(got, second); !bytes.Equal(again, got) {
			t.Errorf("a second time it is %q, not %q", again, got)
		}
	})
}
