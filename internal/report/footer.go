package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// fact is one line of the footer. A label that is empty continues the one above.
type fact struct {
	label, text string
	style       style
}

// footer writes what all artifacts share: what was demanded, who is trusted,
// and, where something is not allowed, all that helps to find out why.
func (p *page) footer(d Document) {
	facts := slices.Concat(p.layoutFacts(d.Layout), p.rootFacts(d.Roots))
	if p.verbose || d.Outcome() != verdict.Allowed {
		facts = slices.Concat(facts, parameterFacts(d.Parameters), p.placeFacts(d.Searched), judgedFacts(d), findingFacts(d.Verdicts))
	}
	facts = append(facts, summaryFacts(d.Summaries)...)
	facts = append(facts, list("loosened", yellow, d.Loosenings)...)
	facts = append(facts, list("warning", yellow, d.Warnings)...)
	if len(facts) == 0 {
		return
	}
	p.gap()
	column := width(each(facts, func(f fact) string { return f.label })...)
	for _, f := range facts {
		p.line(0, f.style, pad(f.label, column), "  "+f.text)
	}
}

func (p *page) layoutFacts(l Layout) []fact {
	if l == (Layout{}) {
		return nil
	}
	var parts []string
	add := func(part string) { parts = append(parts, part) }
	if l.Name != "" {
		add(Clean(l.Name))
	}
	add(cmp.Or(clean(l.Trust, maxProse), "trusted for no reason given"))
	if l.Version != 0 {
		add(fmt.Sprintf("version %d", l.Version))
	}
	if !l.Expires.IsZero() {
		add("expires " + instant(l.Expires))
	}
	if l.SHA256 != "" {
		add("sha256:" + p.digest(l.SHA256))
	}
	return []fact{{label: "layout", text: strings.Join(parts, ", ")}}
}

// digest keeps 16 hex digits unless the report is verbose.
func (p *page) digest(hex string) string {
	if hex = Clean(hex); !p.verbose && len(hex) > 16 {
		return clean(hex, 16)
	}
	return hex
}

func (p *page) rootFacts(roots []Root) []fact {
	return list("roots", plain, each(roots, func(r Root) string {
		line := Clean(r.Name) + " (" + Clean(r.Source) + ")"
		if p.verbose && r.SHA256 != "" {
			line += ", sha256:" + Clean(r.SHA256)
		}
		return line
	}))
}

func parameterFacts(parameters map[string]string) []fact {
	names := slices.Sorted(maps.Keys(parameters))
	return list("parameters", plain, each(names, func(n string) string { return Clean(n) + "=" + Clean(parameters[n]) }))
}

func (p *page) placeFacts(places []Place) []fact {
	lines := each(places, func(place Place) string {
		switch place.Found {
		case 0:
			return Clean(place.Name) + ": nothing found"
		case 1:
			return Clean(place.Name) + ": 1 candidate"
		default:
			return fmt.Sprintf("%s: %d candidates", Clean(place.Name), place.Found)
		}
	})
	if n := len(lines) - maxPlaces; n > 0 && !p.verbose {
		lines = append(lines[:maxPlaces], fmt.Sprintf("and %d more; --verbose lists them", n))
	}
	return list("looked in", plain, lines)
}

func judgedFacts(d Document) []fact {
	if d.Judged.IsZero() {
		return nil
	}
	return []fact{{label: "judged at", text: instant(d.Judged) + ", by signatus " + Clean(d.Tool)}}
}

// findingFacts lists the ids of all findings once, in order of appearance.
func findingFacts(verdicts []verdict.Verdict) []fact {
	var ids []string
	for _, v := range verdicts {
		for _, f := range v.Findings {
			if id := Clean(string(f.ID)); id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if ids == nil {
		return nil
	}
	return []fact{{label: "findings", text: strings.Join(ids, ", ") + "; docs/findings.md explains"}}
}

// summaryFacts tells what was stated for others.
func summaryFacts(summaries []Summary) []fact {
	return list("stated", plain, each(summaries, func(s Summary) string {
		line := fmt.Sprintf("%s of %s in %s, by %s", Clean(s.Result), Clean(s.Resource), Clean(s.File), Clean(s.Signer))
		if len(s.Levels) > 0 {
			line += ", " + strings.Join(each(s.Levels, Clean), ", ")
		}
		if s.Instance.Name != "" {
			line += ", with the instance " + Clean(s.Instance.Name) + " (" + Clean(s.Instance.Reason) + ")"
		}
		return line
	}))
}

// list makes one fact of each text; only the first carries the label.
func list(label string, s style, texts []string) []fact {
	var facts []fact
	for i, text := range texts {
		f := fact{text: clean(text, maxProse), style: s}
		if i == 0 {
			f.label = label
		}
		facts = append(facts, f)
	}
	return facts
}
