package command_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// converted is attestation-verifier's layout as docs/layout.md says, for the step
// that the artifact in hand comes from: its test speaks of the source and its build
// of the binary, and what joins neither with the artifact says nothing of it.
const converted = `_type: layout
version: 1
expires: "EXPIRES"
functionaries:
  key: {keyType: ed25519, scheme: ed25519, keyVal: {public: PUBLIC}}
steps:
  - name: clone
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["CREATE foo", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://in-toto.io/attestation/link/v0.3"
        expectedAttributes: [{rule: "!has(predicate.command) || predicate.command == ['git', 'clone', 'https://example.com/foo.git']"}]
        functionaries: [key]
        threshold: 1
STEP
`

const convertedTest = `  - name: test
    expectedMaterials: ["MATCH foo WITH products FROM clone", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://in-toto.io/attestation/test-result/v0.1"
        expectedAttributes: [{rule: "size(predicate.failedTests) == 0"}, {rule: "predicate.result == 'PASSED'"}, {rule: "size(subject) != 0"}]
        functionaries: [key]
        threshold: 1
subjects: [{subject: [foo], from: test}]`

const convertedBuild = `  - name: build
    expectedMaterials: ["MATCH foo WITH products FROM clone", "DISALLOW *"]
    expectedProducts: ["CREATE bin/foo", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://slsa.dev/provenance/v1"
        expectedAttributes:
          - {rule: "predicate.buildDefinition.buildType == 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1'"}
          - {rule: "predicate.runDetails.builder.id == 'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/v1.7.0'"}
        functionaries: [key]
        threshold: 1
subjects: [{subject: [bin/foo], from: build}]`

// TestAttestationVerifier replays that project's layout over its own test data. Of
// the three envelopes one holds no statement, as it has "type" in place of "_type":
// it is signed again with the key of the corpus.
func TestAttestationVerifier(t *testing.T) {
	t.Parallel()
	const corpus = "../../../shared/corpus/in-toto/attestation-verifier"
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(corpus, name))
		if os.IsNotExist(err) {
			t.Skipf("the corpus is not here: %s", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var key struct {
		Keyval struct{ Public, Private string }
	}
	if err := json.Unmarshal(read("test-data-raw/key"), &key); err != nil {
		t.Fatal(err)
	}
	seed, err := hex.DecodeString(key.Keyval.Private)
	if err != nil || len(seed) < ed25519.SeedSize {
		t.Fatalf("a seed of %d bytes: %v", len(seed), err)
	}
	private := ed25519.NewKeyFromSeed(seed[:ed25519.SeedSize])
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public, _ := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	layout := func(name, step string) string {
		return write(name, []byte(strings.NewReplacer("EXPIRES", expiry().Format("2006-01-02T15:04:05Z"), "PUBLIC", string(public), "STEP", step).Replace(converted)))
	}
	const payloadType = "application/vnd.in-toto+json"
	payload := []byte(strings.Replace(string(read("test-data-raw/clone.json")), `"type"`, `"_type"`, 1))
	again, _ := json.Marshal(map[string]any{
		"payloadType": payloadType, "payload": base64.StdEncoding.EncodeToString(payload),
		"signatures": []any{map[string]string{"keyid": "", "sig": base64.StdEncoding.EncodeToString(ed25519.Sign(private, dsse.PAE(payloadType, payload)))}},
	})
	clone := write("clone.json", again)
	build, test := write("build.json", read("test-data/build.fe1c6281.json")), write("test.json", read("test-data/test.fe1c6281.json"))
	asItIs := write("as-it-is.json", read("test-data/clone.fe1c6281.json"))
	const source = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const binary = "sha256:58eaf5a78d580f5dbd49d31a5b733094169b31bfdf49055b74bcac2877d8f58c"
	built, tested := layout("build.yml", convertedBuild), layout("test.yml", convertedTest)
	for _, c := range []struct {
		name, artifact, layout string
		bundles                []string
		code                   int
	}{
		{"the build", binary, built, []string{clone, build}, 0},
		{"the test", source, tested, []string{clone, test}, 0},
		{"the clone's envelope as it is", binary, built, []string{asItIs, build}, 1},
		{"no clone", binary, built, []string{build}, 1},
		{"another binary", source, built, []string{clone, build}, 1},
		{"another builder", binary, layout("other.yml", strings.Replace(convertedBuild, "v1.7.0", "v1.8.0", 1)), []string{clone, build}, 1},
		{"another result", source, layout("failed.yml", strings.Replace(convertedTest, "'PASSED'", "'FAILED'", 1)), []string{clone, test}, 1},
	} {
		args := []string{"verify", c.artifact, "--offline", "--layout", c.layout}
		for _, b := range c.bundles {
			args = append(args, "--bundle", b)
		}
		if o := run(t, nil, args...); o.code != c.code {
			t.Errorf("%s: exit code %d, expected %d\n%s%s", c.name, o.code, c.code, o.out, o.report)
		}
	}
}
