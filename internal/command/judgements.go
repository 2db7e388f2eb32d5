package command

import (
	"context"
	"errors"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/layout"
)

// judgements are those of one classic layout: one for all artifacts, or one for each
// where an inspection looks at the artifact in hand.
type judgements struct {
	env    Env
	flags  inspectionFlags
	input  layout.ClassicInput
	levels []string // that the caller grants

	last    *layout.ClassicResult
	bound   bool // last is about one artifact alone
	ran     []string
	grounds []*grounds // of each verdict so far; nil where none has any
}

// about judges the layout with an artifact in hand, or with nil for none.
func (j *judgements) about(ctx context.Context, inHand *artifact.Artifact) (*layout.ClassicResult, error) {
	if j.last == nil || j.bound {
		if err := j.judge(ctx, inHand); err != nil {
			return nil, err
		}
	}
	j.grounds = append(j.grounds, j.ground())
	return j.last, nil
}

func (j *judgements) judge(ctx context.Context, inHand *artifact.Artifact) error {
	all, err := j.flags.start(j.env, inHand)
	if err != nil {
		return err
	}
	j.input.Inspect = all.inspect(ctx)
	j.last = layout.CheckClassic(j.input)
	j.bound, j.ran = all.lookedInHand, all.ran
	if err := errors.Join(all.undecided, all.inspector.Close()); err != nil {
		return undecided("name a folder that can be inspected with --inspection-dir", err)
	}
	return nil
}

// unread keeps the place of an artifact that could not be judged.
func (j *judgements) unread() { j.grounds = append(j.grounds, nil) }

// ground is what a summary of the last judgement says of the layout: how it was read,
// and what was run for it. Neither is in the layout's digest.
func (j *judgements) ground() *grounds {
	if !j.last.Judged {
		return nil
	}
	g := &grounds{levels: j.levels, inspections: j.ran}
	for _, word := range j.last.Relaxations {
		g.relaxations = append(g.relaxations, layout.CompatInToto+"/"+word)
	}
	return g
}

// of are the grounds of one verdict.
func (j *judgements) of(verdict int) *grounds { return j.grounds[verdict] }
