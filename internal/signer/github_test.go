package signer

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGitHub is which GitHub has an instance of its own, and which has none.
func TestGitHub(t *testing.T) {
	t.Parallel()
	for server, host := range map[string]string{
		"https://github.com":                   "githubapp.com",
		"https://acme.ghe.com":                 "acme.ghe.com",
		"https://acme-eu.ghe.com":              "acme-eu.ghe.com",
		"":                                     "",
		"github.com":                           "",
		"http://github.com":                    "",
		"https://github.com/":                  "",
		"https://github.com:8443":              "",
		"https://github.com.evil.example":      "",
		"https://ghe.com":                      "",
		"https://.ghe.com":                     "",
		"https://a.b.ghe.com":                  "",
		"https://a/b.ghe.com":                  "",
		"https://a@b.ghe.com":                  "",
		"https://-a.ghe.com":                   "",
		"https://acme.ghe.com.evil.example":    "",
		"https://github.acme.example":          "",
		"https://" + long(64) + ".ghe.com":     "",
		"https://evil.example/?x=acme.ghe.com": "",
	} {
		got, err := GitHub(server)
		want := Services{}
		if host != "" {
			want = Services{Fulcio: "https://fulcio." + host, TSA: []string{"https://timestamp." + host + "/api/v1/timestamp"}}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", server, diff)
		}
		if _, refused := errors.AsType[*ConfigError](err); refused != (host == "") {
			t.Errorf("%s: %v", server, err)
		}
	}
	services, err := GitHub("https://github.com")
	if err == nil {
		err = services.checkCertified()
	}
	if err != nil {
		t.Error(err)
	}
}

func long(n int) string { return strings.Repeat("a", n) }
