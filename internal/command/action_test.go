package command_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	runner "github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/command"
)

// metadata is what a runner reads in action.yml.
type metadata struct {
	Name, Description, Author string
	Branding                  struct{ Icon, Color string }
	Inputs                    map[string]actionInput
	Outputs                   map[string]struct{ Description string }
	Runs                      struct {
		Using, Image string
		Args         []string
	}
}

type actionInput struct {
	Description string
	Required    bool
	Default     *string
}

func actionMetadata(t *testing.T) (metadata, string) {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var m metadata
	if err := decoder.Decode(&m); err != nil {
		t.Fatalf("action.yml: %v", err)
	}
	return m, string(text)
}

// flagsOf reads the flags of a verb in its help, where a user finds them: what
// each takes, "" for a switch, and its text.
func flagsOf(t *testing.T, verb string) map[string][2]string {
	t.Helper()
	help := run(t, nil, verb, "--help").out
	_, help, ok := strings.Cut(help, "\nFlags:\n")
	if !ok {
		t.Fatalf("%s has no flags", verb)
	}
	flags := map[string][2]string{}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z0-9-]+)(?: (\S+))?  +(\S.*)$`).FindAllStringSubmatch(help, -1) {
		flags[m[1]] = [2]string{m[2], m[3]}
	}
	if len(flags) < 10 {
		t.Fatalf("%s has the flags %v", verb, flags)
	}
	delete(flags, "help")
	return flags
}

// TestInputsAreFlags holds action.yml to the command line: an input for each flag of
// attest and verify, and none besides the four that are no flags, secrets, which no
// command line should hold, and the names that others have for inputs. Each says whose it
// is and how it is written.
func TestInputsAreFlags(t *testing.T) {
	t.Parallel()
	m, text := actionMetadata(t)
	verbs := map[string]map[string][2]string{"attest": flagsOf(t, "attest"), "verify": flagsOf(t, "verify")}
	want := map[string]bool{"command": true, "paths": true, "require": true, "working-directory": true}
	for _, s := range runner.Secrets() {
		want[s.Input] = true
	}
	for _, a := range runner.Aliases() {
		want[a.Name] = true
	}
	for _, flags := range verbs {
		for name := range flags {
			if m.Inputs[name].Description == "" {
				t.Errorf("the flag --%s is no input of action.yml", name)
			}
			want[name] = true
		}
	}
	for name, input := range m.Inputs {
		if !want[name] {
			t.Errorf("the input %s of action.yml is no flag of attest or verify", name)
		}
		if input.Required || (input.Default != nil) != (name == "github-token") {
			t.Errorf("the input %s is required, or has a default: none is, and nothing is assumed but the job's token", name)
		}
		if !strings.HasSuffix(input.Description, ".") {
			t.Errorf("the input %s is described by no sentence: %q", name, input.Description)
		}
		for verb, flags := range verbs {
			flag, has := flags[name]
			if !want[name] || verbs["attest"][name] == [2]string{} && verbs["verify"][name] == [2]string{} {
				continue
			}
			says := func(words string) bool { return regexp.MustCompile(`(?i)` + words).MatchString(input.Description) }
			alias := verb == "attest" && slices.ContainsFunc(runner.Aliases(), func(a runner.Alias) bool { return a.Name == name })
			if has != says(`\bfor (attest and )?`+verb+`\b`) && !alias {
				t.Errorf("the input %s: does %s have it? %q", name, verb, input.Description)
			}
			if has && (flag[0] == "") != says(`"true" or "false"`) {
				t.Errorf("the input %s is a switch, and does not say so, or the reverse: %q", name, input.Description)
			}
			if has && strings.HasSuffix(flag[1], "(repeatable)") && !says(`\bone a line\b`) {
				t.Errorf("the input %s takes several values, and does not say how: %q", name, input.Description)
			}
		}
	}
	// The runner refuses an expression where it expects none, in a comment as well
	// as in a description.
	if strings.Count(text, "${{") != 1 || *m.Inputs["github-token"].Default != "${{ github.token }}" {
		t.Error("action.yml holds another expression than that of the job's token")
	}
	if m.Runs.Using != "docker" || m.Runs.Image != "Dockerfile" || !slices.Equal(m.Runs.Args, []string{"action"}) {
		t.Errorf("action.yml runs %+v", m.Runs)
	}
	if diff := cmp.Diff([]string{"attestation-id", "attestation-url", "bundle-path", "exit-code", "report-path", "sarif-path", "verdict", "vsa-path"}, slices.Sorted(maps.Keys(m.Outputs))); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if m.Name == "" || m.Description == "" || len(m.Description) > 125 || m.Author == "" || m.Branding.Icon == "" || m.Branding.Color == "" {
		t.Errorf("action.yml lacks what GitHub shows of an action: %+v", m)
	}
}

// aStep is what a step left behind.
type aStep struct {
	outcome
	outputs map[string]string
	folder  string // of the file of outputs
	summary string
}

// step runs the Action as a runner does, in a workspace, with inputs and with
// variables of the environment.
func step(t *testing.T, workspace string, inputs, variables map[string]string) aStep {
	t.Helper()
	file := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(filepath.Dir(file), "summary")
	if err := os.WriteFile(page, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": workspace, "GITHUB_OUTPUT": file, "GITHUB_STEP_SUMMARY": page}
	maps.Copy(values, variables)
	for name, value := range inputs {
		values["INPUT_"+strings.ToUpper(name)] = value
	}
	got := aStep{folder: filepath.Dir(file), outcome: run(t, func(env *command.Env) {
		env.Getenv = func(name string) string { return values[name] }
		for name, value := range values {
			env.Environ = append(env.Environ, name+"="+value)
		}
		env.HTTP = &http.Client{}
	}, "action")}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got.summary = string(shown)
	got.outputs = map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)(\S+)<<(\S+)\n(.*?)\n_GitHubActionsFileCommandDelimeter_\n`).FindAllStringSubmatch(string(text), -1) {
		got.outputs[m[1]] = m[3]
	}
	return got
}

// commands are the lines that the runner would obey, but the step's own groups and
// annotations.
func (s aStep) commands() (found []string) {
	for line := range strings.Lines(strings.ReplaceAll(s.out+"\n"+s.report, "\r", "\n")) {
		line = strings.TrimSpace(line)
		if own := ownCommand().MatchString(line); !own && (strings.HasPrefix(line, "::") || strings.Contains(line, "##[")) {
			found = append(found, line)
		}
	}
	return found
}

// ownCommand is a group or an annotation of the Action.
func ownCommand() *regexp.Regexp {
	return regexp.MustCompile(`^::(group::[a-z0-9 ,]+|endgroup::|(error|warning|notice) ((col|line|file)=[^:,]+,)*title=signatus[^:]*::(.*))$`)
}

// annotations are what the step remarks, as they stand in its log.
func (s aStep) annotations() (found []string) {
	for line := range strings.Lines(s.report) {
		if m := ownCommand().FindStringSubmatch(strings.TrimSpace(line)); len(m) > 2 && m[2] != "" {
			found = append(found, m[0])
		}
	}
	return found
}

// privateKey writes a new key.
func privateKey(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signable is a workspace with a key and files in dist.
func signable(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "dist"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(dir, "dist", name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	privateKey(t, filepath.Join(dir, "key.pem"))
	return dir
}

// TestActionAttests signs with a key, and leaves where the bundles are.
func TestActionAttests(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		inputs map[string]string
		want   map[string]string
	}{
		"one file":   {map[string]string{"paths": "DIR/dist/a"}, map[string]string{"exit-code": "0", "verdict": "signed", "bundle-path": "DIR/dist/a.sigstore.jsonl"}},
		"two files":  {map[string]string{"paths": "DIR/dist/a\nDIR/dist/b\n"}, map[string]string{"exit-code": "0", "verdict": "signed", "bundle-path": "DIR/dist/attestation.sigstore.jsonl"}},
		"one each":   {map[string]string{"paths": "DIR/dist/*", "one-per-subject": "true"}, map[string]string{"exit-code": "0", "verdict": "signed", "bundle-path": "OUTPUT/attestation-….sigstore.jsonl"}},
		"not found":  {map[string]string{"paths": "DIR/dist/c"}, map[string]string{"exit-code": "3", "verdict": "undecided"}},
		"no path":    {map[string]string{}, map[string]string{"exit-code": "2", "verdict": "failed"}},
		"a bad flag": {map[string]string{"paths": "DIR/dist/a", "force": "true"}, map[string]string{"exit-code": "2", "verdict": "failed"}},
		"no verb":    {map[string]string{"command": ""}, map[string]string{"exit-code": "2", "verdict": "failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := signable(t, "a", "b")
			inputs := map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build"}
			for name, value := range r.inputs {
				inputs[name] = strings.ReplaceAll(value, "DIR", dir)
			}
			got := step(t, dir, inputs, nil)
			if diff := cmp.Diff(r.want, got.steady(dir)); diff != "" || got.commands() != nil {
				t.Errorf("exit code %d, commands %q, outputs (-want +got):\n%s\n%s", got.code, got.commands(), diff, got.report)
			}
			if file := got.outputs["bundle-path"]; file != "" {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if want := 1 + strings.Count(r.inputs["one-per-subject"], "true"); bytes.Count(data, []byte("\n")) != want {
					t.Errorf("%s has other bundles than %d, one a line:\n%s", file, want, data)
				}
			}
		})
	}
}

// steady are the outputs without what differs from run to run.
func (s aStep) steady(workspace string) map[string]string {
	outputs := map[string]string{}
	for name, value := range s.outputs {
		value = regexp.MustCompile(`attestation-[A-Z0-9]+`).ReplaceAllString(strings.Replace(value, workspace, "DIR", 1), "attestation-…")
		outputs[name] = strings.Replace(value, s.folder, "OUTPUT", 1)
	}
	return outputs
}

// TestActionIsHostile: whatever files are called, the runner obeys nothing, and an
// output is what it says or is not there.
func TestActionIsHostile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no such names")
	}
	const delimiter = "_GitHubActionsFileCommandDelimeter_"
	signed := func(name string) map[string]string {
		return map[string]string{"exit-code": "0", "verdict": "signed", "bundle-path": "DIR/dist/" + name + ".sigstore.jsonl"}
	}
	failed := map[string]string{"exit-code": "2", "verdict": "failed"} // such a name is not attested
	for name, r := range map[string]struct {
		code    int
		outputs map[string]string
	}{
		"::add-mask::a":                         {0, signed("::add-mask::a")},
		"##[group]a":                            {0, signed("##[group]a")},
		"\u00a0::debug::a":                      {0, signed("\u00a0::debug::a")},
		"#\u200b#[add-mask]":                    {0, signed("#\u200b#[add-mask]")},
		"--key=b":                               {0, signed("--key=b")},
		"a b":                                   {0, signed("a b")},
		"a\n::error::b":                         {2, failed},
		"a\r::stop-commands::b":                 {2, failed},
		delimiter:                               {3, map[string]string{"exit-code": "3", "verdict": "undecided"}},
		"a\n" + delimiter + "\nverdict=allowed": {2, failed},
	} {
		dir := signable(t, name)
		got := step(t, dir, map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build", "paths": filepath.Join(dir, "dist", "*")}, nil)
		if diff := cmp.Diff(r.outputs, got.steady(dir)); diff != "" || got.code != r.code || got.commands() != nil {
			t.Errorf("%q: exit code %d, commands %q, outputs (-want +got):\n%s\n%s%s", name, got.code, got.commands(), diff, got.out, got.report)
		}
		if r.code == 3 && !strings.Contains(got.report, "bundle-path") {
			t.Errorf("%q: %s does not say which output is missing", name, got.report)
		}
		for _, format := range []string{"text", "json"} {
			got := step(t, dir, map[string]string{
				"command": "verify", "paths": "sha256:" + strings.Repeat("0", 64), "key": filepath.Join(dir, "key.pem"),
				"bundle": filepath.Join(dir, "dist"), "format": format, "subject-name": "##[error]a", "verbose": "true",
			}, nil)
			if got.commands() != nil || got.code == 0 {
				t.Errorf("%q, %s: exit code %d, commands %q", name, format, got.code, got.commands())
			}
		}
		if got := step(t, dir, map[string]string{"command": "verify", "key": "##[add-mask]x", "paths": "##[group]y\n::error::z"}, nil); got.commands() != nil || got.code == 0 {
			t.Errorf("%q: exit code %d, commands %q", name, got.code, got.commands())
		}
		if got := step(t, dir, map[string]string{"command": "##[add-mask]x"}, nil); got.commands() != nil || got.code != 2 {
			t.Errorf("%q: exit code %d, commands %q", name, got.code, got.commands())
		}
	}
}

// TestActionHostileFolder: a folder's name is in the bundle's path too, and what the
// path could make of the outputs is refused.
func TestActionHostileFolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no such names")
	}
	dir := signable(t)
	folder := filepath.Join(dir, "dist", "x\n_GitHubActionsFileCommandDelimeter_\nverdict=allowed")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := step(t, dir, map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build", "paths": filepath.Join(dir, "dist", "*", "a")}, nil)
	if got.code == 0 || got.outputs["verdict"] == "allowed" || got.outputs["bundle-path"] != "" || got.commands() != nil {
		t.Errorf("exit code %d, commands %q, outputs %v\n%s%s", got.code, got.commands(), got.outputs, got.out, got.report)
	}
}

// TestActionMasksTheToken: of all that is written the mask alone is a command.
func TestActionMasksTheToken(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"value": "`+token+`"}`)
	}))
	defer issuer.Close()
	dir := signable(t, "a")
	got := step(t, dir, map[string]string{"command": "attest", "offline": "true", "paths": filepath.Join(dir, "dist", "a")}, map[string]string{
		"ACTIONS_ID_TOKEN_REQUEST_URL": issuer.URL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer",
	})
	if diff := cmp.Diff([]string{"::add-mask::" + token}, got.commands()); diff != "" || got.code == 0 {
		t.Errorf("exit code %d, commands (-want +got):\n%s%s", got.code, diff, got.report)
	}
}

// TestActionOutputsFail: a step whose outputs nobody can read is no success.
func TestActionOutputsFail(t *testing.T) {
	t.Parallel()
	dir := signable(t, "a")
	inputs := map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build", "paths": filepath.Join(dir, "dist", "a")}
	got := step(t, dir, inputs, map[string]string{"GITHUB_OUTPUT": ""})
	left, _ := filepath.Glob(filepath.Join(dir, "dist", "*.sigstore*"))
	if got.code != 3 || strings.Count(got.report, "GITHUB_OUTPUT") != 1 || len(left) != 0 {
		t.Errorf("exit code %d, signed %v: %s", got.code, left, got.report)
	}
	w := at(t)
	got = step(t, w, map[string]string{
		"command": "verify", "paths": filepath.Join(w, "app"), "trusted-root": filepath.Join(w, "trusted_root.json"), "bundle": filepath.Join(w, "bundles", "build.json"),
		"certificate-identity": workflow, "certificate-oidc-issuer": actions,
	}, map[string]string{"GITHUB_OUTPUT": ""})
	if got.code != 3 || !strings.Contains(got.report, "exit code 0") || !strings.Contains(got.report, "GITHUB_OUTPUT") || !strings.Contains(got.out, "allowed: ") {
		t.Errorf("exit code %d: %s%s", got.code, got.out, got.report)
	}
	inputs["force"] = "true"
	if got := step(t, dir, inputs, map[string]string{"GITHUB_OUTPUT": ""}); got.code != 2 {
		t.Errorf("exit code %d: %s", got.code, got.report)
	}
}
