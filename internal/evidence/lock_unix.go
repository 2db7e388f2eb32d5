//go:build unix && !solaris && !aix

package evidence

import (
	"errors"
	"os"
	"syscall"
)

// lockFolder takes the system's own lock on a folder, which ends with the process
// and leaves nothing behind.
func lockFolder(folder string) (unlock func(), err error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return func() { _ = dir.Close() }, nil
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		err = errBusy
	case errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EINVAL):
		err = errNoLocks
	}
	return nil, errors.Join(err, dir.Close())
}
