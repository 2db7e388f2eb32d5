package layout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// reviewed is a person's link over a commit of acme/app for the step review.
func reviewed(by signer, commit string) word { return by.says(commitLink("review", repo, commit)) }

// TestReviewersAndBuilder is the table of docs/layouts/reviewers-and-builder.md.
func TestReviewersAndBuilder(t *testing.T) {
	t.Parallel()
	layout := ready(t, "reviewers-and-builder.yml")
	team := params("author", "-", "member1", "alice@example.com", "member2", "bob@example.com", "member3", "carol@example.com", "member4", "dave@example.com")
	try := func(words ...word) trial {
		return trial{layout: layout, params: team, words: append(words, built(run{}))}
	}
	twice := params("author", "-", "member1", "alice@example.com", "member2", "bob@example.com", "member3", "bob@example.com", "member4", "dave@example.com")
	judgeAll(t, []row{
		{"an author and two reviewers", try(authored(alice(), commitA), reviewed(bob(), commitA), reviewed(carol(), commitA)), allow},
		{"any of the team may be the author", try(authored(person("dave"), commitA), reviewed(alice(), commitA), reviewed(carol(), commitA)), allow},
		{"more reviewers than needed, the author among them", try(authored(alice(), commitA), reviewed(alice(), commitA), reviewed(bob(), commitA), reviewed(carol(), commitA)), allow},
		{"all of them wrote it, and two reviewed it", try(authored(alice(), commitA), authored(bob(), commitA), reviewed(bob(), commitA), reviewed(carol(), commitA)), allow},

		{"one reviewer", try(authored(alice(), commitA), reviewed(bob(), commitA)), verdict.ThresholdNotMet},
		{"one reviewer, twice", try(authored(alice(), commitA), reviewed(bob(), commitA), reviewed(bob(), commitA)), verdict.ThresholdNotMet},
		{"the author reviews too", try(authored(alice(), commitA), reviewed(alice(), commitA), reviewed(bob(), commitA)), verdict.NotDistinct},
		{"a stranger reviews", try(authored(alice(), commitA), reviewed(bob(), commitA), reviewed(mallory(), commitA)), verdict.ThresholdNotMet},
		{"reviews of the commit before", try(authored(alice(), commitA), reviewed(bob(), commitB), reviewed(carol(), commitB)), verdict.CommitNotJoined},
		{"one review is of the commit before", try(authored(alice(), commitA), reviewed(bob(), commitA), reviewed(carol(), commitB)), verdict.StatementsDisagree},
		{"two words of authors in place of reviews", try(authored(alice(), commitA), authored(bob(), commitA), authored(carol(), commitA)), verdict.LinkOfOtherStep},
		{"the builder built something else", trial{layout: layout, params: team, words: []word{
			authored(alice(), commitB), reviewed(bob(), commitB), reviewed(carol(), commitB), built(run{})}}, verdict.CommitNotJoined},
		{"one person in two places of the team", trial{layout: layout, params: twice, words: []word{
			authored(alice(), commitA), reviewed(bob(), commitA), reviewed(bob(), commitA), built(run{})}}, verdict.SharedIdentity},
	})
}

// TestMonorepo is the table of docs/layouts/monorepo.md.
func TestMonorepo(t *testing.T) {
	t.Parallel()
	layout := ready(t, "monorepo.yml")
	of := func(component string, claims run, subjects ...subject) word {
		claims.Workflow = ".github/workflows/release-" + component + ".yml"
		return workflow(claims).says(provenanceOf(claims, subjects))
	}
	cli, server := file("cli-linux-amd64", "the cli"), file("server-linux-amd64", "the server")
	whole := []word{authored(alice(), commitA), of("cli", run{}, cli), of("server", run{}, server)}
	verify := func(name, content string, words ...word) trial {
		return trial{
			layout: layout, params: params("workflow", "-"), words: words,
			input: func(in *Input) { in.Artifact = thing(name, content) },
		}
	}
	judgeAll(t, []row{
		{"the cli", verify("cli-linux-amd64", "the cli", whole...), allow},
		{"the server", verify("server-linux-amd64", "the server", whole...), allow},
		{"an older release beside it", verify("cli-linux-amd64", "the cli", append(whole, authored(alice(), commitB), of("cli", run{SHA: commitB}, file("cli-linux-amd64", "the old cli")))...), allow},

		{"the server's workflow made the cli", verify("cli-linux-amd64", "the cli", whole[0], of("server", run{}, cli), whole[2]), verdict.NotFunctionary},
		{"the cli's workflow made something called server", verify("server-linux-amd64", "a back door", whole[0], of("cli", run{}, file("server-linux-amd64", "a back door")), whole[2]), verdict.RuleDisallow},
		{"the server is missing from the release", verify("cli-linux-amd64", "the cli", whole[0], whole[1]), verdict.NotFunctionary},
		{"the server is of another commit", verify("cli-linux-amd64", "the cli", whole[0], whole[1], of("server", run{SHA: commitB}, server)), verdict.CommitNotJoined},
		{"a file of neither component", verify("agent-linux-amd64", "the agent", append(whole, of("cli", run{}, file("agent-linux-amd64", "the agent")))...), verdict.ArtifactNotProduct},
		{"a cli of another repository", verify("cli-linux-amd64", "the cli", whole[0], of("cli", run{Repository: "mallory/app", RepositoryID: "13"}, cli), whole[2]), verdict.NotFunctionary},
		{"no author", verify("cli-linux-amd64", "the cli", whole[1:]...), verdict.ThresholdNotMet},
	})
}

// scanned is the scan workflow's statement about the app.
func scanned(claims run, subjects ...subject) word {
	return scansOf(claims, map[string]any{"scanner": map[string]any{"result": []any{}}}, subjects...)
}

func scansOf(claims run, predicate map[string]any, subjects ...subject) word {
	if claims.Workflow == "" {
		claims.Workflow = ".github/workflows/scan.yml"
	}
	return workflow(claims).says(attestationtest.Statement(subjects, scanType, predicate))
}

// TestReleaseWithScanAndSBOM is the table of docs/layouts/release-with-scan-and-sbom.md.
func TestReleaseWithScanAndSBOM(t *testing.T) {
	t.Parallel()
	layout := ready(t, "release-with-scan-and-sbom.yml")
	bill := func(by signer, predicateType string, subjects ...subject) word {
		return by.says(attestationtest.Statement(subjects, predicateType, map[string]any{"spdxVersion": "SPDX-2.3"}))
	}
	const spdx = "https://spdx.dev/Document"
	author, build := authored(alice(), commitA), built(run{})
	found := func(severities ...string) word {
		results := []any{}
		for i, severity := range severities {
			results = append(results, map[string]any{"id": fmt.Sprintf("CVE-2026-%d", i), "severity": []any{map[string]any{"method": "nvd", "score": severity}}})
		}
		return scansOf(run{}, map[string]any{"scanner": map[string]any{"result": results}}, file("app", app))
	}
	theScan, theBill := scanned(run{}, file("app", app)), bill(workflow(run{}), spdx, file("app", app))
	try := func(words ...word) trial {
		return trial{layout: layout, params: params("scanWorkflow", "scan.yml"), words: words}
	}
	later := func(tr trial, d time.Duration) trial {
		tr.input = func(in *Input) { in.Now = now().Add(d) }
		return tr
	}
	judgeAll(t, []row{
		{"all four", try(author, build, theScan, theBill), allow},
		{"a CycloneDX bill", try(author, build, theScan, bill(workflow(run{}), "https://cyclonedx.org/bom", file("app", app))), allow},
		{"a scan of the night", try(author, build, scanned(run{Trigger: "schedule"}, file("app", app)), theBill), allow},
		{"29 days later", later(try(author, build, theScan, theBill), 29*24*time.Hour), allow},

		{"something of medium severity", try(author, build, found("medium", "LOW"), theBill), allow},

		{"something critical", try(author, build, found("medium", "critical"), theBill), verdict.AttributeFalse},
		{"something critical, in other letters", try(author, build, found("Critical"), theBill), verdict.AttributeFalse},
		{"a scan that does not say what it found", try(author, build, scansOf(run{}, map[string]any{"scanner": map[string]any{}}, file("app", app)), theBill), verdict.AttributeError},
		{"31 days later", later(try(author, build, theScan, theBill), 31*24*time.Hour), verdict.EvidenceTooOld},
		{"no scan", try(author, build, theBill), verdict.ThresholdNotMet},
		{"no bill", try(author, build, theScan), verdict.ThresholdNotMet},
		{"a scan of another file", try(author, build, scanned(run{}, file("app", "something clean")), theBill), verdict.MatchFailed},
		{"a bill of another file", try(author, build, theScan, bill(workflow(run{}), spdx, file("app", "something small"))), verdict.MatchFailed},
		{"the author's own scan", try(author, build, alice().says(scan(file("app", app))), theBill), verdict.NotFunctionary},
		{"a scan by the release workflow", try(author, build, workflow(run{}).says(scan(file("app", app))), theBill), verdict.NotFunctionary},
		{"a scan of a pull request's run", try(author, build, scanned(run{Trigger: "pull_request"}, file("app", app)), theBill), verdict.ExtensionMismatch},
		{"a bill by the scan workflow", try(author, build, theScan, bill(workflow(run{Workflow: ".github/workflows/scan.yml"}), spdx, file("app", app))), verdict.NotFunctionary},
	})
}

// TestOrganisation is the table of docs/layouts/organisation.md; that the layout
// must be signed is shown where the command reads it.
func TestOrganisation(t *testing.T) {
	t.Parallel()
	layout := ready(t, "organisation.yml")
	outside := func(name string) signer {
		return signer{id: attestationtest.Person(name+"@outside.example", github)}
	}
	staff := signer{id: attestationtest.Person("grace@acme.example", google)}
	security := run{JobWorkflowRef: "acme/security/.github/workflows/scan.yml@refs/heads/main"}
	theScan := workflow(security).says(scan(file("app", app)))
	build := built(run{})
	p := map[string]string{"organisation": "acme", "repo": repo, "repoId": repoID}
	try := func(words ...word) trial { return trial{layout: layout, params: p, words: words} }
	judgeAll(t, []row{
		{"somebody of the staff", try(authored(staff, commitA), build, theScan), allow},
		{"an outside developer who is listed", try(authored(outside("erin"), commitA), build, theScan), allow},
		{"another workflow of main", try(authored(staff, commitA), built(run{Workflow: ".github/workflows/nightly.yml"}), theScan), allow},

		{"an outside developer who is not listed", try(authored(outside("oscar"), commitA), build, theScan), verdict.NotFunctionary},
		{"staff under another issuer", try(authored(signer{id: attestationtest.Person("grace@acme.example", github)}, commitA), build, theScan), verdict.NotFunctionary},
		{"a domain that only ends like ours", try(authored(signer{id: attestationtest.Person("grace@evil.acme.example", google)}, commitA), build, theScan), verdict.NotFunctionary},
		{"no scan", try(authored(staff, commitA), build), verdict.ThresholdNotMet},
		{"the repository scans itself", try(authored(staff, commitA), build, scanned(run{}, file("app", app))), verdict.NotFunctionary},
		{"the organisation's scan for another repository", try(authored(staff, commitA), build, workflow(run{
			Repository: "acme/lib", RepositoryID: "31", JobWorkflowRef: security.JobWorkflowRef}).says(scan(file("app", app)))), verdict.ExtensionMismatch},
		{"a scan of another file", try(authored(staff, commitA), build, workflow(security).says(scan(file("app", evil)))), verdict.MatchFailed},
		{"built on a branch", try(authored(staff, commitA), built(run{Ref: "refs/heads/dev"}), theScan), verdict.NotFunctionary},
	})
}

// TestWithVendor is the table of docs/layouts/vendor.md.
func TestWithVendor(t *testing.T) {
	t.Parallel()
	outer, vendor := ready(t, "with-vendor.yml"), ready(t, "vendor.yml")
	manager := signer{id: attestationtest.Person("releases@vendor.example", google)}
	dora := signer{id: attestationtest.Person("dora@vendor.example", github)}
	library := run{Repository: "vendor-example/library", RepositoryID: "4815162342"}
	author := func(by signer, commit string) word {
		return by.says(commitLink("author", "github.com/vendor-example/library", commit))
	}
	says := func(by signer, layout string) word { return signsLayout(t, by, layout, file("app", app)) }
	imports := run{Repository: "acme/imports", RepositoryID: "99"}
	p := map[string]string{"vendor": "releases@vendor.example", "repo": "github.com/acme/imports", "repoId": "99"}
	try := func(words ...word) trial { return trial{layout: outer, params: p, words: words} }
	theWord, byDora, build, theScan := says(manager, vendor), author(dora, commitA), built(library), scanned(imports, file("app", app))
	judgeAll(t, []row{
		{"the vendor's layout holds, and our scan is there", try(theWord, byDora, build, theScan), allow},
		{"two layouts of the vendor's, of which one holds", try(theWord, says(manager, strings.Replace(vendor, "[dora, emil], threshold: 1", "[dora, emil], threshold: 2", 1)), byDora, build, theScan), allow},

		{"the vendor has not said by which layout", try(byDora, build, theScan), verdict.ThresholdNotMet},
		{"one of the vendor's developers said so", try(says(dora, vendor), byDora, build, theScan), verdict.NotFunctionary},
		{"a layout about another file", try(signsLayout(t, manager, vendor, file("app", evil)), byDora, build, theScan), verdict.NotSubject},
		{"a stranger wrote the commit", try(theWord, author(mallory(), commitA), build, theScan), verdict.SublayoutRefused},
		{"another commit was built", try(theWord, author(dora, commitB), build, theScan), verdict.SublayoutRefused},
		{"our own workflow built it", try(theWord, byDora, built(imports), theScan), verdict.SublayoutRefused},
		{"we have not scanned it", try(theWord, byDora, build), verdict.ThresholdNotMet},
		{"the vendor scanned it", try(theWord, byDora, build, scanned(library, file("app", app))), verdict.NotFunctionary},
		{"the vendor's layout has expired", try(says(manager, strings.Replace(vendor, "2027-11-01", "2025-11-01", 1)), byDora, build, theScan), verdict.SublayoutRefused},
		{"the vendor's layout allows anything", try(says(manager, strings.Replace(vendor, `["CREATE *", "DISALLOW *"]`, `["ALLOW *"]`, 1)), byDora, build, theScan), verdict.SublayoutRefused},
	})
}
