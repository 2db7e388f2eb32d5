package report

import "github.com/signatus-dev/signatus/internal/verdict"

// failed leaves of a trace what went wrong: what could not be chosen, the lists with
// a rule that failed, and the sublayouts that are not satisfied, of them the same.
func failed(t verdict.Trace) verdict.Trace {
	out := verdict.Trace{Anchor: t.Anchor, Satisfied: t.Satisfied, MoreSublayouts: t.MoreSublayouts}
	for _, c := range t.Choices {
		if c.Lacking != "" {
			out.Choices = append(out.Choices, c)
		}
	}
	for _, l := range t.Lists {
		if failure(l) != nil {
			out.Lists = append(out.Lists, l)
		}
	}
	for _, s := range t.Sublayouts {
		if s.Finding == nil {
			continue
		}
		if s.Trace != nil {
			within := failed(*s.Trace)
			s.Trace = &within
		}
		out.Sublayouts = append(out.Sublayouts, s)
	}
	return out
}

// failure is why a rule list failed; nil where it did not. Its last rule is the one:
// none is run behind it.
func failure(l verdict.RuleList) *verdict.Finding {
	if len(l.Rules) == 0 {
		return nil
	}
	return l.Rules[len(l.Rules)-1].Finding
}
