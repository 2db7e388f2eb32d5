package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitremote"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/report"
)

// Where a commit's bundle is kept.
const (
	storeFile  = "file"
	storeNotes = "notes"
)

// noteFlags say whether a commit's bundle is kept in its repository, and where it is
// sent from there.
type noteFlags struct {
	store string
	push  string
	token string
}

func (f *noteFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.store, "store", storeFile, "keep a commit's bundle in a file, or as a line of its git note in "+gitnotes.Ref+": `file|notes`")
	flags.StringVar(&f.push, "push", "", "push the notes to `REMOTE`, a name or a URL, written --push=REMOTE; goes with --store notes")
	flags.Lookup("push").NoOptDefVal = "origin"
	flags.StringVar(&f.token, "push-token", "", "push over https with the token in `FILE` (default: GITHUB_TOKEN, at GitHub alone)")
}

// asked tells whether the bundle goes into the notes.
func (f *noteFlags) asked() bool { return f.store == storeNotes }

func (f *noteFlags) check() error {
	switch {
	case f.store != storeFile && f.store != storeNotes:
		return usage("write --store notes or --store file", "--store %s: a bundle is kept in a file or in the notes", f.store)
	case f.push != "" && !f.asked():
		return usage("add --store notes", "--push sends the notes of a repository, and goes with --store notes")
	case f.token != "" && f.push == "":
		return usage("add --push", "--push-token goes with --push")
	}
	return nil
}

// maxTokenFile bounds the file of a token, in bytes.
const maxTokenFile = 64 << 10

// commitNote is a commit's note.
type commitNote struct {
	notes  evidence.Notes
	commit string
}

// notable tells whether the notes can be written, before anybody is asked to sign.
func notable(plan []planned) error {
	for _, p := range plan {
		if err := p.place.note.notes.Check(); err != nil {
			return undecided("leave --store out and keep the bundle in a file", err)
		}
	}
	return nil
}

func (n *commitNote) write(ctx context.Context, bundles [][]byte) error {
	return n.notes.Add(ctx, n.commit, bundles...)
}

func (n *commitNote) read() evidence.Found {
	return evidence.OpenGit(n.notes.Repository, n.notes.Repository.Folder()).Commits([]string{n.commit})
}

// remote prepares to push, so that what is wrong with it is said before anybody signs.
func (f *noteFlags) remote(env Env, repository *gitrepo.Repository) (*pushing, error) {
	if f.push == "" {
		return nil, nil
	}
	address := f.push
	if !strings.ContainsAny(address, `:/\`) && address != "." && address != ".." { // a name
		var err error
		if _, address, err = repository.Remote(address); err != nil {
			return nil, undecided("name a remote of the repository, or its URL: --push=URL", err)
		}
	}
	token, err := f.pushToken(env, address)
	if err != nil {
		return nil, err
	}
	home := cmp.Or(env.Getenv("HOME"), env.Getenv("USERPROFILE"))
	remote, err := gitremote.Open(repository, address, gitremote.Options{
		HTTP: env.HTTP, Agent: "signatus/" + env.Version, Token: token, SSHAgent: env.Getenv("SSH_AUTH_SOCK"),
		KnownHosts: []string{filepath.Join(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"},
	})
	if err != nil {
		return nil, undecided("name a remote of the repository, or its URL: --push=URL", err)
	}
	return &pushing{notes: evidence.Notes{Repository: repository, Now: env.Now}, remote: remote, name: withoutPassword(f.push)}, nil
}

// withoutPassword is the name of a remote, or its URL, as it may be shown.
func withoutPassword(remote string) string {
	if u, err := url.Parse(remote); err == nil && u.User != nil {
		return u.Redacted()
	}
	return remote
}

// pushToken is that of --push-token, for whichever host; or else a job's own, for the
// host that gave it and no other.
func (f *noteFlags) pushToken(env Env, address string) (identity.Token, error) {
	if f.token != "" {
		data, err := evidence.Read(env.FS, f.token, maxTokenFile)
		if err != nil {
			return identity.Token{}, undecided("give a file that holds the token", fmt.Errorf("reading the file of --push-token: %w", err))
		}
		token := identity.NewToken(strings.TrimSpace(string(data)))
		if token.IsZero() {
			return identity.Token{}, undecided("give a file that holds the token", errors.New("the file of --push-token is empty"))
		}
		return token, env.mask(token)
	}
	server := strings.TrimSuffix(cmp.Or(env.Getenv("GITHUB_SERVER_URL"), "https://github.com"), "/")
	if !strings.HasPrefix(address, server+"/") {
		return identity.Token{}, nil
	}
	return identity.NewToken(env.Getenv("GITHUB_TOKEN")), nil
}

// pushing sends the notes to a remote; nil for none.
type pushing struct {
	notes  evidence.Notes
	remote gitremote.Remote
	name   string
}

// send pushes the notes, and says so. What was written stays, whatever becomes of it.
func (p *pushing) send(ctx context.Context, doc *report.Signed) error {
	if p == nil {
		return nil
	}
	merged, err := p.notes.Push(ctx, p.remote)
	if err != nil {
		later := "git push " + shell(p.name) + " " + gitnotes.Ref
		if e, ok := errors.AsType[*gitremote.Error](err); ok && e.Next != "" {
			e.Next += ", then run  " + later
		}
		return undecided("run  "+later, fmt.Errorf("the bundle is signed and in the repository's notes, but not pushed; %w", err))
	}
	said := gitnotes.Ref + " is pushed to " + p.name
	if merged {
		said += ", united with what others had pushed"
	}
	doc.Notes = append(doc.Notes, said)
	return nil
}
