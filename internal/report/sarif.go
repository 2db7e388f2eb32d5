package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// sarifSchema identifies SARIF 2.1.0 with its errata.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// maxResults is how many results GitHub's code scanning shows of one run; the
// artifacts are bounded alike.
const maxResults = 5000

// SARIF writes the report as a SARIF 2.1.0 log with one run. Every finding is a
// result: an error where the artifact is denied, a warning where nothing could be
// decided. An allowed artifact has no result, and stands among the run's artifacts
// with what was verified of it.
// Where all of it is more than GitHub takes, there are fewer results, and a notification
// counts the others.
func SARIF(w io.Writer, d Document, o Options) error {
	return writeSARIF(w, func(most int) sarifRun { return viewSARIF(d, o, most) })
}

// viewSARIF makes a run of at most so many results, and so many artifacts.
func viewSARIF(d Document, o Options, most int) sarifRun {
	run := newSARIFRun(d.Tool, o)
	run.Properties = sarifRunFacts{
		Outcome: d.Outcome().String(), Parameters: d.Parameters, Loosenings: d.Loosenings,
		Summary: summaryView{len(d.Verdicts), d.count(verdict.Allowed), d.count(verdict.Denied), d.count(verdict.Undecided)},
		Layout:  viewLayout(d.Layout),
	}
	left := 0
	for _, v := range d.Verdicts {
		if len(run.Artifacts) < most {
			run.Artifacts = append(run.Artifacts, run.artifact(d, v))
		}
		for _, f := range sarifFindings(v) {
			if len(run.Results) == most {
				left++
				continue
			}
			run.Results = append(run.Results, run.result(d, v, f))
		}
	}
	if len(d.Verdicts) == 0 { // which is denied, and must not look like a clean run
		run.Results = append(run.Results, run.result(d, verdict.Verdict{}, nothingVerified()))
	}
	run.Invocations = []sarifInvocation{viewInvocation(d, left, len(d.Verdicts)-len(run.Artifacts))}
	return run
}

// sarifFindings are the reasons of a verdict; one that is not allowed has some.
func sarifFindings(v verdict.Verdict) []verdict.Finding {
	if len(v.Findings) == 0 && !v.Allowed() {
		return []verdict.Finding{nothingVerified()}
	}
	return v.Findings
}

func nothingVerified() verdict.Finding {
	return verdict.Finding{ID: verdict.NoCandidate, Found: "nothing was verified that would allow it", Expected: "evidence", Next: "name an artifact, and its evidence with --bundle"}
}

// viewInvocation tells how the run went: one that could not decide has failed.
func viewInvocation(d Document, left, unlisted int) sarifInvocation {
	i := sarifInvocation{Successful: d.Outcome() != verdict.Undecided, ExitCode: d.ExitCode(), End: instant(d.Judged)}
	add := func(level, text string) {
		i.Notifications = append(i.Notifications, sarifNotification{level, sarifMessage{sarifText(text)}})
	}
	for n, warning := range d.Warnings {
		if n == maxRows {
			add("warning", fmt.Sprintf("and %d warnings more", len(d.Warnings)-maxRows))
			break
		}
		add("warning", warning)
	}
	for _, loosening := range first(d.Loosenings) {
		add("note", "a flag in use demands less: "+loosening)
	}
	if left > 0 {
		add("warning", fmt.Sprintf("%d findings more are left out here; --format json has them all", left))
	}
	if unlisted > 0 {
		add("note", fmt.Sprintf("%d artifacts more are left out here; --format json has them all", unlisted))
	}
	return i
}

func (r *sarifRun) artifact(d Document, v verdict.Verdict) sarifArtifact {
	satisfied := 0
	for _, s := range v.Steps {
		if s.Satisfied {
			satisfied++
		}
	}
	hashes := map[string]string{}
	for alg, value := range v.Artifact.Digest {
		// IANA's names, which SARIF asks for; git's have none.
		name := strings.Replace(string(alg), "sha", "sha-", 1)
		if alg != artifact.SHA256 && alg != artifact.SHA384 && alg != artifact.SHA512 {
			name = string(alg)
		}
		hashes[name] = value
	}
	return sarifArtifact{
		Location: r.artifactURI(d, v.Artifact), Hashes: hashes,
		Description: sarifMessage{fmt.Sprintf("%s: %d of %d steps are satisfied", v.Outcome(), satisfied, len(v.Steps))},
		Properties: sarifArtifactFacts{
			Outcome: v.Outcome().String(), Steps: each(first(v.Steps), func(s verdict.Step) stepView { return stepView(s) }),
		},
	}
}

// result makes a result of a finding, and its rule where it is the first.
func (r *sarifRun) result(d Document, v verdict.Verdict, f verdict.Finding) sarifResult {
	rules := &r.Tool.Driver.Rules
	index := slices.IndexFunc(*rules, func(rule sarifRule) bool { return rule.ID == ruleID(f.ID) })
	if index < 0 {
		index = len(*rules)
		*rules = append(*rules, viewRuleOf(d.Tool, f.ID))
	}
	level := "error"
	if v.Outcome() == verdict.Undecided {
		level = "warning"
	}
	location := sarifLocation{Physical: r.physical(d, v.Artifact, f)}
	if f.Step != "" {
		location.Logical = []sarifLogical{{Name: Clean(f.Step), Kind: "step"}}
	}
	return sarifResult{
		RuleID: ruleID(f.ID), RuleIndex: index, Kind: "fail", Level: level,
		Message: sarifMessage{sarifText(sentence(v.Artifact, f))}, Locations: []sarifLocation{location}, CodeFlows: r.flows(d, v, f),
		Fingerprints: fingerprints(v.Artifact, f, location.Physical.Region != nil),
		Properties:   sarifResultFacts{Artifact: artifactName(v.Artifact), Outcome: v.Outcome().String(), Step: Clean(f.Step)},
	}
}

// sentence tells everything of a finding, as an alert shows it.
func sentence(a artifact.Artifact, f verdict.Finding) string {
	var b strings.Builder
	b.WriteString(artifactName(a))
	if f.Step != "" {
		b.WriteString(", step " + Clean(f.Step))
	}
	b.WriteString(": " + found(f) + ".")
	add := func(label, text string) {
		if text != "" {
			b.WriteString(" " + label + clean(text, maxProse) + ".")
		}
	}
	add("Rule: ", f.Rule)
	add("Expected: ", f.Expected)
	add("Next: ", f.Next)
	return b.String()
}

// bound reports whether there is an artifact in hand: a classic layout needs none.
func bound(a artifact.Artifact) bool { return a.Given != "" || a.Name != "" || len(a.Digest) > 0 }

func artifactName(a artifact.Artifact) string {
	if !bound(a) {
		return "no artifact in hand"
	}
	return Clean(a.String())
}

// sarifText is a text as a message has it: nothing in it is a link or the place of
// an argument. "A message string MAY include one or more placeholders", "{0}"
// (SARIF 2.1.0, 3.11.5), and links, "[text](destination)" (3.11.6).
func sarifText(s string) string {
	pairs := []string{"](", "] ("}
	for digit := range 10 {
		pairs = append(pairs, fmt.Sprintf("{%d", digit), fmt.Sprintf("{ %d", digit))
	}
	return strings.NewReplacer(pairs...).Replace(clean(s, 4*maxProse))
}

// fingerprints are equal for what is the same finding in another run: lines of the
// layout move, and digests change with every build.
//
// GitHub looks at primaryLocationLineHash alone, and the action that uploads a log makes
// it of the line's text. Where there is no line nobody does, and it is made here.
//
// Source: https://github.com/github/codeql-action/blob/main/src/fingerprints.ts
func fingerprints(a artifact.Artifact, f verdict.Finding, line bool) map[string]string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", f.ID, cmp.Or(a.Name, a.Given), f.Step, f.Rule))
	all := map[string]string{"signatusFinding/v1": hex.EncodeToString(sum[:])}
	if !line {
		all["primaryLocationLineHash"] = hex.EncodeToString(sum[:8]) + ":1"
	}
	return all
}
