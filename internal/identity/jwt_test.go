package identity

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

func TestPayload(t *testing.T) {
	t.Parallel()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"a":"ü"}`))
	for name, row := range map[string]struct{ token, want, words string }{
		"a token":           {"h." + claims + ".s", `{"a":"ü"}`, ""},
		"an empty header":   {"." + claims + ".", `{"a":"ü"}`, ""},
		"no token":          {"", "", "1 parts"},
		"two parts":         {"secret." + claims, "", "2 parts"},
		"four parts":        {"secret." + claims + ".s.s", "", "4 parts"},
		"padded":            {"secret." + claims + "=.s", "", "not base64url"},
		"of two alphabets":  {"secret.+/+/.s", "", "not base64url"},
		"with a line break": {"secret." + claims[:4] + "\n" + claims[4:] + ".s", "", "not base64url"},
		"too long":          {"secret." + strings.Repeat("a", MaxTokenBytes) + ".s", "", "at most 65536"},
	} {
		got, err := NewToken(row.token).Payload()
		if string(got) != row.want || (err == nil) != (row.words == "") || err != nil && (!strings.Contains(err.Error(), row.words) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestAudienceAndNumericDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		audience Audience
		at       int64 // 0 where it is refused
	}{
		`{"aud":"a","exp":12}`:              {Audience{"a"}, 12},
		`{"aud":["a","b"],"exp":12.9}`:      {Audience{"a", "b"}, 12},
		`{"aud":[],"exp":1}`:                {Audience{}, 1},
		`{"aud":1,"exp":1}`:                 {},
		`{"aud":["a",1],"exp":1}`:           {},
		`{"aud":"a","exp":"12"}`:            {},
		`{"aud":"a","exp":0}`:               {},
		`{"aud":"a","exp":-1}`:              {},
		`{"aud":"a","exp":1e300}`:           {},
		`{"aud":"a","exp":12,"exp":13}`:     {},
		`{"aud":{"a":"b"},"exp":12,"x":[]}`: {},
	} {
		var got struct {
			Audience Audience    `json:"aud"`
			Expires  NumericDate `json:"exp"`
		}
		err := json.Unmarshal([]byte(text), &got)
		if (err == nil) != (want.at != 0) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if want.at != 0 && (!got.Expires.Equal(time.Unix(want.at, 0)) || cmp.Diff(want.audience, got.Audience) != "") {
			t.Errorf("%s: read as %+v", text, got)
		}
	}
}
