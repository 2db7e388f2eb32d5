package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/registry"
)

const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// TestParse: what docker calls an image is called in full.
func TestParse(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"registry.example/acme/app@" + digest:             "registry.example/acme/app",
		"registry.example/acme/app:v1@" + digest:          "registry.example/acme/app",
		"registry.example:5000/a/b/c@" + digest:           "registry.example:5000/a/b/c",
		"localhost:5000/app@" + digest:                    "localhost:5000/app",
		"localhost/app@" + digest:                         "localhost/app",
		"127.0.0.1:5000/acme/app-x_y.z__1---2@" + digest:  "127.0.0.1:5000/acme/app-x_y.z__1---2",
		"[::1]:5000/app@" + digest:                        "[::1]:5000/app",
		strings.Repeat("a", 200) + ".example/x@" + digest: strings.Repeat("a", 200) + ".example/x",
	} {
		r, err := registry.Parse(given)
		if err != nil || r.Name() != want || r.Digest() != digest || r.String() != want+"@"+digest || r.IsZero() {
			t.Errorf("%s: %s (%v)", given, r, err)
		}
	}
	// A name without a host is one and the same, however much of it is written.
	short, err := registry.Parse("app@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	if long, err := registry.Parse("library/app:latest@" + digest); err != nil || long != short || !strings.HasSuffix(short.Name(), "/library/app") {
		t.Errorf("%s and %s (%v)", short, long, err)
	}
	if other, err := registry.Parse("acme/app@" + digest); err != nil || !strings.HasSuffix(other.Name(), "/acme/app") || other.Host() != short.Host() {
		t.Errorf("%s (%v)", other, err)
	}
}

// TestParseRefuses breaks one thing at a time.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for given, says := range map[string]string{
		"":                                 "it is empty",
		"@" + digest:                       "repository",
		"registry.example/app@":            "the digest is",
		"registry.example/app@sha256:9f86": "the digest is",
		"registry.example/app@" + strings.ToUpper(digest):             "the digest is",
		"registry.example/app@SHA256:" + digest[7:]:                   "the digest is",
		"registry.example/app@sha512:" + digest[7:] + digest[7:]:      "the digest is",
		"registry.example/app@" + digest + "@" + digest:               "the digest is",
		"user@registry.example/app@" + digest:                         "the digest is",
		"https://registry.example/app@" + digest:                      "it is a URL",
		"oci://registry.example/app@" + digest:                        "it is a URL",
		"registry.example/App@" + digest:                              "can only contain",
		"registry.example//app@" + digest:                             "is no part of a name",
		"registry.example/app/@" + digest:                             "is no part of a name",
		"registry.example/../app@" + digest:                           "is no part of a name",
		"registry.example/./app@" + digest:                            "is no part of a name",
		"registry.example/a..b@" + digest:                             "is no part of a name",
		"registry.example/a___b@" + digest:                            "is no part of a name",
		"registry.example/a-_b@" + digest:                             "is no part of a name",
		"registry.example/-app@" + digest:                             "is no part of a name",
		"registry.example/app-@" + digest:                             "is no part of a name",
		"registry.example/a%2fb@" + digest:                            "a character that no image has",
		"registry.example/app?x=y@" + digest:                          "a character that no image has",
		"registry.example/app#x@" + digest:                            "a character that no image has",
		`registry.example\app@` + digest:                              "a character that no image has",
		"registry.example/a b@" + digest:                              "a space",
		"registry.example/app@" + digest + "\n":                       "a space",
		"registry.example/аpp@" + digest:                              "a space", // not the letter a
		"registry.example/app:@" + digest:                             "",
		"registry.example/" + strings.Repeat("a", 256) + "@" + digest: "between 1 and 255",
		strings.Repeat("a", 1000) + "/app@" + digest:                  "at most 1024",
		"registry.example:port/app@" + digest:                         "authorit",
	} {
		r, err := registry.Parse(given)
		if err == nil || !r.IsZero() || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %s (%v), expected %q", given, r, err, says)
		}
	}
	for _, given := range []string{"registry.example/app", "registry.example/app:v1", "registry.example:5000/app", "app"} {
		_, err := registry.Parse(given)
		if tag, ok := errors.AsType[*registry.TagError](err); !ok || tag.Given != given || tag.Host == "" {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// FuzzParse: what is a reference is one when it is written in full, and leads nowhere
// but to its registry and its repository.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "app", "app@" + digest, "registry.example:5000/acme/app:v1@" + digest, "[::1]:5000/app@" + digest, "a/../b@" + digest, "@@", "a@sha256:", "x:y:z@" + digest} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		r, err := registry.Parse(given)
		if err != nil {
			if !r.IsZero() {
				t.Errorf("%q: %s and %v", given, r, err)
			}
			return
		}
		again, err := registry.Parse(r.String())
		if err != nil || again != r {
			t.Errorf("%q is %s, which is %s (%v)", given, r, again, err)
		}
		path := strings.TrimPrefix(r.Name(), r.Host()+"/")
		if strings.ContainsAny(r.Host(), "/@?# ") || strings.ContainsAny(path, "?#%:@\\ ") || strings.Contains("/"+path+"/", "//") || strings.Contains("/"+path+"/", "/../") {
			t.Errorf("%q is %s", given, r)
		}
	})
}
