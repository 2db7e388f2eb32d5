// Package report writes a verdict as text and as JSON. It decides nothing: it
// refuses to show as allowed what no verdict allows, and lets no text from
// outside reach a terminal except through [Clean].
//
// The command fills a [Document] and hands it to [Text] or [JSON]; whatever the
// format, [Document.ExitCode] is the exit code:
//
//	0  allowed    there is at least one artifact, and every one is allowed
//	1  denied     any artifact is denied, or nothing was verified
//	3  undecided  none is denied, but something that the decision needs could
//	              not be read, fetched or understood
//
// Exit code 2, wrong usage, comes with no report. Both formats are described in
// docs/report.md; docs/report.schema.json is the schema of the second.
package report

import (
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// Document is everything a report tells. The zero value reports that nothing
// was verified, which is denied. Lists are shown in the order they have here.
type Document struct {
	Tool   string    // the version of this program, for example "v1.0.0"
	Judged time.Time // the time that expiries and ages were measured against
	Layout Layout
	// Parameters are the layout's parameters as they were given.
	Parameters map[string]string
	// Roots are the trusted roots that were in use.
	Roots []Root
	// Searched are the places where evidence was looked for.
	Searched []Place
	// Warnings are what went wrong without deciding anything, one line each.
	Warnings []string
	// Loosenings are the flags in use that demand less, as they were typed.
	Loosenings []string
	// Summaries are the verification summaries that were signed and written.
	Summaries []Summary
	// Verdicts has one entry for each artifact.
	Verdicts []verdict.Verdict
}

// Layout is the layout that was demanded, and why it is trusted.
type Layout struct {
	Name    string    // as on the command line; empty when built from flags
	SHA256  string    // of its bytes, 64 hex digits; empty when built from flags
	Version int       // 0 when it has none
	Expires time.Time // zero when it never does
	Trust   string    // "named on the command line", "built from --certificate-identity …"
}

// Summary is a verification summary that states a verdict for others.
type Summary struct {
	File     string // that it was appended to
	Artifact string // as the caller typed it
	Result   string // PASSED or FAILED
	Resource string // its resourceUri
	Levels   []string
	Verifier string // its verifier.id
	Signer   string // for people, in one line
	Instance Instance
}

// Root is a trusted root in use.
type Root struct {
	Name   string    // what functionaries refer to
	Source string    // for people, with the date: "embedded, 2026-08-12"
	SHA256 string    // of its JSON, 64 hex digits
	Date   time.Time // of the embedded copy or the refresh; zero for a file
}

// Place is somewhere evidence was looked for: a file, a git ref, a registry.
type Place struct {
	Name  string
	Found int // candidates, whether or not they counted
}

// Options says how a report looks. The caller knows the terminal and NO_COLOR.
type Options struct {
	Color   bool
	Verbose bool // every candidate, every time, finding ids, full digests
	// Fold has long parts of a text folded away where a runner shows it; nil for nowhere.
	Fold Folding
	// Relative tells where in the repository a file lies, from its root, and whether it
	// does; nil where its names begin there already.
	Relative func(name string) (string, bool)
}

// Outcome is the answer for all artifacts together: denied for none at all.
func (d Document) Outcome() verdict.Outcome { return verdict.Overall(d.Verdicts) }

// ExitCode is the exit code that belongs to the outcome: 0, 1 or 3.
func (d Document) ExitCode() int {
	switch d.Outcome() {
	case verdict.Allowed:
		return 0
	case verdict.Undecided:
		return 3
	default:
		return 1
	}
}

// count tells how many artifacts have an outcome.
func (d Document) count(o verdict.Outcome) int {
	n := 0
	for _, v := range d.Verdicts {
		if v.Outcome() == o {
			n++
		}
	}
	return n
}

// counted reports whether a candidate is in the assignment that decided. One
// whose signature did not verify never is.
func counted(e verdict.Evidence) bool { return e.Counted && e.Verified }

// provenTimes are the instants proven for a candidate, the earliest first.
func provenTimes(e verdict.Evidence) []verdict.Time {
	times := slices.DeleteFunc(slices.Clone(e.Times), func(t verdict.Time) bool { return t.Instant.IsZero() })
	slices.SortStableFunc(times, func(a, b verdict.Time) int { return a.Instant.Compare(b.Instant) })
	return times
}
