package command_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

const corpusDir = "../../../shared/corpus/sigstore"

// Who signs in sigstore-conformance, unless a case says otherwise.
// Source: sigstore-conformance, test/conftest.py.
const (
	beacon     = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
	publicGood = "trusted-roots/public-good/trusted_root.json"

	registryKeys = "trusted-roots/public-good/npm-registry/keys.json"
)

// row is one line of the corpus' INDEX.tsv that expects something.
type row struct {
	path, kind, subject, key, expected, why, root, san, issuer, predicate string
}

// set is the folder that the row belongs to.
func (r row) set() string { set, _, _ := strings.Cut(r.path, "/"); return set }

func (r row) name() string { return r.path + " (" + r.kind + ")" }

// expectation is what a row asks for.
type expectation string

const (
	mustPass     expectation = "pass"
	mustFail     expectation = "fail"
	mustFailOnce expectation = "document" // a document of which at least one bundle must be refused
	legacy       expectation = "legacy"   // nobody can verify it offline: it must be refused
	unitDocument expectation = "unit"     // two bundles whose expectation is in the name
)

func (r row) expectation() expectation {
	switch {
	case strings.HasPrefix(r.expected, "pass"), strings.HasPrefix(r.expected, "signature passes"):
		return mustPass
	case strings.HasPrefix(r.expected, "document must be rejected"):
		return mustFailOnce
	case strings.HasPrefix(r.kind, "npm attestations doc (unit test)"):
		return unitDocument
	case strings.HasPrefix(r.expected, "offline: cannot"):
		return legacy
	}
	return mustFail
}

// corpus is the index, and the digests of artifacts that were left out.
type corpus struct {
	rows      []row
	artifacts map[string]map[string]string // path to sha256 and sha512
	tmp       string
}

func readCorpus(t *testing.T) *corpus {
	t.Helper()
	c := &corpus{artifacts: map[string]map[string]string{}, tmp: t.TempDir()}
	for _, r := range table(t, filepath.Join(corpusDir, "INDEX.tsv")) {
		if r["expected"] != "" {
			c.rows = append(c.rows, row{
				path: r["path"], kind: r["kind"], subject: r["subject"], key: r["key"], expected: r["expected"], why: r["why"],
				root: cmp.Or(r["verifying_root"], publicGood), san: r["signer_SAN"], issuer: r["issuer"], predicate: r["predicate"],
			})
		}
	}
	for _, r := range table(t, filepath.Join(corpusDir, "../ARTIFACTS.tsv")) {
		c.artifacts[r["path"]] = r
	}
	return c
}

// table reads a table with a header, each line by its columns' names.
func table(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) && *conformanceDoc == "" {
		t.Skipf("the corpus is not here: %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.LazyQuotes = '\t', true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// trial is a row made ready: a file with one bundle, who must have signed it,
// and the artifact as a file and as a digest. What is empty cannot be run, and
// noFile and noDigest say why.
type trial struct {
	row
	flags            []string // --bundle, --trusted-root, and who must have signed
	file, digest     string
	noFile, noDigest string
}

func (c *corpus) trial(r row) (trial, error) {
	tr := trial{row: r}
	bundle, err := c.cut(r)
	if err != nil {
		return tr, err
	}
	b := readBundle(bundle)
	path := filepath.Join(c.tmp, hex.EncodeToString(sum256([]byte(r.name())))+".json")
	if err := os.WriteFile(path, bundle, 0o600); err != nil {
		return tr, err
	}
	who, err := c.who(r, b)
	if err != nil {
		return tr, err
	}
	tr.flags = append([]string{"--bundle", path, "--trusted-root", filepath.Join(corpusDir, r.root)}, who...)
	err = c.artifact(&tr, b)
	return tr, err
}

// cut takes the row's bundle out of its document, so that it is judged alone.
func (c *corpus) cut(r row) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(corpusDir, filepath.FromSlash(r.path)))
	if err != nil {
		return nil, err
	}
	if _, rest, ok := strings.Cut(r.kind, "npm attestations["); ok {
		number, _, _ := strings.Cut(rest, "]")
		n, _ := strconv.Atoi(number)
		var document struct {
			Attestations []struct{ Bundle json.RawMessage }
		}
		if err := json.Unmarshal(data, &document); err != nil {
			return nil, err
		}
		return document.Attestations[n].Bundle, nil
	}
	if _, rest, ok := strings.Cut(r.kind, "JSONL line "); ok {
		n, _ := strconv.Atoi(strings.Fields(rest)[0])
		return bytes.Split(data, []byte("\n"))[n], nil
	}
	return data, nil
}

// bundle is what the test must know of a bundle to choose key and digest.
type bundle struct {
	VerificationMaterial struct {
		PublicKey *struct{ Hint string }
	}
	MessageSignature *struct{ MessageDigest struct{ Digest []byte } }
	DsseEnvelope     struct{ Payload []byte }
	Envelope         struct{ Statement []byte } // PEP 740
}

// readBundle reads what it can: some of the corpus is broken on purpose.
func readBundle(data []byte) (b bundle) {
	_ = json.Unmarshal(data, &b)
	return b
}

// digests are those of the first subject that has one to hash files with.
func (b bundle) digests() map[string]string {
	if m := b.MessageSignature; m != nil && len(m.MessageDigest.Digest) == 32 {
		return map[string]string{"sha256": hex.EncodeToString(m.MessageDigest.Digest)}
	}
	var statement struct {
		Subject []struct{ Digest map[string]string }
	}
	_ = json.Unmarshal(slices.Concat(b.DsseEnvelope.Payload, b.Envelope.Statement), &statement)
	for _, s := range statement.Subject {
		if s.Digest["sha256"] != "" || s.Digest["sha512"] != "" {
			return s.Digest
		}
	}
	return nil
}

// who gives the flags that name the signer.
func (c *corpus) who(r row, b bundle) ([]string, error) {
	key, _, registry := strings.Cut(r.key, " ")
	signed := b.VerificationMaterial.PublicKey
	switch {
	case signed != nil && (registry || r.set() == "npm" || strings.HasPrefix(r.kind, "npm ")):
		key, err := c.registryKey(cmp.Or(key, registryKeys), signed.Hint)
		return []string{"--key", key}, err
	case signed != nil && key != "":
		return []string{"--key", filepath.Join(corpusDir, key)}, nil
	}
	san, issuer := r.san, r.issuer
	if san == "" || strings.HasPrefix(san, "(") {
		san = beacon // a certificate that cannot be read, or none
	}
	if san == "https://dotcom.releases.github.com" {
		issuer = "none" // GitHub's release attestations have no issuer
	}
	return []string{"--certificate-identity", san, "--certificate-oidc-issuer", cmp.Or(issuer, actions)}, nil
}

// registryKey writes the npm registry's key of that id as PEM, as npm's client
// chooses it.
func (c *corpus) registryKey(name, hint string) (string, error) {
	data, err := os.ReadFile(filepath.Join(corpusDir, name))
	if err != nil {
		return "", err
	}
	var keys struct {
		Keys []struct {
			KeyID, KeyUsage string
			PublicKey       struct{ RawBytes []byte }
		}
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		return "", err
	}
	for _, key := range keys.Keys {
		if key.KeyID == hint && key.KeyUsage == "npm:attestations" {
			file, err := os.CreateTemp(c.tmp, "*.pem") // rows run in parallel: each has its own
			if err != nil {
				return "", err
			}
			err = pem.Encode(file, &pem.Block{Type: "PUBLIC KEY", Bytes: key.PublicKey.RawBytes})
			return file.Name(), errors.Join(err, file.Close())
		}
	}
	return "", fmt.Errorf("the registry has no key %q", hint)
}

// artifact finds the row's artifact as a file and as a digest that the bundle
// has too.
func (c *corpus) artifact(tr *trial, b bundle) error {
	known := b.digests()
	of := func(digests map[string]string) {
		for _, alg := range []string{"sha256", "sha512"} {
			if known[alg] != "" || known == nil && alg == "sha256" {
				tr.digest = alg + ":" + digests[alg]
				return
			}
		}
	}
	switch artifact, leftOut := c.artifacts["sigstore/"+tr.subject]; {
	case tr.subject == "":
		tr.noFile = "the corpus names no artifact: the digest is the bundle's own"
		if of(known); known == nil {
			tr.digest = "sha256:" + strings.Repeat("0", 64) // a broken bundle
		}
	case leftOut:
		tr.noFile = "the artifact is an archive or executable and left out of the corpus"
		of(artifact)
	case strings.Contains(tr.subject, ":"):
		tr.noFile = "the corpus knows the artifact by digest alone"
		tr.digest = tr.subject
	default:
		tr.file = filepath.Join(corpusDir, tr.subject)
		data, err := os.ReadFile(tr.file)
		if err != nil {
			return err
		}
		long := sha512.Sum512(data)
		of(map[string]string{"sha256": hex.EncodeToString(sum256(data)), "sha512": hex.EncodeToString(long[:])})
	}
	if tr.digest == "" {
		tr.noDigest = "the statement has no digest of a file"
	}
	return nil
}

func sum256(data []byte) []byte { sum := sha256.Sum256(data); return sum[:] }

// replayed is what became of one trial.
type replayed struct {
	trial
	byFile, byDigest outcome // code notRun where there is no such thing
	simple           simpleOutcome
	mutated          []outcome // with another digest, identity or issuer
}

const notRun = -1

type simpleOutcome struct {
	code     int
	findings []string
}

// TestCorpus replays every row of the corpus that expects something through
// `conformance verify-bundle`, by file and by digest, the suite's own folders by
// its protocol, and every bundle that passes through `verify` in simple mode. It
// holds docs/conformance.md to the counts.
//
//	go test ./internal/command -run TestCorpus -conformance-doc FILE
//
// writes FILE instead, as `make conformance` does.
func TestCorpus(t *testing.T) {
	t.Parallel()
	c := readCorpus(t)
	results := replayAll(t, c)
	doc := document{sets: map[string]*counts{}, skipped: map[string]int{}}
	documents := map[string]bool{} // of which at least one bundle must be refused: whether one was
	for _, r := range results {
		switch r.expectation() {
		case mustPass:
			doc.pass(t, r)
		case mustFail:
			doc.fail(t, r)
		case legacy:
			doc.legacy(t, r)
		case mustFailOnce:
			documents[r.path] = documents[r.path] || r.byFile.code > 0 || r.byDigest.code > 0
		case unitDocument:
			doc.skipped["row: a document with two bundles, made for slsa-verifier's unit tests; `TestCorpus` of internal/attestation opens each of them"]++
		}
	}
	for _, path := range slices.Sorted(maps.Keys(documents)) {
		doc.document(t, path, documents[path])
	}
	doc.suite(t, c)
	doc.slsa(t)
	doc.git(t)
	doc.classicTallies = countClassic(t)
	doc.peerTallies = countPeer(t)
	doc.hold(t)
}

// replayAll runs every row, as many at a time as there are cores.
func replayAll(t *testing.T, c *corpus) []replayed {
	t.Helper()
	results := make([]replayed, len(c.rows))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range c.rows {
		group.Go(func() error {
			results[i] = replayed{trial: trial{row: r}}
			if r.expectation() == unitDocument {
				return nil
			}
			tr, err := c.trial(r)
			if err != nil {
				return fmt.Errorf("%s: %w", r.name(), err)
			}
			results[i] = replay(t, tr)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return results
}

func replay(t *testing.T, tr trial) replayed {
	r := replayed{trial: tr, byFile: outcome{code: notRun}, byDigest: outcome{code: notRun}}
	protocol := append([]string{"conformance", "verify-bundle"}, tr.flags...)
	if tr.file != "" {
		r.byFile = run(t, nil, append(protocol, tr.file)...)
	}
	if tr.digest != "" {
		r.byDigest = run(t, nil, append(protocol, tr.digest)...)
	}
	if tr.expectation() == mustPass {
		r.simple = simple(t, tr)
		r.mutated = mutated(t, tr)
	}
	return r
}

// mutated asks for a bundle that passes, with one thing changed at a time.
func mutated(t *testing.T, tr trial) (outcomes []outcome) {
	ask := func(flags []string, digest string) {
		outcomes = append(outcomes, run(t, nil, slices.Concat([]string{"conformance", "verify-bundle"}, flags, []string{digest})...))
	}
	last := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(tr.digest, "0")]
	ask(tr.flags, tr.digest[:len(tr.digest)-1]+last)
	if slices.Contains(tr.flags, "none") {
		return outcomes // one identity goes without an issuer; any other is wrong usage
	}
	for _, name := range []string{"--certificate-identity", "--certificate-oidc-issuer"} {
		if i := slices.Index(tr.flags, name); i >= 0 {
			flags := slices.Clone(tr.flags)
			flags[i+1] += "x"
			ask(flags, tr.digest)
		}
	}
	return outcomes
}

// simple asks verify in simple mode, for the predicate type that the row has.
func simple(t *testing.T, tr trial) simpleOutcome {
	args := append([]string{"verify", cmp.Or(tr.file, tr.digest), "--format", "json"}, tr.flags...)
	if tr.predicate != "" {
		args = append(args, "--predicate-type", tr.predicate)
	}
	o := run(t, nil, args...)
	var report struct {
		Verdicts []struct{ Findings []struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(o.out), &report); err != nil {
		t.Errorf("%s: verify wrote no report: %v\n%s", tr.name(), err, o.report)
		return simpleOutcome{code: o.code}
	}
	var ids []string
	for _, v := range report.Verdicts {
		for _, f := range v.Findings {
			ids = append(ids, f.ID)
		}
	}
	return simpleOutcome{o.code, ids}
}
