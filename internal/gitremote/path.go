package gitremote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// onPath is a repository on this machine. Its hooks are not run, neither is its
// config read.
type onPath struct {
	here, there *gitrepo.Repository
	name        string
}

func openPath(here *gitrepo.Repository, path string) (Remote, error) {
	there, err := gitrepo.Open(path)
	if errors.Is(err, gitrepo.ErrNoRepository) {
		there, err = gitrepo.OpenBare(path)
	}
	if errors.Is(err, gitrepo.ErrNoRepository) {
		err = gitrepo.ErrNoRepository // once is enough of its path
	}
	if err != nil {
		return nil, &Error{Remote: path, Doing: "reaching", Err: err, Next: "name a repository with --push=REMOTE"}
	}
	if here.Digits() != there.Digits() {
		return nil, &Error{Remote: path, Doing: "reaching", Err: fmt.Errorf("it names its objects by %d digits, and this clone by %d", there.Digits(), here.Digits())}
	}
	return &onPath{here: here, there: there, name: path}, nil
}

func (p *onPath) failed(doing string, err error) error {
	return &Error{Remote: p.name, Doing: doing, Err: err}
}

func (p *onPath) Tip(_ context.Context, ref string) (string, error) {
	tip, err := p.there.Ref(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", p.failed("asking", err)
	}
	return tip, nil
}

func (p *onPath) Fetch(ctx context.Context, _, id, known string) error {
	if _, err := p.there.Object(known, gitobject.MaxCommitBytes); err != nil {
		known = ""
	}
	if err := (copying{p.there, p.here}).send(ctx, id, known); err != nil {
		return p.failed("fetching from", err)
	}
	return nil
}

func (p *onPath) Push(ctx context.Context, ref, old, id string) error {
	if err := (copying{p.here, p.there}).send(ctx, id, old); err != nil {
		return p.failed("pushing to", err)
	}
	if err := p.there.MoveRef(ctx, ref, old, id); err != nil {
		return p.failed("pushing to", err)
	}
	return nil
}

// copying brings objects from one repository into another.
type copying struct{ from, to *gitrepo.Repository }

// send copies a commit with all that it needs beyond one that is there.
func (c copying) send(ctx context.Context, id, known string) error {
	objects, err := between(c.from.Object, id, known)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		data, err := gitobject.ReadObject(c.from.Object, o.kind, o.id, o.limit())
		if err != nil {
			return err
		}
		written, err := c.to.Write(gitobject.Raw{Kind: o.kind, Data: data})
		if err != nil {
			return err
		}
		if written != o.id {
			return fmt.Errorf("object %s is %s there", o.id, written)
		}
	}
	return nil
}
