//go:build action

package actiontest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// programs are what `make action-test` has built, tried.
type programs struct {
	act, sandbox, signatus string // files
	image, runner          string // names of images
}

func built(t *testing.T) (p programs) {
	t.Helper()
	for name, place := range map[string]*string{
		"ACTIONTEST_ACT": &p.act, "ACTIONTEST_SANDBOX": &p.sandbox, "ACTIONTEST_SIGNATUS": &p.signatus, "ACTIONTEST_IMAGE": &p.image, "ACTIONTEST_RUNNER": &p.runner,
	} {
		if *place = os.Getenv(name); *place == "" {
			t.Fatalf("%s names nothing, expected a run by make action-test", name)
		}
	}
	return p
}

// scene is one run of one workflow. The workflow holds most expectations itself: a
// step that expects a refusal goes on after it, and a later one tests its outputs.
type scene struct {
	name     string
	workflow string // a file of testdata/workflows, or empty for the README's
	event    string
	actor    string // who started the run, where that matters
	noToken  bool   // no permission to ask for an identity token
	fails    bool
	log      []string // what must be in the log
	notLog   []string
	notSaid  []string // what no step may print, though it stands in a summary
	// set makes what the scene needs besides, before the job begins.
	set func(*testing.T, *stage)
}

func scenes() []scene {
	return []scene{
		// What a step writes to GITHUB_OUTPUT and GITHUB_STEP_SUMMARY, act reads and tells.
		{name: "README", event: "push", log: []string{"signed: app", "Summary - ## ✅ signed: `app`", "::set-output:: verdict=signed", "::set-output:: bundle-path=/", "::set-output:: exit-code=0"}},
		{name: "attest and verify", workflow: "roundtrip.yml", event: "push", log: []string{"allowed: dist/app", "denied: dist/app", "Summary - ## ❌ denied: `dist/app`", "ROUNDTRIP HOLDS"}},
		{name: "author and builder", workflow: "people.yml", event: "push", set: people, log: []string{
			"allowed: dist/app against layout.yml", "✓ author  alice@example.com", "signer-not-functionary", "artifact-not-subject", "PEOPLE HOLD",
		}},
		{name: "moved over from actions/attest", workflow: "moved.yml", event: "push", set: hub, log: []string{"MOVED HOLDS"}},
		{name: "migrating from actions/attest-build-provenance", workflow: "migrating-attest.yml", event: "push", set: hub, log: []string{"signed: app", "::set-output:: verdict=signed", "::set-output:: attestation-url=https://github.com/acme/app/attestations/"}},
		{name: "migrating from cosign", workflow: "migrating-cosign.yml", event: "push", log: []string{"CycloneDX SBOM", "dist/app.sigstore.json", "::set-output:: verdict=signed"}},
		{name: "no identity token", workflow: "plain.yml", event: "push", noToken: true, fails: true, log: []string{"permissions: {id-token: write, contents: read}"}},
		{name: "a pull request from a fork", workflow: "fork.yml", event: "pull_request", noToken: true, set: fork, log: []string{"a pull request from a fork", "read from base commit", "FORK HOLDS"}},
		{name: "a merge queue", workflow: "skipped.yml", event: "merge_group", set: queue, log: []string{"a run of the merge queue", "SKIPPED HOLDS"}},
		{name: "Dependabot", workflow: "skipped.yml", event: "push", actor: "dependabot[bot]", noToken: true, log: []string{"a run that Dependabot started", "SKIPPED HOLDS"}},
		{name: "a file named as a command", workflow: "hostile.yml", event: "push", log: []string{"HOSTILE HOLDS", `##\u005bwarning]owned`}, notSaid: []string{"| ::warning::owned", "##[warning]owned"}},
		{name: "lines and folders", workflow: "lines.yml", event: "push", log: []string{"LINES HOLD"}},
		{name: "wrong inputs", workflow: "wrong.yml", event: "push", log: []string{"WRONG HOLDS"}},
		{name: "images", workflow: "images.yml", event: "push", set: images, log: []string{"IMAGES HOLD"}, notLog: []string{password}},
		{name: "GitHub", workflow: "github.yml", event: "push", set: hub, log: []string{"attestations: write", "GITHUB HOLDS"}, notLog: []string{jobsToken, readersToken}},
	}
}

func TestAction(t *testing.T) {
	t.Parallel()
	p := built(t)
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	t.Cleanup(cancel)
	r := &runner{programs: p, socket: engine(ctx, t)}
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			st := r.stage(ctx, t, s)
			log, err := r.act(ctx, t, s, st)
			if failed := err != nil; failed != s.fails {
				t.Errorf("the workflow failed: %t, expected %t", failed, s.fails)
			}
			for _, want := range s.log {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %q", want)
				}
			}
			for _, unwanted := range s.notLog {
				if strings.Contains(log, unwanted) {
					t.Errorf("the log has %q", unwanted)
				}
			}
			for _, unwanted := range s.notSaid {
				if strings.Contains(said(log), unwanted) {
					t.Errorf("a step prints %q", unwanted)
				}
			}
			if t.Failed() || testing.Verbose() {
				t.Logf("act: %v\n%s", err, log)
			}
		})
	}
}

// said is what the steps print, which act puts behind a bar. Summaries are not.
func said(log string) (lines string) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "]   | ") {
			lines += line
		}
	}
	return lines
}
