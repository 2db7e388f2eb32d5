package gitremote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// service is what a server is asked to run.
type service string

const (
	uploadPack  service = "git-upload-pack"  // for fetching
	receivePack service = "git-receive-pack" // for pushing
)

// session is one conversation with a service: it says which refs there are, is asked
// once, and answers.
type session interface {
	// advertisement is read up to its flush packet.
	advertisement() io.Reader
	// ask sends the whole request, and gives the answer.
	ask(request []byte) (io.Reader, error)
	// hangUp ends it, asked or not.
	hangUp()
}

// wire is a repository behind a server.
type wire struct {
	here *gitrepo.Repository
	name string // its URL without a password
	open func(context.Context, service) (session, error)
}

func (w *wire) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		e.Remote, e.Doing = w.name, doing
		return e
	}
	return &Error{Remote: w.name, Doing: doing, Err: err}
}

// dial opens a session, and reads what the server says first.
func (w *wire) dial(ctx context.Context, s service, ref string) (session, advertised, error) {
	conversation, err := w.open(ctx, s)
	if err != nil {
		return nil, advertised{}, err
	}
	said, err := readAdvertised(conversation.advertisement(), ref)
	if err != nil {
		conversation.hangUp()
		return nil, advertised{}, err
	}
	return conversation, said, nil
}

func (w *wire) Tip(ctx context.Context, ref string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conversation, said, err := w.dial(ctx, uploadPack, ref)
	if err != nil {
		return "", w.failed("asking", err)
	}
	defer conversation.hangUp()
	return said.tip, nil
}

// Fetch asks for one commit.
//
// "upload-request = want-list *shallow-line *1depth-request [filter-request]
// flush-pkt" and "have-list; done" (gitprotocol-pack(5)). side-band is not asked for, so
// that the pack follows as it is.
func (w *wire) Fetch(ctx context.Context, ref, id, known string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conversation, said, err := w.dial(ctx, uploadPack, ref)
	if err != nil {
		return w.failed("fetching from", err)
	}
	defer conversation.hangUp()
	if said.tip != id {
		return w.failed("fetching from", gitrepo.ErrRefMoved) // only what a ref names may be asked for
	}
	var request bytes.Buffer
	packet(&request, "want "+id+said.asking("ofs-delta", "no-progress")+"\n")
	request.WriteString(flush)
	haves, err := w.haves(known)
	if err != nil {
		return w.failed("fetching from", err)
	}
	for _, have := range haves {
		packet(&request, "have "+have+"\n")
	}
	packet(&request, "done\n")
	answer, err := conversation.ask(request.Bytes())
	if err == nil {
		err = w.receive(answer)
	}
	return w.failed("fetching from", err)
}

// maxHaves is how many commits a server is told of, the newest first.
const maxHaves = 256

func (w *wire) haves(known string) ([]string, error) {
	if known == "" {
		return nil, nil
	}
	all := walk{source: w.here.Object, seen: map[string]bool{}}
	commits, err := all.commits(known, "", cutOff)
	return commits[:min(len(commits), maxHaves)], err
}

// receive keeps the pack that follows the acknowledgements: one for what is common, as
// it is told of it, and one when all is told.
func (w *wire) receive(answer io.Reader) error {
	ahead := bufio.NewReader(answer)
	lines := &packets{from: ahead, left: maxReport}
	for {
		if start, err := ahead.Peek(4); err == nil && string(start) == "PACK" {
			return w.here.WritePack(ahead)
		}
		line, err := lines.next()
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		if line != "NAK" && !strings.HasPrefix(line, "ACK ") {
			return fmt.Errorf("reading the answer: %.80q is neither NAK nor ACK", line)
		}
	}
}

// Push asks to move one ref, and sends what it needs.
//
// "update-requests = *shallow ( command-list | push-cert ); command-list =
// PKT-LINE(command NUL capability-list) … flush-pkt … packfile; create = zero-id SP
// new-id SP name; update = old-id SP new-id SP name" (gitprotocol-pack(5))
func (w *wire) Push(ctx context.Context, ref, old, id string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conversation, said, err := w.dial(ctx, receivePack, ref)
	if err != nil {
		return w.failed("pushing to", err)
	}
	defer conversation.hangUp()
	switch {
	case said.tip != old:
		return w.failed("pushing to", gitrepo.ErrRefMoved)
	case !slices.Contains(said.capabilities, "report-status"):
		return w.failed("pushing to", errors.New("it would not say what became of it"))
	}
	objects, err := between(w.here.Object, id, old)
	if err != nil {
		return w.failed("pushing to", err)
	}
	var request bytes.Buffer
	packet(&request, fmt.Sprintf("%s %s %s\x00%s", orZero(old), id, ref, strings.TrimPrefix(said.asking("report-status"), " ")))
	request.WriteString(flush)
	if err := writePack(ctx, &request, w.here.Object, objects); err != nil {
		return w.failed("pushing to", err)
	}
	answer, err := conversation.ask(request.Bytes())
	if err == nil {
		err = readReport(answer, ref)
	}
	return w.failed("pushing to", w.movedMeanwhile(ctx, err, ref, old))
}

// movedMeanwhile tells a ref that somebody else moved from one that may not move:
// servers say both in words of their own.
func (w *wire) movedMeanwhile(ctx context.Context, refused error, ref, old string) error {
	if refused == nil {
		return nil
	}
	if now, err := w.Tip(ctx, ref); err == nil && now != old {
		return errors.Join(gitrepo.ErrRefMoved, refused)
	}
	return refused
}

// asking is those of the capabilities that the server has, each after a space.
func (a advertised) asking(wanted ...string) (list string) {
	for _, c := range wanted {
		if slices.Contains(a.capabilities, c) {
			list += " " + c
		}
	}
	return list
}

// orZero is how a ref that is not there is written.
func orZero(id string) string {
	if id == "" {
		return strings.Repeat("0", 40)
	}
	return id
}
