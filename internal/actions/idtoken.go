package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/sethvargo/go-githubactions"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/identity"
)

// Bounds of a request for an identity token.
const (
	tokenAttempts   = 5
	tokenTimeout    = 10 * time.Second // of one attempt
	tokenFirstPause = 500 * time.Millisecond
	tokenLastPause  = 30 * time.Second
	maxTokenAnswer  = 128 << 10 // bytes
)

// ErrNotActions says that this is no job of GitHub Actions, which has no identity
// token to give.
var ErrNotActions = errors.New("this is not a job of GitHub Actions")

// Why a job has no identity token.
type Why string

// The ways. Who may write the workflow can do something about the last alone.
const (
	Fork       Why = "fork"        // a pull request from a fork
	Dependabot Why = "dependabot"  // a run that Dependabot started
	MergeQueue Why = "merge queue" // it may have one, and [Unsigned] signs nothing all the same
	Permission Why = "permission"  // the job does not ask for one
)

// NoTokenError says that the job may not have an identity token, and what to do.
type NoTokenError struct {
	Why  Why
	Job  string // its id, where that is known
	Line string // for the workflow; empty for that of a job that does no more than sign
}

func (e *NoTokenError) Error() string {
	switch e.Why {
	case Fork:
		return "asking for an identity token: GitHub gives none to a pull request from a fork; next: verify here, and sign in a workflow that runs on push, after the merge"
	case Dependabot:
		return "asking for an identity token: GitHub gives none to a run that Dependabot started; next: verify here, and sign in a workflow that runs on push, after the merge"
	default:
		job := "the job"
		if e.Job != "" {
			job += " " + e.Job
		}
		return "asking for an identity token: the job lacks the permission; next: add this line to " + job + " in the workflow, and to the one that calls it:  " + cmp.Or(e.Line, PermissionsLine(true))
	}
}

// Runner is the runner of the job, as far as a token is asked of it.
type Runner struct {
	Getenv func(string) string
	HTTP   *http.Client
	// Commands is where the runner reads workflow commands: the job's standard
	// output or standard error. The token is written there once, to be masked in
	// all that the job prints, so it must not be a file that anybody keeps. A
	// [Log] passes it on as the command that it is.
	Commands io.Writer
	// Pause waits between two attempts; nil for the clock's own.
	Pause func(context.Context, time.Duration) error
}

// IDToken asks the runner for an identity token for an audience, for example
// sigstore, and has it masked in the job's log before it returns. What may pass
// is tried again, up to five times; Retry-After is honoured up to half a minute.
//
// Outside of GitHub Actions the error is [ErrNotActions], and without permission
// a [NoTokenError]. No error holds a part of a token.
//
// go-githubactions has the command for the mask. Its GetIDToken is not used: it
// does not try again, masks nothing, and puts the answer into its errors.
//
// Source: https://docs.github.com/en/actions/reference/security/oidc
func (r Runner) IDToken(ctx context.Context, audience string) (identity.Token, error) {
	request, err := r.tokenRequest(audience)
	if err != nil {
		return identity.Token{}, err
	}
	token, err := r.attempts(ctx, request)
	if err != nil {
		return identity.Token{}, fmt.Errorf("asking GitHub Actions for an identity token: %w", err)
	}
	if err := r.mask(token); err != nil {
		return identity.Token{}, fmt.Errorf("masking the identity token in the job's log: %w", err)
	}
	return token, nil
}

// tokenRequest is where to ask, and with what.
type tokenRequest struct {
	url    string
	bearer identity.Token
}

func (r Runner) tokenRequest(audience string) (tokenRequest, error) {
	at, bearer := r.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), identity.NewToken(r.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	switch {
	case at == "" && bearer.IsZero() && r.Getenv("GITHUB_ACTIONS") != "true":
		return tokenRequest{}, fmt.Errorf("asking for an identity token: %w", ErrNotActions)
	case at == "" || bearer.IsZero():
		return tokenRequest{}, &NoTokenError{Why: r.why()}
	case audience == "":
		return tokenRequest{}, errors.New("asking for an identity token: the audience is empty")
	}
	parsed, err := url.Parse(at)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopback(parsed.Hostname())) {
		return tokenRequest{}, errors.New("asking for an identity token: ACTIONS_ID_TOKEN_REQUEST_URL is no https URL")
	}
	query := parsed.Query()
	query.Set("audience", audience)
	parsed.RawQuery = query.Encode()
	return tokenRequest{url: parsed.String(), bearer: bearer}, nil
}

// loopback tells whether a host is this machine, where a test's Sigstore runs.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// why tells what the event says about a token that is not there. An event that
// cannot be read tells nothing.
func (r Runner) why() Why {
	if r.Getenv("GITHUB_ACTOR") == dependabotActor {
		return Dependabot
	}
	event := r.Getenv("GITHUB_EVENT_NAME")
	switch event {
	case "pull_request", "pull_request_review", "pull_request_review_comment":
	default:
		return Permission
	}
	p, err := readPayload(r.Getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return Permission
	}
	if fork, err := p.fromFork(event); err == nil && fork {
		return Fork
	}
	return Permission
}

// attempts asks until there is an answer.
func (r Runner) attempts(ctx context.Context, request tokenRequest) (identity.Token, error) {
	for n, pause := 1, tokenFirstPause; ; n, pause = n+1, pause*2 {
		token, retry, err := r.ask(ctx, request)
		if err == nil || retry == never || ctx.Err() != nil {
			return token, err
		}
		if n == tokenAttempts {
			return identity.Token{}, fmt.Errorf("%w; tried %d times; next: run the job again, and see https://www.githubstatus.com", err, n)
		}
		// Half of the pause is at random, so that jobs that failed together do
		// not come back together.
		wait := min(max(pause/2+rand.N(pause/2), time.Duration(retry)), tokenLastPause) //nolint:gosec // jitter is no secret
		if err := r.pause(ctx, wait); err != nil {
			return identity.Token{}, err
		}
	}
}

func (r Runner) pause(ctx context.Context, wait time.Duration) error {
	if r.Pause != nil {
		return r.Pause(ctx, wait)
	}
	return answer.Pause(ctx, wait)
}

// retryAfter is how long to wait at least, or never to ask again.
type retryAfter time.Duration

const never retryAfter = -1

// ask asks once.
func (r Runner) ask(ctx context.Context, request tokenRequest) (identity.Token, retryAfter, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, request.url, http.NoBody)
	if err != nil {
		return identity.Token{}, never, errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is no URL")
	}
	req.Header.Set("Authorization", "Bearer "+request.bearer.Reveal())
	req.Header.Set("Accept", "application/json; api-version=2.0")
	client := *r.HTTP
	// A redirect would send the bearer, or take the token, from somewhere else.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(req)
	if err != nil {
		return identity.Token{}, 0, unwrapURL(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswer+1))
	switch {
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500:
		return identity.Token{}, after(response.Header), fmt.Errorf("the token service answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	case response.StatusCode != http.StatusOK:
		return identity.Token{}, never, fmt.Errorf("the token service answers %d %s; next: see that the job is still running and has  permissions: {id-token: write, contents: read}", response.StatusCode, http.StatusText(response.StatusCode))
	case err != nil:
		return identity.Token{}, 0, fmt.Errorf("reading the answer: %w", err)
	case len(body) > maxTokenAnswer:
		return identity.Token{}, never, fmt.Errorf("the answer has more than %d KiB, which is the most that is read", maxTokenAnswer>>10)
	}
	token, err := parseAnswer(body)
	if err != nil {
		return identity.Token{}, never, err
	}
	return token, 0, nil
}

// after reads Retry-After. Of a date without the service's own clock beside it, all that
// is known is that it is later: the longest pause.
func after(header http.Header) retryAfter {
	wait, _ := answer.RetryAfter(header, time.Time{})
	return retryAfter(min(wait, tokenLastPause))
}

// parseAnswer reads {"value": TOKEN}. Its errors quote nothing: what cannot be
// read may be the token all the same.
func parseAnswer(body []byte) (identity.Token, error) {
	var said struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return identity.Token{}, errors.New(`the answer is not {"value": TOKEN}`)
	}
	if strings.Count(said.Value, ".") != 2 || strings.ContainsFunc(said.Value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}) {
		return identity.Token{}, errors.New("the answer holds no JWT: three parts of base64url with dots between them")
	}
	return identity.NewToken(said.Value), nil
}

// mask has the runner hide the token in the job's log. Outside of a runner nobody
// would read the command, and it would show the token.
func (r Runner) mask(token identity.Token) error {
	if r.Getenv("GITHUB_ACTIONS") != "true" || kept(r.Commands) {
		return nil
	}
	// AddMask panics where it cannot write, so it writes into memory first.
	var command strings.Builder
	githubactions.New(githubactions.WithWriter(&command), githubactions.WithGetenv(r.Getenv)).AddMask(token.Reveal())
	if log, ok := r.Commands.(*Log); ok {
		return log.command(command.String())
	}
	_, err := io.WriteString(r.Commands, command.String())
	return err
}

// kept tells whether what is written goes into a file, where no runner reads it.
func kept(w io.Writer) bool {
	file, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// unwrapURL takes the URL off an error: it holds an id of the job.
func unwrapURL(err error) error {
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		return urlError.Err
	}
	return err
}
