package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// maxMoves bounds how often notes are made again because somebody else was faster.
const maxMoves = 64

// Note adds bundles to the note of a commit in refs/notes/attestations, one a line.
// As [Append] does with a file, it takes nothing away, adds nothing twice, and leaves
// the notes as they were on any error. Git or another signatus may write notes at the
// same time: whoever is slower begins again from what the other one wrote.
func Note(ctx context.Context, repository *gitrepo.Repository, commit string, now time.Time, bundles ...[]byte) error {
	var lines [][]byte
	for _, bundle := range bundles {
		line, err := oneLine(bundle)
		if err != nil {
			return fmt.Errorf("writing the note of %s: %w", commit, err)
		}
		lines = append(lines, line)
	}
	store := gitnotes.Store{Read: repository.Object, Write: repository.Write}
	err := moving(ctx, repository, func(tip string) (string, error) {
		return store.Append(tip, commit, lines, now)
	})
	if err != nil {
		return fmt.Errorf("writing the note of %s: %w; the notes are as they were", commit, err)
	}
	return nil
}

// moving moves refs/notes/attestations to what next makes of it, again and again
// where somebody else moves it meanwhile.
func moving(ctx context.Context, repository *gitrepo.Repository, next func(tip string) (string, error)) error {
	for range maxMoves {
		tip, err := tipOf(repository)
		if err != nil {
			return err
		}
		to, err := next(tip)
		if err != nil || to == tip {
			return err
		}
		err = repository.MoveRef(ctx, gitnotes.Ref, tip, to)
		if !errors.Is(err, gitrepo.ErrRefMoved) {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("moving %s: others moved it %d times meanwhile", gitnotes.Ref, maxMoves)
}

// NotesSound tells whether the notes can be read, and so added to; there may be none.
func NotesSound(repository *gitrepo.Repository) error {
	tip, err := tipOf(repository)
	if err == nil && tip != "" {
		_, err = gitnotes.Open(repository.Object, tip)
	}
	return err
}

// tipOf is the commit of the notes; empty where there are none.
func tipOf(repository *gitrepo.Repository) (string, error) {
	tip, err := repository.Ref(gitnotes.Ref)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return tip, err
}

// pause waits for about a while, or until ctx ends.
func pause(ctx context.Context, about time.Duration) error {
	timer := time.NewTimer(about/2 + rand.N(about)) //nolint:gosec // jitter is no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
