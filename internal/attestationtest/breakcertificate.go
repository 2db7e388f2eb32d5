package attestationtest

import (
	"crypto/x509"
	"slices"
	"time"
)

// breakCertificate changes an order before the certificate is issued.
func (s *Sigstore) breakCertificate(order *certificateOrder, b Break) error {
	switch b {
	case BreakNoSCT, BreakUnknownCTLog, BreakOtherSCT:
		return s.breakSCT(order, b)
	case BreakUnknownCA:
		stranger, err := s.stranger()
		if err != nil {
			return err
		}
		order.ca = stranger.CA
	case BreakNoCodeSigning:
		order.request.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	case BreakNoExtKeyUsage:
		order.request.ExtKeyUsage = []x509.ExtKeyUsage{}
	case BreakExpiredLeaf:
		order.request.NotBefore = order.request.NotBefore.Add(-time.Hour - order.request.Lifetime)
	default:
		return errUnknownBreak(b)
	}
	return nil
}

// breakSCT changes who promises to log the certificate.
func (s *Sigstore) breakSCT(order *certificateOrder, b Break) error {
	if order.request.CTLog == nil {
		return errMissing("promise of a certificate transparency log")
	}
	switch b {
	case BreakUnknownCTLog:
		stranger, err := s.stranger()
		if err != nil {
			return err
		}
		order.request.CTLog = stranger.CTLog
	case BreakOtherSCT:
		// The other certificate differs in nothing but its serial number.
		other, err := order.ca.Issue(order.request)
		if err != nil {
			return err
		}
		for _, extension := range other.Extensions {
			if extension.Id.Equal(sctListOID()) {
				identity := &order.request.Identity
				identity.Extra = append(slices.Clone(identity.Extra), extension)
			}
		}
		order.request.CTLog = nil
	case BreakNoSCT:
		order.request.CTLog = nil
	default:
		return errUnknownBreak(b)
	}
	return nil
}
