package command_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden outputs in testdata/script")

// TestScript runs the transcripts of testdata/script with the real binary. A
// transcript has these commands beside testscript's own:
//
//	world             writes the files of world_test.go
//	classic           writes those of inspect_test.go, with the inspections unpack,
//	                  contents and in-hand
//	allowed ARG...    runs signatus, which must exit with 0
//	denied ARG...     … with 1
//	misused ARG...    … with 2
//	undecided ARG...  … with 3
//	edit FILE OLD NEW replaces every OLD in a file by NEW
//	sshsign REPOSITORY NAME REF has NAME sign what a ref names, see sshsign_test.go
//	built FILE REPOSITORY REF BUNDLE has the release workflow state that it built a file
//	gittuf NAME REPOSITORY REF TREE FILE has somebody authorise a tree, both see
//	                  gitscene_test.go
//	note REPOSITORY COMMIT FILE makes FILE the only note of refs/notes/attestations
//	github …          has a GitHub on loopback, see hub_test.go; where [github]
//	registry KIND     starts a registry at $REGISTRY, see registry_test.go
//	attach IMAGE FILE keeps the bundles of FILE with an image
//
// A step's summary goes to summary.md. The variable EXPIRY is a day at which layouts may end, and NL is a line break. What signatus wrote is in the files out and err, with what differs from run to
// run replaced by words: EXPIRY, NOW, and SHA256 for the digest of a layout. So is the random part of a name in a step's file of
// outputs: RANDOM.
//
// go test ./internal/command -run TestScript -update rewrites what they expect.
func TestScript(t *testing.T) {
	t.Parallel()
	signatus := build(t)
	w := theWorld(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("NL", "\n") // for inputs of several lines
			page := filepath.Join(env.WorkDir, "summary.md")
			env.Setenv("GITHUB_STEP_SUMMARY", page)
			if err := os.WriteFile(page, nil, 0o600); err != nil {
				return err
			}
			env.Setenv("EXPIRY", expiry().Format(time.RFC3339))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"world": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(w.write(ts.MkAbs("."))) },
			"classic": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(classicWorld{list(unpacks(), lists(), holds())}.writeTo(ts.MkAbs(".")))
			},
			"allowed":   exits(signatus, 0),
			"denied":    exits(signatus, 1),
			"misused":   exits(signatus, 2),
			"undecided": exits(signatus, 3),
			"edit":      edit,
			"note":      note,
			"sshsign":   sshsign,
			"built":     built,
			"gittuf":    gittuf,
			"registry":  startRegistry,
			"attach":    attach,
			"github":    hub(t),
		},
		Condition: func(name string) (bool, error) {
			if name != "github" {
				return false, errors.New("there is no such condition")
			}
			_, err := described()
			return err == nil, nil
		},
	})
}

// build compiles the program once. Reading its source here tells the test cache
// what the result depends on.
func build(t *testing.T) string {
	t.Helper()
	if _, err := os.ReadFile("../../cmd/signatus/main.go"); err != nil {
		t.Fatal(err)
	}
	signatus := filepath.Join(t.TempDir(), "signatus")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w -X main.version=v0.0.0-test", "-o", signatus, "../../cmd/signatus")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building signatus: %v\n%s", err, out)
	}
	return signatus
}

// exits runs signatus and holds it to an exit code.
func exits(signatus string, want int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("the command's name tells the exit code: no !")
		}
		got := 0
		if err := ts.Exec(signatus, args...); err != nil {
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				ts.Fatalf("running signatus: %v", err)
			}
			got = exit.ExitCode()
		}
		for _, name := range []string{"stdout", "stderr"} {
			file := ts.MkAbs(map[string]string{"stdout": "out", "stderr": "err"}[name])
			ts.Check(os.WriteFile(file, []byte(steady(ts.ReadFile(name))), 0o600))
		}
		for _, variable := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
			file := ts.Getenv(variable)
			if text, err := os.ReadFile(file); err == nil {
				ts.Check(os.WriteFile(file, []byte(steady(string(text))), 0o600))
			}
		}
		if got != want {
			ts.Fatalf("signatus %s: exit code %d, expected %d", strings.Join(args, " "), got, want)
		}
	}
}

// steady replaces what differs from run to run.
func steady(text string) string {
	text = strings.ReplaceAll(text, expiry().Format(time.RFC3339), "EXPIRY")
	text = regexp.MustCompile(`expires: "[0-9TZ:-]+"`).ReplaceAllString(text, `expires: "EXPIRY"`)
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllStringFunc(text, func(instant string) string {
		if at, err := time.Parse(time.RFC3339, instant); err != nil || time.Since(at).Abs() > time.Hour {
			return instant
		}
		return "NOW"
	})
	for _, volatile := range []struct{ pattern, steady string }{
		{`(?m)^(layout .*sha256:)[0-9a-f]+…?$`, "${1}SHA256"},
		{"(?m)^(. layout . `.*sha256:)[0-9a-f]{64}", "${1}SHA256"},
		{`(-----BEGIN PUBLIC KEY-----\n)[\sA-Za-z0-9+/=]+(-----END)`, "${1}KEY\n${2}"},
		{"`key sha256:[0-9a-f]+…`", "`key SHA256`"},
		{`("name": "[^"]*\.yml",\s+"sha256": ")[0-9a-f]{64}`, "${1}SHA256"},
		{`signatus-[A-Z2-7]{26}\.sarif`, "signatus-RANDOM.sarif"},
		{`127\.0\.0\.1:[0-9]+`, "127.0.0.1:PORT"},
		{`go1\.[0-9.]+, [a-z0-9]+/[a-z0-9]+`, "GO, OS/ARCH"},
	} {
		text = regexp.MustCompile(volatile.pattern).ReplaceAllString(text, volatile.steady)
	}
	return text
}

// note writes a note as git's plumbing does, which demands no such commit.
func note(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: note REPOSITORY COMMIT FILE")
	}
	git := func(input string, args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.Output()
		ts.Check(err)
		return strings.TrimSpace(string(out))
	}
	repository := ts.MkAbs(args[0])
	blob := git("", "-C", repository, "hash-object", "-w", ts.MkAbs(args[2]))
	tree := git("100644 blob "+blob+"\t"+args[1]+"\n", "-C", repository, "mktree", "--missing")
	git("", "-C", repository, "update-ref", "refs/notes/attestations", git("", "-C", repository, "commit-tree", "-m", "notes", tree))
}

func edit(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}
