package sshsig

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// Certificate is what an authority said of a key. Only VerifyCertified makes one.
type Certificate struct {
	Key        PublicKey
	KeyID      string
	Serial     uint64
	Principals []string // never empty
	// After and Before bound the time in which it is valid; zero where it says none.
	After, Before time.Time
}

// ValidAt reports whether the certificate is valid at an instant.
func (c Certificate) ValidAt(t time.Time) bool {
	return !t.Before(c.After) && (c.Before.IsZero() || t.Before(c.Before))
}

// maxInstant is the year 9999: what lies beyond is no bound.
const maxInstant = 253402300799

// VerifyCertified holds the signature against the authority that certified its
// key. When it was made it does not ask: that is the caller's, who may know.
//
// "CRITICAL OPTIONS … All such options are critical in the sense that an
// implementation must refuse to authorise a key that has an unrecognised option."
// (PROTOCOL.certkeys) None of the known ones is about signing messages but
// verify-required, so that every one is refused.
func (s *Signature) VerifyCertified(message []byte, namespace string, authority PublicKey) (Certificate, error) {
	if authority.key == nil {
		return Certificate{}, errors.New("verifying SSH certificate: no authority is named")
	}
	c, ok := s.key.(*ssh.Certificate)
	if !ok {
		return Certificate{}, fmt.Errorf("verifying SSH certificate: the signature has none, it was made with %w", ErrOtherKey)
	}
	if err := checkCertificate(c, authority); err != nil {
		return Certificate{}, fmt.Errorf("verifying SSH certificate: %w", err)
	}
	if err := s.verify(message, namespace); err != nil {
		return Certificate{}, err
	}
	return Certificate{
		Key: s.Key(), KeyID: c.KeyId, Serial: c.Serial, Principals: slices.Clone(c.ValidPrincipals),
		After: instant(c.ValidAfter), Before: instant(c.ValidBefore),
	}, nil
}

// checkCertificate asks everything of a certificate but the time.
func checkCertificate(c *ssh.Certificate, authority PublicKey) error {
	switch {
	case c.CertType != ssh.UserCert:
		return errors.New("it is a host's, expected a user's")
	case !(PublicKey{c.SignatureKey}).Equal(authority):
		return fmt.Errorf("it was issued with %w: %s, expected %s", ErrOtherKey, PublicKey{c.SignatureKey}, authority)
	case len(c.ValidPrincipals) == 0:
		return errors.New("it names no principal, which would be valid for everybody")
	case len(c.CriticalOptions) > 0:
		return fmt.Errorf("it has the critical option %.60q, which is not understood here", slices.Sorted(maps.Keys(c.CriticalOptions))[0])
	case c.ValidAfter >= c.ValidBefore:
		return errors.New("it ends before it begins")
	case c.ValidAfter > maxInstant:
		return errors.New("it begins after the year 9999")
	}
	if c.Signature.Format == ssh.KeyAlgoRSA {
		return fmt.Errorf("its authority signed it by RSA with SHA-1: %w", ErrWeak)
	}
	checker := ssh.CertChecker{
		IsUserAuthority: func(ssh.PublicKey) bool { return true }, // compared above
		Clock:           func() time.Time { return time.Unix(int64(min(c.ValidAfter, maxInstant)), 0) },
	}
	if err := checker.CheckCert(c.ValidPrincipals[0], c); err != nil {
		return errors.New("its authority's signature does not verify")
	}
	return nil
}

// instant reads seconds, where 0 and what is beyond the year 9999 say nothing.
func instant(seconds uint64) time.Time {
	if seconds == 0 || seconds > maxInstant {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
