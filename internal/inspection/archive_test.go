//go:build unix

package inspection

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"compress/flate"
	"encoding/binary"
	"github.com/signatus-dev/signatus/internal/artifact"
	"hash/crc32"
)

// entry is a member of an archive under test.
type entry struct {
	name, content string
	link          string // a symbolic link's target
	hard          string // a hard link's
	kind          byte   // of a tar member, where it is none of these
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content)), Typeflag: tar.TypeReg, Linkname: e.link + e.hard}
		switch {
		case e.kind != 0:
			header.Typeflag = e.kind
		case e.link != "":
			header.Typeflag = tar.TypeSymlink
		case e.hard != "":
			header.Typeflag = tar.TypeLink
		case strings.HasSuffix(e.name, "/"):
			header.Typeflag = tar.TypeDir
		}
		if e.kind == tar.TypeXGlobalHeader {
			header = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": e.name}}
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func gzipOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := gzip.NewWriter(&archive)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		header.SetMode(0o644)
		if e.link != "" {
			header.SetMode(0o777 | fs.ModeSymlink)
		}
		if e.kind == tar.TypeFifo {
			header.SetMode(0o644 | fs.ModeNamedPipe)
		}
		member, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write([]byte(e.content + e.link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// tree is an archive of everything that both kinds can hold.
func tree() []entry {
	return []entry{
		{name: "./"}, {name: "./app", content: "app"}, {name: "lib/"}, {name: "lib/a", content: "a"}, {name: "lib/deep/b", content: "b"},
		{name: "lib/up", link: "../app"}, {name: "lib/again", link: "up"}, {name: "to-lib", link: "lib"}, {name: "to-all", link: "."}, {name: "ü x", content: ""},
	}
}

func treeFiles() Artifacts {
	return artifacts(map[string]string{"app": "app", "lib/a": "a", "lib/deep/b": "b", "lib/up": "app", "lib/again": "app", "ü x": ""})
}

func TestList(t *testing.T) {
	t.Parallel()
	withHard := append(tree(), entry{name: "hard", hard: "./app"}, entry{name: "0123", kind: tar.TypeXGlobalHeader})
	hardFiles := treeFiles()
	hardFiles["hard"] = digest("app")
	for name, c := range map[string]struct {
		archive []byte
		want    Artifacts
	}{
		"a.tar":        {tarOf(t, withHard...), hardFiles},
		"a.tar.gz":     {gzipOf(t, tarOf(t, withHard...)), hardFiles},
		"A.TGZ":        {gzipOf(t, tarOf(t, tree()...)), treeFiles()},
		"a.zip":        {zipOf(t, tree()...), treeFiles()},
		"a-1.0.whl":    {zipOf(t, tree()...), treeFiles()},
		"a.crate":      {gzipOf(t, tarOf(t, tree()...)), treeFiles()},
		"two.tar.gz":   {append(gzipOf(t, tarOf(t, tree()...)[:1024]), gzipOf(t, tarOf(t, tree()...)[1024:])...), treeFiles()},
		"zeros.tar":    {append(tarOf(t, tree()...), make([]byte, 70<<10)...), treeFiles()},
		"sub/./../x.a": {tarOf(t, entry{name: "x", content: "x"}), artifacts(map[string]string{"x": "x"})},
	} {
		folder := files(t, map[string]string{"sub/": "", name: string(c.archive)})
		i := newInspector(t, folder, func(c *Config) { c.AllowCommands = false })
		record, err := i.Run(t.Context(), []string{List, name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := Record{Materials: artifacts(map[string]string{filepath.ToSlash(filepath.Clean(name)): string(c.archive)}), Products: c.want}
		if diff := cmp.Diff(want, record); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The members are what unpacking leaves behind, as a recorded command has it.
func TestListIsWhatUnpackingLeaves(t *testing.T) {
	t.Parallel()
	archive := string(tarOf(t, append(tree(), entry{name: "hard", hard: "./app"})...))
	i := newInspector(t, files(t, map[string]string{"a.tar": archive}), nil)
	unpacked, err := i.Run(t.Context(), []string{"tar", "xf", "a.tar"})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := i.Run(t.Context(), []string{List, "a.tar"})
	if err != nil {
		t.Fatal(err)
	}
	delete(unpacked.Products, "a.tar")
	if diff := cmp.Diff(unpacked.Products, listed.Products); diff != "" {
		t.Errorf("listed differs (-unpacked +listed):\n%s", diff)
	}
}

// Each row has one thing wrong with an archive.
func TestListRefuses(t *testing.T) {
	t.Parallel()
	good := entry{name: "app", content: "app"}
	tarball := tarOf(t, good)
	for name, c := range map[string]struct {
		file    string
		archive []byte
		limits  Limits
		found   string
	}{
		"climbs":              {archive: tarOf(t, entry{name: "../app"}), found: `the member "../app" leaves the folder`},
		"climbs later":        {archive: tarOf(t, entry{name: "a/../../app"}), found: `the member "a/../../app" leaves the folder`},
		"absolute":            {archive: tarOf(t, entry{name: "/app"}), found: `the member "/app" leaves the folder`},
		"climbs, zip":         {file: "a.zip", archive: zipOf(t, entry{name: "../app"}), found: `the member "../app" leaves the folder`},
		"backslash":           {archive: tarOf(t, entry{name: `a\app`}), found: `the member name "a\\app" is read in several ways`},
		"backslash, zip":      {file: "a.zip", archive: zipOf(t, entry{name: `a\app`}), found: `the member name "a\\app" is read in several ways`},
		"not UTF-8, zip":      {file: "a.zip", archive: zipOf(t, entry{name: "a\xff"}), found: `the member name "a\xff" is read in several ways`},
		"twice":               {archive: tarOf(t, good, good), found: `two members are called "app"`},
		"twice, zip":          {file: "a.zip", archive: zipOf(t, good, good), found: `two members are called "app"`},
		"alias":               {archive: tarOf(t, good, entry{name: "./app"}), found: `two members are called "app"`},
		"file then folder":    {archive: tarOf(t, good, entry{name: "app/"}), found: `two members are called "app"`},
		"folder then file":    {archive: tarOf(t, entry{name: "app/"}, good), found: `two members are called "app"`},
		"below a file":        {archive: tarOf(t, good, entry{name: "app/x"}), found: `the member "app/x" lies below "app"`},
		"below a link":        {archive: tarOf(t, entry{name: "d/"}, entry{name: "l", link: "d"}, entry{name: "l/x"}), found: `the member "l/x" lies below "l"`},
		"the folder itself":   {archive: tarOf(t, entry{name: ".", content: "x"}), found: "a member takes the place of the folder"},
		"link out":            {archive: tarOf(t, entry{name: "l", link: "../x"}), found: `the link "l" leads out`},
		"link to root":        {archive: tarOf(t, entry{name: "l", link: "/etc/passwd"}), found: `the link "l" leads out`},
		"link out, zip":       {file: "a.zip", archive: zipOf(t, entry{name: "l", link: "../x"}), found: `the link "l" leads out`},
		"link to nothing":     {archive: tarOf(t, entry{name: "l", link: "x"}), found: `the link "l" leads to "x", which is not in the archive`},
		"link through link":   {archive: tarOf(t, entry{name: "evil", content: "good"}, entry{name: "sub/evil", content: "evil"}, entry{name: "sub/deep/"}, entry{name: "d", link: "sub/deep"}, entry{name: "l", link: "d/../evil"}), found: `the link "l" leads through`},
		"path for all":        {archive: globalPath(t, good, "evil"), found: `a header for all members says more than a comment: "path"`},
		"links in a circle":   {archive: tarOf(t, entry{name: "l", link: "k"}, entry{name: "k", link: "l"}), found: "the link "},
		"long link, zip":      {file: "a.zip", archive: zipOf(t, entry{name: "l", link: strings.Repeat("x", 4097)}), found: `the link "l" has a target of more than 4096 bytes`},
		"hard link ahead":     {archive: tarOf(t, entry{name: "h", hard: "app"}, good), found: `the member "h" is a link to "app", which does not come before it`},
		"hard link out":       {archive: tarOf(t, entry{name: "h", hard: "../app"}), found: `the member "../app" leaves the folder`},
		"hard link to a link": {archive: tarOf(t, good, entry{name: "l", link: "app"}, entry{name: "h", hard: "l"}), found: `the member "h" is a link to "l", which does not come before it`},
		"pipe":                {archive: tarOf(t, entry{name: "p", kind: tar.TypeFifo}), found: `the member "p" is neither a file`},
		"device":              {archive: tarOf(t, entry{name: "p", kind: tar.TypeChar}), found: `the member "p" is neither a file`},
		"pipe, zip":           {file: "a.zip", archive: zipOf(t, entry{name: "p", kind: tar.TypeFifo}), found: `the member "p" is neither a file`},
		"something follows":   {archive: append(append([]byte{}, tarball...), tarball...), found: "something follows the end"},
		"text follows":        {file: "a.tgz", archive: append(gzipOf(t, tarball), "text that follows"...), found: "gzip: invalid header"},
		"second in gzip":      {file: "a.tgz", archive: append(gzipOf(t, tarball), gzipOf(t, tarball)...), found: "something follows the end"},
		"cut off":             {archive: tarball[:514], found: "unexpected EOF"},
		"no padding":          {archive: tarball[:515], found: "it has no end"},
		"no end":              {archive: tarball[:1024], found: "it has no end"},
		"half an end":         {archive: tarball[:1536], found: "it has no end"},
		"cut off, gzip":       {file: "a.tgz", archive: gzipOf(t, tarball)[:40], found: "unexpected EOF"},
		"cut off, zip":        {file: "a.zip", archive: zipOf(t, good)[:60], found: "zip: not a valid zip file"},
		"no archive":          {archive: bytes.Repeat([]byte("text"), 400), found: "archive/tar: invalid tar header"},
		"empty file":          {archive: nil, found: "it has no end"},
		"empty tar":           {archive: tarOf(t), found: "it has no member"},
		"empty zip":           {file: "a.zip", archive: zipOf(t), found: "it has no member"},
		"promises zip":        {file: "a.zip", archive: tarball, found: "its name is that of a zip, its content that of a tar"},
		"promises tar":        {file: "a.tar", archive: zipOf(t, good), found: "its name is that of a tar, its content that of a zip"},
		"promises gzip":       {file: "a.tar.gz", archive: tarball, found: "its name is that of a tar compressed with gzip, its content that of a tar"},
		"encrypted":           {file: "a.zip", archive: encrypted(zipOf(t, good)), found: `the member "app" is encrypted`},
		"many members":        {archive: tarOf(t, good, entry{name: "b"}), limits: Limits{Entries: 1, Bytes: 1 << 20}, found: "it has more than 1 members"},
		"another name before": {file: "a.zip", archive: bytes.Replace(zipOf(t, good), []byte("app"), []byte("evil")[:3], 1), found: `the member "app" is called "evi" before its content`},
		"method before":       {file: "a.zip", archive: at(zipOf(t, good), 8, 0), found: `the member "app" is described otherwise before its content`},
		"size before":         {file: "a.zip", archive: at(zipOf(t, good), 18, 1), found: `the member "app" is described otherwise before its content`},
		"a member unlisted":   {file: "a.zip", archive: append(membersOf(zipOf(t, entry{name: "evil", content: "evil"})), zipOf(t, good)...), found: `the member "app" is called "evil" before its content`},
		"unlisted behind":     {file: "a.zip", archive: unlisted(t, good, entry{name: "evil", content: "evil"}), found: "bytes that are no member's stand before its directory"},
		"text behind content": {file: "a.zip", archive: withText(t, good), found: `the member "app" is over before its compressed size is`},
		"stored, size behind": {file: "a.zip", archive: stored(t, good), found: `the member "app" is stored uncompressed without its size before it`},

		"many members, zip":  {file: "a.zip", archive: zipOf(t, good, entry{name: "b"}), limits: Limits{Entries: 1, Bytes: 1 << 20}, found: "it has more than 1 members, or its directory is too long"},
		"long directory":     {file: "a.zip", archive: zipOf(t, entry{name: strings.Repeat("x", 65000)}, entry{name: strings.Repeat("y", 65000)}, entry{name: strings.Repeat("z", 65000)}), limits: Limits{Entries: 3, Bytes: 1 << 20}, found: "it has more than 3 members, or its directory is too long"},
		"bomb":               {file: "a.tgz", archive: gzipOf(t, tarOf(t, entry{name: "a", content: strings.Repeat("0", 1<<20)})), limits: Limits{Entries: 9, Bytes: 100_000}, found: "unpacks to more than 100000 bytes"},
		"bomb of headers":    {file: "a.tgz", archive: gzipOf(t, tarOf(t, many(300)...)), limits: Limits{Entries: 400, Bytes: 100_000}, found: "unpacks to more than 100000 bytes"},
		"bomb, zip":          {file: "a.zip", archive: zipOf(t, entry{name: "a", content: strings.Repeat("0", 1<<20)}), limits: Limits{Entries: 9, Bytes: 100_000}, found: "unpacks to more than 100000 bytes"},
		"bomb in parts, zip": {file: "a.zip", archive: zipOf(t, entry{name: "a", content: strings.Repeat("0", 60_000)}, entry{name: "b", content: strings.Repeat("0", 60_000)}), limits: Limits{Entries: 9, Bytes: 100_000}, found: "unpacks to more than 100000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := "a.archive"
			if c.file != "" {
				file = c.file
			}
			i := newInspector(t, files(t, map[string]string{file: string(c.archive)}), func(config *Config) { config.Limits = c.limits })
			record, err := i.Run(t.Context(), []string{List, file})
			failure, ok := errors.AsType[*Failure](err)
			if !ok || !strings.Contains(failure.Found, c.found) || !strings.HasPrefix(failure.Found, file) || failure.Next == "" {
				t.Errorf("got %v, want a failure with %q", err, c.found)
			}
			if record.Products != nil {
				t.Errorf("there are products: %v", record.Products)
			}
		})
	}
}

// globalPath is an archive whose members are all called name by tools that heed
// pax's header for all members: GNU tar, and not Go's.
func globalPath(t testing.TB, e entry, name string) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": name}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return append(archive.Bytes(), tarOf(t, e)...)
}

func many(n int) (entries []entry) {
	for range n {
		entries = append(entries, entry{name: strings.Repeat("x", len(entries)/10) + string(rune('a'+len(entries)%10)) + "/"})
	}
	return entries
}

// encrypted marks the one member of a zip archive as encrypted, where the central
// directory says so.
func encrypted(archive []byte) []byte {
	at := bytes.Index(archive, []byte("PK\x01\x02"))
	archive[at+8] |= 1
	return archive
}

// at has another byte at a place.
func at(archive []byte, place int, value byte) []byte {
	archive[place] = value
	return archive
}

// membersOf is a zip archive up to its directory.
func membersOf(archive []byte) []byte {
	members, _, _ := bytes.Cut(archive, []byte(directorySignature))
	return members
}

// unlisted is an archive of two members whose directory has only the first.
func unlisted(t testing.TB, listed, hidden entry) []byte {
	t.Helper()
	both, one := zipOf(t, listed, hidden), zipOf(t, listed)
	front, tail := membersOf(both), bytes.Clone(one[len(membersOf(one)):])
	end := len(tail) - 22 // the end record, whose offset of the directory moves
	binary.LittleEndian.PutUint32(tail[end+16:], uint32(len(front)))
	return append(bytes.Clone(front), tail...)
}

// raw is a zip archive of one member, with its content as it is given.
func raw(t testing.TB, header zip.FileHeader, content []byte) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	header.CompressedSize64 = uint64(len(content))
	member, err := w.CreateRaw(&header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// withText has text behind the compressed content, within its size.
func withText(t testing.TB, e entry) []byte {
	t.Helper()
	var content bytes.Buffer
	w, err := flate.NewWriter(&content, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(e.content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return raw(t, zip.FileHeader{Name: e.name, Method: zip.Deflate, UncompressedSize64: uint64(len(e.content)), CRC32: crc32.ChecksumIEEE([]byte(e.content))},
		append(content.Bytes(), "PK\x07\x08"...))
}

// stored is not compressed, and has its size behind it.
func stored(t testing.TB, e entry) []byte {
	t.Helper()
	return raw(t, zip.FileHeader{Name: e.name, Method: zip.Store, Flags: flagDescriptor, UncompressedSize64: uint64(len(e.content)), CRC32: crc32.ChecksumIEEE([]byte(e.content))}, []byte(e.content))
}

func TestListFindsNoFile(t *testing.T) {
	t.Parallel()
	folder := files(t, map[string]string{"sub/": "", "out": "-> /etc/passwd"})
	for name, run := range map[string][]string{
		"there is no file a.tar":     {List, "a.tar"},
		"sub is no file":             {List, "sub"},
		"path escapes from parent":   {List, "../a.tar"},
		"out cannot be found in the": {List, "out"},
		"no built-in inspection":     {List},
		"no built-in":                {List, "a", "b"},
	} {
		i := newInspector(t, folder, nil)
		if _, err := i.Run(t.Context(), run); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

// After a command the list is of what the command left.
func TestListAfterCommand(t *testing.T) {
	t.Parallel()
	archive := string(tarOf(t, entry{name: "x", content: "x"}))
	i := newInspector(t, files(t, map[string]string{"a.tar": archive}), nil)
	if _, err := i.Run(t.Context(), []string{"mv", "a.tar", "b.tar"}); err != nil {
		t.Fatal(err)
	}
	record, err := i.Run(t.Context(), []string{List, "b.tar"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(artifacts(map[string]string{"x": "x"}), record.Products); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyArtifact(t *testing.T) {
	t.Parallel()
	both := artifact.DigestSet{artifact.SHA256: "aa", artifact.SHA512: "bb"}
	for name, c := range map[string]struct {
		held artifact.Artifact
		run  []string
		want Artifacts
		fail string
	}{
		"its own name":  {held: artifact.Artifact{Name: "app", Digest: both}, want: Artifacts{"app": {artifact.SHA256: "aa"}}},
		"another name":  {held: artifact.Artifact{Name: "app", Digest: both}, run: []string{"dist/app"}, want: Artifacts{"dist/app": {artifact.SHA256: "aa"}}},
		"only sha512":   {held: artifact.Artifact{Name: "app", Digest: artifact.DigestSet{artifact.SHA512: "bb"}}, want: Artifacts{"app": {artifact.SHA512: "bb"}}},
		"named digest":  {held: artifact.Artifact{Digest: both}, run: []string{"app"}, want: Artifacts{"app": {artifact.SHA256: "aa"}}},
		"bare digest":   {held: artifact.Artifact{Digest: both}, fail: "signatus:verify-artifact: the artifact in hand is a digest and has no name"},
		"none":          {held: artifact.Artifact{Name: "app"}, fail: "signatus:verify-artifact: no artifact is in hand"},
		"two arguments": {held: artifact.Artifact{Name: "app", Digest: both}, run: []string{"a", "b"}, fail: "signatus:verify-artifact a b is no built-in inspection of this version"},
	} {
		i := newInspector(t, files(t, nil), func(config *Config) { config.InHand, config.AllowCommands = c.held, false })
		record, err := i.Run(t.Context(), append([]string{VerifyArtifact}, c.run...))
		if failure, ok := errors.AsType[*Failure](err); c.fail != "" && (!ok || failure.Found != c.fail || failure.Next == "") || c.fail == "" && err != nil {
			t.Errorf("%s: got %v, want %q", name, err, c.fail)
		}
		if diff := cmp.Diff(Record{Materials: c.want, Products: c.want}, record); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What a peer does that does not know the built-in ones: it looks for a program of
// that name, and there is none, not even one in the folder.
func TestBuiltInsFailClosedElsewhere(t *testing.T) {
	t.Parallel()
	folder := files(t, map[string]string{VerifyArtifact: "#!/bin/sh\n", List: "#!/bin/sh\n"})
	for _, name := range []string{VerifyArtifact, List} {
		i := newInspector(t, folder, nil)
		record, err := i.Run(t.Context(), []string{"sh", "-c", `"$0"`, name})
		if err == nil || record.ExitCode != 127 {
			t.Errorf("%s: exit code %d, %v; expected 127, command not found", name, record.ExitCode, err)
		}
	}
}

// No archive makes the reader panic, and no member that it lists leaves the folder
// or lies below another file.
func FuzzList(f *testing.F) {
	f.Add("a.tar", tarOf(f, tree()...))
	f.Add("a.tgz", gzipOf(f, tarOf(f, tree()...)))
	f.Add("a.zip", zipOf(f, tree()...))
	f.Add("a", tarOf(f, entry{name: "h", hard: "app"}, entry{name: "../x"}))
	f.Fuzz(func(t *testing.T, name string, archive []byte) {
		limits := Limits{Entries: 100, Bytes: 1 << 20}
		found, err := listArchive(t.Context(), sectionOf(archive), name, limits)
		if (err == nil) == (found == nil) {
			t.Fatalf("found %v, %v", found, err)
		}
		for member := range found {
			if !fs.ValidPath(member) {
				t.Errorf("lists %q", member)
			}
			for parent := filepath.Dir(member); parent != "."; parent = filepath.Dir(parent) {
				if _, ok := found[parent]; ok {
					t.Errorf("lists %q below %q", member, parent)
				}
			}
		}
	})
}

// The folder of the corpus' demonstration, listed and not unpacked.
func TestListOfTheCorpus(t *testing.T) {
	t.Parallel()
	folder := filepath.FromSlash("../../../shared/corpus/in-toto/upstream-replay/py-demo-mb-01-single/work")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the corpus is not here: %s", folder)
	}
	i := newInspector(t, folder, func(c *Config) { c.AllowCommands = false })
	record, err := i.Run(t.Context(), []string{List, "foo.tar.gz"})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "foo.py"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", record.Products)
	if diff := cmp.Diff(digest(string(content)), record.Products["foo.py"]); diff != "" {
		t.Error(diff)
	}
}

func sectionOf(content []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content)))
}
