package layout

import (
	"testing"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestAlternatives has a layout whose subjects come from two steps that nothing joins.
// A refusal speaks of the one that is about the artifact in hand, however near the
// statements of the other one came, and in whatever order the layout names them.
func TestAlternatives(t *testing.T) {
	t.Parallel()
	packages := writeStep("package", rules("ALLOW src/*"), rules("CREATE *"), expects(LinkV03, 1, "carol"))
	packaged := func(by signer, content string) word {
		return by.says(link("package", nothing(), []subject{file("out/app.deb", content)}))
	}
	built := workflow(run{}).says(provenanceOf(run{}, []subject{file("dist/app", app)}))
	author := authored(alice(), commitA)
	for _, row := range []struct {
		name     string
		artifact string // what is in the file app.deb, or under its other name
		file     string
		words    []word
		step     string
		finding  verdict.ID
	}{
		{"packaged by a stranger, and the other build is whole", "deb", "app.deb", []word{author, built, packaged(mallory(), "deb")}, "package", verdict.NotFunctionary},
		{"the same under another name", "deb", "renamed", []word{author, built, packaged(mallory(), "deb")}, "package", verdict.NotFunctionary},
		{"not packaged at all", "deb", "app.deb", []word{author, built}, "package", verdict.ThresholdNotMet},
		{"changed after it was packaged", "evil", "app.deb", []word{author, built, packaged(carol(), "deb")}, "package", verdict.NotSubject},
		{"built, and the author's word is missing", app, "app", []word{built, packaged(mallory(), "deb")}, "author", verdict.ThresholdNotMet},
		{"built under a name of the other kind", app, "app.deb", []word{built, packaged(mallory(), "deb")}, "author", verdict.ThresholdNotMet},
	} {
		for order, subjects := range map[string]string{
			"the packages first": `subjects: [{subject: ["out/*.deb"], from: package}, {subject: ["dist/*"], from: build}]`,
			"the builds first":   `subjects: [{subject: ["dist/*"], from: build}, {subject: ["out/*.deb"], from: package}]`,
		} {
			t.Run(row.name+", "+order, func(t *testing.T) {
				t.Parallel()
				v := trial{
					layout: inline(t, subjects, authorStep(1, "alice"), buildStep(), packages), words: row.words,
					input: func(in *Input) { in.Artifact = thing(row.file, row.artifact) },
				}.judge(t)
				if v.Allowed() || len(v.Findings) != 1 || v.Findings[0].Step != row.step || v.Findings[0].ID != row.finding {
					t.Errorf("found %v, expected %s of step %s alone", v.Findings, row.finding, row.step)
				}
			})
		}
	}
}
