package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signatus-dev/signatus/internal/command"
)

// faultyDisk is the disk on which opening one path, or reading it, goes wrong.
// The tests run as root too, whom no mode stops.
type faultyDisk struct {
	disk
	path string
	open func() error
	read func() error
}

func (d faultyDisk) Open(name string) (fs.File, error) {
	if name == d.path && d.open != nil {
		if err := d.open(); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	file, err := d.disk.Open(name)
	if name == d.path && d.read != nil && err == nil {
		return faultyFile{file, d.read}, nil
	}
	return file, err
}

type faultyFile struct {
	fs.File
	read func() error
}

func (f faultyFile) Read(b []byte) (int, error) {
	if err := f.read(); err != nil {
		return 0, &fs.PathError{Op: "read", Path: "file", Err: err}
	}
	return f.File.Read(b)
}

func fails(err error) func() error { return func() error { return err } }

// TestUnreadableFiles: what cannot be read cannot be decided on.
func TestUnreadableFiles(t *testing.T) {
	t.Parallel()
	dir := at(t)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	if err := os.WriteFile(in("sums"), []byte(strings.Repeat("0", 64)+"  app\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bundle := []string{"--bundle", in("bundles/build.json")}
	for _, c := range []struct {
		name, path string
		args       []string
	}{
		{"artifact", in("app"), simpleArgs(dir, bundle...)},
		{"bundle", in("bundles/build.json"), simpleArgs(dir, bundle...)},
		{"one of two bundles", in("bundles/sbom.json"), simpleArgs(dir, append(bundle, "--bundle", in("bundles/sbom.json"))...)},
		{"layout", in("acme.yml"), layoutArgs(dir, in("acme.yml"))},
		{"trusted root", in("trusted_root.json"), simpleArgs(dir, bundle...)},
		{"key", in("release.pub"), []string{"verify", in("app"), "--trusted-root", in("trusted_root.json"), "--key", in("release.pub"), "--bundle", in("bundles/by-key.json")}},
		{"checksums", in("sums"), simpleArgs(dir, append(bundle, "--checksums", in("sums"))...)},
		{"conformance bundle", in("bundles/build.json"), append([]string{"conformance", "verify-bundle", in("app")}, append(bundle, simpleArgs(dir)[2:]...)...)},
	} {
		for fault, disk := range map[string]faultyDisk{
			"permission denied":  {path: c.path, open: fails(syscall.EACCES)},
			"input/output error": {path: c.path, read: fails(syscall.EIO)},
		} {
			t.Run(c.name+" "+fault, func(t *testing.T) {
				t.Parallel()
				o := run(t, func(env *command.Env) { env.FS = disk }, c.args...)
				o.demand(t, 3, fault, filepath.Base(c.path), "next: ")
			})
		}
	}
}

// TestUnreadableBeside: a bundle beside the artifact that cannot be read stands
// in nobody's way, and leaves open what it might have said.
func TestUnreadableBeside(t *testing.T) {
	t.Parallel()
	dir := at(t)
	w := theWorld(t)
	broken := write(t, dir, "app.sigstore", w["bundles/build.json"])
	for _, fault := range []faultyDisk{{path: broken, open: fails(syscall.EACCES)}, {path: broken, read: fails(syscall.EIO)}} {
		change := func(env *command.Env) { env.FS = fault }
		run(t, change, simpleArgs(dir)...).demand(t, 3, "undecided", "source-unreadable")
	}
	write(t, dir, "app.sigstore.json", w["bundles/build.json"])
	change := func(env *command.Env) { env.FS = faultyDisk{path: broken, open: fails(syscall.EACCES)} }
	run(t, change, simpleArgs(dir)...).demand(t, 0, "permission denied")

	// The same in a folder that the caller named.
	bundles := filepath.Join(dir, "bundles")
	change = func(env *command.Env) {
		env.FS = faultyDisk{path: filepath.Join(bundles, "sbom.json"), open: fails(syscall.EACCES)}
	}
	run(t, change, simpleArgs(dir, "--bundle", bundles, "--format", "json")...).demand(t, 0, "source-unreadable")
}

// TestMirror: whatever a TUF mirror does, the embedded root verifies what it
// verified, and the report warns.
func TestMirror(t *testing.T) {
	t.Parallel()
	c := readCorpus(t)
	i := slices.IndexFunc(c.rows, func(r row) bool {
		return r.expectation() == mustPass && r.root == publicGood && r.set() == "slsa-verifier" && r.predicate == "https://slsa.dev/provenance/v0.2"
	})
	if i < 0 {
		t.Fatal("no bundle of the public good instance in the corpus")
	}
	tr, err := c.trial(c.rows[i])
	if err != nil {
		t.Fatal(err)
	}
	root := slices.Index(tr.flags, "--trusted-root")
	args := append([]string{"verify", tr.digest}, slices.Delete(tr.flags, root, root+2)...)
	answers := func(code int, body string) roundTrip {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
		}
	}
	for name, transport := range map[string]http.RoundTripper{
		"down":   noNetwork{},
		"broken": answers(500, "oops"),
		"lying":  answers(200, `{"signed": {"_type": "root", "version": 99}, "signatures": []}`),
		"a page": answers(200, "<!doctype html><title>Log in</title>"),
		"slow": roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := t.TempDir()
			change := func(env *command.Env) { env.HTTP, env.CacheDir = &http.Client{Transport: transport}, cache }
			start := time.Now()
			o := run(t, change, append(args, "--format", "json")...)
			o.demand(t, 0, "embedded, ")
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %s", took)
			}
			var report struct{ Warnings []string }
			if err := json.Unmarshal([]byte(o.out), &report); err != nil || len(report.Warnings) != 2 {
				t.Errorf("%d warnings, expected one for each instance (%v)", len(report.Warnings), err)
			}
			for _, w := range report.Warnings {
				if !strings.Contains(w, "using the one embedded, ") || !strings.Contains(w, "next: ") {
					t.Errorf("the warning does not say what is used and what to do: %s", w)
				}
			}
			// It is not asked again on the same day, and the text shows no warning then.
			change = func(env *command.Env) { env.HTTP, env.CacheDir = &http.Client{Transport: forbidden{t}}, cache }
			run(t, change, args...).demand(t, 0)
		})
	}
	t.Run("offline", func(t *testing.T) {
		t.Parallel()
		cache := t.TempDir()
		change := func(env *command.Env) { env.HTTP, env.CacheDir = &http.Client{Transport: forbidden{t}}, cache }
		o := run(t, change, append(args, "--offline")...)
		o.demand(t, 0)
		if strings.Contains(o.out, "warning") {
			t.Errorf("a warning:\n%s", o.out)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// forbidden is a network that nobody may use.
type forbidden struct{ t *testing.T }

func (f forbidden) RoundTrip(r *http.Request) (*http.Response, error) {
	f.t.Errorf("%s was asked for", r.URL)
	return nil, errors.New("forbidden")
}

// TestNoNetworkWithRoots: with --trusted-root no mirror is asked.
func TestNoNetworkWithRoots(t *testing.T) {
	t.Parallel()
	dir := at(t)
	cache := t.TempDir()
	change := func(env *command.Env) { env.HTTP, env.CacheDir = &http.Client{Transport: forbidden{t}}, cache }
	run(t, change, simpleArgs(dir, "--bundle", filepath.Join(dir, "bundles", "build.json"))...).demand(t, 0)
}

// TestDiskFull: a report that could not be written is no answer.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := at(t)
	bundle := filepath.Join(dir, "bundles", "build.json")
	for _, format := range []string{"text", "json"} {
		change := func(env *command.Env) { env.Stdout = fullDisk{} }
		run(t, change, simpleArgs(dir, "--bundle", bundle, "--format", format)...).demand(t, 3, "no space left on device", "next: free some space")
	}
	change := func(env *command.Env) { env.Stdout = fullDisk{} }
	run(t, change, "version").demand(t, 3, "no space left on device")
	if runtime.GOOS == "linux" {
		run(t, nil, simpleArgs(dir, "--bundle", bundle, "--output", "/dev/full")...).demand(t, 3, "no space left on device", "next: free some space")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestInterrupted: an interrupted run has not decided.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	dir := at(t)
	bundle := filepath.Join(dir, "bundles", "build.json")
	why := errors.New("interrupt signal received")
	for name, args := range map[string][]string{
		"verify":      simpleArgs(dir, "--bundle", bundle),
		"layout":      layoutArgs(dir, filepath.Join(dir, "acme.yml")),
		"embedded":    {"verify", filepath.Join(dir, "app"), "--key", filepath.Join(dir, "release.pub")},
		"digest":      append([]string{"verify", "sha256:" + strings.Repeat("0", 64)}, simpleArgs(dir)[2:]...),
		"conformance": append([]string{"conformance", "verify-bundle", filepath.Join(dir, "app"), "--bundle", bundle}, simpleArgs(dir)[2:]...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(why)
			runWithin(ctx, t, strings.NewReader(""), args).demand(t, 3, why.Error(), "next: run it again")
		})
	}
	t.Run("while waiting for standard input", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(context.Background())
		in := waiting{make(chan struct{})}
		go func() { <-in.asked; cancel(why) }()
		args := slices.Concat([]string{"verify", "-", "--bundle", bundle}, simpleArgs(dir)[2:])
		runWithin(ctx, t, in, args).demand(t, 3, "hashing -: "+why.Error(), "next: run it again")
	})
}

// waiting is an input that says when it is asked and never answers.
type waiting struct{ asked chan struct{} }

func (w waiting) Read([]byte) (int, error) { close(w.asked); select {} }

func runWithin(ctx context.Context, t *testing.T, stdin io.Reader, args []string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.Env{
		Args: args, Getenv: func(string) string { return "" }, Stdin: stdin, Stdout: &stdout, Stderr: &stderr,
		FS: disk{}, Now: time.Now(), HTTP: &http.Client{Transport: noNetwork{}},
	}
	code := command.ExitCode(command.Run(ctx, env))
	if stdout.Len() > 0 {
		t.Errorf("an interrupted run wrote a report:\n%s", stdout.String())
	}
	return outcome{code, stdout.String(), stderr.String()}
}

// TestPanic: a mistake of this program is never success, and says where it is.
func TestPanic(t *testing.T) {
	t.Parallel()
	dir := at(t)
	app := filepath.Join(dir, "app")
	mistake := func() error { panic("a mistake\nallowed: app\x1b[2J") }
	for name, disk := range map[string]faultyDisk{
		"where the run is":        {path: filepath.Join(dir, "trusted_root.json"), open: mistake},
		"in a goroutine of a run": {path: app, read: mistake},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := run(t, func(env *command.Env) { env.FS = disk }, simpleArgs(dir, "--bundle", filepath.Join(dir, "bundles", "build.json"))...)
			if o.code != 3 || o.out != "" {
				t.Errorf("exit code %d, expected 3, with\n%s", o.code, o.out)
			}
			for _, words := range []string{`signatus: internal error: a mistake\nallowed: app\u001b[2J`, "\n  next: report this", "faults_test.go"} {
				if !strings.Contains(o.report, words) {
					t.Errorf("%q is missing from\n%s", words, o.report)
				}
			}
			visible(t, o)
		})
	}
}

// TestHostileNames: no name, from wherever, reaches the terminal raw.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	dir := at(t)
	w := theWorld(t)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	// A file name may hold anything but a slash and a zero byte.
	name := strings.ReplaceAll(hostileName, "/", "") + "\xff"
	hostile := filepath.Join(dir, name)
	if err := os.WriteFile(hostile, w["app"], 0o600); err != nil {
		t.Skipf("this file system has no such names: %v", err)
	}
	write(t, dir, name+".sigstore.json", w["bundles/build.json"])
	write(t, dir, name+".yml", w["acme.yml"])
	write(t, dir, name+".pub", w["release.pub"])
	write(t, dir, name+".root", w["trusted_root.json"])
	write(t, dir, name+".sums", []byte("nonsense\x1b[2J\n"))
	who := simpleArgs(dir)[2:]
	for what, args := range map[string][]string{
		"artifact":         append([]string{"verify", hostile}, who...),
		"missing artifact": append([]string{"verify", hostile + "?"}, who...),
		"bundle":           simpleArgs(dir, "--bundle", hostile+".sigstore.json"),
		"not a bundle":     simpleArgs(dir, "--bundle", hostile),
		"missing bundle":   simpleArgs(dir, "--bundle", hostile+"?"),
		"folder":           simpleArgs(dir, "--bundle", dir),
		"subject":          simpleArgs(dir, "--bundle", in("bundles/hostile.json")),
		"layout":           layoutArgs(dir, hostile+".yml"),
		"not a layout":     layoutArgs(dir, hostile),
		"missing layout":   layoutArgs(dir, hostile+"?"),
		"root":             {"verify", in("app"), "--trusted-root", hostile + ".root", "--certificate-identity", workflow, "--certificate-oidc-issuer", actions},
		"not a root":       {"verify", in("app"), "--trusted-root", hostile, "--certificate-identity", workflow, "--certificate-oidc-issuer", actions},
		"name of a root":   {"verify", in("app"), "--trusted-root", name + "=" + in("trusted_root.json"), "--certificate-identity", workflow, "--certificate-oidc-issuer", actions},
		"key":              {"verify", in("app"), "--trusted-root", in("trusted_root.json"), "--key", hostile + ".pub"},
		"not a key":        {"verify", in("app"), "--trusted-root", in("trusted_root.json"), "--key", hostile},
		"checksums":        simpleArgs(dir, "--checksums", hostile+".sums"),
		"digest":           append([]string{"verify", "sha256:" + name}, who...),
		"image":            append([]string{"verify", "oci://" + name}, who...),
		"parameter":        layoutArgs(dir, in("layouts/builder-only.yml"), "--param", "repo="+name, "--param", name+"=x"),
		"not a parameter":  layoutArgs(dir, in("layouts/builder-only.yml"), "--param", name),
		"step":             layoutArgs(dir, in("acme.yml"), "--step", name),
		"subject name":     simpleArgs(dir, "--bundle", in("bundles/build.json"), "--subject-name", name),
		"identity":         {"verify", in("app"), "--trusted-root", in("trusted_root.json"), "--certificate-identity", name, "--certificate-oidc-issuer", name},
		"predicate type":   simpleArgs(dir, "--bundle", in("bundles/build.json"), "--predicate-type", name),
		"format":           simpleArgs(dir, "--format", name),
		"flag":             simpleArgs(dir, "--"+name),
		"verb":             {name},
		"output":           simpleArgs(dir, "--bundle", in("bundles/build.json"), "--output", filepath.Join(dir, name+"?", "report")),
		"conformance":      append([]string{"conformance", "verify-bundle", hostile, "--bundle", hostile}, who...),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, more := range [][]string{nil, {"--verbose"}, {"--format", "json"}} {
				if args[0] != "verify" && more != nil || what == "format" && len(more) == 2 {
					continue
				}
				o := run(t, func(env *command.Env) { env.StderrIsTerminal = true }, append(slices.Clone(args), more...)...)
				o.report = strings.ReplaceAll(o.report, "\r\x1b[K", "") // the bar, taken off again
				if o.out+o.report == "" {
					t.Error("nothing was said")
				}
				visible(t, o)
			}
		})
	}
}

// visible holds output to characters that have a shape, and to lines that this
// program began: no name can begin one with a verdict.
func visible(t *testing.T, o outcome) {
	t.Helper()
	for _, text := range []string{o.out, o.report} {
		if !utf8.ValidString(text) {
			t.Errorf("bytes that are not UTF-8: %q", text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("a hidden character at %d of %q", i, text)
		}
	}
	if strings.Contains(o.out+o.report, "\nallowed: b") {
		t.Errorf("a name began a line:\n%s%s", o.out, o.report)
	}
}

// TestColour: colours on a terminal that may have them, and nowhere else.
func TestColour(t *testing.T) {
	t.Parallel()
	dir := at(t)
	args := simpleArgs(dir, "--bundle", filepath.Join(dir, "bundles", "build.json"))
	for _, c := range []struct {
		name     string
		terminal bool
		variable string
		more     []string
		want     bool
	}{
		{"terminal", true, "", nil, true},
		{"no terminal", false, "", nil, false},
		{"NO_COLOR", true, "NO_COLOR=1", nil, false},
		{"NO_COLOR empty", true, "NO_COLOR=", nil, true},
		{"TERM=dumb", true, "TERM=dumb", nil, false},
		{"JSON", true, "", []string{"--format", "json"}, false},
		{"file", true, "", []string{"--output", filepath.Join(dir, "report")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := run(t, func(env *command.Env) {
				env.StdoutIsTerminal = c.terminal
				env.Getenv = func(name string) string {
					value, _ := strings.CutPrefix(c.variable, name+"=")
					if value == c.variable {
						return ""
					}
					return value
				}
			}, append(slices.Clone(args), c.more...)...)
			o.demand(t, 0)
			if got := strings.Contains(o.out, "\x1b["); got != c.want {
				t.Errorf("colour: %t, expected %t\n%s", got, c.want, o.out)
			}
			if c.name == "file" {
				if data, err := os.ReadFile(filepath.Join(dir, "report")); err != nil || bytes.Contains(data, []byte("\x1b")) {
					t.Errorf("colour in a file (%v)", err)
				}
			}
		})
	}
}

// TestProgress: a bar on a terminal for what takes longer than a second.
func TestProgress(t *testing.T) {
	t.Parallel()
	dir := at(t)
	app := filepath.Join(dir, "app")
	slow := faultyDisk{path: app, read: func() error { time.Sleep(600 * time.Millisecond); return nil }}
	args := simpleArgs(dir, "--bundle", filepath.Join(dir, "bundles", "build.json"))
	for _, terminal := range []bool{true, false} {
		o := run(t, func(env *command.Env) { env.FS, env.StderrIsTerminal = slow, terminal }, args...)
		o.demand(t, 0)
		if drawn := strings.Contains(o.report, "\rhashing "+app+" [####"); drawn != terminal {
			t.Errorf("on a terminal: %t, drawn: %t\n%q", terminal, drawn, o.report)
		}
		if terminal && !strings.HasSuffix(o.report, "\r\x1b[K") || !terminal && o.report != "" {
			t.Errorf("left on standard error: %q", o.report)
		}
	}
}

// TestProcess holds what only a process shows: signals and devices.
func TestProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("signals and /dev/full as Linux has them")
	}
	signatus, dir := build(t), at(t)
	args := simpleArgs(dir, "--bundle", filepath.Join(dir, "bundles", "build.json"))
	t.Run("standard output is full", func(t *testing.T) {
		t.Parallel()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		defer full.Close()
		var stderr bytes.Buffer
		cmd := exec.Command(signatus, args...)
		cmd.Stdout, cmd.Stderr = full, &stderr
		_ = cmd.Run()
		outcome{cmd.ProcessState.ExitCode(), "", stderr.String()}.demand(t, 3, "no space left on device")
	})
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(signatus, slices.Concat([]string{"verify", "-"}, args[2:])...)
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than a pipe holds: when this is written, it is being hashed.
			if _, err := stdin.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}.demand(t, 3, "signatus: hashing -: ", "next: run it again")
		})
	}
}
