package command

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// clone is a git repository in which authors may have left their word.
type clone struct {
	repository *gitrepo.Repository
	evidence   *evidence.Git
}

// clones are the repositories of a run.
type clones struct {
	// named is that of --git; with it, no other is looked at.
	named *clone
	// none is set where artifacts' own repositories are not looked at.
	none bool
	// found are those that artifacts lie in, by the artifacts' folders; nil for a
	// folder that lies in none.
	found map[string]*clone
}

// openGit opens the repository of --git. The caller counts on it.
func (j *judge) openGit() error {
	j.clones = clones{none: len(j.in.bundles) > 0, found: map[string]*clone{}}
	if j.in.git == "" {
		return nil
	}
	named, err := findClone(j.in.git)
	if err != nil {
		next := "check --git"
		if errors.Is(err, gitrepo.ErrNoRepository) {
			next = "name a clone of the repository with --git DIR"
		}
		return undecided(next, fmt.Errorf("reading --git: %w", err))
	}
	j.clones.named = named
	return nil
}

// of gives the repository to look in for an artifact, or nil. One that the artifact
// lies in by chance and that cannot be read is listed in found: it might have held
// what is missing.
func (c *clones) of(t target, found *evidence.Found) *clone {
	if c.named != nil || c.none {
		return c.named
	}
	dir := filepath.Dir(cmp.Or(t.beside, "."))
	at, known := c.found[dir]
	if known {
		return at
	}
	at, err := findClone(dir)
	if err != nil && !errors.Is(err, gitrepo.ErrNoRepository) {
		found.Refused = append(found.Refused, verdict.Evidence{Source: dir, Reason: &verdict.Finding{
			ID: verdict.SourceUnreadable, Where: dir, Found: err.Error(), Expected: "a git repository that can be read",
			Next: "name another clone with --git DIR, or the bundles you mean with --bundle",
		}})
		return nil // and told again for the next artifact
	}
	c.found[dir] = at
	return at
}

func findClone(dir string) (*clone, error) {
	repository, err := gitrepo.Find(dir)
	if err != nil {
		return nil, err
	}
	return &clone{repository: repository, evidence: evidence.OpenGit(repository, fromHere(repository.Folder()))}, nil
}

// fromHere is a folder as one would type it, relative where that is possible.
func fromHere(folder string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return folder
	}
	for _, path := range []*string{&here, &folder} {
		if followed, err := filepath.EvalSymlinks(*path); err == nil {
			*path = followed
		}
	}
	rel, err := filepath.Rel(here, folder)
	if err != nil {
		return folder
	}
	return rel
}

// gitObjects are objects to look for, or that evidence is looked for of, by their ids.
type gitObjects struct{ commits, tags, trees []string }

// objectsInHand are the artifacts that are commits, tags or trees.
func objectsInHand(targets ...target) (o gitObjects) {
	for _, t := range targets {
		if id := t.digest[artifact.GitCommit]; id != "" {
			o.commits = union(o.commits, []string{id})
		}
		if id := t.digest[artifact.GitTag]; id != "" {
			o.tags = union(o.tags, []string{id})
		}
		if id := t.digest[artifact.GitTree]; id != "" {
			o.trees = union(o.trees, []string{id})
		}
	}
	return o
}

// find looks for notes of commits, and where a layout asks for them, for objects' own
// signatures and for gittuf's word on a change that leads to them. lacking are the
// objects that the clone does not have.
func (c *clone) find(o gitObjects, l *layout.Layout) (found evidence.Found, lacking []string) {
	found = c.evidence.Commits(o.commits)
	if l.AsksForObjects() {
		var objects evidence.Found
		objects, lacking = c.evidence.Objects(o.commits, o.tags)
		found.Add(objects)
	}
	if l.AsksForChanges() {
		found.Add(c.evidence.Changes(c.targets(o)))
	}
	return found, lacking
}

// targets are what a change can lead to: a tree, or a commit that a tag names. Of a
// commit that the clone does not have, the tree is not known.
func (c *clone) targets(o gitObjects) []string {
	all := o.trees
	for _, id := range o.commits[:min(len(o.commits), evidence.MaxCommits)] {
		all = union(all, []string{id})
		if name, commit, err := gitobject.ReadCommit(c.repository.Object, id); err == nil && name == id {
			all = union(all, []string{commit.Tree})
		}
	}
	return all
}

// maxParents bounds the parents of a merge that are looked at.
const maxParents = 16

// withTwins adds the parents of commits that have the very tree of the commit: what a
// forge's merge makes of a branch that was up to date. An author's word on the branch
// is found by that; whether it counts, joined by tree, is the layout's to say.
func (c *clone) withTwins(commits []string) []string {
	all := commits
	for _, id := range commits[:min(len(commits), evidence.MaxCommits)] {
		name, commit, err := gitobject.ReadCommit(c.repository.Object, id)
		if err != nil || name != id {
			continue
		}
		for _, parent := range commit.Parents[:min(len(commit.Parents), maxParents)] {
			if name, twin, err := gitobject.ReadCommit(c.repository.Object, parent); err == nil && name == parent && twin.Tree == commit.Tree {
				all = union(all, []string{parent})
			}
		}
	}
	return all
}

// misnamed tells of commits and tags in hand that are other objects in the clone, and
// of which nothing that was opened speaks: where it does, the finding tells.
func (c *clone) misnamed(o gitObjects, opened []*attestation.Verified) (lines []string) {
	calls := map[gitobject.Kind]artifact.Algorithm{gitobject.CommitKind: artifact.GitCommit, gitobject.TagKind: artifact.GitTag, gitobject.TreeKind: artifact.GitTree}
	check := func(called gitobject.Kind, ids []string) {
		for _, id := range ids {
			raw, err := c.repository.Object(id, max(gitobject.MaxCommitBytes, gitobject.MaxTagBytes))
			if err != nil || raw.Check(id) != nil || raw.Kind == called || calls[raw.Kind] == "" || speaksOf(opened, id) {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s is a %s in this clone, and not a %s; next: run it again with %s:%s", id, raw.Kind, called, calls[raw.Kind], id))
		}
	}
	check(gitobject.CommitKind, o.commits)
	check(gitobject.TagKind, o.tags)
	return lines
}

// speaksOf reports whether a statement has a subject of this id.
func speaksOf(opened []*attestation.Verified, id string) bool {
	return slices.ContainsFunc(opened, func(v *attestation.Verified) bool {
		return slices.ContainsFunc(v.Statement().Subjects, func(s artifact.Resource) bool {
			return slices.Contains([]string{s.Digest[artifact.GitCommit], s.Digest[artifact.GitTag], s.Digest[artifact.GitTree]}, id)
		})
	})
}

// history is what a repository tells of commits, read from objects that hash to
// their names.
type history struct {
	trees   map[string]string
	changed map[string][]string
	fetch   string   // what may bring a word that is missing
	changes string   // what may bring gittuf's
	lacking []string // objects that may bear a signature and are not in the clone
	// misnamed are artifacts in hand that are other objects than they were called.
	misnamed []string
}

// warnings tell of what is worth fetching where something is missing, or of what is
// to be called otherwise.
func (h history) warnings() (lines []string) {
	lines = h.misnamed
	for _, id := range h.lacking {
		lines = append(lines, fmt.Sprintf("%s is not in this clone, so its own signature could not be read; next: %s", id, (&gitobject.MissingError{Commit: id, Object: id}).Next()))
	}
	return lines
}

// history reads the commits that a clone has; of the others nothing is known.
func (c *clone) history(commits []string) history {
	h := history{trees: map[string]string{}, changed: map[string][]string{}}
	for _, id := range commits[:min(len(commits), evidence.MaxCommits)] {
		name, commit, err := gitobject.ReadCommit(c.repository.Object, id)
		if err != nil || name != id {
			continue
		}
		h.trees[id] = commit.Tree
		if paths, err := gitobject.ChangedPaths(c.repository.Object, id); err == nil {
			h.changed[id] = paths
		}
	}
	if len(commits) > 0 {
		h.fetch = evidence.FetchNotes
	}
	return h
}

// union appends what is not there yet.
func union(ids, more []string) []string {
	ids = slices.Clone(ids)
	for _, id := range more {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// without leaves out candidates that are byte for byte like others: a statement
// counts once, wherever it was found.
func without(candidates, others []attestation.Candidate) []attestation.Candidate {
	known := map[string]bool{}
	for _, c := range others {
		known[c.Digest()] = true
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(c attestation.Candidate) bool { return known[c.Digest()] })
}
