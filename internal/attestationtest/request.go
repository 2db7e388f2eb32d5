package attestationtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// SignRequest says what to sign, who signs, and what the bundle shall hold.
type SignRequest struct {
	// Exactly one of Payload and MessageDigest is signed: a payload in a DSSE
	// envelope, or the SHA-256 digest of an artifact in a message signature.
	Payload       []byte
	PayloadType   string // of the payload: "application/vnd.in-toto+json" if empty
	MessageDigest []byte // 32 bytes

	// Exactly one signs: an identity with a certificate of its own for this
	// bundle, a certificate that may have signed others, or a key.
	As          Identity
	Certificate *Certificate
	Key         *Key

	// At is when the bundle is signed, logged and timestamped, and with As also
	// where the certificate's validity starts. Zero means the start of
	// Certificate's validity, or else the instance's instant.
	At time.Time

	Entry         LogEntry // by default the oldest kind that the instance has
	OmitTimestamp bool     // by default there is one if the instance has a TSA

	BundleVersion string          // "0.1", "0.2" or "0.3"; "0.3" if empty
	Form          CertificateForm // how the bundle holds its certificate

	// Break lists what shall be wrong with the bundle, in this order.
	Break []Break
}

// LogEntry is a kind of transparency log entry.
type LogEntry string

// The kinds of entries. Rekor v1 logs an envelope as dsse or intoto, and a
// message signature as hashedrekord; Rekor v2 logs both as hashedrekord.
const (
	// EntryDefault is the kind that clients write who know nothing newer: for
	// an instance with Rekor v1 EntryV1DSSE or EntryV1HashedRekord, else with
	// Rekor v2 EntryV2, else NoEntry.
	EntryDefault LogEntry = ""
	// EntryV1DSSE is Rekor v1's dsse 0.0.1.
	EntryV1DSSE LogEntry = "v1-dsse"
	// EntryV1Intoto is Rekor v1's intoto 0.0.2, older than dsse.
	EntryV1Intoto LogEntry = "v1-intoto"
	// EntryV1HashedRekord is Rekor v1's hashedrekord 0.0.1. Verifiers refuse it
	// for an envelope.
	EntryV1HashedRekord LogEntry = "v1-hashedrekord"
	// EntryV2 is Rekor v2's hashedrekord 0.0.2; for an envelope its digest is
	// that of the DSSE pre-authentication encoding (sigstore-go since v1.2.2).
	EntryV2 LogEntry = "v2"
	// NoEntry means that the bundle is not logged.
	NoEntry LogEntry = "none"
)

// CertificateForm is how a bundle holds its certificate.
type CertificateForm string

// The forms of a certificate.
const (
	// FormDefault is ChainOfOne in a bundle 0.1 or 0.2, and SingleCertificate
	// in a bundle 0.3.
	FormDefault CertificateForm = ""
	// SingleCertificate is the field certificate.
	SingleCertificate CertificateForm = "certificate"
	// ChainOfOne is the field x509CertificateChain with the leaf, as npm has it.
	ChainOfOne CertificateForm = "chain-of-one"
	// FullChain is the field x509CertificateChain with leaf, intermediate and
	// root, as the first clients had it.
	FullChain CertificateForm = "full-chain"
)

// withDefaults checks the request and fills in what it leaves open.
func (s *Sigstore) withDefaults(request SignRequest) (SignRequest, error) {
	if (request.Payload != nil) == (request.MessageDigest != nil) {
		return request, errors.New("request must set exactly one of Payload and MessageDigest")
	}
	signers := 0
	for _, named := range []bool{!request.As.isZero(), request.Certificate != nil, request.Key != nil} {
		if named {
			signers++
		}
	}
	if signers != 1 {
		return request, errors.New("request must set exactly one of As, Certificate and Key")
	}
	request.PayloadType = cmp.Or(request.PayloadType, "application/vnd.in-toto+json")
	if request.At.IsZero() && request.Certificate != nil {
		request.At = request.Certificate.Leaf.NotBefore
	}
	request.At = s.at(request.At)

	request.BundleVersion = cmp.Or(request.BundleVersion, "0.3")
	if !slices.Contains([]string{"0.1", "0.2", "0.3"}, request.BundleVersion) {
		return request, fmt.Errorf("no bundle has version %q", request.BundleVersion)
	}
	modern := request.BundleVersion == "0.3"
	switch {
	case request.Form == FormDefault && modern:
		request.Form = SingleCertificate
	case request.Form == FormDefault:
		request.Form = ChainOfOne
	case modern && request.Form != SingleCertificate:
		return request, fmt.Errorf("a bundle 0.3 holds no %s: see BreakCertificateChain", request.Form)
	}

	if request.Entry == EntryDefault {
		switch {
		case s.RekorV1 != nil && request.Payload != nil:
			request.Entry = EntryV1DSSE
		case s.RekorV1 != nil:
			request.Entry = EntryV1HashedRekord
		case s.RekorV2 != nil:
			request.Entry = EntryV2
		default:
			request.Entry = NoEntry
		}
	}
	return request, nil
}
