package layout

// byStep holds the statements by the step that they can be for: a link by the step
// that it names, since it counts for no other, and all else for every step.
type byStep struct {
	links map[string][]*statement
	any   []*statement
}

func (c *check) index() byStep {
	b := byStep{links: map[string][]*statement{}}
	for i, s := range c.statements {
		s.index = i
		if name := c.linkName(s); name != "" {
			b.links[name] = append(b.links[name], s)
		} else {
			b.any = append(b.any, s)
		}
	}
	return b
}

// linkName is the step that a link names. In simple mode the one step has no name
// that a link could know, and whoever asks for links takes any.
func (c *check) linkName(s *statement) string {
	if c.Layout.simple || s.claims == nil {
		return ""
	}
	return s.claims.linkName
}

// of lists what may count for a step, in the order in which it was handed in.
func (b byStep) of(step string) []*statement {
	links, others := b.links[step], b.any
	out := make([]*statement, 0, len(links)+len(others))
	for len(links) > 0 && len(others) > 0 {
		first := &links
		if others[0].index < links[0].index {
			first = &others
		}
		out, *first = append(out, (*first)[0]), (*first)[1:]
	}
	return append(append(out, links...), others...)
}

// look is one item of expectedPredicates that statements were held against. Their
// order decides between two reasons that came equally near.
type look struct {
	step    *boundStep
	entry   *entry
	subject *subjectRule
}

// explain holds a link that counts nowhere against the items of the steps that it
// does not name, as far as that can still change what is said of it: what signed it
// is known, or the first item says all.
func (c *check) explain(s *statement) {
	if c.linkName(s) == "" || s.eligible != "" || s.nearestStage > otherStep {
		return
	}
	for i, l := range c.looks {
		if l.step.name == s.claims.linkName {
			continue
		}
		_, _, at, finding := c.eligible(s, l.step, l.entry, l.subject)
		s.miss(at, finding, l.step.name, i)
		if at > otherPredicate || !s.known {
			return
		}
	}
}
