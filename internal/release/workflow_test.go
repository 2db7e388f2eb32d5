package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// job is one of a workflow, as far as these tests ask.
type job struct {
	Needs       any
	RunsOn      string `yaml:"runs-on"`
	Permissions map[string]string
	Uses        string
	Steps       []step
}

type step struct {
	Name, ID, Run, Uses, Shell string
	Env, With                  map[string]string
}

// workflow reads one of .github/workflows.
func workflow(t *testing.T, name string) (jobs map[string]job) {
	t.Helper()
	text, err := os.ReadFile("../../.github/workflows/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var w struct {
		Permissions map[string]string
		Jobs        map[string]job
	}
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if w.Permissions == nil || len(w.Permissions) > 0 {
		t.Errorf("%s gives all of its jobs %v, expected none: each says what it needs", name, w.Permissions)
	}
	return w.Jobs
}

// TestNoScriptIsSpliced: no expression stands in a script, where what it becomes would be
// read as one. It goes through the environment.
func TestNoScriptIsSpliced(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %q and %v", files, err)
	}
	for _, file := range files {
		for name, j := range workflow(t, filepath.Base(file)) {
			if j.Permissions == nil {
				t.Errorf("%s: the job %s does not say which permissions it needs", file, name)
			}
			for _, s := range j.Steps {
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s: the job %s has an expression in a script:\n%s", file, name, s.Run)
				}
			}
		}
	}
}

// TestWhoBuildsDoesNotSign holds build-and-attest.yml to what docs/levels.md says of it.
func TestWhoBuildsDoesNotSign(t *testing.T) {
	t.Parallel()
	jobs := workflow(t, "build-and-attest.yml")
	if may := jobs["build"].Permissions; len(may) != 1 || may["contents"] != "read" {
		t.Errorf("the job that builds may %v, expected to read the contents and nothing else", may)
	}
	for name, j := range jobs {
		if j.RunsOn != "ubuntu-24.04" {
			t.Errorf("the job %s runs on %q, expected GitHub's own runner", name, j.RunsOn)
		}
		if j.Permissions["id-token"] != "" && name != "attest" {
			t.Errorf("the job %s may ask for an identity token", name)
		}
		for _, s := range j.Steps {
			with := strings.Join([]string{s.With["paths"], s.With["subject-path"], s.With["checksums"]}, "")
			if name == "attest" && s.Uses == "./.signatus" && (with != "" || s.With["subject-checksums"] != "${{ needs.build.outputs.checksums }}") {
				t.Errorf("the job that signs is given %v, expected the digests of the build job's outputs alone", s.With)
			}
			if name != "build" && strings.Contains(s.Run+s.Env["COMMAND"], "inputs.command") {
				t.Errorf("the job %s runs the caller's command", name)
			}
			if strings.HasPrefix(s.Uses, "actions/cache@") || s.With["cache"] == "true" {
				t.Errorf("the job %s uses a cache, into which another run may have put something", name)
			}
		}
	}
}

// script is a step of build-and-attest.yml on a machine of its own.
type script struct {
	t               *testing.T
	text, dir, temp string
}

func newScript(t *testing.T, jobName string, is func(step) bool) script {
	t.Helper()
	for _, s := range workflow(t, "build-and-attest.yml")[jobName].Steps {
		if is(s) {
			return script{t, s.Run, t.TempDir(), t.TempDir()}
		}
	}
	t.Fatalf("the job %s has no such step", jobName)
	return script{}
}

func (s script) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// run runs it as a runner does with shell: bash, and gives the file of outputs.
func (s script) run(variables ...string) (outputs, log string, ok bool) {
	s.t.Helper()
	file := filepath.Join(s.temp, "output")
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.text)
	cmd.Dir = s.dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "RUNNER_TEMP=" + s.temp, "GITHUB_OUTPUT=" + file}, variables...)
	said, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(file)
	if readErr != nil && !os.IsNotExist(readErr) {
		s.t.Fatal(readErr)
	}
	return string(text), string(said), err == nil
}

// TestDigests: what the build job says of its files is what attest reads, and a strange
// name neither runs nor becomes another output.
func TestDigests(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		files     []string // their content is their name
		artifacts string
		want      string // the names, in order; empty where the step fails
	}{
		{"one file", []string{"dist/app", "other"}, "dist/app", "app"},
		{"a glob", []string{"dist/b", "dist/a", "dist/sub/c", "other"}, "dist/*", "a b"},
		{"across folders", []string{"dist/b", "dist/sub/deeper/c"}, "dist/**\n", "b c"},
		{"several, of which some overlap", []string{"dist/b", "dist/a", "x/y"}, "dist/*\n\ndist/a\nx/y\n", "a b y"},
		{"a space, a quote and a dollar", []string{"dist/a b", "dist/$(touch owned)", `dist/"'`}, "dist/*", `"' $(touch owned) a b`},
		{"a hidden one, by its name", []string{"dist/.hidden", "dist/a"}, "dist/.hidden\ndist/a", ".hidden a"},
		{"a flag, and a command of the runner", []string{"dist/--help", "dist/::warning::owned"}, "dist/*", "--help ::warning::owned"},
		{"the delimiter", []string{"dist/END"}, "dist/END", "END"},

		{"nothing of that name", []string{"dist/a"}, "dist/b", ""},
		{"a glob that finds nothing", []string{"dist/a"}, "dist/a\nout/*", ""},
		{"a folder", []string{"dist/a"}, "dist", ""},
		{"nothing", []string{"dist/a"}, "", ""},
		{"two files of one base name", []string{"linux/app", "windows/app"}, "*/app", ""},
		{"a command", []string{"dist/a"}, "$(touch owned)", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, "build", func(s step) bool { return s.ID == "digests" })
			for _, name := range row.files {
				s.write(name, name)
			}
			outputs, log, ok := s.run("ARTIFACTS=" + row.artifacts)
			if _, err := os.Stat(filepath.Join(s.dir, "owned")); err == nil {
				t.Error("a name was run")
			}
			if row.want == "" {
				if ok || outputs != "" {
					t.Errorf("it succeeded, and left %q", outputs)
				}
				return
			}
			list, foundHead := strings.CutPrefix(outputs, "checksums<<END\n")
			list, foundTail := strings.CutSuffix(list, "\nEND\n")
			if !ok || !foundHead || !foundTail {
				t.Fatalf("it left %q, and said\n%s", outputs, log)
			}
			sums, err := artifact.ParseChecksums([]byte(list))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, sum := range sums {
				names = append(names, sum.Name)
				kept, err := digestOf(filepath.Join(s.temp, "built", sum.Name))
				if err != nil || kept != sum.Digest[artifact.SHA256] {
					t.Errorf("%s: what is kept has the digest %s (%v), expected %s", sum.Name, kept, err, sum.Digest[artifact.SHA256])
				}
			}
			if found := strings.Join(names, " "); found != row.want {
				t.Errorf("found %q, expected %q", found, row.want)
			}
		})
	}
}

// TestStrangeNames: a line break in a name stays within its line, where attest refuses it.
func TestStrangeNames(t *testing.T) {
	t.Parallel()
	s := newScript(t, "build", func(s step) bool { return s.ID == "digests" })
	s.write("dist/a\nEND\nverdict=signed", "x")
	outputs, log, ok := s.run("ARTIFACTS=dist/*")
	if lines := strings.Split(outputs, "\n"); !ok || len(lines) != 4 || !strings.HasPrefix(lines[1], `\`) || lines[2] != "END" {
		t.Errorf("it left %q, and said\n%s", outputs, log)
	}
	list, _, _ := strings.Cut(strings.TrimPrefix(outputs, "checksums<<END\n"), "\nEND\n")
	if _, err := artifact.ParseChecksums([]byte(list)); err == nil {
		t.Error("a name with a line break was read")
	}
}

// TestBillIsTheOneThatWasBuilt: a bill of materials that was changed on its way from one
// job to the other is not signed.
func TestBillIsTheOneThatWasBuilt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, sbom, content, list string
		ok                        bool
	}{
		{"as it was built", "dist/bom.json", "{}", "LIST", true},
		{"changed", "dist/bom.json", `{"components":[]}`, "LIST", false},
		{"of another name in the list", "dist/other.json", "{}", "LIST", false},
		{"in no list", "dist/bom.json", "{}", "", false},
		{"in a line that only ends so", "dist/bom.json", "{}", "LONGER", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, "attest", func(s step) bool { return s.Env["SBOM"] != "" })
			s.write("built/bom.json", "{}")
			s.write("built/other.json", "{}")
			sum, err := digestOf(filepath.Join(s.dir, "built", "bom.json"))
			if err != nil {
				t.Fatal(err)
			}
			s.write("built/bom.json", row.content)
			app := strings.Repeat("0", 64) + "  app\n"
			list := strings.NewReplacer("LIST", app+sum+"  bom.json", "LONGER", app+"00"+sum+"  bom.json").Replace(row.list)
			_, log, ok := s.run("SBOM="+row.sbom, "CHECKSUMS="+list)
			_, err = os.Stat(filepath.Join(s.dir, "bill-of-materials.json"))
			if ok != row.ok || (err == nil) != row.ok {
				t.Errorf("ok: %t, expected %t; %v\n%s", ok, row.ok, err, log)
			}
		})
	}
}
