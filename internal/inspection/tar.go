package inspection

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"slices"
)

// tar lists a tar archive, compressed or not, to its very end.
func (l *listing) tar(from io.Reader, kind string) error {
	if kind == gzipTar {
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return err
		}
		from = unpacked
	}
	// What stands between members costs time too: a gzip stream of headers alone.
	all := &boundedReader{from: from, left: l.most.Bytes}
	reader := tar.NewReader(all)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := l.tarMember(header, reader); err != nil {
			return err
		}
	}
	if err := onlyZeros(all); err != nil {
		return err
	}
	if !all.closed() {
		return refuseArchive("it has no end: it was cut off, or is still being written")
	}
	return l.resolve()
}

func (l *listing) tarMember(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return onlyComment(header)
	}
	name, err := l.member(header.Name)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return l.folder(name)
	case tar.TypeReg, tar.TypeGNUSparse:
		return l.file(name, content)
	case tar.TypeSymlink:
		return l.link(name, header.Linkname)
	case tar.TypeLink:
		return l.hardLink(name, header.Linkname)
	}
	return refuseArchive("the member %q is neither a file, nor a folder, nor a link", header.Name)
}

// onlyComment refuses a header for all members that says more than git archive's does,
// the commit: tools differ in whether they take names and sizes from it.
func onlyComment(header *tar.Header) error {
	for _, key := range slices.Sorted(maps.Keys(header.PAXRecords)) {
		if key != "comment" {
			return refuseArchive("a header for all members says more than a comment: %q", key)
		}
	}
	return nil
}

// hardLink gives a name to a file that came before.
func (l *listing) hardLink(name, target string) error {
	if err := l.claim(name); err != nil {
		return err
	}
	original, err := l.member(target)
	if err != nil {
		return err
	}
	digest, ok := l.files[original]
	if !ok {
		return refuseArchive("the member %q is a link to %q, which does not come before it", name, target)
	}
	l.files[name] = digest
	return nil
}

// onlyZeros refuses what follows the end of a tar archive: some tools read on.
func onlyZeros(from io.Reader) error {
	block := make([]byte, 32<<10)
	for {
		n, err := from.Read(block)
		for _, b := range block[:n] {
			if b != 0 {
				return refuseArchive("something follows the end of the archive")
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// boundedReader fails when more is read than a tar archive may have, and watches
// for its end.
type boundedReader struct {
	from       io.Reader
	left, read int64
	zeros      int64 // that were read last, one after the other
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooManyBytes
	}
	b.read += int64(n)
	if last := lastNonZero(p[:n]); last >= 0 {
		b.zeros = int64(n - 1 - last)
	} else {
		b.zeros += int64(n)
	}
	return n, err
}

func lastNonZero(p []byte) int {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0 {
			return i
		}
	}
	return -1
}

// closed tells whether the archive ended as it must.
//
// "At the end of the archive file there shall be two 512-octet logical records
// filled with binary zeros, interpreted as an end-of-archive indicator." (POSIX,
// pax, ustar Interchange Format; TestListRefuses)
func (b *boundedReader) closed() bool { return b.read%512 == 0 && b.zeros >= 2*512 }
