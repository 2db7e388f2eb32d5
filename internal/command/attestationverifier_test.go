package command_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// peerCase is a layout of attestation-verifier with evidence, put to signatus verify.
type peerCase struct {
	name, artifact string
	layout         string // its file
	as             *conversion
	evidence       []string
	params         []string
	says           string // the finding, and words of the report after a colon; empty where it is allowed
}

// set is the row of docs/conformance.md.
func (c peerCase) set() string {
	set, _, _ := strings.Cut(c.layout, "/")
	return set
}

// peer is the project's folder of the corpus.
type peer struct{ dir string }

func openPeer(t *testing.T) peer {
	t.Helper()
	p := peer{dir: filepath.Join(inTotoCorpus, "attestation-verifier")}
	if _, err := os.Stat(p.dir); os.IsNotExist(err) {
		t.Skipf("the corpus is not here: %s", p.dir)
	}
	return p
}

// cases are every layout of the project, as it is and converted.
func (p peer) cases(t *testing.T) (cases []peerCase) {
	t.Helper()
	layouts, err := filepath.Glob(filepath.Join(p.dir, "branch-*/layouts/*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(layouts, filepath.Join(p.dir, "layouts/layout.yml")) {
		name, err := filepath.Rel(p.dir, file)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, peerCase{name: "as it is", artifact: peerBinary, layout: name, evidence: []string{"test-data"}, says: "layout-malformed"})
		switch filepath.Base(name) {
		case "layout.yml":
			cases = append(cases, exampleCases(name)...)
		case "layout-witness.yml":
			cases = append(cases, witnessCases(name)...)
		case "layout-swf.yml":
			cases = append(cases, workflowCases(name)...)
		case "layout-scai.yml":
			cases = append(cases, peerCase{name: "a certificate that nothing dates", artifact: peerWawaka, layout: name, as: &conversion{steps: []string{"build"}, from: "build"},
				evidence: []string{"branch-sigstore-verifier/test-data-scai/build.fulcio.json"}, says: "bundle-malformed: bare DSSE envelope"})
		default:
			t.Errorf("%s: a layout without a case", name)
		}
	}
	return slices.Concat(cases, packageCases(), unsignedCases())
}

// unsignedCases are the example's statements before they were signed.
func unsignedCases() []peerCase {
	const layout = "layouts/layout.yml"
	step := func(name string) *conversion { return &conversion{steps: []string{name}, from: name} }
	joined := func(name string) *conversion { return &conversion{steps: []string{"clone", name}, from: name} }
	return []peerCase{
		{"unsigned, the build", peerBinary, layout, joined("build"), []string{"again", "test-data-raw/build.json"}, nil, "threshold-not-met: without a signature"},
		{"unsigned, the test", peerFoo, layout, joined("test"), []string{"again", "test-data-raw/test.json"}, nil, "threshold-not-met: without a signature"},
		{"unsigned, the clone", peerFoo, layout, step("clone"), []string{"test-data-raw/clone.json"}, nil, "bundle-malformed"},
		{"the clone", peerFoo, layout, step("clone"), []string{"again"}, nil, ""},
	}
}

// run holds a case to what it expects.
func (p peer) run(t *testing.T, c peerCase) bool {
	t.Helper()
	args := []string{"verify", c.artifact, "--offline", "--format", "json", "--layout", p.layoutOf(t, c)}
	for _, name := range c.evidence {
		file := filepath.Join(p.dir, name)
		if name == "again" {
			file = p.signedAgain(t)
		}
		args = append(args, "--bundle", file)
	}
	for name, value := range p.parametersOf(t, c) {
		args = append(args, "--param", name+"="+value)
	}
	o := run(t, nil, args...)
	id, words, _ := strings.Cut(c.says, ": ")
	ids := findingsOf(t, o)
	if c.says == "" && o.code == 0 || o.code == 1 && slices.Contains(ids, id) && strings.Contains(o.out, words) {
		return true
	}
	t.Errorf("%s, %s: exit code %d with %q, expected %q\n%s", c.layout, c.name, o.code, ids, c.says, o.report)
	return false
}

// layoutOf writes the case's layout, unless it is taken as it is.
func (p peer) layoutOf(t *testing.T, c peerCase) string {
	t.Helper()
	switch {
	case c.layout == packageEvidence:
		public, err := json.Marshal(pemOfHex(t, p.key(t).Public))
		if err != nil {
			t.Fatal(err)
		}
		return write(t, t.TempDir(), "written.json", []byte(strings.NewReplacer("EXPIRES", expiry().Format("2006-01-02T15:04:05Z"), "PUBLIC", string(public)).Replace(packageLayout)))
	case c.as == nil:
		return filepath.Join(p.dir, c.layout)
	}
	return write(t, t.TempDir(), "written.json", c.as.convert(t, p.read(t, c.layout)))
}

// parametersOf are the corpus' own for the package, with the case's changes.
func (p peer) parametersOf(t *testing.T, c peerCase) map[string]string {
	t.Helper()
	if c.layout != packageEvidence {
		return nil
	}
	values := map[string]string{}
	if err := json.Unmarshal(p.read(t, "parameters/npm-sigstore.json"), &values); err != nil {
		t.Fatal(err)
	}
	for _, derived := range []string{"config_source", "github_workflow_ref", "github_repository_owner_id"} {
		delete(values, derived) // those two are made of the others, and no rule asks for the third
	}
	for _, changed := range c.params {
		name, value, _ := strings.Cut(changed, "=")
		values[name] = value
	}
	return values
}

// signedAgain is the clone's envelope with "_type" in place of "type", without which
// it holds no statement, signed with the key of the corpus.
func (p peer) signedAgain(t *testing.T) string {
	t.Helper()
	seed, err := hex.DecodeString(p.key(t).Private)
	if err != nil || len(seed) != ed25519.SeedSize {
		t.Fatalf("a seed of %d bytes: %v", len(seed), err)
	}
	const payloadType = "application/vnd.in-toto+json"
	payload := []byte(strings.Replace(string(p.read(t, "test-data-raw/clone.json")), `"type"`, `"_type"`, 1))
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(seed), dsse.PAE(payloadType, payload))
	envelope, err := json.Marshal(mapping{
		"payloadType": payloadType, "payload": base64.StdEncoding.EncodeToString(payload),
		"signatures": []mapping{{"keyid": "", "sig": base64.StdEncoding.EncodeToString(signature)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, t.TempDir(), "written.json", envelope)
}

// peerKey is the one that signed all of the evidence, in hex.
type peerKey struct{ Public, Private string }

func (p peer) key(t *testing.T) peerKey {
	t.Helper()
	var file struct{ Keyval peerKey }
	if err := json.Unmarshal(p.read(t, "test-data-raw/key"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Keyval
}

func (p peer) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestAttestationVerifier replays every layout of that project over its evidence.
func TestAttestationVerifier(t *testing.T) {
	t.Parallel()
	p := openPeer(t)
	for _, c := range p.cases(t) {
		t.Run(c.layout+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			p.run(t, c)
		})
	}
}

// peerTallies are the counts of docs/conformance.md, by the folder of the layout.
type peerTallies map[string]*struct{ pass, fail tally }

func countPeer(t *testing.T) peerTallies {
	t.Helper()
	tallies := peerTallies{}
	p := openPeer(t)
	for _, c := range p.cases(t) {
		if tallies[c.set()] == nil {
			tallies[c.set()] = &struct{ pass, fail tally }{}
		}
		n := &tallies[c.set()].pass
		if c.says != "" {
			n = &tallies[c.set()].fail
		}
		n.add(p.run(t, c))
	}
	return tallies
}

func (n peerTallies) write(line func(string, ...any)) {
	line("## Layouts of attestation-verifier")
	line("")
	line("Every layout of `../shared/corpus/in-toto/attestation-verifier`, of the project's main branch and of three others, as it is and converted as [layout.md](layout.md#coming-from-attestation-verifier) says, each over the evidence that lies beside it: `signatus verify DIGEST --bundle FILE… --layout FILE`. Beside what must be allowed stand the same questions with one thing changed, each with the finding that must be there. The layout for `test-data-npm` is not in the corpus; ours asks for what its parameters name.")
	line("")
	line("| set | allowed, as expected | denied, as expected |")
	line("|---|---|---|")
	for _, set := range slices.Sorted(maps.Keys(n)) {
		line("| %s | %s | %s |", set, n[set].pass, n[set].fail)
	}
	line("")
	line("Witness collections pass with their attestors and their files asked in CEL, since a collection's materials are its subjects here. What cannot pass, and is among the denied:")
	line("")
	line("| what | finding | why |")
	line("|---|---|---|")
	line("| each of the eight layouts as it is | `layout-malformed` | no `_type`, `version` and `subjects`, keys that are not ours, lists that end open |")
	line("| their expiry, in 2100 or 2024 | `layout-expiry-too-far`, `layout-expired` | at most two years ahead |")
	line("| `clone` of the example, as it was signed | `threshold-not-met` | it holds no statement: `type` stands for `_type`. Signed again with the corpus' key, it passes |")
	line("| the example's three steps at once | `step-not-joined` | its test is about the source and its build about the binary; each passes with the clone |")
	line("| `test-data-raw`, `test-data-witness-raw`, `test-data-swf-raw` | `bundle-malformed` | statements that nobody signed |")
	line("| `build.fulcio.json` of `branch-sigstore-verifier` | `bundle-malformed` | a certificate beside the signature, and no log entry or timestamp: nothing proves that it was valid then |")
	line("| a run's collections, of the run's image | `step-not-joined` | all but one speak of the run and not of the image; of the run they pass |")
	line("")
}
