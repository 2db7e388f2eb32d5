package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/sigstore/sigstore/pkg/oauthflow"
	"golang.org/x/oauth2"
)

const (
	openWait    = 3 * time.Second        // for a browser to fail; one in the foreground stays
	wakeWait    = 200 * time.Millisecond // for this process to answer itself
	shortestNap = time.Second            // between two questions whether the person has logged in
)

// session is one login under way. The library runs it in a goroutine that has no
// context: whatever it calls back ends that goroutine (runtime.Goexit, which runs
// its deferred calls) once the login has ended. So nothing is printed, asked or
// opened after Browser or Device has returned.
//
// What cannot be called back is a request that waits for the issuer. It goes on
// until the issuer answers or the process ends, and its answer is dropped.
type session struct {
	options  Options
	endpoint oauth2.Endpoint
	ended    <-chan struct{}

	mu       sync.Mutex
	over     bool   // nobody waits for the library any more
	err      error  // why it was ended
	redirect string // where the library listens; empty before that
}

// outcome is what the library's goroutine ends with.
type outcome struct {
	token *oauthflow.OIDCIDToken
	err   error
}

// run has the library log in, until it is done or the context ends.
func (s *session) run(ctx context.Context, get func() (*oauthflow.OIDCIDToken, error)) (*oauthflow.OIDCIDToken, error) {
	done := make(chan outcome, 1)
	go func() {
		out := outcome{err: errors.New("the login was broken off")}
		defer func() { done <- out }()
		out = guard(get)
	}()
	select {
	case out := <-done:
		if err := s.end(); err != nil {
			return nil, err
		}
		return out.token, out.err
	case <-ctx.Done():
		_ = s.end() // there is a better reason
		s.wake(ctx)
		return nil, ctx.Err()
	}
}

// guard makes a panic an error: in a goroutine that has none it ends the process.
func guard(do func() (*oauthflow.OIDCIDToken, error)) (out outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = outcome{err: fmt.Errorf("internal error: %v", p)}
		}
	}()
	token, err := do()
	if err == nil && token == nil {
		err = errors.New("internal error: neither a token nor an error")
	}
	return outcome{token, err}
}

// end closes the library's way to the person, and returns why it was ended.
func (s *session) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	return s.err
}

// abort ends the library's goroutine, in which it must be called.
func (s *session) abort(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	runtime.Goexit()
}

// wake has the library's listener, which would wait for the browser for two
// minutes, give up at once and close its port: it takes a request without the
// state for a failure.
func (s *session) wake(ctx context.Context) {
	s.mu.Lock()
	redirect := s.redirect
	s.mu.Unlock()
	if redirect == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wakeWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, redirect, http.NoBody)
	if err != nil {
		return
	}
	if response, err := newClient().Do(request); err == nil {
		_ = response.Body.Close()
	}
}

// warn tells what cannot be taken back, while it still can. Without it there is
// no login.
func (s *session) warn() error {
	_, err := fmt.Fprintf(s.options.Output, "Logging in at %s.\n"+
		"Your e-mail address will stand in the certificate. Where the instance has public\n"+
		"logs, as Sigstore's public good instance has, it is published there for good:\n"+
		"nobody can take it out again.\n", s.options.Issuer)
	if err != nil {
		return fmt.Errorf("telling what will be published: %w", err)
	}
	return nil
}

// say prints one message of the library, whose text may be the issuer's, as one
// line.
func (s *session) say(message string) {
	const longest = 4 << 10 // bytes
	if len(message) > longest {
		message = message[:longest] + "…"
	}
	_, _ = fmt.Fprintln(output{s}, printable(message, ""))
}

// sleep pauses between two questions. An interval that is none, as a very large
// one becomes, must not have the issuer asked without a pause.
func (s *session) sleep(wait time.Duration) {
	timer := time.NewTimer(max(wait, shortestNap))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ended:
		s.abort(nil)
	}
}

// output is the library's way to the person.
type output struct{ *session }

// Write prints a whole message, without characters that move or hide what stands
// beside them.
func (o output) Write(message []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock() // runs at Goexit too
	if o.over {
		runtime.Goexit()
	}
	if _, err := io.WriteString(o.options.Output, printable(string(message), "\n\t")); err != nil {
		return 0, err
	}
	return len(message), nil
}

// input is the person's way to the library, for a code that is copied by hand.
type input struct {
	*session
	typed *bool // something else than space was
}

// Read passes on what is typed. The library takes an error for an empty code, and
// sends that to the issuer: where no code is to be had, the login ends here.
func (i input) Read(p []byte) (int, error) {
	if i.options.Input == nil {
		i.abort(errNoBrowser())
	}
	n, err := i.options.Input.Read(p)
	select {
	case <-i.ended:
		i.abort(nil)
	default:
	}
	text := strings.TrimSpace(string(p[:n]))
	*i.typed = *i.typed || text != ""
	if !*i.typed && (err != nil || strings.Contains(string(p[:n]), "\n")) {
		i.abort(step("log in again, and type the code that the page shows", "no code was typed"))
	}
	return n, err
}

// opener shows the login page. It waits for the browser only for as long as one
// needs to fail, since some stay in the foreground.
func (s *session) opener(ctx context.Context) func(string) error {
	open := s.options.OpenBrowser
	if open == nil {
		open = systemBrowser(ctx)
	}
	return func(address string) error {
		s.listening(address)
		opened := make(chan error, 1)
		go func() {
			opened <- guard(func() (*oauthflow.OIDCIDToken, error) { return new(oauthflow.OIDCIDToken), open(address) }).err
		}()
		timer := time.NewTimer(openWait)
		defer timer.Stop()
		select {
		case err := <-opened:
			if err != nil && s.options.Input == nil {
				s.abort(errNoBrowser())
			}
			return err
		case <-timer.C:
			return nil
		case <-s.ended:
			s.abort(nil)
			return nil // not reached
		}
	}
}

// listening keeps where the library listens: the page's address says it.
func (s *session) listening(address string) {
	page, err := url.Parse(address)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redirect = page.Query().Get("redirect_uri")
}
