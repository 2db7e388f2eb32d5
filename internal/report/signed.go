package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// SignedSchema identifies the JSON report of what was signed.
const SignedSchema = "https://signatus.dev/schemas/signed/v1"

// Signed is everything that a report tells of what was signed. By then all of it
// has been verified, and kept in some place.
type Signed struct {
	Tool    string    // the version of this program
	At      time.Time // when the run began
	Bundles []*SignedBundle
	// Stored is what became of each bundle in each place that was asked for.
	Stored []Stored
	// Instance is where it was signed; zero for a key alone.
	Instance Instance
	// Skipped says of which kind a run is in which nothing was to be signed; empty for
	// one where it was. There are no bundles then.
	Skipped string
	// Layout is the file with the suggested layout; empty for none. LayoutText is what is
	// in it.
	Layout     string
	LayoutText string
	Notes      []string // what the reader should know, one line each
	Warnings   []string
	Loosenings []string // the flags in use that guard less, as they were typed
}

// Instance is the Sigstore instance that signed.
type Instance struct {
	Name   string // public-good, github or custom
	Reason string // why it was this one
}

// SignedBundle is one bundle that was signed and verified.
type SignedBundle struct {
	Path          string // the file that it was written into; empty for none
	Ref           string // the git ref with the note that it was written into; empty for none
	PredicateType string
	Step          string // of a layout, which a link names; empty for all else
	Subjects      []Subject
	Signer        identity.Signer
	Root          string // the trusted root that it verified under; empty for a key alone
	Times         []verdict.Time
	Entries       []LogEntry
	Fields        []Field // what a provenance states
	Verify        string  // a command that verifies it, as a shell takes it
	// VerifyWithGitHub is one of GitHub's own client; empty where that cannot.
	VerifyWithGitHub string
}

// Subject is what a statement is about.
type Subject struct {
	Name   string
	URI    string
	Digest artifact.DigestSet
}

// LogEntry is a place in a transparency log.
type LogEntry struct {
	Log   string // base URL
	Index int64
}

// Field is a value of a provenance: proven by an extension of the certificate, or
// only asserted, and by whom.
type Field struct {
	Pointer, Value string
	Proof, Origin  string // one of them is empty
}

// maxSubjects is how many subjects of a bundle a report that is not verbose names.
const maxSubjects = 10

// SignedText writes the report for people: a block for each bundle, then what they
// should know, then how to verify.
func SignedText(w io.Writer, d Signed, o Options) error {
	p := &page{color: o.Color, verbose: o.Verbose}
	for i, b := range d.Bundles {
		p.gap()
		p.signed(b)
		p.stored(d, i)
		p.folding("what the certificate proves, and what is only asserted", func() { p.stated(b.Fields) })
	}
	var facts []fact
	if d.Instance.Name != "" {
		facts = append(facts, fact{label: "instance", text: Clean(d.Instance.Name + ": " + d.Instance.Reason)})
	}
	facts = append(facts, list("note", plain, d.Notes)...)
	if d.Layout != "" {
		facts = append(facts, fact{label: "layout", text: Clean(d.Layout) + " allows artifacts of these names, signed so by this signer: these, and the next ones"})
	}
	facts = append(facts, list("loosened", yellow, d.Loosenings)...)
	facts = append(facts, list("warning", yellow, d.Warnings)...)
	if len(d.Bundles) > 0 && d.Bundles[0].Verify != "" {
		facts = append(facts, fact{label: "verify", text: clean(d.Bundles[0].Verify, maxProse)})
	}
	if len(facts) > 0 {
		p.gap()
	}
	column := width(each(facts, func(f fact) string { return f.label })...)
	for _, f := range facts {
		p.line(0, f.style, pad(f.label, column), "  "+f.text)
	}
	if err := p.writeTo(w, o.Fold); err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	return nil
}

// signed writes the block of one bundle.
func (p *page) signed(b *SignedBundle) {
	what := verdict.PredicateName(b.PredicateType)
	if b.Step != "" {
		what += ", step " + Clean(b.Step)
	}
	p.line(0, green, "signed", ": "+p.subjects(b.Subjects))
	p.line(2, plain, "", "what    "+what)
	p.line(2, plain, "", "by      "+Clean(b.Signer.String()))
	for i, t := range b.Times {
		if i == 0 || p.verbose {
			p.line(2, plain, "", "when    "+proof(t))
		}
	}
	if len(b.Times) == 0 {
		p.line(2, plain, "", "when    no proven time")
	}
	for _, e := range b.Entries {
		p.line(2, plain, "", fmt.Sprintf("logged  %s, index %d", Clean(e.Log), e.Index))
	}
	if b.Path != "" {
		p.line(2, plain, "", "bundle  "+Clean(b.Path))
	}
	if b.Ref != "" {
		p.line(2, plain, "", "note    "+Clean(b.Ref))
	}
}

// subjects names a few of them, with the digest where there is but one.
func (p *page) subjects(subjects []Subject) string {
	if len(subjects) == 1 {
		s := subjects[0]
		if s.URI != "" {
			return Clean(s.URI) + " " + clean(s.Digest.String(), maxProse)
		}
		return Clean(s.Name) + " " + clean(s.Digest.String(), maxProse)
	}
	names := each(subjects, func(s Subject) string { return Clean(s.Name) })
	if n := len(names) - maxSubjects; n > 0 && !p.verbose {
		names = append(names[:maxSubjects:maxSubjects], fmt.Sprintf("and %d more", n))
	}
	return fmt.Sprintf("%d subjects: %s", len(subjects), strings.Join(names, ", "))
}

// stated tells what the certificate proves from what is only asserted.
func (p *page) stated(fields []Field) {
	for _, part := range []struct {
		headline string
		asserted bool
	}{{"the certificate proves", false}, {"only asserted", true}} {
		var lines []Field
		for _, f := range fields {
			if (f.Proof == "") == part.asserted {
				lines = append(lines, f)
			}
		}
		if len(lines) == 0 {
			continue
		}
		shared := part.asserted && len(lines) > 3 && !slices.ContainsFunc(lines, func(f Field) bool { return f.Origin != lines[0].Origin })
		if shared {
			part.headline += " (" + Clean(lines[0].Origin) + ")"
		}
		p.line(2, plain, "", part.headline+":")
		column := width(each(lines, fieldName)...)
		for _, f := range lines {
			text := pad(fieldName(f), column) + "  " + Clean(f.Value)
			switch {
			case part.asserted && !shared:
				text += "  (" + Clean(f.Origin) + ")"
			case !part.asserted && p.verbose:
				text += "  (" + Clean(f.Proof) + ")"
			}
			p.line(4, plain, "", text)
		}
	}
}

// fieldName is a pointer without the parts that all of them share.
func fieldName(f Field) string {
	name := f.Pointer
	for _, prefix := range []string{"/buildDefinition/externalParameters/", "/buildDefinition/internalParameters/", "/buildDefinition/", "/runDetails/metadata/", "/runDetails/"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			name = rest
			break
		}
	}
	return Clean(strings.TrimPrefix(name, "/"))
}

type signedView struct {
	Schema        string             `json:"$schema"`
	SchemaVersion string             `json:"schemaVersion"`
	Tool          toolView           `json:"tool"`
	At            string             `json:"signedAt"`
	Bundles       []signedBundleView `json:"bundles"`
	Stored        []storedView       `json:"stored"`
	Instance      instanceView       `json:"instance"`
	Layout        string             `json:"layout"`
	Notes         []string           `json:"notes"`
	Warnings      []string           `json:"warnings"`
	Loosenings    []string           `json:"loosenings"`
}

type instanceView struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

type signedBundleView struct {
	Path          string         `json:"path"`
	Ref           string         `json:"ref"`
	PredicateType string         `json:"predicateType"`
	Step          string         `json:"step"`
	Subjects      []subjectView  `json:"subjects"`
	Signer        signerView     `json:"signer"`
	Key           string         `json:"key"`
	Entries       []logEntryView `json:"entries"`
	Fields        []fieldView    `json:"fields"`
	Verify        string         `json:"verify"`
}

type subjectView struct {
	Name   string             `json:"name"`
	URI    string             `json:"uri"`
	Digest artifact.DigestSet `json:"digest"`
}

type logEntryView struct {
	Log   string `json:"log"`
	Index int64  `json:"index"`
}

type fieldView struct {
	Pointer string `json:"pointer"`
	Value   string `json:"value"`
	Proof   string `json:"proof"`
	Origin  string `json:"origin"`
}

// SignedJSON writes the report as one JSON object and a line feed, as
// docs/signed.schema.json describes it, in the manner of [JSON].
func SignedJSON(w io.Writer, d Signed) error {
	view := signedView{
		Schema: SignedSchema, SchemaVersion: SchemaVersion, Tool: toolView{Name: "signatus", Version: d.Tool}, At: instant(d.At),
		Bundles: each(d.Bundles, viewSigned), Stored: each(d.Stored, func(s Stored) storedView { return storedView(s) }), Instance: instanceView(d.Instance), Layout: d.Layout, Notes: d.Notes, Warnings: d.Warnings, Loosenings: d.Loosenings,
	}
	return writeObject(w, view, "JSON report")
}

func viewSigned(b *SignedBundle) signedBundleView {
	return signedBundleView{
		Path: b.Path, Ref: b.Ref, PredicateType: b.PredicateType, Step: b.Step, Key: b.Signer.Key, Verify: b.Verify,
		Subjects: each(b.Subjects, func(s Subject) subjectView { return subjectView(s) }),
		Signer: signerView{
			Name: b.Signer.String(), Issuer: b.Signer.Issuer, Identity: b.Signer.SAN, Root: b.Root,
			Times: each(b.Times, func(t verdict.Time) timeView { return timeView{instant(t.Instant), t.By, t.Kind} }),
		},
		Entries: each(b.Entries, func(e LogEntry) logEntryView { return logEntryView(e) }),
		Fields:  each(b.Fields, func(f Field) fieldView { return fieldView(f) }),
	}
}
