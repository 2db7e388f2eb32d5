package attestation

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Open verifies a bundle that was signed with a certificate under one root. Its
// error is a *Refusal.
func Open(c Candidate, r *Root) (*Verified, error) {
	v, err := c.withCertificate(r)
	if err != nil {
		return nil, err
	}
	return c.finish(v)
}

// withCertificate verifies who signed, and when. What they signed is not read yet.
func (c Candidate) withCertificate(r *Root) (*Verified, error) {
	if why := c.parse(); why != nil {
		return nil, why
	}
	switch {
	case r == nil:
		return nil, c.invalid(&reason{found: "no trusted root was given for a bundle with a certificate"})
	case c.entity.bundle == nil:
		return nil, c.withoutCertificate()
	case c.entity.leaf == nil:
		return nil, c.otherKind(&reason{found: "it was signed with a key, not with a certificate", expected: "a certificate", next: "if you trust its key, name that in the layout, or with --key without one"})
	case r.verifier == nil:
		return nil, c.invalid(&reason{found: fmt.Sprintf("root %q has no certificate authority", r.name)})
	}
	if why := r.screen(c.entity); why != nil {
		return nil, c.invalid(why)
	}
	result, why := c.verify(r.verifier, c.entity.leaf.PublicKey, fmt.Sprintf("root %q", r.name))
	if why != nil {
		return nil, why
	}
	// "Extended Key Usage: Code Signing (1.3.6.1.5.5.7.3.3)" is what Fulcio's leaf
	// certificates must have; crypto/x509 reads a leaf that names no usage at all
	// as fit for any. (Fulcio, docs/certificate-specification.md.)
	if !slices.Contains(c.entity.leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) {
		return nil, refuse(c.source, verdict.CertificateMalformed, &reason{found: "the signer's certificate is not for code signing", expected: "the extended key usage codeSigning", next: "have it signed with a certificate that Fulcio issued"})
	}
	signer, err := identity.FromCertificate(c.entity.leaf)
	if err != nil {
		return nil, refuse(c.source, verdict.CertificateMalformed, &reason{found: "reading the signer's certificate", cause: err, expected: "a certificate as Fulcio issues it"})
	}
	v := &Verified{root: r.name, signer: signer, notBefore: c.entity.leaf.NotBefore, notAfter: c.entity.leaf.NotAfter}
	return c.proven(v, result), nil
}

// OpenWithKey verifies a bundle that was signed with the given key. With a root,
// what the root demands of log entries and timestamps is demanded here too, and
// times are proven where the bundle has any. Without one (nil), only the
// signature is verified and no time is proven. Its error is a *Refusal.
func OpenWithKey(c Candidate, k Key, r *Root) (*Verified, error) {
	v, err := c.withKey(k, r)
	if err != nil {
		return nil, err
	}
	return c.finish(v)
}

// withKey verifies that the key signed, and when. What it signed is not read yet.
func (c Candidate) withKey(k Key, r *Root) (*Verified, error) {
	if why := c.parse(); why != nil {
		return nil, why
	}
	if c.entity.bundle == nil {
		return c.openWithKeyAlone(k, r)
	}
	if c.entity.leaf != nil {
		return nil, c.otherKind(&reason{found: "it was signed with a certificate, not with a key", expected: "a bundle signed with the given key", next: "name its signer in the layout, or with --certificate-identity and --certificate-oidc-issuer without one"})
	}
	verifier, why := c.keyVerifier(k, r)
	if why != nil {
		return nil, c.invalid(why)
	}
	result, refused := c.verify(verifier, k.public, "the given key")
	if refused != nil {
		return nil, refused
	}
	return c.proven(&Verified{root: r.Name(), signer: k.signer}, result), nil
}

// keyVerifier configures sigstore-go for one key.
func (c Candidate) keyVerifier(k Key, r *Root) (*verify.Verifier, error) {
	keys, err := k.verifier(c.entity.isMessage())
	if err != nil {
		return nil, err
	}
	if r == nil {
		return verify.NewVerifier(&keyMaterial{&root.BaseTrustedMaterial{}, keys}, verify.WithNoObserverTimestamps())
	}
	if err := r.screen(c.entity); err != nil {
		return nil, err
	}
	// A Rekor v2 entry alone has no time; a key needs none.
	timed := c.entity.promised || len(c.entity.stamps) > 0
	return verify.NewVerifier(&keyMaterial{r.material, keys}, r.demands(timed)...)
}

func (c Candidate) invalid(why error) *Refusal {
	return refuse(c.source, verdict.SignatureInvalid, why)
}

func (c Candidate) otherKind(why error) *Refusal {
	r := c.invalid(why)
	r.otherKind = true
	return r
}

// parse reads the candidate's parts, once for all roots.
func (c Candidate) parse() *Refusal {
	if c.entity == nil {
		return refuse("nothing", verdict.BundleMalformed, errors.New("there is no candidate"))
	}
	if id, err := c.entity.parse(); err != nil {
		return refuse(c.source, id, &reason{found: "reading the bundle", cause: err, next: "ask its publisher to make it again"})
	}
	return nil
}

// verify asks sigstore-go. Whether an artifact is a subject is not asked here:
// sigstore-go would match any digest of any subject. Whoever takes a Verified
// joins the artifact to its Statement.
func (c Candidate) verify(verifier *verify.Verifier, key any, under string) (*verify.VerificationResult, *Refusal) {
	if c.entity.pureEd25519(key) {
		return nil, c.invalid(&reason{
			found:    "it is an Ed25519 signature over the artifact's bytes, which cannot be verified with the artifact's digest alone",
			expected: "an Ed25519ph signature (SHA2_512), another kind of key, or a signed statement",
			next:     "have it signed as an attestation",
		})
	}
	policy := verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe())
	if c.entity.isMessage() {
		policy = verify.NewPolicy(verify.WithArtifactDigest(c.entity.digest.Algorithm, c.entity.digest.Digest), verify.WithoutIdentitiesUnsafe())
	}
	result, err := verifier.Verify(c.entity, policy)
	if err != nil {
		return nil, c.invalid(explain(c.entity, under, err))
	}
	return result, nil
}

// proven notes which candidate it was, and the times that were proven.
func (c Candidate) proven(v *Verified, result *verify.VerificationResult) *Verified {
	v.source, v.digest, v.times = c.source, c.digest, provenTimes(result)
	return v
}

// finish reads what was signed, after the signature.
func (c Candidate) finish(v *Verified) (*Verified, error) {
	if object := c.entity.object; object != nil {
		v.statement, v.object = object.statement, &object.Signed
		return v, nil
	}
	if wrapped := c.entity.wrapped; wrapped != nil {
		return c.read(v, wrapped.payloadType, wrapped.payload)
	}
	if c.entity.bundle != nil && c.entity.isMessage() {
		v.statement = Statement{Subjects: []artifact.Resource{c.entity.subject}}
		return v, nil
	}
	mediaType, payload := c.entity.envelope()
	return c.read(v, mediaType, payload)
}

// read reads the statement that an envelope holds.
func (c Candidate) read(v *Verified, mediaType string, payload []byte) (*Verified, error) {
	statement, fault := parseStatement(mediaType, payload)
	if fault != nil {
		return nil, refuse(c.source, fault.id, fault.why)
	}
	v.statement = statement
	return v, nil
}

func provenTimes(result *verify.VerificationResult) []verdict.Time {
	var times []verdict.Time
	for _, stamp := range result.VerifiedTimestamps {
		kind := "transparency log"
		if stamp.Type == "TimestampAuthority" {
			kind = "timestamp authority"
		}
		times = append(times, verdict.Time{Instant: stamp.Timestamp.UTC(), By: stamp.URI, Kind: kind})
	}
	slices.SortStableFunc(times, func(a, b verdict.Time) int { return a.Instant.Compare(b.Instant) })
	return times
}

// afterwards is the next step where a signature does not verify. A certificate comes
// with its signature; a key is the reader's own, and may be the wrong one.
func afterwards(e *entity) string {
	if e.leaf != nil {
		return "the statement was changed after signing; do not use it"
	}
	return "another key signed it, or it was changed after signing: do not use what no key of its signer verifies"
}

// explain puts sigstore-go's reason into a sentence: which of the steps of
// verification it was, under which root, and what that means.
func explain(e *entity, under string, err error) error {
	steps := []struct{ prefix, found, next string }{
		{"failed to verify log inclusion: ", "its transparency log entry does not prove it under " + under, "the bundle was changed after signing, or its parts belong to different signatures; fetch it again"},
		{"failed to verify timestamps: ", "the time of signing is not proven under " + under, "is the trusted root older than the timestamp authority? Refresh it"},
		{"failed to verify leaf certificate: ", leafProblem(e, under), "the certificate is forged, or was used outside its lifetime; have it signed again"},
		{"failed to verify signed certificate timestamp: ", "no certificate transparency log of " + under + " vouches for its certificate", "is the trusted root older than the log? Refresh it"},
		{"failed to verify signature: ", "its signature does not verify with " + signedWith(e, under), afterwards(e)},
	}
	text := err.Error()
	for _, step := range steps {
		if rest, ok := strings.CutPrefix(text, step.prefix); ok {
			if strings.HasPrefix(rest, "not enough verified log entries") {
				rest = "the inclusion promise of no entry verifies"
			}
			if strings.HasPrefix(rest, "could not verify envelope: accepted signatures do not match") { // how the library counts
				return &reason{found: step.found, next: step.next}
			}
			if before, _, proof := strings.Cut(rest, ": calculated root: "); proof { // two lists of 32 numbers
				rest = before + ": it leads to another root of the log"
			}
			return &reason{found: step.found, cause: errors.New(rest), next: step.next}
		}
	}
	return &reason{found: "it does not verify under " + under, cause: err}
}

func signedWith(e *entity, under string) string {
	if e.leaf == nil {
		return under
	}
	return "the key in its certificate"
}

func leafProblem(e *entity, under string) string {
	if e.leaf == nil {
		return "it has no certificate"
	}
	return fmt.Sprintf("its certificate (valid %s to %s) does not lead to an authority of %s at the proven time of signing",
		e.leaf.NotBefore.UTC().Format(time.RFC3339), e.leaf.NotAfter.UTC().Format(time.RFC3339), under)
}
