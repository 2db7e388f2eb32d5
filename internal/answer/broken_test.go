package answer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestBroken asks what cannot answer, and is told what was in the way.
func TestBroken(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = nil
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	_ = listener.Close()
	through := func(proxy string) *http.Transport {
		return &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }}
	}
	for name, row := range map[string]struct {
		url  string
		over http.RoundTripper
		want Fault
		says string
	}{
		"a port that is closed":        {closed, nil, Fault{Unreached: true}, "refused"},
		"a proxy that is not there":    {"https://service.invalid", through(closed), Fault{Unreached: true}, "refused"},
		"another proxy, for plaintext": {"http://service.invalid", through(closed), Fault{Unreached: true}, "refused"},
		"a socks proxy that is none":   {"http://service.invalid", through(strings.Replace(closed, "http", "socks5", 1)), Fault{Unreached: true}, "refused"},
		"a certificate of nobody":      {untrusted.URL, nil, Fault{Untrusted: true}, "certificate"},
		"nobody answers in time":       {silent.URL, nil, Fault{}, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if row.says == "no answer in time" {
				over, cancel := context.WithTimeout(ctx, 1)
				defer cancel()
				ctx = over
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, row.url+"/path?signature=secret", nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := (&http.Client{Transport: row.over}).Do(request)
			if err == nil {
				_ = response.Body.Close()
				t.Fatal("it was answered")
			}
			got := Broken(&Secrets{}, err)
			if !strings.Contains(got.Err.Error(), row.says) || strings.Contains(got.Err.Error(), "secret") {
				t.Errorf("got %q, expected %q and nothing of the URL", got.Err, row.says)
			}
			got.Err = nil
			if got != row.want {
				t.Errorf("got %+v, expected %+v", got, row.want)
			}
		})
	}
	t.Run("a name that nobody knows", func(t *testing.T) {
		t.Parallel()
		wrapped := &url.Error{Op: "Get", URL: "https://h/?signature=secret", Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}}}
		if got := Broken(&Secrets{}, wrapped); !got.Unknown || !got.Unreached || strings.Contains(got.Err.Error(), "secret") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("an answer that a library adds", func(t *testing.T) {
		t.Parallel()
		if got := Broken(&Secrets{}, errors.Join(io.ErrUnexpectedEOF, errors.New(`{"token":"secret"}`))); got != (Fault{Err: got.Err}) || got.Err.Error() != "unexpected EOF" {
			t.Errorf("got %+v", got)
		}
	})
}
