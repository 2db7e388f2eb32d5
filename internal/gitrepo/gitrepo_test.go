package gitrepo

import (
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// git runs the git binary, with nobody's settings but those here.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") }),
		"HOME="+dir, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func needsGit(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
}

// history is a repository whose file layouts/release.yml changed with each of
// its commits.
type history struct {
	dir     string
	commits []string // the oldest first
}

const file = "layouts/release.yml"

// text is what the file says in the commit n: each writes one of its parts anew,
// so that the shortest delta of each is to the next.
func text(n int) string {
	var out strings.Builder
	for part := range 6 {
		for line := range 30 {
			seed := fmt.Sprint(part, line, part <= n)
			fmt.Fprintf(&out, "%x %t\n", sha256.Sum256([]byte(seed)), part > n)
		}
	}
	return out.String()
}

func newHistory(t testing.TB, options ...string) history {
	t.Helper()
	needsGit(t)
	h := history{dir: realTemp(t)}
	git(t, h.dir, append([]string{"init", "--quiet", "--initial-branch=main"}, options...)...)
	git(t, h.dir, "config", "gc.auto", "0")
	git(t, h.dir, "config", "uploadpack.allowFilter", "true")
	for n := range 4 {
		write(t, filepath.Join(h.dir, file), text(n))
		write(t, filepath.Join(h.dir, "README"), "the same\n")
		git(t, h.dir, "add", ".")
		git(t, h.dir, "commit", "--quiet", "-m", fmt.Sprint("version ", n))
		h.commits = append(h.commits, git(t, h.dir, "rev-parse", "HEAD"))
	}
	return h
}

func realTemp(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// holds demands that each commit of a repository has its own version of the file.
func (h history) holds(t *testing.T, open func(string) (*Repository, error), dir string) {
	t.Helper()
	repository, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n, commit := range h.commits {
		data, err := gitobject.ReadFile(repository.Object, commit, file, 1<<20)
		if err != nil || string(data) != text(n) {
			t.Errorf("commit %d: got %d bytes, %v", n, len(data), err)
		}
	}
}

func TestLoose(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.holds(t, Open, h.dir)
	h.holds(t, Find, filepath.Join(h.dir, "layouts"))
}

func TestPackedWithDeltas(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "repack", "-adfq", "--depth=50", "--window=50")
	packs, err := filepath.Glob(filepath.Join(h.dir, ".git/objects/pack/*.idx"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("%d packs, %v", len(packs), err)
	}
	if chains := git(t, h.dir, "verify-pack", "-v", packs[0]); !strings.Contains(chains, "chain length = 2:") {
		t.Fatalf("no delta of a delta in\n%s", chains)
	}
	git(t, h.dir, "prune-packed")
	h.holds(t, Open, h.dir)
}

func TestManyPacksAndLoose(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "repack", "-dq")
	write(t, filepath.Join(h.dir, file), text(4))
	git(t, h.dir, "commit", "--quiet", "-am", "packed too")
	h.commits = append(h.commits, git(t, h.dir, "rev-parse", "HEAD"))
	git(t, h.dir, "repack", "-dq")
	write(t, filepath.Join(h.dir, file), text(5))
	git(t, h.dir, "commit", "--quiet", "-am", "loose")
	h.commits = append(h.commits, git(t, h.dir, "rev-parse", "HEAD"))
	h.holds(t, Open, h.dir)
}

func TestWorktree(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	tree := filepath.Join(realTemp(t), "tree")
	git(t, h.dir, "worktree", "add", "--quiet", "--detach", tree)
	h.holds(t, Open, tree)
	h.holds(t, Find, filepath.Join(tree, "layouts"))
}

func TestSeparateGitFolder(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "init", "--quiet", "--separate-git-dir", filepath.Join(realTemp(t), "kept"))
	h.holds(t, Open, h.dir)
}

func TestBare(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	bare := filepath.Join(realTemp(t), "bare")
	git(t, h.dir, "clone", "--quiet", "--bare", "file://"+h.dir, bare)
	h.holds(t, OpenBare, bare)
	h.holds(t, Find, bare)
	if _, err := Open(bare); !errors.Is(err, ErrNoRepository) {
		t.Errorf("Open takes a bare repository: %v", err)
	}
	// The bare one inside of a working tree is not the one that contains a folder.
	inside := filepath.Join(h.dir, "bare")
	git(t, h.dir, "clone", "--quiet", "--bare", "--depth=1", "file://"+h.dir, inside)
	h.holds(t, Find, inside)
}

func TestShallowClone(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	clone := filepath.Join(realTemp(t), "clone")
	git(t, h.dir, "clone", "--quiet", "--depth=1", "file://"+h.dir, clone)
	repository, err := Open(clone)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gitobject.ReadFile(repository.Object, h.commits[3], file, 1<<20); err != nil {
		t.Error(err)
	}
	_, err = gitobject.ReadFile(repository.Object, h.commits[0], file, 1<<20)
	missing, ok := errors.AsType[*gitobject.MissingError](err)
	if !ok || missing.Object != h.commits[0] {
		t.Fatalf("got %v, expected the commit to be missing", err)
	}
	git(t, clone, strings.Fields(missing.Next())[1:]...)
	if repository, err = Open(clone); err != nil {
		t.Fatal(err)
	}
	data, err := gitobject.ReadFile(repository.Object, h.commits[0], file, 1<<20)
	if err != nil || string(data) != text(0) {
		t.Errorf("after %s: got %d bytes, %v", missing.Next(), len(data), err)
	}
}

func TestPartialClone(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	clone := filepath.Join(realTemp(t), "clone")
	git(t, h.dir, "clone", "--quiet", "--no-checkout", "--filter=blob:none", "file://"+h.dir, clone)
	repository, err := Open(clone)
	if err != nil {
		t.Fatal(err)
	}
	_, err = gitobject.ReadFile(repository.Object, h.commits[0], file, 1<<20)
	missing, ok := errors.AsType[*gitobject.MissingError](err)
	if !ok || missing.Object != git(t, h.dir, "rev-parse", h.commits[0]+":"+file) {
		t.Errorf("got %v, expected the blob to be missing", err)
	}
}

func TestAlternates(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "repack", "-adq")
	parent := realTemp(t)
	first, second := filepath.Join(parent, "first"), filepath.Join(parent, "second")
	git(t, h.dir, "clone", "--quiet", "--shared", h.dir, first)
	git(t, h.dir, "clone", "--quiet", "--shared", first, second)
	h.holds(t, Open, first)
	h.holds(t, Open, second)

	borrows := func(text string) { write(t, filepath.Join(second, ".git/objects/info/alternates"), text) }
	borrows("# the first\n\n../../../first/.git/objects\n")
	h.holds(t, Open, second)
	write(t, filepath.Join(h.dir, ".git/objects/info/alternates"), filepath.Join(second, ".git/objects")+"\n")
	h.holds(t, Open, second) // round in a circle

	missing := strings.Repeat("ab", 20)
	repository, err := Open(second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repository.Object(missing, 1<<20); !errors.Is(err, gitobject.ErrMissing) {
		t.Errorf("got %v, expected it to be missing everywhere", err)
	}
	for _, text := range []string{"../../../none/objects\n", parent + "\n", strings.Repeat("x", maxPointerBytes+1)} {
		borrows(text)
		if _, err := Open(second); err == nil || errors.Is(err, ErrNoRepository) {
			t.Errorf("alternates %.40q: got %v, expected a refusal", text, err)
		}
	}
	var chain strings.Builder
	for n := range maxAlternates + 1 {
		objects := filepath.Join(parent, fmt.Sprint(n), "objects")
		write(t, filepath.Join(objects, "keep"), "")
		fmt.Fprintln(&chain, objects)
	}
	borrows(chain.String())
	if _, err := Open(second); err == nil || !strings.Contains(err.Error(), "more than 32") {
		t.Errorf("got %v, expected a bound of alternates", err)
	}
}

// TestSwappedContent puts the bytes of one object under the name of another, which
// go-git hands out and gitobject does not take.
func TestSwappedContent(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	loose := func(name string) string {
		id := git(t, h.dir, "rev-parse", name)
		path := filepath.Join(h.dir, ".git/objects", id[:2], id[2:])
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{":" + file, ":layouts", "^{tree}", ""} {
		base, head := loose(h.commits[0]+name), loose(h.commits[3]+name)
		was := readFile(t, base)
		write(t, base, readFile(t, head))
		repository, err := Open(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		data, err := gitobject.ReadFile(repository.Object, h.commits[0], file, 1<<20)
		if err == nil || !strings.Contains(err.Error(), "hash to") || data != nil {
			t.Errorf("%q swapped: got %d bytes, %v", name, len(data), err)
		}
		write(t, base, was)
	}
	h.holds(t, Open, h.dir)
}

// TestSwappedInPack swaps two names of a pack's index, so that each stands for
// the other's bytes.
func TestSwappedInPack(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "repack", "-adq")
	indexes, err := filepath.Glob(filepath.Join(h.dir, ".git/objects/pack/*.idx"))
	if err != nil || len(indexes) != 1 {
		t.Fatalf("%d indexes, %v", len(indexes), err)
	}
	data := []byte(readFile(t, indexes[0]))
	// Version 2: 8 bytes, 256 counts of 4, n names of 20, n checksums of 4, n
	// offsets of 4 (gitformat-pack).
	n := int(data[8+255*4+3])
	names := data[8+256*4:]
	place := func(id string) []byte {
		for i := range n {
			if fmt.Sprintf("%x", names[i*20:i*20+20]) == id {
				return names[n*24+i*4 : n*24+i*4+4]
			}
		}
		t.Fatalf("%s is not in the pack", id)
		return nil
	}
	a := place(git(t, h.dir, "rev-parse", h.commits[0]+":"+file))
	b := place(git(t, h.dir, "rev-parse", h.commits[3]+":"+file))
	was := slices.Clone(a)
	copy(a, b)
	copy(b, was)
	sum := sha1.Sum(data[:len(data)-sha1.Size])
	copy(data[len(data)-sha1.Size:], sum[:])
	if err := os.Chmod(indexes[0], 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, indexes[0], string(data))
	repository, err := Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err = gitobject.ReadFile(repository.Object, h.commits[0], file, 1<<20)
	if err == nil || !strings.Contains(err.Error(), "hash to") || data != nil {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	id := git(t, h.dir, "rev-parse", h.commits[0]+":"+file)
	path := filepath.Join(h.dir, ".git/objects", id[:2], id[2:])
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	sound := readFile(t, path)
	for _, damaged := range []string{"", "not zlib", sound[:len(sound)/2], sound[:20]} {
		write(t, path, damaged)
		repository, err := Open(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gitobject.ReadFile(repository.Object, h.commits[0], file, 1<<20); err == nil || errors.Is(err, gitobject.ErrMissing) {
			t.Errorf("%d bytes of it: got %v, expected an error", len(damaged), err)
		}
	}
}

// TestReplacementsAreIgnored replaces the oldest commit by the newest, for git.
func TestReplacementsAreIgnored(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	git(t, h.dir, "replace", h.commits[0], h.commits[3])
	if shown := git(t, h.dir, "show", h.commits[0]+":"+file); shown+"\n" != text(3) {
		t.Fatalf("git does not replace it")
	}
	h.holds(t, Open, h.dir)
}

// TestSizes reads objects below and above what is kept in memory, loose and
// packed, and refuses what is larger than the caller reads.
func TestSizes(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	large := strings.Repeat("0123456789abcdef", rememberedObject/16) + "and a bit"
	write(t, filepath.Join(h.dir, "large"), large)
	id := git(t, h.dir, "hash-object", "-w", "large")
	git(t, h.dir, "add", "large")
	small := git(t, h.dir, "rev-parse", h.commits[0]+":"+file)
	for _, form := range []string{"loose", "packed"} {
		repository, err := Open(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		for id, text := range map[string]string{id: large, small: text(0)} {
			size := int64(len(text))
			raw, err := repository.Object(id, size)
			if err != nil || raw.Check(id) != nil || string(raw.Data) != text {
				t.Errorf("%s, %d bytes: got %d, %v", form, size, len(raw.Data), err)
			}
			if _, err := repository.Object(id, size-1); err == nil || !strings.Contains(err.Error(), "at most") {
				t.Errorf("%s, %d bytes: got %v, expected a bound", form, size, err)
			}
		}
		git(t, h.dir, "repack", "-adq")
		git(t, h.dir, "prune-packed")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir := handMade(t)
	repository, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "main", "HEAD", "3f2a9c1", strings.Repeat("A", 40), strings.Repeat("0", 40), "../../../../../../../../../../etc/passwd"} {
		if _, err := repository.Object(id, 1); err == nil || errors.Is(err, gitobject.ErrMissing) {
			t.Errorf("%q: got %v, expected a refusal", id, err)
		}
	}
}

// handMade is a repository that no git binary made, with one blob.
func handMade(t testing.TB) string {
	t.Helper()
	dir := realTemp(t)
	write(t, filepath.Join(dir, ".git/HEAD"), "ref: refs/heads/main\n")
	store := filesystem.NewObjectStorage(dotgit.New(osfs.New(filepath.Join(dir, ".git"), osfs.WithBoundOS())), cache.NewObjectLRU(1))
	object := store.NewEncodedObject()
	object.SetType(plumbing.BlobObject)
	w, err := object.Writer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	if id, err := store.SetEncodedObject(object); err != nil || id.String() != hello {
		t.Fatalf("got %s, %v", id, err)
	}
	return dir
}

const hello = "ce013625030ba8dba906f756967f9e9ca394464a"

func TestWithoutGit(t *testing.T) {
	t.Parallel()
	repository, err := Open(handMade(t))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := repository.Object(hello, 1<<10)
	if err != nil || raw.Kind != gitobject.BlobKind || string(raw.Data) != "hello\n" || raw.Check(hello) != nil {
		t.Errorf("got %v, %v", raw, err)
	}
	if _, err := repository.Object(strings.Repeat("a", 40), 1<<10); !errors.Is(err, gitobject.ErrMissing) {
		t.Errorf("got %v, expected it to be missing", err)
	}
}

// TestNotARepository has folders that are none, and pointers that lead nowhere.
func TestNotARepository(t *testing.T) {
	t.Parallel()
	whole := handMade(t)
	for _, tc := range []struct {
		name, content string
		broken        bool // and not just no repository
	}{
		{name: "x/y"},
		{name: ".git/x"},
		{name: ".git/HEAD"},
		{name: ".git/objects/x"},
		{name: ".git", content: "gitdir: ../none\n"},
		{name: ".git", content: "gitdir: .\n"},
		{name: ".git", content: "", broken: true},
		{name: ".git", content: "gitdir:", broken: true},
		{name: ".git", content: "gitdir: \n", broken: true},
		{name: ".git", content: "GITDIR: " + whole + "/.git\n", broken: true},
		{name: ".git", content: "gitdir: a\ngitdir: b\n", broken: true},
		{name: ".git", content: "gitdir: " + strings.Repeat("x", maxPointerBytes), broken: true},
	} {
		dir := realTemp(t)
		write(t, filepath.Join(dir, tc.name), tc.content)
		_, err := Open(dir)
		if err == nil || errors.Is(err, ErrNoRepository) == tc.broken {
			t.Errorf("%s with %.40q: got %v", tc.name, tc.content, err)
		}
	}
	for _, ending := range []string{"", "\n", "\r\n"} {
		dir := realTemp(t)
		write(t, filepath.Join(dir, ".git"), "gitdir: "+whole+"/.git"+ending)
		if _, err := Open(dir); err != nil {
			t.Errorf("a pointer that ends with %q: %v", ending, err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := handMade(t)
	write(t, filepath.Join(dir, "a/b/c"), "")
	for _, at := range []string{"", "a", "a/b"} {
		found, err := Find(filepath.Join(dir, at))
		if err != nil || found.root != dir {
			t.Errorf("%q: got %v, %v", at, found, err)
		}
	}
	if _, err := Find(realTemp(t)); !errors.Is(err, ErrNoRepository) {
		t.Errorf("got %v, expected none", err)
	}
}
