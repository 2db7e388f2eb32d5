package layout

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// gittuf's statements about a change to a ref, by which its authors or a forge's
// reviewers approve the tree that comes of it.
// Source: https://github.com/gittuf/gittuf/blob/main/docs/design-document.md
const (
	AuthorizationV01 = "https://gittuf.dev/reference-authorization/v0.1"
	AuthorizationV02 = "https://gittuf.dev/reference-authorization/v0.2"
	ApprovalV01      = "https://gittuf.dev/github-pull-request-approval/v0.1"
)

func isAuthorization(predicateType string) bool {
	return slices.Contains([]string{AuthorizationV01, AuthorizationV02, ApprovalV01}, predicateType)
}

// isAuthor reports whether statements of a type are an author's word on a source:
// that is their product, and they have no materials.
func isAuthor(predicateType string) bool {
	return predicateType == attestation.GitCommitPredicate || predicateType == attestation.GitTagPredicate || isAuthorization(predicateType)
}

// readAuthor reads what an author says of a source. No such statement names the
// repository: it is whoever has the object.
func (c *claims) readAuthor(v *attestation.Verified) *verdict.Finding {
	if v.GitObject() == nil {
		return c.readAuthorization(v.Statement())
	}
	c.nameless = &artifact.Resource{Digest: v.Statement().Subjects[0].Digest}
	c.treeRead = v.GitObject().Kind == gitobject.CommitKind
	if tag := v.GitObject(); tag.Kind == gitobject.TagKind {
		c.nameless.Name.Ref = "refs/tags/" + tag.Tag.Name
	}
	return nil
}

// readAuthorization reads gittuf's predicates: the predicate and the only subject
// must name one tree, or for a tag one commit.
func (c *claims) readAuthorization(s attestation.Statement) *verdict.Finding {
	var said struct {
		TargetRef    string   `json:"targetRef"`
		TargetTreeID string   `json:"targetTreeID"`
		TargetID     string   `json:"targetID"`
		Approvers    []string `json:"approvers"`
	}
	if err := json.Unmarshal(s.Predicate, &said); err != nil {
		return refuse(verdict.PredicateMalformed, fmt.Errorf("reading gittuf's predicate: %w", err))
	}
	target := said.TargetTreeID
	if s.PredicateType == AuthorizationV02 {
		target = said.TargetID
	}
	switch {
	case len(s.Subjects) != 1 || len(s.Subjects[0].Digest) != 1:
		return refuse(verdict.PredicateMalformed, fmt.Errorf("reading gittuf's predicate: expected one subject with one digest"))
	case !gitobject.ValidID(target) || said.TargetRef == "":
		return refuse(verdict.PredicateMalformed, fmt.Errorf("reading gittuf's predicate: it names no target or no ref"))
	case s.PredicateType == ApprovalV01 && len(said.Approvers) == 0:
		return notAuthors("it is an approval by nobody: every approver was dismissed")
	}
	digest := s.Subjects[0].Digest
	switch {
	case digest[artifact.GitTree] == target:
	case digest[artifact.GitCommit] == target && s.PredicateType == AuthorizationV02:
	default:
		return refuse(verdict.PredicateMalformed, fmt.Errorf("reading gittuf's predicate: it speaks of %.80s, and its subject is %s", target, digest))
	}
	c.nameless = &artifact.Resource{Name: artifact.Name{Ref: said.TargetRef}, Digest: digest}
	return nil
}

func notAuthors(found string) *verdict.Finding {
	return &verdict.Finding{
		ID: verdict.NotAuthorsSignature, Expected: "the author's own word", Found: found,
		Next: "hand the raw commit or tag (git cat-file -p ID > ID.commit), or have the author attest it",
	}
}

// claimsFor gives what a statement claims in a step.
//
// "A commit's own signature names no repository: the report says so." Its product
// is therefore called what the step requires, as its rules demand one repository
// and an id that only that commit has. TestNameless
func (c *check) claimsFor(s *statement, step *boundStep) (*claims, *verdict.Finding) {
	if s.claims.nameless == nil {
		return s.claims, nil
	}
	name, finding := c.requiredSource(step)
	if finding != nil {
		return nil, finding
	}
	if known, ok := s.named[name.Text]; ok {
		return known, nil
	}
	named := *s.claims
	product := *named.nameless
	product.Name.Text, product.Name.Git = name.Text, name.Git
	product.Bound = product.Name.Ref != ""
	named.products, named.givenName = artifact.Set{name.Text: product}, name.Text
	if finding := named.witness(s.verified.Signer()); finding != nil {
		return nil, finding
	}
	named.productNames = named.products.Names()
	named.key = named.fingerprint()
	named.further()
	if s.named == nil {
		s.named = map[string]*claims{}
	}
	s.named[name.Text] = &named
	return &named, nil
}

// requiredSource is the one git source that a step's products must have.
func (c *check) requiredSource(step *boundStep) (artifact.Name, *verdict.Finding) {
	if c.Layout.simple {
		return artifact.Name{Text: "_"}, nil
	}
	var found []artifact.Name
	for _, r := range step.products {
		if r.kind != requireRule {
			continue
		}
		if name, err := artifact.ParseName(r.name); err == nil && name.Git && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return artifact.Name{}, &verdict.Finding{
			ID: verdict.RepositoryNotNamed, Step: step.name, Expected: "a step whose expectedProducts REQUIRE exactly one git source",
			Found: fmt.Sprintf("the signature names no repository, and the step requires %s", plural(len(found), "git source")),
			Next:  "write REQUIRE git+https://HOST/OWNER/REPOSITORY in the step's expectedProducts",
		}
	}
	return found[0], nil
}

// isTag holds a signed tag to the name under which it was served: it is signed with
// its name, so that v1.0.0 cannot be served as v2.0.0.
func (c *check) isTag(v *attestation.Verified) *verdict.Finding {
	if c.TagName == "" {
		return nil
	}
	f := &verdict.Finding{ID: verdict.TagNameDiffers, Expected: "the signed tag " + c.TagName, Found: "it is no signed tag", Next: "hand the tag object: git cat-file -p refs/tags/" + c.TagName}
	if tag := v.GitObject(); tag != nil && tag.Kind == gitobject.TagKind {
		if tag.Tag.Name == c.TagName {
			return nil
		}
		f.Found = "it is the tag " + tag.Tag.Name
		f.Next = "do not use it: a tag that is served under another name than it was signed with may be an old one"
	}
	return f
}
