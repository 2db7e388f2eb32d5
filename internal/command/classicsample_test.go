package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// sampleCases are the layouts that in-toto's tests and its specification bring along.
// Those of in-toto's demo have links that their functionaries signed, with RSA keys,
// in DSSE and with GnuPG, and are themselves signed by whoever runs the test. Those of
// the specification are real, have expired, and are signed by owners whose keys nobody
// kept: nothing makes them pass.
func sampleCases(t *testing.T) (cases []classicCase) {
	t.Helper()
	classic := filepath.Join(inTotoCorpus, "classic")
	golang := filepath.Join(classic, "in-toto-golang-test-data")
	for _, layout := range []string{"demo.layout", "demo.dsse.layout", "dsse-only.root.layout"} {
		cases = append(cases, classicCase{
			set: "in-toto-golang-test-data", dir: golang, layout: layout, links: ".", keys: []string{"alice.pub"},
			expected: "pass", work: ".",
		})
	}
	cases = append(cases, classicCase{set: "in-toto-golang-test-data", dir: golang, layout: "super.layout", links: ".", keys: []string{"alice.pub"}, expected: "fail", work: "."})
	for _, project := range []string{"polypasswordhasher", "seattle"} {
		cases = append(cases, classicCase{
			set: "specification", dir: filepath.Join(classic, project), layout: "root.layout", links: ".",
			keys: []string{"../in-toto-golang-test-data/alice.pub"}, expected: "fail", work: ".",
		})
	}
	owner, err := attestationtest.NewClassicKey("the corpus' templates", "owner", attestationtest.ClassicEd25519)
	if err != nil {
		t.Fatal(err)
	}
	for folder, format := range map[string]attestationtest.ClassicFormat{
		"in-toto-python-demo_files":      attestationtest.ClassicMetablock,
		"in-toto-python-demo_dsse_files": attestationtest.ClassicDSSE,
		"in-toto-python-demo_files_gpg":  attestationtest.ClassicMetablock,
	} {
		cases = append(cases, demoCases(t, filepath.Join(classic, folder), attestationtest.ClassicRequest{Format: format, Keys: []*attestationtest.ClassicKey{owner}})...)
	}
	return cases
}

// demoCases sign the template of a folder: once as it is, once without a signature,
// once by somebody else, and once for the other functionary's links.
func demoCases(t *testing.T, folder string, signing attestationtest.ClassicRequest) (cases []classicCase) {
	t.Helper()
	stranger, err := attestationtest.NewClassicKey("the corpus' templates", "stranger", attestationtest.ClassicEd25519)
	if err != nil {
		t.Fatal(err)
	}
	public, err := signing.Keys[0].PEM()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, expected string
		change         func(layout mapping, signing *attestationtest.ClassicRequest)
	}{
		{"signed", "pass", func(mapping, *attestationtest.ClassicRequest) {}},
		{"unsigned", "fail", func(_ mapping, s *attestationtest.ClassicRequest) {
			s.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakUnsigned}
		}},
		{"by a stranger", "fail", func(_ mapping, s *attestationtest.ClassicRequest) {
			s.Keys = []*attestationtest.ClassicKey{stranger}
		}},
		{"expired", "fail", func(l mapping, _ *attestationtest.ClassicRequest) { l["expires"] = "2026-05-01T00:00:00Z" }},
		{"the other's links", "fail", func(l mapping, _ *attestationtest.ClassicRequest) {
			first, second := l["steps"].([]any)[0].(mapping), l["steps"].([]any)[1].(mapping)
			first["pubkeys"], second["pubkeys"] = second["pubkeys"], first["pubkeys"]
		}},
	} {
		changed, request := templateOf(t, filepath.Join(folder, "demo.layout.template")), signing
		changed["expires"] = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
		c.change(changed, &request)
		request.Signed = attestationtest.EncodeClassic(changed)
		signed, err := attestationtest.SignClassic(request)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), filepath.Base(folder)+", "+c.name)
		if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
		product := filepath.Join(inTotoCorpus, "upstream-replay/py-demo-mb-01-single/work") // with the script that the inspection runs
		if err := os.CopyFS(filepath.Join(dir, "work"), os.DirFS(product)); err != nil {
			t.Fatal(err)
		}
		write(t, dir, "root.layout", signed)
		write(t, dir, "owner.pub", public)
		cases = append(cases, classicCase{set: "in-toto-python-demo", dir: dir, layout: "root.layout", links: ".", keys: []string{"owner.pub"}, expected: c.expected, work: "work"})
	}
	return cases
}

// templateOf reads the layout in a Metablock or an envelope.
func templateOf(t *testing.T, file string) mapping {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Signed  mapping
		Payload []byte
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	if document.Payload != nil {
		if err := json.Unmarshal(document.Payload, &document.Signed); err != nil {
			t.Fatal(err)
		}
	}
	return document.Signed
}
