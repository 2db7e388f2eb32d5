package command_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// badInput is a file that is not what it should be, what the exit code is then,
// and the finding or the words that must be told.
type badInput struct {
	name  string
	data  []byte
	code  int
	words string
}

// variants gives a file of the world, a way to edit one place of it, and the file in
// another encoding.
func variants(t *testing.T, name string) (good []byte, edited func(before, after string) []byte, utf16 []byte) {
	t.Helper()
	good = theWorld(t)[name]
	utf16 = []byte{0xff, 0xfe}
	for _, b := range good {
		utf16 = append(utf16, b, 0)
	}
	return good, func(before, after string) []byte {
		if !bytes.Contains(good, []byte(before)) {
			t.Fatalf("%s does not contain %q", name, before)
		}
		return bytes.Replace(good, []byte(before), []byte(after), 1)
	}, utf16
}

// TestBadLayouts breaks one thing of a layout at a time.
func TestBadLayouts(t *testing.T) {
	t.Parallel()
	dir := at(t)
	good, edited, utf16 := variants(t, "acme.yml")
	for _, in := range []badInput{
		{"as it is", good, 0, ""},
		{"CRLF", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), 0, ""},
		{"empty", nil, 1, "layout-malformed"},
		{"truncated", good[:len(good)/2], 1, "layout-malformed"},
		{"oversized", append(bytes.Clone(good), bytes.Repeat([]byte("# padding\n"), 500_000)...), 3, "more than 4 MiB"},
		{"nested in brackets", bytes.Repeat([]byte("["), 100_000), 1, "layout-malformed"},
		{"nested in braces", bytes.Repeat([]byte("{a: "), 100_000), 1, "layout-malformed"},
		{"nested by indentation", nestedYAML(500), 1, "layout-malformed"},
		{"an alias bomb", []byte("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"), 1, "layout-malformed"},
		{"duplicate key", edited("version: 1", "version: 1\nversion: 2"), 1, "layout-malformed"},
		{"unknown key", edited("version: 1", "version: 1\nvresion: 2"), 1, "layout-malformed"},
		{"wrong type", edited("version: 1", "version: one"), 1, "layout-malformed"},
		{"wrong shape", edited("deny: []", "deny: {}"), 1, "layout-malformed"},
		{"byte order mark", append([]byte("\xef\xbb\xbf"), good...), 1, "layout-malformed"},
		{"UTF-16", utf16, 1, "layout-malformed"},
		{"not UTF-8", edited("name: author", "name: auth\xffor"), 1, "layout-malformed"},
		{"binary", []byte("\x7fELF\x02\x01\x01\x00\x00"), 1, "layout-malformed"},
		{"two documents", append(bytes.Clone(good), "\n---\n_type: layout\n"...), 1, "layout-malformed"},
		{"classic in-toto 1.0", []byte(`{"signed": {"_type": "layout"}, "signatures": []}`), 2, "--bundle goes with an attestation layout"},
		{"a signed envelope", []byte(`{"payload": "e30=", "payloadType": "application/vnd.in-toto.layout+json", "signatures": []}`), 1, "layout-malformed"},
		{"a bundle", theWorld(t)["bundles/build.json"], 1, "layout-malformed"},
	} {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			layout := write(t, t.TempDir(), "layout.yml", in.data)
			judgeBad(t, in, layoutArgs(dir, layout))
		})
	}
}

func nestedYAML(depth int) []byte {
	var b bytes.Buffer
	for i := range depth {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.Bytes()
}

// TestBadBundles breaks one thing of a bundle at a time.
func TestBadBundles(t *testing.T) {
	t.Parallel()
	dir := at(t)
	good, edited, utf16 := variants(t, "bundles/build.json")
	other := theWorld(t)["bundles/build-of-other-file.json"]
	for _, in := range []badInput{
		{"as it is", good, 0, ""},
		{"CRLF", bytes.Join([][]byte{other, good, nil}, []byte("\r\n")), 0, ""},
		{"two candidates, one valid", bytes.Join([][]byte{good[:100], good}, []byte("\n")), 0, "bundle-malformed"},
		{"empty", nil, 1, "bundle-malformed"},
		{"truncated", good[:len(good)/2], 1, "bundle-malformed"},
		{"oversized bundle", edited(`"mediaType"`, `"padding":"`+strings.Repeat("x", 33<<20)+`","mediaType"`), 1, "at most 33554432"},
		{"oversized file", bytes.Repeat(append(bytes.Clone(good), '\n'), 64<<20/len(good)+1), 3, "more than 64 MiB"},
		{"deeply nested", bytes.Repeat([]byte(`{"a":`), 100_000), 1, "bundle-malformed"},
		{"deeply nested inside", edited(`"mediaType"`, `"a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"mediaType"`), 1, "nested more than 64 deep"},
		{"duplicate key", edited(`"mediaType"`, `"mediaType":"x","mediaType"`), 1, "duplicate key"},
		{"unknown key", edited(`"mediaType"`, `"mediatype":"x","mediaType"`), 1, "bundle-malformed"},
		{"wrong type", edited(`"verificationMaterial":{`, `"verificationMaterial":["`), 1, "bundle-malformed"},
		{"wrong shape", []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":[]}`), 1, "bundle-malformed"},
		{"byte order mark", append([]byte("\xef\xbb\xbf"), good...), 1, "byte order mark"},
		{"UTF-16", utf16, 1, "UTF-16"},
		{"not UTF-8", edited(`"mediaType"`, "\"a\xff\":1,\"mediaType\""), 1, "bundle-malformed"},
		{"a list", append(append([]byte("["), good...), ']'), 1, "jq -c"},
		{"a page", []byte("<!doctype html><title>Log in</title>"), 1, "HTML"},
		{"a key", theWorld(t)["release.pub"], 1, "--key"},
		{"a trusted root", theWorld(t)["trusted_root.json"], 1, "--trusted-root"},
		{"for another artifact", other, 1, "artifact-not-subject"},
		{"too new", edited("bundle.v0.3+json", "bundle.v0.9+json"), 3, "bundle-version-too-new"},
		{"too new beside a good one", bytes.Join([][]byte{edited("bundle.v0.3+json", "bundle.v0.9+json"), good}, []byte("\n")), 0, "bundle-version-too-new"},
	} {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			bundle := write(t, t.TempDir(), "bundle.json", in.data)
			judgeBad(t, in, simpleArgs(dir, "--bundle", bundle))
		})
	}
}

// judgeBad runs verify twice: the text must be for a terminal, and the report a
// whole document with the same answer, if there is one at all.
func judgeBad(t *testing.T, in badInput, args []string) {
	t.Helper()
	text := run(t, nil, args...)
	text.demand(t, in.code)
	visible(t, text)
	report := run(t, nil, append(args, "--format", "json")...)
	report.demand(t, in.code, in.words)
	if report.out == "" && report.report == "" {
		t.Error("nothing was said")
	}
	if report.out != "" {
		holdsExitCode(t, report)
	}
}

// holdsExitCode reads the JSON report, which must tell the exit code.
func holdsExitCode(t *testing.T, o outcome) {
	t.Helper()
	var report struct{ ExitCode *int }
	if err := json.Unmarshal([]byte(o.out), &report); err != nil || report.ExitCode == nil || *report.ExitCode != o.code {
		t.Errorf("the report does not say exit code %d (%v):\n%s", o.code, err, o.out)
	}
}

// TestBadRootsKeysAndLists holds the other files of the command line.
func TestBadRootsKeysAndLists(t *testing.T) {
	t.Parallel()
	dir := at(t)
	w := theWorld(t)
	root := string(w["trusted_root.json"])
	for _, in := range []struct {
		flag string
		badInput
	}{
		{"--trusted-root", badInput{"empty", nil, 1, "the file is empty"}},
		{"--trusted-root", badInput{"truncated", []byte(root[:len(root)/2]), 1, "line 1"}},
		{"--trusted-root", badInput{"a bundle", w["bundles/build.json"], 1, "trusted root"}},
		{"--trusted-root", badInput{"too new", []byte(strings.Replace(root, "version=0.1", "version=0.9", 1)), 3, "0.9"}},
		{"--trusted-root", badInput{"oversized", []byte(root + strings.Repeat("\n", 5<<20)), 1, "4 MiB"}},
		{"--key", badInput{"empty", nil, 1, "PEM"}},
		{"--key", badInput{"a certificate", []byte("-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n"), 1, "PUBLIC KEY"}},
		{"--key", badInput{"a private key", []byte("-----BEGIN PRIVATE KEY-----\nMAo=\n-----END PRIVATE KEY-----\n"), 1, "openssl pkey"}},
		{"--key", badInput{"oversized", bytes.Repeat([]byte("x"), 1<<20+1), 3, "more than 1 MiB"}},
		{"--checksums", badInput{"empty", nil, 1, "it lists nothing"}},
		{"--checksums", badInput{"no digest", []byte("app\n"), 1, "line 1"}},
		{"--checksums", badInput{"no name", []byte(strings.Repeat("0", 64) + "\n"), 1, "line 1"}},
		{"--checksums", badInput{"oversized", bytes.Repeat([]byte("\n"), 5<<20), 3, "more than 4 MiB"}},
		{"--checksums", badInput{"CRLF", []byte(fmt.Sprintf("%x *app\r\n", sum256([]byte(appText)))), 0, ""}},
	} {
		t.Run(in.flag[2:]+" "+in.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, t.TempDir(), "file", in.data)
			args := simpleArgs(dir, "--bundle", filepath.Join(dir, "bundles", "build.json"), in.flag, file)
			if in.flag == "--key" {
				args = []string{"verify", filepath.Join(dir, "app"), "--offline", "--bundle", filepath.Join(dir, "bundles", "by-key.json"), "--key", file}
			}
			o := run(t, nil, args...)
			o.demand(t, in.code, in.words)
			if in.code != 0 && !strings.Contains(o.report, "\n  next: ") {
				t.Errorf("no next step:\n%s", o.report)
			}
		})
	}
}

// TestManyUnrelatedBundles: a folder with 500 bundles of other artifacts and
// the good one is allowed, and soon.
func TestManyUnrelatedBundles(t *testing.T) {
	t.Parallel()
	dir := at(t)
	config := attestationtest.GitHub() // which signs fastest
	config.Seed = "500 unrelated bundles"
	sigstore, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	claims := attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit}
	many := t.TempDir()
	sign := func(name string, text []byte) {
		bundle, err := sigstore.Sign(attestationtest.SignRequest{As: attestationtest.Workflow(claims), Payload: attestationtest.Statement(
			[]attestationtest.Subject{attestationtest.File(name, text)}, "https://slsa.dev/provenance/v1", attestationtest.Provenance(claims))})
		if err != nil {
			t.Fatal(err)
		}
		write(t, many, name+".json", bundle.JSON)
	}
	for i := range 500 {
		sign(fmt.Sprintf("unrelated-%03d", i), []byte{byte(i), byte(i >> 8)})
	}
	sign("zz-last", []byte(appText))
	write(t, dir, "trusted_root.json", sigstore.TrustedRoot())

	start := time.Now()
	o := run(t, nil, simpleArgs(dir, "--bundle", many)...)
	o.demand(t, 0, "and 490 more: 490 artifact-not-subject")
	if took := time.Since(start); took > time.Minute {
		t.Errorf("501 bundles took %s", took)
	} else {
		t.Logf("501 bundles in %s", took)
	}

	if err := os.Remove(filepath.Join(many, "zz-last.json")); err != nil {
		t.Fatal(err)
	}
	run(t, nil, simpleArgs(dir, "--bundle", many)...).demand(t, 1, "artifact-not-subject")
}

// TestVerifyGlobs: a glob is the files that it finds, each decided alone; a file that is
// called like one is itself, and nothing found is nothing verified.
func TestVerifyGlobs(t *testing.T) {
	t.Parallel()
	dir := at(t)
	in := func(name string) string { return filepath.Join(dir, "dist", name) }
	app, err := os.ReadFile(filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"one/a": app, "one/b": app, "one/a.sigstore.json": []byte("{}"), "two/a": app, "two/evil": []byte("evil"), "x[1]": app} {
		if err := os.MkdirAll(filepath.Dir(in(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		artifact string
		code     int
		allowed  int
		says     string
	}{
		"both":               {in("one/*"), 0, 2, "passes over what is called as a bundle, and nothing is decided of it: " + in("one/a.sigstore.json")},
		"below":              {in("one/**"), 0, 2, ""},
		"an evil one":        {in("two/*"), 1, 1, "evil"},
		"everywhere":         {in("**"), 1, 4, "evil"},
		"choices":            {in("{one,two}/a"), 0, 2, ""},
		"as it is written":   {in("x[1]"), 0, 1, ""},
		"nothing":            {in("one/*.zip"), 2, 0, "finds no file"},
		"folders alone":      {in("tw?"), 2, 0, "finds no file"},
		"no glob":            {in("one/[a"), 2, 0, "malformed"},
		"an image's pattern": {"oci://registry.example/acme/*", 2, 0, "not named by digest"},
	} {
		got := run(t, nil, "verify", row.artifact, "--trusted-root", filepath.Join(dir, "trusted_root.json"), "--bundle", filepath.Join(dir, "bundles", "build.json"),
			"--certificate-identity", workflow, "--certificate-oidc-issuer", actions)
		if got.code != row.code || strings.Count(got.out, "allowed: ") != row.allowed || !strings.Contains(got.out+got.report, row.says) {
			t.Errorf("%s: exit code %d, expected %d and %d allowed\n%s%s", name, got.code, row.code, row.allowed, got.out, got.report)
		}
	}
}
