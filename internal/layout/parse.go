package layout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Parse reads an attestation layout, YAML or JSON, and lints it against now.
// name is what reports call it. A layout is returned only where there is no
// finding; every finding has a line and a column where one exists.
func Parse(name string, data []byte, now time.Time) (*Layout, []verdict.Finding) {
	r := &reader{name: name}
	root, ok := r.document(data)
	if !ok {
		return nil, r.problems
	}
	if finding, ok := otherDialect(r, root); ok {
		return nil, []verdict.Finding{finding}
	}
	l := r.layout(root)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	l.name = name
	if findings := l.lint(r, now); len(findings) > 0 {
		return nil, findings
	}
	return l, nil
}

// otherDialect recognises what is a layout, but not one this function reads.
func otherDialect(r *reader, root *yaml.Node) (verdict.Finding, bool) {
	keys := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		keys[root.Content[i].Value] = true
	}
	var what string
	switch {
	case keys["signed"] && keys["signatures"]:
		what = "a classic in-toto 1.0 metablock"
	case keys["payload"] && keys["payloadType"]:
		what = "a DSSE envelope"
	case keys["mediaType"] && keys["verificationMaterial"]:
		what = "a Sigstore bundle"
	default:
		return verdict.Finding{}, false
	}
	return verdict.Finding{
		ID: verdict.LayoutTooNew, Where: r.where(at(root)),
		Found:    "the file is " + what + ", which this version does not read as a layout",
		Expected: "an attestation layout in YAML or JSON",
		Next:     "use a newer signatus, or hand the layout itself",
	}, true
}

// layout reads the document. Problems are collected in r.
func (r *reader) layout(root *yaml.Node) *Layout {
	f := r.mapping(root, "the layout", "_type", "version", "expires", "parameters", "functionaries", "principals",
		"steps", "subjects", "deny", "gitHash", "verifiedLevels")
	l := &Layout{parameters: map[string]parameter{}}
	if t := r.required(root, f, "_type", "the layout"); t != "" && t != "layout" {
		r.malformed(f["_type"], fmt.Sprintf("_type is %q", t), "layout")
	}
	if node, ok := f["version"]; !ok {
		r.malformed(root, "the layout has no version", "version: 1, raised with every change")
	} else if n, ok := r.integer(node, "version"); ok {
		if l.version = n; n < 1 {
			r.malformed(node, fmt.Sprintf("version is %d", n), "a whole number from 1")
		}
	}
	l.expires = r.instant(root, f)
	if node, ok := f["expires"]; ok {
		l.expiresAt = at(node)
	}
	if text := r.scalar(f["gitHash"], "gitHash"); text != "" {
		if l.gitHash256 = text == "sha256"; !l.gitHash256 {
			r.malformed(f["gitHash"], fmt.Sprintf("gitHash is %q", text), "sha256, or no gitHash to take both kinds of object ids")
		}
	}
	l.levels = r.levels(f["verifiedLevels"], "verifiedLevels")
	r.readParameters(l, f["parameters"])
	for _, item := range r.entries(f["functionaries"], "functionaries") {
		l.functionaries = append(l.functionaries, r.functionary(item))
	}
	r.readPrincipals(l, f["principals"])
	for _, node := range r.sequence(f["steps"], "steps") {
		l.steps = append(l.steps, r.step(node))
	}
	for _, node := range r.sequence(f["subjects"], "subjects") {
		l.subjects = append(l.subjects, r.subject(node))
	}
	for _, node := range r.sequence(f["deny"], "deny") {
		l.deny = append(l.deny, r.denial(node))
	}
	if len(l.steps) > MaxSteps {
		r.malformed(f["steps"], fmt.Sprintf("%d steps", len(l.steps)), fmt.Sprintf("at most %d", MaxSteps))
	}
	return l
}

func (r *reader) instant(root *yaml.Node, f fields) time.Time {
	text := r.required(root, f, "expires", "the layout")
	if text == "" {
		return time.Time{}
	}
	t, ok := parseInstant(text)
	if !ok {
		r.malformed(f["expires"], fmt.Sprintf("expires is %q", text), `an RFC 3339 instant such as "2027-03-01T00:00:00Z"`)
	}
	return t
}

// ReleaseIdentity is the one identity without an issuer: GitHub's release
// attestations, under GitHub's own root. (docs/layout.md, simple mode.)
const ReleaseIdentity = "https://dotcom.releases.github.com"

func (r *reader) fulcio(fn *functionary, val *yaml.Node, what string) {
	f := r.mapping(val, what+"'s keyVal", "root", "issuer", "identity", "extensions")
	fn.root = r.required(val, f, "root", what)
	fn.issuer = r.required(val, f, "issuer", what)
	text := r.required(val, f, "identity", what)
	if hasWildcard(fn.issuer) || strings.ContainsAny(fn.issuer, "{}") {
		r.problem(verdict.GlobMalformed, at(f["issuer"]), says{fmt.Sprintf("%s has the issuer %q", what, fn.issuer), "an exact URL: issuers have no wildcards and no parameters", "write the issuer out"})
	}
	if fn.issuer == NoIssuer {
		if fn.root != "github" || text != ReleaseIdentity {
			r.problem(verdict.FunctionaryInvalid, at(f["issuer"]), says{what + " has no issuer", "an issuer: only " + ReleaseIdentity + " under the root github has none", "name the issuer"})
		}
		fn.issuer = ""
	}
	fn.identity = r.template(f["identity"], text)
	if _, err := identity.ParsePattern(text); err != nil && text != "" {
		r.problem(verdict.GlobMalformed, at(f["identity"]), says{err.Error(), "an exact name, or one whose only wildcard is *", "write the identity segment by segment"})
	}
	for _, item := range r.entries(f["extensions"], what+"'s extensions") {
		fn.extensions = append(fn.extensions, r.extension(item, what))
	}
}

// NoIssuer is the word for a certificate without an issuer extension.
const NoIssuer = "none"

func (r *reader) extension(item namedNode, what string) extensionRule {
	rule := extensionRule{name: identity.Extension(item.name)}
	if !slices.Contains(identity.Names(), rule.name) {
		r.problem(verdict.FunctionaryInvalid, item.at, says{fmt.Sprintf("%s demands the unknown extension %s", what, item.name), "one of " + list(identity.Names()), "check the spelling"})
	}
	values := []string{}
	if item.node.Kind == yaml.ScalarNode {
		values = append(values, r.scalar(item.node, item.name))
	} else {
		values = r.texts(item.node, item.name)
	}
	for _, value := range values {
		if hasWildcard(value) {
			r.problem(verdict.GlobMalformed, at(item.node), says{fmt.Sprintf("extension %s is %q", item.name, value), "an exact value or a list of exact values", "write the values out"})
		}
		rule.values = append(rule.values, r.template(item.node, value))
	}
	if len(rule.values) == 0 || slices.Contains(values, "") {
		r.malformed(item.node, fmt.Sprintf("extension %s has no value", item.name), "at least one exact value")
	}
	return rule
}

func (r *reader) readPrincipals(l *Layout, node *yaml.Node) {
	for _, item := range r.entries(node, "principals") {
		what := "principal " + item.name
		f := r.mapping(item.node, what, "functionaries", "kind", "paths")
		p := &principal{id: item.name, at: item.at}
		switch kind := r.scalar(f["kind"], what+"'s kind"); kind {
		case "workload", "person", kindBot, "": // the first two are for readers: what a workload may say is decided by its certificate
			p.kind = kind
		default:
			r.malformed(f["kind"], fmt.Sprintf("%s has the kind %q", what, kind), "person, workload or bot")
		}
		r.paths(p, item, f["paths"])
		ids := r.texts(f["functionaries"], what+"'s functionaries")
		if len(ids) == 0 {
			r.malformed(item.node, what+" has no functionaries", "at least one")
		}
		for _, id := range ids {
			r.join(l, p, id)
		}
		l.principals = append(l.principals, p)
	}
	for _, fn := range l.functionaries {
		if fn.principal == nil {
			fn.principal = &principal{id: fn.id, at: fn.at, functionaries: []*functionary{fn}, implied: true}
			l.principals = append(l.principals, fn.principal)
		}
	}
}

// join makes the functionary id one of the principal's.
func (r *reader) join(l *Layout, p *principal, id string) {
	i := slices.IndexFunc(l.functionaries, func(fn *functionary) bool { return fn.id == id })
	switch {
	case i < 0:
		r.problem(verdict.UnknownFunctionary, p.at, says{fmt.Sprintf("principal %s lists the functionary %s, which is not defined", p.id, id), "a name under functionaries", "define it or correct the name"})
	case l.functionaries[i].principal != nil:
		r.problem(verdict.SharedIdentity, p.at, says{fmt.Sprintf("functionary %s belongs to the principals %s and %s", id, l.functionaries[i].principal.id, p.id), "one principal", "a signer is one person: list it once"})
	default:
		l.functionaries[i].principal = p
		p.functionaries = append(p.functionaries, l.functionaries[i])
	}
}

func (r *reader) step(node *yaml.Node) *step {
	f := r.mapping(node, "a step", "name", "expectedMaterials", "expectedProducts", "expectedPredicates", "distinctFrom", "joinBy")
	s := &step{at: at(node), name: r.required(node, f, "name", "a step")}
	if s.name != "" && !isID(s.name) {
		r.malformed(f["name"], fmt.Sprintf("a step has the name %q", s.name), "letters, digits, - _ . and @")
	}
	what := "step " + s.name
	s.materials = r.rules(f["expectedMaterials"], what+"'s expectedMaterials")
	s.products = r.rules(f["expectedProducts"], what+"'s expectedProducts")
	s.distinctFrom = r.texts(f["distinctFrom"], what+"'s distinctFrom")
	if s.joinBy = r.scalar(f["joinBy"], "joinBy"); s.joinBy != "" && s.joinBy != joinByTree {
		r.malformed(f["joinBy"], fmt.Sprintf("%s has joinBy %q", what, s.joinBy), "tree, or no joinBy to compare every digest")
	}
	for _, item := range r.sequence(f["expectedPredicates"], what+"'s expectedPredicates") {
		s.entries = append(s.entries, r.entry(item, what))
	}
	return s
}

func (r *reader) rules(node *yaml.Node, what string) ruleList {
	out := ruleList{given: node != nil}
	if node == nil {
		return out
	}
	out.at = at(node)
	for _, item := range r.sequence(node, what) {
		text := r.scalar(item, "a rule of "+what)
		if text == "" {
			r.problem(verdict.RuleMalformed, at(item), says{"an empty rule in " + what, "a rule such as DISALLOW *", "write the rule or remove the item"})
			continue
		}
		rule, err := parseRule(text, at(item))
		if err != nil {
			r.problem(verdict.RuleMalformed, at(item), says{err.Error(), "one of in-toto's artifact rules", "correct the rule; docs/layout.md lists them"})
			continue
		}
		out.rules = append(out.rules, rule)
	}
	return out
}

func (r *reader) entry(node *yaml.Node, what string) *entry {
	what += "'s predicate"
	f := r.mapping(node, what, "predicateType", "anyOf", "functionaries", "threshold", "maxAge", "ageFrom", "expectedAttributes", "vsa", "parameters")
	e := &entry{at: at(node), predicateTypes: r.predicateTypes(node, f, what)}
	e.functionaries = r.texts(f["functionaries"], what+"'s functionaries")
	if threshold, ok := f["threshold"]; !ok {
		r.malformed(node, what+" has no threshold", "threshold: 1 or more")
	} else if n, ok := r.integer(threshold, "threshold"); ok {
		e.threshold = n
	}
	if text := r.scalar(f["maxAge"], "maxAge"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			r.malformed(f["maxAge"], fmt.Sprintf("maxAge is %q", text), "a duration such as 24h")
		}
		e.maxAge = d
	}
	if e.ageFrom = r.scalar(f["ageFrom"], "ageFrom"); e.ageFrom != "" && f["maxAge"] == nil {
		r.malformed(f["ageFrom"], "ageFrom without maxAge", "maxAge beside it")
	}
	e.attributes = r.attributes(f["expectedAttributes"], what)
	e.summary = r.summary(f["vsa"], what)
	r.sublayoutParameters(e, f["parameters"], what)
	return e
}

// predicateTypes reads predicateType, or anyOf with several of them.
func (r *reader) predicateTypes(node *yaml.Node, f fields, what string) []string {
	anyOf, several := f["anyOf"]
	items := []*yaml.Node{node}
	if several {
		if _, both := f["predicateType"]; both {
			r.malformed(anyOf, what+" has predicateType and anyOf", "one of the two")
		}
		items = r.sequence(anyOf, what+"'s anyOf")
	}
	var types []string
	for _, item := range items {
		g := f
		if several {
			g = r.mapping(item, "an item of anyOf", "predicateType")
		}
		t := r.required(item, g, "predicateType", what)
		types = append(types, t)
	}
	if len(types) == 0 {
		r.malformed(node, what+" names no predicate type", "predicateType, or anyOf with at least one")
	}
	return types
}

func (r *reader) subject(node *yaml.Node) subjectRule {
	f := r.mapping(node, "an item of subjects", "subject", "from")
	s := subjectRule{at: at(node), from: r.required(node, f, "from", "an item of subjects")}
	for _, text := range r.texts(f["subject"], "subject") {
		g, err := parseNameGlob(text)
		if err != nil {
			r.problem(verdict.GlobMalformed, at(f["subject"]), says{err.Error(), "in-toto's fnmatch: * ? [x] [!x]", "correct the pattern"})
			continue
		}
		s.patterns = append(s.patterns, g)
	}
	if len(s.patterns) == 0 {
		r.malformed(node, "an item of subjects has no subject", `a list of patterns such as ["*"]`)
	}
	return s
}

func (r *reader) denial(node *yaml.Node) denial {
	f := r.mapping(node, "an item of deny", "digest", "reason")
	d := denial{reason: r.required(node, f, "reason", "an item of deny")}
	if text := r.required(node, f, "digest", "an item of deny"); text != "" {
		set, err := artifact.ParseDigest(text)
		if err != nil {
			r.malformed(f["digest"], err.Error(), "a digest such as sha256:HEX")
		}
		d.digest = set
	}
	return d
}

// template reads a token that may hold parameters.
func (r *reader) template(node *yaml.Node, text string) template {
	t, err := parseTemplate(text)
	if err != nil {
		r.malformed(node, err.Error(), "{parameter} or no brace")
	}
	return t
}

func list[T ~string](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = string(item)
	}
	return strings.Join(words, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
