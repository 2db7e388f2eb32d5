package layout

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// LayoutPredicate is the predicate type of a sublayout: its predicate is an
// attestation layout, which by the word of its signer holds for its subjects.
// Source: https://github.com/in-toto/ITE/tree/master/ITE/10
const LayoutPredicate = "layout"

// sublayoutDemand is what an item with predicateType layout gives its sublayout:
// the parameters that it names, and nothing else of the outer layout.
type sublayoutDemand struct {
	parameters map[string]template
	bound      map[string]string
}

// sublayoutParameters reads them.
func (r *reader) sublayoutParameters(e *entry, node *yaml.Node, what string) {
	if !slices.Contains(e.predicateTypes, LayoutPredicate) {
		if node != nil {
			r.malformed(node, what+" has parameters and is no sublayout", "predicateType: layout beside them")
		}
		return
	}
	if len(e.predicateTypes) > 1 {
		r.problem(verdict.LayoutMalformed, e.at, says{what + " is a sublayout or something else", "predicateType: layout alone", "write an item for each"})
	}
	e.sublayout = &sublayoutDemand{parameters: map[string]template{}}
	for _, item := range r.entries(node, what+"'s parameters") {
		e.sublayout.parameters[item.name] = r.template(item.node, r.scalar(item.node, "parameter "+item.name))
	}
}

func (d *sublayoutDemand) templates() (all []template) {
	if d != nil {
		for _, name := range sortedKeys(d.parameters) {
			all = append(all, d.parameters[name])
		}
	}
	return all
}

// bindSublayouts fills in what sublayouts are given.
func (b *bound) bindSublayouts(r *reader, values map[string]string) {
	for _, s := range b.Layout.steps {
		for _, e := range s.entries {
			if e.sublayout == nil {
				continue
			}
			filled := &sublayoutDemand{parameters: e.sublayout.parameters, bound: map[string]string{}}
			for name, t := range e.sublayout.parameters {
				text, err := t.fill(values)
				if err != nil {
					r.problem(verdict.ParameterMalformed, e.at, says{err.Error(), "a value for every parameter", "check --param"})
				}
				filled.bound[name] = text
			}
			e.sublayout = filled
		}
	}
}
