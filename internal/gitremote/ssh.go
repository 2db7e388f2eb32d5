package gitremote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// sshTo reaches a server over ssh, with the keys of an agent, and no server whose key
// is not known.
func sshTo(at address, o Options) (func(context.Context, service) (session, error), error) {
	path := at.url.Path
	if strings.HasPrefix(path, "/~") {
		path = path[1:] // a home folder there
	}
	switch {
	case strings.HasPrefix(path, "-"):
		return nil, fmt.Errorf("the path %.80q would be read as an option", path)
	case o.SSHAgent == "":
		return nil, errors.New("no SSH agent is running (SSH_AUTH_SOCK is empty); next: start one and add a key with ssh-add, or use https")
	}
	hosts := existing(o.KnownHosts)
	if len(hosts) == 0 {
		return nil, errors.New("no host key is known; next: connect to the host once with ssh, which keeps its key in .ssh/known_hosts")
	}
	known, err := knownhosts.New(hosts...)
	if err != nil {
		return nil, fmt.Errorf("reading known hosts: %w", err)
	}
	host := net.JoinHostPort(at.url.Hostname(), or(at.url.Port(), "22"))
	return func(ctx context.Context, s service) (session, error) {
		return (&overSSH{host: host, user: or(at.url.User.Username(), "git"), known: known, socket: o.SSHAgent}).open(ctx, s, path)
	}, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func existing(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool {
		info, err := os.Stat(f)
		return err != nil || !info.Mode().IsRegular()
	})
}

// overSSH is a conversation with one program on the other side.
type overSSH struct {
	host, user, socket string
	known              ssh.HostKeyCallback

	closers []io.Closer
	stdin   io.WriteCloser
	stdout  io.Reader
	stop    func() bool
}

func (c *overSSH) open(ctx context.Context, s service, path string) (session, error) {
	if err := c.start(ctx, s, path); err != nil {
		c.hangUp()
		return nil, err
	}
	return c, nil
}

func (c *overSSH) start(ctx context.Context, s service, path string) error {
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "unix", c.socket)
	if err != nil {
		return fmt.Errorf("asking the SSH agent: %w", err)
	}
	c.closers = append(c.closers, socket)
	plain, err := dialer.DialContext(ctx, "tcp", c.host)
	if err != nil {
		return &Error{Err: err, Next: "try again when it can be reached"}
	}
	c.closers = append(c.closers, plain)
	c.stop = context.AfterFunc(ctx, func() { _ = plain.Close() })
	config := &ssh.ClientConfig{
		User: c.user, HostKeyCallback: c.known, HostKeyAlgorithms: c.algorithms(plain.RemoteAddr()),
		Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(socket).Signers)},
	}
	connection, channels, requests, err := ssh.NewClientConn(plain, c.host, config)
	if err != nil {
		return explainSSH(err)
	}
	client := ssh.NewClient(connection, channels, requests)
	c.closers = append(c.closers, client)
	run, err := client.NewSession()
	if err != nil {
		return err
	}
	c.closers = append(c.closers, run)
	if c.stdin, err = run.StdinPipe(); err != nil {
		return err
	}
	if c.stdout, err = run.StdoutPipe(); err != nil {
		return err
	}
	return run.Start(string(s) + " " + quoted(path))
}

// quoted is a path for the shell of a git server, as git writes it.
func quoted(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}

// algorithms are those of the keys that are known of the host: it would else offer
// another key of its own first, and look like a stranger. Without any, nothing is
// asked for, and the callback refuses.
func (c *overSSH) algorithms(remote net.Addr) (names []string) {
	var unlike *knownhosts.KeyError
	if err := c.known(c.host, remote, noKey{}); !errors.As(err, &unlike) {
		return nil
	}
	for _, known := range unlike.Want {
		name := known.Key.Type()
		if name == ssh.KeyAlgoRSA {
			names = append(names, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			continue
		}
		names = append(names, name)
	}
	return names
}

// noKey is the key of no host.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("it is the key of no host") }

func explainSSH(err error) error {
	var unlike *knownhosts.KeyError
	switch {
	case errors.As(err, &unlike) && len(unlike.Want) > 0:
		return &Error{Err: errors.New("its host key is not the one that is known: somebody may stand in between"), Next: "find out from its operator which key is right"}
	case errors.As(err, &unlike):
		return &Error{Err: errors.New("its host key is not known"), Next: "connect to it once with ssh, and compare the key's fingerprint"}
	case strings.Contains(err.Error(), "unable to authenticate"):
		return &Error{Err: errors.New("it lets in none of the keys of the SSH agent"), Next: "add the right key with ssh-add"}
	}
	return err
}

func (c *overSSH) advertisement() io.Reader { return c.stdout }

func (c *overSSH) ask(request []byte) (io.Reader, error) {
	if _, err := c.stdin.Write(request); err != nil {
		return nil, err
	}
	return c.stdout, c.stdin.Close()
}

// hangUp closes what was opened last first. A service that was asked nothing wants a
// flush to end without complaint.
func (c *overSSH) hangUp() {
	if c.stdin != nil {
		_, _ = io.WriteString(c.stdin, flush)
		_ = c.stdin.Close()
	}
	for _, closer := range slices.Backward(c.closers) {
		_ = closer.Close()
	}
	if c.stop != nil {
		c.stop()
	}
}
