package gitrepo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// MaxPackBytes bounds a pack that is taken from elsewhere.
const MaxPackBytes = 256 << 20

// WritePack keeps the objects of a pack, which must be complete in itself. Their
// names are what they hash to, whatever the pack's maker meant. A pack that is cut
// off or damaged leaves nothing behind.
func (r *Repository) WritePack(pack io.Reader) error {
	if err := r.writePack(pack); err != nil {
		return fmt.Errorf("keeping a pack of objects: %w", err)
	}
	return nil
}

func (r *Repository) writePack(pack io.Reader) (err error) {
	if r.digits != 2*len(plumbing.ZeroHash) {
		return errors.New("the repository names its objects by SHA-256, and packs of those are read only")
	}
	folder := filepath.Join(r.common, "objects", "pack")
	if err := r.folder(folder); err != nil {
		return err
	}
	temporary := filepath.Join(folder, "tmp_pack_"+rand.Text())
	file, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(temporary))
		}
	}()
	n, err := io.Copy(file, io.LimitReader(pack, MaxPackBytes+1))
	if err == nil && n > MaxPackBytes {
		err = fmt.Errorf("more than %d MiB, which is the most that is taken", MaxPackBytes>>20)
	}
	if err != nil {
		return err
	}
	index, err := indexPack(file)
	if err != nil {
		return err
	}
	// The index is there before its pack can be found by it, and both are whole.
	base := filepath.Join(folder, fmt.Sprintf("pack-%x", index.PackfileChecksum))
	if err := errors.Join(writeIndex(base+".idx", index), file.Sync()); err != nil {
		return err
	}
	giveTo(base+".idx", r.common)
	giveTo(temporary, r.common)
	if err := os.Rename(temporary, base+".pack"); err != nil {
		return err
	}
	r.stores[0] = newStore(filepath.Dir(folder), r.digits) // it remembers which packs there were
	return nil
}

// indexPack names every object of a pack.
func indexPack(file *os.File) (index *idxfile.MemoryIndex, err error) {
	defer func() { // a damaged pack is not the parser's mistake, nor the caller's end
		if p := recover(); p != nil {
			err = fmt.Errorf("reading it: %v", p)
		}
	}()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	writer := new(idxfile.Writer)
	parser, err := packfile.NewParser(packfile.NewScanner(file), writer)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(); err != nil {
		return nil, err
	}
	return writer.Index()
}

func writeIndex(path string, index *idxfile.MemoryIndex) error {
	file, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o444)
	if err != nil {
		return err
	}
	_, err = idxfile.NewEncoder(file).Encode(index)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path+".tmp"))
	}
	return nil
}
