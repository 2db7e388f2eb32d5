// Package attestation opens a Sigstore bundle: bytes become a Candidate, in
// which nothing is believed, and a Candidate becomes a *Verified in Open or
// OpenWithKey and nowhere else. It reads no file, opens no connection and asks
// no clock: a certificate is judged at the times that a log or a timestamp
// authority proved, never at the time of verification. It decides nothing about
// who may sign what; that is the layout's.
//
//	found, refused := attestation.Candidates("app.sigstore.json", data)
//	for _, c := range found {
//		v, err := attestation.Open(c, root) // err is a *Refusal
//		…
//	}
//
// The signatures, proofs and chains are judged by sigstore-go's verifier. This
// package reads its input strictly first, remembers what is the same for every
// bundle (see Root), and binds what was signed to its own reading of it (see
// Statement).
package attestation

import (
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// The bounds on what is read. Beyond them a piece is refused, with its place.
const (
	MaxBundleSize    = 32 << 20 // bytes of one bundle, alone or on its line
	MaxStatementSize = 16 << 20 // bytes of a DSSE payload
	MaxSubjects      = 16384    // subjects of one statement
	MaxPieces        = 16384    // bundles in one file
	MaxDepth         = 64       // nesting of JSON, in a bundle and in a statement
)

// Verified is a bundle whose signature was verified under one root or key. Its
// zero value and nil answer nothing. What its methods return is shared: it must
// not be modified.
type Verified struct {
	source, digest, root string

	signer              identity.Signer
	times               []verdict.Time
	notBefore, notAfter time.Time
	statement           Statement

	object         *gitobject.Signed // nil but for a git object
	validFrom, end time.Time         // of a key that says how long it is valid
}

// Source says where the bundle was found: a file, and the place within it.
func (v *Verified) Source() string {
	if v == nil {
		return ""
	}
	return v.source
}

// Digest is the candidate's: "sha256:" and the hex digest of its JSON bytes.
func (v *Verified) Digest() string {
	if v == nil {
		return ""
	}
	return v.digest
}

// Signer is who signed, read from the certificate or key that verified.
func (v *Verified) Signer() identity.Signer {
	if v == nil {
		return identity.Signer{}
	}
	return v.signer
}

// Root names the trusted root; it is empty for a key without a root.
func (v *Verified) Root() string {
	if v == nil {
		return ""
	}
	return v.root
}

// Times lists the proven times of signing, the earliest first. A certificate
// bundle has at least one; a key bundle may have none.
func (v *Verified) Times() []verdict.Time {
	if v == nil {
		return nil
	}
	return slices.Clone(v.times)
}

// Time is the earliest proven time. "Time is a statement's earliest proven
// time." (docs/layout.md 6)
func (v *Verified) Time() (time.Time, bool) {
	if v == nil || len(v.times) == 0 {
		return time.Time{}, false
	}
	return v.times[0].Instant, true
}

// Lifetime is the leaf certificate's validity; both are zero for a key.
func (v *Verified) Lifetime() (notBefore, notAfter time.Time) {
	if v == nil {
		return time.Time{}, time.Time{}
	}
	return v.notBefore, v.notAfter
}

// GitObject is the commit or tag whose own signature was verified; nil for
// everything else. Its ID is what its bytes hash to.
func (v *Verified) GitObject() *gitobject.Signed {
	if v == nil {
		return nil
	}
	return v.object
}

// KeyValidity is how long an OpenPGP key, or an SSH certificate, says of itself that
// it may sign. end is zero where it says no end, and both where it says nothing.
// Whether the signature was made in that time is not asked here.
func (v *Verified) KeyValidity() (start, end time.Time) {
	if v == nil {
		return time.Time{}, time.Time{}
	}
	return v.validFrom, v.end
}

// Statement is what was signed.
func (v *Verified) Statement() Statement {
	if v == nil {
		return Statement{}
	}
	return v.statement
}
