package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// signed is a bundle. Nobody verifies it here: evidence believes nothing.
var signed = sync.OnceValues(func() ([]byte, error) {
	config := attestationtest.GitHub()
	config.Seed = "the world of internal/evidence"
	sigstore, err := attestationtest.New(config)
	if err != nil {
		return nil, err
	}
	bundle, err := sigstore.Sign(attestationtest.SignRequest{
		As: attestationtest.Person("alice@example.com", "https://github.com/login/oauth"), MessageDigest: make([]byte, 32),
	})
	if err != nil {
		return nil, err
	}
	return bundle.JSON, nil
})

// disk holds files by name; true is a bundle, a string is its content, an error
// is what opening it gives.
func disk(t *testing.T, files map[string]any) fs.FS {
	t.Helper()
	bundle, err := signed()
	if err != nil {
		t.Fatal(err)
	}
	d := faultyFS{fstest.MapFS{}, map[string]error{}}
	for name, content := range files {
		switch content := content.(type) {
		case bool:
			d.MapFS[name] = &fstest.MapFile{Data: bundle}
		case string:
			d.MapFS[name] = &fstest.MapFile{Data: []byte(content)}
		case fs.FileMode:
			d.MapFS[name] = &fstest.MapFile{Mode: content}
		case error:
			d.MapFS[name] = &fstest.MapFile{Data: bundle}
			d.faults[name] = content
		}
	}
	return d
}

type faultyFS struct {
	fstest.MapFS
	faults map[string]error
}

func (f faultyFS) Open(name string) (fs.File, error) {
	if err, ok := f.faults[name]; ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f.MapFS.Open(name)
}

func (f faultyFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err, ok := f.faults[name]; ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f.MapFS.ReadDir(name)
}

// sources lists where candidates were found, and refused why others were not.
func sources(f evidence.Found) (out []string) {
	for _, c := range f.Candidates {
		out = append(out, c.Source())
	}
	return out
}

func refused(f evidence.Found) (out []string) {
	for _, e := range f.Refused {
		out = append(out, e.Source+": "+string(e.Reason.ID))
		if e.Verified || e.Signer != "" || e.Counted {
			out = append(out, "and something of it is believed")
		}
	}
	return out
}

// TestBeside finds a bundle under each of the usual names, in their order, and
// notes every place it looked at.
func TestBeside(t *testing.T) {
	t.Parallel()
	names := []string{
		"dist/app.sigstore.jsonl", "dist/app.sigstore.json", "dist/app.sigstore", "dist/app.intoto.jsonl",
		"dist/attestation.sigstore.jsonl", "dist/attestation.sigstore.json",
		"dist/commit-0badc0de.sigstore.json", "dist/commit-3f2a9c1d.sigstore.jsonl",
		"attestation.sigstore.jsonl", "attestation.sigstore.json", "commit-0badc0de.sigstore.json", "commit-3f2a9c1d.sigstore.jsonl",
	}
	all := map[string]any{"dist/app": "the app"}
	for _, name := range names {
		all[name] = true
		found := evidence.Beside(disk(t, map[string]any{name: true, "dist/app": "the app"}), "dist/app")
		equal(t, sources(found), []string{name})
		if n := len(found.Looked); n != 10 {
			t.Errorf("%s: looked at %d places, expected 10: %v", name, n, found.Looked)
		}
		for _, p := range found.Looked {
			if wanted := p.Path == name; p.Absent == wanted || (p.Bundles == 1) != wanted {
				t.Errorf("%s: looked at %+v", name, p)
			}
		}
	}
	for _, other := range []string{
		"dist/app.json", "dist/App.sigstore.json", "dist/app2.sigstore.json", "app.sigstore.json", "dist/sub/app.sigstore.json",
		"dist/commit-3f2a9c1d.sigstore.json.bak", "dist/xcommit-3f2a9c1d.sigstore.json", "dist/commit-3f2a9c1d.json",
	} {
		all[other] = true
	}
	found := evidence.Beside(disk(t, all), "dist/app")
	equal(t, sources(found), names)
	equal(t, refused(found), nil)
}

// TestBesideADigest searches the working directory for what belongs to no file.
func TestBesideADigest(t *testing.T) {
	t.Parallel()
	found := evidence.Beside(disk(t, map[string]any{
		"attestation.sigstore.json": true, "commit-3f2a9c1d.sigstore.json": true, ".sigstore.json": true, "app.sigstore.json": true,
	}), "")
	equal(t, sources(found), []string{"attestation.sigstore.json", "commit-3f2a9c1d.sigstore.json"})
}

// TestBesideNothing: a folder that is not there holds no bundles, which is no
// mishap of the search: the artifact is missing too.
func TestBesideNothing(t *testing.T) {
	t.Parallel()
	found := evidence.Beside(disk(t, nil), "nowhere/app")
	equal(t, sources(found), nil)
	equal(t, refused(found), nil)
	for _, p := range found.Looked {
		if !p.Absent {
			t.Errorf("looked at %+v", p)
		}
	}
}

// TestBesideUnreadable: what cannot be read is listed, and the others count.
func TestBesideUnreadable(t *testing.T) {
	t.Parallel()
	found := evidence.Beside(disk(t, map[string]any{
		"app.sigstore.json": syscall.EACCES, "app.sigstore": true, "commit-3f2a9c1d.sigstore.json": syscall.EIO,
		"attestation.sigstore.json": fs.ModeDir | 0o755, "app.intoto.jsonl": fs.ModeNamedPipe | 0o644,
	}), "app")
	equal(t, sources(found), []string{"app.sigstore"})
	equal(t, refused(found), []string{"app.sigstore.json: source-unreadable", "commit-3f2a9c1d.sigstore.json: source-unreadable"})

	found = evidence.Beside(disk(t, map[string]any{"dist/app.sigstore": true, "dist": syscall.EACCES}), "dist/app")
	equal(t, sources(found), []string{"dist/app.sigstore"})
	equal(t, refused(found), []string{"dist/commit-*.sigstore.json[l]: source-unreadable"})
}

// TestNamed reads what the caller names, and in a folder the files whose names
// bundles have.
func TestNamed(t *testing.T) {
	t.Parallel()
	bundle, err := signed()
	if err != nil {
		t.Fatal(err)
	}
	line := string(bundle) + "\n"
	found, err := evidence.Named(disk(t, map[string]any{
		"any.name": true, "lines.txt": line + "\n" + line + "{}\n",
		"all/a.json": true, "all/b.jsonl": line + line, "all/c.sigstore": true, "all/d.attestation": true, "all/e.provenance": true, "all/f.bundle": true,
		"all/README.md": true, "all/app": true, "all/sub/g.json": true, "all/sub.json": fs.ModeDir | 0o755, "all/pipe.json": fs.ModeNamedPipe | 0o644,
		"all/package.json": `{"name": "app"}`, "all/locked.json": syscall.EACCES,
	}), []string{"any.name", "lines.txt", "all"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, sources(found), []string{
		"any.name", "lines.txt line 1", "lines.txt line 3",
		"all/a.json", "all/b.jsonl line 1", "all/b.jsonl line 2", "all/c.sigstore", "all/d.attestation", "all/e.provenance", "all/f.bundle",
	})
	equal(t, refused(found), []string{"lines.txt line 4: bundle-malformed", "all/locked.json: source-unreadable", "all/package.json: bundle-malformed"})
}

// TestNamedMustBeThere: the caller counts on what it names.
func TestNamedMustBeThere(t *testing.T) {
	t.Parallel()
	blank := strings.Repeat(" ", evidence.MaxFileBytes)
	crowd := map[string]any{}
	for i := range evidence.MaxFiles + 1 {
		crowd[fmt.Sprintf("crowd/%05d", i)] = ""
	}
	heavy := map[string]any{}
	for i := range evidence.MaxFolderBytes/evidence.MaxFileBytes + 1 {
		heavy[fmt.Sprintf("heavy/%d.json", i)] = blank
	}
	for name, c := range map[string]struct {
		files map[string]any
		path  string
		want  string
	}{
		"too heavy":       {heavy, "heavy", "reading bundle heavy: 576 MiB of bundles in the folder, at most 512 MiB are read"},
		"missing":         {nil, "a.json", "reading bundle a.json: file does not exist"},
		"not to be read":  {map[string]any{"a.json": syscall.EACCES}, "a.json", "reading bundle a.json: permission denied"},
		"folder":          {map[string]any{"dir/a.json": true, "dir": syscall.EACCES}, "dir", "reading bundle dir: permission denied"},
		"too many":        {crowd, "crowd", "reading bundle crowd: 10001 files in the folder, at most 10000 are read"},
		"larger than all": {map[string]any{"a.json": strings.Repeat(" ", evidence.MaxFileBytes+1)}, "a.json", "reading bundle a.json: more than 64 MiB, which is the most that is read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := evidence.Named(disk(t, c.files), []string{c.path})
			if err == nil || err.Error() != c.want {
				t.Errorf("%v, expected %s", err, c.want)
			}
			if diff := cmp.Diff(evidence.Found{}, found); diff != "" {
				t.Errorf("something was found: %s", diff)
			}
		})
	}
}

// TestEmptyFolder is noted, so that a report can say where nothing was.
func TestEmptyFolder(t *testing.T) {
	t.Parallel()
	found, err := evidence.Named(disk(t, map[string]any{"dir/README.md": "nothing"}), []string{"dir"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, sources(found), nil)
	if diff := cmp.Diff([]evidence.Place{{Path: "dir"}}, found.Looked); diff != "" {
		t.Error(diff)
	}
}

// TestRead takes a file of the limit, and not one byte more.
func TestRead(t *testing.T) {
	t.Parallel()
	files := disk(t, map[string]any{"full": strings.Repeat("x", 1<<20), "over": strings.Repeat("x", 1<<20+1), "locked": syscall.EACCES})
	if data, err := evidence.Read(files, "full", 1<<20); err != nil || !bytes.Equal(data, bytes.Repeat([]byte("x"), 1<<20)) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if data, err := evidence.Read(files, "over", 1<<20); err == nil || data != nil || err.Error() != "more than 1 MiB, which is the most that is read" {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, err := evidence.Read(files, "over", 64<<10); err == nil || err.Error() != "more than 64 KiB, which is the most that is read" {
		t.Errorf("%v", err)
	}
	if _, err := evidence.Read(files, "locked", 1<<20); !errors.Is(err, fs.ErrPermission) || err.Error() != "permission denied" {
		t.Errorf("%v: the caller names the path", err)
	}
}

// TestRefusedTellsNothing: what did not verify shows where it was and why, and
// nothing that it claims.
func TestRefusedTellsNothing(t *testing.T) {
	t.Parallel()
	found, err := evidence.Named(disk(t, map[string]any{"a.json": `{"mediaType":"x","signer":"alice@example.com"}`}), []string{"a.json"})
	if err != nil || len(found.Refused) != 1 {
		t.Fatalf("%d refused, %v", len(found.Refused), err)
	}
	e := found.Refused[0]
	e.Reason = nil
	if diff := cmp.Diff(verdict.Evidence{Source: "a.json"}, e); diff != "" {
		t.Error(diff)
	}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
