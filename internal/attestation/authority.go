package attestation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// maxRemembered bounds the leaf certificates that one issuer remembers: 32
// bytes each. A full memory is emptied; forgetting costs one signature check.
const maxRemembered = 8192

// maxPinned bounds the chains that are pinned above one authority's issuers.
const maxPinned = 16

var errNoTime = errors.New("no proven time to judge the certificate at")

// pinnedAuthority is a Fulcio certificate authority that checks the signatures
// above the leaf once, and a leaf's own signature once for each leaf.
//
// Only results of signature checks are kept. At each Verify, the validity of
// every certificate and of the authority at the observed time, the leaf's
// extended key usage and its critical extensions are checked anew; path length,
// extended key usages and critical extensions of the fixed certificates cannot
// change, and a chain with name constraints or policy constraints is not
// pinned. The pinned way may only accept what sigstore-go's own authority
// accepts, which decides whenever the pinned way does not accept: held by
// TestDifferential and TestPinnedAuthority.
type pinnedAuthority struct {
	plain   root.FulcioCertificateAuthority
	issuers func() []*issuer
}

// issuer is a certificate that leaves are issued from, and the fixed chain from
// it to the root, both ends included.
type issuer struct {
	chain []*x509.Certificate

	mu     sync.Mutex
	leaves map[[sha256.Size]byte]struct{} // leaves whose signature by chain[0] was checked
}

func pinAuthority(ca *root.FulcioCertificateAuthority) *pinnedAuthority {
	a := &pinnedAuthority{plain: *ca}
	a.plain.Intermediates = slices.Clone(ca.Intermediates)
	a.issuers = sync.OnceValue(func() []*issuer { return pinIssuers(&a.plain) })
	return a
}

// pinIssuers finds the fixed chains below which a leaf may stand.
func pinIssuers(ca *root.FulcioCertificateAuthority) []*issuer {
	var issuers []*issuer
	for _, cert := range append(slices.Clone(ca.Intermediates), ca.Root) {
		for _, chain := range fixedChains(cert, ca.Root, ca.Intermediates, x509.ExtKeyUsageCodeSigning) {
			if len(issuers) < maxPinned && plainChain(chain) {
				issuers = append(issuers, &issuer{chain: chain, leaves: map[[sha256.Size]byte]struct{}{}})
			}
		}
	}
	return issuers
}

// fixedChains gives the chains from cert to the anchor whose signatures,
// extended key usages, basic constraints and path lengths hold. crypto/x509
// also asks for a time; a chain is fixed if there is any time at which all of
// it is valid, and whether it was at the observed time is asked at each use.
func fixedChains(cert, anchor *x509.Certificate, intermediates []*x509.Certificate, usage x509.ExtKeyUsage) [][]*x509.Certificate {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(anchor)
	times := []time.Time{cert.NotBefore, anchor.NotBefore}
	for _, intermediate := range intermediates {
		others.AddCert(intermediate)
		times = append(times, intermediate.NotBefore)
	}
	for _, at := range times[:min(len(times), maxPinned)] {
		if at.IsZero() {
			continue
		}
		chains, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
		if err == nil {
			return chains
		}
	}
	return nil
}

// plainChain reports whether a fixed chain has nothing whose effect depends on
// the leaf below it: every certificate is an authority, path lengths allow one
// leaf below the first, and there are no name constraints and no policy
// constraints. RFC 5280, 4.2.1.9 to 4.2.1.14.
func plainChain(chain []*x509.Certificate) bool {
	for i, cert := range chain {
		if !cert.BasicConstraintsValid || !cert.IsCA || len(cert.UnhandledCriticalExtensions) > 0 || hasConstraints(cert) {
			return false
		}
		if cert.MaxPathLen >= 0 && i > cert.MaxPathLen {
			return false
		}
	}
	return true
}

// hasConstraints reports whether the certificate has one of nameConstraints,
// policyMappings, policyConstraints and inhibitAnyPolicy.
func hasConstraints(cert *x509.Certificate) bool {
	constraints := []asn1.ObjectIdentifier{{2, 5, 29, 30}, {2, 5, 29, 33}, {2, 5, 29, 36}, {2, 5, 29, 54}}
	for _, extension := range cert.Extensions {
		if slices.ContainsFunc(constraints, extension.Id.Equal) {
			return true
		}
	}
	return false
}

// Verify gives the chains from the leaf to the root that hold at the observed
// time.
//
// "For a signature with a given certificate to be considered valid, it must
// have a timestamp while every certificate in the chain up to the root is valid
// (the so-called 'hybrid model' …)" (Sigstore client specification, Certificate)
func (a *pinnedAuthority) Verify(leaf *x509.Certificate, observed time.Time) ([][]*x509.Certificate, error) {
	// crypto/x509 takes the zero time for "now"; there is no now here.
	if observed.IsZero() {
		return nil, errNoTime
	}
	if chain := a.pinned(leaf, observed); chain != nil {
		return [][]*x509.Certificate{chain}, nil
	}
	return a.plain.Verify(leaf, observed)
}

// pinned gives the leaf's chain, or nil where sigstore-go has to decide.
func (a *pinnedAuthority) pinned(leaf *x509.Certificate, observed time.Time) []*x509.Certificate {
	if !validBetween(a.plain.ValidityPeriodStart, a.plain.ValidityPeriodEnd, observed) || !plainLeaf(leaf, observed, x509.ExtKeyUsageCodeSigning) {
		return nil
	}
	for _, i := range a.issuers() {
		if bytes.Equal(leaf.RawIssuer, i.chain[0].RawSubject) && i.validFor(leaf, observed) && i.signed(leaf) {
			return append([]*x509.Certificate{leaf}, i.chain...)
		}
	}
	return nil
}

// plainLeaf judges a leaf as its own anchor: crypto/x509 then checks its
// validity, its critical extensions and its extended key usage, and leaves out
// the signature above it.
func plainLeaf(leaf *x509.Certificate, observed time.Time, usage x509.ExtKeyUsage) bool {
	if leaf.IsCA || hasConstraints(leaf) {
		return false
	}
	self := x509.NewCertPool()
	self.AddCert(leaf)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: self, CurrentTime: observed, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err == nil
}

// validFor reports whether the fixed chain was valid at the observed time, and
// is not the leaf's own: crypto/x509 lets no subject stand twice with one key.
func (i *issuer) validFor(leaf *x509.Certificate, observed time.Time) bool {
	for _, cert := range i.chain {
		if observed.Before(cert.NotBefore) || observed.After(cert.NotAfter) || bytes.Equal(leaf.RawSubject, cert.RawSubject) {
			return false
		}
	}
	return true
}

// signed reports whether the issuer signed the leaf, from memory if it can.
func (i *issuer) signed(leaf *x509.Certificate) bool {
	sum := sha256.Sum256(leaf.Raw)
	i.mu.Lock()
	_, known := i.leaves[sum]
	i.mu.Unlock()
	if known {
		return true
	}
	if leaf.CheckSignatureFrom(i.chain[0]) != nil {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.leaves) >= maxRemembered {
		clear(i.leaves)
	}
	i.leaves[sum] = struct{}{}
	return true
}

// validBetween reports whether the observed time lies in an authority's window;
// a zero end is open. Both ends belong to it, as in sigstore-go.
func validBetween(start, end, observed time.Time) bool {
	return (start.IsZero() || !observed.Before(start)) && (end.IsZero() || !observed.After(end))
}

// knowsIssuer reports whether the leaf names an issuer that the root has. An
// authority whose insides are not known may have any.
func (m *pinnedMaterial) knowsIssuer(leaf *x509.Certificate) bool {
	for _, ca := range m.authorities {
		pinned, ok := ca.(*pinnedAuthority)
		if !ok || bytes.Equal(leaf.RawIssuer, pinned.plain.Root.RawSubject) || leaf.Equal(pinned.plain.Root) {
			return true
		}
		for _, intermediate := range pinned.plain.Intermediates {
			if bytes.Equal(leaf.RawIssuer, intermediate.RawSubject) {
				return true
			}
		}
	}
	return false
}
