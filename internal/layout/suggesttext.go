package layout

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/identity"
)

// This file writes a suggestion as a person would write a layout: with the words that
// the ready-made ones have, and every value quoted unless it is a plain word.

// say writes lines, each as it is to stand.
func (d *draft) say(lines ...string) {
	for _, line := range lines {
		d.text.WriteString(line + "\n")
	}
}

func (d *draft) head() {
	d.say(
		"# Allows artifacts of the names below, signed so by the one who signed these, and",
		"# nobody else's. Not these bytes alone: what the same signer makes next passes too.",
		"# Suggested by signatus attest: read it before you trust it, and keep it where the",
		"# signer cannot change it alone. Whoever changes this file changes the verdict.",
	)
	if d.Verify != "" {
		d.say("#", "#   "+d.Verify)
	}
	if len(d.Comment) > 0 {
		d.say("#")
	}
	for _, line := range d.Comment {
		d.say(strings.TrimRight("# "+line, " "))
	}
	d.say("_type: layout", "version: 1", "expires: "+scalar(d.Expires.UTC().Format(time.RFC3339)), "")
}

// The names that a suggestion gives its one signer.
const (
	suggestedPrincipal = "signer"
	suggestedKey       = "signer-key"
	suggestedWorkflow  = "signer-workflow"
	suggestedOIDC      = "signer-oidc"
)

func (d *draft) functionary() {
	d.say("functionaries:")
	id, kind := suggestedKey, ""
	switch {
	case d.Signer.Key != "":
		d.keyed()
	case d.Signer.IsWorkload():
		id, kind = suggestedWorkflow, ", kind: workload"
		d.workflow()
	default:
		id = suggestedOIDC
		if d.Signer.SANKind == identity.Email {
			kind = ", kind: person"
		}
		d.fulcio(id)
	}
	d.say("", "principals:", fmt.Sprintf("  %s: {functionaries: [%s]%s}", suggestedPrincipal, id, kind), "")
}

// keyed writes a key as one block of PEM, without what else its file may hold.
func (d *draft) keyed() {
	if d.Root == "" {
		d.say("  # No root: the signature alone counts, and nothing proves when it was made.")
	}
	d.say("  "+suggestedKey+":", "    keyType: "+d.key.Type(), "    keyVal:")
	if d.Root != "" {
		d.say("      root: " + scalar(d.Root))
	}
	d.say("      public: |")
	block, _ := pem.Decode(d.Key) // which ParseKey has read
	for line := range bytes.Lines(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})) {
		d.text.WriteString("        " + string(line))
	}
}

func (d *draft) fulcio(id string) {
	issuer := d.Signer.Issuer
	if issuer == "" {
		issuer = NoIssuer // which Parse takes for GitHub's releases alone
	}
	d.say(
		"  "+id+":",
		"    keyType: sigstore-oidc",
		"    scheme: fulcio",
		"    keyVal:",
		"      root: "+scalar(d.Root),
		"      issuer: "+scalar(issuer),
		"      identity: "+scalar(d.Signer.SAN),
	)
}

func (d *draft) workflow() {
	d.say(
		"  # Who may sign, in every field that the certificate has for it. The commit and",
		"  # the run are not here (sourceRepositoryDigest, runInvocationURI and such): which",
		"  # commit it was is for the statement to say, and pinned here it would forbid the",
		"  # next release.",
	)
	source, _ := d.Signer.Source()
	if strings.HasPrefix(source.Ref, "refs/tags/") {
		d.say(
			"  #",
			"  # It was signed on a tag, and extensions have no wildcard: this allows that one",
			"  # tag. For every tag, start from layouts/builder-only.yml.",
		)
	}
	d.fulcio(suggestedWorkflow)
	d.say("      extensions:")
	for _, e := range d.pinned() {
		line := fmt.Sprintf("        %s: %s", e, scalar(d.Signer.Extensions[e]))
		switch {
		case e == identity.SourceRepositoryIdentifier:
			line += " # numeric, survives a rename"
		case e == identity.SourceRepositoryOwnerIdentifier:
			line += " # the owner's"
		case e == identity.BuildConfigURI && d.Signer.SAN != d.Signer.Extensions[e]:
			line += " # what called it"
		}
		d.say(line)
	}
}

func (d *draft) step() {
	d.say("steps:", "  - name: "+scalar(d.Step))
	d.ruleList("expectedMaterials", d.materials)
	who := "functionaries: [" + suggestedPrincipal + "]"
	if d.claims.hasProducts {
		d.ruleList("expectedProducts", d.products)
	}
	d.say("    expectedPredicates:", fmt.Sprintf("      - {predicateType: %s, %s, threshold: 1}", scalar(d.PredicateType), who), "")
}

// ruleList writes two short rules in one line, and others in one each.
func (d *draft) ruleList(key string, rules []string) {
	const short = 20 // what ALLOW * and its like have
	if len(rules) <= 2 && !slices.ContainsFunc(rules, func(r string) bool { return len(r) > short }) {
		quoted := make([]string, len(rules))
		for i, r := range rules {
			quoted[i] = quote(r)
		}
		d.say("    " + key + ": [" + strings.Join(quoted, ", ") + "]")
		return
	}
	d.say("    " + key + ":")
	for _, r := range rules {
		if !isPlainRule(r) {
			r = quote(r)
		}
		d.say("      - " + r)
	}
}

func (d *draft) subjectList() {
	d.say("subjects:")
	if len(d.names) == 1 {
		d.say("  - {subject: [" + scalar(d.names[0]) + "], from: " + scalar(d.Step) + "}")
	} else {
		d.say("  - from: "+scalar(d.Step), "    subject:")
		for _, name := range d.names {
			d.say("      - " + scalar(name))
		}
	}
	d.say("", "deny: []")
}

// scalar writes a text as YAML: plain where nobody can read it as anything else,
// and otherwise in double quotes.
func scalar(s string) string {
	if isPlain(s) {
		return s
	}
	return quote(s)
}

// isPlain takes words of a letter and what may follow it, but for those that some
// reader of YAML knows as true, false or nothing.
func isPlain(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if s == "" || !strings.Contains(letters, s[:1]) || strings.Trim(s, letters+"0123456789._/@+-") != "" {
		return false
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: s}).ShortTag() == "!!str"
}

// isPlainRule takes a keyword and a pattern without what YAML would read: a
// comment, a bracket, a colon at the end.
func isPlainRule(s string) bool {
	keyword, pattern, _ := strings.Cut(s, " ")
	return isPlain(keyword) && (pattern == "*" || isPlain(strings.ReplaceAll(pattern, "://", "/")))
}

// quote writes a text in double quotes. Go's escapes are YAML's too (YAML 1.2.2,
// 5.7), and what cannot be seen is escaped, so that nobody signs what he does not
// read. FuzzSuggest shows it.
func quote(s string) string {
	if strings.ContainsFunc(s, hidden) {
		return strconv.QuoteToASCII(s)
	}
	return strconv.Quote(s)
}

// hidden reports whether r moves or hides what stands beside it, or cannot be told
// from a space.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == '\u2800' || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
