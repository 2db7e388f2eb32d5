//go:build unix

package gitrepo

import (
	"os"
	"syscall"
)

// giveTo gives a file or folder to the owner of another one, where that is somebody
// else: in a container this runs as root, in a repository of the runner's, and git
// must be able to write there afterwards. Where it is not allowed, nothing changes.
func giveTo(path, like string) {
	info, err := os.Stat(like)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
		_ = os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}
}
