package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func bundle(n int) []byte { return fmt.Appendf(nil, "{\n  \"n\": %d\n}\n", n) }

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nothingElse refuses temporary files and locks that were left behind.
func nothingElse(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if strings.Join(found, " ") != strings.Join(names, " ") {
		t.Errorf("the folder has %q, expected %q", found, names)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.sigstore.jsonl")
	for _, step := range []struct {
		add  []byte
		want string
	}{
		{bundle(1), "{\"n\":1}\n"},
		{bundle(2), "{\"n\":1}\n{\"n\":2}\n"},
		{bundle(1), "{\"n\":1}\n{\"n\":2}\n"},
		{[]byte(`{"n":2}`), "{\"n\":1}\n{\"n\":2}\n"},
	} {
		if err := Append(t.Context(), path, step.add); err != nil || content(t, path) != step.want {
			t.Errorf("%s: %v, the file is %q", step.add, err, content(t, path))
		}
	}
	// What others wrote stays as it is: no bundle, no last line break, a mode of its own.
	const others = "not a bundle\r\n\n{\"a\": \"pretty one\"}"
	if err := errors.Join(os.WriteFile(path, []byte(others), 0o644), os.Chmod(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := Append(t.Context(), path, bundle(3)); err != nil || content(t, path) != others+"\n{\"n\":3}\n" {
		t.Errorf("%v, the file is %q", err, content(t, path))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v (%v)", info.Mode(), err)
	}
	nothingElse(t, dir, "app.sigstore.jsonl")
}

// TestAppendAtOnce has many writers in this process and in others.
func TestAppendAtOnce(t *testing.T) {
	t.Parallel()
	const processes, goroutines, each, shared = 3, 8, 6, "attestation.sigstore.jsonl"
	dir := t.TempDir()
	path := filepath.Join(dir, shared)
	var group sync.WaitGroup
	failed := make(chan error, processes+goroutines*each)
	for p := range processes {
		group.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAppendHelper$")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "SIGNATUS_APPEND_FROM="+strconv.Itoa((p+1)*1000))
			if out, err := cmd.CombinedOutput(); err != nil {
				failed <- fmt.Errorf("%w: %s", err, out)
			}
		})
	}
	for g := range goroutines {
		group.Go(func() {
			for n := range each {
				if err := Append(context.Background(), path, bundle(g*each+n)); err != nil {
					failed <- err
				}
			}
		})
	}
	// A reader sees whole lines only.
	stop := make(chan struct{})
	reader := make(chan error, 1)
	go func() {
		defer close(reader)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if data, err := os.ReadFile(path); err == nil && len(data) > 0 && (!bytes.HasPrefix(data, []byte("{")) || !bytes.HasSuffix(data, []byte("}\n"))) {
				reader <- fmt.Errorf("a reader sees %q", data)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	group.Wait()
	close(stop)
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	for err := range reader {
		t.Error(err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(content(t, path)) {
		lines[line] = true
	}
	if len(lines) != goroutines*each+processes*each {
		t.Errorf("%d of %d bundles are in the file", len(lines), goroutines*each+processes*each)
	}
	nothingElse(t, dir, shared)
}

// TestAppendHelper is another process of TestAppendAtOnce, in its folder.
func TestAppendHelper(t *testing.T) {
	t.Parallel()
	from, err := strconv.Atoi(os.Getenv("SIGNATUS_APPEND_FROM"))
	if err != nil {
		return // this is not that process
	}
	for n := range 6 {
		if err := Append(t.Context(), "attestation.sigstore.jsonl", bundle(from+n)); err != nil {
			t.Error(err)
		}
	}
}

// TestDiskFull has a disk that fills up half way.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	full := func(file *os.File, data []byte) error {
		if _, err := file.Write(data[:len(data)/2]); err != nil {
			return err
		}
		return &fs.PathError{Op: "write", Path: file.Name(), Err: syscall.ENOSPC}
	}
	for _, before := range []string{"", "{\"n\":1}\n"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "app.sigstore.jsonl")
		var left []string
		if before != "" {
			if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
				t.Fatal(err)
			}
			left = []string{"app.sigstore.jsonl"}
		}
		err := explain(path, appendLines(t.Context(), path, [][]byte{bundle(2)}, full))
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "nothing was changed there; next: free some space") {
			t.Errorf("got %v", err)
		}
		nothingElse(t, dir, left...)
		if before != "" && content(t, path) != before {
			t.Errorf("the file is %q", content(t, path))
		}
		if err := create(filepath.Join(dir, "new"), bundle(2), full); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
		nothingElse(t, dir, left...)
		func() {
			defer func() { _ = recover() }()
			_ = appendLines(t.Context(), path, [][]byte{bundle(2)}, func(*os.File, []byte) error { panic("half way") })
		}()
		nothingElse(t, dir, left...)
		if err := Append(t.Context(), path, bundle(2)); err != nil { // the lock is free
			t.Error(err)
		}
	}
}

func TestAppendRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.sigstore.jsonl")
	if err := os.WriteFile(path, []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(dir, "huge")
	for name, length := range map[string]int64{huge: MaxFileBytes + 1, huge + "ly": MaxFileBytes - 1} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, length); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []struct {
		name, path, bundle, words string
	}{
		{"nothing", path, "", "one JSON object"}, {"a list", path, "[]", "one JSON object"}, {"two bundles", path, "{}\n{}", "one JSON object"}, {"half a bundle", path, "{", "one JSON object"}, {"a key twice", path, `{"a":1,"a":2}`, "one JSON object"},
		{"a link", link, `{"n":1}`, "symbolic link"}, {"a folder", dir, `{"n":1}`, "is a directory"}, {"no folder", filepath.Join(dir, "no", "x"), `{"n":1}`, "next: make the folder"},
		{"a huge file", huge, `{"n":1}`, "at most 64 MiB"}, {"a file that is full", huge + "ly", `{"n":1}`, "at most 64 MiB"},
	} {
		if err := Append(t.Context(), r.path, []byte(r.bundle)); err == nil || !strings.Contains(err.Error(), r.words) {
			t.Errorf("%s: got %v, expected %q", r.name, err, r.words)
		}
	}
	if content(t, path) != "{}\n" {
		t.Errorf("the file is %q", content(t, path))
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	var group sync.WaitGroup
	var mu sync.Mutex
	var made []int
	for n := range 8 {
		group.Go(func() {
			err := Create(path, bundle(n))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made = append(made, n)
			} else if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "next: ") {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if len(made) != 1 || content(t, path) != fmt.Sprintf("{\"n\":%d}\n", made[0]) {
		t.Errorf("made by %v, the file is %q", made, content(t, path))
	}
	if err := createPlain(path, []byte("{}"), writeAll); !errors.Is(err, fs.ErrExist) {
		t.Errorf("without links: got %v", err)
	}
	nothingElse(t, dir, "out.json")
}

// TestLockFile is the lock of systems that cannot lock a folder.
func TestLockFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	without := func(string) (func(), error) { return nil, errNoLocks }
	inside, most := 0, 0
	var group sync.WaitGroup
	var mu sync.Mutex
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		inside += by
		most = max(most, inside)
	}
	for range 8 {
		group.Go(func() {
			unlock, err := lockWith(context.Background(), dir, without)
			if err != nil {
				t.Error(err)
				return
			}
			count(1)
			time.Sleep(time.Millisecond)
			count(-1)
			unlock()
		})
	}
	group.Wait()
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
	nothingElse(t, dir)

	if err := os.WriteFile(filepath.Join(dir, lockName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := lockFile(dir); !errors.Is(err, errBusy) || !strings.Contains(err.Error(), lockName) {
		t.Errorf("a lock that was left behind: got %v", err)
	}
}

func TestLockEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	if err := Append(ctx, filepath.Join(dir, "x"), bundle(1)); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	unlock()
	if err := Append(t.Context(), filepath.Join(dir, "x"), bundle(1)); err != nil {
		t.Error(err)
	}
}

// TestKeep: the very same bundle is success, in other white space too; another one, or
// what is none, stays as it is.
func TestKeep(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		there   string // empty for nothing
		already bool
		exists  bool
	}{
		"nothing":         {"", false, false},
		"the same":        {"{\"n\":1}\n", true, false},
		"in other spaces": {"  {\"n\":1}", true, false},
		"another":         {"{\"n\":2}\n", false, true},
		"the same, twice": {"{\"n\":1}\n{\"n\":1}\n", false, true},
		"no bundle":       {"x", false, true},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "app.sigstore.json")
		if row.there != "" {
			if err := os.WriteFile(path, []byte(row.there), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		already, err := Keep(path, bundle(1))
		if already != row.already || errors.Is(err, fs.ErrExist) != row.exists || (err != nil) != row.exists {
			t.Errorf("%s: %v, %v", name, already, err)
		}
		if row.there != "" && content(t, path) != row.there || row.there == "" && content(t, path) != "{\"n\":1}\n" {
			t.Errorf("%s: the file is %q", name, content(t, path))
		}
		nothingElse(t, dir, "app.sigstore.json")
	}
	if already, err := Keep(filepath.Join(t.TempDir(), "x"), []byte("x")); already || err == nil {
		t.Errorf("no bundle: %v, %v", already, err)
	}
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "real"), []byte(`{"n":1}`), 0o600), os.Symlink("real", filepath.Join(dir, "link"))); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if already, err := Keep(filepath.Join(dir, "link"), bundle(1)); already || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link: %v, %v", already, err)
	}
}
