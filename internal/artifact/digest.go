// Package artifact holds names and digests: the artifact in hand, and the
// subjects, materials and products that statements speak of. It normalises
// names so that two spellings of one source are one name, and joins digests on
// the algorithms that both sides share. It decides nothing.
package artifact

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Algorithm is the name of a digest algorithm as in-toto's DigestSet spells it.
// Source: https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md
type Algorithm string

// The algorithms this program knows the length of. Others are kept but never
// accepted for a join.
const (
	SHA256    Algorithm = "sha256"
	SHA384    Algorithm = "sha384"
	SHA512    Algorithm = "sha512"
	SHA1      Algorithm = "sha1"
	GitCommit Algorithm = "gitCommit"
	GitTree   Algorithm = "gitTree"
	GitTag    Algorithm = "gitTag"
	GitBlob   Algorithm = "gitBlob"
)

// Accepted lists the algorithms on which digests may join by default.
func Accepted() []Algorithm { return []Algorithm{SHA256, SHA384, SHA512, GitCommit, GitTree} }

// hexLengths gives the lengths in hex digits that each known algorithm may
// have: git object ids are SHA-1 or SHA-256.
func hexLengths(alg Algorithm) []int {
	switch alg {
	case SHA256:
		return []int{64}
	case SHA384:
		return []int{96}
	case SHA512:
		return []int{128}
	case SHA1:
		return []int{40}
	case GitCommit, GitTree, GitTag, GitBlob:
		return []int{40, 64}
	}
	return nil
}

// MaxDigests bounds the algorithms in one digest set.
const MaxDigests = 32

// DigestSet maps algorithms to digests in lower-case hex (free text for
// algorithms this program does not know). The zero value is empty and joins
// with nothing.
type DigestSet map[Algorithm]string

// ParseDigestSet checks and normalises a statement's digest map: digests of
// known algorithms must be hex of the right length.
func ParseDigestSet(raw map[string]string) (DigestSet, error) {
	if len(raw) > MaxDigests {
		return nil, fmt.Errorf("%d digests in one set, at most %d are read", len(raw), MaxDigests)
	}
	set := make(DigestSet, len(raw))
	for name, value := range raw {
		alg := Algorithm(name)
		value, err := parseDigest(alg, value)
		if err != nil {
			return nil, err
		}
		set[alg] = value
	}
	return set, nil
}

// InHand lists the algorithms by which an artifact in hand may be named: those that
// are accepted, and gitTag, which names a tag object and joins no two steps.
func InHand() []Algorithm { return append(Accepted(), GitTag) }

// ParseDigest reads ALGORITHM:HEX, for example sha256:9f86…, of an algorithm in InHand.
func ParseDigest(s string) (DigestSet, error) {
	name, value, ok := strings.Cut(s, ":")
	alg := Algorithm(name)
	if !ok || !slices.Contains(InHand(), alg) {
		return nil, fmt.Errorf("reading digest %q: expected one of %s, then a colon and the hex digest", s, join(InHand()))
	}
	value, err := parseDigest(alg, value)
	if err != nil {
		return nil, fmt.Errorf("reading digest %q: %w", s, err)
	}
	return DigestSet{alg: value}, nil
}

func parseDigest(alg Algorithm, value string) (string, error) {
	lengths := hexLengths(alg)
	if lengths == nil {
		if alg == "" || value == "" {
			return "", fmt.Errorf("digest %q:%q: an algorithm and a value are required", alg, value)
		}
		return value, nil
	}
	if _, err := hex.DecodeString(value); err != nil && !errors.Is(err, hex.ErrLength) {
		return "", fmt.Errorf("digest %s:%q is not hexadecimal", alg, value)
	}
	if !slices.Contains(lengths, len(value)) {
		return "", fmt.Errorf("digest %s has %d hex digits, expected %s", alg, len(value), join(lengths))
	}
	return strings.ToLower(value), nil
}

// Join is the outcome of comparing two digest sets.
type Join int

// The three outcomes. Only Joined means that both name the same bytes.
const (
	NotShared Join = iota // no shared algorithm is accepted
	Differs               // some shared algorithm disagrees
	Joined
)

// Join compares two sets: they join when every shared algorithm agrees and at
// least one shared algorithm is accepted. Empty never joins with empty.
// (docs/layout.md 8; the in-toto ANY rule would let a colliding SHA-1 win.)
func (d DigestSet) Join(o DigestSet, accepted []Algorithm) Join {
	result := NotShared
	for alg, value := range d {
		other, shared := o[alg]
		switch {
		case !shared:
		case other != value:
			return Differs
		case slices.Contains(accepted, alg):
			result = Joined
		}
	}
	return result
}

// Equal reports whether both sets hold the same digests; empty sets are equal
// to nothing.
func (d DigestSet) Equal(o DigestSet) bool { return len(d) > 0 && maps.Equal(d, o) }

// Algorithms lists the set's algorithms in a stable order.
func (d DigestSet) Algorithms() []Algorithm { return slices.Sorted(maps.Keys(d)) }

// String writes the set as alg:hex, comma separated, in a stable order.
func (d DigestSet) String() string {
	var parts []string
	for _, alg := range d.Algorithms() {
		parts = append(parts, string(alg)+":"+d[alg])
	}
	if parts == nil {
		return "no digest"
	}
	return strings.Join(parts, ", ")
}

func join[T any](items []T) string {
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = fmt.Sprint(item)
	}
	return strings.Join(parts, ", ")
}
