package attestationtest

import (
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
)

// CTLog is a certificate transparency log (RFC 6962) with a P-256 key. It is
// safe for concurrent use.
type CTLog struct {
	url string
	key ecdsaSigner
	id  [sha256.Size]byte

	mu   sync.Mutex
	tree *merkleTree
}

func newCTLog(url string, seed secret) (*CTLog, error) {
	key, err := seed.ecdsaKey(elliptic.P256(), "certificate transparency log")
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding key of certificate transparency log: %w", err)
	}
	return &CTLog{url: url, key: key, id: sha256.Sum256(public), tree: newMerkleTree()}, nil
}

// URL returns the log's base URL, without the /ct/v1 of RFC 6962, 4.
func (l *CTLog) URL() string { return l.url }

// ID returns the log's id, "the SHA-256 hash of the log's public key,
// calculated over the DER encoding of the key represented as
// SubjectPublicKeyInfo" (RFC 6962, 3.2).
func (l *CTLog) ID() [sha256.Size]byte { return l.id }

// AddPreChain logs a precertificate and returns the log's promise, as the
// call add-pre-chain does (RFC 6962, 4.2).
//
// The chain holds DER: the precertificate, its issuer, and perhaps more. The
// chain is not verified. at becomes the promise's timestamp, in milliseconds.
func (l *CTLog) AddPreChain(chain [][]byte, at time.Time) (*ct.SignedCertificateTimestamp, error) {
	raw := make([]ct.ASN1Cert, len(chain))
	for i, der := range chain {
		raw[i] = ct.ASN1Cert{Data: der}
	}
	timestamp := uint64(at.UnixMilli())
	leaf, err := ct.MerkleTreeLeafFromRawChain(raw, ct.PrecertLogEntryType, timestamp)
	if err != nil {
		return nil, fmt.Errorf("reading precertificate: %w", err)
	}
	encoded, err := tls.Marshal(*leaf)
	if err != nil {
		return nil, fmt.Errorf("encoding precertificate leaf: %w", err)
	}

	sct := &ct.SignedCertificateTimestamp{
		SCTVersion: ct.V1,
		LogID:      ct.LogID{KeyID: l.id},
		Timestamp:  timestamp,
	}
	input, err := ct.SerializeSCTSignatureInput(*sct, ct.LogEntry{Leaf: *leaf})
	if err != nil {
		return nil, fmt.Errorf("encoding signed certificate timestamp: %w", err)
	}
	signature, err := l.key.signSHA256(input)
	if err != nil {
		return nil, fmt.Errorf("signing certificate timestamp: %w", err)
	}
	sct.Signature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA},
		Signature: signature,
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.tree.append(encoded); err != nil {
		return nil, err
	}
	return sct, nil
}

// SignedTreeHead returns the log's promise about all its leaves (RFC 6962,
// 3.5). at becomes its timestamp, in milliseconds.
func (l *CTLog) SignedTreeHead(at time.Time) (*ct.SignedTreeHead, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	root, err := l.tree.root()
	if err != nil {
		return nil, err
	}
	sth := &ct.SignedTreeHead{
		Version:        ct.V1,
		TreeSize:       l.tree.size(),
		Timestamp:      uint64(at.UnixMilli()),
		SHA256RootHash: ct.SHA256Hash(root),
		LogID:          l.id,
	}
	input, err := ct.SerializeSTHSignatureInput(*sth)
	if err != nil {
		return nil, fmt.Errorf("encoding signed tree head: %w", err)
	}
	signature, err := l.key.signSHA256(input)
	if err != nil {
		return nil, fmt.Errorf("signing tree head: %w", err)
	}
	sth.TreeHeadSignature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA},
		Signature: signature,
	}
	return sth, nil
}
