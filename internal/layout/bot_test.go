package layout

import (
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// botLayout has carol for a bot that may change go.mod, go.sum and what lies in
// vendor/.
func botLayout(t testing.TB) string {
	t.Helper()
	text := inline(t, fromBuild, authorStep(1, "alice, carol"), buildStep())
	return strings.Replace(text, "  carol: {functionaries: [carol-oidc]}\n", "  carol: {functionaries: [carol-oidc], kind: bot, paths: [go.mod, go.sum, \"vendor/*\"]}\n", 1)
}

func TestBot(t *testing.T) {
	t.Parallel()
	layout := botLayout(t)
	try := func(changed map[string][]string, words ...word) trial {
		return trial{layout: layout, words: append(words, built(run{})), input: func(in *Input) { in.Changed = changed }}
	}
	within := map[string][]string{commitA: {"go.mod", "go.sum", "vendor/example.com/lib/lib.go"}}
	beyond := map[string][]string{commitA: {"go.mod", "main.go"}}
	ofBot, ofPerson := authored(carol(), commitA), authored(alice(), commitA)
	judgeAll(t, []row{
		{"a bot within its paths", try(within, ofBot), allow},
		{"a commit that changes nothing", try(map[string][]string{commitA: {}}, ofBot), allow},
		{"a person beyond the bot's paths", try(beyond, ofPerson), allow},
		{"a person, and nobody knows what changed", try(nil, ofPerson), allow},
		{"a bot beyond its paths, and a person", try(beyond, ofBot, ofPerson), allow},

		{"a bot beyond its paths", try(beyond, ofBot), verdict.PathNotAllowed},
		{"a path that ends alike", try(map[string][]string{commitA: {"tools/go.mod"}}, ofBot), verdict.PathNotAllowed},
		{"a path that begins alike", try(map[string][]string{commitA: {"go.mod/x"}}, ofBot), verdict.PathNotAllowed},
		{"the folder's own name", try(map[string][]string{commitA: {"vendor"}}, ofBot), verdict.PathNotAllowed},
		{"a path in another case", try(map[string][]string{commitA: {"Go.mod"}}, ofBot), verdict.PathNotAllowed},
		{"a bot, and nobody knows what changed", try(nil, ofBot), verdict.PathsUnknown},
		{"a bot, and another commit is known", try(map[string][]string{commitB: {"go.mod"}}, ofBot), verdict.PathsUnknown},
		{"a bot's word on a tree alone", try(within, carol().says(linkOfTree(treeA))), verdict.PathsUnknown},
		{"a bot's word on two commits", try(within, carol().says(link("author", nil, []subject{git(repo, commitA), git("github.com/acme/lib", commitB)}))), verdict.PathsUnknown},
	})
}

// Two words for one signer do not lift what binds the bot.
func TestBotThatIsAPersonToo(t *testing.T) {
	t.Parallel()
	layout := strings.Replace(botLayout(t), "principals:\n", "parameters: {name: {pattern: \"*\"}}\nprincipals:\n", 1)
	layout = strings.Replace(layout, "identity: dave@example.com", "identity: \"{name}@example.com\"", 1)
	layout = strings.Replace(layout, "functionaries: [alice, carol]", "functionaries: [dave, carol]", 1)
	v := trial{layout: layout, params: map[string]string{"name": "carol"}, words: []word{authored(carol(), commitA), built(run{})}}.judge(t)
	expect(t, v, verdict.SharedIdentity)
}

func TestBotLints(t *testing.T) {
	t.Parallel()
	const alice = "alice: {functionaries: [alice-oidc], kind: person}"
	for _, b := range []broken{
		{"a bot without paths", alice, "alice: {functionaries: [alice-oidc], kind: bot}", verdict.LayoutMalformed, "25:10"},
		{"a bot with an empty list", alice, "alice: {functionaries: [alice-oidc], kind: bot, paths: []}", verdict.LayoutMalformed, "25:58"},
		{"a person with paths", alice, "alice: {functionaries: [alice-oidc], kind: person, paths: [x]}", verdict.LayoutMalformed, "25:61"},
		{"paths of nobody in particular", alice, "alice: {functionaries: [alice-oidc], paths: [x]}", verdict.LayoutMalformed, "25:47"},
		{"a malformed path", alice, "alice: {functionaries: [alice-oidc], kind: bot, paths: [\"a[\"]}", verdict.GlobMalformed, "25:58"},
		{"another kind", alice, "alice: {functionaries: [alice-oidc], kind: robot}", verdict.LayoutMalformed, "25:46"},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.run(t)
		})
	}
	mustParse(t, strings.Replace(valid, alice, "alice: {functionaries: [alice-oidc], kind: bot, paths: [go.mod]}", 1))
}
