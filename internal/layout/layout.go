// Package layout checks attestations against an in-toto layout: which steps
// there must be, who may speak for each, how many of them, and how the steps'
// materials and products join. It reads no file, opens no connection and knows
// no time but the one it is given.
//
// A layout is read by Parse, completed by Bind with the caller's parameters and
// judged by Check. Each artifact is decided alone: one assignment of statements
// to steps must satisfy the whole layout at once.
package layout

import (
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attribute"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

// Bounds of a layout. Each has a test.
const (
	MaxBytes        = 4 << 20
	MaxDepth        = 64
	MaxNodes        = 200_000
	MaxSteps        = 1024
	MaxAttributes   = 1024
	MaxExpiryPeriod = 2 * 365 * 24 * time.Hour
)

// Layout is an attestation layout as it was written, before parameters. Only
// Parse and Simple make one; the zero value has no step and allows nothing.
type Layout struct {
	name       string
	version    int
	expires    time.Time // zero only in simple mode, which ends with the command
	expiresAt  position
	gitHash256 bool // gitHash: sha256
	parameters map[string]parameter
	// functionaries and principals keep the document's order, so that what a
	// report lists first is what the author wrote first.
	functionaries []*functionary
	principals    []*principal
	steps         []*step
	subjects      []subjectRule
	deny          []denial
	levels        []string // verifiedLevels, for a summary of the verdict
	// simple marks a layout that was built from flags.
	simple bool
	// anyPredicate is set by the conformance verb alone: the statement's predicate
	// is not read, only its subjects are.
	anyPredicate bool
}

// Name returns what the caller named the layout.
func (l *Layout) Name() string { return l.name }

// Version returns the layout's own version, for rollback floors.
func (l *Layout) Version() int { return l.version }

// Expires returns when the layout ends; zero for a layout built in memory.
func (l *Layout) Expires() time.Time { return l.expires }

// StepNames lists the steps in the layout's order.
func (l *Layout) StepNames() []string {
	names := make([]string, len(l.steps))
	for i, s := range l.steps {
		names[i] = s.name
	}
	return names
}

// Roots lists the trusted roots that functionaries name, in order of appearance.
func (l *Layout) Roots() []string {
	var names []string
	seen := map[string]bool{}
	for _, f := range l.functionaries {
		if f.root != "" && !seen[f.root] {
			seen[f.root] = true
			names = append(names, f.root)
		}
	}
	return names
}

// KeyDemand is a public key that some functionary signs with, and the root its
// bundles must verify under; an empty root asks for the signature only.
type KeyDemand struct {
	Key  attestation.Key
	Root string
}

// Keys lists the public keys of the layout.
func (l *Layout) Keys() []KeyDemand {
	var keys []KeyDemand
	for _, f := range l.functionaries {
		if f.keyed {
			keys = append(keys, KeyDemand{Key: f.key, Root: f.root})
		}
	}
	return keys
}

// DigestAlgorithms lists the algorithms of the deny list, so that the caller
// can hash the artifact in each of them.
func (l *Layout) DigestAlgorithms() []artifact.Algorithm {
	var algs []artifact.Algorithm
	for _, d := range l.deny {
		algs = append(algs, d.digest.Algorithms()...)
	}
	return algs
}

// parameter is a value that the caller gives. One that rules or functionaries
// use always needs one; one that only attributes use may be absent, and they say
// what that means.
type parameter struct {
	at       position
	pattern  identity.Pattern
	required bool
	// family: NAME.KEY gives one of many values under the one name.
	family bool
	// anyText: in place of a pattern, for what only attributes use.
	anyText bool
}

// functionary is one way to sign: a Fulcio identity under a root, or a key.
type functionary struct {
	id    string
	at    position
	root  string // name of a trusted root; may be empty for a key
	keyed bool
	key   attestation.Key

	issuer     string // exact; empty where issuer is "none"
	identity   template
	extensions []extensionRule

	// certified are the principals that an SSH certificate must be for, where key is
	// the authority that issues it.
	certified sshsig.Patterns
	validity  window
	distrust  time.Time // what was signed later does not count; zero for never
	// lenient marks a line of an allowed signers file: without a proven time its
	// window is held against the present, as ssh-keygen does.
	lenient bool

	principal *principal
	bound     identity.Pattern // identity with its parameters filled
}

// extensionRule demands one of several exact values for one extension.
type extensionRule struct {
	name   identity.Extension
	values []template
	bound  []string
}

// principal is who is counted: a person or a workload with one or more
// functionaries. A functionary that no principal lists is its own.
type principal struct {
	id            string
	at            position
	functionaries []*functionary
	kind          string // person, workload, bot or nothing
	paths         []glob // what a bot may change
	implied       bool
	unnamed       bool // simple mode knows nobody by name
	// same points to another principal that turned out to be the same signer.
	same *principal
}

type step struct {
	name         string
	at           position
	materials    ruleList
	products     ruleList
	entries      []*entry
	distinctFrom []string
	joinBy       string // tree, or empty to join by all digests
}

// ruleList is a rule list with where it stands; given tells an empty list from
// one that is missing.
type ruleList struct {
	rules []rule
	at    position
	given bool
}

// entry is one item of expectedPredicates.
type entry struct {
	at             position
	predicateTypes []string // one, but for simple mode
	message        bool     // simple mode: a messageSignature counts
	functionaries  []string
	allowed        []*functionary
	threshold      int
	maxAge         time.Duration
	ageFrom        string
	attributes     []expectedAttribute
	sublayout      *sublayoutDemand // for predicateType: layout
	summary        *summaryDemand   // on verification summaries; nil for none
}

// expectedAttribute is one rule of expectedAttributes, with where it stands.
type expectedAttribute struct {
	*attribute.Rule
	at textPosition
}

type subjectRule struct {
	patterns []glob
	from     string
	at       position
}

type denial struct {
	digest artifact.DigestSet
	reason string
}

// hasStep reports whether a step has the name.
func (l *Layout) hasStep(name string) bool {
	return slices.ContainsFunc(l.steps, func(s *step) bool { return s.name == name })
}

// hasProducts reports whether statements of this type have materials and
// products; all others speak of their subjects as materials.
func (e *entry) hasProducts() bool {
	if e.message {
		return true
	}
	for _, t := range e.predicateTypes {
		if hasProducts(t) {
			return true
		}
	}
	return false
}
