package evidence

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gittuf"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const wantedTree = "702d05f893b2a9fe650c17169466991fd2d6c2e0"

// authorised is a repository in which gittuf keeps a text about a change to the tree.
func authorised(t *testing.T, text string) *liar {
	t.Helper()
	l := &liar{objects: map[string]gitobject.Raw{}, refs: map[string]string{}}
	entry := gitobject.Entry{Mode: gitobject.File, Name: commit + "-" + wantedTree, ID: l.put(t, gitobject.BlobKind, text)}
	for _, name := range []string{"main", "heads", "refs", "reference-authorizations", ""} {
		tree, err := gitobject.EncodeTree([]gitobject.Entry{entry}, 40)
		if err != nil {
			t.Fatal(err)
		}
		entry = gitobject.Entry{Mode: gitobject.Folder, Name: name, ID: l.put(t, gitobject.TreeKind, string(tree))}
	}
	l.refs[gittuf.Ref] = l.put(t, gitobject.CommitKind, "tree "+entry.ID+"\n"+people+"\nUpdate attestations\n")
	return l
}

// TestChangesAreBelievedNoMore reads gittuf's ref: what is a candidate, what is refused
// and why, and where it was looked.
func TestChangesAreBelievedNoMore(t *testing.T) {
	t.Parallel()
	const envelope = `{"payload":"e30=","payloadType":"application/vnd.gittuf+json","signatures":[{"keyid":"x","sig":"AA=="}]}`
	for name, row := range map[string]struct {
		text       string
		change     func(*liar)
		targets    []string
		candidates int
		refused    []verdict.ID
		looked     string
	}{
		"one envelope":       {text: envelope, candidates: 1, looked: "1 false"},
		"of another tree":    {text: envelope, targets: []string{commit}, looked: "0 true"},
		"asked for nothing":  {text: envelope, targets: []string{}},
		"prose":              {text: "reviewed by hand", refused: []verdict.ID{verdict.BundleMalformed}, looked: "1 false"},
		"no ref":             {text: envelope, change: func(l *liar) { delete(l.refs, gittuf.Ref) }, looked: "0 true"},
		"a broken ref":       {text: envelope, change: func(l *liar) { l.refErr = errors.New("it is broken") }, refused: []verdict.ID{verdict.SourceUnreadable}, looked: "0 false"},
		"no commit":          {text: envelope, change: func(l *liar) { delete(l.objects, l.refs[gittuf.Ref]) }, refused: []verdict.ID{verdict.SourceUnreadable}, looked: "0 false"},
		"other bytes of all": {text: envelope, change: func(l *liar) { l.refs[gittuf.Ref] = wantedTree }, refused: []verdict.ID{verdict.SourceUnreadable}, looked: "0 false"},
		"another envelope": {text: envelope, refused: []verdict.ID{verdict.SourceUnreadable}, looked: "0 false", change: func(l *liar) {
			for id, raw := range l.objects {
				if raw.Kind == gitobject.BlobKind {
					l.objects[id] = gitobject.Raw{Kind: gitobject.BlobKind, Data: []byte(strings.Replace(envelope, "AA", "AQ", 1))}
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := authorised(t, row.text)
			if row.change != nil {
				row.change(l)
			}
			targets := row.targets
			if targets == nil {
				targets = []string{wantedTree}
			}
			g := OpenGit(l, "clone")
			found := g.Changes(targets)
			var ids []verdict.ID
			for _, r := range found.Refused {
				ids = append(ids, r.Reason.ID)
				if !strings.HasPrefix(r.Source, gittuf.Ref) || r.Reason.ID == verdict.SourceUnreadable && !strings.Contains(r.Reason.Next, FetchGittuf) {
					t.Errorf("refused from %q, next %q", r.Source, r.Reason.Next)
				}
			}
			if len(found.Candidates) != row.candidates || fmt.Sprint(ids) != fmt.Sprint(row.refused) {
				t.Errorf("%d candidates, refused %v; expected %d and %v", len(found.Candidates), ids, row.candidates, row.refused)
			}
			looked := ""
			for _, p := range found.Looked {
				looked = fmt.Sprint(p.Bundles, " ", p.Absent)
			}
			if len(found.Looked) > 1 || looked != row.looked {
				t.Errorf("looked in %+v, expected %s", found.Looked, row.looked)
			}
			if again := g.Changes(targets); len(again.Candidates) != len(found.Candidates) || len(again.Refused) != len(found.Refused) {
				t.Error("a second time it is another answer")
			}
		})
	}
}
