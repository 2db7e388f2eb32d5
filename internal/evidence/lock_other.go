//go:build !unix || solaris || aix

package evidence

// lockFolder has no lock of the system's.
func lockFolder(string) (unlock func(), err error) { return nil, errNoLocks }
