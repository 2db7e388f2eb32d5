package attestation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/gitsign"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/openpgp"
	"github.com/signatus-dev/signatus/internal/sshsig"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// The predicate types of what a commit or a tag says with its own signature: those
// of gitsign's attestations, whose predicate is the object.
// Source: https://github.com/sigstore/gitsign/blob/main/docs/predicate.md
const (
	GitCommitPredicate = "https://gitsign.sigstore.dev/predicate/git/v0.1"
	GitTagPredicate    = "https://gitsign.sigstore.dev/predicate/tag/v0.1"
)

// Object is a raw git object as it was found.
type Object struct {
	Source string // where, for reports
	Data   []byte // as git cat-file prints it
	// ID is the name that it was asked for by; empty where nobody named it.
	ID string
	// Ref is the full name of the ref that led to it, such as refs/tags/v1.0.0; empty
	// where none did.
	Ref string
}

// gitObject is a signed git object as a candidate. One of ssh and pgp is set, or it
// was signed by gitsign.
type gitObject struct {
	gitobject.Signed
	ssh       *sshsig.Signature
	pgp       *openpgp.Signature
	statement Statement
}

// CandidateOfObject reads a signed commit or tag. What the object says becomes the
// candidate's statement: its only subject is the object itself.
func CandidateOfObject(o Object) (Candidate, *Refusal) {
	signed, err := gitobject.Split(o.Data)
	if errors.Is(err, gitobject.ErrUnsigned) {
		return Candidate{}, refuse(o.Source, verdict.GitObjectUnsigned, &reason{found: "reading the git object", cause: err, expected: "a commit or tag with a signature", next: "have its author sign it (git commit -S, git tag -s), or attest it (signatus attest --commit ID)"})
	}
	if err == nil {
		err = o.named(signed)
	}
	if err != nil {
		id := verdict.GitObjectMalformed
		if errors.Is(err, errTagName) {
			id = verdict.TagNameDiffers
		}
		return Candidate{}, refuse(o.Source, id, &reason{found: "reading the git object", cause: err, expected: "an object that is read in one way only, under its own name", next: "do not use it: git itself writes no such object"})
	}
	c := Candidate{source: o.Source, digest: digestOf(o.Data), entity: &entity{object: &gitObject{Signed: signed}}}
	if c.entity.object.statement, err = statementOf(signed); err != nil {
		return Candidate{}, refuse(o.Source, verdict.GitObjectMalformed, &reason{found: "reading the git object", cause: err})
	}
	if why := c.entity.readObject(); why != nil {
		return Candidate{}, why.at(o.Source)
	}
	return c, nil
}

var errTagName = errors.New("it is another tag's")

// named holds the object to the names that led to it. A tag is signed with its name,
// so that a good old one cannot be served as a new one.
func (o Object) named(signed gitobject.Signed) error {
	if o.ID != "" && o.ID != signed.ID {
		return fmt.Errorf("its bytes hash to %s, expected %.80s", signed.ID, o.ID)
	}
	name, isTag := strings.CutPrefix(o.Ref, "refs/tags/")
	if isTag && signed.Kind == gitobject.TagKind && name != signed.Tag.Name {
		return fmt.Errorf("%w: it is the tag %.80q and was served as %.80q", errTagName, signed.Tag.Name, name)
	}
	return nil
}

// readObject reads the object's signature, in the format that it has.
func (e *entity) readObject() *placeless {
	var err error
	switch signed := e.object.Signed; signed.Format {
	case gitobject.SSH:
		e.object.ssh, err = sshsig.Parse(signed.Signature)
	case gitobject.OpenPGP:
		e.object.pgp, err = openpgp.ParseSignature(signed.Signature)
		if err == nil && e.object.pgp.ByForge() {
			return &placeless{verdict.ForgeKey, &reason{
				found:    "it is signed with a key of GitHub's own, which signs what anybody does on its web pages",
				expected: "the author's own signature",
				next:     "have the author attest the commit (signatus attest --commit ID), or push one that is signed by its author",
			}}
		}
	case gitobject.X509:
		var s *gitsign.Signature
		if s, err = gitsign.Parse(signed.Signature, signed.Payload); err == nil {
			e.bundle = &bundle.Bundle{Bundle: s.Bundle()}
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gitsign.ErrUnproven):
		return &placeless{verdict.NoProvenTime, &reason{
			found: "reading its gitsign signature", cause: err, expected: "a log entry in the signature, or an RFC 3161 timestamp",
			next: "sign with  git config gitsign.rekorMode offline  (or gitsign.timestampServerURL), or attest the commit (signatus attest --commit ID)",
		}}
	}
	return &placeless{verdict.SignatureInvalid, &reason{found: "reading the object's signature", cause: err, next: "have it signed again"}}
}

// statementOf says what the object says, as gitsign's own attestations do.
func statementOf(signed gitobject.Signed) (Statement, error) {
	s := Statement{Type: statementV1, PredicateType: GitCommitPredicate}
	digest := map[string]string{}
	var source any
	switch signed.Kind {
	case gitobject.CommitKind:
		c := signed.Commit
		digest["gitCommit"], digest["gitTree"] = signed.ID, c.Tree
		source = commitSource{c.Tree, c.Parents, personOf(c.Author), personOf(c.Committer), text(c.Message)}
	default:
		s.PredicateType = GitTagPredicate
		if kind := signed.Tag.Kind; kind != gitobject.CommitKind {
			return Statement{}, fmt.Errorf("it is a tag of a %s, expected one of a commit", kind)
		}
		digest["gitTag"], digest["gitCommit"] = signed.ID, signed.Tag.Object
		source = tagSource{signed.Tag.Object, string(signed.Tag.Kind), text([]byte(signed.Tag.Name)), personOf(signed.Tag.Tagger), text(signed.Tag.Message)}
	}
	predicate, err := json.Marshal(struct {
		Source    any    `json:"source"`
		Signature string `json:"signature"`
	}{source, string(signed.Signature)})
	if err != nil {
		return Statement{}, fmt.Errorf("writing its statement: %w", err)
	}
	s.Predicate = predicate
	subject, err := artifact.NewResource("_", "", digest)
	if err != nil {
		return Statement{}, err
	}
	s.Subjects = []artifact.Resource{subject}
	return s, nil
}

type commitSource struct {
	Tree      string   `json:"tree"`
	Parents   []string `json:"parents,omitempty"`
	Author    person   `json:"author"`
	Committer person   `json:"committer"`
	Message   string   `json:"message"`
}

type tagSource struct {
	Object  string `json:"object"`
	Kind    string `json:"object_type"`
	Tag     string `json:"tag"`
	Tagger  person `json:"tagger"`
	Message string `json:"message"`
}

type person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Date  string `json:"date"`
}

func personOf(p gitobject.Person) person {
	return person{text([]byte(p.Name)), text([]byte(p.Email)), p.Date.UTC().Format(time.RFC3339)}
}

// text is UTF-8, which JSON demands and git does not.
func text(raw []byte) string { return strings.ToValidUTF8(string(raw), "\uFFFD") }

// openObject verifies an SSH or OpenPGP signature with one key.
func (c Candidate) openObject(k Key) (*Verified, error) {
	o := c.entity.object
	v := &Verified{source: c.source, digest: c.digest, signer: k.signer, statement: o.statement, object: &o.Signed}
	var err error
	switch {
	case o.ssh != nil && k.authority:
		err = v.certified(o, k)
	case o.ssh != nil && k.form != pgpForm:
		err = o.ssh.Verify(o.Payload, sshsig.GitNamespace, k.ssh)
		if err != nil && o.ssh.Certified() {
			return nil, c.otherKind(&reason{found: "its key comes with an SSH certificate", expected: "a signature with a bare key", next: "name the authority that certified it"})
		}
	case o.pgp != nil && k.form == pgpForm:
		var window openpgp.Window
		window, err = o.pgp.Verify(o.Payload, k.pgp)
		v.validFrom, v.end = window.Start, window.End
	default:
		return nil, c.otherKind(&reason{found: fmt.Sprintf("the git object has an %s signature, and the key is of another kind", o.Format), expected: "a signature with the given key", next: "give the key that it was signed with, if you trust it: --key takes one in PEM, of SSH or of OpenPGP"})
	}
	if err != nil {
		return nil, c.notVerified(err)
	}
	return v, nil
}

// certified verifies under an SSH authority: the signer is the key that it
// certified, for the principals that it named.
func (v *Verified) certified(o *gitObject, k Key) error {
	certificate, err := o.ssh.VerifyCertified(o.Payload, sshsig.GitNamespace, k.ssh)
	if err != nil {
		return err
	}
	spki, err := certificate.Key.SPKI()
	if err != nil {
		return err
	}
	v.signer = identity.FromPublicKey(spki)
	v.signer.Authority, v.signer.Principals = k.signer.Key, certificate.Principals
	v.validFrom, v.end = certificate.After, certificate.Before
	return nil
}

func (c Candidate) notVerified(err error) *Refusal {
	why := &reason{found: "its signature does not verify", cause: err, next: "it was changed after signing, or signed for something else: do not use it"}
	if slices.ContainsFunc([]error{sshsig.ErrWeak, openpgp.ErrWeak}, func(weak error) bool { return errors.Is(err, weak) }) {
		why.next = "have it signed again with a current key and hash"
		return refuse(c.source, verdict.SignatureWeak, why)
	}
	if errors.Is(err, sshsig.ErrOtherKey) || errors.Is(err, openpgp.ErrOtherKey) {
		why.found, why.next = "the given key did not sign it", "name the key that must have signed, or have it signed with this one"
		return c.otherKind(why)
	}
	return c.invalid(why)
}
