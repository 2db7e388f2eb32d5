package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// liar is a repository that says whatever a test wants.
type liar struct {
	objects map[string]gitobject.Raw
	refs    map[string]string
	refErr  error
	tags    []gitrepo.Tag
	tagErr  error
}

func (l *liar) Ref(name string) (string, error) {
	if l.refErr != nil {
		return "", l.refErr
	}
	if id, ok := l.refs[name]; ok {
		return id, nil
	}
	return "", fs.ErrNotExist
}

func (l *liar) Object(id string, _ int64) (gitobject.Raw, error) {
	if raw, ok := l.objects[id]; ok {
		return raw, nil
	}
	return gitobject.Raw{}, gitobject.ErrMissing
}

func (l *liar) Tags([]string) ([]gitrepo.Tag, error) { return l.tags, l.tagErr }

func (l *liar) write(raw gitobject.Raw) (string, error) {
	id, err := raw.ID(40)
	l.objects[id] = raw
	return id, err
}

func (l *liar) put(t *testing.T, kind gitobject.Kind, data string) string {
	t.Helper()
	id, err := l.write(gitobject.Raw{Kind: kind, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const (
	commit = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	people = "author A <a@example.com> 1700000000 +0000\ncommitter A <a@example.com> 1700000000 +0000\n"
)

// noted is a repository in which a text is noted of the commit.
func noted(t *testing.T, text string, mode gitobject.Mode) *liar {
	t.Helper()
	l := &liar{objects: map[string]gitobject.Raw{}, refs: map[string]string{}}
	tree, err := gitobject.EncodeTree([]gitobject.Entry{{Mode: mode, Name: commit, ID: l.put(t, gitobject.BlobKind, text)}}, 40)
	if err != nil {
		t.Fatal(err)
	}
	l.refs[gitnotes.Ref] = l.put(t, gitobject.CommitKind, "tree "+l.put(t, gitobject.TreeKind, string(tree))+"\n"+people+"\nnotes\n")
	return l
}

// TestNotesAreBelievedNoMore reads notes of all sorts: what is a candidate, what is
// refused and why, and where it was looked.
func TestNotesAreBelievedNoMore(t *testing.T) {
	t.Parallel()
	const bundle = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`
	other := strings.Replace(bundle, `"x"`, `"y"`, 1)
	for name, row := range map[string]struct {
		text       string
		mode       gitobject.Mode
		change     func(*liar)
		candidates int
		refused    []verdict.ID
		looked     string
	}{
		"one bundle":       {text: bundle + "\n", candidates: 1, looked: gitnotes.Ref + " of " + commit + " in clone"},
		"without an end":   {text: bundle, candidates: 1, looked: gitnotes.Ref + " of " + commit + " in clone"},
		"two":              {text: bundle + "\n" + other + "\n", candidates: 2},
		"with blank lines": {text: "\n" + bundle + "\n\n\n" + other + "\n", candidates: 2},
		"with prose":       {text: bundle + "\nreviewed by hand\n" + other + "\n", candidates: 2, refused: []verdict.ID{verdict.BundleMalformed}},
		"with a half":      {text: bundle[:80] + "\n" + other + "\n", candidates: 1, refused: []verdict.ID{verdict.BundleMalformed}},
		"prose alone":      {text: "reviewed by hand\n", refused: []verdict.ID{verdict.BundleMalformed}},
		"empty":            {text: "", refused: []verdict.ID{verdict.BundleMalformed}},
		"zero bytes":       {text: "\x00\x00\n" + bundle, candidates: 1, refused: []verdict.ID{verdict.BundleMalformed}},
		"a symbolic link":  {text: bundle, mode: gitobject.Symlink, refused: []verdict.ID{verdict.SourceUnreadable}},
		"a submodule":      {text: bundle, mode: gitobject.Submodule, refused: []verdict.ID{verdict.SourceUnreadable}},
		"other bytes": {text: bundle, refused: []verdict.ID{verdict.SourceUnreadable}, change: func(l *liar) {
			for id, raw := range l.objects {
				if raw.Kind == gitobject.BlobKind {
					l.objects[id] = gitobject.Raw{Kind: gitobject.BlobKind, Data: []byte(other)}
				}
			}
		}},
		"other trees": {text: bundle, refused: []verdict.ID{verdict.SourceUnreadable}, change: func(l *liar) {
			for id, raw := range l.objects {
				if raw.Kind == gitobject.TreeKind {
					l.objects[id] = gitobject.Raw{Kind: gitobject.TreeKind}
				}
			}
		}},
		"another commit": {text: bundle, refused: []verdict.ID{verdict.SourceUnreadable}, change: func(l *liar) { l.objects[l.refs[gitnotes.Ref]] = gitobject.Raw{Kind: gitobject.CommitKind} }},
		"no commit":      {text: bundle, refused: []verdict.ID{verdict.SourceUnreadable}, change: func(l *liar) { delete(l.objects, l.refs[gitnotes.Ref]) }},
		"no ref":         {text: bundle, change: func(l *liar) { delete(l.refs, gitnotes.Ref) }, looked: gitnotes.Ref + " in clone"},
		"a broken ref":   {text: bundle, refused: []verdict.ID{verdict.SourceUnreadable}, change: func(l *liar) { l.refErr = errors.New("it is broken") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mode := row.mode
			if mode == "" {
				mode = gitobject.File
			}
			l := noted(t, row.text, mode)
			if row.change != nil {
				row.change(l)
			}
			found := OpenGit(l, "clone").Commits([]string{commit})
			var ids []verdict.ID
			for _, r := range found.Refused {
				ids = append(ids, r.Reason.ID)
				if !strings.Contains(r.Source, gitnotes.Ref) {
					t.Errorf("refused from %q", r.Source)
				}
			}
			if len(found.Candidates) != row.candidates || fmt.Sprint(ids) != fmt.Sprint(row.refused) {
				t.Errorf("%d candidates, refused %v; expected %d and %v", len(found.Candidates), ids, row.candidates, row.refused)
			}
			if row.looked != "" && (len(found.Looked) != 1 || found.Looked[0].Path != row.looked) {
				t.Errorf("looked in %+v, expected %s", found.Looked, row.looked)
			}
		})
	}
}

func TestCommitsBound(t *testing.T) {
	t.Parallel()
	l := noted(t, "{}", gitobject.File)
	ids := make([]string, MaxCommits+5)
	for n := range ids {
		ids[n] = fmt.Sprintf("%040x", n+1)
	}
	ids[MaxCommits-1] = commit
	g := OpenGit(l, "clone")
	found := g.Commits(ids)
	if n := len(found.Looked); n != MaxCommits+1 || found.Looked[n-1].Path != "not looked in: the notes of 5 more commits that the bundles name" {
		t.Errorf("looked in %d places, the last of them %+v", n, found.Looked[n-1])
	}
	if len(found.Refused) != 1 {
		t.Errorf("the last that is looked for is not found: %v", found.Refused)
	}
	ids[MaxCommits-1], ids[MaxCommits] = ids[MaxCommits], commit
	if found := g.Commits(ids); len(found.Refused) != 0 {
		t.Error("one beyond the bound is looked for")
	}
	if found := g.Commits(nil); len(found.Looked) != 0 {
		t.Errorf("looked for nothing in %v", found.Looked)
	}
}

// TestObjects looks for own signatures, and believes none of them.
func TestObjects(t *testing.T) {
	t.Parallel()
	l := &liar{objects: map[string]gitobject.Raw{}}
	tree := l.put(t, gitobject.TreeKind, "")
	unsigned := l.put(t, gitobject.CommitKind, "tree "+tree+"\n"+people+"\nm\n")
	broken := l.put(t, gitobject.CommitKind, "tree "+tree+"\n"+people+"gpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n\nm\n")
	twice := l.put(t, gitobject.CommitKind, "tree "+tree+"\ntree "+tree+"\n"+people+"\nm\n")
	for name, row := range map[string]struct {
		ids     []string
		change  func(*liar)
		refused []verdict.ID
		lacking int
	}{
		"not signed":       {ids: []string{unsigned}},
		"a broken one":     {ids: []string{broken}, refused: []verdict.ID{verdict.SignatureInvalid}},
		"two tree headers": {ids: []string{twice}, refused: []verdict.ID{verdict.GitObjectMalformed}},
		"not here":         {ids: []string{commit, unsigned}, lacking: 1},
		"another object":   {ids: []string{unsigned}, change: func(l *liar) { l.objects[unsigned] = l.objects[broken] }, refused: []verdict.ID{verdict.SourceUnreadable}},
		"no commit":        {ids: []string{tree}},
		"unreadable tags":  {ids: []string{unsigned}, change: func(l *liar) { l.tagErr = errors.New("a reftable") }, refused: []verdict.ID{verdict.SourceUnreadable}},
		"a tag of another name": {ids: []string{unsigned}, refused: []verdict.ID{verdict.TagNameDiffers}, change: func(l *liar) {
			raw := gitobject.Raw{Kind: gitobject.TagKind, Data: []byte("object " + unsigned + "\ntype commit\ntag v1\ntagger A <a@example.com> 1700000000 +0000\n\nm\n-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n")}
			id, err := l.write(raw)
			if err != nil {
				t.Error(err)
			}
			l.tags = []gitrepo.Tag{{Ref: "refs/tags/v2", ID: id, Raw: raw}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := &liar{objects: map[string]gitobject.Raw{}}
			for id, raw := range l.objects {
				own.objects[id] = raw
			}
			if row.change != nil {
				row.change(own)
			}
			found, lacking := OpenGit(own, "clone").Objects(row.ids, nil)
			var ids []verdict.ID
			for _, r := range found.Refused {
				ids = append(ids, r.Reason.ID)
			}
			if len(found.Candidates) != 0 || fmt.Sprint(ids) != fmt.Sprint(row.refused) || len(lacking) != row.lacking {
				t.Errorf("%d candidates, refused %v, %d lacking; expected %v and %d", len(found.Candidates), ids, len(lacking), row.refused, row.lacking)
			}
		})
	}
}
