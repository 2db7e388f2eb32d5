package layout

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// recorded are the materials or the products of a link or an inspection. They are read
// one by one, so that a link of many files costs no more than what is kept of it.
type recorded struct {
	kind    string // material or product
	compat  *compat
	digests digestPool
	set     artifact.Set // nil where there was no dictionary
	// aliases are the names that are not spelt as a path is, by how they would be.
	aliases map[string]string
	finding *verdict.Finding // the first
}

func (c *classicCheck) recorded(kind string) recorded {
	return recorded{kind: kind, compat: c.compat, digests: c.digests}
}

// UnmarshalJSONFrom reads the dictionary.
func (r *recorded) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	switch {
	case err != nil || token.Kind() == 'n':
		return err
	case token.Kind() != '{':
		return fmt.Errorf("the %ss are no dictionary", r.kind)
	}
	r.set = artifact.Set{}
	digest := map[string]string{}
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		clear(digest)
		if err := json.UnmarshalDecode(dec, &digest); err != nil {
			return err
		}
		r.add(name, digest)
	}
	_, err = dec.ReadToken()
	return err
}

// addAll adds what an inspection recorded.
func (r *recorded) addAll(raw map[string]map[string]string) {
	r.set = artifact.Set{}
	for _, name := range sortedKeys(raw) {
		r.add(name, raw[name])
	}
}

// add keeps one artifact. Names are compared as they were recorded, and two names of one
// file refuse the link: with foo good and ./foo evil, each reader would see another.
// (CVE-2021-41087; TestClassicMutations)
func (r *recorded) add(name string, raw map[string]string) {
	if r.finding != nil {
		return
	}
	if len(r.set) == MaxArtifacts {
		r.finding = linkProblem(verdict.LinkMalformed, fmt.Sprintf("more than %d %ss", MaxArtifacts, r.kind))
		return
	}
	if len(name) > artifact.MaxNameLength {
		r.finding = linkProblem(verdict.LinkMalformed, fmt.Sprintf("the name of a %s has %d bytes, at most %d are read", r.kind, len(name), artifact.MaxNameLength))
		return
	}
	digest, finding := r.digests.read(r.kind, name, raw)
	if finding != nil {
		r.finding = finding
		return
	}
	if other, taken := r.alias(name); taken && !r.compat.relax("alias", fmt.Sprintf("%q and %q are one %s, each kept under its name", other, name, r.kind)) {
		r.finding = linkProblem(verdict.ArtifactAlias, fmt.Sprintf("the %ss %q and %q are two names of one file", r.kind, other, name))
		return
	}
	r.set[name] = artifact.Resource{Name: artifact.Name{Text: name}, Digest: digest}
}

// alias finds another name of the same file among those that are kept.
func (r *recorded) alias(name string) (other string, taken bool) {
	clean := path.Clean(name)
	if other, taken = r.aliases[clean]; !taken {
		_, taken = r.set[clean]
		other = clean
	}
	if clean != name {
		if r.aliases == nil {
			r.aliases = map[string]string{}
		}
		r.aliases[clean] = name
	}
	return other, taken
}

// digestPool keeps digests of one algorithm by their value: the files of a release are
// in many links, and each time the same. Nobody changes a digest that was read.
type digestPool map[string]artifact.DigestSet

// read reads a hash object that may have been read before.
func (p digestPool) read(kind, name string, raw map[string]string) (artifact.DigestSet, *verdict.Finding) {
	if len(raw) != 1 {
		return readDigests(kind, name, raw)
	}
	for alg, value := range raw {
		if have, ok := p[value]; ok && have[artifact.Algorithm(alg)] == value {
			return have, nil
		}
	}
	digest, finding := readDigests(kind, name, raw)
	if finding == nil && p != nil {
		for _, value := range digest {
			p[value] = digest
		}
	}
	return digest, finding
}

// readDigests reads a hash object. "HASH is the sha256 hash encoded in
// hexadecimal notation" (in-toto 1.0, 4.2.3); without any there is nothing to
// compare, and MD5 alone, which many files can have, is no better. (TestClassicDigests)
func readDigests(kind, name string, raw map[string]string) (artifact.DigestSet, *verdict.Finding) {
	if len(raw) == 0 {
		return nil, linkProblem(verdict.DigestEmpty, fmt.Sprintf("the %s %q has no digest", kind, name))
	}
	for alg, value := range raw {
		if _, err := hex.DecodeString(value); err != nil {
			return nil, linkProblem(verdict.DigestMalformed, fmt.Sprintf("the digest %q of the %s %q is %.80q, which is not hexadecimal", alg, kind, name, value))
		}
	}
	digest, err := artifact.ParseDigestSet(raw)
	if err != nil {
		return nil, linkProblem(verdict.DigestMalformed, fmt.Sprintf("the %s %q: %v", kind, name, err))
	}
	if !slices.ContainsFunc(artifact.Accepted(), func(alg artifact.Algorithm) bool { return digest[alg] != "" }) {
		return nil, linkProblem(verdict.DigestEmpty, fmt.Sprintf("the %s %q has no digest that counts, only %s", kind, name, digest))
	}
	return digest, nil
}
