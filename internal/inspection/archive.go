package inspection

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// archiveError is something about an archive's content for which it is refused.
type archiveError struct{ message string }

// Error implements error.
func (e *archiveError) Error() string { return e.message }

func refuseArchive(format string, args ...any) error {
	return &archiveError{fmt.Sprintf(format, args...)}
}

// archiveProblem sorts what went wrong: an archive that is readable but wrong is a
// failure, and so is one that ends in its middle.
func archiveProblem(ctx context.Context, name string, limits Limits, err error) error {
	const next = "unpack it by hand, with care, and see how it was made"
	if ctx.Err() != nil {
		return fmt.Errorf("listing %s: %w", name, context.Cause(ctx))
	}
	if errors.Is(err, errTooManyBytes) {
		return fail(next, "%s unpacks to more than %d bytes", name, limits.Bytes)
	}
	return fail(next, "%s cannot be listed: %v", name, err)
}

// listArchive lists what unpacking an archive would leave behind. What two tools
// would unpack in two ways is refused.
func listArchive(ctx context.Context, content *io.SectionReader, name string, limits Limits) (Artifacts, error) {
	kind, err := archiveKind(content, name)
	if err != nil {
		return nil, err
	}
	l := &listing{left: limits, most: limits, files: Artifacts{}, folders: map[string]bool{}, links: map[string]string{}}
	if kind == zipArchive {
		err = l.zip(ctx, content)
	} else {
		err = l.tar(bufio.NewReader(&patientReader{ctx, content}), kind)
	}
	switch {
	case err != nil:
		return nil, err
	case l.left.Entries == l.most.Entries:
		return nil, refuseArchive("it has no member")
	}
	return l.files, nil
}

// The archives that are read.
const (
	plainTar   = "tar"
	gzipTar    = "tar compressed with gzip"
	zipArchive = "zip"
)

// archiveKind goes by the content. A name that promises another kind is refused:
// one tool would go by the one, and the next by the other.
func archiveKind(file io.ReaderAt, name string) (string, error) {
	start := make([]byte, 4)
	if _, err := file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	kind := plainTar
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		kind = gzipTar
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte("PK\x05\x06")):
		kind = zipArchive
	}
	lower, promised := strings.ToLower(name), kind
	switch {
	case strings.HasSuffix(lower, ".tar.gz"), strings.HasSuffix(lower, ".tgz"):
		promised = gzipTar
	case strings.HasSuffix(lower, ".tar"):
		promised = plainTar
	case strings.HasSuffix(lower, ".zip"):
		promised = zipArchive
	}
	if kind != promised {
		return "", refuseArchive("its name is that of a %s, its content that of a %s", promised, kind)
	}
	return kind, nil
}

// listing is what an archive holds, as far as it has been read.
type listing struct {
	left, most Limits
	files      Artifacts
	folders    map[string]bool   // named as such, or on the way to a file
	links      map[string]string // symbolic ones, with their targets
}

// member checks the name of one more member and returns it as unpacking would
// have it: "./a" is "a". Empty is the folder itself.
func (l *listing) member(name string) (string, error) {
	if l.left.Entries--; l.left.Entries < 0 {
		return "", refuseArchive("it has more than %d members", l.most.Entries)
	}
	clean := path.Clean(name)
	switch {
	case name == "" || !utf8.ValidString(name) || strings.ContainsAny(name, "\\\x00"):
		return "", refuseArchive("the member name %q is read in several ways", name)
	case path.IsAbs(name) || leavesFolder(".", name):
		return "", refuseArchive("the member %q leaves the folder that it is unpacked in", name)
	case clean == ".":
		return "", nil
	}
	for parent := path.Dir(clean); parent != "." && !l.folders[parent]; parent = path.Dir(parent) {
		if l.has(parent) {
			return "", refuseArchive("the member %q lies below %q, which is no folder", name, parent)
		}
		l.folders[parent] = true
	}
	return clean, nil
}

// has tells whether a name is taken by something that is no folder.
func (l *listing) has(name string) bool {
	_, file := l.files[name]
	_, link := l.links[name]
	return file || link
}

// claim refuses a name that a member has already: of two, tools keep the first,
// or the last, or ask.
func (l *listing) claim(name string) error {
	switch {
	case name == "":
		return refuseArchive("a member takes the place of the folder that it is unpacked in")
	case l.has(name) || l.folders[name]:
		return refuseArchive("two members are called %q", name)
	}
	return nil
}

func (l *listing) folder(name string) error {
	if l.has(name) {
		return refuseArchive("two members are called %q", name)
	}
	if name != "" {
		l.folders[name] = true
	}
	return nil
}

func (l *listing) file(name string, content io.Reader) error {
	if err := l.claim(name); err != nil {
		return err
	}
	digest, size, err := hashAtMost(content, l.left.Bytes)
	if err != nil {
		return err
	}
	l.left.Bytes -= size
	l.files[name] = digest
	return nil
}

func (l *listing) link(name, target string) error {
	if err := l.claim(name); err != nil {
		return err
	}
	if target == "" || leavesFolder(name, target) || strings.ContainsAny(target, "\\\x00") {
		return refuseArchive("the link %q leads out of the folder that it is unpacked in, to %q", name, target)
	}
	if climbsLate(target) {
		return refuseArchive("the link %q leads through a folder and back, to %q: where that is depends on what the folder is", name, target)
	}
	l.links[name] = path.Join(path.Dir(name), target)
	return nil
}

// climbsLate reports whether ".." stands behind a name in a path: if the name is a
// link, that leads elsewhere than the path reads.
func climbsLate(target string) bool {
	named := false
	for element := range strings.SplitSeq(target, "/") {
		if element == ".." && named {
			return true
		}
		named = named || element != ".." && element != "." && element != ""
	}
	return false
}

// resolve gives each link the content of the file that it leads to, as in-toto
// would record it once unpacked. A link to a folder is passed over, as there; one
// to nothing is refused, since it may lead to anything tomorrow.
func (l *listing) resolve() error {
	resolved := map[string]artifact.DigestSet{}
	for name := range l.links {
		target, hops := l.links[name], 0
		for l.links[target] != "" && hops < 40 { // as many as Linux follows
			target, hops = l.links[target], hops+1
		}
		digest, ok := l.files[target]
		switch {
		case ok:
			resolved[name] = digest
		case !l.folders[target] && target != ".":
			return refuseArchive("the link %q leads to %q, which is not in the archive", name, target)
		}
	}
	for name, digest := range resolved {
		l.files[name] = digest
	}
	return nil
}

// patientReader stops when its context ends.
type patientReader struct {
	ctx  context.Context //nolint:containedctx // it lives as long as one listing
	from io.Reader
}

// Read implements io.Reader.
func (p *patientReader) Read(b []byte) (int, error) {
	if p.ctx.Err() != nil {
		return 0, context.Cause(p.ctx)
	}
	return p.from.Read(b)
}
