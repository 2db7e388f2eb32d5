package layout

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// signsLayout is a statement that the layout holds for the subjects.
func signsLayout(t testing.TB, by signer, layout string, subjects ...subject) word {
	t.Helper()
	var predicate map[string]any
	if err := json.Unmarshal([]byte(asJSON(t, layout)), &predicate); err != nil {
		t.Fatal(err)
	}
	return by.says(attestationtest.Statement(subjects, LayoutPredicate, predicate))
}

// vendorLayout is the vendor's own: release.yml of {source} builds, and carol scans.
func vendorLayout(t testing.TB) string {
	t.Helper()
	text := inline(t, fromBuild,
		writeStep("build", rules("REQUIRE git+https://{source}", "ALLOW git+https://{source}"), rules("CREATE *"), expects(provenance.V1, 1, "release")),
		writeStep("scan", rules("MATCH * WITH PRODUCTS FROM build"), nil, expects(scanType, 1, "carol")))
	return strings.Replace(text, "functionaries:\n", "parameters: {source: {pattern: \"github.com/*/*\", required: true}}\nfunctionaries:\n", 1)
}

// outerLayout joins alice's word on the commit with bob's sublayout.
func outerLayout(t testing.TB, more ...string) string {
	t.Helper()
	return inline(t, `subjects: [{subject: ["*"], from: vendor}]`, append([]string{authorStep(1, "alice"),
		writeStep("vendor", rules(requireRepo, matchAuthor), rules("CREATE *"), expects(LayoutPredicate, 1, "bob", `parameters: {source: "github.com/acme/app"}`))}, more...)...)
}

func TestSublayout(t *testing.T) {
	t.Parallel()
	outer, vendor := outerLayout(t), vendorLayout(t)
	words := func(sub word, more ...word) []word {
		return append([]word{authored(alice(), commitA), sub}, more...)
	}
	signed := signsLayout(t, bob(), vendor, file("app", app))
	scanned := carol().says(scan(file("app", app)))
	try := func(layout string, words ...word) trial { return trial{layout: layout, words: words} }
	lib := run{Repository: "acme/lib"}
	changed := func(from, to string) word {
		text := strings.Replace(vendor, from, to, 1)
		if text == vendor {
			t.Fatalf("the vendor's layout has no %q", from)
		}
		return signsLayout(t, bob(), text, file("app", app))
	}
	judgeAll(t, []row{
		{"the vendor's layout is satisfied", try(outer, words(signed, built(run{}), scanned)...), allow},
		{"among several of its subjects", try(outer, words(signsLayout(t, bob(), vendor, file("other", "x"), file("app", app)), built(run{}), scanned)...), allow},
		{"two layouts, one of them satisfied", try(outer, words(signed, changed("threshold: 1", "threshold: 1, maxAge: 1m"), built(run{}), scanned)...), allow},

		{"the vendor's scan is missing", try(outer, words(signed, built(run{}))...), verdict.SublayoutRefused},
		{"the vendor's build is missing", try(outer, words(signed, scanned)...), verdict.SublayoutRefused},
		{"somebody else scanned: the outer layout's people are not the vendor's", try(outer, words(signed, built(run{}), alice().says(scan(file("app", app))))...), verdict.SublayoutRefused},
		{"built from another commit than the author's", try(outer, authored(alice(), commitB), signed, built(run{}), scanned), verdict.CommitNotJoined},
		{"built from another repository", try(outer, words(signed, built(lib), scanned)...), verdict.SublayoutRefused},
		{"the layout was signed by somebody else", try(outer, words(signsLayout(t, mallory(), vendor, file("app", app)), built(run{}), scanned)...), verdict.NotFunctionary},
		{"the layout is about another file", try(outer, words(signsLayout(t, bob(), vendor, file("app", evil)), built(run{}), scanned)...), verdict.NotSubject},
		{"there is no layout", try(outer, words(authored(bob(), commitA), built(run{}), scanned)...), verdict.ThresholdNotMet},
		{"the author is missing", try(outer, signed, built(run{}), scanned), verdict.ThresholdNotMet},
		{"the layout has expired", try(outer, words(changed("2027-03-01", "2025-03-01"), built(run{}), scanned)...), verdict.SublayoutRefused},
		{"the layout does not lint", try(outer, words(changed("- \"DISALLOW *\"", "- \"ALLOW *\""), built(run{}), scanned)...), verdict.SublayoutRefused},
		{"the layout is a classic one", try(outer, words(bob().says(attestationtest.Statement([]subject{file("app", app)}, LayoutPredicate, map[string]any{"_type": "layout", "inspect": []any{}, "steps": []any{}})), built(run{}), scanned)...), verdict.SublayoutRefused},
		{"the layout takes a parameter that it is not given", try(outer, words(changed("parameters: {", "parameters: {other: {pattern: \"*\", required: true}, "), built(run{}), scanned)...), verdict.SublayoutRefused},
		{"the layout is given a parameter that it does not take", try(strings.Replace(outer, `parameters: {source`, `parameters: {other: "x", source`, 1), words(signed, built(run{}), scanned)...), verdict.SublayoutRefused},
		{"the layout denies the artifact", try(outer, words(changed("subjects:", "deny: [{digest: \"sha256:"+thing("app", app).Digest["sha256"]+"\", reason: withdrawn}]\nsubjects:"), built(run{}), scanned)...), verdict.SublayoutRefused},
		{"the outer layout denies the commit", try(strings.Replace(outer, "subjects:", "deny: [{digest: \"gitCommit:"+commitA+"\", reason: withdrawn}]\nsubjects:", 1), words(signed, built(run{}), scanned)...), verdict.SublayoutRefused},
	})
}

// The report has the way to what a sublayout counted, and to what it lacks.
func TestSublayoutIsTold(t *testing.T) {
	t.Parallel()
	words := []word{authored(alice(), commitA), signsLayout(t, bob(), vendorLayout(t), file("app", app)), built(run{})}
	v := trial{layout: outerLayout(t), words: words}.judge(t)
	expect(t, v, verdict.SublayoutRefused)
	if found := v.Findings[0].Found; !strings.Contains(found, "vendor/scan") || v.Findings[0].Step != "vendor" {
		t.Errorf("the finding is %+v", v.Findings[0])
	}
	v = trial{layout: outerLayout(t), words: append(words, carol().says(scan(file("app", app))))}.judge(t)
	expect(t, v, allow)
	ways := map[string]bool{}
	for _, e := range v.Evidence {
		ways[e.Step] = e.Counted
	}
	for _, way := range []string{"author", "vendor", "vendor/build", "vendor/scan"} {
		if !ways[way] {
			t.Errorf("nothing is counted for %s: %v", way, ways)
		}
	}
}

// A layout that takes itself never ends by itself, and layouts within each other
// end at the eighth.
func TestSublayoutDepth(t *testing.T) {
	t.Parallel()
	wrap := inline(t, `subjects: [{subject: ["*"], from: more}]`, writeStep("more", rules("ALLOW *"), rules("ALLOW *"), expects(LayoutPredicate, 1, "alice")))
	if v := (trial{layout: wrap, words: []word{signsLayout(t, alice(), wrap, file("app", app))}}).judge(t); v.Allowed() || !strings.Contains(describeAll(v), "lies deeper") {
		t.Errorf("a layout that takes itself: %s\n%s", v.Outcome(), describeAll(v))
	}
	// Layout i takes layouts whose first step is named for i+1, signed by alice.
	chain := func(depth int) (string, []word) {
		levels := make([]string, depth+1)
		for i := range levels {
			levels[i] = inline(t, fmt.Sprintf(`subjects: [{subject: ["*"], from: level%d}]`, i),
				writeStep(fmt.Sprintf("level%d", i), rules("ALLOW *"), rules("ALLOW *"),
					expects(LayoutPredicate, 1, "alice", fmt.Sprintf("expectedAttributes: [{rule: \"predicate.steps[0].name == 'level%d'\"}]", i+1))))
		}
		levels[depth] = inline(t, fmt.Sprintf(`subjects: [{subject: ["*"], from: level%d}]`, depth),
			writeStep(fmt.Sprintf("level%d", depth), rules("ALLOW *"), rules("CREATE *"), expects(provenance.V1, 1, "release")))
		words := []word{built(run{})}
		for _, l := range levels[1:] {
			words = append(words, signsLayout(t, alice(), l, file("app", app)))
		}
		return levels[0], words
	}
	for depth, want := range map[int]verdict.ID{1: allow, 2: allow, MaxSublayoutDepth: allow, MaxSublayoutDepth + 1: verdict.SublayoutRefused} {
		layout, words := chain(depth)
		expect(t, trial{layout: layout, words: words}.judge(t), want)
	}
}

func TestSublayoutLints(t *testing.T) {
	t.Parallel()
	const link = `predicateType: "https://in-toto.io/attestation/link/v0.3"`
	for _, b := range []broken{
		{"parameters of what is none", link, link + ", parameters: {a: b}", verdict.LayoutMalformed, ""},
		{"a layout or something else", "anyOf:\n", "anyOf:\n          - {predicateType: layout}\n", verdict.LayoutMalformed, ""},
		{"a parameter that is no text", link, "predicateType: layout, parameters: {a: [b]}", verdict.LayoutMalformed, ""},
		{"an undeclared parameter", link, `predicateType: layout, parameters: {a: "{tag}"}`, verdict.ParameterUnknown, ""},
		{"a broken placeholder", link, `predicateType: layout, parameters: {a: "{tag"}`, verdict.LayoutMalformed, ""},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if _, findings := Parse("x.yml", []byte(b.text(t)), now()); !hasFinding(findings, b.want) {
				t.Errorf("found %v, expected %s", findings, b.want)
			}
		})
	}
	mustParse(t, strings.Replace(valid, link, `predicateType: layout, parameters: {a: "x-{repo}"}`, 1))
}
