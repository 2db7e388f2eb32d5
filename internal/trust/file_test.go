package trust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// opener reads from memory.
func opener(files map[string][]byte) func(string) (io.ReadCloser, error) {
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return func(name string) (io.ReadCloser, error) { return fsys.Open(strings.TrimPrefix(name, "./")) }
}

// line is a trusted root in one line, as in JSONL.
func line(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

func TestFiles(t *testing.T) {
	t.Parallel()
	sigstore, github := embeddedFile("sigstore.trusted_root.json"), embeddedFile("github.trusted_root.json")
	oneOf := bytes.Replace(sigstore, []byte("trustedroot+json;version=0.1"), []byte("trustedroot.v0.1+json"), 1)
	files := map[string][]byte{
		"public.json": sigstore,
		"github.json": github,
		"both.jsonl":  slices.Concat(line(t, sigstore), line(t, github)),
		"crlf.jsonl":  slices.Concat(bytes.TrimSpace(line(t, github)), []byte("\r\n\r\n"), line(t, sigstore)),
		"newtype":     oneOf,
		"a=b":         github,
	}
	type root struct{ Name, Source, SHA256 string }
	for _, row := range []struct {
		args []string
		want []root
	}{
		{[]string{"public.json"}, []root{{"sigstore", "file public.json", digest(sigstore)}}},
		{[]string{"github.json"}, []root{{"github", "file github.json", digest(github)}}},
		{[]string{"newtype"}, []root{{"sigstore", "file newtype", digest(oneOf)}}},
		{[]string{"both.jsonl"}, []root{
			{"sigstore", "file both.jsonl line 1", digest(bytes.TrimSpace(line(t, sigstore)))},
			{"github", "file both.jsonl line 2", digest(bytes.TrimSpace(line(t, github)))}}},
		{[]string{"crlf.jsonl"}, []root{
			{"github", "file crlf.jsonl line 1", digest(bytes.TrimSpace(line(t, github)))},
			{"sigstore", "file crlf.jsonl line 3", digest(bytes.TrimSpace(line(t, sigstore)))}}},
		{[]string{"acme=public.json", "public.json", "acme=github.json"}, []root{
			{"acme", "file public.json", digest(sigstore)},
			{"sigstore", "file public.json", digest(sigstore)},
			{"acme", "file github.json", digest(github)}}},
		{[]string{"github=public.json"}, []root{{"github", "file public.json", digest(sigstore)}}}, // the caller's word holds
		{[]string{"./a=b"}, []root{{"github", "file ./a=b", digest(github)}}},
		{[]string{"x=a=b"}, []root{{"x", "file a=b", digest(github)}}},
	} {
		set, warnings, err := Load(context.Background(), Options{Files: row.args, Open: opener(files)})
		if err != nil || warnings != nil {
			t.Errorf("%q: %v %v", row.args, warnings, err)
			continue
		}
		var got []root
		for _, r := range set {
			got = append(got, root{r.Name, r.Source, r.SHA256})
			if r.Material == nil || !r.Date.IsZero() {
				t.Errorf("%q: %+v", row.args, r)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.args, diff)
		}
	}
}

func TestFilesRefused(t *testing.T) {
	t.Parallel()
	public := embeddedFile("sigstore.trusted_root.json")
	edited := func(change func(map[string]any)) []byte { return jsonEdit(t, public, change) }
	first := func(m map[string]any, list string) map[string]any {
		return m[list].([]any)[0].(map[string]any)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, public, "", " "); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		data []byte
		want string // the whole error, or how it begins if it ends in …
	}{
		{"empty", nil, "reading trusted root f: the file is empty; next: make one with `gh attestation trusted-root` or `cosign trusted-root create`"},
		{"blank", []byte(" \n\n"), "reading trusted root f: the file is empty; …"},
		{"byte order mark", slices.Concat([]byte("\xef\xbb\xbf"), public), "reading trusted root f: the file begins with a byte order mark; next: save it as UTF-8 without one"},
		{"UTF-16", []byte("\xff\xfe{\x00"), "reading trusted root f: the file is UTF-16, as PowerShell's > writes; next: save it as UTF-8"},
		{"PEM", []byte("-----BEGIN CERTIFICATE-----\n"), "reading trusted root f: this is PEM, not a trusted root; next: …"},
		{"not JSON", []byte("\n\nhello"), "reading trusted root f line 3: expected JSON: …"},
		{"cut short", public[:len(public)/2], "reading trusted root f line 6…"},
		{"second line is broken", slices.Concat(line(t, public), []byte("{,}\n")), "reading trusted root f line 2: expected JSON: …"},
		{"comma between", slices.Concat(line(t, public), []byte(",\n"), line(t, public)), "reading trusted root f line 2: expected JSON: …"},
		{"invalid UTF-8", []byte("{\"mediaType\":\"\xff\"}"), "reading trusted root f line 1: expected JSON: invalid UTF-8"},
		{"array", slices.Concat([]byte("["), public, []byte("]")), "reading trusted root f line 1: expected a trusted root or one a line, found a JSON array; next: write its elements one a line (jq -c '.[]')"},
		{"string", []byte(`"x"`), "reading trusted root f line 1: expected a JSON object, found a string"},
		{"null", []byte(`null`), "reading trusted root f line 1: expected a JSON object, found a null"},
		{"deep", []byte(strings.Repeat(`{"a":`, 65)), "reading trusted root f line 1: JSON nested deeper than 64"},
		{"deep array", []byte(`{"a":` + strings.Repeat(`[`, 64)), "reading trusted root f line 1: JSON nested deeper than 64"},
		{"too many", bytes.Repeat(line(t, public), 65), "reading trusted root f line 65: more than 64 JSON objects"},
		{"too large", bytes.Repeat([]byte(" "), MaxFileSize+1), "reading trusted root f: larger than 4 MiB; a trusted root has some kilobytes"},
		{"duplicate key", bytes.Replace(public, []byte(`"tlogs"`), []byte(`"mediaType": "x", "tlogs"`), 1), `reading trusted root f line 3: duplicate JSON key "mediaType"`},
		{"duplicate key below", bytes.Replace(public, []byte(`"hashAlgorithm"`), []byte(`"baseUrl": "x", "hashAlgorithm"`), 1), `reading trusted root f line 6: duplicate JSON key "baseUrl"`},
		{"two spellings of one key", edited(func(m map[string]any) { m["media_type"] = "x" }), "reading trusted root f line 1: …"},
		{"unknown key", bytes.Replace(pretty.Bytes(), []byte(`"tlogs"`), []byte(`"tloks"`), 1), `reading trusted root f line 3: unknown field "tloks"`},
		{"unknown key on the second line", slices.Concat(line(t, public), line(t, bytes.Replace(public, []byte(`"tlogs"`), []byte(`"tloks"`), 1))), `reading trusted root f line 2: unknown field "tloks"`},
		{"no media type", []byte(`{}`), "reading trusted root f line 1: no mediaType; expected \"application/vnd.dev.sigstore.trustedroot+json;version=0.1\"; next: …"},
		{"media type is no string", []byte(`{"mediaType":1}`), "reading trusted root f line 1: expected a string as mediaType, found 1"},
		{"foreign media type", []byte(`{"mediaType":"text/plain"}`), `reading trusted root f line 1: expected mediaType "application/vnd.dev.sigstore.trustedroot+json;version=0.1", found "text/plain"`},
		{"bundle", []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`), "reading trusted root f line 1: this is a Sigstore bundle, not a trusted root; next: give it with --bundle"},
		{"old bundle", []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1"}`), "reading trusted root f line 1: this is a Sigstore bundle, …"},
		{"bundle on line 2", slices.Concat(line(t, public), []byte(`{"verificationMaterial":{}}`)), "reading trusted root f line 2: this is a Sigstore bundle, …"},
		{"signing config", []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}`), "reading trusted root f line 1: this is a signing config, not a trusted root; next: give the trusted_root.json of the same instance"},
		{"client trust config", []byte(`{"mediaType":"application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"}`), "reading trusted root f line 1: this is a client trust config, …"},
		{"TUF root", embeddedFile("sigstore.tuf_root.json"), "reading trusted root f line 1: this is TUF metadata, not a trusted root; next: give the target trusted_root.json of that repository"},
		{"envelope", []byte(`{"payloadType":"x","payload":"","signatures":[]}`), "reading trusted root f line 1: this is a DSSE envelope, …"},
		{"nothing proves a time", edited(func(m map[string]any) { delete(m, "tlogs"); delete(m, "timestampAuthorities") }), "reading trusted root f line 1: neither a transparency log nor a timestamp authority; …"},
		{"CA without a chain", edited(func(m map[string]any) { delete(first(m, "certificateAuthorities"), "certChain") }), "reading trusted root f line 1: certificate authority 1: no certificate chain"},
		{"CA that is not a certificate", edited(func(m map[string]any) {
			first(m, "certificateAuthorities")["certChain"] = map[string]any{"certificates": []any{map[string]any{"rawBytes": "AAAA"}}}
		}), "reading trusted root f line 1: certificate authority 1: reading the last certificate of the chain: …"},
		{"TSA chain the wrong way round", edited(func(m map[string]any) {
			slices.Reverse(first(m, "timestampAuthorities")["certChain"].(map[string]any)["certificates"].([]any))
		}), "reading trusted root f line 1: timestamp authority 1: the last certificate of the chain is not a CA's; …"},
		{"CA whose validity ends before it begins", edited(func(m map[string]any) {
			first(m, "certificateAuthorities")["validFor"].(map[string]any)["end"] = "2000-01-01T00:00:00Z"
		}), "reading trusted root f line 1: certificate authority 1: its validity ends before it begins"},
		{"log whose validity ends before it begins", edited(func(m map[string]any) {
			first(m, "ctlogs")["publicKey"].(map[string]any)["validFor"].(map[string]any)["end"] = "2000-01-01T00:00:00Z"
		}), "reading trusted root f line 1: certificate transparency log 1: its validity ends before it begins"},
		{"log without a validity", edited(func(m map[string]any) { delete(first(m, "tlogs")["publicKey"].(map[string]any), "validFor") }), "reading trusted root f line 1: tlog missing public key validity period"},
		{"log without an id", edited(func(m map[string]any) { delete(first(m, "tlogs"), "logId") }), "reading trusted root f line 1: transparency log 1: no log id"},
		{"log with an empty id", edited(func(m map[string]any) { first(m, "tlogs")["logId"] = map[string]any{"keyId": ""} }), "reading trusted root f line 1: transparency log 1: no log id"},
		{"two logs with one id", edited(func(m map[string]any) { m["tlogs"] = append(m["tlogs"].([]any), first(m, "tlogs")) }), "reading trusted root f line 1: transparency log 3: the log id c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d is also that of transparency log 1; expected each once"},
		{"two CT logs with one id", edited(func(m map[string]any) { m["ctlogs"] = append(m["ctlogs"].([]any), first(m, "ctlogs")) }), "reading trusted root f line 1: certificate transparency log 3: the log id …"},
		{"log key of an unknown kind", edited(func(m map[string]any) { first(m, "tlogs")["publicKey"].(map[string]any)["keyDetails"] = "ML_DSA_65" }), "reading trusted root f line 1: unsupported tlog public key type: ML_DSA_65"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set, _, err := Load(context.Background(), Options{Files: []string{"f"}, Open: opener(map[string][]byte{"f": row.data})})
			if err == nil || set != nil {
				t.Fatalf("loaded %v", set)
			}
			got := err.Error()
			begins, open := strings.CutSuffix(row.want, "…")
			if got != row.want && (!open || !strings.HasPrefix(got, begins)) {
				t.Errorf("error\n  %q, want\n  %q", got, row.want)
			}
			if len(got) > 600 {
				t.Errorf("an error of %d bytes", len(got))
			}
			if _, ok := errors.AsType[*VersionError](err); ok {
				t.Error("is a VersionError")
			}
		})
	}
}

// What is too new is another kind of error: the caller could not decide.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, mediaType := range []string{
		"application/vnd.dev.sigstore.trustedroot.v0.2+json",
		"application/vnd.dev.sigstore.trustedroot+json;version=0.2",
		"application/vnd.dev.sigstore.trustedroot.v1+json",
		"application/vnd.dev.sigstore.trustedroot",
		"application/vnd.dev.sigstore.trustedroot" + strings.Repeat("x", 1<<20),
	} {
		data := line(t, embeddedFile("sigstore.trusted_root.json"))
		data = append(data, line(t, jsonEdit(t, data, func(m map[string]any) { m["mediaType"] = mediaType; m["new"] = true }))...)
		_, _, err := Load(context.Background(), Options{Files: []string{"f"}, Open: opener(map[string][]byte{"f": data})})
		version, ok := errors.AsType[*VersionError](err)
		if !ok || version.MediaType != mediaType {
			t.Errorf("error %v", err)
			continue
		}
		if !strings.HasPrefix(err.Error(), "reading trusted root f line 2: expected version 0.1") || !strings.HasSuffix(err.Error(), "next: upgrade signatus") || len(err.Error()) > 600 {
			t.Errorf("error %q", err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ arg, name, path, err string }{
		{"f", "", "f", ""},
		{"acme=f", "acme", "f", ""},
		{"Acme-1.x_y=f", "Acme-1.x_y", "f", ""},
		{"acme=", "", "", "expected a file after acme="},
		{"=f", "", "", `"" is not a name`},
		{"", "", "", "found nothing"},
		{"two words=f", "", "", `"two words" is not a name`},
		{"-x=f", "", "", `"-x" is not a name`},
		{"é=f", "", "", `"é" is not a name`},
		{strings.Repeat("a", 64) + "=f", strings.Repeat("a", 64), "f", ""},
		{strings.Repeat("a", 65) + "=f", "", "", "at most 64"},
		{"./a=f", "", "./a=f", ""},
		{"dir/a=f", "", "dir/a=f", ""},
		{`dir\a=f`, "", `dir\a=f`, ""},
	} {
		name, path, err := splitName(row.arg)
		if name != row.name || path != row.path || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%q: name %q, path %q, error %v", row.arg, name, path, err)
		}
	}
}

func TestFilesInAll(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat(line(t, embeddedFile("sigstore.trusted_root.json")), 33)
	_, _, err := Load(context.Background(), Options{Files: []string{"f", "f"}, Open: opener(map[string][]byte{"f": data})})
	if err == nil || !strings.Contains(err.Error(), "more than 64 roots in all") {
		t.Errorf("error %v", err)
	}
	_, _, err = Load(context.Background(), Options{Files: []string{"g"}, Open: opener(nil)})
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading trusted root g: ") {
		t.Errorf("error %v", err)
	}
}

// With a file, no mirror is asked and no cache read, whatever else is set.
func TestFilesReplaceAll(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.load(0)
	h.mirror.requests()
	h.tomorrow()
	h.options.Files = []string{"acme=f"}
	h.options.Open = opener(map[string][]byte{"f": embeddedFile("github.trusted_root.json")})
	r, _ := h.load(0)
	if r.Name != "acme" || r.Source != "file f" || h.mirror.requests() != nil {
		t.Errorf("root %+v", r)
	}
}

func FuzzParseFile(f *testing.F) {
	public, github := embeddedFile("sigstore.trusted_root.json"), embeddedFile("github.trusted_root.json")
	for _, seed := range [][]byte{
		public, github, slices.Concat(line(f, public), line(f, github)),
		embeddedFile("sigstore.tuf_root.json"),
		nil, []byte("{}"), []byte("[]"), []byte("\xef\xbb\xbf{}"), []byte("-----BEGIN X-----"),
		[]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[null],"certificateAuthorities":[{}],"timestampAuthorities":[{"certChain":{}}]}`),
		[]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.2+json"}`),
		[]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roots, err := parseFile("f", "", data)
		if err != nil {
			if roots != nil || !strings.HasPrefix(err.Error(), "reading trusted root f") {
				t.Errorf("roots %v, error %v", roots, err)
			}
			return
		}
		if len(roots) == 0 || len(roots) > MaxRoots {
			t.Errorf("%d roots", len(roots))
		}
		for _, r := range roots {
			if r.Name != Sigstore && r.Name != GitHub || r.Source == "" || len(r.SHA256) != 64 {
				t.Errorf("root %+v", r)
			}
			if len(r.Material.FulcioCertificateAuthorities()) == 0 || len(r.Material.RekorLogs())+len(r.Material.TimestampingAuthorities()) == 0 {
				t.Error("a root under which nothing can verify")
			}
		}
	})
}
