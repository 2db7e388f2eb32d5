package artifact

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resource is one material or product: a rule name bound to digests.
type Resource struct {
	Name   Name
	Digest DigestSet
	// Asserted marks a git entry that the signer's certificate does not know.
	// It never satisfies REQUIRE or MATCH.
	Asserted bool
	// Bound marks a git entry whose ref was signed as a part of what it is: a tag's
	// name, the branch that a change was approved for. It joins no other ref.
	Bound bool
}

// OtherRef reports whether two git entries are of two refs, of which one is bound: two
// tags, or two branches. A tag and a branch may well be of one commit.
func (r Resource) OtherRef(o Resource) bool {
	if !r.Bound && !o.Bound || r.Name.Ref == o.Name.Ref {
		return false
	}
	for _, kind := range []string{"refs/tags/", "refs/heads/"} {
		if strings.HasPrefix(r.Name.Ref, kind) && strings.HasPrefix(o.Name.Ref, kind) {
			return true
		}
	}
	return false
}

// NewResource makes a resource of a descriptor's fields. On a git source sha1
// is a commit, as SLSA v0.2 writes it; an object id behind the "@" must agree
// with the commit.
func NewResource(name, uri string, digest map[string]string) (Resource, error) {
	rule, err := RuleName(name, uri)
	if err != nil {
		return Resource{}, err
	}
	set, err := ParseDigestSet(digest)
	if err != nil {
		return Resource{}, fmt.Errorf("digests of %q: %w", rule.Text, err)
	}
	if !rule.Git {
		return Resource{Name: rule, Digest: set}, nil
	}
	if sha1, ok := set[SHA1]; ok {
		if commit, both := set[GitCommit]; both && commit != sha1 {
			return Resource{}, fmt.Errorf("git source %q: sha1 %s and gitCommit %s disagree", rule.Text, sha1, commit)
		}
		delete(set, SHA1)
		set[GitCommit] = sha1
	}
	if commit, ok := set[GitCommit]; ok && isObjectID(rule.Ref) && rule.Ref != commit {
		return Resource{}, fmt.Errorf("git source %q: the id %s behind the @ and the digest gitCommit %s disagree", rule.Text, rule.Ref, commit)
	}
	return Resource{Name: rule, Digest: set}, nil
}

// Set holds the materials or the products of one statement by rule name.
type Set map[string]Resource

// Add puts a resource into the set. Two descriptors of one statement under one
// rule name must agree on a shared algorithm and are then one resource.
func (s Set) Add(r Resource) error {
	have, ok := s[r.Name.Text]
	if !ok {
		s[r.Name.Text] = r
		return nil
	}
	if have.Digest.Join(r.Digest, r.Digest.Algorithms()) != Joined {
		return fmt.Errorf("two descriptors are named %q with unequal digests: %s and %s", r.Name.Text, have.Digest, r.Digest)
	}
	merged := maps.Clone(have.Digest)
	maps.Copy(merged, r.Digest)
	have.Digest, have.Asserted = merged, have.Asserted || r.Asserted
	s[r.Name.Text] = have
	return nil
}

// Names lists the rule names in order.
func (s Set) Names() []string {
	names := slices.AppendSeq(make([]string, 0, len(s)), maps.Keys(s))
	slices.Sort(names)
	return names
}

// Artifact is the thing in hand that a verdict is about.
type Artifact struct {
	// Given is what the caller typed: a path, sha256:HEX, oci://NAME@DIGEST.
	Given string
	// Name is the file's base name; empty for a bare digest.
	Name   string
	Digest DigestSet
}

// String names the artifact for a report.
func (a Artifact) String() string {
	if a.Given != "" {
		return a.Given
	}
	return a.Digest.String()
}
