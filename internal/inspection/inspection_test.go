//go:build unix

package inspection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// files writes a folder: names with contents. A name that ends in "/" is a folder,
// a content that begins with "-> " a link.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range contents {
		full := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(content, "-> "); link {
			err = os.Symlink(target, full)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(full, 0o755)
		} else {
			err = os.WriteFile(full, []byte(content), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func digest(content string) artifact.DigestSet {
	sum := sha256.Sum256([]byte(content))
	return artifact.DigestSet{artifact.SHA256: hex.EncodeToString(sum[:])}
}

func artifacts(contents map[string]string) Artifacts {
	all := Artifacts{}
	for name, content := range contents {
		all[name] = digest(content)
	}
	return all
}

// newInspector allows commands unless the configuration is changed.
func newInspector(t *testing.T, folder string, change func(*Config)) *Inspector {
	t.Helper()
	config := Config{Folder: folder, AllowCommands: true, Path: "/usr/bin:/bin", Scratch: t.TempDir()}
	if change != nil {
		change(&config)
	}
	i, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		left, err := os.ReadDir(config.Scratch)
		if config.Scratch != "" && (err != nil || len(left) > 0) {
			t.Errorf("%d scratch folders are left, %v", len(left), err)
		}
	})
	return i
}

// snapshot describes everything in a folder.
func snapshot(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content := []byte{}
		if info.Mode().IsRegular() {
			if content, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		all[name] = info.Mode().String() + info.ModTime().String() + string(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRunRecords(t *testing.T) {
	t.Parallel()
	folder := files(t, map[string]string{
		"a": "a", "sub/b": "b", "sub/deep/.hidden": "h", "old": "old", "empty/": "",
		"to-a": "-> a", "sub/up": "-> ../a", "to-sub": "-> sub", "to-nothing": "-> nothing",
		// Not recorded, but there for the command.
		"build.776a00e2.link": "l", "x.links/y": "l", ".git/HEAD": "g", "sub/.git": "g", "c.pyc": "c", "d~": "d",
	})
	before := snapshot(t, folder)
	i := newInspector(t, folder, nil)
	record, err := i.Run(t.Context(), []string{"sh", "-c", `
		rm old; cp a sub/c; printf changed > a; cat .git/HEAD; echo oops >&2
		printf x > run.link; printf x > e~`})
	if err != nil {
		t.Fatal(err)
	}
	want := Record{
		Materials: artifacts(map[string]string{"a": "a", "sub/b": "b", "sub/deep/.hidden": "h", "old": "old", "to-a": "a", "sub/up": "a"}),
		Products:  artifacts(map[string]string{"a": "changed", "sub/b": "b", "sub/c": "a", "sub/deep/.hidden": "h", "to-a": "changed", "sub/up": "changed"}),
		Stdout:    Output{Kept: []byte("g")}, Stderr: Output{Kept: []byte("oops\n")},
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	// The next one sees what this one left.
	next, err := i.Run(t.Context(), []string{"true"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Products, next.Materials); diff != "" {
		t.Errorf("materials of the next inspection (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, snapshot(t, folder)); diff != "" {
		t.Errorf("the folder was changed (-before +after):\n%s", diff)
	}
}

// Each row breaks one thing about a command, and is a failure.
func TestCommandFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		run    []string
		change func(*Config)
		found  string
		code   int
	}{
		"exit code":        {run: []string{"sh", "-c", "exit 3"}, found: "sh ended with exit code 3, expected 0", code: 3},
		"signal":           {run: []string{"sh", "-c", "kill -9 $$"}, found: "sh could not be run to its end", code: -1},
		"no program":       {run: []string{"no-such-program"}, found: "there is no program no-such-program in the PATH"},
		"no file":          {run: []string{"/nonexistent/cmd"}, found: "there is no program /nonexistent/cmd"},
		"no file inside":   {run: []string{"./scripts/none"}, found: "there is no program ./scripts/none"},
		"not executable":   {run: []string{"./"}, found: "./ could not be run to its end"},
		"in the folder":    {run: []string{"tool"}, change: func(c *Config) { c.Path = ".::bin:/usr/bin" }, found: "there is no program tool in the PATH"},
		"time":             {run: []string{"sleep", "60"}, change: func(c *Config) { c.Timeout = 50 * time.Millisecond }, found: "sleep did not end within 50ms", code: -1},
		"process left":     {run: []string{"sh", "-c", "sleep 60 &"}, found: "sh ended and left processes behind"},
		"link out":         {run: []string{"ln", "-s", "/etc/passwd", "x"}, found: "x is a link that leads out"},
		"link up":          {run: []string{"ln", "-s", "../home", "x"}, found: "x is a link that leads out"},
		"pipe":             {run: []string{"mkfifo", "x"}, found: "x is neither a file, nor a folder, nor a link"},
		"too many entries": {run: []string{"touch", "1", "2", "3", "4", "5"}, change: func(c *Config) { c.Limits.Entries = 6 }, found: "there are more than 6 files and folders"},
		"too many bytes":   {run: []string{"sh", "-c", "echo 1234567 > x"}, change: func(c *Config) { c.Limits.Bytes = 12 }, found: "the files have more than 12 bytes"},
		"no command":       {run: nil, found: "the inspection has no command"},
		"empty command":    {run: []string{"", "x"}, found: "the inspection has no command"},
		"unknown built-in": {run: []string{"signatus:execute", "sh"}, found: "signatus:execute sh is no built-in inspection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInspector(t, files(t, map[string]string{"tool": "#!/bin/sh\n", "bin/a": "x"}), func(config *Config) {
				config.Limits = DefaultLimits()
				if c.change != nil {
					c.change(config)
				}
			})
			record, err := i.Run(t.Context(), c.run)
			failure, ok := errors.AsType[*Failure](err)
			if !ok || !strings.HasPrefix(failure.Found, c.found) || failure.Next == "" {
				t.Errorf("got %v, want a failure %q", err, c.found)
			}
			if record.ExitCode != c.code {
				t.Errorf("exit code is %d, want %d", record.ExitCode, c.code)
			}
		})
	}
}

// The limits' other side.
func TestLimitsAllow(t *testing.T) {
	t.Parallel()
	i := newInspector(t, files(t, map[string]string{"a": "12345"}), func(c *Config) { c.Limits = Limits{Entries: 2, Bytes: 10} })
	if _, err := i.Run(t.Context(), []string{"sh", "-c", "printf 67890 > b"}); err != nil {
		t.Error(err)
	}
}

func TestCommandNeedsPermission(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	i := newInspector(t, files(t, nil), func(c *Config) { c.AllowCommands = false })
	if _, err := i.Run(t.Context(), []string{"touch", mark}); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("got %v, want %v", err, ErrNotAllowed)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("it ran")
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	t.Log("the caller's own has", len(os.Environ()), "variables")
	i := newInspector(t, files(t, nil), func(c *Config) { c.Path = "/usr/bin:relative::/bin" })
	record, err := i.Run(t.Context(), []string{"sh", "-c", `env | sort; find "$HOME" "$TMPDIR" -mindepth 1; pwd`})
	if err != nil {
		t.Fatal(err)
	}
	scratch := i.scratch.folder
	want := "HOME=" + scratch + "/home\nLC_ALL=C.UTF-8\nPATH=/usr/bin:/bin\nPWD=" + scratch + "/work\nTMPDIR=" + scratch + "/tmp\nTZ=UTC\n" + scratch + "/work\n"
	got := strings.ReplaceAll(string(record.Stdout.Kept), "OLDPWD=\n", "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	i := newInspector(t, files(t, nil), nil)
	record, err := i.Run(t.Context(), []string{"sh", "-c", "head -c 65537 /dev/zero; head -c 65536 /dev/zero >&2"})
	if err != nil {
		t.Fatal(err)
	}
	if len(record.Stdout.Kept) != MaxOutput || record.Stdout.Dropped != 1 || len(record.Stderr.Kept) != MaxOutput || record.Stderr.Dropped != 0 {
		t.Errorf("kept %d and %d, dropped %d and %d", len(record.Stdout.Kept), len(record.Stderr.Kept), record.Stdout.Dropped, record.Stderr.Dropped)
	}
}

// The end of the time ends what the command started, too.
func TestTimeoutEndsTheGroup(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	i := newInspector(t, files(t, nil), func(c *Config) { c.Timeout = 100 * time.Millisecond })
	if _, err := i.Run(t.Context(), []string{"sh", "-c", "(sleep 1; touch " + mark + ") & wait"}); err == nil {
		t.Error("it ended in time")
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(mark); err == nil {
		t.Error("its child lived on")
	}
}

// So does the end of the command.
func TestEndEndsTheGroup(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	i := newInspector(t, files(t, nil), nil)
	if _, err := i.Run(t.Context(), []string{"sh", "-c", "(sleep 1; touch " + mark + ") >/dev/null 2>&1 &"}); err != nil {
		t.Error(err)
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(mark); err == nil {
		t.Error("its child lived on")
	}
}

// What cannot be copied whole cannot be decided: it is no failure.
func TestFolderRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contents map[string]string
		limits   Limits
		found    string
	}{
		"absolute link":    {contents: map[string]string{"x": "-> /etc/passwd"}, found: "x: it is a link that leads out of the folder, to /etc/passwd"},
		"link up":          {contents: map[string]string{"sub/x": "-> ../../y"}, found: "sub/x: it is a link that leads out of the folder, to ../../y"},
		"link over a link": {contents: map[string]string{"a/b/c": "", "sub/x": "-> ../l/../../y", "l": "-> a/b"}, found: "sub/x: it is a link that leads out of the folder, to ../l/../../y"},
		"out over a link":  {contents: map[string]string{"a/l": "-> ..", "x": "-> a/b/l/l/../y", "a/b/l": "-> ../../a"}, found: "x: it is a link that cannot be followed: path escapes from parent"},
		"loop":             {contents: map[string]string{"x": "-> y", "y": "-> x"}, found: "x: it is a link that cannot be followed: too many levels of symbolic links"},
		"entries":          {contents: map[string]string{"a": "", "b": ""}, limits: Limits{Entries: 1, Bytes: 1}, found: "it has more than 1 entries"},
		"bytes":            {contents: map[string]string{"a": "12", "b": "34"}, limits: Limits{Entries: 5, Bytes: 3}, found: "it has more than 3 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := files(t, c.contents)
			i := newInspector(t, folder, func(config *Config) { config.Limits = c.limits })
			_, err := i.Run(t.Context(), []string{"true"})
			want := "copying " + folder + " for inspection: " + c.found
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if failure, ok := errors.AsType[*Failure](err); ok {
				t.Errorf("%v is a failure of the inspection", failure)
			}
		})
	}
	t.Run("device", func(t *testing.T) {
		t.Parallel()
		folder := files(t, nil)
		if err := syscall.Mkfifo(filepath.Join(folder, "x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := newInspector(t, folder, nil).Run(t.Context(), []string{"true"}); err == nil || !strings.HasSuffix(err.Error(), "x: it is neither a file, nor a folder, nor a link") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		if _, err := newInspector(t, filepath.Join(t.TempDir(), "none"), nil).Run(t.Context(), []string{"true"}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{
		"no folder": {}, "timeout": {Folder: ".", Timeout: -1}, "entries": {Folder: ".", Limits: Limits{Entries: -1}}, "bytes": {Folder: ".", Limits: Limits{Bytes: -1}},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A cancelled verification is undecided.
func TestCancelled(t *testing.T) {
	t.Parallel()
	cause := errors.New("interrupted")
	for name, run := range map[string][]string{"command": {"true"}, "list": {List, "a.tar"}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		_, err := newInspector(t, files(t, map[string]string{"a.tar": "x"}), nil).Run(ctx, run)
		if failure, ok := errors.AsType[*Failure](err); ok || !errors.Is(err, cause) {
			t.Errorf("%s: got %v, %v", name, err, failure)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	i := newInspector(t, files(t, nil), nil)
	time.AfterFunc(200*time.Millisecond, func() { cancel(cause) })
	if _, err := i.Run(ctx, []string{"sleep", "60"}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// A command cannot keep its scratch copy from being removed: the cleanup of
// newInspector looks.
func TestScratchIsRemoved(t *testing.T) {
	t.Parallel()
	i := newInspector(t, files(t, map[string]string{"sub/a": "a"}), nil)
	if _, err := i.Run(t.Context(), []string{"sh", "-c", "mkdir -p x/y/z && touch x/y/z/a && chmod 500 x/y/z && chmod 500 x"}); err != nil {
		t.Error(err)
	}
}
