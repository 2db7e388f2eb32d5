package gitrepo

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
)

// errReftable says that refs are kept in a way that is not read.
var errReftable = errors.New("the repository keeps its refs in a reftable, which this version cannot read")

// Folder is the folder of the working tree, or of a bare repository itself.
func (r *Repository) Folder() string { return cmp.Or(r.root, r.common) }

// Ref gives the name of the object that a ref names, such as
// refs/notes/attestations. Nothing is known of that object. Where there is no such
// ref, the error is [io/fs.ErrNotExist].
func (r *Repository) Ref(name string) (string, error) {
	if exists(filepath.Join(r.common, "reftable")) {
		return "", fmt.Errorf("reading %s: %w", name, errReftable)
	}
	id, err := r.ref(name)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return id, nil
}

// Shallow tells whether the clone was cut off: it may lack commits that others have.
func (r *Repository) Shallow() bool { return exists(filepath.Join(r.common, "shallow")) }
