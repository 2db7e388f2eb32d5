package layout

import (
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// gather puts statements that say the same together.
//
// "threshold distinct principals make statements with equal normalised materials and
// products." (docs/layout.md 1.) An author's word on a commit may say more than that:
// a link names the tree too, a signed tag the ref. One that says less is no other
// word, so that it joins each of those which say more, and those alone make a group
// of their own: what a group says, nobody in it contradicts. TestAuthorsTogether
func (c *check) gather(step *boundStep, found []counted) []*group {
	byKey := map[string][]counted{}
	var order []string
	for _, f := range found {
		if _, ok := byKey[f.claims.key]; !ok {
			order = append(order, f.claims.key)
		}
		byKey[f.claims.key] = append(byKey[f.claims.key], f)
	}
	var out []*group
	for _, key := range order {
		out = append(out, c.combine(byKey[key])...)
	}
	if step.joinBy == joinByTree && len(order) > 1 {
		out = append(out, c.gatherByTree(found)...)
	}
	return out
}

// counted is a statement that may count, for whom, and what it claims.
type counted struct {
	member
	claims *claims
}

// combine makes the groups of statements with one key: one for each tree and each
// ref that some of them name, and for none. It costs as much as it makes.
func (c *check) combine(same []counted) []*group {
	trees, refs := []string{""}, []string{""}
	for _, s := range same {
		trees, refs = add(trees, s.claims.tree), add(refs, s.claims.ref)
	}
	var out []*group
	for _, tree := range trees {
		for _, ref := range refs {
			if c.work += 2 * len(same); c.work > maxWork {
				return out
			}
			out = append(out, c.groupsOf(same, tree, ref)...)
		}
	}
	return out
}

// groupsOf makes the group of those who say no other tree and no other ref. Where some
// of them say no tree, and nothing proves which one the commit has, the tree is said by
// the others alone: then they are a group with it, and all together one without, so
// that nobody's word joins another commit in somebody else's name. TestTreeOfOthers
func (c *check) groupsOf(same []counted, tree, ref string) []*group {
	all := groupOf(same, tree, ref)
	if all == nil {
		return nil
	}
	saying := groupOf(slices.DeleteFunc(slices.Clone(same), func(s counted) bool { return s.claims.tree != tree }), tree, ref)
	if saying != nil && len(saying.members) == len(all.members) || c.hasTree(same, tree) {
		return []*group{all}
	}
	all.claims = all.claims.saying("", ref)
	if saying == nil {
		return []*group{all}
	}
	return []*group{saying, all}
}

// hasTree reports whether the commit has the tree, whoever says so: it was read, here
// or as the object that one of them signed.
func (c *check) hasTree(same []counted, tree string) bool {
	return slices.ContainsFunc(same, func(s counted) bool {
		r := s.claims.products[s.claims.productNames[0]]
		return tree == "" || s.claims.treeRead && s.claims.tree == tree || c.Trees[r.Digest[artifact.GitCommit]] == tree
	})
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// groupOf takes those that say no other tree and no other ref. Where nobody says
// just these, another combination has the same members.
func groupOf(same []counted, tree, ref string) *group {
	g := &group{}
	saysTree, saysRef := tree == "", ref == ""
	for _, s := range same {
		if s.claims.tree != "" && s.claims.tree != tree || s.claims.ref != "" && s.claims.ref != ref {
			continue
		}
		saysTree, saysRef = saysTree || s.claims.tree == tree, saysRef || s.claims.ref == ref
		g.members = append(g.members, s.member)
		if g.claims == nil || s.claims.tree == tree && s.claims.ref == ref {
			g.claims = s.claims
		}
	}
	if g.claims == nil || !saysTree || !saysRef {
		return nil
	}
	if g.claims.tree != tree || g.claims.ref != ref {
		g.claims = g.claims.saying(tree, ref)
	}
	return g
}

// saying is a copy of an author's claims with a tree and a ref that others name.
func (c *claims) saying(tree, ref string) *claims {
	more := *c
	more.tree, more.ref = tree, ref
	more.products = artifact.Set{}
	for name, r := range c.products {
		digest := artifact.DigestSet{}
		for alg, value := range r.Digest {
			digest[alg] = value
		}
		if delete(digest, artifact.GitTree); tree != "" {
			digest[artifact.GitTree] = tree
		}
		r.Digest, r.Bound = digest, ref != ""
		if r.Bound {
			r.Name.Ref = ref
		}
		more.products[name] = r
	}
	return &more
}

// further sets what an author's claims say beyond the commit, of which their key
// takes no notice.
func (c *claims) further() {
	if len(c.products) != 1 || len(c.productNames) != 1 {
		return
	}
	r := c.products[c.productNames[0]]
	if !r.Name.Git {
		return
	}
	if r.Bound {
		c.ref = r.Name.Ref
	}
	if r.Digest[artifact.GitCommit] == "" {
		return // the tree is what it speaks of, and in the key
	}
	c.tree = r.Digest[artifact.GitTree]
	rest := artifact.DigestSet{}
	for alg, value := range r.Digest {
		if alg != artifact.GitTree && alg != artifact.GitTag {
			rest[alg] = value
		}
	}
	bare := *c
	r.Digest = rest
	bare.products = artifact.Set{c.productNames[0]: r}
	c.key = bare.fingerprint()
}
