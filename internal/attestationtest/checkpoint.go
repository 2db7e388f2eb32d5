package attestationtest

import (
	"encoding/base64"
	"fmt"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"golang.org/x/mod/sumdb/note"
)

// checkpoint is a log's word on its own state, in the format of C2SP
// tlog-checkpoint.
type checkpoint struct {
	origin string // Rekor v1: "HOST - TREE-ID"; Rekor v2: "HOST"
	size   uint64
	root   []byte
}

// sign returns the checkpoint as a note with one signature.
func (c checkpoint) sign(signer note.Signer) (string, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", c.origin, c.size, base64.StdEncoding.EncodeToString(c.root))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return "", fmt.Errorf("signing checkpoint of %s: %w", c.origin, err)
	}
	return string(signed), nil
}

// noteSigner implements note.Signer for the keys of both Rekors.
type noteSigner struct {
	name string // the host, without a tree id
	hash uint32 // the first four bytes of the log id
	sign func(text []byte) ([]byte, error)
}

func (s noteSigner) Name() string                     { return s.name }
func (s noteSigner) KeyHash() uint32                  { return s.hash }
func (s noteSigner) Sign(text []byte) ([]byte, error) { return s.sign(text) }

// checkpointLog is a Merkle tree whose owner signs checkpoints. Both Rekors
// are one; it is not safe for concurrent use.
type checkpointLog struct {
	origin string
	signer noteSigner
	tree   *merkleTree
}

// newCheckpointLog returns a log that already holds one leaf, so that no
// inclusion proof is empty.
func newCheckpointLog(origin string, signer noteSigner) (*checkpointLog, error) {
	l := &checkpointLog{origin: origin, signer: signer, tree: newMerkleTree()}
	if _, err := l.tree.append([]byte("the first leaf of " + origin)); err != nil {
		return nil, err
	}
	return l, nil
}

// checkpoint returns the log's present state, not signed yet.
func (l *checkpointLog) checkpoint() (checkpoint, error) {
	root, err := l.tree.root()
	if err != nil {
		return checkpoint{}, err
	}
	return checkpoint{origin: l.origin, size: l.tree.size(), root: root}, nil
}

// append adds a leaf and returns the proof that the log, as it is now, holds it.
func (l *checkpointLog) append(leaf []byte) (*protorekor.InclusionProof, error) {
	index, err := l.tree.append(leaf)
	if err != nil {
		return nil, err
	}
	hashes, err := l.tree.inclusion(index)
	if err != nil {
		return nil, err
	}
	state, err := l.checkpoint()
	if err != nil {
		return nil, err
	}
	envelope, err := state.sign(l.signer)
	if err != nil {
		return nil, err
	}
	return &protorekor.InclusionProof{
		LogIndex:   int64(index),
		RootHash:   state.root,
		TreeSize:   int64(state.size),
		Hashes:     hashes,
		Checkpoint: &protorekor.Checkpoint{Envelope: envelope},
	}, nil
}
