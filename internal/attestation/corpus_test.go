package attestation

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const corpusDir = "../../../shared/corpus/sigstore"

// corpusRow is one line of the corpus' INDEX.tsv.
type corpusRow struct {
	path, kind, subject, key, expected, why, root, san, issuer, predicate, subjects string
}

// readTable reads a table with a header, each row by its column's name.
func readTable(t testing.TB, name string) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
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
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// corpus is the rows that expect something, and what they need.
type corpus struct {
	rows      []corpusRow
	artifacts map[string]artifact.DigestSet
	mu        sync.Mutex
	roots     map[string]*Root
	materials map[string]root.TrustedMaterial
}

func readCorpus(t testing.TB) *corpus {
	t.Helper()
	c := &corpus{artifacts: map[string]artifact.DigestSet{}, roots: map[string]*Root{}, materials: map[string]root.TrustedMaterial{}}
	for _, r := range readTable(t, filepath.Join(corpusDir, "INDEX.tsv")) {
		if r["expected"] != "" {
			c.rows = append(c.rows, corpusRow{r["path"], r["kind"], r["subject"], r["key"], r["expected"], r["why"], r["verifying_root"], r["signer_SAN"], r["issuer"], r["predicate"], r["subjects"]})
		}
	}
	for _, r := range readTable(t, filepath.Join(corpusDir, "../ARTIFACTS.tsv")) {
		c.artifacts[r["path"]] = artifact.DigestSet{artifact.SHA256: r["sha256"], artifact.SHA512: r["sha512"]}
	}
	return c
}

func (c *corpus) read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(corpusDir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// material loads a trusted root; roots are shared, so that their memories are
// warm for later rows.
func (c *corpus) material(t testing.TB, name string) (root.TrustedMaterial, *Root, error) {
	t.Helper()
	if name == "" {
		name = "trusted-roots/public-good/trusted_root.json"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.roots[name]; ok {
		return c.materials[name], r, nil
	}
	material, err := root.NewTrustedRootFromJSON(c.read(t, name))
	if err != nil {
		return nil, nil, err
	}
	r, err := NewRoot(name, material)
	if err != nil {
		return nil, nil, err
	}
	c.roots[name], c.materials[name] = r, material
	return material, r, nil
}

// digest is the subject that a row names; nil where it names none.
func (c *corpus) digest(t testing.TB, row corpusRow) artifact.DigestSet {
	t.Helper()
	if row.subject == "" {
		return nil
	}
	if set, err := artifact.ParseDigest(row.subject); err == nil {
		return set
	}
	if set, ok := c.artifacts["sigstore/"+row.subject]; ok {
		return set
	}
	set, err := artifact.Hash(bytes.NewReader(c.read(t, row.subject)), artifact.SHA256, artifact.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// publicKey gives the key a row names, or npm's by the bundle's hint. It is
// chosen by the hint here as npm's client does; Open never looks at a hint.
func (c *corpus) publicKey(t testing.TB, row corpusRow, hint string) (Key, error) {
	t.Helper()
	if name, _, registry := strings.Cut(row.key, " "); !registry {
		return ParseKey(c.read(t, name))
	} else if key, ok := c.registryKey(t, name, hint); ok {
		return ParseKey(key)
	}
	return Key{}, fmt.Errorf("no key %q", hint)
}

func (c *corpus) registryKey(t testing.TB, name, hint string) ([]byte, bool) {
	t.Helper()
	var keys struct {
		Keys []struct {
			KeyID, KeyUsage string
			PublicKey       struct{ RawBytes []byte }
		}
	}
	if err := json.Unmarshal(c.read(t, name), &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys.Keys {
		if key.KeyID == hint && key.KeyUsage == "npm:attestations" {
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key.PublicKey.RawBytes}), true
		}
	}
	return nil, false
}

// piece picks a row's candidate out of its document.
func (row corpusRow) piece(found []Candidate, refused []*Refusal) (Candidate, error) {
	want := row.path
	if _, rest, ok := strings.Cut(row.kind, "npm attestations["); ok {
		number, _, _ := strings.Cut(rest, "]")
		n, _ := strconv.Atoi(number)
		want = fmt.Sprintf("%s attestation %d", row.path, n+1)
	}
	if _, rest, ok := strings.Cut(row.kind, "JSONL line "); ok {
		n, _ := strconv.Atoi(strings.Fields(rest)[0])
		want = fmt.Sprintf("%s line %d", row.path, n+1)
	}
	if len(found) == 1 && len(refused) == 0 {
		return found[0], nil
	}
	for _, c := range found {
		if c.Source() == want {
			return c, nil
		}
	}
	for _, r := range refused {
		if r.Source == want || len(refused) == 1 && len(found) == 0 {
			return Candidate{}, r
		}
	}
	return Candidate{}, fmt.Errorf("no piece %q among %d found and %d refused", want, len(found), len(refused))
}

// open runs one row to its end: the candidate, the root or key, and the join
// with the artifact's digest.
func (c *corpus) open(t testing.TB, row corpusRow) (*Verified, error) {
	t.Helper()
	candidate, err := row.piece(Candidates(row.path, c.read(t, row.path)))
	if err != nil {
		return nil, err
	}
	_, r, err := c.material(t, row.root)
	if err != nil {
		return nil, err
	}
	var v *Verified
	if hint := candidate.entity.bundle.GetVerificationMaterial().GetPublicKey(); hint != nil && row.key != "" {
		var key Key
		if key, err = c.publicKey(t, row, hint.GetHint()); err != nil {
			return nil, err
		}
		v, err = OpenWithKey(candidate, key, r)
	} else {
		v, err = Open(candidate, r)
	}
	if err != nil {
		return nil, err
	}
	return v, joins(v, c.digest(t, row))
}

func joins(v *Verified, digest artifact.DigestSet) error {
	if digest == nil {
		return nil
	}
	for _, subject := range v.Statement().Subjects {
		if subject.Digest.Join(digest, artifact.Accepted()) == artifact.Joined {
			return nil
		}
	}
	return fmt.Errorf("%s is no subject of %d", digest, len(v.Statement().Subjects))
}

// TestCorpus runs every row of the corpus that expects something. Rows that
// cannot be run are listed with the reason.
func TestCorpus(t *testing.T) {
	t.Parallel()
	c := readCorpus(t)
	count := map[string][2]int{} // kind of expectation: as expected, all
	tally := func(kind string, ok bool) {
		n := count[kind]
		n[1]++
		if ok {
			n[0]++
		}
		count[kind] = n
	}
	documents := map[string]bool{} // npm documents that must be refused: whether they were
	for _, row := range c.rows {
		name := row.path + " (" + row.kind + ")"
		if strings.HasPrefix(row.kind, "npm attestations doc (unit test)") {
			tally("slsa-verifier's npm documents: both bundles as their name says", c.runUnitDocument(t, row))
			continue
		}
		if strings.HasPrefix(row.expected, "offline: cannot") {
			// Nobody can verify these without searching Rekor; they must be
			// refused as what they are.
			err := c.legacy(t, row)
			tally("not run: envelopes with signatures[].cert need a Rekor search; refused as bare DSSE", err != nil && strings.Contains(err.Error(), "bare DSSE"))
			if err == nil {
				t.Errorf("%s: a legacy document verifies", name)
			}
			continue
		}
		v, err := c.open(t, row)
		switch {
		case strings.HasPrefix(row.expected, "document must be rejected"):
			documents[row.path] = documents[row.path] || err != nil
		case strings.HasPrefix(row.expected, "pass"), strings.HasPrefix(row.expected, "signature passes"):
			tally("pass", err == nil)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			checkFacts(t, name, row, v)
		case row.expected == "fail":
			tally("fail", err != nil)
			if err == nil {
				t.Errorf("%s: accepted, must be refused: %s", name, row.why)
			} else if testing.Verbose() {
				t.Logf("%s\n\t%v", name, err)
			}
		default:
			t.Errorf("%s: expectation %q is not understood", name, row.expected)
		}
	}
	for name, refused := range documents {
		tally("npm document refused in at least one of its bundles", refused)
		if !refused {
			t.Errorf("%s: no bundle of the document was refused", name)
		}
	}
	for kind, n := range count {
		t.Logf("%s: %d of %d", kind, n[0], n[1])
	}
}

func refusedAs(err error, id verdict.ID) bool {
	refusal, ok := errors.AsType[*Refusal](err)
	return ok && refusal.ID == id
}

// runUnitDocument runs slsa-verifier's npm documents for its unit tests. The
// index takes them for envelopes without proof, but they hold two bundles each:
// the provenance and the publish attestation. Their names say what is wrong, in
// the signed part or beside it; what stands beside a bundle is not believed and
// so cannot be wrong. ("npm-att-mismatch-pub-payloadtype" breaks the provenance.)
func (c *corpus) runUnitDocument(t *testing.T, row corpusRow) bool {
	t.Helper()
	opens := map[string][2]bool{
		"npm-attestations":                     {true, true},
		"npm-att-mismatch-prov-predicatetype":  {true, true},
		"npm-att-mismatch-pub-predicatetype":   {true, true},
		"npm-att-mismatch-prov-payloadtype":    {false, true},
		"npm-att-mismatch-pub-payloadtype":     {false, true},
		"npm-att-prov-invalid-signature":       {false, true},
		"npm-stmt-mismatch-prov-predicatetype": {false, true},
		"npm-stmt-mismatch-prov-type":          {false, true},
		"npm-att-publish-invalid-signature":    {true, false},
		"npm-att-publish-nodigest":             {true, false},
		"npm-att-publish-nosubjects":           {true, false},
		"npm-stmt-mismatch-pub-predicatetype":  {true, false},
		"npm-stmt-mismatch-pub-type":           {true, false},
	}
	want, ok := opens[strings.TrimSuffix(filepath.Base(row.path), ".intoto.sigstore")]
	if !ok {
		t.Errorf("%s: no expectation", row.path)
	}
	row.key = "trusted-roots/public-good/npm-registry/keys.json (for the publish attestation)"
	for i, expected := range want {
		row.kind = fmt.Sprintf("npm attestations[%d]", i)
		if _, err := c.open(t, row); (err == nil) != expected {
			t.Errorf("%s attestation %d: %v, expected to open: %t", row.path, i+1, err, expected)
			ok = false
		}
	}
	return ok
}

// checkFacts compares what Verified says with the row's columns.
func checkFacts(t *testing.T, name string, row corpusRow, v *Verified) {
	t.Helper()
	statement := v.Statement()
	if row.predicate != "" && statement.PredicateType != row.predicate {
		t.Errorf("%s: predicate type %q, expected %q", name, statement.PredicateType, row.predicate)
	}
	if row.subjects != "" && strconv.Itoa(len(statement.Subjects)) != row.subjects {
		t.Errorf("%s: %d subjects, expected %s", name, len(statement.Subjects), row.subjects)
	}
	signer := v.Signer()
	if strings.HasPrefix(row.san, "(public key") {
		if signer.Key == "" || signer.SAN != "" {
			t.Errorf("%s: signer %+v, expected a key", name, signer)
		}
		return
	}
	if signer.SAN != row.san || signer.Issuer != row.issuer {
		t.Errorf("%s: signer %q of %q, expected %q of %q", name, signer.SAN, signer.Issuer, row.san, row.issuer)
	}
	at, ok := v.Time()
	if notBefore, notAfter := v.Lifetime(); !ok || at.Before(notBefore) || at.After(notAfter) {
		t.Errorf("%s: proven time %s is not in the certificate's %s to %s", name, at, notBefore, notAfter)
	}
	if !slices.IsSortedFunc(v.Times(), func(a, b verdict.Time) int { return a.Instant.Compare(b.Instant) }) {
		t.Errorf("%s: times out of order: %v", name, v.Times())
	}
}

// legacy opens an envelope without proof under the public-good root. One with a
// certificate is no candidate; one without is a candidate for keys alone.
func (c *corpus) legacy(t *testing.T, row corpusRow) error {
	t.Helper()
	found, refused := Candidates(row.path, c.read(t, row.path))
	if len(refused) > 0 {
		return refused[0]
	}
	_, err := Open(found[0], &Root{name: "sigstore"})
	return err
}
