package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Bounds of refs, in bytes, and of how refs may name one another and how many
// objects may share a prefix.
const (
	maxPackedRefs = 64 << 20
	maxSymbolic   = 5
	maxSharing    = 64
)

// ErrExpression says that a revision is no name, but something like HEAD~1.
var ErrExpression = errors.New("expected HEAD, a branch, a tag or a commit's id")

// ErrUnborn says that HEAD is a branch without a commit.
var ErrUnborn = errors.New("the branch has no commit yet")

// Commit is a commit of a repository. Its bytes hash to its name.
type Commit struct {
	ID   string // 40 lower-case hex digits
	Tree string // the name of its root tree
	// Ref is the branch or tag that it was named by, in full, as others may know
	// it: refs/heads/main. It is ID where there is none: a detached HEAD, an id, a
	// branch of a remote.
	Ref string
}

// Subject is what an author's word on the commit is about.
func (c Commit) Subject(repository artifact.Name) (artifact.Subject, error) {
	return artifact.GitCommitSubject(repository, c.Ref, c.ID, c.Tree)
}

// Commit resolves HEAD, a branch, a tag, the full name of a ref, the id of a
// commit or of a tag, or the beginning of one, of at least four digits. Tags are
// followed to their commit. What could mean two commits is an error: git warns,
// and takes one. Expressions such as HEAD~1 are not read.
//
// An unborn branch is [ErrUnborn]; a commit that a shallow clone lacks is a
// [gitobject.MissingError].
func (r *Repository) Commit(rev string) (Commit, error) {
	found, err := r.resolve(rev)
	if err != nil {
		return Commit{}, fmt.Errorf("resolving %.80q: %w", rev, err)
	}
	return found, nil
}

func (r *Repository) resolve(rev string) (Commit, error) {
	switch {
	case rev == "":
		return Commit{}, errors.New("it is empty; is a variable unset?")
	case gitobject.ValidID(strings.ToLower(rev)):
		return r.read(strings.ToLower(rev), "")
	case exists(filepath.Join(r.common, "reftable")):
		return Commit{}, errors.New("the repository keeps its refs in a reftable, which this version cannot read; next: give the commit's full id, as `git rev-parse` says it")
	case rev == "HEAD":
		return r.head()
	case !validRef(rev):
		return Commit{}, fmt.Errorf("%w; next: give what git says of it: --commit \"$(git rev-parse %s)\"", ErrExpression, quoted(rev))
	}
	var found []Commit
	for _, name := range []string{rev, "refs/" + rev, "refs/tags/" + rev, "refs/heads/" + rev, "refs/remotes/" + rev} {
		c, err := r.named(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Commit{}, err
		}
		found = append(found, c)
	}
	abbreviated, err := r.abbreviated(rev)
	if err != nil {
		return Commit{}, err
	}
	found = append(found, abbreviated...)
	if len(found) == 0 {
		return Commit{}, r.unknown()
	}
	for _, other := range found[1:] {
		if other.ID != found[0].ID {
			return Commit{}, fmt.Errorf("it means %s (%.12s) as well as %s (%.12s); next: give the ref's full name or the commit's full id", found[0].Ref, found[0].ID, other.Ref, other.ID)
		}
	}
	return found[0], nil
}

// quoted is a revision as a shell takes it.
func quoted(rev string) string { return "'" + strings.ReplaceAll(rev, "'", `'\''`) + "'" }

func (r *Repository) unknown() error {
	if exists(filepath.Join(r.common, "shallow")) {
		return errors.New("there is no such branch, tag or commit in this shallow clone; next: git fetch --unshallow --tags origin")
	}
	return errors.New("there is no such branch, tag or commit; next: git fetch --tags origin")
}

// head resolves HEAD, which is this worktree's own.
func (r *Repository) head() (Commit, error) {
	target, id, err := readRef(filepath.Join(r.gitDir, "HEAD"))
	if err != nil {
		return Commit{}, err
	}
	if id != "" {
		return r.read(id, "")
	}
	c, err := r.named(target)
	if errors.Is(err, fs.ErrNotExist) {
		return Commit{}, fmt.Errorf("HEAD is %s: %w; next: commit first", target, ErrUnborn)
	}
	return c, err
}

// named resolves a ref by its full name; [fs.ErrNotExist] where there is none.
func (r *Repository) named(name string) (Commit, error) {
	id, err := r.ref(name)
	if err != nil {
		return Commit{}, err
	}
	if strings.HasPrefix(name, "refs/remotes/") {
		name = ""
	}
	return r.read(id, name)
}

// ref gives what a ref names, through symbolic refs.
func (r *Repository) ref(name string) (string, error) {
	for range maxSymbolic {
		if !strings.HasPrefix(name, "refs/") || !validRef(name) {
			return "", fs.ErrNotExist
		}
		target, id, err := readRef(filepath.Join(r.folderOf(name), filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist) && r.folderOf(name) == r.common:
			return r.packed(name)
		case err != nil:
			return "", err
		case id != "":
			return id, nil
		}
		name = target
	}
	return "", fmt.Errorf("following %s: more than %d symbolic refs", name, maxSymbolic)
}

// folderOf is where a ref is kept.
//
// "refs/bisect, refs/rewritten and refs/worktree are not shared" (git-worktree(1))
func (r *Repository) folderOf(ref string) string {
	for _, own := range []string{"refs/bisect/", "refs/rewritten/", "refs/worktree/"} {
		if strings.HasPrefix(ref, own) {
			return r.gitDir
		}
	}
	return r.common
}

// readRef reads a loose ref: "ref: " and another one's name, or an id. A folder is
// none.
func readRef(path string) (target, id string, err error) {
	text, err := readSmall(path)
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return "", "", fs.ErrNotExist
	}
	if err != nil {
		return "", "", err
	}
	text = strings.TrimRight(text, "\r\n")
	if target, ok := strings.CutPrefix(text, "ref: "); ok && strings.HasPrefix(target, "refs/") && validRef(target) {
		return target, "", nil
	}
	if gitobject.ValidID(text) {
		return "", text, nil
	}
	return "", "", fmt.Errorf("reading %s: it holds neither an object's name nor that of a ref", path)
}

// packed looks a ref up in packed-refs: on each line an id, a space and a name; a
// line with "^" is about the one before it, and "#" opens a comment.
func (r *Repository) packed(name string) (string, error) {
	text, err := readBounded(filepath.Join(r.common, "packed-refs"), maxPackedRefs)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		id, ref, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !ok || ref != name || strings.HasPrefix(line, "#") {
			continue
		}
		if !gitobject.ValidID(id) {
			return "", fmt.Errorf("reading packed-refs: %s names %.80q, expected an object's name", name, id)
		}
		return id, nil
	}
	return "", fs.ErrNotExist
}

// abbreviated finds the commits and tags whose ids begin with rev.
//
// "at least the first 4 characters" (gitrevisions; core.abbrev's minimum)
func (r *Repository) abbreviated(rev string) ([]Commit, error) {
	prefix := strings.ToLower(rev)
	if len(prefix) < 4 || len(prefix) >= r.digits || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil, nil
	}
	var ids []string
	for _, s := range r.stores {
		beginning, err := s.beginning(prefix[:len(prefix)/2*2])
		if err != nil {
			return nil, fmt.Errorf("listing objects: %w", err)
		}
		for _, id := range beginning {
			if strings.HasPrefix(id, prefix) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > maxSharing {
		return nil, fmt.Errorf("%d objects' ids begin so; next: give more digits", len(ids))
	}
	var found []Commit
	for _, id := range ids {
		kind, err := r.kind(id)
		if err != nil {
			return nil, err
		}
		if len(ids) > 1 && (kind == gitobject.TreeKind || kind == gitobject.BlobKind) {
			continue // as git does where a commit is asked for
		}
		c, err := r.read(id, "")
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// kind tells what an object says it is, without reading it.
func (r *Repository) kind(id string) (gitobject.Kind, error) {
	for _, s := range r.stores {
		kind, err := s.kind(id)
		if errors.Is(err, gitobject.ErrMissing) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("reading object %s: %w", id, err)
		}
		return kind, nil
	}
	return "", fmt.Errorf("looking for object %s: %w", id, gitobject.ErrMissing)
}

// read reads the commit that an id stands for. Without a ref, it is known by its id.
func (r *Repository) read(id, ref string) (Commit, error) {
	name, c, err := gitobject.ReadCommit(r.Object, id)
	if missing, ok := errors.AsType[*gitobject.MissingError](err); ok {
		return Commit{}, fmt.Errorf("%w; next: %s", err, missing.Next())
	}
	if err != nil {
		return Commit{}, err
	}
	if ref == "" {
		ref = name
	}
	return Commit{ID: name, Tree: c.Tree, Ref: ref}, nil
}

// validRef tells whether git allows a name for a ref, or for what follows
// refs/heads/.
// Source: git-check-ref-format(1)
func validRef(name string) bool {
	if name == "@" || strings.HasSuffix(name, ".") || strings.Contains(name, "..") || strings.Contains(name, "@{") ||
		strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}
