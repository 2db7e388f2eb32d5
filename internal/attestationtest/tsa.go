package attestationtest

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/digitorus/timestamp"
)

// TSA is a timestamp authority (RFC 3161): a P-256 leaf under a P-384 root of
// its own. It is safe for concurrent use.
type TSA struct {
	url    string
	seed   secret
	root   *x509.Certificate
	leaf   *x509.Certificate
	key    ecdsaSigner // the leaf's
	issued atomic.Uint64
}

func newTSA(url, organization string, seed secret, valid window) (*TSA, error) {
	root, rootKey, err := newRoot(seed, "timestamp authority", pkix.Name{
		Organization: []string{organization},
		CommonName:   "sigstore-tsa-selfsigned",
	}, valid)
	if err != nil {
		return nil, err
	}
	key, err := seed.ecdsaKey(elliptic.P256(), "timestamp authority, leaf")
	if err != nil {
		return nil, err
	}
	serial, err := seed.serial("timestamp authority, leaf")
	if err != nil {
		return nil, err
	}
	// "The corresponding certificate MUST contain only one instance of the
	// extended key usage field extension [...] with KeyPurposeID having value:
	// id-kp-timeStamping. This extension MUST be critical." (RFC 3161, 2.3)
	// crypto/x509 never writes it critical.
	timeStamping := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{timeStamping})
	if err != nil {
		return nil, fmt.Errorf("encoding extended key usage: %w", err)
	}
	leaf, err := createCertificate(&x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{organization}, CommonName: "sigstore-tsa"},
		NotBefore:    valid.start,
		NotAfter:     valid.end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage},
		},
	}, root, key.Public(), rootKey)
	if err != nil {
		return nil, fmt.Errorf("creating certificate of timestamp authority: %w", err)
	}
	return &TSA{url: url, seed: seed, root: root, leaf: leaf, key: key}, nil
}

// URL returns the address to which a timestamp query is posted.
func (t *TSA) URL() string { return t.url }

// Chain returns the authority's certificates, as a trusted root lists them:
// the leaf, then the root.
func (t *TSA) Chain() []*x509.Certificate {
	return []*x509.Certificate{t.leaf, t.root}
}

// Stamp returns the authority's word, a TimeStampResp in DER, that the
// signature existed at the given instant (in whole seconds). Like the answer
// to a query of sigstore-go, it holds no certificate.
func (t *TSA) Stamp(signature []byte, at time.Time) ([]byte, error) {
	digest := sha256.Sum256(signature)
	return t.respond(&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest[:]}, at)
}

// Respond answers a TimeStampReq in DER with a TimeStampResp in DER that
// states the given instant, in whole seconds. Hashes are SHA-256, SHA-384 and
// SHA-512.
func (t *TSA) Respond(query []byte, at time.Time) ([]byte, error) {
	request, err := timestamp.ParseRequest(query)
	if err != nil {
		return nil, fmt.Errorf("reading timestamp query: %w", err)
	}
	return t.respond(request, at)
}

func (t *TSA) respond(request *timestamp.Request, at time.Time) ([]byte, error) {
	serial, err := t.seed.serial(fmt.Sprintf("timestamp %d", t.issued.Add(1)))
	if err != nil {
		return nil, err
	}
	token := timestampToken{
		request: request,
		serial:  serial,
		time:    at.UTC().Truncate(time.Second),
		leaf:    t.leaf,
	}
	response, err := token.sign(t.key)
	if err != nil {
		return nil, fmt.Errorf("signing timestamp: %w", err)
	}
	return response, nil
}
