package inspection

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// A zip archive names its members twice: in its central directory, and in a local
// header before each content. Tools that read from a pipe go by the second, and so
// unpack what the first does not list.
//
// "[local file header 1] [file data 1] [data descriptor 1] … [central directory
// header 1] …" (PKWARE's APPNOTE.TXT 6.3.10, 4.3.6)
const (
	localSignature      = "PK\x03\x04"
	descriptorSignature = "PK\x07\x08"
	directorySignature  = "PK\x01\x02"
	localHeaderBytes    = 30
	flagDescriptor      = 0x8
)

// agree refuses an archive that reads otherwise from its front than from its
// directory: the local headers must stand one behind the other, from the first byte
// up to the directory, in some order, each with the directory's name, method and sizes.
func agree(files []*zip.File, archive io.ReaderAt) error {
	type placed struct {
		*zip.File
		data int64
	}
	var all []placed
	for _, f := range files {
		data, err := f.DataOffset()
		if err != nil {
			return err
		}
		all = append(all, placed{f, data})
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.data, b.data) })
	end := int64(0) // of what has been read
	for _, f := range all {
		if err := localAgrees(f.File, archive, end, f.data); err != nil {
			return err
		}
		err := contentEnds(f.File)
		if err != nil {
			return err
		}
		if end, err = behind(f.File, archive, f.data+int64(f.CompressedSize64)); err != nil { //nolint:gosec // DataOffset and the directory bound it
			return err
		}
	}
	if len(all) > 0 && !startsWith(archive, end, directorySignature) {
		return refuseArchive("bytes that are no member's stand before its directory")
	}
	return nil
}

// localAgrees holds the local header at an offset against the directory's.
func localAgrees(f *zip.File, archive io.ReaderAt, at, data int64) error {
	header := make([]byte, localHeaderBytes)
	if _, err := archive.ReadAt(header, at); err != nil || string(header[:4]) != localSignature {
		return refuseArchive("bytes that are no member's stand before the member %q", f.Name)
	}
	number := binary.LittleEndian
	flags, method := number.Uint16(header[6:]), number.Uint16(header[8:])
	name := make([]byte, number.Uint16(header[26:]))
	if _, err := archive.ReadAt(name, at+localHeaderBytes); err != nil || string(name) != f.Name {
		return refuseArchive("the member %q is called %q before its content", f.Name, name)
	}
	if at+localHeaderBytes+int64(len(name))+int64(number.Uint16(header[28:])) != data {
		return refuseArchive("bytes that are no member's stand before the member %q", f.Name)
	}
	// Sizes that stand elsewhere, behind the content or in an extra field, are told by
	// these values; where the next member begins shows them.
	sizes := []uint32{number.Uint32(header[18:]), number.Uint32(header[22:])}
	told := []uint64{f.CompressedSize64, f.UncompressedSize64}
	differs := flags != f.Flags || method != f.Method
	for i, size := range sizes {
		elsewhere := size == 0xFFFFFFFF || flags&flagDescriptor != 0 && size == 0
		differs = differs || !elsewhere && uint64(size) != told[i]
	}
	if differs {
		return refuseArchive("the member %q is described otherwise before its content than in the directory", f.Name)
	}
	return nil
}

// contentEnds refuses a content whose end a reader from the front sees elsewhere than
// the directory says: one that is stored without its size before it, and a compressed
// one that is over before its size is.
func contentEnds(f *zip.File) error {
	if f.Method == zip.Store && f.Flags&flagDescriptor != 0 && f.CompressedSize64 > 0 {
		return refuseArchive("the member %q is stored uncompressed without its size before it, and where it ends is read in several ways", f.Name)
	}
	if f.Method != zip.Deflate {
		return nil
	}
	raw, err := f.OpenRaw()
	if err != nil {
		return err
	}
	from := &byteReader{from: bufio.NewReader(raw)}
	content := flate.NewReader(from)
	defer content.Close() //nolint:errcheck // it was only read
	// What is more than the directory says ends too late, and is refused below.
	if _, err := io.CopyN(io.Discard, content, int64(f.UncompressedSize64)+1); err != nil && !errors.Is(err, io.EOF) { //nolint:gosec // it was listed, within bounds
		return err
	}
	if from.bytes != f.CompressedSize64 {
		return refuseArchive("the member %q is over before its compressed size is", f.Name)
	}
	return nil
}

// byteReader counts what was asked for: with ReadByte, flate asks for no more than
// it needs.
type byteReader struct {
	from  *bufio.Reader
	bytes uint64
}

// Read implements io.Reader.
func (c *byteReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += uint64(n) //nolint:gosec // n is no less than 0
	return n, err
}

// ReadByte implements io.ByteReader.
func (c *byteReader) ReadByte() (byte, error) {
	b, err := c.from.ReadByte()
	if err == nil {
		c.bytes++
	}
	return b, err
}

// behind skips a data descriptor: with or without a signature, with sizes of four
// bytes or of eight.
func behind(f *zip.File, archive io.ReaderAt, end int64) (int64, error) {
	if f.Flags&flagDescriptor == 0 {
		return end, nil
	}
	narrow, wide := binary.LittleEndian.AppendUint32(nil, f.CRC32), binary.LittleEndian.AppendUint32(nil, f.CRC32)
	for _, size := range []uint64{f.CompressedSize64, f.UncompressedSize64} {
		narrow = binary.LittleEndian.AppendUint32(narrow, uint32(size)) //nolint:gosec // a size of more is told by the wide form
		wide = binary.LittleEndian.AppendUint64(wide, size)
	}
	for _, form := range [][]byte{wide, narrow} {
		for _, signature := range []string{descriptorSignature, ""} {
			next := end + int64(len(signature)+len(form))
			if startsWith(archive, end, signature+string(form)) && (startsWith(archive, next, localSignature) || startsWith(archive, next, directorySignature)) {
				return next, nil
			}
		}
	}
	return 0, refuseArchive("what follows the member %q is neither its description nor another member", f.Name)
}

func startsWith(archive io.ReaderAt, at int64, text string) bool {
	found := make([]byte, len(text))
	n, _ := archive.ReadAt(found, at) // a short read differs
	return bytes.Equal(found[:n], []byte(text))
}
