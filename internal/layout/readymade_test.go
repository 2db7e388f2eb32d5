package layout

import (
	"testing"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// reviewed is a person's link over a commit of acme/app for the step review.
func reviewed(by signer, commit string) word { return by.says(commitLink("review", repo, commit)) }

// TestReviewersAndBuilder is the table of docs/layouts/reviewers-and-builder.md.
func TestReviewersAndBuilder(t *testing.T) {
	t.Parallel()
	layout := ready(t, "reviewers-and-builder.yml")
	team := params("author", "-", "member1", "alice@example.com", "member2", "bob@example.com", "member3", "carol@example.com", "member4", "dave@example.com")
	try := func(words ...word) trial { return trial{layout: layout, params: team, words: append(words, built(run{}))} }
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
		{"the cli's workflow made something called server", verify("server-linux-amd64", "a back door", whole[0], of("cli", run{}, file("server-linux-amd64", "a back door")), whole[2]), verdict.ArtifactNotProduct},
		{"the server is missing from the release", verify("cli-linux-amd64", "the cli", whole[0], whole[1]), verdict.NotFunctionary},
		{"the server is of another commit", verify("cli-linux-amd64", "the cli", whole[0], whole[1], of("server", run{SHA: commitB}, server)), verdict.CommitNotJoined},
		{"a file of neither component", verify("agent-linux-amd64", "the agent", append(whole, of("cli", run{}, file("agent-linux-amd64", "the agent")))...), verdict.ArtifactNotProduct},
		{"a cli of another repository", verify("cli-linux-amd64", "the cli", whole[0], of("cli", run{Repository: "mallory/app", RepositoryID: "13"}, cli), whole[2]), verdict.NotFunctionary},
		{"no author", verify("cli-linux-amd64", "the cli", whole[1:]...), verdict.ThresholdNotMet},
	})
}
