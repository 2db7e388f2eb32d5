package command

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// opened is what became of a set of candidates.
type opened struct {
	verified []*attestation.Verified
	refused  []verdict.Evidence
}

// demands are the roots and keys that candidates are opened under.
type demands struct {
	roots []string
	keys  []layout.KeyDemand
}

// demandsOf lists those of a layout, and of sublayouts that it takes. More than
// maxDemands are left out: what nobody opened counts for nobody.
func demandsOf(layouts ...*layout.Layout) (d demands) {
	for _, l := range layouts {
		d.roots = union(d.roots, l.Roots())
		for _, key := range l.Keys() {
			known := slices.ContainsFunc(d.keys, func(k layout.KeyDemand) bool {
				return k.Root == key.Root && k.Key.Signer().Equal(key.Key.Signer()) && k.Key.Authority() == key.Key.Authority()
			})
			if !known {
				d.keys = append(d.keys, key)
			}
		}
	}
	d.roots, d.keys = d.roots[:min(len(d.roots), maxDemands)], d.keys[:min(len(d.keys), max(maxDemands, len(layouts[0].Keys())))]
	return d
}

// maxDemands bounds what a signed sublayout can have opened.
const maxDemands = 256

// openWithin opens candidates under what the layout names, and then under what the
// sublayouts name that this brought to light, as deep as they may lie.
func openWithin(ctx context.Context, candidates []attestation.Candidate, roots *loadedRoots, in layout.Input) (opened, error) {
	under := demandsOf(in.Layout)
	for range layout.MaxSublayoutDepth + 1 {
		all, err := openAll(ctx, candidates, roots, under)
		if err != nil {
			return all, err
		}
		in.Verified = all.verified
		more := demandsOf(slices.Concat([]*layout.Layout{in.Layout}, layout.Sublayouts(in))...)
		if len(more.roots) == len(under.roots) && len(more.keys) == len(under.keys) {
			return all, nil
		}
		under = more
	}
	return openAll(ctx, candidates, roots, under)
}

// openAll opens every candidate under each root and key that is demanded,
// in parallel. A candidate that verifies under several roots is there for each:
// a functionary names its root. One that was found twice is opened once.
func openAll(ctx context.Context, candidates []attestation.Candidate, roots *loadedRoots, under demands) (opened, error) {
	candidates = distinct(candidates)
	results := make([]opened, len(candidates))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range candidates {
		group.Go(func() error {
			return guard(func() error {
				if ctx.Err() == nil {
					results[i] = open(c, roots, under)
				}
				return context.Cause(ctx)
			})
		})
	}
	if err := group.Wait(); err != nil {
		return opened{}, undecided("run it again", fmt.Errorf("opening bundles: %w", err))
	}
	var all opened
	for _, r := range results {
		all.verified = append(all.verified, r.verified...)
		all.refused = append(all.refused, r.refused...)
	}
	return all, nil
}

// distinct leaves out candidates that are byte for byte like an earlier one.
func distinct(candidates []attestation.Candidate) []attestation.Candidate {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(candidates), func(c attestation.Candidate) bool {
		again := seen[c.Digest()]
		seen[c.Digest()] = true
		return again
	})
}

// open opens one candidate.
func open(c attestation.Candidate, roots *loadedRoots, under demands) opened {
	var out opened
	var refusals []*attestation.Refusal
	keep := func(v *attestation.Verified, err error) bool {
		if err != nil {
			refusals = append(refusals, refusalOf(c, err))
			return false
		}
		out.verified = append(out.verified, v)
		return true
	}
	for _, name := range under.roots {
		for _, root := range roots.named(name) {
			if keep(attestation.Open(c, root)) {
				break
			}
		}
	}
	for _, demand := range under.keys {
		openWithKey(c, demand, roots, keep)
	}
	if len(out.verified) == 0 {
		out.refused = []verdict.Evidence{evidence.Refused(mostTelling(c, refusals))}
	}
	return out
}

// openWithKey opens a candidate with a public key: under the root that the
// layout demands, or else under any that proves a time, or else by the signature
// alone.
func openWithKey(c attestation.Candidate, demand layout.KeyDemand, roots *loadedRoots, keep func(*attestation.Verified, error) bool) {
	if demand.Root == "" {
		for _, root := range roots.ready {
			if v, err := attestation.OpenWithKey(c, demand.Key, root); err == nil {
				keep(v, nil)
				return
			}
		}
		// What a root would have asked for was not asked: the signature decides, and says why.
		keep(attestation.OpenWithKey(c, demand.Key, nil))
		return
	}
	for _, root := range roots.named(demand.Root) {
		if keep(attestation.OpenWithKey(c, demand.Key, root)) {
			return
		}
	}
}

// mostTelling picks the refusal to show: what is wrong with the content before
// what only says that another root would be needed, and both before what only says
// that a key was tried on a certificate, or the other way round.
func mostTelling(c attestation.Candidate, refusals []*attestation.Refusal) *attestation.Refusal {
	tried := slices.DeleteFunc(slices.Clone(refusals), (*attestation.Refusal).OtherKind)
	switch {
	case len(tried) > 0:
		refusals = tried
	case len(refusals) > 0:
		refusals = refusals[len(refusals)-1:] // keys are tried by their signature alone at last
	}
	for _, r := range refusals {
		if r.ID != verdict.SignatureInvalid {
			return r
		}
	}
	if len(refusals) > 0 {
		return refusals[0]
	}
	return &attestation.Refusal{Source: c.Source(), ID: verdict.UnknownRoot, Err: errors.New("none of the trusted roots or keys that are demanded is loaded")}
}

func refusalOf(c attestation.Candidate, err error) *attestation.Refusal {
	if r, ok := errors.AsType[*attestation.Refusal](err); ok {
		return r
	}
	return &attestation.Refusal{Source: c.Source(), ID: verdict.SignatureInvalid, Err: err}
}
