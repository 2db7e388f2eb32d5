package github_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/golang/snappy"

	"github.com/signatus-dev/signatus/internal/github"
)

// TestTooMuch holds the bounds.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	t.Run("attestations", func(t *testing.T) {
		t.Parallel()
		for _, n := range []int{github.MaxAttestations, github.MaxAttestations + 1} {
			w := open(t, nil)
			for i := range n {
				w.StoreAs(w.repository, digest, bundleOf(i))
			}
			found, err := w.Client.Attestations(t.Context(), acme(), digest, "")
			if n == github.MaxAttestations {
				if err != nil || len(found) != n {
					t.Errorf("%d: got %d, %v", n, len(found), err)
				}
				continue
			}
			says(t, err, "more than 1000")
		}
	})
	t.Run("a page", func(t *testing.T) {
		t.Parallel()
		client := open(t, nil).stranger(t, func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte(`{"attestations":[],"padding":"`))
			block := bytes.Repeat([]byte("x"), 1<<20)
			for range 65 {
				_, _ = rw.Write(block)
			}
			_, _ = rw.Write([]byte(`"}`))
		})
		_, err := client.Attestations(t.Context(), acme(), digest, "")
		says(t, err, "more than 64 MiB")
	})
	t.Run("bundles", func(t *testing.T) {
		t.Parallel()
		const size = github.MaxBundle // of which eight are just enough
		large := snappy.Encode(nil, []byte(`{"x":"`+strings.Repeat("x", size-8)+`"}`))
		for n, words := range map[int]string{8: "", 40: "more than 256 MiB of bundles"} {
			var kept atomic.Int64
			client := open(t, nil).stranger(t, func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/kept" {
					kept.Add(1)
					_, _ = rw.Write(large)
					return
				}
				_, _ = rw.Write([]byte(`{"attestations":[` + strings.Repeat(`{"bundle_url":"http://`+r.Host+`/kept"},`, n-1) + `{"bundle_url":"http://` + r.Host + `/kept"}]}`))
			})
			found, err := client.Attestations(t.Context(), acme(), digest, "")
			switch {
			case words != "":
				says(t, err, words)
			case err != nil || len(found) != n || found[n-1].Err != nil || len(found[n-1].Bundle) != size:
				t.Errorf("got %d, %v", len(found), err)
			}
			if kept.Load() > 20 {
				t.Errorf("%d were fetched", kept.Load())
			}
		}
	})
	t.Run("a bundle to store", func(t *testing.T) {
		t.Parallel()
		w := open(t, writes())
		_, err := w.PutAttestation(t.Context(), acme(), digest, []byte(`{"x":"`+strings.Repeat("x", github.MaxBundle)+`"}`))
		says(t, err, "at most 32 MiB")
		for _, bad := range []string{"", "[]", "{", `{"a":1,"a":2}`} {
			_, err := w.PutAttestation(t.Context(), acme(), digest, []byte(bad))
			says(t, err, "no JSON object")
		}
		if len(w.GitHub.Asked()) != 0 {
			t.Error("GitHub was asked")
		}
	})
}
