package attestation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"sync"

	"github.com/sigstore/sigstore-go/pkg/root"
)

var (
	errOtherTimestamper = errors.New("the timestamp names another authority")
	errNoTimestampTime  = errors.New("the timestamp has no time")
)

// pinnedTimestamper is a timestamp authority that checks the chain above its
// leaf once. The leaf is fixed by the trusted root, so the pinned way asks
// sigstore-go with the leaf as its own anchor (the token's signature, the leaf's
// validity at the timestamp's time, its extended key usage and that it is
// critical, the message imprint, the authority's window) and then whether the
// fixed chain above was valid at that time. As with pinnedAuthority, it may only
// accept what sigstore-go accepts.
type pinnedTimestamper struct {
	plain  root.SigstoreTimestampingAuthority
	leaf   root.SigstoreTimestampingAuthority // the same, with the leaf as its root
	serial []byte                             // of the leaf, in DER
	chains func() [][]*x509.Certificate       // from the leaf to the root
}

func pinTimestamper(tsa *root.SigstoreTimestampingAuthority) *pinnedTimestamper {
	t := &pinnedTimestamper{plain: *tsa, leaf: *tsa}
	t.plain.Intermediates = slices.Clone(tsa.Intermediates)
	t.leaf.Root, t.leaf.Intermediates = tsa.Leaf, nil
	t.serial, _ = asn1.Marshal(tsa.Leaf.SerialNumber)
	t.chains = sync.OnceValue(func() [][]*x509.Certificate { return pinTimestampChains(&t.plain) })
	return t
}

func pinTimestampChains(tsa *root.SigstoreTimestampingAuthority) [][]*x509.Certificate {
	chains := fixedChains(tsa.Leaf, tsa.Root, tsa.Intermediates, x509.ExtKeyUsageTimeStamping)
	chains = slices.DeleteFunc(chains, func(chain []*x509.Certificate) bool {
		return hasConstraints(chain[0]) || !plainChain(chain[1:])
	})
	return chains[:min(len(chains), maxPinned)]
}

// Verify gives the time of an RFC 3161 timestamp over the signature.
//
// A token names its signer by issuer and serial number (RFC 5652, SignerInfo);
// one that does not hold the leaf's is not this authority's, and is refused
// before any signature is checked. A root may have many authorities, of which
// at most one made the token.
func (t *pinnedTimestamper) Verify(token, signature []byte) (*root.Timestamp, error) {
	if !t.named(token) {
		return nil, errOtherTimestamper
	}
	stamp, err := t.leaf.Verify(token, signature)
	if err != nil || !t.chainValidAt(stamp) {
		stamp, err = t.plain.Verify(token, signature)
	}
	if err != nil {
		return nil, err
	}
	// To crypto/x509 the zero time is "now".
	if stamp.Time.IsZero() {
		return nil, errNoTimestampTime
	}
	return stamp, nil
}

// named reports whether the token may name the leaf as its signer.
func (t *pinnedTimestamper) named(token []byte) bool {
	return bytes.Contains(token, t.plain.Leaf.RawIssuer) && bytes.Contains(token, t.serial)
}

// knowsStamp reports whether one of the tokens may be of one of the root's
// authorities. An authority whose insides are not known may have made any.
func (m *pinnedMaterial) knowsStamp(tokens [][]byte) bool {
	return slices.ContainsFunc(m.timestampers, func(tsa root.TimestampingAuthority) bool {
		pinned, ok := tsa.(*pinnedTimestamper)
		return len(tokens) > 0 && (!ok || slices.ContainsFunc(tokens, pinned.named))
	})
}

func (t *pinnedTimestamper) chainValidAt(stamp *root.Timestamp) bool {
	return slices.ContainsFunc(t.chains(), func(chain []*x509.Certificate) bool {
		return !slices.ContainsFunc(chain, func(cert *x509.Certificate) bool {
			return stamp.Time.Before(cert.NotBefore) || stamp.Time.After(cert.NotAfter)
		})
	})
}
