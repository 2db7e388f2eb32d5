package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// maxMoves bounds how often notes are made again because somebody else was faster.
const maxMoves = 64

// Notes are refs/notes/attestations of a repository here, to be written.
type Notes struct {
	Repository *gitrepo.Repository
	Now        time.Time // what the notes' commits say
}

// Add adds bundles to the note of a commit, one a line. As [Append] does with a file,
// it takes nothing away, adds nothing twice, and leaves the notes as they were on any
// error. Git or another signatus may write notes at the same time: whoever is slower
// begins again from what the other one wrote.
func (n Notes) Add(ctx context.Context, commit string, bundles ...[]byte) error {
	var lines [][]byte
	for _, bundle := range bundles {
		line, err := oneLine(bundle)
		if err != nil {
			return fmt.Errorf("writing the note of %s: %w", commit, err)
		}
		lines = append(lines, line)
	}
	err := n.moving(ctx, func(tip string) (string, error) {
		return n.store().Append(tip, commit, lines, n.Now)
	})
	if err != nil {
		return fmt.Errorf("writing the note of %s: %w; the notes are as they were", commit, err)
	}
	return nil
}

func (n Notes) store() gitnotes.Store {
	return gitnotes.Store{Read: n.Repository.Object, Write: n.Repository.Write}
}

// moving moves the notes to what next makes of them, again and again where somebody
// else moves them meanwhile.
func (n Notes) moving(ctx context.Context, next func(tip string) (string, error)) error {
	for range maxMoves {
		tip, err := n.tip()
		if err != nil {
			return err
		}
		to, err := next(tip)
		if err != nil || to == tip {
			return err
		}
		err = n.Repository.MoveRef(ctx, gitnotes.Ref, tip, to)
		if !errors.Is(err, gitrepo.ErrRefMoved) {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("moving %s: others moved it %d times meanwhile", gitnotes.Ref, maxMoves)
}

// Check tells whether notes can be added: those that are there can be read, and the
// repository can be written to.
func (n Notes) Check() error {
	if err := n.Repository.Writable(); err != nil {
		return err
	}
	tip, err := n.tip()
	if err == nil && tip != "" {
		_, err = gitnotes.Open(n.Repository.Object, tip)
	}
	return err
}

// tip is the commit of the notes; empty where there are none.
func (n Notes) tip() (string, error) {
	tip, err := n.Repository.Ref(gitnotes.Ref)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return tip, err
}

// pause waits for about a while, or until ctx ends.
func pause(ctx context.Context, about time.Duration) error {
	return answer.Pause(ctx, about/2+rand.N(about)) //nolint:gosec // jitter is no secret
}
