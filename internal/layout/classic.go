package layout

import (
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of a classic layout. Each has a test.
const (
	MaxClassicKeys = 1024
	MaxInspections = 256
	MaxRules       = 10_000 // in one rule list
	MaxArtifacts   = 1 << 18
	// MaxSublayoutDepth is how deep layouts nest, the outermost not counted.
	MaxSublayoutDepth = 8
)

// classicLayout is a layout of in-toto 1.0 with its parameters filled. Only
// parseClassic makes one.
type classicLayout struct {
	name        string
	expires     time.Time
	authorities *attestation.Authorities
	steps       []*classicStep
	inspections []*classicInspection
}

// classicStep is one step: who may sign its links, how many must, and the rules.
type classicStep struct {
	name        string
	threshold   int
	keys        []attestation.InTotoKey
	constraints []certificateConstraint
	materials   []boundRule
	products    []boundRule
	command     []string // suggested, and never more than a note
}

// classicInspection is one inspection.
type classicInspection struct {
	name      string
	run       []string
	materials []boundRule
	products  []boundRule
}

// Inspection is a command that a layout wants run on the final product, its
// parameters filled. Path names the sublayouts around it, outermost first.
type Inspection struct {
	Path []string
	Name string
	Run  []string
}

// Inspected is what an inspection recorded: digests by name and algorithm, of
// what was there before and after it.
type Inspected struct {
	Materials, Products map[string]map[string]string
	// Note tells what was done, for the report; it may be empty.
	Note string
}

// Inspect carries an inspection out. A finding says why it failed, or why it was
// not carried out at all.
type Inspect func(Inspection) (Inspected, *verdict.Finding)

// ClassicInput is what CheckClassic judges.
type ClassicInput struct {
	// Name is what reports call the layout; Layout is the file as it was found.
	Name   string
	Layout *attestation.Envelope
	// Keys are the caller's, of whom every one must have signed the layout. None
	// at all is refused.
	Keys []attestation.InTotoKey
	// Threshold, if set, is how many of them are enough.
	Threshold int
	// Links may be nil: there are none.
	Links      *attestation.LinkFolder
	Parameters map[string]string
	// Now is the instant of judgement; it must be set.
	Now time.Time
	// Compat reads what in-toto 1.0 leaves open as its implementations do.
	Compat bool
	// Trace asks for an account of every rule.
	Trace bool
	// Inspect carries out inspections; with nil a layout that has any is refused.
	Inspect Inspect
}

// ClassicResult is what became of a classic layout, before any artifact.
type ClassicResult struct {
	// Expires and SignedBy are known once the layout's signatures verified.
	Expires  time.Time
	SignedBy []string
	// Judged reports that the layout is signed as was asked, can be read and holds:
	// what is denied then is denied by it.
	Judged bool
	// Relaxed names each relaxation that was used, one line each, and Relaxations their
	// words alone, each once and sorted.
	Relaxed     []string
	Relaxations []string

	verdict   verdict.Verdict
	satisfied bool
	last      *claims // of the last step
	lastStep  string
}

// Verdict is the answer for one artifact, or with nil for none: the links satisfy
// the layout, and nothing says what they have to do with anything in hand.
func (r *ClassicResult) Verdict(a *artifact.Artifact) verdict.Verdict {
	v := r.verdict
	if a != nil {
		v.Artifact = *a
	}
	switch {
	case !r.satisfied:
		return v
	case a == nil:
		v.Notes = append(v.Notes[:len(v.Notes):len(v.Notes)], "no artifact bound: the links satisfy the layout, and no file was compared with them; name the artifact to have it compared with the products of step "+r.lastStep)
		return v.Allow()
	}
	if finding := r.product(a); finding != nil {
		return v.Deny(*finding)
	}
	return v.Allow()
}

// product says why the artifact is none of the last step's products.
//
// "one that is given must be a product of the last step" (docs/classic.md)
func (r *ClassicResult) product(a *artifact.Artifact) *verdict.Finding {
	for _, product := range r.last.products {
		if product.Digest.Join(a.Digest, artifact.Accepted()) == artifact.Joined {
			return nil
		}
	}
	return &verdict.Finding{
		ID: verdict.ArtifactNotProduct, Found: shortest(a.Digest) + " is none of the products of step " + r.lastStep,
		Expected: "a product of the last step, " + r.lastStep, Next: "take the file that this step made, or links of this release",
	}
}

// shortest is one digest of an artifact, the usual one where it has it.
func shortest(d artifact.DigestSet) string {
	if value, ok := d[artifact.SHA256]; ok {
		return string(artifact.SHA256) + ":" + value
	}
	return d.String()
}
