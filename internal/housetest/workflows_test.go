package housetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// ownAction is this project's, as workflows call it.
const ownAction = "signatus-dev/signatus"

// workflowText is YAML of GitHub Actions: a file, or a piece of one in a page.
type workflowText struct {
	name string // the file
	page bool   // it stands in Markdown
	text string
}

// workflowTexts are all of the tree's: the workflows, those that tests run, the composite
// action, and what pages and layouts' comments show.
func workflowTexts(t *testing.T) (found []workflowText) {
	t.Helper()
	fence := regexp.MustCompile("(?s)```ya?ml\n(.*?)```")
	tree(t, func(name string, content []byte) {
		switch {
		case strings.HasSuffix(name, ".md"):
			for _, block := range fence.FindAllSubmatch(content, -1) {
				found = append(found, workflowText{name, true, string(block[1])})
			}
		case strings.HasPrefix(name, ".github/") || strings.Contains(name, "testdata/workflows/") || strings.HasPrefix(name, "composite/"):
			if ext := filepath.Ext(name); ext == ".yml" || ext == ".yaml" {
				found = append(found, workflowText{name, false, string(content)})
			}
		}
	})
	return found
}

// TestUsesArePinned: what a workflow uses is named by its commit, with the version beside
// it for people; a tag can be moved.
func TestUsesArePinned(t *testing.T) {
	t.Parallel()
	shelf, seen := pins(t), 0
	for _, w := range workflowTexts(t) {
		seen += strings.Count(w.text, "uses:")
		for _, problem := range unpinned(w, shelf) {
			t.Errorf("%s: %s", w.name, problem)
		}
	}
	if seen < 20 {
		t.Errorf("found %d uses, expected more", seen)
	}
}

// pins are the commits of the reference shelf, by action and version; none where it is
// not there, and then the form alone is held.
func pins(t *testing.T) map[string]string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(root, "../shared/action-pins.tsv"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(list)) {
		if columns := strings.Split(line, "\t"); len(columns) > 2 {
			known[columns[0]+" "+columns[1]] = columns[2]
		}
	}
	return known
}

// unpinned lists what is wrong with the uses of a text.
func unpinned(w workflowText, shelf map[string]string) (problems []string) {
	uses := regexp.MustCompile(`(?m)^[^#\n]*\buses:[ ]*([^\s,}]+)(.*)$`)
	commit := regexp.MustCompile(`^[0-9a-f]{40}$`)
	version := regexp.MustCompile(`^ # (v\d+\.\d+\.\d+)$`)
	for _, m := range uses.FindAllStringSubmatch(w.text, -1) {
		used, behind := strings.Trim(m[1], `"'`), m[2]
		action, ref, named := strings.Cut(used, "@")
		said := version.FindStringSubmatch(behind)
		switch {
		case strings.HasPrefix(used, "./"):
		case strings.HasPrefix(used, "docker://"):
			if !regexp.MustCompile(`@sha256:[0-9a-f]{64}$`).MatchString(used) {
				problems = append(problems, used+" names no digest")
			}
		case !named:
			problems = append(problems, used+" names no commit")
		// There is no release yet. Who copies the line puts the commit there.
		case (action == ownAction || strings.HasPrefix(action, ownAction+"/")) && ref == "COMMIT" && !strings.HasPrefix(w.name, ".github/"):
		// Its own verifier takes no other name than a released tag.
		case strings.HasPrefix(action, "slsa-framework/slsa-github-generator/") && w.page && regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(ref):
		case !commit.MatchString(ref):
			problems = append(problems, used+" is not named by its commit of 40 digits")
		case said == nil:
			problems = append(problems, fmt.Sprintf("behind %s stands %q, expected its version, such as  # v1.2.3", used, behind))
		case shelf != nil && shelf[action+" "+said[1]] != ref:
			problems = append(problems, fmt.Sprintf("%s %s is %s on the reference shelf", action, said[1], shelf[action+" "+said[1]]))
		}
	}
	return problems
}

// TestStepsAskForWhatThereIs: a step of this project's Action gives inputs that action.yml
// has, and reads outputs that it has; so does a job of its reusable workflow.
func TestStepsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	own := ownInterfaces(t)
	for _, w := range workflowTexts(t) {
		if strings.HasSuffix(w.name, "/wrong.yml") {
			continue // it asks for what is not there, on purpose
		}
		problems, err := asksInVain(w, own)
		if err != nil && strings.Contains(w.text, "uses:") {
			t.Errorf("%s: %v in\n%s", w.name, err, w.text)
		}
		for _, problem := range problems {
			t.Errorf("%s: %s", w.name, problem)
		}
	}
}

// face is what may be given and asked.
type face struct{ inputs, outputs, required []string }

// ownInterfaces are those of action.yml and of the reusable workflow.
func ownInterfaces(t *testing.T) (own struct{ action, workflow face }) {
	t.Helper()
	type declared map[string]struct{ Required bool }
	var action struct{ Inputs, Outputs declared }
	var workflow struct {
		On struct {
			Call struct{ Inputs, Outputs declared } `yaml:"workflow_call"`
		} `yaml:"on"`
	}
	for name, into := range map[string]any{"action.yml": &action, ".github/workflows/build-and-attest.yml": &workflow} {
		if err := yaml.Unmarshal(read(t, name), into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	of := func(inputs, outputs declared) (f face) {
		for name, input := range inputs {
			if f.inputs = append(f.inputs, name); input.Required {
				f.required = append(f.required, name)
			}
		}
		for name := range outputs {
			f.outputs = append(f.outputs, name)
		}
		return f
	}
	own.action, own.workflow = of(action.Inputs, action.Outputs), of(workflow.On.Call.Inputs, workflow.On.Call.Outputs)
	return own
}

// asksInVain lists the inputs and outputs of this project's own that are not there.
func asksInVain(w workflowText, own struct{ action, workflow face }) (problems []string, err error) {
	decoder := yaml.NewDecoder(strings.NewReader(w.text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return problems, nil
		} else if err != nil {
			return problems, err
		}
		walk(&document, "", func(key string, m map[string]*yaml.Node) {
			used := value(m["uses"])
			f, what := own.action, "action.yml"
			switch {
			case strings.Contains(used, "/.github/workflows/build-and-attest.yml"):
				f, what = own.workflow, "build-and-attest.yml"
			case !isOwn(used):
				return
			}
			given := mapping(m["with"])
			for name := range given {
				if !slices.Contains(f.inputs, name) {
					problems = append(problems, fmt.Sprintf("%s is given %s, which is no input of %s", used, name, what))
				}
			}
			for _, name := range f.required {
				if given[name] == nil {
					problems = append(problems, fmt.Sprintf("%s is not given %s, which %s requires", used, name, what))
				}
			}
			problems = append(problems, readsInVain(w, f, "steps", value(m["id"]))...)
			if what != "action.yml" {
				problems = append(problems, readsInVain(w, f, "needs", key)...)
			}
		})
	}
}

// readsInVain lists the outputs of a step or a job that a text reads and that are not.
func readsInVain(w workflowText, f face, where, id string) (problems []string) {
	if id == "" {
		return nil
	}
	reads := regexp.MustCompile(`\b` + where + `\.` + regexp.QuoteMeta(id) + `\.outputs\.([A-Za-z0-9_-]+)`)
	for _, m := range reads.FindAllStringSubmatch(w.text, -1) {
		if !slices.Contains(f.outputs, m[1]) {
			problems = append(problems, fmt.Sprintf("%s is no output", m[0]))
		}
	}
	return problems
}

// isOwn tells whether a step uses this project's Action, in one of its two forms.
func isOwn(used string) bool {
	if local, _, _ := strings.Cut(used, "@"); local == ownAction || local == ownAction+"/composite" {
		return true
	}
	return slices.Contains([]string{"./", "./composite", "./.action", "./.signatus"}, used)
}

// walk visits every mapping below a node, each with the key that it stands behind.
func walk(n *yaml.Node, key string, visit func(key string, m map[string]*yaml.Node)) {
	if n.Kind == yaml.MappingNode {
		m := mapping(n)
		visit(key, m)
		for name, child := range m {
			walk(child, name, visit)
		}
		return
	}
	for _, child := range n.Content {
		walk(child, "", visit)
	}
}

func mapping(n *yaml.Node) map[string]*yaml.Node {
	m := map[string]*yaml.Node{}
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = n.Content[i+1]
		}
	}
	return m
}

func value(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// TestCompositeHasTheSameFace: what the Action takes in its container it takes without.
func TestCompositeHasTheSameFace(t *testing.T) {
	t.Parallel()
	var faces [2]struct {
		Inputs, Outputs map[string]struct{ Description, Default string }
	}
	for i, name := range []string{"action.yml", "composite/action.yml"} {
		if err := yaml.Unmarshal(read(t, name), &faces[i]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name, input := range faces[0].Inputs {
		if faces[1].Inputs[name] != input {
			t.Errorf("composite/action.yml has not the input %s of action.yml; next: go run ./internal/release composite", name)
		}
	}
	for name, output := range faces[0].Outputs {
		if faces[1].Outputs[name] != output {
			t.Errorf("composite/action.yml has not the output %s of action.yml; next: go run ./internal/release composite", name)
		}
	}
	if len(faces[0].Inputs) != len(faces[1].Inputs) || len(faces[0].Outputs) != len(faces[1].Outputs) {
		t.Error("composite/action.yml has more than action.yml; next: go run ./internal/release composite")
	}
}
