//go:build unix

package gitrepo

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOwner gives what root writes to the repository's owner: in a container this
// runs as root, in a repository of the runner's. Elsewhere both are one anyway.
func TestOwner(t *testing.T) {
	t.Parallel()
	r := opened(t)
	const somebody = 12345
	if os.Geteuid() == 0 {
		for _, path := range []string{r.common, filepath.Join(r.common, "objects"), filepath.Join(r.common, "refs")} {
			if err := os.Chown(path, somebody, somebody); err != nil {
				t.Fatal(err)
			}
		}
	}
	id := r.put(t, "text\n")
	if err := r.MoveRef(t.Context(), "refs/notes/attestations", "", id); err != nil {
		t.Fatal(err)
	}
	want := owner(t, r.common)
	for _, name := range []string{"objects/" + id[:2], "objects/" + id[:2] + "/" + id[2:], "refs/notes", "refs/notes/attestations"} {
		if got := owner(t, filepath.Join(r.common, name)); got != want {
			t.Errorf("%s belongs to %d, expected %d", name, got, want)
		}
	}
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}
