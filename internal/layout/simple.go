package layout

import (
	"fmt"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

// SimpleOptions are what the caller says in place of a layout.
type SimpleOptions struct {
	// Identity and Issuer are exact; both must be set where Key is not.
	Identity, Issuer string
	// Key is a public key; with it Identity and Issuer stay empty.
	Key *attestation.Key
	// Allowed are lines of an allowed signers file of SSH that are for git, in place of
	// one key.
	Allowed []sshsig.Allowed
	// KeyRoot names the root that a key's bundle must verify under; empty asks
	// for the signature only.
	KeyRoot string
	// Roots are the names of the trusted roots in use, at least one for an
	// identity.
	Roots []string
	// PredicateType is the one type that counts. Empty means SLSA provenance, message
	// signatures and a git object's own signature, and nothing else.
	PredicateType string
	// AnyPredicate takes every type and reads no predicate. Only the conformance
	// verb sets it, whose protocol asks about signature, signer and digest.
	AnyPredicate bool
}

// Simple builds a layout of one step in memory: simple mode has no second path.
// (docs/layout.md, simple mode.)
func Simple(o SimpleOptions) (*Layout, error) {
	keyed := o.Key != nil || len(o.Allowed) > 0
	if keyed == (o.Identity != "") || (o.Identity == "") != (o.Issuer == "") || o.Key != nil && len(o.Allowed) > 0 {
		return nil, fmt.Errorf("building a layout: an identity and its issuer, or a key, say who must have signed")
	}
	who := &principal{id: "signer", unnamed: true}
	l := &Layout{name: "identity", version: 1, principals: []*principal{who}, simple: true, anyPredicate: o.AnyPredicate}
	if o.Key != nil {
		l.name = "key"
		l.functionaries = []*functionary{{id: "signer-key", keyed: true, key: *o.Key, root: o.KeyRoot}}
	}
	if len(o.Allowed) > 0 {
		l.name = "allowed signers"
		var err error
		if l.functionaries, err = allowedFunctionaries(o.Allowed); err != nil {
			return nil, err
		}
	}
	for _, root := range o.Roots {
		if keyed {
			break
		}
		f, err := simpleFunctionary(o, root)
		if err != nil {
			return nil, err
		}
		if f != nil {
			l.functionaries = append(l.functionaries, f)
		}
	}
	if len(l.functionaries) == 0 {
		return nil, fmt.Errorf("building a layout: no trusted root that %s could have signed under", o.Identity)
	}
	for _, f := range l.functionaries {
		f.principal = who
	}
	who.functionaries = l.functionaries
	e := &entry{allowed: l.functionaries, threshold: 1}
	switch {
	case o.AnyPredicate:
		e.message = true
	case o.PredicateType != "":
		e.predicateTypes = []string{o.PredicateType}
	default:
		e.predicateTypes, e.message = []string{provenance.V1, provenance.V02, attestation.GitCommitPredicate, attestation.GitTagPredicate}, true
	}
	everything := []rule{
		{kind: allowRule, text: "ALLOW *", pattern: star()},
		{kind: disallowRule, text: "DISALLOW *", pattern: star()},
	}
	const name = "signature"
	l.steps = []*step{{
		name: name, entries: []*entry{e},
		materials: ruleList{rules: everything, given: true},
		products:  ruleList{rules: everything, given: true},
	}}
	g, err := parseGlob("*")
	if err != nil {
		return nil, err
	}
	l.subjects = []subjectRule{{patterns: []glob{g}, from: name}}
	return l, nil
}

// allowedFunctionaries makes a functionary of each line.
func allowedFunctionaries(lines []sshsig.Allowed) ([]*functionary, error) {
	var all []*functionary
	for _, line := range lines {
		f := &functionary{
			id: fmt.Sprintf("line-%d", line.Line), keyed: true, certified: line.Principals, lenient: true,
			validity: window{start: line.After, end: line.Before},
		}
		parse := attestation.ParseKey
		if line.Authority {
			parse = attestation.ParseAuthority
		}
		var err error
		if f.key, err = parse([]byte(line.Key.Line())); err != nil {
			return nil, fmt.Errorf("building a layout: line %d: %w", line.Line, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// simpleFunctionary makes the functionary for one root. The issuer "none" exists
// for GitHub's release attestations alone.
func simpleFunctionary(o SimpleOptions, root string) (*functionary, error) {
	if hasWildcard(o.Identity) || hasWildcard(o.Issuer) {
		return nil, fmt.Errorf("the identity %q and the issuer %q are exact here: patterns belong in a layout", o.Identity, o.Issuer)
	}
	f := &functionary{id: "signer-" + root, root: root, issuer: o.Issuer}
	if o.Issuer == NoIssuer {
		if o.Identity != ReleaseIdentity {
			return nil, fmt.Errorf("the issuer none is for %s alone", ReleaseIdentity)
		}
		if root != "github" {
			return nil, nil
		}
		f.issuer = ""
	}
	if _, err := identity.ParsePattern(o.Identity); err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	f.identity = template{text: o.Identity, parts: []templatePart{{literal: o.Identity}}}
	return f, nil
}

// star is the pattern "*".
func star() template { return template{text: "*", parts: []templatePart{{literal: "*"}}} }
