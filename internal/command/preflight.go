package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/report"
)

// preflight is what a run of GitHub Actions is held to before anything else: whether it
// is one to sign in, and whether its job has what attest is going to need. All that is
// missing is told at once. Where a step is none to sign in, nothing is, and that is told
// and no failure, unless the step requires it. (TestPreflight, TestSkipped)
func (in attestInput) preflight(env Env) (skipped bool, err error) {
	if env.Getenv("GITHUB_ACTIONS") != "true" {
		return false, nil
	}
	if env.inStep() {
		why, err := actions.Unsigned(env.Getenv)
		switch {
		case err != nil:
			return false, undecided("", err)
		case why != "" && env.required:
			return false, undecided("sign in a workflow that runs on push, after the merge; or leave the input require out, and such a run is skipped", fmt.Errorf("nothing is signed, and this step requires it: this is %s", why.Run()))
		case why != "":
			env.skip(why)
			return true, nil
		}
	}
	var gaps []error
	for _, gap := range actions.Preflight(env.Getenv, in.needs(env)) {
		gaps = append(gaps, undecided("", gap))
	}
	return false, together(append(gaps, in.checkEvent(env))...)
}

// skip has the step say that nothing is signed, and why.
func (env Env) skip(why actions.Why) {
	env.tell(&report.Signed{Tool: env.Version, At: env.Now, Skipped: why.Run()})
}

// inStep tells whether a step of GitHub Actions asks, and not a command line.
func (env Env) inStep() bool { return env.step.signed != nil }

// needs are what the job must allow for.
func (in attestInput) needs(env Env) actions.Needs {
	return actions.Needs{
		IDToken: in.who.asksJob(in.provenance()), Sinks: in.out.sinks(),
		Token: !githubToken(env).IsZero(), Step: env.inStep(),
	}
}

// provenance tells whether SLSA provenance is what is said.
func (in attestInput) provenance() bool {
	return in.subjects.commit == "" && in.says.step == "" && !in.says.custom()
}

// sinks are the places where bundles go, as actions.Grants calls them.
func (f *outputFlags) sinks() []string {
	var sinks []string
	for _, s := range f.stores.all() {
		sinks = append(sinks, s.kind)
	}
	if f.stores.push != "" {
		sinks = append(sinks, "push")
	}
	return sinks
}

// asksJob tells whether the job is asked for an identity token: a key asks for one where
// provenance needs the job's claims.
func (f *credentialFlags) asksJob(claims bool) bool {
	switch {
	case f.key != "":
		return claims
	case f.token != "":
		return false
	}
	return f.flow == flowAuto || f.flow == flowAmbient
}

// checkEvent refuses the community's build type for an event that it does not describe.
//
// "MUST NOT be used for any other event type" (community buildType)
func (in attestInput) checkEvent(env Env) error {
	event := env.Getenv("GITHUB_EVENT_NAME")
	if in.says.buildTypes()[in.says.buildType] != provenance.CommunityWorkflow || event == "" || slices.Contains(provenance.CommunityEvents(), event) {
		return nil
	}
	next := "leave --build-type out: GitHub's own is for every event"
	if env.inStep() {
		next = "leave the input build-type out: GitHub's own is for every event"
	}
	return &exitError{
		code: ExitDenied, next: next,
		err: fmt.Errorf("stating provenance: this run is for the event %s, and the community's build type is for %s", event, strings.Join(provenance.CommunityEvents(), ", ")),
	}
}
