// Package gittuf finds gittuf's attestations in the objects of its own ref: it opens no
// repository and believes no envelope.
//
// gittuf keeps them in the tree of a commit, each a DSSE envelope in a blob whose path
// tells which change of which ref it is about:
//
//	reference-authorizations/refs/heads/main/FROM-TO
//	code-review-approvals/refs/heads/main/FROM-TO/github/APP
//
// "the key refs/heads/main/<commit-A>-<tree-B> indicates the authorization is for the
// action of moving refs/heads/main from commit-A to a commit with tree-B" (gittuf,
// internal/attestations); for a tag, TO is the commit. A path chooses what is opened
// and nothing more: what an envelope is about, its signed contents say.
package gittuf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Ref is where gittuf keeps attestations.
const Ref = "refs/gittuf/attestations"

// Bounds: bytes of an envelope, envelopes that are opened, folders that are read and the
// entries of all of them, how deep they lie in one another, bytes of a path, and how many
// faults are told.
const (
	MaxEnvelopeBytes = 4 << 20
	MaxEnvelopes     = 1024
	maxFolders       = 16_384
	maxEntries       = 1 << 20
	maxDepth         = 64
	maxPath          = 4096
	maxFaults        = 8
)

// kinds are the folders of envelopes that can be an author's or a reviewer's word.
func kinds() []string { return []string{"reference-authorizations", "code-review-approvals"} }

// Attestations are those of one commit of [Ref].
type Attestations struct {
	source gitobject.Source
	root   []gitobject.Entry
}

// Envelope is what lies at one path.
type Envelope struct {
	Path string
	Data []byte
	// Err says why there is no Data: the entry is no file, or the blob is missing,
	// damaged or too large.
	Err error
}

// Open reads the root of the attestations of a commit.
func Open(source gitobject.Source, commit string) (*Attestations, error) {
	name, parsed, err := gitobject.ReadCommit(source, commit)
	switch {
	case err != nil:
		return nil, fmt.Errorf("opening gittuf's attestations: %w", err)
	case name != commit:
		return nil, fmt.Errorf("opening gittuf's attestations: %s is a tag, expected a commit", commit)
	case len(parsed.Tree) != len(commit):
		return nil, fmt.Errorf("opening gittuf's attestations: the commit is named by %d digits and its tree by %d", len(commit), len(parsed.Tree))
	}
	root, err := gitobject.ReadTree(source, parsed.Tree)
	if err != nil {
		return nil, fmt.Errorf("opening gittuf's attestations: %w", err)
	}
	return &Attestations{source: source, root: root}, nil
}

// To gives the envelopes whose paths say that they are about a change to one of targets:
// trees, and commits that tags name. A part that cannot be read is an error, beside what
// was found elsewhere.
func (a *Attestations) To(targets []string) ([]Envelope, error) {
	w := walk{source: a.source, targets: map[string]bool{}}
	for _, id := range targets {
		w.targets[id] = gitobject.ValidID(id)
	}
	for _, kind := range kinds() {
		for _, e := range a.root {
			if e.Name == kind {
				w.entry(e, e.Name, 1, false)
			}
		}
	}
	return w.found, errors.Join(w.errs...)
}

// walk goes through the folders of envelopes.
type walk struct {
	source  gitobject.Source
	targets map[string]bool
	found   []Envelope
	folders int
	entries int
	full    bool // a bound was met: nothing more is read
	errs    []error
}

// entry goes into a folder, or opens an envelope. chosen tells that the path names a
// change to one of the targets.
func (w *walk) entry(e gitobject.Entry, path string, depth int, chosen bool) {
	to, isChange := target(e.Name)
	chosen = chosen || isChange && w.targets[to]
	switch {
	case w.full:
	case e.Mode == gitobject.Folder && (chosen || !isChange):
		w.folder(e, path, depth, chosen)
	case e.Mode == gitobject.Folder || !chosen: // another change, or gittuf's own index of reviews
	case len(w.found) == MaxEnvelopes:
		w.stop(fmt.Errorf("more than %d envelopes about these changes", MaxEnvelopes))
	default:
		w.found = append(w.found, w.envelope(e, path))
	}
}

func (w *walk) folder(e gitobject.Entry, path string, depth int, chosen bool) {
	if w.folders++; w.folders > maxFolders {
		w.stop(fmt.Errorf("more than %d folders", maxFolders))
		return
	}
	if depth > maxDepth || len(path) > maxPath {
		w.fault(fmt.Errorf("reading %.80q: it lies deeper than %d folders, or its path has more than %d bytes", path, maxDepth, maxPath))
		return
	}
	entries, err := gitobject.ReadTree(w.source, e.ID)
	if err != nil {
		w.fault(fmt.Errorf("reading %.200q: %w", path, err))
		return
	}
	if w.entries += len(entries); w.entries > maxEntries {
		w.stop(fmt.Errorf("more than %d entries", maxEntries))
		return
	}
	for _, within := range entries {
		w.entry(within, path+"/"+within.Name, depth+1, chosen)
	}
}

// fault tells of a part that cannot be read, and stop that nothing more is read.
func (w *walk) fault(err error) {
	if len(w.errs) < maxFaults {
		w.errs = append(w.errs, err)
	}
}

func (w *walk) stop(err error) { w.full, w.errs = true, append(w.errs, err) }

// envelope reads the blob of an entry.
func (w *walk) envelope(e gitobject.Entry, path string) Envelope {
	if e.Mode != gitobject.File && e.Mode != gitobject.SharedFile && e.Mode != gitobject.Executable {
		return Envelope{Path: path, Err: fmt.Errorf("its entry has mode %s, expected a file", e.Mode)}
	}
	data, err := gitobject.ReadObject(w.source, gitobject.BlobKind, e.ID, MaxEnvelopeBytes)
	return Envelope{Path: path, Data: data, Err: err}
}

// target is what a change leads to, by the name of its entry: FROM-TO. FROM is all zeros
// where the ref is new.
func target(name string) (to string, ok bool) {
	from, to, cut := strings.Cut(name, "-")
	return to, cut && gitobject.ValidID(to) && len(from) == len(to) && strings.Trim(from, "0123456789abcdef") == ""
}
