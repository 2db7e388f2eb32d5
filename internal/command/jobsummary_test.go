package command_test

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/report"
)

// verifying are the inputs that ask for the author's and the builder's word on the
// world's app.
func verifying(dir string, more map[string]string) map[string]string {
	inputs := map[string]string{
		"command": "verify", "paths": filepath.Join(dir, "app"), "layout": filepath.Join(dir, "acme.yml"), "trusted-root": filepath.Join(dir, "trusted_root.json"),
		"bundle": filepath.Join(dir, "bundles", "author.json") + "\n" + filepath.Join(dir, "bundles", "build.json"),
	}
	maps.Copy(inputs, more)
	return inputs
}

// TestActionSummary: what a person sees of a step, for each way in which it can end.
func TestActionSummary(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		code        int
		more        func(dir string) map[string]string
		want        []string // in this order
		annotations []string // each in the one of its place
	}{
		"allowed": {0, func(string) map[string]string { return nil }, []string{"## ✅ allowed: ", "```mermaid\nflowchart LR", "#10003; author", "class step1,step2,artifact1 allowed"}, nil},
		"missing author": {1, func(dir string) map[string]string {
			return map[string]string{"bundle": filepath.Join(dir, "bundles", "build.json")}
		}, []string{"## ❌ denied: ", "Step `author`: **", "[`threshold-not-met`](https://github.com/signatus-dev/signatus/blob/main/docs/findings.md#threshold-not-met)", "**next:** ", "class step2 allowed", "class step1,artifact1 denied"}, []string{"::error "}},
		"a stranger": {1, func(dir string) map[string]string {
			return map[string]string{"bundle": filepath.Join(dir, "bundles", "stranger.json") + "\n" + filepath.Join(dir, "bundles", "build.json")}
		}, []string{"## ❌ denied: ", "is not a functionary of this step**", "- expected alice@<!-- -->example.com", "- **next:** "}, []string{"::error col=9,file=acme.yml,line="}},
		"nothing to read": {3, func(dir string) map[string]string { return map[string]string{"layout": filepath.Join(dir, "gone.yml")} },
			[]string{"## ❓ undecided: nothing was signed or verified", "**reading layout ", "- **next:** check --layout"}, []string{"::error title=signatus::reading layout "}},
		"a misspelt input": {2, func(string) map[string]string { return map[string]string{"lay-out": "x"} },
			[]string{"## ❌ failed: the inputs are wrong", "there is no such input", "did you mean layout?"}, []string{"::error title=signatus::reading input"}},
		"no summary":              {0, func(string) map[string]string { return map[string]string{"show-summary": "false"} }, nil, nil},
		"no summary of a mistake": {2, func(string) map[string]string { return map[string]string{"show-summary": "false", "lay-out": "x"} }, nil, []string{"::error "}},
		"no answer":               {2, func(string) map[string]string { return map[string]string{"show-summary": "no"} }, []string{"## ❌ failed: ", "show-summary"}, []string{"::error "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := at(t)
			got := step(t, dir, verifying(dir, row.more(dir)), nil)
			if got.code != row.code || got.commands() != nil {
				t.Errorf("exit code %d, commands %q\n%s%s", got.code, got.commands(), got.out, got.report)
			}
			inOrder(t, got.summary, row.want)
			if row.want == nil && got.summary != "" {
				t.Errorf("a summary that nobody wanted:\n%s", got.summary)
			}
			if annotations := got.annotations(); !slices.EqualFunc(annotations, row.annotations, strings.HasPrefix) {
				t.Errorf("the annotations are %q, expected %q", annotations, row.annotations)
			}
		})
	}
}

// inOrder demands words, each behind the one before.
func inOrder(t *testing.T, text string, words []string) {
	t.Helper()
	rest := text
	for _, w := range words {
		_, after, found := strings.Cut(rest, w)
		if !found {
			t.Errorf("%q is missing, or out of order, in\n%s", w, text)
			return
		}
		rest = after
	}
}

// TestActionSummarySigned: subjects, the command and the layout of an attest run, ready
// to be pasted.
func TestActionSummarySigned(t *testing.T) {
	t.Parallel()
	dir := signable(t, "a", "b", "it's`c`")
	layout := filepath.Join(dir, "release.yml")
	inputs := map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build", "paths": filepath.Join(dir, "dist", "*"), "suggest-layout": layout}
	got := step(t, dir, inputs, nil)
	text, err := os.ReadFile(layout)
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, got.summary, []string{"## ✅ signed: 3 subjects\n", "| what | `in-toto link v0.3`, step `build` |", "| signed by | `key sha256:", "| subject | digest |", "| `a` | `sha256:", "| `it's\\u0060c\\u0060` |", "```sh\nsignatus verify ", "```yaml\n" + string(text) + "```\n"})
	if strings.Contains(got.summary, "gh attestation") || got.commands() != nil || got.annotations() != nil {
		t.Errorf("a command that cannot verify it, or %q, %q:\n%s", got.commands(), got.annotations(), got.summary)
	}
	if got := step(t, dir, inputs, nil); got.code != 1 || !strings.HasPrefix(got.summary, "## ❌ denied: nothing was signed") {
		t.Errorf("exit code %d:\n%s", got.code, got.summary)
	}
}

// TestActionSummaryIsOptional: without a summary, the verdict and the outputs are what
// they are with one, and the log says what is missing.
func TestActionSummaryIsOptional(t *testing.T) {
	t.Parallel()
	dir := at(t)
	for name, file := range map[string]string{"not set": "", "gone": filepath.Join(dir, "gone", "summary"), "a folder": dir} {
		for code, more := range map[int]map[string]string{0: nil, 1: {"bundle": filepath.Join(dir, "bundles", "build.json")}} {
			got := step(t, dir, verifying(dir, more), map[string]string{"GITHUB_STEP_SUMMARY": file})
			if got.code != code || got.outputs["exit-code"] != map[int]string{0: "0", 1: "1"}[code] || got.outputs["sarif-path"] == "" {
				t.Errorf("%s: exit code %d, expected %d, outputs %v", name, got.code, code, got.outputs)
			}
			if !strings.Contains(got.report, "::the verdict stands; writing the job's summary") || !strings.Contains(got.report, "GITHUB_STEP_SUMMARY") {
				t.Errorf("%s: nothing says that there is no summary:\n%s", name, got.report)
			}
			if want := code + 1; len(got.annotations()) != want {
				t.Errorf("%s: annotations %q, expected %d", name, got.annotations(), want)
			}
		}
	}
}

// TestActionHostileSummary: whatever a file is called, a summary says so and nothing else.
func TestActionHostileSummary(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no such names")
	}
	for _, name := range []string{
		"<h1>allowed<h1>", "![](x)", "@octocat", "a|b|c", "```", "`` ` ``", "%%{init: {}}%%", "&lt;b&gt;", "$(id)", "'; id; '", "::error title=signatus::a", "##[error]a", "-rf", "a b",
	} {
		dir := signable(t, name)
		got := step(t, dir, map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build", "paths": filepath.Join(dir, "dist", "*")}, nil)
		if got.code != 0 || got.commands() != nil || got.annotations() != nil {
			t.Errorf("%q: exit code %d, commands %q, annotations %q\n%s", name, got.code, got.commands(), got.annotations(), got.report)
		}
		head, _, _ := strings.Cut(got.summary, "\n```") // from where on it is in fences
		for _, mark := range []string{"<h1>", "![", " @octocat", "&lt;b"} {
			if plain := withoutCode(head); strings.Contains(plain, mark) {
				t.Errorf("%q: %q is more than text:\n%s", name, mark, head)
			}
		}
	}
}

// withoutCode is Markdown without its code spans.
func withoutCode(md string) string {
	var rest strings.Builder
	for i, part := range strings.Split(md, "`") {
		if i%2 == 0 {
			rest.WriteString(part)
		}
	}
	return rest.String()
}

// located are the locations of a SARIF log's results.
type located struct {
	Runs []struct {
		Results []struct {
			RuleID    string `json:"ruleId"`
			Locations []struct {
				Physical struct {
					Artifact struct {
						URI  string `json:"uri"`
						Base string `json:"uriBaseId"`
					} `json:"artifactLocation"`
				} `json:"physicalLocation"`
			} `json:"locations"`
		} `json:"results"`
	} `json:"runs"`
}

// TestActionSARIF: whenever there is a verdict there is a log, with locations from the
// workspace, and where there is none there is none.
func TestActionSARIF(t *testing.T) {
	t.Parallel()
	dir := at(t)
	stranger := filepath.Join(dir, "bundles", "stranger.json") + "\n" + filepath.Join(dir, "bundles", "build.json")
	for name, row := range map[string]struct {
		more map[string]string
		want string // where the file is
		uri  string // of the first result
	}{
		"allowed":           {nil, "OUTPUT/signatus-", ""},
		"denied":            {map[string]string{"bundle": stranger}, "OUTPUT/signatus-", "acme.yml"},
		"as asked":          {map[string]string{"bundle": stranger, "format": "sarif", "output": filepath.Join(dir, "mine.sarif")}, "DIR/mine.sarif", "acme.yml"},
		"into the log":      {map[string]string{"bundle": stranger, "format": "sarif"}, "OUTPUT/signatus-", "acme.yml"},
		"another report":    {map[string]string{"bundle": stranger, "format": "json", "output": filepath.Join(dir, "mine.json")}, "OUTPUT/signatus-", "acme.yml"},
		"no verdict":        {map[string]string{"layout": filepath.Join(dir, "gone.yml")}, "", ""},
		"wrong inputs":      {map[string]string{"lay-out": "x"}, "", ""},
		"something else":    {map[string]string{"command": "attest", "key": filepath.Join(dir, "release.pem"), "step": "build", "layout": "", "trusted-root": "", "bundle": ""}, "", ""},
		"no summary at all": {map[string]string{"show-summary": "false"}, "OUTPUT/signatus-", ""},
	} {
		got := step(t, dir, verifying(dir, row.more), nil)
		path := got.outputs["sarif-path"]
		if steady := got.steady(dir)["sarif-path"]; !strings.HasPrefix(steady, row.want) || (path == "") != (row.want == "") {
			t.Errorf("%s: the output is %q, expected %q\n%s", name, steady, row.want, got.report)
		}
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var log located
		if err := json.Unmarshal(text, &log); err != nil || len(log.Runs) != 1 {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		results := log.Runs[0].Results
		if row.uri == "" && len(results) > 0 || row.uri != "" && (len(results) == 0 || results[0].Locations[0].Physical.Artifact.URI != row.uri || results[0].Locations[0].Physical.Artifact.Base != "%SRCROOT%") {
			t.Errorf("%s: the results are %+v, expected one at %q", name, results, row.uri)
		}
	}
}

// TestActionMasksFiles: what is secret in a file is hidden before anything of it can be
// printed, as an input is.
func TestActionMasksFiles(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"
	dir := signable(t, "a")
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registryOf("private"))
	t.Cleanup(server.Close)
	image := strings.TrimPrefix(server.URL, "http://") + "/acme/app@sha256:" + strings.Repeat("0", 64)
	for name, inputs := range map[string]map[string]string{
		"a token, as a file":    {"command": "attest", "offline": "true", "paths": filepath.Join(dir, "dist", "a"), "identity-token": file, "step": "build"},
		"a token, as it is":     {"command": "attest", "offline": "true", "paths": filepath.Join(dir, "dist", "a"), "identity-token": token, "step": "build"},
		"a registry's password": {"command": "attest", "image": image, "registry-username": "alice", "registry-password-file": file, "key": filepath.Join(dir, "key.pem"), "step": "build"},
	} {
		got := step(t, dir, inputs, nil)
		if !slices.Equal(got.commands(), []string{"::add-mask::" + token}) || got.code == 0 {
			t.Errorf("%s: exit code %d, commands %q\n%s", name, got.code, got.commands(), got.report)
		}
		if before, _, _ := strings.Cut(got.report, "::add-mask::"); before != "" {
			t.Errorf("%s: %q is printed before the mask", name, before)
		}
	}
}

// TestActionSaysOnce: what goes wrong stands in the log once. The runner shows ten
// annotations of a step, and the others are text there.
func TestActionSaysOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 12} {
		dir := signable(t, "a")
		var stores []string
		for i := range n {
			stores = append(stores, fmt.Sprintf("dir=%s/key.pem/%02d", dir, i)) // below a file
		}
		got := step(t, dir, map[string]string{"command": "attest", "key": filepath.Join(dir, "key.pem"), "step": "build", "paths": filepath.Join(dir, "dist", "a"), "store": strings.Join(stores, "\n")}, nil)
		shown, text := len(got.annotations()), strings.Count(got.report, "\nsignatus: ")
		if want := min(n, report.MaxAnnotations); got.code != 3 || shown != want+min(1, n-want) || text != n-want {
			t.Errorf("%d problems: exit code %d, %d annotations and %d texts\n%s", n, got.code, shown, text, got.report)
		}
		for _, store := range stores {
			if name := filepath.Base(store); strings.Count(got.report, "/key.pem/"+name+": ") != 1 {
				t.Errorf("%d problems: %s is not told once\n%s", n, name, got.report)
			}
		}
	}
}
