package evidence

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Elsewhere is a store that is asked over the network: the attestations of a
// repository, the assets of a release, a registry. What it gives is believed no more
// than a file.
type Elsewhere interface {
	// Find fetches what is kept about an artifact. An error is that nothing could be
	// looked at.
	Find(ctx context.Context, sought Sought) (Kept, error)
	// Name says in reports which store it is.
	Name() string
}

// Sought is an artifact, or a commit, that bundles are looked for about.
type Sought struct {
	Name   string // its base name; empty where it is known by its digest alone
	Image  string // NAME@DIGEST of an image; empty for all else
	Digest artifact.DigestSet
}

// about is one digest, as a store has it and a report shows it.
func (s Sought) about() string {
	for _, alg := range artifact.InHand() {
		if value := s.Digest[alg]; value != "" {
			return string(alg) + ":" + value
		}
	}
	return s.Name
}

// Kept is what a store has about an artifact.
type Kept struct {
	// Place is where it was looked; empty where the store keeps nothing of that kind.
	Place  string
	Pieces []Piece
}

// Piece is one document of a store: a bundle, or a file with several.
type Piece struct {
	Source string
	Data   []byte
	// Err is why it could not be fetched; the others count all the same.
	Err error
}

// From looks in a store for bundles about artifacts. What cannot be fetched is listed as
// refused, so that a verdict that lacks a statement is undecided then, not denied.
func From(ctx context.Context, store Elsewhere, sought ...Sought) Found {
	var found Found
	for _, s := range sought {
		kept, err := store.Find(ctx, s)
		if err != nil {
			found.unfetched(store.Name(), err)
			continue
		}
		if kept.Place == "" {
			continue // the store keeps nothing of this kind
		}
		place := Place{Path: kept.Place, Absent: len(kept.Pieces) == 0}
		for _, piece := range kept.Pieces {
			if piece.Err != nil {
				found.unfetched(piece.Source, piece.Err)
				continue
			}
			place.Bundles += found.read(piece.Source, piece.Data)
		}
		found.Looked = append(found.Looked, place)
	}
	return found
}

// Add joins what another search has brought.
func (f *Found) Add(other Found) {
	f.Candidates = append(f.Candidates, other.Candidates...)
	f.Refused = append(f.Refused, other.Refused...)
	f.Looked = append(f.Looked, other.Looked...)
}

// unfetched lists what could not be fetched. An error that ends in a next step of its
// own knows best.
func (f *Found) unfetched(where string, err error) {
	what, next, said := strings.Cut(err.Error(), "; next: ")
	if !said {
		next = "run it again when it can be reached, or name the bundles you have with --bundle"
	}
	if refused, ok := errors.AsType[*github.Error](err); ok {
		what = refused.What()
	}
	f.Looked = append(f.Looked, Place{Path: where})
	f.Refused = append(f.Refused, verdict.Evidence{Source: where, Reason: &verdict.Finding{
		ID: verdict.SourceUnreadable, Where: where, Found: what, Expected: "bundles that can be fetched", Next: next,
	}})
}

// Attestations are those that GitHub keeps of a repository.
type Attestations struct {
	Client     *github.Client
	Repository github.Repository
	// Chosen says how the repository was, in brackets; empty where the caller named it.
	Chosen string
	// PredicateType is the only one to fetch; empty for all.
	PredicateType string

	down error // why GitHub could not be asked; it is not asked again for the next artifact
}

// Name is the repository with its host.
func (a *Attestations) Name() string { return a.Client.Host() + "/" + a.Repository.String() }

// Find asks for the digests that GitHub may have a subject under, until one of them has
// something.
func (a *Attestations) Find(ctx context.Context, sought Sought) (Kept, error) {
	if a.down != nil {
		return Kept{}, a.down
	}
	kept := Kept{Place: "attestations of " + a.Name() + a.Chosen + " about " + sought.about()}
	for _, digest := range subjects(sought.Digest) {
		found, err := a.Client.Attestations(ctx, a.Repository, digest, a.PredicateType)
		if _, refused := errors.AsType[*github.Error](err); refused {
			a.down = err
		}
		if err != nil {
			return Kept{}, err
		}
		for i, one := range found {
			kept.Pieces = append(kept.Pieces, Piece{Source: fmt.Sprintf("%s attestation %d of %s", a.Name(), i+1, shortened(digest)), Data: one.Bundle, Err: one.Err})
		}
		if len(found) > 0 {
			break
		}
	}
	return kept, nil
}

// subjects are the names of digests that GitHub is asked for. "The parameter should be set
// to the attestation's subject's SHA256 digest" (its OpenAPI); its command line also asks
// for sha512, and for what git names as sha1, which is what GitHub calls it in the
// attestations of its own releases.
func subjects(digest artifact.DigestSet) (names []string) {
	for _, alg := range []artifact.Algorithm{artifact.SHA256, artifact.SHA512, artifact.GitCommit, artifact.GitTag, artifact.GitTree} {
		if value := digest[alg]; value != "" {
			names = append(names, string(alg)+":"+value)
			if len(value) == sha1Digits {
				names = append(names, "sha1:"+value)
			}
		}
	}
	if value := digest[artifact.SHA384]; value != "" && len(names) == 0 {
		names = append(names, string(artifact.SHA384)+":"+value)
	}
	return names
}

const sha1Digits = 40

// shortened keeps as many digits of a digest as tell it from others in a report.
func shortened(digest string) string {
	const digits = 12
	alg, value, _ := strings.Cut(digest, ":")
	return alg + ":" + value[:min(len(value), digits)]
}
