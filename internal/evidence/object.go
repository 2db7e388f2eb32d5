package evidence

import (
	"errors"
	"slices"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Objects looks for commits' own signatures: of each commit, and of the annotated tags
// of it. tags are further tag objects, each known by its id. A commit without a
// signature is no candidate, and lacking are the commits and tags that are not in the
// repository.
func (g *Git) Objects(commits, tags []string) (found Found, lacking []string) {
	commits = commits[:min(len(commits), MaxCommits)]
	for _, id := range slices.Concat(commits, tags) {
		raw, err := g.repository.Object(id, max(gitobject.MaxCommitBytes, gitobject.MaxTagBytes))
		if err == nil {
			err = raw.Check(id)
		}
		switch source := "object " + id; {
		case errors.Is(err, gitobject.ErrMissing):
			lacking = append(lacking, id)
			found.Looked = append(found.Looked, Place{Path: source + " in " + g.name, Absent: true})
		case err != nil:
			found.unreadableGit(source+" in "+g.name, err)
		case raw.Kind == gitobject.CommitKind || raw.Kind == gitobject.TagKind:
			g.object(&found, attestation.Object{Source: string(raw.Kind) + " " + id, Data: raw.Data, ID: id})
		}
	}
	if len(commits) == 0 {
		return found, lacking
	}
	named, err := g.repository.Tags(commits)
	if err != nil {
		found.unreadableGit("refs/tags in "+g.name, err)
	}
	for _, tag := range named {
		if !slices.Contains(tags, tag.ID) {
			g.object(&found, attestation.Object{Source: tag.Ref, Data: tag.Raw.Data, ID: tag.ID, Ref: tag.Ref})
		}
	}
	return found, lacking
}

// object makes a candidate of a signed object.
func (g *Git) object(found *Found, o attestation.Object) {
	place := Place{Path: o.Source + " in " + g.name + ", its own signature"}
	candidate, refused := attestation.CandidateOfObject(o)
	switch {
	case refused == nil:
		place.Bundles = 1
		found.Candidates = append(found.Candidates, candidate)
	case refused.ID == verdict.GitObjectUnsigned:
		place.Absent = true
	default:
		found.Refused = append(found.Refused, Refused(refused))
	}
	found.Looked = append(found.Looked, place)
}
