package report_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// drawn stands for the layout's own drawing, which internal/layout tests.
func drawn(steps map[string]verdict.Outcome, artifact verdict.Outcome) string {
	return fmt.Sprintf("flowchart LR\n  step1[\"author %s, build %s, artifact %s\"]\n", steps["author"], steps["build"], artifact)
}

// summaries are what steps leave behind, by name.
func summaries() map[string]report.JobSummary {
	signed := func(name string) *report.Signed {
		d := signedDocuments()[name]
		d.LayoutText = "# Who may sign.\nsteps:\n  - name: \"a`b``` | c\"\n"
		if len(d.Bundles) > 0 && d.Bundles[0].Verify != "" {
			d.Bundles[0].VerifyWithGitHub = "gh attestation verify dist/app --repo acme/app"
		}
		return &d
	}
	judged := func(d report.Document) *report.Document { return &d }
	lost := report.Problem{What: "writing outputs to GITHUB_OUTPUT: no space left on device", Next: "free some space"}
	return map[string]report.JobSummary{
		"signed":              {Verdict: "signed", Signed: signed("provenance")},
		"signed-several":      {Verdict: "signed", Signed: signed("several")},
		"signed-commit":       {Verdict: "signed", Signed: signed("commit")},
		"signed-key":          {Verdict: "signed", Signed: signed("key")},
		"signed-and-failed":   {Verdict: "undecided", Signed: signed("provenance"), Problems: []report.Problem{lost}},
		"signed-nothing":      {Verdict: "denied", Signed: &report.Signed{Notes: []string{"nothing is checked out"}}, Problems: []report.Problem{{What: "the repository acme/app is private", Next: "sign with --key"}}},
		"allowed":             {Verdict: "allowed", Judged: judged(context(allowed("app-linux-amd64"))), Draw: drawn},
		"denied":              {Verdict: "denied", Judged: judged(context(denied("app-linux-amd64"))), Draw: drawn},
		"undecided":           {Verdict: "undecided", Judged: judged(undecided()), Draw: drawn},
		"several":             {Verdict: "denied", Judged: judged(context(allowed("app-linux-amd64"), denied("app-darwin-arm64"), allowed("app-windows-amd64.exe"))), Draw: drawn},
		"loosened":            {Verdict: "allowed", Judged: judged(loosened())},
		"allowed-and-failed":  {Verdict: "undecided", Judged: judged(context(allowed("app-linux-amd64"))), Problems: []report.Problem{lost}},
		"failed":              {Verdict: "failed", Problems: []report.Problem{{What: `reading input "pahts": there is no such input`, Next: "did you mean paths? Or leave it out"}}},
		"skipped":             {Verdict: "skipped", Signed: &report.Signed{Skipped: "a run for a pull request from a fork"}},
		"nothing":             {},
		"allowed-by-nobody":   {Verdict: "allowed"},
		"signed-by-nobody":    {Verdict: "signed", Signed: &report.Signed{}},
		"allowed-but-refused": {Verdict: "allowed", Judged: judged(context(denied("app-linux-amd64")))},
	}
}

func summary(t testing.TB, s report.JobSummary, room int) string {
	t.Helper()
	var b strings.Builder
	if err := s.Write(&b, room); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJobSummaryGolden(t *testing.T) {
	t.Parallel()
	for name, s := range summaries() {
		s.Tool = "v1.0.0"
		md := summary(t, s, report.MaxMarkdown)
		golden(t, "summary/"+name+".md", md)
		if _, err := unfenced(md); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		columns(t, md)
	}
}

// The headline is the verdict's, and no better than what there is to show for it.
func TestJobSummaryHeadline(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"signed": "## ✅ signed: `app`", "signed-several": "## ✅ signed: 24 subjects", "signed-and-failed": "## ❓ undecided: `app` signed, and not all was done",
		"signed-nothing": "## ❌ denied: nothing was signed", "allowed": "## ✅ allowed: `app-linux-amd64` against", "denied": "## ❌ denied: `app-linux-amd64` against",
		"undecided": "## ❓ undecided: `app-linux-amd64` against", "several": "## ❌ denied: 2 of 3 artifacts are allowed", "failed": "## ❌ failed: the inputs are wrong",
		"skipped": "## ⏭️ skipped: nothing was signed", "allowed-and-failed": "## ❓ undecided: the artifacts are allowed, and not all was done",
		"nothing": "## ❓ undecided: nothing was", "allowed-by-nobody": "## ❓ undecided: nothing was", "signed-by-nobody": "## ❓ undecided: nothing was signed",
		"allowed-but-refused": "## ❓ undecided: the artifacts are denied",
	} {
		if got, _, _ := strings.Cut(summary(t, summaries()[name], report.MaxMarkdown), "\n"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, expected %q", name, got, want)
		}
	}
}

// unfenced is a page without its fenced blocks, as GitHub Flavored Markdown reads them
// (4.5); an error where one is not closed.
func unfenced(md string) (string, error) {
	var rest strings.Builder
	fence := ""
	for line := range strings.Lines(md) {
		marks := len(line) - len(strings.TrimLeft(line, "`"))
		switch {
		case fence == "" && marks >= 3:
			fence = line[:marks]
		case fence == "":
			rest.WriteString(line)
		case marks >= len(fence) && strings.TrimSpace(line[marks:]) == "":
			fence = ""
		}
	}
	if fence != "" {
		return "", errors.New("a fence is not closed")
	}
	return rest.String(), nil
}

// ownLinks takes out the links that the summary makes itself.
func ownLinks(md string) string {
	const addresses = `https://github\.com/signatus-dev/signatus/blob/[a-z0-9.]+/docs/findings\.md(#[a-z0-9-]+)?|https://search\.sigstore\.dev/\?logIndex=\d+|` +
		`https://github\.com/acme/app/[a-zA-Z0-9/._~%?=&+:@-]+`
	return regexp.MustCompile("\\[(`[^`\n]+`|[a-z0-9 ]+)\\]\\(("+addresses+")\\)").ReplaceAllString(md, "")
}

// hostileSummaries have a text wherever one from outside may stand.
func hostileSummaries(evil string) []report.JobSummary {
	signed := &report.Signed{
		Instance: report.Instance{Name: evil, Reason: evil},
		Stored:   []report.Stored{{Sink: evil, Where: evil, ID: evil, URL: evil}, {Sink: "oci", Where: evil}, {Where: evil, Error: evil, Next: evil}, {Where: "x", URL: "https://github.com/acme/app/kept/" + evil}},
		Tool:     evil, Notes: []string{evil}, Warnings: []string{evil}, Loosenings: []string{evil}, Layout: evil, LayoutText: evil,
		Bundles: []*report.SignedBundle{{
			Path: evil, PredicateType: evil, Step: evil, Root: evil, Verify: evil, VerifyWithGitHub: evil, Signer: identity.Signer{SAN: evil, Issuer: evil},
			Subjects: []report.Subject{{Name: evil, URI: evil, Digest: artifact.DigestSet{artifact.Algorithm(evil): evil}}, {Name: evil}},
			Entries:  []report.LogEntry{{Log: evil, Index: 7}}, Times: []verdict.Time{{By: evil, Instant: time.Unix(1, 0)}},
			Fields: []report.Field{{Pointer: evil, Value: evil, Origin: evil}, {Pointer: evil, Value: evil, Proof: evil}},
		}},
	}
	two := *signed
	two.Bundles = append(slices.Clone(two.Bundles), &report.SignedBundle{Ref: evil, Subjects: slices.Repeat([]report.Subject{{Name: evil}}, 20), Entries: []report.LogEntry{{Log: evil}}})
	one := *signed
	one.Bundles = []*report.SignedBundle{{Subjects: []report.Subject{{Name: evil}}, Verify: evil}}
	judged := hostile(evil)
	draw := func(map[string]verdict.Outcome, verdict.Outcome) string { return "flowchart LR\n" + evil + "\n" }
	problem := []report.Problem{{What: evil, Next: evil}}
	return []report.JobSummary{
		{Verdict: "signed", Signed: signed, Problems: problem}, {Verdict: "signed", Signed: &two}, {Verdict: "signed", Signed: &one},
		{Verdict: "denied", Judged: &judged, Draw: draw, Problems: problem}, {Verdict: evil, Problems: problem}, {Verdict: "denied", Signed: &report.Signed{Notes: []string{evil}}},
		{Verdict: "skipped", Signed: &report.Signed{Skipped: evil}},
	}
}

// evilSummaries are texts that would be more than text in a summary.
func evilSummaries() []string {
	return slices.Concat(evilMarkdown(), []string{
		"```\n</details>\n# ✅ allowed\n", "``````", "~~~\n", "%%{init: {\"theme\": \"dark\"}}%%", "click step1 \"javascript:alert(1)\"", "[x](javascript:alert(1))",
		"![](https://evil.example/beacon.png)", "</details>", "<details open>", "</summary>", "```mermaid\nflowchart LR\n```", "a\n\n## ✅ signed: `app`\n\n", "\r## ✅ allowed\r",
		"https://rekor.sigstore.dev", "https://rekor.sigstore.dev](x)", "--- x", "===", "x\n---\n", "$(id)", "`id`", "'; rm -rf ~; '",
	})
}

func TestJobSummaryHostile(t *testing.T) {
	t.Parallel()
	for _, evil := range evilSummaries() {
		for i, s := range hostileSummaries(evil) {
			checkHostile(t, fmt.Sprintf("%q in summary %d", evil, i), summary(t, s, report.MaxMarkdown))
		}
	}
}

// checkHostile demands that nothing of a page is more than text.
func checkHostile(t *testing.T, name, md string) {
	t.Helper()
	rest, err := unfenced(md)
	if err != nil {
		t.Errorf("%s: %v:\n%s", name, err, md)
	}
	for _, problem := range harmless(rest) {
		t.Errorf("%s: %s", name, problem)
	}
	verdict := regexp.MustCompile("^#+ ✅")
	for i, line := range strings.Split(rest, "\n") {
		if i > 0 && verdict.MatchString(line) {
			t.Errorf("%s: it makes a verdict of its own: %q", name, line)
		}
	}
	for _, tag := range []string{"details", "summary"} {
		if plain, _ := literal(rest); strings.Count(plain, "<"+tag+">") != strings.Count(plain, "</"+tag+">") {
			t.Errorf("%s: a %s is not closed", name, tag)
		}
	}
	columns(t, rest)
}

func FuzzJobSummary(f *testing.F) {
	for _, evil := range evilSummaries() {
		for i := range hostileSummaries(evil) {
			f.Add(evil, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, evil string, which uint8) {
		all := hostileSummaries(evil)
		i := int(which) % len(all)
		checkHostile(t, fmt.Sprintf("%q in summary %d", evil, i), summary(t, all[i], report.MaxMarkdown))
	})
}

// crowded is a summary of many subjects, with a layout to commit.
func crowded(subjects int) report.JobSummary {
	d := signedDocuments()["provenance"]
	d.Layout, d.LayoutText = "release.yml", strings.Repeat("# a line of the layout\n", 100)
	first := *d.Bundles[0]
	first.Subjects = nil
	for i := range subjects {
		first.Subjects = append(first.Subjects, report.Subject{Name: fmt.Sprintf("app-%d", i), Digest: artifact.DigestSet{artifact.SHA256: strings.Repeat("a", 64)}})
	}
	d.Bundles = []*report.SignedBundle{&first}
	return report.JobSummary{Verdict: "signed", Signed: &d}
}

// What has no room is left out whole, and counted: at the last byte it is all there, and
// one byte less leaves something out.
func TestJobSummaryAtTheEdge(t *testing.T) {
	t.Parallel()
	s := crowded(2000)
	whole := summary(t, s, report.MaxMarkdown)
	if strings.Contains(whole, "Shortened") || len(whole) < 128<<10 {
		t.Fatalf("%d bytes, shortened or not enough for the test", len(whole))
	}
	if got := summary(t, s, len(whole)); got != whole {
		t.Error("what just fits is not all there")
	}
	for _, room := range []int{len(whole) - 1, len(whole) - 4000, 128 << 10, 64 << 10} {
		got := summary(t, s, room)
		if len(got) > room {
			t.Errorf("%d bytes, where %d have room", len(got), room)
		}
		if !strings.Contains(got, "*Shortened: ") || !strings.HasPrefix(got, "## ✅ signed: 2000 subjects\n") || !strings.Contains(got, "\n```yaml\n# a line of the layout\n") {
			t.Errorf("%d bytes of room: the headline, the layout or what is left out is missing:\n%.300s…\n%s", room, got, got[len(got)-300:])
		}
		if rest, err := unfenced(got); err != nil || strings.Count(rest, "<details>") != strings.Count(rest, "</details>") {
			t.Errorf("%d bytes of room: something is left open: %v", room, err)
		}
	}
	// 8 tables of 250: what the sentence counts and what is there are all of them.
	got := summary(t, s, 128<<10)
	left := regexp.MustCompile(`(\d+) subjects`).FindAllStringSubmatch(got, -1)
	if n := strings.Count(got, "| `app-"); fmt.Sprint(2000-n) != left[len(left)-1][1] || n == 0 {
		t.Errorf("%d subjects are there, and %v are left out", n, left)
	}
	if err := s.Write(&strings.Builder{}, 64<<10-1); err == nil {
		t.Error("a summary without room passes")
	}
	if got := summary(t, crowded(16_384), 1<<30); len(got) > report.MaxMarkdown || !strings.Contains(got, "*Shortened: ") {
		t.Errorf("%d bytes, at most %d are shown", len(got), report.MaxMarkdown)
	}
}

// A page of everything at once stays within the bound, and its verdict stands.
func TestJobSummaryIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("@", 4096)
	d := context(denied("app"))
	for range 300 {
		d.Warnings, d.Loosenings = append(d.Warnings, long), append(d.Loosenings, long)
		v := denied(long)
		v.Notes = []string{long}
		d.Verdicts = append(d.Verdicts, v)
	}
	problems := slices.Repeat([]report.Problem{{What: long, Next: long}}, 300)
	for name, s := range map[string]report.JobSummary{
		"judged": {Verdict: "denied", Judged: &d, Problems: problems},
		"signed": {Verdict: "undecided", Problems: problems, Signed: &report.Signed{Notes: d.Warnings, Warnings: d.Warnings, Loosenings: d.Warnings, Bundles: crowded(5000).Signed.Bundles}},
	} {
		for _, room := range []int{64 << 10, 256 << 10, report.MaxMarkdown} {
			md := summary(t, s, room)
			if len(md) > room || !strings.HasPrefix(md, "## ") || !strings.Contains(md, "*Shortened: ") {
				t.Errorf("%s: %d bytes of %d, opening with %.60q", name, len(md), room, md)
			}
			if _, err := unfenced(md); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Artifacts that fared alike share a picture, and a layout too large for one says so.
func TestPictures(t *testing.T) {
	t.Parallel()
	var verdicts []verdict.Verdict
	for i := range 5 {
		v := denied("app")
		for j := range i {
			v.Steps = append(v.Steps, verdict.Step{Name: fmt.Sprint(j)})
		}
		verdicts = append(verdicts, v, v)
	}
	d := context(verdicts...)
	md := summary(t, report.JobSummary{Verdict: "denied", Judged: &d, Draw: drawn}, report.MaxMarkdown)
	if n := strings.Count(md, "```mermaid\n"); n != 4 || strings.Count(md, "\nThe layout, as it is met for `app` and 1 more:\n") != 4 || !strings.Contains(md, "in 1 other ways") {
		t.Errorf("%d pictures:\n%s", n, md)
	}
	large := func(map[string]verdict.Outcome, verdict.Outcome) string { return strings.Repeat("x", 50_001) }
	if md := summary(t, report.JobSummary{Verdict: "denied", Judged: &d, Draw: large}, report.MaxMarkdown); strings.Contains(md, "mermaid") || !strings.Contains(md, "too large to be drawn") {
		t.Errorf("a picture that GitHub does not draw:\n%s", md)
	}
	d.Verdicts = []verdict.Verdict{{Artifact: inHand("app")}}
	if md := summary(t, report.JobSummary{Verdict: "denied", Judged: &d, Draw: drawn}, report.MaxMarkdown); strings.Contains(md, "mermaid") {
		t.Error("a picture of a layout that was not applied")
	}
}
