package inspection

import (
	"archive/zip"
	"context"
	"io"
	"io/fs"
	"math"
	"strings"
)

// maxLinkTarget bounds a symbolic link in a zip archive, whose target is its
// content.
const maxLinkTarget = 4096

// directoryBytes is how much of a zip archive's central directory is read for each
// member that it may have. The directory is read whole before its first entry.
const directoryBytes = 1024

// zip lists a zip archive by its central directory, with which its local headers must
// agree.
func (l *listing) zip(ctx context.Context, content *io.SectionReader) error {
	bounded := &boundedReaderAt{ctx: ctx, from: content, left: 128<<10 + directoryBytes*int64(l.most.Entries)}
	reader, err := zip.NewReader(bounded, content.Size())
	if bounded.left < 0 || err == nil && len(reader.File) > l.most.Entries {
		return refuseArchive("it has more than %d members, or its directory is too long", l.most.Entries)
	}
	if err != nil {
		return err
	}
	bounded.left = math.MaxInt64 // each content is bounded by itself
	for _, f := range reader.File {
		if err := l.zipMember(f); err != nil {
			return err
		}
	}
	if err := agree(reader.File, bounded); err != nil { // by now each content is known to be within bounds
		return err
	}
	return l.resolve()
}

func (l *listing) zipMember(f *zip.File) error {
	const encrypted = 0x1
	if f.Flags&encrypted != 0 {
		return refuseArchive("the member %q is encrypted", f.Name)
	}
	name, err := l.member(f.Name)
	if err != nil {
		return err
	}
	mode := f.Mode()
	if strings.HasSuffix(f.Name, "/") || mode.IsDir() {
		return l.folder(name)
	}
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // it was only read
	switch {
	case mode&fs.ModeSymlink != 0:
		target, err := io.ReadAll(io.LimitReader(content, maxLinkTarget+1))
		if err != nil {
			return err
		}
		if len(target) > maxLinkTarget {
			return refuseArchive("the link %q has a target of more than %d bytes", f.Name, maxLinkTarget)
		}
		return l.link(name, string(target))
	case mode.IsRegular():
		return l.file(name, content)
	}
	return refuseArchive("the member %q is neither a file, nor a folder, nor a link", f.Name)
}

// boundedReaderAt stops when its context ends, or so much has been read.
type boundedReaderAt struct {
	ctx  context.Context //nolint:containedctx // it lives as long as one listing
	from io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (b *boundedReaderAt) ReadAt(p []byte, offset int64) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errTooManyBytes
	}
	return b.from.ReadAt(p, offset)
}
