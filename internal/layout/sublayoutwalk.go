package layout

import (
	"slices"
)

// Sublayouts lists the layouts that verified statements sign and that the layout,
// or one of them, takes: whose functionaries signed what else is to be opened. It
// believes nothing more than Check does.
func Sublayouts(in Input) []*Layout {
	if in.Layout == nil {
		return nil
	}
	w := &sublayoutWalk{Input: in, nested: newNested()}
	w.walk(in.Layout, in.Parameters, 0)
	return w.found
}

type sublayoutWalk struct {
	Input
	nested nested
	found  []*Layout
}

func (w *sublayoutWalk) walk(l *Layout, parameters map[string]string, depth int) {
	b, findings := l.bind(parameters)
	if len(findings) > 0 || depth == MaxSublayoutDepth {
		return
	}
	for _, step := range b.steps {
		for _, e := range step.entries {
			if e.sublayout == nil {
				continue
			}
			for _, v := range w.Verified {
				if !e.takes(v.Statement()) {
					continue
				}
				if _, _, finding := e.signer(v, w.Now); finding != nil {
					continue
				}
				if *w.nested.checks++; *w.nested.checks > maxSublayoutChecks {
					return
				}
				if p := w.nested.sublayoutOf(v, w.Input); p.layout != nil {
					if !slices.Contains(w.found, p.layout) {
						w.found = append(w.found, p.layout)
					}
					w.walk(p.layout, e.sublayout.bound, depth+1)
				}
			}
		}
	}
}
