package gitrepo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// objects256 are objects that are named by SHA-256, loose or packed.
type objects256 struct {
	folder string
	packs  []*pack256
	listed bool
}

func (s *objects256) object(id string, limit int64) (gitobject.Raw, error) {
	raw, err := s.loose(id, limit)
	if !errors.Is(err, gitobject.ErrMissing) {
		return raw, err
	}
	for again := range 2 {
		if err := s.list(again == 1); err != nil { // git may have packed meanwhile
			return gitobject.Raw{}, err
		}
		for _, p := range s.packs {
			raw, err := p.object(id, limit)
			if !errors.Is(err, gitobject.ErrMissing) {
				return raw, err
			}
		}
	}
	return gitobject.Raw{}, gitobject.ErrMissing
}

func (s *objects256) kind(id string) (gitobject.Kind, error) {
	raw, err := s.object(id, rememberedObject)
	return raw.Kind, err
}

// loose reads an object that is a file of its own.
//
// "a loose object … is zlib-deflated, and begins with its type, a space, its length in
// decimal and a zero byte" (gitformat-loose(5), in other words)
func (s *objects256) loose(id string, limit int64) (gitobject.Raw, error) {
	file, err := os.Open(filepath.Join(s.folder, id[:2], id[2:]))
	if errors.Is(err, fs.ErrNotExist) {
		return gitobject.Raw{}, gitobject.ErrMissing
	}
	if err != nil {
		return gitobject.Raw{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	inflated, err := zlib.NewReader(file)
	if err != nil {
		return gitobject.Raw{}, err
	}
	in := bufio.NewReader(inflated)
	header, err := in.ReadSlice(0)
	if err != nil {
		return gitobject.Raw{}, fmt.Errorf("reading its header: %w", err)
	}
	kind, length, _ := strings.Cut(string(header[:len(header)-1]), " ")
	size, err := strconv.ParseInt(length, 10, 64)
	switch {
	case err != nil || size < 0:
		return gitobject.Raw{}, fmt.Errorf("reading its header: %.40q is no length", length)
	case size > limit:
		return gitobject.Raw{}, tooLarge(size, limit)
	}
	data, err := exactly(in, size)
	return gitobject.Raw{Kind: gitobject.Kind(kind), Data: data}, err
}

// exactly reads so many bytes, after which there must be none.
func exactly(in io.Reader, size int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, size+1))
	if err == nil && int64(len(data)) != size {
		err = fmt.Errorf("it has other than the %d bytes that it says", size)
	}
	return data, err
}

// list finds the packs, once or anew.
func (s *objects256) list(anew bool) error {
	if s.listed && !anew {
		return nil
	}
	names, err := fs.Glob(os.DirFS(s.folder), "pack/pack-*.idx")
	if err != nil {
		return fmt.Errorf("listing packs: %w", err)
	}
	for _, name := range names {
		base := filepath.Join(s.folder, strings.TrimSuffix(filepath.FromSlash(name), ".idx"))
		if !slices.ContainsFunc(s.packs, func(p *pack256) bool { return p.base == base }) {
			s.packs = append(s.packs, &pack256{base: base})
		}
	}
	s.listed = true
	return nil
}

func (s *objects256) beginning(prefix string) ([]string, error) {
	if err := s.list(true); err != nil {
		return nil, err
	}
	var found []string
	loose, err := os.ReadDir(filepath.Join(s.folder, prefix[:2]))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, l := range loose {
		if id := prefix[:2] + l.Name(); strings.HasPrefix(id, prefix) && gitobject.ValidID(id) {
			found = append(found, id)
		}
	}
	for _, p := range s.packs {
		packed, err := p.beginning(prefix)
		if err != nil {
			return nil, err
		}
		found = append(found, packed...)
	}
	return found, nil
}

func decoded(prefix string) ([]byte, error) { return hex.DecodeString(prefix[:len(prefix)/2*2]) }

// inflate reads a deflated part of a pack, of a known length.
func inflate(at io.Reader, size int64) ([]byte, error) {
	in, err := zlib.NewReader(at)
	if err != nil {
		return nil, err
	}
	return exactly(in, size)
}

// patch applies a delta to what it is based on.
//
// "The delta data starts with the size of the base object and the size of the object
// to be reconstructed. … bit 7 set: copy from base object … bits 0-3 offset bytes, bits
// 4-6 size bytes; size zero is automatically converted to 0x10000. … bit 7 unset: add
// new data" (gitformat-pack(5))
func patch(base, delta []byte, limit int64) ([]byte, error) {
	in := bytes.NewReader(delta)
	from, err := varint(in)
	if err != nil || from != int64(len(base)) {
		return nil, errors.New("a delta is for a base of another size")
	}
	size, err := varint(in)
	if err != nil || size < 0 {
		return nil, errors.New("a delta is damaged")
	}
	if size > limit {
		return nil, tooLarge(size, limit)
	}
	out := make([]byte, 0, size)
	for in.Len() > 0 {
		part, err := instruction(in, base)
		if err != nil {
			return nil, err
		}
		if int64(len(out)+len(part)) > size {
			return nil, errors.New("a delta makes more than it says")
		}
		out = append(out, part...)
	}
	if int64(len(out)) != size {
		return nil, errors.New("a delta makes less than it says")
	}
	return out, nil
}

// instruction gives the bytes of one instruction of a delta.
func instruction(in *bytes.Reader, base []byte) ([]byte, error) {
	op, err := in.ReadByte()
	switch {
	case err != nil || op == 0:
		return nil, errors.New("a delta has an instruction that there is not")
	case op&0x80 == 0:
		part := make([]byte, op)
		if _, err := io.ReadFull(in, part); err != nil {
			return nil, errors.New("a delta is cut off")
		}
		return part, nil
	}
	var offset, size int
	for bit := range 7 {
		if op&(1<<bit) == 0 {
			continue
		}
		b, err := in.ReadByte()
		if err != nil {
			return nil, errors.New("a delta is cut off")
		}
		if bit < 4 {
			offset |= int(b) << (8 * bit)
		} else {
			size |= int(b) << (8 * (bit - 4))
		}
	}
	if size == 0 {
		size = 0x10000
	}
	if offset+size > len(base) {
		return nil, errors.New("a delta copies what is not in its base")
	}
	return base[offset : offset+size], nil
}

// varint is a number whose bytes each say whether another one follows, the lowest
// seven bits first.
func varint(in io.ByteReader) (int64, error) {
	var value int64
	for shift := 0; shift < 63; shift += 7 {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		value |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			return value, nil
		}
	}
	return 0, errors.New("a number is too large")
}
