package command_test

import (
	"slices"
	"strings"
)

// Digests of attestation-verifier's evidence: of its example, and of the two projects
// that witness watched.
const (
	peerFoo      = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	peerBinary   = "sha256:58eaf5a78d580f5dbd49d31a5b733094169b31bfdf49055b74bcac2877d8f58c"
	peerSoftware = "sha256:cc467e71acc4ceb44ecef92d495e754853f57a3bed7dec89cf938194666a4675"
	peerRun      = "sha256:28b706985009ce0d8a2556145061ab49eaca91a72b99289c2f5b5d8094f133ca" // of the run's address
	peerImage    = "sha256:eebfc8dfcf1070235208bc38f64526117d34821ee4a963d99808616d21ec8414"
	peerWawaka   = "sha256:954f60c5de3f3b9c21b9118e25bec793c4de916aa32af140acc5501db189db7b"
	peerPackage  = "sha512:16bf7e5b59e40522190a425047b8c39ffcc8d145cdb15a69fbb9834240a764e2311bda7ac8d5c1c7dc67b47b1f532607139e570e4915577fab61bae4cc079eb0"
)

// exampleCases are the project's own example: foo is cloned, tested and built. Its
// test is about the source and its build about the binary, so that each is a layout
// with the clone. "again" is the envelope that says "type" for "_type", signed again.
func exampleCases(layout string) []peerCase {
	build := conversion{steps: []string{"clone", "build"}, from: "build"}
	test := conversion{steps: []string{"clone", "test"}, from: "test"}
	const built, tested = "test-data/build.fe1c6281.json", "test-data/test.fe1c6281.json"
	expiring := func(date string) *conversion {
		return &conversion{steps: build.steps, from: build.from, expires: date + "T12:23:22Z"}
	}
	edited := func(c conversion, edit ...string) *conversion { c.edit = edit; return &c }
	return []peerCase{
		{"the build", peerBinary, layout, &build, []string{"again", built}, nil, ""},
		{"the test", peerFoo, layout, &test, []string{"again", tested}, nil, ""},
		{"the test, with what says nothing of it", peerFoo, layout, &test, []string{"again", tested, built}, nil, ""},
		{"the clone's envelope as it is", peerBinary, layout, &build, []string{"test-data/clone.fe1c6281.json", built}, nil, "threshold-not-met: _type"},
		{"no clone", peerBinary, layout, &build, []string{built}, nil, "threshold-not-met"},
		{"no build", peerBinary, layout, &build, []string{"again", tested}, nil, "threshold-not-met"},
		{"the test, of the binary", peerBinary, layout, &test, []string{"again", tested}, nil, "artifact-not-subject"},
		{"the build, of the source", peerFoo, layout, &build, []string{"again", built}, nil, "artifact-not-subject"},
		{"steps that nothing joins", peerBinary, layout, &conversion{steps: []string{"clone", "test", "build"}, from: "build"}, []string{"again", built, tested}, nil, "step-not-joined"},
		{"another builder", peerBinary, layout, edited(build, "v1.7.0", "v1.8.0"), []string{"again", built}, nil, "attribute-false"},
		{"another result", peerFoo, layout, edited(test, "'PASSED'", "'FAILED'"), []string{"again", tested}, nil, "attribute-false"},
		{"another command", peerBinary, layout, edited(build, "example.com/foo.git", "example.com/bar.git"), []string{"again", built}, nil, "attribute-false"},
		{"another key", peerBinary, layout, edited(build, "7345b83c", "8345b83c"), []string{"again", built}, nil, "signature-invalid"},
		{"expired, as one of the branches is", peerBinary, layout, expiring("2024-10-10"), []string{"again", built}, nil, "layout-expired"},
		{"for a lifetime, as the others are", peerBinary, layout, expiring("2100-10-10"), []string{"again", built}, nil, "layout-expiry-too-far"},
	}
}

// witnessCases are one witness collection, of what it built.
func witnessCases(layout string) []peerCase {
	build := conversion{steps: []string{"build"}, from: "build"}
	edited := func(edit ...string) *conversion { c := build; c.edit = edit; return &c }
	folder, _, _ := strings.Cut(layout, "/")
	evidence := []string{folder + "/test-data-witness/build.fe1c6281.json"}
	return []peerCase{
		{"what it built", peerSoftware, layout, &build, evidence, nil, ""},
		{"something else", peerBinary, layout, &build, evidence, nil, "artifact-not-subject"},
		{"another author", peerSoftware, layout, edited("John Kjell", "Mallory"), evidence, nil, "attribute-false"},
		{"another repository", peerSoftware, layout, edited("'testifysec/swf'", "'mallory/swf'"), evidence, nil, "attribute-false"},
		{"another exit code", peerSoftware, layout, edited("exitcode == 0", "exitcode == 1"), evidence, nil, "attribute-false"},
		{"a file that is not allowed", peerSoftware, layout, edited(`      - "ALLOW *.pem"`, ""), evidence, nil, "attribute-false"},
		{"a step of another name", peerSoftware, layout, &conversion{steps: []string{"make"}, from: "make", edit: []string{"- name: \"build\"", "- name: \"make\""}}, evidence, nil, "attribute-false"},
		{"unsigned", peerSoftware, layout, &build, []string{folder + "/test-data-witness-raw/build.json"}, nil, "bundle-malformed: without a signature"},
	}
}

// workflowCases are the collections of one run, one a step. All they share that a
// digest binds is the run, which is what is asked for: none of them but build-image
// speaks of the image.
func workflowCases(layout string) []peerCase {
	steps := []string{"fmt", "vet", "lint", "unit-test", "sast", "build-image", "generate-sbom", "secret-scan"}
	run := conversion{steps: steps, from: "build-image"}
	image := conversion{steps: []string{"build-image"}, from: "build-image"}
	folder, _, _ := strings.Cut(layout, "/")
	var evidence []string
	for _, step := range steps {
		evidence = append(evidence, folder+"/test-data-swf/"+step+".fe1c6281.json")
	}
	without := func(i int) []string { return slices.Delete(slices.Clone(evidence), i, i+1) }
	return []peerCase{
		{"the run", peerRun, layout, &run, evidence, nil, ""},
		{"the run, with every collection of it", peerRun, layout, &run, []string{folder + "/test-data-swf"}, nil, ""},
		{"the image", peerImage, layout, &image, evidence, nil, ""},
		{"the image, by words that say nothing of it", peerImage, layout, &run, evidence, nil, "step-not-joined"},
		{"another run", peerSoftware, layout, &run, evidence, nil, "artifact-not-subject"},
		{"no lint", peerRun, layout, &run, without(2), nil, "attribute-false"},
		{"no scan for secrets", peerRun, layout, &run, without(7), nil, "attribute-false"},
		{"another command", peerRun, layout, &conversion{steps: steps, from: "build-image", edit: []string{"hadolint -f sarif", "hadolint -f json"}}, evidence, nil, "attribute-false"},
		{"nothing signed", peerRun, layout, &run, []string{folder + "/test-data-swf-raw"}, nil, "bundle-malformed: without a signature"},
	}
}

// packageEvidence stands for the layout that the corpus does not have.
const packageEvidence = "test-data-npm"

// packageLayout is of the project's two statements about an npm package, whose layout
// the corpus does not have: their parameters are, and the key is the example's.
const packageLayout = `_type: layout
version: 1
expires: "EXPIRES"
parameters:
  package_name: {anyText: true, required: true}
  package_version: {anyText: true, required: true}
  github_repository: {pattern: "*/*", required: true}
  github_repository_id: {anyText: true, required: true}
  github_ref: {anyText: true, required: true}
  entry_point: {anyText: true, required: true}
functionaries:
  key: {keyType: ed25519, scheme: ed25519, keyVal: {public: PUBLIC}}
steps:
  - name: build
    expectedMaterials: ["REQUIRE git+https://github.com/{github_repository}", "ALLOW git+https://github.com/{github_repository}", "DISALLOW *"]
    expectedProducts: ["CREATE pkg:npm/*", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://slsa.dev/provenance/v0.2"
        functionaries: [key]
        threshold: 1
        expectedAttributes:
          - {rule: "predicate.invocation.configSource.entryPoint == params.entry_point"}
          - {rule: "predicate.invocation.environment.GITHUB_REPOSITORY_ID == params.github_repository_id"}
          - {rule: "predicate.invocation.environment.GITHUB_REF == params.github_ref"}
  - name: publish
    expectedMaterials: ["MATCH pkg:npm/* WITH PRODUCTS FROM build", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
        functionaries: [key]
        threshold: 1
        expectedAttributes:
          - {rule: "predicate.name == params.package_name && predicate.version == params.package_version"}
subjects: [{subject: ["*"], from: build}]
`

// packageCases take the values of the corpus' parameters, each with one changed.
func packageCases() []peerCase {
	const layout, build, publish = packageEvidence, "test-data-npm/build.fe1c6281.json", "test-data-npm/publish.fe1c6281.json"
	both := []string{build, publish}
	return []peerCase{
		{"the package", peerPackage, layout, nil, both, nil, ""},
		{"another version", peerPackage, layout, nil, both, []string{"package_version=1.2.1"}, "attribute-false"},
		{"another repository", peerPackage, layout, nil, both, []string{"github_repository=mallory/sigstore-js"}, "rule-require"},
		{"another repository of that name", peerPackage, layout, nil, both, []string{"github_repository_id=1"}, "attribute-false"},
		{"another ref", peerPackage, layout, nil, both, []string{"github_ref=refs/heads/dev"}, "attribute-false"},
		{"another workflow", peerPackage, layout, nil, both, []string{"entry_point=.github/workflows/ci.yml"}, "attribute-false"},
		{"not published", peerPackage, layout, nil, []string{build}, nil, "threshold-not-met"},
		{"not built", peerPackage, layout, nil, []string{publish}, nil, "threshold-not-met"},
		{"something else", peerBinary, layout, nil, both, nil, "artifact-not-subject"},
	}
}
