package actions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	bearer = "b3arer-s3cret"
	jwt    = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
)

// job is a runner whose token service answers as answer does.
func job(t *testing.T, answer http.HandlerFunc) (Runner, *strings.Builder, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	log, pauses := &strings.Builder{}, &[]time.Duration{}
	return Runner{
		Getenv: getenv(map[string]string{
			"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": server.URL + "/idtoken/1?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer,
		}),
		HTTP: server.Client(), Commands: log,
		Pause: func(_ context.Context, d time.Duration) error { *pauses = append(*pauses, d); return nil },
	}, log, pauses
}

func good(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"count": 1, "value": %q}`, jwt) }

func TestIDToken(t *testing.T) {
	t.Parallel()
	r, log, pauses := job(t, func(w http.ResponseWriter, req *http.Request) {
		if got := req.Header.Get("Authorization"); got != "Bearer "+bearer {
			t.Errorf("authorization is %q", got)
		}
		if q := req.URL.Query(); q.Get("audience") != "sig store&x=1" || q.Get("api-version") != "2.0" || len(q) != 2 {
			t.Errorf("the query is %v", q)
		}
		good(w, req)
	})
	token, err := r.IDToken(t.Context(), "sig store&x=1")
	if err != nil || token.Reveal() != jwt || fmt.Sprint(token) != "[token]" {
		t.Errorf("got %v, %v", token, err)
	}
	if log.String() != "::add-mask::"+jwt+"\n" || len(*pauses) != 0 {
		t.Errorf("the log is %q, after %d pauses", log, len(*pauses))
	}
}

// TestIDTokenIsMaskedOnlyForARunner: elsewhere the command would show the token.
func TestIDTokenIsMaskedOnlyForARunner(t *testing.T) {
	t.Parallel()
	r, log, _ := job(t, good)
	inner := r.Getenv
	r.Getenv = func(name string) string {
		if name == "GITHUB_ACTIONS" {
			return ""
		}
		return inner(name)
	}
	if token, err := r.IDToken(t.Context(), "sigstore"); err != nil || token.Reveal() != jwt || log.Len() != 0 {
		t.Errorf("got %v, %v and the log %q", token, err, log)
	}
	r, _, _ = job(t, good)
	r.Commands = failing{}
	if token, err := r.IDToken(t.Context(), "sigstore"); !errors.Is(err, io.ErrClosedPipe) || !token.IsZero() || strings.Contains(err.Error(), jwt) {
		t.Errorf("a mask that cannot be written: got %v, %v", token, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestIDTokenIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500, 502, 503, 504, 0} {
		var asked atomic.Int32
		r, _, pauses := job(t, func(w http.ResponseWriter, req *http.Request) {
			switch {
			case asked.Add(1) == 3:
				good(w, req)
			case status == 0:
				panic(http.ErrAbortHandler) // the connection breaks
			default:
				w.WriteHeader(status)
			}
		})
		if token, err := r.IDToken(t.Context(), "sigstore"); err != nil || token.Reveal() != jwt || len(*pauses) != 2 {
			t.Errorf("%d: got %v, %v after %v", status, token, err, *pauses)
		}
		for i, p := range *pauses {
			if least := tokenFirstPause << i / 2; p < least || p > 2*least {
				t.Errorf("%d: pause %d is %s", status, i, p)
			}
		}
	}
	// At last it gives up, and says so.
	var asked atomic.Int32
	r, _, pauses := job(t, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(503) })
	_, err := r.IDToken(t.Context(), "sigstore")
	if err == nil || asked.Load() != tokenAttempts || len(*pauses) != tokenAttempts-1 || !strings.Contains(err.Error(), "503 Service Unavailable; tried 5 times; next: ") {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for header, least := range map[string]time.Duration{"7": 7 * time.Second, "99999999999999999999": 0, "3600": tokenLastPause, "Wed, 21 Oct 2099 07:28:00 GMT": tokenLastPause, "Wed, 21 Oct 2015 07:28:00 GMT": 0, "-1": 0, "soon": 0, "": 0} {
		var asked atomic.Int32
		r, _, pauses := job(t, func(w http.ResponseWriter, req *http.Request) {
			if asked.Add(1) == 2 {
				good(w, req)
				return
			}
			w.Header().Set("Retry-After", header)
			w.WriteHeader(429)
		})
		if _, err := r.IDToken(t.Context(), "sigstore"); err != nil || len(*pauses) != 1 || (*pauses)[0] < least || (*pauses)[0] > max(least, tokenFirstPause) {
			t.Errorf("Retry-After %q: %v, %v", header, *pauses, err)
		}
	}
}

// TestIDTokenRefused has answers that no further attempt will better. No secret
// may be in what is said of them.
func TestIDTokenRefused(t *testing.T) {
	t.Parallel()
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	for name, r := range map[string]struct {
		answer http.HandlerFunc
		words  string
	}{
		"forbidden":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403); fmt.Fprint(w, jwt) }, "403 Forbidden; next: see that the job"},
		"unauthorised":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, "id-token: write"},
		"a redirect":       {func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/elsewhere", http.StatusFound) }, "302 Found"},
		"no content":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "204"},
		"nothing":          {body(""), "the answer is not"},
		"the bare token":   {body(jwt), "the answer is not"},
		"text in JSON":     {body(`"` + jwt + `"`), "the answer is not"},
		"two values":       {body(`{"value": "` + jwt + `", "value": "` + jwt + `"}`), "the answer is not"},
		"no value":         {body(`{"count": 1}`), "holds no JWT"},
		"null":             {body(`{"value": null}`), "holds no JWT"},
		"a token of lines": {body(`{"value": "` + jwt + `\n::set-output name=x::y"}`), "holds no JWT"},
		"two parts":        {body(`{"value": "s3cret.s3cret"}`), "holds no JWT"},
		"a huge answer":    {body(`{"value": "` + strings.Repeat("a", maxTokenAnswer) + `"}`), "128 KiB"},
	} {
		runner, log, pauses := job(t, r.answer)
		token, err := runner.IDToken(t.Context(), "sigstore")
		if err == nil || !strings.Contains(err.Error(), r.words) || !token.IsZero() || len(*pauses) != 0 {
			t.Errorf("%s: got %v, %v after %v", name, token, err, *pauses)
		}
		if text := fmt.Sprint(err) + log.String(); strings.Contains(text, "s3cret") || strings.Contains(text, jwt[:12]) || strings.Contains(text, "idtoken") {
			t.Errorf("%s: shows a secret: %s", name, text)
		}
	}
}

func TestIDTokenEnds(t *testing.T) {
	t.Parallel()
	r, _, _ := job(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	r.Pause = nil
	go cancel(why)
	if _, err := r.IDToken(ctx, "sigstore"); err == nil || strings.Contains(err.Error(), "tried") {
		t.Errorf("got %v", err)
	}
	cancelled, stop := context.WithCancelCause(t.Context())
	stop(why)
	if err := r.pause(cancelled, time.Hour); !errors.Is(err, why) {
		t.Errorf("a pause ends with %v", err)
	}
	if err := r.pause(t.Context(), time.Millisecond); err != nil {
		t.Errorf("a pause ends with %v", err)
	}
	gone, _, pauses := job(t, good)
	gone.HTTP = &http.Client{Transport: broken{}}
	if _, err := gone.IDToken(t.Context(), "sigstore"); !errors.Is(err, io.ErrUnexpectedEOF) || len(*pauses) != tokenAttempts-1 || strings.Contains(err.Error(), "http:") {
		t.Errorf("no network: got %v after %v", err, *pauses)
	}
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// TestNoToken tells the ways apart in which a job has none.
func TestNoToken(t *testing.T) {
	t.Parallel()
	event := func(head, base string) string {
		return eventFile(t, `{"pull_request": {"head": {"repo": `+head+`}, "base": {"sha": "`+base+`", "repo": {"full_name": "acme/app"}}}}`)
	}
	fork, own, gone := event(`{"full_name": "mallory/app"}`, base), event(`{"full_name": "acme/app", "fork": true}`, base), event("null", base)
	for _, r := range []struct {
		name, event, path, actor string
		want                     Why
	}{
		{"a push", "push", fork, "alice", Permission},
		{"a pull request", "pull_request", own, "alice", Permission},
		{"a pull request from a fork", "pull_request", fork, "mallory", Fork},
		{"a review of one", "pull_request_review", fork, "alice", Fork},
		{"a pull request from a fork that is gone", "pull_request", gone, "ghost", Fork},
		{"Dependabot", "pull_request", own, "dependabot[bot]", Dependabot},
		{"Dependabot's push", "push", "", "dependabot[bot]", Dependabot},
		{"pull_request_target, which may have one", "pull_request_target", fork, "mallory", Permission},
		{"an event that cannot be read", "pull_request", "gone", "alice", Permission},
		{"an event that says nothing", "pull_request", eventFile(t, "{}"), "alice", Permission},
	} {
		environment := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": r.event, "GITHUB_EVENT_PATH": r.path, "GITHUB_ACTOR": r.actor}
		for _, half := range []string{"", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"} {
			env := map[string]string{half: "https://example.com/"}
			for name, value := range environment {
				env[name] = value
			}
			_, err := Runner{Getenv: getenv(env)}.IDToken(t.Context(), "sigstore")
			none, ok := errors.AsType[*NoTokenError](err)
			if !ok || none.Why != r.want || !strings.Contains(err.Error(), "; next: ") || strings.Contains(err.Error(), "permissions: {id-token: write, contents: read}") != (r.want == Permission) {
				t.Errorf("%s: got %v, expected %s", r.name, err, r.want)
			}
		}
	}
	if _, err := (Runner{Getenv: getenv(nil)}).IDToken(t.Context(), "sigstore"); !errors.Is(err, ErrNotActions) {
		t.Errorf("outside of Actions: %v", err)
	}
}

func TestTokenRequestRefused(t *testing.T) {
	t.Parallel()
	for at, ok := range map[string]bool{
		"https://vstoken.actions.githubusercontent.com/x?y=1": true, "http://127.0.0.1:1/x": true, "http://[::1]:1/x": true, "http://localhost/x": true,
		"http://example.com/x": false, "http://127.0.0.1.example.com": false, "ftp://127.0.0.1": false, "file:///x": false, "x": false, "https://": false, "https://s3cret@example.com": false, "://s3cret": false, "https://a b": false,
	} {
		r := Runner{Getenv: getenv(map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": at, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer})}
		if _, err := r.tokenRequest("sigstore"); (err == nil) != ok || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", at, err)
		}
		if _, err := r.tokenRequest(""); err == nil {
			t.Errorf("%s: an empty audience is asked for", at)
		}
	}
}

func FuzzTokenAnswer(f *testing.F) {
	f.Add([]byte(`{"value": "` + jwt + `"}`))
	f.Add([]byte(`{"value": "a.b.c\n"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		token, err := parseAnswer(body)
		if err == nil && (strings.ContainsAny(token.Reveal(), "\r\n%: ") || token.IsZero()) {
			t.Fatalf("%q gives %q", body, token.Reveal())
		}
	})
}

func TestReadParameters(t *testing.T) {
	t.Parallel()
	release := func(text string) string {
		return eventFile(t, `{"repository": {"full_name": "acme/app", "default_branch": "main"}, "release": `+text+`}`)
	}
	for _, r := range []struct {
		name, event, path, inputs, release string
		bad                                bool
	}{
		{name: "a push", event: "push", path: eventFile(t, `{"inputs": {"a": "1"}}`)},
		{name: "inputs", event: "workflow_dispatch", path: eventFile(t, `{"inputs": {"a": "1", "b": true}}`), inputs: `{"a": "1", "b": true}`},
		{name: "no inputs", event: "workflow_dispatch", path: eventFile(t, `{"inputs": null}`)},
		{name: "nothing of inputs", event: "workflow_dispatch", path: eventFile(t, `{}`)},
		{name: "a release of defaults", event: "release", path: release(`{"body": null, "draft": false, "name": "", "prerelease": false, "target_commitish": "main", "tag_name": "v1"}`)},
		{name: "a release", event: "release", path: release(`{"body": "x", "draft": true, "name": "v1", "prerelease": true, "target_commitish": "next"}`), release: `{"body":"x","draft":true,"name":"v1","prerelease":true,"target_commitish":"next"}`},
		{name: "no event", event: "workflow_dispatch", path: "gone", bad: true},
		{name: "an input twice", event: "workflow_dispatch", path: eventFile(t, `{"inputs": {"a": "1", "a": "2"}}`), bad: true},
		{name: "a release of another kind", event: "release", path: release(`[]`), bad: true},
	} {
		got, err := ReadParameters(getenv(map[string]string{"GITHUB_EVENT_NAME": r.event, "GITHUB_EVENT_PATH": r.path}))
		if diff := cmp.Diff([]string{r.inputs, r.release}, []string{string(got.Inputs), string(got.Release)}); diff != "" || (err != nil) != r.bad {
			t.Errorf("%s: %v (-want +got):\n%s", r.name, err, diff)
		}
	}
}
