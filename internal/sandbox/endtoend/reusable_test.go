package endtoend

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

// The reusable workflow, as a caller pins it.
const (
	reusableCommit = "5194da7a5519be7a604132c9f0d8e7b6a5948372"
	reusable       = "signatus-dev/signatus/.github/workflows/build-and-attest.yml@" + reusableCommit
)

// call is one run of build-and-attest.yml: its own steps, with its own scripts and the
// inputs that it gives the Action, on this machine. Of GitHub's own actions it does what
// they are used for here.
type call struct {
	*world
	inputs    map[string]string
	jobs      map[string]reusableJob
	artifacts string            // a folder for each
	outputs   map[string]string // the build job's checksums
	remote    string            // what is checked out
	between   func(c *call)     // happens after the build job
}

type reusableJob struct{ Steps []reusableStep }

type reusableStep struct {
	Name, ID, If, Run, Uses string
	Env, With               map[string]string
}

// newCall prepares a run for the world's commit.
func newCall(t *testing.T, inputs map[string]string) *call {
	t.Helper()
	dir := newRepository(t)
	put(t, dir, "layout.yml", read("../../../layouts/build-and-attest.yml"))
	commitAll(t, dir, "a layout")
	w := newWorldIn(t, dir, sandbox.Config{Claims: map[string]string{"job_workflow_ref": reusable, "job_workflow_sha": reusableCommit}})
	text, err := os.ReadFile("../../../.github/workflows/build-and-attest.yml")
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		On struct {
			Call struct {
				Inputs map[string]struct{ Default string }
			} `yaml:"workflow_call"`
		} `yaml:"on"`
		Jobs map[string]reusableJob
	}
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	c := &call{world: w, inputs: map[string]string{}, jobs: parsed.Jobs, artifacts: t.TempDir(), outputs: map[string]string{}, remote: filepath.Join(t.TempDir(), "app.git")}
	for name, input := range parsed.On.Call.Inputs {
		c.inputs[name] = input.Default
	}
	maps.Copy(c.inputs, inputs)
	git(t, w.dir, "clone", "-q", "--bare", w.dir, c.remote)
	return c
}

// expand evaluates the expressions that the workflow has, and no other.
func (c *call) expand(text string) string {
	c.Helper()
	return regexp.MustCompile(`\$\{\{ (.*?) \}\}`).ReplaceAllStringFunc(text, func(expression string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ "), " }}")
		if input, ok := strings.CutPrefix(name, "inputs."); ok && !strings.ContainsAny(input, " &|") {
			return c.inputs[input]
		}
		switch name {
		case "needs.build.outputs.checksums":
			return c.outputs["checksums"]
		case "inputs.record-vars && toJSON(vars) || ''":
			return map[string]string{"true": `{"CHANNEL": "stable"}`}[c.inputs["record-vars"]]
		case "inputs.store-at-github && 'github' || ''":
			return "github"
		case "job.workflow_sha":
			return reusableCommit
		case "job.workflow_repository":
			return "signatus-dev/signatus"
		case "runner.temp":
			return filepath.Join(c.artifacts, "temp")
		}
		c.Fatalf("the workflow has the expression %q, which this test does not know", name)
		return ""
	})
}

// job runs the steps of a job in a folder of its own until one fails.
func (c *call) job(name string) (last result) {
	c.Helper()
	dir := c.TempDir()
	for _, s := range c.jobs[name].Steps {
		if input, ok := strings.CutPrefix(s.If, "inputs."); ok && c.inputs[strings.TrimSuffix(input, " != ''")] == "" {
			continue
		}
		with := map[string]string{}
		for key, value := range s.With {
			with[key] = c.expand(value)
		}
		action, _, _ := strings.Cut(s.Uses, "@")
		switch action {
		case "":
			last = c.script(dir, s)
		case "./.signatus":
			last = c.signatus(dir, with)
		case "actions/checkout":
			if with["path"] == "" {
				git(c.T, dir, "clone", "-q", "--depth=1", "file://"+c.remote, ".")
			}
		case "actions/upload-artifact":
			c.upload(dir, with["path"], filepath.Join(c.artifacts, with["name"]))
		case "actions/download-artifact":
			c.copyTree(filepath.Join(c.artifacts, with["name"]), filepath.Join(dir, with["path"]))
		case "actions/setup-go":
		default:
			c.Fatalf("the workflow uses %s, which this test does not know", s.Uses)
		}
		if last.code != 0 {
			return last
		}
	}
	return last
}

// upload keeps a file, or the files of a folder.
func (c *call) upload(dir, path, to string) {
	c.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		c.Fatal(err)
	}
	if info.IsDir() {
		c.copyTree(path, to)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		c.Fatal(err)
	}
	put(c.T, to, filepath.Base(path), string(data))
}

func (c *call) copyTree(from, to string) {
	c.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		c.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		c.Fatal(err)
	}
}

// script runs a step's own, without a token and as a runner would.
func (c *call) script(dir string, s reusableStep) result {
	c.Helper()
	output := filepath.Join(c.TempDir(), "output")
	temp := filepath.Join(c.artifacts, "temp")
	if err := os.MkdirAll(temp, 0o755); err != nil {
		c.Fatal(err)
	}
	cmd := exec.CommandContext(c.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + temp, "RUNNER_TEMP=" + temp, "GITHUB_OUTPUT=" + output}
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+c.expand(value))
	}
	out, err := cmd.CombinedOutput()
	if list, found := strings.CutPrefix(read(output), "checksums<<END\n"); found {
		c.outputs["checksums"] = strings.TrimSuffix(list, "\nEND\n")
	}
	if err != nil {
		return result{cmd.ProcessState.ExitCode(), string(out), ""}
	}
	return result{0, string(out), ""}
}

func read(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "" // nothing was written
	}
	return string(data)
}

// signatus runs the Action with the step's inputs, and the sandbox in place of the
// public-good instance. GitHub is not there to be asked or told.
func (c *call) signatus(dir string, with map[string]string) result {
	c.Helper()
	root := "trusted_root.json"
	put(c.T, dir, ".sandbox/"+root, read(filepath.Join(c.folder.Dir(), root)))
	with["trusted-root"] = "sigstore=.sandbox/" + root
	if with["command"] == "attest" {
		put(c.T, dir, ".sandbox/signing_config.json", read(filepath.Join(c.folder.Dir(), "signing_config.json")))
		with["signing-config"] = ".sandbox/signing_config.json"
	}
	delete(with, "store")
	delete(with, "from")
	output := filepath.Join(dir, ".sandbox", "output")
	put(c.T, dir, ".sandbox/output", "")
	as := who{dir: dir, plain: true, noID: with["command"] != "attest", more: []string{"GITHUB_WORKSPACE=" + dir, "GITHUB_OUTPUT=" + output}}
	for _, name := range slices.Sorted(maps.Keys(with)) {
		as.more = append(as.more, "INPUT_"+strings.ToUpper(name)+"="+with[name])
	}
	return c.run(as, "action")
}

// vouch has alice note her word on the commit, and push it.
func (c *call) vouch() {
	c.Helper()
	clone := filepath.Join(c.TempDir(), "clone")
	git(c.T, c.dir, "clone", "-q", c.remote, clone)
	r := c.world.run(who{person: true, dir: clone}, "attest", "--commit", "HEAD", "--repo", "github.com/acme/app", "--store", "notes", "--push",
		"--identity-token", c.token(sandbox.TokenRequest{Kind: sandbox.Email, Email: "alice@example.com", Issuer: sandbox.OAuthIssuer}))
	if r.code != 0 {
		c.Fatalf("%+v", r)
	}
}

// whole runs all of its jobs, and gives the last one's end.
func (c *call) whole() result {
	c.Helper()
	for _, name := range []string{"build", "attest", "verify"} {
		if r := c.job(name); r.code != 0 || name == "verify" {
			return r
		}
		if name == "build" && c.between != nil {
			c.between(c)
		}
	}
	return result{}
}

// TestBuildAndAttest runs the reusable workflow with its layout: what is built and signed
// is allowed, and each row breaks one thing.
func TestBuildAndAttest(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"command":   `mkdir -p dist && printf 'the app' >dist/app && printf '{"bomFormat":"CycloneDX","specVersion":"1.6"}' >dist/bom.json`,
		"artifacts": "dist/*", "sbom": "dist/bom.json", "layout": "layout.yml", "record-vars": "true",
		"param": "repo=github.com/acme/app\nrepoId=728493015\nworkflow=release.yml\nref=refs/heads/main\nauthor=alice@example.com\nbuilder=" + reusableCommit,
	}
	with := func(more ...string) map[string]string {
		inputs := maps.Clone(good)
		for i := 0; i < len(more); i += 2 {
			inputs[more[i]] = more[i+1]
		}
		return inputs
	}
	for _, row := range []struct {
		name    string
		inputs  map[string]string
		nobody  bool // vouches
		between func(c *call)
		code    int
		words   []string
	}{
		{name: "everything", inputs: good, words: []string{"allowed: app against layout.yml", "allowed: bom.json", "build-and-attest.yml@" + reusableCommit, "2 of 2 allowed"}},
		{name: "no bill", inputs: with("sbom", ""), words: []string{"2 of 2 allowed"}},

		{name: "the command fails", inputs: with("command", "exit 7"), code: 7},
		{name: "nothing was built", inputs: with("artifacts", "out/*"), code: 1, words: []string{"out/*"}},
		{name: "the author has not vouched", inputs: good, nobody: true, code: 1, words: []string{"threshold-not-met"}},
		{name: "another workflow was to call it", inputs: with("param", strings.Replace(good["param"], "release.yml", "nightly.yml", 1)), code: 1, words: []string{"buildConfigURI"}},
		{name: "another commit of the workflow was to be called", inputs: with("param", strings.Replace(good["param"], reusableCommit, strings.Repeat("0", 40), 1)), code: 1, words: []string{"signer-not-functionary"}},
		{name: "the bill is replaced on its way", inputs: good, between: func(c *call) {
			put(c.T, filepath.Join(c.artifacts, "built"), "bom.json", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}`)
		}, code: 1, words: []string{"not the one that was built"}},
		// Nobody hashes it again: what is signed is what was built, and the file in hand is not.
		{name: "a file is replaced on its way", inputs: good, between: func(c *call) {
			put(c.T, filepath.Join(c.artifacts, "built"), "app", "a miner")
		}, words: []string{"2 of 2 allowed"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, row.inputs)
			c.between = row.between
			if !row.nobody {
				c.vouch()
			}
			if r := c.whole(); !r.has(row.code, row.words...) {
				t.Errorf("%+v, expected exit code %d and %q", r, row.code, row.words)
			}
		})
	}
}
