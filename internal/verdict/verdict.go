// Package verdict holds what was decided and why. The zero value is denied:
// only Allow makes a verdict that allows, and only where something was verified
// and nothing was found against it.
package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// Outcome is one of three answers. The zero value is Denied.
type Outcome int

// The outcomes, in the order of the exit codes 1, 0 and 3.
const (
	Denied Outcome = iota
	Allowed
	Undecided
)

// String returns the word that reports use.
func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allowed"
	case Undecided:
		return "undecided"
	default:
		return "denied"
	}
}

// Verdict is the answer for one artifact, with everything a report says of it.
type Verdict struct {
	Artifact artifact.Artifact
	// Steps are the layout's steps in its order.
	Steps []Step
	// Findings say why the artifact is not allowed. Empty when it is.
	Findings []Finding
	// Evidence is every candidate that was looked at, counted or not.
	Evidence []Evidence
	// Notes are true and harmless: a differing file name, a loosening in use.
	Notes []string
	// Trace is how the rules were applied; nil where nobody asked.
	Trace *Trace

	outcome Outcome
	denied  bool // said by Deny, unlike the zero outcome
}

// Allow returns v as allowed. It panics where that would be untrue: with a
// finding, without a step, or with a step that no verified statement counts for.
// "Nothing verified is never success."
func (v Verdict) Allow() Verdict {
	if why := v.untrue(); why != "" {
		panic("verdict: allowing " + v.Artifact.String() + " with " + why)
	}
	v.outcome = Allowed
	return v
}

// untrue says why v must not be allowed; empty where it may.
func (v Verdict) untrue() string {
	switch {
	case len(v.Findings) > 0:
		return fmt.Sprintf("%d findings", len(v.Findings))
	case len(v.Steps) == 0:
		return "no step"
	}
	witnessed := make(map[string]bool, len(v.Steps))
	for _, e := range v.Evidence {
		if e.Counted && e.Verified {
			witnessed[e.Step] = true
		}
	}
	for _, s := range v.Steps {
		if !s.Satisfied || s.Counted == 0 || !witnessed[s.Name] {
			return "no witness for step " + s.Name
		}
	}
	return ""
}

// Deny returns v as denied, with these findings too. A denial stays one. Each call
// copies the list, so many findings are given at once.
func (v Verdict) Deny(more ...Finding) Verdict {
	v.Findings = append(slices.Clip(v.Findings), more...)
	v.outcome, v.denied = Denied, true
	return v
}

// Undecide returns v as undecided, with these findings too: something that the
// decision needs could not be read, fetched or understood. What is denied stays
// denied, and so is what has no reason to be undecided.
func (v Verdict) Undecide(more ...Finding) Verdict {
	if len(more) == 0 {
		return v.Deny()
	}
	v.Findings = append(slices.Clip(v.Findings), more...)
	v.outcome = Undecided
	if v.denied {
		v.outcome = Denied
	}
	return v
}

// Outcome returns the answer. A verdict that was allowed and has been given a
// finding since is denied.
func (v Verdict) Outcome() Outcome {
	if v.outcome == Allowed && v.untrue() != "" {
		return Denied
	}
	return v.outcome
}

// Allowed reports whether the artifact may be used.
func (v Verdict) Allowed() bool { return v.Outcome() == Allowed }

// Overall combines the verdicts of several artifacts: allowed only when there
// is at least one and all are; undecided when one is and none is denied.
func Overall(all []Verdict) Outcome {
	if len(all) == 0 {
		return Denied
	}
	overall := Allowed
	for _, v := range all {
		switch v.Outcome() {
		case Denied:
			return Denied
		case Undecided:
			overall = Undecided
		case Allowed:
		}
	}
	return overall
}

// Step is one step of the layout, as far as it was satisfied.
type Step struct {
	Name      string
	Satisfied bool
	// Required and Counted are principals: how many the step asks for and how
	// many made a statement that counts. They are summed over its predicates.
	Required, Counted int
	// By names the signers whose statements counted, one line each.
	By []string
}

// Evidence is one candidate that was looked at.
type Evidence struct {
	// Source is where it was found: a file, and the line within it.
	Source string
	// SHA256 is the digest of its bytes, 64 hex digits; empty when not known.
	SHA256 string
	// Verified tells whether the signature verified under a trusted root or
	// key. The fields below are empty where it did not.
	Verified      bool
	Signer        string // one line, from the certificate or key
	Issuer        string
	Identity      string
	Root          string // name of the trusted root, or "key"
	PredicateType string
	SubjectCount  int
	Times         []Time
	// Counted tells whether the statement is in the assignment that decided,
	// and Step for which step. Where not, Reason says why.
	Counted bool
	Step    string
	Reason  *Finding
}

// Time is an instant that somebody other than the signer proved.
type Time struct {
	Instant time.Time
	By      string // the log's or the timestamp authority's URL
	Kind    string // "transparency log" or "timestamp authority"
}

// Finding is a reason not to allow: the rule, what was expected, what was
// found, and what to do next.
type Finding struct {
	ID       ID
	Step     string // the layout's step, where there is one
	Rule     string // the artifact rule or layout line, where there is one
	Where    string // file, line and column, where there is one
	Expected string
	Found    string
	Next     string
}

// String is the finding in one line, without the next step.
func (f Finding) String() string {
	s := string(f.ID)
	if f.Step != "" {
		s += " in step " + f.Step
	}
	if f.Where != "" {
		s += " at " + f.Where
	}
	if f.Found != "" {
		s += ": " + f.Found
	}
	if f.Expected != "" {
		s += "; expected " + f.Expected
	}
	return s
}
