package layout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Suggestion says what was signed, and by whom.
type Suggestion struct {
	// Signer must be set, as the verified bundle has it: a certificate's identity,
	// or a key.
	Signer identity.Signer
	// Key is the public key in PEM, where Signer is one; it must be that key.
	Key []byte
	// Root names the trusted root under which the bundle verified, for example
	// "sigstore". It may be empty for a key alone.
	Root string
	// PredicateType must be set; a message signature has none and no layout.
	PredicateType string
	// Step is the step's name: a link's own one, which must be set. For all else
	// empty means "build".
	Step string
	// Subjects are those of the statement, from 1 to artifact.MaxSubjects. Each has
	// a digest of an accepted algorithm.
	Subjects []artifact.Subject
	// Materials are a link's or a provenance's, without the source that a job's
	// certificate proves. A link may then have these and no others.
	Materials []artifact.Subject
	// Expires is when the layout ends, cut to whole seconds: after Now, and at most
	// two years after it.
	Expires time.Time
	// Now is the instant by which the layout is linted; it must be set.
	Now time.Time
	// Verify is a command that uses the layout, for the head of the file; empty for
	// none. It is one line that can be shown.
	Verify string
	// Comment are lines for the head of the file, without line breaks, characters
	// that cannot be seen, or the "#".
	Comment []string
}

// Suggest writes the layout that allows what was signed, by this signer and nobody
// else: this signer in every field that says who may sign, this predicate type, these
// names. The digests and the commit are not in it. It is the statement that binds
// those, and a layout with them would be about one release.
//
// The result is YAML as a person writes it, and has been read again: it parses,
// lints clean, and its rules allow the statement. It is an error where that cannot
// be had: a name or an identity that a layout cannot write exactly, a source that
// the certificate does not prove, an expiry that is past or too far.
func Suggest(s Suggestion) ([]byte, error) {
	text, err := s.write()
	if err != nil {
		return nil, fmt.Errorf("suggesting a layout: %w", err)
	}
	return text, nil
}

func (s Suggestion) write() ([]byte, error) {
	if s.Step == "" && s.PredicateType != LinkV03 {
		s.Step = "build"
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	d := &draft{Suggestion: s}
	if err := d.readSigner(); err != nil {
		return nil, err
	}
	if err := d.readStatement(); err != nil {
		return nil, err
	}
	d.head()
	d.functionary()
	d.step()
	d.subjectList()
	text := []byte(d.text.String())
	if err := d.readAgain(text); err != nil {
		return nil, err
	}
	return text, nil
}

// check refuses what no later look would, or would in other words.
func (s Suggestion) check() error {
	switch {
	case s.Now.IsZero():
		return errors.New("no time to lint it by")
	case !s.Now.Before(s.Expires.Truncate(time.Second)): // the zero time is no expiry to Parse
		return fmt.Errorf("it would end on %s and be expired", s.Expires.UTC().Format(time.RFC3339))
	case s.Signer.IsZero():
		return errors.New("it was signed by nobody")
	case s.PredicateType == "":
		return errors.New("a statement without a predicate type belongs to no step")
	case !utf8.ValidString(s.PredicateType) || !utf8.ValidString(s.Root):
		return fmt.Errorf("the predicate type %q or the root %q is not UTF-8", s.PredicateType, s.Root)
	case s.Step == "":
		return errors.New("the link names no step")
	case !isID(s.Step):
		return fmt.Errorf("the step's name %q cannot stand in a layout, expected letters, digits, - _ . and @", s.Step)
	}
	for _, line := range append([]string{s.Verify}, s.Comment...) {
		if !utf8.ValidString(line) || strings.ContainsFunc(line, hidden) {
			return fmt.Errorf("the comment %q holds a line break or a character that cannot be seen", line)
		}
	}
	return artifact.CheckSubjects(s.Subjects)
}

// draft is a layout on its way to being written.
type draft struct {
	Suggestion
	key    attestation.Key // where the signer is one
	source string          // the rule name of a job's own source; empty for none
	claims *claims         // what the statement says, as Check will read it
	// names are the subjects' globs, each of one name; materials and products are
	// the step's rules.
	names, materials, products []string
	text                       strings.Builder
}

// readSigner checks that the signer can be written exactly.
func (d *draft) readSigner() error {
	if d.Signer.Key != "" {
		key, err := attestation.ParseKey(d.Key)
		if err != nil {
			return err
		}
		if !key.Signer().Equal(d.Signer) {
			return fmt.Errorf("the public key is %s, and %s signed", key.Signer(), d.Signer)
		}
		d.key = key
		return nil
	}
	if d.Signer.Issuer == NoIssuer {
		return fmt.Errorf("the issuer %q would be read as no issuer at all", NoIssuer)
	}
	if err := exact("identity", d.Signer.SAN); err != nil {
		return err
	}
	if err := exact("issuer", d.Signer.Issuer); err != nil {
		return err
	}
	for _, e := range d.pinned() {
		if err := exact(string(e), d.Signer.Extensions[e]); err != nil {
			return err
		}
	}
	if !d.Signer.IsWorkload() {
		return nil
	}
	own, known := ownSource(d.Signer)
	if !known {
		return errors.New("the job's certificate proves no source, so that whoever can call its workflow would be allowed: write the layout by hand")
	}
	d.source = own.Name.Text
	return nil
}

// exact refuses a text that a layout reads as a pattern or a parameter.
func exact(what, text string) error {
	if hasWildcard(text) || strings.ContainsAny(text, "{}") || !utf8.ValidString(text) {
		return fmt.Errorf("the %s %q holds one of * ? [ ] \\ { } or is not UTF-8: a layout cannot name it exactly", what, text)
	}
	return nil
}

// pinned lists the extensions of a job's certificate that say who may sign, by
// their present names or, in an older certificate, by those that it has. What is
// left out names one commit or one run, or repeats the identity.
func (d *draft) pinned() []identity.Extension {
	if !d.Signer.IsWorkload() {
		return nil
	}
	var out []identity.Extension
	for _, spellings := range [][]identity.Extension{
		{identity.SourceRepositoryURI, identity.GitHubWorkflowRepository},
		{identity.SourceRepositoryIdentifier},
		{identity.SourceRepositoryOwnerIdentifier},
		{identity.SourceRepositoryRef, identity.GitHubWorkflowRef},
		{identity.BuildConfigURI},
		{identity.BuildTrigger, identity.GitHubWorkflowTrigger},
		{identity.RunnerEnvironment},
		{identity.DeploymentEnvironment},
	} {
		held := func(e identity.Extension) bool { return d.Signer.Extensions[e] != "" }
		if i := slices.IndexFunc(spellings, held); i >= 0 {
			out = append(out, spellings[i])
		}
	}
	return out
}

// readStatement reads what was signed as readClaims will, and makes the rules.
func (d *draft) readStatement() error {
	subjects, names, err := setOf(d.Subjects)
	if err != nil {
		return fmt.Errorf("reading the subjects: %w", err)
	}
	d.claims = &claims{materials: subjects, products: artifact.Set{}, hasProducts: hasProducts(d.PredicateType)}
	if d.claims.hasProducts {
		d.claims.products = subjects
		if d.claims.materials, _, err = setOf(d.Materials); err != nil {
			return fmt.Errorf("reading the materials: %w", err)
		}
	}
	if finding := d.claims.witness(d.Signer); finding != nil {
		return errors.New(finding.Found)
	}
	for _, name := range names {
		switch s := subjects[name]; {
		case s.Digest.Join(s.Digest, artifact.Accepted()) != artifact.Joined:
			return fmt.Errorf("subject %q has no digest that a verifier accepts, expected one of %s", name, list(artifact.Accepted()))
		case s.Asserted:
			return fmt.Errorf("subject %q is a commit that the job's certificate does not know, and no layout takes a job's word for it: sign in a job that ran on that commit", name)
		}
		pattern, err := exactGlob(name)
		if err != nil {
			return err
		}
		d.names = append(d.names, pattern)
	}
	d.claims.materialNames, d.claims.productNames = d.claims.materials.Names(), d.claims.products.Names()
	return d.rules()
}

// setOf gives the subjects by their rule names, and these in the order given.
func setOf(subjects []artifact.Subject) (set artifact.Set, names []string, err error) {
	set = artifact.Set{}
	for _, s := range subjects {
		raw := map[string]string{}
		for alg, value := range s.Digest {
			raw[string(alg)] = value
		}
		resource, err := artifact.NewResource(s.Name, s.URI, raw)
		if err != nil {
			return nil, nil, err
		}
		if _, twice := set[resource.Name.Text]; !twice {
			names = append(names, resource.Name.Text)
		}
		if err := set.Add(resource); err != nil {
			return nil, nil, err
		}
	}
	return set, names, nil
}

// exactGlob is the pattern that one name matches and no other. In-toto's fnmatch
// has no escape character, but a set of one; for the backslash not even that.
// FuzzSuggest shows it.
func exactGlob(name string) (string, error) {
	text := strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(name)
	if _, err := parseNameGlob(text); err != nil {
		return "", fmt.Errorf("a layout cannot name %q exactly: %w", name, err)
	}
	return text, nil
}

// rules makes the two lists that fit the predicate type.
func (d *draft) rules() (err error) {
	if d.PredicateType == LinkV03 || !d.claims.hasProducts {
		d.materials, err = rulesFor(d.claims.materials)
		if err == nil && d.claims.hasProducts {
			d.products, err = rulesFor(d.claims.products)
		}
		return err
	}
	allowed := d.source
	further := func(name string) bool { return name != d.source }
	if d.source == "" || slices.ContainsFunc(d.claims.materialNames, further) {
		allowed = "*" // what else a build takes changes from one to the next
	}
	d.materials = []string{"ALLOW " + allowed, "DISALLOW *"}
	if d.source != "" {
		d.materials = slices.Insert(d.materials, 0, "REQUIRE "+d.source)
	}
	d.products = []string{"CREATE *", "DISALLOW *"}
	isMaterial := func(name string) bool { _, ok := d.claims.materials[name]; return ok }
	if slices.ContainsFunc(d.claims.productNames, isMaterial) { // which CREATE leaves
		d.products, err = rulesFor(d.claims.products)
	}
	return err
}

// rulesFor allows each name and no other. A git source is required as well, so
// that a MATCH of it may be added.
func rulesFor(set artifact.Set) ([]string, error) {
	var required, allowed []string
	for _, name := range set.Names() {
		pattern, err := exactGlob(name)
		if err != nil {
			return nil, err
		}
		// "Rules are tokenised before substitution; a parameter's value fills one
		// token." (docs/layout.md 10.)
		if strings.ContainsFunc(pattern, unicode.IsSpace) || strings.ContainsAny(pattern, "{}") {
			return nil, fmt.Errorf("an artifact rule cannot name %q exactly, for it holds white space or a brace: rename the file", name)
		}
		if set[name].Name.Git && !set[name].Asserted {
			required = append(required, "REQUIRE "+pattern)
		}
		allowed = append(allowed, "ALLOW "+pattern)
	}
	return slices.Concat(required, allowed, []string{"DISALLOW *"}), nil
}

// readAgain holds the text to what it is for.
func (d *draft) readAgain(text []byte) error {
	l, findings := Parse("layout", text, d.Now)
	if len(findings) > 0 {
		return refused(findings[0])
	}
	b, findings := l.bind(nil)
	if len(findings) > 0 {
		return refused(findings[0])
	}
	// "The rules run for each counted statement" (docs/layout.md 1), so here too.
	step := b.steps[0]
	materials := queue{step: step.name, claims: d.claims, over: d.claims.materials, names: d.claims.materialNames, accepted: artifact.Accepted()}
	if finding := materials.run(step.materials); finding != nil {
		return refused(*finding)
	}
	if !d.claims.hasProducts {
		return nil
	}
	products := queue{step: step.name, claims: d.claims, over: d.claims.products, names: d.claims.productNames, accepted: artifact.Accepted()}
	if finding := products.run(step.products); finding != nil {
		return refused(*finding)
	}
	return nil
}

// refused is the error for a layout that is not what it is for.
func refused(f verdict.Finding) error { return fmt.Errorf("it would be refused: %s", f) }
