package gitremote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/signatus-dev/signatus/internal/identity"
)

// httpTo reaches a server over https, or on this machine over http.
func httpTo(u *url.URL, o Options) (func(context.Context, service) (session, error), error) {
	if o.HTTP == nil {
		return nil, errors.New("there is no HTTP client")
	}
	base := *u
	user := base.User
	base.User = nil
	client := *o.HTTP
	client.CheckRedirect = sameHost
	return func(ctx context.Context, s service) (session, error) {
		h := &overHTTP{ctx: ctx, client: &client, base: strings.TrimSuffix(base.String(), "/"), service: s, agent: o.Agent, user: user, token: o.Token}
		if err := h.discover(); err != nil {
			h.hangUp()
			return nil, err
		}
		return h, nil
	}, nil
}

// sameHost follows a renamed repository, and nobody elsewhere: what is sent after it
// is for the host that the caller named.
func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > 5:
		return errors.New("it redirects without end")
	case next.URL.Host != first.Host || next.URL.Scheme != first.Scheme:
		return fmt.Errorf("it redirects to %s: name that repository itself", next.URL.Redacted())
	}
	return nil
}

// overHTTP is a conversation of two requests.
//
// "GET $GIT_URL/info/refs?service=git-upload-pack" and then "POST
// $GIT_URL/git-upload-pack" (gitprotocol-http(5))
//
//nolint:containedctx // a conversation ends with the call that opened it
type overHTTP struct {
	ctx     context.Context
	client  *http.Client
	base    string // where it was answered from, after a redirect
	service service
	agent   string
	user    *url.Userinfo
	token   identity.Token
	answers []io.ReadCloser
	first   io.Reader
}

func (h *overHTTP) discover() error {
	const path = "/info/refs"
	answer, err := h.do(http.MethodGet, h.base+path+"?service="+string(h.service), nil, "advertisement") //nolint:bodyclose // hangUp closes it
	if err != nil {
		return err
	}
	at := *answer.Request.URL
	at.RawQuery = ""
	if moved, ok := strings.CutSuffix(at.String(), path); ok {
		h.base = moved
	}
	h.first = answer.Body
	lines := &packets{from: answer.Body, left: maxPacket}
	if head, err := lines.next(); err != nil || head != "# service="+string(h.service) {
		return fmt.Errorf("the answer is not git's: it opens with %.80q", head)
	}
	if _, err := lines.next(); !errors.Is(err, errFlush) {
		return errors.New("the answer is not git's: more than one line before the refs")
	}
	return nil
}

func (h *overHTTP) advertisement() io.Reader { return h.first }

func (h *overHTTP) ask(request []byte) (io.Reader, error) {
	answer, err := h.do(http.MethodPost, h.base+"/"+string(h.service), request, "result") //nolint:bodyclose // hangUp closes it
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}

func (h *overHTTP) hangUp() {
	for _, a := range h.answers {
		_ = a.Close()
	}
}

// do sends one request, and takes no answer but one in git's protocol.
func (h *overHTTP) do(method, address string, body []byte, kind string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(h.ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "git/"+h.agent)
	if body != nil {
		request.Header.Set("Content-Type", "application/x-"+string(h.service)+"-request")
		request.Header.Set("Accept", "application/x-"+string(h.service)+"-result")
	}
	h.authorise(request)
	answer, err := h.client.Do(request)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // it quotes the URL
		}
		return nil, &Error{Err: err, Next: "try again when it can be reached"}
	}
	h.answers = append(h.answers, answer.Body)
	if answer.StatusCode != http.StatusOK {
		return nil, h.refused(answer.StatusCode)
	}
	if want, got := "application/x-"+string(h.service)+"-"+kind, answer.Header.Get("Content-Type"); got != want {
		return nil, &Error{Err: fmt.Errorf("it answers with %.60q, expected %q", got, want), Next: "check that the URL is that of a git repository"}
	}
	return answer, nil
}

// authorise sends the token, or else the URL's password. Any user name does for a
// token at GitHub, GitLab, Gitea and Bitbucket; this one is what GitHub asks for.
func (h *overHTTP) authorise(request *http.Request) {
	password, _ := h.user.Password()
	switch {
	case !h.token.IsZero():
		request.SetBasicAuth("x-access-token", h.token.Reveal())
	case h.user != nil:
		request.SetBasicAuth(h.user.Username(), password)
	}
}

func (h *overHTTP) refused(status int) error {
	e := &Error{Err: fmt.Errorf("it answers %d %s", status, http.StatusText(status))}
	switch {
	case status == http.StatusUnauthorized && h.token.IsZero() && h.user == nil:
		e.Next = "give a token that may write the repository's contents with --push-token FILE"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Next = "use a token that may write the repository's contents (in a job of GitHub Actions, permissions: contents: write)"
	case status == http.StatusNotFound:
		e.Next = "check the URL; a private repository is not found without a token (--push-token FILE)"
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		e.Next = "try again later"
	default:
		e.Next = "check that the URL is that of a git repository"
	}
	return e
}
