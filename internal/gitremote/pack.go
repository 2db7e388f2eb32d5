package gitremote

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1" //nolint:gosec // the pack format's own checksum
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// maxPackBytes bounds a pack that is sent.
const maxPackBytes = 256 << 20

// writePack writes objects as a pack.
//
// "4-byte signature: 'P', 'A', 'C', 'K'; 4-byte version number; 4-byte number of
// objects contained in the pack … (undeltified representation) n-byte type and length
// (3-bit type, (n-1)*7+4-bit length), compressed data … pack checksum of all of the
// above" (gitformat-pack(5))
func writePack(ctx context.Context, to *bytes.Buffer, source gitobject.Source, objects []object) error {
	start := to.Len()
	to.WriteString("PACK")
	to.Write(binary.BigEndian.AppendUint32(nil, 2))
	to.Write(binary.BigEndian.AppendUint32(nil, uint32(len(objects)))) //nolint:gosec // at most maxObjects
	for _, o := range objects {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		data, err := gitobject.ReadObject(source, o.kind, o.id, o.limit())
		if err != nil {
			return err
		}
		to.Write(packHeader(o.kind, len(data)))
		w := zlib.NewWriter(to)
		_, err = w.Write(data)
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
		if to.Len()-start > maxPackBytes {
			return fmt.Errorf("more than %d MiB to send; next: push with  git push REMOTE refs/notes/attestations", maxPackBytes>>20)
		}
	}
	sum := sha1.Sum(to.Bytes()[start:]) //nolint:gosec // the pack format's own checksum
	to.Write(sum[:])
	return nil
}

// packHeader is an object's type and length.
func packHeader(kind gitobject.Kind, size int) []byte {
	types := map[gitobject.Kind]byte{gitobject.CommitKind: 1, gitobject.TreeKind: 2, gitobject.BlobKind: 3, gitobject.TagKind: 4}
	header := []byte{types[kind]<<4 | byte(size&0x0f)}
	for size >>= 4; size > 0; size >>= 7 {
		header[len(header)-1] |= 0x80
		header = append(header, byte(size&0x7f))
	}
	return header
}
