package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// judge decides the artifacts of one run.
type judge struct {
	env        Env
	in         verifyInput
	layout     *layout.Layout
	roots      *loadedRoots
	parameters map[string]string
	doc        *report.Document
	clones     clones
	stores     []evidence.Elsewhere      // that bundles are fetched from
	said       map[string]evidence.Found // of commits there
}

// all judges each artifact alone. Bundles that the caller named serve them all
// and are opened once, unless more is fetched about each.
func (j *judge) all(ctx context.Context, targets []target) (err error) {
	var named evidence.Found
	var shared *gathered
	if len(j.in.bundles) > 0 {
		if named, err = evidence.Named(j.env.FS, j.in.bundles); err != nil {
			return undecided("check --bundle", err)
		}
		if len(j.stores) == 0 {
			if shared, err = j.gather(ctx, named, j.clones.named, objectsInHand(targets...)); err != nil {
				return err
			}
		}
	}
	for _, t := range targets {
		if len(j.stores) > 0 {
			err = j.elsewhere(ctx, t, named)
		} else {
			err = j.here(ctx, t, shared)
		}
		if err != nil {
			return err
		}
		if last := j.doc.Verdicts[len(j.doc.Verdicts)-1]; !last.Allowed() {
			j.doc.Warnings = union(j.doc.Warnings, j.in.from.unasked(t))
		}
	}
	return nil
}

// here judges an artifact with the bundles that the caller named, or else with what lies
// beside it.
func (j *judge) here(ctx context.Context, t target, g *gathered) error {
	if g == nil {
		var err error
		found := evidence.Beside(j.env.FS, t.beside)
		if g, err = j.gather(ctx, found, j.clones.of(t, &found), objectsInHand(t)); err != nil {
			return err
		}
	}
	a, err := t.hash(ctx, j.env, g.algorithms)
	if err := hashFailure(ctx, t, err); err != nil {
		return err
	}
	j.conclude(j.one(a, err, g), g)
	return nil
}

// conclude adds a verdict to the report.
func (j *judge) conclude(v verdict.Verdict, g *gathered) {
	if j.doc.Verdicts = append(j.doc.Verdicts, v); !v.Allowed() {
		j.doc.Warnings = union(j.doc.Warnings, slices.Concat(g.history.warnings(), g.warnings))
	}
}

// gathered is evidence that has been opened.
type gathered struct {
	opened
	algorithms []artifact.Algorithm // that the subjects need, and the deny list
	history    history
	warnings   []string // of what was not looked for, and matters where it does not suffice
}

// gather opens what was found, and then what there is elsewhere, and in the clone, about
// the commits that are in hand or that the opened statements name.
func (j *judge) gather(ctx context.Context, found evidence.Found, at *clone, inHand gitObjects) (*gathered, error) {
	all, err := j.open(ctx, found)
	if err != nil {
		return nil, err
	}
	later, warnings := j.words(ctx, all.verified, inHand.commits)
	g := &gathered{opened: all, warnings: warnings}
	given := inHand
	var lacking []string
	if at != nil {
		inHand.commits = at.withTwins(union(inHand.commits, layout.Commits(all.verified)))
		var noted evidence.Found
		noted, lacking = at.find(inHand, j.layout)
		noted.Candidates = without(noted.Candidates, later.Candidates)
		later.Add(noted)
	}
	later.Candidates = without(later.Candidates, found.Candidates)
	more, err := j.open(ctx, later)
	if err != nil {
		return nil, err
	}
	g.verified, g.refused = slices.Concat(g.verified, more.verified), slices.Concat(g.refused, more.refused)
	if len(later.Candidates) > 0 && len(layout.Sublayouts(j.input(g.verified))) > 0 { // whose evidence may lie in either place
		both, err := openWithin(ctx, slices.Concat(found.Candidates, later.Candidates), j.roots, j.input(nil))
		if err != nil {
			return nil, err
		}
		g.verified, g.refused = both.verified, slices.Concat(both.refused, found.Refused, later.Refused)
	}
	if at != nil {
		g.history = at.history(union(inHand.commits, layout.Commits(more.verified)))
		g.history.lacking, g.history.misnamed = lacking, at.misnamed(given, g.verified)
		if len(inHand.commits)+len(inHand.trees) > 0 {
			g.history.changes = evidence.FetchGittuf
		}
	}
	g.algorithms = algorithmsOf(g.verified, j.layout)
	return g, nil
}

// open opens candidates, and tells where they were looked for.
func (j *judge) open(ctx context.Context, found evidence.Found) (opened, error) {
	for _, p := range found.Looked {
		place := report.Place{Name: p.Path, Found: p.Bundles}
		if !slices.Contains(j.doc.Searched, place) { // several artifacts share places
			j.doc.Searched = append(j.doc.Searched, place)
		}
	}
	all, err := openWithin(ctx, found.Candidates, j.roots, j.input(nil))
	all.refused = append(all.refused, found.Refused...)
	return all, err
}

// input is what is known before any artifact is judged.
func (j *judge) input(verified []*attestation.Verified) layout.Input {
	return layout.Input{Layout: j.layout, Parameters: j.parameters, Now: j.env.Now, Verified: verified}
}

// algorithmsOf lists what the artifact must be hashed with, so that it is read
// once: always SHA-256, and each other algorithm that a subject or the deny list has.
func algorithmsOf(verified []*attestation.Verified, l *layout.Layout) []artifact.Algorithm {
	needed := []artifact.Algorithm{artifact.SHA256}
	add := func(alg artifact.Algorithm) {
		hashable := alg == artifact.SHA384 || alg == artifact.SHA512
		if hashable && !slices.Contains(needed, alg) {
			needed = append(needed, alg)
		}
	}
	for _, alg := range l.DigestAlgorithms() {
		add(alg)
	}
	for _, v := range verified {
		for _, s := range v.Statement().Subjects {
			for alg := range s.Digest {
				add(alg)
			}
		}
	}
	return needed
}

// one judges one artifact. With unread, it could not be read, which is undecided:
// the others are still judged.
func (j *judge) one(a artifact.Artifact, unread error, g *gathered) verdict.Verdict {
	if unread != nil {
		return unreadArtifact(a, unread)
	}
	return layout.Check(layout.Input{
		Layout: j.layout, Parameters: j.parameters, Artifact: a, Verified: g.verified, Refused: g.refused,
		Now: j.env.Now, MinVersion: j.in.minVersion, Step: j.in.step, SubjectName: j.in.subject, TagName: j.in.tag,
		Trace: j.in.explain || j.in.out.format == "json",
		Trees: g.history.trees, Changed: g.history.changed,
		Fetch: g.history.fetch, FetchChanges: g.history.changes,
	})
}

// hashFailure is an error that ends the run; one of the artifact alone does not.
func hashFailure(ctx context.Context, t target, err error) error {
	if ctx.Err() != nil {
		return undecided("run it again", fmt.Errorf("hashing %s: %w", t.given, context.Cause(ctx)))
	}
	if bug, ok := errors.AsType[*panicError](err); ok {
		return bug
	}
	return nil
}

// unreadArtifact is the verdict about an artifact that could not be read.
func unreadArtifact(a artifact.Artifact, why error) verdict.Verdict {
	v := verdict.Verdict{Artifact: a}
	return v.Undecide(verdict.Finding{
		ID: verdict.ArtifactUnreadable, Where: a.Given, Expected: "a file that can be read", Found: why.Error(),
		Next: "check the path and its permissions",
	})
}
