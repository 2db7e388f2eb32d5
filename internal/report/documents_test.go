package report_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// The cast of the documents below.
const (
	slsa  = "https://slsa.dev/provenance/v1"
	link  = "https://in-toto.io/attestation/link/v0.3"
	rekor = "https://rekor.sigstore.dev"
	tsa   = "https://timestamp.sigstore.dev/api/v1/timestamp"
	notes = "evidence/authors.sigstore.jsonl line 2"
)

type document struct {
	name    string
	doc     report.Document
	verbose bool
}

func documents() []document {
	return []document{
		{name: "empty"},
		{name: "zero-verdict", doc: report.Document{Verdicts: make([]verdict.Verdict, 1)}},
		{name: "allowed", doc: context(allowed("app-linux-amd64"))},
		{name: "allowed-verbose", doc: context(allowed("app-linux-amd64")), verbose: true},
		{name: "allowed-identity", doc: fromIdentity()},
		{name: "denied", doc: context(denied("app-linux-amd64"))},
		{name: "denied-verbose", doc: context(denied("app-linux-amd64")), verbose: true},
		{name: "denied-rule", doc: context(deniedByRule())},
		{name: "denied-odd", doc: context(deniedOddly())},
		{name: "no-candidate", doc: nothingFound()},
		{name: "undecided", doc: undecided()},
		{name: "several", doc: context(allowed("app-linux-amd64"), denied("app-darwin-arm64"), allowed("app-windows-amd64.exe"))},
		{name: "crowd", doc: context(crowd())},
		{name: "loosened", doc: loosened()},
		{name: "explained", doc: context(traced(allowed("app-linux-amd64")))},
		{name: "explained-nested", doc: context(nested())},
		{name: "explained-denied", doc: context(traced(denied("app-linux-amd64")))},
		{name: "unbound", doc: unbound()},
		{name: "stated", doc: stated(context(allowed("app-linux-amd64"), denied("app-darwin-arm64")))},
		{name: "hostile", doc: hostile("\x1b[2K\r\u202eallowed: \u2066x\u2069\u200b\x07\n  ✓ build\u0085")},
	}
}

func context(verdicts ...verdict.Verdict) report.Document {
	return report.Document{
		Tool:   "v1.0.0",
		Judged: time.Date(2026, 9, 1, 14, 0, 0, 0, time.FixedZone("CEST", 2*3600)),
		Layout: report.Layout{
			Name: "layouts/author-and-builder.yml", SHA256: strings.Repeat("1f2e3d4c5b6a7988", 4), Version: 3,
			Expires: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), Trust: "named on the command line",
		},
		Parameters: map[string]string{"repo": "github.com/acme/app", "repoId": "123456789"},
		Roots: []report.Root{
			{Name: "sigstore", Source: "embedded, 2026-08-12", SHA256: strings.Repeat("a0", 32), Date: time.Date(2026, 8, 12, 0, 0, 0, 0, time.UTC)},
			{Name: "acme", Source: "file roots.jsonl line 2", SHA256: strings.Repeat("b1", 32)},
		},
		Searched: []report.Place{
			{Name: "app-linux-amd64.sigstore.jsonl", Found: 1},
			{Name: "attestation.sigstore.jsonl"},
			{Name: "refs/notes/attestations", Found: 2},
		},
		Verdicts: verdicts,
	}
}

func inHand(name string) artifact.Artifact {
	return artifact.Artifact{Given: name, Name: name, Digest: artifact.DigestSet{artifact.SHA256: strings.Repeat("9f86d081884c7d65", 4)}}
}

func byBuilder() verdict.Evidence {
	return verdict.Evidence{
		Source: "app-linux-amd64.sigstore.jsonl line 1", Verified: true,
		Signer:   "release.yml@refs/heads/main of acme/app (GitHub Actions)",
		Issuer:   "https://token.actions.githubusercontent.com",
		Identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
		Root:     "sigstore", PredicateType: slsa, SubjectCount: 3, Counted: true, Step: "build",
		Times: []verdict.Time{
			{Instant: time.Date(2026, 8, 30, 10, 0, 9, 0, time.UTC), By: rekor, Kind: "transparency log"},
			{Instant: time.Date(2026, 8, 30, 10, 0, 7, 0, time.UTC), By: tsa, Kind: "timestamp authority"},
		},
	}
}

func byAuthor(name string) verdict.Evidence {
	return verdict.Evidence{
		Source: notes, Verified: true, Signer: name + "@example.com (https://accounts.google.com)",
		Issuer: "https://accounts.google.com", Identity: name + "@example.com", Root: "sigstore",
		PredicateType: link, SubjectCount: 1, Counted: true, Step: "author",
		Times: []verdict.Time{{Instant: time.Date(2026, 8, 30, 9, 58, 11, 0, time.UTC), By: rekor, Kind: "transparency log"}},
	}
}

func uncounted(e verdict.Evidence, reason verdict.Finding) verdict.Evidence {
	e.Counted, e.Step, e.Reason = false, "", &reason
	return e
}

func satisfied(name, by string) verdict.Step {
	return verdict.Step{Name: name, Satisfied: true, Required: 1, Counted: 1, By: []string{by}}
}

func allowed(name string) verdict.Verdict {
	return verdict.Verdict{
		Artifact: inHand(name),
		Steps:    []verdict.Step{satisfied("author", "alice"), satisfied("build", "release.yml")},
		Evidence: []verdict.Evidence{byAuthor("alice"), byBuilder()},
		Notes:    []string{`the statement names the artifact "app", the file in hand is "` + name + `"; the digest binds`},
	}.Allow()
}

func denied(name string) verdict.Verdict {
	return verdict.Verdict{
		Artifact: inHand(name),
		Steps:    []verdict.Step{satisfied("build", "release.yml"), {Name: "author", Required: 1}},
		Evidence: []verdict.Evidence{byBuilder(), uncounted(byAuthor("mallory"), verdict.Finding{
			ID: verdict.NotFunctionary, Step: "author", Found: "the signer is not a functionary of this step",
		})},
	}.Deny(verdict.Finding{
		ID: verdict.NotFunctionary, Step: "author",
		Found:    "1 attestation found, signer mallory@example.com is not a functionary of this step",
		Expected: "alice@example.com or bob@example.com (issuer https://accounts.google.com)",
		Next:     "have one of them run  signatus attest --commit 3f2a9c1 --step author",
	})
}

func deniedByRule() verdict.Verdict {
	v := verdict.Verdict{
		Artifact: inHand("app-linux-amd64"),
		Steps: []verdict.Step{
			satisfied("author", "alice"),
			{Name: "build", Required: 2, Counted: 1},
		},
		Evidence: []verdict.Evidence{byAuthor("alice"), uncounted(byBuilder(), verdict.Finding{ID: verdict.RuleDisallow})},
	}
	v = v.Deny(verdict.Finding{
		ID: verdict.ArtifactDenied, Found: "the layout denies sha256:9f86d081884c7d65…: built on a compromised host",
		Where: "layouts/author-and-builder.yml:31:3", Next: "use a release made after 2026-08-30",
	})
	v = v.Deny(verdict.Finding{
		ID: verdict.RuleDisallow, Step: "build", Rule: "DISALLOW *", Where: "layouts/author-and-builder.yml:14:7",
		Found:    "material git+https://github.com/evil/app is left over",
		Expected: "only materials that an earlier rule consumes",
		Next:     "build without it, or add a rule that allows it above this one",
	})
	return v.Deny(verdict.Finding{ID: verdict.NotDistinct, Step: "build"})
}

// deniedOddly has what an engine should not, but might, hand over.
func deniedOddly() verdict.Verdict {
	custom := byBuilder()
	custom.PredicateType, custom.Reason, custom.Counted = "https://example.com/Attestation/v7", nil, false
	return verdict.Verdict{
		Artifact: artifact.Artifact{Digest: inHand("").Digest},
		Steps:    []verdict.Step{{Name: "review"}, satisfied("build", "release.yml")},
		Evidence: []verdict.Evidence{custom, {Source: "broken.sigstore.json"}},
	}.Deny(verdict.Finding{ID: verdict.UnknownStep, Step: "release", Rule: "steps[2]"})
}

func nothingFound() report.Document {
	d := context(verdict.Verdict{Artifact: inHand("app-linux-amd64")}.Deny(verdict.Finding{
		ID: verdict.NoCandidate, Found: "no attestation was found in 2 places",
		Expected: "a bundle beside the artifact, or the author's word in git notes",
		Next:     "git fetch origin refs/notes/attestations:refs/notes/attestations",
	}))
	d.Searched = d.Searched[1:2]
	for i := range 13 {
		d.Searched = append(d.Searched, report.Place{Name: fmt.Sprintf("dist/%d.sigstore.json", i)})
	}
	return d
}

func undecided() report.Document {
	d := context(verdict.Verdict{
		Artifact: inHand("app-linux-amd64"),
		Steps:    []verdict.Step{satisfied("build", "release.yml"), {Name: "author", Required: 1}},
		Evidence: []verdict.Evidence{byBuilder(), {
			Source: "refs/notes/attestations line 1",
			Reason: &verdict.Finding{ID: verdict.BundleTooNew, Found: "bundle version 0.9", Expected: "at most 0.3"},
		}},
	}.Undecide(verdict.Finding{
		ID: verdict.SourceUnreadable, Found: "asking GitHub for attestations: 503 Service Unavailable after 4 tries",
		Expected: "an answer, even an empty one",
		Next:     "try again, or name the bundle with --bundle",
	}))
	d.Warnings = []string{"refreshing root sigstore: no answer within 5s; in use: embedded, 2026-08-12; next: check the network"}
	return d
}

func fromIdentity() report.Document {
	v := allowed("app-linux-amd64")
	v.Steps, v.Evidence, v.Notes = v.Steps[1:], v.Evidence[1:], nil
	d := context(v)
	d.Layout = report.Layout{Trust: "built from --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main and --certificate-oidc-issuer https://token.actions.githubusercontent.com"}
	return d
}

func loosened() report.Document {
	v := allowed("app-linux-amd64")
	v.Steps[0].Required, v.Steps[0].Counted = 2, 2
	bob := byAuthor("bob")
	bob.Times, bob.PredicateType = nil, "https://in-toto.io/attestation/link/v0.3, proven"
	v.Evidence = append(v.Evidence, bob)
	d := context(v)
	d.Loosenings = []string{"--layout-from-head", "--allow-inspections"}
	d.Warnings = []string{"the layout expires in 3 days"}
	return d
}

func crowd() verdict.Verdict {
	v := allowed("app-linux-amd64")
	for i := range 40 {
		id := verdict.NotSubject
		if i%7 == 0 {
			id = verdict.OutsideAssignment
		}
		e := uncounted(byBuilder(), verdict.Finding{ID: id, Found: "the artifact is not a subject of this statement"})
		e.Source = fmt.Sprintf("attestation.sigstore.jsonl line %d", i+1)
		v.Evidence = append(v.Evidence, e)
	}
	return v
}

// hostile puts a text wherever text from outside may stand.
func hostile(text string) report.Document {
	finding := verdict.Finding{ID: verdict.ID(text), Step: text, Rule: text, Where: text, Expected: text, Found: text, Next: text}
	general := finding
	general.Step = ""
	times := []verdict.Time{{Instant: time.Date(2026, 8, 30, 9, 58, 11, 0, time.UTC), By: text, Kind: text}}
	v := verdict.Verdict{
		Artifact: artifact.Artifact{Given: text, Name: text, Digest: artifact.DigestSet{artifact.Algorithm(text): text}},
		Steps: []verdict.Step{
			{Name: text, Satisfied: true, Required: 1, Counted: 1, By: []string{text}},
			{Name: text + "2", Required: 1, By: []string{text}},
			{Name: text + "3", Satisfied: true, Required: 1, Counted: 1, By: []string{text}},
			{Name: text + "4", Satisfied: true, Required: 1, Counted: 1, By: []string{text}},
		},
		Evidence: []verdict.Evidence{
			{Source: text, Verified: true, Signer: text, Issuer: text, Identity: text, Root: text, PredicateType: text, Times: times, Counted: true, Step: text + "3"},
			{Source: text, Verified: true, Signer: text, Root: text, PredicateType: text, Times: times, Reason: &finding},
			{Source: text, Reason: &finding},
		},
		Notes: []string{text},
		Trace: hostileTrace(text, &finding),
	}.Deny(finding).Deny(general)
	return report.Document{
		Tool: text, Judged: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC),
		Layout:     report.Layout{Name: text, SHA256: text, Version: 1, Trust: text},
		Parameters: map[string]string{text: text},
		Roots:      []report.Root{{Name: text, Source: text, SHA256: text}},
		Searched:   []report.Place{{Name: text}, {Name: text, Found: 1}, {Name: text, Found: 2}},
		Warnings:   []string{text}, Loosenings: []string{text},
		Summaries: []report.Summary{{File: text, Artifact: text, Result: text, Resource: text, Levels: []string{text}, Verifier: text, Signer: text, Instance: report.Instance{Name: text, Reason: text}}},
		Verdicts:  []verdict.Verdict{v},
	}
}

// unbound is a classic layout's refusal without an artifact.
func unbound() report.Document {
	v := traced(denied(""))
	v.Artifact = artifact.Artifact{}
	v.Trace.Anchor = ""
	v.Trace.Lists[0].Rules = nil
	return context(v)
}

// stated gives a document summaries of its verdicts.
func stated(d report.Document) report.Document {
	for _, v := range d.Verdicts {
		s := report.Summary{
			File: "app.vsa.jsonl", Artifact: v.Artifact.Given, Result: "FAILED", Resource: "pkg:generic/" + v.Artifact.Given,
			Verifier: "https://example.com/verifier", Signer: "verify.yml@refs/heads/main of acme/app (GitHub Actions)",
			Instance: report.Instance{Name: "public-good", Reason: "the repository acme/app is public"},
		}
		if v.Allowed() {
			s.Result, s.Levels = "PASSED", []string{"SLSA_BUILD_LEVEL_3", "ACME_REVIEWED"}
		}
		d.Summaries = append(d.Summaries, s)
	}
	return d
}

// hostileTrace has the text wherever a trace has one.
func hostileTrace(text string, finding *verdict.Finding) *verdict.Trace {
	some := verdict.NewExcerpt([]string{text, text})
	return &verdict.Trace{
		Anchor:  text,
		Choices: []verdict.Choice{{Step: text, Expected: text, Sources: some, Principals: some}, {Step: text, Expected: text, Lacking: text}},
		Lists: []verdict.RuleList{
			{Step: text, List: text, Skipped: text},
			{Step: text, List: text, Rules: []verdict.RuleTrace{
				{
					Rule: "MATCH " + text, Where: text, Queue: some, Consumed: some,
					Matches: []verdict.Match{{Name: text, Step: text, Joined: true, Have: text, Want: text}, {Name: text, Step: text, Have: text, Want: text}},
				},
				{Rule: "DISALLOW " + text, Where: text, Queue: some, Finding: finding},
			}},
		},
		Sublayouts: []verdict.Sublayout{
			{Step: text, Source: text, Subject: text, Finding: finding, Trace: &verdict.Trace{
				Anchor: text, Lists: []verdict.RuleList{{Step: text, List: text, Rules: []verdict.RuleTrace{{Rule: "ALLOW " + text, Where: text, Queue: some}, {Rule: text, Where: text, Queue: some, Finding: finding}}}},
			}},
			{Step: text, Source: text},
		},
	}
}

// nested gives a verdict a vendor's layout, and one within it, of which a rule refuses.
func nested() verdict.Verdict {
	v := denied("app-linux-amd64")
	const expected, file = "nothing but what the rules before this one allow", "vendor.sigstore.jsonl line 1#layout"
	rule := verdict.Finding{ID: verdict.RuleDisallow, Step: "vendor/parts/compile", Rule: "DISALLOW *", Where: file + ":1:310", Expected: expected, Found: "the statement names evil"}
	within := verdict.Finding{ID: verdict.SublayoutRefused, Step: "vendor/parts", Rule: "DISALLOW *", Expected: expected, Found: "the layout that it signs does not allow part: parts/compile: the statement names evil (rule-disallow)"}
	v.Findings = []verdict.Finding{{
		ID: verdict.SublayoutRefused, Step: "vendor", Rule: "DISALLOW *", Where: "layouts/vendor.yml:21:9", Expected: expected, Next: "remove the artifact from the step, or allow it by a rule before this one",
		Found: "the layout that it signs does not allow app-linux-amd64: vendor/parts: the layout that it signs does not allow part: parts/compile: the statement names evil (rule-disallow) (sublayout-refused)",
	}}
	names := func(names ...string) verdict.Excerpt { return verdict.NewExcerpt(names) }
	compile := &verdict.Trace{
		Anchor:  "vendor/parts/compile",
		Choices: []verdict.Choice{{Step: "vendor/parts/compile", Expected: "predicate type " + slsa, Required: 1, Options: 1, Sources: names("part.sigstore.json"), Principals: names("builder")}},
		Lists: []verdict.RuleList{{Step: "vendor/parts/compile", List: "expectedMaterials", Rules: []verdict.RuleTrace{
			{Rule: "ALLOW *.c", Where: file + ":1:280", Queue: names("evil", "main.c"), Consumed: names("main.c")},
			{Rule: "DISALLOW *", Where: file + ":1:310", Queue: names("evil"), Finding: &rule},
		}}},
	}
	parts := &verdict.Trace{
		Anchor:     "vendor/pack",
		Lists:      []verdict.RuleList{{Step: "vendor/parts", List: "expectedMaterials", Skipped: "the step lacks statements"}},
		Sublayouts: []verdict.Sublayout{{Step: "vendor/parts", Source: "part.sigstore.json", Subject: "part", Finding: &rule, Trace: compile}},
	}
	v.Trace = &verdict.Trace{
		Anchor:  "vendor",
		Choices: []verdict.Choice{{Step: "vendor", Expected: "predicate type layout", Required: 1, Lacking: "1 attestation found, the layout that it signs does not allow app-linux-amd64"}},
		Lists:   []verdict.RuleList{{Step: "vendor", List: "expectedMaterials", Skipped: "the step lacks statements"}},
		Sublayouts: []verdict.Sublayout{
			{Step: "vendor", Source: "vendor.sigstore.jsonl line 1", Subject: "app-linux-amd64", Finding: &within, Trace: parts},
			{Step: "vendor", Source: "vendor.sigstore.jsonl line 2", Finding: &verdict.Finding{ID: verdict.LayoutExpired, Where: "vendor.sigstore.jsonl line 2#layout", Found: "the layout expired on 2025-03-01T00:00:00Z"}},
		},
		MoreSublayouts: 2,
	}
	return v
}

// traced gives a verdict a trace: one rule of each kind, with what it can say.
func traced(v verdict.Verdict) verdict.Verdict {
	const source, file = "git+https://github.com/acme/app", "layouts/author-and-builder.yml"
	commit := "gitCommit:" + strings.Repeat("3f2a", 10)
	names := func(names ...string) verdict.Excerpt { return verdict.NewExcerpt(names) }
	var many []string
	for i := range verdict.MaxExcerpt + 3 {
		many = append(many, fmt.Sprintf("dist/%d", i))
	}
	t := &verdict.Trace{Anchor: "build", Satisfied: v.Allowed(), Choices: []verdict.Choice{
		{Step: "author", Expected: "predicate type " + link, Required: 1, Options: 2, Sources: names(notes), Principals: names("alice")},
		{Step: "build", Expected: "predicate type " + slsa, Required: 1, Options: 1, Sources: names("app-linux-amd64.sigstore.jsonl line 1"), Principals: names("builder")},
	}}
	t.Lists = []verdict.RuleList{
		{Step: "author", List: "expectedMaterials", Rules: []verdict.RuleTrace{{Rule: "DISALLOW *", Where: file + ":20:9"}}},
		{Step: "author", List: "expectedProducts", Rules: []verdict.RuleTrace{
			{Rule: "REQUIRE " + source, Where: file + ":22:9", Queue: names(source)},
			{Rule: "ALLOW " + source, Where: file + ":23:9", Queue: names(source), Consumed: names(source)},
			{Rule: "DISALLOW *", Where: file + ":24:9"},
		}},
		{Step: "build", List: "expectedMaterials", Rules: []verdict.RuleTrace{
			{
				Rule: "MATCH " + source + " WITH PRODUCTS FROM author", Where: file + ":30:9", Queue: names(source), Consumed: names(source),
				Matches: []verdict.Match{{Name: source, Step: "author", Joined: true, Have: commit, Want: commit}},
			},
			{Rule: "DISALLOW *", Where: file + ":31:9"},
		}},
		{Step: "build", List: "expectedProducts", Rules: []verdict.RuleTrace{{Rule: "CREATE *", Where: file + ":33:9", Queue: names(many...), Consumed: names(many...)}}},
	}
	if !v.Allowed() {
		t.Choices[0] = verdict.Choice{Step: "author", Expected: "predicate type " + link, Required: 1, Lacking: "1 attestation found, signer mallory@example.com is not a functionary of this step"}
		t.Lists[1] = verdict.RuleList{Step: "author", List: "expectedProducts", Skipped: "the step lacks statements"}
		t.Lists[2].Rules = []verdict.RuleTrace{
			{
				Rule: "MATCH " + source + " WITH PRODUCTS FROM author", Where: file + ":30:9", Queue: names(source, "x"),
				Matches: []verdict.Match{
					{Name: source, Step: "author", Have: commit, Want: "gitCommit:" + strings.Repeat("0bad", 10)},
					{Name: "x", Step: "author", Have: "sha256:00"},
				}, MoreMatches: 2,
			},
			{Rule: "DISALLOW *", Where: file + ":31:9", Queue: names(source, "x"), Finding: &verdict.Finding{
				ID: verdict.RuleDisallow, Step: "build", Rule: "DISALLOW *", Where: file + ":31:9", Found: "the statement names x", Expected: "nothing but what the rules before this one allow",
			}},
		}
	}
	v.Trace = t
	return v
}
