package command

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// layoutFile is the layout as it was found; the zero value is none.
type layoutFile struct {
	name string
	data []byte
}

// readLayout reads the layout once: it may come from a pipe.
func (in verifyInput) readLayout(env Env) (layoutFile, error) {
	if in.layout == "" {
		return layoutFile{}, nil
	}
	data, err := readLayout(env, in.layout)
	if err != nil {
		return layoutFile{}, undecided(nextAfter(err, "check --layout"), fmt.Errorf("reading layout %s: %w", in.layout, err))
	}
	return layoutFile{name: in.layout, data: data}, nil
}

// report says which layout it is, and so far only that the caller named it.
func (f layoutFile) report() report.Layout {
	sum := sha256.Sum256(f.data)
	return report.Layout{Name: f.name, SHA256: hex.EncodeToString(sum[:]), Trust: "named on the command line"}
}

// demand reads the layout, or builds the one-step layout of simple mode. What
// is wrong with a layout's content is returned as findings.
func (in verifyInput) demand(env Env, roots *loadedRoots, document layoutFile, doc *report.Document) (*layout.Layout, []verdict.Finding, error) {
	if in.layout == "" {
		l, warnings, err := in.who.layout(env, roots)
		if err != nil {
			return nil, nil, err
		}
		doc.Warnings = append(doc.Warnings, warnings...)
		doc.Layout = report.Layout{Trust: in.who.describe()}
		return l, nil, nil
	}
	doc.Layout = document.report()
	opened, finding, err := in.signers.open(env, document.data, opensLayout{name: in.layout, roots: roots})
	switch {
	case err != nil:
		return nil, nil, err
	case finding != nil:
		doc.Layout.Trust = "not taken: it is not signed as was asked"
		return nil, []verdict.Finding{*finding}, nil
	}
	doc.Layout.Trust = opened.trust
	l, findings := layout.Parse(in.layout, opened.text, env.Now)
	if l != nil {
		doc.Layout.Version, doc.Layout.Expires = l.Version(), l.Expires()
	}
	return l, findings, nil
}

// refuseAll gives every artifact the same findings: no artifact can be judged by
// a layout that is wrong. What only a newer version could read is undecided.
func refuseAll(targets []target, findings []verdict.Finding) []verdict.Verdict {
	tooNew := slices.ContainsFunc(findings, func(f verdict.Finding) bool {
		return f.ID == verdict.LayoutTooNew || f.ID == verdict.NotSupportedYet
	})
	var out []verdict.Verdict
	for _, t := range targets {
		v := verdict.Verdict{Artifact: artifact.Artifact{Given: t.given, Name: t.name, Digest: t.digest}}
		if tooNew {
			v = v.Undecide(findings...)
		} else {
			v = v.Deny(findings...)
		}
		out = append(out, v)
	}
	return out
}

// demandedRoots gives a warning for each root that the layout names and nobody
// loaded; it is worth telling where something is not allowed. Where none of them
// is loaded, nothing can be decided.
func demandedRoots(l *layout.Layout, roots *loadedRoots) (warnings []string, err error) {
	var missing []string
	for _, name := range l.Roots() {
		if len(roots.named(name)) == 0 {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) == 0:
		return nil, nil
	case len(missing) == len(l.Roots()) && len(l.Keys()) == 0:
		return nil, undecided(fmt.Sprintf("give --trusted-root %s=FILE", missing[0]),
			fmt.Errorf("the layout trusts the root %s, which is not loaded; loaded are: %s", missing[0], strings.Join(roots.set.Names(), ", ")))
	}
	for _, name := range missing {
		warnings = append(warnings, fmt.Sprintf("no trusted root %s is loaded: functionaries under it cannot count; next: give --trusted-root %s=FILE", name, name))
	}
	return warnings, nil
}
