package layout

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// queue runs one rule list over the materials or products of one statement.
//
// "The artifact rules are applied in order; [MATCH, CREATE, DELETE, MODIFY and
// ALLOW] consume the artifacts they match from the queue, DISALLOW fails if it
// matches an artifact left in it, REQUIRE fails if its name is not in it."
// (in-toto 1.0, 4.3.3, and docs/layout.md 9.) REQUIRE does not consume.
type queue struct {
	layout string // what findings call it
	step   string
	claims *claims
	// over is the materials or the products, of which the rules speak; names is
	// what is left of it, in order.
	over     artifact.Set
	names    []string
	accepted []artifact.Algorithm
	// classic compares digests as in-toto 1.0 does, whole, and knows artifacts by
	// the names that were recorded.
	classic bool
	// inspected is set where an inspection recorded the artifacts, and nobody's link.
	inspected bool
	// counted gives another step's counted statements.
	counted func(step string) []*group
	// byTree is set for a step with joinBy: tree.
	byTree *treeJoin

	// work counts comparisons; one with other statements counts for several.
	work int
	// joins lists what MATCH consumed, and with whom it is shared.
	joins []join
	// missed remembers, per artifact, a MATCH that covered it and did not join.
	missed map[string]miss
	// trace, if set, records what each rule does.
	trace *recorder
}

// join is an artifact that a MATCH consumed because a counted statement of
// another step has it too.
type join struct {
	with     *group
	resource artifact.Resource
	want     artifact.DigestSet // what the other step has for it
	from     string             // the other step
	byTree   *treePair          // set where only the trees are equal
}

type miss struct {
	rule boundRule
	want artifact.DigestSet // what the other step has under that name; nil for nothing
	ref  string             // the other step's ref, where that is what differs
	// byTree is set where trees were compared.
	byTree *treePair
}

// run applies the rules. The first that fails is the finding.
func (q *queue) run(rules []boundRule) *verdict.Finding {
	q.missed = map[string]miss{}
	q.work += len(rules)
	for _, r := range rules {
		before := q.trace.before(q)
		finding := q.apply(r)
		if q.trace.after(q, r, before, finding); finding != nil {
			return finding
		}
	}
	return nil
}

func (q *queue) apply(r boundRule) *verdict.Finding {
	switch r.kind {
	case requireRule:
		return q.require(r)
	case disallowRule:
		return q.disallow(r)
	case matchRule, createRule, deleteRule, modifyRule, allowRule:
		q.consume(r)
	}
	return nil
}

// consume takes what the rule covers out of the queue. A pattern without
// wildcards covers one name only.
func (q *queue) consume(r boundRule) {
	var others []*group
	if r.kind == matchRule {
		others = q.counted(r.from)
	}
	if r.glob.literal() {
		if i, ok := slices.BinarySearch(q.names, withSlash(r.src)+r.glob.text); ok && q.covers(r, q.names[i], others) {
			q.names = slices.Concat(q.names[:i], q.names[i+1:])
		}
		return
	}
	q.work += len(q.names) * (1 + 3*len(others))
	left := make([]string, 0, len(q.names))
	for _, name := range q.names {
		if !q.covers(r, name, others) {
			left = append(left, name)
		}
	}
	q.names = left
}

func (q *queue) covers(r boundRule, name string, others []*group) bool {
	if r.kind == matchRule {
		return q.matches(r, name, others)
	}
	if !r.glob.match(name) {
		return false
	}
	material, isMaterial := q.claims.materials[name]
	product, isProduct := q.claims.products[name]
	switch r.kind {
	case allowRule:
		return true
	case createRule:
		return isProduct && !isMaterial
	case deleteRule:
		return isMaterial && !isProduct
	case modifyRule:
		return isMaterial && isProduct && !material.Digest.Equal(product.Digest)
	default:
		return false
	}
}

// matches joins one artifact with the other step's counted statements: they must
// have it under the matched name, and all that have it must agree.
func (q *queue) matches(r boundRule, name string, others []*group) bool {
	base, ok := strings.CutPrefix(name, withSlash(r.src))
	if !ok || !r.glob.match(base) {
		return false
	}
	have := q.over[name]
	var joins []join
	there := false
	for _, g := range others {
		set := g.claims.materials
		if r.withProducts {
			set = g.claims.products
		}
		other, ok := set[withSlash(r.dst)+base]
		if !ok {
			continue
		}
		byTree, joined := q.join(have, other)
		if other.Asserted || have.Asserted || !joined {
			q.missed[name] = miss{rule: r, want: other.Digest, byTree: byTree}
			return false
		}
		if have.OtherRef(other) {
			q.missed[name] = miss{rule: r, want: other.Digest, ref: other.Name.Ref}
			return false
		}
		if there = true; !q.classic || q.trace != nil { // nobody else asks what is joined
			joins = append(joins, join{g, have, other.Digest, r.from, byTree})
		}
	}
	if !there {
		q.missed[name] = miss{rule: r}
		return false
	}
	q.joins = append(q.joins, joins...)
	return true
}

// joined compares the digests of two artifacts.
//
// "are the files not the same? … destination_artifact.hash != artifact.hash"
// (in-toto 1.0, 4.3.3.2), where a hash is a whole dictionary; `{}` is a digest of
// nothing and equals none. (TestClassicRules)
func (q *queue) joined(a, b artifact.DigestSet) bool {
	if q.classic {
		return a.Equal(b)
	}
	return a.Join(b, q.accepted) == artifact.Joined
}

// withSlash is what names begin with that are under the prefix of an IN. A prefix
// of "/" is one: foo is not under it, and /foo is. (TestClassicRules, TestQueue)
func withSlash(prefix string) string {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return prefix
	}
	return prefix + "/"
}

// require finds the name in the queue. What is only asserted does not count.
func (q *queue) require(r boundRule) *verdict.Finding {
	if _, ok := slices.BinarySearch(q.names, r.name); ok && !q.over[r.name].Asserted {
		return nil
	}
	found := q.tells() + q.describe()
	if q.over[r.name].Asserted {
		found = "the statement asserts it, but the signer's certificate does not know that source"
	}
	expected, next := r.name, "check that the statement names this source, and that its signer's certificate does"
	switch {
	case q.inspected:
		expected, next = r.name+", by exactly this name", "deliver it, or take the rule from the layout: REQUIRE asks for exactly this name, and before any rule that takes it out"
	case q.classic:
		expected, next = r.name+", by exactly this name", "have the step recorded again with this artifact, or take it from the layout: REQUIRE asks for exactly this name, and before any rule that takes it out"
	}
	return &verdict.Finding{
		ID: verdict.RuleRequire, Step: q.step, Rule: r.text, Where: r.at.in(q.layout), Expected: expected, Found: found, Next: next,
	}
}

// disallow fails on the first artifact in the queue that the pattern matches.
func (q *queue) disallow(r boundRule) *verdict.Finding {
	for _, name := range q.names {
		q.work++
		if !q.speaksOf(r, name) {
			continue
		}
		m, missed := q.missed[name]
		if !missed {
			f := &verdict.Finding{
				ID: verdict.RuleDisallow, Step: q.step, Rule: r.text, Where: r.at.in(q.layout),
				Expected: "nothing but what the rules before this one allow", Found: q.tells() + name + q.remark(name),
				Next: "remove the artifact from the step, or allow it by a rule before this one",
			}
			if q.inspected {
				f.Next = "find out where it comes from; if it belongs there, have the layout allow it by a rule before this one"
			}
			return f
		}
		return q.unjoined(name, m)
	}
	return nil
}

// tells is who names the artifacts, and how.
func (q *queue) tells() string {
	switch {
	case q.inspected:
		return "the inspection found "
	case q.classic:
		return "the link names "
	}
	return "the statement names "
}

// speaksOf reports whether a DISALLOW is about the name: in classic metadata,
// where names are as they were recorded, also where dir/../foo means foo.
// (CVE-2021-41087; TestClassicRules)
func (q *queue) speaksOf(r boundRule, name string) bool {
	return r.glob.match(name) || q.classic && r.glob.match(path.Clean(name))
}

// unjoined is the finding for an artifact that a MATCH covered in vain.
func (q *queue) unjoined(name string, m miss) *verdict.Finding {
	if m.byTree != nil && !q.over[name].Asserted {
		return q.notJoinedByTree(name, m)
	}
	kind := "materials"
	if m.rule.withProducts {
		kind = "products"
	}
	have := q.over[name]
	f := &verdict.Finding{
		ID: verdict.MatchFailed, Step: q.step, Rule: m.rule.text, Where: m.rule.at.in(q.layout),
		Expected: fmt.Sprintf("%s as step %s has it among its %s: %s", name, m.rule.from, kind, m.want),
		Found:    fmt.Sprintf("%s%s", have.Digest, q.remark(name)),
		Next:     fmt.Sprintf("have step %s attest this very artifact", m.rule.from),
	}
	if m.want == nil {
		f.Expected = fmt.Sprintf("%s among the %s of step %s", name, kind, m.rule.from)
	}
	if m.ref != "" {
		f.ID, f.Expected, f.Found = verdict.TagNameDiffers, fmt.Sprintf("%s of %s, as step %s says", m.ref, name, m.rule.from), have.Name.Ref
		f.Next = "do not use it: what was signed for one ref is served as another, and may be an old one"
		return f
	}
	if commit := have.Digest[artifact.GitCommit]; have.Name.Git && commit != "" {
		f.ID = verdict.CommitNotJoined
		f.Found = "commit " + commit + q.remark(name)
		if want := m.want[artifact.GitCommit]; want != "" {
			f.Expected = fmt.Sprintf("commit %s of %s, as step %s says", want, name, m.rule.from)
		}
		f.Next = fmt.Sprintf("build the commit that step %s attested, or have it attest this one", m.rule.from)
	}
	return f
}

// remark explains an artifact that no rule could use.
func (q *queue) remark(name string) string {
	if q.over[name].Asserted {
		return " (only asserted: the signer's certificate does not know it)"
	}
	return ""
}

// describe lists what the statement has, at most a few names.
func (q *queue) describe() string {
	return someOf(q.over.Names(), "no artifact at all")
}
