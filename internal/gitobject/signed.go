package gitobject

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Format is the kind of an armoured signature.
type Format string

// The formats that git writes (gpg.format in git-config).
const (
	SSH     Format = "ssh"
	OpenPGP Format = "openpgp"
	X509    Format = "x509"
)

// Signed is a commit or an annotated tag, taken apart into the bytes that were
// signed and the signature. That it could be taken apart proves nothing: the
// signature is still to be verified, and ID is merely what the bytes hash to.
type Signed struct {
	Kind      Kind // CommitKind or TagKind
	ID        string
	Payload   []byte // what the signature is over
	Signature []byte // one armoured block
	Format    Format
	Commit    SignedCommit // of a commit
	Tag       SignedTag    // of a tag
}

// SignedCommit is what a commit says.
type SignedCommit struct {
	Tree              string
	Parents           []string
	Author, Committer Person
	Message           []byte
}

// SignedTag is what a tag says.
type SignedTag struct {
	Tag
	Tagger  Person // zero in tags of before 2005, which have none
	Message []byte
}

// Person is an author, a committer or a tagger, as the object names them. It is
// whatever the person who made it typed, and so is the date.
type Person struct {
	Name, Email string
	Date        time.Time
}

// ErrUnsigned says that an object carries no signature.
var ErrUnsigned = errors.New("it carries no signature")

// Split takes a raw commit or tag apart, and refuses what two readers could read
// differently: git takes the first of two headers where others take the last, and
// leaves every header whose name begins with gpgsig out of what it verifies.
//
// An object is of the hash that its own ids have: 40 digits or 64.
func Split(data []byte) (Signed, error) {
	switch {
	case len(data) > max(MaxCommitBytes, MaxTagBytes):
		return Signed{}, fmt.Errorf("splitting git object: %d bytes, at most %d are read", len(data), max(MaxCommitBytes, MaxTagBytes))
	case bytes.IndexByte(data, 0) >= 0:
		return Signed{}, errors.New("splitting git object: it holds a zero byte, where some readers stop")
	case bytes.HasPrefix(data, []byte("tree ")):
		return splitCommit(data)
	case bytes.HasPrefix(data, []byte("object ")):
		return splitTag(data)
	}
	return Signed{}, errors.New("splitting git object: it is neither a commit nor a tag")
}

// LooksSigned reports whether data begins like a raw commit or tag.
func LooksSigned(data []byte) bool {
	word, rest, ok := bytes.Cut(data, []byte(" "))
	id, _, line := bytes.Cut(rest, []byte("\n"))
	return ok && line && len(id) <= 64 && ValidID(string(id)) && slices.Contains([]string{"tree", "object"}, string(word))
}

func splitCommit(data []byte) (Signed, error) {
	headers, message, err := splitHeaders(data)
	if err == nil {
		err = inOrder(headers)
	}
	if err != nil {
		return Signed{}, fmt.Errorf("splitting commit: %w", err)
	}
	s := Signed{Kind: CommitKind, Commit: SignedCommit{Tree: headers[0].value, Message: message}}
	if err := s.Commit.read(headers); err != nil {
		return Signed{}, fmt.Errorf("splitting commit: %w", err)
	}
	if err := s.name(data, len(s.Commit.Tree)); err != nil {
		return Signed{}, fmt.Errorf("splitting commit: %w", err)
	}
	if err := s.fromHeader(headers, message); err != nil {
		return Signed{}, fmt.Errorf("splitting commit %s: %w", s.ID, err)
	}
	return s, nil
}

// fromHeader finds the signature in its header.
//
// "gpgsig … gpgsig-sha256": the header has the name of the object's own hash, its
// lines are indented by one space, and the payload is the commit without any header
// of these names. (git, Documentation/gitformat-signature.adoc; commit.c,
// parse_buffer_signed_by_header.) TestSplit
func (s *Signed) fromHeader(headers []header, message []byte) error {
	own := "gpgsig"
	if len(s.ID) == 64 {
		own = "gpgsig-sha256"
	}
	var found []header
	for _, h := range headers {
		if strings.HasPrefix(h.name, "gpgsig") {
			found = append(found, h)
			continue
		}
		s.Payload = append(s.Payload, h.raw...)
	}
	s.Payload = append(append(s.Payload, '\n'), message...)
	switch {
	case len(found) > 1:
		return errors.New("it has two signature headers: readers differ in which one they take")
	case len(found) == 1 && found[0].name != own:
		return fmt.Errorf("its signature header is %.40s, which signs another object: expected %s", found[0].name, own)
	case len(found) == 1 && len(armoured(message)) > 0:
		return errors.New("its message holds a second armoured signature")
	case len(found) == 1:
		return s.take(bytes.ReplaceAll(found[0].raw[len(own)+1:], []byte("\n "), []byte("\n")))
	case slices.ContainsFunc(headers, func(h header) bool { return h.name == "mergetag" }):
		return fmt.Errorf("%w of its own: that in its mergetag header is a tag's", ErrUnsigned)
	case len(armoured(message)) > 0:
		return fmt.Errorf("%w: what looks like one in its message signs nothing", ErrUnsigned)
	}
	return ErrUnsigned
}

func splitTag(data []byte) (Signed, error) {
	t, err := ParseTag(data)
	if err != nil {
		return Signed{}, fmt.Errorf("splitting tag: %w", err)
	}
	headers, message, err := splitHeaders(data)
	if err != nil {
		return Signed{}, fmt.Errorf("splitting tag: %w", err)
	}
	s := Signed{Kind: TagKind, Tag: SignedTag{Tag: t}}
	if err := s.Tag.read(headers); err != nil {
		return Signed{}, fmt.Errorf("splitting tag: %w", err)
	}
	if err := s.name(data, len(t.Object)); err != nil {
		return Signed{}, fmt.Errorf("splitting tag: %w", err)
	}
	if err := s.fromMessage(data, message); err != nil {
		return Signed{}, fmt.Errorf("splitting tag %s: %w", s.ID, err)
	}
	return s, nil
}

// fromMessage finds the signature at the end of a tag's message.
//
// "The signature … is appended to the tag's message": git takes the last line of
// the whole object that begins like an armoured signature, and everything before
// it is the payload. (git, Documentation/gitformat-signature.adoc; gpg-interface.c,
// parse_signed_buffer.) So there must be one only. TestSplit
func (s *Signed) fromMessage(data, message []byte) error {
	switch starts := armoured(data); {
	case len(starts) == 0:
		return ErrUnsigned
	case len(starts) > 1:
		return errors.New("it holds two armoured signatures: the first would be a part of what the second signs")
	case starts[0] < len(data)-len(message):
		return errors.New("an armoured signature stands among its headers")
	default:
		s.Payload = data[:starts[0]]
		s.Tag.Message = data[len(data)-len(message) : starts[0]]
		return s.take(data[starts[0]:])
	}
}

// take demands exactly one armoured block.
func (s *Signed) take(signature []byte) error {
	begin, _, _ := bytes.Cut(signature, []byte("\n"))
	for _, m := range markers() {
		if string(bytes.TrimRight(begin, "\r")) != m.begin {
			continue
		}
		block := bytes.TrimRight(signature, "\n\r ")
		if len(armoured(block)) != 1 || !bytes.HasSuffix(block, []byte("\n"+m.end)) || bytes.Count(block, []byte(m.end)) != 1 {
			return errors.New("its signature is not one armoured block and nothing else")
		}
		s.Signature, s.Format = slices.Concat(block, []byte("\n")), m.format
		return nil
	}
	return fmt.Errorf("its signature begins with %.40q: expected an SSH, PGP or X.509 signature", begin)
}

type marker struct {
	begin, end string
	format     Format
}

// markers are the lines that git knows signatures by (gpg-interface.c).
func markers() []marker {
	return []marker{
		{"-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----", SSH},
		{"-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", OpenPGP},
		{"-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----", OpenPGP},
		{"-----BEGIN SIGNED MESSAGE-----", "-----END SIGNED MESSAGE-----", X509},
	}
}

// armoured gives the offsets of the lines that begin like a signature.
func armoured(data []byte) (offsets []int) {
	offset := 0
	for line := range bytes.Lines(data) {
		for _, m := range markers() {
			if bytes.HasPrefix(line, []byte(m.begin)) {
				offsets = append(offsets, offset)
			}
		}
		offset += len(line)
	}
	return offsets
}

// name hashes the object with the hash of the ids in it.
func (s *Signed) name(data []byte, digits int) error {
	sum, err := Raw{Kind: s.Kind, Data: data}.sum(digits)
	s.ID = hex.EncodeToString(sum)
	return err
}
