package layout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// DescribeClassic reads a layout of in-toto 1.0 as it stands, whoever signed it, and
// tells what is wrong with it and what it demands. Placeholders stand for themselves.
// It is for those who write or read such a layout: what CheckClassic judges by has
// been verified.
func DescribeClassic(name string, e *attestation.Envelope, now time.Time) (Description, []Problem) {
	payload := e.Unverified()
	r := &classicReader{name: name, compat: &compat{}, used: map[string]bool{}, unfilled: true}
	l := r.read(payload)
	if l != nil && !now.Before(l.expires) {
		r.problem(verdict.LayoutExpired, "", says{"the layout expired on " + l.expires.UTC().Format(time.RFC3339), "an expiry after " + now.UTC().Format(time.RFC3339), "have the layout's owner review it, set a new expires and sign it again"})
	}
	if len(r.problems) > 0 {
		return Description{}, classicPlaces(name, payload, r.problems)
	}
	return l.describe(r), nil
}

// classicPlaces finds each problem's step or inspection in the text. Only the order
// and a reader's eye depend on it.
func classicPlaces(name string, payload jsontext.Value, findings []verdict.Finding) []Problem {
	places := map[string]position{}
	if root, ok := (&reader{name: name}).document(payload); ok {
		for i := 0; i+1 < len(root.Content); i += 2 {
			if key := root.Content[i].Value; key == "steps" || key == "inspect" {
				namePlaces(places, root.Content[i+1])
			}
		}
	}
	for i, f := range findings {
		if at, known := places[f.Step]; known && f.Step != "" {
			findings[i].Where = (&reader{name: name}).where(at)
		}
	}
	return inOrder(name, findings)
}

// namePlaces notes where each step or inspection of a list begins.
func namePlaces(places map[string]position, list *yaml.Node) {
	for _, item := range list.Content {
		for i := 0; item.Kind == yaml.MappingNode && i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value == "name" {
				places[item.Content[i+1].Value] = at(item)
			}
		}
	}
}

// describe tells a classic layout in the words of the other one.
func (l *classicLayout) describe(r *classicReader) Description {
	last := l.steps[len(l.steps)-1].name
	d := Description{
		Name: l.name, Classic: true, Expires: l.expires.UTC(), Parameters: []DescribedParameter{}, Principals: []DescribedPrincipal{},
		Subjects: []DescribedSubject{{Patterns: []string{"*"}, From: last, Steps: l.stepNames()}}, Denied: []DescribedDenial{},
	}
	for _, name := range sortedKeys(r.used) {
		d.Parameters = append(d.Parameters, DescribedParameter{Name: name, Required: true})
	}
	for _, s := range l.steps {
		d.Steps = append(d.Steps, s.describe(&d))
	}
	for _, i := range l.inspections {
		d.Inspections = append(d.Inspections, DescribedInspection{Name: i.name, Run: i.run, Materials: describeBound(i.materials), Products: describeBound(i.products)})
	}
	return d
}

func (l *classicLayout) stepNames() []string {
	var names []string
	for _, s := range l.steps {
		names = append(names, s.name)
	}
	return names
}

// describe tells a step, and adds whom it names to the layout's people.
func (s *classicStep) describe(d *Description) DescribedStep {
	by := DescribedPredicate{Types: []string{"link"}, Threshold: s.threshold}
	add := func(p DescribedPrincipal) {
		by.Of, by.By = append(by.Of, p.Name), append(by.By, p.Name)
		if !slices.ContainsFunc(d.Principals, func(o DescribedPrincipal) bool { return o.Name == p.Name }) {
			d.Principals = append(d.Principals, p)
		}
	}
	for _, key := range s.keys {
		name := fmt.Sprintf("key %.16s", key.ID())
		add(DescribedPrincipal{Name: name, Functionaries: []DescribedFunctionary{{Name: name, KeyType: "in-toto", Key: key.Signer().Key}}})
	}
	for _, c := range s.constraints {
		name := "whoever holds a certificate with " + c.words()
		add(DescribedPrincipal{Name: name, Functionaries: []DescribedFunctionary{{Name: name, KeyType: "in-toto", Key: "of the layout's own authorities"}}})
	}
	return DescribedStep{
		Name: s.name, About: "what it makes", Predicates: []DescribedPredicate{by}, Command: s.command,
		Materials: describeBound(s.materials), Products: describeBound(s.products),
	}
}

// words tells a certificate constraint: each attribute with the values that it may
// have; "*" is any.
func (c certificateConstraint) words() string {
	var words []string
	for _, attribute := range []struct {
		name   string
		values []string
	}{
		{"common_name", []string{c.CommonName}}, {"dns_names", c.DNSNames}, {"emails", c.Emails},
		{"organizations", c.Organizations}, {"roots", c.Roots}, {"uris", c.URIs},
	} {
		values := slices.DeleteFunc(slices.Clone(attribute.values), func(v string) bool { return v == "" })
		if len(values) == 0 {
			values = []string{"none"}
		}
		words = append(words, attribute.name+" "+strings.Join(values, " and "))
	}
	return strings.Join(words, ", ")
}

func describeBound(rules []boundRule) []DescribedRule {
	out := []DescribedRule{}
	for _, r := range rules {
		pattern := r.name
		if r.kind != requireRule {
			pattern = r.glob.text
		}
		out = append(out, DescribedRule{
			Text: r.text, Kind: string(r.kind), Pattern: pattern, SourcePrefix: r.src,
			From: r.from, FromProducts: r.withProducts, FromPrefix: r.dst,
		})
	}
	return out
}

// classic tells what is a matter of in-toto 1.0 alone.
func (p *prose) classic() {
	if !p.Classic {
		return
	}
	p.say(0, "A link may itself be a layout, which is checked in the same way.")
	for _, i := range p.Inspections {
		p.gap()
		p.say(0, "Inspection %s runs %s in a copy of the final product, if that is allowed.", i.Name, strings.Join(i.Run, " "))
		p.rules("What was there before", i.Materials)
		p.rules("What is there behind it", i.Products)
	}
}
