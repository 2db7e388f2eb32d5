package attestation

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"sync"

	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"golang.org/x/mod/semver"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// entity is a bundle as sigstore-go's verifier asks for it. sigstore-go's own
// bundle parses the certificate, the envelope and the log entries again at
// every question; this one parses each once, for all roots it is tried under.
// It is read-only after parse, so that one candidate may be opened under two
// roots at once.
type entity struct {
	bundle *bundle.Bundle // nil where a key alone opens it
	// object is a signed git object, and envelope a bare DSSE envelope. A gitsign
	// object has a bundle too.
	object *gitObject
	bare   *bareEnvelope
	// wrapped is the envelope whose digest the bundle's message signature is over.
	wrapped *bareEnvelope

	once sync.Once
	err  error
	id   verdict.ID // of err

	leaf     *x509.Certificate // nil for a key bundle
	content  verify.VerificationContent
	signed   verify.SignatureContent
	payload  []byte            // of the DSSE envelope
	subject  artifact.Resource // of a messageSignature
	digest   verify.ArtifactDigest
	entries  []*tlog.Entry
	stamps   [][]byte
	promised bool
}

var _ verify.SignedEntity = (*entity)(nil)

// newEntity checks the shape of a bundle; parse reads its parts.
func newEntity(pb *protobundle.Bundle) (*entity, error) {
	b := &bundle.Bundle{Bundle: pb}
	if _, err := b.Version(); err != nil {
		return nil, fmt.Errorf("media type %.80q is none of a bundle", pb.GetMediaType())
	}
	material := pb.GetVerificationMaterial()
	switch content := pb.GetContent().(type) {
	case nil:
		return nil, errors.New("it holds neither a dsseEnvelope nor a messageSignature")
	case *protobundle.Bundle_DsseEnvelope:
		// "Exactly one signature": a bundle proves one signer. (sigstore_bundle.proto,
		// Bundle.dsse_envelope: "The envelope MUST contain exactly one signature.")
		if n := len(content.DsseEnvelope.GetSignatures()); n != 1 {
			return nil, fmt.Errorf("its envelope has %d signatures, a bundle has exactly one", n)
		}
	}
	if material.GetContent() == nil {
		return nil, errors.New("its verification material holds neither a certificate nor a public key")
	}
	return &entity{bundle: b}, nil
}

// parse reads every part once. Its error is the bundle's fault under any root.
func (e *entity) parse() (verdict.ID, error) {
	e.once.Do(func() {
		if e.bundle == nil {
			return // it was read when it was found
		}
		e.id = verdict.BundleMalformed
		if e.err = e.parseParts(); e.err == nil {
			e.id = verdict.CertificateMalformed
			e.err = e.parseMaterial()
		}
	})
	return e.id, e.err
}

func (e *entity) parseParts() (err error) {
	if e.entries, err = e.bundle.TlogEntries(); err != nil {
		return fmt.Errorf("reading its log entries: %w", err)
	}
	if err := e.checkVersion(); err != nil {
		return err
	}
	e.promised = slices.ContainsFunc(e.entries, (*tlog.Entry).HasInclusionPromise)
	if e.stamps, err = e.bundle.Timestamps(); err != nil {
		return fmt.Errorf("reading its timestamps: %w", err)
	}
	return e.parseContent()
}

// checkVersion holds what sigstore-go's bundle.NewBundle demands of each
// version. NewBundle itself would parse every log entry once more;
// TestDifferential holds the two to the same answer.
func (e *entity) checkVersion() error {
	version, err := e.bundle.Version()
	if err != nil {
		return err
	}
	switch {
	case semver.Compare(version, "v0.1") < 0, semver.Compare(version, "v0.4") >= 0:
		return fmt.Errorf("bundle version %s is none of v0.1, v0.2 and v0.3", version)
	case version == "v0.1" && len(e.entries) > 0 && !e.bundle.HasInclusionPromise():
		return errors.New("no log entry has an inclusion promise, which bundle v0.1 requires")
	case version != "v0.1" && len(e.entries) > 0 && !e.bundle.HasInclusionProof():
		return errors.New("no log entry has an inclusion proof, which bundle v0.2 and later require")
	case semver.Compare(version, "v0.3") >= 0 && e.bundle.VerificationMaterial.GetX509CertificateChain() != nil:
		return errors.New("it holds a certificate chain, which bundle v0.3 forbids")
	}
	return nil
}

// parseMaterial reads the certificate or the key's hint. Intermediates of the
// bundle are never used: WithAllowCertificateChain stays off, and must: what
// verifyLeafCertificate adds to an authority's intermediates it adds to a
// *root.FulcioCertificateAuthority only, which a pinned authority is not.
func (e *entity) parseMaterial() (err error) {
	if e.content, err = e.bundle.VerificationContent(); err != nil {
		return fmt.Errorf("reading its certificate: %w", err)
	}
	if e.leaf = e.content.Certificate(); e.leaf == nil {
		return nil
	}
	// Go leaves the OtherName in a critical SAN unhandled; sigstore-go reads it
	// and strikes it off while verifying. Here, so that verifying writes nothing.
	unhandled := slices.DeleteFunc(e.leaf.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool {
		return id.Equal(cryptoutils.SANOID)
	})
	if len(unhandled) > 0 {
		return fmt.Errorf("its certificate has a critical extension %s that nobody here understands", unhandled[0])
	}
	e.leaf.UnhandledCriticalExtensions = nil
	return nil
}

func (e *entity) parseContent() error {
	content, err := e.bundle.SignatureContent()
	if err != nil {
		return fmt.Errorf("reading its signature: %w", err)
	}
	message := content.MessageSignatureContent()
	if message == nil {
		return e.parseEnvelope(content)
	}
	e.signed = content
	if len(message.Signature()) == 0 {
		return errors.New("its signature is empty")
	}
	return e.parseMessage(message)
}

func (e *entity) parseEnvelope(content verify.SignatureContent) error {
	raw := content.EnvelopeContent().RawEnvelope()
	signature := content.Signature()
	if len(signature) == 0 {
		return errors.New("its signature is empty")
	}
	e.payload = e.bundle.GetDsseEnvelope().GetPayload()
	e.signed = &envelope{raw: raw, signature: signature}
	return nil
}

// parseMessage reads the digest of a messageSignature.
//
// "message_digest: Message digest can be used to identify the artifact. Clients
// MUST NOT attempt to use this digest to verify the associated signature"
// (sigstore_common.proto, MessageSignature) — on their own: it is the artifact's
// digest that must be verified. Verifying it here is sound because the digest
// becomes the statement's only subject: the signature is over that digest, and
// whoever joins an artifact to the statement computes the artifact's digest
// himself and compares. The length must be the named algorithm's: ECDSA cuts a
// longer digest to the curve's size, and sigstore hashes an empty message where
// the digest is empty.
func (e *entity) parseMessage(message verify.MessageSignatureContent) error {
	named := e.bundle.GetMessageSignature().GetMessageDigest().GetAlgorithm()
	var alg artifact.Algorithm
	switch named {
	case protocommon.HashAlgorithm_SHA2_256:
		alg = artifact.SHA256
	case protocommon.HashAlgorithm_SHA2_384:
		alg = artifact.SHA384
	case protocommon.HashAlgorithm_SHA2_512:
		alg = artifact.SHA512
	default:
		return fmt.Errorf("its message digest is %s, expected SHA2_256, SHA2_384 or SHA2_512", named)
	}
	subject, err := artifact.NewResource("_", "", map[string]string{string(alg): fmt.Sprintf("%x", message.Digest())})
	if err != nil {
		return fmt.Errorf("reading its message digest: %w", err)
	}
	e.subject, e.digest = subject, verify.ArtifactDigest{Algorithm: string(alg), Digest: message.Digest()}
	return nil
}

// isMessage reports whether a digest was signed, not a statement.
func (e *entity) isMessage() bool { return e.signed.MessageSignatureContent() != nil }

// envelope gives the payload of the DSSE envelope, in a bundle or bare.
func (e *entity) envelope() (payloadType string, payload []byte) {
	if e.bare != nil {
		return e.bare.payloadType, e.bare.payload
	}
	return e.signed.EnvelopeContent().RawEnvelope().PayloadType, e.payload
}

// pureEd25519 reports whether a key needs the artifact itself: an Ed25519
// signature is over the message unless it is Ed25519ph, over its SHA-512.
func (e *entity) pureEd25519(key any) bool {
	_, ok := key.(ed25519.PublicKey)
	return ok && e.isMessage() && e.digest.Algorithm != string(artifact.SHA512)
}

func (e *entity) HasInclusionPromise() bool { return e.bundle.HasInclusionPromise() }
func (e *entity) HasInclusionProof() bool   { return e.bundle.HasInclusionProof() }

func (e *entity) VerificationContent() (verify.VerificationContent, error) { return e.content, nil }
func (e *entity) SignatureContent() (verify.SignatureContent, error)       { return e.signed, nil }
func (e *entity) Timestamps() ([][]byte, error)                            { return e.stamps, nil }
func (e *entity) TlogEntries() ([]*tlog.Entry, error)                      { return e.entries, nil }

// Version is asked for one thing only: for the versions that exist, sigstore-go
// also tries SHA-256 with P-384 and P-521 certificates, and prints to stderr
// while it does. Such signatures are refused here; none is known in public.
func (e *entity) Version() (string, error) { return "without compatibility", nil }

// envelope is a DSSE envelope whose parts were decoded once.
type envelope struct {
	raw       *dsse.Envelope
	signature []byte
}

func (e *envelope) Signature() []byte                                       { return e.signature }
func (e *envelope) EnvelopeContent() verify.EnvelopeContent                 { return e }
func (e *envelope) MessageSignatureContent() verify.MessageSignatureContent { return nil }
func (e *envelope) RawEnvelope() *dsse.Envelope                             { return e.raw }

// Statement is what sigstore-go puts into its result and never looks at. The
// payload is read once, after the signature, by our own strict parser; see
// Statement.
func (e *envelope) Statement() (*intoto.Statement, error) { return &intoto.Statement{}, nil }
