package layout

import (
	"fmt"
	"slices"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// sublayout judges a layout that a functionary signed in place of a link.
//
// "the verification algorithm will recurse into Bob's layout, perform
// verification and present a 'virtual' piece of link metadata … The materials of
// this virtual piece of link metadata will be those of the first step on Bob's
// sublayout, and the products will be those on the last step" (in-toto 1.0,
// 4.5.1; TestClassicSublayouts)
//
// The caller's parameters are not for it: what they mean is said by the outermost
// layout's owner.
func (c *classicCheck) sublayout(in stepInput, signed *attestation.Signed, k *kept, file attestation.LinkFile) (*verdict.Finding, []verdict.Finding) {
	k.told = &verdict.Sublayout{Step: in.name(), Source: signed.Source()}
	if len(in.scope.path) == MaxSublayoutDepth {
		k.told.Finding = &verdict.Finding{
			ID: verdict.SublayoutTooDeep, Found: fmt.Sprintf("sublayouts are nested more than %d deep", MaxSublayoutDepth),
			Expected: fmt.Sprintf("at most %d sublayouts inside each other", MaxSublayoutDepth), Next: "have the layouts' owners join some of them",
		}
		return k.told.Finding, nil
	}
	path := append(slices.Clone(in.scope.path), in.step.name)
	reader := &classicReader{name: signed.Source(), within: true, compat: c.compat, used: map[string]bool{}}
	layout := reader.parse(signed)
	findings := reader.problems
	if layout != nil {
		var owner []attestation.InTotoKey
		for _, by := range k.by {
			owner = append(owner, by.Key)
		}
		k.inner = c.layout(layout, scopeInput{folder: in.scope.folder.Folders[file.Name], path: path, owner: owner})
		findings = k.inner.findings
		if c.in.Trace {
			k.told.Trace = k.inner.trace()
		}
	}
	if len(findings) > 0 {
		for i := range findings {
			if findings[i].Step == "" || layout == nil {
				findings[i].Step = stepPath(in.scope.path, in.step.name)
			}
		}
		k.told.Finding = &findings[0]
		return &verdict.Finding{
			ID: verdict.SublayoutRefused, Found: "the sublayout is not satisfied: " + findings[0].Found,
			Expected: "a sublayout that is satisfied by the links in the folder " + file.Name, Next: "see the sublayout's own findings",
		}, findings
	}
	first, last := layout.steps[0], layout.steps[len(layout.steps)-1]
	from, to := k.inner.claims[first.name], k.inner.claims[last.name]
	summary := &claims{materials: from.materials, products: to.products, materialNames: from.materialNames, productNames: to.productNames, hasProducts: true}
	summary.key = summary.fingerprint()
	k.claims = summary
	return nil, nil
}

// inspections carries out a layout's inspections, and then runs their rules,
// which may match from steps and from one another.
func (c *classicCheck) inspections(s *scope, l *classicLayout, in scopeInput) {
	files := linksByStep(in.folder)
	linked := map[string]bool{}
	for _, i := range l.inspections {
		claims := c.presented(s, i, presentedInput{files: files[i.name], scope: in})
		var finding *verdict.Finding
		if linked[i.name] = claims != nil; claims == nil {
			claims, finding = c.inspect(s, i, in)
		}
		if finding != nil {
			finding.Step = stepPath(in.path, i.name)
			s.add(*finding)
			return
		}
		s.claims[i.name] = claims
	}
	for _, i := range l.inspections {
		c.rules(s, ruleInput{path: in.path, name: i.name, inspected: !linked[i.name], over: s.claims[i.name], materials: i.materials, products: i.products})
	}
}

// presentedInput are the files that may stand for an inspection, and where.
type presentedInput struct {
	files []attestation.LinkFile
	scope scopeInput
}

// presented takes a link in place of a sublayout's inspection.
//
// "A piece of signed link metadata is presented for the inspection. The key to
// sign for this piece of link metadata must be the same key used to sign the
// sublayout file." (in-toto 1.0, 4.5.3)
func (c *classicCheck) presented(s *scope, i *classicInspection, in presentedInput) *claims {
	owner := in.scope.owner
	for _, file := range in.files {
		if file.Envelope == nil || len(owner) == 0 {
			continue
		}
		signed, refusal := file.Envelope.Verify(attestation.Trusted{Keys: owner, Now: c.in.Now})
		if refusal != nil || signed.Type() != "link" {
			continue
		}
		link, finding := c.readLink(signed)
		if finding == nil && link.name == i.name {
			s.evidence = append(s.evidence, verdict.Evidence{
				Source: signed.Source(), SHA256: sha256Of(signed.Digest()), Verified: true, Counted: true,
				Signer: describeSigner(signed.SignedBy()[0]), Root: "key", Step: stepPath(in.scope.path, i.name), PredicateType: typeURI(signed),
			})
			return link.claims
		}
	}
	return nil
}

func (c *classicCheck) inspect(s *scope, i *classicInspection, in scopeInput) (*claims, *verdict.Finding) {
	if c.in.Inspect == nil {
		return nil, &verdict.Finding{
			ID: verdict.InspectionForbidden, Found: fmt.Sprintf("the layout wants %q run", i.run), Expected: "permission to run it",
			Next: "read the command; if you trust it, allow it with --allow-inspections",
		}
	}
	inspected, finding := c.in.Inspect(Inspection{Path: in.path, Name: i.name, Run: i.run})
	if finding != nil {
		return nil, finding
	}
	if inspected.Note != "" {
		s.notes = append(s.notes, inspected.Note)
	}
	materials, products := c.recorded("material"), c.recorded("product")
	materials.addAll(inspected.Materials)
	products.addAll(inspected.Products)
	return classicClaims(materials, products)
}
