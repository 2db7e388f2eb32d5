package gitremote_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/signatus-dev/signatus/internal/gitremote"
	"github.com/signatus-dev/signatus/internal/identity"
)

// environment is that of a git of nobody's settings.
func environment(dir string) []string {
	return append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") }),
		"HOME="+dir, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, environment(dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// served is a bare repository, and how it is reached.
type served struct {
	dir     string
	address string
	options gitremote.Options
}

// bare is a new one.
func bare(t testing.TB, config ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := filepath.Join(t.TempDir(), "app.git")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "--quiet", "--bare", "--initial-branch=main")
	for i := 0; i+1 < len(config); i += 2 {
		git(t, dir, "config", config[i], config[i+1])
	}
	return dir
}

// ways are those in which a remote can be reached, each with git's own server.
func ways() map[string]func(testing.TB) served {
	return map[string]func(testing.TB) served{"path": overPath, "http": overHTTP, "ssh": overSSH}
}

func overPath(t testing.TB) served {
	dir := bare(t)
	return served{dir: dir, address: dir}
}

const secret = "a-token-that-nobody-sees"

// overHTTP serves a repository as git http-backend does, to whom has the token.
func overHTTP(t testing.TB) served {
	dir := bare(t, "http.receivepack", "true")
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:  append(environment(dir), "GIT_PROJECT_ROOT="+filepath.Dir(dir), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=somebody"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return served{dir: dir, address: server.URL + "/app.git", options: gitremote.Options{HTTP: server.Client(), Agent: "signatus/test", Token: identity.NewToken(secret)}}
}

// overSSH serves a repository as an SSH server with git's programs does, to whose
// agent has the key.
func overSSH(t testing.TB) served {
	dir := bare(t)
	host, _ := sshKey(t)
	mine, private := sshKey(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(mine.PublicKey().Marshal()) {
			return nil, errors.New("a stranger")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go accept(listener, func(c net.Conn) { serveSSH(c, config, environment(dir)) })
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{listener.Addr().String()}, host.PublicKey()) + "\n"
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return served{dir: dir, address: "ssh://git@" + listener.Addr().String() + dir, options: gitremote.Options{SSHAgent: sshAgent(t, private), KnownHosts: []string{known}}}
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(connection)
	}
}

func sshKey(t testing.TB) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, private
}

// sshAgent holds a key behind a socket.
func sshAgent(t testing.TB, private ed25519.PrivateKey) string {
	t.Helper()
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go accept(listener, func(c net.Conn) { _ = agent.ServeAgent(ring, c); _ = c.Close() })
	return socket
}

// serveSSH runs the git services that one connection asks for.
func serveSSH(c net.Conn, config *ssh.ServerConfig, env []string) {
	defer c.Close()
	connection, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer connection.Close()
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		go serveSession(channel, requests, env)
	}
}

func serveSession(channel ssh.Channel, requests <-chan *ssh.Request, env []string) {
	defer channel.Close()
	for r := range requests {
		var run struct{ Command string }
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &run) != nil {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		cmd := exec.Command("sh", "-c", run.Command)
		cmd.Env, cmd.Stdout = env, channel
		stdin, err := cmd.StdinPipe()
		if err != nil || cmd.Start() != nil {
			return
		}
		go func() { _, _ = io.Copy(stdin, channel); _ = stdin.Close() }()
		status := byte(0)
		if cmd.Wait() != nil {
			status = 1
		}
		_, _ = channel.SendRequest("exit-status", false, []byte{0, 0, 0, status})
		return
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func line(n int) []byte { return fmt.Appendf(nil, `{"line":%d}`, n) }
