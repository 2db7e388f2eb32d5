package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asSandbox makes this test's program the sandbox itself.
const asSandbox = "TEST_AS_SANDBOX"

func TestMain(m *testing.M) {
	if os.Getenv(asSandbox) != "" {
		main() // exits
	}
	os.Exit(m.Run())
}

// program returns the sandbox as a command.
func program(ctx context.Context, arguments ...string) *exec.Cmd {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	command := exec.CommandContext(ctx, executable, arguments...)
	command.Env = append(os.Environ(), asSandbox+"=1", "SANDBOX="+executable)
	return command
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

func runSandbox(t *testing.T, arguments ...string) result {
	t.Helper()
	command := program(t.Context(), arguments...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	var failed *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// A command's exit code is the sandbox's own, and its output too.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		arguments []string
		code      int
		stdout    string // a pattern of all of it
		stderr    string
	}{
		"success":     {[]string{"run", "--", "true"}, 0, `^$`, `^$`},
		"exit code":   {[]string{"run", "--", "sh", "-c", "exit 7"}, 7, `^$`, `^$`},
		"output":      {[]string{"run", "--", "sh", "-c", "echo out; echo err >&2"}, 0, `^out\n$`, `^err\n$`},
		"signal":      {[]string{"run", "--", "sh", "-c", "kill -TERM $$"}, 128 + 15, `^$`, `^$`},
		"not found":   {[]string{"run", "--", "there-is-no-such-command"}, 127, `^$`, `^sandbox: running there-is-no-such-command: `},
		"cannot run":  {[]string{"run", "--", "/"}, 126, `^$`, `^sandbox: running /: `},
		"no command":  {[]string{"run"}, 125, `^$`, `^sandbox: requires at least 1 arg`},
		"bad claim":   {[]string{"run", "--claim", "repostory=x", "--", "true"}, 125, `^$`, `no claim "repostory"`},
		"half claim":  {[]string{"run", "--claim", "sha", "--", "true"}, 125, `^$`, `expected NAME=VALUE`},
		"claims":      {[]string{"run", "--claim", "sha=abc", "--claim", "ref=refs/tags/v=1", "--", "sh", "-c", "echo $GITHUB_SHA $GITHUB_REF"}, 0, `^abc refs/tags/v=1\n$`, `^$`},
		"own flags":   {[]string{"run", "echo", "--claim", "x"}, 0, `^--claim x\n$`, `^$`},
		"no id token": {[]string{"run", "--no-id-token", "--", "sh", "-c", "echo [$ACTIONS_ID_TOKEN_REQUEST_URL]"}, 0, `^\[\]\n$`, `^$`},
		"verbose":     {[]string{"run", "--verbose", "--", "true"}, 0, `^$`, `^sandbox: ready after \d+ ms\n$`},
		"check":       {[]string{"run", "--", "sh", "-c", `"$SANDBOX" check`}, 0, `^(✓ rekor v\d  signed in .*\n){4}$`, `^$`},
		"check v1":    {[]string{"run", "--rekor", "1", "--", "sh", "-c", `"$SANDBOX" check`}, 0, `^(✓ rekor v1  signed in .*\n){2}$`, `^$`},
		"token":       {[]string{"run", "--", "sh", "-c", `"$SANDBOX" token email --email bob@example.com`}, 0, `^ey[\w-]+\.ey[\w-]+\.[\w-]+\n$`, `^$`},
		"no sandbox":  {[]string{"token", "github"}, 1, `^$`, `no sandbox is named`},
		"no token":    {[]string{"run", "--", "sh", "-c", `"$SANDBOX" token passport`}, 1, `^$`, `invalid argument "passport"`},
		"fault": {[]string{"run", "--", "sh", "-c", `"$SANDBOX" fault rekor2 status --status 403; "$SANDBOX" check`}, 1,
			`^$`, `rekor v2, .*a fault of the sandbox: Forbidden`},
		"fault, cleared": {[]string{"run", "--", "sh", "-c", `"$SANDBOX" fault rekor2 down && "$SANDBOX" fault clear && "$SANDBOX" check`}, 0, `^✓`, `^$`},
		"no fault":       {[]string{"run", "--", "sh", "-c", `"$SANDBOX" fault rekor2 sad`}, 1, `^$`, `no mode is "sad"`},
		"login":          {[]string{"run", "--", "sh", "-c", `"$SANDBOX" login --email dave@example.com && "$SANDBOX" token email | cut -d. -f2 | tr _- /+ | base64 -d 2>/dev/null || true`}, 0, `dave@example\.com`, `^$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runSandbox(t, row.arguments...)
			if got.code != row.code || !regexp.MustCompile(row.stdout).MatchString(got.stdout) || !regexp.MustCompile(row.stderr).MatchString(got.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", got.code, row.code, got.stdout, got.stderr)
			}
		})
	}
}

// A signal goes to the command, and what the sandbox made is gone at the end.
func TestRunSignal(t *testing.T) {
	t.Parallel()
	command := program(t.Context(), "run", "--", "sh", "-c", `trap 'echo caught; exit 3' TERM; echo "$SIGNATUS_SANDBOX_DIR"; while :; do sleep 0.05; done`)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	dir := lines.Text()
	if _, err := os.Stat(filepath.Join(dir, "env")); err != nil {
		t.Error(err)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	lines.Scan()
	if lines.Text() != "caught" {
		t.Errorf("the command said %q", lines.Text())
	}
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
}

// startServing starts a sandbox that serves, and returns it with its folder.
func startServing(t *testing.T, arguments ...string) (*exec.Cmd, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sandbox")
	command := program(t.Context(), append([]string{"serve", "--dir", dir}, arguments...)...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if _, err := os.Stat(filepath.Join(dir, "env")); err == nil {
			return command, dir
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the sandbox does not become ready")
	return nil, ""
}

// A sandbox serves until a signal, or for the time that was said.
func TestServe(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		arguments []string
		signal    os.Signal
	}{
		"SIGTERM": {nil, syscall.SIGTERM},
		"SIGINT":  {nil, os.Interrupt},
		"time":    {[]string{"--for", "700ms"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command, dir := startServing(t, row.arguments...)
			if row.signal != nil {
				shell := exec.CommandContext(t.Context(), "sh", "-c", `. "$1/env" && "$SANDBOX" check`, "sh", dir)
				shell.Env = command.Env
				if output, err := shell.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, output)
				}
				if err := command.Process.Signal(row.signal); err != nil {
					t.Fatal(err)
				}
			}
			if err := command.Wait(); err != nil {
				t.Errorf("the sandbox ended with %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "env")); err == nil {
				t.Error("env still leads to the sandbox")
			}
			if got := runSandbox(t, "token", "github", "--dir", dir); got.code == 0 {
				t.Error("there still are tokens")
			}
		})
	}
	if got := runSandbox(t, "serve"); got.code == 0 || !strings.Contains(got.stderr, `"dir" not set`) {
		t.Errorf("without a folder: %+v", got)
	}
}

// Nothing listens but on loopback.
func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which sockets a process has")
	}
	command, _ := startServing(t)
	addresses := listening(t, command.Process.Pid)
	if len(addresses) != 8 {
		t.Errorf("listens at %v, want 8 addresses", addresses)
	}
	for _, address := range addresses {
		if !address.Addr().IsLoopback() {
			t.Errorf("listens at %v", address)
		}
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
}

// listening lists the TCP addresses at which the process listens (proc(5)).
func listening(t *testing.T, pid int) (addresses []netip.AddrPort) {
	t.Helper()
	own := make(map[string]bool)
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			own[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(content), "\n") {
			fields := strings.Fields(line)
			const listens = "0A"
			if len(fields) < 10 || fields[3] != listens || !own[fields[9]] {
				continue
			}
			addresses = append(addresses, parseAddress(t, fields[1]))
		}
	}
	return addresses
}

// parseAddress reads an address in the kernel's words, each in its own order
// of bytes.
func parseAddress(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	var bytes []byte
	for word := 0; word+8 <= len(host); word += 8 {
		for b := 6; b >= 0; b -= 2 {
			value, err := strconv.ParseUint(host[word+b:word+b+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			bytes = append(bytes, byte(value))
		}
	}
	address, _ := netip.AddrFromSlice(bytes)
	return netip.AddrPortFrom(address.Unmap(), uint16(number))
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0840":                         "0.0.0.0:2112",
		"00000000000000000000000001000000:0050": "[::1]:80",
	} {
		if diff := cmp.Diff(want, parseAddress(t, text).String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
