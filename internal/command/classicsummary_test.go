package command_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/vsa"
)

// What a summary of a classic layout's verdict says: the layout's digest as it was
// received, the links that counted, and what was run to get there. Nothing is inferred.
func TestClassicSummaryStates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := (classicWorld{list(unpacks(), lists(), holds())}).writeTo(dir); err != nil {
		t.Fatal(err)
	}
	key := write(t, dir, "release.pem", theWorld(t)["release.pem"])
	file := filepath.Join(dir, "app.vsa.json")
	stating := func(more ...string) []string {
		return append([]string{
			"verify", "--layout", filepath.Join(dir, "root.layout"), "--layout-key", filepath.Join(dir, "owner.pem"), "--link-dir", filepath.Join(dir, "links"),
			"--inspection-dir", filepath.Join(dir, "work"), "--vsa", file, "--vsa-key", key, "--vsa-verifier-id", releaseVerifier,
		}, more...)
	}
	app, readme := filepath.Join(dir, "work", "app.tar"), filepath.Join(dir, "work", "README")

	// The inspection may not run: denied, and so it is stated.
	run(t, atTheTime, stating(app)...).demand(t, 1, "inspection-not-allowed", "FAILED of pkg:generic/app.tar")
	// One passes, the other is none of the products, the third cannot be read.
	run(t, atTheTime, stating(app, readme, filepath.Join(dir, "missing"), "--allow-inspections")...).demand(t, 1, "PASSED of pkg:generic/app.tar", "FAILED of pkg:generic/README", "no verification summary of "+filepath.Join(dir, "missing"))

	links, err := filepath.Glob(filepath.Join(dir, "links", "*.link"))
	if err != nil || len(links) != 2 {
		t.Fatalf("links: %v, %v", links, err)
	}
	type said struct {
		Result, Policy      string
		Levels, Inputs, Ran []string
		Relaxed             []string
	}
	want := said{Result: vsa.Failed, Policy: digestOf(t, filepath.Join(dir, "root.layout")), Levels: []string{vsa.Failed}, Inputs: []string{digestOf(t, links[0]), digestOf(t, links[1])}}
	slices.Sort(want.Inputs)
	passed := want
	passed.Result, passed.Levels, passed.Ran = vsa.Passed, []string{}, []string{"unpack"}
	other := want
	other.Ran = []string{"unpack"}
	var got []said
	for _, s := range summaries(t, file) {
		one := said{Result: s.Result, Policy: s.Policy.Digest["sha256"], Levels: s.Levels, Ran: s.Policy.Inspections, Relaxed: s.Policy.Relaxations}
		for _, input := range s.Inputs {
			one.Inputs = append(one.Inputs, input.Digest["sha256"])
		}
		slices.Sort(one.Inputs)
		got = append(got, one)
	}
	if diff := cmp.Diff([]said{want, passed, other}, got); diff != "" {
		t.Errorf("what is stated (-want +got):\n%s", diff)
	}
}

func digestOf(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
