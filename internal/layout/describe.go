package layout

import (
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/identity"
)

// Description is a layout as it may be shown: every condition that Check holds an
// artifact to, and nothing else. Its texts are those of the layout, with the
// parameters' names in braces; whoever shows them cleans them.
// TestDescribeTellsAll holds that no condition is left out.
type Description struct {
	Name    string    `json:"name"`
	Version int       `json:"version,omitzero"`  // classic layouts have none
	Classic bool      `json:"classic,omitempty"` // of in-toto 1.0
	Expires time.Time `json:"expires"`
	// Source is the git source that steps require, without git+https://; empty
	// where they require none, or several.
	Source     string               `json:"source,omitempty"`
	GitHash    string               `json:"gitHash,omitempty"`
	Parameters []DescribedParameter `json:"parameters"`
	Principals []DescribedPrincipal `json:"principals"`
	Steps      []DescribedStep      `json:"steps"`
	Subjects   []DescribedSubject   `json:"subjects"`
	Denied     []DescribedDenial    `json:"deny"`
	// Inspections are those of a classic layout.
	Inspections []DescribedInspection `json:"inspections,omitempty"`
	// Levels are stated in a verification summary of an artifact that is allowed.
	Levels []string `json:"verifiedLevels,omitempty"`
}

// DescribedParameter is a value that the caller gives.
type DescribedParameter struct {
	Name     string `json:"name"`
	Pattern  string `json:"pattern"` // empty for any text
	Required bool   `json:"required"`
	Map      bool   `json:"map,omitempty"`
	// Attributes: only attributes use it, and say what it means that it is absent.
	Attributes bool `json:"onlyInAttributes,omitempty"`
}

// DescribedPrincipal is somebody who is counted once, and every way in which they
// may sign.
type DescribedPrincipal struct {
	Name          string                 `json:"name"`
	Kind          string                 `json:"kind,omitempty"`
	Paths         []string               `json:"paths,omitempty"` // what a bot may change
	Functionaries []DescribedFunctionary `json:"functionaries"`
}

// DescribedFunctionary is one way to sign: a key, or an identity.
type DescribedFunctionary struct {
	Name       string               `json:"name"`
	Root       string               `json:"root,omitempty"`
	KeyType    string               `json:"keyType,omitempty"`
	Key        string               `json:"key,omitempty"` // its fingerprint
	Issuer     string               `json:"issuer,omitempty"`
	Identity   string               `json:"identity,omitempty"`
	Extensions []DescribedExtension `json:"extensions,omitempty"`
	// Certified is the principal of an SSH certificate, where Key is the authority
	// that must have issued it.
	Certified string `json:"certified,omitempty"`
	// From, Until and DistrustAfter are when the signer counts, by proven time.
	From          time.Time `json:"validFrom,omitzero"`
	Until         time.Time `json:"validUntil,omitzero"`
	DistrustAfter time.Time `json:"distrustAfter,omitzero"`
}

// DescribedExtension is what a certificate must say: one of the values.
type DescribedExtension struct {
	Name   identity.Extension `json:"name"`
	Values []string           `json:"values"`
}

// DescribedStep is one step.
type DescribedStep struct {
	Name         string               `json:"name"`
	About        string               `json:"about"` // what its statements are about, in words
	Predicates   []DescribedPredicate `json:"predicates"`
	Materials    []DescribedRule      `json:"materials,omitempty"`
	Products     []DescribedRule      `json:"products,omitempty"`
	SubjectsOnly bool                 `json:"subjectsOnly"` // its statements have no products: their subjects are the materials
	DistinctFrom []string             `json:"distinctFrom,omitempty"`
	JoinBy       string               `json:"joinBy,omitempty"`
	CountsByTree bool                 `json:"countsByTree,omitzero"`     // joinBy speaks of its threshold
	Command      []string             `json:"expectedCommand,omitempty"` // of a classic layout: a suggestion
}

// DescribedPredicate is one kind of statement that a step needs, from how many of
// whom.
type DescribedPredicate struct {
	Types     []string `json:"types"`
	Threshold int      `json:"threshold"`
	Of        []string `json:"of"`               // principals
	By        []string `json:"by"`               // their functionaries that count here
	MaxAge    string   `json:"maxAge,omitempty"` // for example 24h or 1h30m
	AgeFrom   string   `json:"ageFrom,omitempty"`
	// Attributes are rules in CEL that must be true.
	Attributes []string `json:"attributes,omitempty"`
	// Parameters are what a sublayout is given, by name.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Summary is what a verification summary must say.
	Summary *DescribedSummary `json:"vsa,omitempty"`
}

// DescribedSummary is what a verification summary must say to count.
type DescribedSummary struct {
	ResourceURI string            `json:"resourceUri"`
	Policy      map[string]string `json:"policy"`
	VerifierID  string            `json:"verifierId,omitempty"`
	Levels      []string          `json:"verifiedLevels,omitempty"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	Relaxations []string          `json:"relaxations,omitempty"`
}

// DescribedRule is one artifact rule, with its tokens.
type DescribedRule struct {
	Text         string `json:"text"`
	Kind         string `json:"kind"`
	Pattern      string `json:"pattern"`
	SourcePrefix string `json:"in,omitempty"`
	From         string `json:"from,omitempty"`
	FromProducts bool   `json:"fromProducts,omitempty"`
	FromPrefix   string `json:"fromIn,omitempty"`
}

// DescribedInspection is a command that a classic layout wants run.
type DescribedInspection struct {
	Name      string          `json:"name"`
	Run       []string        `json:"run"`
	Materials []DescribedRule `json:"materials"`
	Products  []DescribedRule `json:"products"`
}

// DescribedSubject says which step makes the artifacts of these names.
type DescribedSubject struct {
	Patterns []string `json:"subject"`
	From     string   `json:"from"`
	// Steps are those that such an artifact needs: that step, and all that MATCH rules
	// connect with it.
	Steps []string `json:"steps"`
}

// DescribedDenial is an artifact that is denied whoever signed it.
type DescribedDenial struct {
	Digest string `json:"digest"`
	Reason string `json:"reason"`
}

// Describe tells what the layout demands.
func (l *Layout) Describe() Description {
	d := Description{
		Name: l.name, Version: l.version, Expires: l.expires.UTC(), Source: l.source(),
		Parameters: []DescribedParameter{}, Principals: []DescribedPrincipal{}, Steps: []DescribedStep{},
		Subjects: []DescribedSubject{}, Denied: []DescribedDenial{}, Levels: l.levels,
	}
	if l.gitHash256 {
		d.GitHash = "sha256"
	}
	used := l.usedParameters()
	for _, name := range sortedKeys(l.parameters) {
		p := l.parameters[name]
		d.Parameters = append(d.Parameters, DescribedParameter{
			Name: name, Pattern: p.pattern.String(), Required: p.required, Map: p.family, Attributes: !used[name],
		})
	}
	for _, p := range l.principals {
		d.Principals = append(d.Principals, p.describe())
	}
	for _, s := range l.steps {
		d.Steps = append(d.Steps, l.describeStep(s))
	}
	for _, s := range l.subjects {
		subject := DescribedSubject{From: s.from, Steps: l.connected(s.from)}
		for _, g := range s.patterns {
			subject.Patterns = append(subject.Patterns, g.text)
		}
		d.Subjects = append(d.Subjects, subject)
	}
	for _, denied := range l.deny {
		d.Denied = append(d.Denied, DescribedDenial{Digest: denied.digest.String(), Reason: denied.reason})
	}
	return d
}

// connected lists the steps that MATCH rules connect with one, as Check does.
func (l *Layout) connected(name string) []string {
	found := map[string]bool{name: true}
	for changed := true; changed; {
		changed = false
		for _, s := range l.steps {
			for _, source := range s.sources() {
				if found[s.name] != found[source] {
					found[s.name], found[source], changed = true, true, true
				}
			}
		}
	}
	return slices.DeleteFunc(l.StepNames(), func(step string) bool { return !found[step] })
}

func (p *principal) describe() DescribedPrincipal {
	d := DescribedPrincipal{Name: p.id, Kind: p.kind}
	for _, g := range p.paths {
		d.Paths = append(d.Paths, g.text)
	}
	for _, f := range p.functionaries {
		d.Functionaries = append(d.Functionaries, f.describe())
	}
	return d
}

func (f *functionary) describe() DescribedFunctionary {
	d := DescribedFunctionary{
		Name: f.id, Root: f.root, From: f.validity.start, Until: f.validity.end, DistrustAfter: f.distrust,
		Certified: strings.Join(f.certified, ", "),
	}
	if f.keyed {
		d.KeyType, d.Key = f.key.Type(), f.key.Signer().Key
		return d
	}
	d.Identity, d.Issuer = f.identity.text, f.issuer
	for _, e := range f.extensions {
		extension := DescribedExtension{Name: e.name}
		for _, v := range e.values {
			extension.Values = append(extension.Values, v.text)
		}
		d.Extensions = append(d.Extensions, extension)
	}
	return d
}

func (l *Layout) describeStep(s *step) DescribedStep {
	d := DescribedStep{
		Name: s.name, About: l.about(s), DistinctFrom: s.distinctFrom, JoinBy: s.joinBy, CountsByTree: s.joinBy != "" && s.countsByTree(),
		Materials: describeRules(s.materials), Products: describeRules(s.products),
		SubjectsOnly: !slices.ContainsFunc(s.entries, (*entry).hasProducts),
	}
	for _, e := range s.entries {
		d.Predicates = append(d.Predicates, e.describe())
	}
	return d
}

func (e *entry) describe() DescribedPredicate {
	d := DescribedPredicate{Types: e.predicateTypes, Threshold: e.threshold, AgeFrom: e.ageFrom}
	if e.maxAge > 0 {
		d.MaxAge = shortDuration(e.maxAge)
	}
	if e.sublayout != nil {
		d.Parameters = map[string]string{}
		for name, t := range e.sublayout.parameters {
			d.Parameters[name] = t.text
		}
	}
	for _, a := range e.attributes {
		d.Attributes = append(d.Attributes, a.Text())
	}
	d.Summary = e.summary.describe()
	for _, f := range e.allowed {
		d.By = append(d.By, f.id)
		if !slices.Contains(d.Of, f.principal.id) {
			d.Of = append(d.Of, f.principal.id)
		}
	}
	return d
}

// shortDuration writes 24h in place of 24h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func describeRules(rules ruleList) []DescribedRule {
	var out []DescribedRule
	for _, r := range rules.rules {
		out = append(out, DescribedRule{
			Text: r.text, Kind: string(r.kind), Pattern: r.pattern.text, SourcePrefix: r.sourcePrefix.text,
			From: r.from, FromProducts: r.withProducts, FromPrefix: r.destPrefix.text,
		})
	}
	return out
}

// source is the one git source that the steps require.
func (l *Layout) source() string {
	var found []string
	for _, s := range l.steps {
		for _, r := range slices.Concat(s.materials.rules, s.products.rules) {
			if name := r.pattern.text; r.kind == requireRule && isGitPattern(name) && !slices.Contains(found, normalised(name)) {
				found = append(found, normalised(name))
			}
		}
	}
	if len(found) != 1 {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(found[0], "git+"), "https://")
}

// What a step's statements can be about.
const (
	aboutArtifact = "the artifact"
	aboutCommit   = "the commit"
)

// about says in words what the statements of a step are about: the artifact in
// hand, the commit, or what another step has.
func (l *Layout) about(s *step) string {
	for _, subject := range l.subjects {
		if subject.from == s.name {
			return aboutArtifact
		}
	}
	rules := s.products
	if !slices.ContainsFunc(s.entries, (*entry).hasProducts) {
		rules = s.materials // their subjects
	}
	from := ""
	for _, r := range rules.rules {
		switch {
		case r.kind == requireRule && isGitPattern(r.pattern.text):
			return aboutCommit
		case r.kind == matchRule && from == "":
			from = r.from
		}
	}
	for _, subject := range l.subjects {
		if subject.from == from {
			return aboutArtifact
		}
	}
	if from != "" {
		return "what step " + from + " has"
	}
	return "what it makes"
}
