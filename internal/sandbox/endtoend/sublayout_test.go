package endtoend

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

const vendor = "vendor@example.com"

// buyer is a layout that takes the vendor's word on how the app is made, for a commit
// that alice has attested.
type buyer struct{ vendor, author string }

func (b buyer) text() string {
	return fmt.Sprintf(`_type: layout
version: 1
expires: "2027-06-01T00:00:00Z"
functionaries:
  vendor: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %[1]q, identity: %[2]q}}
  alice: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %[1]q, identity: %[3]q}}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["REQUIRE git+https://github.com/acme/app", "ALLOW git+https://github.com/acme/app", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: "https://in-toto.io/attestation/link/v0.3", functionaries: [alice], threshold: 1}
  - name: vendor
    expectedMaterials: ["REQUIRE git+https://github.com/acme/app", "MATCH git+https://github.com/acme/app WITH PRODUCTS FROM author", "DISALLOW *"]
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: layout, functionaries: [vendor], threshold: 1}
    distinctFrom: [author]
subjects: [{subject: ["*"], from: vendor}]
`, google, b.vendor, b.author)
}

// sublayoutWorld has all that was signed: by the job, by the vendor and by alice.
type sublayoutWorld struct {
	*world
	layout string // the vendor's
}

func newSublayoutWorld(t *testing.T) sublayoutWorld {
	t.Helper()
	w := newWorld(t, sandbox.Config{})
	for _, folder := range []string{"evidence", "other"} {
		if err := os.Mkdir(filepath.Join(w.dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.attest("dist/app", "--suggest-layout", "vendor.yml", "--bundle", "evidence/build.sigstore.json"); r.code != 0 {
		t.Fatalf("the job: %+v", r)
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "vendor.yml"))
	if err != nil {
		t.Fatal(err)
	}
	s := sublayoutWorld{w, string(text)}
	s.signs(vendor, "vendor.yml", "dist/app", "evidence/layout.sigstore.json")
	if r := w.run(who{person: true}, "attest", "--commit", "HEAD", "--repo", "github.com/acme/app", "--identity-token", w.email("alice@example.com"), "--bundle", "evidence/author.sigstore.json"); r.code != 0 {
		t.Fatalf("alice: %+v", r)
	}
	put(t, w.dir, "buyer.yml", buyer{vendor, "alice@example.com"}.text())
	return s
}

// signs has somebody sign that a layout holds for a file, through Fulcio and the log.
func (w sublayoutWorld) signs(email, layout, file, bundle string) {
	w.Helper()
	if r := w.run(who{person: true}, "attest", file, "--predicate", layout, "--predicate-type", "layout", "--identity-token", w.email(email), "--bundle", bundle); r.code != 0 {
		w.Fatalf("%s: %+v", email, r)
	}
}

// verify is what somebody does who has the evidence, and a layout that names the vendor.
func (w sublayoutWorld) verify(artifact, layout string, evidence ...string) result {
	w.Helper()
	args := []string{"verify", artifact, "--layout", layout, "--offline"}
	for _, e := range evidence {
		args = append(args, "--bundle", e)
	}
	return w.run(who{person: true}, args...)
}

// TestSublayout: a vendor signs the layout by which its releases are made, and who uses
// them trusts the vendor for it, and for nothing else. Each row breaks one thing.
func TestSublayout(t *testing.T) {
	t.Parallel()
	w := newSublayoutWorld(t)
	const build, layout, author = "evidence/build.sigstore.json", "evidence/layout.sigstore.json", "evidence/author.sigstore.json"
	if r := w.verify("dist/app", "buyer.yml", build, layout, author); !r.has(0, "allowed: dist/app", "✓ author", "✓ vendor", "sublayout", vendor) {
		t.Fatalf("as it was signed: %+v", r)
	}
	if r := w.verify("dist/app", "buyer.yml", "evidence"); !r.has(0, "allowed: dist/app") {
		t.Errorf("by the folder: %+v", r)
	}

	// variant has the vendor sign another layout.
	variant := func(name, old, fresh string) string {
		changed := strings.Replace(w.layout, old, fresh, 1)
		if changed == w.layout {
			t.Fatalf("the vendor's layout has no %q:\n%s", old, w.layout)
		}
		put(t, w.dir, name+".yml", changed)
		bundle := "other/" + name + ".sigstore.json"
		w.signs(vendor, name+".yml", "dist/app", bundle)
		return bundle
	}
	otherWorkflow := variant("workflow", "release.yml@refs", "nightly.yml@refs")
	w.signs("mallory@example.com", "vendor.yml", "dist/app", "other/mallory.sigstore.json")
	w.signs(vendor, "vendor.yml", "dist/tool", "other/tool.sigstore.json")
	if r := w.run(who{person: true}, "attest", "dist/app", "--step", "vendor", "--identity-token", w.email(vendor), "--bundle", "other/link.sigstore.json"); r.code != 0 {
		t.Fatalf("a link by the vendor: %+v", r)
	}
	put(t, w.dir, "tampered.json", w.tampered(layout))
	commitAll(t, w.dir, "another commit")
	if r := w.run(who{person: true}, "attest", "--commit", "HEAD", "--repo", "github.com/acme/app", "--identity-token", w.email("alice@example.com"), "--bundle", "other/author.sigstore.json"); r.code != 0 {
		t.Fatalf("alice, of another commit: %+v", r)
	}
	put(t, w.dir, "bob.yml", buyer{vendor, "bob@example.com"}.text())
	put(t, w.dir, "same.yml", buyer{"alice@example.com", "alice@example.com"}.text())
	for name, row := range map[string]struct {
		artifact, layout string
		evidence         []string
		says             string
	}{
		"the inner step's evidence is missing":   {"dist/app", "buyer.yml", []string{layout, author}, "sublayout-refused"},
		"the vendor's layout is missing":         {"dist/app", "buyer.yml", []string{build, author}, "threshold-not-met"},
		"the author's word is missing":           {"dist/app", "buyer.yml", []string{build, layout}, "signatus attest --commit " + w.sha + " --step author"},
		"a stranger signed the layout":           {"dist/app", "buyer.yml", []string{build, "other/mallory.sigstore.json", author}, "signer-not-functionary"},
		"it was signed for another file":         {"dist/app", "buyer.yml", []string{build, "other/tool.sigstore.json", author}, "artifact-not-subject"},
		"another file is in hand":                {"dist/tool", "buyer.yml", []string{build, layout, author}, "artifact-not-subject"},
		"the job is not the one that it names":   {"dist/app", "buyer.yml", []string{build, otherWorkflow, author}, "sublayout-refused"},
		"the vendor's link in place of a layout": {"dist/app", "buyer.yml", []string{build, "other/link.sigstore.json", author}, "threshold-not-met"},
		"the layout was changed after signing":   {"dist/app", "buyer.yml", []string{build, "tampered.json", author}, "threshold-not-met"},
		"the author attested another commit":     {"dist/app", "buyer.yml", []string{build, layout, "other/author.sigstore.json"}, "commit-not-joined"},
		"somebody else must have attested":       {"dist/app", "bob.yml", []string{build, layout, author}, "signer-not-functionary"},
	} {
		if r := w.verify(row.artifact, row.layout, row.evidence...); !r.has(1, "denied: "+row.artifact, row.says) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := w.verify("dist/app", "same.yml", "evidence"); r.code != 1 {
		t.Errorf("one person for both: %+v", r)
	}
}

// tampered is a bundle whose layout names another workflow, under the old signature.
func (w sublayoutWorld) tampered(name string) string {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	var bundle map[string]any
	if err := json.Unmarshal(data, &bundle); err != nil {
		w.Fatal(err)
	}
	envelope, _ := bundle["dsseEnvelope"].(map[string]any)
	payload, _ := envelope["payload"].(string)
	statement, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		w.Fatal(err)
	}
	changed := strings.Replace(string(statement), "release.yml", "nightly.yml", 1)
	if changed == string(statement) {
		w.Fatalf("the statement names no workflow: %s", statement)
	}
	envelope["payload"] = base64.StdEncoding.EncodeToString([]byte(changed))
	encoded, err := json.Marshal(bundle)
	if err != nil {
		w.Fatal(err)
	}
	return string(encoded)
}

// TestSublayoutDepth: layouts within each other, each signed in a bundle of its own, end
// at the eighth. One that takes itself ends there too.
func TestSublayoutDepth(t *testing.T) {
	t.Parallel()
	const deepest = 8
	w := newSublayoutWorld(t)
	level := func(next string) string {
		return fmt.Sprintf(`_type: layout
version: 1
expires: "2027-06-01T00:00:00Z"
functionaries:
  vendor: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: %q}}
steps:
  - name: %%s
    expectedMaterials: ["ALLOW *", "DISALLOW *"]
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: layout, functionaries: [vendor], threshold: 1, expectedAttributes: [{rule: "predicate.steps[0].name == '%s'"}]}
subjects: [{subject: ["*"], from: %%[1]s}]
`, google, vendor, next)
	}
	// below is a layout that leads to the job's after so many signed layouts.
	below := func(layouts int) string {
		name, next := fmt.Sprintf("level%d", layouts), fmt.Sprintf("level%d", layouts-1)
		if layouts == 1 {
			next = "build"
		}
		return fmt.Sprintf(level(next), name)
	}
	for i := 1; i <= deepest; i++ {
		file := fmt.Sprintf("level%d.yml", i)
		put(t, w.dir, file, below(i))
		w.signs(vendor, file, "dist/app", fmt.Sprintf("evidence/level%d.sigstore.json", i))
	}
	put(t, w.dir, "level9.yml", below(deepest+1))
	for i, row := range map[int]struct {
		code int
		says string
	}{1: {0, "allowed: dist/app"}, 2: {0, "allowed: dist/app"}, deepest: {0, "allowed: dist/app"}, deepest + 1: {1, "sublayout-refused"}} {
		if r := w.verify("dist/app", fmt.Sprintf("level%d.yml", i), "evidence"); !r.has(row.code, row.says) {
			t.Errorf("%d layouts within each other: %+v", i, r)
		}
	}
	itself := fmt.Sprintf(level("again"), "again")
	put(t, w.dir, "again.yml", itself)
	w.signs(vendor, "again.yml", "dist/app", "again.sigstore.json")
	if r := w.verify("dist/app", "again.yml", "again.sigstore.json"); !r.has(1, "lies deeper") {
		t.Errorf("a layout that takes itself: %+v", r)
	}
}
