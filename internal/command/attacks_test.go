package command_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/command"
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
		{"parser differential", parserDifferential()},
		{"panic is success", panicIsSuccess()},
		{"subject mixing", subjectMixing()},
		{"unset constraint", unsetConstraint()},
		{"digest downgrade", digestDowngrade()},
		{"policy replay", policyReplay()},
		{"step confusion", stepConfusion()},
		{"bad input runs", badInputRuns()},
		{"settings from the folder", settingsFromFolder()},
	}
}

// untouched is what the attacks start from. If it were denied, or if something
// about it were found, no row below would show anything.
func untouched() []attack {
	return []attack{
		{name: "a release", play: onRelease(nil)},
		{name: "a supply chain of in-toto 1.0", play: onClassic(nil)},
		{name: "a commit signed with SSH", play: onCommit(withSSH, nil)},
		{name: "a commit signed with OpenPGP", play: onCommit(withOpenPGP, nil)},
		{name: "a commit signed with gitsign", play: onCommit(withGitsign, nil)},
		{name: "a signed tag", play: onCommit(withSSH, func(s *commitScene) { s.tag = "v1.0.0" })},
	}
}

// TestAttacks plays each attack through the real command line.
func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, theme := range themes() {
		for _, a := range theme.rows {
			t.Run(theme.name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				o := run(t, whereItRuns, a.play(t, t.TempDir())...)
				if a.code == 2 {
					o.demand(t, 2, "next: ")
					return
				}
				a.judge(t, o)
			})
		}
	}
}

// whereItRuns has the time of the scenes, and programs to run.
func whereItRuns(env *command.Env) {
	env.Now = theTime()
	env.Getenv = func(name string) string { return map[string]string{"PATH": "/usr/bin:/bin"}[name] }
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
	ids := findingsOf(t, o)
	for _, v := range verdictsOf(t, o) {
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

// TestThreatModelIsTheTable holds the table of docs/threat-model.md to this one: a
// row for each theme, with the findings that its attacks meet.
func TestThreatModelIsTheTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### What others fell to\n")
	section, _, _ = strings.Cut(section, "\n##")
	documented := map[string]string{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 4 {
			documented[strings.TrimPrefix(cells[0], "| ")] = strings.TrimSuffix(cells[3], " |")
		}
	}
	for _, theme := range themes()[1:] {
		ids := map[string]bool{}
		for _, a := range theme.rows {
			if a.finding != "" {
				ids["`"+a.finding+"`"] = true
			}
		}
		if want := strings.Join(slices.Sorted(maps.Keys(ids)), ", "); documented[theme.name] != want {
			t.Errorf("docs/threat-model.md, row %q: findings are\n%s\nand in the table of attacks\n%s", theme.name, documented[theme.name], want)
		}
	}
	if rows := len(documented) - 1; rows != len(themes())-1 { // without the head
		t.Errorf("docs/threat-model.md has %d rows, the table of attacks %d", rows, len(themes())-1)
	}
}
