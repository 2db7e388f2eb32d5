package layout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Parse reads an attestation layout, YAML or JSON, and lints it against now.
// name is what reports call it. A layout is returned only where there is no
// finding; every finding has a line and a column where one exists.
func Parse(name string, data []byte, now time.Time) (*Layout, []verdict.Finding) {
	r := &reader{name: name}
	root, ok := r.document(data)
	if !ok {
		return nil, r.problems
	}
	if finding, ok := otherDialect(r, root); ok {
		return nil, []verdict.Finding{finding}
	}
	l := r.layout(root)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	l.name = name
	if findings := l.lint(r, now); len(findings) > 0 {
		return nil, findings
	}
	return l, nil
}

// otherDialect recognises what is a layout, but not one this function reads.
func otherDialect(r *reader, root *yaml.Node) (verdict.Finding, bool) {
	keys := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		keys[root.Content[i].Value] = true
	}
	var what string
	switch {
	case keys["signed"] && keys["signatures"]:
		what = "a classic in-toto 1.0 metablock"
	case keys["payload"] && keys["payloadType"]:
		what = "a DSSE envelope"
	case keys["mediaType"] && keys["verificationMaterial"]:
		what = "a Sigstore bundle"
	default:
		return verdict.Finding{}, false
	}
	return verdict.Finding{
		ID: verdict.LayoutTooNew, Where: r.where(at(root)),
		Found:    "the file is " + what + ", which this version does not read as a layout",
		Expected: "an attestation layout in YAML or JSON",
		Next:     "use a newer signatus, or hand the layout itself",
	}, true
}

// layout reads the document. Problems are collected in r.
func (r *reader) layout(root *yaml.Node) *Layout {
	f := r.mapping(root, "the layout", "_type", "version", "expires", "parameters", "functionaries", "principals",
		"steps", "subjects", "deny", "gitHash", "verifiedLevels")
	l := &Layout{parameters: map[string]parameter{}}
	if t := r.required(root, f, "_type", "the layout"); t != "" && t != "layout" {
		r.malformed(f["_type"], fmt.Sprintf("_type is %q", t), "layout")
	}
	if node, ok := f["version"]; !ok {
		r.malformed(root, "the layout has no version", "version: 1, raised with every change")
	} else if n, ok := r.integer(node, "version"); ok {
		if l.version = n; n < 1 {
			r.malformed(node, fmt.Sprintf("version is %d", n), "a whole number from 1")
		}
	}
	l.expires = r.instant(root, f)
	if node, ok := f["expires"]; ok {
		l.expiresAt = at(node)
	}
	if text := r.scalar(f["gitHash"], "gitHash"); text != "" {
		if l.gitHash256 = text == "sha256"; !l.gitHash256 {
			r.malformed(f["gitHash"], fmt.Sprintf("gitHash is %q", text), "sha256, or no gitHash to take both kinds of object ids")
		}
	}
	l.levels = r.levels(f["verifiedLevels"], "verifiedLevels")
	r.readParameters(l, f["parameters"])
	for _, item := range r.entries(f["functionaries"], "functionaries") {
		l.functionaries = append(l.functionaries, r.functionary(item))
	}
	r.readPrincipals(l, f["principals"])
	for _, node := range r.sequence(f["steps"], "steps") {
		l.steps = append(l.steps, r.step(node))
	}
	for _, node := range r.sequence(f["subjects"], "subjects") {
		l.subjects = append(l.subjects, r.subject(node))
	}
	for _, node := range r.sequence(f["deny"], "deny") {
		l.deny = append(l.deny, r.denial(node))
	}
	if len(l.steps) > MaxSteps {
		r.malformed(f["steps"], fmt.Sprintf("%d steps", len(l.steps)), fmt.Sprintf("at most %d", MaxSteps))
	}
	return l
}

func (r *reader) instant(root *yaml.Node, f fields) time.Time {
	text := r.required(root, f, "expires", "the layout")
	if text == "" {
		return time.Time{}
	}
	t, ok := parseInstant(text)
	if !ok {
		r.malformed(f["expires"], fmt.Sprintf("expires is %q", text), `an RFC 3339 instant such as "2027-03-01T00:00:00Z"`)
	}
	return t
}

func (r *reader) subject(node *yaml.Node) subjectRule {
	f := r.mapping(node, "an item of subjects", "subject", "from")
	s := subjectRule{at: at(node), from: r.required(node, f, "from", "an item of subjects")}
	for _, text := range r.texts(f["subject"], "subject") {
		g, err := parseNameGlob(text)
		if err != nil {
			r.problem(verdict.GlobMalformed, at(f["subject"]), says{err.Error(), "in-toto's fnmatch: * ? [x] [!x]", "correct the pattern"})
			continue
		}
		s.patterns = append(s.patterns, g)
	}
	if len(s.patterns) == 0 {
		r.malformed(node, "an item of subjects has no subject", `a list of patterns such as ["*"]`)
	}
	return s
}

func (r *reader) denial(node *yaml.Node) denial {
	f := r.mapping(node, "an item of deny", "digest", "reason")
	d := denial{reason: r.required(node, f, "reason", "an item of deny")}
	if text := r.required(node, f, "digest", "an item of deny"); text != "" {
		set, err := artifact.ParseDigest(text)
		if err != nil {
			r.malformed(f["digest"], err.Error(), "a digest such as sha256:HEX")
		}
		d.digest = set
	}
	return d
}

// template reads a token that may hold parameters.
func (r *reader) template(node *yaml.Node, text string) template {
	t, err := parseTemplate(text)
	if err != nil {
		r.malformed(node, err.Error(), "{parameter} or no brace")
	}
	return t
}

func list[T ~string](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = string(item)
	}
	return strings.Join(words, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
