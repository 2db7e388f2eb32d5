package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitremote"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// maxPushes bounds how often notes are pushed because somebody else was faster, and
// betweenPushes is about how long one waits the first time.
const (
	maxPushes     = 8
	betweenPushes = 100 * time.Millisecond
)

// Push sends the notes to a remote. Where the remote has notes
// that are not here, they are fetched and united with those here, line by line, and
// what came of it is pushed: nothing is forced, and no line is lost on either side.
// merged tells whether that was so.
func (n Notes) Push(ctx context.Context, remote gitremote.Remote) (merged bool, err error) {
	for try := range maxPushes {
		if err := pause(ctx, betweenPushes*time.Duration(try)+1); err != nil {
			return merged, err
		}
		united, err := n.pushOnce(ctx, remote)
		merged = merged || united
		if !errors.Is(err, gitrepo.ErrRefMoved) {
			return merged, err
		}
	}
	return merged, fmt.Errorf("others pushed %d times meanwhile", maxPushes)
}

func (n Notes) pushOnce(ctx context.Context, remote gitremote.Remote) (merged bool, err error) {
	theirs, err := remote.Tip(ctx, gitnotes.Ref)
	if err != nil {
		return false, err
	}
	mine, err := n.tip()
	if err != nil || mine == theirs {
		return false, err
	}
	if theirs != "" {
		if mine, merged, err = n.unite(ctx, remote, theirs); err != nil || mine == theirs {
			return merged, err
		}
	}
	return merged, remote.Push(ctx, gitnotes.Ref, theirs, mine)
}

// unite has the notes here follow those of the remote, and gives their commit.
func (n Notes) unite(ctx context.Context, remote gitremote.Remote, theirs string) (mine string, merged bool, err error) {
	err = n.moving(ctx, func(tip string) (string, error) {
		mine, merged = tip, false
		if ahead, err := gitremote.Descends(n.Repository.Object, tip, theirs); ahead || err != nil {
			return mine, err
		}
		if err := remote.Fetch(ctx, gitnotes.Ref, theirs, tip); err != nil {
			return "", err
		}
		behind, err := gitremote.Descends(n.Repository.Object, theirs, tip)
		if err != nil {
			return "", err
		}
		if mine = theirs; !behind {
			merged = true
			mine, err = n.store().Merge(theirs, tip, n.Now)
		}
		return mine, err
	})
	return mine, merged, err
}
