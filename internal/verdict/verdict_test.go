package verdict

import (
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// witnessed is a verdict that may be allowed.
func witnessed() Verdict {
	return Verdict{
		Artifact: artifact.Artifact{Given: "app"},
		Steps:    []Step{{Name: "build", Satisfied: true, Required: 1, Counted: 1}},
		Evidence: []Evidence{{Source: "b", Verified: true, Counted: true, Step: "build"}},
	}
}

func TestZeroValueDenies(t *testing.T) {
	t.Parallel()
	var v Verdict
	if v.Allowed() || v.Outcome() != Denied || Overall(nil) != Denied || Overall([]Verdict{v}) != Denied {
		t.Error("the zero verdict does not deny")
	}
	var o Outcome
	if o != Denied || o.String() != "denied" || Outcome(99).String() != "denied" {
		t.Error("the zero outcome is not denied")
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	if !witnessed().Allow().Allowed() {
		t.Error("a witnessed verdict is not allowed")
	}
	for name, change := range map[string]func(*Verdict){
		"a finding":                      func(v *Verdict) { v.Findings = []Finding{{ID: RuleDisallow}} },
		"no step":                        func(v *Verdict) { v.Steps = nil },
		"an unsatisfied step":            func(v *Verdict) { v.Steps[0].Satisfied = false },
		"a step that nobody counted for": func(v *Verdict) { v.Steps[0].Counted = 0 },
		"no evidence":                    func(v *Verdict) { v.Evidence = nil },
		"evidence that did not verify":   func(v *Verdict) { v.Evidence[0].Verified = false },
		"evidence that did not count":    func(v *Verdict) { v.Evidence[0].Counted = false },
		"evidence for another step":      func(v *Verdict) { v.Evidence[0].Step = "author" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := witnessed()
			change(&v)
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "verdict: allowing app") {
					t.Errorf("panic %v, expected a refusal to allow", p)
				}
			}()
			v.Allow()
		})
	}
}

func TestAllowedThenSpoiled(t *testing.T) {
	t.Parallel()
	v := witnessed().Allow()
	v.Findings = append(v.Findings, Finding{ID: RuleDisallow})
	if v.Allowed() {
		t.Error("a verdict with a finding is allowed")
	}
}

func TestDenialStays(t *testing.T) {
	t.Parallel()
	f := Finding{ID: SourceUnreadable}
	for name, row := range map[string]struct {
		v    Verdict
		want Outcome
	}{
		"denied":               Verdict{}.row(Denied, f, Verdict.Deny),
		"undecided":            Verdict{}.row(Undecided, f, Verdict.Undecide),
		"denied, then unread":  Verdict{}.Deny(f).row(Denied, f, Verdict.Undecide),
		"unread, then denied":  Verdict{}.Undecide(f).row(Denied, f, Verdict.Deny),
		"allowed, then denied": witnessed().Allow().row(Denied, f, Verdict.Deny),
		"allowed, then unread": witnessed().Allow().row(Undecided, f, Verdict.Undecide),
	} {
		if got := row.v.Outcome(); got != row.want || len(row.v.Findings) == 0 {
			t.Errorf("%s: %v with %d findings, expected %v", name, got, len(row.v.Findings), row.want)
		}
	}
}

// row applies one more decision.
func (v Verdict) row(want Outcome, f Finding, decide func(Verdict, ...Finding) Verdict) struct {
	v    Verdict
	want Outcome
} {
	return struct {
		v    Verdict
		want Outcome
	}{decide(v, f), want}
}

// Whoever decides without a reason has decided nothing, which is denied.
func TestNoReasonIsDenied(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]Verdict{
		"denied": Verdict{}.Deny(), "undecided": Verdict{}.Undecide(),
		"allowed, then denied": witnessed().Allow().Deny(), "allowed, then undecided": witnessed().Allow().Undecide(),
	} {
		if got := v.Outcome(); got != Denied {
			t.Errorf("%s without a finding: %v", name, got)
		}
	}
}

func TestCopiesAreIndependent(t *testing.T) {
	t.Parallel()
	base := Verdict{}.Deny(Finding{ID: RuleRequire})
	one, two := base.Deny(Finding{ID: RuleDisallow}), base.Deny(Finding{ID: MatchFailed})
	if one.Findings[1].ID != RuleDisallow || two.Findings[1].ID != MatchFailed {
		t.Errorf("%v and %v share their findings", one.Findings, two.Findings)
	}
}

func TestOverall(t *testing.T) {
	t.Parallel()
	allowed, denied, undecided := witnessed().Allow(), Verdict{}.Deny(Finding{}), Verdict{}.Undecide(Finding{})
	for name, row := range map[string]struct {
		all  []Verdict
		want Outcome
	}{
		"none":                    {nil, Denied},
		"allowed":                 {[]Verdict{allowed, allowed}, Allowed},
		"one denied":              {[]Verdict{allowed, denied}, Denied},
		"one undecided":           {[]Verdict{allowed, undecided}, Undecided},
		"undecided, then denied":  {[]Verdict{undecided, denied}, Denied},
		"denied, then undecided":  {[]Verdict{denied, undecided}, Denied},
		"one without any verdict": {[]Verdict{allowed, {}}, Denied},
	} {
		if got := Overall(row.all); got != row.want {
			t.Errorf("%s: %v, expected %v", name, got, row.want)
		}
	}
}

func TestFindingInOneLine(t *testing.T) {
	t.Parallel()
	f := Finding{ID: RuleDisallow, Step: "build", Where: "l.yml:3:1", Found: "evil", Expected: "nothing"}
	if got, want := f.String(), "rule-disallow in step build at l.yml:3:1: evil; expected nothing"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}
