package attestationtest

import (
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/types"

	// Rekor reads an entry through the types that are linked in.
	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/hashedrekord/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/intoto/v0.0.2"
)

// rekorV1TreeID is the tree id of the public good instance's active shard.
const rekorV1TreeID = "1193050959916656506"

// RekorV1 is a Rekor v1 transparency log with a P-256 key. It is safe for
// concurrent use.
//
// It knows the entry types hashedrekord 0.0.1, dsse 0.0.1 and intoto 0.0.2.
// Unlike a real Rekor, [RekorV1.Add] logs an entry again that it already holds;
// [RekorV1.Handler] does not.
type RekorV1 struct {
	url string
	key ecdsaSigner
	id  [sha256.Size]byte

	mu  sync.Mutex
	log *checkpointLog
}

func newRekorV1(host string, seed secret) (*RekorV1, error) {
	key, err := seed.ecdsaKey(elliptic.P256(), "rekor v1")
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding key of rekor v1: %w", err)
	}
	id := sha256.Sum256(public)
	signer := noteSigner{name: host, hash: binary.BigEndian.Uint32(id[:]), sign: key.signSHA256}
	log, err := newCheckpointLog(host+" - "+rekorV1TreeID, signer)
	if err != nil {
		return nil, err
	}
	return &RekorV1{url: "https://" + host, key: key, id: id, log: log}, nil
}

// URL returns the log's base URL.
func (r *RekorV1) URL() string { return r.url }

// ID returns the log's id: SHA-256 over its public key in DER.
func (r *RekorV1) ID() [sha256.Size]byte { return r.id }

// Add logs an entry, integrated at the given instant (in whole seconds), and
// returns it with its inclusion promise, inclusion proof and checkpoint. It
// refuses an entry whose signature does not verify, as Rekor does.
func (r *RekorV1) Add(proposed models.ProposedEntry, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	body, err := canonicalEntry(proposed)
	if err != nil {
		return nil, err
	}
	return r.integrate(body, at)
}

// canonicalBody is what a Rekor hashes of an entry, and the entry's kind.
type canonicalBody struct {
	kind  *protorekor.KindVersion
	bytes []byte
}

// canonicalEntry reads the entry and verifies its signature.
func canonicalEntry(proposed models.ProposedEntry) (canonicalBody, error) {
	versioned, err := types.CreateVersionedEntry(proposed)
	if err != nil {
		return canonicalBody{}, fmt.Errorf("reading %s entry: %w", proposed.Kind(), err)
	}
	body, err := types.CanonicalizeEntry(context.Background(), versioned)
	if err != nil {
		return canonicalBody{}, fmt.Errorf("canonicalizing %s entry: %w", proposed.Kind(), err)
	}
	kind := &protorekor.KindVersion{Kind: proposed.Kind(), Version: versioned.APIVersion()}
	return canonicalBody{kind: kind, bytes: body}, nil
}

// integrate appends the body to the log.
func (r *RekorV1) integrate(body canonicalBody, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	r.mu.Lock()
	inclusion, err := r.log.append(body.bytes)
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	entry := &protorekor.TransparencyLogEntry{
		LogIndex:          inclusion.GetLogIndex(),
		LogId:             &protocommon.LogId{KeyId: r.id[:]},
		KindVersion:       body.kind,
		IntegratedTime:    at.Unix(),
		InclusionProof:    inclusion,
		CanonicalizedBody: body.bytes,
	}
	entry.InclusionPromise, err = r.promise(entry)
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// promise returns this log's signed entry timestamp over the entry's body,
// integrated time, index and log id, in canonical JSON (RFC 8785).
func (r *RekorV1) promise(entry *protorekor.TransparencyLogEntry) (*protorekor.InclusionPromise, error) {
	payload, err := json.Marshal(struct {
		Body           string `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		LogID          string `json:"logID"`
	}{
		Body:           base64.StdEncoding.EncodeToString(entry.GetCanonicalizedBody()),
		IntegratedTime: entry.GetIntegratedTime(),
		LogIndex:       entry.GetLogIndex(),
		LogID:          hex.EncodeToString(entry.GetLogId().GetKeyId()),
	})
	if err != nil {
		return nil, fmt.Errorf("encoding signed entry timestamp: %w", err)
	}
	canonical, err := jsoncanonicalizer.Transform(payload)
	if err != nil {
		return nil, fmt.Errorf("canonicalizing signed entry timestamp: %w", err)
	}
	signature, err := r.key.signSHA256(canonical)
	if err != nil {
		return nil, fmt.Errorf("signing entry timestamp: %w", err)
	}
	return &protorekor.InclusionPromise{SignedEntryTimestamp: signature}, nil
}

// Checkpoint returns the log's signed present state, with the origin
// "HOST - TREE-ID".
func (r *RekorV1) Checkpoint() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state, err := r.log.checkpoint()
	if err != nil {
		return "", err
	}
	return state.sign(r.log.signer)
}
