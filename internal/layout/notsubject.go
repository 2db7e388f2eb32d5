package layout

import (
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// notSubject tells a file that differs from a digest that cannot be compared, and
// both from an object of git that is called what it is not.
func (c *check) notSubject(statement attestation.Statement) *verdict.Finding {
	f := &verdict.Finding{
		ID: verdict.NotSubject, Expected: fmt.Sprintf("a subject with %s", c.Artifact.Digest),
		Found: "it speaks of " + subjectsOf(statement),
		Next:  "check that this is the file that was attested: it may have been changed or rebuilt",
	}
	compares := func(s artifact.Resource) bool {
		return s.Digest.Join(c.Artifact.Digest, c.accepted) != artifact.NotShared
	}
	git := func(alg artifact.Algorithm) bool { return c.Artifact.Digest[alg] != "" }
	switch found, next := c.misnamed(statement); {
	case found != "":
		f.Found, f.Next = found, next
	case !slices.ContainsFunc(statement.Subjects, compares):
		f.Next = "name the artifact by a digest of the kind that the statement has, or give the file itself"
	case git(artifact.GitCommit) || git(artifact.GitTag) || git(artifact.GitTree):
		f.Next = "check the id: what was signed is another object"
	}
	return f
}

// misnamed finds the very id of the artifact in hand among a statement's subjects, as
// that of another kind of object: a commit's given for a tag's, or the other way about.
// The kind is what somebody signed, and none of two kinds have one id.
func (c *check) misnamed(statement attestation.Statement) (found, next string) {
	kinds := []struct {
		alg  artifact.Algorithm
		name string
	}{{artifact.GitCommit, "commit"}, {artifact.GitTag, "tag"}, {artifact.GitTree, "tree"}}
	for _, called := range kinds {
		id := c.Artifact.Digest[called.alg]
		for _, is := range kinds {
			if id == "" || is == called {
				continue
			}
			for _, s := range statement.Subjects {
				if s.Digest[is.alg] == id {
					return fmt.Sprintf("%s is the id of a %s, and not of a %s", id, is.name, called.name), fmt.Sprintf("run it again with %s:%s", is.alg, id)
				}
			}
		}
	}
	return "", ""
}
