package gitrepo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// store reads one folder of objects. What it gives is not checked.
type store interface {
	// object gives an object of at most limit bytes, or gitobject.ErrMissing.
	object(id string, limit int64) (gitobject.Raw, error)
	// kind tells what an object says it is, without reading it.
	kind(id string) (gitobject.Kind, error)
	// beginning lists the objects whose names begin with an even number of digits.
	beginning(prefix string) ([]string, error)
}

// newStore reads the objects of a folder: go-git's reader where they are named by
// SHA-1, and our own where by SHA-256, which go-git cannot read.
func newStore(objects string, digits int) store {
	if digits == 2*sha256.Size {
		return &objects256{folder: objects}
	}
	disk := dotgit.New(osfs.New(filepath.Dir(objects), osfs.WithBoundOS()))
	return &objects1{filesystem.NewObjectStorageWithOptions(disk, cache.NewObjectLRU(rememberedObject),
		filesystem.Options{LargeObjectThreshold: rememberedObject})}
}

// objects1 are objects that are named by SHA-1. What is larger than remembered is
// read from the disk only when it is asked for, after its size.
type objects1 struct{ *filesystem.ObjectStorage }

func (s *objects1) object(id string, limit int64) (gitobject.Raw, error) {
	object, err := s.find(id)
	if err != nil {
		return gitobject.Raw{}, err
	}
	if object.Size() > limit {
		return gitobject.Raw{}, tooLarge(object.Size(), limit)
	}
	content, err := object.Reader()
	if err != nil {
		return gitobject.Raw{}, err
	}
	defer content.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(content, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes, which is the most that is read", limit)
	}
	return gitobject.Raw{Kind: gitobject.Kind(object.Type().String()), Data: data}, err
}

func (s *objects1) find(id string) (plumbing.EncodedObject, error) {
	name := plumbing.NewHash(id)
	err := s.HasEncodedObject(name)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, gitobject.ErrMissing
	}
	if err != nil {
		return nil, err
	}
	return s.EncodedObject(plumbing.AnyObject, name)
}

func (s *objects1) kind(id string) (gitobject.Kind, error) {
	object, err := s.find(id)
	if err != nil {
		return "", err
	}
	return gitobject.Kind(object.Type().String()), nil
}

func (s *objects1) beginning(prefix string) (ids []string, err error) {
	whole, err := decoded(prefix)
	if err != nil {
		return nil, err
	}
	hashes, err := s.HashesWithPrefix(whole)
	for _, h := range hashes {
		ids = append(ids, h.String())
	}
	return ids, err
}

func tooLarge(size, limit int64) error {
	return fmt.Errorf("it has %d bytes, at most %d are read", size, limit)
}

// digitsOf tells by the name of any pack or loose object how many digits a folder's
// objects are named by; 0 where there is none.
func digitsOf(folder string) (int, error) {
	objects := os.DirFS(folder)
	packs, err := fs.Glob(objects, "pack/pack-*.pack")
	if err != nil {
		return 0, fmt.Errorf("listing packs: %w", err)
	}
	for _, pack := range packs {
		if digits := len(pack) - len("pack/pack-.pack"); knownDigits(digits) {
			return digits, nil
		}
	}
	fans, err := fs.Glob(objects, "[0-9a-f][0-9a-f]")
	if err != nil {
		return 0, fmt.Errorf("listing objects: %w", err)
	}
	for _, fan := range fans {
		loose, err := fs.ReadDir(objects, fan)
		if err != nil {
			return 0, fmt.Errorf("listing objects: %w", err)
		}
		for _, l := range loose {
			if digits := len(fan) + len(l.Name()); knownDigits(digits) && strings.Trim(l.Name(), "0123456789abcdef") == "" {
				return digits, nil
			}
		}
	}
	return 0, nil
}

func knownDigits(digits int) bool {
	return digits == 2*len(plumbing.ZeroHash) || digits == 2*sha256.Size
}
