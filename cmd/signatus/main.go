// Command signatus says who must have signed what, and holds releases to it.
package main

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/signatus-dev/signatus/internal/command"
)

// version is set by the linker for a release.
var version = "devel"

func main() {
	collectLater()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command.Run(ctx, command.Env{
		Args: os.Args[1:], Getenv: os.Getenv, Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		FS: disk{}, Now: time.Now(), HTTP: http.DefaultClient, CacheDir: cacheDir(),
		StdoutIsTerminal: isTerminal(os.Stdout), StderrIsTerminal: isTerminal(os.Stderr),
		Version: version,
	})
	stop()
	os.Exit(command.ExitCode(err))
}

// collectLater has the first garbage collection wait until the heap has 32 MiB in
// place of 4, which a run over a few bundles never reaches: a tenth of its time went
// into collections that freed next to nothing (docs/performance.md). From the first
// one on, memory is kept as it always is.
func collectLater() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(800)
	type sentinel struct{ _ *byte }
	runtime.SetFinalizer(new(sentinel), func(*sentinel) { debug.SetGCPercent(usual) })
}

// disk opens paths as they were typed.
type disk struct{}

func (disk) Open(name string) (fs.File, error)          { return os.Open(name) }
func (disk) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (disk) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// cacheDir is this program's folder below the user's cache, or nowhere.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "signatus")
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
