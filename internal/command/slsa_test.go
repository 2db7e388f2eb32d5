package command_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

const (
	slsaDir    = corpusDir + "/slsa-verifier"
	slsaLayout = "../../layouts/slsa.yml"
	generator  = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/"
)

// slsaCase is one question that slsa-verifier's own tests ask, put to signatus
// verify with layouts/slsa.yml.
type slsaCase struct {
	test, name, bundle string
	image              string // of a registry, in place of a bundle
	digests, params    []string
	pass               bool
	skip               string // why its evidence cannot be verified offline
}

// slsaTallies are the counts of docs/conformance.md.
type slsaTallies struct {
	pass, fail map[string]*tally // by test
	legacy     tally             // denied as they must be, for want of a log entry
	skipped    map[string]int
}

// slsa asks every question of the corpus' EXPECTATIONS.tsv. Those of path
// artifacts are asked of each builder of the corpus that has a bundle for them,
// with each spelling of its id, as slsa-verifier's test does.
func (d *document) slsa(t *testing.T) {
	t.Helper()
	var cases []slsaCase
	for _, r := range table(t, filepath.Join(slsaDir, "EXPECTATIONS.tsv")) {
		cases = append(cases, slsaCases(t, r)...)
	}
	images := registryOfLayouts(t, map[string]string{slsaImage: slsaDir + "/gha_generic_container/v2.1.0/container_workflow_dispatch"})
	for i := range cases {
		cases[i].image = images[cases[i].image]
	}
	outcomes := make([]outcome, len(cases))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range cases {
		if c.skip == "" {
			group.Go(func() error { outcomes[i] = c.run(t); return nil })
		}
	}
	_ = group.Wait()
	d.slsaTallies = slsaTallies{pass: map[string]*tally{}, fail: map[string]*tally{}, skipped: map[string]int{}}
	for i, c := range cases {
		d.slsaTallies.count(t, c, outcomes[i])
	}
}

func (s *slsaTallies) count(t *testing.T, c slsaCase, o outcome) {
	switch {
	case c.skip != "":
		s.skipped[c.skip]++
		return
	case c.image == "" && isBareEnvelope(t, c.bundle):
		s.legacy.add(o.code == 1)
	case c.pass:
		tallyOf(s.pass, c.test).add(o.code == 0)
	default:
		tallyOf(s.fail, c.test).add(o.code == 1)
	}
	if c.pass != (o.code == 0) || !c.pass && o.code != 1 {
		t.Errorf("%s, %s: %s %v %v: exit code %d, expected to pass: %t\n%s%s", c.test, c.name, c.bundle, c.digests, c.params, o.code, c.pass, o.out, o.report)
	}
}

func tallyOf(of map[string]*tally, test string) *tally {
	if of[test] == nil {
		of[test] = &tally{}
	}
	return of[test]
}

func (c slsaCase) run(t *testing.T) outcome {
	args := append([]string{"verify"}, c.digests...)
	args = append(args, "--offline", "--bundle", filepath.Join(slsaDir, c.bundle), "--layout", slsaLayout)
	if c.image != "" {
		args = []string{"verify", "oci://" + c.image, "--from", "oci", "--trusted-root", publicGoodRoot, "--trusted-root", githubRoot, "--layout", slsaLayout}
	}
	for _, p := range c.params {
		args = append(args, "--param", p)
	}
	return run(t, reachable, args...)
}

// slsaImage is the image of the rows about images, which its registry has together with
// its attestation in cosign's older form.
const slsaImage = "container"

// slsaCases makes the questions of one row.
func slsaCases(t *testing.T, r map[string]string) []slsaCase {
	t.Helper()
	c := slsaCase{
		test: strings.TrimPrefix(r["test"], "Test_runVerify"), name: r["name"], bundle: r["bundle"],
		pass: r["expected"] == "PASS", params: slsaParams(r), digests: strings.Split(strings.Trim(r["digest"], ","), ","),
	}
	if r["digest"] == "" {
		c.digests = []string{"sha256:" + strings.Repeat("0", 64)} // an artifact that nobody knows
	}
	artifact, _, _ := strings.Cut(r["artifacts"], ",")
	switch c.test {
	case "GCBArtifactImage":
		c.skip = "Google Cloud Build's provenance, in a format of its own and without log entry or certificate"
		return []slsaCase{c}
	case "GHAArtifactImage":
		c.image = slsaImage
		return []slsaCase{c}
	case "VSA":
		c.skip = "a verification summary, which asks for another layout"
		return []slsaCase{c}
	case "GithubAttestation":
		c.bundle = "bcr/" + artifact + ".intoto.jsonl"
		c.digests = subjectDigests(t, c.bundle)
		return []slsaCase{c}
	case "GHAContainerBased":
		return c.overBuilders(t, r, artifact+".intoto.build.slsa", map[string]string{"gha_container-based": generator + "builder_container-based_slsa3.yml"})
	}
	switch legacy := isBareEnvelope(t, c.bundle); {
	case legacy && c.pass:
		c.skip = "an envelope of slsa-github-generator before v2.1.0, without the log entry, which nobody can verify offline"
		return []slsaCase{c}
	case legacy || c.test != "GHAArtifactPath":
		return []slsaCase{c}
	}
	// The row once for the bundle it names, and then for the builders that sign
	// through a delegator, as the row for gha_go stands for all of them.
	cases := c.overBuilders(t, r, filepath.Base(c.bundle), map[string]string{
		"gha_go": generator + "builder_go_slsa3.yml", "gha_generic": generator + "generator_generic_slsa3.yml",
	})
	cases = slices.DeleteFunc(cases, func(o slsaCase) bool { return o.bundle != c.bundle })
	if strings.HasPrefix(c.bundle, "gha_go/") {
		cases = append(cases, c.overBuilders(t, r, artifact+".build.slsa", map[string]string{
			"gha_maven": generator + "builder_maven_slsa3.yml", "gha_gradle": generator + "builder_gradle_slsa3.yml",
			"gha_delegator": "https://github.com/slsa-framework/example-trw/.github/workflows/builder_high-perms_slsa3.yml",
		})...)
	}
	return cases
}

// overBuilders asks the question of each builder's bundle of that name, of its
// newest version, with each spelling of its id.
func (c slsaCase) overBuilders(t *testing.T, r map[string]string, file string, builders map[string]string) (cases []slsaCase) {
	t.Helper()
	for folder, id := range builders {
		o := c
		o.bundle = folder + "/v2.1.0/" + file
		o.digests = subjectDigests(t, o.bundle)
		ids := []string{id, id + "@v2.1.0", id + "@refs/tags/v2.1.0"}
		if folder != "gha_delegator" { // a builder of another repository is trusted only by name
			ids = append(ids, "")
		}
		if r["builder-id"] != "" {
			ids = []string{r["builder-id"]}
		}
		for _, id := range ids {
			with := o
			with.params = slices.DeleteFunc(slices.Clone(c.params), func(p string) bool { return strings.HasPrefix(p, "builderId=") })
			if id != "" {
				with.params = append(with.params, "builderId="+id)
			}
			cases = append(cases, with)
		}
	}
	return cases
}

// slsaParams spells a row's columns as parameters of the layout.
func slsaParams(r map[string]string) (params []string) {
	for column, name := range map[string]string{
		"source-uri": "source", "source-branch": "branch", "source-tag": "tag", "source-versioned-tag": "versionedTag",
		"builder-id": "builderId", "package-name": "packageName", "package-version": "packageVersion",
	} {
		if r[column] != "" {
			params = append(params, name+"="+r[column])
		}
	}
	// release_version: "(for example, 0.1.0)", "some_bool": "true", …
	for _, pair := range strings.Split(r["workflow-inputs"], `", "`) {
		if name, value, ok := strings.Cut(pair, ":"); ok {
			params = append(params, "workflowInput."+strings.Trim(name, `" `)+"="+strings.Trim(value, `", `))
		}
	}
	slices.Sort(params)
	return params
}

// isBareEnvelope tells a DSSE envelope from a bundle.
func isBareEnvelope(t *testing.T, bundle string) bool {
	t.Helper()
	var document struct{ PayloadType string }
	_ = json.Unmarshal(readSLSA(t, bundle), &document)
	return document.PayloadType != ""
}

// subjectDigests are those of the bundle's first subject: the artifacts
// themselves are mostly left out of the corpus.
func subjectDigests(t *testing.T, bundle string) []string {
	t.Helper()
	for alg, hex := range readBundle(readSLSA(t, bundle)).digests() {
		return []string{alg + ":" + hex}
	}
	t.Errorf("%s has no subject with a digest", bundle)
	return nil
}

func readSLSA(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(slsaDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// write tells the counts.
func (s slsaTallies) write(line func(string, ...any)) {
	line("## slsa-verifier's own tests")
	line("")
	line("Every row of `../shared/corpus/sigstore/slsa-verifier/EXPECTATIONS.tsv`, which are questions of slsa-verifier's regression test, put to `signatus verify DIGEST --bundle FILE --layout layouts/slsa.yml --param …`, with the answer that the row expects; images are put as `oci://IMAGE --from oci` to a registry on loopback, which has them as cosign stores them. A row of path artifacts stands for each builder of the corpus, those behind a delegator too, and for each spelling of its id.")
	line("")
	line("| test | allowed, as expected | denied, as expected |")
	line("|---|---|---|")
	for _, test := range []string{"GHAArtifactPath", "GHAArtifactImage", "GHAContainerBased", "GithubAttestation", "NpmPackage"} {
		line("| %s | %s | %s |", test, tallyOf(s.pass, test), tallyOf(s.fail, test))
	}
	line("")
	line("- Denied as the row says, but for want of a log entry, which envelopes of slsa-github-generator before v2.1.0 do not carry: %s.", s.legacy)
	line("")
	line("Not run:")
	line("")
	line("| rows | why |")
	line("|---|---|")
	for _, reason := range slices.Sorted(maps.Keys(s.skipped)) {
		line("| %d | %s |", s.skipped[reason], reason)
	}
	line("")
}
