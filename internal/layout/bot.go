package layout

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// kindBot is the kind of a principal that may only speak for commits which change
// nothing but the paths it is given.
const kindBot = "bot"

// paths reads what a bot may touch. A bot without paths could touch nothing, and
// paths of anybody else would be a rule that nobody checks.
func (r *reader) paths(p *principal, item namedNode, node *yaml.Node) {
	what := "principal " + p.id
	for _, text := range r.texts(node, what+"'s paths") {
		g, err := parseNameGlob(text)
		if err != nil {
			r.problem(verdict.GlobMalformed, at(node), says{err.Error(), "in-toto's fnmatch: * ? [x] [!x]", "correct the pattern"})
			continue
		}
		p.paths = append(p.paths, g)
	}
	switch {
	case p.kind == kindBot && node == nil:
		r.malformed(item.node, what+" is a bot and has no paths", `the paths that it may change, such as ["go.mod", "go.sum"]`)
	case p.kind != kindBot && node != nil:
		r.malformed(node, what+" has paths and is no bot", "kind: bot beside them")
	case p.kind == kindBot && len(p.paths) == 0 && len(r.problems) == 0:
		r.malformed(node, what+" has no path", "at least one")
	}
}

// bots lists the bots that the signer can be: a signer that is a bot and a person
// is held to what the bot may do.
func (b *bound) bots(v *attestation.Verified) []*principal {
	var out []*principal
	for _, f := range b.functionaries {
		if f.principal.kind == kindBot && !slices.Contains(out, f.principal) && f.signs(v) == nil {
			out = append(out, f.principal)
		}
	}
	return out
}

// withinPaths holds what a bot says to the paths that it may change: every commit
// that its statement speaks of changes nothing else against its first parent.
// TestBot shows it.
func (c *check) withinPaths(s *statement) *verdict.Finding {
	for _, bot := range c.layout.bots(s.verified) {
		commits, all := s.claims.commits()
		if !all || len(commits) == 0 {
			return &verdict.Finding{
				ID: verdict.PathsUnknown, Expected: "a statement about a commit: " + bot.id + " is a bot, and speaks of nothing else",
				Found: "it names no commit, or a source without its commit", Next: "have the bot attest a commit, or a person this",
			}
		}
		for _, commit := range commits {
			if finding := c.changesOnly(bot, commit); finding != nil {
				return finding
			}
		}
	}
	return nil
}

func (c *check) changesOnly(bot *principal, commit string) *verdict.Finding {
	paths, known := c.Changed[commit]
	if !known {
		return &verdict.Finding{
			ID: verdict.PathsUnknown, Expected: fmt.Sprintf("the paths that commit %s changes: %s is a bot, and may change only %s", commit, bot.id, globsOf(bot.paths)),
			Found: "no repository was read that has this commit and its parent", Next: "name a clone that has both with --git DIR; a shallow clone may lack the parent",
		}
	}
	for _, path := range paths {
		if !slices.ContainsFunc(bot.paths, func(g glob) bool { return g.match(path) }) {
			return &verdict.Finding{
				ID: verdict.PathNotAllowed, Expected: fmt.Sprintf("a commit that changes only %s: %s is a bot", globsOf(bot.paths), bot.id),
				Found: fmt.Sprintf("commit %s changes %s", commit, path), Next: "have a person attest the commit",
			}
		}
	}
	return nil
}

// commits lists the commits that a statement speaks of, whether or not it names
// their repository. all is false where a git source has no commit.
func (c *claims) commits() (ids []string, all bool) {
	all = true
	add := func(r artifact.Resource) {
		switch id := r.Digest[artifact.GitCommit]; {
		case id == "":
			all = all && !r.Name.Git
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	for _, set := range []artifact.Set{c.materials, c.products} {
		for _, name := range set.Names() {
			add(set[name])
		}
	}
	if c.nameless != nil {
		add(*c.nameless)
	}
	return ids, all
}
