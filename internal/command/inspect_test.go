package command_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/command"
)

// classicWorld is a layout of in-toto 1.0 with inspections: its author wrote main.go,
// and its packager packed it into app.tar.
type classicWorld struct {
	inspect []attestationtest.ClassicInspection
}

// writeTo writes root.layout, owner.pem, the folder links, and in the folder work what
// was delivered.
func (w classicWorld) writeTo(dir string) error {
	var keys []*attestationtest.ClassicKey
	for _, name := range []string{"owner", "author", "packager"} {
		key, err := attestationtest.NewClassicKey("command", name, attestationtest.ClassicEd25519)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	owner, author, packager := keys[0], keys[1], keys[2]
	archive, err := tarball("main.go", "package main\n")
	if err != nil {
		return err
	}
	source, packed := map[string]string{"main.go": "package main\n"}, map[string]string{"app.tar": string(archive)}
	layout := attestationtest.ClassicLayout{
		Keys: []*attestationtest.ClassicKey{author, packager}, Inspect: w.inspect,
		Steps: []attestationtest.ClassicStep{
			{Name: "write", ExpectedProducts: []string{"CREATE *", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{author}},
			{Name: "pack", ExpectedMaterials: []string{"MATCH * WITH PRODUCTS FROM write", "DISALLOW *"}, ExpectedProducts: []string{"CREATE app.tar", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{packager}},
		},
	}
	files := map[string][]byte{"work/app.tar": archive, "work/README": []byte("read me\n")}
	if files["owner.pem"], err = owner.PEM(); err != nil {
		return err
	}
	for name, document := range map[string]struct {
		content any
		signer  *attestationtest.ClassicKey
	}{
		"root.layout": {layout.JSON(), owner},
		"links/" + attestationtest.ClassicLinkName("write", author):  {attestationtest.ClassicLink{Name: "write", Products: source}.JSON(), author},
		"links/" + attestationtest.ClassicLinkName("pack", packager): {attestationtest.ClassicLink{Name: "pack", Materials: source, Products: packed}.JSON(), packager},
	} {
		signed, err := attestationtest.SignClassic(attestationtest.ClassicRequest{
			Signed: attestationtest.EncodeClassic(document.content), Keys: []*attestationtest.ClassicKey{document.signer},
		})
		if err != nil {
			return err
		}
		files[name] = signed
	}
	return writeFiles(dir, files)
}

func writeFiles(dir string, files map[string][]byte) error {
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, content, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// tarball is an archive with one file.
func tarball(name, content string) ([]byte, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(content)); err != nil {
		return nil, err
	}
	err := w.Close()
	return archive.Bytes(), err
}

// unpacks is the usual inspection: unpack what was delivered, and compare.
func unpacks() attestationtest.ClassicInspection {
	return attestationtest.ClassicInspection{
		Name: "unpack", Run: []string{"tar", "xf", "app.tar"},
		ExpectedMaterials: []string{"MATCH app.tar WITH PRODUCTS FROM pack", "ALLOW README", "DISALLOW *"},
		ExpectedProducts:  []string{"MATCH app.tar WITH PRODUCTS FROM pack", "MATCH main.go WITH PRODUCTS FROM write", "ALLOW README", "DISALLOW *"},
	}
}

// lists is the same without a command.
func lists() attestationtest.ClassicInspection {
	return attestationtest.ClassicInspection{
		Name: "contents", Run: []string{"signatus:list", "app.tar"},
		ExpectedMaterials: []string{"MATCH app.tar WITH PRODUCTS FROM pack", "DISALLOW *"},
		ExpectedProducts:  []string{"MATCH * WITH PRODUCTS FROM write", "DISALLOW *"},
	}
}

// holds demands that the artifact in hand is what was packed.
func holds() attestationtest.ClassicInspection {
	return attestationtest.ClassicInspection{
		Name: "in-hand", Run: []string{"signatus:verify-artifact"},
		ExpectedMaterials: []string{"MATCH app.tar WITH PRODUCTS FROM pack", "DISALLOW *"},
	}
}

func runs(words ...string) attestationtest.ClassicInspection {
	return attestationtest.ClassicInspection{Name: "check", Run: words}
}

// TestInspections breaks one thing about an inspection at a time.
func TestInspections(t *testing.T) {
	t.Parallel()
	const allow = "--allow-inspections"
	repacked, err := tarball("main.go", "package evil\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		inspect []attestationtest.ClassicInspection
		change  func(dir string) error
		args    []string // ARTIFACT in them is relative to the folder work
		code    int
		words   []string
	}{
		"unpack":                {inspect: list(unpacks()), args: list(allow), code: 0, words: list("loosened", allow, `inspection unpack: ran ["tar" "xf" "app.tar"] in a scratch copy, exit code 0`)},
		"unpack, not allowed":   {inspect: list(unpacks()), code: 1, words: list("inspection-not-allowed", `["tar" "xf" "app.tar"]`, "read the command")},
		"list":                  {inspect: list(lists()), code: 0, words: list("inspection contents: signatus:list app.tar, which executes nothing")},
		"list, then unpack":     {inspect: list(lists(), unpacks()), args: list(allow), code: 0},
		"in hand":               {inspect: list(holds()), args: list("app.tar"), code: 0, words: list("inspection in-hand: signatus:verify-artifact")},
		"nothing in hand":       {inspect: list(holds()), code: 1, words: list("inspection-failed", "no artifact is in hand")},
		"something else":        {inspect: list(holds()), args: list("README"), code: 1, words: list("rule-disallow")},
		"one good, one not":     {inspect: list(holds()), args: list("app.tar", "README"), code: 1, words: list("allowed: ", "denied: ")},
		"one bad, one not":      {inspect: list(holds()), args: list("README", "app.tar"), code: 1, words: list("allowed: ", "denied: ")},
		"changed archive":       {inspect: list(lists()), change: replace("work/app.tar", string(repacked)), code: 1, words: list("match-failed")},
		"changed, unpacked":     {inspect: list(unpacks()), change: replace("work/app.tar", string(repacked)), args: list(allow), code: 1, words: list("match-failed")},
		"no archive":            {inspect: list(lists()), change: replace("work/app.tar", "none"), code: 1, words: list("inspection-failed", "cannot be listed")},
		"archive is gone":       {inspect: list(lists()), change: remove("work/app.tar"), code: 1, words: list("inspection-failed", "there is no file app.tar", "--inspection-dir")},
		"exit code":             {inspect: list(runs("sh", "-c", "echo so it is >&2; exit 3")), args: list(allow), code: 1, words: list("inspection-failed", "sh ended with exit code 3, expected 0; it said: so it is")},
		"only output":           {inspect: list(runs("sh", "-c", "echo that is that; exit 1")), args: list(allow), code: 1, words: list("it said: that is that")},
		"long output":           {inspect: list(runs("sh", "-c", "head -c 5000 /dev/zero | tr '\\0' x; exit 1")), args: list(allow), code: 1, words: list("it said: …xxx")},
		"hostile output":        {inspect: list(runs("sh", "-c", `printf '\033[2Jx\r\n::error::y' ; exit 1`)), args: list(allow), code: 1, words: list("it said: ")},
		"no program":            {inspect: list(runs("no-such-program")), args: list(allow), code: 1, words: list("inspection-failed", "there is no program no-such-program in the PATH")},
		"unknown built-in":      {inspect: list(runs("signatus:run", "sh")), args: list(allow), code: 1, words: list("inspection-failed", "no built-in inspection of this version")},
		"time":                  {inspect: list(runs("sleep", "60")), args: list(allow, "--inspection-timeout", "100ms"), code: 1, words: list("inspection-failed", "sleep did not end within 100ms", "--inspection-timeout")},
		"in time":               {inspect: list(runs("sleep", "0.1")), args: list(allow, "--inspection-timeout", "5m"), code: 0},
		"no token":              {inspect: list(runs("sh", "-c", `test -z "$GITHUB_TOKEN"`)), args: list(allow), code: 0},
		"folder out of reach":   {inspect: list(runs("true")), change: link("work/out", "/etc"), args: list(allow), code: 3, words: list("out: it is a link that leads out", "--inspection-dir")},
		"folder is gone":        {inspect: list(runs("true")), change: remove("work"), args: list(allow), code: 3, words: list("--inspection-dir")},
		"folder of the command": {inspect: list(runs("sh", "-c", "rm -r * && ln -s / out")), args: list(allow), code: 1, words: list("inspection-failed", "out is a link that leads out")},
		"time and no command":   {inspect: list(lists()), args: list("--inspection-timeout", "5m"), code: 2, words: list("--inspection-timeout goes with --allow-inspections")},
		"no time":               {inspect: list(unpacks()), args: list(allow, "--inspection-timeout", "0s"), code: 2, words: list("--inspection-timeout is 0s")},
		"time runs backwards":   {inspect: list(unpacks()), args: list(allow, "--inspection-timeout", "-1s"), code: 2, words: list("--inspection-timeout is -1s")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := (classicWorld{c.inspect}).writeTo(dir); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				if err := c.change(dir); err != nil {
					t.Fatal(err)
				}
			}
			work := filepath.Join(dir, "work")
			before := contents(t, work)
			args := list("verify", "--layout", filepath.Join(dir, "root.layout"), "--layout-key", filepath.Join(dir, "owner.pem"), "--link-dir", filepath.Join(dir, "links"), "--inspection-dir", work)
			for _, arg := range c.args {
				if arg == "app.tar" || arg == "README" {
					arg = filepath.Join(work, arg)
				}
				args = append(args, arg)
			}
			run(t, inJob, args...).demand(t, c.code, c.words...)
			if diff := cmp.Diff(before, contents(t, work)); diff != "" {
				t.Errorf("the folder was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// inJob has a path and a secret in the environment.
func inJob(env *command.Env) {
	variables := map[string]string{"PATH": "/usr/bin:/bin", "GITHUB_TOKEN": "secret"}
	env.Getenv = func(name string) string { return variables[name] }
}

func list[T any](items ...T) []T { return items }

func replace(name, content string) func(string) error {
	return func(dir string) error {
		return os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o600)
	}
}

func remove(name string) func(string) error {
	return func(dir string) error { return os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))) }
}

func link(name, target string) func(string) error {
	return func(dir string) error { return os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))) }
}

// contents are all files below a folder, with their digests and times.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a folder that is gone has no contents
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		all[name] = strings.Join([]string{info.Mode().String(), info.ModTime().String()}, " ")
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			all[name] += hex.EncodeToString(sum[:])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInspectionsNeedAClassicLayout refuses their flags with another kind.
func TestInspectionsNeedAClassicLayout(t *testing.T) {
	t.Parallel()
	dir := at(t)
	for _, args := range [][]string{{"--allow-inspections"}, {"--inspection-dir", dir}, {"--inspection-timeout", "5m"}} {
		run(t, nil, layoutArgs(dir, filepath.Join(dir, "acme.yml"), args...)...).demand(t, 2, args[0]+" goes with a layout of in-toto 1.0")
		run(t, nil, simpleArgs(dir, args...)...).demand(t, 2, args[0]+" goes with a layout of in-toto 1.0")
	}
}
