package artifact

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Bounds of what is attested at once.
const (
	MaxSubjects          = 16_384 // in one go
	MaxStatementSubjects = 1_024  // in one statement, as GitHub's API and gh have it
)

// Subject is what a statement is about.
type Subject struct {
	Name   string
	URI    string // of a git source, with its ref; empty for a file
	Digest DigestSet
	// Source is where the caller named it: a path, an argument, a line of a list.
	// It is for messages and goes into no statement.
	Source string
}

// ParseSubject reads NAME@ALGORITHM:HEX, for example
// ghcr.io/acme/app@sha256:9f86…. The last "@" divides the two.
func ParseSubject(s string) (Subject, error) {
	at := strings.LastIndex(s, "@")
	if at < 1 {
		return Subject{}, fmt.Errorf("reading subject %q: expected NAME@ALGORITHM:HEX", s)
	}
	digest, err := ParseDigest(s[at+1:])
	if err != nil {
		return Subject{}, fmt.Errorf("reading subject %q: %w", s, err)
	}
	return newSubject(s[:at], digest, s)
}

// ChecksumSubject makes a subject of a line of a list, under the name that it has
// there: relative, and without "./". A list that was made in another folder than
// the one that the files are published from names them as they are nowhere.
func ChecksumSubject(list string, c Checksum) (Subject, error) {
	source := fmt.Sprintf("%s line %d", list, c.Line)
	if path.IsAbs(c.Name) {
		return Subject{}, fmt.Errorf("%s: the name %q is absolute: make the list in the folder of the files", source, c.Name)
	}
	s, err := newSubject(c.Name, c.Digest, source)
	if err != nil {
		return Subject{}, fmt.Errorf("%s: %w", source, err)
	}
	if s.URI != "" || isGit(s.Name) {
		return Subject{}, fmt.Errorf("%s: the name %q reads as a git source", source, c.Name)
	}
	return s, nil
}

// newSubject gives a subject the name that its readers will see.
func newSubject(name string, digest DigestSet, source string) (Subject, error) {
	parsed, err := ParseName(name)
	if err != nil {
		return Subject{}, fmt.Errorf("subject %q: %w", name, err)
	}
	s := Subject{Name: parsed.Text, Digest: digest, Source: source}
	if parsed.Git && parsed.Ref != "" {
		s.URI = parsed.Text + "@" + parsed.Ref
	}
	raw := map[string]string{}
	for alg, value := range digest {
		raw[string(alg)] = value
	}
	if _, err := NewResource(s.Name, s.URI, raw); err != nil { // as a reader of the statement will
		return Subject{}, fmt.Errorf("subject %q: %w", name, err)
	}
	return s, nil
}

func isGit(name string) bool {
	parsed, err := ParseName(name)
	return err == nil && parsed.Git
}

// GitCommitSubject is an author's word on a commit.
//
// "attest --commit writes ONE subject: name = rule name, uri = name@ref, digest
// {gitCommit, gitTree}." (docs/layout.md 8)
func GitCommitSubject(repository Name, ref, commit, tree string) (Subject, error) {
	if !repository.Git || !strings.HasPrefix(repository.Text, "git+https://") || ref == "" {
		return Subject{}, fmt.Errorf("naming commit %s: %q at %q is no git source and ref", commit, repository.Text, ref)
	}
	s := Subject{Name: repository.Text, URI: repository.Text + "@" + ref, Source: "commit " + commit}
	resource, err := NewResource(s.Name, s.URI, map[string]string{string(GitCommit): commit, string(GitTree): tree})
	if err != nil {
		return Subject{}, fmt.Errorf("naming commit %s: %w", commit, err)
	}
	if resource.Name.Text != s.Name || resource.Name.Ref != ref {
		return Subject{}, fmt.Errorf("naming commit %s: the ref %q would be read as %q", commit, ref, resource.Name.Ref)
	}
	s.Digest = resource.Digest
	return s, nil
}

// Once leaves out what a list says again: the same name with the same digests.
func Once(subjects []Subject) (once []Subject) {
	seen := make(map[string]Subject, len(subjects))
	for _, s := range subjects {
		if other, known := seen[s.Name]; known && other.URI == s.URI && other.Digest.Equal(s.Digest) {
			continue
		}
		seen[s.Name] = s
		once = append(once, s)
	}
	return once
}

// CheckSubjects refuses an empty list, one that is too long, and two subjects of
// one name: a reader could not tell which of them a name means. So are two files
// of one base name in different folders refused, whatever they hold.
func CheckSubjects(subjects []Subject) error {
	if len(subjects) == 0 {
		return fmt.Errorf("nothing to attest: no subject was named")
	}
	if len(subjects) > MaxSubjects {
		return fmt.Errorf("%d subjects, at most %d are attested at once: attest them in parts", len(subjects), MaxSubjects)
	}
	seen := make(map[string]Subject, len(subjects))
	for _, s := range subjects {
		if other, twice := seen[s.Name]; twice {
			return fmt.Errorf("two subjects are named %q: %s and %s: rename one of them, attest them apart, or name them with NAME@DIGEST", s.Name, other.Source, s.Source)
		}
		seen[s.Name] = s
	}
	return nil
}

// Chunks splits subjects into lists that fit one statement each, in order.
func Chunks(subjects []Subject) [][]Subject {
	return slices.Collect(slices.Chunk(subjects, MaxStatementSubjects))
}
