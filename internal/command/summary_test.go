package command_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/signatus-dev/signatus/internal/command"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// The release's resource, and who verifies it.
const (
	releaseResource = "https://example.com/releases/app"
	releaseVerifier = "https://example.com/release-verifier"
)

// granting is acme.yml with the levels that it grants.
func granting(t testing.TB, dir string) string {
	t.Helper()
	text := strings.Replace(string(theWorld(t)["acme.yml"]), "\nversion: 1\n", "\nversion: 1\nverifiedLevels: [SLSA_BUILD_LEVEL_2, ACME_REVIEWED]\n", 1)
	return write(t, dir, "granting.yml", []byte(text))
}

// stating verifies the world's app, and states the verdict with the release key.
func stating(dir, layout, file string, more ...string) []string {
	args := append(layoutArgs(dir, layout), "--vsa", file, "--vsa-key", filepath.Join(dir, "release.pem"), "--vsa-verifier-id", releaseVerifier, "--vsa-resource", releaseResource)
	return append(args, more...)
}

// demand is a layout that takes a summary by a key, of the release.
type demand struct {
	key      string // a file of the world
	resource string
	policy   string // SHA-256
	levels   string
}

func demanding(t testing.TB, dir, policyFile string) demand {
	t.Helper()
	data, err := os.ReadFile(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return demand{key: "release.pub", resource: releaseResource, policy: hex.EncodeToString(sum[:]), levels: "SLSA_BUILD_LEVEL_2, ACME_REVIEWED"}
}

func (d demand) layout(t testing.TB) string {
	t.Helper()
	key := strings.ReplaceAll(strings.TrimSpace(string(theWorld(t)[d.key])), "\n", "\n        ")
	return fmt.Sprintf(`_type: layout
version: 1
expires: %q
functionaries:
  verifier:
    keyType: ecdsa
    keyVal:
      public: |
        %s
steps:
  - name: verified
    expectedMaterials: ["ALLOW *", "DISALLOW *"]
    expectedPredicates:
      - predicateType: %q
        functionaries: [verifier]
        threshold: 1
        vsa: {resourceUri: %q, policy: {sha256: %q}, verifierId: %q, verifiedLevels: [%s]}
subjects: [{subject: ["*"], from: verified}]
`, expiry().Format("2006-01-02T15:04:05Z"), key, vsa.V1, d.resource, d.policy, releaseVerifier, d.levels)
}

// summaries reads what a file of bundles states, one summary a line.
func summaries(t testing.TB, file string) (all []vsa.Summary) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(bytes.TrimSpace(data)) {
		var bundle struct {
			Envelope struct {
				Payload string `json:"payload"`
			} `json:"dsseEnvelope"`
		}
		if err := json.Unmarshal(line, &bundle); err != nil {
			t.Fatal(err)
		}
		payload, err := base64.StdEncoding.DecodeString(bundle.Envelope.Payload)
		if err != nil {
			t.Fatal(err)
		}
		var statement struct {
			PredicateType string `json:"predicateType"`
			Predicate     any    `json:"predicate"`
		}
		if err := json.Unmarshal(payload, &statement); err != nil {
			t.Fatal(err)
		}
		predicate, err := json.Marshal(statement.Predicate)
		if err != nil {
			t.Fatal(err)
		}
		s, err := vsa.Read(statement.PredicateType, predicate)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// A first verification states its verdict, and a second one takes it for evidence:
// only for what it says, of what it names, by whom it is expected from.
func TestSummaryIsConsumed(t *testing.T) {
	t.Parallel()
	dir := at(t)
	policy, file := granting(t, dir), filepath.Join(dir, "app.vsa.json")
	run(t, nil, stating(dir, policy, file)...).demand(t, 0, "allowed: ", "stated  PASSED of "+releaseResource+" in ", "SLSA_BUILD_LEVEL_2, ACME_REVIEWED")
	failed := filepath.Join(dir, "failed.vsa.json")
	refusing := strings.Replace(strings.Join(stating(dir, policy, failed), "\x00"), "author.json", "stranger.json", 1)
	run(t, nil, strings.Split(refusing, "\x00")...).demand(t, 1, "denied: ", "stated     FAILED of "+releaseResource)

	base := demanding(t, dir, policy)
	for i, row := range []struct {
		name   string
		file   string
		app    string
		change func(*demand)
		code   int
		words  string
	}{
		{"as it is", file, "app", nil, 0, "allowed: "},
		{"a lower level is enough", file, "app", func(d *demand) { d.levels = "SLSA_BUILD_LEVEL_1" }, 0, "allowed: "},
		{"another policy", file, "app", func(d *demand) { d.policy = strings.Repeat("0", 64) }, 1, "vsa-policy"},
		{"another resource", file, "app", func(d *demand) { d.resource += "2" }, 1, "vsa-resource"},
		{"a level that was not granted", file, "app", func(d *demand) { d.levels = "SLSA_BUILD_LEVEL_3" }, 1, "vsa-levels"},
		{"another signer", file, "app", func(d *demand) { d.key = "stranger.pub" }, 1, "signature-invalid"},
		{"another artifact", file, "acme.yml", nil, 1, "artifact-not-subject"},
		{"one that failed", failed, "app", func(d *demand) { d.levels = "SLSA_BUILD_LEVEL_0" }, 1, "vsa-not-passed"},
		{"the evidence itself", filepath.Join(dir, "bundles", "build.json"), "app", nil, 1, "denied: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := base
			if row.change != nil {
				row.change(&d)
			}
			layout := write(t, dir, fmt.Sprintf("consumer-%d.yml", i), []byte(d.layout(t)))
			run(t, nil, "verify", filepath.Join(dir, row.app), "--layout", layout, "--bundle", row.file, "--trusted-root", filepath.Join(dir, "trusted_root.json")).demand(t, row.code, row.words)
		})
	}
}

// What a summary states is the verdict's, artifact by artifact: no more inputs than
// counted, no level that the layout does not grant, and never PASSED for what is denied.
func TestSummaryStatesTheVerdict(t *testing.T) {
	t.Parallel()
	dir := at(t)
	policy, file := granting(t, dir), filepath.Join(dir, "all.vsa.jsonl")
	other := write(t, dir, "other", []byte("something else\n"))
	o := run(t, nil, stating(dir, policy, file, other, "--bundle", filepath.Join(dir, "bundles", "bob.json"), "--format", "json")...)
	o.demand(t, 1, `"result": "PASSED"`, `"result": "FAILED"`)
	validReport(t, o.out)
	all := summaries(t, file)
	if len(all) != 2 {
		t.Fatalf("%d summaries, expected one for each artifact", len(all))
	}
	passed, failed := all[0], all[1]
	if passed.Result != vsa.Passed || strings.Join(passed.Levels, " ") != "SLSA_BUILD_LEVEL_2 ACME_REVIEWED" || len(passed.Inputs) != 2 {
		t.Errorf("the allowed artifact's: %+v", passed)
	}
	if failed.Result != vsa.Failed || strings.Join(failed.Levels, " ") != vsa.Failed || len(failed.Inputs) != 3 {
		t.Errorf("the denied artifact's: %+v", failed)
	}
	d := demanding(t, dir, policy)
	for _, s := range all {
		if s.VerifierID != releaseVerifier || s.ResourceURI != releaseResource || s.Policy.Digest["sha256"] != d.policy || s.Policy.URI != "granting.yml" || s.TimeVerified.IsZero() || s.SLSAVersion != vsa.SLSAVersion {
			t.Errorf("a summary says %+v", s)
		}
	}
	// A second run adds to the file, and takes nothing away.
	run(t, nil, stating(dir, policy, file)...).demand(t, 0)
	if again := summaries(t, file); len(again) != 3 {
		t.Errorf("%d summaries after a second run", len(again))
	}
	// A layout that grants nothing: nothing is inferred.
	bare := filepath.Join(dir, "bare.vsa.json")
	run(t, nil, stating(dir, filepath.Join(dir, "acme.yml"), bare)...).demand(t, 0)
	if s := summaries(t, bare)[0]; s.Result != vsa.Passed || len(s.Levels) != 0 {
		t.Errorf("levels are inferred: %+v", s)
	}
}

// validReport holds a JSON report to its schema.
func validReport(t testing.TB, text string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(report.Schema, schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(report.Schema)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("the report is not as its schema says: %v", err)
	}
}

// Parameters make a policy what it is: they are stated with it.
func TestSummaryParameters(t *testing.T) {
	t.Parallel()
	dir := at(t)
	file := filepath.Join(dir, "app.vsa.json")
	args := stating(dir, filepath.Join(dir, "layouts", "author-and-builder.yml"), file, "--param", "repo="+repository, "--param", "repoId=728493015", "--param", "author=alice@example.com", "--param", "workflow=release.yml")
	run(t, nil, args...).demand(t, 0)
	if got := summaries(t, file)[0].Policy.Parameters; got["repo"] != repository || len(got) != 4 {
		t.Errorf("the parameters are %v", got)
	}
}

// Nothing is stated where nothing is decided.
func TestNothingIsStated(t *testing.T) {
	t.Parallel()
	dir := at(t)
	for name, row := range map[string]struct {
		args func(file string) []string
		code int
	}{
		"an artifact that cannot be read": {func(file string) []string {
			return append([]string{"verify", filepath.Join(dir, "missing")}, stating(dir, filepath.Join(dir, "acme.yml"), file)[2:]...)
		}, 3},
		"a layout that has expired": {func(file string) []string { return stating(dir, filepath.Join(dir, "expired.yml"), file) }, 1},
		"a key that is none": {func(file string) []string {
			return append(layoutArgs(dir, filepath.Join(dir, "acme.yml")), "--vsa", file, "--vsa-key", filepath.Join(dir, "app"), "--vsa-verifier-id", releaseVerifier)
		}, 1},
		"nobody to sign": {func(file string) []string {
			return append(layoutArgs(dir, filepath.Join(dir, "acme.yml")), "--vsa", file, "--vsa-verifier-id", releaseVerifier)
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "x.vsa.json")
			run(t, nil, row.args(file)...).demand(t, row.code)
			if _, err := os.Stat(file); err == nil {
				t.Errorf("%s is there", file)
			}
		})
	}
}

// nowhere is a machine without a network.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
}

// Without a network the verdict stands, nobody waits long, and what to do names the
// summary's own flags.
func TestSummaryWithoutNetwork(t *testing.T) {
	t.Parallel()
	dir := at(t)
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(fmt.Appendf(nil,
		`{"iss":"https://accounts.google.com","aud":"sigstore","sub":"1","email":"a@example.com","email_verified":true,"exp":%d}`, time.Now().Add(time.Hour).Unix())) + ".AAAA"
	file := filepath.Join(t.TempDir(), "x.vsa.json")
	o := run(t, func(env *command.Env) { env.HTTP = &http.Client{Transport: nowhere{}} },
		append(layoutArgs(dir, filepath.Join(dir, "acme.yml")), "--vsa", file, "--vsa-verifier-id", releaseVerifier, "--identity-token", token,
			"--signing-config", filepath.Join("..", "signer", "embedded", "sigstore.signing_config.v0.2.json"))...)
	o.demand(t, 3, "stating the verdict on", "(3 attempts)", "asking again in", "sign with --vsa-key FILE and --vsa-verifier-id URI; the verdict stands, and no summary was written")
	if _, err := os.Stat(file); err == nil {
		t.Errorf("%s is there", file)
	}
}

// What is wrong with the flags is said before anything is read.
func TestSummaryUsage(t *testing.T) {
	t.Parallel()
	dir := at(t)
	layout, key := filepath.Join(dir, "acme.yml"), filepath.Join(dir, "release.pem")
	file := filepath.Join(dir, "x.vsa.json")
	with := func(more ...string) []string { return append(layoutArgs(dir, layout), more...) }
	for _, row := range []struct {
		args []string
		word string
	}{
		{simpleArgs(dir, "--vsa", file, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier), "--vsa goes with --layout"},
		{with("--vsa", file, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier, "--step", "build"), "--vsa and --step"},
		{with("--vsa", file, "--vsa-key", key), "--vsa-key alone"},
		{with("--vsa", file, "--vsa-key", key, "--vsa-verifier-id", "me"), "--vsa-verifier-id"},
		{with("--vsa", file, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier, "--vsa-resource", "app"), "--vsa-resource"},
		{with("--vsa-resource", releaseResource), "go with --vsa"},
		{with("--vsa-key", key), "go with --vsa"},
		{with("--identity-token", "x"), "go with --vsa"},
		{with("--vsa", file, "--vsa-key", key, "--identity-token", "x", "--vsa-verifier-id", releaseVerifier), "--vsa-key and an identity token"},
		{with("--vsa", layout, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier), "--layout"},
		{with("--vsa", filepath.Join(dir, "app"), "--vsa-key", key, "--vsa-verifier-id", releaseVerifier), "the artifact"},
		{with("--vsa", file, "--output", file, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier), "--output"},
	} {
		run(t, nil, row.args...).demand(t, 2, row.word)
	}
	notes := write(t, dir, "notes.txt", []byte("something that nobody means to lose\n"))
	run(t, nil, with("--vsa", notes, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier)...).demand(t, 1, "it is none of bundles")
	if data, err := os.ReadFile(notes); err != nil || string(data) != "something that nobody means to lose\n" {
		t.Errorf("the file is %q, %v", data, err)
	}
	run(t, nil, with("--vsa", filepath.Join(dir, "none", "x"), "--vsa-key", key, "--vsa-verifier-id", releaseVerifier)...).demand(t, 3, "none")
}

// TestSummaryCorpus puts slsa-verifier's two questions about summaries: with the right
// key its one summary verifies, and then speaks of an artifact that is known by Google's
// own image id alone, which no digest in hand is compared with; with another key it does
// not.
func TestSummaryCorpus(t *testing.T) {
	t.Parallel()
	const folder = "../../../shared/corpus/sigstore/slsa-verifier/vsa/gce/v1/"
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the corpus is not there: %v", err)
	}
	other := filepath.Join(at(t), "release.pub")
	for key, want := range map[string]string{folder + "vsa_signing_public_key.pem": "artifact-not-subject", other: "signature-invalid"} {
		run(t, nil, "verify", "sha256:"+strings.Repeat("0", 64), "--offline", "--key", key, "--predicate-type", vsa.V1, "--bundle", folder+"gke-gce-pre.bcid-vsa.jsonl").demand(t, 1, want)
	}
}
