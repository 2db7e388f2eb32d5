package gitrepo

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Bounds of deltas: how many may be based on one another, as git bounds it, and the
// bytes of what they are based on.
const (
	maxDeltas    = 4095
	maxBaseBytes = 64 << 20
)

// pack256 is a pack whose objects are named by SHA-256, with its index.
type pack256 struct {
	base string // the path without .idx and .pack
}

// index is the open index of a pack.
//
// "A 4-byte magic number \377tOc … a 4-byte version number (= 2) … a 256-entry fan-out
// table … a table of sorted object names … a table of 4-byte CRC32 values … a table of
// 4-byte offset values … a table of 8-byte offset entries (empty for pack files less
// than 2 GiB)" (gitformat-pack(5), version 2 pack-*.idx)
type index struct {
	file  *os.File
	fan   [256]uint32
	count int64
}

const (
	indexHead = 8
	fanBytes  = 256 * 4
)

func (p *pack256) open() (*index, error) {
	file, err := os.Open(p.base + ".idx")
	if err != nil {
		return nil, err
	}
	x := &index{file: file}
	var head [indexHead + fanBytes]byte
	if _, err = file.ReadAt(head[:], 0); err == nil && !bytes.Equal(head[:indexHead], []byte("\xfftOc\x00\x00\x00\x02")) {
		err = errors.New("it is no index of version 2")
	}
	for i := range x.fan {
		x.fan[i] = binary.BigEndian.Uint32(head[indexHead+4*i:])
		if i > 0 && x.fan[i] < x.fan[i-1] {
			err = errors.New("it is damaged")
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s.idx: %w", p.base, err), file.Close())
	}
	x.count = int64(x.fan[255])
	return x, nil
}

// name gives the name at a place of the index.
func (x *index) name(at int64) (string, error) {
	var name [sha256.Size]byte
	if _, err := x.file.ReadAt(name[:], indexHead+fanBytes+at*sha256.Size); err != nil {
		return "", fmt.Errorf("reading an index: %w", err)
	}
	return hex.EncodeToString(name[:]), nil
}

// first is the first place whose name is not before a prefix of at least two digits.
func (x *index) first(prefix string) (place int64, err error) {
	whole, err := hex.DecodeString(prefix[:2])
	if err != nil {
		return 0, err
	}
	low := int64(0)
	if whole[0] > 0 {
		low = int64(x.fan[whole[0]-1])
	}
	high := int64(x.fan[whole[0]])
	found := sort.Search(int(high-low), func(i int) bool {
		name, failed := x.name(low + int64(i))
		if failed != nil {
			err = failed
		}
		return name >= prefix
	})
	return low + int64(found), err
}

// offset is where an object lies in the pack.
func (x *index) offset(id string) (int64, error) {
	at, err := x.first(id)
	if err != nil {
		return 0, err
	}
	if at >= x.count {
		return 0, gitobject.ErrMissing
	}
	if name, err := x.name(at); err != nil || name != id {
		return 0, errors.Join(err, gitobject.ErrMissing)
	}
	offsets := indexHead + fanBytes + x.count*(sha256.Size+4)
	var short [4]byte
	if _, err := x.file.ReadAt(short[:], offsets+4*at); err != nil {
		return 0, fmt.Errorf("reading an index: %w", err)
	}
	value := binary.BigEndian.Uint32(short[:])
	if value&(1<<31) == 0 {
		return int64(value), nil
	}
	var long [8]byte
	if _, err := x.file.ReadAt(long[:], offsets+4*x.count+8*int64(value&^(1<<31))); err != nil {
		return 0, fmt.Errorf("reading an index: %w", err)
	}
	far := binary.BigEndian.Uint64(long[:])
	if far > math.MaxInt64 {
		return 0, errors.New("reading an index: an offset is too large")
	}
	return int64(far), nil
}

func (p *pack256) beginning(prefix string) (ids []string, err error) {
	x, err := p.open()
	if err != nil {
		return nil, err
	}
	defer x.file.Close() //nolint:errcheck // it was only read
	at, err := x.first(prefix)
	for ; err == nil && at < x.count && len(ids) <= maxSharing; at++ {
		name, failed := x.name(at)
		if failed != nil || len(name) < len(prefix) || name[:len(prefix)] != prefix {
			return ids, failed
		}
		ids = append(ids, name)
	}
	return ids, err
}

func (p *pack256) object(id string, limit int64) (gitobject.Raw, error) {
	x, err := p.open()
	if err != nil {
		return gitobject.Raw{}, err
	}
	defer x.file.Close() //nolint:errcheck // it was only read
	offset, err := x.offset(id)
	if err != nil {
		return gitobject.Raw{}, err
	}
	file, err := os.Open(p.base + ".pack")
	if err != nil {
		return gitobject.Raw{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	raw, err := (&unpacking{index: x, pack: file}).at(offset, limit)
	if errors.Is(err, gitobject.ErrMissing) {
		err = errors.New("a delta is based on an object that is not in the pack")
	}
	return raw, err
}

// unpacking reads one object of a pack.
type unpacking struct {
	index *index
	pack  *os.File
}

// delta is a change to the object before it in a chain.
type delta struct {
	data []byte
	size int64 // how much the result may have
}

// at reads the object at an offset: what it is based on first, and then each change.
func (u *unpacking) at(offset, limit int64) (gitobject.Raw, error) {
	var deltas []delta
	for range maxDeltas {
		entry, err := u.entry(offset)
		if err != nil {
			return gitobject.Raw{}, err
		}
		most := limit
		if len(deltas) > 0 {
			most = max(limit, maxBaseBytes)
		}
		if entry.kind != "" {
			if entry.size > most {
				return gitobject.Raw{}, tooLarge(entry.size, most)
			}
			data, err := inflate(entry.content, entry.size)
			for i := len(deltas) - 1; i >= 0 && err == nil; i-- {
				data, err = patch(data, deltas[i].data, deltas[i].size)
			}
			return gitobject.Raw{Kind: entry.kind, Data: data}, err
		}
		if entry.size > maxBaseBytes {
			return gitobject.Raw{}, tooLarge(entry.size, maxBaseBytes)
		}
		data, err := inflate(entry.content, entry.size)
		if err != nil {
			return gitobject.Raw{}, err
		}
		deltas = append(deltas, delta{data, most})
		offset = entry.base
	}
	return gitobject.Raw{}, fmt.Errorf("more than %d deltas are based on one another", maxDeltas)
}

// packed is the head of an entry.
type packed struct {
	kind    gitobject.Kind // empty for a delta
	size    int64
	base    int64 // where a delta's base lies
	content io.Reader
}

// entry reads the head of the entry at an offset.
//
// "OBJ_OFS_DELTA … an offset of the delta base object relative to the current one …
// OBJ_REF_DELTA … base object name" (gitformat-pack(5))
func (u *unpacking) entry(offset int64) (packed, error) {
	if offset <= 0 {
		return packed{}, errors.New("a delta is based on what is before the pack")
	}
	in := bufio.NewReader(io.NewSectionReader(u.pack, offset, math.MaxInt64-offset))
	first, err := in.ReadByte()
	if err != nil {
		return packed{}, fmt.Errorf("reading a pack: %w", err)
	}
	e := packed{size: int64(first & 0x0f), content: in}
	if first&0x80 != 0 {
		more, err := varint(in)
		if err != nil || more > math.MaxInt64>>4 {
			return packed{}, errors.New("reading a pack: an entry's length is damaged")
		}
		e.size |= more << 4
	}
	const offsetDelta, nameDelta = 6, 7
	switch kind := first >> 4 & 7; kind {
	case 1, 2, 3, 4:
		e.kind = []gitobject.Kind{1: gitobject.CommitKind, 2: gitobject.TreeKind, 3: gitobject.BlobKind, 4: gitobject.TagKind}[kind]
	case offsetDelta:
		back, err := offsetBack(in)
		if err != nil {
			return packed{}, err
		}
		e.base = offset - back
	case nameDelta:
		var name [sha256.Size]byte
		if _, err := io.ReadFull(in, name[:]); err != nil {
			return packed{}, fmt.Errorf("reading a pack: %w", err)
		}
		if e.base, err = u.index.offset(hex.EncodeToString(name[:])); err != nil {
			return packed{}, err
		}
	default:
		return packed{}, fmt.Errorf("reading a pack: there is no kind %d of entry", kind)
	}
	return e, nil
}

// offsetBack is how far back a delta's base lies.
//
// "n bytes with MSB set in all but the last one. The offset is then the number
// constructed by concatenating the lower 7 bits of each byte, and for n >= 2 adding
// 2^7 + 2^14 + ... + 2^(7*(n-1)) to the result." (gitformat-pack(5))
func offsetBack(in io.ByteReader) (int64, error) {
	var back int64
	for range 9 {
		b, err := in.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("reading a pack: %w", err)
		}
		back = back<<7 | int64(b&0x7f)
		if b&0x80 == 0 {
			return back, nil
		}
		back++
	}
	return 0, errors.New("reading a pack: an offset is too large")
}
