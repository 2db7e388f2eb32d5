package artifact

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestParseChecksums(t *testing.T) {
	t.Parallel()
	a, b, c := hexOf("a", 64), hexOf("b", 96), hexOf("c", 128)
	list, err := ParseChecksums([]byte(a + "  app\n\n" + b + " *dist/a b.tgz\r\n" + strings.ToUpper(c) + " one space\nSHA256 (x) = y) = " + a + "\nSHA512 (z) = " + c))
	if err != nil {
		t.Fatal(err)
	}
	want := []Checksum{
		{Line: 1, Name: "app", Digest: DigestSet{SHA256: a}},
		{Line: 3, Name: "dist/a b.tgz", Digest: DigestSet{SHA384: b}},
		{Line: 4, Name: "one space", Digest: DigestSet{SHA512: c}},
		{Line: 5, Name: "x) = y", Digest: DigestSet{SHA256: a}},
		{Line: 6, Name: "z", Digest: DigestSet{SHA512: c}},
	}
	if diff := cmp.Diff(want, list, asMaps()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	for text, words := range map[string]string{
		"": "lists nothing", "\n \n": "lists nothing",
		a: "line 1: expected", a + "  ": "line 1: expected", a + " *": "line 1: expected", "\n" + a[1:] + "  app": "line 2: expected", "app  " + a: "line 1: expected",
		"g" + a[1:] + "  app": "not hexadecimal", `\` + a + `  a\nb`: "backslash", "SHA256 () = " + a: "expected", "SHA256 (app) = " + b: "line 1", "SHA256 (app) " + a: "expected",
		"MD5 (app) = " + a[:32]: "expected", a + "\tapp": "expected", a + "  app\n" + a: "line 2",
		strings.Repeat("\n", MaxChecksumsBytes+1): "at most 4 MiB",
	} {
		if got, err := ParseChecksums([]byte(text)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.90q: got %v, %v; expected %q", text, got, err, words)
		}
	}
}

func FuzzChecksums(f *testing.F) {
	f.Add([]byte(hexOf("a", 64) + "  app\n" + hexOf("b", 128) + " *x\n"))
	f.Add([]byte("SHA256 (a) = " + hexOf("a", 64)))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseChecksums(data)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, c := range list {
			if len(c.Digest) != 1 || c.Name == "" || strings.Contains(c.Name, "\n") {
				t.Fatalf("%q is read as %+v", data, c)
			}
			if s, err := ChecksumSubject("list", c); err == nil && (strings.HasPrefix(s.Name, "/") || s.URI != "" || !s.Digest.Equal(c.Digest)) {
				t.Fatalf("%+v is the subject %+v", c, s)
			}
			for _, alg := range c.Digest.Algorithms() {
				fmt.Fprintf(&again, "%s (%s) = %s\n", strings.ToUpper(string(alg)), c.Name, c.Digest[alg])
			}
		}
		if back, err := ParseChecksums([]byte(again.String())); err != nil || len(back) != len(list) || back[0].Name != list[0].Name {
			t.Fatalf("%q is %v again (%v)", again.String(), back, err)
		}
	})
}

func TestParseSubject(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Subject{
		"app@sha256:" + hexOf("A", 64):                 {Name: "app", Digest: DigestSet{SHA256: hexOf("a", 64)}},
		"ghcr.io/acme/app@sha256:" + hexOf("a", 64):    {Name: "ghcr.io/acme/app", Digest: DigestSet{SHA256: hexOf("a", 64)}},
		"./dist/app@sha512:" + hexOf("a", 128):         {Name: "dist/app", Digest: DigestSet{SHA512: hexOf("a", 128)}},
		"a@b@sha256:" + hexOf("a", 64):                 {Name: "a@b", Digest: DigestSet{SHA256: hexOf("a", 64)}},
		"git@github.com:acme/app.git@gitCommit:" + sha: {Name: app, Digest: DigestSet{GitCommit: sha}},
		app + "@refs/heads/main@gitCommit:" + sha:      {Name: app, URI: app + "@refs/heads/main", Digest: DigestSet{GitCommit: sha}},
		"pkg:npm/a@1@sha256:" + hexOf("a", 64):         {Name: "pkg:npm/a@1", Digest: DigestSet{SHA256: hexOf("a", 64)}},
		"app":                                          {}, "@sha256:" + hexOf("a", 64): {}, "app@": {}, "app@sha256": {}, "app@sha1:" + sha: {}, "app@sha256:" + hexOf("a", 63): {}, "app@latest": {}, "": {},
		"../app@sha256:" + hexOf("a", 64): {}, "a\nb@sha256:" + hexOf("a", 64): {}, app + "@" + hexOf("b", 40) + "@gitCommit:" + sha: {},
		"git+https://alice:secret@github.com/acme/app@gitCommit:" + sha: {},
	} {
		got, err := ParseSubject(text)
		if err == nil {
			want.Source = text
		}
		if diff := cmp.Diff(want, got, asMaps()); diff != "" || (err == nil) != (want.Name != "") {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestChecksumSubject(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"app": "app", "./app": "app", "dist/app": "dist/app", "a:b": "a:b",
		"/dist/app": "", "../app": "", "": "", "git@github.com:acme/app": "", app: "", "a\x1bb": "",
	} {
		got, err := ChecksumSubject("SHA256SUMS", Checksum{Line: 7, Name: name, Digest: DigestSet{SHA256: hexOf("a", 64)}})
		if got.Name != want || (err == nil) != (want != "") || err != nil && !strings.Contains(err.Error(), "SHA256SUMS line 7") {
			t.Errorf("%q: got %+v, %v", name, got, err)
		}
	}
}

func TestGitCommitSubject(t *testing.T) {
	t.Parallel()
	repository := Name{Text: app, Git: true}
	tree := hexOf("b", 40)
	got, err := GitCommitSubject(repository, "refs/heads/main", sha, tree)
	want := Subject{Name: app, URI: app + "@refs/heads/main", Digest: DigestSet{GitCommit: sha, GitTree: tree}, Source: "commit " + sha}
	if diff := cmp.Diff(want, got, asMaps()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if detached, err := GitCommitSubject(repository, sha, sha, tree); err != nil || detached.URI != app+"@"+sha {
		t.Errorf("detached: %+v, %v", detached, err)
	}
	for what, r := range map[string]struct {
		name              Name
		ref, commit, tree string
	}{
		"no ref": {repository, "", sha, tree}, "no commit": {repository, "refs/heads/main", "", tree}, "no tree": {repository, "refs/heads/main", sha, ""},
		"another commit's id as ref": {repository, tree, sha, tree}, "no git source": {Name{Text: "app"}, "refs/heads/main", sha, tree},
		"git over http": {Name{Text: "git+http://h/o/r", Git: true}, "refs/heads/main", sha, tree}, "a ref with a space": {repository, "refs/heads/a b", sha, tree},
		"a commit that is no id": {repository, "refs/heads/main", "HEAD", tree},
	} {
		if got, err := GitCommitSubject(r.name, r.ref, r.commit, r.tree); err == nil {
			t.Errorf("%s: got %+v", what, got)
		}
	}
}

func numbered(n int) []Subject {
	subjects := make([]Subject, n)
	for i := range subjects {
		subjects[i] = Subject{Name: fmt.Sprint("s", i)}
	}
	return subjects
}

func TestCheckSubjects(t *testing.T) {
	t.Parallel()
	if err := CheckSubjects(numbered(MaxSubjects)); err != nil {
		t.Error(err)
	}
	same := []Subject{{Name: "app", Source: "linux/app"}, {Name: "other"}, {Name: "app", Source: "darwin/app"}}
	for words, subjects := range map[string][]Subject{"nothing to attest": nil, "at most 16384": numbered(MaxSubjects + 1), "linux/app and darwin/app": same} {
		if err := CheckSubjects(subjects); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, expected %q", err, words)
		}
	}
}

// Once: what is said again is one subject, and what contradicts stays, to be refused.
func TestOnce(t *testing.T) {
	t.Parallel()
	subject := func(text string) Subject {
		s, err := ParseSubject(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for name, row := range map[string]struct {
		given []string
		want  int
	}{
		"nothing":         {nil, 0},
		"the same":        {[]string{"f@sha256:" + a, "g@sha256:" + a, "f@sha256:" + a}, 2},
		"two names":       {[]string{"f@sha256:" + a, "g@sha256:" + a}, 2},
		"two digests":     {[]string{"f@sha256:" + a, "f@sha256:" + b}, 2},
		"two algorithms":  {[]string{"f@sha256:" + a, "f@sha512:" + a + a}, 2},
		"one said before": {[]string{"f@sha256:" + a, "f@sha256:" + b, "f@sha256:" + b}, 2},
	} {
		var given []Subject
		for _, text := range row.given {
			given = append(given, subject(text))
		}
		if got := Once(given); len(got) != row.want {
			t.Errorf("%s: %v, expected %d", name, got, row.want)
		}
	}
}

// As gives a file a name that a statement can have for one.
func TestFileAs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"app-1.2.tar.gz": "app-1.2.tar.gz", "./app": "app", "release/app": "release/app", "pkg:npm/app@1.2.3": "pkg:npm/app@1.2.3", "ü b": "ü b",
		"": "", "../app": "", "a\nb": "", "git+https://github.com/acme/app": "", "git@github.com:acme/app.git": "",
	} {
		got, err := File{Path: "dist/x", Name: "x", Size: 1}.As(name)
		if (err != nil) != (want == "") || err == nil && got != (File{Path: "dist/x", Name: want, Size: 1}) {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
}

func TestChunks(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][]int{0: nil, 1: {1}, 1024: {1024}, 1025: {1024, 1}, 3000: {1024, 1024, 952}} {
		var sizes []int
		next := 0
		for _, chunk := range Chunks(numbered(n)) {
			sizes = append(sizes, len(chunk))
			for _, s := range chunk {
				if s.Name != fmt.Sprint("s", next) {
					t.Fatalf("%d subjects: %s comes as number %d", n, s.Name, next)
				}
				next++
			}
		}
		if diff := cmp.Diff(want, sizes); diff != "" {
			t.Errorf("%d subjects (-want +got):\n%s", n, diff)
		}
	}
}

// asTyped opens paths as they are typed, as command's does.
type asTyped struct{}

func (asTyped) Open(name string) (fs.File, error)     { return os.Open(name) }
func (asTyped) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) } // opening a pipe waits for ever

func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, "app", "lib.so", "dist/a.tgz", "dist/b.tgz", "dist/deep/c.tgz", "dist/.hidden", "dist/a.tgz.sigstore.jsonl", "dist/deep/attestation.sigstore.json", "odd/x[1].txt", "odd/x1.txt", "odd/*")
	if err := os.Symlink(filepath.Join(dir, "dist"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.tgz", filepath.Join(dir, "dist/latest.tgz")); err != nil {
		t.Fatal(err)
	}
	in := func(names ...string) []string {
		for i, name := range names {
			names[i] = dir + "/" + name
		}
		return names
	}
	for _, r := range []struct{ patterns, want []string }{
		{in("app"), in("app")},
		{in("dist/a.tgz.sigstore.jsonl"), in("dist/a.tgz.sigstore.jsonl")},
		{in("app", "lib.so", "app", "./app"), in("app", "lib.so")},
		{in("dist/*.tgz"), in("dist/a.tgz", "dist/b.tgz", "dist/latest.tgz")},
		{in("dist/**/*.tgz"), in("dist/a.tgz", "dist/b.tgz", "dist/deep/c.tgz", "dist/latest.tgz")},
		{in("dist/**"), in("dist/.hidden", "dist/a.tgz", "dist/b.tgz", "dist/deep/c.tgz", "dist/latest.tgz")},
		{in("dist/{b,a}.tgz", "app"), in("dist/a.tgz", "dist/b.tgz", "app")},
		{in("**/c.tgz"), in("dist/deep/c.tgz")},
		{in("link/*.tgz"), in("link/a.tgz", "link/b.tgz", "link/latest.tgz")},
		{in("odd/x[1].txt"), in("odd/x[1].txt")},
		{in("odd/x[12].txt"), in("odd/x1.txt")},
		{in("odd/*"), in("odd/*")},
		{in("dist/deep/../*.tgz"), in("dist/a.tgz", "dist/b.tgz", "dist/latest.tgz")},
	} {
		files, _, err := FindFiles(asTyped{}, r.patterns)
		var got []string
		for _, f := range files {
			got = append(got, f.Path)
			if f.Name != filepath.Base(f.Path) || f.Size == 0 {
				t.Errorf("%+v", f)
			}
		}
		if diff := cmp.Diff(r.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", r.patterns, err, diff)
		}
	}
	_, bundles, err := FindFiles(asTyped{}, in("app", "dist/**", "dist/a.tgz.sigstore.jsonl"))
	if diff := cmp.Diff(in("dist/a.tgz.sigstore.jsonl", "dist/deep/attestation.sigstore.json"), bundles); diff != "" || err != nil {
		t.Errorf("passed over: %v (-want +got):\n%s", err, diff)
	}
}

func TestFindFilesRelative(t *testing.T) {
	dir := folder(t, "a/x.go", "a/b/y.go", "z.go")
	t.Chdir(filepath.Join(dir, "a"))
	for pattern, want := range map[string][]string{"**/*.go": {"b/y.go", "x.go"}, "../*.go": {"../z.go"}, "./*.go": {"x.go"}, "b/*": {"b/y.go"}} {
		files, _, err := FindFiles(asTyped{}, []string{pattern})
		var got []string
		for _, f := range files {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", pattern, err, diff)
		}
	}
}

func TestFindFilesRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t, "app", "dist/a", "names/git@github.com:acme", "empty/x/y")
	listener, err := net.Listen("unix", filepath.Join(dir, "pipe"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.WriteFile(filepath.Join(dir, "names", "a\nb"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for pattern, words := range map[string]string{
		"dist": "it is a directory", "dist/": "it is a directory", "pipe": "pipe", "pip*": "pipe", "none": "no such file", "none*": "finds no file", "none/**": "finds no file",
		"empty/*": "finds no file", "di[": "malformed", "{a": "malformed", "*/../app": `no ".."`, "names/git*": "would be read as", "names/a*": "control character",
	} {
		files, _, err := FindFiles(asTyped{}, []string{dir + "/app", dir + "/" + pattern})
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), pattern) {
			t.Errorf("%s: got %v, %v; expected %q", pattern, files, err, words)
		}
	}
	if _, _, err := FindFiles(asTyped{}, []string{""}); err == nil || !strings.Contains(err.Error(), "unset") {
		t.Errorf("an empty path: %v", err)
	}
	many := fstest.MapFS{}
	for i := range MaxSubjects + 1 {
		many[fmt.Sprint("f", i)] = &fstest.MapFile{}
	}
	if _, _, err := FindFiles(many, []string{"*"}); err == nil || !strings.Contains(err.Error(), "more than 16384") {
		t.Errorf("too many files: %v", err)
	}
	if _, _, err := FindFiles(failingFS{}, []string{"a/*"}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder that cannot be read: %v", err)
	}
}

type failingFS struct{}

func (failingFS) Open(name string) (fs.File, error) {
	if strings.Contains(name, "*") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestFileHash(t *testing.T) {
	t.Parallel()
	dir := folder(t, "app")
	files, _, err := FindFiles(asTyped{}, []string{filepath.Join(dir, "app")})
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	count := func(r io.Reader) io.Reader { return io.TeeReader(r, counter{&read}) }
	subject, err := files[0].Hash(asTyped{}, count, SHA512, SHA256)
	if err != nil || read != len("app") || subject.Name != "app" || subject.Source != files[0].Path || len(subject.Digest) != 2 || len(subject.Digest[SHA512]) != 128 {
		t.Errorf("%d bytes were read for %+v (%v)", read, subject, err)
	}
	if plain, err := files[0].Hash(asTyped{}, nil); err != nil || len(plain.Digest) != 1 || plain.Digest[SHA256] != subject.Digest[SHA256] {
		t.Errorf("got %+v, %v", plain, err)
	}
	if err := os.Remove(files[0].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := files[0].Hash(asTyped{}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}

type counter struct{ n *int }

func (c counter) Write(p []byte) (int, error) { *c.n += len(p); return len(p), nil }

func TestGitRemote(t *testing.T) {
	t.Parallel()
	const s1, s2 = "s3cret", "ghp_0123"
	for url, want := range map[string]string{
		"https://github.com/acme/app.git": app, "https://github.com/acme/app": app, "HTTPS://GitHub.com/acme/app/": app, "git+https://github.com/acme/app": app,
		"https://" + s1 + "@github.com/acme/app": app, "https://x-access-token:" + s1 + "@github.com/acme/app.git": app, "https://a:" + s1 + "@" + s2 + "@github.com/acme/app": app, "https://:" + s1 + "@github.com/acme/app": app,
		"ssh://git@github.com/acme/app.git": app, "ssh://alice:" + s1 + "@github.com/acme/app": app, "git@github.com:acme/app.git": app, "alice@github.com:acme/app": app, "github.com:acme/app": app,
		"https://gitlab.com/a/b/c.git": "git+https://gitlab.com/a/b/c",

		"": "", "app": "", "../app": "", "/srv/git/app.git": "", "file:///srv/app": "", "C:/app": "", `C:\app`: "", "./a:b": "", "git://github.com/acme/app": "", "http://" + s1 + "@github.com/acme/app": "", "ext::sh -c x": "",
		"https://github.com": "", "https://github.com/": "", "https:///acme/app": "", "https://github.com:8443/acme/app": "", "ssh://git@github.com:22/acme/app": "", "git@github.com:/srv/app": "", "git@github.com:~/app": "", "git@github.com:": "",
		"https://github.com/acme/app?token=" + s1: "", "https://github.com/acme/app#" + s1: "", "https://a:" + s1 + "/" + s2 + "@github.com/acme/app": "", "https://" + s1 + "/" + s2 + "@github.com/acme/app": "",
		"a:" + s1 + "@github.com:acme/app": "", s1 + "://github.com/acme/app": "", "https://github.com/acme/app@" + s1: "", "https://github.com/../app": "",
	} {
		got, err := GitRemote(url)
		if got.Text != want || (err == nil) != (want != "") || err == nil && (!got.Git || got.Ref != "") {
			t.Errorf("%q: got %+v, %v; expected %q", url, got, err, want)
		}
		if text := fmt.Sprint(got, err); strings.Contains(text, s1) || strings.Contains(text, s2) {
			t.Errorf("%q shows a secret: %s", url, text)
		}
	}
}

func FuzzGitRemote(f *testing.F) {
	for _, s := range []string{"https://a:b@h/o/r.git", "git@h:o/r", "ssh://a@h/o/r", "h:o/r@x", "https://a/b@h/o"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		name, err := GitRemote(url)
		if err != nil {
			return
		}
		if again, err := ParseName(name.Text); err != nil || again != name || !name.Git || !strings.HasPrefix(name.Text, "git+https://") || strings.Contains(name.Text[len("git+https://"):], "@") {
			t.Fatalf("%q is %+v, and again %+v (%v)", url, name, again, err)
		}
	})
}
