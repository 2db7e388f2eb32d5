package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	gogithub "github.com/google/go-github/v60/github"

	"github.com/signatus-dev/signatus/internal/answer"
)

// call is one request, which may be sent several times.
type call struct {
	purpose
	// request makes it anew for each attempt.
	request func() (*http.Request, error)
	limit   int64         // bytes of the answer
	within  time.Duration // one attempt
	once    bool          // give up at the first failure
	// done tells before another attempt that an earlier one has done it, though its
	// answer got lost; nil where that does no harm.
	done func(context.Context) bool
	// stranger tells that it is not the API's: it goes without the token.
	stranger bool
}

// received is a reply of success.
type received struct {
	body  []byte
	after string // the cursor of the next page; empty for the last one
	page  int    // the number of the next page; 0 for the last one
	// scopes are those of a person's classic token; nil for every other one.
	scopes []string
}

// send sends the call until it is answered for good. Its error is an *Error.
func (c *Client) send(ctx context.Context, what call) (received, error) {
	var waited time.Duration
	for n := 1; ; n++ {
		got, failed := c.try(ctx, what)
		if failed == nil {
			return got, nil
		}
		failed.Doing, failed.Attempts = what.doing, n
		wait := c.wait(n, failed.wait)
		waited += wait
		failed.Next = c.next(what.purpose, failed)
		switch {
		case ctx.Err() != nil:
			failed.Err, failed.Next = fmt.Errorf("interrupted: %w", context.Cause(ctx)), "run it again"
			return received{}, failed
		case !failed.Temporary || what.once || n == maxAttempts || waited > budget || failed.fault.Unknown && n == unknownAttempts:
			return received{}, failed
		}
		c.tell(failed, wait)
		if err := c.pause(ctx, wait); err != nil {
			failed.Err, failed.Next = fmt.Errorf("interrupted: %w", err), "run it again"
			return received{}, failed
		}
		if what.done != nil && what.done(ctx) {
			return received{}, errDone
		}
	}
}

// tell tells of a wait.
func (c *Client) tell(failed *Error, wait time.Duration) {
	if c.again == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.again(failed, wait)
}

// errDone says that an earlier attempt has done what was to be done.
var errDone = errors.New("it is done already")

// wait grows with the attempts and is drawn from its upper half, so that many clients
// do not come back as one. What GitHub asked for is never undercut.
func (c *Client) wait(attempt int, asked time.Duration) time.Duration {
	full := min(firstWait<<(attempt-1), maxWait)
	return max(full/2, asked) + time.Duration(c.jitter()*float64(full)/2)
}

// try sends the call once.
func (c *Client) try(ctx context.Context, what call) (received, *Error) {
	ctx, cancel := context.WithTimeout(ctx, what.within)
	defer cancel()
	request, err := what.request()
	if err != nil {
		return received{}, &Error{Host: c.api.BaseURL.Host, Err: errors.New("its address is no URL")}
	}
	host := request.URL.Host
	response, err := c.carry(ctx, request, what.stranger)
	if response == nil {
		return received{}, c.broken(host, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	limit := what.limit
	if response.StatusCode/100 != 2 {
		limit = maxRefusal
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case response.StatusCode/100 != 2:
		return received{}, c.refusal(host, response, body)
	case err != nil:
		return received{}, c.broken(host, err)
	case int64(len(body)) > limit:
		return received{}, &Error{Host: host, Status: response.StatusCode, Err: fmt.Errorf("it has more than %d MiB, which is the most that is read", limit>>20)}
	}
	return received{body: body, after: response.After, page: response.NextPage, scopes: response.Header["X-Oauth-Scopes"]}, nil
}

// carry sends a request with the token, or as a stranger.
func (c *Client) carry(ctx context.Context, request *http.Request, stranger bool) (*gogithub.Response, error) {
	if stranger {
		response, err := c.plain.Do(request.WithContext(ctx)) //nolint:bodyclose // the caller closes it
		if err != nil {
			return nil, err
		}
		return &gogithub.Response{Response: response}, nil
	}
	if !c.token.IsZero() {
		if !c.mine(request.URL) {
			return nil, fmt.Errorf("the API sends to %s, which is no host of its own: the token is not sent there", request.URL.Host)
		}
		request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	response, err := c.library().BareDo(ctx, request)
	if response == nil {
		return nil, err
	}
	return response, nil // what the status says is read by refusal
}

// broken is an attempt without an answer.
func (c *Client) broken(host string, err error) *Error {
	fault := answer.Broken(&c.secrets, err)
	return &Error{Host: host, Temporary: !fault.Untrusted, Err: fault.Err, fault: fault}
}

// refusal reads an answer that is no success.
func (c *Client) refusal(host string, response *gogithub.Response, body []byte) *Error {
	e := &Error{Host: host, Status: response.StatusCode}
	var said words
	if err := json.Unmarshal(body, &said); err != nil {
		said = words{} // a proxy's page says nothing of GitHub
	}
	e.Text, e.Code = c.secrets.Clean(said.line()), said.code()
	e.Accepted = c.secrets.Clean(response.Header.Get("X-Accepted-GitHub-Permissions"))
	limited := said.limited(response.Response)
	e.Temporary = limited || e.Status == http.StatusRequestTimeout || e.Status/100 == 5 && e.Status != http.StatusNotImplemented
	if e.Temporary {
		e.wait = c.asked(response.Header, limited)
	}
	return e
}

// words are what GitHub says with a refusal.
type words struct {
	Message       string     `json:"message"`
	Documentation string     `json:"documentation_url"`
	Errors        []mistakes `json:"errors"`
}

// mistakes are those of one field. GitHub also sends plain texts in their place.
type mistakes struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// UnmarshalJSON takes an object or a text.
func (m *mistakes) UnmarshalJSON(data []byte) error {
	type plain mistakes
	var text string
	if json.Unmarshal(data, &text) == nil {
		m.Message = text
		return nil
	}
	return json.Unmarshal(data, (*plain)(m))
}

// line is all of it.
func (w words) line() string {
	parts := []string{w.Message}
	for _, m := range w.Errors {
		if part := strings.Join(strings.Fields(m.Field+" "+m.Code+" "+m.Message), " "); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

func (w words) code() string {
	for _, m := range w.Errors {
		if m.Code == alreadyExists {
			return m.Code
		}
	}
	return ""
}

// limited tells whether a refusal is one for the time being: "403 or 429".
//
// Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func (w words) limited(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return response.Header.Get("Retry-After") != "" || response.Header.Get("X-RateLimit-Remaining") == "0" ||
			strings.Contains(w.Documentation, "rate-limit") || strings.Contains(strings.ToLower(w.Message), "rate limit")
	}
	return false
}

// asked is how long GitHub wants one to wait. "If the retry-after response header is
// present, you should not retry your request until after that many seconds has elapsed.
// If the x-ratelimit-remaining header is 0, you should not make another request until
// after the time specified by the x-ratelimit-reset header. Otherwise, wait for at
// least one minute." (rate limits for the REST API; TestWaits)
func (c *Client) asked(header http.Header, limited bool) time.Duration {
	if wait, asked := answer.RetryAfter(header, c.now); asked {
		return wait
	}
	if !limited {
		return 0
	}
	if header.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return max(0, time.Unix(reset, 0).Sub(answer.Clock(header, c.now)))
		}
	}
	return time.Minute
}

// garbage is an answer of success that is not what was asked for.
func (c *Client) garbage(p purpose, err error) *Error {
	return &Error{
		Doing: p.doing, Host: c.api.BaseURL.Host, Status: http.StatusOK, Attempts: 1, Err: c.secrets.Wrap(err),
		Next: "check that GITHUB_API_URL is the address of a GitHub and that no proxy answers in its place",
	}
}
