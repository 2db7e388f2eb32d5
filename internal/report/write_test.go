package report_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/signatus-dev/signatus/internal/report"
)

func writing(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// holds checks what a folder holds: nothing but these files, with these texts.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if expected, ok := want[e.Name()]; !ok || string(text) != expected {
			t.Errorf("%s holds %q; expected %q (known: %t)", e.Name(), text, expected, ok)
		}
	}
	if len(entries) != len(want) {
		t.Errorf("%d files, expected %d", len(entries), len(want))
	}
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "report.json")
	if err := report.WriteFile(file, writing("first")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"report.json": "first"})
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteFile(file, writing("second")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"report.json": "second"})
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" {
		t.Errorf("a replaced file has mode %v (%v), its own was 0640", info.Mode(), err)
	}
}

// A disk that fills up half way leaves what was there, and nothing else.
func TestWriteFileFails(t *testing.T) {
	t.Parallel()
	for _, before := range []map[string]string{{}, {"report.json": "old"}} {
		dir := t.TempDir()
		for name, text := range before {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "report.json")
		err := report.WriteFile(file, func(w io.Writer) error {
			if err := writing("half")(w); err != nil {
				return err
			}
			return &fs.PathError{Op: "write", Path: file, Err: syscall.ENOSPC}
		})
		says(t, err, syscall.ENOSPC, "writing "+file, "nothing was changed there", "next: free some space")
		holds(t, dir, before)

		func() {
			defer func() { _ = recover() }()
			_ = report.WriteFile(file, func(io.Writer) error { panic("half way") })
		}()
		holds(t, dir, before)
	}
}

// /dev/full refuses every write with ENOSPC, as a full disk does.
func TestWriteFileDiskFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	says(t, report.WriteFile("/dev/full", writing("report")), syscall.ENOSPC, "writing /dev/full", "next: free some space")
	if info, err := os.Stat("/dev/full"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/full was replaced: %v %v", info, err)
	}

	// A whole report on a full disk, not only its first bytes.
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	d := context(allowed("app"))
	for format, err := range map[string]error{"text": report.Text(full, d, report.Options{}), "JSON": report.JSON(full, d)} {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: got %v, want ENOSPC", format, err)
		}
	}
}

func TestWriteFileNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing := filepath.Join(dir, "no", "report.json")
	says(t, report.WriteFile(missing, writing("x")), fs.ErrNotExist, "writing "+missing, "next: make the folder "+filepath.Join(dir, "no"))
	says(t, report.WriteFile(dir, writing("x")), syscall.EISDIR, "writing "+dir, "next: name a file in it")
	holds(t, dir, nil)
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, report.WriteFile(filepath.Join(dir, "file", "report"), writing("x")), syscall.ENOTDIR, "next: name another file")
	if os.Getuid() != 0 && runtime.GOOS != "windows" {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		says(t, report.WriteFile(filepath.Join(dir, "r"), writing("x")), fs.ErrPermission, "next: name a file in a folder that you may write to")
	}
}

func TestWriteFileFollowsLink(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "real"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(elsewhere, "real"), link); err != nil {
		t.Skip(err)
	}
	if err := report.WriteFile(link, writing("new")); err != nil {
		t.Fatal(err)
	}
	holds(t, elsewhere, map[string]string{"real": "new"})
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
}

// Of many writers at once one wins, whole.
func TestWriteFileAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "report")
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			if err := report.WriteFile(file, writing(strings.Repeat(fmt.Sprint(i%10), 1000))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	text, err := os.ReadFile(file)
	if err != nil || len(text) != 1000 || strings.Trim(string(text), string(text[:1])) != "" {
		t.Errorf("%d bytes of several writers, %v", len(text), err)
	}
	holds(t, dir, map[string]string{"report": string(text)})
}

// says checks that an error is of a kind and holds these words.
func says(t *testing.T, err, is error, words ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("got error %v, want %v", err, is)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}
