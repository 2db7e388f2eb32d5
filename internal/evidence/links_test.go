package evidence

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

func linkFile() *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(`{"signed": {"_type": "link"}, "signatures": []}`)}
}

// namesIn lists a folder's files, those of sublayouts behind their folders.
func namesIn(folder *attestation.LinkFolder) (names []string) {
	for _, f := range folder.Files {
		names = append(names, f.Name)
		if inner := folder.Folders[f.Name]; inner != nil {
			for _, name := range namesIn(inner) {
				names = append(names, f.Name+"/"+name)
			}
		}
	}
	return names
}

// TestLinks reads links and the folders of sublayouts, and nothing else.
func TestLinks(t *testing.T) {
	t.Parallel()
	folder, err := Links(fstest.MapFS{
		"links/src.aa.link": linkFile(), "links/build.bb.link": linkFile(), "links/build.bb/a.cc.link": linkFile(),
		"links/build.bb/a.cc/deep.dd.link": linkFile(), "links/other/x.ee.link": linkFile(), "links/README": linkFile(),
		"links/folder.link/y.ff.link": linkFile(), "links/broken.gg.link": {Data: []byte("{")},
	}, "links")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"broken.gg", "build.bb", "build.bb/a.cc", "build.bb/a.cc/deep.dd", "src.aa"}
	if diff := cmp.Diff(want, namesIn(folder)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range folder.Files {
		if broken := f.Name == "broken.gg"; (f.Envelope == nil) != broken || (f.Refused != nil) != broken {
			t.Errorf("%s: %v, %v", f.Name, f.Envelope, f.Refused)
		}
	}
	if _, err := Links(fstest.MapFS{}, "links"); err == nil || !strings.Contains(err.Error(), "reading links links:") {
		t.Errorf("no folder: %v", err)
	}
}

// TestUnreadableLink keeps a file that cannot be read from hiding the others.
func TestUnreadableLink(t *testing.T) {
	t.Parallel()
	folder, err := Links(fstest.MapFS{
		"a.x.link": linkFile(), "b.x.link": {Mode: 1 << 25}, // a named pipe
		"c.x.link": {Data: []byte(strings.Repeat(" ", attestation.MaxBundleSize+1))},
	}, ".")
	if err != nil || len(folder.Files) != 3 || folder.Files[0].Envelope == nil {
		t.Fatalf("%v, %v", folder, err)
	}
	for _, f := range folder.Files[1:] {
		if f.Refused == nil || f.Refused.ID != verdict.SourceUnreadable || f.Envelope != nil {
			t.Errorf("%s: %v", f.Name, f.Refused)
		}
	}
}

// TestLinkBounds stays under each bound, and goes one beyond it.
func TestLinkBounds(t *testing.T) {
	t.Parallel()
	read := func(fsys fstest.MapFS) error {
		_, err := Links(fsys, ".")
		return err
	}
	files := fstest.MapFS{}
	for i := range MaxLinks {
		files[fmt.Sprintf("s%d.x.link", i)] = linkFile()
	}
	if err := read(files); err != nil {
		t.Errorf("%d links: %v", MaxLinks, err)
	}
	files["more.x.link"] = linkFile()
	if err := read(files); err == nil {
		t.Errorf("%d links: read", MaxLinks+1)
	}
	folders := fstest.MapFS{}
	for i := range MaxLinkFolders - 1 { // and the outermost one
		folders[fmt.Sprintf("s%d.x.link", i)] = linkFile()
		folders[fmt.Sprintf("s%d.x/t.x.link", i)] = linkFile()
	}
	if err := read(folders); err != nil {
		t.Errorf("%d folders: %v", MaxLinkFolders, err)
	}
	folders["more.x.link"], folders["more.x/t.x.link"] = linkFile(), linkFile()
	if err := read(folders); err == nil {
		t.Errorf("%d folders: read", MaxLinkFolders+1)
	}
	nested := fstest.MapFS{}
	for depth := range MaxSublayouts + 5 {
		nested[strings.Repeat("s.x/", depth)+"s.x.link"] = linkFile()
	}
	folder, err := Links(nested, ".")
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for f := folder.Folders["s.x"]; f != nil; f = f.Folders["s.x"] {
		depth++
	}
	if depth != MaxSublayouts+1 || !slices.Contains(namesIn(folder), strings.TrimSuffix(strings.Repeat("s.x/", depth+1), "/")) {
		t.Errorf("read %d deep, expected %d: the last is for whoever refuses it", depth, MaxSublayouts+1)
	}
}
