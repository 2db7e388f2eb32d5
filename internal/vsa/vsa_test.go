package vsa

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// whole says everything that can be said.
func whole() Summary {
	digest := artifact.DigestSet{artifact.SHA256: strings.Repeat("a", 64)}
	return Summary{
		VerifierID: "https://example.com/verifier", VerifierVersion: map[string]string{"signatus": "v1.0.0"},
		TimeVerified: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), ResourceURI: "pkg:generic/app",
		Policy: Policy{URI: "release.yml", Digest: digest, Parameters: map[string]string{"repo": "github.com/acme/app"}, Relaxations: []string{"in-toto-1.0/glob"}, Inspections: []string{"unpack"}},
		Inputs: []Input{{URI: "app.sigstore.json", Digest: digest}, {Digest: digest}},
		Result: Passed, Levels: []string{"SLSA_BUILD_LEVEL_3", "ACME"},
	}
}

func build(t *testing.T, s Summary) []byte {
	t.Helper()
	data, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBuild(t *testing.T) {
	t.Parallel()
	want := `{"verifier":{"id":"https://example.com/verifier","version":{"signatus":"v1.0.0"}},"timeVerified":"2026-11-28T00:00:00Z",` +
		`"resourceUri":"pkg:generic/app","policy":{"uri":"release.yml","digest":{"sha256":"` + strings.Repeat("a", 64) + `"},` +
		`"annotations":{"parameters":{"repo":"github.com/acme/app"},"relaxations":["in-toto-1.0/glob"],"inspections":["unpack"]}},` +
		`"inputAttestations":[{"uri":"app.sigstore.json","digest":{"sha256":"` + strings.Repeat("a", 64) + `"}},{"digest":{"sha256":"` + strings.Repeat("a", 64) + `"}}],` +
		`"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3","ACME"],"slsaVersion":"1.1"}`
	if diff := cmp.Diff(want, string(build(t, whole()))); diff != "" {
		t.Error(diff)
	}
	failed := whole()
	failed.Result, failed.Levels = Failed, nil
	if got := string(build(t, failed)); !strings.Contains(got, `"verificationResult":"FAILED","verifiedLevels":["FAILED"]`) {
		t.Errorf("a failed verification is written as %s", got)
	}
	bare := whole()
	bare.Levels, bare.Policy.Parameters, bare.VerifierVersion = nil, map[string]string{}, nil
	bare.Policy.Relaxations, bare.Policy.Inspections = []string{}, nil
	if got := string(build(t, bare)); !strings.Contains(got, `"verifiedLevels":[]`) || strings.Contains(got, "annotations") || strings.Contains(got, "version\":{") {
		t.Errorf("what is not said is written as %s", got)
	}
}

// What is written is read again, under either type.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := whole()
	want.VerifierVersion, want.SLSAVersion = nil, SLSAVersion
	for _, predicateType := range []string{V1, V02} {
		got, err := Read(predicateType, build(t, whole()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-written +read)\n%s", predicateType, diff)
		}
	}
}

// Each row takes one thing away.
func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Summary){
		"no verifier":                  func(s *Summary) { s.VerifierID = "" },
		"a verifier that is no URI":    func(s *Summary) { s.VerifierID = "me" },
		"a verifier with white space":  func(s *Summary) { s.VerifierID = "https://example.com/a b" },
		"no resource":                  func(s *Summary) { s.ResourceURI = "" },
		"a relative resource":          func(s *Summary) { s.ResourceURI = "app" },
		"a resource with a bidi mark":  func(s *Summary) { s.ResourceURI = "https://example.com/\u202e" },
		"a long resource":              func(s *Summary) { s.ResourceURI = "https://example.com/" + strings.Repeat("a", maxText) },
		"no time":                      func(s *Summary) { s.TimeVerified = time.Time{} },
		"no policy digest":             func(s *Summary) { s.Policy.Digest = nil },
		"a policy digest of odd form":  func(s *Summary) { s.Policy.Digest = artifact.DigestSet{artifact.SHA256: "sha256:00"} },
		"an input digest of odd form":  func(s *Summary) { s.Inputs[1].Digest = artifact.DigestSet{artifact.SHA256: "x"} },
		"no result":                    func(s *Summary) { s.Result = "" },
		"another result":               func(s *Summary) { s.Result = "passed" },
		"passed on nothing":            func(s *Summary) { s.Inputs = nil },
		"failed with levels":           func(s *Summary) { s.Result = Failed },
		"a level that there is not":    func(s *Summary) { s.Levels = []string{"SLSA_BUILD_LEVEL_7"} },
		"more inputs than are read":    func(s *Summary) { s.Inputs = slices.Repeat(s.Inputs[:1], MaxInputs+1) },
		"more levels than are read":    func(s *Summary) { s.Levels = many(MaxLevels + 1) },
		"a level without any letter":   func(s *Summary) { s.Levels = []string{""} },
		"the same level a second time": func(s *Summary) { s.Levels = []string{"ACME", "ACME"} },
	} {
		s := whole()
		if change(&s); s.Result == Passed || s.Result == Failed {
			if data, err := Build(s); err == nil {
				t.Errorf("%s: it writes %s", name, data)
			}
		} else if _, err := Build(s); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
}

func many(n int) (levels []string) {
	for i := range n {
		levels = append(levels, fmt.Sprintf("ACME_%d", i))
	}
	return levels
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	digest := `{"sha256":"` + strings.Repeat("a", 64) + `"}`
	for name, text := range map[string]string{
		"nothing":                      ``,
		"a list":                       `[]`,
		"a key twice":                  `{"verificationResult":"FAILED","verificationResult":"PASSED"}`,
		"a result that is no text":     `{"verificationResult":true}`,
		"a verifier that is no object": `{"verifier":"x"}`,
		"levels that are no list":      `{"verifiedLevels":"SLSA_BUILD_LEVEL_3"}`,
		"a level that is no text":      `{"verifiedLevels":[3]}`,
		"a time that is none":          `{"timeVerified":"2026-13-01T00:00:00Z"}`,
		"a time without a zone":        `{"timeVerified":"2026-12-01T00:00:00"}`,
		"a policy digest of odd form":  `{"policy":{"digest":{"sha256":"abc"}}}`,
		"an input digest of odd form":  `{"inputAttestations":[{"digest":{"sha256":"abc"}}]}`,
		"more behind it":               `{} {}`,
		"too many levels":              `{"verifiedLevels":[` + strings.TrimSuffix(strings.Repeat(`"A",`, MaxLevels+1), ",") + `]}`,
		"too many inputs":              `{"inputAttestations":[` + strings.TrimSuffix(strings.Repeat(`{"digest":`+digest+`},`, MaxInputs+1), ",") + `]}`,
	} {
		if s, err := Read(V1, []byte(text)); err == nil {
			t.Errorf("%s is read as %+v", name, s)
		}
	}
	if _, err := Read("https://example.com/x", build(t, whole())); err == nil {
		t.Error("another type is read")
	}
}

// Consumers ignore what they do not know, and annotations are anybody's.
func TestReadIgnores(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"verificationResult":"PASSED","x":{"y":[1]}}`,
		`{"verificationResult":"PASSED","verifier":{"id":"https://example.com/v","version":{"a":1}}}`,
		`{"verificationResult":"PASSED","policy":{"annotations":[1]}}`,
		`{"verificationResult":"PASSED","policy":{"annotations":{"parameters":{"a":1}}}}`,
		`{"verificationResult":"PASSED","dependencyLevels":{"SLSA_BUILD_LEVEL_1":4}}`,
	} {
		s, err := Read(V1, []byte(text))
		if err != nil || s.Result != Passed || s.Policy.Parameters != nil {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
}

func TestCheckLevels(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		levels string
		allow  bool
	}{
		{"", true}, {"SLSA_BUILD_LEVEL_0", true}, {"SLSA_BUILD_LEVEL_3", true}, {"SLSA_SOURCE_LEVEL_1", true}, {"SLSA_SOURCE_LEVEL_4", true},
		{"SLSA_BUILD_LEVEL_3 SLSA_SOURCE_LEVEL_2", true}, {"BCID_L1", true}, {"acme.reviewed-2", true}, {"BCID_L1 SLSA_BUILD_LEVEL_2", true},
		{"SLSA_BUILD_LEVEL_4", false}, {"SLSA_SOURCE_LEVEL_0", false}, {"SLSA_SOURCE_LEVEL_5", false}, {"SLSA_BUILD_LEVEL_-1", false}, {"SLSA_BUILD_LEVEL_03", false},
		{"SLSA_BUILD_LEVEL_", false}, {"SLSA_BUILD_LEVEL_X", false}, {"SLSA_LEVEL_3", false}, {"SLSA_X_LEVEL_1", false}, {"SLSA_", false}, {"slsa_build_level_3", false},
		{"SLSA_BUILD_LEVEL_UNEVALUATED", false}, {"PASSED", false}, {"FAILED", false}, {"A/B", false}, {"A\n", false}, {"É", false},
		{"SLSA_BUILD_LEVEL_2 SLSA_BUILD_LEVEL_3", false}, {"A A", false},
	} {
		var levels []string
		if row.levels != "" {
			levels = strings.Split(row.levels, " ")
		}
		if err := CheckLevels(levels); (err == nil) != row.allow {
			t.Errorf("%q: %v, expected allowed=%t", row.levels, err, row.allow)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		stated, demanded string
		want             bool
	}{
		{"SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_3", true}, {"SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_1", true}, {"A SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_2", true}, {"A B", "B", true},
		{"", "A", false}, {"SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3", false}, {"SLSA_SOURCE_LEVEL_3", "SLSA_BUILD_LEVEL_1", false}, {"SLSA_BUILD_LEVEL_9", "SLSA_BUILD_LEVEL_3", false},
		{"SLSA_BUILD_LEVEL_03", "SLSA_BUILD_LEVEL_3", false}, {"a", "A", false}, {"FAILED", "SLSA_BUILD_LEVEL_0", false}, {"ACME_LEVEL_3", "ACME_LEVEL_2", false},
	} {
		if got := Covers(strings.Fields(row.stated), row.demanded); got != row.want {
			t.Errorf("%q covers %s: %t", row.stated, row.demanded, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	data, err := Build(whole())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(data), `{}`, `{"policy":{"annotations":null}}`, `{"timeVerified":""}`, `{"verifiedLevels":null}`, `{"inputAttestations":[{}]}`, "{\"resourceUri\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read(V1, data)
		if err != nil {
			return
		}
		if len(s.Inputs) > MaxInputs || len(s.Levels) > MaxLevels {
			t.Errorf("%d inputs, %d levels", len(s.Inputs), len(s.Levels))
		}
		again, err := Build(s)
		if err != nil {
			return
		}
		if _, err := Read(V1, again); err != nil {
			t.Errorf("what is written of it cannot be read: %v\n%s", err, again)
		}
	})
}
