package trust

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()
	set, warnings, err := Load(context.Background(), Options{})
	if err != nil || warnings != nil {
		t.Fatal(warnings, err)
	}
	type shape struct {
		Name, Source           string
		CAs, TSAs, Logs, CTLog int
	}
	var got []shape
	for _, r := range set {
		m := r.Material
		got = append(got, shape{r.Name, r.Source, len(m.FulcioCertificateAuthorities()), len(m.TimestampingAuthorities()), len(m.RekorLogs()), len(m.CTLogs())})
	}
	want := []shape{
		{"sigstore", "embedded, 2026-08-21", 2, 1, 2, 2},
		{"github", "embedded, 2026-06-29", 6, 6, 0, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("embedded roots (-want +got):\n%s", diff)
	}
}

// SOURCES.md, the embedded bytes and the dates that are shown say the same.
func TestEmbeddedSources(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("embedded/SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ file, source, date, sha256 string }
	rows := map[string]row{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(line, "|")
		if len(cells) == 6 && strings.HasSuffix(strings.TrimSpace(cells[1]), ".json") {
			r := row{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4])}
			rows[r.file] = r
		}
	}
	files, err := embeddedFiles.ReadDir("embedded")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(rows) {
		t.Errorf("%d files are embedded, %d have a row", len(files), len(rows))
	}
	for _, f := range files {
		r, ok := rows[f.Name()]
		if !ok {
			t.Errorf("%s has no row", f.Name())
			continue
		}
		if got := digest(embeddedFile(f.Name())); got != r.sha256 {
			t.Errorf("%s has sha256 %s, its row says %s", f.Name(), got, r.sha256)
		}
		if !strings.Contains(r.source, "@") {
			t.Errorf("%s names no source", f.Name())
		}
	}
	for _, i := range embeddedInstances() {
		root, err := i.embedded()
		if err != nil {
			t.Fatal(err)
		}
		r := rows[i.name+".trusted_root.json"]
		if root.Source != "embedded, "+r.date || root.Date.Format(time.DateOnly) != r.date || root.SHA256 != r.sha256 {
			t.Errorf("%s is shown as %q (%s), its row says %s", i.name, root.Source, root.SHA256, r.date)
		}
	}
}

// The embedded TUF roots are where a client may start: signed by themselves,
// with consistent snapshots, and no weaker than two of several for the root.
func TestEmbeddedTUFRoots(t *testing.T) {
	t.Parallel()
	want := map[string]int64{Sigstore: 15, GitHub: 3}
	for _, i := range embeddedInstances() {
		tm, err := i.chain(nil, today())
		if err != nil {
			t.Fatal(err)
		}
		signed := tm.Root.Signed
		if signed.Version != want[i.name] || !signed.ConsistentSnapshot || signed.Roles[metadata.ROOT].Threshold < 2 || signed.Roles[metadata.TARGETS].Threshold < 2 {
			t.Errorf("%s: version %d, consistent snapshot %t", i.name, signed.Version, signed.ConsistentSnapshot)
		}
		if !strings.HasPrefix(i.mirror, "https://") {
			t.Errorf("%s: mirror %s", i.name, i.mirror)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	s := Set{{Name: "b", SHA256: "1"}, {Name: "a"}, {Name: "b", SHA256: "2"}}
	if diff := cmp.Diff([]string{"b", "a"}, s.Names()); diff != "" {
		t.Error(diff)
	}
	if got := s.Named("b"); len(got) != 2 || got[0].SHA256 != "1" || got[1].SHA256 != "2" {
		t.Errorf("Named(b) = %v", got)
	}
	if got := s.Named("c"); got != nil {
		t.Errorf("Named(c) = %v", got)
	}
	var zero Set
	if zero.Named("sigstore") != nil || zero.Names() != nil {
		t.Error("the zero Set has roots")
	}
}
