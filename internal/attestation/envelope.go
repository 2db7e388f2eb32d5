package attestation

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/signatus-dev/signatus/internal/openpgp"
	"github.com/signatus-dev/signatus/internal/sshsig"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// MaxSignatures bounds the signatures of one bare envelope.
const MaxSignatures = 64

// bareEnvelope is a DSSE envelope without certificate, log entry or timestamp. It
// may have several signatures, each of which a key can prove.
type bareEnvelope struct {
	payloadType string
	payload     []byte
	signatures  [][]byte
	extended    []extended // those that come with an extension, which no key proves
}

func isEnvelope(document object) bool {
	return document.has("payload", "signatures") && !document.has("mediaType")
}

// candidateOfEnvelope reads a bare envelope.
//
// "payload: Base64(SERIALIZED_BODY), payloadType, signatures: [{ keyid, sig:
// Base64(SIGNATURE) }]"; "Either standard or URL-safe encoding is allowed." (DSSE
// protocol v1.0) The key id is a hint and chooses nothing.
func candidateOfEnvelope(source string, document object) (Candidate, *Refusal) {
	bare, err := parseEnvelope(document)
	if errors.Is(err, errCertified) {
		return Candidate{}, refuse(source, verdict.BundleMalformed, bareReason())
	}
	if err != nil {
		return Candidate{}, refuse(source, verdict.BundleMalformed, &reason{found: "reading the DSSE envelope", cause: err, next: "ask its publisher to make it again"})
	}
	return Candidate{source: source, digest: digestOf(document.raw), entity: &entity{bare: bare}}, nil
}

func parseEnvelope(document object) (*bareEnvelope, error) {
	if err := checkKeys(document, "payload", "payloadType", "signatures"); err != nil {
		return nil, err
	}
	bare := &bareEnvelope{payloadType: document.text("payloadType")}
	var err error
	if bare.payload, err = anyBase64(document.text("payload")); err != nil {
		return nil, fmt.Errorf("reading its payload: %w", err)
	}
	signatures, err := elements(document.get("signatures"))
	if err != nil {
		return nil, fmt.Errorf("reading its signatures: %w", err)
	}
	if len(signatures) == 0 || len(signatures) > MaxSignatures {
		return nil, fmt.Errorf("%d signatures, expected 1 to %d", len(signatures), MaxSignatures)
	}
	for i, raw := range signatures {
		one, err := scanObject(raw)
		if err == nil {
			err = checkKeys(one, "keyid", "sig", "extension")
		}
		if err == nil && one.has("cert") {
			err = errCertified
		}
		if err == nil && one.has("extension") {
			bare.extended = append(bare.extended, extended{i + 1, raw, one})
			continue
		}
		var signature []byte
		if err == nil {
			signature, err = anyBase64(one.text("sig"))
		}
		if err != nil {
			return nil, fmt.Errorf("reading signature %d: %w", i+1, err)
		}
		bare.signatures = append(bare.signatures, signature)
	}
	return bare, nil
}

// errCertified says that a signature has a certificate beside it, as
// slsa-github-generator wrote before v2.1.0: nothing in the envelope proves when it
// was valid, and no key was ever published.
var errCertified = errors.New("a signature with a bare certificate")

func bareReason() error {
	return &reason{
		found:    "this is a bare DSSE envelope; it has no verification material (certificate, log entry, timestamp)",
		expected: "a Sigstore bundle (" + mediaType + ".v0.3+json), or a key to verify it with",
		next:     "ask the publisher for the Sigstore bundle (slsa-github-generator writes them since v2.1.0), or name the signer's key",
	}
}

// withoutCertificate refuses to open under a root what only a key can open.
func (c Candidate) withoutCertificate() *Refusal {
	if o := c.entity.object; o != nil {
		return c.otherKind(&reason{found: fmt.Sprintf("the git object has an %s signature, not a gitsign one", o.Format), expected: "a certificate", next: "name the author's key, if you trust it"})
	}
	return &Refusal{Source: c.source, ID: verdict.BundleMalformed, otherKind: true, Err: bareReason()}
}

// openWithKeyAlone opens what has a signature and nothing else. Under a root it
// proves nothing, as no log and no authority saw it.
func (c Candidate) openWithKeyAlone(k Key, r *Root) (*Verified, error) {
	switch {
	case k.form == "":
		return nil, c.invalid(&reason{found: "no public key was given"})
	case r != nil:
		return nil, c.otherKind(&reason{found: fmt.Sprintf("it has no log entry and no timestamp, and root %q demands one", r.name), expected: "a Sigstore bundle", next: "name the key without a root, if its signature alone is enough"})
	case c.entity.object != nil:
		return c.openObject(k)
	}
	return c.openEnvelope(k)
}

// openEnvelope looks for a signature of the key. Which of several it is does not
// matter: one key is one signer.
func (c Candidate) openEnvelope(k Key) (*Verified, error) {
	if k.authority {
		return nil, c.otherKind(&reason{found: "an SSH authority certifies keys and signs no envelope"})
	}
	bare := c.entity.bare
	message := dsse.PAE(bare.payloadType, bare.payload)
	v := &Verified{source: c.source, digest: c.digest, signer: k.signer}
	var err error
	for _, signature := range bare.signatures {
		if err = v.signedBy(k, message, signature); err == nil {
			break
		}
	}
	if err != nil {
		return nil, c.notVerified(err)
	}
	return v, nil
}

// gittufNamespace is the namespace in which gittuf signs envelopes with SSH keys:
// git's own. A signature over an envelope can be none over a git object, as the
// one begins with "DSSEv1" and the others with "tree" or "object".
const gittufNamespace = sshsig.GitNamespace

// signedBy verifies one signature: raw, or in the armour of SSH or OpenPGP, which is
// how gittuf has them.
func (v *Verified) signedBy(k Key, message, signature []byte) error {
	switch {
	case k.form == pgpForm:
		parsed, err := openpgp.ParseSignature(signature)
		if err != nil {
			return err
		}
		window, err := parsed.Verify(message, k.pgp)
		v.validFrom, v.end = window.Start, window.End
		return err
	case bytes.HasPrefix(signature, []byte("-----BEGIN SSH SIGNATURE-----")):
		parsed, err := sshsig.Parse(signature)
		if err != nil {
			return err
		}
		return parsed.Verify(message, gittufNamespace, k.ssh)
	}
	if key, ok := k.public.(*rsa.PublicKey); ok && verifyPSS(key, message, signature) {
		return nil
	}
	verifier, err := k.verifier(false)
	if err != nil {
		return err
	}
	return verifier.VerifySignature(bytes.NewReader(signature), bytes.NewReader(message))
}

// verifyPSS takes in-toto's rsassa-pss-sha256, which bundles do not have.
func verifyPSS(key *rsa.PublicKey, message, signature []byte) bool {
	sum := sha256.Sum256(message)
	return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil
}
