package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// countsByTree reports whether joinBy: tree has something to count in a step: people
// who speak of a source, each in their own way.
func (s *step) countsByTree() bool {
	return slices.ContainsFunc(s.entries, func(e *entry) bool {
		return e.threshold > 1 && slices.ContainsFunc(e.predicateTypes, func(t string) bool { return isAuthor(t) || t == LinkV03 })
	})
}

// joinBy demands that the word has something to speak of, and that it stands where it
// is needed: what a step counts by tree alone names no commit that others could join.
func (l *linter) joinBy(s *step) {
	if s.joinBy != "" && len(s.sources()) == 0 && !s.countsByTree() {
		l.problem(verdict.LayoutMalformed, s.at, says{
			fmt.Sprintf("step %s has joinBy, no MATCH, and no threshold above 1 of authors", s.name),
			"a MATCH of a git source, or authors who are counted by tree, of which joinBy speaks", "put joinBy on the step that has the MATCH",
		})
	}
	for _, from := range l.steps {
		if s.joinBy == "" && from.joinBy != "" && from.countsByTree() && slices.Contains(s.sources(), from.name) {
			l.problem(verdict.LayoutMalformed, s.at, says{
				fmt.Sprintf("step %s matches from step %s, which counts authors by tree, and has no joinBy itself", s.name, from.name),
				"joinBy: tree on both", "add it here, or take it off step " + from.name,
			})
		}
	}
}

// gatherByTree puts statements together that name one tree of a source, whatever
// commits they name: gittuf's authorizations, which name no other thing, beside the
// signature of a commit that has the tree, or of two commits that a rebase made of one.
//
// The group says no more than everybody in it has said: the tree. Each has signed it,
// as a subject of their statement or in the bytes of their commit, or has signed for
// a commit that was read and has it. So it joins nothing but by tree, and nobody's
// commit is said in somebody else's name. TestCountByTree
func (c *check) gatherByTree(found []counted) []*group {
	byKey := map[string][]counted{}
	var order []string
	for _, f := range found {
		claims := (&treeJoin{c.Trees}).only(f.claims)
		if claims == nil {
			continue
		}
		if _, ok := byKey[claims.key]; !ok {
			order = append(order, claims.key)
		}
		byKey[claims.key] = append(byKey[claims.key], counted{f.member, claims})
	}
	var out []*group
	for _, key := range order {
		for _, g := range c.combine(byKey[key]) {
			g.byTree = true
			out = append(out, g)
		}
	}
	return out
}

// only is what an author's claims say of the tree alone; nil where they say none, or
// another one than their commit has.
func (t *treeJoin) only(c *claims) *claims {
	if len(c.materials) > 0 || len(c.products) != 1 {
		return nil
	}
	name := c.productNames[0]
	r := c.products[name]
	tree := t.of(r)
	if !r.Name.Git || r.Asserted || tree == "" {
		return nil
	}
	bare := *c
	bare.tree, bare.treeRead = tree, false
	if bare.ref = ""; r.Bound {
		bare.ref = r.Name.Ref
	}
	r.Digest = artifact.DigestSet{artifact.GitTree: tree}
	bare.products = artifact.Set{name: r}
	bare.key = bare.fingerprint()
	return &bare
}

// countedByTree tells who was counted together, and what each of them spoke of.
func (s *slot) countedByTree(members []member) string {
	var words []string
	for _, m := range members {
		of := "the tree alone"
		if commits, _ := m.statement.claims.commits(); len(commits) > 0 {
			of = "commit " + commits[0]
		}
		words = append(words, fmt.Sprintf("%s (%s)", m.statement.verified.Source(), of))
	}
	return fmt.Sprintf("joinBy: tree: step %s counts together what speaks of the tree %s: %s", s.step.name, s.chosen.claims.tree, strings.Join(words, ", "))
}
