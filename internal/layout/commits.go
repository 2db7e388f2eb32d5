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
