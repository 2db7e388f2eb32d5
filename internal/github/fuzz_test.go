package github

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/golang/snappy"
	gogithub "github.com/google/go-github/v60/github"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/identity"
)

// TestDecompressBound holds the bound of a bundle that is kept compressed.
func TestDecompressBound(t *testing.T) {
	t.Parallel()
	for _, size := range []int{MaxBundle, MaxBundle + 1} {
		data, err := decompress(snappy.Encode(nil, bytes.Repeat([]byte("x"), size)))
		if (size > MaxBundle) != (err != nil) || err == nil && len(data) != size {
			t.Errorf("%d bytes: got %d, %v", size, len(data), err)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`))
	f.Add(snappy.Encode(nil, []byte(`{"a":1}`)))
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := decompress(data)
		if err == nil && len(plain) > max(MaxBundle, len(data)) {
			t.Errorf("%d bytes became %d", len(data), len(plain))
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add([]byte(`{"attestations":[{"bundle":{"a":1},"repository_id":1},{"bundle_url":"https://storage.example/1.json.sn?sig=x"}]}`))
	f.Add([]byte(`{"attestations":[]}`))
	f.Add([]byte(`{"attestations":[{"bundle":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		listed, err := parseList(data)
		if err != nil && listed != nil {
			t.Errorf("got %v and %v", listed, err)
		}
		for _, l := range listed {
			if len(l.Bundle) > len(data) || len(l.URL) > len(data) {
				t.Errorf("%q is longer than the page", l.Bundle)
			}
		}
	})
}

// FuzzRefusal: whatever a refusal says, it is one bounded line without the token.
func FuzzRefusal(f *testing.F) {
	const secret = "ghs_0123456789abcdef"
	f.Add(403, []byte(`{"message":"Resource not accessible by integration"}`), "attestations=write")
	f.Add(422, []byte(`{"message":"x","errors":[{"code":"already_exists"},"y"]}`), "")
	f.Add(500, []byte("<html>"+secret), secret)
	f.Add(403, []byte(`{"message":"a; next: b\u2028`+secret+`\u0000"}`), "\u202e")
	c := &Client{token: identity.NewToken(secret)}
	c.secrets.Add(secret)
	f.Fuzz(func(t *testing.T, status int, body []byte, accepted string) {
		response := &gogithub.Response{Response: &http.Response{StatusCode: status, Header: http.Header{"X-Accepted-Github-Permissions": {accepted}}}}
		e := c.refusal("api.example", response, body)
		e.Doing = "asking"
		e.Next = c.next(purpose{doing: "asking", permissions: readAssets, instead: "do without"}, e)
		line := e.Error()
		if strings.Contains(line, secret) || strings.ContainsAny(line, "\n\r\x1b") || strings.Count(line, answer.NextMarker) > 1 || len(line) > 8*answer.MaxText+1000 {
			t.Errorf("it says %q", line)
		}
	})
}
