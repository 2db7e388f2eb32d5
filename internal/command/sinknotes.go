package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitnotes"
	"github.com/signatus-dev/signatus/internal/gitremote"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/report"
)

// maxTokenFile bounds the file of a token, in bytes.
const maxTokenFile = 64 << 10

// notesSink keeps a commit's bundle as a line of its note, and sends the notes on.
type notesSink struct {
	notes  evidence.Notes
	commit string
	remote *pushing // nil for nowhere
}

// openNotes prepares them, and to push, so that what is wrong with either is said before
// anybody signs.
func (f *storeFlags) openNotes(env Env, found foundSubjects) (sink, error) {
	notes := evidence.Notes{Repository: found.repository, Now: env.Now}
	remote, err := f.remote(env, found.repository)
	if err != nil {
		return nil, err
	}
	return &notesSink{notes: notes, commit: found.commit.ID, remote: remote}, nil
}

func (*notesSink) takes(planned) bool { return true }

func (n *notesSink) check(context.Context) error {
	if err := n.notes.Check(); err != nil {
		return undecided("leave --store notes out and keep the bundle in a file", err)
	}
	return nil
}

// put writes the note, reads it back and pushes it. What was written stays, whatever
// becomes of the push.
func (n *notesSink) put(ctx context.Context, bundles []made) (all []kept) {
	err := n.notes.Add(ctx, n.commit, contents(bundles)...)
	if err == nil {
		found := evidence.OpenGit(n.notes.Repository, n.notes.Repository.Folder()).Commits([]string{n.commit})
		err = among(found, gitnotes.Ref, bundles)
	}
	for _, m := range bundles {
		all = append(all, kept{Stored: report.Stored{Bundle: m.number, Sink: storeNotes, Where: gitnotes.Ref}, err: err})
	}
	if err != nil || n.remote == nil {
		return all
	}
	note, err := n.remote.send(ctx)
	all[0].note = note
	if err != nil {
		all = append(all, kept{Stored: report.Stored{Bundle: bundles[0].number, Sink: storeNotes, Where: gitnotes.Ref + " of " + n.remote.name}, err: err})
	}
	return all
}

// remote prepares to push, so that what is wrong with it is said before anybody signs.
func (f *storeFlags) remote(env Env, repository *gitrepo.Repository) (*pushing, error) {
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
func (f *storeFlags) pushToken(env Env, address string) (identity.Token, error) {
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

// pushing sends the notes to a remote.
type pushing struct {
	notes  evidence.Notes
	remote gitremote.Remote
	name   string
}

// send pushes the notes, and tells what came of it.
func (p *pushing) send(ctx context.Context) (said string, err error) {
	merged, err := p.notes.Push(ctx, p.remote)
	if err != nil {
		later := "git push " + shell(p.name) + " " + gitnotes.Ref
		if e, ok := errors.AsType[*gitremote.Error](err); ok && e.Next != "" {
			e.Next += ", then run  " + later
			return "", fmt.Errorf("pushing the notes: %w", err)
		}
		return "", fmt.Errorf("pushing the notes: %w; next: run  %s", err, later)
	}
	said = gitnotes.Ref + " is pushed to " + p.name
	if merged {
		said += ", united with what others had pushed"
	}
	return said, nil
}
