package gitremote

import (
	"bytes"
	"strings"
	"testing"
)

const (
	ref   = "refs/notes/attestations"
	some  = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	other = "0badc0de5e8b7a604132c9f0d8e7b6a594837261"
)

// said is what a server says, each text a packet and "" a flush.
func said(texts ...string) string {
	var out bytes.Buffer
	for _, text := range texts {
		if text == "" {
			out.WriteString(flush)
			continue
		}
		packet(&out, text)
	}
	return out.String()
}

func TestAdvertised(t *testing.T) {
	t.Parallel()
	zero := strings.Repeat("0", 40)
	for name, row := range map[string]struct{ answer, tip, says string }{
		"the ref":            {said(some+" HEAD\x00report-status\n", other+" "+ref+"\n", ""), other, ""},
		"the first":          {said(some+" "+ref+"\x00report-status agent=git/2\n", ""), some, ""},
		"another":            {said(some+" refs/notes/attestations2\x00\n", some+" refs/notes\n", ""), "", ""},
		"none":               {said(zero+" capabilities^{}\x00report-status\n", ""), "", ""},
		"none at all":        {said(""), "", ""},
		"a version":          {said("version 1\n", some+" "+ref+"\x00x\n", "shallow "+some+"\n", ""), some, ""},
		"an error":           {said("ERR no such repository\n"), "", "it says: no such repository"},
		"a page":             {"<html>", "", "not in git's protocol"},
		"a length of three":  {"0003", "", "not in git's protocol"},
		"a length too large": {"fff1" + strings.Repeat("x", 0xfff1), "", "not in git's protocol"},
		"cut off":            {said(some+" HEAD\x00\n") + "00", "", "EOF"},
		"cut off in a line":  {"0040" + some, "", "EOF"},
		"no flush":           {said(some + " HEAD\x00\n"), "", "EOF"},
		"no id":              {said("HEAD "+some+"\x00\n", ""), "", "is none"},
		"sha256":             {said(zero+" capabilities^{}\x00object-format=sha256\n", ""), "", "by sha256"},
	} {
		got, err := readAdvertised(strings.NewReader(row.answer), ref)
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, expected %q", name, err, row.says)
		}
		if err == nil && got.tip != row.tip {
			t.Errorf("%s: %q, expected %q", name, got.tip, row.tip)
		}
	}
}

func TestAdvertisedBound(t *testing.T) {
	t.Parallel()
	long := said(some + " refs/heads/" + strings.Repeat("x", 60000) + "\n")
	endless := strings.NewReader(strings.Repeat(long, maxAdvertised/len(long)+1))
	if _, err := readAdvertised(endless, ref); err == nil || !strings.Contains(err.Error(), "longer than is read") {
		t.Errorf("%v", err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ answer, says string }{
		"moved":               {said("unpack ok\n", "ok "+ref+"\n", ""), ""},
		"refused":             {said("unpack ok\n", "ng "+ref+" hook declined\n", ""), "refused to move refs/notes/attestations: hook declined"},
		"not unpacked":        {said("unpack index-pack abnormal exit\n", "ng "+ref+" unpacker error\n", ""), "did not take the objects: index-pack abnormal exit"},
		"another ref moved":   {said("unpack ok\n", "ok refs/heads/main\n", ""), "is no answer"},
		"nothing of the ref":  {said("unpack ok\n", ""), "flush"},
		"an empty answer":     {"", "EOF"},
		"cut off":             {said("unpack ok\n"), "EOF"},
		"an error":            {said("ERR busy\n"), "it says: busy"},
		"ok without unpacked": {said("ok "+ref+"\n", ""), "did not take the objects"},
	} {
		err := readReport(strings.NewReader(row.answer), ref)
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, expected %q", name, err, row.says)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://example.com/a/b.git":        "https://example.com/a/b.git",
		"https://alice:secret@example.com/a": "https://alice:xxxxx@example.com/a",
		"http://localhost:3000/a":            "http://localhost:3000/a",
		"http://127.0.0.1/a":                 "http://127.0.0.1/a",
		"ssh://git@example.com:2222/a/b.git": "ssh://git@example.com:2222/a/b.git",
		"git@example.com:a/b.git":            "ssh://git@example.com/a/b.git",
		"example.com:b.git":                  "ssh://example.com/b.git",
		"/srv/git/app.git":                   "/srv/git/app.git",
		"../app.git":                         "../app.git",
		"./a:b":                              "./a:b",
		`C:\app`:                             `C:\app`,
		"file:///srv/git/app.git":            "/srv/git/app.git",
	} {
		got, err := parse(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, expected %s", text, got, err, want)
		}
	}
	for text, says := range map[string]string{
		"":                                "empty",
		"a\nb":                            "several lines",
		"ext::sh -c touch% x":             "names a program to run",
		"http://example.com/a":            "use https",
		"git://example.com/a":             "is not one of",
		"ftp://example.com/a":             "is not one of",
		"https://example.com":             "expected a host and a path",
		"https:///a":                      "expected a host and a path",
		"https://example.com/a?token=x":   "query",
		"https://example.com/a#x":         "fragment",
		"file://elsewhere/a":              "is not one of",
		":a":                              "HOST:PATH",
		"example.com:":                    "HOST:PATH",
		"https://t:secret@example .com/a": "no URL",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, expected %q", text, err, says)
		}
	}
}

// TestShellOfAServer writes a path that the server's shell takes as one word.
func TestShellOfAServer(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/srv/app.git":     "'/srv/app.git'",
		"a b;rm -rf $HOME": "'a b;rm -rf $HOME'",
		"it's!":            `'it'\''s'\!''`,
	} {
		if got := quoted(path); got != want {
			t.Errorf("%s is written %s, expected %s", path, got, want)
		}
	}
}

func FuzzServer(f *testing.F) {
	f.Add([]byte(said(some+" HEAD\x00report-status object-format=sha1\n", other+" "+ref+"\n", "")))
	f.Add([]byte(said("unpack ok\n", "ok "+ref+"\n", "")))
	f.Add([]byte(said("ERR no\n")))
	f.Add([]byte("0003"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := readAdvertised(bytes.NewReader(data), ref); err == nil && got.tip != "" && !bytes.Contains(data, []byte(got.tip+" "+ref)) {
			t.Errorf("%q says %s", data, got.tip)
		}
		if readReport(bytes.NewReader(data), ref) == nil && !bytes.Contains(data, []byte("ok "+ref)) {
			t.Errorf("%q says that it moved", data)
		}
	})
}
