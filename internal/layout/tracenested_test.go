package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// tellWithin writes the sublayouts of a trace in short, those within them indented.
func tellWithin(t *verdict.Trace) (out []string) {
	for _, s := range t.Sublayouts {
		line := "for " + s.Step
		if s.Finding != nil {
			line += " fails " + string(s.Finding.ID) + " in " + s.Finding.Step
		}
		out = append(out, line)
		if s.Trace == nil {
			continue
		}
		for _, below := range append(tell(s.Trace)[1:], tellWithin(s.Trace)...) {
			out = append(out, "  "+below)
		}
	}
	return out
}

// The rules of a sublayout are told under the step that it stands for, with the way
// to its steps; of several artifacts that it was asked for, with the one that decided.
func TestTraceOfSublayouts(t *testing.T) {
	t.Parallel()
	const source = "git+https://" + repo
	vendor := vendorLayout(t)
	strict := strings.Replace(vendor, "\n      - \"CREATE *\"", "\n      - \"CREATE other\"", 1)
	if strict == vendor {
		t.Fatalf("the vendor's layout has no CREATE *:\n%s", vendor)
	}
	words := func(text string) []word {
		return []word{authored(alice(), commitA), signsLayout(t, bob(), text, file("other", "x"), file("app", app)), built(run{}), carol().says(scan(file("app", app)))}
	}
	build := []string{
		"  vendor/build: 1 of 1 groups, release for 1", "  vendor/scan: 1 of 1 groups, carol for 1",
		"  vendor/build Materials REQUIRE of [" + source + "] takes []", "  vendor/build Materials ALLOW of [" + source + "] takes [" + source + "]",
		"  vendor/build Materials DISALLOW of [] takes []",
	}
	for _, row := range []struct {
		name  string
		words []word
		want  []string
	}{
		{"one that is satisfied", words(vendor), append([]string{"for vendor"}, append(build,
			"  vendor/build Products CREATE of [app] takes [app]", "  vendor/build Products DISALLOW of [] takes []",
			"  vendor/scan Materials MATCH of [app] takes [app] vendor/build joined=true", "  vendor/scan Materials DISALLOW of [] takes []",
			"  vendor/scan Products skipped: statements of this type have no products")...)},
		{"a rule within fails", words(strict), append([]string{"for vendor fails rule-disallow in vendor/build"}, append([]string{build[0], "  vendor/scan: not reached: a choice before this one already failed"}, append(build[2:],
			"  vendor/build Products CREATE of [app] takes []", "  vendor/build Products DISALLOW of [app] takes [] fails rule-disallow",
			"  vendor/scan Materials skipped: not reached: a choice before this one already failed",
			"  vendor/scan Products skipped: not reached: a choice before this one already failed")...)...)},
		{"one that has expired", words(strings.Replace(vendor, "2027-03-01", "2025-03-01", 1)), []string{"for vendor fails layout-expired in "}},
		{"none at all", words(vendor)[:1], nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			tr := trial{layout: outerLayout(t), words: row.words}
			v, plain := traced(tr).judge(t), tr.judge(t)
			if diff := cmp.Diff(row.want, tellWithin(v.Trace)); diff != "" {
				t.Errorf("the trace differs (-want +got)\n%s", diff)
			}
			if v.Trace = nil; v.Outcome() != plain.Outcome() || !cmp.Equal(v.Findings, plain.Findings) || !cmp.Equal(v.Steps, plain.Steps) {
				t.Error("a trace changes the verdict")
			}
		})
	}
}

// TestTraceOfClassicSublayouts shows the same of in-toto 1.0.
func TestTraceOfClassicSublayouts(t *testing.T) {
	t.Parallel()
	fetch := []string{
		"  build/fetch _materials ALLOW of [foo] takes [foo]", "  build/fetch _materials DISALLOW of [] takes []",
	}
	link := []string{
		"  build/link _materials MATCH of [object] takes [object] build/fetch joined=true", "  build/link _materials DISALLOW of [] takes []",
	}
	for _, row := range []struct {
		name   string
		change func(w *classicWorld, inner *attestationtest.ClassicLayout)
		want   []string
	}{
		{"one that is satisfied", func(*classicWorld, *attestationtest.ClassicLayout) {}, append([]string{"for build", fetch[0], fetch[1], "  build/fetch _products CREATE of [object] takes [object]"}, link...)},
		{"a rule within fails", func(_ *classicWorld, l *attestationtest.ClassicLayout) {
			l.Steps[0].ExpectedProducts = []string{"CREATE other", "DISALLOW *"}
		}, append([]string{"for build fails rule-disallow in build/fetch", fetch[0], fetch[1], "  build/fetch _products CREATE of [object] takes []", "  build/fetch _products DISALLOW of [object] takes [] fails rule-disallow"}, link...)},
		{"a link is missing within", func(w *classicWorld, _ *attestationtest.ClassicLayout) {
			delete(w.links, "build."+w.bob.ID[:8]+"/link.x")
		}, []string{"for build fails threshold-not-met in build/link"}},
		{"it cannot be read", func(_ *classicWorld, l *attestationtest.ClassicLayout) { l.Steps = nil }, []string{"for build fails layout-empty in build"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newClassicWorld(t)
			inner := w.nest()
			row.change(w, inner)
			w.build().text = attestationtest.EncodeClassic(inner.JSON())
			w.in.Trace = true
			v := w.check().Verdict(nil)
			var got []string
			for _, line := range tellWithin(v.Trace) {
				if !strings.HasSuffix(line, "no rules") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("the trace differs (-want +got)\n%s", diff)
			}
		})
	}
}

// Of many sublayouts some are told of, and the others are counted.
func TestTraceOfManySublayouts(t *testing.T) {
	t.Parallel()
	inner := inline(t, fromBuild, writeStep("build", rules("ALLOW *"), rules("CREATE *"), expects(provenance.V1, 1, "release")))
	outer := inline(t, `subjects: [{subject: ["*"], from: vendor}]`, writeStep("vendor", rules("ALLOW *"), rules("ALLOW *"), expects(LayoutPredicate, 1, "bob")))
	words := []word{built(run{})}
	for i := range verdict.MaxSublayouts + 3 {
		words = append(words, signsLayout(t, bob(), strings.Replace(inner, "version: 1", fmt.Sprintf("version: %d", i+1), 1), file("app", app)))
	}
	v := traced(trial{layout: outer, words: words}).judge(t)
	expect(t, v, allow)
	if n := len(v.Trace.Sublayouts); n != verdict.MaxSublayouts || v.Trace.MoreSublayouts != 3 {
		t.Errorf("%d sublayouts are told of, and %d more counted", n, v.Trace.MoreSublayouts)
	}
}
