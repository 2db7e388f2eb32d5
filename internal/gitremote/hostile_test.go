package gitremote_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitremote"
	"github.com/signatus-dev/signatus/internal/identity"
)

// TestHTTPRefuses has a server do one thing wrong in each row.
func TestHTTPRefuses(t *testing.T) {
	t.Parallel()
	const advertisement = "application/x-git-upload-pack-advertisement"
	answer := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = fmt.Fprint(w, body)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, row := range map[string]struct {
		serve http.HandlerFunc
		says  []string
	}{
		"it wants a token":       {status(http.StatusUnauthorized), []string{"401", "may write the repository's contents"}},
		"it takes no token":      {status(http.StatusForbidden), []string{"403", "contents: write"}},
		"it knows nothing":       {status(http.StatusNotFound), []string{"404", "check the URL"}},
		"it is broken":           {status(http.StatusBadGateway), []string{"502", "try again"}},
		"a page to log in":       {answer("text/html", "<html>"), []string{`"text/html"`, "check that the URL"}},
		"a page called git's":    {answer(advertisement, "<html>"), []string{"not git's"}},
		"another service":        {answer(advertisement, "001f# service=git-receive-pack\n0000"), []string{"not git's"}},
		"nothing":                {answer(advertisement, ""), []string{"not git's"}},
		"no refs":                {answer(advertisement, "001e# service=git-upload-pack\n0000"), []string{"reading which refs there are"}},
		"it redirects in a ring": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, []string{"without end"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(row.serve)
			t.Cleanup(server.Close)
			s := served{address: server.URL + "/app.git", options: gitremote.Options{HTTP: server.Client(), Token: identity.NewToken(secret)}}
			_, err := s.open(t, here(t)).Tip(t.Context(), gitnotes.Ref)
			for _, says := range row.says {
				if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), secret) {
					t.Errorf("%v, expected %q", err, says)
				}
			}
		})
	}
}

// TestRedirects follows a renamed repository of the same host, and takes the token
// nowhere else.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(elsewhere.Close)
	s := overHTTP(t)
	behind, _ := strings.CutSuffix(s.address, "/app.git")
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/old.git") {
			http.Redirect(w, r, strings.Replace(r.URL.String(), "/old.git", "/app.git", 1), http.StatusMovedPermanently)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/gone.git") {
			http.Redirect(w, r, elsewhere.URL+r.URL.String(), http.StatusFound)
			return
		}
		forward, err := http.NewRequestWithContext(r.Context(), r.Method, behind+r.URL.String(), r.Body)
		if err != nil {
			return
		}
		forward.Header, forward.ContentLength = r.Header, r.ContentLength
		answer, err := http.DefaultClient.Do(forward)
		if err != nil {
			return
		}
		defer answer.Body.Close()
		w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(front.Close)
	s.options.HTTP = front.Client()
	r := here(t)
	note(t, r, 1)
	s.address = front.URL + "/old.git"
	if err := s.open(t, r).Push(t.Context(), gitnotes.Ref, "", must[string](t)(r.Ref(gitnotes.Ref))); err != nil {
		t.Errorf("a renamed repository: %v", err)
	}
	s.address = front.URL + "/gone.git"
	if _, err := s.open(t, r).Tip(t.Context(), gitnotes.Ref); err == nil || !strings.Contains(err.Error(), "it redirects to "+elsewhere.URL) {
		t.Errorf("another host: %v", err)
	}
	if asked.Load() != 0 {
		t.Error("another host was asked")
	}
}

// TestSSHRefuses breaks one thing in each row.
func TestSSHRefuses(t *testing.T) {
	t.Parallel()
	stranger, private := sshKey(t)
	for name, row := range map[string]struct {
		change func(t *testing.T, s *served)
		says   string
	}{
		"no agent":              {func(_ *testing.T, s *served) { s.options.SSHAgent = "" }, "no SSH agent is running"},
		"an agent that is gone": {func(t *testing.T, s *served) { s.options.SSHAgent = filepath.Join(t.TempDir(), "none") }, "asking the SSH agent"},
		"another key":           {func(t *testing.T, s *served) { s.options.SSHAgent = sshAgent(t, private) }, "none of the keys"},
		"no known hosts":        {func(_ *testing.T, s *served) { s.options.KnownHosts = []string{"nowhere"} }, "no host key is known"},
		"an unknown host": {func(t *testing.T, s *served) {
			s.options.KnownHosts = []string{knownHosts(t, "other.example:22", stranger)}
		}, "its host key is not known"},
		"another host key": {func(t *testing.T, s *served) {
			s.options.KnownHosts = []string{knownHosts(t, host(s.address), stranger)}
		}, "not the one that is known"},
		"an option":     {func(_ *testing.T, s *served) { s.address = "git@host.example:--upload-pack=x" }, "read as an option"},
		"no repository": {func(_ *testing.T, s *served) { s.address += "x" }, "reading which refs there are"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := overSSH(t)
			row.change(t, &s)
			remote, err := gitremote.Open(here(t), s.address, s.options)
			if err == nil {
				_, err = remote.Tip(t.Context(), gitnotes.Ref)
			}
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, expected %q", err, row.says)
			}
		})
	}
}

func host(address string) string {
	return strings.Split(strings.TrimPrefix(address, "ssh://git@"), "/")[0]
}

func knownHosts(t *testing.T, host string, key ssh.Signer) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(name, []byte(knownhosts.Line([]string{host}, key.PublicKey())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
