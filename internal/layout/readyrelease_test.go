package layout

import (
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const reusable = "signatus-dev/signatus/.github/workflows/build-and-attest.yml@"

// TestBuildAndAttest is the table of docs/layouts/build-and-attest.md.
func TestBuildAndAttest(t *testing.T) {
	t.Parallel()
	const builder, older = "5194da7a5519be7a604132c9f0d8e7b6a5948372", "0000da7a5519be7a604132c9f0d8e7b6a5948372"
	layout := ready(t, "build-and-attest.yml")
	p := params("builder", builder, "ref", "refs/heads/main")
	// by changes one thing of the run that it must be.
	by := func(change func(*run)) word {
		r := run{JobWorkflowRef: reusable + builder, JobWorkflowSHA: builder}
		change(&r)
		return built(r)
	}
	good := by(func(*run) {})
	try := func(words ...word) trial { return trial{layout: layout, params: p, words: words} }
	author := authored(alice(), commitA)
	tagged := func(ref string) trial {
		return trial{layout: layout, params: params("builder", builder, "ref", ref), words: []word{author, by(func(r *run) { r.Ref = "refs/tags/v1.2.3" })}}
	}
	judgeAll(t, []row{
		{"the author, and the reusable workflow", try(author, good), allow},
		{"for a tag", tagged("refs/tags/v1.2.3"), allow},
		{"another provenance beside it", try(author, built(run{}), good), allow},

		{"for another tag than is asked for", tagged("refs/tags/v1.2.4"), verdict.ExtensionMismatch},
		{"no author", try(good), verdict.ThresholdNotMet},
		{"the author's word is on another commit", try(authored(alice(), commitB), good), verdict.CommitNotJoined},
		{"the repository's own workflow signed, with a token of its build", try(author, built(run{})), verdict.NotFunctionary},
		{"the reusable workflow at another commit", try(author, by(func(r *run) { r.JobWorkflowRef, r.JobWorkflowSHA = reusable+older, older })), verdict.NotFunctionary},
		{"at a branch that is called as the commit", try(author, by(func(r *run) { r.JobWorkflowSHA = older })), verdict.ExtensionMismatch},
		{"a copy of it in the repository", try(author, by(func(r *run) { r.JobWorkflowRef = "acme/app/.github/workflows/build-and-attest.yml@" + builder })), verdict.NotFunctionary},
		{"called by another workflow", try(author, by(func(r *run) { r.Workflow = ".github/workflows/nightly.yml" })), verdict.ExtensionMismatch},
		{"called on another branch", try(author, by(func(r *run) { r.Ref = "refs/heads/dev" })), verdict.ExtensionMismatch},
		{"started by a person", try(author, by(func(r *run) { r.Trigger = "workflow_dispatch" })), verdict.ExtensionMismatch},
		{"started for a pull request", try(author, by(func(r *run) { r.Trigger = "pull_request" })), verdict.ExtensionMismatch},
		{"on a runner of one's own", try(author, by(func(r *run) { r.RunnerEnvironment = "self-hosted" })), verdict.ExtensionMismatch},
		{"for another repository", try(author, by(func(r *run) { r.Repository, r.RepositoryID = "mallory/app", "13" })), verdict.ExtensionMismatch},
		{"for a repository that took the name", try(author, by(func(r *run) { r.RepositoryID = "13" })), verdict.ExtensionMismatch},
	})
}

// What is released of Signatus: the image from commit P, the files from commit R.
const (
	ownName, ownID = "signatus-dev/signatus", "1017"
	commitP        = commitA
	commitR        = commitB
)

func ownWord(by signer, step, commit string) word {
	return by.says(commitLink(step, "github.com/"+ownName, commit))
}

// TestSignatusRelease is the table of docs/layouts/signatus-release.md.
func TestSignatusRelease(t *testing.T) {
	t.Parallel()
	layout := ready(t, "signatus-release.yml")
	values := map[string]string{"version": "v1.2.3", "author": "alice@example.com", "repoId": ownID}
	files := []subject{file("signatus-v1.2.3-linux-amd64", app), file("SHA256SUMS", "the list"), file("signatus-v1.2.3.cdx.json", "the bill")}
	release := run{Repository: ownName, RepositoryID: ownID, SHA: commitR, Ref: "refs/tags/v1.2.3", JobWorkflowRef: reusable + "refs/tags/v1.2.3"}
	from := func(claims run) word { return workflow(claims).says(provenanceOf(claims, files)) }
	but := func(change func(*run)) word {
		c := release
		change(&c)
		return from(c)
	}
	bill := func(claims run, subjects ...subject) word {
		return workflow(claims).says(attestationtest.Statement(subjects, "https://cyclonedx.org/bom", map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.6"}))
	}
	author, build, theBill := ownWord(alice(), "author", commitR), from(release), bill(release, files...)
	verify := func(name, content string, words ...word) trial {
		return trial{layout: layout, params: values, words: words, input: func(in *Input) { in.Artifact = thing(name, content) }}
	}
	binary := func(words ...word) trial { return verify("signatus-v1.2.3-linux-amd64", app, words...) }
	judgeAll(t, []row{
		{"a binary", binary(author, build, theBill), allow},
		{"the list of checksums", verify("SHA256SUMS", "the list", author, build, theBill), allow},
		{"the bill itself", verify("signatus-v1.2.3.cdx.json", "the bill", author, build, theBill), allow},
		{"the author's word on P beside it", binary(ownWord(alice(), "author", commitP), author, build, theBill), allow},

		{"no author", binary(build, theBill), verdict.ThresholdNotMet},
		{"the author's word on P in place of R", binary(ownWord(alice(), "author", commitP), build, theBill), verdict.CommitNotJoined},
		{"another author", binary(ownWord(mallory(), "author", commitR), build, theBill), verdict.NotFunctionary},
		{"no bill of materials", binary(author, build), verdict.ThresholdNotMet},
		{"a bill of another file", binary(author, build, bill(release, file("signatus-v1.2.3-linux-amd64", evil))), verdict.MatchFailed},
		{"another binary", verify("signatus-v1.2.3-linux-amd64", evil, author, build, theBill), verdict.NotSubject},
		{"a binary of the version before", binary(author, but(func(c *run) { c.Ref, c.JobWorkflowRef = "refs/tags/v1.2.2", reusable+"refs/tags/v1.2.2" }), theBill), verdict.NotFunctionary},
		{"signed by the release workflow itself", binary(author, but(func(c *run) { c.JobWorkflowRef = "" }), theBill), verdict.NotFunctionary},
		{"built by a branch that is called as the tag", binary(author, but(func(c *run) { c.Ref = "refs/heads/v1.2.3" }), theBill), verdict.ExtensionMismatch},
		{"built by another workflow of the tag", binary(author, but(func(c *run) { c.Workflow = ".github/workflows/ci.yml" }), theBill), verdict.ExtensionMismatch},
		{"built for a fork", binary(author, but(func(c *run) { c.Repository, c.RepositoryID = "mallory/signatus", "13" }), theBill), verdict.ExtensionMismatch},
		{"started by a person", binary(author, but(func(c *run) { c.Trigger = "workflow_dispatch" }), theBill), verdict.ExtensionMismatch},
	})
}

// TestSignatusImage is the table of docs/layouts/signatus-release.md for the image.
func TestSignatusImage(t *testing.T) {
	t.Parallel()
	const image = "ghcr.io/signatus-dev/signatus"
	layout := ready(t, "signatus-image.yml")
	onMain := run{Repository: ownName, RepositoryID: ownID, SHA: commitP, Workflow: ".github/workflows/image.yml", Trigger: "workflow_dispatch"}
	subjects := []subject{file(image, "the index"), file(image+"#linux/amd64", "the image")}
	but := func(change func(*run)) word {
		c := onMain
		change(&c)
		return workflow(c).says(provenanceOf(c, subjects))
	}
	author, build := ownWord(alice(), "author", commitP), but(func(*run) {})
	of := func(content, commit string, words ...word) trial {
		values := map[string]string{"author": "alice@example.com", "repoId": ownID}
		if commit != "" {
			values["commit"] = commit
		}
		return trial{layout: layout, params: values, words: words, input: func(in *Input) { in.Artifact = thing("", content) }}
	}
	index := func(words ...word) trial { return of("the index", "", words...) }
	judgeAll(t, []row{
		{"the index", index(author, build), allow},
		{"one of its images", of("the image", "", author, build), allow},
		{"of this very commit", of("the index", commitP, author, build), allow},

		{"of another commit than is asked for", of("the index", commitR, author, build), verdict.AttributeFalse},
		{"another image", of("the index, and a miner", "", author, build), verdict.NotSubject},
		{"no author", index(build), verdict.ThresholdNotMet},
		{"the author's word on R in place of P", index(ownWord(alice(), "author", commitR), build), verdict.CommitNotJoined},
		{"another author", index(ownWord(mallory(), "author", commitP), build), verdict.NotFunctionary},
		{"from a branch", index(author, but(func(c *run) { c.Ref = "refs/heads/dev" })), verdict.NotFunctionary},
		{"by another workflow", index(author, but(func(c *run) { c.Workflow = ".github/workflows/ci.yml" })), verdict.NotFunctionary},
		{"on a runner of one's own", index(author, but(func(c *run) { c.RunnerEnvironment = "self-hosted" })), verdict.ExtensionMismatch},
		{"by a repository that took the name", index(author, but(func(c *run) { c.RepositoryID = "13" })), verdict.ExtensionMismatch},
	})
}
