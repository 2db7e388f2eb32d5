package layout

import (
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
)

// Commits lists the git commits that statements name, as a source or as what they
// are about, whether or not a certificate knows them: where to look for further
// evidence, and nothing else. A statement that cannot be read names none.
//
// The first of every statement stand before the second of any, and those that a
// certificate proves before the others of their statement: however many a stray
// statement names, it pushes nobody's commit out of the first ones.
func Commits(verified []*attestation.Verified) []string {
	var named [][]string
	longest := 0
	for _, v := range verified {
		ids := commitsOf(v)
		named, longest = append(named, ids), max(longest, len(ids))
	}
	var all []string
	seen := map[string]bool{}
	for place := range longest {
		for _, ids := range named {
			if place < len(ids) && !seen[ids[place]] {
				seen[ids[place]] = true
				all = append(all, ids[place])
			}
		}
	}
	return all
}

// commitsOf lists the commits of one statement, the proven ones first.
func commitsOf(v *attestation.Verified) (ids []string) {
	c, refused := readClaims(v, true, false)
	if refused != nil {
		return nil
	}
	if c.nameless != nil && c.nameless.Digest[artifact.GitCommit] != "" {
		ids = append(ids, c.nameless.Digest[artifact.GitCommit])
	}
	for _, asserted := range []bool{false, true} {
		for _, set := range []artifact.Set{c.materials, c.products} {
			for _, name := range set.Names() {
				id := set[name].Digest[artifact.GitCommit]
				if id != "" && set[name].Asserted == asserted && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}

// AsksForObjects reports whether a step takes what a commit or a tag says with its own
// signature. What a sublayout asks for is not known before it is read.
func (l *Layout) AsksForObjects() bool {
	return l.takes(func(predicateType string) bool {
		return slices.Contains([]string{attestation.GitCommitPredicate, attestation.GitTagPredicate, LayoutPredicate}, predicateType)
	})
}

// AsksForChanges reports whether a step takes what gittuf says of a change of a ref.
func (l *Layout) AsksForChanges() bool {
	return l.takes(func(predicateType string) bool {
		return predicateType == LayoutPredicate || isAuthorization(predicateType)
	})
}

func (l *Layout) takes(wanted func(predicateType string) bool) bool {
	for _, s := range l.steps {
		for _, e := range s.entries {
			if slices.ContainsFunc(e.predicateTypes, wanted) {
				return true
			}
		}
	}
	return false
}
