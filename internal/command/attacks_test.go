package command_test

import (
	"encoding/json"
	"slices"
	"testing"
)

// An attack breaks one thing of something that passes, as it stands in the same
// table. The exit code is 1 (denied) where the row does not say otherwise, and the
// finding is among those of the verdict or is why a piece of evidence did not count.
type attack struct {
	name      string
	precedent string // who fell to it: an advisory, or a case in which implementations differ
	play      play
	finding   string // empty: nothing is broken, and it must be allowed
	code      int    // of an attack that is not answered with 1; with code 2 there is no report
}

// A theme is one row of the table of attacks in docs/threat-model.md.
type theme struct {
	name string
	rows []attack
}

// themes is the table, to be read from top to bottom.
func themes() []theme {
	return []theme{
		{"untouched", untouched()},
		{"path alias", pathAlias()},
		{"glob dialect", globDialect()},
		{"vacuous policy", vacuousPolicy()},
		{"duplicate counting", duplicateCounting()},
		{"last one wins", lastOneWins()},
		{"wrong log entry or time", wrongEntryOrTime()},
		{"subject mixing", subjectMixing()},
		{"unset constraint", unsetConstraint()},
		{"digest downgrade", digestDowngrade()},
		{"policy replay", policyReplay()},
		{"step confusion", stepConfusion()},
	}
}

// untouched is what the attacks start from. If it were denied, or if something
// about it were found, no row below would show anything.
func untouched() []attack {
	return []attack{
		{name: "a release", play: onRelease(nil)},
		{name: "a supply chain of in-toto 1.0", play: onClassic(nil)},
	}
}

// TestAttacks plays each attack through the real command line.
func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, theme := range themes() {
		for _, a := range theme.rows {
			t.Run(theme.name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				o := run(t, atTheTime, a.play(t, t.TempDir())...)
				if a.code == 2 {
					o.demand(t, 2, "next: ")
					return
				}
				a.judge(t, o)
			})
		}
	}
}

// judge holds an outcome to what the row says.
func (a attack) judge(t *testing.T, o outcome) {
	t.Helper()
	want := a.code
	if want == 0 && a.finding != "" {
		want = 1
	}
	if o.code != want {
		t.Errorf("exit code %d, expected %d\n%s%s", o.code, want, o.out, o.report)
	}
	found := everythingFound(t, o)
	switch {
	case a.finding == "" && len(found) > 0:
		t.Errorf("%q was found, and nothing is broken\n%s", found, o.out)
	case a.finding != "" && !slices.Contains(found, a.finding):
		t.Errorf("%q was found, expected %s\n%s", found, a.finding, o.out)
	}
}

// everythingFound lists the findings of the verdicts, and the reasons for which
// evidence did not count.
func everythingFound(t *testing.T, o outcome) []string {
	t.Helper()
	type finding struct{ ID string }
	var report struct {
		Verdicts []struct {
			Findings []finding
			Evidence []struct{ Reason *finding }
		}
	}
	if err := json.Unmarshal([]byte(o.out), &report); err != nil {
		t.Fatalf("no report: %v\n%s", err, o.report)
	}
	var ids []string
	for _, v := range report.Verdicts {
		for _, f := range v.Findings {
			ids = append(ids, f.ID)
		}
		for _, e := range v.Evidence {
			if e.Reason != nil {
				ids = append(ids, e.Reason.ID)
			}
		}
	}
	return ids
}

// TestAttacksName holds the table to its form: what is broken has a precedent, and
// no two rows of a theme have one name.
func TestAttacksName(t *testing.T) {
	t.Parallel()
	for _, theme := range themes() {
		seen := map[string]bool{}
		for _, a := range theme.rows {
			if (a.finding != "" || a.code != 0) && a.precedent == "" {
				t.Errorf("%s, %s: no precedent", theme.name, a.name)
			}
			if seen[a.name] {
				t.Errorf("%s, %s: twice", theme.name, a.name)
			}
			seen[a.name] = true
		}
	}
}
