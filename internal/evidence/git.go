package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/gittuf"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxCommits bounds how many commits are looked up in a repository: the first ones.
const MaxCommits = 1024

// Repository is a git repository, as far as evidence is looked for in it.
type Repository interface {
	// Ref gives what a ref names, or fs.ErrNotExist.
	Ref(name string) (string, error)
	// Object is a gitobject.Source.
	Object(id string, limit int64) (gitobject.Raw, error)
	// Tags finds the annotated tags of commits.
	Tags(commits []string) ([]gitrepo.Tag, error)
}

// Git looks in a repository for what authors left there about commits. It believes
// it no more than a file: objects are checked against their names, and the rest is
// judged elsewhere. What cannot be read is listed as refused; the others still count.
type Git struct {
	repository Repository
	name       string
	notes      *gitnotes.Notes // nil where there are none
	absent     bool            // there is no such ref
	unread     error           // why notes cannot be read
	gittuf     opening
}

// OpenGit opens a repository's notes. name says in reports which repository it is.
func OpenGit(repository Repository, name string) *Git {
	g := &Git{repository: repository, name: name}
	tip, err := repository.Ref(gitnotes.Ref)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		g.absent = true
	case err == nil:
		g.notes, err = gitnotes.Open(repository.Object, tip)
		fallthrough
	default:
		g.unread = err
	}
	return g
}

// Commits looks for candidates about commits, each known by its id: the lines of its
// note in refs/notes/attestations.
func (g *Git) Commits(ids []string) Found {
	var found Found
	beyond := len(ids) - MaxCommits
	ids = ids[:min(len(ids), MaxCommits)]
	switch {
	case len(ids) == 0:
	case g.absent:
		found.Looked = append(found.Looked, Place{Path: gitnotes.Ref + " in " + g.name, Absent: true})
	case g.unread != nil:
		found.unreadableGit(gitnotes.Ref+" in "+g.name, g.unread)
	default:
		for _, id := range ids {
			g.note(&found, id)
		}
	}
	if beyond > 0 {
		found.Looked = append(found.Looked, Place{Path: fmt.Sprintf("not looked in: the notes of %d more commits that the bundles name", beyond)})
	}
	return found
}

// note splits the note of a commit into candidates.
func (g *Git) note(found *Found, commit string) {
	source := gitnotes.Ref + " of " + commit
	notes, err := g.notes.Of(commit)
	if err != nil {
		found.unreadableGit(source, err)
	}
	place := Place{Path: source + " in " + g.name, Absent: len(notes) == 0 && err == nil}
	for i, note := range notes {
		name := source
		if i > 0 {
			name = fmt.Sprintf("%s, copy %d", source, i+1)
		}
		if note.Err != nil {
			found.unreadableGit(name, note.Err)
			continue
		}
		place.Bundles += found.read(name, note.Data)
	}
	found.Looked = append(found.Looked, place)
}

// unreadableGit lists a part of a repository that cannot be read.
func (f *Found) unreadableGit(where string, err error) {
	f.Looked = append(f.Looked, Place{Path: where})
	f.Refused = append(f.Refused, verdict.Evidence{Source: where, Reason: &verdict.Finding{
		ID: verdict.SourceUnreadable, Where: where, Found: err.Error(), Expected: "objects that hash to their names, in a form that is read",
		Next: "fetch them again, into a fresh clone if this one is damaged: " + fetchOf(where),
	}})
}

// fetchOf brings the ref that a place is of.
func fetchOf(where string) string {
	if strings.HasPrefix(where, gittuf.Ref) {
		return FetchGittuf
	}
	return FetchNotes
}

// FetchNotes brings the notes into a clone.
const FetchNotes = "git fetch origin " + gitnotes.Ref + ":" + gitnotes.Ref
