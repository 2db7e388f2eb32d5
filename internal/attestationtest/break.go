package attestationtest

import (
	"errors"
	"fmt"
	"slices"
)

// Break is one thing to be wrong with a bundle or certificate. All else stays
// genuine: whoever issues, promises or stamps under "another key" bears the
// same names and does it correctly.
//
// A bundle is refused for a Break where it needs the broken part. One whose
// time is promised by Rekor v1, say, may well be accepted with a worthless
// timestamp beside it.
type Break string

// What can be wrong with a certificate.
const (
	// BreakNoSCT leaves out the promise of the certificate transparency log.
	BreakNoSCT Break = "no-sct"
	// BreakUnknownCTLog has a log promise that no trusted root knows.
	BreakUnknownCTLog Break = "unknown-ct-log"
	// BreakOtherSCT has the promise that was made for another certificate.
	BreakOtherSCT Break = "other-sct"
	// BreakUnknownCA has the certificate issued by another authority of the
	// same name.
	BreakUnknownCA Break = "unknown-ca"
	// BreakNoCodeSigning certifies for client authentication instead of code
	// signing.
	BreakNoCodeSigning Break = "no-code-signing"
	// BreakNoExtKeyUsage certifies for no purpose in particular. Plain
	// sigstore-go accepts it, because crypto/x509 reads that as any purpose.
	BreakNoExtKeyUsage Break = "no-ext-key-usage"
	// BreakExpiredLeaf ends the certificate's validity before the signing.
	BreakExpiredLeaf Break = "expired-leaf"
)

// What can be wrong with a signature.
const (
	// BreakPayload appends a line break to the payload after signing; of a
	// message signature it changes the digest.
	BreakPayload Break = "payload"
	// BreakSignature flips a bit of the signature after logging and
	// timestamping.
	BreakSignature Break = "signature"
	// BreakTwoSignatures adds a genuine second signature to the envelope.
	BreakTwoSignatures Break = "two-signatures"
)

// What can be wrong with a transparency log entry.
const (
	// BreakPromise has the inclusion promise signed by another key (Rekor v1).
	BreakPromise Break = "promise"
	// BreakInclusionProof changes a hash of the inclusion proof.
	BreakInclusionProof Break = "inclusion-proof"
	// BreakNoInclusionProof leaves out the inclusion proof (bundles 0.2 and
	// 0.3; a bundle 0.1 needs none).
	BreakNoInclusionProof Break = "no-inclusion-proof"
	// BreakCheckpointKey has the checkpoint signed by another key, under the
	// key hash of the log's own.
	BreakCheckpointKey Break = "checkpoint-key"
	// BreakCheckpointOrigin has the log sign a checkpoint of another origin.
	// Plain sigstore-go accepts it of Rekor v1, whose origin it never reads.
	BreakCheckpointOrigin Break = "checkpoint-origin"
	// BreakIntegratedTime has the log promise a time after the certificate's
	// validity (Rekor v1).
	BreakIntegratedTime Break = "integrated-time"
	// BreakOtherEntry has the entry of another signature by the same signer.
	BreakOtherEntry Break = "other-entry"
	// BreakDuplicateEntry has the entry twice.
	BreakDuplicateEntry Break = "duplicate-entry"
	// BreakNoEntry leaves out the entry.
	BreakNoEntry Break = "no-entry"
)

// What can be wrong with a timestamp.
const (
	// BreakUnknownTSA has the timestamp of another authority of the same name.
	BreakUnknownTSA Break = "unknown-tsa"
	// BreakOtherTimestamp has a timestamp over another signature.
	BreakOtherTimestamp Break = "other-timestamp"
	// BreakTimestampTime has a timestamp after the certificate's validity.
	BreakTimestampTime Break = "timestamp-time"
	// BreakManyTimestamps has 33 timestamps; sigstore-go reads 32 at most.
	BreakManyTimestamps Break = "many-timestamps"
	// BreakNoTimestamp leaves out the timestamp.
	BreakNoTimestamp Break = "no-timestamp"
)

// What can be wrong with the bundle's verification material.
const (
	// BreakCertificateChain puts the full chain into a bundle 0.3.
	BreakCertificateChain Break = "certificate-chain"
	// BreakEmptyCertificate has a certificate without any bytes.
	BreakEmptyCertificate Break = "empty-certificate"
)

// Breaks returns every Break, those of a certificate first.
func Breaks() []Break {
	return append(certificateBreaks(),
		BreakPayload, BreakSignature, BreakTwoSignatures,
		BreakPromise, BreakInclusionProof, BreakNoInclusionProof, BreakCheckpointKey, BreakCheckpointOrigin,
		BreakIntegratedTime, BreakOtherEntry, BreakDuplicateEntry, BreakNoEntry,
		BreakUnknownTSA, BreakOtherTimestamp, BreakTimestampTime, BreakManyTimestamps, BreakNoTimestamp,
		BreakCertificateChain, BreakEmptyCertificate,
	)
}

func certificateBreaks() []Break {
	return []Break{
		BreakNoSCT, BreakUnknownCTLog, BreakOtherSCT, BreakUnknownCA,
		BreakNoCodeSigning, BreakNoExtKeyUsage, BreakExpiredLeaf,
	}
}

// splitBreaks parts the breaks that are made when a certificate is issued from
// those that are made of a bundle.
func splitBreaks(breaks []Break) (ofCertificate, ofBundle []Break) {
	for _, b := range breaks {
		if slices.Contains(certificateBreaks(), b) {
			ofCertificate = append(ofCertificate, b)
		} else {
			ofBundle = append(ofBundle, b)
		}
	}
	return ofCertificate, ofBundle
}

// The reasons for which a thing cannot be broken.
func errUnknownBreak(b Break) error { return fmt.Errorf("%q is not known here", b) }
func errMissing(what string) error  { return errors.New("there is no " + what + " to break") }
