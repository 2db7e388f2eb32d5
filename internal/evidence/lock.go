package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// lockTimeout is how long somebody else may write before it is an error. One
// write takes milliseconds.
const lockTimeout = 30 * time.Second

// lockName is the file that stands for a lock where the system cannot lock a
// folder itself.
const lockName = ".signatus.lock"

// errBusy says that somebody else holds the lock; errNoLocks that the system has
// none for folders.
var (
	errBusy    = errors.New("another signatus writes there")
	errNoLocks = errors.New("folders cannot be locked here")
)

// lock makes this the only writer of bundles in a folder until unlock is called.
func lock(ctx context.Context, folder string) (unlock func(), err error) {
	return lockWith(ctx, folder, lockFolder)
}

func lockWith(ctx context.Context, folder string, try func(string) (func(), error)) (unlock func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for {
		unlock, err = try(folder)
		if errors.Is(err, errNoLocks) {
			try = lockFile
			continue
		}
		if !errors.Is(err, errBusy) {
			return unlock, err
		}
		pause := time.NewTimer(5*time.Millisecond + rand.N(20*time.Millisecond)) //nolint:gosec // jitter is no secret
		select {
		case <-pause.C:
		case <-waiting.Done():
			pause.Stop()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, err
		}
	}
}

// lockFile takes a lock that is a file. Whoever dies with it leaves it behind.
func lockFile(folder string) (unlock func(), err error) {
	path := filepath.Join(folder, lockName)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w, or was stopped and left %s behind", errBusy, path)
	}
	if err != nil {
		return nil, err
	}
	// An unlock that fails is the next one's error, which names the file.
	return func() { _ = os.Remove(path) }, file.Close()
}
