package endtoend

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

const releaseResource = "https://example.com/releases/app"

// consumer is a layout that takes a summary of the release by a workflow.
type consumer struct{ workflow, resource, policy, level string }

func (c consumer) text() string {
	return fmt.Sprintf(`_type: layout
version: 1
expires: "2027-06-01T00:00:00Z"
functionaries:
  verifier: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: %q}}
steps:
  - name: verified
    expectedMaterials: ["ALLOW *", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://slsa.dev/verification_summary/v1"
        functionaries: [verifier]
        threshold: 1
        maxAge: 24h
        vsa: {resourceUri: %q, policy: {sha256: %q}, verifierId: %q, verifiedLevels: [%s]}
subjects: [{subject: ["*"], from: verified}]
`, actions, c.workflow, c.resource, c.policy, workflow, c.level)
}

// TestSummary: a job verifies what was built, and states that; somebody else, who has
// none of the evidence, takes its word, for what it says.
func TestSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	if r := w.attest("dist/app", "--suggest-layout", "release.yml"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	policy, err := os.ReadFile(filepath.Join(w.dir, "release.yml"))
	if err != nil {
		t.Fatal(err)
	}
	granting := strings.Replace(string(policy), "\nversion: 1\n", "\nversion: 1\nverifiedLevels: [SLSA_BUILD_LEVEL_2]\n", 1)
	put(t, w.dir, "release.yml", granting)
	signing := filepath.Join(w.folder.Dir(), "signing_config.json")
	state := func(as who, file string, more ...string) result {
		args := []string{"verify", "dist/app", "--layout", "release.yml", "--vsa", file, "--vsa-resource", releaseResource, "--signing-config", signing}
		return w.run(as, append(args, more...)...)
	}
	if r := state(who{}, "app.vsa.json"); !r.has(0, "allowed: dist/app", "PASSED of "+releaseResource+" in app.vsa.json, by release.yml@refs/heads/main of acme/app (GitHub Actions), SLSA_BUILD_LEVEL_2") {
		t.Fatalf("the first verification: %+v", r)
	}
	if r := state(who{noID: true}, "none.vsa.json"); r.code != 3 {
		t.Errorf("a job without an identity: %+v", r)
	}
	if r := state(who{person: true}, "none.vsa.json", "--identity-token", w.email("alice@example.com")); !r.has(2, "--vsa-verifier-id") {
		t.Errorf("a person without a verifier's name: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "none.vsa.json")); err == nil {
		t.Error("a summary that nobody signed is there")
	}
	good := consumer{workflow: workflow, resource: releaseResource, policy: fmt.Sprintf("%x", sha256.Sum256([]byte(granting))), level: "SLSA_BUILD_LEVEL_1"}
	for name, row := range map[string]struct {
		change func(*consumer)
		code   int
		says   string
	}{
		"as it is":         {func(*consumer) {}, 0, "allowed: dist/app"},
		"another policy":   {func(c *consumer) { c.policy = fmt.Sprintf("%x", sha256.Sum256(policy)) }, 1, "vsa-policy"},
		"another resource": {func(c *consumer) { c.resource += "/x" }, 1, "vsa-resource"},
		"a higher level":   {func(c *consumer) { c.level = "SLSA_BUILD_LEVEL_3" }, 1, "vsa-levels"},
		"another workflow": {func(c *consumer) { c.workflow = strings.Replace(workflow, "release", "verify", 1) }, 1, "signer-not-functionary"},
	} {
		c := good
		row.change(&c)
		put(t, w.dir, "consumer.yml", c.text())
		if r := w.run(who{person: true}, "verify", "dist/app", "--layout", "consumer.yml", "--bundle", "app.vsa.json"); !r.has(row.code, row.says) {
			t.Errorf("%s: %+v", name, r)
		}
	}

	// What is changed is denied, and stated as such.
	put(t, w.dir, "dist/app", "another app\n")
	put(t, w.dir, "consumer.yml", good.text())
	if r := w.run(who{person: true}, "verify", "dist/app", "--layout", "consumer.yml", "--bundle", "app.vsa.json"); !r.has(1, "artifact-not-subject") {
		t.Errorf("another file: %+v", r)
	}
	if r := state(who{}, "failed.vsa.json"); !r.has(1, "denied: dist/app", "FAILED of "+releaseResource) {
		t.Errorf("a verdict that denies: %+v", r)
	}
	if r := w.run(who{person: true}, "verify", "dist/app", "--layout", "consumer.yml", "--bundle", "failed.vsa.json"); !r.has(1, "vsa-not-passed") {
		t.Errorf("a summary that says so: %+v", r)
	}
}

// The name of a private repository would be in the certificate, and so in the logs.
func TestSummaryOfPrivateRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{Claims: map[string]string{"repository_visibility": "private"}})
	if r := w.attest("dist/app", "--suggest-layout", "release.yml", "--allow-public-log"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	args := []string{"verify", "dist/app", "--layout", "release.yml", "--vsa", "app.vsa.json", "--signing-config", filepath.Join(w.folder.Dir(), "signing_config.json")}
	if r := w.run(who{}, args...); !r.has(1, "private", "--allow-public-log") {
		t.Errorf("without the flag: %+v", r)
	}
	if r := w.run(who{}, append(args, "--allow-public-log")...); !r.has(0, "PASSED of pkg:generic/app", "loosened", "--allow-public-log") {
		t.Errorf("with it: %+v", r)
	}
}
