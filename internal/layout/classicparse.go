package layout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// classicReader reads one classic layout and collects what is wrong with it.
type classicReader struct {
	name       string
	parameters map[string]string
	within     bool // a sublayout, to which nobody gives parameters
	compat     *compat
	used       map[string]bool // parameters
	// unfilled: placeholders stand for themselves, as nothing is to be judged.
	unfilled bool
	problems []verdict.Finding
	notes    []string
}

// says-like shorthand: one more problem.
func (r *classicReader) problem(id verdict.ID, step string, s says) {
	r.problems = append(r.problems, verdict.Finding{ID: id, Where: r.name, Step: step, Found: s.found, Expected: s.expected, Next: s.next})
}

func (r *classicReader) malformed(step, found, expected string) {
	r.problem(verdict.LayoutMalformed, step, says{found, expected, "have the layout's owner correct and sign it again"})
}

// parseClassic reads a layout whose signature verified. The layout is nil where
// there is a finding.
func (r *classicReader) parse(signed *attestation.Signed) *classicLayout {
	return r.read(signed.Payload())
}

func (r *classicReader) read(payload jsontext.Value) *classicLayout {
	var document classicDocument
	if err := json.Unmarshal(payload, &document); err != nil {
		r.malformed("", "reading the layout: "+jsonText(err), "a layout of in-toto 1.0")
		return nil
	}
	if document.Type != "layout" {
		r.malformed("", fmt.Sprintf("_type is %q", document.Type), "layout")
	}
	r.fields("the layout", "", document.Unknown, "_type", "expires", "readme", "keys", "rootcas", "intermediatecas", "steps", "inspect")
	l := &classicLayout{name: r.name, expires: r.expiry(document.Expires)}
	keys := r.keys(document.Keys)
	l.authorities = r.authorities(document)
	r.bounds(document)
	for _, s := range document.Steps {
		l.steps = append(l.steps, r.step(s, keys))
	}
	for _, i := range document.Inspect {
		l.inspections = append(l.inspections, r.inspection(i))
	}
	r.names(l)
	if len(r.problems) > 0 {
		return nil
	}
	return l
}

// bounds refuses what is too large, and what is empty: an empty layout asks for
// nothing, and nothing verified is never success.
func (r *classicReader) bounds(d classicDocument) {
	switch {
	case len(d.Steps) == 0:
		r.problem(verdict.LayoutEmpty, "", says{"the layout has no steps", "at least one step", "say who must have signed what: add a step"})
	case len(d.Steps) > MaxSteps:
		r.malformed("", fmt.Sprintf("%d steps", len(d.Steps)), fmt.Sprintf("at most %d", MaxSteps))
	case len(d.Inspect) > MaxInspections:
		r.malformed("", fmt.Sprintf("%d inspections", len(d.Inspect)), fmt.Sprintf("at most %d", MaxInspections))
	}
}

// expiry reads the one form of dates.
//
// "The expected format of the combined date and time string is
// 'YYYY-MM-DDTHH:MM:SSZ'. Time is always in UTC, and the 'Z' time zone designator
// is attached" (in-toto 1.0, 4.2.2; TestClassicMutations)
func (r *classicReader) expiry(text string) time.Time {
	const form = "2006-01-02T15:04:05Z"
	t, err := time.Parse(form, text)
	if err != nil || t.Format(form) != text {
		r.malformed("", fmt.Sprintf("expires is %q", text), `an instant in UTC such as "2027-03-01T00:00:00Z"`)
	}
	return t
}

// keys reads the layout's public keys. One that cannot be read is a problem: a
// step that lists it would quietly have fewer functionaries.
func (r *classicReader) keys(raw map[string]jsontext.Value) map[string]attestation.InTotoKey {
	if len(raw) > MaxClassicKeys {
		r.malformed("", fmt.Sprintf("%d keys", len(raw)), fmt.Sprintf("at most %d", MaxClassicKeys))
		return nil
	}
	keys, owner := map[string]attestation.InTotoKey{}, map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(raw)) {
		key, claimed, err := attestation.ReadInTotoKey(id, raw[id])
		if err != nil {
			r.problem(verdict.KeyMalformed, "", says{err.Error(), "RSA of 2048 bits or more, ECDSA or Ed25519; of OpenPGP, RSA or Ed25519", "have the layout's owner correct the key"})
			continue
		}
		if claimed != "" && claimed != id && !r.compat.relax("key-id", fmt.Sprintf("key %.8s… calls itself %.8s…", id, claimed)) {
			r.problem(verdict.KeyIDMismatch, "", says{fmt.Sprintf("the key listed as %.16s calls itself %.16s", id, claimed), "one id for one key", "have the layout's owner list the key under its own id"})
		}
		keys[id] = key
		r.shared(owner, id, key)
	}
	return keys
}

// shared refuses one key under two ids, which would count once and read as two.
func (r *classicReader) shared(owner map[string]string, id string, key attestation.InTotoKey) {
	for _, fingerprint := range key.Fingerprints() {
		other, taken := owner[fingerprint]
		if taken && other != id && !r.compat.relax("shared-key", fmt.Sprintf("keys %.8s… and %.8s… are one key, counted once", other, id)) {
			r.problem(verdict.SharedKey, "", says{fmt.Sprintf("keys %.16s and %.16s are one and the same", other, id), "each key once", "have the layout's owner remove one: a person with two ids is still one person"})
		}
		owner[fingerprint] = id
	}
}

// step reads one step.
func (r *classicReader) step(d stepDocument, keys map[string]attestation.InTotoKey) *classicStep {
	s := &classicStep{name: d.Name, constraints: d.Constraints}
	r.frame(frame{kind: "step", typ: d.Type, name: d.Name, unknown: d.Unknown,
		fields: []string{"_type", "name", "threshold", "expected_materials", "expected_products", "pubkeys", "cert_constraints", "expected_command"}})
	for i, id := range d.PubKeys {
		key, ok := functionaryKey(keys, id)
		switch {
		case slices.Contains(d.PubKeys[:i], id):
		case ok:
			s.keys = append(s.keys, key)
		default:
			r.notes = append(r.notes, fmt.Sprintf("step %s lists the key %.16s, which the layout does not have: nobody signs with it", d.Name, id))
		}
	}
	s.threshold = r.threshold(d, len(s.keys))
	s.materials = r.rules(d.Name, "expected_materials", d.Materials)
	s.products = r.rules(d.Name, "expected_products", d.Products)
	s.command = r.suggestion(d.Command)
	for i, c := range d.Constraints {
		r.fields(fmt.Sprintf("cert_constraints %d of the step", i+1), d.Name, c.Unknown, constraintFields()...)
	}
	return s
}

// functionaryKey finds a key by the layout's id for it, or one subkey by its own.
func functionaryKey(keys map[string]attestation.InTotoKey, id string) (attestation.InTotoKey, bool) {
	if key, ok := keys[id]; ok {
		return key, true
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if sub, ok := keys[name].Subkey(id); ok {
			return sub, true
		}
	}
	return attestation.InTotoKey{}, false
}

// threshold reads how many must sign.
//
// "THRESHOLD must contain an integer value indicating how many pieces of link
// metadata must be provided to verify this step." (in-toto 1.0, 4.3.1)
func (r *classicReader) threshold(d stepDocument, keys int) int {
	var found string
	switch {
	case d.Threshold == nil:
		found = "the step has no threshold"
	case *d.Threshold < 1:
		found = fmt.Sprintf("threshold is %d", *d.Threshold)
	case keys == 0 && len(d.Constraints) == 0:
		found = "the step has neither pubkeys of the layout nor cert_constraints: nobody may sign for it"
	default:
		return *d.Threshold
	}
	r.problem(verdict.ThresholdRange, d.Name, says{found, "a whole number from 1, and that many who may sign", "have the layout's owner correct the step"})
	return 0
}

// inspection reads one inspection.
func (r *classicReader) inspection(d inspectionDocument) *classicInspection {
	r.frame(frame{kind: "inspection", typ: d.Type, name: d.Name, unknown: d.Unknown,
		fields: []string{"_type", "name", "expected_materials", "expected_products", "run"}})
	if len(d.Run) == 0 {
		r.malformed(d.Name, "the inspection has nothing to run", "run: a list of words")
	}
	return &classicInspection{
		name:      d.Name,
		run:       r.command(d.Name, d.Run),
		materials: r.rules(d.Name, "expected_materials", d.Materials),
		products:  r.rules(d.Name, "expected_products", d.Products),
	}
}

// frame is what steps and inspections share.
type frame struct {
	kind, typ, name string
	unknown         jsontext.Value
	fields          []string
}

func (r *classicReader) frame(f frame) {
	r.fields("the "+f.kind, f.name, f.unknown, f.fields...)
	switch {
	case f.typ == f.kind:
	case f.typ == "" && r.compat.relax("type", fmt.Sprintf("%s %s has no _type", f.kind, f.name)):
	default:
		r.malformed(f.name, fmt.Sprintf("the _type of a %s is %q", f.kind, f.typ), f.kind)
	}
	if f.name == "" || strings.ContainsAny(f.name, "/\\\x00") {
		r.malformed(f.name, fmt.Sprintf("the name of a %s is %q", f.kind, f.name), "a name that a file can have")
	}
}

// names refuses what can be read two ways, and rules about steps that there are
// not.
//
// "NAME values are unique and so they MUST NOT repeat in either steps or
// inspect." (in-toto 1.0, 4.3.2)
func (r *classicReader) names(l *classicLayout) {
	steps, all := map[string]bool{}, map[string]bool{}
	add := func(name string) {
		if all[name] {
			r.problem(verdict.NameClash, name, says{fmt.Sprintf("two steps or inspections are named %s", name), "each name once", "have the layout's owner rename one of them"})
		}
		all[name] = true
	}
	for _, s := range l.steps {
		add(s.name)
		steps[s.name] = true
	}
	for _, i := range l.inspections {
		add(i.name)
	}
	for _, s := range l.steps {
		r.sources(s.name, steps, s.materials, s.products)
	}
	for _, i := range l.inspections {
		r.sources(i.name, all, i.materials, i.products)
	}
}

// sources refuses MATCH rules from where nothing comes: they consume nothing,
// whatever their author thought. Steps are judged before inspections run.
func (r *classicReader) sources(name string, known map[string]bool, lists ...[]boundRule) {
	for _, rule := range slices.Concat(lists...) {
		if rule.kind != matchRule || known[rule.from] || r.compat.relax("unknown-step", fmt.Sprintf("%s matches from %s, which is no step: it consumes nothing", name, rule.from)) {
			continue
		}
		r.problems = append(r.problems, verdict.Finding{
			ID: verdict.MatchUnknownStep, Where: r.name, Step: name, Rule: rule.text, Found: fmt.Sprintf("%s is no step that this rule can match from", rule.from),
			Expected: "one of " + list(slices.Sorted(maps.Keys(known))), Next: "have the layout's owner correct the name",
		})
	}
}
