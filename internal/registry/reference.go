package registry

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// maxReference bounds a reference, in bytes.
const maxReference = 1024

// Reference names an image by its digest: nobody can make it name another one. The
// zero value names nothing.
type Reference struct{ at name.Digest }

// TagError says that an image is named by a tag, or by nothing but its repository, and
// may be another one by now. [Client.Resolve] finds out which one it is.
type TagError struct {
	Given string
	Host  string // the registry's
}

// Error says so.
func (e *TagError) Error() string {
	return fmt.Sprintf("image %s is not named by digest: a tag can move", e.Given)
}

// Parse reads NAME@sha256:HEX, where NAME may have a tag, which is passed over. Names
// without a registry's host are completed as docker does.
func Parse(s string) (Reference, error) {
	repository, digest, found := strings.Cut(s, "@")
	if err := checkReference(s, repository); err != nil {
		return Reference{}, fmt.Errorf("reading image %.200q: %w", s, err)
	}
	if !found {
		tag, err := parseTag(s)
		if err != nil {
			return Reference{}, err
		}
		return Reference{}, &TagError{Given: s, Host: tag.RegistryStr()}
	}
	if !isSHA256(digest) {
		return Reference{}, fmt.Errorf("reading image %q: the digest is %.80q, expected sha256: and 64 hex digits in lower case", s, digest)
	}
	at, err := name.NewDigest(s)
	if err == nil {
		err = checkPath(at.Repository)
	}
	if err != nil {
		return Reference{}, fmt.Errorf("reading image %q: %w", s, err)
	}
	return Reference{at.Digest(digest)}, nil
}

// parseTag reads NAME[:TAG].
func parseTag(s string) (name.Tag, error) {
	tag, err := name.NewTag(s)
	if err == nil {
		err = checkPath(tag.Repository)
	}
	if err != nil {
		return name.Tag{}, fmt.Errorf("reading image %q: %w", s, err)
	}
	return tag, nil
}

// checkReference refuses what the library would read as something else than it seems.
func checkReference(s, repository string) error {
	switch {
	case s == "":
		return errors.New("it is empty; is a variable unset?")
	case len(s) > maxReference:
		return fmt.Errorf("it has %d bytes, at most %d are read", len(s), maxReference)
	case strings.Contains(s, "://"):
		return errors.New("it is a URL, and an image is named without a scheme")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("it holds a space, a control character or a letter that no image has")
	case strings.ContainsAny(repository, `?#\%`):
		return errors.New("it holds a character that no image has")
	}
	return nil
}

// checkPath holds a repository to the specification, as the library does not.
//
// "Throughout this document, <name> MUST match the following regular expression:
// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
// (distribution-spec, Pulling manifests; TestParseRefuses)
func checkPath(repository name.Repository) error {
	for segment := range strings.SplitSeq(repository.RepositoryStr(), "/") {
		if !isSegment(segment) {
			return fmt.Errorf("its repository is %q, and %q is no part of a name: expected letters in lower case and digits, with one of . _ __ or dashes between them", repository.RepositoryStr(), segment)
		}
	}
	return nil
}

func isSegment(s string) bool {
	alphanumeric := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
	words := strings.FieldsFunc(s, func(r rune) bool { return !alphanumeric(r) })
	separators := strings.FieldsFunc(s, alphanumeric)
	if len(words) != len(separators)+1 || !strings.HasPrefix(s, words[0]) || !strings.HasSuffix(s, words[len(words)-1]) {
		return false
	}
	for _, between := range separators {
		if between != "." && between != "_" && between != "__" && strings.Trim(between, "-") != "" {
			return false
		}
	}
	return true
}

// isSHA256 tells whether s is sha256: and 64 hex digits in lower case, the one form in
// which a digest is the same bytes wherever it stands.
func isSHA256(s string) bool {
	hex, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// IsZero reports whether it names nothing.
func (r Reference) IsZero() bool { return r == Reference{} }

// Name is the repository with its registry's host, as it is in subjects of statements.
func (r Reference) Name() string { return r.at.Context().Name() }

// Host is the registry's, with the port if there is one.
func (r Reference) Host() string { return r.at.Context().RegistryStr() }

// Digest is sha256: and 64 hex digits.
func (r Reference) Digest() string { return r.at.DigestStr() }

// String is NAME@sha256:HEX with the registry's host.
func (r Reference) String() string { return r.at.Name() }

// with names another manifest of the same repository.
func (r Reference) with(digest string) Reference { return Reference{r.at.Context().Digest(digest)} }
