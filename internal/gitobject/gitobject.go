// Package gitobject reads raw git objects and believes none before its bytes hash
// to its name. It opens no repository: its caller brings the bytes, and may be
// wrong about every one of them.
//
// An object's name is the hash of its kind, its length and its bytes. A commit
// names a tree, a tree names trees and blobs, so whoever knows the name of a
// commit knows every file in it, wherever the bytes came from:
//
//	data, err := gitobject.ReadFile(repository.Object, base, "layouts/release.yml", 4<<20)
//
// Names are SHA-1 (40 hex digits), hashed with the detection of known collision
// attacks, or SHA-256 (64).
package gitobject

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/pjbgf/sha1cd"
)

// Kind is what an object is, as git writes it.
type Kind string

// The kinds of objects.
const (
	CommitKind Kind = "commit"
	TreeKind   Kind = "tree"
	BlobKind   Kind = "blob"
	TagKind    Kind = "tag"
)

// Raw is an object as a repository hands it out. Nothing is known of it until
// [Raw.Check].
type Raw struct {
	Kind Kind
	Data []byte // inflated, without git's header
}

// Source hands out the raw object of a name, or an error that is [ErrMissing]
// where there is none. One of more than limit bytes is an error, and is not read.
type Source func(id string, limit int64) (Raw, error)

// ErrMissing says that a repository does not have an object.
var ErrMissing = errors.New("the object is not in the repository")

// ValidID tells whether s is the full name of an object: 40 or 64 lower-case hex
// digits that are not all zero, which is how git writes "none".
func ValidID(s string) bool {
	if len(s) != 2*sha1cd.Size && len(s) != 2*sha256.Size {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == "" && strings.Trim(s, "0") != ""
}

// Check refuses an object whose kind and bytes do not hash to id.
func (r Raw) Check(id string) error {
	if !ValidID(id) {
		return fmt.Errorf("checking object %.80q: expected 40 or 64 lower-case hex digits", id)
	}
	sum, err := r.sum(len(id))
	if err != nil {
		return fmt.Errorf("checking object %s: %w", id, err)
	}
	if found := hex.EncodeToString(sum); found != id {
		return fmt.Errorf("checking object %s: its bytes hash to %s: the repository is damaged or was tampered with", id, found)
	}
	return nil
}

// sum is the hash of "KIND LENGTH", a zero byte and the bytes.
func (r Raw) sum(digits int) ([]byte, error) {
	header := fmt.Appendf(nil, "%s %d\x00", r.Kind, len(r.Data))
	if digits == 2*sha256.Size {
		h := sha256.New()
		h.Write(header)
		h.Write(r.Data)
		return h.Sum(nil), nil
	}
	return sumSHA1(header, r.Data)
}

// sumSHA1 refuses what one of the known attacks on SHA-1 made, as git does: two
// such objects could share a name.
func sumSHA1(parts ...[]byte) ([]byte, error) {
	h, ok := sha1cd.New().(sha1cd.CollisionResistantHash)
	if !ok {
		return nil, errors.New("the SHA-1 at hand detects no collisions")
	}
	for _, part := range parts {
		h.Write(part)
	}
	sum, collides := h.CollisionResistantSum(nil)
	if collides {
		return nil, errors.New("it was made to collide with another object (an attack on SHA-1)")
	}
	return sum, nil
}
