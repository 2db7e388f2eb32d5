package layout

import (
	"fmt"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// joinByTree is the one value of a step's joinBy.
const joinByTree = "tree"

// treeJoin compares git sources by their trees, for a step with joinBy: tree. A
// merge that squashes or rebases makes another commit with the same tree; nothing
// is ever concluded from which commits descend from which.
//
// "joinBy: tree on a step is its own word, shown in the report: MATCH then compares
// gitTree only, the builder's tree being read from the raw commit." (docs/layout.md
// 8.) TestJoinByTree shows it.
type treeJoin struct {
	// known has the trees of commits that were read and hash to their names.
	known map[string]string
}

// treePair is what two sources have for trees; an empty one is not known.
type treePair struct{ have, want string }

func (p treePair) joins() bool { return p.have != "" && p.have == p.want }

// of gives the tree of a git source: that of its commit where the commit was read,
// else the one that the statement has. A statement that says otherwise than the
// commit has none.
func (t *treeJoin) of(r artifact.Resource) string {
	stated := r.Digest[artifact.GitTree]
	read, known := t.known[r.Digest[artifact.GitCommit]]
	switch {
	case !known:
		return stated
	case stated != "" && stated != read:
		return ""
	}
	return read
}

func (t *treeJoin) pair(have, want artifact.Resource) treePair {
	return treePair{have: t.of(have), want: t.of(want)}
}

// join compares two artifacts of one name: by their digests, or in a step with
// joinBy: tree by their trees if they are git sources. A commit that is equal has
// an equal tree.
func (q *queue) join(have, want artifact.Resource) (byTree *treePair, joined bool) {
	if q.joined(have.Digest, want.Digest) {
		return nil, true
	}
	if q.byTree == nil || !have.Name.Git || !want.Name.Git {
		return nil, false
	}
	pair := q.byTree.pair(have, want)
	return &pair, pair.joins()
}

// notJoinedByTree is the finding for a source whose tree is another, or not known.
func (q *queue) notJoinedByTree(name string, m miss) *verdict.Finding {
	have := q.over[name]
	f := &verdict.Finding{
		ID: verdict.TreeNotJoined, Step: q.step, Rule: m.rule.text, Where: m.rule.at.in(q.layout),
		Expected: fmt.Sprintf("tree %s of %s, as step %s says", m.byTree.want, name, m.rule.from),
		Found:    "tree " + m.byTree.have + " of commit " + have.Digest[artifact.GitCommit],
		Next:     fmt.Sprintf("build a commit with the tree that step %s attested, or have it attest this one", m.rule.from),
	}
	unknown, whose := have.Digest, "this step"
	switch {
	case m.byTree.have == "":
	case m.byTree.want == "":
		unknown, whose = m.want, "step "+m.rule.from
	default:
		return f
	}
	f.ID = verdict.TreeUnknown
	f.Expected = fmt.Sprintf("the tree of %s's source: %s", whose, unknown)
	f.Found = "no repository was read that has this commit, and nothing else proves its tree"
	f.Next = "name a clone that has the commit with --git DIR"
	return f
}

// treeNotes tells what was joined or counted by tree, for the report: commits that
// differ and have one tree.
func (a *attempt) treeNotes() (notes []string) {
	for _, slot := range a.search.slots {
		for _, joins := range slot.joins {
			for _, j := range joins {
				if j.byTree != nil {
					notes = append(notes, fmt.Sprintf("joinBy: tree: step %s and step %s are joined by the tree %s; %s there is %s, here %s",
						slot.step.name, j.from, j.byTree.have, j.resource.Name.Text, j.want, j.resource.Digest))
				}
			}
		}
		if slot.chosen.byTree {
			notes = append(notes, slot.countedByTree(a.search.countedIn(slot)))
		}
	}
	return notes
}
