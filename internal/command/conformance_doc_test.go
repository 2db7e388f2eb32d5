package command_test

import (
	"cmp"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var conformanceDoc = flag.String("conformance-doc", "", "write the table of conformance to `FILE` in place of comparing it")

// tally is how many came out as they must, of how many.
type tally struct{ ok, all int }

func (n *tally) add(ok bool) {
	n.all++
	if ok {
		n.ok++
	}
}

func (n tally) String() string {
	if n.all == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", n.ok, n.all)
}

// counts are those of one set of the corpus.
type counts struct{ passFile, passDigest, failFile, failDigest tally }

// document is what docs/conformance.md tells.
type document struct {
	sets      map[string]*counts
	mutations tally
	documents tally
	legacies  tally
	skipped   map[string]int // what could not be run, by reason
	suitePass counts         // passFile and passDigest only, and so on
	suiteDirs int
	simple    tally
	refused   []string // rows that simple mode refuses
	slsaTallies
	gitTallies
	classicTallies
	peerTallies
}

func (d *document) of(r replayed) *counts {
	n, ok := d.sets[r.set()]
	if !ok {
		n = &counts{}
		d.sets[r.set()] = n
	}
	return n
}

// pass counts a row whose bundle must be accepted, in every way it can be run.
func (d *document) pass(t *testing.T, r replayed) {
	n := d.of(r)
	d.count(t, &n.passFile, r, r.byFile, "file", r.noFile, 0)
	d.count(t, &n.passDigest, r, r.byDigest, "digest", r.noDigest, 0)
	d.countSimple(t, r)
	for _, o := range r.mutated {
		d.mutations.add(o.code == 1)
		if o.code != 1 {
			t.Errorf("%s with another digest, identity or issuer: exit code %d\n%s", r.name(), o.code, o.report)
		}
	}
}

// fail counts a row whose bundle must be refused. Exit code 2 would be a mistake
// of this test, not a refusal.
func (d *document) fail(t *testing.T, r replayed) {
	n := d.of(r)
	d.count(t, &n.failFile, r, r.byFile, "file", r.noFile, 1, 3)
	d.count(t, &n.failDigest, r, r.byDigest, "digest", r.noDigest, 1, 3)
	if testing.Verbose() {
		t.Logf("%s\n\t%s\n\t%s", r.name(), r.why, strings.TrimSpace(cmp.Or(r.byFile.report, r.byDigest.report)))
	}
}

func (d *document) count(t *testing.T, n *tally, r replayed, o outcome, how, whyNot string, want ...int) {
	if o.code == notRun {
		d.skipped["by "+how+": "+whyNot]++
		return
	}
	ok := slices.Contains(want, o.code)
	n.add(ok)
	if !ok {
		t.Errorf("%s by %s: exit code %d, expected %v: %s\n%s", r.name(), how, o.code, want, r.why, o.report)
	}
}

func (d *document) legacy(t *testing.T, r replayed) {
	ok := slices.Contains([]int{1, 3}, r.byDigest.code) && strings.Contains(r.byDigest.report, "bare DSSE")
	d.legacies.add(ok)
	if !ok {
		t.Errorf("%s: exit code %d, expected a refusal as a bare DSSE envelope\n%s", r.name(), r.byDigest.code, r.byDigest.report)
	}
}

func (d *document) document(t *testing.T, path string, refused bool) {
	d.documents.add(refused)
	if !refused {
		t.Errorf("%s: no bundle of the document was refused", path)
	}
}

// refusedBySimpleMode are the rows whose signature is fine and that verify
// refuses in simple mode nevertheless, with the finding.
func refusedBySimpleMode() map[string]string {
	const contradicts = "predicate-contradicts-certificate"
	return map[string]string{
		// The suite's statements are made up: their provenance names another builder than the certificate.
		"conformance/bundle-verify/happy-path-intoto-in-dsse-v3/bundle.sigstore.json (sigstore bundle v0.3 dsse)": contradicts,
		"conformance/bundle-verify/rekor2-dsse-happy-path/bundle.sigstore.json (sigstore bundle v0.3 dsse)":       contradicts,
		// A live case: provenance for one builder, signed by another workflow.
		"slsa-verifier/bcr/MODULE-wrong-signer.bazel.intoto.jsonl (sigstore bundle v0.3 dsse)": contradicts,
		// Its statement has an empty predicate type, which no --predicate-type can ask for.
		"slsa-verifier/internal-gha/bundle/valid.intoto.sigstore (sigstore bundle v0.1 dsse)": "threshold-not-met",
	}
}

func (d *document) countSimple(t *testing.T, r replayed) {
	want, refuse := refusedBySimpleMode()[r.name()]
	got := strings.Join(r.simple.findings, ", ")
	d.simple.add(r.simple.code == 0)
	if r.simple.code != 0 {
		d.refused = append(d.refused, fmt.Sprintf("%s: %s", r.name(), got))
	}
	if refuse != (r.simple.code != 0) || got != want {
		t.Errorf("%s: verify in simple mode: exit code %d with %q, expected %q", r.name(), r.simple.code, got, want)
	}
}

// suite runs the folders of sigstore-conformance by its own protocol.
//
// "success = exit 0, failure = any non-zero"; a folder whose name ends in _fail
// must fail; artifact, identity, issuer, key.pub and trusted_root.json in it
// replace the defaults. (sigstore-conformance, test/test_bundle.py)
func (d *document) suite(t *testing.T, c *corpus) {
	base := filepath.Join(corpusDir, "conformance/bundle-verify")
	dirs, err := filepath.Glob(filepath.Join(base, "*", "bundle.sigstore.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no folder of sigstore-conformance: %v", err)
	}
	d.suiteDirs = len(dirs)
	for _, bundle := range dirs {
		dir := filepath.Dir(bundle)
		artifact := existing(filepath.Join(dir, "artifact"), filepath.Join(base, "a.txt"))
		content, err := os.ReadFile(artifact)
		if err != nil {
			t.Fatal(err)
		}
		args := append([]string{"conformance", "verify-bundle", "--bundle", bundle}, protocolFlags(dir)...)
		mustFail := strings.HasSuffix(dir, "_fail")
		file, digest := &d.suitePass.passFile, &d.suitePass.passDigest
		if mustFail {
			file, digest = &d.suitePass.failFile, &d.suitePass.failDigest
		}
		for target, n := range map[string]*tally{artifact: file, "sha256:" + hex.EncodeToString(sum256(content)): digest} {
			o := run(t, nil, append(args, target)...)
			ok := (o.code != 0) == mustFail && o.code != 2
			n.add(ok)
			if !ok {
				t.Errorf("%s %s: exit code %d\n%s", filepath.Base(dir), target, o.code, o.report)
			}
		}
	}
}

func protocolFlags(dir string) (flags []string) {
	text := func(name, otherwise string) string {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return strings.TrimSpace(string(data))
		}
		return otherwise
	}
	if key := existing(filepath.Join(dir, "key.pub"), ""); key != "" {
		flags = append(flags, "--key", key)
	} else {
		flags = append(flags, "--certificate-identity", text("identity", beacon), "--certificate-oidc-issuer", text("issuer", actions))
	}
	if root := existing(filepath.Join(dir, "trusted_root.json"), ""); root != "" {
		flags = append(flags, "--trusted-root", root)
	}
	return flags
}

// existing gives the path if there is such a file, and else the other.
func existing(path, otherwise string) string {
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return otherwise
}

// hold compares docs/conformance.md, or writes it.
func (d *document) hold(t *testing.T) {
	const name = "../../docs/conformance.md"
	if *conformanceDoc != "" {
		if err := os.WriteFile(*conformanceDoc, []byte(d.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; next: make conformance", err)
	}
	if string(got) != d.String() {
		t.Errorf("%s is not what the corpus gives; next: make conformance, and read the difference\n%s", name, d)
	}
}

// version gives the version of a module in go.mod.
func version(module string) string {
	data, err := os.ReadFile("../../go.mod")
	if err != nil {
		return err.Error()
	}
	match := regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(module) + ` (\S+)`).FindSubmatch(data)
	if match == nil {
		return "unknown"
	}
	return string(match[1])
}

func (d *document) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Conformance")
	line("")
	line("Written by `make conformance`; a test holds it to what the program does. sigstore-go %s, protobuf-specs %s.",
		version("github.com/sigstore/sigstore-go"), version("github.com/sigstore/protobuf-specs"))
	line("")
	line("## The sigstore-conformance suite")
	line("")
	line("The %d folders of `test/assets/bundle-verify` (sigstore/sigstore-conformance@a73de4970176), by the suite's protocol: `signatus conformance verify-bundle`, each with the artifact as a file and as a digest, and with the embedded trusted root where the folder has none.", d.suiteDirs)
	line("")
	s := d.suitePass
	line("| | by file | by digest |")
	line("|---|---|---|")
	line("| must pass, passed | %s | %s |", s.passFile, s.passDigest)
	line("| must fail, failed | %s | %s |", s.failFile, s.failDigest)
	line("")
	line("## Published bundles")
	line("")
	line("Every row of `../shared/corpus/sigstore/INDEX.tsv` that expects something, through the same verb: the bundle alone, the signer and the trusted root that the row names. The set `conformance` is the suite again, as the index has it. Statements of the npm registry have a sha512 alone; beyond the suite's protocol, the verb takes that too.")
	line("")
	line("| set | pass, by file | pass, by digest | fail, by file | fail, by digest |")
	line("|---|---|---|---|---|")
	var sum counts
	for _, name := range slices.Sorted(maps.Keys(d.sets)) {
		n := d.sets[name]
		line("| %s | %s | %s | %s | %s |", name, n.passFile, n.passDigest, n.failFile, n.failDigest)
		for _, pair := range []struct{ sum, one *tally }{
			{&sum.passFile, &n.passFile}, {&sum.passDigest, &n.passDigest}, {&sum.failFile, &n.failFile}, {&sum.failDigest, &n.failDigest},
		} {
			pair.sum.ok, pair.sum.all = pair.sum.ok+pair.one.ok, pair.sum.all+pair.one.all
		}
	}
	line("| **all** | **%s** | **%s** | **%s** | **%s** |", sum.passFile, sum.passDigest, sum.failFile, sum.failDigest)
	line("")
	line("- Bundles that pass, with another digest, identity or issuer, refused: %s.", d.mutations)
	line("- Documents of the npm registry of which at least one bundle must be refused: %s.", d.documents)
	line("- Envelopes of slsa-github-generator before v2.1.0, which have no proof and which nobody can verify offline, refused as such: %s.", d.legacies)
	line("")
	line("Not run:")
	line("")
	line("| how many | what and why |")
	line("|---|---|")
	for _, reason := range slices.Sorted(maps.Keys(d.skipped)) {
		line("| %d | %s |", d.skipped[reason], reason)
	}
	line("")
	line("## The same bundles, judged by `signatus verify`")
	line("")
	line("Simple mode, for the row's signer and predicate type: %s allowed. verify reads the predicate too, and refuses what the certificate contradicts:", d.simple)
	line("")
	line("| refused | finding |")
	line("|---|---|")
	for _, r := range d.refused {
		path, finding, _ := strings.Cut(r, ": ")
		line("| %s | `%s` |", path, finding)
	}
	line("")
	d.slsaTallies.write(line)
	d.gitTallies.write(line)
	d.classicTallies.write(line)
	d.peerTallies.write(line)
	line("## Beside the peers")
	line("")
	passed, failed := interop()
	line("What `signatus attest` and `signatus conformance sign-bundle` make, cosign v3.1.3 and @sigstore/verify 4.1.3 verify, and what cosign makes, Signatus does: %d of %d cells, by hand with `make interop`. [interop.md](interop.md) has each.", passed, passed+failed)
	return b.String()
}

// interop counts the cells of docs/interop.md, as make interop printed them.
func interop() (passed, failed int) {
	data, err := os.ReadFile("../../docs/interop.md")
	if err != nil {
		return 0, 0
	}
	return len(regexp.MustCompile(`(?m)^✓  `).FindAll(data, -1)), len(regexp.MustCompile(`(?m)^✗  `).FindAll(data, -1))
}
