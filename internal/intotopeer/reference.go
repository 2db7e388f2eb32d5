package intotopeer

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Deviation is one way in which in-toto-golang 0.11.0 departs from the
// specification's account of artifact rules.
type Deviation string

// The deviations. Each has the line of the peer's in_toto/verifylib.go that makes
// it, and its row in the tests' table says which sentence it goes against.
const (
	// PrefixIsOptional: strings.TrimPrefix leaves an artifact outside of the
	// source prefix as it is, and it is matched all the same.
	PrefixIsOptional Deviation = "prefix-is-optional"
	// NamesAreCleaned: path.Clean over the names in the queue and over patterns,
	// so that ./foo is foo and an empty pattern is ".". MATCH cleans the names in
	// the links themselves, where one spelling then hides the other.
	NamesAreCleaned Deviation = "names-are-cleaned"
	// BrokenGlobsMatchNothing: a pattern that cannot be read prints a warning.
	BrokenGlobsMatchNothing Deviation = "broken-globs-match-nothing"
	// AnyDestinationType: "WITH anything" is read, and finds nothing.
	AnyDestinationType Deviation = "any-destination-type"
)

// Deviations lists them all.
func Deviations() []Deviation {
	return []Deviation{PrefixIsOptional, NamesAreCleaned, BrokenGlobsMatchNothing, AnyDestinationType}
}

// Artifacts are materials or products: names, and digests by algorithm.
type Artifacts map[string]map[string]string

// Item is a step or an inspection with what was recorded of it.
type Item struct {
	Name                                string
	ExpectedMaterials, ExpectedProducts [][]string
	Materials, Products                 Artifacts
}

// Rules applies the artifact rules of all items, as the specification has them
// but for the deviations. It is written for the comparison a second time, for
// clearness and not for speed, and shares nothing with the product.
func Rules(items []Item, deviations ...Deviation) error {
	r := reference{deviations: deviations, items: map[string]Item{}}
	for _, item := range items {
		item.Materials, item.Products = maps.Clone(item.Materials), maps.Clone(item.Products)
		r.items[item.Name] = item
	}
	for _, item := range items {
		if err := r.list(r.items[item.Name], "materials", item.ExpectedMaterials); err != nil {
			return err
		}
		if err := r.list(r.items[item.Name], "products", item.ExpectedProducts); err != nil {
			return err
		}
	}
	return nil
}

type reference struct {
	items      map[string]Item
	deviations []Deviation
}

func (r reference) has(d Deviation) bool { return slices.Contains(r.deviations, d) }

// list applies one rule list.
//
// "Artifact rules ... are applied sequentially on a queue of materials or products
// ... This means if an artifact is successfully consumed by a rule, it is removed
// from the queue and cannot be consumed by subsequent rules." (4.3.3.1)
func (r reference) list(item Item, kind string, rules [][]string) error {
	queue := map[string]bool{}
	for name := range item.of(kind) {
		queue[r.clean(name)] = true
	}
	for _, words := range rules {
		rule, err := r.parse(words)
		if err != nil {
			return err
		}
		consumed, err := r.apply(item, kind, rule, queue)
		if err != nil {
			return fmt.Errorf("%s %s, rule %q: %w", item.Name, kind, words, err)
		}
		for _, name := range consumed {
			delete(queue, name)
		}
	}
	return nil
}

func (i Item) of(kind string) Artifacts {
	if kind == "materials" {
		return i.Materials
	}
	return i.Products
}

func (r reference) clean(name string) string {
	if r.has(NamesAreCleaned) {
		return path.Clean(name)
	}
	return name
}

// rule is one rule in its parts.
type rule struct {
	kind, pattern                              string
	sourcePrefix, destinationPrefix, from, kin string
}

// parse reads a rule.
//
// "MATCH <pattern> [IN <source-path-prefix>] WITH (MATERIALS|PRODUCTS)
// [IN <destination-path-prefix>] FROM <step>" (4.3.3)
func (r reference) parse(words []string) (rule, error) {
	bad := fmt.Errorf("malformed rule %q", words)
	if len(words) < 2 {
		return rule{}, bad
	}
	parsed := rule{kind: strings.ToLower(words[0]), pattern: words[1]}
	if parsed.kind != "match" {
		if len(words) != 2 || !slices.Contains([]string{"create", "delete", "modify", "allow", "disallow", "require"}, parsed.kind) {
			return rule{}, bad
		}
		return parsed, nil
	}
	rest := words[2:]
	rest, parsed.sourcePrefix = option(rest, "in")
	rest, parsed.kin = option(rest, "with")
	parsed.kin = strings.ToLower(parsed.kin)
	rest, parsed.destinationPrefix = option(rest, "in")
	rest, parsed.from = option(rest, "from")
	known := parsed.kin == "materials" || parsed.kin == "products" || r.has(AnyDestinationType)
	if len(rest) > 0 || parsed.from == "" || !known {
		return rule{}, bad
	}
	return parsed, nil
}

func option(words []string, keyword string) (rest []string, value string) {
	if len(words) > 1 && strings.EqualFold(words[0], keyword) {
		return words[2:], words[1]
	}
	return words, ""
}

// apply returns what a rule consumes, or why it fails.
func (r reference) apply(item Item, kind string, rule rule, queue map[string]bool) (consumed []string, err error) {
	if rule.kind == "require" {
		if !queue[rule.pattern] {
			return nil, fmt.Errorf("%s is not there", rule.pattern)
		}
		return nil, nil
	}
	if rule.kind == "match" {
		return r.match(item.of(kind), rule, queue)
	}
	for name := range queue {
		matches, err := r.glob(r.clean(rule.pattern), name)
		if err != nil {
			return nil, err
		}
		if matches && r.covers(item, kind, rule.kind, name) {
			consumed = append(consumed, name)
		}
	}
	if rule.kind == "disallow" && len(consumed) > 0 {
		return nil, fmt.Errorf("%s is left", consumed)
	}
	return consumed, nil
}

// covers tells whether a rule of a kind speaks of an artifact that its pattern
// matches.
//
// "CREATE: indicates that products matched by the pattern must not appear as
// materials of this step. DELETE: ... materials matched by the pattern must not
// appear as products ... MODIFY: ... products matched by this pattern must appear
// as materials of this step, and their hashes must not be the same." (4.3.3)
func (r reference) covers(item Item, kind, rule, name string) bool {
	_, before := r.cleaned(item.Materials)[name]
	_, after := r.cleaned(item.Products)[name]
	switch rule {
	case "create":
		return kind == "products" && !before
	case "delete":
		return kind == "materials" && !after
	case "modify":
		// The peer looks the cleaned name up among the names as they are.
		return before && after && !maps.Equal(item.Materials[name], item.Products[name])
	}
	return true
}

func (r reference) cleaned(artifacts Artifacts) Artifacts {
	all := Artifacts{}
	for name, digests := range artifacts {
		all[r.clean(name)] = digests
	}
	return all
}

// match returns what MATCH consumes.
//
// "artifacts filtered in using source-path-prefix/pattern must be matched to a
// MATERIAL or PRODUCT from a destination step with the
// destination-path-prefix/pattern filter" (4.3.3)
func (r reference) match(artifacts Artifacts, rule rule, queue map[string]bool) (consumed []string, err error) {
	destination, ok := r.items[rule.from]
	if !ok {
		return nil, nil
	}
	var theirs Artifacts
	if rule.kin == "materials" || rule.kin == "products" {
		theirs = destination.of(rule.kin)
	}
	if r.has(NamesAreCleaned) {
		cleanInPlace(artifacts)
		cleanInPlace(theirs)
		if rule.pattern != "" {
			rule.pattern = path.Clean(rule.pattern)
		}
	}
	source, target := prefix(rule.sourcePrefix), prefix(rule.destinationPrefix)
	for name := range queue {
		base, under := strings.CutPrefix(name, source)
		if !under && !r.has(PrefixIsOptional) {
			continue
		}
		matches, err := r.glob(rule.pattern, base)
		if err != nil {
			return nil, err
		}
		other, there := theirs[target+base]
		if matches && there && maps.Equal(artifacts[name], other) {
			consumed = append(consumed, name)
		}
	}
	return consumed, nil
}

func prefix(p string) string {
	if p == "" {
		return ""
	}
	return strings.TrimSuffix(path.Clean(p), "/") + "/"
}

// cleanInPlace renames as the peer does: what is already there under the clean
// name is lost.
func cleanInPlace(artifacts Artifacts) {
	for _, name := range slices.Sorted(maps.Keys(artifacts)) {
		if clean := path.Clean(name); clean != name {
			artifacts[clean] = artifacts[name]
			delete(artifacts, name)
		}
	}
}

// glob matches as Python's fnmatch does over the whole name, which is what
// "bash-style wildcards" (4.3.3) means in the reference implementation: * and ?
// match a slash too, [!x] negates, and what cannot be a set is taken as it stands.
func (r reference) glob(pattern, name string) (bool, error) {
	if brokenGlob(pattern) {
		if r.has(BrokenGlobsMatchNothing) {
			return false, nil
		}
		return false, fmt.Errorf("the pattern %q cannot be read", pattern)
	}
	return globMatch([]rune(pattern), []rune(name)), nil
}

func globMatch(pattern, name []rune) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	switch pattern[0] {
	case '*':
		return globMatch(pattern[1:], name) || len(name) > 0 && globMatch(pattern, name[1:])
	case '?':
		return len(name) > 0 && globMatch(pattern[1:], name[1:])
	case '[':
		end := setEnd(pattern)
		return len(name) > 0 && inSet(pattern[1:end], name[0]) && globMatch(pattern[end+1:], name[1:])
	}
	return len(name) > 0 && pattern[0] == name[0] && globMatch(pattern[1:], name[1:])
}

// brokenGlob tells whether a pattern has a set without an end, or an empty or
// reversed one, or a backslash.
func brokenGlob(pattern string) bool {
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch runes[i] {
		case '\\':
			return true
		case '[':
			end := setEnd(runes[i:])
			if end < 0 {
				return true
			}
			i += end
		}
	}
	return false
}

// setEnd is where the set ends that a pattern begins with; negative if nowhere.
func setEnd(pattern []rune) int {
	start := 1
	if len(pattern) > 1 && pattern[1] == '!' {
		start = 2
	}
	for end := start; end < len(pattern); end++ {
		if pattern[end] == ']' {
			if end == start {
				return -1
			}
			return end
		}
	}
	return -1
}

func inSet(set []rune, r rune) bool {
	negated := set[0] == '!'
	if negated {
		set = set[1:]
	}
	in := false
	for i := 0; i < len(set); i++ {
		low, high := set[i], set[i]
		if i+2 < len(set) && set[i+1] == '-' {
			high, i = set[i+2], i+2
		}
		in = in || low <= r && r <= high
	}
	return in != negated
}
