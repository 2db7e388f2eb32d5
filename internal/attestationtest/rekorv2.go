package attestationtest

import (
	"crypto/ed25519"
	"fmt"
	"sync"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/rekor-tiles/v2/pkg/types/hashedrekord"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"
)

// RekorV2 is a Rekor v2 transparency log with an Ed25519 key. It is safe for
// concurrent use.
//
// It knows one entry type, hashedrekord 0.0.2, and states no time: who needs
// one asks a timestamp authority. Unlike a real Rekor, [RekorV2.Add] logs an entry
// again that it already holds; [RekorV2.Handler] does not.
type RekorV2 struct {
	url        string
	key        ed25519.PrivateKey
	id         []byte
	algorithms *signature.AlgorithmRegistryConfig

	mu  sync.Mutex
	log *checkpointLog
}

func newRekorV2(host string, seed secret) (*RekorV2, error) {
	key, err := seed.ed25519Key("rekor v2")
	if err != nil {
		return nil, err
	}
	hash, id, err := rekornote.KeyHash(host, key.Public())
	if err != nil {
		return nil, fmt.Errorf("naming key of rekor v2: %w", err)
	}
	// What rekor-tiles permits without flags, but for the deprecated.
	algorithms, err := signature.NewAlgorithmRegistryConfig([]protocommon.PublicKeyDetails{
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_3072_SHA256,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_4096_SHA256,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P521_SHA_512,
		protocommon.PublicKeyDetails_PKIX_ED25519_PH,
	})
	if err != nil {
		return nil, fmt.Errorf("listing algorithms of rekor v2: %w", err)
	}
	sign := func(text []byte) ([]byte, error) { return ed25519.Sign(key, text), nil }
	log, err := newCheckpointLog(host, noteSigner{name: host, hash: hash, sign: sign})
	if err != nil {
		return nil, err
	}
	return &RekorV2{url: "https://" + host, key: key, id: id, algorithms: algorithms, log: log}, nil
}

// URL returns the log's base URL. Its host is the checkpoints' origin.
func (r *RekorV2) URL() string { return r.url }

// ID returns the log's id: SHA-256 over its origin and public key, of which
// the first four bytes are the checkpoints' key hash (C2SP signed-note).
func (r *RekorV2) ID() []byte { return r.id }

// Add logs an entry and returns it with its inclusion proof and checkpoint. It
// refuses an entry whose signature does not verify, as Rekor does.
func (r *RekorV2) Add(request *rekortiles.HashedRekordRequestV002) (*protorekor.TransparencyLogEntry, error) {
	body, err := r.canonicalEntry(request)
	if err != nil {
		return nil, err
	}
	return r.integrate(body)
}

// canonicalEntry reads the entry and verifies its signature.
func (r *RekorV2) canonicalEntry(request *rekortiles.HashedRekordRequestV002) (canonicalBody, error) {
	entry, err := hashedrekord.ToLogEntry(request, r.algorithms)
	if err != nil {
		return canonicalBody{}, fmt.Errorf("reading hashedrekord entry: %w", err)
	}
	serialized, err := protojson.Marshal(entry)
	if err != nil {
		return canonicalBody{}, fmt.Errorf("encoding hashedrekord entry: %w", err)
	}
	body, err := jsoncanonicalizer.Transform(serialized)
	if err != nil {
		return canonicalBody{}, fmt.Errorf("canonicalizing hashedrekord entry: %w", err)
	}
	kind := &protorekor.KindVersion{Kind: entry.GetKind(), Version: entry.GetApiVersion()}
	return canonicalBody{kind: kind, bytes: body}, nil
}

// integrate appends the body to the log.
func (r *RekorV2) integrate(body canonicalBody) (*protorekor.TransparencyLogEntry, error) {
	r.mu.Lock()
	inclusion, err := r.log.append(body.bytes)
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex:          inclusion.GetLogIndex(),
		LogId:             &protocommon.LogId{KeyId: r.id},
		KindVersion:       body.kind,
		InclusionProof:    inclusion,
		CanonicalizedBody: body.bytes,
	}, nil
}

// Checkpoint returns the log's signed present state, with the host as origin.
func (r *RekorV2) Checkpoint() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state, err := r.log.checkpoint()
	if err != nil {
		return "", err
	}
	return state.sign(r.log.signer)
}
