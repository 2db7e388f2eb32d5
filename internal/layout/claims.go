package layout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// LinkV03 is in-toto's link.
const LinkV03 = "https://in-toto.io/attestation/link/v0.3"

// claims is what one statement says, in the terms of artifact rules. Materials
// that the signer's certificate proves are plain; those that it does not know
// are asserted.
type claims struct {
	materials   artifact.Set
	products    artifact.Set
	hasProducts bool
	linkName    string       // the step that a link names
	summary     *vsa.Summary // of a verification summary
	// nameless is the git product of a statement that names no repository; a copy of
	// the claims for one step has it among its products, under givenName.
	nameless  *artifact.Resource
	givenName string
	key       string // equal for statements with equal materials and products
	// tree and ref are what an author's word on a commit says further, which the key
	// leaves out; empty where it does not.
	tree, ref string
	treeRead  bool // the tree stands in the very commit that was signed
	// The names of both sets in order, for the rules.
	materialNames, productNames []string
}

// readClaims reads a verified statement. "Links and provenance have materials
// and products. For every other predicate type, materials are its subjects and
// expectedProducts does not apply." (docs/layout.md 3.)
//
// readPredicate is false for the conformance verb alone, which asks about the
// signature and the subjects only.
func readClaims(v *attestation.Verified, readPredicate, gitHash256 bool) (*claims, *verdict.Finding) {
	statement := v.Statement()
	subjects := artifact.Set{}
	for _, s := range statement.Subjects {
		if err := subjects.Add(s); err != nil {
			return nil, refuse(verdict.DescriptorConflict, err)
		}
	}
	c := &claims{materials: artifact.Set{}, products: artifact.Set{}}
	var finding *verdict.Finding
	switch {
	case statement.MessageSignature():
		c.products, c.hasProducts = subjects, true
	case !readPredicate:
		c.materials = subjects
	case provenance.Is(statement.PredicateType):
		c.products, c.hasProducts = subjects, true
		finding = c.readProvenance(v)
	case v.GitObject() != nil || isAuthorization(statement.PredicateType):
		c.hasProducts = true
		finding = c.readAuthor(v)
	case statement.PredicateType == attestation.GitCommitPredicate || statement.PredicateType == attestation.GitTagPredicate:
		return nil, notAuthors("it is somebody's attestation about a git object, not the object's own signature")
	case statement.PredicateType == LayoutPredicate: // what it says is known when its layout is judged
		c.products, c.hasProducts = subjects, true
	case statement.PredicateType == LinkV03:
		c.products, c.hasProducts = subjects, true
		finding = c.readLink(statement.Predicate)
	default:
		c.materials = subjects
		finding = c.readSummary(statement)
	}
	if finding != nil {
		return nil, finding
	}
	if readPredicate {
		if finding := c.witness(v.Signer()); finding != nil {
			return nil, finding
		}
	}
	if gitHash256 {
		if finding := c.demandSHA256(); finding != nil {
			return nil, finding
		}
	}
	c.materialNames, c.productNames = c.materials.Names(), c.products.Names()
	c.key = c.fingerprint()
	c.further()
	return c, nil
}

// hasProducts reports whether statements of a type have materials and products.
func hasProducts(predicateType string) bool {
	return provenance.Is(predicateType) || predicateType == LinkV03 || predicateType == LayoutPredicate || isAuthor(predicateType)
}

func (c *claims) readProvenance(v *attestation.Verified) *verdict.Finding {
	statement := v.Statement()
	facts, err := provenance.Read(statement.PredicateType, statement.Predicate)
	if err != nil {
		return refuse(verdict.PredicateMalformed, err)
	}
	if finding := contradiction(facts, v.Signer()); finding != nil {
		return finding
	}
	return c.addMaterials(facts.Materials)
}

// readLink reads in-toto's link predicate v0.3.
// Source: https://github.com/in-toto/attestation/blob/main/spec/predicates/link.md
func (c *claims) readLink(predicate []byte) *verdict.Finding {
	var link struct {
		Name      string                  `json:"name"`
		Materials []provenance.Descriptor `json:"materials"`
	}
	if err := json.Unmarshal(predicate, &link); err != nil {
		return refuse(verdict.PredicateMalformed, fmt.Errorf("reading link v0.3: %w", err))
	}
	if link.Name == "" {
		return refuse(verdict.PredicateMalformed, fmt.Errorf("reading link v0.3: it names no step"))
	}
	c.linkName = link.Name
	return c.addMaterials(link.Materials)
}

func (c *claims) addMaterials(materials []provenance.Descriptor) *verdict.Finding {
	for _, m := range materials {
		resource, err := artifact.NewResource(m.Name, m.URI, m.Digest)
		if err != nil {
			return refuse(verdict.PredicateMalformed, fmt.Errorf("reading materials: %w", err))
		}
		if err := c.materials.Add(resource); err != nil {
			return refuse(verdict.DescriptorConflict, err)
		}
	}
	return nil
}

// readSummary reads a verification summary, and refuses one that says that the
// verification failed, whoever asks.
func (c *claims) readSummary(statement attestation.Statement) *verdict.Finding {
	if !vsa.Is(statement.PredicateType) {
		return nil
	}
	summary, err := vsa.Read(statement.PredicateType, statement.Predicate)
	if err != nil {
		return refuse(verdict.PredicateMalformed, err)
	}
	if summary.Result != vsa.Passed {
		return &verdict.Finding{
			ID: verdict.VSANotPassed, Expected: "verificationResult PASSED", Found: fmt.Sprintf("verificationResult %q", summary.Result),
			Next: "find out why that verification failed; its summary is evidence against the artifact",
		}
	}
	if slices.Contains(summary.Levels, vsa.Failed) {
		return &verdict.Finding{
			ID: verdict.VSANotPassed, Expected: "verificationResult PASSED, and no level FAILED", Found: "verificationResult \"PASSED\" beside the level FAILED",
			Next: "find out what its verifier meant; a verification that passed states no such level",
		}
	}
	c.summary = &summary
	return nil
}

// demandSHA256 holds git object ids to 64 digits where the layout says
// gitHash: sha256.
func (c *claims) demandSHA256() *verdict.Finding {
	own := artifact.Set{}
	if c.nameless != nil {
		own["the git object"] = *c.nameless
	}
	for _, set := range []artifact.Set{c.materials, c.products, own} {
		for name, resource := range set {
			for _, alg := range []artifact.Algorithm{artifact.GitCommit, artifact.GitTree, artifact.GitTag} {
				if id := resource.Digest[alg]; id != "" && len(id) != 64 {
					return &verdict.Finding{
						ID: verdict.WeakGitHash, Expected: "a SHA-256 object id of 64 digits, as the layout's gitHash demands",
						Found: fmt.Sprintf("%s %s of %s", alg, id, name), Next: "attest a repository with SHA-256 objects, or remove gitHash",
					}
				}
			}
		}
	}
	return nil
}

// fingerprint is equal for equal claims: names, digests and whether they are
// asserted, in order. The ref of a git source is an attribute and not in it.
func (c *claims) fingerprint() string {
	sum := sha256.New()
	var line bytes.Buffer
	for _, set := range []artifact.Set{c.materials, c.products} {
		for _, name := range set.Names() {
			r := set[name]
			line.Reset()
			fmt.Fprintf(&line, "%q %t", name, r.Asserted)
			for _, alg := range r.Digest.Algorithms() {
				fmt.Fprintf(&line, " %q %q", alg, r.Digest[alg])
			}
			line.WriteByte('\n')
			sum.Write(line.Bytes())
		}
		sum.Write([]byte("--\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// subjectNames returns the names under which the statement has the artifact.
func subjectNames(v *attestation.Verified, a artifact.Artifact, accepted []artifact.Algorithm) []string {
	var names []string
	for _, s := range v.Statement().Subjects {
		if s.Digest.Join(a.Digest, accepted) == artifact.Joined {
			names = append(names, s.Name.Text)
		}
	}
	return names
}

func refuse(id verdict.ID, err error) *verdict.Finding {
	return &verdict.Finding{
		ID: id, Expected: "a statement that says one thing", Found: err.Error(),
		Next: "have the signer attest again with a tool that writes the format as specified",
	}
}
