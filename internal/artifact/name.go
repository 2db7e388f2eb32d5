package artifact

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
)

// MaxNameLength bounds a name or URI, in bytes.
const MaxNameLength = 4096

// Name is a rule name: what artifact rules and MATCH compare. Git sources have
// one spelling, git+https://host/owner/repo; everything else keeps its own.
type Name struct {
	Text string // never empty in a valid Name
	Ref  string // what stood behind the "@" of a git URI: a ref or an object id
	Git  bool   // Text is a git source
}

// String returns the text that rules compare.
func (n Name) String() string { return n.Text }

// RuleName gives the rule name of a descriptor.
//
// "An artifact's rule name is its normalised uri if set, else its name."
// (docs/layout.md 7.) A name that is itself a source and disagrees with the uri is
// an error: one of the two would be shown and the other one judged.
func RuleName(name, uri string) (Name, error) {
	if uri == "" {
		if name == "" {
			return Name{}, fmt.Errorf("descriptor has neither name nor uri")
		}
		return ParseName(name)
	}
	byURI, err := ParseName(uri)
	if err != nil || name == "" {
		return byURI, err
	}
	byName, err := ParseName(name)
	if err != nil {
		return Name{}, err
	}
	if byName.Text != byURI.Text && (byName.Git || byURI.Git && isURI(name)) {
		return Name{}, fmt.Errorf("name %q and uri %q name two different sources", name, uri)
	}
	return byURI, nil
}

// ParseName normalises one name. These spellings are one git source, with the
// ref as an attribute:
//
//	git+https://h/o/r@ref   git+https://h/o/r.git   git+https://h/o/r
//	git+ssh://git@h/o/r@sha ssh://git@h/o/r.git     git@h:o/r.git
//	https://h/o/r/commit/sha
//
// In a git source userinfo other than git, ports, queries, fragments,
// percent-encoding and empty or dotted path segments are refused. Other names
// may not hold control characters or ".." segments.
func ParseName(s string) (Name, error) {
	if err := checkName(s); err != nil {
		return Name{}, err
	}
	if location, ok := gitLocation(s); ok {
		return parseGit(s, location)
	}
	if isURI(s) {
		return Name{Text: s, Git: otherGit(s)}, nil
	}
	clean := path.Clean(s)
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || slices.Contains(strings.Split(s, "/"), "..") {
		return Name{}, fmt.Errorf("name %q leaves its directory", s)
	}
	return Name{Text: clean}, nil
}

func checkName(s string) error {
	if s == "" {
		return fmt.Errorf("empty name")
	}
	if len(s) > MaxNameLength {
		return fmt.Errorf("name of %d bytes, at most %d are read", len(s), MaxNameLength)
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return fmt.Errorf("name %q holds a control character or is not UTF-8", s)
		}
	}
	return nil
}

func isURI(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && scheme != "" && strings.IndexFunc(scheme, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+-.", r)
	}) < 0
}

// gitLocation returns what follows the scheme when s names a git source.
func gitLocation(s string) (location string, ok bool) {
	lower := strings.ToLower(s)
	for _, scheme := range []string{"git+https://", "git+ssh://", "ssh://"} {
		if strings.HasPrefix(lower, scheme) {
			return s[len(scheme):], true
		}
	}
	// git@h:o/r.git, the form that git itself calls scp-like.
	if rest, found := strings.CutPrefix(s, "git@"); found {
		if host, repo, colon := strings.Cut(rest, ":"); colon && !strings.ContainsAny(host, "/@") {
			return "git@" + host + "/" + repo, true
		}
	}
	// https://h/o/r/commit/sha
	if strings.HasPrefix(lower, "https://") {
		rest := s[len("https://"):]
		if repo, id, found := strings.Cut(rest, "/commit/"); found && isObjectID(id) {
			return repo + "@" + id, true
		}
	}
	return "", false
}

// otherGit reports whether a URI names a git source by a transport that proves
// nothing of its host, such as git:// or git+http://. It keeps its spelling and
// is never taken for the https one.
func otherGit(s string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(s), ":")
	return scheme == "git" || strings.HasPrefix(scheme, "git+")
}

func parseGit(s, location string) (Name, error) {
	refuse := func(what string) error {
		return fmt.Errorf("git source %q %s, expected git+https://host/owner/repo[@ref]", s, what)
	}
	authority, rest, ok := strings.Cut(location, "/")
	if !ok {
		return Name{}, refuse("has no path")
	}
	if user, host, found := strings.Cut(authority, "@"); found {
		if user != "git" {
			return Name{}, refuse("has userinfo other than git")
		}
		authority = host
	}
	repo, ref, _ := strings.Cut(rest, "@")
	if isObjectID(ref) {
		ref = strings.ToLower(ref)
	}
	host := strings.ToLower(authority)
	switch {
	case host == "" || strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}):
		return Name{}, refuse("has a port or an unusual host")
	// A branch may be named fix#7 or 100%, so that only the path is held to this.
	case strings.ContainsAny(repo, "?#%\\") || strings.ContainsAny(ref, "?\\") || strings.ContainsFunc(rest, unicode.IsSpace):
		return Name{}, refuse("has a query, a fragment, an escape or white space")
	}
	repo = strings.TrimSuffix(strings.TrimSuffix(repo, "/"), ".git")
	if strings.HasSuffix(repo, ".git") {
		return Name{}, refuse("ends in .git twice")
	}
	for segment := range strings.SplitSeq(repo, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return Name{}, refuse("has an empty or dotted path segment")
		}
	}
	return Name{Text: "git+https://" + host + "/" + repo, Ref: ref, Git: true}, nil
}

// GitSource gives the rule name of a repository as a certificate names it, for
// example https://github.com/acme/app.
func GitSource(repository string) (Name, error) {
	if !strings.HasPrefix(strings.ToLower(repository), "https://") {
		return Name{}, fmt.Errorf("repository %q is not an https URL", repository)
	}
	name, err := ParseName("git+" + repository)
	if err == nil && name.Ref != "" {
		return Name{}, fmt.Errorf("repository %q has a ref behind an @", repository)
	}
	return name, err
}

func isObjectID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && (len(s) == 40 || len(s) == 64)
}
